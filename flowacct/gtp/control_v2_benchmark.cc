// Reading of control messages of GTPv2-C as an attach and a handover have them: view and ReadControlMessageV2 together.
// Items are messages.

#include <memory>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/gtp/control_v2.h"
#include "flowacct/gtp/message_view.h"
#include "flowacct/gtp/testing/messages_v2.h"

namespace flowacct::gtp {
namespace {

// `first` to `last` of MessagesV2, one after the other.
void ReadMessages(benchmark::State& state, size_t first, size_t last) {
  const std::vector<testing::NamedMessage> messages = testing::MessagesV2();
  const auto message = std::make_unique<ControlMessage>();
  int64_t read = 0, octets = 0;
  for (auto _ : state) {
    for (size_t i = first; i <= last; ++i) {
      MessageView view;
      if (!MessageView::Parse(messages[i].octets, &view).ok() || !ReadControlMessageV2(view, message.get()).ok()) {
        state.SkipWithError("a message that cannot be read");
      }
      benchmark::DoNotOptimize(message->bearer_count);
      ++read;
      octets += static_cast<int64_t>(messages[i].octets.size());
    }
  }
  state.SetItemsProcessed(read);
  state.SetBytesProcessed(octets);
}

void BM_CreateSessionRequest(benchmark::State& state) { ReadMessages(state, 0, 0); }
void BM_CreateSessionResponse(benchmark::State& state) { ReadMessages(state, 1, 1); }
void BM_ModifyBearer(benchmark::State& state) { ReadMessages(state, 2, 3); }
void BM_CreateAndModify(benchmark::State& state) { ReadMessages(state, 0, 3); }
BENCHMARK(BM_CreateSessionRequest);
BENCHMARK(BM_CreateSessionResponse);
BENCHMARK(BM_ModifyBearer);
BENCHMARK(BM_CreateAndModify);

}  // namespace
}  // namespace flowacct::gtp

BENCHMARK_MAIN();
