// What the octets of a sampled header are: header_protocol of sflow_version_5.txt and its later numbers.

#ifndef FLOWACCT_FLOW_SFLOW_HEADER_PROTOCOL_H_
#define FLOWACCT_FLOW_SFLOW_HEADER_PROTOCOL_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "flowacct/packet/link_type.h"

namespace flowacct::sflow {

struct HeaderProtocol {
  uint32_t number;
  absl::string_view name;
  std::optional<packet::LinkType> link_type;  // absent: not decoded
};

inline constexpr HeaderProtocol kHeaderProtocols[] = {
    {1, "ETHERNET-ISO88023", packet::LinkType::kEthernet},
    {2, "ISO88024-TOKENBUS", std::nullopt},
    {3, "ISO88025-TOKENRING", std::nullopt},
    {4, "FDDI", packet::LinkType::kFddi},
    {5, "FRAME-RELAY", packet::LinkType::kFrameRelay},
    {6, "X25", std::nullopt},
    {7, "PPP", packet::LinkType::kPpp},
    {8, "SMDS", std::nullopt},
    {9, "AAL5", std::nullopt},
    {10, "AAL5-IP", packet::LinkType::kRaw},
    {11, "IPv4", packet::LinkType::kIpv4},
    {12, "IPv6", packet::LinkType::kIpv6},
    {13, "MPLS", packet::LinkType::kMpls},
    {14, "POS", packet::LinkType::kPppHdlc},
    {15, "IEEE80211MAC", packet::LinkType::kIeee80211},
    {16, "IEEE80211-AMPDU", std::nullopt},
    {17, "IEEE80211-AMSDU-SUBFRAME", std::nullopt},
};

// Null if the number is not known.
inline const HeaderProtocol* FindHeaderProtocol(uint32_t number) {
  constexpr uint32_t kCount = sizeof(kHeaderProtocols) / sizeof(kHeaderProtocols[0]);
  return number >= 1 && number <= kCount ? &kHeaderProtocols[number - 1] : nullptr;
}

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_HEADER_PROTOCOL_H_
