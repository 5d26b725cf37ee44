#include "flowacct/collector/sessions/charged_sessions.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "flowacct/collector/csv_line.h"

namespace flowacct::collector {
namespace {

#define FLOWACCT_CHARGED_COLUMNS(X) \
  X(kImsi, "imsi")                  \
  X(kChargingId, "charging_id")     \
  X(kApn, "apn")                    \
  X(kStart, "start")                \
  X(kDuration, "duration_seconds")  \
  X(kEnd, "end")                    \
  X(kBytesUp, "bytes_up")           \
  X(kBytesDown, "bytes_down")       \
  X(kHomePlmn, "home_plmn")         \
  X(kVisitedPlmn, "visited_plmn")

enum Column : size_t {
#define X(name, text) name,
  FLOWACCT_CHARGED_COLUMNS(X)
#undef X
};
constexpr absl::string_view kColumns[] = {
#define X(name, text) text,
    FLOWACCT_CHARGED_COLUMNS(X)
#undef X
};
constexpr size_t kNumColumns = sizeof(kColumns) / sizeof(kColumns[0]);

constexpr int64_t kNanos = 1'000'000'000;
// The year 2116: so that the sum of two is a time, too.
constexpr uint64_t kMaxSeconds = uint64_t{INT64_MAX} / kNanos / 2;

// SimpleAtoi takes signs and blanks.
bool ParseNumber(absl::string_view text, uint64_t* number) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit) && absl::SimpleAtoi(text, number);
}

// "12", "12.5"; digits beyond nanoseconds are cut.
bool ParseSeconds(absl::string_view text, int64_t* nanos) {
  const size_t dot = std::min(text.find('.'), text.size());
  uint64_t seconds, fraction = 0;
  if (!ParseNumber(text.substr(0, dot), &seconds) || seconds >= kMaxSeconds) return false;
  if (dot != text.size()) {
    std::string digits(text.substr(dot + 1, 9));
    if (!std::all_of(text.begin() + static_cast<ptrdiff_t>(dot) + 1, text.end(), absl::ascii_isdigit)) return false;
    digits.resize(9, '0');
    if (dot + 1 == text.size() || !ParseNumber(digits, &fraction)) return false;
  }
  *nanos = static_cast<int64_t>(seconds) * kNanos + static_cast<int64_t>(fraction);
  return true;
}

bool ParseMoment(absl::string_view text, int64_t* nanos) {
  if (ParseSeconds(text, nanos)) return true;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return false;
  *nanos = absl::ToUnixNanos(time);
  return time >= absl::UnixEpoch() && absl::ToUnixSeconds(time) < int64_t{kMaxSeconds};
}

bool ParsePlmn(absl::string_view text, base::Digits* plmn) {
  const std::optional<base::Digits> digits = base::Digits::Parse(text);
  if (!digits || digits->is_pseudonym() || (digits->size() != 5 && digits->size() != 6)) return false;
  *plmn = *digits;
  return true;
}

struct Close {
  void operator()(FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};

}  // namespace

absl::Status ChargedReader::Error(absl::string_view column, absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(name_, ":", line_, ": ", column, column.empty() ? "" : ": ", what));
}

absl::string_view ChargedReader::Cell(size_t column) const {
  return place_[column] < 0 ? absl::string_view() : absl::string_view(cells_[static_cast<size_t>(place_[column])]);
}

absl::Status ChargedReader::Line(absl::string_view line) {
  ++line_;
  if (line.size() > options_.max_line_octets) {
    return Error("", absl::StrCat("a line of more than ", options_.max_line_octets, " octets"));
  }
  if (line_ == 1) absl::ConsumePrefix(&line, "\xef\xbb\xbf");
  line = absl::StripAsciiWhitespace(line);
  if (line.empty() || line[0] == '#') return absl::OkStatus();
  if (!SplitCsvLine(line, &cells_))
    return Error("", "a quote that is not closed, or something between it and the comma");
  return has_header_ ? Row() : Header();
}

