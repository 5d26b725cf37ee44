#include "flowacct/aggregate/aggregator.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "flowacct/aggregate/aggregator_state.h"
#include "flowacct/aggregate/group_bin.h"
#include "flowacct/aggregate/group_table.h"
#include "flowacct/aggregate/key_cutter.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/aggregate/record_splitter.h"
#include "flowacct/aggregate/time_bins.h"
#include "flowacct/aggregate/value_spec.h"

namespace flowacct::aggregate {
namespace {

using record::FieldId;
using record::Layout;

// In the order in which they stand in for an absent time.
constexpr FieldId kTimes[] = {FieldId::kStartTime, FieldId::kEndTime, FieldId::kExportTime, FieldId::kArrivalTime};

ValueSource SourceIn(const Layout& layout, FieldId field) {
  ValueSource source;
  source.offset = layout.offset(field);
  source.index = layout.index(field);
  source.type = record::Info(field).type;
  source.size = static_cast<uint8_t>(record::FieldTypeSize(source.type));
  return source;
}

absl::Status CheckOptions(const AggregatorOptions& options) {
  const auto wrong = [](auto&&... parts) { return absl::InvalidArgumentError(absl::StrCat(parts...)); };
  if (options.every != absl::ZeroDuration() &&
      (options.every < absl::Milliseconds(1) || options.every > absl::Hours(366 * 24))) {
    return wrong("every = ", absl::FormatDuration(options.every),
                 ": a time bin is between 1ms and 366 days wide; 0 asks for no bins");
  }
  if (options.lateness < absl::ZeroDuration()) {
    return wrong("lateness = ", absl::FormatDuration(options.lateness), ": it cannot be negative");
  }
  if (options.restate_for < absl::ZeroDuration()) {
    return wrong("restate_for = ", absl::FormatDuration(options.restate_for), ": it cannot be negative");
  }
  if (record::Info(options.time_field).type != record::FieldType::kTime) {
    return wrong("time_field = ", record::Info(options.time_field).name, ": is no time; use start_time or end_time");
  }
  if (options.prorate && options.every == absl::ZeroDuration()) {
    return wrong("prorate: there are no time bins to split over; set every, for example to 5m");
  }
  if (options.max_groups == 0 || options.max_groups > GroupTable::kMaxRows) {
    return wrong("max_groups = ", options.max_groups, ": between 1 and ", GroupTable::kMaxRows);
  }
  if (options.max_open_bins == 0) return wrong("max_open_bins = 0: at least one bin has to be open");
  return absl::OkStatus();
}

void AddCounters(const AggregatorCounters& from, AggregatorCounters* to) {
  const uint64_t groups = to->groups;  // those that a merge makes are counted as they are made
  for (const CounterName& name : kCounters) to->*name.counter += from.*name.counter;
  to->groups = groups;
}

bool SameTime(TimeBin a, TimeBin b) { return a.start_nanos == b.start_nanos && a.end_nanos == b.end_nanos; }

}  // namespace

absl::StatusOr<std::unique_ptr<Aggregator>> Aggregator::New(AggregatorOptions options, base::Interner* interner) {
  return New(std::move(options), std::shared_ptr<base::Interner>(std::shared_ptr<void>(), interner));
}

absl::StatusOr<std::unique_ptr<Aggregator>> Aggregator::New(AggregatorOptions options,
                                                            std::shared_ptr<base::Interner> interner) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  if (options.custom_fields != nullptr) {
    const record::FieldNames& names = options.custom_fields->names();
    for (std::string& key : options.by) key = names.Canonical(key);
    for (std::string& value : options.values) value = names.Canonical(value);
  }
  absl::StatusOr<std::vector<KeySpec>> keys = ParseKeys(options.by);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<std::vector<ValueSpec>> values = ParseValues(options.values);
  if (!values.ok()) return values.status();
  if (options.custom_fields != nullptr) {
    for (ValueSpec& value : *values) {
      const FieldId field = value.column.field;
      absl::StrReplaceAll({{record::Info(field).name, options.custom_fields->names().NameOf(field)}},
                          &value.column.name);
    }
  }

