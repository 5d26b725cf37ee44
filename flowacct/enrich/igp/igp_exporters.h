// Which router exporters speak for, where the IGP does not tell it: a file that people write.
//
//     10.0.0.1,ams1                 records of that exporter came in at ams1 (a name, an identifier or an address)
//     10.0.0.1,17,fra1              those of its input interface 17, at fra1
//     192.0.2.0/24,br2              of all exporters of a prefix
//
// The longest prefix counts; of one prefix, the line that names the interface. Empty lines and what begins with '#' are
// skipped. Ownership: values. Threads: any. Errors: InvalidArgument "FILE:LINE: ...", the first one. Cost: a look at
// each line, once an exporter (enrichers remember).

#ifndef FLOWACCT_ENRICH_IGP_IGP_EXPORTERS_H_
#define FLOWACCT_ENRICH_IGP_IGP_EXPORTERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"

namespace flowacct::enrich {

struct IgpExporter {
  base::IpPrefix exporter;
  std::optional<uint32_t> in_if;
  std::string router;
};

class IgpExporters {
 public:
  // Ten times the exporters of a large network, each with some interfaces.
  static constexpr size_t kMaxLines = 100'000;

  IgpExporters() = default;
  explicit IgpExporters(std::vector<IgpExporter> lines);
  static absl::StatusOr<IgpExporters> Parse(absl::string_view text, absl::string_view name);

  bool empty() const { return lines_.empty(); }
  // Whether any line speaks of an interface.
  bool has_interfaces() const { return has_interfaces_; }
  // Null: no line speaks of it. `in_if`: nothing if the record does not tell it.
  const std::string* Find(const base::IpAddress& exporter, std::optional<uint32_t> in_if) const;

 private:
  std::vector<IgpExporter> lines_;  // longest prefixes first, those with interfaces before those without
  bool has_interfaces_ = false;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_IGP_IGP_EXPORTERS_H_
