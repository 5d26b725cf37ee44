// A batch whose rows tell which batch and row they are: bytes = number * 1000 + row.

#ifndef FLOWACCT_SINK_QUEUE_TESTING_NUMBERED_BATCH_H_
#define FLOWACCT_SINK_QUEUE_TESTING_NUMBERED_BATCH_H_

#include <cstdint>

#include "flowacct/base/ip_address.h"
#include "flowacct/sink/print/batch_builder.h"

namespace flowacct::sink::queue {

class NumberedBatch {
 public:
  NumberedBatch(uint64_t number, int rows)
      : builder_({record::FieldId::kSrcAddr, record::FieldId::kDstPort},
                 {{record::FieldId::kBytes, aggregate::Function::kSum, ""}}),
        number_(number) {
    for (int i = 0; i < rows; ++i) {
      auto row = builder_.Add({number * 1000 + static_cast<uint64_t>(i)});
      row.Set<record::FieldId::kSrcAddr>(base::IpAddress::V4(0x0a000000 + static_cast<uint32_t>(i)));
      row.Set<record::FieldId::kDstPort>(static_cast<uint16_t>(i % 10));
    }
  }
  // Borrows this.
  aggregate::AggregateBatch batch() const {
    constexpr int64_t kNanos = 1000000000, kDay = 1699920000;
    aggregate::AggregateBatch batch = builder_.Build({kDay * kNanos, (kDay + 300) * kNanos});
    batch.set_identity({"edge", "flows", 7, number_});
    return batch;
  }

 private:
  print::BatchBuilder builder_;
  const uint64_t number_;
};

}  // namespace flowacct::sink::queue

#endif  // FLOWACCT_SINK_QUEUE_TESTING_NUMBERED_BATCH_H_
