#include "flowacct/collector/routing/testing/router_lab.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/collector/socket/testing/network_namespace.h"

extern char** environ;

namespace flowacct::collector {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

// Of a process that was started here: it is not reaped yet, so that its number is its own.
void End(pid_t pid) {
  int status = 0;
  const absl::Time kill_at = absl::Now() + absl::Seconds(3);
  kill(-pid, SIGTERM);
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (absl::Now() > kill_at) kill(-pid, SIGKILL);
    absl::SleepFor(absl::Milliseconds(10));
  }
}

RouteTexts WithoutPathIds(const RouteTexts& routes) {
  RouteTexts texts;
  for (const auto& [key, text] : routes) {
    std::string& all = texts[key.substr(0, key.find(' '))];
    // In the order of texts, not of identifiers.
    std::vector<std::string> parts = all.empty() ? std::vector<std::string>() : absl::StrSplit(all, " | ");
    parts.push_back(text);
    std::sort(parts.begin(), parts.end());
    all = absl::StrJoin(parts, " | ");
  }
  return texts;
}

}  // namespace

RouterLab::RouterLab(RoutingOptions options, std::vector<RoutingObserver*> observers) {
  // Short: a Unix socket's path has 107 octets. Others than root may look into it: daemons give up their rights.
  char folder[] = "/tmp/flowacct-bgp-XXXXXX";
  EXPECT_NE(mkdtemp(folder), nullptr);
  chmod(folder, 0777);
  folder_ = folder;
  for (const char* address : {kCollectorV4, kRouterV4}) {
    EXPECT_TRUE(RunCommand(absl::StrCat("ip address add ", address, "/32 dev lo")));
  }
  for (const char* address : {kCollectorV6, kRouterV6}) {
    EXPECT_TRUE(RunCommand(absl::StrCat("ip address add ", address, "/128 dev lo nodad")));
  }
  options.bmp_listen = {absl::StrCat("tcp://[::]:", kLabBmpPort)};
  options.bgp_identifier = 0x0a630001;
  absl::StatusOr<std::unique_ptr<RoutingEngine>> engine = RoutingEngine::New(options, std::move(observers));
  EXPECT_TRUE(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
  engine_->Start();
}

RouterLab::~RouterLab() {
  for (const pid_t pid : started_) End(pid);
  engine_->Stop();
  const std::vector<std::string> remove = {"/bin/rm", "-rf", folder_};
  Run(remove);
}

std::string RouterLab::WriteFile(absl::string_view name, absl::string_view text) {
  const std::string path = absl::StrCat(folder_, "/", name);
  std::ofstream(path) << absl::StrReplaceAll(text, {{"$0", folder_}});
  return path;
}

pid_t RouterLab::Spawn(const std::vector<std::string>& command, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  // Sanitizers and others block signals in threads of theirs: the program begins with none blocked.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  EXPECT_EQ(error, 0) << command[0];
  return error == 0 ? pid : -1;
}

void RouterLab::Start(const std::vector<std::string>& command) {
  logs_.push_back(absl::StrCat(folder_, "/log.", logs_.size()));
  // It ends with the test, however that does.
  std::vector<std::string> tied = {"/usr/bin/setpriv", "--pdeathsig", "KILL"};
  tied.insert(tied.end(), command.begin(), command.end());
  const pid_t pid = Spawn(tied, logs_.back());
  if (pid > 0) started_.push_back(pid);
}

std::string RouterLab::Run(const std::vector<std::string>& command) {
  const std::string log = absl::StrCat(folder_, "-run");
  const pid_t pid = Spawn(command, log);
  if (pid <= 0) return "";
  const absl::Time end = absl::Now() + absl::Seconds(10);
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (absl::Now() > end) kill(-pid, SIGKILL);
    absl::SleepFor(absl::Milliseconds(5));
  }
  std::string said = ReadAll(log);
  unlink(log.c_str());
  ended_well_ = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return said;
}

void RouterLab::RunUntilDone(const std::vector<std::string>& command) {
  const absl::Time end = absl::Now() + absl::Seconds(10);
  std::string said = Run(command);
  while (!ended_well_ && absl::Now() < end) {
    absl::SleepFor(absl::Milliseconds(50));
    said = Run(command);
  }
  EXPECT_TRUE(ended_well_) << absl::StrJoin(command, " ") << ": " << said << log();
}

std::string RouterLab::log() const {
  std::string text;
  for (const std::string& log : logs_) absl::StrAppend(&text, "\n", log, ":\n", ReadAll(log));
  const auto status = engine_->Status();
  for (const RoutingEnd& end : status->recent_ends) absl::StrAppend(&text, "\n", end.address.ToString(), " ", end.text);
  return text;
}

bool RouterLab::AwaitRoutes(absl::string_view exporter, uint64_t rd, const RouteTexts& expected) {
  const RouteTexts wanted = WithoutPathIds(expected);
  RouteTexts routes;
  Eventually([&] {
    routes = WithoutPathIds(RoutesOf(*engine_, exporter, rd));
    return routes == wanted;
  });
  EXPECT_EQ(routes, wanted) << log();
  return routes == wanted;
}

std::string WithRouter(const std::vector<std::string>& programs, const std::function<void(RouterLab& lab)>& body,
                       const RoutingOptions& options, const std::vector<RoutingObserver*>& observers) {
  for (const std::string& program : programs) {
    if (access(program.c_str(), X_OK) != 0) return program + " is not installed (tools/install_packages peers)";
  }
  return InNetworkNamespace([&] {
    RouterLab lab(options, observers);
    body(lab);
  });
}

}  // namespace flowacct::collector
