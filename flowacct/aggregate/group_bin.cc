#include "flowacct/aggregate/group_bin.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/host_number.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/record/value_text.h"

namespace flowacct::aggregate {
namespace {

using record::FieldId;
using record::FieldType;
using record::IsInterned;

}  // namespace

// Ids of one interner as those of another.
class IdTranslation {
 public:
  IdTranslation(const base::Interner& from, base::Interner* to) : from_(from), to_(to) {}

  bool needed() const { return &from_ != to_; }
  void Translate(uint8_t* field) {
    const base::InternId id = base::LoadHost<base::InternId>(field);
    if (id <= base::Interner::kOverflowId) return;  // these mean the same everywhere
    const auto [it, is_new] = ids_.try_emplace(id, 0);
    if (is_new) it->second = to_->Intern(from_.Find(id));
    base::StoreHost(field, it->second);
  }

 private:
  const base::Interner& from_;
  base::Interner* to_;
  absl::flat_hash_map<base::InternId, base::InternId> ids_;
};

namespace {

// Interned values are hashed by what they stand for, so that sketches of two interners merge.
uint64_t HashValue(const uint8_t* field, FieldType type, size_t size, const base::Interner& interner) {
  if (!IsInterned(type)) return base::HashOctets(field, size);
  const base::Octets octets = interner.Find(base::LoadHost<base::InternId>(field));
  return base::HashOctets(octets.data(), octets.size());
}

}  // namespace

uint64_t ValueSource::Load(const uint8_t* row) const { return base::LoadHostNumber(row + offset, size); }

ValueSources::ValueSources(const Schema& schema, const record::Layout& layout) {
  for (size_t i = 0; i < schema.values.size(); ++i) {
    const ValueColumn& value = schema.values[i];
    ValueSource source;
    source.offset = layout.offset(value.field);
    source.index = layout.index(value.field);
    source.type = record::Info(value.field).type;
    source.size = static_cast<uint8_t>(record::FieldTypeSize(source.type));
    columns_.push_back(source);
    const bool is_sketch = value.function == Function::kDistinct || value.function == Function::kTop;
    if (source.offset == record::Layout::kAbsent && !is_sketch) continue;
    if (value.function == Function::kSum && source.size == 8) {
      plain_sums_.push_back({static_cast<uint16_t>(i), source.offset});
    } else {
      others_.push_back(static_cast<uint16_t>(i));
    }
  }
}

size_t GroupShape::max_sketch_octets() const {
  size_t octets = 0;
  for (const ValueSpec& spec : values) {
    if (spec.column.function == Function::kDistinct) octets += sizeof(DistinctSketch) + DistinctSketch::kMaxOctets;
    if (spec.column.function == Function::kTop) octets += TopSketch::MaxOctets(TopSketch::Capacity(spec.top));
  }
  return octets;
}

GroupBin::GroupBin(std::shared_ptr<const GroupShape> shape, TimeBin time)
    : shape_(std::move(shape)),
      time_(time),
      table_(shape_->key_octets(), shape_->payload_octets(), shape_->seed),
      distinct_(shape_->values.size()),
      top_(shape_->values.size()) {}

size_t GroupBin::octets() const {
  size_t octets = table_.octets();
  for (const auto& sketches : distinct_) {
    for (const DistinctSketch& sketch : sketches) octets += sketch.octets();
  }
  for (const auto& sketches : top_) {
    for (const TopSketch& sketch : sketches) octets += sketch.octets();
  }
  return octets;
}

uint32_t GroupBin::OverflowRow() {
  if (!has_overflow_) {
    overflow_row_ = table_.AppendUnindexed();
    has_overflow_ = true;
  }
  return overflow_row_;
}

uint64_t* GroupBin::SeenBits(uint32_t group) {
  return reinterpret_cast<uint64_t*>(value(group, shape_->values.size()));  // rows lie in whole 8 octets
}

GroupBin::Outcome GroupBin::Add(const uint8_t* keys, const uint8_t* const* rows, const uint8_t* const* sum_rows,
                                size_t n, const ValueSources& sources, size_t budget) {
  Outcome outcome;
  uint32_t groups[GroupTable::kBatch];
  uint8_t* octets[GroupTable::kBatch];
  const GroupTable::Outcome found = table_.FindOrInsert(keys, n, budget, groups, octets);
  outcome.made = found.made;
  outcome.overflowed = found.refused;
  for (size_t i = 0; i < n && found.refused > 0; ++i) {
    if (groups[i] != GroupTable::kNone) continue;
    groups[i] = OverflowRow();
    octets[i] = table_.row(groups[i]);
  }
  AddPlainSums(groups, octets, sum_rows, n, sources.plain_sums(), &outcome);
  for (const uint16_t column : sources.others()) {
    const ValueSource& source = sources[column];
    switch (shape_->values[column].column.function) {
      case Function::kSum:
        AddSums(groups, octets, sum_rows, n, column, source, &outcome);
        break;
      case Function::kMin:
      case Function::kMax:
        AddExtreme(groups, rows, n, column, source);
        break;
      case Function::kDistinct:
      case Function::kTop:
        AddToSketches(groups, rows, n, column, source);
        break;
    }
  }
  return outcome;
}

void GroupBin::Carry(uint32_t group, size_t column, Outcome* outcome) {
  ++carries_[uint64_t{group} * kMaxValues + column];
  ++outcome->carries;
}

void GroupBin::AddPlainSums(const uint32_t* groups, uint8_t* const* octets, const uint8_t* const* rows, size_t n,
                            absl::Span<const ValueSources::PlainSum> sums, Outcome* outcome) {
  while (!sums.empty()) {
    const size_t count = sums.size() >= 3 ? 3 : 1;
    const auto add = count == 3 ? &GroupBin::AddSomeSums<3> : &GroupBin::AddSomeSums<1>;
    (this->*add)(groups, octets, rows, n, sums.data(), outcome);
    sums.remove_prefix(count);
  }
}

// An absent field is zero in its row (record/layout.h), so that presence need not be asked.
template <size_t kSums>
void GroupBin::AddSomeSums(const uint32_t* groups, uint8_t* const* octets, const uint8_t* const* rows, size_t n,
                           const ValueSources::PlainSum* sums, Outcome* outcome) {
  size_t from[kSums], to[kSums];
  for (size_t j = 0; j < kSums; ++j) {
    from[j] = sums[j].offset;
    to[j] = shape_->key_octets() + 8 * size_t{sums[j].column};
  }
  for (size_t i = 0; i < n; ++i) {
    const uint8_t* row = rows[i];
    uint8_t* group = octets[i];
    for (size_t j = 0; j < kSums; ++j) {
      uint64_t sum;
      if (__builtin_expect(__builtin_add_overflow(base::LoadHost<uint64_t>(group + to[j]),
                                                  base::LoadHost<uint64_t>(row + from[j]), &sum),
                           0)) {
        Carry(groups[i], sums[j].column, outcome);
      }
      base::StoreHost(group + to[j], sum);
    }
  }
}

void GroupBin::AddSums(const uint32_t* groups, uint8_t* const* octets, const uint8_t* const* rows, size_t n,
                       size_t column, const ValueSource& source, Outcome* outcome) {
  const size_t to = shape_->key_octets() + 8 * column;
  for (size_t i = 0; i < n; ++i) {
    uint64_t sum;
    if (__builtin_add_overflow(base::LoadHost<uint64_t>(octets[i] + to), source.Load(rows[i]), &sum)) {
      Carry(groups[i], column, outcome);
    }
    base::StoreHost(octets[i] + to, sum);
  }
}

void GroupBin::Extend(uint32_t group, size_t column, uint64_t candidate) {
  uint8_t* at = value(group, column);
  const uint64_t known = base::LoadHost<uint64_t>(at);
  const uint64_t sign_bit = shape_->sign_bits[column];
  const bool less = (candidate ^ sign_bit) < (known ^ sign_bit);
  uint64_t& seen = *SeenBits(group);
  const bool is_min = shape_->values[column].column.function == Function::kMin;
  if ((seen >> column & 1) == 0) {
    seen |= uint64_t{1} << column;
    base::StoreHost(at, candidate);
  } else if (less == is_min) {
    base::StoreHost(at, candidate);
  }
}

void GroupBin::AddExtreme(const uint32_t* groups, const uint8_t* const* rows, size_t n, size_t column,
                          const ValueSource& source) {
  for (size_t i = 0; i < n; ++i) {
    if (source.Has(rows[i])) Extend(groups[i], column, source.Load(rows[i]));
  }
}

void GroupBin::AddToSketches(const uint32_t* groups, const uint8_t* const* rows, size_t n, size_t column,
                             const ValueSource& source) {
  const ValueSpec& spec = shape_->values[column];
  if (spec.column.function == Function::kDistinct) {
    std::vector<DistinctSketch>& sketches = distinct_[column];
    if (sketches.size() < table_.size()) sketches.resize(table_.size());
    if (source.offset == record::Layout::kAbsent) return;
    for (size_t i = 0; i < n; ++i) {
      if (!source.Has(rows[i])) continue;
      sketches[groups[i]].Add(HashValue(rows[i] + source.offset, source.type, source.size, *shape_->interner));
    }
    return;
  }
  std::vector<TopSketch>& sketches = top_[column];
  if (sketches.size() < table_.size()) sketches.resize(table_.size());
  if (source.offset == record::Layout::kAbsent) return;
  const size_t capacity = TopSketch::Capacity(spec.top);
  for (size_t i = 0; i < n; ++i) {
    if (!source.Has(rows[i])) continue;
    TopSketch::Value value{};
    std::memcpy(value.data(), rows[i] + source.offset, source.size);
    sketches[groups[i]].Add(value, capacity);
  }
}

void GroupBin::MergeValue(GroupBin& other, uint32_t theirs, uint32_t group, size_t column, IdTranslation* ids) {
  const ValueSpec& spec = shape_->values[column];
  const uint64_t their_value = base::LoadHost<uint64_t>(other.value(theirs, column));
  switch (spec.column.function) {
    case Function::kSum: {  // itself is added already
      const auto carry = other.carries_.find(uint64_t{theirs} * kMaxValues + column);
      if (carry != other.carries_.end()) carries_[uint64_t{group} * kMaxValues + column] += carry->second;
      return;
    }
    case Function::kMin:
    case Function::kMax:
      if ((*other.SeenBits(theirs) >> column & 1) != 0) Extend(group, column, their_value);
      return;
    case Function::kDistinct:
      if (theirs < other.distinct_[column].size()) distinct_[column][group].Merge(other.distinct_[column][theirs]);
      return;
    case Function::kTop: {
      if (theirs >= other.top_[column].size()) return;
      TopSketch& sketch = other.top_[column][theirs];
      if (ids->needed() && IsInterned(record::Info(spec.column.field).type)) {
        for (TopSketch::Count& count : sketch.counts()) ids->Translate(reinterpret_cast<uint8_t*>(count.value.data()));
      }
      top_[column][group].Merge(sketch, TopSketch::Capacity(spec.top));
      return;
    }
  }
}

GroupBin::Outcome GroupBin::Merge(GroupBin& other, size_t budget) {
  Outcome outcome;
  IdTranslation ids(*other.shape_->interner, shape_->interner.get());
  const record::Layout& layout = shape_->schema->key;
  std::vector<uint16_t> interned;
  for (FieldId field : layout.fields()) {
    if (ids.needed() && IsInterned(record::Info(field).type)) interned.push_back(layout.offset(field));
  }
  const size_t key_octets = shape_->key_octets();
  std::vector<ValueSources::PlainSum> sums;
  std::vector<size_t> others;
  for (size_t column = 0; column < shape_->values.size(); ++column) {
    const bool is_sum = shape_->values[column].column.function == Function::kSum;
    if (is_sum) sums.push_back({static_cast<uint16_t>(column), static_cast<uint16_t>(key_octets + 8 * column)});
    if (!is_sum || !other.carries_.empty()) others.push_back(column);
  }
  std::vector<uint8_t> keys(GroupTable::kBatch * key_octets + 8);  // never null
  const uint32_t size = static_cast<uint32_t>(other.table_.size());
  for (uint32_t first = 0; first < size; first += GroupTable::kBatch) {
    const uint32_t n = std::min<uint32_t>(GroupTable::kBatch, size - first);
    uint32_t groups[GroupTable::kBatch];
    uint32_t sources[GroupTable::kBatch];
    uint32_t indexed = 0;
    for (uint32_t i = 0; i < n; ++i) {
      if (other.has_overflow_ && first + i == other.overflow_row_) continue;
      uint8_t* key = keys.data() + indexed * key_octets;
      std::memcpy(key, other.table_.row(first + i), key_octets);
      for (uint16_t offset : interned) ids.Translate(key + offset);
      sources[indexed++] = first + i;
    }
    uint8_t* octets[GroupTable::kBatch];
    const GroupTable::Outcome found = table_.FindOrInsert(keys.data(), indexed, budget, groups, octets);
    budget -= found.made;
    outcome.made += found.made;
    uint32_t count = indexed;
    if (indexed < n) {
      sources[count] = other.overflow_row_;
      groups[count++] = GroupTable::kNone;
    }
    const uint8_t* rows[GroupTable::kBatch];
    for (uint32_t i = 0; i < count; ++i) {
      rows[i] = other.table_.row(sources[i]);
      if (groups[i] != GroupTable::kNone) continue;
      groups[i] = OverflowRow();
      octets[i] = table_.row(groups[i]);
      ++outcome.overflowed;
    }
    AddPlainSums(groups, octets, rows, count, sums, &outcome);
    for (const size_t column : others) {
      distinct_[column].resize(other.distinct_[column].empty() ? distinct_[column].size() : table_.size());
      top_[column].resize(other.top_[column].empty() ? top_[column].size() : table_.size());
      for (uint32_t i = 0; i < count; ++i) MergeValue(other, sources[i], groups[i], column, &ids);
    }
  }
  return outcome;
}

bool GroupBin::BelongsTo(const GroupShape& shape) const {
  if (shape_->interner == shape.interner) return true;
  const auto is_interned = [](FieldId field) { return IsInterned(record::Info(field).type); };
  const absl::Span<const FieldId> keys = shape.schema->key.fields();
  return std::none_of(keys.begin(), keys.end(), is_interned) &&
         std::none_of(shape.values.begin(), shape.values.end(),
                      [&](const ValueSpec& value) { return is_interned(value.column.field); });
}

void GroupBin::AddTo(Totals* totals) const {
  totals->sums.resize(shape_->values.size());
  for (size_t column = 0; column < shape_->values.size(); ++column) {
    if (shape_->values[column].column.function != Function::kSum) continue;
    for (uint32_t row = 0; row < table_.size(); ++row) {
      const uint8_t* at = table_.row(row) + shape_->key_octets() + 8 * column;
      const auto carry = carries_.find(uint64_t{row} * kMaxValues + column);
      totals->sums[column] +=
          absl::MakeUint128(carry == carries_.end() ? 0 : carry->second, base::LoadHost<uint64_t>(at));
    }
  }
  totals->rows += table_.size();
}

AggregateBatch GroupBin::Close() { return Finish(table_.Release(), std::move(carries_)); }

AggregateBatch GroupBin::Snapshot() { return Finish(table_.Copy(), carries_); }

AggregateBatch GroupBin::Finish(AggregateBatch::Rows rows, AggregateBatch::Carries carries) {
  std::vector<std::vector<std::string>> texts;
  for (size_t column = 0; column < shape_->values.size(); ++column) {
    const ValueSpec& spec = shape_->values[column];
    if (spec.column.function == Function::kDistinct) {
      for (size_t row = 0; row < distinct_[column].size(); ++row) {
        uint8_t* entry = rows.chunks[row / rows.rows_per_chunk].get() + row % rows.rows_per_chunk * rows.stride;
        base::StoreHost<uint64_t>(entry + rows.values_offset + 8 * column, distinct_[column][row].Estimate());
      }
    } else if (spec.column.function == Function::kTop) {
      texts.resize(shape_->values.size());
      std::vector<std::string>& column_texts = texts[column];
      column_texts.resize(rows.size);
      const FieldType type = record::Info(spec.column.field).type;
      for (size_t row = 0; row < top_[column].size(); ++row) {
        for (const TopSketch::Count& count : top_[column][row].Top(spec.top)) {
          std::string& text = column_texts[row];
          if (!text.empty()) text += ' ';
          record::AppendText(type, reinterpret_cast<const uint8_t*>(count.value.data()), *shape_->interner, &text);
          absl::StrAppend(&text, count.error > 0 ? ":~" : ":", count.count);
        }
      }
    }
  }
  if (shape_->has_extremes) rows.seen_offset = rows.values_offset + 8 * shape_->values.size();
  AggregateBatch batch(shape_->schema, shape_->interner, time_, std::move(rows));
  if (has_overflow_) batch.set_overflow_row(overflow_row_);
  batch.set_carries(std::move(carries));
  batch.set_texts(std::move(texts));
  return batch;
}

}  // namespace flowacct::aggregate
