#include "flowacct/base/decode_result.h"

namespace flowacct::base {
namespace {

struct Text {
  absl::string_view name;
  absl::string_view help;
};

constexpr Text kTexts[] = {
#define X(name, text, help) {text, help},
    FLOWACCT_DECODE_CODES(X)
#undef X
};

}  // namespace

absl::string_view DecodeCodeName(DecodeCode code) { return kTexts[static_cast<size_t>(code)].name; }
absl::string_view DecodeCodeHelp(DecodeCode code) { return kTexts[static_cast<size_t>(code)].help; }

}  // namespace flowacct::base
