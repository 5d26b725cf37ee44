// The words and signs of a filter, with their columns.

#ifndef FLOWACCT_FILTER_LEXER_H_
#define FLOWACCT_FILTER_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/filter/filter.h"

namespace flowacct::filter {

enum class TokenKind : uint8_t { kWord, kQuoted, kSign, kEnd };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // of a quoted one without its quotes and escapes
  size_t column = 0;
  std::vector<size_t> escapes;  // in `text`: before these a backslash was dropped

  // Of a place in `text`.
  size_t ColumnOf(size_t offset) const {
    size_t at = column + offset + (kind == TokenKind::kQuoted ? 1 : 0);
    for (size_t escape : escapes) at += escape <= offset ? 1 : 0;
    return at;
  }
};

// The last token is kEnd. False, with `error`, for a quote that does not close.
bool Tokenize(absl::string_view text, std::vector<Token>* tokens, FilterError* error);

}  // namespace flowacct::filter

#endif  // FLOWACCT_FILTER_LEXER_H_
