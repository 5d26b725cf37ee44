#include "flowacct/collector/admin/admin_server.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <list>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/admin/listen_socket.h"

namespace flowacct::collector {
namespace {

// A policy for what is shown to people: nothing from elsewhere, nothing in line.
constexpr char kPagePolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

// The daemon's own limit is higher, since it tells nobody whom it turned away.
constexpr unsigned kBeyond = 64;

// Signals are for the threads of whoever embeds this; those that are made in this scope hear none.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

absl::string_view HeaderOf(MHD_Connection* connection, const char* name) {
  const char* const text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return text == nullptr ? absl::string_view() : absl::string_view(text);
}

class Server final : public AdminServer {
 public:
  Server(AdminApi* api, AdminServerOptions options) : api_(api), options_(std::move(options)) {}
  ~Server() override;

  absl::Status Listen();
  const std::vector<std::string>& addresses() const override { return addresses_; }

 private:
  // What listens at one address.
  struct Door {
    Server* server;
    ListenSocket socket;
    MHD_Daemon* daemon = nullptr;
  };
  // One connection, which is one request.
  struct Connection {
    int descriptor = -1;  // a duplicate of the connection's, so that it stays what it is until we close it
    absl::Time deadline;
    bool cut = false;
    std::string target;
    bool begun = false;
    std::string body;
    std::list<Connection*>::iterator place;
  };

  static void OnConnection(void* door, MHD_Connection* connection, void** context,
                           MHD_ConnectionNotificationCode event);
  static void* OnTarget(void* door, const char* target, MHD_Connection* connection);
  static MHD_Result OnRequest(void* door, MHD_Connection* connection, const char* url, const char* method,
                              const char* version, const char* upload, size_t* upload_size, void** context);
  static Connection* ConnectionOf(MHD_Connection* connection);

  void Begin(MHD_Connection* connection, void** context);
  void End(void** context);
  // The connection's own thread wakes and ends it.
  static void Cut(Connection* connection) {
    connection->cut = true;
    if (connection->descriptor >= 0) shutdown(connection->descriptor, SHUT_RDWR);
  }
  MHD_Result Send(MHD_Connection* connection, AdminResponse response);
  // Cuts connections that take too long, until the server stops.
  void Watch();

  AdminApi* const api_;
  const AdminServerOptions options_;
  std::vector<std::string> addresses_;
  std::list<Door> doors_;
  std::atomic<size_t> pending_octets_{0};
  base::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::list<Connection*> connections_ ABSL_GUARDED_BY(mutex_);  // by their deadlines
  std::thread watcher_;
};

Server::~Server() {
  for (Door& door : doors_) {
    if (door.daemon != nullptr) MHD_stop_daemon(door.daemon);
  }
  {
    base::MutexLock lock(&mutex_);
    stop_ = true;
  }
  if (watcher_.joinable()) watcher_.join();
}

absl::Status Server::Listen() {
  const SignalsBlocked blocked;
  watcher_ = std::thread([this] { Watch(); });
  ListenSocketOptions socket_options;
  socket_options.mode = options_.socket_mode;
  for (const std::string& address : options_.listen) {
    absl::StatusOr<ListenSocket> socket = ListenSocket::Open(address, socket_options);
    if (!socket.ok()) return socket.status();
    addresses_.push_back(socket->address());
    Door& door = doors_.emplace_back(Door{this, *std::move(socket)});
    const auto idle_seconds = static_cast<unsigned>(std::max<int64_t>(1, absl::ToInt64Seconds(options_.idle_timeout)));
    door.daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC, 0, nullptr,
        nullptr, &OnRequest, &door, MHD_OPTION_LISTEN_SOCKET, door.socket.descriptor(), MHD_OPTION_CONNECTION_LIMIT,
        options_.max_connections + kBeyond, MHD_OPTION_CONNECTION_MEMORY_LIMIT, options_.max_head_octets,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_THREAD_STACK_SIZE, size_t{512} << 10,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, &OnConnection, &door,
        MHD_OPTION_URI_LOG_CALLBACK, &OnTarget, &door, MHD_OPTION_END);
    if (door.daemon == nullptr) {
      return absl::UnavailableError(absl::StrCat("admin: ", address, ": the HTTP server does not start"));
    }
    door.socket.Release();  // the daemon closes it
  }
  return absl::OkStatus();
}

void Server::OnConnection(void* door, MHD_Connection* connection, void** context,
                          MHD_ConnectionNotificationCode event) {
  Server* const server = static_cast<Door*>(door)->server;
  event == MHD_CONNECTION_NOTIFY_STARTED ? server->Begin(connection, context) : server->End(context);
}

void Server::Begin(MHD_Connection* connection, void** context) {
  const MHD_ConnectionInfo* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  auto* const begun = new Connection;
  begun->deadline = absl::Now() + options_.connection_timeout;
  if (info != nullptr) begun->descriptor = fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 0);
  *context = begun;
  base::MutexLock lock(&mutex_);
  begun->place = connections_.insert(connections_.end(), begun);
  if (connections_.size() <= options_.max_connections) return;
  api_->CountTurnedAway();
  Cut(begun);
}

