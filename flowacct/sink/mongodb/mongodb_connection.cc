#include "flowacct/sink/mongodb/mongodb_connection.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/sink/password.h"

namespace flowacct::sink::mongodb {
namespace {

// What the server answers with, and what that is for us; the rest is Internal.
struct Code {
  uint32_t code;
  absl::StatusCode status;
};
constexpr Code kCodes[] = {
    {6, absl::StatusCode::kUnavailable},            // HostUnreachable
    {7, absl::StatusCode::kUnavailable},            // HostNotFound
    {13, absl::StatusCode::kPermissionDenied},      // Unauthorized
    {18, absl::StatusCode::kPermissionDenied},      // AuthenticationFailed
    {24, absl::StatusCode::kUnavailable},           // LockTimeout
    {26, absl::StatusCode::kNotFound},              // NamespaceNotFound
    {43, absl::StatusCode::kUnavailable},           // CursorNotFound
    {46, absl::StatusCode::kUnavailable},           // LockBusy
    {50, absl::StatusCode::kUnavailable},           // MaxTimeMSExpired
    {63, absl::StatusCode::kUnavailable},           // StaleShardVersion
    {64, absl::StatusCode::kUnavailable},           // WriteConcernFailed
    {73, absl::StatusCode::kInvalidArgument},       // InvalidNamespace
    {89, absl::StatusCode::kUnavailable},           // NetworkTimeout
    {91, absl::StatusCode::kUnavailable},           // ShutdownInProgress
    {100, absl::StatusCode::kUnavailable},          // UnsatisfiableWriteConcern
    {112, absl::StatusCode::kUnavailable},          // WriteConflict
    {117, absl::StatusCode::kUnavailable},          // ConflictingOperationInProgress
    {133, absl::StatusCode::kUnavailable},          // FailedToSatisfyReadPreference
    {134, absl::StatusCode::kUnavailable},          // ReadConcernMajorityNotAvailableYet
    {150, absl::StatusCode::kUnavailable},          // StaleEpoch
    {175, absl::StatusCode::kUnavailable},          // QueryPlanKilled
    {189, absl::StatusCode::kUnavailable},          // PrimarySteppedDown
    {202, absl::StatusCode::kUnavailable},          // NetworkInterfaceExceededTimeLimit
    {262, absl::StatusCode::kUnavailable},          // ExceededTimeLimit
    {292, absl::StatusCode::kResourceExhausted},    // QueryExceededMemoryLimitNoDiskUseAllowed
    {9001, absl::StatusCode::kUnavailable},         // SocketException
    {10107, absl::StatusCode::kUnavailable},        // NotWritablePrimary
    {11600, absl::StatusCode::kUnavailable},        // InterruptedAtShutdown
    {11601, absl::StatusCode::kUnavailable},        // Interrupted
    {11602, absl::StatusCode::kUnavailable},        // InterruptedDueToReplStateChange
    {13388, absl::StatusCode::kUnavailable},        // StaleConfig
    {13435, absl::StatusCode::kUnavailable},        // NotPrimaryNoSecondaryOk
    {13436, absl::StatusCode::kUnavailable},        // NotPrimaryOrSecondary
    {14031, absl::StatusCode::kResourceExhausted},  // OutOfDiskSpace
};
constexpr uint32_t kDuplicateKey = 11000;

absl::Status Of(absl::StatusCode code, absl::string_view text) {
  return absl::Status(code, absl::StrCat("mongodb: ", text));
}

bool IsDuplicate(const bson_error_t& error) {
  return error.code == kDuplicateKey && error.domain != MONGOC_ERROR_STREAM;
}

// When it is loaded, the driver makes /dev/shm/mongoc-PID for its counters, which nobody here reads. A process that is
// killed leaves it behind, and a later one of that number finds it and warns on standard error, whatever it was asked.
const int kCountersAreNobodys = shm_unlink(absl::StrCat("/mongoc-", getpid()).c_str());

}  // namespace

absl::StatusOr<std::unique_ptr<MongodbConnection>> MongodbConnection::New(ConnectionOptions options) {
  static std::once_flag once;
  std::call_once(once, [] {
    static_cast<void>(kCountersAreNobodys);
    mongoc_init();
    mongoc_log_set_handler(nullptr, nullptr);  // what it has to say comes back as errors
  });
  const auto wrong = [](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat("mongodb: ", parts...));
  };
  if (options.timeout <= absl::ZeroDuration()) return wrong("timeout: a time above zero");
  if (options.database.empty() || options.database.size() > 63 ||
      absl::string_view(options.database).find_first_of(absl::string_view("/\\. \"$*<>:|?\0", 13)) !=
          absl::string_view::npos) {
    return wrong("database \"", options.database, "\": a name of at most 63 octets, without any of /\\. \"$*<>:|?");
  }
  // Its own text may have the password.
  bson_error_t error;
  Uri uri(mongoc_uri_new_with_error(options.uri.c_str(), &error));
  if (uri == nullptr) {
    return wrong("the uri is none that is understood; like mongodb://flowacct@db.example:27017/?tls=true");
  }
  if (mongoc_uri_get_password(uri.get()) != nullptr) {
    return wrong("the uri has a password; put it into a file (password_file) or into MONGODB_PASSWORD");
  }
  const int32_t timeout = static_cast<int32_t>(
      std::clamp<int64_t>(absl::ToInt64Milliseconds(options.timeout), 1, int64_t{24} * 3600 * 1000));
  for (const char* name :
       {MONGOC_URI_CONNECTTIMEOUTMS, MONGOC_URI_SOCKETTIMEOUTMS, MONGOC_URI_SERVERSELECTIONTIMEOUTMS}) {
    mongoc_uri_set_option_as_int32(uri.get(), name, timeout);
  }
  mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_RETRYREADS, false);
  mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_RETRYWRITES, false);
  mongoc_uri_set_appname(uri.get(), "flowacct");
  return std::unique_ptr<MongodbConnection>(new MongodbConnection(std::move(options), std::move(uri)));
}

