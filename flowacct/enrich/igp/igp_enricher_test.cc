#include "flowacct/enrich/igp/igp_enricher.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/enrich/igp/testing/slow_igp.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/value_text.h"
#include "flowacct/testing/allocation_counter.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "flowacct/topology/testing/random_routing.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using topology::Advertisement;
using topology::LetterKey;
using Told = SlowIgp::Told;
using Record = SlowIgp::Record;

#ifdef FLOWACCT_SANITIZED
constexpr uint64_t kNetworks = 40;
#else
constexpr uint64_t kNetworks = 150;
#endif
constexpr int kRecords = 150;

base::IpAddress Ip(const char* text) { return *base::IpAddress::Parse(text); }
base::IpPrefix Net(const char* text) { return *base::IpPrefix::Parse(text); }

std::vector<F> AllTold() {
  std::vector<F> fields(std::begin(kIgpTold), std::end(kIgpTold));
  for (const F field : {F::kSrcNet, F::kSrcMask, F::kDstNet, F::kDstMask, F::kNextHop}) fields.push_back(field);
  return fields;
}

// An enricher with a layout and a batch for it.
class Joiner {
 public:
  Joiner(const Igp& igp, const IgpOptions& options, std::vector<F> wanted = AllTold())
      : wanted_(std::move(wanted)), enricher_(igp, options) {
    std::vector<F> fields = wanted_;
    for (const F field : enricher_.RequiredFields(record::FieldSet(wanted_))) fields.push_back(field);
    layout_ = std::make_unique<record::Layout>(fields);
    Meet(&own_interner_);
  }
  void Meet(base::Interner* interner) {
    interner_ = interner;
    batch_ = std::make_unique<record::FlowBatch>(layout_.get(), interner);
    enricher_.Bind(*layout_, record::FieldSet(wanted_));
  }
  void Add(const Record& record, std::optional<uint32_t> in_if = std::nullopt) {
    record::MutableRow row = batch_->Append();
    if (record.exporter) row.Set<F::kExporter>(*record.exporter);
    if (record.src) row.Set<F::kSrcAddr>(*record.src);
    if (record.dst) row.Set<F::kDstAddr>(*record.dst);
    if (record.next_hop) row.Set<F::kBgpNextHop>(*record.next_hop);
    if (record.src_mask) row.Set<F::kSrcMask>(*record.src_mask);
    if (record.dst_mask) row.Set<F::kDstMask>(*record.dst_mask);
    if (in_if) row.Set<F::kInIf>(*in_if);
  }
  void Apply() { enricher_.Apply(*batch_); }
  void Clear() { batch_->Clear(); }
  record::FlowBatch& batch() { return *batch_; }
  std::string Text(size_t i, F field) {
    std::string text;
    record::AppendText(std::as_const(*batch_).row(i), field, *interner_, &text);
    return text;
  }
  // All that is wanted and there.
  Told All(size_t i) {
    Told told;
    for (const F field : wanted_) {
      if (batch_->row(i).Has(field)) told[std::string(record::Info(field).name)] = Text(i, field);
    }
    return told;
  }
  // The only one of several records, joined.
  Told One(const Record& record, std::optional<uint32_t> in_if = std::nullopt) {
    Clear();
    Add(record, in_if);
    const auto before = Outcomes();
    Apply();
    Told told = All(0);
    for (const auto& [name, value] : Outcomes()) {
      if (value != before.at(name)) told["outcome"] += name;
    }
    return told;
  }
  std::map<std::string, uint64_t> Counters() {
    std::map<std::string, uint64_t> counters;
    for (const EnricherCounter& c : enricher_.counters()) counters[std::string(c.name)] = c.value;
    return counters;
  }
  std::map<std::string, uint64_t> Outcomes() {
    auto counters = Counters();
    counters.erase("records_by_next_hop");
    counters.erase("routes_made");
    return counters;
  }

