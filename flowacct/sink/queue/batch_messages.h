// A batch as messages of a queue: where each goes, its key, and one or several records in it.
//
// Standards: the Protocol Buffers' encoding with lengths (a varint before each record), RFC 4180 and JSON by lines.
// Guarantee: the same batch with the same options gives the same messages in the same order, each row in one of them.
// Threads: any. Errors: FailedPrecondition for a text that asks for a field that the batch lacks; InvalidArgument for a
// record that is larger than a message may be; what `tell` answers. Cost: an encoding a row; if several records share a
// message whose address or key differs by row, a look-up in a hash table too, and max_open_octets of memory.

#ifndef FLOWACCT_SINK_QUEUE_BATCH_MESSAGES_H_
#define FLOWACCT_SINK_QUEUE_BATCH_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/message/record_encoder.h"

namespace flowacct::sink::queue {

struct MessageOptions {
  // Texts with values in them (message::RowText). The address is a topic or a routing key, as errors call it.
  std::string address = "{pipeline}";
  absl::string_view address_name = "topic";
  std::string key;  // empty: none
  message::RecordFormat format = message::RecordFormat::kProtobuf;
  // More than 1: fewer and larger messages, which is faster at both ends. JSON and CSV then end with a newline each;
  // Protocol Buffers and Avro have lengths before them.
  size_t records_per_message = 1;
  // Of Protocol Buffers alone: a length before the record though it is the only one, as goflow2 2.x writes and
  // ClickHouse's format Protobuf reads. False: the bare record, as goflow2 1.x and ClickHouse's ProtobufSingle have it.
  bool length_delimited = true;
  // Of key, record and headers. What is there already grows no message beyond it.
  size_t max_message_octets = 1000000;
  // Of messages that wait for more records: beyond it all are sent as they are.
  size_t max_open_octets = size_t{16} << 20;
};

struct Message {
  absl::string_view address;
  absl::string_view key;
  absl::string_view octets;
  absl::string_view content_type;
  absl::string_view part;  // batch_part.h; empty: the batch has no identity
  uint64_t rows = 0;
};

// `name` begins its errors: "kafka". `schema` may be null: then the texts are not checked.
absl::Status CheckMessageOptions(absl::string_view name, const MessageOptions& options,
                                 const aggregate::Schema* schema);

// Tells each message; what it borrows is valid for the call. Ends at the first error, which it answers.
absl::Status ForEachMessage(absl::string_view name, const MessageOptions& options,
                            const aggregate::AggregateBatch& batch,
                            absl::FunctionRef<absl::Status(const Message&)> tell);

}  // namespace flowacct::sink::queue

#endif  // FLOWACCT_SINK_QUEUE_BATCH_MESSAGES_H_
