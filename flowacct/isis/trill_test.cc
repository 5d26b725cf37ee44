#include "flowacct/isis/trill.h"

#include <algorithm>
#include <string>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/lsp_content_writer.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/testing/content_text.h"
#include "flowacct/isis/testing/pdus.h"
#include "flowacct/isis/tlv_types.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using base::DecodeCode;
using base::DecodeResult;
using base::OctetWriter;
using testing::AsText;

// The sub-TLVs of a capability that has nothing else, as TLV 242.
struct Read {
  LspContent content;
  DecodeResult result;
};
Read ReadTlv(uint8_t type, const OctetWriter& value) {
  OctetWriter out;
  out.U8(type).U8(static_cast<uint8_t>(value.size())).Bytes(value.octets());
  Read read;
  read.result = ReadLspContent(out.octets(), &read.content);
  return read;
}

std::vector<uint8_t> PduOf(const std::string& name) {
  for (const testing::NamedPdu& pdu : testing::Pdus()) {
    if (pdu.name == name) return pdu.octets;
  }
  ADD_FAILURE() << name;
  return {};
}

// As RFC 7176 draws them.
TEST(Trill, SubTlvsOfASwitch) {
  OctetWriter value;
  value.U16(5);
  value.U8(6).U8(10).U8(192).U16(1).U16(0x0101).U8(64).U16(0x8001).U16(0x0202);
  value.U8(7).U8(6).U16(3).U16(5).U16(2);
  value.U8(8).U8(6).U16(1).U16(0x0101).U16(0x0202);
  value.U8(9).U8(4).U16(2).U16(0x0202);
  value.U8(10).U8(16).U16(0x0101).U16(0xc001).U16(0x0fff).U32(9).U16(0x0200).U32(7);
  value.U8(13).U8(5).U8(1).U32(0x80000001);
  value.U8(14).U8(6).U16(10).U16(11).U16(0xf00c);
  const Read read = ReadTlv(kTlvMtCapability, value);
  EXPECT_TRUE(read.result.ok());
  EXPECT_EQ(AsText(read.content),
            "protocols \nname \n"
            "capability topology 5 router :: flags 0 sr 00 algorithms  nickname 257:192:1 nickname 514:64:32769"
            " trees 3:5:2 roots 1:257:514 used 2:514 interested 257:192:1-4095:9 root 02:00:00:00:00:07"
            " group 10:11:12 version 1:80000001\n");
  OctetWriter bridging;
  bridging.U16(5).U8(1).U8(2).U16(7);
  EXPECT_EQ(ReadTlv(kTlvMtCapability, bridging).content.others.size(), 1u) << "shortest path bridging stays raw";
}

TEST(Trill, TheLowestOfSeveralVersionsAndWhatAllCan) {
  OctetWriter value;
  value.U32(0).U8(0).U8(13).U8(5).U8(2).U32(0xf0).U8(13).U8(5).U8(1).U32(0x3c);
  const Read read = ReadTlv(kTlvRouterCapability, value);
  ASSERT_EQ(read.content.capabilities.size(), 1u);
  ASSERT_TRUE(read.content.capabilities[0].trill.version.has_value());
  EXPECT_EQ(read.content.capabilities[0].trill.version->max_version, 1);
  EXPECT_EQ(read.content.capabilities[0].trill.version->capabilities, 0x30u);
}

