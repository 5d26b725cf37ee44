// One octet of kind, then a run of link state's NLRI, or an attribute: what is read lies within it, and holds to what
// link_state.h promises.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "flowacct/bgp/link_state.h"
#include "flowacct/bgp/nlri.h"

namespace flowacct::bgp {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckNode(const LinkStateNode& node) { Require(node.router_id_size > 0 && node.router_id_size <= 8); }

void CheckRun(base::Octets octets, bool vpn, bool add_path) {
  uint32_t visited = 0;
  const uint8_t* at = octets.data();
  const bool whole =
      VisitLinkStateNlri(octets, vpn, add_path, [&](const base::DecodeResult& result, const LinkStateNlri& nlri) {
        ++visited;
        if (!result.ok()) return;
        Require(nlri.octets.data() >= at + (add_path ? 4 : 0));
        at = nlri.octets.data() + nlri.octets.size();
        Require(at <= octets.data() + octets.size());
        CheckNode(nlri.local);
        if (nlri.type == LinkStateType::kLink) CheckNode(nlri.remote);
        if (nlri.type == LinkStateType::kIpv4Prefix) Require(nlri.prefix.length() <= 32);
        Require(nlri.topology <= 0xfff);
        Require(vpn || nlri.rd == 0);
        // Its octets alone are the same object.
        LinkStateNlri again;
        size_t size;
        Require(ReadLinkStateNlri(nlri.octets, vpn, &again, &size).ok() && size == nlri.octets.size());
        Require(again.local == nlri.local && again.remote == nlri.remote && again.prefix == nlri.prefix);
      });
  // DecodeUpdate counts in the same way.
  const NlriCheck check = CheckNlri(vpn ? Family::kLinkStateVpn : Family::kLinkState, add_path, octets);
  Require(check.ok == whole && check.count == visited);
}

void CheckAttribute(base::Octets octets) {
  LinkStateAttribute attribute;
  const base::DecodeResult result = ReadLinkStateAttribute(octets, &attribute);
  Require(result.ok() || result.offset <= octets.size());
  Require(!attribute.max_bandwidth || *attribute.max_bandwidth >= 0);
  Require(attribute.topologies.size() * 2 <= octets.size() && attribute.shared_risk_groups.size() * 4 <= octets.size());
  Require(attribute.node_name.size() <= octets.size() && attribute.link_name.size() <= octets.size());
}

}  // namespace
}  // namespace flowacct::bgp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // In a block of exactly its size.
  const std::vector<uint8_t> exact(data + 1, data + size);
  if ((data[0] & 1) != 0) {
    flowacct::bgp::CheckAttribute(exact);
  } else {
    flowacct::bgp::CheckRun(exact, (data[0] & 2) != 0, (data[0] & 4) != 0);
  }
  return 0;
}
