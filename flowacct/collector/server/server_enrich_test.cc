// Enrichment in the whole collector: datagrams on loopback whose flows are known one by one, through tables that are
// read, refused and read anew.

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/collector/generate/export_encoder.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/enrich/geoip/testing/database_builder.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using absl::StrCat;

// One packet of 1000 octets to a port, over TCP.
GeneratedFlow Flow(absl::string_view source, absl::string_view destination, uint16_t port) {
  GeneratedFlow flow;
  std::copy_n(base::IpAddress::Parse(source)->data() + 12, 4, flow.key.src.begin());
  std::copy_n(base::IpAddress::Parse(destination)->data() + 12, 4, flow.key.dst.begin());
  flow.key.src_port = 50000;
  flow.key.dst_port = port;
  flow.key.protocol = 6;
  flow.key.src_as = 64511;
  flow.key.dst_as = 64511;
  flow.key.src_mask = 16;
  flow.key.dst_mask = 16;
  flow.packets = 1;
  flow.bytes = 1000;
  flow.start_ms = 1000;
  flow.end_ms = 1000;
  flow.in_if = 5;
  return flow;
}

class ServerEnrichTest : public ServerTest {
 protected:
  std::string Write(absl::string_view name, absl::string_view text) {
    std::ofstream(File(name), std::ios::binary) << text;
    return File(name);
  }

  // An input, and what follows.
  static std::string Text(absl::string_view pipelines, int workers = 1) {
    return StrCat("workers: ", workers, " input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n", pipelines);
  }
  void StartServer(const std::string& text) { server_ = ServerTest::StartServer(text); }
  std::vector<std::string> Log() {
    base::MutexLock lock(&mutex_);
    return log_;
  }

  // Each of `flows` in a NetFlow v5 datagram of its own, from 127.0.0.`exporter`; waits until they are accounted.
  void Send(const std::vector<GeneratedFlow>& flows, int exporter = 2) {
    std::vector<std::string> datagrams;
    for (const GeneratedFlow& flow : flows) {
      ExportHeader header;
      header.boot_seconds = static_cast<uint32_t>(absl::ToUnixSeconds(absl::Now())) - 2;
      header.uptime_ms = 2000;
      header.sequence = sequence_[static_cast<size_t>(exporter)]++;
      base::OctetWriter out;
      EncodeNetFlow5(header, {flow}, &out);
      datagrams.emplace_back(reinterpret_cast<const char*>(out.octets().data()), out.size());
    }
    auto endpoint = ParseEndpoint(server_->Status().inputs[0].listen, {EndpointScheme::kUdp});
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    auto sender = UdpSender::New(*endpoint, StrCat("udp://127.0.0.", exporter, ":0"));
    ASSERT_TRUE(sender.ok()) << sender.status();
    ASSERT_TRUE((*sender)->Send(datagrams).ok());
    sent_ += flows.size();
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (server_->Status().inputs[0].records < sent_ && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(5));
    }
    ASSERT_EQ(server_->Status().inputs[0].records, sent_);
  }

  // The rows of all bins so far, the most octets first: "[7, "web", 2, 2000, 2]".
  std::string Rows(absl::string_view pipeline) {
    MemoryQuestion question;
    question.pipeline = std::string(pipeline);
    question.since = absl::Hours(1);
    auto answer = server_->Query(question);
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return "";
    const size_t rows = answer->find("\"rows\": [") + 9;
    return answer->substr(rows, answer->rfind("], \"incomplete\"") - rows);
  }

  // Which holds at any time.
  void ExpectIdentity() {
    for (const PipelineStatus& pipeline : server_->Status().pipelines) {
      EXPECT_EQ(pipeline.records_in, sent_) << pipeline.name;
      EXPECT_EQ(pipeline.records_in, pipeline.records_dropped + pipeline.records_filtered +
                                         pipeline.records_aggregated + pipeline.records_late)
          << pipeline.name;
    }
  }
  uint64_t Dropped(size_t pipeline) { return server_->Status().pipelines[pipeline].records_dropped; }

  std::unique_ptr<Server> server_;
  uint64_t sent_ = 0;
  std::array<uint32_t, 16> sequence_{};
};

