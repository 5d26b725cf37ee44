// What is asked of origin validation: which caches and files there are, and what is said of a route and by which VRPs,
// as JSON: {"columns": [...], "rows": [[...], ...]} as a query is answered.
//
// Standard: RFC 6811. Threads: any. Errors: InvalidArgument that names the value and what to do; Unavailable: there are
// no VRPs. Cost: a look-up.

#ifndef FLOWACCT_COLLECTOR_SERVER_VALIDATION_QUERY_H_
#define FLOWACCT_COLLECTOR_SERVER_VALIDATION_QUERY_H_

#include <string>

#include "absl/status/statusor.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/validation/validator.h"

namespace flowacct::collector {

absl::StatusOr<std::string> AnswerFromVrps(const RpkiQuestion& question, Validator& validator);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_VALIDATION_QUERY_H_
