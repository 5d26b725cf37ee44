// An IS-IS LSP as an advertisement.
//
// Standards: ISO 10589, 9.8 (flags); RFC 1195; RFC 5305, 5308, 5120, 5302, 7794, 8667. Where an LSP tells the same
// neighbour or prefix with narrow and with wide metrics, as routers do while a network goes over, the wide one counts.
// Guarantees: nothing is said that the LSP does not. Any thread. Errors: none. Cost: one pass, and the value.

#ifndef FLOWACCT_TOPOLOGY_FROM_ISIS_H_
#define FLOWACCT_TOPOLOGY_FROM_ISIS_H_

#include <cstdint>

#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::topology {

NodeKey KeyOf(const isis::NodeId& node);
isis::NodeId IsisNode(NodeKey key);
AdvertisementKey KeyOf(isis::Level level, const isis::LspId& id);

// `flags`: the octet behind the checksum (ISO 10589, 9.8).
Advertisement AdvertisementOf(isis::Level level, const isis::LspId& id, uint32_t sequence, uint8_t flags,
                              const isis::LspContent& content);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_FROM_ISIS_H_
