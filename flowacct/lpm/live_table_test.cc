#include "flowacct/lpm/live_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/lpm/node_arena.h"
#include "flowacct/lpm/reader_epochs.h"

namespace flowacct::lpm {
namespace {

base::IpPrefix Prefix(absl::string_view text) { return *base::IpPrefix::Parse(text); }
base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }

// All prefixes in a map; each length is tried, the longest first.
class SlowTwin {
 public:
  uint32_t Insert(const base::IpPrefix& prefix, uint32_t value) { return std::exchange(map_[prefix], value); }
  uint32_t Erase(const base::IpPrefix& prefix) {
    const auto it = map_.find(prefix);
    if (it == map_.end()) return LiveTable::kNone;
    const uint32_t value = it->second;
    map_.erase(it);
    return value;
  }
  LiveTable::Match Find(const base::IpAddress& address) const {
    for (int length = address.IsV4() ? 32 : 128; length >= 0; --length) {
      const base::IpPrefix prefix(address, static_cast<uint8_t>(length));
      // ::/0 and its like hold no IPv4 address.
      if (prefix.address().IsV4() != address.IsV4()) continue;
      const auto it = map_.find(prefix);
      if (it != map_.end()) return {it->second, static_cast<uint8_t>(length)};
    }
    return {};
  }
  const std::map<base::IpPrefix, uint32_t>& map() const { return map_; }

 private:
  std::map<base::IpPrefix, uint32_t> map_;
};

struct Fixture {
  ReaderEpochs epochs;
  NodeArena arena{&epochs};
};

std::string Text(LiveTable::Match match) {
  return match.value == LiveTable::kNone ? "none" : std::to_string(match.value) + "/" + std::to_string(match.length);
}

TEST(LiveTable, TheLongestPrefixOfTheSameFamilyCounts) {
  Fixture f;
  LiveTable table(&f.arena);
  EXPECT_EQ(Text(table.Find(Address("10.1.2.3"))), "none");
  uint32_t value = 0;
  for (const char* text : {"10.1.2.3/32", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.128/25", "2001:db8::/32",
                           "2001:db8:1::/48", "2001:db8:1:2::3/128", "::/0"}) {
    EXPECT_EQ(table.Insert(Prefix(text), ++value), LiveTable::kNone) << text;
    EXPECT_EQ(table.Get(Prefix(text)), value) << text;
  }
  EXPECT_EQ(table.size_v4(), 5u);
  EXPECT_EQ(table.size_v6(), 4u);
  EXPECT_EQ(Text(table.Find(Address("10.1.2.3"))), "1/32");
  EXPECT_EQ(Text(table.Find(Address("10.1.2.4"))), "4/24");
  EXPECT_EQ(Text(table.Find(Address("10.1.2.200"))), "5/25");
  EXPECT_EQ(Text(table.Find(Address("10.1.3.1"))), "3/16");
  EXPECT_EQ(Text(table.Find(Address("10.2.0.1"))), "2/8");
  EXPECT_EQ(Text(table.Find(Address("11.0.0.1"))), "none");
  EXPECT_EQ(Text(table.Find(Address("2001:db8::1"))), "6/32");
  EXPECT_EQ(Text(table.Find(Address("2001:db8:1:2::3"))), "8/128");
  EXPECT_EQ(Text(table.Find(Address("2001:db8:1:2::4"))), "7/48");
  EXPECT_EQ(Text(table.Find(Address("::1"))), "9/0");
  EXPECT_EQ(table.Get(Prefix("10.1.2.0/23")), LiveTable::kNone);
  EXPECT_EQ(table.Erase(Prefix("10.1.2.0/23")), LiveTable::kNone);
  EXPECT_EQ(table.Insert(Prefix("10.1.2.0/24"), 44), 4u);
  EXPECT_EQ(table.Erase(Prefix("10.1.2.0/24")), 44u);
  EXPECT_EQ(Text(table.Find(Address("10.1.2.4"))), "3/16");
}

TEST(LiveTable, GivesBackAllMemoryThatItTook) {
  Fixture f;
  LiveTable table(&f.arena);
  std::mt19937 random(1);
  std::vector<base::IpPrefix> prefixes;
  for (int i = 0; i < 5000; ++i) {
    prefixes.emplace_back(base::IpAddress::V4(random()), static_cast<uint8_t>(random() % 33));
    table.Insert(prefixes.back(), 1);
  }
  EXPECT_GT(f.arena.used_octets(), 5000u * 4);
  for (const base::IpPrefix& prefix : prefixes) table.Erase(prefix);
  f.arena.CollectGarbage();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(f.arena.used_octets(), 0u);
  EXPECT_EQ(f.arena.garbage_octets(), 0u);
}

TEST(LiveTable, ARouteAloneTakesLittle) {
  for (const char* text : {"192.0.2.0/24", "192.0.2.1/32", "2001:db8::/48", "2001:db8::1/128"}) {
    Fixture f;
    LiveTable table(&f.arena);
    table.Insert(Prefix(text), 1);
    EXPECT_LE(f.arena.used_octets(), 96u) << text;
  }
}

// Prefixes and addresses of few distinct octets, so that prefixes nest.
class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed), seed_(seed) {}
  base::IpAddress Address() {
    base::IpAddress a = base::IpAddress::V4(0);
    if (random_() % 2 == 0) {
      for (int i = 0; i < 16; ++i) a.data()[i] = static_cast<uint8_t>(0x20 + random_() % 8 / 7 * 0x81);
    } else {
      for (int i = 12; i < 16; ++i) a.data()[i] = static_cast<uint8_t>(random_() % (seed_ * 2));
      if (random_() % 3 == 0) a.data()[15] = static_cast<uint8_t>(random_());
    }
    return a;
  }
  base::IpPrefix Prefix() {
    const base::IpAddress a = Address();
    const uint32_t kind = static_cast<uint32_t>(random_() % 8);
    const uint8_t whole = a.IsV4() ? 32 : 128;
    return base::IpPrefix(a, kind == 0 ? whole : static_cast<uint8_t>(random_() % (whole + 1u)));
  }
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

 private:
  std::mt19937_64 random_;
  uint64_t seed_;
};

