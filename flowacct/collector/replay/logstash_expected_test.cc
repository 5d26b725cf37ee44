// NetFlow and IPFIX records as logstash-codec-netflow's specification has them, held against ours.

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/replay/testing/comparison.h"
#include "flowacct/collector/replay/testing/decoded_capture.h"
#include "flowacct/collector/replay/testing/expected_files.h"

namespace flowacct::collector {
namespace {

using testing::EpochMilliseconds;
using testing::Milliseconds;
using testing::OnlyHexDigits;

// forwardingStatus (RFC 7270, 4.12): the status in the upper two bits, the reason in the others.
std::string ForwardingStatus(const std::string& text) {
  int octet;
  return absl::SimpleAtoi(text, &octet) ? absl::StrCat(octet >> 6) : text;
}
std::string ForwardingReason(const std::string& text) {
  int octet;
  return absl::SimpleAtoi(text, &octet) ? absl::StrCat(octet & 63) : text;
}

// applicationId (RFC 6759, 4): engine, for engine 20 the enterprise too, and selector, as logstash joins them.
std::string ApplicationId(const std::string& hex) {
  const std::string octets = absl::HexStringToBytes(hex);
  const uint8_t* p = reinterpret_cast<const uint8_t*>(octets.data());
  if (octets.empty()) return hex;
  if (p[0] == 20 && octets.size() > 5) {
    return absl::StrCat(p[0], "..", base::LoadBe32(p + 1), "..", base::LoadBe(p + 5, octets.size() - 5));
  }
  return absl::StrCat(p[0], "..", base::LoadBe(p + 1, octets.size() - 1));
}

std::string ExportVersion(const std::string& name) { return name == "netflow9" ? "9" : name == "ipfix" ? "10" : name; }

std::string HexNumber(const std::string& hex) {
  uint64_t number;
  return absl::SimpleHexAtoi(hex, &number) ? absl::StrCat(number) : hex;
}

// The observation domain of NetFlow v5 is its engine's type and id.
std::string EngineType(const std::string& text) {
  int both;
  return absl::SimpleAtoi(text, &both) ? absl::StrCat(both >> 8) : text;
}
std::string EngineId(const std::string& text) {
  int both;
  return absl::SimpleAtoi(text, &both) ? absl::StrCat(both & 255) : text;
}

const testing::Member kMembers[] = {
    // The message and what a record refers to.
    {"version", "export_version"},
    {"version", "export", nullptr, ExportVersion},
    {"flow_seq_num", "export_sequence"},
    {"flowset_id", "template"},
    // NetFlow, by Cisco's names.
    {"ipv4_src_addr", "elements.sourceIPv4Address"},
    {"ipv4_dst_addr", "elements.destinationIPv4Address"},
    {"ipv4_next_hop", "elements.ipNextHopIPv4Address"},
    {"bgp_ipv4_next_hop", "elements.bgpNextHopIPv4Address"},
    {"ipv4_src_prefix", "elements.sourceIPv4Prefix"},
    {"input_snmp", "elements.ingressInterface"},
    {"output_snmp", "elements.egressInterface"},
    {"in_pkts", "elements.packetDeltaCount"},
    {"in_bytes", "elements.octetDeltaCount"},
    {"out_pkts", "elements.postPacketDeltaCount"},
    {"out_bytes", "elements.postOctetDeltaCount"},
    {"flows", "elements.deltaFlowCount"},
    {"first_switched", "start_time", Milliseconds, Milliseconds},
    {"last_switched", "end_time", Milliseconds, Milliseconds},
    {"l4_src_port", "elements.sourceTransportPort"},
    {"l4_dst_port", "elements.destinationTransportPort"},
    {"tcp_src_port", "elements.tcpSourcePort"},
    {"udp_dst_port", "elements.udpDestinationPort"},
    {"tcp_flags", "elements.tcpControlBits"},
    {"protocol", "elements.protocolIdentifier"},
    {"ip_protocol_version", "elements.ipVersion"},
    {"src_tos", "elements.ipClassOfService"},
    {"ip_dscp", "elements.ipDiffServCodePoint"},
    {"ipv4_ident", "elements.fragmentIdentification"},
    {"src_as", "elements.bgpSourceAsNumber"},
    {"dst_as", "elements.bgpDestinationAsNumber"},
    {"src_mask", "elements.sourceIPv4PrefixLength"},
    {"dst_mask", "elements.destinationIPv4PrefixLength"},
    {"direction", "elements.flowDirection"},
    {"flow_sampler_id", "elements.samplerId"},
    {"forwarding_status.status", "elements.forwardingStatus", nullptr, ForwardingStatus},
    {"forwarding_status.reason", "elements.forwardingStatus", nullptr, ForwardingReason},
    {"flow_end_reason", "elements.flowEndReason"},
    {"in_src_mac", "elements.sourceMacAddress"},
    {"in_dst_mac", "elements.destinationMacAddress"},
    {"out_src_mac", "elements.postSourceMacAddress"},
    {"out_dst_mac", "elements.postDestinationMacAddress"},
    {"dst_vlan", "elements.postVlanId"},
    {"application_id", "elements.applicationId", nullptr, ApplicationId},
    {"application_name", "elements.applicationName"},
    {"engine_id", "elements.engineId"},
    {"engine_id", "observation_domain", nullptr, EngineId},
    {"engine_type", "observation_domain", nullptr, EngineType},
    {"sampling_algorithm", "elements.samplingAlgorithm"},
    {"sampling_interval", "elements.samplingInterval"},
    {"sampling_interval", "sampling_rate"},
    {"src_traffic_index", "elements.srcTrafficIndex"},
    {"dst_traffic_index", "elements.dstTrafficIndex"},
    // Cisco ASA's event logging.
    {"conn_id", "elements.flowId"},
    {"icmp_type", "elements.icmpTypeIPv4"},
    {"icmp_type", "elements.icmpTypeCodeIPv4"},
    {"icmp_code", "elements.icmpCodeIPv4"},
    {"xlate_src_addr_ipv4", "post_nat_src_addr"},
    {"xlate_dst_addr_ipv4", "post_nat_dst_addr"},
    {"xlate_src_port", "post_nat_src_port"},
    {"xlate_dst_port", "post_nat_dst_port"},
    {"fw_event", "fw_event"},
    {"fw_ext_event", "elements.NF_F_FW_EXT_EVENT"},
    {"event_time_msec", "elements.observationTimeMilliseconds", EpochMilliseconds, Milliseconds},
    {"in_permanent_bytes", "elements.octetTotalCount"},
    {"flow_start_msec", "elements.flowStartMilliseconds", EpochMilliseconds, Milliseconds},
    {"ingress_acl_id", "elements.NF_F_INGRESS_ACL_ID", OnlyHexDigits},
    {"egress_acl_id", "elements.NF_F_EGRESS_ACL_ID", OnlyHexDigits},
    {"username", "elements.NF_F_USERNAME"},
    // Other enterprises.
    {"app_id", "elements.APPID"},
    {"user_id", "elements.USERID"},
    {"nprobe_proto", "elements.L7_PROTO"},
    {"nprobe_proto_name", "elements.L7_PROTO_NAME"},
    {"vmwareIngressInterfaceAttr", "elements.ingressInterfaceAttr"},
    {"vmwareEgressInterfaceAttr", "elements.egressInterfaceAttr"},
    {"vmwareVxlanExportRole", "elements.vxlanExportRole"},
    {"vmwareUnknown888", "elements.egressInterfaceAttr"},
    {"vmwareUnknown889", "elements.vxlanExportRole"},
    {"vmwareUnknown890", "elements.ingressInterfaceAttr"},
    {"netscalerHttpReqUserAgent", "elements.httpReqUserAgent"},
    {"netscalerHttpReqCookie", "elements.httpReqCookie"},
    {"netscalerHttpReqUrl", "elements.httpReqUrl"},
    {"netscalerHttpReqMethod", "elements.httpReqMethod"},
    {"netscalerHttpReqHost", "elements.httpReqHost"},
    {"netscalerHttpReqAuthorization", "elements.httpReqAuthorization"},
    {"netscalerHttpDomainName", "elements.httpDomainName"},
    {"netscalerAaaUsername", "elements.aaaUsername"},
    {"netscalerHttpContentType", "elements.httpContentType"},
    {"netscalerHttpReqVia", "elements.httpReqVia"},
    {"netscalerHttpReqReferer", "elements.httpReqReferer"},
    {"netscalerHttpReqXForwardedFor", "elements.httpReqXForwardedFor"},
    {"netscalerHttpResForwFB", "elements.httpResForwFB"},
    {"netscalerHttpResForwLB", "elements.httpResForwLB"},
    {"netscalerAppNameAppId", "elements.appNameAppId"},
    {"netscalerAppUnitNameAppId", "elements.appUnitNameAppId"},
    {"netscalerConnectionId", "elements.connectionId"},
    {"netscalerConnectionChainID", "elements.connectionChainID"},
    {"netscalerConnectionChainHopCount", "elements.connectionChainHopCount"},
    {"netscalerFlowFlags", "elements.flowFlags"},
    {"netscalerTransactionId", "elements.transactionId"},
    {"netscalerUnknown330", "elements.5951:330", nullptr, HexNumber},
    // IPFIX, where the texts differ.
    {"flowStartMilliseconds", "elements.flowStartMilliseconds", Milliseconds, Milliseconds},
    {"flowEndMilliseconds", "elements.flowEndMilliseconds", Milliseconds, Milliseconds},
    {"flowStartMicroseconds", "elements.flowStartMicroseconds", Milliseconds, Milliseconds},
    {"flowEndMicroseconds", "elements.flowEndMicroseconds", Milliseconds, Milliseconds},
    {"systemInitTimeMilliseconds", "elements.systemInitTimeMilliseconds", EpochMilliseconds, Milliseconds},
};

const testing::NotCompared kNotCompared[] = {
    {"flow_records", "a count of the datagram's header, which no record tells"},
};

// RFC 3954, 5.1: sysUptime and unix_secs are of one moment, so a flow's time is unix_secs - (sysUptime - its uptime).
// Where the fraction of that is not zero they forget the borrow: Palo Alto's flow that ended at sysUptime itself ended,
// they say, a second after its export.
constexpr char kOneSecondLate[] = "ours: they do not borrow from the seconds, and are one second late";
constexpr char kLabelLength[] =
    "ours: element 201 is mplsLabelStackLength, a number of octets (IANA); they read a label";

const testing::Difference kDifferences[] = {
    {"netflow5/softflowd-v5.pcap", "first_switched", 2, "2015-05-02 18:38:04.898",
     "ours: the flow began before the 32 bits of sysUptime wrapped; they have it begin 49 days after its export"},
    {"netflow5/softflowd-v5.pcap", "last_switched", 2, "2015-05-02 18:38:07.476", kOneSecondLate},
    {"netflow5/juniper-mx80-v5.pcap", "first_switched", 1, "2016-07-21 13:52:33.936", kOneSecondLate},
    {"netflow5/juniper-mx80-v5.pcap", "last_switched", 1, "2016-07-21 13:52:33.936", kOneSecondLate},
    {"netflow9/cisco-asr9k-tpl260.pcap", "first_switched", 1, "2016-12-06 10:08:52.377", kOneSecondLate},
    {"netflow9/cisco-asr9k-tpl260.pcap", "last_switched", 1, "2016-12-06 10:08:53.964", kOneSecondLate},
    {"netflow9/cisco-nbar-options-and-data.pcap", "first_switched", 1, "2017-02-14 11:10:19.936", kOneSecondLate},
    {"netflow9/cisco-nbar-options-and-data.pcap", "last_switched", 1, "2017-02-14 11:10:20.008", kOneSecondLate},
    {"netflow9/paloalto-panos-appid.pcap", "first_switched", 1, "2017-11-13 14:33:52.000", kOneSecondLate},
    {"netflow9/paloalto-panos-appid.pcap", "last_switched", 1, "2017-11-13 14:39:31.000", kOneSecondLate},
    {"netflow9/fortigate-fortios542-appid.pcap", "first_switched", 1, "2018-05-11 00:54:09.580", kOneSecondLate},
    {"netflow9/fortigate-fortios542-appid.pcap", "last_switched", 1, "2018-05-11 00:54:09.990", kOneSecondLate},
    {"netflow9/h3c-netstream-varstring.pcap", "first_switched", 1, "2018-07-18 01:34:33.274", kOneSecondLate},
    {"netflow9/h3c-netstream-varstring.pcap", "last_switched", 1, "2018-07-18 01:35:02.969", kOneSecondLate},
    {"netflow9/ubiquiti-edgerouter-mpls-labels.pcap", "first_switched", 1, "2016-09-10 15:02:53.375", kOneSecondLate},
    {"netflow9/ubiquiti-edgerouter-mpls-labels.pcap", "last_switched", 1, "2016-09-10 15:23:44.363", kOneSecondLate},
    {"netflow9/nprobe-dpi-l7.pcap", "first_switched", 1, "1970-01-01 00:08:32.000", kOneSecondLate},
    {"netflow9/nprobe-dpi-l7.pcap", "last_switched", 1, "1970-01-01 00:08:35.000", kOneSecondLate},
    {"netflow9/template-with-zero-length-fields.pcap", "first_switched", 1, "2016-12-23 01:34:51.569", kOneSecondLate},
    {"netflow9/template-with-zero-length-fields.pcap", "last_switched", 1, "2016-12-23 01:34:51.569", kOneSecondLate},
    {"netflow9/ubiquiti-edgerouter-mpls-labels.pcap", "mpls_label_stack_octets.bottom_of_stack", 1, "absent",
     kLabelLength},
    {"netflow9/ubiquiti-edgerouter-mpls-labels.pcap", "mpls_label_stack_octets.experimental", 1, "absent",
     kLabelLength},
    {"netflow9/ubiquiti-edgerouter-mpls-labels.pcap", "mpls_label_stack_octets.label", 1, "absent", kLabelLength},
    {"netflow9/ubiquiti-edgerouter-mpls-labels.pcap", "mpls_label_stack_octets.ttl", 1, "absent", kLabelLength},
    {"netflow9/nprobe-dpi-l7.pcap", "nprobe_proto_name", 1,
     R"(\000\357\277\275\000\000\001\357\277\275\020\000d\357\277\275O\357\277\275\357\277\275\357\277\275\357\277\275\007)",
     "both: octets that are no UTF-8 (the exporter's lengths are not its template's); U+FFFD here, taken for Latin-1 "
     "there"},
    {"netflow9/juniper-srx-options-scope-length-zero.pcap", "flow_seq_num", 1, "absent",
     "both: options data yield no row, and the sequence number is a field of rows here"},
};

TEST(LogstashExpectedTest, ValuesAgree) {
  if (testing::CapturesFolder().empty()) GTEST_SKIP() << "FLOWACCT_CAPTURES is not set: no captures by others here";
  testing::Comparison comparison({"elements.", kMembers, kNotCompared, kDifferences});
  const std::vector<testing::ExpectedFile> files = testing::ExpectedFiles(".logstash-spec.json");
  EXPECT_EQ(files.size(), 18u);
  for (const testing::ExpectedFile& file : files) {
    comparison.Compare(file.capture, testing::FromLogstash(testing::ReadCapturesFile(file.expected)),
                       testing::DecodeCapture(file.capture), /*whole=*/false);
  }
  comparison.ExpectAllNeeded();
  std::cout << comparison.agreed() << " values agree\n";
  EXPECT_GT(comparison.agreed(), 400u);
}

}  // namespace
}  // namespace flowacct::collector
