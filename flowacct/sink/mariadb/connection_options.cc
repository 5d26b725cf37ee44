#include "flowacct/sink/mariadb/connection_options.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace flowacct::sink::mariadb {
namespace {

struct TlsWord {
  absl::string_view word;
  Tls tls;
};
constexpr TlsWord kTlsWords[] = {{"off", Tls::kOff}, {"require", Tls::kRequire}, {"verify", Tls::kVerify}};

// What may be written, in one table. False: the value is not of its kind.
struct Word {
  absl::string_view name;
  absl::string_view kind;  // of its value, for error texts
  bool (*set)(const std::string& value, ConnectionOptions* options);
};

template <std::string ConnectionOptions::*kMember>
bool SetText(const std::string& value, ConnectionOptions* options) {
  options->*kMember = value;
  return true;
}

constexpr Word kWords[] = {
    {"host", "a name or address", SetText<&ConnectionOptions::host>},
    {"port", "a number from 1 to 65535",
     [](const std::string& value, ConnectionOptions* options) {
       return absl::SimpleAtoi(value, &options->port) && options->port >= 1 && options->port <= 65535;
     }},
    {"socket", "a path", SetText<&ConnectionOptions::socket>},
    {"user", "a name", SetText<&ConnectionOptions::user>},
    {"database", "a name", SetText<&ConnectionOptions::database>},
    {"password_file", "a path", SetText<&ConnectionOptions::password_file>},
    {"tls", "off, require or verify",
     [](const std::string& value, ConnectionOptions* options) {
       for (const TlsWord& word : kTlsWords) {
         if (value != word.word) continue;
         options->tls = word.tls;
         return true;
       }
       return false;
     }},
    {"tls_ca_file", "a path", SetText<&ConnectionOptions::tls_ca_file>},
    {"timeout", "a time such as 30s",
     [](const std::string& value, ConnectionOptions* options) {
       return absl::ParseDuration(value, &options->timeout);
     }},
};

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("mariadb: ", what, "; write it as \"host=db.example user=flowacct database=flows\""));
}

// Takes a value off the front; false: its quote does not end.
bool TakeValue(absl::string_view* text, std::string* value) {
  if (text->empty() || text->front() != '\'') {
    size_t end = 0;
    while (end < text->size() && !absl::ascii_isspace(static_cast<unsigned char>((*text)[end]))) ++end;
    *value = std::string(text->substr(0, end));
    text->remove_prefix(end);
    return true;
  }
  for (size_t i = 1; i < text->size(); ++i) {
    if ((*text)[i] != '\'') {
      value->push_back((*text)[i]);
    } else if (i + 1 < text->size() && (*text)[i + 1] == '\'') {
      value->push_back((*text)[i++]);
    } else {
      text->remove_prefix(i + 1);
      return text->empty() || absl::ascii_isspace(static_cast<unsigned char>(text->front()));
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<ConnectionOptions> ParseConnectionOptions(absl::string_view text) {
  ConnectionOptions options;
  std::vector<const Word*> seen;
  while (!(text = absl::StripLeadingAsciiWhitespace(text)).empty()) {
    const size_t equals = text.find('=');
    const absl::string_view name = text.substr(0, equals);
    if (name == "password") {
      return Wrong("there is a password in it; put it into a file that password_file names, or into MYSQL_PWD");
    }
    const Word* found = nullptr;
    std::string names;
    for (const Word& word : kWords) {
      if (word.name == name) found = &word;
      absl::StrAppend(&names, names.empty() ? "" : ", ", word.name);
    }
    // The text is not repeated: a password may be in it.
    if (equals == absl::string_view::npos) return Wrong("there is a word without \"=\"");
    if (found == nullptr) return Wrong(absl::StrCat("there is a name that is none of ", names));
    for (const Word* other : seen) {
      if (other == found) return Wrong(absl::StrCat(name, " is there twice"));
    }
    seen.push_back(found);
    text.remove_prefix(equals + 1);
    std::string value;
    if (!TakeValue(&text, &value)) return Wrong(absl::StrCat(name, ": the quote does not end"));
    if (value.empty() || !found->set(value, &options)) return Wrong(absl::StrCat(name, ": ", found->kind));
  }
  if (absl::Status status = CheckConnectionOptions(options); !status.ok()) return status;
  return options;
}

absl::Status CheckConnectionOptions(const ConnectionOptions& options) {
  if (options.database.empty()) return Wrong("there is no database");
  if (!options.host.empty() && !options.socket.empty()) return Wrong("there are a host and a socket; choose one");
  if (options.port < 1 || options.port > 65535) {
    return Wrong(absl::StrCat("port = ", options.port, ": a number from 1 to 65535"));
  }
  if (options.timeout < absl::Seconds(1) || options.timeout > absl::Hours(24)) {
    return Wrong(absl::StrCat("timeout = ", absl::FormatDuration(options.timeout), ": from a second to a day"));
  }
  return absl::OkStatus();
}

}  // namespace flowacct::sink::mariadb
