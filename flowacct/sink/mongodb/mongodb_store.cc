#include "flowacct/sink/mongodb/mongodb_store.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"
#include "flowacct/query/group_value.h"
#include "flowacct/sink/mongodb/filter_match.h"
#include "flowacct/sink/mongodb/group_pipeline.h"
#include "flowacct/sink/mongodb/mongodb_connection.h"
#include "flowacct/sink/mongodb/table_state.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/sql/group_sums.h"
#include "flowacct/sink/sql/sql_store.h"

namespace flowacct::sink::mongodb {
namespace {

using aggregate::Function;
using query::GroupValues;
using record::FieldType;
using record::StoredValue;
using sql::FloorTo;

// A question begins anew if bins were removed while it was answered; more often than so, somebody else's turn comes.
constexpr int kTries = 5;
// The server's own removal comes a day after ours at the earliest; half of that for clocks that differ and for the time
// that a question takes.
constexpr int64_t kTtlMargin = 12 * 3600;

// A collection of a table: its own rows, or those of one of its rollups.
struct Part {
  const TableState* state = nullptr;
  const TableState::Rollup* rollup = nullptr;

  const std::string& collection() const { return rollup != nullptr ? rollup->name : state->name; }
  int64_t bin_seconds() const { return rollup != nullptr ? rollup->bin_seconds : state->bin_seconds; }
  int64_t ttl_seconds() const { return rollup != nullptr ? rollup->ttl_seconds : state->ttl_seconds; }
};

// Bins before this are gone, or may go while somebody asks.
int64_t FirstBin(const Part& part) {
  int64_t first = INT64_MIN;
  if (part.state->removal && part.state->removal->collection == part.collection()) first = part.state->removal->until;
  if (part.ttl_seconds() != 0) {
    first = std::max(first, absl::ToUnixSeconds(absl::Now()) - part.ttl_seconds() + kTtlMargin);
  }
  return first;
}

struct Sums {
  std::vector<absl::uint128> values;
  std::unique_ptr<bool[]> present;
  double order = 0;
};
using Group = std::pair<int64_t, GroupValues>;

class Store : public query::GroupStore {
 public:
  explicit Store(std::unique_ptr<MongodbConnection> connection) : connection_(std::move(connection)) {}

  absl::string_view name() const override { return "mongodb"; }
  absl::StatusOr<std::vector<query::TableInfo>> Tables() override;
  absl::Status Sum(const query::GroupRequest& request,
                   const std::function<bool(const query::GroupRow&)>& tell) override;

 private:
  absl::Status FindSpan(const Part& part, int64_t* first, int64_t* last);

  std::unique_ptr<MongodbConnection> connection_;
};

// One question to one state.
class Question {
 public:
  Question(MongodbConnection* connection, const query::GroupRequest& request, Part part)
      : connection_(*connection), request_(request), part_(part), columns_(part.state->columns) {
    if (part.rollup != nullptr) columns_ = part.state->RollupColumns();
  }

  absl::Status Ask();
  void Tell(const std::function<bool(const query::GroupRow&)>& tell);

 private:
  absl::Status Prepare();
  absl::Status AskPart(const Part& part, PipelineRequest pipeline, FilterMatch* match, bool step_again);
  absl::Status Keep(Group group, PipelineRow* row);
  int64_t StepOf(int64_t seconds) const {
    return request_.step_origin_seconds + FloorTo(seconds - request_.step_origin_seconds, request_.step_seconds);
  }

  MongodbConnection& connection_;
  const query::GroupRequest& request_;
  const Part part_;
  std::vector<Column> columns_;
  std::vector<const Column*> by_;      // of the request
  std::vector<size_t> by_place_;       // of each, where the pipeline's groups have it
  std::vector<const Column*> values_;  // of the request
  PipelineRequest pipeline_;
  bool merge_ = false;  // groups of the server may be parts of one

