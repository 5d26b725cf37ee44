// Names of files from a template: "{pipeline}/{time:%Y/%m/%d/%H}".
//
// Guaranteed: what Render gives are one or more words with '/' between them, none of which begins with a dot or is
// longer than a name may be; a value brings no '/' with it. Threads: any. Errors: InvalidArgument that names the
// template and what to do.

#ifndef FLOWACCT_SINK_FILE_FILE_NAME_H_
#define FLOWACCT_SINK_FILE_FILE_NAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/message/record_encoder.h"

namespace flowacct::sink::file {

class NameTemplate {
 public:
  static absl::StatusOr<NameTemplate> Parse(absl::string_view text);

  // The name of the file that the batch belongs to; the same whenever it is asked.
  absl::StatusOr<std::string> Render(const aggregate::AggregateBatch& batch) const;

 private:
  struct Part {
    std::string literal;  // comes before the value
    std::string time_format;
    std::optional<message::RowText> value;
  };
  std::string text_;
  std::vector<Part> parts_;
};

// Of a batch without bins it is when its run began.
int64_t TimeOf(const aggregate::AggregateBatch& batch);

// "json", "csv" or "pb"; empty: the format is no file's.
absl::string_view FileSuffix(message::RecordFormat format);

// OK if every word of `name` is one that a file or folder may have.
absl::Status CheckName(absl::string_view name);
// NAME.SUFFIX.zst for number 1, NAME.2.SUFFIX.zst for 2.
std::string NumberedName(absl::string_view name, absl::string_view suffix, int number);

// A name as one word, and back: '/' and '%' as %2F and %25.
std::string EscapedName(absl::string_view name);
std::optional<std::string> UnescapedName(absl::string_view word);

}  // namespace flowacct::sink::file

#endif  // FLOWACCT_SINK_FILE_FILE_NAME_H_
