#include "flowacct/collector/server/state_keeper.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::collector {
namespace {

constexpr absl::string_view kSessions = "sessions";
constexpr absl::string_view kIgp = "igp";
// Lifetimes go on though nothing changes: what a crash leaves tells them so well.
constexpr absl::Duration kIgpLifetimes = absl::Minutes(5);
constexpr absl::string_view kCheckpoint = "checkpoint";
constexpr absl::string_view kCheckpointKind = "open bins of all pipelines";
constexpr uint16_t kCheckpointVersion = 1;
// How often it is looked whether sinks are done, at the end.
constexpr absl::Duration kLook = absl::Milliseconds(10);
constexpr absl::string_view kKind = "open bins of a pipeline";
// 2: with the run.
constexpr uint16_t kVersion = 2;

std::string DecoderName(const config::Input& input, size_t worker, size_t workers) {
  return absl::StrCat("decoder.", input.name(), ".", worker + 1, "of", workers);
}
std::string BinsName(const std::string& pipeline) { return absl::StrCat("bins.", pipeline); }
std::string ProgressName(const std::string& pipeline) { return absl::StrCat("progress.", pipeline); }

uint64_t RecordsIn(StateKeeper::Workers workers, size_t pipeline) {
  PipelineTally sum;
  for (const std::unique_ptr<Worker>& worker : workers) {
    worker->Call([&] { sum += worker->tally(pipeline); });
  }
  return sum.records_in;
}

void PutText(absl::string_view text, base::OctetWriter* writer) { writer->U64(text.size()).Text(text); }

std::string TakeText(base::OctetReader* reader) { return std::string(base::AsText(reader->Bytes(reader->U64()))); }

bool HasKafka(const config::Config& config) {
  return std::any_of(config.input().begin(), config.input().end(),
                     [](const config::Input& input) { return input.has_kafka(); });
}

bool HasOnlyKafka(const config::Config& config) {
  return std::all_of(config.input().begin(), config.input().end(),
                     [](const config::Input& input) { return input.has_kafka(); });
}

bool AreWritten(const Assignment& assignment) {
  return std::all_of(assignment.mergers.begin(), assignment.mergers.end(),
                     [](const std::shared_ptr<BinMerger>& merger) { return merger->is_written(); });
}

void AwaitWritten(const Assignment& assignment, absl::Time deadline) {
  while (!AreWritten(assignment) && absl::Now() < deadline) absl::SleepFor(kLook);
}

std::string TimeText(int64_t nanos) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixNanos(nanos), absl::UTCTimeZone());
}

}  // namespace

StateKeeper::StateKeeper(std::unique_ptr<StateDirectory> folder, Log log)
    : folder_(std::move(folder)), log_(std::move(log)) {
  const auto read = folder_->Read(kCheckpoint);
  if (absl::IsNotFound(read.status())) return;
  absl::StatusOr<Checkpoint> checkpoint =
      read.ok() ? Decode(base::AsOctets(*read)) : absl::StatusOr<Checkpoint>(read.status());
  if (checkpoint.ok()) {
    loaded_ = *std::move(checkpoint);
    is_file_ = true;
    return;
  }
  const auto aside = folder_->SetAside(kCheckpoint);
  loading_error_ = absl::StrCat(
      "state: open bins are not restored, and Kafka is read from where its group was: ", checkpoint.status().message(),
      aside.ok() ? absl::StrCat("; they are in ", *aside) : "");
}

std::string StateKeeper::PositionOf(const std::string& input) const {
  if (!loaded_.has_value()) return "";
  const auto found = loaded_->positions.find(input);
  return found == loaded_->positions.end() ? "" : found->second;
}

