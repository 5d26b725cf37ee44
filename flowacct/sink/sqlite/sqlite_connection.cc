#include "flowacct/sink/sqlite/sqlite_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"
#include "flowacct/sink/sql/route_text.h"

namespace flowacct::sink::sqlite {
namespace {

using sql::Cell;

// Answers of flowacct_route that are kept a condition; paths and communities are few, and asked row by row.
constexpr size_t kMaxAnswers = 65536;

Cell CellOf(sqlite3_stmt* statement, int column) {
  Cell cell;
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      cell.kind = Cell::Kind::kInteger;
      cell.integer = sqlite3_column_int64(statement, column);
      break;
    case SQLITE_BLOB:
      cell.kind = Cell::Kind::kOctets;
      cell.octets = absl::string_view(static_cast<const char*>(sqlite3_column_blob(statement, column)),
                                      static_cast<size_t>(sqlite3_column_bytes(statement, column)));
      break;
    case SQLITE_NULL:
      break;
    default:
      cell.kind = Cell::Kind::kText;
      cell.octets = absl::string_view(reinterpret_cast<const char*>(sqlite3_column_text(statement, column)),
                                      static_cast<size_t>(sqlite3_column_bytes(statement, column)));
  }
  return cell;
}

int BindParameter(sqlite3_stmt* statement, int index, const sql::Parameter& parameter) {
  // A null pointer would be NULL.
  const char* const octets = parameter.octets.empty() ? "" : parameter.octets.data();
  switch (parameter.kind) {
    case Cell::Kind::kInteger:
      return sqlite3_bind_int64(statement, index, parameter.integer);
    case Cell::Kind::kOctets:
      return sqlite3_bind_blob64(statement, index, octets, parameter.octets.size(), SQLITE_STATIC);
    case Cell::Kind::kText:
      return sqlite3_bind_text64(statement, index, octets, parameter.octets.size(), SQLITE_STATIC, SQLITE_UTF8);
    case Cell::Kind::kNull:
      break;
  }
  return sqlite3_bind_null(statement, index);
}

}  // namespace

absl::Status SqliteConnection::Error(int code, absl::string_view doing) const {
  const std::string text = absl::StrCat("sqlite ", path_, ": ", doing, ": ",
                                        database_ != nullptr ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:  // was asked a hundred times
      return absl::UnavailableError(absl::StrCat(text, "; another program writes it: try again"));
    case SQLITE_IOERR:
      return absl::UnavailableError(absl::StrCat(text, "; see what the system says of the disk"));
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(absl::StrCat(text, "; make room, or set a retention"));
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return absl::ResourceExhaustedError(text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(absl::StrCat(text, "; move the file away, and see \".recover\" of sqlite3"));
    case SQLITE_CANTOPEN:
      return absl::NotFoundError(absl::StrCat(text, "; see that its folder is there and may be written"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(text);
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return absl::FailedPreconditionError(text);
    case SQLITE_INTERRUPT:
      return absl::CancelledError(text);
    default:
      return absl::InternalError(text);
  }
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path, bool writes,
                                                                         absl::Duration busy_timeout) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("sqlite: path is empty; name a file");
  }
  auto connection = std::unique_ptr<SqliteConnection>(new SqliteConnection());
  connection->path_ = path;
  sqlite3* opened = nullptr;
  const int flags = (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  connection->database_.reset(opened);
  if (code != SQLITE_OK) return connection->Error(code, "cannot be opened");
  connection->busy_milliseconds_ =
      static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(busy_timeout), 0, INT32_MAX));
  sqlite3_busy_timeout(opened, connection->busy_milliseconds_);
  // A file that somebody else made is no program.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  if (absl::Status status = connection->AddFunctions(); !status.ok()) return status;
  return connection;
}

absl::Status SqliteConnection::AddFunctions() {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DIRECTONLY | SQLITE_DETERMINISTIC;
  int code = sqlite3_create_function_v2(database_.get(), "flowacct_route", 2, kFlags, &routes_, RouteFunction, nullptr,
                                        nullptr, nullptr);
  if (code == SQLITE_OK) {
    code = sqlite3_create_function_v2(database_.get(), "flowacct_network", 3, kFlags, nullptr, NetworkFunction, nullptr,
                                      nullptr, nullptr);
  }
  return code == SQLITE_OK ? absl::OkStatus() : Error(code, "functions");
}

void SqliteConnection::set_program(const filter::Program* program) {
  routes_.program = program;
  routes_.answers.clear();
  if (program != nullptr) routes_.answers.resize(program->conditions.size());
}

void SqliteConnection::set_stop(const std::atomic<bool>* stop) {
  // Some thousand steps of its machine take well below a millisecond.
  constexpr int kSteps = 10000;
  const auto asks = [](void* of) {
    return static_cast<const std::atomic<bool>*>(of)->load(std::memory_order_relaxed) ? 1 : 0;
  };
  if (stop == nullptr) {
    sqlite3_progress_handler(database_.get(), 0, nullptr, nullptr);
  } else {
    sqlite3_progress_handler(database_.get(), kSteps, asks, const_cast<std::atomic<bool>*>(stop));
  }
}

