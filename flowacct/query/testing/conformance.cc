#include "flowacct/query/testing/conformance.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/query/group_value.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/value_text.h"
#include "gtest/gtest.h"

namespace flowacct::query {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using F = record::FieldId;

constexpr char kTable[] = "flows";

aggregate::AggregatorOptions TableOptions() {
  aggregate::AggregatorOptions options;
  options.by = {"src_addr", "dst_addr", "dst_net",  "src_as",  "dst_as",    "dst_port", "protocol",         "as_path",
                "std_comm", "vrf_name", "exporter", "src_mac", "tcp_flags", "imsi",     "mpls_label_stack", "window"};
  options.values = {"packets",  "bytes",         "flows",         "min(ttl)",
                    "max(ttl)", "min(end_time)", "max(end_time)", "distinct(dst_port)"};
  options.every = absl::Seconds(kConformanceBin);
  options.seed = 1;
  options.custom_fields = std::make_shared<const record::CustomFields>(
      *record::CustomFields::OfNames(std::vector<std::pair<std::string, F>>{{"window", F::kCustom1}}));
  return options;
}

// Names that somebody on the wire might choose.
constexpr absl::string_view kNames[] = {"red",           "blue",    "Blue",  "it's; DROP TABLE flows--", "a\"b\\c", "",
                                        "Z\xc3\xbcrich", "50%_off", "$where"};

// The last is a pseudonym.
constexpr absl::string_view kSubscribers[] = {"262011234567890", "262021234567890", "26202", "001010000000001",
                                              "x0123456789abcde"};

class Maker {
 public:
  Maker(aggregate::AggregatorOptions options, base::Interner* interner)
      : aggregator_(*aggregate::Aggregator::New(std::move(options), interner)),
        layout_(Fields()),
        records_(&layout_, interner),
        interner_(interner) {
    aggregator_->Bind(layout_);
  }

  void AddRecords(std::mt19937* random, int64_t start_seconds, int count) {
    const auto pick = [random](uint32_t n) { return static_cast<uint32_t>((*random)() % n); };
    for (int i = 0; i < count; ++i) {
      auto row = records_.Append();
      if (pick(20) != 0) row.Set<F::kSrcAddr>(Source(pick(7)));
      if (pick(20) != 0) {
        row.Set<F::kDstAddr>(pick(2) == 0 ? base::IpAddress::V4(0xc6336400 + pick(4))
                                          : *base::IpAddress::Parse(absl::StrCat("2001:db8:", pick(3), "::1")));
      }
      if (pick(3) != 0) row.Set<F::kDstNet>(*base::IpPrefix::Parse(pick(2) == 0 ? "198.51.100.0/24" : "2001:db8::/32"));
      if (pick(9) != 0) row.Set<F::kSrcAs>(pick(4) == 0 ? 4294967295u : 64496 + pick(3));
      if (pick(9) != 0) row.Set<F::kDstAs>(pick(9) == 0 ? 0 : 64500 + pick(5));
      if (pick(5) != 0) row.Set<F::kDstPort>(static_cast<uint16_t>(pick(4) == 0 ? 65535 : 53 + 195 * pick(3)));
      if (pick(9) != 0) row.Set<F::kProtocol>(pick(3) == 0 ? 17 : 6);
      if (pick(3) != 0) row.Set<F::kAsPath>(Path(pick(4)));
      if (pick(3) != 0) row.Set<F::kStdComm>(Communities(pick(3)));
      if (pick(3) != 0) row.Set<F::kVrfName>(interner_->Intern(kNames[pick(9)]));
      row.Set<F::kExporter>(base::IpAddress::V4(0xcb007100 + pick(2)));
      if (pick(3) == 0) row.Set<F::kSrcMac>(base::MacAddress{{2, 0, 0, 0, 0, static_cast<uint8_t>(pick(3))}});
      if (pick(3) == 0) row.Set<F::kTcpFlags>(static_cast<uint16_t>(pick(2) == 0 ? 0x02 : 0x12));
      if (i % 3 != 0) row.Set<F::kImsi>(*base::Digits::Parse(kSubscribers[static_cast<size_t>(i) % 5]));
      if (i % 4 != 0) row.Set<F::kMplsLabelStack>(Labels(i % 5));
      if (i % 7 != 0) row.Set<F::kCustom1>(i % 2 == 0 ? UINT64_MAX - static_cast<uint64_t>(i % 3) : 512);
      row.Set<F::kPackets>(1 + pick(1000));
      row.Set<F::kBytes>(pick(40) == 0 ? UINT64_MAX - pick(1000) : 40 + pick(100000));
      row.Set<F::kFlows>(1);
      if (pick(2) == 0) row.Set<F::kTtl>(static_cast<uint8_t>(pick(256)));
      row.Set<F::kStartTime>((start_seconds + pick(kConformanceBin)) * 1000000000);
      // Also before 1970, so that times have to be told apart from large numbers.
      if (pick(2) == 0) row.Set<F::kEndTime>((pick(9) == 0 ? -5 : start_seconds) * 1000000000 + pick(1000000000));
    }
    aggregator_->Add(records_);
    records_.Clear();
  }

