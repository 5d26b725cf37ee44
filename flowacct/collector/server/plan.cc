#include "flowacct/collector/server/plan.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/server/aggregator_plan.h"
#include "flowacct/collector/server/config_address.h"
#include "flowacct/collector/server/enrichment.h"
#include "flowacct/collector/server/kafka_input.h"
#include "flowacct/collector/server/pipeline_sinks.h"
#include "flowacct/collector/server/privacy_plan.h"
#include "flowacct/collector/server/validation_plan.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/filter/filter.h"
#include "flowacct/flow/template/template_options.h"
#include "flowacct/meter/flow_meter.h"
#include "flowacct/query/question.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;
using record::FieldId;

// Whether all traffic comes by here with its sessions, so that their volumes can be counted.
bool SeesSessions(const PipelineGroup& group, const config::Enrich& enrich, const config::Config& config) {
  if (!enrich.has_sessions()) return false;
  for (int i = 0; i < config.input_size(); ++i) {
    if (!config.input(i).has_sessions() && !group.inputs[static_cast<size_t>(i)]) return false;
  }
  return true;
}

// Pipelines with the same are enriched together.
std::string GroupKey(const config::Pipeline& pipeline, const std::vector<bool>& inputs) {
  std::string key = pipeline.enrich().SerializeAsString();
  absl::StrAppend(&key, "|", pipeline.scale_sampled(), pipeline.override_sampling_rate(), "|", pipeline.sampling_rate(),
                  "|");
  for (const bool input : inputs) key.push_back(input ? '1' : '0');
  return key;
}

std::vector<bool> InputsOf(const config::Config& config, const config::Pipeline& pipeline) {
  std::vector<bool> inputs;
  for (const config::Input& input : config.input()) {
    bool wanted = pipeline.input().empty() && !input.has_sessions();
    for (const std::string& name : pipeline.input()) wanted |= name == input.name();
    inputs.push_back(wanted);
  }
  return inputs;
}

std::string UdpAddress(const std::string& text) {
  return absl::StrContains(text, "://") ? text : absl::StrCat("udp://", text);
}

// Of a replica: an address and port to send to, or an address to send from, whose port may be left to the system.
absl::StatusOr<std::string> ReplicaAddress(const ConfigFile& file, const config::Replica& replica,
                                           absl::string_view field, const std::string& text, int index) {
  const auto address = base::IpAddress::Parse(text);
  std::string url = UdpAddress(text);
  if (address && field == "from") url = Endpoint{EndpointScheme::kUdp, *address, 0, ""}.ToString();
  if (auto endpoint = ParseEndpoint(url, {EndpointScheme::kUdp}); !endpoint.ok()) {
    return file.ErrorAt(replica, field, endpoint.status().message(), index);
  }
  return url;
}

// The replicas that take datagrams of this input.
absl::StatusOr<ReplicatorOptions> PlanReplication(const ConfigFile& file, const config::Input& input) {
  ReplicatorOptions options;
  for (const config::Input& other : file.message().input()) {
    for (const std::string& listen : other.udp().listen()) options.own_addresses.push_back(UdpAddress(listen));
  }
  for (const config::Replica& replica : file.message().replica()) {
    if (!replica.input().empty() &&
        std::find(replica.input().begin(), replica.input().end(), input.name()) == replica.input().end()) {
      continue;
    }
    ReplicaPool pool;
    pool.name = replica.name();
    for (int i = 0; i < replica.to_size(); ++i) {
      auto to = ReplicaAddress(file, replica, "to", replica.to(i), i);
      if (!to.ok()) return to.status();
      pool.receivers.push_back(*std::move(to));
    }
    switch (replica.balance()) {
      case config::Replica::ALL:
        pool.balance = ReplicaBalance::kAll;
        break;
      case config::Replica::ROUND_ROBIN:
        pool.balance = ReplicaBalance::kRoundRobin;
        break;
      case config::Replica::HASH:
        pool.balance = ReplicaBalance::kExporter;
        break;
    }
    for (int i = 0; i < replica.exporters_size(); ++i) {
      auto prefix = ParsePrefix(file, replica, "exporters", replica.exporters(i), i);
      if (!prefix.ok()) return prefix.status();
      pool.exporters.push_back(*prefix);
    }
    pool.keep_source = replica.keep_source();
    if (!replica.from().empty()) {
      if (pool.keep_source) {
        return file.ErrorAt(replica, "from", "excludes keep_source, which sends from the exporter's own; give one");
      }
      auto from = ReplicaAddress(file, replica, "from", replica.from(), 0);
      if (!from.ok()) return from.status();
      pool.from = *std::move(from);
    }
    options.pools.push_back(std::move(pool));
  }
  return options;
}

