#include "flowacct/collector/interrupt.h"

#include <atomic>

namespace flowacct::collector {
namespace {

// The one global of this room: a signal handler is given nothing else.
volatile std::sig_atomic_t received = 0;
std::atomic<bool> in_scope{false};

void OnSignal(int number) {
  received = number;
  // Whichever comes next has its usual effect.
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

InterruptScope::InterruptScope() : outermost_(!in_scope.exchange(true)) {
  if (!outermost_) return;
  received = 0;
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // no SA_RESTART
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
}

InterruptScope::~InterruptScope() {
  if (!outermost_) return;
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
  in_scope = false;
}

int InterruptScope::signal_number() const { return received; }

}  // namespace flowacct::collector
