#include "flowacct/collector/generate/gtp_simulation.h"

#include <algorithm>
#include <limits>

namespace flowacct::collector {

namespace {

using base::IpAddress;
using base::Octets;

constexpr int64_t kMilli = 1000000, kMicro = 1000;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr uint16_t kControlPort = 2123, kUserPort = 2152;
// No procedure and no burst lasts for longer: nodes restart when all that began before is over.
constexpr int64_t kQuiet = 120 * kMilli;
// From one tap to the next.
constexpr int64_t kTransit = 200 * kMicro;

constexpr absl::string_view kProcedureNames[] = {
#define X(name, text, active, idle, umts) text,
    FLOWACCT_GTP_PROCEDURE_SHARES(X)
#undef X
};

struct Shares {
  uint16_t active, idle, umts;
};
constexpr Shares kShares[] = {
#define X(name, text, active, idle, umts) {active, idle, umts},
    FLOWACCT_GTP_PROCEDURE_SHARES(X)
#undef X
};

struct Later {
  template <typename T>
  bool operator()(const T& a, const T& b) const {
    return a.at != b.at ? a.at > b.at : Order(a) > Order(b);
  }
  template <typename T>
  static auto Order(const T& x) -> decltype(x.order) {
    return x.order;
  }
  template <typename T>
  static auto Order(const T& x) -> decltype(x.subscriber) {
    return x.subscriber;
  }
};

GtpNetworkOptions NetworkOptions(const GtpTrafficOptions& options) {
  GtpNetworkOptions network;
  network.seed = options.seed;
  network.enodebs = options.enodebs;
  network.percent_3g = options.percent_3g;
  network.percent_5g = options.percent_5g;
  network.percent_inbound = options.percent_inbound;
  network.percent_outbound = options.percent_outbound;
  network.percent_v6_transport = options.percent_v6_transport;
  network.home_plmn = options.home_plmn;
  return network;
}

template <typename T>
uint32_t Take(std::vector<uint32_t>* free, std::vector<T>* all) {
  if (free->empty()) {
    all->emplace_back();
    return static_cast<uint32_t>(all->size() - 1);
  }
  const uint32_t index = free->back();
  free->pop_back();
  return index;
}

}  // namespace

absl::string_view GtpProcedureName(GtpProcedure procedure) { return kProcedureNames[static_cast<size_t>(procedure)]; }

GtpSimulation::GtpSimulation(const GtpTrafficOptions& options, GtpTruthListener* listener)
    : options_(options),
      listener_(listener),
      network_(NetworkOptions(options)),
      random_(options.seed),
      teid_reuse_nanos_(options.teid_reuse_milliseconds * kMilli),
      subscribers_(options.subscribers) {
  const int64_t start = options.start_seconds * 1000 * kMilli;
  last_nanos_ = start;
  events_.reserve(options.subscribers + 2u);
  for (uint32_t i = 0; i < options.subscribers; ++i) {
    Subscriber& u = subscribers_[i];
    u.profile = network_.Profile(i);
    u.next_procedure = start + static_cast<int64_t>(options.attach_milliseconds * static_cast<double>(i) /
                                                    options.subscribers * kMilli);
    u.next_burst = kNever;
    events_.push_back({u.next_procedure, i});
  }
  if (options.restart_milliseconds > 0) {
    events_.push_back({start + options.restart_milliseconds * kMilli, kRestartEvent});
  }
  if (options.echo_milliseconds > 0) events_.push_back({start, kEchoEvent});
  std::make_heap(events_.begin(), events_.end(), Later());
}

bool GtpSimulation::Next(CapturedPacket* packet) {
  has_user_ = false;
  if (shown_frame_ >= 0) free_control_frames_.push_back(static_cast<uint32_t>(shown_frame_));
  shown_frame_ = -1;
  if (truth_.frames >= options_.packets) return false;
  while (true) {
    if (pending_.empty() || (!events_.empty() && events_.front().at < pending_.front().at)) {
      if (events_.empty()) return false;
      std::pop_heap(events_.begin(), events_.end(), Later());
      const Event event = events_.back();
      events_.pop_back();
      Run(event);
      continue;
    }
    std::pop_heap(pending_.begin(), pending_.end(), Later());
    const Pending next = pending_.back();
    pending_.pop_back();
    if (next.kind == Kind::kClose) {
      Tell(sessions_[next.index], /*open=*/false);
      sessions_[next.index].id = 0;
      free_sessions_.push_back(next.index);
      continue;
    }
    last_nanos_ = next.at;
    ++truth_.frames;
    Octets octets;
    if (next.kind == Kind::kControl) {
      octets = control_frames_[next.index].octets();
      shown_frame_ = static_cast<int32_t>(next.index);
      ++truth_.control_messages;
    } else {
      EncodeUser(user_packets_[next.index], next.at);
      free_user_packets_.push_back(next.index);
      octets = frame_.octets();
    }
    *packet = CapturedPacket();
    packet->octets = octets.subspan(0, options_.snap_octets);
    packet->wire_length = static_cast<uint32_t>(octets.size());
    packet->time_nanos = next.at;
    packet->number = truth_.frames;
    packet->link_type = 1;  // Ethernet
    return true;
  }
}

void GtpSimulation::Finish() {
  for (const Session& session : sessions_) {
    if (session.id == 0 || session.start_nanos > last_nanos_) continue;
    Tell(session, session.end_nanos == 0 || session.end_nanos > last_nanos_);
  }
}

void GtpSimulation::Tell(const Session& session, bool open) {
  if (listener_ == nullptr) return;
  const GtpProfile profile = network_.Profile(session.subscriber);
  GtpSessionTruth truth;
  truth.session = session.id;
  truth.imsi = network_.Imsi(session.subscriber, profile);
  truth.msisdn = network_.Msisdn(session.subscriber);
  truth.imei = network_.Imei(session.subscriber);
  truth.home_plmn = network_.HomePlmn(profile);
  truth.visited_plmn = network_.VisitedPlmn(profile);
  truth.roaming = profile.roaming;
  truth.apn = network_.ApnText(profile, session.apn);
  truth.ue = network_.UeAddresses(session.subscriber, session.apn);
  const GtpNode& gateway = network_.node(session.gateway);
  truth.gateway = gateway.v4 ? *gateway.v4 : *gateway.v6;
  truth.charging_id = session.charging_id;
  truth.start_nanos = session.start_nanos;
  truth.end_nanos = open ? 0 : session.end_nanos;
  truth.cause = open ? "" : session.restarted ? "restart" : "deleted";
  truth.gateway_volume = session.gateway_volume;
  truth.radio_volume = session.radio_volume;
  truth.moves = session.moves;
  listener_->OnSession(truth);
}

void GtpSimulation::Push(int64_t at, Kind kind, uint32_t index) {
  pending_.push_back({at, order_++, index, kind});
  std::push_heap(pending_.begin(), pending_.end(), Later());
}

void GtpSimulation::Schedule(uint32_t subscriber) {
  const Subscriber& u = subscribers_[subscriber];
  events_.push_back({std::max(u.busy_until, std::min(u.next_burst, u.next_procedure)), subscriber});
  std::push_heap(events_.begin(), events_.end(), Later());
}

int64_t GtpSimulation::Around(uint32_t milliseconds) {
  return milliseconds * (kMilli / 2) + static_cast<int64_t>(random_.Below(milliseconds * 1000 + 1)) * kMicro;
}

int64_t GtpSimulation::Step() { return kMilli + static_cast<int64_t>(random_.Below(3000)) * kMicro; }

void GtpSimulation::Run(const Event& event) {
  if (event.subscriber >= kEchoEvent) {
    const bool restart = event.subscriber == kRestartEvent;
    restart ? Restart(event.at) : Echoes(event.at);
    const int64_t pause = (restart ? options_.restart_milliseconds : options_.echo_milliseconds) * kMilli;
    events_.push_back({event.at + pause, event.subscriber});
    std::push_heap(events_.begin(), events_.end(), Later());
    return;
  }
  Subscriber& u = subscribers_[event.subscriber];
  if (u.next_procedure <= event.at) {
    if (event.at < frozen_until_) {
      u.next_procedure = frozen_until_ + static_cast<int64_t>(random_.Below(100000)) * kMicro;
    } else {
      RunProcedure(event.subscriber, event.at);
    }
  } else if (event.at >= u.busy_until) {
    u.busy_until = std::max(u.busy_until, Burst(event.subscriber, event.at));
    u.next_burst = event.at + Around(options_.burst_milliseconds);
  }
  Schedule(event.subscriber);
}

bool GtpSimulation::HasDedicated(const Subscriber& u) const {
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] >= 0 && At(u, slot).bearers[1].open) return true;
  }
  return false;
}

