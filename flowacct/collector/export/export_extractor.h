// Finds the UDP datagram in a captured packet, and hands it on as what a flow decoder takes.
//
// An IPFIX file's message becomes a datagram of Transport::kFile from the unspecified address (RFC 5655). Of a packet,
// the outermost UDP is taken, whatever it holds: who decodes tells what it is. IP fragments are put together (RFC 791,
// RFC 8200 4.5) within the bounds of packet::ReassemblerOptions. A datagram that was captured only in part (a snap
// length) is handed on as far as it goes, so that its decoder says what it lacks.
//
// Not checked: checksums (a capture on the sending host often has none yet).
// Ownership: a datagram's octets are the packet's, or of the extractor's reassembly, and valid until the next Extract.
// Threads: one at a time. Errors: counted, see ExtractCounters.
// Cost: whole UDP over IPv4 or IPv6 on Ethernet (with VLAN tags) takes a short path of a few loads; all else goes
// through the packet room's parser. No allocation but for fragments.

#ifndef FLOWACCT_COLLECTOR_EXPORT_EXPORT_EXTRACTOR_H_
#define FLOWACCT_COLLECTOR_EXPORT_EXPORT_EXTRACTOR_H_

#include <cstdint>

#include "flowacct/collector/capture/captured_packet.h"
#include "flowacct/packet/packet_view.h"
#include "flowacct/packet/reassembler.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {

struct ExtractCounters {
  uint64_t packets = 0;      // all that came in: the sum of the next four
  uint64_t datagrams = 0;    // handed on
  uint64_t other = 0;        // something other than UDP
  uint64_t fragments = 0;    // of UDP, kept until their datagram is whole
  uint64_t undecodable = 0;  // cut or damaged before the end of the UDP header, or of an unknown link type
  // Of the datagrams:
  uint64_t reassembled = 0;  // put together from fragments
  uint64_t cut = 0;          // captured only in part
};

class ExportExtractor {
 public:
  explicit ExportExtractor(packet::ReassemblerOptions reassembler = {});
  ExportExtractor(const ExportExtractor&) = delete;
  ExportExtractor& operator=(const ExportExtractor&) = delete;

  // True if the packet is, or completes, a UDP datagram or is an IPFIX message; then all of `datagram` is filled in.
  bool Extract(const CapturedPacket& packet, record::Datagram* datagram);

  const ExtractCounters& counters() const { return counters_; }
  const packet::ReassemblerCounters& reassembler_counters() const { return reassembler_.counters(); }
  // Fragmented datagrams that are not whole yet.
  size_t waiting_fragmented() const { return reassembler_.waiting_datagrams(); }

 private:
  bool ExtractGeneral(const CapturedPacket& packet, record::Datagram* datagram);

  ExtractCounters counters_;
  packet::PacketView view_;
  packet::Reassembler reassembler_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPORT_EXPORT_EXTRACTOR_H_
