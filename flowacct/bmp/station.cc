#include "flowacct/bmp/station.h"

#include <algorithm>

#include "flowacct/bgp/message_view.h"

namespace flowacct::bmp {
namespace {

using base::DecodeCode;
using base::DecodeResult;

constexpr size_t kBodyAt = kCommonHeaderOctets + kPerPeerHeaderOctets;

PeerKey KeyOf(const PerPeerHeader& header) { return {header.peer_type, header.distinguisher, header.address}; }

bool HasMalformedAsPath(const bgp::Update& update) {
  return std::any_of(update.errors().begin(), update.errors().end(), [](const bgp::UpdateError& error) {
    return error.fault == bgp::UpdateFault::kAttributeValue &&
           error.attribute == static_cast<uint8_t>(bgp::AttributeCode::kAsPath);
  });
}

}  // namespace

Station::Station(const StationOptions& options, Listener* listener) : options_(options), listener_(listener) {}

void Station::Error(DecodeResult result) {
  counters_.errors.Count(result.code);
  listener_->OnError({result, offset_, type_});
}

bool Station::Receive(base::Octets octets) {
  if (closed_) return false;
  counters_.octets += octets.size();
  while (!octets.empty()) {
    if (!partial_.empty()) {
      // First the common header, then what it says.
      const size_t known = NextMessage(partial_, options_.max_message_octets).length;
      const size_t wanted = known == 0 ? kCommonHeaderOctets : known;
      const size_t n = std::min(wanted - partial_.size(), octets.size());
      partial_.insert(partial_.end(), octets.begin(), octets.begin() + n);
      octets.remove_prefix(n);
    }
    const base::Octets rest = partial_.empty() ? octets : base::Octets(partial_);
    const MessageBoundary next = NextMessage(rest, options_.max_message_octets);
    type_ = next.type;
    if (next.code == DecodeCode::kTruncated) {
      if (partial_.empty()) {
        partial_.assign(octets.begin(), octets.end());
        return true;
      }
      continue;
    }
    if (next.code == DecodeCode::kOk) {
      ReadMessage(rest.subspan(0, next.length), next.type);
    } else if (next.code == DecodeCode::kUnsupported) {
      ++counters_.unknown_messages;
      Error(DecodeResult::Error(next.code, kCommonHeaderOctets - 1));
    } else {
      Error(DecodeResult::Error(next.code, next.code == DecodeCode::kBadVersion ? 0 : 1));
      partial_.clear();
      closed_ = true;
      return false;
    }
    offset_ += next.length;
    if (partial_.empty()) {
      octets.remove_prefix(next.length);
    } else {
      partial_.clear();
    }
  }
  return true;
}

void Station::End() {
  if (!partial_.empty()) Error(DecodeResult::Error(DecodeCode::kTruncated, partial_.size()));
  partial_.clear();
  // In the order of their indices, so that a replay tells the same.
  std::vector<uint32_t> up;
  for (const auto& [key, index] : index_) up.push_back(index);
  std::sort(up.begin(), up.end());
  for (const uint32_t index : up) {
    ++counters_.peers_down;
    listener_->OnPeerDown({peers_[index].shown, absl::UnixEpoch(), PeerDownReason::kStreamEnded, {}, 0});
  }
  index_.clear();
  peers_.clear();
  free_.clear();
  name_.clear();
  description_.clear();
  offset_ = 0;
  closed_ = false;
}

void Station::ReadMessage(base::Octets message, MessageType type) {
  ++counters_.messages[static_cast<size_t>(type)];
  if (VersionOf(message) == kVersion4) ++counters_.version4;
  if (type == MessageType::kInitiation) return ReadInitiation(message);
  if (type == MessageType::kTermination) return ReadTermination(message);
  const PerPeerHeader header = ReadPerPeerHeader(message);
  switch (type) {
    case MessageType::kRouteMonitoring:
      return TellUpdate(message, header);
    case MessageType::kStatisticsReport:
      return TellStatistics(message, header);
    case MessageType::kPeerDown:
      return TellPeerDown(message, header);
    case MessageType::kPeerUp:
      return TellPeerUp(message, header);
    case MessageType::kRouteMirroring:
      return TellMirrored(message, header);
    case MessageType::kInitiation:
    case MessageType::kTermination:
      return;
  }
}

// RFC 7854, 4.3.
void Station::ReadInitiation(base::Octets message) {
  const base::Octets tlvs = message.subspan(kCommonHeaderOctets);
  const auto keep = [&](base::Octets value) {
    return std::string(base::AsText(value.subspan(0, std::min(value.size(), options_.max_name_octets))));
  };
  const size_t end = ForEachTlv(tlvs, [&](const Tlv& tlv) {
    if (tlv.type == static_cast<uint16_t>(InformationType::kSysName)) name_ = keep(tlv.value);
    if (tlv.type == static_cast<uint16_t>(InformationType::kSysDescr)) description_ = keep(tlv.value);
  });
  listener_->OnRouter(name_, description_);
  if (end != tlvs.size()) Error(DecodeResult::Error(DecodeCode::kBadLength, kCommonHeaderOctets + end));
}

// RFC 7854, 4.5.
void Station::ReadTermination(base::Octets message) {
  const base::Octets tlvs = message.subspan(kCommonHeaderOctets);
  TerminationReason reason = TerminationReason::kUnspecified;
  absl::string_view text;
  const size_t end = ForEachTlv(tlvs, [&](const Tlv& tlv) {
    if (tlv.type == static_cast<uint16_t>(TerminationType::kString)) text = base::AsText(tlv.value);
    if (tlv.type == static_cast<uint16_t>(TerminationType::kReason) && tlv.value.size() == 2) {
      reason = static_cast<TerminationReason>(base::LoadBe16(tlv.value.data()));
    }
  });
  listener_->OnTermination(reason, text);
  if (end != tlvs.size()) Error(DecodeResult::Error(DecodeCode::kBadLength, kCommonHeaderOctets + end));
}

Station::Peer* Station::PeerOf(const PerPeerHeader& header, bool* added) {
  const auto it = index_.find(KeyOf(header));
  *added = it == index_.end();
  if (!*added) return &peers_[it->second];
  if (index_.size() >= options_.max_peers) {
    ++counters_.peers_refused;
    Error(DecodeResult::Error(DecodeCode::kLimitExceeded, kCommonHeaderOctets));
    return nullptr;
  }
  uint32_t index = static_cast<uint32_t>(peers_.size());
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
    peers_[index] = Peer();
  } else {
    peers_.emplace_back();
  }
  index_.emplace(KeyOf(header), index);
  ++counters_.peers_up;
  Peer* peer = &peers_[index];
  peer->shown = {index, KeyOf(header), header.as, header.bgp_identifier};
  return peer;
}

