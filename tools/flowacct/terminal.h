// What a long run shows and hears: a progress line on standard error, and Ctrl-C.

#ifndef TOOLS_FLOWACCT_TERMINAL_H_
#define TOOLS_FLOWACCT_TERMINAL_H_

#include <optional>

#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/interrupt.h"
#include "flowacct/collector/progress.h"

namespace flowacct::tools {

class Terminal {
 public:
  explicit Terminal(bool quiet) {
    if (!quiet) progress_.emplace();
  }

  bool Interrupted() const { return interrupt_.requested(); }
  void ShowProgress(const collector::CaptureReader& reader) {
    if (!progress_) return;
    const collector::CaptureProgress progress = reader.progress();
    progress_->Update({progress.octets_read, progress.octets_total, progress.packets});
  }
  void ShowProgress(const collector::ProgressState& state) {
    if (progress_) progress_->Update(state);
  }
  // Before something else is printed.
  void HideProgress() {
    if (progress_) progress_->Erase();
  }
  void EndProgress() { progress_.reset(); }

 private:
  collector::InterruptScope interrupt_;
  std::optional<collector::ProgressLine> progress_;
};

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_TERMINAL_H_
