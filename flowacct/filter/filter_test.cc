#include "flowacct/filter/filter.h"

#include <gtest/gtest.h>

#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/filter/route_pattern.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::filter {
namespace {

using F = record::FieldId;

base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }

class FilterTest : public ::testing::Test {
 protected:
  FilterTest() : layout_(record::Layout::All()), batch_(&layout_, &interner_) {
    auto web = batch_.Append();  // 0
    web.Set<F::kSrcAddr>(Address("192.0.2.1"));
    web.Set<F::kDstAddr>(Address("2001:db8::80"));
    web.Set<F::kSrcNet>(*base::IpPrefix::Parse("192.0.2.0/25"));
    web.Set<F::kProtocol>(6);
    web.Set<F::kSrcPort>(40000);
    web.Set<F::kDstPort>(443);
    web.Set<F::kTcpFlags>(0x12);
    web.Set<F::kBytes>(10000);
    web.Set<F::kSrcAs>(0);
    web.Set<F::kDstAs>(64496);
    web.Set<F::kStartTime>(int64_t{1769860800} * 1000000000);  // 2026-01-31 12:00
    web.Set<F::kUserName>(interner_.Intern("ada lovelace"));
    web.Set<F::kSrcMac>(*base::MacAddress::Parse("02:00:00:00:00:01"));
    web.Set<F::kEtype>(0x86dd);
    web.Set<F::kImsi>(*base::Digits::Parse("262011234567890"));
    web.Set<F::kHomePlmn>(*base::Digits::Parse("26201"));
    web.Set<F::kVisitedPlmn>(*base::Digits::Parse("26201"));
    auto dns = batch_.Append();  // 1
    dns.Set<F::kSrcAddr>(Address("198.51.100.7"));
    dns.Set<F::kDstAddr>(Address("192.0.2.1"));
    dns.Set<F::kProtocol>(17);
    dns.Set<F::kSrcPort>(53);
    dns.Set<F::kDstPort>(1500);
    dns.Set<F::kBytes>(80);
    dns.Set<F::kUserName>(interner_.Intern("bob"));
    dns.Set<F::kMplsVpnRd>(uint64_t{65000} << 32 | 7);
    dns.Set<F::kStartTime>(int64_t{-2} * 1000000000);
    dns.Set<F::kImsi>(*base::Digits::Parse("001010000000001"));
    dns.Set<F::kHomePlmn>(*base::Digits::Parse("00101"));
    dns.Set<F::kVisitedPlmn>(*base::Digits::Parse("26202"));
    dns.Set<F::kMsisdn>(base::Digits::Pseudonym(0x0123456789abcdef));
    batch_.Append();  // 2: nothing is known
  }

  // "0 2", or the error.
  std::string Passing(absl::string_view text) {
    const absl::StatusOr<Filter> filter = Filter::Parse(text);
    if (!filter.ok()) return std::string(filter.status().message());
    Selection selection, one_by_one;
    BoundFilter bound = filter->Bind(layout_);
    bound.Apply(batch_, &selection);
    for (uint32_t row = 0; row < batch_.size(); ++row) {
      if (bound.Passes(batch_, row)) one_by_one.push_back(row);
    }
    EXPECT_EQ(selection, one_by_one) << text;
    std::string rows;
    for (uint32_t row : selection) rows += (rows.empty() ? "" : " ") + std::to_string(row);
    return rows;
  }

  base::Interner interner_;
  record::Layout layout_;
  record::FlowBatch batch_;
};

