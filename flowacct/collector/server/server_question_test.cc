// Questions in their language to a running collector: its memory and its stores give the same answer.

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/query/ask.h"
#include "flowacct/sink/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using testing::HasSubstr;

class ServerQuestionTest : public ServerTest {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "questionXXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }

  std::string Config() {
    return absl::StrCat(
        "input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n"
        "custom_field { name: \"window\" packet: \"l4:6+14\" length: 2 }\n"
        "question { name: \"ports\" ask: \"top 5 dst_port by bytes, flows table flows\" }\n"
        "question { name: \"all\" ask: \"by bytes, packets, flows table flows\" }\n"
        "pipeline { name: \"flows\" by: \"src_addr,dst_port\" every: \"1m\" lateness: \"1s\"\n"
        "  sink { memory { bins: 1000 } } sink { sqlite { path: \"",
        folder_, "/flows.db\" } } sink { print { format: CSV output: \"", folder_,
        "/rows.csv\" } } }\n"
        "pipeline { name: \"as\" by: \"src_as,window\" every: \"1m\" sink { sqlite { path: \"",
        folder_, "/as.db\" } } }\n");
  }

  // IPFIX of two minutes that have passed, and one to come.
  std::vector<std::string> Datagrams() {
    WorkloadOptions options;
    options.kind = WorkloadKind::kIpfix;
    options.ipv6_percent = 0;
    options.start_seconds = static_cast<uint32_t>(absl::ToUnixSeconds(absl::Now()) - 120);
    options.records = 20000;
    options.distinct_keys = 500;
    options.records_per_second = 100;
    WorkloadTruth truth;
    auto datagrams = DatagramsOfWorkload(options, &truth);
    EXPECT_TRUE(datagrams.ok()) << datagrams.status();
    return *std::move(datagrams);
  }

  static std::string AnswerOf(Server& server, absl::string_view question, absl::string_view store = "",
                              absl::string_view format = "csv") {
    WrittenQuestion written;
    written.question = std::string(question);
    written.store = std::string(store);
    written.format = std::string(format);
    const auto answer = server.Ask(written);
    return answer.ok() ? *answer : std::string(answer.status().message());
  }
  static std::string SavedAnswerOf(Server& server, absl::string_view saved) {
    WrittenQuestion written;
    written.saved = std::string(saved);
    written.format = "csv";
    const auto answer = server.Ask(written);
    return answer.ok() ? *answer : std::string(answer.status().message());
  }

  std::string folder_;
};

TEST_F(ServerQuestionTest, MemoryAndStoreAnswerAlike) {
  auto server = StartServer(Config());
  const std::vector<std::string> datagrams = Datagrams();
  Send(*server, datagrams, "127.0.0.2", datagrams.size());
  // What is open is among the answers of memory.
  const std::string all = SavedAnswerOf(*server, "all");
  EXPECT_THAT(all, HasSubstr(",20000\r\n"));
  EXPECT_THAT(AnswerOf(*server, "by flows table flows", "memory", "table"), HasSubstr("on are still filling"));
  EXPECT_EQ(AnswerOf(*server, "by bytes, packets, flows"), all);
  // All but the last bins are closed: the time that both have.
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (absl::Now() < deadline) {
    const CollectorStatus status = server->Status();
    if (status.pipelines[0].sinks[0].waiting == 0 && status.pipelines[0].bins_closed > 0) break;
    absl::SleepFor(absl::Milliseconds(10));
  }
  auto store = sink::sqlite::OpenSqliteStore(folder_ + "/flows.db");
  ASSERT_TRUE(store.ok()) << store.status();
  const auto tables = (*store)->Tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_EQ(tables->size(), 1u);
  const std::string time = absl::StrCat(" from @", tables->at(0).first_seconds, " to @", tables->at(0).last_seconds);
  for (const char* question :
       {"by bytes, packets, flows", "top 7 with others src_addr by bytes, bps, share(bytes) total",
        "src_addr/24, dst_port by packets where dst_port < 1000", "top 3 dst_port by p95(bps), bytes every 2m",
        "top 3 src_addr by bytes every 1m compare -2m"}) {
    const std::string asked = absl::StrCat(question, time);
    const std::string from_memory = AnswerOf(*server, asked, "memory");
    EXPECT_THAT(from_memory, HasSubstr("\r\n")) << asked;
    for (const char* name : {"flows", "flows/sqlite", "flows/2"}) {
      EXPECT_EQ(AnswerOf(*server, asked, name), from_memory) << asked;
    }
    // The same as who asks the store himself.
    const auto own = query::Ask(asked, **store, absl::Now());
    ASSERT_TRUE(own.ok()) << own.status();
    EXPECT_EQ(own->AsCsv(), from_memory) << asked;
  }
  EXPECT_TRUE(server->Stop(absl::Seconds(20)).ok());
  // The names of the configuration are those of the store.
  auto as = sink::sqlite::OpenSqliteStore(folder_ + "/as.db");
  ASSERT_TRUE(as.ok()) << as.status();
  const auto windows = query::Ask("window by flows", **as, absl::Now());
  ASSERT_TRUE(windows.ok()) << windows.status();
  EXPECT_EQ(windows->AsCsv(), "window,flows\r\n,20000\r\n");
  const auto canonical = query::Ask("custom_1 by flows where not exists(custom_1)", **as, absl::Now());
  ASSERT_TRUE(canonical.ok()) << canonical.status();
  EXPECT_EQ(canonical->AsCsv(), "custom_1,flows\r\n,20000\r\n");
}

