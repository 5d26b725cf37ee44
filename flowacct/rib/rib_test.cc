#include "flowacct/rib/rib.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"
#include "flowacct/lpm/reader_epochs.h"

namespace flowacct::rib {
namespace {

base::IpPrefix Prefix(absl::string_view text) { return *base::IpPrefix::Parse(text); }
base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }

// In the form of bgp/attribute_set.h: next hop 192.0.2.`hop`, and a preference.
std::string Attributes(uint8_t hop, uint32_t local_pref) {
  std::vector<uint8_t> o = {1, 0, 1, 0, 2, 0, 0, 3, 0, 4, 192, 0, 2, hop, 5, 0, 4, 0, 0, 0, 0};
  base::StoreBe32(o.data() + o.size() - 4, local_pref);
  return std::string(o.begin(), o.end());
}
PeerKey Key(uint32_t n) { return {base::IpAddress::V4(0xc0000200 + n), n, 64496, 0}; }

class Fixture {
 public:
  explicit Fixture(RibOptions options = {}) : rib(&epochs, options), reader(&rib) {}

  Rib::Outcome Announce(TableId table, absl::string_view prefix, const std::string& attributes, uint32_t path_id = 0,
                        uint32_t label = Announcement::kNoLabel) {
    const AttributeSetId id = rib.Intern(base::AsOctets(attributes));
    const Rib::Outcome outcome = rib.Announce(table, {Prefix(prefix), path_id, label}, id);
    rib.Release(id);
    return outcome;
  }
  void ReclaimAll() {
    for (int i = 0; rib.Reclaim(3); ++i) ASSERT_LT(i, 1000000);
  }
  std::string Find(TableId table, absl::string_view address, absl::string_view next_hop = "::") {
    const base::IpAddress hop = Address(next_hop);
    const RouteView view = reader.Find(table, Address(address), &hop);
    if (!view.found()) return "none";
    return absl::StrCat("/", view.length, " hop ", view.octets[13], view.stale ? " stale" : "",
                        view.path_id != 0 ? absl::StrCat(" path ", view.path_id) : "",
                        view.label != Announcement::kNoLabel ? absl::StrCat(" label ", view.label) : "",
                        view.next_hop_matched ? " matched" : "");
  }
  void ExpectEmpty() {
    ReclaimAll();
    EXPECT_EQ(rib.paths(), 0u);
    EXPECT_EQ(rib.store().size(), 0u);
    EXPECT_EQ(rib.route_arena().used_octets(), 0u);
    EXPECT_EQ(rib.attribute_arena().used_octets(), 0u);
  }

