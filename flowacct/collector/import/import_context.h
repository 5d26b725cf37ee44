// What the parts of an import share: the settings that they read, the daemon, and the files that settings name.
//
// Lifetime: borrows all; for one import. Threads: one at a time.

#ifndef FLOWACCT_COLLECTOR_IMPORT_IMPORT_CONTEXT_H_
#define FLOWACCT_COLLECTOR_IMPORT_IMPORT_CONTEXT_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/import/pmacct_file.h"
#include "flowacct/collector/import/settings.h"

namespace flowacct::collector {

// The content of a file by its path.
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& path)>;

class ImportContext {
 public:
  ImportContext(Settings* settings, Daemon daemon, FileReader read_file)
      : settings_(settings), daemon_(daemon), read_file_(std::move(read_file)) {}

  Settings& settings() { return *settings_; }
  Daemon daemon() const { return daemon_; }

  // The file that a statement names. If it cannot be read or is not of that form, the statement gets the reason and
  // `instead`, for a person to look at, and nothing is returned.
  std::optional<std::vector<MapLine>> ReadMap(const Statement* statement, absl::string_view instead);
  std::optional<std::vector<ListLine>> ReadList(const Statement* statement, absl::string_view instead);

 private:
  std::optional<std::string> Read(const Statement* statement, absl::string_view instead);

  Settings* settings_;
  Daemon daemon_;
  FileReader read_file_;
};

// "nfacctd_port, line 7": where a value comes from.
std::string From(const Statement* statement);
// A name of ours (letters, digits, '-', '_', '.') made of one of theirs.
std::string PlainName(absl::string_view name);
// Whether `text` is "192.0.2.1:2055" or "[2001:db8::1]:2055".
bool IsAddressAndPort(absl::string_view text);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_IMPORT_CONTEXT_H_
