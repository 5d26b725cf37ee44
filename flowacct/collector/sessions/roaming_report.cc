#include "flowacct/collector/sessions/roaming_report.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "flowacct/gtp/values.h"

namespace flowacct::collector {
namespace {

constexpr uint32_t kMillion = 1'000'000;

absl::uint128 Apart(absl::uint128 a, absl::uint128 b) { return a > b ? a - b : b - a; }

bool AddTo(uint64_t more, uint64_t* sum) { return !__builtin_add_overflow(*sum, more, sum); }

// A seen session or several of one connection, and what was charged for them.
struct Pair {
  size_t seen = 0;  // the one that stands for all
  uint64_t seen_sessions = 0, charged_sessions = 0;
  RoamingVolume seen_volume, charged_volume;
};

void AddTo(const RoamingSession& session, uint64_t* sessions, RoamingVolume* volume) {
  ++*sessions;
  volume->up += session.bytes_up;
  volume->down += session.bytes_down;
}

int64_t InCommon(const RoamingSession& a, const RoamingSession& b, int64_t slack) {
  return std::min(a.end_nanos, b.end_nanos) - std::max(a.start_nanos, b.start_nanos) + slack;
}

// Who is the first of two sessions that would do as well.
bool Before(const RoamingSession& a, const RoamingSession& b) {
  return std::tie(a.start_nanos, a.charging_id) < std::tie(b.start_nanos, b.charging_id);
}

}  // namespace

std::string ApnNetwork(absl::string_view text) {
  gtp::Apn apn;
  if (text.size() > apn.octets.size()) return absl::AsciiStrToLower(text);
  std::string lower = absl::AsciiStrToLower(text);
  std::copy(lower.begin(), lower.end(), apn.octets.begin());
  apn.size = static_cast<uint8_t>(lower.size());
  return std::string(apn.network());
}

RoamingSession ToRoamingSession(const session::SessionRecord& record, absl::string_view apn) {
  RoamingSession session;
  session.imsi = record.facts.imsi;
  if (record.facts.has_charging_id) session.charging_id = record.facts.charging_id;
  session.session = record.facts.session;
  session.apn = std::string(apn);
  session.home_plmn = record.facts.home_plmn();
  session.visited_plmn = record.facts.visited_plmn();
  session.start_nanos = record.from_nanos;
  session.end_nanos = record.until_nanos;
  session.milliseconds = static_cast<uint64_t>(record.until_nanos - record.from_nanos) / kMillion;
  session.bytes_up = record.volume.bytes_up;
  session.bytes_down = record.volume.bytes_down;
  return session;
}

absl::string_view RoamingOutcomeName(RoamingOutcome outcome) {
  switch (outcome) {
#define X(name, text, help)  \
  case RoamingOutcome::name: \
    return text;
    FLOWACCT_ROAMING_OUTCOMES(X)
#undef X
  }
  return "";
}

absl::uint128 RoamingDifference::octets() const { return Apart(seen.up, charged.up) + Apart(seen.down, charged.down); }

RoamingSum RoamingComparison::all() const {
  RoamingSum all;
  for (const RoamingSum& sum : sums) {
    all.seen_sessions += sum.seen_sessions;
    all.charged_sessions += sum.charged_sessions;
    all.seen.up += sum.seen.up;
    all.seen.down += sum.seen.down;
    all.charged.up += sum.charged.up;
    all.charged.down += sum.charged.down;
  }
  return all;
}

std::optional<uint32_t> RoamingComparison::explained_ppm() const {
  const absl::uint128 charged = all().charged.total();
  if (charged == 0) return std::nullopt;
  return static_cast<uint32_t>(sum(RoamingOutcome::kExplained).charged.total() * kMillion / charged);
}

bool RoamingReport::IsOwn(base::Digits plmn) const {
  return std::find(options_.own_networks.begin(), options_.own_networks.end(), plmn) != options_.own_networks.end();
}

bool RoamingReport::Counts(const RoamingSession& part) const {
  if (options_.all) return true;
  if (part.home_plmn.empty() || part.visited_plmn.empty() || part.home_plmn == part.visited_plmn) return false;
  return !IsOwn(part.home_plmn) || !IsOwn(part.visited_plmn);
}

absl::Status RoamingReport::Add(const RoamingSession& part) {
  // All that may be refused is asked first.
  const std::string apn = ApnNetwork(part.apn);
  const bool counts = Counts(part);
  std::optional<SessionKey> key;
  if (part.charging_id) {
    key.emplace(part.imsi, *part.charging_id, true);
  } else if (part.session != 0) {
    key.emplace(part.imsi, part.session, false);
  }
  uint32_t place = static_cast<uint32_t>(sessions_.size());
  if (key) {
    const auto known = by_key_.find(*key);
    if (known != by_key_.end()) place = known->second;
  }
  const bool is_new = place == sessions_.size();
  if (is_new && sessions_.size() >= options_.max_sessions) {
    return absl::ResourceExhaustedError(absl::StrCat("more than ", options_.max_sessions, " sessions"));
  }
  RoamingSession sum = is_new ? part : sessions_[place].session;
  if (!is_new && (!AddTo(part.bytes_up, &sum.bytes_up) || !AddTo(part.bytes_down, &sum.bytes_down) ||
                  !AddTo(part.milliseconds, &sum.milliseconds))) {
    return absl::OutOfRangeError(absl::StrCat("a session of ", part.imsi.ToString(), " has more than 2^64 octets"));
  }
  uint32_t group = kNoGroup;
  if (counts) {
    const GroupKey group_key(absl::ToCivilDay(absl::FromUnixNanos(part.start_nanos), options_.zone), part.visited_plmn,
                             part.home_plmn, apn);
    const auto known = by_group_.find(group_key);
    if (known != by_group_.end()) {
      group = known->second;
    } else if (groups_.size() >= options_.max_groups) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", options_.max_groups, " groups of day, networks and access point"));
    } else {
      group = static_cast<uint32_t>(groups_.size());
      by_group_.emplace(group_key, group);
      RoamingRow& row = groups_.emplace_back();
      std::tie(row.day, row.visited_plmn, row.home_plmn, row.apn) = group_key;
    }
  } else {
    ++(part.home_plmn.empty() || part.visited_plmn.empty() ? parts_of_unknown_networks_ : parts_at_home_);
  }

