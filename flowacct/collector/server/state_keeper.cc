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

}  // namespace

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

void StateKeeper::Save(Workers workers, const Assignment& assignment) {
  SaveDecoders(workers, assignment);
  const std::vector<PipelinePlan>& pipelines = assignment.plan->pipelines;
  std::vector<uint64_t> records_in(pipelines.size());
  for (const std::unique_ptr<Worker>& worker : workers) {
    worker->Call([&] {
      worker->Flush();
      for (size_t i = 0; i < pipelines.size(); ++i) records_in[i] += worker->tally(i).records_in;
    });
  }
  for (size_t i = 0; i < pipelines.size(); ++i) {
    const auto state = assignment.mergers[i]->Save();
    if (state.ok())
      (void)WriteBins(pipelines[i].name, *state, assignment.mergers[i]->run(), records_in[i], /*is_end=*/false);
  }
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
  if (known == progress_.end()) return;
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
      Progress since;
      if (const auto text = folder_->Read(ProgressName(pipeline)); text.ok()) {
        long long told = 0, through = 0;
        unsigned long long records = 0;
        if (std::sscanf(text->c_str(), "%lld %lld %llu", &told, &through, &records) == 3 && told == generation) {
          since.written_through = through;
          since.records_in = records;
        }
      }
      const auto restored = merger->Restore(base::AsText(reader.Bytes(reader.remaining())), since.written_through);
      status = restored.status();
      if (status.ok()) {
        std::string line = absl::StrCat(
            "pipeline ", pipeline, ": ", restored->groups, " groups of open bins restored, as they were at ",
            absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixNanos(generation), absl::UTCTimeZone()));
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
    std::string line = RestoreBins(assignment.plan->pipelines[i].name, assignment.mergers[i].get());
    if (!line.empty()) lines.push_back(std::move(line));
  }
  Save(workers, assignment);
  return lines;
}

}  // namespace flowacct::collector
