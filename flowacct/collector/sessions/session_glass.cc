#include "flowacct/collector/sessions/session_glass.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "flowacct/collector/looking_glass/json_rows.h"
#include "flowacct/gtp/values.h"

namespace flowacct::collector {
namespace {

using session::Direction;
using session::Path;
using session::SessionEngine;
using session::SessionView;
using session::Volume;

std::string Whole(JsonRows rows, uint64_t groups) {
  return absl::StrCat("{", std::move(rows).Finish(), ",\"groups\":", groups, "}\n");
}

void TextOrAbsent(absl::string_view text, JsonRows* rows) { text.empty() ? rows->Absent() : rows->Text(text); }
void Put(const gtp::UserLocation& location, JsonRows* rows) {
  const auto form = gtp::MostExactForm(location);
  form ? rows->Text(gtp::LocationText(*form, location[*form])) : rows->Absent();
}
void Put(base::Digits digits, JsonRows* rows) { TextOrAbsent(digits.ToString(), rows); }
void Put(const session::Endpoint& endpoint, JsonRows* rows) {
  endpoint.teid == 0
      ? rows->Absent()
      : rows->Text(absl::StrCat(endpoint.address.ToString(), " ", absl::Hex(endpoint.teid, absl::kZeroPad8)));
}

// A packet on two interfaces is counted on the one that saw more.
Volume VolumeOf(const SessionView& view) {
  const Volume &core = view.paths[0].volume, &access = view.paths[1].volume;
  Volume volume = core;
  if (access.bytes_up > core.bytes_up) {
    volume.bytes_up = access.bytes_up;
    volume.packets_up = access.packets_up;
  }
  if (access.bytes_down > core.bytes_down) {
    volume.bytes_down = access.bytes_down;
    volume.packets_down = access.packets_down;
  }
  return volume;
}

void Put(const Volume& volume, JsonRows* rows) {
  rows->Number(volume.packets_up);
  rows->Number(volume.bytes_up);
  rows->Number(volume.packets_down);
  rows->Number(volume.bytes_down);
}

constexpr absl::string_view kSessionColumns[] = {
    "imsi",        "msisdn",          "imei",     "apn",          "session",
    "ebi",         "state",           "since",    "rat",          "home_plmn",
    "visited",     "roaming",         "location", "ue_v4",        "ue_v6",
    "qci",         "packets_up",      "bytes_up", "packets_down", "bytes_down",
    "rat_changes", "location_changes"};

void AppendSession(const SessionEngine& engine, const SessionView& view, JsonRows* rows) {
  const session::Facts& facts = view.facts;
  rows->Row();
  Put(facts.imsi, rows);
  Put(facts.msisdn, rows);
  Put(facts.imei, rows);
  TextOrAbsent(engine.text(facts.apn), rows);
  rows->Number(facts.session);
  rows->Number(uint64_t{facts.ebi});
  rows->Text(!view.active ? "ended" : view.suspended ? "suspended" : "active");
  rows->Time(absl::FromUnixNanos(facts.start_nanos));
  TextOrAbsent(gtp::RatTypeName(facts.rat), rows);
  Put(facts.home_plmn(), rows);
  Put(facts.visited_plmn(), rows);
  TextOrAbsent(session::RoamingName(facts.roaming), rows);
  Put(engine.location(facts.location), rows);
  TextOrAbsent(facts.ue_v4() == base::IpAddress() ? "" : facts.ue_v4().ToString(), rows);
  TextOrAbsent(facts.ue_v6().length() == 0 ? "" : facts.ue_v6().ToString(), rows);
  facts.has_qci ? rows->Number(uint64_t{facts.qci}) : rows->Absent();
  Put(VolumeOf(view), rows);
  rows->Number(uint64_t{view.rat_changes});
  rows->Number(uint64_t{view.location_changes});
}

std::string ListSessions(const SessionEngine& engine, const SessionsQuestion& question) {
  JsonRows rows(kSessionColumns);
  uint64_t groups = 0;
  size_t from = 0;
  do {
    from = engine.VisitSessions(from, [&](const SessionView& view) {
      if (!question.apn.empty() && engine.text(view.facts.apn) != question.apn) return true;
      if (!view.active && !question.ended) return true;
      ++groups;
      if (question.limit == 0 || rows.rows() < question.limit) AppendSession(engine, view, &rows);
      return true;
    });
  } while (from != 0);
  return Whole(std::move(rows), groups);
}

absl::StatusOr<std::string> ShowSubscriber(const SessionEngine& engine, const SessionsQuestion& question) {
  const auto imsi = base::Digits::Parse(question.imsi);
  if (!imsi) {
    return absl::InvalidArgumentError(
        absl::StrCat("imsi: \"", question.imsi, "\" is none: give its digits, such as 262011234567890"));
  }
  JsonRows rows({"apn",      "session",      "ebi",        "state",       "since",
                 "rat",      "visited",      "roaming",    "location",    "ue_v4",
                 "ue_v6",    "interface",    "up",         "down",        "packets_up",
                 "bytes_up", "packets_down", "bytes_down", "rat_changes", "location_changes"});
  for (const SessionView& view : engine.SessionsOf(*imsi)) {
    const session::Facts& facts = view.facts;
    for (const Path& path : view.paths) {
      if (path.interface == session::Interface::kUnknown) continue;
      rows.Row();
      TextOrAbsent(engine.text(facts.apn), &rows);
      rows.Number(facts.session);
      rows.Number(uint64_t{facts.ebi});
      rows.Text(!view.active ? "ended" : view.suspended ? "suspended" : "active");
      rows.Time(absl::FromUnixNanos(facts.start_nanos));
      TextOrAbsent(gtp::RatTypeName(facts.rat), &rows);
      Put(facts.visited_plmn(), &rows);
      TextOrAbsent(session::RoamingName(facts.roaming), &rows);
      Put(engine.location(facts.location), &rows);
      TextOrAbsent(facts.ue_v4() == base::IpAddress() ? "" : facts.ue_v4().ToString(), &rows);
      TextOrAbsent(facts.ue_v6().length() == 0 ? "" : facts.ue_v6().ToString(), &rows);
      rows.Text(session::InterfaceName(path.interface));
      Put(path.up, &rows);
      Put(path.down, &rows);
      Put(path.volume, &rows);
      rows.Number(uint64_t{view.rat_changes});
      rows.Number(uint64_t{view.location_changes});
    }
  }
  const uint64_t groups = rows.rows();
  return Whole(std::move(rows), groups);
}

std::string ListPeers(const SessionEngine& engine) {
  std::vector<absl::string_view> columns = {"peer",     "messages_from", "messages_to", "restart_counter",
                                            "restarts", "sessions"};
  for (size_t match = 1; match < session::kMatches; ++match) {
    columns.push_back(session::MatchName(static_cast<session::Match>(match)));
  }
  columns.push_back("joined_percent");
  JsonRows rows(columns);
  const auto append = [&](const std::string& name, const session::PeerReport& peer) {
    uint64_t packets = 0;
    for (const uint64_t n : peer.packets) packets += n;
    packets -= peer.packets[static_cast<size_t>(session::Match::kNone)];
    if (peer.messages_from + peer.messages_to + packets == 0) return;
    rows.Row();
    rows.Text(name);
    rows.Number(peer.messages_from);
    rows.Number(peer.messages_to);
    peer.has_restart_counter ? rows.Number(uint64_t{peer.restart_counter}) : rows.Absent();
    rows.Number(peer.restarts);
    rows.Number(peer.control_endpoints);
    for (size_t match = 1; match < session::kMatches; ++match) rows.Number(peer.packets[match]);
    const uint64_t joined = peer.packets[static_cast<size_t>(session::Match::kJoined)] +
                            peer.packets[static_cast<size_t>(session::Match::kJoinedByAddress)];
    packets == 0 ? rows.Absent()
                 : rows.Text(absl::StrFormat("%.2f", 100 * static_cast<double>(joined) / static_cast<double>(packets)));
  };
  engine.VisitPeers([&](const session::PeerReport& peer) { append(peer.address.ToString(), peer); });
  append("others", engine.unknown_peers());
  const uint64_t groups = rows.rows();
  return Whole(std::move(rows), groups);
}

std::string ListUnmatched(const SessionEngine& engine) {
  JsonRows rows({"destination", "teid", "why", "last"});
  for (const session::UnmatchedTunnel& tunnel : engine.unmatched()) {
    rows.Row();
    rows.Text(tunnel.endpoint.address.ToString());
    rows.Text(absl::StrCat(absl::Hex(tunnel.endpoint.teid, absl::kZeroPad8)));
    rows.Text(session::MatchName(tunnel.match));
    rows.Time(absl::FromUnixNanos(tunnel.time_nanos));
  }
  const uint64_t groups = rows.rows();
  return Whole(std::move(rows), groups);
}

}  // namespace

absl::StatusOr<std::string> AskSessions(const SessionEngine& engine, const SessionsQuestion& question) {
  switch (question.of) {
    case SessionsQuestion::Of::kSessions:
      return ListSessions(engine, question);
    case SessionsQuestion::Of::kSubscriber:
      return ShowSubscriber(engine, question);
    case SessionsQuestion::Of::kPeers:
      return ListPeers(engine);
    case SessionsQuestion::Of::kUnmatched:
      return ListUnmatched(engine);
  }
  return absl::InternalError("a question that nobody answers");
}

}  // namespace flowacct::collector
