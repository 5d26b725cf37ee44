// What all domains together may keep of what exporters told in options data.
//
// A value that its takers share by pointer. Threads: one at a time.

#ifndef FLOWACCT_FLOW_TEMPLATE_MEMORY_BUDGET_H_
#define FLOWACCT_FLOW_TEMPLATE_MEMORY_BUDGET_H_

#include <cstddef>

namespace flowacct::flow {

class MemoryBudget {
 public:
  explicit MemoryBudget(size_t max_octets) : max_octets_(max_octets) {}

  // False: there is not so much left, and nothing is taken.
  bool Take(size_t octets) {
    if (octets > max_octets_ - taken_) return false;
    taken_ += octets;
    return true;
  }
  void Give(size_t octets) { taken_ -= octets; }
  size_t taken() const { return taken_; }

 private:
  const size_t max_octets_;
  size_t taken_ = 0;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_MEMORY_BUDGET_H_
