// Recursive descent, bounded in depth; what it makes is described in program.h, what it reads in filter.h.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/filter/filter.h"
#include "flowacct/filter/lexer.h"
#include "flowacct/filter/program.h"
#include "flowacct/filter/value.h"

namespace flowacct::filter {
namespace {

using record::FieldId;
using record::FieldType;

// Shorthands for a pair of fields.
struct Pair {
  absl::string_view word;
  FieldId source, destination;
};
constexpr Pair kPairs[] = {
    {"host", FieldId::kSrcAddr, FieldId::kDstAddr},
    {"net", FieldId::kSrcAddr, FieldId::kDstAddr},
    {"port", FieldId::kSrcPort, FieldId::kDstPort},
    {"as", FieldId::kSrcAs, FieldId::kDstAs},
};

class Parser {
 public:
  Parser(std::vector<Token> tokens, const FilterOptions& options)
      : tokens_(std::move(tokens)), max_depth_(std::min(options.max_depth, kMaxDepth)), names_(options.names) {}

  bool Parse() {
    if (Next().kind == TokenKind::kEnd) return true;
    if (!Or(0)) return false;
    if (Next().kind == TokenKind::kEnd) return true;
    if (IsSign(")")) return Fail("this parenthesis was never opened");
    return Fail(absl::StrCat("here \"and\", \"or\" or the end was expected, not \"", Next().text, "\""));
  }
  Program TakeProgram() { return std::move(program_); }
  const FilterError& error() const { return error_; }

 private:
  const Token& Next() const { return tokens_[at_]; }
  const Token& After() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  void Advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  static bool IsWord(const Token& token, absl::string_view word) {
    return token.kind == TokenKind::kWord && absl::EqualsIgnoreCase(token.text, word);
  }
  static bool IsSign(const Token& token, absl::string_view sign) {
    return token.kind == TokenKind::kSign && token.text == sign;
  }
  bool IsWord(absl::string_view word) const { return IsWord(Next(), word); }
  bool IsSign(absl::string_view sign) const { return IsSign(Next(), sign); }
  bool SkipWord(absl::string_view word) {
    if (!IsWord(word)) return false;
    Advance();
    return true;
  }
  bool SkipSign(absl::string_view sign) {
    if (!IsSign(sign)) return false;
    Advance();
    return true;
  }
  bool Fail(std::string message) { return FailAt(Next().column, std::move(message)); }
  bool FailAt(size_t column, std::string message) {
    error_ = FilterError{column, std::move(message)};
    return false;
  }

  void Emit(Operator op) { program_.steps.push_back(Step{op}); }
  void Emit(Condition condition) {
    std::sort(condition.texts.begin(), condition.texts.end());
    // Ranges that touch become one.
    auto& ranges = condition.ranges;
    std::sort(ranges.begin(), ranges.end());
    size_t kept = 0;
    for (size_t i = 1; i < ranges.size(); ++i) {
      if (ranges[kept].second == UINT64_MAX || ranges[i].first <= ranges[kept].second + 1) {
        ranges[kept].second = std::max(ranges[kept].second, ranges[i].second);
      } else {
        ranges[++kept] = ranges[i];
      }
    }
    if (!ranges.empty()) ranges.resize(kept + 1);
    program_.steps.push_back(Step{Operator::kCondition, static_cast<uint32_t>(program_.conditions.size())});
    program_.conditions.push_back(std::move(condition));
  }

  bool Or(size_t depth) {
    if (!And(depth)) return false;
    while (SkipWord("or") || SkipSign("||")) {
      if (!And(depth)) return false;
      Emit(Operator::kOr);
    }
    return true;
  }
  bool And(size_t depth) {
    if (!Not(depth)) return false;
    while (SkipWord("and") || SkipSign("&&")) {
      if (!Not(depth)) return false;
      Emit(Operator::kAnd);
    }
    return true;
  }
  bool Not(size_t depth) {
    if (depth >= max_depth_) {
      return Fail(absl::StrCat("nested deeper than ", max_depth_, " levels of parentheses and \"not\""));
    }
    if (SkipWord("not") || SkipSign("!")) {
      if (!Not(depth + 1)) return false;
      Emit(Operator::kNot);
      return true;
    }
    if (IsSign("(")) {
      const size_t opened = Next().column;
      Advance();
      if (!Or(depth + 1)) return false;
      if (SkipSign(")")) return true;
      if (Next().kind == TokenKind::kEnd) return FailAt(opened, "this parenthesis is never closed");
      return Fail(absl::StrCat("here \"and\", \"or\" or \")\" was expected, not \"", Next().text, "\""));
    }
    return OneCondition();
  }

