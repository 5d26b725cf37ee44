#include "flowacct/collector/looking_glass/mrt_history.h"

#include "absl/strings/str_cat.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/nlri.h"

namespace flowacct::collector {
namespace {

constexpr absl::string_view kColumns[] = {"time",   "peer",    "as", "event",
                                          "prefix", "path_id", "rd", FLOWACCT_ATTRIBUTE_COLUMNS};

}  // namespace

MrtHistory::MrtHistory(RouteFilter filter, size_t limit)
    : filter_(std::move(filter)), limit_(limit), reader_(this), rows_(kColumns) {}

bool MrtHistory::Begin(absl::Time time, const mrt::Peer& peer, absl::string_view event) {
  if (++all_ > limit_ && limit_ != 0) return false;
  rows_.Row();
  rows_.Time(time);
  rows_.Text(peer.address.ToString());
  rows_.Number(uint64_t{peer.as});
  rows_.Text(event);
  return true;
}

void MrtHistory::Route(const bgp::Nlri& route) {
  rows_.Text(route.prefix().ToString());
  route.has_path_id ? rows_.Number(uint64_t{route.path_id}) : rows_.Absent();
  route.rd != 0 ? rows_.Text(bgp::RouteDistinguisherText(route.rd)) : rows_.Absent();
}

void MrtHistory::OnRibEntry(const mrt::RibEntry& entry) {
  if (!filter_.WantsPrefix(entry.route.prefix()) || !filter_.WantsDistinguisher(entry.route.rd)) return;
  if (!filter_.WantsPeer(entry.peer.address, entry.peer.bgp_identifier)) return;
  const bgp::AttributeSetView set(entry.attributes);
  if (!filter_.WantsAttributes(set)) return;
  speakers_.emplace(entry.peer.address, entry.peer.as);
  if (!Begin(entry.time, entry.peer, "table")) return;
  Route(entry.route);
  AppendAttributes(set, &rows_);
}

void MrtHistory::OnMessage(const mrt::BgpMessage& message) {
  const mrt::Peer& peer = message.ends.peer;
  if (message.from_local || message.type != bgp::MessageType::kUpdate) return;
  if (!filter_.WantsPeer(peer.address, peer.bgp_identifier)) return;
  bgp::DecodeUpdate(message.message, message.context, &update_, &updates_);
  const auto wanted = [this](const bgp::Nlri& route) {
    return filter_.WantsPrefix(route.prefix()) && filter_.WantsDistinguisher(route.rd);
  };
  for (const bgp::NlriSection& section : update_.withdrawn()) {
    section.Visit([&](const bgp::Nlri& route) {
      if (!wanted(route) || !Begin(message.ends.time, peer, "withdraw")) return;
      Route(route);
      AppendNoAttributes(&rows_);
    });
  }
  for (const bgp::NlriSection& section : update_.announced()) {
    const bgp::AttributeSetView set(bgp::CanonicalizeAttributes(update_, section, &attributes_));
    if (!filter_.WantsAttributes(set)) continue;
    section.Visit([&](const bgp::Nlri& route) {
      if (!wanted(route)) return;
      speakers_.emplace(peer.address, peer.as);
      if (!Begin(message.ends.time, peer, "announce")) return;
      Route(route);
      AppendAttributes(set, &rows_);
    });
  }
}

void MrtHistory::OnStateChange(const mrt::StateChange& change) {
  if (change.old_state != mrt::FsmState::kEstablished || change.new_state == mrt::FsmState::kEstablished) return;
  const mrt::Peer& peer = change.ends.peer;
  if (!speakers_.contains({peer.address, peer.as}) || !Begin(change.ends.time, peer, "session ended")) return;
  for (int i = 0; i < 3; ++i) rows_.Absent();
  AppendNoAttributes(&rows_);
}

std::string MrtHistory::Finish() && {
  const bool more = all_ > rows_.rows();
  return absl::StrCat("{", std::move(rows_).Finish(), more ? absl::StrCat(",\"groups\":", all_) : "", "}\n");
}

}  // namespace flowacct::collector