TEST_F(FilterTest, Conditions) {
  struct Case {
    const char* text;
    const char* rows;
  };
  for (const Case& c : std::vector<Case>{
           {"", "0 1 2"},
           {"  ", "0 1 2"},
           {"proto tcp", "0"},
           {"PROTOCOL = 17", "1"},
           {"protocol in (tcp, udp)", "0 1"},
           {"proto tcp and dst_port in (80,443) and src_addr in 192.0.2.0/24", "0"},
           {"dst_port in (80, 1000-2000)", "1"},
           {"dst_port 443", "0"},
           {"dst_port == 443", "0"},
           {"dst_port in 443", "0"},
           {"dst_port not in (443)", "1"},
           {"dst_port in (1,3,5,7,9,11,400-450,443)", "0"},
           {"dst_port in (1,3,5,7,9,11,1500)", "1"},
           {"bytes > 80", "0"},
           {"bytes >= 80", "0 1"},
           {"bytes < 80", ""},
           {"bytes <= 80", "1"},
           {"bytes > 9.9k", "0"},
           {"bytes = 10k", "0"},
           {"bytes < 10Ki and bytes > 0x50", "0"},
           {"bytes < 0", ""},
           {"bytes > 18446744073709551615", ""},
           // Absent is not zero.
           {"src_as = 0", "0"},
           {"src_as != 0", ""},
           {"not src_as = 0", "1 2"},
           {"src_as != 1", "0"},
           {"exists(src_as)", "0"},
           {"not exists(protocol)", "2"},
           {"!(protocol = 6)", "1 2"},
           // Either direction.
           {"host 192.0.2.1", "0 1"},
           {"src host 192.0.2.1", "0"},
           {"dst host 192.0.2.1", "1"},
           {"net 2001:db8::/32", "0"},
           {"net in (10.0.0.0/8, 198.51.100.0/24)", "1"},
           {"port 53", "1"},
           {"dst port 53", ""},
           {"port in (53, 443)", "0 1"},
           {"as 64496", "0"},
           {"not host 192.0.2.1", "2"},
           // Addresses and networks.
           {"src_addr = 192.0.2.1", "0"},
           {"src_addr != 192.0.2.1", "1"},
           {"src_addr in 0.0.0.0/0", "0 1"},
           {"dst_addr in ::/0", "0"},
           {"src_net in 192.0.2.0/24", "0"},
           {"src_net = 192.0.2.0/24", ""},
           {"src_net = 192.0.2.0/25", "0"},
           {"src_net in 192.0.2.0/26", ""},
           {"src_mac = 02:00:00:00:00:01", "0"},
           // Flags and bits.
           {"tcp_flags has syn", "0"},
           {"tcp_flags has (syn, ack)", "0"},
           {"tcp_flags has syn,fin", ""},
           {"tcp_flags has SA", "0"},
           {"tcp_flags = SA", "0"},
           {"tcp_flags & 0x03", "0"},
           {"tcp_flags & 0x03 = 0x02", "0"},
           {"tcp_flags & 0x03 != 0x02", ""},
           // Texts, times, names.
           {"user_name = \"ada lovelace\"", "0"},
           {"user_name 'ada lovelace'", "0"},
           {"user_name = bob", "1"},
           {"user_name in (bob, \"ada lovelace\")", "0 1"},
           {"user_name != bob", "0"},
           {"start_time >= \"2026-01-31 12:00:00\"", "0"},
           {"start_time > 2026-01-31T12:00:00Z", ""},
           {"start_time = 1769860800", "0"},
           {"start_time < 2026-02-01", "0 1"},
           {"start_time < 1970-01-01", "1"},
           {"start_time >= 1970-01-01", "0"},
           {"start_time in (1969-12-31T23:59:58Z, 1769860800)", "0 1"},
           {"etype ipv6", "0"},
           {"mpls_vpn_rd = 65000:7", "1"},
           // Digits are texts, with zeros in front, and may be begun only.
           {"imsi = 262011234567890", "0"},
           {"imsi 001010000000001", "1"},
           {"imsi = 1010000000001", ""},
           {"imsi != 262011234567890", "1"},
           {"imsi = 26201*", "0"},
           {"imsi in 2*", "0"},
           {"imsi in (26201*, 00101*)", "0 1"},
           {"imsi not in (26201*)", "1"},
           {"imsi in (26200*, 26201*, 26202*)", "0"},
           {"imsi = 262011234567890*", "0"},
           {"imsi = 2620112345678901*", ""},
           {"imsi = '26201*'", "0"},
           {"home_plmn = 26201", "0"},
           {"home_plmn = 2620", ""},
           {"home_plmn = 2620*", "0"},
           {"home_plmn = 26201*", "0"},
           {"home_plmn = 262010", ""},
           {"home_plmn = field(visited_plmn)", "0"},
           {"home_plmn != field(visited_plmn)", "1"},
           {"msisdn = x0123456789abcde", "1"},
           {"msisdn in (0*, 1*, 2*, 3*, 4*, 5*, 6*, 7*, 8*, 9*)", ""},
           {"not exists(msisdn)", "0 2"},
           // Logic.
           {"protocol 6 or protocol 17 and bytes > 100", "0"},
           {"(protocol 6 or protocol 17) and bytes < 100", "1"},
           {"proto tcp || proto udp && !port 53", "0"},
           {"not not proto tcp", "0"},
           {"ip_src 192.0.2.1 and SRC_PORT 40000", "0"},
       }) {
    EXPECT_EQ(Passing(c.text), c.rows) << c.text;
  }
}

