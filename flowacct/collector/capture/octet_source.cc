#include "flowacct/collector/capture/octet_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace flowacct::collector {
namespace {

class FileSource : public OctetSource {
 public:
  FileSource(int descriptor, bool owned, uint64_t total, std::function<bool()> interrupted)
      : descriptor_(descriptor), owned_(owned), total_(total), interrupted_(std::move(interrupted)) {}
  ~FileSource() override {
    if (owned_) close(descriptor_);
  }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  absl::StatusOr<size_t> Read(uint8_t* out, size_t size) override {
    for (;;) {
      const ssize_t n = read(descriptor_, out, size);
      if (n >= 0) {
        read_ += static_cast<uint64_t>(n);
        return static_cast<size_t>(n);
      }
      if (errno != EINTR) return absl::ErrnoToStatus(errno, "cannot be read");
      if (interrupted_ && interrupted_()) return absl::CancelledError("was not read to its end: interrupted");
    }
  }
  uint64_t octets_read() const override { return read_; }
  uint64_t octets_total() const override { return total_; }

 private:
  const int descriptor_;
  const bool owned_;
  const uint64_t total_;
  const std::function<bool()> interrupted_;
  uint64_t read_ = 0;
};

class MemorySource : public OctetSource {
 public:
  explicit MemorySource(std::string octets) : octets_(std::move(octets)) {}

  absl::StatusOr<size_t> Read(uint8_t* out, size_t size) override {
    const size_t n = std::min(size, octets_.size() - read_);
    if (n > 0) std::memcpy(out, octets_.data() + read_, n);
    read_ += n;
    return n;
  }
  uint64_t octets_read() const override { return read_; }
  uint64_t octets_total() const override { return octets_.size(); }

 private:
  const std::string octets_;
  size_t read_ = 0;
};

class HeadedSource : public OctetSource {
 public:
  HeadedSource(std::string head, std::unique_ptr<OctetSource> source)
      : head_(std::move(head)), source_(std::move(source)) {}

  absl::StatusOr<size_t> Read(uint8_t* out, size_t size) override {
    if (given_ == head_.size()) return source_->Read(out, size);
    const size_t n = std::min(size, head_.size() - given_);
    std::memcpy(out, head_.data() + given_, n);
    given_ += n;
    return n;
  }
  uint64_t octets_read() const override { return source_->octets_read() - (head_.size() - given_); }
  uint64_t octets_total() const override { return source_->octets_total(); }

 private:
  const std::string head_;
  size_t given_ = 0;
  const std::unique_ptr<OctetSource> source_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<OctetSource>> OpenFileSource(absl::string_view path, std::function<bool()> interrupted) {
  const bool standard_input = path == "-";
  int descriptor = STDIN_FILENO;
  if (!standard_input) {
    do {  // a FIFO waits here for its writer
      descriptor = open(std::string(path).c_str(), O_RDONLY | O_CLOEXEC);
    } while (descriptor < 0 && errno == EINTR && !(interrupted && interrupted()));
  }
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "cannot be opened");
  struct stat status {};
  uint64_t total = 0;
  if (fstat(descriptor, &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      if (!standard_input) close(descriptor);
      return absl::InvalidArgumentError("is a directory; name the capture files in it");
    }
    if (S_ISREG(status.st_mode)) total = static_cast<uint64_t>(status.st_size);
  }
  // Only a hint: whoever does not heed it reads a little slower.
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::make_unique<FileSource>(descriptor, !standard_input, total, std::move(interrupted));
}

absl::StatusOr<std::unique_ptr<OctetSource>> OpenRegularFileSource(absl::string_view path) {
  const int descriptor = open(std::string(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "cannot be opened");
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    return absl::InvalidArgumentError("is no regular file; is the path right?");
  }
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::make_unique<FileSource>(descriptor, /*owned=*/true, static_cast<uint64_t>(status.st_size), nullptr);
}

std::unique_ptr<OctetSource> NewMemorySource(std::string octets) {
  return std::make_unique<MemorySource>(std::move(octets));
}

std::unique_ptr<OctetSource> NewHeadedSource(std::string head, std::unique_ptr<OctetSource> source) {
  return std::make_unique<HeadedSource>(std::move(head), std::move(source));
}

}  // namespace flowacct::collector
