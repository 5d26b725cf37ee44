#include "flowacct/collector/mrt/route_keeper.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "flowacct/collector/count_text.h"
#include "flowacct/collector/mrt/mrt_file.h"
#include "flowacct/collector/mrt/route_dump.h"

namespace flowacct::collector {
namespace {

constexpr absl::Duration kRound = absl::Milliseconds(200);
// Routes are kept for at most so much of the time.
constexpr int kShare = 20;
constexpr size_t kReclaimSteps = 65536;
constexpr absl::Duration kCongestedPause = absl::Milliseconds(10);

// Reads a file to its end, each block by `take`.
absl::Status ReadBlocks(const std::string& path, absl::FunctionRef<bool()> interrupted,
                        absl::FunctionRef<absl::Status(base::Octets)> take) {
  auto file = MrtFile::OpenRegular(path);
  if (!file.ok()) return file.status();
  for (;;) {
    if (interrupted()) return absl::CancelledError("interrupted");
    const auto block = (*file)->Next();
    if (!block.ok()) return block.status();
    if (block->empty()) return absl::OkStatus();
    if (absl::Status status = take(*block); !status.ok()) return status;
  }
}

absl::Time NextMultiple(absl::Time now, absl::Duration every) {
  absl::Duration since = now - absl::UnixEpoch();
  absl::Duration rest;
  absl::IDivDuration(since, every, &rest);
  return now - rest + every;
}

}  // namespace

RouteKeeper::RouteKeeper(RoutingEngine* engine, RouteKeeperOptions options)
    : engine_(engine), options_(std::move(options)) {}

std::vector<std::string> RouteKeeper::LoadBeforeStart(absl::Time now) {
  std::vector<std::string> notes;
  if (!options_.state_path.empty()) {
    if (std::string note = LoadState(now); !note.empty()) notes.push_back(std::move(note));
  }
  if (!options_.files.empty()) {
    looked_ = Look();
    files_trouble_ = LoadFiles(now, &notes.emplace_back(), [this](absl::FunctionRef<void(PeerBook&)> function) {
      function(engine_->book_before_start());
      return absl::OkStatus();
    });
    if (!files_trouble_.empty()) notes.back() = files_trouble_;
  }
  PeerBook& book = engine_->book_before_start();
  while (book.rib().Reclaim(kReclaimSteps)) {
  }
  book.Tick(now);
  return notes;
}

std::string RouteKeeper::LoadState(absl::Time now) {
  if (access(options_.state_path.c_str(), F_OK) != 0) return "";
  if (options_.stale_for <= absl::ZeroDuration()) return "";
  RouteLoaderOptions options;
  options.view = rib::RibView::kSession;
  options.local_as = options_.local_as;
  options.not_before = now - options_.stale_for;
  PeerBook& book = engine_->book_before_start();
  RouteLoader loader(&book, options);
  const absl::Status status = ReadBlocks(
      options_.state_path, [] { return false; },
      [&](base::Octets block) {
        loader.Read(block, now);
        return absl::OkStatus();
      });
  loader.EndFile();
  const size_t peers = loader.peers();
  loader.EndSessions(options_.stale_for, now);
  std::string line;
  if (loader.counters().too_old != 0) {
    line = absl::StrCat("routes: those that were kept are from ",
                        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", loader.first_time(), absl::UTCTimeZone()),
                        ", longer ago than stale_for: not taken");
  } else if (peers != 0) {
    line = absl::StrCat("routes: ", collector::Count(loader.counters().entries, "route"), " of ",
                        collector::Count(peers, "peer"), " restored, stale until their sessions confirm them");
  }
  const uint64_t damaged = loader.reader_counters().errors.errors();
  if (!status.ok() || damaged != 0) {
    absl::StrAppend(&line, line.empty() ? "routes: " : "; ",
                    status.ok() ? absl::StrCat(collector::Count(damaged, "record"), " of ", options_.state_path,
                                               " damaged and not taken")
                                : status.message());
  }
  return line;
}

std::string RouteKeeper::LoadFiles(absl::Time now, std::string* note, Calling call) {
  const std::string names = absl::StrJoin(options_.files, ", ");
  const auto ends = [this] { return Ends(); };
  // All are read to their end before anything changes: a file that is cut costs nothing that is there.
  absl::Status status;
  bool changed = false;
  for (const std::string& path : options_.files) {
    status.Update(ReadBlocks(path, ends, [](base::Octets) { return absl::OkStatus(); }));
  }
  if (status.ok()) {
    changed = true;
    std::unique_ptr<RouteLoader> loader;
    status = call([&](PeerBook& book) {
      RouteLoaderOptions options;
      options.local_as = options_.local_as;
      loader = std::make_unique<RouteLoader>(&book, options);
      if (loader_ != nullptr) loader->Replace(loader_.get(), now);
    });
    for (const std::string& path : options_.files) {
      if (!status.ok()) break;
      status = ReadBlocks(path, ends, [&](base::Octets block) {
        for (;;) {
          bool taken = false;
          absl::Status called = call([&](PeerBook& book) {
            book.rib().Reclaim(kReclaimSteps);
            if (book.rib().congested()) return;
            loader->Read(block, now);
            taken = true;
          });
          if (taken || !called.ok()) return called;
          // Readers are too slow for the changes: not a step more until they catch up, and the engine does not wait.
          if (Ends()) return absl::CancelledError("interrupted");
          absl::SleepFor(kCongestedPause);
        }
      });
      if (status.ok()) status = call([&](PeerBook&) { loader->EndFile(); });
    }
    // A file that changes under the reader leaves what could be read. It may come to be again what it was.
    loaded_.clear();
    if (loader != nullptr) {
      status.Update(call([&](PeerBook&) { loader->Finish(now); }));
      loader_ = std::move(loader);
    }
  }
  if (Ends()) return "";
  if (!status.ok()) {
    Count(&RouteKeeperStatus::files_failed);
    failed_ = looked_;
    try_again_ = now + options_.try_again_every;
    return absl::StrCat("routes: ", status.message(),
                        changed ? "; only what was read before is there" : "; what was there before stays");
  }
  Count(&RouteKeeperStatus::files_loaded);
  loaded_ = looked_;
  const uint64_t damaged = loader_->reader_counters().errors.errors();
  *note =
      absl::StrCat("routes: ", collector::Count(loader_->counters().entries, "route"), " and ",
                   collector::Count(loader_->counters().updates, "update"), " of ",
                   collector::Count(loader_->peers(), "peer"), " from ", names,
                   damaged == 0 ? "" : absl::StrCat("; ", collector::Count(damaged, "record"), " damaged, not taken"));
  return "";
}

void RouteKeeper::Start() {
  if (thread_.joinable()) return;
  if (options_.state_path.empty() && options_.dump_path.empty() && options_.files.empty()) return;
  thread_ = std::thread(&RouteKeeper::Run, this);
}

void RouteKeeper::Stop() {
  if (!thread_.joinable()) return;
  {
    base::MutexLock lock(&mutex_);
    ends_ = true;
  }
  thread_.join();
  if (!options_.state_path.empty()) KeepState();
}

RouteKeeperStatus RouteKeeper::status() const {
  base::MutexLock lock(&mutex_);
  return status_;
}

void RouteKeeper::Count(uint64_t RouteKeeperStatus::*counter) {
  base::MutexLock lock(&mutex_);
  ++(status_.*counter);
}

bool RouteKeeper::Ends() const {
  base::MutexLock lock(&mutex_);
  return ends_;
}

std::vector<RouteKeeper::Looked> RouteKeeper::Look() const {
  std::vector<Looked> looked(options_.files.size());
  for (size_t i = 0; i < looked.size(); ++i) {
    struct stat found;
    if (stat(options_.files[i].c_str(), &found) != 0) continue;
    looked[i] = {static_cast<int64_t>(found.st_ino), static_cast<int64_t>(found.st_size),
                 int64_t{found.st_mtim.tv_sec} * 1000000000 + found.st_mtim.tv_nsec};
  }
  return looked;
}

void RouteKeeper::Run() {
  absl::Time next_state = absl::Now() + options_.state_every;
  absl::Time next_dump = NextMultiple(absl::Now(), options_.dump_every);
  absl::Time next_look = absl::Now() + options_.look_every;
  for (;;) {
    {
      base::MutexLock lock(&mutex_);
      const bool over = mutex_.AwaitFor(
          [this] {
            mutex_.AssertHeld();
            return ends_;
          },
          kRound);
      if (over) return;
    }
    const absl::Time now = absl::Now();
    if (!options_.state_path.empty() && now >= next_state) {
      KeepState();
      next_state = absl::Now() + std::max(options_.state_every, kShare * (absl::Now() - now));
    }
    if (!options_.dump_path.empty() && now >= next_dump) {
      WriteDump(next_dump);
      next_dump = NextMultiple(absl::Now(), options_.dump_every);
    }
    if (!options_.files.empty() && now >= next_look) {
      std::vector<Looked> looked = Look();
      const bool still = looked == looked_;
      looked_ = std::move(looked);
      if (still && looked_ != loaded_ && (looked_ != failed_ || now >= try_again_)) {
        std::string note;
        std::string trouble = LoadFiles(
            now, &note, [this](absl::FunctionRef<void(PeerBook&)> function) { return engine_->Call(function); });
        if (!note.empty()) Tell(options_.note, note);
        if (!trouble.empty() && trouble != files_trouble_) Tell(options_.log, trouble);
        files_trouble_ = std::move(trouble);
      }
      next_look = absl::Now() + options_.look_every;
    }
  }
}

void RouteKeeper::KeepState() {
  RouteDumpOptions options;
  options.only_sessions = true;
  const auto written = WriteRouteDump(*engine_, options, absl::Now(), options_.state_path);
  Count(written.ok() ? &RouteKeeperStatus::dumps_written : &RouteKeeperStatus::dumps_failed);
  if (!written.ok() && !state_fails_) {
    Tell(options_.log, absl::StrCat("routes are not kept: ", written.status().message()));
  }
  state_fails_ = !written.ok();
}

void RouteKeeper::WriteDump(absl::Time when) {
  const std::string path = absl::FormatTime(options_.dump_path, when, absl::UTCTimeZone());
  RouteDumpOptions options;
  options.interrupted = [this] { return Ends(); };
  const auto written = WriteRouteDump(*engine_, options, absl::Now(), path);
  if (absl::IsCancelled(written.status())) return;
  Count(written.ok() ? &RouteKeeperStatus::dumps_written : &RouteKeeperStatus::dumps_failed);
  if (!written.ok() && !dump_fails_) {
    Tell(options_.log, absl::StrCat("the dump of routes is not written: ", written.status().message()));
  }
  if (written.ok() && dump_fails_) Tell(options_.note, absl::StrCat("dumps of routes are written again: ", path));
  dump_fails_ = !written.ok();
}

}  // namespace flowacct::collector
