#include "flowacct/sink/testing/store_faults.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/record/field.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/testing/fault_proxy.h"
#include "gtest/gtest.h"

namespace flowacct::sink {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using record::FieldId;

constexpr int64_t kNanos = 1000000000;
constexpr int64_t kStart = 1699920000;  // 2023-11-14T00:00:00Z
constexpr int64_t kBin = 300;
constexpr int kRows = 400;
// Long enough for a machine that does other things, too.
constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr absl::Duration kTimeout = absl::Seconds(20);

constexpr FieldId kKeys[] = {FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kProtocol, FieldId::kDstPort};
constexpr absl::string_view kFlows = "flows";  // one a row: how many there are

using Sums = std::map<std::string, std::vector<absl::uint128>>;

// Batches of one table, and what they sum to.
class Accounted {
 public:
  explicit Accounted(absl::string_view of) {
    static int made = 0;
    table_ = absl::StrCat("faults_", of, "_", ++made);
  }

  const std::string& table() const { return table_; }
  uint64_t rows() const { return rows_; }
  query::MemoryStore& twin() { return twin_; }

  // The next that was not taken yet: the same until Took.
  std::shared_ptr<const AggregateBatch> Next() { return Make(taken_ + 1); }
  void Took() {
    twin_.Add(table_, Make(++taken_));
    rows_ += kRows;
  }

  std::shared_ptr<const AggregateBatch> Make(uint64_t number) const {
    struct Made {
      print::BatchBuilder builder{{std::begin(kKeys), std::end(kKeys)},
                                  {{FieldId::kBytes, Function::kSum, ""},
                                   {FieldId::kPackets, Function::kSum, ""},
                                   {FieldId::kFlows, Function::kSum, ""}}};
      std::unique_ptr<const AggregateBatch> batch;
    };
    auto made = std::make_shared<Made>();
    std::mt19937_64 random(number);
    for (int i = 0; i < kRows; ++i) {
      auto row = made->builder.Add({random() >> 20, random() % 1000000, 1});
      if (i % 50 != 0) row.Set<FieldId::kSrcAddr>(base::IpAddress::V4(0x0a000000 + static_cast<uint32_t>(i)));
      row.Set<FieldId::kDstAddr>(base::IpAddress::V4(0xc0000200 + random() % 16));
      row.Set<FieldId::kProtocol>(random() % 3 == 0 ? 17 : 6);
      if (i % 7 != 0) row.Set<FieldId::kDstPort>(static_cast<uint16_t>(random() % 5 == 0 ? 53 : 443));
    }
    // Three a bin; each seventh comes late.
    const int64_t bin = number % 7 == 0 ? static_cast<int64_t>(number) / 9 : static_cast<int64_t>(number) / 3;
    const int64_t start = (kStart + bin * kBin) * kNanos;
    AggregateBatch batch = made->builder.Build({start, start + kBin * kNanos});
    batch.set_identity({"edge", table_, 7, number});
    batch.set_correction(number % 7 == 0);
    made->batch = std::make_unique<const AggregateBatch>(std::move(batch));
    return std::shared_ptr<const AggregateBatch>(made, made->batch.get());
  }

