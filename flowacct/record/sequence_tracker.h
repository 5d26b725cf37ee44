// Follows one sequence of export numbers: what is lost, what came late, what began anew.
//
// Standards: RFC 3954 5.1 (v9 counts datagrams), RFC 7011 3.1 (IPFIX counts data records before the message), NetFlow
// v5 (counts flows before the datagram), sFlow (datagrams of an agent, samples of a source). 32 bits that wrap. The
// loss is an estimate: a gap counts as lost until something from it arrives late; a jump that is too large to be a
// loss, or too far back to be late, is a restart. A value; what it finds is counted where the caller says, so that many
// sequences may share one set of counters. Threads: one at a time. Cost: a few compares a message; 12 octets.

#ifndef FLOWACCT_RECORD_SEQUENCE_TRACKER_H_
#define FLOWACCT_RECORD_SEQUENCE_TRACKER_H_

#include <cstdint>

#include "flowacct/record/exporter_counters.h"

namespace flowacct::record {

struct SequenceLimits {
  // A jump ahead up to this (in the unit of the numbers) is a loss, beyond it a restart.
  uint32_t max_gap = 1000000;
  // A number that lies back by up to this is reordering, further back a restart.
  uint32_t max_reorder = 3000;
};

class SequenceTracker {
 public:
  // kResumed: the first message after Resume came later than expected.
  enum class Verdict : uint8_t { kFirst, kInOrder, kGap, kReordered, kRestart, kResumed };

  // A message with number `sequence` came.
  Verdict Observe(uint32_t sequence, const SequenceLimits& limits, SequenceCounters* counters);
  // It held `units` of what the numbers count.
  void Advance(uint32_t units, SequenceCounters* counters);
  // Both, for numbers that count the messages.
  Verdict Follow(uint32_t sequence, const SequenceLimits& limits, SequenceCounters* counters) {
    const Verdict verdict = Observe(sequence, limits, counters);
    Advance(1, counters);
    return verdict;
  }
  // How much it held is not known (data without a template): the next message is believed, without a verdict.
  void Lose() { known_ = false; }
  // The device began anew.
  void Restart(SequenceCounters* counters) {
    ++counters->restarts;
    known_ = false;
  }

  // The number that the next message should have; meaningful if known.
  uint32_t expected() const { return expected_; }
  bool known() const { return known_; }
  // Goes on where another tracker was when the collector stopped: what is missing before the next message was lost over
  // the restart, however much it is.
  void Resume(uint32_t expected) {
    *this = SequenceTracker();
    expected_ = expected;
    known_ = resumed_ = true;
  }

 private:
  uint32_t expected_ = 0;
  uint32_t missing_ = 0;  // of the lost, those that may still come late
  bool known_ = false;
  bool late_ = false;     // the last message was reordered, so that it does not move the expectation
  bool resumed_ = false;  // no message came since Resume
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_SEQUENCE_TRACKER_H_
