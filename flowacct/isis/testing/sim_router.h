// A small but whole IS-IS router for tests: adjacencies, designated system of LANs, LSPs of its own, flooding.
//
// It is written from the standard for clearness, not speed: every quarter of a second it looks at everything. It shares
// with the product how octets are read and written (pdu_view.h, pdu_writer.h), and nothing of what is done with them.
// Ownership: values. Threads: one at a time.

#ifndef FLOWACCT_ISIS_TESTING_SIM_ROUTER_H_
#define FLOWACCT_ISIS_TESTING_SIM_ROUTER_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/isis/authentication.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/testing/sim_network.h"

namespace flowacct::isis::testing {

struct SimRouterOptions {
  SystemId system;
  std::vector<AreaAddress> areas;
  uint8_t levels = 3;  // bit 0: level 1, bit 1: level 2
  std::string hostname;
  uint8_t priority = 64;
  int prefixes = 3;              // 10.x.y.0/24 that it reaches
  int prefixes_of_fragment = 2;  // more go into the next fragment
  AuthenticationKey hello_key;
  std::array<AuthenticationKey, 2> lsp_keys;
  bool three_way = true;
  uint16_t hello_seconds = 3, hold_seconds = 9;
  uint16_t lifetime_seconds = 1200;
  int64_t refresh_nanos = 900 * kSimSecond;
};

class SimRouter : public SimNode {
 public:
  static constexpr int64_t kTick = kSimSecond / 4;

  explicit SimRouter(const SimRouterOptions& options) : options_(options) {}

  // Ports are numbered from 0 in the order in which they are added.
  void AddPort(bool lan, const base::MacAddress& mac);
  void set_prefixes(int prefixes) { options_.prefixes = prefixes; }

  void Receive(int port, const base::MacAddress& source, base::Octets pdu, int64_t time_nanos) override;
  void Advance(int64_t time_nanos) override;
  int64_t NextTime() const override { return next_tick_; }
  std::vector<SimFrame> Take() override { return std::exchange(out_, {}); }
  base::MacAddress Mac(int port) const override { return ports_[static_cast<size_t>(port)].mac; }
  SimDatabase Lsps(Level level) const override;

  bool HasNeighbor(int port, Level level, const SystemId& system) const;
  // The topologies that a neighbour told of in its hellos; empty if it is no neighbour.
  std::vector<TopologyMembership> TopologiesOf(int port, Level level, const SystemId& system) const;
  NodeId Designated(int port, Level level) const {
    return ports_[static_cast<size_t>(port)].designated[level == Level::k1 ? 0 : 1];
  }

 private:
  struct Neighbor {
    SystemId system;
    base::MacAddress mac;
    bool up = false;
    uint8_t levels = 0;
    uint8_t priority = 0;
    NodeId lan;
    std::optional<uint32_t> circuit;
    std::vector<TopologyMembership> topologies;
    int64_t expires = 0;
  };
  struct Port {
    bool lan = false;
    base::MacAddress mac;
    std::array<std::vector<Neighbor>, 2> neighbors;  // of a point-to-point port in the first
    std::array<NodeId, 2> designated;
    int64_t next_hello = 0;
  };
  struct Lsp {
    std::vector<uint8_t> octets;
    LspEntry entry;  // its lifetime is that of `ends`
    bool purged = false;
    int64_t ends = 0;  // its life; of a purged one, of our memory
  };
  struct LevelState {
    std::map<LspId, Lsp> lsps;
    std::map<std::pair<int, LspId>, int64_t> srm;  // when it was last sent; 0: never
    std::map<std::pair<int, LspId>, LspEntry> ssn;
    std::map<LspId, uint32_t> own;               // the last sequence number of each LSP that is ours now
    std::map<LspId, std::vector<uint8_t>> said;  // what each told, to see whether that changed
    int64_t next_refresh = 0, next_csnp = 0;
  };

  uint32_t CircuitIdOf(int port) const { return static_cast<uint32_t>(100 + port); }
  bool UpOn(int port, int level, const base::MacAddress& source) const;
  bool AnyUp(int port, int level) const;
  void ReceiveHello(int port, const base::MacAddress& source, const PduView& view);
  void ReceiveLsp(int port, int level, const PduView& view);
  void ReceiveSnp(int port, int level, const PduView& view);
  void CameUp(int port, int level);
  void Elect(int port, int level);
  void Originate(int level, bool refresh);
  void Purge(int level, const LspId& id, uint32_t sequence);
  void Put(int level, const LspId& id, std::vector<uint8_t> octets, int except);
  void SendHello(int port);
  void SendCsnps(int port, int level);
  void Send(int port, std::vector<uint8_t> pdu) { out_.push_back({port, std::move(pdu)}); }
  LspEntry EntryOf(const Lsp& lsp) const;

  SimRouterOptions options_;
  std::vector<Port> ports_;
  std::array<LevelState, 2> levels_;
  std::vector<SimFrame> out_;
  int64_t now_ = 0, next_tick_ = 0;
};

}  // namespace flowacct::isis::testing

#endif  // FLOWACCT_ISIS_TESTING_SIM_ROUTER_H_
