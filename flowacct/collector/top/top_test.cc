#include "flowacct/collector/top/top.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/admin/admin_server.h"
#include "flowacct/collector/admin/fake_collector.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

class TopTest : public ::testing::Test {
 protected:
  TopTest() {
    AdminServerOptions options;
    options.listen = {"127.0.0.1:0"};
    server_ = *AdminServer::Start(&api_, options);
    client_ = std::make_unique<CollectorClient>(*ParseCollectorAddress(server_->addresses()[0]), HttpClientOptions());
  }
  void Later(absl::Duration elapsed) {
    collector_.Set([elapsed](CollectorStatus* status) { *status = SampleStatusAfter(elapsed); });
  }

  FakeCollector collector_;
  AdminApi api_{&collector_, {}};
  std::unique_ptr<AdminServer> server_;
  std::unique_ptr<CollectorClient> client_;
};

TEST_F(TopTest, RatesOfTwoSamples) {
  Top top(client_.get(), {});
  ASSERT_TRUE(top.Sample().ok());
  EXPECT_TRUE(top.model().sampled);
  EXPECT_EQ(top.model().pipelines, std::vector<std::string>{"as"});
  EXPECT_TRUE(top.model().history.empty());
  Later(absl::Seconds(10));
  ASSERT_TRUE(top.Sample().ok());
  EXPECT_DOUBLE_EQ(top.model().rates.total.records, 100200);
  ASSERT_EQ(top.model().history.size(), 1u);
  // The same moment again changes nothing.
  ASSERT_TRUE(top.Sample().ok());
  EXPECT_DOUBLE_EQ(top.model().rates.total.records, 100200);
  for (int i = 1; i < 200; ++i) {
    Later(absl::Seconds(10 + i));
    ASSERT_TRUE(top.Sample().ok());
  }
  EXPECT_EQ(top.model().history.size(), 120u);
}

TEST_F(TopTest, OnlyWhatIsShownIsAskedFor) {
  Top top(client_.get(), {});
  ASSERT_TRUE(top.Sample().ok());
  EXPECT_TRUE(top.model().exporters.empty());
  EXPECT_TRUE(collector_.questions().empty());
  EXPECT_TRUE(top.OnKey({Key::kNextView}, 0, 24));
  EXPECT_EQ(top.model().view, 1u);
  ASSERT_TRUE(top.Sample().ok());
  EXPECT_EQ(top.model().exporters.size(), 3u);
  EXPECT_EQ(top.model().exporters[0].records, 0);
  std::vector<record::ExporterReport> exporters = SampleExporters();
  exporters[1].flow_records += 500;
  collector_.SetExporters(exporters);
  Later(absl::Seconds(5));
  ASSERT_TRUE(top.Sample().ok());
  EXPECT_EQ(top.model().exporters[0].exporter, "2001:db8::7");
  EXPECT_DOUBLE_EQ(top.model().exporters[0].records, 100);

  EXPECT_TRUE(top.OnKey({Key::kNextView}, 0, 24));
  ASSERT_TRUE(top.Sample().ok());
  ASSERT_EQ(collector_.questions().size(), 1u);
  EXPECT_EQ(collector_.questions()[0].pipeline, "as");
  EXPECT_EQ(collector_.questions()[0].top, 50u);
  EXPECT_EQ(top.model().group_order, 3u);  // bytes
  EXPECT_EQ(top.model().group_rates, (std::vector<double>{-1, -1, -1}));
  Later(absl::Seconds(15));
  collector_.SetAnswer(
      std::string(R"({"columns":["src_as","dst_as","packets","bytes"],"rows":[[64496,64497,121,152200]]})"));
  ASSERT_TRUE(top.Sample().ok());
  EXPECT_EQ(top.model().group_rates, std::vector<double>{100});
  EXPECT_TRUE(top.OnKey({Key::kNextView}, 0, 24));
  EXPECT_EQ(top.model().view, 0u);
  EXPECT_TRUE(top.OnKey({Key::kPreviousView}, 0, 24));
  EXPECT_EQ(top.model().view, 2u);
  EXPECT_TRUE(top.OnKey({Key::kView, 1}, 0, 24));
  EXPECT_EQ(top.model().view, 1u);
  EXPECT_TRUE(top.OnKey({Key::kView, 7}, 0, 24));
  EXPECT_EQ(top.model().view, 1u);
  EXPECT_FALSE(top.OnKey({Key::kQuit}, 0, 24));
}

TEST_F(TopTest, ScrollingStaysWithin) {
  Top top(client_.get(), {});
  top.OnKey({Key::kUp}, 10, 4);
  EXPECT_EQ(top.model().scroll, 0u);
  top.OnKey({Key::kPageDown}, 10, 4);
  top.OnKey({Key::kDown}, 10, 4);
  EXPECT_EQ(top.model().scroll, 5u);
  top.OnKey({Key::kPageDown}, 10, 40);
  EXPECT_EQ(top.model().scroll, 10u);
  top.OnKey({Key::kUp}, 3, 4);  // less to scroll than before
  EXPECT_EQ(top.model().scroll, 2u);
  top.OnKey({Key::kPageUp}, 3, 4);
  EXPECT_EQ(top.model().scroll, 0u);
  top.OnKey({Key::kPause}, 3, 4);
  EXPECT_TRUE(top.model().paused);
}

