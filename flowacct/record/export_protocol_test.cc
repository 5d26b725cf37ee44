#include "flowacct/record/export_protocol.h"

#include <set>

#include "gtest/gtest.h"

namespace flowacct::record {
namespace {

TEST(ExportProtocolTest, FamiliesAndNames) {
  EXPECT_EQ(ExportProtocolName(ExportProtocol::kNetflow9), "netflow9");
  EXPECT_EQ(FamilyOf(ExportProtocol::kNetflow8), ExportFamily::kNetflow);
  EXPECT_EQ(FamilyOf(ExportProtocol::kIpfix), ExportFamily::kIpfix);
  EXPECT_EQ(FamilyOf(ExportProtocol::kSflow2), ExportFamily::kSflow);
  EXPECT_EQ(FamilyOf(ExportProtocol::kNone), ExportFamily::kNone);
}

TEST(ExportProtocolTest, FoundByFamilyAndVersion) {
  std::set<ExportProtocol> found;
  for (ExportFamily family : {ExportFamily::kNetflow, ExportFamily::kIpfix, ExportFamily::kSflow}) {
    for (uint32_t version = 0; version < 70000; ++version) {
      const ExportProtocol protocol = FindExportProtocol(family, version);
      if (protocol == ExportProtocol::kNone) {
        EXPECT_EQ(ExportProtocolName(family, version), ExportFamilyName(family));
        continue;
      }
      EXPECT_EQ(FamilyOf(protocol), family);
      EXPECT_EQ(ExportProtocolName(family, version), ExportProtocolName(protocol));
      EXPECT_TRUE(found.insert(protocol).second) << "two versions of one protocol";
    }
  }
  EXPECT_EQ(found.size() + 1, kExportProtocolCount);
  EXPECT_EQ(FindExportProtocol(ExportFamily::kSflow, 5), ExportProtocol::kSflow5);
  EXPECT_EQ(FindExportProtocol(ExportFamily::kNetflow, 5), ExportProtocol::kNetflow5);
}

}  // namespace
}  // namespace flowacct::record
