#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "flowacct/collector/generate/workload.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {
namespace {

struct GenerateFlags {
  std::string kind, output = "-", truth;
  collector::WorkloadOptions workload;
};

absl::Status Run(GenerateFlags flags, int& exit_code) {
  flags.workload.kind = *collector::FindWorkloadKind(flags.kind);
  if (flags.output == "-" && isatty(STDOUT_FILENO)) {
    return absl::InvalidArgumentError("a capture is no text for a terminal; give --output FILE, or pipe it on");
  }
  auto generator = collector::NewWorkloadGenerator(flags.workload);
  if (!generator.ok()) return generator.status();
  collector::PcapWriterOptions options;
  options.snap_length = (*generator)->snap_length();
  auto writer = collector::PcapWriter::New(flags.output, options);
  if (!writer.ok()) return writer.status();
  Terminal terminal(/*quiet=*/true);
  collector::CapturedPacket packet;
  absl::Status status;
  while (status.ok() && !terminal.Interrupted() && (*generator)->Next(&packet)) status = (*writer)->Write(packet);
  status.Update((*writer)->Close());
  if (!status.ok()) return status;
  if (terminal.Interrupted()) exit_code = kInterrupted;
  const std::string truth = collector::WorkloadTruthJson((*generator)->Truth()) + "\n";
  if (flags.truth.empty()) {
    std::fputs(truth.c_str(), stderr);
    return absl::OkStatus();
  }
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(flags.truth.c_str(), "w"), std::fclose);
  if (file == nullptr || std::fputs(truth.c_str(), file.get()) < 0 || std::fflush(file.get()) != 0) {
    return absl::UnavailableError(absl::StrCat("--truth: ", flags.truth, " cannot be written"));
  }
  return absl::OkStatus();
}

}  // namespace

void AddGenerateCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<GenerateFlags>();
  CLI::App* command = app.add_subcommand("generate", "Makes a deterministic capture whose totals are known");
  // Required, unless it is a subcommand: CLI11 would want both.
  command->add_option("KIND", flags->kind, "v5, v9, ipfix, sflow, or packets")
      ->check(CLI::IsMember({"v5", "v9", "ipfix", "sflow", "packets"}))
      ->type_name("");
  command->add_option("--output", flags->output, "The capture (pcap); - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--truth", flags->truth, "What it holds, as JSON (default: standard error)")->type_name("FILE");
  command
      ->add_option("--records", flags->workload.records,
                   "Flow records, samples or packets (default: 3, 2 or 5 million)")
      ->type_name("N")
      ->check(WholeNumber(1));
  command->add_option("--seed", flags->workload.seed, "The same seed and options give the same octets")
      ->check(WholeNumber())
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--distinct-keys", flags->workload.distinct_keys, "5-tuples to draw from (default: a million)")
      ->type_name("N")
      ->check(WholeNumber(1));
  command->add_option("--prefix-pairs", flags->workload.prefix_pairs, "Pairs of networks that the keys fall into")
      ->type_name("N")
      ->check(WholeNumber(1))
      ->capture_default_str();
  command->add_option("--ipv6-percent", flags->workload.ipv6_percent, "Of the network pairs (default: by kind)")
      ->type_name("N")
      ->check(CLI::Range(0, 100));
  command
      ->add_option("--zipf", flags->workload.zipf_exponent,
                   "How unequal the keys are: 0 all alike, 1 as the Internet's")
      ->type_name("S")
      ->check(CLI::Range(0.0, 4.0))
      ->capture_default_str();
  command->add_option("--exporters", flags->workload.exporters, "Devices that export")
      ->type_name("N")
      ->check(CLI::Range(1, 200))
      ->capture_default_str();
  command->add_option("--records-per-second", flags->workload.records_per_second, "Time that passes in the capture")
      ->type_name("N")
      ->check(WholeNumber(1))
      ->capture_default_str();
  command->add_option("--start", flags->workload.start_seconds, "When the capture begins, seconds since 1970")
      ->check(WholeNumber())
      ->type_name("SECONDS")
      ->capture_default_str();
  command->footer("Example:\n  flowacct generate v9 --records 100000 --output v9.pcap && flowacct replay v9.pcap");
  AddGenerateGtpCommand(*command, exit_code);
  command->callback([command, flags, &exit_code] {
    if (!command->get_subcommands().empty()) return;
    const absl::Status status =
        flags->kind.empty() ? absl::InvalidArgumentError("KIND is required") : Run(*flags, exit_code);
    if (!status.ok()) exit_code = Fail(status);
  });
}

}  // namespace flowacct::tools
