#include "flowacct/sink/export/record_template.h"

#include <algorithm>
#include <cstring>

#include "flowacct/base/digits.h"
#include "flowacct/base/host_number.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::sink {
namespace {

using base::Octets;
using record::FieldId;
using record::FieldType;

constexpr int64_t kNanosPerSecond = 1000000000;
constexpr int64_t kNanosPerMilli = 1000000;
constexpr int64_t kNanosPerMicro = 1000;
constexpr int64_t kNtpToUnixSeconds = 2208988800;  // from 1900 to 1970 (RFC 5905, 6)
constexpr size_t kListHeaderOctets = 5;      // semantic, element, length (RFC 6313, 4.5.1); no enterprise has members
constexpr uint8_t kOrdered = 4, kAllOf = 3;  // semantics (RFC 6313, 4.4)
constexpr uint16_t kSelectorId = 302;

bool IsV4(const uint8_t* address) { return base::IpAddress::FromV6(address).IsV4(); }

void StoreNumber(uint8_t* p, uint64_t value, uint16_t length) {
  switch (length) {
    case 1:
      *p = static_cast<uint8_t>(value);
      break;
    case 2:
      base::StoreBe16(p, static_cast<uint16_t>(value));
      break;
    case 4:
      base::StoreBe32(p, static_cast<uint32_t>(value));
      break;
    default:
      base::StoreBe64(p, value);
  }
}

// The numbers of an AS_PATH (RFC 4271, 4.3; RFC 6793), if it is one AS_SEQUENCE that a collector can put together
// again.
Octets AsNumbers(Octets path, bool* fits) {
  *fits = path.empty() || (path.size() >= 2 && path[0] == 2 && path.size() == 2 + 4 * size_t{path[1]});
  return *fits && !path.empty() ? path.subspan(2) : Octets();
}

uint64_t NtpTime(int64_t nanos, bool micros) {
  const int64_t seconds = nanos / kNanosPerSecond;
  uint64_t fraction = static_cast<uint64_t>(nanos % kNanosPerSecond);
  if (micros) fraction = fraction / kNanosPerMicro * kNanosPerMicro;
  fraction = ((fraction << 32) + kNanosPerSecond / 2) / kNanosPerSecond;
  // The lowest eleven bits are below a microsecond (RFC 7011, 6.1.9).
  if (micros) fraction = (fraction + 0x400) & ~uint64_t{0x7ff};
  return static_cast<uint64_t>(seconds + kNtpToUnixSeconds) << 32 | fraction;
}

// Zero for what the element has no room for.
uint64_t TimeNumber(Encoding encoding, int64_t nanos, int64_t boot_nanos, int64_t now_nanos, bool* fits) {
  *fits = true;
  if (nanos == 0) return 0;  // not told
  switch (encoding) {
    case Encoding::kUptime: {
      // 32 bits that wrap: what counts is how far from the export it is.
      const int64_t ago = (now_nanos - nanos) / kNanosPerMilli;
      *fits = ago < INT32_MAX && ago > INT32_MIN;
      const int64_t up = nanos / kNanosPerMilli - boot_nanos / kNanosPerMilli;
      return *fits ? static_cast<uint32_t>(up) : 0;
    }
    case Encoding::kSeconds:
      *fits = nanos > 0 && nanos / kNanosPerSecond <= int64_t{UINT32_MAX};
      return *fits ? static_cast<uint64_t>(nanos / kNanosPerSecond) : 0;
    case Encoding::kMilliseconds:
      *fits = nanos > 0;
      return *fits ? static_cast<uint64_t>(nanos / kNanosPerMilli) : 0;
    default:
      *fits = nanos > 0;
      return *fits ? NtpTime(nanos, encoding == Encoding::kMicroseconds) : 0;
  }
}

size_t PrefixedSize(size_t n) { return n < 255 ? 1 + n : 3 + n; }

// In a row of a template for many, what is not told is zero.
base::Digits DigitsAt(const uint8_t* value) {
  const uint64_t bits = base::LoadHost<uint64_t>(value);
  return bits == 0 ? base::Digits() : base::Digits::FromBits(bits);
}

// RFC 7011, 7: one octet of length, or 255 and two.
uint8_t* PutLength(size_t n, uint8_t* out) {
  if (n < 255) {
    *out = static_cast<uint8_t>(n);
    return out + 1;
  }
  *out = 255;
  base::StoreBe16(out + 1, static_cast<uint16_t>(n));
  return out + 3;
}

}  // namespace

