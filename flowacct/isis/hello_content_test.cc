#include "flowacct/isis/hello_content.h"

#include <algorithm>
#include <string>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/testing/content_text.h"
#include "flowacct/isis/testing/pdus.h"
#include "flowacct/isis/tlv_types.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using base::DecodeCode;
using base::DecodeResult;
using testing::AsText;
using testing::NamedPdu;
using testing::Pdus;

std::vector<uint8_t> TlvsOf(const std::string& name) {
  for (const NamedPdu& pdu : Pdus()) {
    PduView view;
    if (pdu.name != name || !PduView::Parse(pdu.octets, &view).ok()) continue;
    return {view.tlvs().begin(), view.tlvs().end()};
  }
  ADD_FAILURE() << name;
  return {};
}

struct Read {
  DecodeResult result;
  HelloContent content;
};

Read ReadTlv(uint8_t type, const std::vector<uint8_t>& value) {
  base::OctetWriter out;
  out.U8(type).U8(static_cast<uint8_t>(value.size())).Bytes(value);
  Read read;
  read.result = ReadHelloContent(out.octets(), &read.content);
  return read;
}

TEST(HelloContent, IsReadWhole) {
  HelloContent content;
  const std::vector<uint8_t> p2p = TlvsOf("p2p_hello");
  EXPECT_TRUE(ReadHelloContent(p2p, &content).ok());
  EXPECT_EQ(AsText(content),
            "area 49.0001\n"
            "area 49\n"
            "protocols cc8e\n"
            "address 10.0.0.1\n"
            "address 10.0.1.1\n"
            "address fe80::1\n"
            "topology 0 0 0\n"
            "topology 2 0 0\n"
            "three-way 1 7 0000.0000.0002 9\n"
            "restart 1 30 0000.0000.0002\n"
            "bfd 0 204\n"
            "bfd 2 142\n"
            "instance 0\n"
            "padding 282\n"
            "tlv 16 00000001\n");
  const std::vector<uint8_t> lan = TlvsOf("lan_hello_1");
  EXPECT_TRUE(ReadHelloContent(lan, &content).ok());
  EXPECT_EQ(AsText(content),
            "area 49.0001\n"
            "area 49\n"
            "protocols cc8e\n"
            "neighbor 02:00:00:00:00:02\n"
            "neighbor 02:00:00:00:00:03\n"
            "address 10.0.0.1\n"
            "address 10.0.1.1\n"
            "address fe80::1\n"
            "topology 0 0 0\n"
            "topology 2 0 0\n"
            "padding 211\n");
  content.Clear();
  EXPECT_EQ(AsText(content), AsText(HelloContent()));
}

TEST(HelloContent, CutAtEveryOctetKeepsWhatWasWhole) {
  for (const char* name : {"p2p_hello", "lan_hello_2"}) {
    const std::vector<uint8_t> tlvs = TlvsOf(name);
    std::vector<size_t> begins;
    TlvReader reader(tlvs);
    for (Tlv tlv; reader.Next(&tlv);) begins.push_back(reader.value_offset() - 2);
    HelloContent content, whole;
    for (size_t size = 0; size < tlvs.size(); ++size) {
      const std::vector<uint8_t> cut(tlvs.begin(), tlvs.begin() + static_cast<ptrdiff_t>(size));
      const size_t begin = *(std::upper_bound(begins.begin(), begins.end(), size) - 1);
      const DecodeResult result = ReadHelloContent(cut, &content);
      EXPECT_EQ(result.ok(), size == begin);
      EXPECT_EQ(result.offset, result.ok() ? 0 : begin);
      EXPECT_TRUE(ReadHelloContent(base::Octets(cut).first(begin), &whole).ok());
      EXPECT_EQ(AsText(content), AsText(whole));
    }
  }
}

TEST(HelloContent, LengthsThatNoValueHas) {
  struct Case {
    uint8_t type;
    std::vector<size_t> fine;
  };
  const Case cases[] = {
      {kTlvThreeWayAdjacency, {1, 5, 11, 15}},
      {kTlvLanNeighbors, {0, 6, 12, 18}},
      {kTlvBfdEnabled, {0, 3, 6, 9, 12, 15, 18}},
      {kTlvIpInterfaceAddress, {0, 4, 8, 12, 16}},
      {kTlvIpv6InterfaceAddress, {0, 16}},
      {kTlvIpv6GlobalInterfaceAddress, {0, 16}},
      {kTlvMultiTopology, {0, 2, 4, 6, 8, 10, 12, 14, 16, 18}},
  };
  for (const Case& c : cases) {
    for (size_t size = 0; size < 20; ++size) {
      const bool fine = std::find(c.fine.begin(), c.fine.end(), size) != c.fine.end();
      const Read read = ReadTlv(c.type, std::vector<uint8_t>(size));
      EXPECT_EQ(read.result.code, fine ? DecodeCode::kOk : DecodeCode::kBadLength) << int{c.type} << " " << size;
      EXPECT_EQ(read.content.others.size(), fine ? 0u : 1u) << "what was refused is kept as it lies";
    }
  }
  EXPECT_FALSE(ReadTlv(kTlvRestart, {}).result.ok());
  EXPECT_FALSE(ReadTlv(kTlvInstanceIdentifier, {0}).result.ok());
}

TEST(HelloContent, StatesOfAdjacencies) {
  for (uint8_t state = 0; state < 5; ++state) {
    const Read read = ReadTlv(kTlvThreeWayAdjacency, {state});
    EXPECT_EQ(read.result.code, state <= 2 ? DecodeCode::kOk : DecodeCode::kBadValue);
    EXPECT_EQ(read.content.three_way.has_value(), state <= 2);
  }
  const Read read = ReadTlv(kTlvThreeWayAdjacency, {0, 0, 0, 0, 9});
  EXPECT_EQ(AsText(read.content), "protocols \nthree-way 0 9 - -\npadding 0\n");
}

TEST(HelloContent, RestartsOfThreeLengths) {
  EXPECT_EQ(AsText(ReadTlv(kTlvRestart, {kRestartRequest | kSuppressAdjacency}).content),
            "protocols \nrestart 5 - -\npadding 0\n");
  EXPECT_EQ(AsText(ReadTlv(kTlvRestart, {2, 0, 9}).content), "protocols \nrestart 2 9 -\npadding 0\n");
  EXPECT_EQ(AsText(ReadTlv(kTlvRestart, {2, 0, 9, 0, 0, 0, 0, 0, 1}).content),
            "protocols \nrestart 2 9 0000.0000.0001\npadding 0\n");
}

}  // namespace
}  // namespace flowacct::isis
