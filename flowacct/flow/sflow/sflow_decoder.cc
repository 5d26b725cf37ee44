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
        agents_(options_.max_agents, options_.max_sources),
        formats_(options_.max_vendor_formats),
        prototype_(layout->row_size()) {
    records_.reserve(64);
  }

  DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output);
  std::vector<record::ExporterReport> Report() const;
  std::vector<FormatCount> Formats() const { return formats_.Counts(); }
  uint64_t untracked_datagrams() const { return untracked_datagrams_; }
  uint64_t untracked_samples() const { return untracked_samples_; }

 private:
  // One datagram being decoded.
  struct Work {
    const DatagramView* view;
    const record::Datagram* datagram;
    const record::DecodeOutput* output;
    AgentState* agent;
    base::DecodeCounters* errors;
    DecodeResult first;

    void Keep(const DecodeResult& result) {
      if (result.ok()) return;
      errors->Count(result.code);
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
  AgentState nobody_;  // counts for agents that are not followed
  std::vector<uint8_t> prototype_;
  std::vector<RecordView> records_;  // of one sample
  std::unique_ptr<FlowRow> flow_row_;
  const base::Interner* flow_row_interner_ = nullptr;
  // Datagrams whose header could not be read, by their UDP source's address unknown to sFlow.
  uint64_t bad_datagrams_ = 0;
  uint64_t bad_octets_ = 0;
  base::DecodeCounters bad_headers_;
  uint64_t untracked_datagrams_ = 0;
  uint64_t untracked_samples_ = 0;
};

DecodeResult SflowDecoder::Impl::Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
  DatagramView view;
  const DecodeResult header = DatagramView::Parse(datagram.octets, &view);
  if (!header.ok()) {
    ++bad_datagrams_;
    bad_octets_ += datagram.octets.size();
    bad_headers_.Count(header.code);
    return header;
  }
  AgentState* agent = agents_.Find({view.agent_address(), view.sub_agent_id(), view.version()});
  const bool tracked = agent != nullptr;
  if (tracked) {
    agent->sequence.Follow(view.sequence_number());
  } else {
    agent = &nobody_;
    ++untracked_datagrams_;
  }
  ++agent->datagrams;
  agent->octets += datagram.octets.size();

  // An interner belongs to the pipeline; it changes only when the caller changes pipelines.
  if (flow_row_ == nullptr || flow_row_interner_ != &output.flows->interner()) {
    flow_row_interner_ = &output.flows->interner();
    flow_row_ =
        std::make_unique<FlowRow>(layout_, &output.flows->interner(), options_.packet, options_.max_as_path_length);
  }
  MakePrototype(view, datagram);

  Work work{&view, &datagram, &output, agent, &agent->errors, DecodeResult::Ok()};
  SampleReader samples(view);
  uint32_t count = 0;
  for (SampleView sample; samples.Next(&sample);) {
    if (++count > options_.max_samples) {
      ++agent->rejected_samples;
      work.Keep(DecodeResult::Error(DecodeCode::kLimitExceeded, sample.offset()));
      break;
    }
    DecodeSample(sample, &work);
  }
  if (!samples.result().ok()) {
    // What follows the first sample that cannot be read cannot be found.
    if (samples.result().code != DecodeCode::kTrailingOctets && count < view.sample_count()) {
      ++agent->rejected_samples;
    }
    work.Keep(samples.result());
  }
  if (work.first.ok()) agent->errors.Count(DecodeCode::kOk);
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
    ++work->agent->rejected_samples;
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
  SourceState* source =
      work->agent == &nobody_ ? nullptr : agents_.FindSource(work->agent, sample.source(), sample.kind());
  const bool sampled = sample.kind() == SampleKind::kFlow;
  if (source == nullptr) {
    ++untracked_samples_;
  } else if (sampled) {
    source->FollowFlow(sample);
  } else {
    source->FollowOther(sample);
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
  const DecodeResult result = flow_row_->Fill(sample, records_, work->datagram->arrival_nanos, row, work->errors);
  if (work->first.ok()) work->first = result;
  ++work->agent->flow_records;
  if (work->output->listener != nullptr) {
    RecordTeller(*work->view, work->output->listener).TellFlow(sample, records_, 1);
  }
}

void SflowDecoder::Impl::DecodeCounters(const SampleView& sample, Work* work) {
  SourceState* source =
      work->agent == &nobody_ ? nullptr : agents_.FindSource(work->agent, sample.source(), sample.kind());
  if (source == nullptr) {
    ++untracked_samples_;
  } else {
    source->FollowOther(sample);
  }
  ReadRecords(sample, FormatCount::kCounterRecord, work);
  record::FlowBatch* batch = work->output->counters;
  for (const RecordView& record : records_) {
    ++work->agent->counter_records;
    const size_t before = batch == nullptr ? 0 : batch->size();
    const RecordFormat* format = FindCounterFormat(record.data_format());
    if (format != nullptr) {  // without a batch the record is read all the same, so that errors are counted
      CounterRows rows(*work->view, work->datagram->arrival_nanos, batch);
      work->Keep(rows.Append(sample, record, *format));
    }
    if (work->output->listener != nullptr) {
      const size_t rows = batch == nullptr ? 0 : batch->size() - before;
      RecordTeller(*work->view, work->output->listener).TellCounters(sample, record, rows);
    }
  }
}

std::vector<record::ExporterReport> SflowDecoder::Impl::Report() const {
  std::vector<record::ExporterReport> reports = agents_.Report();
  // Those of nobody in particular: agents beyond the bound, and datagrams whose header could not be read.
  if (nobody_.datagrams + bad_datagrams_ > 0) {
    record::ExporterReport report;
    report.protocol = "sflow";
    report.datagrams = nobody_.datagrams + bad_datagrams_;
    report.octets = nobody_.octets + bad_octets_;
    report.flow_records = nobody_.flow_records;
    report.counter_records = nobody_.counter_records;
    report.rejected_sets = nobody_.rejected_samples;
    for (size_t i = 0; i < base::kDecodeCodeCount; ++i) {
      const auto code = static_cast<DecodeCode>(i);
      report.errors.Count(code, nobody_.errors[code] + bad_headers_[code]);
    }
    reports.insert(reports.begin(), std::move(report));
  }
  return reports;
}

SflowDecoder::SflowDecoder(const record::Layout* layout, SflowDecoderOptions options)
    : impl_(std::make_unique<Impl>(layout, std::move(options))) {}

SflowDecoder::~SflowDecoder() = default;

DecodeResult SflowDecoder::Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
  return impl_->Decode(datagram, output);
}

std::vector<record::ExporterReport> SflowDecoder::Report() const { return impl_->Report(); }

std::vector<FormatCount> SflowDecoder::Formats() const { return impl_->Formats(); }

uint64_t SflowDecoder::untracked_datagrams() const { return impl_->untracked_datagrams(); }

uint64_t SflowDecoder::untracked_samples() const { return impl_->untracked_samples(); }

}  // namespace flowacct::sflow
