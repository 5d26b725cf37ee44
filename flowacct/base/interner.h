// Gives each distinct run of octets a small number: how names, AS paths and communities fit into a record.
//
// Ids are dense, start at 1 and stay valid as long as the interner. Id 0 is "no value". What does not fit the bound
// is told as `kOverflowId` and counted, so that a stranger who sends ever new names costs no memory.
// Threads: one at a time. Cost: one hash and one compare a known value; kValueCostOctets plus the value a new one.

#ifndef FLOWACCT_BASE_INTERNER_H_
#define FLOWACCT_BASE_INTERNER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"

namespace flowacct::base {

using InternId = uint32_t;

struct InternerOptions {
  // Values and what each costs besides: 128 MiB are a million names of 64 octets, far above what a network of any size
  // names.
  size_t max_octets = size_t{128} << 20;
  // No field of a record is longer in any registry; a datagram is not either.
  size_t max_value_octets = 65535;
};

class Interner {
 public:
  static constexpr InternId kNone = 0;
  static constexpr InternId kOverflowId = 1;
  // Of a value besides its octets: a std::string, its place in the index and the index's slack.
  static constexpr size_t kValueCostOctets = 72;

  explicit Interner(InternerOptions options = {});
  Interner(const Interner&) = delete;
  Interner& operator=(const Interner&) = delete;

  // The id of `value`; kOverflowId if a bound forbids a new one.
  InternId Intern(Octets value);
  InternId Intern(absl::string_view text) { return Intern(AsOctets(text)); }
  // The octets of an id that this interner gave; empty for kNone, "(overflow)" for kOverflowId.
  Octets Find(InternId id) const;

  size_t size() const { return values_.size(); }
  // What all values cost.
  size_t octets() const { return octets_; }
  // The same object as long as this interner lives or somebody holds it, and of no other interner: who keeps what he
  // knows of ids keeps this with it.
  const std::shared_ptr<const void>& identity() const { return identity_; }
  // How often a new value was refused.
  uint64_t overflows() const { return overflows_; }

 private:
  InternerOptions options_;
  std::shared_ptr<const void> identity_ = std::make_shared<char>();
  std::deque<std::string> values_;  // a deque: the views in ids_ stay valid
  absl::flat_hash_map<absl::string_view, InternId> ids_;
  size_t octets_ = 0;
  uint64_t overflows_ = 0;
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_INTERNER_H_
