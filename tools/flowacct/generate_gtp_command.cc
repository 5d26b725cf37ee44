#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/generate/gtp_traffic.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {
namespace {

struct GenerateGtpFlags {
  std::string output = "-", truth, truth_sessions, taps, home_plmn = "26242";
  collector::GtpTrafficOptions traffic;
};

// A file of rows; without a name it takes none.
class RowFile {
 public:
  absl::Status Open(absl::string_view option, const std::string& path, absl::string_view header) {
    if (path.empty()) return absl::OkStatus();
    name_ = absl::StrCat(option, ": ", path);
    file_.reset(std::fopen(path.c_str(), "w"));
    rows_ = std::string(header);
    return file_ == nullptr ? Error() : absl::OkStatus();
  }
  bool is_open() const { return file_ != nullptr; }
  std::string* rows() { return &rows_; }
  absl::Status Flush(size_t at_least) {
    if (file_ == nullptr || rows_.size() < at_least) return absl::OkStatus();
    const bool written =
        std::fwrite(rows_.data(), 1, rows_.size(), file_.get()) == rows_.size() && std::fflush(file_.get()) == 0;
    rows_.clear();
    return written ? absl::OkStatus() : Error();
  }

 private:
  absl::Status Error() const { return absl::UnavailableError(absl::StrCat(name_, " cannot be written")); }

  struct Close {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  std::string name_, rows_;
  std::unique_ptr<FILE, Close> file_;
};

class SessionRows : public collector::GtpTruthListener {
 public:
  explicit SessionRows(RowFile* file) : file_(file) {}
  void OnSession(const collector::GtpSessionTruth& session) override {
    if (file_->is_open()) collector::AppendGtpSessionTruth(session, file_->rows());
  }