  lpm::ReaderEpochs epochs;
  Rib rib;
  RibReader reader;
};

TEST(Rib, RoutesOfAPeerAndDistinguisherAreItsOwn) {
  Fixture f;
  const PeerId a = *f.rib.AddPeer(Key(1)), b = *f.rib.AddPeer(Key(2));
  EXPECT_NE(a, b);
  EXPECT_EQ(f.rib.AddPeer(Key(1)), a);
  EXPECT_EQ(f.rib.FindPeer(Key(3)), std::nullopt);
  const TableId a0 = *f.rib.AddTable(a, 0), a7 = *f.rib.AddTable(a, 7), b0 = *f.rib.AddTable(b, 0);
  EXPECT_EQ(f.rib.AddTable(a, 7), a7);
  EXPECT_EQ(f.rib.FindTable(b, 7), std::nullopt);
  EXPECT_EQ(f.Announce(a0, "192.0.2.0/24", Attributes(1, 100)), Rib::Outcome::kNew);
  EXPECT_EQ(f.Announce(a7, "192.0.2.0/25", Attributes(2, 100), 0, 16), Rib::Outcome::kNew);
  EXPECT_EQ(f.Announce(b0, "2001:db8::/32", Attributes(3, 100)), Rib::Outcome::kNew);
  EXPECT_EQ(f.Find(a0, "192.0.2.9"), "/24 hop 1");
  EXPECT_EQ(f.Find(a7, "192.0.2.9"), "/25 hop 2 label 16");
  EXPECT_EQ(f.Find(b0, "192.0.2.9"), "none");
  EXPECT_EQ(f.Find(b0, "2001:db8::1"), "/32 hop 3");
  EXPECT_EQ(f.Find(TableId{}, "192.0.2.9"), "none");
  EXPECT_EQ(f.Find(TableId{0xffffffff}, "192.0.2.9"), "none");
  EXPECT_EQ(f.Announce(a0, "192.0.2.0/24", Attributes(4, 100)), Rib::Outcome::kReplaced);
  EXPECT_EQ(f.Find(a0, "192.0.2.9"), "/24 hop 4");
  EXPECT_EQ(f.rib.store().size(), 3u);
  EXPECT_EQ(f.rib.Withdraw(a0, Prefix("192.0.2.0/25"), 0), Rib::Outcome::kUnknown);
  EXPECT_EQ(f.rib.Withdraw(a0, Prefix("192.0.2.0/24"), 1), Rib::Outcome::kUnknown);
  EXPECT_EQ(f.rib.Withdraw(a0, Prefix("192.0.2.0/24"), 0), Rib::Outcome::kWithdrawn);
  EXPECT_EQ(f.Find(a0, "192.0.2.9"), "none");
  const RouteCounters counters = f.rib.counters(a, false);
  EXPECT_EQ(counters.routes, 1u);
  EXPECT_EQ(counters.paths, 1u);
  EXPECT_EQ(counters.announcements, 3u);
  EXPECT_EQ(counters.replaced, 1u);
  EXPECT_EQ(counters.withdrawals, 3u);
  EXPECT_EQ(counters.unknown_withdrawals, 2u);
  f.rib.RemovePeer(a);
  EXPECT_EQ(f.Find(a7, "192.0.2.9"), "none");
  f.rib.RemovePeer(b);
  f.ExpectEmpty();
  // The places are used again; the old ids find nothing there.
  const PeerId c = *f.rib.AddPeer(Key(3));
  const TableId c0 = *f.rib.AddTable(c, 0);
  EXPECT_EQ(f.Announce(c0, "192.0.2.0/24", Attributes(9, 100)), Rib::Outcome::kNew);
  EXPECT_EQ(f.Find(c0, "192.0.2.9"), "/24 hop 9");
  for (const TableId old : {a0, a7, b0}) EXPECT_EQ(f.Find(old, "192.0.2.9"), "none");
}

TEST(Rib, OfSeveralPathsTheFlowsNextHopIsTakenElseTheBest) {
  Fixture f;
  const PeerId peer = *f.rib.AddPeer(Key(1));
  const TableId table = *f.rib.AddTable(peer, 0);
  f.Announce(table, "198.51.100.0/24", Attributes(1, 100), 11);
  f.Announce(table, "198.51.100.0/24", Attributes(2, 300), 12);
  f.Announce(table, "198.51.100.0/24", Attributes(3, 200), 13);
  EXPECT_EQ(f.Find(table, "198.51.100.1"), "/24 hop 2 path 12");
  EXPECT_EQ(f.Find(table, "198.51.100.1", "192.0.2.1"), "/24 hop 1 path 11 matched");
  EXPECT_EQ(f.Find(table, "198.51.100.1", "192.0.2.2"), "/24 hop 2 path 12 matched");
  EXPECT_EQ(f.Find(table, "198.51.100.1", "192.0.2.9"), "/24 hop 2 path 12");
  EXPECT_EQ(f.rib.Withdraw(table, Prefix("198.51.100.0/24"), 12), Rib::Outcome::kWithdrawn);
  EXPECT_EQ(f.Find(table, "198.51.100.1"), "/24 hop 3 path 13");
  EXPECT_EQ(f.Announce(table, "198.51.100.0/24", Attributes(1, 500), 11), Rib::Outcome::kReplaced);
  EXPECT_EQ(f.Find(table, "198.51.100.1"), "/24 hop 1 path 11");
  EXPECT_EQ(f.rib.counters(peer, false).routes, 1u);
  EXPECT_EQ(f.rib.counters(peer, false).paths, 2u);
  f.rib.PeerDown(peer, Rib::Stale::kDrop);
  f.ExpectEmpty();
}

TEST(Rib, BoundsRefuseWhatIsNewAndCountIt) {
  RibOptions options;
  options.max_peers = 1;
  options.max_tables = 1;
  options.max_paths_per_peer = 3;
  options.max_paths_per_prefix = 2;
  Fixture f(options);
  const PeerId peer = *f.rib.AddPeer(Key(1));
  EXPECT_FALSE(f.rib.AddPeer(Key(2)).has_value());
  EXPECT_EQ(f.rib.refused_peers(), 1u);
  const TableId table = *f.rib.AddTable(peer, 0);
  EXPECT_FALSE(f.rib.AddTable(peer, 1).has_value());
  EXPECT_EQ(f.rib.refused_tables(), 1u);
  EXPECT_EQ(f.Announce(table, "10.0.0.0/8", Attributes(1, 1), 1), Rib::Outcome::kNew);
  EXPECT_EQ(f.Announce(table, "10.0.0.0/8", Attributes(1, 1), 2), Rib::Outcome::kNew);
  EXPECT_EQ(f.Announce(table, "10.0.0.0/8", Attributes(1, 1), 3), Rib::Outcome::kRefused);
  EXPECT_EQ(f.Announce(table, "2001:db8::/32", Attributes(1, 1)), Rib::Outcome::kNew);
  EXPECT_EQ(f.Announce(table, "2001:db8::/33", Attributes(1, 1)), Rib::Outcome::kRefused);
  EXPECT_EQ(f.Announce(table, "2001:db8::/32", Attributes(2, 1)), Rib::Outcome::kReplaced);
  EXPECT_EQ(f.rib.counters(peer, false).refused, 1u);
  EXPECT_EQ(f.rib.counters(peer, true).refused, 1u);
  EXPECT_EQ(f.rib.Withdraw(table, Prefix("10.0.0.0/8"), 1), Rib::Outcome::kWithdrawn);
  EXPECT_EQ(f.Announce(table, "2001:db8::/33", Attributes(1, 1)), Rib::Outcome::kNew);
}

TEST(Rib, RoutesAreStaleAtOnceAndGoByEndOfRibOrByTheFourthRestartWithoutASweep) {
  Fixture f;
  const PeerId peer = *f.rib.AddPeer(Key(1));
  const TableId table = *f.rib.AddTable(peer, 0);
  f.Announce(table, "192.0.2.0/24", Attributes(1, 1));
  f.Announce(table, "198.51.100.0/24", Attributes(2, 1));
  f.Announce(table, "2001:db8::/32", Attributes(3, 1));
  f.rib.PeerDown(peer, Rib::Stale::kKeep);
  EXPECT_EQ(f.Find(table, "192.0.2.1"), "/24 hop 1 stale");
  EXPECT_EQ(f.rib.counters(peer, false).stale, 2u);
  EXPECT_EQ(f.Announce(table, "192.0.2.0/24", Attributes(1, 1)), Rib::Outcome::kReplaced);
  EXPECT_EQ(f.Find(table, "192.0.2.1"), "/24 hop 1");
  f.rib.EndOfRib(peer, false);
  f.ReclaimAll();
  EXPECT_EQ(f.Find(table, "192.0.2.1"), "/24 hop 1");
  EXPECT_EQ(f.Find(table, "198.51.100.1"), "none");
  EXPECT_EQ(f.Find(table, "2001:db8::1"), "/32 hop 3 stale");
  EXPECT_EQ(f.rib.counters(peer, false).swept, 1u);
  for (int restart = 2; restart <= 3; ++restart) {
    f.rib.PeerDown(peer, Rib::Stale::kKeep);
    EXPECT_EQ(f.Find(table, "2001:db8::1"), "/32 hop 3 stale");  // its sweep is yet to come
  }
  f.rib.PeerDown(peer, Rib::Stale::kKeep);
  EXPECT_EQ(f.Find(table, "2001:db8::1"), "none");
  EXPECT_EQ(f.Find(table, "192.0.2.1"), "none");
  f.ExpectEmpty();
}

TEST(Rib, AFullArenaRefusesButWithdraws) {
  RibOptions options;
  options.routes.max_octets = 3 << 20;
  Fixture f(options);
  const PeerId peer = *f.rib.AddPeer(Key(1));
  const TableId table = *f.rib.AddTable(peer, 0);
  const AttributeSetId id = f.rib.Intern(base::AsOctets(Attributes(1, 1)));
  std::vector<base::IpPrefix> known;
  std::mt19937 random(1);
  for (int i = 0; i < 400000; ++i) {
    const base::IpPrefix prefix(base::IpAddress::V4(random()), 32);
    if (f.rib.Announce(table, {prefix}, id) == Rib::Outcome::kNew) known.push_back(prefix);
  }
  EXPECT_GT(f.rib.counters(peer, false).refused, 1000u);
  EXPECT_LT(f.rib.route_arena().octets(), size_t{8} << 20);
  for (const base::IpPrefix& prefix : known) ASSERT_EQ(f.rib.Withdraw(table, prefix, 0), Rib::Outcome::kWithdrawn);
  f.ReclaimAll();
  EXPECT_EQ(f.rib.Announce(table, {known[0]}, id), Rib::Outcome::kNew);  // there is room again
  EXPECT_EQ(f.rib.Withdraw(table, known[0], 0), Rib::Outcome::kWithdrawn);
  f.rib.Release(id);
  f.ExpectEmpty();
}

// A peer's routes and what is known of each, in a map; everything by looking at all.
struct Twin {
  struct Entry {
    std::string attributes;
    uint32_t label;
    int age;  // sessions since it was announced
  };
  using Paths = std::map<uint32_t, Entry>;
  std::map<std::pair<uint32_t, base::IpPrefix>, Paths> routes;  // by table

