#include "flowacct/collector/routelog/route_line.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/bmp/message_view.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

struct KindRow {
  absl::string_view log_type, event_type, message_type;
};
constexpr KindRow kKinds[] = {
#define X(name, log_type, event_type, message_type) {log_type, event_type, message_type},
    FLOWACCT_ROUTE_LINE_KINDS(X)
#undef X
};
const KindRow& RowOf(RouteLineKind kind) { return kKinds[static_cast<size_t>(kind)]; }

void AppendAddress(const base::IpAddress& address, std::string* out) {
  char text[base::IpAddress::kMaxTextSize];
  out->append(text, address.Format(text));
}

// As texts, in the order of `values`, each once.
template <typename T, typename Write>
void AppendAscending(std::vector<T> values, Write&& write, std::string* out) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  for (size_t i = 0; i < values.size(); ++i) {
    if (i != 0) out->push_back(' ');
    write(values[i]);
  }
}

std::string TimeText(absl::Time time, absl::TimeZone zone) {
  // A router that tells no time (RFC 7854, 4.2).
  if (time <= absl::UnixEpoch()) return "0000-00-00 00:00:00.000000";
  return absl::FormatTime("%Y-%m-%d %H:%M:%E6S", time, zone);
}

std::string DumpTimeText(absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, zone);
}

void AppendTeller(const RouteSource& source, std::string* out) {
  out->append(source.monitored() ? "\"bmp_router\": \"" : "\"peer_ip_src\": \"");
  AppendAddress(source.teller(), out);
  out->push_back('"');
  if (!source.monitored()) absl::StrAppend(out, ", \"peer_tcp_port\": ", source.port);
}

// ", "rd": "0:64500:7", "rd_origin": "bmp""
void AppendDistinguisher(uint64_t rd, absl::string_view origin, std::string* out) {
  out->append(", \"rd\": \"");
  AppendRouteDistinguisher(rd, out);
  absl::StrAppend(out, "\", \"rd_origin\": \"", origin, "\"");
}

// Which of the router's tables.
void AppendView(const RouteSource& source, std::string* out) {
  switch (source.view) {
    case rib::RibView::kSession:
    case rib::RibView::kDump:
      return;
    case rib::RibView::kLocRib:
      absl::StrAppend(out, ", \"is_filtered\": ", static_cast<int>(source.filtered), ", \"is_loc\": 1");
      return;
    case rib::RibView::kAdjRibInPre:
      out->append(", \"is_post\": 0, \"is_in\": 1");
      return;
    case rib::RibView::kAdjRibInPost:
      out->append(", \"is_post\": 1, \"is_in\": 1");
      return;
    case rib::RibView::kAdjRibOutPre:
      out->append(", \"is_post\": 0, \"is_out\": 1");
      return;
    case rib::RibView::kAdjRibOutPost:
      out->append(", \"is_post\": 1, \"is_out\": 1");
      return;
  }
}

// The label index of a Prefix-SID (RFC 8669, 3.1); 0: none.
uint32_t LabelIndex(bgp::AttributeSetView attributes) {
  base::Octets rest;
  if (!attributes.Find(bgp::AttributeCode::kPrefixSid, &rest)) return 0;
  while (rest.size() >= 3) {
    const size_t length = base::LoadBe16(rest.data() + 1);
    if (length > rest.size() - 3) return 0;
    if (rest[0] == 1 && length == 7) return base::LoadBe32(rest.data() + 6);
    rest = rest.subspan(3 + length);
  }
  return 0;
}

// --- BMP's own messages ---

// As pmacct names them: the texts that its readers compare with.
constexpr absl::string_view kPeerTypes[] = {"Global Instance Peer", "RD Instance Peer", "Local Instance Peer",
                                            "Loc-RIB Instance Peer"};