absl::StatusOr<meter::MeterOptions> ToMeterOptions(const ConfigFile& file, const config::Meter& meter) {
  meter::MeterOptions options;
  options.key = aggregate::SplitKeys(meter.by());
  options.active_timeout = ConfigFile::DurationOf(meter.active_timeout());
  options.idle_timeout = ConfigFile::DurationOf(meter.idle_timeout());
  options.tcp_fin_timeout = ConfigFile::DurationOf(meter.tcp_fin_timeout());
  options.tcp_rst_timeout = ConfigFile::DurationOf(meter.tcp_rst_timeout());
  // These have no default by which the file's own check would know them for durations.
  struct OfProtocol {
    absl::string_view field;
    const std::string& text;
    std::optional<absl::Duration>* timeout;
  };
  for (const OfProtocol& one : {OfProtocol{"tcp_timeout", meter.tcp_timeout(), &options.tcp_timeout},
                                OfProtocol{"udp_timeout", meter.udp_timeout(), &options.udp_timeout},
                                OfProtocol{"icmp_timeout", meter.icmp_timeout(), &options.icmp_timeout}}) {
    if (one.text.empty()) continue;
    auto timeout = config::ParseDuration(one.text);
    if (!timeout.ok()) return file.ErrorAt(meter, one.field, timeout.status().message());
    *one.timeout = *timeout;
  }
  options.max_flows = meter.max_flows();
  base::Interner interner;
  if (auto tried = meter::FlowMeter::New(options, &interner); !tried.ok()) {
    return file.ErrorAt(meter, "", tried.status().message());
  }
  return options;
}