TEST(LiveTable, EqualsTheSlowTwinAfterEachChange) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    Fixture f;
    std::optional<ReaderEpochs::Reader> reader = f.epochs.NewReader();
    reader->Online();
    LiveTable table(&f.arena, seed % 2 == 0 ? 64 : LiveTable::kDirectAbove);
    SlowTwin twin;
    Draw draw(seed);
    std::vector<base::IpPrefix> known;
    uint32_t next = 0;
    for (int i = 0; i < 10000; ++i) {
      // Growing and shrinking in turns.
      const bool grow = draw.Below(100) < (i / 2000 % 2 == 0 ? 75u : 25u);
      if (grow || known.empty()) {
        const base::IpPrefix prefix = draw.Prefix();
        const uint32_t value = ++next;
        ASSERT_EQ(table.Insert(prefix, value), twin.Insert(prefix, value)) << prefix.ToString();
        known.push_back(prefix);
      } else {
        const uint32_t at = draw.Below(static_cast<uint32_t>(known.size()));
        const base::IpPrefix prefix = draw.Below(8) == 0 ? draw.Prefix() : known[at];
        ASSERT_EQ(table.Erase(prefix), twin.Erase(prefix)) << prefix.ToString();
        known[at] = known.back();
        known.pop_back();
      }
      ASSERT_EQ(table.size(), twin.map().size());
      std::vector<base::IpAddress> addresses;
      for (int k = 0; k < 5; ++k) addresses.push_back(draw.Address());
      if (!known.empty()) addresses.push_back(known[draw.Below(static_cast<uint32_t>(known.size()))].address());
      std::vector<LiveTable::Match> found(addresses.size());
      table.FindBatch(addresses[0].data(), sizeof(base::IpAddress), addresses.size(), found.data());
      for (size_t k = 0; k < addresses.size(); ++k) {
        ASSERT_EQ(Text(found[k]), Text(twin.Find(addresses[k]))) << addresses[k].ToString() << " after " << i;
      }
      const base::IpPrefix some = draw.Prefix();
      const auto it = twin.map().find(some);
      ASSERT_EQ(table.Get(some), it == twin.map().end() ? LiveTable::kNone : it->second) << some.ToString();
      if (i % 64 == 0) reader->Quiescent();
    }
    for (const bool v6 : {false, true}) {
      std::vector<std::pair<base::IpPrefix, uint32_t>> expected, walked;
      for (const auto& entry : twin.map()) {
        if (entry.first.address().IsV4() != v6) expected.push_back(entry);
      }
      table.Walk(v6, nullptr, [&](const base::IpPrefix& prefix, uint32_t value) {
        walked.emplace_back(prefix, value);
        return true;
      });
      ASSERT_EQ(walked, expected);
      // In steps of three, each beginning after the last one of the step before.
      std::vector<std::pair<base::IpPrefix, uint32_t>> stepped;
      for (bool more = true; more;) {
        const base::IpPrefix from = stepped.empty() ? base::IpPrefix() : stepped.back().first;
        int steps = 3;
        more = false;
        table.Walk(v6, stepped.empty() ? nullptr : &from, [&](const base::IpPrefix& prefix, uint32_t value) {
          stepped.emplace_back(prefix, value);
          more = --steps == 0;
          return !more;
        });
      }
      ASSERT_EQ(stepped, expected);
      // From prefixes that are not there.
      for (int k = 0; k < 50; ++k) {
        const base::IpPrefix from = draw.Prefix();
        if (from.address().IsV4() == v6) continue;
        size_t count = 0;
        table.Walk(v6, &from, [&](const base::IpPrefix&, uint32_t) { return ++count, true; });
        size_t expected_count = 0;
        for (const auto& entry : expected) expected_count += from < entry.first;
        ASSERT_EQ(count, expected_count) << from.ToString();
      }
    }
    // In bounded steps, and not before the reader has gone on.
    const size_t size = table.size();
    size_t values = 0;
    LiveTable::Dismantler dismantler = table.Detach();
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(Text(table.Find(Address("32.32.32.32"))), "none");
    EXPECT_TRUE(dismantler.Step(7, [&](uint32_t) { ++values; }));
    EXPECT_EQ(values, 0u);
    reader->Quiescent();
    while (dismantler.Step(7, [&](uint32_t) { ++values; })) {
    }
    EXPECT_EQ(values, size);
    reader->Offline();
    f.arena.CollectGarbage();
    EXPECT_EQ(f.arena.used_octets(), 0u);
  }
}

