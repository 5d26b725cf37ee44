// Where a worker takes its octets from: a socket, connections, an interface, captures, Kafka. One interface, so that
// the worker's loop knows no kind.
//
// Ownership: what a reading borrows is valid until the next call. Threads: the worker's, but for New.
// Errors: a source that fails says so in its status and goes on (an interface that is gone comes back), or has ended.

#ifndef FLOWACCT_COLLECTOR_SERVER_SOURCE_H_
#define FLOWACCT_COLLECTOR_SERVER_SOURCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/capture/captured_packet.h"
#include "flowacct/collector/export/capture_kind.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {

struct Reading {
  absl::Span<const record::Datagram> datagrams;
  absl::Span<const CapturedPacket> packets;
  absl::Span<const base::Octets> messages;          // records of other collectors (FlowMessage)
  CaptureKind packet_kind = CaptureKind::kPackets;  // what these hold
  bool tell_interfaces = true;                      // what packets know of them counts
  // Of a stream: all its datagrams are of this one; else 0.
  uint64_t session = 0;
  // Sessions of streams that ended: templates that came in them are void.
  absl::Span<const uint64_t> ended_sessions;
  bool empty() const { return datagrams.empty() && packets.empty() && messages.empty() && ended_sessions.empty(); }
};

class Source {
 public:
  virtual ~Source() = default;

  // To wait for: readable when there is something to read. -1: read it when there is nothing else to do.
  virtual int fd() const = 0;
  // What is there, a bounded amount, without waiting; empty if there is nothing.
  virtual Reading Read() = 0;
  // Closes a session: what it brings cannot be trusted. It is not told as ended any more, unless it was.
  virtual void Refuse(uint64_t session) {}
  // Called about once a second, for what is not urgent.
  virtual void Tick() {}
  // No more will ever come.
  virtual bool ended() const { return false; }
  // Nanoseconds since 1970 of what was read last, where that and not the clock is the time by which bins are closed.
  virtual std::optional<int64_t> time_nanos() const { return std::nullopt; }
  // Of a source that can be read again: how far it was read, as text. A collector that begins gives it back.
  virtual std::string position() const { return ""; }
  // It has to be known soon that what was read is kept.
  virtual bool wants_checkpoint() const { return false; }
  // What was read up to there is kept, and need not be read again. `is_end`: no more is read after this.
  virtual void NoteKept(const std::string& position, bool is_end) {}
  // Adds what this source counts.
  virtual void AddTo(InputStatus* status) const = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_SOURCE_H_
