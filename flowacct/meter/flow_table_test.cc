#include "flowacct/meter/flow_table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "flowacct/base/octets.h"

namespace flowacct::meter {
namespace {

constexpr size_t kRowOctets = 32;

// Half of the first word and a third of the last belong to the key.
const std::vector<uint64_t> kMask = {0x00000000ffffffff, ~uint64_t{0}, 0x0000000000ffff00};

std::string KeyOf(const uint8_t* row) {
  std::string key;
  for (size_t i = 0; i < kMask.size(); ++i) {
    const uint64_t word = base::LoadHost<uint64_t>(row + 8 * i) & kMask[i];
    key.append(reinterpret_cast<const char*>(&word), 8);
  }
  return key;
}

TEST(FlowTable, EqualsAMapWhileRowsComeAndGo) {
  for (const size_t max_rows : {1, 40, 5000}) {
    std::mt19937_64 random(max_rows);
    FlowTable table(kRowOctets, kMask, max_rows, 42);
    std::map<std::string, uint32_t> twin;
    std::vector<uint8_t> packets(FlowTable::kBlock * kRowOctets);
    size_t erased = 0;
    for (int round = 0; round < 2000; ++round) {
      const size_t n = 1 + random() % FlowTable::kBlock;
      for (size_t i = 0; i < n; ++i) {
        uint8_t* packet = packets.data() + i * kRowOctets;
        for (size_t word = 0; word < 4; ++word) base::StoreHost<uint64_t>(packet + 8 * word, random());
        // Of all that is random, few keys.
        base::StoreHost<uint32_t>(packet, static_cast<uint32_t>(random() % (2 * max_rows)));
        base::StoreHost<uint64_t>(packet + 8, 7);
        packet[17] = packet[18] = 1;
      }
      table.Begin(packets.data(), n);
      for (size_t i = 0; i < n; ++i) {
        const uint8_t* packet = packets.data() + i * kRowOctets;
        const auto known = twin.find(KeyOf(packet));
        const uint32_t row = table.Find(i);
        if (known != twin.end()) {
          ASSERT_EQ(row, known->second);
        } else {
          ASSERT_EQ(row, FlowTable::kNone);
        }
        // Rows go in the middle of a block, too.
        if (!twin.empty() && (random() % 3 == 0 || table.size() == max_rows)) {
          auto victim = twin.lower_bound(KeyOf(packet));
          if (victim == twin.end()) victim = twin.begin();
          ASSERT_EQ(KeyOf(table.row(victim->second)), victim->first);
          table.Erase(victim->second);
          twin.erase(victim);
          ++erased;
        }
        if (table.Find(i) == FlowTable::kNone) {
          const uint32_t made = table.Insert(i);
          std::memcpy(table.row(made), packet, kRowOctets);
          twin[KeyOf(packet)] = made;
        }
        ASSERT_EQ(table.size(), twin.size());
      }
    }
    EXPECT_GT(erased, 1000u);
    EXPECT_LE(table.rows_made(), max_rows);
    std::map<std::string, int> met;
    table.ForEach([&](const uint8_t* row) { ++met[KeyOf(row)]; });
    EXPECT_EQ(met.size(), twin.size());
  }
}

TEST(FlowTable, MemoryIsThatOfTheRowsInUseAndTheIndex) {
  FlowTable table(kRowOctets, kMask, 1 << 16, 1);
  const size_t empty = table.octets();
  EXPECT_GE(empty, size_t{16} << 16);
  EXPECT_LE(empty, size_t{24} << 16);
  uint8_t packet[kRowOctets] = {1};
  table.Begin(packet, 1);
  std::memcpy(table.row(table.Insert(0)), packet, kRowOctets);
  table.Erase(0);
  table.Begin(packet, 1);
  EXPECT_EQ(table.Insert(0), 0u);  // used again
  EXPECT_EQ(table.rows_made(), 1u);
}

}  // namespace
}  // namespace flowacct::meter
