#include "flowacct/collector/import/broker_import.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {
namespace {

// Of a file: librdkafka has some 160.
constexpr size_t kMaxProperties = 256;

// Variables of pmacct, those first that begin with another; they are pmacct's names of fields but for two.
constexpr absl::string_view kVariables[] = {
    "peer_src_ip", "post_tag2", "post_tag", "pre_tag", "tag2",     "tag",       "src_host",
    "dst_host",    "src_port",  "dst_port", "proto",   "in_iface", "out_iface",
};

// Properties with which what the sink promises would not hold, and those that have a setting of their own.
bool IsDecidedBySink(absl::string_view property) {
  constexpr absl::string_view kPrefixes[] = {
      "acks",
      "delivery.",
      "enable.gapless.guarantee",
      "enable.idempotence",
      "max.in.flight",
      "message.max.bytes",
      "message.send.max.retries",
      "message.timeout.ms",
      "queue.buffering.max.kbytes",
      "queue.buffering.max.messages",
      "queuing.strategy",
      "request.required.acks",
      "retries",
      "transaction",
  };
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [property](absl::string_view prefix) { return absl::StartsWith(property, prefix); });
}

// What the sink has an option for; empty: it has none.
absl::string_view OptionOf(absl::string_view property) {
  static constexpr std::pair<absl::string_view, absl::string_view> kOptions[] = {
      {"sasl.mechanism", "sasl_mechanism"},
      {"sasl.mechanisms", "sasl_mechanism"},
      {"sasl.username", "user"},
      {"ssl.ca.location", "ca_file"},
      {"ssl.certificate.location", "certificate_file"},
      {"ssl.key.location", "key_file"},
  };
  for (const auto& [name, option] : kOptions) {
    if (name == property) return option;
  }
  return "";
}

}  // namespace

bool ParseKafkaConfigLine(absl::string_view line, KafkaConfigLine* parsed) {
  const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(',', 2));
  if (parts.size() != 3) return false;
  const std::string type = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[0]));
  const absl::string_view name = absl::StripAsciiWhitespace(parts[1]);
  const absl::string_view value = absl::StripAsciiWhitespace(parts[2]);
  const bool plain = !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
  if ((type != "global" && type != "topic") || !plain || value.empty()) return false;
  *parsed = {std::string(name), std::string(value)};
  return true;
}

bool IsSecretProperty(const KafkaConfigLine& line) {
  const std::string name = absl::AsciiStrToLower(line.name);
  for (absl::string_view part : {"passw", "secret", "ssl.key.pem", "oauthbearer.config"}) {
    if (absl::StrContains(name, part)) return true;
  }
  return IsSecretValue(line.value);
}

void BrokerImport::Write(const BackendPipeline& pipeline, ConfigWriter* out) {
  Settings& settings = backend_->settings();
  settings.Attention(settings.Of(Setting::kPlugins),
                     absl::StrCat("messages of ", pipeline.plugin->type,
                                  " have our names and one row each, so that consumers must be told "
                                  "(docs/reference/message.md)"));
  if (pipeline.plugin->type == "kafka") {
    WriteKafka(pipeline, out);
  } else {
    WriteAmqp(pipeline, out);
  }
}

std::string BrokerImport::WithFields(const BackendPipeline& pipeline, const Statement* statement,
                                     absl::string_view text) {
  Settings& settings = backend_->settings();
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '{' || c == '}') out.push_back(c);  // doubled it is itself
    if (c != '$') {
      out.push_back(c);
      continue;
    }
    const auto variable = std::find_if(std::begin(kVariables), std::end(kVariables),
                                       [text](absl::string_view known) { return absl::StartsWith(text, known); });
    if (variable == std::end(kVariables)) {
      settings.Attention(statement, "pmacct has no such variable: its $ is a _");
      out.push_back('_');
      continue;
    }
    text.remove_prefix(variable->size());
    if (absl::StartsWith(*variable, "post_tag")) {
      const Statement* const tag =
          settings.Of(*variable == "post_tag" ? Setting::kPostTag : Setting::kPostTag2, *pipeline.plugin);
      absl::StrAppend(&out, settings.NumberOf(tag, 0, UINT64_MAX).value_or(0));
      continue;
    }
    const std::optional<record::FieldId> field = record::FindField(*variable == "pre_tag" ? "tag" : *variable);
    const std::string name = field ? std::string(record::Info(*field).name) : "";
    if (std::find(pipeline.fields.begin(), pipeline.fields.end(), name) == pipeline.fields.end()) {
      settings.Attention(statement, absl::StrCat("$", *variable, " is not in aggregate, so that 0 is in its place"));
      out.push_back('0');
      continue;
    }
    absl::StrAppend(&out, "{", name, "}");
  }
  return out;
}

