#include "flowacct/query/time_zone.h"

#include <string>

#include "gtest/gtest.h"

namespace flowacct::query {
namespace {

TEST(TimeZoneTest, KnowsTheListAlone) {
  absl::TimeZone zone;
  for (const char* name : {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"}) {
    EXPECT_TRUE(FindTimeZone(name, &zone)) << name;
    EXPECT_EQ(zone.name(), name);
  }
  for (const char* name : {"", "Mars/Olympus", "Europe", "Europe/", "Europe//Berlin", "/Europe/Berlin", "../etc/passwd",
                           "Europe/../Europe/Berlin", "file:Europe/Berlin", "Fixed/UTC+01:02:03", ":Europe/Berlin"}) {
    EXPECT_FALSE(FindTimeZone(name, &zone)) << name;
  }
  EXPECT_FALSE(FindTimeZone(std::string(65, 'a'), &zone));
  EXPECT_FALSE(FindTimeZone(absl::string_view("UTC\0", 4), &zone));
}

}  // namespace
}  // namespace flowacct::query
