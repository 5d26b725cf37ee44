#include "flowacct/enrich/routes/routes_enricher.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/bgp/as_path.h"
#include "flowacct/filter/filter.h"
#include "flowacct/filter/route.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/value_text.h"
#include "flowacct/rpki/published_vrps.h"
#include "flowacct/rpki/vrp.h"
#include "flowacct/rpki/vrp_table.h"
#include "gtest/gtest.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using base::IpAddress;
using base::IpPrefix;
using rib::RouteOrigin;

IpAddress A(absl::string_view text) { return *IpAddress::Parse(text); }
IpPrefix P(absl::string_view text) { return *IpPrefix::Parse(text); }

// A route as a person writes it.
struct Attributes {
  std::vector<uint32_t> path;
  std::string next_hop = "203.0.113.1";
  std::optional<uint32_t> local_pref = {};
  std::optional<uint32_t> med = {};
  std::vector<uint32_t> communities = {};
  uint8_t origin = 0;
  bgp::AsSegmentType last = bgp::AsSegmentType::kSequence;  // of a second segment, with the last AS alone
};

// As bgp/attribute_set.h has it.
std::string Octets(const Attributes& a) {
  base::OctetWriter w;
  w.U8(1).U16(1).U8(a.origin);
  if (a.path.empty()) {
    w.U8(2).U16(0);
  } else if (a.last != bgp::AsSegmentType::kSequence) {
    const size_t n = a.path.size() - 1;
    w.U8(2).U16(static_cast<uint16_t>((n == 0 ? 0 : 2 + 4 * n) + 6));
    if (n > 0) w.U8(2).U8(static_cast<uint8_t>(n));
    for (size_t i = 0; i < n; ++i) w.U32(a.path[i]);
    w.U8(static_cast<uint8_t>(a.last)).U8(1).U32(a.path.back());
  } else {
    w.U8(2).U16(static_cast<uint16_t>(2 + 4 * a.path.size())).U8(2).U8(static_cast<uint8_t>(a.path.size()));
    for (uint32_t as : a.path) w.U32(as);
  }
  const IpAddress next_hop = A(a.next_hop);
  if (next_hop.IsV4()) {
    w.U8(3).U16(4).U32(next_hop.v4());
  } else {
    w.U8(3).U16(16).Bytes(base::Octets(next_hop.data(), 16));
  }
  if (a.med) w.U8(4).U16(4).U32(*a.med);
  if (a.local_pref) w.U8(5).U16(4).U32(*a.local_pref);
  if (!a.communities.empty()) {
    w.U8(8).U16(static_cast<uint16_t>(4 * a.communities.size()));
    for (uint32_t community : a.communities) w.U32(community);
  }
  return std::string(base::AsText(w.octets()));
}

class RoutesEnricherTest : public ::testing::Test {
 protected:
  rib::TableId Table(absl::string_view peer, uint64_t rd = 0) {
    rib::PeerKey key;
    key.address = A(peer);
    const auto id = rib_.AddPeer(key);
    return *rib_.AddTable(*id, rd);
  }
  void Announce(rib::TableId table, absl::string_view prefix, const Attributes& attributes, uint32_t path_id = 0) {
    const std::string octets = Octets(attributes);
    const rib::AttributeSetId id = rib_.Intern(base::AsOctets(octets));
    rib::Announcement route;
    route.prefix = P(prefix);
    route.path_id = path_id;
    rib_.Announce(table, route, id);
    rib_.Release(id);
  }
  void Publish() { published_.Publish(std::move(builder_).Build()); }

  void Make(const std::vector<F>& wanted, RoutesOptions options = {}) {
    enricher_ = std::make_unique<RoutesEnricher>(RouteTables{&epochs_, &rib_, &published_}, std::move(options));
    const record::FieldSet set(wanted);
    std::vector<F> fields = wanted;
    for (F field : enricher_->RequiredFields(set)) fields.push_back(field);
    layout_ = std::make_unique<record::Layout>(fields);
    batch_ = std::make_unique<record::FlowBatch>(layout_.get(), &interner_);
    enricher_->Bind(*layout_, set);
  }
  record::MutableRow Flow(absl::string_view exporter, absl::string_view source, absl::string_view destination) {
    record::MutableRow row = batch_->Append();
    row.Set<F::kExporter>(A(exporter));
    row.Set<F::kSrcAddr>(A(source));
    row.Set<F::kDstAddr>(A(destination));
    return row;
  }
  // "dst_as=64500 as_path=..." of the fields that are there, without what a flow is made of.
  std::string Told(size_t row) {
    std::string told;
    for (F field : layout_->fields()) {
      if (field == F::kExporter || field == F::kSrcAddr || field == F::kDstAddr || !batch_->row(row).Has(field))
        continue;
      absl::StrAppend(&told, told.empty() ? "" : " ", record::Info(field).name, "=");
      record::AppendText(record::Info(field).type, batch_->row(row).octets() + layout_->offset(field), interner_,
                         &told);
    }
    return told;
  }
  uint64_t Counter(absl::string_view name) {
    for (const EnricherCounter& counter : enricher_->counters()) {
      if (counter.name == name) return counter.value;
    }
    return UINT64_MAX;
  }

  lpm::ReaderEpochs epochs_;
  rib::Rib rib_{&epochs_};
  rib::PublishedDirectory published_{&epochs_};
  rib::TableDirectoryBuilder builder_;
  base::Interner interner_;
  std::unique_ptr<record::Layout> layout_;
  std::unique_ptr<record::FlowBatch> batch_;
  std::unique_ptr<RoutesEnricher> enricher_;
};

