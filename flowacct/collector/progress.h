// A line on the terminal that says how far a long read has come, while it lasts.
//
//     38% of 1.2 GB, 4.1 M packets, 410 MB/s, 2 s left
//     38% of 10 k destinations, 2 s left
//
// Shown only if the file descriptor is a terminal, not before the first second has passed, redrawn ten times a second
// at most, and erased by Erase() and on destruction: what a program prints is never mixed with it.
// Threads: one at a time. Errors: none; what cannot be written is not shown.
// Cost: one comparison a call that shows nothing; a look at the clock each `kCallsPerLook` calls.

#ifndef FLOWACCT_COLLECTOR_PROGRESS_H_
#define FLOWACCT_COLLECTOR_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace flowacct::collector {

struct ProgressState {
  uint64_t octets = 0;        // read so far
  uint64_t octets_total = 0;  // 0: not known
  uint64_t packets = 0;
  absl::string_view what = "packets";  // what is counted there
  uint64_t packets_total = 0;          // not 0: nothing is read, and these tell how far it is
};

// The text alone; `elapsed` since the read began.
std::string ProgressText(const ProgressState& state, absl::Duration elapsed);
// "999 B", "1.2 kB", "34 MB": SI units, three digits at most.
std::string ShortOctets(uint64_t octets);

class ProgressLine {
 public:
  explicit ProgressLine(int file_descriptor = 2);
  ~ProgressLine() { Erase(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Once a batch.
  void Update(const ProgressState& state) {
    if (!active_ || ++calls_ % kCallsPerLook != 0) return;
    Look(state);
  }
  void Erase();

 private:
  static constexpr uint32_t kCallsPerLook = 8;

  void Look(const ProgressState& state);
  void Draw(absl::string_view text);

  const int file_descriptor_;
  const bool active_;
  bool shown_ = false;
  uint32_t calls_ = 0;
  absl::Time start_;
  absl::Time next_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_PROGRESS_H_
