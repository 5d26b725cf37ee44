#include "flowacct/sink/kafka/kafka_client.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace flowacct::sink::kafka {
namespace {

using absl::StatusCode;

// Properties that are not the user's: each prefix with what to do instead.
struct Refused {
  absl::string_view prefix;
  absl::string_view why;
};
constexpr char kPromise[] = "a message that counts as written would not be sure to be";
constexpr Refused kRefused[] = {
    {"acks", kPromise},
    {"auto.commit", "offsets are committed when what was read is accounted"},
    {"auto.offset.store", "offsets are committed when what was read is accounted"},
    {"bootstrap.servers", "use brokers"},
    {"delivery.", "use timeout"},
    {"enable.auto.", "offsets are committed when what was read is accounted"},
    {"enable.gapless.guarantee", kPromise},
    {"enable.idempotence", kPromise},
    {"enable.partition.eof", "nobody would see it"},
    {"group.id", "use group"},
    {"isolation.level", "what is not committed is not read"},
    {"max.in.flight", kPromise},
    {"message.max.bytes", "use max_message_size"},
    {"message.send.max.retries", kPromise},
    {"message.timeout.ms", "use timeout"},
    {"metadata.broker.list", "use brokers"},
    {"plugin.", "it would load code"},
    {"queue.buffering.max.kbytes", "use max_queued"},
    {"queue.buffering.max.messages", "use max_queued"},
    {"queuing.strategy", kPromise},
    {"request.required.acks", kPromise},
    {"retries", kPromise},
    {"sasl.kerberos.kinit.cmd", "it would run a command"},
    {"sasl.mechanism", "use sasl_mechanism"},
    {"sasl.oauthbearer.client.secret", "a secret does not belong here"},
    {"sasl.oauthbearer.config", "a secret does not belong here"},
    {"sasl.password", "use password_file or password_environment"},
    {"sasl.username", "use user"},
    {"security.protocol", "use tls and sasl_mechanism"},
    {"ssl.ca.", "use ca_file"},
    {"ssl.certificate.", "use certificate_file"},
    {"ssl.key.", "use key_file and key_password_file"},
    {"ssl.keystore.", "use certificate_file and key_file"},
    {"ssl_", "it is a pointer"},
    {"test.mock.", "there would be no cluster"},
    {"transaction", "use transactions and timeout"},
};

// Kafka's protocol guide, error codes; those of librdkafka itself begin with "__".
struct ErrorMeaning {
  rd_kafka_resp_err_t error;
  StatusCode code;
  absl::string_view hint;
};
constexpr ErrorMeaning kErrors[] = {
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, StatusCode::kPermissionDenied, "see user, password and sasl_mechanism"},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, StatusCode::kPermissionDenied,
     "see user, password and sasl_mechanism"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, StatusCode::kPermissionDenied, "see sasl_mechanism"},
    {RD_KAFKA_RESP_ERR__SSL, StatusCode::kPermissionDenied, "see tls, ca_file, certificate_file and key_file"},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, StatusCode::kPermissionDenied,
     "let the user write there: kafka-acls.sh"},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, StatusCode::kPermissionDenied,
     "let the user read in the group: kafka-acls.sh"},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, StatusCode::kPermissionDenied,
     "let the user write idempotently: kafka-acls.sh"},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, StatusCode::kPermissionDenied,
     "let the user have the transactional id: kafka-acls.sh"},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, StatusCode::kFailedPrecondition,
     "make the topic: kafka-topics.sh --create"},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, StatusCode::kFailedPrecondition, "make the topic: kafka-topics.sh --create"},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, StatusCode::kFailedPrecondition, ""},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, StatusCode::kFailedPrecondition, "see topic"},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, StatusCode::kFailedPrecondition,
     "lower max_message_size, or raise the topic's max.message.bytes"},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, StatusCode::kFailedPrecondition,
     "lower max_message_size, or raise the broker's segment.bytes"},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, StatusCode::kFailedPrecondition, ""},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, StatusCode::kFailedPrecondition, "a compacted topic needs a key"},
    {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, StatusCode::kFailedPrecondition,
     "brokers of Kafka 0.11 or later are needed"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, StatusCode::kFailedPrecondition,
     "brokers of Kafka 0.11 or later are needed"},
    {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, StatusCode::kFailedPrecondition,
     "lower timeout, or raise the broker's transaction.max.timeout.ms"},
    {RD_KAFKA_RESP_ERR__FENCED, StatusCode::kFailedPrecondition,
     "another collector of that name writes the same pipeline; give each a name of its own"},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, StatusCode::kFailedPrecondition,
     "another collector of that name writes the same pipeline; give each a name of its own"},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, StatusCode::kFailedPrecondition,
     "another collector of that name writes the same pipeline; give each a name of its own"},
};

void NoLog(const rd_kafka_t*, int, const char*, const char*) {}

absl::Status Invalid(absl::string_view text) { return absl::InvalidArgumentError(absl::StrCat("kafka: ", text)); }

absl::Status SetChecked(rd_kafka_conf_t* conf, const std::string& property, const std::string& value) {
  for (const Refused& refused : kRefused) {
    if (absl::StartsWith(property, refused.prefix)) {
      return Invalid(absl::StrCat("the property ", property, " is not to be set: ", refused.why));
    }
  }
  return Set(conf, property, value);
}

}  // namespace

