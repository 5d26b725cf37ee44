// What is explained is what a replay does: the last value of each field of every record against the replay of the same
// capture with the same enrichers, and what is told of it against the capture.

#include "flowacct/collector/explain/explanation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/collector/capture/capture_file_builder.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "flowacct/collector/mrt/testing/mrt_text.h"
#include "flowacct/collector/replay/replay.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/flow/template/testing/message_builder.h"
#include "flowacct/record/value_text.h"
#include "flowacct/sink/sink.h"

namespace flowacct::collector {
namespace {

using F = record::FieldId;
using flow::testing::MessageBuilder;

std::string TempPath(absl::string_view name) { return absl::StrCat(::testing::TempDir(), "/explanation-", name); }

void WriteFile(const std::string& path, absl::string_view octets) {
  std::ofstream(path, std::ios::binary).write(octets.data(), static_cast<std::streamsize>(octets.size()));
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// "field=value ..." of what is no counter, and the sums of counters.
using Accounted = std::map<std::string, std::vector<uint64_t>>;
constexpr F kSums[] = {F::kPackets, F::kBytes, F::kFlows};

bool IsKey(F field) { return record::Info(field).kind != record::FieldKind::kCounter; }

class CollectingSink : public sink::Sink {
 public:
  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    const record::Layout all = record::Layout::All();  // in the registry's order
    for (size_t i = 0; i < batch.size(); ++i) {
      EXPECT_FALSE(batch.is_overflow(i));
      const record::RowView row = batch.key(i);
      std::vector<std::string> parts;
      for (F field : all.fields()) {
        if (!row.layout().Has(field) || !row.Has(field)) continue;
        std::string json;
        record::AppendJson(row, field, batch.interner(), &json);
        parts.push_back(absl::StrCat(record::Info(field).name, "=", json));
      }
      std::vector<uint64_t>& sums = accounted[absl::StrJoin(parts, " ")];
      sums.resize(std::size(kSums));
      for (size_t c = 0; c < sums.size(); ++c) sums[c] += batch.value(i, c);
    }
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }
  Accounted accounted;
};

constexpr char kNetworks[] =
    "prefix,as,name,src:tag2\n"
    "192.0.2.0/24,64496,documentation,5\n"
    "198.51.0.0/16,64497,more,\n"
    "2001:db8::/33,64498,six,6\n";
constexpr char kRules[] =
    "set tag 7, label \"a\", continue where exists(src_addr)\n"
    "drop where dst_port = 53\n"
    "add tag 1, goto end where dst_port > 1000\n"
    "set tag 99, src_as 64511\n"
    "end: append label b, copy dst_as to peer_dst_as\n"
    "list second\n"
    "unset src_mask where protocol = 17\n";
constexpr char kPlainRules[] = "set tag 1\nset label b\nlist c\ndrop where dst_port = 1\n";

class ExplanationTest : public ::testing::Test {
 protected:
  // With all enrichers that need no file of others.
  void Enrich() {
    MrtText mrt;
    mrt.Peers({{"192.0.2.1", 64500, "10.9.9.1"}, {"203.0.113.2", 64501, "192.0.2.2"}, {"203.0.113.3", 64502, ""}});
    mrt.Entry(0, "192.0.2.0/25", {64500, 65001}, "203.0.113.2", {0xfbf40001});
    mrt.Entry(1, "192.0.2.0/24", {64501, 65002, 65003}, "203.0.113.9");
    mrt.Entry(2, "192.0.2.0/24", {64502, 65003}, "203.0.113.10");
    mrt.Entry(2, "0.0.0.0/0", {64502, 65004}, "203.0.113.10");
    mrt.Entry(2, "2001:db8::/32", {64502, 65005}, "2001:db8::1");
    auto routes = OfflineRoutes::LoadOctets(mrt.text(), "routes.mrt");
    ASSERT_TRUE(routes.ok()) << routes.status();
    options_.routes = (*routes)->tables();
    options_.routes_owner = *routes;
    options_.routes_options.follow_default = 1;
    options_.routes_options.follow_next_hop = {*base::IpPrefix::Parse("203.0.113.0/24")};
    auto networks = enrich::Networks::Parse(kNetworks, "networks.csv");
    ASSERT_TRUE(networks.ok()) << networks.status();
    options_.networks = std::make_shared<const enrich::Networks>(*std::move(networks));
    options_.networks_name = "networks.csv";
    auto services = enrich::Services::Parse("https 443/tcp\ndomain 53/udp\n", "services");
    ASSERT_TRUE(services.ok()) << services.status();
    options_.services = *std::move(services);
    options_.services_name = "services";
    options_.rules = {{"customers.rules", kRules}};
  }

