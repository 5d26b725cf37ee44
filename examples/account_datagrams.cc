// The smallest collector: datagrams in, traffic by AS pair out. Here they come from a capture (a path, or standard
// input); a socket would do as well.

#include <cstdio>

#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/collector/export/new_export_decoder.h"
#include "flowacct/pipeline/pipeline.h"
#include "flowacct/sink/print/print_sink.h"

int main(int argc, char** argv) {
  auto sink = flowacct::sink::NewPrintSink({});  // a table on standard output
  flowacct::pipeline::PipelineOptions options;
  options.aggregations.resize(1);
  options.aggregations[0].aggregator.by = {"src_as", "dst_as"};
  options.aggregations[0].sink = sink->get();
  flowacct::base::Interner names;
  auto pipeline = flowacct::pipeline::Pipeline::New(options, &names);
  if (!pipeline.ok()) return std::fprintf(stderr, "%s\n", pipeline.status().ToString().c_str()), 2;

  auto decoder = flowacct::collector::NewExportDecoder(&(*pipeline)->layout());
  flowacct::record::FlowBatch batch(&(*pipeline)->layout(), &names);
  auto reader = flowacct::collector::CaptureReader::Open(argc > 1 ? argv[1] : "-");
  if (!reader.ok()) return std::fprintf(stderr, "%s\n", reader.status().ToString().c_str()), 1;
  flowacct::collector::ExportExtractor extractor;
  flowacct::record::Datagram datagram;  // octets, source address and time: from a socket as well as from a file
  for (auto packets = (*reader)->NextBatch(); packets.ok() && !packets->empty(); packets = (*reader)->NextBatch()) {
    for (const flowacct::collector::CapturedPacket& packet : *packets) {
      if (!extractor.Extract(packet, &datagram)) continue;
      (void)decoder->Decode(datagram, {&batch});  // errors are counted: decoder->Report()
    }
    (*pipeline)->Process(batch);
    batch.Clear();
  }
  return (*pipeline)->Close(/*incomplete=*/false).ok() ? 0 : 1;
}
