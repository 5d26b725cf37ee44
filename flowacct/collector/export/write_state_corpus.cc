// Writes the corpora of the decoders' state fuzz tests from those of their datagrams:
//
//     bazel run //flowacct/collector/export:write_state_corpus -- $PWD/flowacct/flow

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/flow/ipfix/ipfix_decoder.h"
#include "flowacct/flow/netflow/netflow_decoder.h"
#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What a decoder knows after the datagrams of `from` (each behind two octets of length), and the datagrams again.
template <typename Decoder>
bool Write(absl::string_view kind, const std::string& datagrams, const std::string& to) {
  const record::Layout layout({record::FieldId::kBytes});
  base::Interner interner;
  record::FlowBatch rows(&layout, &interner);
  Decoder decoder(&layout);
  for (base::Octets rest = base::AsOctets(datagrams); rest.size() > 2;) {
    record::Datagram datagram;
    datagram.octets = rest.subspan(2, base::LoadBe16(rest.data()));
    datagram.source = base::IpAddress::V4(0xc0000201);
    datagram.arrival_nanos = int64_t{1700000000} * 1000000000;
    static_cast<void>(decoder.Decode(datagram, {&rows, nullptr, nullptr}));
    rest.remove_prefix(2 + datagram.octets.size());
  }
  const std::string state = decoder.SaveState();
  const auto sealed = base::Unseal(kind, 1, base::AsOctets(state));
  if (!sealed.ok()) return false;
  base::OctetWriter out;
  out.U16(static_cast<uint16_t>(sealed->body.size())).Bytes(sealed->body).Text(datagrams);
  std::ofstream file(to, std::ios::binary);
  file << base::AsText(out.octets());
  file.flush();
  return file.good();
}

std::string WithLength(const std::string& datagram) {
  base::OctetWriter out;
  out.U16(static_cast<uint16_t>(datagram.size())).Text(datagram);
  return std::string(base::AsText(out.octets()));
}

}  // namespace
}  // namespace flowacct

int main(int argc, char** argv) {
  using namespace flowacct;  // NOLINT
  const std::string flow = argc == 2 ? argv[1] : "";
  const std::string v9 = Read(flow + "/netflow/corpus/v9"), whole = Read(flow + "/ipfix/corpus/whole");
  // Without the template of the first message, its data is held.
  const std::string held = whole.substr(0, 2 + base::LoadBe16(reinterpret_cast<const uint8_t*>(whole.data())));
  const bool written = argc == 2 &&
                       Write<netflow::NetflowDecoder>("netflow decoder", v9, flow + "/netflow/corpus_state/v9") &&
                       Write<netflow::NetflowDecoder>("netflow decoder", Read(flow + "/netflow/corpus/v5"),
                                                      flow + "/netflow/corpus_state/v5") &&
                       Write<ipfix::IpfixDecoder>("ipfix decoder", whole, flow + "/ipfix/corpus_state/whole") &&
                       Write<ipfix::IpfixDecoder>("ipfix decoder", held, flow + "/ipfix/corpus_state/held") &&
                       Write<sflow::SflowDecoder>("sflow decoder", WithLength(Read(flow + "/sflow/corpus/v5")),
                                                  flow + "/sflow/corpus_state/v5");
  if (!written) std::fprintf(stderr, "usage: write_state_corpus FOLDER_OF_THE_FLOW_ROOMS, with corpus_state in each\n");
  return written ? 0 : 1;
}
