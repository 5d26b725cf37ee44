// Who may export here, and how much: by rules on source addresses, before a datagram costs a decoder anything.
//
//     Admission admission(options);
//     for (const record::Datagram& datagram : listener->Receive()) {
//       if (admission.Admit(datagram.source, now_nanos) != AdmissionVerdict::kAdmitted) continue;
//       ... decode, rows ...
//       admission.ChargeRecords(datagram.source, rows, now_nanos);
//     }
//
// The longest prefix of the rules that holds the source decides. Limits are of each source address alone: a bucket that
// fills at `per_second` and holds a burst. Records are known only when they were decoded, so a budget is overdrawn by
// one datagram at most, and the next ones wait for it.
// Guaranteed: every datagram has one verdict, and is counted under it. A source that floods takes nothing from others,
// nor do sources that are made up: beyond max_sources they share one bucket, while known ones keep theirs. A clock that
// is set back gives each source one fresh bucket, no more and no less.
// Not checked: whether a source address is true; UDP's are easily forged.
// Ownership: owns all. Threads: one at a time; one for each worker, since an exporter has one worker.
// Cost: some 4 ns without rules and limits, 15 ns with them; README.md has the measurements. Memory: some 130 octets a
// source that is kept. No allocation in steady state.

#ifndef FLOWACCT_COLLECTOR_LISTEN_ADMISSION_H_
#define FLOWACCT_COLLECTOR_LISTEN_ADMISSION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/lpm/lpm_table.h"

namespace flowacct::collector {

// X(verdict, name, help)
#define FLOWACCT_ADMISSION_VERDICTS(X)                                                     \
  X(kAdmitted, "admitted", "taken")                                                        \
  X(kUnknownExporter, "unknown_exporter", "the source is not among those that may export") \
  X(kDatagramLimit, "datagram_limit", "the source sent more datagrams than its limit")     \
  X(kRecordBudget, "record_budget", "the source sent more records than its budget")

enum class AdmissionVerdict : uint8_t {
#define X(verdict, name, help) verdict,
  FLOWACCT_ADMISSION_VERDICTS(X)
#undef X
};

inline constexpr size_t kAdmissionVerdictCount = 0
#define X(verdict, name, help) +1
    FLOWACCT_ADMISSION_VERDICTS(X)
#undef X
    ;

absl::string_view AdmissionVerdictName(AdmissionVerdict verdict);
absl::string_view AdmissionVerdictHelp(AdmissionVerdict verdict);

struct AdmissionLimit {
  uint64_t per_second = 0;  // 0: no limit
  // What may come at once after a quiet time. 0: a second's worth.
  uint64_t burst = 0;
};

struct AdmissionRule {
  base::IpPrefix prefix;
  bool admit = true;
  AdmissionLimit datagrams;
  AdmissionLimit records;
};

struct AdmissionOptions {
  // Who may export. None: everyone may, under the limits below. A prefix that comes twice has the last rule.
  std::vector<AdmissionRule> rules;
  // Sources that no rule holds are admitted under the limits below and counted as unlisted, instead of refused: to see
  // whom a list would lock out before it does.
  bool admit_unlisted = false;
  AdmissionLimit datagrams;
  AdmissionLimit records;
  // Sources whose buckets are kept, some 100 octets each: more than a network has exporters, less than a flood of
  // forged addresses would fill. One that sent nothing for `forget_nanos` makes room.
  size_t max_sources = 65536;
  int64_t forget_nanos = int64_t{600} * 1000000000;
  // Refused sources that are told one by one; people look at few. The rest is told under the unspecified address.
  size_t max_refused_sources = 256;
};

struct AdmissionCounters {
  std::array<uint64_t, kAdmissionVerdictCount> datagrams{};  // by verdict: the sum is all that was asked
  uint64_t unlisted = 0;                                     // of the admitted: no rule holds their source
  uint64_t beyond_sources = 0;  // judged by the bucket that all share whom max_sources leaves out
  uint64_t forgotten = 0;       // sources that made room
};

// Of one source address; the unspecified address stands for all beyond the bounds.
struct AdmissionSource {
  base::IpAddress address;
  std::array<uint64_t, kAdmissionVerdictCount> datagrams{};
  uint64_t records = 0;  // charged
};

class Admission {
 public:
  // InvalidArgument names the option.
  static absl::StatusOr<std::unique_ptr<Admission>> New(const AdmissionOptions& options);

  // Other rules and limits from now on: sources, their buckets and all counters stay. On an error nothing changes.
  absl::Status SetOptions(const AdmissionOptions& options);

  // `now_nanos`: of any clock; one that is never set (CLOCK_MONOTONIC) is best.
  AdmissionVerdict Admit(const base::IpAddress& source, int64_t now_nanos);
  // What an admitted datagram turned out to hold.
  void ChargeRecords(const base::IpAddress& source, uint64_t records, int64_t now_nanos);

  const AdmissionCounters& counters() const { return counters_; }
  // Those with limits, and those that were refused, by address.
  std::vector<AdmissionSource> Sources() const;
  size_t kept_sources() const { return index_.size(); }

 private:
  // A limit as times: a bucket is the time at which it will be full again (GCRA, ITU-T I.371). `window_nanos` ahead of
  // now it is empty.
  struct Rate {
    Rate() = default;
    explicit Rate(const AdmissionLimit& limit);
    uint64_t per_second = 0;  // 0: no limit
    int64_t window_nanos = 0;
    int64_t Cost(uint64_t n) const;
  };
  struct Limits {
    bool admit = true;
    bool listed = false;
    Rate datagrams;
    Rate records;
    bool any() const { return datagrams.per_second != 0 || records.per_second != 0; }
  };
  struct Source {
    AdmissionSource told;
    const Limits* limits = nullptr;
    int64_t datagrams_full_nanos = 0;
    int64_t records_full_nanos = 0;
    int64_t last_nanos = 0;
  };
  struct Rules {
    bool trivial = true;  // no rule, no limit
    Limits unlisted;
    lpm::LpmTable<Limits> listed;
    const Limits& Judge(const base::IpAddress& source) const;
  };

  Admission(const AdmissionOptions& options, std::unique_ptr<const Rules> rules);
  static absl::StatusOr<std::unique_ptr<const Rules>> NewRules(const AdmissionOptions& options);
  // Null if neither the last one nor kept.
  Source* Find(const base::IpAddress& source);
  Source* Make(const base::IpAddress& source, const Limits& limits, int64_t now_nanos);
  AdmissionVerdict Decide(Source& source, const Limits& limits, int64_t now_nanos);
  void CountRefused(const base::IpAddress& source);

  AdmissionOptions options_;
  std::unique_ptr<const Rules> rules_;
  AdmissionCounters counters_;
  std::vector<Source> sources_;
  absl::flat_hash_map<base::IpAddress, uint32_t> index_;
  Source beyond_;    // the one bucket of those that are not kept
  size_t hand_ = 0;  // where the next one to forget is looked for
  size_t last_ = 0;  // datagrams of a source come together
  absl::flat_hash_map<base::IpAddress, uint64_t> refused_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LISTEN_ADMISSION_H_
