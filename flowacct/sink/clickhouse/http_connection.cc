#include "flowacct/sink/clickhouse/http_connection.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "flowacct/sink/password.h"

namespace flowacct::sink::clickhouse {
namespace {

// Of an error's text.
constexpr size_t kMaxErrorText = 600;
// The server keeps so much of an answer in memory before it goes to its disk; nothing is sent before it is whole, so
// that an error is told as such.
constexpr int kAnswerBuffer = 4 << 20;

// ClickHouse's ErrorCodes.cpp. What is not here is Internal.
struct KnownError {
  int code;
  absl::StatusCode status;
};
constexpr KnownError kErrors[] = {
    {16, absl::StatusCode::kNotFound},            // NO_SUCH_COLUMN_IN_TABLE
    {32, absl::StatusCode::kUnavailable},         // ATTEMPT_TO_READ_AFTER_EOF: the rows were cut off
    {33, absl::StatusCode::kUnavailable},         // CANNOT_READ_ALL_DATA
    {44, absl::StatusCode::kAlreadyExists},       // ILLEGAL_COLUMN: there is one of that name
    {47, absl::StatusCode::kNotFound},            // UNKNOWN_IDENTIFIER
    {57, absl::StatusCode::kAlreadyExists},       // TABLE_ALREADY_EXISTS
    {60, absl::StatusCode::kNotFound},            // UNKNOWN_TABLE
    {81, absl::StatusCode::kFailedPrecondition},  // UNKNOWN_DATABASE
    {159, absl::StatusCode::kUnavailable},        // TIMEOUT_EXCEEDED
    {160, absl::StatusCode::kUnavailable},        // TOO_SLOW
    {164, absl::StatusCode::kPermissionDenied},   // READONLY
    {192, absl::StatusCode::kPermissionDenied},   // UNKNOWN_USER
    {193, absl::StatusCode::kPermissionDenied},   // WRONG_PASSWORD
    {194, absl::StatusCode::kPermissionDenied},   // REQUIRED_PASSWORD
    {195, absl::StatusCode::kPermissionDenied},   // IP_ADDRESS_NOT_ALLOWED
    {201, absl::StatusCode::kUnavailable},        // QUOTA_EXPIRED
    {202, absl::StatusCode::kUnavailable},        // TOO_MANY_SIMULTANEOUS_QUERIES
    {203, absl::StatusCode::kUnavailable},        // NO_FREE_CONNECTION
    {209, absl::StatusCode::kUnavailable},        // SOCKET_TIMEOUT
    {210, absl::StatusCode::kUnavailable},        // NETWORK_ERROR
    {218, absl::StatusCode::kUnavailable},        // TABLE_IS_DROPPED
    {225, absl::StatusCode::kUnavailable},        // NO_ZOOKEEPER
    {241, absl::StatusCode::kResourceExhausted},  // MEMORY_LIMIT_EXCEEDED
    {242, absl::StatusCode::kUnavailable},        // TABLE_IS_READ_ONLY
    {243, absl::StatusCode::kResourceExhausted},  // NOT_ENOUGH_SPACE
    {252, absl::StatusCode::kUnavailable},        // TOO_MANY_PARTS
    {279, absl::StatusCode::kUnavailable},        // ALL_CONNECTION_TRIES_FAILED
    {285, absl::StatusCode::kUnavailable},        // TOO_FEW_LIVE_REPLICAS
    {291, absl::StatusCode::kPermissionDenied},   // DATABASE_ACCESS_DENIED
    {319, absl::StatusCode::kUnavailable},        // UNKNOWN_STATUS_OF_INSERT
    {394, absl::StatusCode::kUnavailable},        // QUERY_WAS_CANCELLED
    {497, absl::StatusCode::kPermissionDenied},   // ACCESS_DENIED
    {516, absl::StatusCode::kPermissionDenied},   // AUTHENTICATION_FAILED
    {999, absl::StatusCode::kUnavailable},        // KEEPER_EXCEPTION
};

bool HasControl(absl::string_view text) { return std::any_of(text.begin(), text.end(), absl::ascii_iscntrl); }

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(absl::StrCat("clickhouse: ", what)); }

}  // namespace