  std::vector<AggregateBatch> Close() { return aggregator_->Close(); }

 private:
  std::vector<F> Fields() const {
    std::vector<F> fields(aggregator_->RequiredFields().begin(), aggregator_->RequiredFields().end());
    return fields;
  }

  static base::IpAddress Source(uint32_t i) {
    constexpr absl::string_view kSources[] = {"192.0.2.1",   "192.0.2.2", "192.0.3.200",      "10.0.0.1",
                                              "2001:db8::1", "::1",       "2001:db8:0:1::255"};
    return *base::IpAddress::Parse(kSources[i]);
  }
  base::InternId Path(uint32_t i) {
    base::OctetWriter path;
    if (i == 0) path.U8(2).U8(2).U32(64496).U32(64511);
    if (i == 1) path.U8(2).U8(3).U32(64497).U32(4200000000).U32(64511);
    if (i == 2) path.U8(2).U8(1).U32(64496).U8(1).U8(2).U32(1).U32(2);
    return interner_->Intern(path.octets());  // the last: an empty path
  }
  base::InternId Labels(int i) {
    base::OctetWriter stack;
    for (int label = 0; label < i; ++label) stack.U24(static_cast<uint32_t>((100 + label) << 4));
    return interner_->Intern(stack.octets());
  }
  base::InternId Communities(uint32_t i) {
    base::OctetWriter list;
    if (i != 0) list.U16(65000).U16(1);
    if (i == 2) list.U16(65000).U16(200);
    return interner_->Intern(list.octets());
  }

