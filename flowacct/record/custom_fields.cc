#include "flowacct/record/custom_fields.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/near_miss.h"

namespace flowacct::record {
namespace {

using Type = CustomFieldOptions::Type;
using Layer = PacketPlace::Layer;

// Rows of the registry by the type of what they hold.
struct Rows {
  FieldId first;
  size_t count;
  absl::string_view what;
};
constexpr Rows kNumbers = {FieldId::kCustom1, 8, "numbers"};
constexpr Rows kTexts = {FieldId::kCustomText1, 8, "texts"};
constexpr Rows kAddresses = {FieldId::kCustomAddr1, 4, "addresses"};

struct TypeRow {
  Type type;
  Rows rows;
  uint16_t max_length;  // of a value in octets
};
constexpr TypeRow kTypes[] = {
    {Type::kNumber, kNumbers, 8},
    {Type::kText, kTexts, 65535},
    {Type::kHex, kTexts, 32767},
    {Type::kAddress, kAddresses, 16},
};

struct LayerName {
  absl::string_view word;
  Layer layer;
  bool has_protocol;
};
constexpr LayerName kLayers[] = {
    {"packet", Layer::kPacket, false},   {"mac", Layer::kMac, false},   {"vlan", Layer::kVlan, false},
    {"mpls", Layer::kMpls, false},       {"l3", Layer::kNetwork, true}, {"l4", Layer::kTransport, true},
    {"payload", Layer::kPayload, false},
};

bool IsWordCharacter(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// A number of digits alone, or with 0x before them.
bool ParseNumber(absl::string_view text, uint32_t largest, uint32_t* number) {
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text[0]))) return false;
  const bool hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (hex ? !absl::SimpleHexAtoi(text, number) : !absl::SimpleAtoi(text, number)) return false;
  return *number <= largest;
}

bool ParseElement(absl::string_view text, CustomField* field) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  uint32_t element = 0;
  if (parts.size() > 2 || !ParseNumber(parts.back(), 32767, &element) || element == 0) return false;
  if (parts.size() == 2 && !ParseNumber(parts[0], UINT32_MAX, &field->pen)) return false;
  field->element = static_cast<uint16_t>(element);
  field->has_element = true;
  return true;
}

bool ParsePlace(absl::string_view text, PacketPlace* place) {
  const std::pair<absl::string_view, absl::string_view> at = absl::StrSplit(text, absl::MaxSplits('+', 1));
  const std::pair<absl::string_view, absl::string_view> layer = absl::StrSplit(at.first, absl::MaxSplits(':', 1));
  const auto named = std::find_if(std::begin(kLayers), std::end(kLayers), [&](const LayerName& known) {
    return absl::AsciiStrToLower(layer.first) == known.word;
  });
  if (named == std::end(kLayers)) return false;
  place->layer = named->layer;
  uint32_t number = 0;
  if (!layer.second.empty()) {
    if (!named->has_protocol || !ParseNumber(layer.second, 65535, &number)) return false;
    place->protocol = static_cast<uint16_t>(number);
  }
  if (at.second.empty()) return true;
  if (!ParseNumber(at.second, 65535, &number)) return false;
  place->offset = static_cast<uint16_t>(number);
  return true;
}

}  // namespace

absl::Status FieldNames::Add(absl::string_view name, FieldId field) {
  if (name.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(name[0])) ||
      !std::all_of(name.begin(), name.end(), IsWordCharacter)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name, "\" is no name of a field: give letters, digits and '_', a letter first"));
  }
  if (const std::optional<FieldId> known = Find(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name, "\" is the name of a field already (", NameOf(*known), "); give another"));
  }
  names_.emplace_back(absl::AsciiStrToLower(name), field);
  return absl::OkStatus();
}

std::optional<FieldId> FieldNames::Find(absl::string_view name) const {
  const std::string lower = absl::AsciiStrToLower(name);
  for (const auto& [known, field] : names_) {
    if (known == lower) return field;
  }
  return FindField(name);
}

absl::StatusOr<FieldId> FieldNames::FromName(absl::string_view name) const {
  if (const std::optional<FieldId> field = Find(name)) return *field;
  std::vector<absl::string_view> words;
  for (const auto& [known, field] : names_) words.push_back(known);
  const std::vector<std::string> near = base::NearestWords(absl::AsciiStrToLower(name), words);
  if (near.empty()) return FieldFromName(name);
  return absl::InvalidArgumentError(
      absl::StrCat("no field is called \"", name, "\"; did you mean ", absl::StrJoin(near, " or "), "?"));
}

