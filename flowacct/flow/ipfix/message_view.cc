#include "flowacct/flow/ipfix/message_view.h"

#include <algorithm>

namespace flowacct::ipfix {

using base::DecodeCode;
using base::DecodeResult;
using base::LoadBe16;

DecodeResult MessageView::Parse(base::Octets octets, MessageView* view) {
  if (octets.size() < kMessageHeaderOctets) return DecodeResult::Error(DecodeCode::kTruncated, octets.size());
  if (LoadBe16(octets.data()) != kVersion) return DecodeResult::Error(DecodeCode::kBadVersion, 0);
  const size_t length = LoadBe16(octets.data() + 2);
  if (length < kMessageHeaderOctets) return DecodeResult::Error(DecodeCode::kBadLength, 2);
  view->octets_ = octets.first(std::min(length, octets.size()));
  view->length_ = length;
  return DecodeResult::Ok();
}

MessageBoundary NextMessage(base::Octets rest) {
  if (rest.size() < 2) return {DecodeCode::kTruncated, 0};
  if (LoadBe16(rest.data()) != kVersion) return {DecodeCode::kBadVersion, 0};
  if (rest.size() < 4) return {DecodeCode::kTruncated, 0};
  const size_t length = LoadBe16(rest.data() + 2);
  if (length < kMessageHeaderOctets) return {DecodeCode::kBadLength, length};
  return {length > rest.size() ? DecodeCode::kTruncated : DecodeCode::kOk, length};
}

}  // namespace flowacct::ipfix