bool GtpSimulation::Possible(const Subscriber& u, GtpProcedure procedure) const {
  switch (procedure) {
    case GtpProcedure::kIms:
      return u.profile.has_ims && u.sessions[0] >= 0 && u.sessions[1] < 0;
    case GtpProcedure::kImsEnd:
      return u.sessions[0] >= 0 && u.sessions[1] >= 0 && !At(u, 1).bearers[1].open;
    case GtpProcedure::kDedicated:
    case GtpProcedure::kSecondary:
      return !HasDedicated(u);
    case GtpProcedure::kDedicatedEnd:
    case GtpProcedure::kSecondaryEnd:
      return HasDedicated(u);
    // What a foreign network does within is told by its own taps.
    case GtpProcedure::kX2Handover:
    case GtpProcedure::kS1Handover:
    case GtpProcedure::kSgwChange:
    case GtpProcedure::kMmeChange:
    case GtpProcedure::kSgsnChange:
      return u.profile.roaming != GtpRoaming::kOutbound;
    default:
      return true;
  }
}

GtpProcedure GtpSimulation::Choose(const Subscriber& u) {
  const auto share = [&](size_t i) -> uint32_t {
    const Shares& shares = kShares[i];
    const uint32_t n = u.access == GtpAccess::k3G ? shares.umts : u.state == State::kIdle ? shares.idle : shares.active;
    return n > 0 && Possible(u, static_cast<GtpProcedure>(i)) ? n : 0;
  };
  uint32_t sum = 0;
  for (size_t i = 0; i < kGtpProcedures; ++i) sum += share(i);
  uint32_t x = random_.Below(sum);
  for (size_t i = 0; i < kGtpProcedures; ++i) {
    const uint32_t n = share(i);
    if (x < n) return static_cast<GtpProcedure>(i);
    x -= n;
  }
  return GtpProcedure::kDetach;
}

