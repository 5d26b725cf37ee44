#include "flowacct/topology/igp_daemon_map.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/near_miss.h"

namespace flowacct::topology {
namespace {

constexpr uint32_t kMaxFragment = 255;
constexpr uint32_t kMaxAdjacencyMetric = 0xffffff;  // RFC 5305, 3
constexpr uint32_t kMaxPrefixMetric = 0xfe000000;   // RFC 5305, 4

constexpr absl::string_view kKeys[] = {"node", "area_id", "adj_metric", "reach_metric", "reach6_metric"};

bool ParseNumber(absl::string_view text, uint32_t max, uint32_t* value) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  return digits && absl::SimpleAtoi(text, value) && *value >= 1 && *value <= max;
}

NodeKey KeyOf(const base::IpAddress& node) { return {uint64_t{node.v4()} << 32}; }

struct Entry {
  base::IpPrefix prefix;
  uint32_t metric = 0;
};

// "PREFIX,METRIC;PREFIX,METRIC": an empty text, or why it is none.
std::string ReadEntries(absl::string_view text, bool v4, uint32_t max, std::vector<Entry>* entries) {
  for (const absl::string_view part : absl::StrSplit(text, ';', absl::SkipEmpty())) {
    const size_t comma = part.find(',');
    if (comma == absl::string_view::npos) return absl::StrCat("'", part, "' has no metric after a comma");
    Entry entry;
    const std::optional<base::IpPrefix> prefix = base::IpPrefix::Parse(part.substr(0, comma));
    if (!prefix || prefix->address().IsV4() != v4) {
      return absl::StrCat("'", part.substr(0, comma), "' is no IPv", v4 ? 4 : 6, " prefix");
    }
    entry.prefix = *prefix;
    if (!ParseNumber(part.substr(comma + 1), max, &entry.metric)) {
      return absl::StrCat("'", part.substr(comma + 1), "' is no metric from 1 to ", max);
    }
    entries->push_back(entry);
  }
  return entries->empty() ? "nothing in it" : "";
}

// An empty text, or why the line is wrong.
std::string ReadLine(absl::string_view line, Advertisement* advertisement) {
  std::optional<base::IpAddress> node;
  bool area = false, told = false;
  for (const absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" \t\r\v\f"), absl::SkipEmpty())) {
    const size_t equals = word.find('=');
    if (equals == absl::string_view::npos) return absl::StrCat("'", word, "' is no KEY=VALUE");
    const absl::string_view key = word.substr(0, equals), value = word.substr(equals + 1);
    if (key == "node") {
      node = base::IpAddress::Parse(value);
      if (!node || !node->IsV4()) return absl::StrCat("node: '", value, "' is no IPv4 address");
    } else if (key == "area_id") {
      uint32_t number = 0;
      if (!ParseNumber(value, 0xffff, &number))
        return absl::StrCat("area_id: '", value, "' is no number from 1 to 65535");
      advertisement->areas = {absl::StrFormat("49.%04x", number)};
      area = true;
    } else if (key == "adj_metric" || key == "reach_metric" || key == "reach6_metric") {
      const bool neighbors = key == "adj_metric";
      std::vector<Entry> entries;
      std::string why =
          ReadEntries(value, key != "reach6_metric", neighbors ? kMaxAdjacencyMetric : kMaxPrefixMetric, &entries);
      if (!why.empty()) return absl::StrCat(key, ": ", why);
      for (const Entry& entry : entries) {
        if (!neighbors) {
          AdvertisedPrefix prefix;
          prefix.prefix = entry.prefix;
          prefix.metric = entry.metric;
          advertisement->prefixes.push_back(prefix);
          continue;
        }
        if (entry.prefix.length() != 32) return absl::StrCat("adj_metric: ", entry.prefix.ToString(), " is no node");
        AdvertisedLink link;
        link.to = KeyOf(entry.prefix.address());
        link.metric = entry.metric;
        advertisement->links.push_back(link);
      }
      told = true;
    } else {
      const std::vector<std::string> near = base::NearestWords(key, kKeys);
      return absl::StrCat("'", key, "' is no key; ",
                          near.empty() ? absl::StrCat("there are ", absl::StrJoin(kKeys, ", "))
                                       : absl::StrCat("did you mean ", absl::StrJoin(near, " or "), "?"));
    }
  }
  if (!node || !area || !told) return "needs node, area_id, and one of adj_metric, reach_metric, reach6_metric";
  advertisement->key.origin = KeyOf(*node);
  advertisement->router_id = *node;
  return "";
}

}  // namespace

absl::StatusOr<std::vector<Advertisement>> ParseIgpDaemonMap(absl::string_view text, absl::string_view name,
                                                             const IgpDaemonMapOptions& options) {
  std::vector<Advertisement> advertisements;
  absl::flat_hash_map<NodeKey, uint32_t> fragments;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto error = [&](absl::string_view why) {
      return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": ", why));
    };
    if (number > options.max_lines) return error(absl::StrCat("more than ", options.max_lines, " lines"));
    const size_t end = text.find('\n');
    const absl::string_view line = absl::StripAsciiWhitespace(text.substr(0, end));
    text = end == absl::string_view::npos ? absl::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '!' || line.front() == '#') continue;
    Advertisement advertisement;
    std::string why = ReadLine(line, &advertisement);
    if (!why.empty()) return error(why);
    uint32_t& fragment = fragments[advertisement.key.origin];
    if (fragment > kMaxFragment) return error("a node has 256 lines at most");
    advertisement.key.fragment = static_cast<uint8_t>(fragment++);
    advertisements.push_back(std::move(advertisement));
  }
  std::sort(advertisements.begin(), advertisements.end(),
            [](const Advertisement& a, const Advertisement& b) { return a.key < b.key; });
  return advertisements;
}

}  // namespace flowacct::topology
