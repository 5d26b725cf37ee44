// A network on paper: nodes on links and LANs that lose, delay and reorder frames, in a time of its own.
//
// For tests. Everything follows from the seed. Ownership: the network owns its nodes. Threads: one at a time.

#ifndef FLOWACCT_ISIS_TESTING_SIM_NETWORK_H_
#define FLOWACCT_ISIS_TESTING_SIM_NETWORK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/identifiers.h"

namespace flowacct::isis::testing {

inline constexpr int64_t kSimSecond = 1'000'000'000;

struct SimFrame {
  int port = 0;
  std::vector<uint8_t> pdu;
};

// LSPs that are alive, by identifier; octets with the remaining lifetime set to zero.
using SimDatabase = std::map<LspId, std::vector<uint8_t>>;

class SimNode {
 public:
  virtual ~SimNode() = default;
  virtual void Receive(int port, const base::MacAddress& source, base::Octets pdu, int64_t time_nanos) = 0;
  virtual void Advance(int64_t time_nanos) = 0;
  virtual int64_t NextTime() const = 0;
  virtual std::vector<SimFrame> Take() = 0;
  virtual base::MacAddress Mac(int port) const = 0;
  virtual SimDatabase Lsps(Level level) const = 0;
};

class SimNetwork {
 public:
  explicit SimNetwork(uint64_t seed) : random_(seed) {}

  int AddNode(std::unique_ptr<SimNode> node);
  // The node forgets everything: another one stands in its place. What is on its way to it arrives.
  void Replace(int node, std::unique_ptr<SimNode> with) { nodes_[static_cast<size_t>(node)] = std::move(with); }
  SimNode* node(int node) const { return nodes_[static_cast<size_t>(node)].get(); }

  int AddSegment();
  void Attach(int segment, int node, int port);
  void SetUp(int segment, bool up) { segments_[static_cast<size_t>(segment)].up = up; }

  // Of a thousand frames; 0 for a perfect network.
  void set_loss(uint32_t per_mille) { loss_ = per_mille; }
  void set_max_delay(int64_t nanos) { max_delay_ = nanos; }
  // Called with each frame before it is delivered.
  void set_tamper(std::function<void(std::vector<uint8_t>*)> tamper) { tamper_ = std::move(tamper); }

  void Run(int64_t seconds);
  int64_t now() const { return now_; }
  uint64_t frames() const { return frames_; }
  uint64_t Random(uint64_t below);

 private:
  struct End {
    int node, port;
  };
  struct Segment {
    std::vector<End> ends;
    bool up = true;
  };
  struct Arrival {
    End to;
    int segment;
    base::MacAddress source;
    std::vector<uint8_t> pdu;
  };

  void Collect(int node);

  uint64_t random_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<Segment> segments_;
  std::map<std::pair<int, int>, int> segment_of_;             // node and port
  std::map<std::pair<int64_t, uint64_t>, Arrival> arrivals_;  // time, and a number that makes it unique
  uint32_t loss_ = 0;
  int64_t max_delay_ = 2'000'000;
  std::function<void(std::vector<uint8_t>*)> tamper_;
  int64_t now_ = 1'700'000'000 * kSimSecond;
  uint64_t frames_ = 0;
};

}  // namespace flowacct::isis::testing

#endif  // FLOWACCT_ISIS_TESTING_SIM_NETWORK_H_
