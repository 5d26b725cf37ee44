#include "flowacct/collector/admin/question_json.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

struct Member {
  absl::string_view name;
  std::string WrittenQuestion::*value;
};
constexpr Member kMembers[] = {{"question", &WrittenQuestion::question},
                               {"saved", &WrittenQuestion::saved},
                               {"store", &WrittenQuestion::store},
                               {"format", &WrittenQuestion::format}};

absl::string_view View(const rapidjson::Value& json) { return {json.GetString(), json.GetStringLength()}; }

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("body: ", what, "; such as {\"question\":\"top 10 dst_as by bytes from -1h\"}"));
}

}  // namespace

absl::StatusOr<WrittenQuestion> WrittenQuestionFromJson(absl::string_view json) {
  rapidjson::Document document;
  // Nesting costs no stack.
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
  if (document.HasParseError()) {
    return Wrong(absl::StrCat("no JSON at octet ", document.GetErrorOffset() + 1));
  }
  if (!document.IsObject()) return Wrong("an object is needed");
  WrittenQuestion question;
  for (const auto& given : document.GetObject()) {
    const absl::string_view name = View(given.name);
    const auto* const member = std::find_if(std::begin(kMembers), std::end(kMembers),
                                            [name](const Member& known) { return known.name == name; });
    if (member == std::end(kMembers)) {
      std::string shown;
      record::AppendPrintable(name.substr(0, 40), &shown);
      std::vector<absl::string_view> names;
      for (const Member& known : kMembers) names.push_back(known.name);
      const std::vector<std::string> near = base::NearestWords(shown, names, 1);
      return Wrong(absl::StrCat("\"", shown, "\" is not known",
                                near.empty() ? "" : absl::StrCat("; did you mean ", near[0], "?")));
    }
    if (!given.value.IsString()) return Wrong(absl::StrCat(member->name, " is a text"));
    question.*member->value = std::string(View(given.value));
  }
  if (question.question.empty() == question.saved.empty()) return Wrong("give question or saved, one of them");
  return question;
}

std::string WrittenQuestionAsJson(const WrittenQuestion& question) {
  std::string json = "{";
  for (const Member& member : kMembers) {
    const std::string& value = question.*member.value;
    if (value.empty()) continue;
    absl::StrAppend(&json, json.size() > 1 ? "," : "", "\"", member.name, "\":");
    record::AppendJsonString(value, &json);
  }
  return json + "}";
}

std::string QuestionsAsJson(const std::vector<SavedQuestion>& questions) {
  std::string json = "{\"questions\":[";
  for (const SavedQuestion& question : questions) {
    absl::StrAppend(&json, &question == questions.data() ? "" : ",", "{\"name\":");
    record::AppendJsonString(question.name, &json);
    absl::StrAppend(&json, ",\"ask\":");
    record::AppendJsonString(question.ask, &json);
    absl::StrAppend(&json, "}");
  }
  return json + "]}\n";
}

}  // namespace flowacct::collector