void GtpSimulation::RunProcedure(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  int64_t end = now;
  if (u.state == State::kDetached) {
    end = Attach(index, now);
  } else if (u.access == GtpAccess::k5G) {
    end = random_.Below(5) == 0 ? Detach5G(index, now) : N3Handover(index, now);
  } else {
    const GtpProcedure procedure = Choose(u);
    Count(procedure);
    switch (procedure) {
      case GtpProcedure::kDetach:
        end = u.access == GtpAccess::k3G ? Detach3G(index, now) : Detach4G(index, now);
        break;
      case GtpProcedure::kEndByGateway:
        end = u.access == GtpAccess::k3G ? EndByGateway3G(index, now) : EndByGateway4G(index, now);
        break;
      case GtpProcedure::kIms:
        end = Connect4G(index, 1, kImsApn, now);
        break;
      case GtpProcedure::kImsEnd:
        end = Disconnect4G(index, 1, now);
        break;
      case GtpProcedure::kDedicated:
        end = Dedicated(index, now);
        break;
      case GtpProcedure::kDedicatedEnd:
        end = DedicatedEnd(index, now);
        break;
      case GtpProcedure::kBearerUpdate:
        end = BearerUpdate(index, now);
        break;
      case GtpProcedure::kX2Handover:
      case GtpProcedure::kS1Handover:
        end = Handover(index, now, procedure == GtpProcedure::kX2Handover);
        break;
      case GtpProcedure::kSgwChange:
        end = SgwChange(index, now);
        break;
      case GtpProcedure::kMmeChange:
        end = MmeChange(index, now);
        break;
      case GtpProcedure::kChangeNotification:
        end = ChangeNotification(index, now);
        break;
      case GtpProcedure::kIdle:
        end = Release(index, now);
        break;
      case GtpProcedure::kServiceRequest:
      case GtpProcedure::kPaged:
        end = ServiceRequest(index, now, procedure == GtpProcedure::kPaged);
        break;
      case GtpProcedure::kSuspendResume:
        end = SuspendResume(index, now);
        break;
      case GtpProcedure::kErrorIndication:
        end = ErrorIndication(index, now);
        break;
      case GtpProcedure::kTo3G:
        end = To3G(index, now);
        break;
      case GtpProcedure::kTo4G:
        end = To4G(index, now);
        break;
      case GtpProcedure::kPdpUpdate:
      case GtpProcedure::kSgsnChange:
        end = PdpUpdate(index, now, procedure == GtpProcedure::kSgsnChange);
        break;
      case GtpProcedure::kSecondary:
        end = Secondary(index, now);
        break;
      case GtpProcedure::kSecondaryEnd:
        end = SecondaryEnd(index, now);
        break;
      case GtpProcedure::kGgsnUpdate:
        end = GgsnUpdate(index, now);
        break;
      case GtpProcedure::kInfoChange:
        end = InfoChange(index, now);
        break;
      default:
        break;
    }
  }
  u.busy_until = std::max(u.busy_until, end);
  const bool active = u.state == State::kActive;
  u.next_procedure = end + Around(active ? options_.procedure_milliseconds : options_.procedure_milliseconds / 3 + 1);
  u.next_burst = active ? end + Around(options_.burst_milliseconds) / 4 : kNever;
}

