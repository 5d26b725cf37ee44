// Stores as a person names them: "sqlite:flows.db", "postgresql:host=db.example dbname=flows".

#ifndef TOOLS_FLOWACCT_STORE_OPTION_H_
#define TOOLS_FLOWACCT_STORE_OPTION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::tools {

// What writes there.
absl::StatusOr<std::unique_ptr<sink::StoreSink>> NewStoreSink(const std::string& store, sink::StoreOptions options);

// What answers from there. `store` as above; InvalidArgument begins with "--store".
absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenStore(const std::string& store);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_STORE_OPTION_H_
