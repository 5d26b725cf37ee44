// A listening IS-IS router: adjacencies on its circuits, and the link-state databases of its levels. Sans-IO.
//
// Standards: ISO 10589 (7.3 update process, 8 adjacencies), RFC 1195, 5303 (three-way handshake), 5304 and 5310
// (authentication), 5120, 5301, 6232. It takes part and draws no traffic: priority 0, never a designated system,
// overload bit set, one own LSP without reachability, or none (`passive`). Guarantees: octets from outside never crash,
// allocate beyond the bounds of InstanceOptions, or stay uncounted: every PDU is in exactly one verdict of
// instance_counters.h. Time enters as an argument; one that goes back counts as the last one. After each Receive and
// Advance the caller takes what is to be sent, and calls Advance when NextTime() has come, which may be at once:
// nothing is sent but by Advance. Ownership: the instance owns all; what Take... returns is the caller's. Threads: one
// at a time. Errors: of options by absl::Status; of octets by counters. Cost: an LSP that is stored costs one copy and
// one decode.

#ifndef FLOWACCT_ISIS_INSTANCE_H_
#define FLOWACCT_ISIS_INSTANCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/authentication.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/lsp_content.h"

namespace flowacct::isis {

using CircuitIndex = uint32_t;

// An HMAC is made for each of them before a PDU is refused: two are what a roll-over needs.
inline constexpr size_t kMaxAcceptedKeys = 8;
enum class CircuitKind : uint8_t { kPointToPoint, kLan };

struct CircuitOptions {
  CircuitKind kind = CircuitKind::kPointToPoint;
  bool level_1 = true, level_2 = true;
  std::string name;
  base::MacAddress mac;                    // of a LAN
  std::vector<base::IpAddress> addresses;  // told in hellos; IPv6 link-local first
  std::vector<TopologyNumber> topologies;  // beside the standard one
  uint16_t mtu = 1497;                     // of a PDU; hellos are padded to it if `pad`
  bool pad = true;
  uint16_t hello_seconds = 10, hold_multiplier = 3;
  AuthenticationKey hello_key;                         // what hellos are signed with
  std::optional<AuthenticationKey> level_2_hello_key;  // of a LAN: level 2's, if it is not level 1's
  std::vector<AuthenticationKey> accepted_hello_keys;  // beside those, while keys roll over; one of kNone takes all
  // Neighbours a LAN may have: each takes some hundred octets and a line of our hellos.
  size_t max_neighbors = 200;
};

struct InstanceOptions {
  SystemId system;
  std::vector<AreaAddress> areas;
  bool level_1 = true, level_2 = true;
  std::string hostname;
  bool passive = false;  // no LSP of our own
  std::vector<TopologyNumber> topologies;
  std::array<AuthenticationKey, 2> lsp_keys;  // area (level 1), domain (level 2)
  // Beside those, while keys roll over: what we make is signed with the above, what others made may be with these.
  std::array<std::vector<AuthenticationKey>, 2> accepted_lsp_keys;
  // Of both levels together: a network of 10,000 routers has some 30,000; an LSP takes its octets twice.
  size_t max_lsps = 100'000;
  size_t max_octets = 256 * 1024 * 1024;
};

enum class AdjacencyState : uint8_t { kDown, kInitializing, kUp };

struct Adjacency {
  CircuitIndex circuit = 0;
  Level level = Level::k1;  // LAN; of a point-to-point circuit the higher of those in `levels`
  uint8_t levels = 0;       // bit 0: level 1, bit 1: level 2
  SystemId system;
  base::MacAddress mac;
  AdjacencyState state = AdjacencyState::kDown;
  std::vector<AreaAddress> areas;
  std::vector<base::IpAddress> addresses;
  std::vector<TopologyNumber> topologies;
  uint8_t priority = 0;
  int64_t since_nanos = 0, expires_nanos = 0;
  std::string hostname;  // from its LSP, if that is known
};

// One row of the database, as people and tests look at it.
struct LspSummary {
  LspId id;
  uint32_t sequence = 0;
  uint16_t remaining_seconds = 0;  // at the time asked for
  uint16_t checksum = 0;
  uint16_t size = 0;
  uint8_t flags = 0;  // ISO 10589, 9.9: P, ATT, OL, IS type
  bool own = false;
};

// What changed in a database, in order.
struct LspChange {
  enum class Kind : uint8_t { kNew, kChanged, kRefreshed, kGone } kind = Kind::kNew;  // kRefreshed: same content again
  Level level = Level::k1;
  LspId id;
  int64_t time_nanos = 0;
};

struct Outgoing {
  CircuitIndex circuit = 0;
  Level level = Level::k1;   // which group address on a LAN: AllL1ISs, AllL2ISs
  std::vector<uint8_t> pdu;  // from 0x83 on, without LLC
};

class Instance {
 public:
  static absl::StatusOr<std::unique_ptr<Instance>> Create(InstanceOptions options);
  virtual ~Instance() = default;

  virtual absl::StatusOr<CircuitIndex> AddCircuit(CircuitOptions options, int64_t time_nanos) = 0;
  virtual void RemoveCircuit(CircuitIndex circuit, int64_t time_nanos) = 0;

  // `pdu`: from the intradomain routeing protocol discriminator (0x83) on; `source`: of the frame, on a LAN.
  virtual void Receive(CircuitIndex circuit, const base::MacAddress& source, base::Octets pdu, int64_t time_nanos) = 0;
  // Timers; the time of the next one is told by NextTime().
  virtual void Advance(int64_t time_nanos) = 0;
  virtual int64_t NextTime() const = 0;

  virtual std::vector<Outgoing> TakeOutgoing() = 0;
  virtual std::vector<LspChange> TakeChanges() = 0;

  virtual std::vector<Adjacency> Adjacencies() const = 0;
  virtual std::vector<LspSummary> Database(Level level, int64_t time_nanos) const = 0;
  // The octets of an LSP from 0x83 on, or empty. Valid until the next Receive or Advance.
  virtual base::Octets FindLsp(Level level, const LspId& id) const = 0;
  // Name and value of each counter that is not 0; of one circuit, verdicts alone.
  virtual std::vector<std::pair<std::string, uint64_t>> Counters() const = 0;
  virtual std::vector<std::pair<std::string, uint64_t>> Counters(CircuitIndex circuit) const = 0;
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_INSTANCE_H_
