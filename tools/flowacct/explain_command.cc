#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/explain/explanation.h"
#include "flowacct/record/field.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/enrichment_options.h"
#include "tools/flowacct/input_options.h"
#include "tools/flowacct/terminal.h"
#include "tools/flowacct/where_option.h"

namespace flowacct::tools {
namespace {

struct ExplainFlags {
  InputFlags input;
  uint64_t record = 0;
  std::string where;
  size_t limit = 1;
  EnrichmentFlags enrichment;
  SamplingFlags sampling;
  std::string fields;
  std::string format = "text";
  bool quiet = false;
};

absl::Status Run(const ExplainFlags& flags, int& exit_code) {
  Terminal terminal(flags.quiet);
  auto enrichment = LoadEnrichment(flags.enrichment, flags.quiet, terminal);
  if (!enrichment.ok()) return enrichment.status();
  collector::ExplainOptions options;
  options.files = flags.input.files;
  options.input = ToInputOptions(flags.input);
  options.record = flags.record;
  options.where = flags.where;
  options.limit = flags.limit;
  for (const absl::string_view name : absl::StrSplit(flags.fields, ',', absl::SkipWhitespace())) {
    auto field = record::FieldFromName(name);
    if (!field.ok()) return absl::InvalidArgumentError(absl::StrCat("--fields: ", field.status().message()));
    options.fields.push_back(*field);
  }
  if (enrichment->routes != nullptr) {
    options.routes = enrichment->routes->tables();
    options.routes_owner = enrichment->routes;
    options.routes_options = enrichment->routes_options;
  }
  options.networks = enrichment->networks;
  options.networks_name = flags.enrichment.networks;
  options.networks_policy = enrichment->networks_policy;
  options.geoip = enrichment->geoip;
  options.services = enrichment->services;
  options.services_name = flags.enrichment.services;
  options.rules = std::move(enrichment->rules);
  options.scale_sampled = !flags.sampling.no_scale;
  options.sampling = {flags.sampling.rate, flags.sampling.override_rate};
  options.interrupted = [&terminal] { return terminal.Interrupted(); };
  options.progress = [&terminal](const collector::CaptureReader& reader) { terminal.ShowProgress(reader); };

  auto explanation = collector::Explain(std::move(options));
  terminal.EndProgress();
  if (!explanation.ok()) return explanation.status();
  const std::string text =
      flags.format == "json" ? collector::ExplanationAsJson(*explanation) : collector::ExplanationAsText(*explanation);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return absl::UnavailableError("standard output cannot be written; is the disk full, or the reader gone?");
  }
  for (const absl::Status& failure : explanation->failures) exit_code = Fail(failure);
  if (!explanation->failures.empty()) exit_code = kFailed;
  if (explanation->interrupted) {
    exit_code = kInterrupted;
  } else if (explanation->records.empty()) {
    const std::string seen =
        absl::StrCat(explanation->records_seen, " record", explanation->records_seen == 1 ? "" : "s");
    exit_code = Fail(absl::NotFoundError(
        flags.record != 0 ? absl::StrCat("--record: there is no record ", flags.record, ", only ", seen)
                          : absl::StrCat("none of ", seen, " is selected")));
  }
  return absl::OkStatus();
}

}  // namespace

void AddExplainCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<ExplainFlags>();
  CLI::App* command = app.add_subcommand(
      "explain", "Tells where each field of one record comes from: template, sampling, route, network, rule");
  AddInputOptions(*command, flags->input);
  auto* record = command
                     ->add_option("--record", flags->record,
                                  "The record of this number, from 1, over all files (default: see --where)")
                     ->type_name("N")
                     ->check(WholeNumber(1));
  command
      ->add_option("--where", flags->where,
                   "The first records for which this holds after all steps, such as 'dst_as = 64496'")
      ->type_name("EXPR")
      ->excludes(record);
  command->add_option("--limit", flags->limit, "How many of them")
      ->type_name("N")
      ->check(WholeNumber(1))
      ->capture_default_str()
      ->excludes(record);
  command
      ->add_option("--fields", flags->fields,
                   "Only these, such as dst_as,as_path; of one that the record has not, why (default: all that it has)")
      ->type_name("FIELDS");
  AddEnrichmentOptions(*command, flags->enrichment);
  AddSamplingOptions(*command, flags->sampling);
  command->add_option("--format", flags->format, "text, or json (one object a record)")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str()
      ->group("Output");
  command->add_flag("--quiet,-q", flags->quiet, "No progress, no summary of routes; errors only")->group("Output");
  command->footer(
      "Examples:\n"
      "  flowacct explain exports.pcap --record 17\n"
      "  flowacct explain exports.pcap --fields dst_as,as_path --routes rib.gz\n"
      "  flowacct explain exports.pcap --where 'tag = 100' --rules customers.rules --format json | jq .fields.tag");
  command->callback([flags, &exit_code] {
    const absl::Status status = Run(*flags, exit_code);
    if (status.ok()) return;
    exit_code = Fail(status);
    ShowWhere(flags->where);
  });
}

}  // namespace flowacct::tools
