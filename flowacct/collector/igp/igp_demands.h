// Traffic that is to be laid on a topology: how many octets came in at which router, and where to they went.
//
//     exporter,bgp_next_hop,dst_addr,protocol,bytes          as `flowacct replay --by ... --format csv` prints it
//     10.0.0.1,192.0.2.3,198.51.100.7,tcp,123456
//
// The first line names the columns, in any order:
//
//     from, or exporter                              the router where it came in: a name, an identifier, an address of
//     its to, or bgp_next_hop, dst_net, dst_addr         where to: a router, an address, a prefix; of several the first
//     in this
//                                                    order that is not empty
//     bytes (or octets)                              how much
//
// Other columns are labels, by which a link's traffic may be told apart; times of a bin and other counters are not
// looked at. Empty lines and those that begin with '#' are skipped. Ownership: values. Threads: any. Errors:
// InvalidArgument "FILE:LINE: COLUMN: ...", the first one; ResourceExhausted beyond a bound. Cost: some 300 ns a row,
// 16 octets and its texts once.

#ifndef FLOWACCT_COLLECTOR_IGP_IGP_DEMANDS_H_
#define FLOWACCT_COLLECTOR_IGP_IGP_DEMANDS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace flowacct::collector {

struct IgpDemand {
  uint32_t from = 0, to = 0;  // of texts
  uint32_t label = 0;         // of labels
  uint64_t octets = 0;
};

struct IgpDemands {
  std::vector<std::string> texts;
  std::string label_name;           // "" : rows are not told apart
  std::vector<std::string> labels;  // at least one, which may be ""
  std::vector<IgpDemand> demands;
  uint64_t octets = 0;  // of all
};

struct IgpDemandsOptions {
  // The column whose values tell rows apart; "": none does.
  std::string label;
  size_t max_rows = 20'000'000;
  // A link matrix is kept for each.
  size_t max_labels = 4096;
};

absl::StatusOr<IgpDemands> ParseIgpDemands(absl::string_view name, absl::string_view text,
                                           const IgpDemandsOptions& options = {});

// The same of a collector's bins: JSON as CollectorControl::Query has it, made CSV for ParseIgpDemands, and the time
// that the bins cover until `now`. Errors: Internal for what is no such JSON.
absl::Status ReadDemandRows(absl::string_view json, absl::Time now, std::string* csv, double* seconds);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_IGP_DEMANDS_H_
