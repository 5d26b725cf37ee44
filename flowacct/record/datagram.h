// One export datagram (or message of a stream) with where it came from and when: what every flow decoder takes.
//
// Borrows its octets; valid for the call that it is handed to.

#ifndef FLOWACCT_RECORD_DATAGRAM_H_
#define FLOWACCT_RECORD_DATAGRAM_H_

#include <cstdint>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::record {

// What carried the datagram: it decides the life of templates (RFC 7011, 8).
enum class Transport : uint8_t { kUdp, kTcp, kSctp, kFile };

struct Datagram {
  base::Octets octets;
  base::IpAddress source;
  uint16_t source_port = 0;
  base::IpAddress destination;
  uint16_t destination_port = 0;
  int64_t arrival_nanos = 0;  // since 1970, UTC; less than 2^62 from it, so that differences are numbers, too
  Transport transport = Transport::kUdp;
  // Of a stream (kTcp, kSctp): a number for each connection or association, never used for another one. 0: there is
  // none.
  uint64_t session = 0;
  // Counts from 1 in a capture; 0 when nobody counts. For what is told to a person.
  uint64_t number = 0;
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_DATAGRAM_H_
