// What the commands with a filter share.

#ifndef TOOLS_FLOWACCT_WHERE_OPTION_H_
#define TOOLS_FLOWACCT_WHERE_OPTION_H_

#include <string>

namespace flowacct::tools {

// On standard error, if it is no filter: its text with a caret under the place.
void ShowWhere(const std::string& where);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_WHERE_OPTION_H_
