// The collector's log: few lines, each of a kind, in logfmt or as JSON, and never more than a reader can take.
//
//     log.Warning("kernel_drops", "the kernel dropped datagrams", {{"input", "exports"}, {"dropped", 1200}});
//
//     time=2026-01-04T04:12:00.25Z level=warning kind=kernel_drops msg="the kernel dropped datagrams" input=exports
//     dropped=1200                                            (in one line)
//     {"time":"2026-01-04T04:12:00.25Z","level":"warning","kind":"kernel_drops","msg":"...","input":"exports",...}
//
// A kind is a word of the code, not of the input. Of each kind `burst` lines are written at once and then one in
// `every`; those kept back are counted, and the next line of the kind (or Tick(), when none comes) tells how many as
// suppressed=N. So a flood of whatever kind costs a bounded number of lines, and none is lost without being counted.
// Guaranteed: one line an entry, whatever its values hold: control characters and what is no UTF-8 are escaped; at most
// `max_line_octets`. Not guaranteed: that a line arrives. Writing never waits: what the output does not take at once is
// counted and told in the next line that it takes, as lost=N.
// Threads: any. Ownership: the log owns its options. Errors: none.
// Cost: below the level a comparison; a line some 2 microseconds under a lock; a kind some 100 octets.

#ifndef FLOWACCT_COLLECTOR_LOG_LOG_H_
#define FLOWACCT_COLLECTOR_LOG_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <type_traits>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/variant.h"
#include "flowacct/base/mutex.h"

namespace flowacct::collector {

// name, priority of syslog (RFC 5424, 6.2.1)
#define FLOWACCT_LOG_LEVELS(X) \
  X(kDebug, "debug", 7)        \
  X(kInfo, "info", 6)          \
  X(kWarning, "warning", 4)    \
  X(kError, "error", 3)

enum class LogLevel : uint8_t {
#define X(level, name, priority) level,
  FLOWACCT_LOG_LEVELS(X)
#undef X
};
absl::string_view LogLevelName(LogLevel level);  // "warning"
absl::StatusOr<LogLevel> LogLevelFromName(absl::string_view name);

enum class LogFormat : uint8_t { kLogfmt, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kLogfmt;
  // "<4>" in front of each line, and no time: for systemd's journal, which has its own (sd-daemon(3)).
  bool journal = false;
  // Of each kind: a few in a row tell that it goes on, one a minute that it still does.
  uint32_t burst = 5;
  absl::Duration every = absl::Minutes(1);
  // Kinds that are counted apart; those beyond share one limit. The code has a few dozen.
  size_t max_kinds = 256;
  // A write of up to 4096 octets (PIPE_BUF) to a pipe goes whole or not at all.
  size_t max_line_octets = 4000;
  // Takes a line with its line end, without waiting; false: it could not. Null: StandardErrorOutput().
  std::function<bool(absl::string_view line)> output;
  // Null: absl::Now().
  std::function<absl::Time()> clock;
};

// Writes to file descriptor 2 if that can take a line at once.
bool StandardErrorOutput(absl::string_view line);

struct LogField {
  using Value = absl::variant<absl::string_view, int64_t, uint64_t, double, bool>;

  LogField(absl::string_view k, absl::string_view v) : key(k), value(v) {}
  LogField(absl::string_view k, const char* v) : key(k), value(absl::string_view(v)) {}
  LogField(absl::string_view k, const std::string& v) : key(k), value(absl::string_view(v)) {}
  LogField(absl::string_view k, bool v) : key(k), value(v) {}
  LogField(absl::string_view k, double v) : key(k), value(v) {}
  template <typename T, std::enable_if_t<std::is_integral<T>::value && std::is_unsigned<T>::value, int> = 0>
  LogField(absl::string_view k, T v) : key(k), value(static_cast<uint64_t>(v)) {}
  template <typename T, std::enable_if_t<std::is_integral<T>::value && std::is_signed<T>::value, int> = 0>
  LogField(absl::string_view k, T v) : key(k), value(static_cast<int64_t>(v)) {}

  absl::string_view key;  // a word of the code: letters, digits, '_'
  Value value;
};

struct LogCounters {
  uint64_t lines = 0;       // written
  uint64_t suppressed = 0;  // kept back by the rate limit
  uint64_t lost = 0;        // not taken by the output
  uint64_t shortened = 0;   // written, but cut at the bound on a line
};

class Log {
 public:
  using Fields = std::initializer_list<LogField>;

  explicit Log(LogOptions options);
  // Tells what was kept back.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void Debug(absl::string_view kind, absl::string_view text, Fields fields = {}) {
    Write(LogLevel::kDebug, kind, text, fields);
  }
  void Info(absl::string_view kind, absl::string_view text, Fields fields = {}) {
    Write(LogLevel::kInfo, kind, text, fields);
  }
  void Warning(absl::string_view kind, absl::string_view text, Fields fields = {}) {
    Write(LogLevel::kWarning, kind, text, fields);
  }
  void Error(absl::string_view kind, absl::string_view text, Fields fields = {}) {
    Write(LogLevel::kError, kind, text, fields);
  }
  void Write(LogLevel level, absl::string_view kind, absl::string_view text, Fields fields = {});

  // Now and then: tells what was kept back of kinds that came no more, once their time is over.
  void Tick();

  LogCounters counters() const;

 private:
  // A bucket of tokens, by the clock.
  struct Kind {
    uint32_t left = 0;    // lines that may be written now
    absl::Time refilled;  // when the last token came in
    uint64_t suppressed = 0;
    LogLevel level = LogLevel::kInfo;  // of the last that was kept back
  };

  absl::Time Now() const { return options_.clock ? options_.clock() : absl::Now(); }
  Kind& KindOf(absl::string_view kind, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Refill(absl::Time now, Kind* kind) const;
  void TellSuppressed(bool all) ABSL_LOCKS_EXCLUDED(mutex_);
  void Put(absl::Time now, LogLevel level, absl::string_view kind, absl::string_view text, Fields fields,
           uint64_t suppressed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const LogOptions options_;
  mutable base::Mutex mutex_;
  absl::flat_hash_map<std::string, Kind> kinds_ ABSL_GUARDED_BY(mutex_);
  LogCounters counters_ ABSL_GUARDED_BY(mutex_);
  uint64_t lost_untold_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string line_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LOG_LOG_H_
