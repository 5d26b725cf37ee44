// What the administration answers to a request: the paths of the API, without a socket.
//
//     GET  /metrics  /healthz  /readyz
//     GET  /api/v1/status  /api/v1/identity  /api/v1/exporters  /api/v1/templates
//     GET  /api/v1/questions;  GET or POST  /api/v1/query;  POST  /api/v1/reload
//
// docs/reference/api.md describes them. Errors are {"error":"..."} with a status of their kind.
// What a page in somebody's browser may not do: a request that changes something is a POST, and one that came with an
// Origin of another site is refused; below /api/ a Host that is a name is refused unless it is allowed, since a
// stranger can let his own name stand for our address (DNS rebinding). There is no CORS and no authentication: who may
// connect is trusted. Threads: any, also at once. Ownership: borrows the control, which outlives it. Cost: answers are
// built in memory, the large ones one at a time.

#ifndef FLOWACCT_COLLECTOR_ADMIN_ADMIN_API_H_
#define FLOWACCT_COLLECTOR_ADMIN_ADMIN_API_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/admin/exporter_series.h"
#include "flowacct/collector/admin/metrics.h"
#include "flowacct/collector/admin/request_target.h"
#include "flowacct/collector/server/collector_status.h"

namespace flowacct::collector {

struct AdminApiOptions {
  // Exporters with series of their own in /metrics; a Prometheus takes a thousand exporters' 15,000 series with ease.
  size_t max_exporter_series = 1000;
  // Rows of one answer to a query: some 10 MB of JSON.
  size_t max_query_rows = 100000;
  // Exporters, and templates, of one answer unless the request says otherwise.
  size_t default_limit = 10000;
  // A thread of the collector that did not go round its loop for so long hangs. Reading a large file of networks at a
  // reload does not count: it happens aside.
  absl::Duration hung_after = absl::Seconds(30);
  // Names, beside addresses and "localhost", under which this machine is asked.
  std::vector<std::string> hosts;
};

struct AdminRequest {
  absl::string_view method;
  absl::string_view target;  // as in the request line
  absl::string_view host;    // the header's; empty: none
  absl::string_view origin;  // the header's; empty: none
  absl::string_view body;
  bool local = false;  // over a UNIX socket, where no browser comes from
};

struct AdminResponse {
  int status = 200;
  const char* content_type = "application/json";
  std::string body;
  const char* allow = nullptr;  // of a 405: the methods
  bool page = false;            // for people: of a browser only what is ours may run in it
};

class AdminApi {
 public:
  AdminApi(CollectorControl* control, AdminApiOptions options);

  AdminResponse Answer(const AdminRequest& request);

  // Of the server around this, to be told in the metrics.
  void CountCut() { ++connections_cut_; }
  void CountTurnedAway() { ++turned_away_; }
  void CountPostponed() {
    ++postponed_;
    ++failed_;
  }
  // A request that the server itself answered with an error.
  void CountFailed();
  AdminCounters counters() const;

  static AdminResponse Error(int status, absl::string_view text);

 private:
  struct Route;
  static const Route kRoutes[];

  AdminResponse Serve(const AdminRequest& request);
  bool IsAllowedHost(absl::string_view host) const;

  AdminResponse Metrics(const RequestTarget& target, bool changes);
  AdminResponse Healthz(const RequestTarget& target, bool changes);
  AdminResponse Readyz(const RequestTarget& target, bool changes);
  AdminResponse Status(const RequestTarget& target, bool changes);
  AdminResponse Identity(const RequestTarget& target, bool changes);
  AdminResponse Exporters(const RequestTarget& target, bool changes);
  AdminResponse Templates(const RequestTarget& target, bool changes);
  AdminResponse Query(const RequestTarget& target, bool changes);
  AdminResponse Ask(const RequestTarget& target, absl::string_view body);
  AdminResponse Questions(const RequestTarget& target, bool changes);
  AdminResponse BgpPeers(const RequestTarget& target, bool changes);
  AdminResponse BgpLookup(const RequestTarget& target, bool changes);
  AdminResponse BmpRouters(const RequestTarget& target, bool changes);
  AdminResponse GtpSessions(const RequestTarget& target, bool changes);
  AdminResponse GtpSubscriber(const RequestTarget& target, bool changes);
  AdminResponse GtpPeers(const RequestTarget& target, bool changes);
  AdminResponse GtpUnmatched(const RequestTarget& target, bool changes);
  AdminResponse AskSessions(const SessionsQuestion& question);
  AdminResponse Igp(const RequestTarget& target, bool changes);
  AdminResponse RpkiSources(const RequestTarget& target, bool changes);
  AdminResponse RpkiValidate(const RequestTarget& target, bool changes);
  AdminResponse BgpRoutes(const RequestTarget& target, bool changes);
  AdminResponse BgpMrt(const RequestTarget& target, bool changes);
  AdminResponse BgpHistory(const RequestTarget& target, bool changes);
  AdminResponse Reload(const RequestTarget& target, bool changes);

  CollectorControl* const control_;
  const AdminApiOptions options_;
  // While a large answer is built.
  base::Mutex large_mutex_;
  ExporterSeries series_ ABSL_GUARDED_BY(large_mutex_);
  std::atomic<uint64_t> requests_{0}, failed_{0}, refused_{0}, postponed_{0}, connections_cut_{0}, turned_away_{0};
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_ADMIN_API_H_
