// Tells each header of a packet, field by field: for `flowacct decode`, never on the path of accounting.
//
// Each layer is a list (OnListBegin with the layer's name) of its header's fields in wire order, by the names of the
// table in header_fields.h. A field that is not made of whole octets is told as a number in as few octets as hold it.
// Ownership and lifetime: what is told is valid for the call. Cost: one pass over the table a layer.

#ifndef FLOWACCT_PACKET_DESCRIBE_H_
#define FLOWACCT_PACKET_DESCRIBE_H_

#include "flowacct/packet/packet_view.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::packet {

// Calls only OnListBegin, OnElement and OnListEnd: the record around the packet is the caller's.
void Describe(const PacketView& view, record::ElementListener* listener);

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_DESCRIBE_H_
