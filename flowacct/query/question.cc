#include "flowacct/query/question.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/aggregate/value_spec.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/query/time_zone.h"
#include "flowacct/record/value_text.h"

namespace flowacct::query {
namespace {

using Unit = Span::Unit;

struct UnitName {
  absl::string_view name;
  Unit unit;
};
constexpr UnitName kUnits[] = {{"s", Unit::kSecond}, {"m", Unit::kMinute}, {"h", Unit::kHour}, {"d", Unit::kDay},
                               {"w", Unit::kWeek},   {"mo", Unit::kMonth}, {"y", Unit::kYear}};
// Some thousand years of the longest unit stay far from the ends of absl::Time's civil years.
constexpr int64_t kMaxCount = 100000;
constexpr int64_t kMaxSeconds = int64_t{100} * 366 * 86400;

struct RateName {
  absl::string_view name;
  absl::string_view column;
  record::FieldId field;
  uint32_t factor;
};
constexpr RateName kRates[] = {{"bps", "bytes", record::FieldId::kBytes, 8},
                               {"pps", "packets", record::FieldId::kPackets, 1},
                               {"fps", "flows", record::FieldId::kFlows, 1}};

// What a clause begins with. `in` is no end of a filter, which has that word itself.
constexpr absl::string_view kKeywords[] = {"by",    "where", "from", "to",  "every", "compare", "order",
                                           "total", "table", "with", "top", "in",    "asc",     "desc"};
constexpr absl::string_view kFilterEnds[] = {"from",  "to",    "every", "compare", "order",
                                             "total", "table", "with",  "top"};

template <typename Words>
bool IsOneOf(absl::string_view word, const Words& words) {
  return std::any_of(std::begin(words), std::end(words), [&](absl::string_view w) { return w == word; });
}

std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  record::AppendPrintable(text.substr(0, 80), &quoted);
  return quoted + "\"";
}

std::string DidYouMean(absl::string_view word, absl::Span<const absl::string_view> words) {
  if (word.size() > 40) return "";
  const std::vector<std::string> near = base::NearestWords(absl::AsciiStrToLower(word), words, 1);
  return near.empty() ? "" : absl::StrCat("; did you mean ", near[0], "?");
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

// "24h"; no sign.
bool ParseSpan(absl::string_view text, Span* span) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || !absl::SimpleAtoi(text.substr(0, digits), &span->count) || span->count <= 0) return false;
  const std::string name = absl::AsciiStrToLower(text.substr(digits));
  const auto* unit =
      std::find_if(std::begin(kUnits), std::end(kUnits), [&](const UnitName& u) { return u.name == name; });
  if (unit == std::end(kUnits)) return false;
  span->unit = unit->unit;
  return span->is_calendar() ? span->count <= kMaxCount : span->count <= kMaxSeconds && span->seconds() <= kMaxSeconds;
}

constexpr char kSpanHelp[] = "a span is a number and s, m, h, d, w, mo or y, as in 5m or 7d";

struct Word {
  std::string text;
  size_t begin = 0, end = 0;
  bool quoted = false;
  std::string lower() const { return quoted ? std::string() : absl::AsciiStrToLower(text); }
};

