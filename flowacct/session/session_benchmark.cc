// Look-ups of packets and control messages a second, on one core. How and what: README.md.

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/session/session_engine.h"
#include "flowacct/session/session_reader.h"
#include "flowacct/session/testing/contexts.h"

namespace flowacct::session {
namespace {

using testing::Contexts;

constexpr int64_t kStart = 1'700'000'000'000'000'000;

struct Filled {
  explicit Filled(uint32_t n) : contexts(1000), engine(&epochs), size(n) {
    for (uint32_t i = 0; i < n; ++i) {
      contexts.Create(i, kStart + i, [this](const gtp::ControlMessage& m, const Transport& t) { engine.Take(m, t); });
      if (i % 1000 == 0) engine.Advance(kStart + i);
    }
  }
  Contexts contexts;
  lpm::ReaderEpochs epochs;
  SessionEngine engine;
  uint32_t size;
};

// Built once a size: ten million take a while.
Filled& FilledWith(uint32_t n) {
  static std::unique_ptr<Filled> filled;
  if (filled == nullptr || filled->size != n) {
    filled.reset();
    filled = std::make_unique<Filled>(n);
  }
  return *filled;
}

void BM_FindAndCount(benchmark::State& state) {
  const auto n = static_cast<uint32_t>(state.range(0));
  Filled& f = FilledWith(n);
  SessionReader reader(&f.engine);
  // Packets of random contexts, so many that they are not in cache, as those of a link are not.
  std::mt19937 random(1);
  std::vector<LookUp> look_ups(1 << 18);
  for (LookUp& l : look_ups) {
    const uint32_t i = random() % n;
    const bool up = random() % 2 == 0;
    l = {up ? f.contexts.Ggsn(i) : f.contexts.Sgsn(i),
         up ? Contexts::UpTeid(i) : Contexts::DownTeid(i),
         kStart + 3'600'000'000'000,
         {}};
  }
  size_t at = 0;
  for (auto _ : state) {
    const absl::Span<LookUp> batch = absl::MakeSpan(look_ups).subspan(at, 256);
    reader.FindBatch(batch);
    for (const LookUp& l : batch) reader.Count(l, 1, 500);
    at = (at + 256) % look_ups.size();
  }
  for (const LookUp& l : look_ups) {
    if (l.time_nanos != 0 && at == 0 && l.found.match != Match::kJoined) state.SkipWithError("a packet is not joined");
  }
  state.SetItemsProcessed(state.iterations() * 256);
  state.counters["octets_a_context"] = static_cast<double>(f.engine.octets()) / n;
}
BENCHMARK(BM_FindAndCount)->Arg(1'000'000)->Arg(10'000'000);

// Messages of as many contexts as there are: each is made, changes its cell twice and its tunnel, and goes.
void BM_ControlMessages(benchmark::State& state) {
  const auto n = static_cast<uint32_t>(state.range(0));
  Filled& f = FilledWith(n);
  const auto take = [&](const gtp::ControlMessage& m, const Transport& t) { f.engine.Take(m, t); };
  std::mt19937 random(2);
  int64_t now = kStart + 7'200'000'000'000;
  uint64_t messages = 0;
  for (auto _ : state) {
    now += 10'000'000;
    const uint32_t i = random() % n;
    f.contexts.Modify(i, random() % 7, 0, now, take);
    f.contexts.Modify(random() % n, random() % 7, 0, now, take);
    f.contexts.Modify(random() % n, random() % 7, 0x30000000 + random() % n, now, take);
    f.contexts.Delete(i, now + 2'000'000, take);
    f.contexts.Create(i, now + 4'000'000, take);
    messages += 10;
    f.engine.Advance(now);
  }
  state.SetItemsProcessed(static_cast<int64_t>(messages));
}
BENCHMARK(BM_ControlMessages)->Arg(1'000'000)->Arg(10'000'000);

// What filling the messages costs, which is not the engine's.
void BM_MessagesAlone(benchmark::State& state) {
  Contexts contexts(1000);
  std::mt19937 random(2);
  uint64_t messages = 0;
  const auto take = [&](const gtp::ControlMessage& m, const Transport& t) {
    benchmark::DoNotOptimize(m.teid + t.source_port);
    ++messages;
  };
  for (auto _ : state) {
    const uint32_t i = random() % 1'000'000;
    for (int k = 0; k < 3; ++k) contexts.Modify(i, random() % 7, 0, kStart, take);
    contexts.Delete(i, kStart, take);
    contexts.Create(i, kStart, take);
  }
  state.SetItemsProcessed(static_cast<int64_t>(messages));
}
BENCHMARK(BM_MessagesAlone);

}  // namespace
}  // namespace flowacct::session

BENCHMARK_MAIN();
