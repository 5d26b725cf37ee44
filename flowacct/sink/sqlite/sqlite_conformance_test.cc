#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/query/testing/conformance.h"
#include "flowacct/sink/sqlite/sqlite_sink.h"
#include "flowacct/sink/sqlite/sqlite_store.h"
#include "gtest/gtest.h"

namespace flowacct::sink::sqlite {
namespace {

TEST(SqliteStore, AnswersAsItsTwin) {
  const char* const folder = std::getenv("TEST_TMPDIR");
  SqliteOptions options;
  options.path = absl::StrCat(folder != nullptr ? folder : "/tmp", "/conformance_", getpid(), ".db");
  options.durable = false;
  auto sink = NewSqliteSink(options);
  ASSERT_TRUE(sink.ok()) << sink.status();
  const query::ConformanceData data;
  query::MemoryStore twin;
  for (const auto& [table, batch] : data.batches()) {
    const absl::Status status = (*sink)->Write(*batch);
    ASSERT_TRUE(status.ok()) << status;
    twin.Add(table, batch);
  }
  // Summed in memory, by SQLite where there are too many groups, and by SQLite always.
  for (const size_t groups : {size_t{1} << 20, size_t{3}, size_t{0}}) {
    auto store = OpenSqliteStore(options.path, groups);
    ASSERT_TRUE(store.ok()) << store.status();
    query::ExpectConforms(**store, twin);
  }
}

}  // namespace
}  // namespace flowacct::sink::sqlite
