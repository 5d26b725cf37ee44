// OPEN: its parameters and capabilities as views, what they say as a value, and what two OPENs agree on.
//
// Standards: RFC 4271 (4.2, 6.2), RFC 5492 (capabilities), RFC 9072 (more than 255 octets of parameters), RFC 6793 (4
// octets of AS), RFC 7911, 8950, 4724, 8538, 9494, 7313, 8654, 9234; the rows: capabilities.def.
// Checked by ParseOpen: version, lengths, AS, hold time and identifier as RFC 4271, 6.2 and RFC 7607 ask for. A
// capability whose value does not fit its row is counted and ignored, but for the 4-octet AS, without which the rest
// cannot be right.
// Ownership: OpenView borrows the message; Open is a value of bounded size (families are a set, names at most 255
// octets). Threads: plain values.
// Errors: OpenError, ready for a NOTIFICATION.
// Cost: once a session.

#ifndef FLOWACCT_BGP_OPEN_H_
#define FLOWACCT_BGP_OPEN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/notification.h"
#include "flowacct/bgp/session_context.h"

namespace flowacct::bgp {

inline constexpr uint8_t kVersion = 4;                // RFC 4271, 4.2
inline constexpr uint8_t kCapabilitiesParameter = 2;  // RFC 5492, 4

enum class CapabilityCode : uint8_t {
#define FLOWACCT_BGP_CAPABILITY(code, name, text, least, most, rfc) name = code,
#include "flowacct/bgp/capabilities.def"
#undef FLOWACCT_BGP_CAPABILITY
};

struct CapabilityRow {
  uint8_t code;
  absl::string_view name;
  uint8_t least_octets, most_octets;
  absl::string_view standard;
};
// Nothing for one that has no row.
const CapabilityRow* FindCapability(uint8_t code);

struct CapabilityView {
  uint8_t code = 0;
  base::Octets value;
};

// The octets of an OPEN whose boundary is known.
class OpenView {
 public:
  explicit OpenView(base::Octets message) : message_(message) {}
  uint8_t version() const { return message_[19]; }
  uint16_t as2() const { return base::LoadBe16(message_.data() + 20); }  // kAsTrans if it has 4 octets
  uint16_t hold_time_seconds() const { return base::LoadBe16(message_.data() + 22); }
  uint32_t bgp_identifier() const { return base::LoadBe32(message_.data() + 24); }

  // void(const CapabilityView&) for each capability of each parameter. False if a length does not fit; *other: a
  // parameter that is none of capabilities.
  template <typename Visitor>
  bool ForEachCapability(Visitor&& visit, std::optional<uint8_t>* other) const {
    base::Octets rest;
    size_t length_octets = 1;
    if (!Parameters(&rest, &length_octets)) return false;
    while (!rest.empty()) {
      if (rest.size() < 1 + length_octets) return false;
      const uint8_t type = rest[0];
      const size_t length = length_octets == 2 ? base::LoadBe16(rest.data() + 1) : rest[1];
      rest.remove_prefix(1 + length_octets);
      if (length > rest.size()) return false;
      base::Octets value = rest.subspan(0, length);
      rest.remove_prefix(length);
      if (type != kCapabilitiesParameter) {
        *other = type;
        continue;
      }
      while (!value.empty()) {
        if (value.size() < 2 || value[1] > value.size() - 2) return false;
        visit(CapabilityView{value[0], value.subspan(2, value[1])});
        value.remove_prefix(2 + size_t{value[1]});
      }
    }
    return true;
  }

 private:
  // RFC 9072, 2: of one or two octets of length.
  bool Parameters(base::Octets* parameters, size_t* length_octets) const;
  base::Octets message_;
};

// RFC 9234, 4.1.
enum class Role : uint8_t { kProvider = 0, kRouteServer = 1, kRouteServerClient = 2, kCustomer = 3, kPeer = 4 };

struct GracefulRestart {  // RFC 4724, 3
  bool restarting = false;
  bool notification = false;  // N, RFC 8538: also kept over a NOTIFICATION
  uint16_t restart_seconds = 0;
  FamilySet families;
  FamilySet forwarding_kept;
};

struct LongLivedGracefulRestart {  // RFC 9494, 3.1
  FamilySet families;
  std::array<uint32_t, kFamilyCount> stale_seconds{};
};

// What an OPEN says.
struct Open {
  uint32_t as = 0;
  uint16_t hold_time_seconds = 90;
  uint32_t bgp_identifier = 0;
  bool as4 = false;
  bool route_refresh = false;
  bool enhanced_route_refresh = false;
  bool extended_message = false;
  FamilySet families;  // if it names none: IPv4 unicast (RFC 4760, 8); kOther: some that have no row
  FamilySet add_path_send, add_path_receive;
  FamilySet extended_next_hop;  // IPv4 families that may have IPv6 next hops
  FamilySet multiple_labels;
  std::optional<GracefulRestart> graceful_restart;
  std::optional<LongLivedGracefulRestart> long_lived_graceful_restart;
  std::optional<Role> role;
  std::string host_name, domain_name, software_version;  // as they came
  uint32_t capabilities = 0;                             // of all kinds
  uint32_t unknown_capabilities = 0;
  uint32_t malformed_capabilities = 0;
};

struct OpenError {
  NotificationCode code = NotificationCode::kOpenMessageError;
  std::array<uint8_t, 2> data{};
  size_t data_octets = 0;
};

// What to demand of an OPEN beyond what the standard does.
struct OpenDemands {
  uint32_t as = 0;                     // 0: any
  uint16_t min_hold_time_seconds = 3;  // RFC 4271, 4.2; 0 from the neighbour (no keepalives) is accepted
};

// Nothing if the message is right, and then *open is what it says.
std::optional<OpenError> ParseOpen(base::Octets message, const OpenDemands& demands, Open* open);

// What holds between who sent `sent` and who sent `received`, for reading what the latter sends.
SessionContext Negotiate(const Open& sent, const Open& received);

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_OPEN_H_
