// Writes what an LspContent holds as TLVs of an LSP: the way back of ReadLspContent.
//
// Standards: as in lsp_content.h. Guarantees: what is written is read again as the same values, in the same order
// within each kind; entries of one kind share TLVs. Threads: one at a time. Errors: false, and nothing of that value is
// written, if it does not fit into the PDU. Cost: the octets.

#ifndef FLOWACCT_ISIS_LSP_CONTENT_WRITER_H_
#define FLOWACCT_ISIS_LSP_CONTENT_WRITER_H_

#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/pdu_writer.h"

namespace flowacct::isis {

// TLV 2 if it is not wide, else 22, or 222 in topologies other than the standard one.
bool AddNeighbor(const Neighbor& neighbor, PduWriter* writer);
// TLV 128 or 130 if it is not wide, else 135, 235, 236 or 237. External prefixes of IPv4 say so by their attribute
// flags.
bool AddReachability(const Reachability& reachability, PduWriter* writer);
// TLV 242, or 144 in topologies other than the standard one.
bool AddCapability(const RouterCapability& capability, PduWriter* writer);

// All of it, in the order of the members. False if something did not fit: what came before it is written.
bool AddLspContent(const LspContent& content, PduWriter* writer);

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_LSP_CONTENT_WRITER_H_
