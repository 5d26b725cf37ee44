// Aggregator::SaveState and RestoreState.
//
//     state = pieces; piece = octets of the rest, 4 | sealed octets (base/sealed_octets.h) whose body begins with
//     'H'   options as text | closed through, 8 | counters: how many, 2, each name and 8 octets | late rows, 8 | late
//           sums, 16 each                                                                                 once, first
//     'T'   values of interned fields, before who refers to them (bin_state.h)
//     'B'   a bin: start and end, 8 octets each
//     'G'   batches of groups of the last bin (bin_state.h)
//     'E'   how many pieces came before it, 4                                                             once, last
//
// A text is its length, 2 octets, and its octets. Numbers are big-endian.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/aggregate/aggregator_state.h"
#include "flowacct/aggregate/bin_state.h"
#include "flowacct/aggregate/group_bin.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"

namespace flowacct::aggregate {
namespace {

constexpr absl::string_view kKind = "open time bins";
constexpr uint16_t kVersion = 1;
// Large enough that what is around it costs nothing, small enough to be written while the next is made.
constexpr size_t kPieceOctets = size_t{256} << 10;

// What has to agree, for a person, too: "by src_as:u32 sum packets,top(dst_port)#3 every 5m in UTC".
std::string Describe(const std::vector<KeySpec>& keys, const std::vector<ValueSpec>& values,
                     const AggregatorOptions& options) {
  std::string text = "by ";
  const auto append_field = [&](record::FieldId field) {
    const absl::string_view name =
        options.custom_fields == nullptr ? record::Info(field).name : options.custom_fields->names().NameOf(field);
    absl::StrAppend(&text, name, ":", record::FieldTypeName(record::Info(field).type));
  };
  for (const KeySpec& key : keys) {
    if (&key != keys.data()) text += ",";
    append_field(key.column);
    if (key.kind == KeySpec::Kind::kMasked) {
      absl::StrAppend(&text, "/", static_cast<int>(key.v4_length), "/", static_cast<int>(key.v6_length));
    }
  }
  text += " sum ";
  for (const ValueSpec& value : values) {
    absl::StrAppend(&text, &value == values.data() ? "" : ",", value.column.name, ":",
                    record::FieldTypeName(record::Info(value.column.field).type));
    if (value.top > 0) absl::StrAppend(&text, "#", value.top);
  }
  absl::StrAppend(&text, " every ", absl::FormatDuration(options.every), " in ", options.time_zone.name());
  return text;
}

void AppendText(absl::string_view text, base::OctetWriter* writer) {
  writer->U16(static_cast<uint16_t>(text.size())).Text(text);
}

class Pieces {
 public:
  explicit Pieces(absl::FunctionRef<absl::Status(base::Octets)> write) : write_(write) {}

  absl::Status Write(base::Octets body) {
    const std::string sealed = base::Seal(kKind, kVersion, body);
    base::OctetWriter piece;
    piece.U32(static_cast<uint32_t>(sealed.size())).Text(sealed);
    ++count_;
    return write_(piece.octets());
  }
  absl::Status Write(char type, const std::vector<uint8_t>& rest) {
    base::OctetWriter body;
    body.U8(static_cast<uint8_t>(type)).Bytes(rest);
    return Write(body.octets());
  }
  uint32_t count() const { return count_; }

 private:
  absl::FunctionRef<absl::Status(base::Octets)> write_;
  uint32_t count_ = 0;
};

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("open time bins: ", what, "; what was kept is not restored"));
}

}  // namespace

