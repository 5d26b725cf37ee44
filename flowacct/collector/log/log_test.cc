#include "flowacct/collector/log/log.h"

#include <fcntl.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    options_.clock = [this] { return now_; };
    options_.output = [this](absl::string_view line) {
      if (!takes_) return false;
      lines_.emplace_back(line);
      return true;
    };
  }

  LogOptions options_;
  absl::Time now_ = absl::FromUnixMillis(1767225600250);
  bool takes_ = true;
  std::vector<std::string> lines_;
};

TEST_F(LogTest, Logfmt) {
  Log log(options_);
  log.Warning("kernel_drops", "the kernel dropped datagrams",
              {{"input", "exports"}, {"dropped", 1200}, {"share", 0.25}, {"again", true}, {"balance", int64_t{-3}}});
  log.Error(
      "sink", "cannot write",
      {{"error", "a \"b\"=c\nd\x1b[31m"}, {"path", "C:\\x"}, {"empty", ""}, {"odd", "x\xff"}, {"most", ~uint64_t{0}}});
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_EQ(lines_[0],
            "time=2026-01-01T00:00:00.25Z level=warning kind=kernel_drops msg=\"the kernel dropped datagrams\" "
            "input=exports dropped=1200 share=0.25 again=true balance=-3\n");
  EXPECT_EQ(lines_[1],
            "time=2026-01-01T00:00:00.25Z level=error kind=sink msg=\"cannot write\" "
            "error=\"a \\\"b\\\"=c\\nd\\u001b[31m\" path=\"C:\\\\x\" empty=\"\" odd=\"x\xef\xbf\xbd\" "
            "most=18446744073709551615\n");
}

TEST_F(LogTest, Json) {
  options_.format = LogFormat::kJson;
  Log log(options_);
  log.Info("start", "ready \"now\"",
           {{"workers", 2u}, {"ok", false}, {"nan", std::numeric_limits<double>::quiet_NaN()}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0],
            "{\"time\":\"2026-01-01T00:00:00.25Z\",\"level\":\"info\",\"kind\":\"start\",\"msg\":\"ready \\\"now\\\"\","
            "\"workers\":2,\"ok\":false,\"nan\":\"nan\"}\n");
}

TEST_F(LogTest, ForTheJournal) {
  options_.journal = true;
  options_.level = LogLevel::kDebug;
  Log log(options_);
  log.Debug("a", "x");
  log.Info("a", "x");
  log.Warning("a", "x");
  log.Error("a", "x");
  options_.format = LogFormat::kJson;
  Log json(options_);
  json.Error("a", "x");
  EXPECT_EQ(lines_, (std::vector<std::string>{"<7>level=debug kind=a msg=x\n", "<6>level=info kind=a msg=x\n",
                                              "<4>level=warning kind=a msg=x\n", "<3>level=error kind=a msg=x\n",
                                              "<3>{\"level\":\"error\",\"kind\":\"a\",\"msg\":\"x\"}\n"}));
}

TEST_F(LogTest, Levels) {
  options_.level = LogLevel::kWarning;
  Log log(options_);
  log.Debug("a", "x");
  log.Info("a", "x");
  EXPECT_TRUE(lines_.empty());
  log.Warning("a", "x");
  log.Error("a", "x");
  EXPECT_EQ(lines_.size(), 2u);
  EXPECT_EQ(log.counters().suppressed, 0u);
  EXPECT_EQ(*LogLevelFromName("warning"), LogLevel::kWarning);
  EXPECT_EQ(LogLevelName(LogLevel::kError), "error");
  EXPECT_EQ(LogLevelFromName("warn").status().message(),
            "log level: \"warn\" is none; known are debug, info, warning, error");
}

