#include "flowacct/isis/lsp_content.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/isis/lsp_content_writer.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/testing/content_text.h"
#include "flowacct/isis/testing/pdus.h"
#include "flowacct/isis/tlv_types.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using base::DecodeCode;
using base::DecodeResult;
using base::OctetWriter;
using testing::Address;
using testing::AsText;
using testing::FullContent;
using testing::Node;
using testing::Prefix;

OctetWriter& PutTlv(OctetWriter& out, uint8_t type, const OctetWriter& value) {
  return out.U8(type).U8(static_cast<uint8_t>(value.size())).Bytes(value.octets());
}

struct Read {
  DecodeResult result;
  LspContent content;
};

Read ReadTlv(uint8_t type, const OctetWriter& value) {
  OctetWriter out;
  PutTlv(out, type, value);
  Read read;
  read.result = ReadLspContent(out.octets(), &read.content);
  return read;
}

std::vector<uint8_t> TlvsOf(const LspContent& content) {
  PduWriter writer(PduWriter::Lsp{}, 65'535);
  EXPECT_TRUE(AddLspContent(content, &writer));
  const std::vector<uint8_t> pdu = writer.Finish();
  return {pdu.begin() + 27, pdu.end()};
}

TEST(LspContent, ComesBackWhole) {
  const LspContent content = FullContent();
  LspContent again;
  const std::vector<uint8_t> tlvs = TlvsOf(content);
  EXPECT_TRUE(ReadLspContent(tlvs, &again).ok());
  EXPECT_EQ(AsText(again), AsText(content));
  again.Clear();
  EXPECT_EQ(AsText(again), AsText(LspContent()));
}

// What a value was used for before does not matter.
TEST(LspContent, IsReadAnewEachTime) {
  LspContent content = FullContent();
  EXPECT_TRUE(ReadLspContent({}, &content).ok());
  EXPECT_EQ(AsText(content), AsText(LspContent()));
}

TEST(LspContent, CutAtEveryOctetKeepsWhatWasWhole) {
  const std::vector<uint8_t> tlvs = TlvsOf(FullContent());
  std::vector<size_t> begins;
  TlvReader reader(tlvs);
  for (Tlv tlv; reader.Next(&tlv);) begins.push_back(reader.value_offset() - 2);
  LspContent content, whole;
  for (size_t size = 0; size < tlvs.size(); ++size) {
    const std::vector<uint8_t> cut(tlvs.begin(), tlvs.begin() + static_cast<ptrdiff_t>(size));
    const size_t begin = *(std::upper_bound(begins.begin(), begins.end(), size) - 1);
    const DecodeResult result = ReadLspContent(cut, &content);
    EXPECT_EQ(result.ok(), size == begin);
    EXPECT_EQ(result.offset, result.ok() ? 0 : begin);
    EXPECT_TRUE(ReadLspContent(base::Octets(cut).first(begin), &whole).ok());
    EXPECT_EQ(AsText(content), AsText(whole));
  }
}

// Every octet changed to values that lengths lie with: nothing is read beyond the octets (a sanitizer tells), and the
// reading ends.
TEST(LspContent, OctetsThatLie) {
  std::vector<uint8_t> tlvs = TlvsOf(FullContent());
  LspContent content;
  size_t refused = 0;
  for (size_t at = 0; at < tlvs.size(); ++at) {
    const uint8_t before = tlvs[at];
    for (const uint8_t value : {0, 1, 7, 33, 129, 255, before + 1, before - 1}) {
      tlvs[at] = value;
      refused += !ReadLspContent(tlvs, &content).ok();
      EXPECT_LE(content.neighbors.size() + content.prefixes.size(), tlvs.size());
    }
    tlvs[at] = before;
  }
  EXPECT_GT(refused, 500u);
}

TEST(LspContent, NarrowMetricsAndTheirBits) {
  OctetWriter value;
  value.U8(0x80 | 0x15).U8(0x80).U8(0x80).U8(0x80).U32(0x0a000000).U32(0xff000000);
  value.U8(0x40 | 0x3f).U8(0x80).U8(0x80).U8(0x80).U32(0xc0000201).U32(0xffffffff);
  for (const uint8_t type : {kTlvIpInternalReachability, kTlvIpExternalReachability}) {
    const bool external = type == kTlvIpExternalReachability;
    const Read read = ReadTlv(type, value);
    ASSERT_TRUE(read.result.ok());
    ASSERT_EQ(read.content.prefixes.size(), 2u);
    const Reachability &first = read.content.prefixes[0], &second = read.content.prefixes[1];
    EXPECT_EQ(first.prefix, Prefix("10.0.0.0/8"));
    EXPECT_EQ(first.metric, 0x15u);
    EXPECT_TRUE(first.down);
    EXPECT_FALSE(first.wide);
    EXPECT_EQ(first.external, external);
    EXPECT_FALSE(first.external_metric);
    EXPECT_EQ(second.prefix, Prefix("192.0.2.1/32"));
    EXPECT_EQ(second.metric, 63u);
    EXPECT_FALSE(second.down);
    EXPECT_EQ(second.external_metric, external) << "of internal prefixes the bit means nothing (RFC 1195, 3.10.2)";
  }
}

TEST(LspContent, MasksWithHolesAreRefusedAndTheOthersRead) {
  OctetWriter value;
  for (const uint32_t mask : {0xff00ff00u, 0xffff0000u, 0x00000001u, 0u}) value.U32(1).U32(0x0a010203).U32(mask);
  const Read read = ReadTlv(kTlvIpInternalReachability, value);
  EXPECT_EQ(read.result.code, DecodeCode::kBadValue);
  EXPECT_EQ(read.result.offset, 10u);
  ASSERT_EQ(read.content.prefixes.size(), 2u);
  EXPECT_EQ(read.content.prefixes[0].prefix, Prefix("10.1.0.0/16"));
  EXPECT_EQ(read.content.prefixes[1].prefix, Prefix("0.0.0.0/0"));
  EXPECT_EQ(read.content.others.size(), 1u) << "what was refused is kept as it lies";
}

TEST(LspContent, PrefixesOfEveryLength) {
  for (const bool v4 : {true, false}) {
    for (int length = 0; length <= 255; ++length) {
      OctetWriter value;
      value.U32(9);
      if (v4) {
        if (length > 63) break;
        value.U8(static_cast<uint8_t>(length));
      } else {
        value.U8(0).U8(static_cast<uint8_t>(length));
      }
      const size_t at = value.size();
      value.Fill((static_cast<size_t>(length) + 7) / 8, 0xff);
      const Read read = ReadTlv(v4 ? kTlvExtendedIpReachability : kTlvIpv6Reachability, value);
      const bool fine = length <= (v4 ? 32 : 128);
      EXPECT_EQ(read.result.code, fine ? DecodeCode::kOk : DecodeCode::kBadValue) << length;
      ASSERT_EQ(read.content.prefixes.size(), fine ? 1u : 0u);
      if (!fine) {
        EXPECT_EQ(read.result.offset, 2 + at - 1);
        continue;
      }
      EXPECT_EQ(read.content.prefixes[0].prefix.length(), length);
      EXPECT_EQ(read.content.prefixes[0].prefix.address().IsV4(), v4) << length;
      EXPECT_EQ(read.content.prefixes[0].metric, 9u);
    }
  }
}

TEST(LspContent, SubTlvsOfWrongLengthsArePassedOver) {
  for (const SubTlvTypeInfo& info : SubTlvTypes()) {
    if (info.registry != SubTlvs::kNeighbor && info.registry != SubTlvs::kPrefix) continue;
    for (uint8_t size = 0; size < 40; ++size) {
      OctetWriter value;
      if (info.registry == SubTlvs::kNeighbor) {
        value.Fill(7, 1).U24(5);
      } else {
        value.U32(5).U8(0x40);
      }
      value.U8(static_cast<uint8_t>(2 + size)).U8(info.type).U8(size).Fill(size, 0x11);
      const Read read =
          ReadTlv(info.registry == SubTlvs::kNeighbor ? kTlvExtendedIsReachability : kTlvExtendedIpReachability, value);
      EXPECT_TRUE(read.result.ok()) << info.name << " " << int{size};
      EXPECT_EQ(read.content.neighbors.size() + read.content.prefixes.size(), 1u);
    }
  }
}

TEST(LspContent, SubTlvsThatLieCostTheRestOfTheirTlvOnly) {
  OctetWriter lies, value;
  value.Fill(7, 1).U24(5).U8(3).U8(kSubTlvAdministrativeGroup).U8(4).U8(0);  // promises four, has one
  value.Fill(7, 2).U24(6).U8(0);
  PutTlv(lies, kTlvExtendedIsReachability, value);
  OctetWriter name;
  name.Text("next");
  PutTlv(lies, kTlvDynamicHostname, name);
  LspContent content;
  const DecodeResult result = ReadLspContent(lies.octets(), &content);
  EXPECT_EQ(result.code, DecodeCode::kBadLength);
  EXPECT_EQ(result.offset, 2u);
  ASSERT_EQ(content.neighbors.size(), 1u);
  EXPECT_EQ(content.neighbors[0].metric, 5u);
  EXPECT_EQ(content.hostname, "next");
  ASSERT_EQ(content.others.size(), 1u);
  EXPECT_EQ(content.others[0].type, kTlvExtendedIsReachability);
}

TEST(LspContent, TopologyZeroDoesNotComeInTlvsOfTopologies) {
  for (const uint8_t type : {kTlvMtIsReachability, kTlvMtIpReachability, kTlvMtIpv6Reachability}) {
    OctetWriter value;
    value.U16(0xf000).Fill(11);
    const Read read = ReadTlv(type, value);
    EXPECT_EQ(read.result.code, DecodeCode::kBadValue);
    EXPECT_TRUE(read.content.neighbors.empty() && read.content.prefixes.empty());
  }
}

TEST(LspContent, TheFirstOfSeveralAddressesAndTags) {
  OctetWriter value;
  value.Fill(7, 1).U24(5).U8(12).U8(kSubTlvIpv4InterfaceAddress).U8(4).U32(0x0a000001);
  value.U8(kSubTlvIpv4InterfaceAddress).U8(4).U32(0x0a000002);
  EXPECT_EQ(ReadTlv(kTlvExtendedIsReachability, value).content.neighbors.at(0).local_address, Address("10.0.0.1"));
  OctetWriter prefix;
  prefix.U32(5).U8(0x40).U8(10).U8(kSubTlvTag32).U8(8).U32(1).U32(2);
  EXPECT_EQ(ReadTlv(kTlvExtendedIpReachability, prefix).content.prefixes.at(0).tag, 1u);
}

TEST(LspContent, LanAdjacencySids) {
  OctetWriter value;
  value.Fill(7, 1).U24(5).U8(13).U8(kSubTlvLanAdjacencySid).U8(11).U8(0x30).U8(9).Fill(6, 2).U24(0xf12345);
  const Read read = ReadTlv(kTlvExtendedIsReachability, value);
  ASSERT_EQ(read.content.neighbors.at(0).adjacency_sids.size(), 1u);
  EXPECT_EQ(read.content.neighbors[0].adjacency_sids[0].flags, 0x30);
  EXPECT_EQ(read.content.neighbors[0].adjacency_sids[0].algorithm_or_weight, 9);
  EXPECT_EQ(read.content.neighbors[0].adjacency_sids[0].value, 0x12345u) << "the low 20 bits";
}

TEST(LspContent, LengthsThatNoValueHas) {
  struct Case {
    uint8_t type;
    std::vector<size_t> fine;
  };
  const Case cases[] = {
      {kTlvTeRouterId, {4}},
      {kTlvIpv6TeRouterId, {16}},
      {kTlvIpInterfaceAddress, {0, 4, 8, 12, 16, 20, 24, 28}},
      {kTlvIpv6InterfaceAddress, {0, 16}},
      {kTlvIsNeighbors, {1, 12, 23}},
      {kTlvIpInternalReachability, {0, 12, 24}},
      {kTlvMultiTopology, {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28}},
  };
  for (const Case& c : cases) {
    for (size_t size = 0; size < 30; ++size) {
      OctetWriter value;
      value.Fill(size, 0);
      const bool fine = std::find(c.fine.begin(), c.fine.end(), size) != c.fine.end();
      const Read read = ReadTlv(c.type, value);
      EXPECT_EQ(read.result.ok(), fine) << int{c.type} << " " << size;
      EXPECT_EQ(read.content.others.size(), fine ? 0u : 1u);
    }
  }
}

TEST(LspContent, Areas) {
  struct Case {
    std::vector<uint8_t> octets;
    DecodeCode code;
    uint32_t offset;
    size_t areas;
  };
  const Case cases[] = {
      {{}, DecodeCode::kOk, 0, 0},
      {{1, 0x49}, DecodeCode::kOk, 0, 1},
      {{3, 0x49, 0, 1, 1, 0x49}, DecodeCode::kOk, 0, 2},
      {{0}, DecodeCode::kBadValue, 2, 0},
      {{1, 0x49, 0}, DecodeCode::kBadValue, 4, 1},
      {{2, 0x49}, DecodeCode::kBadLength, 2, 0},
      {{1, 0x49, 255}, DecodeCode::kBadLength, 4, 1},
      {{21, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21}, DecodeCode::kBadValue, 2, 0},
  };
  for (const Case& c : cases) {
    OctetWriter value;
    value.Bytes(c.octets);
    const Read read = ReadTlv(kTlvAreaAddresses, value);
    EXPECT_EQ(read.result.code, c.code);
    EXPECT_EQ(read.result.offset, c.offset);
    EXPECT_EQ(read.content.areas.size(), c.areas);
  }
}

// Values of all kinds, many times: what was written is read.
TEST(LspContent, RoundTripsOfRandomContents) {
  std::mt19937 random(7);
  const auto bit = [&] { return random() % 2 == 0; };
  for (int round = 0; round < 300; ++round) {
    LspContent content;
    for (size_t n = random() % 20; n > 0; --n) {
      Neighbor neighbor;
      for (uint8_t& octet : neighbor.node.system.octets) octet = static_cast<uint8_t>(random());
      neighbor.node.pseudonode = static_cast<uint8_t>(random());
      neighbor.wide = bit();
      neighbor.metric = neighbor.wide ? random() & 0xffffff : random() & 0x3f;
      if (neighbor.wide) {
        neighbor.topology = bit() ? 0 : random() & 0xfff;
        if (bit()) neighbor.local_address = base::IpAddress::V4(random());
        if (bit()) neighbor.remote_address = base::IpAddress::V4(random());
        if (bit()) neighbor.administrative_group = random();
        if (bit()) neighbor.te_metric = random() & 0xffffff;
        for (size_t sids = random() % 8; sids > 0; --sids) {
          const uint8_t flags = static_cast<uint8_t>(random());
          const uint32_t mask = (flags & kAdjacencySidIsValue) != 0 ? 0xfffff : 0xffffffff;
          neighbor.adjacency_sids.push_back(
              {flags, static_cast<uint8_t>(random()), static_cast<uint32_t>(random() & mask)});
        }
      }
      content.neighbors.push_back(neighbor);
    }
    for (size_t n = random() % 40; n > 0; --n) {
      Reachability reach;
      const bool v4 = bit();
      base::IpAddress address = base::IpAddress::V4(random());
      if (!v4) {
        for (size_t i = 0; i < 16; ++i) address.data()[i] = static_cast<uint8_t>(random());
        address.data()[0] = 0x20;
      }
      reach.wide = !v4 || bit();
      const uint8_t length = static_cast<uint8_t>(random() % (v4 ? 33 : 129));
      reach.prefix = base::IpPrefix(address, length);
      if (!v4 && length < 3) continue;  // the rest of it would be 0, and a prefix of IPv4
      reach.metric = reach.wide ? uint32_t(random()) : random() & 0x3f;
      reach.down = bit();
      reach.external = bit();
      if (!reach.wide) reach.external_metric = reach.external && bit();
      if (reach.wide) {
        reach.topology = bit() ? 0 : 1 + random() % 4095;
        if (bit()) reach.tag = random();
        if (v4 && reach.external) reach.attribute_flags = kPrefixExternal;
        if (!v4 && bit()) reach.attribute_flags = random() & 0x7f;
      }
      content.prefixes.push_back(reach);
    }
    LspContent again;
    ASSERT_TRUE(ReadLspContent(TlvsOf(content), &again).ok());
    ASSERT_EQ(AsText(again), AsText(content)) << round;
  }
}

TEST(LspContentWriter, SaysWhatDoesNotFit) {
  const LspContent content = FullContent();
  const size_t whole = TlvsOf(content).size() + 27;
  for (size_t size = 27; size < whole; ++size) {
    PduWriter writer(PduWriter::Lsp{}, size);
    EXPECT_FALSE(AddLspContent(content, &writer)) << size;
    const std::vector<uint8_t> pdu = writer.Finish();
    LspContent again;
    EXPECT_TRUE(ReadLspContent(base::Octets(pdu).subspan(27), &again).ok()) << "what is there is whole";
  }
  PduWriter writer(PduWriter::Lsp{}, whole);
  EXPECT_TRUE(AddLspContent(content, &writer));
  Neighbor neighbor = content.neighbors[2];
  neighbor.adjacency_sids.resize(50);
  PduWriter large(PduWriter::Lsp{}, 9000);
  EXPECT_FALSE(AddNeighbor(neighbor, &large)) << "255 octets of sub-TLVs at most";
}

}  // namespace
}  // namespace flowacct::isis
