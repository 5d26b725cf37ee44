#include "flowacct/collector/igp/circuit_socket.h"

#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/socket/socket_address.h"
#include "flowacct/isis/encapsulation.h"

namespace flowacct::collector {
namespace {

constexpr size_t kMaxFrame = 65536;
constexpr int kMaxOthers = 256;
constexpr int kGreProtocol = 47;
constexpr int kArphrdIp6Gre = 823;  // linux/if_arp.h, which does not go with net/if.h

absl::Status NeedsPrivilege(absl::string_view what) {
  return absl::PermissionDeniedError(
      absl::StrCat(what, ": raw sockets need root or CAP_NET_RAW ('setcap cap_net_raw+ep' on the program)"));
}

class SystemSocket : public CircuitSocket {
 protected:
  template <typename Unwrap>
  bool Take(const Descriptor& socket, std::vector<uint8_t>& buffer, CircuitFrame* frame, Unwrap unwrap) {
    // Bounded, as what is none of ours may come without end: others and timers have their turn.
    for (int left = kMaxOthers; left > 0; --left) {
      const ssize_t n = recv(socket.get(), buffer.data(), buffer.size(), 0);
      if (n < 0) return false;
      isis::CarriedPdu carried;
      const isis::EncapsulationResult result = unwrap(base::Octets(buffer.data(), static_cast<size_t>(n)), &carried);
      ++counters_.received[static_cast<size_t>(result)];
      if (result != isis::EncapsulationResult::kOk) continue;
      frame->source = carried.source;
      frame->pdu = carried.pdu;
      return true;
    }
    return false;
  }
  void Count(ssize_t sent) { ++(sent < 0 ? counters_.not_sent : counters_.sent); }
};

bool HasIndex(const std::string& device, int index) {
  return static_cast<int>(if_nametoindex(device.c_str())) == index;
}

class EthernetCircuit : public SystemSocket {
 public:
  EthernetCircuit(Descriptor socket, int index, isis::CircuitOptions circuit)
      : socket_(std::move(socket)), index_(index), circuit_(std::move(circuit)), buffer_(kMaxFrame) {}

  int descriptor() const override { return socket_.get(); }
  const isis::CircuitOptions& circuit() const override { return circuit_; }
  bool IsThere() const override { return HasIndex(circuit_.name, index_); }

  bool Receive(CircuitFrame* frame) override {
    return Take(socket_, buffer_, frame,
                [](base::Octets octets, isis::CarriedPdu* carried) { return isis::UnwrapEthernet(octets, carried); });
  }

  void Send(isis::Level level, base::Octets pdu) override {
    const base::MacAddress group =
        circuit_.kind == isis::CircuitKind::kPointToPoint ? isis::AllIss() : isis::AllIss(level);
    sockaddr_ll to = {};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = index_;
    to.sll_halen = 6;
    std::memcpy(to.sll_addr, group.octets.data(), 6);
    const std::vector<uint8_t> frame = isis::WrapEthernet(group, circuit_.mac, pdu);
    Count(sendto(socket_.get(), frame.data(), frame.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to),
                 sizeof(to)));
  }

 private:
  const Descriptor socket_;
  const int index_;
  const isis::CircuitOptions circuit_;
  std::vector<uint8_t> buffer_;
};

// A tunnel interface of the kernel, which takes GRE off and puts it on: packets are PDUs with the type that GRE told.
class TunnelCircuit : public SystemSocket {
 public:
  TunnelCircuit(Descriptor socket, int index, isis::CircuitOptions circuit)
      : socket_(std::move(socket)), index_(index), circuit_(std::move(circuit)), buffer_(kMaxFrame) {}

  int descriptor() const override { return socket_.get(); }
  const isis::CircuitOptions& circuit() const override { return circuit_; }
  bool IsThere() const override { return HasIndex(circuit_.name, index_); }

  bool Receive(CircuitFrame* frame) override {
    return Take(socket_, buffer_, frame, [this](base::Octets octets, isis::CarriedPdu* carried) {
      // With the header that the kernel took off, one place judges what it carried.
      packet_ = isis::WrapGre(octets);
      return isis::UnwrapGre(packet_, carried);
    });
  }

  void Send(isis::Level, base::Octets pdu) override {
    sockaddr_ll to = {};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = index_;
    to.sll_protocol = htons(isis::kGreType);
    Count(sendto(socket_.get(), pdu.data(), pdu.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to),
                 sizeof(to)));
  }

