// MRT records: their header, and their types as rows of a table.
//
// Standards: RFC 6396 (2, 4), RFC 8050 (4), RFC 6397 (GEO_PEER_TABLE, which is told apart and ignored). The rows:
// subtypes.def. Types that are not there (OSPF, IS-IS, those that RFC 6396 deprecates) are skipped and counted.
// Plain values, any thread. Cost: a row is found by comparing along the table, once a record.

#ifndef FLOWACCT_MRT_RECORD_H_
#define FLOWACCT_MRT_RECORD_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"

namespace flowacct::mrt {

inline constexpr size_t kHeaderOctets = 12;       // RFC 6396, 2
inline constexpr size_t kMicrosecondsOctets = 4;  // RFC 6396, 3
inline constexpr uint16_t kTypeTableDumpV2 = 13;
inline constexpr uint16_t kTypeBgp4mp = 16;
inline constexpr uint16_t kTypeBgp4mpEt = 17;

enum class Content : uint8_t { kTableDump, kPeerIndexTable, kRib, kRibGeneric, kMessage, kStateChange, kIgnored };

enum SubtypeFlags : uint8_t { kAs4 = 1, kAddPath = 2, kLocal = 4 };

enum class Subtype : uint8_t {
#define FLOWACCT_MRT_SUBTYPE(name, text, type, subtype, content, family, flags) name,
#include "flowacct/mrt/subtypes.def"
#undef FLOWACCT_MRT_SUBTYPE
  kUnknown  // every one that has no row; the last
};
inline constexpr size_t kSubtypeCount = static_cast<size_t>(Subtype::kUnknown) + 1;

struct SubtypeRow {
  absl::string_view name;
  uint16_t type, subtype;
  Content content;
  bgp::Family family;
  uint8_t flags;
};

inline constexpr SubtypeRow kSubtypes[kSubtypeCount] = {
#define FLOWACCT_MRT_SUBTYPE(name, text, type, subtype, content, family, flags) \
  {text, type, subtype, Content::content, bgp::Family::family, flags},
#include "flowacct/mrt/subtypes.def"
#undef FLOWACCT_MRT_SUBTYPE
    {"unknown", 0, 0, Content::kIgnored, bgp::Family::kOther, 0},
};

inline const SubtypeRow& RowOf(Subtype subtype) { return kSubtypes[static_cast<size_t>(subtype)]; }

inline Subtype SubtypeOf(uint16_t type, uint16_t subtype) {
  if (type == kTypeBgp4mpEt) type = kTypeBgp4mp;
  size_t i = 0;
  while (i + 1 < kSubtypeCount && (kSubtypes[i].type != type || kSubtypes[i].subtype != subtype)) ++i;
  return static_cast<Subtype>(i);
}

struct RecordHeader {
  uint32_t timestamp_seconds = 0;
  uint16_t type = 0;
  uint16_t subtype = 0;
  uint32_t length = 0;  // of what follows
};

// `p` points at kHeaderOctets.
inline RecordHeader LoadRecordHeader(const uint8_t* p) {
  return {base::LoadBe32(p), base::LoadBe16(p + 4), base::LoadBe16(p + 6), base::LoadBe32(p + 8)};
}

}  // namespace flowacct::mrt

#endif  // FLOWACCT_MRT_RECORD_H_
