#include "flowacct/gtp/message_types.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "flowacct/gtp/testing/gtp1_builder.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

using testing::Build;
using testing::Bytes;

TEST(MessageTypes, AreFoundByProtocolAndNumber) {
  std::map<std::pair<int, int>, const MessageTypeInfo*> rows;
  for (const MessageTypeInfo& info : MessageTypes()) {
    EXPECT_TRUE(rows.insert({{static_cast<int>(info.protocol), info.type}, &info}).second) << info.name;
  }
  for (unsigned protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (unsigned type = 0; type < 256; ++type) {
      const auto it = rows.find({static_cast<int>(protocol), static_cast<int>(type)});
      EXPECT_EQ(FindMessageType(static_cast<Protocol>(protocol), static_cast<uint8_t>(type)),
                it == rows.end() ? nullptr : it->second);
    }
  }
}

TEST(MessageTypes, HaveTheRoleThatTheirNamesTell) {
  for (const MessageTypeInfo& info : MessageTypes()) {
    SCOPED_TRACE(std::string(info.name));
    if (absl::EndsWith(info.name, " Request")) {
      EXPECT_EQ(info.role, Role::kRequest);
    }
    if (absl::EndsWith(info.name, " Response")) {
      EXPECT_EQ(info.role, Role::kResponse);
    }
    if (absl::EndsWith(info.name, " Command")) {
      EXPECT_EQ(info.role, Role::kCommand);
    }
    if (absl::EndsWith(info.name, "Context Acknowledge") && info.procedure == Procedure::kContext) {
      EXPECT_EQ(info.role, Role::kAcknowledge);
    } else if (absl::EndsWith(info.name, " Acknowledge")) {
      EXPECT_EQ(info.role, Role::kResponse);
    }
  }
}

// Who waits for an answer by the procedure gets one, and who answers was asked.
TEST(MessageTypes, PairRequestsAndResponses) {
  std::set<std::pair<Protocol, Procedure>> asked, answered;
  for (const MessageTypeInfo& info : MessageTypes()) {
    if (info.role == Role::kRequest || info.role == Role::kCommand) asked.insert({info.protocol, info.procedure});
    if (info.role == Role::kResponse) answered.insert({info.protocol, info.procedure});
  }
  EXPECT_EQ(asked, answered);
}

TEST(MessageTypes, OfAMessage) {
  const struct {
    Bytes octets;
    const char* name;
  } kCases[] = {
      {Build(testing::V0Header(255), {}), "T-PDU"},
      {Build(testing::V1Header(255), {}), "G-PDU"},
      {testing::Hex("40 01 0004 00000000"), "Echo Request"},
      {testing::Hex("48 22 0008 00000000 00000000"), "Modify Bearer Request"},
      {Build(testing::PrimeHeader{2, true, 240, 0}, {}), "Data Record Transfer Request"},
      {Build(testing::PrimeHeader{0, false, 240, 0}, {}), "Data Record Transfer Request"},
  };
  for (const auto& c : kCases) {
    MessageView view;
    ASSERT_TRUE(MessageView::Parse(c.octets, &view).ok()) << c.name;
    const MessageTypeInfo* info = FindMessageType(view);
    ASSERT_NE(info, nullptr) << c.name;
    EXPECT_EQ(info->name, c.name);
  }
}

TEST(Procedures, HaveNames) {
  EXPECT_EQ(ProcedureName(Procedure::kNone), "none");
  EXPECT_EQ(ProcedureName(Procedure::kPduNotification), "pdu_notification");
}

}  // namespace
}  // namespace flowacct::gtp
