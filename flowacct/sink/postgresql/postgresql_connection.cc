#include "flowacct/sink/postgresql/postgresql_connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/octets.h"
#include "flowacct/sink/password.h"

namespace flowacct::sink::postgresql {
namespace {

using absl::StatusCode;
using sql::Cell;

// pg_type.dat
constexpr Oid kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25;

// PostgreSQL's manual, appendix A: the longest prefix of a SQLSTATE that is here.
struct State {
  absl::string_view prefix;
  StatusCode code;
  absl::string_view hint;
};
constexpr State kStates[] = {
    {"08", StatusCode::kUnavailable, ""},
    {"22", StatusCode::kInvalidArgument, ""},
    {"23505", StatusCode::kUnavailable, "another made the same at this moment"},
    {"23", StatusCode::kFailedPrecondition, ""},
    {"25", StatusCode::kFailedPrecondition, ""},
    {"28", StatusCode::kPermissionDenied, "see user, password_file and the server's pg_hba.conf"},
    {"3D000", StatusCode::kFailedPrecondition, "make it: CREATE DATABASE"},
    {"40", StatusCode::kUnavailable, ""},
    {"42501", StatusCode::kPermissionDenied, "let the user do it: GRANT"},
    {"42P07", StatusCode::kUnavailable, "another made the same at this moment"},
    {"42", StatusCode::kFailedPrecondition, ""},
    {"53100", StatusCode::kResourceExhausted, "make room on the server's disk, or set a retention"},
    {"53300", StatusCode::kUnavailable, ""},
    {"53", StatusCode::kResourceExhausted, ""},
    {"54", StatusCode::kResourceExhausted, ""},
    {"55P03", StatusCode::kUnavailable, ""},
    {"57", StatusCode::kUnavailable, ""},
    {"58", StatusCode::kUnavailable, "see the server's log"},
    {"XX001", StatusCode::kDataLoss, "see the server's log"},
    {"XX002", StatusCode::kDataLoss, "see the server's log"},
};

absl::string_view Trimmed(const char* text) {
  return absl::StripAsciiWhitespace(text == nullptr ? absl::string_view() : absl::string_view(text));
}

int64_t LoadInteger(const char* octets, int size) {
  const auto* const p = reinterpret_cast<const uint8_t*>(octets);
  switch (size) {
    case 1:
      return *p;
    case 2:
      return static_cast<int16_t>(base::LoadBe16(p));
    case 4:
      return static_cast<int32_t>(base::LoadBe32(p));
    default:
      return static_cast<int64_t>(base::LoadBe64(p));
  }
}

Cell CellOf(const PGresult* result, int row, int column) {
  Cell cell;
  if (PQgetisnull(result, row, column) != 0) return cell;
  const char* const value = PQgetvalue(result, row, column);
  const int length = PQgetlength(result, row, column);
  switch (PQftype(result, column)) {
    case kBool:
    case kInt2:
    case kInt4:
    case kInt8:
      cell.kind = Cell::Kind::kInteger;
      cell.integer = LoadInteger(value, length);
      break;
    case kBytea:
      cell.kind = Cell::Kind::kOctets;
      cell.octets = absl::string_view(value, static_cast<size_t>(length));
      break;
    default:
      cell.kind = Cell::Kind::kText;
      cell.octets = absl::string_view(value, static_cast<size_t>(length));
  }
  return cell;
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresqlConnection>> PostgresqlConnection::New(ConnectionOptions options) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(options.conninfo.c_str(), &error));
  if (parsed == nullptr) {
    // libpq's text may repeat a part of what was given.
    PQfreemem(error);
    return absl::InvalidArgumentError(
        "postgresql: conninfo is not understood; write it as \"host=db.example dbname=flows user=flowacct\"");
  }
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (absl::string_view(option->keyword) == "password" && option->val != nullptr && *option->val != '\0') {
      return absl::InvalidArgumentError(
          "postgresql: conninfo has a password; put it into a file that password_file names, or into PGPASSWORD");
    }
  }
  if (options.timeout < absl::Milliseconds(1)) {
    return absl::InvalidArgumentError("postgresql: timeout: a time above a millisecond");
  }
  return std::unique_ptr<PostgresqlConnection>(new PostgresqlConnection(std::move(options)));
}

