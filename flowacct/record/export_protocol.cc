#include "flowacct/record/export_protocol.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace flowacct::record {
namespace {

constexpr absl::string_view kFamilyNames[] = {
#define X(family, name) name,
    FLOWACCT_EXPORT_FAMILIES(X)
#undef X
};

struct ProtocolRow {
  ExportProtocol protocol;
  absl::string_view name;
  ExportFamily family;
  uint32_t version;
};

constexpr ProtocolRow kProtocols[] = {
#define X(protocol, name, family, version) {ExportProtocol::protocol, name, ExportFamily::family, version},
    FLOWACCT_EXPORT_PROTOCOLS(X)
#undef X
};

constexpr uint32_t kVersions = 11;

// By family and version: asked for every datagram.
constexpr auto MakeIndex() {
  std::array<std::array<ExportProtocol, kVersions>, std::size(kFamilyNames)> index{};
  for (const ProtocolRow& row : kProtocols) index[static_cast<size_t>(row.family)][row.version] = row.protocol;
  return index;
}
constexpr auto kIndex = MakeIndex();

}  // namespace

absl::string_view ExportProtocolName(ExportProtocol protocol) { return kProtocols[static_cast<size_t>(protocol)].name; }

absl::string_view ExportFamilyName(ExportFamily family) { return kFamilyNames[static_cast<size_t>(family)]; }

ExportFamily FamilyOf(ExportProtocol protocol) { return kProtocols[static_cast<size_t>(protocol)].family; }

ExportProtocol FindExportProtocol(ExportFamily family, uint32_t version) {
  return version < kVersions ? kIndex[static_cast<size_t>(family)][version] : ExportProtocol::kNone;
}

absl::string_view ExportProtocolName(ExportFamily family, uint32_t version) {
  const ExportProtocol protocol = FindExportProtocol(family, version);
  return protocol == ExportProtocol::kNone ? ExportFamilyName(family) : ExportProtocolName(protocol);
}

}  // namespace flowacct::record
