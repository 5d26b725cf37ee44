#include "flowacct/query/ask.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/query/ask_plan.h"
#include "flowacct/query/group_value.h"

namespace flowacct::query {
namespace {

using aggregate::Function;
using record::FieldId;
using record::FieldType;

// Of one group in one window.
struct Data {
  std::vector<absl::uint128> values;
  std::vector<char> present;
  std::map<int64_t, std::vector<absl::uint128>> bins;  // by begin; only for percentiles
};
using Series = std::vector<Data>;  // one a window

using GroupMap = absl::flat_hash_map<GroupValues, Series>;

// What to flip so that numbers of the column are in the order of unsigned ones.
uint64_t SignOf(const TableInfo::Value& value) {
  return value.function == Function::kSum ? 0 : record::SignBit(record::Info(value.field).type);
}

// A plan carried out.
class Asker {
 public:
  Asker(AskPlan plan, GroupStore& store, const AskOptions& options)
      : plan_(std::move(plan)), store_(store), options_(options) {}

  absl::StatusOr<Answer> Run() {
    for (const auto step : {&Asker::ChooseGroups, &Asker::CollectAll}) {
      if (absl::Status status = (this->*step)(); !status.ok()) return status;
    }
    WriteAnswer();
    return std::move(answer_);
  }

 private:
  // --- What the store sums -------------------------------------------------------------------------------------

  bool IsSum(size_t needed) const { return plan_.table.values[plan_.columns[needed]].function == Function::kSum; }

  Data Nothing() const {
    Data data;
    data.values.resize(plan_.needed.size());
    data.present.resize(plan_.needed.size());
    return data;
  }

  void Add(const GroupRow& row, Data* data) const {
    for (size_t i = 0; i < plan_.needed.size(); ++i) {
      if (!row.present[i]) continue;
      const TableInfo::Value& column = plan_.table.values[plan_.columns[i]];
      const absl::uint128 sign = SignOf(column);
      absl::uint128& value = data->values[i];
      if (column.function == Function::kSum) {
        value += row.values[i];
      } else if (!data->present[i]) {
        value = row.values[i];
      } else if (column.function == Function::kMin ? (row.values[i] ^ sign) < (value ^ sign)
                                                   : (row.values[i] ^ sign) > (value ^ sign)) {
        value = row.values[i];
      }
      data->present[i] = 1;
    }
  }

  absl::Status Sum(const GroupRequest& request, const std::function<bool(const GroupRow&)>& tell) {
    absl::Status status = store_.Sum(request, [&](const GroupRow& row) { return !request.stopped() && tell(row); });
    return request.stopped() ? absl::CancelledError("nobody waits for the answer any more") : status;
  }

  GroupRequest Request() const {
    GroupRequest request;
    request.stop = options_.stop;
    request.table = plan_.table.name;
    request.by = plan_.question.by;
    request.values = plan_.columns;
    request.where = plan_.question.filter;
    return request;
  }