  std::vector<std::pair<Group, Sums>> groups_;
  absl::flat_hash_map<Group, size_t> places_;
};

std::string Known(const std::vector<Column>& columns, bool keys) {
  std::string names;
  for (const Column& column : columns) {
    if (keys ? column.key : column.summable()) absl::StrAppend(&names, names.empty() ? "" : ", ", column.name);
  }
  return names.empty() ? "none" : names;
}

absl::Status Question::Prepare() {
  const auto wrong = [](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat("mongodb: ", parts...));
  };
  if (request_.step_seconds < 0) return wrong("step_seconds = ", request_.step_seconds, ": a time is not negative");
  if (request_.limit != 0 && request_.order >= request_.values.size()) {
    return wrong("order = ", request_.order, ": there are only ", request_.values.size(), " values");
  }
  const auto place_of = [this](const Column* column) {
    std::vector<const Column*>& by = pipeline_.by;
    const auto at = std::find(by.begin(), by.end(), column);
    if (at != by.end()) return static_cast<size_t>(at - by.begin());
    by.push_back(column);
    return by.size() - 1;
  };
  for (const query::GroupColumn& group : request_.by) {
    const Column* const column = KeyColumn(columns_, group.field);
    if (column == nullptr) {
      return absl::NotFoundError(absl::StrCat("mongodb: table \"", part_.collection(), "\" has no key \"",
                                              record::Info(group.field).name, "\"; it has ", Known(columns_, true)));
    }
    if (group.v4_length >= 0 || group.v6_length >= 0) {
      const FieldType type = record::Info(group.field).type;
      if ((type != FieldType::kAddress && type != FieldType::kPrefix) || group.v4_length > 32 ||
          group.v6_length > 128) {
        return wrong(record::Info(group.field).name, " cannot be cut to /", group.v4_length, " and /", group.v6_length);
      }
      merge_ = true;
    }
    by_.push_back(column);
    by_place_.push_back(place_of(column));
  }
  std::vector<const Column*> known;
  for (const Column& column : columns_) {
    if (column.summable()) known.push_back(&column);
  }
  for (const size_t value : request_.values) {
    if (value >= known.size()) {
      return absl::NotFoundError(absl::StrCat("mongodb: table \"", part_.collection(), "\" has no value ", value,
                                              "; it has ", Known(columns_, false)));
    }
    values_.push_back(known[value]);
    pipeline_.wide.push_back(part_.state->IsWide(*known[value]));
  }
  pipeline_.values = values_;
  pipeline_.batches = part_.state->Visible();
  pipeline_.step_seconds = request_.step_seconds;
  pipeline_.step_origin_seconds = request_.step_origin_seconds;
  return absl::OkStatus();
}

absl::Status Question::Ask() {
  if (absl::Status status = Prepare(); !status.ok()) return status;
  absl::StatusOr<FilterMatch> match = FilterMatch::New(part_.collection(), columns_, request_.where.program());
  if (!match.ok()) return match.status();
  pipeline_.conditions = match->conditions();
  for (const Column* column : match->columns()) {
    merge_ = true;
    if (std::find(pipeline_.by.begin(), pipeline_.by.end(), column) == pipeline_.by.end()) {
      pipeline_.by.push_back(column);
    }
  }
  pipeline_.from_seconds = request_.from_seconds;
  pipeline_.to_seconds = request_.to_seconds;
  if (part_.rollup != nullptr) merge_ = true;
  if (!merge_ && request_.limit != 0 && values_[request_.order]->function == Function::kSum) {
    pipeline_.order = request_.order;
  }
  if (absl::Status status = AskPart(part_, pipeline_, &*match, false); !status.ok()) return status;
  if (part_.rollup == nullptr) return absl::OkStatus();
  // What the rollup has not summed yet, by the rollup's bins.
  const int64_t length = part_.rollup->bin_seconds;
  const auto ceil = [length](int64_t t) {
    return t <= INT64_MIN + length || t >= INT64_MAX - length ? t : FloorTo(t - 1, length) + length;
  };
  PipelineRequest rest = pipeline_;
  rest.from_seconds = std::max(ceil(request_.from_seconds), part_.rollup->rolled_until);
  rest.to_seconds = ceil(request_.to_seconds);
  if (request_.step_seconds != 0) {
    rest.step_seconds = length;
    rest.step_origin_seconds = 0;
  }
  return AskPart({part_.state, nullptr}, std::move(rest), &*match, true);
}

// The network that a stored address, or prefix, is in.
StoredValue Cut(const query::GroupColumn& column, FieldType type, const StoredValue& value, std::string* scratch) {
  const size_t size = type == FieldType::kPrefix ? 17 : 16;
  if (!value.present || value.octets.size() != size) return StoredValue();
  const base::IpAddress address = base::IpAddress::FromV6(reinterpret_cast<const uint8_t*>(value.octets.data()));
  int length = address.IsV4() ? column.v4_length : column.v6_length;
  if (length < 0) length = address.IsV4() ? 32 : 128;
  if (type == FieldType::kPrefix) length = std::min<int>(length, static_cast<uint8_t>(value.octets[16]));
  const base::IpPrefix network(address, static_cast<uint8_t>(length));
  *scratch = std::string(base::AsText(network.address().octets()));
  scratch->push_back(static_cast<char>(network.length()));
  StoredValue cut;
  cut.present = true;
  cut.octets = *scratch;
  return cut;
}

absl::Status Question::AskPart(const Part& part, PipelineRequest pipeline, FilterMatch* match, bool step_again) {
  pipeline.from_seconds = std::max(pipeline.from_seconds, FirstBin(part));
  std::vector<size_t> match_place;
  for (const Column* column : match->columns()) {
    match_place.push_back(
        static_cast<size_t>(std::find(pipeline.by.begin(), pipeline.by.end(), column) - pipeline.by.begin()));
  }
  PipelineRow row(pipeline);
  std::vector<StoredValue> asked(match_place.size());
  std::string scratch;
  absl::Status wrong;
  const absl::Status status = connection_.Aggregate(part.collection(), StagesOf(pipeline), [&](const bson_t& document) {
    wrong = ReadRow(pipeline, document, &row);
    if (!wrong.ok()) return false;
    for (size_t i = 0; i < match_place.size(); ++i) asked[i] = row.group[match_place[i]];
    if (!asked.empty() && !match->Passes(asked)) return true;
    // Of those that come in about the right order, no later one is as large as the last that is wanted.
    if (pipeline.order && groups_.size() >= request_.limit &&
        row.order < groups_[request_.limit - 1].second.order * (1 - 1e-9)) {
      return false;
    }
    Group group;
    if (request_.step_seconds != 0) {
      group.first = step_again || part.rollup != nullptr ? StepOf(row.step_seconds) : row.step_seconds;
    }
    group.second.reserve(by_.size());
    for (size_t i = 0; i < by_.size(); ++i) {
      const query::GroupColumn& column = request_.by[i];
      const StoredValue& value = row.group[by_place_[i]];
      const bool cut = column.v4_length >= 0 || column.v6_length >= 0;
      group.second.emplace_back(cut ? Cut(column, record::Info(column.field).type, value, &scratch) : value);
    }
    wrong = Keep(std::move(group), &row);
    return wrong.ok();
  });
  return status.ok() ? wrong : status;
}

absl::Status Question::Keep(Group group, PipelineRow* row) {
  size_t place = groups_.size();
  if (merge_) place = places_.try_emplace(group, place).first->second;
  if (place == groups_.size()) {
    if (groups_.size() >= sql::kMaxGroupsHere) return sql::TooManyGroups("mongodb");
    Sums sums{row->values, std::unique_ptr<bool[]>(new bool[values_.size() + 1]), row->order};
    std::copy_n(row->present.get(), values_.size(), sums.present.get());
    groups_.emplace_back(std::move(group), std::move(sums));
    return absl::OkStatus();
  }
  Sums& sums = groups_[place].second;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (row->present[i]) AddValue(*values_[i], row->values[i], &sums.values[i], &sums.present[i]);
  }
  return absl::OkStatus();
}

