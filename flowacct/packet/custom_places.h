// Fields of a configuration that are octets at a place of a packet (record/custom_fields.h).
//
// Places are of the accounted IP level: mac, vlan and mpls are the first headers of their kind before its IP header, l3
// that header, l4 what follows it and its extension headers, payload what follows the TCP, UDP, ... header. A later
// fragment has no l4 and no payload. A packet without IP has the layers before it, and its network layer as l3.
// Guaranteed: a value lies wholly in what was captured, and behind an IP header in what the IP packet holds; else it is
// absent. Threads: any. Cost: a walk of the layers a field.

#ifndef FLOWACCT_PACKET_CUSTOM_PLACES_H_
#define FLOWACCT_PACKET_CUSTOM_PLACES_H_

#include "flowacct/base/interner.h"
#include "flowacct/packet/packet_view.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/row.h"

namespace flowacct::packet {

// Whether rows of `layout` have such a field.
bool HasCustomPlaces(const record::Layout& layout);

// Fills those that the packet has. `level`: the accounted one; null: it is not IP. `interner` may be null: texts stay
// absent.
void FillCustomPlaces(const PacketView& view, const IpLevel* level, base::Interner* interner, record::MutableRow row);

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_CUSTOM_PLACES_H_
