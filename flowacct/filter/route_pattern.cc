#include "flowacct/filter/route_pattern.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace flowacct::filter {

// Recursive descent; each part becomes a run of steps whose jumps are relative, so that runs are joined by appending.
class RoutePatternParser {
 public:
  using Op = RoutePattern::Op;
  using Step = RoutePattern::Step;
  using Steps = std::vector<Step>;

  RoutePatternParser(absl::string_view text, absl::string_view alphabet, RoutePattern* pattern)
      : text_(text), alphabet_(alphabet), pattern_(pattern) {}

  bool Parse() {
    if (text_.size() > RoutePattern::kMaxOctets) {
      at_ = RoutePattern::kMaxOctets;
      return Fail(absl::StrCat("a pattern has at most ", RoutePattern::kMaxOctets, " characters"));
    }
    if (text_.empty()) return Fail("an empty pattern fits everything; exists() asks whether there is any");
    Steps steps;
    if (!Alternatives(0, &steps)) return false;
    if (at_ < text_.size()) return Fail("this parenthesis was never opened; [)] stands for the character");
    steps.push_back({Op::kMatch});
    pattern_->steps_ = std::move(steps);
    return true;
  }
  const std::string& error() const { return error_; }
  size_t at() const { return at_; }

 private:
  bool Fail(std::string why) {
    error_ = std::move(why);
    return false;
  }
  bool More() const { return at_ < text_.size(); }
  static void Append(const Steps& more, Steps* steps) { steps->insert(steps->end(), more.begin(), more.end()); }
  static int16_t Length(const Steps& steps) { return static_cast<int16_t>(steps.size()); }

  static Steps Either(const Steps& a, const Steps& b) {
    Steps steps;
    steps.push_back({Op::kSplit, 1, static_cast<int16_t>(Length(a) + 2)});
    Append(a, &steps);
    const int16_t over = static_cast<int16_t>(Length(b) + 1);
    steps.push_back({Op::kSplit, over, over});
    Append(b, &steps);
    return steps;
  }
  static Steps Repeated(const Steps& part, char how) {
    Steps steps;
    const int16_t length = Length(part);
    if (how != '+') steps.push_back({Op::kSplit, 1, static_cast<int16_t>(length + (how == '*' ? 2 : 1))});
    Append(part, &steps);
    if (how == '*') steps.push_back({Op::kSplit, static_cast<int16_t>(-length - 1), static_cast<int16_t>(-length - 1)});
    if (how == '+') steps.push_back({Op::kSplit, static_cast<int16_t>(-length), 1});
    return steps;
  }

  bool Alternatives(size_t depth, Steps* steps) {
    if (!Sequence(depth, steps)) return false;
    while (More() && text_[at_] == '|') {
      ++at_;
      Steps other;
      if (!Sequence(depth, &other)) return false;
      *steps = Either(*steps, other);
    }
    return true;
  }

  bool Sequence(size_t depth, Steps* steps) {
    while (More() && text_[at_] != '|' && text_[at_] != ')') {
      Steps part;
      if (!Part(depth, &part)) return false;
      while (More() && absl::StrContains("*+?", text_[at_])) {
        // Again what was there: x** and x+* are x*.
        const char how = text_[at_++];
        if (More() && absl::StrContains("*+?", text_[at_])) return Fail("one of * + ? is enough");
        part = Repeated(part, how);
      }
      Append(part, steps);
    }
    return true;
  }

  bool Part(size_t depth, Steps* steps) {
    const char c = text_[at_];
    switch (c) {
      case '(': {
        if (depth >= RoutePattern::kMaxDepth) {
          return Fail(absl::StrCat("nested deeper than ", RoutePattern::kMaxDepth, " parentheses"));
        }
        const size_t opened = at_++;
        if (!Alternatives(depth + 1, steps)) return false;
        if (!More()) {
          at_ = opened;
          return Fail("this parenthesis is never closed; [(] stands for the character");
        }
        ++at_;
        return true;
      }
      case '[':
        return Class(steps);
      case '*':
      case '+':
      case '?':
        return Fail(absl::StrCat("here is nothing that \"", absl::string_view(&c, 1), "\" could repeat"));
      case '{':
      case '}':
        return Fail(absl::StrCat("write [", absl::string_view(&c, 1),
                                 "] for the brace of a set; numbers of repetitions are not known"));
      case '^':
        steps->push_back({Op::kBegin});
        break;
      case '$':
        steps->push_back({Op::kEnd});
        break;
      case '.':
        OneOf(~RoutePattern::Characters(), steps);
        break;
      case '_': {
        RoutePattern::Characters boundary;
        for (char b : absl::string_view(" ,{}()[]")) boundary.set(static_cast<size_t>(b));
        Steps character;
        OneOf(boundary, &character);
        *steps = Either(Either({{Op::kBegin}}, {{Op::kEnd}}), character);
        break;
      }
      case '\\':
        if (at_ + 1 >= text_.size()) return Fail("here a character was expected after \"\\\"");
        ++at_;
        return Literal(steps);
      default:
        return Literal(steps);
    }
    ++at_;
    return true;
  }

