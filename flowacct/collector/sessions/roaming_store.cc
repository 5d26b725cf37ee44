#include "flowacct/collector/sessions/roaming_store.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/digits.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/record/field.h"
#include "flowacct/record/stored_value.h"

namespace flowacct::collector {
namespace {

using record::FieldId;
using record::StoredValue;

constexpr int64_t kNanos = 1'000'000'000;

struct Key {
  FieldId field;
  bool needed;
};
// In the order in which groups have those that the table has.
constexpr Key kKeys[] = {{FieldId::kImsi, true},        {FieldId::kHomePlmn, true}, {FieldId::kVisitedPlmn, true},
                         {FieldId::kChargingId, false}, {FieldId::kApn, false},     {FieldId::kSessionId, false}};
constexpr FieldId kValues[] = {FieldId::kBytesUp, FieldId::kBytesDown, FieldId::kSessionMilliseconds};

absl::Status Missing(const query::GroupStore& store, const std::string& table, FieldId field) {
  return absl::InvalidArgumentError(
      absl::StrCat(store.name(), ": table ", table, " has no ", record::Info(field).name,
                   "; a roaming report needs session records by imsi, home_plmn, visited_plmn, and best charging_id, "
                   "apn, session_id, with sums of bytes_up, bytes_down, session_milliseconds"));
}

base::Digits DigitsOf(const StoredValue& value) {
  if (!value.present) return base::Digits();
  return base::Digits::Parse(value.octets).value_or(base::Digits());
}

}  // namespace

absl::Status AddStoredSessions(query::GroupStore& store, const std::string& table, RoamingReport* report) {
  const auto tables = store.Tables();
  if (!tables.ok()) return tables.status();
  const auto info = std::find_if(tables->begin(), tables->end(),
                                 [&](const query::TableInfo& candidate) { return candidate.name == table; });
  if (info == tables->end()) return query::NoSuchTable(store.name(), table, *tables);
  if (info->bin_seconds <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(store.name(), ": table ", table, " has no bins of time; a roaming report is by day"));
  }

  query::GroupRequest request;
  request.table = table;
  request.step_seconds = info->bin_seconds;
  request.step_origin_seconds = info->first_seconds;
  // Where in a group each key is; past the end: absent.
  size_t places[sizeof(kKeys) / sizeof(kKeys[0])];
  for (size_t i = 0; i < sizeof(kKeys) / sizeof(kKeys[0]); ++i) {
    const bool there = std::find(info->keys.begin(), info->keys.end(), kKeys[i].field) != info->keys.end();
    if (!there && kKeys[i].needed) return Missing(store, table, kKeys[i].field);
    places[i] = there ? request.by.size() : std::numeric_limits<size_t>::max();
    if (there) request.by.push_back({kKeys[i].field});
  }
  for (const FieldId field : kValues) {
    const auto value = std::find_if(info->values.begin(), info->values.end(), [&](const query::TableInfo::Value& v) {
      return v.field == field && v.function == aggregate::Function::kSum;
    });
    if (value == info->values.end()) return Missing(store, table, field);
    request.values.push_back(static_cast<size_t>(value - info->values.begin()));
  }

  absl::Status added;
  const absl::Status summed = store.Sum(request, [&](const query::GroupRow& row) {
    const auto at = [&](size_t key) { return places[key] < row.group.size() ? row.group[places[key]] : StoredValue(); };
    RoamingSession session;
    session.imsi = DigitsOf(at(0));
    session.home_plmn = DigitsOf(at(1));
    session.visited_plmn = DigitsOf(at(2));
    if (const StoredValue id = at(3); id.present) session.charging_id = static_cast<uint32_t>(id.integer);
    if (const StoredValue apn = at(4); apn.present) session.apn = std::string(apn.octets);
    if (const StoredValue id = at(5); id.present) session.session = static_cast<uint64_t>(id.integer);
    session.start_nanos = row.step_seconds * kNanos;
    session.end_nanos = session.start_nanos + info->bin_seconds * kNanos;
    uint64_t* const sums[] = {&session.bytes_up, &session.bytes_down, &session.milliseconds};
    for (size_t i = 0; i < request.values.size(); ++i) {
      if (!row.present[i]) continue;
      if (absl::Uint128High64(row.values[i]) != 0) {
        added = absl::OutOfRangeError(
            absl::StrCat(store.name(), ": a session of ", session.imsi.ToString(), " has more than 2^64 octets"));
        return false;
      }
      *sums[i] = absl::Uint128Low64(row.values[i]);
    }
    added = report->Add(session);
    return added.ok();
  });
  return added.ok() ? summed : added;
}

}  // namespace flowacct::collector
