#include <cstdio>
#include <memory>
#include <string>

#include "flowacct/collector/decode/record_printer.h"
#include "flowacct/collector/replay/capture_input.h"
#include "flowacct/enrich/sampling_scaler.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/input_options.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {
namespace {

using F = record::FieldId;

struct DecodeFlags {
  InputFlags input;
  bool no_scale = false;
};

// Prints the records of each datagram or packet when it is done.
class Printer : public collector::InputObserver {
 public:
  Printer(record::FlowBatch* flows, record::FlowBatch* counters, bool scale)
      : flows_(flows), printer_(flows, counters), scaler_({}), scale_(scale) {
    scaler_.Bind(flows->layout(), record::FieldSet(flows->layout().fields()));
  }

  record::ElementListener* listener() { return &printer_; }
  bool failed() const { return failed_; }

  void OnCapture(absl::string_view, const collector::CaptureKindEvidence&) override {}
  void OnDatagram(const record::Datagram& datagram) override { printer_.Begin("datagram", datagram.number); }
  void OnDatagramEnd(const record::Datagram&, base::DecodeResult result, absl::string_view protocol) override {
    if (scale_) scaler_.Apply(*flows_);
    End(result, protocol);
  }
  void OnPacket(const collector::CapturedPacket& packet) override { printer_.Begin("packet", packet.number); }
  void OnPacketEnd(const collector::CapturedPacket&, base::DecodeResult result) override {
    // A frame without IP is no error: it only yields no row.
    if (result.code == base::DecodeCode::kUnsupported) result = base::DecodeResult::Ok();
    End(result, "");
  }
  void Flush() {
    if (!text_.empty() && std::fwrite(text_.data(), 1, text_.size(), stdout) != text_.size()) failed_ = true;
    text_.clear();
  }

 private:
  void End(base::DecodeResult result, absl::string_view protocol) {
    printer_.End(result, protocol, &text_);
    if (text_.size() > (256 << 10)) Flush();
  }

  record::FlowBatch* flows_;
  collector::RecordPrinter printer_;
  enrich::SamplingScaler scaler_;
  bool scale_;
  std::string text_;
  bool failed_ = false;
};

int Run(const DecodeFlags& flags) {
  const record::Layout layout = record::Layout::All();
  const record::Layout counter_layout(
      {F::kExporter, F::kObservationDomain, F::kExportVersion, F::kArrivalTime, F::kSourceId, F::kCounter, F::kValue});
  base::Interner interner;
  record::FlowBatch flows(&layout, &interner), counters(&counter_layout, &interner);
  Printer printer(&flows, &counters, !flags.no_scale);
  const record::DecodeOutput output{&flows, &counters, printer.listener()};
  Terminal terminal(/*quiet=*/true);
  collector::CaptureInputOptions options = ToInputOptions(flags.input);
  options.reader.interrupted = [&terminal] { return terminal.Interrupted(); };
  collector::CaptureInput input(&layout, &interner, options);
  int exit_code = kDone;
  for (const std::string& file : flags.input.files) {
    if (const absl::Status status = input.Open(file); !status.ok()) {
      if (terminal.Interrupted()) break;
      Fail(status);
      exit_code = kFailed;
      continue;
    }
    while (!terminal.Interrupted() && !printer.failed()) {
      const absl::StatusOr<bool> more = input.Decode(output, &printer);
      if (!more.ok() && !absl::IsCancelled(more.status())) {
        printer.Flush();
        Fail(more.status());
        exit_code = kFailed;
      }
      if (!more.ok() || !*more) break;
    }
  }
  printer.Flush();
  if (std::fflush(stdout) != 0 || printer.failed()) {
    return Fail(absl::UnavailableError("standard output cannot be written; is the disk full, or the reader gone?"));
  }
  return terminal.Interrupted() ? kInterrupted : exit_code;
}

}  // namespace

void AddDecodeCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<DecodeFlags>();
  CLI::App* command = app.add_subcommand(
      "decode", "Prints every record of a capture in full, one JSON object a line; errors too, with place and reason");
  AddInputOptions(*command, flags->input);
  command->add_flag("--no-scale", flags->no_scale, "Do not multiply sampled counters by their sampling rate");
  command->footer(
      "Examples:\n"
      "  flowacct decode exports.pcap | head\n"
      "  flowacct decode exports.pcap | jq 'select(.kind == \"option\")'\n"
      "  flowacct decode exports.pcap | jq 'select(.kind == \"error\")'");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace flowacct::tools
