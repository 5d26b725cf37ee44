#include "flowacct/gtp/control_v2.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/gtp/elements_v2.h"
#include "flowacct/gtp/message_types.h"
#include "flowacct/gtp/testing/gtp2_builder.h"
#include "flowacct/gtp/testing/messages_v2.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

using testing::FteidOctets;
using testing::Gtp2Builder;
using testing::MessagesV2;
using testing::Tbcd;

using Bytes = std::vector<uint8_t>;

std::string AddressText(const std::optional<base::IpAddress>& address) { return address ? address->ToString() : ""; }

// "10#0:17@10.2.0.1" and, of both families, "7#1:19@10.4.0.1,2001:db8:4::1".
std::string FteidText(const Fteid& fteid) {
  return absl::StrCat(fteid.interface_type, "#", fteid.instance, ":", fteid.teid, "@", AddressText(fteid.v4),
                      fteid.v4 && fteid.v6 ? "," : "", AddressText(fteid.v6));
}

std::string BearerText(const BearerContext& bearer) {
  std::string text = absl::StrCat(bearer.has_ebi ? absl::StrCat(bearer.ebi) : "?", bearer.to_be_removed ? "-" : "");
  if (bearer.linked_ebi) absl::StrAppend(&text, " linked ", *bearer.linked_ebi);
  if (bearer.cause) absl::StrAppend(&text, " cause ", *bearer.cause);
  if (bearer.qci) absl::StrAppend(&text, " qci ", *bearer.qci, " arp ", *bearer.arp);
  if (bearer.charging_id) absl::StrAppend(&text, " charging ", *bearer.charging_id);
  for (const Fteid& fteid : bearer.endpoints()) absl::StrAppend(&text, " ", FteidText(fteid));
  return text;
}

std::string UeText(const UeAddresses& ue) {
  return absl::StrCat(AddressText(ue.v4), "|",
                      ue.v6 ? absl::StrCat(ue.v6->ToString(), "/", ue.v6_length) : std::string());
}

// All that it holds, a line for each bearer and connection.
std::string Text(const ControlMessage& m) {
  std::string text = std::string(ProcedureName(m.procedure));
  absl::StrAppend(&text, " ", static_cast<int>(m.role), m.has_teid ? absl::StrCat(" teid ", m.teid) : "", " seq ",
                  m.sequence);
  const auto add = [&text](const char* name, const auto& field) {
    if (field) absl::StrAppend(&text, " ", name, " ", *field);
  };
  const auto digits = [&text](const char* name, const std::optional<base::Digits>& field) {
    if (field) absl::StrAppend(&text, " ", name, " ", field->ToString());
  };
  add("cause", m.cause);
  add("recovery", m.recovery);
  digits("imsi", m.imsi);
  digits("msisdn", m.msisdn);
  digits("imei", m.imei);
  if (m.apn) absl::StrAppend(&text, " apn ", std::string(m.apn->text()));
  if (m.ue) absl::StrAppend(&text, " ue ", UeText(*m.ue));
  add("rat", m.rat);
  digits("network", m.serving_network);
  if (m.location) {
    const LocationForm form = *MostExactForm(*m.location);
    absl::StrAppend(&text, " at ", LocationText(form, (*m.location)[form]));
  }
  add("zone", m.time_zone);
  add("mode", m.selection_mode);
  add("characteristics", m.charging_characteristics);
  add("charging", m.charging_id);
  add("up", m.ambr_up_kbps);
  add("down", m.ambr_down_kbps);
  add("linked", m.linked_ebi);
  add("ebi", m.ebi);
  if (m.indication != 0) absl::StrAppend(&text, " indication ", absl::Hex(m.indication >> 40));
  for (const Fteid& fteid : m.control_endpoints()) absl::StrAppend(&text, " ", FteidText(fteid));
  for (const BearerContext& bearer : m.bearer_contexts()) absl::StrAppend(&text, "\n  ", BearerText(bearer));
  for (uint8_t i = 0; i < m.connection_count; ++i) {
    const ConnectionContext& c = m.connections[i];
    absl::StrAppend(&text, "\n  connection ", std::string(c.apn.text()), " ", UeText(c.ue), " ");
    if (c.linked_ebi) absl::StrAppend(&text, *c.linked_ebi, " ");
    if (c.pgw_control) absl::StrAppend(&text, FteidText(*c.pgw_control), " ");
    absl::StrAppend(&text, "bearers ", c.first_bearer, "+", c.bearer_count);
  }
  if (m.bad_elements != 0) absl::StrAppend(&text, " bad ", m.bad_elements);
  if (m.beyond_bounds != 0) absl::StrAppend(&text, " beyond ", m.beyond_bounds);
  return text;
}

