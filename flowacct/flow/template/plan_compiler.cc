#include "flowacct/flow/template/plan_compiler.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/row.h"

namespace flowacct::flow {
namespace {

using record::FieldId;
using record::FieldType;

// Elements that stand in for a field which elements.tsv gives to others, when none of those is there.
struct Substitute {
  uint16_t element;
  FieldId field;
};
constexpr uint16_t kSubstituteRank = 1000;
constexpr Substitute kSubstitutes[] = {
    {252, FieldId::kInIf},   // ingressPhysicalInterface: no logical one was told
    {253, FieldId::kOutIf},  // egressPhysicalInterface
    {23, FieldId::kBytes},   // postOctetDeltaCount: an egress exporter that tells nothing else
    {24, FieldId::kPackets},  {171, FieldId::kBytes},  // postOctetTotalCount
    {172, FieldId::kPackets},
};

// What an element tells when it occurs a second time: the header inside a tunnel (RFC 7011, 8: elements that occur more
// than once follow the order in which the Metering Process met them; outer headers come first).
constexpr std::pair<FieldId, FieldId> kInside[] = {
    {FieldId::kSrcMac, FieldId::kTunnelSrcMac},     {FieldId::kDstMac, FieldId::kTunnelDstMac},
    {FieldId::kSrcAddr, FieldId::kTunnelSrcAddr},   {FieldId::kDstAddr, FieldId::kTunnelDstAddr},
    {FieldId::kProtocol, FieldId::kTunnelProtocol}, {FieldId::kTos, FieldId::kTunnelTos},
    {FieldId::kSrcPort, FieldId::kTunnelSrcPort},   {FieldId::kDstPort, FieldId::kTunnelDstPort},
    {FieldId::kTcpFlags, FieldId::kTunnelTcpFlags}, {FieldId::kFlowLabel, FieldId::kTunnelFlowLabel},
};

std::optional<FieldId> Inside(FieldId field) {
  for (const auto& [outside, inside] : kInside) {
    if (field == outside) return inside;
  }
  return std::nullopt;
}

// The other direction's side of a field, for reverse rows.
constexpr std::pair<FieldId, FieldId> kSides[] = {
    {FieldId::kSrcMac, FieldId::kDstMac},
    {FieldId::kInVlan, FieldId::kOutVlan},
    {FieldId::kInCvlan, FieldId::kOutCvlan},
    {FieldId::kSrcAddr, FieldId::kDstAddr},
    {FieldId::kSrcMask, FieldId::kDstMask},
    {FieldId::kSrcNet, FieldId::kDstNet},
    {FieldId::kSrcPort, FieldId::kDstPort},
    {FieldId::kSrcAs, FieldId::kDstAs},
    {FieldId::kSrcAsPath, FieldId::kAsPath},
    {FieldId::kSrcStdComm, FieldId::kStdComm},
    {FieldId::kSrcExtComm, FieldId::kExtComm},
    {FieldId::kSrcLrgComm, FieldId::kLrgComm},
    {FieldId::kPeerSrcAs, FieldId::kPeerDstAs},
    {FieldId::kPostNatSrcAddr, FieldId::kPostNatDstAddr},
    {FieldId::kPostNatSrcPort, FieldId::kPostNatDstPort},
    {FieldId::kTunnelSrcMac, FieldId::kTunnelDstMac},
    {FieldId::kTunnelSrcAddr, FieldId::kTunnelDstAddr},
    {FieldId::kTunnelSrcPort, FieldId::kTunnelDstPort},
    {FieldId::kInVrf, FieldId::kOutVrf},
    {FieldId::kInVrfName, FieldId::kOutVrfName},
    {FieldId::kInIf, FieldId::kOutIf},
    {FieldId::kInPhysIf, FieldId::kOutPhysIf},
    {FieldId::kInIfName, FieldId::kOutIfName},
};

FieldId OtherSide(FieldId field) {
  for (const auto& [a, b] : kSides) {
    if (field == a) return b;
    if (field == b) return a;
  }
  return field;
}

// What an element of the forward direction does not tell of the reverse one (RFC 5103, 4: non-key fields have
// their own reverse elements).
constexpr FieldId kOwnOfDirection[] = {
    FieldId::kPackets,
    FieldId::kBytes,
    FieldId::kFlows,
    FieldId::kDroppedPackets,
    FieldId::kDroppedBytes,
    FieldId::kPostPackets,
    FieldId::kPostBytes,
    FieldId::kTcpFlags,
    FieldId::kTos,
    FieldId::kTtl,
    FieldId::kMinTtl,
    FieldId::kMaxTtl,
    FieldId::kFlowLabel,
    FieldId::kTunnelTos,
    FieldId::kTunnelTcpFlags,
    FieldId::kTunnelFlowLabel,
    FieldId::kIcmpType,
    FieldId::kIcmpCode,
    FieldId::kMinPacketLength,
    FieldId::kFragmentId,
    FieldId::kFragmentOffset,
    FieldId::kMaxPacketLength,
    FieldId::kNextHop,
    FieldId::kBgpNextHop,
    FieldId::kFwdStatus,
    FieldId::kDirection,
};

bool IsOwnOfDirection(FieldId field) {
  return std::find(std::begin(kOwnOfDirection), std::end(kOwnOfDirection), field) != std::end(kOwnOfDirection);
}

// Told by the message, never by an element (exporterIPv4Address in a record is what a mediator relays; `exporter` is
// who sent); or made of several elements by a step of their own.
bool HasOwnSteps(FieldId field) {
  switch (field) {
    case FieldId::kExporter:
    case FieldId::kObservationDomain:
    case FieldId::kExportVersion:
    case FieldId::kExportSequence:
    case FieldId::kTemplateId:
    case FieldId::kArrivalTime:
    case FieldId::kExportTime:
    case FieldId::kSamplingRate:
    case FieldId::kSamplingSource:
    case FieldId::kIcmpType:
    case FieldId::kIcmpCode:
    case FieldId::kMplsLabelStack:
    case FieldId::kMplsLabelBottom:
      return true;
    default:
      return false;
  }
}

// Elements whose octets are a part of a packet (RFC 5477, 8.5).
constexpr uint16_t kIpHeaderPacketSection = 313;
constexpr uint16_t kDataLinkFrameSection = 315;
constexpr uint16_t kMplsLabelStackSection = 316;

enum class Family : uint8_t { kNone, kV4, kV6 };

Family FamilyOf(const InformationElement& element) {
  if (element.type == AbstractType::kIpv4Address || absl::StrContains(element.name, "IPv4")) return Family::kV4;
  if (element.type == AbstractType::kIpv6Address || absl::StrContains(element.name, "IPv6")) return Family::kV6;
  return Family::kNone;
}

bool IsUnsigned(AbstractType type) {
  return type == AbstractType::kUnsigned8 || type == AbstractType::kUnsigned16 || type == AbstractType::kUnsigned32 ||
         type == AbstractType::kUnsigned64 || type == AbstractType::kBoolean;
}

Conversion TimeConversion(const InformationElement& element) {
  if (element.pen == kIanaPen) {
    if (element.id == 21 || element.id == 22) return Conversion::kUptime;
    if (element.id == 158 || element.id == 159) return Conversion::kBeforeExport;
  }
  switch (element.type) {
    case AbstractType::kDateTimeSeconds:
      return Conversion::kSeconds;
    case AbstractType::kDateTimeMilliseconds:
      return Conversion::kMilliseconds;
    case AbstractType::kDateTimeMicroseconds:
      return Conversion::kMicroseconds;
    case AbstractType::kDateTimeNanoseconds:
      return Conversion::kNanoseconds;
    default:
      return Conversion::kNone;
  }
}

Conversion ConversionOf(const InformationElement& element, FieldId target) {
  const FieldType type = record::Info(target).type;
  switch (type) {
    case FieldType::kTime:
      return TimeConversion(element);
    case FieldType::kAddress:
      if (element.type == AbstractType::kIpv4Address) return Conversion::kAddressV4;
      if (element.type == AbstractType::kIpv6Address) return Conversion::kAddressV6;
      return Conversion::kNone;
    case FieldType::kPrefix:
      if (element.type == AbstractType::kIpv4Address) return Conversion::kPrefixV4;
      if (element.type == AbstractType::kIpv6Address) return Conversion::kPrefixV6;
      return Conversion::kNone;
    case FieldType::kMac:
      return element.type == AbstractType::kMacAddress ? Conversion::kMac : Conversion::kNone;
    case FieldType::kString:
      return element.type == AbstractType::kString || element.type == AbstractType::kOctetArray ? Conversion::kText
                                                                                                : Conversion::kNone;
    case FieldType::kOctets:
      return Conversion::kOctets;
    case FieldType::kDigits:
      return element.type == AbstractType::kString || element.type == AbstractType::kOctetArray ? Conversion::kDigits
                                                                                                : Conversion::kNone;
    case FieldType::kAsPath:
    case FieldType::kCommunities:
    case FieldType::kExtCommunities:
    case FieldType::kLargeCommunities:
      return element.type == AbstractType::kBasicList ? Conversion::kList : Conversion::kNone;
    case FieldType::kRouteDistinguisher:
      return Conversion::kNumber;
    default:
      break;
  }
  if (target == FieldId::kMplsLabelTop) return Conversion::kTopLabel;
  if (record::FieldTypeSize(type) <= 8 && !record::IsInterned(type) && IsUnsigned(element.type)) {
    return Conversion::kNumber;
  }
  return Conversion::kNone;
}

// Octets of a member of a list; 0: AS numbers, of any width.
uint16_t MemberOctets(FieldId target) {
  switch (record::Info(target).type) {
    case FieldType::kCommunities:  // RFC 1997
      return 4;
    case FieldType::kExtCommunities:  // RFC 4360
      return 8;
    case FieldType::kLargeCommunities:  // RFC 8092
      return 12;
    default:
      return 0;
  }
}

}  // namespace

// Which fields are of an inner header: an element that was there before; and where there are two protocols and one pair
// of addresses of each family, so that neither element is there twice, the later pair.
void PlanCompiler::FindInnerFields() {
  inner_.assign(format_.fields.size(), false);
  auto count = [&](uint16_t element) {
    return std::count_if(format_.fields.begin(), format_.fields.end(),
                         [&](const TemplateField& field) { return field.Is(kIanaPen, element) && field.length > 0; });
  };
  const bool families_differ = count(4) == 2 && count(8) == 1 && count(12) == 1 && count(27) == 1 && count(28) == 1;
  absl::flat_hash_set<std::pair<uint32_t, uint16_t>> elements;
  absl::flat_hash_set<FieldId> addresses;  // where families differ
  for (size_t i = 0; i < format_.fields.size(); ++i) {
    const TemplateField& field = format_.fields[i];
    if (field.element == nullptr || field.length == 0 || !field.element->field.has_value()) continue;
    const FieldId target = *field.element->field;
    if (!Inside(target).has_value()) continue;
    inner_[i] = !elements.insert({field.pen, field.id}).second;
    if (families_differ && field.pen == kIanaPen && (target == FieldId::kSrcAddr || target == FieldId::kDstAddr)) {
      inner_[i] = !addresses.insert(target).second;
    }
  }
}

template <typename Visitor>
void PlanCompiler::VisitTargets(size_t index, Visitor visit) const {
  const TemplateField& field = format_.fields[index];
  if (field.element == nullptr || field.length == 0 || field.scope) return;
  const bool iana = field.element->pen == kIanaPen;
  std::optional<FieldId> told = field.element->field;
  if (inner_[index]) told = Inside(*told);
  auto visit_direct = [&] {
    if (told.has_value()) visit(*told, field.element->rank);
    for (const Substitute& substitute : kSubstitutes) {
      if (iana && field.id == substitute.element) visit(substitute.field, kSubstituteRank);
    }
  };
  if (direction_ == PlanDirection::kForward) {
    if (!field.reverse()) visit_direct();
    return;
  }
  if (field.reverse()) {
    visit_direct();
  } else if (field.pen == kIanaPen && field.id == 232) {  // responderOctets
    visit(FieldId::kBytes, 2);
  } else if (field.pen == kIanaPen && field.id == 299) {  // responderPackets
    visit(FieldId::kPackets, 2);
  } else if (told.has_value() && !IsOwnOfDirection(*told)) {
    // Behind the reverse elements: a time or attribute that was told once is of both directions.
    visit(OtherSide(*told), static_cast<uint16_t>(field.element->rank + kSubstituteRank));
  }
}

void PlanCompiler::CollectFields() {
  for (size_t i = 0; i < format_.fields.size(); ++i) {
    VisitTargets(i, [&](FieldId target, uint16_t rank) {
      if (!layout_.Has(target) || HasOwnSteps(target)) return;
      candidates_[static_cast<size_t>(target)].push_back({static_cast<uint16_t>(i), rank});
    });
  }
  for (auto& candidates : candidates_) {
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.rank < b.rank; });
  }
}

