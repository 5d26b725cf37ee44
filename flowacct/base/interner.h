// Gives each distinct run of octets a small number: how names, AS paths and communities fit into a record.
//
// Ids are dense, start at 1 and stay valid as long as the interner. Id 0 is "no value". What does not fit the bound
// is told as `kOverflowId` and counted, so that a stranger who sends ever new names costs no memory.
// Threads: one writes; any other may Find an id that was handed to it by something that synchronises (a mutex, a
// queue), while the writer goes on. Cost: one hash and one compare a known value; kValueCostOctets plus the value a new
// one.

#ifndef FLOWACCT_BASE_INTERNER_H_
#define FLOWACCT_BASE_INTERNER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
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

  size_t size() const { return size_; }
  // What all values cost.
  size_t octets() const { return octets_; }
  // The same object as long as this interner lives or somebody holds it, and of no other interner: who keeps what he
  // knows of ids keeps this with it.
  const std::shared_ptr<const void>& identity() const { return identity_; }
  // How often a new value was refused.
  uint64_t overflows() const { return overflows_; }

 private:
  // Values never move: the views in ids_ stay valid, and readers look at what no writer touches. Block k holds the ids
  // from 2^k - 1 on, 2^k of them.
  static constexpr size_t kBlocks = 32;
  struct Place {
    size_t block, index;
  };
  static Place PlaceOf(InternId id) {
    const size_t block = 63 - static_cast<size_t>(__builtin_clzll(uint64_t{id} + 1));
    return {block, size_t{id} + 1 - (size_t{1} << block)};
  }
  absl::string_view Append(absl::string_view text);

  InternerOptions options_;
  std::shared_ptr<const void> identity_ = std::make_shared<char>();
  std::array<std::unique_ptr<std::string[]>, kBlocks> blocks_;
  std::atomic<size_t> size_{0};
  absl::flat_hash_map<absl::string_view, InternId> ids_;
  size_t octets_ = 0;
  uint64_t overflows_ = 0;
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_INTERNER_H_
