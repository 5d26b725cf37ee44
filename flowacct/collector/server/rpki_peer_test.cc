// Debian's stayrtr tells a collector who may originate which prefix: the routes of its flows are validated, and
// otherwise once stayrtr has read another file.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/routes_fixture.h"
#include "flowacct/collector/validation/testing/fake_cache.h"
#include "gtest/gtest.h"

extern char** environ;

namespace flowacct::collector {
namespace {

constexpr char kStayRtr[] = "/usr/bin/stayrtr";

// A program that ends with this.
class Program {
 public:
  Program(std::vector<std::string> command, std::string log) : log_(std::move(log)) {
    // It ends with the test, however that does.
    command.insert(command.begin(), {"/usr/bin/setpriv", "--pdeathsig", "KILL"});
    std::vector<char*> argv;
    for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    // Sanitizers and others block signals in threads of theirs: the program begins with none blocked.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    EXPECT_EQ(posix_spawn(&pid_, argv[0], &files, &attributes, argv.data(), environ), 0) << argv[0];
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
  }
  ~Program() {
    if (pid_ <= 0) return;
    int status = 0;
    const absl::Time kill_at = absl::Now() + absl::Seconds(3);
    kill(pid_, SIGTERM);
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (absl::Now() > kill_at) kill(pid_, SIGKILL);
      absl::SleepFor(absl::Milliseconds(10));
    }
  }
  void Signal(int number) const { kill(pid_, number); }
  std::string log() const {
    std::ifstream file(log_);
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }

 private:
  const std::string log_;
  pid_t pid_ = 0;
};

class RpkiPeerTest : public ServerRoutesTest, public testing::WithParamInterface<int> {};

TEST_P(RpkiPeerTest, WhatStayRtrTellsDecides) {
  if (access(kStayRtr, X_OK) != 0) GTEST_SKIP() << kStayRtr << " is not installed (tools/install_packages peers)";
  const std::string version = absl::StrCat(GetParam()), file = File("vrps.json");
  const auto put = [&](const std::string& roas) {
    std::ofstream(file + ".new") << "{\"metadata\":{\"buildtime\":\"2026-01-01T00:00:00Z\"},\"roas\":[" << roas << "]}";
    ASSERT_EQ(std::rename((file + ".new").c_str(), file.c_str()), 0);
  };
  put("{\"asn\":64502,\"prefix\":\"10.0.0.0/8\",\"maxLength\":16,\"ta\":\"test\"},"
      "{\"asn\":\"AS64999\",\"prefix\":\"198.51.100.0/22\",\"maxLength\":24,\"ta\":\"test\"},"
      "{\"asn\":64502,\"prefix\":\"2001:db8::/32\",\"maxLength\":48,\"ta\":\"test\"}");
  std::string cache;
  {
    FakeCache free_port;
    cache = free_port.url();
  }
  const Program stayrtr(
      {kStayRtr, "-bind", cache.substr(sizeof("tcp://") - 1), "-metrics.addr", "", "-cache", file, "-checktime=false",
       "-protocol", version, "-refresh", "1", "-rtr.refresh", "1", "-rtr.retry", "1", "-rtr.expire", "600"},
      File("stayrtr.log"));
  // It listens before it is asked: nobody waits for a second attempt.
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(stayrtr.log(), "Server started"); })) << stayrtr.log();
  StartServer(absl::StrCat(
      Text("pipeline { name: \"p\" by: \"src_roa,dst_roa\" sum: \"flows\" every: \"1d\" enrich { routes {} } sink { "
           "memory {} } }\n"),
      "rpki { cache: \"", cache, "\" }"));
  const auto state = [&](const std::string& prefix, const std::string& as) {
    const auto answer = server_->Rpki({prefix, as});
    return answer.ok() ? *answer : std::string(answer.status().message());
  };
  const auto becomes = [&](const std::string& prefix, const std::string& as, const std::string& wanted) {
    return Eventually([&] { return absl::StrContains(state(prefix, as), "\"state\":\"" + wanted + "\""); });
  };
  const auto peer = Connect();
  bgp::testing::UpdateBuilder update(peer->context());
  update.Origin(0).AsPath({64501, 64502}).NextHop("203.0.113.7");
  update.Announce("10.0.0.0/16").Announce("198.51.100.0/24").Announce("192.0.2.0/24");
  ASSERT_TRUE(peer->Send(update.Message()));
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(Lookup("192.0.2.1"), "64502"); }));

  ASSERT_TRUE(becomes("10.0.0.0/16", "64502", "valid")) << state("", "") << stayrtr.log();
  EXPECT_TRUE(becomes("2001:db8:1::/48", "64502", "valid"));
  EXPECT_EQ(server_->Status().rpki.vrps, 3u);
  SendFlow("10.0.0.1", "198.51.100.1");
  SendFlow("198.51.100.1", "192.0.2.1");
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"valid\", \"invalid\", 1]")) << Rows();
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"invalid\", \"not_found\", 1]")) << Rows();

  put("{\"asn\":64999,\"prefix\":\"10.0.0.0/8\",\"maxLength\":16,\"ta\":\"test\"},"
      "{\"asn\":64502,\"prefix\":\"198.51.100.0/22\",\"maxLength\":24,\"ta\":\"test\"},"
      "{\"asn\":64502,\"prefix\":\"192.0.2.0/24\",\"maxLength\":24,\"ta\":\"test\"}");
  stayrtr.Signal(SIGHUP);
  ASSERT_TRUE(becomes("192.0.2.0/24", "64502", "valid")) << state("", "") << stayrtr.log();
  SendFlow("10.0.0.1", "198.51.100.1");
  SendFlow("192.0.2.1", "10.0.0.1");
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"invalid\", \"valid\", 1]")) << Rows();
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"valid\", \"invalid\", 2]")) << Rows();
  const RpkiCacheStatus told = server_->Status().rpki.caches[0];
  EXPECT_EQ(absl::StrCat(told.version), version);
  EXPECT_EQ(told.connections, 1u);
  EXPECT_EQ(told.failures, 0u) << told.last_error;
  EXPECT_EQ(told.vrps, 3u);
}

INSTANTIATE_TEST_SUITE_P(Versions, RpkiPeerTest, testing::Values(0, 1));

}  // namespace
}  // namespace flowacct::collector
