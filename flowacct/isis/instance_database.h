// The LSPs of one level: by identifier, in the order in which CSNPs tell of them, and by the time when they grow old.
//
// Standard: ISO/IEC 10589, 7.3.16 (which of two is newer; ages; purges). Guarantees: an LSP is kept as it came, its
// remaining lifetime is counted from then; a purged one stays for the time that the caller says, so that it is not
// taken back from a neighbour that has not heard of it. Not checked: octets, which whoever stores has read. Ownership:
// the database owns the octets. Threads: one at a time. Cost: a search in a B-tree; an LSP takes its octets and some
// 150 more.

#ifndef FLOWACCT_ISIS_INSTANCE_DATABASE_H_
#define FLOWACCT_ISIS_INSTANCE_DATABASE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/pdu_view.h"

namespace flowacct::isis {

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr int64_t kNever = INT64_MAX;

// Where the fields of an LSP lie (ISO 10589, 9.9).
inline constexpr size_t kLspRemainingAt = 10, kLspSequenceAt = 20, kLspChecksumAt = 24, kLspFlagsAt = 26,
                        kLspHeaderSize = 27;

struct StoredLsp {
  std::vector<uint8_t> octets;  // from 0x83 on
  uint32_t sequence = 0;
  uint16_t checksum = 0;
  bool purged = false;  // its remaining lifetime is 0
  bool own = false;
  int64_t expires_nanos = 0;  // when its lifetime ends; of a purged one, when it is forgotten

  // Whole seconds, as it is to be told; at least one of an LSP that is not purged.
  uint16_t remaining_seconds(int64_t time_nanos) const;
  uint8_t flags() const { return octets[kLspFlagsAt]; }
  LspEntry EntryOf(const LspId& id, int64_t time_nanos) const {
    return {remaining_seconds(time_nanos), id, sequence, checksum};
  }
  // Behind the header.
  base::Octets tlvs() const { return base::Octets(octets).subspan(kLspHeaderSize); }
};

// Of what came, beside what is stored (ISO 10589, 7.3.16.2).
enum class LspOrder : uint8_t {
  kNewer,
  kSame,
  kOlder,
  kConfused,  // the same sequence number with another checksum: one of them is not what its system said
};
LspOrder CompareLsp(const LspEntry& received, const StoredLsp& stored);

class LspDatabase {
 public:
  using Map = absl::btree_map<LspId, std::unique_ptr<StoredLsp>>;

  const StoredLsp* Find(const LspId& id) const;
  // Replaces what is there. `lsp`: whole, with its header; it lives for its remaining lifetime.
  const StoredLsp& Store(const LspId& id, base::Octets lsp, bool own, int64_t time_nanos);
  // The same for one whose lifetime is over (its octets say 0), until `forget_nanos`.
  const StoredLsp& StorePurged(const LspId& id, base::Octets lsp, bool own, int64_t forget_nanos);
  void Remove(const LspId& id);

  const Map& lsps() const { return lsps_; }
  size_t size() const { return lsps_.size(); }
  size_t octets() const { return octets_; }  // of the LSPs alone

  int64_t next_expiry() const { return by_expiry_.empty() ? kNever : by_expiry_.begin()->first; }
  // The one that expires next; there must be one.
  const LspId& next_to_expire() const { return by_expiry_.begin()->second; }

 private:
  StoredLsp* Replace(const LspId& id, base::Octets lsp, int64_t expires_nanos);

  Map lsps_;
  absl::btree_set<std::pair<int64_t, LspId>> by_expiry_;
  size_t octets_ = 0;
};

// True if both LSPs say the same: flags, and TLVs but for authentication (TLV 10), which differs each time it is made.
bool SameLspContent(base::Octets a, base::Octets b);

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_INSTANCE_DATABASE_H_
