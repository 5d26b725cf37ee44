// What a collector keeps over a restart, seen from outside: a clean stop, a crash (its folder as it was at a moment, in
// the hands of another collector), folders that are damaged or of other configurations.

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "flowacct/collector/server/open_flows.h"
#include "flowacct/collector/server/server_fixture.h"

namespace flowacct::collector {
namespace {

class ServerStateTest : public ServerTest {
 protected:
  void SetUp() override {
    folder_ = File("state");
    Shell(absl::StrCat("rm -rf '", folder_, "' '", folder_, "-crash'"));
    WorkloadOptions options;
    options.records = 12000;
    auto made = DatagramsOfWorkload(options, &truth_);
    ASSERT_TRUE(made.ok());
    // Templates are in the first half alone.
    first_.assign(made->begin(), made->begin() + static_cast<long>(made->size() / 2));
    second_.assign(made->begin() + static_cast<long>(made->size() / 2), made->end());
  }

  static void Shell(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

  std::string Config(const std::string& folder, const std::string& by = "src_as,dst_as") {
    return absl::Substitute(
        R"(workers: 1
           input { name: "in" udp { listen: "127.0.0.1:0" } }
           pipeline { name: "p" by: "$1" every: "1h" time_field: "arrival_time" sink { memory {} } }
           state { directory: "$0" checkpoint: "1h" })",
        folder, by);
  }

  static std::string Notes(Server& server) { return absl::StrJoin(server.Status().notes, "\n"); }

