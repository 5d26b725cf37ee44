#include "flowacct/collector/generate/gtp_network.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/generate/flow_population.h"

namespace flowacct::collector {

namespace {

using base::Digits;
using base::IpAddress;

constexpr GtpApn kApns[] = {
    {"internet", true, false, false},       {"web", true, true, true},   {"corp-a.example", true, false, false},
    {"corp-b.example", true, false, false}, {"iot", false, true, false}, {"ims", false, true, false},
};
constexpr uint8_t kCorporateApn = 2;

// Foreign networks: five and six digits, some of one country.
constexpr absl::string_view kPartners[] = {"310260", "23415", "20801", "44010", "310410", "72411"};

Digits FromNumber(uint64_t number, int width) {
  char text[24];
  std::snprintf(text, sizeof(text), "%0*llu", width, static_cast<unsigned long long>(number));
  return *Digits::Parse(text);
}

}  // namespace

uint32_t GtpNode::NewTeid(int64_t now_nanos, int64_t reuse_nanos) {
  if (!free_teids.empty() && free_teids.front().since_nanos + reuse_nanos <= now_nanos) {
    const uint32_t teid = free_teids.front().teid;
    free_teids.pop_front();
    return teid;
  }
  return kFirstTeid + next_teid++;
}

void GtpNode::Restart() {
  ++recovery;
  next_teid = 1;
  free_teids.clear();
}

absl::string_view GtpRoamingName(GtpRoaming roaming) {
  constexpr absl::string_view kNames[] = {"home", "inbound", "outbound"};
  return kNames[static_cast<size_t>(roaming)];
}

const GtpApn& GtpApnAt(uint8_t index) { return kApns[index]; }

GtpNodeId GtpNetwork::Add(uint32_t control_v4, uint32_t user_v4, bool has_v4, bool has_v6) {
  GtpNode node;
  node.control = IpAddress::V4(control_v4);
  if (has_v4) node.v4 = IpAddress::V4(user_v4);
  if (has_v6) {
    uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff};
    base::StoreBe32(octets + 12, user_v4);
    node.v6 = IpAddress::FromV6(octets);
  }
  const auto id = static_cast<GtpNodeId>(nodes_.size());
  // Some stacks send requests from a port of their own.
  if (id % 3 == 1) node.request_port = static_cast<uint16_t>(40000 + id);
  node.recovery = static_cast<uint8_t>(1 + MixBits(options_.seed + id) % 200);
  node.next_sequence = static_cast<uint32_t>(MixBits(options_.seed ^ id) & 0x7fff);
  nodes_.push_back(std::move(node));
  return id;
}

GtpNetwork::GtpNetwork(const GtpNetworkOptions& options) : options_(options) {
  constexpr uint32_t kTen = 10u << 24;
  for (uint32_t i = 1; i <= 2; ++i) mmes_.push_back(Add(kTen | 1u << 16 | i, 0, false, false));
  for (uint32_t i = 1; i <= 4; ++i) {
    sgws_.push_back(Add(kTen | 2u << 16 | i, kTen | 2u << 16 | 1u << 8 | i, true, options.percent_v6_transport > 0));
  }
  // One of the gateways has one address for both planes.
  for (uint32_t i = 1; i <= 3; ++i) {
    pgws_.push_back(Add(kTen | 3u << 16 | i, kTen | 3u << 16 | (i == 3 ? 0 : 1u << 8) | i, true, false));
  }
  for (uint32_t i = 1; i <= 2; ++i) {
    sgsns_.push_back(Add(kTen | 4u << 16 | i, kTen | 4u << 16 | 1u << 8 | i, true, false));
  }
  for (uint32_t i = 1; i <= 2; ++i) upfs_.push_back(Add(0, kTen | 5u << 16 | i, true, false));
  for (uint32_t i = 1; i <= std::max(2u, options.enodebs / 10); ++i) {
    gnodebs_.push_back(Add(0, kTen | 128u << 16 | i, true, false));
  }
  for (uint32_t i = 1; i <= options.enodebs; ++i) {
    const bool v6 = MixBits(options.seed ^ ~uint64_t{i}) % 100 < static_cast<uint64_t>(options.percent_v6_transport);
    enodebs_.push_back(Add(0, kTen | 64u << 16 | i, !v6, v6));
  }
  constexpr uint32_t kForeign = 198u << 24 | 51u << 16 | 100u << 8, kForeignUser = 203u << 24 | 113u << 8;
  uint32_t i = 0;
  for (const absl::string_view plmn : kPartners) {
    if (const Digits digits = *Digits::Parse(plmn); digits != options.home_plmn) {
      Partner partner;
      partner.plmn = digits;
      const uint32_t at = 10 * ++i;
      partner.mme = Add(kForeign | at, 0, false, false);
      partner.sgw = Add(kForeign | (at + 1), kForeignUser | (at + 1), true, false);
      partner.pgw = Add(kForeign | (at + 2), kForeignUser | (at + 2), true, false);
      partner.sgsn = Add(kForeign | (at + 3), kForeignUser | (at + 3), true, false);
      partner.enodeb = Add(0, kForeignUser | (at + 4), true, false);
      partners_.push_back(partner);
    }
  }
}

