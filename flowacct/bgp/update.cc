#include "flowacct/bgp/update.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "flowacct/bgp/as_path.h"

namespace flowacct::bgp {
namespace {

struct FaultRow {
  absl::string_view name;
  uint8_t subcode;
  absl::string_view help;
};
constexpr FaultRow kFaults[] = {
#define X(name, text, subcode, help) {text, subcode, help},
    FLOWACCT_BGP_UPDATE_FAULTS(X)
#undef X
};

constexpr size_t kHeaderOctets = 19;                                // RFC 4271, 4.1
constexpr uint8_t kMalformedList = 1, kOptionalAttributeError = 9;  // subcodes (RFC 4271, 4.5)
// An AS_PATH with AS numbers of 2 octets grows twofold, and is to fit a length of 16 bits.
constexpr size_t kMaxAs2PathOctets = 32767;

bool IsAigpValid(base::Octets value) {  // RFC 7311, 3
  size_t at = 0;
  while (at != value.size()) {
    if (value.size() - at < 3) return false;
    const size_t length = base::LoadBe16(value.data() + at + 1);
    if (length < 3 || length > value.size() - at || (value[at] == 1 && length != 11)) return false;
    at += length;
  }
  return true;
}

// RFC 9552, 5.1, 8.2.2: types and lengths of 16 bits each, of which nothing is left over.
bool IsLinkStateValid(base::Octets value) {
  while (value.size() >= 4) {
    const size_t length = base::LoadBe16(value.data() + 2);
    if (length > value.size() - 4) return false;
    value.remove_prefix(4 + length);
  }
  return value.empty();
}

}  // namespace

absl::string_view UpdateFaultName(UpdateFault fault) { return kFaults[static_cast<size_t>(fault)].name; }
absl::string_view UpdateFaultHelp(UpdateFault fault) { return kFaults[static_cast<size_t>(fault)].help; }

// Fills one Update.
class UpdateReader {
 public:
  UpdateReader(base::Octets octets, const SessionContext& context, Update* update, UpdateCounters* counters)
      : octets_(octets), context_(context), u_(*update), counters_(*counters) {
    u_.announced_count_ = u_.withdrawn_count_ = 0;
    u_.attribute_count_ = u_.error_count_ = 0;
    u_.seen_ = {};
    u_.end_of_rib_.reset();
    u_.as4_ = context.as4;
    u_.action_ = ErrorAction::kNone;
    u_.disabled_families_ = FamilySet();
    u_.notification_subcode_ = 0;
    u_.notification_data_ = base::Octets();
    ++counters_.messages;
  }

  void ReadMessage() {
    ReadBody();
    Conclude();
  }

  void ReadRibEntry(Family family) {
    rib_entry_ = true;
    const FamilyRow& row = RowOf(family);
    NlriSection* section = AddAnnounced();
    section->family = family;
    section->afi = row.afi;
    section->safi = row.safi;
    ReadAttributes(octets_);
    reachable_ = true;
    mandatory_next_hop_ = !Met(AttributeCode::kMpReachNlri);
    CheckMandatory();
    if (section->next_hop.empty()) section->next_hop = NextHop();
    Conclude();
  }

