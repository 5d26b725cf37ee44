#include "flowacct/collector/admin/listen_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::collector {
namespace {

constexpr int kSocketFlags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

absl::Status Failure(absl::string_view address, absl::string_view did, int error) {
  const std::string text = absl::StrCat("admin: ", address, ": ", did, ": ", std::strerror(error));
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(
          absl::StrCat(text, "; choose another port, or stop what listens there (ss -ltnp tells what)"));
    case EADDRNOTAVAIL:
      return absl::NotFoundError(absl::StrCat(text, "; this machine has no such address (ip address tells which)"));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(
          absl::StrCat(text, "; ports below 1024 and other users' folders need privileges"));
    case ENOENT:
      return absl::NotFoundError(absl::StrCat(text, "; make the folder first"));
    default:
      return absl::UnavailableError(text);
  }
}

// A plain pointer to the start of any socket address is what the calls take.
template <typename Address>
const sockaddr* Plain(const Address* address) {
  return reinterpret_cast<const sockaddr*>(address);
}

}  // namespace

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      address_(std::move(other.address_)),
      path_(std::exchange(other.path_, std::string())) {}

ListenSocket::~ListenSocket() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!path_.empty()) unlink(path_.c_str());
}

int ListenSocket::Release() { return std::exchange(descriptor_, -1); }

absl::StatusOr<ListenSocket> ListenSocket::Open(absl::string_view address, const ListenSocketOptions& options) {
  ListenSocket socket;
  socket.address_ = std::string(address);
  absl::string_view path = address;
  const absl::Status status =
      absl::ConsumePrefix(&path, "unix:") ? socket.OpenUnix(path, options) : socket.OpenTcp(address, options);
  if (!status.ok()) return status;
  return socket;
}

absl::Status ListenSocket::OpenTcp(absl::string_view address, const ListenSocketOptions& options) {
  const size_t colon = address.rfind(':');
  absl::string_view host = address.substr(0, colon);
  const bool opened = absl::ConsumePrefix(&host, "["), closed = absl::ConsumeSuffix(&host, "]");
  const std::optional<base::IpAddress> ip = base::IpAddress::Parse(host == "localhost" ? "127.0.0.1" : host);
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !ip || opened == ip->IsV4() || closed != opened ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("admin: \"", address, "\" is no address; such as 127.0.0.1:2112, [::1]:2112 or unix:/PATH"));
  }
  sockaddr_storage storage{};
  socklen_t size;
  if (ip->IsV4()) {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<uint16_t>(port));
    v4->sin_addr.s_addr = htonl(ip->v4());
    size = sizeof(*v4);
  } else {
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<uint16_t>(port));
    std::memcpy(&v6->sin6_addr, ip->data(), base::IpAddress::kSize);
    size = sizeof(*v6);
  }
  descriptor_ = socket(storage.ss_family, kSocketFlags, 0);
  if (descriptor_ < 0) return Failure(address, "no socket", errno);
  // Connections of an earlier process that linger do not keep its successor out.
  const int on = 1;
  setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(descriptor_, Plain(&storage), size) != 0) return Failure(address, "cannot be bound", errno);
  if (listen(descriptor_, options.backlog) != 0) return Failure(address, "cannot be listened at", errno);
  if (port == 0) {
    sockaddr_storage bound{};
    socklen_t bound_size = sizeof(bound);
    if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&bound), &bound_size) != 0) {
      return Failure(address, "has no port", errno);
    }
    // sin_port and sin6_port lie at the same place.
    address_ = absl::StrCat(address.substr(0, colon), ":", ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port));
  }
  return absl::OkStatus();
}

absl::Status ListenSocket::OpenUnix(absl::string_view path, const ListenSocketOptions& options) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("admin: unix:", path, ": a path of 1 to ", sizeof(address.sun_path) - 1, " octets is needed"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const std::string name(path);
  struct stat found {};
  if (lstat(name.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) {
      return absl::AlreadyExistsError(absl::StrCat("admin: ", name, " is there and no socket; choose another path"));
    }
    const int probe = socket(AF_UNIX, kSocketFlags, 0);
    const bool taken = probe >= 0 && (connect(probe, Plain(&address), sizeof(address)) == 0 || errno == EAGAIN);
    if (probe >= 0) close(probe);
    if (taken) {
      return absl::AlreadyExistsError(
          absl::StrCat("admin: at ", name, " another process listens; stop it, or choose another path"));
    }
    if (unlink(name.c_str()) != 0) return Failure(name, "an old socket cannot be removed", errno);
  }
  descriptor_ = socket(AF_UNIX, kSocketFlags, 0);
  if (descriptor_ < 0) return Failure(name, "no socket", errno);
  if (bind(descriptor_, Plain(&address), sizeof(address)) != 0) return Failure(name, "cannot be bound", errno);
  path_ = name;
  // Nobody can connect before listen().
  if (chmod(name.c_str(), options.mode) != 0) return Failure(name, "its mode cannot be set", errno);
  if (listen(descriptor_, options.backlog) != 0) return Failure(name, "cannot be listened at", errno);
  return absl::OkStatus();
}

}  // namespace flowacct::collector
