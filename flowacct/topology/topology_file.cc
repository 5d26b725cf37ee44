#include "flowacct/topology/topology_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/topology/rate_text.h"

namespace flowacct::topology {
namespace {

constexpr uint8_t kLevel1 = 1, kLevel2 = 2;  // bits
constexpr uint32_t kDefaultMetric = 10;
constexpr uint32_t kMaxIsisMetric = 0xffffff;  // RFC 5305, 3
constexpr uint32_t kMaxTopology = 0xfff;       // RFC 5120, 7.1

enum Statement : uint8_t { kStyle = 1, kNode = 2, kLink = 4, kHalf = 8, kLan = 16, kPrefix = 32 };
struct StatementName {
  absl::string_view name;
  Statement statement;
  size_t names;  // words that follow; of a LAN at least so many
};
constexpr StatementName kStatements[] = {
    {"style", kStyle, 1}, {"node", kNode, 1}, {"link", kLink, 2},
    {"half", kHalf, 2},   {"lan", kLan, 2},   {"prefix", kPrefix, 2},
};

enum class Option : uint8_t {
  kId,
  kIds,
  kLevel,
  kArea,
  kRouterId,
  kAddress,
  kAddresses,
  kOverload,
  kAttached,
  kTopology,
  kOverloadIn,
  kAttachedIn,
  kMetric,
  kBack,
  kCapacity,
  kGroup,
  kDown,
  kExternal,
  kExternalMetric,
  kSegment,
};
struct OptionName {
  absl::string_view name;
  Option option;
  uint8_t statements;  // that may have it
  size_t values;
  bool often;  // may come several times
};
constexpr OptionName kOptions[] = {
    {"id", Option::kId, kNode | kLan, 1, false},
    {"id", Option::kIds, kLink | kHalf, 2, false},
    {"level", Option::kLevel, kNode | kLink | kHalf | kLan | kPrefix, 1, false},
    {"area", Option::kArea, kNode, 1, true},
    {"router-id", Option::kRouterId, kNode, 1, true},
    {"address", Option::kAddress, kNode, 1, true},
    {"address", Option::kAddresses, kLink | kHalf, 2, false},
    {"overload", Option::kOverload, kNode, 0, false},
    {"attached", Option::kAttached, kNode, 0, false},
    {"topology", Option::kTopology, kNode | kLink | kHalf | kLan | kPrefix, 1, true},
    {"overload-in", Option::kOverloadIn, kNode, 1, true},
    {"attached-in", Option::kAttachedIn, kNode, 1, true},
    {"metric", Option::kMetric, kLink | kHalf | kPrefix, 1, false},
    {"back", Option::kBack, kLink, 1, false},
    {"capacity", Option::kCapacity, kLink | kHalf | kLan, 1, false},
    {"group", Option::kGroup, kLink | kHalf | kLan, 1, true},
    {"down", Option::kDown, kPrefix, 0, false},
    {"external", Option::kExternal, kPrefix, 0, false},
    {"external-metric", Option::kExternalMetric, kPrefix, 0, false},
    {"segment", Option::kSegment, kPrefix, 1, false},
};

bool IsPlain(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("._-:/", c); }

std::string Quoted(absl::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), IsPlain)) return std::string(word);
  std::string text = "\"";
  for (const char c : word) {
    const unsigned char octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      absl::StrAppend(&text, "\\", absl::string_view(&c, 1));
    } else if (octet < 0x20 || octet == 0x7f) {
      absl::StrAppendFormat(&text, "\\x%02x", octet);
    } else {
      text += c;
    }
  }
  return text + "\"";
}

// The words of a line; false if a quote does not end or something is escaped that cannot be.
bool Words(absl::string_view line, std::vector<std::string>* words) {
  words->clear();
  bool open = false;  // a word is being read
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      open = false;
      continue;
    }
    if (!open && c == '#') return true;
    if (!open) words->emplace_back();
    open = true;
    if (c != '"') {
      words->back() += c;
      continue;
    }
    for (++i; i < line.size() && line[i] != '"'; ++i) {
      if (line[i] != '\\') {
        words->back() += line[i];
      } else if (i + 1 < line.size() && (line[i + 1] == '"' || line[i + 1] == '\\')) {
        words->back() += line[++i];
      } else if (i + 3 < line.size() && line[i + 1] == 'x' &&
                 absl::ascii_isxdigit(static_cast<unsigned char>(line[i + 2])) &&
                 absl::ascii_isxdigit(static_cast<unsigned char>(line[i + 3]))) {
        words->back() += absl::HexStringToBytes(line.substr(i + 2, 2));
        i += 3;
      } else {
        return false;
      }
    }
    if (i >= line.size()) return false;
  }
  return true;
}