absl::Status PostgresqlConnection::Lost(absl::string_view doing) {
  const std::string why = connection_ == nullptr ? "" : std::string(Trimmed(PQerrorMessage(connection_.get())));
  connection_.reset();
  return absl::UnavailableError(absl::StrCat("postgresql: ", doing, why.empty() ? "" : ": ", why));
}

absl::Status PostgresqlConnection::Error(const PGresult* result) {
  const absl::string_view state = Trimmed(PQresultErrorField(result, PG_DIAG_SQLSTATE));
  if (state.empty()) return Lost("the connection was lost");
  const State* found = nullptr;
  for (const State& s : kStates) {
    if (absl::StartsWith(state, s.prefix) && (found == nullptr || s.prefix.size() > found->prefix.size())) found = &s;
  }
  const std::string text =
      absl::StrCat("postgresql: ", Trimmed(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)), " (", state, ")",
                   found == nullptr || found->hint.empty() ? "" : "; ", found == nullptr ? "" : found->hint);
  return absl::Status(found == nullptr ? StatusCode::kInternal : found->code, text);
}

absl::Status PostgresqlConnection::Wait(short events) {
  const absl::Time deadline = absl::Now() + options_.timeout;
  while (true) {
    pollfd poll_fd = {PQsocket(connection_.get()), events, 0};
    const int64_t left = std::clamp<int64_t>(absl::ToInt64Milliseconds(deadline - absl::Now()), 0, INT32_MAX);
    const int ready = poll(&poll_fd, 1, static_cast<int>(left));
    if (ready > 0) return absl::OkStatus();
    if (ready == 0) {
      return Lost(absl::StrCat("the server said nothing for ", absl::FormatDuration(options_.timeout)));
    }
    if (errno != EINTR) return Lost("the connection failed");
  }
}

