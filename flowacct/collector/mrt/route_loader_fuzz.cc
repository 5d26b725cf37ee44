// One octet that says how the rest is split, then MRT: no more routes than were told, and the same whatever the split.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "flowacct/collector/mrt/route_loader.h"
#include "flowacct/collector/routing/peer_book.h"

namespace flowacct::collector {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

uint64_t PathsOf(base::Octets octets, size_t step) {
  RoutingOptions options;
  options.max_told_peers = 8;
  options.max_routes_per_peer = 64;
  options.max_tables_per_peer = 4;
  options.rib.max_tables = 64;
  PeerBook book(options);
  RouteLoaderOptions loading;
  loading.max_peers = 16;
  RouteLoader loader(&book, loading);
  const absl::Time now = absl::UnixEpoch();
  for (size_t at = 0; at < octets.size(); at += step) loader.Read(octets.subspan(at, step), now);
  loader.EndFile();
  loader.Finish(now);
  book.Tick(now);
  uint64_t announced = 0;
  for (const uint64_t n : loader.update_counters().announced) announced += n;
  Require(book.rib().paths() <= loader.counters().entries + announced);
  Require(loader.peers() <= 8);
  const uint64_t paths = book.rib().paths();
  // The same file once more replaces what it told.
  RouteLoader again(&book, loading);
  again.Replace(&loader, now);
  again.Read(octets, now);
  again.EndFile();
  again.Finish(now);
  while (book.rib().Reclaim(1000)) {
  }
  return paths;
}

}  // namespace
}  // namespace flowacct::collector

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using flowacct::base::Octets;
  if (size == 0) return 0;
  const Octets octets(data + 1, size - 1);
  const uint64_t whole = flowacct::collector::PathsOf(octets, std::max<size_t>(size, 1));
  const uint64_t split = flowacct::collector::PathsOf(octets, size_t{data[0]} + 1);
  flowacct::collector::Require(whole == split);
  return 0;
}