bool ParseNumber(absl::string_view text, uint32_t max, uint32_t* value) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  return digits && absl::SimpleAtoi(text, value) && *value <= max;
}

std::string ListOf(absl::string_view word, absl::Span<const absl::string_view> words) {
  const std::vector<std::string> near = base::NearestWords(word, words);
  return near.empty() ? absl::StrCat("there are ", absl::StrJoin(words, ", "))
                      : absl::StrCat("did you mean ", absl::StrJoin(near, " or "), "?");
}

// A line, read but for its nodes.
struct Line {
  size_t number = 0;
  Statement statement = kStyle;
  std::vector<std::string> names;
  std::optional<std::string> id;
  uint32_t ids[2] = {0, 0};
  base::IpAddress addresses[2];
  std::vector<base::IpAddress> node_addresses;
  std::optional<base::IpAddress> router_id, router_id_v6;
  uint8_t levels = 0;  // 0: not said
  std::vector<std::string> areas, groups;
  std::vector<uint16_t> topologies, overload_in, attached_in;
  bool overload = false, attached = false, down = false, external = false, external_metric = false;
  std::optional<uint32_t> metric, back, segment;
  std::optional<double> capacity;
};

class Reader {
 public:
  Reader(absl::string_view name, const TopologyFileOptions& options) : name_(name), options_(options) {}

