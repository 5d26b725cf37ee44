// rib: a looking glass over the routes of a running collector, or of MRT files, and over what they are validated
// against.

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/client/collector_client.h"
#include "flowacct/collector/interrupt.h"
#include "flowacct/collector/looking_glass/looking_glass.h"
#include "flowacct/collector/looking_glass/mrt_history.h"
#include "flowacct/collector/looking_glass/route_filter.h"
#include "flowacct/collector/mrt/mrt_file.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/mrt_options.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {
namespace {

using collector::QueryAnswer;

struct Flags {
  CollectorFlags collector;
  std::vector<std::string> mrt;
  collector::RoutesQuestion question;
  collector::RpkiQuestion rpki;
  collector::RouteListQuestion list;
  std::string before, after, out;
};

int Show(const absl::StatusOr<QueryAnswer>& answer, const Flags& flags, const char* nothing) {
  if (!answer.ok()) return Fail(answer.status());
  if (flags.collector.format == "json") return Print(answer->AsJsonLines());
  if (flags.collector.format == "csv") return Print(answer->AsCsv());
  return Print(answer->rows.empty() ? std::string(nothing) : answer->AsTable());
}

absl::StatusOr<QueryAnswer> Read(const absl::StatusOr<std::string>& json) {
  if (!json.ok()) return json.status();
  return QueryAnswer::FromJson(*json);
}

// The routes of --mrt; what was wrong with the files is said.
absl::StatusOr<std::shared_ptr<collector::OfflineRoutes>> Load(const std::vector<std::string>& files) {
  Terminal terminal(/*quiet=*/false);
  auto routes = LoadRoutes(files, "", terminal);
  terminal.EndProgress();
  if (!routes.ok()) return routes.status();
  for (const std::string& line : collector::RouteLoadTroubles((*routes)->loader())) {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  return routes;
}

// One question, put to the collector or to the files.
template <typename Online, typename Offline>
absl::StatusOr<QueryAnswer> Ask(const Flags& flags, Online online, Offline offline) {
  if (!flags.mrt.empty()) {
    const auto routes = Load(flags.mrt);
    if (!routes.ok()) return routes.status();
    return Read(offline((*routes)->book()));
  }
  collector::InterruptScope interrupt;
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return client.status();
  return online(**client);
}

// A question that files cannot answer.
template <typename Online>
int RunOnline(const Flags& flags, Online online, const char* nothing) {
  collector::InterruptScope interrupt;
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return Fail(client.status());
  return Show(online(**client), flags, nothing);
}

int RunRpki(const Flags& flags) {
  return RunOnline(
      flags, [&](collector::CollectorClient& client) { return client.Rpki(flags.rpki); },
      "there are neither caches nor files\n");
}

int RunPeers(const Flags& flags) {
  const auto answer = Ask(
      flags, [](collector::CollectorClient& client) { return client.Routes({}); },
      [](collector::PeerBook& book) { return absl::StatusOr<std::string>(collector::ListPeers(book)); });
  return Show(answer, flags, flags.mrt.empty() ? "no peer has connected yet\n" : "no peer told a route\n");
}

int RunLookup(const Flags& flags) {
  const auto answer = Ask(
      flags, [&](collector::CollectorClient& client) { return client.Routes(flags.question); },
      [&](collector::PeerBook& book) { return collector::LookUpRoutes(book, flags.question); });
  return Show(answer, flags, "nobody has a route to it\n");
}

int RunRoutes(const Flags& flags) {
  const auto answer = Ask(
      flags, [&](collector::CollectorClient& client) { return client.ListRoutes(flags.list); },
      [&](collector::PeerBook& book) { return collector::ListRoutes(book, flags.list); });
  return Show(answer, flags, "no such route\n");
}

// Whether a side of a comparison is a file, there or not: else it is a collector's address.
bool NamesFile(const std::string& name) {
  if (name == "-" || access(name.c_str(), F_OK) == 0) return true;
  if (absl::StrContains(name, "://") || absl::StartsWith(name, "unix:")) return false;
  if (absl::StrContains(name, '/')) return true;
  for (const char* suffix : {".mrt", ".gz", ".zst", ".bz2"}) {
    if (absl::EndsWith(name, suffix)) return true;
  }
  return false;
}

absl::StatusOr<std::shared_ptr<collector::OfflineRoutes>> LoadSide(const std::string& name, const std::string& peer) {
  if (NamesFile(name)) return Load({name});
  collector::InterruptScope interrupt;
  CollectorFlags address;
  address.address = name;
  const auto client = NewClient(address, interrupt);
  if (!client.ok()) return client.status();
  auto dump = (*client)->DumpRoutes(peer);
  if (!dump.ok()) return dump.status();
  return collector::OfflineRoutes::LoadOctets(*std::move(dump), name);
}

int RunDiff(const Flags& flags) {
  const auto before = LoadSide(flags.before, flags.list.peer);
  if (!before.ok()) return Fail(before.status());
  const auto after = LoadSide(flags.after, flags.list.peer);
  if (!after.ok()) return Fail(after.status());
  const auto differences = collector::CompareRoutes((*before)->book(), (*after)->book(), flags.list);
  if (!differences.ok()) return Fail(differences.status());
  const int code = Show(QueryAnswer::FromJson(differences->json), flags, "no difference\n");
  for (const std::string& line : differences->summary) std::fprintf(stderr, "%s\n", line.c_str());
  return code;
}

absl::StatusOr<std::string> ReadHistory(const Flags& flags) {
  auto filter = collector::RouteFilter::Of(flags.list);
  if (!filter.ok()) return filter.status();
  collector::MrtHistory history(*std::move(filter), flags.list.limit);
  Terminal terminal(/*quiet=*/false);
  uint64_t blocks = 0;
  for (const std::string& path : flags.mrt) {
    auto file = collector::MrtFile::Open(path, [&terminal] { return terminal.Interrupted(); });
    if (!file.ok()) return file.status();
    for (;;) {
      const auto block = (*file)->Next();
      if (!block.ok()) return block.status();
      if (block->empty()) break;
      history.Read(*block);
      if (terminal.Interrupted()) return absl::CancelledError("interrupted");
      terminal.ShowProgress({(*file)->octets_read(), (*file)->octets_total(), ++blocks, "blocks"});
    }
    history.EndFile();
  }
  terminal.EndProgress();
  return std::move(history).Finish();
}

int RunDump(const Flags& flags) {
  collector::InterruptScope interrupt;
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return Fail(client.status());
  const auto dump = (*client)->DumpRoutes(flags.list.peer);
  if (!dump.ok()) return Fail(dump.status());
  if (flags.out == "-") return Print(*dump);
  const std::string part = flags.out + ".partial";
  FILE* file = std::fopen(part.c_str(), "wb");
  const bool written = file != nullptr && std::fwrite(dump->data(), 1, dump->size(), file) == dump->size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (written && closed && std::rename(part.c_str(), flags.out.c_str()) == 0) return kDone;
  const absl::Status failure = absl::ErrnoToStatus(errno, absl::StrCat(flags.out, ": cannot be written"));
  std::remove(part.c_str());
  return Fail(failure);
}

CLI::Option* AddMrt(CLI::App& command, Flags& flags) {
  return command
      .add_option("--mrt", flags.mrt,
                  "Asks MRT files instead of a collector: tables, and updates behind them; may be given several times")
      ->type_name("FILE")
      ->take_all()
      ->allow_extra_args(false);
}

// Those that a history of a collector does not have.
std::vector<CLI::Option*> AddFilter(CLI::App& command, Flags& flags, bool with_prefix) {
  command.add_option("--peer", flags.list.peer, "Only what this peer told: its address or BGP identifier")
      ->type_name("IP");
  if (with_prefix) {
    command.add_option("--prefix", flags.list.prefix, "Only this prefix, such as 198.51.100.0/24")->type_name("PREFIX");
  }
  std::vector<CLI::Option*> filters = {
      command.add_flag("--longer", flags.list.longer, "And all prefixes within it"),
      command.add_option("--origin-as", flags.list.origin_as, "Only routes whose path ends in this AS")
          ->type_name("AS"),
      command.add_option("--as", flags.list.as, "Only routes with this AS in their path")->type_name("AS"),
      command
          .add_option("--community", flags.list.community,
                      "Only routes with it: 64496:100, 64496:*, no-export, rt:64496:100, 4200000000:1:*")
          ->type_name("COMMUNITY"),
      command.add_option("--rd", flags.list.rd, "Only routes of this VRF, by its route distinguisher, such as 64500:1")
          ->type_name("RD")};
  command.add_option("--limit", flags.list.limit, "Rows at most; 0: all (of a collector 100,000)")
      ->type_name("N")
      ->check(WholeNumber())
      ->capture_default_str();
  return filters;
}

// Of a collector what was said lately, the newest first; of MRT files all, in time.
int RunHistory(const Flags& flags) {
  constexpr char kNothing[] = "nobody said anything of it\n";
  if (!flags.mrt.empty()) return Show(Read(ReadHistory(flags)), flags, kNothing);
  collector::HistoryQuestion question;
  question.prefix = flags.list.prefix;
  question.peer = flags.list.peer;
  question.limit = flags.list.limit;
  return RunOnline(
      flags, [&](collector::CollectorClient& client) { return client.History(question); }, kNothing);
}

}  // namespace

void AddRibCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* rib =
      app.add_subcommand("rib", "Looks into the routes of a running collector, or of MRT files, and what RPKI says");
  rib->require_subcommand(1);
  rib->footer(
      "Examples:\n"
      "  flowacct rib lookup 198.51.100.7\n"
      "  flowacct rib routes --mrt rib.gz --origin-as 64500");

