#include "flowacct/flow/sflow/flow_record_view.h"

#include <algorithm>

#include "flowacct/base/octet_reader.h"

namespace flowacct::sflow {

namespace {

using base::DecodeCode;
using base::DecodeResult;
using base::OctetReader;
using base::Octets;

// XDR over one record; the first failure is kept with its offset in the datagram.
class RecordFields {
 public:
  explicit RecordFields(const RecordView& record) : reader_(record.octets()), base_(record.offset()) {}

  uint32_t U32() { return reader_.U32(); }
  uint64_t U64() { return reader_.U64(); }
  base::IpAddress Ipv4() {
    const Octets octets = reader_.Bytes(4);
    return octets.size() == 4 ? base::IpAddress::FromV4(octets.data()) : base::IpAddress();
  }
  base::IpAddress Ipv6() {
    const Octets octets = reader_.Bytes(16);
    return octets.size() == 16 ? base::IpAddress::FromV6(octets.data()) : base::IpAddress();
  }
  base::MacAddress Mac() {
    const Octets octets = reader_.Bytes(8);
    return octets.size() == 8 ? base::MacAddress::From(octets.data()) : base::MacAddress();
  }
  std::optional<base::IpAddress> Address() {
    const size_t offset = reader_.offset();
    switch (reader_.U32()) {
      case 0:
        return std::nullopt;
      case 1:
        return Ipv4();
      case 2:
        return Ipv6();
      default:
        Fail(DecodeCode::kBadValue, offset);
        return std::nullopt;
    }
  }
  Octets Opaque() {
    const uint32_t length = reader_.U32();
    const Octets octets = reader_.Bytes(length);
    if (reader_.ok()) reader_.Skip(std::min<size_t>((4 - length % 4) % 4, reader_.remaining()));
    return octets;
  }
  absl::string_view Text() { return base::AsText(Opaque()); }
  // A count and as many words.
  Octets Words() {
    const size_t offset = reader_.offset();
    const uint32_t count = reader_.U32();
    if (count > reader_.remaining() / 4) {
      Fail(DecodeCode::kBadCount, offset);
      return Octets();
    }
    return reader_.Bytes(size_t{count} * 4);
  }

  bool ok() const { return reader_.ok() && failure_.ok(); }
  size_t offset() const { return reader_.offset(); }
  Octets Since(size_t offset) const { return record_octets().subspan(offset, reader_.offset() - offset); }
  void Fail(DecodeCode code, size_t offset) {
    if (!failure_.ok()) return;
    failure_ = DecodeResult::Error(code, base_ + offset);
    reader_.Skip(SIZE_MAX);  // nothing that follows can be found
  }
  DecodeResult result() const {
    if (!failure_.ok()) return failure_;
    return reader_.ok() ? DecodeResult::Ok() : DecodeResult::Error(DecodeCode::kTruncated, base_ + reader_.offset());
  }

 private:
  Octets record_octets() const { return Octets(reader_.data() - reader_.offset(), reader_.offset()); }

