#include "flowacct/flow/template/domain_state.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"

namespace flowacct::flow {
namespace {

using base::AsOctets;
using base::AsText;
using base::OctetReader;
using base::Octets;
using base::OctetWriter;

constexpr uint16_t kStateVersion = 1;
constexpr int64_t kNanosPerSecond = 1000000000;
// As Datagram has it, so that differences of times are numbers too.
constexpr int64_t kMaxNanos = int64_t{1} << 62;
// What a header's 32 bits of seconds can tell.
constexpr int64_t kMaxExportNanos = ((int64_t{1} << 32) + 1) * kNanosPerSecond;

// Flags of a data set that waits.
constexpr uint8_t kHasSequence = 1;
constexpr uint8_t kHasUptime = 2;
constexpr uint8_t kShifted = 4;  // its times were moved to its arrival

void WriteText(absl::string_view text, OctetWriter* out) {
  out->U16(static_cast<uint16_t>(text.size())).Text(text.substr(0, 65535));
}

void WriteNumbers(const NumberTable& table, OctetWriter* out) {
  out->U32(static_cast<uint32_t>(table.size()));
  for (const auto& [key, value] : table.Sorted()) out->U64(key).U64(value);
}

}  // namespace

class DomainState::Writer {
 public:
  explicit Writer(OctetWriter* out) : out_(*out) {}

  void Write(const DomainTable& table) {
    std::vector<const Domain*> domains;
    for (const Domain* domain : table.Sorted()) {
      if (domain->exporter == nullptr) domains.push_back(domain);
    }
    WriteContents(domains);
    out_.U32(static_cast<uint32_t>(domains.size()));
    for (const Domain* domain : domains) WriteDomain(*domain);
  }

 private:
  static std::vector<std::pair<uint16_t, const TemplateEntry*>> Sorted(const Domain& domain) {
    std::vector<std::pair<uint16_t, const TemplateEntry*>> sorted;
    for (const auto& [id, entry] : domain.templates) sorted.emplace_back(id, &entry);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

  // In the order in which domains refer to them.
  void WriteContents(const std::vector<const Domain*>& domains) {
    std::vector<const Template*> contents;
    for (const Domain* domain : domains) {
      for (const auto& [id, entry] : Sorted(*domain)) {
        const Template* format = &entry->compiled->format();
        if (places_.emplace(format, places_.size()).second) contents.push_back(format);
      }
    }
    out_.U32(static_cast<uint32_t>(contents.size()));
    for (const Template* format : contents) {
      out_.U8(static_cast<uint8_t>(format->kind)).U16(static_cast<uint16_t>(format->fields.size()));
      for (const TemplateField& field : format->fields) {
        out_.U32(field.pen).U16(field.id).U16(field.length).U8(field.scope ? 1 : 0);
      }
    }
  }

  void WriteDomain(const Domain& domain) {
    out_.Bytes(domain.key.exporter.octets()).U32(domain.key.domain).U16(domain.key.version);
    out_.U64(static_cast<uint64_t>(domain.last_seen_nanos));
    out_.U8(domain.sequence.known() ? 1 : 0).U32(domain.sequence.known() ? domain.sequence.expected() : 0);
    const ExporterClock::Last last = domain.clock.last().value_or(ExporterClock::Last());
    out_.U8(domain.clock.last().has_value() ? 1 : 0)
        .U32(last.uptime_millis)
        .U64(static_cast<uint64_t>(last.export_nanos));
    out_.U64(static_cast<uint64_t>(domain.system_init_nanos)).U64(domain.header_sampling_rate);
    out_.U64(domain.sampling.all());
    WriteNumbers(domain.sampling.selectors(), &out_);
    WriteNumbers(domain.sampling.interfaces(), &out_);
    WriteNumbers(domain.route_distinguishers, &out_);
    for (size_t kind = 0; kind < kNameKindCount; ++kind) {
      const auto names = domain.names.Sorted(static_cast<NameKind>(kind));
      out_.U32(static_cast<uint32_t>(names.size()));
      for (const auto& [key, name] : names) {
        out_.U64(key);
        WriteText(name, &out_);
      }
    }
    std::vector<std::pair<std::pair<uint32_t, uint16_t>, const TemplateSource::LearnedElement*>> learned;
    for (const auto& [key, element] : domain.learned) learned.emplace_back(key, &element);
    std::sort(learned.begin(), learned.end());
    out_.U32(static_cast<uint32_t>(learned.size()));
    for (const auto& [key, element] : learned) {
      out_.U32(key.first).U16(key.second).U8(static_cast<uint8_t>(element->type));
      WriteText(element->name, &out_);
    }
    out_.U32(static_cast<uint32_t>(domain.templates.size()));
    for (const auto& [id, entry] : Sorted(domain)) {
      out_.U16(id).U32(places_.at(&entry->compiled->format())).U64(static_cast<uint64_t>(entry->alive_nanos));
    }
    out_.U32(static_cast<uint32_t>(domain.pending.size()));
    for (const PendingSet& set : domain.pending) WritePending(set);
  }

  void WritePending(const PendingSet& set) {
    const MessageContext& context = set.context;
    out_.U16(set.template_id);
    out_.U8(static_cast<uint8_t>((context.has_sequence ? kHasSequence : 0) | (context.has_uptime ? kHasUptime : 0) |
                                 (context.shift_nanos != 0 ? kShifted : 0)));
    out_.U32(context.sequence).U64(static_cast<uint64_t>(context.arrival_nanos));
    out_.U64(static_cast<uint64_t>(context.export_nanos - context.shift_nanos));
    out_.U32(context.uptime_millis).U32(static_cast<uint32_t>(context.uptime_remainder_nanos));
    out_.U32(static_cast<uint32_t>(set.octets.size())).Text(set.octets);
  }

  OctetWriter& out_;
  absl::flat_hash_map<const Template*, uint32_t> places_;
};

class DomainState::Reader {
 public:
  Reader(Octets octets, DomainTable* table) : in_(octets), table_(*table), options_(table->options_) {}