TEST(LiveTable, GarbageWaitsForAReaderThatStalls) {
  ReaderEpochs epochs;
  NodeArenaOptions options;
  options.max_garbage_octets = 1 << 20;
  NodeArena arena(&epochs, options);
  LiveTable table(&arena);
  std::optional<ReaderEpochs::Reader> reader = epochs.NewReader();
  reader->Online();
  for (uint32_t i = 0; i < 100000; ++i) {
    table.Insert(base::IpPrefix(base::IpAddress::V4(i << 8), 24), 1);
    table.Erase(base::IpPrefix(base::IpAddress::V4(i << 8), 24));
  }
  EXPECT_TRUE(arena.congested());
  arena.CollectGarbage();
  EXPECT_TRUE(arena.congested());
  reader->Quiescent();
  arena.CollectGarbage();
  EXPECT_FALSE(arena.congested());
  EXPECT_EQ(arena.garbage_octets(), 0u);
}

TEST(ReaderEpochs, KnowsWhatNobodySees) {
  ReaderEpochs epochs;
  EXPECT_GT(epochs.Advance(), 1u);  // nobody reads
  std::optional<ReaderEpochs::Reader> a = epochs.NewReader(), b = epochs.NewReader();
  uint64_t unlinked = epochs.now();
  EXPECT_GT(epochs.Advance(), unlinked);  // both are offline
  a->Online();
  b->Online();
  unlinked = epochs.now();
  EXPECT_LE(epochs.Advance(), unlinked);
  a->Quiescent();
  EXPECT_LE(epochs.Advance(), unlinked);
  b->Quiescent();
  EXPECT_GT(epochs.Advance(), unlinked);
  unlinked = epochs.now();
  a->Offline();
  b.reset();
  EXPECT_GT(epochs.Advance(), unlinked);
}

TEST(ReaderEpochs, HasAPlaceForAThousandAtOnce) {
  ReaderEpochs epochs;
  std::vector<ReaderEpochs::Reader> readers;
  for (size_t i = 0; i < ReaderEpochs::kMaxReaders; ++i) readers.push_back(*epochs.NewReader());
  EXPECT_FALSE(epochs.NewReader().has_value());
  readers.pop_back();
  EXPECT_TRUE(epochs.NewReader().has_value());
}

TEST(NodeArena, BlocksOfAllSizesComeBack) {
  ReaderEpochs epochs;
  NodeArena arena(&epochs);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::pair<NodeArena::Ref, size_t>> blocks;
    for (size_t octets = 1; octets <= NodeArena::kMaxBlockOctets; octets += 1 + octets / 7) {
      const NodeArena::Ref ref = arena.Allocate(octets);
      ASSERT_NE(ref, 0u);
      std::fill_n(reinterpret_cast<uint8_t*>(arena.At(ref)), octets, uint8_t{0x5a});
      blocks.emplace_back(ref, octets);
    }
    const size_t reserved = arena.octets();
    for (const auto& [ref, octets] : blocks) arena.Free(ref, octets);
    EXPECT_EQ(arena.used_octets(), 0u);
    EXPECT_LE(reserved, size_t{4} << 20);
  }
}

}  // namespace
}  // namespace flowacct::lpm
