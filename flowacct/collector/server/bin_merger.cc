#include "flowacct/collector/server/bin_merger.h"

#include <algorithm>
#include <utility>

#include "flowacct/base/interner.h"
#include "flowacct/base/mutex.h"

namespace flowacct::collector {

using aggregate::AggregateBatch;
using aggregate::Aggregator;

BinMerger::BinMerger(BinMergerOptions options, std::vector<std::unique_ptr<SinkQueue>> sinks)
    : options_(std::move(options)),
      prototype_(*aggregate::Aggregator::New(options_.aggregator, std::make_shared<base::Interner>())),
      sinks_(std::move(sinks)),
      passed_(options_.workers, absl::InfinitePast()),
      kept_bins_(options_.kept_bins) {
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

void BinMerger::Ask(const std::function<void(Bins&, Aggregator*)>& ask) {
  base::Notification done;
  {
    base::MutexLock lock(&mutex_);
    if (closing_) return;
    Delivery delivery;
    delivery.ask = [this, &ask, &done] {
      ask(kept_, MergeAll());
      done.Notify();
    };
    deliveries_.push_back(std::move(delivery));
  }
  done.Wait();
}

void BinMerger::Run() {
  for (;;) {
    std::deque<Delivery> deliveries;
    bool closing = false;
    {
      base::MutexLock lock(&mutex_);
      mutex_.Await([this] { return HasWork(); });
      deliveries.swap(deliveries_);
      closing = closing_;
    }
    for (Delivery& delivery : deliveries) Take(std::move(delivery));
    CloseBefore(*std::min_element(passed_.begin(), passed_.end()));
    if (closing) break;
  }
  if (Aggregator* rest = MergeAll(); rest != nullptr) HandOn(rest->Close());
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

void BinMerger::CloseBefore(absl::Time passed) {
  if (passed == absl::InfinitePast()) return;
  const int64_t limit = absl::ToUnixNanos(passed - options_.aggregator.lateness);
  const auto is_due = [limit](const std::unique_ptr<Aggregator>& partial) {
    const auto end = partial->first_bin_end();
    return end.has_value() && *end <= limit;
  };
  // Parts that came for bins that stay open are left as they are.
  if (std::none_of(partials_.begin(), partials_.end(), is_due)) return;
  Aggregator* whole = MergeAll();
  HandOn(whole->CloseBefore(passed));
  if (!whole->first_bin_end().has_value()) partials_.clear();
}

void BinMerger::HandOn(std::vector<AggregateBatch> batches) {
  for (AggregateBatch& made : batches) {
    if (made.size() == 0 && !made.has_overflow()) continue;
    const bool correction = made.bin().start_nanos < closed_through_nanos_;
    made.set_correction(correction);
    closed_through_nanos_ = std::max(closed_through_nanos_, made.bin().end_nanos);
    auto batch = std::make_shared<const AggregateBatch>(std::move(made));
    {
      base::MutexLock lock(&mutex_);
      ++(correction ? counters_.corrections : counters_.bins_closed);
    }
    {
      base::MutexLock lock(&sinks_mutex_);
      for (const std::unique_ptr<SinkQueue>& sink : sinks_) sink->Push(batch);
    }
    if (kept_bins_ == 0) continue;
    kept_.push_back(std::move(batch));
    while (kept_.size() > kept_bins_) kept_.pop_front();
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

bool BinMerger::Close(absl::Duration patience) {
  if (!thread_.joinable()) return true;
  {
    base::MutexLock lock(&mutex_);
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