 private:
  RowFile* file_;
};

absl::Status Run(GenerateGtpFlags flags, int& exit_code) {
  if (flags.output == "-" && isatty(STDOUT_FILENO)) {
    return absl::InvalidArgumentError("a capture is no text for a terminal; give --output FILE, or pipe it on");
  }
  if (!flags.taps.empty()) {
    auto taps = collector::ParseGtpTaps(flags.taps);
    if (!taps.ok()) return absl::InvalidArgumentError(absl::StrCat("--taps: ", taps.status().message()));
    flags.traffic.taps = *taps;
  }
  const auto plmn = base::Digits::Parse(flags.home_plmn);
  if (!plmn) return absl::InvalidArgumentError(absl::StrCat("--home-plmn: '", flags.home_plmn, "' is no number"));
  flags.traffic.home_plmn = *plmn;
  RowFile packets, sessions;
  SessionRows listener(&sessions);
  auto traffic = collector::NewGtpTraffic(flags.traffic, &listener);
  if (!traffic.ok()) return traffic.status();
  absl::Status status = packets.Open("--truth", flags.truth, collector::GtpUserTruthHeader());
  status.Update(sessions.Open("--truth-sessions", flags.truth_sessions, collector::GtpSessionTruthHeader()));
  if (!status.ok()) return status;
  collector::PcapWriterOptions options;
  options.snap_length = flags.traffic.snap_octets;
  auto writer = collector::PcapWriter::New(flags.output, options);
  if (!writer.ok()) return writer.status();
  constexpr size_t kBlockOctets = 1 << 20;
  Terminal terminal(/*quiet=*/true);
  collector::CapturedPacket packet;
  while (status.ok() && !terminal.Interrupted() && (*traffic)->Next(&packet)) {
    status = (*writer)->Write(packet);
    const collector::GtpUserTruth* user = (*traffic)->user();
    if (user != nullptr && packets.is_open()) collector::AppendGtpUserTruth(*user, packets.rows());
    status.Update(packets.Flush(kBlockOctets));
    status.Update(sessions.Flush(kBlockOctets));
  }
  (*traffic)->Finish();
  status.Update((*writer)->Close());
  status.Update(packets.Flush(1));
  status.Update(sessions.Flush(1));
  if (!status.ok()) return status;
  if (terminal.Interrupted()) exit_code = kInterrupted;
  std::fputs((collector::GtpTrafficTruthJson((*traffic)->truth()) + "\n").c_str(), stderr);
  return absl::OkStatus();
}

}  // namespace

void AddGenerateGtpCommand(CLI::App& generate, int& exit_code) {
  auto flags = std::make_shared<GenerateGtpFlags>();
  collector::GtpTrafficOptions& traffic = flags->traffic;
  CLI::App* command =
      generate.add_subcommand("gtp", "Makes a mobile network's GTP-C and GTP-U, and the truth about it");
  command->add_option("--output", flags->output, "The capture (pcap); - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--truth", flags->truth, "Of each user packet: whose it is, and whether that can be known (CSV)")
      ->type_name("FILE");
  command->add_option("--truth-sessions", flags->truth_sessions, "Of each session: whose, when, how much (CSV)")
      ->type_name("FILE");
  const auto number = [&](const char* name, auto& value, const char* help, uint64_t least) {
    command->add_option(name, value, help)->type_name("N")->check(WholeNumber(least))->capture_default_str();
  };
  const auto percent = [&](const char* name, auto& value, const char* help) {
    using Number = std::remove_reference_t<decltype(value)>;
    command->add_option(name, value, help)->type_name("N")->check(CLI::Range(Number(0), Number(100)));
    command->get_option(name)->capture_default_str();
  };
  number("--packets", traffic.packets, "Frames of all kinds", 1);
  number("--seed", traffic.seed, "The same seed and options give the same octets", 0);
  number("--subscribers", traffic.subscribers, "People and things with a SIM", 1);
  number("--enodebs", traffic.enodebs, "Base stations of 4G; of 5G a tenth of that", 2);
  number("--attach-ms", traffic.attach_milliseconds, "Time in which all subscribers attach", 0);
  number("--procedure-ms", traffic.procedure_milliseconds, "From one procedure of a subscriber to the next", 100);
  number("--burst-ms", traffic.burst_milliseconds, "From one burst of its packets to the next", 1);
  number("--teid-reuse-ms", traffic.teid_reuse_milliseconds, "How long a TEID is free before it is used again", 200);
  number("--restart-ms", traffic.restart_milliseconds, "From one restart of a node to the next; 0: none", 0);
  number("--echo-ms", traffic.echo_milliseconds, "From one round of echo requests to the next; 0: none", 0);
  command
      ->add_option("--taps", flags->taps,
                   "What is tapped: gn, s1u, s11, s5, n3, s10, x2, forwarding, with commas (default: all)")
      ->type_name("LIST");
  command->add_option("--home-plmn", flags->home_plmn, "The network's MCC and MNC")
      ->type_name("DIGITS")
      ->capture_default_str();
  percent("--percent-3g", traffic.percent_3g, "Of the subscribers, which begin on 2G or 3G");
  percent("--percent-5g", traffic.percent_5g, "Of the subscribers, which are on 5G: N3 without a control plane");
  percent("--percent-inbound", traffic.percent_inbound, "Of the subscribers, which are guests");
  percent("--percent-outbound", traffic.percent_outbound, "Of the subscribers, which are abroad");
  percent("--percent-v6-transport", traffic.percent_v6_transport, "Of the base stations");
  percent("--percent-refused", traffic.percent_refused, "Of the attaches");
  percent("--percent-repeated", traffic.percent_repeated, "Of the control messages, which are sent twice");
  percent("--percent-lost", traffic.percent_lost, "Of the control messages, which the taps do not see");
  percent("--percent-early", traffic.percent_early, "Of the tunnels, whose first packets come before their answer");
  number("--snap", traffic.snap_octets, "Frames are cut at so many octets", 64);
  command->add_option("--start", traffic.start_seconds, "When the capture begins, seconds since 1970")
      ->check(WholeNumber())
      ->type_name("SECONDS")
      ->capture_default_str();
  command->footer(
      "Example:\n  flowacct generate gtp --packets 100000 --subscribers 1000 --output gtp.pcap --truth gtp.csv");
  command->callback([flags, &exit_code] {
    const absl::Status status = Run(*flags, exit_code);
    if (!status.ok()) exit_code = Fail(status);
  });
}

}  // namespace flowacct::tools
