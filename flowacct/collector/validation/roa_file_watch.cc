#include "flowacct/collector/validation/roa_file_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/rpki/roa_file.h"

namespace flowacct::collector {

RoaFileWatch::RoaFileWatch(const std::string& path, const ValidationOptions& options) : options_(options) {
  status_.file = path;
}

RoaFileWatch::Identity RoaFileWatch::IdentityOf(const struct stat& info) {
  Identity identity;
  identity.device = static_cast<uint64_t>(info.st_dev);
  identity.inode = static_cast<uint64_t>(info.st_ino);
  identity.size = static_cast<uint64_t>(info.st_size);
  identity.nanos = int64_t{info.st_mtim.tv_sec} * 1000000000 + info.st_mtim.tv_nsec;
  return identity;
}

bool RoaFileWatch::Fail(const absl::Status& status) {
  ++status_.failures;
  status_.last_error = std::string(status.message());
  return false;
}

// The whole file. Unavailable: it changed meanwhile.
absl::StatusOr<std::string> RoaFileWatch::Read(Identity* identity) const {
  // Whoever puts a FIFO there shall not stop the thread.
  const Descriptor file(open(status_.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (!file.is_open() || fstat(file.get(), &info) != 0) {
    return absl::NotFoundError(absl::StrCat(std::strerror(errno), "; is the path right?"));
  }
  *identity = IdentityOf(info);
  if (!S_ISREG(info.st_mode)) return absl::NotFoundError("is no file; is the path right?");
  if (identity->size > options_.max_file_octets) {
    return absl::ResourceExhaustedError(
        absl::StrCat("has ", identity->size, " octets; at most ", options_.max_file_octets, " are read"));
  }
  std::string text(identity->size, '\0');
  size_t at = 0;
  while (at < text.size()) {
    const ssize_t n = read(file.get(), &text[at], text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return absl::UnavailableError(std::strerror(errno));
    if (n == 0) break;
    at += static_cast<size_t>(n);
  }
  if (at != text.size() || fstat(file.get(), &info) != 0 || !(IdentityOf(info) == *identity)) {
    return absl::AbortedError("changes while it is read");
  }
  return text;
}

bool RoaFileWatch::Look(absl::Time now) {
  struct stat info;
  if (stat(status_.file.c_str(), &info) != 0) {
    const int error = errno;
    // Told once for each time that it goes.
    if (seen_any_ || status_.last_error.empty()) {
      seen_any_ = false;
      return Fail(absl::NotFoundError(absl::StrCat(std::strerror(error), "; is the path right?")));
    }
    return false;
  }
  if (now < not_before_) return false;
  if (seen_any_ && IdentityOf(info) == seen_ && now < read_again_) return false;
  const absl::Time begun = absl::Now();
  absl::StatusOr<std::string> text = Read(&seen_);
  if (absl::IsAborted(text.status())) return false;  // next time
  seen_any_ = true;
  read_again_ = now + options_.read_files_again;
  if (!text.ok()) return Fail(text.status());
  rpki::RoaFileOptions options;
  options.max_vrps = options_.client.max_vrps;
  absl::StatusOr<rpki::RoaFile> file = rpki::ParseRoaFile(*text, now, options);
  not_before_ = now + 10 * std::max(absl::Now() - begun, absl::ZeroDuration());
  if (!file.ok()) return Fail(file.status());
  ++status_.reads;
  status_.vrps = file->vrps.size();
  status_.malformed = file->malformed;
  status_.expired = file->expired;
  status_.updated = now;
  status_.last_error.clear();
  if (status_.reads > 1 && file->vrps == vrps_) return false;
  vrps_ = std::move(file->vrps);
  return true;
}

}  // namespace flowacct::collector
