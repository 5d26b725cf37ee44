#include "flowacct/sink/mongodb/filter_match.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/field.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/mongodb/document.h"
#include "flowacct/sink/sql/table_schema.h"
#include "gtest/gtest.h"

namespace flowacct::sink::mongodb {
namespace {

using aggregate::Function;
using record::FieldId;
using record::StoredValue;

const std::vector<sql::Column>& Columns() {
  static const auto* const columns = new std::vector<sql::Column>{
      {FieldId::kSrcAddr, true, Function::kSum, "src_addr"}, {FieldId::kDstNet, true, Function::kSum, "dst_net"},
      {FieldId::kSrcAs, true, Function::kSum, "src_as"},     {FieldId::kDstAs, true, Function::kSum, "dst_as"},
      {FieldId::kVrfName, true, Function::kSum, "vrf_name"}, {FieldId::kTcpFlags, true, Function::kSum, "tcp_flags"},
      {FieldId::kSrcMac, true, Function::kSum, "src_mac"},   {FieldId::kAsPath, true, Function::kSum, "as_path"},
      {FieldId::kStdComm, true, Function::kSum, "std_comm"}, {FieldId::kTag, true, Function::kSum, "tag"},
      {FieldId::kEndTime, true, Function::kSum, "end_time"}, {FieldId::kImsi, true, Function::kSum, "imsi"},
      {FieldId::kBytes, false, Function::kSum, "bytes"},
  };
  return *columns;
}

struct Compiled {
  std::string json;  // of the conditions, a line each
  std::string here;  // names of the columns that are looked at here
};

Compiled Compile(absl::string_view where) {
  const absl::StatusOr<filter::Filter> parsed = filter::Filter::Parse(where);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  const auto match = FilterMatch::New("flows", Columns(), parsed->program());
  EXPECT_TRUE(match.ok()) << match.status();
  Compiled compiled;
  for (const Document& condition : match->conditions()) {
    char* const text = bson_as_relaxed_extended_json(condition.get(), nullptr);
    absl::StrAppend(&compiled.json, text, "\n");
    bson_free(text);
  }
  for (const sql::Column* column : match->columns()) absl::StrAppend(&compiled.here, column->name, " ");
  return compiled;
}

TEST(FilterMatch, GoesToTheServerAsItIsMeant) {
  const struct {
    const char* where;
    const char* json;
  } kCases[] = {
      {"", ""},
      {"src_as = 64496", "{ \"src_as\" : { \"$eq\" : 64496 } }\n"},
      {"src_as > 5", "{ \"src_as\" : { \"$gte\" : 6, \"$lte\" : 4294967295 } }\n"},
      {"src_as != 5",
       "{ \"$and\" : [ { \"src_as\" : { \"$ne\" : null } }, { \"$nor\" : [ { \"src_as\" : { \"$eq\" : 5 } } ] } ] }\n"},
      {"not src_as = 5", "{ \"$nor\" : [ { \"src_as\" : { \"$eq\" : 5 } } ] }\n"},
      {"tag > 9223372036854775806",
       "{ \"$or\" : [ { \"tag\" : { \"$eq\" : 9223372036854775807 } }, { \"tag\" : { \"$gte\" : -9223372036854775808, "
       "\"$lte\" : -1 } } ] }\n"},
      {"exists(src_mac)", "{ \"src_mac\" : { \"$ne\" : null } }\n"},
      {"tcp_flags has (syn, ack)", "{ \"tcp_flags\" : { \"$bitsAllSet\" : 18 } }\n"},
      {"tcp_flags & 0x12", "{ \"tcp_flags\" : { \"$bitsAnySet\" : 18 } }\n"},
      {"tcp_flags & 0x12 = 0x10",
       "{ \"$and\" : [ { \"tcp_flags\" : { \"$ne\" : null } }, { \"tcp_flags\" : { \"$bitsAllSet\" : 16 } }, { "
       "\"tcp_flags\" : { \"$bitsAllClear\" : 2 } } ] }\n"},
      {"src_addr in 192.0.2.0/24",
       "{ \"src_addr\" : { \"$gte\" : { \"$binary\" : { \"base64\" : \"AAAAAAAAAAAAAP//wAACAA==\", \"subType\" : "
       "\"00\" } }, \"$lte\" : { \"$binary\" : { \"base64\" : \"AAAAAAAAAAAAAP//wAAC/w==\", \"subType\" : \"00\" } } } "
       "}\n"},
      {"src_mac = 02:00:00:00:00:01", "{ \"src_mac\" : { \"$in\" : [ \"02:00:00:00:00:01\" ] } }\n"},
      {"imsi = 001010000000001", "{ \"imsi\" : { \"$eq\" : \"001010000000001\" } }\n"},
      {"imsi = 26201*", "{ \"imsi\" : { \"$gte\" : \"26201\", \"$lt\" : \"26201:\" } }\n"},
      {"imsi in (26201, 26202*)",
       "{ \"$or\" : [ { \"imsi\" : { \"$eq\" : \"26201\" } }, { \"imsi\" : { \"$gte\" : \"26202\", \"$lt\" : "
       "\"26202:\" } } ] }\n"},
      {"vrf_name = '$where'", "{ \"vrf_name\" : { \"$in\" : [ \"$where\" ] } }\n"},
      {"vrf_name = '{\"$ne\": 1}'", "{ \"vrf_name\" : { \"$in\" : [ \"{\\\"$ne\\\": 1}\" ] } }\n"},
      {"src_as = field(dst_as)",
       "{ \"$and\" : [ { \"src_as\" : { \"$ne\" : null } }, { \"dst_as\" : { \"$ne\" : null } }, { \"$expr\" : { "
       "\"$eq\" : [ \"$src_as\", \"$dst_as\" ] } } ] }\n"},
      {"src_as = 1 and dst_as = 2", "{ \"src_as\" : { \"$eq\" : 1 } }\n{ \"dst_as\" : { \"$eq\" : 2 } }\n"},
      {"src_as = 1 or dst_as = 2",
       "{ \"$or\" : [ { \"src_as\" : { \"$eq\" : 1 } }, { \"dst_as\" : { \"$eq\" : 2 } } ] }\n"},
  };
  for (const auto& c : kCases) {
    const Compiled compiled = Compile(c.where);
    EXPECT_EQ(compiled.json, c.json) << c.where;
    EXPECT_EQ(compiled.here, "") << c.where;
  }
}

TEST(FilterMatch, TheRestIsForOurSide) {
  const struct {
    const char *where, *json, *here;
  } kCases[] = {
      {"as_path contains 1", "", "as_path "},
      {"src_as = 1 and as_path contains 1 and dst_as = 2",
       "{ \"src_as\" : { \"$eq\" : 1 } }\n{ \"dst_as\" : { \"$eq\" : 2 } }\n", "as_path "},
      {"src_as = 1 and (dst_as = 2 or not std_comm contains 1:2)", "{ \"src_as\" : { \"$eq\" : 1 } }\n",
       "dst_as std_comm "},
      {"tag & 0x8000000000000000", "", "tag "},
  };
  for (const auto& c : kCases) {
    const Compiled compiled = Compile(c.where);
    EXPECT_EQ(compiled.json, c.json) << c.where;
    EXPECT_EQ(compiled.here, c.here) << c.where;
  }
}

TEST(FilterMatch, OurSideMeansWhatTheFilterMeans) {
  // What is stored of a row; absent: vrf_name, src_mac.
  std::map<std::string, std::string> octets = {
      {"src_addr", std::string(base::AsText(base::IpAddress::V4(0xc0000205).octets()))},
      {"dst_net", std::string(base::AsText(base::IpAddress::V4(0xc6336400).octets())) + "\x18"},
      {"as_path", "64496 64511"},
      {"std_comm", "65000:1 65000:200"},
      {"imsi", "262011234567890"},
  };
  const std::map<std::string, int64_t> numbers = {
      {"src_as", 64496}, {"dst_as", 64496}, {"tcp_flags", 0x12}, {"tag", -1}, {"end_time", -5}};
  const auto passes = [&](const std::string& where) {
    // An `or` with a condition on routes that is false, so that all of it is asked here.
    const auto parsed = filter::Filter::Parse(absl::StrCat("as_path contains 7 or ", where));
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    auto match = FilterMatch::New("flows", Columns(), parsed->program());
    EXPECT_TRUE(match.ok()) << match.status();
    EXPECT_TRUE(match->conditions().empty()) << where;
    std::vector<StoredValue> values;
    for (const sql::Column* column : match->columns()) {
      StoredValue value;
      if (const auto o = octets.find(column->name); o != octets.end()) {
        value.present = true;
        value.octets = o->second;
      } else if (const auto n = numbers.find(column->name); n != numbers.end()) {
        value.present = true;
        value.integer = n->second;
      }
      values.push_back(value);
    }
    return match->Passes(values);
  };
  for (const char* where : {"src_addr in 192.0.2.0/24",
                            "src_addr in (10.0.0.0/8, 192.0.2.5)",
                            "dst_net in 198.51.100.0/24",
                            "dst_net in 198.51.0.0/16",
                            "src_as = 64496",
                            "src_as in (1, 64000-65000)",
                            "src_as != 1",
                            "not src_as = 1",
                            "tag = 18446744073709551615",
                            "tag & 0x8000000000000000",
                            "tag > 5",
                            "end_time < 1970-01-01T00:00:00Z",
                            "tcp_flags has syn",
                            "tcp_flags has (syn, ack)",
                            "tcp_flags & 0x02",
                            "tcp_flags & 0x13 = 0x12",
                            "exists(src_as)",
                            "not exists(vrf_name)",
                            "not vrf_name = red",
                            "not src_mac = 02:00:00:00:00:01",
                            "src_as = field(dst_as)",
                            "as_path contains 64511",
                            "as_path first 64496",
                            "as_path origin 64511",
                            "as_path length = 2",
                            "as_path matches '_64511$'",
                            "std_comm contains 65000:*",
                            "not std_comm contains 1:1",
                            "imsi = 262011234567890",
                            "imsi in (001*, 26201*)",
                            "imsi != 26201",
                            "(src_as = 64496 and dst_as = 64496)"}) {
    EXPECT_TRUE(passes(where)) << where;
  }
  for (const char* where : {"src_addr in 2001:db8::/32",
                            "src_addr in ::/0",
                            "src_addr in 192.0.2.6",
                            "dst_net in 198.51.100.0/25",
                            "dst_net in ::/0",
                            "src_as = 1",
                            "src_as != 64496",
                            "tag = 1",
                            "tag < 5",
                            "end_time > 1970-01-01T00:00:00Z",
                            "tcp_flags has rst",
                            "tcp_flags & 0x01",
                            "tcp_flags & 0x13 = 0x02",
                            "exists(vrf_name)",
                            "vrf_name = red",
                            "vrf_name != red",
                            "src_mac = 02:00:00:00:00:01",
                            "src_as != field(dst_as)",
                            "as_path contains 1",
                            "as_path length > 2",
                            "std_comm contains 65000:2",
                            "imsi = 26201",
                            "imsi in (26200*, 26202*)",
                            "(src_as = 64496 and dst_as = 1)"}) {
    EXPECT_FALSE(passes(where)) << where;
  }
}

TEST(FilterMatch, AsksForKeysOnly) {
  const auto compile = [](absl::string_view where) {
    return FilterMatch::New("flows", Columns(), filter::Filter::Parse(where)->program()).status();
  };
  EXPECT_EQ(compile("out_if = 3").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(compile("as_path contains 1 or out_if = 3").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(compile("bytes > 3").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(compile("src_as = field(in_if)").code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace flowacct::sink::mongodb
