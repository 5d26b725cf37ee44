// store init, check, retain, export and copy: what is done to stores as a whole.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/base/interner.h"
#include "flowacct/collector/interrupt.h"
#include "flowacct/collector/server/aggregator_plan.h"
#include "flowacct/collector/server/question_stores.h"
#include "flowacct/collector/server/store_sinks.h"
#include "flowacct/collector/stores/table_check.h"
#include "flowacct/collector/stores/table_copy.h"
#include "flowacct/collector/stores/table_export.h"
#include "flowacct/query/answer.h"
#include "flowacct/query/ask.h"
#include "flowacct/query/group_store.h"
#include "flowacct/query/question.h"
#include "flowacct/sink/store_sink.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/config_option.h"
#include "tools/flowacct/store_option.h"

namespace flowacct::tools {
namespace {

using Schema = std::shared_ptr<const aggregate::Schema>;

// A store that is busy, because a collector writes there, is tried so long.
constexpr absl::Duration kPatience = absl::Seconds(30);

struct StoreFlags {
  std::string config, sink;
  std::string store, table;
  std::string by, values = "packets,bytes,flows", every;
  std::string keep;
  std::string from, to, zone, where;
  std::string format, output;
  std::string into, as, run;
  bool quiet = false;
};

// A store, and what is to be written there.
struct Target {
  std::string kind;   // "sqlite"
  std::string table;  // empty: not told
  Schema schema;      // null: not told
  int64_t bin_seconds = 0;
  std::function<absl::StatusOr<std::unique_ptr<sink::StoreSink>>(Schema)> new_sink;
  std::function<absl::StatusOr<std::unique_ptr<query::GroupStore>>()> open;
};

absl::StatusOr<Schema> SchemaOf(const aggregate::AggregatorOptions& options) {
  const auto aggregator = aggregate::Aggregator::New(options, std::make_shared<base::Interner>());
  if (!aggregator.ok()) return aggregator.status();
  return std::make_shared<const aggregate::Schema>((*aggregator)->schema());
}

absl::StatusOr<std::vector<Target>> TargetsOfConfig(const StoreFlags& flags) {
  absl::StatusOr<config::ConfigFile> read = ReadConfigFile(flags.config);
  if (!read.ok()) return read.status();
  const auto file = std::make_shared<const config::ConfigFile>(*std::move(read));
  const auto custom = collector::PlanCustomFields(*file);
  if (!custom.ok()) return custom.status();
  std::vector<Target> targets;
  for (const collector::NamedStore& store : collector::StoresOf(file->message(), flags.sink)) {
    if (!flags.table.empty() && flags.table != store.table) continue;
    const auto aggregator = collector::PlanAggregator(*file, *store.pipeline, *custom);
    if (!aggregator.ok()) return aggregator.status();
    if (absl::Status status = collector::CheckStore(*file, *store.sink, *store.pipeline, *aggregator); !status.ok()) {
      return status;
    }
    const auto schema = SchemaOf(*aggregator);
    if (!schema.ok()) return schema.status();
    Target& target = targets.emplace_back();
    target.kind = store.kind;
    target.table = store.table;
    target.schema = *schema;
    target.bin_seconds = absl::ToInt64Seconds(aggregator->every);
    target.new_sink = [file, store,
                       aggregator = *aggregator](Schema made) -> absl::StatusOr<std::unique_ptr<sink::StoreSink>> {
      auto sink = collector::NewStoreSink(*file, *store.sink, *store.pipeline, aggregator, std::move(made));
      if (!sink.ok()) return sink.status();
      return std::move(sink->sink);
    };
    target.open = [file, store] { return collector::OpenStore(*store.sink); };
  }
  if (targets.empty()) {
    return absl::NotFoundError(absl::StrCat(flags.config,
                                            ": no pipeline has such a store; give one a sink, as in "
                                            "sink { sqlite { path: \"flows.db\" } }"));
  }
  return targets;
}

// `schema`: the table is to be made.
absl::StatusOr<Target> TargetOfStore(const StoreFlags& flags, bool schema) {
  Target target;
  target.kind = flags.store.substr(0, flags.store.find(':'));
  target.table = flags.table;
  sink::StoreOptions options;
  options.table = flags.table;
  if (schema) {
    if (flags.table.empty() || flags.by.empty() || flags.every.empty()) {
      return absl::InvalidArgumentError(
          "a table is made of --table NAME, --by FIELDS and --every DURATION; or give a --config");
    }
    const auto every = ParseDuration("--every", flags.every);
    if (!every.ok()) return every.status();
    aggregate::AggregatorOptions aggregator;
    aggregator.by = aggregate::SplitKeys(flags.by);
    aggregator.values = absl::StrSplit(flags.values, ',', absl::SkipWhitespace());
    aggregator.every = *every;
    const auto made = SchemaOf(aggregator);
    if (!made.ok()) return made.status();
    target.schema = *made;
    target.bin_seconds = options.bin_seconds = absl::ToInt64Seconds(*every);
    if (absl::Seconds(options.bin_seconds) != *every) {
      return absl::InvalidArgumentError("--every: a store needs bins of whole seconds, such as 5m");
    }
  }
  if (!flags.keep.empty()) {
    const auto keep = ParseDuration("--keep", flags.keep);
    if (!keep.ok()) return keep.status();
    options.retention = *keep;
  }
  target.new_sink = [store = flags.store, options](Schema made) {
    sink::StoreOptions with_schema = options;
    with_schema.schema = std::move(made);
    return NewStoreSink(store, with_schema);
  };
  target.open = [store = flags.store] { return OpenStore(store); };
  return target;
}

absl::StatusOr<std::vector<Target>> TargetsOf(const StoreFlags& flags, bool schema = false) {
  if (flags.config.empty() == flags.store.empty()) {
    return absl::InvalidArgumentError("give --store STORE, or the --config of a collector that has stores");
  }
  if (!flags.config.empty()) return TargetsOfConfig(flags);
  auto target = TargetOfStore(flags, schema);
  if (!target.ok()) return target.status();
  return std::vector<Target>{*std::move(target)};
}

// Tries again what another writer is in the way of.
absl::Status Patiently(const std::function<absl::Status()>& what, const collector::InterruptScope& interrupt) {
  const absl::Time deadline = absl::Now() + kPatience;
  for (;;) {
    absl::Status status = what();
    if (!absl::IsUnavailable(status) || absl::Now() > deadline) return status;
    if (interrupt.requested()) return absl::CancelledError("interrupted");
    absl::SleepFor(absl::Milliseconds(200));
  }
}

// --- init, retain
// -----------------------------------------------------------------------------------------------------

int RunInit(const StoreFlags& flags) {
  const auto targets = TargetsOf(flags, /*schema=*/true);
  if (!targets.ok()) return Fail(targets.status());
  collector::InterruptScope interrupt;
  int exit_code = kDone;
  for (const Target& target : *targets) {
    const absl::Status status = Patiently(
        [&target] {
          auto sink = target.new_sink(target.schema);
          return sink.ok() ? (*sink)->Close() : sink.status();
        },
        interrupt);
    if (!status.ok()) {
      exit_code = Fail(status);
      continue;
    }
    exit_code = std::max(exit_code, Print(absl::StrCat(target.kind, ": table ", target.table, " is there and fits\n")));
  }
  return exit_code;
}

int RunRetain(const StoreFlags& flags) {
  if (!flags.config.empty() && !flags.keep.empty()) {
    return Fail(absl::InvalidArgumentError("--keep: the configuration says it; leave one of them out"));
  }
  if (flags.config.empty() && flags.keep.empty()) {
    return Fail(absl::InvalidArgumentError("--keep: how long are bins kept? such as 30d"));
  }
  auto targets = TargetsOf(flags);
  if (!targets.ok()) return Fail(targets.status());
  if (flags.config.empty() && flags.table.empty()) {
    // Of all tables; rollups go with theirs.
    const auto store = targets->front().open();
    const auto tables = store.ok() ? (*store)->Tables() : store.status();
    if (!tables.ok()) return Fail(tables.status());
    targets->clear();
    for (const query::TableInfo& table : *tables) {
      if (!table.rollup_of.empty()) continue;
      StoreFlags of = flags;
      of.table = table.name;
      auto target = TargetOfStore(of, /*schema=*/false);
      if (!target.ok()) return Fail(target.status());
      targets->push_back(*std::move(target));
    }
  }
  collector::InterruptScope interrupt;
  int exit_code = kDone;
  for (const Target& target : *targets) {
    sink::StoreCounters counters;
    const absl::Status status = Patiently(
        [&] {
          auto sink = target.new_sink(nullptr);
          if (!sink.ok()) return sink.status();
          absl::Status retained = (*sink)->Retain();
          counters.rows_removed += (*sink)->counters().rows_removed;
          counters.bins_removed += (*sink)->counters().bins_removed;
          retained.Update((*sink)->Close());
          return retained;
        },
        interrupt);
    if (!status.ok()) {
      exit_code = Fail(status);
      continue;
    }
    exit_code =
        std::max(exit_code, Print(absl::StrCat(target.kind, ": table ", target.table, ": ", counters.rows_removed,
                                               " rows of ", counters.bins_removed, " bins removed\n")));
  }
  return exit_code;
}

// --- check
// ------------------------------------------------------------------------------------------------------------

query::AnswerCell TextCell(absl::string_view text) {
  query::AnswerCell cell;
  cell.present = cell.value.present = true;
  cell.value.octets = std::string(text);
  return cell;
}
query::AnswerCell NumberCell(uint64_t number) {
  query::AnswerCell cell;
  cell.present = true;
  cell.number = number;
  return cell;
}
query::AnswerCell TimeCell(int64_t seconds, bool present) {
  query::AnswerCell cell;
  cell.present = present;
  cell.time_seconds = seconds;
  return cell;
}

int RunCheck(const StoreFlags& flags) {
  const auto targets = TargetsOf(flags);
  if (!targets.ok()) return Fail(targets.status());
  using Kind = query::AnswerColumn::Kind;
  constexpr record::FieldType kText = record::FieldType::kString;
  query::Answer answer;
  answer.columns = {
      {Kind::kField, kText, "store"},        {Kind::kField, kText, "table"}, {Kind::kField, kText, "rollup"},
      {Kind::kNumber, kText, "bin_seconds"}, {Kind::kNumber, kText, "bins"}, {Kind::kNumber, kText, "rows"},
      {Kind::kTime, kText, "from"},          {Kind::kTime, kText, "to"},     {Kind::kField, kText, "verdict"}};
  answer.table = "stores";
  int exit_code = kDone;
  std::vector<std::string> misfits;
  for (const Target& target : *targets) {
    const auto store = target.open();
    const auto tables = store.ok() ? (*store)->Tables() : store.status();
    if (!tables.ok()) {
      exit_code = Fail(tables.status());
      continue;
    }
    std::vector<std::string> lacks;
    if (target.schema != nullptr) {
      lacks = collector::Misfits(*tables, target.kind, target.table, *target.schema, target.bin_seconds);
    }
    for (const std::string& lack : lacks) misfits.push_back(absl::StrCat((*store)->name(), ": ", lack));
    for (const query::TableInfo& table : *tables) {
      if (!target.table.empty() && table.name != target.table && table.rollup_of != target.table) continue;
      const auto contents = collector::CheckTable(**store, table);
      if (!contents.ok()) misfits.push_back(std::string(contents.status().message()));
      const bool timed = table.bin_seconds != 0 && table.last_seconds != table.first_seconds;
      query::AnswerRow row;
      row.cells = {TextCell((*store)->name()),
                   TextCell(table.name),
                   TextCell(table.rollup_of),
                   NumberCell(static_cast<uint64_t>(table.bin_seconds)),
                   NumberCell(contents.ok() ? contents->bins : 0),
                   NumberCell(contents.ok() ? contents->rows : 0),
                   TimeCell(table.first_seconds, timed),
                   TimeCell(table.last_seconds, timed),
                   TextCell(!contents.ok()                                 ? "cannot be read"
                            : table.name == target.table && !lacks.empty() ? "does not fit"
                            : table.name == target.table && target.schema  ? "fits"
                                                                           : "can be read")};
      if (table.rollup_of.empty()) row.cells[2].present = false;
      answer.rows.push_back(std::move(row));
    }
    if (target.schema == nullptr && !target.table.empty() && answer.rows.empty()) {
      misfits.push_back(absl::StrCat((*store)->name(), ": there is no table ", target.table));
    }
  }
  const auto format = query::FindAnswerFormat(flags.format.empty() ? "table" : flags.format);
  if (!format.ok()) return Fail(format.status());
  if (!answer.rows.empty()) exit_code = std::max(exit_code, Print((*format)->text(answer)));
  for (const std::string& misfit : misfits) exit_code = Fail(absl::FailedPreconditionError(misfit));
  return exit_code;
}

// --- export, copy
// -----------------------------------------------------------------------------------------------------

// How far it is, on a terminal.
class Progress {
 public:
  Progress(bool quiet, std::string table) : table_(std::move(table)), shown_(!quiet && isatty(STDERR_FILENO) == 1) {}
  ~Progress() { Erase(); }
  void Show(const collector::TableProgress& progress) {
    const absl::Time now = absl::Now();
    if (!shown_ || now - last_ < absl::Milliseconds(200)) return;
    last_ = now;
    begun_ = true;
    std::fprintf(stderr, "\r\x1b[K%s: bin %llu of %llu, %llu rows", table_.c_str(),
                 static_cast<unsigned long long>(progress.bins), static_cast<unsigned long long>(progress.bins_total),
                 static_cast<unsigned long long>(progress.rows));
    std::fflush(stderr);
  }
  void Erase() {
    if (std::exchange(begun_, false)) std::fputs("\r\x1b[K", stderr);
  }

