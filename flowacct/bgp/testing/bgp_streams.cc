#include "flowacct/bgp/testing/bgp_streams.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::bgp::testing {
namespace {

constexpr uint16_t kBgpPort = 179;
constexpr uint8_t kTcp = 6;
constexpr uint8_t kSyn = 2;

struct Segment {
  base::IpAddress src, dst;
  uint16_t src_port = 0, dst_port = 0;
  uint32_t sequence = 0;
  bool syn = false;
  base::Octets payload;
};

bool ReadTcp(base::Octets tcp, Segment* segment) {
  if (tcp.size() < 20) return false;
  segment->src_port = base::LoadBe16(tcp.data());
  segment->dst_port = base::LoadBe16(tcp.data() + 2);
  if (segment->src_port != kBgpPort && segment->dst_port != kBgpPort) return false;
  segment->sequence = base::LoadBe32(tcp.data() + 4);
  segment->syn = (tcp[13] & kSyn) != 0;
  const size_t header = size_t{tcp[12]} / 16 * 4;
  if (header < 20 || header > tcp.size()) return false;
  segment->payload = tcp.subspan(header);
  return true;
}

bool ReadIp(base::Octets ip, Segment* segment) {
  if (ip.size() >= 40 && ip[0] >> 4 == 4 && (ip[0] & 15) >= 5 && ip[9] == kTcp) {
    const size_t length = base::LoadBe16(ip.data() + 2), header = size_t{ip[0]} % 16 * 4;
    if (length < header || length > ip.size()) return false;
    segment->src = base::IpAddress::FromV4(ip.data() + 12);
    segment->dst = base::IpAddress::FromV4(ip.data() + 16);
    return ReadTcp(ip.subspan(header, length - header), segment);
  }
  if (ip.size() >= 60 && ip[0] >> 4 == 6 && ip[6] == kTcp) {
    const size_t length = base::LoadBe16(ip.data() + 4);
    if (length > ip.size() - 40) return false;
    segment->src = base::IpAddress::FromV6(ip.data() + 8);
    segment->dst = base::IpAddress::FromV6(ip.data() + 24);
    return ReadTcp(ip.subspan(40, length), segment);
  }
  return false;
}

bool HasMarker(base::Octets octets) {
  return octets.size() >= 16 && std::all_of(octets.begin(), octets.begin() + 16, [](uint8_t o) { return o == 0xff; });
}

}  // namespace

std::vector<BgpStream> ReadBgpStreams(const std::vector<flowacct::testing::CapturedFrame>& frames) {
  struct Direction {
    size_t index;
    uint32_t first;
    std::map<int64_t, base::Octets> segments;  // by offset from the first
    std::vector<std::map<int64_t, base::Octets>> earlier;
  };
  std::vector<BgpStream> streams;
  std::map<std::pair<std::string, std::string>, Direction> directions;
  for (const flowacct::testing::CapturedFrame& frame : frames) {
    Segment segment;
    bool found = false;
    for (size_t at = 0; at <= 64 && at < frame.octets.size() && !found; ++at) {
      found = ReadIp(base::Octets(frame.octets).subspan(at), &segment);
    }
    if (!found) continue;
    const std::string from = absl::StrCat(segment.src.ToString(), ":", segment.src_port);
    const std::string to = absl::StrCat(segment.dst.ToString(), ":", segment.dst_port);
    auto [it, added] = directions.try_emplace({from, to});
    Direction& direction = it->second;
    if (added) {
      direction.index = streams.size();
      direction.first = segment.sequence;
      streams.push_back({from, to, {}});
    } else if (segment.syn) {  // the ports again
      direction.earlier.push_back(std::move(direction.segments));
      direction.segments.clear();
      direction.first = segment.sequence;
    }
    if (segment.payload.empty()) continue;
    const int64_t offset = static_cast<int32_t>(segment.sequence - direction.first);
    base::Octets& kept = direction.segments[offset];
    if (segment.payload.size() > kept.size()) kept = segment.payload;
  }
  for (auto& [key, direction] : directions) {
    direction.earlier.push_back(std::move(direction.segments));
    for (const auto& segments : direction.earlier) {
      std::vector<std::vector<uint8_t>>& runs = streams[direction.index].runs;
      bool in_run = false;
      int64_t next = 0;
      for (const auto& [offset, payload] : segments) {
        if (in_run && offset > next) in_run = false;
        if (!in_run) {
          if (!HasMarker(payload)) continue;
          runs.emplace_back();
          in_run = true;
          next = offset;
        }
        const int64_t skip = next - offset;
        if (skip >= static_cast<int64_t>(payload.size())) continue;
        runs.back().insert(runs.back().end(), payload.begin() + skip, payload.end());
        next = offset + static_cast<int64_t>(payload.size());
      }
    }
  }
  return streams;
}

}  // namespace flowacct::bgp::testing
