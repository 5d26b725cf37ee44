#include "flowacct/isis/pdu_view.h"

#include <set>
#include <string>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/testing/pdus.h"
#include "flowacct/isis/tlv_types.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using base::DecodeCode;
using base::DecodeResult;
using testing::Lsp;
using testing::NamedPdu;
using testing::Node;
using testing::Pdus;
using testing::System;

std::vector<uint8_t> PduNamed(const std::string& name) {
  for (const NamedPdu& pdu : Pdus()) {
    if (pdu.name == name) return pdu.octets;
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(PduView, ReadsEachType) {
  std::set<PduType> seen;
  for (const NamedPdu& pdu : Pdus()) {
    PduView view;
    ASSERT_TRUE(PduView::Parse(pdu.octets, &view).ok()) << pdu.name;
    EXPECT_EQ(view.size(), pdu.octets.size()) << pdu.name;
    EXPECT_EQ(view.tlvs().size(), pdu.octets.size() - view.info().header_size);
    EXPECT_EQ(view.max_area_addresses(), 3);
    seen.insert(view.type());
    TlvReader tlvs(view.tlvs());
    for (Tlv tlv; tlvs.Next(&tlv);) EXPECT_EQ(view.tlvs().data() + tlvs.value_offset(), tlv.value.data());
    EXPECT_TRUE(tlvs.result().ok());
  }
  EXPECT_EQ(seen.size(), PduTypes().size());
  EXPECT_EQ(seen.size(), 9u);
}

TEST(PduView, HasTheFieldsOfHellos) {
  const std::vector<uint8_t> octets = PduNamed("lan_hello_2");
  PduView view;
  ASSERT_TRUE(PduView::Parse(octets, &view).ok());
  EXPECT_EQ(view.type(), PduType::kL2LanHello);
  EXPECT_EQ(view.kind(), PduKind::kLanHello);
  EXPECT_EQ(view.level(), Level::k2);
  EXPECT_EQ(view.circuit_levels(), 3);
  EXPECT_EQ(view.hello_source(), System("0000.0000.0001"));
  EXPECT_EQ(view.holding_seconds(), 30);
  EXPECT_EQ(view.priority(), 64);
  EXPECT_EQ(view.lan_id(), Node("0000.0000.0002.01"));
  const std::vector<uint8_t> p2p = PduNamed("p2p_hello");
  ASSERT_TRUE(PduView::Parse(p2p, &view).ok());
  EXPECT_EQ(view.type(), PduType::kPointToPointHello);
  EXPECT_EQ(view.hello_source(), System("0000.0000.0001"));
  EXPECT_EQ(view.local_circuit_id(), 7);
}

TEST(PduView, HasTheFieldsOfLspsAndSequenceNumbers) {
  const std::vector<uint8_t> octets = PduNamed("lsp_1");
  PduView view;
  ASSERT_TRUE(PduView::Parse(octets, &view).ok());
  EXPECT_EQ(view.level(), Level::k1);
  EXPECT_EQ(view.remaining_seconds(), 1199);
  EXPECT_EQ(view.lsp_id(), Lsp("0000.0000.0001.00-00"));
  EXPECT_EQ(view.sequence(), 0x1234u);
  EXPECT_NE(view.checksum(), 0);
  EXPECT_EQ(view.lsp_flags(), kLspOverload | kLspLevel2);

  const std::vector<uint8_t> csnp = PduNamed("csnp_2");
  ASSERT_TRUE(PduView::Parse(csnp, &view).ok());
  EXPECT_EQ(view.snp_source(), Node("0000.0000.0001.00"));
  EXPECT_EQ(view.first_lsp(), LspId());
  EXPECT_EQ(view.last_lsp(), Lsp("ffff.ffff.ffff.ff-ff"));
  LspEntryReader entries(view.tlvs());
  uint8_t count = 0;
  for (LspEntry entry; entries.Next(&entry); ++count) {
    EXPECT_EQ(entry.remaining_seconds, 1000 + count);
    EXPECT_EQ(entry.id, (LspId{Node("0000.0000.0001.00"), count}));
    EXPECT_EQ(entry.sequence, count + 1u);
    EXPECT_EQ(entry.checksum, count);
  }
  EXPECT_TRUE(entries.result().ok());
  EXPECT_EQ(count, 20);  // of two TLVs
  const std::vector<uint8_t> psnp = PduNamed("psnp_1");
  ASSERT_TRUE(PduView::Parse(psnp, &view).ok());
  EXPECT_EQ(view.snp_source(), Node("0000.0000.0001.00"));
}

TEST(PduView, IsTruncatedAtEveryOctet) {
  for (const NamedPdu& pdu : Pdus()) {
    for (size_t size = 0; size < pdu.octets.size(); ++size) {
      // A copy, so that a sanitizer sees what is read beyond it.
      const std::vector<uint8_t> cut(pdu.octets.begin(), pdu.octets.begin() + static_cast<ptrdiff_t>(size));
      PduView view;
      const DecodeResult result = PduView::Parse(cut, &view);
      EXPECT_EQ(result.code, DecodeCode::kTruncated) << pdu.name << " " << size;
      EXPECT_EQ(result.offset, size);
      EXPECT_TRUE(view.octets().empty());
    }
  }
}

TEST(PduView, LeavesWhatPadsTheFrame) {
  std::vector<uint8_t> octets = PduNamed("psnp_1");
  const size_t size = octets.size();
  octets.resize(size + 30, 0x5a);
  PduView view;
  ASSERT_TRUE(PduView::Parse(octets, &view).ok());
  EXPECT_EQ(view.size(), size);
}

TEST(PduView, TellsHeadersThatLie) {
  struct Case {
    const char* what;
    size_t at;
    uint8_t value;
    DecodeCode code;
    uint32_t offset;
  };
  const Case cases[] = {
      {"another protocol", 0, 0x81, DecodeCode::kUnsupported, 0},
      {"header too long", 1, 28, DecodeCode::kBadLength, 1},
      {"header too short", 1, 26, DecodeCode::kBadLength, 1},
      {"extension of version", 2, 2, DecodeCode::kBadVersion, 2},
      {"identifiers of three octets", 3, 3, DecodeCode::kUnsupported, 3},
      {"identifiers of no octets", 3, 255, DecodeCode::kUnsupported, 3},
      {"identifiers of six octets", 3, 6, DecodeCode::kOk, 0},
      {"no type", 4, 19, DecodeCode::kUnsupported, 4},
      {"another type", 4, 24, DecodeCode::kBadLength, 1},
      {"reserved bits", 4, 18 | 0xe0, DecodeCode::kOk, 0},
      {"version", 5, 0, DecodeCode::kBadVersion, 5},
      {"reserved octet", 6, 9, DecodeCode::kOk, 0},
      {"many areas", 7, 200, DecodeCode::kOk, 0},
      {"length less than the header", 8, 0, DecodeCode::kBadLength, 8},
      {"length beyond the octets", 8, 0xff, DecodeCode::kTruncated, 0},
  };
  for (const Case& c : cases) {
    std::vector<uint8_t> octets = PduNamed("trill");
    octets[9] = c.at == 8 && c.value == 0 ? 26 : octets[9];
    octets[c.at] = c.value;
    PduView view;
    const DecodeResult result = PduView::Parse(octets, &view);
    EXPECT_EQ(result.code, c.code) << c.what;
    EXPECT_EQ(result.offset, c.code == DecodeCode::kTruncated ? octets.size() : c.offset) << c.what;
    EXPECT_EQ(view.octets().empty(), !result.ok()) << c.what;
  }
}

TEST(TlvReader, TellsTlvsThatReachBeyond) {
  const uint8_t octets[] = {1, 2, 0xaa, 0xbb, 9, 0, 10, 3, 1, 2};
  TlvReader reader(octets);
  Tlv tlv;
  ASSERT_TRUE(reader.Next(&tlv));
  EXPECT_EQ(tlv.type, 1);
  EXPECT_EQ(tlv.value.size(), 2u);
  EXPECT_EQ(reader.value_offset(), 2u);
  ASSERT_TRUE(reader.Next(&tlv));
  EXPECT_EQ(tlv.type, 9);
  EXPECT_TRUE(tlv.value.empty());
  EXPECT_EQ(reader.value_offset(), 6u);
  EXPECT_FALSE(reader.Next(&tlv));
  EXPECT_EQ(reader.result().code, DecodeCode::kBadLength);
  EXPECT_EQ(reader.result().offset, 6u);
  EXPECT_FALSE(reader.Next(&tlv));
  TlvReader one(base::Octets(octets).first(1));
  EXPECT_FALSE(one.Next(&tlv));
  EXPECT_EQ(one.result().offset, 0u);
  TlvReader none{base::Octets()};
  EXPECT_FALSE(none.Next(&tlv));
  EXPECT_TRUE(none.result().ok());
}

TEST(LspEntryReader, TellsLinesThatAreNotWhole) {
  const std::vector<uint8_t> octets = PduNamed("psnp_1");
  for (int less = 1; less < 16; ++less) {
    std::vector<uint8_t> cut(octets.begin(), octets.end() - less);
    cut[9] = static_cast<uint8_t>(cut.size());
    cut[18] = static_cast<uint8_t>(16 - less);
    PduView view;
    ASSERT_TRUE(PduView::Parse(cut, &view).ok());
    LspEntryReader reader(view.tlvs());
    LspEntry entry;
    EXPECT_FALSE(reader.Next(&entry));
    EXPECT_EQ(reader.result().code, DecodeCode::kBadLength);
    EXPECT_EQ(reader.result().offset, 2u);
    EXPECT_FALSE(reader.Next(&entry));
  }
}

TEST(TlvTypes, AreNamedOnce) {
  std::set<int> types;
  for (const TlvTypeInfo& info : TlvTypes()) {
    EXPECT_TRUE(types.insert(info.type).second) << info.name;
    EXPECT_EQ(FindTlvType(info.type), &info);
    EXPECT_FALSE(info.name.empty());
  }
  std::set<std::pair<SubTlvs, int>> subs;
  for (const SubTlvTypeInfo& info : SubTlvTypes()) {
    EXPECT_TRUE(subs.insert({info.registry, info.type}).second) << info.name;
    EXPECT_EQ(FindSubTlvType(info.registry, info.type), &info);
  }
  EXPECT_EQ(FindTlvType(0), nullptr);
  EXPECT_EQ(FindSubTlvType(SubTlvs::kPrefix, 200), nullptr);
  EXPECT_EQ(FindTlvType(kTlvExtendedIpReachability)->name, "Extended IP reachability");
  EXPECT_EQ(SubTlvsOf(kTlvMtIpv6Reachability), SubTlvs::kPrefix);
  EXPECT_EQ(SubTlvsOf(kTlvAreaAddresses), std::nullopt);
}

TEST(PduTypes, AreFoundByKindAndLevel) {
  for (const PduTypeInfo& info : PduTypes()) {
    EXPECT_EQ(FindPduType(static_cast<uint8_t>(info.type)), &info);
    for (const Level level : {Level::k1, Level::k2}) {
      if ((info.levels & static_cast<uint8_t>(level)) == 0) continue;
      EXPECT_EQ(PduTypeOf(info.kind, level), info.type);
    }
  }
  EXPECT_EQ(FindPduType(19), nullptr);
}

}  // namespace
}  // namespace flowacct::isis
