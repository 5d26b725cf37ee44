// The kernels that look up what an exporter told, put several elements together, or have a packet read.

#include <algorithm>
#include <cstring>

#include "flowacct/flow/template/kernel_loop.h"
#include "flowacct/flow/template/plan_kernels.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/row.h"

namespace flowacct::flow {

using base::LoadBe24;
using base::Octets;

void RouteDistinguisherKernel(const PlanStep& step, const RecordRun& run) {
  const NumberTable* table = run.context->route_distinguishers;
  if (table == nullptr || table->empty()) return;
  for (size_t i = 0; i < run.count; ++i) {
    uint64_t rd = table->Find(NumberAt(run, step.source, i));
    if (rd == 0 && step.second != kNoField) rd = table->Find(NumberAt(run, step.second, i));
    if (rd == 0) continue;
    uint8_t* row = run.rows + i * run.row_stride;
    StoreNumber<8>(row + step.target, rd);
    SetPresent(step, row);
  }
}

void NameKernel(const PlanStep& step, const RecordRun& run) {
  NameTable* names = run.context->names;
  if (names == nullptr) return;
  for (size_t i = 0; i < run.count; ++i) {
    const base::InternId id = names->Find(static_cast<NameKind>(step.constant), NumberAt(run, step.source, i),
                                          run.interner, run.context->interner_epoch);
    if (id == base::Interner::kNone) continue;
    uint8_t* row = run.rows + i * run.row_stride;
    StoreNumber<4>(row + step.target, id);
    SetPresent(step, row);
  }
}

namespace {

// The entries of a record's stack, up to the one that says it is the last (RFC 3032, 2.1) or the first that is zero.
size_t ReadLabels(const RecordRun& run, size_t record, uint8_t out[30]) {
  size_t entries = 0;
  for (uint16_t field : run.plan->label_fields()) {
    if (run.lengths[field] != 3 || entries == 10) break;
    const uint8_t* entry = run.records + record * run.stride + run.offsets[field];
    if (LoadBe24(entry) == 0) break;
    std::memcpy(out + 3 * entries++, entry, 3);
    if ((entry[2] & 1) != 0) break;
  }
  return entries;
}

}  // namespace

void BottomLabelKernel(const PlanStep& step, const RecordRun& run) {
  uint8_t labels[30];
  for (size_t i = 0; i < run.count; ++i) {
    const size_t entries = ReadLabels(run, i, labels);
    if (entries == 0) continue;
    uint8_t* row = run.rows + i * run.row_stride;
    StoreNumber<4>(row + step.target, LoadBe24(labels + 3 * (entries - 1)) >> 4);
    SetPresent(step, row);
  }
}

void LabelStackKernel(const PlanStep& step, const RecordRun& run) {
  uint8_t labels[30];
  for (size_t i = 0; i < run.count; ++i) {
    const size_t entries = ReadLabels(run, i, labels);
    if (entries == 0) continue;
    uint8_t* row = run.rows + i * run.row_stride;
    StoreNumber<4>(row + step.target, run.interner->Intern(Octets(labels, 3 * entries)));
    SetPresent(step, row);
  }
}

void CustomKernel(const PlanStep& step, const RecordRun& run) {
  const record::Layout& layout = run.plan->layout();
  const record::CustomField& field = layout.custom_fields()->fields()[step.constant];
  const uint32_t length = run.lengths[step.source];
  uint64_t misfits = 0;
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    const record::MutableRow target(&layout, row);
    misfits += record::SetCustomField(field, Octets(from, length), run.interner, target) ? 0 : 1;
  });
  run.context->misfits += misfits;
}

void SamplingKernel(const PlanStep& step, const RecordRun& run) {
  const DecodePlan::SamplingFields& fields = run.plan->sampling_fields();
  const SamplingTable* table = run.context->sampling;
  const bool in_record = fields.interval != kNoField || fields.random_interval != kNoField ||
                         fields.packet_interval != kNoField || fields.size != kNoField ||
                         fields.probability != kNoField;
  const bool by_selector = fields.selector != kNoField && table != nullptr && table->has_selectors();
  const bool by_interface = fields.interface != kNoField && table != nullptr && table->has_interfaces();
  if (!in_record && !by_selector && !by_interface) return;
  auto number = [&](uint16_t field, size_t i) { return field == kNoField ? 0 : NumberAt(run, field, i); };
  for (size_t i = 0; i < run.count; ++i) {
    uint64_t rate = 0;
    record::SamplingSource source = record::SamplingSource::kRecord;
    if (in_record) {
      SamplingParts parts;
      parts.interval = number(fields.interval, i);
      if (parts.interval == 0) parts.interval = number(fields.random_interval, i);
      parts.packet_interval = number(fields.packet_interval, i);
      parts.packet_space = number(fields.packet_space, i);
      parts.size = number(fields.size, i);
      parts.population = number(fields.population, i);
      if (fields.probability != kNoField && run.lengths[fields.probability] == 8) {
        const uint64_t bits = number(fields.probability, i);
        std::memcpy(&parts.probability, &bits, 8);
      }
      rate = SamplingRateOf(parts);
    }
    if (rate == 0) {
      source = record::SamplingSource::kOptions;
      if (by_selector) rate = table->OfSelector(number(fields.selector, i));
      if (rate == 0 && by_interface) rate = table->OfInterface(number(fields.interface, i));
    }
    if (rate == 0) continue;
    uint8_t* row = run.rows + i * run.row_stride;
    if (step.constant == 0) {
      StoreNumber<8>(row + step.target, rate);
    } else {
      row[step.target] = static_cast<uint8_t>(source);
    }
    SetPresent(step, row);
  }
}

void SectionKernel(const PlanStep& step, const RecordRun& run) {
  PacketSectionDecoder* sections = run.context->sections;
  for (size_t i = 0; i < run.count; ++i) {
    size_t length = run.lengths[step.source];
    if (step.third != kNoField) length = std::min<size_t>(length, NumberAt(run, step.third, i));
    if (length == 0) continue;
    const uint8_t* section = run.records + i * run.stride + run.offsets[step.source];
    const uint64_t frame_octets = step.second == kNoField ? 0 : NumberAt(run, step.second, i);
    const record::MutableRow row(&run.plan->layout(), run.rows + i * run.row_stride);
    if (sections == nullptr || !sections->DecodeSection(step.constant, Octets(section, length), frame_octets, row)) {
      ++run.context->unread_sections;
    }
  }
}

}  // namespace flowacct::flow
