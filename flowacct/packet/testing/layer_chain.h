// The layers of a packet as one word a layer, for tests: "ethernet:vlan:ipv4:udp".

#ifndef FLOWACCT_PACKET_TESTING_LAYER_CHAIN_H_
#define FLOWACCT_PACKET_TESTING_LAYER_CHAIN_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/packet/packet_view.h"

namespace flowacct::packet {

inline std::string LayerChain(const PacketView& view) {
  std::string chain;
  for (const Layer& layer : view.layers()) absl::StrAppend(&chain, chain.empty() ? "" : ":", LayerName(layer.kind));
  return chain;
}

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_TESTING_LAYER_CHAIN_H_
