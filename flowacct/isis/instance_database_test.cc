#include "flowacct/isis/instance_database.h"

#include <string>
#include <vector>

#include "flowacct/isis/instance_flooding.h"
#include "flowacct/isis/testing/instance_pair.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using testing::LspOctets;
using testing::LspOf;

constexpr int64_t kNow = 5 * kNanosPerSecond;

// ISO 10589, 7.3.16.2: each against each.
TEST(CompareLsp, SaysWhichIsNewer) {
  struct Case {
    uint32_t sequence, stored_sequence;
    uint16_t remaining, stored_remaining, checksum, stored_checksum;
    LspOrder order;
  };
  const Case cases[] = {
      {2, 1, 100, 100, 7, 7, LspOrder::kNewer},
      {1, 2, 100, 100, 7, 7, LspOrder::kOlder},
      {2, 2, 100, 900, 7, 7, LspOrder::kSame},
      {2, 2, 100, 900, 7, 8, LspOrder::kConfused},
      // 0 and 255 are one modulo 255: both are right where one is.
      {2, 2, 100, 900, 0x07ff, 0x0700, LspOrder::kSame},
      {2, 2, 100, 900, 0x00ab, 0xffab, LspOrder::kSame},
      {2, 2, 100, 900, 0x00ab, 0x01ab, LspOrder::kConfused},
      {2, 2, 0, 100, 7, 7, LspOrder::kNewer},
      {2, 2, 0, 100, 7, 8, LspOrder::kNewer},
      {2, 2, 100, 0, 7, 7, LspOrder::kOlder},
      {2, 2, 0, 0, 7, 8, LspOrder::kSame},
      {3, 2, 0, 100, 7, 7, LspOrder::kNewer},
      {1, 2, 0, 100, 7, 7, LspOrder::kOlder},
      {3, 2, 100, 0, 7, 7, LspOrder::kNewer},
      {0xffffffff, 1, 100, 100, 7, 7, LspOrder::kNewer},
      {1, 0xffffffff, 100, 100, 7, 7, LspOrder::kOlder},
  };
  for (const Case& c : cases) {
    StoredLsp stored;
    stored.sequence = c.stored_sequence;
    stored.checksum = c.stored_checksum;
    stored.purged = c.stored_remaining == 0;
    EXPECT_EQ(CompareLsp({c.remaining, LspOf(2), c.sequence, c.checksum}, stored), c.order) << &c - cases;
  }
}

TEST(LspDatabase, CountsOctetsAndAges) {
  LspDatabase database;
  EXPECT_EQ(database.next_expiry(), kNever);
  testing::PairLsp lsp;
  lsp.remaining_seconds = 100;
  const std::vector<uint8_t> a = LspOctets(lsp);
  lsp.hostname = "longer than before";
  lsp.sequence = 2;
  lsp.remaining_seconds = 50;
  const std::vector<uint8_t> b = LspOctets(lsp);

  database.Store(LspOf(2), a, false, kNow);
  EXPECT_EQ(database.octets(), a.size());
  EXPECT_EQ(database.next_expiry(), kNow + 100 * kNanosPerSecond);
  EXPECT_EQ(database.Find(LspOf(2))->remaining_seconds(kNow), 100);
  EXPECT_EQ(database.Find(LspOf(2))->remaining_seconds(kNow + 1), 99);
  // Alive to the end: 0 would be a purge.
  EXPECT_EQ(database.Find(LspOf(2))->remaining_seconds(kNow + 100 * kNanosPerSecond - 1), 1);
  EXPECT_EQ(database.Find(LspOf(3)), nullptr);

  database.Store(LspOf(2), b, false, kNow);
  database.Store(LspOf(1), a, true, kNow);
  EXPECT_EQ(database.octets(), a.size() + b.size());
  EXPECT_EQ(database.size(), 2u);
  EXPECT_EQ(database.next_expiry(), kNow + 50 * kNanosPerSecond);
  EXPECT_EQ(database.next_to_expire(), LspOf(2));
  EXPECT_EQ(database.Find(LspOf(2))->sequence, 2u);

  database.StorePurged(LspOf(2), a, false, kNow + 60 * kNanosPerSecond);
  EXPECT_EQ(database.Find(LspOf(2))->remaining_seconds(kNow), 0);
  EXPECT_EQ(database.next_expiry(), kNow + 60 * kNanosPerSecond);
  database.Remove(LspOf(2));
  database.Remove(LspOf(2));
  EXPECT_EQ(database.octets(), a.size());
  EXPECT_EQ(database.next_to_expire(), LspOf(1));
  database.Remove(LspOf(1));
  EXPECT_EQ(database.octets(), 0u);
  EXPECT_EQ(database.next_expiry(), kNever);
}