TEST_F(RoutesEnricherTest, EachFieldOfBothSides) {
  const rib::TableId table = Table("192.0.2.1");
  Announce(table, "10.0.0.0/8", {{64500, 64501, 64502}, "203.0.113.7", 120, 30, {0xfde80001, 0xfde80002}, 2});
  Announce(table, "2001:db8::/32", {{65000}, "2001:db8:ffff::1", {}, {}, {}, 0});
  builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kSession);
  Publish();
  Make({F::kDstAs,     F::kPeerDstAs,  F::kAsPath,        F::kStdComm,      F::kLocalPref,   F::kMed,
        F::kBgpOrigin, F::kBgpNextHop, F::kDstNet,        F::kDstMask,      F::kRouteSource, F::kSrcAs,
        F::kPeerSrcAs, F::kSrcAsPath,  F::kSrcStdComm,    F::kSrcLocalPref, F::kSrcMed,      F::kSrcBgpOrigin,
        F::kSrcNet,    F::kSrcMask,    F::kSrcRouteSource});
  Flow("192.0.2.1", "2001:db8::5", "10.1.2.3");
  Flow("192.0.2.1", "10.255.255.255", "2001:db8:1::1");
  Flow("192.0.2.1", "11.0.0.0", "2001:db9::1");
  Flow("192.0.2.9", "10.0.0.1", "10.0.0.1");  // nobody answers for it
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0),
            "dst_as=64502 peer_dst_as=64500 as_path=64500 64501 64502 std_comm=65000:1 65000:2 local_pref=120 med=30 "
            "bgp_origin=incomplete bgp_next_hop=203.0.113.7 dst_net=10.0.0.0/8 dst_mask=8 route_source=bgp "
            "src_as=65000 peer_src_as=65000 src_as_path=65000 src_bgp_origin=igp src_net=2001:db8::/32 src_mask=32 "
            "src_route_source=bgp");
  EXPECT_EQ(Told(1),
            "dst_as=65000 peer_dst_as=65000 as_path=65000 bgp_origin=igp bgp_next_hop=2001:db8:ffff::1 "
            "dst_net=2001:db8::/32 dst_mask=32 route_source=bgp src_as=64502 peer_src_as=64500 "
            "src_as_path=64500 64501 64502 src_std_comm=65000:1 65000:2 src_local_pref=120 src_med=30 "
            "src_bgp_origin=incomplete src_net=10.0.0.0/8 src_mask=8 src_route_source=bgp");
  EXPECT_EQ(Told(2), "");
  EXPECT_EQ(Told(3), "");
  EXPECT_EQ(Counter("addresses"), 8u);
  EXPECT_EQ(Counter("addresses_without_route"), 4u);
  EXPECT_EQ(Counter("addresses_without_table"), 2u);
  EXPECT_EQ(Counter("routes_of_session"), 4u);
}

TEST_F(RoutesEnricherTest, WhoAnswersInOrder) {
  const rib::TableId own = Table("192.0.2.1"), loc_rib = Table("192.0.2.2"), reflector = Table("192.0.2.3");
  Announce(own, "10.1.0.0/16", {{1}});
  Announce(loc_rib, "10.0.0.0/8", {{2}});
  Announce(loc_rib, "10.1.0.0/16", {{3}});
  Announce(reflector, "0.0.0.0/0", {{4}});
  builder_.AddForAll(0, reflector, RouteOrigin::kReflector);
  builder_.Add(A("198.51.100.1"), 0, loc_rib, RouteOrigin::kLocRib);
  builder_.Add(A("198.51.100.1"), 0, own, RouteOrigin::kSession);
  Publish();
  Make({F::kDstAs, F::kRouteSource});
  Flow("198.51.100.1", "::", "10.1.0.1");
  Flow("198.51.100.1", "::", "10.2.0.1");
  Flow("198.51.100.1", "::", "172.16.0.1");
  Flow("198.51.100.2", "::", "10.1.0.1");  // an exporter without a session
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "dst_as=1 route_source=bgp");
  EXPECT_EQ(Told(1), "dst_as=2 route_source=bmp_loc_rib");
  EXPECT_EQ(Told(2), "dst_as=4 route_source=bgp_reflector");
  EXPECT_EQ(Told(3), "dst_as=4 route_source=bgp_reflector");
  // The session is gone: what stands in for it answers from the next batch on.
  rib_.PeerDown(*rib_.FindPeer({A("192.0.2.1"), 0, 0, 0}), rib::Rib::Stale::kDrop);
  batch_->Clear();
  Flow("198.51.100.1", "::", "10.1.0.1");
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "dst_as=3 route_source=bmp_loc_rib");
}

TEST_F(RoutesEnricherTest, AVrfHasATableOfItsOwn) {
  const rib::TableId global = Table("192.0.2.1"), red = Table("192.0.2.1", 0x0000fde800000001);
  Announce(global, "10.0.0.0/8", {{1}});
  Announce(red, "10.0.0.0/8", {{2}});
  builder_.Add(A("192.0.2.1"), 0, global, RouteOrigin::kSession);
  builder_.Add(A("192.0.2.1"), 0x0000fde800000001, red, RouteOrigin::kSession);
  Publish();
  Make({F::kDstAs});
  Flow("192.0.2.1", "::", "10.0.0.1");
  Flow("192.0.2.1", "::", "10.0.0.1").Set<F::kMplsVpnRd>(0x0000fde800000001);
  Flow("192.0.2.1", "::", "10.0.0.1").Set<F::kMplsVpnRd>(7);
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "dst_as=1");
  EXPECT_EQ(Told(1), "dst_as=2 mpls_vpn_rd=65000:1");
  EXPECT_EQ(Told(2), "mpls_vpn_rd=0:7");
}

TEST_F(RoutesEnricherTest, TheFlowsNextHopChoosesAmongPaths) {
  const rib::TableId table = Table("192.0.2.1");
  Announce(table, "10.0.0.0/8", {{1, 9}, "203.0.113.1"}, 1);
  Announce(table, "10.0.0.0/8", {{2, 8, 9}, "203.0.113.2"}, 2);
  builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kSession);
  Publish();
  Make({F::kAsPath, F::kBgpNextHop, F::kSrcAsPath});
  Flow("192.0.2.1", "10.0.0.2", "10.0.0.1");
  Flow("192.0.2.1", "10.0.0.2", "10.0.0.1").Set<F::kBgpNextHop>(A("203.0.113.2"));
  Flow("192.0.2.1", "10.0.0.2", "10.0.0.1").Set<F::kBgpNextHop>(A("203.0.113.3"));  // told by none: the best path
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "as_path=1 9 bgp_next_hop=203.0.113.1 src_as_path=1 9");
  EXPECT_EQ(Told(1), "as_path=2 8 9 bgp_next_hop=203.0.113.2 src_as_path=1 9");
  EXPECT_EQ(Told(2), "as_path=1 9 bgp_next_hop=203.0.113.1 src_as_path=1 9");
}

