// Kafka as an input: export datagrams, or records of other collectors, read as a member of a consumer group, so that
// many collectors share the partitions of a topic.
//
//     auto source = KafkaSource::New(options);             // joins the group
//     const KafkaReading reading = (*source)->Poll();      // what is there, without waiting
//     const KafkaPosition position = (*source)->position();
//     ... account; close and spool bins, or keep them with the position in a checkpoint ...
//     (*source)->Commit(position);
//
// Standards: Kafka's consumer groups by librdkafka; messages as kafka_datagram.h and sink/queue/batch_part.h have them.
// Guarantees: nothing is committed that Commit was not given, so what was read and not accounted comes again after a
// crash: at least once. Who keeps position and accounted bins in one file and gives the position back (options.from)
// counts each message once. Only committed messages of transactions are read. A part of a batch that comes twice is
// counted, and not told (batch_parts.h).
// When the group gives partitions to another member, on_revoke is called first, by the next Poll, when the reading
// before it is accounted: whoever writes there what is open of them and commits it loses and doubles nothing; what was
// read and not committed the other member reads again. Limits: what librdkafka has fetched, what a Poll tells,
// datagrams' and messages' sizes; each with a counter. Ownership: a reading is valid until the next Poll. Threads: one
// at a time; librdkafka has its own. Errors: of options, InvalidArgument; later ones are in trouble() until something
// is read or committed again. Cost: no copy of octets; some 200 ns a message.

#ifndef FLOWACCT_COLLECTOR_KAFKA_KAFKA_SOURCE_H_
#define FLOWACCT_COLLECTOR_KAFKA_KAFKA_SOURCE_H_

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/kafka/batch_parts.h"
#include "flowacct/collector/kafka/kafka_position.h"
#include "flowacct/record/datagram.h"
#include "flowacct/sink/kafka/kafka_options.h"

namespace flowacct::collector {

class KafkaSource;

struct KafkaSourceOptions {
  sink::kafka::ConnectionOptions connection;
  std::vector<std::string> topics;  // "^" begins a pattern of names
  std::string group = "flowacct";
  // A name of this member that stays over restarts: one that is back within session_timeout has its partitions still.
  std::string member;
  absl::Duration session_timeout = absl::Seconds(45);
  enum class Payload : uint8_t { kDatagrams, kRecords };
  Payload payload = Payload::kDatagrams;
  // Where a partition begins for which the group has no offset: at its oldest message, or at what comes from now on.
  bool from_oldest = true;
  // As a checkpoint kept it: read on from there, or from what the group committed, if that is further.
  KafkaPosition from;
  size_t max_poll_messages = 1024;
  size_t max_fetched_octets = size_t{64} << 20;
  size_t max_datagram_octets = 65535;
  BatchPartsOptions parts;
  // See above; the position is of the partitions that go. May be empty.
  std::function<void(KafkaSource* source, const KafkaPosition& going)> on_revoke;
};

// Records as a message has them (RecordMessageReader takes them apart).
struct KafkaRecords {
  base::Octets octets;
  absl::string_view topic;
  int32_t partition = 0;
  int64_t offset = 0;
};

struct KafkaReading {
  absl::Span<const record::Datagram> datagrams;
  absl::Span<const KafkaRecords> records;
  bool empty() const { return datagrams.empty() && records.empty(); }
};

struct KafkaSourceCounters {
  uint64_t messages = 0;  // = told + repeated + without_exporter + too_large + empty
  uint64_t octets = 0;
  uint64_t told = 0;
  uint64_t repeated = 0;          // parts of batches that had come already
  uint64_t without_exporter = 0;  // datagrams of which nobody says whose they are
  uint64_t too_large = 0;         // datagrams
  uint64_t empty = 0;             // without a value
  uint64_t errors = 0;
  uint64_t commits = 0;
  uint64_t failed_commits = 0;
  uint64_t partitions_taken = 0;
  uint64_t partitions_given = 0;  // in peace, after on_revoke
  uint64_t partitions_lost = 0;   // taken away: what was not committed of them comes to another member, too
};

class KafkaSource {
 public:
  static absl::StatusOr<std::unique_ptr<KafkaSource>> New(KafkaSourceOptions options);
  // Whether New would take them, without joining.
  static absl::Status Check(const KafkaSourceOptions& options);
  // Leaves the group, unless it has a member's name. Commits nothing.
  ~KafkaSource();
  KafkaSource(const KafkaSource&) = delete;
  KafkaSource& operator=(const KafkaSource&) = delete;

  // Readable when there is something to Poll. Owned by this. Poll once a second at least, so that the group sees us.
  int descriptor() const { return descriptor_; }
  KafkaReading Poll();
  // The group wants partitions back: the next Poll gives them. Who needs time before it does not Poll meanwhile, for
  // minutes at most.
  bool gives() const { return going_ != nullptr; }
  // Of all that Poll has told, and that is ours still.
  const KafkaPosition& position() const { return position_; }
  // What lies before it is accounted. Without waiting; the outcome is counted. Partitions that are not ours any more
  // are passed over.
  void Commit(const KafkaPosition& position);
  // The same, and waits for the outcome, no longer than `patience`.
  absl::Status CommitAndWait(const KafkaPosition& position, absl::Duration patience);

  const KafkaSourceCounters& counters() const { return counters_; }
  const BatchParts& parts() const { return parts_; }
  // Empty: all is well.
  const std::string& trouble() const { return trouble_; }

 private:
  struct DestroyMessage {
    void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  };
  struct DestroyPartitions {
    void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  };
  using Message = std::unique_ptr<rd_kafka_message_t, DestroyMessage>;
  using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyPartitions>;

  explicit KafkaSource(KafkaSourceOptions options) : options_(std::move(options)), parts_(options_.parts) {}
  absl::Status Start();
  static void OnRebalance(rd_kafka_t* kafka, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                          void* self);
  static void OnError(rd_kafka_t* kafka, int error, const char* reason, void* self);
  static void OnCommit(rd_kafka_t* kafka, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                       void* self);
  void TakePartitions(rd_kafka_topic_partition_list_t* partitions);
  void GivePartitions();
  void Take(Message message);
  void TakeDatagram(const rd_kafka_message_t& message);
  bool IsRepeated(const rd_kafka_message_t& message);
  Partitions ListOf(const KafkaPosition& position) const;

  const KafkaSourceOptions options_;
  rd_kafka_t* kafka_ = nullptr;
  int descriptor_ = -1;
  bool closing_ = false;
  Partitions going_;  // partitions that the group wants back
  // Whence partitions that come are read, if the group is no further: options.from, and where we were in those that we
  // gave.
  KafkaPosition from_;
  KafkaPosition position_;  // of the partitions that are ours, as soon as something was read of them
  // Of the message before: mostly the next one is of the same partition.
  const rd_kafka_topic_t* last_topic_ = nullptr;
  int32_t last_partition_ = -1;
  int64_t* last_next_ = nullptr;
  BatchParts parts_;
  KafkaSourceCounters counters_;
  std::string trouble_;
  std::vector<Message> messages_;  // of the last reading
  std::vector<record::Datagram> datagrams_;
  std::vector<KafkaRecords> records_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_KAFKA_KAFKA_SOURCE_H_
