// What GTP's information elements hold, as plain values, the same for all versions.
//
// Standards: 3GPP TS 29.060 (GTPv1), TS 29.274 (GTPv2), TS 29.281 (GTP-U), TS 23.003 (identities). Section numbers
// beside the types are those of TS 29.274, Release 17, unless they say otherwise.
// Threads: any. Errors: none here; what an element's octets cannot mean is told by its decoder.

#ifndef FLOWACCT_GTP_VALUES_H_
#define FLOWACCT_GTP_VALUES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::gtp {

// MCC and MNC: five or six digits (TS 23.003, 2.4).
using Plmn = base::Digits;
// From the three octets that all of GTP has it in (8.18): MCC2 MCC1, MNC3 MCC3, MNC2 MNC1. Empty if it is no number.
Plmn PlmnFromOctets(const uint8_t* octets);

// An access point name as its dotted text, "internet.mnc001.mcc001.gprs" (TS 23.003, 9.1).
struct Apn {
  static constexpr size_t kMaxSize = 100;

  std::array<char, kMaxSize> octets{};
  uint8_t size = 0;

  absl::string_view text() const { return absl::string_view(octets.data(), size); }
  // Without and with the operator identifier "mncNNN.mccNNN.gprs"; the second is empty if it has none.
  absl::string_view network() const;
  absl::string_view operator_id() const;
  bool operator==(const Apn& o) const { return text() == o.text(); }
  bool operator!=(const Apn& o) const { return !(*this == o); }
};

// From labels, each behind the octet of its length (TS 23.003, 9.1), with or without the root label; or from the dotted
// text itself, as some nodes have it, if its first octet is more than the length of any label. Nothing if it has no
// label, an empty one, one of more than 63 octets or beyond the end, a dot or another octet that is no visible ASCII
// within, or more than 100 octets. Letters stay as they came: equal names may be written in several ways.
std::optional<Apn> ApnFromLabels(base::Octets octets);

