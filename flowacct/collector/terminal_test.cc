#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "flowacct/collector/interrupt.h"
#include "flowacct/collector/progress.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

TEST(ProgressTextTest, ShareRateAndRest) {
  EXPECT_EQ(ProgressText({380000000, 1000000000, 250000}, absl::Seconds(2)),
            "38% of 1.0 GB, 250 k packets, 190 MB/s, 4 s left");
  EXPECT_EQ(ProgressText({1500, 0, 3}, absl::Seconds(1)), "1.5 kB, 3 packets, 1.5 kB/s");
  EXPECT_EQ(ProgressText({2000, 1000, 1}, absl::Seconds(1)), "100% of 1.0 kB, 1 packets, 2.0 kB/s");
  EXPECT_EQ(ProgressText({0, 1000, 0}, absl::ZeroDuration()), "0% of 1.0 kB, 0 packets, 0 B/s");
  EXPECT_TRUE(absl::StrContains(ProgressText({1000, 1000000, 0}, absl::Seconds(1)), "17 min left"));
  EXPECT_TRUE(absl::StrContains(ProgressText({1, 1000000, 0}, absl::Seconds(1)), "100 h left"));
  EXPECT_EQ(ProgressText({0, 0, 3800, "steps", 10000}, absl::Seconds(2)), "38% of 10 k steps, 4 s left");
}

TEST(ProgressTextTest, ThreeDigits) {
  EXPECT_EQ(ShortOctets(0), "0 B");
  EXPECT_EQ(ShortOctets(999), "999 B");
  EXPECT_EQ(ShortOctets(1000), "1.0 kB");
  EXPECT_EQ(ShortOctets(9949), "9.9 kB");
  EXPECT_EQ(ShortOctets(9950), "10 kB");
  EXPECT_EQ(ShortOctets(999499), "999 kB");
  EXPECT_EQ(ShortOctets(999500), "1.0 MB");
  EXPECT_EQ(ShortOctets(~uint64_t{0}), "18 EB");
}

TEST(ProgressLineTest, SilentWhereNobodyWatches) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    ProgressLine line(ends[1]);
    usleep(1100000);
    for (int i = 0; i < 1000; ++i) line.Update({1, 2, 3});
  }
  close(ends[1]);
  char octet = 0;
  EXPECT_EQ(read(ends[0], &octet, 1), 0);
  close(ends[0]);
}

TEST(ProgressLineTest, DrawnOnATerminalAndErased) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) GTEST_SKIP() << "no pseudo-terminal here";
  const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
  if (terminal < 0) GTEST_SKIP() << "no pseudo-terminal here";
  {
    ProgressLine line(terminal);
    for (int i = 0; i < 1000; ++i) line.Update({1, 2, 3});  // too early
    usleep(1100000);
    for (int i = 0; i < 1000; ++i) line.Update({500, 1000, 3});  // one drawing: the rest comes too soon
  }
  // The system hands on what was written in pieces.
  std::string seen;
  char text[4096];
  for (pollfd ready{master, POLLIN, 0}; !absl::EndsWith(seen, " left\r\x1b[K") && poll(&ready, 1, 5000) > 0;) {
    const ssize_t n = read(master, text, sizeof(text));
    ASSERT_GT(n, 0);
    seen.append(text, static_cast<size_t>(n));
  }
  EXPECT_TRUE(absl::StartsWith(seen, "\r\x1b[K50% of 1.0 kB, 3 packets")) << seen;
  EXPECT_TRUE(absl::EndsWith(seen, " left\r\x1b[K")) << seen;
  EXPECT_EQ(seen.find("50%"), seen.rfind("50%"));
  close(terminal);
  close(master);
}

TEST(InterruptTest, FirstSetsTheFlag) {
  InterruptScope interrupt;
  EXPECT_FALSE(interrupt.requested());
  {
    InterruptScope nested;
    std::raise(SIGTERM);
    EXPECT_TRUE(nested.requested());
  }
  EXPECT_TRUE(interrupt.requested());
  EXPECT_EQ(interrupt.signal_number(), SIGTERM);
}

TEST(InterruptTest, SecondHasItsUsualEffect) {
  const pid_t child = fork();
  if (child == 0) {
    InterruptScope interrupt;
    std::raise(SIGINT);
    if (!interrupt.requested()) _exit(1);
    std::raise(SIGINT);
    _exit(2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(InterruptTest, HandlersComeBack) {
  struct sigaction before {};
  sigaction(SIGINT, nullptr, &before);
  {
    InterruptScope interrupt;
    std::raise(SIGINT);
  }
  struct sigaction after {};
  sigaction(SIGINT, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
  InterruptScope again;
  EXPECT_FALSE(again.requested());
}

}  // namespace
}  // namespace flowacct::collector
