#include "flowacct/sink/sql/dialect.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "flowacct/record/value_text.h"

namespace flowacct::sink::sql {

absl::string_view ColumnType(const Dialect& dialect, record::StoredForm form) {
  switch (form) {
    case record::StoredForm::kInteger:
      return dialect.integer_type;
    case record::StoredForm::kOctets:
      return dialect.octets_type;
    case record::StoredForm::kText:
      break;
  }
  return dialect.text_type;
}

std::string Quoted(const Dialect& dialect, absl::string_view name) {
  std::string quoted(1, dialect.identifier_quote);
  for (const char c : name) {
    if (dialect.backslash_escapes && (c == dialect.identifier_quote || c == '\\')) {
      quoted.push_back('\\');
    } else if (c == dialect.identifier_quote) {
      quoted.push_back(c);
    }
    quoted.push_back(c);
  }
  quoted.push_back(dialect.identifier_quote);
  return quoted;
}

std::string OctetsLiteral(const Dialect& dialect, absl::string_view octets) {
  return absl::Substitute(dialect.octets_literal, absl::BytesToHexString(octets));
}

void Bind(const Dialect& dialect, Parameter parameter, Statement* statement) {
  if (!dialect.text_literal.empty()) {
    switch (parameter.kind) {
      case Cell::Kind::kNull:
        statement->sql += "NULL";
        return;
      case Cell::Kind::kInteger:
        absl::StrAppend(&statement->sql, parameter.integer);
        return;
      case Cell::Kind::kOctets:
        statement->sql += OctetsLiteral(dialect, parameter.octets);
        return;
      case Cell::Kind::kText:
        statement->sql += absl::Substitute(dialect.text_literal, absl::BytesToHexString(parameter.octets));
        return;
    }
  }
  statement->parameters.push_back(std::move(parameter));
  if (dialect.numbered_placeholders) {
    absl::StrAppend(&statement->sql, "$", statement->parameters.size());
  } else {
    statement->sql.push_back('?');
  }
}

Statement Prepared(const Dialect& dialect, absl::string_view pattern, std::vector<Parameter> parameters) {
  Statement statement;
  size_t next = 0;
  for (const char c : pattern) {
    if (c == '?' && next < parameters.size()) {
      Bind(dialect, std::move(parameters[next++]), &statement);
    } else {
      statement.sql.push_back(c);
    }
  }
  return statement;
}

std::string Storable(absl::string_view text) {
  std::string out;
  record::AppendUtf8(text, &out);
  const absl::string_view nul("\0", 1);
  return absl::StrContains(out, nul) ? absl::StrReplaceAll(out, {{nul, "\xef\xbf\xbd"}}) : out;
}

}  // namespace flowacct::sink::sql
