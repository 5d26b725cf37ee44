// The flow_record formats: what is told of a sampled or discarded packet, or of an application's transaction.

#include <algorithm>

#include "flowacct/flow/sflow/record_format.h"
#include "flowacct/flow/sflow/sflow_view.h"

namespace flowacct::sflow {

namespace {

constexpr XdrField kSampledHeader[] = {
    {"sampled_header.protocol", XdrType::kU32, ""},
    {"sampled_header.frame_length", XdrType::kU32, ""},
    {"sampled_header.stripped", XdrType::kU32, ""},
    {"sampled_header.header", XdrType::kOpaque, ""},
};
constexpr XdrField kSampledEthernet[] = {
    {"sampled_ethernet.length", XdrType::kU32, ""},
    {"sampled_ethernet.src_mac", XdrType::kMac, ""},
    {"sampled_ethernet.dst_mac", XdrType::kMac, ""},
    {"sampled_ethernet.type", XdrType::kU32, ""},
};
constexpr XdrField kSampledIpv4[] = {
    {"sampled_ipv4.length", XdrType::kU32, ""},    {"sampled_ipv4.protocol", XdrType::kU32, ""},
    {"sampled_ipv4.src_ip", XdrType::kIpv4, ""},   {"sampled_ipv4.dst_ip", XdrType::kIpv4, ""},
    {"sampled_ipv4.src_port", XdrType::kU32, ""},  {"sampled_ipv4.dst_port", XdrType::kU32, ""},
    {"sampled_ipv4.tcp_flags", XdrType::kU32, ""}, {"sampled_ipv4.tos", XdrType::kU32, ""},
};
constexpr XdrField kSampledIpv6[] = {
    {"sampled_ipv6.length", XdrType::kU32, ""},    {"sampled_ipv6.protocol", XdrType::kU32, ""},
    {"sampled_ipv6.src_ip", XdrType::kIpv6, ""},   {"sampled_ipv6.dst_ip", XdrType::kIpv6, ""},
    {"sampled_ipv6.src_port", XdrType::kU32, ""},  {"sampled_ipv6.dst_port", XdrType::kU32, ""},
    {"sampled_ipv6.tcp_flags", XdrType::kU32, ""}, {"sampled_ipv6.priority", XdrType::kU32, ""},
};
constexpr XdrField kExtendedSwitch[] = {
    {"extended_switch.src_vlan", XdrType::kU32, ""},
    {"extended_switch.src_priority", XdrType::kU32, ""},
    {"extended_switch.dst_vlan", XdrType::kU32, ""},
    {"extended_switch.dst_priority", XdrType::kU32, ""},
};
constexpr XdrField kExtendedRouter[] = {
    {"extended_router.nexthop", XdrType::kAddress, ""},
    {"extended_router.src_mask_len", XdrType::kU32, ""},
    {"extended_router.dst_mask_len", XdrType::kU32, ""},
};
constexpr XdrField kExtendedGateway[] = {
    {"extended_gateway.nexthop", XdrType::kAddress, ""},
    {"extended_gateway.as", XdrType::kU32, ""},
    {"extended_gateway.src_as", XdrType::kU32, ""},
    {"extended_gateway.src_peer_as", XdrType::kU32, ""},
    {"extended_gateway.dst_as_path", XdrType::kListBegin, ""},
    {"extended_gateway.type", XdrType::kU32, ""},
    {"extended_gateway.as_numbers", XdrType::kListBegin, ""},
    {"extended_gateway.as_number", XdrType::kU32, ""},
    {"", XdrType::kListEnd, ""},
    {"", XdrType::kListEnd, ""},
    {"extended_gateway.communities", XdrType::kListBegin, ""},
    {"extended_gateway.community", XdrType::kU32, ""},
    {"", XdrType::kListEnd, ""},
    {"extended_gateway.localpref", XdrType::kU32, ""},
};
constexpr XdrField kExtendedUser[] = {
    {"extended_user.src_charset", XdrType::kU32, ""},
    {"extended_user.src_user", XdrType::kString, ""},
    {"extended_user.dst_charset", XdrType::kU32, ""},
    {"extended_user.dst_user", XdrType::kString, ""},
};
constexpr XdrField kExtendedUrl[] = {
    {"extended_url.direction", XdrType::kU32, ""},
    {"extended_url.url", XdrType::kString, ""},
    {"extended_url.host", XdrType::kString, ""},
};
constexpr XdrField kExtendedMpls[] = {
    {"extended_mpls.nexthop", XdrType::kAddress, ""},
    {"extended_mpls.in_stack", XdrType::kListBegin, ""},
    {"extended_mpls.label", XdrType::kU32, ""},
    {"", XdrType::kListEnd, ""},
    {"extended_mpls.out_stack", XdrType::kListBegin, ""},
    {"extended_mpls.label", XdrType::kU32, ""},
    {"", XdrType::kListEnd, ""},
};
constexpr XdrField kExtendedNat[] = {
    {"extended_nat.src_address", XdrType::kAddress, ""},
    {"extended_nat.dst_address", XdrType::kAddress, ""},
};
constexpr XdrField kExtendedMplsTunnel[] = {
    {"extended_mpls_tunnel.tunnel_lsp_name", XdrType::kString, ""},
    {"extended_mpls_tunnel.tunnel_id", XdrType::kU32, ""},
    {"extended_mpls_tunnel.tunnel_cos", XdrType::kU32, ""},
};
constexpr XdrField kExtendedMplsVc[] = {
    {"extended_mpls_vc.vc_instance_name", XdrType::kString, ""},
    {"extended_mpls_vc.vll_vc_id", XdrType::kU32, ""},
    {"extended_mpls_vc.vc_label_cos", XdrType::kU32, ""},
};
constexpr XdrField kExtendedMplsFtn[] = {
    {"extended_mpls_FTN.mplsFTNDescr", XdrType::kString, ""},
    {"extended_mpls_FTN.mplsFTNMask", XdrType::kU32, ""},
};
constexpr XdrField kExtendedMplsLdpFec[] = {
    {"extended_mpls_LDP_FEC.mplsFecAddrPrefixLength", XdrType::kU32, ""},
};
constexpr XdrField kExtendedVlantunnel[] = {
    {"extended_vlantunnel.stack", XdrType::kListBegin, ""},
    {"extended_vlantunnel.tpid_tci", XdrType::kU32, ""},
    {"", XdrType::kListEnd, ""},
};
constexpr XdrField kExtended80211Payload[] = {
    {"extended_80211_payload.ciphersuite", XdrType::kU32, ""},
    {"extended_80211_payload.data", XdrType::kOpaque, ""},
};
constexpr XdrField kExtended80211Rx[] = {
    {"extended_80211_rx.ssid", XdrType::kString, ""}, {"extended_80211_rx.bssid", XdrType::kMac, ""},
    {"extended_80211_rx.version", XdrType::kU32, ""}, {"extended_80211_rx.channel", XdrType::kU32, ""},
    {"extended_80211_rx.speed", XdrType::kU64, ""},   {"extended_80211_rx.rsni", XdrType::kU32, ""},
    {"extended_80211_rx.rcpi", XdrType::kU32, ""},    {"extended_80211_rx.packet_duration", XdrType::kU32, ""},
};
constexpr XdrField kExtended80211Tx[] = {
    {"extended_80211_tx.ssid", XdrType::kString, ""},         {"extended_80211_tx.bssid", XdrType::kMac, ""},
    {"extended_80211_tx.version", XdrType::kU32, ""},         {"extended_80211_tx.transmissions", XdrType::kU32, ""},
    {"extended_80211_tx.packet_duration", XdrType::kU32, ""}, {"extended_80211_tx.retrans_duration", XdrType::kU32, ""},
    {"extended_80211_tx.channel", XdrType::kU32, ""},         {"extended_80211_tx.speed", XdrType::kU64, ""},
    {"extended_80211_tx.power", XdrType::kU32, ""},
};
constexpr XdrField kExtended80211Aggregation[] = {
    {"extended_80211_aggregation.pdus", XdrType::kListBegin, ""},
    {"extended_80211_aggregation.flow_records", XdrType::kListBegin, ""},
    {"extended_80211_aggregation.flow_format", XdrType::kU32, ""},
    {"extended_80211_aggregation.flow_data", XdrType::kOpaque, ""},
    {"", XdrType::kListEnd, ""},
    {"", XdrType::kListEnd, ""},
};
constexpr XdrField kExtendedOpenflowV1[] = {
    {"extended_openflow_v1.flow_cookie", XdrType::kU64, ""},
    {"extended_openflow_v1.flow_match", XdrType::kU32, ""},
    {"extended_openflow_v1.flow_actions", XdrType::kU32, ""},
};
constexpr XdrField kExtendedNatPort[] = {
    {"extended_nat_port.src_port", XdrType::kU32, ""},
    {"extended_nat_port.dst_port", XdrType::kU32, ""},
};
constexpr XdrField kExtendedL2TunnelEgress[] = {
    {"extended_L2_tunnel_egress.length", XdrType::kU32, ""},
    {"extended_L2_tunnel_egress.src_mac", XdrType::kMac, ""},
    {"extended_L2_tunnel_egress.dst_mac", XdrType::kMac, ""},
    {"extended_L2_tunnel_egress.type", XdrType::kU32, ""},
};
constexpr XdrField kExtendedL2TunnelIngress[] = {
    {"extended_L2_tunnel_ingress.length", XdrType::kU32, ""},
    {"extended_L2_tunnel_ingress.src_mac", XdrType::kMac, ""},
    {"extended_L2_tunnel_ingress.dst_mac", XdrType::kMac, ""},
    {"extended_L2_tunnel_ingress.type", XdrType::kU32, ""},
};
constexpr XdrField kExtendedIpv4TunnelEgress[] = {
    {"extended_ipv4_tunnel_egress.length", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_egress.protocol", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_egress.src_ip", XdrType::kIpv4, ""},
    {"extended_ipv4_tunnel_egress.dst_ip", XdrType::kIpv4, ""},
    {"extended_ipv4_tunnel_egress.src_port", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_egress.dst_port", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_egress.tcp_flags", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_egress.tos", XdrType::kU32, ""},
};
constexpr XdrField kExtendedIpv4TunnelIngress[] = {
    {"extended_ipv4_tunnel_ingress.length", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_ingress.protocol", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_ingress.src_ip", XdrType::kIpv4, ""},
    {"extended_ipv4_tunnel_ingress.dst_ip", XdrType::kIpv4, ""},
    {"extended_ipv4_tunnel_ingress.src_port", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_ingress.dst_port", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_ingress.tcp_flags", XdrType::kU32, ""},
    {"extended_ipv4_tunnel_ingress.tos", XdrType::kU32, ""},
};
constexpr XdrField kExtendedIpv6TunnelEgress[] = {
    {"extended_ipv6_tunnel_egress.length", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_egress.protocol", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_egress.src_ip", XdrType::kIpv6, ""},
    {"extended_ipv6_tunnel_egress.dst_ip", XdrType::kIpv6, ""},
    {"extended_ipv6_tunnel_egress.src_port", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_egress.dst_port", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_egress.tcp_flags", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_egress.priority", XdrType::kU32, ""},
};
constexpr XdrField kExtendedIpv6TunnelIngress[] = {
    {"extended_ipv6_tunnel_ingress.length", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_ingress.protocol", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_ingress.src_ip", XdrType::kIpv6, ""},
    {"extended_ipv6_tunnel_ingress.dst_ip", XdrType::kIpv6, ""},
    {"extended_ipv6_tunnel_ingress.src_port", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_ingress.dst_port", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_ingress.tcp_flags", XdrType::kU32, ""},
    {"extended_ipv6_tunnel_ingress.priority", XdrType::kU32, ""},
};
constexpr XdrField kExtendedDecapsulateEgress[] = {
    {"extended_decapsulate_egress.inner_header_offset", XdrType::kU32, ""},
};
constexpr XdrField kExtendedDecapsulateIngress[] = {
    {"extended_decapsulate_ingress.inner_header_offset", XdrType::kU32, ""},
};
constexpr XdrField kExtendedVniEgress[] = {
    {"extended_vni_egress.vni", XdrType::kU32, ""},
};
constexpr XdrField kExtendedVniIngress[] = {
    {"extended_vni_ingress.vni", XdrType::kU32, ""},
};
constexpr XdrField kExtendedIbLrh[] = {
    {"extended_ib_lrh.src_vl", XdrType::kU32, ""},   {"extended_ib_lrh.src_sl", XdrType::kU32, ""},
    {"extended_ib_lrh.src_dlid", XdrType::kU32, ""}, {"extended_ib_lrh.src_slid", XdrType::kU32, ""},
    {"extended_ib_lrh.src_lnh", XdrType::kU32, ""},  {"extended_ib_lrh.dst_vl", XdrType::kU32, ""},
    {"extended_ib_lrh.dst_sl", XdrType::kU32, ""},   {"extended_ib_lrh.dst_dlid", XdrType::kU32, ""},
    {"extended_ib_lrh.dst_slid", XdrType::kU32, ""}, {"extended_ib_lrh.dst_lnh", XdrType::kU32, ""},
};
constexpr XdrField kExtendedIbGrh[] = {
    {"extended_ib_grh.flow_label", XdrType::kU32, ""},  {"extended_ib_grh.tc", XdrType::kU32, ""},
    {"extended_ib_grh.s_gid", XdrType::kIpv6, ""},      {"extended_ib_grh.d_gid", XdrType::kIpv6, ""},
    {"extended_ib_grh.next_header", XdrType::kU32, ""}, {"extended_ib_grh.length", XdrType::kU32, ""},
};
constexpr XdrField kExtendedIbBth[] = {
    {"extended_ib_bth.pkey", XdrType::kU32, ""},
    {"extended_ib_bth.dst_qp", XdrType::kU32, ""},
    {"extended_ib_bth.opcode", XdrType::kU32, ""},
};
constexpr XdrField kExtendedVlanin[] = {
    {"extended_vlanin.stack", XdrType::kListBegin, ""},
    {"extended_vlanin.tpid_tci", XdrType::kU32, ""},
    {"", XdrType::kListEnd, ""},
};
constexpr XdrField kExtendedVlanout[] = {
    {"extended_vlanout.stack", XdrType::kListBegin, ""},
    {"extended_vlanout.tpid_tci", XdrType::kU32, ""},
    {"", XdrType::kListEnd, ""},
};
constexpr XdrField kExtendedEgressQueue[] = {
    {"extended_egress_queue.queue", XdrType::kU32, ""},
};
constexpr XdrField kExtendedAcl[] = {
    {"extended_acl.number", XdrType::kU32, ""},
    {"extended_acl.name", XdrType::kString, ""},
    {"extended_acl.direction", XdrType::kU32, ""},
};
constexpr XdrField kExtendedFunction[] = {
    {"extended_function.symbol", XdrType::kString, ""},
};
constexpr XdrField kExtendedTransit[] = {
    {"extended_transit.delay", XdrType::kU32, ""},
};
constexpr XdrField kExtendedQueue[] = {
    {"extended_queue.depth", XdrType::kU32, ""},
};
constexpr XdrField kExtendedHwTrap[] = {
    {"extended_hw_trap.group", XdrType::kString, ""},
    {"extended_hw_trap.trap", XdrType::kString, ""},
};
constexpr XdrField kExtendedLinuxDropReason[] = {
    {"extended_linux_drop_reason.reason", XdrType::kString, ""},
};
constexpr XdrField kTransaction[] = {
    {"transaction.direction", XdrType::kU32, ""},      {"transaction.wait", XdrType::kU32, ""},
    {"transaction.duration", XdrType::kU32, ""},       {"transaction.status", XdrType::kU32, ""},
    {"transaction.bytes_received", XdrType::kU64, ""}, {"transaction.bytes_send", XdrType::kU64, ""},
};
constexpr XdrField kExtendedNfsStorageTransaction[] = {
    {"extended_nfs_storage_transaction.path", XdrType::kOpaque, ""},
    {"extended_nfs_storage_transaction.operation", XdrType::kU32, ""},
    {"extended_nfs_storage_transaction.status", XdrType::kU32, ""},
};
constexpr XdrField kExtendedScsiStorageTransaction[] = {
    {"extended_scsi_storage_transaction.lun", XdrType::kU32, ""},
    {"extended_scsi_storage_transaction.operation", XdrType::kU32, ""},
    {"extended_scsi_storage_transaction.status", XdrType::kU32, ""},
};
constexpr XdrField kExtendedHttpTransaction[] = {
    {"extended_http_transaction.url", XdrType::kString, ""},
    {"extended_http_transaction.host", XdrType::kString, ""},
    {"extended_http_transaction.referer", XdrType::kString, ""},
    {"extended_http_transaction.useragent", XdrType::kString, ""},
    {"extended_http_transaction.user", XdrType::kString, ""},
    {"extended_http_transaction.status", XdrType::kU32, ""},
};
constexpr XdrField kExtendedSocketIpv4[] = {
    {"extended_socket_ipv4.protocol", XdrType::kU32, ""},    {"extended_socket_ipv4.local_ip", XdrType::kIpv4, ""},
    {"extended_socket_ipv4.remote_ip", XdrType::kIpv4, ""},  {"extended_socket_ipv4.local_port", XdrType::kU32, ""},
    {"extended_socket_ipv4.remote_port", XdrType::kU32, ""},
};
constexpr XdrField kExtendedSocketIpv6[] = {
    {"extended_socket_ipv6.protocol", XdrType::kU32, ""},    {"extended_socket_ipv6.local_ip", XdrType::kIpv6, ""},
    {"extended_socket_ipv6.remote_ip", XdrType::kIpv6, ""},  {"extended_socket_ipv6.local_port", XdrType::kU32, ""},
    {"extended_socket_ipv6.remote_port", XdrType::kU32, ""},
};
constexpr XdrField kExtendedProxySocketIpv4[] = {
    {"extended_proxy_socket_ipv4.protocol", XdrType::kU32, ""},
    {"extended_proxy_socket_ipv4.local_ip", XdrType::kIpv4, ""},
    {"extended_proxy_socket_ipv4.remote_ip", XdrType::kIpv4, ""},
    {"extended_proxy_socket_ipv4.local_port", XdrType::kU32, ""},
    {"extended_proxy_socket_ipv4.remote_port", XdrType::kU32, ""},
};
constexpr XdrField kExtendedProxySocketIpv6[] = {
    {"extended_proxy_socket_ipv6.protocol", XdrType::kU32, ""},
    {"extended_proxy_socket_ipv6.local_ip", XdrType::kIpv6, ""},
    {"extended_proxy_socket_ipv6.remote_ip", XdrType::kIpv6, ""},
    {"extended_proxy_socket_ipv6.local_port", XdrType::kU32, ""},
    {"extended_proxy_socket_ipv6.remote_port", XdrType::kU32, ""},
};
constexpr XdrField kMemcacheOperation[] = {
    {"memcache_operation.protocol", XdrType::kU32, ""},    {"memcache_operation.cmd", XdrType::kU32, ""},
    {"memcache_operation.key", XdrType::kString, ""},      {"memcache_operation.nkeys", XdrType::kU32, ""},
    {"memcache_operation.value_bytes", XdrType::kU32, ""}, {"memcache_operation.uS", XdrType::kU32, ""},
    {"memcache_operation.status", XdrType::kU32, ""},
};
constexpr XdrField kHttpRequest2201[] = {
    {"http_request_2201.method", XdrType::kU32, ""},       {"http_request_2201.uri", XdrType::kString, ""},
    {"http_request_2201.host", XdrType::kString, ""},      {"http_request_2201.referer", XdrType::kString, ""},
    {"http_request_2201.useragent", XdrType::kString, ""}, {"http_request_2201.xff", XdrType::kString, ""},
    {"http_request_2201.authuser", XdrType::kString, ""},  {"http_request_2201.mime_type", XdrType::kString, ""},
    {"http_request_2201.req_bytes", XdrType::kU64, ""},    {"http_request_2201.resp_bytes", XdrType::kU64, ""},
    {"http_request_2201.uS", XdrType::kU32, ""},           {"http_request_2201.status", XdrType::kI32, ""},
};
constexpr XdrField kAppOperation[] = {
    {"app_operation.application", XdrType::kString, ""},
    {"app_operation.operation", XdrType::kString, ""},
    {"app_operation.attributes", XdrType::kString, ""},
    {"app_operation.status_descr", XdrType::kString, ""},
    {"app_operation.req_bytes", XdrType::kU64, ""},
    {"app_operation.resp_bytes", XdrType::kU64, ""},
    {"app_operation.uS", XdrType::kU32, ""},
    {"app_operation.status", XdrType::kU32, ""},
};
constexpr XdrField kAppParentContext[] = {
    {"app_parent_context.application", XdrType::kString, ""},
    {"app_parent_context.operation", XdrType::kString, ""},
    {"app_parent_context.attributes", XdrType::kString, ""},
};
constexpr XdrField kAppInitiator[] = {
    {"app_initiator.actor", XdrType::kString, ""},
};
constexpr XdrField kAppTarget[] = {
    {"app_target.actor", XdrType::kString, ""},
};
constexpr XdrField kHttpRequest[] = {
    {"http_request.method", XdrType::kU32, ""},       {"http_request.protocol", XdrType::kU32, ""},
    {"http_request.uri", XdrType::kString, ""},       {"http_request.host", XdrType::kString, ""},
    {"http_request.referer", XdrType::kString, ""},   {"http_request.useragent", XdrType::kString, ""},
    {"http_request.xff", XdrType::kString, ""},       {"http_request.authuser", XdrType::kString, ""},
    {"http_request.mime_type", XdrType::kString, ""}, {"http_request.req_bytes", XdrType::kU64, ""},
    {"http_request.resp_bytes", XdrType::kU64, ""},   {"http_request.uS", XdrType::kU32, ""},
    {"http_request.status", XdrType::kI32, ""},
};
constexpr XdrField kExtendedProxyRequest[] = {
    {"extended_proxy_request.uri", XdrType::kString, ""},
    {"extended_proxy_request.host", XdrType::kString, ""},
};
constexpr XdrField kExtendedNavTiming[] = {
    {"extended_nav_timing.type", XdrType::kU32, ""},
    {"extended_nav_timing.redirectCount", XdrType::kU32, ""},
    {"extended_nav_timing.navigationStart", XdrType::kU32, ""},
    {"extended_nav_timing.unloadEventStart", XdrType::kU32, ""},
    {"extended_nav_timing.unloadEventEnd", XdrType::kU32, ""},
    {"extended_nav_timing.redirectStart", XdrType::kU32, ""},
    {"extended_nav_timing.redirectEnd", XdrType::kU32, ""},
    {"extended_nav_timing.fetchStart", XdrType::kU32, ""},
    {"extended_nav_timing.domainLookupStart", XdrType::kU32, ""},
    {"extended_nav_timing.domainLookupEnd", XdrType::kU32, ""},
    {"extended_nav_timing.connectStart", XdrType::kU32, ""},
    {"extended_nav_timing.connectEnd", XdrType::kU32, ""},
    {"extended_nav_timing.secureConnectionStart", XdrType::kU32, ""},
    {"extended_nav_timing.requestStart", XdrType::kU32, ""},
    {"extended_nav_timing.responseStart", XdrType::kU32, ""},
    {"extended_nav_timing.responseEnd", XdrType::kU32, ""},
    {"extended_nav_timing.domLoading", XdrType::kU32, ""},
    {"extended_nav_timing.domInteractive", XdrType::kU32, ""},
    {"extended_nav_timing.domContentLoadedEventStart", XdrType::kU32, ""},
    {"extended_nav_timing.domContentLoadedEventEnd", XdrType::kU32, ""},
    {"extended_nav_timing.domComplete", XdrType::kU32, ""},
    {"extended_nav_timing.loadEventStart", XdrType::kU32, ""},
    {"extended_nav_timing.loadEventEnd", XdrType::kU32, ""},
};
constexpr XdrField kExtendedTcpInfo[] = {
    {"extended_tcp_info.dir", XdrType::kU32, ""},        {"extended_tcp_info.snd_mss", XdrType::kU32, ""},
    {"extended_tcp_info.rcv_mss", XdrType::kU32, ""},    {"extended_tcp_info.unacked", XdrType::kU32, ""},
    {"extended_tcp_info.lost", XdrType::kU32, ""},       {"extended_tcp_info.retrans", XdrType::kU32, ""},
    {"extended_tcp_info.pmtu", XdrType::kU32, ""},       {"extended_tcp_info.rtt", XdrType::kU32, ""},
    {"extended_tcp_info.rttvar", XdrType::kU32, ""},     {"extended_tcp_info.snd_cwnd", XdrType::kU32, ""},
    {"extended_tcp_info.reordering", XdrType::kU32, ""}, {"extended_tcp_info.min_rtt", XdrType::kU32, ""},
};
constexpr XdrField kExtendedEntities[] = {
    {"extended_entities.src_ds_class", XdrType::kU32, ""},
    {"extended_entities.src_ds_index", XdrType::kU32, ""},
    {"extended_entities.dst_ds_class", XdrType::kU32, ""},
    {"extended_entities.dst_ds_index", XdrType::kU32, ""},
};
constexpr XdrField kExtendedBstEgressQueue[] = {
    {"extended_bst_egress_queue.queue", XdrType::kU32, ""},
};

// RFC 3176, 4: no count of stripped octets, no next hop of the gateway, no character sets, no host.
constexpr XdrField kSampledHeaderLegacy[] = {
    {"sampled_header.protocol", XdrType::kU32, ""},
    {"sampled_header.frame_length", XdrType::kU32, ""},
    {"sampled_header.header", XdrType::kOpaque, ""},
};
constexpr XdrField kExtendedGatewayV2[] = {
    {"extended_gateway.as", XdrType::kU32, ""},          {"extended_gateway.src_as", XdrType::kU32, ""},
    {"extended_gateway.src_peer_as", XdrType::kU32, ""}, {"extended_gateway.dst_as_path", XdrType::kListBegin, ""},
    {"extended_gateway.as_number", XdrType::kU32, ""},   {"", XdrType::kListEnd, ""},
};
constexpr XdrField kExtendedGatewayV4[] = {
    {"extended_gateway.as", XdrType::kU32, ""},
    {"extended_gateway.src_as", XdrType::kU32, ""},
    {"extended_gateway.src_peer_as", XdrType::kU32, ""},
    {"extended_gateway.dst_as_path", XdrType::kListBegin, ""},
    {"extended_gateway.type", XdrType::kU32, ""},
    {"extended_gateway.as_numbers", XdrType::kListBegin, ""},
    {"extended_gateway.as_number", XdrType::kU32, ""},
    {"", XdrType::kListEnd, ""},
    {"", XdrType::kListEnd, ""},
    {"extended_gateway.communities", XdrType::kListBegin, ""},
    {"extended_gateway.community", XdrType::kU32, ""},
    {"", XdrType::kListEnd, ""},
    {"extended_gateway.localpref", XdrType::kU32, ""},
};
constexpr XdrField kExtendedUserLegacy[] = {
    {"extended_user.src_user", XdrType::kString, ""},
    {"extended_user.dst_user", XdrType::kString, ""},
};
constexpr XdrField kExtendedUrlLegacy[] = {
    {"extended_url.direction", XdrType::kU32, ""},
    {"extended_url.url", XdrType::kString, ""},
};

// Ascending.
constexpr RecordFormat kFlowFormats[] = {
    {0, 1, "sampled_header", kSampledHeader},
    {0, 2, "sampled_ethernet", kSampledEthernet},
    {0, 3, "sampled_ipv4", kSampledIpv4},
    {0, 4, "sampled_ipv6", kSampledIpv6},
    {0, 1001, "extended_switch", kExtendedSwitch},
    {0, 1002, "extended_router", kExtendedRouter},
    {0, 1003, "extended_gateway", kExtendedGateway},
    {0, 1004, "extended_user", kExtendedUser},
    {0, 1005, "extended_url", kExtendedUrl},
    {0, 1006, "extended_mpls", kExtendedMpls},
    {0, 1007, "extended_nat", kExtendedNat},
    {0, 1008, "extended_mpls_tunnel", kExtendedMplsTunnel},
    {0, 1009, "extended_mpls_vc", kExtendedMplsVc},
    {0, 1010, "extended_mpls_FTN", kExtendedMplsFtn},
    {0, 1011, "extended_mpls_LDP_FEC", kExtendedMplsLdpFec},
    {0, 1012, "extended_vlantunnel", kExtendedVlantunnel},
    {0, 1013, "extended_80211_payload", kExtended80211Payload},
    {0, 1014, "extended_80211_rx", kExtended80211Rx},
    {0, 1015, "extended_80211_tx", kExtended80211Tx},
    {0, 1016, "extended_80211_aggregation", kExtended80211Aggregation},
    {0, 1017, "extended_openflow_v1", kExtendedOpenflowV1},
    {0, 1020, "extended_nat_port", kExtendedNatPort},
    {0, 1021, "extended_L2_tunnel_egress", kExtendedL2TunnelEgress},
    {0, 1022, "extended_L2_tunnel_ingress", kExtendedL2TunnelIngress},
    {0, 1023, "extended_ipv4_tunnel_egress", kExtendedIpv4TunnelEgress},
    {0, 1024, "extended_ipv4_tunnel_ingress", kExtendedIpv4TunnelIngress},
    {0, 1025, "extended_ipv6_tunnel_egress", kExtendedIpv6TunnelEgress},
    {0, 1026, "extended_ipv6_tunnel_ingress", kExtendedIpv6TunnelIngress},
    {0, 1027, "extended_decapsulate_egress", kExtendedDecapsulateEgress},
    {0, 1028, "extended_decapsulate_ingress", kExtendedDecapsulateIngress},
    {0, 1029, "extended_vni_egress", kExtendedVniEgress},
    {0, 1030, "extended_vni_ingress", kExtendedVniIngress},
    {0, 1031, "extended_ib_lrh", kExtendedIbLrh},
    {0, 1032, "extended_ib_grh", kExtendedIbGrh},
    {0, 1033, "extended_ib_bth", kExtendedIbBth},
    {0, 1034, "extended_vlanin", kExtendedVlanin},
    {0, 1035, "extended_vlanout", kExtendedVlanout},
    {0, 1036, "extended_egress_queue", kExtendedEgressQueue},
    {0, 1037, "extended_acl", kExtendedAcl},
    {0, 1038, "extended_function", kExtendedFunction},
    {0, 1039, "extended_transit", kExtendedTransit},
    {0, 1040, "extended_queue", kExtendedQueue},
    {0, 1041, "extended_hw_trap", kExtendedHwTrap},
    {0, 1042, "extended_linux_drop_reason", kExtendedLinuxDropReason},
    {0, 2000, "transaction", kTransaction},
    {0, 2001, "extended_nfs_storage_transaction", kExtendedNfsStorageTransaction},
    {0, 2002, "extended_scsi_storage_transaction", kExtendedScsiStorageTransaction},
    {0, 2003, "extended_http_transaction", kExtendedHttpTransaction},
    {0, 2100, "extended_socket_ipv4", kExtendedSocketIpv4},
    {0, 2101, "extended_socket_ipv6", kExtendedSocketIpv6},
    {0, 2102, "extended_proxy_socket_ipv4", kExtendedProxySocketIpv4},
    {0, 2103, "extended_proxy_socket_ipv6", kExtendedProxySocketIpv6},
    {0, 2200, "memcache_operation", kMemcacheOperation},
    {0, 2201, "http_request_2201", kHttpRequest2201},
    {0, 2202, "app_operation", kAppOperation},
    {0, 2203, "app_parent_context", kAppParentContext},
    {0, 2204, "app_initiator", kAppInitiator},
    {0, 2205, "app_target", kAppTarget},
    {0, 2206, "http_request", kHttpRequest},
    {0, 2207, "extended_proxy_request", kExtendedProxyRequest},
    {0, 2208, "extended_nav_timing", kExtendedNavTiming},
    {0, 2209, "extended_tcp_info", kExtendedTcpInfo},
    {0, 2210, "extended_entities", kExtendedEntities},
    {4413, 1, "extended_bst_egress_queue", kExtendedBstEgressQueue},
};

constexpr RecordFormat kFlowFormatsV2[] = {
    {0, 1, "sampled_header", kSampledHeaderLegacy},
    {0, 1003, "extended_gateway", kExtendedGatewayV2},
    {0, 1004, "extended_user", kExtendedUserLegacy},
    {0, 1005, "extended_url", kExtendedUrlLegacy},
};
constexpr RecordFormat kFlowFormatsV4[] = {
    {0, 1, "sampled_header", kSampledHeaderLegacy},
    {0, 1003, "extended_gateway", kExtendedGatewayV4},
    {0, 1004, "extended_user", kExtendedUserLegacy},
    {0, 1005, "extended_url", kExtendedUrlLegacy},
};

const RecordFormat* Find(absl::Span<const RecordFormat> formats, uint32_t data_format) {
  const auto it = std::lower_bound(
      formats.begin(), formats.end(), data_format,
      [](const RecordFormat& row, uint32_t wanted) { return DataFormat(row.enterprise, row.format) < wanted; });
  return it != formats.end() && DataFormat(it->enterprise, it->format) == data_format ? &*it : nullptr;
}

}  // namespace

absl::Span<const RecordFormat> FlowFormats() { return kFlowFormats; }

const RecordFormat* FindFlowFormat(uint32_t version, uint32_t data_format) {
  const RecordFormat* legacy = nullptr;
  if (version == 2) legacy = Find(kFlowFormatsV2, data_format);
  if (version == 4) legacy = Find(kFlowFormatsV4, data_format);
  return legacy != nullptr ? legacy : Find(kFlowFormats, data_format);
}

}  // namespace flowacct::sflow
