// What a configuration says of GTP, understood: options of the sessions that are followed, and of the enrichers that
// ask them.
//
// Ownership: plain values; a factory's enrichers keep the sessions alive. Threads: any. Errors: InvalidArgument
// "FILE:LINE:COLUMN: what".

#ifndef FLOWACCT_COLLECTOR_SERVER_SESSION_PLAN_H_
#define FLOWACCT_COLLECTOR_SERVER_SESSION_PLAN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/sessions/session_service.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/sessions/sessions_enricher.h"
#include "flowacct/session/session_options.h"

namespace flowacct::collector {

absl::StatusOr<session::SessionOptions> PlanSessions(const config::ConfigFile& file);
enrich::SessionsOptions PlanSessionsEnricher(const config::ConfigFile& file, const config::Enrich& enrich);
// Asks `holder` for the sessions when an enricher is made.
enrich::EnricherFactory SessionsFactory(std::shared_ptr<const SessionHolder> holder, enrich::SessionsOptions options);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_SESSION_PLAN_H_