  // False: octets that were never written.
  bool Read() {
    ReadContents();
    for (uint32_t n = Count(kLeastDomainOctets); n > 0 && in_.ok(); --n) ReadDomain();
    Check(in_.remaining() == 0);
    return in_.ok();
  }
  size_t offset() const { return in_.offset(); }
  const record::RestoredState& restored() const { return restored_; }

 private:
  static constexpr size_t kLeastDomainOctets = 16 + 4 + 2 + 8 + 5 + 13 + 16 + 8 + 3 * 4 + kNameKindCount * 4 + 3 * 4;

  // Fails the reader, so that nothing more is read.
  void Check(bool truth) {
    if (!truth) in_.Skip(SIZE_MAX);
  }
  // A count of what takes at least `octets` each: one that cannot be fails.
  uint32_t Count(size_t octets) {
    const uint32_t count = in_.U32();
    Check(count <= in_.remaining() / octets);
    return in_.ok() ? count : 0;
  }
  int64_t Nanos(int64_t max) {
    const auto nanos = static_cast<int64_t>(in_.U64());
    Check(nanos > -max && nanos < max);
    return in_.ok() ? nanos : 0;
  }
  bool Flag() {
    const uint8_t flag = in_.U8();
    Check(flag <= 1);
    return flag == 1;
  }
  absl::string_view Text() { return AsText(in_.Bytes(in_.U16())); }
  void Keep(bool kept) { restored_.left_out += kept ? 0 : 1; }