TEST_F(ServerQuestionTest, WhatCannotBeIsSaid) {
  auto server = StartServer(Config());
  EXPECT_EQ(AnswerOf(*server, "dst_port"), "memory has no table yet");
  EXPECT_THAT(AnswerOf(*server, "dst_port", "nowhere"),
              HasSubstr("no such store; there are memory, flows/sqlite, as/sqlite"));
  EXPECT_THAT(AnswerOf(*server, "dst_port", "sqlite"), HasSubstr("several can be asked"));
  EXPECT_THAT(AnswerOf(*server, "dst_port", "memory", "xml"), HasSubstr("format"));
  EXPECT_THAT(SavedAnswerOf(*server, "peering"), HasSubstr("no such question; there are ports, all"));
  ASSERT_EQ(server->Questions().size(), 2u);
  EXPECT_EQ(server->Questions()[0].name, "ports");
  EXPECT_TRUE(server->Stop(absl::Seconds(20)).ok());
  EXPECT_EQ(AnswerOf(*server, "dst_port"), "the collector is not running");
}

TEST_F(ServerQuestionTest, SavedQuestionsAreCheckedWithTheirPlace) {
  auto file = config::ConfigFile::Parse(
      "input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\npipeline { name: \"p\" sink { memory {} } }\n"
      "question { name: \"a\" ask: \"dst_as by bytse\" }\n",
      "test.conf");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(std::string(Server::New(*std::move(file), {}).status().message()),
            "test.conf:3:22: ask: column 11: no value is called \"bytse\"; did you mean bytes?");
}

// Questions beside the traffic, a reload and the end.
TEST_F(ServerQuestionTest, AtAnyTime) {
  auto server = StartServer(Config());
  std::atomic<bool> end{false};
  std::vector<std::thread> askers;
  for (const char* store : {"memory", "flows", "as"}) {
    askers.emplace_back([&server, &end, store] {
      while (!end) (void)AnswerOf(*server, "top 3 src_addr by bytes every 1m", store);
    });
  }
  const std::vector<std::string> datagrams = Datagrams();
  Send(*server, datagrams, "127.0.0.2", datagrams.size());
  EXPECT_TRUE(server->Reload(Parse(absl::StrReplaceAll(Config(), {{"1000", "999"}}))).ok());
  EXPECT_TRUE(server->Stop(absl::Seconds(20)).ok());
  end = true;
  for (std::thread& asker : askers) asker.join();
  ExpectIdentity(server->Status());
  EXPECT_EQ(TotalsOf(folder_ + "/rows.csv").flows, 20000u);
}

}  // namespace
}  // namespace flowacct::collector
