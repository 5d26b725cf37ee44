#include "flowacct/sink/testing/ten_questions.h"

#include <memory>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/sink/print/batch_builder.h"
#include "gtest/gtest.h"

namespace flowacct::sink {
namespace {

using aggregate::Function;
using record::FieldId;

constexpr int64_t kNanos = 1000000000;
constexpr int64_t kStart = 1699920000;

TEST(TenQuestions, AreAnsweredAndDiffer) {
  print::BatchBuilder builder(
      {FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kProtocol, FieldId::kDstPort, FieldId::kSrcAs, FieldId::kDstAs},
      {{FieldId::kBytes, Function::kSum, ""},
       {FieldId::kPackets, Function::kSum, ""},
       {FieldId::kFlows, Function::kSum, ""}});
  for (uint32_t i = 0; i < 200; ++i) {
    auto row = builder.Add({i * 100, i, 1});
    row.Set<FieldId::kSrcAddr>(base::IpAddress::V4(0x0a000000 + i * 77));
    row.Set<FieldId::kDstAddr>(base::IpAddress::V4(0xc0000200 + i % 30));
    row.Set<FieldId::kProtocol>(i % 3 == 0 ? 17 : 6);
    row.Set<FieldId::kDstPort>(static_cast<uint16_t>(i % 2 == 0 ? 443 : 8000 + i));
    if (i % 4 != 0) row.Set<FieldId::kSrcAs>(64496 + i % 5);
    if (i % 5 != 0) row.Set<FieldId::kDstAs>(64500 + i % 3);
  }
  query::MemoryStore store;
  for (int64_t bin = 0; bin < 20; ++bin) {
    const int64_t start = (kStart + bin * 300) * kNanos;
    store.Add("flows", std::make_shared<const aggregate::AggregateBatch>(builder.Build({start, start + 300 * kNanos})));
  }
  const Replayed replayed{"flows", kStart, kStart + 20 * 300, "10.0.0.0/20"};
  EXPECT_EQ(TenQuestions(replayed).size(), 10u);
  const auto answers = AnswersToTen(store, replayed);
  ASSERT_TRUE(answers.ok()) << answers.status();
  ASSERT_EQ(answers->size(), 10u);
  EXPECT_EQ(std::set<std::string>(answers->begin(), answers->end()).size(), 10u);
  for (size_t i = 0; i < answers->size(); ++i) EXPECT_TRUE(absl::StrContains((*answers)[i], "{")) << i;
  // What a store has not is told with the question.
  const auto none = AnswersToTen(store, {"other", kStart, kStart + 300, "10.0.0.0/8"});
  ASSERT_FALSE(none.ok());
  EXPECT_TRUE(absl::StrContains(none.status().message(), "src_addr in 10.0.0.0/8")) << none.status();
}

}  // namespace
}  // namespace flowacct::sink
