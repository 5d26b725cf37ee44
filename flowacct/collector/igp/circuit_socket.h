// Where PDUs of IS-IS come in and go out: Ethernet with LLC on an interface, a tunnel interface of the kernel, or GRE
// in user space to one router.
//
// Ethernet: ISO 10589, 8.4.8 (group addresses AllL1ISs, AllL2ISs; AllISs on point-to-point circuits, RFC 5309), through
// a packet socket; the interface needs no address. A tunnel interface (GRE over IPv4 or IPv6): packets with the type
// 0x00FE, through a packet socket. GRE: RFC 2784, protocol 0x00FE, IP protocol 47 over IPv4 or IPv6,
// through a raw socket: no tunnel interface is made, and what the kernel does with GRE stays as it is.
// Threads: one at a time. Errors: of opening by a Status that says what to do (both need CAP_NET_RAW); what is received
// and is no PDU of IS-IS is counted and left. Cost: a system call a frame.

#ifndef FLOWACCT_COLLECTOR_IGP_CIRCUIT_SOCKET_H_
#define FLOWACCT_COLLECTOR_IGP_CIRCUIT_SOCKET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/encapsulation.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/instance.h"

namespace flowacct::collector {

struct CircuitFrame {
  base::MacAddress source;  // of Ethernet
  base::Octets pdu;         // from 0x83 on; valid until the next Receive
};

struct CircuitSocketCounters {
  isis::EncapsulationCounters received{};  // what the system gave, by what was in it
  uint64_t sent = 0;
  uint64_t not_sent = 0;  // the system would not
};

class CircuitSocket {
 public:
  virtual ~CircuitSocket() = default;
  // To wait for; non-blocking.
  virtual int descriptor() const = 0;
  // The next PDU that waits; false: none does.
  virtual bool Receive(CircuitFrame* frame) = 0;
  virtual void Send(isis::Level level, base::Octets pdu) = 0;
  // False: its interface is gone, though another one of its name may be there.
  virtual bool IsThere() const { return true; }
  // What the circuit is like, as far as the system knows: name, MAC, MTU of a PDU, addresses.
  virtual const isis::CircuitOptions& circuit() const = 0;
  const CircuitSocketCounters& counters() const { return counters_; }

 protected:
  CircuitSocketCounters counters_;
};

absl::StatusOr<std::unique_ptr<CircuitSocket>> OpenDeviceCircuit(const std::string& device, isis::CircuitKind kind);
// Of one family. `local` is an address of this machine; `told`: what hellos say of us (an address of the tunnel's
// network, as the router wants to see one), may be empty.
absl::StatusOr<std::unique_ptr<CircuitSocket>> OpenGreCircuit(const base::IpAddress& local,
                                                              const base::IpAddress& remote,
                                                              std::vector<base::IpAddress> told);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_CIRCUIT_SOCKET_H_
