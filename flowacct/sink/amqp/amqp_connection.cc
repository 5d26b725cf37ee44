#include "flowacct/sink/amqp/amqp_connection.h"

#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <openssl/ssl.h>
#include <sys/time.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "flowacct/sink/queue/batch_part.h"

namespace flowacct::sink::amqp {
namespace {

using absl::StatusCode;

constexpr amqp_channel_t kChannel = 1;
constexpr int kFrameMax = 131072;
constexpr size_t kLongestShortString = 255;
// Confirms are taken in once for so many messages.
constexpr uint64_t kTakeEvery = 64;

// AMQP 0-9-1, 1.3 (reply codes), as RabbitMQ uses them.
struct ReplyCode {
  int code;
  StatusCode status;
  absl::string_view hint;
};
constexpr ReplyCode kReplyCodes[] = {
    {311, StatusCode::kFailedPrecondition, "lower max_message_size"},
    {312, StatusCode::kFailedPrecondition, "bind a queue to the exchange for that routing key"},
    {403, StatusCode::kPermissionDenied, "see user, password and vhost, and rabbitmqctl set_permissions"},
    {404, StatusCode::kFailedPrecondition, "make it, or see exchange"},
    {406, StatusCode::kFailedPrecondition, ""},
    {530, StatusCode::kPermissionDenied, "see vhost, and rabbitmqctl set_permissions"},
};

amqp_bytes_t Bytes(absl::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }
absl::string_view View(amqp_bytes_t bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

timeval Timeval(absl::Duration duration) { return absl::ToTimeval(std::max(duration, absl::Milliseconds(1))); }

absl::Status ReplyError(int code, absl::string_view text, absl::string_view doing) {
  const ReplyCode* known = nullptr;
  for (const ReplyCode& reply : kReplyCodes) {
    if (reply.code == code) known = &reply;
  }
  std::string message = absl::StrCat("amqp: ", doing, ": ", code, " ", text);
  if (known != nullptr && !known->hint.empty()) absl::StrAppend(&message, "; ", known->hint);
  return absl::Status(known == nullptr ? StatusCode::kUnavailable : known->status, message);
}

}  // namespace

absl::StatusOr<std::vector<Endpoint>> ParseBrokers(absl::string_view text, bool tls) {
  std::vector<Endpoint> endpoints;
  for (const absl::string_view word : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    absl::string_view host = absl::StripAsciiWhitespace(word);
    absl::string_view port;
    const absl::Status wrong =
        absl::InvalidArgumentError(absl::StrCat("amqp: brokers: \"", host, "\" is no HOST, HOST:PORT or [IPV6]:PORT"));
    if (!host.empty() && host[0] == '[') {
      const size_t end = host.find(']');
      if (end == absl::string_view::npos) return wrong;
      port = host.substr(end + 1);
      host = host.substr(1, end - 1);
      if (!port.empty() && port[0] != ':') return wrong;
    } else if (const size_t colon = host.find(':'); colon != absl::string_view::npos) {
      port = host.substr(colon);
      host = host.substr(0, colon);
    }
    Endpoint endpoint = {std::string(host), tls ? 5671 : 5672};
    if (host.empty() || (!port.empty() && (!absl::SimpleAtoi(port.substr(1), &endpoint.port) || endpoint.port < 1 ||
                                           endpoint.port > 65535))) {
      return wrong;
    }
    endpoints.push_back(std::move(endpoint));
  }
  if (endpoints.empty()) {
    return absl::InvalidArgumentError("amqp: brokers: name some, as rabbit1.example,rabbit2.example:5672");
  }
  return endpoints;
}

absl::StatusOr<std::unique_ptr<AmqpConnection>> AmqpConnection::Connect(const ConnectionOptions& options,
                                                                        const std::vector<Endpoint>& endpoints,
                                                                        uint64_t max_unconfirmed) {
  absl::Status status;
  const absl::Time end = absl::Now() + options.timeout;
  for (const Endpoint& endpoint : endpoints) {
    // All together take no longer than one may.
    const absl::Duration left = end - absl::Now();
    if (!status.ok() && left < absl::Milliseconds(50)) break;
    auto connection = std::unique_ptr<AmqpConnection>(new AmqpConnection(options, max_unconfirmed));
    status = connection->Open(endpoint, left);
    if (status.ok()) return connection;
  }
  return status;
}

AmqpConnection::~AmqpConnection() {
  cutter_.Disarm();
  if (state_ != nullptr) amqp_destroy_connection(state_);
}

void AmqpConnection::Close() {
  timeval short_time = Timeval(std::min(options_.timeout, absl::Seconds(2)));
  amqp_set_rpc_timeout(state_, &short_time);
  (void)amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
}

absl::Status AmqpConnection::Open(const Endpoint& endpoint, absl::Duration patience) {
  where_ = absl::StrCat(endpoint.host, ":", endpoint.port);
  std::string password = options_.user;
  if (!options_.password.empty()) {
    absl::StatusOr<std::string> read = queue::ReadSecret(options_.password, "amqp: password");
    if (!read.ok()) return read.status();
    password = *std::move(read);
  }
  state_ = amqp_new_connection();
  if (state_ == nullptr) return absl::ResourceExhaustedError("amqp: there is no memory for a connection");
  timeval timeout = Timeval(patience);
  amqp_socket_t* socket = nullptr;
  if (options_.tls) {
    socket = amqp_ssl_socket_new(state_);
    if (socket == nullptr) return absl::InternalError("amqp: TLS cannot be used");
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    (void)amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
    if (!options_.ca_file.empty() && amqp_ssl_socket_set_cacert(socket, options_.ca_file.c_str()) != AMQP_STATUS_OK) {
      return absl::FailedPreconditionError(
          absl::StrCat("amqp: ca_file ", options_.ca_file, " cannot be read, or has no certificates in PEM"));
    }
    if (options_.ca_file.empty() &&
        SSL_CTX_set_default_verify_paths(static_cast<SSL_CTX*>(amqp_ssl_socket_get_context(socket))) != 1) {
      return absl::FailedPreconditionError("amqp: the system has no authorities; name some by ca_file");
    }
    if (!options_.key_file.empty() && amqp_ssl_socket_set_key(socket, options_.certificate_file.c_str(),
                                                              options_.key_file.c_str()) != AMQP_STATUS_OK) {
      return absl::FailedPreconditionError(absl::StrCat("amqp: certificate_file ", options_.certificate_file,
                                                        " and key_file ", options_.key_file,
                                                        " cannot be read, or do not belong together"));
    }
  } else {
    socket = amqp_tcp_socket_new(state_);
    if (socket == nullptr) return absl::ResourceExhaustedError("amqp: there is no memory for a socket");
  }
  (void)amqp_set_handshake_timeout(state_, &timeout);
  (void)amqp_set_rpc_timeout(state_, &timeout);
  if (const int status = amqp_socket_open_noblock(socket, endpoint.host.c_str(), endpoint.port, &timeout);
      status != AMQP_STATUS_OK) {
    return Lost(status, "connecting");
  }

  amqp_table_entry_t capability = {};
  capability.key = amqp_cstring_bytes("connection.blocked");
  capability.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  capability.value.value.boolean = 1;
  amqp_table_entry_t properties[3] = {};
  properties[0].key = amqp_cstring_bytes("capabilities");
  properties[0].value.kind = AMQP_FIELD_KIND_TABLE;
  properties[0].value.value.table = {1, &capability};
  const char* const names[][2] = {{"product", "flowacct"}, {"connection_name", "flowacct"}};
  for (size_t i = 0; i < 2; ++i) {
    properties[i + 1].key = amqp_cstring_bytes(names[i][0]);
    properties[i + 1].value.kind = AMQP_FIELD_KIND_UTF8;
    properties[i + 1].value.value.bytes = amqp_cstring_bytes(names[i][1]);
  }
  const amqp_table_t table = {3, properties};
  const int heartbeat = static_cast<int>(absl::ToInt64Seconds(options_.heartbeat));
  const amqp_rpc_reply_t login =
      amqp_login_with_properties(state_, options_.vhost.c_str(), 0, kFrameMax, heartbeat, &table,
                                 AMQP_SASL_METHOD_PLAIN, options_.user.c_str(), password.c_str());
  if (absl::Status status = Check(login, "logging in"); !status.ok()) return status;
  amqp_channel_open(state_, kChannel);
  if (absl::Status status = Check(amqp_get_rpc_reply(state_), "opening a channel"); !status.ok()) return status;
  amqp_confirm_select(state_, kChannel);
  return Check(amqp_get_rpc_reply(state_), "asking for confirms");
}

absl::Status AmqpConnection::Lost(int status, absl::string_view doing) {
  const std::string what = absl::StrCat("amqp: ", where_, ": ", doing, ": ");
  if (is_blocked_) {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, "the broker takes nothing: ", blocked_reason_, "; see rabbitmq-diagnostics alarms"));
  }
  if (cutter_.has_cut() || status == AMQP_STATUS_TIMEOUT || status == AMQP_STATUS_HEARTBEAT_TIMEOUT) {
    return absl::UnavailableError(
        absl::StrCat(what, "the broker said nothing for ", absl::FormatDuration(options_.timeout)));
  }
  const StatusCode code =
      status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED || status == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED
          ? StatusCode::kPermissionDenied
          : StatusCode::kUnavailable;
  return absl::Status(code, absl::StrCat(what, amqp_error_string2(status)));
}

