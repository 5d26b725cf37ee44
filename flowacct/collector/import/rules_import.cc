#include "flowacct/collector/import/rules_import.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/collector/import/config_writer.h"
#include "flowacct/collector/import/packet_filter.h"

namespace flowacct::collector {
namespace {

// What a key of a map compares, and with which field.
enum class Kind : uint8_t {
  kNumber,
  kPrefix,
  kMac,
  kDistinguisher,
  kFilter,
  kEngineType,
  kSampleType,
  kBiflow,
  kCommunities,
  kValidation,
  kVrf,
};
struct Match {
  absl::string_view key;
  Kind kind;
  absl::string_view field;
};
constexpr Match kMatches[] = {
    {"ip", Kind::kPrefix, "exporter"},
    {"in", Kind::kNumber, "in_if"},
    {"out", Kind::kNumber, "out_if"},
    {"nexthop", Kind::kPrefix, "next_hop"},
    {"bgp_nexthop", Kind::kPrefix, "bgp_next_hop"},
    {"engine_type", Kind::kEngineType, "observation_domain"},
    {"engine_id", Kind::kNumber, "observation_domain"},
    {"source_id", Kind::kNumber, "observation_domain"},
    {"agent_id", Kind::kNumber, "observation_domain"},
    {"flowset_id", Kind::kNumber, "template_id"},
    {"filter", Kind::kFilter, ""},
    {"sample_type", Kind::kSampleType, ""},
    {"is_bi_flow", Kind::kBiflow, "biflow_direction"},
    {"direction", Kind::kNumber, "direction"},
    {"nat_event", Kind::kNumber, "nat_event"},
    {"fwdstatus", Kind::kNumber, "fwd_status"},
    {"src_mac", Kind::kMac, "src_mac"},
    {"dst_mac", Kind::kMac, "dst_mac"},
    {"vlan", Kind::kNumber, "vlan"},
    {"cvlan", Kind::kNumber, "in_cvlan"},
    {"src_net", Kind::kPrefix, "src_addr"},
    {"dst_net", Kind::kPrefix, "dst_addr"},
    {"src_as", Kind::kNumber, "src_as"},
    {"dst_as", Kind::kNumber, "dst_as"},
    {"peer_src_as", Kind::kNumber, "peer_src_as"},
    {"peer_dst_as", Kind::kNumber, "peer_dst_as"},
    {"src_local_pref", Kind::kNumber, "src_local_pref"},
    {"local_pref", Kind::kNumber, "local_pref"},
    {"src_roa", Kind::kValidation, "src_roa"},
    {"dst_roa", Kind::kValidation, "dst_roa"},
    {"src_comms", Kind::kCommunities, "src_std_comm"},
    {"comms", Kind::kCommunities, "std_comm"},
    {"mpls_vpn_rd", Kind::kDistinguisher, "mpls_vpn_rd"},
    {"mpls_vpn_id", Kind::kVrf, ""},
    {"mpls_pw_id", Kind::kNumber, "mpls_pw_id"},
    {"mpls_label_bottom", Kind::kNumber, "mpls_label_bottom"},
};

// What a key of a map sets: not a condition.
constexpr absl::string_view kSets[] = {"set_tag", "set_tag2", "set_label", "set_tos", "id",
                                       "id2",     "label",    "jeq",       "stack"};

bool IsNumber(absl::string_view text) {
  uint64_t number = 0;
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit) && absl::SimpleAtoi(text, &number);
}

std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(octet < 0x20 || octet == 0x7f ? '?' : c);
  }
  return absl::StrCat(quoted, "\"");
}

// "0:65512:1", with the type before it as pmacct writes it, without; empty if it would not be read back as this.
std::string Distinguisher(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() != 3 || !IsNumber(parts[2])) return "";
  uint64_t as = 0;
  const bool is_as = IsNumber(parts[1]) && absl::SimpleAtoi(parts[1], &as) && as <= UINT32_MAX;
  if (parts[0] == "1") {
    const auto address = base::IpAddress::Parse(parts[1]);
    if (!address || !address->IsV4()) return "";
  } else if (!is_as || (parts[0] == "0") != (as <= 0xffff) || (parts[0] != "0" && parts[0] != "2")) {
    return "";
  }
  return absl::StrCat(parts[1], ":", parts[2]);
}

