// igp: looks into the inside of a network: its routers, links, prefixes and ways, and the traffic on them.

#include "tools/flowacct/igp_command.h"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/igp/igp_demands.h"
#include "flowacct/collector/igp/igp_files.h"
#include "flowacct/collector/igp/igp_glass.h"
#include "flowacct/collector/igp/igp_neighbors.h"
#include "flowacct/collector/interrupt.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/topology/topology_file.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {
namespace {

using collector::IgpDemands;
using collector::IgpFiles;
using collector::IgpGlass;
using collector::IgpQuestion;
using collector::QueryAnswer;

struct Flags {
  std::vector<std::string> files, before_files;
  CollectorFlags output;  // format; address if there is `collector`
  std::string collector;  // whom to ask instead of files; empty: nobody
  std::string pipeline, bins = "0s";
  collector::IgpPlane plane;
  std::string from, to, prefix, at, since;
  std::string traffic, label, capacity, duration = "5m", svg, title;
  std::vector<std::string> failures;
  double threshold = 100;
  size_t limit = 0;
};

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in.is_open() || in.bad()) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read; is the name right, and may you read it?"));
  }
  return text;
}

absl::StatusOr<std::unique_ptr<IgpFiles>> Load(const std::vector<std::string>& files) {
  Terminal terminal(/*quiet=*/false);
  collector::IgpFilesOptions options;
  options.files = files;
  options.interrupted = [&terminal] { return terminal.Interrupted(); };
  options.progress = [&terminal](const collector::CaptureReader& reader) { terminal.ShowProgress(reader); };
  auto igp = IgpFiles::Load(std::move(options));
  terminal.EndProgress();
  if (!igp.ok()) return igp.status();
  for (const std::string& line : (*igp)->summary()) std::fprintf(stderr, "%s\n", line.c_str());
  return igp;
}

absl::StatusOr<topology::TopologyState> StateOf(const IgpFiles& igp, const std::string& option, const std::string& at) {
  if (at.empty()) return igp.database().State();
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, at, &time, &error)) {
    return absl::InvalidArgumentError(absl::StrCat(option, " ", at, ": is no time; write 2026-03-01T12:00:00Z"));
  }
  auto state = igp.database().StateAt(absl::ToUnixNanos(time));
  if (!state) return absl::InvalidArgumentError(absl::StrCat(option, " ", at, ": is before what the history has"));
  return *std::move(state);
}

int Show(const absl::StatusOr<std::string>& json, const Flags& flags, const char* nothing) {
  if (!json.ok()) return Fail(json.status());
  const auto answer = QueryAnswer::FromJson(*json);
  if (!answer.ok()) return Fail(answer.status());
  for (const std::string& line : answer->report) std::fprintf(stderr, "%s\n", line.c_str());
  if (flags.output.format == "json") return Print(answer->AsJsonLines());
  if (flags.output.format == "csv") return Print(answer->AsCsv());
  return Print(answer->rows.empty() ? std::string(nothing) : answer->AsTable());
}

absl::StatusOr<std::string> AskCollector(const Flags& flags, const IgpQuestion& question) {
  collector::InterruptScope interrupt;
  CollectorFlags address = flags.output;
  address.address = flags.collector;
  const auto client = NewClient(address, interrupt);
  if (!client.ok()) return client.status();
  return (*client)->Igp(question);
}

IgpQuestion QuestionOf(const Flags& flags, IgpQuestion::Of of) {
  IgpQuestion question;
  question.of = of;
  question.router = flags.from;
  question.to = flags.to;
  question.prefix = flags.prefix;
  question.level = flags.plane.level;
  question.topology = flags.plane.topology;
  question.at = flags.at;
  question.since = flags.since;
  question.pipeline = flags.pipeline;
  question.label = flags.label;
  question.failures = flags.failures;
  question.threshold = flags.threshold / 100;
  question.limit = flags.limit;
  return question;
}