void BrokerImport::WriteFormat(const BackendPipeline& pipeline, Setting setting, ConfigWriter* out) {
  Settings& settings = backend_->settings();
  const Statement* const output = settings.Of(setting, *pipeline.plugin);
  const std::string word = absl::AsciiStrToLower(output == nullptr ? "json" : output->value);
  if (word != "json" && word != "avro" && word != "avro_json") {
    settings.Fail(output, absl::StrCat("\"", output->value, "\" is no form of output; write json or avro"));
  }
  if (word == "avro_json") settings.Attention(output, "JSON as it is, without what Avro adds to it");
  out->Word("format", word == "avro" ? "AVRO" : "JSON_RECORD",
            output == nullptr ? "pmacct's unless told" : From(output));
}

void BrokerImport::ExplainRoundRobin(const BackendPipeline& pipeline, Setting setting, absl::string_view instead) {
  Settings& settings = backend_->settings();
  const Statement* const spread = settings.Of(setting, *pipeline.plugin);
  const auto number = settings.NumberOf(spread, 0, INT32_MAX);
  if (!number) return;
  if (*number == 0) {
    settings.Remark(spread, "as here");
  } else {
    settings.Attention(
        spread, absl::StrCat("all messages go where the name itself says, and not to NAME_0 and so on; ", instead));
  }
}

void BrokerImport::WriteAmqp(const BackendPipeline& pipeline, ConfigWriter* out) {
  constexpr uint64_t kPort = 5672;
  Settings& settings = backend_->settings();
  const Plugin& plugin = *pipeline.plugin;
  ToldValues told(&settings, plugin);
  const std::string user = told.Of(Setting::kAmqpUser, "user", "guest");
  const std::string host = told.HostOf(Setting::kAmqpHost, "localhost");
  const std::string vhost = told.Of(Setting::kAmqpVhost, "vhost", "/");
  const Statement* const password = settings.Of(Setting::kAmqpPassword, plugin);
  const Statement* const exchange = settings.Of(Setting::kAmqpExchange, plugin);
  const Statement* const key = settings.Of(Setting::kAmqpRoutingKey, plugin);
  out->Open("amqp");
  out->Text("brokers", HostAndPort(host, kPort), told.from());
  if (vhost != "/") out->Text("vhost", vhost);
  out->Text("user", user);
  backend_->WritePasswordFile(password, out);
  backend_->RemarkOnDefaultPassword(password, "amqp_passwd", out);
  out->Text("exchange", exchange == nullptr ? "pmacct" : exchange->value,
            exchange == nullptr ? "pmacct's unless told" : From(exchange));
  out->Text("routing_key", WithFields(pipeline, key, key == nullptr ? "acct" : absl::string_view(key->value)),
            key == nullptr ? "pmacct's unless told" : From(key));
  WriteFormat(pipeline, Setting::kAmqpOutput, out);
  out->Close();
  ExplainRoundRobin(pipeline, Setting::kAmqpRoundRobin, "a field in routing_key spreads them, such as {src_as}");
}

std::string BrokerImport::Brokers(const BackendPipeline& pipeline, bool* tls, ToldValues* told) {
  constexpr uint64_t kPort = 9092;
  constexpr absl::string_view kNoHosts = "is no list of hosts; write such as kafka1.example:9092,kafka2.example:9092";
  Settings& settings = backend_->settings();
  const Plugin& plugin = *pipeline.plugin;
  const std::string given = told->Of(Setting::kKafkaBrokers, "broker", "127.0.0.1");
  const Statement* const hosts = settings.Of(Setting::kKafkaBrokers, plugin);
  const bool several = absl::StrContains(given, ',');
  const Statement* const port = settings.Of(Setting::kKafkaPort, plugin);
  uint64_t number = settings.NumberOf(port, 1, UINT16_MAX).value_or(kPort);
  if (port != nullptr && several) {
    settings.Remark(port, "as in pmacct of a single broker alone; each of several has its own, or 9092");
    number = kPort;
  } else if (port != nullptr) {
    told->Of(Setting::kKafkaPort, "", "");
  }
  std::string brokers;
  size_t with_tls = 0, all = 0;
  for (absl::string_view host : absl::StrSplit(given, ',')) {
    host = absl::StripAsciiWhitespace(host);
    if (host.empty()) continue;
    ++all;
    if (absl::ConsumePrefix(&host, "ssl://") || absl::ConsumePrefix(&host, "SSL://")) ++with_tls;
    if (!IsHost(host)) {
      settings.Fail(hosts, kNoHosts);
      return "";
    }
    absl::StrAppend(&brokers, brokers.empty() ? "" : ",", HostAndPort(host, number));
  }
  if (all == 0) settings.Fail(hosts, kNoHosts);
  *tls = with_tls > 0;
  if (with_tls > 0 && with_tls < all) settings.Attention(hosts, "all brokers are reached over TLS, since some are");
  return brokers;
}

