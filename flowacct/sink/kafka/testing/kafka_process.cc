// The other processes of a test with Kafka: a cluster that is librdkafka's mock, a reader, and a writer to be killed.
//
//     kafka_process cluster BROKERS          told by lines: "down", "up", "rtt MS", "errors API COUNT CODE",
//                                            "topic NAME PARTITIONS"; answers "ok" or what went wrong
//     kafka_process read BROKERS TOPIC MESSAGES committed|uncommitted
//                                            a line "PARTITION\tKEY\tHEADER\tVALUE" each, octets in C's escapes
//     kafka_process write BROKERS TOPIC BATCHES NOTES transactions|plain LIVES
//                                            batches of 100 rows from where NOTES, a file, says that it came to; with
//                                            LIVES above 0 it kills itself once so many are written, before it notes
//                                            the last of them
//
// Ends with the process that made it.

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "flowacct/sink/kafka/kafka_sink.h"
#include "flowacct/sink/queue/batch_part.h"
#include "flowacct/sink/queue/testing/numbered_batch.h"

namespace flowacct::sink::kafka {
namespace {

int Cluster(int brokers) {
  char why[512];
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, nullptr);
  rd_kafka_t* const kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
  if (kafka == nullptr) return 1;
  rd_kafka_mock_cluster_t* const cluster = rd_kafka_mock_cluster_new(kafka, brokers);
  std::cout << rd_kafka_mock_cluster_bootstraps(cluster) << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__INVALID_ARG;
    int a = 0, b = 0, c = 0;
    if (words[0] == "down") {
      error = rd_kafka_mock_broker_set_down(cluster, -1);
    } else if (words[0] == "up") {
      error = rd_kafka_mock_broker_set_up(cluster, -1);
    } else if (words[0] == "rtt" && words.size() == 2 && absl::SimpleAtoi(words[1], &a)) {
      error = rd_kafka_mock_broker_set_rtt(cluster, -1, a);
    } else if (words[0] == "errors" && words.size() == 4 && absl::SimpleAtoi(words[1], &a) &&
               absl::SimpleAtoi(words[2], &b) && absl::SimpleAtoi(words[3], &c)) {
      const std::vector<rd_kafka_resp_err_t> errors(static_cast<size_t>(b), static_cast<rd_kafka_resp_err_t>(c));
      rd_kafka_mock_clear_request_errors(cluster, static_cast<int16_t>(a));
      if (b > 0) {
        rd_kafka_mock_push_request_errors_array(cluster, static_cast<int16_t>(a), errors.size(), errors.data());
      }
      error = RD_KAFKA_RESP_ERR_NO_ERROR;
    } else if (words[0] == "topic" && words.size() == 3 && absl::SimpleAtoi(words[2], &a)) {
      error = rd_kafka_mock_topic_create(cluster, words[1].c_str(), a, brokers);
    }
    std::cout << (error == RD_KAFKA_RESP_ERR_NO_ERROR ? "ok" : rd_kafka_err2name(error)) << std::endl;
  }
  // Not destroyed: whoever reads our end has no use for order.
  _exit(0);
}

int Read(const std::string& brokers, const std::string& topic, uint64_t messages, const std::string& isolation) {
  char why[512];
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  const std::string settings[][2] = {{"bootstrap.servers", brokers},
                                     {"group.id", "reader"},
                                     {"enable.auto.commit", "false"},
                                     {"isolation.level", absl::StrCat("read_", isolation)},
                                     {"auto.offset.reset", "earliest"}};
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof(why)) != RD_KAFKA_CONF_OK) return 1;
  }
  rd_kafka_t* const kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
  if (kafka == nullptr) return 1;
  rd_kafka_poll_set_consumer(kafka);
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_topic_t* const handle = rd_kafka_topic_new(kafka, topic.c_str(), nullptr);
  if (rd_kafka_metadata(kafka, 0, handle, &metadata, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR) return 2;
  rd_kafka_topic_partition_list_t* const partitions = rd_kafka_topic_partition_list_new(4);
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
    rd_kafka_topic_partition_list_add(partitions, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(kafka, partitions);
  // Until so many are there, and then until nothing more comes.
  const absl::Time end = absl::Now() + absl::Seconds(20);
  for (uint64_t seen = 0; absl::Now() < end;) {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(kafka, seen < messages ? 1000 : 300);
    if (message == nullptr) {
      if (seen >= messages) break;
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++seen;
      absl::string_view header;
      rd_kafka_headers_t* headers = nullptr;
      const void* value = nullptr;
      size_t size = 0;
      if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
          rd_kafka_header_get_last(headers, std::string(queue::kBatchHeader).c_str(), &value, &size) ==
              RD_KAFKA_RESP_ERR_NO_ERROR) {
        header = {static_cast<const char*>(value), size};
      }
      std::cout << message->partition << "\t"
                << absl::CEscape({static_cast<const char*>(message->key), message->key_len}) << "\t"
                << absl::CEscape(header) << "\t"
                << absl::CEscape({static_cast<const char*>(message->payload), message->len}) << "\n";
    }
    rd_kafka_message_destroy(message);
  }
  std::cout.flush();
  _exit(0);
}

int Write(const std::string& brokers, const std::string& topic, uint64_t batches, const std::string& notes,
          bool transactions, uint64_t lives) {
  KafkaOptions options;
  options.connection.brokers = brokers;
  options.connection.timeout = absl::Seconds(10);
  options.message.address = topic;
  options.message.format = message::RecordFormat::kJson;
  options.transactions = transactions;
  auto sink = NewKafkaSink(options);
  if (!sink.ok()) return 1;
  uint64_t number = 0;
  std::ifstream(notes) >> number;
  while (number < batches) {
    const absl::Status status = (*sink)->Write(queue::NumberedBatch(number + 1, 100).batch());
    if (!status.ok()) {
      std::cerr << status << std::endl;
      return 2;
    }
    if (lives > 0 && --lives == 0) raise(SIGKILL);
    ++number;
    // As the spool removes what is written: at once, or not at all.
    const std::string next = notes + ".next";
    std::ofstream(next) << number;
    if (rename(next.c_str(), notes.c_str()) != 0) return 3;
    std::cout << number << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace flowacct::sink::kafka

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::vector<std::string> words(argv + 1, argv + argc);
  uint64_t number = 0;
  if (words.size() == 2 && words[0] == "cluster" && absl::SimpleAtoi(words[1], &number)) {
    return flowacct::sink::kafka::Cluster(static_cast<int>(number));
  }
  if (words.size() == 5 && words[0] == "read" && absl::SimpleAtoi(words[3], &number)) {
    return flowacct::sink::kafka::Read(words[1], words[2], number, words[4]);
  }
  uint64_t lives = 0;
  if (words.size() == 7 && words[0] == "write" && absl::SimpleAtoi(words[3], &number) &&
      absl::SimpleAtoi(words[6], &lives)) {
    return flowacct::sink::kafka::Write(words[1], words[2], number, words[4], words[5] == "transactions", lives);
  }
  return 64;
}
