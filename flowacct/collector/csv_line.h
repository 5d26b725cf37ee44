// A line of CSV as people and other programs write it.
//
// Standard: RFC 4180, without line breaks in quotes; blanks around a cell do not count. Any thread. Cost: a copy of
// each cell.

#ifndef FLOWACCT_COLLECTOR_CSV_LINE_H_
#define FLOWACCT_COLLECTOR_CSV_LINE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::collector {

// False: a quote that is not closed, or something behind one that is.
bool SplitCsvLine(absl::string_view line, std::vector<std::string>* cells);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CSV_LINE_H_
