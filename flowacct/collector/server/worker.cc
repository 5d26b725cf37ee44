#include "flowacct/collector/server/worker.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "flowacct/aggregate/aggregator.h"
#include "flowacct/aggregate/time_bins.h"
#include "flowacct/base/mutex.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {
namespace {

// So many rows are still in the second-level cache when they are accounted.
constexpr size_t kBatchRows = 1024;
// How long a worker without anything to do waits before it looks at the clock.
constexpr absl::Duration kIdleWait = absl::Milliseconds(100);
constexpr int64_t kTickNanos = 1000000000;
// At the end, for what still waits in sockets.
constexpr absl::Duration kDrain = absl::Seconds(2);
// Names of half the interner's bound: time to begin with a new one, so that names of the past cost nothing for ever.
constexpr size_t kRotationShare = 2;

}  // namespace

PipelineTally& PipelineTally::operator+=(const PipelineTally& other) {
  records_in += other.records_in;
  records_dropped += other.records_dropped;
  records_held += other.records_held;
  records_filtered += other.records_filtered;
  records_aggregated += other.records_aggregated;
  records_overflowed += other.records_overflowed;
  records_late += other.records_late;
  packets += other.packets;
  bytes += other.bytes;
  open_groups += other.open_groups;
  open_octets += other.open_octets;
  for (const pipeline::EnricherCounters& counter : other.enrichment) {
    const auto known =
        std::find_if(enrichment.begin(), enrichment.end(), [&counter](const pipeline::EnricherCounters& mine) {
          return mine.enricher == counter.enricher && mine.counter == counter.counter;
        });
    if (known == enrichment.end()) {
      enrichment.push_back(counter);
    } else {
      known->value += counter.value;
    }
  }
  return *this;
}

absl::StatusOr<std::unique_ptr<Worker>> Worker::New(WorkerOptions options) {
  auto poller = Poller::New();
  if (!poller.ok()) return poller.status();
  return std::unique_ptr<Worker>(new Worker(std::move(options), *std::move(poller)));
}

Worker::Worker(WorkerOptions options, std::unique_ptr<Poller> poller)
    : options_(std::move(options)),
      interner_(std::make_shared<base::Interner>(options_.interner)),
      layout_(std::make_unique<record::Layout>(absl::Span<const record::FieldId>())),
      poller_(std::move(poller)) {
  now_nanos_ = Now();
}

Worker::~Worker() { Stop(); }

int64_t Worker::Now() const { return options_.clock ? options_.clock() : absl::GetCurrentTimeNanos(); }

absl::Status Worker::AddSource(size_t input, std::unique_ptr<Source> source) {
  if (source->fd() >= 0) {
    if (absl::Status status = poller_->Add(source->fd(), 0); !status.ok()) return status;
  }
  inputs_[input].sources.push_back(std::move(source));
  told_end_ = false;
  return absl::OkStatus();
}

absl::Status Worker::Adopt(std::shared_ptr<const Assignment> assignment, const std::vector<size_t>& kept_inputs) {
  if (assignment_ != nullptr) RetirePipelines();
  assignment_ = std::move(assignment);
  std::vector<InputState> inputs(kept_inputs.size());
  for (size_t i = 0; i < kept_inputs.size(); ++i) {
    if (kept_inputs[i] < inputs_.size()) inputs[i] = std::move(inputs_[kept_inputs[i]]);
  }
  for (const InputState& gone : inputs_) {
    if (gone.decoder != nullptr) RetireDecoder(*gone.decoder);
  }
  inputs_ = std::move(inputs);
  if (absl::Status status = SetInputs(); !status.ok()) return status;
  return MakePipelines();
}

