#include "flowacct/record/flow_decoder.h"

namespace flowacct::record {

absl::string_view RecordKindName(RecordKind kind) {
  static constexpr absl::string_view kNames[] = {"flow", "counter", "option"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace flowacct::record