PlanStep PlanCompiler::StepTo(FieldId target) const {
  PlanStep step;
  const uint16_t index = layout_.index(target);
  step.target = layout_.offset(target);
  step.presence = index >> 3;
  step.presence_mask = static_cast<uint8_t>(1 << (index & 7));
  step.target_size = static_cast<uint8_t>(record::FieldTypeSize(record::Info(target).type));
  return step;
}

void PlanCompiler::Add(PlanKernel kernel, FieldId target, uint16_t source, uint16_t second, uint16_t constant) {
  PlanStep step = StepTo(target);
  step.kernel = kernel;
  step.source = source;
  step.second = second;
  step.constant = constant;
  plan_->steps_.push_back(step);
}

bool PlanCompiler::Find(uint16_t element, uint16_t* source) const {
  const int found = format_.Find(kIanaPen, element);
  if (found < 0 || format_.fields[found].length == 0) return false;
  *source = static_cast<uint16_t>(found);
  return true;
}

void PlanCompiler::CompileField(FieldId target) {
  const std::vector<Candidate>& candidates = candidates_[static_cast<size_t>(target)];
  const uint8_t target_size = static_cast<uint8_t>(record::FieldTypeSize(record::Info(target).type));
  const InformationElement* winner = nullptr;
  for (const Candidate& candidate : candidates) {
    const TemplateField& field = format_.fields[candidate.source];
    const Conversion conversion = ConversionOf(*field.element, target);
    if (winner != nullptr) {
      // IPv4 and IPv6 side by side: records of the other family have zeros here. So have the ingress counters of what
      // an exporter saw only on its way out.
      const Family family = FamilyOf(*field.element);
      const bool other_family =
          family != Family::kNone && FamilyOf(*winner) != Family::kNone && FamilyOf(*winner) != family;
      const bool substitute = candidate.rank == kSubstituteRank && direction_ == PlanDirection::kForward;
      if (!other_family && !substitute) continue;
      const PlanKernel kernel = FindFallbackKernel(conversion, field.length, target_size);
      if (kernel != nullptr) Add(kernel, target, candidate.source);
      continue;
    }
    PlanKernel kernel = FindKernel(conversion, field.length, target_size);
    if (target == FieldId::kMplsVpnRd && field.length != 8) kernel = nullptr;
    uint16_t second = kNoField;
    if (conversion == Conversion::kUptime) {
      Find(160, &second);  // systemInitTimeMilliseconds
    } else if (conversion == Conversion::kPrefixV4 || conversion == Conversion::kPrefixV6) {
      const bool source_side = field.id == 44 || field.id == 170;
      const bool v4 = conversion == Conversion::kPrefixV4;
      if (!Find(source_side ? (v4 ? 9 : 29) : (v4 ? 13 : 30), &second)) kernel = nullptr;
    }
    if (kernel == nullptr) {
      ++plan_->unusable_fields_;
      continue;
    }
    winner = field.element;
    Add(kernel, target, candidate.source, second, MemberOctets(target));
    if (AlwaysSets(conversion, field.length, target_size)) {
      const PlanStep& step = plan_->steps_.back();
      plan_->prototype_[step.presence] |= step.presence_mask;
      if (conversion == Conversion::kAddressV4) {
        plan_->prototype_[step.target + 10] = plan_->prototype_[step.target + 11] = 0xff;
      }
    }
  }
}

