#include "flowacct/collector/routelog/log_file_set.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace flowacct::collector {
namespace {

// Linux's NAME_MAX and PATH_MAX.
constexpr size_t kMaxNameOctets = 4095;
constexpr absl::string_view kPortWords[] = {"$peer_tcp_port", "$bmp_router_port"};

bool MakeFoldersAbove(const std::string& name) {
  for (size_t at = name.find('/', 1); at != std::string::npos; at = name.find('/', at + 1)) {
    if (mkdir(name.substr(0, at).c_str(), 0755) != 0 && errno != EEXIST) return false;
  }
  return true;
}

}  // namespace

std::string ExpandLogName(absl::string_view pattern, const LogTeller& teller, absl::Time time, absl::TimeZone zone) {
  std::string address = teller.address.ToString();
  std::replace_if(
      address.begin(), address.end(), [](char c) { return c == '.' || c == ':'; }, '_');
  const std::string port = absl::StrCat(teller.port);
  // StrReplaceAll takes the longest word of those that begin alike.
  return absl::StrReplaceAll(
      absl::FormatTime(pattern, time, zone),
      {{"$peer_src_ip", address}, {"$bmp_router", address}, {kPortWords[0], port}, {kPortWords[1], port}});
}

absl::string_view PortWordOf(absl::string_view pattern) {
  for (const absl::string_view word : kPortWords) {
    if (absl::StrContains(pattern, word)) return word;
  }
  return "";
}

absl::Status CheckLogPattern(absl::string_view pattern, bool ports) {
  if (pattern.empty()) return absl::InvalidArgumentError("names no file; such as /var/log/flowacct/bgp-%Y%m%d.json");
  if (pattern.size() > kMaxNameOctets) return absl::InvalidArgumentError("is longer than a path can be");
  if (absl::EndsWith(pattern, "/")) return absl::InvalidArgumentError("names a folder, not a file");
  if (absl::StrContains(pattern, '\0')) return absl::InvalidArgumentError("holds a NUL");
  const absl::string_view word = PortWordOf(pattern);
  if (!ports && !word.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the port of a BMP router is not known: leave ", word, " out; $bmp_router is its address"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Descriptor> OpenLogFile(const std::string& name, int flags) {
  for (int attempt = 0;; ++attempt) {
    const int descriptor = open(name.c_str(), flags | O_CLOEXEC, 0644);
    if (descriptor >= 0) return Descriptor(descriptor);
    if (errno == EINTR) continue;
    if (errno == ENOENT && attempt == 0 && MakeFoldersAbove(name)) continue;
    return absl::UnavailableError(absl::StrCat("cannot open ", name, ": ", std::strerror(errno)));
  }
}

absl::Status WriteWhole(int descriptor, absl::string_view text, size_t* written) {
  *written = 0;
  while (*written < text.size()) {
    const ssize_t n = write(descriptor, text.data() + *written, text.size() - *written);
    if (n >= 0) {
      *written += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      return absl::UnavailableError(std::strerror(errno));
    }
  }
  return absl::OkStatus();
}

void LogFileSet::Fail(absl::string_view what, size_t lines) {
  ++counters_.errors;
  counters_.lost += lines;
  error_ = std::string(what);
}

LogFileSet::File* LogFileSet::Open(const std::string& name) {
  const auto known = files_.find(name);
  if (known != files_.end()) return &known->second;
  if (files_.size() >= std::max<size_t>(options_.max_open, 1)) {
    Close(std::min_element(files_.begin(), files_.end(),
                           [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  auto descriptor = OpenLogFile(name, O_WRONLY | O_CREAT | O_APPEND);
  struct stat shown;
  if (!descriptor.ok() || fstat(descriptor->get(), &shown) != 0) {
    error_ = descriptor.ok() ? absl::StrCat("cannot look at ", name) : std::string(descriptor.status().message());
    return nullptr;
  }
  File& file = files_[name];
  file.descriptor = *std::move(descriptor);
  file.device = shown.st_dev;
  file.inode = shown.st_ino;
  ++counters_.opened;
  counters_.open = files_.size();
  return &file;
}

void LogFileSet::Append(const LogTeller& teller, absl::Time time, absl::string_view text, size_t lines) {
  const int64_t second = absl::ToUnixSeconds(time);
  if (last_ == nullptr || second != last_second_ || teller.port != last_port_ || teller.address != last_address_) {
    last_ = Open(ExpandLogName(options_.pattern, teller, time, options_.zone));
    if (last_ == nullptr) return Fail(std::string(error_), lines);
    last_address_ = teller.address;
    last_port_ = teller.port;
    last_second_ = second;
  }
  last_->used = time;
  last_->buffer.append(text.data(), text.size());
  last_->lines += lines;
  if (last_->buffer.size() < options_.buffer_octets) return;
  for (auto& [name, file] : files_) {
    if (&file == last_) return Flush(name, &file);
  }
}

void LogFileSet::Flush(const std::string& name, File* file) {
  if (file->buffer.empty()) return;
  // Where the last whole line ends; of what is no file, such as a pipe, it is not known.
  const off_t end = lseek(file->descriptor.get(), 0, SEEK_END);
  size_t written = 0;
  const absl::Status status = WriteWhole(file->descriptor.get(), file->buffer, &written);
  if (status.ok()) {
    counters_.lines += file->lines;
    error_.clear();
  } else {
    const size_t whole = written == 0 ? 0 : file->buffer.rfind('\n', written - 1) + 1;
    const auto lines = static_cast<size_t>(std::count(file->buffer.begin(), file->buffer.begin() + whole, '\n'));
    counters_.lines += lines;
    Fail(absl::StrCat("cannot write to ", name, ": ", status.message()), file->lines - std::min(lines, file->lines));
    if (end >= 0 && written != whole && ftruncate(file->descriptor.get(), end + static_cast<off_t>(whole)) != 0) {
      error_ += "; its last line is cut";
    }
  }
  file->buffer.clear();
  file->lines = 0;
}

void LogFileSet::Flush() {
  for (auto& [name, file] : files_) Flush(name, &file);
}

LogFileSet::Files::iterator LogFileSet::Close(Files::iterator file) {
  Flush(file->first, &file->second);
  last_ = nullptr;
  const auto next = files_.erase(file);
  counters_.open = files_.size();
  return next;
}

void LogFileSet::Tick(absl::Time now) {
  for (auto it = files_.begin(); it != files_.end();) {
    struct stat shown;
    const bool there =
        stat(it->first.c_str(), &shown) == 0 && shown.st_dev == it->second.device && shown.st_ino == it->second.inode;
    // `used` is of a clock that may be set back.
    const absl::Duration idle = now - it->second.used;
    it = !there || idle > options_.close_after || idle < -options_.close_after ? Close(it) : std::next(it);
  }
}

void LogFileSet::Reopen() {
  for (auto it = files_.begin(); it != files_.end();) it = Close(it);
}

}  // namespace flowacct::collector