  for (const KeySpec& key : *keys) {
    for (const ValueSpec& value : *values) {
      if (value.column.function != Function::kSum || value.column.field != key.column) continue;
      const absl::string_view name = record::Info(key.column).name;
      return absl::InvalidArgumentError(absl::StrCat("key \"", name, "\": ", name,
                                                     " is summed, too, and two columns cannot have one name; leave it "
                                                     "out of the key or of the values"));
    }
  }

  auto state = std::make_unique<State>();
  std::vector<FieldId> columns;
  for (const KeySpec& spec : *keys) {
    columns.push_back(spec.column);
    state->required.push_back(spec.kind == KeySpec::Kind::kMasked ? spec.source : spec.column);
  }
  for (const KeySpec& spec : *keys) {
    if (spec.kind != KeySpec::Kind::kToldNetwork) continue;
    state->required.push_back(spec.source);
    state->required.push_back(spec.mask);
  }
  auto schema = std::make_shared<Schema>(Schema{Layout(columns, options.custom_fields), {}});
  for (const ValueSpec& spec : *values) {
    schema->values.push_back(spec.column);
    state->required.push_back(spec.column.field);
    state->shape->sign_bits.push_back(record::SignBit(record::Info(spec.column.field).type));
    const Function function = spec.column.function;
    state->shape->has_extremes |= function == Function::kMin || function == Function::kMax;
  }
  if (options.every > absl::ZeroDuration()) {
    state->bins.emplace(options.every, options.time_zone);
    state->required.push_back(options.time_field);
    state->required.insert(state->required.end(), std::begin(kTimes), std::end(kTimes));
  }
  const Layout all(state->required);  // each once
  state->required.assign(all.fields().begin(), all.fields().end());

  state->shape->schema = std::move(schema);
  state->shape->values = *std::move(values);
  state->shape->interner = std::move(interner);
  state->shape->seed = options.seed;
  if (options.seed == 0) {
    std::random_device random;
    state->shape->seed = uint64_t{random()} << 32 | random();
  }
  state->group_limit = options.max_groups;
  if (const size_t octets = state->shape->max_sketch_octets(); octets > 0) {
    state->group_limit = std::min(state->group_limit, std::max<size_t>(options.max_sketch_octets / octets, 1));
  }
  state->late.sums.resize(state->shape->values.size());
  state->key_buffer.resize(kBlock * state->shape->key_octets() + 8);  // never null
  state->keys = *std::move(keys);
  state->options = std::move(options);
  return std::unique_ptr<Aggregator>(new Aggregator(std::move(state)));
}

Aggregator::Aggregator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Aggregator::~Aggregator() = default;

const AggregatorOptions& Aggregator::options() const { return state_->options; }
const Schema& Aggregator::schema() const { return *state_->shape->schema; }
absl::Span<const FieldId> Aggregator::RequiredFields() const { return state_->required; }
const AggregatorCounters& Aggregator::counters() const { return state_->counters; }
const Totals& Aggregator::late() const { return state_->late; }

size_t Aggregator::octets() const {
  size_t octets = 0;
  for (const auto& bin : state_->open) octets += bin->octets();
  return octets;
}

void Aggregator::Bind(const Layout& layout) {
  State& s = *state_;
  s.cutter.emplace(layout, &s.shape->schema->key, s.keys);
  s.stride = layout.row_size();
  s.sources = ValueSources(*s.shape->schema, layout);
  s.times.clear();
  if (layout.Has(s.options.time_field)) s.times.push_back(SourceIn(layout, s.options.time_field));
  for (FieldId time : kTimes) {
    if (layout.Has(time)) s.times.push_back(SourceIn(layout, time));
  }
  s.start = SourceIn(layout, FieldId::kStartTime);
  s.end = SourceIn(layout, FieldId::kEndTime);
  if (!s.options.prorate) return;
  s.splitter.emplace(*s.shape->schema, s.sources.columns(), s.stride);
  s.split_keys.resize(s.key_buffer.size());
}

void Aggregator::Add(const record::FlowBatch& batch) {
  const uint8_t* rows[kBlock];
  for (size_t first = 0; first < batch.size(); first += kBlock) {
    const size_t n = std::min(kBlock, batch.size() - first);
    for (size_t i = 0; i < n; ++i) rows[i] = batch.data() + (first + i) * state_->stride;
    state_->AddBlock(rows, n);
  }
}

