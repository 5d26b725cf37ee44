// Writes the extractor's corpus into a folder: bazel run //flowacct/collector/export:write_corpus -- DIRECTORY

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/collector/capture/capture_file_builder.h"
#include "flowacct/collector/export/export_builder.h"

namespace flowacct::collector {
namespace {

std::string Input(uint16_t link_type, const std::string& first, const std::string& second) {
  OrderedWriter w(true);
  return w.U16(link_type).U16(static_cast<uint16_t>(first.size())).Text(first).Text(second).octets();
}

std::vector<std::pair<std::string, std::string>> Corpus() {
  const std::string v9 = BuildUdpIpv4(BuildNetflow9({{0, 12}, {256, 20}}));
  const std::string v6 = BuildUdpIpv6(BuildIpfix({{2, 12}, {256, 20}}), {1, 4739});
  const std::vector<std::string> fragments = FragmentIpv4(BuildUdpIpv4(BuildSflow(5, false, {40, 8})), 64);
  return {
      {"ethernet-v9-and-ipfix", Input(1, BuildEthernet(0x0800, v9), BuildEthernet(0x86dd, v6, {{0x8100, 7}}))},
      {"fragments-of-sflow", Input(1, BuildEthernet(0x0800, fragments[0]), BuildEthernet(0x0800, fragments[1]))},
      {"raw-v5-and-v8", Input(101, BuildUdpIpv4(BuildFixedNetflow(5, 1)), BuildUdpIpv4(BuildNetflow8(1, 1, 28)))},
      {"ipfix-messages", Input(0xffff, BuildIpfix({{2, 8}}), BuildIpfix({}))},
      {"sflow-v4-and-v5", Input(101, BuildUdpIpv4(BuildSflow(4, false, {20})), BuildUdpIpv4(BuildSflow(5, true, {8})))},
  };
}

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: write_corpus DIRECTORY\n");
    return 2;
  }
  for (const auto& [name, octets] : flowacct::collector::Corpus()) {
    std::ofstream file(std::string(argv[1]) + "/" + name, std::ios::binary);
    file << octets;
    if (!file.flush()) {
      std::fprintf(stderr, "%s/%s cannot be written\n", argv[1], name.c_str());
      return 1;
    }
  }
  return 0;
}