  std::unique_ptr<aggregate::Aggregator> aggregator_;
  record::Layout layout_;
  record::FlowBatch records_;
  base::Interner* interner_;
};

GroupColumn By(F field, int v4_length = -1, int v6_length = -1) { return {field, v4_length, v6_length}; }

std::string TextOf(const std::pair<int64_t, GroupValues>& group, const GroupRequest& request) {
  std::string text = absl::StrCat(group.first);
  for (size_t i = 0; i < group.second.size(); ++i) {
    absl::StrAppend(&text, " ");
    const bool network = request.by[i].v4_length >= 0;
    const record::FieldType type = network ? record::FieldType::kPrefix : record::Info(request.by[i].field).type;
    record::AppendStoredJson(type, group.second[i].View(), &text);
  }
  return text;
}

using Cells = std::vector<std::pair<bool, absl::uint128>>;
using Groups = std::map<std::pair<int64_t, GroupValues>, Cells>;

absl::Status Ask(GroupStore& store, const GroupRequest& request, Groups* groups) {
  return store.Sum(request, [&](const GroupRow& row) {
    Cells cells;
    EXPECT_EQ(row.values.size(), request.values.size());
    EXPECT_EQ(row.present.size(), request.values.size());
    EXPECT_EQ(row.group.size(), request.by.size());
    for (size_t i = 0; i < row.values.size() && i < row.present.size(); ++i) {
      cells.emplace_back(row.present[i], row.present[i] ? row.values[i] : absl::uint128(0));
    }
    const auto [it, is_new] = groups->emplace(std::make_pair(row.step_seconds, OwnedGroup(row.group)), cells);
    EXPECT_TRUE(is_new) << "a group comes twice: " << TextOf(it->first, request);
    return true;
  });
}

std::string TextOf(const Cells& cells) {
  std::string text;
  for (const auto& [present, value] : cells) {
    if (present) {
      absl::StrAppend(&text, " ", absl::Uint128High64(value), "*2^64+", absl::Uint128Low64(value));
    } else {
      absl::StrAppend(&text, " -");
    }
  }
  return text;
}

// All of `some` are in `all`, alike.
void ExpectWithin(const Groups& some, const Groups& all, const GroupRequest& request) {
  int shown = 0;
  for (const auto& [group, cells] : some) {
    const auto found = all.find(group);
    if (found != all.end() && found->second == cells) continue;
    if (++shown > 5) break;
    ADD_FAILURE() << "group " << TextOf(group, request) << ":" << TextOf(cells) << ", but its twin says"
                  << (found == all.end() ? " that there is none" : TextOf(found->second));
  }
}

// The numbers that order the groups, largest first; min and max of times with their sign.
std::vector<std::pair<bool, absl::uint128>> Ranks(const Groups& groups, size_t order, uint64_t sign) {
  std::vector<std::pair<bool, absl::uint128>> ranks;
  for (const auto& [group, cells] : groups) {
    ranks.push_back(cells[order]);
    ranks.back().second ^= cells[order].first ? sign : 0;
  }
  std::sort(ranks.rbegin(), ranks.rend());
  return ranks;
}

void ExpectSameTables(GroupStore& store, MemoryStore& twin, IsCopy is_copy) {
  const auto tables = store.Tables(), others = twin.Tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_TRUE(others.ok());
  for (const TableInfo& other : *others) {
    const auto table =
        std::find_if(tables->begin(), tables->end(), [&](const TableInfo& t) { return t.name == other.name; });
    ASSERT_NE(table, tables->end()) << "no table " << other.name;
    EXPECT_EQ(table->keys, other.keys) << other.name;
    EXPECT_EQ(table->key_names, other.key_names) << other.name;
    EXPECT_EQ(table->left_out, is_copy == IsCopy::kYes ? std::vector<std::string>() : other.left_out) << other.name;
    EXPECT_EQ(table->bin_seconds, other.bin_seconds) << other.name;
    EXPECT_EQ(table->first_seconds, other.first_seconds) << other.name;
    EXPECT_EQ(table->last_seconds, other.last_seconds) << other.name;
    ASSERT_EQ(table->values.size(), other.values.size()) << other.name;
    for (size_t i = 0; i < other.values.size(); ++i) {
      EXPECT_EQ(table->values[i].name, other.values[i].name);
      EXPECT_EQ(table->values[i].field, other.values[i].field);
      EXPECT_EQ(table->values[i].function, other.values[i].function);
    }
  }
}

}  // namespace

ConformanceData::~ConformanceData() = default;

ConformanceData::ConformanceData() {
  std::mt19937 random(20260329);
  uint64_t number = 0;
  const auto keep = [&](absl::string_view table, AggregateBatch batch) {
    batch.set_identity({"edge-1", std::string(table), 1774742000000000000u, ++number});
    batches_.emplace_back(table, std::make_shared<const AggregateBatch>(std::move(batch)));
  };
  Maker flows(TableOptions(), &interner_);
  // Bins 0 to 14, of which bin 7 has no traffic.
  for (int bin = 0; bin < 15; ++bin) {
    if (bin != 7) flows.AddRecords(&random, kConformanceStart + bin * kConformanceBin, 60);
  }
  for (AggregateBatch& batch : flows.Close()) keep(kTable, std::move(batch));
  batches_.push_back(batches_[3]);  // once more, as after a broken connection

  // Records that came too late for bin 2: groups that were there, and new ones.
  Maker late(TableOptions(), &interner_);
  late.AddRecords(&random, kConformanceStart + 2 * kConformanceBin, 40);
  for (AggregateBatch& batch : late.Close()) {
    batch.set_correction(true);
    keep(kTable, std::move(batch));
  }
  // A bin with more groups than found place.
  aggregate::AggregatorOptions narrow = TableOptions();
  narrow.max_groups = 20;
  Maker crowded(narrow, &interner_);
  crowded.AddRecords(&random, kConformanceStart + 16 * kConformanceBin, 60);
  for (AggregateBatch& batch : crowded.Close()) keep(kTable, std::move(batch));

  aggregate::AggregatorOptions total;
  total.by = {"dst_as", "vrf_name"};
  total.values = {"bytes", "packets"};
  total.seed = 1;
  Maker totals(total, &interner_);
  totals.AddRecords(&random, kConformanceStart, 300);
  for (AggregateBatch& batch : totals.Close()) keep("total", std::move(batch));
}

