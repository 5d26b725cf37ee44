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
    FillMask(96u + spec.v4_length, network.v4_mask);
    FillMask(spec.v6_length, network.v6_mask);
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
    for (size_t i = 0; i < n; ++i) CutNetwork(network, rows[i], keys + i * key_stride_);
  }
}

void KeyCutter::CutNetwork(const Network& network, const uint8_t* row, uint8_t* key) const {
  const uint16_t offset = key_->offset(network.spec.column), index = key_->index(network.spec.column);
  const bool told = network.spec.kind == KeySpec::Kind::kToldNetwork;
  if (told && Has(key, index)) return;
  uint8_t* out = key + offset;
  const bool known = network.source_offset != Layout::kAbsent && Has(row, network.source_index) &&
                     (!told || (network.mask_offset != Layout::kAbsent && Has(row, network.mask_index)));
  if (!known) {  // what the projection found in that column is the exporter's network, not what was asked for
    std::memset(out, 0, network.column_is_prefix ? 17 : 16);
    key[index >> 3] &= static_cast<uint8_t>(~(1 << (index & 7)));
    return;
  }
  const uint8_t* address = row + network.source_offset;
  key[index >> 3] |= static_cast<uint8_t>(1 << (index & 7));
  if (told) {
    const base::IpPrefix prefix(base::IpAddress::FromV6(address), row[network.mask_offset]);
    std::memcpy(out, prefix.address().data(), 16);
    out[16] = prefix.length();
    return;
  }
  const bool is_v4 = base::IpAddress::FromV6(address).IsV4();
  const uint64_t* mask = is_v4 ? network.v4_mask : network.v6_mask;
  base::StoreHost<uint64_t>(out, base::LoadHost<uint64_t>(address) & mask[0]);
  base::StoreHost<uint64_t>(out + 8, base::LoadHost<uint64_t>(address + 8) & mask[1]);
  if (network.column_is_prefix) out[16] = is_v4 ? network.spec.v4_length : network.spec.v6_length;
}

}  // namespace flowacct::aggregate
