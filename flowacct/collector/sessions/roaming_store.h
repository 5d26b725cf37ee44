// Session records that a store has, for a roaming report: what a pipeline of `of: SESSIONS` wrote there.
//
// The table is to have the keys imsi, home_plmn and visited_plmn, and the sums bytes_up, bytes_down and
// session_milliseconds, in bins of time. With charging_id, or else session_id, sessions are told apart; without both of
// them each row of the table counts as one. With session_id and charging_id, bearers are joined to their connection.
// With apn, sessions are told apart by it, too.
//
// Where a pipeline keeps pseudonyms of the IMSI (enrich/privacy), what was charged is to have the same ones.
//
// A session's time is that of its bins, which is what it is compared by where charging identifiers are missing.
// Threads: one at a time. Errors: as GroupStore and RoamingReport::Add; InvalidArgument names the column that is
// missing. Cost: the store's for a sum by these keys, and a part of RoamingReport for each group.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_ROAMING_STORE_H_
#define FLOWACCT_COLLECTOR_SESSIONS_ROAMING_STORE_H_

#include <string>

#include "absl/status/status.h"
#include "flowacct/collector/sessions/roaming_report.h"
#include "flowacct/query/group_store.h"

namespace flowacct::collector {

absl::Status AddStoredSessions(query::GroupStore& store, const std::string& table, RoamingReport* report);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_ROAMING_STORE_H_
