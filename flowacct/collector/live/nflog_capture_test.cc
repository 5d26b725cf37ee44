// Packets that a rule of the Linux firewall logs, in a network namespace that the test makes.

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/collector/live/interface_capture.h"
#include "flowacct/collector/socket/descriptor.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr char kRules[] =
    "/usr/sbin/nft 'add table inet t; add chain inet t out { type filter hook output priority 0; }; "
    "add rule inet t out udp dport 9999 meta mark set 42 log group 5 snaplen 100' 2>&1";

TEST(NflogCaptureTest, SeesWhatARuleLogs) {
  if (access("/usr/sbin/nft", X_OK) != 0) GTEST_SKIP() << "nft is not installed (tools/install_packages peers)";
  if (unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "network namespaces need root";
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  ASSERT_EQ(ioctl(socket.get(), SIOCSIFFLAGS, &request), 0);
  if (std::system(kRules) != 0) GTEST_SKIP() << "this kernel has no nftables with log";

  InterfaceCaptureOptions options;
  options.device = "nflog:5";
  options.snap_length = 1024;
  auto capture = InterfaceCapture::New(options);
  ASSERT_TRUE(capture.ok()) << capture.status();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string payload(300, 'x');
  for (int i = 0; i < 200; ++i) {
    to.sin_port = htons(i % 2 == 0 ? 9999 : 9998);  // every second one is not logged
    ASSERT_EQ(
        sendto(socket.get(), payload.data(), payload.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
        300);
  }
  size_t packets = 0;
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (packets < 100 && absl::Now() < deadline) {
    for (const CapturedPacket& packet : (*capture)->Read()) {
      ++packets;
      EXPECT_EQ(packet.link_type, 101u);
      EXPECT_EQ(packet.octets.size(), 100u) << "what the rule copies";
      EXPECT_EQ(packet.wire_length, 20u + 8 + 300);
      EXPECT_EQ(packet.octets[9], 17u);
      EXPECT_EQ(packet.in_if, 0u);
      EXPECT_EQ(packet.out_if, if_nametoindex("lo"));
      EXPECT_EQ(packet.mark, 42u);
      EXPECT_LT(absl::AbsDuration(absl::FromUnixNanos(packet.time_nanos) - absl::Now()), absl::Seconds(60));
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_EQ(packets, 100u);
  EXPECT_EQ((*capture)->counters().kernel_drops, 0u);
}

}  // namespace
}  // namespace flowacct::collector
