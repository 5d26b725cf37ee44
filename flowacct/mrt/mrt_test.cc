// Every subtype against lines of text; streams cut at every octet and split anywhere; what is damaged; what the writer
// writes, read again.

#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/mrt/reader.h"
#include "flowacct/mrt/testing/event_text.h"
#include "flowacct/mrt/testing/record_builder.h"
#include "flowacct/mrt/writer.h"
#include "flowacct/testing/allocation_counter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flowacct::mrt {
namespace {

using base::DecodeCode;
using bgp::testing::AddressOf;
using bgp::testing::PrefixOf;
using bgp::testing::UpdateBuilder;
using testing::BuiltEntry;
using ::testing::ElementsAre;
using testing::EventText;
using ::testing::HasSubstr;
using testing::RecordBuilder;

using Lines = std::vector<std::string>;

Lines ReadAll(base::Octets file, const ReaderOptions& options = {}, ReaderCounters* counters = nullptr) {
  EventText text;
  Reader reader(&text, options);
  reader.Read(file);
  reader.End();
  if (counters != nullptr) *counters = reader.counters();
  return text.lines;
}

std::vector<uint8_t> GoodAttributes(const char* hop = "192.0.2.2") {
  UpdateBuilder b;
  const base::Octets octets = b.Origin(0).AsPath({64496}).NextHop(hop).Attributes();
  return {octets.begin(), octets.end()};
}

std::vector<uint8_t> RibBody(const std::vector<BuiltEntry>& entries, absl::string_view prefix = "198.51.100.0/24") {
  base::OctetWriter body;
  body.U32(0);
  bgp::testing::WriteNlri(bgp::Family::kIpv4Unicast, false, {PrefixOf(prefix), 0, 0, {}}, &body);
  testing::PutEntries(entries, false, &body);
  return {body.octets().begin(), body.octets().end()};
}

std::vector<uint8_t> OnePeer() { return testing::PeerIndexBody({{AddressOf("192.0.2.2"), 64496, 1}}); }

TEST(Reader, TellsEverySubtype) {
  ReaderCounters counters;
  const Lines lines = ReadAll(testing::EverySubtype(), {}, &counters);
  const std::string v4 = "192.0.2.2 AS64496 id a000001", v6 = "2001:db8::2 AS4200000000 id a000002";
  const std::string ends4 = "192.0.2.2 AS64496 to 192.0.2.1 AS64500 interface 7";
  const std::string ends6 = "2001:db8::2 AS4200000000 to 2001:db8::1 AS64500 interface 7";
  Lines expected = {
      absl::StrCat("peers c0000201 'view', ", v4, ", ", v6),
      "route ipv4_unicast #9 198.51.100.0/23 from 192.0.2.2 AS64496 age 60 path 64496 64497 via 192.0.2.2",
      "route ipv6_unicast #9 2001:db8:100::/40 from 2001:db8::2 AS64496 age 60 path 64496 64497 via 2001:db8::2",
  };
  const auto routes = [&](const char* family, const char* prefix, const char* more, bool add_path, const char* hop) {
    for (int i = 0; i < 2; ++i) {
      expected.push_back(absl::StrCat("route ", family, " #3 ", prefix, add_path ? absl::StrCat(" path ", 11 + i) : "",
                                      more, " from ", i, ": ", i == 0 ? v4 : v6, " age 60 path 64496 64497 via ", hop));
    }
  };
  for (const bool add_path : {false, true}) {
    routes("ipv4_unicast", "198.51.100.0/23", "", add_path, "192.0.2.2");
    routes("ipv4_multicast", "198.51.100.0/23", "", add_path, "192.0.2.2");
    routes("ipv6_unicast", "2001:db8:100::/40", "", add_path, "2001:db8::2");
    routes("ipv6_multicast", "2001:db8:100::/40", "", add_path, "2001:db8::2");
    routes("vpn_ipv4", "198.51.100.0/23", " label 100 rd 64496:7", add_path, "192.0.2.2");
    if (!add_path) expected.push_back("error unsupported");
  }
  const auto states = [&](const std::string& ends) {
    expected.push_back(absl::StrCat("state 5 to 6 of ", ends, " +0"));
    expected.push_back(absl::StrCat("state 5 to 6 of ", ends, " +250000"));
  };
  const auto messages = [&](const std::string& ends, int octets, const char* direction, const char* context) {
    expected.push_back(absl::StrCat("update of ", octets, direction, ends, " +0", context));
    expected.push_back(absl::StrCat("update of ", octets, direction, ends, " +250000", context));
  };
  states(ends4);
  messages(ends4, 47, " from ", " as2");
  messages(ends6, 51, " from ", " as4");
  states(ends6);
  messages(ends4, 47, " sent to ", " as2");
  messages(ends6, 51, " sent to ", " as4");
  messages(ends4, 51, " from ", " as2 add_path");
  messages(ends6, 55, " from ", " as4 add_path");
  messages(ends4, 51, " sent to ", " as2 add_path");
  messages(ends6, 55, " sent to ", " as4 add_path");
  expected.push_back("error unsupported");
  expected.push_back("error unsupported");
  ASSERT_EQ(lines.size(), expected.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(absl::StartsWith(expected[i], "error") ? lines[i].substr(0, expected[i].size()) : lines[i], expected[i]);
  }
  EXPECT_EQ(counters.records, kSubtypeCount - 1 + 10 + 2);  // BGP4MP's again in BGP4MP_ET, and two unknown ones
  EXPECT_EQ(counters.subtypes[static_cast<size_t>(Subtype::kUnknown)], 2u);
  EXPECT_EQ(counters.rib_entries, 22u);
  EXPECT_EQ(counters.errors.errors(), 3u);
}

TEST(Reader, TellsTheSameHoweverTheStreamIsSplit) {
  const std::vector<uint8_t> file = testing::EverySubtype();
  const Lines whole = ReadAll(file);
  for (size_t cut = 0; cut <= file.size(); ++cut) {
    EventText text;
    Reader reader(&text);
    reader.Read(base::Octets(file).subspan(0, cut));
    reader.Read(base::Octets(file).subspan(cut));
    reader.End();
    ASSERT_EQ(text.lines, whole) << cut;
  }
  for (const size_t step : {1, 2, 3, 7, 11, 12, 13, 100}) {
    EventText text;
    Reader reader(&text);
    for (size_t at = 0; at < file.size(); at += step) {
      reader.Read(base::Octets(file).subspan(at, std::min(step, file.size() - at)));
    }
    reader.End();
    EXPECT_EQ(text.lines, whole) << step;
  }
}

TEST(Reader, TellsWhereAFileEnds) {
  const std::vector<uint8_t> file = testing::EverySubtype();
  size_t boundary = 0;
  for (size_t cut = 1; cut < file.size(); ++cut) {
    if (cut == boundary + kHeaderOctets + base::LoadBe32(file.data() + boundary + 8)) boundary = cut;
    ReaderCounters counters;
    (void)ReadAll(base::Octets(file).subspan(0, cut), {}, &counters);
    ASSERT_EQ(counters.errors[DecodeCode::kTruncated], cut == boundary ? 0u : 1u) << cut;
    if (boundary + kHeaderOctets > file.size() - 1) break;
  }
}

// Each record cut at every octet, with a header that says so: the records around it are not touched.
TEST(Reader, GoesOnBehindARecordCutAtEveryOctet) {
  const std::vector<uint8_t> file = testing::EverySubtype();
  const size_t first = kHeaderOctets + base::LoadBe32(file.data() + 8);
  RecordBuilder good;
  good.Record(13, 2, RibBody({{0, 0, GoodAttributes()}}));
  for (size_t at = first; at < file.size();) {
    const size_t length = base::LoadBe32(file.data() + at + 8);
    for (size_t cut = 0; cut < length; ++cut) {
      std::vector<uint8_t> stream(file.begin(), file.begin() + first);
      stream.insert(stream.end(), file.begin() + at, file.begin() + at + kHeaderOctets + cut);
      base::StoreBe32(stream.data() + first + 8, static_cast<uint32_t>(cut));
      stream.insert(stream.end(), good.octets().begin(), good.octets().end());
      ReaderCounters counters;
      const Lines lines = ReadAll(stream, {}, &counters);
      ASSERT_EQ(counters.records, 3u);
      // A state without addresses is one that Zebra wrote.
      if (counters.state_changes == 1 && cut <= 12) continue;
      ASSERT_GE(counters.errors.errors(), 1u) << at << " cut " << cut;
      ASSERT_THAT(lines.back(), HasSubstr("198.51.100.0/24"));
    }
    at += kHeaderOctets + length;
  }
}

struct Damage {
  const char* what;
  uint16_t type, subtype;
  std::vector<uint8_t> body;
  Lines expected;  // behind the peers
};

TEST(Reader, TellsWhatIsDamagedAndWhere) {
  const std::vector<uint8_t> good = GoodAttributes();
  std::vector<uint8_t> no_path = {0x40, 1, 1, 0, 0x40, 3, 4, 192, 0, 2, 2};
  const std::string route =
      "route ipv4_unicast #0 198.51.100.0/24 from 0: 192.0.2.2 AS64496 id 1 age 60 path 64496 via 192.0.2.2";
  std::vector<uint8_t> trailing = RibBody({{0, 0, good}});
  trailing.push_back(0);
  std::vector<uint8_t> count = RibBody({{0, 0, good}});
  count[4 + 4 + 1] = 2;
  std::vector<uint8_t> bits = RibBody({{0, 0, good}});
  bits[4] = 33;
  base::OctetWriter host_bits;
  host_bits.U32(0).U8(23).U8(198).U8(51).U8(101);
  testing::PutEntries({{0, 0, good}}, false, &host_bits);
  base::OctetWriter keepalive, marker, family, long_message, bare, bare_state;
  const Peer peer{AddressOf("192.0.2.2"), 64496, 0}, local{AddressOf("192.0.2.1"), 64500, 0};
  testing::PutEnds(peer, local, false, &keepalive);
  keepalive.Fill(16, 0xff).U16(19).U8(4).U8(0);
  testing::PutEnds(peer, local, false, &marker);
  marker.Fill(16, 0xfe).U16(19).U8(4);
  family.U16(1).U16(2).U16(0).U16(3).Fill(30);
  testing::PutEnds(peer, local, false, &long_message);
  long_message.Fill(16, 0xff).U16(24).U8(2).U32(0);
  bare.U16(0).U16(0).Fill(16, 0xff).U16(19).U8(4);
  bare_state.U16(0).U16(0).U16(3).U16(4);
  base::OctetWriter evpn;
  evpn.U32(0).U16(25).U8(70).Fill(20);
  base::OctetWriter generic_as_standard;  // RFC 8050: the path identifier in front of the NLRI
  generic_as_standard.U32(5).U16(1).U8(128);
  bgp::testing::WriteNlri(bgp::Family::kVpnIpv4, true, {PrefixOf("198.51.100.0/24"), 77, 7, {100}},
                          &generic_as_standard);
  UpdateBuilder vpn;
  vpn.Origin(0).AsPath({64496}).Attribute(0x80, 14, {12, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2});
  testing::PutEntries({{0, 0, {vpn.Attributes().begin(), vpn.Attributes().end()}}}, false, &generic_as_standard);
  const auto octets = [](const base::OctetWriter& w) {
    return std::vector<uint8_t>(w.octets().begin(), w.octets().end());
  };
  const std::vector<Damage> cases = {
      {"an entry of no peer",
       13,
       2,
       RibBody({{1, 0, good}, {0, 0, good}}),
       {"error bad_value at 35+22 in TABLE_DUMP_V2/RIB_IPV4_UNICAST", route}},
      {"attributes without AS_PATH",
       13,
       2,
       RibBody({{0, 0, no_path}, {0, 0, good}}),
       {"error bad_value at 35+30 in TABLE_DUMP_V2/RIB_IPV4_UNICAST", route}},
      {"octets behind the entries",
       13,
       2,
       trailing,
       {route, "error trailing_octets at 35+50 in TABLE_DUMP_V2/RIB_IPV4_UNICAST"}},
      {"more entries than there are",
       13,
       2,
       count,
       {route, "error bad_count at 35+50 in TABLE_DUMP_V2/RIB_IPV4_UNICAST"}},
      {"33 bits", 13, 2, bits, {"error bad_value at 35+16 in TABLE_DUMP_V2/RIB_IPV4_UNICAST"}},
      {"host bits",
       13,
       2,
       octets(host_bits),
       {"route ipv4_unicast #0 198.51.100.0/23 from 0: 192.0.2.2 AS64496 id 1 age 60 path 64496 via 192.0.2.2"}},
      {"EVPN", 13, 6, octets(evpn), {"error unsupported at 35+16 in TABLE_DUMP_V2/RIB_GENERIC"}},
      {"path identifier in the NLRI",
       13,
       12,
       octets(generic_as_standard),
       {"route vpn_ipv4 #5 198.51.100.0/24 path 77 label 100 rd 0:7 from 0: 192.0.2.2 AS64496 id 1 age 60 path 64496 "
        "via 192.0.2.2"}},
      {"an octet behind the message",
       16,
       1,
       octets(keepalive),
       {"keepalive of 19 from 192.0.2.2 AS64496 to 192.0.2.1 AS64500 interface 7 +0 as2",
        "error trailing_octets at 35+47 in BGP4MP/BGP4MP_MESSAGE"}},
      {"no marker", 16, 1, octets(marker), {"error bad_value at 35+28 in BGP4MP/BGP4MP_MESSAGE"}},
      {"family 3", 16, 1, octets(family), {"error bad_value at 35+18 in BGP4MP/BGP4MP_MESSAGE"}},
      {"a message that is not whole",
       16,
       1,
       octets(long_message),
       {"error truncated at 35+28 in BGP4MP/BGP4MP_MESSAGE"}},
      {"a message without addresses",
       16,
       1,
       octets(bare),
       {"keepalive of 19 from :: AS0 to :: AS0 interface 0 +0 as2"}},
      {"a state without addresses", 16, 0, octets(bare_state), {"state 3 to 4 of :: AS0 to :: AS0 interface 0 +0"}},
  };
  for (const Damage& c : cases) {
    RecordBuilder file;
    file.Record(13, 1, OnePeer()).Record(c.type, c.subtype, c.body);
    Lines lines = ReadAll(file.octets());
    ASSERT_FALSE(lines.empty());
    lines.erase(lines.begin());
    EXPECT_EQ(lines, c.expected) << c.what;
  }
}

TEST(Reader, NeedsPeers) {
  RecordBuilder file;
  file.Record(13, 2, RibBody({{0, 0, GoodAttributes()}}));
  EXPECT_THAT(ReadAll(file.octets()), ElementsAre("error template_unknown at 0+22 in TABLE_DUMP_V2/RIB_IPV4_UNICAST"));
}

TEST(Reader, SkipsWhatIsTooLong) {
  RecordBuilder file;
  file.Record(13, 1, OnePeer())
      .Record(13, 2, std::vector<uint8_t>(1000))
      .Record(13, 2, RibBody({{0, 0, GoodAttributes()}}));
  ReaderOptions options;
  options.max_record_octets = 100;
  for (const size_t step : {size_t{1}, size_t{12}, size_t{500}, file.octets().size()}) {
    EventText text;
    Reader reader(&text, options);
    for (size_t at = 0; at < file.octets().size(); at += step) {
      reader.Read(file.octets().subspan(at, std::min(step, file.octets().size() - at)));
    }
    reader.End();
    EXPECT_EQ(reader.counters().errors[DecodeCode::kLimitExceeded], 1u);
    EXPECT_EQ(reader.counters().errors.errors(), 1u);
    EXPECT_EQ(reader.counters().rib_entries, 1u);
    EXPECT_THAT(text.lines[1], HasSubstr("limit_exceeded at 35+8"));
  }
}

// --- The writer ---

TEST(Writer, ReadsBackWhatItWrote) {
  std::mt19937 random(3);
  std::vector<Peer> peers;
  for (uint32_t i = 0; i < 300; ++i) {
    peers.push_back(
        {i % 2 == 0 ? base::IpAddress::V4(random()) : AddressOf("2001:db8::7"), static_cast<uint32_t>(random()), i});
  }
  const absl::Time time = absl::FromUnixSeconds(testing::kTestSeconds);
  for (const bool add_path : {false, true}) {
    for (size_t f = 0; f < bgp::kFamilyCount; ++f) {
      const bgp::Family family = static_cast<bgp::Family>(f);
      const bgp::FamilyRow& row = bgp::RowOf(family);
      if (row.shape > bgp::NlriShape::kVpn) continue;
      SCOPED_TRACE(std::string(row.name));
      base::OctetWriter file;
      Writer writer(&file);
      ASSERT_TRUE(writer.WritePeerIndexTable({time, 7, "v", peers}));
      Lines expected;
      std::vector<std::vector<uint8_t>> sets;
      for (size_t n = 0; n < 40; ++n) {
        bgp::Nlri route;
        route.address = base::Mask(row.v6 ? AddressOf("2001:db8:aaaa:bbbb::") : base::IpAddress::V4(random()),
                                   row.v6 ? 48 : n % 33);
        route.length = static_cast<uint8_t>(row.v6 ? 48 : n % 33);
        if (row.shape != bgp::NlriShape::kPrefix) {
          route.label_count = 1;
          route.label = random() % (1 << 20);
        }
        if (row.shape == bgp::NlriShape::kVpn) route.rd = uint64_t{random() % 65536} << 32 | random();
        std::vector<RibRoute> routes;
        std::vector<std::vector<uint8_t>> own;
        for (size_t e = 0; e < 1 + n % 3; ++e) {
          UpdateBuilder b;
          b.Origin(n % 3).AsPath({1, static_cast<uint32_t>(random())});
          if (e % 2 == 0) b.Communities(std::vector<uint32_t>(1 + n * 3, 9));  // 65 and more: extended length
          b.LargeCommunities({1, 2, 3}).Attribute(0xe0, 199, {1, 2, 3});
          std::vector<uint8_t> hop(row.v6 ? (n % 2 == 0 ? 32 : 16) : 4, 0x22);
          if (row.shape == bgp::NlriShape::kVpn) hop.insert(hop.begin(), 8, 0);
          if (hop.size() == 40) hop.insert(hop.begin() + 24, 8, 0);
          if (family == bgp::Family::kIpv4Unicast) {
            b.NextHop("34.34.34.34");
          } else {
            hop.insert(hop.begin(), static_cast<uint8_t>(hop.size()));
            b.Attribute(0x80, 14, hop);
          }
          bgp::Update update;
          bgp::UpdateCounters counters;
          bgp::DecodeRibEntry(b.Attributes(), family, {}, &update, &counters);
          ASSERT_EQ(update.announced().size(), 1u);
          std::vector<uint8_t> buffer;
          const base::Octets set = bgp::CanonicalizeAttributes(update, update.announced()[0], &buffer);
          own.emplace_back(set.begin(), set.end());
        }
        for (size_t e = 0; e < own.size(); ++e) {
          routes.push_back({static_cast<uint16_t>(random() % peers.size()), time - absl::Seconds(e),
                            static_cast<uint32_t>(random()), own[e]});
        }
        ASSERT_EQ(writer.WriteRib(time, family, route, add_path, routes), routes.size());
        for (const RibRoute& r : routes) {
          bgp::Nlri told = route;
          told.has_path_id = add_path;
          told.path_id = r.path_id;
          const bgp::AttributeSetView set(r.attributes);
          expected.push_back(absl::StrCat("route ", std::string(row.name), " #", n, " ", testing::TextOf(told),
                                          " from ", r.peer_index, ": ", testing::TextOf(peers[r.peer_index]), " age ",
                                          absl::ToInt64Seconds(time - r.originated), " path ", set.as_path().ToString(),
                                          " via ", set.next_hop()->ToString()));
          sets.emplace_back(r.attributes.begin(), r.attributes.end());
        }
      }
      EventText text;
      Reader reader(&text);
      reader.Read(file.octets());
      reader.End();
      ASSERT_FALSE(text.lines.empty());
      text.lines.erase(text.lines.begin());
      EXPECT_EQ(text.lines, expected);
      EXPECT_EQ(text.attributes, sets);
    }
  }
}

TEST(Writer, WritesMessages) {
  base::OctetWriter file, keepalive;
  bgp::testing::WriteMessage(4, {}, &keepalive);
  Writer writer(&file);
  Ends ends;
  ends.time = absl::FromUnixSeconds(testing::kTestSeconds) + absl::Microseconds(12);
  ends.peer = {AddressOf("2001:db8::2"), 4200000000, 0};
  ends.local = {AddressOf("2001:db8::1"), 64500, 0};
  ends.interface_index = 3;
  writer.WriteMessage(ends, false, false, keepalive.octets());
  ends.peer.address = AddressOf("192.0.2.2");
  ends.local.address = AddressOf("192.0.2.1");
  ends.time = absl::FromUnixSeconds(testing::kTestSeconds);
  writer.WriteMessage(ends, true, true, keepalive.octets());
  EXPECT_THAT(
      ReadAll(file.octets()),
      ElementsAre("keepalive of 19 from 2001:db8::2 AS4200000000 to 2001:db8::1 AS64500 interface 3 +12 as4",
                  "keepalive of 19 sent to 192.0.2.2 AS4200000000 to 192.0.2.1 AS64500 interface 3 +0 as4 add_path"));
}

TEST(Writer, RefusesWhatHasNoPlace) {
  base::OctetWriter file;
  Writer writer(&file);
  const std::vector<Peer> peers(65536);
  EXPECT_FALSE(writer.WritePeerIndexTable({absl::UnixEpoch(), 0, "", peers}));
  const std::string name(65536, 'x');
  EXPECT_FALSE(writer.WritePeerIndexTable({absl::UnixEpoch(), 0, name, {}}));
  const RibRoute route;
  EXPECT_EQ(writer.WriteRib(absl::UnixEpoch(), bgp::Family::kEvpn, {}, false, absl::MakeConstSpan(&route, 1)), 0u);
  EXPECT_EQ(file.size(), 0u);
  // Two records of one prefix.
  const std::vector<RibRoute> many(65537);
  bgp::Nlri any;
  any.address = base::IpAddress::V4(0);
  EXPECT_EQ(writer.WriteRib(absl::UnixEpoch(), bgp::Family::kIpv4Unicast, any, false, many), 65537u);
  ReaderCounters counters;
  (void)ReadAll(file.octets(), {}, &counters);
  EXPECT_EQ(counters.records, 2u);
  EXPECT_EQ(counters.errors[DecodeCode::kTemplateUnknown], 65537u);
  EXPECT_EQ(counters.errors.errors(), 65537u);
}

class Silent : public Listener {};

TEST(Reader, DoesNotAllocateARecord) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const std::vector<uint8_t> file = testing::EverySubtype();
  Silent silent;
  Reader reader(&silent);
  reader.Read(file);
  const flowacct::testing::AllocationCounter counter;
  for (int i = 0; i < 10; ++i) reader.Read(file);
  EXPECT_EQ(counter.allocations(), 0);
}

}  // namespace
}  // namespace flowacct::mrt
