#include "flowacct/aggregate/filter.h"

#include <gtest/gtest.h>

#include <random>

#include "flowacct/testing/allocation_counter.h"

namespace flowacct::aggregate {
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
    auto dns = batch_.Append();  // 1
    dns.Set<F::kSrcAddr>(Address("198.51.100.7"));
    dns.Set<F::kDstAddr>(Address("192.0.2.1"));
    dns.Set<F::kProtocol>(17);
    dns.Set<F::kSrcPort>(53);
    dns.Set<F::kDstPort>(1500);
    dns.Set<F::kBytes>(80);
    dns.Set<F::kUserName>(interner_.Intern("bob"));
    dns.Set<F::kMplsVpnRd>(uint64_t{65000} << 32 | 7);
    batch_.Append();  // 2: nothing is known
  }

  // "0 2", or the error.
  std::string Passing(absl::string_view text) {
    const absl::StatusOr<Filter> filter = Filter::Parse(text);
    if (!filter.ok()) return std::string(filter.status().message());
    Selection selection;
    filter->Bind(layout_).Apply(batch_, &selection);
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
           {"start_time < 2026-02-01", "0"},
           {"etype ipv6", "0"},
           {"mpls_vpn_rd = 65000:7", "1"},
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
           {"as_path = 1", "column 9: as_path cannot be compared; exists(as_path) can be asked"},
           {"dst_port has syn", "column 14: \"has\" asks for TCP flags, which dst_port is not"},
           {"tcp_flags has sny", "column 15: no TCP flag is called \"sny\"; did you mean syn?"},
           {"port != 53", "column 6: after \"port\" a value was expected; \"not port VALUE\" is its contrary"},
           {"start_time > yesterday",
            "column 14: \"yesterday\" is no time from 1970 on, such as \"2026-01-31 12:00:00\" or "
            "2026-01-31T12:00:00Z"},
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
  const BoundFilter bound = filter->Bind(layout);
  Selection selection;
  bound.Apply(batch, &selection);
  EXPECT_EQ(selection, expected);
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const testing::AllocationCounter counter;
  bound.Apply(batch, &selection);
  EXPECT_EQ(counter.allocations(), 0);
}

}  // namespace
}  // namespace flowacct::aggregate
