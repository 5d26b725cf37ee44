#include "flowacct/collector/import/settings.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/near_miss.h"

namespace flowacct::collector {
namespace {

constexpr absl::string_view kDaemons[] = {"nfacctd", "sfacctd", "pmacctd",     "uacctd",
                                          "pmbgpd",  "pmbmpd",  "pmtelemetryd"};
constexpr absl::string_view kPluginTypes[] = {"memory", "print",   "nfprobe", "sfprobe",        "tee",  "mysql",
                                              "pgsql",  "sqlite3", "mongodb", "mongodb_legacy", "amqp", "kafka"};

// Of a statement: a map may have many lines that are wrong.
constexpr size_t kMaxRemarks = 20;
// pmacct starts some dozens of processes at most; each plugin is a pass over all statements.
constexpr size_t kMaxPlugins = 256;
// Whoever misspells more keys is not helped by being told what each may have meant, which takes a pass over them all.
constexpr size_t kMaxSuggestions = 50;

// Of `words` what `word` may have meant, as a question; or nothing.
std::string DidYouMean(const std::vector<std::string>& near) {
  return near.empty() ? "" : absl::StrCat("; did you mean ", absl::StrJoin(near, " or "), "?");
}

}  // namespace

absl::string_view DaemonName(Daemon daemon) { return kDaemons[static_cast<size_t>(daemon)]; }

std::optional<Daemon> FindDaemon(absl::string_view name) {
  for (size_t i = 0; i < std::size(kDaemons); ++i) {
    if (kDaemons[i] == name) return static_cast<Daemon>(i);
  }
  return std::nullopt;
}

Settings::Settings(std::vector<Statement> statements, absl::string_view file_name) : file_name_(file_name) {
  entries_.reserve(statements.size());
  for (Statement& statement : statements) {
    Entry entry;
    entry.key = FindPmacctKey(statement.key);
    entry.statement = std::move(statement);
    entries_.push_back(std::move(entry));
  }
  ReadPlugins();
}

void Settings::ReadPlugins() {
  const auto first = std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.key != nullptr && entry.key->setting == Setting::kPlugins;
  });
  if (first != entries_.end()) {
    first->read = true;
    for (absl::string_view word : absl::StrSplit(first->statement.value, ',')) {
      word = absl::StripAsciiWhitespace(word);
      if (word.empty()) continue;
      const size_t open = word.find('[');
      Plugin plugin;
      plugin.type = absl::AsciiStrToLower(absl::StripAsciiWhitespace(word.substr(0, open)));
      absl::string_view name = open == absl::string_view::npos ? "" : word.substr(open + 1);
      name = absl::StripAsciiWhitespace(name.substr(0, name.find(']')));
      plugin.name = name.empty() ? absl::StrCat("default_", plugin.type) : std::string(name);
      const std::vector<absl::string_view> types(std::begin(kPluginTypes), std::end(kPluginTypes));
      if (std::find(types.begin(), types.end(), plugin.type) == types.end()) {
        Attention(&first->statement, absl::StrCat("no plugin is called ", plugin.type, ", so it is left out",
                                                  DidYouMean(base::NearestWords(plugin.type, types))));
      } else if (FindPlugin(plugin.name) != nullptr) {
        Attention(&first->statement,
                  absl::StrCat("two plugins are called ", plugin.name, "; as in pmacct the first one counts"));
      } else if (plugins_.size() == kMaxPlugins) {
        Fail(&first->statement, absl::StrCat("more than ", kMaxPlugins, " plugins; divide them over configurations"));
        break;
      } else {
        plugins_.push_back(std::move(plugin));
      }
    }
    for (Entry& entry : entries_) {
      if (entry.key == first->key && !entry.read) entry.beaten = &first->statement;
    }
  }
  if (plugins_.empty()) plugins_.push_back({"memory", "default_memory"});
}

const Plugin* Settings::FindPlugin(absl::string_view name) const {
  for (const Plugin& plugin : plugins_) {
    if (plugin.name == name) return &plugin;
  }
  return nullptr;
}

bool Settings::Applies(const Entry& entry, const Plugin* plugin) const {
  if (entry.statement.plugin.empty() || entry.key->scope == KeyScope::kGlobal) return true;
  return plugin != nullptr && entry.statement.plugin == plugin->name;
}