  bool OneCondition() {
    if (Next().kind == TokenKind::kEnd) return Fail("here a condition was expected, such as dst_port = 443");
    if (Next().kind != TokenKind::kWord) {
      return Fail(absl::StrCat("here the name of a field was expected, not \"", Next().text, "\""));
    }
    if (IsWord("exists") && IsSign(After(), "(")) return Exists();
    const bool is_source = IsWord("src"), is_destination = IsWord("dst");
    for (const Pair& pair : kPairs) {
      if ((is_source || is_destination) ? !IsWord(After(), pair.word) : !IsWord(pair.word)) continue;
      if (is_source || is_destination) Advance();
      Advance();
      return Shorthand(pair, is_source, is_destination);
    }
    FieldId field;
    return Field(&field) && Comparison(field);
  }

  bool Field(FieldId* field) {
    const absl::StatusOr<FieldId> found =
        names_ != nullptr ? names_->FromName(Next().text) : record::FieldFromName(Next().text);
    if (!found.ok()) return Fail(std::string(found.status().message()));
    *field = *found;
    Advance();
    return true;
  }

  bool Exists() {
    Advance();
    Advance();
    Condition condition;
    if (!Field(&condition.field)) return false;
    if (!SkipSign(")")) return Fail("here \")\" was expected, as in exists(src_as)");
    Emit(std::move(condition));
    return true;
  }

  bool Shorthand(const Pair& pair, bool only_source, bool only_destination) {
    Condition condition;
    condition.field = pair.source;
    const Operand operand = OperandOf(pair.source);
    condition.test = TestOf(operand.type);
    if (SkipWord("in")) {
      if (!Alternatives(operand, &condition)) return false;
    } else {
      if (!SkipSign("=")) SkipSign("==");
      if (Next().kind == TokenKind::kSign) {
        return Fail(absl::StrCat("after \"", pair.word, "\" a value was expected; \"not ", pair.word,
                                 " VALUE\" is its contrary"));
      }
      if (!OneValue(operand, /*exact=*/false, &condition)) return false;
    }
    Condition destination = condition;
    destination.field = pair.destination;
    if (!only_destination) Emit(std::move(condition));
    if (!only_source) Emit(std::move(destination));
    if (only_source == only_destination) Emit(Operator::kOr);
    return true;
  }

  // What follows a field.
  bool Comparison(FieldId field) {
    Condition condition;
    condition.field = field;
    const Operand operand = OperandOf(field);
    condition.test = TestOf(operand.type);
    if (condition.test == Test::kExists) return Question(std::move(condition));
    if (SkipSign("&")) return Bits(operand, std::move(condition));
    if (SkipWord("has")) return Has(std::move(condition));
    return Comparison(operand, std::move(condition));
  }

  // With = and its like, or in.
  bool Comparison(const Operand& operand, Condition condition) {
    if (IsWord("not") && IsWord(After(), "in")) {
      Advance();
      condition.negated = true;
    }
    if (SkipWord("in")) {
      if (!Alternatives(operand, &condition)) return false;
    } else if (IsSign("<") || IsSign("<=") || IsSign(">") || IsSign(">=")) {
      if (!Order(operand, &condition)) return false;
    } else {
      if (SkipSign("!=")) {
        condition.negated = true;
      } else if (!SkipSign("=")) {
        SkipSign("==");
      }
      if (IsWord("field") && IsSign(After(), "(")) return SameAs(std::move(condition));
      if (Next().kind == TokenKind::kEnd || Next().kind == TokenKind::kSign || IsWord("and") || IsWord("or")) {
        const absl::string_view name = record::Info(condition.field).name;
        return Fail(absl::StrCat("here a value of ", operand.name, " was expected; exists(", name,
                                 ") asks whether there is any"));
      }
      if (!OneValue(operand, /*exact=*/true, &condition)) return false;
    }
    Emit(std::move(condition));
    return true;
  }