// The conditions of one line.
class Conditions {
 public:
  // `field`: what the map sets.
  Conditions(const MapLine& line, absl::string_view field) : line_(line), field_(field) {}

  // False: `why()` tells which cannot be said.
  bool Read() {
    const std::string* const type = line_.Find("engine_type");
    const std::string* const id = line_.Find("engine_id");
    uint32_t engine_type = 0, engine_id = 0;
    // Both make one number (NetFlow v5).
    const bool engine = type != nullptr && id != nullptr && IsNumber(*type) && IsNumber(*id) &&
                        absl::SimpleAtoi(*type, &engine_type) && absl::SimpleAtoi(*id, &engine_id) &&
                        engine_type <= 255 && engine_id <= 255;
    if (engine) And(absl::StrCat("observation_domain = ", engine_type * 256 + engine_id));
    for (const MapLine::Pair& pair : line_.pairs) {
      if (std::find(std::begin(kSets), std::end(kSets), pair.key) != std::end(kSets)) continue;
      if (engine && absl::StartsWith(pair.key, "engine_")) continue;
      const auto match = std::find_if(std::begin(kMatches), std::end(kMatches),
                                      [&](const Match& candidate) { return candidate.key == pair.key; });
      if (match == std::end(kMatches)) return Fail(pair, "has no counterpart");
      // In this map these are of the route back to the source.
      if (field_ == "peer_src_as" && (pair.key == "bgp_nexthop" || pair.key == "peer_dst_as")) {
        return Fail(pair, "asks for a route, which has no counterpart yet");
      }
      if (!One(*match, pair)) return false;
    }
    return true;
  }
  const std::string& text() const { return text_; }
  const std::string& why() const { return why_; }

 private:
  void And(absl::string_view condition) { text_ = BothHold(text_, condition); }
  bool Fail(const MapLine::Pair& pair, absl::string_view what) {
    why_ = absl::StrCat(pair.key, "=", pair.value, ": ", what);
    return false;
  }

  bool One(const Match& match, const MapLine::Pair& pair) {
    absl::string_view value = pair.value;
    const bool negative = match.kind != Kind::kFilter && absl::ConsumePrefix(&value, "-");
    std::string condition;
    switch (match.kind) {
      case Kind::kNumber: {
        if (!IsNumber(value)) return Fail(pair, "is no number");
        condition = absl::StrCat(match.field, " = ", value);
        // pmacct knows no absence.
        uint64_t number = 0;
        if (absl::SimpleAtoi(value, &number) && number == 0) {
          condition = absl::StrCat(condition, " or not exists(", match.field, ")");
        }
        break;
      }
      case Kind::kPrefix: {
        const auto prefix = base::IpPrefix::Parse(value);
        if (!prefix) return Fail(pair, "is no address or prefix");
        const bool host = prefix->length() == (prefix->address().IsV4() ? 32 : 128);
        condition = host ? absl::StrCat(match.field, " = ", prefix->address().ToString())
                         : absl::StrCat(match.field, " in ", prefix->ToString());
        break;
      }
      case Kind::kMac: {
        const auto mac = base::MacAddress::Parse(value);
        if (!mac) return Fail(pair, "is no MAC address");
        condition = absl::StrCat(match.field, " = ", mac->ToString());
        break;
      }
      case Kind::kDistinguisher: {
        const std::string distinguisher = Distinguisher(value);
        if (distinguisher.empty()) return Fail(pair, "is no route distinguisher that we can write");
        condition = absl::StrCat(match.field, " = ", distinguisher);
        break;
      }
      case Kind::kFilter: {
        const auto filter = TranslatePacketFilter(value);
        if (!filter.ok()) return Fail(pair, filter.status().message());
        condition = *filter;
        break;
      }
      case Kind::kEngineType: {
        uint32_t type = 0;
        if (!IsNumber(value) || !absl::SimpleAtoi(value, &type) || type > 255) return Fail(pair, "is no octet");
        condition = absl::StrCat(match.field, " in (", type * 256, "-", type * 256 + 255, ")");
        break;
      }
      case Kind::kSampleType:
        condition = OfSampleType(value);
        if (condition.empty()) return Fail(pair, "is no kind of record that is accounted");
        break;
      case Kind::kBiflow:
        condition = absl::StrCat(value == "true" ? "" : "not ", "exists(", match.field, ")");
        break;
      case Kind::kCommunities:
        if (absl::StrContains(value, ')') || value.empty()) return Fail(pair, "are no communities");
        condition = absl::StrCat(match.field, " contains (", absl::StrReplaceAll(value, {{",", ", "}}), ")");
        break;
      case Kind::kValidation:
        // As in pmacct's output: valid, unknown, invalid.
        if (value != "v" && value != "u" && value != "i") return Fail(pair, "is none of v, u, i");
        condition = absl::StrCat(match.field, " = ", value == "v" ? "valid" : value == "u" ? "not_found" : "invalid");
        break;
      case Kind::kVrf:
        if (!IsNumber(value)) return Fail(pair, "is no number");
        condition = absl::StrCat("in_vrf = ", value, " or out_vrf = ", value);
        break;
    }
    And(negative ? absl::StrCat("not (", condition, ")") : condition);
    return true;
  }

