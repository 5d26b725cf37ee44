#include "flowacct/collector/listen/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::collector {
namespace {

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kStart = 1700000000 * kSecond;

base::IpAddress Address(const char* text) { return base::IpAddress::Parse(text).value(); }
base::IpPrefix Prefix(const char* text) { return base::IpPrefix::Parse(text).value(); }

AdmissionRule Rule(const char* prefix, bool admit = true, AdmissionLimit datagrams = {}, AdmissionLimit records = {}) {
  AdmissionRule rule;
  rule.prefix = Prefix(prefix);
  rule.admit = admit;
  rule.datagrams = datagrams;
  rule.records = records;
  return rule;
}

std::unique_ptr<Admission> NewAdmission(const AdmissionOptions& options) {
  absl::StatusOr<std::unique_ptr<Admission>> admission = Admission::New(options);
  EXPECT_TRUE(admission.ok()) << admission.status();
  return admission.ok() ? *std::move(admission) : nullptr;
}

uint64_t Count(const Admission& admission, AdmissionVerdict verdict) {
  return admission.counters().datagrams[static_cast<size_t>(verdict)];
}
uint64_t Count(const AdmissionSource& source, AdmissionVerdict verdict) {
  return source.datagrams[static_cast<size_t>(verdict)];
}

TEST(AdmissionTest, EveryoneWithoutRules) {
  const auto admission = NewAdmission({});
  EXPECT_EQ(admission->Admit(Address("192.0.2.1"), kStart), AdmissionVerdict::kAdmitted);
  EXPECT_EQ(admission->Admit(Address("2001:db8::1"), kStart), AdmissionVerdict::kAdmitted);
  admission->ChargeRecords(Address("192.0.2.1"), 1000000, kStart);
  EXPECT_EQ(Count(*admission, AdmissionVerdict::kAdmitted), 2u);
  EXPECT_EQ(admission->counters().unlisted, 0u);
  EXPECT_TRUE(admission->Sources().empty());
}

TEST(AdmissionTest, TheLongestRuleDecides) {
  AdmissionOptions options;
  options.rules = {Rule("192.0.2.0/24"), Rule("192.0.2.128/25", false), Rule("192.0.2.200/32"), Rule("2001:db8::/32")};
  const auto admission = NewAdmission(options);
  struct {
    const char* source;
    AdmissionVerdict verdict;
  } const cases[] = {
      {"192.0.2.1", AdmissionVerdict::kAdmitted},        {"192.0.2.129", AdmissionVerdict::kUnknownExporter},
      {"192.0.2.200", AdmissionVerdict::kAdmitted},      {"192.0.3.1", AdmissionVerdict::kUnknownExporter},
      {"2001:db8::9", AdmissionVerdict::kAdmitted},      {"2001:db9::9", AdmissionVerdict::kUnknownExporter},
      {"192.0.3.1", AdmissionVerdict::kUnknownExporter},
  };
  for (const auto& c : cases) EXPECT_EQ(admission->Admit(Address(c.source), kStart), c.verdict) << c.source;
  EXPECT_EQ(Count(*admission, AdmissionVerdict::kAdmitted), 3u);
  EXPECT_EQ(Count(*admission, AdmissionVerdict::kUnknownExporter), 4u);
  const std::vector<AdmissionSource> sources = admission->Sources();
  ASSERT_EQ(sources.size(), 3u);  // the refused; the others have no limits
  EXPECT_EQ(sources[0].address.ToString(), "192.0.2.129");
  EXPECT_EQ(sources[1].address.ToString(), "192.0.3.1");
  EXPECT_EQ(Count(sources[1], AdmissionVerdict::kUnknownExporter), 2u);
  EXPECT_EQ(sources[2].address.ToString(), "2001:db9::9");
}

TEST(AdmissionTest, TheUnlistedCanBeSeenBeforeTheyAreLockedOut) {
  AdmissionOptions options;
  options.rules = {Rule("192.0.2.0/24"), Rule("198.51.100.0/24", false)};
  options.admit_unlisted = true;
  const auto admission = NewAdmission(options);
  EXPECT_EQ(admission->Admit(Address("192.0.2.1"), kStart), AdmissionVerdict::kAdmitted);
  EXPECT_EQ(admission->Admit(Address("203.0.113.1"), kStart), AdmissionVerdict::kAdmitted);
  EXPECT_EQ(admission->Admit(Address("198.51.100.1"), kStart), AdmissionVerdict::kUnknownExporter);
  EXPECT_EQ(admission->counters().unlisted, 1u);
}

TEST(AdmissionTest, ABurstAndThenTheRate) {
  AdmissionOptions options;
  options.datagrams = {10, 5};
  const auto admission = NewAdmission(options);
  const auto admitted_of = [&](int n, int64_t now) {
    int admitted = 0;
    for (int i = 0; i < n; ++i) admitted += admission->Admit(Address("192.0.2.1"), now) == AdmissionVerdict::kAdmitted;
    return admitted;
  };
  EXPECT_EQ(admitted_of(100, kStart), 5);
  EXPECT_EQ(admitted_of(100, kStart + kSecond / 10 - 1), 0);
  EXPECT_EQ(admitted_of(100, kStart + kSecond / 10), 1);
  EXPECT_EQ(admitted_of(100, kStart + kSecond / 10 + kSecond / 5), 2);
  EXPECT_EQ(admitted_of(100, kStart + 100 * kSecond), 5);  // no more than the burst, however long it was quiet
  EXPECT_EQ(Count(*admission, AdmissionVerdict::kAdmitted), 13u);
  EXPECT_EQ(Count(*admission, AdmissionVerdict::kDatagramLimit), 487u);
  // Another one has its own.
  EXPECT_EQ(admission->Admit(Address("192.0.2.2"), kStart), AdmissionVerdict::kAdmitted);
  const std::vector<AdmissionSource> sources = admission->Sources();
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(Count(sources[0], AdmissionVerdict::kAdmitted), 13u);
  EXPECT_EQ(Count(sources[0], AdmissionVerdict::kDatagramLimit), 487u);
  EXPECT_EQ(Count(sources[1], AdmissionVerdict::kAdmitted), 1u);
}

TEST(AdmissionTest, RecordsAreOverdrawnByOneDatagramAtMost) {
  AdmissionOptions options;
  options.rules = {Rule("192.0.2.0/24", true, {}, {1000, 100})};
  const auto admission = NewAdmission(options);
  const base::IpAddress source = Address("192.0.2.1");
  int admitted = 0;
  for (int i = 0; i < 100; ++i) {
    if (admission->Admit(source, kStart) != AdmissionVerdict::kAdmitted) continue;
    ++admitted;
    admission->ChargeRecords(source, 30, kStart);
  }
  EXPECT_EQ(admitted, 4);  // 120 of 100
  EXPECT_EQ(Count(*admission, AdmissionVerdict::kRecordBudget), 96u);
  EXPECT_EQ(admission->Admit(source, kStart + kSecond / 50), AdmissionVerdict::kRecordBudget);
  EXPECT_EQ(admission->Admit(source, kStart + kSecond / 50 + 1), AdmissionVerdict::kAdmitted);
  EXPECT_EQ(admission->Sources()[0].records, 120u);
}

// The slow twin: buckets as numbers of tokens.
TEST(AdmissionTest, AgreesWithBucketsOfTokens) {
  AdmissionOptions options;
  options.datagrams = {1000, 20};
  options.rules = {Rule("10.0.0.0/8", true, {1000, 20})};
  const auto admission = NewAdmission(options);
  struct Tokens {
    double tokens = 20;
    int64_t last = kStart;
  };
  std::map<uint32_t, Tokens> twin;
  uint64_t random = 1;
  int64_t now = kStart;
  for (int i = 0; i < 200000; ++i) {
    random = random * 6364136223846793005 + 1442695040888963407;
    now += static_cast<int64_t>(random >> 60) * 7000;  // four times the rate, on average
    const uint32_t host = 0x0a000000 + static_cast<uint32_t>((random >> 40) % 5);
    Tokens& tokens = twin[host];
    tokens.tokens = std::min(20.0, tokens.tokens + static_cast<double>(now - tokens.last) * 1e-6);
    tokens.last = now;
    const bool admit = tokens.tokens > 1 - 1e-6;
    if (admit) tokens.tokens -= 1;
    ASSERT_EQ(admission->Admit(base::IpAddress::V4(host), now) == AdmissionVerdict::kAdmitted, admit) << i;
  }
  EXPECT_GT(Count(*admission, AdmissionVerdict::kDatagramLimit), 1000u);
  EXPECT_GT(Count(*admission, AdmissionVerdict::kAdmitted), 1000u);
}

TEST(AdmissionTest, AClockThatIsSetLocksNobodyOut) {
  AdmissionOptions options;
  options.datagrams = {10, 5};
  options.records = {10, 5};
  const auto admission = NewAdmission(options);
  const base::IpAddress source = Address("192.0.2.1");
  for (int64_t now : {kStart, kStart - 3600 * kSecond * 24, kStart + 3600 * kSecond}) {
    int admitted = 0;
    for (int i = 0; i < 100; ++i) {
      if (admission->Admit(source, now) != AdmissionVerdict::kAdmitted) continue;
      ++admitted;
      admission->ChargeRecords(source, 1, now);
    }
    EXPECT_EQ(admitted, 5);
  }
}

TEST(AdmissionTest, AFloodOfSourcesTakesNothingFromTheKnown) {
  AdmissionOptions options;
  options.max_sources = 100;
  options.datagrams = {1000, 10};
  const auto admission = NewAdmission(options);
  for (uint32_t i = 0; i < 100; ++i) admission->Admit(base::IpAddress::V4(0x0a000000 + i), kStart);
  EXPECT_EQ(admission->kept_sources(), 100u);
  // A million that are made up share one bucket.
  for (uint32_t i = 0; i < 1000000; ++i) admission->Admit(base::IpAddress::V4(0x20000000 + i), kStart + i);
  EXPECT_EQ(admission->kept_sources(), 100u);
  EXPECT_EQ(admission->counters().beyond_sources, 1000000u);
  EXPECT_EQ(Count(*admission, AdmissionVerdict::kAdmitted), 100u + 10 + 0);
  for (uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(admission->Admit(base::IpAddress::V4(0x0a000000 + i), kStart + 1000000), AdmissionVerdict::kAdmitted);
  }
  const std::vector<AdmissionSource> sources = admission->Sources();
  ASSERT_EQ(sources.size(), 101u);
  EXPECT_EQ(sources[0].address, base::IpAddress());  // "::" stands for the others
  EXPECT_EQ(Count(sources[0], AdmissionVerdict::kDatagramLimit), 1000000u - 10);

  // Who was quiet for long makes room.
  const int64_t later = kStart + options.forget_nanos + kSecond;
  for (uint32_t i = 0; i < 50; ++i) admission->Admit(base::IpAddress::V4(0x0a000000 + i), later);
  for (uint32_t i = 0; i < 1000; ++i) admission->Admit(base::IpAddress::V4(0x30000000 + i), later);
  EXPECT_EQ(admission->kept_sources(), 100u);
  EXPECT_EQ(admission->counters().forgotten, 50u);
  for (uint32_t i = 0; i < 50; ++i) {
    EXPECT_EQ(admission->Admit(base::IpAddress::V4(0x0a000000 + i), later), AdmissionVerdict::kAdmitted);
  }
}

TEST(AdmissionTest, RefusedSourcesAreToldOneByOneUpToABound) {
  AdmissionOptions options;
  options.rules = {Rule("192.0.2.0/24")};
  options.max_refused_sources = 3;
  const auto admission = NewAdmission(options);
  for (int round = 0; round < 2; ++round) {
    for (uint32_t i = 0; i < 10; ++i) admission->Admit(base::IpAddress::V4(0x0a000000 + i), kStart);
  }
  const std::vector<AdmissionSource> sources = admission->Sources();
  ASSERT_EQ(sources.size(), 4u);
  EXPECT_EQ(Count(sources[0], AdmissionVerdict::kUnknownExporter), 14u);
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(Count(sources[i], AdmissionVerdict::kUnknownExporter), 2u);
  EXPECT_EQ(Count(*admission, AdmissionVerdict::kUnknownExporter), 20u);
}

TEST(AdmissionTest, OtherRulesKeepBucketsAndCounters) {
  AdmissionOptions options;
  options.datagrams = {1, 5};
  const auto admission = NewAdmission(options);
  const base::IpAddress source = Address("192.0.2.1");
  for (int i = 0; i < 4; ++i) admission->Admit(source, kStart);
  options.rules = {Rule("192.0.2.0/24", true, {1, 5})};
  ASSERT_TRUE(admission->SetOptions(options).ok());
  EXPECT_EQ(admission->Admit(source, kStart), AdmissionVerdict::kAdmitted);
  EXPECT_EQ(admission->Admit(source, kStart), AdmissionVerdict::kDatagramLimit);
  options.rules = {Rule("192.0.2.1/32", false)};
  ASSERT_TRUE(admission->SetOptions(options).ok());
  EXPECT_EQ(admission->Admit(source, kStart), AdmissionVerdict::kUnknownExporter);
  const std::vector<AdmissionSource> sources = admission->Sources();
  ASSERT_EQ(sources.size(), 1u);
  EXPECT_EQ(Count(sources[0], AdmissionVerdict::kAdmitted), 5u);
  EXPECT_EQ(Count(sources[0], AdmissionVerdict::kDatagramLimit), 1u);
  EXPECT_EQ(Count(sources[0], AdmissionVerdict::kUnknownExporter), 1u);
  options.rules.clear();
  options.datagrams = {};
  ASSERT_TRUE(admission->SetOptions(options).ok());
  EXPECT_EQ(admission->Admit(source, kStart), AdmissionVerdict::kAdmitted);
}

TEST(AdmissionTest, LimitsOfAnySizeAreLimits) {
  AdmissionOptions options;
  options.datagrams = {1, ~uint64_t{0}};
  options.records = {~uint64_t{0}, 1};
  const auto admission = NewAdmission(options);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(admission->Admit(Address("192.0.2.1"), kStart + i), AdmissionVerdict::kAdmitted);
    admission->ChargeRecords(Address("192.0.2.1"), ~uint64_t{0}, kStart + i);
  }
}

TEST(AdmissionTest, AllocatesNothingInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  AdmissionOptions options;
  options.rules = {Rule("192.0.2.0/24", true, {10, 0})};
  options.max_refused_sources = 8;
  const auto admission = NewAdmission(options);
  const auto round = [&](int64_t now) {
    for (uint32_t i = 0; i < 20; ++i) {
      admission->Admit(base::IpAddress::V4(0xc0000200 + i), now);
      admission->ChargeRecords(base::IpAddress::V4(0xc0000200 + i), 30, now);
      admission->Admit(base::IpAddress::V4(0x0a000000 + i), now);
    }
  };
  round(kStart);
  testing::AllocationCounter counter;
  for (int i = 0; i < 100; ++i) round(kStart + i);
  EXPECT_EQ(counter.allocations(), 0);
}

TEST(AdmissionTest, VerdictsHaveNames) {
  EXPECT_EQ(AdmissionVerdictName(AdmissionVerdict::kRecordBudget), "record_budget");
  EXPECT_EQ(AdmissionVerdictHelp(AdmissionVerdict::kAdmitted), "taken");
}

}  // namespace
}  // namespace flowacct::collector