 private:
  std::string table_;
  query::MemoryStore twin_;
  uint64_t taken_ = 0, rows_ = 0;
};

std::unique_ptr<query::GroupStore> OpenStore(const StoreUnderTest& store) {
  for (const absl::Time end = absl::Now() + kPatience;; absl::SleepFor(absl::Milliseconds(20))) {
    auto opened = store.open_store();
    if (opened.ok()) return *std::move(opened);
    if (!absl::IsUnavailable(opened.status()) || absl::Now() > end) {
      ADD_FAILURE() << store.name << " cannot be asked: " << opened.status();
      return nullptr;
    }
  }
}

// By all keys and steps of `step_seconds`.
Sums SumsOf(query::GroupStore& store, const query::TableInfo& table, int64_t step_seconds) {
  query::GroupRequest request;
  request.table = table.name;
  for (const FieldId key : kKeys) request.by.push_back({key, -1, -1});
  for (const absl::string_view name : {absl::string_view("bytes"), absl::string_view("packets"), kFlows}) {
    for (size_t i = 0; i < table.values.size(); ++i) {
      if (table.values[i].name == name) request.values.push_back(i);
    }
  }
  request.step_seconds = step_seconds;
  Sums sums;
  const absl::Status status = store.Sum(request, [&](const query::GroupRow& row) {
    std::string key = absl::StrCat(row.step_seconds);
    for (const record::StoredValue& value : row.group) {
      absl::StrAppend(&key, " ",
                      value.present ? absl::StrCat(value.integer, absl::BytesToHexString(value.octets)) : "-");
    }
    EXPECT_TRUE(sums.emplace(key, std::vector<absl::uint128>(row.values.begin(), row.values.end())).second) << key;
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  return sums;
}

std::string TextOf(const std::vector<absl::uint128>& sums) {
  std::string text;
  for (const absl::uint128 sum : sums) absl::StrAppend(&text, " ", absl::Uint128Low64(sum));
  return text;
}

// The store, and each rollup of the table, tells what was accounted.
void ExpectEqualSums(const StoreUnderTest& store, Accounted* accounted) {
  const std::unique_ptr<query::GroupStore> asked = OpenStore(store);
  if (asked == nullptr) return;
  const auto tables = asked->Tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  const query::TableInfo twin = accounted->twin().Tables()->front();
  bool found = false;
  for (const query::TableInfo& table : *tables) {
    if (table.name != twin.name && table.rollup_of != twin.name) continue;
    found |= table.name == twin.name;
    const Sums is = SumsOf(*asked, table, table.bin_seconds);
    const Sums expected = SumsOf(accounted->twin(), twin, table.bin_seconds);
    if (is == expected) continue;
    int shown = 0;
    for (const auto& [group, sums] : expected) {
      const auto at = is.find(group);
      if ((at != is.end() && at->second == sums) || ++shown > 3) continue;
      ADD_FAILURE() << table.name << ", group " << group << ":" << (at == is.end() ? " nothing" : TextOf(at->second))
                    << " instead of" << TextOf(sums);
    }
    EXPECT_EQ(is.size(), expected.size()) << table.name;
  }
  EXPECT_TRUE(found) << "no table " << twin.name;
}

// Rows of the table that are there.
uint64_t CountRows(const StoreUnderTest& store, const std::string& name) {
  const std::unique_ptr<query::GroupStore> asked = OpenStore(store);
  if (asked == nullptr) return 0;
  const auto tables = asked->Tables();
  EXPECT_TRUE(tables.ok()) << tables.status();
  uint64_t rows = 0;
  if (!tables.ok()) return rows;
  for (const query::TableInfo& table : *tables) {
    if (table.name != name) continue;
    query::GroupRequest request;
    request.table = name;
    for (size_t i = 0; i < table.values.size(); ++i) {
      if (table.values[i].name == kFlows) request.values.push_back(i);
    }
    const absl::Status status = asked->Sum(request, [&](const query::GroupRow& row) {
      rows = absl::Uint128Low64(row.values[0]);
      return true;
    });
    EXPECT_TRUE(status.ok()) << status;
  }
  return rows;
}

std::unique_ptr<StoreSink> MakeSink(const StoreUnderTest& store, int port, absl::Duration timeout = kTimeout) {
  auto sink = store.make_sink(port == store.port ? store.host : "127.0.0.1", port, timeout);
  if (sink.ok()) return *std::move(sink);
  EXPECT_TRUE(absl::IsUnavailable(sink.status())) << sink.status();
  return nullptr;
}

// Writes the next batch until it is taken. How often it was refused.
int WriteNext(StoreSink* sink, Accounted* accounted) {
  const std::shared_ptr<const AggregateBatch> batch = accounted->Next();
  absl::Status status;
  for (int refused = 0; sink != nullptr;) {
    const absl::Time end = absl::Now() + kPatience;
    status = sink->Write(*batch);
    if (status.ok()) {
      accounted->Took();
      return refused;
    }
    ++refused;
    if (!absl::IsUnavailable(status) || absl::Now() > end || refused > 2000) break;
    absl::SleepFor(absl::Milliseconds(5));
  }
  ADD_FAILURE() << accounted->table() << ": a batch is not taken: " << status;
  return 0;
}

// Octets of a batch, with the connection that it makes; of some batches, the least, as a rollup is not of each.
struct Octets {
  uint64_t up = UINT64_MAX, down = UINT64_MAX;
};
Octets Measure(const StoreUnderTest& store, FaultProxy* proxy, Accounted* accounted, int batches = 3) {
  Octets octets;
  for (int i = 0; i < batches; ++i) {
    proxy->Clear();
    const std::unique_ptr<StoreSink> sink = MakeSink(store, proxy->port());  // which is not to take its leave yet
    WriteNext(sink.get(), accounted);
    octets.up = std::min(octets.up, proxy->passed(FaultProxy::kToServer));
    octets.down = std::min(octets.down, proxy->passed(FaultProxy::kToClient));
  }
  return octets;
}

// Through a new sink, so that the connection is met as well. Whether the batch was refused.
bool CutOnce(const StoreUnderTest& store, FaultProxy* proxy, FaultProxy::Direction direction, uint64_t octets,
             Accounted* accounted, FaultCounts* counts) {
  proxy->CutAfter(direction, octets);
  std::unique_ptr<StoreSink> sink = MakeSink(store, proxy->port());
  const bool refused_at_once = sink == nullptr;
  if (refused_at_once) sink = MakeSink(store, proxy->port());
  const bool refused = WriteNext(sink.get(), accounted) > 0 || refused_at_once;
  proxy->Clear();
  if (refused) ++counts->faults;
  if (sink != nullptr) counts->skipped += sink->counters().batches_skipped;
  return refused;
}

std::vector<uint64_t> Places(uint64_t last, int count) {
  std::vector<uint64_t> places;
  for (int i = 0; i < count; ++i) {
    places.push_back(last * static_cast<uint64_t>(i) / static_cast<uint64_t>(std::max(count - 1, 1)));
  }
  return places;
}

}  // namespace

FaultCounts ExpectSurvivesServerKills(const StoreUnderTest& store, int times) {
  FaultCounts counts;
  Accounted accounted("server_killed");
  const auto proxy = FaultProxy::Start(store.host, store.port);
  const std::unique_ptr<StoreSink> sink = proxy == nullptr ? nullptr : MakeSink(store, proxy->port());
  if (sink == nullptr) {
    ADD_FAILURE() << store.name << " cannot be reached";
    return counts;
  }
  WriteNext(sink.get(), &accounted);
  proxy->Clear();
  WriteNext(sink.get(), &accounted);
  const uint64_t octets = proxy->passed(FaultProxy::kToServer);
  std::mt19937 random(5);
  for (int i = 0; i < times && !testing::Test::HasFailure(); ++i) {
    // What it got it works on for a moment.
    const auto moment = absl::Microseconds(random() % 3000);
    proxy->CutAfter(FaultProxy::kToServer, 1 + random() % octets, [&] {
      absl::SleepFor(moment);
      store.kill();
    });
    const absl::Status status = sink->Write(*accounted.Next());
    if (proxy->WaitForFault(status.ok() ? absl::ZeroDuration() : kPatience)) {
      EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
      if (!status.ok()) ++counts.faults;
    } else {  // this batch was shorter
      EXPECT_TRUE(status.ok()) << status;
      proxy->Clear();
      store.kill();
    }
    if (!store.start()) {
      ADD_FAILURE() << store.name << " does not start again";
      break;
    }
    WriteNext(sink.get(), &accounted);
    EXPECT_EQ(CountRows(store, accounted.table()), accounted.rows()) << "after kill " << i;
  }
  EXPECT_GE(counts.faults, times * 8 / 10) << "batches were hardly met";
  counts.skipped = sink->counters().batches_skipped;
  ExpectEqualSums(store, &accounted);
  return counts;
}

FaultCounts ExpectSurvivesAbsence(const StoreUnderTest& store) {
  FaultCounts counts;
  Accounted accounted("absent");
  constexpr absl::Duration kShort = absl::Seconds(1);
  store.kill();
  std::unique_ptr<StoreSink> sink = MakeSink(store, store.port, kShort);
  if (sink == nullptr) ++counts.faults;
  for (int i = 0; i < 2 && sink != nullptr; ++i) {
    const absl::Time begin = absl::Now();
    const absl::Status status = sink->Write(*accounted.Next());
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_LT(absl::Now() - begin, 3 * kShort);
    ++counts.faults;
  }
  EXPECT_TRUE(store.start()) << store.name << " does not start again";
  if (sink == nullptr) sink = MakeSink(store, store.port, kTimeout);
  for (int i = 0; i < 3; ++i) WriteNext(sink.get(), &accounted);
  ExpectEqualSums(store, &accounted);
  return counts;
}

FaultCounts ExpectSurvivesSlowness(const StoreUnderTest& store) {
  FaultCounts counts;
  Accounted accounted("slow");
  const auto proxy = FaultProxy::Start(store.host, store.port);
  if (proxy == nullptr) {
    ADD_FAILURE() << store.name << " cannot be reached";
    return counts;
  }
  Measure(store, proxy.get(), &accounted, 1);
  const uint64_t octets = Measure(store, proxy.get(), &accounted).up;
  const auto slow = [&](int milliseconds) {
    proxy->Slow(std::max<size_t>(octets / static_cast<uint64_t>(milliseconds), 1));
  };
  std::unique_ptr<StoreSink> sink = MakeSink(store, proxy->port());
  slow(1000);
  const absl::Time begin = absl::Now();
  EXPECT_EQ(WriteNext(sink.get(), &accounted), 0) << "slow is not unavailable";
  EXPECT_GT(absl::Now() - begin, absl::Milliseconds(500));
  // Two attempts, each of which would take longer than the timeout.
  sink = MakeSink(store, proxy->port(), absl::Milliseconds(500));
  slow(2000);
  for (int i = 0; i < 2 && sink != nullptr; ++i) {
    const absl::Status status = sink->Write(*accounted.Next());
    EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
    if (!status.ok()) ++counts.faults;
  }
  proxy->Clear();
  WriteNext(sink.get(), &accounted);
  if (sink != nullptr) counts.skipped = sink->counters().batches_skipped;
  ExpectEqualSums(store, &accounted);
  return counts;
}

FaultCounts ExpectSurvivesCuts(const StoreUnderTest& store, int places) {
  FaultCounts counts;
  const auto proxy = FaultProxy::Start(store.host, store.port);
  if (proxy == nullptr) {
    ADD_FAILURE() << store.name << " cannot be reached";
    return counts;
  }
  Accounted accounted("cut");
  // The first octets in which a table is made.
  const Octets making = Measure(store, proxy.get(), &accounted, 1);
  const Octets whole = Measure(store, proxy.get(), &accounted);
  const auto cut = [&](FaultProxy::Direction direction, uint64_t octets, Accounted* in) {
    if (testing::Test::HasFailure()) return false;
    const bool refused = CutOnce(store, proxy.get(), direction, octets, in, &counts);
    EXPECT_EQ(CountRows(store, in->table()), in->rows())
        << "cut after " << octets << " octets to the " << (direction == FaultProxy::kToServer ? "server" : "client");
    return refused;
  };
  for (const uint64_t octets : Places(whole.up, places / 2)) cut(FaultProxy::kToServer, octets, &accounted);
  for (const uint64_t octets : Places(whole.down - 1, places / 2 - 4)) cut(FaultProxy::kToClient, octets, &accounted);
  for (const uint64_t before : {20, 12, 6, 2}) {
    cut(FaultProxy::kToClient, whole.down - std::min<uint64_t>(before, whole.down), &accounted);
  }
  EXPECT_GE(counts.faults, places * 8 / 10) << "batches were hardly met";
  ExpectEqualSums(store, &accounted);
  for (const auto& [direction, last] :
       {std::make_pair(FaultProxy::kToServer, making.up), std::make_pair(FaultProxy::kToClient, making.down - 1)}) {
    for (const uint64_t octets : Places(last, places / 6)) {
      Accounted fresh("cut_making");
      cut(direction, octets, &fresh);
      ExpectEqualSums(store, &fresh);
    }
  }
  return counts;
}

FaultCounts ExpectSurvivesWriterKills(const StoreUnderTest& store, int times) {
  FaultCounts counts;
  Accounted accounted("writer_killed");
  std::mt19937 random(7);
  absl::Duration three;  // how long three batches take, from the process's begin on
  for (int i = 0; i <= times && !testing::Test::HasFailure(); ++i) {
    int acknowledged[2];
    if (pipe(acknowledged) != 0) {
      ADD_FAILURE() << "no pipe";
      break;
    }
    const absl::Time begin = absl::Now();
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(acknowledged[0]);
      auto sink = store.make_sink(store.host, store.port, kTimeout);
      if (!sink.ok()) _exit(absl::IsUnavailable(sink.status()) ? 0 : 1);
      while (true) {
        const absl::Status status = (*sink)->Write(*accounted.Next());
        if (!status.ok() && !absl::IsUnavailable(status)) _exit(2);
        if (!status.ok()) continue;
        accounted.Took();
        const char octet = 1;
        if (write(acknowledged[1], &octet, 1) != 1) _exit(3);
      }
    }
    close(acknowledged[1]);
    char octets[256];
    const auto take = [&](size_t most) {
      const ssize_t got = read(acknowledged[0], octets, most);
      for (ssize_t n = 0; n < got; ++n) accounted.Took();
      return got > 0;
    };
    if (i == 0) {  // not at any moment, to know how long it takes
      for (int batches = 0; batches < 3 && take(1);) ++batches;
      three = absl::Now() - begin;
    } else {
      absl::SleepFor(three * (static_cast<double>(random() % 1000) / 1000 * 1.3));
    }
    kill(child, SIGKILL);
    int state = 0;
    waitpid(child, &state, 0);
    EXPECT_TRUE(WIFSIGNALED(state)) << "the writer ended by itself with " << WEXITSTATUS(state);
    if (i > 0 && WIFSIGNALED(state)) ++counts.faults;
    while (take(sizeof(octets))) {
    }
    close(acknowledged[0]);
    // One more may be there, or come there: its answer was for somebody who is gone.
    const uint64_t rows = CountRows(store, accounted.table());
    EXPECT_TRUE(rows == accounted.rows() || rows == accounted.rows() + kRows)
        << rows << " rows instead of " << accounted.rows() << " after kill " << i;
  }
  // Whoever goes on with the same batches ends with all of them.
  const std::unique_ptr<StoreSink> sink = MakeSink(store, store.port);
  WriteNext(sink.get(), &accounted);
  if (sink != nullptr) counts.skipped = sink->counters().batches_skipped;
  ExpectEqualSums(store, &accounted);
  return counts;
}

FaultCounts ExpectSurvivesHangs(const StoreUnderTest& store) {
  FaultCounts counts;
  Accounted accounted("hung");
  constexpr absl::Duration kShort = absl::Milliseconds(500);
  // An attempt notices on the connection that was there, and may connect anew.
  const auto expect_unavailable = [&](StoreSink* sink, absl::string_view when) {
    const absl::Time begin = absl::Now();
    const absl::Status status = sink->Write(*accounted.Next());
    EXPECT_TRUE(absl::IsUnavailable(status)) << when << ": " << status;
    EXPECT_LT(absl::Now() - begin, 3 * kShort + absl::Seconds(1)) << when;
    if (status.ok()) accounted.Took();
    ++counts.faults;
  };
  std::unique_ptr<StoreSink> sink = MakeSink(store, store.port, kShort);
  const auto proxy = FaultProxy::Start(store.host, store.port);
  if (sink == nullptr || proxy == nullptr) {
    ADD_FAILURE() << store.name << " cannot be reached";
    return counts;
  }
  WriteNext(sink.get(), &accounted);
  store.stop();
  expect_unavailable(sink.get(), "stopped");
  expect_unavailable(sink.get(), "still stopped");
  const std::unique_ptr<StoreSink> other = MakeSink(store, store.port, kShort);
  if (other != nullptr) expect_unavailable(other.get(), "stopped, a new sink");
  store.go_on();
  WriteNext(sink.get(), &accounted);
  counts.skipped += sink->counters().batches_skipped;

  const Octets whole = Measure(store, proxy.get(), &accounted);
  for (const auto& [direction, last] :
       {std::make_pair(FaultProxy::kToServer, whole.up), std::make_pair(FaultProxy::kToClient, whole.down - 1)}) {
    for (const uint64_t octets : Places(last, 4)) {
      proxy->StallAfter(direction, octets);
      sink = MakeSink(store, proxy->port(), kShort);
      if (sink != nullptr) {
        expect_unavailable(sink.get(), absl::StrCat("stalled after ", octets, " of ", last, " octets"));
      }
      proxy->Clear();
      if (sink == nullptr) sink = MakeSink(store, proxy->port(), kShort);
      WriteNext(sink.get(), &accounted);
      if (sink != nullptr) counts.skipped += sink->counters().batches_skipped;
    }
  }
  ExpectEqualSums(store, &accounted);
  return counts;
}

}  // namespace flowacct::sink