 private:
  const std::string table_;
  const bool shown_;
  bool begun_ = false;
  absl::Time last_ = absl::InfinitePast();
};

struct Part {
  int64_t from_seconds = INT64_MIN, to_seconds = INT64_MAX;
  filter::Filter where;
};

// The part of the table that the flags name, in the language of questions.
absl::StatusOr<Part> PartOf(const StoreFlags& flags, const query::TableInfo& table) {
  const record::FieldNames names = query::NamesOf(table);
  query::QuestionOptions options;
  options.names = &names;
  Part part;
  absl::TimeZone zone = absl::UTCTimeZone();
  const auto parse = [&options](absl::string_view flag, absl::string_view word,
                                absl::string_view text) -> absl::StatusOr<query::Question> {
    auto question = query::ParseQuestion(absl::StrCat(word, " ", text), options);
    if (question.ok()) return question;
    return absl::InvalidArgumentError(absl::StrCat(flag, ": ", question.status().message()));
  };
  if (!flags.zone.empty()) {
    const auto in = parse("--in", "in", flags.zone);
    if (!in.ok()) return in.status();
    zone = in->zone;
  }
  if (!flags.from.empty()) {
    const auto from = parse("--from", "from", flags.from);
    if (!from.ok()) return from.status();
    if (from->from) part.from_seconds = absl::ToUnixSeconds(from->from->At(absl::Now(), zone));
  }
  if (!flags.to.empty()) {
    const auto to = parse("--to", "to", flags.to);
    if (!to.ok()) return to.status();
    if (to->to) part.to_seconds = absl::ToUnixSeconds(to->to->At(absl::Now(), zone));
  }
  if (!flags.where.empty()) {
    const auto where = parse("--where", "where", flags.where);
    if (!where.ok()) return where.status();
    part.where = where->filter;
  }
  return part;
}

// The tables that are meant: the one that is named, else all that are no rollups.
absl::StatusOr<std::vector<query::TableInfo>> MeantTables(query::GroupStore& store, const std::string& name) {
  const auto tables = store.Tables();
  if (!tables.ok()) return tables.status();
  std::vector<query::TableInfo> meant;
  std::vector<absl::string_view> names;
  for (const query::TableInfo& table : *tables) {
    names.push_back(table.name);
    if (name.empty() ? table.rollup_of.empty() : table.name == name) meant.push_back(table);
  }
  if (!meant.empty()) return meant;
  return absl::NotFoundError(
      names.empty() ? absl::StrCat(store.name(), " has no table yet")
                    : absl::StrCat(store.name(), " has no table ", name, "; there are ", absl::StrJoin(names, ", ")));
}

void Tell(bool quiet, absl::string_view text) {
  if (!quiet) std::fprintf(stderr, "flowacct: %s\n", std::string(text).c_str());
}

int RunExport(const StoreFlags& flags) {
  const auto targets = TargetsOf(flags);
  if (!targets.ok()) return Fail(targets.status());
  if (targets->size() != 1) return Fail(absl::InvalidArgumentError("several stores; say which by --sink and --table"));
  const auto store = targets->front().open();
  if (!store.ok()) return Fail(store.status());
  const auto tables = MeantTables(**store, targets->front().table);
  if (!tables.ok()) return Fail(tables.status());
  if (tables->size() != 1) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "several tables; say which: --table ",
        absl::StrJoin(*tables, ", or --table ",
                      [](std::string* out, const query::TableInfo& table) { absl::StrAppend(out, table.name); }))));
  }
  const query::TableInfo& table = tables->front();
  auto part = PartOf(flags, table);
  if (!part.ok()) return Fail(part.status());
  if (!table.left_out.empty()) {
    Tell(flags.quiet, absl::StrCat("not exported, as they cannot be summed: ", absl::StrJoin(table.left_out, ", ")));
  }
  FILE* const file = flags.output.empty() ? stdout : std::fopen(flags.output.c_str(), "w");
  if (file == nullptr) return Fail(absl::ErrnoToStatus(errno, absl::StrCat(flags.output, ": cannot be written")));
  collector::InterruptScope interrupt;
  Progress progress(flags.quiet || flags.output.empty(), table.name);
  collector::TableExportOptions options;
  options.format = flags.format == "json" ? collector::ExportFormat::kJson : collector::ExportFormat::kCsv;
  options.from_seconds = part->from_seconds;
  options.to_seconds = part->to_seconds;
  options.where = part->where;
  options.progress = [&progress](const collector::TableProgress& done) { progress.Show(done); };
  options.interrupted = [&interrupt] { return interrupt.requested(); };
  const auto cannot = [&flags] {
    return absl::UnavailableError(
        absl::StrCat(flags.output.empty() ? "standard output" : flags.output, ": cannot be written"));
  };
  auto done = collector::ExportTable(**store, table, options, [&](absl::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), file) == text.size() ? absl::OkStatus() : cannot();
  });
  const bool written = file == stdout ? std::fflush(file) == 0 : std::fclose(file) == 0;
  progress.Erase();
  if (!done.ok()) return Fail(done.status());
  if (!written) return Fail(cannot());
  if (!flags.output.empty()) {
    Tell(flags.quiet, absl::StrCat(table.name, ": ", done->rows, " rows of ", done->bins, " bins"));
  }
  return kDone;
}