struct HttpConnection::Curl {
  CURL* easy = curl_easy_init();
  Curl() = default;
  ~Curl() { curl_easy_cleanup(easy); }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
};

struct HttpConnection::Request {
  explicit Request(absl::string_view statement) : sql(statement) {}

  absl::string_view sql;
  bool changes = false;
  Chosen chosen;
  const absl::FunctionRef<absl::StatusOr<absl::string_view>()>* next = nullptr;
  const absl::FunctionRef<bool(absl::string_view)>* take = nullptr;

  // While it runs.
  CURL* easy = nullptr;
  absl::Duration timeout;
  absl::Time heard;  // when something went or came
  absl::string_view piece;
  bool ended = false;
  absl::Status failed;  // of `next`
  bool stopped = false;
  // libcurl takes an answer that is cut in its headers for an empty one, and one without a length for whole.
  bool headers_are_whole = false, has_length = false;
  bool is_error = false;
  std::string error;

  static size_t Read(char* to, size_t size, size_t count, void* self) {
    Request& r = *static_cast<Request*>(self);
    r.heard = absl::Now();
    if (r.piece.empty() && !r.ended) {
      absl::StatusOr<absl::string_view> piece = (*r.next)();
      if (!piece.ok()) {
        r.failed = piece.status();
        return CURL_READFUNC_ABORT;
      }
      r.piece = *piece;
      r.ended = r.piece.empty();
      r.heard = absl::Now();
    }
    const size_t n = std::min(size * count, r.piece.size());
    if (n != 0) std::memcpy(to, r.piece.data(), n);
    r.piece.remove_prefix(n);
    return n;
  }

  static size_t Header(char* from, size_t size, size_t count, void* self) {
    Request& r = *static_cast<Request*>(self);
    r.heard = absl::Now();
    const absl::string_view line(from, size * count);
    if (absl::StartsWith(line, "HTTP/")) {
      r.headers_are_whole = r.has_length = false;
    } else if (absl::StripAsciiWhitespace(line).empty()) {
      r.headers_are_whole = true;
    } else if (absl::StartsWithIgnoreCase(line, "Transfer-Encoding:") ||
               absl::StartsWithIgnoreCase(line, "Content-Length:")) {
      r.has_length = true;
    } else if (absl::StartsWithIgnoreCase(line, "X-ClickHouse-Exception-Code:")) {
      r.is_error = true;
    }
    return size * count;
  }

  static size_t Write(char* from, size_t size, size_t count, void* self) {
    Request& r = *static_cast<Request*>(self);
    r.heard = absl::Now();
    long status = 0;
    curl_easy_getinfo(r.easy, CURLINFO_RESPONSE_CODE, &status);
    const absl::string_view octets(from, size * count);
    if (status != 200 || r.is_error) {
      r.is_error = true;
      const size_t room = kMaxErrorText * 4 - std::min(kMaxErrorText * 4, r.error.size());
      absl::StrAppend(&r.error, octets.substr(0, room));
    } else if (r.take != nullptr && !(*r.take)(octets)) {
      r.stopped = true;
      return 0;
    }
    return size * count;
  }

  static int Progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const Request& r = *static_cast<Request*>(self);
    return absl::Now() - r.heard > r.timeout ? 1 : 0;
  }
};

