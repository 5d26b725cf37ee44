#include "flowacct/sink/amqp/cutter.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace flowacct::sink::amqp {
namespace {

class CutterTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets_), 0); }
  void TearDown() override {
    for (const int socket : sockets_) close(socket);
  }
  // Whether it is shut down within so long.
  bool IsCut(absl::Duration patience) const {
    pollfd wait = {sockets_[0], POLLIN, 0};
    char octet = 0;
    return poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) > 0 &&
           read(sockets_[0], &octet, 1) == 0;
  }

  int sockets_[2] = {-1, -1};
};

TEST_F(CutterTest, CutsWhenTimeIsOver) {
  Cutter cutter;
  for (int i = 0; i < 3; ++i) {
    cutter.Arm(sockets_[0], absl::Milliseconds(50));
    EXPECT_FALSE(cutter.has_cut());
    EXPECT_TRUE(IsCut(absl::Seconds(20)));
    EXPECT_TRUE(cutter.has_cut());
    cutter.Disarm();
    TearDown();
    SetUp();
  }
}

TEST_F(CutterTest, IsHeldOff) {
  Cutter cutter;
  cutter.Arm(sockets_[0], absl::Seconds(2));
  for (const absl::Time end = absl::Now() + absl::Seconds(3); absl::Now() < end;) {
    EXPECT_FALSE(IsCut(absl::Milliseconds(50)));
    cutter.Extend();
  }
  cutter.Arm(sockets_[0], absl::Milliseconds(300));
  cutter.Disarm();
  EXPECT_FALSE(IsCut(absl::Milliseconds(500)));
  EXPECT_FALSE(cutter.has_cut());
  // Ends at once with a socket that has time left.
  cutter.Arm(sockets_[0], absl::Hours(1));
}

}  // namespace
}  // namespace flowacct::sink::amqp