  void ReadContents() {
    for (uint32_t n = Count(3 + 9); n > 0 && in_.ok(); --n) {
      const uint8_t kind = in_.U8();
      Check(kind == static_cast<uint8_t>(record::RecordKind::kFlow) ||
            kind == static_cast<uint8_t>(record::RecordKind::kOption));
      const size_t count = in_.U16();
      Check(count * 9 <= in_.remaining());
      if (!in_.ok()) return;
      std::vector<TemplateField> fields;
      fields.reserve(count);
      for (size_t i = 0; i < count; ++i) {
        const uint32_t pen = in_.U32();
        const uint16_t id = in_.U16(), length = in_.U16();
        fields.push_back(MakeTemplateField(pen, id, length, Flag()));
      }
      std::optional<Template>& content = contents_.emplace_back(Template());
      const base::DecodeCode code =
          MakeTemplate(static_cast<record::RecordKind>(kind), std::move(fields), options_, &*content);
      if (code == base::DecodeCode::kLimitExceeded) {
        content.reset();  // left out where a domain has it
      } else {
        Check(code == base::DecodeCode::kOk);
      }
    }
  }

  void ReadDomain() {
    DomainKey key;
    const Octets address = in_.Bytes(base::IpAddress::kSize);
    if (!in_.ok()) return;
    key.exporter = base::IpAddress::FromV6(address.data());
    key.domain = in_.U32();
    key.version = in_.U16();
    const int64_t last_seen_nanos = Nanos(kMaxNanos);
    Check(table_.domains_.find(key) == table_.domains_.end());
    if (!in_.ok()) return;
    // One that there is no room for is read all the same, as the others follow it.
    MemoryBudget nothing(0);
    std::unique_ptr<Domain> nowhere;
    room_ = table_.domains_.size() < options_.max_domains;
    if (!room_) nowhere = std::make_unique<Domain>(key, options_, &nothing, nullptr);
    Domain* domain = room_ ? table_.FindOrAdd(key, last_seen_nanos) : nowhere.get();
    Keep(room_);
    restored_.exporters += room_ ? 1 : 0;
    domain->last_seen_nanos = last_seen_nanos;
    domain->counters.last_seen_nanos = last_seen_nanos;
    const bool has_sequence = Flag();
    const uint32_t expected = in_.U32();
    if (has_sequence) domain->sequence.Resume(expected);
    const bool has_clock = Flag();
    ExporterClock::Last last;
    last.uptime_millis = in_.U32();
    last.export_nanos = Nanos(kMaxExportNanos);
    if (has_clock) domain->clock.Resume(last);
    domain->system_init_nanos = static_cast<int64_t>(in_.U64());
    Check(domain->system_init_nanos >= 0 && domain->system_init_nanos <= kMaxSystemInitNanos);
    domain->header_sampling_rate = in_.U64();
    domain->sampling.SetAll(in_.U64());
    ReadNumbers([&](uint64_t k, uint64_t rate) { return domain->sampling.SetSelector(k, rate); });
    ReadNumbers([&](uint64_t k, uint64_t rate) {
      Check(k <= UINT32_MAX);
      return domain->sampling.SetInterface(static_cast<uint32_t>(k), rate);
    });
    ReadNumbers([&](uint64_t k, uint64_t rd) { return domain->route_distinguishers.Set(k, rd); });
    for (size_t kind = 0; kind < kNameKindCount; ++kind) {
      for (uint32_t n = Count(10); n > 0 && in_.ok(); --n) {
        const uint64_t name_key = in_.U64();
        const absl::string_view name = Text();
        if (in_.ok()) Keep(domain->names.Set(static_cast<NameKind>(kind), name_key, name));
      }
    }
    for (uint32_t n = Count(9); n > 0 && in_.ok(); --n) {
      const uint32_t pen = in_.U32();
      const uint16_t id = in_.U16();
      const uint8_t type = in_.U8();
      Check(type <= static_cast<uint8_t>(AbstractType::kSubTemplateMultiList));
      const absl::string_view name = Text();
      if (in_.ok()) Keep(domain->Learn(pen, id, {std::string(name), static_cast<AbstractType>(type)}));
    }
    for (uint32_t n = Count(14); n > 0 && in_.ok(); --n) ReadTemplate(domain);
    for (uint32_t n = Count(31); n > 0 && in_.ok(); --n) ReadPending(domain);
  }

  template <typename Set>
  void ReadNumbers(Set set) {
    for (uint32_t n = Count(16); n > 0 && in_.ok(); --n) {
      const uint64_t key = in_.U64(), value = in_.U64();
      if (in_.ok()) Keep(set(key, value));
    }
  }

