// status, exporters, templates and reload: one question to a running collector each.

#include <memory>
#include <string>

#include "flowacct/collector/client/collector_client.h"
#include "flowacct/collector/client/report_text.h"
#include "flowacct/collector/interrupt.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"

namespace flowacct::tools {
namespace {

struct Flags {
  CollectorFlags collector;
  std::string exporter;
};

// Asks with `ask`, which returns the exit code.
template <typename Ask>
int WithClient(const Flags& flags, const Ask& ask) {
  collector::InterruptScope interrupt;
  const auto client = NewClient(flags.collector, interrupt);
  return client.ok() ? ask(client->get()) : Fail(client.status());
}

int RunStatus(const Flags& flags) {
  return WithClient(flags, [&flags](collector::CollectorClient* client) {
    const auto answer = client->Status();
    if (!answer.ok()) return Fail(answer.status());
    if (flags.collector.format == "json") return Print(answer->json);
    return Print(collector::StatusAsText(answer->status, answer->process, ColorWanted()));
  });
}

int RunExporters(const Flags& flags, bool templates) {
  return WithClient(flags, [&flags, templates](collector::CollectorClient* client) {
    const bool json = flags.collector.format == "json";
    const auto answer = client->Exporters(flags.exporter, templates);
    if (!answer.ok()) return Fail(answer.status());
    if (json) return Print(answer->json);
    return Print(templates ? collector::TemplatesAsText(answer->exporters)
                           : collector::ExportersAsText(answer->exporters, ColorWanted()));
  });
}

int RunReload(const Flags& flags) {
  return WithClient(flags, [](collector::CollectorClient* client) {
    const absl::Status status = client->Reload();
    return status.ok() ? Print("the collector runs by its configuration as it is now\n") : Fail(status);
  });
}

void AddExporter(CLI::App& command, Flags& flags) {
  command.add_option("--exporter", flags.exporter, "Only of this exporter")->type_name("IP");
}

}  // namespace

void AddCollectorCommands(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* status = app.add_subcommand(
      "status", "Tells how a running collector is: inputs, pipelines, sinks, losses, and whether its books balance");
  AddAddress(*status, flags->collector);
  AddFormat(*status, flags->collector, {"text", "json"});
  status->footer("Example:\n  flowacct status 127.0.0.1:2112");
  status->callback([flags, &exit_code] { exit_code = RunStatus(*flags); });

  CLI::App* exporters =
      app.add_subcommand("exporters", "Lists the exporters that a running collector hears, with what was lost of them");
  AddAddress(*exporters, flags->collector);
  AddExporter(*exporters, *flags);
  AddFormat(*exporters, flags->collector, {"text", "json"});
  exporters->footer("Example:\n  flowacct exporters --format json | jq '.exporters[] | select(.coverage < 1)'");
  exporters->callback([flags, &exit_code] { exit_code = RunExporters(*flags, /*templates=*/false); });

  CLI::App* templates =
      app.add_subcommand("templates", "Lists the templates and sampling rates that exporters told a running collector");
  AddAddress(*templates, flags->collector);
  AddExporter(*templates, *flags);
  AddFormat(*templates, flags->collector, {"text", "json"});
  templates->footer("Example:\n  flowacct templates --exporter 192.0.2.1");
  templates->callback([flags, &exit_code] { exit_code = RunExporters(*flags, /*templates=*/true); });

  CLI::App* reload = app.add_subcommand(
      "reload", "Makes a running collector read its configuration again; one with an error changes nothing");
  AddAddress(*reload, flags->collector);
  reload->footer("Example:\n  flowacct reload unix:/run/flowacct/admin.sock");
  reload->callback([flags, &exit_code] { exit_code = RunReload(*flags); });
}

}  // namespace flowacct::tools