TEST_F(TopTest, ACollectorThatGoesAwayStaysShown) {
  Top top(client_.get(), {});
  ASSERT_TRUE(top.Sample().ok());
  const std::string address = server_->addresses()[0];
  server_.reset();
  EXPECT_TRUE(absl::IsUnavailable(top.Sample()));
  EXPECT_TRUE(absl::StrContains(top.model().trouble, "no collector answers"));
  EXPECT_EQ(top.model().status.version, "0.1.0");
  AdminServerOptions options;
  options.listen = {address};
  server_ = *AdminServer::Start(&api_, options);
  Later(absl::Seconds(1));
  EXPECT_TRUE(top.Sample().ok());
  EXPECT_EQ(top.model().trouble, "");
}

TEST_F(TopTest, QuestionsThatAreWrong) {
  TopOptions options;
  options.view = 2;
  collector_.SetAnswer(absl::InvalidArgumentError("by: no field is called \"x\""));
  Top top(client_.get(), options);
  EXPECT_EQ(top.Sample(), absl::InvalidArgumentError("by: no field is called \"x\""));
  EXPECT_EQ(top.model().group_trouble, "by: no field is called \"x\"");
  options.question.pipeline = "nowhere";
  const absl::Status status = Top(client_.get(), options).Sample();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "there are as")) << status;
  collector_.Set([](CollectorStatus* s) { s->pipelines.clear(); });
  EXPECT_TRUE(absl::StrContains(Top(client_.get(), options).Sample().message(), "memory {}"));
}

TEST_F(TopTest, OnceIsOnePlainFrame) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  TopOptions options;
  options.once = true;
  options.interval = absl::Milliseconds(50);
  std::thread later([this] {
    absl::SleepFor(absl::Milliseconds(10));
    Later(absl::Seconds(10));
  });
  const absl::Status status = RunTop(
      client_.get(), options, [] { return false; }, ends[0], ends[1]);
  later.join();
  close(ends[1]);
  EXPECT_TRUE(status.ok()) << status;
  std::string text(65536, '\0');
  text.resize(static_cast<size_t>(read(ends[0], &text[0], text.size())));
  close(ends[0]);
  EXPECT_TRUE(absl::StartsWith(text, "flowacct-collector 0.1.0")) << text;
  EXPECT_FALSE(absl::StrContains(text, "\x1b"));
  EXPECT_EQ(text.find("INPUT"), text.rfind("INPUT"));
}

// A person at a terminal: sees, changes the view, makes it smaller, and leaves; the terminal is as before.
TEST_F(TopTest, OnATerminal) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) GTEST_SKIP() << "no pseudo-terminal here";
  const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
  if (terminal < 0) GTEST_SKIP() << "no pseudo-terminal here";
  const winsize size{24, 80, 0, 0};
  ioctl(master, TIOCSWINSZ, &size);
  termios before{};
  tcgetattr(terminal, &before);

  std::atomic<bool> done{false};
  absl::Status status;
  std::thread watching([&] {
    TopOptions options;
    options.interval = absl::Milliseconds(100);
    status = RunTop(
        client_.get(), options, [] { return false; }, terminal, terminal);
    done = true;
  });
  std::string seen;
  const auto see = [master, &seen](absl::string_view what) {
    const absl::Time end = absl::Now() + absl::Seconds(20);
    const size_t from = seen.size();
    while (absl::Now() < end) {
      pollfd waiting{master, POLLIN, 0};
      char octets[4096];
      if (poll(&waiting, 1, 100) == 1) {
        const ssize_t n = read(master, octets, sizeof(octets));
        if (n > 0) seen.append(octets, static_cast<size_t>(n));
      }
      if (absl::StrContains(absl::string_view(seen).substr(from), what)) return true;
    }
    return false;
  };
  const auto press = [master](absl::string_view keys) {
    EXPECT_EQ(write(master, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  };
  EXPECT_TRUE(see("\x1b[?1049h"));
  EXPECT_TRUE(see("PIPELINE"));
  press("\t");
  EXPECT_TRUE(see("2001:db8::7"));
  press("3");
  EXPECT_TRUE(see("64496"));
  press("p");
  EXPECT_TRUE(see("PAUSED"));
  press("p1");
  EXPECT_TRUE(see("PIPELINE"));
  const winsize small{8, 30, 0, 0};
  ioctl(master, TIOCSWINSZ, &small);
  EXPECT_TRUE(see("lines 1 to 4 of "));
  press("q");
  EXPECT_TRUE(see("\x1b[?1049l"));
  watching.join();
  EXPECT_TRUE(done);
  EXPECT_TRUE(status.ok()) << status;
  termios after{};
  tcgetattr(terminal, &after);
  EXPECT_EQ(after.c_lflag, before.c_lflag);
  EXPECT_EQ(after.c_cc[VSUSP], before.c_cc[VSUSP]);
  close(terminal);
  close(master);
}

}  // namespace
}  // namespace flowacct::collector
