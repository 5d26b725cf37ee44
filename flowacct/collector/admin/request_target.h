// The target of an HTTP request, as it stands in the request line: a path and the parameters behind '?'.
//
// RFC 3986, 3.3 and 3.4; parameters as application/x-www-form-urlencoded (WHATWG URL, 5.1): name=value by '&', '+' is a
// blank, "%41" an octet. Refused: a wrong escape, control characters and octets that are no UTF-8, a parameter that is
// given twice, a fragment, anything beyond the bounds below.
// Threads: plain values. Errors: InvalidArgument that names the parameter and what to do. Cost: linear in the text.

#ifndef FLOWACCT_COLLECTOR_ADMIN_REQUEST_TARGET_H_
#define FLOWACCT_COLLECTOR_ADMIN_REQUEST_TARGET_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/collector/server/collector_status.h"

namespace flowacct::collector {

struct RequestTarget {
  // A filter of some hundred addresses still fits; a server's other limits are of this size, too.
  static constexpr size_t kMaxOctets = 8192;
  // More than any path of the API knows.
  static constexpr size_t kMaxParameters = 16;

  std::string path;  // "/api/v1/status"
  std::vector<std::pair<std::string, std::string>> parameters;

  static absl::StatusOr<RequestTarget> Parse(absl::string_view text);

  // The value of a parameter; null: not given.
  const std::string* Find(absl::string_view name) const;
  // An error if there is a parameter that is not among `known`, with the nearest right word.
  absl::Status CheckNames(absl::Span<const absl::string_view> known) const;
  // Values of parameters; what is not given leaves `value` as it is. A flag is "1", "true", "0" or "false".
  absl::Status Get(absl::string_view name, std::string* value) const;
  absl::Status Get(absl::string_view name, bool* value) const;
  absl::Status Get(absl::string_view name, size_t* value) const;
};

// The question of /api/v1/query: pipeline=, by=, where=, top=, since=, order=, reset=. `since` is a duration as in the
// configuration ("90s", "1d"). What the fields and the filter mean is checked by who answers.
absl::StatusOr<MemoryQuestion> ParseQuestion(const RequestTarget& target);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_REQUEST_TARGET_H_