  CLI::App* peers = rib->add_subcommand("peers", "Lists the peers: their sessions, and how many routes they told");
  AddAddress(*peers, flags->collector);
  AddMrt(*peers, *flags);
  AddFormat(*peers, flags->collector, {"table", "json", "csv"});
  peers->footer("Examples:\n  flowacct rib peers 127.0.0.1:2112\n  flowacct rib peers --mrt rib.gz");
  peers->callback([flags, &exit_code] { exit_code = RunPeers(*flags); });

  CLI::App* routers = rib->add_subcommand("routers", "Lists the routers that are connected by BMP, and what they tell");
  AddAddress(*routers, flags->collector);
  AddFormat(*routers, flags->collector, {"table", "json", "csv"});
  routers->footer("Example:\n  flowacct rib routers 127.0.0.1:2112");
  routers->callback([flags, &exit_code] {
    flags->question.routers = true;
    exit_code = RunOnline(
        *flags, [&](collector::CollectorClient& client) { return client.Routes(flags->question); },
        "no router has connected yet\n");
  });

  CLI::App* lookup = rib->add_subcommand("lookup", "Tells each peer's longest prefix that holds an address");
  lookup->add_option("IP", flags->question.address, "The address that is looked up")->required();
  AddAddress(*lookup, flags->collector);
  AddMrt(*lookup, *flags);
  lookup->add_option("--exporter", flags->question.exporter, "Only the routes of this peer: its address or router id")
      ->type_name("IP");
  lookup->add_option("--rd", flags->question.rd, "In this VRF, by its route distinguisher, such as 64500:1")
      ->type_name("RD");
  AddFormat(*lookup, flags->collector, {"table", "json", "csv"});
  lookup->footer(
      "Examples:\n  flowacct rib lookup 198.51.100.7 --exporter 192.0.2.1\n"
      "  flowacct rib lookup 198.51.100.7 --mrt rib.gz --mrt updates.gz");
  lookup->callback([flags, &exit_code] { exit_code = RunLookup(*flags); });

