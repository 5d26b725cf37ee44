#include "flowacct/isis/identifiers.h"

#include <string>

#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

template <typename T>
std::string Again(const char* text) {
  const std::optional<T> value = T::Parse(text);
  return value ? value->ToString() : "none";
}

TEST(Identifiers, AreReadAndShown) {
  EXPECT_EQ(Again<SystemId>("1921.6800.1001"), "1921.6800.1001");
  EXPECT_EQ(Again<SystemId>("ABCD.ef00.0001"), "abcd.ef00.0001");
  EXPECT_EQ(Again<NodeId>("1921.6800.1001.02"), "1921.6800.1001.02");
  EXPECT_EQ(Again<LspId>("1921.6800.1001.02-fe"), "1921.6800.1001.02-fe");
  EXPECT_EQ(Again<AreaAddress>("49"), "49");
  EXPECT_EQ(Again<AreaAddress>("49.0001"), "49.0001");
  EXPECT_EQ(Again<AreaAddress>("490001"), "49.0001");
  EXPECT_EQ(Again<AreaAddress>("39.0102.03"), "39.0102.03");
  EXPECT_EQ(Again<AreaAddress>("49.0001.0203.0405.0607.0809.1011.1213.1415.1617"),
            "49.0001.0203.0405.0607.0809.1011.1213.1415.1617");
}

TEST(Identifiers, RefuseWhatIsNone) {
  for (const char* text : {"", "1921.6800.100", "1921.6800.10011", "1921-6800-1001", "192168001001", "1921.6800.100g",
                           "1921.6800.1001 ", " 1921.6800.1001"}) {
    EXPECT_FALSE(SystemId::Parse(text)) << text;
  }
  for (const char* text : {"", "1921.6800.1001", "1921.6800.1001.", "1921.6800.1001.0", "1921.6800.1001-02",
                           "1921.6800.1001.0g", "1921.6800.1001.002"}) {
    EXPECT_FALSE(NodeId::Parse(text)) << text;
  }
  for (const char* text : {"", "1921.6800.1001.02", "1921.6800.1001.02-", "1921.6800.1001.02.00", "1921.6800.1001.02-0",
                           "1921.6800.1001.02-0x", "1921.6800.1001-02.00"}) {
    EXPECT_FALSE(LspId::Parse(text)) << text;
  }
  for (const char* text :
       {"", ".", "4", "49.", "49.0", ".49", "49..01", "4g", "49.0001.0203.0405.0607.0809.1011.1213.1415.1617.1819"}) {
    EXPECT_FALSE(AreaAddress::Parse(text)) << text;
  }
}

TEST(Identifiers, AreOrderedAsSequenceNumbersPdusTellThem) {
  const char* ordered[] = {"0000.0000.0000.00-00", "0000.0000.0001.00-00", "0000.0000.0001.00-01",
                           "0000.0000.0001.01-00", "0000.0000.0100.00-00", "0100.0000.0000.00-00",
                           "ff00.0000.0000.00-00", "ffff.ffff.ffff.ff-ff"};
  for (size_t i = 0; i < std::size(ordered); ++i) {
    for (size_t j = 0; j < std::size(ordered); ++j) {
      EXPECT_EQ(*LspId::Parse(ordered[i]) < *LspId::Parse(ordered[j]), i < j) << ordered[i] << ordered[j];
      EXPECT_EQ(*LspId::Parse(ordered[i]) == *LspId::Parse(ordered[j]), i == j) << ordered[i] << ordered[j];
    }
  }
}

}  // namespace
}  // namespace flowacct::isis
