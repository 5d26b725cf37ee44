// Whatever the text: it is refused with a column inside it, or it runs.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "flowacct/aggregate/filter.h"
#include "flowacct/base/octets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using flowacct::aggregate::Filter;
  const absl::string_view text = flowacct::base::AsText(flowacct::base::Octets(data, size));
  flowacct::aggregate::FilterError error;
  const absl::StatusOr<Filter> filter = Filter::Parse(text, {}, &error);
  if (!filter.ok()) {
    if (error.column == 0 || error.column > size + 1 || error.message.empty()) std::abort();
    return 0;
  }
  const flowacct::record::Layout layout(filter->fields());
  flowacct::base::Interner interner;
  flowacct::record::FlowBatch batch(&layout, &interner);
  batch.Append();
  uint8_t* octets = batch.Append().layout().row_size() > 0 ? batch.data() + batch.stride() : nullptr;
  for (size_t i = 0; i < layout.presence_size(); ++i) octets[i] = 0xff;  // the second row has every field, as zero
  flowacct::aggregate::Selection selection;
  filter->Bind(layout).Apply(batch, &selection);
  if (selection.size() > 2) std::abort();
  return 0;
}
