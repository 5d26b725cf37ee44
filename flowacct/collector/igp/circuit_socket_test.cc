// A tunnel interface as a program makes it (tun(4)) stands for the kernel's GRE, which not every kernel has: both give
// packets with the type that GRE told.

#include "flowacct/collector/igp/circuit_socket.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/testing/network_namespace.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using isis::CircuitKind;
using isis::EncapsulationResult;

// An interface with packets as files have them: flags (2), type (2), and the packet. "" if it is there.
std::string MakeTunnel(const char* name, Descriptor* far_end) {
  *far_end = Descriptor(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!far_end->is_open()) return "there is no /dev/net/tun";
  ifreq request = {};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN;
  if (ioctl(far_end->get(), TUNSETIFF, &request) != 0) return "no tunnel interface can be made";
  const Descriptor control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  request.ifr_flags = IFF_UP;
  return ioctl(control.get(), SIOCSIFFLAGS, &request) == 0 ? "" : "the tunnel interface does not come up";
}

std::vector<uint8_t> ReadPacket(const Descriptor& far_end) {
  std::vector<uint8_t> packet(2000);
  pollfd wait = {far_end.get(), POLLIN, 0};
  if (poll(&wait, 1, 5000) <= 0) return {};
  const ssize_t n = read(far_end.get(), packet.data(), packet.size());
  packet.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return packet;
}

TEST(CircuitSocketTest, ATunnelInterfaceCarriesPdus) {
  std::string missing;
  const std::string reason = InNetworkNamespace([&missing] {
    Descriptor far_end;
    missing = MakeTunnel("t0", &far_end);
    if (!missing.empty()) return;
    auto circuit = OpenDeviceCircuit("t0", CircuitKind::kPointToPoint);
    ASSERT_TRUE(circuit.ok()) << circuit.status();
    EXPECT_EQ((*circuit)->circuit().mtu, 1500);
    const std::vector<uint8_t> pdu = {0x83, 27, 1, 0, 17, 1, 0, 0, 3};
    std::vector<uint8_t> packet = {0, 0, 0x00, 0xfe};
    packet.insert(packet.end(), pdu.begin(), pdu.end());
    ASSERT_EQ(write(far_end.get(), packet.data(), packet.size()), static_cast<ssize_t>(packet.size()));
    pollfd wait = {(*circuit)->descriptor(), POLLIN, 0};
    ASSERT_EQ(poll(&wait, 1, 5000), 1);
    CircuitFrame frame;
    ASSERT_TRUE((*circuit)->Receive(&frame));
    EXPECT_EQ(std::vector<uint8_t>(frame.pdu.begin(), frame.pdu.end()), pdu);
    // CLNP has the same type, and is none of ours.
    packet[4] = 0x81;
    ASSERT_EQ(write(far_end.get(), packet.data(), packet.size()), static_cast<ssize_t>(packet.size()));
    ASSERT_EQ(poll(&wait, 1, 5000), 1);
    EXPECT_FALSE((*circuit)->Receive(&frame));
    EXPECT_EQ((*circuit)->counters().received[static_cast<size_t>(EncapsulationResult::kOtherOsi)], 1u);

    (*circuit)->Send(isis::Level::k1, base::Octets(pdu.data(), pdu.size()));
    EXPECT_EQ((*circuit)->counters().sent, 1u);
    packet[4] = 0x83;
    // What the system itself sends on a new interface comes before.
    std::vector<uint8_t> sent;
    for (int i = 0; i < 50 && (sent.size() < 4 || sent[3] != 0xfe); ++i) sent = ReadPacket(far_end);
    EXPECT_EQ(sent, packet);
  });
  if (!reason.empty() || !missing.empty()) GTEST_SKIP() << reason << missing;
}

TEST(CircuitSocketTest, WhatCannotBeACircuit) {
  std::string missing;
  const std::string reason = InNetworkNamespace([&missing] {
    Descriptor far_end;
    missing = MakeTunnel("t0", &far_end);
    const auto says = [](const char* device, CircuitKind kind, const char* why) {
      const auto circuit = OpenDeviceCircuit(device, kind);
      return !circuit.ok() && absl::StrContains(circuit.status().message(), why);
    };
    EXPECT_TRUE(says("nowhere0", CircuitKind::kLan, "no such interface"));
    EXPECT_TRUE(says("lo", CircuitKind::kLan, "neither Ethernet nor a GRE tunnel"));
    if (missing.empty()) {
      EXPECT_TRUE(says("t0", CircuitKind::kLan, "no LAN"));
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