constexpr absl::string_view kPeerDownReasons[] = {
    "Reserved",
    "The local system closed the session",
    "The local system closed the session without a notification message",
    "The remote system closed the session",
    "The remote system closed the session without a notification message",
    "Info for this peer will no longer be sent for configuration reasons",
};
// By type; those behind 17 are RFC 9972's, which pmacct calls "Unknown".
constexpr absl::string_view kCounterTypes[] = {
    "Number of prefixes rejected by inbound policy",
    "Number of (known) duplicate prefix advertisements",
    "Number of (known) duplicate withdraws",
    "Number of updates invalidated due to CLUSTER_LIST loop",
    "Number of updates invalidated due to AS_PATH loop",
    "Number of updates invalidated due to ORIGINATOR_ID",
    "Number of updates invalidated due to AS_CONFED loop",
    "Number of routes in Adj-RIBs-In",
    "Number of routes in Loc-RIB",
    "Number of routes in per-AFI/SAFI Abj-RIB-In",
    "Number of routes in per-AFI/SAFI Loc-RIB",
    "Number of updates subjected to treat-as-withdraw",
    "Number of prefixes subjected to treat-as-withdraw",
    "Number of duplicate update messages received",
    "Number of routes in Adj-RIBs-Out Pre-Policy",
    "Number of routes in Adj-RIBs-Out Post-Policy",
    "Number of routes in per-AFI/SAFI Abj-RIB-Out Pre-Policy",
    "Number of routes in per-AFI/SAFI Abj-RIB-Out Post-Policy",
    "Number of routes in Adj-RIBs-In Pre-Policy",
    "Number of routes in per-AFI/SAFI Adj-RIB-In Pre-Policy",
    "Number of routes in Adj-RIBs-In Post-Policy",
    "Number of routes in per-AFI/SAFI Adj-RIB-In Post-Policy",
};

void AppendMonitoredHead(const base::IpAddress& router, absl::string_view message_type, absl::Time router_time,
                         absl::Time time, absl::TimeZone zone, std::string* out) {
  absl::StrAppend(out, ", \"timestamp\": \"", TimeText(router_time, zone), "\", \"timestamp_arrival\": \"",
                  TimeText(time, zone), "\", \"bmp_router\": \"");
  AppendAddress(router, out);
  absl::StrAppend(out, "\", \"bmp_msg_type\": \"", message_type, "\"");
}

void AppendPeer(const bmp::MonitoredPeer& peer, bool name_of_type, std::string* out) {
  const bool loc_rib = peer.key.type == bmp::PeerType::kLocRibInstance;
  out->append(", \"peer_ip\": \"");
  // A Loc-RIB has no neighbour: 0.0.0.0 whatever the V flag says.
  AppendAddress(loc_rib ? base::IpAddress::V4(0) : peer.key.address, out);
  const auto type = static_cast<size_t>(peer.key.type);
  absl::StrAppend(out, "\", \"peer_asn\": ", peer.as, ", \"peer_type\": ", type);
  if (name_of_type && type < std::size(kPeerTypes))
    absl::StrAppend(out, ", \"peer_type_str\": \"", kPeerTypes[type], "\"");
}

void AppendPeerDistinguisher(const bmp::MonitoredPeer& peer, std::string* out) {
  if (peer.key.distinguisher != 0) AppendDistinguisher(peer.key.distinguisher, "bmp", out);
}

absl::string_view TextOf(base::Octets octets) {
  return absl::string_view(reinterpret_cast<const char*>(octets.data()), octets.size());
}

std::string JsonOf(absl::string_view text) {
  std::string json;
  record::AppendJsonString(text, &json);
  return json;
}

// "76-72-66-2D-61"
std::string HexOf(base::Octets octets) {
  std::string text = "\"";
  text.reserve(3 * octets.size() + 2);
  for (const uint8_t octet : octets) {
    if (text.size() > 1) text.push_back('-');
    constexpr char kDigits[] = "0123456789ABCDEF";
    text.push_back(kDigits[octet >> 4]);
    text.push_back(kDigits[octet & 15]);
  }
  text.push_back('"');
  return text;
}

// A Peer Up's first kMaxToldTlvs, of a type the last one.
void AppendInformation(base::Octets information, std::string* out) {
  std::array<bmp::Tlv, kMaxToldTlvs> tlvs;
  size_t types = 0, seen = 0;
  bmp::ForEachTlv(information, [&](const bmp::Tlv& tlv) {
    if (++seen > kMaxToldTlvs) return;
    const auto end = tlvs.begin() + types;
    const auto known = std::find_if(tlvs.begin(), end, [&](const bmp::Tlv& other) { return other.type == tlv.type; });
    if (known == end) ++types;
    *known = tlv;
  });
  for (size_t i = 0; i < types; ++i) {
    const base::Octets value = tlvs[i].value.subspan(0, std::min(tlvs[i].value.size(), kMaxToldTlvOctets));
    if (tlvs[i].type == static_cast<uint16_t>(bmp::InformationType::kString)) {
      absl::StrAppend(out, ", \"bmp_peer_up_info_string\": ", JsonOf(TextOf(value)));
    } else {
      absl::StrAppend(out, ", \"bmp_peer_up_info_", tlvs[i].type, "\": ", HexOf(value));
    }
  }
}

}  // namespace

