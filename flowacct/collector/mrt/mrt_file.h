// An MRT file, or standard input, as blocks of octets, decompressed (gzip, zstd).
//
//     auto file = MrtFile::Open("rib.20260101.0000.gz");
//     for (;;) {
//       const absl::StatusOr<base::Octets> block = (*file)->Next();
//       if (!block.ok() || block->empty()) break;   // an error, or the end
//       reader.Read(*block);                        // mrt/reader.h
//     }
//
// Standards: RFC 6396 (2). Checked: that the file begins as MRT does. Ownership: a block is valid until the next one.
// Threads: one at a time. Errors: a Status with the file's name and what to do: InvalidArgument for what is no MRT,
// DataLoss for a compressed stream that is cut or damaged, kCancelled, and the system's. bzip2 is not decompressed
// here. Cost: one pass over the octets.

#ifndef FLOWACCT_COLLECTOR_MRT_MRT_FILE_H_
#define FLOWACCT_COLLECTOR_MRT_MRT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/capture/octet_source.h"

namespace flowacct::collector {

class MrtFile {
 public:
  // Octets of a block: some thousand routes, milliseconds of work.
  static constexpr size_t kBlockOctets = size_t{256} << 10;

  // "-" is standard input. `interrupted` as OpenFileSource has it.
  static absl::StatusOr<std::unique_ptr<MrtFile>> Open(absl::string_view path,
                                                       std::function<bool()> interrupted = nullptr);
  // A regular file alone: neither standard input nor what may wait for a writer.
  static absl::StatusOr<std::unique_ptr<MrtFile>> OpenRegular(absl::string_view path);
  static absl::StatusOr<std::unique_ptr<MrtFile>> OfOctets(std::string octets, absl::string_view name);

  // Empty: the end. After an error the same again.
  absl::StatusOr<base::Octets> Next();

  const std::string& name() const { return name_; }
  uint64_t octets_read() const { return source_->octets_read(); }  // as it lies on disk
  uint64_t octets_total() const { return source_->octets_total(); }

 private:
  MrtFile(std::string name, std::unique_ptr<OctetSource> source)
      : name_(std::move(name)), source_(std::move(source)), block_(new uint8_t[kBlockOctets]) {}
  static absl::StatusOr<std::unique_ptr<MrtFile>> Start(absl::string_view name, std::unique_ptr<OctetSource> source);

  const std::string name_;
  const std::unique_ptr<OctetSource> source_;
  const std::unique_ptr<uint8_t[]> block_;
  size_t head_ = 0;  // octets that Start has read, and Next has not given yet
  absl::Status failed_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_MRT_MRT_FILE_H_
