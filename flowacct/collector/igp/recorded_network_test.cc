// testdata/isis: a network in text and the same one recorded, in which a link fails for half a minute. What would
// happen if it failed is what happened when it did; docs/tutorial/inside-the-network.md tells the story.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/igp/igp_demands.h"
#include "flowacct/collector/igp/igp_files.h"
#include "flowacct/collector/igp/igp_glass.h"

namespace flowacct::collector {
namespace {

constexpr char kText[] = "testdata/isis/network.topology", kCapture[] = "testdata/isis/network.pcap";

std::unique_ptr<IgpFiles> Load(const std::string& file) {
  IgpFilesOptions options;
  options.files = {file};
  auto files = IgpFiles::Load(std::move(options));
  EXPECT_TRUE(files.ok()) << files.status();
  return files.ok() ? *std::move(files) : nullptr;
}

std::unique_ptr<IgpGlass> GlassAt(const IgpFiles& files, absl::string_view time) {
  absl::Time at;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, time, &at, &error)) << error;
  auto state = files.database().StateAt(absl::ToUnixNanos(at));
  EXPECT_TRUE(state.has_value());
  return state ? std::make_unique<IgpGlass>(*std::move(state), files.groups()) : nullptr;
}

// Of each link what a column says, where it is more than nothing.
std::map<std::string, std::string> ByLink(const absl::StatusOr<std::string>& json, const std::string& column) {
  std::map<std::string, std::string> links;
  EXPECT_TRUE(json.ok()) << json.status();
  if (!json.ok()) return links;
  const auto answer = QueryAnswer::FromJson(*json);
  EXPECT_TRUE(answer.ok()) << answer.status();
  if (!answer.ok()) return links;
  std::map<std::string, size_t> place;
  for (size_t i = 0; i < answer->columns.size(); ++i) place[answer->columns[i]] = i;
  for (const auto& row : answer->rows) {
    const std::string& text = row[place.at(column)].text;
    if (text != "0") links[absl::StrCat(row[place.at("from")].text, "-", row[place.at("to")].text)] = text;
  }
  return links;
}

class RecordedNetwork : public testing::Test {
 protected:
  RecordedNetwork() : text_(Load(kText)), capture_(Load(kCapture)) {
    // Odd numbers, so that halves are not alike.
    auto demands = ParseIgpDemands("traffic",
                                   "exporter,dst_addr,bytes\n"
                                   "192.0.2.1,192.0.2.20,1000001\n"
                                   "192.0.2.1,2001:db8:fbf4::50,70003\n"
                                   "192.0.2.2,192.0.2.40,30007\n"
                                   "192.0.2.2,192.0.2.90,507\n");
    EXPECT_TRUE(demands.ok()) << demands.status();
    if (demands.ok()) demands_ = *std::move(demands);
  }

  const std::unique_ptr<IgpFiles> text_, capture_;
  IgpDemands demands_;
  const IgpLoadOptions options_;
  std::vector<std::string> report_;
};

TEST_F(RecordedNetwork, IsTheOneInText) {
  ASSERT_TRUE(text_ != nullptr && capture_ != nullptr);
  EXPECT_EQ(capture_->counters().malformed_pdus + capture_->counters().malformed_lsps, 0u);
  EXPECT_EQ(capture_->counters().wrong_checksums, 0u);
  IgpGlass written(text_->database().State(), text_->groups());
  for (const char* time : {"2026-01-15T14:00:50Z", "2026-01-15T14:02:00Z"}) {
    const auto recorded = GlassAt(*capture_, time);
    ASSERT_NE(recorded, nullptr);
    for (const char* column : {"bytes", "metric", "capacity"}) {
      const auto links = ByLink(written.Traffic(demands_, options_, &report_), column);
      EXPECT_EQ(links.size(), 6u);
      EXPECT_EQ(links, ByLink(recorded->Traffic(demands_, options_, &report_), column)) << time << " " << column;
    }
  }
}

TEST_F(RecordedNetwork, WhatIfIsWhatHappened) {
  ASSERT_TRUE(text_ != nullptr && capture_ != nullptr);
  const auto then = GlassAt(*capture_, "2026-01-15T14:01:15Z");
  ASSERT_NE(then, nullptr);
  const auto happened = ByLink(then->Traffic(demands_, options_, &report_), "bytes");
  EXPECT_EQ(happened.at("ams-bru"), "1000001");
  EXPECT_EQ(happened.count("lux-par"), 0u);
  for (IgpFiles* files : {text_.get(), capture_.get()}) {
    IgpGlass before(files->database().State(), files->groups());
    const auto usual = ByLink(before.Traffic(demands_, options_, &report_), "bytes");
    auto foreseen = ByLink(before.WhatIf(demands_, {"lux-par"}, options_, &report_), "after");
    // Links that do not change are in no row.
    for (const auto& [link, octets] : usual) {
      if (happened.count(link) > 0 && happened.at(link) == octets) foreseen.try_emplace(link, octets);
    }
    EXPECT_EQ(foreseen, happened);
  }
}

}  // namespace
}  // namespace flowacct::collector
