#include "flowacct/aggregate/key_cutter.h"

#include <algorithm>
#include <cstring>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"

namespace flowacct::aggregate {
namespace {

using record::FieldId;
using record::Layout;

bool Has(const uint8_t* row, uint16_t index) { return (row[index >> 3] >> (index & 7) & 1) != 0; }

void FillMask(unsigned bits, uint64_t mask[2]) {
  uint8_t octets[16];
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned of_octet = bits > 8 * i ? std::min(bits - 8 * i, 8u) : 0;
    octets[i] = static_cast<uint8_t>(0xff00 >> of_octet);
  }
  std::memcpy(mask, octets, 16);
}

}  // namespace

KeyCutter::KeyCutter(const Layout& from, const Layout* key, absl::Span<const KeySpec> specs)
    : key_(key), projection_(from, *key), from_stride_(from.row_size()), key_stride_(key->row_size()) {
  for (const KeySpec& spec : specs) {
    if (spec.kind == KeySpec::Kind::kField) continue;
    Network network;
    network.spec = spec;
    network.source_offset = from.offset(spec.source);
    network.source_index = from.index(spec.source);
    network.mask_offset = from.offset(spec.mask);
    network.mask_index = from.index(spec.mask);
    FillMask(spec.v6_length, network.masks[0]);
    FillMask(96u + spec.v4_length, network.masks[1]);
    network.column_is_prefix = record::Info(spec.column).type == record::FieldType::kPrefix;
    networks_.push_back(network);
  }
}

void KeyCutter::Cut(const uint8_t* const* rows, size_t n, uint8_t* keys) const {
  if (key_stride_ == 0) return;  // no keys: all are one group
  // Rows that follow each other in memory go in one projection.
  for (size_t i = 0; i < n;) {
    size_t end = i + 1;
    while (end < n && rows[end] == rows[end - 1] + from_stride_) ++end;
    projection_.Apply(rows[i], from_stride_, end - i, keys + i * key_stride_, key_stride_);
    i = end;
  }
  for (const Network& network : networks_) {
    if (network.spec.kind == KeySpec::Kind::kMasked) {
      CutMasked(network, rows, n, keys);
    } else {
      for (size_t i = 0; i < n; ++i) CutTold(network, rows[i], keys + i * key_stride_);
    }
  }
}

// What the projection found in the column is the exporter's network, not what was asked for: all of it is written.
void KeyCutter::CutMasked(const Network& network, const uint8_t* const* rows, size_t n, uint8_t* keys) const {
  const uint16_t offset = key_->offset(network.spec.column), index = key_->index(network.spec.column);
  const unsigned bit = index & 7;
  if (network.source_offset == Layout::kAbsent) {
    for (size_t i = 0; i < n; ++i) {
      uint8_t* key = keys + i * key_stride_;
      std::memset(key + offset, 0, network.column_is_prefix ? 17 : 16);
      key[index >> 3] &= static_cast<uint8_t>(~(1u << bit));
    }
    return;
  }
  const uint8_t lengths[2] = {network.spec.v6_length, network.spec.v4_length};
  const base::IpAddress v4 = base::IpAddress::V4(0);  // ::ffff:0:0/96
  const uint64_t v4_high = base::LoadHost<uint64_t>(v4.data());
  const uint32_t v4_low = base::LoadHost<uint32_t>(v4.data() + 8);
  for (size_t i = 0; i < n; ++i) {
    const uint8_t* address = rows[i] + network.source_offset;
    uint8_t* key = keys + i * key_stride_;
    const bool known = Has(rows[i], network.source_index);
    const uint64_t high = base::LoadHost<uint64_t>(address), low = base::LoadHost<uint64_t>(address + 8);
    const bool is_v4 = high == v4_high && static_cast<uint32_t>(low) == v4_low;
    const uint64_t* mask = network.masks[is_v4 ? 1 : 0];
    const uint64_t keep = known ? ~uint64_t{0} : 0;
    base::StoreHost<uint64_t>(key + offset, high & mask[0] & keep);
    base::StoreHost<uint64_t>(key + offset + 8, low & mask[1] & keep);
    if (network.column_is_prefix) key[offset + 16] = static_cast<uint8_t>(lengths[is_v4 ? 1 : 0] & keep);
    uint8_t& presence = key[index >> 3];
    presence = static_cast<uint8_t>((presence & ~(1u << bit)) | (known ? 1u : 0u) << bit);
  }
}

void KeyCutter::CutTold(const Network& network, const uint8_t* row, uint8_t* key) const {
  const uint16_t offset = key_->offset(network.spec.column), index = key_->index(network.spec.column);
  if (Has(key, index)) return;
  uint8_t* out = key + offset;
  if (network.source_offset == Layout::kAbsent || !Has(row, network.source_index) ||
      network.mask_offset == Layout::kAbsent || !Has(row, network.mask_index)) {
    std::memset(out, 0, 17);
    return;
  }
  key[index >> 3] |= static_cast<uint8_t>(1 << (index & 7));
  const base::IpPrefix prefix(base::IpAddress::FromV6(row + network.source_offset), row[network.mask_offset]);
  std::memcpy(out, prefix.address().data(), 16);
  out[16] = prefix.length();
}

}  // namespace flowacct::aggregate
