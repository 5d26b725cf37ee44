#include "flowacct/sink/print/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace flowacct::sink::print {
namespace {

absl::string_view Advice(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return "create the folder first, or choose another path";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a path that this user may write to";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space, or choose another path";
    case EISDIR:
      return "name a file, not a folder";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case ENAMETOOLONG:
      return "choose a shorter name";
    case EPIPE:
      return "the reader went away; nothing more can be told to it";
    default:
      return "check the path and what it lies on";
  }
}

}  // namespace

absl::Status WriteError(absl::string_view path, int error_number) {
  return absl::Status(
      absl::ErrnoToStatusCode(error_number),
      absl::StrCat("cannot write ", path, ": ", std::strerror(error_number), "; ", Advice(error_number)));
}

absl::Status OutputFile::Error(int error_number) const { return WriteError(path_, error_number); }

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Open(const std::string& path, bool keep) {
  struct stat info = {};
  const bool exists = stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) return WriteError(path, EISDIR);
  auto file = std::unique_ptr<OutputFile>(new OutputFile);
  file->path_ = path;
  if (exists && !S_ISREG(info.st_mode)) {
    file->fd_ = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file->fd_ < 0) return file->Error(errno);
    return file;
  }
  file->target_ = path;
  if (exists) {
    // A rename over a symbolic link would leave its target stale.
    char* const resolved = realpath(path.c_str(), nullptr);
    if (resolved != nullptr) file->target_ = resolved;
    std::free(resolved);
    // A folder that may be written to would let a rename replace a file that may not.
    if (access(path.c_str(), W_OK) != 0) return file->Error(errno);
  }
  const size_t slash = file->target_.rfind('/');
  const size_t name = slash == std::string::npos ? 0 : slash + 1;
  for (int i = 0; i < 100 && file->fd_ < 0; ++i) {
    file->temporary_ = absl::StrCat(file->target_.substr(0, name), ".", file->target_.substr(name, NAME_MAX - 32),
                                    ".part-", getpid(), "-", i);
    file->fd_ = open(file->temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->fd_ < 0 && errno != EEXIST) break;
  }
  if (file->fd_ < 0) {
    const int error_number = errno;
    file->temporary_.clear();
    return file->Error(error_number);
  }
  if (exists) fchmod(file->fd_, info.st_mode & 07777);
  if (exists && keep) {
    if (absl::Status status = file->CopyFrom(file->target_); !status.ok()) return status;
  }
  return file;
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::OpenToAppend(const std::string& path) {
  auto file = std::unique_ptr<OutputFile>(new OutputFile);
  file->path_ = path;
  file->fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  struct stat info = {};
  if (file->fd_ < 0 || fstat(file->fd_, &info) != 0) return file->Error(errno);
  file->appends_ = S_ISREG(info.st_mode);
  if (file->appends_) file->size_ = static_cast<uint64_t>(info.st_size);
  return file;
}

std::unique_ptr<OutputFile> OutputFile::OfStream(FILE* stream) {
  auto file = std::unique_ptr<OutputFile>(new OutputFile);
  file->path_ = stream == stdout ? "standard output" : "the output stream";
  file->stream_ = stream;
  return file;
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

bool OutputFile::is_terminal() const {
  const int fd = stream_ != nullptr ? fileno(stream_) : fd_;
  return fd >= 0 && isatty(fd) == 1;
}

absl::Status OutputFile::CopyFrom(const std::string& path) {
  const int from = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) return Error(errno);
  absl::Status status;
  char block[65536];
  for (ssize_t n = 1; n > 0 && status.ok();) {
    n = read(from, block, sizeof(block));
    if (n < 0) status = Error(errno);
    if (n > 0) status = Write(absl::string_view(block, static_cast<size_t>(n)));
  }
  close(from);
  return status;
}

absl::Status OutputFile::Write(absl::string_view text) {
  if (stream_ != nullptr) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size()) return Error(errno != 0 ? errno : EIO);
    size_ += text.size();
    return absl::OkStatus();
  }
  while (!text.empty()) {
    const ssize_t n = write(fd_, text.data(), text.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return Error(errno);
    }
    text.remove_prefix(static_cast<size_t>(n));
    size_ += static_cast<uint64_t>(n);
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Flush() {
  if (stream_ != nullptr && std::fflush(stream_) != 0) return Error(errno);
  return absl::OkStatus();
}

void OutputFile::Rollback(uint64_t size) {
  if (temporary_.empty() && !appends_) return;  // what was told to a stream or a device cannot be taken back
  if (ftruncate(fd_, static_cast<off_t>(size)) == 0 && lseek(fd_, static_cast<off_t>(size), SEEK_SET) >= 0) {
    size_ = size;
  }
}

absl::Status OutputFile::Commit() {
  if (absl::Status status = Flush(); !status.ok()) return status;
  if (fd_ < 0) return absl::OkStatus();
  const int closed = close(fd_);  // NFS and quotas tell of a full disk here
  const int error_number = errno;
  fd_ = -1;
  if (closed != 0 && error_number != EINTR) return Error(error_number);
  if (temporary_.empty()) return absl::OkStatus();
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) return Error(errno);
  temporary_.clear();
  return absl::OkStatus();
}

}  // namespace flowacct::sink::print
