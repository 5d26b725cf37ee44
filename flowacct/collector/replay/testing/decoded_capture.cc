#include "flowacct/collector/replay/testing/decoded_capture.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/decode/record_printer.h"
#include "flowacct/collector/replay/replay.h"
#include "flowacct/sink/print/print_sink.h"

namespace flowacct::collector::testing {
namespace {

using F = record::FieldId;

class Printer : public InputObserver {
 public:
  Printer(record::FlowBatch* flows, record::FlowBatch* counters) : printer_(flows, counters) {}
  record::ElementListener* listener() { return &printer_; }
  const std::string& text() const { return text_; }

  void OnCapture(absl::string_view, const CaptureKindEvidence&) override {}
  void OnDatagram(const record::Datagram& datagram) override { printer_.Begin("datagram", datagram.number); }
  void OnDatagramEnd(const record::Datagram&, base::DecodeResult, absl::string_view protocol) override {
    printer_.End(base::DecodeResult::Ok(), protocol, &text_);
  }
  void OnPacket(const CapturedPacket& packet) override { printer_.Begin("packet", packet.number); }
  void OnPacketEnd(const CapturedPacket&, base::DecodeResult) override {
    printer_.End(base::DecodeResult::Ok(), "", &text_);
  }

 private:
  RecordPrinter printer_;
  std::string text_;
};

}  // namespace

std::vector<Values> DecodeCapture(const std::string& file, CaptureInputOptions options) {
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  record::FlowBatch flows(&layout, &interner), counters(&layout, &interner);
  Printer printer(&flows, &counters);
  CaptureInput input(&layout, &interner, std::move(options));
  const absl::Status opened = input.Open(absl::StrCat(CapturesFolder(), "/", file));
  EXPECT_TRUE(opened.ok()) << opened;
  if (!opened.ok()) return {};
  for (;;) {
    const absl::StatusOr<bool> more = input.Decode({&flows, &counters, printer.listener()}, &printer);
    if (!more.ok() || !*more) break;
  }
  return FromJsonLines(printer.text());
}

std::vector<Values> ReplayAsPmacct(const std::string& file, const std::vector<std::string>& by) {
  char* text = nullptr;
  size_t size = 0;
  FILE* const stream = open_memstream(&text, &size);
  sink::PrintOptions print;
  print.format = sink::PrintFormat::kJson;
  print.naming = sink::Naming::kPmacct;
  print.stream = stream;
  absl::StatusOr<std::unique_ptr<sink::Sink>> sink = sink::NewPrintSink(print);
  EXPECT_TRUE(sink.ok()) << sink.status();
  ReplayOptions options;
  options.files = {absl::StrCat(CapturesFolder(), "/", file)};
  options.input.as = CaptureKind::kExports;
  pipeline::AggregationOptions aggregation;
  aggregation.aggregator.by = by;
  aggregation.aggregator.values = {"packets", "bytes"};
  aggregation.sink = sink->get();
  options.pipeline.aggregations.push_back(aggregation);
  const absl::StatusOr<ReplayOutcome> outcome = Replay(options);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE((*sink)->Close().ok());
  std::fclose(stream);
  const std::string rows(text, size);
  std::free(text);
  return FromJsonLines(rows);
}

}  // namespace flowacct::collector::testing
