// What needs no server: options as one text, partitions.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "flowacct/sink/mariadb/connection_options.h"
#include "flowacct/sink/mariadb/partitions.h"
#include "gtest/gtest.h"

namespace flowacct::sink::mariadb {
namespace {

constexpr int64_t kLength = 86400;
constexpr int64_t kStart = 1699920000;  // 2023-11-14T00:00:00Z

TEST(ConnectionOptions, OfOneText) {
  const auto options = ParseConnectionOptions(
      " host=db.example port=3307 user='it''s me'  database=flows\tpassword_file='/etc/a b' tls=verify "
      "tls_ca_file=/ca.pem timeout=2m");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->host, "db.example");
  EXPECT_EQ(options->port, 3307);
  EXPECT_EQ(options->user, "it's me");
  EXPECT_EQ(options->database, "flows");
  EXPECT_EQ(options->password_file, "/etc/a b");
  EXPECT_EQ(options->tls, Tls::kVerify);
  EXPECT_EQ(options->tls_ca_file, "/ca.pem");
  EXPECT_EQ(options->timeout, absl::Minutes(2));
  const auto local = ParseConnectionOptions("socket=/run/s database=flows");
  ASSERT_TRUE(local.ok()) << local.status();
  EXPECT_EQ(local->socket, "/run/s");
  EXPECT_EQ(local->tls, Tls::kOff);
}

TEST(ConnectionOptions, ErrorsAreOneLineWithoutAPassword) {
  struct Case {
    absl::string_view text, told;
  };
  for (const Case& c : {Case{"", "no database"},
                        {"host=a", "no database"},
                        {"database=", "database: a name"},
                        {"database=flows port=0", "port: a number from 1 to 65535"},
                        {"database=flows port=x", "port: a number"},
                        {"database=flows tls=maybe", "tls: off, require or verify"},
                        {"database=flows timeout=soon", "timeout: a time"},
                        {"database=flows timeout=1ms", "from a second to a day"},
                        {"database=flows host=a socket=b", "choose one"},
                        {"database=flows user='x", "user: the quote does not end"},
                        {"database=flows user='x'y", "user: the quote does not end"},
                        {"database=flows database=b", "database is there twice"},
                        {"database=flows hunter2", "a word without"},
                        {"database=flows passwd=hunter2", "none of host, port, socket"},
                        {"database=flows password=hunter2", "password_file"}}) {
    const absl::Status status = ParseConnectionOptions(c.text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.text;
    EXPECT_TRUE(absl::StrContains(status.message(), c.told)) << c.text << ": " << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
  }
}

std::string Names(const std::vector<Partition>& partitions) {
  std::string names;
  for (const Partition& p : partitions) names += (names.empty() ? "" : " ") + p.name;
  return names;
}

TEST(Partitions, DaysDivideWhatLiesBetween) {
  std::vector<Partition> partitions = {{"rest", INT64_MAX, 0}};
  std::vector<int64_t> starts = {kStart, kStart + kLength, kStart + 5 * kLength};
  for (const int64_t start : starts) EXPECT_TRUE(IsMissing(partitions, start, kLength));
  EXPECT_EQ(Divide(kLength, &starts, &partitions),
            "PARTITION `rest` INTO (PARTITION `g20231114` VALUES LESS THAN (1699920000), PARTITION `p20231114` VALUES "
            "LESS THAN (1700006400), PARTITION `p20231115` VALUES LESS THAN (1700092800), PARTITION `g20231119` VALUES "
            "LESS THAN (1700352000), PARTITION `p20231119` VALUES LESS THAN (1700438400), PARTITION `rest` VALUES LESS "
            "THAN MAXVALUE)");
  EXPECT_TRUE(starts.empty());
  EXPECT_EQ(Names(partitions), "g20231114 p20231114 p20231115 g20231119 p20231119 rest");
  EXPECT_FALSE(IsMissing(partitions, kStart, kLength));
  EXPECT_EQ(Covering(partitions, kStart)->name, "p20231114");
  EXPECT_EQ(Covering(partitions, kStart - 1)->name, "g20231114");

  // Two in one gap, one before all; those of another part stay to be done.
  starts = {kStart - 7 * kLength, kStart + 2 * kLength, kStart + 4 * kLength};
  EXPECT_EQ(Divide(kLength, &starts, &partitions).substr(0, 26), "PARTITION `g20231114` INTO");
  EXPECT_EQ(starts.size(), 2u);
  EXPECT_EQ(Divide(kLength, &starts, &partitions).substr(0, 26), "PARTITION `g20231119` INTO");
  EXPECT_TRUE(starts.empty());
  EXPECT_EQ(Names(partitions),
            "g20231107 p20231107 g20231114 p20231114 p20231115 p20231116 g20231118 p20231118 p20231119 rest");

  // The day before one whose elders were dropped is over; other bounds of a person stay.
  partitions = {{"p20231115", kStart + 2 * kLength, 0}, {"mine", kStart + 2 * kLength + 5, 0}, {"rest", INT64_MAX, 0}};
  EXPECT_FALSE(IsMissing(partitions, kStart, kLength));
  EXPECT_FALSE(IsMissing(partitions, kStart + 2 * kLength, kLength));
  EXPECT_TRUE(IsMissing(partitions, kStart + 3 * kLength, kLength));
  EXPECT_FALSE(IsMissing({}, kStart, kLength));
  EXPECT_EQ(Covering({}, kStart), nullptr);
}

}  // namespace
}  // namespace flowacct::sink::mariadb
