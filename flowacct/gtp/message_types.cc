#include "flowacct/gtp/message_types.h"

#include <array>

namespace flowacct::gtp {
namespace {

constexpr MessageTypeInfo kMessageTypes[] = {
#define X(protocol, type, name, procedure, role, plane) \
  {Protocol::protocol, type, name, Procedure::procedure, Role::role, MessagePlane::plane},
    FLOWACCT_GTP_MESSAGE_TYPES(X)
#undef X
};

constexpr uint8_t kNoRow = 0xff;
static_assert(sizeof(kMessageTypes) / sizeof(kMessageTypes[0]) <= kNoRow, "rows are numbered by an octet");

using Index = std::array<uint8_t, kProtocolCount * 256>;

constexpr Index MakeIndex() {
  Index index{};
  for (size_t i = 0; i < index.size(); ++i) index[i] = kNoRow;
  uint8_t row = 0;
  for (const MessageTypeInfo& info : kMessageTypes) index[static_cast<size_t>(info.protocol) * 256 + info.type] = row++;
  return index;
}

constexpr Index kIndex = MakeIndex();

constexpr absl::string_view kProcedureNames[] = {
#define X(name, text) text,
    FLOWACCT_GTP_PROCEDURES(X)
#undef X
};

}  // namespace

absl::string_view ProcedureName(Procedure procedure) { return kProcedureNames[static_cast<size_t>(procedure)]; }

absl::Span<const MessageTypeInfo> MessageTypes() { return kMessageTypes; }

const MessageTypeInfo* FindMessageType(Protocol protocol, uint8_t type) {
  const uint8_t row = kIndex[static_cast<size_t>(protocol) * 256 + type];
  return row == kNoRow ? nullptr : &kMessageTypes[row];
}

}  // namespace flowacct::gtp
