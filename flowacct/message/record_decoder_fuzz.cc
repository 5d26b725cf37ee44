// Any octets are a message or none: they are decoded into every field, and what was decoded has a text.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/message/record_decoder.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/value_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using flowacct::record::FieldId;
  static const flowacct::record::Layout layout = flowacct::record::Layout::All();
  flowacct::base::Interner interner;
  flowacct::record::FlowBatch records(&layout, &interner);
  flowacct::message::RecordDecoder decoder;
  flowacct::message::MessageFacts facts;
  const bool ok = decoder.Decode(flowacct::base::Octets(data, size), &records, &facts).ok();
  if (records.size() != (ok ? 1u : 0u)) std::abort();
  if (!ok) return 0;
  std::string text;
  for (const FieldId field : layout.fields()) {
    flowacct::record::AppendJson(records.row(0), field, interner, &text);
  }
  return 0;
}
