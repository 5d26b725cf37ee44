#include "flowacct/collector/import/pmacct_file.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace flowacct::collector {
namespace {

absl::Status Wrong(absl::string_view name, int line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(name, ":", line, ": ", what));
}

// Hands out the lines that are neither blank nor a comment, without blanks around them.
class Lines {
 public:
  explicit Lines(absl::string_view text) : rest_(text) {}

  bool Next() {
    while (!rest_.empty()) {
      const size_t end = rest_.find('\n');
      current_ = absl::StripAsciiWhitespace(rest_.substr(0, end));
      rest_ = end == absl::string_view::npos ? absl::string_view() : rest_.substr(end + 1);
      ++number_;
      if (!current_.empty() && current_[0] != '!' && current_[0] != '#') return true;
    }
    return false;
  }
  absl::string_view current() const { return current_; }
  int number() const { return number_; }

 private:
  absl::string_view rest_, current_;
  int number_ = 0;
};

absl::Status CheckSize(absl::string_view text, absl::string_view name, const PmacctFileOptions& options) {
  if (text.size() <= options.max_octets) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": larger than ", options.max_octets, " octets; a file of pmacct is some kilooctets"));
}

std::string KeyWord(absl::string_view text) {
  std::string word;
  for (char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (!absl::ascii_isspace(octet)) word.push_back(static_cast<char>(absl::ascii_tolower(octet)));
  }
  return word;
}

}  // namespace

absl::StatusOr<std::vector<Statement>> ParsePmacctFile(absl::string_view text, absl::string_view name,
                                                       const PmacctFileOptions& options) {
  if (absl::Status status = CheckSize(text, name, options); !status.ok()) return status;
  std::vector<Statement> statements;
  for (Lines lines(text); lines.Next();) {
    const absl::string_view line = lines.current();
    const auto wrong = [&](absl::string_view what) { return Wrong(name, lines.number(), what); };
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) return wrong("no ':' between a key and its value; write key: value");
    absl::string_view key = line.substr(0, colon);
    Statement statement;
    statement.line = lines.number();
    statement.value = std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
    if (const size_t open = key.find('['); open != absl::string_view::npos) {
      const size_t close = key.find(']', open);
      if (close == absl::string_view::npos) return wrong("the '[' before a plugin's name has no ']'; write key[name]:");
      if (!absl::StripAsciiWhitespace(key.substr(close + 1)).empty()) {
        return wrong("something stands between ']' and ':'; write key[name]: value");
      }
      statement.plugin = std::string(absl::StripAsciiWhitespace(key.substr(open + 1, close - open - 1)));
      if (statement.plugin.empty()) return wrong("no name of a plugin between '[' and ']'; leave them out");
      key = key.substr(0, open);
    } else if (key.find(']') != absl::string_view::npos) {
      return wrong("the ']' behind a plugin's name has no '['; write key[name]:");
    }
    statement.key = KeyWord(key);
    if (statement.key.empty()) return wrong("no key before ':'; write key: value");
    if (statements.size() == options.max_statements) {
      return wrong(absl::StrCat("more than ", options.max_statements, " statements; is it one configuration?"));
    }
    statements.push_back(std::move(statement));
  }
  return statements;
}

const std::string* MapLine::Find(absl::string_view key) const {
  for (const Pair& pair : pairs) {
    if (pair.key == key) return &pair.value;
  }
  return nullptr;
}

absl::StatusOr<std::vector<MapLine>> ParsePmacctMap(absl::string_view text, absl::string_view name,
                                                    const PmacctFileOptions& options) {
  if (absl::Status status = CheckSize(text, name, options); !status.ok()) return status;
  std::vector<MapLine> map;
  for (Lines lines(text); lines.Next();) {
    MapLine line;
    line.line = lines.number();
    const absl::string_view octets = lines.current();
    for (size_t at = 0; at < octets.size();) {
      if (absl::ascii_isspace(static_cast<unsigned char>(octets[at]))) {
        ++at;
        continue;
      }
      std::string word;
      bool quoted = false;
      for (; at < octets.size(); ++at) {
        if (octets[at] == '\'') {
          quoted = !quoted;
        } else if (!quoted && absl::ascii_isspace(static_cast<unsigned char>(octets[at]))) {
          break;
        } else {
          word.push_back(octets[at]);
        }
      }
      if (quoted) return Wrong(name, line.line, "a quote is not closed; write filter='...'");
      const size_t equals = word.find('=');
      if (equals == std::string::npos || equals == 0) {
        return Wrong(name, line.line, absl::StrCat("\"", word, "\" is no key=value; write it without blanks around ="));
      }
      line.pairs.push_back({KeyWord(word.substr(0, equals)), word.substr(equals + 1)});
    }
    map.push_back(std::move(line));
  }
  return map;
}

absl::StatusOr<std::vector<ListLine>> ParsePmacctList(absl::string_view text, absl::string_view name,
                                                      const PmacctFileOptions& options) {
  if (absl::Status status = CheckSize(text, name, options); !status.ok()) return status;
  std::vector<ListLine> list;
  for (Lines lines(text); lines.Next();) list.push_back({lines.number(), std::string(lines.current())});
  return list;
}

}  // namespace flowacct::collector
