#include "flowacct/enrich/rules/rule_parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/filter/lexer.h"

namespace flowacct::enrich {
namespace {

using filter::Token;
using filter::TokenKind;
using record::FieldType;
using Op = RuleAction::Op;

enum class Verb : uint8_t { kSet, kFill, kAdd, kOr, kAppend, kUnset, kCopy, kDrop, kContinue, kGoto, kStop };

struct VerbName {
  absl::string_view word;
  Verb verb;
  Op op;             // of those that act on a field
  bool takes_field;  // so that further fields may follow after commas
};
constexpr VerbName kVerbs[] = {
    {"set", Verb::kSet, Op::kSet, true},
    {"fill", Verb::kFill, Op::kFill, true},
    {"add", Verb::kAdd, Op::kAdd, true},
    {"or", Verb::kOr, Op::kOr, true},
    {"append", Verb::kAppend, Op::kAppend, true},
    {"unset", Verb::kUnset, Op::kUnset, true},
    {"copy", Verb::kCopy, Op::kCopy, true},
    {"drop", Verb::kDrop, Op::kDrop, false},
    {"continue", Verb::kContinue, Op::kSet, false},
    {"goto", Verb::kGoto, Op::kSet, false},
    {"stop", Verb::kStop, Op::kSet, false},
};

bool IsNumber(FieldType type) {
  return !record::IsInterned(type) && record::FieldTypeSize(type) <= 8 && type != FieldType::kMac &&
         type != FieldType::kCoordinates && type != FieldType::kDigits;
}

}  // namespace

// The words of one statement, and where they are.
class RuleParser::Statement {
 public:
  Statement(absl::string_view lines, const record::FieldNames* names, RuleStatement* rule)
      : lines_(lines), names_(names), rule_(*rule) {}

  // False: error() tells why.
  bool Parse() {
    if (!filter::Tokenize(lines_, &tokens_, &error_)) return false;
    if (IsWord("list")) return List();
    if (Next().kind == TokenKind::kWord && Next().text.size() > 1 && Next().text.back() == ':') {
      rule_.name = Next().text.substr(0, Next().text.size() - 1);
      Advance();
    }
    if (!Actions()) return false;
    if (Next().kind == TokenKind::kEnd) return true;
    if (!IsWord("where")) {
      return Fail(absl::StrCat("here \",\", \"where\" or the end of the rule was expected, not \"", Next().text, "\""));
    }
    return Where();
  }
  const filter::FilterError& error() const { return error_; }

 private:
  const Token& Next() const { return tokens_[at_]; }
  void Advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool IsWord(absl::string_view word) const {
    return Next().kind == TokenKind::kWord && absl::EqualsIgnoreCase(Next().text, word);
  }
  bool SkipSign(absl::string_view sign) {
    if (Next().kind != TokenKind::kSign || Next().text != sign) return false;
    Advance();
    return true;
  }
  bool Fail(std::string message) { return FailAt(Next().column, std::move(message)); }
  bool FailAt(size_t column, std::string message) {
    error_ = filter::FilterError{column, std::move(message)};
    return false;
  }

  bool List() {
    rule_.kind = RuleStatement::Kind::kList;
    Advance();
    if (Next().kind != TokenKind::kWord && Next().kind != TokenKind::kQuoted) {
      return Fail("here the list's name was expected, as in: list customers");
    }
    rule_.name = Next().text;
    Advance();
    if (Next().kind == TokenKind::kEnd) return true;
    return Fail("a list is only named here; its rules are on the lines that follow");
  }

  const VerbName* FindVerb() const {
    for (const VerbName& verb : kVerbs) {
      if (IsWord(verb.word)) return &verb;
    }
    return nullptr;
  }

  bool Actions() {
    const VerbName* verb = nullptr;
    bool ended = false;  // by drop, continue, goto or stop
    do {
      if (Next().kind == TokenKind::kEnd || IsWord("where")) {
        return Fail("here an action was expected, such as: set tag 100");
      }
      const VerbName* named = FindVerb();
      if (ended) return Fail("after drop, continue, goto and stop no action follows");
      if (named != nullptr) {
        verb = named;
        Advance();
      } else if (verb == nullptr) {
        return FailWord();
      }
      ended = !verb->takes_field;
      if (!Action(*verb)) return false;
    } while (SkipSign(","));
    return true;
  }

  bool FailWord() {
    std::vector<absl::string_view> words = {"list"};
    for (const VerbName& verb : kVerbs) words.push_back(verb.word);
    const std::vector<std::string> near = base::NearestWords(absl::AsciiStrToLower(Next().text), words);
    return Fail(absl::StrCat("no action is called \"", Next().text, "\"",
                             near.empty()
                                 ? "; there are set, fill, add, or, append, unset, copy, drop, continue, goto, stop"
                                 : absl::StrCat("; did you mean ", absl::StrJoin(near, " or "), "?")));
  }

  bool Field(record::FieldId* field) {
    if (Next().kind != TokenKind::kWord) return Fail("here the name of a field was expected");
    const absl::StatusOr<record::FieldId> found =
        names_ != nullptr ? names_->FromName(Next().text) : record::FieldFromName(Next().text);
    if (!found.ok()) return Fail(std::string(found.status().message()));
    *field = *found;
    Advance();
    return true;
  }