// Reads words; a comma is one.
class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  bool AtEnd() { return SkipBlanks() >= text_.size(); }
  size_t column() { return SkipBlanks() + 1; }
  Word Next() {
    const Word word = Peek();
    at_ = word.end;
    return word;
  }
  // Empty at the end.
  Word Peek() {
    Word word;
    size_t at = word.begin = SkipBlanks();
    if (at < text_.size() && text_[at] == ',') {
      word.text = ",";
      ++at;
    } else if (at < text_.size() && (text_[at] == '"' || text_[at] == '\'')) {
      word.quoted = true;
      const char quote = text_[at];
      for (++at; at < text_.size() && text_[at] != quote; ++at) word.text += text_[at];
      if (at < text_.size()) ++at;
    } else {
      while (at < text_.size() && text_[at] != ',' && !absl::ascii_isspace(text_[at])) word.text += text_[at++];
    }
    word.end = at;
    return word;
  }
  // The text of a filter, up to a word that ends it; trimmed.
  absl::string_view Filter(size_t* column) {
    const size_t begin = SkipBlanks();
    *column = begin + 1;
    size_t depth = 0;
    bool word_may_begin = true;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        for (++at_; at_ < text_.size() && text_[at_] != c; ++at_) {
          if (text_[at_] == '\\') ++at_;
        }
      } else if (c == '(') {
        ++depth;
      } else if (c == ')') {
        depth -= depth > 0 ? 1 : 0;
      } else if (word_may_begin && depth == 0 && absl::ascii_isalpha(c)) {
        if (IsOneOf(Peek().lower(), kFilterEnds)) break;
      }
      word_may_begin = absl::ascii_isspace(c);
      ++at_;
    }
    at_ = std::min(at_, text_.size());
    return absl::StripTrailingAsciiWhitespace(text_.substr(begin, at_ - begin));
  }

 private:
  size_t SkipBlanks() {
    while (at_ < text_.size() && absl::ascii_isspace(text_[at_])) ++at_;
    return at_;
  }
  absl::string_view text_;
  size_t at_ = 0;
};

class Parser {
 public:
  Parser(absl::string_view text, const QuestionOptions& options) : reader_(text), options_(options) {}

  absl::StatusOr<Question> Parse() {
    while (!reader_.AtEnd()) {
      if (absl::Status status = Clause(); !status.ok()) return status;
    }
    if (question_.others && question_.top == 0)
      return Wrong(others_at_, "there are no others where all are shown; say top N");
    if (question_.top != 0 && question_.by.empty()) {
      return Wrong(top_at_, "top is of groups; name a field, as in top 10 dst_as");
    }
    if (!question_.order.empty()) {
      const auto found = std::find_if(question_.values.begin(), question_.values.end(),
                                      [this](const AskedValue& value) { return value.name == question_.order; });
      if (found == question_.values.end()) {
        AskedValue value;
        if (absl::Status status = Value(order_, &value); !status.ok()) return status;
        question_.values.push_back(value);
      }
    }
    return std::move(question_);
  }

