#include "flowacct/enrich/sessions/sessions_enricher.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/types/span.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using session::Found;
using session::Match;

// In the order in which they stand in for an absent time.
constexpr F kTimeFields[] = {F::kStartTime, F::kEndTime, F::kExportTime, F::kArrivalTime};
// What identifies a row's session, whatever is wanted.
constexpr F kKeyFields[] = {F::kTeid, F::kGtpDstAddr};
constexpr F kAddressFields[] = {F::kSrcAddr, F::kDstAddr};
constexpr F kVolumeFields[] = {F::kPackets, F::kBytes, F::kSamplingRate};

// What a session tells. Value, field.
#define FLOWACCT_SESSION_VALUES(X)                        \
  X(kImsi, kImsi)                                         \
  X(kMsisdn, kMsisdn)                                     \
  X(kImei, kImei)                                         \
  X(kImeiTac, kImeiTac)                                   \
  X(kHomePlmn, kHomePlmn)                                 \
  X(kVisitedPlmn, kVisitedPlmn)                           \
  X(kHomeCountry, kHomeCountry)                           \
  X(kVisitedCountry, kVisitedCountry)                     \
  X(kRoaming, kRoaming)                                   \
  X(kApn, kApn)                                           \
  X(kApnOperator, kApnOperator)                           \
  X(kRat, kRat)                                           \
  X(kLocation, kLocation) /* these six as PlaceText is */ \
  X(kCgi, kCgi)                                           \
  X(kSai, kSai)                                           \
  X(kRai, kRai)                                           \
  X(kTai, kTai)                                           \
  X(kEcgi, kEcgi)                                         \
  X(kQci, kQci)                                           \
  X(kArp, kArp)                                           \
  X(kEbi, kEbi)                                           \
  X(kChargingId, kChargingId)                             \
  X(kCharging, kChargingCharacteristics)                  \
  X(kSessionId, kSessionId)                               \
  X(kSessionStart, kSessionStart)                         \
  X(kUeAddr, kUeAddr)                                     \
  X(kInterface, kGtpInterface)                            \
  X(kDirection, kGtpDirection)                            \
  X(kUpAddr, kGtpUpAddr) /* of both ends, from here on */ \
  X(kDownAddr, kGtpDownAddr)                              \
  X(kTeidUp, kTeidUp)                                     \
  X(kTeidDown, kTeidDown)

enum class Value : uint8_t {
#define X(value, field) value,
  FLOWACCT_SESSION_VALUES(X)
#undef X
};

constexpr F kValueFields[] = {
#define X(value, field) F::field,
    FLOWACCT_SESSION_VALUES(X)
#undef X
};

// A subscriber may have more than the prefix that is told: one as short as this is delegated to it beside (TS 23.401,
// 5.3.1.2.6), which messages of GTP do not say.
constexpr uint8_t kDelegatedLength = 56;

constexpr size_t kTacDigits = 8;  // TS 23.003, 6.2.1

// What counters call each match.
constexpr absl::string_view kMatchCounters[] = {
    "records_without_tunnel", "records_joined",     "records_joined_by_address", "records_unknown_teid",
    "records_expired",        "records_no_control", "records_ambiguous",         "records_other_address"};
static_assert(std::size(kMatchCounters) == session::kMatches);

// Allocation and retention priority: bits 6 to 3 of its octet (TS 29.274, 8.86); of GTPv1 the priority itself, 1 to 3,
// which those bits leave free.
uint8_t PriorityLevel(uint8_t arp) {
  const uint8_t level = arp >> 2 & 0xf;
  return level != 0 ? level : arp & 3;
}

base::IpAddress AddressAt(const uint8_t* row, const FieldPlace& place) {
  return place.there() ? base::IpAddress::FromV6(row + place.offset) : base::IpAddress();
}

bool Has(const uint8_t* row, const FieldPlace& place) { return place.there() && IsPresent(row, place.index); }

uint64_t NumberAt(const uint8_t* row, const FieldPlace& place) {
  return place.there() ? base::LoadHost<uint64_t>(row + place.offset) : 0;
}

}  // namespace