// --- what the tap sees ---

bool GtpSimulation::Visible(const Subscriber& u, GtpTap tap) const {
  if ((options_.taps >> static_cast<unsigned>(tap) & 1) == 0) return false;
  return u.profile.roaming != GtpRoaming::kOutbound || tap == GtpTap::kS5 || tap == GtpTap::kGn;
}

void GtpSimulation::PushFrame(int64_t at, const IpAddress& from, const IpAddress& to, uint16_t source_port,
                              uint16_t destination_port) {
  const uint32_t index = Take(&free_control_frames_, &control_frames_);
  control_frames_[index].Clear();
  EncodeGtpFrame(from, to, source_port, destination_port, static_cast<uint16_t>(next_number_++), message_.octets(),
                 &control_frames_[index]);
  Push(at, Kind::kControl, index);
}

uint32_t GtpSimulation::Send(Subscriber& u, int64_t at, GtpNodeId from, GtpNodeId to, GtpTap tap, bool request,
                             uint32_t mentions) {
  // Both kinds of writer have a length of the whole to patch; which one it is, the version tells.
  if (message_.octets()[0] >> 5 == 2) {
    v2_.End();
  } else {
    v1_.End();
  }
  if (!Visible(u, tap)) return 0;
  const GtpNode &source = network_.node(from), &destination = network_.node(to);
  const uint16_t source_port = request ? source.request_port : kControlPort;
  const uint16_t destination_port = request ? kControlPort : destination.request_port;
  const int copies = Chance(options_.percent_repeated) ? 2 : 1;
  if (copies > 1) ++truth_.repeated_messages;
  bool seen = false;
  for (int i = 0; i < copies; ++i) {
    if (options_.percent_lost > 0 && Chance(options_.percent_lost)) {
      ++truth_.lost_messages;
      continue;
    }
    seen = true;
    // The second copy is there before the answer of a patient peer, which takes a step of at least a millisecond.
    PushFrame(at + i * 900 * kMicro, source.control, destination.control, source_port, destination_port);
  }
  if (!seen) {
    u.lost = true;
    return 0;
  }
  Link(u, mentions);
  return mentions;
}

const IpAddress& GtpSimulation::UserAddress(GtpNodeId node, GtpNodeId peer) const {
  const GtpNode &self = network_.node(node), &other = network_.node(peer);
  return self.v4 && other.v4 ? *self.v4 : *self.v6;
}

void GtpSimulation::SendUserSignal(Subscriber& u, int64_t at, GtpNodeId from, GtpNodeId to, GtpTap tap) {
  if (!Visible(u, tap)) return;
  PushFrame(at, UserAddress(from, to), UserAddress(to, from), kUserPort, kUserPort);
}

void GtpSimulation::Link(Subscriber& u, uint32_t labels) {
  if (labels == 0) return;
  uint32_t values = 0;
  for (int i = 0; i < kLabels; ++i) {
    if ((labels >> i & 1) != 0) values |= Bit(u.labels[i]);
  }
  const auto first = static_cast<uint8_t>(__builtin_ctz(values));
  for (uint8_t& label : u.labels) {
    if ((values >> label & 1) != 0) label = first;
  }
}

void GtpSimulation::Fresh(Subscriber& u, int label) {
  uint32_t used = 0;
  for (int i = 0; i < kLabels; ++i) {
    if (i != label) used |= Bit(u.labels[i]);
  }
  u.labels[label] = static_cast<uint8_t>(__builtin_ctz(~used));
}

GtpKnowledge GtpSimulation::Knowledge(const Subscriber& u, int label) const {
  if (u.labels[label] != u.labels[kImsi]) return GtpKnowledge::kNone;
  return u.lost ? GtpKnowledge::kLinked : GtpKnowledge::kDirect;
}

// --- user packets ---

