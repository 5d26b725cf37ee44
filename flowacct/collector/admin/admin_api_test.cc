#include "flowacct/collector/admin/admin_api.h"

#include <rapidjson/document.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/admin/fake_collector.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

class AdminApiTest : public ::testing::Test {
 protected:
  AdminResponse Ask(absl::string_view method, absl::string_view target, absl::string_view host = "127.0.0.1:2112",
                    absl::string_view origin = "", absl::string_view body = "") {
    AdminRequest request;
    request.body = body;
    request.method = method;
    request.target = target;
    request.host = host;
    request.origin = origin;
    return api_.Answer(request);
  }
  AdminResponse Get(absl::string_view target) { return Ask("GET", target); }

  FakeCollector collector_;
  AdminApi api_{&collector_, {}};
};

// Whether an answer is one JSON object.
bool IsJson(const AdminResponse& response) {
  rapidjson::Document document;
  document.Parse(response.body.data(), response.body.size());
  return !document.HasParseError() && document.IsObject() && std::string(response.content_type) == "application/json";
}

TEST_F(AdminApiTest, AllThatCanBeRead) {
  for (const char* path :
       {"/api/v1/status", "/api/v1/identity", "/api/v1/exporters", "/api/v1/templates", "/api/v1/query?pipeline=as"}) {
    const AdminResponse response = Get(path);
    EXPECT_EQ(response.status, 200) << path << response.body;
    EXPECT_TRUE(IsJson(response)) << path << response.body;
    EXPECT_EQ(Ask("HEAD", path).status, 200) << path;
  }
  EXPECT_EQ(Get("/metrics").status, 200);
  EXPECT_STREQ(Get("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_TRUE(absl::StrContains(Get("/metrics").body, "flowacct_input_datagrams_total{input=\"exports\"} 1000000\n"));
  EXPECT_EQ(Get("/healthz").body, "ok\n");
  EXPECT_EQ(Get("/readyz").body, "ready\n");
  EXPECT_EQ(api_.counters().requests_failed, 0u);
  EXPECT_EQ(api_.counters().requests, 15u);
}

TEST_F(AdminApiTest, QuestionsInTheirLanguage) {
  const auto ask = [this](absl::string_view body, absl::string_view origin = "") {
    return Ask("POST", "/api/v1/query", "127.0.0.1:2112", origin, body);
  };
  collector_.SetAnswer(std::string("dst_as,bytes\r\n"));
  AdminResponse response = ask(R"({"question":"dst_as by bytes","format":"csv","store":"memory"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "dst_as,bytes\r\n");
  EXPECT_STREQ(response.content_type, "text/csv; charset=utf-8");
  response = ask(R"({"saved":"peering"})");
  EXPECT_STREQ(response.content_type, "application/x-ndjson");
  response = ask(R"({"saved":"peering","format":"svg"})");
  EXPECT_STREQ(response.content_type, "image/svg+xml");
  EXPECT_TRUE(response.page);
  ASSERT_EQ(collector_.written_questions().size(), 3u);
  EXPECT_EQ(collector_.written_questions()[0].question, "dst_as by bytes");
  EXPECT_EQ(collector_.written_questions()[0].store, "memory");
  EXPECT_EQ(collector_.written_questions()[1].saved, "peering");
  EXPECT_EQ(collector_.written_questions()[1].format, "json");

  const std::string deep(60000, '[');
  for (const auto& [body, text] : std::vector<std::pair<std::string, std::string>>{
           {"dst_as", "no JSON at octet 1"},
           {deep, "no JSON"},
           {"[]", "an object is needed"},
           {"{}", "give question or saved"},
           {R"({"question":"a","saved":"b"})", "one of them"},
           {R"({"question":1})", "question is a text"},
           {R"({"qestion":"a"})", "did you mean question?"},
           {"{\"question\":\"\xff\"}", "no JSON"},
           {R"({"question":"a","format":"xml"})", "there are table, json, csv, chart, svg"}}) {
    response = ask(body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_TRUE(IsJson(response));
    EXPECT_TRUE(absl::StrContains(response.body, text)) << body.substr(0, 99) << response.body;
  }
  EXPECT_EQ(ask(R"({"saved":"peering"})", "http://evil.example").status, 403);
  EXPECT_EQ(Ask("POST", "/api/v1/query?pipeline=as", "127.0.0.1", "", R"({"saved":"peering"})").status, 400);
  EXPECT_EQ(collector_.written_questions().size(), 3u);
  for (const auto& [status, code] :
       std::vector<std::pair<absl::Status, int>>{{absl::InvalidArgumentError("x"), 400},
                                                 {absl::NotFoundError("x"), 404},
                                                 {absl::ResourceExhaustedError("x"), 422},
                                                 {absl::UnavailableError("x"), 503},
                                                 {absl::DeadlineExceededError("x"), 504}}) {
    collector_.SetAnswer(status);
    EXPECT_EQ(ask(R"({"saved":"peering"})").status, code);
  }
  EXPECT_EQ(Get("/api/v1/questions").body,
            "{\"questions\":[{\"name\":\"peering\",\"ask\":\"top 20 dst_as by bytes from -24h\"}]}\n");
  EXPECT_EQ(Get("/api/v1/questions?x=1").status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/questions").status, 405);
}

TEST_F(AdminApiTest, HistoryIsAskedForAsItIsMeant) {
  EXPECT_EQ(Get("/api/v1/bgp/history?prefix=198.51.100.0/24&peer=192.0.2.1&limit=5").status, 200);
  EXPECT_EQ(Get("/api/v1/bgp/history").status, 200);
  EXPECT_EQ(Get("/api/v1/bgp/history?prefixes=1").status, 400);
  EXPECT_EQ(Get("/api/v1/bgp/history?limit=many").status, 400);
  const std::vector<HistoryQuestion> questions = collector_.history_questions();
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0].prefix, "198.51.100.0/24");
  EXPECT_EQ(questions[0].peer, "192.0.2.1");
  EXPECT_EQ(questions[0].limit, 5u);
  EXPECT_EQ(questions[1].limit, 1000u);
}

TEST_F(AdminApiTest, WhatIsNotThere) {
  const AdminResponse response = Get("/api/v1/exproters");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "{\"error\":\"nothing is at this path; did you mean /api/v1/exporters?\"}\n");
  EXPECT_EQ(Get("/").status, 404);
  EXPECT_EQ(Get("/api/v1/status/../reload").status, 404);
  EXPECT_EQ(Get("/api/v1/status?x=1").status, 400);
  EXPECT_EQ(Get("/api/v1/%zz").status, 400);
  EXPECT_EQ(Get("status").status, 400);
  EXPECT_TRUE(IsJson(Get("/\"")));
  EXPECT_EQ(api_.counters().requests_failed, 7u);
}

TEST_F(AdminApiTest, Methods) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
    const AdminResponse response = Ask(method, "/api/v1/status");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_STREQ(response.allow, "GET, HEAD");
  }
  EXPECT_STREQ(Get("/api/v1/reload").allow, "POST");
  EXPECT_STREQ(Ask("PUT", "/api/v1/query?pipeline=as").allow, "GET, HEAD, POST");
  EXPECT_EQ(collector_.reloads(), 0);
}

