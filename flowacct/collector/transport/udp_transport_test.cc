#include "flowacct/collector/transport/udp_transport.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/transport/transport.h"
#include "flowacct/record/datagram.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::collector {
namespace {

std::unique_ptr<UdpListener> NewListener(const std::string& address) {
  UdpListenerOptions options;
  options.address = address;
  auto group = UdpListener::NewGroup(options, 1);
  EXPECT_TRUE(group.ok()) << group.status();
  return std::move(group->listeners[0]);
}

TransportOptions To(const std::string& to, const std::string& from = "") {
  TransportOptions options;
  options.to = to;
  options.from = from;
  return options;
}

TEST(UdpTransportTest, SendsOneAndMany) {
  for (const char* address : {"udp://127.0.0.1:0", "udp://[::1]:0"}) {
    const auto listener = NewListener(address);
    const auto transport = Transport::New(To(listener->endpoint().ToString()));
    ASSERT_TRUE(transport.ok()) << transport.status();
    ASSERT_TRUE((*transport)->Send(base::AsOctets("one")).ok());
    std::vector<std::string> texts;
    std::vector<base::Octets> messages;
    for (int i = 0; i < 150; ++i) texts.push_back(std::string(static_cast<size_t>(i * 9), 'm'));
    for (const std::string& text : texts) messages.push_back(base::AsOctets(text));
    EXPECT_EQ((*transport)->SendBatch(messages), 150u);
    std::vector<std::string> received;
    for (;;) {
      const auto datagrams = listener->Receive();
      if (datagrams.empty()) break;
      for (const record::Datagram& datagram : datagrams) received.emplace_back(base::AsText(datagram.octets));
    }
    ASSERT_EQ(received.size(), 151u);
    EXPECT_EQ(received[0], "one");
    for (size_t i = 0; i < 150; ++i) EXPECT_EQ(received[i + 1], texts[i]);
    const TransportCounters counters = (*transport)->counters();
    EXPECT_EQ(counters.sent, 151u);
    EXPECT_EQ(counters.octets, listener->counters().octets);
    EXPECT_EQ(counters.dropped + counters.errors + counters.queued, 0u);
    EXPECT_EQ((*transport)->session(), 1u);
    (*transport)->Close({});
    EXPECT_FALSE((*transport)->connected());
    EXPECT_FALSE((*transport)->Send(base::AsOctets("late")).ok());
    EXPECT_EQ((*transport)->counters().errors, 1u);
  }
}

TEST(UdpTransportTest, ComesFromTheAddressAndPortAsked) {
  const auto listener = NewListener("udp://127.0.0.1:0");
  const auto transport = UdpTransport::New(To(listener->endpoint().ToString(), "udp://127.0.0.9:0"));
  ASSERT_TRUE(transport.ok()) << transport.status();
  ASSERT_TRUE((*transport)->Send(base::AsOctets("x")).ok());
  // Another worker's, from the same port.
  const auto second = UdpTransport::New(To(listener->endpoint().ToString(), "udp://127.0.0.10:0"));
  ASSERT_TRUE(second.ok());
  const std::string port = (*second)->from().ToString();
  std::vector<std::unique_ptr<UdpTransport>> same;
  (*second)->Close({});
  for (int i = 0; i < 2; ++i) {
    auto transport = UdpTransport::New(To(listener->endpoint().ToString(), port));
    ASSERT_TRUE(transport.ok()) << transport.status();
    ASSERT_TRUE((*transport)->Send(base::AsOctets("x")).ok());
    same.push_back(*std::move(transport));
  }
  const auto received = listener->Receive();
  ASSERT_EQ(received.size(), 3u);
  EXPECT_EQ(received[0].source.ToString(), "127.0.0.9");
  EXPECT_EQ(received[0].source_port, (*transport)->from().port);
  EXPECT_EQ(received[1].source.ToString(), "127.0.0.10");
  EXPECT_EQ(received[1].source_port, received[2].source_port);
}

TEST(UdpTransportTest, AReceiverThatIsNotThereYet) {
  std::string address;
  {
    const auto listener = NewListener("udp://127.0.0.1:0");
    address = listener->endpoint().ToString();
  }
  const auto transport = UdpTransport::New(To(address));
  ASSERT_TRUE(transport.ok());
  const std::vector<base::Octets> messages(10, base::AsOctets("x"));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE((*transport)->Send(base::AsOctets("x")).ok());
  EXPECT_EQ((*transport)->SendBatch(messages), 10u);
  EXPECT_EQ((*transport)->counters().sent, 15u);
  EXPECT_GE((*transport)->counters().refused, 4u);
  EXPECT_EQ((*transport)->counters().errors, 0u);
  const uint64_t refused = (*transport)->counters().refused;
  (*transport)->Settle();  // what was said of the last one
  EXPECT_EQ((*transport)->counters().refused, refused + 1);
  (*transport)->Settle();
  EXPECT_EQ((*transport)->counters().refused, refused + 1);
  const auto listener = NewListener(address);
  (*transport)->Send(base::AsOctets("y")).IgnoreError();
  const auto received = listener->Receive();
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(base::AsText(received[0].octets), "y");
}

TEST(UdpTransportTest, WhatTheSystemRefusesIsCounted) {
  const auto listener = NewListener("udp://127.0.0.1:0");
  const auto transport = UdpTransport::New(To(listener->endpoint().ToString()));
  const std::string large(65508, 'x');
  EXPECT_FALSE((*transport)->Send(base::AsOctets(large)).ok());
  EXPECT_EQ((*transport)->SendBatch({base::AsOctets("a"), base::AsOctets(large), base::AsOctets("b")}), 2u);
  const TransportCounters counters = (*transport)->counters();
  EXPECT_EQ(counters.sent, 2u);
  EXPECT_EQ(counters.errors, 2u);
  EXPECT_EQ(counters.last_error, "Message too long");
  EXPECT_EQ(listener->Receive().size(), 2u);
}

TEST(UdpTransportTest, AllocatesNothingAMessage) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const auto listener = NewListener("udp://127.0.0.1:0");
  const auto transport = UdpTransport::New(To(listener->endpoint().ToString()));
  const std::vector<base::Octets> messages(100, base::AsOctets("message"));
  testing::AllocationCounter counter;
  (*transport)->SendBatch(messages);
  (*transport)->Send(messages[0]).IgnoreError();
  EXPECT_EQ(counter.allocations(), 0);
}

