#include "flowacct/rpki/published_vrps.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "flowacct/base/ip_prefix.h"
#include "gtest/gtest.h"

namespace flowacct::rpki {
namespace {

std::shared_ptr<const VrpTable> TableFor(uint32_t as) {
  return std::make_shared<const VrpTable>(std::vector<Vrp>{{*base::IpPrefix::Parse("192.0.2.0/24"), 24, as}});
}

TEST(PublishedVrps, AReaderMeetsTheLastOneAndKeepsItUntilItMeetsAnother) {
  const auto published = std::make_shared<PublishedVrps>();
  VrpReader reader(published);
  EXPECT_EQ(reader.Meet(), nullptr);
  std::weak_ptr<const VrpTable> first;
  {
    auto table = TableFor(1);
    first = table;
    published->Publish(std::move(table));
  }
  const VrpTable* const met = reader.Meet();
  ASSERT_NE(met, nullptr);
  EXPECT_EQ(reader.Meet(), met);
  EXPECT_EQ(reader.serial(), 1u);
  published->Publish(nullptr);
  EXPECT_FALSE(first.expired()) << "the reader has it";
  EXPECT_EQ(reader.Meet(), nullptr);
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(published->Get(), nullptr);
}

TEST(PublishedVrps, ReadersSeeWholeTablesInTheirOrder) {
  const auto published = std::make_shared<PublishedVrps>();
  constexpr uint32_t kLast = 2000;
  std::atomic<bool> wrong{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      VrpReader reader(published);
      uint32_t seen = 0;
      while (seen < kLast) {
        const VrpTable* const table = reader.Meet();
        if (table == nullptr) continue;
        const uint32_t as = table->Covering(*base::IpPrefix::Parse("192.0.2.0/24"))[0].as;
        if (as < seen) wrong = true;
        seen = as;
      }
    });
  }
  for (uint32_t as = 1; as <= kLast; ++as) published->Publish(TableFor(as));
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(wrong);
}

}  // namespace
}  // namespace flowacct::rpki
