// Real packets over the loopback interface; needs the right to capture.

#include "flowacct/collector/live/interface_capture.h"

#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

TEST(InterfaceCapture, SeesWhatIsSentAndTheFilterLetsPass) {
  UdpListenerOptions listen;
  listen.address = "udp://127.0.0.1:0";
  auto group = UdpListener::NewGroup(listen, 1);
  ASSERT_TRUE(group.ok()) << group.status();
  const Endpoint& to = group->listeners[0]->endpoint();
  InterfaceCaptureOptions options;
  options.device = "lo";
  options.filter = absl::StrCat("udp dst port ", to.port);
  options.direction = CaptureDirection::kIn;  // each packet crosses lo twice
  auto capture = InterfaceCapture::New(options);
  if (absl::IsPermissionDenied(capture.status())) GTEST_SKIP() << capture.status().message();
  ASSERT_TRUE(capture.ok()) << capture.status();
  auto sender = UdpSender::New(to);
  ASSERT_TRUE(sender.ok());
  ASSERT_TRUE((*sender)->Send(std::vector<std::string>(500, std::string(300, 'x'))).ok());
  size_t packets = 0;
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (packets < 500 && absl::Now() < deadline) {
    for (const CapturedPacket& packet : (*capture)->Read()) {
      EXPECT_EQ(packet.wire_length, 14u + 20 + 8 + 300);
      EXPECT_EQ(packet.octets.size(), 256u) << "the snap length";
      EXPECT_EQ(packet.in_if, if_nametoindex("lo"));
      EXPECT_EQ(packet.out_if, 0u);
      EXPECT_LT(absl::AbsDuration(absl::FromUnixNanos(packet.time_nanos) - absl::Now()), absl::Seconds(60));
      ++packets;
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_EQ(packets, 500u);
  EXPECT_EQ((*capture)->counters().packets, 500u);
  EXPECT_EQ((*capture)->counters().kernel_drops, 0u);
}

TEST(InterfaceCapture, WhatCannotBeSaysWhy) {
  InterfaceCaptureOptions options;
  options.device = "nosuch0";
  const absl::Status device = InterfaceCapture::New(options).status();
  if (absl::IsPermissionDenied(device)) GTEST_SKIP() << device.message();
  EXPECT_EQ(std::string(device.message()), "nosuch0: there is no such interface; `ip link` lists them");
  options.device = "lo";
  options.filter = "nonsense and";
  const absl::Status filter = InterfaceCapture::New(options).status();
  EXPECT_TRUE(absl::StartsWith(filter.message(), "filter \"nonsense and\": ")) << filter;
}

}  // namespace
}  // namespace flowacct::collector
