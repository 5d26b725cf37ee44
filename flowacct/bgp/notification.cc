#include "flowacct/bgp/notification.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace flowacct::bgp {
namespace {

struct Row {
  uint8_t code, subcode;
  absl::string_view text;
};
constexpr Row kRows[] = {
#define FLOWACCT_BGP_NOTIFICATION(code, subcode, name, text) {code, subcode, text},
#include "flowacct/bgp/notifications.def"
#undef FLOWACCT_BGP_NOTIFICATION
};

absl::string_view Find(uint8_t code, uint8_t subcode) {
  for (const Row& row : kRows) {
    if (row.code == code && row.subcode == subcode) return row.text;
  }
  return {};
}

}  // namespace

std::string NotificationText(uint8_t code, uint8_t subcode) {
  const absl::string_view of_code = Find(code, 0);
  std::string text = of_code.empty() ? absl::StrCat("code ", code) : std::string(of_code);
  if (subcode == 0) return text;
  const absl::string_view of_subcode = Find(code, subcode);
  if (of_subcode.empty()) return absl::StrCat(text, ": subcode ", subcode);
  return absl::StrCat(text, ": ", of_subcode);
}

absl::string_view NotificationView::shutdown_communication() const {
  base::Octets rest = data;
  NotificationView inner = *this;
  if (Is(NotificationCode::kHardReset)) {
    if (rest.size() < 2) return {};
    inner = {rest[0], rest[1], rest.subspan(2)};
    rest = inner.data;
  }
  if (!inner.Is(NotificationCode::kAdministrativeShutdown) && !inner.Is(NotificationCode::kAdministrativeReset))
    return {};
  if (rest.empty() || size_t{rest[0]} + 1 > rest.size()) return {};
  return base::AsText(rest.subspan(1, rest[0]));
}

}  // namespace flowacct::bgp