absl::StatusOr<std::unique_ptr<HttpConnection>> HttpConnection::New(ConnectionOptions options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string out;
    if (curl_url_get(url.get(), which, &text, which == CURLUPART_PATH ? CURLU_URLDECODE : 0) == CURLUE_OK) out = text;
    curl_free(text);
    return out;
  };
  // The text is not told: somebody may have put a password there.
  if (curl_url_set(url.get(), CURLUPART_URL, options.url.c_str(), 0) != CURLUE_OK) {
    return Wrong("url: not of the form http://host:8123/database");
  }
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return Wrong("url: only http and https are spoken");
  if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty()) {
    return Wrong("url: has a user or password; name them by user and password_file");
  }
  if (!part(CURLUPART_QUERY).empty() || !part(CURLUPART_FRAGMENT).empty()) {
    return Wrong("url: ends with the database; settings are not taken from there");
  }
  if (options.timeout <= absl::ZeroDuration()) return Wrong("timeout: a time above zero");
  if (HasControl(options.user)) return Wrong("user: has a control character");
  std::string port = part(CURLUPART_PORT);
  if (port.empty()) port = scheme == "https" ? "8443" : "8123";
  auto connection = std::unique_ptr<HttpConnection>(new HttpConnection());
  connection->base_ = absl::StrCat(scheme, "://", part(CURLUPART_HOST), ":", port, "/");
  connection->database_ = std::string(absl::StripSuffix(absl::StripPrefix(part(CURLUPART_PATH), "/"), "/"));
  if (absl::StrContains(connection->database_, '/')) return Wrong("url: the path is the database's name");
  if (connection->database_.empty()) connection->database_ = "default";
  connection->options_ = std::move(options);
  connection->curl_ = std::make_unique<Curl>();
  if (connection->curl_->easy == nullptr) return absl::ResourceExhaustedError("clickhouse: no memory for libcurl");
  return connection;
}

HttpConnection::~HttpConnection() = default;

absl::StatusOr<std::string> HttpConnection::Password() const {
  absl::StatusOr<std::string> password =
      ReadPassword("clickhouse: password_file", options_.password_file, "CLICKHOUSE_PASSWORD");
  if (!password.ok()) return password;
  if (HasControl(*password)) return absl::FailedPreconditionError("clickhouse: the password has a control character");
  return password;
}

absl::Status HttpConnection::Error(long http_status, absl::string_view text) const {
  int code = 0;
  const std::pair<absl::string_view, absl::string_view> halves = absl::StrSplit(text, absl::MaxSplits("Code: ", 1));
  const absl::string_view digits = halves.second.substr(0, halves.second.find_first_not_of("0123456789"));
  absl::string_view message = absl::StripAsciiWhitespace(text);
  if (absl::SimpleAtoi(digits, &code)) {
    message = halves.second;
    if (const size_t at = message.find("DB::Exception: "); at != absl::string_view::npos)
      message.remove_prefix(at + 15);
    message = message.substr(0, message.find(", e.what() ="));
  }
  message = absl::StripAsciiWhitespace(message.substr(0, kMaxErrorText));
  absl::StatusCode status = absl::StatusCode::kInternal;
  for (const KnownError& error : kErrors) {
    if (error.code == code) status = error.status;
  }
  std::string advice;
  if (code == 81) advice = absl::StrCat("; make it: CREATE DATABASE `", database_, "`");
  if (absl::StrContains(message, "No space left on device") || absl::StrContains(message, "errno: 28,")) {
    status = absl::StatusCode::kResourceExhausted;
  }
  if (code == 0) {
    if (http_status == 401 || http_status == 403) status = absl::StatusCode::kPermissionDenied;
    // Of a proxy before the server.
    if (http_status == 429 || http_status >= 500) status = absl::StatusCode::kUnavailable;
    return absl::Status(status, absl::StrCat("clickhouse: ", base_, " answers HTTP ", http_status, ": ", message));
  }
  return absl::Status(status, absl::StrCat("clickhouse: ", message, " (code ", code, ")", advice));
}

