#include "flowacct/base/interner.h"

namespace flowacct::base {

Interner::Interner(InternerOptions options) : options_(options) {
  Append("");            // kNone
  Append("(overflow)");  // kOverflowId
}

InternId Interner::Intern(Octets value) {
  const absl::string_view text = AsText(value);
  if (const auto it = ids_.find(text); it != ids_.end()) return it->second;
  const size_t cost = kValueCostOctets + value.size();
  if (value.size() > options_.max_value_octets || octets_ + cost > options_.max_octets) {
    ++overflows_;
    return kOverflowId;
  }
  const InternId id = static_cast<InternId>(size_.load(std::memory_order_relaxed));
  octets_ += cost;
  ids_.emplace(Append(text), id);
  return id;
}

absl::string_view Interner::Append(absl::string_view text) {
  const size_t id = size_.load(std::memory_order_relaxed);
  const Place place = PlaceOf(static_cast<InternId>(id));
  if (place.index == 0) blocks_[place.block] = std::make_unique<std::string[]>(size_t{1} << place.block);
  std::string& value = blocks_[place.block][place.index];
  value.assign(text.data(), text.size());
  // What it names can be read by whoever is handed the id afterwards.
  size_.store(id + 1, std::memory_order_release);
  return value;
}

Octets Interner::Find(InternId id) const {
  if (id >= size_.load(std::memory_order_acquire)) return Octets();
  const Place place = PlaceOf(id);
  return AsOctets(blocks_[place.block][place.index]);
}

}  // namespace flowacct::base