  void ReadTemplate(Domain* domain) {
    const uint16_t id = in_.U16();
    const uint32_t place = in_.U32();
    const int64_t alive_nanos = Nanos(kMaxNanos);
    Check(id >= kFirstDataSet && place < contents_.size() && !domain->templates.contains(id));
    if (!in_.ok()) return;
    TemplateEntry* entry = nullptr;
    if (room_ && contents_[place].has_value() && domain->templates.size() < options_.max_templates_per_domain) {
      entry = table_.AddTemplate(domain, id, *contents_[place]);
    }
    Keep(entry != nullptr);
    if (entry == nullptr) return;
    entry->alive_nanos = alive_nanos;
    ++restored_.templates;
  }

  void ReadPending(Domain* domain) {
    PendingSet set;
    set.template_id = in_.U16();
    const uint8_t flags = in_.U8();
    MessageContext& context = set.context;
    context.exporter = domain->key.exporter;
    context.domain = domain->key.domain;
    context.version = domain->key.version;
    context.has_sequence = (flags & kHasSequence) != 0;
    context.sequence = in_.U32();
    context.arrival_nanos = Nanos(kMaxNanos);
    const int64_t told_nanos = Nanos(kMaxExportNanos);
    context.shift_nanos = (flags & kShifted) != 0 ? context.arrival_nanos - told_nanos : 0;
    context.export_nanos = told_nanos + context.shift_nanos;
    context.latest_nanos = context.export_nanos + options_.max_future_seconds * kNanosPerSecond;
    context.has_uptime = (flags & kHasUptime) != 0;
    context.uptime_millis = in_.U32();
    context.uptime_remainder_nanos = static_cast<int32_t>(in_.U32());
    context.names = &domain->names;
    context.sampling = &domain->sampling;
    context.route_distinguishers = &domain->route_distinguishers;
    const Octets octets = in_.Bytes(in_.U32());
    Check(set.template_id >= kFirstDataSet && !octets.empty() && !domain->templates.contains(set.template_id));
    Check(flags <= (kHasSequence | kHasUptime | kShifted) && told_nanos >= 0);
    Check(context.uptime_remainder_nanos > -kNanosPerSecond && context.uptime_remainder_nanos < kNanosPerSecond);
    if (!in_.ok()) return;
    set.octets = std::string(AsText(octets));
    // A domain's oldest make room for the newest, as when they came.
    const uint64_t rejected = domain->counters.rejected_sets;
    const bool kept = room_ && table_.Hold(domain, std::move(set));
    restored_.held_sets += kept ? 1 : 0;
    restored_.held_sets -= domain->counters.rejected_sets - rejected;
    Keep(kept);
  }

  // As options_data.cc has it.
  static constexpr int64_t kMaxSystemInitNanos = 9000000000000 * 1000000;

  OctetReader in_;
  DomainTable& table_;
  const TemplateOptions& options_;
  std::vector<std::optional<Template>> contents_;  // nothing: over a limit
  bool room_ = false;                              // for the domain that is being read
  record::RestoredState restored_;
};

std::string DomainState::Save(absl::string_view kind, const DomainTable& table) {
  OctetWriter out;
  Writer(&out).Write(table);
  return base::Seal(kind, kStateVersion, out.octets());
}

absl::StatusOr<record::RestoredState> DomainState::Restore(absl::string_view kind, Octets state, DomainTable* table) {
  if (!table->domains_.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("the ", kind, " has decoded already; restore its state before"));
  }
  const auto sealed = base::Unseal(kind, kStateVersion, state);
  if (!sealed.ok()) return sealed.status();
  Reader reader(sealed->body, table);
  if (!reader.Read()) {
    table->Clear();
    return absl::DataLossError(
        absl::StrCat("the state of the ", kind, " cannot be read from octet ", reader.offset(), " of its body on"));
  }
  return reader.restored();
}

}  // namespace flowacct::flow
