#include "flowacct/collector/server/plan.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/replicate/replicator.h"
#include "flowacct/collector/server/routing_plan.h"
#include "flowacct/meter/flow_meter.h"
#include "flowacct/record/custom_fields.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr char kPipeline[] = "pipeline { name: \"p\" sink { memory {} } }\n";

absl::StatusOr<std::shared_ptr<const Plan>> PlanOf(absl::string_view text) {
  auto file = config::ConfigFile::Parse(text, "c.conf");
  if (!file.ok()) return file.status();
  return MakePlan(std::make_shared<const config::ConfigFile>(*std::move(file)));
}

TEST(PlanTest, AMeterHasTheTimeoutsThatItIsGiven) {
  const auto plan = PlanOf(
      absl::StrCat("input { name: \"i\" interface { device: \"lo\" } meter { active_timeout: \"2m\" idle_timeout: "
                   "\"20s\" tcp_timeout: \"1h\" icmp_timeout: \"3s\" tcp_fin_timeout: \"4s\" } }\n",
                   kPipeline));
  ASSERT_TRUE(plan.ok()) << plan.status();
  const meter::MeterOptions& meter = *(*plan)->inputs[0].decoder.meter;
  EXPECT_EQ(meter.active_timeout, absl::Minutes(2));
  EXPECT_EQ(meter.idle_timeout, absl::Seconds(20));
  EXPECT_EQ(meter.tcp_timeout, absl::Hours(1));
  EXPECT_EQ(meter.udp_timeout, std::nullopt);
  EXPECT_EQ(meter.icmp_timeout, absl::Seconds(3));
  EXPECT_EQ(meter.tcp_fin_timeout, absl::Seconds(4));
  EXPECT_EQ(meter.tcp_rst_timeout, absl::Seconds(5));
}

TEST(PlanTest, AMapWithConditionsIsOfRecords) {
  const auto plan = PlanOf(absl::StrCat(
      "custom_field { name: \"customer\" element: \"47\" }\n"
      "input { name: \"i\" udp { listen: \"[::]:2055\" } }\n"
      "bgp { listen: \"[::]:179\" map { exporters: \"192.0.2.1\" peer: \"192.0.2.2\" }"
      " map { exporters: \"::/0\" peer: \"192.0.2.3\" in_if: \"5\" in_if: \"7-9\" where: \"customer = 1 or port 53\" }"
      " map { exporters: \"192.0.2.0/24\" rd: \"64500:7\" } map { exporters: \"::/0\" rd: \"0:0\" } }\n",
      kPipeline));
  ASSERT_TRUE(plan.ok()) << plan.status();
  const record::FieldNames* const names = &(*plan)->custom_fields->names();
  const auto routing = PlanRouting(*(*plan)->file, names);
  ASSERT_TRUE(routing.ok()) << routing.status();
  ASSERT_EQ(routing->mapped.size(), 1u);
  ASSERT_EQ(routing->selected.size(), 3u);
  EXPECT_EQ(routing->selected[0].peer.ToString(), "192.0.2.3");
  EXPECT_EQ(routing->selected[0].rd, std::nullopt);
  EXPECT_EQ(routing->selected[1].peer, base::IpAddress());
  EXPECT_EQ(routing->selected[1].rd, 0x0000fbf400000007u);
  const auto routes = PlanRoutes(*(*plan)->file, config::Routes(), names);
  ASSERT_TRUE(routes.ok()) << routes.status();
  ASSERT_EQ(routes->selectors.size(), 3u);
  EXPECT_EQ(routes->selectors[0].exporters.ToString(), "::/0");
  EXPECT_EQ(routes->selectors[0].where.fields().size(), 4u);  // in_if, customer, src_port, dst_port
  EXPECT_TRUE(routes->selectors[1].where.passes_all());
  EXPECT_EQ(routes->selectors[1].rd, 0x0000fbf400000007u);
  EXPECT_EQ(routes->selectors[2].rd, 0u);  // the global table
}

TEST(PlanTest, AMapThatCannotBeIsRefusedWhereItIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"in_if: \"5-4\" peer: \"192.0.2.2\"",
       "c.conf:2:53: in_if: \"5-4\" is no interface or range of them; such as 5 or 100-199"},
      {"out_if: \"eth0\" peer: \"192.0.2.2\"",
       "c.conf:2:53: out_if: \"eth0\" is no interface or range of them; such as 5 or 100-199"},
      {"where: \"dst_prt = 1\" peer: \"192.0.2.2\"",
       "c.conf:2:53: where: filter, column 1: no field is called \"dst_prt\"; did you mean dst_port "},
      {"where: \"tcp_flags has syn\"",
       "c.conf:2:24: give peer: \"192.0.2.1\", the address or router id of a peer, or rd"},
      {"rd: \"x\"", "c.conf:2:53: rd: "},
  };
  for (const auto& [map, error] : cases) {
    const auto plan =
        PlanOf(absl::StrCat("input { name: \"i\" udp { listen: \"[::]:2055\" } }\n",
                            "bgp { listen: \"[::]:1\" map { exporters: \"192.0.2.1\" ", map, " } }\n", kPipeline));
    ASSERT_FALSE(plan.ok()) << map;
    EXPECT_EQ(std::string(plan.status().message()).substr(0, std::string(error).size()), error);
  }
}

