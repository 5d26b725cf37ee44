// A filter as conditions of $match, and what is left of it for our side.
//
// The conditions that MongoDB can evaluate as they are meant go to the server. The rest (what is within AS paths,
// communities and labels, and wide masks of bits) is evaluated here: the question also groups by the columns of that
// part, whatever they are, and each group passes or not. Of conditions joined by `and` each goes its own way; what `or`
// or `not` joins with one for our side is evaluated here with it.
//
// Guaranteed: absent is not zero, as filter.h has it; texts and octets are compared as values, whatever is in them.
// Ownership: borrows columns and program. Threads: one at a time. Errors: NotFound for a field that is no key.

#ifndef FLOWACCT_SINK_MONGODB_FILTER_MATCH_H_
#define FLOWACCT_SINK_MONGODB_FILTER_MATCH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/filter/program.h"
#include "flowacct/filter/route_pattern.h"
#include "flowacct/record/field.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/mongodb/document.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::mongodb {

const sql::Column* KeyColumn(absl::Span<const sql::Column> columns, record::FieldId field);

class FilterMatch {
 public:
  static absl::StatusOr<FilterMatch> New(absl::string_view table, absl::Span<const sql::Column> columns,
                                         const filter::Program& program);

  // All of them are to hold; each is what $match takes.
  const std::vector<Document>& conditions() const { return conditions_; }
  // What Passes looks at; empty: it need not be called.
  const std::vector<const sql::Column*>& columns() const { return needed_; }
  // Values of columns().
  bool Passes(absl::Span<const record::StoredValue> values);

 private:
  struct Node {
    filter::Operator op;
    uint32_t condition;
    std::vector<size_t> children;
  };

  FilterMatch(absl::string_view table, absl::Span<const sql::Column> columns, const filter::Program& program)
      : table_(table), columns_(columns), program_(&program) {}
  absl::Status Compile();
  // Nothing if it is for our side.
  std::optional<Document> CompileNode(const Node& node);
  std::optional<Document> CompileCondition(const filter::Condition& condition);
  // Notes the columns that a node looks at.
  void Need(const Node& node);
  bool Holds(const Node& node, absl::Span<const record::StoredValue> values);
  bool Holds(const filter::Condition& condition, absl::Span<const record::StoredValue> values);
  size_t Place(record::FieldId field) const;
  const sql::Column* Find(record::FieldId field);

  std::string table_;
  absl::Span<const sql::Column> columns_;
  const filter::Program* program_;
  std::vector<Node> nodes_;
  std::vector<size_t> here_;  // nodes
  std::vector<Document> conditions_;
  std::vector<const sql::Column*> needed_;
  filter::RoutePattern::Scratch scratch_;
  absl::Status status_;
};

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_FILTER_MATCH_H_
