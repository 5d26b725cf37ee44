// All that was advertised at one moment; what differs between two of them.
//
// Guarantees: of a node counts what its fragment 0 is there for (ISO 10589, 7.3.7 and 7.3.15); its flags are those of
// fragment 0. Ownership: a state shares its advertisements with the database and with other states. Immutable; any
// thread. Errors: none. Cost: 16 octets an advertisement; a graph of 10,000 nodes and 40,000 links some milliseconds.

#ifndef FLOWACCT_TOPOLOGY_TOPOLOGY_STATE_H_
#define FLOWACCT_TOPOLOGY_TOPOLOGY_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "flowacct/topology/advertisement.h"
#include "flowacct/topology/graph.h"

namespace flowacct::topology {

class TopologyState {
 public:
  using Pointer = std::shared_ptr<const Advertisement>;

  TopologyState() = default;
  // In ascending order of keys, each key once.
  TopologyState(NodeStyle style, std::vector<Pointer> advertisements)
      : style_(style), advertisements_(std::move(advertisements)) {}

  NodeStyle style() const { return style_; }
  const std::vector<Pointer>& advertisements() const { return advertisements_; }
  // Null: there is none.
  const Advertisement* Find(const AdvertisementKey& key) const;
  // What an advertisement of some level calls the node; "" if none does.
  std::string NameOf(NodeKey node) const;
  // The fragments of each node whose fragment 0 is there.
  void ForEachNode(uint8_t level,
                   absl::FunctionRef<void(const Advertisement& zero, const Pointer* fragments, size_t count)> f) const;

  // Pseudonodes have the links of the standard topology in all (RFC 5120, 6: they tell of no other).
  Graph GraphOf(uint8_t level, TopologyNumber topology) const;

 private:
  NodeStyle style_ = NodeStyle::kIsis;
  std::vector<Pointer> advertisements_;
};

// kind, text for people
#define FLOWACCT_TOPOLOGY_DIFFERENCES(X) \
  X(kNodeNew, "node_new")                \
  X(kNodeGone, "node_gone")              \
  X(kNodeFlags, "node_flags")            \
  X(kNodeName, "node_name")              \
  X(kLinkNew, "link_new")                \
  X(kLinkGone, "link_gone")              \
  X(kLinkMetric, "link_metric")          \
  X(kPrefixNew, "prefix_new")            \
  X(kPrefixGone, "prefix_gone")          \
  X(kPrefixMetric, "prefix_metric")

struct TopologyDifference {
  enum class Kind : uint8_t {
#define X(kind, text) kind,
    FLOWACCT_TOPOLOGY_DIFFERENCES(X)
#undef X
  };
  Kind kind = Kind::kNodeNew;
  uint8_t level = 2;
  NodeKey node;
  TopologyNumber topology = 0;
  NodeKey to;                      // of a link
  base::IpPrefix prefix;           // of a prefix
  uint32_t before = 0, after = 0;  // metrics; of flags: bit 0 overload, bit 1 attached
  std::string name_before, name_after;
};
absl::string_view TopologyDifferenceName(TopologyDifference::Kind kind);

// What became of `before` on the way to `after`, in the order of level and node. Parallel links whose metrics differ
// are told one by one.
std::vector<TopologyDifference> Differences(const TopologyState& before, const TopologyState& after);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_TOPOLOGY_STATE_H_
