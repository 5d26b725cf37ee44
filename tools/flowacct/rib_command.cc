// rib: a looking glass over the routes of a running collector.

#include <memory>
#include <string>

#include "flowacct/collector/client/collector_client.h"
#include "flowacct/collector/interrupt.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"

namespace flowacct::tools {
namespace {

struct Flags {
  CollectorFlags collector;
  collector::RoutesQuestion question;
};

int RunRib(const Flags& flags) {
  collector::InterruptScope interrupt;
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return Fail(client.status());
  const auto answer = (*client)->Routes(flags.question);
  if (!answer.ok()) return Fail(answer.status());
  if (flags.collector.format == "json") return Print(answer->AsJsonLines());
  if (flags.collector.format == "csv") return Print(answer->AsCsv());
  if (!answer->rows.empty()) return Print(answer->AsTable());
  return Print(flags.question.address.empty() ? "no peer has connected yet\n" : "nobody has a route to it\n");
}

struct HistoryFlags {
  CollectorFlags collector;
  collector::HistoryQuestion question;
};

int RunHistory(const HistoryFlags& flags) {
  collector::InterruptScope interrupt;
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return Fail(client.status());
  const auto answer = (*client)->History(flags.question);
  if (!answer.ok()) return Fail(answer.status());
  if (flags.collector.format == "json") return Print(answer->AsJsonLines());
  if (flags.collector.format == "csv") return Print(answer->AsCsv());
  return Print(answer->rows.empty() ? "nobody has said anything of it lately\n" : answer->AsTable());
}

}  // namespace

void AddRibCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* rib = app.add_subcommand("rib", "Looks into the routes that a running collector has of its BGP peers");
  rib->require_subcommand(1);

  CLI::App* peers = rib->add_subcommand("peers", "Lists the peers: their sessions, and how many routes they told");
  AddAddress(*peers, flags->collector);
  AddFormat(*peers, flags->collector, {"table", "json", "csv"});
  peers->footer("Example:\n  flowacct rib peers 127.0.0.1:2112");
  peers->callback([flags, &exit_code] { exit_code = RunRib(*flags); });

  CLI::App* lookup = rib->add_subcommand("lookup", "Tells each peer's longest prefix that holds an address");
  lookup->add_option("IP", flags->question.address, "The address that is looked up")->required();
  AddAddress(*lookup, flags->collector);
  lookup->add_option("--exporter", flags->question.exporter, "Only the routes of this peer: its address or router id")
      ->type_name("IP");
  lookup->add_option("--rd", flags->question.rd, "In this VRF, by its route distinguisher, such as 64500:1")
      ->type_name("RD");
  AddFormat(*lookup, flags->collector, {"table", "json", "csv"});
  lookup->footer("Example:\n  flowacct rib lookup 198.51.100.7 --exporter 192.0.2.1");
  lookup->callback([flags, &exit_code] { exit_code = RunRib(*flags); });

  auto past = std::make_shared<HistoryFlags>();
  CLI::App* history =
      rib->add_subcommand("history", "Tells what peers announced and withdrew lately, the newest first");
  history
      ->add_option("PREFIX", past->question.prefix,
                   "This prefix and those within it, or an address and the prefixes that hold it")
      ->required();
  AddAddress(*history, past->collector);
  history->add_option("--peer", past->question.peer, "Only what this peer said: its address or router id")
      ->type_name("IP");
  history->add_option("--limit", past->question.limit, "Rows at most")->capture_default_str();
  AddFormat(*history, past->collector, {"table", "json", "csv"});
  history->footer("Example:\n  flowacct rib history 198.51.100.0/24 --peer 192.0.2.1");
  history->callback([past, &exit_code] { exit_code = RunHistory(*past); });
}

}  // namespace flowacct::tools
