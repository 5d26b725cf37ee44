#include "flowacct/collector/igp/igp_service.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/topology/from_isis.h"

namespace flowacct::collector {
namespace {

using isis::Adjacency;
using isis::AdjacencyState;
using topology::Advertisement;
using topology::AdvertisementKey;

constexpr int64_t kSecond = 1'000'000'000;
// How soon what enrichers want is looked at.
constexpr int64_t kRound = kSecond / 10;
// A topology that grew this long is there: whoever is not in it now is not known.
constexpr int64_t kSettle = 30 * kSecond;
// What was told by BGP-LS has no lifetime: that which LSPs have as a rule (ISO 10589, 7.3.21).
constexpr int64_t kBgpLsLifetime = 1200 * kSecond;
// How seldom all routers whose ways are kept are forgotten, where there are too many.
constexpr int64_t kForget = 600 * kSecond;
// Routers of BGP-LS that are taken at once.
constexpr size_t kTurn = 1024;
constexpr absl::string_view kKind = "inside of the network";
constexpr uint16_t kVersion = 1;

int64_t SteadyNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

absl::string_view StateText(AdjacencyState state) {
  switch (state) {
    case AdjacencyState::kDown:
      return "down";
    case AdjacencyState::kInitializing:
      return "initializing";
    case AdjacencyState::kUp:
      return "up";
  }
  return "";
}

std::string LevelsText(const Adjacency& adjacency) {
  return adjacency.levels == 3   ? "1-2"
         : adjacency.levels == 0 ? absl::StrCat(static_cast<int>(adjacency.level))
                                 : absl::StrCat(adjacency.levels);
}

uint8_t LevelsOf(const Adjacency& adjacency) {
  return adjacency.levels != 0 ? adjacency.levels : static_cast<uint8_t>(1 << (static_cast<int>(adjacency.level) - 1));
}

}  // namespace

IgpService::IgpService(IgpServiceOptions options)
    : options_(std::move(options)),
      start_wall_nanos_(absl::GetCurrentTimeNanos()),
      start_steady_nanos_(SteadyNanos()),
      topology_(&epochs_, options_.topology),
      published_(topology_.published()),
      exporters_(options_.exporters) {
  if (!options_.bgp_ls) return;
  feed_ = std::make_unique<BgpLsFeed>(options_.bgp_ls_options, [this] {
    base::MutexLock lock(&queue_mutex_);
    bgp_ls_changed_ = true;
  });
}

absl::StatusOr<std::shared_ptr<IgpService>> IgpService::New(IgpServiceOptions options) {
  std::shared_ptr<IgpService> service(new IgpService(std::move(options)));
  if (!service->options_.isis) return service;
  IsisListenerOptions listener;
  listener.instance = *service->options_.isis;
  // The service outlives its listener.
  listener.on_changes = [raw = service.get()](const isis::Instance& instance, const std::vector<isis::LspChange>& c) {
    raw->Hear(instance, c);
  };
  auto made = IsisListener::New(std::move(listener));
  if (!made.ok()) return made.status();
  service->listener_ = *std::move(made);
  auto change = service->Prepare(service->options_);
  if (!change.ok()) return change.status();
  change->files = {};
  if (const absl::Status status = service->Commit(*std::move(change)); !status.ok()) return status;
  return service;
}

IgpService::~IgpService() { Stop(); }

void IgpService::Start() {
  const int64_t now = Now();
  {
    base::MutexLock lock(&mutex_);
    TakeFiles(options_.files, now);
    // Records that come at once are joined with what files tell.
    if (topology_.database().size() > 0) topology_.Compute(now);
  }
  thread_ = std::thread([this] { Run(); });
  if (listener_ != nullptr) listener_->Start();
}

void IgpService::Stop() {
  if (listener_ != nullptr) listener_->Stop();
  {
    base::MutexLock lock(&queue_mutex_);
    ending_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

const topology::ReachTable& IgpService::reach() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return topology_.reach(); }

int64_t IgpService::Now() const { return start_wall_nanos_ + (SteadyNanos() - start_steady_nanos_); }

void IgpService::Log(absl::string_view line) const {
  if (options_.log) options_.log(line);
}

void IgpService::Note(absl::string_view line) const {
  if (options_.note) options_.note(line);
}

uint64_t IgpService::changes() const {
  base::MutexLock lock(&mutex_);
  return changes_;
}

// What comes in.

void IgpService::Hear(const isis::Instance& instance, const std::vector<isis::LspChange>& changes) {
  Pending heard;
  for (const isis::LspChange& change : changes) {
    std::optional<Advertisement>& told = heard[topology::KeyOf(change.level, change.id)];
    told.reset();
    const base::Octets octets = instance.FindLsp(change.level, change.id);
    isis::PduView pdu;
    if (change.kind == isis::LspChange::Kind::kGone || !isis::PduView::Parse(octets, &pdu).ok()) continue;
    isis::LspContent content;
    // What was read before an error counts.
    (void)isis::ReadLspContent(pdu.tlvs(), &content);
    told = topology::AdvertisementOf(change.level, change.id, pdu.sequence(), pdu.lsp_flags(), content);
  }
  base::MutexLock lock(&queue_mutex_);
  for (auto& [key, told] : heard) heard_[key] = std::move(told);
}

void IgpService::Put(Source source, Advertisement advertisement, int64_t now) {
  const AdvertisementKey key = advertisement.key;
  const auto [owner, first] = owners_.try_emplace(key);
  if (!first && owner->second.source > source) {
    ++shadowed_;
    if (source == Source::kBgpLs) behind_.insert_or_assign(key, std::move(advertisement));
    return;
  }
  if (!first && source == Source::kIsis && owner->second.source == Source::kBgpLs && !owner->second.kept) {
    if (const auto told = topology_.database().Find(key); told != nullptr) behind_.insert_or_assign(key, *told);
  }
  if (!first && owner->second.kept) --kept_;
  owner->second = Owner{source};
  changes_ += topology_.Apply(std::move(advertisement), now);
  if (topology_.database().Find(key) == nullptr) owners_.erase(key);  // beyond a bound
}

void IgpService::Drop(Source source, const AdvertisementKey& key, int64_t now) {
  if (source == Source::kBgpLs) behind_.erase(key);
  const auto owner = owners_.find(key);
  if (owner == owners_.end() || owner->second.source != source) return;
  if (owner->second.kept) --kept_;
  owners_.erase(owner);
  // What it stood before.
  if (const auto told = behind_.find(key); told != behind_.end()) {
    Put(Source::kBgpLs, std::move(behind_.extract(told).mapped()), now);
    return;
  }
  if (const auto file = files_.find(key); source != Source::kFile && file != files_.end()) {
    Put(Source::kFile, file->second, now);
    return;
  }
  changes_ += topology_.Remove(key, now);
}

void IgpService::Absorb(Source source, Pending pending, int64_t now) {
  for (auto& [key, told] : pending) {
    if (told) {
      Put(source, *std::move(told), now);
    } else {
      Drop(source, key, now);
    }
  }
}

void IgpService::TakeFiles(IgpFileContents files, int64_t now) {
  std::map<AdvertisementKey, Advertisement> told;
  for (Advertisement& advertisement : files.advertisements) {
    const AdvertisementKey key = advertisement.key;
    told.insert_or_assign(key, std::move(advertisement));
  }
  std::vector<AdvertisementKey> gone;
  for (const auto& [key, owner] : owners_) {
    if (owner.source == Source::kFile && told.count(key) == 0) gone.push_back(key);
  }
  files_ = std::move(told);
  groups_ = std::move(files.groups);
  for (const AdvertisementKey& key : gone) Drop(Source::kFile, key, now);
  for (const auto& [key, advertisement] : files_) {
    const auto owner = owners_.find(key);
    if (owner == owners_.end() || owner->second.source == Source::kFile) Put(Source::kFile, advertisement, now);
  }
}

void IgpService::DropStale(int64_t now) {
  if (kept_ == 0 || now < std::min(next_expiry_, *std::min_element(stale_at_.begin(), stale_at_.end()))) return;
  std::vector<std::pair<Source, AdvertisementKey>> gone;
  next_expiry_ = INT64_MAX;
  for (const auto& [key, owner] : owners_) {
    if (!owner.kept) continue;
    const int64_t stale_at = stale_at_[owner.source == Source::kIsis ? key.level % stale_at_.size() : 0];
    if (now >= owner.expires_nanos || now >= stale_at) {
      gone.emplace_back(owner.source, key);
    } else {
      next_expiry_ = std::min(next_expiry_, owner.expires_nanos);
    }
  }
  for (const auto& [source, key] : gone) Drop(source, key, now);
  for (int64_t& at : stale_at_) at = now >= at ? INT64_MAX : at;
}

void IgpService::Run() {
  const auto has_work = [this] {
    queue_mutex_.AssertHeld();
    return ending_ || bgp_ls_changed_ || !heard_.empty();
  };
  int64_t next_look = INT64_MIN;
  bool heard_bgp_ls = false, roots_full = false;
  int64_t next_forget = INT64_MIN;
  for (;;) {
    const int64_t now = Now();
    Pending heard, link_state;
    bool bgp_ls_changed;
    {
      base::MutexLock lock(&queue_mutex_);
      heard.swap(heard_);
      bgp_ls_changed = std::exchange(bgp_ls_changed_, false);
    }
    // Not all at once: others have their turn.
    if (bgp_ls_changed && feed_->TakeChanges(
                              kTurn, [&](const Advertisement& changed) { link_state[changed.key] = changed; },
                              [&](const AdvertisementKey& gone) { link_state[gone] = std::nullopt; })) {
      base::MutexLock lock(&queue_mutex_);
      bgp_ls_changed_ = true;
    }
    int64_t next;
    {
      base::MutexLock lock(&mutex_);
      if (!link_state.empty() && !std::exchange(heard_bgp_ls, true)) stale_at_[0] = now + options_.stale_for_nanos;
      Absorb(Source::kIsis, std::move(heard), now);
      Absorb(Source::kBgpLs, std::move(link_state), now);
      DropStale(now);
      if (wanted_->pending()) {
        for (const topology::WantedRouter& wanted : wanted_->Take()) {
          if (topology_.Want(wanted.router, wanted.alternates)) {
            roots_.insert(wanted.router);
          } else {
            ++wanted_refused_;
            roots_full = true;
          }
        }
      }
      // Some may be of exporters that have gone. Those that still send flows are wanted again with the next snapshot.
      if (roots_full && now >= next_forget) {
        for (const topology::NodeKey root : roots_) topology_.Unwant(root);
        roots_.clear();
        roots_full = false;
        next_forget = now + kForget;
      }
      const int64_t begin = SteadyNanos();
      if (topology_.Advance(now)) {
        last_spf_seconds_ = static_cast<double>(SteadyNanos() - begin) / kSecond;
        spf_seconds_ += last_spf_seconds_;
      }
      next = topology_.NextTime();
    }
    if (now >= next_look) {
      WatchAdjacencies(now);
      WatchExporters(now);
      next_look = now + kSecond;
    }
    const int64_t present = Now();
    const int64_t wait = next <= present ? 0 : std::min(next - present, kRound);
    base::MutexLock lock(&queue_mutex_);
    if (wait > 0) (void)queue_mutex_.AwaitFor(has_work, absl::Nanoseconds(wait));
    if (ending_) return;
  }
}

// What is watched.

void IgpService::WatchAdjacencies(int64_t now) {
  if (listener_ == nullptr) return;
  std::map<AdjacencyName, KnownAdjacency> found;
  std::map<isis::CircuitIndex, std::string> circuits;
  for (const IsisCircuitStatus& circuit : listener_->Circuits()) circuits[circuit.index] = circuit.name;
  uint8_t up = 0;
  listener_->Look([&](const isis::Instance& instance, int64_t) {
    for (const Adjacency& adjacency : instance.Adjacencies()) {
      const auto circuit = circuits.find(adjacency.circuit);
      if (circuit == circuits.end()) continue;  // since then
      const std::string levels = LevelsText(adjacency);
      KnownAdjacency& known = found[{adjacency.circuit, absl::StrCat(adjacency.system.ToString(), " ", levels)}];
      known.state = adjacency.state;
      known.text =
          absl::StrCat("isis: ", circuit->second, ": level ", levels, " adjacency with ", adjacency.system.ToString(),
                       adjacency.hostname.empty() ? "" : absl::StrCat(" (", adjacency.hostname, ")"));
      if (adjacency.state == AdjacencyState::kUp) up |= LevelsOf(adjacency);
    }
  });
  for (const auto& [name, adjacency] : found) {
    const auto known = adjacencies_.find(name);
    const AdjacencyState before = known == adjacencies_.end() ? AdjacencyState::kDown : known->second.state;
    if (before != AdjacencyState::kUp && adjacency.state == AdjacencyState::kUp) {
      Note(absl::StrCat(adjacency.text, " is up"));
    }
    if (before == AdjacencyState::kUp && adjacency.state != AdjacencyState::kUp) {
      Log(absl::StrCat(adjacency.text, " went ", StateText(adjacency.state)));
    }
  }
  for (const auto& [name, adjacency] : adjacencies_) {
    if (adjacency.state == AdjacencyState::kUp && found.count(name) == 0) {
      Log(absl::StrCat(adjacency.text, " went down"));
    }
  }
  adjacencies_ = std::move(found);
  base::MutexLock lock(&mutex_);
  for (const int level : {1, 2}) {
    if (kept_ > 0 && (up & level) != 0 && stale_at_[level] == INT64_MAX)
      stale_at_[level] = now + options_.stale_for_nanos;
  }
}

// Routers that exporters are, and that nobody knows: once the topology is there.
void IgpService::WatchExporters(int64_t now) {
  const uint64_t serial = published_->serial();
  if (serial == 0) return;
  // Of files alone all is there at once.
  const bool grows = listener_ != nullptr || options_.bgp_ls;
  if (check_exporters_at_ == INT64_MIN) check_exporters_at_ = grows ? now + kSettle : now;
  std::vector<std::string> routers;
  {
    base::MutexLock lock(&mutex_);
    routers = exporters_.routers;
  }
  if (now < check_exporters_at_ || (serial == checked_serial_ && routers == checked_routers_)) return;
  checked_serial_ = serial;
  checked_routers_ = routers;
  const auto snapshot = published_->Get();
  for (const std::string& router : routers) {
    if (warned_.count(router) != 0 || snapshot->directory->Find(router)) continue;
    warned_.insert(router);
    Log(absl::StrCat(
        "igp: an exporter is said to be \"", router,
        "\", which is the name, identifier or address of no router, or of several; its flows are not joined"));
  }
}

// What is changed while it runs.

absl::StatusOr<IgpService::Change> IgpService::Prepare(const IgpServiceOptions& options) const {
  Change change;
  change.files = options.files;
  change.exporters = options.exporters;
  if (listener_ == nullptr) return change;
  // An interface that was made anew needs a new socket, though its circuit is said to be the same.
  std::set<std::string> dead;
  for (const IsisCircuitStatus& circuit : listener_->Circuits()) {
    if (!circuit.there) dead.insert(circuit.name);
  }
  std::map<std::string, std::string> said;
  {
    base::MutexLock lock(&mutex_);
    said = said_;
  }
  for (const IgpCircuit& circuit : options.circuits) {
    const auto same = std::find_if(said.begin(), said.end(),
                                   [&](const auto& s) { return s.second == circuit.said && dead.count(s.first) == 0; });
    if (same != said.end()) {
      said.erase(same);
      continue;
    }
    auto open = IsisListener::Open(circuit.circuit);
    if (!open.ok()) return open.status();
    change.said.emplace_back(open->socket->circuit().name, circuit.said);
    change.fresh.push_back(*std::move(open));
  }
  for (const auto& [name, text] : said) change.gone.push_back(name);
  return change;
}

absl::Status IgpService::Commit(Change change) {
  if (listener_ != nullptr && (!change.gone.empty() || !change.fresh.empty())) {
    if (const absl::Status status = listener_->Change(change.gone, std::move(change.fresh)); !status.ok()) {
      return status;
    }
  }
  base::MutexLock lock(&mutex_);
  for (const std::string& name : change.gone) said_.erase(name);
  for (auto& [name, text] : change.said) said_.insert_or_assign(name, text);
  exporters_ = std::move(change.exporters);
  TakeFiles(std::move(change.files), Now());
  return absl::OkStatus();
}

// What is kept over a restart:
//
//     octets of the database, 8 | these | count, 4, each: level, 1, origin, 8, fragment, 1, source, 1, end of its
//     lifetime, 8

std::string IgpService::Save() const {
  // Lifetimes first: the listener's lock is never taken under ours.
  absl::flat_hash_map<AdvertisementKey, int64_t> expires;
  if (listener_ != nullptr) {
    listener_->Look([&](const isis::Instance& instance, int64_t now) {
      for (const isis::Level level : {isis::Level::k1, isis::Level::k2}) {
        for (const isis::LspSummary& lsp : instance.Database(level, now)) {
          expires[topology::KeyOf(level, lsp.id)] = now + lsp.remaining_seconds * kSecond;
        }
      }
    });
  }
  base::MutexLock lock(&mutex_);
  const std::string database = topology_.Save();
  base::OctetWriter w;
  w.U64(database.size()).Text(database);
  std::vector<std::pair<AdvertisementKey, Owner>> owners;
  for (const auto& [key, owner] : owners_) {
    if (owner.source != Source::kFile) owners.emplace_back(key, owner);
  }
  std::sort(owners.begin(), owners.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  w.U32(static_cast<uint32_t>(owners.size()));
  for (const auto& [key, owner] : owners) {
    int64_t end = owner.expires_nanos;
    if (const auto live = expires.find(key); !owner.kept && live != expires.end()) end = live->second;
    w.U8(key.level).U64(key.origin.value).U8(key.fragment).U8(static_cast<uint8_t>(owner.source));
    w.U64(static_cast<uint64_t>(end));
  }
  return base::Seal(kKind, kVersion, w.octets());
}

absl::Status IgpService::Restore(base::Octets octets) {
  const auto sealed = base::Unseal(kKind, kVersion, octets);
  if (!sealed.ok()) return sealed.status();
  base::OctetReader r(sealed->body);
  const base::Octets database = r.Bytes(r.U64());
  absl::flat_hash_map<AdvertisementKey, Owner> owners;
  for (uint32_t left = r.U32(); left > 0 && r.ok(); --left) {
    AdvertisementKey key;
    key.level = r.U8();
    key.origin = topology::NodeKey{r.U64()};
    key.fragment = r.U8();
    Owner& owner = owners[key];
    owner.source = r.U8() == static_cast<uint8_t>(Source::kBgpLs) ? Source::kBgpLs : Source::kIsis;
    owner.kept = true;
    owner.expires_nanos = static_cast<int64_t>(r.U64());
  }
  if (!r.ok() || r.remaining() != 0) return absl::DataLossError("topology: the saved state is damaged");
  const int64_t now = Now();
  base::MutexLock lock(&mutex_);
  if (const absl::Status status = topology_.Restore(database, now); !status.ok()) return status;
  std::vector<AdvertisementKey> gone;
  const topology::TopologyState state = topology_.database().State();
  for (const auto& advertisement : state.advertisements()) {
    const AdvertisementKey& key = advertisement->key;
    const auto owner = owners.find(key);
    // Files are read again; what comes of a source that there is no more is of no use.
    const bool comes = owner != owners.end() && now < owner->second.expires_nanos &&
                       (owner->second.source == Source::kIsis ? listener_ != nullptr : options_.bgp_ls);
    if (!comes) {
      gone.push_back(key);
      continue;
    }
    Owner& kept = owners_[key];
    kept = owner->second;
    if (kept.source == Source::kBgpLs) kept.expires_nanos = std::min(kept.expires_nanos, now + kBgpLsLifetime);
    ++kept_;
    next_expiry_ = std::min(next_expiry_, kept.expires_nanos);
  }
  for (const AdvertisementKey& key : gone) topology_.Remove(key, now);
  topology_.Compute(now);
  return absl::OkStatus();
}

}  // namespace flowacct::collector
