// What a running collector does with MRT files, on a thread of its own: keeps the routes of BGP sessions over a
// restart, writes dumps of all routes every so often, and reads the files of routes that it was given, again when they
// change.
//
//     RouteKeeper keeper(engine.get(), options);
//     notes = keeper.LoadBeforeStart(absl::Now());     // kept routes, as stale ones; files
//     engine->Start();  keeper.Start();
//     ...
//     keeper.Stop();  engine->Stop();                  // in this order: what sessions told is kept
//
// Standards: RFC 4724 in spirit: kept routes are stale ones of the same peers until the new session announces them
// anew, until its End-of-RIB, or for `stale_for`, counted from the start. Not kept: what BMP speakers and files told,
// peers with link-local addresses. Guarantees: the engine's thread is never waited for longer than for a block of a
// file (some milliseconds), and never waits for a disk. Files are written whole (route_dump.h). Ownership: borrows the
// engine. Threads: LoadBeforeStart, Start, Stop of one; status() of any. Errors: counted, and told to the log, once
// until it works again; the collector goes on. Cost: route_dump.h's; routes are
// kept for at most a twentieth of the time.

#ifndef FLOWACCT_COLLECTOR_MRT_ROUTE_KEEPER_H_
#define FLOWACCT_COLLECTOR_MRT_ROUTE_KEEPER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/mrt/route_loader.h"
#include "flowacct/collector/routing/routing_engine.h"

namespace flowacct::collector {

struct RouteKeeperOptions {
  // Where routes are kept over a restart; empty: they are not.
  std::string state_path;
  absl::Duration state_every = absl::Minutes(1);
  absl::Duration stale_for = absl::Minutes(2);  // what is kept longer ago than that is not taken
  uint32_t local_as = 0;                        // RoutingOptions'

  // Of dumps, with strftime(3)'s %; empty: none are written.
  std::string dump_path;
  absl::Duration dump_every = absl::Hours(1);  // at whole multiples of it, UTC

  // MRT files, in their order.
  std::vector<std::string> files;
  // How often they are looked at. A file is read once it was the same twice.
  absl::Duration look_every = absl::Seconds(5);
  // Files that could not be read are tried again although they are the same: rights and descriptors come back.
  absl::Duration try_again_every = absl::Minutes(1);

  // Lines for the log: troubles, and what went well. May be empty.
  std::function<void(absl::string_view)> log, note;
};

struct RouteKeeperStatus {
  uint64_t dumps_written = 0;  // kept routes, too
  uint64_t dumps_failed = 0;
  uint64_t files_loaded = 0;  // times that all files were read
  uint64_t files_failed = 0;
};

class RouteKeeper {
 public:
  RouteKeeper(RoutingEngine* engine, RouteKeeperOptions options);
  ~RouteKeeper() { Stop(); }
  RouteKeeper(const RouteKeeper&) = delete;
  RouteKeeper& operator=(const RouteKeeper&) = delete;

  // A line for what was kept and for the files, or why not.
  std::vector<std::string> LoadBeforeStart(absl::Time now);
  void Start();
  void Stop();
  RouteKeeperStatus status() const;

 private:
  // How a file was when it was looked at.
  struct Looked {
    int64_t inode = 0, size = 0, modified_nanos = 0;
    friend bool operator==(const Looked& a, const Looked& b) {
      return a.inode == b.inode && a.size == b.size && a.modified_nanos == b.modified_nanos;
    }
  };
  using Calling = absl::FunctionRef<absl::Status(absl::FunctionRef<void(PeerBook&)>)>;

  void Run();
  bool Ends() const;
  std::vector<Looked> Look() const;
  std::string LoadState(absl::Time now);
  // What is wrong, or nothing, and then to `note` what was read.
  std::string LoadFiles(absl::Time now, std::string* note, Calling call);
  void KeepState();
  void WriteDump(absl::Time when);
  void Count(uint64_t RouteKeeperStatus::*counter);
  void Tell(const std::function<void(absl::string_view)>& to, absl::string_view line) const {
    if (to) to(line);
  }

  RoutingEngine* const engine_;
  const RouteKeeperOptions options_;
  std::unique_ptr<RouteLoader> loader_;  // of the files; its peers are the table's
  // As the files were when what is there was read of them; when they were looked at last; when they could not be read.
  std::vector<Looked> loaded_, looked_, failed_;
  absl::Time try_again_ = absl::InfinitePast();  // where they are still as failed_
  std::string files_trouble_;                    // told already
  bool dump_fails_ = false, state_fails_ = false;

  std::thread thread_;
  mutable base::Mutex mutex_;
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  RouteKeeperStatus status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_MRT_ROUTE_KEEPER_H_