std::string Digits(absl::uint128 number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

// The same for the same store, however its file is written.
std::string NameOfSource(const std::string& store) {
  absl::string_view path = store;
  if (!absl::ConsumePrefix(&path, "sqlite:")) return store;
  std::error_code error;
  const auto whole = std::filesystem::weakly_canonical(std::filesystem::path(std::string(path)), error);
  return error ? store : absl::StrCat("sqlite:", whole.string());
}

int CopyOne(const StoreFlags& flags, query::GroupStore& source, const query::TableInfo& table) {
  const auto part = PartOf(flags, table);
  if (!part.ok()) return Fail(part.status());
  const std::string as = flags.as.empty() ? table.name : flags.as;
  if (!table.left_out.empty()) {
    Tell(flags.quiet,
         absl::StrCat(table.name, ": not copied, as they cannot be summed: ", absl::StrJoin(table.left_out, ", ")));
  }
  sink::StoreOptions to;
  to.table = as;
  to.bin_seconds = table.bin_seconds;
  const auto sink = NewStoreSink(flags.into, to);
  if (!sink.ok()) return Fail(sink.status());
  collector::InterruptScope interrupt;
  Progress progress(flags.quiet, table.name);
  collector::TableCopyOptions options;
  options.run = collector::RunOf(flags.run.empty() ? NameOfSource(flags.store) : flags.run);
  options.from_seconds = part->from_seconds;
  options.to_seconds = part->to_seconds;
  options.progress = [&progress](const collector::TableProgress& done) { progress.Show(done); };
  options.interrupted = [&interrupt] { return interrupt.requested(); };
  const auto outcome = collector::CopyTable(
      source, table, **sink, as, [&flags] { return OpenStore(flags.into); }, options);
  progress.Erase();
  if (!outcome.ok()) return Fail(outcome.status());
  std::vector<std::string> same, others;
  for (const collector::CopiedTotal& total : outcome->totals) {
    if (total.same()) {
      same.push_back(absl::StrCat(total.name, total.in_source ? absl::StrCat(" ", Digits(total.source)) : " absent"));
    } else {
      others.push_back(absl::StrCat(total.name, " ", Digits(total.source), " is ", Digits(total.target), " there"));
    }
  }
  if (!others.empty()) {
    return Fail(absl::DataLossError(
        absl::StrCat(table.name, ": the totals differ: ", absl::StrJoin(others, ", "),
                     "; either table has rows of another origin, or rows came after their bin was copied")));
  }
  Tell(flags.quiet,
       absl::StrCat(
           table.name, ": ", outcome->done.rows, " rows of ", outcome->done.bins, " bins",
           outcome->bins_skipped == 0 ? "" : absl::StrCat(", ", outcome->bins_skipped, " of which were there already"),
           same.empty() ? "" : "; the totals are the same: ", absl::StrJoin(same, ", ")));
  return kDone;
}

int RunCopy(const StoreFlags& flags) {
  if (flags.store.empty() || flags.into.empty()) {
    return Fail(absl::InvalidArgumentError("give --store STORE and --into STORE: from where, and where to"));
  }
  if (!flags.as.empty() && flags.table.empty()) {
    return Fail(absl::InvalidArgumentError("--as: which --table gets that name?"));
  }
  const auto source = OpenStore(flags.store);
  if (!source.ok()) return Fail(source.status());
  if (NameOfSource(flags.store) == NameOfSource(flags.into) && (flags.as.empty() || flags.as == flags.table)) {
    return Fail(absl::InvalidArgumentError("--into: that is where it comes from; give another store, or --as NAME"));
  }
  const auto tables = MeantTables(**source, flags.table);
  if (!tables.ok()) return Fail(tables.status());
  for (const query::TableInfo& table : *tables) {
    if (const int exit_code = CopyOne(flags, **source, table); exit_code != kDone) return exit_code;
  }
  return kDone;
}

// --- flags
// ------------------------------------------------------------------------------------------------------------

void AddStores(CLI::App& command, StoreFlags& flags) {
  auto* config =
      command.add_option("--config", flags.config, "Of a collector: the stores of its pipelines")->type_name("FILE");
  command
      .add_option("--sink", flags.sink,
                  "Of these only the one of that PIPELINE, kind (sqlite), PIPELINE/KIND or PIPELINE/NUMBER")
      ->type_name("NAME")
      ->needs(config);
  command.add_option("--store", flags.store, absl::StrCat("A store by itself: ", StorePlaces()))
      ->type_name("STORE")
      ->excludes(config);
  command.add_option("--table", flags.table, "Which table")->type_name("NAME");
}

void AddPart(CLI::App& command, StoreFlags& flags) {
  command
      .add_option("--from", flags.from,
                  "Only bins that begin then or later: -24h, today, 2026-03-29T12:00, as in questions")
      ->type_name("TIME");
  command.add_option("--to", flags.to, "Only bins that begin before")->type_name("TIME");
  command.add_option("--in", flags.zone, "The time zone of these; UTC unless told")->type_name("ZONE");
  command.add_flag("--quiet", flags.quiet, "No progress and no summary on standard error");
}

}  // namespace