  CLI::App* routes = rib->add_subcommand("routes", "Lists routes, by peer, prefix, AS and community");
  AddAddress(*routes, flags->collector);
  AddMrt(*routes, *flags);
  AddFilter(*routes, *flags, /*with_prefix=*/true);
  AddFormat(*routes, flags->collector, {"table", "json", "csv"});
  routes->footer(
      "Examples:\n  flowacct rib routes --prefix 198.51.0.0/16 --longer\n"
      "  flowacct rib routes --mrt rib.gz --as 64500 --format csv --limit 0");
  routes->callback([flags, &exit_code] { exit_code = RunRoutes(*flags); });

  CLI::App* diff = rib->add_subcommand("diff", "Compares the routes of two MRT files, or of a file and a collector");
  diff->add_option("BEFORE", flags->before, "MRT file, or a collector's address")->required()->type_name("");
  diff->add_option("AFTER", flags->after, "MRT file, or a collector's address")->required()->type_name("");
  AddFilter(*diff, *flags, /*with_prefix=*/true);
  AddFormat(*diff, flags->collector, {"table", "json", "csv"});
  diff->footer("Examples:\n  flowacct rib diff monday.mrt tuesday.mrt\n  flowacct rib diff monday.mrt 127.0.0.1:2112");
  diff->callback([flags, &exit_code] { exit_code = RunDiff(*flags); });

  CLI::App* history = rib->add_subcommand("history", "Tells what each peer said of a prefix: lately, or in MRT files");
  history
      ->add_option("PREFIX", flags->list.prefix,
                   "Such as 198.51.100.0/24; of a collector also those within it, or an address")
      ->required()
      ->type_name("");
  AddAddress(*history, flags->collector);
  CLI::Option* const mrt = AddMrt(*history, *flags);
  for (CLI::Option* option : AddFilter(*history, *flags, /*with_prefix=*/false)) option->needs(mrt);
  AddFormat(*history, flags->collector, {"table", "json", "csv"});
  history->footer(
      "Examples:\n  flowacct rib history 198.51.100.0/24 --peer 192.0.2.1\n"
      "  flowacct rib history 198.51.100.0/24 --mrt rib.gz --mrt updates.gz");
  history->callback([flags, &exit_code] { exit_code = RunHistory(*flags); });

  CLI::App* dump = rib->add_subcommand("dump", "Writes the routes of a running collector as an MRT file");
  AddAddress(*dump, flags->collector);
  dump->add_option("--out", flags->out, "Where to; - is standard output")->required()->type_name("FILE");
  dump->add_option("--peer", flags->list.peer, "Only what this peer told: its address or BGP identifier")
      ->type_name("IP");
  dump->footer("Example:\n  flowacct rib dump 127.0.0.1:2112 --out rib.mrt");
  dump->callback([flags, &exit_code] { exit_code = RunDump(*flags); });

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
