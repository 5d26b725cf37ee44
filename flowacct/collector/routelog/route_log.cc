#include "flowacct/collector/routelog/route_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/mutex.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/collector/routelog/log_file_set.h"
#include "flowacct/collector/routing/bmp_view.h"
#include "flowacct/collector/routing/route_walk.h"

namespace flowacct::collector {
namespace {

// How long a line may wait: nobody is woken for each.
constexpr absl::Duration kRound = absl::Milliseconds(50);
constexpr absl::Duration kTick = absl::Seconds(1);
// Beyond the bound, for what is rare and small: sessions that begin and end.
constexpr size_t kReserveOctets = size_t{1} << 20;
constexpr size_t kDumpBufferOctets = size_t{1} << 20;

LogTeller TellerOf(const RouteSource& source) { return {source.teller(), source.port}; }

}  // namespace

struct RouteLog::Event {
  // A line of 400 octets for 8 that came: made by the thread.
  struct Statistics {
    bmp::MonitoredPeer peer;
    absl::Time time;
    bmp::RibKind rib = bmp::RibKind::kAdjRibIn;
    bool post_policy = false;
    bool filtered = false;
    std::vector<bmp::Statistic> values;
  };
  enum class Kind : uint8_t {
    kInit,       // log_init
    kGone,       // the routes of `tables` that are stale
    kClose,      // log_close
    kAnnounced,  // `octets`: NLRI, then attributes
    kWithdrawn,  // `route`; `octets`: the attributes that it had
    kLines,      // `octets`: lines without their beginning
    kStatistics,
  };
  Kind kind = Kind::kInit;
  bool add_path = false;
  bgp::Family family = bgp::Family::kOther;
  uint32_t nlri_octets = 0;
  uint64_t dropped = 0;  // lines between the event before and this one
  absl::Time time, router_time;
  std::shared_ptr<const RouteSource> source;
  LoggedRoute route;
  std::string octets;
  std::vector<std::pair<uint64_t, rib::TableId>> tables;
  std::unique_ptr<const Statistics> statistics;

  size_t size() const {
    return sizeof(Event) + octets.size() + tables.size() * sizeof(tables[0]) +
           (statistics == nullptr ? 0 : sizeof(Statistics) + statistics->values.size() * sizeof(bmp::Statistic));
  }
};

// What the thread works with; it may outlive the log.
class RouteLog::Writer {
 public:
  explicit Writer(const RouteLogOptions& options)
      : options_(options),
        on_error_(options.on_error),
        files_(LogFileOptions{options.message_log, options.zone, options.max_open_files}),
        writer_(options.zone),
        dump_writer_(options.dump_zone) {}

  // `lines` of it are dropped if there is no room.
  void Push(Event event, size_t lines, bool small = false);
  void Attach(std::weak_ptr<RoutingEngine> engine) {
    base::MutexLock lock(&mutex_);
    engine_ = std::move(engine);
  }
  void Reopen() { reopen_.store(true, std::memory_order_relaxed); }
  void Stop() {
    stopping_.store(true, std::memory_order_relaxed);
    stop_.Notify();
  }
  bool Ended(absl::Duration patience) { return ended_.WaitFor(patience); }
  // Nobody is told anything any more, from when it returns.
  void Mute() {
    base::MutexLock lock(&tell_mutex_);
    on_error_ = nullptr;
  }
  RouteLogCounters counters() const;

  void Run();

 private:
  // Null: it is not there yet, or no more.
  std::shared_ptr<RoutingEngine> Engine() const {
    base::MutexLock lock(&mutex_);
    return engine_.lock();
  }
  void TakeQueue();
  void Take(const Event& event);
  void TakeRoutes(const Event& event);
  void TakeGone(const Event& event);
  void TakeStatistics(const Event& event);
  // `lines` have no beginning yet.
  void Lines(const RouteSource& source, absl::Time time, absl::string_view lines);
  void Line(const RouteSource& source, absl::Time time, size_t lines);
  // Beside long walks.
  void Breathe();
  void Publish();
  void TellErrors();
  void Tell(absl::string_view error);
  void Dump(absl::Time due);
  absl::Status DumpTo(RoutingEngine& engine, absl::Time due, uint64_t seq, uint64_t* lines);
  // Of one peer; `rest` as WalkTable's.
  absl::Status WalkPeer(const RoutingEngine& engine, const RouteSource& source,
                        const std::vector<std::pair<uint64_t, rib::TableId>>& tables, RouteLineKind kind,
                        bool stale_only, bgp::FamilySet add_path, absl::Time time, absl::FunctionRef<uint64_t()> seq,
                        RouteLineWriter* writer, std::string* out, absl::FunctionRef<bool()> rest, uint64_t* lines);