absl::Status Worker::SetInputs() {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const InputPlan& plan = assignment_->plan->inputs[i];
    std::unique_ptr<Admission>& admission = inputs_[i].admission;
    if (admission != nullptr) {
      if (absl::Status status = admission->SetOptions(plan.admission); !status.ok()) return status;
    } else if (plan.has_admission) {
      auto made = Admission::New(plan.admission);
      if (!made.ok()) return made.status();
      admission = *std::move(made);
    }
    std::unique_ptr<Replicator>& replicator = inputs_[i].replicator;
    if (replicator != nullptr) {
      if (absl::Status status = replicator->SetOptions(plan.replication); !status.ok()) return status;
    } else if (!plan.replication.pools.empty()) {
      auto made = Replicator::New(plan.replication);
      if (!made.ok()) return made.status();
      replicator = *std::move(made);
    }
  }
  return absl::OkStatus();
}

void Worker::AddTo(std::vector<ReplicaStatus>* replicas) const {
  for (const InputState& input : inputs_) {
    if (input.replicator == nullptr) continue;
    for (const ReplicaReport& report : input.replicator->Report()) {
      auto replica = std::find_if(replicas->begin(), replicas->end(),
                                  [&report](const ReplicaStatus& known) { return known.name == report.pool; });
      if (replica == replicas->end()) replica = replicas->insert(replicas->end(), ReplicaStatus{report.pool, {}});
      auto receiver =
          std::find_if(replica->receivers.begin(), replica->receivers.end(),
                       [&report](const ReplicaReceiverStatus& known) { return known.to == report.receiver; });
      if (receiver == replica->receivers.end()) {
        receiver = replica->receivers.insert(receiver, ReplicaReceiverStatus{report.receiver, 0, 0, 0});
      }
      receiver->sent += report.counters.sent;
      receiver->dropped += report.counters.dropped;
      receiver->errors += report.counters.errors;
    }
  }
}

absl::Status Worker::MakePipelines() {
  const Plan& plan = *assignment_->plan;
  groups_.clear();
  std::vector<record::FieldId> fields;
  for (const PipelineGroup& group : plan.groups) {
    auto pipeline = pipeline::Pipeline::New(group.options, interner_);
    if (!pipeline.ok()) return pipeline.status();
    const absl::Span<const record::FieldId> required = (*pipeline)->RequiredFields();
    fields.insert(fields.end(), required.begin(), required.end());
    groups_.push_back({&group, *std::move(pipeline)});
  }
  auto layout = std::make_unique<record::Layout>(fields, plan.custom_fields);
  for (Group& group : groups_) group.pipeline->Bind(layout.get());
  for (InputState& input : inputs_) {
    if (input.decoder == nullptr) {
      const size_t index = static_cast<size_t>(&input - inputs_.data());
      input.decoder = std::make_unique<InputDecoder>(layout.get(), interner_.get(), plan.inputs[index].decoder);
    } else {
      input.decoder->Rebind(layout.get(), interner_.get());
    }
  }
  batch_ = std::make_unique<record::FlowBatch>(layout.get(), interner_.get());
  copy_ = std::make_unique<record::FlowBatch>(layout.get(), interner_.get());
  layout_ = std::move(layout);
  next_close_nanos_.assign(plan.pipelines.size(), INT64_MIN);
  return absl::OkStatus();
}

void Worker::DrainAndFlush() {
  DrainMeters();
  for (const Group& group : groups_) group.pipeline->ReleaseAll();
  Flush();
}

void Worker::RetirePipelines() {
  DrainAndFlush();
  for (size_t i = 0; i < assignment_->plan->pipelines.size(); ++i) {
    PipelineTally tally = this->tally(i);
    tally.open_groups = tally.open_octets = tally.records_held = 0;
    tallies_[assignment_->plan->pipelines[i].name] = tally;
  }
  groups_.clear();
}

// What meters hold goes to the pipelines that are there now.
void Worker::DrainMeters() {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].decoder == nullptr) continue;
    inputs_[i].decoder->Drain(batch_.get());
    ProcessBatch(i);
  }
}