absl::Status MongodbConnection::ReadPassword() {
  if (mongoc_uri_get_username(uri_.get()) == nullptr) return absl::OkStatus();
  const absl::StatusOr<std::string> password =
      sink::ReadPassword("mongodb: password_file", options_.password_file, "MONGODB_PASSWORD");
  if (!password.ok()) return password.status();
  if (password->empty()) return absl::OkStatus();  // a certificate, say
  if (!mongoc_uri_set_password(uri_.get(), password->c_str())) {
    return Of(absl::StatusCode::kFailedPrecondition, "the password is no UTF-8");
  }
  return absl::OkStatus();
}

absl::Status MongodbConnection::Connect() {
  if (client_ != nullptr && !lost_) return absl::OkStatus();
  client_.reset();
  lost_ = false;
  if (absl::Status status = ReadPassword(); !status.ok()) return status;
  bson_error_t error;
  client_.reset(mongoc_client_new_from_uri_with_error(uri_.get(), &error));
  if (client_ == nullptr) return Of(absl::StatusCode::kInvalidArgument, error.message);
  mongoc_client_set_error_api(client_.get(), MONGOC_ERROR_API_VERSION_2);
  bson_t reply;
  const Document hello = Document().Integer("hello", 1);
  const bool ok = mongoc_client_command_simple(client_.get(), "admin", hello.get(), nullptr, &reply, &error);
  absl::Status status = ok ? absl::OkStatus() : Error(error);
  if (ok) {
    deployment_ = TextOf(reply, "msg") == "isdbgrid"  ? Deployment::kSharded
                  : !TextOf(reply, "setName").empty() ? Deployment::kReplicaSet
                                                      : Deployment::kServer;
  }
  bson_destroy(&reply);
  if (!ok) {
    client_.reset();
    return status;
  }
  mongoc_write_concern_t* const writes = mongoc_write_concern_new();
  mongoc_write_concern_set_wmajority(writes, static_cast<int32_t>(absl::ToInt64Milliseconds(options_.timeout)));
  mongoc_write_concern_set_journal(writes, true);
  mongoc_client_set_write_concern(client_.get(), writes);
  mongoc_write_concern_destroy(writes);
  if (deployment_ != Deployment::kServer) {
    mongoc_read_concern_t* const reads = mongoc_read_concern_new();
    mongoc_read_concern_set_level(reads, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
    mongoc_client_set_read_concern(client_.get(), reads);
    mongoc_read_concern_destroy(reads);
  }
  mongoc_read_prefs_t* const primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
  mongoc_client_set_read_prefs(client_.get(), primary);
  mongoc_read_prefs_destroy(primary);
  return absl::OkStatus();
}

absl::StatusOr<MongodbConnection::Deployment> MongodbConnection::Ask() {
  if (absl::Status status = Connect(); !status.ok()) return status;
  return deployment_;
}

absl::Status MongodbConnection::Error(const bson_error_t& error) {
  absl::StatusCode code = absl::StatusCode::kInternal;
  switch (error.domain) {
    case MONGOC_ERROR_CLIENT:
      code = error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE ? absl::StatusCode::kPermissionDenied
                                                            : absl::StatusCode::kUnavailable;
      break;
    case MONGOC_ERROR_STREAM:
    case MONGOC_ERROR_PROTOCOL:
    case MONGOC_ERROR_SERVER_SELECTION:
      code = absl::StatusCode::kUnavailable;
      break;
    case MONGOC_ERROR_WRITE_CONCERN:
      code = absl::StatusCode::kUnavailable;
      break;
    default:
      for (const Code& known : kCodes) {
        if (known.code == error.code) code = known.status;
      }
  }
  absl::string_view text = error.message;
  if (code == absl::StatusCode::kPermissionDenied && text.empty()) text = "not allowed";
  absl::Status status = Of(code, text);
  // A new client tries at once; this one would wait some seconds.
  if (code == absl::StatusCode::kUnavailable) lost_ = true;
  return status;
}

MongodbConnection::Collection MongodbConnection::Get(const std::string& collection) {
  return Collection(mongoc_client_get_collection(client_.get(), options_.database.c_str(), collection.c_str()));
}

absl::Status MongodbConnection::Walk(Cursor cursor, Tell tell) {
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    if (!tell(*document)) return absl::OkStatus();
  }
  bson_error_t error;
  if (!mongoc_cursor_error(cursor.get(), &error)) return absl::OkStatus();
  return Error(error);
}

