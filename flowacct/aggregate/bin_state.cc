#include "flowacct/aggregate/bin_state.h"

#include <algorithm>

namespace flowacct::aggregate {

BinState::BinState(const GroupShape& shape) : shape_(shape) {
  const record::Layout& layout = shape.schema->key;
  for (const record::FieldId field : layout.fields()) key_.push_back(KeptFieldOf(field, layout));
  for (size_t column = 0; column < shape.values.size(); ++column) {
    const ValueColumn& value = shape.values[column].column;
    values_.push_back(KeptFieldOf(value.field, layout));
    if (value.function == Function::kMin || value.function == Function::kMax) extremes_ |= uint64_t{1} << column;
  }
}

uint32_t BinState::Append(const GroupBin& bin, uint32_t first, TextNumbers* texts, std::vector<uint8_t>* octets) const {
  const uint32_t size = static_cast<uint32_t>(bin.table_.size());
  const auto is_overflow = [&bin](uint32_t row) { return bin.has_overflow_ && row == bin.overflow_row_; };
  uint32_t end = first;
  if (is_overflow(first)) {
    octets->push_back(0);
    end = first + 1;
  } else {
    while (end < size && end - first < GroupTable::kBatch && !is_overflow(end)) ++end;
    octets->push_back(static_cast<uint8_t>(end - first));
    const size_t presence = shape_.schema->key.presence_size();
    for (uint32_t row = first; row < end; ++row) {
      const uint8_t* key = bin.table_.row(row);
      octets->insert(octets->end(), key, key + presence);
      for (const KeptField& field : key_) {
        if ((key[field.index >> 3] >> (field.index & 7) & 1) != 0)
          AppendKeptField(field, key + field.offset, texts, octets);
      }
    }
  }
  std::vector<uint8_t> carries;
  size_t carry_count = 0;
  for (uint32_t row = first; row < end; ++row) {
    AppendValues(bin, row, texts, octets);
    for (size_t column = 0; column < shape_.values.size() && !bin.carries_.empty(); ++column) {
      const auto carry = bin.carries_.find(uint64_t{row} * kMaxValues + column);
      if (carry == bin.carries_.end()) continue;
      carries.push_back(static_cast<uint8_t>(row - first));
      carries.push_back(static_cast<uint8_t>(column));
      AppendVarint(carry->second, &carries);
      ++carry_count;
    }
  }
  AppendVarint(carry_count, octets);
  octets->insert(octets->end(), carries.begin(), carries.end());
  return end;
}

void BinState::AppendValues(const GroupBin& bin, uint32_t group, TextNumbers* texts,
                            std::vector<uint8_t>* octets) const {
  const uint8_t* const values = bin.table_.row(group) + shape_.key_octets();
  const uint64_t seen =
      extremes_ != 0 ? base::LoadHost<uint64_t>(values + 8 * shape_.values.size()) & extremes_ : uint64_t{0};
  if (extremes_ != 0) AppendVarint(seen, octets);
  for (size_t column = 0; column < shape_.values.size(); ++column) {
    switch (shape_.values[column].column.function) {
      case Function::kMin:
      case Function::kMax:
        if ((seen >> column & 1) == 0) break;
        AppendVarint(base::LoadHost<uint64_t>(values + 8 * column), octets);
        break;
      case Function::kSum:
        AppendVarint(base::LoadHost<uint64_t>(values + 8 * column), octets);
        break;
      case Function::kDistinct: {
        const auto& sketches = bin.distinct_[column];
        if (group < sketches.size()) {
          sketches[group].Save(octets);
        } else {
          octets->insert(octets->end(), 2, 0);  // of no values
        }
        break;
      }
      case Function::kTop: {
        const auto& sketches = bin.top_[column];
        if (group >= sketches.size()) {
          octets->push_back(0);
          break;
        }
        AppendVarint(sketches[group].counts().size(), octets);
        for (const TopSketch::Count& count : sketches[group].counts()) {
          AppendKeptField(values_[column], reinterpret_cast<const uint8_t*>(count.value.data()), texts, octets);
          AppendVarint(count.count, octets);
          AppendVarint(count.error, octets);
        }
        break;
      }
    }
  }
}

bool BinState::Read(base::OctetReader* reader, const std::vector<base::InternId>& texts, size_t budget, GroupBin* bin,
                    GroupBin::Outcome* outcome) const {
  const size_t key_octets = shape_.key_octets();
  const size_t presence = shape_.schema->key.presence_size();
  const size_t told = reader->U8();
  if (!reader->ok() || told > GroupTable::kBatch) return false;
  uint32_t groups[GroupTable::kBatch];
  uint8_t* octets[GroupTable::kBatch];
  const size_t count = std::max<size_t>(told, 1);
  if (told == 0) {
    groups[0] = GroupTable::kNone;
  } else {
    std::vector<uint8_t> keys(told * key_octets + 8);  // never null
    for (size_t i = 0; i < told; ++i) {
      uint8_t* key = keys.data() + i * key_octets;
      const base::Octets bits = reader->Bytes(presence);
      if (bits.size() != presence) return false;
      std::copy(bits.begin(), bits.end(), key);
      if (key_.size() % 8 != 0 && key[presence - 1] >> (key_.size() % 8) != 0) return false;
      for (const KeptField& field : key_) {
        if ((key[field.index >> 3] >> (field.index & 7) & 1) == 0) continue;
        if (!ReadKeptField(field, reader, texts, key + field.offset)) return false;
      }
    }
    outcome->made += bin->table_.FindOrInsert(keys.data(), told, budget, groups, octets).made;
  }
  for (size_t i = 0; i < count; ++i) {
    if (groups[i] == GroupTable::kNone) groups[i] = bin->OverflowRow();
  }
  for (size_t i = 0; i < count; ++i) {
    if (!ReadValues(reader, texts, groups[i], bin, outcome)) return false;
  }
  for (uint64_t carries = ReadVarint(reader); carries > 0; --carries) {
    const size_t i = reader->U8(), column = reader->U8();
    const uint64_t high = ReadVarint(reader);
    if (!reader->ok() || i >= count || column >= shape_.values.size() ||
        shape_.values[column].column.function != Function::kSum) {
      return false;
    }
    bin->carries_[uint64_t{groups[i]} * kMaxValues + column] += high;
  }
  return reader->ok();
}

bool BinState::ReadValues(base::OctetReader* reader, const std::vector<base::InternId>& texts, uint32_t group,
                          GroupBin* bin, GroupBin::Outcome* outcome) const {
  const uint64_t seen = extremes_ != 0 ? ReadVarint(reader) : 0;
  if ((seen & ~extremes_) != 0) return false;
  for (size_t column = 0; column < shape_.values.size(); ++column) {
    switch (shape_.values[column].column.function) {
      case Function::kMin:
      case Function::kMax:
        if ((seen >> column & 1) != 0) bin->Extend(group, column, ReadVarint(reader));
        break;
      case Function::kSum: {
        uint8_t* const at = bin->value(group, column);
        uint64_t sum;
        if (__builtin_add_overflow(base::LoadHost<uint64_t>(at), ReadVarint(reader), &sum)) {
          bin->Carry(group, column, outcome);
        }
        base::StoreHost(at, sum);
        break;
      }
      case Function::kDistinct: {
        DistinctSketch sketch;
        if (!sketch.Restore(reader)) return false;
        auto& sketches = bin->distinct_[column];
        if (sketches.size() < bin->table_.size()) sketches.resize(bin->table_.size());
        sketches[group].Merge(sketch);
        break;
      }
      case Function::kTop: {
        TopSketch sketch;
        if (!ReadTop(reader, texts, column, &sketch)) return false;
        auto& sketches = bin->top_[column];
        if (sketches.size() < bin->table_.size()) sketches.resize(bin->table_.size());
        sketches[group].Merge(sketch, TopSketch::Capacity(shape_.values[column].top));
        break;
      }
    }
    if (!reader->ok()) return false;
  }
  return true;
}

bool BinState::ReadTop(base::OctetReader* reader, const std::vector<base::InternId>& texts, size_t column,
                       TopSketch* sketch) const {
  const uint64_t size = ReadVarint(reader);
  if (!reader->ok() || size > TopSketch::Capacity(shape_.values[column].top)) return false;
  for (uint64_t i = 0; i < size; ++i) {
    TopSketch::Count count{};
    if (!ReadKeptField(values_[column], reader, texts, reinterpret_cast<uint8_t*>(count.value.data()))) return false;
    count.count = ReadVarint(reader);
    count.error = ReadVarint(reader);
    if (!reader->ok() || count.error > count.count) return false;
    sketch->counts().push_back(count);
  }
  return true;
}

}  // namespace flowacct::aggregate
