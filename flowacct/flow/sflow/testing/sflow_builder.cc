#include "flowacct/flow/sflow/testing/sflow_builder.h"

#include <algorithm>
#include <utility>

namespace flowacct::sflow {

namespace {

using base::IpAddress;
using base::Octets;
using base::OctetWriter;

void PutOpaque(OctetWriter* writer, Octets octets) {
  writer->U32(static_cast<uint32_t>(octets.size())).Bytes(octets).Fill((4 - octets.size() % 4) % 4);
}

void PutInterface(OctetWriter* writer, const Interface& interface, bool expanded) {
  if (expanded) {
    writer->U32(interface.format).U32(interface.value);
  } else {
    writer->U32(interface.format << 30 | (interface.value & 0x3fffffff));
  }
}

void PutSource(OctetWriter* writer, const DataSource& source, bool expanded) {
  if (expanded) {
    writer->U32(source.type).U32(source.index);
  } else {
    writer->U32(source.type << 24 | (source.index & 0xffffff));
  }
}

void PutRecords(OctetWriter* writer, const std::vector<BuiltRecord>& records) {
  writer->U32(static_cast<uint32_t>(records.size()));
  for (const BuiltRecord& record : records) {
    writer->U32(record.data_format);
    PutOpaque(writer, record.octets);
  }
}

BuiltRecord Take(uint32_t data_format, const OctetWriter& writer) {
  return BuiltRecord{data_format, {writer.octets().begin(), writer.octets().end()}};
}

}  // namespace

void PutString(OctetWriter* writer, absl::string_view text) { PutOpaque(writer, base::AsOctets(text)); }

void PutAddress(OctetWriter* writer, const IpAddress& address) {
  if (address.IsV4()) {
    writer->U32(1).U32(address.v4());
  } else {
    writer->U32(2).Bytes(address.octets());
  }
}

SflowBuilder::SflowBuilder(uint32_t version, const IpAddress& agent, uint32_t sequence, uint32_t sub_agent,
                           uint32_t uptime_milliseconds)
    : version_(version) {
  writer_.U32(version);
  PutAddress(&writer_, agent);
  if (version == 5) writer_.U32(sub_agent);
  writer_.U32(sequence).U32(uptime_milliseconds);
  count_at_ = writer_.size();
  writer_.U32(0);
}

SflowBuilder& SflowBuilder::ClaimSamples(uint32_t count) {
  writer_.PatchU32(count_at_, count);
  return *this;
}

SflowBuilder& SflowBuilder::AddSample(uint32_t data_format, Octets octets) {
  writer_.U32(data_format);
  PutOpaque(&writer_, octets);
  CountSample();
  return *this;
}

SflowBuilder& SflowBuilder::AddFlowSample(const FlowSampleFields& fields, const std::vector<BuiltRecord>& records) {
  OctetWriter sample;
  sample.U32(fields.sequence);
  PutSource(&sample, fields.source, fields.expanded);
  sample.U32(fields.rate).U32(fields.pool).U32(fields.drops);
  PutInterface(&sample, fields.input, fields.expanded);
  PutInterface(&sample, fields.output, fields.expanded);
  if (version_ == 5) {
    PutRecords(&sample, records);
    return AddSample(fields.expanded ? 3 : 1, sample.octets());
  }
  writer_.U32(1).Bytes(sample.octets());
  for (size_t i = 0; i < records.size(); ++i) {
    const uint32_t format = records[i].data_format;
    if (i == 1) writer_.U32(static_cast<uint32_t>(records.size() - 1));
    writer_.U32(format > 1000 ? format - 1000 : format == 1 ? 1 : format - 1).Bytes(records[i].octets);
  }
  if (records.size() == 1) writer_.U32(0);
  CountSample();
  return *this;
}

SflowBuilder& SflowBuilder::AddCountersSample(uint32_t sequence, const DataSource& source,
                                              const std::vector<BuiltRecord>& records, bool expanded,
                                              uint32_t legacy_type) {
  OctetWriter sample;
  sample.U32(sequence);
  PutSource(&sample, source, expanded);
  if (version_ == 5) {
    PutRecords(&sample, records);
    return AddSample(expanded ? 4 : 2, sample.octets());
  }
  writer_.U32(2).Bytes(sample.octets()).U32(30).U32(legacy_type);
  for (const BuiltRecord& record : records) writer_.Bytes(record.octets);
  CountSample();
  return *this;
}

SflowBuilder& SflowBuilder::AddDiscardedPacket(const DiscardedPacketFields& fields,
                                               const std::vector<BuiltRecord>& records) {
  OctetWriter sample;
  sample.U32(fields.sequence);
  PutSource(&sample, fields.source, true);
  sample.U32(fields.drops).U32(fields.input_ifindex).U32(fields.output_ifindex).U32(fields.reason);
  PutRecords(&sample, records);
  return AddSample(5, sample.octets());
}

std::vector<uint8_t> EthernetPacket(const PacketFields& fields) {
  const bool v4 = fields.source.IsV4();
  OctetWriter w;
  w.Bytes(std::vector<uint8_t>{2, 0, 0, 0, 0, 2}).Bytes(std::vector<uint8_t>{2, 0, 0, 0, 0, 1});
  if (fields.vlan != 0) w.U16(0x8100).U16(static_cast<uint16_t>(fields.priority << 13 | fields.vlan));
  w.U16(v4 ? 0x0800 : 0x86dd);
  const uint16_t transport = static_cast<uint16_t>((fields.protocol == 6 ? 20 : 8) + fields.payload);
  if (v4) {
    w.U8(0x45).U8(fields.tos).U16(static_cast<uint16_t>(20 + transport)).U16(7).U16(0);
    w.U8(64).U8(fields.protocol).U16(0);
    w.U32(fields.source.v4()).U32(fields.destination.v4());
  } else {
    w.U32(0x60000000u | uint32_t{fields.tos} << 20).U16(transport).U8(fields.protocol).U8(64);
    w.Bytes(fields.source.octets()).Bytes(fields.destination.octets());
  }
  w.U16(fields.source_port).U16(fields.destination_port);
  if (fields.protocol == 6) {
    w.U32(1).U32(2).U8(0x50).U8(fields.tcp_flags).U16(1000).U32(0);
  } else {
    w.U16(transport).U16(0);
  }
  w.Fill(fields.payload);
  return {w.octets().begin(), w.octets().end()};
}

BuiltRecord HeaderRecord(Octets header, uint32_t frame_length, uint32_t protocol, uint32_t stripped, uint32_t version) {
  OctetWriter w;
  w.U32(protocol).U32(frame_length);
  if (version == 5) w.U32(stripped);
  PutOpaque(&w, header);
  return Take(1, w);
}

BuiltRecord HeaderRecord(const std::vector<uint8_t>& frame, size_t snap, uint32_t version) {
  return HeaderRecord(Octets(frame).subspan(0, std::min(snap, frame.size())), static_cast<uint32_t>(frame.size() + 4),
                      1, 4, version);
}

BuiltRecord EthernetRecord(uint32_t length, const base::MacAddress& source, const base::MacAddress& destination,
                           uint32_t type, uint32_t data_format) {
  OctetWriter w;
  w.U32(length).Bytes(source.octets).Fill(2).Bytes(destination.octets).Fill(2).U32(type);
  return Take(data_format, w);
}

BuiltRecord IpRecord(const PacketFields& fields, uint32_t length, uint32_t data_format) {
  const bool v4 = fields.source.IsV4();
  OctetWriter w;
  w.U32(length).U32(fields.protocol);
  for (const IpAddress& address : {fields.source, fields.destination}) {
    w.Bytes(v4 ? address.octets().subspan(12) : address.octets());
  }
  w.U32(fields.source_port).U32(fields.destination_port).U32(fields.tcp_flags).U32(fields.tos);
  return Take(data_format != 0 ? data_format : v4 ? 3 : 4, w);
}

BuiltRecord SwitchRecord(uint32_t in_vlan, uint32_t in_priority, uint32_t out_vlan, uint32_t out_priority) {
  return NumbersRecord(1001, {in_vlan, in_priority, out_vlan, out_priority});
}

BuiltRecord RouterRecord(const IpAddress& next_hop, uint32_t source_mask, uint32_t destination_mask) {
  OctetWriter w;
  PutAddress(&w, next_hop);
  w.U32(source_mask).U32(destination_mask);
  return Take(1002, w);
}

BuiltRecord GatewayRecord(const GatewayFields& fields, uint32_t version) {
  OctetWriter w;
  if (version == 5) PutAddress(&w, fields.next_hop);
  w.U32(fields.as).U32(fields.source_as).U32(fields.source_peer_as);
  if (version == 2) {
    std::vector<uint32_t> numbers;
    for (const auto& segment : fields.segments) {
      numbers.insert(numbers.end(), segment.second.begin(), segment.second.end());
    }
    w.U32(static_cast<uint32_t>(numbers.size()));
    for (uint32_t number : numbers) w.U32(number);
    return Take(1003, w);
  }
  w.U32(static_cast<uint32_t>(fields.segments.size()));
  for (const auto& segment : fields.segments) {
    w.U32(segment.first).U32(static_cast<uint32_t>(segment.second.size()));
    for (uint32_t number : segment.second) w.U32(number);
  }
  w.U32(static_cast<uint32_t>(fields.communities.size()));
  for (uint32_t community : fields.communities) w.U32(community);
  w.U32(fields.local_pref);
  return Take(1003, w);
}

BuiltRecord UserRecord(absl::string_view source, absl::string_view destination, uint32_t version) {
  OctetWriter w;
  if (version == 5) w.U32(106);
  PutString(&w, source);
  if (version == 5) w.U32(106);
  PutString(&w, destination);
  return Take(1004, w);
}

BuiltRecord UrlRecord(absl::string_view url, absl::string_view host, uint32_t version) {
  OctetWriter w;
  w.U32(1);
  PutString(&w, url);
  if (version == 5) PutString(&w, host);
  return Take(1005, w);
}

BuiltRecord MplsRecord(const IpAddress& next_hop, const std::vector<uint32_t>& in_stack,
                       const std::vector<uint32_t>& out_stack) {
  OctetWriter w;
  PutAddress(&w, next_hop);
  for (const std::vector<uint32_t>* stack : {&in_stack, &out_stack}) {
    w.U32(static_cast<uint32_t>(stack->size()));
    for (uint32_t entry : *stack) w.U32(entry);
  }
  return Take(1006, w);
}

BuiltRecord NatRecord(const IpAddress& source, const IpAddress& destination) {
  OctetWriter w;
  PutAddress(&w, source);
  PutAddress(&w, destination);
  return Take(1007, w);
}

BuiltRecord NumbersRecord(uint32_t data_format, const std::vector<uint32_t>& numbers) {
  OctetWriter w;
  for (uint32_t number : numbers) w.U32(number);
  return Take(data_format, w);
}

BuiltRecord VlanStackRecord(uint32_t data_format, const std::vector<uint32_t>& tags) {
  OctetWriter w;
  w.U32(static_cast<uint32_t>(tags.size()));
  for (uint32_t tag : tags) w.U32(tag);
  return Take(data_format, w);
}

BuiltRecord SocketRecord(const PacketFields& local_to_remote) {
  const bool v4 = local_to_remote.source.IsV4();
  OctetWriter w;
  w.U32(local_to_remote.protocol);
  for (const IpAddress& address : {local_to_remote.source, local_to_remote.destination}) {
    w.Bytes(v4 ? address.octets().subspan(12) : address.octets());
  }
  w.U32(local_to_remote.source_port).U32(local_to_remote.destination_port);
  return Take(v4 ? 2100 : 2101, w);
}

BuiltRecord HttpRecord(absl::string_view uri, absl::string_view host, absl::string_view user) {
  OctetWriter w;
  w.U32(2).U32(1001);
  PutString(&w, uri);
  PutString(&w, host);
  PutString(&w, "");
  PutString(&w, "agent/1.0");
  PutString(&w, "");
  PutString(&w, user);
  PutString(&w, "text/html");
  w.U64(10).U64(2000).U32(1500).U32(200);
  return Take(2206, w);
}

BuiltRecord IfCountersRecord(uint32_t if_index, uint64_t base) {
  OctetWriter w;
  w.U32(if_index).U32(6).U64(1000000000).U32(1).U32(3).U64(base);
  for (uint32_t i = 1; i <= 6; ++i) w.U32(static_cast<uint32_t>(base + i));
  w.U64(base + 7);
  for (uint32_t i = 8; i <= 13; ++i) w.U32(static_cast<uint32_t>(base + i));
  return Take(1, w);
}

}  // namespace flowacct::sflow
