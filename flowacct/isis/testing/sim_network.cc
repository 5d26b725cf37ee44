#include "flowacct/isis/testing/sim_network.h"

#include <algorithm>

#include "flowacct/base/octet_hash.h"

namespace flowacct::isis::testing {

uint64_t SimNetwork::Random(uint64_t below) { return base::NextSecret(&random_) % below; }

int SimNetwork::AddNode(std::unique_ptr<SimNode> node) {
  nodes_.push_back(std::move(node));
  return static_cast<int>(nodes_.size()) - 1;
}

int SimNetwork::AddSegment() {
  segments_.emplace_back();
  return static_cast<int>(segments_.size()) - 1;
}

void SimNetwork::Attach(int segment, int node, int port) {
  segments_[static_cast<size_t>(segment)].ends.push_back({node, port});
  segment_of_[{node, port}] = segment;
}

void SimNetwork::Collect(int from) {
  for (SimFrame& frame : node(from)->Take()) {
    const auto it = segment_of_.find({from, frame.port});
    if (it == segment_of_.end()) continue;
    const Segment& segment = segments_[static_cast<size_t>(it->second)];
    if (!segment.up) continue;
    for (const End& end : segment.ends) {
      if (end.node == from && end.port == frame.port) continue;
      if (Random(1000) < loss_) continue;
      const int64_t at = now_ + 1 + static_cast<int64_t>(Random(static_cast<uint64_t>(max_delay_)));
      arrivals_[{at, frames_++}] = {end, it->second, node(from)->Mac(frame.port), frame.pdu};
    }
  }
}

void SimNetwork::Run(int64_t seconds) {
  const int64_t until = now_ + seconds * kSimSecond;
  while (true) {
    int64_t next = arrivals_.empty() ? INT64_MAX : arrivals_.begin()->first.first;
    int soonest = -1;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const int64_t time = nodes_[i]->NextTime();
      if (time >= next) continue;
      next = time;
      soonest = static_cast<int>(i);
    }
    if (next > until) break;
    now_ = std::max(now_, next);
    if (soonest >= 0) {
      node(soonest)->Advance(now_);
      Collect(soonest);
      continue;
    }
    Arrival arrival = std::move(arrivals_.begin()->second);
    arrivals_.erase(arrivals_.begin());
    if (!segments_[static_cast<size_t>(arrival.segment)].up) continue;
    if (tamper_) tamper_(&arrival.pdu);
    node(arrival.to.node)->Receive(arrival.to.port, arrival.source, arrival.pdu, now_);
    Collect(arrival.to.node);
  }
  now_ = until;
}

}  // namespace flowacct::isis::testing
