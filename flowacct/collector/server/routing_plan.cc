#include "flowacct/collector/server/routing_plan.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/routelog/log_file_set.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/server/config_address.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/enrich/field_value.h"
#include "flowacct/filter/filter.h"
#include "flowacct/filter/route.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {

using config::ConfigFile;
namespace {

// Of `bgp` and `bmp`: where they listen, whom they let in and with which passwords.
template <typename Block>
absl::Status PlanListening(const ConfigFile& file, const Block& block, std::vector<std::string>* listen,
                           std::vector<base::IpPrefix>* allow, std::vector<RoutingMd5Key>* md5_keys) {
  for (int i = 0; i < block.listen_size(); ++i) {
    std::string url =
        absl::StrContains(block.listen(i), "://") ? block.listen(i) : absl::StrCat("tcp://", block.listen(i));
    if (auto endpoint = ParseEndpoint(url, {EndpointScheme::kTcp}); !endpoint.ok()) {
      return file.ErrorAt(block, "listen", endpoint.status().message(), i);
    }
    listen->push_back(std::move(url));
  }
  for (int i = 0; i < block.allow_size(); ++i) {
    auto prefix = ParsePrefix(file, block, "allow", block.allow(i), i);
    if (!prefix.ok()) return prefix.status();
    allow->push_back(*prefix);
  }
  for (const config::BgpMd5& md5 : block.md5()) {
    auto peers = ParsePrefix(file, md5, "peers", md5.peers());
    if (!peers.ok()) return peers.status();
    md5_keys->push_back({*peers, md5.key()});
  }
  return absl::OkStatus();
}

// Of `bgp`, and of a `neighbor`.
template <typename Block>
absl::Status PlanHoldTime(const ConfigFile& file, const Block& block, uint16_t* seconds) {
  const auto hold_time = config::ParseDuration(block.hold_time());
  if (!hold_time.ok()) return file.ErrorAt(block, "hold_time", hold_time.status().message());
  if (*hold_time > absl::Seconds(65535) || *hold_time != absl::Floor(*hold_time, absl::Seconds(1))) {
    return file.ErrorAt(block, "hold_time", "is whole seconds, at most 65535s");
  }
  *seconds = static_cast<uint16_t>(absl::ToInt64Seconds(*hold_time));
  return absl::OkStatus();
}

absl::Status PlanNeighbors(const ConfigFile& file, std::vector<RoutingNeighbor>* neighbors) {
  for (const config::BgpNeighbor& neighbor : file.message().bgp().neighbor()) {
    RoutingNeighbor& made = neighbors->emplace_back();
    auto peers = ParsePrefix(file, neighbor, "peers", neighbor.peers());
    if (!peers.ok()) return peers.status();
    made.peers = *peers;
    if (neighbor.has_local_as()) made.local_as = neighbor.local_as();
    if (neighbor.has_add_path()) made.add_path = neighbor.add_path();
    if (neighbor.has_max_routes()) made.max_routes = neighbor.max_routes();
    if (neighbor.has_hold_time()) {
      if (absl::Status status = PlanHoldTime(file, neighbor, &made.hold_time_seconds.emplace()); !status.ok()) {
        return status;
      }
    }
    // They have no default that would tell the check of the file what they are, and may be none at all.
    const auto duration = [&](const char* name, const std::string& text, std::optional<absl::Duration>* to) {
      if (text == "0" || text == "0s") {
        *to = absl::ZeroDuration();
        return absl::OkStatus();
      }
      auto parsed = config::ParseDuration(text);
      if (!parsed.ok()) return file.ErrorAt(neighbor, name, parsed.status().message());
      *to = *parsed;
      return absl::OkStatus();
    };
    absl::Status status;
    if (neighbor.has_stale_for()) status = duration("stale_for", neighbor.stale_for(), &made.stale_for);
    if (status.ok() && neighbor.has_wait_for_table()) {
      status = duration("wait_for_table", neighbor.wait_for_table(), &made.wait_for_table);
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PlanBmp(const ConfigFile& file, RoutingOptions* options) {
  const config::Bmp& bmp = file.message().bmp();
  if (absl::Status status = PlanListening(file, bmp, &options->bmp_listen, &options->bmp_allow, &options->bmp_md5_keys);
      !status.ok()) {
    return status;
  }
  if (options->bmp_listen.empty()) return file.ErrorAt(bmp, "", "give listen: \"[::]:11019\"");
  options->max_routers = bmp.max_routers();
  options->max_told_peers = bmp.max_tables();
  options->max_tables_of_router = bmp.max_tables_per_router();
  options->bmp_stale_for = ConfigFile::DurationOf(bmp.stale_for());
  return absl::OkStatus();
}

bool IsSelector(const config::BgpMap& map) {
  return map.in_if_size() > 0 || map.out_if_size() > 0 || map.has_where() || map.has_rd();
}

// "in_if in (5, 100-199)"; empty: any.
absl::StatusOr<std::string> InterfaceCondition(const ConfigFile& file, const config::BgpMap& map, const char* name,
                                               const google::protobuf::RepeatedPtrField<std::string>& interfaces) {
  std::string condition;
  for (int i = 0; i < interfaces.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(interfaces.Get(i), absl::MaxSplits('-', 1));
    uint32_t first = 0, last = 0;
    const bool range = absl::StrContains(interfaces.Get(i), '-');
    if (!absl::SimpleAtoi(ends.first, &first) || !absl::SimpleAtoi(range ? ends.second : ends.first, &last) ||
        last < first) {
      return file.ErrorAt(
          map, name, absl::StrCat("\"", interfaces.Get(i), "\" is no interface or range of them; such as 5 or 100-199"),
          i);
    }
    absl::StrAppend(&condition, condition.empty() ? absl::StrCat(name, " in (") : ", ", first, "-", last);
  }
  if (!condition.empty()) condition.push_back(')');
  return condition;
}

absl::StatusOr<std::optional<uint64_t>> PlanRd(const ConfigFile& file, const config::BgpMap& map) {
  if (!map.has_rd()) return std::nullopt;
  enrich::FieldValue rd;
  if (const std::string why = enrich::ParseFieldValue(record::FieldId::kMplsVpnRd, map.rd(), &rd); !why.empty()) {
    return file.ErrorAt(map, "rd", why);
  }
  return rd.number();
}

// Of the entries of `map` that are selectors, in their order.
absl::StatusOr<std::vector<enrich::RouteSelector>> PlanSelectors(const ConfigFile& file,
                                                                 const record::FieldNames* names) {
  std::vector<enrich::RouteSelector> selectors;
  filter::FilterOptions options;
  options.names = names;
  for (const config::BgpMap& map : file.message().bgp().map()) {
    if (!IsSelector(map)) continue;
    auto exporters = ParsePrefix(file, map, "exporters", map.exporters());
    if (!exporters.ok()) return exporters.status();
    auto in_if = InterfaceCondition(file, map, "in_if", map.in_if());
    if (!in_if.ok()) return in_if.status();
    auto out_if = InterfaceCondition(file, map, "out_if", map.out_if());
    if (!out_if.ok()) return out_if.status();
    // By itself first, so that an error tells its own columns.
    auto where = filter::Filter::Parse(map.where(), options);
    if (!where.ok()) return file.ErrorAt(map, "where", where.status().message());
    std::vector<std::string> conditions;
    for (std::string* interfaces : {&*in_if, &*out_if}) {
      if (!interfaces->empty()) conditions.push_back(std::move(*interfaces));
    }
    if (!conditions.empty()) {
      if (!where->passes_all()) conditions.push_back(absl::StrCat("(", map.where(), ")"));
      where = filter::Filter::Parse(absl::StrJoin(conditions, " and "), options);
      if (!where.ok()) return file.ErrorAt(map, "where", where.status().message());
    }
    auto rd = PlanRd(file, map);
    if (!rd.ok()) return rd.status();
    selectors.push_back({*exporters, *std::move(where), *rd});
  }
  return selectors;
}

}  // namespace

absl::StatusOr<RoutingOptions> PlanRouting(const ConfigFile& file, const record::FieldNames* names) {
  const config::Bgp& bgp = file.message().bgp();
  RoutingOptions options;
  if (!file.message().has_bgp() && !file.message().has_bmp()) return options;
  options.listen.clear();
  if (file.message().has_bmp()) {
    if (absl::Status status = PlanBmp(file, &options); !status.ok()) return status;
  }
  if (absl::Status status = PlanListening(file, bgp, &options.listen, &options.allow, &options.md5_keys);
      !status.ok()) {
    return status;
  }
  if (options.listen.empty() && options.bmp_listen.empty()) {
    return file.ErrorAt(bgp, "", "give listen: \"[::]:179\"");
  }
  options.max_peers = bgp.max_peers();
  options.local_as = bgp.local_as();
  if (!bgp.router_id().empty()) {
    auto identifier = ParseAddress(file, bgp, "router_id", bgp.router_id());
    if (!identifier.ok()) return identifier.status();
    if (!identifier->IsV4()) return file.ErrorAt(bgp, "router_id", "is an IPv4 address, such as 192.0.2.1");
    options.bgp_identifier = identifier->v4();
  }
  if (absl::Status status = PlanHoldTime(file, bgp, &options.hold_time_seconds); !status.ok()) return status;
  if (bgp.ttl_security_hops() > 255) return file.ErrorAt(bgp, "ttl_security_hops", "is at most 255");
  options.ttl_security_hops = static_cast<int>(bgp.ttl_security_hops());
  options.add_path = bgp.add_path();
  options.stale_for = ConfigFile::DurationOf(bgp.stale_for());
  options.wait_for_table = ConfigFile::DurationOf(bgp.wait_for_table());
  for (const config::BgpMap& map : bgp.map()) {
    auto exporters = ParsePrefix(file, map, "exporters", map.exporters());
    if (!exporters.ok()) return exporters.status();
    if (!map.has_peer() && !map.has_rd()) {
      return file.ErrorAt(map, "", "give peer: \"192.0.2.1\", the address or router id of a peer, or rd");
    }
    base::IpAddress peer;
    if (map.has_peer()) {
      auto parsed = ParseAddress(file, map, "peer", map.peer());
      if (!parsed.ok()) return parsed.status();
      peer = *parsed;
    }
    if (!IsSelector(map)) {
      options.mapped.push_back({*exporters, peer});
      continue;
    }
    auto rd = PlanRd(file, map);
    if (!rd.ok()) return rd.status();
    options.selected.push_back({peer, *rd});
  }
  if (auto selectors = PlanSelectors(file, names); !selectors.ok()) return selectors.status();
  for (int i = 0; i < bgp.reflector_size(); ++i) {
    auto reflector = ParseAddress(file, bgp, "reflector", bgp.reflector(i), i);
    if (!reflector.ok()) return reflector.status();
    options.reflectors.push_back(*reflector);
  }
  options.max_routes_per_peer = bgp.max_routes_per_peer();
  options.dumps_for_all = bgp.dumps_for_all();
  if (absl::Status status = PlanNeighbors(file, &options.neighbors); !status.ok()) return status;
  if (auto keeper = PlanRouteKeeper(file); !keeper.ok()) return keeper.status();
  if (absl::Status status = CheckRoutingOptions(options); !status.ok()) {
    return file.message().has_bgp() ? file.ErrorAt(bgp, "", status.message())
                                    : file.ErrorAt(file.message().bmp(), "", status.message());
  }
  return options;
}

absl::StatusOr<RouteKeeperOptions> PlanRouteKeeper(const ConfigFile& file) {
  const config::Config& config = file.message();
  const config::Bgp& bgp = config.bgp();
  RouteKeeperOptions options;
  options.stale_for = ConfigFile::DurationOf(bgp.stale_for());
  options.local_as = bgp.local_as();
  if (config.has_state() && options.stale_for > absl::ZeroDuration()) {
    options.state_path = absl::StrCat(config.state().directory(), "/routes.mrt");
    // What a crash leaves is then still young enough to be taken.
    options.state_every = std::max(std::min(ConfigFile::DurationOf(config.state().checkpoint()), options.stale_for / 2),
                                   absl::Seconds(1));
  }
  for (int i = 0; i < bgp.dump_file_size(); ++i) {
    // They are read again: standard input cannot be.
    if (bgp.dump_file(i).empty() || bgp.dump_file(i) == "-") {
      return file.ErrorAt(bgp, "dump_file", "is the path of a file", i);
    }
    options.files.push_back(bgp.dump_file(i));
  }
  if (bgp.has_mrt()) {
    options.dump_path = bgp.mrt().path();
    options.dump_every = ConfigFile::DurationOf(bgp.mrt().every());
    if (options.dump_path.empty()) return file.ErrorAt(bgp.mrt(), "path", "is empty");
    if (options.dump_every < absl::Seconds(1)) return file.ErrorAt(bgp.mrt(), "every", "is at least 1s");
  }
  // Wrong ones are found before anything is opened.
  if (auto log = PlanBgpLog(file); !log.ok()) return log.status();
  if (auto log = PlanBmpLog(file); !log.ok()) return log.status();
  if (auto history = PlanHistory(file); !history.ok()) return history.status();
  return options;
}

absl::StatusOr<RouteLogOptions> PlanRouteLog(const ConfigFile& file, const config::MessageLog* log,
                                             const config::JsonDump* dump, bool monitored) {
  RouteLogOptions options;
  options.monitored = monitored;
  const auto zone_of = [&file](const auto& part, absl::TimeZone* zone) {
    if (absl::LoadTimeZone(part.time_zone(), zone)) return absl::OkStatus();
    return file.ErrorAt(part, "time_zone",
                        absl::StrCat("\"", part.time_zone(), "\" is no time zone; such as Europe/Rome"));
  };
  if (log != nullptr) {
    if (absl::Status status = CheckLogPattern(log->file(), /*ports=*/!monitored); !status.ok()) {
      return file.ErrorAt(*log, "file", status.message());
    }
    if (absl::Status status = zone_of(*log, &options.zone); !status.ok()) return status;
    if (log->max_open_files() == 0) return file.ErrorAt(*log, "max_open_files", "is at least 1");
    options.message_log = log->file();
    options.max_queued_octets = ConfigFile::OctetsOf(log->queue());
    options.max_open_files = log->max_open_files();
  }
  if (dump != nullptr) {
    if (absl::Status status = CheckLogPattern(dump->file(), /*ports=*/!monitored); !status.ok()) {
      return file.ErrorAt(*dump, "file", status.message());
    }
    if (absl::Status status = zone_of(*dump, &options.dump_zone); !status.ok()) return status;
    options.dump = dump->file();
    options.dump_every = ConfigFile::DurationOf(dump->every());
    if (options.dump_every != absl::Floor(options.dump_every, absl::Seconds(1))) {
      return file.ErrorAt(*dump, "every", "is whole seconds, such as 5m");
    }
  }
  return options;
}

absl::StatusOr<RouteLogOptions> PlanBgpLog(const ConfigFile& file) {
  const config::Bgp& bgp = file.message().bgp();
  return PlanRouteLog(file, bgp.has_message_log() ? &bgp.message_log() : nullptr,
                      bgp.has_json_dump() ? &bgp.json_dump() : nullptr, /*monitored=*/false);
}

absl::StatusOr<RouteLogOptions> PlanBmpLog(const ConfigFile& file) {
  const config::Bmp& bmp = file.message().bmp();
  return PlanRouteLog(file, bmp.has_message_log() ? &bmp.message_log() : nullptr,
                      bmp.has_json_dump() ? &bmp.json_dump() : nullptr, /*monitored=*/true);
}

absl::StatusOr<size_t> PlanHistory(const ConfigFile& file) {
  const config::Bgp& bgp = file.message().bgp();
  if (bgp.history().empty()) return 0;
  const absl::StatusOr<uint64_t> octets = config::ParseOctets(bgp.history());
  if (!octets.ok()) return file.ErrorAt(bgp, "history", octets.status().message());
  return static_cast<size_t>(*octets);
}

absl::StatusOr<enrich::RoutesOptions> PlanRoutes(const ConfigFile& file, const config::Routes& routes,
                                                 const record::FieldNames* names) {
  enrich::RoutesOptions options;
  auto selectors = PlanSelectors(file, names);
  if (!selectors.ok()) return selectors.status();
  options.selectors = *std::move(selectors);
  switch (routes.policy()) {
    case config::Routes::REPLACE:
      options.policy = enrich::RoutesPolicy::kReplace;
      break;
    case config::Routes::FILL:
      options.policy = enrich::RoutesPolicy::kFill;
      break;
    case config::Routes::LONGEST:
      options.policy = enrich::RoutesPolicy::kLongest;
      break;
  }
  options.values.as_path_radius = routes.as_path_radius();
  options.values.skip_private_as = routes.skip_private_as();
  if (routes.follow_default() > 20) return file.ErrorAt(routes, "follow_default", "is at most 20");
  options.follow_default = static_cast<int>(routes.follow_default());
  for (int i = 0; i < routes.follow_next_hop_size(); ++i) {
    auto prefix = ParsePrefix(file, routes, "follow_next_hop", routes.follow_next_hop(i), i);
    if (!prefix.ok()) return prefix.status();
    options.follow_next_hop.push_back(*prefix);
  }
  const auto patterns = [&](const char* name, record::FieldType type, const auto& texts,
                            std::vector<filter::CommunityPattern>* parsed) -> absl::Status {
    for (int i = 0; i < texts.size(); ++i) {
      const std::string why = filter::ParseCommunity(type, texts.Get(i), &parsed->emplace_back());
      if (!why.empty()) return file.ErrorAt(routes, name, why, i);
    }
    return absl::OkStatus();
  };
  absl::Status status =
      patterns("std_comm", record::FieldType::kCommunities, routes.std_comm(), &options.values.std_comm);
  status.Update(patterns("ext_comm", record::FieldType::kExtCommunities, routes.ext_comm(), &options.values.ext_comm));
  status.Update(
      patterns("lrg_comm", record::FieldType::kLargeCommunities, routes.lrg_comm(), &options.values.lrg_comm));
  for (int i = 0; i < routes.as_of_community_size(); ++i) {
    const std::string& text = routes.as_of_community(i);
    const bool large = std::count(text.begin(), text.end(), ':') > 1;
    std::vector<filter::CommunityPattern>& list = large ? options.values.as_of_lrg_comm : options.values.as_of_std_comm;
    const std::string why = filter::ParseCommunity(
        large ? record::FieldType::kLargeCommunities : record::FieldType::kCommunities, text, &list.emplace_back());
    if (!why.empty()) status.Update(file.ErrorAt(routes, "as_of_community", why, i));
  }
  if (!status.ok()) return status;
  return options;
}

enrich::EnricherFactory RoutesFactory(std::shared_ptr<const RoutingHolder> holder, enrich::RoutesOptions options,
                                      bool validates) {
  if (validates && holder != nullptr) options.vrps = holder->vrps;
  return [holder = std::move(holder), options = std::move(options)] {
    return enrich::RoutesEnricher::Factory(holder->engine, holder->engine->tables(), options)();
  };
}

}  // namespace flowacct::collector
