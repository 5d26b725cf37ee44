#include "flowacct/sink/amqp/testing/rabbitmq.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/sink/queue/batch_part.h"
#include "flowacct/sink/testing/server_process.h"

namespace flowacct::sink::amqp {
namespace {

constexpr char kProgram[] = "/usr/lib/rabbitmq/bin/rabbitmq-server";

pid_t Spawn(const std::string& folder, std::vector<std::string> words, std::vector<std::string> environment) {
  ServerProcess process;
  process.folder = folder;
  process.words = std::move(words);
  process.environment = std::move(environment);
  return sink::Spawn(process);
}

int Run(const std::string& folder, std::vector<std::string> words) {
  const pid_t pid = Spawn(folder, std::move(words), {});
  int state = 0;
  return waitpid(pid, &state, 0) == pid && WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

// An authority, and a certificate of it for localhost.
bool MakeCertificates(const std::string& folder) {
  const std::string ssl = "/usr/bin/openssl";
  std::ofstream(folder + "/names") << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
  return Run(folder, {ssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                      "/CN=flowacct test authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem"}) == 0 &&
         Run(folder, {ssl, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                      "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"}) == 0 &&
         Run(folder, {ssl, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "2", "-extfile", "names", "-out", "server.pem"}) == 0;
}

// An installation without plugins: the broker looks for each of its modules wherever one may be, and starts in two
// thirds of the time. Where none can be made, it starts from its own.
void MakeInstallation(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code wrong;
  fs::create_directories(folder + "/plugins", wrong);
  for (const fs::path& installed : fs::directory_iterator("/usr/lib/rabbitmq/lib", wrong)) {
    fs::create_symlink(installed / "sbin", folder + "/sbin", wrong);
    for (const fs::path& library : fs::directory_iterator(installed / "plugins", wrong)) {
      const std::string name = library.filename().string();
      if (absl::StartsWith(name, "rabbitmq_") && !absl::StartsWith(name, "rabbitmq_prelaunch-")) continue;
      fs::create_symlink(library, folder + "/plugins/" + name, wrong);
    }
  }
}

// A socket that has a port of 127.0.0.1 and never listens: while the broker is down nobody else is given the port, and
// the broker itself may listen there, since it says SO_REUSEADDR too. Negative: there is none to be had.
int KeepPort(int* port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const int on = 1, keeper = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(keeper, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      setsockopt(keeper, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      getsockname(keeper, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    close(keeper);
    return -1;
  }
  *port = ntohs(address.sin_port);
  return keeper;
}

// A connection as guest with channel 1; null with the error.
amqp_connection_state_t Open(int port, std::string* error) {
  amqp_connection_state_t state = amqp_new_connection();
  amqp_socket_t* const socket = amqp_tcp_socket_new(state);
  timeval timeout = {5, 0};
  (void)amqp_set_handshake_timeout(state, &timeout);
  int status = amqp_socket_open_noblock(socket, "127.0.0.1", port, &timeout);
  if (status == AMQP_STATUS_OK) {
    const amqp_rpc_reply_t login = amqp_login(state, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    if (login.reply_type == AMQP_RESPONSE_NORMAL) {
      amqp_channel_open(state, 1);
      if (amqp_get_rpc_reply(state).reply_type == AMQP_RESPONSE_NORMAL) return state;
    }
    status = login.library_error;
  }
  *error = absl::StrCat("port ", port, ": ", amqp_error_string2(status));
  amqp_destroy_connection(state);
  return nullptr;
}

std::string Text(amqp_bytes_t bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

}  // namespace

std::unique_ptr<Rabbitmq> Rabbitmq::Start(std::string* why) {
  if (access(kProgram, X_OK) != 0) {
    *why = absl::StrCat(kProgram, " is not installed: apt-get install rabbitmq-server");
    return nullptr;
  }
  auto server = std::unique_ptr<Rabbitmq>(new Rabbitmq());
  char folder[] = "/tmp/flowacct_rabbitmq_XXXXXX";
  if (mkdtemp(folder) == nullptr) {
    *why = "no folder in /tmp";
    return nullptr;
  }
  server->folder_ = folder;
  for (int* port : {&server->port_, &server->tls_port_, &server->epmd_port_, &server->dist_port_}) {
    server->port_keepers_.push_back(KeepPort(port));
    if (server->port_keepers_.back() < 0) {
      *why = "no port is free";
      return nullptr;
    }
  }
  MakeInstallation(server->folder_ + "/installed");
  if (!MakeCertificates(server->folder_)) {
    *why = "openssl makes no certificates";
    return nullptr;
  }
  std::ofstream(server->folder_ + "/plugins") << "[].\n";
  std::ofstream(server->folder_ + "/rabbitmq.conf")
      << "listeners.tcp.1 = 127.0.0.1:" << server->port_ << "\nlisteners.ssl.1 = 127.0.0.1:" << server->tls_port_
      << "\nssl_options.cacertfile = " << folder << "/ca.pem\nssl_options.certfile = " << folder
      << "/server.pem\nssl_options.keyfile = " << folder << "/server.key\n";
  if (!server->Launch()) {
    *why = absl::StrCat("it does not start: ", LogOf(server->folder_));
    return nullptr;
  }
  return server;
}

bool Rabbitmq::Launch() {
  std::vector<std::string> environment = {
      "HOME=" + folder_,
      "LC_ALL=C.UTF-8",
      absl::StrCat("ERL_EPMD_PORT=", epmd_port_),
      "ERL_EPMD_ADDRESS=127.0.0.1",
      "RABBITMQ_NODENAME=flowacct@localhost",
      absl::StrCat("RABBITMQ_DIST_PORT=", dist_port_),
      "RABBITMQ_MNESIA_BASE=" + folder_ + "/mnesia",
      "RABBITMQ_LOG_BASE=" + folder_ + "/logs",
      "RABBITMQ_CONFIG_FILE=" + folder_ + "/rabbitmq.conf",
      "RABBITMQ_CONF_ENV_FILE=" + folder_ + "/no-environment",
      "RABBITMQ_ENABLED_PLUGINS_FILE=" + folder_ + "/plugins",
      // Else the shell that starts it waits for it, and would have to be killed with it.
      "RABBITMQ_ALLOW_INPUT=true",
      "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput -kernel inet_dist_use_interface {127,0,0,1}",
  };
  if (std::filesystem::exists(folder_ + "/installed/sbin")) {
    environment.push_back("RABBITMQ_SCRIPTS_DIR=" + folder_ + "/installed/sbin");
  }
  if (epmd_ < 0) {
    // Of our own, so that it ends with us.
    epmd_ = Spawn(folder_, {"/usr/bin/epmd", "-port", absl::StrCat(epmd_port_), "-address", "127.0.0.1"}, environment);
  }
  pid_ = Spawn(folder_, {kProgram}, environment);
  std::string error;
  for (int i = 0; i < 1200; ++i) {
    if (amqp_connection_state_t state = Open(port_, &error)) {
      amqp_connection_close(state, AMQP_REPLY_SUCCESS);
      amqp_destroy_connection(state);
      return true;
    }
    int state = 0;
    if (waitpid(pid_, &state, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
  return false;
}

Rabbitmq::~Rabbitmq() {
  Kill();
  KillProcess(&epmd_);
  for (const int keeper : port_keepers_) close(keeper);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Rabbitmq::Kill() { KillProcess(&pid_); }

bool Rabbitmq::Restart() { return Launch(); }
void Rabbitmq::Freeze() { kill(pid_, SIGSTOP); }
void Rabbitmq::Thaw() { kill(pid_, SIGCONT); }

bool QueueReader::Declare(const std::string& exchange, const std::string& queue, const std::string& routing_key,
                          int max_length) {
  amqp_connection_state_t state = Open(port_, &error_);
  if (state == nullptr) return false;
  amqp_table_entry_t entries[2] = {};
  entries[0].key = amqp_cstring_bytes("x-max-length");
  entries[0].value.kind = AMQP_FIELD_KIND_I32;
  entries[0].value.value.i32 = max_length;
  entries[1].key = amqp_cstring_bytes("x-overflow");
  entries[1].value.kind = AMQP_FIELD_KIND_UTF8;
  entries[1].value.value.bytes = amqp_cstring_bytes("reject-publish");
  const amqp_table_t table = {max_length > 0 ? 2 : 0, entries};
  bool ok = true;
  const auto check = [&] { ok = ok && amqp_get_rpc_reply(state).reply_type == AMQP_RESPONSE_NORMAL; };
  amqp_queue_declare(state, 1, amqp_cstring_bytes(queue.c_str()), 0, /*durable=*/1, 0, 0, table);
  check();
  if (ok && !exchange.empty()) {
    amqp_exchange_declare(state, 1, amqp_cstring_bytes(exchange.c_str()), amqp_cstring_bytes("topic"), 0,
                          /*durable=*/1, 0, 0, amqp_empty_table);
    check();
    amqp_queue_bind(state, 1, amqp_cstring_bytes(queue.c_str()), amqp_cstring_bytes(exchange.c_str()),
                    amqp_cstring_bytes(routing_key.c_str()), amqp_empty_table);
    check();
  }
  amqp_queue_purge(state, 1, amqp_cstring_bytes(queue.c_str()));
  check();
  amqp_destroy_connection(state);
  if (!ok) error_ = "the broker does not do it";
  return ok;
}

std::vector<ReadMessage> QueueReader::Drain(const std::string& queue) {
  std::vector<ReadMessage> messages;
  amqp_connection_state_t state = Open(port_, &error_);
  if (state == nullptr) return messages;
  // Without acknowledgements: what was read is gone.
  for (;;) {
    amqp_maybe_release_buffers(state);
    const amqp_rpc_reply_t reply = amqp_basic_get(state, 1, amqp_cstring_bytes(queue.c_str()), /*no_ack=*/1);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL || reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) break;
    ReadMessage message;
    message.routing_key = Text(static_cast<const amqp_basic_get_ok_t*>(reply.reply.decoded)->routing_key);
    amqp_message_t octets;
    if (amqp_read_message(state, 1, &octets, 0).reply_type != AMQP_RESPONSE_NORMAL) break;
    message.octets = Text(octets.body);
    message.content_type = Text(octets.properties.content_type);
    message.message_id = Text(octets.properties.message_id);
    message.delivery_mode = octets.properties.delivery_mode;
    for (int i = 0; i < octets.properties.headers.num_entries; ++i) {
      const amqp_table_entry_t& entry = octets.properties.headers.entries[i];
      if (Text(entry.key) == queue::kBatchHeader) message.header = Text(entry.value.value.bytes);
    }
    amqp_destroy_message(&octets);
    messages.push_back(std::move(message));
  }
  amqp_destroy_connection(state);
  return messages;
}

}  // namespace flowacct::sink::amqp