std::vector<ConformanceRequest> ConformanceRequests() {
  std::vector<ConformanceRequest> requests;
  enum : size_t { kPackets, kBytes, kFlows, kMinTtl, kMaxTtl, kMinEnd, kMaxEnd };
  const auto add = [&](absl::string_view name, std::vector<GroupColumn> by, std::vector<size_t> values,
                       absl::string_view where = "") -> ConformanceRequest& {
    ConformanceRequest request;
    request.name = std::string(name);
    request.request.table = kTable;
    request.request.by = std::move(by);
    request.request.values = std::move(values);
    request.request.where = *filter::Filter::Parse(where);
    requests.push_back(std::move(request));
    return requests.back();
  };
  const std::vector<size_t> sums = {kPackets, kBytes, kFlows};

  add("total", {}, sums);
  add("every value", {}, {kMaxEnd, kMinEnd, kMaxTtl, kMinTtl, kFlows, kBytes, kPackets});
  add("min and max by group", {By(F::kSrcAs), By(F::kVrfName)}, {kMinTtl, kMaxTtl, kMinEnd, kMaxEnd});
  add("no value", {By(F::kDstAs)}, {});
  for (const F field :
       {F::kSrcAddr, F::kDstAddr, F::kDstNet, F::kSrcAs, F::kDstAs, F::kDstPort, F::kProtocol, F::kAsPath, F::kStdComm,
        F::kVrfName, F::kExporter, F::kSrcMac, F::kTcpFlags, F::kImsi, F::kMplsLabelStack, F::kCustom1}) {
    add(absl::StrCat("by ", record::Info(field).name), {By(field)}, sums);
  }
  add("by all at once", {By(F::kSrcAddr), By(F::kDstAddr), By(F::kAsPath), By(F::kVrfName), By(F::kDstPort)}, sums);
  add("by network", {By(F::kSrcAddr, 24, 64)}, sums);
  add("by network, odd lengths", {By(F::kSrcAddr, 9, 61), By(F::kDstAddr, 31, 45)}, sums);
  add("by network, no bits", {By(F::kSrcAddr, 0, 0)}, sums);
  add("by network, all bits", {By(F::kSrcAddr, 32, 128)}, sums);
  add("by network and address", {By(F::kSrcAddr, 24, 48), By(F::kSrcAddr)}, sums);

  for (const char* where : {"src_addr in 192.0.2.0/24",
                            "src_addr in 2001:db8::/32",
                            "src_addr in (192.0.2.1, 10.0.0.0/8, ::1)",
                            "not src_addr in 192.0.0.0/16",
                            "src_addr = 2001:db8::1",
                            "src_addr in ::/0",
                            "src_addr in 0.0.0.0/0",
                            "dst_net in 198.51.100.0/24",
                            "dst_net in 198.51.0.0/16",
                            "dst_net in 198.51.100.0/25",
                            "src_as = 4294967295",
                            "src_as in (64496, 64498)",
                            "src_as != 64496",
                            "not src_as = 64496",
                            "dst_as = 0",
                            "dst_as > 64500 and dst_as <= 64503",
                            "dst_port in 100-65535",
                            "dst_port not in (53, 248)",
                            "proto tcp",
                            "proto udp or dst_port 443",
                            "not (proto tcp and dst_port 53) and exists(dst_as)",
                            "exists(src_mac)",
                            "not exists(src_addr)",
                            "tcp_flags has syn",
                            "tcp_flags has (syn, ack)",
                            "tcp_flags & 0x10 = 0",
                            "tcp_flags & 0x12",
                            "src_mac = 02:00:00:00:00:01",
                            "vrf_name = red",
                            "vrf_name in (red, blue)",
                            "vrf_name = 'it\\'s'",
                            "vrf_name = \"it's; DROP TABLE flows--\"",
                            "vrf_name != blue",
                            "not vrf_name = blue",
                            "vrf_name = ''",
                            "host 192.0.2.1",
                            "imsi = 001010000000001",
                            "imsi = 26202",
                            "imsi = 26202*",
                            "imsi in (26201*, 26202*, 262011234567890)",
                            "imsi in (26202, 26203*)",
                            "imsi not in (0*)",
                            "imsi = x0123456789abcde",
                            "not imsi = 2*",
                            "src_as = field(dst_as)",
                            "src_as != field(dst_as)",
                            "src_addr != field(dst_addr)"}) {
    add(where, {By(F::kExporter)}, sums, where);
  }
  for (const char* where :
       {"as_path contains 64511", "as_path first 64496", "as_path origin = 64511", "as_path length > 1",
        "as_path matches \"^64496_\"", "std_comm contains 65000:200", "std_comm contains 65000:*",
        "not std_comm contains 65000:1", "std_comm matches \"_65000:2..$\"", "as_path not contains 64511",
        "mpls_label_stack contains 102", "not mpls_label_stack contains 100-101",
        // Beside what a store can say of itself.
        "proto tcp and as_path contains 64511 and dst_port 53", "as_path contains 64511 or dst_port 53",
        "not (std_comm contains 65000:200 and proto tcp) and src_addr in 192.0.2.0/24",
        "(as_path first 64496 or not exists(src_mac)) and (std_comm contains 65000:1 or imsi = 26202*)",
        "as_path contains 64511 and not as_path contains 64496 or vrf_name != blue",
        "not exists(as_path) or as_path length > 1"}) {
    add(where, {By(F::kExporter)}, sums, where);
  }
  const char* const kOfRoutes = "as_path contains 64511 or proto udp";
  add("all that pass by their routes", {}, {kMaxEnd, kMinEnd, kMaxTtl, kMinTtl, kFlows, kBytes, kPackets}, kOfRoutes);
  add("none that passes by its route", {}, sums, "as_path contains 1 and as_path contains 64511");
  add("by the route that is asked for", {By(F::kAsPath), By(F::kStdComm)}, sums, kOfRoutes);
  add("by network, of routes", {By(F::kSrcAddr, 9, 61), By(F::kDstAddr, 31, 45)}, sums, kOfRoutes);

  const auto within = [](ConformanceRequest& request, int64_t from, int64_t to) {
    request.request.from_seconds = kConformanceStart + from;
    request.request.to_seconds = kConformanceStart + to;
  };
  within(add("bins from the third on", {By(F::kDstAs)}, sums), 600, INT32_MAX);
  within(add("one bin", {By(F::kDstAs)}, sums), 600, 900);
  within(add("no bin begins there", {By(F::kDstAs)}, sums), 601, 900);
  within(add("a bin without traffic", {}, sums), 2100, 2400);
  within(add("before all", {By(F::kDstAs)}, sums), -7200, -3600);
  const auto stepped = [](ConformanceRequest& request, int64_t step, int64_t origin) {
    request.request.step_seconds = step;
    request.request.step_origin_seconds = origin;
  };
  stepped(add("every bin", {By(F::kDstAs)}, sums), kConformanceBin, 0);
  stepped(add("every 15 minutes", {By(F::kProtocol)}, sums, "src_addr in 192.0.2.0/24"), 900, 0);
  stepped(add("every 15 minutes, of routes", {By(F::kDstAs)}, {kBytes, kMinTtl, kMaxEnd}, kOfRoutes), 900, 0);
  stepped(add("steps of an odd origin", {}, {kBytes, kMinEnd}), 3600, kConformanceStart + 300);
  stepped(add("steps that begin later than the rows", {}, sums), 1200, kConformanceStart + 1000 * 1200 + 600);
  stepped(add("steps that began before 1970", {By(F::kVrfName)}, sums), 86400, -86400 * 3 - 3600);

  const auto largest = [](ConformanceRequest& request, size_t limit, size_t order) {
    request.request.limit = limit;
    request.request.order = order;
  };
  largest(add("3 largest by bytes", {By(F::kSrcAddr)}, sums), 3, 1);
  largest(add("5 largest beyond 64 bits", {By(F::kSrcAs), By(F::kDstAs)}, {kBytes}), 5, 0);
  largest(add("5 largest by packets of some", {By(F::kDstAddr, 24, 48)}, sums, "proto tcp"), 5, 0);
  largest(add("4 largest by the end", {By(F::kSrcAddr)}, {kMinEnd, kBytes}), 4, 0);
  largest(add("3 largest by bytes, of routes", {By(F::kSrcAddr)}, sums, kOfRoutes), 3, 1);
  largest(add("4 largest by the end, of routes", {By(F::kSrcAddr)}, {kMinEnd, kBytes}, kOfRoutes), 4, 0);
  largest(add("3 largest by the lowest TTL, of routes", {By(F::kSrcAs)}, {kBytes, kMinTtl}, kOfRoutes), 3, 1);
  largest(add("more than there are", {By(F::kProtocol)}, sums), 100, 2);

  ConformanceRequest& total = add("a table without bins", {By(F::kVrfName)}, {0, 1});
  total.request.table = "total";
  ConformanceRequest& largest_total = add("the largest of it", {By(F::kDstAs)}, {0});
  largest_total.request.table = "total";
  largest_total.request.limit = 2;
  return requests;
}

