#include "flowacct/bgp/message_writer.h"

#include <algorithm>
#include <cstddef>

#include "flowacct/bgp/as_path.h"

namespace flowacct::bgp {
namespace {

// RFC 4271, 4.1; returns where the message begins.
size_t BeginMessage(MessageType type, base::OctetWriter* out) {
  const size_t start = out->size();
  out->Fill(16, 0xff).U16(0).U8(static_cast<uint8_t>(type));
  return start;
}

void EndMessage(size_t start, base::OctetWriter* out) {
  out->PatchU16(start + 16, static_cast<uint16_t>(out->size() - start));
}

void PutFamily(Family family, base::OctetWriter* out) { out->U16(RowOf(family).afi).U8(RowOf(family).safi); }

void PutCapability(CapabilityCode code, const base::OctetWriter& value, base::OctetWriter* out) {
  if (value.size() > 255) return;
  out->U8(static_cast<uint8_t>(code)).U8(static_cast<uint8_t>(value.size())).Bytes(value.octets());
}

FamilySet WithRows(FamilySet families) {
  FamilySet known;
  families.ForEach([&](Family family) {
    if (family != Family::kOther) known.Add(family);
  });
  return known;
}

void PutCapabilities(const Open& open, base::OctetWriter* out) {
  base::OctetWriter value;
  const auto put = [&](CapabilityCode code) {
    PutCapability(code, value, out);
    value.Clear();
  };
  WithRows(open.families).ForEach([&](Family family) {
    value.U16(RowOf(family).afi).U8(0).U8(RowOf(family).safi);
    put(CapabilityCode::kMultiprotocol);
  });
  if (open.route_refresh) put(CapabilityCode::kRouteRefresh);
  if (open.enhanced_route_refresh) put(CapabilityCode::kEnhancedRouteRefresh);
  if (open.extended_message) put(CapabilityCode::kExtendedMessage);
  if (open.as4) {
    value.U32(open.as);
    put(CapabilityCode::kAs4);
  }
  if (!WithRows(open.extended_next_hop).empty()) {
    WithRows(open.extended_next_hop).ForEach([&](Family family) {
      value.U16(RowOf(family).afi).U16(RowOf(family).safi).U16(2);
    });
    put(CapabilityCode::kExtendedNextHop);
  }
  const FamilySet add_path = WithRows(open.add_path_send | open.add_path_receive);
  if (!add_path.empty()) {
    add_path.ForEach([&](Family family) {
      PutFamily(family, &value);
      value.U8(
          static_cast<uint8_t>((open.add_path_receive.Has(family) ? 1 : 0) | (open.add_path_send.Has(family) ? 2 : 0)));
    });
    put(CapabilityCode::kAddPath);
  }
  if (open.graceful_restart) {
    const GracefulRestart& restart = *open.graceful_restart;
    value.U16(static_cast<uint16_t>((restart.restarting ? 0x8000 : 0) | (restart.notification ? 0x4000 : 0) |
                                    (restart.restart_seconds & 0x0fff)));
    WithRows(restart.families).ForEach([&](Family family) {
      PutFamily(family, &value);
      value.U8(restart.forwarding_kept.Has(family) ? 0x80 : 0);
    });
    put(CapabilityCode::kGracefulRestart);
  }
  if (open.long_lived_graceful_restart) {
    const LongLivedGracefulRestart& restart = *open.long_lived_graceful_restart;
    WithRows(restart.families).ForEach([&](Family family) {
      PutFamily(family, &value);
      value.U8(0).U24(restart.stale_seconds[static_cast<size_t>(family)]);
    });
    put(CapabilityCode::kLongLivedGracefulRestart);
  }
  if (open.role) {
    value.U8(static_cast<uint8_t>(*open.role));
    put(CapabilityCode::kRole);
  }
  if (!open.host_name.empty() && open.host_name.size() + open.domain_name.size() <= 253) {
    value.U8(static_cast<uint8_t>(open.host_name.size())).Text(open.host_name);
    value.U8(static_cast<uint8_t>(open.domain_name.size())).Text(open.domain_name);
    put(CapabilityCode::kFqdn);
  }
  if (!open.software_version.empty() && open.software_version.size() <= 254) {
    value.U8(static_cast<uint8_t>(open.software_version.size())).Text(open.software_version);
    put(CapabilityCode::kSoftwareVersion);
  }
}

}  // namespace

void WriteOpen(const Open& open, base::OctetWriter* out) {
  base::OctetWriter capabilities;
  PutCapabilities(open, &capabilities);
  const size_t start = BeginMessage(MessageType::kOpen, out);
  out->U8(kVersion).U16(open.as > 0xffff ? static_cast<uint16_t>(kAsTrans) : static_cast<uint16_t>(open.as));
  out->U16(open.hold_time_seconds).U32(open.bgp_identifier);
  if (capabilities.size() == 0) {
    out->U8(0);
  } else if (capabilities.size() + 2 <= 254) {
    out->U8(static_cast<uint8_t>(capabilities.size() + 2)).U8(kCapabilitiesParameter);
    out->U8(static_cast<uint8_t>(capabilities.size())).Bytes(capabilities.octets());
  } else {  // RFC 9072, 2
    out->U8(255).U8(255).U16(static_cast<uint16_t>(capabilities.size() + 3)).U8(kCapabilitiesParameter);
    out->U16(static_cast<uint16_t>(capabilities.size())).Bytes(capabilities.octets());
  }
  EndMessage(start, out);
}

void WriteKeepalive(base::OctetWriter* out) { EndMessage(BeginMessage(MessageType::kKeepalive, out), out); }

void WriteNotification(const NotificationView& notification, base::OctetWriter* out) {
  const size_t start = BeginMessage(MessageType::kNotification, out);
  const size_t room = kMaxMessageOctets - kMessageHeaderOctets - 2;
  out->U8(notification.code).U8(notification.subcode);
  out->Bytes(notification.data.subspan(0, std::min(notification.data.size(), room)));
  EndMessage(start, out);
}

void WriteShutdownCommunication(absl::string_view text, base::OctetWriter* data) {
  size_t octets = std::min<size_t>(text.size(), 255);
  // Not within a character of UTF-8, whose later octets begin with the bits 10.
  if (octets < text.size()) {
    while (octets > 0 && (static_cast<uint8_t>(text[octets]) & 0xc0) == 0x80) --octets;
  }
  data->U8(static_cast<uint8_t>(octets)).Text(text.substr(0, octets));
}

void WriteRouteRefresh(Family family, RouteRefreshSubtype subtype, base::OctetWriter* out) {
  const size_t start = BeginMessage(MessageType::kRouteRefresh, out);
  out->U16(RowOf(family).afi).U8(static_cast<uint8_t>(subtype)).U8(RowOf(family).safi);
  EndMessage(start, out);
}

}  // namespace flowacct::bgp
