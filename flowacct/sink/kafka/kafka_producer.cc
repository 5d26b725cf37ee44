#include "flowacct/sink/kafka/kafka_producer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/sink/kafka/kafka_client.h"

namespace flowacct::sink::kafka {
namespace {

// Acknowledgements are taken in once for so many messages.
constexpr uint64_t kServeEvery = 512;
// What a transaction that failed may take to be ended, so that readers of committed messages need not wait for its
// timeout.
constexpr absl::Duration kAbortTime = absl::Seconds(5);

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 0, 3600000));
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaProducer>> KafkaProducer::New(const ProducerOptions& options) {
  absl::StatusOr<Conf> conf = NewConf(options.connection, true);
  if (!conf.ok()) return conf.status();
  // Longer than a batch may wait for one answer; brokers allow 15 minutes.
  const int64_t transaction_ms =
      std::clamp<int64_t>(2 * absl::ToInt64Milliseconds(options.connection.timeout), 60000, 900000);
  const bool transactional = !options.transactional_id.empty();
  std::vector<std::pair<absl::string_view, std::string>> settings = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"message.max.bytes", absl::StrCat(options.max_message_octets)},
      {"queue.buffering.max.kbytes", absl::StrCat(std::max<size_t>(options.max_queued_octets / 1024, 1))},
      {"queue.buffering.max.messages", "1000000"},
      // We give up by ourselves, when nothing at all is acknowledged: a large batch may take its time.
      {"message.timeout.ms", transactional ? absl::StrCat(transaction_ms) : "0"},
  };
  if (transactional) {
    settings.emplace_back("transactional.id", options.transactional_id);
    settings.emplace_back("transaction.timeout.ms", absl::StrCat(transaction_ms));
  }
  for (const auto& [property, value] : settings) {
    if (absl::Status status = Set(conf->get(), property, value); !status.ok()) return status;
  }
  auto producer = std::unique_ptr<KafkaProducer>(new KafkaProducer(options));
  rd_kafka_conf_set_opaque(conf->get(), producer.get());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), &KafkaProducer::OnDelivery);
  rd_kafka_conf_set_error_cb(conf->get(), &KafkaProducer::OnError);
  char why[512] = "";
  producer->kafka_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), why, sizeof(why));
  if (producer->kafka_ == nullptr) return absl::InvalidArgumentError(absl::StrCat("kafka: librdkafka: ", why));
  (void)conf->release();
  return producer;
}

KafkaProducer::~KafkaProducer() {
  if (kafka_ == nullptr) return;
  if (in_transaction_ && reachable_) {
    if (rd_kafka_error_t* const error = rd_kafka_abort_transaction(kafka_, Milliseconds(kAbortTime))) {
      rd_kafka_error_destroy(error);
    }
  }
  rd_kafka_purge(kafka_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  for (const absl::Time end = absl::Now() + absl::Seconds(1); outstanding() != 0 && absl::Now() < end;) {
    Serve(absl::Milliseconds(10));
  }
  rd_kafka_destroy(kafka_);
}

void KafkaProducer::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto* const producer = static_cast<KafkaProducer*>(self);
  ++producer->done_;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && producer->failed_ == RD_KAFKA_RESP_ERR_NO_ERROR) {
    producer->failed_ = message->err;
  }
}

// Of a broker, of which there may be others; told if it comes to nothing.
void KafkaProducer::OnError(rd_kafka_t*, int error, const char* reason, void* self) {
  auto* const producer = static_cast<KafkaProducer*>(self);
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  // That all are down explains less than why one of them is.
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !producer->client_error_text_.empty()) return;
  producer->client_error_ = code;
  producer->client_error_text_ = reason;
}

void KafkaProducer::Serve(absl::Duration wait) {
  const uint64_t done = done_;
  rd_kafka_poll(kafka_, Milliseconds(wait));
  if (done_ != done) last_heard_ = absl::Now();
}

absl::Status KafkaProducer::Failed(rd_kafka_resp_err_t error, absl::string_view doing, absl::string_view text) {
  if (error == RD_KAFKA_RESP_ERR__FATAL) {
    char fatal[512] = "";
    const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(kafka_, fatal, sizeof(fatal));
    if (cause != RD_KAFKA_RESP_ERR_NO_ERROR) return ErrorStatus(cause, doing, fatal);
  }
  const bool timed_out = error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
  reachable_ = !timed_out;
  if (timed_out && client_error_ != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ErrorStatus(
        client_error_, doing,
        absl::StrCat("nothing was heard for ", absl::FormatDuration(timeout_), ": ", client_error_text_));
  }
  return ErrorStatus(error, doing, text);
}

