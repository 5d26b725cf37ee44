// Tells one writer when no reader can still see what it has unlinked: quiescent-state-based reclamation.
//
//     reader:  auto reader = epochs.NewReader();      writer:  unlink x; remember (x, epochs.now());
//              reader->Online();                               const uint64_t safe = epochs.Advance();
//              for each batch:                                 free all that were remembered before `safe`
//                ... look up ...
//                reader->Quiescent();
//              reader->Offline();
//
// After M. Desnoyers et al., "User-Level Implementations of Read-Copy Update", 2012. Guarantees: what a reader found
// between two of its calls stays valid until the second one. A reader that stays online without Quiescent() keeps all
// garbage from then on, so one that waits for work goes offline first.
//
// Ownership: readers do not outlive it. Threads: Advance and now are the writer's; NewReader is any thread's; a Reader
// is one thread's. Nobody waits. Errors: NewReader gives nothing beyond kMaxReaders. Cost: Quiescent is a load and a
// store; Online an exchange; Advance looks at a cache line for each reader there ever was at once.

#ifndef FLOWACCT_LPM_READER_EPOCHS_H_
#define FLOWACCT_LPM_READER_EPOCHS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace flowacct::lpm {

class ReaderEpochs {
 public:
  // Four times the threads of a large machine.
  static constexpr size_t kMaxReaders = 1024;

  class Reader {
   public:
    Reader(Reader&& other) noexcept
        : epochs_(std::exchange(other.epochs_, nullptr)), slot_(std::exchange(other.slot_, nullptr)) {}
    Reader& operator=(Reader&&) = delete;
    ~Reader();

    // Before the first look-up, and after Offline. Whatever the writer unlinks from now on stays.
    void Online();
    // Holds nothing that was found before.
    void Quiescent() { slot_->store(epochs_->epoch_.load(std::memory_order_acquire), std::memory_order_release); }
    // Holds nothing, and looks nothing up until Online.
    void Offline() { slot_->store(kOffline, std::memory_order_release); }

   private:
    friend class ReaderEpochs;
    Reader(ReaderEpochs* epochs, std::atomic<uint64_t>* slot) : epochs_(epochs), slot_(slot) {}

    ReaderEpochs* epochs_;
    std::atomic<uint64_t>* slot_;
  };

  ReaderEpochs() = default;
  ReaderEpochs(const ReaderEpochs&) = delete;
  ReaderEpochs& operator=(const ReaderEpochs&) = delete;

  // Offline at first.
  std::optional<Reader> NewReader();

  // What the writer unlinks now belongs to this epoch.
  uint64_t now() const { return now_; }
  // Begins the next epoch. Whatever was unlinked in epochs below the result is seen by nobody.
  uint64_t Advance();

 private:
  static constexpr uint64_t kUnused = ~uint64_t{0};
  static constexpr uint64_t kOffline = kUnused - 1;

  struct alignas(64) Slot {
    std::atomic<uint64_t> seen{kUnused};  // the epoch in which its reader was quiescent last
  };

  uint64_t now_ = 1;  // the writer's copy of epoch_
  alignas(64) std::atomic<uint64_t> epoch_{1};
  std::atomic<size_t> used_{0};  // slots from here on were never used
  std::array<Slot, kMaxReaders> slots_;
};

}  // namespace flowacct::lpm

#endif  // FLOWACCT_LPM_READER_EPOCHS_H_
