// One line of a log, as logfmt or as JSON.
//
// logfmt: key=value by blanks; a value that is empty or holds a blank, a quote, a backslash, '=' or anything that a
// terminal would not just show is written as JSON's strings are. JSON: one object (RFC 8259). What is no UTF-8 becomes
// U+FFFD. A text that would make the line longer than its bound is cut at a character, and "…" stands for the rest;
// members that do not fit at all are left out. Numbers with a fraction have six digits.

#ifndef FLOWACCT_COLLECTOR_LOG_LINE_WRITER_H_
#define FLOWACCT_COLLECTOR_LOG_LINE_WRITER_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/collector/log/log.h"

namespace flowacct::collector::log {

class LineWriter {
 public:
  // Writes to `line`, which is emptied; its capacity is used again.
  LineWriter(LogFormat format, absl::string_view prefix, size_t max_octets, std::string* line);

  void Add(absl::string_view key, const LogField::Value& value);
  // Ends the line; whether something of it did not fit.
  bool Finish();

 private:
  void AddText(absl::string_view key, absl::string_view text);
  // Appends `key` and `value`, which are whole and escaped, if they fit.
  bool AppendMember(absl::string_view key, absl::string_view value);

  const LogFormat format_;
  const size_t max_octets_;
  const size_t prefix_octets_;
  std::string* const line_;
  bool cut_ = false;
};

}  // namespace flowacct::collector::log

#endif  // FLOWACCT_COLLECTOR_LOG_LINE_WRITER_H_
