#include "flowacct/message/record_decoder.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "flowacct/base/digits.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/message/exact_octets.h"
#include "flowacct/message/message_fields.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/row.h"

namespace flowacct::message {

using aggregate::Function;
using record::FieldId;
using record::FieldType;

namespace {

constexpr uint64_t kFlowType = 1;
// By FlowMessage.FlowType: unknown, sFlow 5, NetFlow 5, NetFlow 9, IPFIX.
constexpr uint16_t kExportVersions[] = {0, 5, 5, 9, 10};

constexpr uint64_t Number(Fact fact) { return static_cast<uint64_t>(fact); }

}  // namespace

base::DecodeResult RecordDecoder::Decode(base::Octets message, record::FlowBatch* records, MessageFacts* facts) {
  *facts = MessageFacts();
  if (message.size() > options_.max_message_octets) {
    return base::DecodeResult::Error(base::DecodeCode::kLimitExceeded, 0);
  }
  records_ = records;
  facts_ = facts;
  row_ = records->size();
  records->Append();
  inner_ok_ = true;
  lists_size_ = 0;
  extremes_.clear();
  exact_.clear();
  not_kept_.clear();
  flow_type_ = 0;
  WireReader reader(message);
  size_t field_offset = 0;
  while (!reader.done() && inner_ok_) {
    field_offset = reader.offset();
    WireType type;
    const uint64_t number = reader.Key(&type);
    if (!reader.ok()) break;
    const FieldId field = FieldOfNumber(number);
    if (field != FieldId::kFieldCount && records->layout().Has(field)) {
      ReadField(&reader, type, field);
    } else {
      ReadFact(&reader, type, number);
    }
  }
  if (!reader.ok() || !inner_ok_) {
    records->Truncate(row_);
    return reader.ok() ? base::DecodeResult::Error(inner_code_, field_offset)
                       : base::DecodeResult::Error(reader.code(), reader.offset());
  }
  Finish();
  return base::DecodeResult::Ok();
}

// A field of another wire type than ours is one that we do not know, as Protocol Buffers has it.
void RecordDecoder::ReadField(WireReader* reader, WireType type, FieldId field) {
  const FieldType field_type = record::Info(field).type;
  if (IsList(field_type) || field_type == FieldType::kCoordinates) return ReadListNumbers(reader, type, field);
  const bool is_octets = field_type == FieldType::kAddress || field_type == FieldType::kPrefix ||
                         field_type == FieldType::kString || field_type == FieldType::kOctets ||
                         field_type == FieldType::kDigits;
  if (type != (is_octets ? WireType::kLength : WireType::kVarint)) return reader->Skip(type);
  if (!is_octets) {
    const uint64_t number = reader->Varint();
    if (reader->ok()) SetNumber(field, number);
  } else {
    const base::Octets octets = reader->Length();
    if (reader->ok()) SetOctets(field, octets);
  }
}

void RecordDecoder::ReadListNumbers(WireReader* reader, WireType type, FieldId field) {
  const FieldType field_type = record::Info(field).type;
  const WireType item = field_type == FieldType::kExtCommunities ? WireType::kFixed64
                        : field_type == FieldType::kCoordinates  ? WireType::kFixed32
                                                                 : WireType::kVarint;
  const auto read = [item](WireReader* items) {
    return item == WireType::kVarint ? items->Varint() : items->Fixed(item == WireType::kFixed64 ? 8 : 4);
  };
  if (type == item) {
    const uint64_t number = read(reader);
    if (reader->ok()) ListOf(field).numbers.push_back(number);
  } else if (type == WireType::kLength) {  // packed
    WireReader items(reader->Length());
    while (!items.done()) ListOf(field).numbers.push_back(read(&items));
    if (!items.ok()) Fail(items);
  } else {
    reader->Skip(type);
  }
}

void RecordDecoder::ReadFact(WireReader* reader, WireType type, uint64_t number) {
  if (type == WireType::kVarint) {
    const uint64_t value = reader->Varint();
    switch (number) {
      case kFlowType:
        flow_type_ = value;
        break;
      case Number(Fact::kBinStart):
        facts_->bin.start_nanos = static_cast<int64_t>(value);
        break;
      case Number(Fact::kBinEnd):
        facts_->bin.end_nanos = static_cast<int64_t>(value);
        break;
      case Number(Fact::kRun):
        facts_->run = value;
        break;
      case Number(Fact::kNumber):
        facts_->number = value;
        break;
      case Number(Fact::kRow):
        facts_->row = value;
        break;
      case Number(Fact::kCorrection):
        facts_->correction = value != 0;
        break;
      case Number(Fact::kIncomplete):
        facts_->incomplete = value != 0;
        break;
      case Number(Fact::kOverflow):
        facts_->overflow = value != 0;
        break;
      case Number(Fact::kNotKept):
        ReadNotKept(value);
        break;
      default:
        break;
    }
    return;
  }
  if (type != WireType::kLength) return reader->Skip(type);
  const base::Octets octets = reader->Length();
  if (!reader->ok()) return;
  switch (number) {
    case Number(Fact::kCollector):
      facts_->collector = base::AsText(octets);
      break;
    case Number(Fact::kPipeline):
      facts_->pipeline = base::AsText(octets);
      break;
    case Number(Fact::kValues):
      ReadValue(octets);
      break;
    case Number(Fact::kWideSums):
      ReadWideSum(octets);
      break;
    case Number(Fact::kExactOctets):
      ReadExactOctets(octets);
      break;
    case Number(Fact::kNotKept): {
      WireReader numbers(octets);
      while (!numbers.done()) ReadNotKept(numbers.Varint());
      if (!numbers.ok()) Fail(numbers);
      break;
    }
    default:
      break;
  }
}

void RecordDecoder::ReadValue(base::Octets octets) {
  uint64_t function = 0, field_number = 0, number = 0;
  bool has_number = false;
  WireReader reader(octets);
  while (!reader.done()) {
    WireType type;
    const uint64_t of = reader.Key(&type);
    if (!reader.ok()) break;
    if (type != WireType::kVarint) {
      reader.Skip(type);
      continue;
    }
    const uint64_t value = reader.Varint();
    if (of == kValueFunction) function = value;
    if (of == kValueField) field_number = value;
    if (of == kValueNumber) number = value;
    has_number |= of == kValueNumber;
  }
  if (!reader.ok()) return Fail(reader);
  const FieldId field = FieldOfNumber(field_number);
  const bool extreme =
      function == static_cast<uint64_t>(Function::kMin) || function == static_cast<uint64_t>(Function::kMax);
  // Of interned values a number would be an id, which nobody but the interner gives.
  if (extreme && has_number && field != FieldId::kFieldCount && records_->layout().Has(field) &&
      !record::IsInterned(record::Info(field).type)) {
    extremes_.emplace_back(field, number);
  }
}

void RecordDecoder::ReadWideSum(base::Octets octets) {
  uint64_t field_number = 0, low = 0, high = 0;
  WireReader reader(octets);
  while (!reader.done()) {
    WireType type;
    const uint64_t of = reader.Key(&type);
    if (!reader.ok()) break;
    if (type != WireType::kVarint) {
      reader.Skip(type);
      continue;
    }
    const uint64_t value = reader.Varint();
    if (of == kWideSumField) field_number = value;
    if (of == kWideSumLow) low = value;
    if (of == kWideSumHigh) high = value;
  }
  if (!reader.ok()) return Fail(reader);
  const FieldId field = FieldOfNumber(field_number);
  if (field != FieldId::kFieldCount) facts_->wide_sums.emplace_back(field, absl::MakeUint128(high, low));
}

void RecordDecoder::ReadExactOctets(base::Octets octets) {
  uint64_t field_number = 0;
  base::Octets value;
  WireReader reader(octets);
  while (!reader.done()) {
    WireType type;
    const uint64_t of = reader.Key(&type);
    if (!reader.ok()) break;
    if (of == kExactField && type == WireType::kVarint) {
      field_number = reader.Varint();
    } else if (of == kExactOctets && type == WireType::kLength) {
      value = reader.Length();
    } else {
      reader.Skip(type);
    }
  }
  if (!reader.ok()) return Fail(reader);
  const FieldId field = FieldOfNumber(field_number);
  if (field != FieldId::kFieldCount && records_->layout().Has(field) && IsList(record::Info(field).type)) {
    exact_.emplace_back(field, value);
  }
}

void RecordDecoder::ReadNotKept(uint64_t number) {
  const FieldId field = FieldOfNumber(number);
  if (field != FieldId::kFieldCount && records_->layout().Has(field) && record::IsInterned(record::Info(field).type)) {
    not_kept_.push_back(field);
  }
}

void RecordDecoder::SetNumber(FieldId field, uint64_t number) {
  if (record::Info(field).type == FieldType::kMac) {
    uint8_t octets[8];
    base::StoreBe64(octets, number);
    if (number >> 48 != 0) {
      ++facts_->unfit_values;
    } else {
      SetOctets(field, base::Octets(octets + 2, 6));
    }
    return;
  }
  if (!records_->row(row_).SetNumber(field, number)) ++facts_->unfit_values;
}

void RecordDecoder::SetInterned(FieldId field, base::Octets octets) {
  records_->row(row_).SetNumber(field, records_->interner().Intern(octets));
}

void RecordDecoder::SetOctets(FieldId field, base::Octets octets) {
  const FieldType type = record::Info(field).type;
  if (record::IsInterned(type)) return SetInterned(field, octets);
  if (type == FieldType::kDigits) {
    const std::optional<base::Digits> digits = base::Digits::Parse(base::AsText(octets));
    if (digits) {
      records_->row(row_).SetNumber(field, digits->bits());
    } else if (!octets.empty()) {
      ++facts_->unfit_values;
    }
    return;
  }
  uint8_t value[17];
  const size_t size = record::FieldTypeSize(type);
  if (type == FieldType::kAddress || type == FieldType::kPrefix) {
    const size_t length_size = type == FieldType::kPrefix ? 1 : 0;
    const bool v4 = octets.size() == 4 + length_size, v6 = octets.size() == 16 + length_size;
    if (octets.empty()) return;  // what some write of an address that they do not know
    if ((!v4 && !v6) || (length_size == 1 && octets.back() > (v4 ? 32 : 128))) {
      ++facts_->unfit_values;
      return;
    }
    const base::IpAddress address =
        v4 ? base::IpAddress::FromV4(octets.data()) : base::IpAddress::FromV6(octets.data());
    if (type == FieldType::kAddress) return records_->row(row_).SetAddress(field, address);
    const base::IpPrefix prefix(address, octets.back());
    std::memcpy(value, prefix.address().data(), 16);
    value[16] = prefix.length();
  } else {
    std::memcpy(value, octets.data(), size);
  }
  const record::Layout& layout = records_->layout();
  uint8_t* const row = records_->data() + row_ * records_->stride();
  std::memcpy(row + layout.offset(field), value, size);
  row[layout.index(field) >> 3] |= static_cast<uint8_t>(1u << (layout.index(field) & 7));
}

RecordDecoder::List& RecordDecoder::ListOf(FieldId field) {
  for (size_t i = 0; i < lists_size_; ++i) {
    if (lists_[i].field == field) return lists_[i];
  }
  if (lists_size_ == lists_.size()) lists_.emplace_back();
  List& list = lists_[lists_size_++];
  list.field = field;
  list.numbers.clear();
  return list;
}

void RecordDecoder::Finish() {
  for (size_t i = 0; i < lists_size_; ++i) {
    const List& list = lists_[i];
    const FieldType type = record::Info(list.field).type;
    if (type == FieldType::kCoordinates) {
      if (list.numbers.size() != 2) {
        ++facts_->unfit_values;
        continue;
      }
      uint8_t floats[8];
      for (size_t k = 0; k < 2; ++k) base::StoreHost<uint32_t>(floats + 4 * k, static_cast<uint32_t>(list.numbers[k]));
      SetOctets(list.field, floats);
      continue;
    }
    const int bits = type == FieldType::kLabelStack ? 20 : type == FieldType::kExtCommunities ? 64 : 32;
    if (std::any_of(list.numbers.begin(), list.numbers.end(),
                    [bits](uint64_t number) { return bits < 64 && number >> bits != 0; })) {
      ++facts_->unfit_values;
      continue;
    }
    scratch_.clear();
    AppendOctetsOfList(type, list.numbers, &scratch_);
    SetInterned(list.field, base::AsOctets(scratch_));
  }
  for (const auto& [field, octets] : exact_) SetInterned(field, octets);
  for (const FieldId field : not_kept_) records_->row(row_).SetNumber(field, base::Interner::kOverflowId);
  for (const auto& [field, number] : extremes_) {
    if (!records_->row(row_).Has(field)) SetNumber(field, number);
  }
  record::MutableRow row = records_->row(row_);
  if (facts_->bin.end_nanos != 0) {
    if (!row.Has(FieldId::kStartTime)) row.Set<FieldId::kStartTime>(facts_->bin.start_nanos);
    if (!row.Has(FieldId::kEndTime)) row.Set<FieldId::kEndTime>(facts_->bin.end_nanos);
  }
  if (!row.Has(FieldId::kExportVersion) && flow_type_ > 0 && flow_type_ < std::size(kExportVersions)) {
    row.Set<FieldId::kExportVersion>(kExportVersions[flow_type_]);
  }
}

}  // namespace flowacct::message
