// Which worker takes what an exporter sends: a number from the source's address alone.
//
// Workers share a port by SO_REUSEPORT. The system would spread by address *and port*, so that an exporter that
// restarts, or sends templates from another port than data, would change its worker and leave its templates behind. A
// classic BPF program (SO_ATTACH_REUSEPORT_CBPF, Linux 4.5) spreads by address instead, and needs no privilege.
// Guaranteed: the system and WorkerOfSource say the same; IPv4 within IPv6 sockets is IPv4. Not guaranteed: that
// few exporters spread evenly. Threads: any. Cost: in the system, some 15 instructions a datagram.

#ifndef FLOWACCT_COLLECTOR_LISTEN_SOURCE_STEERING_H_
#define FLOWACCT_COLLECTOR_LISTEN_SOURCE_STEERING_H_

#include <cstddef>

#include "absl/status/status.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/socket/descriptor.h"

namespace flowacct::collector {

// 0 .. workers - 1.
size_t WorkerOfSource(const base::IpAddress& source, size_t workers);

// For UDP and TCP. `socket` is the first of its group and not bound yet; gives it SO_REUSEPORT, which the others need
// too. The n-th that is bound is worker n's.
absl::Status SteerBySource(const Descriptor& socket, size_t workers);

// Sockets of a group take nothing until all of them stand, so that no datagram reaches a worker that is not its own.
absl::Status TakeNothing(const Descriptor& socket);
void TakeAll(const Descriptor& socket);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LISTEN_SOURCE_STEERING_H_
