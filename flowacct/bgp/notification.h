// NOTIFICATION: why a session ends, as codes of a table and, with Cease, a text.
//
// Standards: RFC 4271 (4.5, 6), RFC 4486, RFC 6608, RFC 8538 (3, Hard Reset), RFC 9003 (2, shutdown communication).
// The rows: notifications.def.
// Ownership: a view borrows the message. Threads: plain values.

#ifndef FLOWACCT_BGP_NOTIFICATION_H_
#define FLOWACCT_BGP_NOTIFICATION_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"

namespace flowacct::bgp {

// Code and subcode in one number.
enum class NotificationCode : uint16_t {
#define FLOWACCT_BGP_NOTIFICATION(code, subcode, name, text) name = code << 8 | subcode,
#include "flowacct/bgp/notifications.def"
#undef FLOWACCT_BGP_NOTIFICATION
};

struct NotificationView {
  uint8_t code = 0;
  uint8_t subcode = 0;
  base::Octets data;

  bool Is(NotificationCode c) const { return (code << 8 | subcode) == static_cast<uint16_t>(c); }
  // Why it was shut down (RFC 9003, 2): UTF-8 as it came; empty if there is none or it is malformed. Of a Hard Reset
  // the text of the NOTIFICATION within (RFC 8538, 3).
  absl::string_view shutdown_communication() const;
};

inline NotificationView NotificationOf(NotificationCode code, base::Octets data = {}) {
  return {static_cast<uint8_t>(static_cast<uint16_t>(code) >> 8), static_cast<uint8_t>(code), data};
}

// "Cease: Administrative Shutdown"; of what has no row the numbers, "Cease: subcode 77", "code 9: subcode 3".
std::string NotificationText(uint8_t code, uint8_t subcode);

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_NOTIFICATION_H_