void Server::End(void** context) {
  auto* const ended = static_cast<Connection*>(*context);
  if (ended == nullptr) return;
  *context = nullptr;
  {
    base::MutexLock lock(&mutex_);
    connections_.erase(ended->place);
  }
  if (ended->descriptor >= 0) close(ended->descriptor);
  delete ended;
}

void Server::Watch() {
  base::MutexLock lock(&mutex_);
  while (!stop_) {
    const absl::Time now = absl::Now();
    absl::Time next = now + absl::Seconds(1);
    for (Connection* connection : connections_) {
      if (connection->cut) continue;
      if (connection->deadline > now) {
        next = std::min(next, connection->deadline);
        break;
      }
      api_->CountCut();
      Cut(connection);
    }
    const auto is_over = [this] {
      mutex_.AssertHeld();
      return stop_;
    };
    mutex_.AwaitFor(is_over, next - now);
  }
}

Server::Connection* Server::ConnectionOf(MHD_Connection* connection) {
  const MHD_ConnectionInfo* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == nullptr ? nullptr : static_cast<Connection*>(info->socket_context);
}

void* Server::OnTarget(void*, const char* target, MHD_Connection* connection) {
  if (Connection* const of = ConnectionOf(connection); of != nullptr) of->target = target;
  return nullptr;
}

MHD_Result Server::OnRequest(void* door, MHD_Connection* connection, const char*, const char* method, const char*,
                             const char* upload, size_t* upload_size, void**) {
  Server* const server = static_cast<Door*>(door)->server;
  Connection* const request = ConnectionOf(connection);
  if (request == nullptr) return MHD_NO;
  if (!request->begun) {
    request->begun = true;
    uint64_t announced = 0;
    if (absl::SimpleAtoi(HeaderOf(connection, MHD_HTTP_HEADER_CONTENT_LENGTH), &announced) &&
        announced > server->options_.max_body_octets) {
      server->api_->CountFailed();
      return server->Send(connection, AdminApi::Error(413, absl::StrCat("no request needs a body of more than ",
                                                                        server->options_.max_body_octets, " octets")));
    }
    return MHD_YES;  // a body may follow
  }
  if (*upload_size > 0) {
    const size_t size = std::exchange(*upload_size, 0);
    if (size <= server->options_.max_body_octets - request->body.size()) {
      request->body.append(upload, size);
      return MHD_YES;
    }
    server->api_->CountFailed();
    return MHD_NO;  // no answer can be sent in the middle of a body
  }
  AdminRequest asked;
  asked.method = method;
  asked.target = request->target;
  asked.host = HeaderOf(connection, MHD_HTTP_HEADER_HOST);
  asked.origin = HeaderOf(connection, MHD_HTTP_HEADER_ORIGIN);
  asked.body = request->body;
  asked.local = static_cast<Door*>(door)->socket.local();
  return server->Send(connection, server->api_->Answer(asked));
}

MHD_Result Server::Send(MHD_Connection* connection, AdminResponse response) {
  struct Pending {
    std::atomic<size_t>* octets;
    std::string body;
  };
  const size_t size = response.body.size();
  if (const size_t before = pending_octets_.fetch_add(size);
      before > 0 && before + size > options_.max_pending_octets) {
    pending_octets_ -= size;
    api_->CountPostponed();
    response = AdminApi::Error(503, "too many answers are being read; ask again in a second");
    pending_octets_ += response.body.size();
  }
  auto* const pending = new Pending{&pending_octets_, std::move(response.body)};
  MHD_Response* const answer = MHD_create_response_from_buffer_with_free_callback_cls(
      pending->body.size(), pending->body.data(),
      [](void* of) {
        auto* const sent = static_cast<Pending*>(of);
        *sent->octets -= sent->body.size();
        delete sent;
      },
      pending);
  if (answer == nullptr) {
    pending_octets_ -= pending->body.size();
    delete pending;
    return MHD_NO;
  }
  const auto add = [answer](const char* name, const char* value) { MHD_add_response_header(answer, name, value); };
  add(MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type);
  add(MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  add("X-Content-Type-Options", "nosniff");
  add(MHD_HTTP_HEADER_CONNECTION, "close");
  if (response.allow != nullptr) add(MHD_HTTP_HEADER_ALLOW, response.allow);
  if (response.status == 503) add(MHD_HTTP_HEADER_RETRY_AFTER, "1");
  if (response.page) add("Content-Security-Policy", kPagePolicy);
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(response.status), answer);
  MHD_destroy_response(answer);
  return queued;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(AdminApi* api, AdminServerOptions options) {
  auto server = std::make_unique<Server>(api, std::move(options));
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  return std::unique_ptr<AdminServer>(std::move(server));
}

}  // namespace flowacct::collector