TEST_F(RoutesEnricherTest, PoliciesForWhatTheExporterTold) {
  const rib::TableId table = Table("192.0.2.1");
  Announce(table, "10.0.0.0/16", {{1}});
  builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kSession);
  Publish();
  const auto with = [&](RoutesPolicy policy) {
    RoutesOptions options;
    options.policy = policy;
    Make({F::kDstAs, F::kDstMask}, options);
    Flow("192.0.2.1", "::", "10.0.0.1").Set<F::kDstAs>(7);
    Flow("192.0.2.1", "::", "10.0.0.1").Set<F::kDstAs>(7);
    batch_->row(0).Set<F::kDstMask>(8);
    batch_->row(1).Set<F::kDstMask>(24);
    Flow("192.0.2.1", "::", "10.0.0.1").Set<F::kDstAs>(7);
    batch_->row(2).Set<F::kDstMask>(16);
    enricher_->Apply(*batch_);
    return absl::StrCat(Told(0), ", ", Told(1), ", ", Told(2));
  };
  EXPECT_EQ(with(RoutesPolicy::kReplace), "dst_as=1 dst_mask=16, dst_as=1 dst_mask=16, dst_as=1 dst_mask=16");
  EXPECT_EQ(with(RoutesPolicy::kFill), "dst_as=7 dst_mask=8, dst_as=7 dst_mask=24, dst_as=7 dst_mask=16");
  EXPECT_EQ(with(RoutesPolicy::kLongest), "dst_as=1 dst_mask=16, dst_as=7 dst_mask=24, dst_as=1 dst_mask=16");
}

TEST_F(RoutesEnricherTest, DefaultsAndOwnRoutersAreFollowed) {
  const rib::TableId edge = Table("192.0.2.1"), core = Table("192.0.2.2"), exit = Table("192.0.2.3");
  Announce(edge, "0.0.0.0/0", {{}, "192.0.2.2"});
  Announce(core, "10.0.0.0/8", {{1}, "192.0.2.3"});
  Announce(exit, "10.0.0.0/8", {{1}, "203.0.113.9"});
  Announce(exit, "172.16.0.0/12", {{2}, "192.0.2.2"});  // a loop, with that of the core
  Announce(core, "172.16.0.0/12", {{2}, "192.0.2.3"});
  for (const auto& [address, table] :
       {std::make_pair("192.0.2.1", edge), std::make_pair("192.0.2.2", core), std::make_pair("192.0.2.3", exit)}) {
    builder_.Add(A(address), 0, table, RouteOrigin::kSession);
  }
  Publish();
  RoutesOptions options;
  Make({F::kDstAs, F::kBgpNextHop, F::kDstMask}, options);
  Flow("192.0.2.1", "::", "10.0.0.1");
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "bgp_next_hop=192.0.2.2 dst_mask=0");
  options.follow_default = 1;
  Make({F::kDstAs, F::kBgpNextHop, F::kDstMask}, options);
  Flow("192.0.2.1", "::", "10.0.0.1");
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "dst_as=1 bgp_next_hop=192.0.2.3 dst_mask=8");
  options.follow_next_hop = {P("192.0.2.0/24")};
  Make({F::kDstAs, F::kBgpNextHop, F::kDstMask}, options);
  Flow("192.0.2.1", "::", "10.0.0.1");
  Flow("192.0.2.1", "::", "172.16.0.1");
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "dst_as=1 bgp_next_hop=203.0.113.9 dst_mask=8");
  EXPECT_EQ(Counter("routes_followed"), 2u + 20u) << "a loop ends";
}

TEST_F(RoutesEnricherTest, PathsAreCutAndPrivateNumbersSkipped) {
  const rib::TableId table = Table("192.0.2.1");
  Announce(table, "10.0.0.0/8", {{64512, 1, 2, 3, 65534}});
  Announce(table, "11.0.0.0/8", {{4200000000}});
  builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kSession);
  Publish();
  RoutesOptions options;
  options.values.as_path_radius = 2;
  options.values.skip_private_as = true;
  Make({F::kAsPath, F::kDstAs, F::kPeerDstAs}, options);
  Flow("192.0.2.1", "::", "10.0.0.1");
  Flow("192.0.2.1", "::", "11.0.0.1");
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "as_path=64512 1 dst_as=3 peer_dst_as=1");
  EXPECT_EQ(Told(1), "as_path=4200000000");
}

TEST_F(RoutesEnricherTest, AskedForNothingItAsksForNothing) {
  Make({F::kSrcPort});
  EXPECT_TRUE(enricher_->RequiredFields(record::FieldSet({F::kSrcPort, F::kTag})).empty());
  EXPECT_EQ(layout_->size(), 1u);
}

// Another interner, as the pipeline takes one when names of the past are forgotten.
TEST_F(RoutesEnricherTest, IdsAreOfTheBatchsInterner) {
  const rib::TableId table = Table("192.0.2.1");
  Announce(table, "10.0.0.0/8", {{1, 2}});
  builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kSession);
  Publish();
  Make({F::kAsPath});
  Flow("192.0.2.1", "::", "10.0.0.1");
  enricher_->Apply(*batch_);
  base::Interner other;
  other.Intern("something else");
  record::FlowBatch batch(layout_.get(), &other);
  record::MutableRow row = batch.Append();
  row.Set<F::kExporter>(A("192.0.2.1"));
  row.Set<F::kDstAddr>(A("10.0.0.1"));
  enricher_->Apply(batch);
  EXPECT_EQ(base::AsText(other.Find(row.Get<F::kAsPath>())),
            base::AsText(interner_.Find(batch_->row(0).Get<F::kAsPath>())));
}