 private:
  const std::vector<F> wanted_;
  base::Interner own_interner_;
  base::Interner* interner_ = nullptr;
  IgpEnricher enricher_;
  std::unique_ptr<record::Layout> layout_;
  std::unique_ptr<record::FlowBatch> batch_;
};

// A drawn network: routers are called by their letters, small for pseudonodes; A's router identifier is 192.0.2.1.
class IgpEnricherTest : public ::testing::Test {
 protected:
  IgpEnricherTest() : topology_(&epochs_) {}

  void Draw(absl::string_view picture, absl::string_view overloaded = "") {
    all_ = topology::Drawn(picture, overloaded);
    for (Advertisement& a : all_) {
      const char letter = topology::LetterOf(a.key.origin);
      if (letter < 'A' || letter > 'Z') continue;
      a.name = std::string(1, letter);
      a.router_id = base::IpAddress::V4(0xc0000200 + static_cast<uint32_t>(letter - 'A' + 1));
    }
  }
  Advertisement& Of(char letter) {
    for (Advertisement& a : all_) {
      if (a.key.origin == LetterKey(letter)) return a;
    }
    ADD_FAILURE() << letter;
    return all_[0];
  }
  void Advertise(char letter, const char* prefix, uint32_t metric = 0) {
    topology::AdvertisedPrefix advertised;
    advertised.prefix = Net(prefix);
    advertised.metric = metric;
    Of(letter).prefixes.push_back(advertised);
  }
  void Compute() {
    for (const Advertisement& a : all_) topology_.Apply(a, ++now_);
    topology_.Compute(++now_);
  }
  Igp TheIgp(std::shared_ptr<topology::WantedRouters> wanted = nullptr) {
    return {&epochs_, &topology_.reach(), topology_.published(), std::move(wanted)};
  }
  static Record To(const char* dst, const char* exporter = "192.0.2.1") {
    Record record;
    record.exporter = Ip(exporter);
    record.dst = Ip(dst);
    return record;
  }

  lpm::ReaderEpochs epochs_;
  topology::LiveTopology topology_;
  std::vector<Advertisement> all_;
  int64_t now_ = 0;
};

TEST_F(IgpEnricherTest, TellsTheWayThroughTheNetwork) {
  Draw(R"(
      A--1--B
      |     |
      2     3
      |     |
      C--2--D )");
  Advertise('D', "10.4.0.0/16", 5);
  Advertise('A', "10.1.0.0/16", 5);
  Compute();
  Joiner joiner(TheIgp(), {});
  Record record = To("10.4.1.2");
  record.src = Ip("10.1.9.9");
  const Told expected = {{"outcome", "records_joined"},
                         {"igp_src_net", "10.1.0.0/16"},
                         {"igp_src_mask", "16"},
                         {"igp_dst_net", "10.4.0.0/16"},
                         {"igp_dst_mask", "16"},
                         {"igp_level", "2"},
                         {"igp_route", "L2"},
                         {"igp_metric", "9"},
                         {"igp_src_router", "A"},
                         {"igp_src_router_id", topology::NodeText(topology::NodeStyle::kIsis, LetterKey('A'))},
                         {"igp_ingress", "A"},
                         {"igp_ingress_id", topology::NodeText(topology::NodeStyle::kIsis, LetterKey('A'))},
                         {"igp_egress", "D"},
                         {"igp_egress_id", topology::NodeText(topology::NodeStyle::kIsis, LetterKey('D'))},
                         {"igp_path", "A B D|A C D"},
                         {"igp_links", "A-B B-D|A-C C-D"},
                         {"igp_ecmp_ways", "2"},
                         {"igp_ecmp_shares", "50|50"},
                         {"igp_protection", "link_and_node"},
                         {"igp_alternate", "C|B"},
                         {"src_net", "10.1.0.0/16"},
                         {"src_mask", "16"},
                         {"dst_net", "10.4.0.0/16"},
                         {"dst_mask", "16"}};
  EXPECT_EQ(joiner.One(record), expected);
  EXPECT_EQ(joiner.One(To("10.1.0.1"))["igp_protection"], "local");
  EXPECT_EQ(joiner.One(To("10.1.0.1"))["outcome"], "records_local");
  EXPECT_EQ(joiner.One(To("10.1.0.1"))["igp_path"], "A");
  EXPECT_EQ(joiner.One(To("10.9.0.1"))["outcome"], "records_without_route");
  EXPECT_EQ(joiner.One(To("10.4.0.1", "192.0.2.99"))["outcome"], "records_without_router");
  Record nowhere;
  nowhere.exporter = Ip("192.0.2.1");
  EXPECT_EQ(joiner.One(nowhere)["outcome"], "records_without_address");
}

