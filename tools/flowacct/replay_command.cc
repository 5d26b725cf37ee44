#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/aggregate/value_spec.h"
#include "flowacct/collector/replay/replay.h"
#include "flowacct/collector/sessions/session_service.h"
#include "flowacct/collector/sessions/session_tap.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/geoip/geo_enricher.h"
#include "flowacct/enrich/igp/igp_enricher.h"
#include "flowacct/enrich/networks_enricher.h"
#include "flowacct/enrich/privacy/privacy.h"
#include "flowacct/enrich/routes/routes_enricher.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/enrich/services.h"
#include "flowacct/enrich/sessions/sessions_enricher.h"
#include "flowacct/record/field.h"
#include "flowacct/sink/print/print_sink.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/enrichment_options.h"
#include "tools/flowacct/input_options.h"
#include "tools/flowacct/own_network_option.h"
#include "tools/flowacct/store_option.h"
#include "tools/flowacct/terminal.h"
#include "tools/flowacct/where_option.h"

namespace flowacct::tools {
namespace {

// What a table shows where nobody said how much: a screenful.
constexpr size_t kTableTop = 20;

struct ReplayFlags {
  InputFlags input;
  std::vector<std::string> by;
  std::string sum = "packets,bytes,flows";
  std::string where;
  std::string every, lateness, time_zone, time_field;
  bool prorate = false;
  std::optional<size_t> top;
  std::string order, format = "table", naming = "flowacct";
  std::vector<std::string> outputs;
  std::string store;
  std::vector<std::string> tables;
  bool no_header = false, human = false;
  std::string separator = ",";
  EnrichmentFlags enrichment;
  SamplingFlags sampling;
  bool gtp = false, depth_given = false;
  std::vector<std::string> own_networks;
  std::string identities = "pseudonym", identity_key;
  size_t max_groups = aggregate::AggregatorOptions().max_groups;
  bool quiet = false;
};

absl::StatusOr<aggregate::AggregatorOptions> ToAggregatorOptions(const ReplayFlags& flags, const std::string& by) {
  aggregate::AggregatorOptions options;
  options.by = aggregate::SplitKeys(by);
  options.values = absl::StrSplit(flags.sum, ',', absl::SkipWhitespace());
  options.prorate = flags.prorate;
  options.max_groups = flags.max_groups;
  if (!flags.every.empty()) {
    auto every = ParseDuration("--every", flags.every);
    if (!every.ok()) return every.status();
    options.every = *every;
  }
  if (!flags.lateness.empty()) {
    if (flags.every.empty()) {
      return absl::InvalidArgumentError("--lateness: there are no time bins to close; give --every, for example 5m");
    }
    auto lateness = ParseDuration("--lateness", flags.lateness);
    if (!lateness.ok()) return lateness.status();
    options.lateness = *lateness;
  }
  if (!flags.time_zone.empty() && !absl::LoadTimeZone(flags.time_zone, &options.time_zone)) {
    return absl::InvalidArgumentError(absl::StrCat("--time-zone: \"", flags.time_zone,
                                                   "\" is not in this machine's list; such as UTC or Europe/Vienna"));
  }
  if (!flags.time_field.empty()) {
    auto field = record::FieldFromName(flags.time_field);
    if (!field.ok()) return absl::InvalidArgumentError(absl::StrCat("--time-field: ", field.status().message()));
    options.time_field = *field;
  }
  return options;
}

// Sessions of mobile subscribers, with what hands them the messages that packets carry.
struct FollowedSessions {
  explicit FollowedSessions(session::SessionOptions options)
      : service(std::make_shared<collector::SessionService>(std::move(options))), tap(service.get()) {}