  absl::StatusOr<TopologyFile> Read(absl::string_view text) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      const std::string why = AddLine(text.substr(0, end));
      if (!why.empty()) return Error(line_, why);
      text = end == absl::string_view::npos ? absl::string_view() : text.substr(end + 1);
    }
    for (const Line& line : lines_) {
      if (line.statement != kNode) continue;
      const std::string why = DeclareNode(line);
      if (!why.empty()) return Error(line.number, why);
    }
    for (const Line& line : lines_) {
      std::string why;
      if (line.statement == kLink || line.statement == kHalf) why = AddLink(line);
      if (line.statement == kLan) why = AddLan(line);
      if (line.statement == kPrefix) why = AddPrefix(line);
      if (!why.empty()) return Error(line.number, why);
    }
    for (auto& [key, advertisement] : advertisements_) file_.advertisements.push_back(std::move(advertisement));
    std::sort(file_.groups.begin(), file_.groups.end());
    file_.groups.erase(std::unique(file_.groups.begin(), file_.groups.end()), file_.groups.end());
    return std::move(file_);
  }

 private:
  struct Known {
    uint8_t levels = 0;
    std::string name;
  };

  absl::Status Error(size_t line, absl::string_view why) const {
    return absl::InvalidArgumentError(absl::StrCat(name_, ":", line, ": ", why));
  }

  std::string AddLine(absl::string_view text) {
    if (++line_ > options_.max_lines) return absl::StrCat("more than ", options_.max_lines, " lines");
    if (!Words(text, &words_)) return "a word in quotes does not end, or has a \\ that is none of \\\", \\\\ and \\xHH";
    if (words_.empty()) return "";
    const auto* const statement = std::find_if(std::begin(kStatements), std::end(kStatements),
                                               [&](const StatementName& s) { return s.name == words_[0]; });
    if (statement == std::end(kStatements)) {
      std::vector<absl::string_view> all;
      for (const StatementName& s : kStatements) all.push_back(s.name);
      return absl::StrCat("'", words_[0], "' is no statement; ", ListOf(words_[0], all));
    }
    Line line;
    line.number = line_;
    line.statement = statement->statement;
    size_t at = 1;
    const auto is_member = [](absl::string_view word) { return absl::StrContains(word, '='); };
    while (at < words_.size() &&
           (line.statement == kLan ? is_member(words_[at]) : line.names.size() < statement->names)) {
      line.names.push_back(std::move(words_[at++]));
    }
    if (line.names.size() < statement->names) {
      return line.statement == kLan ? "a lan has two members or more: NAME=METRIC"
                                    : absl::StrCat(statement->name, " needs ", statement->names,
                                                   statement->names == 1 ? " word" : " words", " after it");
    }
    std::string why = ReadOptions(at, *statement, &line);
    if (!why.empty()) return why;
    if (line.statement == kStyle) return SetStyle(line.names[0]);
    lines_.push_back(std::move(line));
    return "";
  }

  std::string SetStyle(absl::string_view style) {
    if (!lines_.empty()) return "style must stand before all else";
    if (style != "isis" && style != "ospf") return absl::StrCat("style is isis or ospf, not '", style, "'");
    file_.style = style == "isis" ? NodeStyle::kIsis : NodeStyle::kOspf;
    return "";
  }

  std::string ReadOptions(size_t at, const StatementName& statement, Line* line) {
    std::set<Option> seen;
    while (at < words_.size()) {
      const std::string& word = words_[at++];
      const auto* const option = std::find_if(std::begin(kOptions), std::end(kOptions), [&](const OptionName& o) {
        return o.name == word && (o.statements & statement.statement) != 0;
      });
      if (option == std::end(kOptions)) {
        std::vector<absl::string_view> all;
        for (const OptionName& o : kOptions) {
          if ((o.statements & statement.statement) != 0) all.push_back(o.name);
        }
        if (all.empty()) return absl::StrCat(statement.name, " has no options; found '", word, "'");
        return absl::StrCat("'", word, "' is no option of ", statement.name, "; ", ListOf(word, all));
      }
      if (!seen.insert(option->option).second && !option->often) return absl::StrCat(word, " comes twice");
      if (words_.size() - at < option->values) {
        return absl::StrCat(word, " needs ", option->values, option->values == 1 ? " value" : " values");
      }
      std::string why = SetOption(option->option, absl::MakeConstSpan(words_).subspan(at, option->values), line);
      if (!why.empty()) return absl::StrCat(word, ": ", why);
      at += option->values;
    }
    return "";
  }

  static std::string AddTopology(absl::string_view text, std::vector<uint16_t>* topologies) {
    uint32_t number = 0;
    if (!ParseNumber(text, kMaxTopology, &number)) return absl::StrCat("'", text, "' is no number from 0 to 4095");
    topologies->push_back(static_cast<uint16_t>(number));
    return "";
  }

  std::string SetOption(Option option, absl::Span<const std::string> values, Line* line) {
    const auto number = [&](absl::string_view text, uint32_t max, std::optional<uint32_t>* value) -> std::string {
      uint32_t n = 0;
      if (!ParseNumber(text, max, &n)) return absl::StrCat("'", text, "' is no number from 0 to ", max);
      *value = n;
      return "";
    };
    constexpr uint32_t kMax32 = std::numeric_limits<uint32_t>::max();
    const uint32_t max_metric = line->statement == kPrefix || line->statement == kHalf ? kMax32 : kMaxIsisMetric;
    switch (option) {
      case Option::kId:
        line->id = values[0];
        return "";
      case Option::kIds:
        for (size_t i = 0; i < 2; ++i) {
          if (!ParseNumber(values[i], kMax32, &line->ids[i])) return absl::StrCat("'", values[i], "' is no number");
        }
        return "";
      case Option::kLevel:
        line->levels = values[0] == "1"     ? kLevel1
                       : values[0] == "2"   ? kLevel2
                       : values[0] == "1-2" ? kLevel1 | kLevel2
                                            : 0;
        return line->levels == 0 ? absl::StrCat("1, 2 or 1-2, not '", values[0], "'") : "";
      case Option::kArea:
        line->areas.push_back(values[0]);
        return "";
      case Option::kGroup:
        line->groups.push_back(values[0]);
        return "";
      case Option::kRouterId:
      case Option::kAddress:
      case Option::kAddresses:
        for (size_t i = 0; i < values.size(); ++i) {
          const std::optional<base::IpAddress> address = base::IpAddress::Parse(values[i]);
          if (!address) return absl::StrCat("'", values[i], "' is no address");
          if (option == Option::kAddresses) {
            line->addresses[i] = *address;
          } else if (option == Option::kAddress) {
            line->node_addresses.push_back(*address);
          } else {
            (address->IsV4() ? line->router_id : line->router_id_v6) = *address;
          }
        }
        return "";
      case Option::kOverload:
        line->overload = true;
        return "";
      case Option::kAttached:
        line->attached = true;
        return "";
      case Option::kTopology:
        return AddTopology(values[0], &line->topologies);
      case Option::kOverloadIn:
        return AddTopology(values[0], &line->overload_in);
      case Option::kAttachedIn:
        return AddTopology(values[0], &line->attached_in);
      case Option::kMetric:
        return number(values[0], max_metric, &line->metric);
      case Option::kBack:
        return number(values[0], max_metric, &line->back);
      case Option::kCapacity:
        line->capacity = ParseRate(values[0]);
        return line->capacity ? "" : absl::StrCat("'", values[0], "' is no rate in bits a second, as 10G or 2.5M");
      case Option::kDown:
        line->down = true;
        return "";
      case Option::kExternal:
        line->external = true;
        return "";
      case Option::kExternalMetric:
        line->external_metric = true;
        return "";
      case Option::kSegment:
        return number(values[0], kMax32, &line->segment);
    }
    return "";
  }

  NodeKey KeyOfName(absl::string_view name) const {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: the same everywhere, and good enough to spread some thousand names
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    if (file_.style == NodeStyle::kIsis) return {(hash >> 16 | 1) << 16};
    return {(hash >> 32 | 1) << 32};
  }

  Advertisement& Of(uint8_t level, NodeKey key) {
    AdvertisementKey advertisement_key;
    advertisement_key.level = level;
    advertisement_key.origin = key;
    Advertisement& advertisement = advertisements_[advertisement_key];
    advertisement.key = advertisement_key;
    return advertisement;
  }

  std::string DeclareNode(const Line& line) {
    declared_ = true;
    const std::string& word = line.names[0];
    if (word.empty()) return "a node has a name or an identifier";
    std::string name = word;
    std::optional<NodeKey> key;
    if (line.id) {
      key = ParseNode(file_.style, *line.id);
      if (!key) return absl::StrCat("id: '", *line.id, "' is no identifier of ", StyleText());
    } else if ((key = ParseNode(file_.style, word))) {
      name.clear();
    } else {
      key = KeyOfName(name);
    }
    return MakeNode(*key, name, line.levels == 0 ? kLevel2 : line.levels, &line);
  }

  absl::string_view StyleText() const {
    return file_.style == NodeStyle::kIsis ? "IS-IS (1921.6800.1001)" : "OSPF (192.0.2.1)";
  }

  std::string MakeNode(NodeKey key, const std::string& name, uint8_t levels, const Line* line) {
    Known& known = nodes_[key];
    if ((known.levels & levels) != 0) {
      return absl::StrCat("there is a node ", NodeText(file_.style, key), " already", known.name.empty() ? "" : ": ",
                          known.name);
    }
    known.levels |= levels;
    if (known.name.empty()) known.name = name;
    if (!name.empty()) {
      const auto [it, is_new] = names_.try_emplace(name, key);
      if (!is_new && it->second != key) ambiguous_.insert(name);
    }
    for (const uint8_t level : {kLevel1, kLevel2}) {
      if ((levels & level) == 0) continue;
      Advertisement& node = Of(level, key);
      node.name = name;
      if (line == nullptr) continue;
      node.overload = line->overload;
      node.attached = line->attached;
      node.areas = line->areas;
      node.addresses = line->node_addresses;
      node.router_id = line->router_id;
      node.router_id_v6 = line->router_id_v6;
      for (const auto* const list : {&line->topologies, &line->overload_in, &line->attached_in}) {
        for (const uint16_t topology : *list) {
          TopologyFlags& flags = Flags(&node, topology);
          flags.overload |= list == &line->overload_in;
          flags.attached |= list == &line->attached_in;
        }
      }
    }
    return "";
  }

  static TopologyFlags& Flags(Advertisement* node, uint16_t topology) {
    for (TopologyFlags& flags : node->topologies) {
      if (flags.topology == topology) return flags;
    }
    node->topologies.push_back({topology, false, false});
    return node->topologies.back();
  }

  std::string Find(const std::string& word, NodeKey* key) {
    const std::optional<NodeKey> id = ParseNode(file_.style, word);
    if (id && (nodes_.contains(*id) || !declared_)) {
      *key = *id;
    } else {
      const auto name = names_.find(word);
      if (name == names_.end()) {
        if (declared_) {
          std::vector<absl::string_view> all;
          for (const auto& [known, unused] : names_) all.push_back(known);
          const std::vector<std::string> near = base::NearestWords(word, all);
          return absl::StrCat("there is no node '", word, "'",
                              near.empty() ? "" : absl::StrCat("; did you mean ", absl::StrJoin(near, " or "), "?"));
        }
        *key = KeyOfName(word);
        // Two names of one hash: one in 2^47 for a pair.
        if (nodes_.contains(*key))
          return absl::StrCat("the identifier made for '", word, "' is taken; declare nodes with id");
      } else if (ambiguous_.count(word) != 0) {
        return absl::StrCat("several nodes are called '", word, "'; say which by its identifier");
      } else {
        *key = name->second;
      }
    }
    if (!nodes_.contains(*key)) return MakeNode(*key, id ? "" : word, kLevel2, nullptr);
    return "";
  }

  std::string LevelsOf(absl::Span<const NodeKey> keys, uint8_t wanted, uint8_t* levels) const {
    *levels = kLevel1 | kLevel2;
    for (const NodeKey key : keys) *levels &= nodes_.at(key).levels;
    if (*levels == 0) return "its nodes have no level in common";
    if ((wanted & ~*levels) != 0) return "not all its nodes are of that level";
    if (wanted != 0) *levels = wanted;
    return "";
  }

  // A link in each level and topology.
  void Put(const Line& line, uint8_t levels, NodeKey from, AdvertisedLink link, bool take_part) {
    if (line.capacity) link.bandwidth = static_cast<float>(*line.capacity);
    for (const uint8_t level : {kLevel1, kLevel2}) {
      if ((levels & level) == 0) continue;
      Advertisement& node = Of(level, from);
      if (line.topologies.empty()) node.links.push_back(link);
      for (const uint16_t topology : line.topologies) {
        link.topology = topology;
        node.links.push_back(link);
        if (take_part && topology != 0) Flags(&node, topology);
      }
    }
  }

  std::string AddLink(const Line& line) {
    NodeKey ends[2];
    std::string why = Find(line.names[0], &ends[0]);
    if (!why.empty()) return why;
    // A direction may be told of by one who speaks of a node that does not speak itself.
    const bool half = line.statement == kHalf;
    const std::optional<NodeKey> id = half ? ParseNode(file_.style, line.names[1]) : std::nullopt;
    if (id) {
      ends[1] = *id;
    } else {
      why = Find(line.names[1], &ends[1]);
      if (!why.empty()) return why;
    }
    // Protocols tell of such, and of metrics that are none; graphs leave them out.
    if (ends[0] == ends[1] && !half) return "a link from a node to itself";
    uint8_t levels = 0;
    why = LevelsOf(absl::MakeConstSpan(ends, half ? 1 : 2), line.levels, &levels);
    if (!why.empty()) return why;
    AdvertisedLink link;
    link.to = ends[1];
    link.metric = line.metric.value_or(kDefaultMetric);
    link.local_address = line.addresses[0];
    link.remote_address = line.addresses[1];
    link.local_id = line.ids[0];
    link.remote_id = line.ids[1];
    Put(line, levels, ends[0], link, !half);
    for (const std::string& group : line.groups) file_.groups.push_back({group, ends[0], ends[1], link.local_address});
    if (half) return "";
    link.to = ends[0];
    link.metric = line.back.value_or(link.metric);
    std::swap(link.local_address, link.remote_address);
    std::swap(link.local_id, link.remote_id);
    Put(line, levels, ends[1], link, true);
    return "";
  }

  std::string AddLan(const Line& line) {
    struct Member {
      uint32_t metric = 0;
      base::IpAddress address;
    };
    std::vector<NodeKey> keys;
    std::vector<Member> members;
    for (const std::string& word : line.names) {
      const size_t equals = word.rfind('=');
      const std::string name = word.substr(0, equals);
      absl::string_view rest = absl::string_view(word).substr(equals + 1);
      Member member;
      const size_t at = rest.find('@');
      if (at != absl::string_view::npos) {
        const std::optional<base::IpAddress> address = base::IpAddress::Parse(rest.substr(at + 1));
        if (!address) return absl::StrCat("'", rest.substr(at + 1), "' is no address");
        member.address = *address;
        rest = rest.substr(0, at);
      }
      if (!ParseNumber(rest, kMaxIsisMetric, &member.metric)) return absl::StrCat("'", rest, "' is no metric");
      NodeKey key;
      std::string why = Find(name, &key);
      if (!why.empty()) return why;
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) return absl::StrCat("'", name, "' is on it twice");
      keys.push_back(key);
      members.push_back(member);
    }
    uint8_t levels = 0;
    std::string why = LevelsOf(keys, line.levels, &levels);
    if (!why.empty()) return why;
    NodeKey lan;
    why = LanKey(line, keys[0], members[0].address, &lan);
    if (!why.empty()) return why;
    why = MakeNode(lan, "", levels, nullptr);
    if (!why.empty()) return why;
    for (size_t i = 0; i < keys.size(); ++i) {
      AdvertisedLink link;
      link.to = lan;
      link.metric = members[i].metric;
      link.local_address = members[i].address;
      Put(line, levels, keys[i], link, true);
      AdvertisedLink back;
      back.to = keys[i];
      Put(line, levels, lan, back, true);
      for (const std::string& group : line.groups) file_.groups.push_back({group, keys[i], lan, members[i].address});
    }
    return "";
  }

  std::string LanKey(const Line& line, NodeKey router, const base::IpAddress& address, NodeKey* lan) const {
    if (line.id) {
      const std::optional<NodeKey> key = ParseNode(file_.style, *line.id);
      if (!key || !IsPseudonode(file_.style, *key)) return absl::StrCat("id: '", *line.id, "' is no pseudonode");
      *lan = *key;
      return "";
    }
    if (file_.style == NodeStyle::kOspf && address.IsV4()) {
      *lan = {router.value | address.v4()};
      return "";
    }
    for (uint64_t number = 1; number <= 255; ++number) {
      *lan = {router.value | number << (file_.style == NodeStyle::kIsis ? 8 : 0)};
      if (!nodes_.contains(*lan)) return "";
    }
    return "its first member has 255 LANs already; begin with another";
  }

  std::string AddPrefix(const Line& line) {
    NodeKey key;
    std::string why = Find(line.names[0], &key);
    if (!why.empty()) return why;
    const std::optional<base::IpPrefix> prefix = base::IpPrefix::Parse(line.names[1]);
    if (!prefix) return absl::StrCat("'", line.names[1], "' is no prefix");
    uint8_t levels = 0;
    why = LevelsOf(absl::MakeConstSpan(&key, 1), line.levels, &levels);
    if (!why.empty()) return why;
    AdvertisedPrefix advertised;
    advertised.prefix = *prefix;
    advertised.metric = line.metric.value_or(0);
    advertised.down = line.down;
    advertised.external = line.external;
    advertised.external_metric = line.external_metric;
    advertised.segment_index = line.segment;
    for (const uint8_t level : {kLevel1, kLevel2}) {
      if ((levels & level) == 0) continue;
      Advertisement& node = Of(level, key);
      if (line.topologies.empty()) node.prefixes.push_back(advertised);
      for (const uint16_t topology : line.topologies) {
        advertised.topology = topology;
        node.prefixes.push_back(advertised);
      }
    }
    return "";
  }

  std::string name_;
  const TopologyFileOptions options_;
  size_t line_ = 0;
  std::vector<std::string> words_;
  std::vector<Line> lines_;
  bool declared_ = false;
  absl::flat_hash_map<NodeKey, Known> nodes_;
  absl::flat_hash_map<std::string, NodeKey> names_;
  std::set<std::string> ambiguous_;
  std::map<AdvertisementKey, Advertisement> advertisements_;
  TopologyFile file_;
};

}  // namespace