std::string StateKeeper::Encode(const Checkpoint& checkpoint) {
  base::OctetWriter writer;
  writer.U64(static_cast<uint64_t>(checkpoint.generation)).U8(checkpoint.is_end ? 1 : 0).U64(checkpoint.bins.size());
  for (const auto& [pipeline, bins] : checkpoint.bins) {
    PutText(pipeline, &writer);
    writer.U64(bins.run).U64(bins.records_in).U64(static_cast<uint64_t>(bins.due_nanos)).U64(bins.last_correction);
    PutText(bins.state, &writer);
  }
  writer.U64(checkpoint.positions.size());
  for (const auto& [input, position] : checkpoint.positions) {
    PutText(input, &writer);
    PutText(position, &writer);
  }
  return base::Seal(kCheckpointKind, kCheckpointVersion, writer.octets());
}

absl::StatusOr<StateKeeper::Checkpoint> StateKeeper::Decode(base::Octets octets) {
  const auto sealed = base::Unseal(kCheckpointKind, kCheckpointVersion, octets);
  if (!sealed.ok()) return sealed.status();
  base::OctetReader reader(sealed->body);
  Checkpoint checkpoint;
  checkpoint.generation = static_cast<int64_t>(reader.U64());
  checkpoint.is_end = reader.U8() != 0;
  for (uint64_t n = reader.U64(); n > 0 && reader.ok(); --n) {
    Checkpoint::Bins& bins = checkpoint.bins[TakeText(&reader)];
    bins.run = reader.U64();
    bins.records_in = reader.U64();
    bins.due_nanos = static_cast<int64_t>(reader.U64());
    bins.last_correction = reader.U64();
    bins.state = TakeText(&reader);
  }
  for (uint64_t n = reader.U64(); n > 0 && reader.ok(); --n) {
    std::string input = TakeText(&reader);
    checkpoint.positions[std::move(input)] = TakeText(&reader);
  }
  if (!reader.ok()) return absl::DataLossError("the checkpoint is cut");
  return checkpoint;
}

void StateKeeper::Report(absl::Status status) {
  bool tell = false;
  {
    base::MutexLock lock(&mutex_);
    tell = !status.ok() && !failing_;
    failing_ = !status.ok();
  }
  if (tell && log_) log_(absl::StrCat("state: ", status.message(), "; what is open now would be lost in a crash"));
}

void StateKeeper::SaveDecoders(Workers workers, const Assignment& assignment) {
  const config::Config& config = assignment.plan->config();
  absl::Status status;
  for (int i = 0; i < config.input_size(); ++i) {
    for (size_t w = 0; w < workers.size(); ++w) {
      std::string state;
      workers[w]->Call([&] { state = workers[w]->SaveDecoder(static_cast<size_t>(i)); });
      status.Update(folder_->Write(DecoderName(config.input(i), w, workers.size()), state));
    }
  }
  Report(std::move(status));
}

bool StateKeeper::WriteBins(const std::string& pipeline, absl::string_view state, uint64_t run, uint64_t records_in,
                            bool is_end) {
  Progress progress;
  progress.generation = absl::GetCurrentTimeNanos();
  progress.records_in = records_in;
  base::OctetWriter head;
  head.U64(static_cast<uint64_t>(progress.generation)).U64(records_in).U8(is_end ? 1 : 0).U64(run);
  const std::string body = absl::StrCat(base::AsText(head.octets()), state);
  absl::Status status = folder_->Write(BinsName(pipeline), base::Seal(kKind, kVersion, base::AsOctets(body)));
  const bool written = status.ok();
  if (written) {
    base::MutexLock lock(&mutex_);
    WriteProgress(pipeline, progress);
  }
  Report(std::move(status));
  return written;
}

void StateKeeper::WriteProgress(const std::string& pipeline, const Progress& progress) {
  Progress& known = progress_[pipeline];
  if (known == progress) return;
  known = progress;
  (void)folder_->Overwrite(ProgressName(pipeline), absl::StrFormat("%020d %020d %020d\n", progress.generation,
                                                                   progress.written_through, progress.records_in));
}

