#include "flowacct/aggregate/key_spec.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace flowacct::aggregate {
namespace {

using record::FieldId;

// The fields that tell the network of an address.
struct NetworkOf {
  FieldId address, network, mask;
};
constexpr NetworkOf kNetworks[] = {
    {FieldId::kSrcAddr, FieldId::kSrcNet, FieldId::kSrcMask},
    {FieldId::kDstAddr, FieldId::kDstNet, FieldId::kDstMask},
};

// An IPv6 address in a key that only names IPv4's mask is cut to its subnet (RFC 4291, 2.5.4).
constexpr uint8_t kSubnetV6 = 64;

bool IsNumber(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

absl::Status Wrong(absl::string_view item, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("key \"", item, "\": ", why));
}

}  // namespace

absl::StatusOr<KeySpec> ParseKey(absl::string_view item) {
  item = absl::StripAsciiWhitespace(item);
  if (item.empty()) return absl::InvalidArgumentError("an empty key: name a field, for example src_addr");
  const size_t slash = item.find('/');
  const absl::string_view name = absl::StripAsciiWhitespace(item.substr(0, slash));
  const absl::StatusOr<FieldId> field = record::FieldFromName(name);
  if (!field.ok()) return Wrong(item, field.status().message());
  KeySpec spec;
  spec.column = spec.source = spec.mask = *field;
  if (slash == absl::string_view::npos) {
    for (const NetworkOf& of : kNetworks) {
      if (of.network != *field) continue;
      spec.kind = KeySpec::Kind::kToldNetwork;
      spec.source = of.address;
      spec.mask = of.mask;
    }
    return spec;
  }
  if (record::Info(*field).type != record::FieldType::kAddress) {
    return Wrong(item, absl::StrCat(name, " is no address, so it has no network; leave out the mask"));
  }
  spec.kind = KeySpec::Kind::kMasked;
  for (const NetworkOf& of : kNetworks) {
    if (of.address == *field) spec.column = of.network;
  }
  std::vector<absl::string_view> lengths = absl::StrSplit(item.substr(slash + 1), ',');
  uint32_t v4 = 32, v6 = kSubnetV6;
  for (absl::string_view& length : lengths) {
    length = absl::StripAsciiWhitespace(length);
    if (!IsNumber(length)) return Wrong(item, "a mask is a number of bits, as in src_addr/24 or src_addr/24,64");
  }
  bool fits = lengths.size() <= 2 && absl::SimpleAtoi(lengths[0], &v4);
  if (fits && lengths.size() == 2) {
    fits = absl::SimpleAtoi(lengths[1], &v6) && v4 <= 32;
  } else if (fits && v4 > 32) {
    v6 = v4;
    v4 = 32;
  }
  if (!fits || v6 > 128) return Wrong(item, "a mask is at most 32 bits for IPv4 and 128 for IPv6");
  spec.v4_length = static_cast<uint8_t>(v4);
  spec.v6_length = static_cast<uint8_t>(v6);
  return spec;
}

absl::StatusOr<std::vector<KeySpec>> ParseKeys(absl::Span<const std::string> items) {
  std::vector<KeySpec> specs;
  for (const std::string& item : items) {
    absl::StatusOr<KeySpec> spec = ParseKey(item);
    if (!spec.ok()) return spec.status();
    const auto same =
        std::find_if(specs.begin(), specs.end(), [&](const KeySpec& other) { return other.column == spec->column; });
    if (same == specs.end()) {
      specs.push_back(*spec);
    } else if (same->kind != spec->kind || same->v4_length != spec->v4_length || same->v6_length != spec->v6_length) {
      return Wrong(item, absl::StrCat("another key is told in the column ", record::Info(spec->column).name,
                                      ", too; ask for one of them"));
    }
  }
  return specs;
}

std::vector<std::string> SplitKeys(absl::string_view text) {
  std::vector<std::string> items;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (IsNumber(part) && !items.empty() && absl::StrContains(items.back(), '/') &&
        !absl::StrContains(items.back(), ',')) {
      absl::StrAppend(&items.back(), ",", part);
    } else if (!part.empty()) {
      items.emplace_back(part);
    }
  }
  return items;
}

}  // namespace flowacct::aggregate