void AppendRouteDistinguisher(uint64_t rd, std::string* out) {
  const auto type = static_cast<uint16_t>(rd >> 48);
  absl::StrAppend(out, type, ":");
  switch (type) {  // RFC 4364, 4.2
    case 0:
      absl::StrAppend(out, rd >> 32 & 0xffff, ":", rd & 0xffffffff);
      return;
    case 1:
      AppendAddress(base::IpAddress::V4(static_cast<uint32_t>(rd >> 16)), out);
      absl::StrAppend(out, ":", rd & 0xffff);
      return;
    case 2:
      absl::StrAppend(out, rd >> 16 & 0xffffffff, ":", rd & 0xffff);
      return;
    default:
      absl::StrAppend(out, "0x", absl::Hex(rd & 0xffffffffffff, absl::kZeroPad12));
  }
}

void AppendCommunities(bgp::Communities communities, std::string* out) {
  std::vector<uint32_t> values;
  for (size_t i = 0; i < communities.size(); ++i) values.push_back(communities[i]);
  AppendAscending(
      std::move(values),
      [out](uint32_t c) {
        switch (c) {  // RFC 1997
          case 0:
            out->append("internet");
            return;
          case 0xffffff01:
            out->append("no-export");
            return;
          case 0xffffff02:
            out->append("no-advertise");
            return;
          case 0xffffff03:
            out->append("local-AS");
            return;
          default:
            absl::StrAppend(out, c >> 16, ":", c & 0xffff);
        }
      },
      out);
}

void AppendExtendedCommunities(bgp::ExtendedCommunities communities, std::string* out) {
  std::vector<uint64_t> values;
  for (size_t i = 0; i < communities.size(); ++i) values.push_back(communities[i]);
  AppendAscending(
      std::move(values),
      [out](uint64_t c) {
        const auto type = static_cast<uint8_t>(c >> 56), subtype = static_cast<uint8_t>(c >> 48);
        // RFC 4360, 3.1 and 3.2; RFC 5668. Their values are laid out as those of route distinguishers are.
        if (type > 2 || (subtype != 2 && subtype != 3)) {
          absl::StrAppend(out, "EC:0x", absl::Hex(c, absl::kZeroPad16));
          return;
        }
        out->append(subtype == 2 ? "RT:" : "SoO:");
        switch (type) {
          case 0:
            absl::StrAppend(out, c >> 32 & 0xffff, ":", c & 0xffffffff);
            return;
          case 1:
            AppendAddress(base::IpAddress::V4(static_cast<uint32_t>(c >> 16)), out);
            break;
          default:
            absl::StrAppend(out, c >> 16 & 0xffffffff);
        }
        absl::StrAppend(out, ":", c & 0xffff);
      },
      out);
}

void AppendLargeCommunities(bgp::LargeCommunities communities, std::string* out) {
  std::vector<std::array<uint32_t, 3>> values;
  for (size_t i = 0; i < communities.size(); ++i) {
    const bgp::LargeCommunity c = communities[i];
    values.push_back({c.global, c.local1, c.local2});
  }
  AppendAscending(
      std::move(values), [out](const std::array<uint32_t, 3>& c) { absl::StrAppend(out, c[0], ":", c[1], ":", c[2]); },
      out);
}

void RouteLineWriter::Begin(const RouteSource& source, RouteLineKind kind, absl::Time time, absl::Time router_time) {
  source_ = &source;
  const KindRow& row = RowOf(kind);
  const bool dump = kind == RouteLineKind::kDump;
  head_.clear();
  if (!row.log_type.empty()) absl::StrAppend(&head_, ", \"log_type\": \"", row.log_type, "\"");
  const bool routers_time = source.monitored() && (kind == RouteLineKind::kUpdate || kind == RouteLineKind::kWithdraw);
  absl::StrAppend(&head_, ", \"timestamp\": \"",
                  dump ? DumpTimeText(time, zone_) : TimeText(routers_time ? router_time : time, zone_), "\"");
  if (source.monitored()) {
    AppendView(source, &head_);
  } else {
    head_.append(", ");
    AppendTeller(source, &head_);
  }
  tail_.clear();
  if (source.monitored()) {
    if (!dump) absl::StrAppend(&tail_, ", \"timestamp_arrival\": \"", TimeText(time, zone_), "\"");
    tail_.append(", ");
    AppendTeller(source, &tail_);
    tail_.append(", \"peer_ip\": \"");
    AppendAddress(source.view == rib::RibView::kLocRib ? base::IpAddress::V4(0) : source.peer, &tail_);
    absl::StrAppend(&tail_, "\", \"peer_tcp_port\": 0, \"bmp_msg_type\": \"", row.message_type, "\"");
  }
  event_ = absl::StrCat(", \"event_type\": \"", row.event_type, "\"");
  tail_.append("}\n");
}