 private:
  void ReadBody() {
    if (octets_.size() < kHeaderOctets + 4) return Fail(UpdateFault::kMessageLength, ErrorAction::kSessionReset, 0);
    const size_t withdrawn_octets = base::LoadBe16(octets_.data() + kHeaderOctets);
    const size_t rest = octets_.size() - kHeaderOctets - 4;
    if (withdrawn_octets > rest) {
      return Fail(UpdateFault::kMessageLength, ErrorAction::kSessionReset, kHeaderOctets);
    }
    const base::Octets withdrawn = octets_.subspan(kHeaderOctets + 2, withdrawn_octets);
    const size_t attributes_at = kHeaderOctets + 4 + withdrawn_octets;
    const size_t attribute_octets = base::LoadBe16(octets_.data() + attributes_at - 2);
    if (attribute_octets > rest - withdrawn_octets) {
      return Fail(UpdateFault::kMessageLength, ErrorAction::kSessionReset, attributes_at - 2);
    }
    const base::Octets attributes = octets_.subspan(attributes_at, attribute_octets);
    const base::Octets announced = octets_.subspan(attributes_at + attribute_octets);

    if (!withdrawn.empty()) ReadBodyRoutes(withdrawn, AddWithdrawn());
    ReadAttributes(attributes);
    if (!announced.empty()) {
      reachable_ = mandatory_next_hop_ = true;
      NlriSection* section = AddAnnounced();
      section->next_hop = NextHop();
      ReadBodyRoutes(announced, section);
    }
    if (reachable_ || Met(AttributeCode::kMpReachNlri)) CheckMandatory();
    // The routes may be what could not be read (RFC 7606, 5.2).
    if (treat_as_withdraw_ && !reachable_ && u_.action_ == ErrorAction::kTreatAsWithdraw) {
      Fail(UpdateFault::kNoReachable, ErrorAction::kSessionReset, attributes_at);
    }
    if (withdrawn.empty() && announced.empty() && u_.error_count_ == 0) {
      if (attributes.empty()) EndOfRib(Family::kIpv4Unicast);
      if (u_.attribute_count_ == 1 && u_.attributes_[0].code == static_cast<uint8_t>(AttributeCode::kMpUnreachNlri) &&
          u_.attributes_[0].value.size() == 3) {
        EndOfRib(FamilyOf(base::LoadBe16(u_.attributes_[0].value.data()), u_.attributes_[0].value[2]));
      }
    }
  }

  void EndOfRib(Family family) {
    if (context_.families.Has(family)) u_.end_of_rib_ = family;
  }

  void ReadBodyRoutes(base::Octets routes, NlriSection* section) {
    section->family = Family::kIpv4Unicast;
    section->afi = 1;
    section->safi = 1;
    ReadRoutes(routes, section, 0);
  }

  // Checks and counts the routes of a section.
  void ReadRoutes(base::Octets routes, NlriSection* section, uint8_t attribute) {
    section->add_path = context_.add_path.Has(section->family);
    section->octets = routes;
    const NlriCheck check = CheckNlri(section->family, section->add_path, routes);
    section->count = check.count;
    const size_t at = Offset(routes) + check.offset;
    if (!context_.families.Has(section->family)) {
      Fail(UpdateFault::kFamilyNotAgreed, ErrorAction::kNone, at, attribute);
    } else if (check.ok) {
      return;
    } else if (RowOf(section->family).shape > NlriShape::kVpn && !FamilySet::LinkState().Has(section->family)) {
      Fail(UpdateFault::kUncountedNlri, ErrorAction::kNone, at, attribute);
      return;
    } else if (attribute == 0) {
      Fail(UpdateFault::kNlri, ErrorAction::kSessionReset, at, attribute);
    } else {
      FailFamily(UpdateFault::kNlri, section->family, at, attribute);
    }
    section->count = 0;
    section->octets = base::Octets();
    section->next_hop = base::Octets();
  }

  void ReadAttributes(base::Octets attributes) {
    const uint8_t* p = attributes.data();
    const uint8_t* const end = p + attributes.size();
    while (p != end) {
      const uint8_t* const start = p;
      const size_t left = static_cast<size_t>(end - p);
      const size_t header = left >= 3 && (p[0] & kFlagExtendedLength) != 0 ? 4 : 3;
      const uint8_t code = left >= 2 ? p[1] : 0;
      const size_t length = left < header ? 0 : header == 4 ? base::LoadBe16(p + 2) : p[2];
      if (left < header || length > left - header) {
        attribute_octets_ = base::Octets(start, left);
        // The routes of a multiprotocol attribute that is cut cannot be found (RFC 7606, 3.j, 4).
        Fail(UpdateFault::kAttributeOverrun,
             IsMultiprotocol(FindAttribute(code)) ? ErrorAction::kSessionReset : ErrorAction::kTreatAsWithdraw,
             Offset(attribute_octets_), code);
        return;
      }
      AttributeView attribute;
      attribute.flags = p[0];
      attribute.code = code;
      attribute.value = base::Octets(p + header, length);
      p += header + length;
      attribute_octets_ = base::Octets(start, header + length);
      ReadAttribute(attribute);
    }
  }