  const RouteLogOptions options_;
  std::atomic<bool> reopen_{false}, stopping_{false};
  base::Notification stop_, ended_;

  mutable base::Mutex mutex_;
  std::weak_ptr<RoutingEngine> engine_ ABSL_GUARDED_BY(mutex_);
  std::deque<Event> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queued_octets_ ABSL_GUARDED_BY(mutex_) = 0;  // with those in the thread's hands
  uint64_t gap_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  RouteLogCounters published_ ABSL_GUARDED_BY(mutex_);

  // Held while somebody is told.
  base::Mutex tell_mutex_;
  std::function<void(absl::string_view)> on_error_ ABSL_GUARDED_BY(tell_mutex_);

  // The thread's.
  LogFileSet files_;
  RouteLineWriter writer_, dump_writer_;
  RouteLogCounters dumped_;
  uint64_t seq_ = 0;
  std::string text_;
  std::string dump_error_, told_error_;
  uint64_t told_dropped_ = 0;
  absl::Time next_tick_ = absl::InfinitePast();
};

void RouteLog::Writer::Push(Event event, size_t lines, bool small) {
  const size_t size = event.size();
  base::MutexLock lock(&mutex_);
  if (queued_octets_ + size > options_.max_queued_octets + (small ? kReserveOctets : 0)) {
    gap_ += lines;
    dropped_ += lines;
    return;
  }
  event.dropped = std::exchange(gap_, 0);
  queued_octets_ += size;
  queue_.push_back(std::move(event));
}

RouteLogCounters RouteLog::Writer::counters() const {
  base::MutexLock lock(&mutex_);
  RouteLogCounters counters = published_;
  counters.dropped = dropped_;
  counters.queued_octets = queued_octets_;
  return counters;
}

void RouteLog::Writer::Publish() {
  RouteLogCounters counters = dumped_;
  const LogFileCounters& files = files_.counters();
  counters.lines = files.lines;
  counters.lost = files.lost;
  counters.errors = files.errors + dumped_.errors;
  counters.open_files = files.open;
  counters.last_error = files_.error().empty() ? dump_error_ : files_.error();
  base::MutexLock lock(&mutex_);
  published_ = std::move(counters);
}

void RouteLog::Writer::Tell(absl::string_view error) {
  base::MutexLock lock(&tell_mutex_);
  if (on_error_) on_error_(error);
}

void RouteLog::Writer::TellErrors() {
  const absl::string_view name = options_.monitored ? "bmp" : "bgp";
  const std::string& error = files_.error().empty() ? dump_error_ : files_.error();
  if (error.empty() != told_error_.empty()) {
    Tell(error.empty() ? absl::StrCat("the route log of ", name, " is written again")
                       : absl::StrCat("the route log of ", name, ": ", error));
    told_error_ = error;
  }
  uint64_t dropped = 0;
  {
    base::MutexLock lock(&mutex_);
    dropped = dropped_;
  }
  if (dropped != told_dropped_) {
    Tell(absl::StrCat("the route log of ", name, " is too slow: ", dropped - told_dropped_,
                      " lines were dropped; their numbers (seq) are missing in its files"));
    told_dropped_ = dropped;
  }
}

void RouteLog::Writer::Run() {
  // A pipe without a reader, and a file beyond the user's bound, are errors of write(2).
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  sigaddset(&signals, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto next_dump = [this](absl::Time after) {
    return absl::UnixEpoch() + absl::Floor(after - absl::UnixEpoch(), options_.dump_every) + options_.dump_every;
  };
  absl::Time due = options_.dump.empty() ? absl::InfiniteFuture() : next_dump(absl::Now());
  bool stopping = false;
  while (!stopping) {
    // What was pushed before it stopped is in the queue then.
    stopping = stop_.WaitFor(kRound);
    TakeQueue();
    files_.Flush();
    Breathe();
    Publish();
    const absl::Time now = absl::Now();
    if (stopping || now < due) continue;
    Dump(due);
    due = next_dump(std::max(now, due));
    Publish();
  }
  files_.Reopen();
  Publish();
  ended_.Notify();
}

void RouteLog::Writer::Breathe() {
  if (reopen_.exchange(false, std::memory_order_relaxed)) files_.Reopen();
  const absl::Time now = absl::Now();
  // The clock may be set back.
  if (now < next_tick_ && next_tick_ - now <= kTick) return;
  next_tick_ = now + kTick;
  files_.Tick(now);
  TellErrors();
}

void RouteLog::Writer::TakeQueue() {
  std::deque<Event> events;
  {
    base::MutexLock lock(&mutex_);
    events.swap(queue_);
  }
  size_t done = 0, count = 0;
  const auto give_back = [&] {
    base::MutexLock lock(&mutex_);
    queued_octets_ -= std::exchange(done, 0);
  };
  while (!events.empty()) {
    seq_ += events.front().dropped;
    Take(events.front());
    done += events.front().size();
    events.pop_front();
    if (++count % 1024 == 0) {
      give_back();
      Breathe();
      Publish();
    }
  }
  give_back();
}

void RouteLog::Writer::Line(const RouteSource& source, absl::Time time, size_t lines) {
  files_.Append(TellerOf(source), time, text_, lines);
  text_.clear();
}

void RouteLog::Writer::Take(const Event& event) {
  const RouteSource& source = *event.source;
  switch (event.kind) {
    case Event::Kind::kInit:
      AppendLogBoundary(source, "log_init", seq_++, event.time, options_.zone, &text_);
      return Line(source, event.time, 1);
    case Event::Kind::kGone:
      return TakeGone(event);
    case Event::Kind::kClose:
      AppendLogBoundary(source, "log_close", seq_++, event.time, options_.zone, &text_);
      return Line(source, event.time, 1);
    case Event::Kind::kAnnounced:
    case Event::Kind::kWithdrawn:
      return TakeRoutes(event);
    case Event::Kind::kLines:
      return Lines(source, event.time, event.octets);
    case Event::Kind::kStatistics:
      return TakeStatistics(event);
  }
}

void RouteLog::Writer::Lines(const RouteSource& source, absl::Time time, absl::string_view lines) {
  size_t count = 0;
  for (size_t at = 0; at < lines.size(); ++count) {
    const size_t end = lines.find('\n', at) + 1;
    absl::StrAppend(&text_, "{\"event_type\": \"log\", \"seq\": ", seq_++, lines.substr(at, end - at));
    at = end;
  }
  Line(source, time, count);
}

void RouteLog::Writer::TakeStatistics(const Event& event) {
  constexpr size_t kStep = 256;  // lines, of 100 KB
  const Event::Statistics& statistics = *event.statistics;
  const absl::Span<const bmp::Statistic> values = statistics.values;
  std::string lines;
  for (size_t at = 0; at < values.size(); at += kStep) {
    lines.clear();
    AppendStatistics(event.source->router,
                     {statistics.peer, statistics.time, statistics.rib, statistics.post_policy,
                      values.subspan(at, std::min(kStep, values.size() - at))},
                     statistics.filtered, event.time, options_.zone, &lines);
    Lines(*event.source, event.time, lines);
  }
}

void RouteLog::Writer::TakeRoutes(const Event& event) {
  const RouteSource& source = *event.source;
  const bgp::FamilyRow& family = bgp::RowOf(event.family);
  const bool announced = event.kind == Event::Kind::kAnnounced;
  writer_.Begin(source, announced ? RouteLineKind::kUpdate : RouteLineKind::kWithdraw, event.time, event.router_time);
  writer_.SetFamily(family.afi, family.safi);
  const base::Octets octets(reinterpret_cast<const uint8_t*>(event.octets.data()), event.octets.size());
  const bgp::AttributeSetView attributes(octets.subspan(event.nlri_octets));
  if (attributes.octets().empty()) {
    writer_.ClearAttributes();
  } else {
    writer_.SetAttributes(attributes);
  }
  if (!announced) {
    writer_.Append(seq_++, event.route, &text_);
    return Line(source, event.time, 1);
  }
  size_t lines = 0;
  bgp::VisitNlri(event.family, event.add_path, octets.subspan(0, event.nlri_octets), [&](const bgp::Nlri& nlri) {
    LoggedRoute route;
    route.address = nlri.address;
    route.length = nlri.length;
    route.v6 = family.v6;
    route.has_path_id = nlri.has_path_id;
    route.path_id = nlri.path_id;
    route.rd = nlri.rd;
    route.has_label = nlri.label_count != 0;
    route.label = nlri.label;
    writer_.Append(seq_++, route, &text_);
    ++lines;
  });
  Line(source, event.time, lines);
}

void RouteLog::Writer::TakeGone(const Event& event) {
  const std::shared_ptr<RoutingEngine> engine = Engine();
  // Nobody waits at the end for routes that nobody lost.
  if (engine == nullptr || stopping_.load(std::memory_order_relaxed)) return;
  uint64_t lines = 0, written = 0;
  const auto rest = [&] {
    Line(*event.source, event.time, lines - written);
    written = lines;
    Breathe();
    return !stopping_.load(std::memory_order_relaxed);
  };
  // Of a table that is gone already nothing is told.
  (void)WalkPeer(
      *engine, *event.source, event.tables, RouteLineKind::kDelete, /*stale_only=*/true, bgp::FamilySet(), event.time,
      [this] { return seq_++; }, &writer_, &text_, rest, &lines);
}

absl::Status RouteLog::Writer::WalkPeer(const RoutingEngine& engine, const RouteSource& source,
                                        const std::vector<std::pair<uint64_t, rib::TableId>>& tables,
                                        RouteLineKind kind, bool stale_only, bgp::FamilySet add_path, absl::Time time,
                                        absl::FunctionRef<uint64_t()> seq, RouteLineWriter* writer, std::string* out,
                                        absl::FunctionRef<bool()> rest, uint64_t* lines) {
  for (const auto& [rd, table] : tables) {
    for (const bool v6 : {false, true}) {
      const uint64_t own_rd = rd == source.rd ? 0 : rd;
      // Many routes in a row have the attributes of the one before.
      rib::AttributeSetId last = rib::AttributeSetId::kNone;
      uint8_t last_safi = 0;
      writer->Begin(source, kind, time, time);
      const auto visit = [&](const base::IpPrefix& prefix, const rib::RouteView& path, bool) {
        if (stale_only && !path.stale) return true;
        LoggedRoute route;
        route.address = prefix.address();
        route.length = prefix.length();
        route.v6 = v6;
        route.has_label = path.label != rib::Announcement::kNoLabel;
        route.label = path.label;
        route.rd = own_rd;
        // A table does not keep how a route came (peer_book.h).
        const uint8_t safi = own_rd != 0 ? 128 : route.has_label ? 4 : 1;
        const uint16_t afi = v6 ? 2 : 1;
        if (safi != last_safi) {
          writer->SetFamily(afi, safi);
          last_safi = safi;
        }
        route.has_path_id = path.path_id != 0 || add_path.Has(bgp::FamilyOf(afi, safi));
        route.path_id = path.path_id;
        if (path.attributes != last) {
          writer->SetAttributes(bgp::AttributeSetView(path.octets));
          last = path.attributes;
        }
        writer->Append(seq(), route, out);
        ++*lines;
        return true;
      };
      // An attribute set's number may mean others after a rest.
      const auto rest_anew = [&] {
        last = rib::AttributeSetId::kNone;
        return rest() ? absl::OkStatus() : absl::CancelledError("the collector stops");
      };
      if (absl::Status status = WalkTable(engine, table, v6, visit, rest_anew); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

void RouteLog::Writer::Dump(absl::Time due) {
  const std::shared_ptr<RoutingEngine> engine = Engine();
  if (engine == nullptr) return;
  const absl::Time begun = absl::Now();
  uint64_t lines = 0;
  const absl::Status status = DumpTo(*engine, due, seq_++, &lines);
  if (status.ok()) {
    ++dumped_.dumps;
    dumped_.dump_lines = lines;
    dumped_.dump_seconds = absl::ToDoubleSeconds(absl::Now() - begun);
    dumped_.last_dump = due;
    dump_error_.clear();
  } else if (!stopping_.load(std::memory_order_relaxed) && !absl::IsFailedPrecondition(status)) {
    // An engine that does not run yet, or no more, has no tables.
    ++dumped_.failed_dumps;
    ++dumped_.errors;
    dump_error_ = absl::StrCat("a dump was given up: ", status.message());
  }
}

absl::Status RouteLog::Writer::DumpTo(RoutingEngine& engine, absl::Time due, uint64_t seq, uint64_t* lines) {
  auto peers = ListTables(engine);
  if (!peers.ok()) return peers.status();
  struct Dumped {
    std::string name;
    RouteSource source;
    const WalkedPeer* peer;
  };
  std::vector<Dumped> dumped;
  for (const WalkedPeer& peer : *peers) {
    if (peer.told.state != bgp::SessionState::kEstablished || peer.key.view == rib::RibView::kDump) continue;
    RouteSource source;
    source.peer = peer.key.address;
    source.view = peer.key.view;
    if (source.monitored() != options_.monitored) continue;
    if (source.monitored()) {
      source.router = peer.key.told_by;
      source.rd = peer.key.distinguisher;
    } else {
      source.port = peer.told.port;
    }
    dumped.push_back({ExpandLogName(options_.dump, TellerOf(source), due, options_.dump_zone), source, &peer});
  }
  std::stable_sort(dumped.begin(), dumped.end(), [](const Dumped& a, const Dumped& b) {
    return std::tie(a.name, a.source.teller()) < std::tie(b.name, b.source.teller());
  });
  // One of the files, which may have several tables of several tellers.
  std::string name, text;
  Descriptor file;
  absl::Status status, first_error;
  const auto temporary = [&name] { return absl::StrCat(name, ".partial"); };
  const auto write = [&] {
    size_t written = 0;
    if (status.ok()) status = WriteWhole(file.get(), text, &written);
    text.clear();
    return status.ok();
  };
  const auto begin = [&](const std::string& next) {
    name = next;
    status = absl::OkStatus();
    auto opened = OpenLogFile(temporary(), O_WRONLY | O_CREAT | O_TRUNC);
    if (!opened.ok()) {
      status = opened.status();
      return;
    }
    file = *std::move(opened);
  };
  const auto finish = [&] {
    if (file.is_open()) {
      write();
      file.Reset();
      if (status.ok() && rename(temporary().c_str(), name.c_str()) != 0) {
        status = absl::UnavailableError(std::strerror(errno));
      }
      if (!status.ok()) {
        status = absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
        (void)unlink(temporary().c_str());
      }
    }
    text.clear();
    first_error.Update(status);
  };
  const int64_t period = absl::ToInt64Seconds(options_.dump_every);
  const auto stops = [this] { return stopping_.load(std::memory_order_relaxed); };
  const auto rest = [&] {
    if (text.size() >= kDumpBufferOctets && !write()) return false;
    TakeQueue();
    Breathe();
    return !stops();
  };
  size_t i = 0;
  for (; i < dumped.size() && !stops(); ++i) {
    const Dumped& one = dumped[i];
    if (i == 0 || one.name != name) {
      finish();
      begin(one.name);
    }
    // A file that cannot be written is given up, not those behind it.
    if (!status.ok()) continue;
    // A router has several tables.
    const auto same = [&one](const Dumped& other) {
      return one.source.monitored() && other.name == one.name && other.source.teller() == one.source.teller();
    };
    if (i == 0 || !same(dumped[i - 1])) AppendDumpInit(one.source, seq, due, period, options_.dump_zone, &text);
    uint64_t entries = 0;
    const absl::Status walked = WalkPeer(
        engine, one.source, one.peer->tables, RouteLineKind::kDump, /*stale_only=*/false,
        one.peer->told.agreed.add_path, due, [seq] { return seq; }, &dump_writer_, &text, rest, &entries);
    status.Update(walked);
    *lines += entries;
    if (i + 1 == dumped.size() || !same(dumped[i + 1])) {
      AppendDumpClose(one.source, seq, due, entries, options_.dump_zone, &text);
    }
  }
  if (i < dumped.size()) status.Update(absl::CancelledError("the collector stops"));
  finish();
  return first_error;
}

// --- On the engine's thread ---

absl::StatusOr<std::unique_ptr<RouteLog>> RouteLog::New(RouteLogOptions options) {
  const auto check = [&options](absl::string_view what, const std::string& pattern) {
    const absl::Status status = pattern.empty() ? absl::OkStatus() : CheckLogPattern(pattern, !options.monitored);
    return status.ok() ? status : absl::InvalidArgumentError(absl::StrCat(what, ": ", status.message()));
  };
  if (absl::Status status = check("message_log", options.message_log); !status.ok()) return status;
  if (absl::Status status = check("dump", options.dump); !status.ok()) return status;
  if (options.dump_every < absl::Seconds(1) ||
      options.dump_every != absl::Floor(options.dump_every, absl::Seconds(1))) {
    return absl::InvalidArgumentError("dump_every: is whole seconds, such as 5m");
  }
  return std::unique_ptr<RouteLog>(new RouteLog(std::move(options)));
}

RouteLog::RouteLog(RouteLogOptions options)
    : options_(std::move(options)), writer_(std::make_shared<Writer>(options_)) {
  thread_ = std::thread([writer = writer_] { writer->Run(); });
}

RouteLog::~RouteLog() { (void)Close(absl::ZeroDuration()); }

bool RouteLog::Close(absl::Duration patience) {
  if (!thread_.joinable()) return true;
  writer_->Stop();
  // An idle thread needs a moment to see it.
  const bool ended = writer_->Ended(std::max(patience, 4 * kRound));
  if (ended) {
    thread_.join();
  } else {
    // What on_error refers to may go now.
    writer_->Mute();
    thread_.detach();
  }
  return ended;
}

void RouteLog::Attach(std::weak_ptr<RoutingEngine> engine) {
  const std::shared_ptr<RoutingEngine> alive = engine.lock();
  rib_ = alive == nullptr ? nullptr : alive->tables().rib;
  writer_->Attach(std::move(engine));
}

void RouteLog::Reopen() { writer_->Reopen(); }

RouteLogCounters RouteLog::counters() const { return writer_->counters(); }

bool RouteLog::Concerns(const PeerBook::Peer& peer) const {
  if (options_.message_log.empty() || peer.key.view == rib::RibView::kDump) return false;
  return (peer.key.view != rib::RibView::kSession) == options_.monitored;
}

RouteLog::MonitoredKey RouteLog::KeyOf(const base::IpAddress& router, const base::IpAddress& peer, uint64_t rd,
                                       rib::RibView view) {
  // A Loc-RIB has no neighbour, whatever it is called.
  return {router, view == rib::RibView::kLocRib ? base::IpAddress() : peer, rd, view};
}

RouteLog::MonitoredKey RouteLog::KeyOf(const PeerBook::Peer& peer) {
  return KeyOf(peer.key.told_by, peer.key.address, peer.key.distinguisher, peer.key.view);
}

void RouteLog::OnUp(const PeerBook::Peer& peer, absl::Time time) {
  TellBegun();
  if (!Concerns(peer)) return;
  if (!options_.monitored) {
    begun_.emplace_back(&peer, time);
    return;
  }
  const MonitoredKey key = KeyOf(peer);
  Source source = MonitoredSource(key);
  source.in_table = true;
  source.id = peer.id;
  source.rd = peer.rd;
  monitored_[key] = std::move(source);
}

void RouteLog::TellBegun() {
  for (const auto& [peer, time] : begun_) {
    RouteSource source;
    source.peer = peer->key.address;
    source.port = peer->told.port;
    const auto told = std::make_shared<const RouteSource>(source);
    sessions_[static_cast<uint32_t>(peer->id)] = {told, true, peer->id, peer->rd};
    Event event;
    event.kind = Event::Kind::kInit;
    event.time = time;
    event.source = told;
    writer_->Push(std::move(event), 1, /*small=*/true);
  }
  begun_.clear();
}

void RouteLog::OnDown(const PeerBook::Peer& peer, absl::Time time) {
  TellBegun();
  if (!Concerns(peer)) return;
  Event gone;
  gone.kind = Event::Kind::kGone;
  gone.time = time;
  gone.tables.assign(peer.distinguished().begin(), peer.distinguished().end());
  std::sort(gone.tables.begin(), gone.tables.end());
  if (options_.monitored) {
    const auto known = monitored_.find(KeyOf(peer));
    if (known == monitored_.end()) return;
    gone.source = known->second.told;
    monitored_.erase(known);
    writer_->Push(std::move(gone), 0, /*small=*/true);
    return;
  }
  const auto known = sessions_.find(static_cast<uint32_t>(peer.id));
  if (known == sessions_.end()) return;
  gone.source = known->second.told;
  sessions_.erase(known);
  Event close;
  close.kind = Event::Kind::kClose;
  close.time = time;
  close.source = gone.source;
  writer_->Push(std::move(gone), 0, /*small=*/true);
  writer_->Push(std::move(close), 1, /*small=*/true);
}

void RouteLog::OnUpdate(const PeerBook::Peer& peer, const bgp::Update& update, absl::Time time) {
  TellBegun();
  if (options_.monitored || !Concerns(peer)) return;
  const auto known = sessions_.find(static_cast<uint32_t>(peer.id));
  if (known != sessions_.end()) TellUpdate(known->second, update, time, time);
}

void RouteLog::TellUpdate(const Source& source, const bgp::Update& update, absl::Time time, absl::Time router_time) {
  const auto append = [](base::Octets octets, std::string* out) {
    out->append(reinterpret_cast<const char*>(octets.data()), octets.size());
  };
  for (const bgp::NlriSection& section : update.withdrawn()) {
    const bgp::FamilyRow& family = bgp::RowOf(section.family);
    if (!family.joined) continue;
    section.Visit([&](const bgp::Nlri& nlri) {
      // With what the table knows of it, until the update is taken.
      rib::RouteView path;
      const bool known = source.in_table && rib_ != nullptr;
      if (known) {
        const auto table = rib_->FindTable(source.id, nlri.rd != 0 ? nlri.rd : source.rd);
        if (table) path = rib::RibReader(rib_).FindPath(*table, nlri.prefix(), nlri.path_id);
        // A session's withdrawal of what was not there is nothing that happened.
        if (!path.found() && !options_.monitored) return;
      }
      Event event;
      event.kind = Event::Kind::kWithdrawn;
      event.family = section.family;
      event.time = time;
      event.router_time = router_time;
      event.source = source.told;
      event.route.address = nlri.address;
      event.route.length = nlri.length;
      event.route.v6 = family.v6;
      event.route.has_path_id = nlri.has_path_id;
      event.route.path_id = nlri.path_id;
      event.route.rd = nlri.rd;
      event.route.has_label = path.found() && path.label != rib::Announcement::kNoLabel;
      event.route.label = path.label;
      if (path.found()) append(path.octets, &event.octets);
      writer_->Push(std::move(event), 1);
    });
  }
  for (const bgp::NlriSection& section : update.announced()) {
    if (!bgp::RowOf(section.family).joined || section.count == 0) continue;
    const base::Octets attributes = bgp::CanonicalizeAttributes(update, section, &attributes_);
    Event event;
    event.kind = Event::Kind::kAnnounced;
    event.family = section.family;
    event.add_path = section.add_path;
    event.time = time;
    event.router_time = router_time;
    event.source = source.told;
    event.nlri_octets = static_cast<uint32_t>(section.octets.size());
    event.octets.reserve(section.octets.size() + attributes.size());
    append(section.octets, &event.octets);
    append(attributes, &event.octets);
    writer_->Push(std::move(event), section.count);
  }
}

// --- BMP ---

RouteLog::Source RouteLog::MonitoredSource(const MonitoredKey& key) const {
  RouteSource told;
  told.peer = key.peer;
  told.router = key.router;
  told.view = key.view;
  told.rd = key.rd;
  told.filtered = filtered_.contains(key);
  Source source;
  source.told = std::make_shared<const RouteSource>(told);
  source.rd = key.rd;
  return source;
}

void RouteLog::TellRouterBegins(const base::IpAddress& router, absl::Time time) {
  std::shared_ptr<const RouteSource>& known = routers_[router];
  if (known != nullptr) return;
  RouteSource source;
  source.router = router;
  source.view = rib::RibView::kLocRib;  // or any other of BMP
  known = std::make_shared<const RouteSource>(source);
  Event event;
  event.kind = Event::Kind::kInit;
  event.time = time;
  event.source = known;
  writer_->Push(std::move(event), 1, /*small=*/true);
}

void RouteLog::TellLines(const base::IpAddress& router, std::string lines, absl::Time time) {
  TellRouterBegins(router, time);
  if (lines.empty()) return;
  const auto count = static_cast<size_t>(std::count(lines.begin(), lines.end(), '\n'));
  Event event;
  event.kind = Event::Kind::kLines;
  event.time = time;
  event.source = routers_[router];
  event.octets = std::move(lines);
  writer_->Push(std::move(event), count);
}

void RouteLog::OnRouterUp(const base::IpAddress& router, absl::string_view name, absl::string_view description,
                          absl::Time time) {
  if (!LogsMonitored()) return;
  std::string lines;
  if (!name.empty() || !description.empty()) {
    AppendInitiation(router, name, description, time, options_.zone, &lines);
  }
  TellLines(router, std::move(lines), time);
}

void RouteLog::OnRouterDown(const base::IpAddress& router, absl::string_view, absl::Time time) {
  if (!LogsMonitored()) return;
  const auto known = routers_.find(router);
  if (known == routers_.end()) return;
  Event event;
  event.kind = Event::Kind::kClose;
  event.time = time;
  event.source = known->second;
  routers_.erase(known);
  writer_->Push(std::move(event), 1, /*small=*/true);
}

void RouteLog::OnMonitoredUp(const base::IpAddress& router, const bmp::PeerUp& up, absl::Time time) {
  if (!LogsMonitored()) return;
  std::string lines;
  AppendPeerUp(router, up, time, options_.zone, &lines);
  TellLines(router, std::move(lines), time);
  if (up.peer.key.type != bmp::PeerType::kLocRibInstance) return;
  const MonitoredKey key = KeyOf(router, up.peer.key.address, up.peer.key.distinguisher, rib::RibView::kLocRib);
  if (up.filtered ? !filtered_.insert(key).second : filtered_.erase(key) == 0) return;
  const auto known = monitored_.find(key);
  if (known == monitored_.end()) return;
  RouteSource told = *known->second.told;
  told.filtered = up.filtered;
  known->second.told = std::make_shared<const RouteSource>(told);
}

void RouteLog::OnMonitoredDown(const base::IpAddress& router, const bmp::PeerDown& down, absl::Time time) {
  if (!LogsMonitored()) return;
  std::string lines;
  AppendPeerDown(router, down, time, options_.zone, &lines);
  if (!lines.empty()) TellLines(router, std::move(lines), time);
  if (down.peer.key.type != bmp::PeerType::kLocRibInstance) return;
  filtered_.erase(KeyOf(router, down.peer.key.address, down.peer.key.distinguisher, rib::RibView::kLocRib));
}

void RouteLog::OnMonitoredUpdate(const base::IpAddress& router, const bmp::RouteUpdate& update, absl::Time time) {
  if (!LogsMonitored()) return;
  TellRouterBegins(router, time);
  const MonitoredKey key =
      KeyOf(router, update.peer.key.address, update.peer.key.distinguisher, RibViewOf(update.rib, update.post_policy));
  // The first one comes before its table is up, and of tables that were refused none ever is: nothing is kept of those.
  const auto known = monitored_.find(key);
  if (known != monitored_.end()) return TellUpdate(known->second, update.update, time, update.time);
  TellUpdate(MonitoredSource(key), update.update, time, update.time);
}

void RouteLog::OnStatistics(const base::IpAddress& router, const bmp::StatisticsReport& report, absl::Time time) {
  if (!LogsMonitored()) return;
  TellRouterBegins(router, time);
  if (report.statistics.empty()) return;
  const MonitoredKey key = KeyOf(router, report.peer.key.address, report.peer.key.distinguisher, rib::RibView::kLocRib);
  Event event;
  event.kind = Event::Kind::kStatistics;
  event.time = time;
  event.source = routers_[router];
  event.statistics = std::make_unique<const Event::Statistics>(
      Event::Statistics{report.peer,
                        report.time,
                        report.rib,
                        report.post_policy,
                        filtered_.contains(key),
                        {report.statistics.begin(), report.statistics.end()}});
  writer_->Push(std::move(event), report.statistics.size());
}

}  // namespace flowacct::collector