std::shared_ptr<rpki::PublishedVrps> Published(std::vector<rpki::Vrp> vrps) {
  auto published = std::make_shared<rpki::PublishedVrps>();
  published->Publish(std::make_shared<const rpki::VrpTable>(std::move(vrps)));
  return published;
}

TEST_F(RoutesEnricherTest, RoutesAreValidated) {
  const rib::TableId table = Table("192.0.2.1"), unknown = Table("192.0.2.2");
  Announce(table, "10.0.0.0/8", {{1, 2}});
  Announce(table, "10.1.0.0/16", {{1, 9}});
  Announce(table, "10.2.0.0/24", {{1, 2}});  // longer than may be
  Announce(table, "11.0.0.0/8", {{1, 2}});
  Announce(table, "2001:db8::/32", {{1, 2}, "2001:db8::1"});
  Attributes set;
  set.path = {1, 2};
  set.last = bgp::AsSegmentType::kSet;
  Announce(table, "10.3.0.0/16", set);
  set.last = bgp::AsSegmentType::kConfedSequence;
  Announce(table, "10.4.0.0/16", set);
  Announce(table, "10.5.0.0/16", {{}});
  Announce(unknown, "10.5.0.0/16", {{}});
  Announce(unknown, "11.5.0.0/16", {{}});
  rib::TableSource source;
  source.own_as = 2;
  builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kSession, builder_.AddSource(source));
  builder_.Add(A("192.0.2.2"), 0, unknown, RouteOrigin::kSession);
  Publish();
  RoutesOptions options;
  options.vrps = Published({{P("10.0.0.0/8"), 16, 2}, {P("2001:db8::/32"), 32, 2}});
  struct Case {
    const char *exporter, *address, *state;
  };
  const std::vector<Case> cases = {
      {"192.0.2.1", "10.0.0.1", "valid"},     {"192.0.2.1", "10.1.0.1", "invalid"},
      {"192.0.2.1", "10.2.0.1", "invalid"},   {"192.0.2.1", "11.0.0.1", "not_found"},
      {"192.0.2.1", "2001:db8::7", "valid"},  {"192.0.2.1", "10.3.0.1", "invalid"},  // ends in a set: NONE
      {"192.0.2.1", "10.4.0.1", "valid"},                                            // of one's own confederation
      {"192.0.2.1", "10.5.0.1", "valid"},                                            // one's own
      {"192.0.2.2", "10.5.0.1", "invalid"},                                          // whose is not known
      {"192.0.2.2", "11.5.0.1", "not_found"}, {"192.0.2.1", "172.16.0.1", ""},       // no route
  };
  // Whatever else is told of the routes.
  for (const bool skip_private_as : {false, true}) {
    options.values.skip_private_as = skip_private_as;
    Make({F::kSrcRoa, F::kDstRoa}, options);
    for (const Case& c : cases) Flow(c.exporter, c.address, "172.16.0.1");
    for (const Case& c : cases) Flow(c.exporter, "172.16.0.1", c.address);
    enricher_->Apply(*batch_);
    for (size_t i = 0; i < cases.size(); ++i) {
      const std::string state = cases[i].state;
      EXPECT_EQ(Told(i), state.empty() ? "" : "src_roa=" + state) << cases[i].address;
      EXPECT_EQ(Told(cases.size() + i), state.empty() ? "" : "dst_roa=" + state) << cases[i].address;
    }
    EXPECT_EQ(Counter("routes_rov_valid"), 8u);
    EXPECT_EQ(Counter("routes_rov_invalid"), 8u);
    EXPECT_EQ(Counter("routes_rov_not_found"), 4u);
    EXPECT_EQ(Counter("routes_not_validated"), 0u);
  }
}

TEST_F(RoutesEnricherTest, ValidationFollowsTheTableThatIsPublishedAndThePolicy) {
  const rib::TableId table = Table("192.0.2.1");
  Announce(table, "10.0.0.0/8", {{1, 64512}});  // a private AS, which is the origin all the same
  builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kSession);
  Publish();
  RoutesOptions options;
  const auto published = std::make_shared<rpki::PublishedVrps>();
  options.vrps = published;
  options.values.skip_private_as = true;
  options.policy = RoutesPolicy::kFill;
  Make({F::kDstRoa, F::kDstAs}, options);
  const auto told = [&] {
    batch_->Clear();
    Flow("192.0.2.1", "::", "10.0.0.1");
    Flow("192.0.2.1", "::", "10.0.0.1").Set<F::kDstRoa>(static_cast<uint8_t>(record::RoaState::kInvalid));
    enricher_->Apply(*batch_);
    return absl::StrCat(Told(0), ", ", Told(1));
  };
  EXPECT_EQ(told(), "dst_as=1, dst_roa=invalid dst_as=1");
  EXPECT_EQ(Counter("routes_not_validated"), 1u);
  published->Publish(std::make_shared<const rpki::VrpTable>());
  EXPECT_EQ(told(), "dst_roa=not_found dst_as=1, dst_roa=invalid dst_as=1");
  published->Publish(std::make_shared<const rpki::VrpTable>(std::vector<rpki::Vrp>{{P("10.0.0.0/8"), 8, 64512}}));
  EXPECT_EQ(told(), "dst_roa=valid dst_as=1, dst_roa=invalid dst_as=1");
  published->Publish(nullptr);
  EXPECT_EQ(told(), "dst_as=1, dst_roa=invalid dst_as=1");
}

TEST_F(RoutesEnricherTest, WithoutVrpsNobodyIsAskedForStates) {
  Make({F::kDstRoa, F::kSrcPort});
  EXPECT_TRUE(enricher_->RequiredFields(record::FieldSet({F::kSrcPort, F::kDstRoa})).empty());
  for (const EnricherCounter& counter : enricher_->counters()) {
    EXPECT_EQ(counter.name.find("rov"), absl::string_view::npos);
  }
}