  // Sums of each window. If `only`, of the groups that `groups` has; else of all that there are.
  absl::Status Collect(const std::vector<AskWindow>& windows, bool grouped, bool only, GroupMap* groups) {
    GroupRequest request = Request();
    if (!grouped) request.by.clear();
    request.from_seconds = plan_.Begin(plan_.table, windows.front().begin);
    request.to_seconds = windows.back().end;
    bool uniform = true;
    const int64_t width = windows.size() > 1 ? windows[1].label - windows[0].label : 0;
    for (size_t i = 2; i < windows.size(); ++i) uniform &= windows[i].label - windows[i - 1].label == width;
    if (windows.size() > 1) {
      // The last step may be cut by midnight.
      uniform &= windows.back().end - windows.back().label <= width;
    }
    size_t one = 0;  // the window of a request that is of one
    absl::Status full;
    const auto tell = [&](const GroupRow& row) {
      GroupValues group = OwnedGroup(row.group);
      auto found = groups->find(group);
      if (found == groups->end()) {
        if (only) return true;
        if (groups->size() >= options_.max_groups || groups->size() >= options_.max_cells / windows.size()) {
          full = TooMany();
          return false;
        }
        found = groups->emplace(std::move(group), Series(windows.size(), Nothing())).first;
      }
      size_t at = one;
      if (request.step_seconds != 0) {
        const auto after =
            std::upper_bound(windows.begin(), windows.end(), row.step_seconds,
                             [](int64_t seconds, const AskWindow& window) { return seconds < window.label; });
        at = after == windows.begin() ? 0 : static_cast<size_t>(after - windows.begin()) - 1;
      }
      Data& data = found->second[at];
      Add(row, &data);
      if (plan_.percentiles) {
        if (++cells_ > options_.max_cells) {
          full = TooMany();
          return false;
        }
        data.bins[row.step_seconds].assign(row.values.begin(), row.values.end());
      }
      return true;
    };
    if (plan_.percentiles) {
      request.step_seconds = plan_.table.bin_seconds;
      request.step_origin_seconds = plan_.table.first_seconds;
    } else if (windows.size() > 1 && uniform) {
      request.step_seconds = width;
      request.step_origin_seconds = windows[0].label;
    }
    if (windows.size() == 1 || request.step_seconds != 0) {
      absl::Status status = Sum(request, tell);
      return full.ok() ? status : full;
    }
    for (one = 0; one < windows.size(); ++one) {
      request.from_seconds = plan_.Begin(plan_.table, windows[one].begin);
      request.to_seconds = windows[one].end;
      absl::Status status = Sum(request, tell);
      if (!full.ok() || !status.ok()) return full.ok() ? status : full;
    }
    return absl::OkStatus();
  }

  absl::Status TooMany() const {
    return absl::ResourceExhaustedError(absl::StrCat("question: it has more than ", options_.max_groups, " groups, or ",
                                                     options_.max_cells,
                                                     " cells of groups and steps, which is all that may be in memory; "
                                                     "ask top N by a sum, coarser groups (src_addr/24), "
                                                     "longer steps or a shorter time"));
  }

  // --- Which groups --------------------------------------------------------------------------------------------

  // By what groups are ordered: absent first, then exact numbers.
  std::pair<bool, absl::uint128> Rank(const Data& data, const AskWindow& window) const {
    const size_t place = plan_.places[plan_.order];
    if (plan_.values[plan_.order].kind == AskedValue::Kind::kPercentile)
      return {true, Percentile(plan_.order, data, window)};
    if (IsSum(place)) return {true, data.values[place]};
    if (!data.present[place]) return {false, 0};
    return {true, data.values[place] ^ SignOf(plan_.table.values[plan_.columns[place]])};
  }

  // The groups of `found`, which are of one window, in order.
  void Order(const GroupMap& found, const AskWindow& window) {
    struct Ranked {
      std::pair<bool, absl::uint128> rank;
      const GroupValues* group;
    };
    std::vector<Ranked> ranked;
    ranked.reserve(found.size());
    for (const auto& [group, series] : found) ranked.push_back({Rank(series[0], window), &group});
    std::sort(ranked.begin(), ranked.end(), [this](const Ranked& a, const Ranked& b) {
      if (a.rank.first != b.rank.first) return a.rank.first;
      if (a.rank.second != b.rank.second) {
        return plan_.question.ascending ? a.rank.second < b.rank.second : a.rank.second > b.rank.second;
      }
      return *a.group < *b.group;
    });
    const size_t count = plan_.question.top == 0 ? ranked.size() : std::min<size_t>(ranked.size(), plan_.question.top);
    for (size_t i = 0; i < count; ++i) shown_.push_back(*ranked[i].group);
  }

  absl::Status ChooseGroups() {
    const AskWindow whole{plan_.windows.front().begin, plan_.windows.front().begin, plan_.windows.back().end};
    GroupMap found;
    const bool store_orders =
        plan_.question.top != 0 && !plan_.question.ascending && !plan_.question.by.empty() && !plan_.percentiles;
    if (plan_.question.by.empty()) {
      shown_.emplace_back();
      found.emplace(GroupValues(), Series(1, Nothing()));
    } else if (store_orders) {
      if (absl::Status status = LargestGroups(whole, &found); !status.ok()) return status;
    } else {
      if (absl::Status status = Collect({whole}, true, false, &found); !status.ok()) return status;
      answer_.groups = found.size();
    }
    if (!plan_.question.by.empty()) Order(found, whole);
    if (shown_.size() > options_.max_cells / plan_.windows.size()) return TooMany();
    if (plan_.windows.size() == 1 && !plan_.question.by.empty()) current_ = std::move(found);
    return absl::OkStatus();
  }