absl::Status ChargedReader::Header() {
  has_header_ = true;
  columns_ = cells_.size();
  place_.assign(kNumColumns, -1);
  for (size_t i = 0; i < cells_.size(); ++i) {
    const std::string name = absl::AsciiStrToLower(cells_[i]);
    const auto* known = std::find(std::begin(kColumns), std::end(kColumns), name);
    if (known == std::end(kColumns)) continue;
    int& place = place_[static_cast<size_t>(known - kColumns)];
    if (place >= 0) return Error(name, "is there twice");
    place = static_cast<int>(i);
  }
  for (const Column needed : {kImsi, kBytesUp, kBytesDown}) {
    if (place_[needed] < 0) {
      return Error(kColumns[needed], "no such column; the first line is to name the columns");
    }
  }
  if (place_[kChargingId] < 0) {
    for (const Column needed : {kApn, kStart}) {
      if (place_[needed] < 0) return Error(kColumns[needed], "no such column, and no charging_id to do without it");
    }
    if (place_[kDuration] < 0 && place_[kEnd] < 0) {
      return Error(kColumns[kDuration], "no such column, nor end, and no charging_id to do without them");
    }
  }
  return absl::OkStatus();
}

absl::Status ChargedReader::Row() {
  if (cells_.size() != columns_) {
    return Error("", absl::StrCat(cells_.size(), " values, and the first line names ", columns_, " columns"));
  }
  const auto wrong = [this](Column column, absl::string_view is_no) {
    return Error(kColumns[column], absl::StrCat("\"", Cell(column).substr(0, 64), "\" is no ", is_no));
  };
  RoamingSession session;
  const std::optional<base::Digits> imsi = base::Digits::Parse(Cell(kImsi));
  if (!imsi || (!imsi->is_pseudonym() && imsi->size() > 15)) return wrong(kImsi, "IMSI: at most 15 digits");
  session.imsi = *imsi;
  if (!Cell(kChargingId).empty()) {
    uint64_t id;
    if (!ParseNumber(Cell(kChargingId), &id) || id > std::numeric_limits<uint32_t>::max()) {
      return wrong(kChargingId, "number of 32 bits");
    }
    session.charging_id = static_cast<uint32_t>(id);
  }
  session.apn = std::string(Cell(kApn));
  if (!Cell(kStart).empty()) {
    if (!ParseMoment(Cell(kStart), &session.start_nanos)) {
      return wrong(kStart, "time: RFC 3339 with its zone, or seconds since 1970");
    }
    session.end_nanos = session.start_nanos;
    if (!Cell(kDuration).empty()) {
      int64_t nanos;
      if (!ParseSeconds(Cell(kDuration), &nanos)) {
        return wrong(kDuration, "number of seconds");
      }
      session.end_nanos += nanos;
    } else if (!Cell(kEnd).empty()) {
      if (!ParseMoment(Cell(kEnd), &session.end_nanos)) {
        return wrong(kEnd, "time: RFC 3339 with its zone, or seconds since 1970");
      }
      if (session.end_nanos < session.start_nanos) return Error(kColumns[kEnd], "is before start");
    }
    session.milliseconds = static_cast<uint64_t>(session.end_nanos - session.start_nanos) / 1'000'000;
  }
  if (!session.charging_id) {
    for (const Column needed : {kApn, kStart}) {
      if (Cell(needed).empty())
        return Error(kColumns[needed], "is empty, and so is charging_id; one of them is needed");
    }
    if (Cell(kDuration).empty() && Cell(kEnd).empty()) {
      return Error(kColumns[kDuration], "is empty, and so is charging_id; one of them is needed");
    }
  }
  for (const auto& [column, bytes] :
       {std::make_pair(kBytesUp, &session.bytes_up), std::make_pair(kBytesDown, &session.bytes_down)}) {
    if (!ParseNumber(Cell(column), bytes)) return wrong(column, "number of octets");
  }
  for (const auto& [column, plmn] :
       {std::make_pair(kHomePlmn, &session.home_plmn), std::make_pair(kVisitedPlmn, &session.visited_plmn)}) {
    if (!Cell(column).empty() && !ParsePlmn(Cell(column), plmn)) {
      return wrong(column, "MCC and MNC: five or six digits");
    }
  }
  return Add(std::move(session));
}