// Against a scan over all VRPs, while they and the routes change.
TEST_F(RoutesEnricherTest, ValidatesAsATwinThatScans) {
  std::mt19937 random(13);
  const auto below = [&random](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  const rib::TableId table = Table("192.0.2.1");
  constexpr uint32_t kOwn = 2;
  rib::TableSource source;
  source.own_as = kOwn;
  builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kSession, builder_.AddSource(source));
  Publish();
  const auto published = std::make_shared<rpki::PublishedVrps>();
  RoutesOptions options;
  options.vrps = published;
  Make({F::kDstRoa, F::kSrcRoa}, options);
  const auto address = [&] { return IpAddress::V4(0x0a000000 | below(1 << 6) << 16 | below(4) << 8 | below(4)); };
  const auto prefix = [&] { return IpPrefix(address(), static_cast<uint8_t>(8 + below(25))); };
  std::map<IpPrefix, uint32_t> routes;  // to the origin
  size_t states[3] = {};
  for (int round = 0; round < 60; ++round) {
    std::vector<rpki::Vrp> vrps;
    for (int i = 0; i < 40; ++i) {
      // None so short that it covers all.
      rpki::Vrp vrp{IpPrefix(address(), static_cast<uint8_t>(12 + below(21))), 0, below(4)};
      vrp.max_length = static_cast<uint8_t>(vrp.prefix.length() + below(33u - vrp.prefix.length()));
      vrps.push_back(vrp);
    }
    published->Publish(std::make_shared<const rpki::VrpTable>(vrps));
    for (int change = 0; change < 20; ++change) {
      const IpPrefix changed = prefix();
      const uint32_t as = below(4);
      routes[changed] = as == 0 ? kOwn : as;
      Announce(table, changed.ToString(), as == 0 ? Attributes{{}} : Attributes{{7, as}});
    }
    while (rib_.Reclaim(1000)) {
    }
    const auto scan = [&](const IpAddress& of) -> std::optional<record::RoaState> {
      const std::pair<const IpPrefix, uint32_t>* best = nullptr;
      for (const auto& route : routes) {
        if (route.first.Contains(of) && (best == nullptr || route.first.length() > best->first.length())) best = &route;
      }
      if (best == nullptr) return std::nullopt;
      record::RoaState state = record::RoaState::kNotFound;
      for (const rpki::Vrp& vrp : vrps) {
        if (vrp.prefix.length() > best->first.length() || !vrp.prefix.Contains(best->first.address())) continue;
        if (vrp.as == best->second && vrp.max_length >= best->first.length()) return record::RoaState::kValid;
        state = record::RoaState::kInvalid;
      }
      return state;
    };
    batch_->Clear();
    std::vector<std::pair<IpAddress, IpAddress>> flows;
    for (int i = 0; i < 150; ++i) {
      flows.emplace_back(address(), address());
      record::MutableRow row = batch_->Append();
      row.Set<F::kExporter>(A("192.0.2.1"));
      row.Set<F::kSrcAddr>(flows.back().first);
      row.Set<F::kDstAddr>(flows.back().second);
    }
    enricher_->Apply(*batch_);
    for (size_t i = 0; i < flows.size(); ++i) {
      const record::MutableRow row = batch_->row(i);
      const auto source = scan(flows[i].first), destination = scan(flows[i].second);
      ASSERT_EQ(row.Has(F::kSrcRoa), source.has_value());
      ASSERT_EQ(row.Has(F::kDstRoa), destination.has_value());
      if (source) {
        ASSERT_EQ(row.Get<F::kSrcRoa>(), static_cast<uint8_t>(*source));
      }
      if (!destination) continue;
      ++states[static_cast<size_t>(*destination)];
      ASSERT_EQ(row.Get<F::kDstRoa>(), static_cast<uint8_t>(*destination));
    }
  }
  for (const size_t count : states) EXPECT_GT(count, 100u);
}

// Against a scan over all routes, while they change.
TEST_F(RoutesEnricherTest, AsATwinThatScansAllRoutes) {
  std::mt19937 random(7);
  const auto below = [&random](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  std::vector<rib::TableId> tables;
  std::vector<std::map<IpPrefix, uint32_t>> twins(3);  // prefix to AS
  for (int i = 0; i < 3; ++i) {
    tables.push_back(Table(absl::StrCat("192.0.2.", i + 1)));
    builder_.Add(A(absl::StrCat("192.0.2.", i + 1)), 0, tables.back(), RouteOrigin::kSession);
  }
  Publish();
  Make({F::kDstAs, F::kDstMask, F::kSrcAs, F::kSrcMask});
  const auto address = [&] {
    if (below(4) != 0) return IpAddress::V4(0x0a000000 | below(1 << 12) << 8 | below(256));
    uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8, 0, static_cast<uint8_t>(below(16)), static_cast<uint8_t>(below(256))};
    octets[15] = static_cast<uint8_t>(below(4));
    return IpAddress::FromV6(octets);
  };
  size_t compared = 0, found = 0;
  for (int round = 0; round < 60; ++round) {
    for (int change = 0; change < 40; ++change) {
      const size_t t = below(3);
      const IpAddress base = address();
      const IpPrefix prefix(base, static_cast<uint8_t>(base.IsV4() ? below(33) : below(129)));
      if (below(3) == 0) {
        twins[t].erase(prefix);
        rib_.Withdraw(tables[t], prefix, 0);
      } else {
        const uint32_t as = 1 + below(50);
        twins[t][prefix] = as;
        Announce(tables[t], prefix.ToString(), {{as}});
      }
    }
    while (rib_.Reclaim(1000)) {
    }
    batch_->Clear();
    std::vector<std::pair<size_t, std::pair<IpAddress, IpAddress>>> flows;
    for (int i = 0; i < 200; ++i) {
      flows.push_back({below(3), {address(), address()}});
      record::MutableRow row = batch_->Append();
      row.Set<F::kExporter>(A(absl::StrCat("192.0.2.", flows.back().first + 1)));
      row.Set<F::kSrcAddr>(flows.back().second.first);
      row.Set<F::kDstAddr>(flows.back().second.second);
    }
    enricher_->Apply(*batch_);
    const auto longest = [&](size_t t, const IpAddress& a) {
      std::optional<std::pair<uint8_t, uint32_t>> best;
      for (const auto& [prefix, as] : twins[t]) {
        if (prefix.Contains(a) && (!best || prefix.length() >= best->first)) best = {prefix.length(), as};
      }
      return best;
    };
    for (size_t i = 0; i < flows.size(); ++i) {
      const record::MutableRow row = batch_->row(i);
      const auto source = longest(flows[i].first, flows[i].second.first);
      const auto destination = longest(flows[i].first, flows[i].second.second);
      ASSERT_EQ(row.Has(F::kSrcAs), source.has_value());
      ASSERT_EQ(row.Has(F::kDstAs), destination.has_value());
      ++compared;
      if (source) {
        ++found;
        ASSERT_EQ(row.Get<F::kSrcAs>(), source->second);
        ASSERT_EQ(row.Get<F::kSrcMask>(), source->first);
      }
      if (destination) {
        ASSERT_EQ(row.Get<F::kDstAs>(), destination->second);
        ASSERT_EQ(row.Get<F::kDstMask>(), destination->first);
      }
    }
  }
  EXPECT_EQ(compared, 12000u);
  EXPECT_GT(found, 6000u);
}

