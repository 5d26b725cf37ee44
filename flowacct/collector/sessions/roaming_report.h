// Roaming verification: what sessions used in which network, and whether that is what was charged for it.
//
//     RoamingReport report(options);
//     for (const SessionRecord& record : records) report.Add(ToRoamingSession(record, apn));
//     for (const RoamingRow& row : report.Rows()) ...       // by day, visited network, home network and APN
//     const RoamingComparison found = report.Compare(charged);
//
// A session here is what is charged as one: a bearer or PDP context with a charging identifier of its own (3GPP
// TS 32.251, 5.1). Parts of it (records of intervals, partial records of charging) are summed by IMSI and charging
// identifier. Networks are told apart by MCC and MNC; roaming is who is in another network than his home's, unless both
// are own ones. Where one of the two is not known, that is not roaming either, and counted.
//
// A part is of the network, APN and day in which it ends or begins: its network and APN are those at its end, its day
// that of its beginning. So what records of one hour each tell is at most an hour off at midnight and at moves; a
// session in several groups is counted in each of them, and once in the totals.
//
// Compare pairs what was seen with what was charged:
//   1. by IMSI and charging identifier;
//   2. where one of the two has none: by IMSI, APN (network identifier, without regard to case) and the longest time in
//      common; several charged ones that belong to the same seen one are summed;
//   3. a bearer of a session that is left then is added to the first charged bearer of its session, as some charge by
//      connection and others by bearer.
// A pair is explained if what was charged too much and too little, up and down, is at most `tolerance_ppm` of its
// charged octets. Every charged octet is in exactly one of the sums.
//
// Guaranteed: sums are exact. Not checked: that an operator uses no charging identifier twice for a subscriber.
// Ownership: owns all. Threads: one at a time. Errors: ResourceExhausted beyond a bound, OutOfRange for a session of
// more than 2^64 octets; nothing of the part is counted then. Cost: some 200 ns a part and 250 octets a session; a
// comparison sorts once, and goes through a subscriber's sessions for each charged one of his without charging
// identifier.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_ROAMING_REPORT_H_
#define FLOWACCT_COLLECTOR_SESSIONS_ROAMING_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/digits.h"
#include "flowacct/session/session_record.h"

namespace flowacct::collector {

struct RoamingSession {
  base::Digits imsi;
  std::optional<uint32_t> charging_id;
  uint64_t session = 0;  // what its bearers have in common; 0: not known
  std::string apn;
  base::Digits home_plmn, visited_plmn;
  int64_t start_nanos = 0, end_nanos = 0;  // since 1970
  uint64_t milliseconds = 0;               // that it lasted
  uint64_t bytes_up = 0, bytes_down = 0;
};

RoamingSession ToRoamingSession(const session::SessionRecord& record, absl::string_view apn);
// "internet" of "Internet.mnc001.mcc262.gprs": what of an APN is compared.
std::string ApnNetwork(absl::string_view apn);

struct RoamingOptions {
  // Also who is at home, and whose network is not known.
  bool all = false;
  // Between which nobody roams.
  std::vector<base::Digits> own_networks;
  // Whose days these are.
  absl::TimeZone zone = absl::UTCTimeZone();
  // A month of a large operator's roaming; 5 GB with what indexes them.
  size_t max_sessions = 20'000'000;
  // Networks, APNs and days of a month; 200 octets each.
  size_t max_groups = 1'000'000;
};

struct RoamingRow {
  absl::CivilDay day;
  base::Digits visited_plmn, home_plmn;
  std::string apn;
  uint64_t sessions = 0, milliseconds = 0;
  absl::uint128 bytes_up = 0, bytes_down = 0;
};

// How a session fared. Name, text, help.
#define FLOWACCT_ROAMING_OUTCOMES(X)                                         \
  X(kExplained, "explained", "charged as it was seen, within the tolerance") \
  X(kDifferent, "different", "charged and seen, with other octets")          \
  X(kNotSeen, "not_seen", "charged, and no such session was seen")           \
  X(kNotCharged, "not_charged", "seen, and nothing was charged for it")

enum class RoamingOutcome : uint8_t {
#define X(name, text, help) name,
  FLOWACCT_ROAMING_OUTCOMES(X)
#undef X
};
inline constexpr size_t kRoamingOutcomes = 0
#define X(name, text, help) +1
    FLOWACCT_ROAMING_OUTCOMES(X)
#undef X
    ;

absl::string_view RoamingOutcomeName(RoamingOutcome outcome);

struct RoamingVolume {
  absl::uint128 up = 0, down = 0;
  absl::uint128 total() const { return up + down; }
};

// A session and what was charged for it.
struct RoamingDifference {
  RoamingOutcome outcome = RoamingOutcome::kExplained;
  RoamingSession session;  // as seen, or as charged if it was not; without volumes
  RoamingVolume seen, charged;

  // What was charged too much and too little, in all.
  absl::uint128 octets() const;
};

struct RoamingSum {
  uint64_t seen_sessions = 0, charged_sessions = 0;
  RoamingVolume seen, charged;
};

struct RoamingComparison {
  RoamingSum sums[kRoamingOutcomes];           // by outcome
  std::vector<RoamingDifference> differences;  // that are not explained, the largest first

  const RoamingSum& sum(RoamingOutcome outcome) const { return sums[static_cast<size_t>(outcome)]; }
  RoamingSum all() const;
  // Of all octets that were charged, in millionths, rounded down; nothing if none were.
  std::optional<uint32_t> explained_ppm() const;
};

struct RoamingCompareOptions {
  uint32_t tolerance_ppm = 10'000;
  // Two sessions have time in common if they are no further apart: clocks of two companies.
  int64_t slack_nanos = 5'000'000'000;
};

class RoamingReport {
 public:
  explicit RoamingReport(RoamingOptions options) : options_(std::move(options)) {}

  absl::Status Add(const RoamingSession& part);

  // By day, visited network, home network, APN.
  std::vector<RoamingRow> Rows() const;
  // Sums of Rows(), with each session once; its keys are empty.
  RoamingRow Total() const;

  // Of sessions that are not charged only those that Rows() has: who is at home is nobody's to charge.
  RoamingComparison Compare(absl::Span<const RoamingSession> charged, const RoamingCompareOptions& options = {}) const;

  size_t sessions() const { return sessions_.size(); }
  // Parts that Rows() leaves out: who is at home, whose networks are not known.
  uint64_t parts_at_home() const { return parts_at_home_; }
  uint64_t parts_of_unknown_networks() const { return parts_of_unknown_networks_; }

 private:
  static constexpr uint32_t kNoGroup = ~uint32_t{0};
  struct Held {
    RoamingSession session;
    uint32_t group = kNoGroup;  // the first that it was counted in
  };
  // IMSI; the number of the session or of its charging; whether it is the second.
  using SessionKey = std::tuple<base::Digits, uint64_t, bool>;
  using GroupKey = std::tuple<absl::CivilDay, base::Digits, base::Digits, std::string>;

  bool IsOwn(base::Digits plmn) const;
  bool Counts(const RoamingSession& part) const;

  const RoamingOptions options_;
  std::vector<Held> sessions_;
  absl::flat_hash_map<SessionKey, uint32_t> by_key_;
  std::vector<RoamingRow> groups_;
  absl::flat_hash_map<GroupKey, uint32_t> by_group_;
  absl::flat_hash_set<std::pair<uint32_t, uint32_t>> more_groups_;  // session and group, beyond a session's first
  uint64_t parts_at_home_ = 0, parts_of_unknown_networks_ = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_ROAMING_REPORT_H_
