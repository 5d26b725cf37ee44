// One PDU of IS-IS as it lies on a circuit: its header of any of the nine types, and the TLVs behind it.
//
// Standards: ISO/IEC 10589, 9.5 to 9.13; RFC 5303 and 5304 change nothing of the headers. Only system identifiers of
// six octets. Guaranteed: every octet is read within bounds; the header is whole, and the length that the PDU says of
// itself lies within the octets. Not checked: TLVs (TlvReader does), checksums (checksum.h), authentication.
// Ownership: borrows the octets. Threads: any. Errors: kTruncated, kBadVersion, kBadLength, kUnsupported (a type, or an
// identifier length, that nobody speaks here) with the offset. Cost: some tens of instructions; no allocation.

#ifndef FLOWACCT_ISIS_PDU_VIEW_H_
#define FLOWACCT_ISIS_PDU_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/identifiers.h"

namespace flowacct::isis {

inline constexpr uint8_t kDiscriminator = 0x83;  // ISO/IEC TR 9577: intradomain routeing
inline constexpr size_t kCommonHeaderSize = 8;

enum class PduKind : uint8_t { kLanHello, kPointToPointHello, kLsp, kCsnp, kPsnp };

// number (ISO 10589, 9.5), name, text, kind, levels (bit 0: level 1, bit 1: level 2), octets of the header
#define FLOWACCT_ISIS_PDU_TYPES(X)                                \
  X(15, kL1LanHello, "L1-IIH", kLanHello, 1, 27)                  \
  X(16, kL2LanHello, "L2-IIH", kLanHello, 2, 27)                  \
  X(17, kPointToPointHello, "P2P-IIH", kPointToPointHello, 3, 20) \
  X(18, kL1Lsp, "L1-LSP", kLsp, 1, 27)                            \
  X(20, kL2Lsp, "L2-LSP", kLsp, 2, 27)                            \
  X(24, kL1Csnp, "L1-CSNP", kCsnp, 1, 33)                         \
  X(25, kL2Csnp, "L2-CSNP", kCsnp, 2, 33)                         \
  X(26, kL1Psnp, "L1-PSNP", kPsnp, 1, 17)                         \
  X(27, kL2Psnp, "L2-PSNP", kPsnp, 2, 17)

enum class PduType : uint8_t {
#define X(number, name, text, kind, levels, header) name = number,
  FLOWACCT_ISIS_PDU_TYPES(X)
#undef X
};

struct PduTypeInfo {
  PduType type;
  absl::string_view name;
  PduKind kind;
  uint8_t levels;
  uint8_t header_size;
};

absl::Span<const PduTypeInfo> PduTypes();
const PduTypeInfo* FindPduType(uint8_t number);  // nullptr if there is none
PduType PduTypeOf(PduKind kind, Level level);    // of a point-to-point hello the level does not matter

// ISO 10589, 9.9: the octet of flags of an LSP. RFC 3787, 4: only the default metric's attached bit is in use.
inline constexpr uint8_t kLspPartitionRepair = 0x80, kLspAttached = 0x08, kLspOverload = 0x04, kLspLevel1 = 0x01,
                         kLspLevel2 = 0x03;

class PduView {
 public:
  // What follows the PDU (padding of a short frame) is not part of it. `view` is as it was unless the result is ok.
  static base::DecodeResult Parse(base::Octets octets, PduView* view);

  const PduTypeInfo& info() const { return *info_; }
  PduType type() const { return info_->type; }
  PduKind kind() const { return info_->kind; }
  // Of all but point-to-point hellos.
  Level level() const { return info_->levels == 1 ? Level::k1 : Level::k2; }
  uint8_t max_area_addresses() const { return octets_[7] == 0 ? 3 : octets_[7]; }

  // Hellos.
  uint8_t circuit_levels() const { return octets_[8] & 3; }  // bit 0: level 1, bit 1: level 2; 0 is reserved
  SystemId hello_source() const { return LoadSystemId(9); }
  uint16_t holding_seconds() const { return base::LoadBe16(octets_.data() + 15); }
  uint8_t priority() const { return octets_[19] & 0x7f; }   // LAN
  NodeId lan_id() const { return LoadNodeId(20); }          // LAN: the designated system's
  uint8_t local_circuit_id() const { return octets_[19]; }  // point-to-point

  // LSPs.
  uint16_t remaining_seconds() const { return base::LoadBe16(octets_.data() + 10); }
  LspId lsp_id() const { return LoadLspId(12); }
  uint32_t sequence() const { return base::LoadBe32(octets_.data() + 20); }
  uint16_t checksum() const { return base::LoadBe16(octets_.data() + 24); }
  uint8_t lsp_flags() const { return octets_[26]; }

  // Sequence numbers PDUs; the last two of CSNPs alone.
  NodeId snp_source() const { return LoadNodeId(10); }
  LspId first_lsp() const { return LoadLspId(17); }
  LspId last_lsp() const { return LoadLspId(25); }

  base::Octets octets() const { return octets_; }  // of this PDU alone
  base::Octets tlvs() const { return octets_.subspan(info_->header_size); }
  size_t size() const { return octets_.size(); }

 private:
  SystemId LoadSystemId(size_t at) const {
    SystemId id;
    std::memcpy(id.octets.data(), octets_.data() + at, id.octets.size());
    return id;
  }
  NodeId LoadNodeId(size_t at) const { return {LoadSystemId(at), octets_[at + 6]}; }
  LspId LoadLspId(size_t at) const { return {LoadNodeId(at), octets_[at + 7]}; }

  base::Octets octets_;
  const PduTypeInfo* info_ = nullptr;
};

struct Tlv {
  uint8_t type = 0;
  base::Octets value;
};

// One that owns its value: how content keeps what nobody here decodes.
struct RawTlv {
  uint8_t type = 0;
  std::vector<uint8_t> value;
};

// Type, length, value, one after the other: TLVs, and sub-TLVs within them.
//
//   TlvReader reader(view.tlvs());
//   for (Tlv tlv; reader.Next(&tlv);) ...
//   if (!reader.result().ok()) ...
class TlvReader {
 public:
  explicit TlvReader(base::Octets octets) : octets_(octets) {}

  bool Next(Tlv* tlv);
  // Not ok after Next was false because a TLV reaches beyond the octets: kBadLength at its first octet.
  base::DecodeResult result() const { return result_; }
  // Of the value of the TLV that Next gave last, from the start of the octets.
  size_t value_offset() const { return at_ - size_; }

 private:
  base::Octets octets_;
  size_t at_ = 0, size_ = 0;
  base::DecodeResult result_;
};

// A line of a sequence numbers PDU (ISO 10589, 9.10, TLV 9).
struct LspEntry {
  uint16_t remaining_seconds = 0;
  LspId id;
  uint32_t sequence = 0;
  uint16_t checksum = 0;
};

inline constexpr size_t kLspEntrySize = 16;

// All lines of all TLVs 9, in their order; other TLVs are passed over.
class LspEntryReader {
 public:
  explicit LspEntryReader(base::Octets tlvs) : tlvs_(tlvs) {}

  bool Next(LspEntry* entry);
  // Not ok after Next was false because a TLV lies: kBadLength.
  base::DecodeResult result() const { return result_; }

 private:
  TlvReader tlvs_;
  base::Octets entries_;
  base::DecodeResult result_;
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_PDU_VIEW_H_