  // Enough of the largest that those with the same value as the last are all among them: whatever the store's order.
  absl::Status LargestGroups(const AskWindow& whole, GroupMap* found) {
    const size_t order = plan_.places[plan_.order];
    for (size_t limit = plan_.question.top + 64;; limit *= 4) {
      limit = std::min(limit, options_.max_groups);
      found->clear();
      GroupRequest request = Request();
      request.from_seconds = plan_.Begin(plan_.table, whole.begin);
      request.to_seconds = whole.end;
      request.limit = limit;
      request.order = order;
      bool full = false;
      absl::Status status = Sum(request, [&](const GroupRow& row) {
        if (found->size() >= options_.max_groups) return !(full = true);
        Add(row, &found->emplace(OwnedGroup(row.group), Series(1, Nothing())).first->second[0]);
        return true;
      });
      if (!status.ok()) return status;
      if (found->size() < limit || full) return full ? TooMany() : absl::OkStatus();
      std::vector<std::pair<bool, absl::uint128>> ranks;
      for (const auto& [group, series] : *found) ranks.push_back(Rank(series[0], whole));
      std::sort(ranks.rbegin(), ranks.rend());
      if (ranks[plan_.question.top - 1] != ranks.back()) return absl::OkStatus();
      if (limit == options_.max_groups) return TooMany();
    }
  }

  absl::Status CollectAll() {
    const auto fill = [this](const std::vector<AskWindow>& windows, GroupMap* groups) {
      groups->clear();
      for (const GroupValues& group : shown_) groups->emplace(group, Series(windows.size(), Nothing()));
      return groups->empty() ? absl::OkStatus() : Collect(windows, true, true, groups);
    };
    if (current_.empty()) {
      if (absl::Status status = fill(plan_.windows, &current_); !status.ok()) return status;
    }
    if (!plan_.earlier.empty()) {
      if (absl::Status status = fill(plan_.earlier, &before_); !status.ok()) return status;
    }
    if (!plan_.needs_total) return absl::OkStatus();
    // After the groups, so that what came in between is no less than they.
    for (const auto& [windows, total] :
         {std::make_pair(&plan_.windows, &total_), std::make_pair(&plan_.earlier, &total_before_)}) {
      if (windows->empty()) continue;
      GroupMap all;
      all.emplace(GroupValues(), Series(windows->size(), Nothing()));
      if (absl::Status status = Collect(*windows, false, true, &all); !status.ok()) return status;
      *total = std::move(all[GroupValues()]);
    }
    return absl::OkStatus();
  }

  // --- What is told of it --------------------------------------------------------------------------------------

  // The nearest rank among all bins of the window: the sum of that bin.
  absl::uint128 Percentile(size_t value, const Data& data, const AskWindow& window) const {
    const size_t place = plan_.places[value];
    std::vector<absl::uint128> sums;
    for (const auto& [begin, values] : data.bins) sums.push_back(values[place]);
    const uint64_t bins =
        static_cast<uint64_t>((window.end - window.begin + plan_.table.bin_seconds - 1) / plan_.table.bin_seconds);
    const uint64_t rank =
        static_cast<uint64_t>(std::ceil(plan_.values[value].percentile * static_cast<double>(bins) / 100));
    const uint64_t empty = bins > sums.size() ? bins - sums.size() : 0;
    if (rank <= empty || sums.empty()) return 0;
    const size_t at = std::min<size_t>(rank - empty, sums.size()) - 1;
    std::nth_element(sums.begin(), sums.begin() + static_cast<ptrdiff_t>(at), sums.end());
    return sums[at];
  }

  bool IsTime(size_t value) const {
    return plan_.infos[value].function != Function::kSum &&
           record::Info(plan_.infos[value].field).type == FieldType::kTime;
  }

