#include "flowacct/flow/template/information_element.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace flowacct::flow {
namespace {

using record::FieldId;

#define ROW(pen, id, name, type, semantics, unit, deprecated, field, rank)                                          \
  InformationElement {                                                                                              \
    pen, id, AbstractType::type, Semantics::semantics, rank, deprecated, absl::string_view(name, sizeof(name) - 1), \
        absl::string_view(unit, sizeof(unit) - 1), field                                                            \
  }

// kElements by PEN and id; kIanaIndex: place in kElements plus one, by id; kNameOrder: places by lower-case name.
#include "flowacct/flow/template/information_element_table.inc"
#undef ROW

struct Number {
  uint32_t pen;
  uint16_t id;
};

bool Before(const InformationElement& element, const Number& number) {
  return element.pen != number.pen ? element.pen < number.pen : element.id < number.id;
}

int CompareNames(absl::string_view a, absl::string_view b) {
  const size_t n = std::min(a.size(), b.size());
  for (size_t i = 0; i < n; ++i) {
    const int x = static_cast<unsigned char>(absl::ascii_tolower(static_cast<unsigned char>(a[i])));
    const int y = static_cast<unsigned char>(absl::ascii_tolower(static_cast<unsigned char>(b[i])));
    if (x != y) return x - y;
  }
  return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

// nProbe's field types in NetFlow v9 are its elements plus this.
constexpr uint16_t kNtopNetFlow9Base = 57472;

}  // namespace

absl::string_view AbstractTypeName(AbstractType type) {
  switch (type) {
#define X(name, number, text, octets) \
  case AbstractType::name:            \
    return text;
    FLOWACCT_ABSTRACT_TYPES(X)
#undef X
  }
  return "";
}

std::optional<AbstractType> FindAbstractType(absl::string_view name) {
#define X(type, number, text, octets) \
  if (CompareNames(name, text) == 0) return AbstractType::type;
  FLOWACCT_ABSTRACT_TYPES(X)
#undef X
  return std::nullopt;
}

uint16_t AbstractTypeSize(AbstractType type) {
  switch (type) {
#define X(name, number, text, octets) \
  case AbstractType::name:            \
    return octets;
    FLOWACCT_ABSTRACT_TYPES(X)
#undef X
  }
  return 0;
}

absl::string_view SemanticsName(Semantics semantics) {
  switch (semantics) {
#define X(name, number, text) \
  case Semantics::name:       \
    return text;
    FLOWACCT_SEMANTICS(X)
#undef X
  }
  return "";
}

const InformationElement* FindInformationElement(uint32_t pen, uint16_t id) {
  if (pen == kIanaPen) {
    if (id >= std::size(kIanaIndex) || kIanaIndex[id] == 0) return nullptr;
    return &kElements[kIanaIndex[id] - 1];
  }
  const auto* found = std::lower_bound(std::begin(kElements), std::end(kElements), Number{pen, id}, Before);
  return found != std::end(kElements) && found->pen == pen && found->id == id ? found : nullptr;
}

const InformationElement* FindInformationElement(absl::string_view name) {
  const auto* found =
      std::lower_bound(std::begin(kNameOrder), std::end(kNameOrder), name,
                       [](uint16_t i, absl::string_view n) { return CompareNames(kElements[i].name, n) < 0; });
  if (found == std::end(kNameOrder) || CompareNames(kElements[*found].name, name) != 0) return nullptr;
  return &kElements[*found];
}

const InformationElement* FindNetFlow9FieldType(uint16_t type) {
  if (const InformationElement* iana = FindInformationElement(kIanaPen, type)) return iana;
  if (const InformationElement* own = FindInformationElement(kNetFlow9VendorPen, type)) return own;
  if (type < 0x8000) return nullptr;
  if (type >= kNtopNetFlow9Base) {
    if (const InformationElement* ntop = FindInformationElement(kNtopPen, type - kNtopNetFlow9Base)) return ntop;
  }
  return FindInformationElement(kCiscoPen, type & 0x7fff);
}

absl::Span<const InformationElement> InformationElements() { return kElements; }

}  // namespace flowacct::flow
