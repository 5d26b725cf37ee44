// What is true of every decoder of flows, whatever octets it was given: for fuzz tests, which trap if it is not.
//
//     DecodingTruths<NetflowDecoder> truths(options);
//     truths.Decode(datagram);     // as often as one likes
//     truths.Check();
//
// Three decoders are given the same datagrams. One tells a listener every second time, and its batch is cleared each
// time. One tells nobody, and its rows pile up. One is rebound before each datagram, to another layout and another
// interner. True:
// * the rows that came out are flow_records + reverse_records;
// * each datagram is counted in exactly one report, and as whole if and only if Decode said so;
// * what a listener heard of rows is what came;
// * summaries are the counters of the reports;
// * all gave the same rows (as far as their layouts go), results and counters;
// * a decoder that is restored from what one saved saves the same, and goes on as that one does.

#ifndef FLOWACCT_RECORD_TESTING_DECODING_TRUTHS_H_
#define FLOWACCT_RECORD_TESTING_DECODING_TRUTHS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::record::testing {

inline void Require(bool truth) {
  if (!truth) __builtin_trap();
}

// Reads all that it hears, for the sanitizers, and counts rows.
class Reader final : public ElementListener {
 public:
  void OnRecord(RecordKind, uint16_t) override {}
  void OnElement(const Element& element) override {
    for (const uint8_t octet : element.octets) sum_ += octet;
    sum_ += element.name.size();
  }
  void OnRecordEnd(size_t rows) override { rows_ += rows; }

  size_t rows() const { return rows_; }

 private:
  uint64_t sum_ = 0;
  size_t rows_ = 0;
};

// In the fields that both layouts have. Interned values are compared as they read, since ids depend on the order in
// which values were met.
inline bool SameRow(const FlowBatch& a, size_t i, const FlowBatch& b, size_t j) {
  const RowView row_a = a.row(i), row_b = b.row(j);
  for (FieldId field : a.layout().fields()) {
    if (!b.layout().Has(field)) continue;
    if (row_a.Has(field) != row_b.Has(field)) return false;
    const FieldType type = Info(field).type;
    if (IsInterned(type)) {
      const auto id_a = static_cast<base::InternId>(row_a.GetNumber(field));
      const auto id_b = static_cast<base::InternId>(row_b.GetNumber(field));
      if (a.interner().Find(id_a) != b.interner().Find(id_b)) return false;
    } else if (std::memcmp(row_a.octets() + a.layout().offset(field), row_b.octets() + b.layout().offset(field),
                           FieldTypeSize(type)) != 0) {
      return false;
    }
  }
  return true;
}

// All rows of `a` against those of `b` from `begin` on, in whichever order: the second rows of biflows may come behind
// those of the whole set.
inline void RequireSameRows(const FlowBatch& a, const FlowBatch& b, size_t begin = 0) {
  Require(a.size() == b.size() - begin);
  std::vector<bool> taken(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    size_t match = 0;
    while (match < taken.size() && (taken[match] || !SameRow(a, i, b, begin + match))) ++match;
    Require(match < taken.size());
    taken[match] = true;
  }
}

inline ExporterCounters SumOf(const FlowDecoder& decoder) {
  ExporterCounters sum;
  for (const ExporterReport& report : decoder.Report()) sum.Add(report);
  return sum;
}

inline void RequireSameCounters(const ExporterCounters& a, const ExporterCounters& b) {
  for (const ExporterCounter& counter : ExporterCounterTable()) Require(a.*counter.value == b.*counter.value);
  for (size_t i = 0; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    Require(a.errors[code] == b.errors[code]);
  }
  Require(a.domains == b.domains && a.pending_sets == b.pending_sets && a.template_count == b.template_count);
  for (auto sequence : {&ExporterCounters::sequence, &ExporterCounters::sample_sequence}) {
    Require((a.*sequence).gaps == (b.*sequence).gaps && (a.*sequence).lost == (b.*sequence).lost);
    Require((a.*sequence).reordered == (b.*sequence).reordered && (a.*sequence).restarts == (b.*sequence).restarts);
  }
}

// Of which most is different: what is interned, what is looked up, and the fields that others are made of.
inline const Layout& FewFields() {
  static const Layout* const kLayout = new Layout(
      {FieldId::kTunnelKind, FieldId::kBytes, FieldId::kInIfName, FieldId::kSrcAddr, FieldId::kEndTime,
       FieldId::kStartTime, FieldId::kAsPath, FieldId::kMplsVpnRd, FieldId::kInVrfName, FieldId::kSamplingRate,
       FieldId::kMplsLabelStack, FieldId::kApplication, FieldId::kDstPort, FieldId::kUserName, FieldId::kPackets,
       FieldId::kTunnelSrcAddr, FieldId::kIcmpType, FieldId::kExporter, FieldId::kTemplateId});
  return *kLayout;
}

