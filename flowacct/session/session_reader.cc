#include "flowacct/session/session_reader.h"

#include <algorithm>
#include <array>

#include "flowacct/base/octets.h"
#include "flowacct/session/session_impl.h"
#include "flowacct/session/tables.h"

namespace flowacct::session {
namespace {

// As many look-ups are on their way at once: enough for memory to be busy, few enough for the nearest cache.
constexpr size_t kBatch = 32;

}  // namespace

SessionReader::SessionReader(SessionEngine* engine)
    : tables_(&engine->impl_->store.tables), engine_(engine), counts_(engine->impl_->store.NewCounts()) {}

SessionReader::SessionReader(SessionReader&& o) noexcept
    : tables_(o.tables_), engine_(o.engine_), counts_(std::exchange(o.counts_, nullptr)) {}

SessionReader::~SessionReader() {
  if (counts_ != nullptr) counts_->taken.store(false, std::memory_order_release);
}

void SessionReader::FindBatch(absl::Span<LookUp> look_ups) const {
  const Tables& t = *tables_;
  std::array<uint32_t, kBatch> hashes, rows;
  while (!look_ups.empty()) {
    const absl::Span<LookUp> batch = look_ups.first(std::min(look_ups.size(), kBatch));
    look_ups.remove_prefix(batch.size());
    for (size_t i = 0; i < batch.size(); ++i) {
      hashes[i] = t.HashOf(batch[i].address, batch[i].teid);
      t.tunnel_index.Prefetch(hashes[i]);
    }
    // The first row of that hash is nearly always the one.
    for (size_t i = 0; i < batch.size(); ++i) {
      rows[i] = t.tunnel_index.Find(hashes[i], [](uint32_t) { return true; });
      if (rows[i] != 0) __builtin_prefetch(&t.tunnels[rows[i]]);
    }
    for (size_t i = 0; i < batch.size(); ++i) {
      LookUp& l = batch[i];
      if (rows[i] != 0 && !t.IsTunnel(rows[i], l.address, l.teid)) {
        rows[i] = t.FindTunnel(hashes[i], l.address, l.teid);
      }
      l.found = Found();
      if (rows[i] == 0) {
        l.found.peer = t.FindPeer(l.address);
        l.found.match = l.found.peer == 0 ? Match::kNoControl : Match::kUnknownTeid;
        continue;
      }
      l.found.peer = t.tunnels[rows[i]].peer;
      rows[i] = t.AtTime(rows[i], l.time_nanos);
      if (rows[i] == 0) {
        l.found.match = Match::kExpired;
        continue;
      }
      __builtin_prefetch(&t.legs[t.tunnels[rows[i]].leg], /*rw=*/1);
    }
    for (size_t i = 0; i < batch.size(); ++i) {
      if (rows[i] == 0) continue;
      const LegRow& leg = t.legs[t.tunnels[rows[i]].leg];
      const Facts* facts = &t.facts[leg.facts.load(std::memory_order_acquire)];
      __builtin_prefetch(facts);
      __builtin_prefetch(reinterpret_cast<const char*>(facts) + 64);
    }
    for (size_t i = 0; i < batch.size(); ++i) {
      if (rows[i] == 0) continue;
      const TunnelRow& tunnel = t.tunnels[rows[i]];
      Found& found = batch[i].found;
      found.match = Match::kJoined;
      found.direction = tunnel.direction;
      found.interface = tunnel.interface;
      found.tunnel = rows[i];
      found.volume = tunnel.counts ? tunnel.leg : 0;
      found.facts = t.FactsAt(t.legs[tunnel.leg], batch[i].time_nanos);
    }
  }
}

Found SessionReader::Find(const base::IpAddress& destination, uint32_t teid, int64_t time_nanos) const {
  LookUp look_up{destination, teid, time_nanos, {}};
  FindBatch(absl::MakeSpan(&look_up, 1));
  return look_up.found;
}

namespace {

// Which of several sessions had an address at a time.
class LeaseSearch {
 public:
  LeaseSearch(const Tables* tables, int64_t time_nanos) : tables_(tables), time_nanos_(time_nanos) {}

  void Search(const base::IpAddress& address) {
    const Tables& t = *tables_;
    if (address.IsV4()) {
      if (address.v4() == 0) return;
      t.lease_index.VisitAll(t.HashOfV4(address.v4()), [&](uint32_t row) {
        if (t.facts[t.legs[row].facts.load(std::memory_order_acquire)].packed_v4 == address.v4()) Take(row);
      });
      return;
    }
    for (uint64_t lengths = t.v6_lengths.load(std::memory_order_acquire); lengths != 0; lengths &= lengths - 1) {
      const auto length = static_cast<uint8_t>(__builtin_ctzll(lengths) + 1);
      const uint64_t bits = base::LoadBe64(address.data()) & ~uint64_t{0} << (64 - length);
      t.lease_index.VisitAll(t.HashOfV6(bits, length), [&](uint32_t row) {
        const Facts& facts = t.facts[t.legs[row].facts.load(std::memory_order_acquire)];
        if (facts.v6_length == length && base::LoadBe64(facts.packed_v6) == bits) Take(row);
      });
    }
  }

