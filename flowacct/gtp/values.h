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
};

// The interface that an F-TEID is of: a number of table 8.22-1; kept though nobody here knows it. GTPv1 has no such
// numbers: its endpoints are told by those beyond 0xff.
using InterfaceType = uint16_t;
inline constexpr InterfaceType kGnSgsnGtpU = 0x100, kGnGgsnGtpU = 0x101, kGnSgsnGtpC = 0x102, kGnGgsnGtpC = 0x103,
                               kIuRncGtpU = 0x104;

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

// The ways to say where (8.21; TS 29.060, 7.7.51; TS 38.413 for the last two): name, bits of `code`, bits of `cell`.
// `code` is the LAC of the first three and of kLai, else the TAC; `cell` is CI, SAC, RAC, ECI, eNodeB identity, NCI.
#define FLOWACCT_GTP_LOCATION_FORMS(X)    \
  X(kCgi, "cgi", 16, 16)                  \
  X(kSai, "sai", 16, 16)                  \
  X(kRai, "rai", 16, 16)                  \
  X(kTai, "tai", 16, 0)                   \
  X(kEcgi, "ecgi", 0, 28)                 \
  X(kLai, "lai", 16, 0)                   \
  X(kMacroEnodeb, "macro_enodeb", 16, 20) \
  X(kExtendedMacroEnodeb, "ext_macro_enodeb", 16, 22)

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

// Numbers of 8.17; GTPv1's (TS 29.060, 7.7.50) are the same as far as they go.
using RatType = uint8_t;
absl::string_view RatTypeName(RatType rat);  // "EUTRAN"; empty if unknown

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_VALUES_H_
