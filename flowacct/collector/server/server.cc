#include "flowacct/collector/server/server.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/igp/igp_demands.h"
#include "flowacct/collector/looking_glass/looking_glass.h"
#include "flowacct/collector/mrt/route_dump.h"
#include "flowacct/collector/mrt/route_keeper.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/server/bin_query.h"
#include "flowacct/collector/server/igp_plan.h"
#include "flowacct/collector/server/input_sources.h"
#include "flowacct/collector/server/pipeline_sinks.h"
#include "flowacct/collector/server/question_stores.h"
#include "flowacct/collector/server/routing_plan.h"
#include "flowacct/collector/server/routing_query.h"
#include "flowacct/collector/server/session_plan.h"
#include "flowacct/collector/server/session_query.h"
#include "flowacct/collector/server/validation_plan.h"
#include "flowacct/collector/server/validation_query.h"
#include "flowacct/collector/sessions/session_glass.h"
#include "flowacct/collector/validation/validator.h"
#include "flowacct/query/answer.h"
#include "flowacct/query/memory_store.h"

namespace flowacct::collector {
namespace {

using config::Config;
using config::ConfigFile;

constexpr int kMaxIgpQuestions = 4;

size_t WorkerCount(const Config& config) {
  if (config.workers() != 0) return config.workers();
  return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 2);
}

// What of an input cannot change while its sources are open.
std::string Sockets(const config::Input& input) {
  config::Input sockets = input;
  sockets.clear_admission();
  return sockets.SerializeAsString();
}

// Where each input of `now` was in `before`; SIZE_MAX: it is new, or another by what it says.
std::vector<size_t> KeptInputs(const Config* before, const Config& now) {
  std::vector<size_t> kept(static_cast<size_t>(now.input_size()), SIZE_MAX);
  if (before == nullptr) return kept;
  for (int i = 0; i < now.input_size(); ++i) {
    for (int j = 0; j < before->input_size(); ++j) {
      if (Sockets(now.input(i)) == Sockets(before->input(j))) {
        kept[static_cast<size_t>(i)] = static_cast<size_t>(j);
      }
    }
  }
  return kept;
}

// Whether the bins of the one can go on in the other.
bool SameAccounting(const config::Pipeline& a, const config::Pipeline& b) {
  config::Pipeline x = a, y = b;
  for (config::Pipeline* pipeline : {&x, &y}) {
    pipeline->clear_sink();
    pipeline->clear_enrich();
    pipeline->clear_where();
    pipeline->clear_input();
  }
  return x.SerializeAsString() == y.SerializeAsString();
}

// Whether a name of one's own means the same in both.
bool SameCustomFields(const config::Config& a, const config::Config& b) {
  return std::equal(a.custom_field().begin(), a.custom_field().end(), b.custom_field().begin(), b.custom_field().end(),
                    [](const auto& x, const auto& y) { return x.SerializeAsString() == y.SerializeAsString(); });
}

std::string NameOf(const config::Config& config) {
  if (!config.name().empty()) return config.name();
  char host[256] = "";
  return gethostname(host, sizeof(host) - 1) == 0 ? host : "";
}

// What is said of all of them; empty: there are none.
std::string KafkaInputs(const Config& config) {
  Config kafka;
  for (const config::Input& input : config.input()) {
    if (input.has_kafka()) kafka.add_input()->ParseFromString(Sockets(input));
  }
  return kafka.SerializePartialAsString();
}

bool HasMemory(const config::Pipeline& pipeline) {
  return std::any_of(pipeline.sink().begin(), pipeline.sink().end(),
                     [](const config::Sink& sink) { return sink.has_memory(); });
}

// What pipelines have in memory: their kept bins, and a copy of the open ones.
absl::StatusOr<OpenedStore> BinsOf(const std::vector<std::shared_ptr<BinMerger>>& mergers) {
  OpenedStore opened;
  auto store = std::make_unique<query::MemoryStore>();
  for (const std::shared_ptr<BinMerger>& merger : mergers) {
    BinMerger::Bins kept;
    std::vector<aggregate::AggregateBatch> filling;
    merger->Ask([&](BinMerger::Bins& bins, aggregate::Aggregator* open) {
      kept = bins;
      if (open != nullptr) filling = open->Snapshot();
    });
    for (auto& bin : kept) store->Add(merger->name(), std::move(bin));
    for (aggregate::AggregateBatch& bin : filling) {
      const auto seconds = absl::ToUnixSeconds(absl::FromUnixNanos(bin.bin().start_nanos));
      const auto [first, added] = opened.filling.emplace(merger->name(), seconds);
      if (!added) first->second = std::min(first->second, seconds);
      store->Add(merger->name(), std::make_shared<const aggregate::AggregateBatch>(std::move(bin)));
    }
  }
  opened.store = std::move(store);
  return opened;
}

bool SameSinks(const config::Pipeline& a, const config::Pipeline& b) {
  return std::equal(a.sink().begin(), a.sink().end(), b.sink().begin(), b.sink().end(),
                    [](const auto& x, const auto& y) { return x.SerializeAsString() == y.SerializeAsString(); });
}

}  // namespace

