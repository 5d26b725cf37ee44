#include "flowacct/sink/export/export_element.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"
#include "flowacct/base/digits.h"
#include "flowacct/flow/template/information_element.h"

namespace flowacct::sink {
namespace {

using flow::AbstractType;
using flow::InformationElement;
using record::FieldId;
using record::FieldType;

enum class Family : uint8_t { kNone, kV4, kV6 };

Family FamilyOf(const InformationElement& element) {
  if (element.type == AbstractType::kIpv4Address || absl::StrContains(element.name, "IPv4")) return Family::kV4;
  if (element.type == AbstractType::kIpv6Address || absl::StrContains(element.name, "IPv6")) return Family::kV6;
  return Family::kNone;
}

// Fields that decoders have from the message and not from an element, and what tells them all the same.
struct Relayed {
  FieldId field;
  uint16_t v4, v6;
};
constexpr Relayed kRelayed[] = {
    {FieldId::kExporter, 403, 404},           // originalExporterIPv4Address, originalExporterIPv6Address (RFC 7119)
    {FieldId::kObservationDomain, 405, 405},  // originalObservationDomainId (RFC 7119)
    {FieldId::kArrivalTime, 258, 258},        // collectionTimeMilliseconds (RFC 5655)
};

struct TimeElements {
  ExportTimes times;
  uint16_t start, end, length;
  Encoding encoding;
};
constexpr TimeElements kTimes[] = {
    {ExportTimes::kUptime, 22, 21, 4, Encoding::kUptime},
    {ExportTimes::kSeconds, 150, 151, 4, Encoding::kSeconds},
    {ExportTimes::kMilliseconds, 152, 153, 8, Encoding::kMilliseconds},
    {ExportTimes::kMicroseconds, 154, 155, 8, Encoding::kMicroseconds},
    {ExportTimes::kNanoseconds, 156, 157, 8, Encoding::kNanoseconds},
};

// Elements whose octets are not those that their type says, or that the registry calls by another.
struct Special {
  uint16_t id, length;
  Encoding encoding;
};
constexpr Special kSpecial[] = {
    {70, 3, Encoding::kTopLabel},                   // mplsTopLabelStackSection
    {316, kVariableLength, Encoding::kLabelStack},  // mplsLabelStackSection
    {90, 8, Encoding::kNumber},                     // mplsVpnRouteDistinguisher
    {511, kVariableLength, Encoding::kAsPath},      // bgpSourceAsPathList
    {512, kVariableLength, Encoding::kAsPath},      // bgpDestinationAsPathList
};

// Of applicationId in NetFlow v9 (RFC 6759, 4.1).
constexpr uint16_t kFixedIdOctets = 4;

bool IsNumber(FieldType type) {
  return record::FieldTypeSize(type) <= 8 && record::FieldTypeSize(type) != 6 && !IsInterned(type) &&
         type != FieldType::kDigits;
}

// How a field of this type goes into this element; nothing if it does not.
std::optional<ExportElement> Fit(FieldId field, const InformationElement& element, ExportFormat format) {
  const bool v9 = format == ExportFormat::kNetflow9;
  ExportElement out{element.pen, element.id, flow::AbstractTypeSize(element.type), Encoding::kNumber};
  const FieldType type = record::Info(field).type;
  const bool iana = element.pen == flow::kIanaPen;
  const auto special = std::find_if(std::begin(kSpecial), std::end(kSpecial),
                                    [&](const Special& row) { return iana && row.id == element.id; });
  if (special != std::end(kSpecial)) {
    out.length = special->length;
    out.encoding = special->encoding;
  } else {
    switch (element.type) {
      case AbstractType::kUnsigned8:
      case AbstractType::kUnsigned16:
      case AbstractType::kUnsigned32:
      case AbstractType::kUnsigned64:
        if (!IsNumber(type)) return std::nullopt;
        break;
      case AbstractType::kIpv4Address:
        if (type != FieldType::kAddress && type != FieldType::kPrefix) return std::nullopt;
        out.encoding = type == FieldType::kPrefix ? Encoding::kPrefixV4 : Encoding::kAddressV4;
        break;
      case AbstractType::kIpv6Address:
        if (type != FieldType::kAddress && type != FieldType::kPrefix) return std::nullopt;
        out.encoding = type == FieldType::kPrefix ? Encoding::kPrefixV6 : Encoding::kOctets;
        break;
      case AbstractType::kMacAddress:
        if (type != FieldType::kMac) return std::nullopt;
        out.encoding = Encoding::kOctets;
        break;
      case AbstractType::kString:
      case AbstractType::kOctetArray:
        if (type == FieldType::kDigits) {
          out.length = v9 ? uint16_t{base::Digits::kTextSize} : kVariableLength;
          out.encoding = Encoding::kDigits;
          break;
        }
        if (type != FieldType::kString && type != FieldType::kOctets) return std::nullopt;
        out.length = !v9 ? kVariableLength : type == FieldType::kOctets ? kFixedIdOctets : kFixedTextOctets;
        out.encoding = v9 ? Encoding::kFixedText : Encoding::kText;
        break;
      case AbstractType::kBasicList:
        if (type != FieldType::kCommunities && type != FieldType::kExtCommunities &&
            type != FieldType::kLargeCommunities) {
          return std::nullopt;
        }
        out.length = kVariableLength;
        out.encoding = Encoding::kList;
        break;
      case AbstractType::kDateTimeMilliseconds:
        out.encoding = Encoding::kMilliseconds;
        break;
      default:
        return std::nullopt;
    }
  }
  // RFC 3954 has no enterprise numbers, no variable length and no lists.
  if (v9 && (!iana || out.length == kVariableLength)) return std::nullopt;
  return out;
}

}  // namespace

std::optional<ExportElements> ElementsOf(FieldId field, ExportFormat format, ExportTimes times, uint32_t enterprise) {
  if (field == FieldId::kStartTime || field == FieldId::kEndTime) {
    for (const TimeElements& row : kTimes) {
      if (row.times != times) continue;
      const uint16_t id = field == FieldId::kStartTime ? row.start : row.end;
      const ExportElement element{flow::kIanaPen, id, row.length, row.encoding};
      return ExportElements{element, element};
    }
  }
  for (const Relayed& row : kRelayed) {
    if (row.field != field) continue;
    const auto v4 = Fit(field, *flow::FindInformationElement(flow::kIanaPen, row.v4), format);
    const auto v6 = Fit(field, *flow::FindInformationElement(flow::kIanaPen, row.v6), format);
    return ExportElements{*v4, *v6};
  }
  struct Best {
    std::optional<ExportElement> element;
    std::tuple<bool, int, uint32_t, uint16_t> order;
  };
  Best none, v4, v6;
  for (const InformationElement& element : flow::InformationElements()) {
    if (element.field != field || element.pen == flow::kNetFlow9VendorPen) continue;
    const bool own = element.pen == flow::kOwnPen;
    if (own && enterprise == 0) continue;
    std::optional<ExportElement> fitting = Fit(field, element, format);
    if (!fitting.has_value()) continue;
    if (own) fitting->pen = enterprise;
    const Family family = FamilyOf(element);
    Best& best = family == Family::kV4 ? v4 : family == Family::kV6 ? v6 : none;
    const auto order = std::make_tuple(element.pen != flow::kIanaPen, int{element.rank}, element.pen, element.id);
    if (!best.element.has_value() || order < best.order) best = {fitting, order};
  }
  if (v4.element.has_value() && v6.element.has_value() && (!none.element.has_value() || v4.order < none.order)) {
    return ExportElements{*v4.element, *v6.element};
  }
  if (none.element.has_value()) return ExportElements{*none.element, *none.element};
  return std::nullopt;
}

ExportElement PrefixLengthElement(FieldId prefix, bool v6) {
  const bool source = prefix == FieldId::kSrcNet;
  return {flow::kIanaPen, static_cast<uint16_t>(v6 ? (source ? 29 : 30) : (source ? 9 : 13)), 1, Encoding::kNumber};
}

ExportElement IcmpElement(bool v6) {
  return {flow::kIanaPen, static_cast<uint16_t>(v6 ? 139 : 32), 2, Encoding::kIcmp};
}

bool IsRelayed(FieldId field) {
  return std::any_of(std::begin(kRelayed), std::end(kRelayed), [&](const Relayed& row) { return row.field == field; });
}

}  // namespace flowacct::sink
