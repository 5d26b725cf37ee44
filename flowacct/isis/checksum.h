// The checksum of an LSP: Fletcher's sums modulo 255, placed so that both are zero over the octets that it covers.
//
// Standards: ISO/IEC 8473-1, annex C; ISO/IEC 10589, 7.3.11 (from the LSP identifier to the end of the PDU, so that the
// remaining lifetime can change on the way). Any thread. Cost: a third of a nanosecond an octet.

#ifndef FLOWACCT_ISIS_CHECKSUM_H_
#define FLOWACCT_ISIS_CHECKSUM_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/octets.h"

namespace flowacct::isis {

// True if `octets`, with the checksum in them, sum up to zero. A checksum of zero says that there is none (ISO 8473),
// which an LSP must not (10589, 7.3.14.2): the caller looks at that.
bool FletcherIsRight(base::Octets octets);
// What has to stand in the two octets at `at` (whatever stands there now); never 0. `at` + 2 must lie within.
uint16_t FletcherOf(base::Octets octets, size_t at);

// Of an LSP from its discriminator on, all of whose header is there.
bool LspChecksumIsRight(base::Octets lsp);
uint16_t LspChecksumOf(base::Octets lsp);

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_CHECKSUM_H_