void RouteLineWriter::SetFamily(uint16_t afi, uint8_t safi) {
  family_ = absl::StrCat(", \"afi\": ", afi, ", \"safi\": ", safi, ", \"ip_prefix\": \"");
}

void RouteLineWriter::SetAttributes(bgp::AttributeSetView attributes) {
  attributes_.clear();
  if (const auto next_hop = attributes.next_hop()) {
    attributes_.append(", \"bgp_nexthop\": \"");
    AppendAddress(*next_hop, &attributes_);
    attributes_.push_back('"');
  }
  absl::StrAppend(&attributes_, ", \"as_path\": \"", attributes.as_path().ToString(), "\"");
  const auto list = [this](absl::string_view name, auto values, auto append) {
    if (values.empty()) return;
    absl::StrAppend(&attributes_, ", \"", name, "\": \"");
    append(values, &attributes_);
    attributes_.push_back('"');
  };
  list("comms", attributes.communities(), AppendCommunities);
  list("ecomms", attributes.extended_communities(), AppendExtendedCommunities);
  list("lcomms", attributes.large_communities(), AppendLargeCommunities);
  if (const auto origin = attributes.origin()) {
    const auto code = static_cast<uint8_t>(*origin);
    absl::StrAppend(&attributes_, ", \"origin\": \"", absl::string_view("ieu").substr(std::min<size_t>(code, 2), 1),
                    "\"");
  }
  if (const auto value = attributes.local_pref()) absl::StrAppend(&attributes_, ", \"local_pref\": ", *value);
  if (const auto value = attributes.med()) absl::StrAppend(&attributes_, ", \"med\": ", *value);
  if (const auto value = attributes.aigp()) absl::StrAppend(&attributes_, ", \"aigp\": ", *value);
  if (const uint32_t index = LabelIndex(attributes)) absl::StrAppend(&attributes_, ", \"psid_li\": ", index);
}

void RouteLineWriter::Append(uint64_t seq, const LoggedRoute& route, std::string* out) const {
  absl::StrAppend(out, "{\"seq\": ", seq, head_);
  // Of a router's table the distinguisher comes early, unless the route has one of its own.
  const bool tables_own = source_->monitored() && source_->rd != 0 && route.rd == 0;
  if (tables_own) AppendDistinguisher(source_->rd, "bmp", out);
  absl::StrAppend(out, event_, family_);
  if (route.v6 && route.address.IsV4()) out->append("::ffff:");
  AppendAddress(route.address, out);
  absl::StrAppend(out, "/", route.length, "\"");
  if (route.has_path_id) absl::StrAppend(out, ", \"as_path_id\": ", route.path_id);
  out->append(attributes_);
  if (route.rd != 0) AppendDistinguisher(route.rd, "bgp", out);
  if (route.has_label) absl::StrAppend(out, ", \"label\": \"", route.label, "\"");
  out->append(tail_);
}

void AppendLogBoundary(const RouteSource& source, absl::string_view event_type, uint64_t seq, absl::Time time,
                       absl::TimeZone zone, std::string* out) {
  absl::StrAppend(out, "{\"seq\": ", seq, ", \"timestamp\": \"", TimeText(time, zone), "\", ");
  AppendTeller(source, out);
  absl::StrAppend(out, ", \"event_type\": \"", event_type, "\"}\n");
}

void AppendDumpInit(const RouteSource& source, uint64_t seq, absl::Time time, int64_t period_seconds,
                    absl::TimeZone zone, std::string* out) {
  absl::StrAppend(out, "{\"timestamp\": \"", DumpTimeText(time, zone), "\", ");
  AppendTeller(source, out);
  absl::StrAppend(out, ", \"event_type\": \"dump_init\", \"dump_period\": ", period_seconds, ", \"seq\": ", seq, "}\n");
}

