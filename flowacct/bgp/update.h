// An UPDATE, read once: which routes it announces and withdraws, with which attributes, and what was wrong with it.
//
//     Update update;           // kept: it is some 8 KiB, and reused without allocation
//     DecodeUpdate(message, context, &update, &counters);
//     for (const NlriSection& section : update.withdrawn()) section.Visit([&](const Nlri& route) { ... });
//     for (const NlriSection& section : update.announced()) {
//       base::Octets attributes = CanonicalizeAttributes(update, section, &buffer);   // canonicalize.h
//       section.Visit([&](const Nlri& route) { ... });
//     }
//     if (update.action() == ErrorAction::kSessionReset) ...   // nothing is announced or withdrawn
//
// Standards: RFC 4271 (4.3, 6.3), RFC 4760, RFC 4724 (2, End-of-RIB), RFC 6793, RFC 7606 (whole), RFC 7607, RFC 7911,
// RFC 8654, RFC 9552 (8.2.2).
// Guaranteed: every route of a section is right, so that Visit cannot fail; attributes() have the flags, length and
// value that their rows of attributes.def ask for, each code once, ascending; what RFC 7606 treats as withdrawn is
// among withdrawn().
// Not checked: whether a next hop or an AS is plausible, loops, and that the first AS is the neighbour's. Routes of
// families that are only counted (NlriShape) that cannot be counted are an error without an action, since nobody uses
// them. Of link state the lengths of objects and of the attribute's TLVs are checked, what is in them by link_state.h.
// Ownership: an Update borrows the message. Threads: plain values.
// Errors: action(), errors(), UpdateCounters; each is counted.
// Cost: about 100 ns a message with its attributes and 3 ns a route; no allocation.

#ifndef FLOWACCT_BGP_UPDATE_H_
#define FLOWACCT_BGP_UPDATE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/attribute.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/bgp/session_context.h"

namespace flowacct::bgp {

// name, text, subcode of the NOTIFICATION if the session is to be reset (RFC 4271, 4.5), text for a person
#define FLOWACCT_BGP_UPDATE_FAULTS(X)                                                                         \
  X(kMessageLength, "message_length", 1, "lengths within the message that contradict it (RFC 4271, 6.3)")     \
  X(kAttributeOverrun, "attribute_overrun", 1, "an attribute that the attributes' length cuts (RFC 7606, 4)") \
  X(kAttributeFlags, "attribute_flags", 4, "Optional or Transitive flag that is wrong (RFC 7606, 3.c)")       \
  X(kAttributeLength, "attribute_length", 5, "length that is wrong (RFC 7606, 7)")                            \
  X(kAttributeValue, "attribute_value", 9, "value that is malformed (RFC 7606, 7)")                           \
  X(kDuplicate, "duplicate_attribute", 1, "an attribute for the second time (RFC 7606, 3.g)")                 \
  X(kMissing, "missing_attribute", 3, "a mandatory attribute that is not there (RFC 7606, 3.d)")              \
  X(kFromExternal, "attribute_from_external", 9, "not for an external neighbour to say (RFC 7606, 7.5)")      \
  X(kFromAs4, "as4_attribute_from_as4_speaker", 9, "AS4_* where all have 4 octets (RFC 6793, 3)")             \
  X(kNextHopLength, "next_hop_length", 9, "next hop of a length that the family has not (RFC 7606, 7.11)")    \
  X(kNlri, "nlri", 10, "routes that are syntactically incorrect (RFC 7606, 5.3)")                             \
  X(kUncountedNlri, "uncounted_nlri", 10, "routes of a family that is only counted, and cannot be")           \
  X(kUnrecognizedWellKnown, "unrecognized_well_known", 2, "not optional, and without a row (RFC 4271, 6.3)")  \
  X(kNoReachable, "no_reachable_nlri", 1, "errors in attributes without routes to withdraw (RFC 7606, 5.2)")  \
  X(kFamilyNotAgreed, "family_not_agreed", 9, "routes of a family that was not negotiated: left out")

enum class UpdateFault : uint8_t {
#define X(name, text, subcode, help) name,
  FLOWACCT_BGP_UPDATE_FAULTS(X)
#undef X
};
inline constexpr size_t kUpdateFaultCount = static_cast<size_t>(UpdateFault::kFamilyNotAgreed) + 1;
absl::string_view UpdateFaultName(UpdateFault fault);
absl::string_view UpdateFaultHelp(UpdateFault fault);

struct UpdateError {
  UpdateFault fault = UpdateFault::kMessageLength;
  ErrorAction action = ErrorAction::kNone;
  uint8_t attribute = 0;  // type code; 0: of the message itself
  uint32_t offset = 0;    // from the start of what was decoded
};

// Sums over messages, of one session or many.
struct UpdateCounters {
  uint64_t messages = 0;
  std::array<uint64_t, kFamilyCount> announced{};  // routes
  std::array<uint64_t, kFamilyCount> withdrawn{};  // as withdrawn; treated_as_withdrawn not among them
  std::array<uint64_t, kFamilyCount> treated_as_withdrawn{};
  std::array<uint64_t, kFamilyCount> end_of_rib{};
  std::array<uint64_t, kErrorActionCount> actions{};  // messages by the strongest action
  std::array<uint64_t, kUpdateFaultCount> faults{};
  // By AttributeIndex (the last: attributes without a row), then by action: what was wrong with an attribute.
  std::array<std::array<uint64_t, kErrorActionCount>, kAttributeCount + 1> attribute_errors{};
  uint64_t unknown_attributes = 0;
};

// A run of routes of one family.
struct NlriSection {
  Family family = Family::kOther;
  uint16_t afi = 0;
  uint8_t safi = 0;
  bool add_path = false;
  uint32_t count = 0;
  base::Octets octets;
  base::Octets next_hop;  // as it came: of VPNs with route distinguishers; empty if withdrawn