ExportColumns::ExportColumns(const record::Layout& layout, std::vector<ExportColumn> columns)
    : columns_(std::move(columns)), words_((layout.presence_size() + 7) / 8) {
  const auto place = [&](FieldId field) {
    const uint16_t index = layout.index(field);
    return Place{layout.offset(field), static_cast<uint16_t>(index >> 3), static_cast<uint8_t>(1 << (index & 7))};
  };
  for (const ExportColumn& column : columns_) {
    mask_.presence[column.index / 64] |= uint64_t{1} << column.index % 64;
    if (column.type == FieldType::kAddress || column.type == FieldType::kPrefix)
      addresses_.push_back(place(column.field));
  }
  if (layout.Has(FieldId::kIpVersion)) {
    ip_version_ = layout.offset(FieldId::kIpVersion);
    family_.push_back(place(FieldId::kIpVersion));
  }
  for (const FieldId field : {FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcNet, FieldId::kDstNet}) {
    if (layout.Has(field)) family_.push_back(place(field));
  }
}

RowPattern ExportColumns::PatternOf(const uint8_t* row) const {
  RowPattern pattern;
  for (size_t i = 0; i < words_; ++i) pattern.presence[i] = base::LoadHost<uint64_t>(row + 8 * i) & mask_.presence[i];
  for (size_t i = 0; i < addresses_.size(); ++i) {
    const Place& place = addresses_[i];
    const bool v6 = (row[place.octet] & place.bit) != 0 && !IsV4(row + place.offset);
    pattern.v6 |= uint64_t{v6} << i;
  }
  for (const Place& place : family_) {
    if ((row[place.octet] & place.bit) == 0) continue;
    const bool v6 = place.offset == ip_version_ ? row[place.offset] == 6 : !IsV4(row + place.offset);
    if (v6) pattern.v6 |= RecordTemplate::kRowIsV6;
    break;
  }
  return pattern;
}

RowPattern ExportColumns::FullPattern(bool v6) const {
  RowPattern pattern = mask_;
  if (v6) pattern.v6 = ((uint64_t{1} << addresses_.size()) - 1) | RecordTemplate::kRowIsV6;
  return pattern;
}

bool ExportColumns::IsEmpty(const RowPattern& pattern) {
  return std::all_of(pattern.presence.begin(), pattern.presence.end(), [](uint64_t word) { return word == 0; });
}

RecordTemplate::RecordTemplate(uint16_t id, const ExportColumns& columns, const RowPattern& pattern, uint8_t selector)
    : id_(id) {
  const auto find = [&](FieldId field) -> const ExportColumn* {
    for (const ExportColumn& column : columns.columns()) {
      if (column.field != field) continue;
      return (pattern.presence[column.index / 64] >> column.index % 64 & 1) != 0 ? &column : nullptr;
    }
    return nullptr;
  };
  const bool row_is_v6 = (pattern.v6 & kRowIsV6) != 0;
  const ExportColumn* icmp_code = find(FieldId::kIcmpCode);
  const bool icmp = find(FieldId::kIcmpType) != nullptr && icmp_code != nullptr;
  size_t address = 0;
  for (const ExportColumn& column : columns.columns()) {
    const bool has_family = column.type == FieldType::kAddress || column.type == FieldType::kPrefix;
    const bool v6 = has_family ? (pattern.v6 >> address & 1) != 0 : row_is_v6;
    if (has_family) ++address;
    if (find(column.field) == nullptr) continue;
    // A network's length and a mask have one element.
    if (column.field == FieldId::kSrcMask && find(FieldId::kSrcNet) != nullptr) continue;
    if (column.field == FieldId::kDstMask && find(FieldId::kDstNet) != nullptr) continue;
    if (icmp && column.field == FieldId::kIcmpCode) continue;
    if (icmp && column.field == FieldId::kIcmpType) {
      Add(column, IcmpElement(row_is_v6));
      ops_.back().second = icmp_code->offset;
      continue;
    }
    Add(column, v6 ? column.elements.v6 : column.elements.v4);
    if (column.type != FieldType::kPrefix) continue;
    const ExportColumn* mask = find(column.field == FieldId::kSrcNet ? FieldId::kSrcMask : FieldId::kDstMask);
    if (mask != nullptr) ops_.back().second = mask->offset;
  }
  if (selector != 0 && find(FieldId::kSelectorId) == nullptr) {
    // Reduced to the octet that it needs (RFC 7011, 6.2).
    elements_.push_back({0, kSelectorId, 1, Encoding::kNumber});
    Op op{Encoding::kNumber};
    op.source = selector;
    op.length = 1;
    op.constant = true;
    ops_.push_back(op);
    fixed_size_ += 1;
  }
}

