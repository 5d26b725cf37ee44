#include "flowacct/flow/template/exporter_clock.h"

#include <gtest/gtest.h>

#include <vector>

namespace flowacct::flow {
namespace {

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kNow = 1700000000 * kSecond;

TEST(ExporterClockTest, BelievesOrRepairsTheTimeOfAnExport) {
  struct Case {
    const char* what;
    int64_t export_nanos, arrival_nanos;
    record::Transport transport;
    int64_t shift_nanos;
  };
  TemplateOptions options;
  options.max_clock_skew_seconds = 100;
  options.max_future_seconds = 60;
  using record::Transport;
  const Case kCases[] = {
      {"right", kNow, kNow, Transport::kUdp, 0},
      {"as late as can be", kNow - 100 * kSecond, kNow, Transport::kUdp, 0},
      {"later", kNow - 101 * kSecond, kNow, Transport::kUdp, 101 * kSecond},
      {"as early as can be", kNow + 100 * kSecond, kNow, Transport::kUdp, 0},
      {"earlier", kNow + 101 * kSecond, kNow, Transport::kTcp, -101 * kSecond},
      {"since 1970", 5 * kSecond, kNow, Transport::kUdp, kNow - 5 * kSecond},
      {"a file is of any time", 5 * kSecond, kNow, Transport::kFile, 0},
      {"arrival not known", 5 * kSecond, 0, Transport::kUdp, 0},
  };
  for (const Case& c : kCases) {
    ExporterClock clock;
    record::Datagram datagram;
    datagram.arrival_nanos = c.arrival_nanos;
    datagram.transport = c.transport;
    MessageContext context;
    clock.Apply(c.export_nanos, datagram, options, &context);
    EXPECT_EQ(context.shift_nanos, c.shift_nanos) << c.what;
    EXPECT_EQ(context.export_nanos, c.export_nanos + c.shift_nanos) << c.what;
    EXPECT_EQ(context.latest_nanos, context.export_nanos + 60 * kSecond) << c.what;
    EXPECT_EQ(context.arrival_nanos, c.arrival_nanos) << c.what;
    EXPECT_EQ(context.clock_repairs, c.shift_nanos == 0 ? 0u : 1u) << c.what;
  }
  options.max_clock_skew_seconds = 0;
  ExporterClock clock;
  record::Datagram datagram;
  datagram.arrival_nanos = kNow;
  MessageContext context;
  clock.Apply(5 * kSecond, datagram, options, &context);
  EXPECT_EQ(context.shift_nanos, 0) << "clocks are always believed";
}

TEST(ExporterClockTest, TellsARestartFromAWrap) {
  struct Export {
    int64_t seconds;
    uint32_t uptime_millis;
    bool restarted;
  };
  struct Case {
    const char* what;
    std::vector<Export> exports;
  };
  const Case kCases[] = {
      {"goes on", {{0, 1000000, false}, {60, 1060000, false}}},
      {"began anew", {{0, 1000000, false}, {60, 5000, true}, {120, 65000, false}}},
      {"a reordered datagram", {{0, 1000000, false}, {-1, 999000, false}}},
      {"wrapped at 32 bits", {{0, 0xffffffff - 999, false}, {2, 1000, false}}},
      {"back, but not freshly started", {{0, 100000000, false}, {60, 50000000, false}}},
  };
  for (const Case& c : kCases) {
    ExporterClock clock;
    for (const Export& e : c.exports) {
      EXPECT_EQ(clock.Restarted(kNow + e.seconds * kSecond, e.uptime_millis), e.restarted)
          << c.what << " " << e.seconds;
    }
  }
}

}  // namespace
}  // namespace flowacct::flow