 private:
  static absl::Status Wrong(size_t at, absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("question, column ", at + 1, ": ", what));
  }
  static absl::Status Wrong(const Word& word, absl::string_view what) { return Wrong(word.begin, what); }

  absl::Status Once(const Word& word) {
    const std::string lower = word.lower();
    if (IsOneOf(lower, seen_)) return Wrong(word, absl::StrCat(lower, " is said twice; leave one out"));
    seen_.push_back(lower);
    return absl::OkStatus();
  }

  // What a clause needs after its first word.
  absl::StatusOr<Word> Argument(const Word& of, absl::string_view what) {
    const Word next = reader_.Peek();
    if (next.text.empty() && !next.quoted) {
      return Wrong(next, absl::StrCat("after ", of.lower(), " comes ", what));
    }
    return reader_.Next();
  }

  absl::Status Clause() {
    const Word word = reader_.Peek();
    const std::string lower = word.lower();
    if (!IsOneOf(lower, kKeywords)) {
      if (groups_seen_ || IsOneOf("by", seen_)) {
        return Wrong(
            word, absl::StrCat("nothing begins with ", Quoted(word.text), " here", DidYouMean(word.text, kKeywords)));
      }
      groups_seen_ = true;
      return Groups();
    }
    reader_.Next();
    if (lower == "asc" || lower == "desc") return Direction(word);
    if (absl::Status status = Once(word); !status.ok()) return status;
    if (lower == "total") {
      question_.total = true;
      return absl::OkStatus();
    }
    if (lower == "by") return Values();
    if (lower == "where") return Where();
    const auto argument = Argument(word, WhatComesAfter(lower));
    if (!argument.ok()) return argument.status();
    if (lower == "top") return Top(word, *argument);
    if (lower == "with") {
      if (argument->lower() != "others") {
        return Wrong(*argument, absl::StrCat("after with comes others, not ", Quoted(argument->text)));
      }
      question_.others = true;
      others_at_ = word.begin;
      return absl::OkStatus();
    }
    if (lower == "from") return Time(*argument, &question_.from);
    if (lower == "to") return Time(*argument, &question_.to);
    if (lower == "in") return Zone(*argument);
    if (lower == "every") return Every(*argument, false, &question_.every);
    if (lower == "compare") return Every(*argument, true, &question_.compare);
    if (lower == "order") {
      order_ = *argument;
      AskedValue value;
      if (absl::Status status = Value(order_, &value); !status.ok()) return status;
      question_.order = value.name;
      return absl::OkStatus();
    }
    question_.table = argument->text;
    if (question_.table.empty()) return Wrong(*argument, "the name of a table is empty");
    return absl::OkStatus();
  }

  static absl::string_view WhatComesAfter(absl::string_view keyword) {
    if (keyword == "top") return "how many, as in top 10";
    if (keyword == "with") return "others";
    if (keyword == "from" || keyword == "to") return "a time, as in -24h, today or 2026-03-29T12:00";
    if (keyword == "in") return "a time zone, as in Europe/Berlin";
    if (keyword == "every") return "a span, as in 5m or 1d";
    if (keyword == "compare") return "how long before, as in -7d";
    return keyword == "order" ? "a value, as in bytes" : "the name of a table";
  }

  absl::Status Direction(const Word& word) {
    if (direction_seen_) return Wrong(word, "asc or desc is said twice; leave one out");
    direction_seen_ = true;
    question_.ascending = word.lower() == "asc";
    return absl::OkStatus();
  }

  absl::Status Top(const Word& word, const Word& number) {
    top_at_ = word.begin;
    if (number.quoted || !IsDigits(number.text) || !absl::SimpleAtoi(number.text, &question_.top) ||
        question_.top == 0 || question_.top > options_.max_top) {
      return Wrong(
          number, absl::StrCat("after top comes a number from 1 to ", options_.max_top, ", not ", Quoted(number.text)));
    }
    return absl::OkStatus();
  }

  absl::Status Groups() {
    while (true) {
      Word item = reader_.Next();
      if (item.text.empty() || item.text == ",") return Wrong(item, "here comes a field to group by, as in dst_as");
      // A bare number after a comma belongs to the mask before it.
      Reader ahead = reader_;
      if (absl::StrContains(item.text, '/') && ahead.Next().text == "," && IsDigits(ahead.Peek().text)) {
        absl::StrAppend(&item.text, ",", ahead.Next().text);
        reader_ = ahead;
      }
      if (absl::Status status = Group(item); !status.ok()) return status;
      if (reader_.Peek().text != ",") return absl::OkStatus();
      reader_.Next();
    }
  }

  absl::Status Group(const Word& item) {
    const absl::string_view name = absl::string_view(item.text).substr(0, item.text.find('/'));
    const auto field = options_.names == nullptr ? record::FieldFromName(name) : options_.names->FromName(name);
    if (!field.ok()) {
      const std::string keyword = DidYouMean(name, kKeywords);
      return Wrong(item, keyword.empty() ? std::string(field.status().message())
                                         : absl::StrCat("no field is called ", Quoted(name), keyword));
    }
    if (record::Info(*field).kind == record::FieldKind::kCounter) {
      return Wrong(item, absl::StrCat(record::Info(*field).name, " is a counter, not a group; say by ",
                                      record::Info(*field).name));
    }
    GroupColumn column{*field, -1, -1};
    if (absl::StrContains(item.text, '/')) {
      const auto spec = aggregate::ParseKey(Canonical(item.text));
      if (!spec.ok()) {
        absl::string_view message = spec.status().message();
        absl::ConsumePrefix(&message, absl::StrCat("key \"", item.text, "\": "));
        return Wrong(item, message);
      }
      column.v4_length = spec->v4_length;
      column.v6_length = spec->v6_length;
    }
    for (const GroupColumn& other : question_.by) {
      if (ToText(other) == ToText(column)) return Wrong(item, absl::StrCat(ToText(column), " is a group already"));
    }
    // A name of the registry, or an alias of it, is shown as the registry has it.
    const bool is_own = record::FindField(name) != *field;
    question_.by_names.push_back(is_own ? ToText(column, absl::AsciiStrToLower(name)) : ToText(column));
    question_.by.push_back(column);
    return absl::OkStatus();
  }

  absl::Status Values() {
    while (true) {
      const Word item = reader_.Next();
      if (item.text.empty() || item.text == ",") return Wrong(item, "here comes a value, as in bytes, bps or p95(bps)");
      AskedValue value;
      if (absl::Status status = Value(item, &value); !status.ok()) return status;
      if (question_.values.size() >= aggregate::kMaxValues) return Wrong(item, "too many values; ask in two questions");
      if (std::none_of(question_.values.begin(), question_.values.end(),
                       [&](const AskedValue& other) { return other.name == value.name; })) {
        question_.values.push_back(std::move(value));
      }
      if (reader_.Peek().text != ",") return absl::OkStatus();
      reader_.Next();
    }
  }

  static const RateName* FindRate(absl::string_view name) {
    const auto* rate =
        std::find_if(std::begin(kRates), std::end(kRates), [&](const RateName& r) { return r.name == name; });
    return rate == std::end(kRates) ? nullptr : rate;
  }

  static void SetRate(const RateName& rate, AskedValue* value) {
    value->column = std::string(rate.column);
    value->field = rate.field;
    value->factor = rate.factor;
  }

  std::string Canonical(absl::string_view text) const {
    return options_.names == nullptr ? std::string(text) : options_.names->Canonical(text);
  }

  absl::Status Value(const Word& item, AskedValue* value) {
    const std::string lower = item.lower();
    if (const RateName* rate = FindRate(lower); rate != nullptr) {
      *value = {};
      value->kind = AskedValue::Kind::kRate;
      value->name = std::string(rate->name);
      SetRate(*rate, value);
      return absl::OkStatus();
    }
    const size_t open = lower.find('(');
    const bool closes = open != std::string::npos && lower.back() == ')';
    const std::string inner = closes ? lower.substr(open + 1, lower.size() - open - 2) : std::string();
    if (closes && lower[0] == 'p' && open > 1 && absl::ascii_isdigit(lower[1])) {
      double percent = 0;
      const absl::string_view digits = absl::string_view(lower).substr(1, open - 1);
      if (digits.find_first_not_of("0123456789.") != std::string::npos || digits.size() > 8 ||
          !absl::SimpleAtod(digits, &percent) || !(percent > 0) || percent > 100) {
        return Wrong(item, "a percentile is above 0 and at most 100, as in p95(bps)");
      }
      const RateName* rate = FindRate(inner);
      if (rate == nullptr)
        return Wrong(item, absl::StrCat("a percentile is of bps, pps or fps, not of ", Quoted(inner)));
      *value = {};
      value->kind = AskedValue::Kind::kPercentile;
      value->name = absl::StrCat("p", percent, "(", inner, ")");
      value->percentile = percent;
      SetRate(*rate, value);
      return absl::OkStatus();
    }
    const bool share = closes && absl::StartsWith(lower, "share(");
    const std::string asked = share ? inner : item.text;
    const std::string canonical = Canonical(asked);
    const auto spec = aggregate::ParseValue(canonical);
    if (!spec.ok()) {
      const absl::string_view all[] = {"bps", "pps", "fps", "share", "bytes", "packets", "flows"};
      const std::string near = DidYouMean(absl::string_view(lower).substr(0, open), all);
      absl::string_view message = spec.status().message();
      absl::ConsumePrefix(&message, absl::StrCat("value \"", canonical, "\": "));
      return Wrong(item, near.empty() || share ? std::string(message)
                                               : absl::StrCat("no value is called ", Quoted(item.text), near));
    }
    const aggregate::Function function = spec->column.function;
    if (function == aggregate::Function::kDistinct || function == aggregate::Function::kTop) {
      return Wrong(item, absl::StrCat(spec->column.name, " of bins cannot be summed; group by ",
                                      record::Info(spec->column.field).name, " instead"));
    }
    *value = {};
    value->column = value->name = canonical == asked ? spec->column.name : absl::AsciiStrToLower(asked);
    value->field = spec->column.field;
    value->function = function;
    if (share) {
      if (function != aggregate::Function::kSum) return Wrong(item, "a share is of a sum, as in share(bytes)");
      value->kind = AskedValue::Kind::kShare;
      value->name = absl::StrCat("share(", value->column, ")");
    }
    return absl::OkStatus();
  }

  absl::Status Where() {
    size_t column = 0;
    const absl::string_view text = reader_.Filter(&column);
    if (text.empty()) return Wrong(column - 1, "after where comes a condition, as in dst_port 443");
    filter::FilterError error;
    filter::FilterOptions filter_options;
    filter_options.names = options_.names;
    auto filter = filter::Filter::Parse(text, filter_options, &error);
    if (!filter.ok()) return Wrong(column - 1 + std::max<size_t>(error.column, 1) - 1, error.message);
    question_.where = std::string(text);
    question_.filter = *std::move(filter);
    return absl::OkStatus();
  }

  absl::Status Zone(const Word& word) {
    if (!FindTimeZone(word.text, &question_.zone)) {
      return Wrong(word, absl::StrCat("no time zone is called ", Quoted(word.text),
                                      "; names are those of the IANA database, as in Europe/Berlin or UTC"));
    }
    question_.zone_name = word.text;
    return absl::OkStatus();
  }

  absl::Status Every(const Word& word, bool before, std::optional<Span>* span) {
    absl::string_view text = word.text;
    if (before && !absl::ConsumePrefix(&text, "-")) {
      return Wrong(word, "a question is compared with an earlier time, as in compare -7d");
    }
    Span parsed;
    if (!ParseSpan(text, &parsed)) return Wrong(word, absl::StrCat(Quoted(word.text), " is no span; ", kSpanHelp));
    *span = parsed;
    return absl::OkStatus();
  }

  absl::Status Time(const Word& word, std::optional<Moment>* moment) {
    Moment parsed;
    std::string text = absl::AsciiStrToUpper(word.text);
    absl::string_view rest = text;
    if (absl::ConsumePrefix(&rest, "NOW")) {
      parsed.kind = Moment::Kind::kNow;
    } else if (absl::ConsumePrefix(&rest, "TODAY")) {
      parsed.kind = Moment::Kind::kToday;
    } else if (absl::ConsumePrefix(&rest, "YESTERDAY")) {
      parsed.kind = Moment::Kind::kYesterday;
    } else if (!absl::StartsWith(rest, "-") && !absl::StartsWith(rest, "+")) {
      return Absolute(word, rest, moment);
    }
    if (!rest.empty()) {
      const bool back = rest[0] == '-';
      if ((rest[0] != '-' && rest[0] != '+') || !ParseSpan(rest.substr(1), &parsed.moved)) return NoTime(word);
      if (back) parsed.moved.count = -parsed.moved.count;
    }
    *moment = parsed;
    return absl::OkStatus();
  }

  static absl::Status NoTime(const Word& word) {
    constexpr absl::string_view kTimes[] = {"now", "today", "yesterday"};
    const std::string near = DidYouMean(word.text, kTimes);
    return Wrong(word, absl::StrCat(Quoted(word.text), " is no time",
                                    near.empty() ? "; say -24h, today or 2026-03-29T12:00" : near));
  }

  absl::Status Absolute(const Word& word, absl::string_view text, std::optional<Moment>* moment) {
    Moment parsed;
    parsed.kind = Moment::Kind::kAbsolute;
    int64_t seconds = 0;
    if (absl::ConsumePrefix(&text, "@")) {
      if (!IsDigits(text) || !absl::SimpleAtoi(text, &seconds) || seconds > kMaxUnixSeconds) return NoTime(word);
      parsed.time = absl::FromUnixSeconds(seconds);
      *moment = parsed;
      return absl::OkStatus();
    }
    std::string whole(text);
    // The time of day may be a word of its own.
    const Word next = reader_.Peek();
    if (IsDate(whole) && !next.text.empty() && absl::ascii_isdigit(next.text[0]) && absl::StrContains(next.text, ':')) {
      absl::StrAppend(&whole, "T", absl::AsciiStrToUpper(reader_.Next().text));
    }
    std::replace(whole.begin(), whole.end(), ' ', 'T');
    for (const char* format : {"%Y-%m-%dT%H:%M:%S%Ez", "%Y-%m-%dT%H:%M%Ez"}) {
      if (!absl::ParseTime(format, whole, &parsed.time, nullptr)) continue;
      parsed.time = absl::FromUnixSeconds(absl::ToUnixSeconds(parsed.time));
      return Keep(word, parsed, absl::ToUnixSeconds(parsed.time), moment);
    }
    parsed.kind = Moment::Kind::kCivil;
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
      absl::Time time;
      if (!absl::ParseTime(format, whole, absl::UTCTimeZone(), &time, nullptr)) continue;
      parsed.civil = absl::ToCivilSecond(time, absl::UTCTimeZone());
      return Keep(word, parsed, absl::ToUnixSeconds(time), moment);
    }
    return NoTime(word);
  }

  static constexpr int64_t kMaxUnixSeconds = 4102444800;  // 2100

  static absl::Status Keep(const Word& word, const Moment& parsed, int64_t seconds, std::optional<Moment>* moment) {
    if (seconds < 0 || seconds > kMaxUnixSeconds) return Wrong(word, "a time is from 1970 to 2100");
    *moment = parsed;
    return absl::OkStatus();
  }
  static bool IsDate(absl::string_view text) { return text.size() == 10 && text[4] == '-' && text[7] == '-'; }

  Reader reader_;
  const QuestionOptions& options_;
  Question question_;
  std::vector<std::string> seen_;
  bool groups_seen_ = false;
  bool direction_seen_ = false;
  size_t others_at_ = 0;
  size_t top_at_ = 0;
  Word order_;
};

}  // namespace

