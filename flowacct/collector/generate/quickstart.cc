#include "flowacct/collector/generate/quickstart.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/generate/export_encoder.h"
#include "flowacct/collector/generate/flow_population.h"
#include "flowacct/collector/generate/pcap_writer.h"

namespace flowacct::collector {
namespace {

constexpr uint32_t kStart = 1768485600;  // 2026-01-15 14:00:00 UTC
constexpr uint32_t kHour = 3600;
constexpr uint32_t kActiveTimeout = 60;  // a flow that lasts is told every minute
constexpr uint32_t kExportInterval = 30;
constexpr uint32_t kTemplateInterval = 600;
constexpr size_t kMaxRecords = 24;
constexpr size_t kMaxRecordOctets = 1300;

constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17;
constexpr uint16_t kCustomers = 1;  // the interface towards the network's own customers, on both routers

struct Router {
  uint32_t address;
  uint32_t boot_seconds;
};
constexpr Router kRouters[] = {
    {0xc0000201, kStart - 1036800},  // 192.0.2.1, up for 12 days
    {0xc0000202, kStart - 93600},    // 192.0.2.2, rebooted yesterday
};
constexpr uint32_t kCollector = 0xc00002fe;  // 192.0.2.254

// Who is outside: origin AS, prefix, and the router and interface by which it is reached.
struct Neighbour {
  uint32_t as;
  uint32_t network;  // IPv4
  uint8_t mask;
  uint8_t router;
  uint16_t interface;
};
constexpr Neighbour kVideo = {64501, 0xc6336400, 26, 0, 2};     // 198.51.100.0/26, private peering
constexpr Neighbour kCloud = {64502, 0xc6336440, 26, 0, 3};     // 198.51.100.64/26, internet exchange
constexpr Neighbour kSocial = {64503, 0xc6336480, 26, 0, 3};    // 198.51.100.128/26, internet exchange
constexpr Neighbour kSoftware = {64504, 0xc63364c0, 26, 1, 2};  // 198.51.100.192/26, transit
constexpr Neighbour kServices = {64505, 0xcb007100, 25, 1, 2};  // 203.0.113.0/25, transit
constexpr Neighbour kFarAway = {64511, 0xcb007180, 25, 1, 2};   // 203.0.113.128/25, transit

constexpr uint32_t kHomeAs = 64500;
constexpr uint32_t kHomeNetwork = 0xc0000200;  // 192.0.2.0/24 and 2001:db8:fbf4::/48

struct Conversation {
  const Neighbour* neighbour;
  uint32_t customer, host;  // last octet of the two addresses
  bool v6;
  uint8_t protocol;
  uint16_t customer_port, port;
  uint32_t start_ms, duration_ms;  // in the hour
  uint64_t down_octets, up_octets;
  uint16_t down_size, up_size;  // octets a packet; 0: nothing in that direction
  uint8_t tcp_flags;
};

// 2001:db8:AS::host, with the AS number in hexadecimal.
void SetAddress(bool v6, uint32_t as, uint32_t network, uint32_t host, std::array<uint8_t, 16>* address) {
  if (v6) {
    base::StoreBe32(address->data(), 0x20010db8);
    base::StoreBe16(address->data() + 4, static_cast<uint16_t>(as));
    base::StoreBe16(address->data() + 14, static_cast<uint16_t>(host));
  } else {
    base::StoreBe32(address->data(), network + host);
  }
}

class Story {
 public:
  Story() {
    Watch();
    Browse();
    LookUp();
    BackUp();
    Update();
    Scan();
    Ping();
  }

  // All flows that the router tells, by the time they end.
  std::vector<GeneratedFlow> TakeFlows(size_t router) {
    std::stable_sort(flows_[router].begin(), flows_[router].end(),
                     [](const GeneratedFlow& a, const GeneratedFlow& b) { return a.end_ms < b.end_ms; });
    return std::move(flows_[router]);
  }

 private:
  uint32_t Between(uint32_t low, uint32_t high) { return low + random_.Below(high - low + 1); }
  uint16_t EphemeralPort() { return static_cast<uint16_t>(Between(49152, 65535)); }