void Worker::RotateInterner() {
  RetirePipelines();
  // The old one lives as long as the partials that were handed over.
  interner_ = std::make_shared<base::Interner>(options_.interner);
  (void)MakePipelines();  // of a plan that made them before
}

PipelineTally Worker::tally(size_t index) const {
  PipelineTally tally;
  const auto before = tallies_.find(assignment_->plan->pipelines[index].name);
  if (before != tallies_.end()) tally = before->second;
  for (const Group& group : groups_) {
    for (size_t at = 0; at < group.plan->pipelines.size(); ++at) {
      if (group.plan->pipelines[at] != index) continue;
      const pipeline::PipelineCounters shared = group.pipeline->counters();
      const pipeline::AggregationCounters own = group.pipeline->counters(at);
      const aggregate::Aggregator& aggregator = group.pipeline->aggregator(at);
      tally.records_in += shared.records_in;
      tally.records_dropped += shared.records_dropped;
      tally.records_held += shared.records_held;
      tally.records_filtered += own.records_filtered;
      tally.records_aggregated += own.aggregator.records_aggregated;
      tally.records_overflowed += own.aggregator.records_overflowed;
      tally.records_late += own.aggregator.records_late;
      tally.packets += own.packets;
      tally.bytes += own.bytes;
      tally.open_groups += aggregator.open_groups();
      tally.open_octets += aggregator.octets();
      PipelineTally enriched;
      enriched.enrichment = group.pipeline->enricher_counters();
      tally += enriched;
    }
  }
  return tally;
}

void Worker::AddTo(std::vector<InputStatus>* statuses) const {
  for (size_t i = 0; i < inputs_.size() && i < statuses->size(); ++i) {
    InputStatus& status = (*statuses)[i];
    status.records += inputs_[i].records;
    if (inputs_[i].decoder != nullptr) inputs_[i].decoder->AddTo(&status);
    if (inputs_[i].admission != nullptr) {
      const auto& verdicts = inputs_[i].admission->counters().datagrams;
      status.refused_not_allowed += verdicts[static_cast<size_t>(AdmissionVerdict::kUnknownExporter)];
      status.refused_rate += verdicts[static_cast<size_t>(AdmissionVerdict::kDatagramLimit)];
      status.refused_budget += verdicts[static_cast<size_t>(AdmissionVerdict::kRecordBudget)];
    }
    for (const auto& source : inputs_[i].sources) source->AddTo(&status);
  }
}

void Worker::AppendReports(bool details, std::vector<record::ExporterReport>* reports) const {
  std::vector<record::ExporterCounters> counters = retired_;
  for (const InputState& input : inputs_) {
    if (input.decoder == nullptr) continue;
    if (!details) {
      input.decoder->exports().Summarize(&counters);
      continue;
    }
    std::vector<record::ExporterReport> of_input = input.decoder->exports().Report();
    std::move(of_input.begin(), of_input.end(), std::back_inserter(*reports));
  }
  for (const record::ExporterCounters& one : counters) reports->emplace_back(one);
}

// Counters never go back, so they outlive what counted them.
void Worker::RetireDecoder(const InputDecoder& decoder) {
  std::vector<record::ExporterCounters> counters;
  decoder.exports().Summarize(&counters);
  for (record::ExporterCounters& one : counters) {
    one.pending_sets = one.template_count = 0;
    auto sum = std::find_if(retired_.begin(), retired_.end(),
                            [&one](const record::ExporterCounters& old) { return old.protocol == one.protocol; });
    if (sum == retired_.end()) {
      sum = retired_.emplace(sum);
      sum->protocol = one.protocol;
      sum->scope = record::ExporterScope::kForgotten;
      sum->domains = 0;
    }
    sum->Add(one);
  }
}

void Worker::Start() {
  running_ = true;
  thread_ = std::thread(&Worker::Run, this);
}

void Worker::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  poller_->Wake();
  thread_.join();
  running_ = false;
}

