#include "flowacct/collector/server/routing_query.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/bgp/session.h"
#include "flowacct/collector/looking_glass/looking_glass.h"
#include "flowacct/record/value_text.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {
namespace {

std::string TimeText(absl::Time time) { return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()); }

std::string PeerName(const RoutingPeer& peer) {
  return peer.interface.empty() ? peer.address.ToString() : absl::StrCat(peer.address.ToString(), "%", peer.interface);
}

void AppendRefusals(const std::array<uint64_t, kRoutingRefusalCount>& refusals, std::string* json) {
  absl::StrAppend(json, "\"connections_refused\":{");
  for (size_t i = 0; i < kRoutingRefusalCount; ++i) {
    absl::StrAppend(json, i == 0 ? "" : ",", "\"", RoutingRefusalName(static_cast<RoutingRefusal>(i)),
                    "\":", refusals[i]);
  }
  json->push_back('}');
}

std::string PeersAsJson(const RoutingStatus& status) {
  constexpr absl::string_view kColumns[] = {"peer",    "as",          "router_id", "table",   "told_by",
                                            "state",   "since",       "ipv4",      "ipv6",    "stale",
                                            "updates", "withdrawals", "refused",   "last_end"};
  JsonRows table(kColumns);
  for (const RoutingPeer& peer : status.peers) {
    table.Row();
    table.Text(PeerName(peer));
    table.Number(uint64_t{peer.as});
    table.Text(base::IpAddress::V4(peer.bgp_identifier).ToString());
    table.Text(rib::RibViewName(peer.view));
    peer.told_by == base::IpAddress() ? table.Absent() : table.Text(peer.told_by.ToString());
    table.Text(peer.waits ? "loading" : bgp::SessionStateName(peer.state));
    table.Text(TimeText(peer.since));
    table.Number(peer.v4.paths);
    table.Number(peer.v6.paths);
    table.Number(peer.v4.stale + peer.v6.stale);
    table.Number(peer.counters.updates.messages);
    table.Number(peer.v4.withdrawals + peer.v6.withdrawals);
    table.Number(peer.v4.refused + peer.v6.refused + peer.refused_routes);
    peer.last_end ? table.Text(absl::StrCat(TimeText(peer.last_end->time), " ", peer.last_end->text)) : table.Absent();
  }
  std::string json = "{\"router_id\":";
  record::AppendJsonString(base::IpAddress::V4(status.bgp_identifier).ToString(), &json);
  absl::StrAppend(&json, ",\"established\":", status.established, ",\"pending\":", status.pending,
                  ",\"paths\":", status.paths, ",\"attribute_sets\":", status.attribute_sets,
                  ",\"octets\":", status.octets, ",");
  AppendRefusals(status.counters.refusals, &json);
  absl::StrAppend(&json, ",", std::move(table).Finish(), "}\n");
  return json;
}

std::string RoutersAsJson(const RoutingStatus& status) {
  constexpr absl::string_view kColumns[] = {"router", "name",  "peer",  "as",        "router_id",
                                            "rd",     "table", "since", "statistics"};
  JsonRows table(kColumns);
  for (const RoutingRouter& router : status.routers) {
    for (const RoutingNeighbour& neighbour : router.neighbours) {
      table.Row();
      table.Text(router.address.ToString());
      table.Text(router.name);
      const bool own = neighbour.type == bmp::PeerType::kLocRibInstance;
      own ? table.Text("loc_rib") : table.Text(neighbour.address.ToString());
      table.Number(uint64_t{neighbour.as});
      table.Text(base::IpAddress::V4(neighbour.bgp_identifier).ToString());
      neighbour.distinguisher == 0 ? table.Absent() : table.Text(bgp::RouteDistinguisherText(neighbour.distinguisher));
      neighbour.table_name.empty() ? table.Absent() : table.Text(neighbour.table_name);
      table.Text(TimeText(neighbour.since));
      std::string statistics;
      for (const bmp::Statistic& statistic : neighbour.statistics) {
        const absl::string_view name = bmp::StatisticName(statistic.type);
        absl::StrAppend(
            &statistics, statistics.empty() ? "" : " ", name.empty() ? absl::StrCat(statistic.type) : std::string(name),
            statistic.has_family ? absl::StrCat("/", statistic.afi, "/", statistic.safi) : "", "=", statistic.value);
      }
      statistics.empty() ? table.Absent() : table.Text(statistics);
    }
  }
  std::string json = absl::StrCat("{\"connected\":", status.routers.size(), ",");
  AppendRefusals(status.counters.router_refusals, &json);
  json += ",\"recent_ends\":[";
  for (size_t i = 0; i < status.recent_router_ends.size(); ++i) {
    const RoutingRouterEnd& end = status.recent_router_ends[i];
    absl::StrAppend(&json, i == 0 ? "" : ",", "{\"time\":\"", TimeText(end.time), "\",\"router\":\"",
                    end.address.ToString(), "\",\"name\":");
    record::AppendJsonString(end.name, &json);
    json += ",\"why\":";
    record::AppendJsonString(end.why, &json);
    json += "}";
  }
  absl::StrAppend(&json, "],", std::move(table).Finish(), "}\n");
  return json;
}

}  // namespace