void Question::Tell(const std::function<bool(const query::GroupRow&)>& tell) {
  if (request_.limit != 0 && groups_.size() > request_.limit) {
    const size_t by = request_.order;
    const uint64_t sign =
        values_[by]->function == Function::kSum ? 0 : record::SignBit(record::Info(values_[by]->field).type);
    const auto larger = [&](const auto& a, const auto& b) {
      if (a.second.present[by] != b.second.present[by]) return a.second.present[by] > b.second.present[by];
      return (a.second.values[by] ^ sign) > (b.second.values[by] ^ sign);
    };
    std::partial_sort(groups_.begin(), groups_.begin() + static_cast<ptrdiff_t>(request_.limit), groups_.end(), larger);
    groups_.erase(groups_.begin() + static_cast<ptrdiff_t>(request_.limit), groups_.end());
  }
  std::vector<StoredValue> views;
  for (const auto& [group, sums] : groups_) {
    views.clear();
    for (const query::GroupValue& value : group.second) views.push_back(value.View());
    query::GroupRow row;
    row.step_seconds = group.first;
    row.group = views;
    row.values = sums.values;
    row.present = absl::Span<const bool>(sums.present.get(), values_.size());
    if (!tell(row)) return;
  }
}

std::vector<Part> PartsOf(const std::vector<TableState>& states) {
  std::vector<Part> parts;
  for (const TableState& state : states) {
    if (state.columns.empty()) continue;  // being made
    parts.push_back({&state, nullptr});
    for (const TableState::Rollup& rollup : state.rollups) parts.push_back({&state, &rollup});
  }
  return parts;
}