absl::StatusOr<InputPlan> PlanInput(const ConfigFile& file, const config::Input& input,
                                    std::shared_ptr<const SessionHolder> sessions) {
  InputPlan plan;
  if (file.message().has_gtp()) plan.decoder.sessions = std::move(sessions);
  plan.decoder.session_records = input.has_sessions();
  plan.config = &input;
  plan.has_admission = input.has_admission();
  const config::Admission& admission = input.admission();
  for (int i = 0; i < admission.allow_size(); ++i) {
    auto prefix = ParsePrefix(file, admission, "allow", admission.allow(i), i);
    if (!prefix.ok()) return prefix.status();
    AdmissionRule rule;
    rule.prefix = *prefix;
    rule.datagrams.per_second = admission.datagrams_per_second();
    rule.records.per_second = admission.records_per_second();
    plan.admission.rules.push_back(rule);
  }
  plan.admission.datagrams.per_second = admission.datagrams_per_second();
  plan.admission.records.per_second = admission.records_per_second();
  const config::Limits& limits = file.message().limits();
  for (flow::TemplateOptions* templates :
       {&plan.decoder.exports.netflow.templates, &plan.decoder.exports.ipfix.templates}) {
    templates->max_domains = limits.max_domains();
    templates->max_template_octets = ConfigFile::OctetsOf(limits.max_template_memory());
  }
  plan.decoder.exports.sflow.max_agents = limits.max_domains();
  if (input.depth() == config::INNERMOST || (!input.has_depth() && file.message().has_gtp())) {
    plan.decoder.packets.depth = -1;
  }
  for (const uint32_t port : file.message().gtp().user_plane_port()) {
    plan.decoder.packets.gtp_u_ports.push_back(static_cast<uint16_t>(port));
  }
  plan.decoder.exports.netflow.templates.own_enterprise = plan.decoder.exports.ipfix.templates.own_enterprise =
      input.enterprise();
  plan.decoder.sampling_rate = input.interface().sampling_rate();
  if (input.has_meter()) {
    auto meter = ToMeterOptions(file, input.meter());
    if (!meter.ok()) return meter.status();
    plan.decoder.meter = *std::move(meter);
    for (const FieldId field : {FieldId::kGtpDstAddr, FieldId::kTeid}) {
      std::vector<std::string>& key = plan.decoder.meter->key;
      const std::string name(record::Info(field).name);
      if (file.message().has_gtp() && std::find(key.begin(), key.end(), name) == key.end()) key.push_back(name);
    }
  }
  if (input.has_kafka()) {
    if (absl::Status status = CheckKafkaInput(file, input.kafka()); !status.ok()) return status;
    plan.decoder.messages.length_delimited = input.kafka().length_delimited();
  }
  if (input.has_udp()) {
    auto replication = PlanReplication(file, input);
    if (!replication.ok()) return replication.status();
    plan.replication = *std::move(replication);
  }
  return plan;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Plan>> MakePlan(std::shared_ptr<const ConfigFile> file,
                                                     std::shared_ptr<const RoutingHolder> routing,
                                                     std::shared_ptr<const SessionHolder> sessions,
                                                     std::shared_ptr<const IgpHolder> igp) {
  auto plan = std::make_shared<Plan>();
  plan->file = std::move(file);
  const config::Config& config = plan->config();
  if (config.redundant() && (config.name().empty() || !config.has_state())) {
    return plan->file->ErrorAt(
        config, "redundant", "needs name, the same of both collectors, and state, where open bins stay over a restart");
  }
  auto custom = PlanCustomFields(*plan->file);
  if (!custom.ok()) return custom.status();
  plan->custom_fields = *std::move(custom);
  filter::FilterOptions filter_options;
  if (plan->custom_fields != nullptr) filter_options.names = &plan->custom_fields->names();
  if (auto bgp = PlanRouting(*plan->file, filter_options.names); !bgp.ok()) return bgp.status();
  if (auto rpki = PlanValidation(*plan->file); !rpki.ok()) return rpki.status();
  if (auto gtp = PlanSessions(*plan->file); !gtp.ok()) return gtp.status();
  if (config.has_igp()) {
    auto made = PlanIgp(*plan->file);
    if (!made.ok()) return made.status();
    plan->igp = std::make_shared<const IgpServiceOptions>(*std::move(made));
  }
  query::QuestionOptions question_options;
  question_options.names = filter_options.names;
  for (const config::Question& question : config.question()) {
    const auto parsed = query::ParseQuestion(question.ask(), question_options);
    if (parsed.ok()) continue;
    absl::string_view message = parsed.status().message();
    absl::ConsumePrefix(&message, "question, ");
    return plan->file->ErrorAt(question, "ask", message);
  }
  for (const config::Input& input : config.input()) {
    auto made = PlanInput(*plan->file, input, sessions);
    if (!made.ok()) return made.status();
    plan->inputs.push_back(*std::move(made));
  }
  Enrichment enrichment(plan->file.get(), plan->custom_fields.get(), std::move(routing), std::move(sessions),
                        std::move(igp), plan->igp.get());
  bool volumes_counted = !config.has_gtp();
  absl::flat_hash_map<std::string, size_t> groups;
  for (const config::Pipeline& pipeline : config.pipeline()) {
    PipelinePlan made;
    made.name = pipeline.name();
    made.config = &pipeline;
    made.aggregation.where = pipeline.where();
    if (auto filter = filter::Filter::Parse(pipeline.where(), filter_options); !filter.ok()) {
      return plan->file->ErrorAt(pipeline, "where", filter.status().message());
    }
    auto aggregator = PlanAggregator(*plan->file, pipeline, plan->custom_fields);
    if (!aggregator.ok()) return aggregator.status();
    if (std::string warning = ValidationWarning(*plan->file, pipeline, aggregator->by); !warning.empty()) {
      plan->warnings.push_back(std::move(warning));
    }
    made.aggregation.aggregator = *std::move(aggregator);
    auto privacy = PlanPrivacy(*plan->file, pipeline);
    if (!privacy.ok()) return privacy.status();
    made.aggregation.privacy = *std::move(privacy);
    // The two cannot tell which of them has restated what.
    if (config.redundant()) made.aggregation.aggregator.late = aggregate::AggregatorOptions::Late::kCount;

    const std::vector<bool> inputs = InputsOf(config, pipeline);
    const auto [found, added] = groups.emplace(GroupKey(pipeline, inputs), plan->groups.size());
    if (added) {
      PipelineGroup group;
      group.inputs = inputs;
      group.options.custom_fields = plan->custom_fields;
      group.options.scale_sampled = pipeline.scale_sampled();
      group.options.count_traffic = true;
      group.options.sampling = {pipeline.sampling_rate(), pipeline.override_sampling_rate()};
      const bool counts = !volumes_counted && SeesSessions(group, pipeline.enrich(), config);
      volumes_counted |= counts;
      auto enrichers = enrichment.Make(pipeline.enrich(), group.options, counts);
      if (!enrichers.ok()) return enrichers.status();
      group.options.enrichers = *std::move(enrichers);
      plan->groups.push_back(std::move(group));
    }
    PipelineGroup& group = plan->groups[found->second];
    group.pipelines.push_back(plan->pipelines.size());
    group.options.aggregations.push_back(made.aggregation);
    plan->pipelines.push_back(std::move(made));

    if (absl::Status status = CheckPipelineSinks(*plan->file, pipeline, plan->pipelines.back().aggregation.aggregator);
        !status.ok())
      return status;
    // What only the whole can find wrong.
    base::Interner interner;
    pipeline::PipelineOptions alone;
    alone.custom_fields = plan->custom_fields;
    alone.aggregations = {plan->pipelines.back().aggregation};
    if (auto tried = pipeline::Pipeline::New(std::move(alone), &interner); !tried.ok()) {
      return plan->file->ErrorAt(pipeline, "name", tried.status().message());
    }
  }
  if (!volumes_counted) {
    config::Enrich enrich;
    enrich.mutable_sessions();
    PipelineGroup group;
    for (const config::Input& input : config.input()) group.inputs.push_back(!input.has_sessions());
    auto enrichers = enrichment.Make(enrich, group.options, /*counts_volumes=*/true);
    if (!enrichers.ok()) return enrichers.status();
    group.options.enrichers = *std::move(enrichers);
    plan->groups.push_back(std::move(group));
  }
  plan->warnings.insert(plan->warnings.end(), enrichment.warnings().begin(), enrichment.warnings().end());
  return plan;
}

}  // namespace flowacct::collector
