#include "flowacct/collector/state/state_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace flowacct::collector {
namespace {

absl::Status Failed(absl::string_view what, absl::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be ", what));
}

absl::Status WriteAll(int descriptor, absl::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = write(descriptor, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, "write");
    octets.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateDirectory>> StateDirectory::Open(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Failed("made", path);
  Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return Failed("opened", path);
  const std::string lock_path = absl::StrCat(path, "/.lock");
  Descriptor lock(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.get() < 0) return Failed("made", lock_path);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Failed("locked", lock_path);
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": another collector that runs keeps its state there; give each a folder of its own"));
  }
  return std::unique_ptr<StateDirectory>(new StateDirectory(path, std::move(folder), std::move(lock)));
}

std::string StateDirectory::PathOf(absl::string_view name) const {
  std::string path = absl::StrCat(path_, "/");
  for (const char c : name) {
    // No name begins with a dot, as the lock does, or ends in what this class appends.
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
        (c == '.' && path.back() != '/')) {
      path.push_back(c);
    } else {
      absl::StrAppend(&path, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return path;
}

absl::Status StateDirectory::Write(absl::string_view name, absl::string_view octets) {
  const std::string path = PathOf(name), begun = absl::StrCat(path, "~");
  {
    const Descriptor file(open(begun.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.get() < 0) return Failed("made", begun);
    if (!WriteAll(file.get(), octets).ok() || fsync(file.get()) != 0) {
      const absl::Status status = Failed("written", begun);
      unlink(begun.c_str());
      return status;
    }
  }
  if (rename(begun.c_str(), path.c_str()) != 0 || fsync(folder_.get()) != 0) return Failed("replaced", path);
  return absl::OkStatus();
}

absl::Status StateDirectory::Overwrite(absl::string_view name, absl::string_view octets) {
  const std::string path = PathOf(name);
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return Failed("made", path);
  if (!WriteAll(file.get(), octets).ok()) return Failed("written", path);
  return absl::OkStatus();
}

absl::StatusOr<std::string> StateDirectory::Read(absl::string_view name) const {
  const std::string path = PathOf(name);
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return Failed("opened", path);
  std::string octets;
  char buffer[65536];
  for (;;) {
    const ssize_t n = read(file.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("read", path);
    if (n == 0) return octets;
    octets.append(buffer, static_cast<size_t>(n));
  }
}

absl::StatusOr<std::string> StateDirectory::SetAside(absl::string_view name) {
  const std::string path = PathOf(name);
  const std::string aside =
      absl::StrCat(path, "+", absl::FormatTime("%Y%m%dT%H%M%E3S", absl::Now(), absl::UTCTimeZone()));
  if (rename(path.c_str(), aside.c_str()) != 0) return Failed("renamed", path);
  return aside;
}

absl::Status StateDirectory::Remove(absl::string_view name) {
  const std::string path = PathOf(name);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Failed("removed", path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<StateDirectory::File>> StateDirectory::List() {
  struct Close {
    void operator()(DIR* stream) const { closedir(stream); }
  };
  const std::unique_ptr<DIR, Close> stream(opendir(path_.c_str()));
  if (stream == nullptr) return Failed("listed", path_);
  std::vector<File> files;
  for (;;) {
    errno = 0;
    const dirent* const entry = readdir(stream.get());
    if (entry == nullptr) break;
    File file;
    file.name = entry->d_name;
    if (file.name.front() == '.') continue;
    if (file.name.back() == '~') {
      unlinkat(folder_.get(), entry->d_name, 0);
      continue;
    }
    struct stat about {};
    if (fstatat(folder_.get(), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(about.st_mode)) continue;
    file.octets = static_cast<uint64_t>(about.st_size);
    file.set_aside = file.name.find('+') != std::string::npos;
    files.push_back(std::move(file));
  }
  if (errno != 0) return Failed("listed", path_);
  return files;
}

absl::Status StateDirectory::RemoveSetAside(absl::string_view name) {
  const std::string path = absl::StrCat(path_, "/", name);
  if (name.find('+') == absl::string_view::npos || name.find('/') != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": was not set aside"));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Failed("removed", path);
  return absl::OkStatus();
}

}  // namespace flowacct::collector