 private:
  const Descriptor socket_;
  const int index_;
  const isis::CircuitOptions circuit_;
  std::vector<uint8_t> buffer_, packet_;
};

class GreCircuit : public SystemSocket {
 public:
  GreCircuit(Descriptor socket, bool v4, isis::CircuitOptions circuit)
      : socket_(std::move(socket)), v4_(v4), circuit_(std::move(circuit)), buffer_(kMaxFrame) {}

  int descriptor() const override { return socket_.get(); }
  const isis::CircuitOptions& circuit() const override { return circuit_; }

  bool Receive(CircuitFrame* frame) override {
    // A raw socket of IPv4 has the IP header before, that of IPv6 not (raw(7); RFC 3542, 3).
    return Take(socket_, buffer_, frame, [this](base::Octets octets, isis::CarriedPdu* carried) {
      return v4_ ? isis::UnwrapIp(octets, carried) : isis::UnwrapGre(octets, carried);
    });
  }

  void Send(isis::Level, base::Octets pdu) override {
    const std::vector<uint8_t> packet = isis::WrapGre(pdu);
    Count(send(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT));
  }

 private:
  const Descriptor socket_;
  const bool v4_;
  const isis::CircuitOptions circuit_;
  std::vector<uint8_t> buffer_;
};

// Those of the interface, link-local ones of IPv6 first (RFC 5308, 3: hellos tell these).
std::vector<base::IpAddress> AddressesOf(const std::string& device) {
  std::vector<base::IpAddress> addresses;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return addresses;
  for (const ifaddrs* a = all; a != nullptr; a = a->ifa_next) {
    if (a->ifa_addr == nullptr || device != a->ifa_name) continue;
    sockaddr_storage storage = {};
    if (a->ifa_addr->sa_family == AF_INET) {
      std::memcpy(&storage, a->ifa_addr, sizeof(sockaddr_in));
    } else if (a->ifa_addr->sa_family == AF_INET6) {
      std::memcpy(&storage, a->ifa_addr, sizeof(sockaddr_in6));
    } else {
      continue;
    }
    base::IpAddress address;
    uint16_t port;
    if (FromSocketAddress(storage, &address, &port)) addresses.push_back(address);
  }
  freeifaddrs(all);
  const auto link_local = [](const base::IpAddress& a) {
    return !a.IsV4() && a.data()[0] == 0xfe && (a.data()[1] & 0xc0) == 0x80;
  };
  std::stable_partition(addresses.begin(), addresses.end(), link_local);
  return addresses;
}

absl::Status NotBound(const std::string& device) {
  return absl::ErrnoToStatus(errno, absl::StrCat(device, ": cannot be bound"));
}

