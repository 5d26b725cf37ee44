// What is advertised, by key, with the history of it: the topology as it is and as it was at a time.
//
// Guarantees: an advertisement that says the same again changes nothing; every change is a value that Apply and Remove
// return and the history keeps. Bounded by LinkStateDatabaseOptions: what is beyond is refused or forgotten, and
// counted. Ownership: owns by shared pointers, so that states cost no copies. Threads: one at a time; states for any.
// Errors: Restore by absl::Status; octets from outside never crash it. Cost: a change a few microseconds; memory that
// of the advertisements (topology/advertisement.h, OctetsOf) and some 100 octets each; a change kept 96 octets and what
// it replaced.

#ifndef FLOWACCT_TOPOLOGY_LINK_STATE_DATABASE_H_
#define FLOWACCT_TOPOLOGY_LINK_STATE_DATABASE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "flowacct/base/octets.h"
#include "flowacct/topology/advertisement.h"
#include "flowacct/topology/topology_state.h"

namespace flowacct::topology {

struct LinkStateDatabaseOptions {
  NodeStyle style = NodeStyle::kIsis;
  // As isis::InstanceOptions has it: a network of 10,000 routers has some 30,000. At most kMaxNodes.
  size_t max_advertisements = 100'000;
  // Ten times what 40,000 links and 100,000 prefixes take.
  size_t max_octets = size_t{256} << 20;
  // A change a minute for two months; a flap storm pushes the oldest out.
  size_t max_history = 100'000;
  size_t max_history_octets = size_t{256} << 20;
};

struct TopologyChange {
  enum class Kind : uint8_t { kNew, kChanged, kGone };
  int64_t time_nanos = 0;
  Kind kind = Kind::kNew;
  AdvertisementKey key;
  bool graph = false;     // nodes, links or their flags
  bool prefixes = false;  // or what makes default routes
  std::shared_ptr<const Advertisement> before, after;
};

class LinkStateDatabase {
 public:
  explicit LinkStateDatabase(LinkStateDatabaseOptions options = {});

  // Nothing: it says the same again, or a bound forbids it (counted).
  std::optional<TopologyChange> Apply(Advertisement advertisement, int64_t time_nanos);
  // Nothing: it was not there.
  std::optional<TopologyChange> Remove(const AdvertisementKey& key, int64_t time_nanos);

  std::shared_ptr<const Advertisement> Find(const AdvertisementKey& key) const;
  TopologyState State() const;
  // As it was after all changes up to that time; nothing for times before history_begin_nanos().
  std::optional<TopologyState> StateAt(int64_t time_nanos) const;
  int64_t history_begin_nanos() const { return history_begin_nanos_; }
  const std::deque<TopologyChange>& history() const { return history_; }

  // For Restore of an empty database, of this version or a newer one, perhaps with other bounds.
  std::string Save() const;
  // Leaves the database as it was if the octets are none of a database's.
  absl::Status Restore(base::Octets octets);

  NodeStyle style() const { return options_.style; }
  size_t size() const { return advertisements_.size(); }
  size_t octets() const { return octets_; }
  size_t history_octets() const { return history_octets_; }
  uint64_t refused() const { return refused_; }
  uint64_t refreshed() const { return refreshed_; }
  uint64_t forgotten() const { return forgotten_; }  // changes that the history lost to its bounds

 private:
  using Pointer = std::shared_ptr<const Advertisement>;

  void Remember(const TopologyChange& change);
  static TopologyChange ChangeOf(const AdvertisementKey& key, Pointer before, Pointer after, int64_t time_nanos);

  LinkStateDatabaseOptions options_;
  absl::btree_map<AdvertisementKey, Pointer> advertisements_;
  size_t octets_ = 0;
  std::deque<TopologyChange> history_;
  size_t history_octets_ = 0;
  int64_t history_begin_nanos_ = INT64_MIN;
  int64_t last_nanos_ = INT64_MIN;
  uint64_t refused_ = 0, refreshed_ = 0, forgotten_ = 0;
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_LINK_STATE_DATABASE_H_
