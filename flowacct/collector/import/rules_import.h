// The rules of an import: what pmacct's maps set (tags, labels, sampling rates, peer AS, route distinguishers, ports),
// in the language of docs/reference/rules.md.
//
//     set_tag=1 ip=192.0.2.1 in=4 jeq=out       set tag 1, goto line9 where exporter = 192.0.2.1 and in_if = 4
//     set_tag=100 out=1 label=out stack=sum     line9: add tag 100 where out_if = 1
//
// A map becomes a file of its own, and a line of it a rule in the same order: in both the first that is met counts, and
// jumps go forward. A line that cannot be said is left out and named, so that a later one may be met instead.

#ifndef FLOWACCT_COLLECTOR_IMPORT_RULES_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_RULES_IMPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/collector/import/import_context.h"

namespace flowacct::collector {

// A file that the imported configuration names.
struct ImportedFile {
  std::string path;
  std::string text;
};

class RulesImport {
 public:
  // `stem`: how the paths of the files begin: "flowacct" makes "flowacct-pre_tag_map.rules".
  RulesImport(ImportContext* context, std::string stem) : context_(context), stem_(std::move(stem)) {}

  // The paths of the rules of a plugin, in the order in which they apply. Plugins share what they have in common.
  std::vector<std::string> FilesFor(const Plugin& plugin);
  const std::vector<ImportedFile>& files() const { return files_; }

 private:
  std::string NewFile(const Statement* statement, absl::string_view text);
  // Empty where there is nothing to say. `field`: what the map's `id` sets.
  const std::string& FileOfMap(const Statement* map, absl::string_view field);
  const std::string& FileOfPorts(const Statement* ports);
  const std::string& FileOfTag(const Statement* statement, const Plugin& plugin, absl::string_view field);

  ImportContext* context_;
  std::string stem_;
  std::vector<ImportedFile> files_;
  absl::node_hash_map<const Statement*, std::string> made_;  // the path of what was made of each
};

// The rules of a map's lines, one a line; lines that cannot be said become comments, with why in `unsaid`.
struct RulesOfMap {
  std::string text;
  std::vector<std::string> unsaid;
  size_t rules = 0;
};
// What one line asks for, without the `left_out` keys, as a filter; empty: nothing. An error: why it cannot be said.
absl::StatusOr<std::string> ConditionOfLine(const MapLine& line, absl::Span<const absl::string_view> left_out);
RulesOfMap MapAsRules(const std::vector<MapLine>& map, absl::string_view field);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_RULES_IMPORT_H_