int64_t GtpSimulation::Burst(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  if (u.state != State::kActive || Connections(u) == 0) return now;
  const int slot = u.sessions[0] < 0 || (u.sessions[1] >= 0 && random_.Below(3) == 0) ? 1 : 0;
  const Session& session = At(u, slot);
  const GtpApn& apn = GtpApnAt(session.apn);
  const bool v6 = apn.v6 && (!apn.v4 || random_.Below(2) == 0);
  const auto port = static_cast<uint16_t>(32768 + 2 * random_.Below(14000));
  const uint32_t remote = random_.Below(1 << 17);
  const uint32_t x = random_.Below(100);
  int64_t at = now;
  const auto carry = [&](int bearer, bool up, GtpTraffic traffic, uint32_t octets) {
    const uint16_t least = MinInnerOctets(traffic, v6, up);
    Carry(u, slot, bearer, at, up, traffic, static_cast<uint16_t>(std::max<uint32_t>(least, octets)), port, remote, v6);
    at += (50 + random_.Below(400)) * kMicro;
  };
  if (session.bearers[1].open && x < 60) {
    // Speech in both directions, every 20 ms.
    for (int i = 0; i < 2; ++i) {
      carry(1, true, GtpTraffic::kVoice, v6 ? 101 : 81);
      carry(1, false, GtpTraffic::kVoice, v6 ? 101 : 81);
      if (i == 0) at = now + 20 * kMilli;
    }
  } else if (x < 25) {
    carry(0, true, GtpTraffic::kDns, 0);
    at += 2 * kMilli;
    carry(0, false, GtpTraffic::kDns, 0);
  } else if (x < 28) {
    carry(0, true, GtpTraffic::kPing, 84);
    at += 3 * kMilli;
    carry(0, false, GtpTraffic::kPing, 84);
  } else {
    const GtpTraffic traffic = x < 60 ? GtpTraffic::kQuic : GtpTraffic::kWeb;
    // Most is fetched; some is sent.
    const bool fetches = random_.Below(8) != 0;
    const uint32_t full = traffic == GtpTraffic::kQuic ? 1278 : 1400;
    carry(0, true, traffic, 120 + random_.Below(500));
    const uint32_t n = 1 + random_.Below(6);
    for (uint32_t i = 0; i < n; ++i) {
      carry(0, !fetches, traffic, i + 1 < n ? full : 100 + random_.Below(full - 100));
      if (i % 2 == 1) carry(0, fetches, traffic, 0);
    }
  }
  return at + kMilli;
}

void GtpSimulation::PushUser(const Subscriber& u, int slot, int bearer, int64_t at, bool up, GtpTraffic traffic,
                             uint16_t octets, uint16_t port, uint32_t remote, bool v6, GtpTap tap, GtpNodeId from,
                             GtpNodeId to, uint32_t teid, GtpKnowledge known) {
  if (!Visible(u, tap)) return;
  const uint32_t index = Take(&free_user_packets_, &user_packets_);
  UserPacket& p = user_packets_[index];
  p.session = static_cast<uint32_t>(u.sessions[slot]);
  p.teid = teid;
  p.number = next_number_;
  p.remote = remote;
  p.from = from;
  p.to = to;
  p.octets = octets;
  p.ue_port = port;
  p.ebi = Ebi(slot, bearer);
  p.traffic = traffic;
  p.tap = tap;
  p.known = known;
  p.up = up;
  p.v6 = v6;
  Push(at, Kind::kUser, index);
}

void GtpSimulation::Carry(const Subscriber& u, int slot, int bearer, int64_t at, bool up, GtpTraffic traffic,
                          uint16_t octets, uint16_t port, uint32_t remote, bool v6) {
  const Session& s = At(u, slot);
  const Bearer& b = s.bearers[bearer];
  ++next_number_;
  const auto push = [&](int64_t time, GtpTap tap, GtpNodeId from, GtpNodeId to, Endpoint endpoint) {
    PushUser(u, slot, bearer, time, up, traffic, octets, port, remote, v6, tap, from, to, b.teid[endpoint],
             Knowledge(u, Label(slot, bearer, endpoint)));
  };
  if (u.access != GtpAccess::k4G) {
    const GtpTap tap = u.access == GtpAccess::k3G ? GtpTap::kGn : GtpTap::kN3;
    const GtpNodeId radio = u.access == GtpAccess::k3G ? u.mm : u.radio;
    up ? push(at, tap, radio, s.gateway, kGateway) : push(at, tap, s.gateway, radio, kRadio);
  } else if (up) {
    push(at, GtpTap::kS1U, u.radio, u.sgw, kSgwRadio);
    push(at + kTransit, GtpTap::kS5, u.sgw, s.gateway, kGateway);
  } else {
    push(at, GtpTap::kS5, s.gateway, u.sgw, kSgwCore);
    if (u.state != State::kIdle) push(at + kTransit, GtpTap::kS1U, u.sgw, u.radio, kRadio);
  }
}