Server::Server(ServerOptions options) : options_(std::move(options)) {}

Server::~Server() { (void)Stop(absl::ZeroDuration()); }

void Server::Log(absl::string_view line) const {
  if (options_.log) options_.log(line);
}

void Server::Note(absl::string_view line) const {
  if (options_.note) options_.note(line);
}

absl::StatusOr<std::unique_ptr<Server>> Server::New(ConfigFile file, ServerOptions options) {
  std::unique_ptr<Server> server(new Server(std::move(options)));
  auto plan =
      MakePlan(std::make_shared<const ConfigFile>(std::move(file)), server->routing_, server->sessions_, server->igp_);
  if (!plan.ok()) return plan.status();
  for (const std::string& warning : (*plan)->warnings) server->Log(warning);
  base::MutexLock lock(&server->mutex_);
  const size_t workers = WorkerCount((*plan)->config());
  for (size_t i = 0; i < workers; ++i) {
    WorkerOptions worker;
    worker.index = i;
    worker.interner.max_octets = ConfigFile::OctetsOf((*plan)->config().limits().max_text_memory());
    if (server->options_.on_end) {
      worker.on_end = [server = server.get(), left = server->workers_left_] {
        if (left->fetch_sub(1) == 1) server->options_.on_end();
      };
    }
    auto made = Worker::New(std::move(worker));
    if (!made.ok()) return made.status();
    server->workers_.push_back(*std::move(made));
  }
  *server->workers_left_ = workers;
  server->shape_.workers = static_cast<uint32_t>(workers);
  server->plan_ = *std::move(plan);
  return server;
}

absl::Status Server::Start() {
  base::MutexLock lock(&mutex_);
  if (absl::Status status = OpenState(); !status.ok()) return status;
  if (absl::Status status = OpenIgp(); !status.ok()) return status;
  if (absl::Status status = OpenRouting(); !status.ok()) return status;
  if (absl::Status status = OpenSessions(); !status.ok()) return status;
  if (absl::Status status = OpenValidation(); !status.ok()) return status;
  if (absl::Status status = Apply(plan_); !status.ok()) return status;
  if (keeper_ != nullptr) {
    shape_.notes = keeper_->Restore(workers_, *assignment_);
    if (sessions_->service != nullptr) keeper_->RestoreSessions(sessions_->service.get(), &shape_.notes);
    if (igp_->service != nullptr) keeper_->RestoreIgp(igp_->service.get(), &shape_.notes);
    for (const std::string& note : shape_.notes) Note(note);
  }
  // Files are read then, before there are records.
  if (validator_ != nullptr) validator_->Start();
  if (igp_->service != nullptr) igp_->service->Start();
  if (routing_->engine != nullptr) {
    for (std::string& note : route_keeper_->LoadBeforeStart(absl::Now())) {
      Note(note);
      shape_.notes.push_back(std::move(note));
    }
    routing_->engine->Start();
    route_keeper_->Start();
  }
  for (const std::unique_ptr<Worker>& worker : workers_) worker->Start();
  running_ = true;
  shape_.started = absl::Now();
  if (keeper_ != nullptr) keeper_thread_ = std::thread(&Server::RunKeeper, this);
  return absl::OkStatus();
}

absl::Status Server::OpenState() {
  const Config& config = plan_->config();
  if (!config.has_state()) return absl::OkStatus();
  auto folder = StateDirectory::Open(config.state().directory());
  if (!folder.ok()) return plan_->file->ErrorAt(config.state(), "directory", folder.status().message());
  keeper_ = std::make_shared<StateKeeper>(*std::move(folder), options_.log);
  return absl::OkStatus();
}

