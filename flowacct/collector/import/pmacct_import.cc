#include "flowacct/collector/import/pmacct_import.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/import/config_writer.h"
#include "flowacct/collector/import/input_import.h"
#include "flowacct/collector/import/pipeline_import.h"
#include "flowacct/collector/import/replica_import.h"
#include "flowacct/collector/import/routing_import.h"
#include "flowacct/collector/import/settings.h"

namespace flowacct::collector {
namespace {

// "aggregate[in]: src_host"; without what is secret.
std::string Shown(const Statement& statement) {
  const std::string plugin = statement.plugin.empty() ? "" : absl::StrCat("[", statement.plugin, "]");
  const bool secret = IsSecretKey(statement.key) || IsSecretValue(statement.value);
  const absl::string_view value = secret ? "(not shown)" : absl::string_view(statement.value);
  return absl::StrCat(statement.key, plugin, ": ", value);
}

void WriteComments(const std::vector<Settings::Comment>& comments, ConfigWriter* out) {
  const Statement* last = nullptr;
  for (const Settings::Comment& comment : comments) {
    const std::string text = absl::StrCat(comment.attention ? "ATTENTION: " : "", comment.text);
    if (comment.statement == nullptr) {
      out->Comment(text);
      continue;
    }
    if (comment.statement != last) {
      out->Comment(absl::StrCat("line ", comment.statement->line, ": ", Shown(*comment.statement)));
    }
    last = comment.statement;
    out->Comment(absl::StrCat("    ", text));
  }
}

absl::StatusOr<ToldDaemon> DaemonOf(const std::vector<Statement>& statements, absl::string_view name,
                                    const PmacctImportOptions& options) {
  if (options.daemon.empty()) return TellDaemon(statements, name);
  if (const auto daemon = FindDaemon(options.daemon)) return ToldDaemon{*daemon, "as asked"};
  return absl::InvalidArgumentError(absl::StrCat("daemon \"", options.daemon,
                                                 "\" is none of pmacct's; known are nfacctd, sfacctd, pmacctd, uacctd, "
                                                 "pmbgpd, pmbmpd, pmtelemetryd"));
}

// Times of bins and in names of files. pmacct's are the machine's, of which a file tells nothing.
void RemarkOnTime(Settings* settings) {
  const Statement* const utc = settings->Of(Setting::kUtc);
  if (settings->FlagOf(Setting::kUtc, false)) {
    settings->Remark(utc, "times are always UTC");
  } else {
    settings->Remark(nullptr,
                     "Times are UTC, where pmacct takes this machine's time zone: time_zone in a pipeline says where "
                     "midnight is.");
  }
}

}  // namespace

absl::StatusOr<PmacctImport> ImportPmacct(absl::string_view text, absl::string_view name,
                                          const PmacctImportOptions& options) {
  absl::StatusOr<std::vector<Statement>> statements = ParsePmacctFile(text, name, options.file);
  if (!statements.ok()) return statements.status();
  const absl::StatusOr<ToldDaemon> told = DaemonOf(*statements, name, options);
  if (!told.ok()) return told.status();

  Settings settings(*std::move(statements), name);
  ImportContext context(&settings, told->daemon, options.read_file);
  RulesImport rules(&context, options.rules_stem);
  PmacctImport imported;
  ConfigWriter body;
  if (ListensForExports(told->daemon) || SeesPackets(told->daemon)) {
    InputImport inputs(&context);
    PipelineImport pipelines(&context, &inputs, &rules, options.rules_stem);
    ReplicaImport replicas(&context);
    bool has_pipeline = false;
    for (const Plugin& plugin : settings.plugins()) {
      if (plugin.type == "tee") {
        replicas.Add(plugin);
      } else {
        pipelines.Add(plugin);
        has_pipeline = true;
      }
    }
    imported.runs = has_pipeline || !replicas.empty();
    ConfigWriter parts;
    inputs.Write(&parts);
    ConfigWriter routing;
    if (has_pipeline) RoutingImport(&context).Write(&routing);
    if (has_pipeline) RoutingImport(&context).WriteRpki(&routing);
    RemarkOnTime(&settings);
    settings.ExplainTheRest(told->daemon);
    pipelines.WriteCustomFields(&body);
    body.Append(routing);
    if (imported.runs) body.Append(parts);
    for (const Plugin& plugin : settings.plugins()) {
      body.Blank();
      WriteComments(settings.Comments(&plugin), &body);
      plugin.type == "tee" ? replicas.Write(plugin, &body) : pipelines.Write(plugin, &body);
    }
  } else {
    settings.ExplainTheRest(told->daemon);
  }
  if (!settings.status().ok()) return settings.status();

  ConfigWriter out;
  out.Comment(absl::StrCat("Made of ", name, " by flowacct config import, as ", DaemonName(told->daemon), " reads it (",
                           told->reason, ")."));
  if (!imported.runs) out.Comment("Nothing in it collects traffic that has a counterpart yet.");
  const std::vector<Settings::Comment> comments = settings.Comments(nullptr);
  if (!comments.empty()) {
    out.Comment("");
    WriteComments(comments, &out);
  }
  out.Blank();
  out.Append(body);
  imported.text = out.text();
  imported.files = rules.files();
  for (const Settings::Comment& comment : settings.Attentions()) {
    const Statement* const statement = comment.statement;
    const std::string place = statement == nullptr ? "" : absl::StrCat(":", statement->line, ": ", statement->key);
    imported.attention.push_back(OneLine(absl::StrCat(name, place, ": ", comment.text)));
  }
  if (imported.runs) {
    const absl::StatusOr<config::ConfigFile> check = config::ConfigFile::Parse(imported.text, "what the import wrote");
    if (!check.ok()) return absl::InternalError(check.status().message());
  }
  return imported;
}

}  // namespace flowacct::collector