  OctetReader reader_;
  size_t base_;
  DecodeResult failure_;
};

}  // namespace

DecodeResult SampledHeaderView::Parse(const RecordView& record, SampledHeaderView* view) {
  RecordFields fields(record);
  view->protocol = fields.U32();
  view->frame_length = fields.U32();
  view->stripped = record.version() == 5 ? fields.U32() : 0;
  view->header = fields.Opaque();
  return fields.result();
}

DecodeResult SampledEthernetView::Parse(const RecordView& record, SampledEthernetView* view) {
  RecordFields fields(record);
  view->length = fields.U32();
  view->source = fields.Mac();
  view->destination = fields.Mac();
  view->type = fields.U32();
  return fields.result();
}

DecodeResult SampledIpView::Parse(const RecordView& record, SampledIpView* view) {
  const uint32_t format = record.data_format();
  view->version = format == kFormatIpv4 || format == kIpv4TunnelEgress || format == kIpv4TunnelIngress ? 4 : 6;
  RecordFields fields(record);
  view->length = fields.U32();
  view->protocol = fields.U32();
  view->source = view->version == 4 ? fields.Ipv4() : fields.Ipv6();
  view->destination = view->version == 4 ? fields.Ipv4() : fields.Ipv6();
  view->source_port = fields.U32();
  view->destination_port = fields.U32();
  view->tcp_flags = fields.U32();
  view->tos = fields.U32();
  return fields.result();
}

DecodeResult ExtendedSwitchView::Parse(const RecordView& record, ExtendedSwitchView* view) {
  RecordFields fields(record);
  view->source_vlan = fields.U32();
  view->source_priority = fields.U32();
  view->destination_vlan = fields.U32();
  view->destination_priority = fields.U32();
  return fields.result();
}

DecodeResult ExtendedRouterView::Parse(const RecordView& record, ExtendedRouterView* view) {
  RecordFields fields(record);
  view->next_hop = fields.Address();
  view->source_mask_length = fields.U32();
  view->destination_mask_length = fields.U32();
  return fields.result();
}

DecodeResult ExtendedGatewayView::Parse(const RecordView& record, ExtendedGatewayView* view) {
  *view = ExtendedGatewayView();
  view->version = record.version();
  RecordFields fields(record);
  if (record.version() == 5) view->next_hop = fields.Address();
  view->as = fields.U32();
  view->source_as = fields.U32();
  view->source_peer_as = fields.U32();
  if (record.version() == 2) {
    view->segments = fields.Words();
    view->segment_count = view->segments.empty() ? 0 : 1;
    return fields.result();
  }
  const uint32_t segment_count = fields.U32();
  const size_t segments_offset = fields.offset();
  // Each segment takes eight octets at least, so that the loop ends with the octets.
  for (uint32_t i = 0; i < segment_count && fields.ok(); ++i) {
    fields.U32();
    fields.Words();
  }
  if (!fields.ok()) return fields.result();
  view->segments = fields.Since(segments_offset);
  view->segment_count = segment_count;
  view->communities = fields.Words();
  const uint32_t local_pref = fields.U32();
  if (fields.ok()) view->local_pref = local_pref;
  return fields.result();
}

bool AsPathReader::Next(AsPathSegment* segment) {
  if (remaining_ == 0) return false;
  --remaining_;
  if (version_ == 2) {
    *segment = AsPathSegment{AsPathSegment::kSequence, octets_};
    return true;
  }
  // Parse() has checked the lengths.
  const size_t size = size_t{base::LoadBe32(octets_.data() + 4)} * 4;
  *segment = AsPathSegment{base::LoadBe32(octets_.data()), octets_.subspan(8, size)};
  octets_.remove_prefix(8 + size);
  return true;
}

DecodeResult ExtendedUserView::Parse(const RecordView& record, ExtendedUserView* view) {
  RecordFields fields(record);
  const bool charsets = record.version() == 5;
  view->source_charset = charsets ? fields.U32() : 0;
  view->source_user = fields.Text();
  view->destination_charset = charsets ? fields.U32() : 0;
  view->destination_user = fields.Text();
  return fields.result();
}

DecodeResult ExtendedUrlView::Parse(const RecordView& record, ExtendedUrlView* view) {
  RecordFields fields(record);
  view->direction = fields.U32();
  view->url = fields.Text();
  view->host = record.version() == 5 ? fields.Text() : absl::string_view();
  return fields.result();
}

DecodeResult ExtendedMplsView::Parse(const RecordView& record, ExtendedMplsView* view) {
  RecordFields fields(record);
  view->next_hop = fields.Address();
  view->in_stack = fields.Words();
  view->out_stack = fields.Words();
  return fields.result();
}

DecodeResult ExtendedNatView::Parse(const RecordView& record, ExtendedNatView* view) {
  RecordFields fields(record);
  view->source = fields.Address();
  view->destination = fields.Address();
  return fields.result();
}

DecodeResult ExtendedMplsNameView::Parse(const RecordView& record, ExtendedMplsNameView* view) {
  RecordFields fields(record);
  view->name = fields.Text();
  view->id = fields.U32();
  view->cos = fields.U32();
  return fields.result();
}

DecodeResult ExtendedMplsFecView::Parse(const RecordView& record, ExtendedMplsFecView* view) {
  RecordFields fields(record);
  view->description = record.data_format() == kFtn ? fields.Text() : absl::string_view();
  view->mask_or_prefix_length = fields.U32();
  return fields.result();
}

DecodeResult ExtendedVlanStackView::Parse(const RecordView& record, ExtendedVlanStackView* view) {
  RecordFields fields(record);
  view->tags = fields.Words();
  return fields.result();
}

DecodeResult ExtendedNatPortView::Parse(const RecordView& record, ExtendedNatPortView* view) {
  RecordFields fields(record);
  view->source_port = fields.U32();
  view->destination_port = fields.U32();
  return fields.result();
}

DecodeResult NumberView::Parse(const RecordView& record, NumberView* view) {
  RecordFields fields(record);
  view->value = fields.U32();
  return fields.result();
}

DecodeResult ExtendedAclView::Parse(const RecordView& record, ExtendedAclView* view) {
  RecordFields fields(record);
  view->number = fields.U32();
  view->name = fields.Text();
  view->direction = fields.U32();
  return fields.result();
}

DecodeResult ExtendedFunctionView::Parse(const RecordView& record, ExtendedFunctionView* view) {
  RecordFields fields(record);
  view->symbol = fields.Text();
  return fields.result();
}

DecodeResult ExtendedSocketView::Parse(const RecordView& record, ExtendedSocketView* view) {
  RecordFields fields(record);
  const bool v4 = record.data_format() == kIpv4;
  view->protocol = fields.U32();
  view->local = v4 ? fields.Ipv4() : fields.Ipv6();
  view->remote = v4 ? fields.Ipv4() : fields.Ipv6();
  view->local_port = fields.U32();
  view->remote_port = fields.U32();
  return fields.result();
}

DecodeResult HttpRequestView::Parse(const RecordView& record, HttpRequestView* view) {
  RecordFields fields(record);
  view->method = fields.U32();
  view->protocol = fields.U32();
  for (absl::string_view* text : {&view->uri, &view->host, &view->referer, &view->user_agent, &view->x_forwarded_for,
                                  &view->auth_user, &view->mime_type}) {
    *text = fields.Text();
  }
  view->request_bytes = fields.U64();
  view->response_bytes = fields.U64();
  view->microseconds = fields.U32();
  view->status = static_cast<int32_t>(fields.U32());
  return fields.result();
}

}  // namespace flowacct::sflow
