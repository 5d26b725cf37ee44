// For tests of the whole collector within a process: real sockets on loopback, generated exports, files to compare.

#ifndef FLOWACCT_COLLECTOR_SERVER_SERVER_FIXTURE_H_
#define FLOWACCT_COLLECTOR_SERVER_SERVER_FIXTURE_H_

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/server/server.h"
#include "flowacct/collector/socket/endpoint.h"
#include "gtest/gtest.h"

namespace flowacct::collector {

struct Totals {
  uint64_t packets = 0, bytes = 0, flows = 0, rows = 0;
};

// Of CSV with a header, by its names; of columns that are not there, and of a file that is not, zero. A last line that
// is not whole yet, as somebody is writing it, does not count.
inline Totals TotalsOf(const std::string& path) {
  std::ifstream in(path);
  Totals totals;
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> names = absl::StrSplit(line, ',');
  while (std::getline(in, line) && !in.eof()) {
    const std::vector<absl::string_view> columns = absl::StrSplit(line, ',');
    EXPECT_EQ(columns.size(), names.size()) << line;
    for (size_t i = 0; i < std::min(columns.size(), names.size()); ++i) {
      uint64_t* const total = names[i] == "packets" ? &totals.packets
                              : names[i] == "bytes" ? &totals.bytes
                              : names[i] == "flows" ? &totals.flows
                                                    : nullptr;
      if (total == nullptr) continue;
      uint64_t number = 0;
      EXPECT_TRUE(absl::SimpleAtoi(columns[i], &number)) << line;
      *total += number;
    }
    ++totals.rows;
  }
  return totals;
}

class ServerTest : public testing::Test {
 protected:
  std::string File(absl::string_view name) {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    return absl::StrCat(testing::TempDir(), "/", absl::StrReplaceAll(test, {{"/", "-"}}), "-", name);
  }

  config::ConfigFile Parse(const std::string& text) {
    auto file = config::ConfigFile::Parse(text, "test.conf");
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }

  std::unique_ptr<Server> StartServer(const std::string& text) {
    ServerOptions options;
    options.log = [this](absl::string_view line) {
      base::MutexLock lock(&mutex_);
      log_.emplace_back(line);
    };
    options.note = options.log;
    auto server = Server::New(Parse(text), std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    const absl::Status started = (*server)->Start();
    EXPECT_TRUE(started.ok()) << started;
    return *std::move(server);
  }

  // Sends from an address of its own, and waits until all has arrived.
  void Send(Server& server, const std::vector<std::string>& datagrams, absl::string_view from, uint64_t expected) {
    auto endpoint = ParseEndpoint(server.Status().inputs[0].listen, {EndpointScheme::kUdp});
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    auto sender = UdpSender::New(*endpoint, absl::StrCat("udp://", from, ":0"));
    ASSERT_TRUE(sender.ok()) << sender.status();
    UdpSenderPace pace;
    pace.datagrams_per_second = 20000;
    ASSERT_TRUE((*sender)->Send(datagrams, pace).ok());
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (absl::Now() < deadline) {
      const InputStatus input = server.Status().inputs[0];
      if (input.received + input.kernel_dropped >= expected) break;
      absl::SleepFor(absl::Milliseconds(10));
    }
    EXPECT_EQ(server.Status().inputs[0].kernel_dropped, 0u) << "the test's rate is too high for this machine";
  }

  base::Mutex mutex_;
  std::vector<std::string> log_;
};

// What the accounting identity says of a status.
inline void ExpectIdentity(const CollectorStatus& status) {
  uint64_t records = 0;
  for (const InputStatus& input : status.inputs) {
    EXPECT_EQ(input.received, input.refused_not_allowed + input.refused_rate + input.refused_budget + input.aside +
                                  input.not_sampled + input.not_sampled + input.decoded[base::DecodeCode::kOk] +
                                  input.decoded.errors())
        << input.name;
    records += input.records;
  }
  for (const PipelineStatus& pipeline : status.pipelines) {
    EXPECT_EQ(pipeline.records_in, records) << pipeline.name;
    EXPECT_EQ(pipeline.records_in, pipeline.records_dropped + pipeline.records_held + pipeline.records_filtered +
                                       pipeline.records_aggregated + pipeline.records_late)
        << pipeline.name;
    for (const SinkStatus& sink : pipeline.sinks) {
      EXPECT_EQ(sink.batches, sink.written + sink.waiting + sink.dropped + sink.failed) << pipeline.name;
    }
  }
}

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_SERVER_FIXTURE_H_