// Its ports are open before privileges are dropped; peers are taken once workers run.
absl::Status Server::OpenRouting() {
  const Config& config = plan_->config();
  if (!config.has_bgp() && !config.has_bmp()) return absl::OkStatus();
  auto options = PlanRouting(*plan_->file, plan_->custom_fields == nullptr ? nullptr : &plan_->custom_fields->names());
  if (!options.ok()) return options.status();
  std::vector<RoutingObserver*> observers;
  if (absl::Status status = OpenRouteLog("bgp", PlanBgpLog(*plan_->file), &observers); !status.ok()) return status;
  if (absl::Status status = OpenRouteLog("bmp", PlanBmpLog(*plan_->file), &observers); !status.ok()) return status;
  const auto history = PlanHistory(*plan_->file);
  if (!history.ok()) return history.status();
  if (*history != 0) {
    history_ = std::make_unique<RouteHistory>(*history);
    observers.push_back(history_.get());
  }
  if (igp_->service != nullptr && igp_->service->link_state() != nullptr) {
    options->families = options->families | bgp::FamilySet::LinkState();
    observers.push_back(igp_->service->link_state());
  }
  auto engine = RoutingEngine::New(*options, observers);
  if (!engine.ok()) {
    return config.has_bgp() ? plan_->file->ErrorAt(config.bgp(), "", engine.status().message())
                            : plan_->file->ErrorAt(config.bmp(), "", engine.status().message());
  }
  routing_->engine = *std::move(engine);
  for (const NamedRouteLog& log : route_logs_) log.log->Attach(routing_->engine);
  auto keeper = PlanRouteKeeper(*plan_->file);
  if (!keeper.ok()) return keeper.status();
  keeper->log = options_.log;
  keeper->note = options_.note;
  route_keeper_ = std::make_unique<RouteKeeper>(routing_->engine.get(), *std::move(keeper));
  return absl::OkStatus();
}

absl::Status Server::OpenSessions() {
  if (!plan_->config().has_gtp()) return absl::OkStatus();
  auto options = PlanSessions(*plan_->file);
  if (!options.ok()) return options.status();
  std::random_device random;
  options->seed = uint64_t{random()} << 32 | random();
  sessions_->service = std::make_shared<SessionService>(*std::move(options));
  return absl::OkStatus();
}

// Its circuits are open before privileges are dropped.
absl::Status Server::OpenIgp() {
  if (plan_->igp == nullptr) return absl::OkStatus();
  IgpServiceOptions options = *plan_->igp;
  options.log = options_.log;
  options.note = options_.note;
  auto service = IgpService::New(std::move(options));
  if (!service.ok()) return plan_->file->ErrorAt(plan_->config().igp(), "isis", service.status().message());
  igp_->service = *std::move(service);
  return absl::OkStatus();
}

absl::Status Server::OpenValidation() {
  const Config& config = plan_->config();
  if (!config.has_rpki()) return absl::OkStatus();
  auto options = PlanValidation(*plan_->file);
  if (!options.ok()) return options.status();
  auto validator = Validator::New(*options, routing_->vrps, options_.log);
  if (!validator.ok()) return plan_->file->ErrorAt(config.rpki(), "", validator.status().message());
  validator_ = *std::move(validator);
  return absl::OkStatus();
}

absl::Status Server::OpenRouteLog(absl::string_view name, absl::StatusOr<RouteLogOptions> options,
                                  std::vector<RoutingObserver*>* observers) {
  if (!options.ok()) return options.status();
  if (options->message_log.empty() && options->dump.empty()) return absl::OkStatus();
  options->on_error = options_.log;
  auto log = RouteLog::New(*std::move(options));
  if (!log.ok()) return log.status();
  observers->push_back(log->get());
  route_logs_.push_back({std::string(name), *std::move(log)});
  return absl::OkStatus();
}

void Server::RunKeeper() {
  base::MutexLock lock(&mutex_);
  const auto every = [this] {
    mutex_.AssertHeld();
    return ConfigFile::DurationOf(plan_->config().state().checkpoint());
  };
  const auto is_over = [this] {
    mutex_.AssertHeld();
    return keeper_ends_;
  };
  absl::Time next = absl::Now() + every();
  for (;;) {
    if (mutex_.AwaitFor(is_over, absl::Seconds(1))) return;
    if (absl::Now() < next && !StateKeeper::WantsCheckpoint(workers_, *assignment_)) {
      keeper_->NoteProgress(workers_, *assignment_);
    } else {
      keeper_->Save(workers_, *assignment_);
      if (igp_->service != nullptr) keeper_->SaveIgp(*igp_->service);
      next = absl::Now() + every();
    }
  }
}

