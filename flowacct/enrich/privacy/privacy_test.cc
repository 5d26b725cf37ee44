#include "flowacct/enrich/privacy/privacy.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/row.h"
#include "flowacct/record/value_text.h"
#include "flowacct/testing/allocation_counter.h"
#include "gtest/gtest.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

constexpr char kKeyText[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr int64_t kDay = int64_t{86400} * 1000000000;

std::shared_ptr<const MasterKey> Key(absl::string_view text = kKeyText) { return *MasterKey::Parse(text); }
base::Digits D(absl::string_view text) { return *base::Digits::Parse(text); }
base::IpAddress A(absl::string_view text) { return *base::IpAddress::Parse(text); }

class PrivacyTest : public ::testing::Test {
 protected:
  void Make(const std::vector<std::pair<F, const char*>>& rules, std::shared_ptr<const MasterKey> key = Key(),
            int64_t rotation_nanos = kDay) {
    PrivacyOptions options;
    for (const auto& [field, method] : rules) {
      auto rule = PrivacyRule::Parse(field, method);
      ASSERT_TRUE(rule.ok()) << rule.status();
      options.rules.push_back(*rule);
    }
    options.key = std::move(key);
    options.rotation_nanos = rotation_nanos;
    auto factory = Privacy::Factory(std::move(options));
    ASSERT_TRUE(factory.ok()) << factory.status();
    privacy_ = (*factory)();
    privacy_->Bind(layout_, record::FieldSet(layout_.fields()));
  }
  record::MutableRow Append(int64_t time_nanos) {
    record::MutableRow row = batch_.Append();
    row.Set<F::kStartTime>(time_nanos);
    return row;
  }
  std::string Told(size_t row, F field) const {
    if (!batch_.row(row).Has(field)) return "-";
    std::string text;
    record::AppendText(record::Info(field).type, batch_.row(row).octets() + layout_.offset(field), interner_, &text);
    return text;
  }

  const record::Layout layout_{{F::kImsi, F::kMsisdn, F::kImei, F::kSrcAddr, F::kDstAddr, F::kUeAddr, F::kSrcNet,
                                F::kStartTime, F::kEndTime, F::kBytes}};
  base::Interner interner_;
  record::FlowBatch batch_{&layout_, &interner_};
  std::unique_ptr<Enricher> privacy_;
};

// What came of HMAC-SHA-256 and AES-128 by other programs: a newer version tells the same pseudonyms.
TEST_F(PrivacyTest, PseudonymsAreWhatTheyAlwaysWere) {
  struct Case {
    int64_t time_nanos;
    const char *imsi, *msisdn, *imei, *v4, *v6;
  };
  constexpr Case kCases[] = {
      {kDay - 1, "x02bd54be4c967ca", "x5e5a34badf00c22", "x014e34b20ffbe73", "21.41.60.58",
       "fda5:c3d:5c25:2059:e51:41ed:994b:a2d"},
      {20000 * kDay, "xf94d495933b38fb", "x3ee0815c41c821b", "x0a842d598fddefb", "244.12.191.120",
       "fd5a:9a49:caab:3e9:7f0f:5816:a062:35ce"},
  };
  Make({{F::kImsi, "pseudonym"},
        {F::kMsisdn, "pseudonym"},
        {F::kImei, "pseudonym"},
        {F::kSrcAddr, "pseudonym"},
        {F::kDstAddr, "pseudonym"}});
  for (const Case& c : kCases) {
    record::MutableRow row = Append(c.time_nanos);
    row.Set<F::kImsi>(D("262011234567890"));
    row.Set<F::kMsisdn>(D("4917012345678"));
    row.Set<F::kImei>(D("3569380356438091"));
    row.Set<F::kSrcAddr>(A("10.1.2.3"));
    row.Set<F::kDstAddr>(A("2001:db8::1"));
    row.Set<F::kUeAddr>(A("10.1.2.3"));
  }
  privacy_->Apply(batch_);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(Told(i, F::kImsi), kCases[i].imsi);
    EXPECT_EQ(Told(i, F::kMsisdn), kCases[i].msisdn);
    EXPECT_EQ(Told(i, F::kImei), kCases[i].imei);
    EXPECT_EQ(Told(i, F::kSrcAddr), kCases[i].v4);
    EXPECT_EQ(Told(i, F::kDstAddr), kCases[i].v6);
    EXPECT_EQ(Told(i, F::kUeAddr), "10.1.2.3") << "there is no rule for it";
  }
}

