#include "flowacct/collector/server/bin_merger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"

namespace flowacct::collector {

using aggregate::AggregateBatch;
using aggregate::Aggregator;

BinMerger::BinMerger(BinMergerOptions options, std::vector<std::unique_ptr<SinkQueue>> sinks)
    : options_(std::move(options)),
      prototype_(*aggregate::Aggregator::New(options_.aggregator, std::make_shared<base::Interner>())),
      sinks_(std::move(sinks)),
      passed_(options_.workers, absl::InfinitePast()),
      kept_bins_(options_.kept_bins),
      began_(absl::Now()),
      run_(options_.redundant ? 0 : static_cast<uint64_t>(absl::ToUnixNanos(began_))) {
  thread_ = std::thread(&BinMerger::Run, this);
}

BinMerger::~BinMerger() {
  if (thread_.joinable()) Close(absl::ZeroDuration());
}

void BinMerger::Deliver(size_t worker, std::unique_ptr<Aggregator> partial, absl::Time passed) {
  base::MutexLock lock(&mutex_);
  if (partial != nullptr) ++counters_.partials;
  deliveries_.push_back({worker, std::move(partial), passed, nullptr});
}

bool BinMerger::OnThread(std::function<void()> call) {
  base::Notification done;
  {
    base::MutexLock lock(&mutex_);
    if (closing_) return false;
    Delivery delivery;
    delivery.ask = [&call, &done] {
      call();
      done.Notify();
    };
    deliveries_.push_back(std::move(delivery));
  }
  done.Wait();
  return true;
}

void BinMerger::Ask(const std::function<void(Bins&, Aggregator*)>& ask) {
  (void)OnThread([this, &ask] { ask(kept_, MergeAll()); });
}

// Where the bins that were closed end, 8 octets, and what is open, if anything is.
absl::StatusOr<std::string> BinMerger::StateOctets() {
  base::OctetWriter closed_through;
  closed_through.U64(static_cast<uint64_t>(closed_through_nanos_));
  std::string state(base::AsText(closed_through.octets()));
  if (const Aggregator* open = MergeAll(); open != nullptr) {
    const absl::Status status = open->SaveState([&state](base::Octets piece) {
      absl::StrAppend(&state, base::AsText(piece));
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
  }
  return state;
}

absl::StatusOr<std::string> BinMerger::Save() {
  absl::StatusOr<std::string> state = absl::FailedPreconditionError("the collector is stopping");
  (void)OnThread([this, &state] {
    if (*unwritten_ > 0) {
      state = absl::FailedPreconditionError(absl::StrCat(unwritten_->load(), " closed bins are not written yet"));
    } else {
      state = StateOctets();
    }
  });
  return state;
}

absl::StatusOr<Aggregator::Restored> BinMerger::Restore(absl::string_view state, int64_t written_through) {
  base::OctetReader reader(base::AsOctets(state));
  const auto closed_through = static_cast<int64_t>(reader.U64());
  if (!reader.ok()) return absl::DataLossError("what was kept of open bins is cut");
  auto partial = Aggregator::New(options_.aggregator, std::make_shared<base::Interner>());
  if (!partial.ok()) return partial.status();
  Aggregator::Restored restored;
  if (reader.remaining() > 0) {
    auto open = (*partial)->RestoreState(reader.Bytes(reader.remaining()));
    if (!open.ok()) return open.status();
    restored = *open;
    if (written_through > INT64_MIN) {
      // At this time those that end by then are due.
      const auto written = (*partial)->TakeClosed(absl::FromUnixNanos(written_through) + options_.aggregator.lateness);
      if (written != nullptr) restored.groups -= written->open_groups();
    }
  }
  (void)OnThread([&] {
    closed_through_nanos_ = std::max({closed_through_nanos_, closed_through, written_through});
    if ((*partial)->first_bin_end().has_value()) partials_.push_back(*std::move(partial));
  });
  return restored;
}

std::shared_ptr<BinMerger::Checkpoint> BinMerger::StartCheckpoint() {
  auto checkpoint = std::make_shared<Checkpoint>();
  Delivery delivery;
  delivery.ask = [this, checkpoint] {
    const absl::Time passed = *std::min_element(passed_.begin(), passed_.end());
    if (passed > absl::InfinitePast()) checkpoint->due_nanos = absl::ToUnixNanos(passed - options_.aggregator.lateness);
    last_correction_ = std::max(last_correction_, static_cast<uint64_t>(absl::GetCurrentTimeNanos()));
    checkpoint->last_correction = last_correction_;
    checkpoint->state = StateOctets();
    if (Aggregator* const whole = MergeAll(); whole != nullptr) {
      HandOn(whole->CloseBefore(passed));
      if (!whole->first_bin_end().has_value()) partials_.clear();
    }
    due_ = false;
    checkpoint->done.Notify();
  };
  base::MutexLock lock(&mutex_);
  if (closing_) {
    checkpoint->done.Notify();
  } else {
    deliveries_.push_back(std::move(delivery));
  }
  return checkpoint;
}

void BinMerger::Release() {
  (void)OnThread([this] { ReleaseClosed(); });
}

void BinMerger::ReleaseClosed() {
  while (!closed_.empty()) {
    GiveToSinks(std::move(closed_.front()));
    closed_.pop_front();
  }
}

absl::StatusOr<Aggregator::Restored> BinMerger::RestoreCheckpoint(absl::string_view state, int64_t due_nanos,
                                                                  uint64_t last_correction, int64_t written_through) {
  const auto restored = Restore(state, INT64_MIN);
  if (!restored.ok()) return restored;
  (void)OnThread([&] {
    last_correction_ = last_correction;
    if (Aggregator* const whole = MergeAll(); whole != nullptr && due_nanos > INT64_MIN) {
      HandOn(whole->CloseBefore(absl::FromUnixNanos(due_nanos) + options_.aggregator.lateness), written_through);
      if (!whole->first_bin_end().has_value()) partials_.clear();
    }
    ReleaseClosed();
  });
  return restored;
}

void BinMerger::Run() {
  for (;;) {
    std::deque<Delivery> deliveries;
    bool closing = false;
    {
      base::MutexLock lock(&mutex_);
      mutex_.Await([this] {
        mutex_.AssertHeld();
        return HasWork();
      });
      deliveries.swap(deliveries_);
      closing = closing_;
    }
    for (Delivery& delivery : deliveries) Take(std::move(delivery));
    const absl::Time passed = *std::min_element(passed_.begin(), passed_.end());
    CloseBefore(passed);
    ReleaseParts(passed);
    if (closing) break;
  }
  ReleaseParts(absl::InfiniteFuture());
  if (keep_) {
    if (const auto state = StateOctets(); state.ok() && keep_(*state)) return;
  }
  if (Aggregator* rest = MergeAll(); rest != nullptr) HandOn(rest->Close());
  ReleaseClosed();
}

void BinMerger::Take(Delivery delivery) {
  if (delivery.ask) {
    CloseBefore(*std::min_element(passed_.begin(), passed_.end()));
    return delivery.ask();
  }
  passed_[delivery.worker] = std::max(passed_[delivery.worker], delivery.passed);
  if (delivery.partial != nullptr) partials_.push_back(std::move(delivery.partial));
}

Aggregator* BinMerger::MergeAll() {
  if (partials_.empty()) return nullptr;
  if (partials_.size() == 1) return partials_.front().get();
  // Into one with an interner of its own: those of the partials are still written to by their workers. It lives as
  // long as the batches that come of it, so that names of the past cost nothing.
  auto whole = Aggregator::New(options_.aggregator, std::make_shared<base::Interner>());
  if (!whole.ok()) return partials_.front().get();  // cannot be: the partials were made of the same options
  for (std::unique_ptr<Aggregator>& partial : partials_) (void)(*whole)->Merge(std::move(*partial));
  partials_.clear();
  partials_.push_back(*std::move(whole));
  return partials_.front().get();
}

bool BinMerger::IsDue(absl::Time passed) const {
  if (passed == absl::InfinitePast()) return false;
  const int64_t limit = absl::ToUnixNanos(passed - options_.aggregator.lateness);
  return std::any_of(partials_.begin(), partials_.end(), [limit](const std::unique_ptr<Aggregator>& partial) {
    const auto end = partial->first_bin_end();
    return end.has_value() && *end <= limit;
  });
}

void BinMerger::CloseBefore(absl::Time passed) {
  // Parts that came for bins that stay open are left as they are.
  if (!IsDue(passed)) return;
  if (options_.closes_at_checkpoints) {
    due_ = true;
    return;
  }
  Aggregator* whole = MergeAll();
  HandOn(whole->CloseBefore(passed));
  if (!whole->first_bin_end().has_value()) partials_.clear();
}

// Of a bin that is closed when it begins, so that it is the same whoever closes it; of a correction the time, with a
// bit that no bin's begin has.
uint64_t BinMerger::NumberOf(const AggregateBatch& batch) {
  if (!batch.correction()) return std::max<uint64_t>(static_cast<uint64_t>(batch.bin().start_nanos), 1);
  ++last_correction_;
  // A checkpoint that is closed again gives the same numbers.
  if (!options_.closes_at_checkpoints) {
    last_correction_ = std::max(last_correction_, static_cast<uint64_t>(absl::GetCurrentTimeNanos()));
  }
  return last_correction_ | uint64_t{1} << 63;
}

void BinMerger::HandOn(std::vector<AggregateBatch> batches, int64_t written_through) {
  for (AggregateBatch& made : batches) {
    if (made.size() == 0 && !made.has_overflow()) continue;
    const bool correction = made.bin().start_nanos < closed_through_nanos_;
    made.set_correction(correction);
    made.set_identity({options_.collector, options_.name, run_, NumberOf(made)});
    closed_through_nanos_ = std::max(closed_through_nanos_, made.bin().end_nanos);
    const int64_t start_nanos = made.bin().start_nanos, end_nanos = made.bin().end_nanos;
    if (end_nanos <= written_through) continue;
    const bool part = options_.redundant && absl::FromUnixNanos(start_nanos) < began_ &&
                      absl::FromUnixNanos(end_nanos) + options_.aggregator.lateness > began_;
    if (part) made.set_incomplete(true);
    auto batch = std::make_shared<const AggregateBatch>(std::move(made));
    // Sinks hold the batch by this, so that it is gone when the last of them is done.
    ++*unwritten_;
    std::shared_ptr<const AggregateBatch> held(
        batch.get(), [batch, end_nanos, unwritten = unwritten_, on_written = options_.on_written](const void*) {
          if (on_written) on_written(end_nanos);
          --*unwritten;
        });
    {
      base::MutexLock lock(&mutex_);
      ++(correction ? counters_.corrections : counters_.bins_closed);
    }
    if (part) {
      parts_.push_back(std::move(held));
    } else if (options_.closes_at_checkpoints) {
      closed_.push_back(std::move(held));
    } else {
      GiveToSinks(std::move(held));
    }
    if (kept_bins_ == 0) continue;
    kept_.push_back(std::move(batch));
    while (kept_.size() > kept_bins_) kept_.pop_front();
  }
}

void BinMerger::GiveToSinks(std::shared_ptr<const AggregateBatch> batch) {
  base::MutexLock lock(&sinks_mutex_);
  for (const std::unique_ptr<SinkQueue>& sink : sinks_) sink->Push(batch);
}

void BinMerger::ReleaseParts(absl::Time passed) {
  while (!parts_.empty()) {
    const absl::Time due = absl::FromUnixNanos(parts_.front()->bin().end_nanos) + options_.aggregator.lateness +
                           std::max(options_.aggregator.every, absl::Seconds(1));
    if (passed < due) return;
    GiveToSinks(std::move(parts_.front()));
    parts_.pop_front();
  }
}

void BinMerger::ReplaceSinks(std::vector<std::unique_ptr<SinkQueue>> sinks, size_t kept_bins, absl::Duration patience) {
  {
    base::MutexLock lock(&sinks_mutex_);
    sinks_.swap(sinks);
  }
  for (const std::unique_ptr<SinkQueue>& old : sinks) old->Close(patience);
  Ask([this, kept_bins](Bins& kept, Aggregator*) {
    kept_bins_ = kept_bins;
    while (kept.size() > kept_bins) kept.pop_front();
  });
}

bool BinMerger::Close(absl::Duration patience, const Keep& keep) {
  if (!thread_.joinable()) return true;
  {
    base::MutexLock lock(&mutex_);
    keep_ = keep;
    closing_ = true;
  }
  thread_.join();
  bool all = true;
  const absl::Time deadline = absl::Now() + patience;
  base::MutexLock lock(&sinks_mutex_);
  for (const std::unique_ptr<SinkQueue>& sink : sinks_) {
    all &= sink->Close(std::max(deadline - absl::Now(), absl::ZeroDuration()));
  }
  return all;
}

BinMergerCounters BinMerger::counters() const {
  base::MutexLock lock(&mutex_);
  return counters_;
}

std::vector<SinkStatus> BinMerger::sink_status() const {
  base::MutexLock lock(&sinks_mutex_);
  std::vector<SinkStatus> statuses;
  for (const std::unique_ptr<SinkQueue>& sink : sinks_) statuses.push_back(sink->status());
  return statuses;
}

}  // namespace flowacct::collector
