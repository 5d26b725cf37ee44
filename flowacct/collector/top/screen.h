// The terminal while `flowacct top` has it: keys one by one, frames in place, and all as before when it is done.
//
// Uses the alternate screen and ECMA-48's control sequences, as every terminal of today; no curses. Keys that would
// stop or kill the program work as always, except Ctrl-Z. Threads: one at a time. Errors: none; where there is no
// terminal IsTerminal() says so and a Screen must not be made.

#ifndef FLOWACCT_COLLECTOR_TOP_SCREEN_H_
#define FLOWACCT_COLLECTOR_TOP_SCREEN_H_

#include <termios.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/collector/client/text_grid.h"

namespace flowacct::collector {

enum class Key : uint8_t { kQuit, kPause, kNextView, kPreviousView, kUp, kDown, kPageUp, kPageDown, kView };

struct KeyPress {
  Key key;
  size_t view = 0;  // of kView: from 0

  friend bool operator==(const KeyPress& a, const KeyPress& b) { return a.key == b.key && a.view == b.view; }
};

// What a terminal sent; sequences that mean nothing here are skipped. One that is cut is taken for none.
std::vector<KeyPress> KeysFrom(absl::string_view octets);

class Screen {
 public:
  Screen(int input, int output);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  static bool IsTerminal(int input, int output);

  struct Size {
    size_t columns = 80, rows = 24;
    friend bool operator!=(const Size& a, const Size& b) { return a.columns != b.columns || a.rows != b.rows; }
  };
  Size size() const;
  void Draw(const std::vector<Line>& lines, bool color);
  // Waits for keys, `most` at the longest or until a signal comes; `closed` if there will be none any more.
  std::vector<KeyPress> Wait(absl::Duration most, bool* closed);

 private:
  void Put(absl::string_view octets);

  const int input_;
  const int output_;
  termios before_{};
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_TOP_SCREEN_H_
