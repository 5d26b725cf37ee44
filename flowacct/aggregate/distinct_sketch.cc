#include "flowacct/aggregate/distinct_sketch.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "flowacct/base/octets.h"

namespace flowacct::aggregate {
namespace {

// Ertl 2017, algorithm 6: the share of registers that are still zero, and of those that are saturated.
double Sigma(double x) {
  if (x == 1) return INFINITY;
  double y = 1, z = x, before;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}

double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x, before;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

}  // namespace

void DistinctSketch::Add(uint64_t hash) {
  const uint32_t index = static_cast<uint32_t>(hash >> (64 - kSparseBits));
  const uint64_t rest = hash << kSparseBits | uint64_t{1} << (kSparseBits - 1);  // the 1 bounds the rank
  const uint32_t rank = static_cast<uint32_t>(__builtin_clzll(rest)) + 1;
  AddEncoded(index << 6 | rank);
}

void DistinctSketch::AddEncoded(uint32_t encoded) {
  if (registers_ != nullptr) {
    AddRegister(encoded);
  } else {
    Insert(encoded);
  }
}

// The register is named by the first kBits; the rank counts zeros from there on.
void DistinctSketch::AddRegister(uint32_t encoded) {
  const uint32_t index = encoded >> 6;
  constexpr unsigned kBetween = kSparseBits - kBits;
  const uint32_t between = index & ((1u << kBetween) - 1);
  const uint32_t rank =
      between != 0 ? static_cast<uint32_t>(__builtin_clz(between)) - (32 - kBetween) + 1 : kBetween + (encoded & 63);
  uint8_t& reg = registers_[index >> kBetween];
  reg = std::max(reg, static_cast<uint8_t>(rank));
}

void DistinctSketch::Insert(uint32_t encoded) {
  if (count_ * 4 >= slots_ * 3) {
    Rebuild(slots_ == 0 ? kFirstSlots : slots_ == kMaxSlots ? kDense : slots_ * 2);
    if (registers_ != nullptr) return AddRegister(encoded);
  }
  for (uint32_t at = encoded * 0x9e3779b1u;; ++at) {
    uint32_t& slot = set_[at & (slots_ - 1)];
    if (slot == encoded) return;
    if (slot == 0) {
      slot = encoded;
      ++count_;
      return;
    }
  }
}

// To `slots` of the set, or to registers if that is kDense.
void DistinctSketch::Rebuild(uint32_t slots) {
  const std::unique_ptr<uint32_t[]> before = std::move(set_);
  const uint32_t slots_before = slots_;
  count_ = 0;
  slots_ = slots;
  if (slots == kDense) {
    registers_ = std::make_unique<uint8_t[]>(kRegisters);
  } else {
    set_ = std::make_unique<uint32_t[]>(slots);
  }
  for (uint32_t i = 0; i < slots_before; ++i) {
    if (before[i] != 0) AddEncoded(before[i]);
  }
}

void DistinctSketch::Merge(const DistinctSketch& other) {
  if (other.registers_ != nullptr) {
    if (registers_ == nullptr) Rebuild(kDense);
    for (uint32_t i = 0; i < kRegisters; ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
    return;
  }
  for (uint32_t i = 0; i < other.slots_; ++i) {
    if (other.set_[i] != 0) AddEncoded(other.set_[i]);
  }
}

uint64_t DistinctSketch::Estimate() const {
  if (registers_ == nullptr) return count_;
  std::array<uint32_t, 65> histogram{};
  for (uint32_t i = 0; i < kRegisters; ++i) ++histogram[registers_[i]];
  constexpr double m = kRegisters;
  double z = m * Tau(1 - histogram[kMaxRank] / m);
  for (unsigned rank = kMaxRank - 1; rank >= 1; --rank) z = 0.5 * (z + histogram[rank]);
  z += m * Sigma(histogram[0] / m);
  constexpr double kAlpha = 0.72134752044448170367996234050095;  // 1 / (2 ln 2)
  return static_cast<uint64_t>(std::llround(kAlpha * m * m / z));
}

void DistinctSketch::Save(std::vector<uint8_t>* octets) const {
  const size_t at = octets->size();
  octets->resize(at + 2);
  if (registers_ != nullptr) {
    base::StoreBe16(octets->data() + at, kRegistersFollow);
    octets->insert(octets->end(), registers_.get(), registers_.get() + kRegisters);
    return;
  }
  base::StoreBe16(octets->data() + at, static_cast<uint16_t>(count_));
  for (uint32_t i = 0; i < slots_; ++i) {
    if (set_[i] == 0) continue;
    octets->resize(octets->size() + 4);
    base::StoreBe32(octets->data() + octets->size() - 4, set_[i]);
  }
}

bool DistinctSketch::Restore(base::OctetReader* reader) {
  const uint16_t count = reader->U16();
  if (count == kRegistersFollow) {
    const base::Octets registers = reader->Bytes(kRegisters);
    if (registers.size() != kRegisters) return false;
    Rebuild(kDense);
    std::copy(registers.begin(), registers.end(), registers_.get());
    return *std::max_element(registers.begin(), registers.end()) <= kMaxRank;
  }
  if (count > kMaxSlots) return false;
  for (uint16_t i = 0; i < count; ++i) {
    const uint32_t encoded = reader->U32();
    const uint32_t rank = encoded & 63;
    if (!reader->ok() || encoded >> 31 != 0 || rank == 0 || rank > kMaxEncodedRank) return false;
    AddEncoded(encoded);
  }
  return reader->ok();
}

size_t DistinctSketch::octets() const {
  return sizeof(*this) + (registers_ != nullptr ? kRegisters : slots_ * sizeof(uint32_t));
}

}  // namespace flowacct::aggregate
