#include "flowacct/flow/netflow/fixed_view.h"

#include <algorithm>

namespace flowacct::netflow {

using base::DecodeCode;
using base::DecodeResult;
using base::LoadBe16;
using base::Octets;

DecodeResult FixedView::Parse(Octets octets, FixedView* view) {
  if (octets.size() < 2) return DecodeResult::Error(DecodeCode::kTruncated, 0);
  const uint16_t version = LoadBe16(octets.data());
  // All of v8's schemes have one header.
  const FixedFormat* format = FindFixedFormat(version, version == 8 ? 1 : 0);
  if (format == nullptr) return DecodeResult::Error(DecodeCode::kBadVersion, 0);
  if (octets.size() < format->header_octets) return DecodeResult::Error(DecodeCode::kTruncated, octets.size());
  FixedView read;
  read.octets_ = octets;
  if (version == 8) format = FindFixedFormat(8, read.aggregation());
  if (format != nullptr) {
    read.record_count_ =
        std::min<size_t>((octets.size() - format->header_octets) / format->record_octets, read.count());
  }
  read.format_ = format;
  *view = read;
  return format == nullptr ? DecodeResult::Error(DecodeCode::kUnsupported, 22) : DecodeResult::Ok();
}

DecodeResult FixedView::result() const {
  if (format_ == nullptr) return DecodeResult::Error(DecodeCode::kUnsupported, 22);
  const size_t end = format_->header_octets + record_count_ * format_->record_octets;
  if (record_count_ < count()) return DecodeResult::Error(DecodeCode::kTruncated, end);
  if (end < octets_.size()) return DecodeResult::Error(DecodeCode::kTrailingOctets, end);
  return DecodeResult::Ok();
}

}  // namespace flowacct::netflow
