// Lines for a terminal: text in styles, and grids whose columns are as wide as their widest cell.
//
// What is put in is printable UTF-8 (Printable() makes it so); widths are those of a terminal (display_width.h).
// Threads: plain values. Cost: linear in the text.

#ifndef FLOWACCT_COLLECTOR_CLIENT_TEXT_GRID_H_
#define FLOWACCT_COLLECTOR_CLIENT_TEXT_GRID_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::collector {

// ECMA-48's rendition (SGR).
enum class Style : uint8_t { kPlain, kBold, kDim, kGood, kWarning, kBad, kInverse };

// `text` from the wire, fit for a terminal.
std::string Printable(absl::string_view text);
// "1234567" as "1,234,567"; what is not digits alone stays.
std::string GroupDigits(absl::string_view digits);
std::string GroupDigits(uint64_t number);

class Line {
 public:
  Line& Add(absl::string_view text, Style style = Style::kPlain);
  // Blanks up to column `width`.
  Line& PadTo(size_t width);
  size_t width() const { return width_; }
  // Without blanks at its end, and cut at `columns` (whole characters only).
  std::string Render(bool color, size_t columns = static_cast<size_t>(-1)) const;

 private:
  struct Piece {
    std::string text;
    Style style;
  };
  std::vector<Piece> pieces_;
  size_t width_ = 0;
};

class TextGrid {
 public:
  // One entry a column: whether it is aligned right.
  explicit TextGrid(std::vector<bool> right) : right_(std::move(right)) {}

  // The next cell, row by row.
  void Add(absl::string_view text, Style style = Style::kPlain);
  std::vector<Line> Lines() const;

 private:
  struct Cell {
    std::string text;
    size_t width;
    Style style;
  };
  std::vector<bool> right_;
  std::vector<Cell> cells_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CLIENT_TEXT_GRID_H_