TEST_F(LogTest, AFloodOfOneKind) {
  Log log(options_);
  for (int i = 0; i < 1000; ++i) log.Warning("flood", "x", {{"i", i}});
  log.Warning("another", "y");
  ASSERT_EQ(lines_.size(), 6u);
  EXPECT_TRUE(absl::StrContains(lines_[4], " i=4\n"));
  EXPECT_TRUE(absl::StrContains(lines_[5], "kind=another"));
  EXPECT_EQ(log.counters().suppressed, 995u);
  // A line a minute goes on, and tells what was kept back.
  now_ += absl::Seconds(59);
  log.Warning("flood", "x");
  EXPECT_EQ(lines_.size(), 6u);
  now_ += absl::Seconds(1);
  log.Warning("flood", "x");
  log.Warning("flood", "x");
  ASSERT_EQ(lines_.size(), 7u);
  EXPECT_TRUE(absl::StrContains(lines_[6], "kind=flood suppressed=996 msg=x\n")) << lines_[6];
  // After a long silence a burst is fine again.
  now_ += absl::Hours(1);
  for (int i = 0; i < 10; ++i) log.Warning("flood", "x");
  EXPECT_EQ(lines_.size(), 12u);
  EXPECT_TRUE(absl::StrContains(lines_[7], "suppressed=1 "));
  EXPECT_EQ(log.counters().lines, 12u);
  EXPECT_EQ(log.counters().suppressed, 995u + 1 + 1 + 5);
}

// Each entry is a line, or in a line's suppressed=.
TEST_F(LogTest, NothingIsLostWithoutBeingTold) {
  uint64_t written = 0;
  {
    Log log(options_);
    for (int i = 0; i < 5000; ++i) {
      now_ += absl::Milliseconds(i * 7919 % 1000);
      log.Info(absl::StrCat("kind", i % 7), "x");
      if (i % 100 == 0) log.Tick();
      ++written;
    }
  }
  uint64_t told = 0;
  for (const std::string& line : lines_) {
    if (!absl::StrContains(line, "were kept back")) ++told;
    const size_t at = line.find("suppressed=");
    if (at != std::string::npos) told += std::stoul(line.substr(at + 11));
  }
  EXPECT_EQ(told, written);
  EXPECT_LT(lines_.size(), 500u);
}

TEST_F(LogTest, WhatCameNoMoreIsToldByTheTick) {
  Log log(options_);
  for (int i = 0; i < 8; ++i) log.Error("b", "x");
  for (int i = 0; i < 7; ++i) log.Info("a", "x");
  log.Tick();
  EXPECT_EQ(lines_.size(), 10u);
  now_ += absl::Minutes(1);
  log.Tick();
  log.Tick();
  ASSERT_EQ(lines_.size(), 12u);
  EXPECT_EQ(lines_[10], "time=2026-01-01T00:01:00.25Z level=info kind=a suppressed=2 msg=\"lines were kept back\"\n");
  EXPECT_EQ(lines_[11], "time=2026-01-01T00:01:00.25Z level=error kind=b suppressed=3 msg=\"lines were kept back\"\n");
}

TEST_F(LogTest, TheEndTellsWhatWasKeptBack) {
  {
    Log log(options_);
    for (int i = 0; i < 8; ++i) log.Error("b", "x");
  }
  ASSERT_EQ(lines_.size(), 6u);
  EXPECT_TRUE(absl::StrContains(lines_[5], "suppressed=3"));
}

TEST_F(LogTest, AClockThatGoesBack) {
  Log log(options_);
  for (int i = 0; i < 8; ++i) log.Error("b", "x");
  now_ -= absl::Hours(24);
  log.Error("b", "x");
  EXPECT_EQ(lines_.size(), 5u);
  now_ += absl::Minutes(1);
  log.Error("b", "x");
  EXPECT_EQ(lines_.size(), 6u);
  now_ = absl::InfinitePast();
  log.Error("b", "x");
  now_ = absl::InfiniteFuture();
  for (int i = 0; i < 10; ++i) log.Error("b", "x");
  EXPECT_GE(lines_.size(), 11u);
}

TEST_F(LogTest, KindsAreBounded) {
  options_.max_kinds = 10;
  Log log(options_);
  for (int i = 0; i < 1000; ++i) log.Info(absl::StrCat("k", i), "x");
  EXPECT_EQ(lines_.size(), 10u + options_.burst);
  EXPECT_TRUE(absl::StrContains(lines_[12], "kind=k12 ")) << lines_[12];
}

