#include "flowacct/collector/admin/request_target.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

absl::Status Wrong(absl::string_view name, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", text));
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// `what` stands for the text in errors.
absl::StatusOr<std::string> Unescape(absl::string_view text, bool plus_is_blank, absl::string_view what) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_blank) {
      c = ' ';
    } else if (c == '%') {
      const int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return Wrong(what, "a % is not followed by two hexadecimal digits; write %25 for itself");
      c = static_cast<char>(high << 4 | low);
      i += 2;
    }
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return Wrong(what, "control characters make no sense here");
    out.push_back(c);
  }
  std::string utf8;
  record::AppendUtf8(out, &utf8);
  if (utf8 != out) return Wrong(what, "is no UTF-8");
  return out;
}

}  // namespace

absl::StatusOr<RequestTarget> RequestTarget::Parse(absl::string_view text) {
  if (text.size() > kMaxOctets) {
    return absl::InvalidArgumentError(
        absl::StrCat("the request's target has ", text.size(), " octets; ", kMaxOctets, " are allowed"));
  }
  if (text.empty() || text[0] != '/') return absl::InvalidArgumentError("the request's target begins with no /");
  RequestTarget target;
  const size_t question = text.find('?');
  absl::StatusOr<std::string> path = Unescape(text.substr(0, question), /*plus_is_blank=*/false, "path");
  if (!path.ok()) return path.status();
  target.path = *std::move(path);
  if (question == absl::string_view::npos) return target;
  for (absl::string_view pair : absl::StrSplit(text.substr(question + 1), '&', absl::SkipEmpty())) {
    if (target.parameters.size() == kMaxParameters) {
      return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxParameters, " parameters"));
    }
    const size_t equals = pair.find('=');
    absl::StatusOr<std::string> name = Unescape(pair.substr(0, equals), true, "the name of a parameter");
    if (!name.ok()) return name.status();
    if (name->empty()) return absl::InvalidArgumentError("a parameter has no name; write NAME=VALUE");
    absl::StatusOr<std::string> value =
        Unescape(equals == absl::string_view::npos ? "" : pair.substr(equals + 1), true, *name);
    if (!value.ok()) return value.status();
    if (target.Find(*name) != nullptr) return Wrong(*name, "is given twice; give it once");
    target.parameters.emplace_back(*std::move(name), *std::move(value));
  }
  return target;
}

const std::string* RequestTarget::Find(absl::string_view name) const {
  for (const auto& parameter : parameters) {
    if (parameter.first == name) return &parameter.second;
  }
  return nullptr;
}

absl::Status RequestTarget::CheckNames(absl::Span<const absl::string_view> known) const {
  for (const auto& [name, value] : parameters) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::vector<std::string> near = base::NearestWords(name, known);
    return absl::InvalidArgumentError(
        absl::StrCat("no parameter of ", path, " is called \"", name, "\"; ",
                     !near.empty()   ? absl::StrCat("did you mean ", absl::StrJoin(near, " or "), "?")
                     : known.empty() ? std::string("it takes none")
                                     : absl::StrCat("known are ", absl::StrJoin(known, ", "))));
  }
  return absl::OkStatus();
}

absl::Status RequestTarget::Get(absl::string_view name, std::string* value) const {
  if (const std::string* text = Find(name); text != nullptr) *value = *text;
  return absl::OkStatus();
}

absl::Status RequestTarget::Get(absl::string_view name, bool* value) const {
  const std::string* const text = Find(name);
  if (text == nullptr) return absl::OkStatus();
  if (*text == "1" || *text == "true") {
    *value = true;
  } else if (*text == "0" || *text == "false") {
    *value = false;
  } else {
    return Wrong(name, absl::StrCat("\"", *text, "\" is neither true nor false; write 1 or 0"));
  }
  return absl::OkStatus();
}

absl::Status RequestTarget::Get(absl::string_view name, size_t* value) const {
  const std::string* const text = Find(name);
  // SimpleAtoi takes blanks and signs, too.
  if (text == nullptr) return absl::OkStatus();
  if (text->empty() || !absl::c_all_of(*text, absl::ascii_isdigit) || !absl::SimpleAtoi(*text, value)) {
    return Wrong(name, absl::StrCat("\"", *text, "\" is no whole number; such as 20"));
  }
  return absl::OkStatus();
}

absl::StatusOr<MemoryQuestion> ParseQuestion(const RequestTarget& target) {
  static constexpr absl::string_view kNames[] = {"pipeline", "by", "where", "order", "top", "since", "reset"};
  if (absl::Status status = target.CheckNames(kNames); !status.ok()) return status;
  MemoryQuestion question;
  std::string since;
  for (const absl::Status& status :
       {target.Get("pipeline", &question.pipeline), target.Get("by", &question.by),
        target.Get("where", &question.where), target.Get("order", &question.order), target.Get("top", &question.top),
        target.Get("since", &since), target.Get("reset", &question.reset)}) {
    if (!status.ok()) return status;
  }
  if (question.pipeline.empty()) return absl::InvalidArgumentError("pipeline: which one? give pipeline=NAME");
  if (!since.empty()) {
    const absl::StatusOr<absl::Duration> duration = config::ParseDuration(since);
    if (!duration.ok()) return Wrong("since", duration.status().message());
    question.since = *duration;
  }
  return question;
}

}  // namespace flowacct::collector
