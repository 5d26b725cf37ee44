#include "flowacct/collector/replay/testing/expected_files.h"

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/replay/testing/values.h"

namespace flowacct::collector::testing {

std::vector<ExpectedFile> ExpectedFiles(absl::string_view suffix) {
  std::vector<ExpectedFile> files;
  const std::string table = ReadCapturesFile("EXPECTED.tsv");
  for (absl::string_view line : absl::StrSplit(table, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> columns = absl::StrSplit(line, '\t');
    const std::string folder = columns.size() < 2 ? "" : columns[1].substr(0, columns[1].find('/'));
    if (std::set<std::string>{"netflow5", "netflow9", "ipfix", "sflow", "packets"}.count(folder) == 0) continue;
    if (absl::EndsWith(columns[0], suffix)) files.push_back({columns[0], columns[1]});
  }
  return files;
}

}  // namespace flowacct::collector::testing
