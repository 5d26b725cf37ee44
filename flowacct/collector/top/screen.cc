#include "flowacct/collector/top/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace flowacct::collector {
namespace {

struct Sequence {
  absl::string_view octets;
  Key key;
};

// ECMA-48's cursor keys, as xterm sends them, also in its application mode.
constexpr Sequence kSequences[] = {
    {"\x1b[A", Key::kUp},
    {"\x1bOA", Key::kUp},
    {"\x1b[B", Key::kDown},
    {"\x1bOB", Key::kDown},
    {"\x1b[C", Key::kNextView},
    {"\x1bOC", Key::kNextView},
    {"\x1b[D", Key::kPreviousView},
    {"\x1bOD", Key::kPreviousView},
    {"\x1b[Z", Key::kPreviousView},
    {"\x1b[5~", Key::kPageUp},
    {"\x1b[6~", Key::kPageDown},
    {"q", Key::kQuit},
    {"Q", Key::kQuit},
    {"p", Key::kPause},
    {"P", Key::kPause},
    {" ", Key::kPause},
    {"\t", Key::kNextView},
    {"j", Key::kDown},
    {"k", Key::kUp},
};

}  // namespace

std::vector<KeyPress> KeysFrom(absl::string_view octets) {
  std::vector<KeyPress> keys;
  while (!octets.empty()) {
    size_t used = 0;
    for (const Sequence& sequence : kSequences) {
      if (!absl::StartsWith(octets, sequence.octets)) continue;
      keys.push_back({sequence.key, 0});
      used = sequence.octets.size();
      break;
    }
    if (used == 0 && octets[0] >= '1' && octets[0] <= '9') {
      keys.push_back({Key::kView, static_cast<size_t>(octets[0] - '1')});
      used = 1;
    }
    if (used == 0 && (absl::StartsWith(octets, "\x1b[") || absl::StartsWith(octets, "\x1bO"))) {
      // A sequence ends with its first octet from 0x40 on (ECMA-48, 5.4).
      used = 2;
      while (used < octets.size() && (octets[used] < 0x40 || octets[used] > 0x7e)) ++used;
      ++used;
    }
    octets.remove_prefix(std::min(octets.size(), std::max(used, size_t{1})));
  }
  return keys;
}

bool Screen::IsTerminal(int input, int output) { return isatty(input) == 1 && isatty(output) == 1; }

Screen::Screen(int input, int output) : input_(input), output_(output) {
  tcgetattr(input_, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  // Stopped, it would leave the terminal as nobody can use it.
  raw.c_cc[VSUSP] = _POSIX_VDISABLE;
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(input_, TCSANOW, &raw);
  // The alternate screen, without a cursor.
  Put("\x1b[?1049h\x1b[?25l\x1b[2J");
}

Screen::~Screen() {
  Put("\x1b[?25h\x1b[?1049l");
  tcsetattr(input_, TCSANOW, &before_);
}

void Screen::Put(absl::string_view octets) {
  while (!octets.empty()) {
    const ssize_t n = write(output_, octets.data(), octets.size());
    if (n < 0 && errno != EINTR) return;
    if (n > 0) octets.remove_prefix(static_cast<size_t>(n));
  }
}

Screen::Size Screen::size() const {
  winsize told{};
  Size size;
  if (ioctl(output_, TIOCGWINSZ, &told) == 0 && told.ws_col > 0 && told.ws_row > 0) {
    size.columns = told.ws_col;
    size.rows = told.ws_row;
  }
  return size;
}

void Screen::Draw(const std::vector<Line>& lines, bool color) {
  const Size room = size();
  std::string frame = "\x1b[H";
  for (size_t i = 0; i < lines.size() && i < room.rows; ++i) {
    // To the end of the line, then of the screen, what was there is erased (EL, ED).
    absl::StrAppend(&frame, i == 0 ? "" : "\r\n", lines[i].Render(color, room.columns), "\x1b[K");
  }
  frame.append("\x1b[J");
  Put(frame);
}

std::vector<KeyPress> Screen::Wait(absl::Duration most, bool* closed) {
  *closed = false;
  pollfd waiting{input_, POLLIN, 0};
  const int64_t millis = std::max<int64_t>(0, absl::ToInt64Milliseconds(most));
  if (poll(&waiting, 1, static_cast<int>(millis)) <= 0) return {};
  char octets[256];
  const ssize_t n = read(input_, octets, sizeof(octets));
  if (n <= 0) {
    *closed = n == 0 || errno != EINTR;
    return {};
  }
  return KeysFrom(absl::string_view(octets, static_cast<size_t>(n)));
}

}  // namespace flowacct::collector