TEST_F(IgpEnricherTest, LansAreLinksButNoSteps) {
  Draw(R"(
      A--5--p--5--B
            |
            5
            |
            C--1--D )");
  Advertise('B', "10.2.0.0/16");
  Advertise('D', "10.4.0.0/16");
  Compute();
  Joiner joiner(TheIgp(), {});
  Told told = joiner.One(To("10.4.0.1"));
  EXPECT_EQ(told["igp_path"], "A C D");
  const std::string lan = topology::RouterDirectory(topology_.database().State()).Name(LetterKey('p'));
  EXPECT_EQ(told["igp_links"], absl::StrCat("A-", lan, " ", lan, "-C C-D"));
  EXPECT_EQ(told["igp_ecmp_ways"], "1");
  EXPECT_EQ(told["igp_protection"], "none");
  EXPECT_EQ(told.count("igp_alternate"), 0u);
}

TEST_F(IgpEnricherTest, RoutersDivideEvenlyOneByOne) {
  Draw(R"(
      A--1--B==1==D
      |           |
      1           0
      |           |
      C-----1-----E )");
  Advertise('D', "10.4.0.0/16", 1);
  Advertise('E', "10.4.0.0/16", 1);
  Compute();
  Joiner joiner(TheIgp(), {});
  Told told = joiner.One(To("10.4.0.1"));
  // Half to B, which has two links to D; traffic that comes to E is there.
  EXPECT_EQ(told["igp_egress"], "D|E");
  EXPECT_EQ(told["igp_path"], "A B D|A B D|A C E");
  EXPECT_EQ(told["igp_ecmp_shares"], "25|25|50");
  EXPECT_EQ(told["igp_ecmp_ways"], "3");
}

TEST_F(IgpEnricherTest, OnlySomeWaysAreTold) {
  Draw(R"(
      A==1==B==1==C==1==D==1==E )");
  Advertise('E', "10.5.0.0/16");
  Compute();
  IgpOptions options;
  options.max_ways = 3;
  Joiner joiner(TheIgp(), options);
  Told told = joiner.One(To("10.5.0.1"));
  EXPECT_EQ(told["igp_ecmp_ways"], "16");
  EXPECT_EQ(told["igp_ecmp_shares"], "6.25|6.25|6.25");
}