absl::string_view FieldNames::NameOf(FieldId field) const {
  for (const auto& [name, known] : names_) {
    if (known == field) return name;
  }
  return Info(field).name;
}

std::string FieldNames::Canonical(absl::string_view spec) const {
  std::string canonical;
  for (size_t at = 0; at < spec.size();) {
    size_t end = at;
    while (end < spec.size() && IsWordCharacter(spec[end])) ++end;
    if (end == at) {
      canonical += spec[at++];
      continue;
    }
    const absl::string_view word = spec.substr(at, end - at);
    const std::string lower = absl::AsciiStrToLower(word);
    const auto named =
        std::find_if(names_.begin(), names_.end(), [&lower](const auto& known) { return known.first == lower; });
    absl::StrAppend(&canonical, named == names_.end() ? word : Info(named->second).name);
    at = end;
  }
  return canonical;
}

bool SetCustomField(const CustomField& field, base::Octets octets, base::Interner* interner, MutableRow row) {
  if (field.length != 0 && octets.size() > field.length) octets = octets.first(field.length);
  if (octets.empty()) return true;
  switch (field.type) {
    case Type::kNumber:
      return octets.size() <= 8 && row.SetNumber(field.field, base::LoadBe(octets.data(), octets.size()));
    case Type::kText:
      while (!octets.empty() && octets.back() == 0) octets.remove_suffix(1);
      if (!octets.empty()) row.SetNumber(field.field, interner->Intern(octets));
      return true;
    case Type::kHex: {
      const std::string digits =
          absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(octets.data()), octets.size()));
      row.SetNumber(field.field, interner->Intern(digits));
      return true;
    }
    case Type::kAddress:
      if (octets.size() != 4 && octets.size() != 16) return false;
      row.SetAddress(field.field, octets.size() == 4 ? base::IpAddress::FromV4(octets.data())
                                                     : base::IpAddress::FromV6(octets.data()));
      return true;
  }
  return false;
}

absl::StatusOr<CustomFields> CustomFields::New(absl::Span<const CustomFieldOptions> options) {
  CustomFields custom;
  size_t taken[kFieldCount] = {};  // by the first row of its type
  for (const CustomFieldOptions& option : options) {
    const auto wrong = [&option](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat("custom field \"", option.name, "\": ", what));
    };
    const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&option](const TypeRow& row) { return row.type == option.type; });
    CustomField field;
    field.name = option.name;
    field.type = option.type;
    field.length = option.length;
    size_t& used = taken[static_cast<size_t>(type->rows.first)];
    if (used == type->rows.count) {
      return wrong(absl::StrCat("more than ", type->rows.count, " custom fields are ", type->rows.what));
    }
    field.field = static_cast<FieldId>(static_cast<size_t>(type->rows.first) + used++);
    if (!option.element.empty() && !ParseElement(option.element, &field)) {
      return wrong(absl::StrCat("\"", option.element, "\" is no element, such as 47 or 637:91"));
    }
    for (const std::string& text : option.packet) {
      PacketPlace place;
      if (!ParsePlace(text, &place)) {
        return wrong(
            absl::StrCat("\"", text,
                         "\" is no place in a packet, such as l3:0x800+8 or payload+4; layers are packet, mac, "
                         "vlan, mpls, l3, l4 and payload"));
      }
      field.packet.push_back(place);
    }
    if (!field.has_element && field.packet.empty()) return wrong("give an element, or a place in a packet");
    if (!field.packet.empty() && option.length == 0) return wrong("give the length of what is read of packets");
    if (option.length > type->max_length) {
      return wrong(
          absl::StrCat("length = ", option.length, " is more than ", type->max_length, ", the most for its type"));
    }
    if (option.type == Type::kAddress && option.length != 0 && option.length != 4 && option.length != 16) {
      return wrong(absl::StrCat("length = ", option.length, ", but an address has 4 or 16 octets"));
    }
    if (absl::Status status = custom.names_.Add(option.name, field.field); !status.ok()) {
      return wrong(status.message());
    }
    custom.fields_.push_back(std::move(field));
  }
  return custom;
}

absl::StatusOr<CustomFields> CustomFields::OfNames(absl::Span<const std::pair<std::string, FieldId>> names) {
  CustomFields custom;
  for (const auto& [name, id] : names) {
    if (absl::Status status = custom.names_.Add(name, id); !status.ok()) return status;
    CustomField field;
    field.name = name;
    field.field = id;
    custom.fields_.push_back(std::move(field));
  }
  return custom;
}

}  // namespace flowacct::record
