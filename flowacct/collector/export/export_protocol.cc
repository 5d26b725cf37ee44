#include "flowacct/collector/export/export_protocol.h"

#include "flowacct/flow/netflow/fixed_format.h"

namespace flowacct::collector {
namespace {

struct CustomaryPort {
  ExportFamily family;
  uint16_t port;
};

constexpr CustomaryPort kCustomaryPorts[] = {
    {ExportFamily::kNetflow, 2055},                                  // most exporters and collectors
    {ExportFamily::kNetflow, 2056}, {ExportFamily::kNetflow, 2100},  // nfacctd
    {ExportFamily::kNetflow, 9555}, {ExportFamily::kNetflow, 9991}, {ExportFamily::kNetflow, 9995},  // nfcapd
    {ExportFamily::kNetflow, 9996}, {ExportFamily::kIpfix, 4739},                                    // IANA
    {ExportFamily::kIpfix, 2055},   {ExportFamily::kIpfix, 2056},   {ExportFamily::kIpfix, 2100},
    {ExportFamily::kIpfix, 9991},   {ExportFamily::kIpfix, 9995},   {ExportFamily::kIpfix, 9996},
    {ExportFamily::kSflow, 6343},  // IANA
};

// Cisco's fixed formats: a header with a count, then as many records of one size; v8's aggregation scheme decides it.
ExportFit FitFixed(uint16_t version, base::Octets d) {
  constexpr size_t kSchemeAt = 22;
  // Exporters keep to what fits an Ethernet frame: its payload without IPv4 and UDP headers.
  constexpr size_t kMostOctets = 1472;
  // v6 is v5 with four octets more a record; no decoder knows it, but it is an export all the same.
  size_t header = 24;
  size_t record = 52;
  if (version != 6) {
    const bool has_scheme = version == 8 && d.size() > kSchemeAt;
    const netflow::FixedFormat* const format = netflow::FindFixedFormat(version, has_scheme ? d[kSchemeAt] : 0);
    if (format == nullptr) return ExportFit::kVersion;
    header = format->header_octets;
    record = format->record_octets;
  }
  if (d.size() < header) return ExportFit::kVersion;
  const uint16_t count = base::LoadBe16(d.data() + 2);
  const size_t octets = header + count * record;
  if (count == 0 || octets > kMostOctets) return ExportFit::kVersion;
  return d.size() == octets ? ExportFit::kWhole : ExportFit::kHead;
}

// The sets of v9 (RFC 3954, 5) and IPFIX (RFC 7011, 3.3): an id and a length that includes these four octets.
// Template sets have the ids `first_template` and the next one; data sets have ids from 256 on; the rest is reserved.
ExportFit FitSets(base::Octets sets, uint16_t first_template) {
  bool first = true;
  while (sets.size() >= 4) {
    const uint16_t id = base::LoadBe16(sets.data());
    const uint16_t length = base::LoadBe16(sets.data() + 2);
    const bool known = id == first_template || id == first_template + 1 || id >= 256;
    if (!known || length < 4 || length > sets.size()) return first ? ExportFit::kVersion : ExportFit::kHead;
    sets.remove_prefix(length);
    first = false;
  }
  if (first) return ExportFit::kVersion;
  return sets.empty() ? ExportFit::kWhole : ExportFit::kHead;
}

ExportFit FitV9(base::Octets d) {
  constexpr size_t kHeaderOctets = 20;
  return d.size() < kHeaderOctets ? ExportFit::kVersion : FitSets(d.subspan(kHeaderOctets), 0);
}

ExportFit FitIpfix(base::Octets d) {
  constexpr size_t kHeaderOctets = 16;
  if (d.size() < kHeaderOctets) return ExportFit::kVersion;
  const uint16_t length = base::LoadBe16(d.data() + 2);
  if (length < kHeaderOctets) return ExportFit::kVersion;
  if (length == d.size()) {
    // A message without a set is legal, and then its length speaks for it.
    return length == kHeaderOctets ? ExportFit::kWhole : FitSets(d.subspan(kHeaderOctets), 2);
  }
  // Cut, or with something behind it: what is there of the sets may still speak.
  const ExportFit sets = FitSets(d.subspan(kHeaderOctets, length - kHeaderOctets), 2);
  return sets == ExportFit::kWhole ? ExportFit::kHead : sets;
}

// sFlow v5: version, agent address with its type, sub-agent, sequence, uptime, number of samples; v2 and v4 lack the
// sub-agent, and their samples have no length.
ExportFit FitSflow(base::Octets d, ExportProtocol protocol) {
  if (d.size() < 8) return ExportFit::kVersion;
  const uint32_t address_type = base::LoadBe32(d.data() + 4);
  if (address_type != 1 && address_type != 2) return ExportFit::kVersion;
  const bool v5 = protocol == ExportProtocol::kSflow5;
  const size_t header = 8 + (address_type == 1 ? 4 : 16) + (v5 ? 16 : 12);
  if (d.size() < header) return ExportFit::kVersion;
  const uint32_t count = base::LoadBe32(d.data() + header - 4);
  base::Octets samples = d.subspan(header);
  if (!v5) {
    constexpr size_t kLeastSampleOctets = 12;
    if (count == 0 || count > samples.size() / kLeastSampleOctets) return ExportFit::kVersion;
    const uint32_t type = base::LoadBe32(samples.data());
    return type == 1 || type == 2 ? ExportFit::kWhole : ExportFit::kVersion;
  }
  if (count > samples.size() / 8) return ExportFit::kVersion;
  for (uint32_t i = 0; i < count; ++i) {
    if (samples.size() < 8) return ExportFit::kHead;
    const uint32_t length = base::LoadBe32(samples.data() + 4);
    if (length % 4 != 0 || length > samples.size() - 8) return i == 0 ? ExportFit::kVersion : ExportFit::kHead;
    samples.remove_prefix(8 + length);
  }
  return samples.empty() ? ExportFit::kWhole : ExportFit::kHead;
}

}  // namespace

ExportProtocol ProtocolOfVersion(base::Octets d) {
  if (d.size() < 4) return ExportProtocol::kNone;
  const uint16_t version = base::LoadBe16(d.data());
  // sFlow's has 32 bits.
  if (version == 0) return record::FindExportProtocol(ExportFamily::kSflow, base::LoadBe16(d.data() + 2));
  const ExportProtocol netflow = record::FindExportProtocol(ExportFamily::kNetflow, version);
  return netflow != ExportProtocol::kNone ? netflow : record::FindExportProtocol(ExportFamily::kIpfix, version);
}

ExportGuess GuessExport(base::Octets datagram) {
  ExportGuess guess;
  guess.protocol = ProtocolOfVersion(datagram);
  switch (guess.protocol) {
    case ExportProtocol::kNone:
      break;
    case ExportProtocol::kNetflow9:
      guess.fit = FitV9(datagram);
      break;
    case ExportProtocol::kIpfix:
      guess.fit = FitIpfix(datagram);
      break;
    case ExportProtocol::kSflow2:
    case ExportProtocol::kSflow4:
    case ExportProtocol::kSflow5:
      guess.fit = FitSflow(datagram, guess.protocol);
      break;
    case ExportProtocol::kNetflow1:
    case ExportProtocol::kNetflow5:
    case ExportProtocol::kNetflow6:
    case ExportProtocol::kNetflow7:
    case ExportProtocol::kNetflow8:
      guess.fit = FitFixed(base::LoadBe16(datagram.data()), datagram);
      break;
  }
  return guess;
}

bool IsCustomaryPort(ExportProtocol protocol, uint16_t port) {
  const ExportFamily family = FamilyOf(protocol);
  for (const CustomaryPort& row : kCustomaryPorts) {
    if (row.port == port && row.family == family) return true;
  }
  return false;
}

}  // namespace flowacct::collector
