#include "flowacct/aggregate/record_splitter.h"

#include <algorithm>
#include <cstring>

namespace flowacct::aggregate {
namespace {

struct Quotient {
  uint64_t quotient, remainder;
};

// number * time / whole, where time <= whole.
Quotient Share(uint64_t number, uint64_t time, uint64_t whole) {
  uint64_t product;
  if (!__builtin_mul_overflow(number, time, &product)) return {product / whole, product % whole};
  const unsigned __int128 wide = static_cast<unsigned __int128>(number) * time;
  return {static_cast<uint64_t>(wide / whole), static_cast<uint64_t>(wide % whole)};
}

}  // namespace

RecordSplitter::RecordSplitter(const Schema& schema, absl::Span<const ValueSource> sources, size_t stride)
    : stride_(stride), part_rows_(kMaxRecords * stride) {
  for (size_t i = 0; i < sources.size(); ++i) {
    const ValueColumn& value = schema.values[i];
    if (value.function != Function::kSum || sources[i].offset == record::Layout::kAbsent) continue;
    columns_.push_back({sources[i], value.field == record::FieldId::kFlows});
  }
  records_.reserve(kMaxRecords);
  left_.reserve(kMaxRecords);
  sums_.reserve(kMaxRecords * columns_.size());
  parts_.reserve(kMaxRecords);
}

void RecordSplitter::Push(const uint8_t* row, int64_t from, int64_t to) {
  left_.push_back(static_cast<uint32_t>(records_.size()));
  records_.push_back({row, from, to, from});
  for (const Column& column : columns_) sums_.push_back({column.source.Load(row), 0, 0, 0, 0});
}

bool RecordSplitter::Next(int64_t* next) const {
  if (left_.empty()) return false;
  *next = INT64_MAX;
  for (const uint32_t number : left_) *next = std::min(*next, records_[number].at);
  return true;
}

// Writes the part of a record up to `through` of its time, the last `width` of it. False: it is a part of nothing.
bool RecordSplitter::Advance(size_t number, uint64_t through, uint64_t width, bool is_first) {
  Record& record = records_[number];
  const uint64_t whole = static_cast<uint64_t>(record.to - record.from);
  const bool steps = width == record.step_width;
  record.step_width = width;
  bool has_any = is_first;
  uint8_t* const part_row = part_rows_.data() + number * stride_;
  Sum* sum = sums_.data() + number * columns_.size();
  for (const Column& column : columns_) {
    uint64_t part = is_first ? sum->number : 0;
    if (!column.stays) {
      const uint64_t before = sum->taken;
      if (steps) {
        sum->taken += sum->step;
        sum->rest += sum->step_rest;  // both below whole, which is below 2^63
        if (sum->rest >= whole) {
          sum->rest -= whole;
          ++sum->taken;
        }
      } else {
        const Quotient so_far = Share(sum->number, through, whole);
        sum->taken = so_far.quotient;
        sum->rest = so_far.remainder;
        const Quotient step = Share(sum->number, width, whole);
        sum->step = step.quotient;
        sum->step_rest = step.remainder;
      }
      part = sum->taken - before;
    }
    std::memcpy(part_row + column.source.offset, &part, column.source.size);  // little endian: the low octets first
    has_any |= part != 0;
    ++sum;
  }
  return has_any;
}

absl::Span<const RecordSplitter::Part> RecordSplitter::Take(TimeBin bin) {
  parts_.clear();
  size_t kept = 0;
  for (const uint32_t number : left_) {
    Record& record = records_[number];
    if (record.at < bin.end_nanos) {
      const int64_t through = std::min(bin.end_nanos, record.to);
      const bool has_any = Advance(number, static_cast<uint64_t>(through - record.from),
                                   static_cast<uint64_t>(through - record.at), record.at == record.from);
      if (has_any) parts_.push_back({number, part_rows_.data() + number * stride_});
      record.at = through;
    }
    if (record.at < record.to) left_[kept++] = number;
  }
  left_.resize(kept);
  return parts_;
}

void RecordSplitter::Clear() {
  records_.clear();
  left_.clear();
  sums_.clear();
}

}  // namespace flowacct::aggregate
