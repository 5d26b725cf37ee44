// Batches with everything in them, for tests and benchmarks of messages: every field of the registry, absent and zero
// values, hostile texts, lists that are no plain lists, sums beyond 64 bits, all functions.

#ifndef FLOWACCT_MESSAGE_TESTING_MESSAGE_BATCH_H_
#define FLOWACCT_MESSAGE_TESTING_MESSAGE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/row.h"

namespace flowacct::message {

inline aggregate::ValueColumn SumOf(record::FieldId field) {
  return {field, aggregate::Function::kSum, std::string(record::Info(field).name)};
}

inline aggregate::ValueColumn ValueOf(aggregate::Function function, absl::string_view word, record::FieldId field) {
  return {field, function, absl::StrCat(word, "(", record::Info(field).name, ")")};
}

class MessageBatch {
 public:
  MessageBatch(const std::vector<record::FieldId>& key, std::vector<aggregate::ValueColumn> values)
      : schema_(std::make_shared<aggregate::Schema>(aggregate::Schema{record::Layout(key), std::move(values)})) {
    values_offset_ = schema_->key.row_size();
    seen_offset_ = values_offset_ + 8 * schema_->values.size();
    stride_ = seen_offset_ + 8;
  }

  const std::shared_ptr<aggregate::Schema>& schema() const { return schema_; }
  base::Interner& interner() { return *interner_; }
  size_t size() const { return octets_.size() / stride_; }

  // A row with nothing but the values; of min and max, those whose bit is in `seen` met one. Valid until the next one.
  record::MutableRow Add(const std::vector<uint64_t>& values, uint64_t seen = UINT64_MAX) {
    octets_.resize(octets_.size() + stride_);
    uint8_t* const row = octets_.data() + octets_.size() - stride_;
    for (size_t i = 0; i < values.size(); ++i) base::StoreHost<uint64_t>(row + values_offset_ + 8 * i, values[i]);
    base::StoreHost<uint64_t>(row + seen_offset_, seen);
    return record::MutableRow(&schema_->key, row);
  }

  // Sets a field by the octets that a row has of it.
  void SetOctets(record::MutableRow row, record::FieldId field, const void* value) {
    const uint8_t* const octets = row.octets();
    const size_t at = static_cast<size_t>(octets - octets_.data());
    std::memcpy(octets_.data() + at + schema_->key.offset(field), value,
                record::FieldTypeSize(record::Info(field).type));
    const uint16_t index = schema_->key.index(field);
    octets_[at + (index >> 3)] |= static_cast<uint8_t>(1u << (index & 7));
  }

  // A value as fields of the type have it: likely ones, and now and then the strangest.
  void SetRandom(record::MutableRow row, record::FieldId field, std::mt19937_64* random) {
    using record::FieldType;
    const FieldType type = record::Info(field).type;
    uint8_t octets[32];
    for (uint8_t& octet : octets) octet = static_cast<uint8_t>((*random)());
    const bool strange = (*random)() % 4 == 0;
    if (type == FieldType::kAddress || type == FieldType::kPrefix) {
      base::IpAddress address = strange ? base::IpAddress::FromV6(octets) : base::IpAddress::FromV4(octets);
      const uint8_t length = static_cast<uint8_t>((*random)() % (strange ? 129 : 33));
      const base::IpPrefix prefix(address, length);
      if (type == FieldType::kPrefix) address = prefix.address();
      std::memcpy(octets, address.data(), 16);
      octets[16] = length;
    } else if (type == FieldType::kCoordinates) {
      base::StoreHost<float>(octets, 52.5F);
      base::StoreHost<float>(octets + 4, -4.25F);
    } else if (type == FieldType::kDigits) {
      const uint64_t bits = (*random)();
      base::Digits digits = base::Digits::Pseudonym(bits);
      if (!strange) digits = base::Digits::Parse(absl::StrCat(bits % 1000000000000000)).value();
      base::StoreHost<uint64_t>(octets, digits.bits());
    } else if (record::IsInterned(type)) {
      base::StoreHost<base::InternId>(octets, RandomText(type, strange, random));
    } else if (strange) {
      std::memset(octets, (*random)() % 2 == 0 ? 0 : 0xff, sizeof(octets));
    }
    SetOctets(row, field, octets);
  }

  // What `carries` say a sum has beyond 64 bits, by row and column.
  void SetCarry(size_t row, size_t column, uint64_t high) { carries_[row * 64 + column] = high; }

