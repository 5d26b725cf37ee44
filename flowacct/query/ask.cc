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
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/query/group_value.h"

namespace flowacct::query {
namespace {

using aggregate::Function;
using record::FieldId;
using record::FieldType;

constexpr int64_t kDaySeconds = 86400;

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(absl::StrCat("question: ", what)); }

struct Window {
  int64_t label = 0;  // begin of the step
  int64_t begin = 0, end = 0;
};

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

// What is asked of a table, whose names for fields it may use. What it gives lives as long as the function.
using QuestionOf = std::function<const absl::StatusOr<Question>&(const TableInfo& table)>;

// The names that the table has for fields beside the registry's.
std::vector<std::pair<std::string, FieldId>> OwnNames(const TableInfo& table) {
  std::vector<std::pair<std::string, FieldId>> names;
  const auto add = [&names](absl::string_view name, FieldId field) {
    if (absl::EqualsIgnoreCase(name, record::Info(field).name)) return;
    names.emplace_back(absl::AsciiStrToLower(name), field);
  };
  for (size_t i = 0; i < table.keys.size(); ++i) add(KeyName(table, i), table.keys[i]);
  for (const TableInfo::Value& value : table.values) {
    // "max(NAME)".
    const size_t open = value.name.find('(');
    if (open == std::string::npos || value.name.back() != ')') continue;
    add(absl::string_view(value.name).substr(open + 1, value.name.size() - open - 2), value.field);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

class Asker {
 public:
  Asker(QuestionOf question_of, GroupStore& store, absl::Time now, const AskOptions& options)
      : question_of_(std::move(question_of)), store_(store), now_(now), options_(options) {}

  absl::StatusOr<Answer> Run() {
    for (const auto step :
         {&Asker::ChooseRoot, &Asker::ChooseTime, &Asker::ChooseTable, &Asker::ChooseGroups, &Asker::CollectAll}) {
      if (absl::Status status = (this->*step)(); !status.ok()) return status;
    }
    WriteAnswer();
    return std::move(answer_);
  }

 private:
  // --- Which table ---------------------------------------------------------------------------------------------

  static std::vector<FieldId> Fields(const Question& question) {
    std::vector<FieldId> fields;
    for (const GroupColumn& column : question.by) fields.push_back(column.field);
    fields.insert(fields.end(), question.filter.fields().begin(), question.filter.fields().end());
    return fields;
  }

  static const TableInfo::Value* FindValue(const TableInfo& table, FieldId field, Function function) {
    for (const TableInfo::Value& value : table.values) {
      if (value.field == field && value.function == function) return &value;
    }
    return nullptr;
  }

  // What the table lacks of what is asked; empty: nothing.
  static std::string Lacks(const TableInfo& table, const Question& question) {
    for (const FieldId field : Fields(question)) {
      if (std::find(table.keys.begin(), table.keys.end(), field) != table.keys.end()) continue;
      std::vector<absl::string_view> names;
      for (size_t i = 0; i < table.keys.size(); ++i) names.push_back(KeyName(table, i));
      return absl::StrCat("table ", table.name, " has no field ", record::Info(field).name, "; its fields are ",
                          absl::StrJoin(names, ", "));
    }
    for (const AskedValue& value : question.values) {
      const TableInfo::Value* const found = FindValue(table, value.field, value.function);
      if (found != nullptr && found->function != Function::kDistinct && found->function != Function::kTop) continue;
      std::vector<absl::string_view> names;
      for (const TableInfo::Value& other : table.values) names.push_back(other.name);
      return absl::StrCat("table ", table.name, " has no value ", value.column,
                          value.name == value.column ? "" : absl::StrCat(", which ", value.name, " is made of"),
                          "; its values are ", absl::StrJoin(names, ", "));
    }
    return "";
  }

  absl::Status ChooseRoot() {
    auto tables = store_.Tables();
    if (!tables.ok()) return tables.status();
    tables_ = *std::move(tables);
    const auto named = [this](absl::string_view name) {
      return std::find_if(tables_.begin(), tables_.end(), [&](const TableInfo& t) { return t.name == name; });
    };
    if (tables_.empty()) return absl::NotFoundError(absl::StrCat(store_.name(), " has no table yet"));
    std::vector<std::string> names, lacks, fitting;
    absl::Status unclear;  // a question that cannot be, with the names of a table
    std::string wanted;
    for (const TableInfo& table : tables_) {
      const absl::StatusOr<Question>& question = question_of_(table);
      if (!question.ok()) {
        unclear.Update(question.status());
        continue;
      }
      wanted = question->table;
      if (!wanted.empty() ? table.name != wanted
                          : !table.rollup_of.empty() && named(table.rollup_of) != tables_.end()) {
        continue;
      }
      names.push_back(table.name);
      std::string lack = Lacks(table, *question);
      if (lack.empty()) {
        fitting.push_back(table.name);
        root_ = table;
        question_ = *question;
      } else {
        lacks.push_back(std::move(lack));
      }
    }
    if (names.empty()) {
      if (!unclear.ok()) return unclear;
      std::vector<absl::string_view> all;
      for (const TableInfo& table : tables_) all.push_back(table.name);
      return Wrong(absl::StrCat(store_.name(), " has no table ", wanted, "; there are ", absl::StrJoin(all, ", ")));
    }
    if (fitting.empty()) return Wrong(absl::StrJoin(lacks, ". "));
    if (fitting.size() > 1) {
      return Wrong(
          absl::StrCat("several tables can answer it; say which: table ", absl::StrJoin(fitting, ", or table ")));
    }
    values_ = question_.values;
    if (values_.empty()) {
      for (const TableInfo::Value& value : root_.values) {
        if (value.function != Function::kSum) continue;
        AskedValue asked;
        asked.name = asked.column = value.name;
        asked.field = value.field;
        values_.push_back(std::move(asked));
      }
      if (values_.empty())
        return Wrong(absl::StrCat("table ", root_.name, " has no sums; name a value, as in by max(ttl)"));
    }
    for (const AskedValue& value : values_) {
      const TableInfo::Value& info = *FindValue(root_, value.field, value.function);
      const auto at = std::find_if(needed_.begin(), needed_.end(), [&info](const TableInfo::Value& other) {
        return other.field == info.field && other.function == info.function;
      });
      places_.push_back(static_cast<size_t>(at - needed_.begin()));
      if (at == needed_.end()) needed_.push_back(info);
      infos_.push_back(info);
      percentiles_ |= value.kind == AskedValue::Kind::kPercentile;
      needs_total_ |= value.kind == AskedValue::Kind::kShare;
      if (value.name == question_.order) order_ = places_.size() - 1;
      const bool by_time = value.kind == AskedValue::Kind::kPercentile || value.kind == AskedValue::Kind::kRate;
      if (by_time && root_.bin_seconds == 0) return Wrong(NoTime(value.name));
    }
    needs_total_ |= question_.others || question_.total;
    return absl::OkStatus();
  }

  std::string NoTime(absl::string_view what) const {
    return absl::StrCat("rows of table ", root_.name, " have no time, so it cannot be asked for ", what);
  }

  // --- Which time ----------------------------------------------------------------------------------------------

  int64_t FloorToBin(const TableInfo& table, int64_t seconds) const {
    const absl::Time first = absl::FromUnixSeconds(table.first_seconds);
    const Span days{table.bin_seconds / kDaySeconds, Span::Unit::kDay};
    if (table.bin_seconds % kDaySeconds == 0 && StepBegin(first, days, question_.zone) == first) {
      return absl::ToUnixSeconds(StepBegin(absl::FromUnixSeconds(seconds), days, question_.zone));
    }
    const int64_t into = ((seconds - table.first_seconds) % table.bin_seconds + table.bin_seconds) % table.bin_seconds;
    return seconds - into;
  }

  absl::Status ChooseTime() {
    const absl::TimeZone zone = question_.zone;
    if (root_.bin_seconds == 0) {
      for (const auto& [asked, what] :
           {std::make_pair(question_.from.has_value() || question_.to.has_value(), "a time"),
            std::make_pair(question_.every.has_value(), "steps"),
            std::make_pair(question_.compare.has_value(), "an earlier time")}) {
        if (asked) return Wrong(NoTime(what));
      }
      windows_.push_back({0, INT64_MIN, INT64_MAX});
      return absl::OkStatus();
    }
    int64_t from = root_.first_seconds, to = root_.last_seconds;
    const auto is_relative = [](const Moment& moment) { return moment.kind <= Moment::Kind::kYesterday; };
    const auto bound = [&](const Moment& moment, absl::string_view name) {
      const int64_t asked = absl::ToUnixSeconds(moment.At(now_, zone)), whole = FloorToBin(root_, asked);
      if (asked != whole && !is_relative(moment)) {
        answer_.notes.push_back(absl::StrCat(name, " was moved from ", TimeText(asked, zone), " back to ",
                                             TimeText(whole, zone), ", where a bin begins"));
      }
      return whole;
    };
    if (question_.from) from = bound(*question_.from, "from");
    if (question_.to) {
      to = bound(*question_.to, "to");
    } else if (question_.from && is_relative(*question_.from)) {
      to = FloorToBin(root_, absl::ToUnixSeconds(now_));
    }
    if (from >= to) {
      return Wrong(
          root_.first_seconds == root_.last_seconds && !question_.from
              ? absl::StrCat("table ", root_.name, " has no rows yet")
              : absl::StrCat("no bin lies between from ", TimeText(from, zone), " and to ", TimeText(to, zone)));
    }
    if (from < root_.first_seconds) {
      answer_.notes.push_back(
          absl::StrCat("table ", root_.name, " begins at ", TimeText(root_.first_seconds, zone), ", later than asked"));
    }
    answer_.from_seconds = from;
    answer_.to_seconds = to;
    if (absl::Status status = CutIntoSteps(from, to); !status.ok()) return status;
    if (question_.compare) return ChooseEarlierTime();
    return absl::OkStatus();
  }

  absl::Status CutIntoSteps(int64_t from, int64_t to) {
    if (!question_.every) {
      windows_.push_back({from, from, to});
      return absl::OkStatus();
    }
    const Span& every = *question_.every;
    absl::Time begin = StepBegin(absl::FromUnixSeconds(from), every, question_.zone);
    while (absl::ToUnixSeconds(begin) < to) {
      absl::Time next = Move(begin, every, 1, question_.zone);
      if (!every.is_calendar()) {
        // Steps shorter than a day begin anew at midnight; a day without midnight ends where the next one begins.
        const absl::CivilDay day = absl::ToCivilDay(begin, question_.zone);
        const absl::Time midnight = absl::FromCivil(day + 1, question_.zone);
        if (midnight > begin) next = std::min(next, midnight);
      }
      const int64_t label = absl::ToUnixSeconds(begin), end = absl::ToUnixSeconds(next);
      if (FloorToBin(root_, label) != label || FloorToBin(root_, end) != end || end <= label) {
        return Wrong(absl::StrCat("every ", ToText(every), " does not fit the bins of table ", root_.name,
                                  ", which are ", BinText(), " long; ask for a multiple of that"));
      }
      windows_.push_back({label, std::max(label, from), std::min(end, to)});
      if (windows_.size() > options_.max_steps) {
        return Wrong(absl::StrCat("more than ", options_.max_steps, " steps; ask for longer ones, or a shorter time"));
      }
      begin = next;
    }
    return absl::OkStatus();
  }

  std::string BinText() const {
    const int64_t bin = root_.bin_seconds;
    if (bin % kDaySeconds == 0) return absl::StrCat(bin / kDaySeconds, "d");
    return bin % 3600 == 0 ? absl::StrCat(bin / 3600, "h")
           : bin % 60 == 0 ? absl::StrCat(bin / 60, "m")
                           : absl::StrCat(bin, "s");
  }

  absl::Status ChooseEarlierTime() {
    const auto earlier = [this](int64_t seconds) {
      return FloorToBin(
          root_, absl::ToUnixSeconds(Move(absl::FromUnixSeconds(seconds), *question_.compare, -1, question_.zone)));
    };
    for (const Window& window : windows_) {
      earlier_.push_back({earlier(window.label), earlier(window.begin), earlier(window.end)});
      if (earlier_.back().begin >= earlier_.back().end) {
        return Wrong(absl::StrCat("no bin lies ", ToText(*question_.compare), " before ",
                                  TimeText(window.begin, question_.zone), "; compare with another time"));
      }
    }
    answer_.notes.push_back(absl::StrCat("compared with ", TimeText(earlier_.front().begin, question_.zone), " to ",
                                         TimeText(earlier_.back().end, question_.zone)));
    if (earlier_.front().begin < root_.first_seconds) {
      answer_.notes.push_back(absl::StrCat("table ", root_.name, " begins at ",
                                           TimeText(root_.first_seconds, question_.zone),
                                           ", so the earlier time is not all there"));
    }
    return absl::OkStatus();
  }

  // --- Which rollup --------------------------------------------------------------------------------------------

  bool IsRollup(const TableInfo& table) const {
    absl::string_view of = table.rollup_of;
    for (size_t i = 0; i < tables_.size() && !of.empty(); ++i) {
      if (of == root_.name) return true;
      const auto next = std::find_if(tables_.begin(), tables_.end(), [&](const TableInfo& t) { return t.name == of; });
      if (next == tables_.end()) return false;
      of = next->rollup_of;
    }
    return false;
  }

  bool IsExact(const TableInfo& table) const {
    if (table.bin_seconds <= 0 || !Lacks(table, question_).empty()) return false;
    for (const TableInfo::Value& value : needed_) {
      if (FindValue(table, value.field, value.function) == nullptr) return false;
    }
    for (const auto* windows : {&windows_, &earlier_}) {
      for (const Window& window : *windows) {
        for (const int64_t at : {window.begin, window.end}) {
          // Where the table itself has no rows, any bound is right.
          if (at > root_.first_seconds && at < root_.last_seconds && FloorToBin(table, at) != at) return false;
        }
      }
      if (windows->empty()) continue;
      if (table.first_seconds > std::max(windows->front().begin, root_.first_seconds)) return false;
      if (table.last_seconds < std::min(windows->back().end, root_.last_seconds)) return false;
      const int64_t begin = windows->front().begin;
      if (Begin(table, begin) != FloorToBin(table, begin) && begin > table.first_seconds) return false;
    }
    return true;
  }

  // Where the bins begin that hold what the table itself has from `begin` on: the first bin of a rollup may begin
  // before all rows of the table.
  int64_t Begin(const TableInfo& table, int64_t begin) const {
    const int64_t whole = table.bin_seconds > 0 ? FloorToBin(table, begin) : begin;
    return begin <= root_.first_seconds && table.first_seconds >= whole ? whole : begin;
  }

  absl::Status ChooseTable() {
    table_ = root_;
    if (root_.bin_seconds > 0 && !percentiles_) {
      for (const TableInfo& table : tables_) {
        if (table.bin_seconds > table_.bin_seconds && IsRollup(table) && IsExact(table)) table_ = table;
      }
    }
    for (const TableInfo::Value& value : needed_) {
      columns_.push_back(static_cast<size_t>(FindValue(table_, value.field, value.function) - table_.values.data()));
    }
    answer_.table = table_.name;
    return absl::OkStatus();
  }

  // --- What the store sums -------------------------------------------------------------------------------------

  bool IsSum(size_t needed) const { return table_.values[columns_[needed]].function == Function::kSum; }

  Data Nothing() const {
    Data data;
    data.values.resize(needed_.size());
    data.present.resize(needed_.size());
    return data;
  }

  void Add(const GroupRow& row, Data* data) const {
    for (size_t i = 0; i < needed_.size(); ++i) {
      if (!row.present[i]) continue;
      const TableInfo::Value& column = table_.values[columns_[i]];
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
    request.table = table_.name;
    request.by = question_.by;
    request.values = columns_;
    request.where = question_.filter;
    return request;
  }

  // Sums of each window. If `only`, of the groups that `groups` has; else of all that there are.
  absl::Status Collect(const std::vector<Window>& windows, bool grouped, bool only, GroupMap* groups) {
    GroupRequest request = Request();
    if (!grouped) request.by.clear();
    request.from_seconds = Begin(table_, windows.front().begin);
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
                             [](int64_t seconds, const Window& window) { return seconds < window.label; });
        at = after == windows.begin() ? 0 : static_cast<size_t>(after - windows.begin()) - 1;
      }
      Data& data = found->second[at];
      Add(row, &data);
      if (percentiles_) {
        if (++cells_ > options_.max_cells) {
          full = TooMany();
          return false;
        }
        data.bins[row.step_seconds].assign(row.values.begin(), row.values.end());
      }
      return true;
    };
    if (percentiles_) {
      request.step_seconds = table_.bin_seconds;
      request.step_origin_seconds = table_.first_seconds;
    } else if (windows.size() > 1 && uniform) {
      request.step_seconds = width;
      request.step_origin_seconds = windows[0].label;
    }
    if (windows.size() == 1 || request.step_seconds != 0) {
      absl::Status status = Sum(request, tell);
      return full.ok() ? status : full;
    }
    for (one = 0; one < windows.size(); ++one) {
      request.from_seconds = Begin(table_, windows[one].begin);
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
  std::pair<bool, absl::uint128> Rank(const Data& data, const Window& window) const {
    const size_t place = places_[order_];
    if (values_[order_].kind == AskedValue::Kind::kPercentile) return {true, Percentile(order_, data, window)};
    if (IsSum(place)) return {true, data.values[place]};
    if (!data.present[place]) return {false, 0};
    return {true, data.values[place] ^ SignOf(table_.values[columns_[place]])};
  }

  // The groups of `found`, which are of one window, in order.
  void Order(const GroupMap& found, const Window& window) {
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
        return question_.ascending ? a.rank.second < b.rank.second : a.rank.second > b.rank.second;
      }
      return *a.group < *b.group;
    });
    const size_t count = question_.top == 0 ? ranked.size() : std::min<size_t>(ranked.size(), question_.top);
    for (size_t i = 0; i < count; ++i) shown_.push_back(*ranked[i].group);
  }