  std::string folder_;
  WorkloadTruth truth_;
  std::vector<std::string> first_, second_;
};

TEST_F(ServerStateTest, ACleanStopKeepsTemplatesAndBins) {
  uint64_t before = 0;
  {
    auto server = StartServer(Config(folder_));
    EXPECT_EQ(Notes(*server), "");
    Send(*server, first_, "127.0.0.2", first_.size());
    before = server->Status().inputs[0].records;
    EXPECT_EQ(OpenFlows(*server), before);
    ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
  }
  auto server = StartServer(Config(folder_));
  EXPECT_TRUE(absl::StrContains(
      Notes(*server), "what 1 exporter's domain told is restored: 1 template and 0 data sets that wait for theirs"))
      << Notes(*server);
  EXPECT_TRUE(absl::StrContains(Notes(*server), "groups of open bins restored")) << Notes(*server);
  EXPECT_FALSE(absl::StrContains(Notes(*server), "lost")) << Notes(*server);
  EXPECT_EQ(OpenFlows(*server), before);
  Send(*server, second_, "127.0.0.2", second_.size());
  EXPECT_EQ(OpenFlows(*server), truth_.records);
  ExpectIdentity(server->Status());
  for (const record::ExporterReport& exporter : server->Exporters(false)) {
    EXPECT_EQ(exporter.sequence.lost_over_restart, 0u);
    EXPECT_EQ(exporter.sequence.lost, 0u);
  }
  ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
}

TEST_F(ServerStateTest, ACrashLosesWhatCameSinceTheCheckpointAndSaysSo) {
  const std::string crashed = absl::StrCat(folder_, "-crash");
  auto server = StartServer(Config(folder_));
  Send(*server, first_, "127.0.0.2", first_.size());
  const uint64_t before = server->Status().inputs[0].records;
  // A reload is a checkpoint, too.
  ASSERT_TRUE(server->Reload(Parse(Config(folder_))).ok());
  Send(*server, second_, "127.0.0.2", first_.size() + second_.size());
  EXPECT_EQ(OpenFlows(*server), truth_.records);
  // How many came is noted every second.
  absl::SleepFor(absl::Milliseconds(2200));
  Shell(absl::StrCat("cp -r '", folder_, "' '", crashed, "'"));
  auto next = StartServer(Config(crashed));
  EXPECT_TRUE(absl::StrContains(
      Notes(*next), absl::StrCat("about ", truth_.records - before, " records that came after that are lost")))
      << Notes(*next);
  EXPECT_EQ(OpenFlows(*next), before);
  // The exporter's numbers tell the same: its next datagram comes after those that were lost.
  Send(*next, {first_.back()}, "127.0.0.2", 1);
  ASSERT_TRUE(next->Stop(absl::Seconds(10)).ok());
  ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
}

TEST_F(ServerStateTest, WhatWasWrittenIsNotWrittenAgain) {
  const std::string csv = File("out.csv"), early = absl::StrCat(folder_, "-early"),
                    late = absl::StrCat(folder_, "-late");
  const auto config = [](const std::string& folder, const std::string& path) {
    return absl::Substitute(
        R"(workers: 1
           input { name: "in" udp { listen: "127.0.0.1:0" } }
           pipeline { name: "p" by: "src_as" every: "4s" lateness: "1s" time_field: "arrival_time"
                      sink { print { format: CSV output: "$1" } } }
           state { directory: "$0" checkpoint: "1h" })",
        folder, path);
  };
  // At the begin of a bin.
  absl::SleepFor(absl::Milliseconds(4000 - absl::ToUnixMillis(absl::Now()) % 4000));
  auto server = StartServer(config(folder_, csv));
  Send(*server, first_, "127.0.0.2", first_.size());
  const uint64_t accounted = server->Status().pipelines[0].records_aggregated;
  ASSERT_TRUE(server->Reload(Parse(config(folder_, csv))).ok());
  Shell(absl::StrCat("rm -rf '", early, "' '", late, "'; cp -r '", folder_, "' '", early, "'"));
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (TotalsOf(csv).flows < accounted && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ(TotalsOf(csv).flows, accounted);
  Shell(absl::StrCat("cp -r '", folder_, "' '", late, "'"));
  // Before the bin was written its groups are restored, afterwards not.
  const std::string of_early = File("early.csv"), of_late = File("late.csv");
  auto next = StartServer(config(early, of_early));
  EXPECT_FALSE(absl::StrContains(Notes(*next), " 0 groups")) << Notes(*next);
  next = StartServer(config(late, of_late));
  EXPECT_TRUE(absl::StrContains(Notes(*next), " 0 groups of open bins restored")) << Notes(*next);
  EXPECT_TRUE(absl::StrContains(Notes(*next), "about 0 records")) << Notes(*next);
}

TEST_F(ServerStateTest, WhatCannotBeRestoredIsKeptAside) {
  {
    auto server = StartServer(Config(folder_));
    Send(*server, first_, "127.0.0.2", first_.size());
    ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
  }
  // Another key: the bins wait for who knows it.
  {
    auto server = StartServer(Config(folder_, "src_port"));
    EXPECT_TRUE(absl::StrContains(Notes(*server), "open bins are not restored: ")) << Notes(*server);
    EXPECT_TRUE(absl::StrContains(Notes(*server), absl::StrCat("they are in ", folder_, "/bins.p+"))) << Notes(*server);
    EXPECT_EQ(OpenFlows(*server), 0u);
    ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
  }
  // Damaged.
  Shell(absl::StrCat("for f in '", folder_, "'/decoder.* '", folder_, "'/bins.p; do printf x >> \"$f\"; done"));
  auto server = StartServer(Config(folder_, "src_port"));
  EXPECT_TRUE(absl::StrContains(Notes(*server), "what exporters told is not restored")) << Notes(*server);
  EXPECT_TRUE(absl::StrContains(Notes(*server), "open bins are not restored")) << Notes(*server);
  ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
}

TEST_F(ServerStateTest, AFolderIsOneCollectors) {
  auto first = StartServer(Config(folder_));
  auto second = Server::New(Parse(Config(folder_)), {});
  ASSERT_TRUE(second.ok());
  const absl::Status status = (*second)->Start();
  EXPECT_TRUE(absl::StrContains(status.message(), "test.conf:4:20: directory: ")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "another collector that runs keeps its state there")) << status;
  // Its place cannot change.
  EXPECT_FALSE(first->Reload(Parse(Config(absl::StrCat(folder_, "-crash")))).ok());
  ASSERT_TRUE(first->Stop(absl::Seconds(10)).ok());
}

}  // namespace
}  // namespace flowacct::collector