base::DecodeResult Read(const Bytes& octets, ControlMessage* message) {
  MessageView view;
  const base::DecodeResult parsed = MessageView::Parse(octets, &view);
  if (!parsed.ok()) return parsed;
  return ReadControlMessageV2(view, message);
}

TEST(ControlV2, TellsWhatMessagesTell) {
  struct Case {
    const char* name;
    const char* text;
  };
  const Case kCases[] = {
      {"create_session_request",
       "create_session 0 teid 0 seq 258 recovery 17 imsi 262011234567890 msisdn 491721234567 imei 3536271234567890 "
       "apn internet.mnc001.mcc262.gprs rat 6 network 26201 at ecgi:262-01-1234567 zone 128 mode 0 "
       "characteristics 2048 up 50000 down 100000 indication 800810 10#0:17@10.2.0.1 7#1:0@10.4.0.1\n"
       "  5 qci 9 arp 60 0#0:33@10.1.0.1 4#2:34@10.3.0.1\n"
       "  7-"},
      {"create_session_response",
       "create_session 1 teid 17 seq 258 cause 18 recovery 18 ue 100.64.0.7|2001:db8:100:7::/64 charging 9 up 50000 "
       "down 100000 11#0:18@10.3.0.1 7#1:19@10.4.0.1,2001:db8:4::1\n"
       "  5 cause 16 qci 8 arp 60 charging 3735928559 1#0:35@10.3.0.1 5#2:36@10.4.0.1\n"
       "  7- cause 64"},
      {"modify_bearer_request",
       "modify_bearer 0 teid 18 seq 259 rat 10 at ecgi:262-01-1234567 10#0:17@10.2.0.1\n"
       "  5 0#0:37@10.1.0.2\n"
       "  6-"},
      {"modify_bearer_response",
       "modify_bearer 1 teid 17 seq 259 cause 16 linked 5\n"
       "  5 cause 16 1#0:35@10.3.0.1"},
      {"create_bearer_request",
       "create_bearer 0 teid 17 seq 260 linked 5\n"
       "  0 linked 5 qci 1 arp 13 charging 10 1#0:49@10.3.0.1 5#1:50@10.4.0.1"},
      {"create_bearer_response",
       "create_bearer 1 teid 18 seq 260 cause 16\n"
       "  6 cause 16 0#0:51@10.1.0.1 1#1:49@10.3.0.1 4#2:52@10.3.0.1 5#3:50@10.4.0.1"},
      {"delete_bearer_request", "delete_bearer 0 teid 17 seq 261 cause 8 ebi 6\n  6-\n  7-"},
      {"delete_session_request", "delete_session 0 teid 18 seq 263 at ecgi:262-01-1234567 linked 5 indication 80000"},
      {"delete_session_response", "delete_session 1 teid 17 seq 263 cause 16"},
      {"refused", "create_session 1 teid 17 seq 262 cause 70"},
      {"forward_relocation_request",
       "forward_relocation 0 teid 0 seq 513 imsi 262011234567890 12#0:65@10.2.0.1 11#1:18@10.3.0.1\n"
       "  5 qci 9 arp 60 1#0:37@10.3.0.1 5#1:53@10.4.0.1\n"
       "  6 linked 5 qci 1 arp 60 1#0:38@10.3.0.1 5#1:54@10.4.0.1\n"
       "  connection ims.mnc001.mcc262.gprs 100.64.0.7|2001:db8:100:7::/64 5 7#0:19@10.4.0.1 bearers 0+2"},
      {"forward_relocation_response",
       "forward_relocation 1 teid 65 seq 513 cause 16 12#0:66@10.2.0.2\n"
       "  5 19#0:81@10.1.0.2\n"
       "  6"},
      {"context_response",
       "context 1 teid 97 seq 514 cause 16 imsi 262011234567890 13#0:98@10.2.0.1 11#1:18@10.3.0.1\n"
       "  5 qci 9 arp 60 1#0:37@10.3.0.1 5#1:53@10.4.0.1\n"
       "  6 linked 5 qci 1 arp 60 1#0:38@10.3.0.1 5#1:54@10.4.0.1\n"
       "  connection ims.mnc001.mcc262.gprs 100.64.0.7|2001:db8:100:7::/64 5 7#0:19@10.4.0.1 bearers 0+2"},
      {"create_forwarding_request",
       "create_forwarding 0 teid 18 seq 515 imsi 262011234567890 10#0:17@10.2.0.1\n"
       "  5 19#0:81@10.1.0.2"},
      {"release_access_bearers_request", "release_access_bearers 0 teid 18 seq 264 ebi 5\n  5-\n  6-"},
      {"downlink_data_notification", "downlink_data_notification 0 teid 17 seq 265 ebi 5"},
      {"bearer_resource_command", "bearer_resource 3 teid 18 seq 8388874 linked 5 ebi 6 15#0:113@10.1.0.1"},
      {"change_notification_request",
       "change_notification 0 teid 19 seq 267 imsi 262011234567890 rat 1 at cgi:310-410-258-772 linked 5"},
      {"pgw_restart_notification", "pgw_restart 0 teid 0 seq 770 7#0:0@10.4.0.1 11#1:0@2001:db8:3::1"},
      {"suspend_notification", "suspend 0 teid 18 seq 268 linked 5"},
      {"echo_request", "echo 0 seq 769 recovery 3"},
  };
  const std::vector<testing::NamedMessage> messages = MessagesV2();
  ASSERT_EQ(messages.size(), sizeof(kCases) / sizeof(kCases[0]));
  // Used again and again: nothing of an earlier message may be left.
  const auto message = std::make_unique<ControlMessage>();
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < messages.size(); ++i) {
      ASSERT_EQ(messages[i].name, kCases[i].name);
      EXPECT_TRUE(Read(messages[i].octets, message.get()).ok()) << messages[i].name;
      EXPECT_EQ(Text(*message), kCases[i].text) << messages[i].name;
      EXPECT_EQ(message->version, 2);
      EXPECT_EQ(message->type, messages[i].octets[1]);
    }
  }
}

