#include "flowacct/collector/kafka/kafka_source.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/kafka/kafka_datagram.h"
#include "flowacct/sink/kafka/kafka_client.h"
#include "flowacct/sink/queue/batch_part.h"

namespace flowacct::collector {
namespace {

// So long a partition that is new to us may wait for what the group committed of it.
constexpr int kCommittedMilliseconds = 5000;
// record::Datagram's bound.
constexpr int64_t kLatestNanos = int64_t{1} << 62;

absl::Status Invalid(absl::string_view text) { return absl::InvalidArgumentError(absl::StrCat("kafka: ", text)); }

absl::string_view HeaderOf(const rd_kafka_message_t& message, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR || value == nullptr) {
    return "";
  }
  return {static_cast<const char*>(value), size};
}

std::pair<std::string, int32_t> NameOf(const rd_kafka_topic_partition_t& partition) {
  return {partition.topic, partition.partition};
}

absl::Span<const rd_kafka_topic_partition_t> All(const rd_kafka_topic_partition_list_t* partitions) {
  return {partitions->elems, static_cast<size_t>(partitions->cnt)};
}

absl::Status CheckBounds(const KafkaSourceOptions& options) {
  if (options.topics.empty()) return Invalid("topics: name some");
  for (const std::string& topic : options.topics) {
    if (topic.empty()) return Invalid("topics: one has no name");
  }
  if (options.group.empty()) return Invalid("group: it needs a name");
  if (options.max_poll_messages == 0 || options.max_datagram_octets == 0) {
    return Invalid("max_poll_messages and max_datagram_size: at least 1");
  }
  if (options.max_fetched_octets < (size_t{1} << 20) || options.max_fetched_octets > (size_t{2000} << 20)) {
    return Invalid(absl::StrCat("max_fetched = ", options.max_fetched_octets, ": between 1 MiB and 2000 MiB"));
  }
  if (options.session_timeout < absl::Seconds(1) || options.session_timeout > absl::Hours(1)) {
    return Invalid("session_timeout: between 1s and 1h");
  }
  return absl::OkStatus();
}

// All that librdkafka is to know, but for who is called back.
absl::StatusOr<sink::kafka::Conf> ConfOf(const KafkaSourceOptions& options) {
  if (absl::Status status = CheckBounds(options); !status.ok()) return status;
  absl::StatusOr<sink::kafka::Conf> conf = sink::kafka::NewConf(options.connection, true);
  if (!conf.ok()) return conf.status();
  const int64_t session_ms = absl::ToInt64Milliseconds(options.session_timeout);
  std::vector<std::pair<absl::string_view, std::string>> settings = {
      {"group.id", options.group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"isolation.level", "read_committed"},
      {"auto.offset.reset", options.from_oldest ? "earliest" : "latest"},
      {"queued.max.messages.kbytes", absl::StrCat(options.max_fetched_octets / 1024)},
      {"session.timeout.ms", absl::StrCat(session_ms)},
      {"heartbeat.interval.ms", absl::StrCat(std::max<int64_t>(session_ms / 10, 100))},
      {"max.poll.interval.ms", absl::StrCat(std::max<int64_t>(session_ms, 300000))},
  };
  if (!options.member.empty()) settings.emplace_back("group.instance.id", options.member);
  for (const auto& [property, value] : settings) {
    if (absl::Status status = sink::kafka::Set(conf->get(), property, value); !status.ok()) return status;
  }
  return conf;
}

}  // namespace

absl::Status KafkaSource::Check(const KafkaSourceOptions& options) { return ConfOf(options).status(); }

absl::StatusOr<std::unique_ptr<KafkaSource>> KafkaSource::New(KafkaSourceOptions options) {
  auto source = std::unique_ptr<KafkaSource>(new KafkaSource(std::move(options)));
  if (absl::Status status = source->Start(); !status.ok()) return status;
  return source;
}

