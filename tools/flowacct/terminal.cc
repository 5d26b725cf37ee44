#include "tools/flowacct/terminal.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace flowacct::tools {
namespace {

volatile sig_atomic_t g_interrupted = 0;

void Remember(int) { g_interrupted = 1; }

}  // namespace

Terminal::Terminal(bool quiet)
    : show_(!quiet && isatty(STDERR_FILENO)),
      started_(std::chrono::steady_clock::now()),
      next_(started_ + std::chrono::milliseconds(300)) {
  struct sigaction action;
  std::memset(&action, 0, sizeof(action));
  action.sa_handler = Remember;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Terminal::Interrupted() const { return g_interrupted != 0; }

void Terminal::ShowProgress(const collector::CaptureReader& reader) {
  if (!show_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  shown_ = true;
  const collector::CaptureProgress progress = reader.progress();
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = static_cast<double>(progress.packets) / seconds;
  if (progress.octets_total > 0) {
    const double share = static_cast<double>(progress.octets_read) / static_cast<double>(progress.octets_total);
    std::fprintf(stderr, "\r\033[K%s: %3.0f %%, %.1f million packets, %.0f s left", reader.name().c_str(), 100 * share,
                 static_cast<double>(progress.packets) / 1e6, share > 0 ? seconds / share - seconds : 0.0);
  } else {
    std::fprintf(stderr, "\r\033[K%s: %.1f million packets, %.0f a second", reader.name().c_str(),
                 static_cast<double>(progress.packets) / 1e6, rate);
  }
  std::fflush(stderr);
}

void Terminal::EndProgress() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace flowacct::tools
