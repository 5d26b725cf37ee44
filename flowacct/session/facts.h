// What correlation knows of one bearer (or PDP context) at one time: what a packet in its tunnels is joined with.
//
// Immutable: a change makes new facts, and the bearer has both with the times from which they count. `id` is the same
// for the same facts, and means other facts only after all readers were quiescent and `serial` is another: who keeps
// what he derived from facts (interned texts) compares both.
// Texts are ids of the engine's interner (SessionReader::text), locations of its table of locations.
// Threads: any that read as SessionReader says. Cost: 104 octets, once for each change of a bearer, so what is looked
// at seldom is packed and has a function.

#ifndef FLOWACCT_SESSION_FACTS_H_
#define FLOWACCT_SESSION_FACTS_H_

#include <atomic>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"

namespace flowacct::session {

// Where a tunnel runs. Name, text as fields and documents have it.
#define FLOWACCT_SESSION_INTERFACES(X) \
  X(kUnknown, "")                      \
  X(kGn, "Gn/Gp")                      \
  X(kIuPs, "Iu-PS")                    \
  X(kS1U, "S1-U")                      \
  X(kS5, "S5/S8")                      \
  X(kS4, "S4")                         \
  X(kS12, "S12")                       \
  X(kX2, "X2")                         \
  X(kForwarding, "forwarding")         \
  X(kN3, "N3")                         \
  X(kN9, "N9")                         \
  X(kS11U, "S11-U")                    \
  X(kS2a, "S2a")                       \
  X(kS2b, "S2b")

enum class Interface : uint8_t {
#define X(name, text) name,
  FLOWACCT_SESSION_INTERFACES(X)
#undef X
};

inline constexpr size_t kInterfaces = 0
#define X(name, text) +1
    FLOWACCT_SESSION_INTERFACES(X)
#undef X
    ;

absl::string_view InterfaceName(Interface interface);

enum class Direction : uint8_t { kUnknown, kUp, kDown };

// Why a packet is joined, or not; the values of the field gtp_match.
#define FLOWACCT_SESSION_MATCHES(X)                                                    \
  X(kNone, "", "not of a tunnel")                                                      \
  X(kJoined, "joined", "by its tunnel")                                                \
  X(kJoinedByAddress, "joined_by_address", "by the subscriber's address and the time") \
  X(kUnknownTeid, "unknown_teid", "its peer is known, nobody made this tunnel")        \
  X(kExpired, "expired", "the tunnel was there, but not at this time")                 \
  X(kNoControl, "no_control", "no control message of this peer was seen")              \
  X(kAmbiguous, "ambiguous", "several subscribers had this address at this time")      \
  X(kOtherAddress, "other_address", "the tunnel's subscriber has another address")

enum class Match : uint8_t {
#define X(name, text, help) name,
  FLOWACCT_SESSION_MATCHES(X)
#undef X
};
inline constexpr size_t kMatches = 0
#define X(name, text, help) +1
    FLOWACCT_SESSION_MATCHES(X)
#undef X
    ;

absl::string_view MatchName(Match match);

struct Endpoint {
  base::IpAddress address;
  uint32_t teid = 0;

  bool operator==(const Endpoint& o) const { return address == o.address && teid == o.teid; }
};

// Home and visited network against the own ones: kHome own in own, kInbound a guest, kOutbound an own one abroad,
// kTransit neither.
#define FLOWACCT_SESSION_ROAMING(X) \
  X(kUnknown, "")                   \
  X(kHome, "home")                  \
  X(kInbound, "inbound")            \
  X(kOutbound, "outbound")          \
  X(kTransit, "transit")

enum class Roaming : uint8_t {
#define X(name, text) name,
  FLOWACCT_SESSION_ROAMING(X)
#undef X
};

absl::string_view RoamingName(Roaming roaming);

// MCC and MNC in 24 bits, as the first six nibbles of base::Digits.
class PackedPlmn {
 public:
  PackedPlmn() = default;
  explicit PackedPlmn(base::Digits plmn) : bits_(static_cast<uint32_t>(plmn.bits() >> 40)) {}
  base::Digits digits() const { return base::Digits::FromBits(uint64_t{bits_} << 40 | 0xffffffffff); }
  bool empty() const { return bits_ == 0xffffff; }
  bool operator==(PackedPlmn o) const { return bits_ == o.bits_; }

 private:
  uint32_t bits_ = 0xffffff;
};

struct Facts {
  uint64_t session = 0;  // a number for each PDN connection, never used for another one
  base::Digits imsi, msisdn, imei;
  int64_t start_nanos = 0;  // of the session, since 1970
  int64_t from_nanos = 0;   // from when on these facts count
  uint32_t id = 0;
  uint32_t serial = 0;
  base::InternId apn = 0, apn_operator = 0;
  uint32_t location = 0;  // SessionReader::location; 0: none
  uint32_t charging_id = 0;
  PackedPlmn packed_home, packed_visited;
  uint32_t packed_v4 = 0;
  uint8_t packed_v6[8] = {};
  std::atomic<uint32_t> previous{0};  // the engine's: the facts before these; 0: none that are kept
  uint16_t charging_characteristics = 0;
  uint8_t rat = 0, qci = 0, arp = 0, ebi = 0;
  uint8_t v6_length = 0;
  Roaming roaming : 4;
  bool has_charging_id : 1, has_charging_characteristics : 1, has_qci : 1, has_arp : 1;

  Facts()
      : roaming(Roaming::kUnknown),
        has_charging_id(false),
        has_charging_characteristics(false),
        has_qci(false),
        has_arp(false) {}
  Facts(const Facts& o) : Facts() { *this = o; }
  // All but the chain of facts, which is the engine's.
  Facts& operator=(const Facts& o);

  base::Digits home_plmn() const { return packed_home.digits(); }        // of the IMSI
  base::Digits visited_plmn() const { return packed_visited.digits(); }  // serving network, or by the peer's address
  // Unspecified (::): it has none.
  base::IpAddress ue_v4() const { return packed_v4 == 0 ? base::IpAddress() : base::IpAddress::V4(packed_v4); }
  // Length 0: it has none. At most 64 bits: what is behind them the subscriber chooses.
  base::IpPrefix ue_v6() const;
};
static_assert(sizeof(Facts) == 104);

// What a look-up gives. `facts` is null unless it was joined; valid until the reader is quiescent, as all of it.
struct Found {
  Match match = Match::kNone;
  Direction direction = Direction::kUnknown;
  Interface interface = Interface::kUnknown;
  uint32_t tunnel = 0;  // for SessionReader::Endpoints; 0: not by a tunnel
  uint32_t volume = 0;  // where to count the packet: SessionReader::Count; 0: nowhere, as in forwarding tunnels
  uint32_t peer = 0;    // whom its outer destination address belongs to; 0: unknown
  const Facts* facts = nullptr;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_FACTS_H_
