#include "tools/flowacct/enrichment_options.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/igp/igp_files.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/mrt_options.h"

namespace flowacct::tools {
namespace {

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  // Ten times the routes of the Internet; what goes on longer is no such file (/dev/zero).
  constexpr size_t kMaxOctets = size_t{512} << 20;
  constexpr size_t kBlock = size_t{1} << 20;
  const auto fail = [&path] {
    return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno), "; is the path right?"));
  };
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) return fail();
  std::string text;
  for (;;) {
    const size_t before = text.size();
    text.resize(before + kBlock);
    const size_t n = std::fread(&text[before], 1, kBlock, file.get());
    text.resize(before + n);
    if (std::ferror(file.get()) != 0) return fail();
    if (n == 0) return text;
    if (text.size() > kMaxOctets) {
      return absl::ResourceExhaustedError(absl::StrCat(path, ": is larger than 512 MiB; is the path right?"));
    }
  }
}

absl::Status LoadIgp(const EnrichmentFlags& flags, bool quiet, Terminal& terminal, Enrichment* loaded) {
  collector::IgpFilesOptions options;
  options.files = flags.igp;
  options.interrupted = [&terminal] { return terminal.Interrupted(); };
  options.progress = [&terminal](const collector::CaptureReader& reader) { terminal.ShowProgress(reader); };
  const auto files = collector::IgpFiles::Load(std::move(options));
  terminal.EndProgress();
  if (!files.ok()) return files.status();
  if (!quiet) {
    for (const std::string& line : (*files)->summary()) std::fprintf(stderr, "igp: %s\n", line.c_str());
  }
  loaded->igp = collector::OfflineIgp::Make((*files)->database());
  loaded->igp_options.fill_networks = !flags.igp_keep_networks;
  if (flags.igp_exporters.empty()) return absl::OkStatus();
  const auto text = ReadWhole(flags.igp_exporters);
  if (!text.ok()) return text.status();
  auto exporters = enrich::IgpExporters::Parse(*text, flags.igp_exporters);
  if (!exporters.ok()) return exporters.status();
  loaded->igp_options.exporters = std::make_shared<const enrich::IgpExporters>(*std::move(exporters));
  return absl::OkStatus();
}

}  // namespace

void AddEnrichmentOptions(CLI::App& command, EnrichmentFlags& flags) {
  command
      .add_option("--networks", flags.networks,
                  "File of PREFIX, AS,PREFIX or NEXTHOP,AS,PREFIX lines: fills networks, AS and next hops")
      ->type_name("FILE")
      ->group("Accounting");
  command.add_flag("--networks-replace", flags.networks_replace, "The networks file wins over what exporters tell")
      ->group("Accounting");
  command
      .add_flag("--networks-longest", flags.networks_longest,
                "Of the networks file and the exporter, the one with the longer prefix wins")
      ->group("Accounting");
  command
      .add_option("--geoip", flags.geoip,
                  "MaxMind database (.mmdb): fills countries, cities, coordinates and AS; may be given several times")
      ->type_name("FILE")
      ->take_all()
      ->group("Accounting")
      ->allow_extra_args(false);
  command
      .add_option("--routes", flags.routes,
                  "MRT file of routes (RIB, or updates behind it): fills AS, paths, communities and networks, of the "
                  "exporter's own routes if it is a peer there, else of all peers'; may be given several times")
      ->type_name("FILE")
      ->take_all()
      ->group("Accounting")
      ->allow_extra_args(false);
  command
      .add_option("--routes-peer", flags.routes_peer,
                  "Only the routes of this peer of --routes, for all exporters: its address or BGP identifier")
      ->type_name("IP")
      ->group("Accounting");
  command
      .add_option("--routes-policy", flags.routes_policy,
                  "What wins: the route (replace), what the exporter told (fill), or the longer prefix (longest)")
      ->check(CLI::IsMember({"replace", "fill", "longest"}))
      ->type_name("POLICY")
      ->capture_default_str()
      ->group("Accounting");
  command.add_option("--services", flags.services, "File of names of ports, such as /etc/services: fills src_service")
      ->type_name("FILE")
      ->group("Accounting");
  command
      .add_option("--rules", flags.rules,
                  "File of rules that set tags, names and other fields, or drop records; may be given several times")
      ->type_name("FILE")
      ->take_all()
      ->group("Accounting")
      ->allow_extra_args(false);
}

