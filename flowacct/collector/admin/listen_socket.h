// A listening stream socket of the administration: TCP by address, or a UNIX socket by path.
//
//     127.0.0.1:2112   [::1]:2112   localhost:2112   unix:/run/flowacct/admin.sock
//
// Names other than "localhost" are not looked up. A UNIX socket that an earlier process left behind is replaced; one at
// which somebody still listens is not. Its mode is set before anybody can connect, and it is removed when closed.
// Ownership: the socket and its name in the file system. Threads: one at a time. Errors: a Status that names the
// address and what to do; kAlreadyExists where it is taken.

#ifndef FLOWACCT_COLLECTOR_ADMIN_LISTEN_SOCKET_H_
#define FLOWACCT_COLLECTOR_ADMIN_LISTEN_SOCKET_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {

struct ListenSocketOptions {
  // Of a UNIX socket: who may connect may do all that the API can.
  mode_t mode = 0660;
  // Connections that wait to be accepted.
  int backlog = 16;
};

class ListenSocket {
 public:
  static absl::StatusOr<ListenSocket> Open(absl::string_view address, const ListenSocketOptions& options);
  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) = delete;
  ~ListenSocket();

  int descriptor() const { return descriptor_; }
  bool local() const { return !path_.empty(); }
  // Somebody else closes the descriptor from now on; the name is still removed by this.
  int Release();
  // As it was asked, with the port that the system chose where it was 0.
  const std::string& address() const { return address_; }

 private:
  ListenSocket() = default;
  absl::Status OpenTcp(absl::string_view address, const ListenSocketOptions& options);
  absl::Status OpenUnix(absl::string_view path, const ListenSocketOptions& options);

  int descriptor_ = -1;
  std::string address_;
  std::string path_;  // of a UNIX socket that is ours
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_LISTEN_SOCKET_H_