// Of each sub-TLV the lengths that it can have, up to 40; of others nothing is taken.
TEST(Trill, LengthsThatNoValueHas) {
  const auto multiple = [](size_t size, size_t head, size_t item) { return size >= head && (size - head) % item == 0; };
  for (size_t size = 0; size <= 40; ++size) {
    const std::vector<uint8_t> value(size);
    const auto taken = [&](uint8_t type) {
      TrillSwitch trill;
      return ReadTrillSubTlv({type, value}, &trill);
    };
    EXPECT_EQ(taken(kSubTlvNickname), multiple(size, 0, 5)) << size;
    EXPECT_EQ(taken(kSubTlvTrees), size == 6) << size;
    EXPECT_EQ(taken(kSubTlvTreeRootIds), multiple(size, 2, 2)) << size;
    EXPECT_EQ(taken(kSubTlvTreeUseIds), multiple(size, 2, 2)) << size;
    EXPECT_EQ(taken(kSubTlvInterestedVlans), multiple(size, 10, 6)) << size;
    EXPECT_EQ(taken(kSubTlvTrillVersion), size == 5) << size;
    EXPECT_EQ(taken(kSubTlvVlanGroup), multiple(size, 2, 2)) << size;
    EXPECT_FALSE(taken(kSubTlvAffinity)) << "not decoded";

    OctetWriter port;
    port.U16(0);
    for (const uint8_t type : {1, 2, 3, 7, 8, 9}) {
      port.U8(type).U8(static_cast<uint8_t>(size)).Bytes(value);
    }
    TrillPort read;
    EXPECT_TRUE(ReadTrillPort(port.octets(), 0, &read).ok());
    EXPECT_EQ(read.special.has_value(), size == 8) << size;
    EXPECT_EQ(read.enabled.size(), size >= 3 ? 1u : 0u) << size;
    EXPECT_EQ(read.appointed.size(), size >= 3 ? 1u : 0u) << size;
    EXPECT_EQ(read.forwarders.size(), size % 6 == 0 ? size / 6 : 0u) << size;
    EXPECT_EQ(read.version.has_value(), size == 5) << size;
    size_t refused = 1;
    for (const bool fine : {size == 8, size >= 3, size % 6 == 0, size == 5, size >= 3}) refused += fine ? 0 : 1;
    EXPECT_EQ(read.others.size(), refused) << "what is not understood is kept";

    TrillNeighbors neighbors;
    EXPECT_EQ(ReadTrillNeighbors(value, 0, &neighbors).ok(), multiple(size, 1, 9)) << size;
  }
}