TEST_F(IgpEnricherTest, NextHopsOfBgpAreResolved) {
  Draw("A--1--B--1--C");
  Advertise('C', "192.0.2.3/32");
  Advertise('B', "10.2.0.0/16");
  Advertise('B', "0.0.0.0/0", 10);
  Compute();
  Joiner joiner(TheIgp(), {});
  const auto told = [&](const char* dst, const char* next_hop, std::optional<uint8_t> mask) {
    Record record = To(dst);
    record.next_hop = Ip(next_hop);
    record.dst_mask = mask;
    return joiner.One(record);
  };
  // The Internet, where the IGP has but a default route.
  EXPECT_EQ(told("198.51.100.1", "192.0.2.3", 24)["igp_egress"], "C");
  EXPECT_EQ(told("198.51.100.1", "192.0.2.3", 24)["igp_dst_net"], "0.0.0.0/0");
  EXPECT_EQ(told("198.51.100.1", "192.0.2.3", 24)["dst_mask"], "24");
  EXPECT_EQ(told("198.51.100.1", "192.0.2.3", std::nullopt)["igp_egress"], "C");
  EXPECT_EQ(told("198.51.100.1", "192.0.2.3", std::nullopt).count("dst_mask"), 0u);
  // The IGP's own, which is longer, and which is not.
  EXPECT_EQ(told("10.2.1.1", "192.0.2.3", 8)["igp_egress"], "B");
  EXPECT_EQ(told("10.2.1.1", "192.0.2.3", 8)["dst_mask"], "16");
  EXPECT_EQ(told("10.2.1.1", "192.0.2.3", 16)["igp_egress"], "C");
  // A next hop that is none.
  EXPECT_EQ(told("10.2.1.1", "0.0.0.0", 24)["igp_egress"], "B");
  // One that the default route alone leads to.
  EXPECT_EQ(told("198.51.100.1", "203.0.113.1", 24)["igp_egress"], "B");
  Of('B').prefixes.pop_back();
  Compute();
  EXPECT_EQ(told("198.51.100.1", "203.0.113.1", 24)["outcome"], "records_without_next_hop");
  EXPECT_EQ(joiner.Counters()["records_by_next_hop"], 8u);
}

TEST_F(IgpEnricherTest, ExportersAreRoutersByMapAddressOrPrefix) {
  Draw("A--1--B--1--C");
  Advertise('C', "10.3.0.0/16");
  Advertise('B', "203.0.113.2/32");
  Of('B').addresses.push_back(Ip("203.0.113.9"));
  Of('A').addresses.push_back(Ip("203.0.113.10"));
  Of('C').addresses.push_back(Ip("203.0.113.10"));
  Compute();
  const auto map = IgpExporters::Parse(
      "# who is who\n"
      "198.51.100.0/24, B\n"
      "198.51.100.7,c\n"
      "198.51.100.8,17,A\n"
      "198.51.100.9,nobody\n"
      "2001:db8::/32,192.0.2.1\n",
      "map");
  ASSERT_TRUE(map.ok()) << map.status();
  IgpOptions options;
  options.exporters = std::make_shared<const IgpExporters>(*map);
  Joiner joiner(TheIgp(), options);
  const auto ingress = [&](const char* exporter, std::optional<uint32_t> in_if = std::nullopt) {
    return joiner.One(To("10.3.0.1", exporter), in_if)["igp_ingress"];
  };
  EXPECT_EQ(ingress("192.0.2.3"), "C");
  EXPECT_EQ(ingress("203.0.113.9"), "B");
  EXPECT_EQ(ingress("203.0.113.2"), "B");
  EXPECT_EQ(ingress("203.0.113.10"), "");  // both A and C say so
  EXPECT_EQ(ingress("198.51.100.1"), "B");
  EXPECT_EQ(ingress("198.51.100.7"), "C");
  EXPECT_EQ(ingress("198.51.100.8"), "B");
  EXPECT_EQ(ingress("198.51.100.8", 17), "A");
  EXPECT_EQ(ingress("198.51.100.8", 18), "B");
  EXPECT_EQ(ingress("198.51.100.9"), "");
  EXPECT_EQ(ingress("2001:db8::1"), "A");
  // A router that comes to have an address.
  EXPECT_EQ(ingress("203.0.113.77"), "");
  Advertise('C', "203.0.113.77/32");
  topology_.Apply(Of('C'), ++now_);
  EXPECT_EQ(ingress("203.0.113.77"), "C");
}

TEST(IgpExporters, WrongLinesAreToldByNumber) {
  const std::pair<const char*, const char*> cases[] = {
      {"10.0.0.1", "m:1: \"10.0.0.1\" is neither EXPORTER,ROUTER nor EXPORTER,INTERFACE,ROUTER"},
      {"\nx,y", "m:2: \"x\" is no address or prefix of an exporter"},
      {"10.0.0.1,-1,r", "m:1: \"-1\" is no number of an interface"},
      {"10.0.0.1,", "m:1: no router behind the last comma"},
      {"10.0.0.1,a\n10.0.0.1,b", "m:2: 10.0.0.1 has a router already"},
      {"10.0.0.1,1,2,3", "m:1: \"10.0.0.1,1,2,3\" is neither EXPORTER,ROUTER nor EXPORTER,INTERFACE,ROUTER"}};
  for (const auto& [text, message] : cases) {
    EXPECT_EQ(IgpExporters::Parse(text, "m").status().message(), message) << text;
  }
}