TEST_F(FilterTest, ErrorsShowTheColumn) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"proto tcp and dst_prt = 1",
            "column 15: no field is called \"dst_prt\"; did you mean dst_port or dst_net?"},
           {"proto tpc", "column 7: no protocol is called \"tpc\"; did you mean 3pc or tcp?"},
           {"dst_port = 70000", "column 12: 70000 is more than dst_port can be: it has 16 bits"},
           {"imsi = 26201a",
            "column 8: \"26201a\" is no text of 1 to 16 digits, such as 262011234567890 or 26201*, which imsi is "
            "compared with"},
           {"imsi = *",
            "column 8: \"*\" is no text of 1 to 16 digits, such as 262011234567890 or 26201*, which imsi is compared "
            "with"},
           {"imsi = x0123456789abcde*",
            "column 8: \"x0123456789abcde*\" is no text of 1 to 16 digits, such as 262011234567890 or 26201*, which "
            "imsi is compared with"},
           {"imsi > 26201", "column 6: imsi has no order; =, != and in can be asked"},
           {"imsi & 1", "column 8: imsi has no bits to ask for"},
           {"imsi = field(tag)", "column 14: imsi is of type digits, tag of type u64: they cannot be compared"},
           {"dst_port = x", "column 12: \"x\" is no whole number that fits, which dst_port is compared with"},
           {"dst_port in (1, 2", "column 13: this list is never closed"},
           {"dst_port in (5-3)", "column 14: the range 5-3 ends before it begins"},
           {"(proto tcp", "column 1: this parenthesis is never closed"},
           {"proto tcp)", "column 10: this parenthesis was never opened"},
           {"proto tcp dst_port 80", "column 11: here \"and\", \"or\" or the end was expected, not \"dst_port\""},
           {"dst_port", "column 9: here a value of dst_port was expected; exists(dst_port) asks whether there is any"},
           {"dst_port and proto tcp",
            "column 10: here a value of dst_port was expected; exists(dst_port) asks whether there is any"},
           {"proto tcp and", "column 14: here a condition was expected, such as dst_port = 443"},
           {"= 3", "column 1: here the name of a field was expected, not \"=\""},
           {"user_name = \"ada", "column 13: the quote that begins here does not close"},
           {"src_addr > 10.0.0.1", "column 10: src_addr has no order; =, != and in can be asked"},
           {"src_addr = 10.0.0.0/33", "column 12: \"10.0.0.0/33\" is no address or prefix, such as 192.0.2.0/24"},
           {"as_path = 1",
            "column 9: as_path cannot be compared as a whole; contains, matches, first, origin, length, or "
            "exists(as_path) can be asked"},
           {"std_comm 1:2",
            "column 10: std_comm cannot be compared as a whole; contains, matches, or exists(std_comm) can be asked"},
           {"src_host_coords > 1",
            "column 17: src_coords cannot be compared as a whole; exists(src_coords) can be asked"},
           {"as_path contains 4294967296",
            "column 18: 4294967296 is more than as_path contains can be: it has 32 bits"},
           {"as_path contains (1, x",
            "column 22: \"x\" is no whole number that fits, which as_path contains is compared with"},
           {"as_path not first 1",
            "column 9: as_path cannot be compared as a whole; contains, matches, first, origin, length, or "
            "exists(as_path) can be asked"},
           {"as_path length > 70000", "column 18: 70000 is more than as_path length can be: it has 16 bits"},
           {"as_path length",
            "column 15: here a value of as_path length was expected; exists(as_path) asks whether there is any"},
           {"std_comm contains 65536:1",
            "column 19: \"65536:1\" is no community, such as 64496:100, 64496:* or no-export"},
           {"std_comm contains 1:5-3", "column 19: \"1:5-3\" is no community, such as 64496:100, 64496:* or no-export"},
           {"lrg_comm contains 1:2",
            "column 19: \"1:2\" is no large community, such as 4200000000:1:2 or 4200000000:1:*"},
           {"ext_comm contains 1:2",
            "column 19: \"1:2\" is no extended community, such as rt:64496:100, soo:192.0.2.1:* or 0x030b000000000064"},
           {"as_path matches", "column 16: here a pattern was expected, such as \"_64496_\" in quotes"},
           {"as_path matches '_64a_'", "column 21: no such text has a \"a\""},
           {"as_path matches '\\_6a'", "column 21: no such text has a \"a\""},
           {"as_path matches (64496)", "column 17: here a pattern was expected, such as \"_64496_\" in quotes"},
           {"as_path matches '(64496'", "column 18: this parenthesis is never closed; [(] stands for the character"},
           {"as_path matches '64496)'", "column 23: this parenthesis was never opened; [)] stands for the character"},
           {"as_path matches '[0-9'", "column 18: this bracket is never closed; [[] stands for the character"},
           {"as_path matches '[9-0]'", "column 21: this range ends before it begins"},
           {"as_path matches '*'", "column 18: here is nothing that \"*\" could repeat"},
           {"as_path matches '1**'", "column 20: one of * + ? is enough"},
           {"as_path matches '1{2}'",
            "column 19: write [{] for the brace of a set; numbers of repetitions are not known"},
           {"as_path matches ''", "column 18: an empty pattern fits everything; exists() asks whether there is any"},
           {"dst_port has syn", "column 14: \"has\" asks for TCP flags, which dst_port is not"},
           {"tcp_flags has sny", "column 15: no TCP flag is called \"sny\"; did you mean syn?"},
           {"port != 53", "column 6: after \"port\" a value was expected; \"not port VALUE\" is its contrary"},
           {"start_time > yesterday",
            "column 14: \"yesterday\" is no time from 1678 to 2261, such as \"2026-01-31 12:00:00\" or "
            "2026-01-31T12:00:00Z"},
           {"start_time & 3", "column 14: start_time has no bits to ask for"},
           {"bytes > 1.5", "column 9: \"1.5\" is no whole number that fits, which bytes is compared with"},
           {"bytes = 99999999999999999999",
            "column 9: \"99999999999999999999\" is no whole number that fits, which bytes is compared with"},
           {"proto tcp | proto udp", "column 11: here \"and\", \"or\" or the end was expected, not \"|\""},
       }) {
    EXPECT_EQ(Passing(c.text), std::string("filter, ") + c.error) << c.text;
    FilterError error;
    EXPECT_FALSE(Filter::Parse(c.text, {}, &error).ok());
    EXPECT_GT(error.column, 0u);
    EXPECT_TRUE(absl::string_view(c.error).find(error.message) != absl::string_view::npos);
  }
}