std::string ToText(const Span& span) {
  for (const UnitName& unit : kUnits) {
    if (unit.unit == span.unit) return absl::StrCat(span.count, unit.name);
  }
  return "";
}

absl::Time Move(absl::Time time, const Span& span, int64_t times, absl::TimeZone zone) {
  const int64_t count = span.count * times;
  if (!span.is_calendar()) return time + absl::Seconds(span.seconds()) * times;
  const absl::CivilSecond civil = absl::ToCivilSecond(time, zone);
  const absl::CivilDay day(civil);
  absl::CivilDay moved = day;
  if (span.unit == Unit::kDay || span.unit == Unit::kWeek) {
    moved = day + count * (span.unit == Unit::kWeek ? 7 : 1);
  } else {
    // The 31st of a shorter month is its last day.
    const absl::CivilMonth month = absl::CivilMonth(day) + count * (span.unit == Unit::kYear ? 12 : 1);
    moved = std::min(absl::CivilDay(month) + (day.day() - 1), absl::CivilDay(month + 1) - 1);
  }
  return absl::FromCivil(
      absl::CivilSecond(moved.year(), moved.month(), moved.day(), civil.hour(), civil.minute(), civil.second()), zone);
}

absl::Time StepBegin(absl::Time time, const Span& span, absl::TimeZone zone) {
  const absl::CivilDay day = absl::ToCivilDay(time, zone);
  const auto floor = [](int64_t value, int64_t unit) { return value - ((value % unit) + unit) % unit; };
  switch (span.unit) {
    case Unit::kSecond:
    case Unit::kMinute:
    case Unit::kHour: {
      const absl::Time midnight = absl::FromCivil(day, zone);
      const int64_t into = std::max<int64_t>(absl::ToInt64Seconds(time - midnight), 0);
      return midnight + absl::Seconds(floor(into, span.seconds()));
    }
    case Unit::kDay:
    case Unit::kWeek: {
      const absl::CivilDay monday(1970, 1, 5);
      return absl::FromCivil(monday + floor(day - monday, span.count * (span.unit == Unit::kWeek ? 7 : 1)), zone);
    }
    case Unit::kMonth: {
      const absl::CivilMonth first(1970, 1);
      return absl::FromCivil(first + floor(absl::CivilMonth(day) - first, span.count), zone);
    }
    case Unit::kYear:
      return absl::FromCivil(absl::CivilYear(floor(day.year(), span.count)), zone);
  }
  return time;
}