bool StateKeeper::WantsCheckpoint(Workers workers, const Assignment& assignment) {
  for (const std::shared_ptr<BinMerger>& merger : assignment.mergers) {
    if (merger->is_due()) return true;
  }
  bool wanted = false;
  for (const std::unique_ptr<Worker>& worker : workers) {
    worker->Call([&] { wanted |= worker->wants_checkpoint(); });
  }
  return wanted;
}

bool StateKeeper::SaveTogether(Workers workers, const Assignment& assignment, bool is_end) {
  // What was closed at it is written with it, so there is no other one before.
  if (unkept_.has_value() && !WriteTogether(workers, assignment)) return false;
  if (!AreWritten(assignment)) return false;
  const config::Config& config = assignment.plan->config();
  const std::vector<PipelinePlan>& pipelines = assignment.plan->pipelines;
  Checkpoint checkpoint;
  checkpoint.is_end = is_end;
  std::map<std::string, std::string> decoders;
  std::vector<std::shared_ptr<BinMerger::Checkpoint>> taken;
  // All workers stand still at one moment: what one of them has handed over by then is in the checkpoint, and no more.
  std::function<void(size_t)> take = [&](size_t w) {
    if (w == workers.size()) {
      for (const std::shared_ptr<BinMerger>& merger : assignment.mergers) taken.push_back(merger->StartCheckpoint());
      return;
    }
    workers[w]->Call([&] {
      workers[w]->Flush();
      for (int i = 0; i < config.input_size(); ++i) {
        const config::Input& input = config.input(i);
        decoders[DecoderName(input, w, workers.size())] = workers[w]->SaveDecoder(static_cast<size_t>(i));
        if (input.has_kafka()) checkpoint.positions[input.name()] += workers[w]->position(static_cast<size_t>(i));
      }
      for (size_t p = 0; p < pipelines.size(); ++p) {
        checkpoint.bins[pipelines[p].name].records_in += workers[w]->tally(p).records_in;
      }
      take(w + 1);
    });
  };
  take(0);
  for (size_t p = 0; p < pipelines.size(); ++p) {
    Checkpoint::Bins& bins = checkpoint.bins[pipelines[p].name];
    taken[p]->done.Wait();
    // Only if it is closing, which is after the last one.
    if (!taken[p]->state.ok()) return false;
    bins.run = assignment.mergers[p]->run();
    bins.due_nanos = taken[p]->due_nanos;
    bins.last_correction = taken[p]->last_correction;
    bins.state = *std::move(taken[p]->state);
  }
  checkpoint.generation = absl::GetCurrentTimeNanos();
  absl::Status status;
  for (const auto& [name, state] : decoders) status.Update(folder_->Write(name, state));
  if (!status.ok()) Report(std::move(status));
  unkept_ = std::move(checkpoint);
  return WriteTogether(workers, assignment);
}

bool StateKeeper::WriteTogether(Workers workers, const Assignment& assignment) {
  absl::Status status = folder_->Write(kCheckpoint, Encode(*unkept_));
  const bool is_kept = status.ok();
  Report(std::move(status));
  if (!is_kept) return false;
  is_file_ = true;
  const Checkpoint checkpoint = *std::exchange(unkept_, std::nullopt);
  {
    base::MutexLock lock(&mutex_);
    for (const auto& [pipeline, bins] : checkpoint.bins) {
      WriteProgress(pipeline, {checkpoint.generation, INT64_MIN, bins.records_in});
    }
  }
  for (const std::shared_ptr<BinMerger>& merger : assignment.mergers) merger->Release();
  const config::Config& config = assignment.plan->config();
  for (int i = 0; i < config.input_size(); ++i) {
    const auto position = checkpoint.positions.find(config.input(i).name());
    if (position == checkpoint.positions.end()) continue;
    for (const std::unique_ptr<Worker>& worker : workers) {
      worker->Call([&] { worker->NoteKept(static_cast<size_t>(i), position->second, checkpoint.is_end); });
    }
  }
  if (std::exchange(are_files_, false)) {
    for (const auto& [pipeline, bins] : checkpoint.bins) (void)folder_->Remove(BinsName(pipeline));
  }
  return true;
}