  absl::Status ChooseGroups() {
    const Window whole{windows_.front().begin, windows_.front().begin, windows_.back().end};
    GroupMap found;
    const bool store_orders = question_.top != 0 && !question_.ascending && !question_.by.empty() && !percentiles_;
    if (question_.by.empty()) {
      shown_.emplace_back();
      found.emplace(GroupValues(), Series(1, Nothing()));
    } else if (store_orders) {
      if (absl::Status status = LargestGroups(whole, &found); !status.ok()) return status;
    } else {
      if (absl::Status status = Collect({whole}, true, false, &found); !status.ok()) return status;
      answer_.groups = found.size();
    }
    if (!question_.by.empty()) Order(found, whole);
    if (shown_.size() > options_.max_cells / windows_.size()) return TooMany();
    if (windows_.size() == 1 && !question_.by.empty()) current_ = std::move(found);
    return absl::OkStatus();
  }

  // Enough of the largest that those with the same value as the last are all among them: whatever the store's order.
  absl::Status LargestGroups(const Window& whole, GroupMap* found) {
    const size_t order = places_[order_];
    for (size_t limit = question_.top + 64;; limit *= 4) {
      limit = std::min(limit, options_.max_groups);
      found->clear();
      GroupRequest request = Request();
      request.from_seconds = Begin(table_, whole.begin);
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
      if (ranks[question_.top - 1] != ranks.back()) return absl::OkStatus();
      if (limit == options_.max_groups) return TooMany();
    }
  }