  // field(OTHER)
  bool SameAs(Condition condition) {
    if (condition.test != TestOf(record::Info(condition.field).type)) {
      return Fail("only a whole field can be compared with another");
    }
    Advance();
    Advance();
    const size_t column = Next().column;
    if (!Field(&condition.other)) return false;
    const record::FieldInfo& info = record::Info(condition.field);
    const record::FieldInfo& other = record::Info(condition.other);
    const auto is_number = [](FieldType type) { return TestOf(type) == Test::kRanges && type != FieldType::kDigits; };
    if (info.type != other.type && !(is_number(info.type) && is_number(other.type))) {
      return FailAt(column, absl::StrCat(info.name, " is of type ", record::FieldTypeName(info.type), ", ", other.name,
                                         " of type ", record::FieldTypeName(other.type), ": they cannot be compared"));
    }
    if (!SkipSign(")")) return Fail("here \")\" was expected, as in field(src_as)");
    condition.test = Test::kSameAs;
    Emit(std::move(condition));
    return true;
  }

  // What can be asked of values that are not compared as a whole.
  bool Question(Condition condition) {
    struct Word {
      absl::string_view word;
      Test test;
      FieldType of;
      size_t bits;
    };
    static constexpr Word kWords[] = {
        {"contains", Test::kPathHas, FieldType::kAsPath, 32},
        {"matches", Test::kPattern, FieldType::kAsPath, 0},
        {"first", Test::kPathBeginsWith, FieldType::kAsPath, 32},
        {"origin", Test::kPathEndsWith, FieldType::kAsPath, 32},
        {"length", Test::kPathLength, FieldType::kAsPath, 16},
        {"contains", Test::kCommunity, FieldType::kCommunities, 0},
        {"matches", Test::kPattern, FieldType::kCommunities, 0},
        {"contains", Test::kCommunity, FieldType::kExtCommunities, 0},
        {"matches", Test::kPattern, FieldType::kExtCommunities, 0},
        {"contains", Test::kCommunity, FieldType::kLargeCommunities, 0},
        {"matches", Test::kPattern, FieldType::kLargeCommunities, 0},
        {"contains", Test::kLabel, FieldType::kLabelStack, 20},
    };
    const record::FieldInfo& info = record::Info(condition.field);
    condition.negated = IsWord("not");
    const Token& asked = condition.negated ? After() : Next();
    std::string words;
    for (const Word& word : kWords) {
      if (word.of != info.type) continue;
      absl::StrAppend(&words, word.word, ", ");
      if (!IsWord(asked, word.word) || (condition.negated && IsOrdered(word.test))) continue;
      if (condition.negated) Advance();
      Advance();
      condition.test = word.test;
      if (word.test == Test::kPattern) return Pattern(std::move(condition));
      Operand operand = OperandOf(condition.field);
      if (word.test != Test::kCommunity) {
        operand = {absl::StrCat(info.name, " ", word.word), FieldType::kU64, word.bits};
      }
      if (IsOrdered(word.test)) return Comparison(operand, std::move(condition));
      if (!Alternatives(operand, &condition)) return false;
      Emit(std::move(condition));
      return true;
    }
    return Fail(absl::StrCat(info.name, " cannot be compared as a whole; ", words, words.empty() ? "" : "or ",
                             "exists(", info.name, ") can be asked"));
  }

  bool Pattern(Condition condition) {
    const Token& token = Next();
    const record::FieldInfo& info = record::Info(condition.field);
    if (token.kind != TokenKind::kWord && token.kind != TokenKind::kQuoted) {
      return Fail(absl::StrCat("here a pattern was expected, such as \"_64496_\" in quotes"));
    }
    size_t at = 0;
    std::string why = RoutePattern::Parse(token.text, PatternAlphabet(info.type), &condition.pattern, &at);
    if (!why.empty()) return FailAt(token.ColumnOf(at), std::move(why));
    Advance();
    Emit(std::move(condition));
    return true;
  }

  bool OneValue(const Operand& operand, bool exact, Condition* condition) {
    const Token& token = Next();
    if (token.kind != TokenKind::kWord && token.kind != TokenKind::kQuoted) {
      return Fail(absl::StrCat("here a value of ", operand.name, " was expected"));
    }
    std::string why = AddAlternative(operand, token.text, token.kind == TokenKind::kQuoted, exact, condition);
    if (!why.empty()) return Fail(std::move(why));
    Advance();
    return true;
  }

  bool Alternatives(const Operand& operand, Condition* condition) {
    if (!IsSign("(")) return OneValue(operand, /*exact=*/false, condition);
    const size_t opened = Next().column;
    Advance();
    while (true) {
      if (!OneValue(operand, /*exact=*/false, condition)) return false;
      if (SkipSign(")")) return true;
      if (Next().kind == TokenKind::kEnd) return FailAt(opened, "this list is never closed");
      if (!SkipSign(",")) return Fail("here \",\" or \")\" was expected");
    }
  }

