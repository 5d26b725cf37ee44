// Whatever the text: it is refused with a line, or what it says is written and read again to the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "flowacct/base/octets.h"
#include "flowacct/topology/igp_daemon_map.h"
#include "flowacct/topology/topology_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace topology = flowacct::topology;
  const absl::string_view text = flowacct::base::AsText(flowacct::base::Octets(data, size));
  topology::TopologyFile file;
  if (auto parsed = topology::ParseTopologyFile(text, "t"); parsed.ok()) {
    file = *std::move(parsed);
  } else if (!absl::StartsWith(parsed.status().message(), "t:")) {
    std::abort();
  }
  if (auto map = topology::ParseIgpDaemonMap(text, "m"); map.ok()) {
    if (file.advertisements.empty()) file.advertisements = *std::move(map);
  } else if (!absl::StartsWith(map.status().message(), "m:")) {
    std::abort();
  }
  const std::string written = topology::WriteTopologyFile(file);
  const auto again = topology::ParseTopologyFile(written, "w");
  if (!again.ok()) std::abort();
  // Fragments of a node have become one, in an order of their own; from then on nothing changes.
  const std::string settled = topology::WriteTopologyFile(*again);
  const auto last = topology::ParseTopologyFile(settled, "s");
  if (!last.ok() || topology::WriteTopologyFile(*last) != settled) std::abort();
  return 0;
}