  static std::string OfSampleType(absl::string_view type) {
    constexpr absl::string_view kEvent = "exists(nat_event) or exists(fw_event)";
    if (type == "event") return std::string(kEvent);
    const bool mpls = absl::ConsumePrefix(&type, "flow-mpls-");
    std::string condition = absl::StrCat("not (", kEvent, ")");
    if (mpls) condition = BothHold("exists(mpls_label_top)", condition);
    if (type == "ipv4" || type == "flow-ipv4") return BothHold(condition, "src_addr in 0.0.0.0/0");
    if (type == "ipv6" || type == "flow-ipv6") return BothHold(condition, "src_addr in ::/0");
    return type == "flow" ? condition : "";
  }

  const MapLine& line_;
  absl::string_view field_;
  std::string text_, why_;
};

// What one line sets: "set tag 1, label \"a\""; false: why.
bool Actions(const MapLine& line, absl::string_view id_field, bool jumps, std::string* text, std::string* why) {
  const std::string* const stack = line.Find("stack");
  absl::string_view verb = "set";
  if (stack != nullptr && *stack == "sum") verb = "add";
  if (stack != nullptr && *stack == "or") verb = "or";
  std::vector<std::string> actions;
  for (const MapLine::Pair& pair : line.pairs) {
    absl::string_view field;
    if (pair.key == "set_tag") field = "tag";
    if (pair.key == "set_tag2" || pair.key == "id2") field = "tag2";
    if (pair.key == "set_tos") field = "tos";
    if (pair.key == "id") field = id_field;
    if (pair.key == "set_label") {
      // Labels of several lines that are met add up.
      actions.push_back(absl::StrCat(jumps ? "append" : "set", " label ", Quoted(pair.value)));
    } else if (field == "mpls_vpn_rd") {
      const std::string distinguisher = Distinguisher(pair.value);
      if (distinguisher.empty()) {
        *why = absl::StrCat("id=", pair.value, " is no route distinguisher that we can write");
        return false;
      }
      actions.push_back(absl::StrCat("set ", field, " ", distinguisher));
    } else if (!field.empty()) {
      if (!IsNumber(pair.value)) {
        *why = absl::StrCat(pair.key, "=", pair.value, " is no number");
        return false;
      }
      actions.push_back(absl::StrCat(field == "tos" ? "set" : verb, " ", field, " ", pair.value));
    }
  }
  if (actions.empty()) *why = "it sets nothing";
  *text = absl::StrJoin(actions, ", ");
  return !actions.empty();
}

}  // namespace

absl::StatusOr<std::string> ConditionOfLine(const MapLine& line, absl::Span<const absl::string_view> left_out) {
  MapLine asked;
  asked.line = line.line;
  for (const MapLine::Pair& pair : line.pairs) {
    if (std::find(left_out.begin(), left_out.end(), pair.key) == left_out.end()) asked.pairs.push_back(pair);
  }
  Conditions conditions(asked, "");
  if (!conditions.Read()) return absl::InvalidArgumentError(conditions.why());
  return conditions.text();
}

