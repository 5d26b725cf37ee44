#include "flowacct/collector/replicate/replicator.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/socket/socket_address.h"
#include "flowacct/lpm/lpm_table.h"

namespace flowacct::collector {
namespace {

constexpr EndpointScheme kUdpOnly[] = {EndpointScheme::kUdp};

// The finaliser of SplitMix64 over both halves.
uint64_t HashAddress(const base::IpAddress& address, uint64_t seed) {
  uint64_t hash = seed;
  for (const size_t half : {0, 8}) {
    hash ^= base::LoadBe64(address.data() + half);
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
    hash ^= hash >> 31;
  }
  return hash;
}

// Whether datagrams to `address` stay on this machine.
bool IsOwn(const base::IpAddress& address) {
  if (address.IsV4() && address.v4() >> 24 == 127) return true;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return false;
  bool own = false;
  for (const ifaddrs* one = all; one != nullptr && !own; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    sockaddr_storage storage = {};
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    std::memcpy(&storage, one->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    base::IpAddress candidate;
    uint16_t port;
    own = FromSocketAddress(storage, &candidate, &port) && candidate == address;
  }
  freeifaddrs(all);
  return own;
}

// Whether a datagram to `receiver` comes to `listening`.
bool ComesBack(const Endpoint& receiver, const Endpoint& listening) {
  if (receiver.port != listening.port) return false;
  if (receiver.address == listening.address) return true;
  if (!listening.IsAnyAddress()) return false;
  if (listening.address.IsV4() && !receiver.address.IsV4()) return false;
  return IsOwn(receiver.address);
}

}  // namespace

struct Replicator::Receiver {
  std::string address;
  std::string style;  // what a socket was made for, to know it again
  uint64_t seed = 0;  // of the rendezvous hash: from its address alone, so that all workers agree
  std::shared_ptr<ReplicaSender> sender;
};

struct Replicator::Pool {
  std::string name;
  ReplicaBalance balance;
  bool all_exporters;
  lpm::LpmTable<uint8_t> exporters;
  bool all_protocols;
  std::array<bool, kExportProtocolCount> protocols{};
  std::vector<Receiver> receivers;
  size_t turn = 0;
  // Datagrams of an exporter come together: the last one's receiver is known.
  base::IpAddress last_exporter;
  Receiver* last_receiver = nullptr;

