// The flow records of NetFlow v1, v5 and v7 with a name and a type for each field.
//
// Standard: Cisco, "NetFlow Export Datagram Formats"; the accessors have its names. Each table below is the only place
// that says where a field lies: fixed_format.cc makes the decoder's templates of them. v8's records are read by
// FixedFormat::fields.
// Guaranteed: a view of at least kOctets octets reads within them. Not checked: the values. Ownership: borrows the
// octets. Threads: plain values. Errors: none; FixedView::record() gives whole records alone. Cost: a load a field.

#ifndef FLOWACCT_FLOW_NETFLOW_FIXED_RECORD_VIEW_H_
#define FLOWACCT_FLOW_NETFLOW_FIXED_RECORD_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::netflow {

struct WireU8 {
  using Value = uint8_t;
  static constexpr uint16_t kOctets = 1;
  static Value Load(const uint8_t* p) { return *p; }
};
struct WireU16 {
  using Value = uint16_t;
  static constexpr uint16_t kOctets = 2;
  static Value Load(const uint8_t* p) { return base::LoadBe16(p); }
};
struct WireU32 {
  using Value = uint32_t;
  static constexpr uint16_t kOctets = 4;
  static Value Load(const uint8_t* p) { return base::LoadBe32(p); }
};
struct WireIpv4 {
  using Value = base::IpAddress;
  static constexpr uint16_t kOctets = 4;
  static Value Load(const uint8_t* p) { return base::IpAddress::V4(base::LoadBe32(p)); }
};
template <uint16_t N>
struct WireOctets {
  using Value = base::Octets;
  static constexpr uint16_t kOctets = N;
  static Value Load(const uint8_t* p) { return base::Octets(p, N); }
};

// X(name, type, offset, information element of the same meaning; 210, paddingOctets, where there is none)
#define FLOWACCT_NETFLOW_V1_FIELDS(X) \
  X(srcaddr, WireIpv4, 0, 8)          \
  X(dstaddr, WireIpv4, 4, 12)         \
  X(nexthop, WireIpv4, 8, 15)         \
  X(input, WireU16, 12, 10)           \
  X(output, WireU16, 14, 14)          \
  X(dPkts, WireU32, 16, 2)            \
  X(dOctets, WireU32, 20, 1)          \
  X(first, WireU32, 24, 22)           \
  X(last, WireU32, 28, 21)            \
  X(srcport, WireU16, 32, 7)          \
  X(dstport, WireU16, 34, 11)         \
  X(pad1, WireU16, 36, 210)           \
  X(prot, WireU8, 38, 4)              \
  X(tos, WireU8, 39, 5)               \
  X(flags, WireU8, 40, 6)             \
  X(pad2, WireOctets<7>, 41, 210)

#define FLOWACCT_NETFLOW_V5_FIELDS(X) \
  X(srcaddr, WireIpv4, 0, 8)          \
  X(dstaddr, WireIpv4, 4, 12)         \
  X(nexthop, WireIpv4, 8, 15)         \
  X(input, WireU16, 12, 10)           \
  X(output, WireU16, 14, 14)          \
  X(dPkts, WireU32, 16, 2)            \
  X(dOctets, WireU32, 20, 1)          \
  X(first, WireU32, 24, 22)           \
  X(last, WireU32, 28, 21)            \
  X(srcport, WireU16, 32, 7)          \
  X(dstport, WireU16, 34, 11)         \
  X(pad1, WireU8, 36, 210)            \
  X(tcp_flags, WireU8, 37, 6)         \
  X(prot, WireU8, 38, 4)              \
  X(tos, WireU8, 39, 5)               \
  X(src_as, WireU16, 40, 16)          \
  X(dst_as, WireU16, 42, 17)          \
  X(src_mask, WireU8, 44, 9)          \
  X(dst_mask, WireU8, 45, 13)         \
  X(pad2, WireU16, 46, 210)

// `flags` and `flags2` say which fields a Catalyst left invalid; router_sc is the router that was shortcut.
#define FLOWACCT_NETFLOW_V7_FIELDS(X) \
  X(srcaddr, WireIpv4, 0, 8)          \
  X(dstaddr, WireIpv4, 4, 12)         \
  X(nexthop, WireIpv4, 8, 15)         \
  X(input, WireU16, 12, 10)           \
  X(output, WireU16, 14, 14)          \
  X(dPkts, WireU32, 16, 2)            \
  X(dOctets, WireU32, 20, 1)          \
  X(first, WireU32, 24, 22)           \
  X(last, WireU32, 28, 21)            \
  X(srcport, WireU16, 32, 7)          \
  X(dstport, WireU16, 34, 11)         \
  X(flags, WireU8, 36, 210)           \
  X(tcp_flags, WireU8, 37, 6)         \
  X(prot, WireU8, 38, 4)              \
  X(tos, WireU8, 39, 5)               \
  X(src_as, WireU16, 40, 16)          \
  X(dst_as, WireU16, 42, 17)          \
  X(src_mask, WireU8, 44, 9)          \
  X(dst_mask, WireU8, 45, 13)         \
  X(flags2, WireU16, 46, 210)         \
  X(router_sc, WireIpv4, 48, 210)

#define FLOWACCT_FIXED_ACCESSOR(name, type, offset, element) \
  type::Value name() const { return type::Load(octets_.data() + (offset)); }

// `first` and `last` are milliseconds of the device's uptime; dOctets counts octets of layer 3.
#define FLOWACCT_FIXED_RECORD_VIEW(View, version, octets_of_it, FIELDS)    \
  class View {                                                             \
   public:                                                                 \
    static constexpr uint16_t kVersion = version;                          \
    static constexpr uint16_t kOctets = octets_of_it;                      \
    /* `record` has at least kOctets octets. */                            \
    explicit View(base::Octets record) : octets_(record.first(kOctets)) {} \
    base::Octets octets() const { return octets_; }                        \
    FIELDS(FLOWACCT_FIXED_ACCESSOR)                                        \
                                                                           \
   private:                                                                \
    base::Octets octets_;                                                  \
  };

FLOWACCT_FIXED_RECORD_VIEW(V1RecordView, 1, 48, FLOWACCT_NETFLOW_V1_FIELDS)
FLOWACCT_FIXED_RECORD_VIEW(V5RecordView, 5, 48, FLOWACCT_NETFLOW_V5_FIELDS)
FLOWACCT_FIXED_RECORD_VIEW(V7RecordView, 7, 52, FLOWACCT_NETFLOW_V7_FIELDS)

#undef FLOWACCT_FIXED_RECORD_VIEW
#undef FLOWACCT_FIXED_ACCESSOR

}  // namespace flowacct::netflow

#endif  // FLOWACCT_FLOW_NETFLOW_FIXED_RECORD_VIEW_H_
