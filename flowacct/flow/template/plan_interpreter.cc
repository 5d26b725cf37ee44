#include "flowacct/flow/template/plan_interpreter.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/flow/template/telephone_number.h"

namespace flowacct::flow::testing {
namespace {

using base::IpAddress;
using base::Octets;
using record::FieldId;
using record::FieldType;

struct Value {
  const TemplateField* field;
  Octets octets;
};

std::optional<uint64_t> Number(Octets octets) {
  if (octets.empty() || octets.size() > 8) return std::nullopt;
  uint64_t v = 0;
  for (uint8_t octet : octets) v = v * 256 + octet;
  return v;
}

int FamilyOf(const Value& value) {
  if (absl::StrContains(value.field->element->name, "IPv4")) return 4;
  if (absl::StrContains(value.field->element->name, "IPv6")) return 6;
  return 0;
}

// Nothing: not told. The context has no shift, and an uptime.
std::optional<int64_t> Time(const Value& value, const MessageContext& context) {
  const std::optional<uint64_t> number = Number(value.octets);
  if (!number.has_value()) return std::nullopt;
  const uint64_t v = *number;
  int64_t nanos;
  switch (value.field->id) {
    case 21:
    case 22: {
      if (value.octets.size() != 4) return std::nullopt;
      int64_t age = int64_t{context.uptime_millis} - static_cast<int64_t>(v);
      while (age >= int64_t{1} << 31) age -= int64_t{1} << 32;
      while (age < -(int64_t{1} << 31)) age += int64_t{1} << 32;
      nanos = context.export_nanos - age * 1000000;
      break;
    }
    case 158:
    case 159:
      if (v > 9000000000) return std::nullopt;
      nanos = context.export_nanos - static_cast<int64_t>(v) * 1000;
      break;
    case 150:
    case 151:
      if (v == 0) return std::nullopt;
      nanos = v > 9000000000 ? INT64_MAX : static_cast<int64_t>(v) * 1000000000;
      break;
    case 152:
    case 153:
      if (v == 0) return std::nullopt;
      nanos = v > 9000000000000 ? INT64_MAX : static_cast<int64_t>(v) * 1000000;
      break;
    default:
      return std::nullopt;
  }
  return nanos > context.latest_nanos ? context.export_nanos : nanos;
}

// A value that is no good leaves the next one of the rank to be asked; whether it was good is the length's matter.
bool UsableLength(const Value& value, FieldType type) {
  const size_t n = value.octets.size();
  switch (type) {
    case FieldType::kAddress:
      return n == (value.field->element->type == AbstractType::kIpv4Address ? 4u : 16u);
    case FieldType::kMac:
      return n == 6;
    case FieldType::kString:
    case FieldType::kOctets:
    case FieldType::kDigits:
      return true;
    case FieldType::kTime:
      return value.field->id == 21 || value.field->id == 22 ? n == 4 : n <= 8;
    default:
      return n <= 8;
  }
}

bool SetValue(const Value& value, FieldId target, const MessageContext& context, base::Interner* interner,
              record::MutableRow row) {
  switch (record::Info(target).type) {
    case FieldType::kAddress: {
      const IpAddress address =
          value.octets.size() == 4 ? IpAddress::FromV4(value.octets.data()) : IpAddress::FromV6(value.octets.data());
      switch (target) {
        case FieldId::kSrcAddr:
          row.Set<FieldId::kSrcAddr>(address);
          return true;
        case FieldId::kDstAddr:
          row.Set<FieldId::kDstAddr>(address);
          return true;
        case FieldId::kTunnelSrcAddr:
          row.Set<FieldId::kTunnelSrcAddr>(address);
          return true;
        case FieldId::kTunnelDstAddr:
          row.Set<FieldId::kTunnelDstAddr>(address);
          return true;
        default:
          row.Set<FieldId::kNextHop>(address);
          return true;
      }
    }
    case FieldType::kMac:
      if (target == FieldId::kTunnelSrcMac) {
        row.Set<FieldId::kTunnelSrcMac>(base::MacAddress::From(value.octets.data()));
      } else {
        row.Set<FieldId::kSrcMac>(base::MacAddress::From(value.octets.data()));
      }
      return true;
    case FieldType::kString: {
      Octets text = value.octets;
      while (!text.empty() && text.back() == 0) text.remove_suffix(1);
      if (!text.empty()) row.SetNumber(target, interner->Intern(text));
      return true;
    }
    case FieldType::kDigits: {
      const TelephoneNumber told = TelephoneNumberOf(value.octets);
      if (told.digits) row.SetNumber(target, told.digits->bits());
      return told.empty || told.digits.has_value();
    }
    case FieldType::kTime: {
      const std::optional<int64_t> time = Time(value, context);
      if (time.has_value()) row.SetNumber(target, static_cast<uint64_t>(*time));
      return true;
    }
    default: {
      const std::optional<uint64_t> number = Number(value.octets);
      return number.has_value() && row.SetNumber(target, *number);
    }
  }
}

bool IsZero(const record::RowView& row, FieldId target) {
  if (target == FieldId::kSrcAddr) {
    const IpAddress a = row.Get<FieldId::kSrcAddr>();
    return a == IpAddress() || a == IpAddress::V4(0);
  }
  if (target == FieldId::kDstAddr) {
    const IpAddress a = row.Get<FieldId::kDstAddr>();
    return a == IpAddress() || a == IpAddress::V4(0);
  }
  if (target == FieldId::kNextHop) {
    const IpAddress a = row.Get<FieldId::kNextHop>();
    return a == IpAddress() || a == IpAddress::V4(0);
  }
  if (target == FieldId::kTunnelSrcAddr) {
    const IpAddress a = row.Get<FieldId::kTunnelSrcAddr>();
    return a == IpAddress() || a == IpAddress::V4(0);
  }
  if (target == FieldId::kTunnelDstAddr) {
    const IpAddress a = row.Get<FieldId::kTunnelDstAddr>();
    return a == IpAddress() || a == IpAddress::V4(0);
  }
  return row.GetNumber(target) == 0;
}

}  // namespace

namespace {

// The field of the header inside a tunnel, if there is one and this is not the first time that the element occurs; or
// the first of its kind, where there are two protocols and one address of each family.
std::vector<FieldId> Targets(const Template& format) {
  std::map<uint16_t, int> all, seen;
  for (const TemplateField& field : format.fields) all[field.id] += field.length > 0 ? 1 : 0;
  const bool families = all[4] == 2 && all[8] == 1 && all[12] == 1 && all[27] == 1 && all[28] == 1;
  std::vector<FieldId> targets;
  for (const TemplateField& field : format.fields) {
    FieldId target = FieldId::kFlows;  // not used
    if (field.element != nullptr && field.length > 0 && field.element->field.has_value()) {
      target = *field.element->field;
      const auto inside = record::FindField(absl::StrCat("tunnel_", record::Info(target).name));
      const bool other_family = families && ((field.id == 8 && seen[27] > 0) || (field.id == 27 && seen[8] > 0) ||
                                             (field.id == 12 && seen[28] > 0) || (field.id == 28 && seen[12] > 0));
      if (inside.has_value() && (seen[field.id] > 0 || other_family)) target = *inside;
      ++seen[field.id];
    }
    targets.push_back(target);
  }
  return targets;
}

}  // namespace

void InterpretRecord(const Template& format, Octets octets, const MessageContext& context, base::Interner* interner,
                     record::MutableRow row) {
  std::map<FieldId, std::vector<std::pair<int, Value>>> told;
  size_t at = 0;
  const std::vector<FieldId> targets = Targets(format);
  for (size_t i = 0; i < format.fields.size(); ++i) {
    const TemplateField& field = format.fields[i];
    size_t length = field.length;
    if (length == kVariableLength) {
      length = octets[at++];
      if (length == 255) {
        length = size_t{octets[at]} * 256 + octets[at + 1];
        at += 2;
      }
    }
    const Value value{&field, octets.subspan(at, length)};
    at += length;
    if (field.element == nullptr || field.length == 0 || !field.element->field.has_value()) continue;
    const FieldId target = targets[i];
    if (row.layout().Has(target) && UsableLength(value, record::Info(target).type)) {
      told[target].emplace_back(field.element->rank, value);
    }
  }
  row.Set<FieldId::kFlows>(1);
  for (auto& [target, values] : told) {
    std::stable_sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const Value& winner = values.front().second;
    SetValue(winner, target, context, interner, row);
    for (size_t i = 1; i < values.size(); ++i) {
      const Value& other = values[i].second;
      if (FamilyOf(winner) == 0 || FamilyOf(other) == 0 || FamilyOf(winner) == FamilyOf(other)) continue;
      const bool zero = std::all_of(other.octets.begin(), other.octets.end(), [](uint8_t o) { return o == 0; });
      if (IsZero(row, target) && !zero) SetValue(other, target, context, interner, row);
    }
  }
}

}  // namespace flowacct::flow::testing