  bool Takes(const record::Datagram& datagram) const {
    return (all_exporters || exporters.Find(datagram.source) != nullptr) &&
           (all_protocols || protocols[static_cast<size_t>(ProtocolOfVersion(datagram.octets))]);
  }
  Receiver& ReceiverOf(const base::IpAddress& exporter) {
    if (last_receiver != nullptr && last_exporter == exporter) return *last_receiver;
    last_exporter = exporter;
    last_receiver = &*std::max_element(receivers.begin(), receivers.end(), [&](const Receiver& a, const Receiver& b) {
      return HashAddress(exporter, a.seed) < HashAddress(exporter, b.seed);
    });
    return *last_receiver;
  }
};

Replicator::Replicator() = default;
Replicator::~Replicator() = default;

absl::StatusOr<std::unique_ptr<Replicator>> Replicator::New(const ReplicatorOptions& options) {
  std::unique_ptr<Replicator> replicator(new Replicator);
  if (absl::Status status = replicator->SetOptions(options); !status.ok()) return status;
  return replicator;
}

absl::Status Replicator::SetOptions(const ReplicatorOptions& options) {
  absl::StatusOr<std::vector<Pool>> pools = Build(options);
  if (!pools.ok()) return pools.status();
  pools_ = *std::move(pools);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Replicator::Pool>> Replicator::Build(const ReplicatorOptions& options) const {
  std::vector<Endpoint> own;
  for (const std::string& text : options.own_addresses) {
    absl::StatusOr<Endpoint> endpoint = ParseEndpoint(text, kUdpOnly);
    if (!endpoint.ok()) return absl::InvalidArgumentError(absl::StrCat("own_addresses: ", endpoint.status().message()));
    own.push_back(*std::move(endpoint));
  }
  std::vector<Pool> pools;
  std::set<std::string> names;
  size_t receivers = 0;
  for (const ReplicaPool& wanted : options.pools) {
    const auto refuse = [&](auto&&... why) {
      return absl::InvalidArgumentError(absl::StrCat("pool '", wanted.name, "': ", why...));
    };
    if (!names.insert(wanted.name).second) return refuse("there are two of this name");
    if (wanted.receivers.empty()) return refuse("it has no receivers");
    receivers += wanted.receivers.size();
    if (receivers > options.max_receivers)
      return refuse("more receivers than max_receivers (", options.max_receivers, ")");

    Pool pool;
    pool.name = wanted.name;
    pool.balance = wanted.balance;
    pool.all_exporters = wanted.exporters.empty();
    lpm::LpmBuilder<uint8_t> exporters;
    for (const base::IpPrefix& prefix : wanted.exporters) {
      if (!exporters.Add(prefix, 1)) return refuse("too many exporters");
    }
    pool.exporters = std::move(exporters).Build();
    pool.all_protocols = wanted.protocols.empty();
    for (const ExportProtocol protocol : wanted.protocols) pool.protocols[static_cast<size_t>(protocol)] = true;

    std::set<std::string> addresses;
    for (const std::string& text : wanted.receivers) {
      absl::StatusOr<Endpoint> endpoint = ParseEndpoint(text, kUdpOnly);
      if (!endpoint.ok()) return refuse("receivers: ", endpoint.status().message());
      Receiver receiver;
      receiver.address = endpoint->ToString();
      if (!addresses.insert(receiver.address).second) return refuse("receivers: ", text, " is there twice");
      for (const Endpoint& listening : own) {
        if (ComesBack(*endpoint, listening)) {
          return refuse("receivers: ", text, " is where this collector listens (", listening.ToString(),
                        "): its datagrams would go round for ever");
        }
      }
      receiver.style = absl::StrCat(wanted.keep_source, " ", wanted.from, " ", wanted.traffic_class, " ",
                                    wanted.hop_limit, " ", options.send_buffer_octets);
      receiver.seed = HashAddress(endpoint->address, endpoint->port);
      const auto old_pool =
          std::find_if(pools_.begin(), pools_.end(), [&](const Pool& old) { return old.name == wanted.name; });
      if (old_pool != pools_.end()) {
        for (const Receiver& old : old_pool->receivers) {
          if (old.address == receiver.address && old.style == receiver.style) receiver.sender = old.sender;
        }
      }
      if (receiver.sender == nullptr) {
        TransportOptions transport;
        transport.to = text;
        transport.from = wanted.from;
        transport.traffic_class = wanted.traffic_class;
        transport.hop_limit = wanted.hop_limit;
        transport.send_buffer_octets = options.send_buffer_octets;
        absl::StatusOr<std::unique_ptr<ReplicaSender>> sender =
            wanted.keep_source ? NewSourceKeepingSender(transport) : NewReplicaSender(transport);
        if (!sender.ok()) {
          return absl::Status(sender.status().code(),
                              absl::StrCat("pool '", wanted.name, "': receivers: ", sender.status().message()));
        }
        receiver.sender = *std::move(sender);
      }
      pool.receivers.push_back(std::move(receiver));
    }
    pools.push_back(std::move(pool));
  }
  return pools;
}

void Replicator::Replicate(absl::Span<const record::Datagram> datagrams) {
  counters_.datagrams += datagrams.size();
  for (const record::Datagram& datagram : datagrams) {
    if (datagram.transport != record::Transport::kUdp) {
      ++counters_.not_udp;
      continue;
    }
    bool matched = false;
    for (Pool& pool : pools_) {
      if (!pool.Takes(datagram)) continue;
      matched = true;
      switch (pool.balance) {
        case ReplicaBalance::kAll:
          for (Receiver& receiver : pool.receivers) receiver.sender->Add(datagram);
          break;
        case ReplicaBalance::kRoundRobin:
          pool.receivers[pool.turn].sender->Add(datagram);
          pool.turn = pool.turn + 1 < pool.receivers.size() ? pool.turn + 1 : 0;
          break;
        case ReplicaBalance::kExporter:
          pool.ReceiverOf(datagram.source).sender->Add(datagram);
          break;
      }
    }
    if (!matched) ++counters_.unmatched;
  }
  for (Pool& pool : pools_) {
    for (Receiver& receiver : pool.receivers) receiver.sender->Flush();
  }
}

std::vector<ReplicaReport> Replicator::Report() const {
  std::vector<ReplicaReport> report;
  for (const Pool& pool : pools_) {
    for (const Receiver& receiver : pool.receivers) {
      report.push_back({pool.name, receiver.address, receiver.sender->counters()});
    }
  }
  return report;
}

}  // namespace flowacct::collector