absl::Status Server::Apply(std::shared_ptr<const Plan> plan) {
  const Assignment* before = assignment_.get();
  const Config* config_before = before == nullptr ? nullptr : &before->plan->config();
  const Config& config = plan->config();
  if (before != nullptr && WorkerCount(config) != workers_.size()) {
    return plan->file->ErrorAt(config, "workers", "cannot change while the collector runs; restart it");
  }
  if (before != nullptr && config.limits().SerializeAsString() != config_before->limits().SerializeAsString()) {
    return plan->file->ErrorAt(config, "limits", "cannot change while the collector runs; restart it");
  }
  if (before != nullptr && config.bgp().SerializeAsString() != config_before->bgp().SerializeAsString()) {
    return plan->file->ErrorAt(config, "bgp", "cannot change while the collector runs; restart it");
  }
  if (before != nullptr && config.bmp().SerializeAsString() != config_before->bmp().SerializeAsString()) {
    return plan->file->ErrorAt(config, "bmp", "cannot change while the collector runs; restart it");
  }
  if (before != nullptr && (config.has_gtp() != config_before->has_gtp() ||
                            config.gtp().SerializeAsString() != config_before->gtp().SerializeAsString())) {
    return plan->file->ErrorAt(config, config.has_gtp() ? "gtp" : "",
                               config.has_gtp() ? "cannot change while the collector runs; restart it"
                                                : "gtp cannot go while the collector runs; restart it");
  }
  if (before != nullptr) {
    const absl::Status igp = CheckIgpChange(*before->plan->file, before->plan->igp.get(), *plan->file, plan->igp.get());
    if (!igp.ok()) return igp;
  }
  if (before != nullptr && config.rpki().SerializeAsString() != config_before->rpki().SerializeAsString()) {
    return plan->file->ErrorAt(config, "rpki", "cannot change while the collector runs; restart it");
  }
  if (before != nullptr && KafkaInputs(config) != KafkaInputs(*config_before)) {
    return plan->file->ErrorAt(config, "input",
                               "those of kind kafka cannot change while the collector runs; restart it");
  }
  if (before != nullptr && config.state().directory() != config_before->state().directory()) {
    return plan->file->ErrorAt(config, "state", "its folder cannot change while the collector runs; restart it");
  }
  // All that can fail comes first.
  const std::vector<size_t> kept = KeptInputs(config_before, config);
  std::vector<InputSources> sources(kept.size());
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] != SIZE_MAX) continue;
    const config::Input& input = config.input(static_cast<int>(i));
    auto made = NewInputSources(*plan->file, input, workers_.size(),
                                keeper_ == nullptr ? "" : keeper_->PositionOf(input.name()), options_.log);
    if (!made.ok()) return made.status();
    sources[i] = *std::move(made);
  }
  std::optional<IgpService::Change> igp;
  if (before != nullptr && igp_->service != nullptr) {
    auto change = igp_->service->Prepare(*plan->igp);
    if (!change.ok()) return plan->file->ErrorAt(config.igp(), "isis", change.status().message());
    igp = *std::move(change);
  }
  auto assignment = std::make_shared<Assignment>();
  assignment->plan = plan;
  struct NewSinks {
    std::shared_ptr<BinMerger> merger;
    PipelineSinks sinks;
  };
  std::vector<NewSinks> new_sinks;
  for (const PipelinePlan& pipeline : plan->pipelines) {
    std::shared_ptr<BinMerger> merger;
    bool same_sinks = false;
    for (size_t j = 0; before != nullptr && j < before->plan->pipelines.size(); ++j) {
      const PipelinePlan& old = before->plan->pipelines[j];
      if (old.name != pipeline.name || !SameAccounting(*old.config, *pipeline.config)) continue;
      if (!SameCustomFields(before->plan->config(), config)) continue;
      merger = before->mergers[j];
      same_sinks = SameSinks(*old.config, *pipeline.config);
    }
    if (merger != nullptr && same_sinks) {
      assignment->mergers.push_back(std::move(merger));
      continue;
    }
    auto sinks =
        NewPipelineSinks(*plan->file, *pipeline.config, pipeline.aggregation.aggregator, &spools_, options_.log);
    if (!sinks.ok()) return sinks.status();
    if (merger != nullptr) {
      new_sinks.push_back({merger, *std::move(sinks)});
    } else {
      BinMergerOptions options;
      options.name = pipeline.name;
      options.collector = NameOf(config);
      options.redundant = config.redundant();
      options.closes_at_checkpoints = !KafkaInputs(config).empty();
      options.aggregator = pipeline.aggregation.aggregator;
      options.workers = workers_.size();
      options.kept_bins = sinks->kept_bins;
      if (keeper_ != nullptr) {
        options.on_written = [keeper = std::weak_ptr<StateKeeper>(keeper_), name = pipeline.name](int64_t end_nanos) {
          if (const auto alive = keeper.lock()) alive->NoteWritten(name, end_nanos);
        };
      }
      merger = std::make_shared<BinMerger>(std::move(options), std::move(sinks->queues));
    }
    assignment->mergers.push_back(std::move(merger));
  }

  if (igp) {
    if (absl::Status status = igp_->service->Commit(*std::move(igp)); !status.ok()) {
      return plan->file->ErrorAt(config.igp(), "isis", status.message());
    }
  }
  std::vector<std::shared_ptr<BinMerger>> gone;
  for (size_t j = 0; before != nullptr && j < before->mergers.size(); ++j) {
    const auto& old = before->mergers[j];
    if (std::find(assignment->mergers.begin(), assignment->mergers.end(), old) == assignment->mergers.end()) {
      gone.push_back(old);
    }
  }
  absl::Status status;
  for (size_t w = 0; w < workers_.size(); ++w) {
    Worker& worker = *workers_[w];
    worker.Call([&] {
      status.Update(worker.Adopt(assignment, kept));
      for (size_t i = 0; i < sources.size(); ++i) {
        if (w >= sources[i].by_worker.size()) continue;
        for (std::unique_ptr<Source>& source : sources[i].by_worker[w]) {
          status.Update(worker.AddSource(i, std::move(source)));
        }
      }
    });
  }
  // Pipelines that are gone write what they had.
  for (const std::shared_ptr<BinMerger>& merger : gone) {
    merger->Close(absl::Seconds(10));
    if (keeper_ != nullptr) keeper_->Forget(merger->name());
  }
  for (NewSinks& change : new_sinks) {
    change.merger->ReplaceSinks(std::move(change.sinks.queues), change.sinks.kept_bins, absl::Seconds(10));
  }
  assignment_ = std::move(assignment);
  plan_ = std::move(plan);
  shape_.config = plan_->file->name();
  if (keeper_ != nullptr && before != nullptr) keeper_->Save(workers_, *assignment_);
  return status;
}

