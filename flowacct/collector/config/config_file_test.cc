#include "flowacct/collector/config/config_file.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace flowacct::config {
namespace {

constexpr absl::string_view kMinimal = R"(
  # the least that works
  input { name: "exports" udp { listen: "0.0.0.0:2055" } }
  pipeline { name: "as" by: "src_as,dst_as" sink { print {} } }
)";

TEST(ConfigFileTest, ReadsTheLeastThatWorksAndHasDefaults) {
  const auto file = ConfigFile::Parse(kMinimal, "c");
  ASSERT_TRUE(file.ok()) << file.status();
  const Config& config = file->message();
  ASSERT_EQ(config.input_size(), 1);
  EXPECT_EQ(config.input(0).udp().listen(0), "0.0.0.0:2055");
  ASSERT_EQ(config.pipeline_size(), 1);
  EXPECT_EQ(config.pipeline(0).every(), "1m");
  EXPECT_EQ(ConfigFile::DurationOf(config.pipeline(0).every()), absl::Minutes(1));
  EXPECT_EQ(ConfigFile::OctetsOf(config.input(0).udp().receive_buffer()), 64u << 20);
  EXPECT_EQ(config.pipeline(0).late(), Pipeline::RESTATE);
}

TEST(ConfigFileTest, WhatItPrintsReadsBackEqual) {
  const auto file = ConfigFile::Parse(kMinimal, "c");
  ASSERT_TRUE(file.ok());
  const auto again = ConfigFile::Parse(file->Print(), "c");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->message().SerializeAsString(), file->message().SerializeAsString());
}

struct Wrong {
  const char* text;
  const char* error;
};

class WrongTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongTest, IsOneLineWithPlaceAndWhatToDo) {
  const auto file = ConfigFile::Parse(GetParam().text, "c.conf");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(std::string(file.status().message()), GetParam().error);
  EXPECT_FALSE(absl::StrContains(file.status().message(), "\n"));
}

#define INPUT "input { name: \"i\" udp { listen: \"[::]:2055\" } }\n"
#define PIPELINE "pipeline { name: \"p\" sink { print {} } }\n"

INSTANTIATE_TEST_SUITE_P(
    All, WrongTest,
    testing::Values(
        Wrong{"inputt { }", "c.conf:1:1: \"inputt\" is not known at the top; did you mean input?"},
        Wrong{INPUT "pipeline { name: \"p\" wher: \"x\" }",
              "c.conf:2:22: \"wher\" is not known in a Pipeline; did you mean where?"},
        Wrong{INPUT "pipeline { name: \"p\" sink { print { format: CVS } } }",
              "c.conf:2:45: \"CVS\" is no value of format; did you mean CSV?"},
        Wrong{INPUT "pipeline { name: \"p\" sink { print { format: csv } } }", "c.conf:2:45: \"csv\" is written CSV"},
        Wrong{INPUT "pipeline { name: \"p\" every: \"5 minutes\" }",
              "c.conf:2:22: every: \"5 minutes\" is no duration; such as 30s, 5m, 1h, 1d"},
        Wrong{INPUT "pipeline { name: \"p\" every: \"-5m\" }",
              "c.conf:2:22: every: \"-5m\" is no duration; such as 30s, 5m, 1h, 1d"},
        Wrong{"input { name: \"i\" udp { listen: \"[::]:1\" receive_buffer: \"lots\" } }\n" PIPELINE,
              "c.conf:1:42: receive_buffer: \"lots\" is no size; such as 64KiB, 8MiB, 1GiB"},
        Wrong{INPUT INPUT PIPELINE, "c.conf:2:9: name: two of input are called \"i\"; give each a name of its own"},
        Wrong{INPUT "pipeline { name: \"a b\" }",
              "c.conf:2:12: name: \"a b\" is no name; use up to 64 letters, digits, '-', '_', '.'"},
        Wrong{INPUT "pipeline { by: \"src_as\" }", "c.conf:2:1: a Pipeline needs name; give it"},
        Wrong{INPUT "pipeline { name: \"p\" input: \"j\" }",
              "c.conf:2:22: input: no input is called \"j\"; did you mean i?"},
        Wrong{"input { name: \"i\" }\n" PIPELINE,
              "c.conf:1:9: name: input i has no kind; give udp, stream, interface, nflog, captures or kafka"},
        Wrong{"input { name: \"i\" udp { } }\n" PIPELINE, "c.conf:1:19: udp: give listen: \"0.0.0.0:2055\""},
        Wrong{"input { name: \"i\" udp { listen: \"x\" } nflog { group: 1 } }",
              "c.conf:1:39: nflog and udp exclude one another; give one of them"},
        Wrong{INPUT "pipeline { name: \"p\" sink { } }",
              "c.conf:2:22: sink: a sink has no kind; give print, memory, export, sqlite or postgresql"},
        Wrong{INPUT "pipeline { name: \"p\" sink { export { } } }",
              "c.conf:2:29: export: nowhere to send to; give to: \"192.0.2.1:4739\""},
        Wrong{"", "c.conf: input: there is none; give one, such as udp"},
        Wrong{INPUT, "c.conf: pipeline: there is none, nor a replica; give one of them"},
        Wrong{"workers: -1", "c.conf:1:10: expected integer, got: -"},
        Wrong{"workers: 1 workers: 2", "c.conf:1:12: workers is given twice; it can be given once"},
        Wrong{"input {", "c.conf:1:8: expected identifier, got: "}));

