#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "flowacct/collector/probe/probe.h"
#include "flowacct/meter/flow_meter.h"
#include "flowacct/sink/export/export_options.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/input_options.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {
namespace {

struct MeterFlags {
  InputFlags input;
  std::string key, active_timeout, idle_timeout;
  size_t max_flows = meter::MeterOptions().max_flows;
  uint32_t sample = 1;
  std::string format = "ipfix", output, fields, times, template_refresh;
  uint32_t domain = 0;
  uint64_t sampling_rate = 0;
  size_t max_datagram_octets = sink::ExportOptions().max_datagram_octets;
  uint32_t datagrams_per_second = collector::ProbeOptions().datagrams_per_second;
  bool quiet = false;
};

absl::Status SetDuration(absl::string_view option, const std::string& text, absl::Duration* duration) {
  if (text.empty()) return absl::OkStatus();
  auto parsed = ParseDuration(option, text);
  if (parsed.ok()) *duration = *parsed;
  return parsed.status();
}

absl::Status Run(const MeterFlags& flags, int& exit_code) {
  collector::ProbeOptions options;
  options.files = flags.input.files;
  options.input = ToInputOptions(flags.input);
  if (!flags.key.empty()) options.meter.key = absl::StrSplit(flags.key, ',', absl::SkipWhitespace());
  options.meter.max_flows = flags.max_flows;
  absl::Status status = SetDuration("--active-timeout", flags.active_timeout, &options.meter.active_timeout);
  status.Update(SetDuration("--idle-timeout", flags.idle_timeout, &options.meter.idle_timeout));
  status.Update(SetDuration("--template-refresh", flags.template_refresh, &options.exports.template_refresh));
  if (!status.ok()) return status;
  auto format = sink::ExportFormatFromName(flags.format);
  if (!format.ok()) return format.status();
  options.exports.format = *format;
  options.exports.fields = absl::StrSplit(flags.fields, ',', absl::SkipWhitespace());
  if (!flags.times.empty()) {
    auto times = sink::ExportTimesFromName(flags.times);
    if (!times.ok()) return times.status();
    options.exports.times = *times;
  }
  options.exports.domain = flags.domain;
  options.exports.sampling_rate = flags.sampling_rate;
  options.exports.max_datagram_octets = flags.max_datagram_octets;
  options.sample = flags.sample;
  options.output = flags.output;
  options.datagrams_per_second = flags.datagrams_per_second;
  if (options.output == "-" && isatty(STDOUT_FILENO)) {
    return absl::InvalidArgumentError("a capture is no text for a terminal; give --output FILE, or pipe it on");
  }
  Terminal terminal(flags.quiet);
  options.interrupted = [&terminal] { return terminal.Interrupted(); };
  options.progress = [&terminal](const collector::CaptureReader& reader) { terminal.ShowProgress(reader); };

  auto outcome = collector::RunProbe(std::move(options));
  terminal.EndProgress();
  if (!outcome.ok()) return outcome.status();
  for (const absl::Status& failure : outcome->failures) exit_code = Fail(failure);
  if (!outcome->failures.empty()) exit_code = kFailed;
  if (outcome->interrupted) exit_code = kInterrupted;
  if (!flags.quiet) {
    for (const std::string& line : collector::Summary(*outcome)) std::fprintf(stderr, "%s\n", line.c_str());
  }
  return absl::OkStatus();
}

}  // namespace

void AddMeterCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<MeterFlags>();
  CLI::App* command = app.add_subcommand(
      "meter", "Turns packets into flows and exports them (NetFlow, IPFIX), or exports packets (sFlow): a probe");
  AddInputOptions(*command, flags->input);
  command
      ->add_option("--export", flags->format, "What the collector gets: v5, v9, ipfix, or sflow, which samples packets")
      ->type_name("FORMAT")
      ->capture_default_str()
      ->group("Export");
  command
      ->add_option(
          "--output", flags->output,
          "Where datagrams go: a capture (pcap; - is standard output), or udp://ADDRESS:PORT; IPFIX also to tcp://")
      ->required()
      ->type_name("TARGET")
      ->group("Export");
  command
      ->add_option("--fields", flags->fields,
                   "v9, ipfix: the fields that are told, such as src_addr,dst_addr,min_ttl,packets,bytes (default: the "
                   "key, TCP flags, counters, times and why the flow ended)")
      ->type_name("FIELDS")
      ->group("Export");
  command
      ->add_option("--times", flags->times,
                   "Resolution of times: uptime (v9's default), s, ms (IPFIX's), us or ns (IPFIX)")
      ->type_name("UNIT")
      ->group("Export");
  command
      ->add_option("--domain", flags->domain,
                   "Observation domain, source id, engine type * 256 + id (v5), or sub-agent (sflow)")
      ->check(WholeNumber())
      ->type_name("N")
      ->capture_default_str()
      ->group("Export");
  command
      ->add_option("--template-refresh", flags->template_refresh, "How often templates are told again (default: 60s)")
      ->type_name("DURATION")
      ->group("Export");
  command->add_option("--max-datagram", flags->max_datagram_octets, "The most octets of a datagram, without IP and UDP")
      ->check(WholeNumber(1))
      ->type_name("N")
      ->capture_default_str()
      ->group("Export");
  command
      ->add_option("--datagrams-per-second", flags->datagrams_per_second,
                   "The most that a collector is sent over UDP; 0: as fast as it goes")
      ->check(WholeNumber())
      ->type_name("N")
      ->capture_default_str()
      ->group("Export");
  command
      ->add_option(
          "--key", flags->key,
          "Fields that make a flow (default: the 5-tuple, ICMP type and code, tos, vlan, interfaces, sampling rate)")
      ->type_name("FIELDS")
      ->group("Metering");
  command
      ->add_option("--active-timeout", flags->active_timeout, "A long flow is told of once in this time (default: 60s)")
      ->type_name("DURATION")
      ->group("Metering");
  command
      ->add_option("--idle-timeout", flags->idle_timeout, "A flow without packets ends after this time (default: 15s)")
      ->type_name("DURATION")
      ->group("Metering");
  command
      ->add_option("--max-flows", flags->max_flows,
                   "Bound on flows at once; beyond, the one whose timeout is nearest ends")
      ->check(WholeNumber(1))
      ->type_name("N")
      ->capture_default_str()
      ->group("Metering");
  command->add_option("--sample", flags->sample, "Looks at one packet in N, at random, and tells the collector")
      ->check(WholeNumber(1))
      ->type_name("N")
      ->capture_default_str()
      ->group("Sampling");
  command
      ->add_option("--sampling-rate", flags->sampling_rate,
                   "The captures hold one packet in N: told to the collector, counters stay as they are")
      ->check(WholeNumber())
      ->type_name("N")
      ->group("Sampling");
  command->add_flag("--quiet,-q", flags->quiet, "No progress, no summary; errors only");
  command->footer(
      "Time is the captures': timeouts and export times follow it.\n"
      "\n"
      "Examples:\n"
      "  flowacct meter trace.pcapng.gz --output flows.pcap && flowacct replay flows.pcap --by dst_addr\n"
      "  flowacct meter trace.pcap --export v9 --active-timeout 5m --output udp://127.0.0.1:2055\n"
      "  flowacct meter trace.pcap --export sflow --sample 100 --output udp://127.0.0.1:6343");
  command->callback([flags, &exit_code] {
    const absl::Status status = Run(*flags, exit_code);
    if (!status.ok()) exit_code = Fail(status);
  });
}

}  // namespace flowacct::tools
