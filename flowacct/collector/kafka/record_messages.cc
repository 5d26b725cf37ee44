#include "flowacct/collector/kafka/record_messages.h"

namespace flowacct::collector {

using base::DecodeCode;
using base::DecodeResult;

DecodeResult RecordMessages::DecodeOne(base::Octets record, record::FlowBatch* rows) {
  message::MessageFacts facts;
  const DecodeResult result = decoder_.Decode(record, rows, &facts);
  if (!result.ok()) return result;
  ++counters_.records;
  counters_.unfit_values += facts.unfit_values;
  counters_.wide_sums += facts.wide_sums.size();
  if (facts.correction) ++counters_.corrections;
  if (facts.incomplete) ++counters_.incomplete;
  return result;
}

DecodeResult RecordMessages::DecodeAll(base::Octets message, record::FlowBatch* rows) {
  if (!options_.length_delimited) return DecodeOne(message, rows);
  for (size_t at = 0; at < message.size();) {
    const size_t begin = at;
    uint64_t length = 0;
    for (int shift = 0;; shift += 7) {
      if (at >= message.size()) return DecodeResult::Error(DecodeCode::kTruncated, begin);
      const uint8_t octet = message[at++];
      length |= uint64_t{octet & 0x7fu} << shift;
      if ((octet & 0x80) == 0) break;
      // No record is longer than 2^35.
      if (shift == 28) return DecodeResult::Error(DecodeCode::kBadLength, begin);
    }
    if (length > message.size() - at) return DecodeResult::Error(DecodeCode::kTruncated, begin);
    DecodeResult result = DecodeOne(message.subspan(at, length), rows);
    if (!result.ok()) {
      result.offset += static_cast<uint32_t>(at);
      return result;
    }
    at += length;
  }
  return DecodeResult::Ok();
}

DecodeResult RecordMessages::Decode(base::Octets message, record::FlowBatch* rows) {
  const DecodeResult result = DecodeAll(message, rows);
  counters_.messages.Count(result.code);
  return result;
}

}  // namespace flowacct::collector
