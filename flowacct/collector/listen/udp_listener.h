// Takes export datagrams from a UDP port, many with one call of the system.
//
//     auto listeners = UdpListener::NewGroup({.address = "udp://[::]:2055"}, workers);   // one a worker
//     ...
//     for (const record::Datagram& datagram : listener->Receive()) ...
//
// All datagrams of a source address reach the same listener of a group (source_steering.h). Where the system cannot do
// that, the group is one listener, whatever was asked: an exporter's templates and its data stay together, and the
// warnings say so.
// Guaranteed: what reached the socket = `datagrams` + `kernel_drops`, exactly, when nobody sends any more (unless
// `coalesce`). No
// datagram is cut unless max_datagram_octets says so; then it is handed on as far as it goes, and its decoder tells
// what it lacks.
// Ownership: datagrams borrow the listener's buffers until the next Receive. Threads: one at a time each.
// Errors: of opening, a Status with the address, the reason and what to do (bound_socket.h); later ones are counted.
// Cost: some 0.6 us a datagram of 1.4 KB, nearly all of it the system's; README.md has the measurements. No allocation.
// Memory: batch_datagrams times max_datagram_octets of address space; what datagrams have touched is resident.

#ifndef FLOWACCT_COLLECTOR_LISTEN_UDP_LISTENER_H_
#define FLOWACCT_COLLECTOR_LISTEN_UDP_LISTENER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {

struct UdpListenerOptions {
  std::string address = "udp://[::]:2055";
  // Take from this interface alone. Empty: from all.
  std::string bind_to_device;
  // What the system may hold while a worker is busy, by its own reckoning of some 2.3 KB for a datagram of 1.4 KB: this
  // is 0.1 s of 3 million NetFlow v9 records a second, 24 in a datagram.
  size_t receive_buffer_octets = size_t{32} << 20;
  // One call's worth: more make the call no cheaper, but push the first ones' octets out of the cache.
  size_t batch_datagrams = 64;
  // The largest that UDP has. A smaller one saves memory where exporters are trusted to send nothing larger.
  size_t max_datagram_octets = 65535;
  // Whether the address that a datagram was sent to is told where the socket takes those of several.
  bool tell_destination = true;
  // The system's time of arrival for each datagram, instead of the time of the call that took it: more exact while the
  // worker is behind.
  bool kernel_times = false;
  // Lets the system hand on several datagrams of a source, all of one length, as one block (UDP_GRO, Linux 5.0), which
  // costs a fifth. Off, since the system counts a block that it drops as one: `kernel_drops` is then a lower bound.
  bool coalesce = false;
};

struct UdpListenerCounters {
  uint64_t datagrams = 0;     // handed out
  uint64_t octets = 0;        // of their payloads
  uint64_t truncated = 0;     // of the datagrams: longer than max_datagram_octets
  uint64_t kernel_drops = 0;  // lost between the network and Receive: the receive buffer was full, or a checksum wrong
  uint64_t calls = 0;         // of the system, that gave something
  uint64_t errors = 0;        // calls that failed
  int last_error = 0;         // errno
  uint64_t interface_changes = 0;
};

class UdpListener {
 public:
  struct Group {
    std::vector<std::unique_ptr<UdpListener>> listeners;
    std::vector<std::string> warnings;  // one line each: what is less than was asked, and what to do
  };
  // As many as `workers`, or one if the system cannot steer.
  static absl::StatusOr<Group> NewGroup(const UdpListenerOptions& options, size_t workers);
  ~UdpListener();
  UdpListener(const UdpListener&) = delete;
  UdpListener& operator=(const UdpListener&) = delete;

  // What is there, at most a batch; none if nothing is. Does not wait: give descriptor() to a Poller.
  absl::Span<const record::Datagram> Receive();
  // Whether the last Receive was full, so that another is worth while without asking the Poller first.
  bool more() const { return more_; }

  // An interface that went and came back is another one to the system, and a socket that is bound to the first
  // (bind_to_device, or a link-local address) hears nothing of it. Follows the name; to be called every second or so.
  // NotFound while there is no such interface; PermissionDenied if the system does not let us (CAP_NET_RAW).
  absl::Status FollowInterface();

  int descriptor() const { return socket_.get(); }
  // With the port that the system chose, if it was asked to.
  const Endpoint& endpoint() const { return endpoint_; }
  size_t granted_buffer_octets() const { return granted_buffer_octets_; }
  // Asks the system for its drops. Threads: the owner's, as Receive.
  const UdpListenerCounters& counters();

 private:
  struct Batch;
  UdpListener(const UdpListenerOptions& options, Descriptor socket, Endpoint endpoint, size_t granted_buffer_octets);
  absl::Status Prepare();
  void Start();
  void CountDrops();
  void Append(size_t slot, size_t octets, int64_t arrival_nanos);

  const UdpListenerOptions options_;
  Descriptor socket_;
  Endpoint endpoint_;
  const size_t granted_buffer_octets_;
  std::string interface_;  // that the socket is bound to; empty: none
  unsigned interface_index_ = 0;
  std::unique_ptr<Batch> batch_;
  bool more_ = false;
  uint32_t last_drops_ = 0;
  UdpListenerCounters counters_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LISTEN_UDP_LISTENER_H_
