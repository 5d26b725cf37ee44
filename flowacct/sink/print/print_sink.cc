#include "flowacct/sink/print/print_sink.h"

#include <cctype>
#include <cstring>
#include <ctime>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/value_spec.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/sink/print/column.h"
#include "flowacct/sink/print/line_writer.h"
#include "flowacct/sink/print/output_file.h"
#include "flowacct/sink/print/table_writer.h"

namespace flowacct::sink {
namespace {

using aggregate::AggregateBatch;
using print::OutputFile;

constexpr absl::string_view kFormatNames[] = {"table", "json", "csv"};
constexpr absl::string_view kNamingNames[] = {"flowacct", "ipfix", "pmacct"};

template <typename T>
absl::StatusOr<T> FromName(absl::string_view what, absl::string_view name, absl::Span<const absl::string_view> names) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (absl::EqualsIgnoreCase(names[i], name)) return static_cast<T>(i);
  }
  const std::vector<std::string> near = base::NearestWords(name, names, 1);
  return absl::InvalidArgumentError(absl::StrCat("no ", what, " is called \"", name, "\"; ",
                                                 near.empty()
                                                     ? absl::StrCat("choose one of ", absl::StrJoin(names, ", "))
                                                     : absl::StrCat("did you mean ", near[0], "?")));
}

class PrintSink : public Sink {
 public:
  explicit PrintSink(PrintOptions options) : options_(std::move(options)) {}

  absl::Status Write(const AggregateBatch& batch) override {
    const size_t order = OrderColumn(batch.schema());
    if (order == print::kNoColumn && !options_.order.empty()) {
      std::vector<absl::string_view> names;
      for (const aggregate::ValueColumn& value : batch.schema().values) names.push_back(value.name);
      return absl::InvalidArgumentError(absl::StrCat("cannot order by \"", options_.order,
                                                     "\", which is not summed up; choose one of ",
                                                     absl::StrJoin(names, ", ")));
    }
    if (absl::Status status = OpenFor(batch); !status.ok()) return status;
    const uint64_t size = file_->size();
    absl::Status status = Print(batch, order);
    if (!status.ok()) {
      file_->Rollback(size);
      return status;
    }
    has_batch_ = true;
    if (!options_.live) return status;
    return HasPattern() ? Finish() : file_->Flush();
  }

  absl::Status Close() override {
    if (file_ == nullptr && !HasPattern()) {
      // Nobody wrote a batch; the file that was asked for is there all the same, empty.
      if (absl::Status status = Open(options_.path); !status.ok()) return status;
    }
    return Finish();
  }

 private:
  bool IsStream() const { return options_.path.empty() || options_.path == "-"; }
  bool HasPattern() const { return !IsStream() && options_.path.find('%') != std::string::npos; }

  size_t OrderColumn(const aggregate::Schema& schema) const {
    if (!options_.order.empty()) return print::FindValueColumn(schema, options_.order);
    if (options_.format != PrintFormat::kTable && options_.top == 0) return print::kNoColumn;
    const size_t bytes = print::FindValueColumn(schema, "bytes");
    if (bytes != print::kNoColumn) return bytes;
    for (size_t i = 0; i < schema.values.size(); ++i) {
      if (schema.values[i].function != aggregate::Function::kTop) return i;
    }
    return print::kNoColumn;
  }

  absl::Status Print(const AggregateBatch& batch, size_t order) {
    std::vector<uint32_t> rows;
    const bool as_they_lie = order == print::kNoColumn && options_.top == 0 && options_.format != PrintFormat::kTable;
    if (order != print::kNoColumn) {
      rows = aggregate::TopRows(batch, order, options_.top == 0 ? batch.size() : options_.top);
    } else if (!as_they_lie) {
      // Nothing to order by: the first so many, and the overflow group, which is never cut.
      for (size_t i = 0; i < batch.size(); ++i) {
        const bool fits = options_.top == 0 || rows.size() < options_.top;
        if (fits || batch.is_overflow(i)) rows.push_back(static_cast<uint32_t>(i));
      }
    }
    switch (options_.format) {
      case PrintFormat::kCsv:
        return print::WriteCsv(batch, as_they_lie ? nullptr : &rows, options_, options_.header && file_->size() == 0,
                               file_.get());
      case PrintFormat::kJson:
        return print::WriteJson(batch, as_they_lie ? nullptr : &rows, options_, file_.get());
      case PrintFormat::kTable:
        return print::WriteTable(batch, rows, order, options_, file_->size() == 0, file_.get());
    }
    return absl::OkStatus();
  }

