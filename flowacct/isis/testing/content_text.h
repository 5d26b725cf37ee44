// All that an LspContent or a HelloContent holds as text, so that two can be compared and a difference can be read.

#ifndef FLOWACCT_ISIS_TESTING_CONTENT_TEXT_H_
#define FLOWACCT_ISIS_TESTING_CONTENT_TEXT_H_

#include <string>

#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/lsp_content.h"

namespace flowacct::isis::testing {

// A line for each value.
std::string AsText(const LspContent& content);
std::string AsText(const HelloContent& content);

}  // namespace flowacct::isis::testing

#endif  // FLOWACCT_ISIS_TESTING_CONTENT_TEXT_H_