// AS numbers of a path's segments, RFC 4271, 4.3: {{2, {64496, 64497}}, {1, {64498}}}.
using Segments = std::vector<std::pair<uint8_t, std::vector<uint32_t>>>;
base::OctetWriter Path(const Segments& segments) {
  base::OctetWriter path;
  for (const auto& [type, numbers] : segments) {
    path.U8(type).U8(static_cast<uint8_t>(numbers.size()));
    for (uint32_t number : numbers) path.U32(number);
  }
  return path;
}

class RouteFilterTest : public ::testing::Test {
 protected:
  RouteFilterTest() : layout_(record::Layout::All()), batch_(&layout_, &interner_) {
    AddPath({{2, {64496, 64500, 64501}}});                         // 0
    AddPath({{2, {64500}}});                                       // 1
    AddPath({{2, {64496, 64500}}, {1, {64510, 64511}}});           // 2: ends in a set
    AddPath({{3, {65001, 65002}}, {2, {64497, 64497, 6450}}});     // 3: through a confederation
    AddPath({});                                                   // 4: of the own AS
    batch_.Append();                                               // 5: none
    batch_.Append().Set<F::kAsPath>(base::Interner::kOverflowId);  // 6: lost
    auto row = batch_.Append();                                    // 7: damaged after the first
    base::OctetWriter damaged = Path({{2, {64496}}});
    row.Set<F::kAsPath>(interner_.Intern(damaged.U8(2).U8(200).U32(64500).octets()));
  }