void Aggregator::Add(const record::FlowBatch& batch, absl::Span<const uint32_t> selected) {
  const uint8_t* rows[kBlock];
  for (size_t first = 0; first < selected.size(); first += kBlock) {
    const size_t n = std::min(kBlock, selected.size() - first);
    for (size_t i = 0; i < n; ++i) rows[i] = batch.data() + selected[first + i] * state_->stride;
    state_->AddBlock(rows, n);
  }
}

int64_t Aggregator::State::TimeOf(const uint8_t* row) {
  for (const ValueSource& time : times) {
    if (time.Has(row)) return TimeBins::Clamp(base::LoadHost<int64_t>(row + time.offset));
  }
  ++counters.records_without_time;
  return 0;
}

// Null: the bin was closed.
GroupBin* Aggregator::State::BinAt(int64_t nanos) {
  const auto begins_after = [](int64_t t, const std::unique_ptr<GroupBin>& bin) { return t < bin->time().start_nanos; };
  auto after = std::upper_bound(open.begin(), open.end(), nanos, begins_after);
  if (after != open.begin() && nanos < (*(after - 1))->time().end_nanos) return last = (after - 1)->get();
  const TimeBin time = bins->Find(nanos);
  if (time.start_nanos < closed_through &&
      (options.late == AggregatorOptions::Late::kCount ||
       closed_through - time.end_nanos > absl::ToInt64Nanoseconds(options.restate_for))) {
    return nullptr;
  }
  if (open.size() >= options.max_open_bins) {
    if (time.start_nanos < open.front()->time().start_nanos) return nullptr;
    CloseFirst();
    ++counters.bins_evicted;
    after = std::upper_bound(open.begin(), open.end(), nanos, begins_after);
  }
  return last = open.insert(after, std::make_unique<GroupBin>(shape, time))->get();
}

void Aggregator::State::CloseFirst() {
  GroupBin& bin = *open.front();
  open_groups -= bin.groups();
  finished.push_back(bin.Close());
  finished.back().set_correction(bin.time().start_nanos < closed_through);
  closed_through = std::max(closed_through, bin.time().end_nanos);
  open.erase(open.begin());
  last = nullptr;
}

void Aggregator::State::AddToBin(GroupBin* bin, const uint8_t* const* rows, size_t n) {
  cutter->Cut(rows, n, key_buffer.data());
  AddKeys(bin, rows, rows, n);
}

// Records whose keys are in the key buffer.
void Aggregator::State::AddKeys(GroupBin* bin, const uint8_t* const* rows, const uint8_t* const* sum_rows, size_t n) {
  const GroupBin::Outcome outcome = bin->Add(key_buffer.data(), rows, sum_rows, n, sources, group_limit - open_groups);
  open_groups += outcome.made;
  counters.groups += outcome.made;
  counters.records_overflowed += outcome.overflowed;
  counters.sum_carries += outcome.carries;
}

void Aggregator::State::AddLate(const uint8_t* row) {
  for (size_t column = 0; column < sources.columns().size(); ++column) {
    const ValueSource& source = sources[column];
    if (shape->values[column].column.function != Function::kSum || source.offset == Layout::kAbsent) continue;
    late.sums[column] += source.Load(row);
  }
  ++late.rows;
}

void Aggregator::State::AddBlock(const uint8_t* const* rows, size_t n) {
  counters.records_in += n;
  if (!bins) {
    if (open.empty()) open.push_back(std::make_unique<GroupBin>(shape, TimeBin{}));
    AddToBin(open.front().get(), rows, n);
    counters.records_aggregated += n;
    return;
  }
  // The records of one bin together, then those of the next: nearly always all are of one.
  const uint8_t* left[kBlock];
  int64_t times_left[kBlock];
  size_t count = 0;
  for (size_t i = 0; i < n; ++i) {
    if (options.prorate && Split(rows[i])) continue;
    left[count] = rows[i];
    times_left[count++] = TimeOf(rows[i]);
  }
  if (options.prorate) AddParts();
  while (count > 0) {
    const int64_t first = times_left[0];
    GroupBin* bin = last;
    if (bin == nullptr || first < bin->time().start_nanos || first >= bin->time().end_nanos) bin = BinAt(first);
    const TimeBin time = bin != nullptr ? bin->time() : bins->Find(first);
    const uint8_t* chosen[kBlock];
    size_t chosen_count = 0, kept = 0;
    for (size_t i = 0; i < count; ++i) {
      if (times_left[i] >= time.start_nanos && times_left[i] < time.end_nanos) {
        chosen[chosen_count++] = left[i];
      } else {
        left[kept] = left[i];
        times_left[kept++] = times_left[i];
      }
    }
    count = kept;
    if (bin != nullptr) {
      AddToBin(bin, chosen, chosen_count);
      counters.records_aggregated += chosen_count;
    } else {
      for (size_t i = 0; i < chosen_count; ++i) AddLate(chosen[i]);
      counters.records_late += chosen_count;
    }
  }
}

