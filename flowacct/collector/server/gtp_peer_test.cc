// Debian's osmo-ggsn and sgsnemu make PDP contexts and carry packets between namespaces of the test's own; a collector
// that sees them pass accounts every octet to the subscriber and APN that it belongs to.

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/testing/network_namespace.h"
#include "flowacct/sink/testing/server_process.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr char kGgsn[] = "/usr/bin/osmo-ggsn", kSgsn[] = "/usr/bin/sgsnemu";
constexpr int kEchoPort = 7;

struct Subscriber {
  std::string imsi, msisdn, apn;
  std::string gateway;  // the GGSN's address in the APN, which echoes
  int echoes;           // that it sends, of 100 octets and one more each
};

const Subscriber kSubscribers[] = {
    {"262011234567891", "491701234561", "internet", "172.16.222.0", 40},
    {"262021234567892", "491711234562", "internet", "172.16.222.0", 25},
    {"310410123456789", "46702123456", "mms", "172.16.223.0", 60},
};

sockaddr_in Address(const std::string& text, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  const auto ip = base::IpAddress::Parse(text);
  EXPECT_TRUE(ip.has_value()) << text;
  std::memcpy(&address.sin_addr, ip->data() + 12, 4);
  return address;
}

// Sends back what comes to any address of the namespace, until it is told to end.
class Echo {
 public:
  Echo() : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    const sockaddr_in any = Address("0.0.0.0", kEchoPort);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
    const timeval patience{0, 100000};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    thread_ = std::thread([this] {
      char octets[2000];
      while (!ending_) {
        sockaddr_in from{};
        socklen_t size = sizeof(from);
        const ssize_t n = recvfrom(socket_.get(), octets, sizeof(octets), 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (n > 0)
          (void)sendto(socket_.get(), octets, static_cast<size_t>(n), 0, reinterpret_cast<sockaddr*>(&from), size);
      }
    });
  }
  ~Echo() {
    ending_ = true;
    thread_.join();
  }

