// Without a server: rows in RowBinary, and the statements for servers that are not here.

#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/filter/filter.h"
#include "flowacct/sink/clickhouse/batch_rows.h"
#include "flowacct/sink/clickhouse/batch_selection.h"
#include "flowacct/sink/clickhouse/group_select.h"
#include "flowacct/sink/clickhouse/row_binary.h"
#include "flowacct/sink/clickhouse/size_estimate.h"
#include "flowacct/sink/clickhouse/stored_table.h"
#include "flowacct/sink/print/batch_builder.h"
#include "gtest/gtest.h"

namespace flowacct::sink::clickhouse {
namespace {

using aggregate::Function;
using record::FieldId;

std::string TextOf(absl::Span<const Cell> cells) {
  std::string text;
  for (const Cell& cell : cells) {
    if (cell.is_null) {
      text += " NULL";
    } else {
      absl::StrAppend(&text, " ", absl::Uint128High64(cell.number), ":", absl::Uint128Low64(cell.number), "'",
                      absl::CHexEscape(cell.octets), "'");
    }
  }
  return text + "\n";
}

TEST(RowBinary, RowsComeBackHoweverTheyAreCut) {
  const std::vector<CellType> types = {{CellType::Kind::kNumber, 2, true},
                                       {CellType::Kind::kFixed, 3, false},
                                       {CellType::Kind::kText, 0, true},
                                       k128Cell,
                                       kU8Cell};
  std::string octets;
  std::set<size_t> ends = {0};
  RowWriter writer(&octets);
  for (int row = 0; row < 3; ++row) {
    writer.IsNull(row == 1);
    if (row != 1) writer.Number(0x1234, 2);
    writer.Octets("abc");
    writer.IsNull(row == 2);
    if (row != 2) writer.Text(std::string(row == 0 ? 0 : 300, 'x'));
    writer.Number(5, 8);
    writer.Number(row == 0 ? 1 : 0, 8);
    writer.Number(255, 1);
    ends.insert(octets.size());
  }
  std::string whole;
  RowReader all(types);
  const auto tell = [&](absl::Span<const Cell> cells) {
    whole += TextOf(cells);
    return true;
  };
  ASSERT_TRUE(all.Take(octets, tell));
  EXPECT_TRUE(all.is_whole());
  EXPECT_EQ(whole.substr(0, whole.find('\n')), " 0:4660'' 0:0'abc' 0:0'' 1:5'' 0:255''");
  EXPECT_TRUE(absl::StrContains(whole, "\n NULL 0:0'abc' 0:0'xxx"));
  for (size_t cut = 0; cut <= octets.size(); ++cut) {
    std::string joined;
    RowReader reader(types);
    const auto join = [&](absl::Span<const Cell> cells) {
      joined += TextOf(cells);
      return true;
    };
    ASSERT_TRUE(reader.Take(absl::string_view(octets).substr(0, cut), join));
    EXPECT_EQ(reader.is_whole(), ends.count(cut) != 0) << cut;
    ASSERT_TRUE(reader.Take(absl::string_view(octets).substr(cut), join));
    EXPECT_TRUE(reader.is_whole());
    EXPECT_EQ(joined, whole) << cut;
  }
  // No text is so long.
  RowReader text({kTextCell});
  EXPECT_FALSE(text.Take("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", tell));
  EXPECT_FALSE(text.is_whole());
  EXPECT_FALSE(RowReader({kTextCell}).Take(absl::string_view("\xff\xff\xff\xff\x0f", 5), tell));
  int told = 0;
  EXPECT_FALSE(RowReader({kU8Cell}).Take("abc", [&](absl::Span<const Cell>) { return ++told < 2; }));
  EXPECT_EQ(told, 2);
}

TEST(BatchRows, ASumBeyond64BitsIsSeveralRows) {
  print::BatchBuilder builder({FieldId::kDstPort},
                              {{FieldId::kBytes, Function::kSum, ""}, {FieldId::kTtl, Function::kMax, "max(ttl)"}});
  builder.Add({7, 64}).Set<FieldId::kDstPort>(80);
  aggregate::AggregateBatch batch = builder.Build();
  batch.set_carries({{0, 2}});  // 2 * 2^64 + 7
  BatchRows rows(batch, 300, 600, 9);
  const std::string octets(rows.Next());
  EXPECT_EQ(rows.rows(), 3u);
  EXPECT_TRUE(rows.Next().empty());
  sql::Column key, sum, max;
  key.field = FieldId::kDstPort;
  key.key = true;
  sum.field = FieldId::kBytes;
  max.field = FieldId::kTtl;
  max.function = Function::kMax;
  absl::uint128 total = 0;
  RowReader reader({k64Cell, k64Cell, k64Cell, CellTypeOf(key), CellTypeOf(sum), CellTypeOf(max)});
  int row = 0;
  ASSERT_TRUE(reader.Take(octets, [&](absl::Span<const Cell> cells) {
    EXPECT_EQ(cells[0].u64(), 300u);
    EXPECT_EQ(cells[2].u64(), 9u);
    EXPECT_EQ(cells[3].u64(), 80u);
    EXPECT_EQ(cells[5].is_null, row++ != 0);
    total += cells[4].number;
    return true;
  }));
  EXPECT_TRUE(reader.is_whole());
  EXPECT_EQ(total, absl::MakeUint128(2, 7));
}

sql::TableSchema Table() {
  sql::TableSchema table;
  table.name = "flows";
  table.bin_seconds = 300;
  const aggregate::Schema schema{
      record::Layout({FieldId::kSrcAddr, FieldId::kDstPort, FieldId::kVrfName}),
      {{FieldId::kBytes, Function::kSum, "bytes"}, {FieldId::kTtl, Function::kMin, "min(ttl)"}}};
  table.columns = *sql::ColumnsOf(kDialect, schema);
  return table;
}

TableShape Today() {
  TableShape shape;
  shape.database = "net";
  shape.features.major = 25;
  shape.features.low_cardinality = shape.features.fsync_after_insert = shape.features.fsync_part_directory = true;
  shape.features.ttl = shape.features.limit_with_ties = shape.features.rename_column = true;
  return shape;
}

// As documented for today's servers; none was here to ask.
TEST(StoredTable, WithWhatTodaysServersKnow) {
  TableShape shape = Today();
  shape.ttl = absl::Hours(24);
  EXPECT_EQ(
      CreateTable(shape, Table()),
      std::vector<std::string>(
          {"CREATE TABLE IF NOT EXISTS `flows` (bin_start Int64 COMMENT 'flowacct 1 300 ', bin_end Int64, batch "
           "UInt64, `src_addr` Nullable(FixedString(16)) COMMENT 'key src_addr src_addr', `dst_port` "
           "Nullable(UInt16) COMMENT 'key dst_port dst_port', `vrf_name` LowCardinality(Nullable(String)) COMMENT "
           "'key vrf_name vrf_name', `bytes` UInt64 COMMENT 'sum bytes bytes', `min(ttl)` Nullable(UInt8) COMMENT "
           "'min ttl min(ttl)') ENGINE = MergeTree PARTITION BY intDiv(bin_start, 86400) ORDER BY (bin_start, "
           "batch) TTL toDateTime(bin_end) + toIntervalSecond(86400) SETTINGS index_granularity = 8192, "
           "ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1"}));
}

TEST(StoredTable, OverTheServersOfACluster) {
  TableShape shape = Today();
  shape.cluster = "all";
  shape.durable = false;
  const std::vector<std::string> made = CreateTable(shape, Table());
  ASSERT_EQ(made.size(), 2u);
  EXPECT_TRUE(absl::StartsWith(made[0], "CREATE TABLE IF NOT EXISTS `flows_local` ON CLUSTER `all` (bin_start Int64"));
  EXPECT_EQ(made[1],
            "CREATE TABLE IF NOT EXISTS `flows` ON CLUSTER `all` AS `flows_local` ENGINE = Distributed(`all`, `net`, "
            "`flows_local`, intHash64(batch))");
  const std::vector<std::string> batches = CreateBatches(shape);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[1],
            "CREATE TABLE IF NOT EXISTS `flowacct_batches` ON CLUSTER `all` AS `flowacct_batches_local` ENGINE = "
            "Distributed(`all`, `net`, `flowacct_batches_local`, cityHash64(collector, run, pipeline, number))");
  EXPECT_EQ(AddColumn(shape, "flows", Table().columns[1]),
            std::vector<std::string>({"ALTER TABLE `flows_local` ON CLUSTER `all` ADD COLUMN `dst_port` "
                                      "Nullable(UInt16) COMMENT 'key dst_port dst_port'",
                                      "ALTER TABLE `flows` ON CLUSTER `all` ADD COLUMN `dst_port` Nullable(UInt16) "
                                      "COMMENT 'key dst_port dst_port'"}));
}

TEST(GroupSelect, ARollupIsCompletedByItsTable) {
  sql::TableSchema rollup = Table();
  rollup.name = "flows_1h";
  rollup.rollup_of = "flows";
  rollup.bin_seconds = 3600;
  query::GroupRequest request;
  request.by = {{FieldId::kDstPort, -1, -1}};
  request.values = {0};
  request.limit = 3;
  request.where = *filter::Filter::Parse("vrf_name != 'it\\'s'");
  auto select = GroupSelect::New(request, rollup);
  ASSERT_TRUE(select.ok()) << select.status();
  BatchSelection selection;
  selection.ids = {1};
  selection.base_ids = {2};
  selection.base_from = 3600;
  selection.base_to = 7200;
  selection.distributed = true;
  EXPECT_EQ(
      select->Statement(selection, Today().features),
      "SELECT `dst_port`, count(), sum(toDecimal128(`bytes`, 0)) FROM (SELECT bin_start, `bytes`, `dst_port`, "
      "`vrf_name` FROM `flows_1h` WHERE batch GLOBAL IN (SELECT id FROM chosen) AND (`vrf_name` IS NOT NULL AND "
      "COALESCE(NOT (`vrf_name` = unhex('69742773')), 0)) UNION ALL SELECT flowacct_bin AS bin_start, `bytes`, "
      "`dst_port`, "
      "`vrf_name` FROM (SELECT toInt64(bin_start - (((bin_start - (0)) % 3600) + 3600) % 3600) AS flowacct_bin, "
      "`bytes`, `dst_port`, `vrf_name` FROM `flows` WHERE batch GLOBAL IN (SELECT id FROM chosen) AND (`vrf_name` "
      "IS NOT NULL AND COALESCE(NOT (`vrf_name` = unhex('69742773')), 0)) AND bin_start >= 3600 AND bin_start < 7200)) "
      "GROUP BY `dst_port` ORDER BY sum(toDecimal128(`bytes`, 0)) DESC LIMIT 3 WITH TIES");
}

// What SQL has no word for: the server tells finer groups, in any order, and those that pass are summed here.
TEST(GroupSelect, TheRestOfAFilterIsAskedOfFinerGroups) {
  sql::TableSchema table;
  table.name = "flows";
  table.columns = *sql::ColumnsOf(
      kDialect, {record::Layout({FieldId::kDstPort, FieldId::kAsPath, FieldId::kVrfName}),
                 {{FieldId::kBytes, Function::kSum, "bytes"}, {FieldId::kTag, Function::kMin, "min(tag)"}}});
  query::GroupRequest request;
  request.table = "flows";
  request.by = {{FieldId::kDstPort, -1, -1}};
  request.values = {0, 1};
  request.limit = 1;
  request.where = *filter::Filter::Parse("vrf_name = a and (as_path contains 64511 or dst_port 53)");
  auto select = GroupSelect::New(request, table);
  ASSERT_TRUE(select.ok()) << select.status();
  BatchSelection selection;
  selection.ids = {1};
  EXPECT_EQ(select->Statement(selection, Today().features),
            "SELECT `dst_port`, `as_path`, if((`dst_port` IS NOT NULL AND COALESCE((`dst_port` = 53), 0)), 1, 0), "
            "count(), sum(toDecimal128(`bytes`, 0)), min(`min(tag)`) FROM `flows` WHERE batch IN (SELECT id FROM "
            "chosen) AND (`vrf_name` IS NOT NULL AND COALESCE((`vrf_name` = unhex('61')), 0)) GROUP BY `dst_port`, "
            "`as_path`, if((`dst_port` IS NOT NULL AND COALESCE((`dst_port` = 53), 0)), 1, 0)");
  const auto row = [](uint64_t port, absl::string_view path, bool is_53, absl::uint128 bytes, uint64_t tag) {
    std::vector<Cell> cells(6);
    cells[0].number = port;
    cells[1].is_null = path == "-";
    cells[1].octets = path;
    cells[2].number = is_53 ? 1 : 0;
    cells[3].number = 1;
    cells[4].number = bytes;
    cells[5].is_null = tag == 0;
    cells[5].number = tag;
    return cells;
  };
  std::string told;
  const auto tell = [&](const query::GroupRow& group) {
    absl::StrAppend(&told, group.group[0].integer, ":", absl::Uint128High64(group.values[0]), ",",
                    absl::Uint128Low64(group.values[0]), ",", group.present[1] ? "" : "-",
                    absl::Uint128Low64(group.values[1]), " ");
    return true;
  };
  const absl::uint128 large = absl::MakeUint128(0, UINT64_MAX);
  for (const auto& cells :
       {row(443, "64496 64511", false, large, 0), row(53, "-", true, 5, 7), row(443, "64496", false, 100, 1),
        row(443, "64511", false, 3, UINT64_MAX), row(443, "64511 1", false, 0, 9), row(80, "-", false, 1, 1)}) {
    ASSERT_EQ(cells.size(), select->types().size());
    EXPECT_TRUE(select->Tell(cells, tell));
  }
  EXPECT_EQ(told, "");
  select->Finish(tell);
  EXPECT_EQ(told, "443:1,2,9 ");
  EXPECT_TRUE(select->status().ok());
}

TEST(SizeEstimate, GrowsWithColumnsAndRows) {
  const aggregate::Schema narrow{record::Layout({FieldId::kDstPort}), {{FieldId::kBytes, Function::kSum, "bytes"}}};
  const aggregate::Schema wide{
      record::Layout({FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kAsPath, FieldId::kDstPort}),
      {{FieldId::kBytes, Function::kSum, "bytes"}}};
  const SizeEstimate some = EstimateOctets(narrow, 10), more = EstimateOctets(wide, 20);
  EXPECT_EQ(some.row_octets_in_memory, 24 + 1 + 2 + 8);
  EXPECT_GT(some.row_octets, 3);
  EXPECT_LT(some.row_octets, some.row_octets_in_memory);
  EXPECT_DOUBLE_EQ(some.day_octets, some.row_octets * 10 * 86400);
  EXPECT_GT(more.row_octets, some.row_octets);
  EXPECT_EQ(EstimateOctets(narrow, -1).day_octets, 0);
}

}  // namespace
}  // namespace flowacct::sink::clickhouse