absl::Status AmqpConnection::Check(const amqp_rpc_reply_t& reply, absl::string_view doing) {
  switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
      return absl::OkStatus();
    case AMQP_RESPONSE_SERVER_EXCEPTION: {
      const std::string what = absl::StrCat(where_, ": ", doing);
      if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const auto* const close = static_cast<const amqp_connection_close_t*>(reply.reply.decoded);
        return ReplyError(close->reply_code, View(close->reply_text), what);
      }
      if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const auto* const close = static_cast<const amqp_channel_close_t*>(reply.reply.decoded);
        return ReplyError(close->reply_code, View(close->reply_text), what);
      }
      return absl::UnavailableError(absl::StrCat("amqp: ", what, ": an answer that was not asked for"));
    }
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
    case AMQP_RESPONSE_NONE:
      break;
  }
  return Lost(reply.library_error, doing);
}

void AmqpConnection::TakeAck(uint64_t tag, bool multiple) {
  const uint64_t oldest = next_tag_ - confirmed_.size();
  if (tag < oldest || tag >= next_tag_) return;  // not of ours, or twice
  for (uint64_t i = multiple ? oldest : tag; i <= tag; ++i) {
    if (confirmed_[i - oldest]) continue;
    confirmed_[i - oldest] = true;
    --unconfirmed_;
  }
  while (!confirmed_.empty() && confirmed_.front()) confirmed_.pop_front();
  cutter_.Extend();
}

