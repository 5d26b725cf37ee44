#include "flowacct/collector/server/validation_query.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/record/value_text.h"
#include "flowacct/rpki/vrp_table.h"

namespace flowacct::collector {
namespace {

std::string Quoted(absl::string_view text) {
  std::string quoted;
  record::AppendJsonString(text, &quoted);
  return quoted;
}

std::string TimeOrNull(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return "null";
  return Quoted(absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()));
}

std::string TextOrNull(const std::string& text) { return text.empty() ? "null" : Quoted(text); }

std::string SourcesAsJson(const RpkiStatus& status) {
  std::string json = absl::StrCat(
      "{\"validates\":", status.validates ? "true" : "false", ",\"vrps\":", status.vrps, ",\"tables\":", status.tables,
      ",\"octets\":", status.octets,
      ",\"columns\":[\"source\",\"state\",\"version\",\"session\",\"serial\",\"vrps\",\"updates\",\"failures\","
      "\"malformed\",\"expired\",\"updated\",\"expires\",\"last_error\"],\"rows\":[");
  absl::string_view comma;
  for (const RpkiCacheStatus& cache : status.caches) {
    const bool session = cache.updated != absl::InfinitePast();
    absl::StrAppend(&json, comma, "[", Quoted(cache.cache), ",", Quoted(cache.state), ",", cache.version, ",");
    absl::StrAppend(&json, session ? absl::StrCat(cache.session, ",", cache.serial) : "null,null", ",", cache.vrps, ",",
                    cache.updates, ",", cache.failures, ",null,null,");
    absl::StrAppend(&json, TimeOrNull(cache.updated), ",", TimeOrNull(cache.expires), ",", TextOrNull(cache.last_error),
                    "]");
    comma = ",";
  }
  for (const RpkiFileStatus& file : status.files) {
    const char* const state = file.last_error.empty() ? "read" : file.reads > 0 ? "kept" : "failed";
    absl::StrAppend(&json, comma, "[", Quoted(file.file), ",\"", state, "\",null,null,null,", file.vrps, ",",
                    file.reads, ",", file.failures, ",", file.malformed, ",");
    absl::StrAppend(&json, file.expired, ",", TimeOrNull(file.updated), ",null,", TextOrNull(file.last_error), "]");
    comma = ",";
  }
  json += "]}\n";
  return json;
}

}  // namespace

absl::StatusOr<std::string> AnswerFromVrps(const RpkiQuestion& question, Validator& validator) {
  if (question.prefix.empty()) return SourcesAsJson(validator.Status());
  const auto prefix = base::IpPrefix::Parse(question.prefix);
  if (!prefix) {
    return absl::InvalidArgumentError(
        absl::StrCat("prefix: \"", question.prefix, "\" is no prefix; such as 192.0.2.0/24 or 2001:db8::/32"));
  }
  uint32_t as = 0;
  const absl::string_view digits =
      absl::StartsWithIgnoreCase(question.as, "AS") ? absl::string_view(question.as).substr(2) : question.as;
  if (!absl::SimpleAtoi(digits, &as)) {
    return absl::InvalidArgumentError(
        absl::StrCat("as: \"", question.as, "\" is no AS number; such as 64500, or 0 for a path that ends in a set"));
  }
  const std::shared_ptr<const rpki::VrpTable> table = validator.published()->Get();
  if (table == nullptr) {
    return absl::UnavailableError("there are no VRPs: neither a cache nor a file has told any that still hold");
  }
  const rpki::RovState state = table->Validate(*prefix, as);
  std::string json = absl::StrCat("{\"state\":\"", rpki::RovStateName(state), "\",",
                                  "\"columns\":[\"state\",\"vrp\",\"max_length\",\"as\",\"matches\"],\"rows\":[");
  absl::string_view comma;
  for (const rpki::Vrp& vrp : table->Covering(*prefix)) {
    const bool long_enough = prefix->length() <= vrp.max_length;
    const bool same_as = vrp.as == as && as != 0;
    const char* const matches = same_as && long_enough ? "yes"
                                : same_as              ? "no: max_length"
                                : long_enough          ? "no: as"
                                                       : "no: as, max_length";
    absl::StrAppend(&json, comma, "[\"", rpki::RovStateName(state), "\",", Quoted(vrp.prefix.ToString()), ",",
                    int{vrp.max_length}, ",");
    absl::StrAppend(&json, vrp.as, ",\"", matches, "\"]");
    comma = ",";
  }
  if (comma.empty()) absl::StrAppend(&json, "[\"", rpki::RovStateName(state), "\",null,null,null,null]");
  json += "]}\n";
  return json;
}

}  // namespace flowacct::collector