SessionsEnricher::SessionsEnricher(const Sessions& sessions, const SessionsOptions& options,
                                   std::shared_ptr<const void> owner)
    : owner_(std::move(owner)),
      options_(options),
      epochs_reader_(sessions.epochs->NewReader()),
      reader_(sessions.engine) {}

EnricherFactory SessionsEnricher::Factory(std::shared_ptr<const void> owner, const Sessions& sessions,
                                          const SessionsOptions& options) {
  return [owner = std::move(owner), sessions, options] {
    return std::make_unique<SessionsEnricher>(sessions, options, owner);
  };
}

std::vector<F> SessionsEnricher::RequiredFields(const record::FieldSet& wanted) const {
  const bool tells = wanted.HasAny(kValueFields) || wanted.Has(F::kGtpMatch);
  if (!tells && !options_.count_volumes) return {};
  std::vector<F> fields(std::begin(kKeyFields), std::end(kKeyFields));
  const auto need = [&fields](absl::Span<const F> more) { fields.insert(fields.end(), more.begin(), more.end()); };
  need(kTimeFields);
  if (options_.by_address || options_.check_address || wanted.Has(F::kUeAddr)) need(kAddressFields);
  if (options_.count_volumes) need(kVolumeFields);
  return fields;
}

void SessionsEnricher::Bind(const record::Layout& layout, const record::FieldSet& wanted) {
  const auto wanted_place_of = [&](F field) { return wanted.Has(field) ? PlaceOf(layout, field) : FieldPlace(); };
  teid_ = PlaceOf(layout, F::kTeid);
  gtp_dst_addr_ = PlaceOf(layout, F::kGtpDstAddr);
  src_addr_ = PlaceOf(layout, F::kSrcAddr);
  dst_addr_ = PlaceOf(layout, F::kDstAddr);
  packets_ = PlaceOf(layout, F::kPackets);
  bytes_ = PlaceOf(layout, F::kBytes);
  sampling_rate_ = PlaceOf(layout, F::kSamplingRate);
  for (size_t i = 0; i < kTimes; ++i) times_[i] = PlaceOf(layout, kTimeFields[i]);
  match_ = wanted_place_of(F::kGtpMatch);
  assignments_.clear();
  wants_endpoints_ = false;
  for (size_t value = 0; value < std::size(kValueFields); ++value) {
    const FieldPlace place = wanted_place_of(kValueFields[value]);
    if (!place.there()) continue;
    assignments_.push_back({static_cast<uint8_t>(value), place});
    wants_endpoints_ |= value >= static_cast<size_t>(Value::kUpAddr);
  }
  wanted_ = match_.there() || !assignments_.empty() || options_.count_volumes;
  new_.Reset(layout.row_size());
  tried_.Reset(layout.row_size());
}

int64_t SessionsEnricher::TimeOf(const uint8_t* row) const {
  for (const FieldPlace& time : times_) {
    if (Has(row, time)) return base::LoadHost<int64_t>(row + time.offset);
  }
  return now_nanos_;
}

SessionsEnricher::Key SessionsEnricher::KeyOf(const uint8_t* row, session::LookUp* look_up) const {
  if (Has(row, teid_) && Has(row, gtp_dst_addr_)) {
    look_up->address = AddressAt(row, gtp_dst_addr_);
    look_up->teid = base::LoadHost<uint32_t>(row + teid_.offset);
    look_up->time_nanos = TimeOf(row);
    return Key::kTunnel;
  }
  return options_.by_address && (Has(row, src_addr_) || Has(row, dst_addr_)) ? Key::kAddress : Key::kNone;
}

