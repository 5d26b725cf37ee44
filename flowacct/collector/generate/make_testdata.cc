// Writes the generated captures of testdata/ again: make_testdata FOLDER. See testdata/make.sh.

#include <cstdio>
#include <memory>
#include <string>

#include "flowacct/collector/generate/pcap_writer.h"
#include "flowacct/collector/generate/quickstart.h"
#include "flowacct/collector/generate/workload.h"

namespace flowacct::collector {
namespace {

// 300 packets of some fifty flows in six seconds: what the recorded exporters were fed with.
absl::Status WritePackets(const std::string& path) {
  WorkloadOptions options;
  options.kind = WorkloadKind::kPackets;
  options.records = 300;
  options.seed = 7;
  options.distinct_keys = 60;
  options.prefix_pairs = 12;
  options.ipv6_percent = 25;
  options.documentation_space = true;
  options.records_per_second = 50;
  options.start_seconds = 1768485600;
  auto generator = NewWorkloadGenerator(options);
  if (!generator.ok()) return generator.status();
  PcapWriterOptions writer_options;
  writer_options.snap_length = (*generator)->snap_length();
  auto writer = PcapWriter::New(path, writer_options);
  if (!writer.ok()) return writer.status();
  CapturedPacket packet;
  while ((*generator)->Next(&packet)) {
    if (absl::Status status = (*writer)->Write(packet); !status.ok()) return status;
  }
  std::printf("%s\n", WorkloadTruthJson((*generator)->Truth()).c_str());
  return (*writer)->Close();
}

int Main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_testdata FOLDER\n");
    return 2;
  }
  const std::string folder = argv[1];
  for (const absl::Status& status : {WriteQuickstartCapture(folder + "/quickstart.pcap"),  //
                                     WritePackets(folder + "/packets.pcap")}) {
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) { return flowacct::collector::Main(argc, argv); }