  // A dozen evenings of video: a few customers receive most of the octets.
  void Watch() {
    for (uint32_t i = 0; i < 12; ++i) {
      const uint32_t minutes = Between(8, 45), start = Between(0, 59 - minutes);
      const uint64_t octets = uint64_t{Between(3, 8)} * 125000 * 60 * minutes;  // Mbit/s
      Add({&kVideo, 20 + i * i % 37, 10 + i % 3, i % 4 == 3, kUdp, EphemeralPort(), 443, start * 60000, minutes * 60000,
           octets, octets / 40, 1378, 73, 0});
    }
  }

  void Browse() {
    for (int i = 0; i < 560; ++i) {
      const bool social = random_.Below(3) == 0;
      const uint32_t seconds = Between(1, 40);
      const uint64_t unit = Between(8000, 60000);
      const uint64_t octets = unit * Between(1, 30);
      Add({social ? &kSocial : &kCloud, Between(10, 90), Between(2, 12), random_.Below(10) < 3, kTcp, EphemeralPort(),
           443, Between(0, 3550000), seconds * 1000, octets, octets / 12 + 600, 1340, 96, 0x1b});
    }
  }

  void LookUp() {
    for (int i = 0; i < 420; ++i) {
      Add({&kServices, Between(10, 90), 53, false, kUdp, EphemeralPort(), 53, Between(0, 3590000), Between(2, 90), 158,
           71, 158, 71, 0});
    }
    for (int i = 0; i < 60; ++i) {
      const uint16_t port = random_.Below(2) == 0 ? 123 : 587;
      Add({&kServices, Between(10, 90), port == 123 ? 123u : 25u, false, port == 123 ? kUdp : kTcp, EphemeralPort(),
           port, Between(0, 3550000), Between(20, 4000), port == 123 ? 76u : 2400u, port == 123 ? 76u : 48000u,
           static_cast<uint16_t>(port == 123 ? 76 : 120), static_cast<uint16_t>(port == 123 ? 76 : 1200),
           static_cast<uint8_t>(port == 123 ? 0 : 0x1b)});
    }
  }

  // 14:10: a customer backs up its disk to the cloud, 22 minutes at 40 Mbit/s.
  void BackUp() {
    const uint64_t octets = uint64_t{40} * 125000 * 60 * 22;
    Add({&kCloud, 40, 22, false, kTcp, 51515, 22, 600000, 22 * 60000, octets / 60, octets, 52, 1448, 0x18});
  }

  // 14:30: an update comes out, and forty customers fetch it.
  void Update() {
    for (uint32_t i = 0; i < 40; ++i) {
      const uint64_t octets = uint64_t{Between(140, 160)} << 19;
      Add({&kSoftware, 11 + 2 * i, 8, i % 5 == 0, kTcp, EphemeralPort(), 443, 1800000 + Between(0, 240000),
           Between(40, 200) * 1000, octets, octets / 45, 1400, 56, 0x1b});
    }
  }

  // 14:40: somebody far away knocks at every door for two minutes. Nobody answers.
  void Scan() {
    constexpr uint16_t kDoors[] = {22, 23, 445, 3389};
    for (uint32_t i = 0; i < 400; ++i) {
      Conversation knock = {&kFarAway, 10 + i / 4, 72, false, kTcp, kDoors[i % 4], 40123, 2400000 + i * 300,
                            0,         40,         0,  40,    0,    0x02};
      Add(knock);
    }
  }

  // Somebody watches whether the transit answers.
  void Ping() { Add({&kServices, 5, 1, false, kIcmp, 0, 0, 0, kHour * 1000, 84 * kHour, 84 * kHour, 84, 84, 0}); }

  // Cuts a conversation at the active timeout; each part is a flow in each direction that has octets.
  void Add(const Conversation& c) {
    const uint32_t parts = std::max<uint32_t>(1, (c.duration_ms + kActiveTimeout * 1000 - 1) / (kActiveTimeout * 1000));
    for (uint32_t part = 0; part < parts; ++part) {
      const uint32_t start = c.start_ms + part * kActiveTimeout * 1000;
      const uint32_t end = std::min(start + kActiveTimeout * 1000 - 20, c.start_ms + c.duration_ms);
      if (start >= kHour * 1000) break;
      AddFlow(c, true, c.down_octets / parts, c.down_size, start, end);
      AddFlow(c, false, c.up_octets / parts, c.up_size, start, end);
    }
  }

