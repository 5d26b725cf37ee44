// Each test acts in a process of its own, as signals, users and filters of system calls are a process's.

#include "flowacct/collector/service/service.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

// The exit code of `act` in a child; 128 and the signal if one ended it.
int InChild(const std::function<int()>& act) {
  const pid_t child = fork();
  if (child == 0) _exit(act());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(ServiceTest, SignalsReloadAndEnd) {
  for (const int last : {SIGTERM, SIGINT}) {
    EXPECT_EQ(InChild([last] {
                BlockSignals();
                int reloads = 0;
                ServiceCalls calls;
                calls.reload = [&reloads, last] {
                  ++reloads;
                  kill(getpid(), reloads < 3 ? SIGHUP : last);
                };
                kill(getpid(), SIGHUP);
                return RunService(calls) == last && reloads == 3 ? 0 : 1;
              }),
              0);
  }
}

TEST(ServiceTest, EndsWhenItIsAsked) {
  EXPECT_EQ(InChild([] {
              BlockSignals();
              int seconds = 0;
              ServiceCalls calls;
              calls.every_second = [&seconds] {
                ++seconds;
                EndService();
              };
              return RunService(calls) == 0 && seconds == 1 ? 0 : 1;
            }),
            0);
}

TEST(ServiceTest, AReaderThatIsGoneDoesNotEndIt) {
  EXPECT_EQ(InChild([] {
              BlockSignals();
              int ends[2];
              if (pipe(ends) != 0) return 1;
              close(ends[0]);
              return write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
            }),
            0);
}

TEST(ServiceTest, UsersThatAreNotThereAreNamed) {
  EXPECT_TRUE(DropPrivileges("", "", "").ok());
  const absl::Status user = DropPrivileges("no-such-user", "", "");
  EXPECT_TRUE(absl::StrContains(user.message(), "user: there is no \"no-such-user\"")) << user;
  const absl::Status group = DropPrivileges("", "no-such-group", "");
  EXPECT_TRUE(absl::StrContains(group.message(), "group: there is no \"no-such-group\"")) << group;
}

TEST(ServiceTest, BecomesTheUserAndGivesItTheFolder) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  std::string folder = absl::StrCat(testing::TempDir(), "/service-XXXXXX");
  ASSERT_NE(mkdtemp(&folder[0]), nullptr);
  const std::string file = absl::StrCat(folder, "/state");
  std::ofstream(file) << "x";
  EXPECT_EQ(InChild([&] {
              if (!DropPrivileges("nobody", "", folder).ok()) return 1;
              return getuid() != 0 && geteuid() != 0 && getgid() != 0 && setuid(0) != 0 ? 0 : 2;
            }),
            0);
  struct stat of_folder, of_file;
  ASSERT_EQ(stat(folder.c_str(), &of_folder), 0);
  ASSERT_EQ(stat(file.c_str(), &of_file), 0);
  EXPECT_NE(of_folder.st_uid, 0u);
  EXPECT_EQ(of_file.st_uid, of_folder.st_uid);
}

TEST(ServiceTest, OtherSystemCallsAreRefused) {
#ifdef FLOWACCT_SANITIZED
  GTEST_SKIP() << "a sanitizer's own calls are not on the list";
#endif
  EXPECT_EQ(InChild([] {
              if (!RestrictSystemCalls().ok()) return 77;
              const bool refused = ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == -1 && errno == EPERM;
              const bool works = write(STDERR_FILENO, "", 0) == 0;
              return refused && works ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace flowacct::collector