// The topology that is asked for: of files, or of a collector.
absl::StatusOr<std::unique_ptr<IgpGlass>> Glass(const Flags& flags) {
  if (!flags.collector.empty()) {
    const auto text = AskCollector(flags, QuestionOf(flags, IgpQuestion::Of::kTopology));
    if (!text.ok()) return text.status();
    auto file = topology::ParseTopologyFile(*text, flags.collector);
    if (!file.ok()) return file.status();
    std::vector<topology::TopologyState::Pointer> advertisements;
    for (topology::Advertisement& advertisement : file->advertisements) {
      advertisements.push_back(std::make_shared<const topology::Advertisement>(std::move(advertisement)));
    }
    return std::make_unique<IgpGlass>(topology::TopologyState(file->style, std::move(advertisements)),
                                      std::move(file->groups));
  }
  const auto igp = Load(flags.files);
  if (!igp.ok()) return igp.status();
  auto state = StateOf(**igp, "--at", flags.at);
  if (!state.ok()) return state.status();
  return std::make_unique<IgpGlass>(*std::move(state), (*igp)->groups());
}

// Whom to ask: files, or a collector.
absl::Status CheckSource(const Flags& flags) {
  if (flags.collector.empty() == flags.files.empty()) {
    return absl::InvalidArgumentError("give --from FILE, or --collector ADDRESS: whom to ask");
  }
  if (!flags.pipeline.empty() && flags.collector.empty()) {
    return absl::InvalidArgumentError("--pipeline is of a collector; give --collector ADDRESS");
  }
  if (!flags.pipeline.empty() && !flags.traffic.empty()) {
    return absl::InvalidArgumentError("--pipeline and --traffic exclude one another; give one of them");
  }
  if (!flags.pipeline.empty() && !flags.capacity.empty()) {
    return absl::InvalidArgumentError("--capacity goes with --traffic, not with --pipeline");
  }
  return absl::OkStatus();
}

absl::StatusOr<IgpQuestion> WholeQuestion(const Flags& flags, IgpQuestion::Of of) {
  IgpQuestion question = QuestionOf(flags, of);
  if (flags.pipeline.empty() || flags.bins == "0s") return question;
  const auto bins = ParseDuration("--bins", flags.bins);
  if (!bins.ok()) return bins.status();
  question.bins = *bins;
  return question;
}

// Answers with what `ask` makes of the topology, or what a collector says to that question.
template <typename Ask>
int Answer(const Flags& flags, const char* nothing, IgpQuestion::Of of, Ask ask) {
  if (const absl::Status status = CheckSource(flags); !status.ok()) return Fail(status);
  // With traffic of its own it is this program that lays it.
  if (!flags.collector.empty() && flags.traffic.empty()) {
    const auto question = WholeQuestion(flags, of);
    if (!question.ok()) return Fail(question.status());
    return Show(AskCollector(flags, *question), flags, nothing);
  }
  auto glass = Glass(flags);
  if (!glass.ok()) return Fail(glass.status());
  return Show(ask(**glass), flags, nothing);
}

absl::StatusOr<IgpDemands> Demands(const Flags& flags) {
  const auto text = ReadWhole(flags.traffic);
  if (!text.ok()) return text.status();
  collector::IgpDemandsOptions options;
  options.label = flags.label;
  return collector::ParseIgpDemands(flags.traffic == "-" ? "standard input" : flags.traffic, *text, options);
}

absl::StatusOr<collector::IgpLoadOptions> LoadOptions(const Flags& flags) {
  collector::IgpLoadOptions options;
  options.plane = flags.plane;
  options.threshold = flags.threshold / 100;
  options.limit = flags.limit;
  const auto duration = ParseDuration("--during", flags.duration);
  if (!duration.ok()) return duration.status();
  options.seconds = absl::ToDoubleSeconds(*duration);
  if (flags.capacity.empty()) return options;
  const auto text = ReadWhole(flags.capacity);
  if (!text.ok()) return text.status();
  options.capacities = *text;
  options.capacities_name = flags.capacity;
  return options;
}

