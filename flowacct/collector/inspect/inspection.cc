#include "flowacct/collector/inspect/inspection.h"

#include <algorithm>

#include "flowacct/record/flow_batch.h"

namespace flowacct::collector {
namespace {

using F = record::FieldId;

class Watcher : public InputObserver {
 public:
  Watcher(Inspection* inspection, size_t max_errors) : inspection_(inspection), max_errors_(max_errors) {}

  void OnCapture(absl::string_view, const CaptureKindEvidence& evidence) override {
    inspection_->files.back().evidence = evidence;
  }
  void OnDatagram(const record::Datagram&) override {}
  void OnDatagramEnd(const record::Datagram& datagram, base::DecodeResult result, absl::string_view protocol) override {
    if (result.ok()) return;
    Add({inspection_->files.back().name, "datagram", datagram.number, std::string(protocol), datagram.source, result});
  }
  void OnPacket(const CapturedPacket&) override {}
  void OnPacketEnd(const CapturedPacket& packet, base::DecodeResult result) override {
    // Frames without IP are no error: they are counted as such.
    if (result.ok() || result.code == base::DecodeCode::kUnsupported) return;
    Add({inspection_->files.back().name, "packet", packet.number, "", base::IpAddress(), result});
  }

 private:
  void Add(InspectedError error) {
    if (inspection_->errors.size() < max_errors_) inspection_->errors.push_back(std::move(error));
  }

  Inspection* inspection_;
  size_t max_errors_;
};

}  // namespace

Inspection Inspect(const InspectOptions& options) {
  const record::Layout layout({F::kProtocol, F::kPackets, F::kBytes, F::kSamplingRate});
  const record::Layout counter_layout({F::kCounter, F::kValue});
  base::Interner interner;
  record::FlowBatch flows(&layout, &interner), counters(&counter_layout, &interner);
  const record::DecodeOutput output{&flows, &counters, /*listener=*/nullptr};
  const auto interrupted = [&] { return options.interrupted && options.interrupted(); };
  CaptureInputOptions input_options = options.input;
  input_options.reader.interrupted = options.interrupted;
  CaptureInput input(&layout, &interner, input_options);
  Inspection inspection;
  Watcher watcher(&inspection, options.max_errors);
  for (const std::string& name : options.files) {
    if (const absl::Status status = input.Open(name); !status.ok()) {
      inspection.interrupted = interrupted();
      if (inspection.interrupted) break;
      inspection.failures.push_back(status);
      continue;
    }
    InspectedFile file;
    file.name = name;
    file.format = std::string(CaptureFormatName(input.reader()->format()));
    file.compression = std::string(CaptureCompressionName(input.reader()->compression()));
    inspection.files.push_back(file);
    const uint64_t packets_before = input.counters().packets;
    while (!inspection.interrupted) {
      const absl::StatusOr<bool> more = input.Decode(output, &watcher);
      if (!more.ok()) {
        inspection.interrupted = absl::IsCancelled(more.status());
        if (!inspection.interrupted) inspection.failures.push_back(more.status());
      }
      if (!more.ok() || !*more) break;
      InspectedFile& current = inspection.files.back();
      if (current.first_nanos == 0) current.first_nanos = input.first_time_nanos();
      current.last_nanos = std::max(current.last_nanos, input.last_time_nanos());
      for (size_t i = 0; i < flows.size(); ++i) {
        const record::RowView row = flows.row(i);
        TrafficSums& sums =
            row.Has(F::kProtocol) ? inspection.by_protocol[row.Get<F::kProtocol>()] : inspection.without_protocol;
        ++sums.records;
        sums.packets += row.Get<F::kPackets>();
        sums.bytes += row.Get<F::kBytes>();
      }
      inspection.counter_rows += counters.size();
      flows.Clear();
      counters.Clear();
      if (options.progress) options.progress(*input.reader());
      inspection.interrupted = interrupted();
    }
    InspectedFile& current = inspection.files.back();
    current.packets = input.counters().packets - packets_before;
    for (const CaptureInterface& interface : input.reader()->interfaces()) {
      auto& known = current.link_types;
      if (std::find(known.begin(), known.end(), interface.link_type) == known.end()) {
        known.push_back(interface.link_type);
      }
    }
    if (inspection.interrupted) break;
  }
  inspection.input = input.counters();
  inspection.exporters = input.Report();
  return inspection;
}

}  // namespace flowacct::collector