  void AddPath(const Segments& segments) { batch_.Append().Set<F::kAsPath>(interner_.Intern(Path(segments).octets())); }
  std::string Passing(absl::string_view text) {
    const absl::StatusOr<Filter> filter = Filter::Parse(text);
    if (!filter.ok()) return std::string(filter.status().message());
    BoundFilter bound = filter->Bind(layout_);
    Selection selection, again;
    bound.Apply(batch_, &selection);
    bound.Apply(batch_, &again);  // from memory
    EXPECT_EQ(selection, again) << text;
    return absl::StrJoin(selection, " ");
  }

  base::Interner interner_;
  record::Layout layout_;
  record::FlowBatch batch_;
};

TEST_F(RouteFilterTest, AsPaths) {
  struct Case {
    const char* text;
    const char* rows;
  };
  for (const Case& c : std::vector<Case>{
           {"as_path contains 64500", "0 1 2"},
           {"as_path contains (64511, 6450)", "2 3"},
           {"as_path contains 64510-64519", "2"},
           {"as_path contains 65002", "3"},
           {"as_path not contains 64500", "3 4 7"},
           {"not as_path contains 64500", "3 4 5 6 7"},
           {"as_path first 64496", "0 2 7"},
           {"as_path first = 64497", "3"},
           {"as_path first != 64496", "1 3"},
           {"as_path first in (64496-64499)", "0 2 3 7"},
           {"as_path first not in (64496, 64497)", "1"},
           {"as_path origin 64501", "0"},
           {"as_path origin 64500", "1"},
           {"as_path origin 64511", ""},
           {"as_path origin != 64500", "0 3 7"},
           {"as_path origin >= 64500", "0 1"},
           {"as_path length 3", "0 2 3"},
           {"as_path length < 2", "1 4 7"},
           {"as_path length = 0", "4"},
           {"as_path length > 100", ""},
           {"exists(as_path)", "0 1 2 3 4 6 7"},
           {"bgp_next_hop = 192.0.2.1 or src_as_path contains 1", ""},
           // As routers have them.
           {"as_path matches _64500_", "0 1 2"},
           {"as_path matches '64500'", "0 1 2"},
           {"as_path matches '_6450_'", "3"},
           {"as_path matches '6450'", "0 1 2 3"},
           {"as_path matches '^64496_64500_.*$'", "0 2"},
           {"as_path matches '^64496_'", "0 2 7"},
           {"as_path matches '_64501$'", "0"},
           {"as_path matches '^$'", "4"},
           {"as_path matches '^[0-9]+$'", "1"},
           {"as_path matches '^[0-9]+_[0-9]+_[0-9]+$'", "0"},
           {"as_path matches '_(64510|64501)_'", "0 2"},
           {"as_path matches '_(64497_)+6450$'", "3"},
           {"as_path matches '_64497_64497_'", "3"},
           {"as_path matches '[{].*[}]'", "2"},
           {"as_path matches '^[(]'", "3"},
           {"as_path matches '^\\\\('", "3"},
           {"as_path matches '^6449[67]_6450?0'", "0 2"},
           {"as_path matches '_645.1_'", "0 2"},
           {"as_path matches '64[^5]'", "0 2 3 7"},
           {"as_path matches '^(64496_)?64500'", "0 1 2"},
           {"as_path matches '?'", "here is nothing"},
           {"as_path matches '[?]'", "7"},
           {"as_path not matches '64500'", "3 4 7"},
       }) {
    if (absl::StartsWith(c.rows, "here")) {
      EXPECT_TRUE(absl::StrContains(Passing(c.text), c.rows)) << c.text;
    } else {
      EXPECT_EQ(Passing(c.text), c.rows) << c.text;
    }
  }
}