Station::Peer* Station::KnownPeer(const PerPeerHeader& header) {
  bool added = false;
  Peer* peer = PeerOf(header, &added);
  if (peer != nullptr && added) {
    ++counters_.peers_untold;
    PeerUp up{peer->shown, header.time, false, false, {}, 0, 0, nullptr, nullptr, header.filtered(), {}, {}, {}};
    listener_->OnPeerUp(up);
  }
  return peer;
}

void Station::Remove(const PeerKey& key) {
  const auto it = index_.find(key);
  free_.push_back(it->second);
  index_.erase(it);
}

void Station::TellPeerUp(base::Octets message, const PerPeerHeader& header) {
  PeerUpView view;
  const DecodeResult result = ReadPeerUp(message, &view);
  // What is odd behind both OPENs does not hide them.
  if (!result.ok() && result.code != DecodeCode::kTrailingOctets) return Error(result);
  bool added = false;
  Peer* peer = PeerOf(header, &added);
  if (peer == nullptr) return;
  peer->shown.as = header.as;
  peer->shown.bgp_identifier = header.bgp_identifier;
  PeerUp up{
      peer->shown, header.time,       true, !added, view.local_address, view.local_port, view.remote_port, nullptr,
      nullptr,     header.filtered(), {},   {},     view.information};
  bgp::OpenDemands demands;
  demands.min_hold_time_seconds = 0;  // it is not ours to refuse
  bgp::Open sent, received;
  if (!bgp::ParseOpen(view.sent_open, demands, &sent)) up.sent = &sent;
  if (!bgp::ParseOpen(view.received_open, demands, &received)) up.received = &received;
  peer->add_path_in = peer->add_path_out = bgp::FamilySet();
  if (up.sent != nullptr && up.received != nullptr) {
    // A Loc-RIB's OPENs are made up (RFC 9069, 4.2), and have no direction.
    peer->add_path_in = header.loc_rib() ? (sent.add_path_send | sent.add_path_receive) &
                                               (received.add_path_send | received.add_path_receive)
                                         : bgp::Negotiate(sent, received).add_path;
    peer->add_path_out = bgp::Negotiate(received, sent).add_path;
  } else {
    ++counters_.malformed_opens;
    Error(DecodeResult::Error(DecodeCode::kBadValue, kBodyAt + 20 + (up.sent == nullptr ? 0 : view.sent_open.size())));
  }
  ForEachTlv(view.information, [&](const Tlv& tlv) {
    if (tlv.type == static_cast<uint16_t>(InformationType::kTableName)) up.table_name = base::AsText(tlv.value);
    if (tlv.type == static_cast<uint16_t>(InformationType::kAdminLabel)) up.admin_label = base::AsText(tlv.value);
  });
  listener_->OnPeerUp(up);
  if (!result.ok()) Error(result);
}

