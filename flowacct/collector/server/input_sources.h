// The sources of an input, opened: one or several for each worker.
//
// Errors: what the configuration's check cannot know (a port that is taken, a file that is not there), with its place
// in the configuration. Ownership: gives the sources away. Threads: any.

#ifndef FLOWACCT_COLLECTOR_SERVER_INPUT_SOURCES_H_
#define FLOWACCT_COLLECTOR_SERVER_INPUT_SOURCES_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/source.h"

namespace flowacct::collector {

struct InputSources {
  std::vector<std::vector<std::unique_ptr<Source>>> by_worker;
};

// `position` is how far the input was read by a collector before, of one that can be read again; else empty. `log` is
// told warnings: now, and while the sources live.
absl::StatusOr<InputSources> NewInputSources(const config::ConfigFile& file, const config::Input& input, size_t workers,
                                             const std::string& position,
                                             const std::function<void(absl::string_view)>& log);

// Its name, kind and where it listens; nothing counted.
InputStatus DescribeInput(const config::Input& input);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_INPUT_SOURCES_H_
