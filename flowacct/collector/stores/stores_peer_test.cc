// One replay of the same capture into every store, then the same ten questions: ten equal answers from each, and equal
// to those of the slow twin in memory.

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/batch_octets.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/replay/replay.h"
#include "flowacct/collector/stores/store_kind.h"
#include "flowacct/collector/stores/testing/store_server.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/sink/testing/ten_questions.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr char kTable[] = "flows";
constexpr uint32_t kBegin = 1699920000;

// A batch that lives longer than the replay.
std::shared_ptr<const aggregate::AggregateBatch> CopyOf(const aggregate::AggregateBatch& batch) {
  std::string octets;
  const absl::Status written = aggregate::WriteBatch(batch, [&octets](base::Octets piece) {
    absl::StrAppend(&octets, base::AsText(piece));
    return absl::OkStatus();
  });
  EXPECT_TRUE(written.ok()) << written;
  auto copy = aggregate::ReadBatch(base::AsOctets(octets));
  EXPECT_TRUE(copy.ok()) << copy.status();
  return std::make_shared<const aggregate::AggregateBatch>(*std::move(copy));
}

class TwinSink : public sink::Sink {
 public:
  explicit TwinSink(query::MemoryStore* twin) : twin_(*twin) {}
  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    batches_.push_back(CopyOf(batch));
    twin_.Add(kTable, batches_.back());
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  query::MemoryStore& twin_;
  std::vector<std::shared_ptr<const aggregate::AggregateBatch>> batches_;
};

// IPFIX of two hours: 100,000 records, a third of them IPv6.
std::string Capture(const std::string& folder) {
  WorkloadOptions options;
  options.kind = WorkloadKind::kIpfix;
  options.records = 100000;
  options.distinct_keys = 20000;
  options.prefix_pairs = 3000;
  options.records_per_second = 100000 / 7200;
  options.start_seconds = kBegin;
  auto generator = NewWorkloadGenerator(options);
  EXPECT_TRUE(generator.ok()) << generator.status();
  std::string path = folder + "/workload.pcap";
  auto writer = PcapWriter::New(path);
  EXPECT_TRUE(writer.ok()) << writer.status();
  CapturedPacket packet;
  while ((*generator)->Next(&packet)) EXPECT_TRUE((*writer)->Write(packet).ok());
  EXPECT_TRUE((*writer)->Close().ok());
  return path;
}

TEST(Stores, OneReplayTenQuestionsEqualAnswers) {
  std::string folder = testing::TempDir() + "storesXXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);

  std::map<std::string, std::unique_ptr<StoreServer>> servers;
  std::vector<std::unique_ptr<sink::Sink>> sinks;
  ReplayOptions options;
  options.files = {Capture(folder)};
  query::MemoryStore twin;
  sinks.push_back(std::make_unique<TwinSink>(&twin));
  for (const StoreKind& kind : StoreKinds()) {
    std::string why;
    auto server = StartStoreServer(kind.name, folder, &why);
    if (server == nullptr) {
      // Named in the output; those that are there are compared all the same.
      std::printf("%s: left out: %s\n", std::string(kind.name).c_str(), why.c_str());
      continue;
    }
    sink::StoreOptions store;
    store.table = kTable;
    store.bin_seconds = 300;
    store.rollups = {{3600}};
    auto made = kind.new_sink(server->place(), std::move(store));
    ASSERT_TRUE(made.ok()) << kind.name << ": " << made.status();
    sinks.push_back(*std::move(made));
    servers.emplace(kind.name, std::move(server));
  }
  ASSERT_GE(servers.size(), 3u) << "most servers are missing: tools/install_packages peers";

  for (const auto& sink : sinks) {
    pipeline::AggregationOptions aggregation;
    aggregation.aggregator.by = {"src_addr", "dst_addr", "protocol", "dst_port", "src_as", "dst_as"};
    aggregation.aggregator.values = {"bytes", "packets", "flows"};
    aggregation.aggregator.every = absl::Minutes(5);
    aggregation.sink = sink.get();
    aggregation.identity = {"replay", kTable, 1, 0};
    options.pipeline.aggregations.push_back(std::move(aggregation));
  }
  const auto outcome = Replay(std::move(options));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const absl::Status& failure : outcome->failures) ADD_FAILURE() << failure;
  ASSERT_EQ(outcome->records, 100000u);

  const sink::Replayed replayed{kTable, kBegin, kBegin + 7200};
  const auto expected = sink::AnswersToTen(twin, replayed);
  ASSERT_TRUE(expected.ok()) << expected.status();
  ASSERT_EQ(expected->size(), 10u);
  for (const auto& [name, server] : servers) {
    auto store = FindStoreKind(name)->open(server->place());
    ASSERT_TRUE(store.ok()) << name << ": " << store.status();
    const auto answers = sink::AnswersToTen(**store, replayed);
    ASSERT_TRUE(answers.ok()) << name << ": " << answers.status();
    const std::vector<std::string> questions = sink::TenQuestions(replayed);
    ASSERT_EQ(answers->size(), expected->size()) << name;
    for (size_t i = 0; i < expected->size(); ++i) {
      EXPECT_EQ((*answers)[i], (*expected)[i]) << name << ": " << questions[i];
    }
  }
}

}  // namespace
}  // namespace flowacct::collector