void SessionsEnricher::FindBlock(const uint8_t* const* rows, size_t n) {
  size_t tunnels = 0;
  for (size_t i = 0; i < n; ++i) {
    keys_[i] = KeyOf(rows[i], &tunnels_[tunnels]);
    if (keys_[i] == Key::kTunnel) ++tunnels;
  }
  reader_.FindBatch(absl::MakeSpan(tunnels_.data(), tunnels));
  size_t next = 0;
  for (size_t i = 0; i < n; ++i) {
    session::LookUp& look_up = look_ups_[i];
    switch (keys_[i]) {
      case Key::kTunnel:
        look_up = tunnels_[next++];
        if (options_.check_address && IsOfAnother(look_up.found, rows[i])) {
          look_up.found.match = Match::kOtherAddress;
          look_up.found.facts = nullptr;
          look_up.found.volume = 0;
        }
        if (look_up.found.facts != nullptr) {
          __builtin_prefetch(look_up.found.facts);
          __builtin_prefetch(reinterpret_cast<const uint8_t*>(look_up.found.facts) + 64);
        }
        break;
      case Key::kAddress:
        look_up = session::LookUp();
        look_up.found =
            reader_.FindByAddress(AddressAt(rows[i], src_addr_), AddressAt(rows[i], dst_addr_), TimeOf(rows[i]));
        break;
      case Key::kNone:
        look_up = session::LookUp();
        // The tunnel is not told whole: of its control plane nothing can be known.
        if (Has(rows[i], teid_)) look_up.found.match = Match::kNoControl;
    }
  }
}

bool SessionsEnricher::IsOfAnother(const Found& found, const uint8_t* row) const {
  if (found.facts == nullptr) return false;
  const auto is_other = [&](const FieldPlace& place) {
    if (!Has(row, place)) return false;
    const base::IpAddress inner = AddressAt(row, place);
    // A session has all of its addresses from the beginning on: who has only one of IPv6 sends nothing of IPv4.
    if (found.facts->packed_v4 == 0 && found.facts->v6_length == 0) return false;
    if (inner.IsV4()) return inner != found.facts->ue_v4();
    // What is link-local (RFC 4291, 2.5.6) or nobody's is of the tunnel itself, such as neighbour discovery.
    const bool is_local = inner == base::IpAddress() || (inner.data()[0] == 0xfe && (inner.data()[1] & 0xc0) == 0x80);
    const uint8_t length = std::min(found.facts->v6_length, kDelegatedLength);
    return !is_local && (length == 0 || !base::IpPrefix(found.facts->ue_v6().address(), length).Contains(inner));
  };
  switch (found.direction) {
    case session::Direction::kUp:
      return is_other(src_addr_);
    case session::Direction::kDown:
      return is_other(dst_addr_);
    case session::Direction::kUnknown:
      break;
  }
  return is_other(src_addr_) && is_other(dst_addr_);
}

bool SessionsEnricher::MayCome(size_t i) const {
  const Match match = look_ups_[i].found.match;
  return keys_[i] == Key::kTunnel && (match == Match::kUnknownTeid || match == Match::kExpired ||
                                      match == Match::kNoControl || match == Match::kOtherAddress);
}

void SessionsEnricher::CountVolume(size_t i, const uint8_t* row) {
  uint64_t packets = NumberAt(row, packets_), bytes = NumberAt(row, bytes_);
  if (options_.sampling) {
    uint64_t rate = NumberAt(row, sampling_rate_);
    if (options_.sampling->default_rate != 0 && (rate == 0 || options_.sampling->override_rate)) {
      rate = options_.sampling->default_rate;
    }
    for (uint64_t* const counter : {&packets, &bytes}) {
      if (rate <= 1 || !__builtin_mul_overflow(*counter, rate, counter)) continue;
      *counter = std::numeric_limits<uint64_t>::max();
      ++volume_overflows_;
    }
  }
  if (keys_[i] == Key::kTunnel) {
    reader_.Count(look_ups_[i], packets, bytes);
  } else {
    reader_.Count(look_ups_[i].found, packets, bytes);
  }
}

void SessionsEnricher::Finish(size_t i, uint8_t* row, base::Interner& interner) {
  const Found& found = look_ups_[i].found;
  ++by_match_[static_cast<size_t>(found.match)];
  if (found.match == Match::kNone) return;
  if (match_.there()) {
    base::StoreHost(row + match_.offset, texts_.Match(found.match, interner));
    MarkPresent(row, match_.index);
  }
  if (options_.count_volumes && keys_[i] != Key::kNone) CountVolume(i, row);
  if (found.facts == nullptr) return;
  Tell(found, wants_endpoints_ ? reader_.Endpoints(found) : Ends(), row, interner);
}

