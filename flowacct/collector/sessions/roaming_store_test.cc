#include "flowacct/collector/sessions/roaming_store.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/record/field.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using record::FieldId;
using record::StoredValue;

// A store of one table, whose rows are texts: "SECONDS IMSI HOME VISITED ID APN SESSION UP DOWN MILLISECONDS" with "-"
// for what is absent. It answers requests for each row by itself.
class TextStore : public query::GroupStore {
 public:
  explicit TextStore(std::vector<std::string> rows) : rows_(std::move(rows)) {
    info.name = "cdr";
    info.keys = {FieldId::kImsi,       FieldId::kHomePlmn, FieldId::kVisitedPlmn,
                 FieldId::kChargingId, FieldId::kApn,      FieldId::kSessionId};
    for (const FieldId field : {FieldId::kBytesUp, FieldId::kBytesDown, FieldId::kSessionMilliseconds}) {
      info.values.push_back({field, aggregate::Function::kSum, std::string(record::Info(field).name)});
    }
    info.bin_seconds = 3600;
    info.first_seconds = 1800;
    info.last_seconds = 1800 + 24 * 3600;
  }

  absl::string_view name() const override { return "text"; }
  absl::StatusOr<std::vector<query::TableInfo>> Tables() override { return std::vector<query::TableInfo>{info}; }

  absl::Status Sum(const query::GroupRequest& request,
                   const std::function<bool(const query::GroupRow&)>& tell) override {
    EXPECT_EQ(request.table, info.name);
    EXPECT_EQ(request.step_seconds, info.bin_seconds);
    EXPECT_EQ(request.step_origin_seconds, info.first_seconds);
    for (const std::string& text : rows_) {
      const std::vector<std::string> cells = absl::StrSplit(text, ' ');
      std::vector<StoredValue> group;
      for (const query::GroupColumn& column : request.by) {
        StoredValue& value = group.emplace_back();
        for (size_t i = 0; i < 6; ++i) {
          if (kAll[i] != column.field || cells[i + 1] == "-") continue;
          value.present = true;
          const bool is_text = record::StoredFormOf(record::Info(column.field).type) == record::StoredForm::kText;
          if (is_text) value.octets = cells[i + 1];
          if (!is_text) value.integer = std::stoll(cells[i + 1]);
        }
      }
      std::vector<absl::uint128> values;
      bool present[3] = {};
      for (const size_t v : request.values) {
        present[values.size()] = cells[7 + v] != "-";
        values.push_back(cells[7 + v] == "-"      ? 0
                         : cells[7 + v] == "2^64" ? absl::MakeUint128(1, 0)
                                                  : absl::uint128(std::stoull(cells[7 + v])));
      }
      query::GroupRow row;
      row.step_seconds = std::stoll(cells[0]);
      row.group = group;
      row.values = values;
      row.present = absl::MakeConstSpan(present, values.size());
      if (!tell(row)) return absl::CancelledError("stopped");
    }
    return sum_status;
  }

  query::TableInfo info;
  absl::Status sum_status;

 private:
  static constexpr FieldId kAll[] = {FieldId::kImsi,       FieldId::kHomePlmn, FieldId::kVisitedPlmn,
                                     FieldId::kChargingId, FieldId::kApn,      FieldId::kSessionId};
  const std::vector<std::string> rows_;
};

std::string Rows(const RoamingReport& report) {
  std::vector<std::string> rows;
  for (const RoamingRow& row : report.Rows()) {
    rows.push_back(absl::StrCat(absl::FormatCivilTime(row.day), " ", row.visited_plmn.ToString(), " ",
                                row.home_plmn.ToString(), " ", row.apn, " ", row.sessions, " ", row.milliseconds, " ",
                                absl::Uint128Low64(row.bytes_up), "+", absl::Uint128Low64(row.bytes_down)));
  }
  return absl::StrJoin(rows, "\n");
}