absl::StatusOr<std::unique_ptr<CircuitSocket>> OpenTunnel(int index, int mtu, isis::CircuitOptions circuit) {
  Descriptor socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_ll here = {};
  here.sll_family = AF_PACKET;
  here.sll_ifindex = index;
  here.sll_protocol = htons(isis::kGreType);
  if (!socket.is_open() || bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof(here)) != 0) {
    return NotBound(circuit.name);
  }
  circuit.mtu = static_cast<uint16_t>(mtu);
  return std::unique_ptr<CircuitSocket>(new TunnelCircuit(std::move(socket), index, std::move(circuit)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CircuitSocket>> OpenDeviceCircuit(const std::string& device, isis::CircuitKind kind) {
  const int index = static_cast<int>(if_nametoindex(device.c_str()));
  if (index == 0) {
    return absl::NotFoundError(absl::StrCat(device, ": no such interface; 'ip link' lists them"));
  }
  // Protocol 0 takes nothing until the filter is there and the socket is bound.
  Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) {
    return errno == EPERM ? NeedsPrivilege(device) : absl::ErrnoToStatus(errno, absl::StrCat(device, ": no socket"));
  }
  isis::CircuitOptions circuit;
  circuit.kind = kind;
  circuit.name = device;
  ifreq request = {};
  std::strncpy(request.ifr_name, device.c_str(), IFNAMSIZ - 1);
  if (ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(device, ": does not say what it is"));
  }
  const int type = request.ifr_hwaddr.sa_family;
  if (type == ARPHRD_ETHER) std::memcpy(circuit.mac.octets.data(), request.ifr_hwaddr.sa_data, 6);
  const int mtu = ioctl(socket.get(), SIOCGIFMTU, &request) == 0 ? std::clamp(request.ifr_mtu, 0, 65535) : 1500;
  circuit.addresses = AddressesOf(device);
  // ARPHRD_NONE: what a program makes (tun(4)), with the type in each packet.
  if (type == ARPHRD_IPGRE || type == kArphrdIp6Gre || type == ARPHRD_NONE) {
    if (kind != isis::CircuitKind::kPointToPoint) {
      return absl::InvalidArgumentError(absl::StrCat(device, ": is a tunnel with two ends, and no LAN"));
    }
    return OpenTunnel(index, mtu, std::move(circuit));
  }
  if (type != ARPHRD_ETHER) {
    return absl::InvalidArgumentError(
        absl::StrCat(device, ": is neither Ethernet nor a GRE tunnel, and carries no IS-IS"));
  }
  circuit.mtu = static_cast<uint16_t>(isis::PduSizeInEthernet(static_cast<size_t>(mtu)));

  // FE FE 03 83, whether a length or 0x8870 stands before, of what comes in.
  sock_filter isis_alone[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 3, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ETH_HLEN),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xfefe0383, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog program = {static_cast<uint16_t>(std::size(isis_alone)), isis_alone};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(device, ": no filter can be attached"));
  }
  for (const base::MacAddress& group : {isis::AllIss(isis::Level::k1), isis::AllIss(isis::Level::k2), isis::AllIss()}) {
    packet_mreq membership = {};
    membership.mr_ifindex = index;
    membership.mr_type = PACKET_MR_MULTICAST;
    membership.mr_alen = 6;
    std::memcpy(membership.mr_address, group.octets.data(), 6);
    if (setsockopt(socket.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof(membership)) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat(device, ": the group addresses of IS-IS cannot be joined"));
    }
  }
  sockaddr_ll here = {};
  here.sll_family = AF_PACKET;
  here.sll_ifindex = index;
  here.sll_protocol = htons(ETH_P_ALL);  // lengths and 0x8870 alike
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof(here)) != 0) {
    return NotBound(device);
  }
  return std::unique_ptr<CircuitSocket>(new EthernetCircuit(std::move(socket), index, std::move(circuit)));
}

absl::StatusOr<std::unique_ptr<CircuitSocket>> OpenGreCircuit(const base::IpAddress& local,
                                                              const base::IpAddress& remote,
                                                              std::vector<base::IpAddress> told) {
  const std::string name = absl::StrCat("gre ", local.ToString(), " ", remote.ToString());
  if (local.IsV4() != remote.IsV4()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": one is IPv4 and one is IPv6; both ends of a tunnel are of one family"));
  }
  Descriptor socket(::socket(local.IsV4() ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, kGreProtocol));
  if (!socket.is_open()) {
    return errno == EPERM ? NeedsPrivilege(name) : absl::ErrnoToStatus(errno, absl::StrCat(name, ": no socket"));
  }
  Endpoint end;
  end.address = local;
  const absl::StatusOr<SocketAddress> here = ToSocketAddress(end);
  if (!here.ok()) return here.status();
  if (bind(socket.get(), here->get(), here->length) != 0) {
    return errno == EADDRNOTAVAIL
               ? absl::NotFoundError(absl::StrCat(name, ": no interface of this machine has the address ",
                                                  local.ToString(), "; 'ip address' lists them"))
               : absl::ErrnoToStatus(errno, absl::StrCat(name, ": cannot be bound"));
  }
  end.address = remote;
  const absl::StatusOr<SocketAddress> there = ToSocketAddress(end);
  if (!there.ok()) return there.status();
  // Then the kernel hands up what comes from there alone.
  if (connect(socket.get(), there->get(), there->length) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(name, ": no route to ", remote.ToString()));
  }
  isis::CircuitOptions circuit;
  circuit.kind = isis::CircuitKind::kPointToPoint;
  circuit.name = name;
  circuit.addresses = std::move(told);
  circuit.mtu = static_cast<uint16_t>(isis::PduSizeInGre(1500, local.IsV4()));  // what routers take a tunnel's to be
  return std::unique_ptr<CircuitSocket>(new GreCircuit(std::move(socket), local.IsV4(), std::move(circuit)));
}

}  // namespace flowacct::collector
