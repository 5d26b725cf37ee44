// One message of GTP as it lies in a datagram: header of any version, extension headers, and where the elements or the
// inner packet begin.
//
// Standards: GTPv0 (TS 09.60, 6), GTPv1-C (TS 29.060, 6), GTP-U (TS 29.281, 5.1 and 5.2), GTPv2-C (TS 29.274, 5), GTP'
// (TS 32.295, 6.1). Guaranteed: every octet is read within bounds; the whole chain of extension headers was walked, so
// that `payload` begins where the header says. Not checked: what the elements hold.
// Ownership: borrows the octets. Threads: any. Errors: kTruncated, kBadVersion, kBadLength, kBadValue with the offset.
// Cost: some tens of instructions; no allocation.

#ifndef FLOWACCT_GTP_MESSAGE_VIEW_H_
#define FLOWACCT_GTP_MESSAGE_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"

namespace flowacct::gtp {

inline constexpr uint16_t kGtpCPort = 2123, kGtpUPort = 2152, kGtpV0Port = 3386;  // GTP' is on 3386, too

class MessageView {
 public:
  // The first message in `octets`; what follows it (a piggy-backed message of GTPv2) is at size(). `view` is as it was
  // unless the result is ok.
  static base::DecodeResult Parse(base::Octets octets, MessageView* view);

  uint8_t version() const { return version_; }
  bool is_prime() const { return prime_; }  // GTP': protocol type 0
  uint8_t type() const { return type_; }
  bool has_teid() const { return has_teid_; }
  uint32_t teid() const { return teid_; }
  uint64_t tid() const { return tid_; }  // GTPv0: IMSI and NSAPI in TBCD order as it lies
  bool has_sequence() const { return has_sequence_; }
  uint32_t sequence() const { return sequence_; }
  bool has_npdu_number() const { return has_npdu_; }
  uint8_t npdu_number() const { return npdu_; }
  bool is_piggybacked() const { return piggybacked_; }  // GTPv2: another message follows
  uint16_t flow_label() const { return flow_label_; }   // GTPv0

  base::Octets octets() const { return octets_; }          // of this message alone
  base::Octets extensions() const { return extensions_; }  // the chain of extension headers, whole
  uint8_t first_extension_type() const { return first_extension_; }
  // Information elements, or the inner packet of a G-PDU.
  base::Octets payload() const { return payload_; }
  size_t size() const { return octets_.size(); }

 private:
  base::Octets octets_, extensions_, payload_;
  uint64_t tid_ = 0;
  uint32_t teid_ = 0, sequence_ = 0;
  uint16_t flow_label_ = 0;
  uint8_t version_ = 0, type_ = 0, npdu_ = 0, first_extension_ = 0;
  bool prime_ = false, has_teid_ = false, has_sequence_ = false, has_npdu_ = false, piggybacked_ = false;
};

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_MESSAGE_VIEW_H_