absl::Status Server::Reload(ConfigFile file) {
  base::MutexLock one_at_a_time(&reload_mutex_);
  // Large tables take seconds to read: nobody who looks in waits for them.
  auto plan = MakePlan(std::make_shared<const ConfigFile>(std::move(file)), routing_, sessions_, igp_);
  base::MutexLock lock(&mutex_);
  const absl::Status status = plan.ok() ? Apply(*plan) : plan.status();
  if (status.ok()) {
    ++shape_.reloads;
    shape_.last_reload_error.clear();
    for (const std::string& warning : (*plan)->warnings) Log(warning);
    Note("configuration reloaded");
  } else {
    ++shape_.reloads_failed;
    shape_.last_reload_error = std::string(status.message());
    Log(absl::StrCat("reload refused, nothing changed: ", status.message()));
  }
  return status;
}

absl::Status Server::Reload() {
  for (const NamedRouteLog& log : route_logs_) log.log->Reopen();
  if (!options_.read_config) return absl::FailedPreconditionError("there is no configuration file to read again");
  auto file = options_.read_config();
  if (file.ok()) return Reload(*std::move(file));
  base::MutexLock lock(&mutex_);
  ++shape_.reloads_failed;
  shape_.last_reload_error = std::string(file.status().message());
  Log(absl::StrCat("reload refused, nothing changed: ", file.status().message()));
  return file.status();
}

absl::Status Server::Stop(absl::Duration patience) {
  std::thread keeper;
  {
    base::MutexLock lock(&mutex_);
    if (!running_) return absl::OkStatus();
    running_ = false;
    keeper_ends_ = true;
    keeper = std::move(keeper_thread_);
  }
  if (keeper.joinable()) keeper.join();
  // Before sessions end, which take with them what they told.
  if (igp_->service != nullptr) {
    igp_->service->Stop();
    if (keeper_ != nullptr) keeper_->SaveIgp(*igp_->service);
  }
  if (routing_->engine != nullptr) {
    route_keeper_->Stop();
    routing_->engine->Stop();
  }
  if (validator_ != nullptr) validator_->Stop();
  base::MutexLock lock(&mutex_);
  for (const std::unique_ptr<Worker>& worker : workers_) worker->Stop();
  // What is not kept over a restart has a record of what was seen of it.
  if (sessions_->service != nullptr) {
    if (keeper_ == nullptr) {
      std::optional<int64_t> now;
      for (const std::unique_ptr<Worker>& worker : workers_) now = std::max(now, worker->capture_nanos());
      sessions_->service->EndAll(now.value_or(absl::GetCurrentTimeNanos()));
    }
    workers_.front()->DrainAndFlush();
    if (keeper_ != nullptr) keeper_->SaveSessions(*sessions_->service);
  }
  const absl::Time deadline = absl::Now() + patience;
  std::vector<std::string> left;
  for (const NamedRouteLog& log : route_logs_) {
    if (!log.log->Close(deadline - absl::Now())) left.push_back(absl::StrCat("the route log of ", log.name));
  }
  if (keeper_ != nullptr) keeper_->SaveDecoders(workers_, *assignment_);
  const bool reads_again = keeper_ != nullptr && !KafkaInputs(plan_->config()).empty();
  if (reads_again && !keeper_->Finish(workers_, *assignment_, deadline)) {
    Log("state: there is no checkpoint of the end; the next start goes on from the one before");
  }
  for (size_t i = 0; i < assignment_->mergers.size(); ++i) {
    const absl::Duration left_time = std::max(deadline - absl::Now(), absl::ZeroDuration());
    BinMerger& merger = *assignment_->mergers[i];
    const bool all = reads_again          ? merger.Close(left_time, [](absl::string_view) { return true; })
                     : keeper_ == nullptr ? merger.Close(left_time)
                                          : keeper_->Close(i, workers_, *assignment_, left_time);
    if (!all) left.push_back(merger.name());
  }
  if (left.empty()) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("sinks of ", absl::StrJoin(left, ", "), " did not take what was left; ",
                   reads_again ? "the next start gives it to them again" : "the rest of it is lost"));
}

