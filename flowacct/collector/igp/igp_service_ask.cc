// What a service tells people: its state, and answers to their questions.

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/igp/igp_glass.h"
#include "flowacct/collector/igp/igp_service.h"
#include "flowacct/collector/looking_glass/json_rows.h"
#include "flowacct/isis/encapsulation.h"
#include "flowacct/record/value_text.h"
#include "flowacct/topology/graph.h"

namespace flowacct::collector {
namespace {

std::vector<IgpCount> CountsOf(const std::vector<std::pair<std::string, uint64_t>>& counters) {
  std::vector<IgpCount> counts;
  for (const auto& [name, value] : counters) counts.push_back({name, value});
  return counts;
}

std::string StateText(isis::AdjacencyState state) {
  switch (state) {
    case isis::AdjacencyState::kDown:
      return "down";
    case isis::AdjacencyState::kInitializing:
      return "initializing";
    case isis::AdjacencyState::kUp:
      return "up";
  }
  return "";
}

// What became of all octets, as a member of the answer.
absl::StatusOr<std::string> WithReport(absl::StatusOr<std::string> json, const std::vector<std::string>& report) {
  if (!json.ok()) return json;
  const size_t end = json->rfind('}');
  if (end == std::string::npos) return json;
  std::string member = ",\"report\":[";
  for (const std::string& line : report) {
    if (&line != &report.front()) member += ',';
    record::AppendJsonString(line, &member);
  }
  json->insert(end, absl::StrCat(member, "]"));
  return json;
}

bool NeedsTraffic(const IgpQuestion& question) {
  return question.of == IgpQuestion::Of::kTraffic || question.of == IgpQuestion::Of::kWhatIf;
}

}  // namespace

IgpStatus IgpService::Status() const {
  IgpStatus status;
  if (listener_ != nullptr) {
    std::vector<isis::Adjacency> adjacencies;
    const std::vector<IsisCircuitStatus> circuits = listener_->Circuits();
    listener_->Look([&](const isis::Instance& instance, int64_t) {
      adjacencies = instance.Adjacencies();
      status.events = CountsOf(instance.Counters());
    });
    for (const IsisCircuitStatus& circuit : circuits) {
      IgpCircuitStatus& told = status.circuits.emplace_back();
      told.circuit = circuit.name;
      told.sent = circuit.sockets.sent;
      told.not_sent = circuit.sockets.not_sent;
      for (size_t i = 0; i < circuit.sockets.received.size(); ++i) {
        if (circuit.sockets.received[i] == 0) continue;
        const auto result = static_cast<isis::EncapsulationResult>(i);
        told.frames.push_back({std::string(isis::EncapsulationResultName(result)), circuit.sockets.received[i]});
      }
      told.pdus = CountsOf(circuit.verdicts);
      for (const isis::Adjacency& adjacency : adjacencies) {
        if (adjacency.circuit != circuit.index || adjacency.state != isis::AdjacencyState::kUp) continue;
        const uint8_t levels =
            adjacency.levels != 0 ? adjacency.levels : static_cast<uint8_t>(adjacency.level);  // 1 and 2 are bits, too
        told.adjacencies_1 += (levels & 1) != 0;
        told.adjacencies_2 += (levels & 2) != 0;
      }
    }
  }
  if (feed_ != nullptr) {
    const BgpLsFeedStatus told = feed_->Status();
    const BgpLsCounters& counters = told.counters;
    status.bgp_ls_objects = told.objects;
    status.bgp_ls_announced = counters.announced;
    status.bgp_ls_withdrawn = counters.withdrawn;
    status.bgp_ls_refused = counters.other_protocol + counters.other_style + counters.other_vpn +
                            counters.other_instance + counters.no_router + counters.no_metric + counters.beyond_bound;
  }
  {
    base::MutexLock lock(&mutex_);
    const topology::LinkStateDatabase& database = topology_.database();
    status.advertisements = database.size();
    status.kept = kept_;
    status.shadowed = shadowed_;
    status.refused = database.refused();
    status.octets = database.octets();
    status.history_octets = database.history_octets();
    status.prefixes = topology_.reach().prefixes();
    status.computations = topology_.computations();
    status.computation_seconds = spf_seconds_;
    status.last_computation_seconds = last_spf_seconds_;
    status.roots_refused = wanted_refused_ + wanted_->refused();
  }
  const auto snapshot = published_->Get();
  if (snapshot == nullptr) return status;
  status.snapshot_age_seconds = absl::ToDoubleSeconds(absl::Nanoseconds(Now() - snapshot->time_nanos));
  status.roots = snapshot->roots.size();
  const auto graph = [&](uint8_t level) -> const topology::Graph& {
    return *snapshot->graphs.graphs[topology::TopologyGraphs::PlaceOf(level, 0)];
  };
  status.routers_1 = graph(1).node_count();
  status.routers_2 = graph(2).node_count();
  status.links_1 = graph(1).link_count();
  status.links_2 = graph(2).link_count();
  return status;
}

absl::StatusOr<std::string> IgpService::Neighbors() const {
  if (listener_ == nullptr) {
    return absl::FailedPreconditionError("the configuration has no isis, so that there are no neighbors");
  }
  JsonRows rows({"system", "name", "circuit", "levels", "state", "since", "hold", "areas", "addresses", "topologies",
                 "mac", "priority"});
  const std::vector<IsisCircuitStatus> circuits = listener_->Circuits();
  const auto text = [&](const std::string& t) { t.empty() ? rows.Absent() : rows.Text(t); };
  listener_->Look([&](const isis::Instance& instance, int64_t now) {
    for (const isis::Adjacency& a : instance.Adjacencies()) {
      const auto circuit = std::find_if(circuits.begin(), circuits.end(),
                                        [&](const IsisCircuitStatus& c) { return c.index == a.circuit; });
      const bool lan = !(a.mac == base::MacAddress());
      rows.Row();
      rows.Text(a.system.ToString());
      text(a.hostname);
      text(circuit == circuits.end() ? "" : circuit->name);
      rows.Text(a.levels == 3   ? "1-2"
                : a.levels == 0 ? absl::StrCat(static_cast<int>(a.level))
                                : absl::StrCat(static_cast<int>(a.levels)));
      rows.Text(StateText(a.state));
      rows.Time(absl::FromUnixNanos(a.since_nanos));
      rows.Number(static_cast<uint64_t>(std::max<int64_t>(a.expires_nanos - now, 0) / 1'000'000'000));
      text(absl::StrJoin(a.areas, " ", [](std::string* out, const isis::AreaAddress& x) { *out += x.ToString(); }));
      text(absl::StrJoin(a.addresses, " ", [](std::string* out, const base::IpAddress& x) { *out += x.ToString(); }));
      text(absl::StrJoin(a.topologies, " "));
      lan ? rows.Text(a.mac.ToString()) : rows.Absent();
      lan ? rows.Number(uint64_t{a.priority}) : rows.Absent();
    }
  });
  const size_t all = rows.rows();
  return absl::StrCat("{", std::move(rows).Finish(), ",\"groups\":", all, "}\n");
}

absl::StatusOr<topology::TopologyState> IgpService::StateAt(absl::string_view name, const std::string& at) const {
  base::MutexLock lock(&mutex_);
  if (at.empty()) return topology_.database().State();
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, at, &time, &error)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": \"", at, "\" is no time; such as 2026-03-01T12:00:00Z"));
  }
  auto state = topology_.database().StateAt(absl::ToUnixNanos(time));
  if (!state) return absl::InvalidArgumentError(absl::StrCat(name, ": ", at, " is before what the history has"));
  return *std::move(state);
}

