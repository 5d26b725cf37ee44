// Writes a configuration of ours as text with comments, indented, one value a line.
//
// Whatever is put into it, the text has the form of Protocol Buffers' text format: values are quoted and escaped, and a
// comment stays on its line.

#ifndef FLOWACCT_COLLECTOR_IMPORT_CONFIG_WRITER_H_
#define FLOWACCT_COLLECTOR_IMPORT_CONFIG_WRITER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace flowacct::collector {

class ConfigWriter {
 public:
  // "name {", and the brace that ends the last one.
  void Open(absl::string_view name);
  void Close();
  // `from`: where the value comes from, as a comment behind it; may be empty.
  void Text(absl::string_view name, absl::string_view value, absl::string_view from = "");
  void Word(absl::string_view name, absl::string_view value, absl::string_view from = "");
  void Number(absl::string_view name, uint64_t value, absl::string_view from = "");
  void Flag(absl::string_view name, bool value, absl::string_view from = "");
  // A line of its own; empty: "#".
  void Comment(absl::string_view text);
  void Blank() { text_ += '\n'; }

  const std::string& text() const { return text_; }
  // What another one wrote, indented as here.
  void Append(const ConfigWriter& part);

 private:
  void Line(absl::string_view text, absl::string_view from);

  std::string text_;
  int depth_ = 0;
};

// `text` without anything that moves the cursor or ends the line, and not longer than a person reads.
std::string OneLine(absl::string_view text);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_CONFIG_WRITER_H_
