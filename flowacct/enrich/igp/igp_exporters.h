// Which router exporters speak for, where the IGP does not tell it: a file that people write.
//
//     10.0.0.1,ams1                 records of that exporter came in at ams1 (a name, an identifier or an address)
//     10.0.0.1,17,fra1              those of its input interface 17, at fra1
//     192.0.2.0/24,br2              of all exporters of a prefix
//
// The longest prefix counts; of one prefix, the line that names the interface. Empty lines and what begins with '#' are
// skipped. Ownership: values. Threads: any. Errors: InvalidArgument "FILE:LINE: ...", the first one. Cost: a hash a
// length of prefixes.

#ifndef FLOWACCT_ENRICH_IGP_IGP_EXPORTERS_H_
#define FLOWACCT_ENRICH_IGP_IGP_EXPORTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"

namespace flowacct::enrich {

class IgpExporters {
 public:
  // Ten times the exporters of a large network, each with some interfaces.
  static constexpr size_t kMaxLines = 100'000;

  // False: the same exporter and interface were added before.
  bool Add(const base::IpPrefix& exporter, std::optional<uint32_t> in_if, std::string router);
  static absl::StatusOr<IgpExporters> Parse(absl::string_view text, absl::string_view name);

  size_t size() const { return routers_.size(); }
  // Whether any line speaks of an interface.
  bool has_interfaces() const { return has_interfaces_; }
  // Null: no line speaks of it. `in_if`: nothing if the record does not tell it.
  const std::string* Find(const base::IpAddress& exporter, std::optional<uint32_t> in_if) const;

 private:
  // An interface and 1, or 0 for all.
  using Key = std::pair<base::IpPrefix, uint64_t>;
  absl::flat_hash_map<Key, std::string> routers_;
  std::array<std::vector<uint8_t>, 2> lengths_;  // of prefixes of IPv4, IPv6; descending, each once
  bool has_interfaces_ = false;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_IGP_IGP_EXPORTERS_H_