bool StateKeeper::Finish(Workers workers, const Assignment& assignment, absl::Time deadline) {
  AwaitWritten(assignment, deadline);
  const bool is_saved = SaveTogether(workers, assignment, /*is_end=*/true);
  AwaitWritten(assignment, deadline);
  base::MutexLock lock(&mutex_);
  ended_ = true;
  return is_saved;
}

void StateKeeper::Save(Workers workers, const Assignment& assignment) {
  if (HasKafka(assignment.plan->config())) return (void)SaveTogether(workers, assignment, /*is_end=*/false);
  SaveDecoders(workers, assignment);
  const std::vector<PipelinePlan>& pipelines = assignment.plan->pipelines;
  std::vector<uint64_t> records_in(pipelines.size());
  for (const std::unique_ptr<Worker>& worker : workers) {
    worker->Call([&] {
      worker->Flush();
      for (size_t i = 0; i < pipelines.size(); ++i) records_in[i] += worker->tally(i).records_in;
    });
  }
  bool are_all = true;
  for (size_t i = 0; i < pipelines.size(); ++i) {
    const auto state = assignment.mergers[i]->Save();
    are_all &= state.ok() && WriteBins(pipelines[i].name, *state, assignment.mergers[i]->run(), records_in[i],
                                       /*is_end=*/false);
  }
  // Of a configuration with Kafka.
  if (are_all && std::exchange(is_file_, false)) (void)folder_->Remove(kCheckpoint);
}

void StateKeeper::SaveSessions(const SessionService& sessions) { Report(folder_->Write(kSessions, sessions.Save())); }

void StateKeeper::RestoreSessions(SessionService* sessions, std::vector<std::string>* notes) {
  const auto state = folder_->Read(kSessions);
  if (absl::IsNotFound(state.status())) return;
  const absl::Status status = state.ok() ? sessions->Restore(base::AsOctets(*state)) : state.status();
  if (!status.ok()) {
    const auto aside = folder_->SetAside(kSessions);
    notes->push_back(absl::StrCat("state: sessions are begun anew: ", status.message(),
                                  aside.ok() ? absl::StrCat("; it is kept as ", *aside) : ""));
    return;
  }
  // A start after a crash is not to take what ended since for what is there.
  Report(folder_->Remove(kSessions));
  notes->push_back(absl::StrCat("state: ", sessions->Status().contexts, " contexts of mobile subscribers restored"));
}

void StateKeeper::SaveIgp(const IgpService& igp) {
  const uint64_t changes = igp.changes();
  if (changes == igp_changes_ && absl::Now() < igp_saved_ + kIgpLifetimes) return;
  const absl::Status written = folder_->Write(kIgp, igp.Save());
  Report(written);
  if (!written.ok()) return;
  igp_changes_ = changes;
  igp_saved_ = absl::Now();
}

void StateKeeper::RestoreIgp(IgpService* igp, std::vector<std::string>* notes) {
  const auto state = folder_->Read(kIgp);
  if (absl::IsNotFound(state.status())) return;
  const absl::Status status = state.ok() ? igp->Restore(base::AsOctets(*state)) : state.status();
  if (!status.ok()) {
    const auto aside = folder_->SetAside(kIgp);
    notes->push_back(absl::StrCat("state: the topology is learned anew: ", status.message(),
                                  aside.ok() ? absl::StrCat("; it is kept as ", *aside) : ""));
    return;
  }
  notes->push_back(absl::StrCat("state: ", igp->Status().kept, " advertisements of the topology restored"));
}