absl::Status ChargedReader::Add(RoamingSession session) {
  if (session.charging_id) {
    const auto [known, is_new] =
        by_charging_id_.emplace(std::make_pair(session.imsi, *session.charging_id), sessions_.size());
    if (!is_new) {
      RoamingSession& sum = sessions_[known->second];
      if (__builtin_add_overflow(sum.bytes_up, session.bytes_up, &sum.bytes_up)) {
        return Error(kColumns[kBytesUp], "with the session's other rows more than 2^64 octets");
      }
      if (__builtin_add_overflow(sum.bytes_down, session.bytes_down, &sum.bytes_down)) {
        return Error(kColumns[kBytesDown], "with the session's other rows more than 2^64 octets");
      }
      sum.milliseconds += session.milliseconds;
      if (session.end_nanos != 0) {
        sum.start_nanos = sum.end_nanos == 0 ? session.start_nanos : std::min(sum.start_nanos, session.start_nanos);
        sum.end_nanos = std::max(sum.end_nanos, session.end_nanos);
      }
      if (sum.apn.empty()) sum.apn = std::move(session.apn);
      if (sum.home_plmn.empty()) sum.home_plmn = session.home_plmn;
      if (sum.visited_plmn.empty()) sum.visited_plmn = session.visited_plmn;
      return absl::OkStatus();
    }
  }
  if (sessions_.size() >= options_.max_sessions) {
    return absl::ResourceExhaustedError(
        absl::StrCat(name_, ":", line_, ": more than ", options_.max_sessions, " sessions"));
  }
  sessions_.push_back(std::move(session));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RoamingSession>> ChargedReader::Finish() && {
  if (!has_header_) {
    return absl::InvalidArgumentError(absl::StrCat(name_, ": empty; its first line is to name the columns"));
  }
  return std::move(sessions_);
}

absl::StatusOr<std::vector<RoamingSession>> ParseChargedSessions(absl::string_view name, absl::string_view text,
                                                                 const ChargedOptions& options) {
  ChargedReader reader(name, options);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (absl::Status status = reader.Line(text.substr(0, end)); !status.ok()) return status;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(reader).Finish();
}

absl::StatusOr<std::vector<RoamingSession>> ReadChargedSessions(const std::string& path,
                                                                const ChargedOptions& options) {
  const std::unique_ptr<FILE, Close> file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be read"));
  ChargedReader reader(path == "-" ? "standard input" : path, options);
  std::string pending;  // a line that the next block goes on with
  std::vector<char> block(65536);
  while (const size_t n = std::fread(block.data(), 1, block.size(), file.get())) {
    absl::string_view text(block.data(), n);
    for (size_t end = text.find('\n'); end != absl::string_view::npos; end = text.find('\n')) {
      absl::string_view line = text.substr(0, end);
      if (!pending.empty()) {
        absl::StrAppend(&pending, line);
        line = pending;
      }
      if (absl::Status status = reader.Line(line); !status.ok()) return status;
      pending.clear();
      text.remove_prefix(end + 1);
    }
    absl::StrAppend(&pending, text);
    if (pending.size() > options.max_line_octets) return reader.Line(pending);
  }
  if (std::ferror(file.get())) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be read"));
  if (!pending.empty()) {
    if (absl::Status status = reader.Line(pending); !status.ok()) return status;
  }
  return std::move(reader).Finish();
}

}  // namespace flowacct::collector
