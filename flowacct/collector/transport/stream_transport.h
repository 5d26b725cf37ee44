// The Transport over TCP and TLS: a queue, and a thread that empties it into a connection for as long as there is one.

#ifndef FLOWACCT_COLLECTOR_TRANSPORT_STREAM_TRANSPORT_H_
#define FLOWACCT_COLLECTOR_TRANSPORT_STREAM_TRANSPORT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/connection/connection.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/transport/transport.h"

namespace flowacct::collector {

class StreamTransport final : public Transport {
 public:
  static absl::StatusOr<std::unique_ptr<StreamTransport>> New(const TransportOptions& options);
  ~StreamTransport() override;

  absl::Status Send(base::Octets message) override;
  size_t SendBatch(absl::Span<const base::Octets> messages) override;
  void SetPreamble(base::Octets messages) override;
  uint64_t session() const override { return session_; }
  bool connected() const override { return connected_; }
  void Close(absl::Duration at_most) override;
  TransportCounters counters() const override;
  const Endpoint& to() const override { return to_; }

 private:
  // Messages on their way, one behind the other, and how far they are.
  struct Block {
    std::string octets;
    std::deque<size_t> ends;  // of each message in `octets`
    size_t written = 0;       // of `octets`
    size_t done = 0;          // of `octets`: the messages that are sent
    bool empty() const { return ends.empty(); }
  };

  StreamTransport(const TransportOptions& options, Endpoint to, Descriptor event);
  void Run();
  std::unique_ptr<Connection> Connect();
  void Converse(Connection& connection);
  bool Fill();
  void Wrote(size_t octets);
  // Waits for the descriptor (poll's events; none: only to be woken) until `time`. What can be done with it.
  short Wait(int descriptor, short events, absl::Time time);
  void Broken(const std::string& why);
  bool Over() const;
  void Wake();

  const TransportOptions options_;
  const Endpoint to_;
  const Descriptor event_;
  std::atomic<uint64_t> session_{0};
  std::atomic<bool> connected_{false};

  // Guards what follows. Not absl's, whose archives tell ThreadSanitizer nothing.
  mutable std::mutex mutex_;
  std::deque<std::string> queue_;
  size_t queued_octets_ = 0;  // of queue_ and of what is left of block_
  size_t queued_ = 0;
  std::string preamble_;
  bool idle_ = false;                        // the thread waits for something to be queued
  absl::Time end_ = absl::InfiniteFuture();  // set by Close
  TransportCounters counters_;

  // The thread's own.
  std::string greeting_;  // what is left of the preamble
  Block block_;
  uint64_t chance_;
  std::thread thread_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_TRANSPORT_STREAM_TRANSPORT_H_
