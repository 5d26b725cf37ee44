#include "flowacct/collector/routelog/log_file_set.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "flowacct/bgp/testing/update_builder.h"

namespace flowacct::collector {
namespace {

using bgp::testing::AddressOf;

const absl::Time kTime = absl::FromUnixSeconds(1795917370);  // 2026-11-29 01:56:10

class LogFileSetTest : public testing::Test {
 protected:
  LogFileSetTest() : folder_(absl::StrCat(testing::TempDir(), "/logs.XXXXXX")) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~LogFileSetTest() override { (void)!system(absl::StrCat("rm -rf ", folder_).c_str()); }
  std::string Path(absl::string_view name) const { return absl::StrCat(folder_, "/", name); }
  static std::string Read(const std::string& name) {
    std::ifstream in(name);
    std::stringstream text;
    text << in.rdbuf();
    return in.is_open() ? text.str() : "(none)";
  }
  LogFileOptions Options(absl::string_view pattern) const {
    LogFileOptions options;
    options.pattern = Path(pattern);
    return options;
  }

  std::string folder_;
  const LogTeller v4_{AddressOf("192.0.2.1"), 179};
  const LogTeller v6_{AddressOf("2001:db8::7"), 40000};
};

TEST_F(LogFileSetTest, Names) {
  const auto name = [](absl::string_view pattern, const LogTeller& teller) {
    return ExpandLogName(pattern, teller, kTime, absl::UTCTimeZone());
  };
  EXPECT_EQ(name("bgp-$peer_src_ip-%Y%m%d-%H%M.json", v4_), "bgp-192_0_2_1-20261129-0156.json");
  EXPECT_EQ(name("$bmp_router/$bmp_router_port", v6_), "2001_db8__7/40000");
  EXPECT_EQ(name("$peer_src_ip:$peer_tcp_port", v6_), "2001_db8__7:40000");
  EXPECT_EQ(ExpandLogName("%H", v4_, kTime, absl::FixedTimeZone(7200)), "03");
  // Whoever it is: digits, letters of hexadecimal numbers and '_'.
  for (const char* text : {"::", "::ffff:1.2.3.4", "fe80::1", "255.255.255.255"}) {
    EXPECT_EQ(name("$peer_src_ip", {AddressOf(text), 0}).find_first_not_of("0123456789abcdef_"), std::string::npos);
  }
  EXPECT_FALSE(CheckLogPattern("", true).ok());
  EXPECT_FALSE(CheckLogPattern("/tmp/", true).ok());
  EXPECT_FALSE(CheckLogPattern(std::string(5000, 'a'), true).ok());
  EXPECT_TRUE(CheckLogPattern("bgp.json", false).ok());
  for (const char* pattern : {"a-$peer_tcp_port", "$bmp_router-$bmp_router_port.json"}) {
    EXPECT_TRUE(CheckLogPattern(pattern, true).ok());
    EXPECT_FALSE(CheckLogPattern(pattern, false).ok());
  }
}

TEST_F(LogFileSetTest, FilesOfTellersAndTimes) {
  LogFileSet files(Options("new/folder/$peer_src_ip-%H%M.json"));
  files.Append(v4_, kTime, "1\n2\n", 2);
  files.Append(v6_, kTime, "3\n", 1);
  files.Append(v4_, kTime + absl::Minutes(1), "4\n", 1);
  files.Append(v4_, kTime, "5\n", 1);
  EXPECT_EQ(Read(Path("new/folder/192_0_2_1-0156.json")), "");
  files.Flush();
  EXPECT_EQ(Read(Path("new/folder/192_0_2_1-0156.json")), "1\n2\n5\n");
  EXPECT_EQ(Read(Path("new/folder/192_0_2_1-0157.json")), "4\n");
  EXPECT_EQ(Read(Path("new/folder/2001_db8__7-0156.json")), "3\n");
  EXPECT_EQ(files.counters().lines, 5u);
  EXPECT_EQ(files.counters().open, 3u);
  files.Tick(kTime + absl::Minutes(7));
  EXPECT_EQ(files.counters().open, 0u);
}

TEST_F(LogFileSetTest, NoMoreOpenThanMayBe) {
  LogFileOptions options = Options("$peer_src_ip");
  options.max_open = 2;
  LogFileSet files(options);
  for (int round = 0; round < 3; ++round) {
    for (int i = 1; i <= 5; ++i) {
      files.Append({AddressOf(absl::StrCat("10.0.0.", i)), 0}, kTime + absl::Seconds(round), "x\n", 1);
      EXPECT_LE(files.counters().open, 2u);
    }
  }
  files.Flush();
  for (int i = 1; i <= 5; ++i) EXPECT_EQ(Read(Path(absl::StrCat("10_0_0_", i))), "x\nx\nx\n");
  EXPECT_EQ(files.counters().lines, 15u);
}

TEST_F(LogFileSetTest, MovedFilesAreLeftAlone) {
  LogFileSet files(Options("log"));
  files.Append(v4_, kTime, "1\n", 1);
  files.Flush();
  ASSERT_EQ(rename(Path("log").c_str(), Path("log.1").c_str()), 0);
  // Until somebody looks, the old one goes on.
  files.Append(v4_, kTime, "2\n", 1);
  files.Tick(kTime);
  files.Append(v4_, kTime, "3\n", 1);
  files.Flush();
  EXPECT_EQ(Read(Path("log.1")), "1\n2\n");
  EXPECT_EQ(Read(Path("log")), "3\n");
  files.Reopen();
  EXPECT_EQ(files.counters().open, 0u);
  ASSERT_EQ(rename(Path("log").c_str(), Path("log.2").c_str()), 0);
  files.Append(v4_, kTime, "4\n", 1);
  files.Flush();
  EXPECT_EQ(Read(Path("log")), "4\n");
}

TEST_F(LogFileSetTest, AFullDiskLeavesWholeLines) {
  // The system's bound on the size of a file stands for the disk's.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const std::string line(99, 'x');
  {
    LogFileSet files(Options("log"));
    rlimit small = before;
    small.rlim_cur = 1050;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 20; ++i) files.Append(v4_, kTime, line + "\n", 1);
    files.Flush();
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(files.counters().lines, 10u);
    EXPECT_EQ(files.counters().lost, 10u);
    EXPECT_EQ(files.counters().errors, 1u);
    EXPECT_NE(files.error(), "");
    EXPECT_EQ(Read(Path("log")).size(), 1000u);
    // There is room again.
    files.Append(v4_, kTime, line + "\n", 1);
    files.Flush();
    EXPECT_EQ(files.error(), "");
    EXPECT_EQ(Read(Path("log")).size(), 1100u);
  }
  LogFileOptions full;
  full.pattern = "/dev/full";
  LogFileSet files(full);
  files.Append(v4_, kTime, "1\n2\n", 2);
  files.Flush();
  EXPECT_EQ(files.counters().lost, 2u);
  EXPECT_NE(files.error().find("/dev/full: No space left"), std::string::npos) << files.error();
}

TEST_F(LogFileSetTest, WhatCannotBeOpenedIsCounted) {
  LogFileSet files(Options("file/below"));
  std::ofstream(Path("file")) << "a file";
  files.Append(v4_, kTime, "1\n", 1);
  files.Append(v4_, kTime, "2\n3\n", 2);
  EXPECT_EQ(files.counters().lost, 3u);
  EXPECT_EQ(files.counters().errors, 2u);
  EXPECT_NE(files.error().find("cannot open"), std::string::npos);
}

}  // namespace
}  // namespace flowacct::collector