absl::Status KafkaSource::Start() {
  absl::StatusOr<sink::kafka::Conf> conf = ConfOf(options_);
  if (!conf.ok()) return conf.status();
  rd_kafka_conf_set_opaque(conf->get(), this);
  rd_kafka_conf_set_rebalance_cb(conf->get(), &KafkaSource::OnRebalance);
  rd_kafka_conf_set_error_cb(conf->get(), &KafkaSource::OnError);
  rd_kafka_conf_set_offset_commit_cb(conf->get(), &KafkaSource::OnCommit);
  char why[512] = "";
  kafka_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf->get(), why, sizeof(why));
  if (kafka_ == nullptr) return Invalid(absl::StrCat("librdkafka: ", why));
  (void)conf->release();
  from_ = options_.from;
  rd_kafka_poll_set_consumer(kafka_);
  descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor_ < 0) return absl::ResourceExhaustedError("kafka: no eventfd; too many files are open");
  const uint64_t one = 1;
  rd_kafka_queue_t* const queue = rd_kafka_queue_get_consumer(kafka_);
  rd_kafka_queue_io_event_enable(queue, descriptor_, &one, sizeof(one));
  rd_kafka_queue_destroy(queue);

  Partitions topics(rd_kafka_topic_partition_list_new(static_cast<int>(options_.topics.size())));
  for (const std::string& topic : options_.topics) {
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  if (const rd_kafka_resp_err_t error = rd_kafka_subscribe(kafka_, topics.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Invalid(absl::StrCat("topics: ", rd_kafka_err2str(error)));
  }
  return absl::OkStatus();
}

KafkaSource::~KafkaSource() {
  messages_.clear();
  if (kafka_ != nullptr) {
    // Whoever wants a last commit has made it. Nobody is called back from here.
    rd_kafka_queue_t* const queue = rd_kafka_queue_get_consumer(kafka_);
    rd_kafka_queue_io_event_enable(queue, -1, nullptr, 0);
    rd_kafka_queue_destroy(queue);
    closing_ = true;
    if (going_ != nullptr) GivePartitions();
    rd_kafka_consumer_close(kafka_);
    rd_kafka_destroy(kafka_);
  }
  if (descriptor_ >= 0) close(descriptor_);
}

void KafkaSource::OnError(rd_kafka_t*, int error, const char* reason, void* self) {
  auto* const source = static_cast<KafkaSource*>(self);
  ++source->counters_.errors;
  source->trouble_ =
      std::string(sink::kafka::ErrorStatus(static_cast<rd_kafka_resp_err_t>(error), "reading", reason).message());
}

void KafkaSource::OnCommit(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t*, void* self) {
  auto* const source = static_cast<KafkaSource*>(self);
  if (error == RD_KAFKA_RESP_ERR__NO_OFFSET) return;
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++source->counters_.commits;
    source->trouble_.clear();
  } else {
    ++source->counters_.failed_commits;
    source->trouble_ = std::string(sink::kafka::ErrorStatus(error, "committing", "").message());
  }
}

void KafkaSource::OnRebalance(rd_kafka_t* kafka, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                              void* self) {
  auto* const source = static_cast<KafkaSource*>(self);
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    source->TakePartitions(partitions);
    rd_kafka_assign(kafka, partitions);
    return;
  }
  // Not yet: what this Poll has taken is not accounted. The group waits for us.
  source->going_.reset(rd_kafka_topic_partition_list_copy(partitions));
  if (source->closing_) source->GivePartitions();
}

// From where the checkpoint says, unless the group has come further without us.
void KafkaSource::TakePartitions(rd_kafka_topic_partition_list_t* partitions) {
  counters_.partitions_taken += static_cast<uint64_t>(partitions->cnt);
  KafkaPosition kept;
  for (const rd_kafka_topic_partition_t& partition : All(partitions)) {
    if (const auto found = from_.next.find(NameOf(partition)); found != from_.next.end()) kept.next.insert(*found);
  }
  if (kept.next.empty()) return;
  const Partitions committed = ListOf(kept);
  const bool known = rd_kafka_committed(kafka_, committed.get(), kCommittedMilliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR;
  for (const rd_kafka_topic_partition_t& of_group : All(committed.get())) {
    int64_t& next = kept.next[NameOf(of_group)];
    if (known && of_group.err == RD_KAFKA_RESP_ERR_NO_ERROR) next = std::max(next, of_group.offset);
    if (auto* const ours = rd_kafka_topic_partition_list_find(partitions, of_group.topic, of_group.partition)) {
      ours->offset = next;
    }
  }
}

void KafkaSource::GivePartitions() {
  const auto count = static_cast<uint64_t>(going_->cnt);
  KafkaPosition going;
  for (const rd_kafka_topic_partition_t& partition : All(going_.get())) {
    const auto found = position_.next.find(NameOf(partition));
    if (found != position_.next.end()) going.next.insert(*found);
  }
  if (rd_kafka_assignment_lost(kafka_) != 0) {
    counters_.partitions_lost += count;
  } else {
    counters_.partitions_given += count;
    if (options_.on_revoke && !closing_) options_.on_revoke(this, going);
  }
  for (const auto& [partition, offset] : going.next) {
    position_.next.erase(partition);
    from_.next[partition] = offset;
  }
  last_topic_ = nullptr;
  going_.reset();
  rd_kafka_assign(kafka_, nullptr);
}

KafkaSource::Partitions KafkaSource::ListOf(const KafkaPosition& position) const {
  Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(position.next.size())));
  for (const auto& [partition, offset] : position.next) {
    rd_kafka_topic_partition_list_add(list.get(), partition.first.c_str(), partition.second)->offset = offset;
  }
  return list;
}