// Of traffic and whatif: what is asked, and what became of all octets on standard error.
template <typename Ask>
int AnswerWithTraffic(const Flags& flags, const char* nothing, IgpQuestion::Of of, Ask ask) {
  if (!flags.pipeline.empty()) {
    return Answer(flags, nothing, of, [](IgpGlass&) { return absl::StatusOr<std::string>(); });
  }
  if (flags.traffic.empty()) return Fail(absl::InvalidArgumentError("give --traffic FILE, or --pipeline NAME"));
  const auto demands = Demands(flags);
  if (!demands.ok()) return Fail(demands.status());
  const auto options = LoadOptions(flags);
  if (!options.ok()) return Fail(options.status());
  std::vector<std::string> report;
  const int code = Answer(flags, nothing, of, [&](IgpGlass& glass) { return ask(glass, *demands, *options, &report); });
  for (const std::string& line : report) std::fprintf(stderr, "%s\n", line.c_str());
  return code;
}

int Draw(const Flags& flags) {
  if (const absl::Status status = CheckSource(flags); !status.ok()) return Fail(status);
  absl::StatusOr<std::string> svg;
  if (!flags.pipeline.empty()) {
    const auto question = WholeQuestion(flags, IgpQuestion::Of::kDraw);
    if (!question.ok()) return Fail(question.status());
    svg = AskCollector(flags, *question);
  } else {
    const auto glass = Glass(flags);
    if (!glass.ok()) return Fail(glass.status());
    const auto options = LoadOptions(flags);
    if (!options.ok()) return Fail(options.status());
    if (flags.traffic.empty()) {
      svg = (*glass)->Draw(nullptr, flags.failures, *options, flags.title);
    } else {
      const auto demands = Demands(flags);
      if (!demands.ok()) return Fail(demands.status());
      svg = (*glass)->Draw(&*demands, flags.failures, *options, flags.title);
    }
  }
  if (!svg.ok()) return Fail(svg.status());
  if (flags.svg == "-") return Print(*svg);
  std::ofstream out(flags.svg, std::ios::binary);
  out << *svg;
  out.close();
  if (out) return kDone;
  return Fail(
      absl::UnavailableError(absl::StrCat(flags.svg, ": cannot be written; is there such a folder, and room?")));
}

void AddFrom(CLI::App& command, std::vector<std::string>& files) {
  command
      .add_option("--from", files,
                  "A capture with IS-IS, a topology file, pmacct's igp_daemon_map, or MRT with BGP-LS; may be given "
                  "several times")
      ->type_name("FILE")
      ->take_all()
      ->allow_extra_args(false);
}

void AddSource(CLI::App& command, Flags& flags) {
  AddFrom(command, flags.files);
  command
      .add_option("--collector", flags.collector,
                  "Asks a running collector instead of files: HOST:PORT, http://HOST:PORT or unix:PATH")
      ->type_name("ADDRESS")
      ->excludes("--from");
}

void AddPlane(CLI::App& command, Flags& flags) {
  command.add_option("--level", flags.plane.level, "Of IS-IS; unless it is said 2 if that has routers, else 1")
      ->type_name("N")
      ->check(CLI::IsMember({1, 2}));
  command.add_option("--topology", flags.plane.topology, "0 the standard one, 2 that of IPv6 (RFC 5120)")
      ->type_name("N")
      ->check(CLI::IsMember({0, 2}))
      ->capture_default_str();
}

CLI::App* AddQuestion(CLI::App& igp, Flags& flags, const char* name, const char* help) {
  CLI::App* command = igp.add_subcommand(name, help);
  AddSource(*command, flags);
  command->add_option("--at", flags.at, "As it was then, of a collector, a capture or MRT: 2026-03-01T12:00:00Z")
      ->type_name("TIME");
  AddFormat(*command, flags.output, {"table", "json", "csv"});
  return command;
}

