// rib: a looking glass over the routes of a running collector, and over what they are validated against.

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
  collector::RpkiQuestion rpki;
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
  return Print(flags.question.routers           ? "no router has connected yet\n"
               : flags.question.address.empty() ? "no peer has connected yet\n"
                                                : "nobody has a route to it\n");
}

int RunRpki(const Flags& flags) {
  collector::InterruptScope interrupt;
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return Fail(client.status());
  const auto answer = (*client)->Rpki(flags.rpki);
  if (!answer.ok()) return Fail(answer.status());
  if (flags.collector.format == "json") return Print(answer->AsJsonLines());
  if (flags.collector.format == "csv") return Print(answer->AsCsv());
  return Print(answer->AsTable());
}

}  // namespace

void AddRibCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* rib = app.add_subcommand(
      "rib", "Looks into the routes that a running collector has of its BGP peers, and what RPKI says");
  rib->require_subcommand(1);

  CLI::App* peers = rib->add_subcommand("peers", "Lists the peers: their sessions, and how many routes they told");
  AddAddress(*peers, flags->collector);
  AddFormat(*peers, flags->collector, {"table", "json", "csv"});
  peers->footer("Example:\n  flowacct rib peers 127.0.0.1:2112");
  peers->callback([flags, &exit_code] { exit_code = RunRib(*flags); });

  CLI::App* routers = rib->add_subcommand("routers", "Lists the routers that are connected by BMP, and what they tell");
  AddAddress(*routers, flags->collector);
  AddFormat(*routers, flags->collector, {"table", "json", "csv"});
  routers->footer("Example:\n  flowacct rib routers 127.0.0.1:2112");
  routers->callback([flags, &exit_code] {
    flags->question.routers = true;
    exit_code = RunRib(*flags);
  });

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

  CLI::App* rpki = rib->add_subcommand("rpki", "Lists the caches and files that routes are validated against");
  AddAddress(*rpki, flags->collector);
  AddFormat(*rpki, flags->collector, {"table", "json", "csv"});
  rpki->footer("Example:\n  flowacct rib rpki 127.0.0.1:2112");
  rpki->callback([flags, &exit_code] { exit_code = RunRpki(*flags); });

  CLI::App* validate =
      rib->add_subcommand("validate", "Says whether an AS may originate a prefix (RFC 6811), and which VRPs cover it");
  validate->add_option("PREFIX", flags->rpki.prefix, "The prefix of the route")->required();
  validate->add_option("AS", flags->rpki.as, "Its origin; 0 for a path that ends in a set")->required();
  AddAddress(*validate, flags->collector);
  AddFormat(*validate, flags->collector, {"table", "json", "csv"});
  validate->footer("Example:\n  flowacct rib validate 192.0.2.0/24 64500");
  validate->callback([flags, &exit_code] { exit_code = RunRpki(*flags); });
}

}  // namespace flowacct::tools