TEST(UdpTransportTest, RefusesWhatCannotBe) {
  struct {
    TransportOptions options;
    const char* says;
  } cases[] = {
      {To("192.0.2.9:2055"), "names no transport"},
      {To("udp://0.0.0.0:2055"), "is no address that can be sent to"},
      {To("udp://192.0.2.9:0"), "is no address that can be sent to"},
      {To("udp://127.0.0.1:9", "tcp://127.0.0.1:0"), "from: 'tcp://127.0.0.1:0' has the transport 'tcp'"},
      {To("udp://127.0.0.1:9", "udp://[::1]:0"), "are of different families"},
      {To("udp://127.0.0.1:9", "udp://203.0.113.77:0"), "no interface of this machine has the address"},
      {To("udp://127.0.0.1:9"), "traffic_class: 256; 0 to 255 can be"},
      {To("udp://127.0.0.1:9"), "hop_limit: -1; 0 to 255 can be"},
  };
  cases[6].options.traffic_class = 256;
  cases[7].options.hop_limit = -1;
  for (const auto& c : cases) {
    const auto transport = Transport::New(c.options);
    ASSERT_FALSE(transport.ok()) << c.says;
    EXPECT_TRUE(absl::StrContains(transport.status().message(), c.says)) << transport.status();
  }
}

}  // namespace
}  // namespace flowacct::collector