TEST(PlanTest, AReplicaSendsFromWhereItIsTold) {
  const auto plan = PlanOf(
      "input { name: \"i\" udp { listen: \"[::]:2055\" } }\n"
      "replica { name: \"a\" to: \"192.0.2.9:2055\" from: \"192.0.2.1\" }\n"
      "replica { name: \"b\" to: \"[2001:db8::9]:2055\" from: \"2001:db8::1\" }\n"
      "replica { name: \"c\" to: \"192.0.2.9:2055\" from: \"192.0.2.1:9996\" }\n"
      "replica { name: \"d\" to: \"192.0.2.9:2055\" }\n");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const std::vector<ReplicaPool>& pools = (*plan)->inputs[0].replication.pools;
  ASSERT_EQ(pools.size(), 4u);
  EXPECT_EQ(pools[0].from, "udp://192.0.2.1:0");
  EXPECT_EQ(pools[0].receivers[0], "udp://192.0.2.9:2055");
  EXPECT_EQ(pools[1].from, "udp://[2001:db8::1]:0");
  EXPECT_EQ(pools[2].from, "udp://192.0.2.1:9996");
  EXPECT_EQ(pools[3].from, "");
}

TEST(PlanTest, AnInputOfKafkaIsUnderstoodWithoutABroker) {
  const auto plan = PlanOf(absl::StrCat(
      "input { name: \"k\" kafka { brokers: \"192.0.2.1:9092\" topic: \"a\" topic: \"^b.*\" payload: RECORDS "
      "length_delimited: false group: \"g\" member: \"m\" } admission { allow: \"192.0.2.0/24\" } }\n"
      "state { directory: \"/var/lib/flowacct\" }\n",
      kPipeline));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_FALSE((*plan)->inputs[0].decoder.messages.length_delimited);
  EXPECT_TRUE((*plan)->inputs[0].has_admission);
}

struct Wrong {
  const char* text;
  const char* error;
};

class WrongPlanTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPlanTest, IsOneLineWithPlaceAndWhatToDo) {
  const auto plan = PlanOf(absl::StrCat(GetParam().text, kPipeline));
  ASSERT_FALSE(plan.ok());
  EXPECT_TRUE(absl::IsInvalidArgument(plan.status()));
  EXPECT_EQ(std::string(plan.status().message()), GetParam().error);
}

#define STATE "state { directory: \"/var/lib/flowacct\" }\n"
#define KAFKA(what) "input { name: \"k\" kafka { brokers: \"192.0.2.1:9092\" " what " } }\n"
#define INPUT "input { name: \"i\" udp { listen: \"[::]:2055\" } }\n"

INSTANTIATE_TEST_SUITE_P(
    All, WrongPlanTest,
    testing::Values(
        Wrong{"input { name: \"k\" kafka { topic: \"t\" } }\n" STATE,
              "c.conf:1:19: a KafkaInput needs brokers; give it"},
        Wrong{KAFKA("") STATE, "c.conf:1:19: topic: there is none; give topic: \"exports\""},
        Wrong{KAFKA("topic: \"t\""),
              "c.conf:1:19: how far it was read is kept in the state; give state { directory: \"/var/lib/flowacct\" }"},
        Wrong{KAFKA("topic: \"t\"") STATE "name: \"n\" redundant: true\n",
              "c.conf:3:11: redundant: excludes inputs of kind kafka, whose partitions collectors of a group share; "
              "give one"},
        Wrong{KAFKA("topic: \"t\" session_timeout: \"2h\"") STATE,
              "c.conf:1:19: kafka: session_timeout: between 1s and 1h"},
        Wrong{KAFKA("topic: \"t\" max_fetched: \"1KiB\"") STATE,
              "c.conf:1:19: kafka: max_fetched = 1024: between 1 MiB and 2000 MiB"},
        Wrong{KAFKA("topic: \"t\" group: \"\"") STATE, "c.conf:1:19: kafka: group: it needs a name"},
        Wrong{KAFKA("topic: \"t\" user: \"u\"") STATE, "c.conf:1:19: kafka: user and password need sasl_mechanism"},
        Wrong{KAFKA("topic: \"t\" property { name: \"group.id\" value: \"x\" }") STATE,
              "c.conf:1:19: kafka: the property group.id is not to be set: use group"},
        Wrong{KAFKA("topic: \"t\" property { name: \"fetch.minimum\" value: \"x\" }") STATE,
              "c.conf:1:19: kafka: librdkafka has no property fetch.minimum"},
        Wrong{"input { name: \"i\" interface { device: \"lo\" } meter { tcp_timeout: \"2\" } }\n",
              "c.conf:1:54: tcp_timeout: \"2\" is no duration; such as 30s, 5m, 1h, 1d"},
        Wrong{"input { name: \"i\" interface { device: \"lo\" } meter { tcp_fin_timeout: \"0s\" } }\n",
              "c.conf:1:54: tcp_fin_timeout: \"0s\" is no duration; such as 30s, 5m, 1h, 1d"},
        Wrong{INPUT "replica { name: \"r\" to: \"192.0.2.9:1\" from: \"192.0.2.1\" keep_source: true }\n",
              "c.conf:2:39: from: excludes keep_source, which sends from the exporter's own; give one"},
        Wrong{INPUT "replica { name: \"r\" to: \"192.0.2.9:1\" from: \"eth0\" }\n",
              "c.conf:2:39: from: 'udp://eth0' has no port; write it behind a ':'"},
        Wrong{
            INPUT "replica { name: \"r\" to: \"192.0.2.9:1\" to: \"collector.example:2055\" }\n",
            "c.conf:2:39: to: 'udp://collector.example:2055' has 'collector.example' where an IPv4 or IPv6 address is "
            "needed; names are not looked up here"}));

}  // namespace
}  // namespace flowacct::collector