void GtpSimulation::EncodeUser(const UserPacket& p, int64_t at) {
  Session& session = sessions_[p.session];
  const GtpProfile& profile = subscribers_[session.subscriber].profile;
  const gtp::UeAddresses ue = network_.UeAddresses(session.subscriber, session.apn);
  InnerPacket inner;
  inner.traffic = p.traffic;
  inner.up = p.up;
  inner.octets = p.octets;
  inner.ue_port = p.ue_port;
  inner.number = p.number;
  if (p.v6) {
    inner.ue = *ue.v6;
    if (ue.v6_length < 64) inner.ue.data()[7] = static_cast<uint8_t>(p.ue_port >> 4);  // a network behind it
    base::StoreBe64(inner.ue.data() + 8, MixBits(session.subscriber));
    uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8, 0xc0};
    base::StoreBe32(octets + 12, p.remote);
    inner.remote = IpAddress::FromV6(octets);
  } else {
    inner.ue = *ue.v4;
    inner.remote = IpAddress::V4(198u << 24 | 18u << 16 | p.remote);  // RFC 2544's two networks
  }
  inner_.Clear();
  EncodeInnerPacket(inner, &inner_);

  gtp::GtpUHeader header;
  header.teid = p.teid;
  payload_.Clear();
  // SGSNs number packets; gNodeBs and UPFs tell the flow; forwarded packets have their number of PDCP.
  if (p.tap == GtpTap::kGn) header.sequence = static_cast<uint16_t>(p.number);
  const auto container = gtp::PduSessionContent(p.up, 9);
  const uint8_t pdcp[2] = {0, static_cast<uint8_t>(p.number)};
  gtp::ExtensionHeader extension;
  const auto type = p.tap == GtpTap::kN3 ? gtp::ExtensionType::kPduSessionContainer : gtp::ExtensionType::kPdcpNumber;
  extension.type = static_cast<uint8_t>(type);
  extension.content = p.tap == GtpTap::kN3 ? base::Octets(container) : base::Octets(pdcp);
  const bool extended = p.tap == GtpTap::kN3 || p.tap == GtpTap::kX2 || p.tap == GtpTap::kForwarding;
  gtp::WriteGtpUHeader(header, absl::MakeConstSpan(&extension, extended ? 1 : 0), inner_.size(), &payload_);
  payload_.Bytes(inner_.octets());
  const IpAddress &source = UserAddress(p.from, p.to), &destination = UserAddress(p.to, p.from);
  frame_.Clear();
  EncodeGtpFrame(source, destination, kUserPort, kUserPort, static_cast<uint16_t>(truth_.frames), payload_.octets(),
                 &frame_);

  ++truth_.user_packets;
  truth_.user_octets += p.octets;
  ++truth_.user_packets_by_knowledge[static_cast<size_t>(p.known)];
  if (p.tap != GtpTap::kX2 && p.tap != GtpTap::kForwarding) {
    GtpVolume& volume = p.tap == GtpTap::kS1U ? session.radio_volume : session.gateway_volume;
    (p.up ? volume.packets_up : volume.packets_down) += 1;
    (p.up ? volume.bytes_up : volume.bytes_down) += p.octets;
  }
  has_user_ = true;
  user_.packet = truth_.frames;
  user_.time_nanos = at;
  user_.source = source;
  user_.destination = destination;
  user_.teid = p.teid;
  user_.subscriber = session.subscriber;
  user_.session = session.id;
  user_.imsi = network_.Imsi(session.subscriber, profile);
  user_.apn = GtpApnAt(session.apn).name;
  user_.up = p.up;
  user_.interface = p.tap;
  user_.ebi = p.ebi;
  user_.inner_octets = p.octets;
  user_.known = p.known;
}

// --- sessions ---

uint32_t GtpSimulation::NewTeid(GtpNodeId node, int64_t now) {
  GtpNode& n = network_.node(node);
  const size_t free = n.free_teids.size();
  const uint32_t teid = n.NewTeid(now, teid_reuse_nanos_);
  if (n.free_teids.size() < free) ++truth_.reused_teids;
  return teid;
}