TEST_F(PrivacyTest, PeriodsAreOfTheRecordsTimeAndInAnyOrder) {
  Make({{F::kImsi, "pseudonym"}});
  // More periods than keys are kept, mixed within a block; the last is before 1970.
  std::vector<int64_t> times;
  for (int64_t i = 0; i < 300; ++i) times.push_back((i * 7 % 12) * kDay + i);
  times.insert(times.end(), {-1, -kDay, -kDay - 1});
  for (const int64_t time : times) Append(time).Set<F::kImsi>(D("262011234567890"));
  Append(5).Set<F::kMsisdn>(D("1"));
  privacy_->Apply(batch_);
  std::vector<std::string> of_period(12);
  std::set<std::string> all;
  for (size_t i = 0; i < 300; ++i) {
    std::string& first = of_period[static_cast<size_t>(i * 7 % 12)];
    if (first.empty()) first = Told(i, F::kImsi);
    EXPECT_EQ(Told(i, F::kImsi), first) << i;
    all.insert(Told(i, F::kImsi));
  }
  EXPECT_EQ(all.size(), 12u);
  EXPECT_EQ(Told(300, F::kImsi), Told(301, F::kImsi));
  EXPECT_NE(Told(301, F::kImsi), Told(302, F::kImsi));
  EXPECT_EQ(all.count(Told(300, F::kImsi)), 0u);
  EXPECT_EQ(Told(303, F::kImsi), "-") << "absent stays absent";
}

TEST_F(PrivacyTest, TheTimeIsTheFirstThatIsTold) {
  Make({{F::kImsi, "pseudonym"}});
  Append(3 * kDay).Set<F::kImsi>(D("26201"));
  record::MutableRow ended = batch_.Append();
  ended.Set<F::kEndTime>(3 * kDay + 7);
  ended.Set<F::kImsi>(D("26201"));
  batch_.Append().Set<F::kImsi>(D("26201"));
  Append(0).Set<F::kImsi>(D("26201"));
  privacy_->Apply(batch_);
  EXPECT_EQ(Told(0, F::kImsi), Told(1, F::kImsi));
  EXPECT_EQ(Told(2, F::kImsi), Told(3, F::kImsi)) << "none is told: 1970";
  EXPECT_NE(Told(0, F::kImsi), Told(2, F::kImsi));
}

TEST_F(PrivacyTest, TheKeyDecides) {
  const auto with = [&](std::shared_ptr<const MasterKey> key, int64_t rotation_nanos, int64_t time_nanos) {
    batch_.Clear();
    Make({{F::kImsi, "pseudonym"}, {F::kSrcAddr, "pseudonym"}}, std::move(key), rotation_nanos);
    record::MutableRow row = Append(time_nanos);
    row.Set<F::kImsi>(D("262011234567890"));
    row.Set<F::kSrcAddr>(A("10.1.2.3"));
    privacy_->Apply(batch_);
    return Told(0, F::kImsi) + " " + Told(0, F::kSrcAddr);
  };
  EXPECT_EQ(with(Key(), kDay, 5), with(Key(), kDay, 6));
  EXPECT_NE(with(Key(), kDay, 5), with(Key("ff0102030405060708090a0b0c0d0e0f"), kDay, 5));
  EXPECT_EQ(with(Key(), 0, 5), with(Key(), 0, 100 * kDay)) << "without rotation";
  const auto random = MasterKey::Random();
  ASSERT_TRUE(random.ok());
  EXPECT_NE(with(*random, 0, 5), with(*MasterKey::Random(), 0, 5));
}

TEST_F(PrivacyTest, DistinctStaysDistinct) {
  Make({{F::kImsi, "pseudonym"}, {F::kSrcAddr, "pseudonym"}, {F::kDstAddr, "pseudonym"}});
  constexpr uint32_t kCount = 20000;
  for (uint32_t i = 0; i < kCount; ++i) {
    record::MutableRow row = Append(0);
    row.Set<F::kImsi>(D(std::to_string(262010000000000 + i)));
    row.Set<F::kSrcAddr>(base::IpAddress::V4(0x0a000000 + i));
    uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8};
    v6[14] = static_cast<uint8_t>(i >> 8);
    v6[15] = static_cast<uint8_t>(i);
    // Both versions in one block.
    row.Set<F::kDstAddr>(i % 3 == 0 ? base::IpAddress::V4(0x0a000000 + i) : base::IpAddress::FromV6(v6));
  }
  privacy_->Apply(batch_);
  std::set<std::string> numbers, addresses;
  size_t plain = 0;
  for (uint32_t i = 0; i < kCount; ++i) {
    numbers.insert(Told(i, F::kImsi));
    addresses.insert(Told(i, F::kSrcAddr));
    addresses.insert(Told(i, F::kDstAddr));
    if (i % 3 == 0) {
      EXPECT_EQ(Told(i, F::kSrcAddr), Told(i, F::kDstAddr)) << "one key for all addresses";
    }
    plain += absl::StartsWith(Told(i, F::kSrcAddr), "10.") ? 1 : 0;
  }
  EXPECT_EQ(numbers.size(), kCount);
  EXPECT_EQ(addresses.size(), kCount + (kCount - (kCount + 2) / 3));
  EXPECT_LT(plain, kCount / 100) << "spread over all addresses";
}