// Whether the record reaches beyond the bin that it starts in; then it is left to AddParts.
bool Aggregator::State::Split(const uint8_t* row) {
  if (start.offset == Layout::kAbsent || end.offset == Layout::kAbsent || !start.Has(row) || !end.Has(row))
    return false;
  const int64_t from = TimeBins::Clamp(base::LoadHost<int64_t>(row + start.offset));
  const int64_t to = TimeBins::Clamp(base::LoadHost<int64_t>(row + end.offset));
  if (to <= from || to <= bins->Find(from).end_nanos) return false;
  if (static_cast<uint64_t>(to - from) / static_cast<uint64_t>(absl::ToInt64Nanoseconds(options.every)) <
      options.max_open_bins) {
    splitter->Push(row, from, to);
    return true;
  }
  ++counters.records_not_split;
  return false;
}

// Of the block's records that span several bins, the parts, bin by bin.
void Aggregator::State::AddParts() {
  const size_t count = splitter->size();
  if (count == 0) return;
  const size_t key_octets = shape->key_octets();
  const uint8_t* all[kBlock];
  for (size_t i = 0; i < count; ++i) all[i] = splitter->row(i);
  cutter->Cut(all, count, split_keys.data());
  bool in_time[kBlock] = {};
  uint32_t too_late[kBlock] = {};
  for (int64_t next; splitter->Next(&next);) {
    const TimeBin time = bins->Find(next);
    const absl::Span<const RecordSplitter::Part> parts = splitter->Take(time);
    if (parts.empty()) continue;
    GroupBin* bin = BinAt(time.start_nanos);
    if (bin == nullptr) {
      for (const RecordSplitter::Part& part : parts) {
        AddLate(part.sums);
        ++too_late[part.number];
      }
      continue;
    }
    const uint8_t* rows[kBlock];
    const uint8_t* sums[kBlock];
    for (size_t i = 0; i < parts.size(); ++i) {
      const size_t number = parts[i].number;
      rows[i] = all[number];
      sums[i] = parts[i].sums;
      std::memcpy(key_buffer.data() + i * key_octets, split_keys.data() + number * key_octets, key_octets);
      in_time[number] = true;
    }
    AddKeys(bin, rows, sums, parts.size());
  }
  for (size_t i = 0; i < count; ++i) {
    if (in_time[i]) {
      ++counters.records_aggregated;
      counters.parts_late += too_late[i];
    } else {
      ++counters.records_late;
    }
  }
  splitter->Clear();
}

std::vector<AggregateBatch> Aggregator::CloseBefore(absl::Time now) {
  State& s = *state_;
  if (!s.bins) return {};
  const int64_t limit = absl::ToUnixNanos(now - s.options.lateness);
  while (!s.open.empty() && s.open.front()->time().end_nanos <= limit) s.CloseFirst();
  return std::exchange(s.finished, {});
}

std::vector<AggregateBatch> Aggregator::Close() {
  State& s = *state_;
  if (!s.bins && s.open.empty()) s.open.push_back(std::make_unique<GroupBin>(s.shape, TimeBin{}));
  while (!s.open.empty()) s.CloseFirst();
  s.closed_through = INT64_MIN;
  return std::exchange(s.finished, {});
}

std::unique_ptr<Aggregator> Aggregator::State::Take(size_t count) {
  if (count == 0 && finished.empty()) return nullptr;
  auto state = std::make_unique<State>();
  state->options = options;
  state->keys = keys;
  state->shape = shape;
  state->required = required;
  state->group_limit = group_limit;
  state->bins = bins;
  state->late.sums.resize(late.sums.size());
  for (size_t i = 0; i < count; ++i) state->open_groups += open[i]->groups();
  open_groups -= state->open_groups;
  std::move(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(state->open));
  open.erase(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(count));
  last = nullptr;
  state->finished = std::exchange(finished, {});  // that too many open bins pushed out
  return std::unique_ptr<Aggregator>(new Aggregator(std::move(state)));
}

