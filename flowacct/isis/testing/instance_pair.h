// An instance with one circuit, and PDUs of a neighbour on it that a test makes one by one.

#ifndef FLOWACCT_ISIS_TESTING_INSTANCE_PAIR_H_
#define FLOWACCT_ISIS_TESTING_INSTANCE_PAIR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/mac_address.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/testing/sim_network.h"

namespace flowacct::isis::testing {

inline constexpr int64_t kStart = 1'700'000'000 * kSimSecond;

SystemId System(uint8_t n);       // 0000.0000.00nn
AreaAddress Area(uint8_t n = 1);  // 49.00nn
base::MacAddress MacOf(uint8_t n);
LspId LspOf(uint8_t system, uint8_t fragment = 0, uint8_t pseudonode = 0);
InstanceOptions PairOptions();  // system 1, area 49.0001
CircuitOptions PairCircuit(CircuitKind kind);

struct PairHello {
  uint8_t system = 2, mac = 2;
  uint8_t circuit_levels = 3;
  Level level = Level::k1;  // LAN
  std::vector<AreaAddress> areas = {Area()};
  uint16_t holding_seconds = 30;
  std::optional<ThreeWayState> three_way = {};
  std::vector<base::MacAddress> heard = {};
  AuthenticationKey key = {};
  uint8_t priority = 64;
};

struct PairLsp {
  Level level = Level::k1;
  LspId id = LspOf(2);
  uint32_t sequence = 1;
  uint16_t remaining_seconds = 1200;
  std::string hostname = "two";
  AuthenticationKey key = {};
  uint8_t flags = kLspLevel2;
};
std::vector<uint8_t> LspOctets(const PairLsp& lsp);

class InstancePair {
 public:
  explicit InstancePair(const CircuitOptions& circuit, const InstanceOptions& options = PairOptions());

  std::vector<uint8_t> HelloOctets(const PairHello& hello) const;
  void Hello(const PairHello& hello) { Receive(HelloOctets(hello), hello.mac); }
  // Hellos until the adjacency is up; what was sent meanwhile is dropped.
  void BringUp(const PairHello& hello = {});
  void Receive(const std::vector<uint8_t>& pdu, uint8_t mac = 2);
  void Lsp(const PairLsp& lsp) { Receive(LspOctets(lsp)); }
  void Snp(bool complete, const std::vector<LspEntry>& entries, Level level = Level::k1);
  // Lets time pass, timers and all; with hellos of `keep` if it is given, every nine seconds.
  void Wait(double seconds, const PairHello* keep = nullptr);

  // What was sent, a PDU a line, without hellos.
  std::string Sent();
  // The same, hellos alone.
  std::string SentHellos();
  std::string State() const;  // "up", "initializing", "" ...; one word for each adjacency
  std::string Changes();      // "+ 0000.0000.0002.00-00" new, "*" changed, "=" refreshed, "-" gone
  std::string Database(Level level = Level::k1) const;  // a line an LSP: identifier, sequence, "purged"
  uint64_t Count(const std::string& name) const;
  uint64_t Verdicts() const;  // the sum of all

  std::unique_ptr<Instance> instance;
  CircuitOptions circuit;
  CircuitIndex index = 0;
  int64_t now = kStart;

 private:
  std::vector<Outgoing> out_;
  void Settle();
};

// As a node of a simulated network.
class InstanceNode : public SimNode {
 public:
  explicit InstanceNode(const InstanceOptions& options);
  void AddPort(const CircuitOptions& circuit, int64_t time_nanos);

  void Receive(int port, const base::MacAddress& source, base::Octets pdu, int64_t time_nanos) override;
  void Advance(int64_t time_nanos) override { instance_->Advance(time_nanos); }
  int64_t NextTime() const override { return instance_->NextTime(); }
  std::vector<SimFrame> Take() override;
  base::MacAddress Mac(int port) const override { return macs_[static_cast<size_t>(port)]; }
  SimDatabase Lsps(Level level) const override;
  Instance* instance() const { return instance_.get(); }

 private:
  std::unique_ptr<Instance> instance_;
  std::vector<base::MacAddress> macs_;
};

}  // namespace flowacct::isis::testing

#endif  // FLOWACCT_ISIS_TESTING_INSTANCE_PAIR_H_