  absl::Status CollectAll() {
    const auto fill = [this](const std::vector<Window>& windows, GroupMap* groups) {
      groups->clear();
      for (const GroupValues& group : shown_) groups->emplace(group, Series(windows.size(), Nothing()));
      return groups->empty() ? absl::OkStatus() : Collect(windows, true, true, groups);
    };
    if (current_.empty()) {
      if (absl::Status status = fill(windows_, &current_); !status.ok()) return status;
    }
    if (!earlier_.empty()) {
      if (absl::Status status = fill(earlier_, &before_); !status.ok()) return status;
    }
    if (!needs_total_) return absl::OkStatus();
    // After the groups, so that what came in between is no less than they.
    for (const auto& [windows, total] :
         {std::make_pair(&windows_, &total_), std::make_pair(&earlier_, &total_before_)}) {
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
  absl::uint128 Percentile(size_t value, const Data& data, const Window& window) const {
    const size_t place = places_[value];
    std::vector<absl::uint128> sums;
    for (const auto& [begin, values] : data.bins) sums.push_back(values[place]);
    const uint64_t bins =
        static_cast<uint64_t>((window.end - window.begin + table_.bin_seconds - 1) / table_.bin_seconds);
    const uint64_t rank = static_cast<uint64_t>(std::ceil(values_[value].percentile * static_cast<double>(bins) / 100));
    const uint64_t empty = bins > sums.size() ? bins - sums.size() : 0;
    if (rank <= empty || sums.empty()) return 0;
    const size_t at = std::min<size_t>(rank - empty, sums.size()) - 1;
    std::nth_element(sums.begin(), sums.begin() + static_cast<ptrdiff_t>(at), sums.end());
    return sums[at];
  }

  bool IsTime(size_t value) const {
    return infos_[value].function != Function::kSum && record::Info(infos_[value].field).type == FieldType::kTime;
  }

  AnswerCell Cell(size_t value, const Data& data, const Window& window, const Data* total) const {
    AnswerCell cell;
    const size_t place = places_[value];
    const absl::uint128 number = data.values[place];
    switch (values_[value].kind) {
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
            static_cast<double>(number) * values_[value].factor / static_cast<double>(window.end - window.begin);
        break;
      case AskedValue::Kind::kPercentile:
        cell.present = true;
        cell.real = static_cast<double>(Percentile(value, data, window)) * values_[value].factor /
                    static_cast<double>(table_.bin_seconds);
        break;
      case AskedValue::Kind::kShare:
        cell.present = total != nullptr && total->values[place] != 0;
        if (cell.present) cell.real = 100 * static_cast<double>(number) / static_cast<double>(total->values[place]);
        break;
    }
    return cell;
  }

  double Number(size_t value, const AnswerCell& cell) const {
    return values_[value].kind == AskedValue::Kind::kColumn ? static_cast<double>(cell.number) : cell.real;
  }

  void WriteColumns() {
    if (question_.every) answer_.columns.push_back({AnswerColumn::Kind::kTime, FieldType::kTime, "time"});
    for (size_t i = 0; i < question_.by.size(); ++i) {
      const GroupColumn& column = question_.by[i];
      const bool network = column.v4_length >= 0;
      answer_.columns.push_back({AnswerColumn::Kind::kField,
                                 network ? FieldType::kPrefix : record::Info(column.field).type,
                                 question_.by_names[i]});
    }
    for (size_t i = 0; i < values_.size(); ++i) {
      const AnswerColumn::Kind kind = IsTime(i)                                      ? AnswerColumn::Kind::kField
                                      : values_[i].kind == AskedValue::Kind::kColumn ? AnswerColumn::Kind::kNumber
                                                                                     : AnswerColumn::Kind::kReal;
      if (i == order_) answer_.chart_column = answer_.columns.size();
      answer_.columns.push_back({kind, FieldType::kTime, values_[i].name});
      if (earlier_.empty()) continue;
      answer_.columns.push_back({kind, FieldType::kTime, absl::StrCat(values_[i].name, "_before")});
      answer_.columns.push_back(
          {AnswerColumn::Kind::kReal, FieldType::kTime, absl::StrCat(values_[i].name, "_change")});
    }
  }

  void WriteRow(AnswerRow::Kind kind, size_t rank, const GroupValues& group, size_t step, const Data& now,
                const Data* before) {
    AnswerRow row;
    row.kind = kind;
    row.rank = rank;
    if (question_.every) {
      AnswerCell cell;
      cell.present = true;
      cell.time_seconds = windows_[step].label;
      row.cells.push_back(std::move(cell));
    }
    for (size_t i = 0; i < question_.by.size(); ++i) {
      AnswerCell cell;
      if (i < group.size()) cell.value = group[i];
      cell.present = cell.value.present;
      row.cells.push_back(std::move(cell));
    }
    for (size_t i = 0; i < values_.size(); ++i) {
      const bool shares = !total_.empty();
      row.cells.push_back(Cell(i, now, windows_[step], shares ? &total_[step] : nullptr));
      if (before == nullptr) continue;
      AnswerCell earlier = Cell(i, *before, earlier_[step], total_before_.empty() ? nullptr : &total_before_[step]);
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
      for (size_t i = 0; i < needed_.size(); ++i) {
        if (IsSum(i)) others.values[i] = take(others.values[i], data.values[i]);
      }
      for (const auto& [begin, values] : data.bins) {
        const auto bin = others.bins.find(begin);
        if (bin == others.bins.end()) continue;
        for (size_t i = 0; i < needed_.size(); ++i) bin->second[i] = take(bin->second[i], values[i]);
      }
    }
    for (size_t i = 0; i < needed_.size(); ++i) {
      if (!IsSum(i)) others.present[i] = 0;
    }
    return others;
  }

  void WriteAnswer() {
    answer_.question = ToText(question_);
    answer_.zone = question_.zone;
    WriteColumns();
    const bool compared = !earlier_.empty();
    for (size_t step = 0; step < windows_.size(); ++step) {
      size_t rank = 0;
      for (const GroupValues& group : shown_) {
        WriteRow(AnswerRow::Kind::kGroup, rank++, group, step, current_.at(group)[step],
                 compared ? &before_.at(group)[step] : nullptr);
      }
      if (question_.others) {
        Data before;
        if (compared) before = Others(total_before_[step], before_, step);
        WriteRow(AnswerRow::Kind::kOthers, rank++, {}, step, Others(total_[step], current_, step),
                 compared ? &before : nullptr);
      }
      if (question_.total && !question_.by.empty()) {
        WriteRow(AnswerRow::Kind::kTotal, rank++, {}, step, total_[step], compared ? &total_before_[step] : nullptr);
      }
    }
  }

  const QuestionOf question_of_;
  GroupStore& store_;
  const absl::Time now_;
  const AskOptions& options_;
  Answer answer_;

  std::vector<TableInfo> tables_;
  Question question_;       // as it is asked of the table
  TableInfo root_, table_;  // what is asked, and where it is asked: the same, or a rollup
  std::vector<AskedValue> values_;
  std::vector<TableInfo::Value> infos_;   // of each of values_
  std::vector<TableInfo::Value> needed_;  // columns that values_ are made of, each once
  std::vector<size_t> places_;            // of each of values_, in needed_
  std::vector<size_t> columns_;           // of each of needed_, in table_
  size_t order_ = 0;                      // of values_
  bool percentiles_ = false, needs_total_ = false;
  std::vector<Window> windows_, earlier_;
  std::vector<GroupValues> shown_;
  GroupMap current_, before_;
  Series total_, total_before_;
  size_t cells_ = 0;
};

}  // namespace

absl::StatusOr<Answer> Ask(const Question& question, GroupStore& store, absl::Time now, const AskOptions& options) {
  const absl::StatusOr<Question> asked = question;
  return Asker([&asked](const TableInfo&) -> const absl::StatusOr<Question>& { return asked; }, store, now, options)
      .Run();
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
  return Asker(question_of, store, now, options).Run();
}

}  // namespace flowacct::query
