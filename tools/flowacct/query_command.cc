#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/client/collector_client.h"
#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/interrupt.h"
#include "flowacct/collector/server/question_stores.h"
#include "flowacct/query/answer.h"
#include "flowacct/query/ask.h"
#include "flowacct/query/group_store.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/config_option.h"
#include "tools/flowacct/store_option.h"

namespace flowacct::tools {
namespace {

// What a table shows where nobody said how much: a screenful.
constexpr size_t kTableTop = 20;

struct QueryFlags {
  std::string what;  // a question, or the address of a collector
  CollectorFlags collector;
  collector::MemoryQuestion question;
  std::optional<size_t> top;
  std::string since;
  std::string saved;
  std::string config;
  std::string store;  // STORE
  std::string sink;   // of the configuration or the collector
  std::string output;
  bool by_flags = false;  // one that asks without a question was given
};

// What has a colon and no blank. A question that has a colon has blanks, too.
bool IsAddress(const std::string& what) {
  return absl::StartsWith(what, "unix:") || absl::StartsWith(what, "http://") || absl::StartsWith(what, "https://") ||
         (absl::StrContains(what, ':') && !absl::StrContains(what, ' '));
}

// The pipeline that was not named, where there is no choice.
absl::Status ChoosePipeline(collector::CollectorClient* client, std::string* pipeline) {
  const auto answer = client->Status();
  if (!answer.ok()) return answer.status();
  const std::vector<std::string> pipelines = collector::PipelinesWithMemory(answer->status);
  if (pipelines.size() != 1) return collector::NoSuchPipeline("", pipelines);
  *pipeline = pipelines[0];
  return absl::OkStatus();
}

// A question in its language to a store, itself.
absl::StatusOr<std::string> AskStore(const QueryFlags& flags, const query::AnswerFormat& format) {
  std::string question = flags.what;
  absl::StatusOr<std::unique_ptr<query::GroupStore>> store = nullptr;
  if (!flags.config.empty()) {
    const auto file = ReadConfigFile(flags.config);
    if (!file.ok()) return file.status();
    if (!flags.saved.empty()) {
      absl::StatusOr<std::string> saved = collector::SavedQuestionOf(file->message(), flags.saved);
      if (!saved.ok()) return saved.status();
      question = *std::move(saved);
    }
    if (flags.store.empty()) {
      const auto sink = collector::ChooseStore(file->message(), flags.sink);
      if (!sink.ok()) return sink.status();
      if (*sink == nullptr) {
        return absl::InvalidArgumentError(
            "--sink: memory is in a running collector, which is asked without --config; name a store");
      }
      store = collector::OpenStore(**sink);
    }
  }
  if (!flags.store.empty()) store = OpenStore(flags.store);
  if (!store.ok()) return store.status();
  const auto answer = query::Ask(question, **store, absl::Now());
  if (!answer.ok()) return answer.status();
  return format.text(*answer);
}

absl::StatusOr<std::string> AskCollector(const QueryFlags& flags, const query::AnswerFormat& format) {
  collector::InterruptScope interrupt;
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return client.status();
  collector::WrittenQuestion question;
  question.question = flags.what;
  question.saved = flags.saved;
  question.store = flags.sink;
  question.format = std::string(format.name);
  return (*client)->Ask(question);
}

int Write(const std::string& text, const std::string& output) {
  if (output.empty()) return Print(text);
  FILE* const file = std::fopen(output.c_str(), "w");
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr && std::fclose(file) == 0 && written) return kDone;
  return Fail(absl::ErrnoToStatus(errno, absl::StrCat(output, ": cannot be written")));
}

int RunQuestion(const QueryFlags& flags) {
  if (flags.by_flags) {
    return Fail(absl::InvalidArgumentError(
        "a question says by, where and top itself; leave out --pipeline, --by, --where, --top, --order, --since and "
        "--reset"));
  }
  if (!flags.what.empty() && !flags.saved.empty()) {
    return Fail(absl::InvalidArgumentError("--saved is a question already; leave one of them out"));
  }
  if (!flags.saved.empty() && !flags.store.empty() && flags.config.empty()) {
    return Fail(absl::InvalidArgumentError("--saved: give the --config that has it, or leave --store out"));
  }
  const auto format = query::FindAnswerFormat(absl::EndsWith(flags.output, ".svg") ? "svg" : flags.collector.format);
  if (!format.ok()) return Fail(format.status());
  const bool itself = !flags.store.empty() || !flags.config.empty();
  const auto text = itself ? AskStore(flags, **format) : AskCollector(flags, **format);
  return text.ok() ? Write(*text, flags.output) : Fail(text.status());
}

int Run(QueryFlags flags) {
  if (IsAddress(flags.what)) {
    flags.collector.address = flags.what;
    flags.what.clear();
    if (!flags.store.empty()) {
      return Fail(absl::InvalidArgumentError("--store: a store is asked without a collector; leave the ADDRESS out"));
    }
  }
  if (!flags.what.empty() || !flags.saved.empty() || !flags.store.empty() || !flags.config.empty()) {
    return RunQuestion(flags);
  }
  if (flags.collector.format == "chart" || flags.collector.format == "svg" || !flags.output.empty() ||
      !flags.sink.empty()) {
    return Fail(absl::InvalidArgumentError(
        "charts, --output and --sink are for questions; give one, such as 'top 10 dst_as by bytes'"));
  }
  collector::InterruptScope interrupt;
  collector::MemoryQuestion question = flags.question;
  question.top = flags.top.value_or(flags.collector.format == "table" ? kTableTop : 0);
  if (!flags.since.empty()) {
    const absl::StatusOr<absl::Duration> since = ParseDuration("--since", flags.since);
    if (!since.ok()) return Fail(since.status());
    question.since = *since;
  }
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return Fail(client.status());
  if (question.pipeline.empty()) {
    if (absl::Status status = ChoosePipeline(client->get(), &question.pipeline); !status.ok()) return Fail(status);
  }
  const auto answer = (*client)->Query(question);
  if (!answer.ok()) return Fail(answer.status());
  const std::string& format = flags.collector.format;
  return Print(format == "json" ? answer->AsJsonLines() : format == "csv" ? answer->AsCsv() : answer->AsTable());
}

}  // namespace

void AddQueryCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<QueryFlags>();
  CLI::App* command =
      app.add_subcommand("query", "Asks what was accounted: a running collector, its stores or a store of your own");
  command
      ->add_option("QUESTION", flags->what,
                   "Such as 'top 20 dst_as by bytes from -24h' (docs/reference/query.md); or the collector's ADDRESS, "
                   "which has a colon and no blank")
      ->type_name("");
  command
      ->add_option("--collector", flags->collector.address,
                   "Where the collector's admin listens: HOST:PORT, http://HOST:PORT or unix:PATH")
      ->type_name("ADDRESS")
      ->capture_default_str();
  command->add_option("--saved", flags->saved, "Instead of QUESTION: one that the configuration has, by its name")
      ->type_name("NAME");
  auto* sink = command
                   ->add_option("--sink", flags->sink,
                                "Whom the collector asks: memory, or a sink that is a store, by its PIPELINE, its kind "
                                "(sqlite), PIPELINE/KIND or PIPELINE/NUMBER")
                   ->type_name("NAME");
  command->add_option("--store", flags->store, absl::StrCat("Asks a store, without a collector: ", StorePlaces()))
      ->type_name("STORE")
      ->excludes(sink);
  command
      ->add_option("--config", flags->config,
                   "A configuration of a collector, without it running: its questions for --saved, and its stores "
                   "unless --store says another")
      ->type_name("FILE");
  command->add_option("--output", flags->output, "A file for the answer; one that ends in .svg gets a picture")
      ->type_name("FILE");
  command->add_option("--pipeline", flags->question.pipeline, "Which pipeline; needed if several have a memory sink")
      ->type_name("NAME");
  command
      ->add_option("--by", flags->question.by,
                   "Some of the pipeline's key fields, to sum over the others; without: all")
      ->type_name("FIELD,...");
  command->add_option("--where", flags->question.where, "Only groups for which this holds, such as 'src_as = 64496'")
      ->type_name("FILTER");
  command->add_option("--top", flags->top, "Only the largest groups; 0: all (a table shows 20 unless told)")
      ->check(WholeNumber())
      ->type_name("N");
  command->add_option("--order", flags->question.order, "The value by which the largest come first")
      ->type_name("VALUE");
  command->add_option("--since", flags->since, "Also bins that ended no longer ago; without: the open one alone")
      ->type_name("DURATION");
  command->add_flag("--reset", flags->question.reset, "Forgets closed bins that are told, so that each is told once");
  AddFormat(*command, flags->collector, {"table", "json", "csv", "chart", "svg"});
  command->footer(
      "Without a question the flags --pipeline to --reset ask the memory sink of one pipeline.\n"
      "\n"
      "Examples:\n"
      "  flowacct query 'top 5 dst_as by bps where src_port = 443 from -1h every 5m' --format chart\n"
      "  flowacct query --saved peering --sink flows/postgresql --collector unix:/run/flowacct/admin.sock\n"
      "  flowacct query 'top 20 dst_as by bytes from -24h' --store sqlite:flows.db --output x.svg\n"
      "  flowacct query unix:/run/flowacct/admin.sock --pipeline as --by src_as --top 10 --since 1h --format csv");
  command->callback([flags, command, &exit_code] {
    for (const char* name : {"--pipeline", "--by", "--where", "--top", "--order", "--since", "--reset"}) {
      flags->by_flags |= command->count(name) > 0;
    }
    exit_code = Run(*flags);
  });
}

}  // namespace flowacct::tools