void AddLoad(CLI::App& command, Flags& flags) {
  command
      .add_option("--traffic", flags.traffic,
                  "CSV with columns exporter (or from), dst_addr (dst_net, bgp_next_hop, to) and "
                  "bytes; '-' is standard input")
      ->type_name("FILE");
  command
      .add_option("--pipeline", flags.pipeline,
                  "Instead, of a collector: the bins of this pipeline, which has such columns and a memory sink")
      ->type_name("NAME");
  command
      .add_option("--bins", flags.bins, "Of the pipeline: the bins that ended no longer ago; 0s: the open one alone")
      ->type_name("DURATION")
      ->capture_default_str();
  command.add_option("--capacity", flags.capacity, "Lines of a link and its capacity: ams1-fra1 100G")
      ->type_name("FILE");
  command.add_option("--during", flags.duration, "The time in which the traffic was counted")
      ->type_name("DURATION")
      ->capture_default_str();
}

void AddLimit(CLI::App& command, Flags& flags) {
  command.add_option("--limit", flags.limit, "Rows at most; 0: all")
      ->type_name("N")
      ->check(WholeNumber())
      ->capture_default_str();
}

void AddFail(CLI::App& command, Flags& flags, bool required) {
  CLI::Option* fail =
      command
          .add_option(
              "--fail", flags.failures,
              "What fails: a link A-B (or A-B@ADDRESS of several), a router, or a group of the topology file; may "
              "be given several times")
          ->type_name("WHAT")
          ->take_all()
          ->allow_extra_args(false);
  if (required) fail->required();
}

}  // namespace

void AddIgpCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* igp = app.add_subcommand(
      "igp", "Looks into the inside of a network: routers, links, ways, alternates, and the traffic on them");
  igp->require_subcommand(1);
  igp->footer(
      "Examples:\n"
      "  flowacct igp lsdb --from isis.pcap\n"
      "  flowacct igp path ams1 198.51.100.7 --from network.topology\n"
      "  flowacct replay flows.pcap --by exporter,dst_addr --sum bytes --format csv --quiet |\n"
      "    flowacct igp whatif --from isis.pcap --traffic - --fail ams1-fra1");

  CLI::App* neighbors =
      AddQuestion(*igp, *flags, "neighbors", "Lists a collector's adjacencies, or who says hello in a capture");
  neighbors->footer(
      "Examples:\n  flowacct igp neighbors --collector 127.0.0.1:2112\n  flowacct igp neighbors --from isis.pcap");
  neighbors->callback([flags, &exit_code] {
    if (const absl::Status status = CheckSource(*flags); !status.ok() || !flags->collector.empty()) {
      exit_code = status.ok() ? Show(AskCollector(*flags, QuestionOf(*flags, IgpQuestion::Of::kNeighbors)), *flags,
                                     "there are no neighbors\n")
                              : Fail(status);
      return;
    }
    const auto files = Load(flags->files);
    exit_code =
        files.ok() ? Show(collector::NeighborRows(**files), *flags, "no hello was seen\n") : Fail(files.status());
  });

  CLI::App* lsdb =
      AddQuestion(*igp, *flags, "lsdb", "Lists what routers advertise; of one router every link and prefix");
  lsdb->add_option("ROUTER", flags->from, "A host name, an identifier or an address");
  lsdb->add_option("--level", flags->plane.level, "Only of this one")->type_name("N")->check(CLI::IsMember({1, 2}));
  lsdb->footer("Examples:\n  flowacct igp lsdb --from isis.pcap\n  flowacct igp lsdb ams1 --from isis.pcap --level 2");
  lsdb->callback([flags, &exit_code] {
    exit_code = Answer(*flags, "nothing is advertised\n", IgpQuestion::Of::kDatabase,
                       [&](IgpGlass& glass) { return glass.Database(flags->from, flags->plane); });
  });

  CLI::App* routes = AddQuestion(*igp, *flags, "routes", "Lists the routes that a router has by the IGP");
  routes->add_option("ROUTER", flags->from, "A host name, an identifier or an address")->required();
  routes->add_option("PREFIX", flags->prefix, "This one alone; or an address: the longest match");
  routes->footer(
      "Examples:\n  flowacct igp routes ams1 --from isis.pcap\n  flowacct igp routes ams1 192.0.2.7 --from isis.pcap");
  routes->callback([flags, &exit_code] {
    exit_code = Answer(*flags, "no route\n", IgpQuestion::Of::kRoutes,
                       [&](IgpGlass& glass) { return glass.Routes(flags->from, flags->prefix); });
  });

  CLI::App* path =
      AddQuestion(*igp, *flags, "path", "Shows all ways of least cost from a router to another, or to an address");
  path->add_option("FROM", flags->from, "A router")->required();
  path->add_option("TO", flags->to, "A router, or an address behind one")->required();
  AddPlane(*path, *flags);
  path->footer("Example:\n  flowacct igp path ams1 fra1 --from network.topology");
  path->callback([flags, &exit_code] {
    exit_code = Answer(*flags, "no way\n", IgpQuestion::Of::kPaths,
                       [&](IgpGlass& glass) { return glass.Paths(flags->from, flags->to, flags->plane); });
  });

  CLI::App* spf = AddQuestion(*igp, *flags, "spf", "Shows the tree of shortest paths of a router");
  spf->add_option("ROUTER", flags->from, "A host name, an identifier or an address")->required();
  AddPlane(*spf, *flags);
  spf->footer("Example:\n  flowacct igp spf ams1 --from isis.pcap --level 1");
  spf->callback([flags, &exit_code] {
    exit_code = Answer(*flags, "nothing is reached\n", IgpQuestion::Of::kSpf,
                       [&](IgpGlass& glass) { return glass.Spf(flags->from, flags->plane); });
  });

  CLI::App* lfa =
      AddQuestion(*igp, *flags, "lfa",
                  "Shows loop-free alternates of a router, remote ones and repair paths; or how much each protects");
  lfa->add_option("ROUTER", flags->from, "A host name, an identifier or an address; without it all of them, in sums");
  AddPlane(*lfa, *flags);
  lfa->footer("Examples:\n  flowacct igp lfa --from network.topology\n  flowacct igp lfa ams1 --from network.topology");
  lfa->callback([flags, &exit_code] {
    exit_code = Answer(*flags, "there is nothing to protect\n", IgpQuestion::Of::kAlternates, [&](IgpGlass& glass) {
      Terminal terminal(/*quiet=*/false);
      return glass.Alternates(flags->from, flags->plane, [&terminal](uint64_t done, uint64_t of) {
        terminal.ShowProgress({0, 0, done, "steps", of});
        return !terminal.Interrupted();
      });
    });
  });

  CLI::App* traffic = AddQuestion(*igp, *flags, "traffic", "Lays traffic on the links of its ways: a matrix of links");
  AddLoad(*traffic, *flags);
  traffic->add_option("--by", flags->label, "Tells a link's traffic apart by this column of the traffic")
      ->type_name("COLUMN");
  AddLimit(*traffic, *flags);
  traffic->footer(
      "Example:\n  flowacct replay flows.pcap --by exporter,dst_addr,protocol --sum bytes --format csv --quiet |\n"
      "    flowacct igp traffic --from isis.pcap --traffic - --by protocol");
  traffic->callback([flags, &exit_code] {
    exit_code =
        AnswerWithTraffic(*flags, "no link carries anything\n", IgpQuestion::Of::kTraffic,
                          [](IgpGlass& glass, const IgpDemands& demands, const collector::IgpLoadOptions& options,
                             std::vector<std::string>* report) { return glass.Traffic(demands, options, report); });
  });

  CLI::App* whatif =
      AddQuestion(*igp, *flags, "whatif", "Tells which links carry more, and what is lost, if something fails");
  AddFail(*whatif, *flags, /*required=*/true);
  AddLoad(*whatif, *flags);
  AddPlane(*whatif, *flags);
  whatif->add_option("--by", flags->label, "Tells whose traffic is lost or moved by this column")->type_name("COLUMN");
  whatif->add_option("--threshold", flags->threshold, "A link is too full above this part of its capacity")
      ->type_name("PERCENT")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  AddLimit(*whatif, *flags);
  whatif->footer(
      "Example:\n  flowacct igp whatif --from network.topology --traffic traffic.csv --fail ams1-fra1 --by customer");
  whatif->callback([flags, &exit_code] {
    exit_code = AnswerWithTraffic(
        *flags, "nothing changes\n", IgpQuestion::Of::kWhatIf,
        [&](IgpGlass& glass, const IgpDemands& demands, const collector::IgpLoadOptions& options,
            std::vector<std::string>* report) { return glass.WhatIf(demands, flags->failures, options, report); });
  });

  CLI::App* diff = igp->add_subcommand("diff", "Tells what differs between two topologies, or two times of one");
  AddSource(*diff, *flags);
  AddFormat(*diff, flags->output, {"table", "json", "csv"});
  diff->add_option("--before", flags->before_files, "What it is compared with")
      ->type_name("FILE")
      ->take_all()
      ->allow_extra_args(false);
  diff->add_option("--since", flags->since, "Or the same, as it was then")->type_name("TIME")->excludes("--before");
  diff->add_option("--at", flags->at, "As it was then, instead of the end")->type_name("TIME");
  diff->footer(
      "Examples:\n  flowacct igp diff --from tuesday.pcap --before monday.pcap\n"
      "  flowacct igp diff --from isis.pcap --since 2026-03-01T12:00:00Z\n"
      "  flowacct igp diff --collector 127.0.0.1:2112 --since 2026-03-01T12:00:00Z");
  diff->callback([flags, &exit_code] {
    if (const absl::Status status = CheckSource(*flags); !status.ok()) {
      exit_code = Fail(status);
      return;
    }
    if (flags->since.empty() && flags->before_files.empty()) {
      exit_code = Fail(absl::InvalidArgumentError("give --before FILE or --since TIME: what to compare with"));
      return;
    }
    if (!flags->collector.empty()) {
      if (!flags->before_files.empty()) {
        exit_code = Fail(absl::InvalidArgumentError("a collector is compared with itself; give --since TIME"));
        return;
      }
      exit_code = Show(AskCollector(*flags, QuestionOf(*flags, IgpQuestion::Of::kDiff)), *flags, "nothing differs\n");
      return;
    }
    const auto after = Load(flags->files);
    if (!after.ok()) {
      exit_code = Fail(after.status());
      return;
    }
    absl::StatusOr<topology::TopologyState> before;
    if (flags->before_files.empty()) {
      before = StateOf(**after, "--since", flags->since);
    } else {
      const auto files = Load(flags->before_files);
      before = files.ok() ? (*files)->database().State() : absl::StatusOr<topology::TopologyState>(files.status());
    }
    auto state = StateOf(**after, "--at", flags->at);
    if (!before.ok() || !state.ok()) {
      exit_code = Fail(before.ok() ? state.status() : before.status());
      return;
    }
    const IgpGlass glass(*std::move(state), (*after)->groups());
    exit_code = Show(glass.Differences(*before), *flags, "nothing differs\n");
  });

  CLI::App* draw = igp->add_subcommand("draw", "Draws the topology as SVG, with its load if there is traffic");
  AddSource(*draw, *flags);
  draw->add_option("--at", flags->at, "As it was then, of a capture or MRT")->type_name("TIME");
  AddPlane(*draw, *flags);
  AddLoad(*draw, *flags);
  AddFail(*draw, *flags, /*required=*/false);
  draw->add_option("--title", flags->title, "Above the picture")->type_name("TEXT");
  draw->add_option("--output", flags->svg, "Where the picture goes; '-' is standard output")
      ->type_name("FILE")
      ->required();
  draw->footer("Example:\n  flowacct igp draw --from network.topology --traffic traffic.csv --output network.svg");
  draw->callback([flags, &exit_code] { exit_code = Draw(*flags); });
}

}  // namespace flowacct::tools
