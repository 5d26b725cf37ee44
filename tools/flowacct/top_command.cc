#include <memory>
#include <string>

#include "flowacct/collector/interrupt.h"
#include "flowacct/collector/top/top.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"

namespace flowacct::tools {
namespace {

struct TopFlags {
  CollectorFlags collector;
  collector::TopOptions top;
  std::string view = "overview";
  std::string interval = "2s";
  bool no_color = false;
};

int Run(const TopFlags& flags) {
  collector::InterruptScope interrupt;
  collector::TopOptions options = flags.top;
  const absl::StatusOr<absl::Duration> interval = ParseDuration("--interval", flags.interval);
  if (!interval.ok()) return Fail(interval.status());
  if (*interval < absl::Milliseconds(100)) {
    return Fail(absl::InvalidArgumentError("--interval: so often no rate can be told; from 100ms on"));
  }
  options.interval = *interval;
  options.color = !flags.no_color && ColorWanted();
  options.unicode = UnicodeWanted();
  options.view = flags.view == "overview" ? 0 : flags.view == "exporters" ? 1 : 2;
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return Fail(client.status());
  const absl::Status status = collector::RunTop(client->get(), options, [&interrupt] { return interrupt.requested(); });
  if (interrupt.requested()) return kInterrupted;
  return status.ok() ? kDone : Fail(status);
}

}  // namespace

void AddTopCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<TopFlags>();
  CLI::App* command = app.add_subcommand(
      "top", "Shows a running collector live: rates of inputs, pipelines, exporters and groups, losses in red");
  AddAddress(*command, flags->collector);
  command->add_option("--view", flags->view, "What is shown first: overview, exporters or groups")
      ->check(CLI::IsMember({"overview", "exporters", "groups"}))
      ->type_name("VIEW")
      ->capture_default_str();
  command->add_option("--interval", flags->interval, "How often")->type_name("DURATION")->capture_default_str();
  command->add_option("--pipeline", flags->top.question.pipeline, "Whose groups come first")->type_name("NAME");
  command->add_option("--by", flags->top.question.by, "Groups: some of the pipeline's key fields")
      ->type_name("FIELD,...");
  command->add_option("--where", flags->top.question.where, "Groups: only those for which this holds")
      ->type_name("FILTER");
  command->add_option("--top", flags->top.question.top, "Groups: how many; 0: 50")
      ->check(WholeNumber())
      ->type_name("N");
  command->add_option("--order", flags->top.question.order, "Groups: the value by which the largest come first")
      ->type_name("VALUE");
  command->add_flag("--once", flags->top.once, "One plain frame, after one interval");
  command->add_flag("--no-color", flags->no_color, "No colours; NO_COLOR in the environment says the same");
  command->footer(
      "Keys: tab, left and right or 1 to 9 change the view; up and down move; p pauses; q quits. Where standard output "
      "is\n"
      "no terminal, a plain frame is printed each interval.\n"
      "\n"
      "Examples:\n"
      "  flowacct top\n"
      "  flowacct top --once --view exporters --interval 10s");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace flowacct::tools
