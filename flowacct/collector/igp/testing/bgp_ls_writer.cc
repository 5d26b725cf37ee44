#include "flowacct/collector/igp/testing/bgp_ls_writer.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/testing/update_builder.h"

namespace flowacct::collector {
namespace {

using topology::AdvertisedLink;
using topology::AdvertisedPrefix;
using topology::Advertisement;
using topology::AdvertisementKey;
using topology::NodeKey;
using topology::NodeStyle;

std::string Number(uint64_t value, size_t octets) {
  base::OctetWriter out;
  out.Number(value, octets);
  return std::string(base::AsText(out.octets()));
}
std::string Text(base::Octets octets) { return std::string(base::AsText(octets)); }
std::string AddressOctets(const base::IpAddress& address) {
  return Text(address.IsV4() ? address.octets().subspan(12) : address.octets());
}
base::Octets Of(const std::string& text) { return base::AsOctets(text); }

std::string NodeDescriptors(uint16_t type, NodeKey node, uint32_t area, const BgpLsWriting& writing) {
  const std::string key = Number(node.value, 8);
  const bool isis = writing.style == NodeStyle::kIsis, pseudonode = topology::IsPseudonode(writing.style, node);
  std::string value = BgpLsTlv(512, Number(64500, 4)) + BgpLsTlv(513, Number(7, 4));
  if (!isis) value += BgpLsTlv(514, Number(area, 4));
  value += BgpLsTlv(515, key.substr(0, isis ? (pseudonode ? 7 : 6) : (pseudonode ? 8 : 4)));
  if (writing.unknown_tlvs) value += BgpLsTlv(599, "later");
  return BgpLsTlv(type, value);
}

std::string Topology(topology::TopologyNumber number, bool say) {
  return number != 0 || say ? BgpLsTlv(263, Number(number, 2)) : "";
}

}  // namespace

std::string BgpLsTlv(uint16_t type, const std::string& value) {
  return Number(type, 2) + Number(value.size(), 2) + value;
}

std::vector<BgpLsObject> BgpLsObjectsOf(const Advertisement& a, const BgpLsWriting& writing) {
  const bool isis = writing.style == NodeStyle::kIsis, backbone = a.key.level == 2;
  const uint8_t protocol = isis ? a.key.level : 3;
  const uint32_t area = backbone ? 0 : 5;
  const std::string unknown = writing.unknown_tlvs ? BgpLsTlv(65000, std::string("\0later", 6)) : "";
  const std::string local = NodeDescriptors(256, a.key.origin, area, writing);
  std::vector<BgpLsObject> objects;
  const auto add = [&](uint16_t type, const std::string& tlvs, const std::string& attribute) {
    objects.push_back({BgpLsTlv(type, (writing.rd != 0 ? Number(writing.rd, 8) : "") + Number(protocol, 1) +
                                          Number(writing.instance, 8) + local + tlvs + unknown),
                       attribute + unknown});
  };

  std::string node;
  if (!a.topologies.empty()) {
    std::string numbers = Number(0, 2);
    for (const auto& t : a.topologies) numbers += Number(t.topology, 2);
    node += BgpLsTlv(263, numbers);
  }
  node += BgpLsTlv(1024, Number((a.overload ? 0x80 : 0) | (a.attached ? 0x40 : 0), 1));
  if (!a.name.empty()) node += BgpLsTlv(1026, a.name);
  for (const std::string& area_text : isis ? a.areas : std::vector<std::string>()) {
    node += BgpLsTlv(1027, absl::HexStringToBytes(absl::StrReplaceAll(area_text, {{".", ""}})));
  }
  if (a.router_id) node += BgpLsTlv(1028, AddressOctets(*a.router_id));
  if (a.router_id_v6) node += BgpLsTlv(1029, AddressOctets(*a.router_id_v6));
  add(1, "", node);

  for (const AdvertisedLink& link : a.links) {
    std::string tlvs = NodeDescriptors(257, link.to, area, writing);
    if (link.local_id != 0 || link.remote_id != 0) {
      tlvs += BgpLsTlv(258, Number(link.local_id, 4) + Number(link.remote_id, 4));
    }
    const bool v4 = link.local_address.IsV4() || link.remote_address.IsV4();
    const auto address = [&](uint16_t type, const base::IpAddress& one) {
      if (one != base::IpAddress()) tlvs += BgpLsTlv(type, AddressOctets(one));
    };
    address(v4 ? 259 : 261, link.local_address);
    address(v4 ? 260 : 262, link.remote_address);
    tlvs += Topology(link.topology, writing.standard_topology && link.metric % 2 == 0);
    std::string attribute;
    if (link.bandwidth) {
      uint32_t bits;
      std::memcpy(&bits, &*link.bandwidth, sizeof(bits));
      attribute += BgpLsTlv(1089, Number(bits, 4));
    }
    // 5.3.2.4: one octet of narrow metrics, two of OSPF, three of wide ones.
    const size_t octets = !isis ? 2 : link.metric < 64 ? 1 : 3;
    attribute += BgpLsTlv(1095, Number(link.metric, octets));
    add(2, tlvs, attribute);
  }
  std::map<std::string, size_t> places;
  for (const AdvertisedPrefix& prefix : a.prefixes) {
    const bool v4 = prefix.prefix.address().IsV4();
    std::string tlvs = Topology(prefix.topology, writing.standard_topology && prefix.metric % 2 == 0);
    if (!isis) tlvs += BgpLsTlv(264, Number(!prefix.external ? 1 : prefix.external_metric ? 4 : 3, 1));
    const size_t octets = (prefix.prefix.length() + 7u) / 8;
    tlvs += BgpLsTlv(265, Number(prefix.prefix.length(), 1) + AddressOctets(prefix.prefix.address()).substr(0, octets));
    std::string attribute;
    if (prefix.down) attribute += BgpLsTlv(1152, Number(0x80, 1));
    attribute += BgpLsTlv(1155, Number(prefix.metric, 4));
    if (prefix.segment_index) attribute += BgpLsTlv(1158, Number(0, 4) + Number(*prefix.segment_index, 4));
    add(v4 ? 3 : 4, tlvs, attribute);
  }
  return objects;
}

std::string BgpLsAnnouncement(const BgpLsObject& object, bgp::Family family) {
  bgp::testing::UpdateBuilder builder;
  const std::string hop = std::string(family == bgp::Family::kLinkStateVpn ? 8 : 0, '\0') + Number(0xc0000201, 4);
  builder.Origin(0).AsPath({}).LocalPref(100).MpReach(family, Of(hop)).RawMpAnnounce(Of(object.nlri));
  if (!object.attribute.empty()) builder.Attribute(0x80, 29, Of(object.attribute));
  return Text(builder.Message());
}

std::string BgpLsWithdrawal(const std::vector<BgpLsObject>& objects, bgp::Family family) {
  bgp::testing::UpdateBuilder builder;
  builder.MpUnreach(family);
  for (const BgpLsObject& object : objects) builder.RawMpWithdraw(Of(object.nlri));
  return Text(builder.Message());
}

std::vector<Advertisement> AsBgpLsTells(const std::vector<Advertisement>& advertisements, NodeStyle style) {
  std::map<AdvertisementKey, Advertisement> all;
  for (const Advertisement& fragment : advertisements) {
    AdvertisementKey key = fragment.key;
    key.fragment = 0;
    const auto [place, is_new] = all.try_emplace(key, fragment);
    Advertisement& a = place->second;
    a.key = key;
    if (is_new) continue;
    a.links.insert(a.links.end(), fragment.links.begin(), fragment.links.end());
    a.prefixes.insert(a.prefixes.end(), fragment.prefixes.begin(), fragment.prefixes.end());
  }
  std::vector<Advertisement> told;
  for (auto& [key, a] : all) {
    a.sequence = 0;
    a.addresses.clear();
    for (auto& t : a.topologies) {
      t.overload = a.overload;
      t.attached = a.attached;
    }
    std::map<std::tuple<base::IpPrefix, topology::TopologyNumber, bool, bool>, AdvertisedPrefix> prefixes;
    for (AdvertisedPrefix prefix : a.prefixes) {
      if (style == NodeStyle::kIsis) {
        prefix.external = prefix.external_metric = false;
      } else {
        prefix.down = false;
        prefix.external_metric = prefix.external_metric && prefix.external;
      }
      prefixes[{prefix.prefix, prefix.topology, prefix.external, prefix.external_metric}] = prefix;
    }
    a.prefixes.clear();
    for (const auto& [name, prefix] : prefixes) a.prefixes.push_back(prefix);
    std::sort(a.links.begin(), a.links.end(), [](const AdvertisedLink& x, const AdvertisedLink& y) {
      return std::tie(x.to, x.topology, x.local_address, x.remote_address, x.local_id, x.remote_id) <
             std::tie(y.to, y.topology, y.local_address, y.remote_address, y.local_id, y.remote_id);
    });
    if (style == NodeStyle::kOspf) a.areas = {key.level == 2 ? "0.0.0.0" : "0.0.0.5"};
    if (style == NodeStyle::kOspf && !topology::IsPseudonode(style, key.origin) && !a.router_id) {
      a.router_id = base::IpAddress::V4(static_cast<uint32_t>(key.origin.value >> 32));
    }
    told.push_back(std::move(a));
  }
  return told;
}

std::vector<Advertisement> AsOspf(std::vector<Advertisement> advertisements) {
  // A router's number becomes its identifier, a pseudonode's an address of its designated router.
  const auto ospf = [](NodeKey key) {
    const uint64_t router = 0x0a000000 | (key.value >> 16 & 0xffffff), lan = key.value >> 8 & 0xff;
    return NodeKey{router << 32 | (lan == 0 ? 0 : 0xac100000 | lan)};
  };
  for (Advertisement& a : advertisements) {
    a.key.origin = ospf(a.key.origin);
    a.areas.clear();
    for (AdvertisedLink& link : a.links) link.to = ospf(link.to);
  }
  return advertisements;
}

std::string AdvertisementText(const Advertisement& a) {
  std::string text =
      absl::StrCat("L", a.key.level, " ", absl::Hex(a.key.origin.value, absl::kZeroPad16), "/", a.key.fragment, " ",
                   a.name, a.overload ? " overload" : "", a.attached ? " attached" : "");
  for (const auto& t : a.topologies) {
    absl::StrAppend(&text, " mt", t.topology, t.overload ? "o" : "", t.attached ? "a" : "");
  }
  if (a.router_id) absl::StrAppend(&text, " ", a.router_id->ToString());
  if (a.router_id_v6) absl::StrAppend(&text, " ", a.router_id_v6->ToString());
  for (const std::string& area : a.areas) absl::StrAppend(&text, " area ", area);
  for (const AdvertisedLink& l : a.links) {
    absl::StrAppend(&text, "\n  to ", absl::Hex(l.to.value, absl::kZeroPad16), " mt", l.topology, " metric ", l.metric,
                    " ", l.local_address.ToString(), " ", l.remote_address.ToString(), " ", l.local_id, " ",
                    l.remote_id);
    if (l.bandwidth) absl::StrAppend(&text, " bandwidth ", *l.bandwidth);
  }
  for (const AdvertisedPrefix& p : a.prefixes) {
    absl::StrAppend(&text, "\n  ", p.prefix.ToString(), " mt", p.topology, " metric ", p.metric, p.down ? " down" : "",
                    p.external ? " external" : "", p.external_metric ? "2" : "");
    if (p.segment_index) absl::StrAppend(&text, " sid ", *p.segment_index);
  }
  return text;
}

}  // namespace flowacct::collector
