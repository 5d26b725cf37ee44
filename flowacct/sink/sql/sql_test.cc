#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/interner.h"
#include "flowacct/filter/filter.h"
#include "flowacct/filter/program.h"
#include "flowacct/record/value_text.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/filter_sql.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/sql/route_text.h"
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
                            FieldId::kSrcMac, FieldId::kDstNet, FieldId::kStartTime}) {
    table.columns.push_back({key, true, aggregate::Function::kSum, std::string(record::Info(key).name)});
  }
  table.columns.push_back({FieldId::kBytes, false, aggregate::Function::kSum, "bytes"});
  return table;
}

std::string Where(const Dialect& dialect, absl::string_view text) {
  Statement out;
  const auto filter = filter::Filter::Parse(text);
  if (!filter.ok()) return std::string(filter.status().message());
  const absl::Status status = AppendCondition(dialect, Flows(), filter->program(), &out);
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
  EXPECT_EQ(Where(kPostgresql, "as_path contains 64496"), "UNIMPLEMENTED");
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

TEST(GroupSelect, FloorsBeforeTheEpochToo) {
  EXPECT_EQ(FloorTo(-1, 300), -300);
  EXPECT_EQ(FloorTo(-300, 300), -300);
  EXPECT_EQ(FloorTo(299, 300), 0);
}

}  // namespace
}  // namespace flowacct::sink::sql