TEST_F(PrivacyTest, WhatIsCut) {
  struct Case {
    F field;
    const char *method, *value, *cut;
  };
  constexpr Case kCases[] = {
      {F::kImsi, "first 6", "262011234567890", "262011"},
      {F::kImsi, "first 15", "26201", "26201"},
      {F::kImei, "first 8", "3569380356438091", "35693803"},
      {F::kSrcAddr, "/24,48", "192.0.2.77", "192.0.2.0"},
      {F::kSrcAddr, "/24,48", "2001:db8:1:2::3", "2001:db8:1::"},
      {F::kUeAddr, "/16", "10.1.2.3", "10.1.0.0"},
      {F::kUeAddr, "/16", "2001:db8:1:2:3::", "2001:db8:1:2::"},
      {F::kUeAddr, "/48", "10.1.2.3", "10.1.2.3"},
      {F::kUeAddr, "/0,0", "2001:db8:1:2:3::", "::"},
      {F::kSrcNet, "/24,48", "192.0.2.77/32", "192.0.2.0/24"},
      {F::kSrcNet, "/24,48", "192.0.0.0/16", "192.0.0.0/16"},
      {F::kSrcNet, "/24,48", "2001:db8:1:2::/64", "2001:db8:1::/48"},
  };
  for (const Case& c : kCases) {
    batch_.Clear();
    Make({{c.field, c.method}}, nullptr);
    record::MutableRow row = Append(0);
    switch (record::Info(c.field).type) {
      case record::FieldType::kDigits:
        ASSERT_TRUE(row.SetNumber(c.field, D(c.value).bits()));
        break;
      case record::FieldType::kPrefix:
        row.Set<F::kSrcNet>(*base::IpPrefix::Parse(c.value));
        break;
      default:
        row.SetAddress(c.field, A(c.value));
    }
    privacy_->Apply(batch_);
    EXPECT_EQ(Told(0, c.field), c.cut) << c.method << " of " << c.value;
  }
}

TEST_F(PrivacyTest, RulesThatCannotBe) {
  struct Case {
    F field;
    const char *method, *why;
  };
  constexpr Case kCases[] = {
      {F::kImsi, "/24", "privacy of imsi = /24: of digits"},
      {F::kImsi, "first 0", "1 to 15"},
      {F::kImsi, "first 16", "1 to 15"},
      {F::kImsi, "hash", "write \"pseudonym\""},
      {F::kSrcAddr, "first 6", "of an address"},
      {F::kSrcAddr, "/33,48", "0 to 32"},
      {F::kSrcAddr, "/24,129", "0 to 128"},
      {F::kSrcAddr, "/x", "0 to 32"},
      {F::kSrcNet, "pseudonym", "shorter"},
      {F::kBytes, "pseudonym", "names nobody"},
  };
  for (const Case& c : kCases) {
    const auto rule = PrivacyRule::Parse(c.field, c.method);
    ASSERT_FALSE(rule.ok()) << c.method;
    EXPECT_TRUE(absl::StrContains(rule.status().message(), c.why)) << rule.status();
  }
  PrivacyOptions options;
  options.rules = {*PrivacyRule::Parse(F::kImsi, "pseudonym")};
  EXPECT_TRUE(absl::StrContains(Privacy::Factory(options).status().message(), "no key"));
  options.key = Key();
  options.rules.push_back(options.rules[0]);
  EXPECT_TRUE(absl::StrContains(Privacy::Factory(options).status().message(), "two rules"));
}

TEST(MasterKeyTest, ErrorsDoNotTellTheKey) {
  constexpr const char* kWrong[] = {"", "0123456789abcdef", "0123456789abcdef0123456789abcdeg",
                                    "0123456789abcdef0123456789abcdef0"};
  for (const char* text : kWrong) {
    const auto key = MasterKey::Parse(text);
    ASSERT_FALSE(key.ok()) << text;
    EXPECT_FALSE(absl::StrContains(key.status().message(), "0123")) << key.status();
  }
  EXPECT_TRUE(MasterKey::Parse(std::string(" ") + kKeyText + "\n").ok());
  EXPECT_EQ(Key("00112233445566778899aabbccddeeff")->Derive("a", 1),
            Key("00112233445566778899AABBCCDDEEFF\n")->Derive("a", 1));
  EXPECT_NE(Key()->Derive("a", 1), Key()->Derive("a", 2));
  EXPECT_NE(Key()->Derive("a", 1), Key()->Derive("b", 1));
}

TEST_F(PrivacyTest, NothingIsAllocatedARecord) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  Make({{F::kImsi, "pseudonym"}, {F::kSrcAddr, "pseudonym"}, {F::kImei, "first 8"}});
  for (uint32_t i = 0; i < 1000; ++i) {
    record::MutableRow row = Append(i % 2 * kDay);
    row.Set<F::kImsi>(D("262011234567890"));
    row.Set<F::kSrcAddr>(base::IpAddress::V4(i));
    row.Set<F::kImei>(D("3569380356438091"));
  }
  privacy_->Apply(batch_);
  testing::AllocationCounter counter;
  privacy_->Apply(batch_);
  EXPECT_EQ(counter.allocations(), 0);
}

}  // namespace
}  // namespace flowacct::enrich