bool Server::IsAlive(absl::Duration within) const {
  const int64_t oldest = absl::GetCurrentTimeNanos() - absl::ToInt64Nanoseconds(within);
  return std::all_of(workers_.begin(), workers_.end(),
                     [oldest](const std::unique_ptr<Worker>& worker) { return worker->last_round_nanos() >= oldest; });
}

CollectorStatus Server::Status() {
  base::MutexLock lock(&mutex_);
  CollectorStatus status = shape_;
  if (options_.describe) options_.describe(&status);
  status.now = absl::Now();
  status.ready = running_;
  const Plan& plan = *assignment_->plan;
  for (const config::Input& input : plan.config().input()) status.inputs.push_back(DescribeInput(input));
  std::vector<PipelineTally> tallies(plan.pipelines.size());
  std::vector<record::ExporterReport> exporters;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->Call([&] {
      worker->AddTo(&status.inputs);
      worker->AddTo(&status.replicas);
      worker->AppendReports(/*details=*/false, &exporters);
      for (size_t i = 0; i < tallies.size(); ++i) tallies[i] += worker->tally(i);
    });
  }
  if (routing_->engine != nullptr) {
    const std::shared_ptr<const RoutingStatus> routing = routing_->engine->Status();
    status.bgp = DescribeRouting(*routing);
    status.bmp = DescribeMonitoring(*routing);
    const RouteKeeperStatus kept = route_keeper_->status();
    status.bgp.dumps_written = kept.dumps_written;
    status.bgp.dumps_failed = kept.dumps_failed;
    status.bgp.dump_files_loaded = kept.files_loaded;
    status.bgp.dump_files_failed = kept.files_failed;
  }
  if (validator_ != nullptr) status.rpki = validator_->Status();
  for (const NamedRouteLog& log : route_logs_) {
    const RouteLogCounters counters = log.log->counters();
    RouteLogStatus& shown = status.route_logs.emplace_back();
    shown.name = log.name;
    shown.lines = counters.lines;
    shown.dropped = counters.dropped;
    shown.lost = counters.lost;
    shown.errors = counters.errors;
    shown.open_files = counters.open_files;
    shown.queued_octets = counters.queued_octets;
    shown.dumps = counters.dumps;
    shown.failed_dumps = counters.failed_dumps;
    shown.dump_lines = counters.dump_lines;
    shown.dump_seconds = counters.dump_seconds;
    shown.last_dump = counters.last_dump;
    shown.last_error = counters.last_error;
  }
  absl::flat_hash_set<base::IpAddress> addresses;
  for (const record::ExporterReport& exporter : exporters) {
    if (exporter.scope != record::ExporterScope::kDomain) continue;
    ++status.domains;
    addresses.insert(exporter.exporter);
  }
  status.exporters = addresses.size();
  status.not_ready = running_ ? "" : "the collector is not running";
  for (const InputStatus& input : status.inputs) {
    status.ready &= input.up;
    if (!input.up && status.not_ready.empty())
      status.not_ready = absl::StrCat("input ", input.name, ": ", input.trouble);
  }
  for (const std::unique_ptr<Worker>& worker : workers_) {
    status.last_round = std::min(status.last_round, absl::FromUnixNanos(worker->last_round_nanos()));
  }
  for (size_t i = 0; i < tallies.size(); ++i) {
    PipelineStatus pipeline;
    pipeline.name = plan.pipelines[i].name;
    pipeline.records_in = tallies[i].records_in;
    pipeline.records_dropped = tallies[i].records_dropped;
    pipeline.records_held = tallies[i].records_held;
    pipeline.records_filtered = tallies[i].records_filtered;
    pipeline.records_aggregated = tallies[i].records_aggregated;
    pipeline.records_overflowed = tallies[i].records_overflowed;
    pipeline.records_late = tallies[i].records_late;
    pipeline.packets = tallies[i].packets;
    pipeline.bytes = tallies[i].bytes;
    pipeline.open_octets = tallies[i].open_octets;
    for (pipeline::EnricherCounters& counter : tallies[i].enrichment) {
      pipeline.enrichment.push_back({std::move(counter.enricher), std::move(counter.counter), counter.value});
    }
    const BinMergerCounters merged = assignment_->mergers[i]->counters();
    pipeline.open_groups = tallies[i].open_groups + merged.groups_waiting;
    pipeline.bins_closed = merged.bins_closed;
    pipeline.corrections = merged.corrections;
    pipeline.sinks = assignment_->mergers[i]->sink_status();
    for (const config::Sink& sink : plan.pipelines[i].config->sink()) {
      if (!sink.has_memory()) continue;
      SinkStatus memory;
      memory.name = "memory";
      memory.batches = memory.written = merged.bins_closed + merged.corrections;
      pipeline.sinks.push_back(std::move(memory));
    }
    status.pipelines.push_back(std::move(pipeline));
  }
  if (igp_->service != nullptr) status.igp = igp_->service->Status();
  if (sessions_->service != nullptr) status.gtp = DescribeSessions(sessions_->service->Status());
  return status;
}

