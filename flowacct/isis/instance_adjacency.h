// The neighbours of one circuit: who is heard, who hears us, and until when.
//
// Standards: ISO/IEC 10589, 8.2 (point-to-point), 8.4 (LAN); RFC 5303 (three-way handshake), RFC 5120 (topologies).
// Guarantees: a hello changes nothing unless its verdict is kHello, but for one that ends an adjacency of a
// point-to-point circuit (area mismatch, wrong system); at most max_neighbors of a level. Not checked: authentication,
// which the caller has. Ownership: values. Threads: one at a time. Errors: a Verdict. Cost: a search in a B-tree, and
// copies of the lists that changed.

#ifndef FLOWACCT_ISIS_INSTANCE_ADJACENCY_H_
#define FLOWACCT_ISIS_INSTANCE_ADJACENCY_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/instance_counters.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/three_way.h"

namespace flowacct::isis {

constexpr uint8_t LevelBit(Level level) { return level == Level::k1 ? 1 : 2; }
constexpr size_t LevelIndex(Level level) { return level == Level::k1 ? 0 : 1; }
constexpr Level kLevels[] = {Level::k1, Level::k2};

// What one hello, or silence, did to a circuit.
struct AdjacencyEvents {
  uint32_t up = 0, down = 0, expired = 0;
  uint8_t up_levels = 0;      // of the adjacencies that came up
  bool hello_wanted = false;  // the neighbour waits for what our next hello says
};

class CircuitAdjacencies {
 public:
  // `levels`: bit 0: level 1, bit 1: level 2. `circuit_id`: the extended one that RFC 5303 has.
  CircuitAdjacencies(const InstanceOptions& instance, const CircuitOptions& circuit, CircuitIndex index, uint8_t levels,
                     uint32_t circuit_id);

  Verdict Receive(const PduView& hello, const HelloContent& content, const base::MacAddress& source, int64_t time_nanos,
                  AdjacencyEvents* events);
  void Expire(int64_t time_nanos, AdjacencyEvents* events);
  int64_t next_expiry() const { return next_expiry_; }

  // Levels with a neighbour that hears us.
  uint8_t up_levels() const { return up_levels_; }
  // Whether LSPs and sequence numbers from there are to be listened to.
  bool IsUp(Level level, const base::MacAddress& source) const;
  // What our hellos tell.
  std::vector<base::MacAddress> HeardOn(Level level) const;  // LAN: whom hellos of this level name
  ThreeWayState ThreeWay() const;                            // point-to-point
  // The LAN identifier that the designated system of a LAN has chosen, if there is one.
  std::optional<NodeId> Designated(Level level) const;

  void AppendTo(std::vector<Adjacency>* adjacencies) const;

 private:
  struct Neighbor {
    Adjacency told;
    NodeId lan;
    std::optional<uint32_t> circuit_id;
  };
  // A LAN's are apart by level; of a point-to-point circuit there is one, at level 1 and address zero.
  using Key = std::pair<Level, base::MacAddress>;

  Verdict ReceiveLan(const PduView& hello, const HelloContent& content, const base::MacAddress& source,
                     int64_t time_nanos, AdjacencyEvents* events);
  Verdict ReceivePointToPoint(const PduView& hello, const HelloContent& content, int64_t time_nanos,
                              AdjacencyEvents* events);
  void Tell(const PduView& hello, const HelloContent& content, int64_t time_nanos, Neighbor* neighbor) const;
  void SetState(AdjacencyState state, int64_t time_nanos, Neighbor* neighbor, AdjacencyEvents* events);
  void Remove(const Key& key, int64_t time_nanos, AdjacencyEvents* events);
  void Recount();

  const SystemId system_;
  const std::vector<AreaAddress> areas_;
  const CircuitKind kind_;
  const base::MacAddress mac_;
  const size_t max_neighbors_;
  const CircuitIndex index_;
  const uint8_t levels_;
  const uint32_t circuit_id_;
  absl::btree_map<Key, Neighbor> neighbors_;
  uint8_t up_levels_ = 0;
  int64_t next_expiry_ = INT64_MAX;
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_INSTANCE_ADJACENCY_H_
