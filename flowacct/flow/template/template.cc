#include "flowacct/flow/template/template.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace flowacct::flow {

TemplateField MakeTemplateField(uint32_t pen, uint16_t id, uint16_t length, bool scope) {
  TemplateField field;
  field.pen = pen;
  field.id = id;
  field.length = length;
  field.scope = scope;
  if (pen == kNetFlow9VendorPen) {
    // A vendor's number that stands for an element of its own enterprise becomes that element.
    field.element = FindNetFlow9FieldType(id);
    if (field.element != nullptr) {
      field.pen = field.element->pen;
      field.id = field.element->id;
    }
  } else if (pen != kNetflow9ScopePen) {
    field.element = FindInformationElement(pen == kReversePen ? kIanaPen : pen, id);
  }
  return field;
}

TemplateField MakeTemplateField(Dialect dialect, const FieldSpecifier& specifier) {
  uint32_t pen = specifier.enterprise_number;
  if (dialect == Dialect::kNetflow9) {
    if (specifier.scope) {
      pen = kNetflow9ScopePen;
    } else if (specifier.id >= 0x8000) {
      pen = kNetFlow9VendorPen;
    }
  }
  return MakeTemplateField(pen, specifier.id, specifier.length, specifier.scope);
}

std::string TemplateFieldName(const TemplateField& field) {
  if (field.pen == kNetflow9ScopePen) {
    switch (field.id) {  // RFC 3954, 6.1
      case 1:
        return "scope.system";
      case 2:
        return "scope.interface";
      case 3:
        return "scope.line_card";
      case 4:
        return "scope.cache";
      case 5:
        return "scope.template";
      default:
        return absl::StrCat("scope.", field.id);
    }
  }
  if (field.element == nullptr) {
    return absl::StrCat(field.pen == kNetFlow9VendorPen ? 0 : field.pen, ":", field.id);
  }
  if (!field.reverse()) return std::string(field.element->name);
  // RFC 5103, 6.1: the name gains "reverse" in front, its first letter becomes a capital.
  std::string name(field.element->name);
  if (!name.empty()) name[0] = absl::ascii_toupper(static_cast<unsigned char>(name[0]));
  return absl::StrCat("reverse", name);
}

int Template::Find(uint32_t pen, uint16_t element) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].Is(pen, element)) return static_cast<int>(i);
  }
  return -1;
}

base::DecodeCode MakeTemplate(record::RecordKind kind, std::vector<TemplateField> fields,
                              const TemplateOptions& options, Template* result) {
  if (fields.size() > options.max_fields_per_template) return base::DecodeCode::kLimitExceeded;
  Template made;
  made.kind = kind;
  made.fields = std::move(fields);
  made.fields.shrink_to_fit();
  made.offsets.reserve(made.fields.size());
  made.lengths.reserve(made.fields.size());
  uint64_t at = 0;
  for (const TemplateField& field : made.fields) {
    const bool variable = field.length == kVariableLength;
    made.offsets.push_back(static_cast<uint32_t>(at));
    made.lengths.push_back(variable ? 0 : field.length);
    at += variable ? 1 : field.length;  // a variable field has at least its length octet
    made.variable |= variable;
  }
  // A record of no octets would repeat without end.
  if (at == 0) return base::DecodeCode::kBadTemplate;
  if (at > options.max_record_octets) return base::DecodeCode::kLimitExceeded;
  made.record_octets = static_cast<uint32_t>(at);
  *result = std::move(made);
  return base::DecodeCode::kOk;
}

size_t WalkRecord(const Template& format, base::Octets octets, RecordShape* shape) {
  size_t at = 0;
  base::Octets field;
  for (size_t i = 0; i < format.fields.size(); ++i) {
    if (!TakeField(octets, format.fields[i].length, &at, &field)) return 0;
    shape->offsets[i] = static_cast<uint32_t>(at - field.size());
    shape->lengths[i] = static_cast<uint32_t>(field.size());
  }
  return at;
}

}  // namespace flowacct::flow