BrokerImport::KafkaFile BrokerImport::ReadKafkaFile(const Statement* file) {
  Settings& settings = backend_->settings();
  KafkaFile read;
  if (file == nullptr) return read;
  const auto lines = backend_->context().ReadList(file, "give property { name: ... value: ... } for each of its lines");
  if (lines && lines->empty()) settings.Remark(file, "there is nothing in it");
  for (const ListLine& line : lines ? *lines : std::vector<ListLine>()) {
    KafkaConfigLine parsed;
    if (!ParseKafkaConfigLine(line.word, &parsed)) {
      settings.Attention(file, absl::StrCat("line ", line.line,
                                            " of the file is neither global, KEY, VALUE nor topic, "
                                            "KEY, VALUE; it is left out"));
    } else if (parsed.name == "sasl.password") {
      read.has_password = true;
    } else if (IsSecretProperty(parsed)) {
      settings.Attention(file, absl::StrCat("line ", line.line, " of the file: ", parsed.name,
                                            " holds a secret, which is not copied, so it is left out"));
    } else if (IsDecidedBySink(parsed.name)) {
      settings.Remark(file, absl::StrCat("line ", line.line, " of the file: on ", parsed.name,
                                         " the sink decides, so that no message is lost; it is left out"));
    } else if (parsed.name == "bootstrap.servers" || parsed.name == "metadata.broker.list") {
      absl::StrAppend(&read.brokers, ",", parsed.value);
    } else if (parsed.name == "security.protocol") {
      read.tls = absl::StrContains(absl::AsciiStrToLower(parsed.value), "ssl");
    } else if (const absl::string_view option = OptionOf(parsed.name); !option.empty()) {
      read.options.emplace_back(option, parsed.value);
    } else if (read.properties.size() == kMaxProperties) {
      settings.Attention(file, absl::StrCat("has more than ", kMaxProperties, " lines; the others are left out"));
      break;
    } else {
      read.properties.push_back(std::move(parsed));
    }
  }
  return read;
}

void BrokerImport::WriteKafka(const BackendPipeline& pipeline, ConfigWriter* out) {
  Settings& settings = backend_->settings();
  const Plugin& plugin = *pipeline.plugin;
  ToldValues told(&settings, plugin);
  bool tls = false;
  const std::string brokers = Brokers(pipeline, &tls, &told);
  const Statement* const config_file = settings.Of(Setting::kKafkaConfigFile, plugin);
  const KafkaFile file = ReadKafkaFile(config_file);
  const Statement* const topic = settings.Of(Setting::kKafkaTopic, plugin);
  out->Open("kafka");
  out->Text("brokers", absl::StrCat(brokers, file.brokers), told.from());
  out->Text("topic", WithFields(pipeline, topic, topic == nullptr ? "pmacct.acct" : absl::string_view(topic->value)),
            topic == nullptr ? "pmacct's unless told" : From(topic));
  if (const Statement* key = settings.Of(Setting::kKafkaKey, plugin)) {
    out->Text("key", WithFields(pipeline, key, key->value), From(key));
  }
  WriteFormat(pipeline, Setting::kKafkaOutput, out);
  const auto property = [&](absl::string_view name, absl::string_view value, const Statement* from) {
    out->Open("property");
    out->Text("name", name, From(from));
    out->Text("value", value);
    out->Close();
  };
  if (file.tls.value_or(tls)) {
    out->Word("tls", "true", From(file.tls ? config_file : settings.Of(Setting::kKafkaBrokers, plugin)));
  }
  for (const auto& [option, value] : file.options) out->Text(option, value, From(config_file));
  for (const KafkaConfigLine& line : file.properties) property(line.name, line.value, config_file);
  if (file.has_password) backend_->WritePasswordFile(config_file, out);
  out->Close();
  ExplainRoundRobin(pipeline, Setting::kKafkaRoundRobin, "partitions of the topic spread them");
  if (const Statement* partition = settings.Of(Setting::kKafkaPartition, plugin)) {
    if (partition->value == "-1") {
      settings.Remark(partition, "as here");
    } else {
      settings.Attention(partition, "which partition a message is in is not to be said: all of one key are in one");
    }
  }
}

}  // namespace flowacct::collector
