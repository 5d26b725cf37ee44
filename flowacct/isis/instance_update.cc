#include "flowacct/isis/instance_update.h"

#include <algorithm>
#include <utility>

#include "flowacct/isis/instance_adjacency.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {
namespace {

constexpr size_t kLinesOfTlv = 255 / kLspEntrySize;
constexpr uint8_t kIpv4Nlpid = 0xcc, kIpv6Nlpid = 0x8e;  // ISO/IEC TR 9577, RFC 1195, RFC 5308
constexpr LspId kLastLspId = {{{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, 0xff}, 0xff};

// How many lines fill what is left of a PDU.
size_t LinesIn(size_t room) {
  const size_t whole = room / (2 + kLinesOfTlv * kLspEntrySize), rest = room % (2 + kLinesOfTlv * kLspEntrySize);
  return whole * kLinesOfTlv + (rest < 2 ? 0 : (rest - 2) / kLspEntrySize);
}

bool MayBeInPurge(uint8_t type) {
  switch (type) {
#define X(number, name, text, where, reference) \
  case number:                                  \
    return ((where)&kInPurge) != 0;
    FLOWACCT_ISIS_TLV_TYPES(X)
#undef X
    default:
      return false;
  }
}

// RFC 6233, 3: the remaining lifetime is not under the signature, so that anyone could turn an LSP into a purge; what a
// purge may not carry gives such a one away.
bool IsBarePurge(base::Octets tlvs) {
  TlvReader reader(tlvs);
  for (Tlv tlv; reader.Next(&tlv);) {
    if (!MayBeInPurge(tlv.type)) return false;
  }
  return true;
}

LspEntry EntryOf(const PduView& lsp) { return {lsp.remaining_seconds(), lsp.lsp_id(), lsp.sequence(), lsp.checksum()}; }

// The identifier behind `id`, in the order of CSNPs; nothing behind the last.
std::optional<LspId> Successor(LspId id) {
  uint8_t* digits[8] = {&id.fragment, &id.node.pseudonode};
  for (size_t i = 0; i < 6; ++i) digits[2 + i] = &id.node.system.octets[5 - i];
  for (uint8_t* digit : digits) {
    if (++*digit != 0) return id;
  }
  return std::nullopt;
}

}  // namespace

void UpdateProcess::AddCircuit(CircuitIndex index, CircuitKind kind, size_t mtu, int64_t time_nanos) {
  Circuit& circuit = circuits_[index];
  circuit = Circuit();
  circuit.kind = kind;
  circuit.mtu = mtu;
  PduWriter psnp(PduWriter::Psnp{level_, {context_->options.system, 0}}, mtu);
  psnp.AddAuthentication(context_->options.lsp_keys[LevelIndex(level_)]);
  circuit.lines = std::max<size_t>(1, LinesIn(psnp.room()));
  if (kind == CircuitKind::kPointToPoint) {
    // 7.3.17: all that we have. It is put off until the neighbour has had time to say what it has already.
    circuit.csnps_from = LspId();
    for (const auto& [id, lsp] : database_.lsps()) circuit.send.SetLater(id, time_nanos);
  } else if (has_own() && database_.Find(own_id()) != nullptr) {
    circuit.send.Set(own_id());  // the rest is what the designated system's CSNPs are for
  }
  if (has_own() && own_last_ == INT64_MIN) own_next_ = std::min(own_next_, time_nanos);
}

void UpdateProcess::Tell(LspChange::Kind kind, const LspId& id, int64_t time_nanos) {
  context_->changes.push_back({kind, level_, id, time_nanos});
}

void UpdateProcess::StoreLsp(const LspId& id, base::Octets lsp, bool own, bool purged, int64_t time_nanos) {
  context_->lsps -= database_.size();
  context_->octets -= database_.octets();
  if (purged) {
    database_.StorePurged(id, lsp, own, time_nanos + kZeroAgeNanos);
  } else {
    database_.Store(id, lsp, own, time_nanos);
  }
  context_->lsps += database_.size();
  context_->octets += database_.octets();
}

void UpdateProcess::RemoveLsp(const LspId& id) {
  context_->lsps -= database_.size();
  context_->octets -= database_.octets();
  database_.Remove(id);
  context_->lsps += database_.size();
  context_->octets += database_.octets();
  for (auto& [index, circuit] : circuits_) circuit.send.Clear(id);
}

void UpdateProcess::Acknowledge(Circuit* circuit, const LspEntry& entry, int64_t time_nanos) {
  // On a LAN the designated system's CSNPs acknowledge.
  if (circuit->kind == CircuitKind::kPointToPoint) circuit->acknowledge.Set(entry, time_nanos);
}

void UpdateProcess::FloodFrom(CircuitIndex from, const LspEntry& entry, int64_t time_nanos) {
  for (auto& [index, circuit] : circuits_) {
    if (index == from) {
      circuit.send.Clear(entry.id);
      circuit.acknowledge.Clear(entry.id);  // a request is answered
      Acknowledge(&circuit, entry, time_nanos);
    } else {
      circuit.send.Set(entry.id);
      circuit.acknowledge.Clear(entry.id);
    }
  }
}

void UpdateProcess::FloodEverywhere(const LspId& id) {
  for (auto& [index, circuit] : circuits_) {
    circuit.send.Set(id);
    circuit.acknowledge.Clear(id);
  }
}

Verdict UpdateProcess::ReceiveLsp(CircuitIndex index, const PduView& lsp, int64_t time_nanos) {
  const auto it = circuits_.find(index);
  if (it == circuits_.end()) return Verdict::kNoAdjacency;
  Circuit* circuit = &it->second;
  const LspEntry entry = EntryOf(lsp);
  if (entry.sequence == 0) return Verdict::kBadSequence;
  const bool purge = entry.remaining_seconds == 0;
  if (purge && context_->options.lsp_keys[LevelIndex(level_)].kind != AuthenticationKind::kNone &&
      !IsBarePurge(lsp.tlvs())) {
    return Verdict::kPurgeWithContent;
  }
  if (has_own() && entry.id.node.system == context_->options.system) {
    return ReceiveOwn(circuit, index, lsp, time_nanos);
  }
  const StoredLsp* stored = database_.Find(entry.id);
  if (stored == nullptr && purge) {
    circuit->acknowledge.Clear(entry.id);
    Acknowledge(circuit, entry, time_nanos);
    return Verdict::kLspPurgeUnknown;
  }
  if (stored == nullptr) return Keep(index, lsp, stored, time_nanos);
  switch (CompareLsp(entry, *stored)) {
    case LspOrder::kNewer:
      if (!purge) return Keep(index, lsp, stored, time_nanos);
      if (!stored->purged) Tell(LspChange::Kind::kGone, entry.id, time_nanos);
      if (context_->octets - stored->octets.size() + lsp.size() > context_->options.max_octets) {
        RemoveLsp(entry.id);
        return Verdict::kDatabaseFull;
      }
      StoreLsp(entry.id, lsp.octets(), false, true, time_nanos);
      FloodFrom(index, entry, time_nanos);
      return Verdict::kLspPurge;
    case LspOrder::kSame:
      circuit->send.Clear(entry.id);
      Acknowledge(circuit, entry, time_nanos);
      return Verdict::kLspSame;
    case LspOrder::kOlder:
      circuit->send.Set(entry.id);
      circuit->acknowledge.Clear(entry.id);
      return Verdict::kLspOlder;
    case LspOrder::kConfused:
      break;
  }
  Purge(entry.id, entry.sequence, stored->flags(), false, time_nanos);
  return Verdict::kLspConfused;
}

Verdict UpdateProcess::Keep(CircuitIndex index, const PduView& lsp, const StoredLsp* stored, int64_t time_nanos) {
  const LspEntry entry = EntryOf(lsp);
  const size_t was = stored == nullptr ? 0 : stored->octets.size();
  if ((stored == nullptr && context_->lsps >= context_->options.max_lsps) ||
      context_->octets - was + lsp.size() > context_->options.max_octets) {
    // What is known to be old is not shown as if it were true.
    if (stored != nullptr) {
      if (!stored->purged) Tell(LspChange::Kind::kGone, entry.id, time_nanos);
      RemoveLsp(entry.id);
    }
    return Verdict::kDatabaseFull;
  }
  const bool known = stored != nullptr && !stored->purged;
  Tell(!known                                         ? LspChange::Kind::kNew
       : SameLspContent(lsp.octets(), stored->octets) ? LspChange::Kind::kRefreshed
                                                      : LspChange::Kind::kChanged,
       entry.id, time_nanos);
  StoreLsp(entry.id, lsp.octets(), false, false, time_nanos);
  FloodFrom(index, entry, time_nanos);
  return known ? Verdict::kLspNewer : Verdict::kLspNew;
}

// 7.3.16.1: an LSP in this system's name.
Verdict UpdateProcess::ReceiveOwn(Circuit* circuit, CircuitIndex index, const PduView& lsp, int64_t time_nanos) {
  const LspEntry entry = EntryOf(lsp);
  const StoredLsp* stored = database_.Find(entry.id);
  if (stored == nullptr && entry.remaining_seconds == 0) {
    circuit->acknowledge.Clear(entry.id);
    Acknowledge(circuit, entry, time_nanos);
    return Verdict::kLspPurgeUnknown;
  }
  const LspOrder order = stored == nullptr ? LspOrder::kNewer : CompareLsp(entry, *stored);
  if (order == LspOrder::kSame) {
    circuit->send.Clear(entry.id);
    Acknowledge(circuit, entry, time_nanos);
    return Verdict::kLspSame;
  }
  if (order == LspOrder::kOlder) {
    circuit->send.Set(entry.id);
    circuit->acknowledge.Clear(entry.id);
    return Verdict::kLspOlder;
  }
  circuit->acknowledge.Clear(entry.id);
  if (stored != nullptr && !stored->purged) {
    WantOwn(entry.sequence, time_nanos);
  } else if (entry.remaining_seconds == 0) {
    if (context_->octets - stored->octets.size() + lsp.size() > context_->options.max_octets) {
      return Verdict::kDatabaseFull;
    }
    StoreLsp(entry.id, lsp.octets(), true, true, time_nanos);
    FloodFrom(index, entry, time_nanos);
  } else if (stored == nullptr && context_->lsps >= context_->options.max_lsps) {
    return Verdict::kDatabaseFull;
  } else {
    Purge(entry.id, entry.sequence, lsp.lsp_flags(), true, time_nanos);
    context_->Count(Event::kOwnLspsPurged);
  }
  return Verdict::kLspOwn;
}

void UpdateProcess::Purge(const LspId& id, uint32_t sequence, uint8_t flags, bool own, int64_t time_nanos) {
  PduWriter writer(PduWriter::Lsp{level_, 0, id, sequence, flags}, kMaxAgeSeconds);
  writer.AddAuthentication(context_->options.lsp_keys[LevelIndex(level_)]);
  std::vector<uint8_t> originator = {1};
  const auto& system = context_->options.system.octets;
  originator.insert(originator.end(), system.begin(), system.end());
  writer.Add(kTlvPurgeOriginator, originator);
  const std::vector<uint8_t> header = writer.Finish();
  const StoredLsp* stored = database_.Find(id);
  if (stored != nullptr && !stored->purged) Tell(LspChange::Kind::kGone, id, time_nanos);
  if (header.size() < kLspHeaderSize) return RemoveLsp(id);  // it cannot be signed
  StoreLsp(id, header, own, true, time_nanos);
  FloodEverywhere(id);
}

void UpdateProcess::WantOwn(uint32_t beyond, int64_t time_nanos) {
  own_sequence_ = std::max(own_sequence_, beyond);
  own_next_ = std::min(own_next_, std::max(time_nanos, own_last_ + kMinGenerationNanos));
}

void UpdateProcess::MakeOwn(int64_t time_nanos) {
  const InstanceOptions& options = context_->options;
  own_last_ = time_nanos;
  const uint8_t flags = kLspOverload | (options.level_2 ? kLspLevel2 : kLspLevel1);
  if (own_sequence_ == UINT32_MAX) {
    // 7.3.16.1: everyone must have forgotten before the numbers begin again.
    context_->Count(Event::kSequenceExhausted);
    Purge(own_id(), own_sequence_, flags, true, time_nanos);
    own_sequence_ = 0;
    own_next_ = time_nanos + kMaxAgeSeconds * kNanosPerSecond + kZeroAgeNanos;
    return;
  }
  PduWriter writer(PduWriter::Lsp{level_, kMaxAgeSeconds, own_id(), ++own_sequence_, flags}, 1492);
  writer.AddAuthentication(options.lsp_keys[LevelIndex(level_)]);
  writer.AddAreas(options.areas);
  const uint8_t protocols[] = {kIpv4Nlpid, kIpv6Nlpid};
  writer.AddProtocols(protocols);
  if (!options.topologies.empty()) {
    std::vector<TopologyMembership> topologies = {{kStandardTopology, true, false}};
    for (const TopologyNumber topology : options.topologies) {
      if (topology != kStandardTopology) topologies.push_back({topology, true, false});
    }
    writer.AddTopologies(topologies);
  }
  if (!options.hostname.empty()) writer.AddHostname(options.hostname);
  const std::vector<uint8_t> lsp = writer.Finish();
  own_next_ = time_nanos + kRefreshNanos;
  if (lsp.empty()) return;
  const StoredLsp* stored = database_.Find(own_id());
  Tell(stored == nullptr || stored->purged   ? LspChange::Kind::kNew
       : SameLspContent(lsp, stored->octets) ? LspChange::Kind::kRefreshed
                                             : LspChange::Kind::kChanged,
       own_id(), time_nanos);
  StoreLsp(own_id(), lsp, true, false, time_nanos);
  FloodEverywhere(own_id());
  context_->Count(Event::kOwnLspsMade);
}

// 7.3.15.2, b: one line of a neighbour's sequence numbers.
void UpdateProcess::HearOf(Circuit* circuit, const LspEntry& entry, int64_t time_nanos) {
  const StoredLsp* stored = database_.Find(entry.id);
  if (stored == nullptr) {
    if (entry.sequence == 0 || entry.remaining_seconds == 0 || entry.checksum == 0) return;
    if (context_->lsps >= context_->options.max_lsps || circuit->acknowledge.size() >= context_->options.max_lsps) {
      return context_->Count(Event::kRequestsRefused);
    }
    circuit->acknowledge.Set({entry.remaining_seconds, entry.id, 0, 0}, time_nanos);
    return;
  }
  const bool point_to_point = circuit->kind == CircuitKind::kPointToPoint;
  const bool own = has_own() && entry.id == own_id() && !stored->purged;
  switch (CompareLsp(entry, *stored)) {
    case LspOrder::kSame:
      if (point_to_point) circuit->send.Clear(entry.id);
      break;
    case LspOrder::kOlder:
      circuit->acknowledge.Clear(entry.id);
      circuit->send.Set(entry.id);
      break;
    case LspOrder::kNewer:
      if (own) return WantOwn(entry.sequence, time_nanos);
      circuit->acknowledge.Set(stored->EntryOf(entry.id, time_nanos), time_nanos);
      if (point_to_point) circuit->send.Clear(entry.id);
      break;
    case LspOrder::kConfused:
      if (own) return WantOwn(entry.sequence, time_nanos);
      // With our own line both would ask, and none would send.
      circuit->acknowledge.Set({entry.remaining_seconds, entry.id, 0, 0}, time_nanos);
      break;
  }
}

Verdict UpdateProcess::ReceiveSnp(CircuitIndex index, const PduView& snp, int64_t time_nanos) {
  const auto it = circuits_.find(index);
  if (it == circuits_.end()) return Verdict::kNoAdjacency;
  Circuit* circuit = &it->second;
  const bool complete = snp.kind() == PduKind::kCsnp;
  if (!complete && circuit->kind == CircuitKind::kLan) return Verdict::kPsnpOfLan;
  std::vector<LspId> told;
  LspEntryReader reader(snp.tlvs());
  for (LspEntry entry; reader.Next(&entry);) {
    HearOf(circuit, entry, time_nanos);
    if (complete) told.push_back(entry.id);
  }
  // Of one that lies it is not known what it meant not to tell of.
  if (!reader.result().ok()) return Verdict::kMalformedSnp;
  if (!complete) return Verdict::kPsnp;
  if (!std::is_sorted(told.begin(), told.end())) std::sort(told.begin(), told.end());
  // A neighbour that tells again and again that it has nothing costs no walk each time: it will tell so later, too.
  if (time_nanos - kNanosPerSecond >= circuit->walks_since) {
    circuit->walks_since = time_nanos;
    circuit->walked = 0;
  }
  if (circuit->walked > 4 * database_.lsps().size() + 1000) return Verdict::kCsnp;
  auto next = told.begin();
  const LspId last = snp.last_lsp();
  for (auto stored = database_.lsps().lower_bound(snp.first_lsp());
       stored != database_.lsps().end() && !(last < stored->first); ++stored, ++circuit->walked) {
    while (next != told.end() && *next < stored->first) ++next;
    if ((next == told.end() || stored->first < *next) && !stored->second->purged) circuit->send.Set(stored->first);
  }
  return Verdict::kCsnp;
}

void UpdateProcess::SendCsnp(CircuitIndex index, Circuit* circuit, int64_t time_nanos) {
  const LspId first = *circuit->csnps_from;
  PduWriter::Csnp header{level_, {context_->options.system, 0}, first, kLastLspId};
  const size_t lines = circuit->lines - std::min<size_t>(circuit->lines - 1, 2);  // its header is 16 octets longer
  std::vector<LspEntry> entries;
  auto it = database_.lsps().lower_bound(first);
  for (; it != database_.lsps().end() && entries.size() < lines; ++it) {
    entries.push_back(it->second->EntryOf(it->first, time_nanos));
  }
  circuit->csnps_from.reset();
  if (it != database_.lsps().end()) {
    header.last = entries.back().id;
    circuit->csnps_from = Successor(header.last);
  }
  PduWriter writer(header, circuit->mtu);
  writer.AddAuthentication(context_->options.lsp_keys[LevelIndex(level_)]);
  writer.AddLspEntries(entries);
  context_->Send(index, level_, Event::kCsnpsSent, writer.Finish());
}

void UpdateProcess::SendPsnps(CircuitIndex index, Circuit* circuit, int64_t time_nanos) {
  while (circuit->acknowledge.next_time(circuit->lines) <= time_nanos) {
    PduWriter writer(PduWriter::Psnp{level_, {context_->options.system, 0}}, circuit->mtu);
    writer.AddAuthentication(context_->options.lsp_keys[LevelIndex(level_)]);
    writer.AddLspEntries(circuit->acknowledge.Take(circuit->lines, time_nanos));
    context_->Send(index, level_, Event::kPsnpsSent, writer.Finish());
  }
}

void UpdateProcess::SendBurst(CircuitIndex index, Circuit* circuit, int64_t time_nanos) {
  if (circuit->next_burst > time_nanos) return;
  size_t sent = 0;
  while (sent < kBurst) {
    if (circuit->csnps_from) {
      SendCsnp(index, circuit, time_nanos);
      ++sent;
      continue;
    }
    const LspId* next = circuit->send.Next(time_nanos);
    if (next == nullptr) break;
    const LspId id = *next;
    const StoredLsp* lsp = database_.Find(id);
    if (lsp == nullptr || lsp->octets.size() > circuit->mtu) {
      if (lsp != nullptr) context_->Count(Event::kTooLargeToSend);
      circuit->send.Clear(id);
      continue;
    }
    const bool again = circuit->send.WasSent(id);
    std::vector<uint8_t> octets = lsp->octets;
    base::StoreBe16(&octets[kLspRemainingAt], lsp->remaining_seconds(time_nanos));
    context_->Send(index, level_, again ? Event::kLspsSentAgain : Event::kLspsSent, std::move(octets));
    ++sent;
    if (circuit->kind == CircuitKind::kPointToPoint) {
      circuit->send.Sent(id, time_nanos);
    } else {
      circuit->send.Clear(id);
    }
  }
  if (sent != 0) circuit->next_burst = time_nanos + kBurstNanos;
}

void UpdateProcess::Advance(int64_t time_nanos) {
  while (database_.next_expiry() <= time_nanos) {
    const LspId id = database_.next_to_expire();
    const StoredLsp& lsp = *database_.Find(id);
    if (lsp.purged) {
      RemoveLsp(id);
      context_->Count(Event::kLspsForgotten);
    } else {
      context_->Count(Event::kLspsExpired);
      Purge(id, lsp.sequence, lsp.flags(), lsp.own, time_nanos);
    }
  }
  if (own_next_ <= time_nanos) MakeOwn(time_nanos);
  for (auto& [index, circuit] : circuits_) {
    SendPsnps(index, &circuit, time_nanos);
    SendBurst(index, &circuit, time_nanos);
  }
}

int64_t UpdateProcess::next_time() const {
  int64_t next = std::min(database_.next_expiry(), own_next_);
  for (const auto& [index, circuit] : circuits_) {
    next = std::min(next, circuit.acknowledge.next_time(circuit.lines));
    const int64_t wanted = circuit.csnps_from ? INT64_MIN : circuit.send.next_time();
    if (wanted != kNever) next = std::min(next, std::max(wanted, circuit.next_burst));
  }
  return next;
}

}  // namespace flowacct::isis
