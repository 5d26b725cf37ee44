// What a message of GTP-C of any version tells: ControlMessage from MessageView.
//
//     MessageView view;
//     ControlMessage message;
//     if (MessageView::Parse(octets, &view).ok()) (void)ReadControlMessage(view, &message);
//
// Standards and errors: control_v1.h (GTPv0, GTPv1 and what signals on GTP-U's path), control_v2.h. GTP' has nothing of
// that: kUnsupported.
// Guaranteed: `out` holds what could be read, whatever the result, and nothing of what it held before.
// Ownership: `out` borrows nothing. Threads: any. Cost: that of the version's; no allocation.

#ifndef FLOWACCT_GTP_READ_CONTROL_MESSAGE_H_
#define FLOWACCT_GTP_READ_CONTROL_MESSAGE_H_

#include "flowacct/gtp/control_message.h"
#include "flowacct/gtp/control_v1.h"
#include "flowacct/gtp/control_v2.h"
#include "flowacct/gtp/message_view.h"

namespace flowacct::gtp {

inline base::DecodeResult ReadControlMessage(const MessageView& view, ControlMessage* out) {
  return view.version() == 2 && !view.is_prime() ? ReadControlMessageV2(view, out) : ReadControlMessageV1(view, out);
}

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_READ_CONTROL_MESSAGE_H_
