#include "flowacct/record/stored_value.h"

#include <cstddef>
#include <cstring>

#include "flowacct/base/octets.h"
#include "flowacct/record/value_text.h"

namespace flowacct::record {
namespace {

constexpr absl::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

uint64_t LoadNumber(FieldType type, const uint8_t* value) {
  switch (FieldTypeSize(type)) {
    case 1:
      return *value;
    case 2:
      return base::LoadHost<uint16_t>(value);
    case 4:
      return base::LoadHost<uint32_t>(value);
    default:
      return base::LoadHost<uint64_t>(value);
  }
}

void StoreNumber(FieldType type, uint64_t number, uint8_t* value) {
  switch (FieldTypeSize(type)) {
    case 1:
      *value = static_cast<uint8_t>(number);
      return;
    case 2:
      base::StoreHost<uint16_t>(value, static_cast<uint16_t>(number));
      return;
    case 4:
      base::StoreHost<uint32_t>(value, static_cast<uint32_t>(number));
      return;
    default:
      base::StoreHost<uint64_t>(value, number);
  }
}

// Stores take no NUL in a text (PostgreSQL), and only UTF-8.
void AppendStorable(absl::string_view text, std::string* out) {
  const size_t begin = out->size();
  AppendUtf8(text, out);
  for (size_t at = begin; (at = out->find('\0', at)) != std::string::npos; at += kReplacement.size()) {
    out->replace(at, 1, kReplacement.data(), kReplacement.size());
  }
}

// The octets that a value of this type has in a row, from what was stored; false: it is none.
bool ToRow(FieldType type, const StoredValue& value, uint8_t* row) {
  if (StoredFormOf(type) == StoredForm::kInteger) {
    StoreNumber(type, static_cast<uint64_t>(value.integer), row);
    return true;
  }
  if (StoredFormOf(type) != StoredForm::kOctets || IsInterned(type) || value.octets.size() != FieldTypeSize(type)) {
    return false;
  }
  std::memcpy(row, value.octets.data(), value.octets.size());
  return type != FieldType::kPrefix || row[16] <= 128;
}

bool IsList(FieldType type) {
  return type == FieldType::kCommunities || type == FieldType::kExtCommunities || type == FieldType::kLargeCommunities;
}

void AppendJsonList(absl::string_view text, char separator, absl::string_view quote, std::string* out) {
  out->push_back('[');
  while (!text.empty()) {
    const size_t end = text.find(separator);
    const absl::string_view item = text.substr(0, end);
    out->append(quote.data(), quote.size());
    out->append(item.data(), item.size());
    out->append(quote.data(), quote.size());
    if (end == absl::string_view::npos) break;
    out->push_back(',');
    text.remove_prefix(end + 1);
  }
  out->push_back(']');
}

}  // namespace

StoredValue ToStored(FieldType type, const uint8_t* value, const base::Interner& interner, std::string* scratch) {
  StoredValue stored;
  stored.present = true;
  switch (StoredFormOf(type)) {
    case StoredForm::kInteger:
      stored.integer = static_cast<int64_t>(LoadNumber(type, value));
      break;
    case StoredForm::kOctets:
      stored.octets = base::AsText(IsInterned(type) ? interner.Find(base::LoadHost<base::InternId>(value))
                                                    : base::Octets(value, FieldTypeSize(type)));
      break;
    case StoredForm::kText: {
      scratch->clear();
      if (type == FieldType::kString) {
        AppendStorable(base::AsText(interner.Find(base::LoadHost<base::InternId>(value))), scratch);
      } else {
        AppendText(type, value, interner, scratch);
      }
      stored.octets = *scratch;
      break;
    }
  }
  return stored;
}

void AppendStoredText(FieldType type, const StoredValue& value, std::string* out) {
  if (!value.present) return;
  uint8_t row[32];
  if (ToRow(type, value, row)) {
    char text[kMaxFixedTextSize];
    out->append(text, static_cast<size_t>(FixedTextFormatter(type)(row, text) - text));
  } else if (StoredFormOf(type) == StoredForm::kText) {
    out->append(value.octets.data(), value.octets.size());
  } else if (IsInterned(type)) {
    AppendInternedText(type, base::AsOctets(value.octets), out);
  }
}

void AppendStoredJson(FieldType type, const StoredValue& value, std::string* out) {
  uint8_t row[32];
  if (!value.present) {
    out->append("null");
  } else if (ToRow(type, value, row)) {
    char text[kMaxFixedTextSize];
    out->append(text, static_cast<size_t>(FixedJsonFormatter(type)(row, text) - text));
  } else if (StoredFormOf(type) != StoredForm::kText) {
    if (IsInterned(type)) {
      AppendInternedJson(type, base::AsOctets(value.octets), out);
    } else {
      out->append("null");
    }
  } else if (IsList(type)) {
    AppendJsonList(value.octets, ' ', "\"", out);
  } else if (type == FieldType::kLabelStack) {
    AppendJsonList(value.octets, '/', "", out);
  } else if (type == FieldType::kCoordinates) {
    AppendJsonList(value.octets, ',', "", out);
  } else {
    AppendJsonString(value.octets, out);
  }
}

}  // namespace flowacct::record
