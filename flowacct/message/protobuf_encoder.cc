// FlowMessage (flow_message.proto), written as its wire format: no object a row.

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "flowacct/base/digits.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/message/encoders.h"
#include "flowacct/message/exact_octets.h"
#include "flowacct/message/message_fields.h"
#include "flowacct/message/row_columns.h"
#include "flowacct/message/wire_format.h"
#include "flowacct/record/value_text.h"

namespace flowacct::message {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using record::FieldType;

// How a value becomes wire format.
enum class Step : uint8_t {
  kVarint8,
  kVarint16,
  kVarint32,
  kVarint64,
  kAddress,
  kPrefix,
  kMac,
  kCoordinates,
  kDigits,
  kString,
  kOctets,
  kList,
  // Of values:
  kSum,
  kNumber,  // a Value with a number
  kText,    // a Value with a text
};

constexpr Step StepOf(FieldType type) {
  switch (type) {
    case FieldType::kAddress:
      return Step::kAddress;
    case FieldType::kPrefix:
      return Step::kPrefix;
    case FieldType::kMac:
      return Step::kMac;
    case FieldType::kCoordinates:
      return Step::kCoordinates;
    case FieldType::kString:
      return Step::kString;
    case FieldType::kOctets:
      return Step::kOctets;
    case FieldType::kDigits:
      return Step::kDigits;
    default:
      if (IsList(type)) return Step::kList;
      return record::FieldTypeSize(type) == 1   ? Step::kVarint8
             : record::FieldTypeSize(type) == 2 ? Step::kVarint16
             : record::FieldTypeSize(type) == 4 ? Step::kVarint32
                                                : Step::kVarint64;
  }
}

constexpr WireType WireTypeOf(Step step) {
  return step <= Step::kVarint64 || step == Step::kMac || step == Step::kSum ? WireType::kVarint : WireType::kLength;
}

struct Instruction {
  Step step;
  uint8_t key_size = 0;
  uint8_t presence_mask = 0;
  FieldType type = FieldType::kU64;
  char key[kMaxKeySize] = {};
  uint32_t number = 0;          // of the message's field
  uint16_t presence_octet = 0;  // of a key
  size_t offset = 0;            // in the key row, or the index of the value
  std::string value_head;       // kNumber, kText: function and field of the Value
};

// What a step writes into memory that is there: a key, a length, a prefix or a Value with a number.
constexpr size_t kMaxFixedSize = 32;

char* WriteAddress(const uint8_t* value, char* out) {
  const bool v4 = base::IpAddress::FromV6(value).IsV4();
  const size_t size = v4 ? 4 : 16;
  std::memcpy(out, value + 16 - size, size);
  return out + size;
}

void AppendVarint(uint64_t number, std::string* out) {
  char octets[kMaxVarintSize];
  out->append(octets, static_cast<size_t>(WriteVarint(number, octets) - octets));
}

void AppendVarintField(uint32_t field, uint64_t number, std::string* out) {
  char octets[kMaxKeySize + kMaxVarintSize];
  char* const end = WriteVarint(number, WriteKey(field, WireType::kVarint, octets));
  out->append(octets, static_cast<size_t>(end - octets));
}

void AppendLengthField(uint32_t field, absl::string_view value, std::string* out) {
  char octets[kMaxKeySize + kMaxVarintSize];
  char* const end = WriteVarint(value.size(), WriteKey(field, WireType::kLength, octets));
  out->append(octets, static_cast<size_t>(end - octets));
  out->append(value.data(), value.size());
}

constexpr uint32_t Number(Fact fact) { return static_cast<uint32_t>(fact); }

bool IsAscii(absl::string_view text) {
  uint64_t bits = 0;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    bits |= base::LoadHost<uint64_t>(reinterpret_cast<const uint8_t*>(text.data()) + at);
  }
  for (; at < text.size(); ++at) bits |= static_cast<uint8_t>(text[at]);
  return (bits & 0x8080808080808080u) == 0;
}

