#include "flowacct/collector/server/routing_query.h"

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
#include "flowacct/collector/routelog/route_line.h"
#include "flowacct/enrich/field_value.h"
#include "flowacct/record/value_text.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {
namespace {

using record::FieldType;

// Rows of values in the order of the columns.
class Table {
 public:
  explicit Table(std::initializer_list<absl::string_view> columns) {
    json_ = "\"columns\":[";
    absl::string_view comma;
    for (absl::string_view column : columns) {
      absl::StrAppend(&json_, comma, "\"", column, "\"");
      comma = ",";
    }
    json_ += "],\"rows\":[";
  }
  void Row() {
    absl::StrAppend(&json_, first_ ? "[" : "],[");
    first_ = false;
    comma_ = "";
  }
  std::string* Next() {
    absl::StrAppend(&json_, comma_);
    comma_ = ",";
    return &json_;
  }
  void Text(absl::string_view text) { record::AppendJsonString(text, Next()); }
  void Number(uint64_t number) { absl::StrAppend(Next(), number); }
  void Number(std::optional<uint32_t> number) { number ? Number(uint64_t{*number}) : Absent(); }
  void Absent() { absl::StrAppend(Next(), "null"); }
  // What the octets of an interned field say.
  void Octets(FieldType type, base::Octets octets) {
    if (octets.empty()) return Absent();
    base::Interner interner;
    const base::InternId id = interner.Intern(octets);
    std::string text;
    record::AppendText(type, reinterpret_cast<const uint8_t*>(&id), interner, &text);
    Text(text);
  }
  std::string Finish() && {
    json_ += first_ ? "]" : "]]";
    return std::move(json_);
  }

 private:
  std::string json_;
  bool first_ = true;
  absl::string_view comma_;
};

std::string TimeText(absl::Time time) { return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()); }

std::string PeerName(const RoutingPeer& peer) {
  return peer.interface.empty() ? peer.address.ToString() : absl::StrCat(peer.address.ToString(), "%", peer.interface);
}

std::string PeersAsJson(const RoutingStatus& status) {
  Table table({"peer", "as", "router_id", "state", "since", "ipv4", "ipv6", "stale", "updates", "withdrawals",
               "refused", "last_end"});
  for (const RoutingPeer& peer : status.peers) {
    table.Row();
    table.Text(PeerName(peer));
    table.Number(uint64_t{peer.as});
    table.Text(base::IpAddress::V4(peer.bgp_identifier).ToString());
    table.Text(bgp::SessionStateName(peer.state));
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
                  ",\"octets\":", status.octets, ",\"connections_refused\":{");
  for (size_t i = 0; i < kRoutingRefusalCount; ++i) {
    absl::StrAppend(&json, i == 0 ? "" : ",", "\"", RoutingRefusalName(static_cast<RoutingRefusal>(i)),
                    "\":", status.counters.refusals[i]);
  }
  absl::StrAppend(&json, "},", std::move(table).Finish(), "}\n");
  return json;
}

void AppendRoute(const rib::PeerKey& peer, const base::IpAddress& address, const rib::RouteView& route, Table* table) {
  const bgp::AttributeSetView set(route.octets);
  table->Row();
  table->Text(base::IpPrefix(address, route.length).ToString());
  table->Text(peer.address.ToString());
  if (const auto next_hop = set.next_hop()) {
    table->Text(next_hop->ToString());
  } else {
    table->Absent();
  }
  table->Octets(FieldType::kAsPath, set.as_path().octets());
  if (const auto origin = set.origin()) {
    table->Text(record::EnumerationNames(FieldType::kBgpOrigin)[static_cast<size_t>(*origin)]);
  } else {
    table->Absent();
  }
  table->Number(set.local_pref());
  table->Number(set.med());
  table->Octets(FieldType::kCommunities, set.communities().octets());
  table->Octets(FieldType::kExtCommunities, set.extended_communities().octets());
  table->Octets(FieldType::kLargeCommunities, set.large_communities().octets());
  route.path_id != 0 ? table->Number(uint64_t{route.path_id}) : table->Absent();
  route.label != rib::Announcement::kNoLabel ? table->Number(uint64_t{route.label}) : table->Absent();
  table->Number(uint64_t{route.stale});
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
  for (const RoutingPeer& told : status.peers) {
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

absl::StatusOr<std::string> AnswerFromRoutes(const RoutesQuestion& question, RoutingEngine& engine) {
  if (question.address.empty()) return PeersAsJson(*engine.Status());
  const auto address = base::IpAddress::Parse(question.address);
  if (!address) {
    return absl::InvalidArgumentError(
        absl::StrCat("address: \"", question.address, "\" is no address; such as 192.0.2.1 or 2001:db8::1"));
  }
  const auto exporter =
      question.exporter.empty() ? std::make_optional(base::IpAddress()) : base::IpAddress::Parse(question.exporter);
  if (!exporter) {
    return absl::InvalidArgumentError(
        absl::StrCat("exporter: \"", question.exporter, "\" is no address; such as 192.0.2.1"));
  }
  enrich::FieldValue rd;
  if (!question.rd.empty()) {
    if (const std::string why = enrich::ParseFieldValue(record::FieldId::kMplsVpnRd, question.rd, &rd); !why.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("rd: ", why));
    }
  }
  Table table({"prefix", "peer", "next_hop", "as_path", "origin", "local_pref", "med", "communities", "ext_communities",
               "large_communities", "path_id", "label", "stale"});
  const absl::Status status = engine.Call([&](PeerBook& book) {
    // On the writer's own thread nothing changes meanwhile.
    const rib::RibReader reader(&book.rib());
    for (const PeerBook::Peer* peer : book.Peers()) {
      if (!question.exporter.empty() && peer->key.address != *exporter &&
          base::IpAddress::V4(peer->key.bgp_identifier) != *exporter) {
        continue;
      }
      const auto found = book.rib().FindTable(peer->id, rd.number());
      if (!found) continue;
      const rib::RouteView route = reader.Find(*found, *address);
      if (route.found()) AppendRoute(peer->key, *address, route, &table);
    }
  });
  if (!status.ok()) return status;
  return absl::StrCat("{", std::move(table).Finish(), "}\n");
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
  Table table({"time", "peer", "as", "told_by", "event", "rd", "prefix", "path_id", "next_hop", "as_path",
               "communities", "large_communities"});
  history.Visit(asked, [&table](const RouteHistoryRow& row) {
    const auto text = [&table](const auto& list, auto append) {
      std::string out;
      append(list, &out);
      out.empty() ? table.Absent() : table.Text(out);
    };
    table.Row();
    table.Text(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", row.time, absl::UTCTimeZone()));
    table.Text(row.peer->address.ToString());
    table.Number(uint64_t{row.peer->as});
    row.peer->told_by == base::IpAddress() ? table.Absent() : table.Text(row.peer->told_by.ToString());
    table.Text(RouteEventName(row.event));
    row.rd == 0 ? table.Absent() : table.Text(bgp::RouteDistinguisherText(row.rd));
    row.prefix ? table.Text(row.prefix->ToString()) : table.Absent();
    row.path_id ? table.Number(*row.path_id) : table.Absent();
    const auto next_hop = row.attributes.next_hop();
    next_hop ? table.Text(next_hop->ToString()) : table.Absent();
    row.event == RouteEvent::kAnnounced ? table.Text(row.attributes.as_path().ToString()) : table.Absent();
    text(row.attributes.communities(), AppendCommunities);
    text(row.attributes.large_communities(), AppendLargeCommunities);
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
