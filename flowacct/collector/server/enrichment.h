// The enrichers that a configuration asks for, with their tables read: a file that several pipelines name is read once.
//
// Ownership: borrows the configuration; what it makes owns its tables. Threads: one at a time.
// Errors: InvalidArgument with the place in the configuration, and in the file that is wrong.

#ifndef FLOWACCT_COLLECTOR_SERVER_ENRICHMENT_H_
#define FLOWACCT_COLLECTOR_SERVER_ENRICHMENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/networks.h"

namespace flowacct::collector {

class Enrichment {
 public:
  explicit Enrichment(const config::ConfigFile* file) : file_(*file) {}

  // In the order in which they apply.
  absl::StatusOr<std::vector<enrich::EnricherFactory>> Make(const config::Enrich& enrich);

 private:
  absl::StatusOr<std::shared_ptr<const enrich::Networks>> ReadNetworks(const config::Networks& networks);

  const config::ConfigFile& file_;
  absl::flat_hash_map<std::string, std::shared_ptr<const enrich::Networks>> networks_;  // by path
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_ENRICHMENT_H_
