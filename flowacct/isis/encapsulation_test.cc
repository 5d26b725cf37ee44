#include "flowacct/isis/encapsulation.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/isis/testing/pdus.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using base::MacAddress;
using base::Octets;
using base::OctetWriter;
using Bytes = std::vector<uint8_t>;
using Result = EncapsulationResult;

const MacAddress kSource = {{2, 0, 0, 0, 0, 1}};

Bytes Pdu() { return testing::Pdus().back().octets; }
Bytes Hex(const std::string& text) {
  const std::string octets = absl::HexStringToBytes(text);
  return {octets.begin(), octets.end()};
}
Bytes Join(const Bytes& a, const Bytes& b) {
  Bytes both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

Bytes Ipv4(const Bytes& payload, uint8_t protocol = 47, uint16_t fragment = 0, const std::string& options = "") {
  OctetWriter out;
  const size_t header = 20 + options.size() / 2;
  out.U8(static_cast<uint8_t>(0x40 | header / 4)).U8(0xc0).U16(static_cast<uint16_t>(header + payload.size()));
  out.U16(1).U16(fragment).U8(255).U8(protocol).U16(0).U32(0xc0000201).U32(0xc0000202).Bytes(Hex(options));
  out.Bytes(payload);
  return {out.octets().begin(), out.octets().end()};
}

Bytes Ipv6(const Bytes& payload, uint8_t next = 47) {
  OctetWriter out;
  out.U32(0x60000000).U16(static_cast<uint16_t>(payload.size())).U8(next).U8(64);
  out.Bytes(testing::Address("2001:db8::1").octets()).Bytes(testing::Address("2001:db8::2").octets()).Bytes(payload);
  return {out.octets().begin(), out.octets().end()};
}

// With the checksum of RFC 1071 over all, written here anew.
Bytes ChecksummedGre(uint16_t flags, const Bytes& rest) {
  OctetWriter out;
  out.U16(flags | 0x8000).U16(0x00fe).U32(0).Bytes(rest);
  uint64_t sum = 0;
  Bytes octets(out.octets().begin(), out.octets().end());
  for (size_t i = 0; i < octets.size(); ++i) sum += uint64_t{octets[i]} << (i % 2 == 0 ? 8 : 0);
  const auto checksum = static_cast<uint16_t>(0xffff - sum % 0xffff);
  octets[4] = static_cast<uint8_t>(checksum >> 8);
  octets[5] = static_cast<uint8_t>(checksum);
  return octets;
}

TEST(Encapsulation, ComesBackFromWhatWeWrap) {
  const Bytes pdu = Pdu();
  CarriedPdu carried;
  Bytes frame = WrapEthernet(AllIss(Level::k1), kSource, pdu);
  ASSERT_EQ(UnwrapEthernet(frame, &carried), Result::kOk);
  EXPECT_EQ(carried.pdu, Octets(pdu));
  EXPECT_EQ(carried.source, kSource);
  EXPECT_EQ(carried.destination.ToString(), "01:80:c2:00:00:14");
  EXPECT_EQ(AllIss(Level::k2).ToString(), "01:80:c2:00:00:15");
  EXPECT_EQ(AllIss().ToString(), "09:00:2b:00:00:05");
  EXPECT_EQ(WrapLlc(pdu), Bytes(frame.begin() + 14, frame.end()));

  // The padding of a short frame is not carried.
  frame = WrapEthernet(AllIss(Level::k1), kSource, Bytes(17, 0x83));
  frame.resize(60);
  ASSERT_EQ(UnwrapEthernet(frame, &carried), Result::kOk);
  EXPECT_EQ(carried.pdu.size(), 17u);

  const Bytes large(8000, 0x83);  // longer than a length can say
  const Bytes jumbo = WrapEthernet(AllIss(Level::k2), kSource, large);
  ASSERT_EQ(UnwrapEthernet(jumbo, &carried), Result::kOk);
  EXPECT_EQ(carried.pdu, Octets(large));
  EXPECT_EQ(WrapEthernet(AllIss(), kSource, Bytes(1497, 0x83))[12], 0x05);
  EXPECT_EQ(WrapEthernet(AllIss(), kSource, Bytes(1498, 0x83))[12], 0x88);

  const Bytes packet = WrapGre(pdu);
  carried = CarriedPdu();
  ASSERT_EQ(UnwrapGre(packet, &carried), Result::kOk);
  EXPECT_EQ(carried.pdu, Octets(pdu));
  EXPECT_EQ(PduSizeInEthernet(1500), 1497u);
  EXPECT_EQ(PduSizeInGre(1500, true), 1476u);
  EXPECT_EQ(PduSizeInGre(1500, false), 1456u);
  EXPECT_EQ(PduSizeInGre(20, true) + PduSizeInEthernet(2), 0u);
}

TEST(Encapsulation, EachReason) {
  const Bytes pdu = Pdu();
  const Bytes gre = WrapGre(pdu);
  const Bytes macs = Hex("0180c2000014020000000001");
  const Bytes llc = WrapLlc(pdu);
  struct Case {
    const char* what;
    uint32_t link_type;
    Bytes frame;
    Result result;
  };
  const Case cases[] = {
      {"a tag of 802.1Q", 1, Join(macs, Join(Hex("8100000a0100"), llc)), Result::kOk},
      {"two tags", 1, Join(macs, Join(Hex("88a8000a8100000b0100"), llc)), Result::kOk},
      {"three tags", 1, Join(macs, Join(Hex("88a8000a8100000b8100000c0100"), llc)), Result::kOtherProtocol},
      {"IS-IS of TRILL, without LLC", 1, Join(macs, Join(Hex("22f4"), pdu)), Result::kOk},
      {"ARP", 1, Join(macs, Hex("08060001080006040001")), Result::kOtherProtocol},
      {"another length type", 1, Join(macs, Join(Hex("05dd"), llc)), Result::kOtherProtocol},
      {"spanning tree", 1, Join(macs, Hex("002642420300")), Result::kOtherProtocol},
      {"CLNP", 1, Join(macs, Hex("0010fefe0381")), Result::kOtherOsi},
      {"ES-IS", 1, Join(macs, Hex("0010fefe0382")), Result::kOtherOsi},
      {"LLC without anything", 1, Join(macs, Hex("0003fefe03")), Result::kTruncated},
      {"IP in OSI's LLC", 1, Join(macs, Hex("0010fefe03cc")), Result::kOtherProtocol},
      {"GRE in IPv4 in Ethernet", 1, Join(macs, Join(Hex("0800"), Ipv4(gre))), Result::kOk},
      {"GRE in IPv6 in Ethernet", 1, Join(macs, Join(Hex("86dd"), Ipv6(gre))), Result::kOk},
      {"HDLC of Cisco", 104, Join(Hex("8f00fefe74"), pdu), Result::kOk},
      {"HDLC of others", 104, Join(Hex("8f00fefe"), pdu), Result::kOk},
      {"CLNP in HDLC", 104, Hex("8f00fefe0381"), Result::kOtherOsi},
      {"keepalives of HDLC", 104, Hex("8f00803500000002"), Result::kOtherProtocol},
      {"GRE in HDLC", 104, Join(Hex("0f000800"), Ipv4(gre)), Result::kOk},
      {"PPP", 9, Join(Hex("0023"), pdu), Result::kOk},
      {"PPP, compressed", 9, Join(Hex("23"), pdu), Result::kOk},
      {"PPP in HDLC", 50, Join(Hex("ff030023"), pdu), Result::kOk},
      {"PPP, padded", 9, Join(Hex("0023000000"), pdu), Result::kOk},
      {"LCP", 9, Hex("c0210101"), Result::kOtherProtocol},
      {"GRE in PPP", 9, Join(Hex("0021"), Ipv4(gre)), Result::kOk},
      {"cooked", 113,
       Join(Hex("000000010006020000000001000000"
                "04"),
            llc),
       Result::kOk},
      {"cooked, IP", 113,
       Join(Hex("0000000100060200000000010000"
                "0800"),
            Ipv4(gre)),
       Result::kOk},
      {"cooked, version 2", 276, Join(Hex("0004000000000003000100060200000000010000"), llc), Result::kOk},
      {"Juniper's without Ethernet", 178, Hex("4d474302"), Result::kOtherProtocol},
      {"not Juniper's", 178, Hex("4d474200"), Result::kOtherProtocol},
      {"raw IPv4", 101, Ipv4(gre), Result::kOk},
      {"raw IPv6", 229, Ipv6(gre), Result::kOk},
      {"raw nothing", 101, {}, Result::kTruncated},
      {"IPv4 with options", 101, Ipv4(gre, 47, 0, "01010101"), Result::kOk},
      {"IPv4 with a header that is none", 101, Join(Hex("44"), Bytes(40)), Result::kIpHeader},
      {"IP of version 5", 101, Join(Hex("55"), Bytes(40)), Result::kIpHeader},
      {"TCP", 101, Ipv4(gre, 6), Result::kOtherProtocol},
      {"the first fragment", 101, Ipv4(gre, 47, 0x2000), Result::kIpFragment},
      {"the last fragment", 101, Ipv4(gre, 47, 0x0100), Result::kIpFragment},
      {"not to be fragmented", 101, Ipv4(gre, 47, 0x4000), Result::kOk},
      {"IPv6 with the limit of a tunnel", 101, Ipv6(Join(Hex("2f00040104010100"), gre), 60), Result::kOk},
      {"IPv6 with options that lie", 101, Ipv6(Hex("2fff040104010100"), 60), Result::kTruncated},
      {"a fragment of IPv6", 101, Ipv6(Hex("2f00000000000001"), 44), Result::kIpFragment},
      {"UDP in IPv6", 101, Ipv6(gre, 17), Result::kOtherProtocol},
      {"GRE with a key", 101, Ipv4(Join(Hex("200000fe0000002a"), pdu)), Result::kOk},
      {"GRE with key and number", 101, Ipv4(Join(Hex("300000fe0000002a00000001"), pdu)), Result::kOk},
      {"GRE with reserved bits that are ignored", 101, Ipv4(Join(Hex("03f800fe"), pdu)), Result::kOk},
      {"GRE with a checksum", 101, Ipv4(ChecksummedGre(0, pdu)), Result::kOk},
      {"GRE with all", 101, Ipv4(ChecksummedGre(0x3000, Join(Hex("0000002a00000001"), pdu))), Result::kOk},
      {"GRE of PPTP", 101, Ipv4(Hex("3001880b00000000")), Result::kGreVersion},
      {"GRE with routes", 101, Ipv4(Join(Hex("400000fe"), pdu)), Result::kGreFlags},
      {"GRE with recursion", 101, Ipv4(Join(Hex("040000fe"), pdu)), Result::kGreFlags},
      {"GRE in GRE", 101, Ipv4(Join(Hex("00000800"), Ipv4(gre))), Result::kGreInGre},
      {"IPv6 in GRE", 101, Ipv4(Join(Hex("000086dd"), Ipv6(gre))), Result::kGreInGre},
      {"Ethernet in GRE", 101, Ipv4(Hex("0000655800000000")), Result::kGreProtocol},
      {"CLNP in GRE", 101, Ipv4(Hex("000000fe81")), Result::kOtherOsi},
      {"nothing in GRE", 101, Ipv4(Hex("000000fe")), Result::kTruncated},
      {"a link type of others", 127, pdu, Result::kLinkType},
  };
  for (const Case& c : cases) {
    CarriedPdu carried;
    const Result result = UnwrapCaptured(c.link_type, c.frame, &carried);
    EXPECT_EQ(EncapsulationResultName(result), EncapsulationResultName(c.result)) << c.what;
    if (result != Result::kOk) {
      EXPECT_TRUE(carried.pdu.empty()) << c.what;
      continue;
    }
    ASSERT_GE(carried.pdu.size(), pdu.size()) << c.what;
    EXPECT_EQ(carried.pdu.first(pdu.size()), Octets(pdu)) << c.what;
    // Cut at every octet: never more than there is; and the PDU is no longer whole.
    for (size_t size = 0; size < c.frame.size(); ++size) {
      const Bytes cut(c.frame.begin(), c.frame.begin() + static_cast<ptrdiff_t>(size));
      CarriedPdu part;
      if (UnwrapCaptured(c.link_type, cut, &part) == Result::kOk) {
        EXPECT_LT(part.pdu.size(), carried.pdu.size()) << c.what << " " << size;
      }
    }
  }
}

TEST(Encapsulation, TellsWhoSentIt) {
  CarriedPdu carried;
  const Bytes packet = Ipv4(Join(Hex("200000fe0000002a"), Pdu()));
  ASSERT_EQ(UnwrapIp(packet, &carried), Result::kOk);
  EXPECT_EQ(carried.outer_source, testing::Address("192.0.2.1"));
  EXPECT_EQ(carried.outer_destination, testing::Address("192.0.2.2"));
  EXPECT_EQ(carried.gre_key, 42u);
  const Bytes frame = Join(Hex("0200000000020200000000018"
                               "6dd"),
                           Ipv6(WrapGre(Pdu())));
  ASSERT_EQ(UnwrapEthernet(frame, &carried), Result::kOk);
  EXPECT_EQ(carried.source, kSource);
  EXPECT_EQ(carried.outer_source, testing::Address("2001:db8::1"));
  EXPECT_EQ(carried.outer_destination, testing::Address("2001:db8::2"));
  EXPECT_EQ(carried.gre_key, 0u);
}

TEST(Encapsulation, EveryBitOfAChecksummedPacketCounts) {
  Bytes gre = ChecksummedGre(0, Pdu());
  for (size_t i = 4; i < gre.size(); ++i) {
    gre[i] ^= 0x04;
    CarriedPdu carried;
    EXPECT_EQ(UnwrapGre(gre, &carried), Result::kGreChecksum) << i;
    gre[i] ^= 0x04;
  }
  gre = ChecksummedGre(0, Join(Pdu(), {0xab}));  // of an odd number of octets, too
  CarriedPdu carried;
  EXPECT_EQ(UnwrapGre(gre, &carried), Result::kOk);
}

TEST(Encapsulation, NamesItsResults) {
  EXPECT_EQ(EncapsulationResultName(Result::kGreInGre), "gre_in_gre");
  EXPECT_EQ(EncapsulationResultHelp(Result::kOk), "IS-IS");
  EXPECT_EQ(EncapsulationCounters().size(), kEncapsulationResultCount);
}

}  // namespace
}  // namespace flowacct::isis