GtpProfile GtpNetwork::Profile(uint32_t subscriber) const {
  RandomStream random(options_.seed ^ uint64_t{subscriber} << 20);
  GtpProfile profile;
  const auto roams = static_cast<int>(random.Below(100));
  if (roams < options_.percent_inbound) {
    profile.roaming = GtpRoaming::kInbound;
  } else if (roams < options_.percent_inbound + options_.percent_outbound) {
    profile.roaming = GtpRoaming::kOutbound;
  }
  profile.partner = static_cast<uint8_t>(random.Below(static_cast<uint32_t>(partners_.size())));
  profile.home_routed = random.Below(100) < 70;
  const auto access = static_cast<int>(random.Below(100));
  if (access < options_.percent_3g) {
    profile.access = GtpAccess::k3G;
  } else if (access < options_.percent_3g + options_.percent_5g && profile.roaming == GtpRoaming::kHome) {
    profile.access = GtpAccess::k5G;
  }
  profile.geran = random.Below(3) == 0;
  profile.has_ims = profile.access == GtpAccess::k4G && random.Below(100) < 35;
  profile.tells_operator = profile.roaming != GtpRoaming::kHome || random.Below(2) == 0;
  // Neighbours of one pair are in two companies, whose addresses are the same.
  if (MixBits(options_.seed + (subscriber >> 1)) % 100 < 10) {
    profile.apn = static_cast<uint8_t>(kCorporateApn + (subscriber & 1));
  } else {
    const uint32_t x = random.Below(100);
    profile.apn = x < 60 ? 0 : x < 90 ? 1 : 4;
  }
  return profile;
}

gtp::Plmn GtpNetwork::HomePlmn(const GtpProfile& profile) const {
  return profile.roaming == GtpRoaming::kInbound ? partners_[profile.partner].plmn : options_.home_plmn;
}

gtp::Plmn GtpNetwork::VisitedPlmn(const GtpProfile& profile) const {
  return profile.roaming == GtpRoaming::kOutbound ? partners_[profile.partner].plmn : options_.home_plmn;
}

Digits GtpNetwork::Imsi(uint32_t subscriber, const GtpProfile& profile) const {
  const Digits home = HomePlmn(profile);
  char text[Digits::kTextSize];
  const size_t n = home.Format(text);
  std::fill(text + n, text + 15, '0');
  for (size_t i = 15; subscriber > 0; subscriber /= 10) text[--i] = static_cast<char>('0' + subscriber % 10);
  return *Digits::Parse(absl::string_view(text, 15));
}

Digits GtpNetwork::Msisdn(uint32_t subscriber) const { return FromNumber(491700000000 + subscriber, 12); }

Digits GtpNetwork::Imei(uint32_t subscriber) const {
  // A type allocation code out of 64, then serial and software version.
  const uint64_t tac = 35000000 + MixBits(options_.seed ^ subscriber) % 64 * 1117;
  return FromNumber((tac * 1000000 + subscriber % 1000000) * 100 + 7, 16);
}

std::string GtpNetwork::ApnText(const GtpProfile& profile, uint8_t apn) const {
  if (!profile.tells_operator) return std::string(kApns[apn].name);
  const std::string plmn = HomePlmn(profile).ToString();
  // TS 23.003, 9.1.2: an MNC of two digits has a zero before it.
  return absl::StrCat(kApns[apn].name, ".mnc", plmn.size() == 5 ? "0" : "", plmn.substr(3), ".mcc", plmn.substr(0, 3),
                      ".gprs");
}

gtp::UeAddresses GtpNetwork::UeAddresses(uint32_t subscriber, uint8_t apn) const {
  gtp::UeAddresses ue;
  const GtpApn& about = kApns[apn];
  if (about.v4) {
    const bool corporate = apn == kCorporateApn || apn == kCorporateApn + 1;
    ue.v4 = IpAddress::V4(corporate ? (192u << 24 | 168u << 16 | ((subscriber >> 1) & 0xffff))
                                    : (100u << 24 | 64u << 16 | (subscriber & 0x3fffff)));
  }
  if (about.v6) {
    uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8};
    const uint32_t half = apn == kImsApn ? uint32_t{1} << 31 : 0;
    base::StoreBe32(octets + 4, half | (subscriber & 0x3fffff) << 8);
    ue.v6 = IpAddress::FromV6(octets);
    ue.v6_length = about.delegates ? 56 : 64;
  }
  return ue;
}

}  // namespace flowacct::collector
