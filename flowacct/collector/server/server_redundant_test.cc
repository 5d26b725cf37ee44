// Two collectors that are told the same exports and write to the same store: each bin counts once, and none is missing
// though one or the other is killed again and again.

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/sqlite/sqlite_store.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr int kKills = 8;
constexpr absl::Duration kBetweenKills = absl::Milliseconds(4500);

// NetFlow v5 (Cisco's layout): one record of a packet, that begins and ends at `now`.
std::string Netflow5(uint32_t sequence, absl::Time now, uint32_t bytes) {
  std::array<uint8_t, 72> octets{};
  const auto seconds = static_cast<uint32_t>(absl::ToUnixSeconds(now));
  const auto nanos = static_cast<uint32_t>((now - absl::FromUnixSeconds(seconds)) / absl::Nanoseconds(1));
  base::StoreBe16(&octets[0], 5);
  base::StoreBe16(&octets[2], 1);
  base::StoreBe32(&octets[4], 1000000);  // sysUptime, ms
  base::StoreBe32(&octets[8], seconds);
  base::StoreBe32(&octets[12], nanos);
  base::StoreBe32(&octets[16], sequence);
  uint8_t* const record = &octets[24];
  base::StoreBe32(record, 0x0a000000 | sequence % 50);  // srcaddr
  base::StoreBe32(record + 4, 0xc0000201);
  base::StoreBe32(record + 16, 1);        // dPkts
  base::StoreBe32(record + 20, bytes);    // dOctets
  base::StoreBe32(record + 24, 1000000);  // First
  base::StoreBe32(record + 28, 1000000);  // Last
  record[38] = 17;
  return std::string(reinterpret_cast<const char*>(octets.data()), octets.size());
}

// Two ports that nobody has, and that the system gives to nobody by itself (ip_local_port_range) while a collector that
// was killed does not have its own.
std::array<uint16_t, 2> FreePorts() {
  std::random_device random;
  std::array<uint16_t, 2> ports{};
  std::array<Descriptor, 2> held;
  for (int i = 0; i < 2; ++i) {
    held[i] = Descriptor(socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int tries = 0; tries < 100 && ports[i] == 0; ++tries) {
      const auto port = static_cast<uint16_t>(12000 + random() % 20000);
      address.sin_port = htons(port);
      if (bind(held[i].get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) ports[i] = port;
    }
    EXPECT_NE(ports[i], 0);
  }
  return ports;
}

class ServerRedundantTest : public ServerTest {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "redundantXXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    ports_ = FreePorts();
  }

  std::string Config(int which) const {
    return absl::StrCat("name: \"pair\" redundant: true\n", "state { directory: \"", folder_, "/state", which, "\" }\n",
                        "input { name: \"in\" udp { listen: \"127.0.0.1:", ports_[which], "\" } }\n",
                        "pipeline { name: \"flows\" by: \"src_addr\" every: \"1s\" lateness: \"1500ms\"\n",
                        "  sink { sqlite { path: \"", folder_, "/flows.db\" } spool { folder: \"", folder_, "/spool",
                        which, "\" } retry_after: \"10ms\" } }\n");
  }

  // To the test's log, which a process that ends by _exit does not flush.
  static void Say(int which, absl::string_view what) {
    const std::string line = absl::StrCat("collector ", which, ": ", what, "\n");
    (void)!write(STDERR_FILENO, line.data(), line.size());
  }

  // A collector in a process of its own, until it is killed or told to end.
  pid_t StartProcess(int which) {
    const pid_t child = fork();
    if (child != 0) return child;
    static volatile sig_atomic_t end = 0;
    signal(SIGTERM, [](int) { end = 1; });
    ServerOptions options;
    options.log = [which](absl::string_view line) { Say(which, line); };
    auto server = Server::New(Parse(Config(which)), std::move(options));
    const absl::Status started = server.ok() ? (*server)->Start() : server.status();
    if (!started.ok()) {
      Say(which, started.ToString());
      _exit(2);
    }
    while (end == 0) usleep(20000);
    const absl::Status stopped = (*server)->Stop(absl::Seconds(10));
    if (stopped.ok()) _exit(0);
    Say(which, stopped.ToString());
    _exit(3);
  }

  std::string folder_;
  std::array<uint16_t, 2> ports_{};
};

TEST_F(ServerRedundantTest, EachBinCountsOnceThoughOneIsKilled) {
  std::array<pid_t, 2> processes = {StartProcess(0), StartProcess(1)};
  ASSERT_GT(processes[0], 0);
  ASSERT_GT(processes[1], 0);
  std::array<std::unique_ptr<UdpSender>, 2> senders;
  for (int i = 0; i < 2; ++i) {
    auto endpoint = ParseEndpoint(absl::StrCat("udp://127.0.0.1:", ports_[i]), {EndpointScheme::kUdp});
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    auto sender = UdpSender::New(*endpoint);
    ASSERT_TRUE(sender.ok()) << sender.status();
    senders[i] = *std::move(sender);
  }
  absl::SleepFor(absl::Milliseconds(1500));

  std::map<int64_t, uint64_t> sent;  // octets by second
  uint32_t sequence = 0;
  const absl::Time from = absl::Now();
  absl::Time next_kill = from + kBetweenKills;
  int kills = 0;
  // The last bins close while both go on.
  for (absl::Time now = from; kills < kKills || now < next_kill; now = absl::Now()) {
    const uint32_t bytes = 100 + sequence % 1000;
    const std::string datagram = Netflow5(sequence++, now, bytes);
    for (const auto& sender : senders) {
      // One that is being restarted refuses it.
      (void)sender->Send({datagram});
    }
    sent[absl::ToUnixSeconds(now)] += bytes;
    if (kills < kKills && now >= next_kill) {
      const int which = kills++ % 2;
      ASSERT_EQ(kill(processes[which], SIGKILL), 0);
      int status = 0;
      ASSERT_EQ(waitpid(processes[which], &status, 0), processes[which]);
      ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;
      processes[which] = StartProcess(which);
      next_kill += kBetweenKills;
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
  absl::SleepFor(absl::Seconds(4));
  for (const pid_t process : processes) {
    ASSERT_EQ(kill(process, SIGTERM), 0);
    int status = 0;
    ASSERT_EQ(waitpid(process, &status, 0), process);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }

  auto store = sink::sqlite::OpenSqliteStore(folder_ + "/flows.db");
  ASSERT_TRUE(store.ok()) << store.status();
  query::GroupRequest request;
  request.table = "flows";
  request.values = {1};  // bytes, of packets, bytes, flows
  request.step_seconds = 1;
  std::map<int64_t, uint64_t> stored;
  ASSERT_TRUE((*store)
                  ->Sum(request,
                        [&](const query::GroupRow& row) {
                          stored[row.step_seconds] = static_cast<uint64_t>(row.values[0]);
                          return true;
                        })
                  .ok());
  EXPECT_EQ(stored, sent);
}

TEST_F(ServerRedundantTest, SaysWhatItNeeds) {
  auto server = Server::New(Parse("redundant: true\ninput { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\npipeline { "
                                  "name: \"p\" sink { print {} } }"),
                            {});
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.status().message(),
            "test.conf:1:1: redundant: needs name, the same of both collectors, and state, where open bins stay over a "
            "restart");
}

}  // namespace
}  // namespace flowacct::collector
