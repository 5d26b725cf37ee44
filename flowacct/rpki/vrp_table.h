// VRPs of an instant, laid out for origin validation.
//
//     VrpTable table(vrps);
//     RovState state = table.Validate(prefix, origin_as);
//     table.ValidateBatch(routes, states);
//
// Standard: RFC 6811 (2, 2.1). Prefixes are sorted so that one comes before what lies within it, and each knows the
// nearest that covers it: those that cover a route are the last one not behind it, or of that one's chain. A sample of
// every 16th prefix is searched first, which stays in a cache.
// Guaranteed: VRPs that are no such (IsValid) are left out. Ownership: owns all. Threads: immutable, any. Errors: none.
// Cost: building sorts, 0.2 s for 700,000; some 150 ns a route at random, half of that in batches. Memory: 16 octets a
// distinct IPv4 prefix, 32 an IPv6 one, 8 a VRP.

#ifndef FLOWACCT_RPKI_VRP_TABLE_H_
#define FLOWACCT_RPKI_VRP_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/rpki/vrp.h"

namespace flowacct::rpki {

// name, text (RFC 6811, 2)
#define FLOWACCT_RPKI_ROV_STATES(X) \
  X(kNotFound, "not_found")         \
  X(kValid, "valid")                \
  X(kInvalid, "invalid")
enum class RovState : uint8_t {
#define X(name, text) name,
  FLOWACCT_RPKI_ROV_STATES(X)
#undef X
};
absl::string_view RovStateName(RovState state);

struct RouteOrigin {
  base::IpPrefix prefix;
  uint32_t as = 0;  // 0: NONE (RFC 6811, 2: no AS_PATH, or one that ends in a set), which no VRP matches
};

class VrpTable {
 public:
  VrpTable() : VrpTable(std::vector<Vrp>()) {}
  explicit VrpTable(std::vector<Vrp> vrps);

  RovState Validate(const base::IpPrefix& prefix, uint32_t as) const;
  // `states` has room for one each.
  void ValidateBatch(absl::Span<const RouteOrigin> routes, RovState* states) const;

  // The VRPs that cover it, the longest prefixes first: what decides on a route.
  std::vector<Vrp> Covering(const base::IpPrefix& prefix) const;

  size_t size() const { return grants_.size(); }
  size_t octets() const { return v4_.octets() + v6_.octets() + grants_.capacity() * sizeof(Grant); }

 private:
  struct Grant {
    uint32_t as;
    uint8_t max_length;
  };

  // Prefixes of one family.
  template <typename Address>
  class Prefixes {
   public:
    static constexpr size_t kStep = 16;
    static constexpr uint8_t kBits = 8 * sizeof(Address);

    // In the order of (address, length), each once.
    void Add(Address address, uint8_t length, uint32_t first_grant);
    void Finish(uint32_t end_grant);
    size_t octets() const { return nodes_.capacity() * sizeof(Node) + samples_.capacity() * sizeof(Address); }

    // A search in two steps, so that those of a batch overlap: the block where it ends, then what is there.
    size_t Block(Address address) const;
    void Prefetch(size_t block) const;
    RovState Validate(size_t block, Address address, uint8_t length, uint32_t as, const Grant* grants) const;
    template <typename Visitor>  // void(Address, uint8_t length, uint32_t first_grant, uint32_t end_grant)
    void ForEachCovering(Address address, uint8_t length, Visitor&& visit) const {
      for (uint32_t i = Longest(Block(address), address, length); i != kNone; i = nodes_[i].parent) {
        visit(nodes_[i].address, nodes_[i].length, nodes_[i].first, nodes_[i + 1].first);
      }
    }

   private:
    // The longest that covers it; kNone: none.
    uint32_t Longest(size_t block, Address address, uint8_t length) const;

    static constexpr uint32_t kNone = 0xffffffff;
    struct Node {
      Address address;
      uint32_t parent;  // the nearest that covers it; kNone: nobody
      uint32_t first;   // of its grants; the next node's is their end
      uint8_t length;

      bool Covers(Address other, uint8_t other_length) const {
        return length <= other_length && (length == 0 || ((address ^ other) >> (kBits - length)) == 0);
      }
    };

    std::vector<Node> nodes_;       // with one behind the last
    std::vector<Address> samples_;  // of every kStep-th node
  };

  Prefixes<uint32_t> v4_;
  Prefixes<absl::uint128> v6_;
  std::vector<Grant> grants_;
};

}  // namespace flowacct::rpki

#endif  // FLOWACCT_RPKI_VRP_TABLE_H_