TEST_F(IgpEnricherTest, NetworksAreFilledWhereTheRecordHasNoneOrAShorterOne) {
  Draw("A--1--B");
  Of('A').links[0].local_address = Ip("172.16.0.1");
  Of('A').links[0].remote_address = Ip("172.16.0.2");
  Of('B').links[0].local_address = Ip("172.16.0.2");
  Of('B').links[0].remote_address = Ip("172.16.0.1");
  Advertise('B', "10.2.0.0/16");
  Compute();
  IgpOptions off;
  off.fill_networks = false;
  for (const bool fills : {true, false}) {
    Joiner joiner(TheIgp(), fills ? IgpOptions() : off);
    Record record = To("10.2.1.1");
    Told told = joiner.One(record);
    EXPECT_EQ(told["dst_net"], fills ? "10.2.0.0/16" : "");
    EXPECT_EQ(told["next_hop"], fills ? "172.16.0.2" : "");
    record.dst_mask = 12;
    EXPECT_EQ(joiner.One(record)["dst_mask"], fills ? "16" : "12");
    record.dst_mask = 24;
    EXPECT_EQ(joiner.One(record)["dst_mask"], "24");
  }
}

TEST_F(IgpEnricherTest, WithoutPathsItAsksForThemAndGoesOn) {
  Draw("A--1--B");
  Advertise('B', "10.2.0.0/16");
  auto wanted = std::make_shared<topology::WantedRouters>();
  Joiner joiner(TheIgp(wanted), {});
  EXPECT_EQ(joiner.One(To("10.2.0.1"))["outcome"], "records_not_ready");
  Compute();
  EXPECT_EQ(joiner.One(To("10.2.0.1"))["outcome"], "records_not_ready");
  ASSERT_TRUE(wanted->pending());
  const auto taken = wanted->Take();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].router, LetterKey('A'));
  EXPECT_TRUE(taken[0].alternates);
  ASSERT_TRUE(topology_.Want(taken[0].router, taken[0].alternates));
  EXPECT_EQ(topology_.NextTime(), INT64_MIN);
  ASSERT_TRUE(topology_.Advance(++now_));
  Told told = joiner.One(To("10.2.0.1"));
  EXPECT_EQ(told["igp_path"], "A B");
  EXPECT_EQ(told.count("igp_protection"), 0u);  // comes one Advance later
  ASSERT_TRUE(topology_.Advance(++now_));
  EXPECT_EQ(joiner.One(To("10.2.0.1"))["igp_protection"], "none");
  EXPECT_FALSE(topology_.Advance(++now_));
  // A change of links brings new paths, and alternates later again.
  Of('A').links[0].metric = Of('B').links[0].metric = 7;
  Compute();
  told = joiner.One(To("10.2.0.1"));
  EXPECT_EQ(told["igp_metric"], "7");
  EXPECT_EQ(told.count("igp_protection"), 0u);
  ASSERT_TRUE(topology_.Advance(++now_));
  EXPECT_EQ(joiner.One(To("10.2.0.1"))["igp_protection"], "none");
}

TEST_F(IgpEnricherTest, AnotherInternerHasOtherTexts) {
  Draw("A--1--B");
  Advertise('B', "10.2.0.0/16");
  Compute();
  Joiner joiner(TheIgp(), {});
  joiner.One(To("10.2.0.1"));
  base::Interner other;
  other.Intern("something before");
  joiner.Meet(&other);
  Told told = joiner.One(To("10.2.0.1"));
  EXPECT_EQ(told["igp_path"], "A B");
  EXPECT_EQ(told["igp_egress"], "B");
  EXPECT_EQ(told["igp_ingress"], "A");
}

