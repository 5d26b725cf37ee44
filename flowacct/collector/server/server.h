// The collector as one object: inputs, workers, pipelines and their sinks made of a configuration, changed by another
// one while they run, and everything that it tells of itself.
//
//     auto server = Server::New(file, options);     // nothing is open yet
//     (*server)->Start();                           // sockets are open when it returns
//     ... Reload(file) ... Status() ...
//     (*server)->Stop(patience);                    // bins are written, or kept if the configuration has a state
//
// Reload is all or nothing: what the new configuration asks for is made aside first (files read, expressions
// understood, new sockets opened), and a configuration that cannot be leaves everything as it was. What did not change
// goes on: sockets are not closed, exporters' templates are kept, no datagram is lost, no counter begins anew.
// Threads: any may call. Errors: Status with the configuration's place, or what the system said.

#ifndef FLOWACCT_COLLECTOR_SERVER_SERVER_H_
#define FLOWACCT_COLLECTOR_SERVER_SERVER_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/igp/igp_service.h"
#include "flowacct/collector/routelog/route_history.h"
#include "flowacct/collector/routelog/route_log.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/plan.h"
#include "flowacct/collector/server/question_desk.h"
#include "flowacct/collector/server/state_keeper.h"
#include "flowacct/collector/server/worker.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/validation/validator.h"

namespace flowacct::collector {

struct ServerOptions {
  // Lines for the log: warnings, and what went well (a reload, state restored). May be called from any thread; may be
  // empty.
  std::function<void(absl::string_view)> log;
  std::function<void(absl::string_view)> note;
  // Reads the configuration again, for Reload() of CollectorControl. May be empty.
  std::function<absl::StatusOr<config::ConfigFile>()> read_config;
  // All captures are read, and nothing else is an input. May be empty.
  std::function<void()> on_end;
  // Adds what the process knows of itself to a status: version, lines of the log. May be empty.
  std::function<void(CollectorStatus*)> describe;
};

class RouteKeeper;

class Server final : public CollectorControl {
 public:
  static absl::StatusOr<std::unique_ptr<Server>> New(config::ConfigFile file, ServerOptions options);
  // As Stop(absl::ZeroDuration()).
  ~Server() override;

  absl::Status Start();
  absl::Status Reload(config::ConfigFile file);
  // Reads what the kernel still holds, closes all bins and writes them, or keeps open ones for the next start; a sink
  // that does not take them within `patience` is left behind, and an error says so.
  absl::Status Stop(absl::Duration patience);

  // Whether every worker has looked at its sources within the last `within`. For a watchdog: takes no lock.
  bool IsAlive(absl::Duration within) const;

  CollectorStatus Status() override;
  std::vector<record::ExporterReport> Exporters(bool templates) override;
  absl::StatusOr<std::string> Routes(const RoutesQuestion& question) override;
  absl::StatusOr<std::string> Sessions(const SessionsQuestion& question) override;
  absl::StatusOr<std::string> Igp(const IgpQuestion& question) override;
  absl::StatusOr<std::string> Rpki(const RpkiQuestion& question) override;
  absl::StatusOr<std::string> ListRoutes(const RouteListQuestion& question) override;
  absl::StatusOr<std::string> DumpRoutes(const std::string& peer) override;
  absl::StatusOr<std::string> History(const HistoryQuestion& question) override;
  // Where BGP peers connect to, with the ports that the system chose; none without bgp. After Start.
  std::vector<Endpoint> bgp_endpoints() const;
  std::vector<Endpoint> bmp_endpoints() const;  // and BMP speakers
  absl::StatusOr<std::string> Query(const MemoryQuestion& question) override;
  absl::StatusOr<std::string> Ask(const WrittenQuestion& question) override;
  std::vector<SavedQuestion> Questions() override;
  absl::Status Reload() override;

 private:
  explicit Server(ServerOptions options);
  absl::Status Apply(std::shared_ptr<const Plan> plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Log(absl::string_view line) const;
  void Note(absl::string_view line) const;
  void FlushWorkers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status OpenRouting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status OpenSessions() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status OpenIgp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status OpenValidation() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds it to `observers`, if it is wanted.
  absl::Status OpenRouteLog(absl::string_view name, absl::StatusOr<RouteLogOptions> options,
                            std::vector<RoutingObserver*>* observers);
  absl::Status OpenState() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunKeeper();

  const ServerOptions options_;
  // Held over a whole reload, before mutex_.
  base::Mutex reload_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  // Held while the shape of things changes or is looked at; never by a worker.
  base::Mutex mutex_;
  // What observes the routing engine, and so is there before it and after. Set by Start.
  struct NamedRouteLog {
    std::string name;
    std::unique_ptr<RouteLog> log;
  };
  std::vector<NamedRouteLog> route_logs_;
  std::unique_ptr<RouteHistory> history_;
  // It observes the routing engine, too. Empty without `igp`; set by Start.
  const std::shared_ptr<IgpHolder> igp_ = std::make_shared<IgpHolder>();
  // That are being answered, or wait for it.
  std::atomic<int> igp_questions_{0};
  // Of BGP; empty without it. Set by Start.
  const std::shared_ptr<RoutingHolder> routing_ = std::make_shared<RoutingHolder>();
  const std::shared_ptr<SessionHolder> sessions_ = std::make_shared<SessionHolder>();
  std::unique_ptr<Validator> validator_;  // of RPKI; null without it. Set by Start.
  std::shared_ptr<const Plan> plan_ ABSL_GUARDED_BY(mutex_);
  Spools spools_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Assignment> assignment_ ABSL_GUARDED_BY(mutex_);  // null until Start
  std::vector<std::unique_ptr<Worker>> workers_;                          // made once, by New
  CollectorStatus shape_ ABSL_GUARDED_BY(mutex_);  // what does not change while it runs, and counts of reloads
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  // If something is kept over a restart. Sinks may outlive it.
  std::shared_ptr<StateKeeper> keeper_;
  std::unique_ptr<RouteKeeper> route_keeper_;  // of BGP. Set by Start
  std::thread keeper_thread_;
  bool keeper_ends_ ABSL_GUARDED_BY(mutex_) = false;
  // Workers whose sources have not all ended.
  std::shared_ptr<std::atomic<size_t>> workers_left_ = std::make_shared<std::atomic<size_t>>(0);
  QuestionDesk questions_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_SERVER_H_
