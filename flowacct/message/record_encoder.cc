#include "flowacct/message/record_encoder.h"

#include "flowacct/message/encoders.h"

namespace flowacct::message {

std::unique_ptr<RecordEncoder> NewRecordEncoder(RecordFormat format, const aggregate::Schema* schema) {
  switch (format) {
    case RecordFormat::kProtobuf:
      return NewProtobufEncoder(*schema);
    case RecordFormat::kJson:
      return NewJsonEncoder(*schema);
    case RecordFormat::kCsv:
      return NewCsvEncoder(*schema);
    case RecordFormat::kAvro:
      return NewAvroEncoder(*schema);
  }
  return nullptr;
}

}  // namespace flowacct::message
