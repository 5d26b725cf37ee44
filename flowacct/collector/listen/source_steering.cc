#include "flowacct/collector/listen/source_steering.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "flowacct/base/octets.h"

namespace flowacct::collector {
namespace {

// Odd numbers with well mixed bits; the second is murmur3's.
constexpr uint32_t kMix1 = 0x9e3779b1;
constexpr uint32_t kMix2 = 0x85ebca6b;

// Where the addresses lie in the headers (RFC 791, 3.1; RFC 8200, 3).
constexpr uint32_t kSource4 = 12;
constexpr uint32_t kSource6 = 8;

absl::Status SetFilter(const Descriptor& socket, int option, sock_filter* program, size_t n) {
  const sock_fprog filter = {static_cast<unsigned short>(n), program};
  if (setsockopt(socket.get(), SOL_SOCKET, option, &filter, sizeof(filter)) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "the system takes no BPF program");
}

}  // namespace

size_t WorkerOfSource(const base::IpAddress& source, size_t workers) {
  if (workers <= 1) return 0;
  uint32_t hash;
  if (source.IsV4()) {
    hash = source.v4();
  } else {
    hash = base::LoadBe32(source.data());
    for (int word = 1; word < 4; ++word) hash = (hash * kMix1) ^ base::LoadBe32(source.data() + 4 * word);
  }
  hash *= kMix1;
  hash ^= hash >> 16;
  hash *= kMix2;
  return (hash >> 8) % workers;
}

absl::Status SteerBySource(const Descriptor& socket, size_t workers) {
  // The same, a step a line. Words that are loaded come in host order.
  const auto net = [](uint32_t offset) { return static_cast<uint32_t>(SKF_NET_OFF) + offset; };
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, net(0)),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 14, 0),  // over IPv6's part
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, net(kSource6)),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, kMix1),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, net(kSource6 + 4)),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, kMix1),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, net(kSource6 + 8)),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, kMix1),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, net(kSource6 + 12)),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, net(kSource4)),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, kMix1),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, kMix2),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 8),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, static_cast<uint32_t>(workers)),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  return SetFilter(socket, SO_ATTACH_REUSEPORT_CBPF, program, sizeof(program) / sizeof(program[0]));
}

absl::Status TakeNothing(const Descriptor& socket) {
  sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
  return SetFilter(socket, SO_ATTACH_FILTER, program, 1);
}

void TakeAll(const Descriptor& socket) {
  const int unused = 0;
  setsockopt(socket.get(), SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
}

}  // namespace flowacct::collector