void Server::FlushWorkers() {
  for (const std::unique_ptr<Worker>& worker : workers_) worker->Call([&] { worker->Flush(); });
}

std::vector<record::ExporterReport> Server::Exporters(bool templates) {
  base::MutexLock lock(&mutex_);
  std::vector<record::ExporterReport> reports;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->Call([&] { worker->AppendReports(templates, &reports); });
  }
  std::stable_sort(reports.begin(), reports.end());
  return reports;
}

std::vector<Endpoint> Server::bgp_endpoints() const {
  return routing_->engine == nullptr ? std::vector<Endpoint>() : routing_->engine->endpoints();
}

std::vector<Endpoint> Server::bmp_endpoints() const {
  return routing_->engine == nullptr ? std::vector<Endpoint>() : routing_->engine->bmp_endpoints();
}

absl::StatusOr<std::string> Server::Routes(const RoutesQuestion& question) {
  // Set once, before anybody asks.
  if (routing_->engine == nullptr) {
    return absl::FailedPreconditionError("the configuration has neither bgp nor bmp, so that there are no routes");
  }
  return AnswerFromRoutes(question, *routing_->engine);
}

absl::StatusOr<std::string> Server::Sessions(const SessionsQuestion& question) {
  // Set once, before anybody asks.
  if (sessions_->service == nullptr) {
    return absl::FailedPreconditionError("the configuration has no gtp, so that no sessions are followed");
  }
  absl::StatusOr<std::string> answer;
  sessions_->service->Visit([&](const session::SessionEngine& engine) { answer = AskSessions(engine, question); });
  return answer;
}

absl::StatusOr<std::string> Server::Igp(const IgpQuestion& question) {
  // Set once, before anybody asks.
  if (igp_->service == nullptr) {
    return absl::FailedPreconditionError("the configuration has no igp, so that there is no topology");
  }
  // One is answered at a time; those that wait hold connections, and what they ask about.
  const absl::Cleanup done = [this] { --igp_questions_; };
  if (++igp_questions_ > kMaxIgpQuestions) {
    return absl::UnavailableError(
        absl::StrCat(kMaxIgpQuestions, " questions about the network are being answered; ask again in some seconds"));
  }
  if (question.pipeline.empty()) return igp_->service->Ask(question);
  MemoryQuestion asked;
  asked.pipeline = question.pipeline;
  asked.since = question.bins;
  const absl::StatusOr<std::string> rows = Query(asked);
  if (!rows.ok()) return rows.status();
  IgpQuestion whole = question;
  const absl::Status status = ReadDemandRows(*rows, absl::Now(), &whole.demands, &whole.seconds);
  if (!status.ok()) return status;
  return igp_->service->Ask(whole);
}

absl::StatusOr<std::string> Server::Rpki(const RpkiQuestion& question) {
  // Set once, before anybody asks.
  if (validator_ == nullptr) {
    return absl::FailedPreconditionError("the configuration has no rpki, so that nothing is validated");
  }
  return AnswerFromVrps(question, *validator_);
}

