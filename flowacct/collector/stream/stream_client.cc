#include "flowacct/collector/stream/stream_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/time/clock.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/collector/socket/socket_address.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {

Descriptor ConnectTo(const Endpoint& endpoint, absl::string_view from) {
  Endpoint to = endpoint;
  if (to.IsAnyAddress()) {
    to.address = !from.empty() || to.address.IsV4() ? base::IpAddress::V4(0x7f000001) : *base::IpAddress::Parse("::1");
  }
  Descriptor result(socket(to.address.IsV4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!from.empty()) {
    sockaddr_in source = {};
    source.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, std::string(from).c_str(), &source.sin_addr), 1);
    EXPECT_EQ(bind(result.get(), reinterpret_cast<const sockaddr*>(&source), sizeof(source)), 0);
  }
  const auto address = ToSocketAddress(to);
  EXPECT_TRUE(address.ok());
  EXPECT_EQ(connect(result.get(), address->get(), address->length), 0) << std::strerror(errno);
  return result;
}

void SendAll(const Descriptor& socket, absl::string_view octets) {
  while (!octets.empty()) {
    const ssize_t n = send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    ASSERT_GT(n, 0) << std::strerror(errno);
    octets.remove_prefix(static_cast<size_t>(n));
  }
}

bool IsClosedByPeer(const Descriptor& socket) {
  char block[4096];
  for (;;) {
    pollfd waiting = {socket.get(), POLLIN, 0};
    if (poll(&waiting, 1, 1000) != 1) return false;
    const ssize_t n = recv(socket.get(), block, sizeof(block), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return true;
  }
}

std::string IpfixMessage(uint32_t number, size_t octets) {
  base::OctetWriter writer;
  writer.U16(10).U16(static_cast<uint16_t>(octets)).U32(1700000000).U32(number).U32(1);
  writer.Fill(octets - 16, static_cast<uint8_t>(number));
  return std::string(base::AsText(writer.octets()));
}

StreamReceiver::StreamReceiver(StreamListener* listener) : listener_(listener), poller_(Poller::New().value()) {
  EXPECT_TRUE(poller_->Add(listener->descriptor(), 0).ok());
}

void StreamReceiver::Round(absl::Duration wait) {
  poller_->Wait(wait);
  const StreamBatch batch = listener_->Receive();
  for (const record::Datagram& message : batch.messages) {
    EXPECT_EQ(message.transport, record::Transport::kTcp);
    EXPECT_EQ(message.destination_port, listener_->endpoint().port);
    messages.push_back({batch.session, std::string(base::AsText(message.octets)), message.source.ToString()});
  }
  ended.insert(ended.end(), batch.ended_sessions.begin(), batch.ended_sessions.end());
}

bool StreamReceiver::Until(const std::function<bool()>& done) {
  const absl::Time end = absl::Now() + absl::Seconds(20);
  while (!done()) {
    if (absl::Now() > end) return false;
    Round(absl::Milliseconds(100));
  }
  return true;
}

void StreamReceiver::Some() {
  for (int i = 0; i < 4; ++i) Round(absl::ZeroDuration());
}

}  // namespace flowacct::collector
