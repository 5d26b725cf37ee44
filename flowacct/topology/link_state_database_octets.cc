// A database in octets:
//
//     style, 1 | begin of the history, 8 | last time, 8 | advertisements: count, 4, each | those that are: count, 4,
//     each the number of an advertisement, 4 | history: count, 4, each time, 8, numbers of before and after, 4 and 4
//
// Numbers count from 1; 0 is none. All is read before any of it counts, so that damaged octets change nothing.

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/topology/advertisement_octets.h"
#include "flowacct/topology/link_state_database.h"

namespace flowacct::topology {
namespace {

constexpr absl::string_view kKind = "link state";
constexpr uint16_t kVersion = 1;

}  // namespace

std::string LinkStateDatabase::Save() const {
  absl::flat_hash_map<const Advertisement*, uint32_t> numbers;
  base::OctetWriter list;
  const auto number_of = [&](const Pointer& pointer) -> uint32_t {
    if (pointer == nullptr) return 0;
    const auto [it, first] = numbers.emplace(pointer.get(), static_cast<uint32_t>(numbers.size() + 1));
    if (first) WriteAdvertisement(*pointer, &list);
    return it->second;
  };
  base::OctetWriter places;
  places.U32(static_cast<uint32_t>(advertisements_.size()));
  for (const auto& [key, pointer] : advertisements_) places.U32(number_of(pointer));
  places.U32(static_cast<uint32_t>(history_.size()));
  for (const TopologyChange& change : history_) {
    const uint32_t before = number_of(change.before), after = number_of(change.after);
    places.U64(static_cast<uint64_t>(change.time_nanos)).U32(before).U32(after);
  }
  base::OctetWriter w;
  w.U8(static_cast<uint8_t>(options_.style)).U64(static_cast<uint64_t>(history_begin_nanos_));
  w.U64(static_cast<uint64_t>(last_nanos_)).U32(static_cast<uint32_t>(numbers.size()));
  w.Bytes(list.octets()).Bytes(places.octets());
  return base::Seal(kKind, kVersion, w.octets());
}

absl::Status LinkStateDatabase::Restore(base::Octets octets) {
  const absl::StatusOr<base::SealedOctets> sealed = base::Unseal(kKind, kVersion, octets);
  if (!sealed.ok()) return sealed.status();
  const absl::Status damaged = absl::DataLossError("topology: the saved link state is damaged");
  base::OctetReader r(sealed->body);
  if (r.U8() != static_cast<uint8_t>(options_.style)) {
    return absl::InvalidArgumentError("topology: the saved link state is of another protocol's nodes");
  }
  LinkStateDatabase read(options_);
  read.history_begin_nanos_ = static_cast<int64_t>(r.U64());
  read.last_nanos_ = static_cast<int64_t>(r.U64());
  std::vector<Pointer> all;
  for (uint32_t left = r.U32(); left > 0; --left) {
    auto advertisement = std::make_shared<Advertisement>();
    if (!ReadAdvertisement(&r, advertisement.get())) return damaged;
    all.push_back(std::move(advertisement));
  }
  const auto take = [&](Pointer* pointer) {
    const uint32_t number = r.U32();
    if (number > all.size()) return false;
    *pointer = number == 0 ? nullptr : all[number - 1];
    return r.ok();
  };
  for (uint32_t left = r.U32(); left > 0; --left) {
    Pointer pointer;
    if (!take(&pointer) || pointer == nullptr) return damaged;
    const size_t size = OctetsOf(*pointer);
    if (read.advertisements_.size() >= options_.max_advertisements || read.octets_ + size > options_.max_octets) {
      ++read.refused_;
      continue;
    }
    const AdvertisementKey key = pointer->key;
    if (!read.advertisements_.emplace(key, std::move(pointer)).second) return damaged;
    read.octets_ += size;
  }
  int64_t last = read.history_begin_nanos_;
  for (uint32_t left = r.U32(); left > 0; --left) {
    const int64_t time_nanos = static_cast<int64_t>(r.U64());
    Pointer before, after;
    if (!take(&before) || !take(&after) || (before == nullptr && after == nullptr) || time_nanos < last ||
        time_nanos > read.last_nanos_ || (before != nullptr && after != nullptr && !(before->key == after->key))) {
      return damaged;
    }
    last = time_nanos;
    const AdvertisementKey key = before == nullptr ? after->key : before->key;
    read.Remember(ChangeOf(key, std::move(before), std::move(after), time_nanos));
  }
  if (!r.ok() || r.remaining() != 0) return damaged;
  *this = std::move(read);
  return absl::OkStatus();
}

}  // namespace flowacct::topology