  std::shared_ptr<collector::SessionService> service;
  collector::SessionTap tap;
};

// Hides who is told by these groups; null if nobody is, or if that was asked for.
absl::StatusOr<enrich::EnricherFactory> HideIdentities(const ReplayFlags& flags, const std::vector<std::string>& keys,
                                                       std::shared_ptr<const enrich::MasterKey>* key) {
  enrich::PrivacyOptions options;
  options.rotation_nanos = 0;
  for (const std::string& name : keys) {
    const auto field = record::FindField(name.substr(0, name.find('/')));
    if (!field) continue;
    if (std::find(std::begin(enrich::kIdentities), std::end(enrich::kIdentities), *field) ==
        std::end(enrich::kIdentities)) {
      continue;
    }
    auto rule = enrich::PrivacyRule::Parse(*field, "pseudonym");
    if (!rule.ok()) return rule.status();
    options.rules.push_back(*rule);
  }
  if (options.rules.empty() || flags.identities == "plain") return enrich::EnricherFactory();
  if (*key == nullptr && !flags.identity_key.empty()) {
    std::ifstream in(flags.identity_key);
    if (!in) {
      return absl::NotFoundError(absl::StrCat("--identity-key: ", flags.identity_key, ": ", std::strerror(errno)));
    }
    auto read = enrich::MasterKey::Parse(std::string(std::istreambuf_iterator<char>(in), {}));
    if (!read.ok()) return absl::InvalidArgumentError(absl::StrCat("--identity-key: ", read.status().message()));
    *key = *std::move(read);
  } else if (*key == nullptr) {
    auto random = enrich::MasterKey::Random();
    if (!random.ok()) return random.status();
    *key = *std::move(random);
    if (!flags.quiet) {
      std::fprintf(
          stderr,
          "identities are pseudonyms of this run; --identity-key FILE keeps them over runs, --identities plain "
          "shows who it is\n");
    }
  }
  options.key = *key;
  return enrich::Privacy::Factory(std::move(options));
}

// In the order in which each may use what those before it set.
absl::Status AddEnrichers(const ReplayFlags& flags, Terminal& terminal,
                          std::vector<enrich::EnricherFactory>* enrichers) {
  auto loaded = LoadEnrichment(flags.enrichment, flags.quiet, terminal);
  if (!loaded.ok()) return loaded.status();
  if (loaded->routes != nullptr) {
    const enrich::RouteTables tables = loaded->routes->tables();
    enrichers->push_back(enrich::RoutesEnricher::Factory(loaded->routes, tables, loaded->routes_options));
  }
  if (loaded->networks != nullptr) {
    enrichers->push_back(enrich::NetworksEnricher::Factory(loaded->networks, loaded->networks_policy));
  }
  // Behind all that tells of BGP, whose next hops it resolves.
  if (loaded->igp != nullptr) {
    enrichers->push_back(enrich::IgpEnricher::Factory(loaded->igp, loaded->igp->igp(), loaded->igp_options));
  }
  for (const auto& [name, database] : loaded->geoip) enrichers->push_back(enrich::GeoEnricher::Factory(database));
  if (loaded->services != nullptr) enrichers->push_back(enrich::ServicesEnricher::Factory(loaded->services));
  if (!loaded->rules.empty()) {
    auto rules = enrich::Rules::Parse(loaded->rules);
    if (!rules.ok()) return rules.status();
    for (const std::string& warning : (*rules)->warnings()) {
      if (!flags.quiet) std::fprintf(stderr, "%s\n", warning.c_str());
    }
    enrichers->push_back(enrich::RulesEnricher::Factory(*std::move(rules)));
  }
  return absl::OkStatus();
}

absl::Status Run(ReplayFlags flags, int& exit_code) {
  if (flags.by.empty()) flags.by.push_back("src_addr,dst_addr,protocol,src_port,dst_port");
  if (flags.outputs.size() > 1 && flags.outputs.size() != flags.by.size()) {
    return absl::InvalidArgumentError(absl::StrCat("--output: ", flags.outputs.size(), " for ", flags.by.size(),
                                                   " --by; give one for each, or one for all"));
  }
  if (!flags.store.empty() && flags.every.empty()) {
    return absl::InvalidArgumentError("--store: rows are kept by time; give --every, for example 5m");
  }
  if (flags.tables.empty() && flags.by.size() == 1) flags.tables = {"flows"};
  if (!flags.store.empty() && flags.tables.size() != flags.by.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--table: ", flags.tables.size(), " for ", flags.by.size(), " --by; give one for each"));
  }
  sink::PrintOptions print;
  auto format = sink::PrintFormatFromName(flags.format);
  if (!format.ok()) return format.status();
  auto naming = sink::NamingFromName(flags.naming);
  if (!naming.ok()) return naming.status();
  if (flags.separator.size() != 1) return absl::InvalidArgumentError("--separator: give one character");
  print.format = *format;
  print.naming = *naming;
  const std::vector<std::string> values = absl::StrSplit(flags.sum, ',', absl::SkipWhitespace());
  if (const absl::Status status = sink::CheckPrintOrder(flags.order, values); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--order: ", status.message()));
  }
  print.order = flags.order;
  print.top = flags.top.value_or(print.format == sink::PrintFormat::kTable ? kTableTop : 0);
  print.header = !flags.no_header;
  print.separator = flags.separator[0];
  print.human_units = flags.human;

  collector::ReplayOptions options;
  options.files = flags.input.files;
  options.input = ToInputOptions(flags.input);
  options.pipeline.scale_sampled = !flags.sampling.no_scale;
  options.pipeline.sampling = {flags.sampling.rate, flags.sampling.override_rate};
  options.close_bins = !flags.lateness.empty();
  Terminal terminal(flags.quiet);
  session::SessionOptions session_options;
  auto own_networks = OwnNetworks(flags.own_networks);
  if (!own_networks.ok()) return own_networks.status();
  session_options.own_networks = *std::move(own_networks);
  FollowedSessions sessions(std::move(session_options));
  if (flags.gtp) {
    if (!flags.depth_given) options.input.packets.depth = -1;
    options.input.packets.gtp_tap = &sessions.tap;
    enrich::SessionsOptions joins;
    joins.by_address = true;
    joins.sampling.reset();
    if (options.pipeline.scale_sampled) joins.sampling = options.pipeline.sampling;
    options.pipeline.enrichers.push_back(enrich::SessionsEnricher::Factory(
        sessions.service, {sessions.service->epochs(), sessions.service->engine()}, joins));
  }
  std::shared_ptr<const enrich::MasterKey> identity_key;
  if (const absl::Status status = AddEnrichers(flags, terminal, &options.pipeline.enrichers); !status.ok()) {
    return status;
  }
  std::vector<std::unique_ptr<sink::Sink>> sinks;
  const auto run = static_cast<uint64_t>(absl::GetCurrentTimeNanos());
  for (size_t i = 0; i < flags.by.size(); ++i) {
    auto aggregator = ToAggregatorOptions(flags, flags.by[i]);
    if (!aggregator.ok()) return aggregator.status();
    if (!flags.outputs.empty()) print.path = flags.outputs[flags.outputs.size() == 1 ? 0 : i];
    if (flags.store.empty()) {
      auto sink = sink::NewPrintSink(print);
      if (!sink.ok()) return sink.status();
      sinks.push_back(*std::move(sink));
    } else {
      sink::StoreOptions store;
      store.table = flags.tables[i];
      store.bin_seconds = absl::ToInt64Seconds(aggregator->every);
      auto made = NewStoreSink(flags.store, std::move(store));
      if (!made.ok()) return made.status();
      sinks.push_back(*std::move(made));
    }
    pipeline::AggregationOptions aggregation;
    auto privacy = HideIdentities(flags, aggregator->by, &identity_key);
    if (!privacy.ok()) return privacy.status();
    aggregation.privacy = *std::move(privacy);
    aggregation.aggregator = *std::move(aggregator);
    aggregation.where = flags.where;
    aggregation.sink = sinks.back().get();
    if (!flags.store.empty()) aggregation.identity = {"replay", flags.tables[i], run, 0};
    options.pipeline.aggregations.push_back(std::move(aggregation));
  }
  options.interrupted = [&terminal] { return terminal.Interrupted(); };
  options.progress = [&terminal](const collector::CaptureReader& reader) { terminal.ShowProgress(reader); };

  auto outcome = collector::Replay(std::move(options));
  terminal.EndProgress();
  if (!outcome.ok()) return outcome.status();
  for (const absl::Status& failure : outcome->failures) exit_code = Fail(failure);
  if (!outcome->failures.empty()) exit_code = kFailed;
  if (outcome->interrupted) exit_code = kInterrupted;
  if (!flags.quiet && (outcome->input.packets > 0 || outcome->failures.empty())) {
    for (const std::string& line : collector::Summary(*outcome)) std::fprintf(stderr, "%s\n", line.c_str());
  }
  return absl::OkStatus();
}

}  // namespace

void AddReplayCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<ReplayFlags>();
  CLI::App* command =
      app.add_subcommand("replay", "Accounts captures: reads packets or flow exports, prints traffic by any fields");
  AddInputOptions(*command, flags->input);
  command
      ->add_option("--by", flags->by,
                   "Fields that make a group, such as src_as,dst_as or src_addr/24; given again, another aggregation "
                   "of the same input (default: the 5-tuple)")
      ->type_name("FIELDS")
      ->take_all()
      ->group("Accounting")
      ->allow_extra_args(false);
  command->add_option("--sum", flags->sum, "Counters, also min(F), max(F), distinct(F), top(F)")
      ->type_name("VALUES")
      ->capture_default_str()
      ->group("Accounting");
  command
      ->add_option("--where", flags->where,
                   "Only records for which this holds, such as 'proto tcp and dst_port in (80,443)'")
      ->type_name("EXPR")
      ->group("Accounting");
  command
      ->add_flag(
          "--gtp", flags->gtp,
          "Joins packets in tunnels of mobile networks to subscriber, APN and place (imsi, apn, rat, location), "
          "by the messages of GTP in the same captures; the innermost header is accounted unless --depth is given")
      ->group("Accounting");
  AddOwnNetwork(*command, flags->own_networks)->group("Accounting");
  AddEnrichmentOptions(*command, flags->enrichment);
  AddIgpOptions(*command, flags->enrichment);
  command->add_option("--identities", flags->identities, "How imsi, msisdn and imei are told: pseudonym or plain")
      ->type_name("HOW")
      ->check(CLI::IsMember({"pseudonym", "plain"}))
      ->capture_default_str()
      ->group("Output");
  command
      ->add_option("--identity-key", flags->identity_key,
                   "File of the secret that pseudonyms depend on, 32 to 128 hexadecimal digits (default: one of this "
                   "run)")
      ->type_name("FILE")
      ->group("Output");
  command
      ->add_option("--max-groups", flags->max_groups, "Bound on groups; what is beyond is summed in one overflow group")
      ->type_name("N")
      ->check(WholeNumber(1))
      ->capture_default_str()
      ->group("Accounting");
  command->add_option("--every", flags->every, "Time bins of this width (30s, 5m, 1h, 1d)")
      ->type_name("DURATION")
      ->group("Time");
  command->add_option("--time-field", flags->time_field, "Which time of a record chooses its bin (default: start_time)")
      ->type_name("FIELD")
      ->group("Time");
  command->add_option("--time-zone", flags->time_zone, "Where midnight is, for the alignment of bins (default: UTC)")
      ->type_name("ZONE")
      ->group("Time");
  command
      ->add_flag("--prorate", flags->prorate, "Split records over the bins that they span; the parts sum to the whole")
      ->group("Time");
  command
      ->add_option("--lateness", flags->lateness,
                   "Write bins this long after their end in capture time, instead of all at the end")
      ->type_name("DURATION")
      ->group("Time");
  AddSamplingOptions(*command, flags->sampling);
  command
      ->add_option(
          "--top", flags->top,
          absl::StrCat("Only the N largest groups of each bin; 0: all (default: ", kTableTop, " for tables, else all)"))
      ->type_name("N")
      ->check(WholeNumber())
      ->group("Output");
  command->add_option("--order", flags->order, "The value by which the largest come first (default: bytes)")
      ->type_name("VALUE")
      ->group("Output");
  command->add_option("--format", flags->format, "table, json (one object a line) or csv")
      ->type_name("FORMAT")
      ->capture_default_str()
      ->group("Output");
  command->add_option("--naming", flags->naming, "Names and encodings of columns: flowacct, pmacct or ipfix")
      ->type_name("NAMING")
      ->capture_default_str()
      ->group("Output");
  command
      ->add_option("--output", flags->outputs,
                   "Write to this file, whole or not at all; with %Y%m%d-%H%M one a bin; given again, for each --by")
      ->type_name("FILE")
      ->take_all()
      ->allow_extra_args(false)
      ->group("Output");
  command
      ->add_option("--store", flags->store,
                   absl::StrCat("A store instead, each run adds its rows (`flowacct query`): ", StorePlaces()))
      ->type_name("STORE")
      ->group("Output");
  command->add_option("--table", flags->tables, "Its table; for several --by one each (default: flows)")
      ->type_name("NAME")
      ->group("Output");
  command->add_option("--separator", flags->separator, "Between the values of csv")
      ->type_name("CHAR")
      ->capture_default_str()
      ->group("Output");
  command->add_flag("--no-header", flags->no_header, "No header line in csv and tables")->group("Output");
  command->add_flag("--human", flags->human, "1.23M instead of 1,234,567 in tables")->group("Output");
  command->add_flag("--quiet,-q", flags->quiet, "No progress, no summary; errors only")->group("Output");
  command->footer(
      "Examples:\n"
      "  flowacct replay exports.pcap --by src_as,dst_as --top 20 --order bytes\n"
      "  flowacct replay trace.pcapng.gz --by src_addr/24 --where 'proto tcp and dst_port = 443'\n"
      "  flowacct replay exports.pcap --by dst_as --every 5m --format csv --output 'as-%Y%m%d-%H%M.csv'\n"
      "  flowacct replay exports.pcap --by src_as --by dst_as --sum bytes --format json\n"
      "  flowacct replay s1u-and-s11.pcap --gtp --by apn,rat,gtp_direction\n"
      "  flowacct replay exports.pcap --routes rib.gz --by dst_as,as_path,route_source\n"
      "  flowacct replay exports.pcap --igp isis.pcap --by igp_ingress,igp_egress,igp_path\n"
      "  tcpdump -w - -i eth0 | flowacct replay - --by protocol");
  command->callback([flags, command, &exit_code] {
    flags->depth_given = command->count("--depth") > 0;
    const absl::Status status = Run(*flags, exit_code);
    if (status.ok()) return;
    exit_code = Fail(status);
    ShowWhere(flags->where);
  });
}

}  // namespace flowacct::tools
