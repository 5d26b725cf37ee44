#include "flowacct/record/field.h"

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/near_miss.h"

namespace flowacct::record {
namespace {

using K = FieldKind;

constexpr FieldInfo MakeInfo(FieldId id, absl::string_view name, FieldType type, FieldKind kind, absl::string_view unit,
                             uint32_t pen, uint16_t element, absl::string_view ipfix, absl::string_view primitive,
                             absl::string_view output, absl::string_view csv, absl::string_view help) {
  return FieldInfo{id, name, type, kind, unit, pen, element, ipfix, primitive, output, csv, help};
}

constexpr FieldInfo kInfos[] = {
#define X(id, name, type, kind, unit, pen, element, ipfix, primitive, output, csv, help)                            \
  MakeInfo(FieldId::id, name, internal::TypeOf(FieldId::id), K::kind, unit, pen, element, ipfix, primitive, output, \
           csv, help),
#include "flowacct/record/fields.def"
#undef X
};

const absl::flat_hash_map<std::string, FieldId>& Names() {
  static const auto* names = [] {
    auto* map = new absl::flat_hash_map<std::string, FieldId>;
    // Canonical names win over any alias, primitives over output names.
    for (const FieldInfo& info : kInfos) map->emplace(info.name, info.id);
    for (const FieldInfo& info : kInfos) {
      for (absl::string_view alias :
           {info.pmacct_primitive, info.pmacct_output, info.ipfix_name, info.pmacct_csv_title}) {
        if (!alias.empty()) map->emplace(absl::AsciiStrToLower(alias), info.id);
      }
    }
    return map;
  }();
  return *names;
}

}  // namespace

const FieldInfo& Info(FieldId id) { return kInfos[static_cast<size_t>(id)]; }

absl::string_view FieldTypeName(FieldType type) {
  static constexpr absl::string_view kNames[] = {
#define X(type, size, cpp, name) name,
      FLOWACCT_FIELD_TYPES(X)
#undef X
  };
  return kNames[static_cast<size_t>(type)];
}

std::optional<FieldId> FindField(absl::string_view name) {
  const auto it = Names().find(absl::AsciiStrToLower(name));
  if (it == Names().end()) return std::nullopt;
  return it->second;
}

absl::StatusOr<FieldId> FieldFromName(absl::string_view name) {
  if (const std::optional<FieldId> id = FindField(name)) return *id;
  std::vector<absl::string_view> words;
  words.reserve(Names().size());
  for (const auto& [word, id] : Names()) words.push_back(word);
  const std::vector<std::string> near = base::NearestWords(absl::AsciiStrToLower(name), words);
  return absl::InvalidArgumentError(
      absl::StrCat("no field is called \"", name, "\"",
                   near.empty() ? "; `flowacct fields` lists them"
                                : absl::StrCat("; did you mean ", absl::StrJoin(near, " or "), "?")));
}

absl::Span<const absl::string_view> EnumerationNames(FieldType type) {
  static constexpr absl::string_view kSamplingSources[] = {"none",   "record", "options",
                                                           "header", "sflow",  "configured"};
  static constexpr absl::string_view kRouteSources[] = {
      "none", "bgp", "bmp_loc_rib", "bmp_adj_rib_in", "bmp_adj_rib_out", "bgp_mapped", "bgp_reflector", "mrt"};
  static constexpr absl::string_view kRoaStates[] = {"valid", "not_found", "invalid"};
  static constexpr absl::string_view kBgpOrigins[] = {"igp", "egp", "incomplete"};
  switch (type) {
    case FieldType::kSamplingSource:
      return kSamplingSources;
    case FieldType::kRouteSource:
      return kRouteSources;
    case FieldType::kRoaState:
      return kRoaStates;
    case FieldType::kBgpOrigin:
      return kBgpOrigins;
    default:
      return {};
  }
}

absl::string_view SamplingSourceName(SamplingSource source) {
  return EnumerationNames(FieldType::kSamplingSource)[static_cast<size_t>(source)];
}

}  // namespace flowacct::record
