// A configuration file of pmacct, read into its statements.
//
//     ! a comment
//     nfacctd_port: 2100
//     aggregate[in]: src_host, dst_host
//
// The form is pmacct's (1.7.7): one statement a line; the first ':' ends the key; a name in brackets binds it to a
// plugin; case and blanks do not matter in a key; '!' begins a comment only where a line begins, and so does '#' here.
// Nothing is included from elsewhere. What a key is and what its value means is not checked.
// Errors: InvalidArgument "FILE:LINE: what; what to do", the first one. Any thread.

#ifndef FLOWACCT_COLLECTOR_IMPORT_PMACCT_FILE_H_
#define FLOWACCT_COLLECTOR_IMPORT_PMACCT_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {

struct Statement {
  int line = 0;  // from 1
  std::string key;
  std::string plugin;  // empty: for all
  std::string value;
};

struct PmacctFileOptions {
  // A long value is some kilooctets.
  size_t max_octets = size_t{1} << 20;
  // pmacct itself reads no more than 8192 lines of a configuration. Of that, not of maps and lists.
  size_t max_statements = 8192;
};

// `name` stands for the file in errors.
absl::StatusOr<std::vector<Statement>> ParsePmacctFile(absl::string_view text, absl::string_view name,
                                                       const PmacctFileOptions& options = {});

// A line of one of pmacct's maps: "set_tag=1 ip=192.0.2.1 filter='dst port 80'".
struct MapLine {
  struct Pair {
    std::string key;
    std::string value;
  };
  int line = 0;
  std::vector<Pair> pairs;

  // The first value of `key`, or null.
  const std::string* Find(absl::string_view key) const;
};

// A map of such lines (pre_tag_map, tee_receivers, pcap_interfaces_map, ...). Quotes keep blanks together.
absl::StatusOr<std::vector<MapLine>> ParsePmacctMap(absl::string_view text, absl::string_view name,
                                                    const PmacctFileOptions& options = {});
// A list with one word a line (allow files, ports files), without comments.
struct ListLine {
  int line = 0;
  std::string word;
};
absl::StatusOr<std::vector<ListLine>> ParsePmacctList(absl::string_view text, absl::string_view name,
                                                      const PmacctFileOptions& options = {});

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_PMACCT_FILE_H_
