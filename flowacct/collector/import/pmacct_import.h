// Turns a configuration of pmacct (nfacctd, sfacctd, pmacctd, uacctd, ...) into one of ours.
//
//     ! nfacctd.conf                          # Made of nfacctd.conf ...
//     nfacctd_port: 2100                      input { name: "nfacctd" udp { listen: "[::]:2100" } }
//     plugins: print[as]                      pipeline { name: "as" by: "src_as,dst_as" sum: "packets,bytes"
//     aggregate[as]: src_as, dst_as                      every: "5m" sink { print { format: CSV ... } } }
//     print_history[as]: 5m
//     print_output[as]: csv
//
// Guaranteed: the text is accepted by ConfigFile::Parse, if it runs at all; each key of pmacct's is in it, as the value
// that it became or in a comment, in the order of the file; a key that nobody knows is named; secrets are not shown.
// The same file gives the same text. Not checked: what needs the machine (devices, addresses, files that are read
// later). Ownership: plain values. Threads: any. Errors: InvalidArgument "FILE:LINE: KEY: what; what to do", the first
// one.

#ifndef FLOWACCT_COLLECTOR_IMPORT_PMACCT_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_PMACCT_IMPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/import/import_context.h"
#include "flowacct/collector/import/rules_import.h"

namespace flowacct::collector {

struct PmacctImportOptions {
  // "nfacctd", "sfacctd", "pmacctd", "uacctd", ...; empty: told by the keys, the file's name or the plugins.
  std::string daemon;
  // Reads the maps that the configuration names; none: a key that names one gets a comment.
  FileReader read_file;
  // Rules that maps become are in files whose paths begin so: "flowacct" makes "flowacct-pre_tag_map.rules". So do
  // those that are named for passwords: "flowacct-sql.password".
  std::string rules_stem = "flowacct";
  PmacctFileOptions file;
};

struct PmacctImport {
  std::string text;
  // To be written where their paths say.
  std::vector<ImportedFile> files;
  // What a person must look at, one line each: "FILE:LINE: KEY: what; what to do".
  std::vector<std::string> attention;
  // False: nothing in it collects anything, and `text` has only comments.
  bool runs = false;
};

// `name` stands for the file in the text and in errors.
absl::StatusOr<PmacctImport> ImportPmacct(absl::string_view text, absl::string_view name,
                                          const PmacctImportOptions& options = {});

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_PMACCT_IMPORT_H_
