// The update process of one level: its database, what each circuit is to be told of it, and this system's own LSP.
//
// Standard: ISO/IEC 10589, 7.3.11 to 7.3.17; RFC 6232 (who purged), RFC 6233 (what a purge may carry). Guarantees: at
// the end of a flood, who is connected has what we have; a database beyond its bounds refuses what is new. Not checked:
// level, adjacency and authentication of what is received, which the instance has. Ownership: borrows the context.
// Threads: one at a time. Errors: a Verdict. Cost: some look-ups an LSP; a line of sequence numbers one.

#ifndef FLOWACCT_ISIS_INSTANCE_UPDATE_H_
#define FLOWACCT_ISIS_INSTANCE_UPDATE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/instance_context.h"
#include "flowacct/isis/instance_counters.h"
#include "flowacct/isis/instance_database.h"
#include "flowacct/isis/instance_flooding.h"
#include "flowacct/isis/pdu_view.h"

namespace flowacct::isis {

class UpdateProcess {
 public:
  // ISO 10589, table 2 of 7.5 ("routeing architectural constants") and the defaults of its parameters.
  static constexpr int64_t kZeroAgeNanos = 60 * kNanosPerSecond;       // ZeroAgeLifetime
  static constexpr uint16_t kMaxAgeSeconds = 1200;                     // MaxAge
  static constexpr int64_t kRefreshNanos = 900 * kNanosPerSecond;      // maximumLSPGenerationInterval
  static constexpr int64_t kMinGenerationNanos = 5 * kNanosPerSecond;  // fewer than its 30: a restart is seen soon
  static constexpr int64_t kBurstNanos = 33'000'000;                   // minimumBroadcastLSPTransmissionInterval
  static constexpr size_t kBurst = 10;                                 // PDUs in each of them

  UpdateProcess(Level level, InstanceContext* context) : level_(level), context_(context) {}

  // A circuit has its first neighbour of this level that hears us, or has lost its last one.
  void AddCircuit(CircuitIndex index, CircuitKind kind, size_t mtu, int64_t time_nanos);
  void RemoveCircuit(CircuitIndex index) { circuits_.erase(index); }

  // From a neighbour of a circuit that was added.
  Verdict ReceiveLsp(CircuitIndex index, const PduView& lsp, int64_t time_nanos);
  Verdict ReceiveSnp(CircuitIndex index, const PduView& snp, int64_t time_nanos);

  void Advance(int64_t time_nanos);
  int64_t next_time() const;
  const LspDatabase& database() const { return database_; }

 private:
  struct Circuit {
    CircuitKind kind = CircuitKind::kLan;
    size_t mtu = 0;
    SendFlags send;
    AcknowledgeFlags acknowledge;
    size_t lines = 0;                 // that fill a PSNP
    int64_t walks_since = INT64_MIN;  // for a second from then on
    size_t walked = 0;                // LSPs, because of CSNPs
    int64_t next_burst = INT64_MIN;   // when LSPs and CSNPs may go out again
    std::optional<LspId> csnps_from;  // CSNPs from there on are still to be sent
  };

  // Of 7.3.15.1: what to do to the flags of an LSP after one came in on `from`.
  void FloodFrom(CircuitIndex from, const LspEntry& entry, int64_t time_nanos);
  void FloodEverywhere(const LspId& id);
  void Forget(const LspId& id);
  void Acknowledge(Circuit* circuit, const LspEntry& entry, int64_t time_nanos);
  Verdict ReceiveOwn(Circuit* circuit, CircuitIndex index, const PduView& lsp, int64_t time_nanos);
  Verdict Keep(CircuitIndex index, const PduView& lsp, const StoredLsp* stored, int64_t time_nanos);
  void HearOf(Circuit* circuit, const LspEntry& entry, int64_t time_nanos);
  void Tell(LspChange::Kind kind, const LspId& id, int64_t time_nanos);

  // Replaces an LSP by its header and says so to everyone (7.3.16.4).
  void Purge(const LspId& id, uint32_t sequence, uint8_t flags, bool own, int64_t time_nanos);
  void StoreLsp(const LspId& id, base::Octets lsp, bool own, bool purged, int64_t time_nanos);
  void RemoveLsp(const LspId& id);

  bool has_own() const { return !context_->options.passive; }
  LspId own_id() const { return {{context_->options.system, 0}, 0}; }
  void WantOwn(uint32_t beyond, int64_t time_nanos);
  void MakeOwn(int64_t time_nanos);

  void SendCsnp(CircuitIndex index, Circuit* circuit, int64_t time_nanos);
  void SendPsnps(CircuitIndex index, Circuit* circuit, int64_t time_nanos);
  void SendBurst(CircuitIndex index, Circuit* circuit, int64_t time_nanos);

  const Level level_;
  InstanceContext* const context_;
  LspDatabase database_;
  absl::btree_map<CircuitIndex, Circuit> circuits_;
  // Our own LSP.
  uint32_t own_sequence_ = 0;     // of the last one made, or seen in our name
  int64_t own_next_ = kNever;     // when the next one is to be made
  int64_t own_last_ = INT64_MIN;  // when the last one was
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_INSTANCE_UPDATE_H_
