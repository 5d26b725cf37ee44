#include "flowacct/query/testing/conformance.h"

#include <algorithm>
#include <random>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/value_text.h"
#include "gtest/gtest.h"

namespace flowacct::query::testing {
namespace {

using F = record::FieldId;

constexpr int64_t kBinSeconds = 300;
constexpr int64_t kNanosPerSecond = 1000000000;

base::IpAddress Address(const std::string& text) { return *base::IpAddress::Parse(text); }

void Fill(std::mt19937* random, int64_t bin, base::Interner* interner, record::FlowBatch* batch) {
  const auto one_in = [random](uint32_t n) { return (*random)() % n == 0; };
  for (int i = 0; i < 150; ++i) {
    record::MutableRow row = batch->Append();
    row.Set<F::kStartTime>((kConformanceStart + bin * kBinSeconds + (*random)() % kBinSeconds) * kNanosPerSecond);
    const uint32_t host = (*random)() % 40;
    if (!one_in(20)) {
      row.Set<F::kSrcAddr>(host < 25 ? Address(absl::StrCat("192.0.2.", host * 7))
                                     : Address(absl::StrCat("2001:db8:", host % 4, "::", host)));
    }
    row.Set<F::kDstAddr>(one_in(2) ? Address(absl::StrCat("198.51.100.", (*random)() % 8)) : Address("203.0.113.9"));
    if (!one_in(10)) row.Set<F::kSrcAs>(64496 + host % 5);
    if (!one_in(10)) row.Set<F::kDstAs>(one_in(9) ? 4200000000u : 64500 + (*random)() % 3);
    if (!one_in(8)) row.Set<F::kProtocol>(one_in(3) ? 17 : 6);
    if (!one_in(8)) row.Set<F::kDstPort>(one_in(2) ? 443 : static_cast<uint16_t>(1 + (*random)() % 4));
    if (one_in(2)) row.Set<F::kTcpFlags>(static_cast<uint16_t>((*random)() % 32));
    if (one_in(2)) {
      base::OctetWriter path;
      path.U8(2).U8(2).U32(64496 + (*random)() % 3).U32(64500 + (*random)() % 3);
      if (one_in(4)) path.U8(1).U8(2).U32(1).U32(2);
      row.Set<F::kAsPath>(interner->Intern(path.octets()));
    }
    if (one_in(2)) {
      base::OctetWriter communities;
      communities.U16(64496).U16(static_cast<uint16_t>((*random)() % 3));
      if (one_in(2)) communities.U16(64497).U16(100);
      row.Set<F::kStdComm>(interner->Intern(communities.octets()));
    }
    if (one_in(3)) {
      static constexpr const char* kNames[] = {"transit", "O'Brien \"x\"", "p\xc3\xa4ring; DROP TABLE flows--", "%_\\"};
      row.Set<F::kLabel>(interner->Intern(absl::string_view(kNames[(*random)() % 4])));
    }
    row.Set<F::kPackets>(1 + (*random)() % 1000);
    row.Set<F::kBytes>(one_in(30) ? UINT64_MAX - (*random)() : (*random)() % 100000);
    row.Set<F::kFlows>(1);
    if (one_in(2)) row.Set<F::kTtl>(static_cast<uint8_t>((*random)()));
  }
}

struct Question {
  std::vector<GroupColumn> by;
  std::string where;
  int64_t from_bin = -1, to_bin = -1;
  int64_t step_seconds = 0;
  int64_t origin_seconds = 0;
};

std::vector<Question> Questions() {
  const auto field = [](F id) { return GroupColumn{id, -1, -1}; };
  std::vector<Question> questions = {
      {{}, ""},
      {{field(F::kSrcAs)}, ""},
      {{field(F::kSrcAs), field(F::kDstAs), field(F::kProtocol)}, ""},
      {{field(F::kSrcAddr)}, ""},
      {{{F::kSrcAddr, 24, 48}}, ""},
      {{{F::kSrcAddr, 25, 47}}, ""},
      {{{F::kSrcAddr, 0, 0}, field(F::kProtocol)}, ""},
      {{field(F::kAsPath)}, ""},
      {{field(F::kStdComm)}, ""},
      {{field(F::kLabel)}, ""},
      {{field(F::kTcpFlags)}, ""},
      {{field(F::kDstAs)}, "", 3, 9},
      {{field(F::kDstAs)}, "", -1, -1, 3600},
      {{}, "", 1, 20, 900, 300},
      {{field(F::kProtocol)}, "", 2, 23, 86400, -7200},
      {{}, "", 30, 40},  // nothing is there
  };
  for (const char* where : {
           "src_addr in 192.0.2.0/25",
           "src_addr in (192.0.2.0/26, 2001:db8:1::/48)",
           "not src_addr in 192.0.2.0/25",
           "src_addr = 2001:db8:1::29",
           "exists(src_as)",
           "not exists(src_as)",
           "src_as = 64496",
           "src_as != 64496",
           "not src_as = 64496",
           "dst_as > 64501",
           "dst_as >= 4200000000",
           "dst_port in (443, 1-2)",
           "dst_port not in (443, 1-2)",
           "proto tcp and dst_port = 443",
           "proto tcp or not exists(protocol)",
           "not (proto tcp and (dst_port = 443 or src_as = 64497))",
           "tcp_flags has syn",
           "tcp_flags has syn,ack",
           "tcp_flags & 5",
           "tcp_flags & 5 = 4",
           "label = transit",
           "label = \"O'Brien \\\"x\\\"\"",
           "label in (transit, \"%_\\\\\")",
           "label != transit",
           "port 443",
           "as 64500",
           "host 203.0.113.9",
           "as_path contains 64500",
           "as_path origin 64501",
           "not as_path first 64496",
           "as_path length > 2",
           "as_path matches \"^64496_\"",
           "std_comm contains 64496:*",
           "std_comm contains 64497:100",
           "not std_comm contains 64496:1",
       }) {
    questions.push_back({{field(F::kSrcAs), field(F::kProtocol)}, where});
  }
  return questions;
}

std::string Number(absl::uint128 number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

}  // namespace

std::vector<std::shared_ptr<const aggregate::AggregateBatch>> ConformanceBatches() {
  aggregate::AggregatorOptions options;
  options.by = {"src_addr", "dst_addr",  "src_as",  "dst_as",   "protocol",
                "dst_port", "tcp_flags", "as_path", "std_comm", "label"};
  options.values = {"packets", "bytes", "flows", "min(ttl)", "max(ttl)"};
  options.every = absl::Seconds(kBinSeconds);
  options.max_groups = 140;  // of 150 records a bin some overflow
  options.seed = 1;
  std::vector<std::shared_ptr<const aggregate::AggregateBatch>> batches;
  std::mt19937 random(20260115);
  uint64_t number = 0;
  // A correction of every fifth bin comes as a batch of its own.
  for (int64_t bin = 0; bin < kConformanceBins; ++bin) {
    for (int part = 0; part < (bin % 5 == 0 ? 2 : 1); ++part) {
      auto interner = std::make_shared<base::Interner>();
      auto aggregator = aggregate::Aggregator::New(options, interner);
      EXPECT_TRUE(aggregator.ok()) << aggregator.status();
      std::vector<F> fields((*aggregator)->RequiredFields().begin(), (*aggregator)->RequiredFields().end());
      const record::Layout layout(fields);
      (*aggregator)->Bind(layout);
      record::FlowBatch records(&layout, interner.get());
      Fill(&random, bin, interner.get(), &records);
      (*aggregator)->Add(records);
      for (aggregate::AggregateBatch& made : (*aggregator)->Close()) {
        made.set_identity({"conformance", "flows", 1, ++number});
        made.set_correction(part > 0);
        batches.push_back(std::make_shared<const aggregate::AggregateBatch>(std::move(made)));
      }
    }
  }
  return batches;
}

std::vector<std::string> AnswerLines(GroupStore& store, const GroupRequest& request) {
  std::vector<std::string> lines;
  const absl::Status status = store.Sum(request, [&](const GroupRow& row) {
    std::string line = absl::StrCat(row.step_seconds);
    for (size_t i = 0; i < request.by.size(); ++i) {
      const GroupColumn& column = request.by[i];
      const record::FieldType type =
          column.v4_length >= 0 || column.v6_length >= 0 ? record::FieldType::kPrefix : record::Info(column.field).type;
      line += "|";
      if (!row.group[i].present) line += "(absent)";
      record::AppendStoredText(type, row.group[i], &line);
    }
    for (size_t i = 0; i < request.values.size(); ++i) {
      absl::StrAppend(&line, "|", row.present[i] ? Number(row.values[i]) : "-");
    }
    lines.push_back(std::move(line));
    return true;
  });
  if (!status.ok()) lines.push_back(status.ToString());
  std::sort(lines.begin(), lines.end());
  return lines;
}

void ExpectConforms(GroupStore& store, GroupStore& twin, const std::string& table,
                    const std::vector<std::string>& skip) {
  const auto tables = store.Tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  const auto twins = twin.Tables();
  ASSERT_TRUE(twins.ok());
  const auto find = [&table](const std::vector<TableInfo>& infos) -> const TableInfo* {
    for (const TableInfo& info : infos) {
      if (info.name == table) return &info;
    }
    return nullptr;
  };
  const TableInfo* const info = find(*tables);
  const TableInfo* const twin_info = find(*twins);
  ASSERT_NE(info, nullptr);
  ASSERT_NE(twin_info, nullptr);
  EXPECT_EQ(info->keys, twin_info->keys);
  EXPECT_EQ(info->bin_seconds, twin_info->bin_seconds);
  EXPECT_EQ(info->first_seconds, twin_info->first_seconds);
  EXPECT_EQ(info->last_seconds, twin_info->last_seconds);
  ASSERT_EQ(info->values.size(), twin_info->values.size());
  for (size_t i = 0; i < info->values.size(); ++i) EXPECT_EQ(info->values[i].name, twin_info->values[i].name);

  for (const Question& question : Questions()) {
    if (std::any_of(skip.begin(), skip.end(),
                    [&](const std::string& word) { return absl::StrContains(question.where, word); })) {
      continue;
    }
    GroupRequest request;
    request.table = table;
    request.by = question.by;
    for (size_t i = 0; i < info->values.size(); ++i) request.values.push_back(i);
    const auto where = filter::Filter::Parse(question.where);
    ASSERT_TRUE(where.ok()) << where.status();
    request.where = *where;
    if (question.from_bin >= 0) request.from_seconds = kConformanceStart + question.from_bin * kBinSeconds;
    if (question.to_bin >= 0) request.to_seconds = kConformanceStart + question.to_bin * kBinSeconds;
    request.step_seconds = question.step_seconds;
    request.step_origin_seconds = question.origin_seconds;
    const std::vector<std::string> expected = AnswerLines(twin, request);
    EXPECT_EQ(AnswerLines(store, request), expected)
        << "by " << question.by.size() << " columns, where " << question.where << ", step " << question.step_seconds;
    if (!question.where.empty()) {
      EXPECT_FALSE(expected.empty()) << "nothing passes " << question.where;
    }
  }

  // The largest: as many, with the same values.
  GroupRequest top;
  top.table = table;
  top.by = {{F::kSrcAddr, -1, -1}};
  top.values = {1, 0};
  top.limit = 5;
  const auto values = [&top](GroupStore& of) {
    std::vector<absl::uint128> largest;
    EXPECT_TRUE(of.Sum(top, [&](const GroupRow& row) {
                    largest.push_back(row.values[0]);
                    return true;
                  }).ok());
    std::sort(largest.rbegin(), largest.rend());
    if (largest.size() > top.limit) largest.resize(top.limit);
    return largest;
  };
  EXPECT_EQ(values(store), values(twin));

  top.table = "no such table";
  EXPECT_TRUE(absl::IsNotFound(store.Sum(top, [](const GroupRow&) { return true; })));
  top.table = table;
  top.by = {{F::kInIf, -1, -1}};
  EXPECT_TRUE(absl::IsNotFound(store.Sum(top, [](const GroupRow&) { return true; })));
}

}  // namespace flowacct::query::testing
