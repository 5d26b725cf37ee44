// Octets as a frame of each link type, and as a PDU: what is read lies within them; what was read of an LSP, or of
// TRILL's hello, and written is read as the same; authentication and checksum take anything.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/authentication.h"
#include "flowacct/isis/checksum.h"
#include "flowacct/isis/encapsulation.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/lsp_content_writer.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/testing/content_text.h"
#include "flowacct/isis/trill.h"

namespace flowacct::isis {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

bool IsWithin(base::Octets part, base::Octets whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// False if the content does not fit into a PDU.
bool WriteAndRead(const LspContent& content, LspContent* again) {
  PduWriter writer(PduWriter::Lsp{}, 65'535);
  if (!AddLspContent(content, &writer)) return false;
  const std::vector<uint8_t> pdu = writer.Finish();
  PduView view;
  Require(PduView::Parse(pdu, &view).ok() && LspChecksumIsRight(pdu));
  Require(ReadLspContent(view.tlvs(), again).ok());
  return true;
}

void ReadLsp(base::Octets tlvs) {
  LspContent content, once, twice;
  if (!ReadLspContent(tlvs, &content).ok()) content.others.clear();  // which have what was refused
  // What nobody writes (values in more octets than they need) is written as we do at first, and stays.
  if (!WriteAndRead(content, &once) || !WriteAndRead(once, &twice)) return;
  Require(testing::AsText(once) == testing::AsText(twice));
}

// What ports and neighbours of TRILL were read, and fits into a TLV, is written and read as the same.
void WriteAndReadTrill(const HelloContent& hello) {
  HelloContent said, again;
  for (const TrillPort& port : hello.trill_ports) {
    base::OctetWriter out;
    WriteTrillPort(port, &out);
    if (out.size() > 255) continue;
    said.trill_ports.push_back(port);
    Require(ReadTrillPort(out.octets(), 0, &again.trill_ports.emplace_back()).ok());
  }
  for (const TrillNeighbors& neighbors : hello.trill_neighbors) {
    base::OctetWriter out;
    WriteTrillNeighbors(neighbors, &out);
    said.trill_neighbors.push_back(neighbors);
    Require(ReadTrillNeighbors(out.octets(), 0, &again.trill_neighbors.emplace_back()).ok());
  }
  Require(testing::AsText(said) == testing::AsText(again));
}

void ReadPdu(base::Octets octets) {
  PduView view;
  if (!PduView::Parse(octets, &view).ok()) return;
  Require(IsWithin(view.octets(), octets) && IsWithin(view.tlvs(), octets));
  size_t tlvs = 0;
  TlvReader reader(view.tlvs());
  for (Tlv tlv; reader.Next(&tlv); ++tlvs) Require(IsWithin(tlv.value, octets));
  Require(tlvs * 2 <= octets.size());
  for (const AuthenticationKindInfo& kind : AuthenticationKinds()) {
    const AuthenticationKey key = {kind.kind, 1, "secret"};
    (void)VerifyAuthentication(view, key);
    std::vector<uint8_t> copy(octets.begin(), octets.end());
    (void)SignPdu(key, &copy);
  }
  switch (view.kind()) {
    case PduKind::kLanHello:
    case PduKind::kPointToPointHello: {
      HelloContent hello;
      (void)ReadHelloContent(view.tlvs(), &hello);
      WriteAndReadTrill(hello);
      break;
    }
    case PduKind::kLsp:
      if (LspChecksumIsRight(view.octets())) {
        // 0 and 255 are the same to it: what stands there may be written in another way.
        const uint16_t checksum = LspChecksumOf(view.octets());
        Require((checksum >> 8) % 255 == (view.checksum() >> 8) % 255 &&
                (checksum & 0xff) % 255 == (view.checksum() & 0xff) % 255);
      }
      ReadLsp(view.tlvs());
      break;
    case PduKind::kCsnp:
    case PduKind::kPsnp: {
      LspEntryReader entries(view.tlvs());
      size_t count = 0;
      for (LspEntry entry; entries.Next(&entry);) ++count;
      Require(count * kLspEntrySize <= view.size());
      break;
    }
  }
}

}  // namespace
}  // namespace flowacct::isis

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct;
  using namespace flowacct::isis;
  const base::Octets octets(data, size);
  for (const uint32_t link_type : {1, 9, 50, 101, 104, 113, 178, 228, 229, 276, 999}) {
    CarriedPdu carried;
    const EncapsulationResult result = UnwrapCaptured(link_type, octets, &carried);
    if ((result == EncapsulationResult::kOk) != !carried.pdu.empty()) std::abort();
    if (!IsWithin(carried.pdu, octets)) std::abort();
    if (result == EncapsulationResult::kOk) ReadPdu(carried.pdu);
  }
  ReadPdu(octets);
  return 0;
}
