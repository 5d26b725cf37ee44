#include "flowacct/sink/mariadb/mariadb_connection.h"

#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/password.h"

namespace flowacct::sink::mariadb {
namespace {

using absl::StatusCode;
using sql::Cell;

constexpr unsigned kBinary = 63;  // the character set of octets
constexpr unsigned long kOldestMariadb = 100600, kOldestMysql = 80000;
// Ways to tell a password that do not tell it to who listens, or to whoever says to be the server.
constexpr char kSafePlugins[] =
    "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password,auth_gssapi_client,unix_socket,"
    "auth_socket";

constexpr unsigned kMysqlQueryTimeout = 3024;

// docs/how-to/mariadb.md has it whole.
constexpr absl::string_view kMend =
    "see the server's log; was it killed while the table got a column? Then its rows are there: give it the .frm back "
    "that it had before";

// The servers' reference of error numbers. What is not here is Internal.
struct Number {
  unsigned number;
  StatusCode code;
  absl::string_view hint;
  bool tells_values = false;  // its message repeats what was written
};
constexpr Number kNumbers[] = {
    {ER_DISK_FULL, StatusCode::kResourceExhausted, "make room on the server's disk, or set a retention"},
    {ER_ERROR_ON_WRITE, StatusCode::kResourceExhausted, "see the server's disk and its log"},
    {ER_RECORD_FILE_FULL, StatusCode::kResourceExhausted, "make room on the server's disk, or set a retention"},
    {ER_OUT_OF_RESOURCES, StatusCode::kResourceExhausted, ""},
    {ER_OUTOFMEMORY, StatusCode::kResourceExhausted, ""},
    {ER_OUT_OF_SORTMEMORY, StatusCode::kResourceExhausted, "raise the server's sort_buffer_size"},
    {ER_NET_PACKET_TOO_LARGE, StatusCode::kResourceExhausted, "raise the server's max_allowed_packet"},
    {ER_CON_COUNT_ERROR, StatusCode::kUnavailable, ""},
    {ER_SERVER_SHUTDOWN, StatusCode::kUnavailable, ""},
    {ER_CONNECTION_KILLED, StatusCode::kUnavailable, ""},
    {ER_QUERY_INTERRUPTED, StatusCode::kUnavailable, ""},
    {ER_STATEMENT_TIMEOUT, StatusCode::kUnavailable, "raise the timeout"},
    {kMysqlQueryTimeout, StatusCode::kUnavailable, "raise the timeout"},
    {ER_LOCK_WAIT_TIMEOUT, StatusCode::kUnavailable, ""},
    {ER_LOCK_DEADLOCK, StatusCode::kUnavailable, ""},
    {ER_CHECKREAD, StatusCode::kUnavailable, "another changed it at this moment"},
    {ER_TABLE_DEF_CHANGED, StatusCode::kUnavailable, "another changed the table at this moment"},
    {ER_TABLE_EXISTS_ERROR, StatusCode::kUnavailable, "another made the same at this moment"},
    {ER_DUP_FIELDNAME, StatusCode::kUnavailable, "another made the same at this moment"},
    {ER_OPTION_PREVENTS_STATEMENT, StatusCode::kUnavailable, "the server takes no changes now"},
    {ER_PARTITION_DOES_NOT_EXIST, StatusCode::kUnavailable, "another changed the table at this moment"},
    {ER_NO_PARTITION_FOR_GIVEN_VALUE, StatusCode::kUnavailable, "another changed the table at this moment", true},
    {ER_GET_ERRNO, StatusCode::kUnavailable, "see the server's log"},
    {ER_DUP_ENTRY, StatusCode::kAlreadyExists, "there is such a row already", true},
    {ER_NO_SUCH_TABLE, StatusCode::kFailedPrecondition, ""},
    {ER_BAD_DB_ERROR, StatusCode::kFailedPrecondition, "make it: CREATE DATABASE"},
    {ER_BAD_FIELD_ERROR, StatusCode::kFailedPrecondition, ""},
    {ER_BINLOG_STMT_MODE_AND_ROW_ENGINE, StatusCode::kFailedPrecondition, "set the server's binlog_format to MIXED"},
    {ER_ACCESS_DENIED_ERROR, StatusCode::kPermissionDenied, "see user and password_file"},
    {ER_ACCESS_DENIED_NO_PASSWORD_ERROR, StatusCode::kPermissionDenied, "see user and password_file"},
    {ER_HOST_NOT_PRIVILEGED, StatusCode::kPermissionDenied, "let the user in from here: CREATE USER"},
    {ER_DBACCESS_DENIED_ERROR, StatusCode::kPermissionDenied, "let the user do it: GRANT ALL ON the database"},
    {ER_TABLEACCESS_DENIED_ERROR, StatusCode::kPermissionDenied, "let the user do it: GRANT ALL ON the database"},
    {ER_COLUMNACCESS_DENIED_ERROR, StatusCode::kPermissionDenied, "let the user do it: GRANT ALL ON the database"},
    {ER_SPECIFIC_ACCESS_DENIED_ERROR, StatusCode::kPermissionDenied, ""},
    {ER_TOO_LONG_IDENT, StatusCode::kInvalidArgument, ""},
    {ER_WRONG_TABLE_NAME, StatusCode::kInvalidArgument, ""},
    {ER_WRONG_COLUMN_NAME, StatusCode::kInvalidArgument, ""},
    {ER_INVALID_CHARACTER_STRING, StatusCode::kInvalidArgument, "names have no characters above U+FFFF", true},
    {ER_DATA_TOO_LONG, StatusCode::kInvalidArgument, ""},
    {ER_WARN_DATA_OUT_OF_RANGE, StatusCode::kInvalidArgument, ""},
    {ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, StatusCode::kInvalidArgument, "", true},
    {ER_TOO_BIG_ROWSIZE, StatusCode::kInvalidArgument, "there are too many columns"},
    {ER_PARSE_ERROR, StatusCode::kInternal, "the server does not understand a statement", true},
    {ER_CRASHED_ON_USAGE, StatusCode::kDataLoss, kMend},
    {ER_TABLE_CORRUPT, StatusCode::kDataLoss, kMend},
    {ER_INDEX_CORRUPT, StatusCode::kDataLoss, "see the server's log"},
    {CR_AUTH_PLUGIN_CANNOT_LOAD, StatusCode::kPermissionDenied, "see how the server knows the user"},
    {CR_PLUGIN_NOT_ALLOWED, StatusCode::kPermissionDenied, "the server asks for the password unhidden; set tls=verify"},
    {CR_SSL_CONNECTION_ERROR, StatusCode::kPermissionDenied, "see tls and tls_ca_file"},
};

Cell CellOf(const MYSQL_FIELD& field, const char* octets, unsigned long length) {
  Cell cell;
  if (octets == nullptr) return cell;
  const absl::string_view text(octets, length);
  switch (field.type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG: {
      cell.kind = Cell::Kind::kInteger;
      uint64_t number = 0;
      if (!absl::SimpleAtoi(text, &cell.integer) && absl::SimpleAtoi(text, &number)) {
        cell.integer = static_cast<int64_t>(number);
      }
      return cell;
    }
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_VARCHAR:
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
      cell.kind = field.charsetnr == kBinary ? Cell::Kind::kOctets : Cell::Kind::kText;
      break;
    default:  // decimal digits
      cell.kind = Cell::Kind::kText;
  }
  cell.octets = text;
  return cell;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MariadbConnection>> MariadbConnection::New(ConnectionOptions options) {
  if (absl::Status status = CheckConnectionOptions(options); !status.ok()) return status;
  // Once, before there are threads in it.
  static const bool ready = mysql_server_init(0, nullptr, nullptr) == 0;
  if (!ready) return absl::InternalError("mariadb: the client library does not start");
  return std::unique_ptr<MariadbConnection>(new MariadbConnection(std::move(options)));
}

void MariadbConnection::Drop() {
  if (connection_ != nullptr) mariadb_cancel(connection_.get());  // no good-byes to who does not answer
  statement_.reset();
  connection_.reset();
}

absl::Status MariadbConnection::Error(absl::string_view doing, unsigned number, const char* message) {
  const std::string text(message);  // of the connection, which may go
  error_ = number;
  const auto* const found =
      std::find_if(std::begin(kNumbers), std::end(kNumbers), [&](const Number& n) { return n.number == number; });
  const bool known = found != std::end(kNumbers);
  const bool lost = number < ER_ERROR_FIRST || number == ER_SERVER_SHUTDOWN || number == ER_CONNECTION_KILLED ||
                    (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) || number >= 5000;
  std::string told = known && found->tells_values ? "" : absl::StrCat(absl::StripAsciiWhitespace(text), " ");
  absl::StrAppend(&told, "(", number, ")");
  if (lost) {
    if (absl::Now() - asked_ >= options_.timeout) {
      told = absl::StrCat("the server said nothing for ", absl::FormatDuration(options_.timeout));
    }
    Drop();
  }
  StatusCode code = known ? found->code : lost ? StatusCode::kUnavailable : StatusCode::kInternal;
  absl::string_view hint = known ? found->hint : "";
  if (absl::StrContains(text, "No space left")) {
    code = StatusCode::kResourceExhausted;
    hint = "make room on the server's disk, or set a retention";
  }
  return absl::Status(code, absl::StrCat("mariadb: ", doing, told, hint.empty() ? "" : "; ", hint));
}

absl::Status MariadbConnection::Error() {
  return Error("", mysql_errno(connection_.get()), mysql_error(connection_.get()));
}

absl::Status MariadbConnection::Connect() {
  Drop();
  absl::StatusOr<std::string> password = ReadPassword("mariadb: password_file", options_.password_file, "MYSQL_PWD");
  if (!password.ok()) return password.status();
  connection_.reset(mysql_init(nullptr));
  if (connection_ == nullptr) return absl::ResourceExhaustedError("mariadb: no memory for a connection");
  MYSQL* const c = connection_.get();
  const unsigned seconds = static_cast<unsigned>(absl::ToInt64Seconds(absl::Ceil(options_.timeout, absl::Seconds(1))));
  const unsigned no = 0;
  for (const mysql_option limit : {MYSQL_OPT_CONNECT_TIMEOUT, MYSQL_OPT_READ_TIMEOUT, MYSQL_OPT_WRITE_TIMEOUT}) {
    mysql_optionsv(c, limit, &seconds);
  }
  mysql_optionsv(c, MYSQL_OPT_LOCAL_INFILE, &no);
  mysql_optionsv(c, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(c, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "flowacct");
  const my_bool yes = 1, verify = options_.tls == Tls::kVerify ? 1 : 0;
  if (options_.tls != Tls::kOff) {
    mysql_optionsv(c, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_optionsv(c, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (!options_.tls_ca_file.empty()) mysql_optionsv(c, MYSQL_OPT_SSL_CA, options_.tls_ca_file.c_str());
  }
  if (options_.tls != Tls::kVerify) mysql_optionsv(c, MARIADB_OPT_RESTRICTED_AUTH, kSafePlugins);
  const auto text = [](const std::string& s) { return s.empty() ? nullptr : s.c_str(); };
  asked_ = absl::Now();
  if (mysql_real_connect(c, text(options_.host), text(options_.user), password->c_str(), options_.database.c_str(),
                         static_cast<unsigned>(options_.port), text(options_.socket), 0) == nullptr) {
    absl::Status status = Error("cannot connect: ", mysql_errno(c), mysql_error(c));
    Drop();
    return status;
  }
  const bool is_mariadb = mariadb_connection(c) != 0;
  dialect_ = is_mariadb ? &sql::kMariadb : &sql::kMysql;
  if (mysql_get_server_version(c) < (is_mariadb ? kOldestMariadb : kOldestMysql)) {
    absl::Status status =
        absl::FailedPreconditionError(absl::StrCat("mariadb: the server is of version ", mysql_get_server_info(c),
                                                   "; it takes MariaDB 10.6 or later, or MySQL 8.0 or later"));
    Drop();
    return status;
  }
  std::vector<std::string> settings = {
      absl::StrCat("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,PIPES_AS_CONCAT,"
                   "NO_BACKSLASH_ESCAPES', autocommit = 0, innodb_lock_wait_timeout = ",
                   lock_seconds(), ", lock_wait_timeout = ", lock_seconds(), ", wait_timeout = 3600"),
      "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"};
  // What is running when this gave up ends, too, and so does the session of one that is cut off.
  if (is_mariadb) {
    settings.push_back(
        absl::StrCat("SET SESSION max_statement_time = ", seconds, ", idle_write_transaction_timeout = ", seconds));
  } else {
    settings.push_back(absl::StrCat("SET SESSION max_execution_time = ", uint64_t{1000} * seconds));
  }
  for (const std::string& setting : settings) {
    if (absl::Status status = Run(setting); !status.ok()) {
      Drop();
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status MariadbConnection::Query(const sql::Statement& statement,
                                      absl::FunctionRef<bool(absl::Span<const Cell>)> tell) {
  changed_ = 0;
  error_ = 0;
  if (connection_ == nullptr) return absl::UnavailableError("mariadb: there is no connection");
  asked_ = absl::Now();
  if (mysql_real_query(connection_.get(), statement.sql.data(), statement.sql.size()) != 0) return Error();
  std::unique_ptr<MYSQL_RES, Close> result(mysql_use_result(connection_.get()));
  if (result == nullptr) {
    if (mysql_errno(connection_.get()) != 0) return Error();
    changed_ = mysql_affected_rows(connection_.get());
    return absl::OkStatus();
  }
  const MYSQL_FIELD* const fields = mysql_fetch_fields(result.get());
  std::vector<Cell> cells(mysql_num_fields(result.get()));
  while (true) {
    asked_ = absl::Now();
    const MYSQL_ROW row = mysql_fetch_row(result.get());
    if (row == nullptr) break;
    const unsigned long* const lengths = mysql_fetch_lengths(result.get());
    for (size_t i = 0; i < cells.size(); ++i) cells[i] = CellOf(fields[i], row[i], lengths[i]);
    if (tell(cells)) continue;
    // The rest need not come: there may be much of it.
    mariadb_cancel(connection_.get());
    result.reset();
    Drop();
    return absl::OkStatus();
  }
  if (mysql_errno(connection_.get()) == 0) return absl::OkStatus();
  const unsigned number = mysql_errno(connection_.get());
  const std::string message = mysql_error(connection_.get());
  result.reset();
  return Error("", number, message.c_str());
}

absl::StatusOr<uint64_t> MariadbConnection::Execute(const sql::Statement& statement) {
  if (absl::Status status = Query(statement, [](absl::Span<const Cell>) { return true; }); !status.ok()) return status;
  return changed_;
}

absl::Status MariadbConnection::Begin(bool writes) {
  const auto begin = [&] {
    if (writes) return Run("START TRANSACTION");
    absl::Status status = Run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    return status.ok() ? Run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY") : status;
  };
  if (connection_ != nullptr) {
    // It may have been lost since, which the first words show.
    if (absl::Status status = begin(); status.ok() || connection_ != nullptr) return status;
  }
  if (absl::Status status = Connect(); !status.ok()) return status;
  return begin();
}

absl::Status MariadbConnection::Commit() { return Run("COMMIT"); }

void MariadbConnection::Rollback() {
  if (connection_ == nullptr) return;
  // What does not go back cleanly is left to the server, which does so when the connection ends.
  if (!Run("ROLLBACK").ok()) Drop();
}

absl::StatusOr<std::vector<sql::ExistingColumn>> MariadbConnection::Columns(absl::string_view table) {
  std::vector<sql::ExistingColumn> columns;
  absl::Status status =
      Query({absl::StrCat("SHOW COLUMNS FROM ", sql::Quoted(dialect(), table)), {}}, [&](absl::Span<const Cell> cells) {
        sql::ExistingColumn column;
        column.name = std::string(cells[0].octets);
        column.type = std::string(cells[1].octets);
        column.known_form = true;
        if (absl::StartsWith(column.type, "bigint") && !absl::StrContains(column.type, "unsigned")) {
          column.form = record::StoredForm::kInteger;
        } else if (absl::StartsWith(column.type, "varbinary") || absl::EndsWith(column.type, "blob")) {
          column.form = record::StoredForm::kOctets;
        } else if (absl::StartsWith(column.type, "varchar") || absl::EndsWith(column.type, "text")) {
          column.form = record::StoredForm::kText;
        } else {
          column.known_form = false;
        }
        columns.push_back(std::move(column));
        return true;
      });
  if (!status.ok() && error_ == ER_NO_SUCH_TABLE) return std::vector<sql::ExistingColumn>();
  if (!status.ok()) return status;
  return columns;
}

int64_t MariadbConnection::lock_seconds() const { return (absl::ToInt64Seconds(options_.timeout) + 1) / 2; }

bool MariadbConnection::takes_arrays() const {
  unsigned long extended = 0;
  return connection_ != nullptr && mariadb_connection(connection_.get()) != 0 &&
         mariadb_get_infov(connection_.get(), MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &extended) == 0 &&
         (extended & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
}

absl::Status MariadbConnection::Prepare(const std::string& sql) {
  if (connection_ == nullptr) return absl::UnavailableError("mariadb: there is no connection");
  statement_.reset(mysql_stmt_init(connection_.get()));
  if (statement_ == nullptr) return absl::ResourceExhaustedError("mariadb: no memory for a statement");
  asked_ = absl::Now();
  if (mysql_stmt_prepare(statement_.get(), sql.data(), sql.size()) == 0) return absl::OkStatus();
  return Error("", mysql_stmt_errno(statement_.get()), mysql_stmt_error(statement_.get()));
}

absl::Status MariadbConnection::ExecutePrepared(std::vector<MYSQL_BIND>* values, unsigned array) {
  MYSQL_STMT* const statement = statement_.get();
  asked_ = absl::Now();
  if (mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &array) == 0 &&
      mysql_stmt_bind_param(statement, values->data()) == 0 && mysql_stmt_execute(statement) == 0) {
    return absl::OkStatus();
  }
  return Error("", mysql_stmt_errno(statement), mysql_stmt_error(statement));
}

}  // namespace flowacct::sink::mariadb
