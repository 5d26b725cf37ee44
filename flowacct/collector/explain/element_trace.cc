#include "flowacct/collector/explain/element_trace.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/flow/sflow/header_protocol.h"
#include "flowacct/flow/template/information_element.h"
#include "flowacct/flow/template/telephone_number.h"
#include "flowacct/packet/describe.h"

namespace flowacct::collector {
namespace {

using F = record::FieldId;

constexpr char kHeaders[] = "sampled_header.headers";
constexpr char kReverse[] = "reverse";  // RFC 5103, 6.1: reverseOctetDeltaCount

struct NamedElement {
  F field;
  absl::string_view name;
};

// What sFlow's and packets' elements are called that fields are made of. Within a sampled header names begin with
// kHeaders. A field may have several; the first that has its value counts.
constexpr NamedElement kNamed[] = {
    {F::kExporter, "datagram.agent_address"},
    {F::kObservationDomain, "datagram.sub_agent_id"},
    {F::kExportVersion, "datagram.version"},
    {F::kExportSequence, "datagram.sequence_number"},
    {F::kSamplingRate, "sample.sampling_rate"},
    {F::kInIf, "sample.input_value"},
    {F::kInIf, "sample.inputifindex"},
    {F::kOutIf, "sample.output_value"},
    {F::kOutIf, "sample.outputifindex"},
    {F::kSrcMac, "ethernet.source"},
    {F::kSrcMac, "sampled_ethernet.src_mac"},
    {F::kDstMac, "ethernet.destination"},
    {F::kDstMac, "sampled_ethernet.dst_mac"},
    {F::kEtype, "vlan.type"},
    {F::kEtype, "ethernet.type"},
    {F::kEtype, "sampled_ethernet.type"},
    {F::kVlan, "vlan.vlan"},
    {F::kVlan, "extended_switch.src_vlan"},
    {F::kCos, "vlan.priority"},
    {F::kCos, "extended_switch.src_priority"},
    {F::kInVlan, "extended_switch.src_vlan"},
    {F::kOutVlan, "extended_switch.dst_vlan"},
    {F::kSrcAddr, "ipv4.source"},
    {F::kSrcAddr, "ipv6.source"},
    {F::kSrcAddr, "sampled_ipv4.src_ip"},
    {F::kSrcAddr, "sampled_ipv6.src_ip"},
    {F::kDstAddr, "ipv4.destination"},
    {F::kDstAddr, "ipv6.destination"},
    {F::kDstAddr, "sampled_ipv4.dst_ip"},
    {F::kDstAddr, "sampled_ipv6.dst_ip"},
    {F::kProtocol, "ipv4.protocol"},
    {F::kProtocol, "ipv6.next_header"},
    {F::kProtocol, "sampled_ipv4.protocol"},
    {F::kProtocol, "sampled_ipv6.protocol"},
    {F::kTos, "ipv4.tos"},
    {F::kTos, "ipv6.traffic_class"},
    {F::kTos, "sampled_ipv4.tos"},
    {F::kTos, "sampled_ipv6.priority"},
    {F::kTtl, "ipv4.ttl"},
    {F::kTtl, "ipv6.hop_limit"},
    {F::kFlowLabel, "ipv6.flow_label"},
    {F::kFragmentId, "ipv4.identification"},
    {F::kBytes, "ipv4.total_length"},
    {F::kBytes, "sampled_ipv4.length"},
    {F::kBytes, "sampled_ipv6.length"},
    {F::kSrcPort, "tcp.source_port"},
    {F::kSrcPort, "udp.source_port"},
    {F::kSrcPort, "sctp.source_port"},
    {F::kSrcPort, "sampled_ipv4.src_port"},
    {F::kSrcPort, "sampled_ipv6.src_port"},
    {F::kDstPort, "tcp.destination_port"},
    {F::kDstPort, "udp.destination_port"},
    {F::kDstPort, "sctp.destination_port"},
    {F::kDstPort, "sampled_ipv4.dst_port"},
    {F::kDstPort, "sampled_ipv6.dst_port"},
    {F::kTcpFlags, "tcp.control_bits"},
    {F::kTcpFlags, "sampled_ipv4.tcp_flags"},
    {F::kTcpFlags, "sampled_ipv6.tcp_flags"},
    {F::kIcmpType, "icmp.type"},
    {F::kIcmpType, "icmpv6.type"},
    {F::kIcmpCode, "icmp.code"},
    {F::kIcmpCode, "icmpv6.code"},
    {F::kNextHop, "extended_router.nexthop"},
    {F::kSrcMask, "extended_router.src_mask_len"},
    {F::kDstMask, "extended_router.dst_mask_len"},
    {F::kBgpNextHop, "extended_gateway.nexthop"},
    {F::kSrcAs, "extended_gateway.src_as"},
    {F::kSrcAs, "extended_gateway.as"},
    {F::kPeerSrcAs, "extended_gateway.src_peer_as"},
    {F::kLocalPref, "extended_gateway.localpref"},
};

// What the registry gives no field, and a record's sampling rate is worked out from (RFC 5477, 8.2).
constexpr absl::string_view kSampling[] = {"samplingPacketInterval", "samplingPopulation", "samplingProbability"};

// Whether an element reads as the field does.
bool HasValue(const TracedElement& element, const record::RowView& row, F field) {
  const base::Octets octets = base::AsOctets(element.octets);
  const uint8_t* const value = row.octets() + row.layout().offset(field);
  switch (record::Info(field).type) {
    case record::FieldType::kAddress: {
      if (octets.size() != 4 && octets.size() != 16) return false;
      const base::IpAddress told =
          octets.size() == 4 ? base::IpAddress::FromV4(octets.data()) : base::IpAddress::FromV6(octets.data());
      return told == base::IpAddress::FromV6(value);
    }
    case record::FieldType::kDigits: {
      const flow::TelephoneNumber told = flow::TelephoneNumberOf(octets);
      return told.digits && told.digits->bits() == row.GetNumber(field);
    }
    case record::FieldType::kMac:
      return octets.size() == 6 && std::equal(octets.begin(), octets.end(), value);
    default:
      return !record::IsInterned(record::Info(field).type) && !octets.empty() && octets.size() <= 8 &&
             base::LoadBe(octets.data(), octets.size()) == row.GetNumber(field);
  }
}

// What NetFlow v5 tells in its header (netflow_decoder.cc), told before the fields of each record.
bool IsOfHeader(const TracedElement& element) {
  return !element.offset.has_value() && (element.name == "samplingAlgorithm" || element.name == "samplingInterval");
}

absl::string_view WithoutHeaders(absl::string_view name) {
  if (absl::StartsWith(name, kHeaders)) name.remove_prefix(sizeof(kHeaders));
  return name;
}

std::string TitleOf(const flow::InformationElement& element) {
  if (element.pen == flow::kIanaPen || element.pen == flow::kNetFlow9VendorPen) {
    return absl::StrCat(element.name, " (", element.id, ")");
  }
  return absl::StrCat(element.name, " (", element.pen, ":", element.id, ")");
}

// What adds the layers of a sampled header.
class HeaderListener : public record::ElementListener {
 public:
  explicit HeaderListener(ElementTrace* trace) : trace_(trace) {}
  void OnRecord(record::RecordKind, uint16_t) override {}
  void OnElement(const record::Element& element) override { trace_->Add(element); }
  void OnListBegin(absl::string_view name) override { trace_->BeginList(name); }
  void OnListEnd() override { trace_->EndList(); }
  void OnRecordEnd(size_t) override {}