  AnswerCell Cell(size_t value, const Data& data, const AskWindow& window, const Data* total) const {
    AnswerCell cell;
    const size_t place = plan_.places[value];
    const absl::uint128 number = data.values[place];
    switch (plan_.values[value].kind) {
      case AskedValue::Kind::kColumn:
        cell.present = IsSum(place) || data.present[place];
        cell.number = number;
        if (cell.present && IsTime(value)) {
          record::StoredValue stored;
          stored.present = true;
          stored.integer = static_cast<int64_t>(absl::Uint128Low64(number));
          cell.value = GroupValue(stored);
        }
        break;
      case AskedValue::Kind::kRate:
        cell.present = true;
        cell.real =
            static_cast<double>(number) * plan_.values[value].factor / static_cast<double>(window.end - window.begin);
        break;
      case AskedValue::Kind::kPercentile:
        cell.present = true;
        cell.real = static_cast<double>(Percentile(value, data, window)) * plan_.values[value].factor /
                    static_cast<double>(plan_.table.bin_seconds);
        break;
      case AskedValue::Kind::kShare:
        cell.present = total != nullptr && total->values[place] != 0;
        if (cell.present) cell.real = 100 * static_cast<double>(number) / static_cast<double>(total->values[place]);
        break;
    }
    return cell;
  }

  double Number(size_t value, const AnswerCell& cell) const {
    return plan_.values[value].kind == AskedValue::Kind::kColumn ? static_cast<double>(cell.number) : cell.real;
  }

  void WriteColumns() {
    if (plan_.question.every) answer_.columns.push_back({AnswerColumn::Kind::kTime, FieldType::kTime, "time"});
    for (size_t i = 0; i < plan_.question.by.size(); ++i) {
      const GroupColumn& column = plan_.question.by[i];
      const bool network = column.v4_length >= 0;
      answer_.columns.push_back({AnswerColumn::Kind::kField,
                                 network ? FieldType::kPrefix : record::Info(column.field).type,
                                 plan_.question.by_names[i]});
    }
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const AnswerColumn::Kind kind = IsTime(i)                                           ? AnswerColumn::Kind::kField
                                      : plan_.values[i].kind == AskedValue::Kind::kColumn ? AnswerColumn::Kind::kNumber
                                                                                          : AnswerColumn::Kind::kReal;
      if (i == plan_.order) answer_.chart_column = answer_.columns.size();
      answer_.columns.push_back({kind, FieldType::kTime, plan_.values[i].name});
      if (plan_.earlier.empty()) continue;
      answer_.columns.push_back({kind, FieldType::kTime, absl::StrCat(plan_.values[i].name, "_before")});
      answer_.columns.push_back(
          {AnswerColumn::Kind::kReal, FieldType::kTime, absl::StrCat(plan_.values[i].name, "_change")});
    }
  }

  void WriteRow(AnswerRow::Kind kind, size_t rank, const GroupValues& group, size_t step, const Data& now,
                const Data* before) {
    AnswerRow row;
    row.kind = kind;
    row.rank = rank;
    if (plan_.question.every) {
      AnswerCell cell;
      cell.present = true;
      cell.time_seconds = plan_.windows[step].label;
      row.cells.push_back(std::move(cell));
    }
    for (size_t i = 0; i < plan_.question.by.size(); ++i) {
      AnswerCell cell;
      if (i < group.size()) cell.value = group[i];
      cell.present = cell.value.present;
      row.cells.push_back(std::move(cell));
    }
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const bool shares = !total_.empty();
      row.cells.push_back(Cell(i, now, plan_.windows[step], shares ? &total_[step] : nullptr));
      if (before == nullptr) continue;
      AnswerCell earlier =
          Cell(i, *before, plan_.earlier[step], total_before_.empty() ? nullptr : &total_before_[step]);
      AnswerCell change;
      const double was = Number(i, earlier);
      change.present = earlier.present && row.cells.back().present && was != 0 && !IsTime(i);
      if (change.present) change.real = 100 * (Number(i, row.cells.back()) - was) / was;
      row.cells.push_back(std::move(earlier));
      row.cells.push_back(std::move(change));
    }
    answer_.rows.push_back(std::move(row));
  }

