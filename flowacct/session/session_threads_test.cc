// Readers beside the writer: whatever they find is of the one whose TEID it is, and what they count arrives.

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "flowacct/session/session_engine.h"
#include "flowacct/session/session_reader.h"
#include "flowacct/session/testing/contexts.h"
#include "gtest/gtest.h"

namespace flowacct::session {
namespace {

using testing::Contexts;

TEST(SessionThreadsTest, ReadersBesideTheWriter) {
  constexpr uint32_t kContexts = 300;
  constexpr int kReaders = 3, kRounds = 60;
  constexpr int64_t kStart = 1'700'000'000'000'000'000, kSecond = 1'000'000'000;
  SessionOptions options;
  options.linger_nanos = kSecond;
  options.record_interval_nanos = 5 * kSecond;
  lpm::ReaderEpochs epochs;
  SessionEngine engine(&epochs, options);
  std::atomic<bool> done{false};
  std::atomic<int64_t> now{kStart};
  std::atomic<uint64_t> counted{0}, joined{0}, wrong{0};

  std::vector<std::thread> threads;
  for (int r = 0; r < kReaders; ++r) {
    threads.emplace_back([&, r] {
      auto online = epochs.NewReader();
      SessionReader reader(&engine);
      const Contexts contexts;
      std::mt19937 random(static_cast<uint32_t>(r));
      std::vector<LookUp> batch(50);
      while (!done.load(std::memory_order_relaxed)) {
        online->Online();
        for (int i = 0; i < 20; ++i) {
          std::vector<uint32_t> who;
          for (LookUp& l : batch) {
            const uint32_t n = random() % kContexts;
            who.push_back(n);
            const bool up = random() % 2 == 0;
            l.address = up ? contexts.Ggsn(n) : contexts.Sgsn(n);
            l.teid = up ? Contexts::UpTeid(n) : Contexts::DownTeid(n);
            l.time_nanos = now.load(std::memory_order_relaxed) - static_cast<int64_t>(random() % (kSecond / 2));
          }
          reader.FindBatch(absl::MakeSpan(batch));
          for (size_t k = 0; k < batch.size(); ++k) {
            const Found& found = batch[k].found;
            reader.Count(batch[k], 1, 10);
            if (found.facts == nullptr) continue;
            joined.fetch_add(1, std::memory_order_relaxed);
            counted.fetch_add(10, std::memory_order_relaxed);
            if (found.facts->imsi != Contexts::Imsi(who[k]) || reader.text(found.facts->apn) != "internet") {
              wrong.fetch_add(1);
            }
            // The other end may not be known yet.
            const auto [up, down] = reader.Endpoints(found);
            if ((up.teid != 0 && up.teid != Contexts::UpTeid(who[k])) ||
                (down.teid != 0 && down.teid != Contexts::DownTeid(who[k]))) {
              wrong.fetch_add(1);
            }
            const gtp::UserLocation& location = reader.location(found.facts->location);
            if (location[gtp::LocationForm::kCgi].code != who[k] % 1000) wrong.fetch_add(1);
          }
          const uint32_t n = random() % kContexts;
          const Found lease = reader.FindByAddress(base::IpAddress::V4(0x64000000 + n), base::IpAddress::V4(0x01010101),
                                                   now.load(std::memory_order_relaxed));
          if (lease.facts != nullptr && lease.facts->imsi != Contexts::Imsi(n)) wrong.fetch_add(1);
          online->Quiescent();
        }
        online->Offline();
      }
    });
  }

  Contexts contexts;
  std::mt19937 random(99);
  const auto take = [&](const gtp::ControlMessage& m, const Transport& t) { engine.Take(m, t); };
  uint64_t bytes = 0;
  int64_t at = kStart;
  for (int round = 0; round < kRounds; ++round) {
    for (uint32_t i = 0; i < kContexts; ++i) {
      at += 2'000'000;
      now.store(at, std::memory_order_relaxed);
      const uint32_t n = random() % kContexts;
      switch (random() % 4) {
        case 0:
          contexts.Delete(n, at, take);
          break;
        case 1:
          contexts.Modify(n, random() % 7, 0, at, take);
          break;
        default:
          contexts.Create(n, at, take);
      }
      engine.Advance(at);
    }
    for (const SessionRecord& r : engine.TakeRecords()) bytes += r.volume.bytes_up + r.volume.bytes_down;
    engine.unmatched();
    engine.VisitPeers([](const PeerReport&) {});
  }
  done.store(true);
  for (std::thread& t : threads) t.join();
  engine.EndAll(at);
  for (const SessionRecord& r : engine.TakeRecords()) bytes += r.volume.bytes_up + r.volume.bytes_down;
  EXPECT_EQ(wrong.load(), 0u);
  EXPECT_GT(joined.load(), 100u);
  EXPECT_EQ(bytes, counted.load());
  uint64_t by_peer = 0;
  engine.VisitPeers([&](const PeerReport& p) { by_peer += p.packets[static_cast<size_t>(Match::kJoined)]; });
  EXPECT_EQ(by_peer, joined.load());
}

}  // namespace
}  // namespace flowacct::session
