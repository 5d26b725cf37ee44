// The sinks of an import that are message brokers: pmacct's plugins amqp and kafka.
//
//     plugins: kafka[a]                       kafka {
//     kafka_broker_host[a]: k1,k2:9093          brokers: "k1:9092,k2:9093"
//     kafka_topic[a]: flows.$peer_src_ip        topic: "flows.{exporter}"
//     kafka_output[a]: avro                     format: AVRO
//                                             }

#ifndef FLOWACCT_COLLECTOR_IMPORT_BROKER_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_BROKER_IMPORT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/collector/import/backend_import.h"
#include "flowacct/collector/import/config_writer.h"

namespace flowacct::collector {

// A line "global, KEY, VALUE" of kafka_config_file.
struct KafkaConfigLine {
  std::string name, value;
};
// False if it is none; what is in it is nothing to be shown.
bool ParseKafkaConfigLine(absl::string_view line, KafkaConfigLine* parsed);
// A property of librdkafka that is a secret, or has one in it.
bool IsSecretProperty(const KafkaConfigLine& line);

class BrokerImport {
 public:
  explicit BrokerImport(BackendImport* backend) : backend_(backend) {}

  static bool Writes(absl::string_view plugin_type) { return plugin_type == "amqp" || plugin_type == "kafka"; }
  // What is in `sink`.
  void Write(const BackendPipeline& pipeline, ConfigWriter* out);

 private:
  // What kafka_config_file says.
  struct KafkaFile {
    std::vector<KafkaConfigLine> properties;
    std::string brokers;                                             // as there, with a comma before each
    std::vector<std::pair<absl::string_view, std::string>> options;  // of the sink, by name
    std::optional<bool> tls;
    bool has_password = false;
  };

  void WriteAmqp(const BackendPipeline& pipeline, ConfigWriter* out);
  void WriteKafka(const BackendPipeline& pipeline, ConfigWriter* out);
  std::string Brokers(const BackendPipeline& pipeline, bool* tls, ToldValues* told);
  KafkaFile ReadKafkaFile(const Statement* file);
  // pmacct's variables as fields of ours.
  std::string WithFields(const BackendPipeline& pipeline, const Statement* statement, absl::string_view text);
  void WriteFormat(const BackendPipeline& pipeline, Setting setting, ConfigWriter* out);
  void ExplainRoundRobin(const BackendPipeline& pipeline, Setting setting, absl::string_view instead);

  BackendImport* backend_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_BROKER_IMPORT_H_
