// Reads what was charged for roaming sessions: a CSV with the facts of TAP's GPRS calls (GSMA TD.57), or of CDRs.
//
//     imsi,charging_id,apn,start,duration_seconds,bytes_up,bytes_down
//     262420000000017,4711,internet,2026-03-01T12:00:00Z,3600,1048576,7340032
//
// The first line names the columns, in any order; others than these are not looked at:
//
//     imsi               digits, or the pseudonym that flowacct wrote                         needed
//     charging_id        of the bearer, 32 bits; may be empty                                 needed, or the next three
//     apn                with or without operator identifier
//     start              RFC 3339, or seconds since 1970 with or without a fraction
//     duration_seconds   with or without a fraction; or the column end, as start is
//     bytes_up           from the subscriber, in octets                                       needed
//     bytes_down         to the subscriber                                                    needed
//     home_plmn, visited_plmn    MCC and MNC in five or six digits; shown of what was not seen
//
// Rows of one IMSI and charging identifier are partial records of one session and are summed; a row without charging
// identifier is a session. Commas separate; what has a comma or a quote in it is quoted as RFC 4180 says, but no line
// break. Empty lines and those that begin with '#' are skipped.
// Ownership: values. Threads: one at a time. Errors: InvalidArgument "FILE:LINE: COLUMN: ...", the first one;
// ResourceExhausted beyond a bound; Unavailable for a file that cannot be read. Cost: some 500 ns a row; 200 octets a
// session.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_CHARGED_SESSIONS_H_
#define FLOWACCT_COLLECTOR_SESSIONS_CHARGED_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"
#include "flowacct/collector/sessions/roaming_report.h"

namespace flowacct::collector {

struct ChargedOptions {
  // As RoamingOptions::max_sessions.
  size_t max_sessions = 20'000'000;
  // Of a line: a row has some hundred octets.
  size_t max_line_octets = 65536;
};

// `path` may be "-": standard input.
absl::StatusOr<std::vector<RoamingSession>> ReadChargedSessions(const std::string& path,
                                                                const ChargedOptions& options = {});
// `name` stands for the file in errors.
absl::StatusOr<std::vector<RoamingSession>> ParseChargedSessions(absl::string_view name, absl::string_view text,
                                                                 const ChargedOptions& options = {});

// Line by line; what the two above are made of.
class ChargedReader {
 public:
  ChargedReader(absl::string_view name, const ChargedOptions& options) : name_(name), options_(options) {}

  // Without its line feed. After an error no more.
  absl::Status Line(absl::string_view line);
  absl::StatusOr<std::vector<RoamingSession>> Finish() &&;

 private:
  absl::Status Header();
  absl::Status Row();
  absl::Status Add(RoamingSession session);
  absl::Status Error(absl::string_view column, absl::string_view what) const;
  // Of the row: empty if there is no such column.
  absl::string_view Cell(size_t column) const;

  const std::string name_;
  const ChargedOptions options_;
  uint64_t line_ = 0;
  bool has_header_ = false;
  std::vector<int> place_;  // of each known column; -1: not there
  size_t columns_ = 0;
  std::vector<std::string> cells_;
  std::vector<RoamingSession> sessions_;
  absl::flat_hash_map<std::pair<base::Digits, uint32_t>, size_t> by_charging_id_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_CHARGED_SESSIONS_H_