absl::Status HttpConnection::Perform(Request* request) {
  absl::StatusOr<std::string> password = Password();
  if (!password.ok()) return password.status();
  CURL* const easy = curl_->easy;
  curl_easy_reset(easy);
  const auto escaped = [&](absl::string_view text) {
    char* const out = curl_easy_escape(easy, text.data(), static_cast<int>(text.size()));
    std::string copy = out == nullptr ? "" : out;
    curl_free(out);
    return copy;
  };
  const int64_t seconds = absl::ToInt64Seconds(options_.timeout + absl::Milliseconds(999));
  std::string url =
      absl::StrCat(base_, "?database=", escaped(database_), "&wait_end_of_query=1&buffer_size=", kAnswerBuffer,
                   "&max_query_size=268435456&max_ast_elements=10000000", "&max_expanded_ast_elements=10000000");
  if (!request->changes) absl::StrAppend(&url, "&max_execution_time=", seconds);
  if (request->changes) absl::StrAppend(&url, "&insert_distributed_sync=1");
  if (features_ != nullptr && request->changes && features_->async_insert) absl::StrAppend(&url, "&async_insert=0");
  if (features_ != nullptr && !request->changes && features_->query_is_cancelled) {
    absl::StrAppend(&url, "&cancel_http_readonly_queries_on_client_close=1");
  }
  std::unique_ptr<curl_mime, decltype(&curl_mime_free)> form(nullptr, &curl_mime_free);
  std::string ids;
  request->easy = easy;
  request->timeout = options_.timeout;
  request->heard = absl::Now();
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  if (request->next != nullptr) {
    absl::StrAppend(&url, "&query=", escaped(request->sql));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Request::Read);
    curl_easy_setopt(easy, CURLOPT_READDATA, request);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 1048576L);
  } else if (!request->chosen.empty()) {
    absl::StrAppend(&url, "&chosen_structure=id%20UInt64&chosen_format=RowBinary");
    RowWriter writer(&ids);
    ids.reserve(8 * request->chosen.size());
    for (const uint64_t id : request->chosen) writer.Number(id, 8);
    form.reset(curl_mime_init(easy));
    curl_mimepart* part = curl_mime_addpart(form.get());
    curl_mime_name(part, "query");
    curl_mime_data(part, request->sql.data(), request->sql.size());
    part = curl_mime_addpart(form.get());
    curl_mime_name(part, "chosen");
    curl_mime_filename(part, "chosen");
    curl_mime_data(part, ids.data(), ids.size());
    curl_easy_setopt(easy, CURLOPT_MIMEPOST, form.get());
  } else {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->sql.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request->sql.size()));
  }
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, &curl_slist_free_all);
  for (const std::string& header :
       {std::string("Expect:"), absl::StrCat("X-ClickHouse-User: ", options_.user),
        password->empty() ? std::string("X-ClickHouse-Key;") : absl::StrCat("X-ClickHouse-Key: ", *password),
        std::string(request->next != nullptr ? "Transfer-Encoding: chunked" : "")}) {
    if (header.empty()) continue;
    curl_slist* const longer = curl_slist_append(headers.get(), header.c_str());
    if (longer == nullptr) return absl::ResourceExhaustedError("clickhouse: no memory for libcurl");
    headers.release();
    headers.reset(longer);
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(options_.timeout)));
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Request::Progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, request);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Request::Write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Request::Header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 262144L);
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  // On a connection that was used before and has died, libcurl sends again by itself.
  if (request->changes) {
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  }
  const CURLcode code = curl_easy_perform(easy);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  // Options point into this frame.
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(easy, CURLOPT_MIMEPOST, nullptr);
  if (request->stopped) return absl::OkStatus();
  if (!request->failed.ok()) return request->failed;
  // A server that refuses rows may say why before it has read them all.
  if (request->is_error && !request->error.empty()) return Error(status, request->error);
  const bool cut = code == CURLE_OK && !(request->headers_are_whole && request->has_length);
  if (code != CURLE_OK || cut) {
    features_ = nullptr;  // another version may come back
    const bool hung = code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_OPERATION_TIMEDOUT;
    const std::string what = hung  ? absl::StrCat("says nothing for ", absl::FormatDuration(options_.timeout))
                             : cut ? "an answer without an end"
                                   : curl_easy_strerror(code);
    const bool certificate = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
    return absl::Status(certificate ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kUnavailable,
                        absl::StrCat("clickhouse: ", base_, ": ", what,
                                     certificate ? "; name its authority by ca_file" : "; is the server running?"));
  }
  if (status != 200) return Error(status, request->error);
  return absl::OkStatus();
}