TEST_F(ServerEnrichTest, RulesTagAndDrop) {
  const std::string tags = Write("tags",
                                 "set tag 100, label web where dst_port in (80, 443)\n"
                                 "set tag 200 where exporter = 127.0.0.3 and in_if = 5\n");
  const std::string drops = Write("drops", "drop where src_addr in 10.0.0.0/8\n");
  ASSERT_NO_FATAL_FAILURE(StartServer(Text(absl::Substitute(
                                               R"(pipeline { name: "ruled" by: "tag,label" sink { memory {} }
                    enrich { rules { file: "$0" file: "$1" } } }
                  pipeline { name: "tagged" by: "tag" where: "tag = 100" sink { memory {} }
                    enrich { rules { file: "$0" } } }
                  pipeline { name: "bare" by: "" sink { memory {} } })",
                                               tags, drops),
                                           /*workers=*/2)));
  // An exporter may be at either worker: their counters are summed.
  for (int exporter : {2, 3, 4, 5}) {
    ASSERT_NO_FATAL_FAILURE(Send({Flow("192.0.2.1", "198.51.100.1", 443), Flow("192.0.2.2", "198.51.100.1", 80),
                                  Flow("192.0.2.1", "198.51.100.1", 22), Flow("10.1.2.3", "198.51.100.1", 443),
                                  Flow("10.1.2.3", "198.51.100.1", 22)},
                                 exporter));
  }
  EXPECT_EQ(Rows("ruled"), R"([100, "web", 8, 8000, 8], [null, null, 3, 3000, 3], [200, null, 1, 1000, 1])");
  EXPECT_EQ(Rows("tagged"), "[100, 12, 12000, 12]");
  EXPECT_EQ(Rows("bare"), "[20, 20000, 20]");
  ExpectIdentity();
  EXPECT_EQ(Dropped(0), 8u);
  EXPECT_EQ(Dropped(1), 0u);
  EXPECT_EQ(server_->Status().pipelines[1].records_filtered, 8u);
  EXPECT_EQ(Dropped(2), 0u);
}

