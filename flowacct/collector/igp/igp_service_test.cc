// A service with files, and with simulated routers behind a tunnel in a network namespace of the test's own.

#include "flowacct/collector/igp/igp_service.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/igp/igp_demands.h"
#include "flowacct/collector/igp/testing/sim_isis.h"
#include "flowacct/collector/socket/testing/network_namespace.h"
#include "flowacct/topology/topology_file.h"

namespace flowacct::collector {
namespace {

using Of = IgpQuestion::Of;

constexpr char kNetwork[] = R"(
node ams id 0000.0000.0001 router-id 192.0.2.1
node fra id 0000.0000.0002 router-id 192.0.2.2
link ams fra metric 10 capacity 10G group duct
prefix fra 198.51.100.0/24
)";

bool Eventually(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (absl::Now() < deadline) {
    if (condition()) return true;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return condition();
}

class IgpServiceTest : public testing::Test {
 protected:
  static IgpFileContents Contents(const std::string& text) {
    auto parsed = topology::ParseTopologyFile(text, "network");
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return {std::move(parsed->advertisements), std::move(parsed->groups)};
  }

  // Of IS-IS over a tunnel from 127.0.0.1.
  static IgpServiceOptions Isis(const std::vector<std::string>& remotes = {"127.0.0.2"}) {
    IgpServiceOptions options;
    isis::InstanceOptions& isis = options.isis.emplace();
    isis.system = *isis::SystemId::Parse("0000.0000.f10a");
    isis.areas = {*isis::AreaAddress::Parse("49.0001")};
    isis.hostname = "flowacct";
    options.topology.backoff.initial_delay_nanos = 10'000'000;
    options.topology.backoff.short_delay_nanos = 20'000'000;
    options.topology.backoff.long_delay_nanos = 100'000'000;
    for (const std::string& remote : remotes) {
      IgpCircuit& circuit = options.circuits.emplace_back();
      circuit.circuit.gre = {*base::IpAddress::Parse("127.0.0.1"), *base::IpAddress::Parse(remote), {}};
      circuit.circuit.options.hello_seconds = 1;
      circuit.circuit.options.mtu = 1400;
      circuit.said = remote;
    }
    return options;
  }

  std::shared_ptr<IgpService> New(IgpServiceOptions options) {
    options.log = [this](absl::string_view line) {
      base::MutexLock lock(&mutex_);
      log_ += absl::StrCat(line, "\n");
    };
    options.note = options.log;
    auto service = IgpService::New(std::move(options));
    EXPECT_TRUE(service.ok()) << service.status();
    return service.ok() ? *std::move(service) : nullptr;
  }
  bool Logged(absl::string_view text) {
    base::MutexLock lock(&mutex_);
    return absl::StrContains(log_, text);
  }

  // How many rows an answer has.
  static size_t Rows(const IgpService& service, const IgpQuestion& question) {
    const auto json = service.Ask(question);
    EXPECT_TRUE(json.ok()) << json.status();
    if (!json.ok()) return 0;
    const auto answer = QueryAnswer::FromJson(*json);
    EXPECT_TRUE(answer.ok()) << answer.status() << *json;
    return answer.ok() ? answer->rows.size() : 0;
  }
  static IgpQuestion Question(Of of, const std::string& router = "", const std::string& to = "") {
    IgpQuestion question;
    question.of = of;
    question.router = router;
    question.to = to;
    return question;
  }

  base::Mutex mutex_;
  std::string log_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(IgpServiceTest, FilesAreATopologyAtOnce) {
  IgpServiceOptions options;
  options.files = Contents(kNetwork);
  auto exporters = std::make_shared<enrich::IgpExporters>();
  exporters->Add(*base::IpPrefix::Parse("10.0.0.1"), std::nullopt, "ams");
  exporters->Add(*base::IpPrefix::Parse("10.0.0.2"), std::nullopt, "atlantis");
  options.exporters = {exporters, {"ams", "atlantis"}};
  const auto service = New(std::move(options));
  service->Start();
  ASSERT_NE(service->published()->Get(), nullptr);
  EXPECT_EQ(service->Status().links_2, 2u);
  EXPECT_EQ(Rows(*service, Question(Of::kDatabase)), 2u);
  EXPECT_EQ(Rows(*service, Question(Of::kRoutes, "ams")), 1u);
  EXPECT_EQ(Rows(*service, Question(Of::kPaths, "ams", "198.51.100.7")), 1u);
  EXPECT_EQ(Rows(*service, Question(Of::kSpf, "ams")), 2u);
  EXPECT_GT(Rows(*service, Question(Of::kAlternates)), 0u);
  const auto none = service->Ask(Question(Of::kNeighbors));
  EXPECT_TRUE(absl::IsFailedPrecondition(none.status())) << none.status();
  const auto nowhere = service->Ask(Question(Of::kPaths, "ams", "atlantis"));
  EXPECT_TRUE(absl::IsInvalidArgument(nowhere.status())) << nowhere.status();
  // Who is unknown is told, once.
  ASSERT_TRUE(Eventually([&] { return Logged("atlantis"); }));
  EXPECT_FALSE(Logged("\"ams\""));

  IgpQuestion traffic = Question(Of::kTraffic);
  EXPECT_TRUE(absl::IsInvalidArgument(service->Ask(traffic).status()));
  traffic.demands = "exporter,dst_addr,bytes\n10.0.0.1,198.51.100.7,1000\n";
  const auto load = service->Ask(traffic);
  ASSERT_TRUE(load.ok()) << load.status();
  EXPECT_TRUE(absl::StrContains(*load, "\"ams\"") && absl::StrContains(*load, "\"report\":[\"")) << *load;
  traffic.of = Of::kWhatIf;
  traffic.failures = {"duct"};
  EXPECT_TRUE(service->Ask(traffic).ok()) << service->Ask(traffic).status();
  traffic.of = Of::kDraw;
  EXPECT_TRUE(absl::StrContains(*service->Ask(traffic), "<svg"));
  const auto text = service->Ask(Question(Of::kTopology));
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(topology::ParseTopologyFile(*text, "again")->advertisements.size(), 2u) << *text;

  // Whose ways somebody wants are made ready.
  const auto ams = topology::ParseNode(topology::NodeStyle::kIsis, "0000.0000.0001");
  service->wanted()->Note(*ams, false);
  EXPECT_TRUE(Eventually([&] { return service->published()->Get()->PathsOf(*ams) != nullptr; }));
}

TEST_F(IgpServiceTest, FilesThatAreReadAgainTakeThePlaceOfWhatTheySaid) {
  IgpServiceOptions options;
  options.files = Contents(kNetwork);
  const auto service = New(options);
  service->Start();
  const absl::Time before = absl::Now();
  absl::SleepFor(absl::Milliseconds(2));
  options.files = Contents("node ams id 0000.0000.0001\nnode par id 0000.0000.0003\nlink ams par metric 5\n");
  auto change = service->Prepare(options);
  ASSERT_TRUE(change.ok()) << change.status();
  ASSERT_TRUE(service->Commit(*std::move(change)).ok());
  ASSERT_EQ(Rows(*service, Question(Of::kDatabase, "par")), 1u);
  EXPECT_TRUE(absl::IsInvalidArgument(service->Ask(Question(Of::kDatabase, "fra")).status()));
  IgpQuestion diff = Question(Of::kDiff);
  EXPECT_FALSE(service->Ask(diff).ok());
  diff.since = absl::FormatTime(absl::RFC3339_full, before, absl::UTCTimeZone());
  EXPECT_GT(Rows(*service, diff), 3u);
  diff.since = "yesterday";
  EXPECT_TRUE(absl::IsInvalidArgument(service->Ask(diff).status()));
  IgpQuestion then = Question(Of::kDatabase, "fra");
  then.at = absl::FormatTime(absl::RFC3339_full, before, absl::UTCTimeZone());
  EXPECT_EQ(Rows(*service, then), 2u);  // the link, and the prefix
}

TEST(IgpDemandRowsTest, AnAnswerBecomesRows) {
  std::string csv;
  double seconds = 0;
  const absl::Time now = absl::FromUnixSeconds(1'772'366'430);  // 2026-03-01T12:00:30Z
  ASSERT_TRUE(ReadDemandRows(R"({"pipeline":"p","from":"2026-03-01T12:00:00Z","to":"2026-03-01T12:01:00Z","groups":2,
                               "columns":["exporter","dst_addr","bytes"],
                               "rows":[["10.0.0.1","a\"b",12],["10.0.0.2",null,18446744073709551615]]})",
                             now, &csv, &seconds)
                  .ok());
  EXPECT_EQ(csv,
            "\"exporter\",\"dst_addr\",\"bytes\"\n\"10.0.0.1\",\"a\"\"b\",\"12\"\n\"10.0.0.2\",,"
            "\"18446744073709551615\"\n");
  EXPECT_EQ(seconds, 30);
  for (const char* wrong : {"", "[]", "{}", R"({"columns":[],"rows":[1]})", R"({"columns":1,"rows":[]})"}) {
    EXPECT_FALSE(ReadDemandRows(wrong, now, &csv, &seconds).ok()) << wrong;
  }
}

TEST_F(IgpServiceTest, RoutersTellAndAreKeptOverARestart) {
  const std::string reason = InNetworkNamespace([this] {
    std::string saved;
    {
      SimIsis network(3, "127.0.0.2", "127.0.0.1");
      const auto service = New(Isis());
      ASSERT_NE(service, nullptr);
      service->Start();
      // r1 to r2 to r3, in both directions: nobody is reached by us.
      ASSERT_TRUE(Eventually([&] { return service->Status().links_2 == 4; })) << service->Status().links_2;
      EXPECT_EQ(service->Status().links_1, 4u);
      EXPECT_EQ(Rows(*service, Question(Of::kNeighbors)), 1u);
      ASSERT_TRUE(Eventually([&] { return Logged("adjacency with 0000.0000.0001"); }));
      EXPECT_EQ(Rows(*service, Question(Of::kPaths, "r1", "10.3.1.7")), 2u);
      // A link fails, and comes back.
      network.SetLink(2, false);
      ASSERT_TRUE(Eventually([&] { return service->Status().links_2 == 2; }));
      network.SetLink(2, true);
      ASSERT_TRUE(Eventually([&] { return service->Status().links_2 == 4; }));
      IgpStatus status = service->Status();
      ASSERT_EQ(status.circuits.size(), 1u);
      EXPECT_EQ(status.circuits[0].adjacencies_1 + status.circuits[0].adjacencies_2, 2u);
      EXPECT_GT(status.circuits[0].pdus.size(), 2u);
      EXPECT_GT(status.circuits[0].sent, 2u);
      EXPECT_EQ(status.kept, 0u);
      EXPECT_GT(service->changes(), 0u);
      service->Stop();
      saved = service->Save();
    }
    // Nobody is there: what was known counts, as long as it lasts.
    IgpServiceOptions options = Isis();
    options.stale_for_nanos = 500'000'000;
    const auto service = New(options);
    ASSERT_TRUE(service->Restore(base::AsOctets(saved)).ok());
    service->Start();
    EXPECT_EQ(service->Status().links_2, 4u);
    const uint64_t kept = service->Status().kept;
    EXPECT_GT(kept, 6u);
    EXPECT_EQ(Rows(*service, Question(Of::kPaths, "r1", "10.3.1.7")), 2u);
    // Two routers of three come back: the third one's goes soon, and the others' are theirs again.
    SimIsis network(2, "127.0.0.2", "127.0.0.1");
    ASSERT_TRUE(Eventually([&] { return service->Status().kept == 0; })) << service->Status().kept;
    ASSERT_TRUE(Eventually([&] { return service->Status().links_2 == 2; })) << service->Status().links_2;
    EXPECT_FALSE(service->Ask(Question(Of::kDatabase, "r3")).ok());
    // A service without IS-IS has no use for what IS-IS said.
    const auto files = New({});
    ASSERT_TRUE(files->Restore(base::AsOctets(saved)).ok());
    EXPECT_EQ(files->Status().advertisements, 0u);
    for (size_t cut = 0; cut < saved.size(); cut += 1 + saved.size() / 97) {
      EXPECT_FALSE(New({})->Restore(base::AsOctets(saved.substr(0, cut))).ok()) << cut;
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

TEST_F(IgpServiceTest, CircuitsComeAndGo) {
  const std::string reason = InNetworkNamespace([this] {
    SimIsis one(1, "127.0.0.2", "127.0.0.1");
    const auto service = New(Isis());
    ASSERT_NE(service, nullptr);
    service->Start();
    // Its name, once that is known, may come between.
    ASSERT_TRUE(Eventually([&] { return Logged("adjacency with 0000.0000.0001") && Logged(" is up"); }));
    // Another tunnel to another router, which has another network: its first one has the number of the others' first.
    const auto up = [&](size_t circuits) {
      const IgpStatus status = service->Status();
      size_t up = 0;
      for (const IgpCircuitStatus& circuit : status.circuits) up += circuit.adjacencies_2;
      return status.circuits.size() == circuits && up == circuits;
    };
    ASSERT_TRUE(Eventually([&] { return up(1); }));
    const uint64_t sent = service->Status().circuits[0].sent;
    auto change = service->Prepare(Isis({"127.0.0.2", "127.0.0.3"}));
    ASSERT_TRUE(change.ok()) << change.status();
    EXPECT_EQ(change->fresh.size(), 1u);
    EXPECT_TRUE(change->gone.empty());
    ASSERT_TRUE(service->Commit(*std::move(change)).ok());
    EXPECT_EQ(service->Status().circuits.size(), 2u);
    EXPECT_GE(service->Status().circuits[0].sent, sent);
    // One that cannot be opened changes nothing.
    IgpServiceOptions wrong = Isis({"127.0.0.3"});
    wrong.circuits[0].said = "new";
    wrong.circuits[0].circuit.gre->local = *base::IpAddress::Parse("203.0.113.9");
    EXPECT_FALSE(service->Prepare(wrong).ok());
    EXPECT_EQ(service->Status().circuits.size(), 2u);
    // The first goes.
    change = service->Prepare(Isis({"127.0.0.3"}));
    ASSERT_TRUE(change.ok()) << change.status();
    ASSERT_TRUE(service->Commit(*std::move(change)).ok());
    EXPECT_EQ(service->Status().circuits.size(), 1u);
    ASSERT_TRUE(Eventually([&] { return Logged(" went down"); }));
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

TEST_F(IgpServiceTest, AStormIsComputedSeldom) {
  const std::string reason = InNetworkNamespace([this] {
    SimIsis network(4, "127.0.0.2", "127.0.0.1");
    const auto service = New(Isis());
    ASSERT_NE(service, nullptr);
    service->Start();
    ASSERT_TRUE(Eventually([&] { return service->Status().links_2 == 6; }));
    const IgpStatus before = service->Status();
    const absl::Time begin = absl::Now();
    // Prefixes do not wait for computations.
    for (int i = 0; i < 20; ++i) {
      network.SetPrefixes(4, i % 2 == 0 ? 200 : 3);
      absl::SleepFor(absl::Milliseconds(100));
      (void)service->Ask(Question(Of::kDatabase));
    }
    network.SetPrefixes(4, 3);
    ASSERT_TRUE(Eventually([&] { return service->Status().prefixes == 12; })) << service->Status().prefixes;
    const IgpStatus after = service->Status();
    const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    EXPECT_LE(static_cast<double>(after.computations - before.computations), seconds * 10 + 4);
    EXPECT_EQ(after.refused, 0u);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
