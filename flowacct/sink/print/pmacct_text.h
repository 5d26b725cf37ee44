// How pmacct writes values, and in which order its CSV has them, so that what reads pmacct's output reads ours.
//
// Found by running Debian's pmacct 1.7.7 (print plugin); fields that came later (in_vlan, nvgre, mpls_label_stack,
// the VRF and interface names, flow labels, fwd_status) follow the JSON of its later versions. The test
// pmacct_peer_test compares with an installed nfacctd. docs/reference/output.md has what differs on purpose.

#ifndef FLOWACCT_SINK_PRINT_PMACCT_TEXT_H_
#define FLOWACCT_SINK_PRINT_PMACCT_TEXT_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "flowacct/sink/print/column.h"

namespace flowacct::sink::print {

// Sets how `column`, of `field`, is written: formatters and what stands for absent.
void FormatAsPmacct(record::FieldId field, PrintFormat format, Column* column);

// Fields sort by this in pmacct's CSV; fields that pmacct lacks come after those that it has.
size_t PmacctRank(record::FieldId field);

// "2023-11-14 22:14:30.000000" (UTC, 26 characters), and without the fraction; all zeros for the time 0.
char* WritePmacctTime(int64_t nanos, bool fraction, char* out);
// As it, for columns: `value` points at nanoseconds.
char* WritePmacctSeconds(const uint8_t* value, char* out);

}  // namespace flowacct::sink::print

#endif  // FLOWACCT_SINK_PRINT_PMACCT_TEXT_H_
