#include "flowacct/message/message_document.h"

#include "absl/strings/str_cat.h"
#include "flowacct/message/message_fields.h"

namespace flowacct::message {

std::string MessageFieldTable() {
  std::string table = "| number | name | type | field | what |\n| --- | --- | --- | --- | --- |\n";
  for (const MessageField& field : MessageFields()) {
    const bool known = field.field != record::FieldId::kFieldCount;
    const record::FieldInfo* const info = known ? &record::Info(field.field) : nullptr;
    absl::StrAppend(&table, "| ", field.number, " | `", field.name, "` | ", field.type, " | ");
    if (known) absl::StrAppend(&table, "`", info->name, "`");
    absl::StrAppend(&table, known ? " | " : "| ", known ? info->help : field.help, " |\n");
  }
  return table;
}

}  // namespace flowacct::message
