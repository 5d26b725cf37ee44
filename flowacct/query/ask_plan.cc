#include "flowacct/query/ask_plan.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/query/answer.h"

namespace flowacct::query {
namespace {

using aggregate::Function;
using record::FieldId;

constexpr int64_t kDaySeconds = 86400;

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(absl::StrCat("question: ", what)); }

class Planner {
 public:
  Planner(const QuestionOf& question_of, std::vector<TableInfo> tables, absl::string_view store, absl::Time now,
          size_t max_steps)
      : question_of_(question_of), tables_(std::move(tables)), store_(store), now_(now), max_steps_(max_steps) {}

  absl::StatusOr<AskPlan> Run() {
    for (const auto step : {&Planner::ChooseRoot, &Planner::ChooseTime, &Planner::ChooseTable}) {
      if (absl::Status status = (this->*step)(); !status.ok()) return status;
    }
    return std::move(plan_);
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
    const auto named = [this](absl::string_view name) {
      return std::find_if(tables_.begin(), tables_.end(), [&](const TableInfo& t) { return t.name == name; });
    };
    if (tables_.empty()) return absl::NotFoundError(absl::StrCat(store_, " has no table yet"));
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
        plan_.root = table;
        plan_.question = *question;
      } else {
        lacks.push_back(std::move(lack));
      }
    }
    if (names.empty()) {
      if (!unclear.ok()) return unclear;
      std::vector<absl::string_view> all;
      for (const TableInfo& table : tables_) all.push_back(table.name);
      return Wrong(absl::StrCat(store_, " has no table ", wanted, "; there are ", absl::StrJoin(all, ", ")));
    }
    if (fitting.empty()) return Wrong(absl::StrJoin(lacks, ". "));
    if (fitting.size() > 1) {
      return Wrong(
          absl::StrCat("several tables can answer it; say which: table ", absl::StrJoin(fitting, ", or table ")));
    }
    plan_.values = plan_.question.values;
    if (plan_.values.empty()) {
      for (const TableInfo::Value& value : plan_.root.values) {
        if (value.function != Function::kSum) continue;
        AskedValue asked;
        asked.name = asked.column = value.name;
        asked.field = value.field;
        plan_.values.push_back(std::move(asked));
      }
      if (plan_.values.empty())
        return Wrong(absl::StrCat("table ", plan_.root.name, " has no sums; name a value, as in by max(ttl)"));
    }
    for (const AskedValue& value : plan_.values) {
      const TableInfo::Value& info = *FindValue(plan_.root, value.field, value.function);
      const auto at = std::find_if(plan_.needed.begin(), plan_.needed.end(), [&info](const TableInfo::Value& other) {
        return other.field == info.field && other.function == info.function;
      });
      plan_.places.push_back(static_cast<size_t>(at - plan_.needed.begin()));
      if (at == plan_.needed.end()) plan_.needed.push_back(info);
      plan_.infos.push_back(info);
      plan_.percentiles |= value.kind == AskedValue::Kind::kPercentile;
      plan_.needs_total |= value.kind == AskedValue::Kind::kShare;
      if (value.name == plan_.question.order) plan_.order = plan_.places.size() - 1;
      const bool by_time = value.kind == AskedValue::Kind::kPercentile || value.kind == AskedValue::Kind::kRate;
      if (by_time && plan_.root.bin_seconds == 0) return Wrong(NoTime(value.name));
    }
    plan_.needs_total |= plan_.question.others || plan_.question.total;
    return absl::OkStatus();
  }

  std::string NoTime(absl::string_view what) const {
    return absl::StrCat("rows of table ", plan_.root.name, " have no time, so it cannot be asked for ", what);
  }

  // --- Which time ----------------------------------------------------------------------------------------------

  absl::Status ChooseTime() {
    const absl::TimeZone zone = plan_.question.zone;
    if (plan_.root.bin_seconds == 0) {
      for (const auto& [asked, what] :
           {std::make_pair(plan_.question.from.has_value() || plan_.question.to.has_value(), "a time"),
            std::make_pair(plan_.question.every.has_value(), "steps"),
            std::make_pair(plan_.question.compare.has_value(), "an earlier time")}) {
        if (asked) return Wrong(NoTime(what));
      }
      plan_.windows.push_back({0, INT64_MIN, INT64_MAX});
      return absl::OkStatus();
    }
    int64_t from = plan_.root.first_seconds, to = plan_.root.last_seconds;
    const auto is_relative = [](const Moment& moment) { return moment.kind <= Moment::Kind::kYesterday; };
    const auto bound = [&](const Moment& moment, absl::string_view name) {
      const int64_t asked = absl::ToUnixSeconds(moment.At(now_, zone)), whole = plan_.FloorToBin(plan_.root, asked);
      if (asked != whole && !is_relative(moment)) {
        plan_.notes.push_back(absl::StrCat(name, " was moved from ", TimeText(asked, zone), " back to ",
                                           TimeText(whole, zone), ", where a bin begins"));
      }
      return whole;
    };
    if (plan_.question.from) from = bound(*plan_.question.from, "from");
    if (plan_.question.to) {
      to = bound(*plan_.question.to, "to");
    } else if (plan_.question.from && is_relative(*plan_.question.from)) {
      to = plan_.FloorToBin(plan_.root, absl::ToUnixSeconds(now_));
    }
    if (from >= to) {
      return Wrong(
          plan_.root.first_seconds == plan_.root.last_seconds && !plan_.question.from
              ? absl::StrCat("table ", plan_.root.name, " has no rows yet")
              : absl::StrCat("no bin lies between from ", TimeText(from, zone), " and to ", TimeText(to, zone)));
    }
    if (from < plan_.root.first_seconds) {
      plan_.notes.push_back(absl::StrCat("table ", plan_.root.name, " begins at ",
                                         TimeText(plan_.root.first_seconds, zone), ", later than asked"));
    }
    plan_.from_seconds = from;
    plan_.to_seconds = to;
    if (absl::Status status = CutIntoSteps(from, to); !status.ok()) return status;
    if (plan_.question.compare) return ChooseEarlierTime();
    return absl::OkStatus();
  }

  absl::Status CutIntoSteps(int64_t from, int64_t to) {
    if (!plan_.question.every) {
      plan_.windows.push_back({from, from, to});
      return absl::OkStatus();
    }
    const Span& every = *plan_.question.every;
    absl::Time begin = StepBegin(absl::FromUnixSeconds(from), every, plan_.question.zone);
    while (absl::ToUnixSeconds(begin) < to) {
      absl::Time next = Move(begin, every, 1, plan_.question.zone);
      if (!every.is_calendar()) {
        // Steps shorter than a day begin anew at midnight; a day without midnight ends where the next one begins.
        const absl::CivilDay day = absl::ToCivilDay(begin, plan_.question.zone);
        const absl::Time midnight = absl::FromCivil(day + 1, plan_.question.zone);
        if (midnight > begin) next = std::min(next, midnight);
      }
      const int64_t label = absl::ToUnixSeconds(begin), end = absl::ToUnixSeconds(next);
      if (plan_.FloorToBin(plan_.root, label) != label || plan_.FloorToBin(plan_.root, end) != end || end <= label) {
        return Wrong(absl::StrCat("every ", ToText(every), " does not fit the bins of table ", plan_.root.name,
                                  ", which are ", BinText(), " long; ask for a multiple of that"));
      }
      plan_.windows.push_back({label, std::max(label, from), std::min(end, to)});
      if (plan_.windows.size() > max_steps_) {
        return Wrong(absl::StrCat("more than ", max_steps_, " steps; ask for longer ones, or a shorter time"));
      }
      begin = next;
    }
    return absl::OkStatus();
  }

  std::string BinText() const {
    const int64_t bin = plan_.root.bin_seconds;
    if (bin % kDaySeconds == 0) return absl::StrCat(bin / kDaySeconds, "d");
    return bin % 3600 == 0 ? absl::StrCat(bin / 3600, "h")
           : bin % 60 == 0 ? absl::StrCat(bin / 60, "m")
                           : absl::StrCat(bin, "s");
  }

  absl::Status ChooseEarlierTime() {
    const auto earlier = [this](int64_t seconds) {
      return plan_.FloorToBin(plan_.root, absl::ToUnixSeconds(Move(absl::FromUnixSeconds(seconds),
                                                                   *plan_.question.compare, -1, plan_.question.zone)));
    };
    for (const AskWindow& window : plan_.windows) {
      plan_.earlier.push_back({earlier(window.label), earlier(window.begin), earlier(window.end)});
      if (plan_.earlier.back().begin >= plan_.earlier.back().end) {
        return Wrong(absl::StrCat("no bin lies ", ToText(*plan_.question.compare), " before ",
                                  TimeText(window.begin, plan_.question.zone), "; compare with another time"));
      }
    }
    plan_.notes.push_back(absl::StrCat("compared with ", TimeText(plan_.earlier.front().begin, plan_.question.zone),
                                       " to ", TimeText(plan_.earlier.back().end, plan_.question.zone)));
    if (plan_.earlier.front().begin < plan_.root.first_seconds) {
      plan_.notes.push_back(absl::StrCat("table ", plan_.root.name, " begins at ",
                                         TimeText(plan_.root.first_seconds, plan_.question.zone),
                                         ", so the earlier time is not all there"));
    }
    return absl::OkStatus();
  }

  // --- Which rollup --------------------------------------------------------------------------------------------

  bool IsRollup(const TableInfo& table) const {
    absl::string_view of = table.rollup_of;
    for (size_t i = 0; i < tables_.size() && !of.empty(); ++i) {
      if (of == plan_.root.name) return true;
      const auto next = std::find_if(tables_.begin(), tables_.end(), [&](const TableInfo& t) { return t.name == of; });
      if (next == tables_.end()) return false;
      of = next->rollup_of;
    }
    return false;
  }

  bool IsExact(const TableInfo& table) const {
    if (table.bin_seconds <= 0 || !Lacks(table, plan_.question).empty()) return false;
    for (const TableInfo::Value& value : plan_.needed) {
      if (FindValue(table, value.field, value.function) == nullptr) return false;
    }
    for (const auto* windows : {&plan_.windows, &plan_.earlier}) {
      for (const AskWindow& window : *windows) {
        for (const int64_t at : {window.begin, window.end}) {
          // Where the table itself has no rows, any bound is right.
          if (at > plan_.root.first_seconds && at < plan_.root.last_seconds && plan_.FloorToBin(table, at) != at)
            return false;
        }
      }
      if (windows->empty()) continue;
      if (table.first_seconds > std::max(windows->front().begin, plan_.root.first_seconds)) return false;
      if (table.last_seconds < std::min(windows->back().end, plan_.root.last_seconds)) return false;
      const int64_t begin = windows->front().begin;
      if (plan_.Begin(table, begin) != plan_.FloorToBin(table, begin) && begin > table.first_seconds) return false;
    }
    return true;
  }

  absl::Status ChooseTable() {
    plan_.table = plan_.root;
    if (plan_.root.bin_seconds > 0 && !plan_.percentiles) {
      for (const TableInfo& table : tables_) {
        if (table.bin_seconds > plan_.table.bin_seconds && IsRollup(table) && IsExact(table)) plan_.table = table;
      }
    }
    for (const TableInfo::Value& value : plan_.needed) {
      plan_.columns.push_back(
          static_cast<size_t>(FindValue(plan_.table, value.field, value.function) - plan_.table.values.data()));
    }
    return absl::OkStatus();
  }

  const QuestionOf& question_of_;
  const std::vector<TableInfo> tables_;
  const absl::string_view store_;
  const absl::Time now_;
  const size_t max_steps_;
  AskPlan plan_;
};

}  // namespace

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

int64_t AskPlan::FloorToBin(const TableInfo& of, int64_t seconds) const {
  const absl::Time first = absl::FromUnixSeconds(of.first_seconds);
  const Span days{of.bin_seconds / kDaySeconds, Span::Unit::kDay};
  if (of.bin_seconds % kDaySeconds == 0 && StepBegin(first, days, question.zone) == first) {
    return absl::ToUnixSeconds(StepBegin(absl::FromUnixSeconds(seconds), days, question.zone));
  }
  const int64_t into = ((seconds - of.first_seconds) % of.bin_seconds + of.bin_seconds) % of.bin_seconds;
  return seconds - into;
}

int64_t AskPlan::Begin(const TableInfo& of, int64_t begin) const {
  const int64_t whole = of.bin_seconds > 0 ? FloorToBin(of, begin) : begin;
  return begin <= root.first_seconds && of.first_seconds >= whole ? whole : begin;
}

absl::StatusOr<AskPlan> PlanAsk(const QuestionOf& question_of, std::vector<TableInfo> tables, absl::string_view store,
                                absl::Time now, size_t max_steps) {
  return Planner(question_of, std::move(tables), store, now, max_steps).Run();
}

}  // namespace flowacct::query
