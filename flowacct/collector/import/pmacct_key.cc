#include "flowacct/collector/import/pmacct_key.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/near_miss.h"

namespace flowacct::collector {
namespace {

std::vector<PmacctKey> MakeKeys() {
  std::vector<PmacctKey> keys;
  absl::string_view section;
#define SECTION(title) section = title;
#define X(setting, names, daemons, scope, status, counterpart, note) \
  keys.push_back({Setting::setting, names, daemons, KeyScope::scope, KeyStatus::status, counterpart, note, section});
#include "flowacct/collector/import/pmacct_keys.def"
#undef X
#undef SECTION
  return keys;
}

const absl::flat_hash_map<std::string, const PmacctKey*>& KeysByName() {
  static const auto* const kKeys = [] {
    auto* keys = new absl::flat_hash_map<std::string, const PmacctKey*>;
    for (const PmacctKey& key : PmacctKeys()) {
      for (std::string& name : KeyNames(key.names)) keys->emplace(std::move(name), &key);
    }
    return keys;
  }();
  return *kKeys;
}

std::string Cell(absl::string_view text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

}  // namespace

absl::string_view KeyStatusName(KeyStatus status) {
  switch (status) {
    case KeyStatus::kMapped:
      return "mapped";
    case KeyStatus::kPartly:
      return "partly";
    case KeyStatus::kOtherWay:
      return "other way";
    case KeyStatus::kNotYet:
      return "no counterpart yet";
    case KeyStatus::kNotNeeded:
      return "not needed";
  }
  return "";
}

absl::Span<const PmacctKey> PmacctKeys() {
  static const auto* const kKeys = new std::vector<PmacctKey>(MakeKeys());
  return *kKeys;
}

std::vector<std::string> KeyNames(absl::string_view names) {
  std::vector<std::string> all;
  for (absl::string_view pattern : absl::StrSplit(names, ' ', absl::SkipEmpty())) {
    const size_t open = pattern.find('{'), close = pattern.find('}');
    if (open == absl::string_view::npos || close == absl::string_view::npos || close < open) {
      all.emplace_back(pattern);
      continue;
    }
    for (absl::string_view word : absl::StrSplit(pattern.substr(open + 1, close - open - 1), ',')) {
      // Another pair of braces may follow.
      for (std::string& name : KeyNames(absl::StrCat(pattern.substr(0, open), word, pattern.substr(close + 1)))) {
        all.push_back(std::move(name));
      }
    }
  }
  return all;
}

const PmacctKey* FindPmacctKey(absl::string_view name) {
  const auto found = KeysByName().find(name);
  return found == KeysByName().end() ? nullptr : found->second;
}

std::vector<std::string> NearestPmacctKeys(absl::string_view name) {
  // Beyond any key nothing is near, and a long word against hundreds of keys is slow.
  if (name.size() > 64) return {};
  static const auto* const kWords = [] {
    auto* words = new std::vector<absl::string_view>;
    for (const auto& [word, key] : KeysByName()) words->push_back(word);
    std::sort(words->begin(), words->end());  // a hash's order is nobody's
    return words;
  }();
  return base::NearestWords(name, *kWords);
}

// Also of names that somebody misspelt or remembers wrongly.
bool IsSecretKey(absl::string_view name) {
  return absl::StrContains(name, "pas") || absl::StrContains(name, "pwd") || absl::StrContains(name, "secret");
}

bool IsSecretValue(absl::string_view value) {
  const size_t scheme = value.find("://");
  if (scheme != value.npos && absl::StrContains(value.substr(scheme), '@')) return true;
  const std::string lower = absl::AsciiStrToLower(value);
  const size_t word = std::min(lower.find("passw"), lower.find("secret"));
  return word != lower.npos && lower.find_first_of("= ", word) != lower.npos;
}

std::string PmacctKeysAsMarkdown() {
  std::string out =
      "# pmacct's keys and ours\n\n"
      "Written by `flowacct config keys > docs/reference/pmacct-keys.md` from "
      "`flowacct/collector/import/pmacct_keys.def`; a test compares them. What "
      "[the import](../how-to/from-pmacct.md) does with each key of pmacct 1.7.7, of later versions, and of older ones "
      "whose files are still in use. *Ours* is a path in [the configuration](configuration.md).\n\n"
      "| | |\n| --- | --- |\n"
      "| mapped | the same thing under another name |\n"
      "| partly | the same thing, but for some values; the import says which |\n"
      "| other way | done otherwise here |\n"
      "| no counterpart yet | the import leaves a comment |\n"
      "| not needed | nothing to configure |\n";
  absl::string_view section;
  for (const PmacctKey& key : PmacctKeys()) {
    if (key.section != section) {
      section = key.section;
      absl::StrAppend(&out, "\n## ", section, "\n\n| pmacct | heeded by | | ours | what is different |\n",
                      "| --- | --- | --- | --- | --- |\n");
    }
    absl::StrAppend(&out, "| `", absl::StrJoin(KeyNames(key.names), "` `"), "` | ",
                    key.daemons.empty() ? "all" : Cell(key.daemons), " | ", KeyStatusName(key.status), " | ");
    if (!key.counterpart.empty()) absl::StrAppend(&out, "`", key.counterpart, "`");
    absl::StrAppend(&out, " | ", Cell(key.note), " |\n");
  }
  return out;
}

}  // namespace flowacct::collector
