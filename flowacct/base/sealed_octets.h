// State that is kept in a file and read back later, by this program or by a newer one: octets with what they are, in
// which version, how many, and a sum over all of it.
//
//     "flowacct" | kind, 1 octet of length and text | version, 2 octets | octets of the body, 8 octets | body | sum, 8
//     octets
//
// Guaranteed: octets that were cut, lengthened or changed in one place are refused; the sum (FNV-1a, 64 bits) is
// against accidents, not against enemies, so who reads the body must bear any octets. All numbers are big-endian.
// Ownership: what Unseal gives is borrowed from the octets. Any thread. Cost: one pass.

#ifndef FLOWACCT_BASE_SEALED_OCTETS_H_
#define FLOWACCT_BASE_SEALED_OCTETS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"

namespace flowacct::base {

// `kind`: what it is, at most 255 octets ("netflow decoder").
std::string Seal(absl::string_view kind, uint16_t version, Octets body);

struct SealedOctets {
  uint16_t version = 0;
  Octets body;
};
// InvalidArgument: these octets are none of this kind, or of a version above `newest`. DataLoss: they are damaged.
absl::StatusOr<SealedOctets> Unseal(absl::string_view kind, uint16_t newest, Octets octets);

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_SEALED_OCTETS_H_
