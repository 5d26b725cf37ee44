// The flags of one circuit and level: which LSPs are to be sent (SRM), of which sequence numbers are to be told (SSN).
//
// Standard: ISO/IEC 10589, 7.3.15 (SRMflag, SSNflag), 7.3.14.3 and 7.3.15.5 (their timers). Guarantees: a flag is
// there once, however often it is set; bounded by the LSPs that the database has, and SSN flags by the bound that the
// caller keeps. Ownership: values. Threads: one at a time. Cost: a hash look-up for SRM, a B-tree's for SSN.

#ifndef FLOWACCT_ISIS_INSTANCE_FLOODING_H_
#define FLOWACCT_ISIS_INSTANCE_FLOODING_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/instance_database.h"
#include "flowacct/isis/pdu_view.h"

namespace flowacct::isis {

// LSPs to be sent on a circuit. Those that were never sent go first, in the order in which they were set; one that was
// sent waits for its acknowledgement, and is sent again if none comes.
class SendFlags {
 public:
  // ISO 10589, 7.3.15.5: minimumLSPTransmissionInterval.
  static constexpr int64_t kRetransmitNanos = 5 * kNanosPerSecond;

  // To be sent as soon as may be, also if it was sent a moment ago: it is another one now.
  void Set(const LspId& id);
  // To be sent after kRetransmitNanos unless it is cleared or set before; Sent says so of one that has just been sent.
  // Times must not go back.
  void SetLater(const LspId& id, int64_t time_nanos) { Wait(id, time_nanos, false); }
  void Sent(const LspId& id, int64_t time_nanos) { Wait(id, time_nanos, true); }
  void Clear(const LspId& id);
  void ClearAll();
  bool Has(const LspId& id) const { return by_id_.contains(id); }
  bool empty() const { return by_id_.empty(); }
  size_t size() const { return by_id_.size(); }

  // The one to be sent at that time, or nullptr. It keeps its place until it is sent, put off or cleared.
  const LspId* Next(int64_t time_nanos) const;
  // True of one that waits for its acknowledgement.
  bool WasSent(const LspId& id) const;
  // When Next has something; kNever if there is nothing.
  int64_t next_time() const { return !fresh_.empty() ? INT64_MIN : waiting_.empty() ? kNever : waiting_.front().due; }

 private:
  struct Flag {
    LspId id;
    int64_t due;
  };
  struct Place {
    std::list<Flag>::iterator at;
    bool waiting, sent;
  };
  void Wait(const LspId& id, int64_t time_nanos, bool sent);

  std::list<Flag> fresh_, waiting_;  // each in the order of its times
  absl::flat_hash_map<LspId, Place> by_id_;
};

// Lines for the next PSNPs: acknowledgements, and requests (whose sequence number is 0).
class AcknowledgeFlags {
 public:
  // ISO 10589, 7.3.15.4: partialSNPInterval.
  static constexpr int64_t kIntervalNanos = 2 * kNanosPerSecond;

  void Set(const LspEntry& entry, int64_t time_nanos);
  void Clear(const LspId& id) { entries_.erase(id); }
  void ClearAll() { entries_.clear(); }
  const LspEntry* Find(const LspId& id) const;
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }

  // When a PSNP is due: `full` lines fill one, which is then sent at once; kNever if there is nothing to say.
  int64_t next_time(size_t full) const {
    return entries_.empty() ? kNever : entries_.size() >= full ? INT64_MIN : first_nanos_ + kIntervalNanos;
  }
  // Takes up to `most` lines.
  std::vector<LspEntry> Take(size_t most, int64_t time_nanos);

 private:
  absl::btree_map<LspId, LspEntry> entries_;
  int64_t first_nanos_ = 0;  // when the oldest line was set
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_INSTANCE_FLOODING_H_
