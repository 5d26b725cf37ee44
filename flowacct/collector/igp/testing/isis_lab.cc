#include "flowacct/collector/igp/testing/isis_lab.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "flowacct/collector/socket/testing/network_namespace.h"
#include "flowacct/sink/testing/server_process.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr char kZebra[] = "/usr/lib/frr/zebra", kIsisd[] = "/usr/lib/frr/isisd", kVtysh[] = "/usr/bin/vtysh";

void Run(const std::string& command) { EXPECT_TRUE(RunCommand(command)) << command; }

std::string In(const std::string& router) { return router.empty() ? "ip" : absl::StrCat("ip -n ", router); }

}  // namespace

IsisLab::IsisLab() {
  folder_ = "/run/isisXXXXXX";  // our own, short enough for sockets, where the daemons may go
  if (mkdtemp(folder_.data()) == nullptr) ADD_FAILURE() << folder_;
  chmod(folder_.c_str(), 0755);  // the daemons run as frr
}

IsisLab::~IsisLab() {
  for (auto& [name, router] : routers_) Stop(name);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void IsisLab::AddRouter(const std::string& name) {
  Router& router = routers_[name];
  router.folder = absl::StrCat(folder_, "/", name);
  Run(absl::StrCat("mkdir -m 755 ", router.folder, " && chown frr:frr ", router.folder));
  Run(absl::StrCat("ip netns add ", name, " && ip -n ", name, " link set lo up"));
  Run(absl::StrCat("ip netns exec ", name,
                   " sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'"));
}

void IsisLab::AddLan(const std::string& name, const std::vector<End>& ends) {
  Run(absl::Substitute("ip link add $0 type bridge mcast_snooping 0 && ip link set $0 up", name));
  int number = 0;
  for (const auto& [router, interface] : ends) {
    const std::string port = absl::StrCat(name, "p", number++);
    Run(absl::Substitute("ip link add $0 type veth peer name $1$2 && ip link set $0 master $3 up", port, interface,
                         router.empty() ? "" : " netns " + router, name));
    Run(absl::StrCat(In(router), " link set ", interface, " up"));
  }
}

void IsisLab::AddLink(const End& a, const End& b) {
  const auto end = [](const End& e) { return e.first.empty() ? e.second : e.second + " netns " + e.first; };
  Run(absl::StrCat("ip link add ", end(a), " type veth peer name ", end(b)));
  for (const End& e : {a, b}) Run(absl::StrCat(In(e.first), " link set ", e.second, " up"));
}

void IsisLab::Ip(const std::string& router, const std::string& words) { Run(absl::StrCat(In(router), " ", words)); }

void IsisLab::Start(const std::string& name, const std::string& configuration) {
  Router& router = routers_.at(name);
  std::ofstream(router.folder + "/frr.conf") << "hostname " << name << "\n" << configuration;
  for (const char* program : {kZebra, kIsisd}) {
    sink::ServerProcess process;
    process.folder = router.folder;
    const std::string own = std::filesystem::path(program).filename();
    process.words = {"/usr/sbin/ip",
                     "netns",
                     "exec",
                     name,
                     program,
                     "-f",
                     router.folder + "/frr.conf",
                     "-i",
                     absl::StrCat(router.folder, "/", own, ".pid"),
                     "-z",
                     router.folder + "/zserv.api",
                     "--vty_socket",
                     router.folder,
                     "-A",
                     "127.0.0.1"};
    const pid_t pid = sink::Spawn(process);
    ASSERT_GT(pid, 0) << program;
    router.processes.push_back(pid);
    // isisd asks zebra at its start.
    Run(absl::Substitute("for i in $$(seq 100); do test -S $0/$1.vty && exit; sleep 0.1; done; false", router.folder,
                         own));
  }
}

void IsisLab::Stop(const std::string& name) {
  Router& router = routers_.at(name);
  while (!router.processes.empty()) {
    sink::KillProcess(&router.processes.back());
    router.processes.pop_back();
  }
  RunCommand(absl::StrCat("rm -f ", router.folder, "/*.vty ", router.folder, "/*.pid ", router.folder, "/*.api"));
}

std::string IsisLab::Ask(const std::string& router, const std::vector<std::string>& commands) const {
  std::string line = absl::StrCat(kVtysh, " --vty_socket ", routers_.at(router).folder);
  for (const std::string& command : commands) absl::StrAppend(&line, " -c '", command, "'");
  std::string answer;
  FILE* const pipe = popen((line + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return answer;
  char part[4096];
  while (const size_t n = fread(part, 1, sizeof(part), pipe)) answer.append(part, n);
  pclose(pipe);
  return answer;
}

std::string IsisLab::Log(const std::string& router) const { return sink::LogOf(routers_.at(router).folder); }

std::string WithIsisLab(const std::function<void(IsisLab& lab)>& body) {
  for (const char* program : {kZebra, kIsisd, kVtysh}) {
    if (access(program, X_OK) != 0) return absl::StrCat(program, " is not installed (tools/install_packages peers)");
  }
  std::string why;
  const std::string reason = InNetworkNamespace([&] {
    // Named namespaces are files in /run/netns: a /run of our own keeps them from others.
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", "/run", "tmpfs", 0, nullptr) != 0) {
      why = "needs a mount namespace of its own";
      return;
    }
    IsisLab lab;
    body(lab);
  });
  return reason.empty() ? why : reason;
}

}  // namespace flowacct::collector
