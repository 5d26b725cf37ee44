// What an engine shows of itself, and the names of what it shows.

#include <utility>

#include "flowacct/session/session_engine.h"
#include "flowacct/session/session_impl.h"

namespace flowacct::session {

absl::string_view InterfaceName(Interface interface) {
  static constexpr absl::string_view kNames[] = {
#define X(name, text) text,
      FLOWACCT_SESSION_INTERFACES(X)
#undef X
  };
  return kNames[static_cast<size_t>(interface)];
}

absl::string_view MatchName(Match match) {
  static constexpr absl::string_view kNames[] = {
#define X(name, text, help) text,
      FLOWACCT_SESSION_MATCHES(X)
#undef X
  };
  return kNames[static_cast<size_t>(match)];
}

absl::string_view RoamingName(Roaming roaming) {
  static constexpr absl::string_view kNames[] = {
#define X(name, text) text,
      FLOWACCT_SESSION_ROAMING(X)
#undef X
  };
  return kNames[static_cast<size_t>(roaming)];
}

absl::string_view CauseName(Cause cause) {
  static constexpr absl::string_view kNames[] = {
#define X(name, text, help) text,
      FLOWACCT_SESSION_CAUSES(X)
#undef X
  };
  return kNames[static_cast<size_t>(cause)];
}

SessionEngine::SessionEngine(lpm::ReaderEpochs* epochs, SessionOptions options)
    : impl_(std::make_unique<Impl>(epochs, std::move(options))) {}
SessionEngine::~SessionEngine() = default;

void SessionEngine::Take(const gtp::ControlMessage& message, const Transport& transport) {
  impl_->Take(message, transport);
}
bool SessionEngine::Advance(int64_t now_nanos) { return impl_->Advance(now_nanos); }
void SessionEngine::EndAll(int64_t now_nanos) {
  impl_->store.Now(now_nanos);
  impl_->store.EndAll();
}
std::vector<SessionRecord> SessionEngine::TakeRecords() { return impl_->store.TakeRecords(); }

const SessionCounters& SessionEngine::counters() const { return impl_->store.counters; }
size_t SessionEngine::contexts() const { return impl_->store.contexts(); }
size_t SessionEngine::transactions() const { return impl_->transactions(); }
size_t SessionEngine::octets() const { return impl_->octets(); }

namespace {

void AddPackets(const SessionStore& store, uint32_t peer, PeerReport* report) {
  for (size_t m = 0; m < kMatches; ++m) report->packets[m] = store.PacketsOf(peer, static_cast<Match>(m));
}

}  // namespace

void SessionEngine::VisitPeers(absl::FunctionRef<void(const PeerReport&)> visit) const {
  const SessionStore& store = impl_->store;
  for (uint32_t i = 1; i <= store.tables.peers.size(); ++i) {
    const PeerRow& p = store.tables.peers[i];
    PeerReport report;
    report.address = p.address;
    report.messages_from = p.messages_from;
    report.messages_to = p.messages_to;
    report.has_restart_counter = p.has_restart_counter;
    report.restart_counter = p.restart_counter;
    report.restarts = p.restarts;
    report.control_endpoints = p.control_endpoints;
    AddPackets(store, i, &report);
    visit(report);
  }
}

PeerReport SessionEngine::unknown_peers() const {
  PeerReport report;
  AddPackets(impl_->store, 0, &report);
  return report;
}

SessionView SessionEngine::Impl::ViewOf(uint32_t row) const {
  const LegRow& leg = store.tables.legs[row];
  const SessionRow& s = store.sessions[leg.session];
  SessionView view;
  view.facts = store.FactsOfLeg(row);
  view.active = leg.end_nanos.load() == kForEver;
  view.suspended = s.suspended;
  view.linked = leg.ebi != s.default_ebi;
  view.rat_changes = s.rat_changes;
  view.location_changes = s.location_changes;
  const std::array<uint32_t, kPaths> legs = store.LegsOf(row);
  for (size_t i = 0; i < kPaths; ++i) {
    if (legs[i] != 0) view.paths[i] = store.PathOf(legs[i]);
  }
  return view;
}

size_t SessionEngine::VisitSessions(size_t from, absl::FunctionRef<bool(const SessionView&)> visit) const {
  const Tables& t = impl_->store.tables;
  for (auto i = static_cast<uint32_t>(from == 0 ? 1 : from); i <= t.legs.size(); ++i) {
    if (t.legs[i].session == 0 || !impl_->store.IsPrimary(i)) continue;
    if (!visit(impl_->ViewOf(i))) return i + 1 <= t.legs.size() ? i + 1 : 0;
  }
  return 0;
}

std::vector<SessionView> SessionEngine::SessionsOf(base::Digits imsi) const {
  const SessionStore& store = impl_->store;
  std::vector<SessionView> views;
  for (uint32_t s = store.FirstOf(imsi); s != 0; s = store.sessions[s].next) {
    for (uint32_t leg = store.sessions[s].first_leg; leg != 0; leg = store.tables.legs[leg].next) {
      if (store.tables.legs[leg].end_nanos.load() == kForEver && store.IsPrimary(leg)) {
        views.push_back(impl_->ViewOf(leg));
      }
    }
  }
  return views;
}

std::vector<UnmatchedTunnel> SessionEngine::unmatched() const {
  std::vector<UnmatchedTunnel> all;
  for (const PeerCounts* c = impl_->store.tables.counts.load(std::memory_order_acquire); c != nullptr; c = c->next) {
    for (size_t i = 0; i < PeerCounts::kUnmatched; ++i) {
      UnmatchedTunnel u;
      if (c->UnmatchedAt(i, &u)) all.push_back(u);
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const UnmatchedTunnel& a, const UnmatchedTunnel& b) { return a.time_nanos > b.time_nanos; });
  return all;
}

absl::string_view SessionEngine::text(base::InternId id) const {
  return base::AsText(impl_->store.tables.texts.Find(id));
}
const gtp::UserLocation& SessionEngine::location(uint32_t id) const { return impl_->store.tables.locations[id]; }

std::string SessionEngine::Save() const { return impl_->Save(); }
absl::Status SessionEngine::Restore(base::Octets sealed) { return impl_->Restore(sealed); }

}  // namespace flowacct::session
