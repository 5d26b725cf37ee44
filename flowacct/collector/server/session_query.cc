#include "flowacct/collector/server/session_query.h"

namespace flowacct::collector {

GtpStatus DescribeSessions(const SessionServiceStatus& status) {
  GtpStatus gtp;
  gtp.contexts = status.contexts;
  gtp.transactions = status.transactions;
  gtp.octets = status.octets;
  gtp.decoded = status.decoded;
  gtp.elements_unreadable = status.elements_unreadable;
#define X(name, help) gtp.events.push_back({#name, status.counters.name});
  FLOWACCT_SESSION_COUNTERS(X)
#undef X
  return gtp;
}

}  // namespace flowacct::collector
