// Answers what people ask of mobile subscribers' sessions, of a running collector's or of those that a capture filled.
//
//     auto json = AskSessions(engine, question);      // {"columns": [...], "rows": [[...], ...], "groups": 12345}
//
// Identities are shown as they are: whoever may ask is trusted with them.
// Threads: the engine's writer's, or with what keeps it away. Errors: InvalidArgument that names the option.
// Cost: sessions are gone through up to the limit; a subscriber is a look-up.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_SESSION_GLASS_H_
#define FLOWACCT_COLLECTOR_SESSIONS_SESSION_GLASS_H_

#include <string>

#include "absl/status/statusor.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/session/session_engine.h"

namespace flowacct::collector {

absl::StatusOr<std::string> AskSessions(const session::SessionEngine& engine, const SessionsQuestion& question);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_SESSION_GLASS_H_