absl::StatusOr<TopologyFile> ParseTopologyFile(absl::string_view text, absl::string_view name,
                                               const TopologyFileOptions& options) {
  return Reader(name, options).Read(text);
}

std::string WriteTopologyFile(const TopologyFile& file) {
  std::string text;
  if (file.style == NodeStyle::kOspf) text = "style ospf\n";
  // Names that say which node is meant.
  absl::flat_hash_map<std::string, NodeKey> owner;
  std::set<std::string> shared;
  // A node counts by its fragment 0 (topology/topology_state.h), which has its line.
  std::set<AdvertisementKey> declared;
  for (const Advertisement& a : file.advertisements) {
    if (a.key.fragment != 0) continue;
    declared.insert(a.key);
    if (a.name.empty()) continue;
    const auto [it, is_new] = owner.try_emplace(a.name, a.key.origin);
    if (!is_new && it->second != a.key.origin) shared.insert(a.name);
  }
  absl::flat_hash_map<NodeKey, std::string> names;
  for (const auto& [name, key] : owner) {
    if (shared.count(name) == 0 && !ParseNode(file.style, name)) {
      // Two names of one node: the lesser, so that the text does not depend on the table.
      std::string& known = names[key];
      if (known.empty() || name < known) known = name;
    }
  }
  const auto node = [&](NodeKey key) {
    const auto it = names.find(key);
    return it != names.end() ? Quoted(it->second) : NodeText(file.style, key);
  };

  const auto is_declared = [&](AdvertisementKey key) {
    key.fragment = 0;
    return declared.count(key) != 0;
  };
  for (const Advertisement& a : file.advertisements) {
    if (a.key.fragment != 0) continue;
    const std::string id = NodeText(file.style, a.key.origin);
    if (a.name.empty()) {
      absl::StrAppend(&text, "node ", id);
    } else {
      absl::StrAppend(&text, "node ", Quoted(a.name), " id ", id);
    }
    if (a.key.level == 1) absl::StrAppend(&text, " level 1");
    for (const std::string& area : a.areas) absl::StrAppend(&text, " area ", Quoted(area));
    if (a.router_id) absl::StrAppend(&text, " router-id ", a.router_id->ToString());
    if (a.router_id_v6) absl::StrAppend(&text, " router-id ", a.router_id_v6->ToString());
    for (const base::IpAddress& address : a.addresses) absl::StrAppend(&text, " address ", address.ToString());
    if (a.overload) absl::StrAppend(&text, " overload");
    if (a.attached) absl::StrAppend(&text, " attached");
    for (const TopologyFlags& flags : a.topologies) {
      absl::StrAppend(&text, " topology ", flags.topology);
      if (flags.overload) absl::StrAppend(&text, " overload-in ", flags.topology);
      if (flags.attached) absl::StrAppend(&text, " attached-in ", flags.topology);
    }
    text += '\n';
  }
  for (const Advertisement& a : file.advertisements) {
    if (!is_declared(a.key)) continue;
    const std::string level = absl::StrCat(" level ", a.key.level);
    for (const AdvertisedLink& link : a.links) {
      absl::StrAppend(&text, "half ", node(a.key.origin), " ", node(link.to), " metric ", link.metric, level);
      if (link.topology != 0) absl::StrAppend(&text, " topology ", link.topology);
      if (link.local_address != base::IpAddress() || link.remote_address != base::IpAddress()) {
        absl::StrAppend(&text, " address ", link.local_address.ToString(), " ", link.remote_address.ToString());
      }
      if (link.local_id != 0 || link.remote_id != 0) absl::StrAppend(&text, " id ", link.local_id, " ", link.remote_id);
      if (link.bandwidth && std::isfinite(*link.bandwidth) && *link.bandwidth > 0) {
        const std::string rate = RateText(static_cast<double>(*link.bandwidth));
        const std::optional<double> again = ParseRate(rate);
        const bool exact = again && static_cast<float>(*again) == *link.bandwidth;
        absl::StrAppend(&text, " capacity ",
                        exact ? rate : absl::StrFormat("%.20f", static_cast<double>(*link.bandwidth) * 8));
      }
      for (const GroupMember& member : file.groups) {
        if (member.from == a.key.origin && member.to == link.to && member.local_address == link.local_address) {
          absl::StrAppend(&text, " group ", Quoted(member.group));
        }
      }
      text += '\n';
    }
  }
  for (const Advertisement& a : file.advertisements) {
    if (!is_declared(a.key)) continue;
    for (const AdvertisedPrefix& prefix : a.prefixes) {
      absl::StrAppend(&text, "prefix ", node(a.key.origin), " ", prefix.prefix.ToString(), " metric ", prefix.metric,
                      " level ", a.key.level);
      if (prefix.topology != 0) absl::StrAppend(&text, " topology ", prefix.topology);
      if (prefix.down) absl::StrAppend(&text, " down");
      if (prefix.external) absl::StrAppend(&text, " external");
      if (prefix.external_metric) absl::StrAppend(&text, " external-metric");
      if (prefix.segment_index) absl::StrAppend(&text, " segment ", *prefix.segment_index);
      text += '\n';
    }
  }
  return text;
}

}  // namespace flowacct::topology
