#include "flowacct/packet/fragment_table.h"

#include "flowacct/base/octets.h"

namespace flowacct::packet {

namespace {

uint64_t Mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9fb21c651e98df25u;
  return h ^ h >> 32;
}

}  // namespace

uint64_t HashFragmentKey(const FragmentKey& key) {
  uint64_t h = Mix(0x243f6a8885a308d3u, uint64_t{key.id} << 8 | key.protocol);
  for (const base::IpAddress* address : {&key.source, &key.destination}) {
    h = Mix(h, base::LoadHost<uint64_t>(address->data()));
    h = Mix(h, base::LoadHost<uint64_t>(address->data() + 8));
  }
  return Mix(h, 0);
}

FragmentTable::FragmentTable(FragmentTableOptions options) : options_(options) {
  if (options.max_datagrams == 0) return;
  sets_ = 1;
  // Four million sets are a gigabyte; nobody means more.
  while (sets_ * kWays < options.max_datagrams && sets_ < size_t{1} << 22) sets_ *= 2;
}

bool FragmentTable::Expired(const Entry& entry, int64_t time_nanos) const {
  return !entry.used || time_nanos - entry.time_nanos > options_.timeout_nanos;
}

void FragmentTable::Remember(const FragmentKey& key, const FragmentTransport& transport, int64_t time_nanos) {
  if (sets_ == 0) return;
  if (entries_ == nullptr) entries_.reset(new Entry[sets_ * kWays]);
  Entry* const set = &entries_[(HashFragmentKey(key) & (sets_ - 1)) * kWays];
  Entry* victim = set;
  for (Entry* entry = set; entry != set + kWays; ++entry) {
    if (entry->used && entry->key == key) {
      victim = entry;
      break;
    }
    if (victim->used && (!entry->used || entry->time_nanos < victim->time_nanos)) victim = entry;
  }
  if (!Expired(*victim, time_nanos) && !(victim->key == key)) ++evictions_;
  *victim = Entry{key, transport, time_nanos, true};
}

const FragmentTransport* FragmentTable::Find(const FragmentKey& key, int64_t time_nanos) const {
  if (entries_ == nullptr) return nullptr;
  const Entry* const set = &entries_[(HashFragmentKey(key) & (sets_ - 1)) * kWays];
  for (const Entry* entry = set; entry != set + kWays; ++entry) {
    if (entry->used && entry->key == key && !Expired(*entry, time_nanos)) return &entry->transport;
  }
  return nullptr;
}

}  // namespace flowacct::packet