// By interface another peer's table; what has no route there goes on with the exporter's own.
TEST_F(RoutesEnricherTest, SelectedTablesAreAskedFirst) {
  const rib::TableId own = Table("192.0.2.1"), other = Table("192.0.2.2"), red = Table("192.0.2.3", 7);
  Announce(own, "10.0.0.0/8", {{1}});
  Announce(own, "0.0.0.0/0", {{9}});
  Announce(other, "10.1.0.0/16", {{2}});
  Announce(red, "10.0.0.0/8", {{3}});
  builder_.Add(A("192.0.2.1"), 0, own, RouteOrigin::kSession);
  builder_.AddSelected(0, 0, other, RouteOrigin::kMapped);
  builder_.AddSelected(1, 7, red, RouteOrigin::kMapped);
  Publish();
  RoutesOptions options;
  options.selectors = {{P("192.0.2.0/31"), *filter::Filter::Parse("in_if = 5"), std::nullopt},
                       {P("192.0.2.1"), *filter::Filter::Parse("in_if in 5-6 and dst_as = 64500"), 7}};
  Make({F::kDstAs, F::kRouteSource}, options);
  const auto flow = [&](absl::string_view exporter, absl::string_view destination, uint32_t in_if) {
    record::MutableRow row = Flow(exporter, "::", destination);
    row.Set<F::kInIf>(in_if);
    row.Set<F::kDstAs>(64500);  // what the exporter says: filters see it, also of records behind one that was joined
  };
  flow("192.0.2.1", "10.1.0.1", 5);
  flow("192.0.2.1", "10.2.0.1", 5);
  flow("192.0.2.1", "10.1.0.1", 6);
  flow("192.0.2.1", "11.1.0.1", 6);  // in VRF 7 nobody else answers
  flow("192.0.2.1", "10.1.0.1", 4);
  flow("192.0.2.2", "10.1.0.1", 5);     // another exporter
  Flow("192.0.2.1", "::", "10.1.0.1");  // no interface is told
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "dst_as=2 route_source=bgp_mapped in_if=5");
  EXPECT_EQ(Told(1), "dst_as=1 route_source=bgp in_if=5");
  EXPECT_EQ(Told(2), "dst_as=3 route_source=bgp_mapped in_if=6");
  EXPECT_EQ(Told(3), "dst_as=64500 in_if=6");
  EXPECT_EQ(Told(4), "dst_as=1 route_source=bgp in_if=4");
  EXPECT_EQ(Told(5), "dst_as=64500 in_if=5");
  EXPECT_EQ(Told(6), "dst_as=1 route_source=bgp");
}

