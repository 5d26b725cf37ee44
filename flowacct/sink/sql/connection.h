// What a SQL store is to those who share the work on it: statements go in, cells come out.
//
// Threads: one call at a time. Errors: Unavailable where it is worth to try again, ResourceExhausted for a full disk,
// FailedPrecondition, DataLoss, Internal; texts have the store's message and no values. After an error within a
// transaction only Rollback is called.

#ifndef FLOWACCT_SINK_SQL_CONNECTION_H_
#define FLOWACCT_SINK_SQL_CONNECTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/statement.h"

namespace flowacct::sink::sql {

struct ExistingColumn {
  std::string name;
  std::string type;         // as the store has it, for error texts
  bool known_form = false;  // whether it is one of those that are written
  record::StoredForm form = record::StoredForm::kInteger;
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual const Dialect& dialect() const = 0;
  // Tells each row; cells are valid for the call. `tell` returns false to stop, which is no error.
  virtual absl::Status Query(const Statement& statement, absl::FunctionRef<bool(absl::Span<const Cell>)> tell) = 0;
  // How many rows it wrote, changed or removed.
  virtual absl::StatusOr<uint64_t> Execute(const Statement& statement) = 0;
  // A transaction that writes, or one that reads and sees the same state throughout.
  virtual absl::Status Begin(bool writes) = 0;
  virtual absl::Status Commit() = 0;
  virtual void Rollback() = 0;
  // Of a table or view; empty: there is none.
  virtual absl::StatusOr<std::vector<ExistingColumn>> Columns(absl::string_view table) = 0;
};

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_CONNECTION_H_