// The interface that an F-TEID is of: a number of table 8.22-1; kept though nobody here knows it. GTPv1 has no such
// numbers: its endpoints are told by those beyond 0xff. Number, name, plane (of PMIPv6 the "TEID" is a GRE key), text.
using InterfaceType = uint16_t;
#define FLOWACCT_GTP_INTERFACE_TYPES(X)                                           \
  X(0, kS1UEnodebGtpU, kUser, "S1-U eNodeB GTP-U")                                \
  X(1, kS1USgwGtpU, kUser, "S1-U SGW GTP-U")                                      \
  X(2, kS12RncGtpU, kUser, "S12 RNC GTP-U")                                       \
  X(3, kS12SgwGtpU, kUser, "S12 SGW GTP-U")                                       \
  X(4, kS5SgwGtpU, kUser, "S5/S8 SGW GTP-U")                                      \
  X(5, kS5PgwGtpU, kUser, "S5/S8 PGW GTP-U")                                      \
  X(6, kS5SgwGtpC, kControl, "S5/S8 SGW GTP-C")                                   \
  X(7, kS5PgwGtpC, kControl, "S5/S8 PGW GTP-C")                                   \
  X(8, kS5SgwPmip, kPmip, "S5/S8 SGW PMIPv6")                                     \
  X(9, kS5PgwPmip, kPmip, "S5/S8 PGW PMIPv6")                                     \
  X(10, kS11MmeGtpC, kControl, "S11 MME GTP-C")                                   \
  X(11, kS11SgwGtpC, kControl, "S11/S4 SGW GTP-C")                                \
  X(12, kS10MmeGtpC, kControl, "S10/N26 MME GTP-C")                               \
  X(13, kS3MmeGtpC, kControl, "S3 MME GTP-C")                                     \
  X(14, kS3SgsnGtpC, kControl, "S3 SGSN GTP-C")                                   \
  X(15, kS4SgsnGtpU, kUser, "S4 SGSN GTP-U")                                      \
  X(16, kS4SgwGtpU, kUser, "S4 SGW GTP-U")                                        \
  X(17, kS4SgsnGtpC, kControl, "S4 SGSN GTP-C")                                   \
  X(18, kS16SgsnGtpC, kControl, "S16 SGSN GTP-C")                                 \
  X(19, kEnodebDlForwarding, kUser, "eNodeB/gNodeB GTP-U for DL data forwarding") \
  X(20, kEnodebUlForwarding, kUser, "eNodeB GTP-U for UL data forwarding")        \
  X(21, kRncForwarding, kUser, "RNC GTP-U for data forwarding")                   \
  X(22, kSgsnForwarding, kUser, "SGSN GTP-U for data forwarding")                 \
  X(23, kSgwDlForwarding, kUser, "SGW/UPF GTP-U for DL data forwarding")          \
  X(24, kSmMbmsGwGtpC, kControl, "Sm MBMS GW GTP-C")                              \
  X(25, kSnMbmsGwGtpC, kControl, "Sn MBMS GW GTP-C")                              \
  X(26, kSmMmeGtpC, kControl, "Sm MME GTP-C")                                     \
  X(27, kSnSgsnGtpC, kControl, "Sn SGSN GTP-C")                                   \
  X(28, kSgwUlForwarding, kUser, "SGW GTP-U for UL data forwarding")              \
  X(29, kSnSgsnGtpU, kUser, "Sn SGSN GTP-U")                                      \
  X(30, kS2bEpdgGtpC, kControl, "S2b ePDG GTP-C")                                 \
  X(31, kS2bEpdgGtpU, kUser, "S2b-U ePDG GTP-U")                                  \
  X(32, kS2bPgwGtpC, kControl, "S2b PGW GTP-C")                                   \
  X(33, kS2bPgwGtpU, kUser, "S2b-U PGW GTP-U")                                    \
  X(34, kS2aTwanGtpU, kUser, "S2a TWAN GTP-U")                                    \
  X(35, kS2aTwanGtpC, kControl, "S2a TWAN GTP-C")                                 \
  X(36, kS2aPgwGtpC, kControl, "S2a PGW GTP-C")                                   \
  X(37, kS2aPgwGtpU, kUser, "S2a PGW GTP-U")                                      \
  X(38, kS11MmeGtpU, kUser, "S11 MME GTP-U")                                      \
  X(39, kS11SgwGtpU, kUser, "S11 SGW GTP-U")                                      \
  X(40, kN26AmfGtpC, kControl, "N26 AMF GTP-C")                                   \
  X(41, kN19mbUpfGtpU, kUser, "N19mb UPF GTP-U")                                  \
  X(0x100, kGnSgsnGtpU, kUser, "Gn/Gp SGSN GTP-U")                                \
  X(0x101, kGnGgsnGtpU, kUser, "Gn/Gp GGSN GTP-U")                                \
  X(0x102, kGnSgsnGtpC, kControl, "Gn/Gp SGSN GTP-C")                             \
  X(0x103, kGnGgsnGtpC, kControl, "Gn/Gp GGSN GTP-C")                             \
  X(0x104, kIuRncGtpU, kUser, "Iu RNC GTP-U")                                     \
  X(0x105, kAnyGtpU, kUser, "GTP-U") /* of error indications, which do not tell */

#define X(number, name, plane, text) inline constexpr InterfaceType name = number;
FLOWACCT_GTP_INTERFACE_TYPES(X)
#undef X

enum class InterfacePlane : uint8_t { kUnknown, kControl, kUser, kPmip };
absl::string_view InterfaceTypeName(InterfaceType type);  // empty if unknown
InterfacePlane PlaneOf(InterfaceType type);

// A fully qualified tunnel endpoint identifier (8.22).
struct Fteid {
  InterfaceType interface_type = 0;
  uint8_t instance = 0;  // of the element, which tells some of them apart
  uint32_t teid = 0;
  std::optional<base::IpAddress> v4, v6;
};