void AppendDumpClose(const RouteSource& source, uint64_t seq, absl::Time time, uint64_t entries, absl::TimeZone zone,
                     std::string* out) {
  absl::StrAppend(out, "{\"timestamp\": \"", DumpTimeText(time, zone), "\", ");
  AppendTeller(source, out);
  out->append(", \"event_type\": \"dump_close\"");
  if (!source.monitored()) absl::StrAppend(out, ", \"entries\": ", entries, ", \"tables\": 1");
  absl::StrAppend(out, ", \"seq\": ", seq, "}\n");
}

void AppendInitiation(const base::IpAddress& router, absl::string_view name, absl::string_view description,
                      absl::Time time, absl::TimeZone zone, std::string* out) {
  AppendMonitoredHead(router, "init", absl::UnixEpoch(), time, zone, out);
  if (!description.empty()) absl::StrAppend(out, ", \"bmp_init_info_sysdescr\": ", JsonOf(description));
  if (!name.empty()) absl::StrAppend(out, ", \"bmp_init_info_sysname\": ", JsonOf(name));
  out->append("}\n");
}

void AppendPeerUp(const base::IpAddress& router, const bmp::PeerUp& up, absl::Time time, absl::TimeZone zone,
                  std::string* out) {
  if (!up.told) return;
  AppendMonitoredHead(router, "peer_up", up.time, time, zone, out);
  AppendPeer(up.peer, /*name_of_type=*/true, out);
  if (up.peer.key.type == bmp::PeerType::kLocRibInstance) {
    absl::StrAppend(out, ", \"is_filtered\": ", static_cast<int>(up.filtered), ", \"is_loc\": 1");
  }
  out->append(", \"bgp_id\": \"");
  AppendAddress(base::IpAddress::V4(up.peer.bgp_identifier), out);
  absl::StrAppend(out, "\", \"local_port\": ", up.local_port, ", \"remote_port\": ", up.remote_port,
                  ", \"local_ip\": \"");
  AppendAddress(up.local_address, out);
  out->push_back('"');
  AppendPeerDistinguisher(up.peer, out);
  AppendInformation(up.information, out);
  out->append("}\n");
}

void AppendPeerDown(const base::IpAddress& router, const bmp::PeerDown& down, absl::Time time, absl::TimeZone zone,
                    std::string* out) {
  if (down.reason == bmp::PeerDownReason::kStreamEnded) return;
  AppendMonitoredHead(router, "peer_down", down.time, time, zone, out);
  AppendPeer(down.peer, /*name_of_type=*/true, out);
  AppendPeerDistinguisher(down.peer, out);
  const auto reason = static_cast<size_t>(down.reason);
  absl::StrAppend(out, ", \"reason_type\": ", reason);
  if (reason < std::size(kPeerDownReasons)) {
    absl::StrAppend(out, ", \"reason_str\": \"", kPeerDownReasons[reason], "\"");
  }
  if (down.reason == bmp::PeerDownReason::kLocalNoNotification) {
    absl::StrAppend(out, ", \"reason_loc_code\": ", down.fsm_event);
  }
  out->append("}\n");
}

void AppendStatistics(const base::IpAddress& router, const bmp::StatisticsReport& report, bool filtered,
                      absl::Time time, absl::TimeZone zone, std::string* out) {
  std::string head;
  AppendMonitoredHead(router, "stats", report.time, time, zone, &head);
  AppendPeer(report.peer, /*name_of_type=*/false, &head);
  switch (report.rib) {
    case bmp::RibKind::kLocRib:
      absl::StrAppend(&head, ", \"is_filtered\": ", static_cast<int>(filtered), ", \"is_loc\": 1");
      break;
    case bmp::RibKind::kAdjRibIn:
      absl::StrAppend(&head, ", \"is_post\": ", static_cast<int>(report.post_policy), ", \"is_in\": 1");
      break;
    case bmp::RibKind::kAdjRibOut:
      absl::StrAppend(&head, ", \"is_post\": ", static_cast<int>(report.post_policy), ", \"is_out\": 1");
      break;
  }
  AppendPeerDistinguisher(report.peer, &head);
  for (const bmp::Statistic& statistic : report.statistics) {
    absl::StrAppend(out, head, ", \"counter_type\": ", statistic.type, ", \"counter_type_str\": \"",
                    statistic.type < std::size(kCounterTypes) ? kCounterTypes[statistic.type] : "Unknown", "\"");
    if (statistic.has_family) absl::StrAppend(out, ", \"afi\": ", statistic.afi, ", \"safi\": ", statistic.safi);
    absl::StrAppend(out, ", \"counter_value\": ", statistic.value, "}\n");
  }
}

}  // namespace flowacct::collector
