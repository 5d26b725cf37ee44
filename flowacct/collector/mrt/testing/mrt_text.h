// MRT of routes written as text, for tests.
//
//     MrtText file;
//     file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}});
//     file.Entry(0, "198.51.100.0/24", {64501, 64502}, "192.0.2.1");
//     file.Update("192.0.2.1", 64501, builder.Message());

#ifndef FLOWACCT_COLLECTOR_MRT_TESTING_MRT_TEXT_H_
#define FLOWACCT_COLLECTOR_MRT_TESTING_MRT_TEXT_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bgp/update.h"
#include "flowacct/mrt/writer.h"

namespace flowacct::collector {

struct TextPeer {
  std::string address;
  uint32_t as = 0;
  std::string identifier;  // empty: none
};

class MrtText {
 public:
  absl::Time time = absl::FromUnixSeconds(1700000000);

  void Peers(const std::vector<TextPeer>& texts) {
    std::vector<mrt::Peer> peers;
    for (const TextPeer& text : texts) {
      peers.push_back({*base::IpAddress::Parse(text.address), text.as,
                       text.identifier.empty() ? 0 : base::IpAddress::Parse(text.identifier)->v4()});
    }
    mrt::PeerIndexTable table;
    table.time = time;
    table.peers = peers;
    writer_.WritePeerIndexTable(table);
  }
  // `rd` other than 0: a VPN's route. `path_id` other than 0: ADD-PATH.
  void Entry(uint16_t peer, absl::string_view prefix, const std::vector<uint32_t>& path, absl::string_view next_hop,
             const std::vector<uint32_t>& communities = {}, uint64_t rd = 0, uint32_t path_id = 0) {
    bgp::testing::UpdateBuilder builder;
    builder.Origin(0).AsPath(path).NextHop("192.0.2.254");
    if (!communities.empty()) builder.Communities(communities);
    builder.Announce("10.0.0.0/8");
    const auto update = std::make_unique<bgp::Update>();
    bgp::UpdateCounters counters;
    bgp::DecodeUpdate(builder.Message(), {}, update.get(), &counters);
    std::vector<uint8_t> buffer;
    const base::Octets set = bgp::CanonicalizeAttributes(*update, update->announced()[0], &buffer);
    // With the next hop that is asked for, of whatever family.
    std::vector<uint8_t> attributes;
    const base::IpAddress hop = *base::IpAddress::Parse(next_hop);
    bgp::AttributeSetView(set).ForEach([&](uint8_t code, base::Octets value) {
      if (code == 3) value = hop.IsV4() ? hop.octets().subspan(12) : hop.octets();
      attributes.push_back(code);
      attributes.push_back(static_cast<uint8_t>(value.size() >> 8));
      attributes.push_back(static_cast<uint8_t>(value.size()));
      attributes.insert(attributes.end(), value.begin(), value.end());
    });
    const base::IpPrefix parsed = *base::IpPrefix::Parse(prefix);
    const bool v6 = !parsed.address().IsV4();
    bgp::Nlri route;
    route.address = parsed.address();
    route.length = parsed.length();
    route.rd = rd;
    route.label = 100;
    mrt::RibRoute entry;
    entry.peer_index = peer;
    entry.path_id = path_id;
    entry.originated = time;
    entry.attributes = attributes;
    const bgp::Family family = rd != 0 ? (v6 ? bgp::Family::kVpnIpv6 : bgp::Family::kVpnIpv4)
                                       : (v6 ? bgp::Family::kIpv6Unicast : bgp::Family::kIpv4Unicast);
    writer_.WriteRib(time, family, route, path_id != 0, {&entry, 1});
  }
  void Update(absl::string_view peer, uint32_t as, base::Octets message, bool from_local = false) {
    mrt::Ends ends;
    ends.time = time;
    ends.peer = {*base::IpAddress::Parse(peer), as, 0};
    ends.local = {*base::IpAddress::Parse("192.0.2.250"), 64999, 0};
    writer_.WriteMessage(ends, from_local, false, message);
  }
  // BGP4MP_STATE_CHANGE_AS4 (RFC 6396, 4.4.4).
  void State(absl::string_view peer, uint32_t as, uint16_t before, uint16_t after) {
    octets_.U32(static_cast<uint32_t>(absl::ToUnixSeconds(time))).U16(16).U16(5).U32(24);
    octets_.U32(as).U32(64999).U16(0).U16(1);
    octets_.U32(base::IpAddress::Parse(peer)->v4()).U32(0xc00002fa).U16(before).U16(after);
  }

  base::Octets octets() const { return octets_.octets(); }
  std::string text() const { return std::string(base::AsText(octets_.octets()).data(), octets_.size()); }
  bool WriteTo(const std::string& path) const {
    FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return false;
    const bool written = std::fwrite(octets().data(), 1, octets().size(), file) == octets().size();
    return std::fclose(file) == 0 && written;
  }

 private:
  base::OctetWriter octets_;
  mrt::Writer writer_{&octets_};
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_MRT_TESTING_MRT_TEXT_H_