absl::Status Aggregator::SaveState(absl::FunctionRef<absl::Status(base::Octets piece)> write) const {
  const State& s = *state_;
  if (!s.finished.empty()) {
    return absl::FailedPreconditionError(
        "open time bins: some are finished and were not taken; take them (CloseBefore) before the others are kept");
  }
  Pieces pieces(write);
  base::OctetWriter header;
  header.U8('H');
  AppendText(Describe(s.keys, s.shape->values, s.options), &header);
  header.U64(static_cast<uint64_t>(s.closed_through));
  header.U16(static_cast<uint16_t>(std::size(kCounters)));
  for (const CounterName& name : kCounters) {
    AppendText(name.name, &header);
    header.U64(s.counters.*name.counter);
  }
  header.U64(s.late.rows);
  for (const absl::uint128& sum : s.late.sums) header.U64(absl::Uint128High64(sum)).U64(absl::Uint128Low64(sum));
  if (absl::Status status = pieces.Write(header.octets()); !status.ok()) return status;

  TextNumbers texts(*s.shape->interner);
  const BinState state(*s.shape);
  for (const std::unique_ptr<GroupBin>& bin : s.open) {
    base::OctetWriter begin;
    begin.U8('B').U64(static_cast<uint64_t>(bin->time().start_nanos)).U64(static_cast<uint64_t>(bin->time().end_nanos));
    if (absl::Status status = pieces.Write(begin.octets()); !status.ok()) return status;
    const uint32_t rows = static_cast<uint32_t>(bin->rows());
    std::vector<uint8_t> groups;
    for (uint32_t row = 0; row < rows;) {
      groups.clear();
      while (row < rows && groups.size() < kPieceOctets) row = state.Append(*bin, row, &texts, &groups);
      const std::vector<uint8_t> new_texts = texts.TakeNew();
      absl::Status status;
      if (!new_texts.empty()) status = pieces.Write('T', new_texts);
      if (status.ok()) status = pieces.Write('G', groups);
      if (!status.ok()) return status;
    }
  }
  base::OctetWriter end;
  const uint32_t count = pieces.count();
  return pieces.Write(end.U8('E').U32(count).octets());
}

namespace {

// Reads pieces into an aggregator that is nobody else's yet.
class StateReader {
 public:
  struct Target {
    const std::vector<KeySpec>* keys;
    const AggregatorOptions* options;
    std::shared_ptr<const GroupShape> shape;
    size_t group_limit;
    std::vector<std::unique_ptr<GroupBin>>* open;
    AggregatorCounters* counters;
    Totals* late;
    int64_t* closed_through;
  };
  explicit StateReader(Target target)
      : target_(std::move(target)),
        state_(*target_.shape),
        texts_{base::Interner::kNone, base::Interner::kOverflowId},
        room_(target_.group_limit) {}

  absl::Status Read(base::Octets octets) {
    base::OctetReader reader(octets);
    for (uint32_t number = 0;; ++number) {
      const uint32_t size = reader.U32();
      const base::Octets sealed = reader.Bytes(size);
      if (!reader.ok()) return Damaged(absl::StrCat("they end in piece ", number + 1));
      const absl::StatusOr<base::SealedOctets> piece = base::Unseal(kKind, kVersion, sealed);
      if (!piece.ok()) return piece.status();
      base::OctetReader body(piece->body);
      const char type = static_cast<char>(body.U8());
      if ((type == 'H') != (number == 0)) return Damaged("the first piece, and no other, tells what they are");
      if (type == 'E') {
        if (body.U32() != number || reader.remaining() > 0) return Damaged("pieces are missing, or too many");
        return absl::OkStatus();
      }
      if (absl::Status status = ReadPiece(type, &body); !status.ok()) return status;
    }
  }
  size_t groups() const { return target_.group_limit - room_; }

 private:
  absl::Status ReadPiece(char type, base::OctetReader* body) {
    switch (type) {
      case 'H':
        return ReadHeader(body);
      case 'T':
        return ReadNewTexts(body, target_.shape->interner.get(), &texts_) ? absl::OkStatus() : Damaged("a text is cut");
      case 'B':
        return ReadBin(body);
      case 'G':
        if (target_.open->empty()) return Damaged("groups come before their bin");
        while (body->remaining() > 0) {
          GroupBin::Outcome outcome;
          if (!state_.Read(body, texts_, room_, target_.open->back().get(), &outcome)) {
            return Damaged("a group is not what is ever written");
          }
          room_ -= outcome.made;
        }
        return absl::OkStatus();
      default:
        return Damaged("a piece is of no known kind");
    }
  }

