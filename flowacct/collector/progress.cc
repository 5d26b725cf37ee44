#include "flowacct/collector/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace flowacct::collector {
namespace {

constexpr absl::Duration kFirstAfter = absl::Seconds(1);
constexpr absl::Duration kBetween = absl::Milliseconds(100);

// Three digits and a prefix: "1.2 k", "34 M".
std::string Short(double value) {
  static constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t prefix = 0;
  while (value >= 999.5 && prefix + 1 < std::size(kPrefixes)) {
    value /= 1000;
    ++prefix;
  }
  const bool tenths = prefix > 0 && value < 9.95;
  return absl::StrFormat("%.*f %s", tenths ? 1 : 0, value, kPrefixes[prefix]);
}

std::string ShortDuration(double seconds) {
  const auto whole = static_cast<int64_t>(std::min(std::ceil(seconds), 359999.0));
  if (whole < 100) return absl::StrCat(whole, " s");
  return whole < 6000 ? absl::StrCat((whole + 59) / 60, " min") : absl::StrCat((whole + 3599) / 3600, " h");
}

}  // namespace

std::string ShortOctets(uint64_t octets) { return absl::StrCat(Short(static_cast<double>(octets)), "B"); }

std::string ProgressText(const ProgressState& state, absl::Duration elapsed) {
  const double seconds = std::max(absl::ToDoubleSeconds(elapsed), 1e-3);
  const double rate = static_cast<double>(state.octets) / seconds;
  std::string text;
  if (state.packets_total > 0) {
    const double all = static_cast<double>(state.packets_total);
    const double share = std::min(1.0, static_cast<double>(state.packets) / all);
    const std::string total = Short(all);
    text = absl::StrFormat("%d%% of %s%s%s", static_cast<int>(share * 100), total, total.back() == ' ' ? "" : " ",
                           state.what);
    if (share > 0 && share < 1) absl::StrAppend(&text, ", ", ShortDuration(seconds / share - seconds), " left");
    return text;
  }
  if (state.octets_total > 0) {
    // A file that grows while it is read has more than it had.
    const double share = std::min(1.0, static_cast<double>(state.octets) / static_cast<double>(state.octets_total));
    text = absl::StrFormat("%d%% of %s", static_cast<int>(share * 100), ShortOctets(state.octets_total));
  } else {
    text = ShortOctets(state.octets);
  }
  const std::string packets = Short(static_cast<double>(state.packets));
  absl::StrAppend(&text, ", ", packets, packets.back() == ' ' ? "" : " ", state.what, ", ", Short(rate), "B/s");
  if (state.octets_total > state.octets && rate > 0) {
    const double left = static_cast<double>(state.octets_total - state.octets) / rate;
    absl::StrAppend(&text, ", ", ShortDuration(left), " left");
  }
  return text;
}

ProgressLine::ProgressLine(int file_descriptor)
    : file_descriptor_(file_descriptor),
      active_(isatty(file_descriptor) == 1),
      start_(active_ ? absl::Now() : absl::UnixEpoch()),
      next_(start_ + kFirstAfter) {}

void ProgressLine::Look(const ProgressState& state) {
  const absl::Time now = absl::Now();
  if (now < next_) return;
  next_ = now + kBetween;
  Draw(ProgressText(state, now - start_));
  shown_ = true;
}

void ProgressLine::Draw(absl::string_view text) {
  winsize size{};
  // One column is left free: a full line would wrap, and could not be erased.
  const size_t columns =
      ioctl(file_descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - size_t{1} : 79;
  // Back to the first column, erase to the end of the line (ECMA-48: EL).
  const std::string line = absl::StrCat("\r\x1b[K", text.substr(0, columns));
  if (write(file_descriptor_, line.data(), line.size()) < 0) return;
}

void ProgressLine::Erase() {
  if (!shown_) return;
  Draw("");
  shown_ = false;
}

}  // namespace flowacct::collector
