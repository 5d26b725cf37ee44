// The real servers of stores, as tests of the whole start them: one after another, or all, by the names of
// store_kind.h. For tests and benchmarks. Threads: one at a time.

#ifndef FLOWACCT_COLLECTOR_STORES_TESTING_STORE_SERVER_H_
#define FLOWACCT_COLLECTOR_STORES_TESTING_STORE_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/collector/stores/store_kind.h"

namespace flowacct::collector {

class StoreServer {
 public:
  virtual ~StoreServer() = default;
  // Where a client finds it.
  virtual StorePlace place() const = 0;
  // As a sink of a configuration says it: postgresql { connection: "..." }.
  virtual std::string sink_text() const = 0;
  // To stop and to continue (SIGSTOP, SIGCONT), with all that it made; 0: it has no process (SQLite).
  virtual pid_t pid() const = 0;
};

// Null with the reason in `why`: it is not installed, or does not start. `folder`: for a store that is a file.
std::unique_ptr<StoreServer> StartStoreServer(absl::string_view kind, const std::string& folder, std::string* why);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_STORES_TESTING_STORE_SERVER_H_
