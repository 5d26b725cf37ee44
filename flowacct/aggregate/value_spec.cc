#include "flowacct/aggregate/value_spec.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/near_miss.h"

namespace flowacct::aggregate {
namespace {

using record::FieldId;
using record::FieldInfo;
using record::FieldType;

constexpr uint32_t kTopUnlessTold = 3;

absl::Status Wrong(absl::string_view item, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("value \"", item, "\": ", why));
}

// Whether less and more mean something.
bool IsOrdered(FieldType type) {
  return type == FieldType::kU8 || type == FieldType::kU16 || type == FieldType::kU32 || type == FieldType::kU64 ||
         type == FieldType::kTime;
}

struct Word {
  absl::string_view name;
  Function function;
};
constexpr Word kWords[] = {
    {"sum", Function::kSum},           {"min", Function::kMin}, {"max", Function::kMax},
    {"distinct", Function::kDistinct}, {"top", Function::kTop},
};

}  // namespace

absl::StatusOr<ValueSpec> ParseValue(absl::string_view item) {
  item = absl::StripAsciiWhitespace(item);
  if (item.empty()) return absl::InvalidArgumentError("an empty value: name a counter, for example bytes");
  absl::string_view name = item;
  ValueSpec spec;
  std::string prefix;
  if (const size_t open = item.find('('); open != absl::string_view::npos) {
    if (item.back() != ')') return Wrong(item, "the parenthesis does not close at its end");
    name = absl::StripAsciiWhitespace(item.substr(open + 1, item.size() - open - 2));
    const std::string word = absl::AsciiStrToLower(absl::StripAsciiWhitespace(item.substr(0, open)));
    const size_t digits = std::min(word.find_first_of("0123456789"), word.size());
    const absl::string_view letters = absl::string_view(word).substr(0, digits);
    const auto* found =
        std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& w) { return w.name == letters; });
    if (found == std::end(kWords)) {
      std::vector<absl::string_view> words;
      for (const Word& w : kWords) words.push_back(w.name);
      const std::vector<std::string> near = base::NearestWords(letters, words, 1);
      return Wrong(item, absl::StrCat("no function is called \"", letters, "\"; ",
                                      near.empty() ? "there are sum, min, max, distinct and top"
                                                   : absl::StrCat("did you mean ", near[0], "?")));
    }
    spec.column.function = found->function;
    if (digits < word.size() &&
        (found->function != Function::kTop || !absl::SimpleAtoi(word.substr(digits), &spec.top) || spec.top == 0 ||
         spec.top > kMaxTop)) {
      return Wrong(item, absl::StrCat("only top takes a number, from 1 to ", kMaxTop, ", as in top5(dst_port)"));
    }
    prefix = word;
    if (found->function == Function::kTop && spec.top == 0) spec.top = kTopUnlessTold;
  }
  const absl::StatusOr<FieldId> field = record::FieldFromName(name);
  if (!field.ok()) return Wrong(item, field.status().message());
  const FieldInfo& info = record::Info(*field);
  spec.column.field = *field;
  if (spec.column.function == Function::kSum) {
    if (info.kind != record::FieldKind::kCounter) {
      return Wrong(item, absl::StrCat(info.name, " is no counter, so its sum means nothing; ",
                                      IsOrdered(info.type) ? absl::StrCat("max(", info.name, "), ") : "", "distinct(",
                                      info.name, ") or top(", info.name, ") can be asked, or make it a key"));
    }
    prefix.clear();
  }
  if ((spec.column.function == Function::kMin || spec.column.function == Function::kMax) && !IsOrdered(info.type)) {
    return Wrong(item, absl::StrCat(info.name, " is neither a number nor a time; distinct(", info.name, ") or top(",
                                    info.name, ") can be asked"));
  }
  spec.column.name = prefix.empty() ? std::string(info.name) : absl::StrCat(prefix, "(", info.name, ")");
  return spec;
}

absl::StatusOr<std::vector<ValueSpec>> ParseValues(absl::Span<const std::string> items) {
  std::vector<ValueSpec> specs;
  for (const std::string& item : items) {
    absl::StatusOr<ValueSpec> spec = ParseValue(item);
    if (!spec.ok()) return spec.status();
    if (std::any_of(specs.begin(), specs.end(),
                    [&](const ValueSpec& other) { return other.column.name == spec->column.name; })) {
      continue;
    }
    specs.push_back(*std::move(spec));
  }
  if (specs.size() > kMaxValues) {
    return absl::InvalidArgumentError(
        absl::StrCat(specs.size(), " values are asked; the most are ", kMaxValues, ": ask in two aggregations"));
  }
  return specs;
}

}  // namespace flowacct::aggregate
