// A row of a batch as one message: goflow2's FlowMessage extended (flow_message.proto), JSON, CSV or Avro.
//
// Ownership: an encoder borrows the schema and the interner through the batch for the call. Threads: one call at a
// time. Errors: none but at making. Cost: some tens of nanoseconds a field.

#ifndef FLOWACCT_MESSAGE_RECORD_ENCODER_H_
#define FLOWACCT_MESSAGE_RECORD_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"

namespace flowacct::message {

enum class RecordFormat : uint8_t { kProtobuf, kJson, kCsv, kAvro };

class RecordEncoder {
 public:
  virtual ~RecordEncoder() = default;
  // Appends one message, without delimiter or length. Absent keys are left out (CSV: empty; Avro: null): absent is not
  // zero.
  virtual void Append(const aggregate::AggregateBatch& batch, size_t row, std::string* out) = 0;
  // What comes before the first: the header line of CSV, else nothing.
  virtual std::string Header() const = 0;
  // The schema that a reader needs, as its users exchange it: of Avro JSON, of Protocol Buffers the .proto's text.
  virtual std::string SchemaText() const = 0;
  // "application/x-protobuf", "application/json", "text/csv", "avro/binary".
  virtual absl::string_view content_type() const = 0;
};

// `schema` outlives it, and is that of all its batches.
std::unique_ptr<RecordEncoder> NewRecordEncoder(RecordFormat format, const aggregate::Schema* schema);

// Text with values of a row in it: "traffic.{src_as}.{dst_as}", for topics, keys, routing keys and file names. "{{" is
// a brace; an absent value is empty; {bin_start} is the bin's begin in seconds, {collector} and {pipeline} are of the
// batch's identity.
class RowText {
 public:
  // InvalidArgument for a field that the schema lacks, with those it has.
  static absl::StatusOr<RowText> Parse(absl::string_view text, const aggregate::Schema& schema);
  RowText(RowText&&);
  RowText& operator=(RowText&&);
  ~RowText();

  bool is_constant() const;  // the same for all rows of a batch
  void Append(const aggregate::AggregateBatch& batch, size_t row, std::string* out) const;

 private:
  struct Parts;
  explicit RowText(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_RECORD_ENCODER_H_