absl::Status MongodbConnection::Find(const std::string& collection, const Document& filter, const Document& options,
                                     Tell tell) {
  if (absl::Status status = Connect(); !status.ok()) return status;
  const Collection from = Get(collection);
  return Walk(Cursor(mongoc_collection_find_with_opts(from.get(), filter.get(), options.get(), nullptr)), tell);
}

absl::Status MongodbConnection::Aggregate(const std::string& collection, const std::vector<Document>& stages,
                                          Tell tell) {
  if (absl::Status status = Connect(); !status.ok()) return status;
  const Document pipeline = Document().List("pipeline", stages);
  const Document options = Document()
                               .Bool("allowDiskUse", true)
                               .Integer("batchSize", 5000)
                               .Integer("maxTimeMS", absl::ToInt64Milliseconds(options_.timeout));
  const Collection from = Get(collection);
  return Walk(
      Cursor(mongoc_collection_aggregate(from.get(), MONGOC_QUERY_NONE, pipeline.get(), options.get(), nullptr)), tell);
}

absl::StatusOr<std::optional<Document>> MongodbConnection::FindOne(const std::string& collection,
                                                                   const Document& filter) {
  std::optional<Document> found;
  const absl::Status status = Find(collection, filter, Document().Integer("limit", 1), [&](const bson_t& document) {
    found.emplace(document);
    return false;
  });
  if (!status.ok()) return status;
  return found;
}

absl::StatusOr<bool> MongodbConnection::Insert(const std::string& collection, const Document& document) {
  if (absl::Status status = Connect(); !status.ok()) return status;
  const Document options = Document().Bool("validate", false);
  bson_error_t error;
  if (mongoc_collection_insert_one(Get(collection).get(), document.get(), options.get(), nullptr, &error)) return true;
  if (IsDuplicate(error)) return false;
  return Error(error);
}

absl::Status MongodbConnection::InsertMany(const std::string& collection, absl::Span<const Document> documents) {
  if (documents.empty()) return absl::OkStatus();
  if (absl::Status status = Connect(); !status.ok()) return status;
  std::vector<const bson_t*> pointers;
  pointers.reserve(documents.size());
  for (const Document& document : documents) pointers.push_back(document.get());
  const Document options = Document().Bool("ordered", true).Bool("validate", false);
  bson_error_t error;
  if (mongoc_collection_insert_many(Get(collection).get(), const_cast<const bson_t**>(pointers.data()), pointers.size(),
                                    options.get(), nullptr, &error)) {
    return absl::OkStatus();
  }
  return Error(error);
}

absl::StatusOr<bool> MongodbConnection::Replace(const std::string& collection, const Document& filter,
                                                const Document& document) {
  if (absl::Status status = Connect(); !status.ok()) return status;
  const Document options = Document().Bool("validate", false);
  bson_t reply;
  bson_error_t error;
  const bool ok =
      mongoc_collection_replace_one(Get(collection).get(), filter.get(), document.get(), options.get(), &reply, &error);
  const std::optional<int64_t> matched = IntegerOf(reply, "matchedCount");
  bson_destroy(&reply);
  if (!ok) return Error(error);
  return matched.value_or(0) != 0;
}

absl::StatusOr<uint64_t> MongodbConnection::DeleteMany(const std::string& collection, const Document& filter) {
  if (absl::Status status = Connect(); !status.ok()) return status;
  bson_t reply;
  bson_error_t error;
  const bool ok = mongoc_collection_delete_many(Get(collection).get(), filter.get(), nullptr, &reply, &error);
  const std::optional<int64_t> deleted = IntegerOf(reply, "deletedCount");
  bson_destroy(&reply);
  if (!ok) return Error(error);
  return static_cast<uint64_t>(deleted.value_or(0));
}

absl::Status MongodbConnection::Command(const Document& command, const std::string& database) {
  if (absl::Status status = Connect(); !status.ok()) return status;
  bson_error_t error;
  const std::string& of = database.empty() ? options_.database : database;
  if (mongoc_client_command_simple(client_.get(), of.c_str(), command.get(), nullptr, nullptr, &error)) {
    return absl::OkStatus();
  }
  return Error(error);
}

}  // namespace flowacct::sink::mongodb
