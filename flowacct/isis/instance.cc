#include "flowacct/isis/instance.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/isis/checksum.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/instance_adjacency.h"
#include "flowacct/isis/instance_circuit.h"
#include "flowacct/isis/instance_context.h"
#include "flowacct/isis/instance_counters.h"
#include "flowacct/isis/instance_update.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {
namespace {

Verdict VerdictOf(base::DecodeCode code) {
  switch (code) {
    case base::DecodeCode::kTruncated:
      return Verdict::kTruncated;
    case base::DecodeCode::kBadVersion:
      return Verdict::kBadVersion;
    case base::DecodeCode::kUnsupported:
      return Verdict::kUnsupported;
    default:
      return Verdict::kBadLength;
  }
}

Verdict VerdictOf(AuthenticationResult result) {
  switch (result) {
    case AuthenticationResult::kMissing:
      return Verdict::kAuthenticationMissing;
    case AuthenticationResult::kWrongType:
      return Verdict::kAuthenticationType;
    case AuthenticationResult::kBadLength:
      return Verdict::kAuthenticationLength;
    case AuthenticationResult::kUnknownKey:
      return Verdict::kAuthenticationKeyId;
    case AuthenticationResult::kTwice:
      return Verdict::kAuthenticationTwice;
    case AuthenticationResult::kOk:
    case AuthenticationResult::kFailed:
      break;
  }
  return Verdict::kAuthenticationFailed;
}

// One look at all TLVs: whether they add up, and for whom the PDU is.
struct TlvsAtAGlance {
  bool whole = true, standard_instance = true;
};

TlvsAtAGlance Glance(base::Octets tlvs) {
  TlvsAtAGlance glance;
  TlvReader reader(tlvs);
  for (Tlv tlv; reader.Next(&tlv);) {
    // RFC 8202, 2.1: two octets of the instance's identifier come first.
    if (tlv.type == kTlvInstanceIdentifier && tlv.value.size() >= 2 && base::LoadBe16(tlv.value.data()) != 0) {
      glance.standard_instance = false;
    }
  }
  glance.whole = reader.result().ok();
  return glance;
}

using NamedCounters = std::vector<std::pair<std::string, uint64_t>>;

template <size_t n>
void AppendCounters(const std::array<uint64_t, n>& values, const char* const (&names)[n], NamedCounters* counters) {
  for (size_t i = 0; i < n; ++i) {
    if (values[i] != 0) counters->emplace_back(names[i], values[i]);
  }
}

class InstanceImpl : public Instance {
 public:
  explicit InstanceImpl(InstanceOptions options) : context_(std::move(options)) {}

  absl::StatusOr<CircuitIndex> AddCircuit(CircuitOptions options, int64_t time_nanos) override {
    if (absl::Status status = InstanceCircuit::Check(context_.options, options); !status.ok()) return status;
    const CircuitIndex index = next_circuit_++;
    circuits_.try_emplace(index,
                          std::make_unique<InstanceCircuit>(context_.options, options, index, Forward(time_nanos)));
    return index;
  }

  void RemoveCircuit(CircuitIndex index, int64_t time_nanos) override {
    const auto it = circuits_.find(index);
    if (it == circuits_.end()) return;
    Forward(time_nanos);
    for (size_t i = 0; i < kVerdictCount; ++i) removed_[i] += it->second->verdicts()[i];
    for (UpdateProcess& level : levels_) level.RemoveCircuit(index);
    std::vector<Adjacency> adjacencies;
    it->second->adjacencies().AppendTo(&adjacencies);
    for (const Adjacency& adjacency : adjacencies) {
      if (adjacency.state == AdjacencyState::kUp) context_.Count(Event::kAdjacenciesDown);
    }
    circuits_.erase(it);
  }

  void Receive(CircuitIndex index, const base::MacAddress& source, base::Octets pdu, int64_t time_nanos) override {
    time_nanos = Forward(time_nanos);
    const auto it = circuits_.find(index);
    if (it == circuits_.end()) {
      ++removed_[static_cast<size_t>(Verdict::kUnknownCircuit)];
      return;
    }
    const Verdict verdict = Judge(index, it->second.get(), source, pdu, time_nanos);
    ++it->second->verdicts()[static_cast<size_t>(verdict)];
  }

  void Advance(int64_t time_nanos) override {
    time_nanos = Forward(time_nanos);
    // Neighbours first: what nobody hears is not flooded.
    for (auto& [index, circuit] : circuits_) {
      const uint8_t before = circuit->adjacencies().up_levels();
      AdjacencyEvents events;
      circuit->adjacencies().Expire(time_nanos, &events);
      Apply(index, circuit.get(), before, events, time_nanos);
    }
    for (UpdateProcess& level : levels_) level.Advance(time_nanos);
    for (auto& [index, circuit] : circuits_) {
      for (const Level level : kLevels) {
        if (!circuit->HelloIsDue(level, time_nanos)) continue;
        context_.Send(index, level, Event::kHellosSent, circuit->MakeHello(context_.options, level, time_nanos));
      }
    }
  }