absl::Status PostgresqlConnection::Connect() {
  connection_.reset();
  std::string password;
  std::vector<const char*> names = {"dbname"}, values = {options_.conninfo.c_str()};  // the first is expanded
  const auto add = [&](const char* name, const char* value) {
    names.push_back(name);
    values.push_back(value);
  };
  if (!options_.password_file.empty()) {
    absl::StatusOr<std::string> read = ReadPassword("postgresql: password_file", options_.password_file, nullptr);
    if (!read.ok()) return read.status();
    password = *std::move(read);
    add("password", password.c_str());
  }
  add("client_encoding", "UTF8");
  add("fallback_application_name", "flowacct");
  add(nullptr, nullptr);
  connection_.reset(PQconnectStartParams(names.data(), values.data(), /*expand_dbname=*/1));
  if (connection_ == nullptr || PQstatus(connection_.get()) == CONNECTION_BAD) return Lost("cannot connect");
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  // PQconnectPoll says what to wait for; before its first call, to write.
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) {
      const absl::string_view why = Trimmed(PQerrorMessage(connection_.get()));
      const bool refused = absl::StrContains(why, "authentication failed") || absl::StrContains(why, "no password") ||
                           absl::StrContains(why, "pg_hba.conf");
      absl::Status lost = Lost("cannot connect");
      if (!refused) return lost;
      return absl::PermissionDeniedError(
          absl::StrCat(lost.message(), "; see user, password_file and the server's pg_hba.conf"));
    }
    if (absl::Status status = Wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT); !status.ok()) return status;
    state = PQconnectPoll(connection_.get());
  }
  if (PQsetnonblocking(connection_.get(), 1) != 0) return Lost("cannot connect");
  for (const std::string& setting :
       {absl::StrCat("SET statement_timeout = ",
                     std::clamp<int64_t>(absl::ToInt64Milliseconds(options_.timeout), 1, INT32_MAX)),
        std::string("SET standard_conforming_strings = on")}) {
    if (absl::Status status = Run(setting); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PostgresqlConnection::Flush() {
  while (true) {
    const int left = PQflush(connection_.get());
    if (left == 0) return absl::OkStatus();
    if (left < 0) return Lost("the connection was lost");
    // The server may be waiting for its own words to be read.
    if (absl::Status status = Wait(POLLOUT | POLLIN); !status.ok()) return status;
    if (PQconsumeInput(connection_.get()) == 0) return Lost("the connection was lost");
  }
}

absl::Status PostgresqlConnection::Send(const sql::Statement& statement) {
  if (connection_ == nullptr) return Lost("there is no connection");
  const size_t count = statement.parameters.size();
  std::vector<Oid> types(count);
  std::vector<const char*> values(count);
  std::vector<int> lengths(count), formats(count, 1);
  std::vector<std::string> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    const sql::Parameter& parameter = statement.parameters[i];
    values[i] = parameter.octets.c_str();
    lengths[i] = static_cast<int>(parameter.octets.size());
    switch (parameter.kind) {
      case Cell::Kind::kInteger:
        types[i] = kInt8;
        numbers[i].resize(8);
        base::StoreBe64(reinterpret_cast<uint8_t*>(&numbers[i][0]), static_cast<uint64_t>(parameter.integer));
        values[i] = numbers[i].data();
        lengths[i] = 8;
        break;
      case Cell::Kind::kOctets:
        types[i] = kBytea;
        break;
      case Cell::Kind::kText:
        types[i] = kText;
        break;
      case Cell::Kind::kNull:
        values[i] = nullptr;
        break;
    }
  }
  if (PQsendQueryParams(connection_.get(), statement.sql.c_str(), static_cast<int>(count), types.data(), values.data(),
                        lengths.data(), formats.data(), /*resultFormat=*/1) == 0) {
    return Lost("the connection was lost");
  }
  return Flush();
}

absl::StatusOr<PostgresqlConnection::Result> PostgresqlConnection::Next() {
  while (PQisBusy(connection_.get()) != 0) {
    if (absl::Status status = Wait(POLLIN); !status.ok()) return status;
    if (PQconsumeInput(connection_.get()) == 0) return Lost("the connection was lost");
  }
  return Result(PQgetResult(connection_.get()));
}

absl::Status PostgresqlConnection::Query(const sql::Statement& statement,
                                         absl::FunctionRef<bool(absl::Span<const Cell>)> tell) {
  changed_ = 0;
  if (absl::Status status = Send(statement); !status.ok()) return status;
  PQsetSingleRowMode(connection_.get());
  absl::Status status;
  bool more = true;
  std::vector<Cell> cells;
  while (true) {
    absl::StatusOr<Result> result = Next();
    if (!result.ok()) return result.status();
    if (*result == nullptr) return status;
    switch (PQresultStatus(result->get())) {
      case PGRES_SINGLE_TUPLE:
      case PGRES_TUPLES_OK:
        cells.resize(static_cast<size_t>(PQnfields(result->get())));
        for (int row = 0; more && row < PQntuples(result->get()); ++row) {
          for (size_t i = 0; i < cells.size(); ++i) cells[i] = CellOf(result->get(), row, static_cast<int>(i));
          more = tell(cells);
          if (!more && PQresultStatus(result->get()) == PGRES_SINGLE_TUPLE) {
            // The rest need not come; that it was cancelled is no error then.
            if (const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(connection_.get()),
                                                                                &PQfreeCancel);
                cancel != nullptr) {
              char error[256];
              PQcancel(cancel.get(), error, sizeof(error));
            }
          }
        }
        break;
      case PGRES_COMMAND_OK:
        break;
      default:
        if (more) status = Error(result->get());
        if (connection_ == nullptr) return status;
        continue;
    }
    const absl::string_view changed = PQcmdTuples(result->get());
    if (!changed.empty()) changed_ = std::strtoull(changed.data(), nullptr, 10);
  }
}