int32_t GtpSimulation::Open(uint32_t subscriber, int slot, uint8_t apn, GtpNodeId gateway, int64_t now) {
  const uint32_t index = Take(&free_sessions_, &sessions_);
  Session& s = sessions_[index];
  s = Session();
  s.id = next_session_++;
  s.start_nanos = now;
  s.subscriber = subscriber;
  s.apn = apn;
  s.gateway = gateway;
  s.charging_id = next_charging_id_++;
  s.bearers[0].open = true;
  ++truth_.sessions;
  Subscriber& u = subscribers_[subscriber];
  u.sessions[slot] = static_cast<int32_t>(index);
  for (int label = SgwLabel(slot); label < SgwLabel(slot) + kSlotLabels; ++label) Fresh(u, label);
  return u.sessions[slot];
}

void GtpSimulation::FreeBearer(const Subscriber& u, const Session& session, int bearer, int64_t now) {
  const Bearer& b = session.bearers[bearer];
  if (!b.open) return;
  const auto free = [&](GtpNodeId node, Endpoint endpoint) {
    if (b.teid[endpoint] != 0) FreeTeid(node, b.teid[endpoint], now);
  };
  free(session.gateway, kGateway);
  free(u.access == GtpAccess::k3G ? u.mm : u.radio, kRadio);
  if (u.access == GtpAccess::k4G) {
    free(u.sgw, kSgwRadio);
    free(u.sgw, kSgwCore);
  }
}

void GtpSimulation::Close(Subscriber& u, int slot, int64_t now, bool restarted) {
  Session& s = At(u, slot);
  for (int bearer = 0; bearer < static_cast<int>(kBearers); ++bearer) FreeBearer(u, s, bearer, now);
  if (s.gateway_control != 0) FreeTeid(s.gateway, s.gateway_control, now);
  if (s.sgw_control != 0) FreeTeid(u.sgw, s.sgw_control, now);
  s.end_nanos = now;
  s.restarted = restarted;
  Push(std::max(now, u.busy_until) + kQuiet, Kind::kClose, static_cast<uint32_t>(u.sessions[slot]));
  u.sessions[slot] = -1;
}

void GtpSimulation::FreeControl(Subscriber& u, int64_t now) {
  if (Connections(u) > 0) return;
  if (u.mm_control != 0) FreeTeid(u.mm, u.mm_control, now);
  if (u.sgw_control != 0) FreeTeid(u.sgw, u.sgw_control, now);
  u.mm_control = u.sgw_control = 0;
  u.state = State::kDetached;
}

// --- nodes ---

GtpNodeId GtpSimulation::Other(const std::vector<GtpNodeId>& nodes, GtpNodeId old) {
  const GtpNodeId id = Pick(nodes);
  if (id != old) return id;
  const auto at = static_cast<size_t>(std::find(nodes.begin(), nodes.end(), old) - nodes.begin());
  return nodes[(at + 1) % nodes.size()];
}

GtpNodeId GtpSimulation::PickMme(const Subscriber& u) {
  return u.profile.roaming == GtpRoaming::kOutbound ? network_.partner(u.profile.partner).mme : Pick(network_.mmes());
}
GtpNodeId GtpSimulation::PickSgsn(const Subscriber& u) {
  return u.profile.roaming == GtpRoaming::kOutbound ? network_.partner(u.profile.partner).sgsn : Pick(network_.sgsns());
}
GtpNodeId GtpSimulation::PickSgw(const Subscriber& u) {
  return u.profile.roaming == GtpRoaming::kOutbound ? network_.partner(u.profile.partner).sgw : Pick(network_.sgws());
}
GtpNodeId GtpSimulation::PickRadio(const Subscriber& u, GtpNodeId old) {
  return u.profile.roaming == GtpRoaming::kOutbound ? network_.partner(u.profile.partner).enodeb
                                                    : Other(network_.enodebs(), old);
}
GtpNodeId GtpSimulation::PickGateway(const Subscriber& u, uint8_t apn) {
  if (u.profile.roaming == GtpRoaming::kInbound && (u.profile.home_routed || apn == kImsApn)) {
    return network_.partner(u.profile.partner).pgw;
  }
  return Pick(network_.pgws());
}

uint32_t GtpSimulation::Sequence(GtpNodeId node) {
  GtpNode& n = network_.node(node);
  n.next_sequence = (n.next_sequence + 1) & 0x7fffff;  // the highest bit is for commands (TS 29.274, 7.6)
  return n.next_sequence;
}