void AddStoreCommand(CLI::App& app, int& exit_code) {
  CLI::App* store =
      app.add_subcommand("store", "Makes, verifies and trims stores of accounted traffic, and moves what is in them");
  store->require_subcommand(1);
  store->footer(
      "Examples:\n"
      "  flowacct store check --config /etc/flowacct/collector.conf\n"
      "  flowacct store copy --store sqlite:flows.db --into 'postgresql:host=db.example dbname=flows'");
  auto flags = std::make_shared<StoreFlags>();
  const auto add = [&](const char* name, const char* help, int (*run)(const StoreFlags&)) {
    CLI::App* command = store->add_subcommand(name, help);
    command->callback([flags, run, &exit_code] { exit_code = run(*flags); });
    return command;
  };

  CLI::App* init = add("init", "Makes the tables that pipelines write, or says what does not fit", RunInit);
  AddStores(*init, *flags);
  init->add_option("--by", flags->by, "With --store: the keys of the table")->type_name("FIELD,...");
  init->add_option("--values", flags->values, "With --store: its values")
      ->type_name("VALUE,...")
      ->capture_default_str();
  init->add_option("--every", flags->every, "With --store: the width of its bins")->type_name("DURATION");
  init->footer(
      "A collector makes its tables itself with the first batch; so they are there before, or made by somebody who "
      "may.\n"
      "Examples:\n"
      "  flowacct store init --config /etc/flowacct/collector.conf\n"
      "  flowacct store init --store sqlite:flows.db --table flows --by src_as,dst_as --every 5m");

  CLI::App* check = add("check",
                        "Reads all rows of the tables, counts them, and says what does not fit the pipelines, with the "
                        "statement to run",
                        RunCheck);
  AddStores(*check, *flags);
  check->add_option("--format", flags->format, "table, json or csv (table unless told)")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->type_name("FORMAT");
  check->footer(
      "Exit code 1: a table cannot be read or does not fit.\nExample:\n  flowacct store check --store sqlite:flows.db");

  CLI::App* retain = add("retain", "Removes bins that are too old, now and all of them", RunRetain);
  AddStores(*retain, *flags);
  retain->add_option("--keep", flags->keep, "With --store: how long bins are kept after their end")
      ->type_name("DURATION");
  retain->footer(
      "With --config as its sinks say (keep, and of rollups). What a rollup has not summed yet stays.\n"
      "Example:\n"
      "  flowacct store retain --store sqlite:flows.db --table flows --keep 30d");

  CLI::App* export_rows = add("export", "Writes the rows of a table, each group of each bin", RunExport);
  AddStores(*export_rows, *flags);
  AddPart(*export_rows, *flags);
  export_rows->add_option("--where", flags->where, "Only groups for which this holds")->type_name("FILTER");
  export_rows->add_option("--format", flags->format, "csv or json (an object a line); csv unless told")
      ->check(CLI::IsMember({"csv", "json"}))
      ->type_name("FORMAT");
  export_rows->add_option("--output", flags->output, "A file instead of standard output")->type_name("FILE");
  export_rows->footer(
      "Example:\n"
      "  flowacct store export --store sqlite:flows.db --table flows --from yesterday --to today --output day.csv");

  CLI::App* copy = add("copy", "Copies tables into another store, each bin once however often it is tried", RunCopy);
  copy->add_option("--store", flags->store, absl::StrCat("From where: ", StorePlaces()))->type_name("STORE");
  copy->add_option("--into", flags->into, "Where to")->type_name("STORE");
  copy->add_option("--table", flags->table, "Only this one; all that are no rollups unless told")->type_name("NAME");
  copy->add_option("--as", flags->as, "What it is called there")->type_name("NAME");
  AddPart(*copy, *flags);
  copy->add_option("--run", flags->run,
                   "What this copy is known by: the same again goes on with it; --store unless told")
      ->type_name("TEXT");
  copy->footer(
      "At the end the totals of both are compared; exit code 1 if they differ. Values that cannot be summed "
      "(distinct,\n"
      "top) are not copied. Rollups are the target's own; --table copies one as a table.\n"
      "Example:\n"
      "  flowacct store copy --store sqlite:flows.db --into 'postgresql:host=db.example dbname=flows' --to today");
}

}  // namespace flowacct::tools
