#include "flowacct/aggregate/kept_field.h"

#include <algorithm>
#include <cstring>

#include "flowacct/base/ip_address.h"

namespace flowacct::aggregate {

using record::FieldType;

void AppendVarint(uint64_t number, std::vector<uint8_t>* octets) {
  for (; number >= 0x80; number >>= 7) octets->push_back(static_cast<uint8_t>(number | 0x80));
  octets->push_back(static_cast<uint8_t>(number));
}

uint64_t ReadVarint(base::OctetReader* reader) {
  uint64_t number = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const uint8_t octet = reader->U8();
    if (shift == 63 && octet > 1) break;
    number |= uint64_t{octet & 0x7fu} << shift;
    if (octet < 0x80) return number;
  }
  reader->Skip(reader->remaining() + 1);  // fails
  return 0;
}

uint32_t TextNumbers::NumberOf(base::InternId id) {
  if (id < kFirst) return id;
  const auto [it, is_new] = numbers_.try_emplace(id, static_cast<uint32_t>(kFirst + numbers_.size()));
  if (is_new) {
    const base::Octets text = interner_.Find(id);
    AppendVarint(text.size(), &texts_);
    texts_.insert(texts_.end(), text.begin(), text.end());
  }
  return it->second;
}

std::vector<uint8_t> TextNumbers::TakeNew() {
  std::vector<uint8_t> taken;
  taken.swap(texts_);
  return taken;
}

bool ReadNewTexts(base::OctetReader* reader, base::Interner* interner, std::vector<base::InternId>* ids) {
  while (reader->remaining() > 0) {
    const base::Octets text = reader->Bytes(static_cast<size_t>(ReadVarint(reader)));
    if (!reader->ok()) return false;
    ids->push_back(interner->Intern(text));
  }
  return true;
}

KeptField KeptFieldOf(record::FieldId id, const record::Layout& layout) {
  const FieldType type = record::Info(id).type;
  return {type, layout.offset(id), layout.index(id), static_cast<uint8_t>(record::FieldTypeSize(type))};
}

void AppendKeptField(const KeptField& field, const uint8_t* value, TextNumbers* texts, std::vector<uint8_t>* octets) {
  const auto append = [octets](const uint8_t* p, size_t n) { octets->insert(octets->end(), p, p + n); };
  switch (field.type) {
    case FieldType::kAddress:
    case FieldType::kPrefix: {
      const bool is_v4 = base::IpAddress::FromV6(value).IsV4();
      octets->push_back(is_v4 ? 4 : 16);
      append(value + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);
      if (field.type == FieldType::kPrefix) octets->push_back(value[16]);
      return;
    }
    case FieldType::kMac:
      return append(value, 6);
    default:
      if (record::IsInterned(field.type)) {
        return AppendVarint(texts->NumberOf(base::LoadHost<base::InternId>(value)), octets);
      }
      for (size_t i = field.size; i-- > 0;) octets->push_back(value[i]);  // rows are little-endian
  }
}

bool ReadKeptField(const KeptField& field, base::OctetReader* reader, const std::vector<base::InternId>& texts,
                   uint8_t* value) {
  switch (field.type) {
    case FieldType::kAddress:
    case FieldType::kPrefix: {
      const size_t length = reader->U8();
      if (length != 4 && length != 16) return false;
      const base::Octets octets = reader->Bytes(length);
      if (octets.size() != length) return false;
      const base::IpAddress address =
          length == 4 ? base::IpAddress::FromV4(octets.data()) : base::IpAddress::FromV6(octets.data());
      std::memcpy(value, address.data(), 16);
      if (field.type == FieldType::kAddress) return true;
      value[16] = reader->U8();
      return reader->ok() && value[16] <= (address.IsV4() ? 32 : 128);
    }
    case FieldType::kMac: {
      const base::Octets octets = reader->Bytes(6);
      std::copy(octets.begin(), octets.end(), value);
      return reader->ok();
    }
    default:
      if (record::IsInterned(field.type)) {
        const uint64_t number = ReadVarint(reader);
        if (!reader->ok() || number >= texts.size()) return false;
        base::StoreHost<base::InternId>(value, texts[number]);
        return true;
      }
      for (size_t i = field.size; i-- > 0;) value[i] = reader->U8();
      return reader->ok();
  }
}

}  // namespace flowacct::aggregate
