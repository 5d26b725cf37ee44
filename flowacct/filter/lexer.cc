#include "flowacct/filter/lexer.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace flowacct::filter {
namespace {

// The longer ones first.
constexpr absl::string_view kSigns[] = {"&&", "||", "==", "!=", "<=", ">=", "<", ">", "=", "!", "&", "(", ")", ","};

bool EndsWord(char c) {
  return absl::ascii_isspace(static_cast<unsigned char>(c)) || absl::StrContains("&|=!<>(),\"'", c);
}

}  // namespace

bool Tokenize(absl::string_view text, std::vector<Token>* tokens, FilterError* error) {
  size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      ++at;
      continue;
    }
    Token token;
    token.column = at + 1;
    if (c == '"' || c == '\'') {
      token.kind = TokenKind::kQuoted;
      for (++at; at < text.size() && text[at] != c; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) {
          token.escapes.push_back(token.text.size());
          ++at;
        }
        token.text += text[at];
      }
      if (at >= text.size()) {
        *error = FilterError{token.column, "the quote that begins here does not close"};
        return false;
      }
      ++at;
    } else if (EndsWord(c)) {
      token.kind = TokenKind::kSign;
      for (absl::string_view sign : kSigns) {
        if (!absl::StartsWith(text.substr(at), sign)) continue;
        token.text = std::string(sign);
        break;
      }
      if (token.text.empty()) token.text = std::string(1, c);  // a single '|'
      at += token.text.size();
    } else {
      token.kind = TokenKind::kWord;
      const size_t begin = at;
      while (at < text.size() && !EndsWord(text[at])) ++at;
      token.text = std::string(text.substr(begin, at - begin));
    }
    tokens->push_back(std::move(token));
  }
  Token end;
  end.column = text.size() + 1;
  tokens->push_back(std::move(end));
  return true;
}

}  // namespace flowacct::filter