const std::vector<std::string>& Sessions() {
  static const auto* const rows = new std::vector<std::string>{
      "1800 262011234567890 26201 20801 7 web 1 10 20 1000", "5400 262011234567890 26201 20801 7 web 1 1 2 500",
      "5400 262011234567890 26201 20801 8 web 1 3 - 500",    "5400 262011234567891 26201 20801 4294967295 web 2 - - -",
      "5400 262011234567892 26201 26201 9 web 3 9 9 9",      "5400 262011234567893 - 20801 9 web 4 9 9 9",
      "88200 262011234567890 26201 310410 - - 5 100 200 7",  "88200 262011234567890 26201 310410 - - 5 100 200 7",
  };
  return *rows;
}

TEST(RoamingStoreTest, RowsAreParts) {
  TextStore store(Sessions());
  RoamingReport report({});
  ASSERT_EQ(AddStoredSessions(store, "cdr", &report), absl::OkStatus());
  EXPECT_EQ(Rows(report), "1970-01-01 20801 26201 web 3 2000 14+22\n1970-01-02 310410 26201  1 14 200+400");
  EXPECT_EQ(report.parts_at_home(), 1u);
  EXPECT_EQ(report.parts_of_unknown_networks(), 1u);

  RoamingSession charged;
  charged.imsi = *base::Digits::Parse("262011234567890");
  charged.charging_id = 7;
  charged.bytes_up = 14;
  charged.bytes_down = 22;
  const RoamingComparison comparison = report.Compare({charged});
  EXPECT_EQ(comparison.sum(RoamingOutcome::kExplained).charged_sessions, 1u);
  EXPECT_EQ(comparison.sum(RoamingOutcome::kExplained).seen_sessions, 2u);
}

TEST(RoamingStoreTest, WithoutWhatTellsSessionsApartRowsAreSessions) {
  TextStore store(Sessions());
  store.info.keys = {FieldId::kVisitedPlmn, FieldId::kHomePlmn, FieldId::kImsi, FieldId::kApn};
  RoamingReport report({});
  ASSERT_EQ(AddStoredSessions(store, "cdr", &report), absl::OkStatus());
  EXPECT_EQ(Rows(report), "1970-01-01 20801 26201 web 4 2000 14+22\n1970-01-02 310410 26201  2 14 200+400");
}

TEST(RoamingStoreTest, WhatIsMissingIsNamed) {
  for (const FieldId field : {FieldId::kImsi, FieldId::kHomePlmn, FieldId::kVisitedPlmn}) {
    TextStore store({});
    auto& keys = store.info.keys;
    keys.erase(std::find(keys.begin(), keys.end(), field));
    RoamingReport report({});
    const absl::Status status = AddStoredSessions(store, "cdr", &report);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(
        absl::StrContains(status.message(), absl::StrCat("text: table cdr has no ", record::Info(field).name, ";")))
        << status;
  }
  for (size_t i = 0; i < 3; ++i) {
    TextStore store({});
    store.info.values[i].function = aggregate::Function::kMax;
    RoamingReport report({});
    const absl::Status status = AddStoredSessions(store, "cdr", &report);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("table cdr has no ", store.info.values[i].name, ";")));
  }
  TextStore store(Sessions());
  RoamingReport report({});
  EXPECT_EQ(AddStoredSessions(store, "flows", &report).code(), absl::StatusCode::kNotFound);
  store.info.bin_seconds = 0;
  EXPECT_EQ(AddStoredSessions(store, "cdr", &report).code(), absl::StatusCode::kInvalidArgument);
}

TEST(RoamingStoreTest, ErrorsEndIt) {
  RoamingReport report({});
  TextStore large({"1800 262011234567890 26201 20801 7 web 1 2^64 20 1000"});
  EXPECT_EQ(AddStoredSessions(large, "cdr", &report).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(report.sessions(), 0u);
  TextStore gone(Sessions());
  gone.sum_status = absl::UnavailableError("gone");
  EXPECT_EQ(AddStoredSessions(gone, "cdr", &report), absl::UnavailableError("gone"));
  RoamingOptions options;
  options.max_sessions = 1;
  RoamingReport small(options);
  TextStore store(Sessions());
  EXPECT_EQ(AddStoredSessions(store, "cdr", &small).code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace flowacct::collector
