#include "flowacct/flow/sflow/sflow_decoder.h"

#include <cstring>
#include <utility>

#include "flowacct/flow/sflow/agent_table.h"
#include "flowacct/flow/sflow/counter_row.h"
#include "flowacct/flow/sflow/flow_row.h"
#include "flowacct/flow/sflow/format_counter.h"
#include "flowacct/flow/sflow/record_format.h"
#include "flowacct/flow/sflow/record_teller.h"
#include "flowacct/flow/sflow/sflow_view.h"

namespace flowacct::sflow {

using base::DecodeCode;
using base::DecodeResult;
using record::FieldId;

class SflowDecoder::Impl {
 public:
  Impl(const record::Layout* layout, SflowDecoderOptions options)
      : layout_(layout),
        options_(std::move(options)),
        agents_({options_.max_agents, options_.max_sources, options_.agent_idle_seconds}),
        formats_(options_.max_vendor_formats),
        prototype_(layout->row_size()) {
    records_.reserve(64);
  }

  DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output);
  void Rebind(const record::Layout* layout) {
    layout_ = layout;
    prototype_.resize(layout->row_size());
    flow_row_interner_ = nullptr;
  }
  void EndSession(uint64_t) {}  // sFlow is datagrams
  std::string SaveState() const { return agents_.SaveState(); }
  absl::StatusOr<record::RestoredState> RestoreState(base::Octets state) { return agents_.RestoreState(state); }
  void Summarize(std::vector<record::ExporterCounters>* counters) const { agents_.Summarize(counters); }
  std::vector<record::ExporterReport> Report() const { return agents_.Report(); }
  std::vector<FormatCount> Formats() const { return formats_.Counts(); }

 private:
  // One datagram being decoded.
  struct Work {
    const DatagramView* view;
    const record::Datagram* datagram;
    const record::DecodeOutput* output;
    AgentState* agent;
    record::ExporterCounters* counters;  // the agent's
    DecodeResult first;

    void Keep(const DecodeResult& result) {
      if (result.ok()) return;
      counters->errors.Count(result.code);
      if (first.ok()) first = result;
    }
  };

  void MakePrototype(const DatagramView& view, const record::Datagram& datagram);
  void DecodeSample(const SampleView& sample, Work* work);
  void ReadRecords(const SampleView& sample, FormatCount::Kind kind, Work* work);
  void DecodeFlow(const SampleView& sample, Work* work);
  void DecodeCounters(const SampleView& sample, Work* work);
  uint64_t Rate(const SampleView& sample, const SourceState* source) const;

  const record::Layout* layout_;
  SflowDecoderOptions options_;
  AgentTable agents_;
  FormatCounter formats_;
  std::vector<uint8_t> prototype_;
  std::vector<RecordView> records_;  // of one sample
  std::unique_ptr<FlowRow> flow_row_;
  const base::Interner* flow_row_interner_ = nullptr;  // null: it is not bound to the layout
};

DecodeResult SflowDecoder::Impl::Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
  DatagramView view;
  const DecodeResult header = DatagramView::Parse(datagram.octets, &view);
  if (!header.ok()) return agents_.ReceiveBroken(datagram, header);
  AgentState* agent = agents_.Receive({view.agent_address(), view.sub_agent_id(), view.version()}, datagram);
  record::ExporterCounters& counters = agent->counters;
  if (agent->tracked) agent->sequence.Follow(view.sequence_number(), options_.sequence, &counters.sequence);

  base::Interner* interner = &output.flows->interner();
  if (flow_row_ == nullptr) {
    flow_row_ = std::make_unique<FlowRow>(layout_, interner, options_.packet, options_.max_as_path_length);
  } else if (flow_row_interner_ != interner) {
    flow_row_->Rebind(layout_, interner);
  }
  flow_row_interner_ = interner;
  MakePrototype(view, datagram);

  Work work{&view, &datagram, &output, agent, &counters, DecodeResult::Ok()};
  SampleReader samples(view);
  uint32_t count = 0;
  for (SampleView sample; samples.Next(&sample);) {
    if (++count > options_.max_samples) {
      ++counters.rejected_sets;
      work.Keep(DecodeResult::Error(DecodeCode::kLimitExceeded, sample.offset()));
      break;
    }
    DecodeSample(sample, &work);
  }
  if (!samples.result().ok()) {
    // What follows the first sample that cannot be read cannot be found.
    if (samples.result().code != DecodeCode::kTrailingOctets && count < view.sample_count()) {
      ++counters.rejected_sets;
    }
    work.Keep(samples.result());
  }
  if (work.first.ok()) counters.errors.Count(DecodeCode::kOk);
  return work.first;
}

void SflowDecoder::Impl::MakePrototype(const DatagramView& view, const record::Datagram& datagram) {
  std::memset(prototype_.data(), 0, prototype_.size());
  record::MutableRow row(layout_, prototype_.data());
  row.Set<FieldId::kExporter>(view.agent_address());
  row.Set<FieldId::kObservationDomain>(view.sub_agent_id());
  row.Set<FieldId::kExportVersion>(static_cast<uint16_t>(view.version()));
  row.Set<FieldId::kExportSequence>(view.sequence_number());
  // sFlow tells no time but the agent's uptime: a sample is forwarded within a second (sflow_version_5.txt, 5).
  row.Set<FieldId::kStartTime>(datagram.arrival_nanos);
  row.Set<FieldId::kEndTime>(datagram.arrival_nanos);
  row.Set<FieldId::kArrivalTime>(datagram.arrival_nanos);
}

