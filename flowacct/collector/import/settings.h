// What a pmacct configuration sets: its statements by setting and plugin, as pmacct resolves them, and what is to be
// said of each.
//
// As in pmacct the last statement that applies counts: one without a plugin's name applies to all plugins and to the
// daemon, one with a name to that plugin, unless the key is global, where the name means nothing.
// Whoever reads a setting answers for its statement: it stays silent or gets a remark. Of those that nobody read, the
// table (pmacct_key.h) says why.
// Lifetime: statements keep their addresses. Threads: one at a time.

#ifndef FLOWACCT_COLLECTOR_IMPORT_SETTINGS_H_
#define FLOWACCT_COLLECTOR_IMPORT_SETTINGS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/import/pmacct_file.h"
#include "flowacct/collector/import/pmacct_key.h"

namespace flowacct::collector {

enum class Daemon : uint8_t { kNfacctd, kSfacctd, kPmacctd, kUacctd, kPmbgpd, kPmbmpd, kPmtelemetryd };
absl::string_view DaemonName(Daemon daemon);
std::optional<Daemon> FindDaemon(absl::string_view name);
// NetFlow and sFlow from the network.
inline bool ListensForExports(Daemon daemon) { return daemon == Daemon::kNfacctd || daemon == Daemon::kSfacctd; }
// Packets of an interface or the firewall.
inline bool SeesPackets(Daemon daemon) { return daemon == Daemon::kPmacctd || daemon == Daemon::kUacctd; }

struct Plugin {
  std::string type;  // "print"
  std::string name;  // as in brackets, or "default_print"
};

class Settings {
 public:
  Settings(std::vector<Statement> statements, absl::string_view file_name);

  const std::string& file_name() const { return file_name_; }
  // Of the line `plugins`, or the one that pmacct starts without it.
  const std::vector<Plugin>& plugins() const { return plugins_; }

  // The statement that counts, or null. What is returned has been read.
  const Statement* Of(Setting setting);
  const Statement* Of(Setting setting, const Plugin& plugin);
  // Values of these; the first error of a wrong one is kept for status().
  bool FlagOf(Setting setting, bool unless_told);
  bool FlagOf(Setting setting, const Plugin& plugin, bool unless_told);
  std::optional<uint64_t> NumberOf(const Statement* statement, uint64_t least, uint64_t most);

  // Says of a statement, or with null of the whole, what is different here; `Attention`: a person must look at it. Said
  // once each, and no more of one statement than a person reads.
  void Remark(const Statement* statement, absl::string_view text);
  void Attention(const Statement* statement, absl::string_view text);
  // InvalidArgument "FILE:LINE: KEY: what; what to do": for status(), if it is the first.
  void Fail(const Statement* statement, absl::string_view text);
  absl::Status status() const { return status_; }

  // After all was read: of the statements that nobody read, why. `daemon` heeds only its own keys.
  void ExplainTheRest(Daemon daemon);

  struct Comment {
    const Statement* statement;  // null: of the whole
    std::string text;
    bool attention;
  };
  // In the order of the file; of a plugin, or, with null, of the daemon and of plugins that are not there.
  std::vector<Comment> Comments(const Plugin* plugin) const;
  std::vector<Comment> Attentions() const;

 private:
  struct Entry {
    Statement statement;
    const PmacctKey* key = nullptr;     // null: unknown
    bool read = false;                  // it counted somewhere
    const Statement* beaten = nullptr;  // by this one
    std::vector<std::pair<std::string, bool>> remarks;
  };
  void ReadPlugins();
  bool Applies(const Entry& entry, const Plugin* plugin) const;
  const Statement* Resolve(Setting setting, const Plugin* plugin);
  bool Flag(const Statement* statement, bool unless_told);
  const Plugin* FindPlugin(absl::string_view name) const;
  void Say(const Statement* statement, absl::string_view text, bool attention);
  void Explain(Daemon daemon, Entry* entry);
  Entry* EntryOf(const Statement* statement);

  std::string file_name_;
  std::vector<Entry> entries_;
  std::vector<Plugin> plugins_;
  absl::Status status_;
  std::vector<std::pair<std::string, bool>> general_;  // remarks on the whole
  size_t suggestions_ = 0;                             // how often a word was looked for among all keys
};

// Which daemon reads such a file: told by the keys that only it has, by the file's name, by its plugins. With it the
// reason. InvalidArgument if nothing tells.
struct ToldDaemon {
  Daemon daemon;
  std::string reason;
};
absl::StatusOr<ToldDaemon> TellDaemon(const std::vector<Statement>& statements, absl::string_view file_name);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_SETTINGS_H_
