#include "flowacct/record/flow_decoder.h"

#include <algorithm>
#include <iterator>

namespace flowacct::record {

absl::string_view RecordKindName(RecordKind kind) {
  static constexpr absl::string_view kNames[] = {"flow", "counter", "option"};
  return kNames[static_cast<size_t>(kind)];
}

bool EndsSession(base::DecodeCode code) {
  using Code = base::DecodeCode;
  constexpr Code kEnds[] = {Code::kTruncated, Code::kBadVersion, Code::kBadLength, Code::kBadCount, Code::kBadTemplate};
  return std::find(std::begin(kEnds), std::end(kEnds), code) != std::end(kEnds);
}

}  // namespace flowacct::record