void SflowDecoder::Impl::DecodeSample(const SampleView& sample, Work* work) {
  formats_.Count(sample.version(), FormatCount::kSample, sample.data_format());
  if (!sample.result().ok()) {
    ++work->counters->rejected_sets;
    work->Keep(sample.result());
    return;
  }
  switch (sample.kind()) {
    case SampleKind::kFlow:
    case SampleKind::kDiscardedPacket:
      DecodeFlow(sample, work);
      break;
    case SampleKind::kCounters:
      DecodeCounters(sample, work);
      break;
    case SampleKind::kUnknown:
      ++work->counters->unknown_samples;
      if (work->output->listener != nullptr) RecordTeller(*work->view, work->output->listener).TellUnknown(sample);
      break;
  }
}

void SflowDecoder::Impl::ReadRecords(const SampleView& sample, FormatCount::Kind kind, Work* work) {
  records_.clear();
  RecordReader reader(sample);
  for (RecordView record; reader.Next(&record);) {
    if (records_.size() >= options_.max_records) {
      work->Keep(DecodeResult::Error(DecodeCode::kLimitExceeded, record.offset()));
      return;
    }
    formats_.Count(record.version(), kind, record.data_format());
    records_.push_back(record);
  }
  work->Keep(reader.result());
}

uint64_t SflowDecoder::Impl::Rate(const SampleView& sample, const SourceState* source) const {
  if (!options_.use_effective_rate || source == nullptr) return sample.sampling_rate();
  const uint64_t rate = source->effective_rate();
  return source->samples() >= options_.effective_rate_min_samples && rate > 0 ? rate : sample.sampling_rate();
}

void SflowDecoder::Impl::DecodeFlow(const SampleView& sample, Work* work) {
  SourceState* source = agents_.FindSource(work->agent, sample.source(), sample.kind());
  const bool sampled = sample.kind() == SampleKind::kFlow;
  if (source == nullptr) {
    ++work->counters->untracked_samples;
  } else if (sampled) {
    source->FollowFlow(sample, options_.sequence, &work->counters->sample_sequence);
  } else {
    source->FollowOther(sample, options_.sequence, &work->counters->sample_sequence);
  }
  ReadRecords(sample, FormatCount::kFlowRecord, work);

  record::MutableRow row(layout_, work->output->flows->AppendCopies(1, prototype_.data()));
  if (sampled) {
    const uint64_t rate = Rate(sample, source);
    if (rate > 0) {
      row.Set<FieldId::kSamplingRate>(rate);
      row.Set<FieldId::kSamplingSource>(static_cast<uint8_t>(record::SamplingSource::kSflow));
    }
  }
  const DecodeResult result = flow_row_->Fill(sample, records_, work->datagram->arrival_nanos, row, work->counters);
  if (work->first.ok()) work->first = result;
  ++work->counters->flow_records;
  if (work->output->listener != nullptr) {
    RecordTeller(*work->view, work->output->listener).TellFlow(sample, records_, 1);
  }
}

void SflowDecoder::Impl::DecodeCounters(const SampleView& sample, Work* work) {
  SourceState* source = agents_.FindSource(work->agent, sample.source(), sample.kind());
  if (source == nullptr) {
    ++work->counters->untracked_samples;
  } else {
    source->FollowOther(sample, options_.sequence, &work->counters->sample_sequence);
  }
  ReadRecords(sample, FormatCount::kCounterRecord, work);
  record::FlowBatch* batch = work->output->counters;
  for (const RecordView& record : records_) {
    ++work->counters->counter_records;
    const size_t before = batch == nullptr ? 0 : batch->size();
    const RecordFormat* format = FindCounterFormat(record.data_format());
    if (format != nullptr) {  // without a batch the record is read all the same, so that errors are counted
      CounterRows rows(*work->view, work->datagram->arrival_nanos, batch);
      work->Keep(rows.Append(sample, record, *format));
    } else {
      ++work->counters->unknown_records;
    }
    if (work->output->listener != nullptr) {
      const size_t rows = batch == nullptr ? 0 : batch->size() - before;
      RecordTeller(*work->view, work->output->listener).TellCounters(sample, record, rows);
    }
  }
}

SflowDecoder::SflowDecoder(const record::Layout* layout, SflowDecoderOptions options)
    : impl_(std::make_unique<Impl>(layout, std::move(options))) {}

SflowDecoder::~SflowDecoder() = default;

DecodeResult SflowDecoder::Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
  return impl_->Decode(datagram, output);
}

void SflowDecoder::Rebind(const record::Layout* layout) { impl_->Rebind(layout); }

void SflowDecoder::EndSession(uint64_t session) { impl_->EndSession(session); }

std::string SflowDecoder::SaveState() const { return impl_->SaveState(); }

absl::StatusOr<record::RestoredState> SflowDecoder::RestoreState(base::Octets state) {
  return impl_->RestoreState(state);
}

void SflowDecoder::Summarize(std::vector<record::ExporterCounters>* counters) const { impl_->Summarize(counters); }

std::vector<record::ExporterReport> SflowDecoder::Report() const { return impl_->Report(); }

std::vector<FormatCount> SflowDecoder::Formats() const { return impl_->Formats(); }

}  // namespace flowacct::sflow
