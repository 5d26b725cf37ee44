#include "flowacct/sink/file/file_name.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

namespace flowacct::sink::file {
namespace {

using aggregate::AggregateBatch;

// A name has at most 255 octets (NAME_MAX), also as one word and with ".NUMBER.json.zst.damaged" behind it.
constexpr size_t kMaxName = 200;
// So that a hostile name of a pipeline leaves room for the time.
constexpr size_t kMaxValue = 64;

absl::Status Wrong(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("file name \"", text, "\": ", why));
}

// Letters, digits, '.', '-' and '_' stay; a dot in front would hide the file, or be a folder above.
void AppendFit(absl::string_view value, std::string* out) {
  const size_t begin = out->size();
  for (const char c : value.substr(0, kMaxValue)) {
    const bool fits = absl::ascii_isalnum(c) || c == '-' || c == '_' || (c == '.' && out->size() > begin);
    out->push_back(fits ? c : '_');
  }
  if (value.empty()) out->push_back('_');
}

}  // namespace

int64_t TimeOf(const AggregateBatch& batch) {
  const aggregate::TimeBin bin = batch.bin();
  return bin.start_nanos != 0 || bin.end_nanos != 0 ? bin.start_nanos : static_cast<int64_t>(batch.identity().run);
}

absl::StatusOr<NameTemplate> NameTemplate::Parse(absl::string_view text) {
  NameTemplate name;
  name.text_ = std::string(text);
  Part part;
  const aggregate::Schema no_fields{record::Layout(absl::Span<const record::FieldId>()), {}};
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if ((c == '{' || c == '}') && at + 1 < text.size() && text[at + 1] == c) {
      part.literal.push_back(c);
      ++at;
    } else if (c != '{') {
      part.literal.push_back(c);
    } else {
      const size_t end = text.find('}', at);
      if (end == absl::string_view::npos) return Wrong(text, "a { is not closed by }; a brace itself is {{");
      const absl::string_view inside = text.substr(at + 1, end - at - 1);
      at = end;
      if (absl::StartsWith(inside, "time:")) {
        part.time_format = std::string(inside.substr(5));
        if (part.time_format.empty())
          return Wrong(text, "{time:} tells no format; take for example {time:%Y/%m/%d/%H}");
      } else {
        absl::StatusOr<message::RowText> value = message::RowText::Parse(absl::StrCat("{", inside, "}"), no_fields);
        if (!value.ok()) {
          return Wrong(text, absl::StrCat("a file name knows {time:%Y/%m/%d/%H}, {collector}, {pipeline}, {bin_start} "
                                          "and {bin_end}, but no {",
                                          inside, "}"));
        }
        part.value = *std::move(value);
      }
      name.parts_.push_back(std::move(part));
      part = Part();
    }
  }
  name.parts_.push_back(std::move(part));
  // Whatever a batch brings with it, a name comes out: tried with the shortest values and a long one.
  const auto schema =
      std::make_shared<aggregate::Schema>(aggregate::Schema{record::Layout(absl::Span<const record::FieldId>()), {}});
  static const base::Interner kNoTexts;
  AggregateBatch batch(schema, &kNoTexts, aggregate::TimeBin{}, AggregateBatch::Rows{});
  for (const size_t size : {size_t{0}, kMaxValue}) {
    batch.set_identity({std::string(size, 'c'), std::string(size, 'p'), 0, 0});
    if (absl::StatusOr<std::string> rendered = name.Render(batch); !rendered.ok()) return rendered.status();
  }
  return name;
}

absl::StatusOr<std::string> NameTemplate::Render(const AggregateBatch& batch) const {
  std::string name, value;
  for (const Part& part : parts_) {
    name += part.literal;
    if (!part.time_format.empty()) {
      name += absl::FormatTime(part.time_format, absl::FromUnixNanos(TimeOf(batch)), absl::UTCTimeZone());
    }
    if (part.value.has_value()) {
      value.clear();
      part.value->Append(batch, 0, &value);
      AppendFit(value, &name);
    }
  }
  if (absl::Status status = CheckName(name); !status.ok()) return Wrong(text_, status.message());
  return name;
}

absl::string_view FileSuffix(message::RecordFormat format) {
  switch (format) {
    case message::RecordFormat::kJson:
      return "json";
    case message::RecordFormat::kCsv:
      return "csv";
    case message::RecordFormat::kProtobuf:
      return "pb";
    case message::RecordFormat::kAvro:
      return "";
  }
  return "";
}

absl::Status CheckName(absl::string_view name) {
  for (const absl::string_view word : absl::StrSplit(name, '/')) {
    if (word.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is not below the folder, or has an empty part"));
    }
    if (word[0] == '.')
      return absl::InvalidArgumentError(absl::StrCat("no part of \"", name, "\" may begin with a dot"));
  }
  if (absl::StrContains(name, '\0')) return absl::InvalidArgumentError("a name has no NUL");
  if (EscapedName(name).size() > kMaxName) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name, "\" is longer than a name may be; choose a shorter one"));
  }
  return absl::OkStatus();
}

std::string NumberedName(absl::string_view name, absl::string_view suffix, int number) {
  return number == 1 ? absl::StrCat(name, ".", suffix, ".zst") : absl::StrCat(name, ".", number, ".", suffix, ".zst");
}

std::string EscapedName(absl::string_view name) { return absl::StrReplaceAll(name, {{"%", "%25"}, {"/", "%2F"}}); }

std::optional<std::string> UnescapedName(absl::string_view word) {
  std::string name = absl::StrReplaceAll(word, {{"%2F", "/"}, {"%25", "%"}});
  if (EscapedName(name) != word) return std::nullopt;
  return name;
}

}  // namespace flowacct::sink::file