TEST_F(ServerEnrichTest, ReloadReadsRulesAnew) {
  const std::string rules = Write("rules", "set tag 1 where dst_port = 80\ndrop where dst_port = 53\n");
  const std::string text = Text(absl::Substitute(
      R"(pipeline { name: "p" by: "tag" sink { memory {} } enrich { rules { file: "$0" } } })", rules));
  const std::vector<GeneratedFlow> flows = {Flow("192.0.2.1", "198.51.100.1", 80),
                                            Flow("192.0.2.1", "198.51.100.1", 53)};
  ASSERT_NO_FATAL_FAILURE(StartServer(text));
  ASSERT_NO_FATAL_FAILURE(Send(flows));
  EXPECT_EQ(Rows("p"), "[1, 1, 1000, 1]");
  EXPECT_EQ(Dropped(0), 1u);

  // The file has changed, the configuration has not; the open bin goes on.
  Write("rules", "set tag 2 where dst_port = 53\nset tag 3\n");
  ASSERT_NO_FATAL_FAILURE(Send(flows));
  EXPECT_EQ(Rows("p"), "[1, 2, 2000, 2]") << "nobody asked for the new file yet";
  ASSERT_TRUE(server_->Reload(Parse(text)).ok());
  ASSERT_NO_FATAL_FAILURE(Send({flows[0], flows[1], flows[1], flows[1]}));
  EXPECT_EQ(Rows("p"), "[2, 3, 3000, 3], [1, 2, 2000, 2], [3, 1, 1000, 1]");
  EXPECT_EQ(Dropped(0), 2u) << "counters go on";
  ExpectIdentity();

  // One that is wrong changes nothing.
  Write("rules", "drop\nset tga 4\n");
  const absl::Status refused = server_->Reload(Parse(text));
  EXPECT_EQ(refused.message(),
            StrCat("test.conf:2:68: file: ", rules, ":2:5: no field is called \"tga\"; did you mean tag?"));
  ASSERT_NO_FATAL_FAILURE(Send({flows[1], flows[1]}));
  EXPECT_EQ(Rows("p"), "[2, 5, 5000, 5], [1, 2, 2000, 2], [3, 1, 1000, 1]");
  EXPECT_EQ(Dropped(0), 2u);
  ExpectIdentity();
  EXPECT_EQ(server_->Status().reloads, 1u);
  EXPECT_EQ(server_->Status().reloads_failed, 1u);
  EXPECT_EQ(server_->Status().last_reload_error, refused.message());

  // Rules that are gone set nothing more.
  ASSERT_TRUE(server_->Reload(Parse(Text(R"(pipeline { name: "p" by: "tag" sink { memory {} } })"))).ok());
  ASSERT_NO_FATAL_FAILURE(Send({flows[0], flows[1], flows[1], flows[1], flows[1], flows[1]}));
  EXPECT_EQ(Rows("p"), "[null, 6, 6000, 6], [2, 5, 5000, 5], [1, 2, 2000, 2], [3, 1, 1000, 1]");
  EXPECT_EQ(Dropped(0), 2u);
  ExpectIdentity();
}

TEST_F(ServerEnrichTest, EachSeesWhatThoseBeforeItHaveSet) {
  using enrich::testing::Map;
  enrich::testing::DatabaseBuilder countries(24);
  countries.Add("198.51.100.0/24", Map({{"country", Map({{"iso_code", enrich::testing::Text("NL")}})}}));
  const std::string database = Write("countries.mmdb", countries.Build("Test-Country"));
  const std::string networks = Write("networks", "prefix,name,src:tag\n192.0.2.0/24,customer,7\n");
  const std::string services = Write("services", "https 443/tcp\n");
  const std::string rules = Write("rules",
                                  "set label \"to NL\", sampling_rate 100, add tag 1\n"
                                  "  where src_net_name = customer and dst_country = NL and dst_service = https\n");
  ASSERT_NO_FATAL_FAILURE(StartServer(Text(absl::Substitute(
      R"(pipeline { name: "p" by: "tag,label,dst_service,dst_country" sink { memory {} }
           enrich { rules { file: "$0" } services: "$1" geoip: "$2" networks { file: "$3" } } })",
      rules, services, database, networks))));
  ASSERT_NO_FATAL_FAILURE(Send({Flow("192.0.2.1", "198.51.100.1", 443), Flow("192.0.2.1", "203.0.113.1", 443),
                                Flow("203.0.113.1", "203.0.113.1", 22), Flow("203.0.113.1", "203.0.113.1", 22)}));
  // Scaled by the rate that rules set, after them.
  EXPECT_EQ(Rows("p"), R"([8, "to NL", "https", "NL", 100, 100000, 1], [null, null, null, null, 2, 2000, 2], )"
                       R"([7, null, "https", null, 1, 1000, 1])");
  ExpectIdentity();
}

