// What a configuration says of questions: those that it has, and which of its sinks can be asked, by what names.
//
// The credentials are the sink's own. Errors: NotFound for a name that is not there, with those that there are; of the
// stores. Threads: any.

#ifndef FLOWACCT_COLLECTOR_SERVER_QUESTION_STORES_H_
#define FLOWACCT_COLLECTOR_SERVER_QUESTION_STORES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/config/config.pb.h"
#include "flowacct/collector/server/store_sinks.h"

namespace flowacct::collector {

inline constexpr absl::string_view kMemoryStore = "memory";

// The text of a saved question.
absl::StatusOr<std::string> SavedQuestionOf(const config::Config& config, absl::string_view name);

// A sink that can be asked.
struct NamedStore {
  const config::Pipeline* pipeline = nullptr;
  const config::Sink* sink = nullptr;
  std::string kind;   // "sqlite"
  std::string table;  // that it writes
};
// Those that the name is of (WrittenQuestion::store), or all if it is empty, in the configuration's order.
std::vector<NamedStore> StoresOf(const config::Config& config, absl::string_view name);

// The sink that WrittenQuestion::store names; null: the memory sinks.
absl::StatusOr<const config::Sink*> ChooseStore(const config::Config& config, absl::string_view name);
// As a sink that is not memory.
// What it answers with: OpenStore (store_sinks.h).

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_QUESTION_STORES_H_