absl::Status KafkaProducer::Take(rd_kafka_error_t* error, absl::string_view doing) {
  if (error == nullptr) return absl::OkStatus();
  const absl::Status status = Failed(rd_kafka_error_code(error), doing, rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
  return status;
}

absl::Status KafkaProducer::Check(absl::string_view doing) {
  // First, since it fails all messages by another error.
  if (rd_kafka_fatal_error(kafka_, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Failed(RD_KAFKA_RESP_ERR__FATAL, doing, "");
  }
  if (failed_ != RD_KAFKA_RESP_ERR_NO_ERROR) return Failed(failed_, doing, "");
  if (outstanding() == 0 || absl::Now() - last_heard_ < timeout_) return absl::OkStatus();
  return Failed(RD_KAFKA_RESP_ERR__TIMED_OUT, doing,
                absl::StrCat("nothing was acknowledged for ", absl::FormatDuration(timeout_)));
}

absl::StatusOr<KafkaProducer::Topic> KafkaProducer::NewTopic(const std::string& name) {
  rd_kafka_topic_t* const topic = rd_kafka_topic_new(kafka_, name.c_str(), nullptr);
  if (topic == nullptr) return ErrorStatus(rd_kafka_last_error(), absl::StrCat("the topic ", name), "");
  return Topic(topic);
}

absl::Status KafkaProducer::Begin() {
  last_heard_ = absl::Now();
  client_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  client_error_text_.clear();
  if (!transactional_) return absl::OkStatus();
  if (!initialized_) {
    // Ends what an earlier run of us left open. In short steps, since its errors come while we serve.
    for (const absl::Time end = absl::Now() + timeout_; !initialized_;) {
      rd_kafka_error_t* const error = rd_kafka_init_transactions(kafka_, 500);
      Serve(absl::ZeroDuration());
      if (error == nullptr) {
        initialized_ = true;
      } else if (rd_kafka_error_is_retriable(error) != 0 && absl::Now() < end) {
        rd_kafka_error_destroy(error);
        absl::SleepFor(absl::Milliseconds(20));
      } else {
        return Take(error, "its transactions");
      }
    }
  }
  if (absl::Status status = Take(rd_kafka_begin_transaction(kafka_), "a transaction"); !status.ok()) return status;
  in_transaction_ = true;
  last_heard_ = absl::Now();
  return absl::OkStatus();
}

absl::Status KafkaProducer::Send(rd_kafka_topic_t* topic, absl::string_view key, absl::string_view octets,
                                 absl::string_view header_name, absl::string_view header_value) {
  rd_kafka_headers_t* headers = nullptr;
  if (!header_value.empty()) {
    headers = rd_kafka_headers_new(1);
    rd_kafka_header_add(headers, header_name.data(), static_cast<ssize_t>(header_name.size()), header_value.data(),
                        static_cast<ssize_t>(header_value.size()));
  }
  rd_kafka_vu_t arguments[5] = {};
  size_t count = 0;
  arguments[count].vtype = RD_KAFKA_VTYPE_RKT;
  arguments[count++].u.rkt = topic;
  arguments[count].vtype = RD_KAFKA_VTYPE_VALUE;
  arguments[count].u.mem = {const_cast<char*>(octets.data()), octets.size()};
  ++count;
  arguments[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[count++].u.i = RD_KAFKA_MSG_F_COPY;
  if (!key.empty()) {
    arguments[count].vtype = RD_KAFKA_VTYPE_KEY;
    arguments[count].u.mem = {const_cast<char*>(key.data()), key.size()};
    ++count;
  }
  if (headers != nullptr) {
    arguments[count].vtype = RD_KAFKA_VTYPE_HEADERS;
    arguments[count++].u.headers = headers;
  }
  for (;;) {
    rd_kafka_error_t* const error = rd_kafka_produceva(kafka_, arguments, count);
    if (error == nullptr) {
      if (++sent_ % kServeEvery != 0) return absl::OkStatus();
      Serve(absl::ZeroDuration());
      return Check("writing");
    }
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    absl::Status status;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_error_destroy(error);
      Serve(absl::Milliseconds(10));
      status = Check("writing");
    } else if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
      rd_kafka_error_destroy(error);
      status = absl::InvalidArgumentError(
          absl::StrCat("kafka: a message of ", octets.size(), " octets is too large; raise max_message_size"));
    } else {
      status = Take(error, "writing");
    }
    if (status.ok()) continue;
    if (headers != nullptr) rd_kafka_headers_destroy(headers);
    return status;
  }
}

absl::Status KafkaProducer::Commit() {
  do {
    Serve(outstanding() == 0 ? absl::ZeroDuration() : absl::Milliseconds(50));
    if (absl::Status status = Check("writing"); !status.ok()) return status;
  } while (outstanding() != 0);
  if (!transactional_) return absl::OkStatus();
  for (const absl::Time end = absl::Now() + timeout_;;) {
    rd_kafka_error_t* const error = rd_kafka_commit_transaction(kafka_, 500);
    Serve(absl::ZeroDuration());
    if (error == nullptr) break;
    if (rd_kafka_error_is_retriable(error) == 0 || absl::Now() >= end) return Take(error, "committing");
    rd_kafka_error_destroy(error);
  }
  in_transaction_ = false;
  return absl::OkStatus();
}

}  // namespace flowacct::sink::kafka