void PlanCompiler::CompileSections() {
  if (direction_ == PlanDirection::kReverse) return;
  bool has_packet = false;
  for (uint16_t element : {kIpHeaderPacketSection, kDataLinkFrameSection, kMplsLabelStackSection}) {
    uint16_t source, full_length = kNoField, exported = kNoField;
    if (!Find(element, &source)) continue;
    if (element == kDataLinkFrameSection) {
      Find(312, &full_length);  // dataLinkFrameSize
    } else if (element == kIpHeaderPacketSection) {
      Find(224, &full_length);  // ipTotalLength
    }
    Find(410, &exported);  // sectionExportedOctets
    has_packet |= element != kMplsLabelStackSection;
    PlanStep step;
    step.kernel = SectionKernel;
    step.source = source;
    step.second = full_length;
    step.third = exported;
    step.constant = element;
    plan_->steps_.push_back(step);
  }
  if (!has_packet) return;
  // A packet report (RFC 5476, 6.4) is of one packet, and of no flow.
  record::MutableRow prototype(&layout_, plan_->prototype_.data());
  if (!HasCandidates(FieldId::kPackets)) prototype.Set<FieldId::kPackets>(1);
  if (!HasCandidates(FieldId::kFlows)) prototype.Unset(FieldId::kFlows);
}

