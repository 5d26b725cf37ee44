// The encoder of each format; record_encoder.h is what others use.

#ifndef FLOWACCT_MESSAGE_ENCODERS_H_
#define FLOWACCT_MESSAGE_ENCODERS_H_

#include <memory>

#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/message/record_encoder.h"

namespace flowacct::message {

std::unique_ptr<RecordEncoder> NewProtobufEncoder(const aggregate::Schema& schema);
std::unique_ptr<RecordEncoder> NewJsonEncoder(const aggregate::Schema& schema);
std::unique_ptr<RecordEncoder> NewCsvEncoder(const aggregate::Schema& schema);
std::unique_ptr<RecordEncoder> NewAvroEncoder(const aggregate::Schema& schema);

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_ENCODERS_H_