  int64_t NextTime() const override {
    int64_t next = std::min(levels_[0].next_time(), levels_[1].next_time());
    for (const auto& [index, circuit] : circuits_) next = std::min(next, circuit->next_time());
    return std::max(next, time_nanos_);
  }

  std::vector<Outgoing> TakeOutgoing() override { return std::exchange(context_.outgoing, {}); }
  std::vector<LspChange> TakeChanges() override { return std::exchange(context_.changes, {}); }

  std::vector<Adjacency> Adjacencies() const override {
    std::vector<Adjacency> adjacencies;
    for (const auto& [index, circuit] : circuits_) circuit->adjacencies().AppendTo(&adjacencies);
    for (Adjacency& adjacency : adjacencies) adjacency.hostname = HostnameOf(adjacency);
    return adjacencies;
  }

  std::vector<LspSummary> Database(Level level, int64_t time_nanos) const override {
    std::vector<LspSummary> summaries;
    for (const auto& [id, lsp] : levels_[LevelIndex(level)].database().lsps()) {
      summaries.push_back({id, lsp->sequence, lsp->remaining_seconds(time_nanos), lsp->checksum,
                           static_cast<uint16_t>(lsp->octets.size()), lsp->flags(), lsp->own});
    }
    return summaries;
  }

  base::Octets FindLsp(Level level, const LspId& id) const override {
    const StoredLsp* lsp = levels_[LevelIndex(level)].database().Find(id);
    return lsp == nullptr ? base::Octets() : base::Octets(lsp->octets);
  }

  NamedCounters Counters() const override {
    VerdictCounters verdicts = removed_;
    for (const auto& [index, circuit] : circuits_) {
      for (size_t i = 0; i < kVerdictCount; ++i) verdicts[i] += circuit->verdicts()[i];
    }
    NamedCounters counters;
    AppendCounters(verdicts, kVerdictNames, &counters);
    AppendCounters(context_.events, kEventNames, &counters);
    return counters;
  }

  NamedCounters Counters(CircuitIndex index) const override {
    NamedCounters counters;
    const auto it = circuits_.find(index);
    if (it != circuits_.end()) AppendCounters(it->second->verdicts(), kVerdictNames, &counters);
    return counters;
  }

 private:
  int64_t Forward(int64_t time_nanos) { return time_nanos_ = std::max(time_nanos_, time_nanos); }

  Verdict Judge(CircuitIndex index, InstanceCircuit* circuit, const base::MacAddress& source, base::Octets pdu,
                int64_t time_nanos) {
    PduView view;
    if (const base::DecodeResult result = PduView::Parse(pdu, &view); !result.ok()) return VerdictOf(result.code);
    const TlvsAtAGlance tlvs = Glance(view.tlvs());
    if (!tlvs.standard_instance) return Verdict::kOtherInstance;
    if (view.kind() == PduKind::kLanHello || view.kind() == PduKind::kPointToPointHello) {
      if (!tlvs.whole) return Verdict::kMalformedHello;
      return JudgeHello(index, circuit, source, view, time_nanos);
    }
    if (circuit->options().kind == CircuitKind::kLan && source == circuit->options().mac) return Verdict::kOwnFrame;
    if (view.max_area_addresses() != 3) return Verdict::kMaxAreaMismatch;
    const Level level = view.level();
    if ((circuit->levels() & LevelBit(level)) == 0) return Verdict::kWrongLevel;
    if (!circuit->adjacencies().IsUp(level, source)) return Verdict::kNoAdjacency;
    const AuthenticationResult authentication = VerifyAuthentication(
        view, context_.options.lsp_keys[LevelIndex(level)], context_.options.accepted_lsp_keys[LevelIndex(level)]);
    if (authentication != AuthenticationResult::kOk) return VerdictOf(authentication);
    UpdateProcess& update = levels_[LevelIndex(level)];
    if (view.kind() != PduKind::kLsp) return update.ReceiveSnp(index, view, time_nanos);
    // A purge may have any: its header was changed on the way.
    if (view.remaining_seconds() != 0 && (view.checksum() == 0 || !LspChecksumIsRight(view.octets()))) {
      return Verdict::kBadChecksum;
    }
    // It is kept and told on as its system said it (RFC 8918, 3.2).
    if (!tlvs.whole) context_.Count(Event::kMalformedLsps);
    return update.ReceiveLsp(index, view, time_nanos);
  }

