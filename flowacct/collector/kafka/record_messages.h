// Takes the records of a message apart and decodes them: FlowMessage, ours or goflow2's.
//
// Standard: Protocol Buffers' delimited streams, or a bare message. Guaranteed: any octets are safe; the records before
// one that is wrong are there. Threads: one at a time. Errors: a DecodeResult, counted by its code; its offset is from
// the message's start. Cost: as message/record_decoder.h.

#ifndef FLOWACCT_COLLECTOR_KAFKA_RECORD_MESSAGES_H_
#define FLOWACCT_COLLECTOR_KAFKA_RECORD_MESSAGES_H_

#include <cstdint>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/message/record_decoder.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::collector {

struct RecordMessagesOptions {
  // A varint before each record, as sink/kafka and goflow2 2.x write; false: a message is one record.
  bool length_delimited = true;
  message::RecordDecoderOptions decoder;
};

struct RecordMessagesCounters {
  uint64_t records = 0;
  uint64_t unfit_values = 0;
  uint64_t wide_sums = 0;  // of which what is above 2^64 - 1 is missing
  uint64_t corrections = 0;
  uint64_t incomplete = 0;  // records of bins that were cut short
  base::DecodeCounters messages;
};

class RecordMessages {
 public:
  explicit RecordMessages(RecordMessagesOptions options = {}) : options_(options), decoder_(options.decoder) {}

  // Appends rows.
  base::DecodeResult Decode(base::Octets message, record::FlowBatch* rows);
  const RecordMessagesCounters& counters() const { return counters_; }

 private:
  base::DecodeResult DecodeAll(base::Octets message, record::FlowBatch* rows);
  base::DecodeResult DecodeOne(base::Octets record, record::FlowBatch* rows);

  const RecordMessagesOptions options_;
  message::RecordDecoder decoder_;
  RecordMessagesCounters counters_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_KAFKA_RECORD_MESSAGES_H_