  // Of those that had it at this time, else of those within the slack.
  Match match() const {
    if (strict_.row != 0) return strict_.ambiguous ? Match::kAmbiguous : Match::kJoinedByAddress;
    if (slack_.row != 0) return slack_.ambiguous ? Match::kAmbiguous : Match::kJoinedByAddress;
    return other_ ? Match::kExpired : Match::kNone;
  }
  uint32_t row() const { return strict_.row != 0 ? strict_.row : slack_.row; }

 private:
  struct Best {
    uint32_t row = 0;
    bool ambiguous = false;
  };

  void Take(uint32_t row) {
    const LegRow& leg = tables_->legs[row];
    const int64_t start = tables_->facts[leg.facts.load(std::memory_order_acquire)].start_nanos;
    const int64_t end = leg.end_nanos.load(std::memory_order_acquire);
    const int64_t slack = tables_->slack_nanos;
    if (time_nanos_ >= start && time_nanos_ < end) {
      Take(row, &strict_);
    } else if (time_nanos_ >= start - slack && (time_nanos_ < end || time_nanos_ - end <= slack)) {
      Take(row, &slack_);
    } else {
      other_ = true;
    }
  }
  static void Take(uint32_t row, Best* best) {
    best->ambiguous |= best->row != 0 && best->row != row;
    best->row = row;
  }

  const Tables* tables_;
  int64_t time_nanos_;
  Best strict_, slack_;
  bool other_ = false;
};

}  // namespace

Found SessionReader::FindByAddress(const base::IpAddress& source, const base::IpAddress& destination,
                                   int64_t time_nanos) const {
  Found found;
  for (const bool up : {true, false}) {
    LeaseSearch search(tables_, time_nanos);
    search.Search(up ? source : destination);
    const Match match = search.match();
    if (match == Match::kNone || (match == Match::kExpired && found.match != Match::kNone)) continue;
    // What is sure of the destination is better than what is not of the source.
    if (found.match == Match::kAmbiguous && match != Match::kJoinedByAddress) continue;
    found.match = match;
    found.direction = up ? Direction::kUp : Direction::kDown;
    if (match != Match::kJoinedByAddress) continue;
    found.volume = search.row();
    found.facts = tables_->FactsAt(tables_->legs[search.row()], time_nanos);
    return found;
  }
  if (found.facts == nullptr) found.direction = Direction::kUnknown;
  return found;
}

void SessionReader::Count(const Found& found, uint64_t packets, uint64_t bytes) {
  counts_->Add(found.peer, found.match, packets);
  if (found.volume == 0 || found.direction == Direction::kUnknown) return;
  LegRow& leg = tables_->legs[found.volume];
  const size_t down = found.direction == Direction::kDown ? 1 : 0;
  leg.counts[down].fetch_add(packets, std::memory_order_relaxed);
  leg.counts[2 + down].fetch_add(bytes, std::memory_order_relaxed);
}

void SessionReader::Count(const LookUp& look_up, uint64_t packets, uint64_t bytes) {
  Count(look_up.found, packets, bytes);
  if (look_up.found.facts == nullptr) {
    counts_->KeepUnmatched(look_up.address, look_up.teid, look_up.found.match, look_up.time_nanos);
  }
}

std::pair<Endpoint, Endpoint> SessionReader::Endpoints(const Found& found) const {
  std::pair<Endpoint, Endpoint> ends;
  if (found.tunnel == 0) return ends;
  const TunnelRow& tunnel = tables_->tunnels[found.tunnel];
  const auto endpoint = [this](const TunnelRow& t) { return Endpoint{tables_->peers[t.peer].address, t.teid}; };
  Endpoint own = endpoint(tunnel), other;
  if (const uint32_t pair = tunnel.pair.load(std::memory_order_acquire)) other = endpoint(tables_->tunnels[pair]);
  return tunnel.direction == Direction::kUp ? std::make_pair(own, other) : std::make_pair(other, own);
}

absl::string_view SessionReader::text(base::InternId id) const { return base::AsText(tables_->texts.Find(id)); }
const gtp::UserLocation& SessionReader::location(uint32_t id) const { return tables_->locations[id]; }
const std::shared_ptr<const void>& SessionReader::identity() const { return tables_->texts.identity(); }

}  // namespace flowacct::session