  void Remove(const std::function<bool(uint32_t table, const base::IpPrefix&, const Entry&)>& goes) {
    for (auto it = routes.begin(); it != routes.end();) {
      for (auto path = it->second.begin(); path != it->second.end();) {
        path = goes(it->first.first, it->first.second, path->second) ? it->second.erase(path) : std::next(path);
      }
      it = it->second.empty() ? routes.erase(it) : std::next(it);
    }
  }
};

TEST(Rib, EqualsTheSlowTwin) {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    Fixture f;
    std::mt19937 random(seed);
    const bool add_path = seed % 3 == 0;
    constexpr uint32_t kPeers = 2, kTables = 4;
    std::vector<PeerId> peers;
    std::vector<TableId> tables;
    for (uint32_t i = 0; i < kPeers; ++i) peers.push_back(*f.rib.AddPeer(Key(i + 1)));
    for (uint32_t i = 0; i < kTables; ++i) tables.push_back(*f.rib.AddTable(peers[i % kPeers], i / kPeers));
    Twin twin;
    std::optional<lpm::ReaderEpochs::Reader> online = f.epochs.NewReader();
    online->Online();
    const auto draw_prefix = [&] {
      if (random() % 4 == 0) {
        base::IpAddress a = Address("2001:db8::");
        a.data()[5] = static_cast<uint8_t>(random() % 8);
        return base::IpPrefix(a, static_cast<uint8_t>(40 + random() % 9));
      }
      return base::IpPrefix(base::IpAddress::V4(0x0a000000 + random() % 1024 * 64),
                            static_cast<uint8_t>(16 + random() % 12));
    };
    for (int step = 0; step < 4000; ++step) {
      const uint32_t t = random() % kTables;
      const uint32_t kind = random() % 1000;
      const base::IpPrefix prefix = draw_prefix();
      const uint32_t path_id = add_path ? random() % 4 : 0;
      if (kind < 650) {
        const uint32_t label = seed % 4 == 0 && random() % 2 == 0 ? random() % 100 : Announcement::kNoLabel;
        // Each preference once, so that the best path needs no more than it.
        const std::string attributes = Attributes(static_cast<uint8_t>(random() % 5), random() % 3 != 0 ? random() : 7);
        const AttributeSetId id = f.rib.Intern(base::AsOctets(attributes));
        Twin::Paths& paths = twin.routes[{t, prefix}];
        const bool known = paths.count(path_id) != 0;
        ASSERT_EQ(f.rib.Announce(tables[t], {prefix, path_id, label}, id),
                  known ? Rib::Outcome::kReplaced : Rib::Outcome::kNew);
        f.rib.Release(id);
        paths[path_id] = {attributes, label, 0};
      } else if (kind < 960) {
        const auto it = twin.routes.find({t, prefix});
        const bool known = it != twin.routes.end() && it->second.erase(path_id) != 0;
        if (known && it->second.empty()) twin.routes.erase(it);
        ASSERT_EQ(f.rib.Withdraw(tables[t], prefix, path_id),
                  known ? Rib::Outcome::kWithdrawn : Rib::Outcome::kUnknown);
      } else {
        // What befalls a session: sweeps may be caught by a restart, or by End-of-RIB.
        const auto of_peer = [&](uint32_t table) { return table % kPeers == t % kPeers; };
        int restarts = 0;
        do {
          const uint32_t event = random() % 8;
          if (event == 0) {
            f.rib.PeerDown(peers[t % kPeers], Rib::Stale::kDrop);
            twin.Remove([&](uint32_t table, const base::IpPrefix&, const Twin::Entry&) { return of_peer(table); });
          } else if (event < 5) {
            if (++restarts > 2) continue;
            f.rib.PeerDown(peers[t % kPeers], Rib::Stale::kKeep);
            for (auto& [place, paths] : twin.routes) {
              for (auto& [path, entry] : paths) entry.age += of_peer(place.first);
            }
            twin.Remove([&](uint32_t table, const base::IpPrefix&, const Twin::Entry& e) {
              return of_peer(table) && e.age > 1;
            });
          } else {
            const bool v6 = random() % 2 == 0;
            f.rib.EndOfRib(peers[t % kPeers], v6);
            twin.Remove([&](uint32_t table, const base::IpPrefix& p, const Twin::Entry& e) {
              return of_peer(table) && p.address().IsV4() != v6 && e.age > 0;
            });
          }
          f.rib.Reclaim(random() % 100);
        } while (random() % 2 == 0);
      }
      if (step % 7 == 0) online->Quiescent();
      // Sweeps are finished before all is compared.
      if (kind >= 960 || step % 100 == 0) {
        for (int i = 0; f.rib.Reclaim(5); ++i) {
          online->Quiescent();
          ASSERT_LT(i, 1000000);
        }
        std::map<std::tuple<uint32_t, base::IpPrefix, uint32_t>, std::tuple<std::string, uint32_t, bool>> expected,
            walked;
        RouteCounters sums[kPeers][2];
        for (const auto& [place, paths] : twin.routes) {
          const bool v6 = !place.second.address().IsV4();
          RouteCounters& c = sums[place.first % kPeers][v6];
          ++c.routes;
          for (const auto& [path, e] : paths) {
            ++c.paths;
            c.stale += e.age > 0;
            expected[{place.first, place.second, path}] = {e.attributes, e.label, e.age > 0};
          }
        }
        for (uint32_t table = 0; table < kTables; ++table) {
          for (const bool v6 : {false, true}) {
            f.reader.Walk(tables[table], v6, nullptr, [&](const base::IpPrefix& p, const RouteView& view, bool) {
              walked[{table, p, view.path_id}] = {std::string(base::AsText(view.octets)), view.label, view.stale};
              return true;
            });
          }
        }
        ASSERT_EQ(walked, expected) << "seed " << seed << " step " << step << " kind " << kind;
        for (uint32_t p = 0; p < kPeers; ++p) {
          for (const bool v6 : {false, true}) {
            const RouteCounters c = f.rib.counters(peers[p], v6);
            ASSERT_EQ(c.routes, sums[p][v6].routes);
            ASSERT_EQ(c.paths, sums[p][v6].paths);
            ASSERT_EQ(c.stale, sums[p][v6].stale);
          }
        }
      }
      // A look-up, with and without a next hop.
      if (kind >= 960) continue;
      const base::IpAddress address = draw_prefix().address();
      const base::IpAddress hop =
          random() % 2 == 0 ? base::IpAddress() : base::IpAddress::V4(0xc0000200 + random() % 6);
      const RouteView view = f.reader.Find(tables[t], address, &hop);
      const Twin::Paths* best = nullptr;
      int best_length = -1;
      for (const auto& [place, paths] : twin.routes) {
        if (place.first != t || !place.second.Contains(address) || place.second.length() <= best_length) continue;
        best = &paths;
        best_length = place.second.length();
      }
      ASSERT_EQ(view.found(), best != nullptr);
      if (best == nullptr) continue;
      ASSERT_EQ(view.length, best_length);
      const auto preference = [](const Twin::Entry& e) {
        return base::LoadBe32(reinterpret_cast<const uint8_t*>(e.attributes.data()) + e.attributes.size() - 4);
      };
      const auto hop_of = [](const Twin::Entry& e) {
        return base::IpAddress::FromV4(reinterpret_cast<const uint8_t*>(e.attributes.data()) + 10);
      };
      uint32_t best_path = 0;
      bool first = true, matched = false;
      for (const auto& [path, e] : *best) {
        matched |= hop_of(e) == hop;
        if (first || preference(e) > preference(best->at(best_path))) best_path = path;
        first = false;
      }
      if (best->size() > 1 && matched) {
        ASSERT_TRUE(view.next_hop_matched);
        ASSERT_EQ(hop_of(best->at(view.path_id)), hop);
      } else {
        ASSERT_EQ(view.path_id, best_path);
      }
      const Twin::Entry& e = best->at(view.path_id);
      ASSERT_EQ(base::AsText(view.octets), e.attributes);
      ASSERT_EQ(view.label, e.label);
      ASSERT_EQ(view.stale, e.age > 0);
    }
    online->Offline();
    for (const PeerId peer : peers) f.rib.RemovePeer(peer);
    f.ExpectEmpty();
  }
}