// Against a scan over all selectors of each record.
TEST_F(RoutesEnricherTest, SelectsAsATwinThatScans) {
  std::mt19937 random(19);
  const auto below = [&random](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  // Each table tells its own number; table 0 is each exporter's own.
  constexpr uint64_t kRds[] = {0, 7};
  constexpr size_t kPeers = 6;
  rib::TableId tables[kPeers][2];
  for (size_t p = 0; p < kPeers; ++p) {
    for (size_t r = 0; r < 2; ++r) {
      rib::PeerKey key;
      key.address = IpAddress::V4(static_cast<uint32_t>(0xc0000201 + p));
      const auto known = rib_.FindPeer(key);
      tables[p][r] = *rib_.AddTable(known ? *known : *rib_.AddPeer(key), kRds[r]);
      Announce(tables[p][r], "10.0.0.0/8", {{static_cast<uint32_t>(100 + 2 * p + r)}});
    }
  }
  struct Twin {
    IpPrefix exporters;
    std::pair<uint32_t, uint32_t> in_if, out_if;
    std::optional<uint64_t> rd;
    size_t peer;
  };
  size_t selected = 0, compared = 0;
  for (int round = 0; round < 40; ++round) {
    builder_ = rib::TableDirectoryBuilder();
    std::vector<Twin> twins;
    RoutesOptions options;
    const size_t n = below(9);
    for (size_t s = 0; s < n; ++s) {
      const auto range = [&] {
        const uint32_t first = below(6);
        return std::make_pair(first, first + below(4));
      };
      Twin twin = {IpPrefix(IpAddress::V4(0xc6336400 | below(8)), static_cast<uint8_t>(24 + below(9))), range(),
                   below(2) == 0 ? range() : std::make_pair(uint32_t{0}, UINT32_MAX),
                   below(3) == 0 ? std::optional<uint64_t>(kRds[below(2)]) : std::nullopt, 1 + below(kPeers - 1)};
      std::string where = absl::StrCat("in_if in ", twin.in_if.first, "-", twin.in_if.second);
      if (twin.out_if.second != UINT32_MAX) {
        absl::StrAppend(&where, " and out_if in ", twin.out_if.first, "-", twin.out_if.second);
      }
      options.selectors.push_back({twin.exporters, *filter::Filter::Parse(where), twin.rd});
      for (size_t r = 0; r < 2; ++r) {
        builder_.AddSelected(static_cast<uint32_t>(s), kRds[r], tables[twin.peer][r], RouteOrigin::kMapped);
      }
      twins.push_back(twin);
    }
    for (uint32_t e = 0; e < 8; ++e) {
      for (size_t r = 0; r < 2; ++r) {
        builder_.Add(IpAddress::V4(0xc6336400 | e), kRds[r], tables[0][r], RouteOrigin::kSession);
      }
    }
    Publish();
    Make({F::kDstAs, F::kSrcAs}, options);
    struct Record {
      uint32_t exporter, in_if, out_if;
      size_t rd;
    };
    std::vector<Record> records;
    Record record = {};
    for (int i = 0; i < 300; ++i) {
      if (i == 0 || below(40) == 0) record.exporter = 0xc6336400 | below(8);
      if (i == 0 || below(30) == 0) record.rd = below(2);
      if (i == 0 || below(3) == 0) record.in_if = below(8);
      if (i == 0 || below(3) == 0) record.out_if = below(8);
      records.push_back(record);
      record::MutableRow row = batch_->Append();
      row.Set<F::kExporter>(IpAddress::V4(record.exporter));
      row.Set<F::kSrcAddr>(A("10.0.0.1"));
      row.Set<F::kDstAddr>(A("10.0.0.2"));
      if (layout_->Has(F::kInIf)) row.Set<F::kInIf>(record.in_if);
      if (layout_->Has(F::kOutIf)) row.Set<F::kOutIf>(record.out_if);
      row.Set<F::kMplsVpnRd>(kRds[record.rd]);
    }
    enricher_->Apply(*batch_);
    for (size_t i = 0; i < records.size(); ++i) {
      const Record& r = records[i];
      uint32_t expected = static_cast<uint32_t>(100 + r.rd);
      for (const Twin& twin : twins) {
        if (!twin.exporters.Contains(IpAddress::V4(r.exporter)) || r.in_if < twin.in_if.first ||
            r.in_if > twin.in_if.second || r.out_if < twin.out_if.first || r.out_if > twin.out_if.second) {
          continue;
        }
        ++selected;
        expected = static_cast<uint32_t>(100 + 2 * twin.peer + (twin.rd ? (*twin.rd == 7 ? 1 : 0) : r.rd));
        break;
      }
      ASSERT_EQ(batch_->row(i).Get<F::kDstAs>(), expected) << round << " " << i;
      ASSERT_EQ(batch_->row(i).Get<F::kSrcAs>(), expected) << round << " " << i;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 12000u);
  EXPECT_GT(selected, 3000u);
  EXPECT_LT(selected, 9000u);
}

// Of communities those that are asked for; a customer's AS where the route has no path.
TEST_F(RoutesEnricherTest, CommunitiesByPatternAndTheAsThatTheyName) {
  const rib::TableId table = Table("192.0.2.1");
  Attributes with_path = {{65001, 65002}};
  with_path.communities = {64500u << 16 | 7, 64501u << 16 | 8, 64500u << 16 | 9};
  Attributes without = {{}};
  without.communities = {64501u << 16 | 8, 64999u << 16 | 65010};
  Announce(table, "10.0.0.0/8", with_path);
  Announce(table, "11.0.0.0/8", without);
  builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kSession);
  Publish();
  RoutesOptions options;
  ASSERT_EQ(filter::ParseCommunity(record::FieldType::kCommunities, "64500:*", &options.values.std_comm.emplace_back()),
            "");
  ASSERT_EQ(
      filter::ParseCommunity(record::FieldType::kCommunities, "64999:*", &options.values.as_of_std_comm.emplace_back()),
      "");
  Make({F::kDstAs, F::kPeerDstAs, F::kStdComm, F::kSrcAs, F::kPeerSrcAs}, options);
  Flow("192.0.2.1", "11.0.0.1", "10.0.0.1");
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "dst_as=65002 peer_dst_as=65001 std_comm=64500:7 64500:9 src_as=65010 peer_src_as=64999");
}