  bool Value(record::FieldId field, FieldValue* value) {
    if (!SkipSign("=")) SkipSign("==");
    if (Next().kind != TokenKind::kWord && Next().kind != TokenKind::kQuoted) {
      return Fail(absl::StrCat("here a value of ", record::Info(field).name, " was expected"));
    }
    std::string why = ParseFieldValue(field, Next().text, value);
    if (!why.empty()) return Fail(std::move(why));
    Advance();
    return true;
  }

  bool Action(const VerbName& verb) {
    switch (verb.verb) {
      case Verb::kContinue:
        rule_.next = RuleStatement::Next::kContinue;
        return true;
      case Verb::kStop:
        return true;
      case Verb::kGoto:
        if (Next().kind != TokenKind::kWord) return Fail("here the name of a later rule was expected, as in: goto out");
        rule_.next = RuleStatement::Next::kGoto;
        rule_.target = Next().text;
        rule_.target_column = Next().column;
        Advance();
        return true;
      case Verb::kDrop:
        rule_.actions.emplace_back();
        rule_.actions.back().op = Op::kDrop;
        return true;
      default:
        break;
    }
    RuleAction action;
    action.op = verb.op;
    if (verb.verb == Verb::kCopy) {
      if (!Field(&action.source)) return false;
      if (!IsWord("to")) return Fail("here \"to\" was expected, as in: copy in_vrf to tag");
      Advance();
    }
    const size_t column = Next().column;
    if (!Field(&action.field)) return false;
    const record::FieldInfo& info = record::Info(action.field);
    if (verb.verb == Verb::kCopy) {
      const FieldType from = record::Info(action.source).type;
      if (from != info.type && !(IsNumber(from) && IsNumber(info.type))) {
        return FailAt(column, absl::StrCat(info.name, " cannot hold ", record::Info(action.source).name,
                                           ": the one is of type ", record::FieldTypeName(info.type),
                                           ", the other of type ", record::FieldTypeName(from)));
      }
    } else if (verb.verb != Verb::kUnset) {
      if (verb.verb == Verb::kAppend && info.type != FieldType::kString) {
        return FailAt(column, absl::StrCat(info.name, " is no text to append to"));
      }
      if ((verb.verb == Verb::kAdd || verb.verb == Verb::kOr) && !IsNumber(info.type)) {
        return FailAt(column, absl::StrCat(info.name, " is no number"));
      }
      if (!Value(action.field, &action.value)) return false;
    }
    rule_.actions.push_back(std::move(action));
    return true;
  }

  bool Where() {
    const size_t offset = Next().column - 1 + 5;  // behind "where"
    Advance();
    if (Next().kind == TokenKind::kEnd) return Fail("here a condition was expected, such as exporter = 192.0.2.1");
    filter::FilterError error;
    filter::FilterOptions options;
    options.names = names_;
    absl::StatusOr<filter::Filter> where = filter::Filter::Parse(lines_.substr(offset), options, &error);
    if (!where.ok()) return FailAt(offset + error.column, std::move(error.message));
    rule_.where = *std::move(where);
    return true;
  }

  absl::string_view lines_;
  const record::FieldNames* names_;
  RuleStatement& rule_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  filter::FilterError error_;
};

bool RuleParser::NextLines() {
  lines_.clear();
  bool blank = true;
  while (!text_.empty()) {
    const size_t end = text_.find('\n');
    absl::string_view line = text_.substr(0, end);
    // A statement goes on as long as lines begin with a blank; an empty line ends nothing and begins nothing.
    const bool goes_on = line.empty() || absl::ascii_isspace(static_cast<unsigned char>(line[0])) || line[0] == '#';
    if (!blank && !goes_on) return true;
    text_.remove_prefix(end == absl::string_view::npos ? text_.size() : end + 1);
    ++line_;
    if (blank) {
      first_line_ = line_;
      lines_.clear();
    } else {
      lines_ += '\n';
    }
    char quote = 0;
    for (size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (quote != 0) {
        if (c == '\\' && i + 1 < line.size()) {
          lines_ += c;
          lines_ += line[++i];
          continue;
        }
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '#' && (i == 0 || absl::ascii_isspace(static_cast<unsigned char>(line[i - 1])))) {
        break;
      }
      if (!absl::ascii_isspace(static_cast<unsigned char>(c))) blank = false;
      lines_ += c;
    }
  }
  return !blank;
}

bool RuleParser::Next(RuleStatement* statement) {
  if (!status_.ok() || !NextLines()) return false;
  *statement = RuleStatement();
  statement->line = first_line_;
  Statement parser(lines_, names_, statement);
  if (parser.Parse()) return true;
  const absl::string_view before = absl::string_view(lines_).substr(0, parser.error().column - 1);
  const size_t newline = before.rfind('\n');
  status_ =
      ErrorAt(first_line_ + static_cast<size_t>(std::count(before.begin(), before.end(), '\n')),
              newline == absl::string_view::npos ? before.size() + 1 : before.size() - newline, parser.error().message);
  return false;
}

absl::Status RuleParser::ErrorAt(size_t line, size_t column, absl::string_view message) const {
  return absl::InvalidArgumentError(absl::StrCat(name_, ":", line, ":", column, ": ", message));
}

}  // namespace flowacct::enrich