void SessionsEnricher::TellOf(const Found& found, const Ends& ends, uint8_t* row, base::Interner& interner) {
  texts_.Meet(interner);
  Tell(found, ends, row, interner);
}

void SessionsEnricher::Tell(const Found& found, const Ends& ends, uint8_t* row, base::Interner& interner) {
  const session::Facts& facts = *found.facts;
  for (const Assignment& assignment : assignments_) {
    uint8_t* const field = row + assignment.place.offset;
    bool told = false;
    const auto digits = [&](base::Digits value) {
      if ((told = !value.empty())) base::StoreHost(field, value.bits());
    };
    const auto text = [&](base::InternId id) {
      if ((told = id != base::Interner::kNone)) base::StoreHost(field, id);
    };
    const auto number = [&](bool known, auto value) {
      if ((told = known)) base::StoreHost(field, value);
    };
    const auto address = [&](const base::IpAddress& value) {
      if ((told = value != base::IpAddress())) std::memcpy(field, value.data(), base::IpAddress::kSize);
    };
    switch (static_cast<Value>(assignment.value)) {
      case Value::kImsi:
        digits(facts.imsi);
        break;
      case Value::kMsisdn:
        digits(facts.msisdn);
        break;
      case Value::kImei:
        digits(facts.imei);
        break;
      case Value::kImeiTac:
        if (!facts.imei.empty()) digits(facts.imei.Prefix(kTacDigits));
        break;
      case Value::kHomePlmn:
        digits(facts.home_plmn());
        break;
      case Value::kVisitedPlmn:
        digits(facts.visited_plmn());
        break;
      case Value::kHomeCountry:
        text(texts_.Country(facts.home_plmn(), interner));
        break;
      case Value::kVisitedCountry:
        text(texts_.Country(facts.visited_plmn(), interner));
        break;
      case Value::kRoaming:
        text(texts_.Roaming(facts.roaming, interner));
        break;
      case Value::kApn:
        text(texts_.Session(reader_, facts.apn, interner));
        break;
      case Value::kApnOperator:
        text(texts_.Session(reader_, facts.apn_operator, interner));
        break;
      case Value::kRat:
        text(texts_.Rat(facts.rat, interner));
        break;
      case Value::kLocation:
      case Value::kCgi:
      case Value::kSai:
      case Value::kRai:
      case Value::kTai:
      case Value::kEcgi: {
        const auto place = static_cast<PlaceText>(assignment.value - static_cast<uint8_t>(Value::kLocation));
        text(texts_.Place(reader_, facts.location, place, interner));
        break;
      }
      case Value::kQci:
        number(facts.has_qci, facts.qci);
        break;
      case Value::kArp:
        number(facts.has_arp, PriorityLevel(facts.arp));
        break;
      case Value::kEbi:
        number(facts.ebi != 0, facts.ebi);
        break;
      case Value::kChargingId:
        number(facts.has_charging_id, facts.charging_id);
        break;
      case Value::kCharging:
        number(facts.has_charging_characteristics, facts.charging_characteristics);
        break;
      case Value::kSessionId:
        number(true, facts.session);
        break;
      case Value::kSessionStart:
        number(true, facts.start_nanos);
        break;
      case Value::kUeAddr: {
        // Of the two that a session may have, that of the packet's own version.
        const base::IpAddress inner =
            AddressAt(row, found.direction == session::Direction::kDown ? dst_addr_ : src_addr_);
        const base::IpAddress v4 = facts.ue_v4();
        const bool is_v4 = v4 != base::IpAddress() && (inner.IsV4() || facts.v6_length == 0);
        address(is_v4 ? v4 : facts.ue_v6().address());
        break;
      }
      case Value::kInterface:
        text(texts_.Interface(found.interface, interner));
        break;
      case Value::kDirection:
        text(texts_.Direction(found.direction, interner));
        break;
      case Value::kUpAddr:
        address(ends.first.address);
        break;
      case Value::kDownAddr:
        address(ends.second.address);
        break;
      case Value::kTeidUp:
        number(ends.first.teid != 0, ends.first.teid);
        break;
      case Value::kTeidDown:
        number(ends.second.teid != 0, ends.second.teid);
        break;
    }
    if (told) MarkPresent(row, assignment.place.index);
  }
}

