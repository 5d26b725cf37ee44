// The registry of fields as a document: what `flowacct fields` prints, and docs/fields.md.

#ifndef FLOWACCT_RECORD_FIELD_DOCUMENT_H_
#define FLOWACCT_RECORD_FIELD_DOCUMENT_H_

#include <string>

namespace flowacct::record {

// All fields in the order of the registry, each text with a final newline. Deterministic.
std::string FieldsAsMarkdown();  // docs/fields.md
std::string FieldsAsTable();     // aligned, for a terminal
std::string FieldsAsJson();      // one object a line
std::string FieldsAsCsv();       // RFC 4180 with a header line

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_FIELD_DOCUMENT_H_
