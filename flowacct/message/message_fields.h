// What each field of a message is: the table (message_fields.inc) of the registry's fields and FlowMessage's numbers.
//
// Threads: any; nothing here allocates but FlowMessageProto.

#ifndef FLOWACCT_MESSAGE_MESSAGE_FIELDS_H_
#define FLOWACCT_MESSAGE_MESSAGE_FIELDS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/record/field.h"

namespace flowacct::message {

// A fact of the batch or of the message, by its number.
enum class Fact : uint32_t {
  kBinStart = 3000,
  kBinEnd = 3001,
  kCollector = 3002,
  kPipeline = 3003,
  kRun = 3004,
  kNumber = 3005,
  kRow = 3006,
  kCorrection = 3007,
  kIncomplete = 3008,
  kOverflow = 3009,
  kValues = 3010,
  kWideSums = 3011,
  kExactOctets = 3012,
  kNotKept = 3013,
};

// Fields of the messages within.
enum ValueField : uint32_t { kValueFunction = 1, kValueField = 2, kValueNumber = 3, kValueText = 4 };
enum WideSumField : uint32_t { kWideSumField = 1, kWideSumLow = 2, kWideSumHigh = 3 };
enum ExactOctetsField : uint32_t { kExactField = 1, kExactOctets = 2 };  // of a map's entry

struct MessageField {
  uint32_t number;
  absl::string_view name;
  // kFieldCount: a fact, or one that is goflow2's alone.
  record::FieldId field;
  absl::string_view type;  // as a .proto writes it, without `optional`
  absl::string_view help;
};

// By rising number.
absl::Span<const MessageField> MessageFields();
// Of a field of the registry, all of which have one.
const MessageField& MessageFieldOf(record::FieldId field);
// kFieldCount: the number is of no field of the registry.
record::FieldId FieldOfNumber(uint64_t number);

// The text of flow_message.proto.
std::string FlowMessageProto();

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_MESSAGE_FIELDS_H_