absl::Status Set(rd_kafka_conf_t* conf, absl::string_view property, absl::string_view value) {
  char why[512] = "";
  const rd_kafka_conf_res_t result =
      rd_kafka_conf_set(conf, std::string(property).c_str(), std::string(value).c_str(), why, sizeof(why));
  if (result == RD_KAFKA_CONF_OK) return absl::OkStatus();
  // Its texts have the value, which may be a secret where our own code sets it.
  if (result == RD_KAFKA_CONF_UNKNOWN) return Invalid(absl::StrCat("librdkafka has no property ", property));
  if (absl::StrContains(property, "password")) return Invalid(absl::StrCat(property, " is refused by librdkafka"));
  return Invalid(absl::StrCat("the property ", property, ": ", why));
}

absl::StatusOr<Conf> NewConf(const ConnectionOptions& options, bool with_secrets) {
  if (options.brokers.empty()) return Invalid("brokers: name some, as kafka1.example:9092,kafka2.example:9092");
  if (options.timeout < absl::Milliseconds(100) || options.timeout > absl::Hours(1)) {
    return Invalid(absl::StrCat("timeout = ", absl::FormatDuration(options.timeout), ": between 100ms and 1h"));
  }
  if (!options.tls && (!options.ca_file.empty() || !options.certificate_file.empty() || !options.key_file.empty())) {
    return Invalid("ca_file, certificate_file and key_file need tls");
  }
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return Invalid("certificate_file and key_file go together");
  }
  if (!options.key_password.empty() && options.key_file.empty()) return Invalid("a key's password needs key_file");
  const bool sasl = !options.sasl_mechanism.empty();
  if (sasl) {
    constexpr absl::string_view kMechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
    if (std::find(std::begin(kMechanisms), std::end(kMechanisms), options.sasl_mechanism) == std::end(kMechanisms)) {
      return Invalid(
          absl::StrCat("sasl_mechanism = ", options.sasl_mechanism, ": PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"));
    }
    if (options.sasl_mechanism == "PLAIN" && !options.tls) {
      return Invalid("sasl_mechanism = PLAIN without tls would send the password as it is");
    }
    if (options.user.empty() || options.password.empty()) {
      return Invalid("sasl_mechanism needs user and password_file or password_environment");
    }
  } else if (!options.user.empty() || !options.password.empty()) {
    return Invalid("user and password need sasl_mechanism");
  }

  Conf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), &NoLog);
  std::vector<std::pair<absl::string_view, std::string>> settings = {
      {"client.id", "flowacct"},
      {"bootstrap.servers", options.brokers},
      {"security.protocol", absl::StrCat(sasl ? "sasl_" : "", options.tls ? "ssl" : "plaintext")},
      {"socket.keepalive.enable", "true"},
      // What waits in the kernel for a broker that is away is given up in time, too.
      {"socket.timeout.ms",
       absl::StrCat(std::clamp<int64_t>(absl::ToInt64Milliseconds(options.timeout), 1000, 300000))},
      {"reconnect.backoff.max.ms", "2000"},
  };
  if (!options.ca_file.empty()) settings.emplace_back("ssl.ca.location", options.ca_file);
  if (!options.certificate_file.empty()) settings.emplace_back("ssl.certificate.location", options.certificate_file);
  if (!options.key_file.empty()) settings.emplace_back("ssl.key.location", options.key_file);
  if (sasl) {
    settings.emplace_back("sasl.mechanisms", options.sasl_mechanism);
    settings.emplace_back("sasl.username", options.user);
  }
  for (const auto& [property, value] : settings) {
    if (absl::Status status = Set(conf.get(), property, value); !status.ok()) return status;
  }
  for (const auto& [property, value] : options.properties) {
    if (absl::Status status = SetChecked(conf.get(), property, value); !status.ok()) return status;
  }
  const struct {
    absl::string_view property;
    const queue::Secret* secret;
    absl::string_view option;
  } secrets[] = {{"sasl.password", &options.password, "kafka: password"},
                 {"ssl.key.password", &options.key_password, "kafka: key_password"}};
  for (const auto& [property, secret, option] : secrets) {
    if (!secret->file.empty() && !secret->environment.empty()) {
      return Invalid(absl::StrCat(option.substr(7), ": a file or a variable of the environment, not both"));
    }
    if (secret->empty() || !with_secrets) continue;
    absl::StatusOr<std::string> value = queue::ReadSecret(*secret, option);
    if (!value.ok()) return value.status();
    if (absl::Status status = Set(conf.get(), property, *value); !status.ok()) return status;
  }
  return conf;
}

absl::Status ErrorStatus(rd_kafka_resp_err_t error, absl::string_view doing, absl::string_view text) {
  const ErrorMeaning* meaning = nullptr;
  for (const ErrorMeaning& known : kErrors) {
    if (known.error == error) meaning = &known;
  }
  std::string message = absl::StrCat("kafka: ", doing, ": ", text.empty() ? rd_kafka_err2str(error) : text);
  if (meaning != nullptr && !meaning->hint.empty()) absl::StrAppend(&message, "; ", meaning->hint);
  return absl::Status(meaning == nullptr ? StatusCode::kUnavailable : meaning->code, message);
}

}  // namespace flowacct::sink::kafka