TEST_F(RouteFilterTest, CommunitiesAndLabels) {
  batch_.Clear();
  const auto add = [&](const base::OctetWriter& standard, const base::OctetWriter& extended,
                       const base::OctetWriter& large) {
    auto row = batch_.Append();
    row.Set<F::kStdComm>(interner_.Intern(standard.octets()));
    row.Set<F::kExtComm>(interner_.Intern(extended.octets()));
    row.Set<F::kLrgComm>(interner_.Intern(large.octets()));
  };
  using W = base::OctetWriter;
  // 0: 64496:100 64500:666; rt:64496:100 of 2 octets; 4200000000:1:2
  add(W().U32(64496u << 16 | 100).U32(64500u << 16 | 666), W().U16(0x0002).U16(64496).U32(100),
      W().U32(4200000000u).U32(1).U32(2));
  // 1: no-export; soo:192.0.2.1:7; 4200000000:1:3 64496:5:6
  add(W().U32(0xffffff01), W().U16(0x0103).U32(0xc0000201).U16(7),
      W().U32(4200000000u).U32(1).U32(3).U32(64496).U32(5).U32(6));
  // 2: none; rt:64496:100 of 4 octets, and what is not transitive; none. One is cut.
  add(W().U16(64496), W().U16(0x0202).U32(64496).U16(100).U16(0x4002).U16(64496).U32(200), W().U32(1));
  batch_.Append();                // 3
  auto labels = batch_.Append();  // 4
  labels.Set<F::kMplsLabelStack>(interner_.Intern(W().U24(100 << 4).U24(200 << 4 | 1).octets()));
  struct Case {
    const char* text;
    const char* rows;
  };
  for (const Case& c : std::vector<Case>{
           {"std_comm contains 64496:100", "0"},
           {"std_comm contains 64496:*", "0"},
           {"std_comm contains *:666", "0"},
           {"std_comm contains *:*", "0 1"},
           {"std_comm contains 64500:600-700", "0"},
           {"std_comm contains 64500-64510:*", "0"},
           {"std_comm contains no-export", "1"},
           {"std_comm contains (NO-EXPORT, 1:1, 64500:666)", "0 1"},
           {"std_comm contains 64496:100 and std_comm contains 64500:666", "0"},
           {"std_comm contains 64496:666", ""},
           {"std_comm not contains 64496:100", "1 2"},
           {"comms contains 64496:100", "0"},
           {"std_comm matches '_64496:1.._'", "0"},
           {"std_comm matches '^64500:'", ""},
           {"ext_comm contains rt:64496:100", "0 2"},
           {"ext_comm contains RT:64496:*", "0 2"},
           {"ext_comm contains rt:64496:200", ""},
           {"ext_comm contains soo:192.0.2.1:7", "1"},
           {"ext_comm contains soo:*:*", "1"},
           {"ext_comm contains soo:3221225985:7", ""},
           {"ext_comm contains 0x0103c00002010007", "1"},
           {"ext_comm contains 0x4002fbf0000000c8", "2"},
           {"ext_comm matches 'rt:64496:'", "0 2"},
           {"lrg_comm contains 4200000000:1:2", "0"},
           {"lrg_comm contains 4200000000:*:*", "0 1"},
           {"lrg_comm contains (64496:5:6)", "1"},
           {"lrg_comm matches '_64496:5:6$'", "1"},
           {"mpls_label_stack contains 200", "4"},
           {"mpls_label_stack contains (1, 50-150)", "4"},
           {"mpls_label_stack contains 300", ""},
           {"exists(std_comm)", "0 1 2"},
       }) {
    EXPECT_EQ(Passing(c.text), c.rows) << c.text;
  }
}

TEST_F(RouteFilterTest, WhatIsRememberedIsOfOneInterner) {
  const auto filter = Filter::Parse("as_path contains 64500");
  BoundFilter bound = filter->Bind(layout_);
  Selection selection;
  bound.Apply(batch_, &selection);
  EXPECT_EQ(selection, (Selection{0, 1, 2}));
  for (uint32_t number : {1u, 64500u, 2u}) {  // ids that mean something else each time, at addresses that come again
    base::Interner interner;
    record::FlowBatch batch(&layout_, &interner);
    batch.Append().Set<F::kAsPath>(interner.Intern(Path({{2, {number}}}).octets()));
    bound.Apply(batch, &selection);
    EXPECT_EQ(selection.size(), number == 64500 ? 1u : 0u);
  }
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  bound.Apply(batch_, &selection);
  const testing::AllocationCounter counter;
  bound.Apply(batch_, &selection);
  EXPECT_EQ(counter.allocations(), 0);
}

