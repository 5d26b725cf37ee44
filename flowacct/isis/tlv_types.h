// The types of TLVs and sub-TLVs that IS-IS has, by the names that IANA gives them, and which PDUs may carry them.
//
// Standards: IANA's registry "IS-IS TLV Codepoints" (RFC 3563, 7356, 7370), purges by RFC 6233. A row is here if its
// number was seen in a registry's text, an RFC or another decoder, not from memory: RFC 9502, 9667 and 9681 have TLVs
// that are not. Any thread.

#ifndef FLOWACCT_ISIS_TLV_TYPES_H_
#define FLOWACCT_ISIS_TLV_TYPES_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace flowacct::isis {

// In which PDUs a TLV may stand.
inline constexpr uint8_t kInHello = 1, kInLsp = 2, kInSnp = 4, kInPurge = 8;

// type, name, IANA's text, where (H hello, L LSP, S sequence numbers, P purge), reference
#define FLOWACCT_ISIS_TLV_TYPES(X)                                                                      \
  X(1, AreaAddresses, "Area Addresses", kInHello | kInLsp, "ISO 10589")                                 \
  X(2, IsNeighbors, "IIS Neighbors", kInLsp, "ISO 10589")                                               \
  X(3, EsNeighbors, "ES Neighbors", kInLsp, "ISO 10589")                                                \
  X(4, PartitionDis, "Part. DIS", kInLsp, "ISO 10589")                                                  \
  X(5, PrefixNeighbors, "Prefix Neighbors", kInLsp, "ISO 10589")                                        \
  X(6, LanNeighbors, "IIS Neighbors", kInHello, "ISO 10589")                                            \
  X(7, InstanceIdentifier, "Instance Identifier", kInHello | kInLsp | kInSnp | kInPurge, "RFC 8202")    \
  X(8, Padding, "Padding", kInHello, "ISO 10589")                                                       \
  X(9, LspEntries, "LSP Entries", kInSnp, "ISO 10589")                                                  \
  X(10, Authentication, "Authentication", kInHello | kInLsp | kInSnp | kInPurge, "ISO 10589, RFC 5304") \
  X(11, ExtendedSequenceNumber, "ESN", kInHello | kInSnp, "RFC 7602")                                   \
  X(12, OptionalChecksum, "Opt. Checksum", kInHello | kInSnp, "RFC 3358")                               \
  X(13, PurgeOriginator, "Purge Originator Identification", kInLsp | kInPurge, "RFC 6232")              \
  X(14, LspBufferSize, "LSPBufferSize", kInLsp, "ISO 10589")                                            \
  X(15, RouterFingerprint, "Router-Fingerprint", kInHello | kInLsp | kInPurge, "RFC 8196")              \
  X(16, ReverseMetric, "Reverse Metric", kInHello, "RFC 8500")                                          \
  X(20, AreaProxy, "Area Proxy", kInLsp, "RFC 9666")                                                    \
  X(22, ExtendedIsReachability, "Extended IS reachability", kInLsp, "RFC 5305")                         \
  X(23, IsNeighborAttribute, "IS Neighbor Attribute", kInLsp, "RFC 5311")                               \
  X(24, IsAliasId, "IS Alias ID", kInLsp, "RFC 5311")                                                   \
  X(25, L2BundleMemberAttributes, "L2 Bundle Member Attributes", kInLsp, "RFC 8668")                    \
  X(27, Srv6Locator, "SRv6 Locator", kInLsp, "RFC 9352")                                                \
  X(42, DecnetPhaseIv, "DECnet Phase IV", kInHello, "DEC")                                              \
  X(66, LucentProprietary, "Lucent Proprietary", kInLsp, "")                                            \
  X(128, IpInternalReachability, "IP Int. Reach", kInLsp, "RFC 1195")                                   \
  X(129, ProtocolsSupported, "Prot. Supported", kInHello | kInLsp, "RFC 1195")                          \
  X(130, IpExternalReachability, "IP Ext. Address", kInLsp, "RFC 1195")                                 \
  X(131, IdrpInformation, "IDRPI", kInLsp | kInSnp, "RFC 1195")                                         \
  X(132, IpInterfaceAddress, "IP Intf. Address", kInHello | kInLsp, "RFC 1195")                         \
  X(133, IpAuthentication, "Illegal", 0, "RFC 1195 (not used)")                                         \
  X(134, TeRouterId, "Traffic Engineering router ID", kInLsp, "RFC 5305")                               \
  X(135, ExtendedIpReachability, "Extended IP reachability", kInLsp, "RFC 5305")                        \
  X(137, DynamicHostname, "Dynamic Name", kInLsp | kInPurge, "RFC 5301, RFC 6233")                      \
  X(138, GmplsSrlg, "GMPLS-SRLG", kInLsp, "RFC 5307")                                                   \
  X(139, Ipv6Srlg, "IPv6 SRLG", kInLsp, "RFC 6119")                                                     \
  X(140, Ipv6TeRouterId, "IPv6 TE Router ID", kInLsp, "RFC 6119")                                       \
  X(141, InterAsReachability, "inter-AS reachability information", kInLsp, "RFC 9346")                  \
  X(142, GroupAddress, "GADDR-TLV", kInLsp, "RFC 7176")                                                 \
  X(143, MtPortCapability, "MT-Port-Cap-TLV", kInHello, "RFC 7176")                                     \
  X(144, MtCapability, "MT-Capability TLV", kInLsp, "RFC 7176")                                         \
  X(145, TrillNeighbor, "TRILL Neighbor TLV", kInHello, "RFC 7176")                                     \
  X(147, MacReachability, "MAC-Reachability TLV", kInLsp, "RFC 7176")                                   \
  X(148, BfdEnabled, "BFD-Enabled TLV", kInHello, "RFC 6213")                                           \
  X(149, SidLabelBinding, "Segment Identifier / Label Binding", kInLsp, "RFC 8667")                     \
  X(150, MtSidLabelBinding, "Multi-Topology Segment Identifier / Label Binding", kInLsp, "RFC 8667")    \
  X(161, FloodReflection, "Flood Reflection", kInHello, "RFC 9377")                                     \
  X(176, NortelProprietary1, "Nortel Proprietary", kInLsp, "")                                          \
  X(177, NortelProprietary2, "Nortel Proprietary", kInLsp, "")                                          \
  X(211, Restart, "Restart TLV", kInHello, "RFC 8706")                                                  \
  X(222, MtIsReachability, "MT-ISN", kInLsp, "RFC 5120")                                                \
  X(223, MtIsNeighborAttribute, "MT IS Neighbor Attribute", kInLsp, "RFC 5311")                         \
  X(229, MultiTopology, "M-Topologies", kInHello | kInLsp, "RFC 5120")                                  \
  X(232, Ipv6InterfaceAddress, "IPv6 Intf. Addr.", kInHello | kInLsp, "RFC 5308")                       \
  X(233, Ipv6GlobalInterfaceAddress, "IPv6 Global Interface Address", kInHello, "RFC 6119")             \
  X(235, MtIpReachability, "MT IP. Reach", kInLsp, "RFC 5120")                                          \
  X(236, Ipv6Reachability, "IPv6 IP. Reach", kInLsp, "RFC 5308")                                        \
  X(237, MtIpv6Reachability, "MT IPv6 IP. Reach", kInLsp, "RFC 5120")                                   \
  X(238, ApplicationSpecificSrlg, "Application-Specific SRLG", kInLsp, "RFC 9479")                      \
  X(240, ThreeWayAdjacency, "P2P 3-Way Adj. State", kInHello, "RFC 5303")                               \
  X(242, RouterCapability, "IS-IS Router CAPABILITY", kInLsp, "RFC 7981")                               \
  X(243, ScopeFloodingSupport, "Scope Flooding Support", kInHello, "RFC 7356")                          \
  X(251, GenericInformation, "Generic Information", kInLsp, "RFC 6823")

