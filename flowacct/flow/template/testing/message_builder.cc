#include "flowacct/flow/template/testing/message_builder.h"

namespace flowacct::flow::testing {

MessageBuilder::MessageBuilder(uint16_t version, uint32_t sequence, uint32_t domain) : version_(version) {
  if (version == 9) {  // RFC 3954, 5.1
    writer_.U16(9).U16(0).U32(kUptimeMillis).U32(kExportSeconds).U32(sequence).U32(domain);
  } else {  // RFC 7011, 3.1
    writer_.U16(10).U16(0).U32(kExportSeconds).U32(sequence).U32(domain);
  }
}

void MessageBuilder::Fields(const std::vector<BuilderField>& fields) {
  for (const BuilderField& field : fields) {
    writer_.U16(field.pen == 0 ? field.id : static_cast<uint16_t>(field.id | 0x8000)).U16(field.length);
    if (field.pen != 0) writer_.U32(field.pen);
  }
}

MessageBuilder& MessageBuilder::Template(uint16_t id, const std::vector<BuilderField>& fields) {
  BeginSet(version_ == 9 ? 0 : 2);
  writer_.U16(id).U16(static_cast<uint16_t>(fields.size()));
  Fields(fields);
  return EndSet();
}

MessageBuilder& MessageBuilder::OptionsTemplate(uint16_t id, size_t scopes, const std::vector<BuilderField>& fields) {
  BeginSet(version_ == 9 ? 1 : 3);
  writer_.U16(id);
  if (version_ == 9) {
    writer_.U16(static_cast<uint16_t>(4 * scopes)).U16(static_cast<uint16_t>(4 * (fields.size() - scopes)));
  } else {
    writer_.U16(static_cast<uint16_t>(fields.size())).U16(static_cast<uint16_t>(scopes));
  }
  Fields(fields);
  return EndSet();
}

MessageBuilder& MessageBuilder::Withdraw(uint16_t id, bool options) {
  BeginSet(options ? 3 : 2);
  writer_.U16(id).U16(0);
  return EndSet();
}

MessageBuilder& MessageBuilder::BeginSet(uint16_t id) {
  set_begin_ = writer_.size();
  writer_.U16(id).U16(0);
  return *this;
}

MessageBuilder& MessageBuilder::EndSet(size_t padding) {
  writer_.Fill(padding);
  writer_.PatchU16(set_begin_ + 2, static_cast<uint16_t>(writer_.size() - set_begin_));
  return *this;
}

record::Datagram MessageBuilder::Datagram() {
  if (version_ != 9) writer_.PatchU16(2, static_cast<uint16_t>(writer_.size()));
  record::Datagram datagram;
  datagram.octets = writer_.octets();
  datagram.source = base::IpAddress::V4(0xc0000201);
  datagram.arrival_nanos = kExportSeconds * kSecondNanos + kSecondNanos;
  return datagram;
}

std::vector<uint8_t> MessageBuilder::Copy() {
  const base::Octets octets = Datagram().octets;
  return std::vector<uint8_t>(octets.begin(), octets.end());
}

}  // namespace flowacct::flow::testing
