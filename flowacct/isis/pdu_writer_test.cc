#include "flowacct/isis/pdu_writer.h"

#include <string>
#include <vector>

#include "flowacct/base/octets.h"
#include "flowacct/isis/testing/pdus.h"
#include "flowacct/isis/tlv_types.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using base::Octets;

std::vector<std::pair<int, size_t>> TlvsOf(const std::vector<uint8_t>& pdu) {
  std::vector<std::pair<int, size_t>> tlvs;
  PduView view;
  EXPECT_TRUE(PduView::Parse(pdu, &view).ok());
  TlvReader reader(view.tlvs());
  for (Tlv tlv; reader.Next(&tlv);) tlvs.push_back({tlv.type, tlv.value.size()});
  EXPECT_TRUE(reader.result().ok());
  return tlvs;
}

using Tlvs = std::vector<std::pair<int, size_t>>;

// Octet by octet, from ISO 10589's pictures.
TEST(PduWriter, WritesHeadersAsTheStandardDrawsThem) {
  const SystemId system = testing::System("1921.6800.1001");
  EXPECT_EQ(PduWriter(PduWriter::LanHello{Level::k1, 1, system, 0x1e, 64, {system, 2}}, 100).Finish(),
            (std::vector<uint8_t>{0x83, 27, 1,  0, 15, 1,  0,    0,    1,    0x19, 0x21, 0x68, 0x00, 0x10,
                                  0x01, 0,  30, 0, 27, 64, 0x19, 0x21, 0x68, 0x00, 0x10, 0x01, 2}));
  EXPECT_EQ(
      PduWriter(PduWriter::PointToPointHello{3, system, 0x1e, 5}, 100).Finish(),
      (std::vector<uint8_t>{0x83, 20, 1, 0, 17, 1, 0, 0, 3, 0x19, 0x21, 0x68, 0x00, 0x10, 0x01, 0, 30, 0, 20, 5}));
  EXPECT_EQ(
      PduWriter(PduWriter::Csnp{Level::k2, {system, 0}, LspId(), testing::Lsp("ffff.ffff.ffff.ff-ff")}, 100).Finish(),
      (std::vector<uint8_t>{0x83, 33, 1, 0, 25, 1, 0, 0, 0,    33,   0x19, 0x21, 0x68, 0x00, 0x10, 0x01, 0,
                            0,    0,  0, 0, 0,  0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_EQ(PduWriter(PduWriter::Psnp{Level::k1, {system, 0}}, 100).Finish(),
            (std::vector<uint8_t>{0x83, 17, 1, 0, 26, 1, 0, 0, 0, 17, 0x19, 0x21, 0x68, 0x00, 0x10, 0x01, 0}));
  std::vector<uint8_t> lsp =
      PduWriter(PduWriter::Lsp{Level::k2, 1200, {{system, 3}, 4}, 0x01020304, kLspOverload | kLspLevel2}, 100).Finish();
  ASSERT_EQ(lsp.size(), 27u);
  lsp[24] = lsp[25] = 0;  // checksum_test.cc has it
  EXPECT_EQ(lsp, (std::vector<uint8_t>{0x83, 27,   1,    0,    20, 1, 0, 0, 0, 27, 0x04, 0xb0, 0x19, 0x21,
                                       0x68, 0x00, 0x10, 0x01, 3,  4, 1, 2, 3, 4,  0,    0,    7}));
}

TEST(PduWriter, SplitsListsIntoTlvs) {
  PduWriter writer(PduWriter::Csnp{}, 1492);
  const std::vector<LspEntry> entries(40);
  EXPECT_EQ(writer.AddLspEntries(entries), 40u);
  EXPECT_EQ(TlvsOf(writer.Finish()), (Tlvs{{9, 240}, {9, 240}, {9, 160}}));
  PduWriter hello(PduWriter::LanHello{}, 1492);
  EXPECT_TRUE(hello.AddLanNeighbors(std::vector<base::MacAddress>(43)));
  EXPECT_TRUE(hello.AddInterfaceAddresses(std::vector<base::IpAddress>(64, testing::Address("192.0.2.1"))));
  EXPECT_TRUE(hello.AddInterfaceAddresses(std::vector<base::IpAddress>(16, testing::Address("fe80::1"))));
  EXPECT_TRUE(hello.AddTopologies(std::vector<TopologyMembership>(128)));
  EXPECT_EQ(TlvsOf(hello.Finish()),
            (Tlvs{{6, 252}, {6, 6}, {132, 252}, {132, 4}, {232, 240}, {232, 16}, {229, 254}, {229, 2}}));
}

TEST(PduWriter, RepeatsTheHeadOfEachTlv) {
  PduWriter writer(PduWriter::Lsp{}, 1492);
  const uint8_t one[] = {0, 1}, two[] = {0, 2};
  const std::vector<uint8_t> item(100, 0xaa);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(writer.AddItem(222, item, one));
  EXPECT_TRUE(writer.AddItem(222, item, two));
  EXPECT_TRUE(writer.AddItem(237, item, two));
  EXPECT_EQ(TlvsOf(writer.Finish()), (Tlvs{{222, 202}, {222, 102}, {222, 102}, {237, 102}}));
}

TEST(PduWriter, NeverGrowsBeyondItsBound) {
  for (size_t bound = 0; bound < 330; ++bound) {
    PduWriter writer(PduWriter::Psnp{}, bound);
    EXPECT_EQ(writer.room(), bound < 17 ? 0 : bound - 17);
    const bool area = writer.AddAreas({testing::Area("49.0001")});
    EXPECT_EQ(area, bound >= 17 + 6);
    const size_t entries = writer.AddLspEntries(std::vector<LspEntry>(30));
    EXPECT_LE(writer.size(), std::max<size_t>(bound, 17));
    EXPECT_EQ(entries, bound < 17 + 6 + 2 ? 0 : (bound - 17 - 6 - 2 - (bound > 17 + 6 + 2 + 240 + 2 ? 2 : 0)) / 16)
        << bound;
    PduView view;
    EXPECT_TRUE(PduView::Parse(writer.Finish(), &view).ok());
  }
  PduWriter writer(PduWriter::Lsp{}, 100'000);
  EXPECT_FALSE(writer.Add(1, std::vector<uint8_t>(256)));
  while (writer.Add(1, std::vector<uint8_t>(255))) {
  }
  EXPECT_LE(writer.size(), 65'535u);
  PduView view;
  const std::vector<uint8_t> octets = writer.Finish();
  EXPECT_TRUE(PduView::Parse(octets, &view).ok());
  EXPECT_EQ(view.size(), octets.size());
}

TEST(PduWriter, PadsToTheLastOctet) {
  for (size_t bound = 27; bound < 900; ++bound) {
    PduWriter writer(PduWriter::LanHello{}, bound);
    writer.Pad();
    const std::vector<uint8_t> octets = writer.Finish();
    EXPECT_EQ(octets.size(), bound == 28 ? 27 : bound);  // no TLV has a single octet
    for (const auto& [type, size] : TlvsOf(octets)) EXPECT_EQ(type, kTlvPadding);
  }
}

TEST(PduWriter, WritesThreeWayStatesOfFourLengths) {
  ThreeWayState state;
  std::vector<size_t> sizes;
  const auto add = [&] {
    PduWriter writer(PduWriter::PointToPointHello{}, 100);
    EXPECT_TRUE(writer.AddThreeWay(state));
    sizes.push_back(TlvsOf(writer.Finish())[0].second);
  };
  add();
  state.local_circuit = 1;
  add();
  state.neighbor = SystemId();
  add();
  state.neighbor_circuit = 2;
  add();
  state.neighbor.reset();  // its circuit alone cannot be said
  add();
  EXPECT_EQ(sizes, (std::vector<size_t>{1, 5, 11, 15, 5}));
}

}  // namespace
}  // namespace flowacct::isis
