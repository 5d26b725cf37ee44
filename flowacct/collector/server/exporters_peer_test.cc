// Exporters of Debian's softflowd and pmacct packages read testdata/packets.pcap and tell a running collector of it
// over loopback: what it accounts is what was in the packets.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/record/exporter_report.h"
#include "gtest/gtest.h"

extern char** environ;

namespace flowacct::collector {
namespace {

constexpr char kPackets[] = "testdata/packets.pcap";
// What is in it (testdata/README.md): IPv4 alone, which is all that v5 can tell, and all.
constexpr uint64_t kV4Packets = 224, kV4Octets = 119779, kPacketCount = 300, kOctets = 175020;

bool IsInstalled(const std::string& program) { return access(absl::StrCat("/usr/sbin/", program).c_str(), X_OK) == 0; }

// Starts it in a group of its own; its output goes to `log`. 0: it cannot be started.
pid_t StartProgram(const std::vector<std::string>& arguments, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  // Sanitizers and others block signals in threads of theirs: the program begins with none blocked.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  EXPECT_EQ(error, 0) << arguments[0];
  return error == 0 ? pid : 0;
}

// Asks until it is so; false: for a minute it was not.
bool Await(const std::function<bool()>& is_so) {
  for (const absl::Time deadline = absl::Now() + absl::Minutes(1); absl::Now() < deadline;) {
    if (is_so()) return true;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return false;
}

void AwaitEnd(pid_t pid) {
  if (Await([pid] { return waitpid(pid, nullptr, WNOHANG) != 0; })) return;
  ADD_FAILURE() << "it does not end";
  kill(-pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

std::string ContentsOf(const std::string& path) {
  std::ifstream in(path);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

struct Process {
  char state = '?';  // of proc(5): 'S' is asleep
  pid_t parent = 0;
};

Process ProcessOf(const std::string& proc_folder) {
  std::ifstream in(absl::StrCat(proc_folder, "/stat"));
  std::string stat;
  std::getline(in, stat);  // nothing, if it has ended
  Process process;
  const size_t name_end = stat.rfind(')');
  if (name_end != std::string::npos) {
    std::sscanf(stat.c_str() + name_end + 1, " %c %d", &process.state, &process.parent);
  }
  return process;
}

// 0: it has none.
pid_t ChildOf(pid_t parent) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    if (ProcessOf(entry.path().string()).parent == parent) return pid;
  }
  return 0;
}

constexpr char kPluginReady[] = "Exporting flows to";
constexpr char kAllRead[] = "finished reading PCAP capture file";

// pmacctd 1.7.7 reads the file after two seconds, hands its packets on to its plugin, which is a process of its own,
// says so, and waits. Interrupted, the plugin tells what it still has, but not what was handed on and not yet taken;
// pmacctd itself, interrupted, hands its last packets on a second time. So the plugin alone is interrupted, and once it
// sleeps.
//
// It may sleep with packets before it, if they were handed on while it went to sleep after others: all of them go in
// one buffer (see the configuration). False: that came before it was ready to take it, and nobody has told anything
// yet.
bool RunPmacctd(const std::string& config, const std::string& log) {
  const pid_t pid = StartProgram({"/usr/sbin/pmacctd", "-f", config}, log);
  if (pid == 0) return true;
  const bool all_read = Await([&] { return absl::StrContains(ContentsOf(log), kAllRead); });
  EXPECT_TRUE(all_read);
  const std::string output = ContentsOf(log);
  const bool in_time = output.find(kPluginReady) < output.find(kAllRead);
  const pid_t plugin = ChildOf(pid);
  int asleep = 0;
  const bool all_taken = all_read && in_time && Await([&] {
                           asleep = ProcessOf(absl::StrCat("/proc/", plugin)).state == 'S' ? asleep + 1 : 0;
                           return asleep == 5;  // and not in some other wait
                         });
  EXPECT_TRUE(all_taken || !in_time);
  kill(all_taken ? plugin : -pid, all_taken ? SIGINT : SIGKILL);
  AwaitEnd(pid);
  return in_time;
}

struct Case {
  const char* name;
  const char* program;
  std::vector<std::string> options;  // of softflowd; lines of pmacctd's configuration
  bool over_tcp = false;
  uint64_t packets = kPacketCount, octets = kOctets;
  // sfprobe keeps the datagram that it has begun to itself when it ends: fewer than these.
  uint64_t kept_packets = 0;
  // softflowd 1.1.0 numbers messages of biflows by no count of records; tshark finds gaps there, too.
  bool wrong_sequence = false;
};

std::vector<std::string> NfprobeOf(int version) {
  return {"plugins: nfprobe", absl::StrCat("nfprobe_version: ", version),
          "nfprobe_timeouts: tcp=1:tcp.rst=1:tcp.fin=1:udp=1:icmp=1:general=1:maxlife=1:expint=1",
          "nfprobe_receiver: $0"};
}

const Case kCases[] = {
    {"SoftflowdV5", "softflowd", {"-v", "5"}, false, kV4Packets, kV4Octets},
    {"SoftflowdV9", "softflowd", {"-v", "9"}},
    {"SoftflowdIpfix", "softflowd", {"-v", "10"}},
    {"SoftflowdIpfixOverTcp", "softflowd", {"-v", "10", "-P", "tcp"}, true},
    {"SoftflowdBiflows", "softflowd", {"-v", "10", "-b"}, false, kPacketCount, kOctets, 0, true},
    {"SoftflowdPsamp", "softflowd", {"-v", "psamp"}},
    {"NfprobeV5", "pmacctd", NfprobeOf(5), false, kV4Packets, kV4Octets},
    {"NfprobeV9", "pmacctd", NfprobeOf(9)},
    {"NfprobeIpfix", "pmacctd", NfprobeOf(10)},
    {"Sfprobe",
     "pmacctd",
     {"plugins: sfprobe", "sfprobe_agentip: 192.0.2.1", "sfprobe_receiver: $0"},
     false,
     kPacketCount,
     kOctets,
     8},
};

class ExportersPeerTest : public ServerTest, public testing::WithParamInterface<Case> {};

TEST_P(ExportersPeerTest, WhatTheyTellIsAccounted) {
  const Case& c = GetParam();
  if (!IsInstalled(c.program)) GTEST_SKIP() << c.program << " is not installed (tools/install_packages peers)";
  const std::string prefix = absl::StrCat(testing::TempDir(), "/", c.name, "-", getpid());
  const std::string csv = absl::StrCat(prefix, ".csv"), log = absl::StrCat(prefix, ".log");
  auto server = StartServer(absl::Substitute(R"(input { name: "in" $0 { listen: "127.0.0.1:0" } }
                          pipeline { name: "all" by: "src_addr,dst_addr,protocol" sum: "packets,bytes"
                                     sink { print { format: CSV output: "$1" } } })",
                                             c.over_tcp ? "stream" : "udp", csv));
  const auto endpoint =
      ParseEndpoint(server->Status().inputs[0].listen, {c.over_tcp ? EndpointScheme::kTcp : EndpointScheme::kUdp});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  const std::string receiver = absl::StrCat("127.0.0.1:", endpoint->port);

  if (c.program == std::string("softflowd")) {
    std::vector<std::string> arguments = {"/usr/sbin/softflowd",        "-D", "-c",     "none", "-p",
                                          absl::StrCat(prefix, ".pid"), "-r", kPackets, "-n",   receiver};
    arguments.insert(arguments.end(), c.options.begin(), c.options.end());
    const pid_t pid = StartProgram(arguments, log);
    ASSERT_NE(pid, 0);
    AwaitEnd(pid);
  } else {
    const std::string path = absl::StrCat(prefix, ".conf");
    std::ofstream config(path);
    char* const folder = getcwd(nullptr, 0);
    config << "daemonize: false\npcap_savefile: " << folder << "/" << kPackets
           << "\npcap_savefile_wait: true\nplugin_pipe_size: 10240000\nplugin_buffer_size: 1024000\naggregate: "
              "src_host, dst_host, src_port, dst_port, proto, tos\n";
    std::free(folder);
    for (const std::string& line : c.options) config << absl::Substitute(line, receiver) << "\n";
    config.close();
    bool in_time = false;
    for (int tries = 0; !in_time && tries < 5; ++tries) in_time = RunPmacctd(path, log);
    EXPECT_TRUE(in_time);
  }

  // What has come to the collector's sockets is read before it has stopped; a connection is to be taken before that.
  uint64_t before = 0;
  const bool received = Await([&] {
    const uint64_t now = server->Status().inputs[0].received;
    return std::exchange(before, now) == now && now > 0;
  });
  const std::string output = ContentsOf(log);
  EXPECT_TRUE(received) << output;
  ASSERT_TRUE(server->Stop(absl::Seconds(20)).ok());
  const CollectorStatus status = server->Status();
  const std::vector<record::ExporterReport> exporters = server->Exporters(false);
  EXPECT_EQ(status.inputs[0].decoded.errors(), 0u);
  EXPECT_EQ(status.inputs[0].kernel_dropped, 0u);
  ASSERT_GE(exporters.size(), 1u) << output;
  for (const record::ExporterReport& exporter : exporters) {
    EXPECT_TRUE(c.wrong_sequence || exporter.sequence.lost == 0) << exporter.sequence.lost;
    EXPECT_EQ(exporter.sample_sequence.lost, 0u);
    EXPECT_EQ(exporter.pending_sets, 0u);
    EXPECT_EQ(exporter.misfits, 0u);
  }
  const Totals sums = TotalsOf(csv);
  if (c.kept_packets == 0) {
    EXPECT_EQ(sums.packets, c.packets) << output;
    EXPECT_EQ(sums.bytes, c.octets) << output;
  } else {
    EXPECT_GT(sums.packets + c.kept_packets, c.packets) << output;
    EXPECT_LE(sums.packets, c.packets) << output;
    EXPECT_LE(sums.bytes, c.octets) << output;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, ExportersPeerTest, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& info) { return info.param.name; });

}  // namespace
}  // namespace flowacct::collector
