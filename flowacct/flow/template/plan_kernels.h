// The loops that a plan's steps are made of: each reads one element of every record of a run and writes one field of
// every row. Internal to the plan; plan_compiler.cc chooses among them.
//
// A kernel is chosen for the lengths of its source and target, so that the loop is loads and stores; where a record
// itself tells the length (or it is an odd one), the kernel for any length is taken.

#ifndef FLOWACCT_FLOW_TEMPLATE_PLAN_KERNELS_H_
#define FLOWACCT_FLOW_TEMPLATE_PLAN_KERNELS_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/flow/template/decode_plan.h"

namespace flowacct::flow {

// How the octets of an element become the value of a field.
enum class Conversion : uint8_t {
  kNone,
  kNumber,     // unsigned, reduced sizes, to a number of 1, 2, 4 or 8 octets
  kAddressV4,  // 4 octets behind the mapped prefix
  kAddressV6,  // 16 octets as they are
  kMac,        // 6 octets as they are
  kText,       // interned without trailing zeros; empty is absent
  kOctets,     // interned as they are; empty is absent
  kDigits,     // ASCII digits or TBCD (digits_octets.h); empty is absent
  kList,       // members of a basicList side by side, interned; none is absent
  kPrefixV4,   // address; `second` is the field of its length
  kPrefixV6,
  kTopLabel,      // 3 octets: label 20 bits, TC 3, S 1
  kSeconds,       // since 1970
  kMilliseconds,  // since 1970
  kMicroseconds,  // NTP format (RFC 7011, 6.1.9)
  kNanoseconds,   // NTP format (RFC 7011, 6.1.10)
  kUptime,        // milliseconds since the device's start; `second`: the field with that start (160), if any
  kBeforeExport,  // microseconds before the export (158, 159)
};

// A conversion's kernel; null if the element cannot have `length` (kVariableLength: any) or the field's size not fit.
PlanKernel FindKernel(Conversion conversion, uint16_t length, uint8_t target_size);
// Whether the kernel sets the field for every record, so that its presence lies in the prototype.
bool AlwaysSets(Conversion conversion, uint16_t length, uint8_t target_size);

// Fills the field from `source` where it is still absent or zero: the second of an IPv4 and IPv6 pair. For addresses
// and numbers.
PlanKernel FindFallbackKernel(Conversion conversion, uint16_t length, uint8_t target_size);

// 6 if the address at `source` (IPv6) is not zero, else 4.
void IpVersionKernel(const PlanStep& step, const RecordRun& run);
// One octet (`constant`: 0 the first, 1 the second) of an ICMP element, for records whose protocol (`second`, if there
// is one) is ICMP or ICMPv6. Leaves what is there and not zero.
void IcmpKernel(const PlanStep& step, const RecordRun& run);
// The end from the row's start, or the other way round, where it is absent: `second` is the duration, in milliseconds
// (`constant` 0) or microseconds (1).
void EndFromDurationKernel(const PlanStep& step, const RecordRun& run);
void StartFromDurationKernel(const PlanStep& step, const RecordRun& run);
// The route distinguisher of the VRF at `source`, or where none was told of it of the one at `second`.
void RouteDistinguisherKernel(const PlanStep& step, const RecordRun& run);
// The name (`constant`: NameKind) of the number at `source`.
void NameKernel(const PlanStep& step, const RecordRun& run);
// The label at the bottom of label_fields(), and the stack as interned octets.
void BottomLabelKernel(const PlanStep& step, const RecordRun& run);
void LabelStackKernel(const PlanStep& step, const RecordRun& run);
// The octets at `source` as the value of a custom field, the `constant`th of the layout's; what cannot be such a value
// is a misfit.
void CustomKernel(const PlanStep& step, const RecordRun& run);
// The rate (constant 0) or its source (constant 1) of each record; leaves the prototype's where the record, its
// selector and its interface tell none.
void SamplingKernel(const PlanStep& step, const RecordRun& run);
// The packet section at `source`, through MessageContext::sections; `constant` is the element, `second` the field with
// the full length, `third` the one that tells how many octets of it are not padding. One that is not empty and cannot
// be read is counted.
void SectionKernel(const PlanStep& step, const RecordRun& run);

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_PLAN_KERNELS_H_
