// The join as it is said, without caches: the slow twin of IgpEnricher.
//
// Walks all advertisements for an exporter, asks RouterPaths::Find for every address, and tries every way.

#ifndef FLOWACCT_ENRICH_IGP_TESTING_SLOW_IGP_H_
#define FLOWACCT_ENRICH_IGP_TESTING_SLOW_IGP_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "flowacct/base/ip_address.h"
#include "flowacct/topology/live_topology.h"
#include "flowacct/topology/reach_table.h"

namespace flowacct::enrich {

class SlowIgp {
 public:
  struct Record {
    std::optional<base::IpAddress> exporter, src, dst, next_hop;
    std::optional<uint8_t> src_mask, dst_mask;
  };
  // Text of each field that is told, by its name; "outcome" is the name of the counter.
  using Told = std::map<std::string, std::string>;

  SlowIgp(const topology::TopologySnapshot* snapshot, const topology::ReachTable* reach, size_t max_ways)
      : snapshot_(snapshot), reach_(reach), max_ways_(max_ways) {}

  Told Tell(const Record& record);

 private:
  std::optional<topology::NodeKey> RouterOf(const base::IpAddress& exporter) const;
  std::string Name(topology::NodeKey key) const;
  void TellRoute(const topology::RouterRoute& route, const base::IpAddress& address, uint8_t length, Told* told);

  const topology::TopologySnapshot* const snapshot_;
  const topology::ReachReader reach_;
  const size_t max_ways_;
  const topology::RouterPaths* paths_ = nullptr;  // of the record's router
  std::map<topology::NodeKey, std::shared_ptr<const topology::RouterPaths>> all_paths_;
  std::map<topology::NodeKey, std::shared_ptr<const topology::RouterAlternates>> alternates_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_IGP_TESTING_SLOW_IGP_H_
