// Writes the reader's corpus into a folder: bazel run //flowacct/collector/capture:write_corpus -- DIRECTORY

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/collector/capture/capture_file_builder.h"

int main(int argc, char** argv) {
  using namespace flowacct::collector;  // NOLINT
  if (argc != 2) {
    std::fprintf(stderr, "usage: write_corpus DIRECTORY\n");
    return 2;
  }
  const std::vector<BuiltPacket> packets = {{1500000000123456000, "packet", 60}, {1500000001000000000, "", 7}};
  PcapngBuilder ng;
  ng.Section(false).Interface(1, 0, 9, 5, "eth0").Interface(113, 4).Enhanced(0, 1500000000123456789, "enhanced", 90);
  ng.Block(4, "names").Simple("simple").Obsolete(1, 77, "obsolete").Section(true).Interface(101, 0, 0x8a);
  ng.Enhanced(0, 1536000000512, "second section");
  const std::string ipfix = BuildIpfixMessage(1500000000, "a set") + BuildIpfixMessage(1500000001, "another");
  const std::vector<std::pair<std::string, std::string>> files = {
      {"pcap", BuildPcap({}, packets)},
      {"pcap-big-endian-nanoseconds", BuildPcap({true, true}, packets)},
      {"pcap-kuznetzov", BuildPcap({false, false, true}, packets)},
      {"pcap-version-2.2", BuildPcap({true, false, false, 1, 2}, packets)},
      {"pcapng", ng.octets()},
      {"ipfix-file", ipfix},
      {"pcap.gz", Gzip(BuildPcap({}, packets))},
      {"pcapng.zst", Zstd(ng.octets())},
      {"ipfix-file-two-members.gz", Gzip(ipfix.substr(0, 20)) + Gzip(ipfix.substr(20))},
      {"text", "Date,Source\n"},
  };
  for (const auto& [name, octets] : files) {
    std::ofstream file(std::string(argv[1]) + "/" + name, std::ios::binary);
    file << octets;
    if (!file.flush()) {
      std::fprintf(stderr, "%s/%s cannot be written\n", argv[1], name.c_str());
      return 1;
    }
  }
  return 0;
}
