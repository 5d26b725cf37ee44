// Ctrl-C as a flag that a loop reads, so that a program ends cleanly with what it has.
//
//     InterruptScope interrupt;
//     while (!interrupt.requested() && ...) ...
//
// In its scope SIGINT and SIGTERM set the flag once; a second one has its usual effect, so that a person can always
// leave. Afterwards the signals are handled as before. A blocked read is interrupted, not resumed by the kernel, but
// FileSource reads on: on an idle pipe the second Ctrl-C is the one that ends the program.
// Guaranteed: one scope at a time; a nested one shares the flag and changes nothing. Signals are the process': create
// it in main(). Cost: a load a look.

#ifndef FLOWACCT_COLLECTOR_INTERRUPT_H_
#define FLOWACCT_COLLECTOR_INTERRUPT_H_

#include <csignal>

namespace flowacct::collector {

class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  bool requested() const { return signal_number() != 0; }
  // SIGINT or SIGTERM; 0: none came. A program ends with 128 plus this by the shell's custom.
  int signal_number() const;

 private:
  bool outermost_;
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_INTERRUPT_H_
