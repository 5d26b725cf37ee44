// Reads VRPs of the JSON that rpki-client, Routinator, StayRTR and others write: an object with "roas".
//
//     {"metadata": {...}, "roas": [
//       {"asn": "AS64496" or 64496, "prefix": "192.0.2.0/24", "maxLength": 24, "expires": 1700000000, "ta": "x"}, ...]}
//
// No standard; what the named programs write and read. Members that are not named here are ignored, wherever they are.
// Guaranteed: each VRP is one (IsValid). An entry that lacks its AS or prefix, or has a member that cannot be, is left
// out and counted; so is one that has expired. Without maxLength it is the prefix's own.
// Ownership: borrows the text for the call. Threads: any. Errors: a text that is no JSON, with where, or has no "roas";
// more VRPs than the bound. Cost: one pass; not by recursion, so that nesting costs no stack.

#ifndef FLOWACCT_RPKI_ROA_FILE_H_
#define FLOWACCT_RPKI_ROA_FILE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/rpki/vrp.h"

namespace flowacct::rpki {

struct RoaFileOptions {
  size_t max_vrps = size_t{4} << 20;  // as ClientOptions
};

struct RoaFile {
  std::vector<Vrp> vrps;  // in the order of the file; one may be there several times, of several trust anchors
  uint64_t malformed = 0;
  uint64_t expired = 0;
};

absl::StatusOr<RoaFile> ParseRoaFile(absl::string_view json, absl::Time now, const RoaFileOptions& options = {});

}  // namespace flowacct::rpki

#endif  // FLOWACCT_RPKI_ROA_FILE_H_
