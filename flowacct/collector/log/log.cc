#include "flowacct/collector/log/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/log/line_writer.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

struct LevelInfo {
  absl::string_view name;
  absl::string_view priority;  // as systemd reads it
};

constexpr LevelInfo kLevels[] = {
#define X(level, name, priority) {name, "<" #priority ">"},
    FLOWACCT_LOG_LEVELS(X)
#undef X
};

// What stands for the kinds beyond the bound, in their limit.
constexpr absl::string_view kOtherKinds = "other";

LogOptions WithDefaults(LogOptions options) {
  if (!options.output) options.output = StandardErrorOutput;
  return options;
}

}  // namespace

absl::string_view LogLevelName(LogLevel level) { return kLevels[static_cast<size_t>(level)].name; }

absl::StatusOr<LogLevel> LogLevelFromName(absl::string_view name) {
  std::string names;
  for (size_t i = 0; i < std::size(kLevels); ++i) {
    if (kLevels[i].name == name) return static_cast<LogLevel>(i);
    absl::StrAppend(&names, i == 0 ? "" : ", ", kLevels[i].name);
  }
  return absl::InvalidArgumentError(absl::StrCat("log level: \"", name, "\" is none; known are ", names));
}

bool StandardErrorOutput(absl::string_view line) {
  // A pipe that can take PIPE_BUF octets takes a line whole.
  pollfd waiting{STDERR_FILENO, POLLOUT, 0};
  if (poll(&waiting, 1, 0) != 1 || (waiting.revents & POLLOUT) == 0) return false;
  return write(STDERR_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

Log::Log(LogOptions options) : options_(WithDefaults(std::move(options))) {}

Log::~Log() { TellSuppressed(/*all=*/true); }

void Log::Refill(absl::Time now, Kind* kind) const {
  if (kind->left >= options_.burst || options_.every <= absl::ZeroDuration()) {
    kind->left = options_.burst;
    kind->refilled = now;
    return;
  }
  // A clock that was set back gives nothing, and takes nothing.
  kind->refilled = std::min(kind->refilled, now);
  absl::Duration rest;
  const int64_t tokens = absl::IDivDuration(now - kind->refilled, options_.every, &rest);
  if (tokens <= 0) return;
  kind->left = static_cast<uint32_t>(
      std::min<int64_t>(options_.burst, int64_t{kind->left} + std::min<int64_t>(tokens, options_.burst)));
  kind->refilled = now - rest;
}

Log::Kind& Log::KindOf(absl::string_view kind, absl::Time now) {
  const auto found = kinds_.find(kind);
  if (found != kinds_.end()) return found->second;
  const auto [place, added] = kinds_.try_emplace(kinds_.size() < options_.max_kinds ? kind : kOtherKinds);
  if (added) {
    place->second.left = options_.burst;
    place->second.refilled = now;
  }
  return place->second;
}

void Log::Write(LogLevel level, absl::string_view kind, absl::string_view text, Fields fields) {
  if (level < options_.level) return;
  base::MutexLock lock(&mutex_);
  const absl::Time now = Now();
  Kind& limit = KindOf(kind, now);
  Refill(now, &limit);
  if (limit.left == 0) {
    ++limit.suppressed;
    ++counters_.suppressed;
    limit.level = level;
    return;
  }
  --limit.left;
  Put(now, level, kind, text, fields, std::exchange(limit.suppressed, 0));
}

void Log::Put(absl::Time now, LogLevel level, absl::string_view kind, absl::string_view text, Fields fields,
              uint64_t suppressed) {
  const LevelInfo& info = kLevels[static_cast<size_t>(level)];
  log::LineWriter line(options_.format, options_.journal ? info.priority : absl::string_view(),
                       options_.max_line_octets, &line_);
  if (!options_.journal) {
    char time[record::kMaxFixedTextSize];
    const char* const end = record::WriteTime(absl::ToUnixNanos(now), time);
    line.Add("time", absl::string_view(time, static_cast<size_t>(end - time)));
  }
  line.Add("level", info.name);
  line.Add("kind", kind);
  // Before what may be long.
  if (suppressed > 0) line.Add("suppressed", suppressed);
  if (lost_untold_ > 0) line.Add("lost", lost_untold_);
  line.Add("msg", text);
  for (const LogField& field : fields) line.Add(field.key, field.value);
  const bool cut = line.Finish();
  if (!options_.output(line_)) {
    ++counters_.lost;
    ++lost_untold_;
    // The number is told by a line that arrives.
    return;
  }
  ++counters_.lines;
  if (cut) ++counters_.shortened;
  lost_untold_ = 0;
}

void Log::TellSuppressed(bool all) {
  base::MutexLock lock(&mutex_);
  const absl::Time now = Now();
  std::vector<std::pair<absl::string_view, Kind*>> due;
  for (auto& [name, kind] : kinds_) {
    Refill(now, &kind);
    if (kind.suppressed > 0 && (all || kind.left > 0)) due.emplace_back(name, &kind);
  }
  std::sort(due.begin(), due.end());  // not by the hash's whim
  for (const auto& [name, kind] : due) {
    if (kind->left > 0) --kind->left;
    Put(now, kind->level, name, "lines were kept back", {}, std::exchange(kind->suppressed, 0));
  }
}

void Log::Tick() { TellSuppressed(/*all=*/false); }

LogCounters Log::counters() const {
  base::MutexLock lock(&mutex_);
  return counters_;
}

}  // namespace flowacct::collector
