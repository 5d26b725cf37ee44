#include "flowacct/collector/import/pipeline_import.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/collector/import/packet_filter.h"
#include "flowacct/collector/import/routing_import.h"

namespace flowacct::collector {
namespace {

// What nfprobe exports unless told, and what an sFlow sample says.
constexpr absl::string_view kProbeKey = "src_host,dst_host,src_port,dst_port,proto,tos";
constexpr absl::string_view kSampleKey =
    "src_mac,dst_mac,vlan,etype,src_host,dst_host,proto,tos,src_port,dst_port,tcpflags,in_iface,out_iface";
// pmacct's own.
constexpr absl::string_view kPluginKey = "src_host";
constexpr uint64_t kSamplerSubAgent = 1402;

bool IsProbe(const Plugin& plugin) { return plugin.type == "nfprobe" || plugin.type == "sfprobe"; }

// "1-5": the ends of a range or the number twice.
std::optional<std::pair<uint64_t, uint64_t>> Range(absl::string_view text) {
  const std::vector<absl::string_view> ends = absl::StrSplit(text, '-');
  uint64_t low = 0, high = 0;
  if (ends.size() > 2 || !absl::SimpleAtoi(ends.front(), &low) || !absl::SimpleAtoi(ends.back(), &high) || low > high) {
    return std::nullopt;
  }
  return std::make_pair(low, high);
}

// Entries decide in order, as pmacct does: one that fits lets in, or keeps out if it is negative; a negative one that
// does not fit lets in, so that nothing behind it matters.
std::string Decide(const std::vector<std::string>& in, absl::string_view out) {
  std::vector<std::string> parts = in;
  if (!out.empty()) parts.push_back(absl::StrCat("not ", out));
  return absl::StrJoin(parts, " or ");
}

}  // namespace

absl::StatusOr<std::string> TagFilter(absl::string_view field, absl::string_view list) {
  std::vector<std::string> ranges, conditions;
  std::string out;
  for (absl::string_view word : absl::StrSplit(list, ',')) {
    word = absl::StripAsciiWhitespace(word);
    const bool negative = absl::ConsumePrefix(&word, "-");
    const auto range = Range(word);
    if (!range) {
      return absl::InvalidArgumentError(absl::StrCat("\"", word, "\" is no tag; write numbers, ranges 10-20, or -6"));
    }
    const std::string text =
        range->first == range->second ? absl::StrCat(range->first) : absl::StrCat(range->first, "-", range->second);
    // 0 is also what has no tag.
    const std::string untagged = range->first == 0 ? absl::StrCat("not exists(", field, ")") : "";
    if (negative) {
      out = untagged.empty() ? absl::StrCat(field, " in (", text, ")")
                             : absl::StrCat("(", field, " in (", text, ") or ", untagged, ")");
      break;
    }
    ranges.push_back(text);
    if (!untagged.empty() && conditions.empty()) conditions.push_back(untagged);
  }
  if (!ranges.empty()) {
    conditions.insert(conditions.begin(), absl::StrCat(field, " in (", absl::StrJoin(ranges, ", "), ")"));
  }
  return Decide(conditions, out);
}

std::string LabelFilter(absl::string_view list) {
  std::vector<std::string> conditions;
  std::string out;
  for (absl::string_view word : absl::StrSplit(list, ',')) {
    word = absl::StripAsciiWhitespace(word);
    const bool negative = absl::ConsumePrefix(&word, "-");
    const std::string condition =
        word == "null" ? "not exists(label)"
                       : absl::StrCat("label = \"", absl::StrReplaceAll(word, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
    if (negative) {
      out = word == "null" ? absl::StrCat("(", condition, ")") : condition;
      break;
    }
    conditions.push_back(condition);
  }
  return Decide(conditions, out);
}

std::string Width(absl::string_view history, bool* month) {
  const size_t digits =
      static_cast<size_t>(std::find_if_not(history.begin(), history.end(), absl::ascii_isdigit) - history.begin());
  uint64_t number = 0;
  // Longer than a year is no bin.
  if (!absl::SimpleAtoi(history.substr(0, digits), &number) || number == 0 || number > 366 * 86400) return "";
  const absl::string_view unit = history.substr(digits);
  uint64_t seconds = 0;
  if (unit.empty() || unit == "s") seconds = number;
  if (unit == "m") seconds = number * 60;
  if (unit == "h") seconds = number * 3600;
  if (unit == "d") seconds = number * 86400;
  if (unit == "w") seconds = number * 7 * 86400;
  if (unit == "M") {
    *month = true;
    seconds = 86400;
  }
  if (seconds == 0 || seconds > 366 * 86400) return "";
  if (seconds % 86400 == 0) return absl::StrCat(seconds / 86400, "d");
  if (seconds % 3600 == 0) return absl::StrCat(seconds / 3600, "h");
  if (seconds % 60 == 0) return absl::StrCat(seconds / 60, "m");
  return absl::StrCat(seconds, "s");
}

PipelineImport::PipelineImport(ImportContext* context, InputImport* inputs, RulesImport* rules, std::string stem)
    : context_(context),
      inputs_(inputs),
      rules_(rules),
      aggregates_(context),
      backends_(context, std::move(stem)),
      stores_(&backends_),
      brokers_(&backends_) {}

std::string PipelineImport::NewName(const Plugin& plugin, absl::string_view suffix) {
  absl::string_view given = plugin.name;
  absl::ConsumePrefix(&given, "default_");
  const std::string stem = absl::StrCat(PlainName(given), suffix);
  std::string name = stem;
  for (int i = 2; std::find(names_.begin(), names_.end(), name) != names_.end(); ++i) name = absl::StrCat(stem, "-", i);
  names_.push_back(name);
  return name;
}

InputNeed PipelineImport::NeedOf(const Plugin& plugin, const ImportedAggregate& aggregate, std::string* where) {
  Settings& settings = context_->settings();
  InputNeed need;
  *where = inputs_->where();
  if (const Statement* filter = settings.Of(Setting::kAggregateFilter, plugin)) {
    const absl::StatusOr<std::string> ours = TranslatePacketFilter(filter->value);
    if (ours.ok()) {
      *where = BothHold(*where, *ours);
    } else if (inputs_->HasKernelFilter()) {
      need.filter = filter->value;
      settings.Remark(filter, absl::StrCat("cannot be said in our language (", ours.status().message(),
                                           "), so that an input of its own has it in libpcap's"));
    } else {
      settings.Attention(filter, absl::StrCat("cannot be said in our language, so that everything is accounted: ",
                                              ours.status().message()));
    }
  }
  const Statement* const rate = settings.Of(Setting::kSamplingRate, plugin);
  if (const auto number = settings.NumberOf(rate, 1, UINT32_MAX); number && *number > 1) {
    if (inputs_->HasKernelFilter()) {
      need.sampling_rate = *number;
      need.sampling_from = From(rate);
    } else {
      settings.Attention(rate, "what comes in is not sampled again: all of it is accounted");
    }
  }
  MeterOf(plugin, aggregate, &need);
  return need;
}

void PipelineImport::MeterOf(const Plugin& plugin, const ImportedAggregate& aggregate, InputNeed* need) {
  Settings& settings = context_->settings();
  if (!SeesPackets(context_->daemon())) return;
  if (plugin.type == "nfprobe") {
    if (settings.FlagOf(Setting::kProbeDontCache, plugin, false)) return;
    need->metered = true;
    need->meter.push_back({"by", aggregate.By(), ""});
    AddTimeouts(plugin, need);
    if (const Statement* most = settings.Of(Setting::kProbeMaxFlows, plugin)) {
      if (const auto flows = settings.NumberOf(most, 1, UINT32_MAX)) {
        need->meter.push_back({"max_flows", absl::StrCat(*flows), From(most), /*quoted=*/false});
      }
    }
    return;
  }
  if (!aggregate.flows) return;
  need->metered = true;
  for (const auto& [setting, name] : {std::make_pair(Setting::kFlowLifetime, "idle_timeout"),
                                      std::make_pair(Setting::kFlowTcpLifetime, "tcp_timeout")}) {
    const Statement* const lifetime = settings.Of(setting);
    if (const auto seconds = settings.NumberOf(lifetime, 1, 86400 * 365)) {
      need->meter.push_back({name, absl::StrCat(*seconds, "s"), From(lifetime)});
    }
  }
}

void PipelineImport::AddTimeouts(const Plugin& plugin, InputNeed* need) {
  // nfprobe's names, and the meter's.
  constexpr std::pair<absl::string_view, absl::string_view> kNames[] = {
      {"maxlife", "active_timeout"},  {"general", "idle_timeout"},
      {"tcp", "tcp_timeout"},         {"udp", "udp_timeout"},
      {"icmp", "icmp_timeout"},       {"tcp.fin", "tcp_fin_timeout"},
      {"tcp.rst", "tcp_rst_timeout"}, {"expint", ""},
  };
  Settings& settings = context_->settings();
  const Statement* const timeouts = settings.Of(Setting::kProbeTimeouts, plugin);
  if (timeouts == nullptr) return;
  for (absl::string_view word : absl::StrSplit(timeouts->value, ':', absl::SkipWhitespace())) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(word, absl::MaxSplits('=', 1));
    const absl::string_view given = absl::StripAsciiWhitespace(parts.first);
    const auto name =
        std::find_if(std::begin(kNames), std::end(kNames), [given](const auto& pair) { return pair.first == given; });
    uint64_t seconds = 0;
    if (name == std::end(kNames) || !absl::SimpleAtoi(parts.second, &seconds) || seconds == 0 ||
        seconds > 86400 * 3650) {
      settings.Fail(timeouts, absl::StrCat("\"", word, "\" is no timeout; write such as tcp=120:maxlife=3600"));
      return;
    }
    if (name->second.empty()) {
      settings.Remark(timeouts, "expint: flows end when their timeout does");
    } else {
      need->meter.push_back({std::string(name->second), absl::StrCat(seconds, "s"), From(timeouts)});
    }
  }
}

void PipelineImport::Add(const Plugin& plugin) {
  Settings& settings = context_->settings();
  ImportedAggregate aggregate = aggregates_.Of(plugin, plugin.type == "nfprobe"   ? kProbeKey
                                                       : plugin.type == "sfprobe" ? kSampleKey
                                                                                  : kPluginKey);
  std::string where;
  const InputNeed need = NeedOf(plugin, aggregate, &where);
  const bool sampled = need.sampling_rate > 1;
  // Who is told of flows needs the rate that multiplies them.
  if (IsProbe(plugin) && sampled) aggregate.by.push_back("sampling_rate");
  for (const auto& [setting, field] :
       {std::make_pair(Setting::kPreTagFilter, "tag"), std::make_pair(Setting::kPreTag2Filter, "tag2")}) {
    const Statement* const filter = settings.Of(setting, plugin);
    if (filter == nullptr) continue;
    const absl::StatusOr<std::string> condition = TagFilter(field, filter->value);
    if (!condition.ok()) settings.Fail(filter, condition.status().message());
    if (condition.ok()) where = BothHold(where, *condition);
  }
  if (const Statement* filter = settings.Of(Setting::kPreTagLabelFilter, plugin)) {
    where = BothHold(where, LabelFilter(filter->value));
    settings.Remark(filter, "the whole label is compared, where pmacct compares its beginning");
  }
  const size_t input = inputs_->Add(need);
  const bool two = !aggregate.source.empty();
  for (const auto& [side, suffix] :
       {std::make_pair(aggregate.source, two ? "-src" : ""), std::make_pair(aggregate.destination, "-dst")}) {
    if (!two && suffix[0] != '\0') break;
    Pipeline pipeline{&plugin, NewName(plugin, suffix), suffix, aggregate.By(side), input, {}};
    ConfigWriter& body = pipeline.body;
    body.Text("by", pipeline.by, From(settings.Of(Setting::kAggregate, plugin)));
    std::string sum = aggregate.flows ? "packets,bytes,flows" : "packets,bytes";
    const Statement* const stitching = settings.Of(Setting::kStitching);
    if (settings.FlagOf(Setting::kStitching, false) || IsProbe(plugin)) {
      absl::StrAppend(&sum, ",min(start_time),max(end_time)");
    }
    body.Text("sum", sum, From(stitching));
    if (!where.empty()) body.Text("where", where);
    WriteTime(plugin, IsProbe(plugin), &body);
    WriteSampling(plugin, sampled, &body);
    WriteEnrich(plugin, &body);
    std::vector<std::string> fields = aggregate.by;
    fields.push_back(side);
    WriteSink({&plugin, pipeline.name, suffix, std::move(fields)}, &body);
    pipelines_.push_back(std::move(pipeline));
  }
}

void PipelineImport::Write(const Plugin& plugin, ConfigWriter* out) {
  for (const Pipeline& pipeline : pipelines_) {
    if (pipeline.plugin != &plugin) continue;
    out->Open("pipeline");
    out->Text("name", pipeline.name);
    for (const std::string& input : inputs_->NamesOf(pipeline.input)) out->Text("input", input);
    out->Append(pipeline.body);
    out->Close();
  }
}

void PipelineImport::WriteTime(const Plugin& plugin, bool exports, ConfigWriter* out) {
  Settings& settings = context_->settings();
  const bool arrival = settings.FlagOf(Setting::kTimeNew, false);
  if (exports) {
    // A flow that has ended is sent on within seconds, whenever it began.
    out->Text("every", "5s");
    out->Text("lateness", "1s");
    out->Text("time_field", "arrival_time");
    return;
  }
  if (plugin.type == "memory") {
    out->Text("every", "1h", "pmacct has no bins here; what is asked can be summed over those that are kept");
    if (arrival) out->Text("time_field", "arrival_time", From(settings.Of(Setting::kTimeNew)));
    return;
  }
  const Statement* const history = settings.Of(Setting::kHistory, plugin);
  const Statement* const refresh = settings.Of(Setting::kRefreshTime, plugin);
  const uint64_t seconds = settings.NumberOf(refresh, 1, 366 * 86400).value_or(60);
  bool month = false;
  std::string every = Width(history == nullptr ? absl::StrCat(seconds) : history->value, &month);
  if (every.empty()) {
    settings.Fail(history, absl::StrCat("\"", history == nullptr ? "" : history->value,
                                        "\" is no width of a bin up to a year; write such as 5m, 1h, 1d"));
  }
  if (month) settings.Attention(history, "a month is no width here: days, whose rows are to be added");
  out->Text("every", every,
            history == nullptr ? refresh == nullptr ? "pmacct's unless told" : From(refresh) : From(history));
  if (history != nullptr && refresh != nullptr && every != Width(absl::StrCat(seconds), &month)) {
    settings.Remark(refresh, "a bin is written once, when it closes, and not in parts");
  }
  if (const Statement* prorate = settings.Of(Setting::kProRating); settings.FlagOf(Setting::kProRating, false)) {
    if (arrival || history == nullptr) {
      settings.Remark(prorate, "a record that came in a bin is of that bin: nothing is split");
    } else {
      out->Flag("prorate", true, From(prorate));
    }
  }
  // Without history pmacct sums what came since it wrote last.
  if (arrival) {
    out->Text("time_field", "arrival_time", From(settings.Of(Setting::kTimeNew)));
  } else if (history == nullptr && !SeesPackets(context_->daemon())) {
    out->Text("time_field", "arrival_time", "without history pmacct sums what comes in");
  }
}

void PipelineImport::WriteSampling(const Plugin& plugin, bool sampled, ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const external = settings.Of(Setting::kExternalRate);
  if (const auto rate = settings.NumberOf(external, 1, UINT32_MAX)) {
    out->Number("sampling_rate", *rate, From(external));
    out->Flag("override_sampling_rate", true);
  }
  const Statement* const renormalize = settings.Of(Setting::kRenormalize);
  if (settings.FlagOf(Setting::kRenormalize, false)) return;  // as ours
  // Who is told of samples multiplies them.
  if (SeesPackets(context_->daemon()) && !sampled && external == nullptr) return;
  out->Flag("scale_sampled", false,
            IsProbe(plugin)          ? "the collector is told the rate"
            : renormalize != nullptr ? From(renormalize)
                                     : "pmacct does not multiply unless told; without this line ours does");
}

void PipelineImport::WriteEnrich(const Plugin& plugin, ConfigWriter* out) {
  Settings& settings = context_->settings();
  ConfigWriter enrich;
  RoutingImport routing(context_);
  routing.WriteRoutes(&enrich);
  WriteNetworks(plugin, &enrich);
  if (const std::vector<std::string> rules = rules_->FilesFor(plugin); !rules.empty()) {
    enrich.Open("rules");
    for (const std::string& file : rules) enrich.Text("file", file);
    enrich.Close();
  }
  if (const Statement* geoip = settings.Of(Setting::kGeoip)) enrich.Text("geoip", geoip->value, From(geoip));
  if (enrich.text().empty()) return;
  out->Open("enrich");
  out->Append(enrich);
  out->Close();
}

void PipelineImport::WriteNetworks(const Plugin& plugin, ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const file = settings.Of(Setting::kNetworksFile, plugin);
  std::vector<const Statement*> methods;
  for (Setting setting : {Setting::kNet, Setting::kAs}) {
    if (const Statement* method = settings.Of(setting)) methods.push_back(method);
  }
  absl::string_view policy;
  std::string from;
  for (const Statement* method : methods) {
    absl::string_view wanted;
    const std::string value = absl::AsciiStrToLower(method->value);
    if (value == "file") wanted = "REPLACE";
    if (value == "longest" || value == "fallback") wanted = "LONGEST";
    if (((value == "bgp" || value == "bmp") && !RoutingImport(context_).active()) || value == "igp") {
      settings.Attention(method, "routes have no counterpart yet: what the exporter and networks_file tell counts");
    }
    if (wanted.empty()) continue;
    if (!policy.empty() && policy != wanted) {
      settings.Attention(method, "networks and AS come from the file in one way here, that of the first key");
      continue;
    }
    policy = wanted;
    absl::StrAppend(&from, from.empty() ? "" : "; ", From(method));
  }
  if (file == nullptr) return;
  if (const Statement* first = settings.Of(Setting::kNetworksNoLpm, plugin);
      settings.FlagOf(Setting::kNetworksNoLpm, plugin, false)) {
    policy = "REPLACE";
    from = From(first);
  }
  out->Open("networks");
  out->Text("file", file->value, From(file));
  if (!policy.empty()) out->Word("policy", policy, from);
  if (policy.empty() && !SeesPackets(context_->daemon())) {
    settings.Remark(file,
                    "fills in what the exporter did not tell; pmacct looks at it only if nfacctd_net or nfacctd_as "
                    "(or their like) say file or longest");
  }
  out->Close();
}

void PipelineImport::WriteSink(const BackendPipeline& pipeline, ConfigWriter* out) {
  const Plugin& plugin = *pipeline.plugin;
  out->Open("sink");
  if (plugin.type == "print") {
    WritePrint(plugin, pipeline.suffix, out);
  } else if (plugin.type == "nfprobe") {
    WriteProbe(plugin, out);
  } else if (plugin.type == "sfprobe") {
    WriteSampler(plugin, out);
  } else if (StoreImport::Writes(plugin.type)) {
    stores_.Write(pipeline, out);
  } else if (BrokerImport::Writes(plugin.type)) {
    brokers_.Write(pipeline, out);
  } else {
    WriteMemory(plugin, out);
  }
  out->Close();
}

void PipelineImport::WritePrint(const Plugin& plugin, absl::string_view file_suffix, ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const output = settings.Of(Setting::kOutput, plugin);
  const std::string word = absl::AsciiStrToLower(output == nullptr ? "formatted" : output->value);
  std::string format;
  if (word == "formatted" || word == "event_formatted") format = "TABLE";
  if (word == "csv" || word == "event_csv") format = "CSV";
  if (word == "json" || word == "avro" || word == "avro_json" || word == "custom") format = "JSON";
  if (format.empty()) {
    settings.Fail(output, absl::StrCat("\"", output->value, "\" is no form of output; write formatted, csv or json"));
  }
  if (absl::StartsWith(word, "event_")) settings.Remark(output, "packets and bytes stay columns");
  if (absl::StartsWith(word, "avro") || word == "custom")
    settings.Attention(output, "JSON, as there is no such form here");
  out->Open("print");
  out->Word("format", format, output == nullptr ? "pmacct's unless told" : From(output));
  out->Word("naming", "PMACCT");
  if (format == "TABLE") out->Number("top", 0, "all groups");
  if (const Statement* separator = settings.Of(Setting::kSeparator, plugin); separator != nullptr && format == "CSV") {
    std::string text = separator->value;
    if (text == "\\t") text = "\t";
    if (text == "\\s") text = " ";
    if (text.size() != 1) settings.Fail(separator, "is not one character; write one, or \\t or \\s");
    out->Text("separator", text, From(separator));
  }
  const Statement* const file = settings.Of(Setting::kOutputFile, plugin);
  const bool append = settings.FlagOf(Setting::kOutputAppend, plugin, false);
  if (file != nullptr) {
    const Statement* const history = settings.Of(Setting::kHistory, plugin);
    const Statement* const refresh = settings.Of(Setting::kRefreshTime, plugin);
    bool month = false;
    std::string path =
        absl::StrReplaceAll(file->value, {{"$ref", refresh == nullptr ? "60" : refresh->value},
                                          {"$hst", history == nullptr ? "0" : Width(history->value, &month)},
                                          {"$tzone", "Z"}});
    if (absl::StrContains(path, '$')) {
      settings.Attention(file, "variables of records cannot be in a name: one file has all of them, and each $ is a _");
      path = absl::StrReplaceAll(path, {{"$", "_"}});
    }
    // The last dot of the last folder begins what stays last.
    const size_t slash = path.rfind('/'), dot = path.rfind('.');
    const size_t stem = dot == std::string::npos || (slash != std::string::npos && dot < slash) ? path.size() : dot;
    std::string added(file_suffix);
    if (!absl::StrContains(path, '%') && !append) {
      added += "-%Y%m%d-%H%M%S";
      settings.Remark(file, "a file a bin, with its time in the name, where pmacct writes the one file anew");
    }
    path.insert(stem, added);
    // Two pipelines cannot share a file.
    if (std::find(outputs_.begin(), outputs_.end(), path) != outputs_.end()) {
      settings.Attention(file, "several plugins write this file; here each has one of its own");
      path.insert(stem, absl::StrCat("-", names_.back()));
    }
    outputs_.push_back(path);
    out->Text("output", path, From(file));
  }
  out->Close();
}

void PipelineImport::WriteMemory(const Plugin& plugin, ConfigWriter* out) {
  Settings& settings = context_->settings();
  out->Open("memory");
  out->Number("bins", 24, "a day of hours, where pmacct's table grows until it is reset");
  out->Close();
  if (const Statement* path = settings.Of(Setting::kMemoryPath, plugin)) {
    settings.Remark(path,
                    "flowacct query asks in place of pmacct's client, at admin { http: ... }: 127.0.0.1:2112 unless "
                    "told, or a UNIX socket such as \"unix:/run/flowacct/admin\"");
  }
}

void PipelineImport::WriteReceiver(Setting setting, const Plugin& plugin, absl::string_view unless_told,
                                   ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const receiver = settings.Of(setting, plugin);
  const std::string to = receiver == nullptr ? std::string(unless_told) : receiver->value;
  out->Text("to", to, receiver == nullptr ? "pmacct's unless told" : From(receiver));
  if (!IsAddressAndPort(to)) {
    settings.Attention(receiver, "is no address and port; names of hosts are not looked up, so give the address");
  }
}

void PipelineImport::ExplainSource(const Plugin& plugin) {
  Settings& settings = context_->settings();
  if (const Statement* source = settings.Of(Setting::kSource, plugin)) {
    settings.Attention(source,
                       "the system chooses the address that is sent from, by which collectors know the probe; give the "
                       "machine's route to them this source (ip route ... src)");
  }
}

void PipelineImport::WriteProbe(const Plugin& plugin, ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const version = settings.Of(Setting::kProbeVersion, plugin);
  const uint64_t number = settings.NumberOf(version, 1, 10).value_or(10);
  out->Open("export");
  out->Word("protocol",
            number == 5   ? "NETFLOW5"
            : number == 9 ? "NETFLOW9"
                          : "IPFIX",
            version == nullptr ? "pmacct's unless told, since 1.7.6" : From(version));
  if (number != 5 && number != 9 && number != 10) settings.Fail(version, "is none of 5, 9, 10; write one of them");
  WriteReceiver(Setting::kProbeReceiver, plugin, "127.0.0.1:2100", out);
  if (const Statement* engine = settings.Of(Setting::kProbeEngine, plugin)) {
    const std::vector<absl::string_view> parts = absl::StrSplit(engine->value, ':');
    uint32_t type = 0, id = 0;
    const bool pair = parts.size() == 2 && absl::SimpleAtoi(parts[0], &type) && absl::SimpleAtoi(parts[1], &id);
    if (pair && type <= 255 && id <= 255) {
      out->Number("domain", type * 256 + id, From(engine));
    } else if (parts.size() == 1 && absl::SimpleAtoi(parts[0], &id)) {
      out->Number("domain", id, From(engine));
    } else {
      settings.Fail(engine, absl::StrCat("\"", engine->value, "\" is neither a number nor two octets; write 1 or 1:1"));
    }
  }
  ExplainSource(plugin);
  out->Close();
}

void PipelineImport::WriteSampler(const Plugin& plugin, ConfigWriter* out) {
  Settings& settings = context_->settings();
  out->Open("export");
  out->Word("protocol", "SFLOW5");
  WriteReceiver(Setting::kSamplerReceiver, plugin, "127.0.0.1:6343", out);
  const Statement* const sub_agent = settings.Of(Setting::kSamplerSubAgent, plugin);
  out->Number("domain", settings.NumberOf(sub_agent, 0, UINT32_MAX).value_or(kSamplerSubAgent),
              sub_agent == nullptr ? "pmacct's unless told" : From(sub_agent));
  ExplainSource(plugin);
  out->Close();
}

}  // namespace flowacct::collector