void SqliteConnection::RouteFunction(sqlite3_context* context, int count, sqlite3_value** values) {
  Routes& routes = *static_cast<Routes*>(sqlite3_user_data(context));
  const int64_t index = sqlite3_value_int64(values[0]);
  if (count != 2 || routes.program == nullptr || index < 0 ||
      static_cast<size_t>(index) >= routes.program->conditions.size() || sqlite3_value_type(values[1]) != SQLITE_TEXT) {
    return sqlite3_result_null(context);
  }
  const auto* const octets = reinterpret_cast<const char*>(sqlite3_value_text(values[1]));
  const absl::string_view text(octets, static_cast<size_t>(sqlite3_value_bytes(values[1])));
  auto& answers = routes.answers[static_cast<size_t>(index)];
  auto at = answers.find(text);
  if (at == answers.end()) {
    if (answers.size() >= kMaxAnswers) answers.clear();
    const filter::Answer answer =
        sql::AskRoute(routes.program->conditions[static_cast<size_t>(index)], text, &routes.scratch);
    const int8_t kept = answer == filter::Answer::kNone ? -1 : answer == filter::Answer::kYes ? 1 : 0;
    at = answers.emplace(std::string(text), kept).first;
  }
  if (at->second < 0) return sqlite3_result_null(context);
  sqlite3_result_int(context, at->second);
}

// flowacct_network(address or prefix, length of IPv4, of IPv6): the prefix.
void SqliteConnection::NetworkFunction(sqlite3_context* context, int count, sqlite3_value** values) {
  const int size = sqlite3_value_bytes(values[0]);
  if (count != 3 || sqlite3_value_type(values[0]) != SQLITE_BLOB || (size != 16 && size != 17)) {
    return sqlite3_result_null(context);
  }
  uint8_t octets[17];
  std::memcpy(octets, sqlite3_value_blob(values[0]), static_cast<size_t>(size));
  const base::IpAddress address = base::IpAddress::FromV6(octets);
  int length = sqlite3_value_int(values[address.IsV4() ? 1 : 2]);
  if (size == 17) length = std::min<int>(length, octets[16]);
  const base::IpPrefix prefix(address, static_cast<uint8_t>(std::clamp(length, 0, 128)));
  std::memcpy(octets, prefix.address().data(), 16);
  octets[16] = prefix.length();
  sqlite3_result_blob(context, octets, 17, SQLITE_TRANSIENT);
}

absl::StatusOr<PreparedStatement> SqliteConnection::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return Error(code, "a statement");
  return PreparedStatement(statement);
}

absl::Status SqliteConnection::Query(const sql::Statement& statement,
                                     absl::FunctionRef<bool(absl::Span<const Cell>)> tell) {
  absl::StatusOr<PreparedStatement> prepared = Prepare(statement.sql);
  if (!prepared.ok()) return prepared.status();
  sqlite3_stmt* const s = prepared->get();
  for (size_t i = 0; i < statement.parameters.size(); ++i) {
    const int code = BindParameter(s, static_cast<int>(i + 1), statement.parameters[i]);
    if (code != SQLITE_OK) return Error(code, "a value");
  }
  std::vector<Cell> cells(static_cast<size_t>(sqlite3_column_count(s)));
  while (true) {
    const int code = sqlite3_step(s);
    if (code == SQLITE_DONE) return absl::OkStatus();
    if (code != SQLITE_ROW) return Error(code, "a statement");
    for (size_t i = 0; i < cells.size(); ++i) cells[i] = CellOf(s, static_cast<int>(i));
    if (!tell(cells)) return absl::OkStatus();
  }
}

absl::StatusOr<uint64_t> SqliteConnection::Execute(const sql::Statement& statement) {
  if (absl::Status status = Query(statement, [](absl::Span<const Cell>) { return true; }); !status.ok()) return status;
  return changed();
}

absl::Status SqliteConnection::Run(absl::string_view sql) { return Execute({std::string(sql), {}}).status(); }

absl::Status SqliteConnection::UseWal() {
  constexpr absl::string_view kWal = "PRAGMA journal_mode = WAL";
  constexpr int kLongestPause = 50;          // ms
  sqlite3_busy_timeout(database_.get(), 0);  // it is waited here alone
  absl::Status status = Run(kWal);
  for (int waited = 0, pause = 1; absl::IsUnavailable(status) && waited < busy_milliseconds_; status = Run(kWal)) {
    waited += std::max(sqlite3_sleep(std::min(pause, busy_milliseconds_ - waited)), 1);
    pause = std::min(2 * pause, kLongestPause);
  }
  sqlite3_busy_timeout(database_.get(), busy_milliseconds_);
  return status;
}

absl::StatusOr<int64_t> SqliteConnection::Number(absl::string_view sql) {
  int64_t number = 0;
  absl::Status status = Query({std::string(sql), {}}, [&](absl::Span<const Cell> cells) {
    number = cells[0].integer;
    return true;
  });
  if (!status.ok()) return status;
  return number;
}

// A transaction that writes says so at once, so that it waits for others before it has read anything.
absl::Status SqliteConnection::Begin(bool writes) { return Run(writes ? "BEGIN IMMEDIATE" : "BEGIN"); }

absl::Status SqliteConnection::Commit() { return Run("COMMIT"); }

void SqliteConnection::Rollback() {
  // Some errors have ended it already.
  if (sqlite3_get_autocommit(database_.get()) == 0) Run("ROLLBACK").IgnoreError();
}

absl::StatusOr<std::vector<sql::ExistingColumn>> SqliteConnection::Columns(absl::string_view table) {
  std::vector<sql::ExistingColumn> columns;
  absl::Status status =
      Query({"SELECT name, type FROM pragma_table_info(?)", {sql::Text(table)}}, [&](absl::Span<const Cell> cells) {
        sql::ExistingColumn column;
        column.name = std::string(cells[0].octets);
        column.type = std::string(cells[1].octets);
        for (const auto form : {record::StoredForm::kInteger, record::StoredForm::kOctets, record::StoredForm::kText}) {
          if (absl::AsciiStrToUpper(column.type) != sql::ColumnType(dialect(), form)) continue;
          column.known_form = true;
          column.form = form;
        }
        columns.push_back(std::move(column));
        return true;
      });
  if (!status.ok()) return status;
  return columns;
}

}  // namespace flowacct::sink::sqlite
