#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/sink/amqp/amqp_connection.h"
#include "flowacct/sink/amqp/amqp_sink.h"
#include "gtest/gtest.h"

namespace flowacct::sink::amqp {
namespace {

TEST(Brokers, AreParsed) {
  const auto text = [](absl::string_view brokers, bool tls) -> std::string {
    const auto endpoints = ParseBrokers(brokers, tls);
    if (!endpoints.ok()) return std::string(endpoints.status().message());
    std::string out;
    for (const Endpoint& endpoint : *endpoints) absl::StrAppend(&out, endpoint.host, " ", endpoint.port, ";");
    return out;
  };
  EXPECT_EQ(text("a", false), "a 5672;");
  EXPECT_EQ(text("a, b:1 ,[2001:db8::1]:7,[::1]", true), "a 5671;b 1;2001:db8::1 7;::1 5671;");
  for (const char* wrong : {"", " , ", "a:", "a:0", "a:65536", "a:b", ":1", "[::1", "[::1]1", "2001:db8::1"}) {
    EXPECT_TRUE(absl::StartsWith(text(wrong, false), "amqp: brokers: ")) << wrong << ": " << text(wrong, false);
  }
}

TEST(AmqpOptions, AreChecked) {
  AmqpOptions good;
  good.connection.brokers = "127.0.0.1:1";
  ASSERT_TRUE(NewAmqpSink(good).ok()) << NewAmqpSink(good).status();
  using Change = void (*)(AmqpOptions*);
  const struct {
    const char* says;
    Change change;
  } cases[] = {
      {"brokers", [](AmqpOptions* o) { o->connection.brokers = ""; }},
      {"timeout", [](AmqpOptions* o) { o->connection.timeout = absl::Milliseconds(1); }},
      {"heartbeat", [](AmqpOptions* o) { o->connection.heartbeat = absl::Milliseconds(1); }},
      {"user", [](AmqpOptions* o) { o->connection.user = ""; }},
      {"vhost", [](AmqpOptions* o) { o->connection.vhost = ""; }},
      {"need tls", [](AmqpOptions* o) { o->connection.ca_file = "/ca"; }},
      {"go together",
       [](AmqpOptions* o) {
         o->connection.tls = true;
         o->connection.key_file = "/key";
       }},
      {"not both",
       [](AmqpOptions* o) {
         o->connection.password = {"/a", "B"};
       }},
      {"255", [](AmqpOptions* o) { o->exchange = std::string(256, 'x'); }},
      {"max_unconfirmed", [](AmqpOptions* o) { o->max_unconfirmed = 0; }},
      {"key", [](AmqpOptions* o) { o->message.key = "{src_as}"; }},
      {"records_per_message", [](AmqpOptions* o) { o->message.records_per_message = 0; }},
  };
  for (const auto& test : cases) {
    AmqpOptions options = good;
    test.change(&options);
    const absl::Status status = NewAmqpSink(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << test.says << ": " << status;
    EXPECT_TRUE(absl::StrContains(status.message(), test.says)) << test.says << ": " << status;
  }
  AmqpOptions options = good;
  options.connection.password.file = "/not/there";
  EXPECT_EQ(NewAmqpSink(options).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace flowacct::sink::amqp