inline const Layout& AllFields() {
  static const Layout* const kLayout = new Layout(Layout::All());
  return *kLayout;
}

template <typename Decoder>
class DecodingTruths {
 public:
  // `options`: those of the decoder, if it has any.
  template <typename... Options>
  explicit DecodingTruths(const Options&... options)
      : told_(&AllFields(), options...),
        silent_(&AllFields(), options...),
        rebound_(&FewFields(), options...),
        restored_(&AllFields(), options...),
        told_rows_(&AllFields(), &told_interner_),
        told_values_(&AllFields(), &told_interner_),
        silent_rows_(&AllFields(), &silent_interner_),
        silent_values_(&AllFields(), &silent_interner_) {}

  void Decode(const Datagram& datagram) {
    ++datagrams_;
    octets_ += datagram.octets.size();
    told_rows_.Clear();
    told_values_.Clear();
    silent_values_.Clear();
    const size_t before = silent_rows_.size();
    Reader reader;
    const bool listens = datagrams_ % 2 == 0;
    const base::DecodeResult told = told_.Decode(datagram, {&told_rows_, &told_values_, listens ? &reader : nullptr});
    const base::DecodeResult silent = silent_.Decode(datagram, {&silent_rows_, &silent_values_, nullptr});
    whole_ += told.ok();
    Require(told.code == silent.code && told.offset == silent.offset);
    RequireSameRows(told_rows_, silent_rows_, before);
    Require(told_values_.size() == silent_values_.size());
    if (listens) Require(reader.rows() == told_rows_.size() + told_values_.size());

    const Layout& layout = datagrams_ % 3 == 0 ? AllFields() : FewFields();
    base::Interner interner;  // lies where the one before it lay
    FlowBatch rows(&layout, &interner), values(&layout, &interner);
    rebound_.Rebind(&layout);
    const base::DecodeResult rebound = rebound_.Decode(datagram, {&rows, &values, nullptr});
    Require(told.code == rebound.code && told.offset == rebound.offset);
    RequireSameRows(told_rows_, rows);
  }

  // Once, after all. `again`: datagrams that a restored decoder goes on with; their times are not before the others'.
  void Check(const std::vector<Datagram>& again = {}) {
    ExporterCounters told = SumOf(told_);
    RequireSameCounters(told, SumOf(silent_));
    ExporterCounters rebound = SumOf(rebound_);
    // What does not fit a field is counted where the field was asked for, and so is a time that was repaired.
    rebound.misfits = told.misfits;
    rebound.clock_repairs = told.clock_repairs;
    RequireSameCounters(told, rebound);
    Require(told.datagrams == datagrams_);
    Require(told.octets == octets_);
    Require(told.errors[base::DecodeCode::kOk] == whole_);
    Require(told.flow_records + told.reverse_records == silent_rows_.size());
    std::vector<ExporterCounters> summary;
    told_.Summarize(&summary);
    Require(summary.size() == told_.Report().size());
    ExporterCounters summed;
    for (const ExporterCounters& counters : summary) summed.Add(counters);
    RequireSameCounters(told, summed);

    const std::string state = told_.SaveState();
    Require(silent_.SaveState() == state && rebound_.SaveState() == state);
    const auto restored = restored_.RestoreState(base::AsOctets(state));
    Require(restored.ok() && restored->left_out == 0);
    Require(restored_.SaveState() == state);
    for (const Datagram& datagram : again) {
      told_rows_.Clear();
      FlowBatch rows(&AllFields(), &silent_interner_);
      const base::DecodeResult one = told_.Decode(datagram, {&told_rows_, nullptr, nullptr});
      const base::DecodeResult other = restored_.Decode(datagram, {&rows, nullptr, nullptr});
      Require(one.code == other.code && one.offset == other.offset);
      RequireSameRows(told_rows_, rows);
    }
  }

 private:
  base::Interner told_interner_, silent_interner_;
  Decoder told_, silent_, rebound_, restored_;
  FlowBatch told_rows_, told_values_, silent_rows_, silent_values_;
  uint64_t datagrams_ = 0;
  uint64_t octets_ = 0;
  uint64_t whole_ = 0;
};

}  // namespace flowacct::record::testing

#endif  // FLOWACCT_RECORD_TESTING_DECODING_TRUTHS_H_
