// The router's side of the RPKI-to-Router protocol: octets and time in, queries to send and a set of VRPs out.
//
//     Client client(options, &listener);
//     client.Connected(now);                     // it queries
//     client.Receive(octets, now);               // as they come, however they are split
//     client.Tick(now);                          // not later than deadline()
//     send(client.output()); client.ConsumeOutput(n);
//     if (client.closing()) ...                  // send what is left of output(), close, client.Disconnected(now)
//     if (!client.connected() && now >= client.deadline()) ...   // connect
//
// Standards: RFC 8210 (5-8, 10, 12), RFC 6810 (version 0, to which it falls back, and then stays there). One cache;
// several are several clients, whose sets the caller joins.
// Guaranteed: vrps() changes only at an End of Data, as a whole, or when it expires or the cache turns out to be
// another (flushed); each change is told once, by OnUpdate. Router keys are counted, not kept. ASPA (version 2) is not
// spoken.
// What ends a connection: anything malformed or unexpected, answered with an Error Report (never one to another), a
// cache that is silent for too long in an answer or takes nothing, and too many VRPs. After an error the next
// connection begins with a Reset Query. Reconnecting is due after the retry interval.
// Ownership: borrows the listener; what events borrow is valid during the call. Threads: one at a time. The listener
// must not call the client. Errors: OnClosed and counters(). Bounds: ClientOptions. Memory: some 40 octets a VRP, and
// as much again while a full set comes. Cost: some 170 ns a VRP of a full set.

#ifndef FLOWACCT_RPKI_CLIENT_H_
#define FLOWACCT_RPKI_CLIENT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/rpki/pdu.h"
#include "flowacct/rpki/vrp.h"

namespace flowacct::rpki {

struct ClientOptions {
  uint8_t version = kMaxVersion;  // the highest to try
  // All of 2026's are some 700,000.
  size_t max_vrps = size_t{4} << 20;
  // An Error Report with a PDU and a text is the longest that is of use.
  size_t max_pdu_octets = 65536;
  // Of a version 0 cache, and until End of Data tells others (RFC 8210, 6).
  absl::Duration refresh = absl::Seconds(3600);
  absl::Duration retry = absl::Seconds(600);
  absl::Duration expire = absl::Seconds(7200);
  // How long a cache may be silent that owes an answer.
  absl::Duration response_time = absl::Seconds(60);
};

// name, text
#define FLOWACCT_RPKI_CLIENT_STATES(X) \
  X(kDown, "down")                     \
  X(kQueried, "queried")               \
  X(kReceiving, "receiving")           \
  X(kSynchronized, "synchronized")     \
  X(kNoData, "no_data")                \
  X(kClosing, "closing")
enum class ClientState : uint8_t {
#define X(name, text) name,
  FLOWACCT_RPKI_CLIENT_STATES(X)
#undef X
};
absl::string_view ClientStateName(ClientState state);

using VrpSet = absl::flat_hash_set<Vrp>;

class ClientListener {
 public:
  virtual ~ClientListener() = default;
  // `vrps` is what holds from now on.
  virtual void OnUpdate(const VrpSet& vrps) {}
  // The connection is to be closed. `from_cache`: the cache reported the error; `text` as it came.
  virtual void OnClosed(ErrorCode code, bool from_cache, absl::string_view text) {}
};

struct ClientCounters {
  std::array<uint64_t, kPduTypeLimit> received{};  // by type
  uint64_t octets = 0;
  uint64_t announced = 0, withdrawn = 0;  // that took effect
  uint64_t updates = 0;                   // End of Data
  uint64_t resets = 0;                    // full sets
  uint64_t flushed = 0;                   // expired, or of another cache
  uint64_t downgrades = 0;
  uint64_t errors_sent = 0, errors_received = 0;
  uint64_t timeouts = 0;
  uint64_t ignored_timers = 0;  // beyond RFC 8210, 6's ranges
  uint64_t over_limit = 0;
};

class Client {
 public:
  Client(const ClientOptions& options, ClientListener* listener);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Connected(absl::Time now);
  // False: closing(), and nothing more is read.
  bool Receive(base::Octets octets, absl::Time now);
  void Disconnected(absl::Time now);
  void Tick(absl::Time now);
  // The next time at which Tick or, while not connected, connecting is due.
  absl::Time deadline() const;

  base::Octets output() const { return output_.octets().subspan(sent_); }
  void ConsumeOutput(size_t octets);

  bool connected() const { return state_ != ClientState::kDown; }
  bool closing() const { return state_ == ClientState::kClosing; }
  ClientState state() const { return state_; }
  uint8_t version() const { return version_; }
  bool has_session() const { return has_session_; }
  uint16_t session_id() const { return session_id_; }
  uint32_t serial() const { return serial_; }
  const VrpSet& vrps() const { return vrps_; }
  // When vrps() are flushed unless the cache is heard again; the future: it has told none, or they were flushed.
  absl::Time expires() const { return expires_; }
  absl::Duration retry() const { return retry_; }
  const ClientCounters& counters() const { return counters_; }

 private:
  void Query(absl::Time now);
  void ReadPdu(base::Octets pdu, absl::Time now);
  void ReadCacheResponse(base::Octets pdu, absl::Time now);
  void ReadPrefixPdu(base::Octets pdu);
  void Finish(base::Octets pdu, absl::Time now);
  void ReadError(base::Octets pdu, absl::Time now);
  // Of a header that may be the first: settles the version. False: closed.
  bool CheckVersion(const PduHeader& header, base::Octets pdu);
  void Fail(ErrorCode code, base::Octets pdu, absl::string_view text);
  void Close(ErrorCode code, bool from_cache, absl::string_view text);
  void Forget();
  void Flush();

  const ClientOptions options_;
  ClientListener* const listener_;
  ClientCounters counters_;
  ClientState state_ = ClientState::kDown;
  uint8_t version_;
  bool version_settled_ = false;  // of this connection
  bool full_ = true;              // what was asked for
  bool has_session_ = false;
  uint16_t session_id_ = 0;
  uint32_t serial_ = 0;
  absl::Duration refresh_, retry_, expire_;
  absl::Time next_;                              // query, connection or end of patience
  absl::Time expires_ = absl::InfiniteFuture();  // of vrps_
  std::vector<uint8_t> partial_;                 // the start of a PDU
  base::OctetWriter output_;
  size_t sent_ = 0;
  VrpSet vrps_;
  VrpSet coming_;                 // a full set
  VrpSet announced_, withdrawn_;  // against vrps_
};

}  // namespace flowacct::rpki

#endif  // FLOWACCT_RPKI_CLIENT_H_