  absl::Status OpenFor(const AggregateBatch& batch) {
    if (!HasPattern()) return file_ != nullptr ? absl::OkStatus() : Open(options_.path);
    absl::StatusOr<std::string> path = PathOf(batch.bin());
    if (!path.ok()) return path.status();
    if (file_ != nullptr && file_->path() == *path) return absl::OkStatus();
    if (absl::Status status = Finish(); !status.ok()) return status;
    return Open(*path);
  }

  absl::Status Open(const std::string& path) {
    has_batch_ = false;
    if (IsStream()) {
      file_ = OutputFile::OfStream(options_.stream != nullptr ? options_.stream : stdout);
      return absl::OkStatus();
    }
    // Bins may come late: what this sink wrote for a name before stays in the file.
    absl::StatusOr<std::unique_ptr<OutputFile>> file =
        options_.live && !HasPattern() ? OutputFile::OpenToAppend(path)
                                       : OutputFile::Open(path, options_.live || finished_.count(path) > 0);
    if (!file.ok()) return file.status();
    file_ = *std::move(file);
    return absl::OkStatus();
  }

  // The file is whole now. A file of a pattern of which nothing could be written is not made.
  absl::Status Finish() {
    if (file_ == nullptr) return absl::OkStatus();
    const std::unique_ptr<OutputFile> file = std::move(file_);
    if (HasPattern() && !has_batch_) return absl::OkStatus();
    absl::Status status = file->Commit();
    if (status.ok() && HasPattern() && !options_.live) finished_.insert(file->path());
    return status;
  }

  absl::StatusOr<std::string> PathOf(const aggregate::TimeBin& bin) const {
    if (bin.start_nanos == 0 && bin.end_nanos == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the output path \"", options_.path,
                       "\" is a pattern of times, but there are no time bins; ask for some (--every 5m), or give a "
                       "path without %"));
    }
    int64_t seconds = bin.start_nanos / 1000000000;
    if (bin.start_nanos % 1000000000 < 0) --seconds;
    const time_t time = static_cast<time_t>(seconds);
    struct tm fields = {};
    if ((options_.local_time ? localtime_r(&time, &fields) : gmtime_r(&time, &fields)) == nullptr) {
      return absl::InvalidArgumentError("a time bin that no calendar has");
    }
    char path[4096];
    const size_t length = std::strftime(path, sizeof(path), options_.path.c_str(), &fields);
    if (length == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the output path \"", options_.path, "\" becomes no name or a name that is too long"));
    }
    return std::string(path, length);
  }

  const PrintOptions options_;
  std::unique_ptr<OutputFile> file_;
  bool has_batch_ = false;
  std::set<std::string> finished_;  // one name a bin
};

}  // namespace

absl::StatusOr<PrintFormat> PrintFormatFromName(absl::string_view name) {
  return FromName<PrintFormat>("format", name, kFormatNames);
}

absl::StatusOr<Naming> NamingFromName(absl::string_view name) { return FromName<Naming>("naming", name, kNamingNames); }

absl::Status CheckPrintOrder(absl::string_view order, const std::vector<std::string>& values) {
  if (order.empty()) return absl::OkStatus();
  auto specs = aggregate::ParseValues(values);
  if (!specs.ok()) return specs.status();
  aggregate::Schema schema{record::Layout({}), {}};
  for (const aggregate::ValueSpec& spec : *specs) schema.values.push_back(spec.column);
  if (print::FindValueColumn(schema, order) != print::kNoColumn) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", order, "\" is not among the values, which are ", absl::StrJoin(values, ", ")));
}

absl::StatusOr<std::unique_ptr<Sink>> NewPrintSink(PrintOptions options) {
  const char separator = options.separator;
  // What stands inside values that are never quoted must not part them.
  const bool in_values = std::isalnum(static_cast<unsigned char>(separator)) != 0 ||
                         (separator != '\0' && std::strchr(".:/+-_ ()\"\r\n", separator) != nullptr);
  if (separator == '\0' || static_cast<unsigned char>(separator) >= 0x7f || in_values) {
    return absl::InvalidArgumentError(absl::StrCat("the separator \"", absl::string_view(&separator, 1),
                                                   "\" occurs in values; choose a comma, semicolon, bar or tab"));
  }
  if (options.path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the output path holds a NUL; choose another path");
  }
  if (options.stream != nullptr && !options.path.empty() && options.path != "-") {
    return absl::InvalidArgumentError("an output stream and an output path are given; give one of them");
  }
  return std::unique_ptr<Sink>(new PrintSink(std::move(options)));
}

}  // namespace flowacct::sink