absl::StatusOr<uint64_t> PostgresqlConnection::Execute(const sql::Statement& statement) {
  if (absl::Status status = Query(statement, [](absl::Span<const Cell>) { return true; }); !status.ok()) return status;
  return changed_;
}

absl::Status PostgresqlConnection::Begin(bool writes) {
  const absl::string_view begin = writes ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  if (connection_ != nullptr && PQstatus(connection_.get()) == CONNECTION_OK) {
    // It may have been lost since, which the first words show.
    if (absl::Status status = Run(begin); status.ok() || connection_ != nullptr) return status;
  }
  if (absl::Status status = Connect(); !status.ok()) {
    connection_.reset();
    return status;
  }
  return Run(begin);
}

absl::Status PostgresqlConnection::Commit() { return Run("COMMIT"); }

void PostgresqlConnection::Rollback() {
  if (connection_ == nullptr) return;
  // What does not go back cleanly is left to the server, which does so when the connection ends.
  if (!Run("ROLLBACK").ok()) connection_.reset();
}

absl::StatusOr<std::vector<sql::ExistingColumn>> PostgresqlConnection::Columns(absl::string_view table) {
  std::vector<sql::ExistingColumn> columns;
  absl::Status status = Query(
      {"SELECT a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = "
       "a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = $1 "
       "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
       {sql::Text(table)}},
      [&](absl::Span<const Cell> cells) {
        sql::ExistingColumn column;
        column.name = std::string(cells[0].octets);
        column.type = std::string(cells[1].octets);
        column.known_form = true;
        if (column.type == "bigint") {
          column.form = record::StoredForm::kInteger;
        } else if (column.type == "bytea") {
          column.form = record::StoredForm::kOctets;
        } else if (column.type == "text") {
          column.form = record::StoredForm::kText;
        } else {
          column.known_form = false;
        }
        columns.push_back(std::move(column));
        return true;
      });
  if (!status.ok()) return status;
  return columns;
}

absl::Status PostgresqlConnection::BeginCopy(const std::string& sql) {
  if (absl::Status status = Send({sql, {}}); !status.ok()) return status;
  absl::StatusOr<Result> result = Next();
  if (!result.ok()) return result.status();
  if (*result != nullptr && PQresultStatus(result->get()) == PGRES_COPY_IN) return absl::OkStatus();
  absl::Status status = *result == nullptr ? Lost("COPY was not understood") : Error(result->get());
  while (connection_ != nullptr) {
    result = Next();
    if (!result.ok() || *result == nullptr) break;
  }
  return status;
}

absl::Status PostgresqlConnection::Copy(absl::string_view octets) {
  while (true) {
    const int taken = PQputCopyData(connection_.get(), octets.data(), static_cast<int>(octets.size()));
    if (taken == 1) return Flush();
    if (taken < 0) return Lost("the connection was lost");
    if (absl::Status status = Flush(); !status.ok()) return status;
  }
}

absl::StatusOr<uint64_t> PostgresqlConnection::EndCopy() {
  while (true) {
    const int taken = PQputCopyEnd(connection_.get(), nullptr);
    if (taken == 1) break;
    if (taken < 0) return Lost("the connection was lost");
    if (absl::Status status = Flush(); !status.ok()) return status;
  }
  if (absl::Status status = Flush(); !status.ok()) return status;
  absl::Status status;
  uint64_t rows = 0;
  while (true) {
    absl::StatusOr<Result> result = Next();
    if (!result.ok()) return result.status();
    if (*result == nullptr) break;
    if (PQresultStatus(result->get()) != PGRES_COMMAND_OK) {
      status = Error(result->get());
      if (connection_ == nullptr) return status;
      continue;
    }
    rows = std::strtoull(PQcmdTuples(result->get()), nullptr, 10);
  }
  if (!status.ok()) return status;
  return rows;
}

}  // namespace flowacct::sink::postgresql
