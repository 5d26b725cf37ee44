// A ROA file: what is read of it are VRPs, and the bound holds.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "flowacct/rpki/roa_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct::rpki;
  RoaFileOptions options;
  options.max_vrps = 8;
  const auto file = ParseRoaFile(absl::string_view(reinterpret_cast<const char*>(data), size),
                                 absl::FromUnixSeconds(1700000000), options);
  if (!file.ok()) return 0;
  if (file->vrps.size() > options.max_vrps) std::abort();
  for (const Vrp& vrp : file->vrps) {
    if (!IsValid(vrp)) std::abort();
  }
  return 0;
}
