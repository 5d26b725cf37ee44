// Anything may be called a configuration of pmacct, and its maps anything: what is accepted is a configuration of ours.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/import/packet_filter.h"
#include "flowacct/collector/import/pmacct_import.h"

// Before the octet 0 is the configuration, behind it what every map holds.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view octets(reinterpret_cast<const char*>(data), size);
  const size_t zero = octets.find('\0');
  const absl::string_view text = octets.substr(0, zero);
  const std::string map(zero == absl::string_view::npos ? absl::string_view() : octets.substr(zero + 1));
  constexpr const char* kDaemons[] = {"", "nfacctd", "pmacctd"};
  flowacct::collector::PmacctImportOptions options;
  options.daemon = kDaemons[size % 3];
  options.read_file = [&map](const std::string&) -> absl::StatusOr<std::string> { return map; };
  const auto imported = flowacct::collector::ImportPmacct(text, "fuzz", options);
  // That what it wrote cannot be read would be its own fault; it reads it itself.
  if (absl::IsInternal(imported.status())) std::abort();
  (void)flowacct::collector::TranslatePacketFilter(text);
  return 0;
}
