#include "flowacct/packet/reassembler.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "flowacct/packet/ip_headers.h"
#include "flowacct/packet/next_protocol.h"

namespace flowacct::packet {

namespace {

constexpr uint32_t kMaxIpPayload = 65535;
// Emptied buffers that are kept for the next datagrams.
constexpr size_t kMaxSpare = 16;

}  // namespace

bool FindFragment(const PacketView& view, IpFragment* fragment) {
  const IpLevel* level = view.level(0);
  if (level == nullptr || !level->fragment) return false;
  fragment->source = view.source(*level);
  fragment->destination = view.destination(*level);
  fragment->id = level->fragment_id;
  fragment->version = level->version;
  // Of a first fragment the parser went on through what follows the fragment header, so the header itself is asked.
  uint32_t begin = level->payload_offset;
  fragment->protocol = level->protocol;
  if (level->version == 6) {
    for (const Layer& layer : view.layers().subspan(level->ip_layer)) {
      if (layer.kind != LayerKind::kFragment) continue;
      begin = layer.offset + layer.length;
      fragment->protocol = view.As<Ipv6FragmentView>(layer).next_header();
      break;
    }
  }
  const Layer& ip = view.layers()[level->ip_layer];
  const size_t end = std::min<size_t>(view.octets().size(), size_t{ip.offset} + level->ip_length);
  fragment->offset = level->fragment_offset;
  fragment->more = level->more_fragments;
  fragment->payload = begin < end ? view.octets().subspan(begin, end - begin) : base::Octets();
  fragment->truncated = end < size_t{ip.offset} + level->ip_length;
  return true;
}

bool FindUdp(const ReassembledPacket& packet, UdpDatagram* datagram) {
  uint8_t protocol = packet.protocol;
  base::Octets octets = packet.payload;
  while (packet.version == 6) {
    const LayerKind kind = FromIpProtocol(protocol, /*ipv6=*/true);
    if (kind != LayerKind::kDestinationOptions && kind != LayerKind::kRouting && kind != LayerKind::kHopByHop) break;
    if (octets.size() < 8) return false;
    const size_t length = 8u * (octets[1] + 1u);
    if (octets.size() < length) return false;
    protocol = octets[0];
    octets.remove_prefix(length);
  }
  constexpr uint8_t kUdp = 17;
  if (protocol != kUdp || octets.size() < 8) return false;
  const UdpView udp(octets.first(8));
  const size_t length = udp.length() == 0 ? octets.size() : udp.length();
  if (length < 8 || length > octets.size()) return false;
  *datagram = UdpDatagram{
      packet.source, packet.destination, udp.source_port(), udp.destination_port(), octets.subspan(8, length - 8),
      false};
  return true;
}

Reassembler::Reassembler(ReassemblerOptions options) : options_(options) {}

void Reassembler::Drop(Waiting::iterator datagram) {
  index_.erase(datagram->key);
  waiting_octets_ -= datagram->octets.size();
  datagram->octets.clear();
  datagram->ranges.clear();
  if (spare_.size() < kMaxSpare) {
    spare_.splice(spare_.end(), waiting_, datagram);
  } else {
    waiting_.erase(datagram);
  }
}

void Reassembler::Expire(int64_t time_nanos) {
  while (!waiting_.empty() && time_nanos - waiting_.front().first_nanos > options_.timeout_nanos) {
    if (!waiting_.front().poisoned) ++counters_.timeouts;
    Drop(waiting_.begin());
  }
}

// Takes no more of the datagram, and remembers so until it is overdue (RFC 5722, 4).
void Reassembler::Poison(Datagram* datagram) {
  if (datagram->poisoned) return;
  datagram->poisoned = true;
  ++counters_.dropped_overlapping;
  waiting_octets_ -= datagram->octets.size();
  datagram->octets.clear();
  datagram->ranges.clear();
}

Reassembler::Datagram* Reassembler::FindOrStart(const FragmentKey& key, int64_t time_nanos) {
  const auto found = index_.find(key);
  if (found != index_.end()) return &*found->second;
  if (options_.max_datagrams == 0) return nullptr;
  if (waiting_.size() >= options_.max_datagrams) {
    ++counters_.limit_exceeded;
    Drop(waiting_.begin());
  }
  if (spare_.empty()) {
    waiting_.emplace_back();
  } else {
    waiting_.splice(waiting_.end(), spare_, spare_.begin());
  }
  Datagram& datagram = waiting_.back();
  datagram.key = key;
  datagram.first_nanos = time_nanos;
  datagram.protocol = key.protocol;
  datagram.poisoned = false;
  datagram.total = 0;
  datagram.fragments = 0;
  datagram.octets.clear();
  datagram.ranges.clear();
  index_.emplace(key, std::prev(waiting_.end()));
  return &datagram;
}

bool Reassembler::Add(const IpFragment& fragment, int64_t time_nanos, ReassembledPacket* whole) {
  ++counters_.fragments;
  Expire(time_nanos);
  const uint32_t begin = fragment.offset;
  const size_t size = fragment.payload.size();
  if (fragment.truncated || size == 0 || begin > kMaxIpPayload || size > kMaxIpPayload - begin ||
      (fragment.more && size % 8 != 0)) {
    ++counters_.malformed;
    return false;
  }
  const uint32_t end = begin + static_cast<uint32_t>(size);
  const bool ipv6 = fragment.version == 6;
  const FragmentKey key{fragment.source, fragment.destination, fragment.id, ipv6 ? uint8_t{0} : fragment.protocol};
  Datagram* const datagram = FindOrStart(key, time_nanos);
  if (datagram == nullptr) {
    ++counters_.limit_exceeded;
    return false;
  }
  if (datagram->poisoned) {
    ++counters_.overlaps;
    return false;
  }
  const bool other_end = datagram->total != 0 && (fragment.more ? end > datagram->total : end != datagram->total);
  const bool beyond = !fragment.more && !datagram->ranges.empty() && datagram->ranges.back().end > end;
  if (other_end || beyond) {
    ++counters_.malformed;
    if (ipv6) Poison(datagram);
    return false;
  }
  if (++datagram->fragments > options_.max_fragments) {
    ++counters_.limit_exceeded;
    Drop(index_.find(key)->second);
    return false;
  }

  // Where it meets what is here already.
  std::vector<Range>& ranges = datagram->ranges;
  const auto first = std::find_if(ranges.begin(), ranges.end(), [&](const Range& r) { return r.end > begin; });
  if (first != ranges.end() && first->begin < end) {
    const bool contained = first->begin <= begin && end <= first->end;
    if (contained && std::memcmp(datagram->octets.data() + begin, fragment.payload.data(), size) == 0) {
      ++counters_.duplicates;
      return false;
    }
    ++counters_.overlaps;
    if (ipv6) {
      Poison(datagram);
      return false;
    }
  }

  if (end > datagram->octets.size()) {
    const size_t growth = end - datagram->octets.size();
    while (waiting_octets_ + growth > options_.max_octets && &waiting_.front() != datagram) {
      ++counters_.limit_exceeded;
      Drop(waiting_.begin());
    }
    if (waiting_octets_ + growth > options_.max_octets) {
      ++counters_.limit_exceeded;
      Drop(index_.find(key)->second);
      return false;
    }
    datagram->octets.resize(end);
    waiting_octets_ += growth;
  }
  if (begin == 0) datagram->protocol = fragment.protocol;
  if (!fragment.more) datagram->total = end;

  // Copies what is missing, first come first kept, and melts the ranges into one.
  Range melted{begin, end};
  uint32_t at = begin;
  auto last = first;
  for (; last != ranges.end() && last->begin <= end; ++last) {
    if (last->begin > at) {
      std::memcpy(datagram->octets.data() + at, fragment.payload.data() + (at - begin), last->begin - at);
    }
    at = std::max(at, last->end);
    melted.begin = std::min(melted.begin, last->begin);
    melted.end = std::max(melted.end, last->end);
  }
  if (at < end) std::memcpy(datagram->octets.data() + at, fragment.payload.data() + (at - begin), end - at);
  const auto inserted = ranges.insert(ranges.erase(first, last), melted);
  if (inserted != ranges.begin() && std::prev(inserted)->end == inserted->begin) {
    std::prev(inserted)->end = inserted->end;
    ranges.erase(inserted);
  }

  if (datagram->total == 0 || ranges.size() != 1 || ranges[0].begin != 0 || ranges[0].end != datagram->total) {
    return false;
  }
  ++counters_.reassembled;
  waiting_octets_ -= datagram->octets.size();
  const auto node = index_.find(key)->second;
  index_.erase(key);
  // The last of the spare ones is lent: it is taken again only after the others, and cleared only when taken.
  spare_.splice(spare_.end(), waiting_, node);
  while (spare_.size() > kMaxSpare) spare_.pop_front();
  *whole =
      ReassembledPacket{fragment.source, fragment.destination, datagram->protocol, fragment.version, datagram->octets};
  return true;
}

}  // namespace flowacct::packet