TEST_F(ServerEnrichTest, ThePolicyOfNetworksDecidesWhoWins) {
  const std::string networks = Write("networks", "64496,192.0.2.0/24\n64497,10.0.0.0/8\n64498,0.0.0.0/0\n");
  const auto pipeline = [&networks](absl::string_view policy) {
    return absl::Substitute(
        R"(pipeline { name: "$0" by: "src_as" sink { memory {} } enrich { networks { file: "$1" policy: $0 } } })",
        policy, networks);
  };
  ASSERT_NO_FATAL_FAILURE(StartServer(Text(StrCat(pipeline("FILL"), pipeline("REPLACE"), pipeline("LONGEST")))));
  // The exporter tells 64511 of a /16: the file knows of the first a longer prefix, of the others a shorter one.
  ASSERT_NO_FATAL_FAILURE(Send({Flow("192.0.2.1", "198.51.100.1", 80), Flow("10.0.0.1", "198.51.100.1", 80),
                                Flow("10.0.0.2", "198.51.100.1", 80)}));
  EXPECT_EQ(Rows("FILL"), "[64511, 3, 3000, 3]");
  EXPECT_EQ(Rows("REPLACE"), "[64497, 2, 2000, 2], [64496, 1, 1000, 1]");
  EXPECT_EQ(Rows("LONGEST"), "[64511, 2, 2000, 2], [64496, 1, 1000, 1]");
  ExpectIdentity();
}

TEST_F(ServerEnrichTest, WhatCostsIsToldOnce) {
  const std::string rules = Write("rules", "set tag 1 where dst_port != 80\n");
  const std::string pipeline = R"(pipeline { name: "$1" by: "tag" enrich { rules { file: "$0" } } })";
  const std::string text = Text(StrCat(absl::Substitute(pipeline, rules, "a"), absl::Substitute(pipeline, rules, "b")));
  ASSERT_NO_FATAL_FAILURE(StartServer(text));
  ASSERT_EQ(Log().size(), 1u);
  EXPECT_TRUE(absl::StartsWith(Log()[0], StrCat(rules, ":1: nothing of this condition can be looked up"))) << Log()[0];
  ASSERT_TRUE(server_->Reload(Parse(text)).ok());
  ASSERT_EQ(Log().size(), 3u);
  EXPECT_EQ(Log()[1], Log()[0]);
  EXPECT_EQ(Log()[2], "configuration reloaded");
}

TEST_F(ServerEnrichTest, WhatCannotBeIsToldWithItsPlace) {
  const std::string good = Write("good", "set tag 1\n");
  const std::string wrong = Write("wrong", "# a comment\nset tag 1 where dst_port = 80\n  and in_fi = 3\n");
  const std::string folder = testing::TempDir();
  struct Wrong {
    std::string enrich;
    std::string error;  // how it begins
  };
  for (const Wrong& c : std::vector<Wrong>{
           {StrCat("rules { file: \"", good, "\" file: \"", wrong, "\" }"),
            StrCat("test.conf:2:", 58 + good.size(), ": file: ", wrong, ":3:7: no field is called \"in_fi\"; did you")},
           {"rules { file: \"/nosuch\" }", "test.conf:2:49: file: /nosuch: No such file or directory; is the path"},
           {StrCat("rules { file: \"", folder, "\" }"), StrCat("test.conf:2:49: file: ", folder, ": is no file")},
           {"rules {}", "test.conf:2:41: rules: no file of rules is named; give file: "},
           {"geoip: \"/nosuch.mmdb\"", "test.conf:2:41: geoip: /nosuch.mmdb: cannot be opened"},
           {StrCat("geoip: \"", good, "\""), StrCat("test.conf:2:41: geoip: ", good, ": no MaxMind database: ")},
           {StrCat("services: \"", good, "\""), StrCat("test.conf:2:41: services: ", good, ":1: \"tag\" has no port")},
           {StrCat("networks { file: \"", good, "\" }"), StrCat("test.conf:2:52: file: ", good, ":1: ")}}) {
    auto server =
        Server::New(Parse(Text(StrCat("pipeline { name: \"p\" by: \"tag\" enrich { ", c.enrich, " } }"))), {});
    ASSERT_FALSE(server.ok()) << c.enrich;
    EXPECT_TRUE(absl::StartsWith(server.status().message(), c.error)) << server.status().message() << "\n" << c.error;
  }
}

