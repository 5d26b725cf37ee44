#include "flowacct/isis/testing/content_text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"

namespace flowacct::isis::testing {
namespace {

std::string Hex(const std::vector<uint8_t>& octets) { return absl::BytesToHexString(base::AsText(octets)); }

template <typename T>
std::string Text(const std::optional<T>& value) {
  return value ? absl::StrCat(*value) : "-";
}

void AppendAreas(const std::vector<AreaAddress>& areas, std::string* text) {
  for (const AreaAddress& area : areas) absl::StrAppend(text, "area ", area.ToString(), "\n");
}

void AppendTopologies(const std::vector<TopologyMembership>& topologies, std::string* text) {
  for (const TopologyMembership& t : topologies) {
    absl::StrAppend(text, "topology ", t.topology, " ", t.overload, " ", t.attached, "\n");
  }
}

void AppendAddresses(absl::string_view what, const std::vector<base::IpAddress>& addresses, std::string* text) {
  for (const base::IpAddress& address : addresses) absl::StrAppend(text, what, " ", address.ToString(), "\n");
}

void AppendSids(const std::vector<SegmentId>& sids, std::string* text) {
  for (const SegmentId& sid : sids) {
    absl::StrAppend(text, " sid ", sid.flags, ":", sid.algorithm_or_weight, ":", sid.value);
  }
}

void AppendRaw(const std::vector<RawTlv>& tlvs, std::string* text) {
  for (const RawTlv& tlv : tlvs) absl::StrAppend(text, "tlv ", tlv.type, " ", Hex(tlv.value), "\n");
}

void AppendRanges(absl::string_view what, const std::vector<LabelRange>& ranges, std::string* text) {
  for (const LabelRange& range : ranges) absl::StrAppend(text, " ", what, " ", range.first, "+", range.size);
}

}  // namespace

std::string AsText(const LspContent& content) {
  std::string text;
  AppendAreas(content.areas, &text);
  absl::StrAppend(&text, "protocols ", Hex(content.protocols), "\nname ", content.hostname, "\n");
  AppendTopologies(content.topologies, &text);
  AppendAddresses("address", content.interface_addresses, &text);
  if (content.router_id) absl::StrAppend(&text, "router ", content.router_id->ToString(), "\n");
  if (content.router_id_v6) absl::StrAppend(&text, "router ", content.router_id_v6->ToString(), "\n");
  for (const Neighbor& n : content.neighbors) {
    absl::StrAppend(&text, "neighbor ", n.node.ToString(), " topology ", n.topology, " metric ", n.metric, " wide ",
                    n.wide, " ", n.local_address.ToString(), " ", n.remote_address.ToString(), " ");
    absl::StrAppend(&text, n.local_address_v6.ToString(), " ", n.remote_address_v6.ToString(), " ids ", n.local_link_id,
                    " ", n.remote_link_id, " group ", Text(n.administrative_group), " te ", Text(n.te_metric));
    absl::StrAppend(&text, " bandwidth ", Text(n.max_bandwidth), " ", Text(n.max_reservable_bandwidth));
    AppendSids(n.adjacency_sids, &text);
    text.push_back('\n');
  }
  for (const Reachability& r : content.prefixes) {
    absl::StrAppend(&text, "prefix ", r.prefix.ToString(), " topology ", r.topology, " metric ", r.metric, " wide ",
                    r.wide, " down ", r.down, " external ", r.external, " ", r.external_metric);
    absl::StrAppend(&text, " tag ", Text(r.tag), " flags ", r.attribute_flags ? int{*r.attribute_flags} : -1,
                    " source ", r.source_router_id ? r.source_router_id->ToString() : "-");
    AppendSids(r.prefix_sids, &text);
    text.push_back('\n');
  }
  for (const RouterCapability& c : content.capabilities) {
    absl::StrAppend(&text, "capability topology ", c.topology, " router ", c.router_id.ToString(), " flags ", c.flags,
                    " sr ", c.segment_routing_v4, c.segment_routing_v6, " algorithms ", Hex(c.algorithms));
    AppendRanges("block", c.segment_routing_blocks, &text);
    AppendRanges("local", c.segment_routing_local_blocks, &text);
    for (const uint16_t nickname : c.nicknames) absl::StrAppend(&text, " nickname ", nickname);
    for (const uint16_t tree : c.distribution_trees) absl::StrAppend(&text, " tree ", tree);
    for (const auto& [first, last] : c.interested_vlans) absl::StrAppend(&text, " vlans ", first, "-", last);
    text.push_back('\n');
  }
  if (content.purge_originator) absl::StrAppend(&text, "purged by ", content.purge_originator->ToString(), "\n");
  if (content.purge_source) absl::StrAppend(&text, "purge from ", content.purge_source->ToString(), "\n");
  AppendRaw(content.others, &text);
  return text;
}

std::string AsText(const HelloContent& content) {
  std::string text;
  AppendAreas(content.areas, &text);
  absl::StrAppend(&text, "protocols ", Hex(content.protocols), "\n");
  for (const base::MacAddress& mac : content.lan_neighbors) absl::StrAppend(&text, "neighbor ", mac.ToString(), "\n");
  AppendAddresses("address", content.interface_addresses, &text);
  AppendAddresses("global", content.global_addresses_v6, &text);
  AppendTopologies(content.topologies, &text);
  if (content.three_way) {
    const ThreeWayState& s = *content.three_way;
    absl::StrAppend(&text, "three-way ", static_cast<int>(s.state), " ", Text(s.local_circuit), " ",
                    s.neighbor ? s.neighbor->ToString() : "-", " ", Text(s.neighbor_circuit), "\n");
  }
  if (content.restart) {
    const RestartState& r = *content.restart;
    absl::StrAppend(&text, "restart ", r.flags, " ", Text(r.remaining_seconds), " ",
                    r.neighbor ? r.neighbor->ToString() : "-", "\n");
  }
  for (const BfdEnabled& bfd : content.bfd) absl::StrAppend(&text, "bfd ", bfd.topology, " ", bfd.protocol, "\n");
  if (content.instance) absl::StrAppend(&text, "instance ", *content.instance, "\n");
  absl::StrAppend(&text, "padding ", content.padding_octets, "\n");
  AppendRaw(content.others, &text);
  return text;
}

}  // namespace flowacct::isis::testing