absl::Time Moment::At(absl::Time now, absl::TimeZone zone) const {
  absl::Time at = now;
  const absl::CivilDay today = absl::ToCivilDay(now, zone);
  if (kind == Kind::kToday) at = absl::FromCivil(today, zone);
  if (kind == Kind::kYesterday) at = absl::FromCivil(today - 1, zone);
  if (kind == Kind::kCivil) at = absl::FromCivil(civil, zone);
  if (kind == Kind::kAbsolute) at = time;
  return moved.count == 0 ? at : Move(at, moved, 1, zone);
}

std::string ToText(const Moment& moment) {
  std::string text;
  if (moment.kind == Moment::Kind::kToday) text = "today";
  if (moment.kind == Moment::Kind::kYesterday) text = "yesterday";
  if (moment.kind == Moment::Kind::kCivil) text = absl::FormatCivilTime(moment.civil);
  if (moment.kind == Moment::Kind::kAbsolute) {
    text = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", moment.time, absl::UTCTimeZone());
  }
  if (moment.moved.count != 0) {
    absl::StrAppend(&text, moment.moved.count > 0 ? "+" : "", ToText(moment.moved));
  }
  return text.empty() ? "now" : text;
}

std::string ToText(const GroupColumn& column, absl::string_view name) {
  return column.v4_length < 0 ? std::string(name) : absl::StrCat(name, "/", column.v4_length, ",", column.v6_length);
}

