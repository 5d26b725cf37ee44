#include "flowacct/aggregate/batch_octets.h"

#include <random>
#include <string>
#include <vector>

#include "flowacct/aggregate/aggregate_test_rows.h"
#include "flowacct/record/custom_fields.h"
#include "gtest/gtest.h"

namespace flowacct::aggregate {
namespace {

std::string Octets(const AggregateBatch& batch) {
  std::string octets;
  EXPECT_TRUE(WriteBatch(batch, [&octets](base::Octets piece) {
                octets += std::string(base::AsText(piece));
                return absl::OkStatus();
              }).ok());
  return octets;
}

void ExpectEqual(const AggregateBatch& a, const AggregateBatch& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(a.bin().start_nanos, b.bin().start_nanos);
  EXPECT_EQ(a.bin().end_nanos, b.bin().end_nanos);
  EXPECT_EQ(a.incomplete(), b.incomplete());
  EXPECT_EQ(a.correction(), b.correction());
  EXPECT_EQ(a.identity(), b.identity());
  EXPECT_EQ(a.has_overflow(), b.has_overflow());
  const Schema& schema = a.schema();
  ASSERT_EQ(schema.key.size(), b.schema().key.size());
  ASSERT_EQ(schema.values.size(), b.schema().values.size());
  for (size_t row = 0; row < a.size(); ++row) {
    EXPECT_EQ(a.is_overflow(row), b.is_overflow(row));
    for (const record::FieldId field : schema.key.fields()) {
      ASSERT_EQ(a.key(row).Has(field), b.key(row).Has(field));
      const record::FieldType type = record::Info(field).type;
      const uint8_t* const in_a = a.key(row).octets() + schema.key.offset(field);
      const uint8_t* const in_b = b.key(row).octets() + b.schema().key.offset(field);
      if (record::IsInterned(type)) {
        EXPECT_EQ(a.interner().Find(base::LoadHost<base::InternId>(in_a)),
                  b.interner().Find(base::LoadHost<base::InternId>(in_b)));
      } else {
        EXPECT_EQ(memcmp(in_a, in_b, record::FieldTypeSize(type)), 0);
      }
    }
    for (size_t column = 0; column < schema.values.size(); ++column) {
      EXPECT_EQ(schema.values[column].name, b.schema().values[column].name);
      EXPECT_EQ(a.has_value(row, column), b.has_value(row, column));
      EXPECT_EQ(a.wide_value(row, column), b.wide_value(row, column));
      EXPECT_EQ(a.text(row, column), b.text(row, column));
    }
  }
}

std::vector<AggregateBatch> BatchesOfEveryKind(size_t max_groups) {
  AggregatorOptions options = OfEveryKind();
  options.max_groups = max_groups;
  auto bench = std::make_unique<Bench>(options);
  EXPECT_EQ(bench->error, "");
  AddOfEveryKind(bench.get(), 7, 5000);
  std::vector<AggregateBatch> batches = bench->aggregator->Close();
  static std::vector<std::unique_ptr<Bench>>* const alive = new std::vector<std::unique_ptr<Bench>>;
  alive->push_back(std::move(bench));  // batches borrow its interner
  return batches;
}

TEST(BatchOctetsTest, ComesBackEqual) {
  for (const size_t max_groups : {size_t{1} << 20, size_t{50}}) {
    uint64_t number = 0;
    bool overflow = false, carries = false;
    for (AggregateBatch& batch : BatchesOfEveryKind(max_groups)) {
      batch.set_identity({"edge-1", "flows", 12345678901234567890u, ++number});
      batch.set_correction(number % 2 == 0);
      batch.set_incomplete(number % 3 == 0);
      overflow |= batch.has_overflow();
      for (size_t row = 0; row < batch.size(); ++row) carries |= batch.wide_value(row, 1) > UINT64_MAX;
      const std::string octets = Octets(batch);
      const absl::StatusOr<AggregateBatch> back = ReadBatch(base::AsOctets(octets));
      ASSERT_TRUE(back.ok()) << back.status();
      ExpectEqual(batch, *back);
      EXPECT_EQ(Octets(*back), octets);
    }
    EXPECT_GE(number, 5u);
    EXPECT_TRUE(carries);
    EXPECT_EQ(overflow, max_groups == 50);
  }
}

TEST(BatchOctetsTest, CustomNamesComeBack) {
  record::CustomFieldOptions option;
  option.name = "mtla";
  option.element = "47";
  option.type = record::CustomFieldOptions::Type::kAddress;
  auto custom = std::make_shared<const record::CustomFields>(*record::CustomFields::New({option}));
  AggregatorOptions options = By({"mtla"});
  options.custom_fields = custom;
  Bench bench(options);
  ASSERT_EQ(bench.error, "");
  bench.Row().SetAddress(*custom->names().Find("mtla"), Address("192.0.2.1"));
  bench.Flush();
  const std::vector<AggregateBatch> batches = bench.aggregator->Close();
  ASSERT_EQ(batches.size(), 1u);
  const std::string octets = Octets(batches[0]);
  const absl::StatusOr<AggregateBatch> back = ReadBatch(base::AsOctets(octets));
  ASSERT_TRUE(back.ok()) << back.status();
  ExpectEqual(batches[0], *back);
  EXPECT_EQ(back->schema().key.NameOf(back->schema().key.fields()[0]), "mtla");
}

TEST(BatchOctetsTest, EveryCutAndFlipIsRefused) {
  AggregatorOptions options = By({"src_as", "vrf_name"});
  Bench bench(options);
  auto row = bench.Row();
  row.Set<record::FieldId::kSrcAs>(64496);
  row.Set<record::FieldId::kVrfName>(bench.interner.Intern("red"));
  row.Set<record::FieldId::kBytes>(1500);
  bench.Flush();
  const std::string octets = Octets(bench.aggregator->Close()[0]);
  ASSERT_TRUE(ReadBatch(base::AsOctets(octets)).ok());
  for (size_t cut = 0; cut < octets.size(); ++cut) {
    EXPECT_FALSE(ReadBatch(base::AsOctets(octets.substr(0, cut))).ok()) << cut;
  }
  for (size_t at = 0; at < octets.size(); ++at) {
    std::string flipped = octets;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    EXPECT_FALSE(ReadBatch(base::AsOctets(flipped)).ok()) << at;
  }
  EXPECT_FALSE(ReadBatch(base::AsOctets(octets + octets)).ok());
}

TEST(BatchOctetsTest, MemoryIsBounded) {
  Bench bench(By({"src_as"}));
  for (uint32_t as = 0; as < 10000; ++as) bench.Row().Set<record::FieldId::kSrcAs>(as);
  bench.Flush();
  const std::string octets = Octets(bench.aggregator->Close()[0]);
  EXPECT_EQ(ReadBatch(base::AsOctets(octets))->size(), 10000u);
  EXPECT_EQ(ReadBatch(base::AsOctets(octets), 100000).status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace flowacct::aggregate
