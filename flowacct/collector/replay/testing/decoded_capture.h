// A capture decoded as `flowacct decode` does: every record in full, as texts by name.

#ifndef FLOWACCT_COLLECTOR_REPLAY_TESTING_DECODED_CAPTURE_H_
#define FLOWACCT_COLLECTOR_REPLAY_TESTING_DECODED_CAPTURE_H_

#include <optional>
#include <string>
#include <vector>

#include "flowacct/collector/export/capture_kind.h"
#include "flowacct/collector/replay/capture_input.h"
#include "flowacct/collector/replay/testing/values.h"

namespace flowacct::collector::testing {

// The records of `file` (below CapturesFolder()), through CaptureInput with a listener and all fields; counters
// unscaled. Fields bear their names; what the listener heard is below "elements.". Errors are left out.
std::vector<Values> DecodeCapture(const std::string& file, CaptureInputOptions options = {});

// The rows of `flowacct replay --naming pmacct --format json`, scaled, by the fields that are called `by`.
std::vector<Values> ReplayAsPmacct(const std::string& file, const std::vector<std::string>& by);

}  // namespace flowacct::collector::testing

#endif  // FLOWACCT_COLLECTOR_REPLAY_TESTING_DECODED_CAPTURE_H_