void StateKeeper::NoteProgress(Workers workers, const Assignment& assignment) {
  for (size_t i = 0; i < assignment.plan->pipelines.size(); ++i) {
    const uint64_t records_in = RecordsIn(workers, i);
    base::MutexLock lock(&mutex_);
    const auto known = progress_.find(assignment.plan->pipelines[i].name);
    if (known == progress_.end()) continue;
    Progress progress = known->second;
    progress.records_in = records_in;
    WriteProgress(known->first, progress);
  }
}

void StateKeeper::NoteWritten(const std::string& pipeline, int64_t end_nanos) {
  base::MutexLock lock(&mutex_);
  const auto known = progress_.find(pipeline);
  if (known == progress_.end() || ended_) return;
  Progress progress = known->second;
  progress.written_through = std::max(progress.written_through, end_nanos);
  WriteProgress(known->first, progress);
}

void StateKeeper::Forget(const std::string& pipeline) {
  base::MutexLock lock(&mutex_);
  progress_.erase(pipeline);
  (void)folder_->Remove(BinsName(pipeline));
  (void)folder_->Remove(ProgressName(pipeline));
}

bool StateKeeper::Close(size_t pipeline, Workers workers, const Assignment& assignment, absl::Duration patience) {
  const std::string& name = assignment.plan->pipelines[pipeline].name;
  const uint64_t records_in = RecordsIn(workers, pipeline);
  BinMerger& merger = *assignment.mergers[pipeline];
  return merger.Close(patience, [&](absl::string_view state) {
    return WriteBins(name, state, merger.run(), records_in, /*is_end=*/true);
  });
}

StateKeeper::Progress StateKeeper::ProgressOf(const std::string& pipeline, int64_t generation) const {
  Progress progress;
  progress.generation = generation;
  const auto text = folder_->Read(ProgressName(pipeline));
  long long told = 0, through = 0;
  unsigned long long records = 0;
  if (text.ok() && std::sscanf(text->c_str(), "%lld %lld %llu", &told, &through, &records) == 3 && told == generation) {
    progress.written_through = through;
    progress.records_in = records;
  }
  return progress;
}

std::string StateKeeper::RestoreTogether(const std::string& pipeline, const Checkpoint::Bins& bins,
                                         const Assignment& assignment, BinMerger* merger) {
  const Progress since = ProgressOf(pipeline, loaded_->generation);
  const config::Config& config = assignment.plan->config();
  {
    // Sinks that are done with something say so of this checkpoint, until there is another.
    base::MutexLock lock(&mutex_);
    progress_[pipeline] = since;
  }
  merger->set_run(bins.run);
  const auto restored = HasKafka(config) ? merger->RestoreCheckpoint(bins.state, bins.due_nanos, bins.last_correction,
                                                                     since.written_through)
                                         : merger->Restore(bins.state, since.written_through);
  if (!restored.ok()) {
    // The file is overwritten soon: what is of this pipeline is kept as that of one alone.
    (void)WriteBins(pipeline, bins.state, bins.run, bins.records_in, /*is_end=*/true);
    const auto aside = folder_->SetAside(BinsName(pipeline));
    return absl::StrCat("pipeline ", pipeline, ": open bins are not restored: ", restored.status().message(),
                        aside.ok() ? absl::StrCat("; they are in ", *aside) : "");
  }
  std::string line = absl::StrCat("pipeline ", pipeline, ": ", restored->groups,
                                  " groups of open bins restored, as they were at ", TimeText(loaded_->generation));
  if (loaded_->is_end) return line;
  absl::StrAppend(&line, "; the collector did not end by itself, and ");
  if (HasOnlyKafka(config)) return absl::StrCat(line, "Kafka is read again from there");
  return absl::StrCat(line, "about ", since.records_in > bins.records_in ? since.records_in - bins.records_in : 0,
                      " records that came after that are lost, but for those of Kafka, which are read again");
}