  bool Order(const Operand& operand, Condition* condition) {
    const std::string sign = Next().text;
    if (!IsOrdered(condition->test) || operand.type == FieldType::kDigits) {
      return Fail(absl::StrCat(operand.name, " has no order; =, != and in can be asked"));
    }
    Advance();
    uint64_t number = 0;
    if (!Number(operand, &number)) return false;
    auto& ranges = condition->ranges;  // none: never
    if (sign == "<=") ranges.emplace_back(0, number);
    if (sign == ">=") ranges.emplace_back(number, UINT64_MAX);
    if (sign == "<" && number > 0) ranges.emplace_back(0, number - 1);
    if (sign == ">" && number < UINT64_MAX) ranges.emplace_back(number + 1, UINT64_MAX);
    return true;
  }

  bool Number(const Operand& operand, uint64_t* number) {
    if (Next().kind != TokenKind::kWord && Next().kind != TokenKind::kQuoted) {
      return Fail(absl::StrCat("here a value of ", operand.name, " was expected"));
    }
    std::string why = ParseNumber(operand, Next().text, number);
    if (!why.empty()) return Fail(std::move(why));
    Advance();
    return true;
  }

  bool Bits(const Operand& operand, Condition condition) {
    if (condition.test != Test::kRanges || operand.type == FieldType::kTime || operand.type == FieldType::kDigits) {
      return Fail(absl::StrCat(operand.name, " has no bits to ask for"));
    }
    if (!Number(operand, &condition.bits)) return false;
    condition.test = Test::kAnyBit;
    const bool unequal = IsSign("!=");
    if (SkipSign("=") || SkipSign("==") || SkipSign("!=")) {
      condition.test = Test::kBits;
      condition.negated = unequal;
      if (!Number(operand, &condition.bits_value)) return false;
    }
    Emit(std::move(condition));
    return true;
  }

  // All of the flags.
  bool Has(Condition condition) {
    if (record::Info(condition.field).type != FieldType::kTcpFlags) {
      return Fail(absl::StrCat("\"has\" asks for TCP flags, which ", record::Info(condition.field).name, " is not"));
    }
    condition.test = Test::kAllBits;
    const bool parenthesis = SkipSign("(");
    do {
      uint64_t bits = 0;
      if (Next().kind != TokenKind::kWord) return Fail("here a TCP flag was expected, such as syn");
      std::string why = ParseTcpFlags(Next().text, &bits);
      if (!why.empty()) return Fail(std::move(why));
      condition.bits |= bits;
      Advance();
    } while (SkipSign(","));
    if (parenthesis && !SkipSign(")")) return Fail("here \",\" or \")\" was expected");
    Emit(std::move(condition));
    return true;
  }

  std::vector<Token> tokens_;
  size_t max_depth_;
  const record::FieldNames* names_;
  size_t at_ = 0;
  Program program_;
  FilterError error_;
};

}  // namespace

absl::StatusOr<Filter> Filter::Parse(absl::string_view text, const FilterOptions& options, FilterError* error) {
  FilterError found;
  const auto fail = [&] {
    if (error != nullptr) *error = found;
    return absl::InvalidArgumentError(absl::StrCat("filter, column ", found.column, ": ", found.message));
  };
  if (text.size() > options.max_octets) {
    found = FilterError{options.max_octets + 1, absl::StrCat("longer than ", options.max_octets,
                                                             " octets; a networks file holds many prefixes")};
    return fail();
  }
  std::vector<Token> tokens;
  if (!Tokenize(text, &tokens, &found)) return fail();
  Parser parser(std::move(tokens), options);
  if (!parser.Parse()) {
    found = parser.error();
    return fail();
  }
  Filter filter;
  auto program = std::make_shared<Program>(parser.TakeProgram());
  std::set<record::FieldId> fields;
  for (const Condition& condition : program->conditions) {
    if (fields.insert(condition.field).second) filter.fields_.push_back(condition.field);
    if (condition.test == Test::kSameAs && fields.insert(condition.other).second) {
      filter.fields_.push_back(condition.other);
    }
  }
  filter.program_ = std::move(program);
  return filter;
}

}  // namespace flowacct::filter
