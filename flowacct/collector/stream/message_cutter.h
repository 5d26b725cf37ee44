// Cuts a stream into IPFIX messages, wherever the network cut it before.
//
// Standard: RFC 7011, 10.4.3: over TCP a message follows upon another; its length is in its header.
// Guaranteed: what was given = messages + begun() + lost(), octet for octet; the messages are the same however the
// stream comes in pieces. Not checked: what is in a message.
// Ownership: messages are views into what was given; of the begun one a copy is kept, less than 64 KiB, and no buffer
// where there is none. Threads: one at a time. Errors: a code; then the stream cannot be followed any further.
// Cost: a few loads a message; a begun one is copied.

#ifndef FLOWACCT_COLLECTOR_STREAM_MESSAGE_CUTTER_H_
#define FLOWACCT_COLLECTOR_STREAM_MESSAGE_CUTTER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"

namespace flowacct::collector {

class MessageCutter {
 public:
  // The first part of a message. It comes before what is given next.
  base::Octets begun() const { return begun_; }
  size_t lost() const { return lost_; }

  // `octets`: begun(), copied to where there is room behind it, and what came. Appends the messages that are whole.
  // kOk; kBadVersion, kBadLength: what follows them is lost.
  base::DecodeCode Cut(base::Octets octets, std::vector<base::Octets>* messages);
  // No more will come: what was begun is lost.
  void End();

 private:
  std::vector<uint8_t> begun_;
  size_t lost_ = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_STREAM_MESSAGE_CUTTER_H_