absl::Status AmqpConnection::TakeMethod(const amqp_method_t& method) {
  switch (method.id) {
    case AMQP_BASIC_ACK_METHOD: {
      const auto* const ack = static_cast<const amqp_basic_ack_t*>(method.decoded);
      TakeAck(ack->delivery_tag, ack->multiple != 0);
      return absl::OkStatus();
    }
    case AMQP_BASIC_NACK_METHOD:
      if (failed_.ok()) {
        failed_ = absl::UnavailableError(
            absl::StrCat("amqp: ", where_, ": a queue refused a message; see its max-length and the broker's log"));
      }
      return absl::OkStatus();
    case AMQP_BASIC_RETURN_METHOD: {
      // Its header and octets come as frames that nobody looks at, and a confirm as for the others.
      const auto* const returned = static_cast<const amqp_basic_return_t*>(method.decoded);
      if (failed_.ok()) {
        failed_ = ReplyError(returned->reply_code, View(returned->reply_text),
                             absl::StrCat(where_, ": exchange \"", View(returned->exchange), "\", routing key \"",
                                          View(returned->routing_key), "\""));
      }
      return absl::OkStatus();
    }
    case AMQP_CONNECTION_BLOCKED_METHOD:
      is_blocked_ = true;
      blocked_reason_ = std::string(View(static_cast<const amqp_connection_blocked_t*>(method.decoded)->reason));
      return absl::OkStatus();
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      is_blocked_ = false;
      cutter_.Extend();
      return absl::OkStatus();
    case AMQP_CHANNEL_CLOSE_METHOD: {
      const auto* const close = static_cast<const amqp_channel_close_t*>(method.decoded);
      return ReplyError(close->reply_code, View(close->reply_text), absl::StrCat(where_, ": writing"));
    }
    case AMQP_CONNECTION_CLOSE_METHOD: {
      const auto* const close = static_cast<const amqp_connection_close_t*>(method.decoded);
      return ReplyError(close->reply_code, View(close->reply_text), absl::StrCat(where_, ": writing"));
    }
    default:
      return absl::OkStatus();
  }
}

