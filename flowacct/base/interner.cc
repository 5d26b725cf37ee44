#include "flowacct/base/interner.h"

namespace flowacct::base {

Interner::Interner(InternerOptions options) : options_(options) {
  values_.emplace_back();              // kNone
  values_.emplace_back("(overflow)");  // kOverflowId
}

InternId Interner::Intern(Octets value) {
  const absl::string_view text = AsText(value);
  if (const auto it = ids_.find(text); it != ids_.end()) return it->second;
  const size_t cost = kValueCostOctets + value.size();
  if (value.size() > options_.max_value_octets || octets_ + cost > options_.max_octets) {
    ++overflows_;
    return kOverflowId;
  }
  const InternId id = static_cast<InternId>(values_.size());
  values_.emplace_back(text);
  octets_ += cost;
  ids_.emplace(values_.back(), id);
  return id;
}

Octets Interner::Find(InternId id) const { return id < values_.size() ? AsOctets(values_[id]) : Octets(); }

}  // namespace flowacct::base