absl::StatusOr<std::string> Server::ListRoutes(const RouteListQuestion& question) {
  if (routing_->engine == nullptr) {
    return absl::FailedPreconditionError("the configuration has neither bgp nor bmp, so that there are no routes");
  }
  return collector::ListRoutes(*routing_->engine, question);
}

absl::StatusOr<std::string> Server::DumpRoutes(const std::string& peer) {
  if (routing_->engine == nullptr) {
    return absl::FailedPreconditionError("the configuration has neither bgp nor bmp, so that there are no routes");
  }
  RouteDumpOptions options;
  if (!peer.empty()) {
    options.peer = base::IpAddress::Parse(peer);
    if (!options.peer) {
      return absl::InvalidArgumentError(absl::StrCat("peer: \"", peer, "\" is no address; such as 192.0.2.1"));
    }
  }
  return RouteDumpOf(*routing_->engine, options, absl::Now());
}

absl::StatusOr<std::string> Server::History(const HistoryQuestion& question) {
  // Set once, before anybody asks.
  if (history_ == nullptr) {
    return absl::FailedPreconditionError("the configuration keeps no history; give bgp { history: \"16MiB\" }");
  }
  return AnswerFromHistory(question, *history_);
}

absl::StatusOr<std::string> Server::Query(const MemoryQuestion& question) {
  std::shared_ptr<BinMerger> merger;
  {
    base::MutexLock lock(&mutex_);
    std::vector<std::string> names;
    for (const std::shared_ptr<BinMerger>& candidate : assignment_->mergers) {
      names.push_back(candidate->name());
      if (candidate->name() == question.pipeline) merger = candidate;
    }
    if (merger == nullptr) {
      return absl::NotFoundError(
          absl::StrCat("no pipeline is called \"", question.pipeline, "\"; there are ", absl::StrJoin(names, ", ")));
    }
    FlushWorkers();
  }
  absl::StatusOr<std::string> answer = absl::UnavailableError("the collector is stopping");
  merger->Ask([&](BinMerger::Bins& kept, aggregate::Aggregator* open) {
    const int64_t oldest = absl::ToUnixNanos(absl::Now() - question.since);
    std::vector<aggregate::AggregateBatch> snapshots;
    if (open != nullptr) snapshots = open->Snapshot();
    std::vector<const aggregate::AggregateBatch*> bins;
    for (const auto& bin : kept) {
      if (question.since > absl::ZeroDuration() && bin->bin().end_nanos > oldest) bins.push_back(bin.get());
    }
    for (const aggregate::AggregateBatch& bin : snapshots) bins.push_back(&bin);
    answer = AnswerFromBins(question, merger->schema(), bins);
    if (answer.ok() && question.reset) kept.clear();
  });
  return answer;
}

absl::StatusOr<std::string> Server::Ask(const WrittenQuestion& question) {
  const absl::StatusOr<const query::AnswerFormat*> format = query::FindAnswerFormat(question.format);
  if (!format.ok()) return format.status();
  std::string text = question.question;
  std::shared_ptr<const Plan> plan;
  const config::Sink* sink = nullptr;
  std::vector<std::shared_ptr<BinMerger>> mergers;
  {
    base::MutexLock lock(&mutex_);
    if (!running_) return absl::UnavailableError("the collector is not running");
    plan = plan_;
    if (!question.saved.empty()) {
      const absl::StatusOr<std::string> saved = SavedQuestionOf(plan->config(), question.saved);
      if (!saved.ok()) return saved.status();
      text = *saved;
    }
    const absl::StatusOr<const config::Sink*> chosen = ChooseStore(plan->config(), question.store);
    if (!chosen.ok()) return chosen.status();
    sink = *chosen;
    for (size_t i = 0; sink == nullptr && i < plan->pipelines.size(); ++i) {
      if (HasMemory(*plan->pipelines[i].config)) mergers.push_back(assignment_->mergers[i]);
    }
    if (!mergers.empty()) FlushWorkers();
  }
  if (sink != nullptr) {
    return questions_.Ask(text, **format, [plan, sink]() -> absl::StatusOr<OpenedStore> {
      auto store = OpenStore(*sink);
      if (!store.ok()) return store.status();
      return OpenedStore{*std::move(store), {}};
    });
  }
  return questions_.Ask(text, **format, [mergers] { return BinsOf(mergers); });
}

std::vector<SavedQuestion> Server::Questions() {
  base::MutexLock lock(&mutex_);
  std::vector<SavedQuestion> questions;
  for (const config::Question& question : plan_->config().question()) {
    questions.push_back({question.name(), question.ask()});
  }
  return questions;
}

}  // namespace flowacct::collector