void ExpectConforms(GroupStore& store, MemoryStore& twin, IsCopy is_copy) {
  ExpectSameTables(store, twin, is_copy);
  for (const ConformanceRequest& asked : ConformanceRequests()) {
    SCOPED_TRACE(asked.name);
    Groups got, expected;
    const absl::Status status = Ask(store, asked.request, &got);
    EXPECT_TRUE(status.ok()) << status;
    GroupRequest unlimited = asked.request;
    unlimited.limit = 0;
    const absl::Status told = Ask(twin, unlimited, &expected);
    ASSERT_TRUE(told.ok()) << told;
    ExpectWithin(got, expected, asked.request);
    if (asked.request.limit == 0) {
      ExpectWithin(expected, got, asked.request);
      continue;
    }
    const size_t shown = std::min(asked.request.limit, expected.size());
    EXPECT_GE(got.size(), shown);
    EXPECT_LE(got.size(), expected.size());
    if (got.size() < shown) continue;
    const auto tables = twin.Tables();
    const auto table = std::find_if(tables->begin(), tables->end(),
                                    [&](const TableInfo& info) { return info.name == asked.request.table; });
    const TableInfo::Value& value = table->values[asked.request.values[asked.request.order]];
    const uint64_t sign = value.function == Function::kSum ? 0 : record::SignBit(record::Info(value.field).type);
    auto some = Ranks(got, asked.request.order, sign), all = Ranks(expected, asked.request.order, sign);
    some.resize(shown);
    all.resize(shown);
    EXPECT_EQ(some, all);
  }

  // What is not there.
  const auto nothing = [](const GroupRow&) {
    ADD_FAILURE() << "a row of nothing";
    return true;
  };
  GroupRequest request;
  request.table = "no'such table";
  request.values = {0};
  EXPECT_EQ(store.Sum(request, nothing).code(), absl::StatusCode::kNotFound);
  request.table = kTable;
  request.by = {{F::kOutIf, -1, -1}};
  EXPECT_EQ(store.Sum(request, nothing).code(), absl::StatusCode::kNotFound);
  request.by = {};
  request.where = *filter::Filter::Parse("out_if = 3");
  EXPECT_EQ(store.Sum(request, nothing).code(), absl::StatusCode::kNotFound);
  request.where = filter::Filter();
  request.values = {99};
  EXPECT_EQ(store.Sum(request, nothing).code(), absl::StatusCode::kNotFound);

  // Whoever has heard enough.
  GroupRequest all;
  all.table = kTable;
  all.by = {{F::kSrcAddr, -1, -1}};
  all.values = {0};
  int told = 0;
  EXPECT_TRUE(store.Sum(all, [&told](const GroupRow&) { return ++told < 2; }).ok());
  EXPECT_EQ(told, 2);
}

}  // namespace flowacct::query
