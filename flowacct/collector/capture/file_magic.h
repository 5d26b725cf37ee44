// What a file is, told by its first octets.

#ifndef FLOWACCT_COLLECTOR_CAPTURE_FILE_MAGIC_H_
#define FLOWACCT_COLLECTOR_CAPTURE_FILE_MAGIC_H_

#include <cstddef>
#include <optional>
#include <string>

#include "flowacct/base/octets.h"
#include "flowacct/collector/capture/capture_reader.h"

namespace flowacct::collector {

// Enough to tell every kind: the longest magic is that of a tar archive's header, the others lie in the first 16.
inline constexpr size_t kMagicOctets = 512;

CaptureCompression DetectCompression(base::Octets head);
// Nothing if it is none of the formats that are read here.
std::optional<CaptureFormat> DetectFormat(base::Octets head);
// For a file that is none: what it looks like and what to do. "is a text file (it begins "Date,Src"), not a capture".
std::string DescribeForeignFile(base::Octets head);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CAPTURE_FILE_MAGIC_H_