void RecordTemplate::Add(const ExportColumn& column, const ExportElement& element) {
  struct Member {
    FieldType type;
    uint16_t element, length;
  };
  constexpr Member kMembers[] = {
      {FieldType::kCommunities, 483, 4},        // bgpCommunity (RFC 8549)
      {FieldType::kExtCommunities, 486, 8},     // bgpExtendedCommunity
      {FieldType::kLargeCommunities, 489, 12},  // bgpLargeCommunity
      {FieldType::kAsPath, 17, 4},              // bgpDestinationAsNumber
  };
  Op op{element.encoding};
  op.size = column.size;
  op.source = column.offset;
  op.length = element.length;
  for (const Member& member : kMembers) {
    if (member.type != column.type) continue;
    op.member = column.field == FieldId::kSrcAsPath ? uint16_t{16} : member.element;  // bgpSourceAsNumber
    op.member_length = member.length;
  }
  elements_.push_back(element);
  if (element.length == kVariableLength) {
    variable_ = true;
  } else {
    fixed_size_ += element.length;
  }
  if (element.encoding == Encoding::kPrefixV4 || element.encoding == Encoding::kPrefixV6) {
    elements_.push_back(PrefixLengthElement(column.field, element.encoding == Encoding::kPrefixV6));
    fixed_size_ += 1;
  }
  ops_.push_back(op);
}

size_t RecordTemplate::VariableSize(const uint8_t* row, const base::Interner& interner) const {
  size_t size = fixed_size_;
  for (const Op& op : ops_) {
    if (op.length != kVariableLength) continue;
    if (op.encoding == Encoding::kDigits) {
      size += PrefixedSize(DigitsAt(row + op.source).size());
      continue;
    }
    const Octets value = interner.Find(base::LoadHost<base::InternId>(row + op.source));
    bool fits;
    switch (op.encoding) {
      case Encoding::kLabelStack:
        size += PrefixedSize(value.size() / 3 * 4);
        break;
      case Encoding::kList:
        size += PrefixedSize(kListHeaderOctets + value.size() / op.member_length * op.member_length);
        break;
      case Encoding::kAsPath:
        size += PrefixedSize(kListHeaderOctets + AsNumbers(value, &fits).size());
        break;
      default:
        size += PrefixedSize(value.size());
    }
  }
  return size;
}

