// pmacct's `aggregate`: its primitives as our key and values.

#ifndef FLOWACCT_COLLECTOR_IMPORT_AGGREGATE_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_AGGREGATE_IMPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/import/import_context.h"

namespace flowacct::collector {

// A pipeline's key and values.
struct ImportedAggregate {
  std::vector<std::string> by;  // as in aggregate/key_spec.h
  bool flows = false;           // flows are counted, too
  // Of sum_host and its like, which sum both directions: the fields of one and of the other; else empty.
  std::string source, destination;

  std::string By(absl::string_view instead_of_two = "") const;
};

class AggregateImport {
 public:
  explicit AggregateImport(ImportContext* context);

  // `unless_told`: primitives where the plugin has no `aggregate`.
  ImportedAggregate Of(const Plugin& plugin, absl::string_view unless_told);

 private:
  void ReadPrimitives();
  // The field of a primitive; empty, and said, if there is none.
  std::string FieldOf(const Statement* statement, absl::string_view primitive);
  // "src_addr/24,24" if networks are cut by a mask.
  std::string NetworkOf(const Plugin& plugin, absl::string_view side);

  ImportContext* context_;
  // aggregate_primitives: name to field.
  absl::flat_hash_map<std::string, std::string> custom_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_AGGREGATE_IMPORT_H_
