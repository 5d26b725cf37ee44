#include "flowacct/testing/tcp_streams.h"

#include <map>
#include <utility>

namespace flowacct::testing {
namespace {

constexpr uint8_t kTcp = 6;
constexpr uint8_t kSyn = 2;

uint32_t Number(const uint8_t* p, size_t octets) {
  uint32_t value = 0;
  for (size_t i = 0; i < octets; ++i) value = value << 8 | p[i];
  return value;
}

std::string Hex(const uint8_t* p, size_t octets) {
  std::string text;
  for (size_t i = 0; i < octets; ++i) {
    text += "0123456789abcdef"[p[i] >> 4];
    text += "0123456789abcdef"[p[i] & 15];
  }
  return text;
}

struct Payload {
  const uint8_t* data = nullptr;
  size_t size = 0;
};

struct Segment {
  std::string from, to;
  uint32_t sequence = 0;
  bool syn = false;
  Payload payload;
};

bool ReadTcp(const uint8_t* src, const uint8_t* dst, size_t address_octets, const uint8_t* tcp, size_t size,
             Segment* segment) {
  if (size < 20) return false;
  const size_t header = size_t{tcp[12]} / 16 * 4;
  if (header < 20 || header > size) return false;
  segment->from = Hex(src, address_octets) + ":" + Hex(tcp, 2);
  segment->to = Hex(dst, address_octets) + ":" + Hex(tcp + 2, 2);
  segment->sequence = Number(tcp + 4, 4);
  segment->syn = (tcp[13] & kSyn) != 0;
  segment->payload = {tcp + header, size - header};
  return true;
}

bool HasChecksum(const uint8_t* ip, size_t header) {
  uint32_t sum = 0;
  for (size_t i = 0; i < header; i += 2) sum += Number(ip + i, 2);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}

bool ReadIp(const uint8_t* ip, size_t size, Segment* segment) {
  if (size >= 40 && ip[0] >> 4 == 4 && (ip[0] & 15) >= 5 && ip[9] == kTcp) {
    const size_t length = Number(ip + 2, 2), header = size_t{ip[0]} % 16 * 4;
    if (length < header || length > size || !HasChecksum(ip, header)) return false;
    return ReadTcp(ip + 12, ip + 16, 4, ip + header, length - header, segment);
  }
  if (size >= 60 && ip[0] >> 4 == 6 && ip[6] == kTcp) {
    const size_t length = Number(ip + 4, 2);
    if (length > size - 40) return false;
    return ReadTcp(ip + 8, ip + 24, 16, ip + 40, length, segment);
  }
  return false;
}

}  // namespace

std::vector<TcpStream> ReadTcpStreams(const std::vector<CapturedFrame>& frames,
                                      const std::function<bool(const uint8_t* payload, size_t size)>& starts) {
  using Segments = std::map<int64_t, Payload>;  // by offset from the first
  struct Direction {
    size_t index = 0;
    uint32_t first = 0;
    Segments segments;
    std::vector<Segments> earlier;
  };
  std::vector<TcpStream> streams;
  std::map<std::pair<std::string, std::string>, Direction> directions;
  for (const CapturedFrame& frame : frames) {
    Segment segment;
    bool found = false;
    for (size_t at = 0; at <= 64 && at < frame.octets.size() && !found; ++at) {
      found = ReadIp(frame.octets.data() + at, frame.octets.size() - at, &segment);
    }
    if (!found) continue;
    const auto [it, added] = directions.try_emplace({segment.from, segment.to});
    Direction& direction = it->second;
    if (added) {
      direction.index = streams.size();
      direction.first = segment.sequence;
      streams.push_back({segment.from, segment.to, {}});
    } else if (segment.syn) {  // the ports again
      direction.earlier.push_back(std::move(direction.segments));
      direction.segments.clear();
      direction.first = segment.sequence;
    }
    if (segment.payload.size == 0) continue;
    Payload& kept = direction.segments[static_cast<int32_t>(segment.sequence - direction.first)];
    if (segment.payload.size > kept.size) kept = segment.payload;
  }
  for (auto& [key, direction] : directions) {
    direction.earlier.push_back(std::move(direction.segments));
    for (const Segments& segments : direction.earlier) {
      std::vector<std::vector<uint8_t>>& runs = streams[direction.index].runs;
      bool in_run = false;
      int64_t next = 0;
      for (const auto& [offset, payload] : segments) {
        if (in_run && offset > next) in_run = false;
        if (!in_run) {
          if (!starts(payload.data, payload.size)) continue;
          runs.emplace_back();
          in_run = true;
          next = offset;
        }
        const int64_t skip = next - offset, size = static_cast<int64_t>(payload.size);
        if (skip >= size) continue;
        runs.back().insert(runs.back().end(), payload.data + skip, payload.data + size);
        next = offset + size;
      }
    }
  }
  return streams;
}

}  // namespace flowacct::testing