// The addresses of a subscriber: end user address of GTPv1 (TS 29.060, 7.7.27), PAA (8.14). A dynamic IPv4 address that
// is still to be assigned, 0.0.0.0, is absent.
struct UeAddresses {
  std::optional<base::IpAddress> v4;
  std::optional<base::IpAddress> v6;  // the prefix, of v6_length bits
  uint8_t v6_length = 64;             // shorter with a delegated prefix
  bool operator==(const UeAddresses& o) const { return v4 == o.v4 && v6 == o.v6 && v6_length == o.v6_length; }
};

// The ways to say where (8.21; TS 29.060, 7.7.51): name, bits of `code`, bits of `cell`.
// `code` is the LAC of the first three and of kLai, the TAC of kTai; `cell` is CI, SAC, RAC (an octet; the second one
// of its field is filled up), ECI, eNodeB identity.
#define FLOWACCT_GTP_LOCATION_FORMS(X)   \
  X(kCgi, "cgi", 16, 16)                 \
  X(kSai, "sai", 16, 16)                 \
  X(kRai, "rai", 16, 8)                  \
  X(kTai, "tai", 16, 0)                  \
  X(kEcgi, "ecgi", 0, 28)                \
  X(kLai, "lai", 16, 0)                  \
  X(kMacroEnodeb, "macro_enodeb", 0, 20) \
  X(kExtendedMacroEnodeb, "ext_macro_enodeb", 0, 21)

enum class LocationForm : uint8_t {
#define X(name, text, code_bits, cell_bits) name,
  FLOWACCT_GTP_LOCATION_FORMS(X)
#undef X
};

inline constexpr size_t kLocationForms = 0
#define X(name, text, code_bits, cell_bits) +1
    FLOWACCT_GTP_LOCATION_FORMS(X)
#undef X
    ;

absl::string_view LocationFormName(LocationForm form);

struct LocationArea {
  Plmn plmn;
  uint32_t code = 0;
  uint32_t cell = 0;
  bool operator==(const LocationArea& o) const { return plmn == o.plmn && code == o.code && cell == o.cell; }
};

// User location information in all the forms that were told at once.
struct UserLocation {
  uint16_t present = 0;  // bit 1 << form
  std::array<LocationArea, kLocationForms> areas{};

  bool Has(LocationForm form) const { return (present >> static_cast<unsigned>(form) & 1) != 0; }
  const LocationArea& operator[](LocationForm form) const { return areas[static_cast<size_t>(form)]; }
  void Set(LocationForm form, const LocationArea& area) {
    present = static_cast<uint16_t>(present | 1u << static_cast<unsigned>(form));
    areas[static_cast<size_t>(form)] = area;
  }
  bool operator==(const UserLocation& o) const { return present == o.present && areas == o.areas; }
};

// The form that tells most exactly where: a cell before a service area before a base station before an area of many.
std::optional<LocationForm> MostExactForm(const UserLocation& location);

// "ecgi:262-01-1234567", "cgi:262-01-258-772", "tai:310-410-12594": form, MCC, MNC, and in decimal the code and cell,
// as far as the form has them. Writes at most kLocationTextSize characters; returns how many.
inline constexpr size_t kLocationTextSize = 48;
size_t FormatLocation(LocationForm form, const LocationArea& area, char* out);
std::string LocationText(LocationForm form, const LocationArea& area);

// Numbers of 8.17; GTPv1's (TS 29.060, 7.7.50) are the same as far as they go.
using RatType = uint8_t;
absl::string_view RatTypeName(RatType rat);  // "EUTRAN"; empty if unknown

// The octet of a time zone: quarters of an hour from UTC, as two digits with a sign (TS 24.008, 10.5.3.8); with
// daylight saving already. Nothing if the digits are none.
std::optional<int> TimeZoneMinutes(uint8_t octet);
std::string TimeZoneText(uint8_t octet);  // "+02:00", "-05:45"; empty if the digits are none

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_VALUES_H_
