#include "flowacct/message/message_fields.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace flowacct::message {
namespace {

using record::FieldId;
using record::FieldType;

// What holds a value of a type. goflow2's FlowMessage has the same for the fields that it knows.
constexpr absl::string_view ProtoType(FieldType type) {
  switch (type) {
    case FieldType::kU64:
    case FieldType::kTime:
    case FieldType::kMac:
    case FieldType::kRouteDistinguisher:
      return "uint64";
    case FieldType::kAddress:
    case FieldType::kPrefix:
    case FieldType::kOctets:
      return "bytes";
    case FieldType::kString:
    case FieldType::kDigits:
      return "string";
    case FieldType::kCoordinates:
      return "repeated float";
    case FieldType::kExtCommunities:
      return "repeated fixed64";
    case FieldType::kLabelStack:
    case FieldType::kAsPath:
    case FieldType::kCommunities:
    case FieldType::kLargeCommunities:
      return "repeated uint32";
    default:
      return "uint32";
  }
}

constexpr MessageField kFields[] = {
#define FIELD(id, number, name) \
  {number, name, FieldId::id, ProtoType(record::internal::TypeOf(FieldId::id)), absl::string_view()},
#define FACT(number, name, type, help) {number, name, FieldId::kFieldCount, type, help},
#define FOREIGN(number, name, type, help) FACT(number, name, type, help)
#define RESERVED(number, name)
#include "flowacct/message/message_fields.inc"
#undef FIELD
#undef FACT
#undef FOREIGN
#undef RESERVED
};

struct ReservedField {
  uint32_t number;
  absl::string_view name;
};
constexpr ReservedField kReserved[] = {
#define FIELD(id, number, name)
#define FACT(number, name, type, help)
#define FOREIGN(number, name, type, help)
#define RESERVED(number, name) {number, name},
#include "flowacct/message/message_fields.inc"
#undef FIELD
#undef FACT
#undef FOREIGN
#undef RESERVED
    {0, ""},
};

// By FieldId: the index in kFields.
constexpr std::array<uint16_t, record::kFieldCount> IndexByField() {
  std::array<uint16_t, record::kFieldCount> indexes{};
  for (uint16_t& index : indexes) index = 0xffff;
  for (size_t i = 0; i < std::size(kFields); ++i) {
    if (kFields[i].field != FieldId::kFieldCount) {
      indexes[static_cast<size_t>(kFields[i].field)] = static_cast<uint16_t>(i);
    }
  }
  return indexes;
}
constexpr std::array<uint16_t, record::kFieldCount> kIndexByField = IndexByField();

constexpr bool AllFieldsHaveNumbers() {
  for (const uint16_t index : kIndexByField) {
    if (index == 0xffff) return false;
  }
  return true;
}
static_assert(AllFieldsHaveNumbers(), "a field of record/fields.def has no FIELD row in message_fields.inc");

constexpr bool NumbersRise() {
  for (size_t i = 1; i < std::size(kFields); ++i) {
    if (kFields[i].number <= kFields[i - 1].number) return false;
  }
  return true;
}
static_assert(NumbersRise(), "rows of message_fields.inc are not by rising number");

constexpr uint32_t kOurFirst = 3100;
static_assert(kFields[std::size(kFields) - 1].number < 4000, "FieldOfNumber has no room");

// From a number to the field, in two ranges without holes to speak of.
struct ByNumber {
  std::array<uint16_t, 128> low{};
  std::array<uint16_t, 4000 - kOurFirst> ours{};
};
constexpr ByNumber IndexByNumber() {
  ByNumber by;
  for (uint16_t& field : by.low) field = static_cast<uint16_t>(FieldId::kFieldCount);
  for (uint16_t& field : by.ours) field = static_cast<uint16_t>(FieldId::kFieldCount);
  for (const MessageField& field : kFields) {
    if (field.number < by.low.size()) by.low[field.number] = static_cast<uint16_t>(field.field);
    if (field.number >= kOurFirst) by.ours[field.number - kOurFirst] = static_cast<uint16_t>(field.field);
  }
  return by;
}
constexpr ByNumber kByNumber = IndexByNumber();

constexpr absl::string_view kProtoHead =
    R"(// What flowacct tells of traffic, as one message. Made by write_flow_message_proto from message_fields.inc; not to be
// edited.
//
// Wire-compatible with the FlowMessage of goflow2: fields below 3000 have its numbers, names, types and meanings, so
// that what reads goflow2's messages reads these. What was not told is absent, which is not zero.
//
// Addresses are 4 or 16 octets in network order, prefixes the same with one octet more: the length in bits. MAC
// addresses are the number of their 48 bits. Times are nanoseconds since 1970, UTC. Coordinates are latitude and
// longitude. Extended communities (RFC 4360) are their 8 octets as a number in network order; large communities (RFC
// 8092) are three numbers each. Names of enumerations are in docs/reference/output.md.

syntax = "proto3";

package flowpb;

message FlowMessage {
  enum FlowType {
    FLOWUNKNOWN = 0;
    SFLOW_5 = 1;
    NETFLOW_V5 = 2;
    NETFLOW_V9 = 3;
    IPFIX = 4;
  }
  enum LayerStack {
    Ethernet = 0;
    IPv4 = 1;
    IPv6 = 2;
    TCP = 3;
    UDP = 4;
    MPLS = 5;
    Dot1Q = 6;
    ICMP = 7;
    ICMPv6 = 8;
    GRE = 9;
    IPv6HeaderRouting = 10;
    IPv6HeaderFragment = 11;
  }

  // What was computed of a field over the records of a group.
  enum Function {
    SUM = 0;
    MIN = 1;
    MAX = 2;
    DISTINCT = 3;  // how many values, estimated
    TOP = 4;       // the most frequent values
  }
  message Value {
    Function function = 1;
    uint32 field = 2;            // its number in this message
    optional uint64 number = 3;  // of all but TOP
    optional string text = 4;    // of TOP: "443:1200 80:300"
  }
  // The sum of a field: high * 2^64 + low.
  message WideSum {
    uint32 field = 1;  // its number in this message
    uint64 low = 2;
    uint64 high = 3;
  }
)";

}  // namespace

