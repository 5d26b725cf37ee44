#include "tools/flowacct/where_option.h"

#include <cstdio>

#include "flowacct/filter/filter.h"

namespace flowacct::tools {

void ShowWhere(const std::string& where) {
  filter::FilterError error;
  if (filter::Filter::Parse(where, {}, &error).ok() || error.column == 0 || where.find('\n') != std::string::npos)
    return;
  std::fprintf(stderr, "  %s\n  %*s\n", where.c_str(), static_cast<int>(error.column), "^");
}

}  // namespace flowacct::tools
