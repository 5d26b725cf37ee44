// Reads FlowMessage (flow_message.proto), ours or goflow2's, into records: values of the registry's fields.
//
// Guaranteed: any octets are safe; what was written by record_encoder.h comes back as it was, but for texts that were
// no UTF-8. Fields that the layout lacks are passed over, unknown ones too; of a field that comes twice the last value
// counts, of a list all values, as Protocol Buffers has it. Not checked: UTF-8.
// A min or max becomes the field's value where no sum does; the time bin becomes start_time and end_time where the
// message has none; goflow2's `type` becomes export_version. distinct and top are no values of a record.
// goflow2 leaves zeros out: absent may be zero in its messages.
// Ownership: facts borrow the message. Threads: one at a time. Errors: a DecodeResult, with nothing appended.
// Cost: some ten nanoseconds a field; interned texts as the interner has it.

#ifndef FLOWACCT_MESSAGE_RECORD_DECODER_H_
#define FLOWACCT_MESSAGE_RECORD_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/message/wire_format.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::message {

struct RecordDecoderOptions {
  // Kafka's own bound of a message, unless configured. A list takes eight times its octets in memory while it is read.
  size_t max_message_octets = size_t{1} << 20;
};

// What a message tells besides the values of fields.
struct MessageFacts {
  aggregate::TimeBin bin;
  absl::string_view collector, pipeline;
  uint64_t run = 0, number = 0, row = 0;  // number 0: nobody said
  bool correction = false, incomplete = false, overflow = false;
  // Sums that the record, which has 2^64 - 1, cannot hold. High parts may be any; who makes records of them sets a
  // bound.
  std::vector<std::pair<record::FieldId, absl::uint128>> wide_sums;
  // Values that do not fit their field (an address of three octets) and are left absent.
  uint64_t unfit_values = 0;
};

class RecordDecoder {
 public:
  explicit RecordDecoder(RecordDecoderOptions options = {}) : options_(options) {}

  // Appends one row.
  base::DecodeResult Decode(base::Octets message, record::FlowBatch* records, MessageFacts* facts);

 private:
  struct List {
    record::FieldId field;
    std::vector<uint64_t> numbers;
  };

  void ReadField(WireReader* reader, WireType type, record::FieldId field);
  void ReadListNumbers(WireReader* reader, WireType type, record::FieldId field);
  void ReadFact(WireReader* reader, WireType type, uint64_t number);
  void ReadValue(base::Octets octets);
  void ReadWideSum(base::Octets octets);
  void ReadExactOctets(base::Octets octets);
  void ReadNotKept(uint64_t number);
  void SetNumber(record::FieldId field, uint64_t number);
  void SetInterned(record::FieldId field, base::Octets octets);
  void SetOctets(record::FieldId field, base::Octets octets);
  void Finish();
  List& ListOf(record::FieldId field);
  // What is inside of a field, and cannot be read.
  void Fail(const WireReader& inside) {
    if (inner_ok_) inner_code_ = inside.code();
    inner_ok_ = false;
  }

  const RecordDecoderOptions options_;
  // Of the message at hand.
  record::FlowBatch* records_ = nullptr;
  MessageFacts* facts_ = nullptr;
  size_t row_ = 0;
  bool inner_ok_ = true;
  base::DecodeCode inner_code_ = base::DecodeCode::kOk;
  std::vector<List> lists_;  // memory is kept
  size_t lists_size_ = 0;
  std::vector<std::pair<record::FieldId, uint64_t>> extremes_;
  std::vector<std::pair<record::FieldId, base::Octets>> exact_;
  std::vector<record::FieldId> not_kept_;
  uint64_t flow_type_ = 0;
  std::string scratch_;
};

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_RECORD_DECODER_H_