TEST_F(AdminApiTest, HealthIsThatAllThreadsGoRound) {
  collector_.Set([](CollectorStatus* s) { s->last_round = s->now - absl::Seconds(30); });
  EXPECT_EQ(Get("/healthz").status, 200);
  collector_.Set([](CollectorStatus* s) { s->last_round = s->now - absl::Seconds(31); });
  const AdminResponse response = Get("/healthz");
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(absl::StrContains(response.body, "last heard of 31s ago")) << response.body;
  // Where no thread tells, none hangs.
  collector_.Set([](CollectorStatus* s) { s->last_round = absl::InfiniteFuture(); });
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(AdminApiTest, NotReadySaysWhy) {
  collector_.Set([](CollectorStatus* s) {
    s->ready = false;
    s->not_ready = "networks are being read";
    s->inputs[1].up = false;
    s->inputs[1].trouble = "certificate expired";
  });
  const AdminResponse response = Get("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "{\"error\":\"networks are being read; input tls is down: certificate expired\"}\n");
  collector_.Set([](CollectorStatus* s) { *s = CollectorStatus(); });
  EXPECT_EQ(Get("/readyz").body, "{\"error\":\"not ready\"}\n");
}

TEST_F(AdminApiTest, ExportersAndTemplates) {
  EXPECT_FALSE(absl::StrContains(Get("/api/v1/exporters").body, "sourceIPv4Address"));
  EXPECT_TRUE(absl::StrContains(Get("/api/v1/exporters?templates=1").body, "sourceIPv4Address"));
  const std::string one = Get("/api/v1/exporters?exporter=2001:DB8:0::7").body;
  EXPECT_TRUE(absl::StrContains(one, "2001:db8::7"));
  EXPECT_FALSE(absl::StrContains(one, "192.0.2.10"));
  EXPECT_TRUE(absl::StrContains(Get("/api/v1/exporters?limit=1").body, "\"more\":2}"));
  EXPECT_EQ(Get("/api/v1/exporters?exporter=10.0.0.1").body, "{\"exporters\":[],\"more\":0}\n");
  EXPECT_EQ(Get("/api/v1/exporters?exporter=router1").status, 400);
  EXPECT_EQ(Get("/api/v1/exporters?limit=-1").status, 400);
  EXPECT_TRUE(absl::StrContains(Get("/api/v1/templates?exporter=192.0.2.10").body, "\"id\":257"));
  EXPECT_EQ(Get("/api/v1/templates?exporter=192.0.2.30").body, "{\"templates\":[],\"more\":0}\n");
}

TEST_F(AdminApiTest, ManyExportersAreBounded) {
  collector_.SetExporters(ManyExporters(10001));
  EXPECT_TRUE(absl::EndsWith(Get("/api/v1/exporters").body, "\"more\":1}\n"));
  EXPECT_TRUE(absl::EndsWith(Get("/api/v1/exporters?limit=20000").body, "\"more\":0}\n"));
  const std::string metrics = Get("/metrics").body;
  EXPECT_TRUE(absl::StrContains(metrics, "flowacct_exporters_summed 9001\n"));
  EXPECT_TRUE(absl::StrContains(
      metrics, "flowacct_exporter_datagrams_total{exporter=\"others\",protocol=\"\",domain=\"\"} 50405600\n"))
      << metrics.substr(0, 100);
}

TEST_F(AdminApiTest, Query) {
  const AdminResponse response = Get("/api/v1/query?pipeline=as&by=src_as&top=3&since=5m");
  EXPECT_EQ(response.body, FakeCollector::kAnswer);
  ASSERT_EQ(collector_.questions().size(), 1u);
  EXPECT_EQ(collector_.questions()[0].by, "src_as");
  EXPECT_EQ(collector_.questions()[0].top, 3u);
  EXPECT_FALSE(collector_.questions()[0].reset);
  // However much is asked, an answer is bounded.
  Get("/api/v1/query?pipeline=as");
  Get("/api/v1/query?pipeline=as&top=18446744073709551615");
  EXPECT_EQ(collector_.questions()[1].top, AdminApiOptions().max_query_rows);
  EXPECT_EQ(collector_.questions()[2].top, AdminApiOptions().max_query_rows);
}

TEST_F(AdminApiTest, ResetIsNoRead) {
  EXPECT_EQ(Get("/api/v1/query?pipeline=as&reset=1").status, 405);
  EXPECT_TRUE(collector_.questions().empty());
  EXPECT_EQ(Ask("POST", "/api/v1/query?pipeline=as&reset=1").status, 200);
  EXPECT_TRUE(collector_.questions()[0].reset);
}

TEST_F(AdminApiTest, Gtp) {
  using Of = SessionsQuestion::Of;
  EXPECT_EQ(Get("/api/v1/gtp/sessions?apn=internet&ended=1&limit=5").body, FakeCollector::kAnswer);
  EXPECT_EQ(Get("/api/v1/gtp/sessions?limit=0").body, FakeCollector::kAnswer);
  EXPECT_EQ(Get("/api/v1/gtp/subscriber?imsi=262011234567890").body, FakeCollector::kAnswer);
  EXPECT_EQ(Get("/api/v1/gtp/peers").body, FakeCollector::kAnswer);
  EXPECT_EQ(Get("/api/v1/gtp/unmatched").body, FakeCollector::kAnswer);
  EXPECT_EQ(Get("/api/v1/gtp/peers?imsi=1").status, 400);
  const std::vector<SessionsQuestion> questions = collector_.sessions_questions();
  ASSERT_EQ(questions.size(), 5u);
  EXPECT_EQ(questions[0].of, Of::kSessions);
  EXPECT_EQ(questions[0].apn, "internet");
  EXPECT_TRUE(questions[0].ended);
  EXPECT_EQ(questions[0].limit, 5u);
  EXPECT_EQ(questions[1].limit, 100000u);
  EXPECT_EQ(questions[2].of, Of::kSubscriber);
  EXPECT_EQ(questions[2].imsi, "262011234567890");
  EXPECT_EQ(questions[3].of, Of::kPeers);
  EXPECT_EQ(questions[4].of, Of::kUnmatched);
  const std::string metrics = Get("/metrics").body;
  for (const char* line :
       {"flowacct_gtp_contexts 81\n", "flowacct_gtp_messages_rejected_total{reason=\"truncated\"} 85\n",
        "flowacct_gtp_events_total{event=\"path_changes\"} 88\n",
        "flowacct_pipeline_records_held{pipeline=\"as\"} 999\n"}) {
    EXPECT_TRUE(absl::StrContains(metrics, line)) << line;
  }
}

TEST_F(AdminApiTest, Igp) {
  using Of = IgpQuestion::Of;
  const std::pair<const char*, Of> kPaths[] = {
      {"neighbors", Of::kNeighbors},
      {"lsdb?router=ams1&level=2&at=2026-03-01T12:00:00Z", Of::kDatabase},
      {"routes?router=ams1&prefix=192.0.2.0/24", Of::kRoutes},
      {"path?from=ams1&to=fra1&topology=2", Of::kPaths},
      {"spf?router=ams1", Of::kSpf},
      {"lfa", Of::kAlternates},
      {"traffic?pipeline=as&bins=5m&by=customer&limit=7", Of::kTraffic},
      {"whatif?pipeline=as&fail=ams1-fra1,duct7&threshold=80", Of::kWhatIf},
      {"diff?since=2026-03-01T12:00:00Z", Of::kDiff},
      {"draw", Of::kDraw},
      {"topology", Of::kTopology},
  };
  for (const auto& [path, of] : kPaths) {
    EXPECT_EQ(Get(absl::StrCat("/api/v1/igp/", path)).body, FakeCollector::kAnswer) << path;
    ASSERT_FALSE(collector_.igp_questions().empty()) << path;
    EXPECT_EQ(collector_.igp_questions().back().of, of) << path;
  }
  const std::vector<IgpQuestion> questions = collector_.igp_questions();
  EXPECT_EQ(questions[1].router, "ams1");
  EXPECT_EQ(questions[1].level, 2u);
  EXPECT_EQ(questions[1].at, "2026-03-01T12:00:00Z");
  EXPECT_EQ(questions[2].prefix, "192.0.2.0/24");
  EXPECT_EQ(questions[3].router, "ams1");
  EXPECT_EQ(questions[3].to, "fra1");
  EXPECT_EQ(questions[3].topology, 2u);
  EXPECT_EQ(questions[6].pipeline, "as");
  EXPECT_EQ(questions[6].bins, absl::Minutes(5));
  EXPECT_EQ(questions[6].label, "customer");
  EXPECT_EQ(questions[6].limit, 7u);
  EXPECT_EQ(questions[7].failures, (std::vector<std::string>{"ams1-fra1", "duct7"}));
  EXPECT_EQ(questions[7].threshold, 0.8);
  EXPECT_EQ(questions[8].since, "2026-03-01T12:00:00Z");
  for (const char* wrong : {"neighbors?router=x", "lsdb?level=3", "path?topology=1", "traffic?bins=soon"}) {
    EXPECT_EQ(Get(absl::StrCat("/api/v1/igp/", wrong)).status, 400) << wrong;
  }
  EXPECT_EQ(Get("/api/v1/igp/weather").status, 404);
  EXPECT_EQ(Get("/api/v1/igp/draw").content_type, absl::string_view("image/svg+xml"));
  const std::string metrics = Get("/metrics").body;
  for (const char* line : {"flowacct_igp_adjacencies{circuit=\"gre 192.0.2.9 192.0.2.1\",level=\"2\"} 1\n",
                           "flowacct_igp_pdus_total{circuit=\"gre 192.0.2.9 192.0.2.1\",verdict=\"bad_checksum\"} 65\n",
                           "flowacct_igp_events_total{event=\"adjacencies_up\"} 66\n",
                           "flowacct_igp_links{level=\"2\"} 69\n", "flowacct_igp_computation_seconds_total 1.5\n"}) {
    EXPECT_TRUE(absl::StrContains(metrics, line)) << line;
  }
}

TEST_F(AdminApiTest, Rpki) {
  EXPECT_EQ(Get("/api/v1/rpki").body, FakeCollector::kAnswer);
  EXPECT_EQ(Get("/api/v1/rpki/validate?prefix=2001:db8::/32&as=AS64500").body, FakeCollector::kAnswer);
  ASSERT_EQ(collector_.rpki_questions().size(), 2u);
  EXPECT_EQ(collector_.rpki_questions()[0].prefix, "");
  EXPECT_EQ(collector_.rpki_questions()[1].prefix, "2001:db8::/32");
  EXPECT_EQ(collector_.rpki_questions()[1].as, "AS64500");
  // What is forgotten is not taken for something.
  EXPECT_EQ(Get("/api/v1/rpki/validate?prefix=2001:db8::/32").status, 400);
  EXPECT_EQ(Get("/api/v1/rpki/validate?as=1").status, 400);
  EXPECT_EQ(Get("/api/v1/rpki?prefix=10.0.0.0/8").status, 400);
  EXPECT_EQ(collector_.rpki_questions().size(), 2u);
  const std::string metrics = Get("/metrics").body;
  for (const char* line : {"flowacct_rpki_validating 1\n", "flowacct_rpki_vrps 71\n",
                           "flowacct_rpki_cache_synchronized{cache=\"tcp://192.0.2.8:323\"} 1\n",
                           "flowacct_rpki_updated_timestamp_seconds{source=\"tcp://192.0.2.8:323\"} 1767225600\n",
                           "flowacct_rpki_file_failures_total{file=\"/var/lib/rpki-client/json\"} 79\n"}) {
    EXPECT_TRUE(absl::StrContains(metrics, line)) << line;
  }
}

TEST_F(AdminApiTest, ErrorsOfTheCollector) {
  const std::pair<absl::Status, int> kCases[] = {
      {absl::NotFoundError("no pipeline is called \"ass\"; did you mean as?"), 404},
      {absl::InvalidArgumentError("x"), 400},
      {absl::FailedPreconditionError("x"), 409},
      {absl::ResourceExhaustedError("x"), 503},
      {absl::UnavailableError("x"), 503},
      {absl::DeadlineExceededError("x"), 504},
      {absl::UnimplementedError("x"), 501},
      {absl::PermissionDeniedError("x"), 403},
      {absl::InternalError("x"), 500},
  };
  for (const auto& [error, status] : kCases) {
    collector_.SetAnswer(error);
    const AdminResponse response = Get("/api/v1/query?pipeline=as");
    EXPECT_EQ(response.status, status) << error;
    EXPECT_TRUE(IsJson(response)) << response.body;
    EXPECT_TRUE(absl::StrContains(response.body, "{\"error\":\"")) << response.body;
  }
}

TEST_F(AdminApiTest, Reload) {
  EXPECT_EQ(Ask("POST", "/api/v1/reload").body, "{\"reloaded\":true}\n");
  EXPECT_EQ(collector_.reloads(), 1);
  collector_.SetReload(absl::InvalidArgumentError("collector.conf:3:1: by: no field is called \"x\""));
  const AdminResponse response = Ask("POST", "/api/v1/reload");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.body, "{\"error\":\"collector.conf:3:1: by: no field is called \\\"x\\\"\"}\n");
  EXPECT_EQ(Ask("POST", "/api/v1/reload?now=1").status, 400);
}

// A stranger's name that stands for our address; a page of another site.
TEST_F(AdminApiTest, NamesThatAreNotOurs) {
  for (const char* host : {"evil.example:2112", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example"}) {
    EXPECT_EQ(Ask("POST", "/api/v1/reload", host).status, 403) << host;
    EXPECT_EQ(Ask("GET", "/api/v1/status", host).status, 403) << host;
    EXPECT_EQ(Ask("GET", "/metrics", host).status, 200) << host;
  }
  EXPECT_EQ(api_.counters().requests_refused, 8u);
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:2112", "[::1]:2112", "[2001:db8::1]", "localhost:9", "LocalHost", ""}) {
    EXPECT_EQ(Ask("POST", "/api/v1/reload", host).status, 200) << host;
  }
  EXPECT_EQ(collector_.reloads(), 7);
  EXPECT_EQ(Ask("POST", "/api/v1/reload", "127.0.0.1:2112", "http://127.0.0.1:2112").status, 200);
  for (const char* origin : {"https://evil.example", "null", "http://127.0.0.1", "http://localhost:2112"}) {
    EXPECT_EQ(Ask("POST", "/api/v1/reload", "127.0.0.1:2112", origin).status, 403) << origin;
  }
  EXPECT_EQ(collector_.reloads(), 8);

  AdminApiOptions options;
  options.hosts = {"collector.example"};
  AdminApi named(&collector_, options);
  AdminRequest request;
  request.method = "POST";
  request.target = "/api/v1/reload";
  request.host = "Collector.Example:2112";
  EXPECT_EQ(named.Answer(request).status, 200);
  // No browser reaches a UNIX socket.
  request.host = "evil.example";
  EXPECT_EQ(named.Answer(request).status, 403);
  request.local = true;
  EXPECT_EQ(named.Answer(request).status, 200);
}

}  // namespace
}  // namespace flowacct::collector
