// The capture that tools/quickstart replays: an hour of NetFlow v9 at the border of a small network, as a story that
// the top talkers tell again.
//
// Everything in it is documentation space: addresses of RFC 5737 and RFC 3849, AS numbers of RFC 5398. Two routers
// export unsampled; the network is AS 64500. What happens is in the table of quickstart.cc.
// Deterministic: testdata/quickstart.pcap is its output, octet for octet.

#ifndef FLOWACCT_COLLECTOR_GENERATE_QUICKSTART_H_
#define FLOWACCT_COLLECTOR_GENERATE_QUICKSTART_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {

// Writes the capture to `path`; an existing file is replaced.
absl::Status WriteQuickstartCapture(absl::string_view path);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_GENERATE_QUICKSTART_H_