  void ReadAttribute(const AttributeView& attribute) {
    const AttributeRow* const row = FindAttribute(attribute.code);
    uint64_t& met = met_[attribute.code / 64];
    const uint64_t bit = uint64_t{1} << (attribute.code % 64);
    if ((met & bit) != 0) {
      return FailAttribute(UpdateFault::kDuplicate,
                           IsMultiprotocol(row) ? ErrorAction::kSessionReset : ErrorAction::kAttributeDiscard);
    }
    met |= bit;
    if (row == nullptr) {
      ++counters_.unknown_attributes;
      if ((attribute.flags & kFlagOptional) == 0) {
        return FailAttribute(UpdateFault::kUnrecognizedWellKnown, ErrorAction::kSessionReset);
      }
      return Accept(attribute);
    }
    if (row->external == FromExternal::kDiscard && context_.external) {
      return FailAttribute(UpdateFault::kFromExternal, ErrorAction::kAttributeDiscard);
    }
    if (((attribute.flags ^ static_cast<uint8_t>(row->kind)) & (kFlagOptional | kFlagTransitive)) != 0) {
      return FailAttribute(UpdateFault::kAttributeFlags, row->wrong_flags);
    }
    const size_t length = attribute.value.size();
    const bool abbreviated = rib_entry_ && row->check == AttributeCheck::kMpReachValue;
    if (!abbreviated && (length < row->least_octets || length > row->most_octets ||
                         (row->multiple_octets != 1 && length % row->multiple_octets != 0))) {
      return FailAttribute(UpdateFault::kAttributeLength, row->malformed);
    }
    if (!Check(row->check, attribute.value)) return FailAttribute(fault_, row->malformed);
    Accept(attribute);
  }

  // True if the value is right; else fault_ tells what is wrong.
  bool Check(AttributeCheck check, base::Octets value) {
    fault_ = UpdateFault::kAttributeValue;
    switch (check) {
      case AttributeCheck::kNone:
        return true;
      case AttributeCheck::kOriginValue:
        return value[0] <= 2;
      case AttributeCheck::kAsPathValue:
        return context_.as4 ? AsPathView::IsValid(value, 4)
                            : value.size() <= kMaxAs2PathOctets && AsPathView::IsValid(value, 2);
      case AttributeCheck::kAggregatorValue:
        fault_ = UpdateFault::kAttributeLength;
        if (value.size() != (context_.as4 ? 8 : 6)) return false;
        fault_ = UpdateFault::kAttributeValue;
        return (context_.as4 ? base::LoadBe32(value.data()) : base::LoadBe16(value.data())) != 0;
      case AttributeCheck::kAs4PathValue:
        fault_ = UpdateFault::kFromAs4;
        if (context_.as4) return false;
        fault_ = UpdateFault::kAttributeValue;
        return AsPathView::IsValid(value, 4);
      case AttributeCheck::kAs4AggregatorValue:
        fault_ = UpdateFault::kFromAs4;
        if (context_.as4) return false;
        fault_ = UpdateFault::kAttributeValue;
        return base::LoadBe32(value.data()) != 0;
      case AttributeCheck::kAigpValue:
        return IsAigpValid(value);
      case AttributeCheck::kLinkStateValue:
        return IsLinkStateValid(value);
      case AttributeCheck::kMpReachValue:
        ReadMpReach(value);
        return true;
      case AttributeCheck::kMpUnreachValue:
        ReadMpUnreach(value);
        return true;
    }
    return true;
  }

