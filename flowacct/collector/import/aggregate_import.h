// pmacct's `aggregate`: its primitives as our key and values.

#ifndef FLOWACCT_COLLECTOR_IMPORT_AGGREGATE_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_AGGREGATE_IMPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/import/config_writer.h"
#include "flowacct/collector/import/import_context.h"
#include "flowacct/record/custom_fields.h"

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
  // The fields of one's own that aggregates named, once all were asked for.
  void WriteCustomFields(ConfigWriter* out) const;

 private:
  // Of aggregate_primitives.
  struct Primitive {
    std::string field;                  // the registry's field that it is; empty: none
    record::CustomFieldOptions custom;  // else
    std::string why_not;                // not empty: it can be neither
    bool used = false;
  };

  void ReadPrimitives();
  std::string CustomFieldOf(const Statement* statement, absl::string_view name, Primitive* primitive);
  // The field of a primitive; empty, and said, if there is none.
  std::string FieldOf(const Statement* statement, absl::string_view primitive);
  // "src_addr/24,24" if networks are cut by a mask.
  std::string NetworkOf(const Plugin& plugin, absl::string_view side);

  ImportContext* context_;
  absl::flat_hash_map<std::string, Primitive> primitives_;  // by name
  std::vector<record::CustomFieldOptions> used_;            // in the order in which they were asked for
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_AGGREGATE_IMPORT_H_
