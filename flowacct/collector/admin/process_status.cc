#include "flowacct/collector/admin/process_status.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace flowacct::collector {
namespace {

std::string ReadFile(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  std::string text;
  char buffer[4096];
  // What is read of /proc/stat is many times this on large machines; the line that counts may come late in it.
  constexpr size_t kMaxOctets = size_t{1} << 20;
  for (ssize_t n; text.size() < kMaxOctets && (n = read(file, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  close(file);
  return text;
}

uint64_t Number(absl::string_view text) {
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

uint64_t CountOpenFiles() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  uint64_t count = 0;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(folder);
  return count > 0 ? count - 1 : 0;  // without the folder's own
}

}  // namespace

ProcessStatus ReadProcessStatus() {
  ProcessStatus status;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    status.cpu_seconds =
        absl::ToDoubleSeconds(absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime));
  }
  // proc(5): pid, the name in parentheses, which may hold anything, then fields by blanks, the state being the third.
  const std::string text = ReadFile("/proc/self/stat");
  const size_t after_name = text.rfind(')');
  if (after_name != std::string::npos && after_name + 2 < text.size()) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(absl::string_view(text).substr(after_name + 2), ' ', absl::SkipWhitespace());
    const auto field = [&fields](size_t number) {
      return number - 3 < fields.size() ? Number(fields[number - 3]) : uint64_t{0};
    };
    status.threads = field(20);
    status.virtual_octets = field(23);
    status.resident_octets = field(24) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    const double since_boot = static_cast<double>(field(22)) / static_cast<double>(sysconf(_SC_CLK_TCK));
    for (absl::string_view line : absl::StrSplit(ReadFile("/proc/stat"), '\n')) {
      if (!absl::StartsWith(line, "btime ")) continue;
      status.started = absl::FromUnixSeconds(static_cast<int64_t>(Number(line.substr(6)))) + absl::Seconds(since_boot);
    }
  }
  status.open_files = CountOpenFiles();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) status.max_files = limit.rlim_cur;
  return status;
}

}  // namespace flowacct::collector
