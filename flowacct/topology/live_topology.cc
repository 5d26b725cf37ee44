#include "flowacct/topology/live_topology.h"

#include <optional>
#include <utility>

namespace flowacct::topology {

RouterAlternates::RouterAlternates(TopologyGraphs its_graphs, NodeKey router) : graphs(std::move(its_graphs)) {
  for (size_t i = 0; i < TopologyGraphs::kCount; ++i) {
    const NodeIndex node = graphs.graphs[i]->Find(router);
    if (node == kNoIndex) continue;
    auto alternates = std::make_unique<LoopFreeAlternates>();
    alternates->Compute(*graphs.graphs[i], node);
    of_graph[i] = std::move(alternates);
  }
}

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
  if (!change->before || !change->after || !RouterDirectory::Same(*change->before, *change->after)) {
    directory_changed_ = true;
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

bool LiveTopology::Want(NodeKey root, bool alternates) {
  if (alternates && alternates_.count(root) == 0) {
    if (alternates_.size() < options_.max_alternate_roots) {
      alternates_.emplace(root, nullptr);
      alternates_due_ = true;
    } else {
      ++alternates_refused_;
    }
  }
  if (roots_.count(root) != 0) return true;
  if (roots_.size() >= options_.max_roots) return false;
  roots_.emplace(root, nullptr);
  wanted_changed_ = true;
  return true;
}

void LiveTopology::Unwant(NodeKey root) {
  const size_t gone = roots_.erase(root) + alternates_.erase(root);
  wanted_changed_ = wanted_changed_ || gone != 0;
}

bool LiveTopology::MakeAlternates() {
  for (auto& [key, alternates] : alternates_) {
    if (alternates != nullptr && alternates->graphs.graphs == graphs_.graphs) continue;
    alternates = std::make_shared<const RouterAlternates>(graphs_, key);
    return true;
  }
  return false;
}

bool LiveTopology::Advance(int64_t time_nanos) {
  const bool due = backoff_.Advance(time_nanos), wanted = wanted_changed_;
  if (due) {
    Compute(time_nanos);
  } else if (wanted) {
    // Routers that are newly wanted see what is published: it is not yet time for what changed since.
    Publish(time_nanos);
  } else if (alternates_due_) {
    alternates_due_ = MakeAlternates();
    if (alternates_due_) Publish(time_nanos);
    return alternates_due_;
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
    alternates_due_ = !alternates_.empty();
  }
  if (directory_changed_) directory_ = std::make_shared<const RouterDirectory>(state_);
  directory_changed_ = false;
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
  snapshot->directory = directory_;
  snapshot->roots = roots_;
  for (const auto& [key, alternates] : alternates_) {
    if (alternates != nullptr && alternates->graphs.graphs == graphs_.graphs) snapshot->alternates[key] = alternates;
  }
  published_->Publish(std::move(snapshot));
}

absl::Status LiveTopology::Restore(base::Octets octets, int64_t time_nanos) {
  const absl::Status status = database_.Restore(octets);
  if (!status.ok()) return status;
  reach_.Reset(database_.State());
  graph_changed_.fill(true);
  directory_changed_ = true;
  Compute(time_nanos);
  return status;
}

}  // namespace flowacct::topology