class ProtobufEncoder : public RecordEncoder {
 public:
  explicit ProtobufEncoder(const aggregate::Schema& schema) {
    for (const RowColumn& column : RowColumns(schema)) {
      Instruction instruction;
      instruction.number = MessageFieldOf(column.field).number;
      instruction.offset = column.offset;
      instruction.type = record::Info(column.field).type;
      uint32_t key_number = instruction.number;
      if (column.source == RowColumn::Source::kKey) {
        instruction.step = StepOf(column.type);
        instruction.presence_octet = column.presence >> 3;
        instruction.presence_mask = static_cast<uint8_t>(1u << (column.presence & 7));
      } else if (column.function == Function::kSum && !schema.key.Has(column.field)) {
        instruction.step = Step::kSum;
      } else {
        instruction.step = column.source == RowColumn::Source::kText ? Step::kText : Step::kNumber;
        key_number = Number(Fact::kValues);
        AppendVarintField(kValueFunction, static_cast<uint64_t>(column.function), &instruction.value_head);
        AppendVarintField(kValueField, instruction.number, &instruction.value_head);
      }
      char* const end = WriteKey(key_number, WireTypeOf(instruction.step), instruction.key);
      instruction.key_size = static_cast<uint8_t>(end - instruction.key);
      (column.source == RowColumn::Source::kKey ? keys_ : values_).push_back(std::move(instruction));
    }
    // By rising number, as other writers of the format do.
    const auto by_number = [](const Instruction& a, const Instruction& b) { return a.number < b.number; };
    std::stable_sort(keys_.begin(), keys_.end(), by_number);
    buffer_ = std::make_unique<char[]>(kMaxFixedSize * (keys_.size() + values_.size() + 1));
  }

  void Append(const AggregateBatch& batch, size_t row, std::string* out) override {
    SetBatch(batch);
    out->append(facts_);
    const uint8_t* const key = batch.key(row).octets();
    char* p = buffer_.get();
    if (batch.identity().number != 0) p = WriteVarint(row, WriteKey(Number(Fact::kRow), WireType::kVarint, p));
    for (const Instruction& instruction : keys_) {
      if ((key[instruction.presence_octet] & instruction.presence_mask) == 0) continue;
      const uint8_t* const value = key + instruction.offset;
      if (instruction.step >= Step::kString) {
        out->append(buffer_.get(), static_cast<size_t>(p - buffer_.get()));
        p = buffer_.get();
        AppendInterned(instruction, base::LoadHost<base::InternId>(value), batch.interner(), out);
        continue;
      }
      p = WriteKeyOf(instruction, p);
      switch (instruction.step) {
        case Step::kVarint8:
          p = WriteVarint(*value, p);
          break;
        case Step::kVarint16:
          p = WriteVarint(base::LoadHost<uint16_t>(value), p);
          break;
        case Step::kVarint32:
          p = WriteVarint(base::LoadHost<uint32_t>(value), p);
          break;
        case Step::kVarint64:
          p = WriteVarint(base::LoadHost<uint64_t>(value), p);
          break;
        case Step::kAddress: {
          char* const end = WriteAddress(value, p + 1);
          *p = static_cast<char>(end - p - 1);
          p = end;
          break;
        }
        case Step::kPrefix: {
          char* end = WriteAddress(value, p + 1);
          *end++ = static_cast<char>(value[16]);
          *p = static_cast<char>(end - p - 1);
          p = end;
          break;
        }
        case Step::kMac:
          p = WriteVarint(base::LoadBe(value, 6), p);
          break;
        case Step::kDigits: {
          const size_t size = base::Digits::FromBits(base::LoadHost<uint64_t>(value)).Format(p + 1);
          *p = static_cast<char>(size);
          p += 1 + size;
          break;
        }
        default:  // coordinates: two floats in little-endian order (packed)
          *p++ = 8;
          std::memcpy(p, value, 8);
          p += 8;
      }
    }
    const uint8_t* const values = batch.values(row);
    const bool plain = batch.values_are_plain();
    for (const Instruction& instruction : values_) {
      if (!plain && !batch.has_value(row, instruction.offset)) continue;
      if (instruction.step == Step::kSum) {
        p = WriteKeyOf(instruction, p);
        p = WriteVarint(
            plain ? base::LoadHost<uint64_t>(values + 8 * instruction.offset) : batch.value(row, instruction.offset),
            p);
      } else if (instruction.step == Step::kNumber) {
        const uint64_t number = batch.value(row, instruction.offset);
        p = WriteKeyOf(instruction, p);
        *p++ = static_cast<char>(instruction.value_head.size() + 1 + VarintSize(number));
        std::memcpy(p, instruction.value_head.data(), instruction.value_head.size());
        p = WriteKey(kValueNumber, WireType::kVarint, p + instruction.value_head.size());
        p = WriteVarint(number, p);
      }
    }
    out->append(buffer_.get(), static_cast<size_t>(p - buffer_.get()));
    if (batch.is_overflow(row)) AppendVarintField(Number(Fact::kOverflow), 1, out);
    for (const Instruction& instruction : values_) {
      if (instruction.step == Step::kText) {
        scratch_ = instruction.value_head;
        text_.clear();
        record::AppendUtf8(batch.text(row, instruction.offset), &text_);
        AppendLengthField(kValueText, text_, &scratch_);
        AppendLengthField(Number(Fact::kValues), scratch_, out);
      } else if (!plain) {
        AppendIfWide(instruction, batch.wide_value(row, instruction.offset), out);
      }
    }
  }
  std::string Header() const override { return ""; }
  std::string SchemaText() const override { return FlowMessageProto(); }
  absl::string_view content_type() const override { return "application/x-protobuf"; }

