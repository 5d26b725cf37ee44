// What a table of domains knows of exporters, as octets, for a decoder that goes on after the collector was started
// again.
//
// Saved: templates with their last use, rates, names, route distinguishers, type information, the device's start,
// clocks, the next sequence numbers, and data sets that wait for their template. Not saved: counters, and domains of
// sessions, which end with the collector. Format: base/sealed_octets.h around
//     template contents   count 4; each: kind 1, fields 2; each: PEN 4, id 2, length 2, scope 1
//     domains             count 4; each as domain_state.cc has it, its templates by their place in the contents
// Guaranteed: the same knowledge gives the same octets. Octets that Save could not have written are refused with the
// place, and the table stays as it was; none crash it, make it over-read or grow past the options. What bounds forbid
// is left out and counted. Threads: those of the table. Cost: one pass; some 100 octets a domain and 14 a template.

#ifndef FLOWACCT_FLOW_TEMPLATE_DOMAIN_STATE_H_
#define FLOWACCT_FLOW_TEMPLATE_DOMAIN_STATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/domain.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::flow {

class DomainState {
 public:
  // `kind`: of the decoder, "netflow decoder".
  static std::string Save(absl::string_view kind, const DomainTable& table);
  // Into a table without domains, else FailedPrecondition.
  static absl::StatusOr<record::RestoredState> Restore(absl::string_view kind, base::Octets state, DomainTable* table);

 private:
  class Writer;
  class Reader;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_DOMAIN_STATE_H_
