#include "flowacct/flow/netflow/fixed_template.h"

#include <utility>
#include <vector>

namespace flowacct::netflow {

flow::Template MakeFixedTemplate(const FixedFormat& format) {
  std::vector<flow::TemplateField> fields;
  fields.reserve(format.fields.size());
  for (const FixedField& field : format.fields) {
    fields.push_back(flow::MakeTemplateField(flow::kIanaPen, field.element, field.octets));
  }
  flow::Template made;
  // The tables are right: a test compares record_octets.
  const base::DecodeCode code =
      flow::MakeTemplate(record::RecordKind::kFlow, std::move(fields), flow::TemplateOptions(), &made);
  static_cast<void>(code);
  return made;
}

}  // namespace flowacct::netflow