const Statement* Settings::Resolve(Setting setting, const Plugin* plugin) {
  Entry* counts = nullptr;
  for (Entry& entry : entries_) {
    if (entry.key == nullptr || entry.key->setting != setting || !Applies(entry, plugin)) continue;
    counts = &entry;
  }
  if (counts == nullptr) return nullptr;
  counts->read = true;
  for (Entry& entry : entries_) {
    if (entry.key == nullptr || entry.key->setting != setting || &entry == counts || !Applies(entry, plugin)) continue;
    entry.beaten = &counts->statement;
  }
  return &counts->statement;
}

const Statement* Settings::Of(Setting setting) { return Resolve(setting, nullptr); }
const Statement* Settings::Of(Setting setting, const Plugin& plugin) { return Resolve(setting, &plugin); }

bool Settings::Flag(const Statement* statement, bool unless_told) {
  if (statement == nullptr) return unless_told;
  const std::string value = absl::AsciiStrToLower(statement->value);
  if (value == "true" || value == "1") return true;
  if (value != "false" && value != "0") {
    Fail(statement, absl::StrCat("\"", statement->value, "\" is neither true nor false; write one of them"));
  }
  return false;
}
bool Settings::FlagOf(Setting setting, bool unless_told) { return Flag(Of(setting), unless_told); }
bool Settings::FlagOf(Setting setting, const Plugin& plugin, bool unless_told) {
  return Flag(Of(setting, plugin), unless_told);
}

std::optional<uint64_t> Settings::NumberOf(const Statement* statement, uint64_t least, uint64_t most) {
  uint64_t number = 0;
  if (statement == nullptr) return std::nullopt;
  const absl::string_view value = statement->value;
  const bool digits = !value.empty() && std::all_of(value.begin(), value.end(), absl::ascii_isdigit);
  if (digits && absl::SimpleAtoi(value, &number) && number >= least && number <= most) return number;
  const absl::string_view shown = IsSecretValue(value) ? "(not shown)" : value;
  Fail(statement, absl::StrCat("\"", shown, "\" is no number from ", least, " to ", most, "; write one"));
  return std::nullopt;
}

Settings::Entry* Settings::EntryOf(const Statement* statement) {
  for (Entry& entry : entries_) {
    if (&entry.statement == statement) return &entry;
  }
  return nullptr;
}

void Settings::Say(const Statement* statement, absl::string_view text, bool attention) {
  Entry* const entry = EntryOf(statement);
  auto& remarks = entry == nullptr ? general_ : entry->remarks;
  for (const auto& [said, unused] : remarks) {
    if (said == text) return;
  }
  if (remarks.size() > kMaxRemarks) return;
  remarks.emplace_back(remarks.size() < kMaxRemarks ? text : "and more of this kind, which is not listed", attention);
}
void Settings::Remark(const Statement* statement, absl::string_view text) { Say(statement, text, false); }
void Settings::Attention(const Statement* statement, absl::string_view text) { Say(statement, text, true); }

void Settings::Fail(const Statement* statement, absl::string_view text) {
  if (!status_.ok() || statement == nullptr) return;
  status_ =
      absl::InvalidArgumentError(absl::StrCat(file_name_, ":", statement->line, ": ", statement->key, ": ", text));
}

void Settings::ExplainTheRest(Daemon daemon) {
  for (Entry& entry : entries_) {
    if (!entry.read) Explain(daemon, &entry);
  }
}

void Settings::Explain(Daemon daemon, Entry* entry) {
  const Statement& statement = entry->statement;
  if (entry->key == nullptr) {
    const bool suggest = suggestions_++ < kMaxSuggestions;
    Attention(&statement, absl::StrCat("neither pmacct nor we know this key, so it is left out as pmacct does",
                                       suggest ? DidYouMean(NearestPmacctKeys(statement.key)) : ""));
    return;
  }
  const PmacctKey& key = *entry->key;
  if (key.scope == KeyScope::kPlugin && !statement.plugin.empty() && FindPlugin(statement.plugin) == nullptr) {
    std::vector<absl::string_view> names;
    for (const Plugin& plugin : plugins_) names.push_back(plugin.name);
    Attention(&statement, absl::StrCat("no plugin is called ", statement.plugin, ", so it is left out as pmacct does",
                                       DidYouMean(base::NearestWords(statement.plugin, names))));
    return;
  }
  if (entry->beaten != nullptr) {
    Remark(&statement, absl::StrCat("line ", entry->beaten->line, " counts instead"));
    return;
  }
  const std::vector<absl::string_view> heeding = absl::StrSplit(key.daemons, ' ', absl::SkipEmpty());
  if (!heeding.empty() && std::find(heeding.begin(), heeding.end(), DaemonName(daemon)) == heeding.end()) {
    Remark(&statement, absl::StrCat(DaemonName(daemon), " does not heed it"));
    return;
  }
  if (key.setting != Setting::kNone) {
    Remark(&statement, "nothing here that it is for");
    return;
  }
  Remark(&statement, absl::StrCat(KeyStatusName(key.status), ": ", key.note));
}

