#include "flowacct/topology/live_topology.h"

#include <optional>
#include <utility>

namespace flowacct::topology {

LiveTopology::LiveTopology(lpm::ReaderEpochs* epochs, LiveTopologyOptions options)
    : options_(options), database_(options.database), reach_(epochs, options.reach), backoff_(options.backoff) {
  for (auto& graph : graphs_.graphs) graph = std::make_shared<const Graph>();
}

bool LiveTopology::Took(const std::optional<TopologyChange>& change, int64_t time_nanos) {
  if (!change) return false;
  reach_.Apply(*change);
  if (change->graph && (change->key.level == 1 || change->key.level == 2)) {
    graph_changed_[change->key.level] = true;
    backoff_.Change(time_nanos);
  }
  return true;
}

bool LiveTopology::Apply(Advertisement advertisement, int64_t time_nanos) {
  return Took(database_.Apply(std::move(advertisement), time_nanos), time_nanos);
}

bool LiveTopology::Remove(const AdvertisementKey& key, int64_t time_nanos) {
  return Took(database_.Remove(key, time_nanos), time_nanos);
}

bool LiveTopology::Want(NodeKey root) {
  if (roots_.count(root) != 0) return true;
  if (roots_.size() >= options_.max_roots) return false;
  roots_.emplace(root, nullptr);
  wanted_changed_ = true;
  return true;
}

void LiveTopology::Unwant(NodeKey root) { wanted_changed_ |= roots_.erase(root) != 0; }

bool LiveTopology::Advance(int64_t time_nanos) {
  const bool due = backoff_.Advance(time_nanos), wanted = wanted_changed_;
  if (due) {
    Compute(time_nanos);
  } else if (wanted) {
    // Routers that are newly wanted see what is published: it is not yet time for what changed since.
    Publish(time_nanos);
  }
  return due || wanted;
}

void LiveTopology::Compute(int64_t time_nanos) {
  state_ = database_.State();
  for (const uint8_t level : {uint8_t{1}, uint8_t{2}}) {
    if (!graph_changed_[level]) continue;
    for (const TopologyNumber topology : {TopologyNumber{0}, TopologyNumber{2}}) {
      graphs_.graphs[TopologyGraphs::PlaceOf(level, topology)] =
          std::make_shared<const Graph>(state_.GraphOf(level, topology));
    }
    graph_changed_[level] = false;
  }
  Publish(time_nanos);
}

void LiveTopology::Publish(int64_t time_nanos) {
  auto snapshot = std::make_shared<TopologySnapshot>();
  snapshot->serial = ++serial_;
  snapshot->time_nanos = time_nanos;
  snapshot->state = state_;
  wanted_changed_ = false;
  for (auto& [key, paths] : roots_) {
    if (paths != nullptr && paths->graphs().graphs == graphs_.graphs) continue;
    paths = std::make_shared<const RouterPaths>(graphs_, key, paths.get());
  }
  snapshot->graphs = graphs_;
  snapshot->roots = roots_;
  published_->Publish(std::move(snapshot));
}

absl::Status LiveTopology::Restore(base::Octets octets, int64_t time_nanos) {
  const absl::Status status = database_.Restore(octets);
  if (!status.ok()) return status;
  reach_.Reset(database_.State());
  graph_changed_.fill(true);
  Compute(time_nanos);
  return status;
}

}  // namespace flowacct::topology
