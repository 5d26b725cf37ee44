#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/interner.h"
#include "flowacct/filter/filter.h"
#include "flowacct/filter/program.h"
#include "flowacct/record/value_text.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/filter_sql.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/sql/group_sums.h"
#include "flowacct/sink/sql/route_text.h"
#include "flowacct/sink/sql/split_filter.h"
#include "flowacct/sink/sql/table_schema.h"
#include "gtest/gtest.h"

namespace flowacct::sink::sql {
namespace {

using record::FieldId;
using record::FieldType;

TableSchema Flows() {
  TableSchema table;
  table.name = "flows";
  for (const FieldId key : {FieldId::kSrcAddr, FieldId::kDstPort, FieldId::kVrfName, FieldId::kAsPath, FieldId::kTag,
                            FieldId::kSrcMac, FieldId::kDstNet, FieldId::kStartTime, FieldId::kImsi}) {
    table.columns.push_back({key, true, aggregate::Function::kSum, std::string(record::Info(key).name)});
  }
  table.columns.push_back({FieldId::kBytes, false, aggregate::Function::kSum, "bytes"});
  return table;
}

std::string Where(const Dialect& dialect, absl::string_view text) {
  Statement out;
  const auto filter = filter::Filter::Parse(text);
  if (!filter.ok()) return std::string(filter.status().message());
  const TableSchema table = Flows();
  const absl::StatusOr<SplitFilter> split = SplitFilter::New(dialect, table, filter->program());
  absl::Status status = split.status();
  if (status.ok()) status = split->AppendWhere(table, &out);
  for (size_t i = 0; status.ok() && i < split->columns(); ++i) {
    out.sql += " | ";
    status = split->AppendColumn(i, &out);
  }
  if (!status.ok()) return std::string(absl::StatusCodeToString(status.code()));
  for (const Parameter& parameter : out.parameters) out.sql += " [" + parameter.octets + "]";
  return out.sql;
}

TEST(FilterSql, SaysWhatTheFilterSays) {
  const struct {
    const char* filter;
    const char* sqlite;
  } kCases[] = {
      {"", "TRUE"},
      {"dst_port 80", "COALESCE((\"dst_port\" = 80), FALSE)"},
      {"dst_port != 80", "COALESCE(NOT (\"dst_port\" = 80), FALSE)"},
      {"not dst_port 80", "(NOT COALESCE((\"dst_port\" = 80), FALSE))"},
      {"dst_port in (1, 3-5)", "COALESCE(((\"dst_port\" = 1 OR \"dst_port\" BETWEEN 3 AND 5)), FALSE)"},
      {"exists(tag)", "(\"tag\" IS NOT NULL)"},
      // Above 2^63 - 1 numbers are negative in the store.
      {"tag >= 9223372036854775807",
       "COALESCE(((\"tag\" = 9223372036854775807 OR \"tag\" BETWEEN "
       "(-9223372036854775807 - 1) AND -1)), FALSE)"},
      {"tag = 18446744073709551615", "COALESCE((\"tag\" = -1), FALSE)"},
      {"start_time = 1", "COALESCE((\"start_time\" = 1000000000), FALSE)"},
      {"vrf_name = \"' OR 1=1 --\"", "COALESCE((\"vrf_name\" = ?), FALSE) [' OR 1=1 --]"},
      {"src_mac = 02:00:00:00:00:01", "COALESCE((\"src_mac\" = ?), FALSE) [02:00:00:00:00:01]"},
      {"imsi = 001010000000001", "COALESCE((\"imsi\" = ?), FALSE) [001010000000001]"},
      {"imsi = 26201*", "COALESCE((\"imsi\" LIKE ?), FALSE) [26201%]"},
      {"imsi not in (26200*, 26201*)", "COALESCE(NOT ((\"imsi\" LIKE ? OR \"imsi\" LIKE ?)), FALSE) [26200%] [26201%]"},
      {"imsi in (26201, 26202*)", "COALESCE(((\"imsi\" = ? OR \"imsi\" LIKE ?)), FALSE) [26201] [26202%]"},
      {"src_addr in 192.0.2.0/24",
       "COALESCE(((\"src_addr\" BETWEEN X'00000000000000000000ffffc0000200' AND "
       "X'00000000000000000000ffffc00002ff')), FALSE)"},
      {"src_addr in ::/0",
       "COALESCE(((\"src_addr\" BETWEEN X'00000000000000000000000000000000' AND X'ffffffffffffffffffffffffffffffff' "
       "AND NOT \"src_addr\" BETWEEN X'00000000000000000000ffff00000000' AND X'00000000000000000000ffffffffffff')), "
       "FALSE)"},
      {"as_path contains 64496", "COALESCE((flowacct_route(0, \"as_path\")), FALSE)"},
      {"out_if = 3", "NOT_FOUND"},
      {"bytes > 3", "NOT_FOUND"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Where(kSqlite, c.filter), c.sqlite) << c.filter;
  // What is within routes is asked of what comes: of texts, and of what else stands beside them.
  EXPECT_EQ(Where(kPostgresql, "as_path contains 64496"), "\"as_path\" IS NOT NULL | \"as_path\"");
  EXPECT_EQ(
      Where(kPostgresql,
            "dst_port 80 and (tag = 1 or as_path first 1 or not (as_path first 2 or vrf_name = a)) "
            "and tag = 3"),
      "COALESCE((\"dst_port\" = 80), FALSE) AND COALESCE((\"tag\" = 3), FALSE) | COALESCE((\"tag\" = 1), FALSE) | "
      "\"as_path\" | COALESCE((\"vrf_name\" = $1), FALSE) [a]");
  EXPECT_EQ(Where(kPostgresql, "std_comm contains 1:1"), "NOT_FOUND");
  EXPECT_EQ(Where(kMariadb, "vrf_name in (a, \"b'\")"),
            "COALESCE(((`vrf_name` = _utf8mb4 x'61' OR `vrf_name` = _utf8mb4 x'6227')), FALSE)");
  EXPECT_EQ(Where(kMariadb, "src_addr = ::1 or tag & 3"),
            "(COALESCE(((`src_addr` BETWEEN x'00000000000000000000000000000001' AND "
            "x'00000000000000000000000000000001')), FALSE) OR COALESCE((CAST(`tag` & 3 AS SIGNED) <> 0), FALSE))");
  EXPECT_EQ(Where(kPostgresql, "vrf_name in (a, b)"),
            "COALESCE(((\"vrf_name\" = $1 OR \"vrf_name\" = $2)), FALSE) [a] [b]");
  EXPECT_EQ(Where(kPostgresql, "src_addr = ::1"),
            "COALESCE(((\"src_addr\" BETWEEN '\\x00000000000000000000000000000001'::bytea AND "
            "'\\x00000000000000000000000000000001'::bytea)), FALSE)");
}

TEST(RouteText, ComesBackAsItWas) {
  const struct {
    FieldType type;
    const char* text;
  } kCases[] = {
      {FieldType::kAsPath, ""},
      {FieldType::kAsPath, "64496"},
      {FieldType::kAsPath, "64496 4200000000 {1,2} 3"},
      {FieldType::kAsPath, "(65001 65002) 64496 [65003,65004]"},
      {FieldType::kCommunities, "64496:100 65535:65281"},
      {FieldType::kExtCommunities, "rt:64496:100 soo:4200000000:7 rt:192.0.2.1:1 0x030b000000000064"},
      {FieldType::kLargeCommunities, "4200000000:1:2 1:2:3"},
      {FieldType::kLabelStack, "100/1048575"},
  };
  for (const auto& c : kCases) {
    const auto octets = RouteOctets(c.type, c.text);
    ASSERT_TRUE(octets.has_value()) << c.text;
    record::StoredValue value;
    value.present = true;
    std::string text;
    base::Interner interner;
    const base::InternId id = interner.Intern(absl::string_view(*octets));
    record::AppendIdText(c.type, id, interner, &text);
    EXPECT_EQ(text, c.text);
  }
  for (const auto& [type, text] : std::vector<std::pair<FieldType, const char*>>{{FieldType::kAsPath, "(overflow)"},
                                                                                 {FieldType::kAsPath, "x"},
                                                                                 {FieldType::kAsPath, "{1"},
                                                                                 {FieldType::kAsPath, "4294967296"},
                                                                                 {FieldType::kCommunities, "1:65536"},
                                                                                 {FieldType::kCommunities, "1"},
                                                                                 {FieldType::kExtCommunities, "rt:1"},
                                                                                 {FieldType::kExtCommunities, "0x03"},
                                                                                 {FieldType::kLargeCommunities, "1:2"},
                                                                                 {FieldType::kLabelStack, "1048576"}}) {
    EXPECT_FALSE(RouteOctets(type, text).has_value()) << text;
  }
  // Longer than a segment can be.
  std::string path = "1";
  for (int i = 2; i <= 600; ++i) path += " " + std::to_string(i);
  const auto octets = RouteOctets(FieldType::kAsPath, path);
  ASSERT_TRUE(octets.has_value());
  EXPECT_EQ(octets->size(), 600 * 4 + 3 * 2);
}

TEST(SplitFilter, AsksTheRestAsTheFilterWould) {
  const TableSchema table = Flows();
  // All outcomes of a = dst_port 80 and p, q = two conditions on a path, of which the text shows both.
  for (const char* text : {"as_path contains 1", "not as_path contains 1", "as_path not contains 1",
                           "dst_port 80 or as_path contains 1", "not (dst_port 80 and as_path contains 1)",
                           "(dst_port 80 or as_path contains 1) and (as_path contains 2 or not dst_port 80)",
                           "not (as_path contains 1 or as_path contains 2) or dst_port 80"}) {
    const auto filter = filter::Filter::Parse(text);
    ASSERT_TRUE(filter.ok()) << text << ": " << filter.status();
    auto split = SplitFilter::New(kPostgresql, table, filter->program());
    ASSERT_TRUE(split.ok()) << split.status();
    EXPECT_FALSE(split->whole());
    for (const bool port : {false, true}) {
      for (const char* path : {"", "1", "2", "1 2", "-"}) {
        const absl::string_view shown = path;
        const bool one = absl::StrContains(shown, "1"), two = absl::StrContains(shown, "2");
        std::vector<Cell> cells;
        for (size_t i = 0; i < split->columns(); ++i) {
          Statement column;
          ASSERT_TRUE(split->AppendColumn(i, &column).ok());
          Cell cell;
          if (column.sql != "\"as_path\"") {
            cell.kind = Cell::Kind::kInteger;
            cell.integer = port != absl::StartsWith(column.sql, "(NOT ") ? 1 : 0;
          } else if (shown != "-") {
            cell.kind = Cell::Kind::kText;
            cell.octets = shown;
          }
          cells.push_back(cell);
        }
        const absl::string_view t = text;
        const bool expected = t == "as_path contains 1"                         ? one
                              : t == "not as_path contains 1"                   ? !one
                              : t == "as_path not contains 1"                   ? !one && shown != "-"
                              : t == "dst_port 80 or as_path contains 1"        ? port || one
                              : t == "not (dst_port 80 and as_path contains 1)" ? !(port && one)
                              : t[0] == '('                                     ? (port || one) && (two || !port)
                                                                                : !(one || two) || port;
        EXPECT_EQ(split->Passes(cells), expected) << text << " of path " << shown << ", port " << port;
        EXPECT_EQ(split->Passes(cells), expected) << "again: " << text;
      }
    }
  }
}

TEST(TableSchema, OfMariadb) {
  TableSchema table;
  table.name = "f`";
  table.columns = {{FieldId::kSrcAddr, true, aggregate::Function::kSum, "src_addr"},
                   {FieldId::kDstNet, true, aggregate::Function::kSum, "dst_net"},
                   {FieldId::kVrfName, true, aggregate::Function::kSum, "vrf_name"},
                   {FieldId::kBytes, false, aggregate::Function::kSum, "bytes"}};
  EXPECT_EQ(
      CreateTable(kMariadb, table),
      "CREATE TABLE `f``` (`bin_start` BIGINT NOT NULL, `bin_end` BIGINT NOT NULL, `batch` BIGINT, `src_addr` "
      "VARBINARY(16), `dst_net` VARBINARY(17), `vrf_name` LONGTEXT CHARACTER SET utf8mb4 COLLATE "
      "utf8mb4_nopad_bin, `bytes` BIGINT, `row_number` BIGINT NOT NULL, `stored_day` BIGINT NOT NULL, PRIMARY KEY "
      "(`bin_start`, `row_number`, `stored_day`)) ENGINE=InnoDB ROW_FORMAT=DYNAMIC");
  EXPECT_TRUE(absl::StrContains(CreateTable(kMysql, table), "utf8mb4_0900_bin"));
  Statement statement = Prepared(kMariadb, "SELECT ?, ?, ?, ?", {Integer(-1), Text("'?"), Octets("\x01"), Null()});
  EXPECT_EQ(statement.sql, "SELECT -1, _utf8mb4 x'273f', x'01', NULL");
  EXPECT_TRUE(statement.parameters.empty());
}

TEST(TableSchema, TextOfColumnsComesBack) {
  std::vector<Column> columns = Flows().columns;
  columns.push_back({FieldId::kTtl, false, aggregate::Function::kMin, "min(ttl)"});
  columns.push_back({FieldId::kDstPort, false, aggregate::Function::kTop, "a \"b\"\nc\\"});
  const auto read = ColumnsFromText(ColumnsToText(columns));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, columns);
  EXPECT_FALSE(ColumnsFromText("median ttl x").ok());
  EXPECT_FALSE(ColumnsFromText("key no_such_field x").ok());
}

TEST(TableSchema, NamesAreTakenOnce) {
  const FieldId keys[] = {FieldId::kBytes, FieldId::kDstPort};
  aggregate::Schema schema{record::Layout(keys),
                           {{FieldId::kBytes, aggregate::Function::kSum, "BYTES"},
                            {FieldId::kPackets, aggregate::Function::kSum, "batch"},
                            {FieldId::kFlows, aggregate::Function::kSum, "bin_start"}}};
  const auto columns = ColumnsOf(kSqlite, schema);
  ASSERT_TRUE(columns.ok());
  std::string names;
  for (const Column& column : *columns) names += column.name + " ";
  EXPECT_EQ(names, "bytes dst_port BYTES_ batch_ bin_start_ ");
  schema.values[0].name = std::string(64, 'x');
  EXPECT_TRUE(ColumnsOf(kSqlite, schema).ok());
  EXPECT_EQ(ColumnsOf(kPostgresql, schema).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Dialect, NamesStayNames) {
  EXPECT_EQ(Quoted(kSqlite, "a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
  EXPECT_EQ(Storable(absl::string_view("a\0b\xff", 4)),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
  EXPECT_EQ(RollupName("flows", 300), "flows_5m");
  EXPECT_EQ(RollupName("flows", 86400), "flows_1d");
  EXPECT_EQ(RollupName("flows", 90), "flows_90s");
}

TEST(GroupSums, SumsOfSumsAreExactAndBounded) {
  const Column sum{FieldId::kBytes, false, aggregate::Function::kSum, "bytes"};
  const Column max{FieldId::kTag, false, aggregate::Function::kMax, "max(tag)"};
  const Column min{FieldId::kEndTime, false, aggregate::Function::kMin, "min(end_time)"};
  GroupSums sums(1, {&sum, &max, &min}, 3);
  const auto add = [&](const char* group, std::vector<absl::uint128> values, std::vector<bool> there = {}) {
    Cell cell;
    if (group != nullptr) cell.kind = Cell::Kind::kText, cell.octets = group;
    bool present[3] = {true, true, true};
    for (size_t i = 0; i < there.size(); ++i) present[i] = there[i];
    return sums.Add(absl::MakeConstSpan(&cell, 1), values, present);
  };
  const auto minus = static_cast<uint64_t>(int64_t{-5});
  EXPECT_TRUE(add("a", {absl::MakeUint128(1, 0), 5, 3}));
  EXPECT_TRUE(add(nullptr, {1, 0, 0}, {true, false, false}));
  EXPECT_TRUE(add("a", {absl::MakeUint128(1, 1), uint64_t{1} << 63, minus}));  // numbers; of times, before 1970
  EXPECT_TRUE(add("", {1, 7, 4}));
  EXPECT_FALSE(add("b", {1, 1, 1}));
  EXPECT_TRUE(add("a", {0, 6, 2}));
  query::GroupRequest request;
  request.by = {{FieldId::kVrfName, -1, -1}};
  request.values = {0, 1, 2};
  const auto told = [&](size_t limit, size_t order) {
    request.limit = limit;
    request.order = order;
    std::string text;
    sums.Tell(request, [&](const query::GroupRow& row) {
      absl::StrAppend(&text, row.group[0].present ? "'" : "-", row.group[0].octets, " ",
                      absl::Uint128High64(row.values[0]), ":", absl::Uint128Low64(row.values[0]));
      for (const size_t i : {1, 2}) {
        absl::StrAppend(&text, " ", row.present[i] ? "" : "-", static_cast<int64_t>(absl::Uint128Low64(row.values[i])));
      }
      text += "\n";
      return true;
    });
    return text;
  };
  const std::string a = "'a 2:1 -9223372036854775808 -5\n", none = "- 0:1 -0 -0\n", empty = "' 0:1 7 4\n";
  EXPECT_EQ(told(0, 0), a + none + empty);
  EXPECT_EQ(told(1, 0), a);
  EXPECT_EQ(told(2, 0), a + none + empty);  // two are alike
  EXPECT_EQ(told(1, 1), a);
  EXPECT_EQ(told(1, 2), empty);
  EXPECT_EQ(told(2, 2), a + empty);
  std::vector<const Column*> many(GroupSums::kMaxValues + 1, &sum);
  EXPECT_FALSE(GroupSums(0, many, 10).Add({}, {}, {}));
}

TEST(GroupSelect, FloorsBeforeTheEpochToo) {
  EXPECT_EQ(FloorTo(-1, 300), -300);
  EXPECT_EQ(FloorTo(-300, 300), -300);
  EXPECT_EQ(FloorTo(299, 300), 0);
}

}  // namespace
}  // namespace flowacct::sink::sql