BgpStatus DescribeRouting(const RoutingStatus& status) {
  BgpStatus bgp;
  bgp.established = status.established;
  bgp.pending = status.pending;
  bgp.paths = status.paths;
  bgp.attribute_sets = status.attribute_sets;
  bgp.octets = status.octets;
  bgp.sessions_established = status.counters.established;
  bgp.sessions_lost = status.counters.lost;
  for (const uint64_t refused : status.counters.refusals) bgp.connections_refused += refused;
  bgp.congestions = status.counters.congestions;
  bgp.evicted_peers = status.counters.evicted_peers;
  bgp.incomplete_tables = status.counters.incomplete_tables;
  bgp.mappings_left_out = status.counters.directory_overflows;
  for (const RoutingPeer& told : status.peers) {
    // What BMP and MRT tell are tables of others: thousands.
    if (told.view != rib::RibView::kSession) continue;
    const bool up = told.state == bgp::SessionState::kEstablished;
    if (!up && told.sessions == 0) continue;  // on its way
    BgpPeerStatus peer;
    peer.peer = PeerName(told);
    peer.as = told.as;
    peer.router_id = base::IpAddress::V4(told.bgp_identifier).ToString();
    peer.up = up;
    peer.ipv4_paths = told.v4.paths;
    peer.ipv6_paths = told.v6.paths;
    peer.stale_paths = told.v4.stale + told.v6.stale;
    peer.updates = told.counters.updates.messages;
    peer.withdrawals = told.v4.withdrawals + told.v6.withdrawals;
    peer.erroneous_updates = told.counters.erroneous_updates;
    peer.refused_paths = told.v4.refused + told.v6.refused + told.refused_routes;
    bgp.peers.push_back(std::move(peer));
  }
  return bgp;
}

BmpStatus DescribeMonitoring(const RoutingStatus& status) {
  BmpStatus bmp;
  bmp.connected = status.routers.size();
  bmp.connections_accepted = status.counters.routers_accepted;
  for (const uint64_t refused : status.counters.router_refusals) bmp.connections_refused += refused;
  bmp.connections_replaced = status.counters.routers_replaced;
  bmp.refused_updates = status.counters.bmp_refused_updates;
  bmp.messages = status.counters.bmp_messages;
  bmp.octets = status.counters.bmp_octets;
  bmp.errors = status.counters.bmp_errors;
  for (const RoutingRouter& told : status.routers) {
    BmpRouterStatus router;
    router.router = told.address.ToString();
    router.name = told.name;
    router.tables = told.neighbours.size();
    for (const uint64_t count : told.counters.messages) router.messages += count;
    router.octets = told.counters.octets;
    router.errors = told.counters.errors.errors();
    router.refused_updates = told.refused_updates;
    bmp.tables += router.tables;
    bmp.routers.push_back(std::move(router));
  }
  return bmp;
}

absl::StatusOr<std::string> AnswerFromRoutes(const RoutesQuestion& question, RoutingEngine& engine) {
  if (question.routers) return RoutersAsJson(*engine.Status());
  if (question.address.empty()) return PeersAsJson(*engine.Status());
  absl::StatusOr<std::string> answer;
  // On the writer's own thread nothing changes meanwhile.
  const absl::Status status = engine.Call([&](PeerBook& book) { answer = LookUpRoutes(book, question); });
  if (!status.ok()) return status;
  return answer;
}

absl::StatusOr<std::string> AnswerFromHistory(const HistoryQuestion& question, const RouteHistory& history) {
  RouteHistoryQuestion asked;
  asked.limit = question.limit;
  if (!question.prefix.empty()) {
    asked.prefix = base::IpPrefix::Parse(question.prefix);
    if (!asked.prefix) {
      return absl::InvalidArgumentError(
          absl::StrCat("prefix: \"", question.prefix, "\" is no prefix and no address; such as 198.51.100.0/24"));
    }
    asked.around = question.prefix.find('/') == std::string::npos;
  }
  if (!question.peer.empty()) {
    asked.peer = base::IpAddress::Parse(question.peer);
    if (!asked.peer) {
      return absl::InvalidArgumentError(absl::StrCat("peer: \"", question.peer, "\" is no address; such as 192.0.2.1"));
    }
  }
  // As those of MRT files, and of which table it was.
  constexpr absl::string_view kColumns[] = {
      "time", "peer", "as", "event", "prefix", "path_id", "rd", FLOWACCT_ATTRIBUTE_COLUMNS, "table", "told_by"};
  JsonRows table(kColumns);
  history.Visit(asked, [&table](const RouteHistoryRow& row) {
    table.Row();
    table.Time(absl::FromUnixMillis(absl::ToUnixMillis(row.time)));
    table.Text(row.peer->address.ToString());
    table.Number(uint64_t{row.peer->as});
    table.Text(RouteEventName(row.event));
    row.prefix ? table.Text(row.prefix->ToString()) : table.Absent();
    row.path_id ? table.Number(uint64_t{*row.path_id}) : table.Absent();
    row.rd == 0 ? table.Absent() : table.Text(bgp::RouteDistinguisherText(row.rd));
    row.event == RouteEvent::kAnnounced ? AppendAttributes(row.attributes, &table) : AppendNoAttributes(&table);
    table.Text(rib::RibViewName(row.peer->view));
    row.peer->told_by == base::IpAddress() ? table.Absent() : table.Text(row.peer->told_by.ToString());
  });
  const RouteHistoryCounters counters = history.counters();
  std::string json = absl::StrCat("{\"entries\":", counters.entries, ",\"octets\":", counters.octets, ",\"oldest\":");
  if (counters.entries == 0) {
    json += "null";
  } else {
    record::AppendJsonString(TimeText(counters.oldest), &json);
  }
  absl::StrAppend(&json, ",", std::move(table).Finish(), "}\n");
  return json;
}

}  // namespace flowacct::collector