absl::Span<const MessageField> MessageFields() { return kFields; }

const MessageField& MessageFieldOf(FieldId field) { return kFields[kIndexByField[static_cast<size_t>(field)]]; }

FieldId FieldOfNumber(uint64_t number) {
  if (number < kByNumber.low.size()) return static_cast<FieldId>(kByNumber.low[number]);
  if (number >= kOurFirst && number - kOurFirst < kByNumber.ours.size()) {
    return static_cast<FieldId>(kByNumber.ours[number - kOurFirst]);
  }
  return FieldId::kFieldCount;
}

std::string FlowMessageProto() {
  std::string text(kProtoHead);
  for (const ReservedField& reserved : kReserved) {
    if (reserved.number != 0) {
      absl::StrAppend(&text, "\n  reserved ", reserved.number, ";\n  reserved \"", reserved.name, "\";\n");
    }
  }
  uint32_t last = 0;
  for (const MessageField& field : kFields) {
    if (last / 100 != field.number / 100) text += "\n";
    last = field.number;
    const record::FieldInfo* const info = field.field == FieldId::kFieldCount ? nullptr : &record::Info(field.field);
    const bool renamed = info != nullptr && info->name != field.name;
    const bool single = !absl::StartsWith(field.type, "repeated") && !absl::StartsWith(field.type, "map");
    absl::StrAppend(&text, "  // ", renamed ? info->name : "", renamed ? ": " : "",
                    info != nullptr ? info->help : field.help, "\n  ", single ? "optional " : "", field.type, " ",
                    field.name, " = ", field.number, ";\n");
  }
  text += "}\n";
  return text;
}

}  // namespace flowacct::message
