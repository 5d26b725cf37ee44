// What each peer of MRT files said of a prefix, in the files' order: the entries of tables, announcements, withdrawals,
// and ends of sessions that took the route along.
//
//     MrtHistory history(filter, /*limit=*/1000);
//     history.Read(block);  ...  history.EndFile();      // of each file
//     std::string json = std::move(history).Finish();
//
// Threads: one at a time. Errors: damaged records are counted by the reader. Cost: that of decoding each update.

#ifndef FLOWACCT_COLLECTOR_LOOKING_GLASS_MRT_HISTORY_H_
#define FLOWACCT_COLLECTOR_LOOKING_GLASS_MRT_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/update.h"
#include "flowacct/collector/looking_glass/route_filter.h"
#include "flowacct/collector/looking_glass/route_rows.h"
#include "flowacct/mrt/reader.h"

namespace flowacct::collector {

class MrtHistory final : private mrt::Listener {
 public:
  MrtHistory(RouteFilter filter, size_t limit);

  void Read(base::Octets block) { reader_.Read(block); }
  void EndFile() { reader_.End(); }
  // JSON, as that of lists of routes.
  std::string Finish() &&;

 private:
  void OnRibEntry(const mrt::RibEntry& entry) override;
  void OnMessage(const mrt::BgpMessage& message) override;
  void OnStateChange(const mrt::StateChange& change) override;

  // Whether there is room for a row; counted.
  bool Begin(absl::Time time, const mrt::Peer& peer, absl::string_view event);
  void Route(const bgp::Nlri& route);

  const RouteFilter filter_;
  const size_t limit_;
  mrt::Reader reader_;
  JsonRows rows_;
  uint64_t all_ = 0;
  // Peers that have said something, by address and AS, so that the end of their session matters.
  absl::flat_hash_set<std::pair<base::IpAddress, uint32_t>> speakers_;
  bgp::Update update_;
  bgp::UpdateCounters updates_;
  std::vector<uint8_t> attributes_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LOOKING_GLASS_MRT_HISTORY_H_