void IgpService::NameExporters(IgpDemands* demands) const {
  std::shared_ptr<const enrich::IgpExporters> exporters;
  {
    base::MutexLock lock(&mutex_);
    exporters = exporters_.lines;
  }
  if (exporters->size() == 0) return;
  // A text may be where something comes from and where it goes to: only the former is an exporter.
  absl::flat_hash_map<uint32_t, uint32_t> named;
  for (IgpDemand& demand : demands->demands) {
    const auto [known, first] = named.try_emplace(demand.from, demand.from);
    if (first) {
      const auto address = base::IpAddress::Parse(demands->texts[demand.from]);
      const std::string* const router = address ? exporters->Find(*address, std::nullopt) : nullptr;
      if (router != nullptr) {
        known->second = static_cast<uint32_t>(demands->texts.size());
        demands->texts.push_back(*router);
      }
    }
    demand.from = known->second;
  }
}

absl::StatusOr<std::string> IgpService::Ask(const IgpQuestion& question) const {
  using Of = IgpQuestion::Of;
  if (question.of == Of::kNeighbors) return Neighbors();
  IgpDemands demands;
  const bool has_demands = !question.demands.empty();
  if (has_demands) {
    IgpDemandsOptions options;
    options.label = question.label;
    auto parsed = ParseIgpDemands(question.pipeline, question.demands, options);
    if (!parsed.ok()) return parsed.status();
    demands = *std::move(parsed);
    NameExporters(&demands);
  } else if (NeedsTraffic(question)) {
    return absl::InvalidArgumentError(
        "pipeline: whose traffic? Name a pipeline that has exporter in its `by`, and a "
        "sink { memory {} }");
  }
  // Graphs are large: one question at a time.
  base::MutexLock one(&question_mutex_);
  auto state = StateAt("at", question.at);
  if (!state.ok()) return state.status();
  std::vector<topology::GroupMember> groups;
  {
    base::MutexLock lock(&mutex_);
    groups = groups_;
  }
  if (question.of == Of::kTopology) {
    topology::TopologyFile file;
    file.style = state->style();
    for (const auto& advertisement : state->advertisements()) file.advertisements.push_back(*advertisement);
    file.groups = std::move(groups);
    return topology::WriteTopologyFile(file);
  }
  IgpGlass glass(*std::move(state), std::move(groups));
  const IgpPlane plane = {static_cast<uint8_t>(question.level),
                          static_cast<topology::TopologyNumber>(question.topology)};
  IgpLoadOptions load;
  load.plane = plane;
  load.seconds = question.seconds;
  load.threshold = question.threshold;
  load.limit = question.limit;
  std::vector<std::string> report;
  switch (question.of) {
    case Of::kDatabase:
      return glass.Database(question.router, plane);
    case Of::kRoutes:
      return glass.Routes(question.router, question.prefix);
    case Of::kPaths:
      return glass.Paths(question.router, question.to, plane);
    case Of::kSpf:
      return glass.Spf(question.router, plane);
    case Of::kAlternates:
      return glass.Alternates(question.router, plane);
    case Of::kTraffic: {
      auto json = glass.Traffic(demands, load, &report);
      return WithReport(std::move(json), report);
    }
    case Of::kWhatIf: {
      auto json = glass.WhatIf(demands, question.failures, load, &report);
      return WithReport(std::move(json), report);
    }
    case Of::kDiff: {
      if (question.since.empty()) return absl::InvalidArgumentError("since: give a time to compare with");
      const auto before = StateAt("since", question.since);
      if (!before.ok()) return before.status();
      return glass.Differences(*before);
    }
    case Of::kDraw:
      return glass.Draw(has_demands ? &demands : nullptr, question.failures, load, "");
    default:
      return absl::InvalidArgumentError("there is no such question");
  }
}

}  // namespace flowacct::collector