std::string StateKeeper::RestoreBins(const std::string& pipeline, BinMerger* merger) {
  const auto read = folder_->Read(BinsName(pipeline));
  if (absl::IsNotFound(read.status())) return "";
  absl::Status status = read.status();
  if (status.ok()) {
    const auto sealed = base::Unseal(kKind, kVersion, base::AsOctets(*read));
    status = sealed.status();
    if (status.ok()) {
      base::OctetReader reader(sealed->body);
      const auto generation = static_cast<int64_t>(reader.U64());
      const uint64_t records_in = reader.U64();
      const bool is_end = reader.U8() != 0;
      if (sealed->version >= 2) merger->set_run(reader.U64());
      const Progress since = ProgressOf(pipeline, generation);
      const auto restored = merger->Restore(base::AsText(reader.Bytes(reader.remaining())), since.written_through);
      status = restored.status();
      if (status.ok()) {
        std::string line = absl::StrCat("pipeline ", pipeline, ": ", restored->groups,
                                        " groups of open bins restored, as they were at ", TimeText(generation));
        if (is_end) return line;
        return absl::StrCat(line, "; the collector did not end by itself, and about ",
                            since.records_in > records_in ? since.records_in - records_in : 0,
                            " records that came after that are lost");
      }
    }
  }
  const auto aside = folder_->SetAside(BinsName(pipeline));
  return absl::StrCat("pipeline ", pipeline, ": open bins are not restored: ", status.message(),
                      aside.ok() ? absl::StrCat("; they are in ", *aside) : "");
}

std::vector<std::string> StateKeeper::Restore(Workers workers, const Assignment& assignment) {
  std::vector<std::string> lines;
  if (!loading_error_.empty()) lines.push_back(loading_error_);
  const config::Config& config = assignment.plan->config();
  record::RestoredState sum;
  for (int i = 0; i < config.input_size(); ++i) {
    for (size_t w = 0; w < workers.size(); ++w) {
      const std::string name = DecoderName(config.input(i), w, workers.size());
      const auto state = folder_->Read(name);
      if (absl::IsNotFound(state.status())) continue;
      auto restored = state.ok() ? workers[w]->RestoreDecoder(static_cast<size_t>(i), base::AsOctets(*state))
                                 : absl::StatusOr<record::RestoredState>(state.status());
      if (restored.ok()) {
        sum.exporters += restored->exporters;
        sum.templates += restored->templates;
        sum.held_sets += restored->held_sets;
        sum.left_out += restored->left_out;
        continue;
      }
      const auto aside = folder_->SetAside(name);
      lines.push_back(absl::StrCat("input ", config.input(i).name(),
                                   ": what exporters told is not restored, and learned anew: ",
                                   restored.status().message(), aside.ok() ? absl::StrCat("; it is in ", *aside) : ""));
    }
  }
  if (sum.exporters > 0) {
    lines.push_back(absl::StrCat("what ", sum.exporters,
                                 sum.exporters == 1 ? " exporter's domain" : " exporters' domains",
                                 " told is restored: ", sum.templates, sum.templates == 1 ? " template" : " templates",
                                 " and ", sum.held_sets, " data sets that wait for theirs",
                                 sum.left_out > 0 ? absl::StrCat("; ", sum.left_out, " left out by limits") : ""));
  }
  for (size_t i = 0; i < assignment.mergers.size(); ++i) {
    const std::string& name = assignment.plan->pipelines[i].name;
    BinMerger* const merger = assignment.mergers[i].get();
    const Checkpoint::Bins* bins = nullptr;
    if (loaded_.has_value()) {
      if (const auto found = loaded_->bins.find(name); found != loaded_->bins.end()) bins = &found->second;
    }
    std::string line = bins == nullptr ? RestoreBins(name, merger) : RestoreTogether(name, *bins, assignment, merger);
    if (!line.empty()) lines.push_back(std::move(line));
  }
  loaded_.reset();
  Save(workers, assignment);
  return lines;
}

}  // namespace flowacct::collector
