// Writes the corpora of the NetFlow and IPFIX decoders: bazel run :write_corpus -- FOLDER/netflow/corpus
// FOLDER/ipfix/corpus

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/flow/template/testing/message_builder.h"

namespace flowacct::flow::testing {
namespace {

using Messages = std::vector<std::vector<uint8_t>>;

bool Write(const std::string& path, const Messages& messages) {
  base::OctetWriter out;
  for (const auto& message : messages) out.U16(static_cast<uint16_t>(message.size())).Bytes(message);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(out.octets().data()), static_cast<std::streamsize>(out.size()));
  file.flush();
  return file.good();
}

std::vector<uint8_t> Fixed(uint16_t version, uint8_t aggregation, size_t record_octets) {
  base::OctetWriter w;
  w.U16(version).U16(2).U32(3600000).U32(kExportSeconds).U32(0);
  if (version != 1) w.U32(1).U16(0).U8(aggregation).U8(2);
  if (version == 8) w.U32(0);
  for (size_t i = 0; i < 2 * record_octets; ++i) w.U8(static_cast<uint8_t>(i));
  return {w.octets().begin(), w.octets().end()};
}

// Templates, options of all kinds, data before and after its template, in either protocol.
Messages Whole(uint16_t version) {
  const uint32_t pen = version == 9 ? 0 : 29305;
  MessageBuilder early(version, 0);
  early.BeginSet(256).body().U32(1).U32(2).U16(3).U8(6).U32(4).U32(5);
  early.EndSet(1);
  MessageBuilder templates(version, 1);
  templates.Template(256, {{8, 4}, {12, 4}, {11, 2}, {4, 1}, {1, 4}, {1, 4, pen}});
  templates.Template(257, {{27, 16}, {152, 8}, {82, kVariable}, {70, 3}, {95, 4}, {33002, 2}});
  templates.OptionsTemplate(258, 1, {{version == 9 ? uint16_t{2} : uint16_t{10}, 4}, {82, 8}, {34, 4}});
  templates.OptionsTemplate(259, 1, {{version == 9 ? uint16_t{1} : uint16_t{144}, 4}, {302, 2}, {305, 4}, {306, 4}});
  MessageBuilder data(version, 3);
  data.BeginSet(257).body().Fill(15).U8(1).U64(1700000000000).U8(3).Text("abc").U24(0x101).U32(0x03000050).U16(1);
  data.EndSet();
  data.BeginSet(258).body().U32(7).Text("ge-0/0/1").U32(100);
  data.EndSet();
  data.BeginSet(259).body().U32(0).U16(1).U32(1).U32(99);
  data.EndSet(2);
  data.BeginSet(256).body().U32(1).U32(2).U16(3).U8(1).U32(4).U32(0);
  data.EndSet(1);
  return {early.Copy(), templates.Copy(), data.Copy()};
}

Messages Lists() {
  MessageBuilder message(10);
  message.Template(300, {{8, 4}, {1, 8}});
  message.Template(301, {{291, kVariable}, {292, kVariable}, {293, kVariable}});
  message.BeginSet(301);
  message.body().U8(9).U8(3).U16(10).U16(2).U16(5).U16(6);
  message.body().U8(15).U8(3).U16(300).U32(1).U64(2);
  message.body().U8(255).U16(17).U8(3).U16(300).U16(16).U32(1).U64(2);
  message.EndSet();
  MessageBuilder withdraw(10, 1);
  withdraw.Withdraw(300).Withdraw(2);
  return {message.Copy(), withdraw.Copy()};
}

}  // namespace
}  // namespace flowacct::flow::testing

int main(int argc, char** argv) {
  using namespace flowacct::flow::testing;  // NOLINT
  if (argc != 3) {
    std::fprintf(stderr, "usage: write_corpus NETFLOW_FOLDER IPFIX_FOLDER\n");
    return 2;
  }
  const std::string netflow = argv[1], ipfix = argv[2];
  const bool written =
      Write(netflow + "/v1", {Fixed(1, 0, 48)}) && Write(netflow + "/v5", {Fixed(5, 0, 48)}) &&
      Write(netflow + "/v7", {Fixed(7, 0, 52)}) && Write(netflow + "/v8-prefix", {Fixed(8, 5, 40), Fixed(8, 99, 40)}) &&
      Write(netflow + "/v9", Whole(9)) && Write(ipfix + "/whole", Whole(10)) && Write(ipfix + "/lists", Lists());
  if (!written) std::fprintf(stderr, "the folders %s and %s cannot be written\n", argv[1], argv[2]);
  return written ? 0 : 1;
}