  void AddFlow(const Conversation& c, bool down, uint64_t octets, uint16_t size, uint32_t start_ms, uint32_t end_ms) {
    if (size == 0 || octets == 0) return;
    const Neighbour& n = *c.neighbour;
    const uint32_t since_boot = (kStart - kRouters[n.router].boot_seconds) * 1000;
    GeneratedFlow flow;
    FlowKey& key = flow.key;
    key.v6 = c.v6;
    key.protocol = c.protocol;
    SetAddress(c.v6, n.as, n.network, c.host, down ? &key.src : &key.dst);
    SetAddress(c.v6, kHomeAs, kHomeNetwork, c.customer, down ? &key.dst : &key.src);
    key.src_port = down ? c.port : c.customer_port;
    key.dst_port = down ? c.customer_port : c.port;
    key.src_as = down ? n.as : kHomeAs;
    key.dst_as = down ? kHomeAs : n.as;
    const uint8_t outside = c.v6 ? 48 : n.mask, home = c.v6 ? 48 : 24;
    key.src_mask = down ? outside : home;
    key.dst_mask = down ? home : outside;
    flow.packets = static_cast<uint32_t>((octets + size - 1) / size);
    flow.bytes = static_cast<uint32_t>(octets);
    flow.start_ms = since_boot + start_ms;
    flow.end_ms = since_boot + end_ms;
    flow.tcp_flags = c.tcp_flags;
    flow.in_if = down ? n.interface : kCustomers;
    flow.out_if = down ? kCustomers : n.interface;
    flows_[n.router].push_back(flow);
  }

  RandomStream random_{2026};
  std::vector<GeneratedFlow> flows_[std::size(kRouters)];
};

}  // namespace

absl::Status WriteQuickstartCapture(absl::string_view path) {
  absl::StatusOr<std::unique_ptr<PcapWriter>> writer = PcapWriter::New(path);
  if (!writer.ok()) return writer.status();
  Story story;
  struct Export {
    std::vector<GeneratedFlow> flows;
    size_t told = 0;
    uint32_t sequence = 0;
  } exports[std::size(kRouters)];
  for (size_t i = 0; i < std::size(kRouters); ++i) exports[i].flows = story.TakeFlows(i);

  base::OctetWriter payload, frame;
  uint16_t identification = 0;
  // The last flows end with the hour and are told just after it.
  for (uint32_t now = kExportInterval; now <= kHour + kExportInterval; now += kExportInterval) {
    for (size_t i = 0; i < std::size(kRouters); ++i) {
      Export& e = exports[i];
      const uint32_t uptime_ms = (kStart + now - kRouters[i].boot_seconds) * 1000;
      bool templates = (now - kExportInterval) % kTemplateInterval == 0;
      for (int datagram = 0;; ++datagram) {
        size_t end = e.told, octets = 0;
        while (end < e.flows.size() && end - e.told < kMaxRecords - (templates ? 4 : 0) &&
               e.flows[end].end_ms < uptime_ms && octets < kMaxRecordOctets - (templates ? 256 : 90)) {
          octets += kNetFlow9RecordOctets[e.flows[end].key.v6 ? 1 : 0];
          ++end;
        }
        if (end == e.told && !templates) break;
        payload.Clear();
        frame.Clear();
        const ExportHeader header = {kRouters[i].boot_seconds, uptime_ms, e.sequence++, static_cast<uint32_t>(i + 1)};
        EncodeNetFlow9(header, absl::MakeConstSpan(e.flows).subspan(e.told, end - e.told), templates, false, &payload);
        EncodeUdpEnvelope({kRouters[i].address, kCollector, 50000, 2055, identification++}, payload.size(), &frame);
        frame.Bytes(payload.octets());
        CapturedPacket packet;
        packet.octets = frame.octets();
        packet.wire_length = static_cast<uint32_t>(frame.size());
        packet.time_nanos = int64_t{kStart + now} * 1000000000 + static_cast<int64_t>(i) * 4000000 + datagram * 350000;
        packet.link_type = 1;
        if (absl::Status status = (*writer)->Write(packet); !status.ok()) return status;
        e.told = end;
        templates = false;
      }
    }
  }
  return (*writer)->Close();
}

}  // namespace flowacct::collector