RulesOfMap MapAsRules(const std::vector<MapLine>& map, absl::string_view field) {
  // Labels by their lines, ascending.
  absl::flat_hash_map<std::string, std::vector<size_t>> labels;
  bool jumps = false;
  for (size_t i = 0; i < map.size(); ++i) {
    if (const std::string* label = map[i].Find("label")) labels[*label].push_back(i);
    jumps = jumps || map[i].Find("jeq") != nullptr;
  }
  // Where each line goes on, if it is met.
  constexpr size_t kNowhere = SIZE_MAX;
  std::vector<size_t> targets(map.size(), kNowhere);
  for (size_t i = 0; i < map.size(); ++i) {
    const std::string* const jump = map[i].Find("jeq");
    if (jump == nullptr) continue;
    if (*jump == "next") {
      targets[i] = i + 1;
      continue;
    }
    const auto found = labels.find(*jump);
    if (found == labels.end()) continue;
    const auto later = std::upper_bound(found->second.begin(), found->second.end(), i);
    if (later != found->second.end()) targets[i] = *later;
  }
  // What each line does and asks, or why it cannot be said.
  struct Said {
    std::string actions, condition, why;
  };
  std::vector<Said> said(map.size());
  for (size_t i = 0; i < map.size(); ++i) {
    Conditions conditions(map[i], field);
    if (!Actions(map[i], field, jumps, &said[i].actions, &said[i].why)) continue;
    if (!conditions.Read()) said[i].why = conditions.why();
    said[i].condition = conditions.text();
  }
  // A line that is left out is jumped over: the first one from each on that is said.
  std::vector<size_t> said_from(map.size() + 1, map.size());
  for (size_t i = map.size(); i-- > 0;) said_from[i] = said[i].why.empty() ? i : said_from[i + 1];
  std::vector<bool> is_target(map.size() + 1, false);
  for (size_t i = 0; i < map.size(); ++i) {
    if (targets[i] == kNowhere || !said[i].why.empty()) continue;
    targets[i] = said_from[targets[i]];
    is_target[targets[i]] = is_target[targets[i]] || targets[i] != said_from[i + 1];
  }
  RulesOfMap result;
  for (size_t i = 0; i < map.size(); ++i) {
    if (!said[i].why.empty()) {
      result.unsaid.push_back(absl::StrCat("line ", map[i].line, ": ", said[i].why));
      absl::StrAppend(&result.text, "# ATTENTION: ", OneLine(result.unsaid.back()), "; it is left out\n");
      continue;
    }
    if (is_target[i]) absl::StrAppend(&result.text, "line", map[i].line, ": ");
    absl::StrAppend(&result.text, said[i].actions);
    if (targets[i] < map.size()) {
      absl::StrAppend(&result.text, targets[i] == said_from[i + 1] ? ", continue"
                                                                   : absl::StrCat(", goto line", map[targets[i]].line));
    }
    if (!said[i].condition.empty()) absl::StrAppend(&result.text, " where ", said[i].condition);
    result.text += '\n';
    ++result.rules;
  }
  return result;
}

std::string RulesImport::NewFile(const Statement* statement, absl::string_view text) {
  const std::string stem = absl::StrCat(stem_, "-", statement->key);
  std::string path = absl::StrCat(stem, ".rules");
  const auto taken = [&] {
    return std::any_of(files_.begin(), files_.end(), [&](const ImportedFile& file) { return file.path == path; });
  };
  for (int i = 2; taken(); ++i) path = absl::StrCat(stem, "-", i, ".rules");
  const std::string origin = OneLine(absl::StrCat(statement->key, ": ", statement->value));
  files_.push_back(
      {path, absl::StrCat("# Made of ", origin, " (line ", statement->line, " of ",
                          OneLine(context_->settings().file_name()), ") by flowacct config import.\n", text)});
  return path;
}

