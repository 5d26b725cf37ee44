#include "flowacct/collector/replay/testing/values.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace flowacct::collector::testing {
namespace {

void Flatten(const rapidjson::Value& value, const std::string& name, Values* values) {
  if (value.IsObject() && value.MemberCount() > 0) {
    for (const auto& member : value.GetObject()) {
      const std::string inner(member.name.GetString(), member.name.GetStringLength());
      Flatten(member.value, name.empty() ? inner : absl::StrCat(name, ".", inner), values);
    }
  } else if (value.IsArray() && !value.Empty()) {
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) Flatten(value[i], absl::StrCat(name, ".", i), values);
  } else if (value.IsString()) {
    (*values)[name] = std::string(value.GetString(), value.GetStringLength());
  } else {
    (*values)[name] = value.IsTrue() ? "true" : value.IsFalse() ? "false" : value.IsNull() ? "null" : "";
  }
}

constexpr unsigned kParseFlags = rapidjson::kParseNumbersAsStringsFlag;

}  // namespace

std::string CapturesFolder() {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  return folder == nullptr ? "" : folder;
}

std::string ReadCapturesFile(absl::string_view name) {
  const std::string path = absl::StrCat(CapturesFolder(), "/", name);
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path << " cannot be read";
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Values FromJson(absl::string_view json) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(json.data(), json.size());
  Values values;
  EXPECT_FALSE(document.HasParseError()) << "not JSON: " << json.substr(0, 200);
  if (!document.HasParseError()) Flatten(document, "", &values);
  return values;
}

std::vector<Values> FromJsonLines(absl::string_view text) {
  std::vector<Values> records;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) records.push_back(FromJson(line));
  return records;
}

std::vector<Values> FromLogstash(absl::string_view json) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(json.data(), json.size());
  std::vector<Values> records;
  EXPECT_FALSE(document.HasParseError());
  if (document.HasParseError()) return records;
  for (const auto& event : document["events"].GetArray()) Flatten(event["netflow"], "", &records.emplace_back());
  return records;
}

std::vector<Values> FromLineProtocol(absl::string_view text) {
  std::vector<Values> records;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    // Cut at commas and blanks that stand outside of quotes.
    std::vector<std::string> parts(1);
    bool quoted = false;
    for (char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (!quoted && (c == ',' || c == ' ')) {
        parts.emplace_back();
      } else {
        parts.back().push_back(c);
      }
    }
    Values& values = records.emplace_back();
    for (const std::string& part : parts) {
      const size_t equals = part.find('=');
      if (equals == std::string::npos) continue;  // the measurement and the time
      std::string value = part.substr(equals + 1);
      // Unsigned and signed integers end in u and i.
      if (value.size() > 1 && value.find_first_not_of("0123456789") == value.size() - 1 &&
          (value.back() == 'u' || value.back() == 'i')) {
        value.pop_back();
      }
      values[part.substr(0, equals)] = value;
    }
  }
  return records;
}

std::vector<Values> FromZeekLog(absl::string_view text) {
  std::vector<Values> records;
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    if (cells[0] == "#fields") names.assign(cells.begin() + 1, cells.end());
    if (absl::StartsWith(line, "#")) continue;
    Values& values = records.emplace_back();
    for (size_t i = 0; i < cells.size() && i < names.size(); ++i) values[names[i]] = cells[i];
  }
  return records;
}

}  // namespace flowacct::collector::testing