  // visit(const Nlri&) for each route; nothing for families that are only counted.
  template <typename Visitor>
  void Visit(Visitor&& visit) const {
    VisitNlri(family, add_path, octets, visit);
  }
};

class Update {
 public:
  Update() = default;
  Update(const Update&) = delete;
  Update& operator=(const Update&) = delete;

  absl::Span<const NlriSection> announced() const { return {announced_.data(), announced_count_}; }
  // Those that are treated as withdrawn too.
  absl::Span<const NlriSection> withdrawn() const { return {withdrawn_.data(), withdrawn_count_}; }
  // All that are right, MP_REACH_NLRI and those without a row too.
  absl::Span<const AttributeView> attributes() const { return {attributes_.data(), attribute_count_}; }
  const AttributeView* Find(AttributeCode code) const {
    const uint8_t wanted = static_cast<uint8_t>(code);
    if (!Seen(wanted)) return nullptr;
    for (size_t i = 0; i < attribute_count_; ++i) {
      if (attributes_[i].code == wanted) return &attributes_[i];
    }
    return nullptr;
  }
  // The family whose first table is complete (RFC 4724, 2).
  std::optional<Family> end_of_rib() const { return end_of_rib_; }
  bool as4() const { return as4_; }

  // The strongest of all errors'.
  ErrorAction action() const { return action_; }
  // The families to give up (RFC 7606, 2: AFI/SAFI disable).
  FamilySet disabled_families() const { return disabled_families_; }
  // In their order, the first kMaxErrors; all are counted.
  static constexpr size_t kMaxErrors = 16;
  absl::Span<const UpdateError> errors() const { return {errors_.data(), error_count_}; }
  // Of the NOTIFICATION if action() is kSessionReset (RFC 4271, 6.3); `data` borrows the message.
  uint8_t notification_subcode() const { return notification_subcode_; }
  base::Octets notification_data() const { return notification_data_; }

 private:
  friend class UpdateReader;
  bool Seen(uint8_t code) const { return (seen_[code / 64] >> (code % 64) & 1) != 0; }

  std::array<NlriSection, 2> announced_;
  std::array<NlriSection, 4> withdrawn_;
  size_t announced_count_ = 0, withdrawn_count_ = 0;
  size_t attribute_count_ = 0, error_count_ = 0;
  std::array<uint64_t, 4> seen_{};  // accepted type codes
  std::optional<Family> end_of_rib_;
  bool as4_ = true;
  ErrorAction action_ = ErrorAction::kNone;
  FamilySet disabled_families_;
  uint8_t notification_subcode_ = 0;
  base::Octets notification_data_;
  std::array<UpdateError, kMaxErrors> errors_;
  std::array<AttributeView, 256> attributes_;
};

// `message`: whole, with its header, whose length and type the caller has checked (message_view.h). Counts into
// `counters`.
void DecodeUpdate(base::Octets message, const SessionContext& context, Update* update, UpdateCounters* counters);

// Attributes alone, as an entry of MRT's TABLE_DUMP_V2 has them (RFC 6396, 4.3.4): the result has one announced section
// of `family` without routes, from which CanonicalizeAttributes takes the next hop. MP_REACH_NLRI may be whole or only
// its next hop.
void DecodeRibEntry(base::Octets attributes, Family family, const SessionContext& context, Update* update,
                    UpdateCounters* counters);

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_UPDATE_H_
