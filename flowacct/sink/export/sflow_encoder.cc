#include "flowacct/sink/export/sflow_encoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"

namespace flowacct::sink {
namespace {

using base::IpAddress;
using base::Octets;
using record::FieldId;
using record::RowView;

// sflow_version_5.txt, 5.
constexpr uint32_t kVersion = 5;
constexpr uint32_t kFlowSample = 1, kFlowSampleExpanded = 3;
constexpr uint32_t kSampledHeader = 1, kSampledIpv4 = 3, kSampledIpv6 = 4;
constexpr uint32_t kExtendedSwitch = 1001, kExtendedRouter = 1002, kExtendedGateway = 1003;
constexpr uint32_t kAddressUnknown = 0, kAddressV4 = 1, kAddressV6 = 2;
constexpr uint32_t kAsSequence = 2;
constexpr uint32_t kMaxCompactSource = (1u << 24) - 1;     // below the octet of its type
constexpr uint32_t kMaxCompactInterface = (1u << 30) - 1;  // below the two bits of its format
constexpr uint32_t kFrameCheckOctets = 4;                  // which captures lack, and lengths of sFlow have
constexpr size_t kDatagramHeaderOctets = 40;               // with an IPv6 agent
constexpr size_t kLeastDatagramOctets = 512;

}  // namespace

absl::StatusOr<std::unique_ptr<SflowEncoder>> SflowEncoder::New(ExportOptions options, ExportTransport* transport) {
  const auto wrong = [](auto&&... parts) { return absl::InvalidArgumentError(absl::StrCat(parts...)); };
  if (options.max_datagram_octets < kLeastDatagramOctets || options.max_datagram_octets > 65535) {
    return wrong("max_datagram_octets = ", options.max_datagram_octets, ": is between ", kLeastDatagramOctets,
                 " and 65535; 1452 fits Ethernet");
  }
  if (options.max_header_octets < 32 || options.max_header_octets > options.max_datagram_octets / 2) {
    return wrong("max_header_octets = ", options.max_header_octets, ": is between 32 and half of max_datagram_octets");
  }
  if (options.sampling_rate > UINT32_MAX) {
    return wrong("sampling_rate = ", options.sampling_rate, ": is at most ", UINT32_MAX);
  }
  if (options.max_sources == 0) return wrong("max_sources = 0: at least one");
  if (!options.fields.empty()) return wrong("fields: sflow has records of its own; leave the option out");
  if (!options.interfaces.empty()) return wrong("interfaces: sflow tells no names in flow samples; use v9 or ipfix");
  if (options.times.has_value()) return wrong("times: sflow tells none of a packet; leave the option out");
  return absl::WrapUnique(new SflowEncoder(std::move(options), transport));
}

SflowEncoder::SflowEncoder(ExportOptions options, ExportTransport* transport)
    : ExportEncoder(transport), options_(std::move(options)) {}

void SflowEncoder::SetTime(absl::Time now) {
  now_millis_ = absl::ToUnixMillis(now);
  if (has_boot_) return;
  has_boot_ = true;
  boot_millis_ =
      absl::ToUnixMillis(options_.boot_time == absl::InfinitePast() ? now - absl::Hours(1) : options_.boot_time);
}

size_t SflowEncoder::BeginRecord(uint32_t format) {
  records_.U32(format).U32(0);
  ++record_count_;
  return records_.size();
}

void SflowEncoder::EndRecord(size_t begin) {
  records_.Fill((4 - records_.size() % 4) % 4);  // XDR, RFC 4506, 3
  records_.PatchU32(begin - 4, static_cast<uint32_t>(records_.size() - begin));
}

void SflowEncoder::AddPacket(const SampledPacket& packet, const RowView& row, const base::Interner& interner,
                             absl::Time now) {
  SetTime(now);
  ++counters_.rows_in;
  records_.Clear();
  record_count_ = 0;
  const size_t begin = BeginRecord(kSampledHeader);
  const Octets header = packet.octets.subspan(0, options_.max_header_octets);
  records_.U32(packet.header_protocol).U32(packet.length + kFrameCheckOctets).U32(kFrameCheckOctets);
  records_.U32(static_cast<uint32_t>(header.size())).Bytes(header);
  EndRecord(begin);
  AddSample(row, interner, packet.pool);
}

void SflowEncoder::Add(const record::FlowBatch& flows, absl::Time now) {
  SetTime(now);
  counters_.rows_in += flows.size();
  for (size_t i = 0; i < flows.size(); ++i) {
    const RowView row = flows.row(i);
    if (row.Has(FieldId::kPackets) && row.Get<FieldId::kPackets>() != 1) {
      Refuse(ExportRefusal::kNotOnePacket);
      continue;
    }
    const IpAddress src = row.Get<FieldId::kSrcAddr>(), dst = row.Get<FieldId::kDstAddr>();
    if (!row.Has(FieldId::kSrcAddr) || !row.Has(FieldId::kDstAddr) || src.IsV4() != dst.IsV4()) {
      Refuse(ExportRefusal::kNoAddresses);
      continue;
    }
    records_.Clear();
    record_count_ = 0;
    const uint64_t bytes = row.Get<FieldId::kBytes>();
    if (bytes > UINT32_MAX) ++counters_.values_unfit;
    const size_t begin = BeginRecord(src.IsV4() ? kSampledIpv4 : kSampledIpv6);
    records_.U32(bytes > UINT32_MAX ? 0 : static_cast<uint32_t>(bytes)).U32(row.Get<FieldId::kProtocol>());
    for (const IpAddress& address : {src, dst}) {
      if (address.IsV4()) {
        records_.U32(address.v4());
      } else {
        records_.Bytes(address.octets());
      }
    }
    records_.U32(row.Get<FieldId::kSrcPort>()).U32(row.Get<FieldId::kDstPort>());
    records_.U32(row.Get<FieldId::kTcpFlags>()).U32(row.Get<FieldId::kTos>());
    EndRecord(begin);
    AddSample(row, flows.interner(), 0);
  }
}

void SflowEncoder::PutAddress(const RowView& row, FieldId field, const IpAddress& address) {
  if (!row.Has(field)) {
    records_.U32(kAddressUnknown);
  } else if (address.IsV4()) {
    records_.U32(kAddressV4).U32(address.v4());
  } else {
    records_.U32(kAddressV6).Bytes(address.octets());
  }
}

void SflowEncoder::PutSwitch(const RowView& row) {
  if (!row.Has(FieldId::kInVlan) && !row.Has(FieldId::kOutVlan)) return;
  const size_t begin = BeginRecord(kExtendedSwitch);
  records_.U32(row.Get<FieldId::kInVlan>()).U32(row.Get<FieldId::kCos>()).U32(row.Get<FieldId::kOutVlan>()).U32(0);
  EndRecord(begin);
}

void SflowEncoder::PutRouter(const RowView& row) {
  if (!row.Has(FieldId::kNextHop) && !row.Has(FieldId::kSrcMask) && !row.Has(FieldId::kDstMask)) return;
  const size_t begin = BeginRecord(kExtendedRouter);
  PutAddress(row, FieldId::kNextHop, row.Get<FieldId::kNextHop>());
  records_.U32(row.Get<FieldId::kSrcMask>()).U32(row.Get<FieldId::kDstMask>());
  EndRecord(begin);
}

void SflowEncoder::PutGateway(const RowView& row, const base::Interner& interner) {
  constexpr FieldId kFields[] = {FieldId::kSrcAs,  FieldId::kDstAs,   FieldId::kPeerSrcAs,  FieldId::kPeerDstAs,
                                 FieldId::kAsPath, FieldId::kStdComm, FieldId::kBgpNextHop, FieldId::kLocalPref};
  if (!std::any_of(std::begin(kFields), std::end(kFields), [&](FieldId field) { return row.Has(field); })) return;
  const size_t begin = BeginRecord(kExtendedGateway);
  PutAddress(row, FieldId::kBgpNextHop, row.Get<FieldId::kBgpNextHop>());
  records_.U32(0);  // the router's own AS is not known
  records_.U32(row.Get<FieldId::kSrcAs>()).U32(row.Get<FieldId::kPeerSrcAs>());

  const size_t segments_at = records_.size();
  records_.U32(0);
  uint32_t segments = 0;
  // As of RFC 4271, 4.3 with four-octet numbers (RFC 6793): type, count of numbers, numbers.
  Octets path = interner.Find(row.Get<FieldId::kAsPath>());
  for (; path.size() >= 2 && path.size() >= 2 + 4 * size_t{path[1]}; ++segments) {
    records_.U32(path[0]).U32(path[1]).Bytes(path.subspan(2, 4 * size_t{path[1]}));
    path.remove_prefix(2 + 4 * size_t{path[1]});
  }
  if (!path.empty()) ++counters_.values_unfit;
  if (segments == 0 && row.Has(FieldId::kDstAs)) {
    const uint32_t peer = row.Get<FieldId::kPeerDstAs>(), last = row.Get<FieldId::kDstAs>();
    const bool two = row.Has(FieldId::kPeerDstAs) && peer != last;
    records_.U32(kAsSequence).U32(two ? 2 : 1);
    if (two) records_.U32(peer);
    records_.U32(last);
    segments = 1;
  }
  records_.PatchU32(segments_at, segments);

  const Octets communities = interner.Find(row.Get<FieldId::kStdComm>());
  records_.U32(static_cast<uint32_t>(communities.size() / 4)).Bytes(communities.first(communities.size() / 4 * 4));
  records_.U32(row.Get<FieldId::kLocalPref>());
  EndRecord(begin);
}

void SflowEncoder::AddSample(const RowView& row, const base::Interner& interner, uint32_t pool) {
  PutSwitch(row);
  PutRouter(row);
  PutGateway(row, interner);
  const uint64_t told_rate =
      row.Has(FieldId::kSamplingRate) ? row.Get<FieldId::kSamplingRate>() : options_.sampling_rate;
  if (told_rate > UINT32_MAX) ++counters_.values_unfit;
  const uint32_t rate = told_rate == 0 || told_rate > UINT32_MAX ? 1 : static_cast<uint32_t>(told_rate);
  const uint32_t in_if = row.Get<FieldId::kInIf>(), out_if = row.Get<FieldId::kOutIf>();
  uint32_t source_id = in_if;
  if (sources_.size() >= options_.max_sources && !sources_.contains(in_if)) source_id = 0;
  const bool expanded = source_id > kMaxCompactSource || in_if > kMaxCompactInterface || out_if > kMaxCompactInterface;
  const size_t octets = 8 + (expanded ? 44 : 32) + records_.size();
  if (kDatagramHeaderOctets + octets > options_.max_datagram_octets) return Refuse(ExportRefusal::kTooLong);
  if (samples_ > 0 && datagram_.size() + octets > options_.max_datagram_octets) Finish();
  if (samples_ == 0) {
    datagram_.Clear();
    datagram_.U32(kVersion);
    if (options_.agent.IsV4()) {
      datagram_.U32(kAddressV4).U32(options_.agent.v4());
    } else {
      datagram_.U32(kAddressV6).Bytes(options_.agent.octets());
    }
    datagram_.U32(options_.domain).U32(0).U32(0).U32(0);  // the last three are told when it is full
  }
  Source& source = sources_[source_id];
  source.pool += pool != 0 ? pool : rate;
  ++source.sequence;
  datagram_.U32(expanded ? kFlowSampleExpanded : kFlowSample).U32(static_cast<uint32_t>(octets - 8));
  datagram_.U32(source.sequence);
  if (expanded) datagram_.U32(0);  // type: ifIndex
  datagram_.U32(source_id).U32(rate).U32(source.pool).U32(0);
  if (expanded) datagram_.U32(0);  // format: one interface
  datagram_.U32(in_if);
  if (expanded) datagram_.U32(0);
  datagram_.U32(out_if).U32(record_count_).Bytes(records_.octets());
  ++samples_;
  ++counters_.records;
  ++counters_.rows_waiting;
}

void SflowEncoder::Flush(absl::Time now) {
  if (samples_ == 0) return;
  SetTime(now);
  Finish();
}

void SflowEncoder::Finish() {
  const size_t at = options_.agent.IsV4() ? 16 : 28;
  datagram_.PatchU32(at, ++sequence_);
  datagram_.PatchU32(at + 4, static_cast<uint32_t>(now_millis_ - boot_millis_));
  datagram_.PatchU32(at + 8, samples_);
  samples_ = 0;
  Send(datagram_.octets());
}

void SflowEncoder::Restart() {
  sequence_ = 0;
  sources_.clear();
}

}  // namespace flowacct::sink
