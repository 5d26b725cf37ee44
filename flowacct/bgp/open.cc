#include "flowacct/bgp/open.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "flowacct/bgp/as_path.h"
#include "flowacct/bgp/message_view.h"

namespace flowacct::bgp {
namespace {

constexpr CapabilityRow kCapabilities[] = {
#define FLOWACCT_BGP_CAPABILITY(code, name, text, least, most, rfc) {code, text, least, most, rfc},
#include "flowacct/bgp/capabilities.def"
#undef FLOWACCT_BGP_CAPABILITY
};

constexpr size_t kFixedOctets = kMessageHeaderOctets + 10;
constexpr uint8_t kExtendedParameters = 255;  // RFC 9072, 2

// Each entry of `size` octets that begins with AFI and SAFI; none, and false, if octets would be left over.
template <typename Visitor>
bool ForEachFamily(base::Octets value, size_t size, Visitor&& visit) {
  if (value.size() % size != 0) return false;
  for (; !value.empty(); value.remove_prefix(size)) {
    visit(FamilyOf(base::LoadBe16(value.data()), value[2]), value.data() + 3);
  }
  return true;
}

std::string Text(base::Octets octets) { return std::string(base::AsText(octets)); }

// False if the value is malformed.
bool Apply(const CapabilityView& capability, Open* open) {
  const base::Octets v = capability.value;
  switch (static_cast<CapabilityCode>(capability.code)) {
    case CapabilityCode::kMultiprotocol:
      open->families.Add(FamilyOf(base::LoadBe16(v.data()), v[3]));
      return true;
    case CapabilityCode::kRouteRefresh:
    case CapabilityCode::kCiscoRouteRefresh:
      open->route_refresh = true;
      return true;
    case CapabilityCode::kEnhancedRouteRefresh:
      open->enhanced_route_refresh = true;
      return true;
    case CapabilityCode::kExtendedMessage:
      open->extended_message = true;
      return true;
    case CapabilityCode::kAs4:
      open->as4 = true;
      open->as = base::LoadBe32(v.data());
      return true;
    case CapabilityCode::kExtendedNextHop: {  // AFI, SAFI in 16 bits, AFI of the next hop
      if (v.size() % 6 != 0) return false;
      for (size_t at = 0; at < v.size(); at += 6) {
        if (v[at + 2] == 0 && base::LoadBe16(v.data() + at + 4) == 2) {
          open->extended_next_hop.Add(FamilyOf(base::LoadBe16(v.data() + at), v[at + 3]));
        }
      }
      return true;
    }
    case CapabilityCode::kMultipleLabels:
      return ForEachFamily(v, 4, [&](Family family, const uint8_t*) { open->multiple_labels.Add(family); });
    case CapabilityCode::kAddPath:
      return ForEachFamily(v, 4, [&](Family family, const uint8_t* p) {  // others than 1 to 3 are ignored (RFC 7911, 4)
        if (*p == 1 || *p == 3) open->add_path_receive.Add(family);
        if (*p == 2 || *p == 3) open->add_path_send.Add(family);
      });
    case CapabilityCode::kGracefulRestart: {
      GracefulRestart restart;
      const uint16_t first = base::LoadBe16(v.data());
      restart.restarting = (first & 0x8000) != 0;
      restart.notification = (first & 0x4000) != 0;
      restart.restart_seconds = first & 0x0fff;
      const bool ok = ForEachFamily(v.subspan(2), 4, [&](Family family, const uint8_t* p) {
        restart.families.Add(family);
        if ((*p & 0x80) != 0) restart.forwarding_kept.Add(family);
      });
      if (ok) open->graceful_restart = restart;
      return ok;
    }
    case CapabilityCode::kLongLivedGracefulRestart: {
      LongLivedGracefulRestart restart;
      const bool ok = ForEachFamily(v, 7, [&](Family family, const uint8_t* p) {
        restart.families.Add(family);
        restart.stale_seconds[static_cast<size_t>(family)] = base::LoadBe24(p + 1);
      });
      if (ok) open->long_lived_graceful_restart = restart;
      return ok;
    }
    case CapabilityCode::kRole:
      if (v[0] > static_cast<uint8_t>(Role::kPeer)) return false;
      open->role = static_cast<Role>(v[0]);
      return true;
    case CapabilityCode::kFqdn: {
      const size_t host = v[0];
      if (host + 2 > v.size() || host + 2 + v[host + 1] > v.size()) return false;
      open->host_name = Text(v.subspan(1, host));
      open->domain_name = Text(v.subspan(host + 2, v[host + 1]));
      return true;
    }
    case CapabilityCode::kSoftwareVersion:
      if (size_t{v[0]} + 1 > v.size()) return false;
      open->software_version = Text(v.subspan(1, v[0]));
      return true;
    default:
      return true;
  }
}

OpenError Error(NotificationCode code) {
  OpenError error;
  error.code = code;
  return error;
}

}  // namespace

const CapabilityRow* FindCapability(uint8_t code) {
  for (const CapabilityRow& row : kCapabilities) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

bool OpenView::Parameters(base::Octets* parameters, size_t* length_octets) const {
  const base::Octets rest = message_.subspan(kFixedOctets);
  const size_t length = message_[kFixedOctets - 1];
  if (length != 0 && !rest.empty() && rest[0] == kExtendedParameters) {
    if (rest.size() < 3 || base::LoadBe16(rest.data() + 1) != rest.size() - 3) return false;
    *parameters = rest.subspan(3);
    *length_octets = 2;
    return true;
  }
  *parameters = rest;
  return length == rest.size();
}

std::optional<OpenError> ParseOpen(base::Octets message, const OpenDemands& demands, Open* open) {
  *open = Open();
  const OpenView view(message);
  if (view.version() != kVersion) {
    OpenError error = Error(NotificationCode::kUnsupportedVersionNumber);
    base::StoreBe16(error.data.data(), kVersion);
    error.data_octets = 2;
    return error;
  }
  open->as = view.as2();
  open->hold_time_seconds = view.hold_time_seconds();
  open->bgp_identifier = view.bgp_identifier();
  std::optional<uint8_t> other;
  bool as4_malformed = false;
  const bool whole = view.ForEachCapability(
      [&](const CapabilityView& capability) {
        ++open->capabilities;
        const CapabilityRow* row = FindCapability(capability.code);
        if (row == nullptr) {
          ++open->unknown_capabilities;
          return;
        }
        if (capability.value.size() < row->least_octets || capability.value.size() > row->most_octets ||
            !Apply(capability, open)) {
          ++open->malformed_capabilities;
          as4_malformed |= row->code == static_cast<uint8_t>(CapabilityCode::kAs4);
        }
      },
      &other);
  if (!whole || as4_malformed) return Error(NotificationCode::kOpenMessageError);  // RFC 4271, 6.2: Unspecific
  if (other) return Error(NotificationCode::kUnsupportedOptionalParameter);
  if (open->as == 0 || view.as2() == 0 || (demands.as != 0 && open->as != demands.as)) {
    return Error(NotificationCode::kBadPeerAs);
  }
  if (open->hold_time_seconds != 0 && open->hold_time_seconds < demands.min_hold_time_seconds) {
    return Error(NotificationCode::kUnacceptableHoldTime);
  }
  if (open->bgp_identifier == 0) return Error(NotificationCode::kBadBgpIdentifier);
  if (open->families.empty()) open->families.Add(Family::kIpv4Unicast);
  return std::nullopt;
}

SessionContext Negotiate(const Open& sent, const Open& received) {
  SessionContext context;
  context.as4 = sent.as4 && received.as4;
  context.external = sent.as != received.as;
  context.extended_message = sent.extended_message && received.extended_message;
  context.families = sent.families & received.families;
  context.add_path = sent.add_path_receive & received.add_path_send & context.families;
  context.extended_next_hop = sent.extended_next_hop & received.extended_next_hop & context.families;
  return context;
}

}  // namespace flowacct::bgp