TEST(SameLspContent, LooksPastWhatEachRefreshChanges) {
  testing::PairLsp lsp;
  lsp.key = {AuthenticationKind::kHmacMd5, 0, "secret"};
  const std::vector<uint8_t> a = LspOctets(lsp);
  lsp.sequence = 2;
  EXPECT_TRUE(SameLspContent(a, LspOctets(lsp)));
  testing::PairLsp other = lsp;
  other.hostname = "tvo";
  EXPECT_FALSE(SameLspContent(a, LspOctets(other)));
  other.hostname = "";
  EXPECT_FALSE(SameLspContent(a, LspOctets(other)));
  EXPECT_FALSE(SameLspContent(LspOctets(other), a));
  other = lsp;
  other.flags |= kLspOverload;
  EXPECT_FALSE(SameLspContent(a, LspOctets(other)));
  other = lsp;
  other.key.kind = AuthenticationKind::kNone;
  EXPECT_TRUE(SameLspContent(a, LspOctets(other)));
  std::vector<uint8_t> cut = a;
  cut.back() ^= 1;
  cut.pop_back();
  EXPECT_FALSE(SameLspContent(a, cut));
}

TEST(SendFlags, NewOnesFirstThenThoseThatWaitLongest) {
  SendFlags flags;
  EXPECT_EQ(flags.next_time(), kNever);
  EXPECT_EQ(flags.Next(kNow), nullptr);
  flags.SetLater(LspOf(1), kNow);
  flags.Set(LspOf(2));
  flags.Set(LspOf(3));
  flags.Set(LspOf(2));
  EXPECT_EQ(flags.size(), 3u);
  ASSERT_NE(flags.Next(kNow), nullptr);
  EXPECT_EQ(*flags.Next(kNow), LspOf(2));
  EXPECT_FALSE(flags.WasSent(LspOf(2)));
  flags.Sent(LspOf(2), kNow + 1);
  EXPECT_TRUE(flags.WasSent(LspOf(2)));
  EXPECT_EQ(*flags.Next(kNow + 1), LspOf(3));
  flags.Clear(LspOf(3));
  EXPECT_EQ(flags.Next(kNow + 1), nullptr);
  EXPECT_EQ(flags.next_time(), kNow + SendFlags::kRetransmitNanos);
  EXPECT_EQ(*flags.Next(kNow + SendFlags::kRetransmitNanos), LspOf(1));
  EXPECT_FALSE(flags.WasSent(LspOf(1)));  // it was put off
  // Another version of what was sent does not wait.
  flags.Set(LspOf(2));
  EXPECT_FALSE(flags.WasSent(LspOf(2)));
  EXPECT_EQ(*flags.Next(kNow + 1), LspOf(2));
  flags.Clear(LspOf(1));
  flags.Clear(LspOf(2));
  EXPECT_TRUE(flags.empty());
  flags.Set(LspOf(2));
  flags.ClearAll();
  EXPECT_EQ(flags.next_time(), kNever);
}

TEST(AcknowledgeFlags, WaitForCompany) {
  AcknowledgeFlags flags;
  EXPECT_EQ(flags.next_time(2), kNever);
  flags.Set({9, LspOf(3), 7, 1}, kNow);
  EXPECT_EQ(flags.next_time(2), kNow + AcknowledgeFlags::kIntervalNanos);
  flags.Set({9, LspOf(3), 8, 1}, kNow + 1);
  flags.Set({9, LspOf(2), 7, 1}, kNow + 1);
  EXPECT_EQ(flags.next_time(2), INT64_MIN);  // a PDU full
  ASSERT_NE(flags.Find(LspOf(3)), nullptr);
  EXPECT_EQ(flags.Find(LspOf(3))->sequence, 8u);
  const std::vector<LspEntry> taken = flags.Take(1, kNow + 2);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].id, LspOf(2));
  EXPECT_EQ(flags.next_time(2), kNow + 2 + AcknowledgeFlags::kIntervalNanos);
  flags.Clear(LspOf(3));
  EXPECT_TRUE(flags.empty());
}

}  // namespace
}  // namespace flowacct::isis
