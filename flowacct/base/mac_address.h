// An EUI-48 address (IEEE 802). A plain value.

#ifndef FLOWACCT_BASE_MAC_ADDRESS_H_
#define FLOWACCT_BASE_MAC_ADDRESS_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace flowacct::base {

struct MacAddress {
  static constexpr size_t kTextSize = 17;
  std::array<uint8_t, 6> octets{};

  static MacAddress From(const uint8_t* p) {
    MacAddress m;
    std::memcpy(m.octets.data(), p, 6);
    return m;
  }
  // "02:00:00:00:00:01"; also with '-'.
  static std::optional<MacAddress> Parse(absl::string_view text);
  // Writes kTextSize characters.
  size_t Format(char* out) const;
  std::string ToString() const;

  friend bool operator==(const MacAddress& a, const MacAddress& b) { return a.octets == b.octets; }
  friend bool operator<(const MacAddress& a, const MacAddress& b) { return a.octets < b.octets; }
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_MAC_ADDRESS_H_