absl::Status Store::Sum(const query::GroupRequest& request, const std::function<bool(const query::GroupRow&)>& tell) {
  for (int i = 0; i < kTries; ++i) {
    absl::StatusOr<std::vector<TableState>> states = ReadStates(connection_.get());
    if (!states.ok()) return states.status();
    const std::vector<Part> parts = PartsOf(*states);
    const auto part =
        std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.collection() == request.table; });
    if (part == parts.end()) {
      std::string names;
      for (const Part& p : parts) absl::StrAppend(&names, names.empty() ? "" : ", ", p.collection());
      return absl::NotFoundError(absl::StrCat("mongodb: there is no table \"", request.table,
                                              "\"; there are: ", names.empty() ? "none yet" : names));
    }
    Question question(connection_.get(), request, *part);
    if (absl::Status status = question.Ask(); !status.ok()) return status;
    // Rows that count never change, but they may have been removed meanwhile.
    absl::StatusOr<std::optional<TableState>> now = ReadState(connection_.get(), part->state->name);
    if (!now.ok()) return now.status();
    if (*now && (*now)->removals == part->state->removals) {
      question.Tell(tell);
      return absl::OkStatus();
    }
  }
  return absl::UnavailableError("mongodb: bins were removed each time while the question was answered; ask again");
}

absl::Status Store::FindSpan(const Part& part, int64_t* first, int64_t* last) {
  *first = *last = 0;
  Document filter = Document().Add(kBatch, part.state->Visible());
  if (const int64_t from = FirstBin(part); from != INT64_MIN) filter.Add(kBinStart, Document().Seconds("$gte", from));
  // Two walks down the index.
  for (const int direction : {1, -1}) {
    const Document options = Document()
                                 .Add("sort", Document().Integer(kBinStart, direction))
                                 .Integer("limit", 1)
                                 .Add("projection", Document().Integer(kBinStart, 1).Integer(kBinEnd, 1));
    const absl::Status status = connection_->Find(part.collection(), filter, options, [&](const bson_t& document) {
      (direction > 0 ? *first : *last) = SecondsOf(document, direction > 0 ? kBinStart : kBinEnd).value_or(0);
      return false;
    });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<query::TableInfo>> Store::Tables() {
  absl::StatusOr<std::vector<TableState>> states = ReadStates(connection_.get());
  if (!states.ok()) return states.status();
  std::vector<query::TableInfo> infos;
  for (const Part& part : PartsOf(*states)) {
    query::TableInfo info;
    info.name = part.collection();
    info.bin_seconds = part.bin_seconds();
    if (part.rollup != nullptr) info.rollup_of = part.state->name;
    sql::Describe(part.state->columns, &info);
    absl::Status status = FindSpan(part, &info.first_seconds, &info.last_seconds);
    if (status.ok() && part.rollup != nullptr) {
      // With what its table has and it has not yet.
      int64_t first = 0, last = 0;
      status = FindSpan({part.state, nullptr}, &first, &last);
      if ((first != 0 || last != 0) && last > part.rollup->rolled_until) {
        const bool empty = info.last_seconds == 0 && info.first_seconds == 0;
        const int64_t length = part.rollup->bin_seconds;
        const int64_t begin = FloorTo(std::max(first, part.rollup->rolled_until), length);
        info.first_seconds = empty ? begin : std::min(info.first_seconds, begin);
        info.last_seconds = std::max(info.last_seconds, FloorTo(last - 1, length) + length);
      }
    }
    if (!status.ok()) return status;
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenMongodbStore(ConnectionOptions options) {
  absl::StatusOr<std::unique_ptr<MongodbConnection>> connection = MongodbConnection::New(std::move(options));
  if (!connection.ok()) return connection.status();
  return std::make_unique<Store>(*std::move(connection));
}

}  // namespace flowacct::sink::mongodb