  aggregate::AggregateBatch Build(aggregate::TimeBin bin = {}) const {
    aggregate::AggregateBatch::Rows rows;
    rows.size = size();
    rows.rows_per_chunk = 1000;
    rows.stride = stride_;
    rows.values_offset = values_offset_;
    for (const aggregate::ValueColumn& value : schema_->values) {
      if (value.function == aggregate::Function::kMin || value.function == aggregate::Function::kMax) {
        rows.seen_offset = seen_offset_;
      }
    }
    for (size_t from = 0; from < octets_.size(); from += 1000 * stride_) {
      rows.chunks.push_back(aggregate::NewChunk(1000 * stride_));
      std::memcpy(rows.chunks.back().get(), octets_.data() + from, std::min(1000 * stride_, octets_.size() - from));
    }
    aggregate::AggregateBatch batch(schema_, interner_, bin, std::move(rows));
    batch.set_carries(carries_);
    std::vector<std::vector<std::string>> texts(schema_->values.size());
    for (size_t column = 0; column < texts.size(); ++column) {
      if (schema_->values[column].function != aggregate::Function::kTop) continue;
      for (size_t row = 0; row < size(); ++row) texts[column].push_back(absl::StrCat("443:", row, " 80:3"));
    }
    batch.set_texts(std::move(texts));
    return batch;
  }

  // Every field of the registry that no value of `batch` is of is a key.
  static MessageBatch OfAllFields() {
    using aggregate::Function;
    using record::FieldId;
    std::vector<FieldId> key;
    for (size_t i = 0; i < record::kFieldCount; ++i) {
      if (record::Info(static_cast<FieldId>(i)).kind != record::FieldKind::kCounter) {
        key.push_back(static_cast<FieldId>(i));
      }
    }
    key.push_back(FieldId::kDroppedBytes);
    return MessageBatch(
        key, {SumOf(FieldId::kPackets), SumOf(FieldId::kBytes), SumOf(FieldId::kFlows), SumOf(FieldId::kDroppedPackets),
              SumOf(FieldId::kDroppedBytes), ValueOf(Function::kMin, "min", FieldId::kTtl),
              ValueOf(Function::kMax, "max", FieldId::kStartTime), ValueOf(Function::kMax, "max", FieldId::kPostBytes),
              ValueOf(Function::kDistinct, "distinct", FieldId::kSrcAddr),
              ValueOf(Function::kTop, "top", FieldId::kDstPort)});
  }

  // A row of OfAllFields with some of its fields.
  void AddRandom(std::mt19937_64* random) {
    std::vector<uint64_t> values(schema_->values.size());
    for (uint64_t& value : values) value = (*random)() >> ((*random)() % 64);
    values[5] &= 0xff;
    const size_t row_number = size();
    const record::MutableRow row = Add(values, (*random)());
    for (const record::FieldId field : schema_->key.fields()) {
      if ((*random)() % 3 != 0) SetRandom(row, field, random);
    }
    if ((*random)() % 8 == 0) SetCarry(row_number, 1, 1 + (*random)() % 7);
  }

 private:
  base::InternId RandomText(record::FieldType type, bool strange, std::mt19937_64* random) {
    using record::FieldType;
    static constexpr absl::string_view kTexts[] = {"plain",
                                                   "with, comma",
                                                   "with \"quotes\" and \\",
                                                   "line\nend\r\n",
                                                   "\xff\xfe no UTF-8 \xc3",
                                                   "nul\0inside",
                                                   "b\xc3\xbc"
                                                   "cher",
                                                   "{braces}",
                                                   "../../etc/passwd",
                                                   "'; DROP TABLE flows; --",
                                                   "\xe2\x80\xae right to left",
                                                   ""};
    if (strange && (*random)() % 4 == 0) return base::Interner::kOverflowId;
    if (type == FieldType::kString) return interner_->Intern(kTexts[(*random)() % std::size(kTexts)]);
    std::string octets;
    const size_t count = strange ? (*random)() % 40 : 1 + (*random)() % 4;
    const size_t size = type == FieldType::kLabelStack         ? 3
                        : type == FieldType::kExtCommunities   ? 8
                        : type == FieldType::kLargeCommunities ? 12
                        : type == FieldType::kOctets           ? 1
                                                               : 4;
    if (type == FieldType::kAsPath) {
      if (strange) octets += std::string("\x01\x01\0\0\xfb\xff", 6);  // a set
      octets.push_back(2);
      octets.push_back(static_cast<char>(count));
    }
    for (size_t i = 0; i < count * size; ++i) octets.push_back(static_cast<char>((*random)()));
    if (type == FieldType::kLabelStack && !strange) {
      for (size_t i = 0; i < count; ++i) {
        octets[3 * i + 2] = static_cast<char>((octets[3 * i + 2] & 0xf0) | (i + 1 == count ? 1 : 0));
      }
    }
    return interner_->Intern(octets);
  }

  std::shared_ptr<aggregate::Schema> schema_;
  std::shared_ptr<base::Interner> interner_ = std::make_shared<base::Interner>();
  aggregate::AggregateBatch::Carries carries_;
  size_t values_offset_ = 0, seen_offset_ = 0, stride_ = 0;
  std::vector<uint8_t> octets_;
};

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_TESTING_MESSAGE_BATCH_H_