void SessionsEnricher::Apply(record::FlowBatch& batch) {
  if (!wanted_) return;
  if (!epochs_reader_) {
    records_not_joined_ += batch.size();
    return;
  }
  texts_.Meet(batch.interner());
  epochs_reader_->Online();
  kept_.clear();
  const size_t stride = batch.stride();
  const size_t held_before = held();
  for (size_t first = 0; first < batch.size(); first += kBlock) {
    const size_t n = std::min(kBlock, batch.size() - first);
    uint8_t* const rows = batch.data() + first * stride;
    const uint8_t* pointers[kBlock];
    for (size_t i = 0; i < n; ++i) pointers[i] = rows + i * stride;
    FindBlock(pointers, n);
    for (size_t i = 0; i < n; ++i) {
      uint8_t* const row = rows + i * stride;
      if (MayCome(i) && now_nanos_ != 0 && look_ups_[i].time_nanos > now_nanos_ - options_.hold_nanos) {
        if (held() < options_.max_held) {
          new_.Push(row, now_nanos_);
          continue;
        }
        ++hold_full_;
      }
      Finish(i, row, batch.interner());
      kept_.push_back(static_cast<uint32_t>(first + i));
    }
  }
  held_ += held() - held_before;
  if (kept_.size() < batch.size()) batch.Keep(kept_);
  epochs_reader_->Offline();
}

void SessionsEnricher::TryAgain(HeldRows* waiting, int64_t until, bool last, record::FlowBatch* batch) {
  // A clock that was set back does not make rows wait for ever.
  const auto is_due = [&](int64_t since) { return since <= until || since > now_nanos_; };
  while (!waiting->empty() && is_due(waiting->since(0))) {
    const uint8_t* rows[kBlock];
    size_t n = 0;
    for (; n < kBlock && n < waiting->size() && is_due(waiting->since(n)); ++n) rows[n] = waiting->row(n);
    FindBlock(rows, n);
    for (size_t i = 0; i < n; ++i) {
      if (MayCome(i) && !last) {
        tried_.Push(rows[i], waiting->since(i));
        continue;
      }
      if (look_ups_[i].found.facts != nullptr) {
        ++held_joined_;
      } else {
        ++hold_ended_;
      }
      Finish(i, batch->AppendCopies(1, rows[i]), batch->interner());
    }
    waiting->Pop(n);
  }
}

void SessionsEnricher::Release(int64_t now_nanos, bool all, record::FlowBatch& batch) {
  // Far enough from the ends that a time of holding may be taken from it: there may be no time yet, which is the least.
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min() / 2;
  now_nanos = std::max(now_nanos, kLeast);
  now_nanos_ = now_nanos;
  if (held() == 0) return;
  texts_.Meet(batch.interner());
  epochs_reader_->Online();
  constexpr int64_t kEver = std::numeric_limits<int64_t>::max();
  TryAgain(&tried_, all ? kEver : now_nanos - options_.hold_nanos, /*last=*/true, &batch);
  TryAgain(&new_, all ? kEver : now_nanos - options_.hold_nanos / kFirstTry, /*last=*/all, &batch);
  epochs_reader_->Offline();
}

std::vector<EnricherCounter> SessionsEnricher::counters() const {
  std::vector<EnricherCounter> counters;
  for (size_t i = 0; i < session::kMatches; ++i) counters.push_back({kMatchCounters[i], by_match_[i]});
  counters.insert(counters.end(), {{"records_held", held_},
                                   {"held_joined", held_joined_},
                                   {"hold_ended", hold_ended_},
                                   {"hold_full", hold_full_},
                                   {"volume_overflows", volume_overflows_},
                                   {"records_not_joined", records_not_joined_}});
  return counters;
}

}  // namespace flowacct::enrich