TEST_F(IgpEnricherTest, NothingIsAskedOfWhoWantsNothing) {
  Draw("A--1--B");
  Compute();
  IgpEnricher enricher(TheIgp(), {});
  EXPECT_TRUE(enricher.RequiredFields(record::FieldSet(std::vector<F>{F::kSrcAs})).empty());
  const std::vector<F> ingress = {F::kIgpIngress};
  EXPECT_FALSE(enricher.RequiredFields(record::FieldSet(ingress)).empty());
}

TEST_F(IgpEnricherTest, NothingIsAllocatedARecord) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  Draw(R"(
      A--1--B
      |     |
      2     3
      |     |
      C--2--D )");
  Advertise('D', "10.4.0.0/16", 5);
  Advertise('C', "10.3.0.0/16", 5);
  Compute();
  Joiner joiner(TheIgp(), {});
  const auto round = [&] {
    joiner.Clear();
    for (int i = 0; i < 500; ++i) {
      Record record = To(i % 3 == 0   ? "10.4.0.1"
                         : i % 3 == 1 ? "10.3.0.1"
                                      : "10.9.0.1",
                         i % 7 < 3 ? "192.0.2.1" : "192.0.2.2");
      record.src = record.dst;
      if (i % 5 == 0) record.next_hop = Ip("10.4.0.9");
      joiner.Add(record);
    }
    joiner.Apply();
  };
  round();
  ::flowacct::testing::AllocationCounter counter;
  for (int i = 0; i < 5; ++i) round();
  EXPECT_EQ(counter.allocations(), 0);
}

