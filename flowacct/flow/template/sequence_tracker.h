// Follows the sequence numbers of one exporter's domain: what is lost, what came late, what began anew.
//
// Standards: RFC 3954 5.1 (v9 counts datagrams), RFC 7011 3.1 (IPFIX counts data records before the message), NetFlow
// v5 (counts flows before the datagram). 32 bits that wrap. The loss is an estimate: a gap counts as lost until
// something from it arrives late; a jump that is too large to be a loss, or too far back to be late, is a restart. A
// value; one thread; no allocation; some 70 octets.

#ifndef FLOWACCT_FLOW_TEMPLATE_SEQUENCE_TRACKER_H_
#define FLOWACCT_FLOW_TEMPLATE_SEQUENCE_TRACKER_H_

#include <cstdint>

#include "flowacct/record/exporter_report.h"

namespace flowacct::flow {

struct SequenceLimits {
  uint32_t max_gap = 1000000;
  uint32_t max_reorder = 3000;
};

class SequenceTracker {
 public:
  enum class Verdict : uint8_t { kFirst, kInOrder, kGap, kReordered, kRestart };

  explicit SequenceTracker(SequenceLimits limits = {}) : limits_(limits) {}

  // A message with number `sequence` came.
  Verdict Observe(uint32_t sequence);
  // It held `units` of what the numbers count.
  void Advance(uint32_t units);
  // How much it held is not known (data without a template): the next message is believed, without a verdict.
  void Lose() { known_ = false; }
  // The device began anew.
  void Restart() {
    ++restarts_;
    known_ = false;
  }

  // The number that the next message should have.
  uint32_t expected() const { return expected_; }
  record::SequenceReport Report(const char* unit) const;

 private:
  SequenceLimits limits_;
  bool known_ = false;
  bool late_ = false;  // the last message was reordered, so that it does not move the expectation
  uint32_t expected_ = 0;
  uint64_t gaps_ = 0;
  uint64_t lost_ = 0;
  uint64_t reordered_ = 0;
  uint64_t restarts_ = 0;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_SEQUENCE_TRACKER_H_
