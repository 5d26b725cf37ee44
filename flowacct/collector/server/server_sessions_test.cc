// Sessions of mobile subscribers in a whole collector: captures of an imagined network through inputs, pipelines and
// sinks, over a restart, and from a probe to a collector.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/generate/gtp_traffic.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/server.h"
#include "flowacct/collector/server/server_fixture.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr uint64_t kFrames = 20000;

// Octets by subscriber and access point.
using Octets = std::map<std::pair<std::string, std::string>, uint64_t>;

class ServerSessionsTest : public ServerTest {
 protected:
  // Writes the traffic of the taps at the gateways into as many files, one after the other in time.
  std::vector<std::string> WriteCaptures(size_t files) {
    GtpTrafficOptions options;
    options.packets = kFrames;
    options.subscribers = 100;
    options.attach_milliseconds = 1000;
    options.percent_5g = 0;
    options.taps = *ParseGtpTaps("gn,s5");
    options.start_seconds = absl::ToUnixSeconds(absl::Now()) - 600;
    auto traffic = NewGtpTraffic(options, nullptr);
    EXPECT_TRUE(traffic.ok()) << traffic.status();
    std::vector<std::string> paths;
    std::vector<std::unique_ptr<PcapWriter>> writers;
    for (size_t i = 0; i < files; ++i) {
      paths.push_back(File(absl::StrCat("part", i, ".pcap")));
      auto writer = PcapWriter::New(paths.back(), {/*nanoseconds=*/true});
      EXPECT_TRUE(writer.ok()) << writer.status();
      writers.push_back(*std::move(writer));
    }
    CapturedPacket packet;
    std::string first;
    int64_t last_nanos = 0;
    for (uint64_t frame = 0; (*traffic)->Next(&packet); ++frame) {
      EXPECT_TRUE(writers[frame * files / kFrames]->Write(packet).ok());
      if (frame == 0) first = std::string(base::AsText(packet.octets));
      last_nanos = packet.time_nanos;
      if (const GtpUserTruth* user = (*traffic)->user(); user != nullptr) {
        truth_[{user->imsi.ToString(), std::string(user->apn)}] += user->inner_octets;
      }
    }
    (*traffic)->Finish();
    // A message that comes hours later closes all bins, which a collector with a state would keep.
    packet.octets = base::AsOctets(first);
    packet.wire_length = static_cast<uint32_t>(first.size());
    packet.time_nanos = last_nanos + absl::ToInt64Nanoseconds(absl::Hours(3));
    EXPECT_TRUE(writers.back()->Write(packet).ok());
    for (auto& writer : writers) EXPECT_TRUE(writer->Close().ok());
    return paths;
  }

  // Until the first input has given so many records.
  static void WaitForRecords(Server& server, uint64_t records) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (server.Status().inputs[0].records < records && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(20));
    }
    EXPECT_EQ(server.Status().inputs[0].records, records);
  }

  // Sums of the last columns, of rows that name a subscriber and an access point in the two behind the bin's.
  static void AddOctets(const std::string& path, size_t columns, Octets* octets) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      const std::vector<std::string> values = absl::StrSplit(line, ',');
      if (values.size() < 4 + columns || values[2].empty()) continue;
      for (size_t i = values.size() - columns; i < values.size(); ++i) {
        uint64_t number = 0;
        EXPECT_TRUE(absl::SimpleAtoi(values[i], &number)) << line;
        (*octets)[{values[2], values[3]}] += number;
      }
    }
  }

  Octets truth_;
};

std::string Config(const std::string& capture, const std::string& traffic, const std::string& records,
                   const std::string& more) {
  return absl::Substitute(R"cfg($3
      gtp { own_network: "26242" }
      input { name: "taps" captures { path: "$0" } }
      input { name: "records" sessions {} }
      pipeline { name: "traffic" input: "taps" by: "imsi,apn" sum: "bytes" every: "1m" lateness: "2h"
                 enrich { sessions {} } privacy { field { name: "imsi" as: "plain" } }
                 sink { print { format: CSV output: "$1" } } }
      pipeline { name: "cdr" input: "records" by: "imsi,apn" sum: "bytes_up,bytes_down" every: "1m" lateness: "2h"
                 privacy { field { name: "imsi" as: "plain" } } sink { print { format: CSV output: "$2" } } })cfg",
                          capture, traffic, records, more);
}

TEST_F(ServerSessionsTest, TrafficAndRecordsHaveEveryOctet) {
  const std::string traffic = File("traffic.csv"), records = File("records.csv");
  const std::vector<std::string> captures = WriteCaptures(1);
  auto server = StartServer(Config(captures[0], traffic, records, "workers: 2"));
  WaitForRecords(*server, kFrames + 1);
  auto sessions = server->Sessions({});
  ASSERT_TRUE(sessions.ok()) << sessions.status();
  EXPECT_TRUE(absl::StrContains(*sessions, "26242")) << *sessions;
  ASSERT_TRUE(server->Stop(absl::Seconds(20)).ok());
  const CollectorStatus status = server->Status();
  EXPECT_EQ(status.pipelines[0].records_held, 0u);
  EXPECT_EQ(status.gtp.decoded.errors(), 0u);
  Octets found, recorded;
  AddOctets(traffic, 1, &found);
  AddOctets(records, 2, &recorded);
  EXPECT_EQ(found, truth_);
  for (auto entry = recorded.begin(); entry != recorded.end();) {
    entry = entry->second == 0 ? recorded.erase(entry) : std::next(entry);
  }
  EXPECT_EQ(recorded, truth_);
}

