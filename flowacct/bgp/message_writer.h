// Writes the messages that a speaker needs that announces nothing: OPEN, KEEPALIVE, NOTIFICATION, ROUTE-REFRESH.
//
// Standards: RFC 4271 (4), RFC 5492, RFC 9072 (when parameters have more than 255 octets), RFC 9003, RFC 2918, RFC
// 7313. UPDATE is only written by tests (testing/update_builder.h). Appends to the caller's octets. Threads: any.
// Errors: none.

#ifndef FLOWACCT_BGP_MESSAGE_WRITER_H_
#define FLOWACCT_BGP_MESSAGE_WRITER_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/message_view.h"
#include "flowacct/bgp/notification.h"
#include "flowacct/bgp/open.h"

namespace flowacct::bgp {

// Families without a row (Family::kOther) are left out.
void WriteOpen(const Open& open, base::OctetWriter* out);
void WriteKeepalive(base::OctetWriter* out);
void WriteNotification(const NotificationView& notification, base::OctetWriter* out);
// The data of a Cease with a text (RFC 9003, 2), cut to 255 octets between two characters.
void WriteShutdownCommunication(absl::string_view text, base::OctetWriter* data);
void WriteRouteRefresh(Family family, RouteRefreshSubtype subtype, base::OctetWriter* out);

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_MESSAGE_WRITER_H_