  if (is_new) {
    sum.apn = apn;
    sessions_.emplace_back().session = std::move(sum);
    if (key) by_key_.emplace(*key, place);
  } else {
    sum.session = std::max(sum.session, part.session);
    // Who and where is as the latest part says.
    if (part.end_nanos >= sum.end_nanos) {
      sum.apn = apn;
      sum.home_plmn = part.home_plmn;
      sum.visited_plmn = part.visited_plmn;
    }
    sum.start_nanos = std::min(sum.start_nanos, part.start_nanos);
    sum.end_nanos = std::max(sum.end_nanos, part.end_nanos);
    sessions_[place].session = std::move(sum);
  }
  if (group == kNoGroup) return absl::OkStatus();
  RoamingRow& row = groups_[group];
  Held& held = sessions_[place];
  if (held.group == kNoGroup) {
    held.group = group;
    ++row.sessions;
  } else if (held.group != group && more_groups_.emplace(place, group).second) {
    ++row.sessions;
  }
  row.milliseconds += part.milliseconds;
  row.bytes_up += part.bytes_up;
  row.bytes_down += part.bytes_down;
  return absl::OkStatus();
}

std::vector<RoamingRow> RoamingReport::Rows() const {
  std::vector<RoamingRow> rows = groups_;
  std::sort(rows.begin(), rows.end(), [](const RoamingRow& a, const RoamingRow& b) {
    return std::tie(a.day, a.visited_plmn, a.home_plmn, a.apn) < std::tie(b.day, b.visited_plmn, b.home_plmn, b.apn);
  });
  return rows;
}

RoamingRow RoamingReport::Total() const {
  RoamingRow total;
  for (const RoamingRow& row : groups_) {
    total.milliseconds += row.milliseconds;
    total.bytes_up += row.bytes_up;
    total.bytes_down += row.bytes_down;
  }
  for (const Held& held : sessions_) total.sessions += held.group != kNoGroup;
  return total;
}