const std::string& RulesImport::FileOfMap(const Statement* map, absl::string_view field) {
  const auto [made, is_new] = made_.try_emplace(map);
  if (!is_new) return made->second;
  const auto lines = context_->ReadMap(map, "import again where it is, or write rules");
  if (!lines) return made->second;
  const RulesOfMap rules = MapAsRules(*lines, field);
  for (const std::string& line : rules.unsaid) {
    context_->settings().Attention(map, absl::StrCat(line, "; the line is left out"));
  }
  if (rules.rules > 0) made->second = NewFile(map, rules.text);
  return made->second;
}

const std::string& RulesImport::FileOfPorts(const Statement* ports) {
  const auto [made, is_new] = made_.try_emplace(ports);
  if (!is_new) return made->second;
  const auto lines = context_->ReadList(ports, "import again where it is, or write rules");
  if (!lines) return made->second;
  std::vector<std::string> known;
  for (const ListLine& line : *lines) {
    uint32_t port = 0;
    if (IsNumber(line.word) && absl::SimpleAtoi(line.word, &port) && port <= 65535) {
      known.push_back(line.word);
    } else {
      context_->settings().Attention(ports, absl::StrCat("line ", line.line, " of the file, ", line.word,
                                                         ", is no number of a port; it is left out"));
    }
  }
  std::string text;
  for (const char* field : {"src_port", "dst_port"}) {
    const std::string others =
        known.empty() ? "" : absl::StrCat(" and not ", field, " in (", absl::StrJoin(known, ", "), ")");
    absl::StrAppend(&text, "list ", field, "\nset ", field, " 0 where exists(", field, ")", others, "\n");
  }
  made->second = NewFile(ports, text);
  return made->second;
}

const std::string& RulesImport::FileOfTag(const Statement* statement, const Plugin& plugin, absl::string_view field) {
  Settings& settings = context_->settings();
  const auto [made, is_new] = made_.try_emplace(statement);
  const Setting filter = field == "tag" ? Setting::kPreTagFilter : Setting::kPreTag2Filter;
  if (settings.Of(filter, plugin) != nullptr) {
    settings.Attention(statement, "the plugin's filter of tags sees this tag, where pmacct's sees the one before it");
  }
  if (!is_new) return made->second;
  if (const auto tag = settings.NumberOf(statement, 0, UINT64_MAX)) {
    made->second = NewFile(statement, absl::StrCat("set ", field, " ", *tag, "\n"));
  }
  return made->second;
}

std::vector<std::string> RulesImport::FilesFor(const Plugin& plugin) {
  Settings& settings = context_->settings();
  std::vector<std::string> files;
  const auto add = [&files](const std::string& path) {
    if (!path.empty()) files.push_back(path);
  };
  if (const Statement* map = settings.Of(Setting::kSamplingMap)) add(FileOfMap(map, "sampling_rate"));
  const Statement* const peers = settings.Of(Setting::kPeerAsMap);
  const Statement* const type = settings.Of(Setting::kPeerAsType);
  const bool by_map = type != nullptr && type->value == "map";
  if (type != nullptr && type->value == "bgp") {
    settings.Attention(type, "routes have no counterpart yet: peer_src_as is what the exporter tells");
  }
  if (peers != nullptr && by_map) add(FileOfMap(peers, "peer_src_as"));
  if (peers != nullptr && !by_map) settings.Remark(peers, "counts only with bgp_peer_src_as_type: map");
  if (const Statement* map = settings.Of(Setting::kRdMap)) add(FileOfMap(map, "mpls_vpn_rd"));
  if (const Statement* map = settings.Of(Setting::kPreTagMap, plugin)) add(FileOfMap(map, "tag"));
  if (const Statement* ports = settings.Of(Setting::kPortsFile, plugin)) add(FileOfPorts(ports));
  if (const Statement* tag = settings.Of(Setting::kPostTag, plugin)) add(FileOfTag(tag, plugin, "tag"));
  if (const Statement* tag = settings.Of(Setting::kPostTag2, plugin)) add(FileOfTag(tag, plugin, "tag2"));
  return files;
}

}  // namespace flowacct::collector
