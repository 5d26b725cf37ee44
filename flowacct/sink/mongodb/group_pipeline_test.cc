#include "flowacct/sink/mongodb/group_pipeline.h"

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/sink/mongodb/document.h"
#include "flowacct/sink/sql/table_schema.h"
#include "gtest/gtest.h"

namespace flowacct::sink::mongodb {
namespace {

using aggregate::Function;
using record::FieldId;

const sql::Column kPort{FieldId::kDstPort, true, Function::kSum, "dst_port"};
const sql::Column kAddress{FieldId::kSrcAddr, true, Function::kSum, "src_addr"};
const sql::Column kBytes{FieldId::kBytes, false, Function::kSum, "bytes"};
const sql::Column kMaxTag{FieldId::kTag, false, Function::kMax, "max(tag)"};
const sql::Column kMinEnd{FieldId::kEndTime, false, Function::kMin, "min(end_time)"};

PipelineRequest Request() {
  PipelineRequest request;
  request.batches = Document().Integer("$lte", 7);
  request.by = {&kPort, &kAddress};
  request.values = {&kBytes, &kMaxTag, &kMinEnd};
  request.wide = {true, false, false};
  return request;
}

Document Json(absl::string_view text) {
  bson_t document;
  bson_error_t error;
  EXPECT_TRUE(bson_init_from_json(&document, text.data(), static_cast<ssize_t>(text.size()), &error)) << error.message;
  Document copy(document);
  bson_destroy(&document);
  return copy;
}

TEST(GroupPipeline, ReadsAGroup) {
  const PipelineRequest request = Request();
  PipelineRow row(request);
  const Document document = Json(
      R"({"_id": {"k0": 443, "k1": {"$binary": {"base64": "AAE=", "subType": "00"}}},
          "l0": 3, "m0": 2.0, "h0": {"$numberLong": "5"}, "a1": {"$numberLong": "9"}, "f1": {"$numberLong": "-1"},
          "a2": null})");
  absl::Status status = ReadRow(request, *document.get(), &row);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(row.group[0].integer, 443);
  EXPECT_EQ(row.group[1].octets, absl::string_view("\0\1", 2));
  EXPECT_EQ(row.values[0], (absl::uint128(5) << 53) + (2 << 24) + 3);
  EXPECT_EQ(row.values[1], UINT64_MAX);
  EXPECT_FALSE(row.present[2]);
  // Of the next one nothing is left.
  status = ReadRow(request, *Json(R"({"_id": {"k1": null}, "l0": 1, "m0": 0, "h0": 0, "a1": 4})").get(), &row);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_FALSE(row.group[0].present);
  EXPECT_FALSE(row.group[1].present);
  EXPECT_EQ(row.values[0], 1);
  EXPECT_EQ(row.values[1], 4);
}

TEST(GroupPipeline, NoRoundedSumIsAnAnswer) {
  const PipelineRequest request = Request();
  PipelineRow row(request);
  for (const char* sums : {R"("l0": 1.8014398509481984e16, "m0": 0, "h0": 0)", R"("l0": 0, "m0": 1e16, "h0": 0)",
                           R"("l0": 0.5, "m0": 0, "h0": 0)", R"("l0": -1, "m0": 0, "h0": 0)", R"("l0": 0, "m0": 0)",
                           R"("l0": "1", "m0": 0, "h0": 0)"}) {
    const std::string text = std::string(R"({"_id": {}, "a1": null, "a2": null, )") + sums + "}";
    EXPECT_EQ(ReadRow(request, *Json(text).get(), &row).code(), absl::StatusCode::kResourceExhausted) << sums;
  }
}

TEST(GroupPipeline, WhatIsNoAnswerIsAnError) {
  const PipelineRequest request = Request();
  PipelineRow row(request);
  for (const char* id : {R"({"k0": "443"})", R"({"k1": "text"})", R"({"k1": 7})", R"({"k7": 1})", R"({"z": 1})",
                         R"({"s": 5})", R"({"k0": 1.5})", R"({"k0": [1]})"}) {
    const std::string text = std::string(R"({"l0": 0, "m0": 0, "h0": 0, "_id": )") + id + "}";
    EXPECT_EQ(ReadRow(request, *Json(text).get(), &row).code(), absl::StatusCode::kInternal) << id;
  }
  PipelineRequest ordered = Request();
  ordered.order = 0;
  EXPECT_EQ(ReadRow(ordered, *Json(R"({"l0": 0, "m0": 0, "h0": 0})").get(), &row).code(), absl::StatusCode::kInternal);
}

TEST(GroupPipeline, AddsAsTheFieldsAreOrdered) {
  const auto add = [](const sql::Column& column, std::vector<uint64_t> values) {
    absl::uint128 sum = 0;
    bool present = false;
    for (const uint64_t value : values) AddValue(column, value, &sum, &present);
    return sum;
  };
  EXPECT_EQ(add(kBytes, {UINT64_MAX, UINT64_MAX}), absl::uint128(UINT64_MAX) * 2);
  EXPECT_EQ(add(kMaxTag, {5, UINT64_MAX, 7}), UINT64_MAX);
  EXPECT_EQ(add(kMinEnd, {5, static_cast<uint64_t>(-3), 7}), static_cast<uint64_t>(-3));  // before 1970
  EXPECT_EQ(add(kMinEnd, {5, 3, 7}), 3);
}

}  // namespace
}  // namespace flowacct::sink::mongodb
