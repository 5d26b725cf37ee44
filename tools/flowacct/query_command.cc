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
#include "flowacct/query/ask.h"
#include "flowacct/query/question.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/store_option.h"

namespace flowacct::tools {
namespace {

// What a table shows where nobody said how much: a screenful.
constexpr size_t kTableTop = 20;

struct QueryFlags {
  CollectorFlags collector;
  collector::MemoryQuestion question;
  std::optional<size_t> top;
  std::string since;
  std::string store;
  std::string output;
};

// The pipeline that was not named, where there is no choice.
absl::Status ChoosePipeline(collector::CollectorClient* client, std::string* pipeline) {
  const auto answer = client->Status();
  if (!answer.ok()) return answer.status();
  const std::vector<std::string> pipelines = collector::PipelinesWithMemory(answer->status);
  if (pipelines.size() != 1) return collector::NoSuchPipeline("", pipelines);
  *pipeline = pipelines[0];
  return absl::OkStatus();
}

// A question in its own language, to a store.
absl::Status AskStore(const QueryFlags& flags, int* exit_code) {
  const auto store = OpenStore(flags.store);
  if (!store.ok()) return store.status();
  const auto answer = query::Ask(flags.collector.address, **store, absl::Now());
  if (!answer.ok()) return answer.status();
  const std::string& format = flags.collector.format;
  if (!flags.output.empty()) {
    const std::string text = absl::EndsWith(flags.output, ".svg") ? answer->AsSvg()
                             : format == "json"                   ? answer->AsJsonLines()
                             : format == "csv"                    ? answer->AsCsv()
                             : format == "chart"                  ? answer->AsChart()
                                                                  : answer->AsTable();
    FILE* const file = std::fopen(flags.output.c_str(), "w");
    const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (file == nullptr || std::fclose(file) != 0 || !written) {
      return absl::ErrnoToStatus(errno, absl::StrCat(flags.output, ": cannot be written"));
    }
    return absl::OkStatus();
  }
  *exit_code = Print(format == "json"    ? answer->AsJsonLines()
                     : format == "csv"   ? answer->AsCsv()
                     : format == "chart" ? answer->AsChart()
                                         : answer->AsTable());
  return absl::OkStatus();
}

int Run(const QueryFlags& flags) {
  if (!flags.store.empty()) {
    int exit_code = 0;
    const absl::Status status = AskStore(flags, &exit_code);
    return status.ok() ? exit_code : Fail(status);
  }
  if (flags.collector.format == "chart" || !flags.output.empty()) {
    return Fail(absl::InvalidArgumentError("--format chart and --output are for questions to a store; give --store"));
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
  CLI::App* command = app.add_subcommand(
      "query", "Asks what was accounted: a store, by a question, or the memory sink of a running collector");
  AddAddress(*command, flags->collector);
  command->get_option("ADDRESS")->description(
      "Where the collector's admin listens: HOST:PORT, http://HOST:PORT or unix:PATH; with --store the question, such "
      "as "
      "'top 20 dst_as by bytes from -24h'");
  auto* store = command->add_option("--store", flags->store, StorePlaces())->type_name("STORE");
  command->add_option("--output", flags->output, "A file, with --store; one that ends in .svg gets a picture")
      ->type_name("FILE")
      ->needs(store);
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
  for (const char* name : {"--pipeline", "--by", "--where", "--top", "--order", "--since", "--reset"}) {
    command->get_option(name)->excludes(store);
  }
  AddFormat(*command, flags->collector, {"table", "json", "csv", "chart"});
  command->footer(
      "Examples:\n"
      "  flowacct query --by src_as --top 10 --order bytes\n"
      "  flowacct query 'top 5 dst_as by bps where src_port = 443 from -24h every 1h' --store sqlite:flows.db --output "
      "x.svg\n"
      "  flowacct query unix:/run/flowacct/admin.sock --pipeline as --since 1h --format csv");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace flowacct::tools
