// The stores that there are, one row each: how the program and the collector make what writes into one and what answers
// from it, from a text that names a place.
//
//     sqlite:flows.db    postgresql:host=db.example dbname=flows    clickhouse:http://ch.example:8123/flows
//
// Threads: any. Errors: InvalidArgument for a place that cannot be, in one line with what may; the store's own.

#ifndef FLOWACCT_COLLECTOR_STORES_STORE_KIND_H_
#define FLOWACCT_COLLECTOR_STORES_STORE_KIND_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::collector {

// Where a store is. What a kind has no use for is empty.
struct StorePlace {
  std::string place;  // a path, a connection string, a URL
  std::string database, user;
  std::string password_file;
  std::string ca_file;
  std::string cluster;
  absl::Duration timeout = absl::Seconds(30);
  uint64_t max_octets = 0;  // 0: no bound
};

struct StoreKind {
  absl::string_view name;   // "sqlite"
  bool is_file;             // its place is a path
  absl::string_view place;  // what a place looks like, for help and errors: "FILE"
  absl::StatusOr<std::unique_ptr<sink::StoreSink>> (*new_sink)(const StorePlace& place, sink::StoreOptions options);
  absl::StatusOr<std::unique_ptr<query::GroupStore>> (*open)(const StorePlace& place);
};

absl::Span<const StoreKind> StoreKinds();
// Null: there is none of that name.
const StoreKind* FindStoreKind(absl::string_view name);

struct StoreAt {
  const StoreKind* kind = nullptr;
  StorePlace place;
};
// "KIND:PLACE".
absl::StatusOr<StoreAt> ParseStore(absl::string_view text);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_STORES_STORE_KIND_H_