KafkaReading KafkaSource::Poll() {
  datagrams_.clear();
  records_.clear();
  messages_.clear();
  if (going_ != nullptr) GivePartitions();
  uint64_t ignored = 0;
  if (read(descriptor_, &ignored, sizeof(ignored)) < 0) ignored = 0;  // as it was, then
  bool more = false;
  for (size_t i = 0; i < options_.max_poll_messages; ++i) {
    Message message(rd_kafka_consumer_poll(kafka_, 0));
    more = message != nullptr;
    if (more) Take(std::move(message));
    if (!more || going_ != nullptr) break;
  }
  // It is told once that there is something, and may be more than we took.
  const uint64_t one = 1;
  if ((more || going_ != nullptr) && write(descriptor_, &one, sizeof(one)) < 0) ++counters_.errors;
  return {datagrams_, records_};
}

void KafkaSource::Take(Message message) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++counters_.errors;
    trouble_ = std::string(
        sink::kafka::ErrorStatus(message->err, "reading", rd_kafka_message_errstr(message.get())).message());
    return;
  }
  trouble_.clear();
  ++counters_.messages;
  counters_.octets += message->len;
  if (message->rkt != last_topic_ || message->partition != last_partition_) {
    last_topic_ = message->rkt;
    last_partition_ = message->partition;
    last_next_ = &position_.next[{rd_kafka_topic_name(message->rkt), message->partition}];
  }
  *last_next_ = message->offset + 1;
  const uint64_t told = datagrams_.size() + records_.size();
  if (message->len == 0) {
    ++counters_.empty;
  } else if (options_.payload == KafkaSourceOptions::Payload::kDatagrams) {
    TakeDatagram(*message);
  } else if (IsRepeated(*message)) {
    ++counters_.repeated;
  } else {
    records_.push_back({{static_cast<const uint8_t*>(message->payload), message->len},
                        rd_kafka_topic_name(message->rkt),
                        message->partition,
                        message->offset});
  }
  if (datagrams_.size() + records_.size() == told) return;
  ++counters_.told;
  messages_.push_back(std::move(message));
}

bool KafkaSource::IsRepeated(const rd_kafka_message_t& message) {
  static const std::string kName(sink::queue::kBatchHeader);
  const absl::string_view header = HeaderOf(message, kName.c_str());
  if (header.empty()) return false;
  const std::optional<sink::queue::BatchPart> part = sink::queue::ParseBatchPart(header);
  return part.has_value() && !parts_.Take(*part);
}

void KafkaSource::TakeDatagram(const rd_kafka_message_t& message) {
  if (message.len > options_.max_datagram_octets) {
    ++counters_.too_large;
    return;
  }
  std::optional<ExporterAddress> exporter = ParseExporter(HeaderOf(message, kExporterHeader));
  if (!exporter.has_value()) {
    exporter = ParseExporter({static_cast<const char*>(message.key), message.key_len});
  }
  if (!exporter.has_value()) {
    ++counters_.without_exporter;
    return;
  }
  record::Datagram datagram;
  datagram.octets = {static_cast<const uint8_t*>(message.payload), message.len};
  datagram.source = exporter->address;
  datagram.source_port = exporter->port;
  int64_t arrival = 0;
  if (!absl::SimpleAtoi(HeaderOf(message, kArrivalHeader), &arrival)) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const int64_t milliseconds = rd_kafka_message_timestamp(&message, &type);
    arrival = milliseconds > 0 ? std::min(milliseconds, kLatestNanos / 1000000) * 1000000 : absl::GetCurrentTimeNanos();
  }
  datagram.arrival_nanos = std::clamp<int64_t>(arrival, 0, kLatestNanos);
  datagrams_.push_back(datagram);
}

void KafkaSource::Commit(const KafkaPosition& position) {
  KafkaPosition ours;
  for (const auto& partition : position.next) {
    if (position_.next.count(partition.first) != 0) ours.next.insert(partition);
  }
  if (ours.next.empty()) return;
  const Partitions list = ListOf(ours);
  if (rd_kafka_commit(kafka_, list.get(), /*async=*/1) != RD_KAFKA_RESP_ERR_NO_ERROR) ++counters_.failed_commits;
}

absl::Status KafkaSource::CommitAndWait(const KafkaPosition& position, absl::Duration patience) {
  if (position.next.empty()) return absl::OkStatus();
  const Partitions list = ListOf(position);
  rd_kafka_queue_t* const queue = rd_kafka_queue_new(kafka_);
  absl::Status status;
  rd_kafka_resp_err_t error = rd_kafka_commit_queue(kafka_, list.get(), queue, nullptr, nullptr);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_event_t* const event = rd_kafka_queue_poll(
        queue, static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(patience), 1, 600000)));
    error = event == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
    if (event != nullptr) rd_kafka_event_destroy(event);
  }
  rd_kafka_queue_destroy(queue);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++counters_.commits;
    return absl::OkStatus();
  }
  ++counters_.failed_commits;
  return sink::kafka::ErrorStatus(error, "committing", "");
}

}  // namespace flowacct::collector