absl::Status AmqpConnection::Take(bool wait) {
  for (;;) {
    // The cutter ends a wait that is too long.
    timeval time = wait ? absl::ToTimeval(absl::Seconds(1)) : timeval{0, 0};
    amqp_frame_t frame;
    const int status = amqp_simple_wait_frame_noblock(state_, &frame, &time);
    if (status == AMQP_STATUS_TIMEOUT) {
      return cutter_.has_cut() ? Lost(status, "writing") : failed_;
    }
    if (status != AMQP_STATUS_OK) return Lost(status, "writing");
    absl::Status taken = frame.frame_type == AMQP_FRAME_METHOD ? TakeMethod(frame.payload.method) : absl::OkStatus();
    amqp_maybe_release_buffers(state_);
    if (!taken.ok()) return taken;
    wait = false;
  }
}

bool AmqpConnection::IsAlive() { return Take(false).ok(); }

absl::Status AmqpConnection::Publish(absl::string_view exchange, absl::string_view routing_key,
                                     absl::string_view content_type, absl::string_view part, absl::string_view octets) {
  if (!armed_) {
    cutter_.Arm(amqp_get_sockfd(state_), options_.timeout);
    armed_ = true;
  }
  if (next_tag_ % kTakeEvery == 0) {
    if (absl::Status status = Take(false); !status.ok()) return status;
  }
  while (unconfirmed_ >= max_unconfirmed_ || is_blocked_) {
    if (absl::Status status = Take(true); !status.ok()) return status;
  }
  amqp_basic_properties_t properties = {};
  properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_APP_ID_FLAG;
  properties.content_type = Bytes(content_type);
  properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  properties.app_id = amqp_cstring_bytes("flowacct");
  amqp_table_entry_t header = {};
  if (!part.empty()) {
    header.key = Bytes(queue::kBatchHeader);
    header.value.kind = AMQP_FIELD_KIND_UTF8;
    header.value.value.bytes = Bytes(part);
    properties._flags |= AMQP_BASIC_HEADERS_FLAG;
    properties.headers = {1, &header};
    if (part.size() <= kLongestShortString) {
      properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
      properties.message_id = Bytes(part);
    }
  }
  const int status =
      amqp_basic_publish(state_, kChannel, Bytes(exchange), Bytes(routing_key.substr(0, kLongestShortString)),
                         /*mandatory=*/1, /*immediate=*/0, &properties, Bytes(octets));
  if (status != AMQP_STATUS_OK) {
    // What it said before it closed explains more.
    absl::Status said = cutter_.has_cut() ? absl::OkStatus() : Take(false);
    return said.ok() || absl::IsUnavailable(said) ? Lost(status, "writing") : said;
  }
  ++next_tag_;
  confirmed_.push_back(false);
  ++unconfirmed_;
  return absl::OkStatus();
}

absl::Status AmqpConnection::Confirm() {
  while (unconfirmed_ > 0) {
    if (absl::Status status = Take(true); !status.ok()) return status;
  }
  cutter_.Disarm();
  armed_ = false;
  return failed_;
}

}  // namespace flowacct::sink::amqp