// Random networks of two levels that change, next to the slow twin.
TEST(IgpEnricherTwin, TellsWhatTheSlowTwinTells) {
  std::map<std::string, uint64_t> outcomes;
  uint64_t several = 0, many_ways = 0;
  for (uint64_t seed = 1; seed <= kNetworks; ++seed) {
    std::mt19937_64 random(seed);
    const auto share = [&](unsigned percent) { return random() % 100 < percent; };
    std::vector<Advertisement> all = topology::RandomRouting(seed, seed % 3 == 0);
    std::vector<base::IpAddress> routers;
    for (Advertisement& a : all) {
      if (a.key.fragment != 0 || topology::IsPseudonode(topology::NodeStyle::kIsis, a.key.origin)) continue;
      const auto number = static_cast<uint32_t>(a.key.origin.value >> 16);
      if (number % 3 == 0) a.name.clear();
      // Some by identifier, others by a prefix alone, by the address of others, or not at all.
      const base::IpAddress address = base::IpAddress::V4(0xc0000200 + number);
      topology::AdvertisedPrefix prefix;
      prefix.prefix = {address, 32};
      routers.push_back(address);
      if (number % 4 < 2) a.router_id = address;
      if (number % 4 > 0 && share(80)) a.prefixes.push_back(prefix);
      if (share(5)) a.addresses.push_back(base::IpAddress::V4(0xc0000200 + number + 1));
    }
    lpm::ReaderEpochs epochs;
    topology::LiveTopology live(&epochs);
    int64_t now = 0;
    for (const Advertisement& a : all) live.Apply(a, ++now);
    live.Compute(++now);
    Igp igp = {&epochs, &live.reach(), live.published(), nullptr};
    IgpOptions options;
    options.max_ways = 4;
    Joiner at_once(igp, options);
    igp.wanted = std::make_shared<topology::WantedRouters>();
    options.cache_entries = 16;  // they push one another out
    Joiner later(igp, options);
    const auto address = [&]() -> base::IpAddress {
      if (share(15)) return routers[random() % routers.size()];
      const uint32_t number = static_cast<uint32_t>(random() % 7);
      if (share(50))
        return base::IpAddress::V4(0x0a000001 + (number << 16) + (static_cast<uint32_t>(random() % 32) << 8));
      uint8_t octets[16] = {
          0x20, 0x01, 0x0d, 0xb8, 0, static_cast<uint8_t>(number), static_cast<uint8_t>(random() % 16)};
      return base::IpAddress::FromV6(octets);
    };
    for (int round = 0; round < 4; ++round) {
      if (round > 0) {
        for (int change = 0; change < 3; ++change) {
          Advertisement& a = all[random() % all.size()];
          if (share(20)) {
            live.Remove(a.key, ++now);
            continue;
          }
          if (!a.prefixes.empty() && share(50))
            a.prefixes.erase(a.prefixes.begin() + static_cast<long>(random() % a.prefixes.size()));
          if (!a.links.empty() && share(50))
            a.links[random() % a.links.size()].metric = 1 + static_cast<uint32_t>(random() % 4);
          live.Apply(a, ++now);
        }
        // Prefixes change at once, links when it is time.
        if (share(60)) live.Compute(++now);
      }
      std::vector<Record> records(kRecords);
      for (Record& record : records) {
        if (share(97)) record.exporter = share(95) ? routers[random() % routers.size()] : Ip("203.0.113.1");
        if (share(95)) record.src = address();
        if (share(95)) record.dst = address();
        if (share(30)) record.next_hop = share(10) ? base::IpAddress() : address();
        if (share(50)) record.src_mask = static_cast<uint8_t>(random() % 64);
        if (share(50)) record.dst_mask = static_cast<uint8_t>(random() % 64);
      }
      const auto join = [&](Joiner& joiner) {
        joiner.Clear();
        for (const Record& record : records) joiner.Add(record);
        joiner.Apply();
      };
      join(at_once);
      // One router after another is asked for, and made.
      for (int tries = 0; tries < 3; ++tries) {
        join(later);
        for (const topology::WantedRouter& w : igp.wanted->Take()) {
          ASSERT_TRUE(live.Want(w.router, w.alternates));
        }
        while (live.NextTime() == INT64_MIN) live.Advance(now);
      }
      const auto before = later.Outcomes();
      join(later);
      auto after = later.Outcomes();
      const auto snapshot = live.published()->Get();
      SlowIgp twin(snapshot.get(), &live.reach(), options.max_ways);
      std::map<std::string, uint64_t> expected_outcomes;
      for (size_t i = 0; i < records.size(); ++i) {
        Told expected = twin.Tell(records[i]);
        ++expected_outcomes[expected["outcome"]];
        expected.erase("outcome");
        // What the record said stays, if nothing better is told.
        if (records[i].src_mask) expected.emplace("src_mask", absl::StrCat(*records[i].src_mask));
        if (records[i].dst_mask) expected.emplace("dst_mask", absl::StrCat(*records[i].dst_mask));
        several += expected["igp_egress"].find('|') != std::string::npos;
        many_ways += expected["igp_ecmp_shares"].find('|') != std::string::npos;
        for (auto it = expected.begin(); it != expected.end();) it = it->second.empty() ? expected.erase(it) : ++it;
        for (Joiner* joiner : {&at_once, &later}) {
          Told told = joiner->All(i);
          told.erase("next_hop");
          ASSERT_EQ(told, expected) << "seed " << seed << " round " << round << " record " << i
                                    << (joiner == &later ? " later" : "");
        }
      }
      for (auto& [name, value] : after) {
        value -= before.at(name);
        ASSERT_EQ(value, expected_outcomes[name]) << name;
        outcomes[name] += value;
      }
    }
    uint64_t sum = 0;
    for (const auto& [name, value] : at_once.Outcomes()) sum += value;
    ASSERT_EQ(sum, 4u * kRecords);
  }
  for (const char* name : {"records_joined", "records_local", "records_without_route", "records_without_next_hop",
                           "records_without_router", "records_without_address"}) {
    EXPECT_GT(outcomes[name], 20u) << name;
  }
  EXPECT_GT(several, 100u);
  EXPECT_GT(many_ways, 1000u);
}

}  // namespace
}  // namespace flowacct::enrich