void GtpSimulation::SendEcho(GtpNodeId from, GtpNodeId to, int64_t at, GtpTap tap, bool user, bool v1) {
  Subscriber nobody;
  const int64_t later = at + Step();
  if (user) {
    const auto sequence = static_cast<uint16_t>(Sequence(from));
    message_.Clear();
    gtp::WriteEchoRequest(sequence, &message_);
    SendUserSignal(nobody, at, from, to, tap);
    message_.Clear();
    gtp::WriteEchoResponse(sequence, 0, &message_);  // TS 29.281, 8.2: to be zero, and to be ignored
    SendUserSignal(nobody, later, to, from, tap);
    return;
  }
  const uint32_t sequence = Sequence(from);
  if (v1) {
    Begin1(gtp_message::kEchoRequest, 0, sequence);
    Request(nobody, at, from, to, tap, 0);
    Begin1(gtp_message::kEchoResponse, 0, sequence).Recovery(network_.node(to).recovery);
  } else {
    Begin2(gtp_message::kEchoRequest, std::nullopt, sequence).Recovery(network_.node(from).recovery);
    Request(nobody, at, from, to, tap, 0);
    Begin2(gtp_message::kEchoResponse, std::nullopt, sequence).Recovery(network_.node(to).recovery);
  }
  Answer(nobody, later, to, from, tap, 0, 0);
}

void GtpSimulation::Echoes(int64_t now) {
  Count(GtpProcedure::kEcho);
  for (const GtpNodeId sgw : network_.sgws()) {
    for (const GtpNodeId mme : network_.mmes()) SendEcho(mme, sgw, now + Step(), GtpTap::kS11, false, false);
    for (const GtpNodeId pgw : network_.pgws()) SendEcho(sgw, pgw, now + Step(), GtpTap::kS5, false, false);
    SendEcho(Pick(network_.enodebs()), sgw, now + Step(), GtpTap::kS1U, true, false);
  }
  for (const GtpNodeId sgsn : network_.sgsns()) {
    for (const GtpNodeId pgw : network_.pgws()) SendEcho(sgsn, pgw, now + Step(), GtpTap::kGn, false, true);
  }
}

void GtpSimulation::Restart(int64_t now) {
  Count(GtpProcedure::kRestart);
  const uint32_t x = random_.Below(3);
  const GtpNodeId node = Pick(x == 0 ? network_.sgws() : x == 1 ? network_.pgws() : network_.sgsns());
  // All that began is over by then; what is new waits until all peers know.
  const int64_t down = now + kQuiet;
  frozen_until_ = down + kQuiet;
  for (Subscriber& u : subscribers_) {
    if (u.state == State::kDetached) continue;
    const bool all = (u.access == GtpAccess::k4G && u.sgw == node) || (u.access == GtpAccess::k3G && u.mm == node);
    bool any = false;
    for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
      if (u.sessions[slot] < 0 || (!all && At(u, slot).gateway != node)) continue;
      Close(u, slot, down, /*restarted=*/true);
      any = true;
    }
    if (!any) continue;
    FreeControl(u, down);
    // Its event stays where it is: a detached subscriber attaches at its next procedure, and bursts come to nothing.
  }
  network_.node(node).Restart();
  const int64_t at = down;
  if (x == 0) {
    for (const GtpNodeId mme : network_.mmes()) SendEcho(node, mme, at + Step(), GtpTap::kS11, false, false);
    for (const GtpNodeId pgw : network_.pgws()) SendEcho(node, pgw, at + Step(), GtpTap::kS5, false, false);
    for (const auto& partner : network_.partners()) {
      SendEcho(node, partner.pgw, at + Step(), GtpTap::kS5, false, false);
    }
  } else if (x == 1) {
    for (const GtpNodeId sgw : network_.sgws()) SendEcho(node, sgw, at + Step(), GtpTap::kS5, false, false);
    for (const GtpNodeId sgsn : network_.sgsns()) SendEcho(sgsn, node, at + Step(), GtpTap::kGn, false, true);
    for (const auto& partner : network_.partners()) {
      SendEcho(node, partner.sgw, at + Step(), GtpTap::kS5, false, false);
      SendEcho(partner.sgsn, node, at + Step(), GtpTap::kGn, false, true);
    }
  } else {
    for (const GtpNodeId pgw : network_.pgws()) SendEcho(pgw, node, at + Step(), GtpTap::kGn, false, true);
    for (const auto& partner : network_.partners()) {
      SendEcho(partner.pgw, node, at + Step(), GtpTap::kGn, false, true);
    }
  }
}

}  // namespace flowacct::collector