inline constexpr uint8_t
#define X(number, name, text, where, reference) kTlv##name = number,
    FLOWACCT_ISIS_TLV_TYPES(X)
#undef X
        kTlvReserved = 0;

// Which registry the sub-TLVs of a TLV are numbered by.
enum class SubTlvs : uint8_t {
  kNeighbor,
  kPrefix,
  kCapability,
  kMtCapability,
  kMtPortCapability,
  kGroupAddress,
  kBinding,
  kReverseMetric,
  kAreaProxy,
};

// registry, type, name, IANA's text, reference
#define FLOWACCT_ISIS_SUB_TLV_TYPES(X)                                                                         \
  X(Neighbor, 3, AdministrativeGroup, "Administrative group (color)", "RFC 5305")                              \
  X(Neighbor, 4, LinkIdentifiers, "Link Local/Remote Identifiers", "RFC 5307")                                 \
  X(Neighbor, 6, Ipv4InterfaceAddress, "IPv4 interface address", "RFC 5305")                                   \
  X(Neighbor, 8, Ipv4NeighborAddress, "IPv4 neighbor address", "RFC 5305")                                     \
  X(Neighbor, 9, MaximumBandwidth, "Maximum link bandwidth", "RFC 5305")                                       \
  X(Neighbor, 10, MaximumReservableBandwidth, "Maximum reservable link bandwidth", "RFC 5305")                 \
  X(Neighbor, 11, UnreservedBandwidth, "Unreserved bandwidth", "RFC 5305")                                     \
  X(Neighbor, 12, Ipv6InterfaceAddress, "IPv6 Interface Address", "RFC 6119")                                  \
  X(Neighbor, 13, Ipv6NeighborAddress, "IPv6 Neighbor Address", "RFC 6119")                                    \
  X(Neighbor, 14, ExtendedAdministrativeGroup, "Extended Administrative Group", "RFC 7308")                    \
  X(Neighbor, 15, LinkMsd, "Link MSD", "RFC 8491")                                                             \
  X(Neighbor, 16, ApplicationSpecificAttributes, "Application-Specific Link Attributes", "RFC 9479")           \
  X(Neighbor, 17, GenericMetric, "Generic Metric", "RFC 9843")                                                 \
  X(Neighbor, 18, TeDefaultMetric, "TE Default metric", "RFC 5305")                                            \
  X(Neighbor, 19, LinkAttributes, "Link-attributes", "RFC 5029")                                               \
  X(Neighbor, 20, LinkProtectionType, "Link Protection Type", "RFC 5307")                                      \
  X(Neighbor, 21, SwitchingCapability, "Interface Switching Capability Descriptor", "RFC 5307")                \
  X(Neighbor, 22, BandwidthConstraints, "Bandwidth Constraints", "RFC 4124")                                   \
  X(Neighbor, 23, UnconstrainedLspCount, "Unconstrained TE LSP Count", "RFC 5330")                             \
  X(Neighbor, 24, RemoteAsNumber, "Remote AS Number", "RFC 9346")                                              \
  X(Neighbor, 25, Ipv4RemoteAsbr, "IPv4 Remote ASBR Identifier", "RFC 9346")                                   \
  X(Neighbor, 26, Ipv6RemoteAsbr, "IPv6 Remote ASBR Identifier", "RFC 9346")                                   \
  X(Neighbor, 27, AdjustmentCapability, "Interface Adjustment Capability Descriptor (IACD)", "RFC 6001")       \
  X(Neighbor, 28, Mtu, "MTU", "RFC 7176")                                                                      \
  X(Neighbor, 29, SpbMetric, "SPB-Metric", "RFC 6329")                                                         \
  X(Neighbor, 30, SpbOpaqueAlgorithm, "SPB-A-OALG", "RFC 6329")                                                \
  X(Neighbor, 31, AdjacencySid, "Adjacency Segment Identifier", "RFC 8667")                                    \
  X(Neighbor, 32, LanAdjacencySid, "LAN Adjacency Segment Identifier", "RFC 8667")                             \
  X(Neighbor, 33, Delay, "Unidirectional Link Delay", "RFC 8570")                                              \
  X(Neighbor, 34, MinMaxDelay, "Min/Max Unidirectional Link Delay", "RFC 8570")                                \
  X(Neighbor, 35, DelayVariation, "Unidirectional Delay Variation", "RFC 8570")                                \
  X(Neighbor, 36, Loss, "Unidirectional Link Loss", "RFC 8570")                                                \
  X(Neighbor, 37, ResidualBandwidth, "Unidirectional Residual Bandwidth", "RFC 8570")                          \
  X(Neighbor, 38, AvailableBandwidth, "Unidirectional Available Bandwidth", "RFC 8570")                        \
  X(Neighbor, 39, UtilizedBandwidth, "Unidirectional Utilized Bandwidth", "RFC 8570")                          \
  X(Neighbor, 40, RtmCapability, "RTM Capability", "RFC 8169")                                                 \
  X(Neighbor, 41, BundleMemberSid, "L2 Bundle Member Adj-SID", "RFC 8668")                                     \
  X(Neighbor, 42, BundleMemberLanSid, "L2 Bundle Member LAN Adj-SID", "RFC 8668")                              \
  X(Neighbor, 43, Srv6EndXSid, "SRv6 End.X SID", "RFC 9352")                                                   \
  X(Neighbor, 44, Srv6LanEndXSid, "SRv6 LAN End.X SID", "RFC 9352")                                            \
  X(Neighbor, 45, Ipv6LocalAsbr, "IPv6 Local ASBR Identifier", "RFC 9346")                                     \
  X(Neighbor, 161, FloodReflectorAdjacency, "Flood Reflector Adjacency", "RFC 9377")                           \
  X(Prefix, 1, Tag32, "32-bit Administrative Tag", "RFC 5130")                                                 \
  X(Prefix, 2, Tag64, "64-bit Administrative Tag", "RFC 5130")                                                 \
  X(Prefix, 3, PrefixSid, "Prefix Segment Identifier", "RFC 8667")                                             \
  X(Prefix, 4, PrefixAttributeFlags, "Prefix Attribute Flags", "RFC 7794")                                     \
  X(Prefix, 5, Srv6EndSid, "SRv6 End SID", "RFC 9352")                                                         \
  X(Prefix, 6, AlgorithmPrefixMetric, "Flexible Algorithm Prefix Metric (FAPM)", "RFC 9350")                   \
  X(Prefix, 11, Ipv4SourceRouterId, "IPv4 Source Router ID", "RFC 7794")                                       \
  X(Prefix, 12, Ipv6SourceRouterId, "IPv6 Source Router ID", "RFC 7794")                                       \
  X(Prefix, 32, BierInfo, "BIER Info", "RFC 8401")                                                             \
  X(Capability, 1, TeNodeCapability, "TE Node Capability Descriptor", "RFC 5073")                              \
  X(Capability, 2, SegmentRouting, "Segment Routing Capability", "RFC 8667")                                   \
  X(Capability, 3, TeMeshGroupV4, "TE-MESH-GROUP TLV (IPv4)", "RFC 4972")                                      \
  X(Capability, 4, TeMeshGroupV6, "TE-MESH-GROUP TLV (IPv6)", "RFC 4972")                                      \
  X(Capability, 5, Pced, "PCED", "RFC 5089")                                                                   \
  X(Capability, 6, Nickname, "NICKNAME", "RFC 7176")                                                           \
  X(Capability, 7, Trees, "TREES", "RFC 7176")                                                                 \
  X(Capability, 8, TreeRootIds, "TREE-RT-IDs", "RFC 7176")                                                     \
  X(Capability, 9, TreeUseIds, "TREE-USE-IDs", "RFC 7176")                                                     \
  X(Capability, 10, InterestedVlans, "INT-VLAN", "RFC 7176")                                                   \
  X(Capability, 11, Ipv4TeRouterId, "IPv4 TE Router ID", "RFC 9346")                                           \
  X(Capability, 12, Ipv6TeRouterId, "IPv6 TE Router ID", "RFC 9346")                                           \
  X(Capability, 13, TrillVersion, "TRILL-VER", "RFC 7176")                                                     \
  X(Capability, 14, VlanGroup, "VLAN-GROUP", "RFC 7176")                                                       \
  X(Capability, 15, InterestedLabels, "INT-LABEL", "RFC 7176")                                                 \
  X(Capability, 16, RbChannels, "RBCHANNELS", "RFC 7176")                                                      \
  X(Capability, 17, Affinity, "AFFINITY", "RFC 7176")                                                          \
  X(Capability, 18, LabelGroup, "LABEL-GROUP", "RFC 7176")                                                     \
  X(Capability, 19, SegmentRoutingAlgorithm, "Segment Routing Algorithm", "RFC 8667")                          \
  X(Capability, 20, SbfdDiscriminators, "S-BFD Discriminators", "RFC 7883")                                    \
  X(Capability, 21, NodeAdminTag, "Node-Admin-Tag", "RFC 7917")                                                \
  X(Capability, 22, SegmentRoutingLocalBlock, "Segment Routing Local Block (SRLB)", "RFC 8667")                \
  X(Capability, 23, NodeMsd, "Node MSD", "RFC 8491")                                                           \
  X(Capability, 24, SrmsPreference, "Segment Routing Mapping Server Preference (SRMS Preference)", "RFC 8667") \
  X(Capability, 25, Srv6Capabilities, "SRv6 Capabilities", "RFC 9352")                                         \
  X(Capability, 26, AlgorithmDefinition, "Flexible Algorithm Definition (FAD)", "RFC 9350")                    \
  X(Capability, 27, AreaLeader, "IS-IS Area Leader", "RFC 9667")                                               \
  X(Capability, 28, DynamicFlooding, "IS-IS Dynamic Flooding", "RFC 9667")                                     \
  X(Capability, 29, IpAlgorithm, "IP Algorithm", "RFC 9502")                                                   \
  X(Capability, 30, MultiPartTlvs, "MP-TLV Support for TLVs with Implicit Support", "RFC 9885")                \
  X(Capability, 161, FloodReflectionDiscovery, "Flood Reflection Discovery", "RFC 9377")                       \
  X(MtCapability, 1, SpbInstance, "SPB-Inst", "RFC 6329")                                                      \
  X(MtCapability, 2, SpbInstanceOpaqueAlgorithm, "SPB-I-OALG", "RFC 6329")                                     \
  X(MtCapability, 3, SpbmServiceId, "SPBM-SI", "RFC 6329")                                                     \
  X(MtCapability, 4, SpbvAddress, "SPBV-ADDR", "RFC 6329")                                                     \
  X(MtCapability, 6, MtNickname, "NICKNAME", "RFC 7176")                                                       \
  X(MtCapability, 7, MtTrees, "TREES", "RFC 7176")                                                             \
  X(MtCapability, 8, MtTreeRootIds, "TREE-RT-IDs", "RFC 7176")                                                 \
  X(MtCapability, 9, MtTreeUseIds, "TREE-USE-IDs", "RFC 7176")                                                 \
  X(MtCapability, 10, MtInterestedVlans, "INT-VLAN", "RFC 7176")                                               \
  X(MtCapability, 13, MtTrillVersion, "TRILL-VER", "RFC 7176")                                                 \
  X(MtCapability, 14, MtVlanGroup, "VLAN-GROUP", "RFC 7176")                                                   \
  X(MtCapability, 15, MtInterestedLabels, "INT-LABEL", "RFC 7176")                                             \
  X(MtCapability, 16, MtRbChannels, "RBCHANNELS", "RFC 7176")                                                  \
  X(MtCapability, 17, MtAffinity, "AFFINITY", "RFC 7176")                                                      \
  X(MtCapability, 18, MtLabelGroup, "LABEL-GROUP", "RFC 7176")                                                 \
  X(MtPortCapability, 1, SpecialVlansAndFlags, "VLAN-FLAGS", "RFC 7176")                                       \
  X(MtPortCapability, 2, EnabledVlans, "Enabled-VLANs", "RFC 7176")                                            \
  X(MtPortCapability, 3, AppointedForwarders, "AppointedFwrdrs", "RFC 7176")                                   \
  X(MtPortCapability, 4, SpbMcid, "SPB-MCID", "RFC 6329")                                                      \
  X(MtPortCapability, 5, SpbDigest, "SPB-Digest", "RFC 6329")                                                  \
  X(MtPortCapability, 6, SpbBaseVlans, "SPB-B-VID", "RFC 6329")                                                \
  X(MtPortCapability, 7, PortTrillVersion, "PORT-TRILL-VER", "RFC 7176")                                       \
  X(MtPortCapability, 8, VlansAppointed, "VLANs-Appointed", "RFC 7176")                                        \
  X(GroupAddress, 1, GroupMac, "GMAC-ADDR", "RFC 7176")                                                        \
  X(GroupAddress, 2, GroupIpv4, "GIP-ADDR", "RFC 7176")                                                        \
  X(GroupAddress, 3, GroupIpv6, "GIPV6-ADDR", "RFC 7176")                                                      \
  X(GroupAddress, 4, GroupLabeledMac, "GLMAC-ADDR", "RFC 7176")                                                \
  X(GroupAddress, 5, GroupLabeledIpv4, "GLIP-ADDR", "RFC 7176")                                                \
  X(GroupAddress, 6, GroupLabeledIpv6, "GLIPV6-ADDR", "RFC 7176")                                              \
  X(Binding, 1, SidLabel, "SID/Label", "RFC 8667")                                                             \
  X(Binding, 3, BindingPrefixSid, "Prefix Segment Identifier", "RFC 8667")                                     \
  X(ReverseMetric, 18, ReverseTeDefaultMetric, "Traffic Engineering Default Metric", "RFC 8500")               \
  X(AreaProxy, 1, ProxySystemId, "Area Proxy System Identifier", "RFC 9666")                                   \
  X(AreaProxy, 2, AreaSid, "Area Segment Identifier", "RFC 9666")

inline constexpr uint8_t
#define X(registry, number, name, text, reference) kSubTlv##name = number,
    FLOWACCT_ISIS_SUB_TLV_TYPES(X)
#undef X
        kSubTlvReserved = 0;

struct TlvTypeInfo {
  uint8_t type;
  absl::string_view name;  // IANA's
  uint8_t where;           // kInHello | ...
  absl::string_view reference;
};

struct SubTlvTypeInfo {
  SubTlvs registry;
  uint8_t type;
  absl::string_view name;  // IANA's
  absl::string_view reference;
};

absl::Span<const TlvTypeInfo> TlvTypes();
absl::Span<const SubTlvTypeInfo> SubTlvTypes();
// nullptr: not registered.
const TlvTypeInfo* FindTlvType(uint8_t type);
const SubTlvTypeInfo* FindSubTlvType(SubTlvs registry, uint8_t type);
// By which registry the sub-TLVs of a TLV are numbered; nothing for TLVs without (or with others than those here).
std::optional<SubTlvs> SubTlvsOf(uint8_t tlv_type);

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_TLV_TYPES_H_