 private:
  ElementTrace* trace_;
};

}  // namespace

void ElementTrace::Begin(base::Octets whole) {
  whole_ = whole;
  lists_.clear();
  elements_.clear();
  fields_ = 0;
  header_protocol_ = 0;
}

void ElementTrace::BeginList(absl::string_view name) {
  if (lists_.empty()) ++fields_;
  lists_.emplace_back(name);
}
void ElementTrace::EndList() {
  if (!lists_.empty()) lists_.pop_back();
}

void ElementTrace::Add(const record::Element& element) {
  TracedElement& traced = elements_.emplace_back();
  traced.name = absl::StrCat(absl::StrJoin(lists_, "."), lists_.empty() ? "" : ".", element.name);
  traced.type = element.type;
  traced.octets = std::string(base::AsText(element.octets));
  traced.nested = !lists_.empty();
  const std::less_equal<const uint8_t*> before;  // pointers that may be of different objects
  if (before(whole_.data(), element.octets.data()) &&
      before(element.octets.data() + element.octets.size(), whole_.data() + whole_.size())) {
    traced.offset = static_cast<size_t>(element.octets.data() - whole_.data());
  }
  if (lists_.empty() && !IsOfHeader(traced)) traced.position = ++fields_;
  if (element.name == "sampled_header.protocol" && element.octets.size() == 4) {
    header_protocol_ = base::LoadBe32(element.octets.data());
  } else if (element.name == "sampled_header.header") {
    AddHeaders(element.octets);
  }
}

void ElementTrace::AddHeaders(base::Octets header) {
  const sflow::HeaderProtocol* protocol = sflow::FindHeaderProtocol(static_cast<uint32_t>(header_protocol_));
  if (protocol == nullptr || !protocol->link_type.has_value()) return;
  (void)packet::Parse(*protocol->link_type, header, static_cast<uint32_t>(header.size()), &view_);
  HeaderListener listener(this);
  BeginList(kHeaders);
  packet::Describe(view_, &listener);
  EndList();
}

FoundElement ElementTrace::Find(const record::RowView& row, record::FieldId field, bool by_template,
                                bool reverse) const {
  if (!by_template) return {FindByValue(row, field), false};
  const FoundElement found = FindByRegistry(row, field, reverse);
  if (found.element != nullptr || field != F::kSamplingRate) return found;
  for (const TracedElement& element : elements_) {
    if (std::find(std::begin(kSampling), std::end(kSampling), element.name) != std::end(kSampling)) {
      return {&element, true};
    }
  }
  return {};
}

// Of several the lowest rank counts, but one that has the value before those that have not: where IPv4 and IPv6 are
// side by side in a template, one of the two is zeros.
FoundElement ElementTrace::FindByRegistry(const record::RowView& row, record::FieldId field, bool reverse) const {
  const TracedElement* best = nullptr;
  std::pair<bool, int> best_order;
  for (const TracedElement& traced : elements_) {
    if (traced.nested || traced.octets.empty()) continue;
    absl::string_view name = traced.name;
    const bool of_reverse = absl::StartsWith(name, kReverse);
    if (of_reverse != reverse) continue;
    if (of_reverse) name.remove_prefix(sizeof(kReverse) - 1);
    const flow::InformationElement* element = flow::FindInformationElement(name);
    if (element == nullptr || element->field != field) continue;
    const std::pair<bool, int> order = {!HasValue(traced, row, field), element->rank};
    if (best != nullptr && order >= best_order) continue;
    best = &traced;
    best_order = order;
  }
  return {best, best != nullptr && best_order.first};
}

std::optional<size_t> ElementTrace::offset() const {
  std::optional<size_t> first;
  for (const TracedElement& element : elements_) {
    if (element.offset.has_value() && (!first.has_value() || *element.offset < *first)) first = element.offset;
  }
  return first;
}

std::string ElementTrace::Tellers(record::FieldId field, bool by_template, bool* there) const {
  constexpr size_t kMaxNames = 4;
  std::vector<std::string> names;
  std::vector<std::string> present;
  const auto add = [&](absl::string_view name, const std::string& title) {
    names.push_back(title);
    for (const TracedElement& element : elements_) {
      if (WithoutHeaders(element.name) == name) present.push_back(title);
    }
  };
  if (by_template) {
    for (const flow::InformationElement& element : flow::InformationElements()) {
      if (element.field == field) add(element.name, TitleOf(element));
    }
  } else {
    for (const NamedElement& named : kNamed) {
      if (named.field == field) add(named.name, std::string(named.name));
    }
  }
  *there = !present.empty();
  std::vector<std::string>& told = present.empty() ? names : present;
  const bool more = told.size() > kMaxNames;
  if (more) told.resize(kMaxNames);
  return absl::StrCat(absl::StrJoin(told, ", "), more ? ", ..." : "");
}

const TracedElement* ElementTrace::FindByValue(const record::RowView& row, record::FieldId field) const {
  for (const NamedElement& named : kNamed) {
    if (named.field != field) continue;
    for (const TracedElement& element : elements_) {
      if (WithoutHeaders(element.name) == named.name && HasValue(element, row, field)) return &element;
    }
  }
  return nullptr;
}

std::optional<ElementNumber> NumberOf(const TracedElement& element) {
  const flow::InformationElement* known = flow::FindInformationElement(element.name);
  if (known == nullptr) return std::nullopt;
  return ElementNumber{known->pen, known->id};
}

std::string ElementTitle(const TracedElement& element, bool by_template) {
  const flow::InformationElement* known = by_template ? flow::FindInformationElement(element.name) : nullptr;
  return known == nullptr ? element.name : TitleOf(*known);
}

}  // namespace flowacct::collector