std::vector<Settings::Comment> Settings::Comments(const Plugin* plugin) const {
  std::vector<Comment> comments;
  if (plugin == nullptr) {
    for (const auto& [text, attention] : general_) comments.push_back({nullptr, text, attention});
  }
  for (const Entry& entry : entries_) {
    const bool bound = entry.key != nullptr && entry.key->scope == KeyScope::kPlugin && !entry.statement.plugin.empty();
    const bool here = plugin != nullptr ? bound && entry.statement.plugin == plugin->name
                                        : !bound || FindPlugin(entry.statement.plugin) == nullptr;
    if (!here) continue;
    for (const auto& [text, attention] : entry.remarks) comments.push_back({&entry.statement, text, attention});
  }
  return comments;
}

std::vector<Settings::Comment> Settings::Attentions() const {
  std::vector<Comment> comments;
  for (const auto& [text, attention] : general_) {
    if (attention) comments.push_back({nullptr, text, attention});
  }
  for (const Entry& entry : entries_) {
    for (const auto& [text, attention] : entry.remarks) {
      if (attention) comments.push_back({&entry.statement, text, attention});
    }
  }
  return comments;
}

absl::StatusOr<ToldDaemon> TellDaemon(const std::vector<Statement>& statements, absl::string_view file_name) {
  // A key that begins with a daemon's name says most; the daemon that more keys name wins, and of equals the first.
  std::array<int, std::size(kDaemons)> votes{};
  std::array<const Statement*, std::size(kDaemons)> first{};
  for (const Statement& statement : statements) {
    for (size_t i = 0; i < std::size(kDaemons); ++i) {
      if (!absl::StartsWith(statement.key, kDaemons[i]) || FindPmacctKey(statement.key) == nullptr) continue;
      // What says where exports come from outweighs what nfacctd and sfacctd heed of one another.
      votes[i] += absl::EndsWith(statement.key, "_port") || absl::EndsWith(statement.key, "_ip") ? 100 : 1;
      if (first[i] == nullptr) first[i] = &statement;
    }
  }
  const size_t most = static_cast<size_t>(std::max_element(votes.begin(), votes.end()) - votes.begin());
  if (votes[most] > 0) {
    return ToldDaemon{static_cast<Daemon>(most),
                      absl::StrCat(first[most]->key, " in line ", first[most]->line, " says so")};
  }
  const absl::string_view base_name = file_name.substr(file_name.rfind('/') + 1);
  for (size_t i = 0; i < std::size(kDaemons); ++i) {
    if (absl::StartsWith(base_name, kDaemons[i])) return ToldDaemon{static_cast<Daemon>(i), "the file's name says so"};
  }
  // Keys that only one of them heeds.
  for (const Statement& statement : statements) {
    const PmacctKey* key = FindPmacctKey(statement.key);
    if (key == nullptr) continue;
    if (const auto daemon = FindDaemon(key->daemons)) {
      return ToldDaemon{*daemon, absl::StrCat(statement.key, " in line ", statement.line, " says so")};
    }
  }
  for (const Statement& statement : statements) {
    if (statement.key != "plugins") continue;
    const absl::string_view value = statement.value;
    if (absl::StrContains(value, "nfprobe") || absl::StrContains(value, "sfprobe")) {
      return ToldDaemon{Daemon::kPmacctd, "the plugins say so"};
    }
    if (absl::StrContains(value, "tee")) return ToldDaemon{Daemon::kNfacctd, "the plugins say so"};
  }
  constexpr std::pair<absl::string_view, Daemon> kRoutes[] = {
      {"bgp_", Daemon::kPmbgpd}, {"bmp_", Daemon::kPmbmpd}, {"telemetry_", Daemon::kPmtelemetryd}};
  for (const auto& [prefix, daemon] : kRoutes) {
    for (const Statement& statement : statements) {
      if (!absl::StartsWith(statement.key, prefix) || FindPmacctKey(statement.key) == nullptr) continue;
      return ToldDaemon{daemon, absl::StrCat(statement.key, " in line ", statement.line, " says so")};
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      file_name, ": nothing tells which daemon reads it; say --daemon nfacctd, sfacctd, pmacctd or uacctd"));
}

}  // namespace flowacct::collector
