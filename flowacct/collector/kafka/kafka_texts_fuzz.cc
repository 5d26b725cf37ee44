// Any octets of a message's header, key or value: what is understood of them is written as it was read.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/kafka/batch_parts.h"
#include "flowacct/collector/kafka/kafka_datagram.h"
#include "flowacct/collector/kafka/kafka_position.h"
#include "flowacct/collector/kafka/record_messages.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/queue/batch_part.h"

namespace {

void Require(bool is_so) {
  if (!is_so) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace collector = flowacct::collector;
  namespace queue = flowacct::sink::queue;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto part = queue::ParseBatchPart(text); part.has_value()) {
    const auto again = queue::ParseBatchPart(queue::BatchPartText(*part));
    Require(again.has_value() && again->batch == part->batch && again->part == part->part &&
            again->rows == part->rows && again->batch_rows == part->batch_rows);
    collector::BatchParts parts;
    Require(parts.Take(*part));
    Require(!parts.Take(*part));
  }
  if (const auto exporter = collector::ParseExporter(text); exporter.has_value()) {
    const auto again = collector::ParseExporter(collector::ExporterText(exporter->address, exporter->port));
    Require(again.has_value() && again->address == exporter->address && again->port == exporter->port);
  }
  if (const auto position = collector::KafkaPosition::Parse(text); position.has_value()) {
    Require(collector::KafkaPosition::Parse(position->ToText()) == position);
  }
  static const flowacct::record::Layout layout = flowacct::record::Layout::All();
  for (const bool delimited : {false, true}) {
    flowacct::base::Interner interner;
    flowacct::record::FlowBatch rows(&layout, &interner);
    collector::RecordMessagesOptions options;
    options.length_delimited = delimited;
    collector::RecordMessages decoder(options);
    (void)decoder.Decode(flowacct::base::Octets(data, size), &rows).ok();
    Require(decoder.counters().records == rows.size());
  }
  return 0;
}
