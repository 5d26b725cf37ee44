// Whatever the target of a request: it is refused with a reason, or its parts are bounded text, and the question that
// it may be names a pipeline.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/admin/request_target.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckText(const std::string& text) {
  for (const char c : text) Check(!absl::ascii_iscntrl(static_cast<unsigned char>(c)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using flowacct::collector::MemoryQuestion;
  using flowacct::collector::ParseQuestion;
  using flowacct::collector::RequestTarget;
  const absl::StatusOr<RequestTarget> target =
      RequestTarget::Parse(flowacct::base::AsText(flowacct::base::Octets(data, size)));
  if (!target.ok()) {
    Check(!target.status().message().empty());
    return 0;
  }
  Check(target->path.size() <= size && target->path[0] == '/');
  CheckText(target->path);
  Check(target->parameters.size() <= RequestTarget::kMaxParameters);
  for (const auto& [name, value] : target->parameters) {
    Check(!name.empty() && name.size() + value.size() <= size && target->Find(name) == &value);
    CheckText(name);
    CheckText(value);
  }
  const absl::StatusOr<MemoryQuestion> question = ParseQuestion(*target);
  if (question.ok()) Check(!question->pipeline.empty() && question->since >= absl::ZeroDuration());
  return 0;
}
