#include "flowacct/flow/sflow/flow_row.h"

#include <algorithm>
#include <iterator>

#include "flowacct/flow/sflow/header_protocol.h"
#include "flowacct/flow/sflow/record_format.h"

namespace flowacct::sflow {

namespace {

using base::DecodeCode;
using base::DecodeResult;
using base::Octets;
using record::FieldId;

constexpr uint32_t kMaxVlan = 4094;  // IEEE 802.1Q, table 9-2: 4095 is reserved
constexpr uint16_t kEtherTypeIpv4 = 0x0800;
constexpr uint16_t kEtherTypeIpv6 = 0x86dd;

// The protocols whose first four octets are ports.
bool HasPorts(uint32_t protocol) {
  return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

// The formats of sampled transactions of applications: sflow_host.txt, sflow_http.txt, sflow_application.txt and
// sflow_memcache.txt have 2000 to 2207.
bool IsTransaction(uint32_t data_format) { return data_format >= 2000 && data_format <= 2207; }

void Keep(DecodeResult* first, const DecodeResult& result, base::DecodeCounters* errors) {
  if (result.ok()) return;
  errors->Count(result.code);
  if (first->ok()) *first = result;
}

}  // namespace

struct FlowRow::Filler {
  uint32_t data_format;
  DecodeResult (FlowRow::*fill)(const RecordView&);
};

// Ascending. The formats that are not here say nothing that a field holds; they are told to listeners.
const FlowRow::Filler FlowRow::kFillers[] = {
    {SampledEthernetView::kFormat, &FlowRow::FillEthernet},
    {SampledIpView::kFormatIpv4, &FlowRow::FillIp},
    {SampledIpView::kFormatIpv6, &FlowRow::FillIp},
    {ExtendedSwitchView::kFormat, &FlowRow::FillSwitch},
    {ExtendedRouterView::kFormat, &FlowRow::FillRouter},
    {ExtendedGatewayView::kFormat, &FlowRow::FillGateway},
    {ExtendedUserView::kFormat, &FlowRow::FillUser},
    {ExtendedUrlView::kFormat, &FlowRow::FillUrl},
    {ExtendedMplsView::kFormat, &FlowRow::FillMpls},
    {ExtendedNatView::kFormat, &FlowRow::FillNat},
    {ExtendedVlanStackView::kTunnel, &FlowRow::FillVlanTunnel},
    {ExtendedNatPortView::kFormat, &FlowRow::FillNatPort},
    {NumberView::kVniEgress, &FlowRow::FillVni},
    {NumberView::kVniIngress, &FlowRow::FillVni},
    {ExtendedVlanStackView::kIn, &FlowRow::FillVlanIn},
    {ExtendedVlanStackView::kOut, &FlowRow::FillVlanOut},
    {ExtendedSocketView::kIpv4, &FlowRow::FillSocket},
    {ExtendedSocketView::kIpv6, &FlowRow::FillSocket},
    {HttpRequestView::kFormat, &FlowRow::FillHttp},
};

const FlowRow::Filler* FlowRow::FindFiller(uint32_t data_format) {
  const auto* it = std::lower_bound(std::begin(kFillers), std::end(kFillers), data_format,
                                    [](const Filler& row, uint32_t wanted) { return row.data_format < wanted; });
  return it != std::end(kFillers) && it->data_format == data_format ? it : nullptr;
}

FlowRow::FlowRow(const record::Layout* layout, base::Interner* interner, const packet::PacketDecoderOptions& options,
                 uint32_t max_as_path_length)
    : layout_(layout),
      interner_(interner),
      packets_(layout, interner, options),
      max_as_path_length_(max_as_path_length),
      row_(layout, nullptr) {
  octets_.reserve(4096);
}

void FlowRow::Rebind(const record::Layout* layout, base::Interner* interner) {
  layout_ = layout;
  interner_ = interner;
  packets_.Rebind(layout, interner);
}

DecodeResult FlowRow::Fill(const SampleView& sample, absl::Span<const RecordView> records, int64_t time_nanos,
                           record::MutableRow row, record::ExporterCounters* counters) {
  row_ = row;
  time_nanos_ = time_nanos;
  has_packet_ = has_ip_ = has_link_ = bytes_known_ = false;
  bool application = false;
  DecodeResult first;
  for (const RecordView& record : records) {
    // A second one would be a second packet; the first is the outermost.
    if (record.data_format() == SampledHeaderView::kFormat && !has_packet_)
      Keep(&first, FillHeader(record), &counters->errors);
  }
  for (const RecordView& record : records) {
    if (record.data_format() == SampledHeaderView::kFormat) continue;
    application |= IsTransaction(record.data_format());
    const Filler* filler = FindFiller(record.data_format());
    if (filler != nullptr) {
      Keep(&first, (this->*filler->fill)(record), &counters->errors);
    } else if (FindFlowFormat(record.version(), record.data_format()) == nullptr) {
      ++counters->unknown_records;
    }
  }
  FillInterfaces(sample);
  if (sample.kind() == SampleKind::kDiscardedPacket) {
    row_.Set<FieldId::kDroppedPackets>(1);
    if (bytes_known_) row_.Set<FieldId::kDroppedBytes>(bytes_);
  } else if (has_packet_ || !application) {
    row_.Set<FieldId::kPackets>(1);
    if (bytes_known_) row_.Set<FieldId::kBytes>(bytes_);
  }
  return first;
}

void FlowRow::FillInterfaces(const SampleView& sample) {
  const std::optional<uint32_t> in = sample.input().IfIndex();
  const std::optional<uint32_t> out = sample.output().IfIndex();
  if (in.has_value()) row_.Set<FieldId::kInIf>(*in);
  if (out.has_value()) row_.Set<FieldId::kOutIf>(*out);
  if (sample.kind() == SampleKind::kDiscardedPacket) {
    row_.Set<FieldId::kFwdStatus>(ForwardingStatusOf(sample.drop_reason()));
  } else if (sample.output().format == Interface::kDiscarded) {
    row_.Set<FieldId::kFwdStatus>(ForwardingStatusOf(sample.output().value));
  } else if (sample.output().IsLocal()) {
    row_.Set<FieldId::kFwdStatus>(kForwardingStatusConsumedForUs);
  }
  // Sampled at the port where it came in, or where it goes out; not told if it is the same port.
  if (sample.source().type == 0 && in != out) {
    if (in == sample.source().index) row_.Set<FieldId::kDirection>(0);
    if (out == sample.source().index) row_.Set<FieldId::kDirection>(1);
  }
}

DecodeResult FlowRow::FillHeader(const RecordView& record) {
  SampledHeaderView view;
  const DecodeResult result = SampledHeaderView::Parse(record, &view);
  if (!result.ok()) return result;
  has_packet_ = true;
  const HeaderProtocol* protocol = FindHeaderProtocol(view.protocol);
  if (protocol == nullptr || !protocol->link_type.has_value()) {
    return DecodeResult::Error(DecodeCode::kUnsupported, record.offset());
  }
  // What was stripped (the FCS at least) is no part of the packet that the header begins.
  const uint32_t length = view.frame_length > view.stripped ? view.frame_length - view.stripped : 0;
  packet::PacketSummary summary;
  const DecodeResult decoded =
      packets_.DecodeHeaderSection(*protocol->link_type, view.header, length, time_nanos_, row_, &summary);
  if (!decoded.ok()) {
    // The offset within the packet says where in the datagram.
    const size_t header_offset = record.offset() + (record.version() == 5 ? 16 : 12);
    return DecodeResult::Error(decoded.code, header_offset + decoded.offset);
  }
  has_link_ = true;
  has_ip_ = summary.ip_version != 0;
  if (has_ip_) {
    bytes_known_ = true;
    bytes_ = summary.ip_length;
  } else if (length > summary.ip_offset) {
    bytes_known_ = true;
    bytes_ = length - summary.ip_offset;
  }
  return DecodeResult::Ok();
}

DecodeResult FlowRow::FillEthernet(const RecordView& record) {
  SampledEthernetView view;
  const DecodeResult result = SampledEthernetView::Parse(record, &view);
  if (!result.ok()) return result;
  has_packet_ = true;
  if (has_link_) return result;
  row_.Set<FieldId::kSrcMac>(view.source);
  row_.Set<FieldId::kDstMac>(view.destination);
  if (view.type <= 0xffff) row_.Set<FieldId::kEtype>(static_cast<uint16_t>(view.type));
  return result;
}

void FlowRow::SetTransport(uint32_t protocol, uint32_t source_port, uint32_t destination_port) {
  if (protocol > 0xff) return;
  row_.Set<FieldId::kProtocol>(static_cast<uint8_t>(protocol));
  if (!HasPorts(protocol)) return;
  if (source_port <= 0xffff) row_.Set<FieldId::kSrcPort>(static_cast<uint16_t>(source_port));
  if (destination_port <= 0xffff) row_.Set<FieldId::kDstPort>(static_cast<uint16_t>(destination_port));
}

DecodeResult FlowRow::FillIp(const RecordView& record) {
  SampledIpView view;
  const DecodeResult result = SampledIpView::Parse(record, &view);
  if (!result.ok()) return result;
  has_packet_ = true;
  if (has_ip_) return result;
  has_ip_ = true;
  bytes_known_ = true;
  bytes_ = view.length;
  row_.Set<FieldId::kIpVersion>(static_cast<uint8_t>(view.version));
  row_.Set<FieldId::kEtype>(view.version == 4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
  row_.Set<FieldId::kSrcAddr>(view.source);
  row_.Set<FieldId::kDstAddr>(view.destination);
  if (view.tos <= 0xff) row_.Set<FieldId::kTos>(static_cast<uint8_t>(view.tos));
  SetTransport(view.protocol, view.source_port, view.destination_port);
  if (view.protocol == 6 && view.tcp_flags <= 0xffff) {
    row_.Set<FieldId::kTcpFlags>(static_cast<uint16_t>(view.tcp_flags));
  }
  return result;
}

DecodeResult FlowRow::FillSwitch(const RecordView& record) {
  ExtendedSwitchView view;
  const DecodeResult result = ExtendedSwitchView::Parse(record, &view);
  if (!result.ok()) return result;
  if (view.source_vlan >= 1 && view.source_vlan <= kMaxVlan) {
    row_.Set<FieldId::kInVlan>(static_cast<uint16_t>(view.source_vlan));
    // Switches strip the tag before they sample; its VLAN and priority are here then.
    if (!row_.Has(FieldId::kVlan)) row_.Set<FieldId::kVlan>(static_cast<uint16_t>(view.source_vlan));
    if (!row_.Has(FieldId::kCos) && view.source_priority <= 7) {
      row_.Set<FieldId::kCos>(static_cast<uint8_t>(view.source_priority));
    }
  }
  if (view.destination_vlan >= 1 && view.destination_vlan <= kMaxVlan) {
    row_.Set<FieldId::kOutVlan>(static_cast<uint16_t>(view.destination_vlan));
  }
  return result;
}

DecodeResult FlowRow::FillRouter(const RecordView& record) {
  ExtendedRouterView view;
  const DecodeResult result = ExtendedRouterView::Parse(record, &view);
  if (!result.ok()) return result;
  if (view.next_hop.has_value()) row_.Set<FieldId::kNextHop>(*view.next_hop);
  if (view.source_mask_length <= 128) row_.Set<FieldId::kSrcMask>(static_cast<uint8_t>(view.source_mask_length));
  if (view.destination_mask_length <= 128) {
    row_.Set<FieldId::kDstMask>(static_cast<uint8_t>(view.destination_mask_length));
  }
  return result;
}

// AS_PATH as of RFC 4271, 4.3 with four-octet numbers (RFC 6793): type, count of numbers, numbers.
bool FlowRow::EncodeAsPath(const ExtendedGatewayView& gateway, uint32_t* first, uint32_t* last, uint32_t* count) {
  constexpr size_t kMaxSegment = 255;  // a count is one octet: longer sequences continue in the next segment
  octets_.clear();
  *count = 0;
  AsPathReader reader(gateway);
  for (AsPathSegment segment; reader.Next(&segment);) {
    if (segment.size() == 0) continue;
    if (*count == 0) *first = segment[0];
    *last = segment[segment.size() - 1];
    *count += static_cast<uint32_t>(segment.size());
    if (*count > max_as_path_length_) continue;  // `last` is wanted all the same
    for (size_t begin = 0; begin < segment.size(); begin += kMaxSegment) {
      const size_t n = std::min(kMaxSegment, segment.size() - begin);
      octets_.push_back(static_cast<uint8_t>(segment.type));
      octets_.push_back(static_cast<uint8_t>(n));
      const Octets numbers = segment.as_numbers.subspan(4 * begin, 4 * n);
      octets_.insert(octets_.end(), numbers.begin(), numbers.end());
    }
  }
  return *count <= max_as_path_length_;
}

DecodeResult FlowRow::FillGateway(const RecordView& record) {
  ExtendedGatewayView view;
  const DecodeResult result = ExtendedGatewayView::Parse(record, &view);
  if (!result.ok()) return result;
  if (view.next_hop.has_value()) row_.Set<FieldId::kBgpNextHop>(*view.next_hop);
  // A route of the router's own AS has no source AS and an empty path (RFC 4271, 5.1.2).
  const uint32_t source_as = view.source_as != 0 ? view.source_as : view.as;
  if (source_as != 0) row_.Set<FieldId::kSrcAs>(source_as);
  if (view.source_peer_as != 0) row_.Set<FieldId::kPeerSrcAs>(view.source_peer_as);
  uint32_t first = 0, last = 0, count = 0;
  const bool fits = EncodeAsPath(view, &first, &last, &count);
  if (count > 0) {
    row_.Set<FieldId::kPeerDstAs>(first);
    row_.Set<FieldId::kDstAs>(last);
    if (fits && layout_->Has(FieldId::kAsPath)) row_.Set<FieldId::kAsPath>(interner_->Intern(octets_));
  } else if (view.as != 0) {
    row_.Set<FieldId::kDstAs>(view.as);
  }
  if (!view.communities.empty() && layout_->Has(FieldId::kStdComm)) {
    row_.Set<FieldId::kStdComm>(interner_->Intern(view.communities));
  }
  if (view.local_pref.has_value()) row_.Set<FieldId::kLocalPref>(*view.local_pref);
  return fits ? result : DecodeResult::Error(DecodeCode::kLimitExceeded, record.offset());
}

DecodeResult FlowRow::FillUser(const RecordView& record) {
  ExtendedUserView view;
  const DecodeResult result = ExtendedUserView::Parse(record, &view);
  if (!result.ok() || !layout_->Has(FieldId::kUserName)) return result;
  const absl::string_view user = view.source_user.empty() ? view.destination_user : view.source_user;
  if (!user.empty()) row_.Set<FieldId::kUserName>(interner_->Intern(user));
  return result;
}

DecodeResult FlowRow::FillUrl(const RecordView& record) {
  ExtendedUrlView view;
  const DecodeResult result = ExtendedUrlView::Parse(record, &view);
  if (!result.ok()) return result;
  if (!view.url.empty() && layout_->Has(FieldId::kHttpUrl)) {
    row_.Set<FieldId::kHttpUrl>(interner_->Intern(view.url));
  }
  if (!view.host.empty() && layout_->Has(FieldId::kHttpHost)) {
    row_.Set<FieldId::kHttpHost>(interner_->Intern(view.host));
  }
  return result;
}

void FlowRow::FillLabels(Octets stack) {
  const size_t depth = stack.size() / 4;
  row_.Set<FieldId::kMplsLabelTop>(base::LoadBe32(stack.data()) >> 12);
  row_.Set<FieldId::kMplsLabelBottom>(base::LoadBe32(stack.data() + 4 * (depth - 1)) >> 12);
  if (!layout_->Has(FieldId::kMplsLabelStack)) return;
  octets_.clear();
  for (size_t i = 0; i < depth; ++i) {  // without the fourth octet, the TTL (RFC 3032, 2.1)
    octets_.insert(octets_.end(), stack.begin() + 4 * i, stack.begin() + 4 * i + 3);
  }
  row_.Set<FieldId::kMplsLabelStack>(interner_->Intern(octets_));
}

DecodeResult FlowRow::FillMpls(const RecordView& record) {
  ExtendedMplsView view;
  const DecodeResult result = ExtendedMplsView::Parse(record, &view);
  if (!result.ok()) return result;
  if (view.next_hop.has_value() && !row_.Has(FieldId::kNextHop)) row_.Set<FieldId::kNextHop>(*view.next_hop);
  const Octets stack = view.in_stack.empty() ? view.out_stack : view.in_stack;
  if (!stack.empty()) FillLabels(stack);
  return result;
}

DecodeResult FlowRow::FillNat(const RecordView& record) {
  ExtendedNatView view;
  const DecodeResult result = ExtendedNatView::Parse(record, &view);
  if (!result.ok()) return result;
  if (view.source.has_value()) row_.Set<FieldId::kPostNatSrcAddr>(*view.source);
  if (view.destination.has_value()) row_.Set<FieldId::kPostNatDstAddr>(*view.destination);
  return result;
}

DecodeResult FlowRow::FillNatPort(const RecordView& record) {
  ExtendedNatPortView view;
  const DecodeResult result = ExtendedNatPortView::Parse(record, &view);
  if (!result.ok()) return result;
  if (view.source_port <= 0xffff) row_.Set<FieldId::kPostNatSrcPort>(static_cast<uint16_t>(view.source_port));
  if (view.destination_port <= 0xffff) {
    row_.Set<FieldId::kPostNatDstPort>(static_cast<uint16_t>(view.destination_port));
  }
  return result;
}

// Tags that were stripped lie outside those that the header still has.
DecodeResult FlowRow::FillVlanTunnel(const RecordView& record) {
  ExtendedVlanStackView view;
  const DecodeResult result = ExtendedVlanStackView::Parse(record, &view);
  if (result.ok() && view.size() > 0) row_.Set<FieldId::kVlan>(view.vlan(0));
  return result;
}

DecodeResult FlowRow::FillVlanIn(const RecordView& record) {
  ExtendedVlanStackView view;
  const DecodeResult result = ExtendedVlanStackView::Parse(record, &view);
  if (!result.ok()) return result;
  if (view.size() > 0) row_.Set<FieldId::kInVlan>(view.vlan(0));
  if (view.size() > 1) row_.Set<FieldId::kInCvlan>(view.vlan(1));
  return result;
}

DecodeResult FlowRow::FillVlanOut(const RecordView& record) {
  ExtendedVlanStackView view;
  const DecodeResult result = ExtendedVlanStackView::Parse(record, &view);
  if (!result.ok()) return result;
  if (view.size() > 0) row_.Set<FieldId::kOutVlan>(view.vlan(0));
  if (view.size() > 1) row_.Set<FieldId::kOutCvlan>(view.vlan(1));
  return result;
}

// The network that the packet came from wins over the one that it goes to.
DecodeResult FlowRow::FillVni(const RecordView& record) {
  NumberView view;
  const DecodeResult result = NumberView::Parse(record, &view);
  if (!result.ok()) return result;
  if (record.data_format() == NumberView::kVniIngress || !row_.Has(FieldId::kVxlan)) {
    row_.Set<FieldId::kVxlan>(view.value);
  }
  return result;
}

// A transaction of an application (sflow_host.txt, 2.2) has no packet, but the two ends of its socket. It counts
// nothing: its octets are the application's.
DecodeResult FlowRow::FillSocket(const RecordView& record) {
  ExtendedSocketView view;
  const DecodeResult result = ExtendedSocketView::Parse(record, &view);
  if (!result.ok() || has_packet_) return result;
  const bool v4 = record.data_format() == ExtendedSocketView::kIpv4;
  row_.Set<FieldId::kIpVersion>(v4 ? 4 : 6);
  row_.Set<FieldId::kSrcAddr>(view.remote);
  row_.Set<FieldId::kDstAddr>(view.local);
  SetTransport(view.protocol, view.remote_port, view.local_port);
  return result;
}

DecodeResult FlowRow::FillHttp(const RecordView& record) {
  HttpRequestView view;
  const DecodeResult result = HttpRequestView::Parse(record, &view);
  if (!result.ok()) return result;
  if (!view.uri.empty() && layout_->Has(FieldId::kHttpUrl)) {
    row_.Set<FieldId::kHttpUrl>(interner_->Intern(view.uri));
  }
  if (!view.host.empty() && layout_->Has(FieldId::kHttpHost)) {
    row_.Set<FieldId::kHttpHost>(interner_->Intern(view.host));
  }
  if (!view.auth_user.empty() && layout_->Has(FieldId::kUserName)) {
    row_.Set<FieldId::kUserName>(interner_->Intern(view.auth_user));
  }
  return result;
}

}  // namespace flowacct::sflow