void AddIgpOptions(CLI::App& command, EnrichmentFlags& flags) {
  command
      .add_option("--igp", flags.igp,
                  "The inside of the network: a capture with IS-IS, a topology file, pmacct's igp_daemon_map, or MRT "
                  "with BGP-LS; fills igp_dst_net, igp_egress, igp_path and the like; may be given several times")
      ->type_name("FILE")
      ->take_all()
      ->group("Accounting")
      ->allow_extra_args(false);
  command
      .add_option("--igp-exporters", flags.igp_exporters,
                  "File of EXPORTER,ROUTER or EXPORTER,INTERFACE,ROUTER lines: which router records came in at; goes "
                  "before what --igp tells of an exporter's address")
      ->type_name("FILE")
      ->group("Accounting");
  command
      .add_flag("--igp-keep-networks", flags.igp_keep_networks,
                "Leave src_net, dst_net, their masks and next_hop alone, even where --igp has longer prefixes")
      ->group("Accounting");
}

void AddSamplingOptions(CLI::App& command, SamplingFlags& flags) {
  command.add_flag("--no-scale", flags.no_scale, "Do not multiply sampled counters by their sampling rate")
      ->group("Sampling");
  command.add_option("--sampling-rate", flags.rate, "The rate (1 in N) of records whose exporter tells none")
      ->type_name("N")
      ->check(WholeNumber())
      ->group("Sampling");
  command.add_flag("--override-rate", flags.override_rate, "--sampling-rate counts even where the exporter tells one")
      ->group("Sampling");
}

absl::StatusOr<Enrichment> LoadEnrichment(const EnrichmentFlags& flags, bool quiet, Terminal& terminal) {
  Enrichment loaded;
  if (!flags.routes.empty()) {
    auto routes = LoadRoutes(flags.routes, flags.routes_peer, terminal);
    if (!routes.ok()) return routes.status();
    loaded.routes = *std::move(routes);
    if (!quiet) {
      for (const std::string& line : loaded.routes->Summary()) std::fprintf(stderr, "routes: %s\n", line.c_str());
    }
    loaded.routes_options.policy = flags.routes_policy == "fill"      ? enrich::RoutesPolicy::kFill
                                   : flags.routes_policy == "longest" ? enrich::RoutesPolicy::kLongest
                                                                      : enrich::RoutesPolicy::kReplace;
  } else if (!flags.routes_peer.empty()) {
    return absl::InvalidArgumentError("--routes-peer: there are no routes; give --routes FILE.mrt");
  }
  if (!flags.igp.empty()) {
    if (const absl::Status status = LoadIgp(flags, quiet, terminal, &loaded); !status.ok()) return status;
  } else if (!flags.igp_exporters.empty() || flags.igp_keep_networks) {
    return absl::InvalidArgumentError(absl::StrCat(
        flags.igp_exporters.empty() ? "--igp-keep-networks" : "--igp-exporters", ": there is no IGP; give --igp FILE"));
  }
  if (!flags.networks.empty()) {
    const auto text = ReadWhole(flags.networks);
    if (!text.ok()) return text.status();
    auto networks = enrich::Networks::Parse(*text, flags.networks);
    if (!networks.ok()) return networks.status();
    loaded.networks = std::make_shared<const enrich::Networks>(*std::move(networks));
    loaded.networks_policy = flags.networks_replace   ? enrich::NetworksPolicy::kReplace
                             : flags.networks_longest ? enrich::NetworksPolicy::kLongest
                                                      : enrich::NetworksPolicy::kFill;
  }
  for (const std::string& path : flags.geoip) {
    auto database = enrich::GeoDatabase::Open(path);
    if (!database.ok()) return database.status();
    loaded.geoip.emplace_back(path, *std::move(database));
  }
  if (!flags.services.empty()) {
    const auto text = ReadWhole(flags.services);
    if (!text.ok()) return text.status();
    auto services = enrich::Services::Parse(*text, flags.services);
    if (!services.ok()) return services.status();
    loaded.services = *std::move(services);
  }
  for (const std::string& path : flags.rules) {
    auto text = ReadWhole(path);
    if (!text.ok()) return text.status();
    loaded.rules.push_back({path, *std::move(text)});
  }
  return loaded;
}

}  // namespace flowacct::tools