  Verdict JudgeHello(CircuitIndex index, InstanceCircuit* circuit, const base::MacAddress& source, const PduView& view,
                     int64_t time_nanos) {
    const AuthenticationResult authentication =
        VerifyAuthentication(view, circuit->HelloKey(view.kind() == PduKind::kLanHello ? view.level() : Level::k1),
                             circuit->options().accepted_hello_keys);
    if (authentication != AuthenticationResult::kOk) return VerdictOf(authentication);
    hello_.Clear();
    if (!ReadHelloContent(view.tlvs(), &hello_).ok()) context_.Count(Event::kMalformedHellos);
    const uint8_t before = circuit->adjacencies().up_levels();
    AdjacencyEvents events;
    const Verdict verdict = circuit->adjacencies().Receive(view, hello_, source, time_nanos, &events);
    Apply(index, circuit, before, events, time_nanos);
    return verdict;
  }

  void Apply(CircuitIndex index, InstanceCircuit* circuit, uint8_t levels_before, const AdjacencyEvents& events,
             int64_t time_nanos) {
    context_.Count(Event::kAdjacenciesUp, events.up);
    context_.Count(Event::kAdjacenciesDown, events.down);
    context_.Count(Event::kHoldExpired, events.expired);
    if (events.hello_wanted) circuit->WantHello();
    const CircuitOptions& options = circuit->options();
    const uint8_t levels = circuit->adjacencies().up_levels();
    for (const Level level : kLevels) {
      const uint8_t bit = LevelBit(level);
      UpdateProcess& update = levels_[LevelIndex(level)];
      // A neighbour of a point-to-point circuit that comes back begins anew, however short it was away.
      const bool anew = options.kind == CircuitKind::kPointToPoint ? (events.up_levels & bit) != 0
                                                                   : (levels & ~levels_before & bit) != 0;
      if ((levels & bit) == 0) {
        if ((levels_before & bit) != 0) update.RemoveCircuit(index);
      } else if (anew) {
        update.AddCircuit(index, options.kind, options.mtu, time_nanos);
      }
    }
  }

  std::string HostnameOf(const Adjacency& adjacency) const {
    const StoredLsp* lsp = levels_[LevelIndex(adjacency.level)].database().Find({{adjacency.system, 0}, 0});
    if (lsp == nullptr) return "";
    TlvReader reader(lsp->tlvs());
    for (Tlv tlv; reader.Next(&tlv);) {
      if (tlv.type == kTlvDynamicHostname) return std::string(base::AsText(tlv.value));
    }
    return "";
  }

  InstanceContext context_;
  std::array<UpdateProcess, 2> levels_{UpdateProcess(Level::k1, &context_), UpdateProcess(Level::k2, &context_)};
  absl::btree_map<CircuitIndex, std::unique_ptr<InstanceCircuit>> circuits_;
  CircuitIndex next_circuit_ = 0;
  VerdictCounters removed_{};  // of circuits that are gone, or never were
  HelloContent hello_;
  int64_t time_nanos_ = INT64_MIN;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Instance>> Instance::Create(InstanceOptions options) {
  const auto refuse = [](const auto&... text) {
    return absl::InvalidArgumentError(absl::StrCat("IS-IS instance: ", text...));
  };
  if (options.system == SystemId()) return refuse("system must be set, e.g. 1921.6800.1001");
  if (!options.level_1 && !options.level_2) return refuse("level_1, level_2 or both must be set");
  if (options.areas.empty() || options.areas.size() > 3) {
    return refuse(options.areas.size(), " areas; one to three must be set, e.g. 49.0001 (ISO 10589, 7.1.5)");
  }
  for (const AreaAddress& area : options.areas) {
    if (area.size == 0 || area.size > 13) return refuse("area ", area.ToString(), " is not of 1 to 13 octets");
  }
  if (options.hostname.size() > 255) return refuse("hostname is longer than 255 octets (RFC 5301)");
  for (const AuthenticationKey& key : options.lsp_keys) {
    if (!HasSecret(key)) return refuse("a key of lsp_keys has no secret");
  }
  for (const std::vector<AuthenticationKey>& keys : options.accepted_lsp_keys) {
    if (keys.size() > kMaxAcceptedKeys) {
      return refuse(keys.size(), " keys in accepted_lsp_keys; at most ", kMaxAcceptedKeys);
    }
    for (const AuthenticationKey& key : keys) {
      if (!HasSecret(key)) return refuse("a key of accepted_lsp_keys has no secret");
    }
  }
  if (options.max_lsps == 0) return refuse("max_lsps must be at least 1");
  return std::make_unique<InstanceImpl>(std::move(options));
}

}  // namespace flowacct::isis
