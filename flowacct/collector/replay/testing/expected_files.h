// The outputs of other programs that come with the captures (EXPECTED.tsv).

#ifndef FLOWACCT_COLLECTOR_REPLAY_TESTING_EXPECTED_FILES_H_
#define FLOWACCT_COLLECTOR_REPLAY_TESTING_EXPECTED_FILES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::collector::testing {

struct ExpectedFile {
  std::string expected;  // below CapturesFolder()
  std::string capture;
};

// Those of flow exports and packets whose name ends in `suffix`.
std::vector<ExpectedFile> ExpectedFiles(absl::string_view suffix);

}  // namespace flowacct::collector::testing

#endif  // FLOWACCT_COLLECTOR_REPLAY_TESTING_EXPECTED_FILES_H_