void PlanCompiler::CompileIpVersion() {
  if (!layout_.Has(FieldId::kIpVersion) || HasCandidates(FieldId::kIpVersion)) return;
  uint16_t v4 = kNoField, v6 = kNoField;
  if (!Find(8, &v4)) Find(12, &v4);
  if (!Find(27, &v6)) Find(28, &v6);
  if (v4 == kNoField && v6 == kNoField) return;
  record::MutableRow(&layout_, plan_->prototype_.data()).Set<FieldId::kIpVersion>(v4 == kNoField ? 6 : 4);
  if (v4 != kNoField && v6 != kNoField) Add(IpVersionKernel, FieldId::kIpVersion, v6);
}

void PlanCompiler::CompileIcmp() {
  if (direction_ == PlanDirection::kReverse) return;
  uint16_t protocol = kNoField;
  Find(4, &protocol);
  struct Source {
    uint16_t element, type_octet, code_octet;
  };
  constexpr uint16_t kNotThere = 0xffff;
  constexpr Source kSources[] = {{176, 0, kNotThere}, {178, 0, kNotThere}, {177, kNotThere, 0},
                                 {179, kNotThere, 0}, {32, 0, 1},          {139, 0, 1}};
  bool found = false;
  auto add = [&](const Source& source) {
    uint16_t field;
    if (!Find(source.element, &field)) return;
    const uint16_t length = format_.fields[field].length;
    const bool two = source.type_octet != kNotThere && source.code_octet != kNotThere;
    if (length != (two ? 2 : 1)) return;
    found = true;
    if (layout_.Has(FieldId::kIcmpType) && source.type_octet != kNotThere) {
      Add(IcmpKernel, FieldId::kIcmpType, field, protocol, source.type_octet);
    }
    if (layout_.Has(FieldId::kIcmpCode) && source.code_octet != kNotThere) {
      Add(IcmpKernel, FieldId::kIcmpCode, field, protocol, source.code_octet);
    }
  };
  for (const Source& source : kSources) add(source);
  // NetFlow tells type * 256 + code in the destination port.
  if (!found && version_ < 10 && protocol != kNoField) add({11, 0, 1});
}