 private:
  static char* WriteKeyOf(const Instruction& instruction, char* out) {
    std::memcpy(out, instruction.key, kMaxKeySize);
    return out + instruction.key_size;
  }

  // What is the same for all rows of a batch.
  void SetBatch(const AggregateBatch& batch) {
    if (!facts_.empty() && batch.bin().start_nanos == bin_.start_nanos && batch.bin().end_nanos == bin_.end_nanos &&
        batch.correction() == correction_ && batch.incomplete() == incomplete_ && batch.identity() == identity_) {
      return;
    }
    bin_ = batch.bin();
    correction_ = batch.correction();
    incomplete_ = batch.incomplete();
    identity_ = batch.identity();
    facts_.clear();
    if (HasBin(bin_)) {
      AppendVarintField(Number(Fact::kBinStart), static_cast<uint64_t>(bin_.start_nanos), &facts_);
      AppendVarintField(Number(Fact::kBinEnd), static_cast<uint64_t>(bin_.end_nanos), &facts_);
    }
    AppendText(Number(Fact::kCollector), identity_.collector, &facts_);
    AppendText(Number(Fact::kPipeline), identity_.pipeline, &facts_);
    if (identity_.number != 0) {
      AppendVarintField(Number(Fact::kRun), identity_.run, &facts_);
      AppendVarintField(Number(Fact::kNumber), identity_.number, &facts_);
    }
    if (correction_) AppendVarintField(Number(Fact::kCorrection), 1, &facts_);
    if (incomplete_) AppendVarintField(Number(Fact::kIncomplete), 1, &facts_);
  }

  void AppendText(uint32_t field, absl::string_view text, std::string* out) {
    if (text.empty()) return;
    text_.clear();
    record::AppendUtf8(text, &text_);
    AppendLengthField(field, text_, out);
  }

  void AppendInterned(const Instruction& instruction, base::InternId id, const base::Interner& interner,
                      std::string* out) {
    if (id == base::Interner::kOverflowId) {
      return AppendVarintField(Number(Fact::kNotKept), instruction.number, out);
    }
    const base::Octets octets = interner.Find(id);
    absl::string_view value = base::AsText(octets);
    if (instruction.step == Step::kString && !IsAscii(value)) {
      text_.clear();
      record::AppendUtf8(value, &text_);
      value = text_;
    }
    if (instruction.step != Step::kList) {
      out->append(instruction.key, instruction.key_size);
      AppendVarint(value.size(), out);
      out->append(value.data(), value.size());
      return;
    }
    const bool exact = ListOfOctets(instruction.type, octets, &numbers_);
    if (!numbers_.empty()) {
      scratch_.clear();
      for (const uint64_t number : numbers_) {
        if (instruction.type == FieldType::kExtCommunities) {
          char little_endian[8];
          std::memcpy(little_endian, &number, 8);
          scratch_.append(little_endian, 8);
        } else {
          AppendVarint(number, &scratch_);
        }
      }
      AppendLengthField(instruction.number, scratch_, out);
    }
    if (exact) return;
    scratch_.clear();
    AppendVarintField(kExactField, instruction.number, &scratch_);
    AppendLengthField(kExactOctets, value, &scratch_);
    AppendLengthField(Number(Fact::kExactOctets), scratch_, out);
  }

  void AppendIfWide(const Instruction& instruction, absl::uint128 sum, std::string* out) {
    if (absl::Uint128High64(sum) == 0) return;
    scratch_.clear();
    AppendVarintField(kWideSumField, instruction.number, &scratch_);
    AppendVarintField(kWideSumLow, absl::Uint128Low64(sum), &scratch_);
    AppendVarintField(kWideSumHigh, absl::Uint128High64(sum), &scratch_);
    AppendLengthField(Number(Fact::kWideSums), scratch_, out);
  }

  std::vector<Instruction> keys_, values_;
  std::unique_ptr<char[]> buffer_;
  // Of the batch whose facts these are.
  std::string facts_;
  aggregate::TimeBin bin_;
  aggregate::BatchIdentity identity_;
  bool correction_ = false, incomplete_ = false;
  std::string scratch_, text_;
  std::vector<uint64_t> numbers_;
};

}  // namespace

std::unique_ptr<RecordEncoder> NewProtobufEncoder(const aggregate::Schema& schema) {
  return std::make_unique<ProtobufEncoder>(schema);
}

}  // namespace flowacct::message
