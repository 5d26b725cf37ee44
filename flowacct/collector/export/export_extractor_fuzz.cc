// A captured packet of any link type, through extraction, guess and decision. The first octets choose the link type;
// the rest is cut into two packets, so that fragments meet.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "flowacct/collector/export/capture_kind.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/collector/export/export_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using flowacct::collector::CapturedPacket;
  if (size < 4) return 0;
  const uint16_t link_type = flowacct::base::LoadBe16(data);
  const size_t first = std::min<size_t>(flowacct::base::LoadBe16(data + 2), size - 4);
  CapturedPacket packets[2];
  packets[0].octets = flowacct::base::Octets(data + 4, first);
  packets[1].octets = flowacct::base::Octets(data + 4 + first, size - 4 - first);
  flowacct::collector::ExportExtractor extractor;
  uint64_t sum = 0;
  for (CapturedPacket& packet : packets) {
    packet.link_type = link_type;
    packet.wire_length = static_cast<uint32_t>(packet.octets.size());
    flowacct::record::Datagram datagram;
    if (!extractor.Extract(packet, &datagram)) continue;
    for (const uint8_t octet : datagram.octets) sum += octet;  // under ASan: all of it is there
    sum += static_cast<uint64_t>(flowacct::collector::GuessExport(datagram.octets).fit);
  }
  const auto& counters = extractor.counters();
  if (counters.packets != counters.datagrams + counters.other + counters.fragments + counters.undecodable) std::abort();
  if (flowacct::collector::DecideCaptureKind(packets).packets != 2) std::abort();
  volatile uint64_t seen = sum;
  (void)seen;
  return 0;
}
