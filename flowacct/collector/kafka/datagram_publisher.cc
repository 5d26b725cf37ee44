#include "flowacct/collector/kafka/datagram_publisher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/kafka/kafka_datagram.h"
#include "flowacct/sink/kafka/kafka_client.h"

namespace flowacct::collector {

absl::StatusOr<std::unique_ptr<DatagramPublisher>> DatagramPublisher::New(DatagramPublisherOptions options) {
  if (options.topic.empty()) return absl::InvalidArgumentError("kafka: topic: it needs a name");
  if (options.max_queued_octets < (size_t{1} << 20) || options.max_queued_octets >> 41 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("kafka: max_queued = ", options.max_queued_octets, ": between 1 MiB and 2 TiB"));
  }
  absl::StatusOr<sink::kafka::Conf> conf = sink::kafka::NewConf(options.connection, true);
  if (!conf.ok()) return conf.status();
  const std::pair<absl::string_view, std::string> settings[] = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"message.timeout.ms", absl::StrCat(absl::ToInt64Milliseconds(options.connection.timeout))},
      {"queue.buffering.max.kbytes", absl::StrCat(options.max_queued_octets / 1024)},
      {"queue.buffering.max.messages", "1000000"},
  };
  for (const auto& [property, value] : settings) {
    if (absl::Status status = sink::kafka::Set(conf->get(), property, value); !status.ok()) return status;
  }
  auto publisher = std::unique_ptr<DatagramPublisher>(new DatagramPublisher());
  rd_kafka_conf_set_opaque(conf->get(), publisher.get());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), &DatagramPublisher::OnDelivery);
  rd_kafka_conf_set_error_cb(conf->get(), &DatagramPublisher::OnError);
  char why[512] = "";
  publisher->kafka_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), why, sizeof(why));
  if (publisher->kafka_ == nullptr) return absl::InvalidArgumentError(absl::StrCat("kafka: librdkafka: ", why));
  (void)conf->release();
  publisher->topic_ = rd_kafka_topic_new(publisher->kafka_, options.topic.c_str(), nullptr);
  if (publisher->topic_ == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("kafka: topic ", options.topic, ": ", rd_kafka_err2str(rd_kafka_last_error())));
  }
  return publisher;
}

DatagramPublisher::~DatagramPublisher() {
  if (kafka_ == nullptr) return;
  rd_kafka_purge(kafka_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(kafka_, 1000);
  if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
  rd_kafka_destroy(kafka_);
}

void DatagramPublisher::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto* const publisher = static_cast<DatagramPublisher*>(self);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++publisher->counters_.acknowledged;
    publisher->trouble_.clear();
    return;
  }
  ++publisher->counters_.lost;
  publisher->trouble_ = std::string(sink::kafka::ErrorStatus(message->err, "publishing", "").message());
}

void DatagramPublisher::OnError(rd_kafka_t* kafka, int error, const char* reason, void* self) {
  auto* const publisher = static_cast<DatagramPublisher*>(self);
  publisher->trouble_ =
      std::string(sink::kafka::ErrorStatus(static_cast<rd_kafka_resp_err_t>(error), "publishing", reason).message());
}

void DatagramPublisher::Publish(absl::Span<const record::Datagram> datagrams) {
  std::string key, exporter, arrival;
  for (const record::Datagram& datagram : datagrams) {
    ++counters_.datagrams;
    counters_.octets += datagram.octets.size();
    key = datagram.source.ToString();
    exporter = ExporterText(datagram.source, datagram.source_port);
    arrival = absl::StrCat(datagram.arrival_nanos);
    rd_kafka_headers_t* const headers = rd_kafka_headers_new(2);
    rd_kafka_header_add(headers, kExporterHeader, -1, exporter.data(), static_cast<ssize_t>(exporter.size()));
    rd_kafka_header_add(headers, kArrivalHeader, -1, arrival.data(), static_cast<ssize_t>(arrival.size()));
    rd_kafka_vu_t arguments[5] = {};
    arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
    arguments[0].u.rkt = topic_;
    arguments[1].vtype = RD_KAFKA_VTYPE_VALUE;
    arguments[1].u.mem = {const_cast<uint8_t*>(datagram.octets.data()), datagram.octets.size()};
    arguments[2].vtype = RD_KAFKA_VTYPE_KEY;
    arguments[2].u.mem = {&key[0], key.size()};
    arguments[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    arguments[3].u.i = RD_KAFKA_MSG_F_COPY;
    arguments[4].vtype = RD_KAFKA_VTYPE_HEADERS;
    arguments[4].u.headers = headers;
    rd_kafka_error_t* const error = rd_kafka_produceva(kafka_, arguments, 5);
    if (error == nullptr) continue;
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    ++(code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? counters_.dropped : counters_.lost);
    trouble_ = std::string(sink::kafka::ErrorStatus(code, "publishing", rd_kafka_error_string(error)).message());
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
  }
  Tick();
}

void DatagramPublisher::Tick() { rd_kafka_poll(kafka_, 0); }

bool DatagramPublisher::Close(absl::Duration patience) {
  rd_kafka_flush(kafka_, static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(patience), 0, 3600000)));
  return waiting() == 0;
}

}  // namespace flowacct::collector
