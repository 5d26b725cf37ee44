// What every store must live through with nothing lost and nothing counted twice: one suite of faults for all of them.
//
//     StoreUnderTest store;
//     store.name = "postgresql"; store.port = ...; store.start = ...; store.make_sink = ...; store.open_store = ...;
//     TEST_F(..., ServerKilled) { ExpectSurvivesServerKills(store); }   // and so on, a test for each function
//
// Each function accounts batches into a table of its own (the pipeline of their identity), some of them late, meets
// them with its fault, and repeats each batch until it is taken, as the collector does. Afterwards the store, and each
// rollup that it keeps of the table, must tell the same sums by all keys and by time as query::MemoryStore does of the
// same batches. One column counts the rows, so that the rows are equal as well.
//
// Threads: one at a time; a function forks only while there is no thread of the suite's own. Errors: as failures of
// gtest. Cost: some seconds each, most of it the server's restarts.

#ifndef FLOWACCT_SINK_TESTING_STORE_FAULTS_H_
#define FLOWACCT_SINK_TESTING_STORE_FAULTS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::sink {

struct StoreUnderTest {
  std::string name;
  // The server, which is up when a function begins and when it ends. A store in a file has none of these, and only
  // ExpectSurvivesWriterKills is for it.
  std::string host = "127.0.0.1";  // digits
  int port = 0;
  std::function<bool()> start;        // after `kill`; true once it answers
  std::function<void()> kill;         // all its processes, with SIGKILL; they are gone when it returns
  std::function<void()> stop, go_on;  // SIGSTOP and SIGCONT, all its processes
  // A new sink that writes there, with the table from the batch's identity. Rollups are welcome.
  std::function<absl::StatusOr<std::unique_ptr<StoreSink>>(const std::string& host, int port, absl::Duration timeout)>
      make_sink;
  // To ask what is there, not through the proxy.
  std::function<absl::StatusOr<std::unique_ptr<query::GroupStore>>()> open_store;
};

// What happened, for tests that want to know that enough did.
struct FaultCounts {
  int faults = 0;        // that met a batch: it was refused, or the writer of it was killed
  uint64_t skipped = 0;  // batches that a sink says it found there when it wrote them again
};

// The server is killed in the middle of a batch, between its first octet and its last, and started again.
FaultCounts ExpectSurvivesServerKills(const StoreUnderTest& store, int times = 50);
// Nobody answers when the sink is made and first written to, and then somebody does.
FaultCounts ExpectSurvivesAbsence(const StoreUnderTest& store);
// Octets trickle: slower than a batch is to be, yet within the timeout; and slower than that.
FaultCounts ExpectSurvivesSlowness(const StoreUnderTest& store);
// The connection is cut after N octets in either direction, N over a whole batch from the first octet of the
// connection on: of a table that is there, so many places; and while the table is made, a third of them more. The last
// places are when all of the commit was sent and nothing of its answer has come, and within that answer.
FaultCounts ExpectSurvivesCuts(const StoreUnderTest& store, int places = 60);
// The process that writes is killed.
FaultCounts ExpectSurvivesWriterKills(const StoreUnderTest& store, int times = 50);
// The server hangs, whole or in the middle of a batch: Unavailable within the timeout, and it goes on afterwards.
FaultCounts ExpectSurvivesHangs(const StoreUnderTest& store);

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_TESTING_STORE_FAULTS_H_