// A router's neighbours by BMP: as if all their routes were in one table, and chosen as a router chooses.
TEST_F(RoutesEnricherTest, TablesThatAnswerTogetherGiveTheBestOfAll) {
  struct Route {
    IpPrefix prefix;
    Attributes attributes;
    size_t neighbour;
  };
  std::mt19937 random(11);
  const auto below = [&random](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  constexpr size_t kNeighbours = 5;
  std::vector<Route> twin;
  const rib::TableId fallback = Table("192.0.2.200");
  Announce(fallback, "0.0.0.0/0", {{65000}});
  builder_.AddForAll(0, fallback, RouteOrigin::kReflector);
  for (size_t i = 0; i < kNeighbours; ++i) {
    const std::string address = absl::StrCat("198.51.100.", 10 - i);
    const rib::TableId table = Table(address);
    rib::TableSource source;
    source.path.bgp_identifier = static_cast<uint32_t>(100 - i);
    source.path.address = A(address);
    builder_.Add(A("192.0.2.1"), 0, table, RouteOrigin::kAdjRibIn, builder_.AddSource(source), 1);
    std::map<IpPrefix, bool> seen;
    for (int r = 0; r < 120; ++r) {
      const IpPrefix prefix(IpAddress::V4(0x0a000000 | below(64) << 16), static_cast<uint8_t>(11 + below(8)));
      if (!seen.emplace(prefix, true).second) continue;
      Attributes attributes;
      for (uint32_t hop = 0; hop <= below(3); ++hop) attributes.path.push_back(1000 * (i + 1) + hop);
      attributes.next_hop = absl::StrCat("203.0.113.", 1 + below(3));
      attributes.local_pref = 100 + below(2);
      attributes.origin = static_cast<uint8_t>(below(2));
      Announce(table, prefix.ToString(), attributes);
      twin.push_back({prefix, attributes, i});
    }
  }
  Publish();
  Make({F::kAsPath, F::kDstMask, F::kBgpNextHop, F::kRouteSource});
  std::vector<std::pair<IpAddress, IpAddress>> flows;
  for (int i = 0; i < 3000; ++i) {
    flows.emplace_back(IpAddress::V4(0x0a000000 | below(80) << 16 | below(65536)),
                       below(2) == 0 ? IpAddress() : A(absl::StrCat("203.0.113.", 1 + below(4))));
    record::MutableRow row = Flow("192.0.2.1", "::", flows.back().first.ToString());
    if (flows.back().second != IpAddress()) row.Set<F::kBgpNextHop>(flows.back().second);
  }
  enricher_->Apply(*batch_);
  size_t by_next_hop = 0, by_reflector = 0;
  for (size_t i = 0; i < flows.size(); ++i) {
    std::vector<const Route*> routes;
    for (const Route& route : twin) {
      if (!route.prefix.Contains(flows[i].first)) continue;
      if (!routes.empty() && route.prefix.length() < routes[0]->prefix.length()) continue;
      if (!routes.empty() && route.prefix.length() > routes[0]->prefix.length()) routes.clear();
      routes.push_back(&route);
    }
    const record::MutableRow row = batch_->row(i);
    if (routes.empty()) {
      ++by_reflector;
      ASSERT_EQ(row.Get<F::kRouteSource>(), static_cast<uint8_t>(record::RouteSource::kReflector));
      continue;
    }
    std::vector<const Route*> with_next_hop;
    for (const Route* route : routes) {
      if (A(route->attributes.next_hop) == flows[i].second) with_next_hop.push_back(route);
    }
    if (!with_next_hop.empty()) {
      by_next_hop += with_next_hop.size() < routes.size();
      routes = with_next_hop;
    }
    const Route* const best = *std::min_element(routes.begin(), routes.end(), [](const Route* a, const Route* b) {
      const auto rank = [](const Route* r) {
        return std::make_tuple(-static_cast<int>(*r->attributes.local_pref), r->attributes.path.size(),
                               r->attributes.origin, kNeighbours - r->neighbour);
      };
      return rank(a) < rank(b);
    });
    ASSERT_EQ(row.Get<F::kDstMask>(), best->prefix.length());
    ASSERT_EQ(row.Get<F::kRouteSource>(), static_cast<uint8_t>(record::RouteSource::kAdjRibIn));
    ASSERT_EQ(row.Get<F::kBgpNextHop>(), A(best->attributes.next_hop));
    std::string path;
    record::AppendText(record::FieldType::kAsPath, row.octets() + layout_->offset(F::kAsPath), interner_, &path);
    ASSERT_EQ(path, absl::StrJoin(best->attributes.path, " "));
  }
  EXPECT_GT(by_next_hop, 100u);
  EXPECT_GT(by_reflector, 100u);
}

// What is validated is the winner's own AS, also where both announce the same.
TEST_F(RoutesEnricherTest, TheOwnAsIsOfWhoAnswers) {
  const rib::TableId first = Table("198.51.100.1"), second = Table("198.51.100.2");
  rib::TableSource one, two;
  one.own_as = 1;
  one.path.bgp_identifier = 2;
  two.own_as = 2;
  two.path.bgp_identifier = 1;
  builder_.Add(A("192.0.2.1"), 0, first, RouteOrigin::kAdjRibIn, builder_.AddSource(one), 1);
  builder_.Add(A("192.0.2.1"), 0, second, RouteOrigin::kAdjRibIn, builder_.AddSource(two), 1);
  Announce(first, "10.0.0.0/8", {{}, "203.0.113.1"});
  Announce(second, "10.0.0.0/8", {{}, "203.0.113.2"});
  Publish();
  const auto published = std::make_shared<rpki::PublishedVrps>();
  published->Publish(std::make_shared<const rpki::VrpTable>(std::vector<rpki::Vrp>{{P("10.0.0.0/8"), 8, 2}}));
  RoutesOptions options;
  options.vrps = published;
  Make({F::kDstRoa, F::kBgpNextHop}, options);
  Flow("192.0.2.1", "::", "10.0.0.1");
  Flow("192.0.2.1", "::", "10.0.0.1").Set<F::kBgpNextHop>(A("203.0.113.1"));
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "dst_roa=valid bgp_next_hop=203.0.113.2");
  EXPECT_EQ(Told(1), "dst_roa=invalid bgp_next_hop=203.0.113.1");
}

// An exporter that is a peer of the file has its own routes; all others the best of the file.
TEST_F(RoutesEnricherTest, DumpsForAllComeBehindThePeersOwn) {
  const rib::TableId own = Table("192.0.2.1"), other = Table("192.0.2.2");
  Announce(own, "10.0.0.0/8", {{1, 2, 3}});
  Announce(other, "10.0.0.0/8", {{9}});
  Announce(other, "11.0.0.0/8", {{9}});
  builder_.Add(A("192.0.2.1"), 0, own, RouteOrigin::kDump, {}, 1);
  builder_.Add(A("192.0.2.2"), 0, other, RouteOrigin::kDump, {}, 1);
  builder_.AddForAll(0, own, RouteOrigin::kDump, {}, 2);
  builder_.AddForAll(0, other, RouteOrigin::kDump, {}, 2);
  Publish();
  Make({F::kDstAs});
  Flow("192.0.2.1", "::", "10.0.0.1");
  Flow("192.0.2.7", "::", "10.0.0.1");
  Flow("192.0.2.1", "::", "11.0.0.1");
  enricher_->Apply(*batch_);
  EXPECT_EQ(Told(0), "dst_as=3");
  EXPECT_EQ(Told(1), "dst_as=9");
  EXPECT_EQ(Told(2), "dst_as=9");
}

}  // namespace
}  // namespace flowacct::enrich