  bool Known(char c) {
    if (absl::StrContains(alphabet_, c)) return true;
    return Fail(absl::StrCat("no such text has a \"", absl::string_view(&c, 1), "\""));
  }

  bool Literal(Steps* steps) {
    if (!Known(text_[at_])) return false;
    RoutePattern::Characters set;
    set.set(static_cast<size_t>(text_[at_++]));
    OneOf(set, steps);
    return true;
  }

  bool Class(Steps* steps) {
    const size_t opened = at_++;
    RoutePattern::Characters set;
    const bool inverted = More() && text_[at_] == '^';
    if (inverted) ++at_;
    for (bool first = true;; first = false) {
      if (!More()) {
        at_ = opened;
        return Fail("this bracket is never closed; [[] stands for the character");
      }
      if (text_[at_] == ']' && !first) break;
      const char from = text_[at_];
      if (!Known(from)) return false;
      char to = from;
      if (at_ + 2 < text_.size() && text_[at_ + 1] == '-' && text_[at_ + 2] != ']') {
        at_ += 2;
        to = text_[at_];
        if (!Known(to)) return false;
        if (to < from) return Fail("this range ends before it begins");
      }
      for (char c = from; c <= to; ++c) set.set(static_cast<size_t>(c));
      ++at_;
    }
    ++at_;
    OneOf(inverted ? ~set : set, steps);
    return true;
  }

  void OneOf(const RoutePattern::Characters& set, Steps* steps) {
    auto& sets = pattern_->sets_;
    const auto known = std::find(sets.begin(), sets.end(), set);
    steps->push_back({Op::kOneOf, static_cast<int16_t>(known - sets.begin())});
    if (known == sets.end()) sets.push_back(set);
  }

  absl::string_view text_;
  absl::string_view alphabet_;
  RoutePattern* pattern_;
  size_t at_ = 0;
  std::string error_;
};

std::string RoutePattern::Parse(absl::string_view text, absl::string_view alphabet, RoutePattern* pattern, size_t* at) {
  RoutePatternParser parser(text, alphabet, pattern);
  if (parser.Parse()) return "";
  *at = parser.at();
  return parser.error();
}

bool RoutePattern::Matches(absl::string_view text, Scratch* scratch) const {
  std::vector<uint16_t>& pending = scratch->pending;
  scratch->now.clear();
  scratch->seen.assign(steps_.size(), 0);
  // Goes on from `step` without consuming, as far as that leads; true at the end of the pattern.
  const auto reach = [&](size_t step, size_t at, std::vector<uint16_t>* states) {
    pending.push_back(static_cast<uint16_t>(step));
    while (!pending.empty()) {
      const size_t i = pending.back();
      pending.pop_back();
      if (scratch->seen[i] == at + 1) continue;
      scratch->seen[i] = static_cast<uint32_t>(at + 1);
      const auto go = [&](int16_t by) { pending.push_back(static_cast<uint16_t>(static_cast<int>(i) + by)); };
      switch (steps_[i].op) {
        case Op::kOneOf:
          states->push_back(static_cast<uint16_t>(i));
          break;
        case Op::kBegin:
          if (at == 0) go(1);
          break;
        case Op::kEnd:
          if (at == text.size()) go(1);
          break;
        case Op::kSplit:
          go(steps_[i].first);
          go(steps_[i].second);
          break;
        case Op::kMatch:
          pending.clear();
          return true;
      }
    }
    return false;
  };
  for (size_t at = 0;; ++at) {
    if (reach(0, at, &scratch->now)) return true;
    if (at == text.size()) return false;
    const uint8_t c = static_cast<uint8_t>(text[at]);
    scratch->next.clear();
    for (const uint16_t i : scratch->now) {
      if (c < 128 && sets_[static_cast<size_t>(steps_[i].first)][c] && reach(i + 1u, at + 1, &scratch->next)) {
        return true;
      }
    }
    scratch->now.swap(scratch->next);
  }
}

}  // namespace flowacct::filter