absl::Status HttpConnection::Query(absl::string_view sql, absl::Span<const CellType> types, Chosen chosen,
                                   absl::FunctionRef<bool(absl::Span<const Cell>)> tell) {
  RowReader reader(types);
  bool enough = false;
  const auto take = [&](absl::string_view octets) {
    return reader.Take(octets, [&](absl::Span<const Cell> cells) {
      enough = !tell(cells);
      return !enough;
    });
  };
  const absl::FunctionRef<bool(absl::string_view)> take_ref = take;
  const std::string whole = absl::StrCat(sql, " FORMAT RowBinary");
  Request request(whole);
  request.chosen = chosen;
  request.take = &take_ref;
  if (absl::Status status = Perform(&request); !status.ok()) return status;
  if (!enough && !reader.is_whole()) {
    return absl::DataLossError("clickhouse: an answer that is not of the form that was asked for");
  }
  return absl::OkStatus();
}

absl::Status HttpConnection::Change(absl::string_view sql, Chosen chosen) {
  Request request(sql);
  request.changes = true;
  request.chosen = chosen;
  return Perform(&request);
}

absl::Status HttpConnection::Insert(absl::string_view sql,
                                    absl::FunctionRef<absl::StatusOr<absl::string_view>()> next) {
  Request request(sql);
  request.changes = true;
  request.next = &next;
  return Perform(&request);
}

absl::StatusOr<const Features*> HttpConnection::features() {
  if (features_ != nullptr) return features_.get();
  Features features;
  absl::Status status = Query("SELECT version()", {kTextCell}, {}, [&](absl::Span<const Cell> cells) {
    features.version = std::string(cells[0].octets);
    return true;
  });
  if (!status.ok()) return status;
  const std::vector<absl::string_view> parts = absl::StrSplit(features.version, '.');
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &features.major) ||
      !absl::SimpleAtoi(parts[1], &features.minor)) {
    return absl::FailedPreconditionError(absl::StrCat("clickhouse: version \"", features.version, "\" is not known"));
  }
  const auto since = [&](int major, int minor) {
    return features.major > major || (features.major == major && features.minor >= minor);
  };
  features.rename_column = since(20, 4);
  features.limit_with_ties = since(20, 5);
  features.ttl = since(20, 1);
  bool family = false, experimental = false;
  status = Query(
      "SELECT name, '' FROM system.data_type_families WHERE name = 'LowCardinality' UNION ALL SELECT name, value FROM "
      "system.settings WHERE name IN ('allow_experimental_low_cardinality_type', 'async_insert', "
      "'cancel_http_readonly_queries_on_client_close') UNION ALL SELECT name, value FROM system.merge_tree_settings "
      "WHERE name IN ('fsync_after_insert', 'fsync_part_directory', 'ttl_only_drop_parts')",
      {kTextCell, kTextCell}, {}, [&](absl::Span<const Cell> cells) {
        const absl::string_view name = cells[0].octets;
        if (name == "LowCardinality") family = true;
        if (name == "allow_experimental_low_cardinality_type") experimental = cells[1].octets == "0";
        if (name == "async_insert") features.async_insert = true;
        if (name == "cancel_http_readonly_queries_on_client_close") features.query_is_cancelled = true;
        if (name == "fsync_after_insert") features.fsync_after_insert = true;
        if (name == "fsync_part_directory") features.fsync_part_directory = true;
        return true;
      });
  if (!status.ok()) return status;
  features.low_cardinality = family && !experimental;
  features_ = std::make_unique<Features>(std::move(features));
  return features_.get();
}

}  // namespace flowacct::sink::clickhouse