TEST(ConfigFileTest, SomeDurationsMayBeNone) {
  const auto file =
      ConfigFile::Parse(INPUT "bgp { listen: \"[::]:179\" stale_for: \"0s\" wait_for_table: \"0\" }\n" PIPELINE, "c");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(ConfigFile::DurationOf(file->message().bgp().stale_for()), absl::ZeroDuration());
  EXPECT_EQ(
      ConfigFile::Parse(INPUT "bgp { listen: \"[::]:179\" hold_time: \"0s\" }\n" PIPELINE, "c").status().message(),
      "c:2:26: hold_time: \"0s\" is no duration; such as 30s, 5m, 1h, 1d");
}

TEST(ConfigFileTest, DeepNestingIsRefused) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "input{";
  EXPECT_FALSE(ConfigFile::Parse(text, "c").ok());
}

TEST(ConfigFileTest, ErrorsOfOthersHaveAPlace) {
  const auto file = ConfigFile::Parse(kMinimal, "c");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->ErrorAt(file->message().pipeline(0), "by", "no").message(), "c:4:25: by: no");
  // A field that is not written is told at its message.
  EXPECT_EQ(file->ErrorAt(file->message().pipeline(0), "where", "no").message(), "c:4:3: where: no");
}

TEST(ConfigFileTest, AMessageOfFlagsIsCheckedToo) {
  Config config;
  EXPECT_EQ(ConfigFile::FromMessage(config, "flags").status().message(),
            "flags: input: there is none; give one, such as udp");
}

TEST(ParseTest, DurationsAndSizes) {
  EXPECT_EQ(*ParseDuration("90s"), absl::Seconds(90));
  EXPECT_EQ(*ParseDuration("2d"), absl::Hours(48));
  for (const char* wrong : {"", "0s", "5", "d", "-1d", "1.5d", "inf", "99999999d"}) {
    EXPECT_FALSE(ParseDuration(wrong).ok()) << wrong;
  }
  EXPECT_EQ(*ParseOctets("8MiB"), 8u << 20);
  EXPECT_EQ(*ParseOctets("512"), 512u);
  for (const char* wrong : {"", "0", "MiB", "1MB", "-1KiB", "99999999999TiB"}) {
    EXPECT_FALSE(ParseOctets(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace flowacct::config
