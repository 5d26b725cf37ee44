// What the loops of plan_kernels.h have in common. Internal to them.

#ifndef FLOWACCT_FLOW_TEMPLATE_KERNEL_LOOP_H_
#define FLOWACCT_FLOW_TEMPLATE_KERNEL_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "flowacct/base/octets.h"
#include "flowacct/flow/template/decode_plan.h"

namespace flowacct::flow {

template <int kSize>
inline void StoreNumber(uint8_t* p, uint64_t v) {
  std::memcpy(p, &v, kSize);  // little endian: the low octets come first
}

inline void SetPresent(const PlanStep& step, uint8_t* row) { row[step.presence] |= step.presence_mask; }
inline bool IsPresent(const PlanStep& step, const uint8_t* row) {
  return (row[step.presence] & step.presence_mask) != 0;
}

// Calls `each(source octets, row)` for every record.
template <typename Each>
inline void ForEach(uint16_t source, const RecordRun& run, Each each) {
  const uint8_t* from = run.records + run.offsets[source];
  uint8_t* row = run.rows;
  for (size_t i = 0; i < run.count; ++i, from += run.stride, row += run.row_stride) each(from, row);
}

// The number that a field of a record holds; 0 if its length cannot be.
inline uint64_t NumberAt(const RecordRun& run, uint16_t field, size_t record) {
  const uint32_t length = run.lengths[field];
  if (length == 0 || length > 8) return 0;
  return base::LoadBe(run.records + record * run.stride + run.offsets[field], length);
}

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_KERNEL_LOOP_H_