void PlanCompiler::CompileDurations() {
  uint16_t duration;
  uint16_t unit = 0;
  if (!Find(161, &duration)) {  // flowDurationMilliseconds
    if (!Find(162, &duration)) return;
    unit = 1;  // flowDurationMicroseconds
  }
  if (!layout_.Has(FieldId::kStartTime) || !layout_.Has(FieldId::kEndTime)) return;
  if (HasCandidates(FieldId::kStartTime)) Add(EndFromDurationKernel, FieldId::kEndTime, kNoField, duration, unit);
  if (HasCandidates(FieldId::kEndTime)) Add(StartFromDurationKernel, FieldId::kStartTime, kNoField, duration, unit);
}

void PlanCompiler::CompileNames() {
  struct Lookup {
    FieldId field;
    NameKind kind;
    uint16_t elements[2];
  };
  constexpr Lookup kLookups[] = {
      {FieldId::kInIfName, NameKind::kInterface, {10, 252}},    {FieldId::kOutIfName, NameKind::kInterface, {14, 253}},
      {FieldId::kInVrfName, NameKind::kVrf, {234, 0}},          {FieldId::kOutVrfName, NameKind::kVrf, {235, 0}},
      {FieldId::kApplication, NameKind::kApplication, {95, 0}},
  };
  for (const Lookup& lookup : kLookups) {
    const FieldId target = direction_ == PlanDirection::kForward ? lookup.field : OtherSide(lookup.field);
    if (!layout_.Has(target) || HasCandidates(target)) continue;
    for (uint16_t element : lookup.elements) {
      uint16_t source;
      if (element == 0 || !Find(element, &source)) continue;
      Add(NameKernel, target, source, kNoField, static_cast<uint16_t>(lookup.kind));
      break;
    }
  }
}