RoamingComparison RoamingReport::Compare(absl::Span<const RoamingSession> charged,
                                         const RoamingCompareOptions& options) const {
  constexpr uint32_t kNone = ~uint32_t{0};
  std::vector<Pair> pairs;
  std::vector<uint32_t> pair_of(sessions_.size(), kNone);  // by seen session
  const auto seen = [this](size_t i) -> const RoamingSession& { return sessions_[i].session; };
  const auto pair = [&](size_t i, const RoamingSession& what) {
    if (pair_of[i] == kNone) {
      pair_of[i] = static_cast<uint32_t>(pairs.size());
      Pair& made = pairs.emplace_back();
      made.seen = i;
      AddTo(seen(i), &made.seen_sessions, &made.seen_volume);
    }
    Pair& to = pairs[pair_of[i]];
    AddTo(what, &to.charged_sessions, &to.charged_volume);
  };

  // 1. By charging identifier.
  std::vector<size_t> left;
  for (size_t c = 0; c < charged.size(); ++c) {
    const auto known = charged[c].charging_id ? by_key_.find(SessionKey(charged[c].imsi, *charged[c].charging_id, true))
                                              : by_key_.end();
    known != by_key_.end() ? pair(known->second, charged[c]) : left.push_back(c);
  }

  // 2. By time.
  std::vector<size_t> candidates;
  for (size_t i = 0; !left.empty() && i < sessions_.size(); ++i) {
    if (pair_of[i] == kNone && !seen(i).imsi.empty()) candidates.push_back(i);
  }
  std::sort(candidates.begin(), candidates.end(),
            [&](size_t a, size_t b) { return std::tie(seen(a).imsi, a) < std::tie(seen(b).imsi, b); });
  RoamingComparison result;
  RoamingSum& not_seen = result.sums[static_cast<size_t>(RoamingOutcome::kNotSeen)];
  for (const size_t c : left) {
    const RoamingSession& what = charged[c];
    const std::string apn = ApnNetwork(what.apn);
    size_t best = sessions_.size();
    auto at = std::lower_bound(candidates.begin(), candidates.end(), what.imsi,
                               [&](size_t i, base::Digits imsi) { return seen(i).imsi < imsi; });
    int64_t longest = 0;
    for (; at != candidates.end() && seen(*at).imsi == what.imsi; ++at) {
      const RoamingSession& there = seen(*at);
      if ((what.charging_id && there.charging_id) || there.apn != apn) continue;
      const int64_t in_common = InCommon(what, there, options.slack_nanos);
      if (in_common < longest || in_common <= 0) continue;
      if (in_common == longest && !Before(there, seen(best))) continue;
      longest = in_common;
      best = *at;
    }
    if (best != sessions_.size()) {
      pair(best, what);
      continue;
    }
    AddTo(what, &not_seen.charged_sessions, &not_seen.charged);
    RoamingDifference& difference = result.differences.emplace_back();
    difference.outcome = RoamingOutcome::kNotSeen;
    difference.session = what;
    difference.charged = {what.bytes_up, what.bytes_down};
  }

  // 3. Bearers of connections that were charged.
  absl::flat_hash_map<uint64_t, uint32_t> leads;  // the pair by session
  for (size_t i = 0; i < sessions_.size(); ++i) {
    if (pair_of[i] == kNone || seen(i).session == 0) continue;
    const auto [lead, is_new] = leads.emplace(seen(i).session, pair_of[i]);
    if (!is_new && Before(seen(i), seen(pairs[lead->second].seen))) lead->second = pair_of[i];
  }
  RoamingSum& not_charged = result.sums[static_cast<size_t>(RoamingOutcome::kNotCharged)];
  for (size_t i = 0; i < sessions_.size(); ++i) {
    if (pair_of[i] != kNone) continue;
    const auto lead = leads.find(seen(i).session);
    if (lead != leads.end()) {
      AddTo(seen(i), &pairs[lead->second].seen_sessions, &pairs[lead->second].seen_volume);
    } else if (sessions_[i].group != kNoGroup) {
      AddTo(seen(i), &not_charged.seen_sessions, &not_charged.seen);
      RoamingDifference& difference = result.differences.emplace_back();
      difference.outcome = RoamingOutcome::kNotCharged;
      difference.session = seen(i);
      difference.seen = {seen(i).bytes_up, seen(i).bytes_down};
    }
  }

  for (const Pair& p : pairs) {
    RoamingDifference difference;
    difference.session = seen(p.seen);
    difference.seen = p.seen_volume;
    difference.charged = p.charged_volume;
    const bool explained =
        difference.octets() * kMillion <= difference.charged.total() * absl::uint128(options.tolerance_ppm);
    difference.outcome = explained ? RoamingOutcome::kExplained : RoamingOutcome::kDifferent;
    RoamingSum& sum = result.sums[static_cast<size_t>(difference.outcome)];
    sum.seen_sessions += p.seen_sessions;
    sum.charged_sessions += p.charged_sessions;
    sum.seen.up += p.seen_volume.up;
    sum.seen.down += p.seen_volume.down;
    sum.charged.up += p.charged_volume.up;
    sum.charged.down += p.charged_volume.down;
    if (!explained) result.differences.push_back(std::move(difference));
  }
  for (RoamingDifference& difference : result.differences) {
    difference.session.bytes_up = difference.session.bytes_down = 0;
  }
  std::sort(result.differences.begin(), result.differences.end(),
            [](const RoamingDifference& a, const RoamingDifference& b) {
              const absl::uint128 of_a = a.octets(), of_b = b.octets();
              return std::tie(of_b, a.session.imsi, a.session.start_nanos, a.session.charging_id) <
                     std::tie(of_a, b.session.imsi, b.session.start_nanos, b.session.charging_id);
            });
  return result;
}

}  // namespace flowacct::collector
