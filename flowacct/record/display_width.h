// How wide text is on a terminal.
//
// By Unicode's UAX #11 for the blocks that occur in names: combining marks take no column, East Asian wide characters
// and emoji two. Any thread. Cost: linear in the text.

#ifndef FLOWACCT_RECORD_DISPLAY_WIDTH_H_
#define FLOWACCT_RECORD_DISPLAY_WIDTH_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace flowacct::record {

// How many columns of a terminal `text`, which is printable UTF-8 (AppendPrintable), takes.
size_t DisplayWidth(absl::string_view text);

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_DISPLAY_WIDTH_H_
