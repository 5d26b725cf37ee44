#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/aggregate/time_bins.h"
#include "flowacct/aggregate/value_spec.h"

namespace flowacct::aggregate {
namespace {

using F = record::FieldId;
using Items = std::vector<std::string>;

TEST(KeySpec, MasksAndNames) {
  struct Case {
    const char* item;
    F column;
    KeySpec::Kind kind;
    int v4, v6;
  };
  for (const Case& c : std::vector<Case>{{"src_as", F::kSrcAs, KeySpec::Kind::kField, 32, 128},
                                         {" SRC_IP ", F::kSrcAddr, KeySpec::Kind::kField, 32, 128},
                                         {"src_addr/24", F::kSrcNet, KeySpec::Kind::kMasked, 24, 64},
                                         {"dst_addr/20, 48", F::kDstNet, KeySpec::Kind::kMasked, 20, 48},
                                         {"dst_addr/56", F::kDstNet, KeySpec::Kind::kMasked, 32, 56},
                                         {"dst_addr/0", F::kDstNet, KeySpec::Kind::kMasked, 0, 64},
                                         {"exporter/16", F::kExporter, KeySpec::Kind::kMasked, 16, 64},
                                         {"src_net", F::kSrcNet, KeySpec::Kind::kToldNetwork, 32, 128}}) {
    const auto spec = ParseKey(c.item);
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->column, c.column) << c.item;
    EXPECT_EQ(spec->kind, c.kind) << c.item;
    EXPECT_EQ(spec->v4_length, c.v4) << c.item;
    EXPECT_EQ(spec->v6_length, c.v6) << c.item;
  }
}

TEST(KeySpec, Errors) {
  const auto error = [](Items items) { return std::string(ParseKeys(items).status().message()); };
  EXPECT_EQ(error({""}), "an empty key: name a field, for example src_addr");
  EXPECT_EQ(error({"src_as/24"}), "key \"src_as/24\": src_as is no address, so it has no network; leave out the mask");
  EXPECT_EQ(error({"src_addr/"}), "key \"src_addr/\": a mask is a number of bits, as in src_addr/24 or src_addr/24,64");
  EXPECT_EQ(error({"src_addr/129"}), "key \"src_addr/129\": a mask is at most 32 bits for IPv4 and 128 for IPv6");
  EXPECT_EQ(error({"src_addr/33,64"}), "key \"src_addr/33,64\": a mask is at most 32 bits for IPv4 and 128 for IPv6");
  EXPECT_EQ(error({"src_addr/1,2,3"}), "key \"src_addr/1,2,3\": a mask is at most 32 bits for IPv4 and 128 for IPv6");
  EXPECT_EQ(error({"src_net", "src_addr/24"}),
            "key \"src_addr/24\": another key is told in the column src_net, too; ask for one of them");
  EXPECT_EQ(error({"src_as", "as_src"}), "");
}

TEST(KeySpec, Split) {
  EXPECT_EQ(SplitKeys("src_as, src_addr/24,64 ,dst_port,"), (Items{"src_as", "src_addr/24,64", "dst_port"}));
  EXPECT_EQ(SplitKeys("src_addr/24,dst_addr/24"), (Items{"src_addr/24", "dst_addr/24"}));
  EXPECT_EQ(SplitKeys("src_as,64"), (Items{"src_as", "64"}));
  EXPECT_EQ(SplitKeys(""), Items{});
}

TEST(ValueSpec, Functions) {
  const auto name = [](const char* item) {
    const auto spec = ParseValue(item);
    return spec.ok() ? spec->column.name : std::string(spec.status().message());
  };
  EXPECT_EQ(name("octetDeltaCount"), "bytes");
  EXPECT_EQ(name("sum(bytes)"), "bytes");
  EXPECT_EQ(name("Min( ttl )"), "min(ttl)");
  EXPECT_EQ(name("max(start_time)"), "max(start_time)");
  EXPECT_EQ(name("distinct(ip_src)"), "distinct(src_addr)");
  EXPECT_EQ(name("top5(dst_port)"), "top5(dst_port)");
  EXPECT_EQ(ParseValue("top(dst_port)")->top, 3u);
  EXPECT_EQ(name("ttl"),
            "value \"ttl\": ttl is no counter, so its sum means nothing; max(ttl), distinct(ttl) or top(ttl) can be "
            "asked, or make it a key");
  EXPECT_EQ(name("min(src_addr)"),
            "value \"min(src_addr)\": src_addr is neither a number nor a time; distinct(src_addr) or top(src_addr) can "
            "be asked");
  EXPECT_EQ(name("mni(ttl)"), "value \"mni(ttl)\": no function is called \"mni\"; did you mean min?");
  EXPECT_EQ(name("top0(ttl)"), "value \"top0(ttl)\": only top takes a number, from 1 to 100, as in top5(dst_port)");
  EXPECT_EQ(name("max3(ttl)"), "value \"max3(ttl)\": only top takes a number, from 1 to 100, as in top5(dst_port)");
  EXPECT_EQ(name("max(ttl"), "value \"max(ttl\": the parenthesis does not close at its end");
  EXPECT_EQ(name("("), "value \"(\": the parenthesis does not close at its end");
  EXPECT_EQ(name("()"), "value \"()\": no function is called \"\"; there are sum, min, max, distinct and top");
  EXPECT_EQ(ParseValues(Items{"bytes", "sum(bytes)", "packets"})->size(), 2u);
}

std::string Bin(absl::Duration every, const std::string& zone_name, const std::string& time) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(zone_name, &zone)) << zone_name;
  absl::Time t;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, time, &t, &error)) << error;
  const TimeBin bin = TimeBins(every, zone).Find(absl::ToUnixNanos(t));
  EXPECT_LE(bin.start_nanos, absl::ToUnixNanos(t));
  EXPECT_GT(bin.end_nanos, absl::ToUnixNanos(t));
  const auto text = [&](int64_t n) { return absl::FormatTime("%m-%dT%H:%M:%S%Ez", absl::FromUnixNanos(n), zone); };
  return text(bin.start_nanos) + " " + text(bin.end_nanos);
}

