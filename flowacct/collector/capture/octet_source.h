// Where the octets of a capture come from: a file, standard input, memory, or a decompressor over one of these.
//
// Threads: one at a time. Errors: a Status without the file's name, which the caller adds.

#ifndef FLOWACCT_COLLECTOR_CAPTURE_OCTET_SOURCE_H_
#define FLOWACCT_COLLECTOR_CAPTURE_OCTET_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {

class OctetSource {
 public:
  virtual ~OctetSource() = default;
  // Up to `size` octets (at least 1) into `out`, as many as there are now; 0 at the end.
  virtual absl::StatusOr<size_t> Read(uint8_t* out, size_t size) = 0;
  // Of the innermost source, so of the compressed file.
  virtual uint64_t octets_read() const = 0;
  virtual uint64_t octets_total() const = 0;  // 0: not known
};

// "-" is standard input.
// `interrupted` is asked when a signal ends a wait for octets: true gives up (kCancelled), false or none waits on.
absl::StatusOr<std::unique_ptr<OctetSource>> OpenFileSource(absl::string_view path,
                                                            std::function<bool()> interrupted = nullptr);
// A regular file and nothing else, so that opening and reading it wait for nobody: for whoever must not be stopped by
// a FIFO.
absl::StatusOr<std::unique_ptr<OctetSource>> OpenRegularFileSource(absl::string_view path);
std::unique_ptr<OctetSource> NewMemorySource(std::string octets);
// The same, decompressed if the first octets say gzip or zstd.
absl::StatusOr<std::unique_ptr<OctetSource>> Decompressed(std::unique_ptr<OctetSource> source,
                                                          size_t max_zstd_window_octets);

// Gives `head` (octets that were read from `source` already), then the rest of `source`.
std::unique_ptr<OctetSource> NewHeadedSource(std::string head, std::unique_ptr<OctetSource> source);

// RFC 1952, any number of members. Zero octets after the last one (padding of tapes) are ignored.
std::unique_ptr<OctetSource> NewGzipSource(std::unique_ptr<OctetSource> compressed);
// RFC 8878, any number of frames, skippable ones too; a frame whose window is larger than `max_window_octets` (rounded
// down to a power of two) is an error.
std::unique_ptr<OctetSource> NewZstdSource(std::unique_ptr<OctetSource> compressed, size_t max_window_octets);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CAPTURE_OCTET_SOURCE_H_