std::string ToText(const GroupColumn& column) { return ToText(column, record::Info(column.field).name); }

absl::StatusOr<Question> ParseQuestion(absl::string_view text, const QuestionOptions& options) {
  if (text.size() > options.max_octets) {
    return absl::InvalidArgumentError(absl::StrCat("question, column ", options.max_octets + 1, ": longer than ",
                                                   options.max_octets,
                                                   " octets; long lists belong into a networks file"));
  }
  return Parser(text, options).Parse();
}

std::string ToText(const Question& question) {
  std::vector<std::string> parts;
  if (question.top != 0) parts.push_back(absl::StrCat("top ", question.top, question.others ? " with others" : ""));
  std::vector<std::string> items = question.by_names;
  if (!items.empty()) parts.push_back(absl::StrJoin(items, ", "));
  items.clear();
  for (const AskedValue& value : question.values) items.push_back(value.name);
  if (!items.empty()) parts.push_back(absl::StrCat("by ", absl::StrJoin(items, ", ")));
  if (!question.order.empty()) parts.push_back(absl::StrCat("order ", question.order));
  if (question.ascending) parts.push_back("asc");
  if (!question.where.empty()) parts.push_back(absl::StrCat("where ", question.where));
  if (question.from) parts.push_back(absl::StrCat("from ", ToText(*question.from)));
  if (question.to) parts.push_back(absl::StrCat("to ", ToText(*question.to)));
  if (question.every) parts.push_back(absl::StrCat("every ", ToText(*question.every)));
  if (question.compare) parts.push_back(absl::StrCat("compare -", ToText(*question.compare)));
  if (question.total) parts.push_back("total");
  if (!question.table.empty()) {
    const char quote = absl::StrContains(question.table, '"') ? '\'' : '"';
    parts.push_back(absl::StrCat("table ", std::string(1, quote), question.table, std::string(1, quote)));
  }
  // Not behind a filter, which has the word itself.
  if (question.zone_name != "UTC") {
    parts.insert(parts.begin() + (question.top != 0 ? 1 : 0) + (question.by.empty() ? 0 : 1),
                 absl::StrCat("in ", question.zone_name));
  }
  return absl::StrJoin(parts, " ");
}

}  // namespace flowacct::query
