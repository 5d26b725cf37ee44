// Asks a running collector what the API knows, and gives it as values.
//
//     CollectorClient client(*ParseCollectorAddress("127.0.0.1:2112"), {});
//     absl::StatusOr<StatusAnswer> answer = client.Status();
//
// Threads: one at a time. Errors: those of HttpClient; InvalidArgument for what the collector found wrong in the
// request, NotFound for what it has not; FailedPrecondition for a configuration that it refused; else Unavailable. The
// text is the collector's own, one line.

#ifndef FLOWACCT_COLLECTOR_CLIENT_COLLECTOR_CLIENT_H_
#define FLOWACCT_COLLECTOR_CLIENT_COLLECTOR_CLIENT_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/admin/process_status.h"
#include "flowacct/collector/client/collector_address.h"
#include "flowacct/collector/client/http_client.h"
#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

struct StatusAnswer {
  CollectorStatus status;
  ProcessStatus process;
  std::string json;  // as it came
};

struct ExportersAnswer {
  std::vector<record::ExporterReport> exporters;
  std::string json;
};

class CollectorClient {
 public:
  CollectorClient(CollectorAddress address, HttpClientOptions options)
      : http_(std::move(address), std::move(options)) {}

  absl::StatusOr<StatusAnswer> Status();
  // `exporter`: only of this address; empty: of all. `templates`: with templates, sampling and interfaces.
  absl::StatusOr<ExportersAnswer> Exporters(absl::string_view exporter, bool templates);
  absl::StatusOr<QueryAnswer> Query(const MemoryQuestion& question);
  // The answer as text of the question's format.
  absl::StatusOr<std::string> Ask(const WrittenQuestion& question);
  // Of routes, or of peers if no address is asked for.
  absl::StatusOr<QueryAnswer> Routes(const RoutesQuestion& question);
  // Of caches and files, or of a route if a prefix is asked for.
  absl::StatusOr<QueryAnswer> Sessions(const SessionsQuestion& question);
  // JSON for QueryAnswer; of kDraw SVG, of kTopology a topology file.
  absl::StatusOr<std::string> Igp(const IgpQuestion& question);
  absl::StatusOr<QueryAnswer> Rpki(const RpkiQuestion& question);
  absl::StatusOr<QueryAnswer> ListRoutes(const RouteListQuestion& question);
  // MRT of all peers, or of one.
  absl::StatusOr<std::string> DumpRoutes(const std::string& peer);
  absl::StatusOr<QueryAnswer> History(const HistoryQuestion& question);
  absl::Status Reload();

  const CollectorAddress& address() const { return http_.address(); }

 private:
  // The body of an answer that is one.
  absl::StatusOr<std::string> Body(absl::StatusOr<HttpAnswer> answer) const;

  HttpClient http_;
};

// The pipelines that answer questions.
std::vector<std::string> PipelinesWithMemory(const CollectorStatus& status);
// NotFound, with what there is instead; `name` is empty where none was asked for.
absl::Status NoSuchPipeline(absl::string_view name, const std::vector<std::string>& pipelines);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CLIENT_COLLECTOR_CLIENT_H_
