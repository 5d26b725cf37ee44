// Writes the seeds of the fuzz test's corpus:
//     bazel build //flowacct/isis:write_corpus && bazel-bin/flowacct/isis/write_corpus flowacct/isis/corpus

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/authentication.h"
#include "flowacct/isis/encapsulation.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/testing/pdus.h"

int main(int argc, char** argv) {
  using namespace flowacct;
  using namespace flowacct::isis;
  if (argc != 2) return 2;
  std::vector<testing::NamedPdu> seeds = testing::Pdus();
  const std::vector<uint8_t> hello = seeds.front().octets;
  for (const AuthenticationKindInfo& kind : AuthenticationKinds()) {
    seeds.push_back({absl::StrCat("psnp_", kind.name), testing::Pdus({kind.kind, 1, "secret"})[2].octets});
  }
  seeds.push_back({"ethernet", WrapEthernet(AllIss(Level::k1), base::MacAddress(), hello)});
  std::vector<uint8_t> gre = WrapGre(hello);
  seeds.push_back({"gre", gre});
  // In IPv4, and in HDLC.
  std::vector<uint8_t> packet = {0x45, 0, 0, 0, 0, 1, 0, 0, 255, 47, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
  packet.insert(packet.end(), gre.begin(), gre.end());
  base::StoreBe16(&packet[2], static_cast<uint16_t>(packet.size()));
  seeds.push_back({"ipv4_gre", packet});
  std::vector<uint8_t> hdlc = {0x8f, 0, 0xfe, 0xfe, 0x03};
  hdlc.insert(hdlc.end(), hello.begin(), hello.end());
  seeds.push_back({"hdlc", hdlc});
  bool ok = true;
  for (const testing::NamedPdu& seed : seeds) {
    std::ofstream out(absl::StrCat(argv[1], "/", seed.name), std::ios::binary);
    out.write(reinterpret_cast<const char*>(seed.octets.data()), static_cast<std::streamsize>(seed.octets.size()));
    ok = ok && out.good();
  }
  return ok ? 0 : 1;
}