// Options data tell it of a VRF (RFC 7012: 90 with 234 or 235); records tell their VRFs. That of the way in comes
// first, as it is where the traffic's owner is attached.
void PlanCompiler::CompileRouteDistinguisher() {
  if (!layout_.Has(FieldId::kMplsVpnRd) || HasCandidates(FieldId::kMplsVpnRd)) return;
  uint16_t in = kNoField, out = kNoField;
  Find(234, &in);   // ingressVRFID
  Find(235, &out);  // egressVRFID
  if (direction_ == PlanDirection::kReverse) std::swap(in, out);
  if (in == kNoField) std::swap(in, out);
  if (in != kNoField) Add(RouteDistinguisherKernel, FieldId::kMplsVpnRd, in, out);
}

void PlanCompiler::CompileLabels() {
  if (direction_ == PlanDirection::kReverse) return;
  for (uint16_t element = 70; element <= 79; ++element) {
    uint16_t source;
    if (Find(element, &source)) plan_->label_fields_.push_back(source);
  }
  if (plan_->label_fields_.empty()) return;
  const uint16_t first = plan_->label_fields_.front();
  if (layout_.Has(FieldId::kMplsLabelBottom)) Add(BottomLabelKernel, FieldId::kMplsLabelBottom, first);
  if (layout_.Has(FieldId::kMplsLabelStack)) Add(LabelStackKernel, FieldId::kMplsLabelStack, first);
}

void PlanCompiler::CompileSampling() {
  DecodePlan::SamplingFields& fields = plan_->sampling_fields_;
  Find(34, &fields.interval);
  Find(50, &fields.random_interval);
  Find(305, &fields.packet_interval);
  Find(306, &fields.packet_space);
  Find(309, &fields.size);
  Find(310, &fields.population);
  Find(311, &fields.probability);
  if (!Find(302, &fields.selector)) Find(48, &fields.selector);
  Find(10, &fields.interface);
  if (layout_.Has(FieldId::kSamplingRate)) Add(SamplingKernel, FieldId::kSamplingRate, kNoField, kNoField, 0);
  if (layout_.Has(FieldId::kSamplingSource)) Add(SamplingKernel, FieldId::kSamplingSource, kNoField, kNoField, 1);
}

// Elements that a configuration asks for, known to the registry or not; the first of a template counts.
void PlanCompiler::CompileCustom() {
  if (layout_.custom_fields() == nullptr) return;
  const absl::Span<const record::CustomField> custom = layout_.custom_fields()->fields();
  for (size_t i = 0; i < custom.size(); ++i) {
    if (!custom[i].has_element || !layout_.Has(custom[i].field)) continue;
    const int source = format_.Find(custom[i].pen, custom[i].element);
    if (source < 0 || format_.fields[source].length == 0) continue;
    Add(CustomKernel, custom[i].field, static_cast<uint16_t>(source), kNoField, static_cast<uint16_t>(i));
  }
}

void PlanCompiler::CompileConstants() {
  record::MutableRow prototype(&layout_, plan_->prototype_.data());
  if (!HasCandidates(FieldId::kFlows)) prototype.Set<FieldId::kFlows>(1);
}

void PlanCompiler::Compile() {
  FindInnerFields();
  CollectFields();
  CompileConstants();
  // First the packet sections, so that what the record says itself stands over them.
  CompileSections();
  for (FieldId field : layout_.fields()) CompileField(field);
  CompileIpVersion();
  CompileIcmp();
  CompileDurations();
  CompileNames();
  CompileRouteDistinguisher();
  CompileLabels();
  CompileCustom();
  CompileSampling();
  if (direction_ == PlanDirection::kReverse) {
    for (size_t i = 0; i < format_.fields.size(); ++i) {
      VisitTargets(i, [&](FieldId target, uint16_t) {
        if (target != FieldId::kPackets && target != FieldId::kBytes) return;
        plan_->reverse_counters_.push_back(static_cast<uint16_t>(i));
      });
    }
  }
}

bool DecodePlan::HasReverse(const Template& format) {
  bool forward_pair = true;
  for (const TemplateField& field : format.fields) {
    if (field.reverse() && field.length > 0 && field.element != nullptr && field.element->field.has_value() &&
        (*field.element->field == FieldId::kBytes || *field.element->field == FieldId::kPackets)) {
      return true;
    }
    // Where octetDeltaCount and the like are told as well, they are the sum of both directions or the forward one, and
    // the initiator's counters are not what fills the forward row: one row then.
    if (field.pen == kIanaPen && (field.id == 1 || field.id == 2)) forward_pair = false;
  }
  return forward_pair && (format.Find(kIanaPen, 232) >= 0 || format.Find(kIanaPen, 299) >= 0);
}

}  // namespace flowacct::flow