// One record of IPFIX with an enterprise's element 637:91, of the ports of a customer.
std::string IpfixWithOwnElement(uint32_t port) {
  base::OctetWriter sets;
  sets.U16(2).U16(8 + 4 + 4 + 4 + 8).U16(256).U16(4);
  sets.U16(8).U16(4).U16(1).U16(4).U16(2).U16(4).U16(0x8000 | 91).U16(4).U32(637);
  sets.U16(256).U16(4 + 16).U32(0xc0000201).U32(1000).U32(1).U32(port);
  base::OctetWriter message;
  message.U16(10).U16(static_cast<uint16_t>(16 + sets.size()));
  message.U32(static_cast<uint32_t>(absl::ToUnixSeconds(absl::Now()))).U32(0).U32(1).Bytes(sets.octets());
  return std::string(reinterpret_cast<const char*>(message.octets().data()), message.size());
}

TEST_F(ServerEnrichTest, AConfigurationsOwnFieldsAreLikeAnyOther) {
  const std::string rules = Write("rules", "set label seven where port_of = 7\n");
  const std::string own = "custom_field { name: \"port_of\" element: \"637:91\" }\n";
  const std::string pipeline = absl::Substitute(
      "pipeline { name: \"own\" by: \"port_of,label\" sum: \"bytes,max(port_of)\" where: \"port_of > 5\" every: \"1d\" "
      "enrich { rules { file: \"$0\" } } sink { memory {} } }\n",
      rules);
  StartServer(Text(own + pipeline));
  auto endpoint = ParseEndpoint(server_->Status().inputs[0].listen, {EndpointScheme::kUdp});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  auto sender = UdpSender::New(*endpoint, "udp://127.0.0.2:0");
  ASSERT_TRUE(sender.ok()) << sender.status();
  ASSERT_TRUE((*sender)->Send({IpfixWithOwnElement(7), IpfixWithOwnElement(4), IpfixWithOwnElement(9)}).ok());
  sent_ = 3;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (server_->Status().inputs[0].records < sent_ && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  ExpectIdentity();
  MemoryQuestion question;
  question.pipeline = "own";
  question.by = "port_of";
  question.where = "port_of = 7";
  question.since = absl::Hours(1);
  const auto answer = server_->Query(question);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(absl::StrContains(*answer, "\"columns\": [\"port_of\", \"bytes\", \"max(port_of)\"]")) << *answer;
  EXPECT_TRUE(absl::StrContains(*answer, "\"rows\": [[7, 1000, 7]]")) << *answer;
  uint64_t met = 0;
  const CollectorStatus status = server_->Status();
  for (const EnrichmentCounter& counter : status.pipelines[0].enrichment) {
    if (counter.enricher == "rules" && counter.counter == "rules_met") met += counter.value;
  }
  EXPECT_EQ(met, 1u);
  EXPECT_EQ(Rows("own"), "[9, null, 1000, 9], [7, \"seven\", 1000, 7]");
}

TEST_F(ServerEnrichTest, AnOwnFieldThatCannotBeIsToldWhereItIs) {
  const auto error = [](const std::string& text) {
    auto file = config::ConfigFile::Parse(text, "c");
    EXPECT_TRUE(file.ok()) << file.status();
    return std::string(Server::New(*std::move(file), {}).status().message());
  };
  const std::string pipeline = "pipeline { name: \"p\" by: \"src_as\" every: \"1m\" sink { memory {} } }";
  EXPECT_EQ(error(Text("custom_field { name: \"bytes\" element: \"1\" }\n" + pipeline)),
            "c:2:16: name: custom field \"bytes\": \"bytes\" is the name of a field already (bytes); give another");
  EXPECT_EQ(error(Text("custom_field { name: \"w\" packet: \"l9+1\" length: 2 }\n" + pipeline)).substr(0, 38),
            "c:2:16: name: custom field \"w\": \"l9+1\"");
}

}  // namespace
}  // namespace flowacct::collector
