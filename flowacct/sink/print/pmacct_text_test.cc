// What pmacct 1.7.7-git (Debian 12) printed, recorded: nfacctd with a BGP session for the routing fields, pmacctd on
// packets of every protocol. pmacct_peer_test compares with the real thing where it is installed.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/print/print_sink.h"
#include "gtest/gtest.h"

namespace flowacct::sink {
namespace {

using aggregate::Function;
using base::IpAddress;
using base::OctetWriter;
using print::BatchBuilder;
using record::FieldId;
using record::MutableRow;

std::string Printed(PrintFormat format, const aggregate::AggregateBatch& batch, bool header = true) {
  char* text = nullptr;
  size_t size = 0;
  PrintOptions options;
  options.format = format;
  options.naming = Naming::kPmacct;
  options.header = header;
  options.stream = open_memstream(&text, &size);
  auto sink = *NewPrintSink(options);
  EXPECT_TRUE(sink->Write(batch).ok());
  EXPECT_TRUE(sink->Close().ok());
  std::fclose(options.stream);
  const std::string out(text, size);
  std::free(text);
  return out;
}

class PmacctTextTest : public testing::Test {
 protected:
  // One row of one field, as CSV and JSON; each without what is common to all rows.
  template <FieldId field>
  void Expect(const record::FieldCppType<field>& value, const std::string& csv, const std::string& json) {
    BatchBuilder builder({field}, {{FieldId::kBytes, Function::kSum, ""}});
    builder.Add({1}).Set<field>(value);
    ExpectRow(builder.Build(), field, csv, json);
  }
  template <FieldId field>
  void ExpectInterned(base::Octets octets, const std::string& csv, const std::string& json) {
    BatchBuilder builder({field}, {{FieldId::kBytes, Function::kSum, ""}});
    builder.Add({1}).Set<field>(builder.interner().Intern(octets));
    ExpectRow(builder.Build(), field, csv, json);
  }
  void ExpectAbsent(FieldId field, const std::string& csv, const std::string& json) {
    BatchBuilder builder({field}, {{FieldId::kBytes, Function::kSum, ""}});
    builder.Add({1});
    ExpectRow(builder.Build(), field, csv, json);
  }
  void ExpectRow(const aggregate::AggregateBatch& batch, FieldId field, const std::string& csv,
                 const std::string& json) {
    EXPECT_EQ(Printed(PrintFormat::kCsv, batch, false), csv + ",1\n") << record::Info(field).name;
    EXPECT_EQ(Printed(PrintFormat::kJson, batch), "{\"event_type\": \"purge\", " + json + ", \"bytes\": 1}\n");
  }
};

TEST_F(PmacctTextTest, Routing) {
  OctetWriter path;
  path.U8(2).U8(2).U32(64496).U32(4200000000).U8(1).U8(2).U32(64497).U32(64498);
  // Quoted, since the set has a comma: pmacct's own CSV has a column too many there.
  ExpectInterned<FieldId::kAsPath>(path.octets(), "\"64496_4200000000_{64497,64498}\"",
                                   "\"as_path\": \"64496_4200000000_{64497,64498}\"");
  ExpectInterned<FieldId::kStdComm>(OctetWriter().U32(0xfde80001).U32(0xfde80002).octets(), "65000:1_65000:2",
                                    "\"comms\": \"65000:1_65000:2\"");
  ExpectInterned<FieldId::kExtComm>(
      OctetWriter().U64(0x0002fde800000064).U64(0x0103c00002010007).U64(0x0202fbf0891a0001).octets(),
      "RT:65000:100_SoO:192.0.2.1:7_RT:4226844954:1", "\"ecomms\": \"RT:65000:100_SoO:192.0.2.1:7_RT:4226844954:1\"");
  ExpectInterned<FieldId::kLrgComm>(OctetWriter().U32(64496).U32(5).U32(6).U32(4200000000).U32(2).U32(3).octets(),
                                    "64496:5:6_4200000000:2:3", "\"lcomms\": \"64496:5:6_4200000000:2:3\"");
  Expect<FieldId::kBgpNextHop>(IpAddress::V4(0xc0000209), "192.0.2.9", "\"peer_ip_dst\": \"192.0.2.9\"");
  Expect<FieldId::kLocalPref>(120, "120", "\"local_pref\": 120");
  ExpectAbsent(FieldId::kSrcRoa, "u", "\"roa_src\": \"u\"");
  ExpectAbsent(FieldId::kAsPath, "", "\"as_path\": \"\"");
}

TEST_F(PmacctTextTest, ValuesThatWereNotTold) {
  ExpectAbsent(FieldId::kSrcMac, "00:00:00:00:00:00", "\"mac_src\": \"00:00:00:00:00:00\"");
  ExpectAbsent(FieldId::kMplsVpnRd, "0:0:0", "\"mpls_vpn_rd\": \"0:0:0\"");
  ExpectAbsent(FieldId::kSrcCoords, "0.000000,0.000000", "\"lat_ip_src\": 0.0, \"lon_ip_src\": 0.0");
  ExpectAbsent(FieldId::kTcpFlags, "0", "\"tcp_flags\": \"0\"");
  ExpectAbsent(FieldId::kTunnelProtocol, "0", "\"tunnel_ip_proto\": \"0\"");
  ExpectAbsent(FieldId::kStartTime, "0000-00-00 00:00:00.000000",
               "\"timestamp_start\": \"0000-00-00 00:00:00.000000\"");
}

TEST_F(PmacctTextTest, LaterVersions) {  // pmacct's tests, ipfix/cisco-basic and cisco-options-maps
  ExpectInterned<FieldId::kMplsLabelStack>(OctetWriter().U24(69 << 4).U24(24305 << 4 | 1).octets(), "0-69_1-24305",
                                           "\"mpls_label_stack\": [\"0-69\", \"1-24305\"]");
  Expect<FieldId::kMplsVpnRd>(0x0002fbf0891a076d, "2:4226844954:1901", "\"mpls_vpn_rd\": \"2:4226844954:1901\"");
  Expect<FieldId::kMplsVpnRd>(0x0001c00002010007, "1:192.0.2.1:7", "\"mpls_vpn_rd\": \"1:192.0.2.1:7\"");
  Expect<FieldId::kMplsVpnRd>(0x0000fde800000001, "0:65000:1", "\"mpls_vpn_rd\": \"0:65000:1\"");
}

TEST_F(PmacctTextTest, Times) {
  Expect<FieldId::kStartTime>(1700000070123456789, "2023-11-14 22:14:30.123456",
                              "\"timestamp_start\": \"2023-11-14 22:14:30.123456\"");
  Expect<FieldId::kStartTime>(1700000070000000000, "2023-11-14 22:14:30.000000",
                              "\"timestamp_start\": \"2023-11-14 22:14:30.000000\"");
}

TEST_F(PmacctTextTest, ProtocolNames) {
  static constexpr absl::string_view kRecorded =
      "0 icmp igmp ggp ipencap 5 tcp 7 egp igp 10 11 12 13 14 15 16 udp mux 19 20 21 22 23 24 25 26 27 28 29 30 31 32 "
      "33 34 35 36 37 38 39 40 ipv6 42 ipv6-route ipv6-frag 45 rsvp gre 48 49 esp ah 52 53 54 mobile tlsp 57 ipv6-icmp "
      "ipv6-nonxt ipv6-opts 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 iso-ip 81 82 vines 84 85 86 87 "
      "eigrp ospf 90 larp 92 ax.25 ipip 95 96 97 encap 99 100 101 pnni pim 104 105 106 107 IPcomp 109 110 ipx-in-ip "
      "vrrp 113 114 l2tp 116 117 118 119 120 121 122 123 isis 125 126 127 128 129 130 131 sctp fc 134 135 136 ";
  BatchBuilder builder({FieldId::kProtocol}, {});
  for (int i = 0; i <= 136; ++i) builder.Add({}).Set<FieldId::kProtocol>(static_cast<uint8_t>(i));
  std::string printed = Printed(PrintFormat::kCsv, builder.Build(), false);
  for (char& c : printed) {
    if (c == '\n') c = ' ';
  }
  EXPECT_EQ(printed, kRecorded);
}

// All 1.7.7 primitives at once, asked in the order of its documentation.
TEST_F(PmacctTextTest, ColumnOrder) {
  std::vector<FieldId> keys;
  for (size_t i = 0; i < record::kFieldCount; ++i) {
    const record::FieldInfo& info = record::Info(static_cast<FieldId>(i));
    if (info.kind != record::FieldKind::kCounter && !info.pmacct_csv_title.empty()) keys.push_back(info.id);
  }
  const std::string header = Printed(PrintFormat::kCsv, BatchBuilder(keys, {{FieldId::kBytes, Function::kSum, ""},
                                                                            {FieldId::kFlows, Function::kSum, ""},
                                                                            {FieldId::kPackets, Function::kSum, ""}})
                                                            .Build());
  // Each title of the recorded header line follows the one before it.
  size_t at = 0;
  for (const char* title : {"TAG",
                            "TAG2",
                            "LABEL",
                            "SRC_MAC",
                            "DST_MAC",
                            "VLAN",
                            "COS",
                            "ETYPE",
                            "SRC_AS",
                            "DST_AS",
                            "COMMS",
                            "ECOMMS",
                            "LCOMMS",
                            "SRC_COMMS",
                            "SRC_ECOMMS",
                            "SRC_LCOMMS",
                            "AS_PATH",
                            "SRC_AS_PATH",
                            "PREF",
                            "SRC_PREF",
                            "MED",
                            "SRC_MED",
                            "SRC_ROA",
                            "DST_ROA",
                            "PEER_SRC_AS",
                            "PEER_DST_AS",
                            "PEER_SRC_IP",
                            "PEER_DST_IP",
                            "IN_IFACE",
                            "OUT_IFACE",
                            "MPLS_VPN_RD",
                            "MPLS_PW_ID",
                            "SRC_IP",
                            "SRC_NET",
                            "DST_IP",
                            "DST_NET",
                            "SRC_MASK",
                            "DST_MASK",
                            "SRC_PORT",
                            "DST_PORT",
                            "TCP_FLAGS",
                            "PROTOCOL",
                            "TOS",
                            "SH_COUNTRY",
                            "DH_COUNTRY",
                            "SH_POCODE",
                            "DH_POCODE",
                            "SH_LAT",
                            "SH_LON",
                            "DH_LAT",
                            "DH_LON",
                            "SAMPLING_RATE",
                            "SAMPLING_DIRECTION",
                            "POST_NAT_SRC_IP",
                            "POST_NAT_DST_IP",
                            "POST_NAT_SRC_PORT",
                            "POST_NAT_DST_PORT",
                            "NAT_EVENT",
                            "MPLS_LABEL_TOP",
                            "MPLS_LABEL_BOTTOM",
                            "TUNNEL_SRC_MAC",
                            "TUNNEL_DST_MAC",
                            "TUNNEL_SRC_IP",
                            "TUNNEL_DST_IP",
                            "TUNNEL_PROTOCOL",
                            "TUNNEL_TOS",
                            "TUNNEL_SRC_PORT",
                            "TUNNEL_DST_PORT",
                            "VXLAN",
                            "TIMESTAMP_START",
                            "TIMESTAMP_END",
                            "TIMESTAMP_ARRIVAL",
                            "TIMESTAMP_EXPORT",
                            "EXPORT_PROTO_SEQNO",
                            "EXPORT_PROTO_VERSION",
                            "EXPORT_PROTO_SYSID",
                            "PACKETS",
                            "FLOWS",
                            "BYTES"}) {
    const size_t found = ("," + header).find("," + std::string(title) + (std::string(title) == "BYTES" ? "\n" : ","));
    ASSERT_NE(found, std::string::npos) << title << " in " << header;
    EXPECT_GE(found, at) << title;
    at = found;
  }
}

}  // namespace
}  // namespace flowacct::sink
