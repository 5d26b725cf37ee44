// Prints accounted traffic: as an aligned table for people, as JSON lines or as CSV (RFC 4180) for programs, to
// standard output or to files that appear whole.
//
// Columns are the key's fields in the order asked, then the value columns. Where the batch has time bins, a table has
// a heading for each, and JSON and CSV have bin_start and bin_end first. docs/reference/output.md has the encodings
// and what differs from pmacct.
// Errors: InvalidArgument for an option that cannot be; else the errno's kind, with the path, its text and what to do.
// A file that could not be written whole is not there at all. Threads: one call at a time.
// Cost: a row of a 5-tuple and three counters is formatted in some 100 ns into one buffer and leaves in large writes.

#ifndef FLOWACCT_SINK_PRINT_PRINT_SINK_H_
#define FLOWACCT_SINK_PRINT_PRINT_SINK_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/sink/sink.h"

namespace flowacct::sink {

enum class PrintFormat : uint8_t { kTable, kJson, kCsv };
enum class Naming : uint8_t { kFlowacct, kIpfix, kPmacct };

// By the words of the command line: "table", "json", "csv"; "flowacct", "ipfix", "pmacct".
absl::StatusOr<PrintFormat> PrintFormatFromName(absl::string_view name);
absl::StatusOr<Naming> NamingFromName(absl::string_view name);

struct PrintOptions {
  PrintFormat format = PrintFormat::kTable;
  Naming naming = Naming::kFlowacct;
  // "" or "-": `stream`. Else a file; with a '%' a strftime(3) pattern of the time bin's start ("%Y%m%d-%H%M"): one
  // file a bin. Without, all batches go to the one file. Either is written beside itself under another name and
  // renamed when it is whole, over what was there.
  std::string path;
  // For a collector, whose batches come for years: each is in its file when Write returns, and what a file holds
  // already, from before a restart too, stays. A file of a pattern is whole at any moment; one without is appended to.
  bool live = false;
  // Where no path is given; null: standard output. Borrowed.
  FILE* stream = nullptr;
  // The bins of a pattern are named in this machine's time zone instead of UTC.
  bool local_time = false;
  // The value column that rows are ordered by, largest first, under any of its names ("bytes"). Empty: a table and a
  // `top` take bytes, or else the first value column; without a `top` JSON and CSV come as they lie.
  std::string order;
  // At most so many rows a batch, the overflow group beside; 0: all.
  size_t top = 0;
  // The header line of CSV and of a table.
  bool header = true;
  // Between the values of CSV; one character, no quote and no line end.
  char separator = ',';
  // A table's numbers: 1,234,567 or 1.23M.
  bool human_units = false;
};

// Whether `order` (as PrintOptions::order) is among the values of an aggregation, as a person wrote them ("bytes",
// "max(ttl)"): for those who want to tell before the first batch comes.
absl::Status CheckPrintOrder(absl::string_view order, const std::vector<std::string>& values);

absl::StatusOr<std::unique_ptr<Sink>> NewPrintSink(PrintOptions options);

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_PRINT_PRINT_SINK_H_