TEST_F(ServerSessionsTest, SessionsGoOnOverARestart) {
  const std::vector<std::string> captures = WriteCaptures(2);
  const std::string state = absl::StrCat("state { directory: \"", File("state"), "\" }");
  Octets found;
  for (size_t part = 0; part < 2; ++part) {
    const std::string traffic = File(absl::StrCat("traffic", part, ".csv"));
    auto server = StartServer(Config(captures[part], traffic, File("unused.csv"), state));
    WaitForRecords(*server, kFrames / 2 + part);
    if (part == 1) {
      EXPECT_TRUE(absl::StrContains(absl::StrJoin(server->Status().notes, "\n"), "mobile subscribers restored"));
    }
    ASSERT_TRUE(server->Stop(absl::Seconds(20)).ok());
    AddOctets(traffic, 1, &found);
  }
  // The second collector writes the open bins of the first, too: nobody is missing though most attached before.
  EXPECT_EQ(found, truth_);
}

TEST_F(ServerSessionsTest, FromAProbeToACollector) {
  const std::vector<std::string> captures = WriteCaptures(1);
  const std::string csv = File("collected.csv");
  auto collector = StartServer(absl::Substitute(R"cfg(
      input { name: "probe" stream { listen: "127.0.0.1:0" } enterprise: 32473 }
      pipeline { name: "all" by: "imsi,apn,gtp_direction,rat,roaming" sum: "bytes" every: "1m" lateness: "2h"
                 privacy { field { name: "imsi" as: "plain" } } sink { print { format: CSV output: "$0" } } })cfg",
                                                csv));
  const std::vector<std::string> listens = absl::StrSplit(collector->Status().inputs[0].listen, ':');
  const std::string& port = listens.back();
  auto probe = StartServer(absl::Substitute(R"cfg(
      gtp { own_network: "26242" }
      input { name: "taps" captures { path: "$0" } }
      pipeline { name: "probe" by: "imsi,apn,gtp_direction,rat,roaming,src_addr,dst_addr" sum: "packets,bytes"
                 every: "1m" lateness: "2h" enrich { sessions {} } where: "exists(imsi)"
                 privacy { field { name: "imsi" as: "plain" } }
                 sink { export { to: "127.0.0.1:$1" transport: TCP enterprise: 32473 } } })cfg",
                                            captures[0], port));
  WaitForRecords(*probe, kFrames + 1);
  ASSERT_TRUE(probe->Stop(absl::Seconds(20)).ok());
  const uint64_t rows = probe->Status().pipelines[0].sinks[0].rows_written;
  EXPECT_GT(rows, 100u);
  WaitForRecords(*collector, rows);
  ASSERT_TRUE(collector->Stop(absl::Seconds(20)).ok());
  Octets found;
  AddOctets(csv, 1, &found);
  EXPECT_EQ(found, truth_);
  std::ifstream in(csv);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (const char* value : {",up,", ",down,", ",EUTRAN,", ",UTRAN,", ",inbound,", ",home,"}) {
    EXPECT_TRUE(absl::StrContains(text, value)) << value;
  }
}

TEST_F(ServerSessionsTest, SaysWhatIsWrong) {
  struct Case {
    const char* config;
    const char* error;
  };
  const std::string base = "input { name: \"i\" captures { path: \"x\" } }\n";
  for (const Case& c : {
           Case{"pipeline { name: \"p\" by: \"imsi\" }",
                "by: imsi tells who a person is: give privacy { field { name: \"imsi\" as: "
                "\"pseudonym\" } "
                "key_file: \"...\" }, or as: \"plain\" if it is to be kept"},
           Case{"pipeline { name: \"p\" by: \"apn\" privacy { field { name: \"imsi\" as: \"first\" } } }", "as: "},
           Case{"pipeline { name: \"p\" by: \"apn\" enrich { sessions {} } }", "there are no sessions without gtp"},
           Case{"gtp { own_network: \"262\" } pipeline { name: \"p\" }",
                "own_network: \"262\" is no network: give country and network code"},
           Case{"input { name: \"s\" sessions {} } pipeline { name: \"p\" }", "there are no sessions without gtp"},
           Case{"gtp {} input { name: \"e\" interface { device: \"lo\" sampling_rate: 10 } } pipeline { name: \"p\" }",
                "gtp needs to see every message"},
       }) {
    std::string error;
    auto file = config::ConfigFile::Parse(base + c.config, "test.conf");
    if (!file.ok()) {
      error = std::string(file.status().message());
    } else {
      auto server = Server::New(*std::move(file), {});
      EXPECT_FALSE(server.ok()) << c.config;
      error = std::string(server.status().message());
    }
    EXPECT_TRUE(absl::StrContains(error, c.error)) << error;
  }
}

TEST_F(ServerSessionsTest, GtpDoesNotChangeWhileItRuns) {
  const std::string rest = R"(input { name: "in" udp { listen: "127.0.0.1:0" } } pipeline { name: "p" by: "apn" })";
  auto server = StartServer(rest);
  EXPECT_TRUE(absl::StrContains(server->Reload(Parse("gtp {} " + rest)).message(), "gtp: cannot change"));
  EXPECT_TRUE(server->Reload(Parse(rest)).ok());
}

}  // namespace
}  // namespace flowacct::collector