std::unique_ptr<Aggregator> Aggregator::TakeClosed(absl::Time now) {
  State& s = *state_;
  if (!s.bins) return nullptr;
  const int64_t limit = absl::ToUnixNanos(now - s.options.lateness);
  size_t count = 0;
  while (count < s.open.size() && s.open[count]->time().end_nanos <= limit) ++count;
  s.closed_through = std::max(s.closed_through, s.bins->Find(TimeBins::Clamp(limit)).start_nanos);
  return s.Take(count);
}

std::unique_ptr<Aggregator> Aggregator::TakeAll() { return state_->Take(state_->open.size()); }

std::vector<AggregateBatch> Aggregator::Snapshot() {
  std::vector<AggregateBatch> batches;
  for (const std::unique_ptr<GroupBin>& bin : state_->open) batches.push_back(bin->Snapshot());
  return batches;
}

std::optional<int64_t> Aggregator::first_bin_end() const {
  if (!state_->finished.empty()) return state_->finished.front().bin().end_nanos;
  if (state_->open.empty()) return std::nullopt;
  return state_->open.front()->time().end_nanos;
}

size_t Aggregator::open_groups() const { return state_->open_groups; }

absl::Status Aggregator::Merge(Aggregator&& other) {
  State& s = *state_;
  State& o = *other.state_;
  const auto alike = [](const KeySpec& a, const KeySpec& b) {
    return a.kind == b.kind && a.column == b.column && a.v4_length == b.v4_length && a.v6_length == b.v6_length;
  };
  const auto named_alike = [](const ValueSpec& a, const ValueSpec& b) {
    return a.column.name == b.column.name && a.top == b.top;
  };
  if (!std::equal(s.keys.begin(), s.keys.end(), o.keys.begin(), o.keys.end(), alike) ||
      !std::equal(s.shape->values.begin(), s.shape->values.end(), o.shape->values.begin(), o.shape->values.end(),
                  named_alike) ||
      s.options.every != o.options.every || s.options.time_zone.name() != o.options.time_zone.name()) {
    return absl::InvalidArgumentError(
        "merge: the aggregators differ in by, values, every or time_zone; make them of the same options");
  }
  AddCounters(o.counters, &s.counters);
  for (size_t i = 0; i < s.late.sums.size(); ++i) s.late.sums[i] += o.late.sums[i];
  s.late.rows += o.late.rows;
  for (AggregateBatch& batch : o.finished) s.finished.push_back(std::move(batch));
  for (std::unique_ptr<GroupBin>& theirs : o.open) {
    GroupBin* ours = nullptr;
    if (s.bins) {
      ours = s.BinAt(theirs->time().start_nanos);
    } else {
      if (s.open.empty()) s.open.push_back(std::make_unique<GroupBin>(s.shape, TimeBin{}));
      ours = s.open.front().get();
    }
    if (ours == nullptr) {
      s.counters.parts_late += theirs->groups();
      theirs->AddTo(&s.late);
      continue;
    }
    const size_t room = s.group_limit - s.open_groups;
    GroupBin::Outcome outcome;
    if (ours->empty() && theirs->groups() <= room && theirs->BelongsTo(*s.shape) &&
        SameTime(ours->time(), theirs->time())) {
      // There is nothing to add to: it moves as it is.
      outcome.made = theirs->groups();
      theirs->MoveTo(s.shape);
      const auto place = std::find_if(s.open.begin(), s.open.end(),
                                      [ours](const std::unique_ptr<GroupBin>& bin) { return bin.get() == ours; });
      *place = std::move(theirs);
      s.last = nullptr;
    } else {
      outcome = ours->Merge(*theirs, room);
    }
    s.open_groups += outcome.made;
    s.counters.groups += outcome.made;
    s.counters.sum_carries += outcome.carries;
  }
  o.open.clear();
  o.last = nullptr;
  o.open_groups = 0;
  o.closed_through = INT64_MIN;
  o.finished.clear();
  o.counters = AggregatorCounters();
  o.late = Totals();
  o.late.sums.resize(o.shape->values.size());
  return absl::OkStatus();
}

}  // namespace flowacct::aggregate