 private:
  Descriptor socket_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

// Of `subscriber`, in its namespace; returns how many came back.
int SendEchoes(const Subscriber& subscriber, const std::string& space) {
  int echoed = 0;
  std::thread([&] {
    const Descriptor there(open(space.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(setns(there.get(), CLONE_NEWNET), 0);
    const Descriptor socket_(socket(AF_INET, SOCK_DGRAM, 0));
    const timeval patience{2, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    const sockaddr_in to = Address(subscriber.gateway, kEchoPort);
    for (int i = 0; i < subscriber.echoes; ++i) {
      const std::string octets(static_cast<size_t>(100 + i), 'x');
      char back[2000];
      ASSERT_EQ(
          sendto(socket_.get(), octets.data(), octets.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
          static_cast<ssize_t>(octets.size()));
      echoed += recv(socket_.get(), back, sizeof(back), 0) == static_cast<ssize_t>(octets.size()) ? 1 : 0;
    }
  }).join();
  return echoed;
}

// The rows of CSV with a header, by the values of its first columns behind those of the bin.
std::map<std::string, std::vector<std::string>> RowsOf(const std::string& path, size_t keys) {
  std::map<std::string, std::vector<std::string>> rows;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::vector<std::string> columns = absl::StrSplit(line, ',');
    if (columns.size() < keys + 2) continue;
    const auto begin = columns.begin() + 2, values = begin + static_cast<std::ptrdiff_t>(keys);
    rows[absl::StrJoin(begin, values, ",")].assign(values, columns.end());
  }
  return rows;
}

pid_t Spawn(const std::string& folder, std::vector<std::string> words) {
  sink::ServerProcess process;
  process.folder = folder;
  process.words = std::move(words);
  return sink::Spawn(process);
}

class GtpPeerTest : public ServerTest {};

TEST_F(GtpPeerTest, EveryOctetIsOfItsSubscriberAndApn) {
  for (const char* program : {kGgsn, kSgsn}) {
    if (access(program, X_OK) != 0) GTEST_SKIP() << program << " is not installed (tools/install_packages peers)";
  }
  const std::string reason = InNetworkNamespace([this] {
    // Named namespaces are files in /run/netns: a /run of our own keeps them from others.
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(mount("none", "/run", "tmpfs", 0, nullptr), 0);
    if (!RunCommand("test -c /dev/net/tun")) GTEST_SKIP() << "the kernel has no /dev/net/tun";
    const std::string folder = File("run");
    ASSERT_EQ(mkdir(folder.c_str(), 0755), 0);
    std::ofstream(absl::StrCat(folder, "/ggsn.cfg")) << absl::Substitute(R"(log stderr
 logging level all notice
ggsn ggsn0
 gtp state-dir $0
 gtp bind-ip 127.0.0.2
 apn internet
  gtpu-mode tun
  tun-device tun4
  type-support v4
  ip prefix dynamic 172.16.222.0/24
  ip ifconfig 172.16.222.0/24
  no shutdown
 apn mms
  gtpu-mode tun
  tun-device tun5
  type-support v4
  ip prefix dynamic 172.16.223.0/24
  ip ifconfig 172.16.223.0/24
  no shutdown
 default-apn internet
 no shutdown ggsn
)",
                                                                         folder);
    const std::string traffic = File("traffic.csv"), sessions = File("sessions.csv"), all = File("all.csv");
    auto server = StartServer(absl::Substitute(R"(
        gtp {}
        input { name: "wire" interface { device: "lo" filter: "udp" } }
        input { name: "records" sessions {} }
        pipeline { name: "traffic" input: "wire" by: "gtp_match,imsi,msisdn,apn,gtp_direction" sum: "packets,bytes"
                   where: "teid > 0 and protocol udp" every: "1h" enrich { sessions {} }
                   privacy { field { name: "imsi" as: "plain" } field { name: "msisdn" as: "plain" } }
                   sink { print { format: CSV output: "$0" } } }
        pipeline { name: "all" input: "wire" by: "imsi,apn,gtp_direction" sum: "packets,bytes" where: "teid > 0"
                   every: "1h" enrich { sessions {} } privacy { field { name: "imsi" as: "plain" } }
                   sink { print { format: CSV output: "$2" } } }
        pipeline { name: "sessions" input: "records" by: "imsi,apn,session_cause"
                   sum: "packets_up,bytes_up,packets_down,bytes_down" every: "1h" time_field: "start_time"
                   privacy { field { name: "imsi" as: "plain" } } sink { print { format: CSV output: "$1" } } })",
                                               traffic, sessions, all));
    pid_t ggsn = Spawn(folder, {kGgsn, "-c", "ggsn.cfg"});
    ASSERT_GT(ggsn, 0);
    ASSERT_TRUE(RunCommand(
        "for i in $(seq 100); do ip link show tun5 up 2>/dev/null | grep -q UP && exit; sleep 0.1; done; false"))
        << sink::LogOf(folder);
    const Echo echo;
    std::vector<pid_t> phones;
    int n = 0;
    for (const Subscriber& subscriber : kSubscribers) {
      const std::string space = absl::StrCat("phone", ++n), own = absl::StrCat(folder, "/", space);
      ASSERT_EQ(mkdir(own.c_str(), 0755), 0);
      ASSERT_TRUE(RunCommand(absl::StrCat("ip netns add ", space)));
      phones.push_back(Spawn(own, {kSgsn,
                                   "--listen",
                                   absl::StrCat("127.0.1.", n),
                                   "--remote",
                                   "127.0.0.2",
                                   "--imsi",
                                   subscriber.imsi,
                                   "--msisdn",
                                   subscriber.msisdn,
                                   "--apn",
                                   subscriber.apn,
                                   "--timelimit",
                                   "15",
                                   "--createif",
                                   "--tun-device",
                                   space,
                                   "--netns",
                                   space,
                                   "--defaultroute",
                                   "--statedir",
                                   own,
                                   "--pidfile",
                                   own + "/pid"}));
      ASSERT_GT(phones.back(), 0);
    }
    n = 0;
    for (const Subscriber& subscriber : kSubscribers) {
      const std::string space = absl::StrCat("phone", ++n);
      ASSERT_TRUE(RunCommand(absl::Substitute(
          "for i in $$(seq 100); do ip -n $0 route 2>/dev/null | grep -q default && exit; sleep 0.1; done; false",
          space)))
          << sink::LogOf(absl::StrCat(folder, "/", space));
      EXPECT_EQ(SendEchoes(subscriber, "/run/netns/" + space), subscriber.echoes);
    }
    // At the end of their time they delete their contexts.
    for (pid_t& phone : phones) {
      int state = 0;
      EXPECT_TRUE(sink::Ended(phone, absl::Seconds(30), &state));
    }
    absl::SleepFor(absl::Milliseconds(500));
    ASSERT_TRUE(server->Stop(absl::Seconds(20)).ok());
    sink::KillProcess(&ggsn);

    std::map<std::string, std::vector<std::string>> expected, expected_sessions;
    const auto accounted = RowsOf(all, 3);
    for (const Subscriber& subscriber : kSubscribers) {
      uint64_t bytes = 0;
      for (int i = 0; i < subscriber.echoes; ++i) bytes += static_cast<uint64_t>(20 + 8 + 100 + i);
      const std::string packets = absl::StrCat(subscriber.echoes);
      for (const char* direction : {"up", "down"}) {
        expected[absl::StrJoin(
            {std::string("joined"), subscriber.imsi, subscriber.msisdn, subscriber.apn, std::string(direction)}, ",")] =
            {packets, absl::StrCat(bytes)};
      }
    }
    EXPECT_EQ(RowsOf(traffic, 5), expected);
    // What its record says is what was accounted of it, whatever else the kernel sent through the tunnel.
    for (const Subscriber& subscriber : kSubscribers) {
      std::vector<std::string>& record =
          expected_sessions[absl::StrCat(subscriber.imsi, ",", subscriber.apn, ",deleted")];
      for (const char* direction : {"up", "down"}) {
        const auto row = accounted.find(absl::StrCat(subscriber.imsi, ",", subscriber.apn, ",", direction));
        ASSERT_NE(row, accounted.end()) << subscriber.imsi;
        record.insert(record.end(), row->second.begin(), row->second.end());
      }
    }
    EXPECT_EQ(RowsOf(sessions, 3), expected_sessions);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
