// A stage that puts into records what is known from elsewhere, or takes records out: what every enricher is.
//
//     RequiredFields(wanted) -> a layout that has them -> Bind(layout, wanted) -> Apply(batch)...
//
// Demand goes against the stream: `wanted` is what later stages read, so that nothing is computed that nobody asked
// for; what an enricher must read to tell it is asked of the stages before, and of the decoders in the end. Several
// apply in the order in which the pipeline has them; docs/how-to/enrich.md tells which order makes sense.
//
// Absent is not zero, here too: an enricher that knows nothing of a record leaves its fields as they are.
//
// An enricher may hold rows back, when what it would tell of them may still come: Apply takes them out of the batch,
// Release gives them back later, enriched or not, and they go on from there to the stages behind. Whoever applies
// enrichers asks for them: before each Apply, when bins are closed, and for all of them before Bind and at the end.
//
// Ownership: a worker has an enricher of its own, with the state that changes; what is large and never changes (a
// table, rules) is shared by std::shared_ptr<const ...>. The factory that a configuration holds makes one for each
// worker. Threads: an enricher is for one thread at a time, a factory for any. Errors: none; tables have theirs when
// they are read. Cost: one virtual call a batch; no allocation a record in steady state.

#ifndef FLOWACCT_ENRICH_ENRICHER_H_
#define FLOWACCT_ENRICH_ENRICHER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/record/field.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::enrich {

struct EnricherCounter {
  absl::string_view name;  // of a static text: "records_scaled"
  uint64_t value = 0;
};

class Enricher {
 public:
  virtual ~Enricher() = default;

  // Of the kind, as metrics name it: "networks". A static text.
  virtual absl::string_view name() const = 0;
  // What the layout must have beside `wanted` so that this can tell of it; none if it tells nothing that is wanted.
  virtual std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const = 0;
  // Before the first Apply, and again when the layout or the interner of the batches is another: what is remembered of
  // the old ones is forgotten, counters go on. `layout` outlives the binding. Of `wanted`, what the layout has is told.
  // No rows are held.
  virtual void Bind(const record::Layout& layout, const record::FieldSet& wanted) = 0;
  // `batch` has the bound layout. Rows that are taken out are missing afterwards; the order of the others stays.
  virtual void Apply(record::FlowBatch& batch) = 0;
  // Rows that Apply took out and Release has not given back.
  virtual size_t held() const { return 0; }
  // Before each Apply, and at times without batches: appends to `batch`, which has the bound layout, those held rows
  // whose wait is over, or all. `now_nanos`: since 1970, of the clock or the capture that is read, which no exporter
  // can push; 0 where nobody tells the time.
  virtual void Release(int64_t /*now_nanos*/, bool /*all*/, record::FlowBatch& /*batch*/) {}
  virtual std::vector<EnricherCounter> counters() const { return {}; }
};

using EnricherFactory = std::function<std::unique_ptr<Enricher>()>;

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_ENRICHER_H_
