#include "flowacct/query/time_zone.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace flowacct::query {
namespace {

// Longer than any in the list.
constexpr size_t kMaxOctets = 64;

// Nothing that Abseil takes for a path or an offset, and no second spelling of a file.
bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxOctets && absl::ascii_isalpha(static_cast<unsigned char>(name[0])) &&
         name.back() != '/' && !absl::StrContains(name, "//") && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' || c == '+';
         });
}

bool IsInList(absl::string_view name) {
  const char* const folder = std::getenv("TZDIR");
  struct stat info;
  const std::string path =
      absl::StrCat(folder != nullptr && *folder != '\0' ? folder : "/usr/share/zoneinfo", "/", name);
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

bool FindTimeZone(absl::string_view name, absl::TimeZone* zone) {
  if (name == "UTC") {
    *zone = absl::UTCTimeZone();
    return true;
  }
  return IsName(name) && IsInList(name) && absl::LoadTimeZone(name, zone);
}

}  // namespace flowacct::query
