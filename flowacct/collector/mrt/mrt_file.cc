#include "flowacct/collector/mrt/mrt_file.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/mrt/record.h"

namespace flowacct::collector {
namespace {

// zstd's own bound for untrusted input.
constexpr size_t kMaxZstdWindowOctets = size_t{128} << 20;
// The highest type of IANA's "MRT Types" (OSPFv3_ET), and those that RFC 6396, B deprecates are below it.
constexpr uint16_t kLastType = 49;

// What a file is that does not begin as MRT.
std::string Foreign(base::Octets head) {
  const absl::string_view text = base::AsText(head);
  if (absl::StartsWith(text, "BZh")) return "is compressed with bzip2; pipe it in: bzip2 -dc FILE, and - as the file";
  if (absl::StartsWith(text,
                       "\xfd"
                       "7zXZ"))
    return "is compressed with xz; pipe it in: xz -dc FILE, and - as the file";
  if (head.empty()) return "is empty";
  return "is no MRT file (RFC 6396): its first record has a type that there is not; is it the right one?";
}

}  // namespace

absl::StatusOr<std::unique_ptr<MrtFile>> MrtFile::Open(absl::string_view path, std::function<bool()> interrupted) {
  auto source = OpenFileSource(path, std::move(interrupted));
  if (!source.ok()) {
    return absl::Status(source.status().code(), absl::StrCat("'", path, "' ", source.status().message()));
  }
  return Start(path == "-" ? "standard input" : path, *std::move(source));
}

absl::StatusOr<std::unique_ptr<MrtFile>> MrtFile::OpenRegular(absl::string_view path) {
  auto source = OpenRegularFileSource(path);
  if (!source.ok()) {
    return absl::Status(source.status().code(), absl::StrCat("'", path, "' ", source.status().message()));
  }
  return Start(path, *std::move(source));
}

absl::StatusOr<std::unique_ptr<MrtFile>> MrtFile::OfOctets(std::string octets, absl::string_view name) {
  return Start(name, NewMemorySource(std::move(octets)));
}

absl::StatusOr<std::unique_ptr<MrtFile>> MrtFile::Start(absl::string_view name, std::unique_ptr<OctetSource> source) {
  auto decompressed = Decompressed(std::move(source), kMaxZstdWindowOctets);
  if (!decompressed.ok()) {
    return absl::Status(decompressed.status().code(), absl::StrCat("'", name, "' ", decompressed.status().message()));
  }
  std::unique_ptr<MrtFile> file(new MrtFile(std::string(name), *std::move(decompressed)));
  while (file->head_ < mrt::kHeaderOctets) {
    const auto n = file->source_->Read(file->block_.get() + file->head_, kBlockOctets - file->head_);
    if (!n.ok()) return absl::Status(n.status().code(), absl::StrCat("'", name, "' ", n.status().message()));
    if (*n == 0) break;
    file->head_ += *n;
  }
  const base::Octets head(file->block_.get(), file->head_);
  if (head.size() < mrt::kHeaderOctets || mrt::LoadRecordHeader(head.data()).type > kLastType) {
    return absl::InvalidArgumentError(absl::StrCat("'", name, "' ", Foreign(head)));
  }
  return file;
}

absl::StatusOr<base::Octets> MrtFile::Next() {
  if (!failed_.ok()) return failed_;
  if (head_ != 0) return base::Octets(block_.get(), std::exchange(head_, 0));
  const auto n = source_->Read(block_.get(), kBlockOctets);
  if (n.ok()) return base::Octets(block_.get(), *n);
  failed_ = absl::Status(n.status().code(), absl::StrCat("'", name_, "' ", n.status().message()));
  return failed_;
}

}  // namespace flowacct::collector