TEST(Trill, VlansThatRangesMean) {
  struct Case {
    VlanRange said;
    std::optional<VlanRange> meant;
  };
  const Case cases[] = {
      {{1, 1}, VlanRange{1, 1}},
      {{0, 7}, VlanRange{1, 7}},
      {{7, 0xfff}, VlanRange{7, 0xffe}},
      {{0, 0xfff}, VlanRange{1, 0xffe}},
      {{0, 0}, std::nullopt},
      {{0xfff, 0xfff}, std::nullopt},
      {{8, 7}, std::nullopt},
      {{0xffe, 0xffe}, VlanRange{0xffe, 0xffe}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(EffectiveVlans(c.said), c.meant) << c.said.first << " " << c.said.last;
  }
}

TEST(Trill, VlansOfAMap) {
  using Ranges = std::vector<VlanRange>;
  EXPECT_EQ(VlansOf({1, {0xff, 0x01}}), (Ranges{{1, 8}, {16, 16}}));
  EXPECT_EQ(VlansOf({0, {0xff}}), (Ranges{{1, 7}})) << "0 is no VLAN";
  EXPECT_EQ(VlansOf({4090, {0xff, 0xff}}), (Ranges{{4090, 4094}})) << "neither is 4095, nor what would come then";
  EXPECT_EQ(VlansOf({7, {0x01, 0x80}}), (Ranges{{14, 15}})) << "over the edge of octets";
  EXPECT_EQ(VlansOf({7, {0, 0}}), Ranges{});
}

TEST(Trill, GroupsComeBack) {
  const std::vector<GroupMembership> groups = testing::FullGroups();
  OctetWriter value;
  for (const GroupMembership& group : groups) WriteGroupMembership(group, &value);
  std::vector<GroupMembership> again;
  ASSERT_TRUE(ReadGroupMemberships(value.octets(), 0, &again).ok());
  LspContent wanted, read;
  wanted.groups = groups;
  read.groups = again;
  EXPECT_EQ(AsText(read), AsText(wanted));
}

TEST(Trill, SeveralGroupsOfOneSubTlv) {
  OctetWriter value;
  value.U8(2).U8(5 + 5 + 9).U16(0x5005).U16(0xf064).U8(2);
  value.U8(0).U32(0xef000001).U8(1).U32(0xe8010203).U32(0xc0000201);
  std::vector<GroupMembership> groups;
  ASSERT_TRUE(ReadGroupMemberships(value.octets(), 0, &groups).ok());
  LspContent read;
  read.groups = groups;
  EXPECT_EQ(AsText(read),
            "protocols \nname \ngroup 239.0.0.1 topology 5 vlan 100\n"
            "group 232.1.2.3 topology 5 vlan 100 from 192.0.2.1\n");
}

// Each length of a sub-TLV of groups but the right one lies; what stood before the lie is kept.
TEST(Trill, GroupsWhoseRecordsDoNotAddUp) {
  for (const GroupMembership& group : testing::FullGroups()) {
    OctetWriter whole;
    WriteGroupMembership(group, &whole);
    for (size_t size = 0; size + 2 < whole.size(); ++size) {
      OctetWriter cut;
      cut.U8(whole.octets()[0]).U8(static_cast<uint8_t>(size)).Bytes(whole.octets().subspan(2, size));
      std::vector<GroupMembership> groups;
      const DecodeResult result = ReadGroupMemberships(cut.octets(), 100, &groups);
      EXPECT_EQ(result.code, DecodeCode::kBadLength) << size;
      EXPECT_EQ(result.offset, 102u);
      EXPECT_TRUE(groups.empty());
    }
    OctetWriter longer;
    longer.U8(whole.octets()[0]).U8(static_cast<uint8_t>(whole.size() - 1)).Bytes(whole.octets().subspan(2)).U8(0);
    std::vector<GroupMembership> groups;
    EXPECT_EQ(ReadGroupMemberships(longer.octets(), 0, &groups).code, DecodeCode::kBadLength);
    EXPECT_EQ(groups.size(), 1u);
  }
  std::vector<GroupMembership> groups;
  const std::vector<uint8_t> unknown = {9, 1, 0, 1, 9};
  EXPECT_EQ(ReadGroupMemberships(unknown, 0, &groups).offset, 3u) << "unknown is no error, to reach beyond is one";
}

TEST(Trill, AHelloIsReadWhole) {
  const std::vector<uint8_t> pdu = PduOf("trill_hello");
  PduView view;
  ASSERT_TRUE(PduView::Parse(pdu, &view).ok());
  EXPECT_EQ(view.type(), PduType::kL1LanHello);
  HelloContent content;
  EXPECT_TRUE(ReadHelloContent(view.tlvs(), &content).ok());
  EXPECT_EQ(
      AsText(content),
      "area 00\n"
      "protocols c0\n"
      "padding 0\n"
      "port topology 5 id 7 nickname 4660 flags 152 vlans 1 100 enabled 1:ff01 1-8 16-16 enabled 4090:ff 4090-4094"
      " appointed 100:80 100-100 forwarder 4660:1-99 forwarder 65471:100-4094 version 1:340000\n"
      "tlv 4 010203\n"
      "heard smallest 02:00:00:00:00:02:1470+ 02:00:00:00:00:03:9000!\n");
  content.Clear();
  EXPECT_EQ(AsText(content), AsText(HelloContent()));
}

TEST(Trill, PortsCutAtEveryOctet) {
  OctetWriter whole;
  WriteTrillPort(testing::FullTrillPort(), &whole);
  size_t fine = 0;
  for (size_t size = 0; size <= whole.size(); ++size) {
    const std::vector<uint8_t> cut(whole.octets().begin(), whole.octets().begin() + static_cast<ptrdiff_t>(size));
    TrillPort port;
    const DecodeResult result = ReadTrillPort(cut, 10, &port);
    EXPECT_LE(result.offset, 10 + size);
    if (!result.ok()) continue;
    ++fine;
    OctetWriter again;
    WriteTrillPort(port, &again);
    EXPECT_EQ(again.size(), size) << "what was read is all that was there";
  }
  EXPECT_EQ(fine, 1u + 7u) << "without a sub-TLV, and behind each";
}

TEST(Trill, NeighborsWithAddressesOfOtherLengths) {
  for (int size = 0; size < 32; ++size) {
    TrillNeighbors neighbors;
    const std::vector<uint8_t> value = {static_cast<uint8_t>(0x40 | size), 0x40, 5, 0xbe, 2, 0, 0, 0, 0, 3};
    const DecodeResult result = ReadTrillNeighbors(value, 3, &neighbors);
    EXPECT_EQ(result.code, size == 0 || size == 6 ? DecodeCode::kOk : DecodeCode::kUnsupported);
    if (!result.ok()) continue;
    EXPECT_FALSE(neighbors.holds_smallest);
    EXPECT_TRUE(neighbors.holds_largest);
    ASSERT_EQ(neighbors.neighbors.size(), 1u);
    EXPECT_EQ(neighbors.neighbors[0].mtu, 1470);
    EXPECT_TRUE(neighbors.neighbors[0].offers_oomf);
    EXPECT_FALSE(neighbors.neighbors[0].failed);
  }
}

// What does not fit into a TLV is refused whole.
TEST(Trill, WhatNoTlvHolds) {
  RouterCapability capability;
  capability.trill.nicknames.resize(51);
  PduWriter writer(PduWriter::Lsp{}, 1492);
  EXPECT_FALSE(AddCapability(capability, &writer));
  capability.trill.nicknames.resize(49);
  EXPECT_TRUE(AddCapability(capability, &writer)) << "5, and 2, and 245";
}

}  // namespace
}  // namespace flowacct::isis