  void ReadMpReach(base::Octets value) {
    constexpr uint8_t kCode = static_cast<uint8_t>(AttributeCode::kMpReachNlri);
    if (rib_entry_) return ReadRibEntryNextHop(value);
    NlriSection* section = AddAnnounced();
    section->afi = base::LoadBe16(value.data());
    section->safi = value[2];
    section->family = FamilyOf(section->afi, section->safi);
    const size_t hop_octets = value[3];
    if (hop_octets + 5 > value.size() || !IsNextHopLength(section->family, hop_octets)) {
      reachable_ = true;
      return FailFamily(UpdateFault::kNextHopLength, section->family, Offset(value) + 3, kCode);
    }
    section->next_hop = value.subspan(4, hop_octets);
    const base::Octets routes = value.subspan(5 + hop_octets);
    reachable_ |= !routes.empty();
    ReadRoutes(routes, section, kCode);
  }

  // RFC 6396, 4.3.4: only the length and the next hop; some write the whole attribute, which begins with AFI's zero
  // octet (or 64 or more, which is no length).
  void ReadRibEntryNextHop(base::Octets value) {
    constexpr uint8_t kCode = static_cast<uint8_t>(AttributeCode::kMpReachNlri);
    NlriSection& section = u_.announced_[0];
    size_t at = 0;
    if (value.size() >= 5 && (value[0] == 0 || value[0] >= 64)) at = 3;
    if (value.size() <= at || value.size() - at - 1 < value[at] || !IsNextHopLength(section.family, value[at])) {
      return FailFamily(UpdateFault::kNextHopLength, section.family, Offset(value), kCode);
    }
    section.next_hop = value.subspan(at + 1, value[at]);
  }

  void ReadMpUnreach(base::Octets value) {
    NlriSection* section = AddWithdrawn();
    section->afi = base::LoadBe16(value.data());
    section->safi = value[2];
    section->family = FamilyOf(section->afi, section->safi);
    ReadRoutes(value.subspan(3), section, static_cast<uint8_t>(AttributeCode::kMpUnreachNlri));
  }

  void CheckMandatory() {
    CheckMet(AttributeCode::kOrigin);
    CheckMet(AttributeCode::kAsPath);
    if (mandatory_next_hop_) CheckMet(AttributeCode::kNextHop);
  }
  void CheckMet(AttributeCode code) {
    if (Met(code)) return;
    Fail(UpdateFault::kMissing, context_.demand_mandatory ? ErrorAction::kTreatAsWithdraw : ErrorAction::kNone, 0,
         static_cast<uint8_t>(code));
  }

  // Applies the strongest action to the sections, and counts.
  void Conclude() {
    ++counters_.actions[static_cast<size_t>(u_.action_)];
    if (u_.action_ == ErrorAction::kSessionReset) {
      u_.announced_count_ = u_.withdrawn_count_ = u_.attribute_count_ = 0;
      u_.seen_ = {};
      u_.end_of_rib_.reset();
      return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < u_.withdrawn_count_; ++i) {
      const NlriSection section = u_.withdrawn_[i];
      if (section.octets.empty() || u_.disabled_families_.Has(section.family)) continue;
      counters_.withdrawn[static_cast<size_t>(section.family)] += section.count;
      u_.withdrawn_[kept++] = section;
    }
    u_.withdrawn_count_ = kept;
    kept = 0;
    for (size_t i = 0; i < u_.announced_count_; ++i) {
      const NlriSection section = u_.announced_[i];
      if ((section.octets.empty() && !rib_entry_) || u_.disabled_families_.Has(section.family)) continue;
      const size_t family = static_cast<size_t>(section.family);
      if (treat_as_withdraw_) {
        counters_.treated_as_withdrawn[family] += section.count;
        u_.withdrawn_[u_.withdrawn_count_] = section;
        u_.withdrawn_[u_.withdrawn_count_++].next_hop = base::Octets();
      } else {
        counters_.announced[family] += section.count;
        u_.announced_[kept++] = section;
      }
    }
    u_.announced_count_ = kept;
    if (u_.end_of_rib_) ++counters_.end_of_rib[static_cast<size_t>(*u_.end_of_rib_)];
  }

  NlriSection* AddAnnounced() { return &(u_.announced_[u_.announced_count_++] = NlriSection()); }
  NlriSection* AddWithdrawn() { return &(u_.withdrawn_[u_.withdrawn_count_++] = NlriSection()); }

