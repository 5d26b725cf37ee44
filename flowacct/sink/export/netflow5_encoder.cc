#include "flowacct/sink/export/netflow5_encoder.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"

namespace flowacct::sink {
namespace {

using record::FieldId;
using record::RowView;

constexpr size_t kHeaderOctets = 24;
constexpr size_t kRecordOctets = 48;
constexpr size_t kMaxRecords = 30;
constexpr uint64_t kMaxSplit = 4096;
constexpr uint32_t kAsTrans = 23456;            // RFC 6793, 9
constexpr uint64_t kMaxRate = 0x3fff;           // 14 bits
constexpr uint16_t kPacketInterval = 1u << 14;  // the mode, in the two bits above
constexpr uint16_t kEtherTypeIpv4 = 0x0800;

bool IsIpv4(const RowView& row) {
  if (row.Has(FieldId::kIpVersion)) return row.Get<FieldId::kIpVersion>() == 4;
  const bool has_src = row.Has(FieldId::kSrcAddr), has_dst = row.Has(FieldId::kDstAddr);
  if (has_src && !row.Get<FieldId::kSrcAddr>().IsV4()) return false;
  if (has_dst && !row.Get<FieldId::kDstAddr>().IsV4()) return false;
  return has_src || has_dst || !row.Has(FieldId::kEtype) || row.Get<FieldId::kEtype>() == kEtherTypeIpv4;
}

uint64_t Parts(uint64_t count) { return count / UINT32_MAX + (count % UINT32_MAX != 0 ? 1 : 0); }

}  // namespace

absl::StatusOr<std::unique_ptr<Netflow5Encoder>> Netflow5Encoder::New(ExportOptions options,
                                                                      ExportTransport* transport) {
  const auto wrong = [](auto&&... parts) { return absl::InvalidArgumentError(absl::StrCat(parts...)); };
  if (options.max_datagram_octets < kHeaderOctets + kRecordOctets || options.max_datagram_octets > 65535) {
    return wrong("max_datagram_octets = ", options.max_datagram_octets,
                 ": is between 72 and 65535; 1452 fits Ethernet");
  }
  if (options.domain > 0xffff) {
    return wrong("domain = ", options.domain, ": v5 has engine type * 256 + engine id, which is at most 65535");
  }
  if (options.sampling_rate > kMaxRate) {
    return wrong("sampling_rate = ", options.sampling_rate, ": v5 tells at most ", kMaxRate, "; use v9 or ipfix");
  }
  if (!options.fields.empty())
    return wrong("fields: v5 has fields of its own; leave the option out, or use v9 or ipfix");
  if (!options.interfaces.empty()) return wrong("interfaces: v5 cannot tell names; use v9 or ipfix");
  if (options.times.value_or(ExportTimes::kUptime) != ExportTimes::kUptime) {
    return wrong("times = ", ExportTimesName(*options.times), ": v5 has uptime alone");
  }
  return absl::WrapUnique(new Netflow5Encoder(std::move(options), transport));
}

Netflow5Encoder::Netflow5Encoder(ExportOptions options, ExportTransport* transport)
    : ExportEncoder(transport),
      options_(std::move(options)),
      max_records_(std::min((options_.max_datagram_octets - kHeaderOctets) / kRecordOctets, kMaxRecords)),
      buffer_(kHeaderOctets + max_records_ * kRecordOctets) {}

void Netflow5Encoder::Add(const record::FlowBatch& flows, absl::Time now) {
  now_millis_ = absl::ToUnixMillis(now);
  if (boot_millis_ == INT64_MIN) {
    boot_millis_ =
        absl::ToUnixMillis(options_.boot_time == absl::InfinitePast() ? now - absl::Hours(1) : options_.boot_time);
  }
  counters_.rows_in += flows.size();
  for (size_t i = 0; i < flows.size(); ++i) AddRow(flows.row(i));
}

void Netflow5Encoder::AddRow(const RowView& row) {
  if (!IsIpv4(row)) return Refuse(ExportRefusal::kNotIpv4);
  uint64_t packets = row.Get<FieldId::kPackets>(), bytes = row.Get<FieldId::kBytes>();
  uint64_t parts = std::max<uint64_t>({Parts(packets), Parts(bytes), 1});
  if (parts > kMaxSplit) return Refuse(ExportRefusal::kTooLarge);
  const uint16_t rate = RateOf(row);
  if (records_ > 0 && rate != rate_) Finish();
  rate_ = rate;
  const uint64_t lost_before = counters_.datagrams_lost;
  for (; parts > 0; --parts) {
    // The share of each: the last gets what is left.
    const uint64_t some_packets = packets / parts, some_bytes = bytes / parts;
    packets -= some_packets;
    bytes -= some_bytes;
    AddRecord(row, static_cast<uint32_t>(some_packets), static_cast<uint32_t>(some_bytes));
    // A row of which a part was lost is lost.
    if (parts == 1) ++(counters_.datagrams_lost == lost_before ? counters_.rows_waiting : counters_.rows_lost);
    if (records_ == max_records_) Finish();
  }
}

uint16_t Netflow5Encoder::RateOf(const RowView& row) {
  const uint64_t rate = row.Has(FieldId::kSamplingRate) ? row.Get<FieldId::kSamplingRate>() : options_.sampling_rate;
  if (rate > kMaxRate) {
    ++counters_.values_unfit;
    return 0;
  }
  return static_cast<uint16_t>(rate);
}

void Netflow5Encoder::AddRecord(const RowView& row, uint32_t packets, uint32_t bytes) {
  const auto fit = [this](uint64_t value, uint64_t most) {
    if (value <= most) return value;
    ++counters_.values_unfit;
    return uint64_t{0};
  };
  const auto as = [](uint32_t number) { return static_cast<uint16_t>(number > 0xffff ? kAsTrans : number); };
  const auto address = [this](const base::IpAddress& value, bool has) {
    if (has && !value.IsV4()) ++counters_.values_unfit;
    return has && value.IsV4() ? value.v4() : 0;
  };
  const auto uptime = [this](int64_t nanos) {
    if (nanos == 0) return uint32_t{0};
    const int64_t millis = nanos / 1000000;
    // 32 bits that wrap: what counts is how far from the export it is.
    if (now_millis_ - millis >= INT32_MAX || now_millis_ - millis <= INT32_MIN) {
      ++counters_.values_unfit;
      return uint32_t{0};
    }
    return static_cast<uint32_t>(millis - boot_millis_);
  };
  uint16_t dst_port = row.Get<FieldId::kDstPort>();
  if (row.Has(FieldId::kIcmpType)) {
    dst_port = static_cast<uint16_t>(row.Get<FieldId::kIcmpType>() << 8 | row.Get<FieldId::kIcmpCode>());
  }
  const uint16_t flags = row.Get<FieldId::kTcpFlags>();
  if (flags > 0xff) ++counters_.values_unfit;
  const bool has_bgp = row.Has(FieldId::kBgpNextHop) && !row.Has(FieldId::kNextHop);

  uint8_t* out = buffer_.data() + kHeaderOctets + records_ * kRecordOctets;
  base::StoreBe32(out, address(row.Get<FieldId::kSrcAddr>(), row.Has(FieldId::kSrcAddr)));
  base::StoreBe32(out + 4, address(row.Get<FieldId::kDstAddr>(), row.Has(FieldId::kDstAddr)));
  base::StoreBe32(out + 8, has_bgp ? address(row.Get<FieldId::kBgpNextHop>(), true)
                                   : address(row.Get<FieldId::kNextHop>(), row.Has(FieldId::kNextHop)));
  base::StoreBe16(out + 12, static_cast<uint16_t>(fit(row.Get<FieldId::kInIf>(), 0xffff)));
  base::StoreBe16(out + 14, static_cast<uint16_t>(fit(row.Get<FieldId::kOutIf>(), 0xffff)));
  base::StoreBe32(out + 16, packets);
  base::StoreBe32(out + 20, bytes);
  base::StoreBe32(out + 24, uptime(row.Get<FieldId::kStartTime>()));
  base::StoreBe32(out + 28, uptime(row.Get<FieldId::kEndTime>()));
  base::StoreBe16(out + 32, row.Get<FieldId::kSrcPort>());
  base::StoreBe16(out + 34, dst_port);
  out[36] = 0;
  out[37] = static_cast<uint8_t>(flags);
  out[38] = row.Get<FieldId::kProtocol>();
  out[39] = row.Get<FieldId::kTos>();
  base::StoreBe16(out + 40, as(row.Get<FieldId::kSrcAs>()));
  base::StoreBe16(out + 42, as(row.Get<FieldId::kDstAs>()));
  out[44] = row.Get<FieldId::kSrcMask>();
  out[45] = row.Get<FieldId::kDstMask>();
  base::StoreBe16(out + 46, 0);
  ++records_;
  ++counters_.records;
}

void Netflow5Encoder::Flush(absl::Time now) {
  if (records_ == 0) return;
  now_millis_ = absl::ToUnixMillis(now);
  Finish();
}

void Netflow5Encoder::Finish() {
  uint8_t* header = buffer_.data();
  base::StoreBe16(header, 5);
  base::StoreBe16(header + 2, static_cast<uint16_t>(records_));
  base::StoreBe32(header + 4, static_cast<uint32_t>(now_millis_ - boot_millis_));
  base::StoreBe32(header + 8, static_cast<uint32_t>(now_millis_ / 1000));
  base::StoreBe32(header + 12, static_cast<uint32_t>(now_millis_ % 1000 * 1000000));
  base::StoreBe32(header + 16, sequence_);
  base::StoreBe16(header + 20, static_cast<uint16_t>(options_.domain));
  base::StoreBe16(header + 22, static_cast<uint16_t>(rate_ == 0 ? 0 : kPacketInterval | rate_));
  sequence_ += static_cast<uint32_t>(records_);
  const size_t octets = kHeaderOctets + records_ * kRecordOctets;
  records_ = 0;
  Send(base::Octets(buffer_.data(), octets));
}

}  // namespace flowacct::sink