void Station::TellPeerDown(base::Octets message, const PerPeerHeader& header) {
  const auto it = index_.find(KeyOf(header));
  if (it == index_.end()) {
    ++counters_.unknown_peers_down;
    return;
  }
  PeerDownView view;
  const DecodeResult result = ReadPeerDown(message, &view);
  ++counters_.peers_down;
  // Whatever its data: the peer is down.
  listener_->OnPeerDown({peers_[it->second].shown, header.time, view.reason, view.notification, view.fsm_event});
  Remove(it->first);
  if (!result.ok()) Error(result);
}

void Station::TellUpdate(base::Octets message, const PerPeerHeader& header) {
  RouteMonitoringView view;
  const DecodeResult result = ReadRouteMonitoring(message, &view);
  if (view.update.empty()) return Error(result);
  if (bgp::MessageTypeOf(view.update) != bgp::MessageType::kUpdate) {
    ++counters_.not_updates;
    return Error(DecodeResult::Error(DecodeCode::kBadValue, kBodyAt + 18));
  }
  const Peer* peer = KnownPeer(header);
  if (peer == nullptr) return;
  const RibKind rib = header.rib();
  bgp::SessionContext context;
  context.as4 = !header.as2();
  context.extended_message = true;
  context.demand_mandatory = false;
  context.add_path = view.tells_add_path          ? view.add_path
                     : rib == RibKind::kAdjRibOut ? peer->add_path_out
                                                  : peer->add_path_in;
  bgp::DecodeUpdate(view.update, context, &update_, &counters_.updates);
  if (context.as4 && HasMalformedAsPath(update_)) {
    context.as4 = false;
    ++counters_.as2_tried;
    bgp::DecodeUpdate(view.update, context, &update_, &counters_.updates);
  }
  listener_->OnUpdate({peer->shown, header.time, rib, header.post_policy(), view.table_name, update_, view.update});
  if (!result.ok()) Error(result);
}

void Station::TellStatistics(base::Octets message, const PerPeerHeader& header) {
  statistics_.clear();
  const DecodeResult result = ReadStatistics(message, [&](const Statistic& s) { statistics_.push_back(s); });
  const Peer* peer = KnownPeer(header);
  if (peer == nullptr) return;
  listener_->OnStatistics({peer->shown, header.time, header.rib(), header.post_policy(), statistics_});
  if (!result.ok()) Error(result);
}

// RFC 7854, 4.7: one event for each message, with the information in front of it.
void Station::TellMirrored(base::Octets message, const PerPeerHeader& header) {
  const Peer* peer = KnownPeer(header);
  if (peer == nullptr) return;
  const base::Octets tlvs = BodyOf(message);
  Mirrored mirrored{peer->shown, header.time, {}, false, false};
  bool due = false;
  const size_t end = ForEachTlv(tlvs, [&](const Tlv& tlv) {
    if (tlv.type == static_cast<uint16_t>(MirroringType::kBgpMessage)) {
      mirrored.message = tlv.value;
      listener_->OnMirrored(mirrored);
      mirrored.message = {};
      mirrored.errored_pdu = mirrored.messages_lost = due = false;
    } else if (tlv.type == static_cast<uint16_t>(MirroringType::kInformation) && tlv.value.size() == 2) {
      const uint16_t code = base::LoadBe16(tlv.value.data());
      mirrored.errored_pdu |= code == static_cast<uint16_t>(MirroringInformation::kErroredPdu);
      mirrored.messages_lost |= code == static_cast<uint16_t>(MirroringInformation::kMessagesLost);
      due = true;
    }
  });
  if (due) listener_->OnMirrored(mirrored);
  if (end != tlvs.size()) Error(DecodeResult::Error(DecodeCode::kBadLength, kBodyAt + end));
}

}  // namespace flowacct::bmp
