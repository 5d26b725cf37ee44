#include "tools/flowacct/store_option.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/stores/store_kind.h"

namespace flowacct::tools {
namespace {

absl::StatusOr<collector::StoreAt> Parse(const std::string& store) {
  absl::StatusOr<collector::StoreAt> named = collector::ParseStore(store);
  if (!named.ok()) return absl::InvalidArgumentError(absl::StrCat("--store: ", named.status().message()));
  return named;
}

}  // namespace

absl::StatusOr<std::unique_ptr<sink::StoreSink>> NewStoreSink(const std::string& store, sink::StoreOptions options) {
  const auto named = Parse(store);
  if (!named.ok()) return named.status();
  return named->kind->new_sink(named->place, std::move(options));
}

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenStore(const std::string& store) {
  const auto named = Parse(store);
  if (!named.ok()) return named.status();
  return named->kind->open(named->place);
}

std::string StorePlaces() {
  std::string places;
  for (const collector::StoreKind& kind : collector::StoreKinds()) {
    absl::StrAppend(&places, places.empty() ? "" : ", ", kind.name, ":", kind.place);
  }
  return places;
}

}  // namespace flowacct::tools
