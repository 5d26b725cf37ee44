// Whatever the text: one line, no longer than its bound, and as JSON an object.

#include <rapidjson/document.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "flowacct/base/octets.h"
#include "flowacct/collector/log/log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using flowacct::collector::Log;
  using flowacct::collector::LogFormat;
  using flowacct::collector::LogOptions;
  const absl::string_view text = flowacct::base::AsText(flowacct::base::Octets(data, size));
  for (const LogFormat format : {LogFormat::kLogfmt, LogFormat::kJson}) {
    std::string line;
    LogOptions options;
    options.format = format;
    options.max_line_octets = 200;
    options.clock = [] { return absl::UnixEpoch(); };
    options.output = [&line](absl::string_view written) {
      line.assign(written.data(), written.size());
      return true;
    };
    Log(options).Error("kind", text.substr(0, size / 2), {{"text", text}, {"size", size}});
    if (line.empty() || line.size() > options.max_line_octets || line.find('\n') != line.size() - 1) std::abort();
    if (format == LogFormat::kLogfmt) continue;
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag>(line.c_str());
    if (document.HasParseError() || !document.IsObject()) std::abort();
  }
  return 0;
}