// Against matching by hand-written backtracking on small random patterns and texts.
bool SlowMatch(absl::string_view pattern, absl::string_view text, size_t at) {
  if (pattern.empty()) return true;
  const auto one = [&](char p, size_t i) { return i < text.size() && (p == '.' || p == text[i]); };
  const char p = pattern[0];
  if (pattern.size() > 1 && (pattern[1] == '*' || pattern[1] == '?')) {
    const absl::string_view rest = pattern.substr(2);
    if (SlowMatch(rest, text, at)) return true;
    if (!one(p, at)) return false;
    return pattern[1] == '*' ? SlowMatch(pattern, text, at + 1) : SlowMatch(rest, text, at + 1);
  }
  if (p == '^') return at == 0 && SlowMatch(pattern.substr(1), text, at);
  if (p == '$') return at == text.size() && SlowMatch(pattern.substr(1), text, at);
  return one(p, at) && SlowMatch(pattern.substr(1), text, at + 1);
}

TEST(RoutePattern, EqualsTheSlowTwin) {
  std::mt19937 random(3);
  RoutePattern::Scratch scratch;
  int matched = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string pattern, text;
    for (uint32_t n = 1 + random() % 5; n > 0; --n) {
      pattern += "12.^$"[random() % 5];
      if (pattern.back() != '^' && pattern.back() != '$') pattern += std::string(random() % 3 / 2, "*?"[random() % 2]);
    }
    for (uint32_t n = random() % 6; n > 0; --n) text += "12"[random() % 2];
    RoutePattern parsed;
    size_t at = 0;
    ASSERT_EQ(RoutePattern::Parse(pattern, "12", &parsed, &at), "") << pattern;
    bool expected = false;
    for (size_t from = 0; from <= text.size(); ++from) expected |= SlowMatch(pattern, text, from);
    EXPECT_EQ(parsed.Matches(text, &scratch), expected) << pattern << " in " << text;
    matched += expected ? 1 : 0;
  }
  EXPECT_GT(matched, 5000);
}

TEST(RoutePattern, NoPatternTakesLong) {
  RoutePattern pattern;
  size_t at = 0;
  // What makes a backtracking matcher try 2^n ways; and the largest pattern on a long text.
  ASSERT_EQ(RoutePattern::Parse("((1*)*1*)*((1?)(1?))*2$", "12", &pattern, &at), "");
  RoutePattern::Scratch scratch;
  const std::string ones(50000, '1');
  EXPECT_FALSE(pattern.Matches(ones, &scratch));
  EXPECT_TRUE(pattern.Matches(ones + "2", &scratch));
  std::string longest;
  while (longest.size() + 2 <= RoutePattern::kMaxOctets - 1) longest += "_*";
  ASSERT_EQ(RoutePattern::Parse(longest + "2", "12", &pattern, &at), "");
  EXPECT_FALSE(pattern.Matches(std::string(1000, '1'), &scratch));
  EXPECT_NE(RoutePattern::Parse(longest + "222", "12", &pattern, &at), "");
  EXPECT_EQ(RoutePattern::Parse(std::string(40, '(') + "1" + std::string(40, ')'), "1", &pattern, &at),
            "nested deeper than 32 parentheses");
}

TEST_F(FilterTest, DepthAndLengthAreBounded) {
  const std::string deep = std::string(40, '(') + "proto tcp" + std::string(40, ')');
  EXPECT_EQ(Passing(deep), "filter, column 33: nested deeper than 32 levels of parentheses and \"not\"");
  FilterOptions options;
  options.max_depth = 1000;  // cut to what the compiled filter can hold
  EXPECT_FALSE(Filter::Parse(std::string(500, '!') + "proto tcp", options).ok());
  options.max_octets = 5;
  EXPECT_EQ(Filter::Parse("proto tcp", options).status().message(),
            "filter, column 6: longer than 5 octets; a networks file holds many prefixes");
  // The deepest that is allowed, with pairs everywhere, fits the stack of masks.
  options = {};
  options.max_depth = 1000;
  std::string text = "port 53";
  for (int i = 0; i < 60; ++i) text = "proto tcp or proto tcp and (" + text + ")";
  const auto filter = Filter::Parse(text, options);
  ASSERT_TRUE(filter.ok()) << filter.status();
  Selection selection;
  filter->Bind(layout_).Apply(batch_, &selection);
  EXPECT_EQ(selection, (Selection{0}));
}

