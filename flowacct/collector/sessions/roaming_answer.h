// Roaming reports as rows for people and programs: as table, CSV or JSON lines (client/query_answer.h).
//
// Columns are named as fields are. Sums are all their digits; minutes and percentages are rounded to two and four
// digits behind the point, percentages down. Threads: any. Errors: none. Cost: a text for each value.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_ROAMING_ANSWER_H_
#define FLOWACCT_COLLECTOR_SESSIONS_ROAMING_ANSWER_H_

#include <string>

#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/sessions/roaming_report.h"

namespace flowacct::collector {

// A row for each day, visited network, home network and APN: sessions, minutes, bytes_up, bytes_down.
QueryAnswer RoamingRows(const RoamingReport& report);
// A row for each outcome and one for all: sessions and octets that were seen, that were charged, and these in percent
// of all that were charged.
QueryAnswer RoamingSums(const RoamingComparison& comparison);
// A row for each session that is not explained, the largest difference first.
QueryAnswer RoamingDifferences(const RoamingComparison& comparison);

// "3 sessions, 12.50 minutes, 1,000 octets up, 20,000 down"
std::string RoamingTotalText(const RoamingRow& total);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_ROAMING_ANSWER_H_