TEST(AttributeStore, EqualOctetsHaveOneId) {
  lpm::ReaderEpochs epochs;
  lpm::NodeArena arena(&epochs);
  AttributeStoreOptions options;
  options.max_sets = 3000;
  AttributeStore store(&arena, options);
  std::map<std::string, std::pair<AttributeSetId, uint32_t>> twin;  // references
  std::mt19937 random(3);
  for (int i = 0; i < 200000; ++i) {
    const bool grow = random() % 100 < (i / 40000 % 2 == 0 ? 70u : 30u);
    if (grow || twin.empty()) {
      std::string octets(1 + random() % 40, 'x');
      octets[0] = static_cast<char>(random());
      octets[octets.size() / 2] = static_cast<char>(random());
      const AttributeSetId id = store.Intern(base::AsOctets(octets));
      const auto it = twin.find(octets);
      if (it != twin.end()) {
        ASSERT_EQ(id, it->second.first);
        ++it->second.second;
      } else if (twin.size() == 3000) {
        ASSERT_EQ(id, AttributeSetId::kNone);
      } else {
        ASSERT_NE(id, AttributeSetId::kNone);
        twin[octets] = {id, 1};
      }
    } else {
      auto it = twin.lower_bound(std::string(1, static_cast<char>(random())));
      if (it == twin.end()) it = twin.begin();
      store.Unref(it->second.first);
      if (--it->second.second == 0) twin.erase(it);
    }
    ASSERT_EQ(store.size(), twin.size());
    if (i % 1000 == 0) {
      for (const auto& [octets, entry] : twin) {
        ASSERT_EQ(base::AsText(store.Find(entry.first)), octets);
        ASSERT_EQ(store.references(entry.first), entry.second);
      }
    }
  }
  EXPECT_GT(store.overflows(), 0u);
  EXPECT_EQ(store.Intern({}), AttributeSetId::kNone);
  EXPECT_NE(store.Intern(base::AsOctets(std::string(65535, 'x'))), AttributeSetId::kNone);
  EXPECT_EQ(store.Intern(base::AsOctets(std::string(65536, 'x'))), AttributeSetId::kNone);
}

TEST(AttributeStore, AnIdIsNotUsedAgainWhileAReaderMayHaveIt) {
  lpm::ReaderEpochs epochs;
  lpm::NodeArena arena(&epochs);
  AttributeStore store(&arena, {});
  std::optional<lpm::ReaderEpochs::Reader> reader = epochs.NewReader();
  reader->Online();
  const AttributeSetId a = store.Intern(base::AsOctets("first"));
  const base::Octets seen = store.Find(a);
  const uint16_t serial = store.serial(a);
  store.Unref(a);
  arena.CollectGarbage();
  const AttributeSetId b = store.Intern(base::AsOctets("other"));
  EXPECT_NE(a, b);
  EXPECT_EQ(base::AsText(seen), "first");
  reader->Quiescent();
  arena.CollectGarbage();
  reader->Quiescent();
  arena.CollectGarbage();
  const AttributeSetId c = store.Intern(base::AsOctets("third"));
  EXPECT_EQ(a, c);
  EXPECT_NE(store.serial(c), serial);
}

}  // namespace
}  // namespace flowacct::rib