TEST_F(FilterTest, FieldsAreComparedWithFields) {
  EXPECT_EQ(Passing("src_addr = field(dst_addr)"), "");
  EXPECT_EQ(Passing("src_addr != field(dst_addr)"), "0 1");
  EXPECT_EQ(Passing("src_addr = field(src_addr)"), "0 1");
  EXPECT_EQ(Passing("not src_addr = field(dst_addr)"), "0 1 2");
  EXPECT_EQ(Passing("src_as = field(dst_as)"), "") << "an absent field is like no other";
  EXPECT_EQ(Passing("dst_port = field(bytes)"), "") << "numbers of any size";
  EXPECT_EQ(Passing("user_name = field(user_name)"), "0 1");
  EXPECT_EQ(Passing("bytes != field(dst_port) and proto udp"), "1");
  EXPECT_EQ(Passing("src_addr = field(bytes)"),
            "filter, column 18: src_addr is of type address, bytes of type u64: they cannot be compared");
  EXPECT_EQ(Passing("src_addr = field(dst_add)"),
            "filter, column 18: no field is called \"dst_add\"; did you mean dst_addr or dst_as?");
  EXPECT_EQ(Passing("src_addr = field(dst_addr"), "filter, column 26: here \")\" was expected, as in field(src_as)");
  EXPECT_EQ(Passing("as_path first = field(src_as)"),
            "filter, column 17: only a whole field can be compared with another");
  EXPECT_EQ(Passing("user_name = field"), "") << "a text";
  const auto filter = Filter::Parse("exporter = field(next_hop)");
  EXPECT_EQ(std::vector<F>(filter->fields().begin(), filter->fields().end()),
            (std::vector<F>{F::kExporter, F::kNextHop}));
}

TEST_F(FilterTest, AConfigurationHasNamesOfItsOwn) {
  record::FieldNames names;
  ASSERT_TRUE(names.Add("window", F::kCustom1).ok());
  FilterOptions options;
  options.names = &names;
  const auto filter = Filter::Parse("window > 1000 and src_as 1", options);
  ASSERT_TRUE(filter.ok()) << filter.status();
  EXPECT_EQ(std::vector<F>(filter->fields().begin(), filter->fields().end()), (std::vector<F>{F::kCustom1, F::kSrcAs}));
  EXPECT_EQ(Filter::Parse("windo = 1", options).status().message(),
            "filter, column 1: no field is called \"windo\"; did you mean window?");
}

TEST_F(FilterTest, FieldsAreNamedOnceAndMissingOnesAreAbsent) {
  const auto filter = Filter::Parse("port 1 or dst_port 443 or proto tcp");
  EXPECT_EQ(std::vector<F>(filter->fields().begin(), filter->fields().end()),
            (std::vector<F>{F::kSrcPort, F::kDstPort, F::kProtocol}));
  const record::Layout layout({F::kDstPort});
  record::FlowBatch batch(&layout, &interner_);
  batch.Append().Set<F::kDstPort>(443);
  batch.Append().Set<F::kDstPort>(80);
  Selection selection;
  filter->Bind(layout).Apply(batch, &selection);
  EXPECT_EQ(selection, (Selection{0}));
}

TEST(Filter, ManyRowsWithoutAllocation) {
  const record::Layout layout({F::kDstPort, F::kProtocol, F::kSrcAddr});
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  std::mt19937 random(5);
  Selection expected;
  for (uint32_t i = 0; i < 1000; ++i) {
    auto row = batch.Append();
    const uint16_t port = static_cast<uint16_t>(random() % 100);
    const bool tcp = random() % 2 == 0;
    if (tcp) row.Set<F::kProtocol>(6);
    row.Set<F::kDstPort>(port);
    row.Set<F::kSrcAddr>(base::IpAddress::V4(random()));
    const bool low = row.Get<F::kSrcAddr>().v4() < 0x80000000;
    if ((tcp && port >= 20 && port <= 70) || !low) expected.push_back(i);
  }
  const auto filter = Filter::Parse("proto tcp and dst_port in 20-70 or not src_addr in 0.0.0.0/1");
  ASSERT_TRUE(filter.ok());
  BoundFilter bound = filter->Bind(layout);
  Selection selection;
  bound.Apply(batch, &selection);
  EXPECT_EQ(selection, expected);
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const testing::AllocationCounter counter;
  bound.Apply(batch, &selection);
  EXPECT_EQ(counter.allocations(), 0);
}

}  // namespace
}  // namespace flowacct::filter
