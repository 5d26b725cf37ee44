// What correlation knows of one bearer (or PDP context) at one time: what a packet in its tunnels is joined with.
//
// Immutable: a change makes new facts, and the tunnel has both with the times from which they count. `id` is the same
// for the same facts, and means other facts only after all readers were quiescent and `serial` is another: who keeps
// what he derived from facts (interned texts) compares both.
// Texts are ids of the engine's interner (SessionReader::text), locations of its table of locations.
// Threads: any that read as SessionReader says. Cost: some 200 octets, once for each change of a bearer.

#ifndef FLOWACCT_SESSION_FACTS_H_
#define FLOWACCT_SESSION_FACTS_H_

#include <cstdint>

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
  X(kN9, "N9")

enum class Interface : uint8_t {
#define X(name, text) name,
  FLOWACCT_SESSION_INTERFACES(X)
#undef X
};

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
  X(kAmbiguous, "ambiguous", "several subscribers had this address at this time")

enum class Match : uint8_t {
#define X(name, text, help) name,
  FLOWACCT_SESSION_MATCHES(X)
#undef X
};

absl::string_view MatchName(Match match);

struct Endpoint {
  base::IpAddress address;
  uint32_t teid = 0;
};

enum class Roaming : uint8_t { kUnknown, kHome, kInbound, kOutbound, kTransit };

struct Facts {
  uint32_t id = 0;
  uint32_t serial = 0;
  uint64_t session = 0;  // a number for each PDN connection, never used for another one
  base::Digits imsi, msisdn, imei;
  base::Digits home_plmn;     // of the IMSI; the length of the MNC by the list of options, or by the APN
  base::Digits visited_plmn;  // serving network, or what the map of peers' addresses says
  base::InternId apn = 0, apn_operator = 0;
  uint32_t location = 0;  // SessionReader::location; 0: none
  uint32_t charging_id = 0;
  int64_t start_nanos = 0;  // of the session, since 1970
  base::IpAddress ue_v4;    // unspecified: none
  base::IpPrefix ue_v6;     // length 0: none
  Endpoint up, down;        // of the tunnel that was looked up: who takes what goes up, and down
  uint16_t charging_characteristics = 0;
  uint8_t rat = 0, qci = 0, arp = 0, ebi = 0;
  Roaming roaming = Roaming::kUnknown;
  bool has_charging_id = false, has_charging_characteristics = false, has_qci = false, has_arp = false;
};

// What a look-up gives. `facts` is null unless it was joined; valid until the reader is quiescent.
struct Found {
  Match match = Match::kNone;
  Direction direction = Direction::kUnknown;
  Interface interface = Interface::kUnknown;
  const Facts* facts = nullptr;
  uint32_t volume = 0;  // where to count the packet: SessionReader::Count
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_FACTS_H_