void Worker::Call(const std::function<void()>& call) {
  if (!running_) return call();
  base::Notification done;
  {
    base::MutexLock lock(&mutex_);
    calls_.push_back([&call, &done] {
      call();
      done.Notify();
    });
  }
  poller_->Wake();
  done.Wait();
}

void Worker::RunCalls() {
  std::vector<std::function<void()>> calls;
  {
    base::MutexLock lock(&mutex_);
    calls.swap(calls_);
  }
  for (const std::function<void()>& call : calls) call();
}

bool Worker::ReadAll() {
  bool any = false;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    for (const std::unique_ptr<Source>& source : inputs_[i].sources) any |= ReadSource(i, source.get());
  }
  return any;
}

void Worker::Run() {
  bool busy = true;
  while (!stopping_) {
    poller_->Wait(busy ? absl::ZeroDuration() : kIdleWait);
    RunCalls();
    now_nanos_ = Now();
    last_round_nanos_.store(now_nanos_, std::memory_order_relaxed);
    busy = ReadAll();
    Tick();
    if (interner_->octets() > options_.interner.max_octets / kRotationShare) RotateInterner();
  }
  // What the kernel took before the end is accounted, too; bounded, as senders need not end.
  const int64_t deadline = Now() + absl::ToInt64Nanoseconds(kDrain);
  while (ReadAll() && Now() < deadline) {
  }
  DrainAndFlush();
  RunCalls();
}

std::string Worker::position(size_t input) const {
  std::string text;
  for (const std::unique_ptr<Source>& source : inputs_[input].sources) text += source->position();
  return text;
}

bool Worker::wants_checkpoint() const {
  for (const InputState& input : inputs_) {
    for (const std::unique_ptr<Source>& source : input.sources) {
      if (source->wants_checkpoint()) return true;
    }
  }
  return false;
}

void Worker::NoteKept(size_t input, const std::string& position, bool is_end) {
  for (const std::unique_ptr<Source>& source : inputs_[input].sources) source->NoteKept(position, is_end);
}

std::optional<int64_t> Worker::capture_nanos() const {
  std::optional<int64_t> latest;
  for (const InputState& input : inputs_) {
    for (const std::unique_ptr<Source>& source : input.sources) {
      const std::optional<int64_t> nanos = source->time_nanos();
      if (!nanos) return std::nullopt;
      latest = std::max(latest, nanos);
    }
  }
  return latest;
}

void Worker::Tick() {
  bool all_ended = true, has_sources = false;
  const bool is_time = now_nanos_ >= next_tick_nanos_ || now_nanos_ + 2 * kTickNanos < next_tick_nanos_;
  if (is_time) next_tick_nanos_ = now_nanos_ + kTickNanos;
  for (const InputState& input : inputs_) {
    for (const std::unique_ptr<Source>& source : input.sources) {
      if (is_time) source->Tick();
      all_ended &= source->ended();
      has_sources = true;
    }
  }
  // The time of captures counts where nothing else is read.
  const int64_t nanos = capture_nanos().value_or(now_nanos_);
  // A worker without sources has no time: captures of another may be of years ago.
  for (size_t i = 0; is_time && has_sources && i < inputs_.size(); ++i) {
    const InputState& input = inputs_[i];
    if (input.decoder == nullptr) continue;
    input_nanos_ = nanos;
    for (const std::unique_ptr<Source>& source : input.sources)
      input_nanos_ = source->time_nanos().value_or(now_nanos_);
    input.decoder->Advance(absl::FromUnixNanos(input_nanos_), batch_.get());
    ProcessBatch(i);
  }
  CloseBins(nanos);
  if (all_ended && !told_end_ && options_.on_end) {
    told_end_ = true;
    options_.on_end();
  }
}