  static base::Octets ReadText(base::OctetReader* body) { return body->Bytes(body->U16()); }

  absl::Status ReadHeader(base::OctetReader* body) {
    const std::string ours = Describe(*target_.keys, target_.shape->values, *target_.options);
    const absl::string_view theirs = base::AsText(ReadText(body));
    if (theirs != ours) {
      return absl::InvalidArgumentError(absl::StrCat("open time bins: what was kept is accounted \"", theirs,
                                                     "\", and here it is \"", ours,
                                                     "\"; keep the options, or give up what was kept"));
    }
    const int64_t closed_through = static_cast<int64_t>(body->U64());
    if (closed_through != INT64_MIN) *target_.closed_through = TimeBins::Clamp(closed_through);
    for (uint16_t left = body->U16(); left > 0 && body->ok(); --left) {
      const absl::string_view name = base::AsText(ReadText(body));
      const uint64_t number = body->U64();
      for (const CounterName& counter : kCounters) {
        if (counter.name == name) target_.counters->*counter.counter = number;
      }
    }
    target_.late->rows = body->U64();
    for (absl::uint128& sum : target_.late->sums) {
      const uint64_t high = body->U64();
      sum = absl::MakeUint128(high, body->U64());
    }
    return body->ok() && body->remaining() == 0 ? absl::OkStatus() : Damaged("the first piece is not whole");
  }

  absl::Status ReadBin(base::OctetReader* body) {
    TimeBin time;
    time.start_nanos = static_cast<int64_t>(body->U64());
    time.end_nanos = static_cast<int64_t>(body->U64());
    const bool has_bins = target_.options->every > absl::ZeroDuration();
    const bool in_order = target_.open->empty() || target_.open->back()->time().end_nanos <= time.start_nanos;
    const bool is_bin = has_bins ? time.start_nanos < time.end_nanos && in_order &&
                                       TimeBins::Clamp(time.start_nanos) == time.start_nanos
                                 : time.start_nanos == 0 && time.end_nanos == 0 && target_.open->empty();
    if (!body->ok() || body->remaining() > 0 || !is_bin) return Damaged("a bin has times that none has");
    if (target_.open->size() >= target_.options->max_open_bins) {
      return absl::InvalidArgumentError(absl::StrCat("open time bins: more were kept than max_open_bins = ",
                                                     target_.options->max_open_bins, " lets in; raise it"));
    }
    target_.open->push_back(std::make_unique<GroupBin>(target_.shape, time));
    return absl::OkStatus();
  }

  Target target_;
  BinState state_;
  std::vector<base::InternId> texts_;
  size_t room_;
};

}  // namespace

absl::StatusOr<Aggregator::Restored> Aggregator::RestoreState(base::Octets state) {
  State& s = *state_;
  absl::StatusOr<std::unique_ptr<Aggregator>> made = New(s.options, s.shape->interner);
  if (!made.ok()) return made.status();
  State& r = *(*made)->state_;
  StateReader reader({&r.keys, &r.options, r.shape, r.group_limit, &r.open, &r.counters, &r.late, &r.closed_through});
  if (absl::Status status = reader.Read(state); !status.ok()) return status;
  const Restored restored{r.open.size(), reader.groups()};
  r.open_groups = restored.groups;
  const int64_t closed_through = r.closed_through;
  const uint64_t made_before = r.counters.groups - std::min<uint64_t>(r.counters.groups, restored.groups);
  if (absl::Status status = Merge(std::move(**made)); !status.ok()) return status;
  s.counters.groups += made_before;  // in bins that were closed
  s.closed_through = std::max(s.closed_through, closed_through);
  return restored;
}

}  // namespace flowacct::aggregate