TEST_F(LogTest, NoLimit) {
  options_.every = absl::ZeroDuration();
  Log log(options_);
  for (int i = 0; i < 100; ++i) log.Info("a", "x");
  EXPECT_EQ(lines_.size(), 100u);
}

TEST_F(LogTest, LinesAreBounded) {
  options_.every = absl::ZeroDuration();
  options_.max_line_octets = 400;
  for (const LogFormat format : {LogFormat::kLogfmt, LogFormat::kJson}) {
    lines_.clear();
    options_.format = format;
    Log log(options_);
    for (const std::string& text : {std::string(100000, 'x'), std::string(1000, '\n'), std::string(1000, '"')}) {
      log.Info("a", "before", {{"text", text}, {"after", 1}, {"more", "word"}});
    }
    std::string wide;
    for (int i = 0; i < 1000; ++i) wide += "ü€";
    for (size_t i = 0; i < 5; ++i) log.Info("a", std::string(i, '.') + wide);
    ASSERT_EQ(lines_.size(), 8u);
    EXPECT_EQ(log.counters().shortened, 8u);
    for (const std::string& line : lines_) {
      EXPECT_LE(line.size(), 400u);
      EXPECT_GT(line.size(), 250u);
      EXPECT_EQ(line.find('\n'), line.size() - 1);
      EXPECT_TRUE(absl::StrContains(line, "…")) << line;
      EXPECT_FALSE(absl::StrContains(line, "\xef\xbf\xbd")) << line;
      if (format == LogFormat::kJson) {
        rapidjson::Document document;
        document.Parse(line.c_str());
        EXPECT_FALSE(document.HasParseError()) << line;
      }
    }
  }
}

TEST_F(LogTest, AnOutputThatTakesNothing) {
  Log log(options_);
  takes_ = false;
  log.Error("a", "x");
  log.Error("a", "y");
  EXPECT_EQ(log.counters().lost, 2u);
  takes_ = true;
  log.Error("a", "z");
  log.Error("a", "w");
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_TRUE(absl::StrContains(lines_[0], "lost=2 msg=z"));
  EXPECT_FALSE(absl::StrContains(lines_[1], "lost="));
  EXPECT_EQ(log.counters().lines, 2u);
}

TEST_F(LogTest, ManyThreads) {
  options_.clock = nullptr;
  options_.output = [this](absl::string_view line) {  // under the log's lock
    lines_.emplace_back(line);
    return true;
  };
  {
    Log log(options_);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 1000; ++i) log.Info(t % 2 == 0 ? "even" : "odd", "x", {{"i", i}});
        log.Tick();
        log.counters();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(log.counters().lines + log.counters().suppressed, 4000u);
  }
  EXPECT_EQ(lines_.size(), 2 * 5u + 2);
}

// A reader that does not read keeps nobody waiting.
TEST(StandardErrorTest, AFullPipeIsNotWaitedFor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int saved = dup(STDERR_FILENO);
  ASSERT_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
  const std::string block(4096, 'x');
  while (write(ends[1], block.data(), block.size()) > 0) {
  }
  ASSERT_EQ(fcntl(ends[1], F_SETFL, 0), 0);
  dup2(ends[1], STDERR_FILENO);
  const bool full = StandardErrorOutput("a line\n");
  std::string heard(1 << 20, '\0');
  EXPECT_GT(read(ends[0], &heard[0], heard.size()), 0);
  const bool room = StandardErrorOutput("a line\n");
  dup2(saved, STDERR_FILENO);
  close(saved);
  close(ends[1]);
  EXPECT_FALSE(full);
  EXPECT_TRUE(room);
  heard.resize(static_cast<size_t>(read(ends[0], &heard[0], heard.size())));
  EXPECT_TRUE(absl::EndsWith(heard, "a line\n"));
  close(ends[0]);
}

}  // namespace
}  // namespace flowacct::collector
