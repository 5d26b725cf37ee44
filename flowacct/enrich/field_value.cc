#include "flowacct/enrich/field_value.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/filter/value.h"

namespace flowacct::enrich {
namespace {

using record::FieldType;

bool ParseCoordinates(absl::string_view text, uint8_t* octets) {
  const size_t comma = text.find(',');
  float latitude = 0, longitude = 0;
  if (comma == absl::string_view::npos || !absl::SimpleAtof(text.substr(0, comma), &latitude) ||
      !absl::SimpleAtof(text.substr(comma + 1), &longitude)) {
    return false;
  }
  // Also false for what is no number.
  if (!(std::abs(latitude) <= 90 && std::abs(longitude) <= 180)) return false;
  base::StoreHost(octets, latitude);
  base::StoreHost(octets + 4, longitude);
  return true;
}

bool IsHex(absl::string_view text) {
  return text.size() % 2 == 0 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isxdigit(static_cast<unsigned char>(c));
         });
}

}  // namespace

uint64_t FieldValue::number() const { return base::LoadHost<uint64_t>(octets.data()); }

std::string ParseFieldValue(record::FieldId field, absl::string_view text, FieldValue* value) {
  const record::FieldInfo& info = record::Info(field);
  value->interned = record::IsInterned(info.type);
  value->octets.fill(0);
  value->text.clear();
  switch (info.type) {
    case FieldType::kAddress: {
      const std::optional<base::IpAddress> address = base::IpAddress::Parse(text);
      if (!address) return absl::StrCat("\"", text, "\" is no address, such as 192.0.2.1, which ", info.name, " is");
      std::memcpy(value->octets.data(), address->data(), base::IpAddress::kSize);
      return "";
    }
    case FieldType::kPrefix: {
      const std::optional<base::IpPrefix> prefix = base::IpPrefix::Parse(text);
      if (!prefix) return absl::StrCat("\"", text, "\" is no prefix, such as 192.0.2.0/24, which ", info.name, " is");
      std::memcpy(value->octets.data(), prefix->address().data(), base::IpAddress::kSize);
      value->octets[16] = prefix->length();
      return "";
    }
    case FieldType::kMac: {
      const std::optional<base::MacAddress> mac = base::MacAddress::Parse(text);
      if (!mac)
        return absl::StrCat("\"", text, "\" is no MAC address, such as 02:00:00:00:00:01, which ", info.name, " is");
      std::memcpy(value->octets.data(), mac->octets.data(), mac->octets.size());
      return "";
    }
    case FieldType::kCoordinates:
      if (ParseCoordinates(text, value->octets.data())) return "";
      return absl::StrCat("\"", text, "\" is no latitude and longitude, such as \"52.37,4.9\", which ", info.name,
                          " is");
    case FieldType::kString:
      value->text = std::string(text);
      return "";
    case FieldType::kOctets:
      if (!IsHex(text)) return absl::StrCat("\"", text, "\" is not an even number of hexadecimal digits");
      value->text = absl::HexStringToBytes(text);
      return "";
    case FieldType::kLabelStack:
    case FieldType::kAsPath:
    case FieldType::kCommunities:
    case FieldType::kExtCommunities:
    case FieldType::kLargeCommunities:
      return absl::StrCat(info.name, " cannot be set: it is what routes and packets tell");
    default: {
      uint64_t number = 0;
      if (!filter::ParseNumber(filter::OperandOf(field), text, &number).empty()) {
        return absl::StrCat("\"", text, "\" is no value that ", info.name, " can have; it is of type ",
                            record::FieldTypeName(info.type));
      }
      base::StoreHost(value->octets.data(), number);
      return "";
    }
  }
}

}  // namespace flowacct::enrich
