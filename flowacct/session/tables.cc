#include "flowacct/session/tables.h"

#include <cstring>

namespace flowacct::session {

PeerCounts::PeerCounts(size_t max_peers)
    : chunks_(max_peers / kChunkPeers + 1), chunk_(std::make_unique<std::atomic<Chunk*>[]>(chunks_)) {
  for (size_t i = 0; i < chunks_; ++i) chunk_[i].store(nullptr, std::memory_order_relaxed);
  octets_.store(sizeof(*this) + chunks_ * sizeof(chunk_[0]), std::memory_order_relaxed);
}

PeerCounts::~PeerCounts() {
  for (size_t i = 0; i < chunks_; ++i) delete chunk_[i].load(std::memory_order_relaxed);
}

void PeerCounts::Add(uint32_t peer, Match match, uint64_t packets) {
  std::atomic<Chunk*>& place = chunk_[peer / kChunkPeers];
  Chunk* chunk = place.load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new Chunk;
    place.store(chunk, std::memory_order_release);
    octets_.fetch_add(sizeof(Chunk), std::memory_order_relaxed);
  }
  // Only this thread writes it.
  std::atomic<uint64_t>& count = chunk->counts[peer % kChunkPeers * kMatches + static_cast<size_t>(match)];
  count.store(count.load(std::memory_order_relaxed) + packets, std::memory_order_relaxed);
}

uint64_t PeerCounts::At(uint32_t peer, Match match) const {
  const Chunk* chunk = chunk_[peer / kChunkPeers].load(std::memory_order_acquire);
  if (chunk == nullptr) return 0;
  return chunk->counts[peer % kChunkPeers * kMatches + static_cast<size_t>(match)].load(std::memory_order_relaxed);
}

void PeerCounts::KeepUnmatched(const base::IpAddress& address, uint32_t teid, Match match, int64_t time_nanos) {
  Entry& e = unmatched_[next_unmatched_++ % kUnmatched];
  const uint32_t sequence = e.sequence.load(std::memory_order_relaxed);
  // The stores between are releases, so that none is seen before the odd number.
  e.sequence.store(sequence + 1, std::memory_order_relaxed);
  e.teid.store(teid, std::memory_order_release);
  e.address[0].store(base::LoadHost<uint64_t>(address.data()), std::memory_order_release);
  e.address[1].store(base::LoadHost<uint64_t>(address.data() + 8), std::memory_order_release);
  e.match.store(static_cast<uint64_t>(match), std::memory_order_release);
  e.time_nanos.store(time_nanos, std::memory_order_release);
  e.sequence.store(sequence + 2, std::memory_order_release);
}

bool PeerCounts::UnmatchedAt(size_t i, UnmatchedTunnel* unmatched) const {
  const Entry& e = unmatched_[i];
  const uint32_t sequence = e.sequence.load(std::memory_order_acquire);
  if (sequence == 0 || sequence % 2 != 0) return false;
  uint64_t words[2];
  unmatched->endpoint.teid = e.teid.load(std::memory_order_acquire);
  for (size_t w = 0; w < 2; ++w) words[w] = e.address[w].load(std::memory_order_acquire);
  unmatched->match = static_cast<Match>(e.match.load(std::memory_order_acquire));
  unmatched->time_nanos = e.time_nanos.load(std::memory_order_acquire);
  std::memcpy(unmatched->endpoint.address.data(), words, sizeof(words));
  return e.sequence.load(std::memory_order_relaxed) == sequence;
}

Tables::Tables(const SessionOptions& options)
    : slack_nanos(options.slack_nanos),
      peers(options.max_peers),
      tunnels(options.max_tunnels),
      legs(2 * options.max_contexts),
      facts(2 * options.max_contexts + 1024),
      locations(options.max_locations),
      texts(options.texts) {
  uint64_t state = options.seed;
  for (uint64_t& secret : secrets_) secret = base::NextSecret(&state);
  peers.Reach(0);
  tunnels.Reach(0);
  legs.Reach(0);
  facts.Reach(0);
  new (&locations.Reach(0)) gtp::UserLocation();
}

uint32_t Tables::HashOf(const base::IpAddress& address, uint32_t teid) const {
  const uint64_t a = base::LoadHost<uint64_t>(address.data());
  const uint64_t b = base::LoadHost<uint64_t>(address.data() + 8);
  const uint64_t h = base::FoldedMultiply(a ^ secrets_[0], b ^ secrets_[1]);
  return static_cast<uint32_t>(base::FoldedMultiply(h ^ teid ^ secrets_[2], secrets_[3] | 1) >> 32);
}

uint32_t Tables::HashOfV4(uint32_t address) const {
  return static_cast<uint32_t>(base::FoldedMultiply(address ^ secrets_[4], secrets_[3] | 1) >> 32);
}

uint32_t Tables::HashOfV6(uint64_t bits, uint8_t length) const {
  return static_cast<uint32_t>(base::FoldedMultiply(bits ^ secrets_[4], (secrets_[5] + length) | 1) >> 32);
}

uint32_t Tables::AtTime(uint32_t newest, int64_t time_nanos) const {
  uint32_t newer = 0, row = newest;
  while (row != 0 && tunnels[row].from_nanos > time_nanos) {
    newer = row;
    row = tunnels[row].older.load(std::memory_order_acquire);
  }
  if (row != 0 && tunnels[row].leg != 0) return row;
  // Nobody's at this time: that of the nearest within the slack.
  uint32_t best = 0;
  int64_t distance = slack_nanos;
  if (newer != 0 && tunnels[newer].leg != 0 && tunnels[newer].from_nanos - time_nanos <= distance) {
    best = newer;
    distance = tunnels[newer].from_nanos - time_nanos - 1;  // as far is as good: the new one, whose messages were late
  }
  if (row != 0 && time_nanos - tunnels[row].from_nanos <= distance) {
    const uint32_t older = tunnels[row].older.load(std::memory_order_acquire);
    if (older != 0 && tunnels[older].leg != 0) best = older;
  }
  return best;
}

const Facts* Tables::FactsAt(const LegRow& leg, int64_t time_nanos) const {
  const Facts* f = &facts[leg.facts.load(std::memory_order_acquire)];
  while (f->from_nanos > time_nanos) {
    const uint32_t previous = f->previous.load(std::memory_order_acquire);
    if (previous == 0) break;
    f = &facts[previous];
  }
  return f;
}

}  // namespace flowacct::session