  base::Octets NextHop() const {
    const AttributeView* hop = u_.Find(AttributeCode::kNextHop);
    return hop != nullptr ? hop->value : base::Octets();
  }
  bool Met(AttributeCode code) const {
    return (met_[static_cast<uint8_t>(code) / 64] >> (static_cast<uint8_t>(code) % 64) & 1) != 0;
  }
  size_t Offset(base::Octets part) const { return static_cast<size_t>(part.data() - octets_.data()); }

  // Keeps an attribute at its place; senders almost always have them ascending (RFC 4271, 5).
  void Accept(const AttributeView& attribute) {
    u_.seen_[attribute.code / 64] |= uint64_t{1} << (attribute.code % 64);
    size_t at = u_.attribute_count_++;
    for (; at > 0 && u_.attributes_[at - 1].code > attribute.code; --at) u_.attributes_[at] = u_.attributes_[at - 1];
    u_.attributes_[at] = attribute;
  }

  void FailAttribute(UpdateFault fault, ErrorAction action) {
    Fail(fault, action, Offset(attribute_octets_), attribute_octets_[1]);
  }
  // Routes of a family cannot be found.
  void FailFamily(UpdateFault fault, Family family, size_t offset, uint8_t attribute) {
    const bool disable = context_.family_disable || (context_.link_state_disable && FamilySet::LinkState().Has(family));
    if (!disable) return Fail(fault, ErrorAction::kSessionReset, offset, attribute);
    u_.disabled_families_.Add(family);
    Fail(fault, ErrorAction::kFamilyDisable, offset, attribute);
  }
  void Fail(UpdateFault fault, ErrorAction action, size_t offset, uint8_t attribute = 0) {
    ++counters_.faults[static_cast<size_t>(fault)];
    if (attribute != 0) ++counters_.attribute_errors[AttributeIndex(attribute)][static_cast<size_t>(action)];
    treat_as_withdraw_ |= action == ErrorAction::kTreatAsWithdraw;
    if (action == ErrorAction::kSessionReset && u_.action_ != ErrorAction::kSessionReset) {
      u_.notification_subcode_ = SubcodeOf(fault, attribute);
      // The attribute in error, where one is (RFC 4271, 6.3); a list that is malformed has no data.
      if (attribute != 0 && u_.notification_subcode_ != kMalformedList) u_.notification_data_ = attribute_octets_;
    }
    u_.action_ = std::max(u_.action_, action);
    if (u_.error_count_ < Update::kMaxErrors) {
      u_.errors_[u_.error_count_++] = {fault, action, attribute, static_cast<uint32_t>(offset)};
    }
  }

  // RFC 4760, 7: what is wrong within a multiprotocol attribute is an Optional Attribute Error.
  static uint8_t SubcodeOf(UpdateFault fault, uint8_t attribute) {
    const uint8_t subcode = kFaults[static_cast<size_t>(fault)].subcode;
    return IsMultiprotocol(FindAttribute(attribute)) && subcode != kMalformedList ? kOptionalAttributeError : subcode;
  }
  static bool IsMultiprotocol(const AttributeRow* row) {
    return row != nullptr && row->malformed == ErrorAction::kSessionReset;
  }

  const base::Octets octets_;
  const SessionContext& context_;
  Update& u_;
  UpdateCounters& counters_;
  std::array<uint64_t, 4> met_{};
  base::Octets attribute_octets_;
  UpdateFault fault_ = UpdateFault::kAttributeValue;
  bool rib_entry_ = false;
  bool reachable_ = false;
  bool mandatory_next_hop_ = false;
  bool treat_as_withdraw_ = false;
};

void DecodeUpdate(base::Octets message, const SessionContext& context, Update* update, UpdateCounters* counters) {
  UpdateReader(message, context, update, counters).ReadMessage();
}

void DecodeRibEntry(base::Octets attributes, Family family, const SessionContext& context, Update* update,
                    UpdateCounters* counters) {
  UpdateReader(attributes, context, update, counters).ReadRibEntry(family);
}

}  // namespace flowacct::bgp