  Accounted Replayed() {
    ReplayOptions replay;
    replay.files = options_.files;
    replay.input = options_.input;
    replay.pipeline.sampling = options_.sampling;
    std::vector<enrich::EnricherFactory>& enrichers = replay.pipeline.enrichers;
    if (options_.routes.has_value()) {
      enrichers.push_back(
          enrich::RoutesEnricher::Factory(options_.routes_owner, *options_.routes, options_.routes_options));
    }
    if (options_.networks != nullptr) {
      enrichers.push_back(enrich::NetworksEnricher::Factory(options_.networks, options_.networks_policy));
    }
    if (options_.services != nullptr) enrichers.push_back(enrich::ServicesEnricher::Factory(options_.services));
    if (!options_.rules.empty()) {
      auto rules = enrich::Rules::Parse(options_.rules);
      EXPECT_TRUE(rules.ok()) << rules.status();
      enrichers.push_back(enrich::RulesEnricher::Factory(*std::move(rules)));
    }
    CollectingSink sink;
    replay.pipeline.aggregations.resize(1);
    const record::Layout all = record::Layout::All();
    for (F field : all.fields()) {
      if (IsKey(field)) replay.pipeline.aggregations[0].aggregator.by.emplace_back(record::Info(field).name);
    }
    replay.pipeline.aggregations[0].aggregator.values = {"packets", "bytes", "flows"};
    replay.pipeline.aggregations[0].sink = &sink;
    const auto outcome = Replay(std::move(replay));
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    dropped_ = outcome->records_dropped;
    return sink.accounted;
  }

  Explanation Explained() {
    auto explanation = Explain(options_);
    EXPECT_TRUE(explanation.ok()) << explanation.status();
    return explanation.ok() ? *std::move(explanation) : Explanation();
  }

  // Each record of options_.files, those that are dropped aside.
  void CheckAgainstReplay() {
    const Accounted wanted = Replayed();
    options_.limit = 1000000;
    const Explanation explanation = Explained();
    EXPECT_TRUE(explanation.failures.empty());
    EXPECT_EQ(explanation.records_seen, explanation.records.size() + dropped_);
    Accounted told;
    for (const ExplainedRecord& record : explanation.records) {
      SCOPED_TRACE(absl::StrCat(record.file, " record ", record.number));
      std::vector<std::string> parts;
      std::vector<uint64_t> sums(std::size(kSums));
      for (const ExplainedField& field : record.fields) {
        ASSERT_FALSE(field.steps.empty());
        for (const ExplainedStep& step : field.steps) {
          EXPECT_NE(step.by, "pipeline") << record::Info(field.field).name;
          EXPECT_FALSE(step.detail.empty()) << record::Info(field.field).name << " by " << step.by;
        }
        const std::string& json = field.steps.back().value.json;
        if (json.empty()) continue;
        if (IsKey(field.field)) parts.push_back(absl::StrCat(record::Info(field.field).name, "=", json));
        for (size_t c = 0; c < sums.size(); ++c) {
          if (kSums[c] != field.field) continue;
          EXPECT_TRUE(absl::SimpleAtoi(json, &sums[c])) << json;
        }
      }
      std::vector<uint64_t>& place = told[absl::StrJoin(parts, " ")];
      place.resize(sums.size());
      for (size_t c = 0; c < sums.size(); ++c) place[c] += sums[c];
      CheckRoutes(record);
    }
    EXPECT_EQ(told.size(), wanted.size());
    size_t shown = 0;
    for (const auto& [key, sums] : wanted) {
      const auto found = told.find(key);
      if (found != told.end() && found->second == sums) continue;
      ADD_FAILURE() << "not explained: " << key << " | " << absl::StrJoin(sums, " ");
      if (++shown == 3) break;
    }
    for (const auto& [key, sums] : told) {
      if (shown >= 6) break;
      if (wanted.count(key) != 0) continue;
      ADD_FAILURE() << "only explained: " << key << " | " << absl::StrJoin(sums, " ");
      ++shown;
    }
  }

  static const ExplainedStep* StepOf(const ExplainedRecord& record, F field, absl::string_view by) {
    for (const ExplainedField& told : record.fields) {
      if (told.field != field) continue;
      for (const ExplainedStep& step : told.steps) {
        if (step.by == by) return &step;
      }
    }
    return nullptr;
  }

