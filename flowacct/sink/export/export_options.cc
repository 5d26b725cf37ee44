#include "flowacct/sink/export/export_options.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"

namespace flowacct::sink {
namespace {

constexpr absl::string_view kFormats[] = {"v5", "v9", "ipfix", "sflow"};
constexpr absl::string_view kTimes[] = {"uptime", "s", "ms", "us", "ns"};

template <typename T>
absl::StatusOr<T> Find(absl::Span<const absl::string_view> names, absl::string_view name, absl::string_view what) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<T>(i);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", name, "\" is no ", what, "; choose one of ", absl::StrJoin(names, ", ")));
}

}  // namespace

absl::string_view ExportFormatName(ExportFormat format) { return kFormats[static_cast<size_t>(format)]; }
absl::StatusOr<ExportFormat> ExportFormatFromName(absl::string_view name) {
  return Find<ExportFormat>(kFormats, name, "format of exports");
}

absl::string_view ExportTimesName(ExportTimes times) { return kTimes[static_cast<size_t>(times)]; }
absl::StatusOr<ExportTimes> ExportTimesFromName(absl::string_view name) {
  return Find<ExportTimes>(kTimes, name, "resolution of times");
}

}  // namespace flowacct::sink