  // The total less all that is shown.
  Data Others(const Data& total, const GroupMap& shown, size_t step) const {
    Data others = total;
    const auto take = [](absl::uint128 from, absl::uint128 part) {
      return from > part ? from - part : absl::uint128(0);
    };
    for (const auto& group : shown_) {
      const Data& data = shown.at(group)[step];
      for (size_t i = 0; i < plan_.needed.size(); ++i) {
        if (IsSum(i)) others.values[i] = take(others.values[i], data.values[i]);
      }
      for (const auto& [begin, values] : data.bins) {
        const auto bin = others.bins.find(begin);
        if (bin == others.bins.end()) continue;
        for (size_t i = 0; i < plan_.needed.size(); ++i) bin->second[i] = take(bin->second[i], values[i]);
      }
    }
    for (size_t i = 0; i < plan_.needed.size(); ++i) {
      if (!IsSum(i)) others.present[i] = 0;
    }
    return others;
  }

  void WriteAnswer() {
    answer_.question = ToText(plan_.question);
    answer_.table = plan_.table.name;
    answer_.from_seconds = plan_.from_seconds;
    answer_.to_seconds = plan_.to_seconds;
    answer_.zone = plan_.question.zone;
    answer_.notes = plan_.notes;
    WriteColumns();
    const bool compared = !plan_.earlier.empty();
    for (size_t step = 0; step < plan_.windows.size(); ++step) {
      size_t rank = 0;
      for (const GroupValues& group : shown_) {
        WriteRow(AnswerRow::Kind::kGroup, rank++, group, step, current_.at(group)[step],
                 compared ? &before_.at(group)[step] : nullptr);
      }
      if (plan_.question.others) {
        Data before;
        if (compared) before = Others(total_before_[step], before_, step);
        WriteRow(AnswerRow::Kind::kOthers, rank++, {}, step, Others(total_[step], current_, step),
                 compared ? &before : nullptr);
      }
      if (plan_.question.total && !plan_.question.by.empty()) {
        WriteRow(AnswerRow::Kind::kTotal, rank++, {}, step, total_[step], compared ? &total_before_[step] : nullptr);
      }
    }
  }

  const AskPlan plan_;
  GroupStore& store_;
  const AskOptions& options_;
  Answer answer_;

  std::vector<GroupValues> shown_;
  GroupMap current_, before_;
  Series total_, total_before_;
  size_t cells_ = 0;
};

absl::StatusOr<Answer> AskAs(const QuestionOf& question_of, GroupStore& store, absl::Time now,
                             const AskOptions& options) {
  auto tables = store.Tables();
  if (!tables.ok()) return tables.status();
  auto plan = PlanAsk(question_of, *std::move(tables), store.name(), now, options.max_steps);
  if (!plan.ok()) return plan.status();
  return Asker(*std::move(plan), store, options).Run();
}

}  // namespace

absl::StatusOr<Answer> Ask(const Question& question, GroupStore& store, absl::Time now, const AskOptions& options) {
  const absl::StatusOr<Question> asked = question;
  return AskAs([&asked](const TableInfo&) -> const absl::StatusOr<Question>& { return asked; }, store, now, options);
}

record::FieldNames NamesOf(const TableInfo& table) {
  record::FieldNames names;
  // What is no name cannot be asked.
  for (const auto& [name, field] : OwnNames(table)) (void)names.Add(name, field);
  return names;
}

absl::StatusOr<Answer> Ask(absl::string_view text, GroupStore& store, absl::Time now, const AskOptions& options,
                           const QuestionOptions& question_options) {
  // By the names that a table has beside the registry's.
  std::map<std::vector<std::pair<std::string, FieldId>>, absl::StatusOr<Question>> questions;
  const auto question_of = [&](const TableInfo& table) -> const absl::StatusOr<Question>& {
    std::vector<std::pair<std::string, FieldId>> own = OwnNames(table);
    const auto [found, added] = questions.emplace(std::move(own), absl::UnknownError(""));
    if (added) {
      const record::FieldNames names = NamesOf(table);
      QuestionOptions with_names = question_options;
      with_names.names = &names;
      found->second = ParseQuestion(text, with_names);
    }
    return found->second;
  };
  return AskAs(question_of, store, now, options);
}

}  // namespace flowacct::query