  // The route that is said to have answered is the one that the enricher's fields are of.
  void CheckRoutes(const ExplainedRecord& record) {
    const auto check = [&](const std::vector<enrich::AskedTable>& asked, F source, F net, F path) {
      const auto answer = std::find_if(asked.rbegin(), asked.rend(), [](const auto& table) { return table.answered; });
      const ExplainedStep* told = StepOf(record, source, "routes");
      ASSERT_EQ(answer != asked.rend(), told != nullptr);
      if (told == nullptr) return;
      ++joined_;
      followed_ += answer->followed ? 1 : 0;
      EXPECT_EQ(StepOf(record, net, "routes")->value.text, answer->prefix.ToString());
      EXPECT_EQ(StepOf(record, path, "routes")->value.text, answer->as_path);
    };
    check(record.destination_routes, F::kRouteSource, F::kDstNet, F::kAsPath);
    check(record.source_routes, F::kSrcRouteSource, F::kSrcNet, F::kSrcAsPath);
  }

  ExplainOptions options_;
  uint64_t dropped_ = 0;
  size_t joined_ = 0, followed_ = 0;
};

constexpr const char* kCaptures[] = {
    "packets",         "pmacctd-nfprobe-ipfix",  "pmacctd-nfprobe-v5", "softflowd-v9",
    "pmacctd-sfprobe", "pmacctd-nfprobe-v9",     "softflowd-ipfix",    "softflowd-v5",
    "softflowd-psamp", "softflowd-ipfix-biflow", "quickstart",         "softflowd-v9-sampled"};

TEST_F(ExplanationTest, EveryRecordOfCapturesIsAsItIsReplayed) {
  for (const char* capture : kCaptures) {
    SCOPED_TRACE(capture);
    options_.files = {absl::StrCat("testdata/", capture, ".pcap")};
    CheckAgainstReplay();
  }
}

TEST_F(ExplanationTest, EveryRecordOfWorkloadsIsAsItIsReplayedWithAllEnrichers) {
  Enrich();
  for (const char* kind : {"v5", "v9", "ipfix", "sflow", "packets"}) {
    SCOPED_TRACE(kind);
    WorkloadOptions workload;
    workload.kind = *FindWorkloadKind(kind);
    workload.records = 300;
    workload.exporters = 3;
    workload.documentation_space = true;
    auto generator = NewWorkloadGenerator(workload);
    ASSERT_TRUE(generator.ok()) << generator.status();
    const std::string path = TempPath(absl::StrCat(kind, ".pcap"));
    auto writer = PcapWriter::New(path);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (CapturedPacket packet; (*generator)->Next(&packet);) ASSERT_TRUE((*writer)->Write(packet).ok());
    ASSERT_TRUE((*writer)->Close().ok());
    options_.files = {path};
    CheckAgainstReplay();
  }
  EXPECT_GT(joined_, 100u);
  EXPECT_GT(followed_, 10u);
}

TEST_F(ExplanationTest, PoliciesAndRatesAreToldAsTheyApply) {
  Enrich();
  options_.files = {"testdata/quickstart.pcap"};
  options_.networks_policy = enrich::NetworksPolicy::kLongest;
  options_.routes_options.policy = enrich::RoutesPolicy::kLongest;
  options_.sampling = {10, true};
  CheckAgainstReplay();
  EXPECT_GT(dropped_, 0u);
}

// A capture of datagrams from 192.0.2.1 to the port of IPFIX.
std::string CaptureOf(const std::vector<std::vector<uint8_t>>& messages) {
  std::vector<BuiltPacket> packets;
  for (const std::vector<uint8_t>& message : messages) {
    base::OctetWriter ip;
    const auto udp = static_cast<uint16_t>(8 + message.size());
    ip.U8(0x45).U8(0).U16(static_cast<uint16_t>(20 + udp)).U16(7).U16(0).U8(64).U8(17).U16(0);
    ip.U32(0xc0000201).U32(0xc0000202).U16(4739).U16(4739).U16(udp).U16(0).Bytes(message);
    packets.push_back({int64_t{1700000000} * 1000000000, std::string(base::AsText(ip.octets()))});
  }
  PcapStyle style;
  style.link_type = 101;  // raw IP
  const std::string path = TempPath("built.pcap");
  WriteFile(path, BuildPcap(style, packets));
  return path;
}

std::vector<uint8_t> DataOf(uint32_t sequence) {
  MessageBuilder message(10, sequence);
  message.BeginSet(256);
  message.body().U32(0xc0000205).U32(0xc6336401).U32(1000);
  message.body().U32(0xc0000206).U32(0xc6336402).U32(2000);
  message.EndSet();
  return message.Copy();
}

std::vector<uint8_t> TemplateOf() {
  MessageBuilder message(10);
  message.Template(256, {{8, 4}, {12, 4}, {1, 4}});
  return message.Copy();
}

TEST_F(ExplanationTest, PlacesInTheMessage) {
  options_.files = {CaptureOf({TemplateOf(), DataOf(0)})};
  options_.record = 2;
  const Explanation explanation = Explained();
  ASSERT_EQ(explanation.records.size(), 1u);
  const ExplainedRecord& record = explanation.records[0];
  EXPECT_EQ(record.unit_number, 2u);
  EXPECT_EQ(record.template_id, 256);
  EXPECT_EQ(record.exporter.ToString(), "192.0.2.1");
  EXPECT_EQ(record.domain, 7u);
  ASSERT_TRUE(record.set.has_value());
  EXPECT_EQ(record.set->number, 1u);
  EXPECT_EQ(record.set->offset, 16u);
  EXPECT_EQ(record.set->octets, 28u);
  EXPECT_EQ(record.offset, 32u);
  EXPECT_FALSE(record.held);
  const ExplainedStep* bytes = StepOf(record, F::kBytes, "decoder");
  ASSERT_NE(bytes, nullptr);
  ASSERT_TRUE(bytes->element.has_value());
  EXPECT_EQ(bytes->element->name, "octetDeltaCount");
  EXPECT_EQ(bytes->element->pen, 0u);
  EXPECT_EQ(bytes->element->id, 1);
  EXPECT_EQ(bytes->element->position, 3u);
  EXPECT_EQ(bytes->element->offset, 40u);
  EXPECT_EQ(bytes->element->octets, std::string("\0\0\x07\xd0", 4));
  EXPECT_FALSE(bytes->element->converted);
  EXPECT_EQ(bytes->detail, "octetDeltaCount (1), field 3 of 3, at octet 40, 4 octets: 000007d0");
  EXPECT_TRUE(absl::StrContains(ExplanationAsText(explanation), "set 1 of the message, at octet 16, 28 octets"));
  EXPECT_TRUE(absl::StrContains(ExplanationAsJson(explanation),
                                "\"element\":{\"name\":\"octetDeltaCount\",\"pen\":0,\"id\":1,\"field\":3,\"offset\":"
                                "40,\"octets\":\"000007d0\"}"));
}

TEST_F(ExplanationTest, ARecordThatWaitedForItsTemplate) {
  options_.files = {CaptureOf({DataOf(0), TemplateOf()})};
  const Explanation explanation = Explained();
  ASSERT_EQ(explanation.records.size(), 1u);
  EXPECT_TRUE(explanation.records[0].held);
  EXPECT_FALSE(explanation.records[0].set.has_value());
  EXPECT_EQ(StepOf(explanation.records[0], F::kBytes, "decoder")->value.text, "1000");
}

TEST_F(ExplanationTest, ATemplateThatNeverCame) {
  options_.files = {CaptureOf({DataOf(0)})};
  const Explanation explanation = Explained();
  EXPECT_TRUE(explanation.records.empty());
  EXPECT_EQ(explanation.records_seen, 0u);
}

TEST_F(ExplanationTest, WhyAFieldIsAbsent) {
  Enrich();
  options_.files = {CaptureOf({TemplateOf(), DataOf(0)})};
  options_.fields = {F::kSrcMac,    F::kSrcNetName, F::kDstNetName, F::kStdComm,
                     F::kPeerSrcAs, F::kSrcService, F::kBytes,      F::kLabel};
  options_.rules = {{"plain.rules", kPlainRules}};
  const Explanation explanation = Explained();
  ASSERT_EQ(explanation.records.size(), 1u);
  std::map<F, std::string> why;
  for (const ExplainedField& field : explanation.records[0].fields) {
    why[field.field] = field.steps.empty() ? field.absent : absl::StrCat("= ", field.steps.back().value.text);
  }
  ASSERT_EQ(why.size(), options_.fields.size());
  EXPECT_TRUE(absl::StartsWith(why[F::kSrcMac], "template 256 has none of sourceMacAddress (56)")) << why[F::kSrcMac];
  EXPECT_EQ(why[F::kSrcNetName], "= documentation");
  EXPECT_TRUE(absl::EndsWith(why[F::kDstNetName], "= more")) << why[F::kDstNetName];
  EXPECT_TRUE(absl::EndsWith(why[F::kStdComm], "routes: the route to 0.0.0.0/0 tells none")) << why[F::kStdComm];
  EXPECT_EQ(why[F::kPeerSrcAs], "= 64500");
  EXPECT_TRUE(absl::EndsWith(why[F::kSrcService], "services services: has no name for the port"));
  EXPECT_EQ(why[F::kBytes], "= 1000");
  EXPECT_TRUE(absl::EndsWith(why[F::kLabel], "; rules: none that was met gave it a value")) << why[F::kLabel];
}

TEST_F(ExplanationTest, WhereOneTableAnswersAndAnotherWasAsked) {
  Enrich();
  options_.routes_options.follow_next_hop.clear();
  options_.rules.clear();
  options_.files = {CaptureOf({TemplateOf(), DataOf(0)})};
  const Explanation explanation = Explained();
  ASSERT_EQ(explanation.records.size(), 1u);
  const std::string text = ExplanationAsText(explanation);
  EXPECT_TRUE(absl::StrContains(
      text, "mrt of peer 192.0.2.1, the exporter's own: 192.0.2.0/25 by 203.0.113.2, path 64500 65001"))
      << text;
  EXPECT_TRUE(absl::StrContains(text, "mrt of peer 192.0.2.1, the exporter's own: no route")) << text;
  EXPECT_TRUE(absl::StrContains(text, ", who answers for all: 0.0.0.0/0 by 203.0.113.10, path 64502 65004")) << text;
}

TEST_F(ExplanationTest, ARecordThatRulesDropIsExplainedUpToThere) {
  options_.files = {CaptureOf({TemplateOf(), DataOf(0)})};
  options_.rules = {{"a.rules", "set tag 1, continue\ndrop where src_addr = 192.0.2.5\n"}};
  options_.record = 1;
  const Explanation explanation = Explained();
  ASSERT_EQ(explanation.records.size(), 1u);
  EXPECT_EQ(explanation.records[0].dropped_by, "a.rules:2: drop where src_addr = 192.0.2.5");
  EXPECT_EQ(StepOf(explanation.records[0], F::kTag, "rules")->detail, "a.rules:1: set tag 1, continue");
}

// Cut files and changed octets: whatever it is, it ends, and what is explained is whole.
TEST_F(ExplanationTest, HostileInput) {
  Enrich();
  options_.limit = 50;
  for (const char* capture : {"softflowd-ipfix-biflow", "softflowd-v9-sampled", "pmacctd-sfprobe", "softflowd-psamp"}) {
    const std::string whole = ReadFile(absl::StrCat("testdata/", capture, ".pcap")).substr(0, 3000);
    ASSERT_GT(whole.size(), 1000u);
    const std::string path = TempPath("hostile.pcap");
    options_.files = {path};
    options_.input.as = CaptureKind::kExports;
    for (size_t i = 24; i < whole.size(); i += 61) {
      SCOPED_TRACE(absl::StrCat(capture, " ", i));
      WriteFile(path, whole.substr(0, i));
      for (const ExplainedRecord& record : Explained().records) EXPECT_FALSE(record.fields.empty());
      std::string changed = whole;
      for (size_t at = i; at < changed.size(); at += 509) changed[at] = static_cast<char>(changed[at] ^ (0x80 | i));
      WriteFile(path, changed);
      const Explanation explanation = Explained();
      EXPECT_EQ(ExplanationAsText(explanation).empty(), explanation.records.empty());
      EXPECT_EQ(ExplanationAsJson(explanation).empty(), explanation.records.empty());
    }
  }
}

TEST_F(ExplanationTest, OptionsThatCannotBe) {
  options_.files = {"testdata/quickstart.pcap"};
  options_.where = "dst_port =";
  EXPECT_EQ(Explain(options_).status().code(), absl::StatusCode::kInvalidArgument);
  options_.where = "";
  options_.rules = {{"a.rules", "set nothing 1\n"}};
  EXPECT_TRUE(absl::StrContains(Explain(options_).status().message(), "a.rules:1:5"));
}

}  // namespace
}  // namespace flowacct::collector
