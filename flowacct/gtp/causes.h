// Causes: why something was asked for, done, or refused.
//
// Standards: TS 29.274, table 8.4-1 (GTPv2); TS 29.060, 7.7.1, and TS 09.60, 7.9.1 (GTPv1 and v0, whose numbers are the
// same as far as v0 goes); TS 32.295, 6.2.4 (those that GTP' alone has).
// Threads: any. Errors: an unknown number has no name. Cost: a switch.

#ifndef FLOWACCT_GTP_CAUSES_H_
#define FLOWACCT_GTP_CAUSES_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace flowacct::gtp {

// "Request accepted"; empty if unknown. `version` is that of the header: 0, 1 or 2.
absl::string_view CauseName(uint8_t version, uint8_t cause);
// Whether an answer with it means that it was done, at least in part: by range, also of numbers that are unknown.
bool CauseAccepts(uint8_t version, uint8_t cause);

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_CAUSES_H_
