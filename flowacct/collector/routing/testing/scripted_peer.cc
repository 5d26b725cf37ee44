#include "flowacct/collector/routing/testing/scripted_peer.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {

bgp::Open ScriptedOpen(uint32_t bgp_identifier) {
  bgp::Open open;
  open.as = 64500;
  open.as4 = true;
  open.bgp_identifier = bgp_identifier;
  open.families =
      bgp::FamilySet().Add(bgp::Family::kIpv4Unicast).Add(bgp::Family::kIpv6Unicast).Add(bgp::Family::kVpnIpv4);
  open.route_refresh = open.enhanced_route_refresh = open.extended_message = true;
  open.graceful_restart = bgp::GracefulRestart();
  return open;
}

ScriptedPeer::ScriptedPeer(const Endpoint& to, absl::string_view from, const Prepare& prepare) {
  const int family = to.address.IsV4() ? AF_INET : AF_INET6;
  socket_ = Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!from.empty()) {
    Endpoint own = to;
    own.address = bgp::testing::AddressOf(from);
    own.port = 0;
    const auto address = ToSocketAddress(own);
    EXPECT_TRUE(address.ok());
    EXPECT_EQ(bind(socket_.get(), address->get(), address->length), 0) << from << ": " << std::strerror(errno);
  }
  const timeval patience = {5, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (prepare) prepare(socket_.get());
  const auto address = ToSocketAddress(to);
  EXPECT_TRUE(address.ok());
  connected_ = connect(socket_.get(), address->get(), address->length) == 0;
}

bool ScriptedPeer::Send(base::Octets octets) {
  while (!octets.empty()) {
    const ssize_t n = send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    octets.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

void ScriptedPeer::SendOpen(const bgp::Open& open) {
  base::OctetWriter out;
  bgp::WriteOpen(open, &out);
  Send(out.octets());
}

void ScriptedPeer::SendKeepalive() {
  base::OctetWriter out;
  bgp::WriteKeepalive(&out);
  Send(out.octets());
}

void ScriptedPeer::SendEndOfRib(bgp::Family family) {
  bgp::testing::UpdateBuilder builder(context_);
  if (family != bgp::Family::kIpv4Unicast) builder.MpUnreach(family);
  Send(builder.Message());
}

std::optional<std::vector<uint8_t>> ScriptedPeer::Receive(absl::Duration patience) {
  const absl::Time end = absl::Now() + patience;
  for (;;) {
    const bgp::MessageBoundary boundary = bgp::NextMessage(input_, bgp::kMaxExtendedMessageOctets);
    if (boundary.code == base::DecodeCode::kOk) {
      std::vector<uint8_t> message(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(boundary.length));
      input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(boundary.length));
      return message;
    }
    pollfd waiting = {socket_.get(), POLLIN, 0};
    const absl::Duration left = std::max(end - absl::Now(), absl::ZeroDuration());
    const int wait = static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))));
    if (closed_ || poll(&waiting, 1, wait) != 1) return std::nullopt;
    uint8_t block[4096];
    const ssize_t n = recv(socket_.get(), block, sizeof(block), 0);
    if (n <= 0) {
      closed_ = true;
    } else {
      input_.insert(input_.end(), block, block + n);
    }
  }
}

std::string ScriptedPeer::ReceiveNotification(absl::Duration patience) {
  const absl::Time end = absl::Now() + patience;
  while (const auto message = Receive(end - absl::Now())) {
    if (bgp::MessageTypeOf(*message) != bgp::MessageType::kNotification) continue;
    const bgp::NotificationView notification = bgp::ReadNotification(*message);
    const absl::string_view said = notification.shutdown_communication();
    return absl::StrCat(notification.code, "/", notification.subcode, said.empty() ? "" : " ", said);
  }
  return closed_ ? "closed" : "nothing";
}

bool ScriptedPeer::Establish(const bgp::Open& open) {
  SendOpen(open);
  bool opened = false;
  while (const auto message = Receive()) {
    const bgp::MessageType type = bgp::MessageTypeOf(*message);
    if (type == bgp::MessageType::kOpen) {
      opened = !bgp::ParseOpen(*message, {}, &engines_open_);
    } else if (type == bgp::MessageType::kKeepalive && opened) {
      // As the engine reads what comes from here.
      context_ = bgp::Negotiate(engines_open_, open);
      SendKeepalive();
      return true;
    } else {
      return false;
    }
  }
  return false;
}

void ScriptedPeer::Reset() {
  const linger hard = {1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  socket_.Reset();
}

bool Eventually(const std::function<bool()>& condition) {
  const absl::Time end = absl::Now() + absl::Seconds(20);
  while (!condition()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

std::string RouteText(const rib::RouteView& route) {
  const bgp::AttributeSetView set(route.octets);
  static constexpr const char* kOrigins[] = {"igp", "egp", "incomplete"};
  std::string text = set.origin() ? kOrigins[static_cast<size_t>(*set.origin())] : "no_origin";
  absl::StrAppend(&text, " as_path ", set.as_path().ToString());
  if (set.next_hop()) absl::StrAppend(&text, " next_hop ", set.next_hop()->ToString());
  if (set.med()) absl::StrAppend(&text, " med ", *set.med());
  if (set.local_pref()) absl::StrAppend(&text, " local_pref ", *set.local_pref());
  for (size_t i = 0; i < set.communities().size(); ++i) {
    absl::StrAppend(&text, i == 0 ? " communities" : "", " ", set.communities()[i] >> 16, ":",
                    set.communities()[i] & 0xffff);
  }
  for (size_t i = 0; i < set.extended_communities().size(); ++i) {
    absl::StrAppend(&text, i == 0 ? " extended" : "", " ", absl::Hex(set.extended_communities()[i], absl::kZeroPad16));
  }
  for (size_t i = 0; i < set.large_communities().size(); ++i) {
    const bgp::LargeCommunity c = set.large_communities()[i];
    absl::StrAppend(&text, i == 0 ? " large" : "", " ", c.global, ":", c.local1, ":", c.local2);
  }
  if (route.label != rib::Announcement::kNoLabel) absl::StrAppend(&text, " label ", route.label);
  if (route.stale) absl::StrAppend(&text, " stale");
  return text;
}

RouteTexts RoutesOf(const RoutingEngine& engine, absl::string_view exporter, uint64_t rd) {
  const enrich::RouteTables tables = engine.tables();
  auto online = tables.epochs->NewReader();
  RouteTexts texts;
  if (!online) return texts;
  online->Online();
  const auto choices = tables.directory->Get()->Find(bgp::testing::AddressOf(exporter), rd);
  if (!choices.empty()) {
    const rib::RibReader reader(tables.rib);
    for (const bool v6 : {false, true}) {
      reader.Walk(choices[0].table, v6, nullptr, [&](const base::IpPrefix& prefix, const rib::RouteView& path, bool) {
        texts[absl::StrCat(prefix.ToString(), path.path_id == 0 ? "" : absl::StrCat(" ", path.path_id))] =
            RouteText(path);
        return true;
      });
    }
  }
  online->Offline();
  return texts;
}

RoutingPeer PeerOf(RoutingEngine& engine, absl::string_view address) {
  const auto status = engine.Status();
  for (const RoutingPeer& peer : status->peers) {
    if (peer.address == bgp::testing::AddressOf(address)) return peer;
  }
  return {};
}

}  // namespace flowacct::collector
