// Whatever the text: it is refused with a line and a column inside it, or it compiles and runs.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "flowacct/base/octets.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace base = flowacct::base;
  namespace enrich = flowacct::enrich;
  namespace record = flowacct::record;
  const std::string text(base::AsText(base::Octets(data, size)));
  enrich::RulesOptions options;
  options.max_keys = 1 << 12;
  options.keys.max_keys = 1 << 10;
  const auto rules = enrich::Rules::Parse({{"r", text}}, options);
  if (!rules.ok()) {
    if (!absl::StartsWith(rules.status().message(), "r:")) std::abort();
    return 0;
  }
  static const auto* layout = new record::Layout(record::Layout::All());
  base::Interner interner;
  record::FlowBatch batch(layout, &interner);
  batch.Append();
  // One in which every field is there.
  uint8_t* row = batch.AppendCopies(1, batch.data());
  for (size_t i = 0; i < layout->size(); ++i) row[i / 8] |= static_cast<uint8_t>(1 << (i % 8));
  enrich::RulesEnricher enricher(*rules);
  enricher.Bind(*layout, record::FieldSet(layout->fields()));
  enricher.Apply(batch);
  if (batch.size() > 2) std::abort();
  return 0;
}
