#include "flowacct/collector/sessions/network_code.h"

#include "absl/strings/str_cat.h"
#include "flowacct/base/digits.h"

namespace flowacct::collector {

absl::StatusOr<gtp::Plmn> ParseNetworkCode(absl::string_view text) {
  const auto digits = base::Digits::Parse(text);
  if (digits && !digits->is_pseudonym() && (digits->size() == 5 || digits->size() == 6)) return *digits;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no network: give country and network code, five or six digits, such as 26201"));
}

}  // namespace flowacct::collector
