// Sample formats and drop reasons.

#include <algorithm>

#include "flowacct/flow/sflow/record_format.h"

namespace flowacct::sflow {

namespace {

// RFC 7270, 4.12: forwardingStatus.
constexpr uint8_t kUnknown = kForwardingStatusDroppedUnknown;
constexpr uint8_t kAclDeny = 129;
constexpr uint8_t kAclDrop = 130;
constexpr uint8_t kUnroutable = 131;
constexpr uint8_t kAdjacency = 132;
constexpr uint8_t kFragmentationAndDfSet = 133;
constexpr uint8_t kBadHeaderChecksum = 134;
constexpr uint8_t kBadTtl = 137;
constexpr uint8_t kPolicer = 138;
constexpr uint8_t kWred = 139;
constexpr uint8_t kRpf = 140;

// https://sflow.org/sflow_drops.txt and the list of drop_reason values kept at sflow.org. Ascending.
constexpr DropReason kDropReasons[] = {
    {0, "net_unreachable", kUnroutable},
    {1, "host_unreachable", kUnroutable},
    {2, "protocol_unreachable", kUnknown},
    {3, "port_unreachable", kUnknown},
    {4, "frag_needed", kFragmentationAndDfSet},
    {5, "src_route_failed", kUnroutable},
    {6, "dst_net_unknown", kUnroutable},
    {7, "dst_host_unknown", kUnroutable},
    {8, "src_host_isolated", kUnroutable},
    {9, "dst_net_prohibited", kAclDeny},
    {10, "dst_host_prohibited", kAclDeny},
    {11, "dst_net_tos_unreachable", kUnroutable},
    {12, "dst_host_tos_unreachable", kUnroutable},
    {13, "comm_admin_prohibited", kAclDeny},
    {14, "host_precedence_violation", kUnknown},
    {15, "precedence_cutoff", kUnknown},
    {256, "unknown", kUnknown},
    {257, "ttl_exceeded", kBadTtl},
    {258, "acl", kAclDrop},
    {259, "no_buffer_space", kUnknown},
    {260, "red", kWred},
    {261, "traffic_shaping", kPolicer},
    {262, "pkt_too_big", kFragmentationAndDfSet},
    {263, "src_mac_is_multicast", kUnknown},
    {264, "vlan_tag_mismatch", kUnknown},
    {265, "ingress_vlan_filter", kUnknown},
    {266, "ingress_spanning_tree_filter", kUnknown},
    {267, "port_list_is_empty", kUnknown},
    {268, "port_loopback_filter", kUnknown},
    {269, "blackhole_route", kUnroutable},
    {270, "non_ip", kUnknown},
    {271, "uc_dip_over_mc_dmac", kUnknown},
    {272, "dip_is_loopback_address", kUnknown},
    {273, "sip_is_mc", kUnknown},
    {274, "sip_is_loopback_address", kUnknown},
    {275, "ip_header_corrupted", kBadHeaderChecksum},
    {276, "ipv4_sip_is_limited_bc", kUnknown},
    {277, "ipv6_mc_dip_reserved_scope", kUnknown},
    {278, "ipv6_mc_dip_interface_local_scope", kUnknown},
    {279, "unresolved_neigh", kAdjacency},
    {280, "mc_reverse_path_forwarding", kRpf},
    {281, "non_routable_packet", kUnroutable},
    {282, "decap_error", kUnknown},
    {283, "overlay_smac_is_mc", kUnknown},
    {284, "unknown_l2", kUnknown},
    {285, "unknown_l3", kUnknown},
    {286, "unknown_l3_exception", kUnknown},
    {287, "unknown_buffer", kUnknown},
    {288, "unknown_tunnel", kUnknown},
    {289, "unknown_l4", kUnknown},
    {290, "sip_is_unspecified", kUnknown},
    {291, "mlag_port_isolation", kUnknown},
    {292, "blackhole_arp_neigh", kAdjacency},
    {293, "src_mac_is_dmac", kUnknown},
    {294, "dmac_is_reserved", kUnknown},
    {295, "sip_is_class_e", kUnknown},
    {296, "mc_dmac_mismatch", kUnknown},
    {297, "sip_is_dip", kUnknown},
    {298, "dip_is_local_network", kUnknown},
    {299, "dip_is_link_local", kUnknown},
    {300, "overlay_smac_is_dmac", kUnknown},
    {301, "egress_vlan_filter", kUnknown},
    {302, "uc_reverse_path_forwarding", kRpf},
    {303, "split_horizon", kUnknown},
    {304, "locked_port", kUnknown},
    {305, "dmac_filter", kUnknown},
    {306, "blackhole_nexthop", kUnroutable},
    {307, "vxlan_parsing", kUnknown},
    {308, "llc_snap_parsing", kUnknown},
    {309, "vlan_parsing", kUnknown},
    {310, "pppoe_ppp_parsing", kUnknown},
    {311, "mpls_parsing", kUnknown},
    {312, "arp_parsing", kUnknown},
    {313, "ip_1_parsing", kUnknown},
    {314, "ip_n_parsing", kUnknown},
    {315, "gre_parsing", kUnknown},
    {316, "udp_parsing", kUnknown},
    {317, "tcp_parsing", kUnknown},
    {318, "ipsec_parsing", kUnknown},
    {319, "sctp_parsing", kUnknown},
    {320, "dccp_parsing", kUnknown},
    {321, "gtp_parsing", kUnknown},
    {322, "esp_parsing", kUnknown},
    {323, "unknown_parsing", kUnknown},
    {324, "pkt_too_small", kUnknown},
    {325, "unhandled_proto", kUnknown},
    {326, "ipv6disabled", kUnknown},
    {327, "invalid_proto", kUnknown},
    {328, "ip_noproto", kUnknown},
    {329, "skb_csum", kUnknown},
    {330, "skb_ucopy_fault", kUnknown},
    {331, "dev_ready", kUnknown},
    {332, "dev_hdr", kUnknown},
    {333, "dup_frag", kUnknown},
    {334, "skb_gso_seg", kUnknown},
    {335, "reverse_path_forwarding", kRpf},
    {336, "icmp_parsing", kUnknown},
    {337, "tcp_md5notfound", kUnknown},
    {338, "tcp_md5unexpected", kUnknown},
    {339, "tcp_md5failure", kUnknown},
    {340, "tcp_flags", kUnknown},
    {341, "tcp_zerowindow", kUnknown},
    {342, "tcp_old_data", kUnknown},
    {343, "tcp_overwindow", kUnknown},
    {344, "tcp_ofomerge", kUnknown},
    {345, "tcp_rfc7323_paws", kUnknown},
    {346, "tcp_invalid_sequence", kUnknown},
    {347, "tcp_reset", kUnknown},
    {348, "tcp_invalid_syn", kUnknown},
    {349, "tcp_close", kUnknown},
    {350, "tcp_fastopen", kUnknown},
    {351, "tcp_old_ack", kUnknown},
    {352, "tcp_too_old_ack", kUnknown},
    {353, "tcp_ack_unsent_data", kUnknown},
    {354, "tcp_ofo_queue_prune", kUnknown},
    {355, "tcp_ofo_drop", kUnknown},
    {356, "tcp_minttl", kUnknown},
    {357, "ipv6_bad_exthdr", kUnknown},
    {358, "ipv6_ndisc_frag", kUnknown},
    {359, "ipv6_ndisc_hop_limit", kUnknown},
    {360, "ipv6_ndisc_bad_code", kUnknown},
    {361, "ipv6_ndisc_bad_options", kUnknown},
    {362, "ipv6_ndisc_ns_otherhost", kUnknown},
    {363, "tap_filter", kUnknown},
    {364, "tap_txfilter", kUnknown},
    {365, "tc_ingress", kUnknown},
    {366, "tc_egress", kUnknown},
    {367, "xdp", kUnknown},
    {368, "cpu_backlog", kUnknown},
    {369, "bpf_cgroup_egress", kUnknown},
    {370, "xfrm_policy", kUnknown},
    {371, "socket_filter", kUnknown},
};

// sflow_version_5.txt, sflow_drops.txt: enterprise 0, format 1 to 5.
constexpr absl::string_view kSampleFormatNames[] = {
    "", "flow_sample", "counters_sample", "flow_sample_expanded", "counters_sample_expanded", "discarded_packet"};

}  // namespace

absl::string_view SampleFormatName(uint32_t data_format) {
  constexpr uint32_t kCount = sizeof(kSampleFormatNames) / sizeof(kSampleFormatNames[0]);
  return data_format < kCount ? kSampleFormatNames[data_format] : absl::string_view();
}

const DropReason* FindDropReason(uint32_t reason) {
  const auto* it = std::lower_bound(std::begin(kDropReasons), std::end(kDropReasons), reason,
                                    [](const DropReason& row, uint32_t wanted) { return row.reason < wanted; });
  return it != std::end(kDropReasons) && it->reason == reason ? it : nullptr;
}

uint8_t ForwardingStatusOf(uint32_t drop_reason) {
  const DropReason* row = FindDropReason(drop_reason);
  return row != nullptr ? row->forwarding_status : kForwardingStatusDroppedUnknown;
}

}  // namespace flowacct::sflow
