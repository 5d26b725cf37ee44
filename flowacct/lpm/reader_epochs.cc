#include "flowacct/lpm/reader_epochs.h"

#include <algorithm>

namespace flowacct::lpm {

// Why these orders suffice. (1) A reader that is online: it publishes epoch e in its slot after it loaded e, with
// acquire, from what the writer stored after it unlinked everything of the epochs below e, so later look-ups miss
// those; earlier look-ups come before its release store, which the writer's load in Advance sees. (2) A reader that
// comes online: its slot's store, its load of the epoch, and the writer's store of the epoch and load of the slot are
// all seq_cst. Either the writer's load sees the slot, and keeps what the reader may find; or it comes before the
// slot's store, so the writer's store of the epoch comes before the reader's load of it, which therefore acquires all
// that was unlinked. Fences would do, too, but ThreadSanitizer does not know them.

ReaderEpochs::Reader::~Reader() {
  if (slot_ != nullptr) slot_->store(kUnused, std::memory_order_release);
}

void ReaderEpochs::Reader::Online() {
  slot_->store(epochs_->epoch_.load(std::memory_order_seq_cst), std::memory_order_seq_cst);
  slot_->store(epochs_->epoch_.load(std::memory_order_seq_cst), std::memory_order_release);
}

std::optional<ReaderEpochs::Reader> ReaderEpochs::NewReader() {
  for (size_t i = 0; i < kMaxReaders; ++i) {
    uint64_t unused = kUnused;
    if (!slots_[i].seen.compare_exchange_strong(unused, kOffline, std::memory_order_acq_rel)) continue;
    size_t used = used_.load(std::memory_order_seq_cst);
    while (used < i + 1 && !used_.compare_exchange_weak(used, i + 1, std::memory_order_seq_cst)) {
    }
    return Reader(this, &slots_[i].seen);
  }
  return std::nullopt;
}

uint64_t ReaderEpochs::Advance() {
  epoch_.store(++now_, std::memory_order_seq_cst);
  uint64_t safe = now_;
  const size_t used = used_.load(std::memory_order_seq_cst);
  for (size_t i = 0; i < used; ++i) safe = std::min(safe, slots_[i].seen.load(std::memory_order_seq_cst));
  return safe;
}

}  // namespace flowacct::lpm
