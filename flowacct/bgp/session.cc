#include "flowacct/bgp/session.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "flowacct/bgp/message_writer.h"

namespace flowacct::bgp {
namespace {

constexpr size_t kNoMessage = 0;

FamilySet Ipv4Families() {
  return FamilySet().Add(Family::kIpv4Unicast).Add(Family::kLabelledIpv4).Add(Family::kVpnIpv4);
}

// The capabilities that a neighbour lacks, as data of "Unsupported Capability" (RFC 5492, 5).
void WriteMultiprotocol(FamilySet families, base::OctetWriter* out) {
  families.ForEach([&](Family family) {
    if (family == Family::kOther) return;
    out->U8(static_cast<uint8_t>(CapabilityCode::kMultiprotocol)).U8(4);
    out->U16(RowOf(family).afi).U8(0).U8(RowOf(family).safi);
  });
}

}  // namespace

absl::string_view SessionStateName(SessionState state) {
  static constexpr absl::string_view kNames[] = {
#define X(name, text) text,
      FLOWACCT_BGP_SESSION_STATES(X)
#undef X
  };
  return kNames[static_cast<size_t>(state)];
}

CollisionVerdict ResolveCollision(const CollisionParty& existing, const CollisionParty& incoming,
                                  bool replace_established) {
  if (existing.peer_identifier == 0 || incoming.peer_identifier == 0 ||
      existing.peer_identifier != incoming.peer_identifier || existing.peer_as != incoming.peer_as) {
    return CollisionVerdict::kNone;
  }
  if (existing.state == SessionState::kEstablished) {
    return existing.graceful_restart || replace_established ? CollisionVerdict::kCloseExisting
                                                            : CollisionVerdict::kCloseNew;
  }
  if (existing.opened_by_peer == incoming.opened_by_peer) return CollisionVerdict::kCloseExisting;
  const bool peer_wins = incoming.local_identifier != incoming.peer_identifier
                             ? incoming.local_identifier < incoming.peer_identifier
                             : incoming.local_as < incoming.peer_as;
  return incoming.opened_by_peer == peer_wins ? CollisionVerdict::kCloseExisting : CollisionVerdict::kCloseNew;
}

Session::Session(const SessionOptions& options, SessionListener* listener) : options_(options), listener_(listener) {}

template <typename Write>
void Session::Send(MessageType type, absl::Time now, Write&& write) {
  if (output().empty()) {
    output_.Clear();
    output_at_ = 0;
    send_deadline_ = now + options_.send_hold_time;
  }
  write(&output_);
  ++counters_.sent[static_cast<size_t>(type)];
}

void Session::ConsumeOutput(size_t octets, absl::Time now) {
  output_at_ += std::min(octets, output().size());
  if (output().empty()) {
    send_deadline_ = absl::InfiniteFuture();
  } else if (octets != 0) {
    send_deadline_ = now + options_.send_hold_time;
  }
}

void Session::Start(absl::Time now) {
  if (state_ != SessionState::kIdle || closed_) return;
  hold_deadline_ = now + options_.open_hold_time;
  state_ = SessionState::kActive;
  if (options_.local_as != 0) {
    SendOpen(nullptr, now);
    state_ = SessionState::kOpenSent;
  }
}

// To a neighbour whose OPEN is there: what both can.
void Session::SendOpen(const Open* peer, absl::Time now) {
  sent_ = Open();
  sent_.as = options_.local_as != 0 ? options_.local_as : peer->as;
  sent_.hold_time_seconds = options_.hold_time_seconds;
  sent_.bgp_identifier = options_.bgp_identifier;
  sent_.families = options_.families;
  if (peer != nullptr) sent_.families = sent_.families & peer->families;
  // A neighbour without capabilities may take them amiss (RFC 5492, 3).
  if (peer == nullptr || peer->capabilities != 0) {
    sent_.as4 = true;
    sent_.route_refresh = options_.route_refresh;
    sent_.enhanced_route_refresh = options_.route_refresh;
    sent_.extended_message = options_.extended_message;
    sent_.extended_next_hop = sent_.families & Ipv4Families();
    if (peer != nullptr) sent_.extended_next_hop = sent_.extended_next_hop & peer->extended_next_hop;
    sent_.add_path_receive = sent_.families & options_.add_path;
    if (peer != nullptr) sent_.add_path_receive = sent_.add_path_receive & peer->add_path_send;
    if (options_.graceful_restart) {
      // No families: it has no forwarding state, but helps (RFC 4724, 3).
      sent_.graceful_restart = GracefulRestart();
      sent_.graceful_restart->notification = true;
    }
    sent_.host_name = options_.host_name;
  }
  const Open written = [&] {
    Open open = sent_;
    if (peer != nullptr && peer->capabilities == 0) open.families = FamilySet();  // IPv4 unicast goes without saying
    return open;
  }();
  Send(MessageType::kOpen, now, [&](base::OctetWriter* out) { WriteOpen(written, out); });
}

void Session::Receive(base::Octets octets, absl::Time now) {
  if (state_ == SessionState::kIdle) return;
  ReceiveMessages(octets, now);
  if (closed_) {
    input_.clear();
    input_.shrink_to_fit();
  }
}

void Session::ReceiveMessages(base::Octets octets, absl::Time now) {
  while (!octets.empty() && !closed_) {
    if (!input_.empty()) {
      // As much as completes the header, then the message.
      const size_t known = NextMessage(input_, context_.max_message_octets()).length;
      const size_t wanted = (known == kNoMessage ? kMessageHeaderOctets : known) - input_.size();
      const size_t taken = std::min(wanted, octets.size());
      input_.insert(input_.end(), octets.begin(), octets.begin() + taken);
      octets.remove_prefix(taken);
    }
    const base::Octets rest = input_.empty() ? octets : base::Octets(input_);
    const MessageBoundary boundary = NextMessage(rest, context_.max_message_octets());
    if (boundary.code == base::DecodeCode::kTruncated) {
      if (!input_.empty()) continue;
      input_.assign(octets.begin(), octets.end());
      return;
    }
    if (boundary.code != base::DecodeCode::kOk) return FailHeader(boundary, rest, now);
    Handle(boundary.type, rest.subspan(0, boundary.length), now);
    if (input_.empty()) {
      octets.remove_prefix(boundary.length);
    } else {
      input_.clear();
    }
  }
}

// RFC 4271, 6.1: with the erroneous field.
void Session::FailHeader(const MessageBoundary& boundary, base::Octets header, absl::Time now) {
  base::Octets data;
  if (boundary.error == NotificationCode::kBadMessageLength) data = header.subspan(16, 2);
  if (boundary.error == NotificationCode::kBadMessageType) data = header.subspan(18, 1);
  Fail(boundary.error, data, now);
}

void Session::Handle(MessageType type, base::Octets message, absl::Time now) {
  ++counters_.received[static_cast<size_t>(type)];
  counters_.received_octets += message.size();
  if (type == MessageType::kNotification) return Close(CloseCause::kNotificationReceived, ReadNotification(message));
  switch (state_) {
    case SessionState::kActive:
    case SessionState::kOpenSent:
      return type == MessageType::kOpen ? HandleOpen(message, now) : FailState(now);
    case SessionState::kOpenConfirm:
      if (type != MessageType::kKeepalive) return FailState(now);
      state_ = SessionState::kEstablished;
      hold_deadline_ = now + hold_time_;
      return listener_->OnEstablished(context_, peer_);
    case SessionState::kEstablished:
      if (type == MessageType::kOpen) return FailState(now);
      hold_deadline_ = now + hold_time_;
      if (type == MessageType::kUpdate) return HandleUpdate(message, now);
      if (type == MessageType::kRouteRefresh) return HandleRouteRefresh(message, now);
      return;
    case SessionState::kIdle:
      return;
  }
}

void Session::HandleOpen(base::Octets message, absl::Time now) {
  OpenDemands demands;
  demands.as = options_.peer_as;
  if (const std::optional<OpenError> error = ParseOpen(message, demands, &peer_)) {
    return Fail(error->code, base::Octets(error->data.data(), error->data_octets), now);
  }
  // RFC 6286, 2.2: within an AS identifiers are unique.
  if (peer_.bgp_identifier == options_.bgp_identifier && (options_.local_as == 0 || options_.local_as == peer_.as)) {
    return Fail(NotificationCode::kBadBgpIdentifier, {}, now);
  }
  if ((peer_.families & options_.families).empty()) {
    base::OctetWriter data;
    WriteMultiprotocol(options_.families, &data);
    return Fail(NotificationCode::kUnsupportedCapability, data.octets(), now);
  }
  if (state_ == SessionState::kActive) SendOpen(&peer_, now);
  context_ = Negotiate(sent_, peer_);
  context_.family_disable = options_.family_disable;
  context_.link_state_disable = !(context_.families - FamilySet::LinkState()).empty();
  const uint16_t seconds = std::min(options_.hold_time_seconds, peer_.hold_time_seconds);
  hold_time_ = seconds == 0 ? absl::InfiniteDuration() : absl::Seconds(seconds);
  hold_deadline_ = seconds == 0 ? now + options_.open_hold_time : now + hold_time_;
  keepalive_deadline_ = now + hold_time_ / 3;  // RFC 4271, 4.4
  Send(MessageType::kKeepalive, now, WriteKeepalive);
  state_ = SessionState::kOpenConfirm;
}

void Session::HandleUpdate(base::Octets message, absl::Time now) {
  DecodeUpdate(message, context_, &update_, &counters_.updates);
  if (update_.action() == ErrorAction::kSessionReset) {
    ++counters_.erroneous_updates;
    const uint16_t code = static_cast<uint16_t>(NotificationCode::kUpdateMessageError) | update_.notification_subcode();
    return Fail(static_cast<NotificationCode>(code), update_.notification_data(), now);
  }
  context_.families = context_.families - update_.disabled_families();
  if (update_.end_of_rib()) {
    listener_->OnEndOfRib(*update_.end_of_rib());
  } else {
    listener_->OnUpdate(update_, message);
  }
  if (update_.action() != ErrorAction::kNone && ++counters_.erroneous_updates == options_.max_erroneous_updates) {
    Fail(NotificationCode::kUpdateMessageError, {}, now);
  }
}

void Session::HandleRouteRefresh(base::Octets message, absl::Time now) {
  const RouteRefreshView refresh = ReadRouteRefresh(message);
  const bool marks = refresh.subtype == static_cast<uint8_t>(RouteRefreshSubtype::kBeginning) ||
                     refresh.subtype == static_cast<uint8_t>(RouteRefreshSubtype::kEnd);
  const bool enhanced = sent_.enhanced_route_refresh && peer_.enhanced_route_refresh;
  if (marks && enhanced && !refresh.filters.empty()) {  // RFC 7313, 5: with the whole message
    return Fail(NotificationCode::kInvalidMessageLength, message, now);
  }
  // Without the capability there are no subtypes, and requests that were not offered to be heard are ignored (RFC 2918,
  // 4).
  if (!context_.families.Has(refresh.family) || (marks && !enhanced) || !sent_.route_refresh ||
      refresh.subtype > static_cast<uint8_t>(RouteRefreshSubtype::kEnd)) {
    ++counters_.ignored_refreshes;
    return;
  }
  listener_->OnRouteRefresh(refresh.family, static_cast<RouteRefreshSubtype>(refresh.subtype));
}

void Session::FailState(absl::Time now) {
  Fail(state_ == SessionState::kEstablished   ? NotificationCode::kUnexpectedInEstablished
       : state_ == SessionState::kOpenConfirm ? NotificationCode::kUnexpectedInOpenConfirm
                                              : NotificationCode::kUnexpectedInOpenSent,
       {}, now);
}

void Session::Fail(NotificationCode code, base::Octets data, absl::Time now) {
  const NotificationView notification = NotificationOf(code, data);
  Send(MessageType::kNotification, now, [&](base::OctetWriter* out) { WriteNotification(notification, out); });
  Close(CloseCause::kNotificationSent, notification);
}

void Session::Close(CloseCause cause, const NotificationView& notification) {
  SessionClosed closed;
  closed.cause = cause;
  closed.notification = notification;
  closed.was_established = state_ == SessionState::kEstablished;
  if (closed.was_established && peer_.graceful_restart && sent_.graceful_restart) {
    // RFC 4724, 4.2: an end without NOTIFICATION. RFC 8538, 4: or with any but a Hard Reset, if both said N.
    closed.graceful = cause == CloseCause::kConnectionLost ||
                      (peer_.graceful_restart->notification && sent_.graceful_restart->notification &&
                       !notification.Is(NotificationCode::kHardReset));
    closed.restart_time = absl::Seconds(peer_.graceful_restart->restart_seconds);
  }
  closed_ = true;
  state_ = SessionState::kIdle;
  hold_deadline_ = keepalive_deadline_ = send_deadline_ = absl::InfiniteFuture();
  listener_->OnClosed(closed);
}

void Session::Tick(absl::Time now) {
  if (state_ == SessionState::kIdle) return;
  if (now >= hold_deadline_) return Fail(NotificationCode::kHoldTimerExpired, {}, now);
  if (now >= send_deadline_) return Fail(NotificationCode::kSendHoldTimerExpired, {}, now);
  if (now < keepalive_deadline_) return;
  keepalive_deadline_ = now + hold_time_ / 3;
  // One that waits is as good as two.
  if (output().empty()) Send(MessageType::kKeepalive, now, WriteKeepalive);
}

absl::Time Session::deadline() const { return std::min({hold_deadline_, keepalive_deadline_, send_deadline_}); }

void Session::ConnectionLost(absl::Time) {
  if (state_ != SessionState::kIdle) Close(CloseCause::kConnectionLost, {});
}

void Session::Stop(NotificationCode code, absl::string_view text, absl::Time now) {
  if (state_ == SessionState::kIdle) return;
  base::OctetWriter data;
  if (!text.empty() &&
      (code == NotificationCode::kAdministrativeShutdown || code == NotificationCode::kAdministrativeReset)) {
    WriteShutdownCommunication(text, &data);
  }
  Fail(code, data.octets(), now);
}

bool Session::RequestRefresh(Family family, absl::Time now) {
  if (state_ != SessionState::kEstablished || !peer_.route_refresh || !context_.families.Has(family)) return false;
  // Bounds what a neighbour that takes nothing lets pile up.
  if (output().size() > kMaxMessageOctets) return false;
  Send(MessageType::kRouteRefresh, now,
       [&](base::OctetWriter* out) { WriteRouteRefresh(family, RouteRefreshSubtype::kRequest, out); });
  return true;
}

CollisionParty Session::collision_party() const {
  CollisionParty party;
  party.state = state_;
  party.local_as = sent_.as;
  party.local_identifier = options_.bgp_identifier;
  if (state_ >= SessionState::kOpenConfirm) {
    party.peer_as = peer_.as;
    party.peer_identifier = peer_.bgp_identifier;
    party.graceful_restart = peer_.graceful_restart.has_value() && sent_.graceful_restart.has_value();
  }
  return party;
}

}  // namespace flowacct::bgp
