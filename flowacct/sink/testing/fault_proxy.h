// A TCP proxy before a server, for tests: cuts, stalls or slows what passes, at an octet that the test names.
//
// Octets are counted over all connections, in each direction apart, since the last fault was asked for or cleared; a
// fault happens once, and connections that come after it pass. Listens on a free port of 127.0.0.1.
// Threads: has one of its own, which ends with the object; `act` is called there. Calls are for one thread.

#ifndef FLOWACCT_SINK_TESTING_FAULT_PROXY_H_
#define FLOWACCT_SINK_TESTING_FAULT_PROXY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace flowacct::sink {

class FaultProxy {
 public:
  enum Direction { kToServer, kToClient };

  // Null: there is no port to be had. The server need not be there.
  static std::unique_ptr<FaultProxy> Start(std::string host, int port);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  int port() const { return port_; }

  // After so many octets `act` is called, if there is one, and then all connections are cut.
  void CutAfter(Direction direction, uint64_t octets, std::function<void()> act = nullptr);
  // After so many octets nothing passes any more, in either direction, and nobody is told.
  void StallAfter(Direction direction, uint64_t octets);
  // So many octets a millisecond, connection and direction.
  void Slow(size_t octets);
  // Whole again. Connections that stalled are cut, so that what was held back never passes.
  void Clear();

  // Whether the fault has happened; waits for it so long.
  bool WaitForFault(absl::Duration time);
  uint64_t passed(Direction direction) const;

 private:
  enum class Fault { kNone, kCut, kStall, kStalled };
  struct Pair {
    int sockets[2] = {-1, -1};  // the server's, the client's: where octets of each Direction go
    bool connected = false;
    bool ended[2] = {false, false};  // no more octets go there
    std::string held[2];             // on their way there
  };

  FaultProxy(std::string host, int port) : host_(std::move(host)), target_(port) {}
  void Arm(Fault fault, Direction direction, uint64_t octets, std::function<void()> act);
  void Wake();
  void Run();
  void Accept();
  // False: the pair is at its end.
  bool Pump(Pair* pair, Direction direction);
  bool Due() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Close(Pair* pair);

  const std::string host_;
  const int target_;
  int port_ = 0;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::list<Pair> pairs_;  // the thread's

  mutable absl::Mutex mutex_;
  Fault fault_ ABSL_GUARDED_BY(mutex_) = Fault::kNone;
  Direction direction_ ABSL_GUARDED_BY(mutex_) = kToServer;
  uint64_t limit_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> act_ ABSL_GUARDED_BY(mutex_);
  std::array<uint64_t, 2> passed_ ABSL_GUARDED_BY(mutex_) = {};
  size_t slow_ ABSL_GUARDED_BY(mutex_) = 0;
  bool happened_ ABSL_GUARDED_BY(mutex_) = false;
  bool cut_all_ ABSL_GUARDED_BY(mutex_) = false;
  bool end_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_TESTING_FAULT_PROXY_H_