// A message that ends at any octet, its header's length saying so, has an element without room, or ends between two.
TEST(ControlV2, MessagesCutAtEveryOctet) {
  const auto whole = std::make_unique<ControlMessage>(), cut = std::make_unique<ControlMessage>();
  for (const testing::NamedMessage& named : MessagesV2()) {
    SCOPED_TRACE(named.name);
    ASSERT_TRUE(Read(named.octets, whole.get()).ok());
    MessageView view;
    ASSERT_TRUE(MessageView::Parse(named.octets, &view).ok());
    const size_t header = view.size() - view.payload().size();
    for (size_t size = 0; size < named.octets.size(); ++size) {
      // Copied, so that reading on is seen by the address sanitizer.
      Bytes octets(named.octets.begin(), named.octets.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(Read(octets, cut.get()).ok()) << size;  // the header says more
      if (size < header) continue;
      base::StoreBe16(octets.data() + 2, static_cast<uint16_t>(size - 4));
      const base::DecodeResult result = Read(octets, cut.get());
      v2::ElementReader reader(base::Octets(octets).subspan(header), header);
      v2::Element element;
      while (reader.Next(&element)) {
      }
      EXPECT_EQ(result.ok(), reader.result().ok()) << size;
      EXPECT_EQ(result.offset, reader.result().offset) << size;
      EXPECT_EQ(cut->procedure, whole->procedure);
      EXPECT_LE(cut->bearer_count, whole->bearer_count);
      EXPECT_LE(cut->control_count, whole->control_count);
      EXPECT_TRUE(!cut->imsi || cut->imsi == whole->imsi);
      EXPECT_EQ(cut->bad_elements, 0);
    }
  }
}

// Every length of every element, one up and one down, and none: no octet beyond is read, and what can be read is.
TEST(ControlV2, LengthsThatLie) {
  const auto message = std::make_unique<ControlMessage>();
  for (const testing::NamedMessage& named : MessagesV2()) {
    SCOPED_TRACE(named.name);
    MessageView view;
    ASSERT_TRUE(MessageView::Parse(named.octets, &view).ok());
    const size_t header = view.size() - view.payload().size();
    base::DecodeCounters counters;
    v2::WalkElements(
        view.payload(), {},
        [&](const v2::Element& element, size_t) {
          for (const size_t size : {size_t{0}, element.value.size() - 1, element.value.size() + 1, size_t{0xffff}}) {
            Bytes octets = named.octets;
            base::StoreBe16(octets.data() + header + element.offset + 1, static_cast<uint16_t>(size));
            const base::DecodeResult result = Read(octets, message.get());
            if (size == 0xffff) {
              EXPECT_EQ(result.code, base::DecodeCode::kTruncated);
              EXPECT_EQ(result.offset, header + element.offset);
            }
            EXPECT_LE(message->bearer_count, ControlMessage::kMaxBearers);
          }
        },
        &counters);
    EXPECT_EQ(counters.errors(), 0u);
  }
}

TEST(ControlV2, OfAnotherVersionNothingIsRead) {
  const auto message = std::make_unique<ControlMessage>();
  const Bytes v1 = {0x32, 16, 0, 6, 0, 0, 0, 1, 0, 7, 0, 0, 14, 5};
  MessageView view;
  ASSERT_TRUE(MessageView::Parse(v1, &view).ok());
  EXPECT_EQ(ReadControlMessageV2(view, message.get()).code, base::DecodeCode::kUnsupported);
  EXPECT_EQ(message->procedure, Procedure::kNone);
}

TEST(ControlV2, ElementsThatMeanNothingAreCounted) {
  const auto message = std::make_unique<ControlMessage>();
  Gtp2Builder b(32, 0, 1);
  const uint8_t kTypes[] = {
      v2::kImsi,  v2::kMsisdn,     v2::kMei,           v2::kUli,        v2::kRatType,    v2::kServingNetwork,
      v2::kCause, v2::kRecovery,   v2::kApn,           v2::kPaa,        v2::kFteid,      v2::kEbi,
      v2::kAmbr,  v2::kUeTimeZone, v2::kSelectionMode, v2::kIndication, v2::kChargingId, v2::kChargingCharacteristics};
  for (const uint8_t type : kTypes) b.Element(type, 0, {});
  b.Begin(v2::kBearerContext, 0);
  for (const uint8_t type : {v2::kEbi, v2::kCause, v2::kFteid, v2::kBearerQos, v2::kChargingId}) b.Element(type, 0, {});
  b.End();
  // What comes later, and can be read, counts.
  b.Element(v2::kImsi, 0, Tbcd("262011234567890"));
  b.Element(v2::kImsi, 0, Tbcd("262019999999999"));
  EXPECT_TRUE(Read(b.Finish(), message.get()).ok());
  EXPECT_EQ(Text(*message), "create_session 0 teid 0 seq 1 imsi 262011234567890\n  ? bad 23");
}

TEST(ControlV2, ImsiOfOddAndEvenLength) {
  const auto message = std::make_unique<ControlMessage>();
  std::string digits;
  for (size_t size = 1; size <= 20; ++size) {
    digits += static_cast<char>('0' + size % 10);
    Gtp2Builder b(32, 0, 1);
    b.Element(v2::kImsi, 0, Tbcd(digits));
    EXPECT_TRUE(Read(b.Finish(), message.get()).ok());
    EXPECT_EQ(message->imsi.has_value(), size <= 15) << size;
    EXPECT_TRUE(!message->imsi || message->imsi->ToString() == digits);
    EXPECT_EQ(message->bad_elements, size <= 15 ? 0 : 1);
  }
}

TEST(ControlV2, BearersAndEndpointsAreBounded) {
  const auto message = std::make_unique<ControlMessage>();
  Gtp2Builder b(95, 1, 1);
  for (int i = 0; i < 6; ++i) b.Element(v2::kFteid, 0, FteidOctets(10, 7, "10.0.0.1"));
  for (int i = 0; i < 30; ++i) {
    b.Begin(v2::kBearerContext, 0);
    for (uint8_t k = 0; k < 10; ++k) b.Element(v2::kFteid, k, FteidOctets(1, k, "10.0.0.1"));
    b.End();
  }
  for (int i = 0; i < 12; ++i) {
    b.Begin(v2::kPdnConnection, 0).Begin(v2::kBearerContext, 0).End().End();
  }
  EXPECT_TRUE(Read(b.Finish(), message.get()).ok());
  EXPECT_EQ(message->control_count, ControlMessage::kMaxControlFteids);
  EXPECT_EQ(message->bearer_count, ControlMessage::kMaxBearers);
  EXPECT_EQ(message->connection_count, ControlMessage::kMaxConnections);
  EXPECT_EQ(message->bearers[21].fteid_count, BearerContext::kMaxFteids);
  // Endpoints of the message, of each bearer; bearers; connections and their bearers.
  EXPECT_EQ(message->beyond_bounds, 2 + 22 * 2 + 8 + 11 + 1);
  EXPECT_EQ(message->bad_elements, 0);
}

TEST(ControlV2, AThousandGroupsWithinEachOther) {
  const auto message = std::make_unique<ControlMessage>();
  Gtp2Builder b(32, 0, 1);
  for (int i = 0; i < 1000; ++i) b.Begin(i % 2 == 0 ? v2::kPdnConnection : v2::kBearerContext, 0);
  b.U8(v2::kEbi, 0, 5);
  for (int i = 0; i < 1000; ++i) b.End();
  b.U8(v2::kRatType, 0, 6);
  EXPECT_TRUE(Read(b.Finish(), message.get()).ok());
  // Nothing of the standard is deeper than a bearer context in a PDN connection.
  EXPECT_EQ(Text(*message), "create_session 0 teid 0 seq 1 rat 6\n  ?\n  connection  | bearers 0+1");
}

TEST(ControlV2, AGroupThatEndsEarlyDoesNotTakeTheRestAlong) {
  const auto message = std::make_unique<ControlMessage>();
  Gtp2Builder b(32, 0, 1);
  b.Begin(v2::kBearerContext, 0).U8(v2::kEbi, 0, 5).Raw(Bytes{v2::kFteid, 0xff, 0xff, 0}).End();
  b.U8(v2::kRatType, 0, 6);
  b.Begin(v2::kBearerContext, 0).U8(v2::kEbi, 0, 6).Raw(Bytes{1}).End();
  const base::DecodeResult result = Read(b.Finish(), message.get());
  EXPECT_EQ(result.code, base::DecodeCode::kTruncated);
  EXPECT_EQ(result.offset, 12u + 4 + 5);
  EXPECT_EQ(Text(*message), "create_session 0 teid 0 seq 1 rat 6\n  5\n  6");
}

TEST(ControlV2, PiggyBackedMessagesAreMessages) {
  const std::vector<testing::NamedMessage> messages = MessagesV2();
  Bytes both = messages[1].octets;
  both[0] |= 0x10;
  both.insert(both.end(), messages[4].octets.begin(), messages[4].octets.end());
  MessageView view;
  ASSERT_TRUE(MessageView::Parse(both, &view).ok());
  EXPECT_TRUE(view.is_piggybacked());
  const auto message = std::make_unique<ControlMessage>();
  ASSERT_TRUE(ReadControlMessageV2(view, message.get()).ok());
  EXPECT_EQ(message->procedure, Procedure::kCreateSession);
  ASSERT_TRUE(MessageView::Parse(base::Octets(both).subspan(view.size()), &view).ok());
  ASSERT_TRUE(ReadControlMessageV2(view, message.get()).ok());
  EXPECT_EQ(message->procedure, Procedure::kCreateBearer);
}

}  // namespace
}  // namespace flowacct::gtp