bool Worker::ReadSource(size_t index, Source* source) {
  const Reading reading = source->Read();
  input_nanos_ = source->time_nanos().value_or(now_nanos_);
  InputState& input = inputs_[index];
  InputDecoder& decoder = *input.decoder;
  Admission* admission = input.admission.get();
  if (input.replicator != nullptr) input.replicator->Replicate(reading.datagrams);
  base::DecodeCode refused = base::DecodeCode::kOk;
  for (const record::Datagram& datagram : reading.datagrams) {
    if (admission != nullptr && admission->Admit(datagram.source, now_nanos_) != AdmissionVerdict::kAdmitted) continue;
    if (refused != base::DecodeCode::kOk) {
      decoder.Reject(refused);
      continue;
    }
    const size_t rows = batch_->size();
    const base::DecodeResult result = decoder.DecodeDatagram(datagram, batch_.get());
    if (datagram.session != 0 && record::EndsSession(result.code)) refused = result.code;
    if (admission != nullptr) admission->ChargeRecords(datagram.source, batch_->size() - rows, now_nanos_);
    if (batch_->size() >= kBatchRows) ProcessBatch(index);
  }
  for (const CapturedPacket& packet : reading.packets) {
    decoder.DecodePacket(packet, reading.packet_kind, reading.tell_interfaces, batch_.get());
    if (batch_->size() >= kBatchRows) ProcessBatch(index);
  }
  for (const base::Octets message : reading.messages) {
    (void)decoder.DecodeMessage(message, batch_.get());
    if (batch_->size() >= kBatchRows) ProcessBatch(index);
  }
  decoder.EndPackets(batch_.get());
  for (const uint64_t session : reading.ended_sessions) decoder.EndSession(session);
  if (refused != base::DecodeCode::kOk) {
    decoder.EndSession(reading.session);
    source->Refuse(reading.session);  // what the reading borrows is void now
  }
  ProcessBatch(index);
  return !reading.empty();
}

void Worker::ProcessBatch(size_t input) {
  if (batch_->empty()) return;
  inputs_[input].records += batch_->size();
  // Each group enriches rows of its own; the last one takes the batch itself.
  size_t last = groups_.size();
  for (size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].plan->inputs[input]) last = g;
  }
  for (size_t g = 0; g < last; ++g) {
    if (!groups_[g].plan->inputs[input]) continue;
    copy_->CopyFrom(*batch_);
    groups_[g].pipeline->Process(*copy_, absl::FromUnixNanos(input_nanos_));
  }
  if (last < groups_.size()) groups_[last].pipeline->Process(*batch_, absl::FromUnixNanos(input_nanos_));
  batch_->Clear();
}

void Worker::CloseBins(int64_t now_nanos) {
  const absl::Time now = absl::FromUnixNanos(now_nanos);
  for (Group& group : groups_) {
    group.pipeline->Release(now);
    for (size_t at = 0; at < group.plan->pipelines.size(); ++at) {
      const size_t index = group.plan->pipelines[at];
      if (now_nanos < next_close_nanos_[index]) continue;
      assignment_->mergers[index]->Deliver(options_.index, group.pipeline->aggregator(at).TakeClosed(now), now);
      // When the next bin is over; what comes late until then is one correction.
      const aggregate::AggregatorOptions& options = assignment_->plan->pipelines[index].aggregation.aggregator;
      const int64_t lateness = absl::ToInt64Nanoseconds(options.lateness);
      aggregate::TimeBins bins(options.every, options.time_zone);
      next_close_nanos_[index] = bins.Find(aggregate::TimeBins::Clamp(now_nanos - lateness)).end_nanos + lateness;
    }
  }
}

void Worker::Flush() {
  for (Group& group : groups_) {
    for (size_t at = 0; at < group.plan->pipelines.size(); ++at) {
      const size_t index = group.plan->pipelines[at];
      assignment_->mergers[index]->Deliver(options_.index, group.pipeline->aggregator(at).TakeAll(),
                                           absl::InfinitePast());
    }
  }
}

}  // namespace flowacct::collector
