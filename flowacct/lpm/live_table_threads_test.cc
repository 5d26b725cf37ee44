// One writer changes routes as fast as it can while readers look them up; ThreadSanitizer watches.
//
// Prefixes that stay: 16.0.0.0/4 and each 16.X.0.0/16. Prefixes that come and go: 16.X.Y.0/24 and the host routes in
// them. A value tells its prefix: index and length; a version that grows tells when it was written.

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/lpm/live_table.h"
#include "flowacct/lpm/node_arena.h"
#include "flowacct/lpm/reader_epochs.h"

namespace flowacct::lpm {
namespace {

constexpr uint32_t kNets = 4096;
#ifdef FLOWACCT_SANITIZED
constexpr uint32_t kChanges = 60000;
#else
constexpr uint32_t kChanges = 600000;
#endif

base::IpPrefix Prefix(uint32_t net, uint8_t length) {
  return {base::IpAddress::V4(0x10000000 + (net << 8) + 9), length};
}
// 12 bits of net, 6 of length, 14 of version.
uint32_t Value(uint32_t net, uint32_t length, uint32_t version) {
  return net << 20 | length << 14 | (version & 0x3fff);
}

// The last version that was begun, and the last that was finished, of each prefix that changes; 0 in the low bit:
// absent.
struct Versions {
  std::vector<std::atomic<uint32_t>> begun = std::vector<std::atomic<uint32_t>>(kNets * 2);
  std::vector<std::atomic<uint32_t>> done = std::vector<std::atomic<uint32_t>>(kNets * 2);
};

TEST(LiveTableThreads, ReadersFindWhatWasThereWhileTheyLooked) {
  ReaderEpochs epochs;
  NodeArenaOptions options;
  options.max_garbage_octets = 1 << 20;
  NodeArena arena(&epochs, options);
  LiveTable table(&arena, 1000);  // so that it goes directly half of the time
  Versions versions;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> checked{0};
  table.Insert(Prefix(0, 4), Value(0, 4, 1));
  for (uint32_t net = 0; net < kNets; net += 256) table.Insert(Prefix(net, 16), Value(net, 16, 1));

  const auto read = [&](uint64_t seed) {
    std::optional<ReaderEpochs::Reader> reader = epochs.NewReader();
    constexpr size_t kBatch = 16;
    std::vector<base::IpAddress> addresses(kBatch);
    std::vector<uint32_t> nets(kBatch), before(kBatch * 2);
    std::vector<LiveTable::Match> found(kBatch);
    uint64_t n = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      reader->Online();
      for (int batch = 0; batch < 20; ++batch) {
        for (size_t i = 0; i < kBatch; ++i) {
          nets[i] = static_cast<uint32_t>(base::NextSecret(&seed) % kNets);
          addresses[i] = base::IpAddress::V4(0x10000000 + (nets[i] << 8) + 9);
          for (size_t k = 0; k < 2; ++k) before[2 * i + k] = versions.done[2 * nets[i] + k].load();
        }
        table.FindBatch(addresses[0].data(), sizeof(base::IpAddress), kBatch, found.data());
        for (size_t i = 0; i < kBatch; ++i) {
          const uint32_t length = found[i].length;
          ASSERT_TRUE(length == 4 || length == 16 || length == 24 || length == 32) << length;
          ASSERT_EQ(found[i].value >> 14 & 0x3f, length);
          ASSERT_EQ(found[i].value >> 20, length == 4 ? 0 : length == 16 ? nets[i] & ~255u : nets[i]);
          ASSERT_NE(length, 4u);  // the /16 never goes
          for (uint32_t k = 0; k < 2; ++k) {
            const uint32_t place = 2 * nets[i] + k;
            const uint32_t after = versions.begun[place].load();
            const uint32_t of_length = k == 0 ? 24 : 32;
            if (of_length == length) {
              // A version from what was done before to what was begun after, and one that was present.
              const uint32_t span = after - before[2 * i + k];
              const uint32_t since = (found[i].value - before[2 * i + k]) & 0x3fff;
              ASSERT_LE(since, span);
              ASSERT_EQ(found[i].value & 1, 1u);
            } else if (of_length > length) {
              // It was absent at some time.
              ASSERT_TRUE(after != before[2 * i + k] || (after & 1) == 0) << "missed a route that was there";
            }
          }
          ++n;
        }
        reader->Quiescent();
      }
      reader->Offline();
    }
    checked.fetch_add(n);
  };
  std::thread a(read, 1), b(read, 2);

  uint64_t seed = 3;
  for (uint32_t change = 0; change < kChanges; ++change) {
    while (arena.congested()) {
      arena.CollectGarbage();
      std::this_thread::yield();
    }
    const uint64_t random = base::NextSecret(&seed);
    const uint32_t net = static_cast<uint32_t>(random % kNets), k = random >> 32 & 1;
    const uint8_t length = k == 0 ? 24 : 32;
    const uint32_t place = 2 * net + k;
    uint32_t version = versions.begun[place].load();
    const bool present = (version & 1) != 0;
    // Present ones are replaced or erased; in one half of the test most are there, in the other few.
    const bool want = (random >> 40) % 4 != 0 ? change / (kChanges / 4) % 2 == 0 : (random >> 50 & 1) != 0;
    version += present == want ? 2 : 1;
    if (!present && !want) continue;
    versions.begun[place].store(version);
    if (want) {
      table.Insert(Prefix(net, length), Value(net, length, version));
    } else {
      table.Erase(Prefix(net, length));
    }
    versions.done[place].store(version);
  }
  stop.store(true);
  a.join();
  b.join();
  EXPECT_GT(checked.load(), 1000u);
}

TEST(LiveTableThreads, ATableGoesWhileItIsRead) {
  ReaderEpochs epochs;
  NodeArena arena(&epochs);
  LiveTable table(&arena, 1000);
  std::atomic<bool> stop{false};
  const auto read = [&] {
    std::optional<ReaderEpochs::Reader> reader = epochs.NewReader();
    reader->Online();
    uint64_t seed = 7;
    while (!stop.load(std::memory_order_relaxed)) {
      const uint32_t net = static_cast<uint32_t>(base::NextSecret(&seed) % kNets);
      const LiveTable::Match match = table.Find(base::IpAddress::V4(0x10000000 + (net << 8)));
      if (match.length != 0) {
        ASSERT_EQ(match.value, net + 1);
      }
      reader->Quiescent();
    }
    reader->Offline();
  };
  std::thread a(read), b(read);
  for (int round = 0; round < 20; ++round) {
    for (uint32_t net = 0; net < kNets; ++net) table.Insert(Prefix(net, 24), net + 1);
    LiveTable::Dismantler dismantler = table.Detach();
    size_t values = 0;
    while (dismantler.Step(100, [&](uint32_t) { ++values; })) {
    }
    ASSERT_EQ(values, kNets);
  }
  stop.store(true);
  a.join();
  b.join();
  arena.CollectGarbage();
  EXPECT_EQ(arena.used_octets(), 0u);
}

}  // namespace
}  // namespace flowacct::lpm