TEST(TimeBins, Alignment) {
  EXPECT_EQ(Bin(absl::Minutes(5), "UTC", "2026-01-31T12:03:59Z"), "01-31T12:00:00+00:00 01-31T12:05:00+00:00");
  EXPECT_EQ(Bin(absl::Hours(1), "Asia/Kolkata", "2026-01-31T12:03:59Z"), "01-31T17:00:00+05:30 01-31T18:00:00+05:30");
  EXPECT_EQ(Bin(absl::Hours(24), "Europe/Amsterdam", "2026-01-31T23:30:00Z"),
            "02-01T00:00:00+01:00 02-02T00:00:00+01:00");
  EXPECT_EQ(Bin(absl::Hours(7 * 24), "UTC", "2026-01-31T23:30:00Z"), "01-26T00:00:00+00:00 02-02T00:00:00+00:00");
  EXPECT_EQ(Bin(absl::Hours(7), "UTC", "2026-01-31T23:30:00Z"), "01-31T21:00:00+00:00 02-01T00:00:00+00:00");
  EXPECT_EQ(Bin(absl::Minutes(5), "UTC", "1969-12-31T23:59:59Z"), "12-31T23:55:00+00:00 01-01T00:00:00+00:00");
}

TEST(TimeBins, ADayOfClockChangeHasAllItsHoursOnce) {
  EXPECT_EQ(Bin(absl::Hours(24), "Europe/Amsterdam", "2026-03-29T12:00:00Z"),
            "03-29T00:00:00+01:00 03-30T00:00:00+02:00");
  EXPECT_EQ(Bin(absl::Hours(1), "Europe/Amsterdam", "2026-10-25T00:30:00Z"),
            "10-25T02:00:00+02:00 10-25T02:00:00+01:00");
  EXPECT_EQ(Bin(absl::Hours(1), "Europe/Amsterdam", "2026-10-25T01:30:00Z"),
            "10-25T02:00:00+01:00 10-25T03:00:00+01:00");
}

}  // namespace
}  // namespace flowacct::aggregate
