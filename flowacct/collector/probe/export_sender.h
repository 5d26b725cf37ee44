// Sends what an exporter says to a collector, over UDP, TCP or TLS, and knows the rows of what does not get there.
//
// Guaranteed: datagrams go in order and at most at the rate asked. Over TCP and TLS what cannot leave yet is queued
// (transport.h); a session begins with all templates, told with the sequence number of the message that follows (which
// is out by what left between the last Send and the end of the session before).
// Not guaranteed: that what was sent arrived. What is known: over UDP the datagrams of which the receiver's host said
// that nobody listens; over TCP and TLS those that were still queued when all was closed. Their rows are in
// rows_lost(); what a broken connection may have lost is told in octets by trouble().
// Ownership: owns its transport. Threads: one at a time. Errors: New, those of Transport::New; Send, what became of the
// datagram. Cost: that of the transport.

#ifndef FLOWACCT_COLLECTOR_PROBE_EXPORT_SENDER_H_
#define FLOWACCT_COLLECTOR_PROBE_EXPORT_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/transport/transport.h"
#include "flowacct/sink/export/export_encoder.h"

namespace flowacct::collector {

struct ExportSenderOptions {
  // `send_wait` is kept over TCP and TLS too, while there is a connection.
  TransportOptions transport;
  // UDP: what a receiver with the system's usual buffer takes. 0: as fast as it goes.
  uint32_t datagrams_per_second = 20000;
  // TCP, TLS: how long Close waits for what is queued. Less than what a reload gives a sink.
  absl::Duration close_patience = absl::Seconds(3);
};

class ExportSender final : public sink::ExportTransport {
 public:
  static absl::StatusOr<std::unique_ptr<ExportSender>> New(ExportSenderOptions options);

  absl::Status Send(base::Octets datagram, uint64_t rows) override;
  bool HasSessions() const override { return sessions_; }
  void SetPreamble(base::Octets messages, uint32_t data_records) override;
  void Settle() override;
  uint64_t rows_lost() const override { return rows_lost_; }
  std::string trouble() const override;
  absl::Status Close() override;

  const Transport& transport() const { return *transport_; }
  // UDP: our address, as the receiver sees it. 0.0.0.0 over connections.
  base::IpAddress from() const;

 private:
  struct Message {  // of a stream, that is queued
    uint64_t rows;
    uint32_t sequence;
  };

  ExportSender(ExportSenderOptions options, std::unique_ptr<Transport> transport);

  absl::Status SendDatagram(base::Octets datagram, uint64_t rows);
  absl::Status SendMessage(base::Octets message, uint64_t rows);
  // UDP: what the receiver's host has said since the last time is of the datagram before.
  void TakeRefusals();
  // TCP, TLS: forgets the messages that left.
  void TakeSent();
  void GivePreamble(uint32_t next_sequence);
  void WaitForRoom(size_t octets);
  void Pace();

  const ExportSenderOptions options_;
  const std::unique_ptr<Transport> transport_;
  const bool sessions_;
  uint64_t rows_lost_ = 0;
  bool closed_ = false;

  uint64_t paced_ = 0;
  absl::Time due_ = absl::InfinitePast();  // when the next burst may leave

  uint64_t refused_ = 0, refused_at_settle_ = 0, refused_lately_ = 0;
  uint64_t last_rows_ = 0;

  std::deque<Message> queued_;
  uint64_t queued_rows_ = 0;
  uint64_t rows_left_ = 0;  // of them, when all was closed
  uint64_t sent_ = 0;       // messages, of those that were ever queued
  std::vector<uint8_t> preamble_;
  uint32_t preamble_records_ = 0;
  uint64_t unacknowledged_ = 0, unacknowledged_lately_ = 0;  // octets
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_PROBE_EXPORT_SENDER_H_