void RecordTemplate::Encode(const uint8_t* row, const base::Interner& interner, int64_t boot_nanos, int64_t now_nanos,
                            uint8_t* out, uint64_t* values_unfit) const {
  const auto interned = [&](const Op& op) { return interner.Find(base::LoadHost<base::InternId>(row + op.source)); };
  // Of the network; in a row that has none (of a template for many), the mask.
  const auto length_of = [row](const Op& op, const uint8_t* prefix) {
    return prefix[16] == 0 && op.second != 0 ? row[op.second] : prefix[16];
  };
  const auto put_list = [&](const Op& op, uint8_t semantic, Octets members) {
    out = PutLength(kListHeaderOctets + members.size(), out);
    *out = semantic;
    base::StoreBe16(out + 1, op.member);
    base::StoreBe16(out + 3, op.member_length);
    out += kListHeaderOctets;
    if (!members.empty()) std::memcpy(out, members.data(), members.size());
    out += members.size();
  };
  for (const Op& op : ops_) {
    const uint8_t* from = row + op.source;
    switch (op.encoding) {
      case Encoding::kNumber: {
        uint64_t value = op.constant ? op.source : base::LoadHostNumber(from, op.size);
        if (op.length < 8 && value >> (8 * op.length) != 0) {
          ++*values_unfit;
          value = 0;
        }
        StoreNumber(out, value, op.length);
        out += op.length;
        break;
      }
      case Encoding::kAddressV4:
        std::memcpy(out, from + 12, 4);
        out += 4;
        break;
      case Encoding::kOctets:
        std::memcpy(out, from, op.length);
        out += op.length;
        break;
      case Encoding::kPrefixV4:
        std::memcpy(out, from + 12, 4);
        out[4] = length_of(op, from);
        out += 5;
        break;
      case Encoding::kPrefixV6:
        std::memcpy(out, from, 16);
        out[16] = length_of(op, from);
        out += 17;
        break;
      case Encoding::kUptime:
      case Encoding::kSeconds:
      case Encoding::kMilliseconds:
      case Encoding::kMicroseconds:
      case Encoding::kNanoseconds: {
        bool fits;
        const uint64_t value = TimeNumber(op.encoding, base::LoadHost<int64_t>(from), boot_nanos, now_nanos, &fits);
        if (!fits) ++*values_unfit;
        StoreNumber(out, value, op.length);
        out += op.length;
        break;
      }
      case Encoding::kText: {
        const Octets value = interned(op);
        out = PutLength(value.size(), out);
        if (!value.empty()) std::memcpy(out, value.data(), value.size());
        out += value.size();
        break;
      }
      case Encoding::kFixedText: {
        const Octets value = interned(op);
        const size_t n = std::min<size_t>(value.size(), op.length);
        if (n < value.size()) ++*values_unfit;
        if (n > 0) std::memcpy(out, value.data(), n);
        std::memset(out + n, 0, op.length - n);
        out += op.length;
        break;
      }
      case Encoding::kDigits: {
        char text[base::Digits::kTextSize] = {};
        const size_t size = DigitsAt(from).Format(text);
        const size_t octets = op.length == kVariableLength ? size : op.length;
        if (op.length == kVariableLength) out = PutLength(size, out);
        std::memcpy(out, text, octets);
        out += octets;
        break;
      }
      case Encoding::kTopLabel: {
        const uint32_t label = base::LoadHost<uint32_t>(from);
        if (label >> 20 != 0) ++*values_unfit;
        const uint32_t entry = label >> 20 != 0 ? 0 : label << 4;  // traffic class and bottom of stack are not known
        out[0] = static_cast<uint8_t>(entry >> 16);
        out[1] = static_cast<uint8_t>(entry >> 8);
        out[2] = static_cast<uint8_t>(entry);
        out += 3;
        break;
      }
      case Encoding::kLabelStack: {
        const Octets value = interned(op);
        const size_t labels = value.size() / 3;
        out = PutLength(labels * 4, out);
        for (size_t i = 0; i < labels; ++i, out += 4) {
          std::memcpy(out, value.data() + 3 * i, 3);
          out[3] = 0;  // the time to live was not kept
        }
        break;
      }
      case Encoding::kList: {
        const Octets value = interned(op);
        if (value.size() % op.member_length != 0) ++*values_unfit;
        put_list(op, kAllOf, value.first(value.size() / op.member_length * op.member_length));
        break;
      }
      case Encoding::kAsPath: {
        bool fits;
        const Octets numbers = AsNumbers(interned(op), &fits);
        if (!fits) ++*values_unfit;
        put_list(op, kOrdered, numbers);
        break;
      }
      case Encoding::kIcmp:
        out[0] = *from;
        out[1] = row[op.second];
        out += 2;
        break;
    }
  }
}

}  // namespace flowacct::sink
