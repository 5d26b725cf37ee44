// gtp roaming: what roaming sessions used, by network, and whether that is what was charged.

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/count_text.h"
#include "flowacct/collector/sessions/capture_sessions.h"
#include "flowacct/collector/sessions/charged_sessions.h"
#include "flowacct/collector/sessions/roaming_answer.h"
#include "flowacct/collector/sessions/roaming_report.h"
#include "flowacct/collector/sessions/roaming_store.h"
#include "flowacct/query/time_zone.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/own_network_option.h"
#include "tools/flowacct/store_option.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {
namespace {

using collector::RoamingReport;

struct RoamingFlags {
  std::vector<std::string> captures, own_networks;
  std::string store, table, charged, zone;
  double tolerance_percent = 1;
  bool differences = false;
  collector::RoamingOptions options;
  CollectorFlags collector;  // its format
};

absl::Status AddCaptures(const RoamingFlags& flags, RoamingReport* report) {
  Terminal terminal(/*quiet=*/false);
  collector::CaptureSessionsOptions options;
  options.files = flags.captures;
  options.sessions.own_networks = flags.options.own_networks;
  options.interrupted = [&terminal] { return terminal.Interrupted(); };
  options.progress = [&terminal](const collector::CaptureReader& reader) { terminal.ShowProgress(reader); };
  auto sessions = collector::CaptureSessions::Load(std::move(options));
  terminal.EndProgress();
  if (!sessions.ok()) return sessions.status();
  for (const std::string& line : (*sessions)->summary()) std::fprintf(stderr, "%s\n", line.c_str());
  for (const session::SessionRecord& record : (*sessions)->TakeRecords()) {
    absl::Status status = report->Add(collector::ToRoamingSession(record, (*sessions)->text(record.facts.apn)));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Finish(RoamingFlags* flags) {
  if (flags->captures.empty() == flags->store.empty()) {
    return absl::InvalidArgumentError("give --capture or --store: where the sessions are");
  }
  if (!flags->store.empty() && flags->table.empty()) {
    return absl::InvalidArgumentError("--table: give the table of the store that has session records");
  }
  if (flags->charged.empty() && flags->differences) {
    return absl::InvalidArgumentError("--differences: from what? Give --charged");
  }
  auto own_networks = OwnNetworks(flags->own_networks);
  if (!own_networks.ok()) return own_networks.status();
  flags->options.own_networks = *std::move(own_networks);
  if (!flags->zone.empty() && !query::FindTimeZone(flags->zone, &flags->options.zone)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--time-zone: \"", flags->zone, "\" is not known here; give one such as Europe/Berlin"));
  }
  return absl::OkStatus();
}

int Run(RoamingFlags flags) {
  if (absl::Status status = Finish(&flags); !status.ok()) return Fail(status);
  std::vector<collector::RoamingSession> charged;
  if (!flags.charged.empty()) {  // first: it is read soon, and may have errors
    auto read = collector::ReadChargedSessions(flags.charged);
    if (!read.ok()) return Fail(read.status());
    charged = *std::move(read);
  }
  RoamingReport report(flags.options);
  absl::Status status;
  if (!flags.captures.empty()) {
    status = AddCaptures(flags, &report);
  } else {
    const auto store = OpenStore(flags.store);
    status = store.ok() ? collector::AddStoredSessions(**store, flags.table, &report) : store.status();
  }
  if (!status.ok()) return Fail(status);

  std::fprintf(stderr, "%s\n", collector::RoamingTotalText(report.Total()).c_str());
  if (report.parts_at_home() + report.parts_of_unknown_networks() > 0) {
    std::fprintf(stderr, "left out: %s of who is at home, %s of unknown networks; --all shows them\n",
                 collector::Count(report.parts_at_home(), "record").c_str(),
                 collector::Count(report.parts_of_unknown_networks(), "record").c_str());
  }
  collector::QueryAnswer answer;
  const char* nothing = "nobody roamed\n";
  if (flags.charged.empty()) {
    answer = collector::RoamingRows(report);
  } else {
    collector::RoamingCompareOptions options;
    options.tolerance_ppm = static_cast<uint32_t>(std::llround(flags.tolerance_percent * 10'000));
    const collector::RoamingComparison comparison = report.Compare(charged, options);
    answer = flags.differences ? collector::RoamingDifferences(comparison) : collector::RoamingSums(comparison);
    nothing = "all that was used was charged as it was seen\n";
  }
  if (flags.collector.format == "json") return Print(answer.AsJsonLines());
  if (flags.collector.format == "csv") return Print(answer.AsCsv());
  return Print(answer.rows.empty() ? std::string(nothing) : answer.AsTable());
}

}  // namespace

void AddGtpRoaming(CLI::App& gtp, int& exit_code) {
  auto flags = std::make_shared<RoamingFlags>();
  CLI::App* roaming = gtp.add_subcommand(
      "roaming", "Reports what roaming sessions used by network, APN and day, and compares it with what was charged");
  auto* capture = roaming->add_option("--capture", flags->captures, "Captures of packets; may be given several times")
                      ->type_name("FILE")
                      ->take_all()
                      ->allow_extra_args(false);
  roaming->add_option("--store", flags->store, absl::StrCat("A store with session records: ", StorePlaces()))
      ->type_name("STORE")
      ->excludes(capture);
  roaming
      ->add_option(
          "--table", flags->table,
          "Of the store: session records by imsi, home_plmn, visited_plmn, charging_id, apn and session_id, with "
          "bytes_up, bytes_down and session_milliseconds")
      ->type_name("NAME")
      ->excludes(capture);
  roaming
      ->add_option(
          "--charged", flags->charged,
          "A CSV of what was charged, to compare with: columns imsi, charging_id, apn, start, duration_seconds "
          "(or end), bytes_up, bytes_down; -: standard input")
      ->type_name("FILE");
  roaming
      ->add_option("--tolerance", flags->tolerance_percent,
                   "How far octets up and down together may be off in a session that counts as explained")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  roaming->add_flag("--differences", flags->differences,
                    "Lists each session that is not explained instead of the sums, the largest difference first");
  roaming->add_flag("--all", flags->options.all, "Also who is at home, and whose networks are not known");
  AddOwnNetwork(*roaming, flags->own_networks);
  roaming->add_option("--time-zone", flags->zone, "Whose days these are (default: UTC)")->type_name("ZONE");
  AddFormat(*roaming, flags->collector, {"table", "json", "csv"});
  roaming->footer(
      "Without --charged: a row for each day, visited network, home network and APN. With it: a row for each outcome;\n"
      "\"explained\" has the share of charged octets that is explained. Of a capture IMSIs are shown as they are; of "
      "a\n"
      "store as it has them, and if these are pseudonyms, FILE is to have the same ones.\n"
      "\n"
      "Examples:\n"
      "  flowacct gtp roaming --capture s8.pcap\n"
      "  flowacct gtp roaming --capture s8.pcap --charged tap.csv --differences --format csv\n"
      "  flowacct gtp roaming --store sqlite:cdr.db --table cdr --own-network 26201 --charged tap.csv");
  roaming->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace flowacct::tools
