// What a collector tells of the sessions that it follows.

#ifndef FLOWACCT_COLLECTOR_SERVER_SESSION_QUERY_H_
#define FLOWACCT_COLLECTOR_SERVER_SESSION_QUERY_H_

#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/sessions/session_service.h"

namespace flowacct::collector {

GtpStatus DescribeSessions(const SessionServiceStatus& status);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_SESSION_QUERY_H_
