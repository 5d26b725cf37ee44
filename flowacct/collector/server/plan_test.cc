#include "flowacct/collector/server/plan.h"

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/replicate/replicator.h"
#include "flowacct/collector/server/igp_plan.h"
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

constexpr char kInput[] = "input { name: \"i\" udp { listen: \"[::]:2055\" } }\n";

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(PlanTest, TheInsideOfTheNetworkIsUnderstood) {
  const std::string topology =
      WriteFile("plan.topology", "node ams id 0000.0000.0001\nnode fra id 0000.0000.0002\nlink ams fra group duct\n");
  const std::string secret = WriteFile("plan.secret", "geheim\n");
  const auto plan = PlanOf(absl::StrCat(
      kInput, "igp { file: \"", topology,
      "\" exporter { exporters: \"192.0.2.0/24\" router: \"ams\" interface: 7 } spf { long_delay: \"2s\" }"
      " stale_for: \"1m\" history: \"1MiB\" max_advertisements: 1000 max_memory: \"2MiB\" max_routers: 9"
      " isis { system_id: \"0000.0000.f10a\" area: \"49.0001\" area: \"49.0002\" level: LEVEL_2 hostname: \"flowacct\""
      " topology: 2 passive: true domain_key { key: \"x\" algorithm: HMAC_SHA_256 key_id: 7 }"
      " accepted_domain_key { key: \"y\" algorithm: HMAC_SHA_512 key_id: 8 } accepted_domain_key { algorithm: NONE }"
      " circuit { gre { local: \"192.0.2.9\" remote: \"192.0.2.1\" address: \"10.0.0.2\" } hello_interval: \"3s\""
      " hold_multiplier: 4 padding: false mtu: 1400 key { key_file: \"",
      secret, "\" } }",
      " circuit { device: \"eth7\" kind: LAN level: LEVEL_2 max_neighbors: 5 key { key: \"one\" }"
      " level_2_key { key: \"two\" } accepted_key { key: \"old\" } } } }\n"
      "pipeline { name: \"p\" by: \"igp_egress\" enrich { igp { networks: false max_ways: 3 } } sink { memory {} } "
      "}\n"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  const IgpServiceOptions& igp = *(*plan)->igp;
  EXPECT_EQ(igp.files.advertisements.size(), 2u);
  EXPECT_EQ(igp.files.groups.size(), 1u);
  EXPECT_EQ(igp.exporters.routers, std::vector<std::string>{"ams"});
  const auto exporter = *base::IpAddress::Parse("192.0.2.77");
  EXPECT_EQ(igp.exporters.lines->Find(exporter, 8), nullptr);
  ASSERT_NE(igp.exporters.lines->Find(exporter, 7), nullptr);
  EXPECT_EQ(igp.topology.backoff.long_delay_nanos, 2'000'000'000);
  EXPECT_EQ(igp.topology.backoff.initial_delay_nanos, 50'000'000);
  EXPECT_EQ(igp.stale_for_nanos, 60'000'000'000);
  EXPECT_EQ(igp.topology.database.max_history_octets, size_t{1} << 20);
  EXPECT_EQ(igp.topology.max_roots, 9u);
  ASSERT_TRUE(igp.isis.has_value());
  EXPECT_EQ(igp.isis->system.ToString(), "0000.0000.f10a");
  EXPECT_EQ(igp.isis->areas.size(), 2u);
  EXPECT_FALSE(igp.isis->level_1);
  EXPECT_TRUE(igp.isis->level_2 && igp.isis->passive);
  EXPECT_EQ(igp.isis->max_lsps, 1000u);
  EXPECT_EQ(igp.isis->lsp_keys[1].secret, "x");
  EXPECT_EQ(igp.isis->lsp_keys[1].key_id, 7);
  EXPECT_TRUE(igp.isis->accepted_lsp_keys[0].empty());
  ASSERT_EQ(igp.isis->accepted_lsp_keys[1].size(), 2u);
  EXPECT_EQ(igp.isis->accepted_lsp_keys[1][0].key_id, 8);
  EXPECT_EQ(igp.isis->accepted_lsp_keys[1][1].kind, isis::AuthenticationKind::kNone);
  ASSERT_EQ(igp.circuits.size(), 2u);
  const IsisCircuit& tunnel = igp.circuits[0].circuit;
  ASSERT_TRUE(tunnel.gre.has_value());
  EXPECT_EQ(tunnel.gre->told.size(), 1u);
  EXPECT_EQ(tunnel.options.hello_seconds, 3);
  EXPECT_EQ(tunnel.options.hold_multiplier, 4);
  EXPECT_EQ(tunnel.options.mtu, 1400);
  EXPECT_FALSE(tunnel.options.pad);
  EXPECT_EQ(tunnel.options.hello_key.secret, "geheim");
  EXPECT_EQ(tunnel.options.topologies.size(), 1u);
  EXPECT_EQ(igp.circuits[1].circuit.device, "eth7");
  EXPECT_EQ(igp.circuits[1].circuit.options.kind, isis::CircuitKind::kLan);
  EXPECT_EQ(igp.circuits[1].circuit.options.max_neighbors, 5u);
  ASSERT_TRUE(igp.circuits[1].circuit.options.level_2_hello_key.has_value());
  EXPECT_EQ(igp.circuits[1].circuit.options.level_2_hello_key->secret, "two");
  ASSERT_EQ(igp.circuits[1].circuit.options.accepted_hello_keys.size(), 1u);
  EXPECT_EQ(igp.circuits[1].circuit.options.accepted_hello_keys[0].secret, "old");
  EXPECT_EQ((*plan)->groups[0].options.enrichers.size(), 1u);
}

TEST(PlanTest, WhatTheInsideOfTheNetworkCannotBe) {
  const std::string bad = WriteFile("bad.topology", "node ams id 0000.0000.0001\nlink ams\n");
  const std::string ospf = WriteFile("ospf.topology", "style ospf\nnode ams id 192.0.2.1\n");
  constexpr char kIsis[] = "system_id: \"0000.0000.0001\" area: \"49.0001\"";
  const std::string head = absl::StrCat("isis { ", kIsis, " circuit { ");
  const std::pair<std::string, const char*> kWrong[] = {
      {"", "nobody who tells the topology"},
      {"bgp_ls: true", "bgp { listen"},
      {absl::StrCat("file: \"", bad, "\""), "bad.topology:2:"},
      {absl::StrCat("file: \"", ospf, "\""), "protocol: OSPF"},
      {"file: \"/nowhere/at/all\"", "/nowhere/at/all"},
      {"file: \"-\"", "path of a file"},
      {"isis { system_id: \"x\" area: \"49.0001\" }", "no system identifier"},
      {"isis { system_id: \"0000.0000.0001\" area: \"x\" }", "no area"},
      {"isis { system_id: \"0000.0000.0001\" circuit { device: \"e\" } }", "areas"},
      {absl::StrCat("isis { ", kIsis, " }"), "nobody is heard"},
      {absl::StrCat("isis { ", kIsis, " topology: 4096 }"), "from 1 to 4095"},
      {absl::StrCat("protocol: OSPF isis { ", kIsis, " }"), "with isis it is ISIS"},
      {absl::StrCat(head, "} }"), "give device"},
      {absl::StrCat(head, "device: \"e\" gre { local: \"192.0.2.1\" remote: \"192.0.2.2\" } } }"), "give device"},
      {absl::StrCat(head, "gre { local: \"192.0.2.1\" remote: \"2001:db8::1\" } } }"), "another family"},
      {absl::StrCat(head, "gre { local: \"x\" remote: \"2001:db8::1\" } } }"), "no address"},
      {absl::StrCat(head, "kind: LAN gre { local: \"192.0.2.1\" remote: \"192.0.2.2\" } } }"), "two ends"},
      {absl::StrCat(head, "device: \"e\" hello_interval: \"1500ms\" } }"), "whole seconds"},
      {absl::StrCat(head, "device: \"e\" hold_multiplier: 1 } }"), "hold_multiplier"},
      {absl::StrCat(head, "device: \"e\" mtu: 100 } }"), "mtu"},
      {absl::StrCat(head, "device: \"e\" key { } } }"), "key or key_file"},
      {absl::StrCat(head, "device: \"e\" key { key: \"\" } } }"), "is empty"},
      {absl::StrCat(head, "device: \"e\" key { key: \"x\" key_id: 65536 } } }"), "at most 65535"},
      {absl::StrCat(head, "device: \"e\" key { key_file: \"/nowhere/at/all\" } } }"), "key_file"},
      {absl::StrCat(head, "device: \"e\" key { algorithm: NONE } } }"), "only what is accepted"},
      {absl::StrCat(head, "device: \"e\" accepted_key { algorithm: NONE key: \"x\" } } }"), "NONE has no key"},
      {absl::StrCat(head, "device: \"e\" level_2_key { key: \"x\" } } }"), "is of a LAN"},
      {absl::StrCat(head, "device: \"e\" } circuit { device: \"e\" } }"), "give it once"},
      {absl::StrCat("isis { ", kIsis, " level: LEVEL_1 circuit { device: \"e\" level: LEVEL_2 } }"), "level"},
      {"bgp_ls: true exporter { exporters: \"x\" router: \"ams\" }", "bgp { listen"},
      {absl::StrCat("exporter { exporters: \"x\" router: \"ams\" } isis { ", kIsis, " }"), "no prefix"},
      {absl::StrCat(
           "exporter { exporters: \"::/0\" router: \"a\" } exporter { exporters: \"::/0\" router: \"b\" } isis { ",
           kIsis, " }"),
       "given twice"},
      {absl::StrCat("exporter { exporters: \"::/0\" router: \"\" } isis { ", kIsis, " }"), "name a router"},
  };
  for (const auto& [igp, why] : kWrong) {
    const auto plan = PlanOf(absl::StrCat(kInput, "igp {\n", igp, "\n}\n", kPipeline));
    ASSERT_FALSE(plan.ok()) << igp;
    EXPECT_TRUE(absl::StrContains(plan.status().message(), why)) << igp << ": " << plan.status();
    EXPECT_TRUE(absl::StartsWith(plan.status().message(), "c.conf:")) << plan.status();
  }
  const auto none = PlanOf(absl::StrCat(kInput, "pipeline { name: \"p\" enrich { igp {} } sink { memory {} } }\n"));
  ASSERT_FALSE(none.ok());
  EXPECT_TRUE(absl::StrContains(none.status().message(), "c.conf:2:")) << none.status();
}

TEST(PlanTest, KeysOfIsisAreNotPrinted) {
  const auto file = config::ConfigFile::Parse(
      absl::StrCat(
          kInput,
          "igp { isis { system_id: \"0000.0000.0001\" area_key { key: \"hush1\" } domain_key { key: \"hush2\" }"
          " circuit { device: \"e\" key { key: \"hush3\" key_id: 5 } } } }\n",
          kPipeline),
      "c.conf");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_FALSE(absl::StrContains(file->Print(), "hush")) << file->Print();
  EXPECT_TRUE(absl::StrContains(file->Print(), "key_id: 5")) << file->Print();
}

TEST(PlanTest, WhatOfTheInsideMayChange) {
  const auto of = [](const char* igp) { return PlanOf(absl::StrCat(kInput, igp, kPipeline)); };
  constexpr char kOne[] =
      "igp { isis { system_id: \"0000.0000.0001\" area: \"49.0001\" circuit { device: \"e\" } } }\n";
  constexpr char kTwo[] =
      "igp { exporter { exporters: \"::/0\" router: \"a\" }"
      " isis { system_id: \"0000.0000.0001\" area: \"49.0001\" circuit { device: \"f\" } } }\n";
  constexpr char kOther[] =
      "igp { isis { system_id: \"0000.0000.0002\" area: \"49.0001\" circuit { device: \"e\" } } }\n";
  const auto check = [&](const char* before, const char* after) {
    const auto a = of(before), b = of(after);
    EXPECT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
    return CheckIgpChange(*(*a)->file, (*a)->igp.get(), *(*b)->file, (*b)->igp.get());
  };
  EXPECT_TRUE(check(kOne, kTwo).ok()) << check(kOne, kTwo);
  EXPECT_TRUE(check("", "").ok());
  EXPECT_FALSE(check(kOne, kOther).ok());
  EXPECT_FALSE(check(kOne, "").ok());
  EXPECT_FALSE(check("", kOne).ok());
}

}  // namespace
}  // namespace flowacct::collector
