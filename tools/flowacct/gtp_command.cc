// gtp: looks into the sessions of mobile subscribers, of a running collector or of captures.

#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/client/collector_client.h"
#include "flowacct/collector/interrupt.h"
#include "flowacct/collector/sessions/capture_sessions.h"
#include "tools/flowacct/collector_options.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {
namespace {

using collector::QueryAnswer;
using collector::SessionsQuestion;

struct Flags {
  CollectorFlags collector;
  std::vector<std::string> captures;
  SessionsQuestion question;
};

absl::StatusOr<QueryAnswer> AskCaptures(const Flags& flags) {
  Terminal terminal(/*quiet=*/false);
  collector::CaptureSessionsOptions options;
  options.files = flags.captures;
  options.interrupted = [&terminal] { return terminal.Interrupted(); };
  options.progress = [&terminal](const collector::CaptureReader& reader) { terminal.ShowProgress(reader); };
  auto sessions = collector::CaptureSessions::Load(std::move(options));
  terminal.EndProgress();
  if (!sessions.ok()) return sessions.status();
  for (const std::string& line : (*sessions)->summary()) std::fprintf(stderr, "%s\n", line.c_str());
  SessionsQuestion question = flags.question;
  question.ended = true;
  auto json = (*sessions)->Ask(question);
  if (!json.ok()) return json.status();
  return QueryAnswer::FromJson(*json);
}

absl::StatusOr<QueryAnswer> AskCollector(const Flags& flags) {
  collector::InterruptScope interrupt;
  const auto client = NewClient(flags.collector, interrupt);
  if (!client.ok()) return client.status();
  return (*client)->Sessions(flags.question);
}

int Run(const Flags& flags, const char* nothing) {
  const auto answer = flags.captures.empty() ? AskCollector(flags) : AskCaptures(flags);
  if (!answer.ok()) return Fail(answer.status());
  if (flags.collector.format == "json") return Print(answer->AsJsonLines());
  if (flags.collector.format == "csv") return Print(answer->AsCsv());
  return Print(answer->rows.empty() ? std::string(nothing) : answer->AsTable());
}

CLI::App* AddQuestion(CLI::App& gtp, Flags& flags, const char* name, const char* help) {
  CLI::App* command = gtp.add_subcommand(name, help);
  AddAddress(*command, flags.collector);
  command
      ->add_option("--capture", flags.captures,
                   "Asks captures of packets instead of a collector; may be given several times")
      ->type_name("FILE")
      ->take_all()
      ->allow_extra_args(false);
  AddFormat(*command, flags.collector, {"table", "json", "csv"});
  return command;
}

}  // namespace

void AddGtpCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* gtp = app.add_subcommand(
      "gtp", "Looks into the sessions of mobile subscribers: of a running collector, or of captures");
  gtp->require_subcommand(1);
  gtp->footer(
      "Examples:\n"
      "  flowacct gtp sessions --capture s11-and-s5.pcap\n"
      "  flowacct gtp subscriber 262011234567890");

  CLI::App* sessions =
      AddQuestion(*gtp, *flags, "sessions", "Lists sessions: who, since when, where, and how much they carried");
  sessions->add_option("--apn", flags->question.apn, "Only with this access point name")->type_name("APN");
  sessions->add_flag("--ended", flags->question.ended,
                     "And those that are over and kept for late packets (of captures: always)");
  sessions->add_option("--limit", flags->question.limit, "Rows at most; 0: all (of a collector 100,000)")
      ->type_name("N")
      ->check(WholeNumber())
      ->capture_default_str();
  sessions->footer(
      "Examples:\n  flowacct gtp sessions 127.0.0.1:2112 --apn internet\n  flowacct gtp sessions --capture gn.pcap");
  sessions->callback([flags, &exit_code] { exit_code = Run(*flags, "no session was seen\n"); });

  CLI::App* subscriber =
      gtp->add_subcommand("subscriber", "Shows a subscriber's sessions, with the tunnels that they have");
  subscriber->add_option("IMSI", flags->question.imsi, "The subscriber")->required();
  AddAddress(*subscriber, flags->collector);
  subscriber
      ->add_option("--capture", flags->captures,
                   "Asks captures of packets instead of a collector; may be given several times")
      ->type_name("FILE")
      ->take_all()
      ->allow_extra_args(false);
  AddFormat(*subscriber, flags->collector, {"table", "json", "csv"});
  subscriber->footer("Example:\n  flowacct gtp subscriber 262011234567890 127.0.0.1:2112");
  subscriber->callback([flags, &exit_code] {
    flags->question.of = SessionsQuestion::Of::kSubscriber;
    exit_code = Run(*flags, "no session of this subscriber was seen\n");
  });

  CLI::App* peers =
      AddQuestion(*gtp, *flags, "peers",
                  "Lists nodes: what they said, their restarts, and how many of the packets to them were joined");
  peers->footer("Example:\n  flowacct gtp peers --capture s1u-and-s11.pcap");
  peers->callback([flags, &exit_code] {
    flags->question.of = SessionsQuestion::Of::kPeers;
    exit_code = Run(*flags, "no node was seen\n");
  });

  CLI::App* unmatched = AddQuestion(*gtp, *flags, "unmatched",
                                    "Lists the tunnels whose packets were joined to nobody, the last ones first");
  unmatched->footer("Example:\n  flowacct gtp unmatched --capture s1u.pcap");
  unmatched->callback([flags, &exit_code] {
    flags->question.of = SessionsQuestion::Of::kUnmatched;
    exit_code = Run(*flags, "every packet was joined to a session\n");
  });
}

}  // namespace flowacct::tools
