// What a long run shows and hears: a progress line on standard error if that is a terminal, and Ctrl-C.

#ifndef TOOLS_FLOWACCT_TERMINAL_H_
#define TOOLS_FLOWACCT_TERMINAL_H_

#include <chrono>

#include "flowacct/collector/capture/capture_reader.h"

namespace flowacct::tools {

class Terminal {
 public:
  // From now on the first SIGINT or SIGTERM is only remembered; the second ends the program as ever.
  explicit Terminal(bool quiet);

  bool Interrupted() const;
  // At most ten times a second; nothing if quiet, or if standard error is no terminal.
  void ShowProgress(const collector::CaptureReader& reader);
  // Erases the line.
  void EndProgress();

 private:
  bool show_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_TERMINAL_H_
