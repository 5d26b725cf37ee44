// The table of docs/reference/message.md, made from the table of fields. Any thread. Cost: a text.

#ifndef FLOWACCT_MESSAGE_MESSAGE_DOCUMENT_H_
#define FLOWACCT_MESSAGE_MESSAGE_DOCUMENT_H_

#include <string>

namespace flowacct::message {

// Markdown: a row a field.
std::string MessageFieldTable();

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_MESSAGE_DOCUMENT_H_
