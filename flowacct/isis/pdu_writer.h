// Writes PDUs of all nine types: header, TLVs one after the other, then length, authentication and checksum.
//
//   PduWriter writer(PduWriter::Lsp{Level::k2, 1200, id, sequence, kLspOverload | kLspLevel2}, 1492);
//   writer.AddAuthentication(key);
//   writer.AddAreas(areas);
//   std::vector<uint8_t> pdu = writer.Finish();
//
// Standards: ISO/IEC 10589, 9.5 to 9.13; RFC 1195 (protocols, addresses), 5120, 5301, 5303, 5308. Guarantees: a PDU is
// never longer than `max_size`, a TLV never longer than 255 octets: lists go into as many TLVs as they need, and Add...
// says what did not fit. Ownership: a value; Finish gives it away. Threads: one at a time. Errors: by what Add...
// returns. Cost: the octets.

#ifndef FLOWACCT_ISIS_PDU_WRITER_H_
#define FLOWACCT_ISIS_PDU_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/authentication.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/three_way.h"

namespace flowacct::isis {

class PduWriter {
 public:
  struct LanHello {
    Level level = Level::k1;
    uint8_t circuit_levels = 3;  // bit 0: level 1, bit 1: level 2
    SystemId source;
    uint16_t holding_seconds = 30;
    uint8_t priority = 0;
    NodeId lan;
  };
  struct PointToPointHello {
    uint8_t circuit_levels = 3;
    SystemId source;
    uint16_t holding_seconds = 30;
    uint8_t local_circuit = 0;
  };
  struct Lsp {
    Level level = Level::k1;
    uint16_t remaining_seconds = 1200;
    LspId id;
    uint32_t sequence = 1;
    uint8_t flags = 0;
  };
  struct Csnp {
    Level level = Level::k1;
    NodeId source;
    LspId first, last;
  };
  struct Psnp {
    Level level = Level::k1;
    NodeId source;
  };

  // `max_size`: of the PDU; what is less than a header leaves room for no TLV.
  PduWriter(const LanHello& header, size_t max_size);
  PduWriter(const PointToPointHello& header, size_t max_size);
  PduWriter(const Lsp& header, size_t max_size);
  PduWriter(const Csnp& header, size_t max_size);
  PduWriter(const Psnp& header, size_t max_size);

  size_t size() const { return octets_.size(); }
  size_t room() const { return max_size_ > octets_.size() ? max_size_ - octets_.size() : 0; }

  // Any TLV. False, and nothing is written, if it does not fit.
  bool Add(uint8_t type, base::Octets value);
  // Appends `item` (1 to 255 octets less `head`) to the last TLV if that is of this type, begins with `head` and has
  // room, else to a new one that begins with `head`. False if it does not fit.
  bool AddItem(uint8_t type, base::Octets item, base::Octets head = {});

  // Must come first, and once. Nothing for a key of kNone. Finish fills in the digest.
  bool AddAuthentication(const AuthenticationKey& key);
  bool AddAreas(absl::Span<const AreaAddress> areas);
  bool AddProtocols(base::Octets nlpids);
  bool AddHostname(absl::string_view name);
  // Those of IPv4 in TLV 132, those of IPv6 in TLV 232; hellos carry link-local ones only (RFC 5308, 3: the caller's).
  bool AddInterfaceAddresses(absl::Span<const base::IpAddress> addresses);
  bool AddTopologies(absl::Span<const TopologyMembership> topologies);
  bool AddLanNeighbors(absl::Span<const base::MacAddress> neighbors);
  bool AddThreeWay(const ThreeWayState& state);
  // Returns how many fitted.
  size_t AddLspEntries(absl::Span<const LspEntry> entries);
  // TLVs 8 until the PDU is of `max_size` octets (a single octet is left over if only that is left).
  void Pad();

  // The whole PDU; the writer is empty then. Empty if libcrypto refused the digest.
  std::vector<uint8_t> Finish();

 private:
  PduWriter(PduType type, size_t max_size);
  void PutU16(uint16_t v);
  void Put(base::Octets octets) { octets_.insert(octets_.end(), octets.begin(), octets.end()); }
  void PutNode(const NodeId& node);
  void PutLsp(const LspId& id);

  std::vector<uint8_t> octets_;
  size_t max_size_;
  size_t last_tlv_ = 0;  // where it begins; 0: there is none
  PduKind kind_;
  AuthenticationKey key_;
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_PDU_WRITER_H_
