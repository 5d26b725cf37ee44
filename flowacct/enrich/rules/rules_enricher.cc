#include "flowacct/enrich/rules/rules_enricher.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/host_number.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/row.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using Op = RuleAction::Op;

// Pairs of texts that were joined: enough for every pair that rules make of their own texts; beyond, all are forgotten.
constexpr size_t kMaxAppended = 1 << 16;

// Few rules are in the cache anyway: these take 64 KiB.
constexpr size_t kPrefetchedRules = 2048;

}  // namespace

EnricherFactory RulesEnricher::Factory(std::shared_ptr<const Rules> rules) {
  return [rules = std::move(rules)] { return std::make_unique<RulesEnricher>(rules); };
}

std::vector<RulesEnricher::Demand> RulesEnricher::DemandOf(const record::FieldSet& wanted,
                                                           std::vector<F>* required) const {
  record::FieldSet demanded = wanted;
  const auto demand = [&](F field) {
    if (required != nullptr && !demanded.Has(field)) required->push_back(field);
    demanded.Add(field);
  };
  std::vector<Demand> demands(rules_->lists_.size());
  for (size_t i = rules_->lists_.size(); i-- > 0;) {
    const Rules::List& list = rules_->lists_[i];
    if (!list.drops && !demanded.HasAny(list.sets)) continue;
    demands[i].active = true;
    for (F field : list.reads) demand(field);
    // What is copied to what is wanted, and so on along chains of copies.
    for (bool more = true; more;) {
      more = false;
      for (const auto& [from, to] : list.copies) {
        if (!demanded.Has(to) || demanded.Has(from)) continue;
        demand(from);
        more = true;
      }
    }
    demands[i].needed = demanded;
  }
  return demands;
}

std::vector<F> RulesEnricher::RequiredFields(const record::FieldSet& wanted) const {
  std::vector<F> required;
  DemandOf(wanted, &required);
  return required;
}

void RulesEnricher::Bind(const record::Layout& layout, const record::FieldSet& wanted) {
  for (const auto& list : lists_) checks_ += list->checker.asked();
  lists_.clear();
  const std::vector<Demand> demands = DemandOf(wanted, nullptr);
  for (size_t i = 0; i < demands.size(); ++i) {
    if (!demands[i].active) continue;
    const Rules::List& list = rules_->lists_[i];
    lists_.push_back(std::unique_ptr<BoundList>(
        new BoundList{&list, MatchState(&list.table, &rules_->key_texts_, layout), Checker(&list, &layout), {}}));
    for (F field : layout.fields()) {
      if (demands[i].needed.Has(field)) {
        lists_.back()->places[static_cast<size_t>(field)] = {layout.offset(field), layout.index(field)};
      }
    }
  }
}

bool RulesEnricher::Checker::Passes(uint32_t rule, const record::FlowBatch& batch, size_t row) {
  ++asked_;
  const uint32_t check = list_->rules[rule].check;
  std::unique_ptr<filter::BoundFilter>& bound = bound_[check];
  if (bound == nullptr) bound = std::make_unique<filter::BoundFilter>(list_->checks[check].Bind(*layout_));
  return bound->Passes(batch, row);
}

base::InternId RulesEnricher::Append(base::InternId to, const Rules::Action& action, base::Interner& interner) {
  if (appended_of_ != interner.identity() || appended_.size() >= kMaxAppended) {
    appended_of_ = interner.identity();
    appended_.clear();
  }
  const auto [known, is_new] = appended_.emplace(uint64_t{to} << 32 | action.number, base::Interner::kNone);
  if (is_new) {
    const absl::string_view text = rules_->texts_.text(static_cast<uint32_t>(action.number));
    known->second = interner.Intern(absl::StrCat(base::AsText(interner.Find(to)), ",", text));
  }
  return known->second;
}

void RulesEnricher::Put(const Rules::Action& action, const FieldPlace& place, uint8_t* octets,
                        record::FlowBatch& batch) {
  if (action.size == 0) {
    base::StoreHost(octets + place.offset,
                    texts_.Id(rules_->texts_, static_cast<uint32_t>(action.number), batch.interner()));
  } else if (action.size <= 8) {
    std::memcpy(octets + place.offset, &action.number, action.size);
  } else {
    std::memcpy(octets + place.offset, rules_->wide_[action.number].data(), action.size);
  }
  MarkPresent(octets, place.index);
}

bool RulesEnricher::Act(const Rules::Rule& rule, BoundList& list, record::FlowBatch& batch, size_t row) {
  if (rule.action_count == 0) return true;
  if (!Act(rule.first, list, batch, row)) return false;
  for (uint32_t i = 1; i < rule.action_count; ++i) {
    if (!Act(list.list->actions[rule.more + i - 1], list, batch, row)) return false;
  }
  return true;
}

bool RulesEnricher::Act(const Rules::Action& action, BoundList& list, record::FlowBatch& batch, size_t row) {
  if (action.op == Op::kDrop) return false;
  const FieldPlace& place = list.places[static_cast<size_t>(action.field)];
  if (place.offset == record::Layout::kAbsent) return true;
  uint8_t* const octets = batch.data() + row * batch.stride();
  switch (action.op) {
    case Op::kSet:
      Put(action, place, octets, batch);
      break;
    case Op::kFill:
      if (!IsPresent(octets, place.index)) Put(action, place, octets, batch);
      break;
    case Op::kAdd:
    case Op::kOr: {
      const uint64_t old = base::LoadHostNumber(octets + place.offset, action.size);
      uint64_t number = old | action.number;
      if (action.op == Op::kAdd) {
        const uint64_t largest = std::numeric_limits<uint64_t>::max() >> (64 - 8 * action.size);
        number = action.number > largest - old ? largest : old + action.number;
      }
      std::memcpy(octets + place.offset, &number, action.size);
      MarkPresent(octets, place.index);
      break;
    }
    case Op::kAppend:
      if (IsPresent(octets, place.index)) {
        const auto old = base::LoadHost<base::InternId>(octets + place.offset);
        base::StoreHost(octets + place.offset, Append(old, action, batch.interner()));
      } else {
        Put(action, place, octets, batch);
      }
      break;
    case Op::kUnset:
      batch.row(row).Unset(action.field);
      break;
    case Op::kCopy: {
      const FieldPlace& from = list.places[static_cast<size_t>(action.source)];
      if (from.offset == record::Layout::kAbsent || !IsPresent(octets, from.index)) break;
      const size_t size = record::FieldTypeSize(record::Info(action.source).type);
      if (size == action.size) {
        std::memmove(octets + place.offset, octets + from.offset, size);
        MarkPresent(octets, place.index);
      } else {  // a number that does not fit is not copied
        batch.row(row).SetNumber(action.field, base::LoadHostNumber(octets + from.offset, size));
      }
      break;
    }
    case Op::kDrop:
      break;
  }
  return true;
}

void RulesEnricher::Apply(record::FlowBatch& batch) {
  records_ += batch.size();
  if (lists_.empty() || batch.empty()) return;
  numbers_.Meet(batch.interner());
  texts_.Meet(batch.interner());
  constexpr size_t kBlock = MatchState::kBlock;
  alive_.assign((batch.size() + kBlock - 1) / kBlock, ~uint64_t{0});
  if (batch.size() % kBlock != 0) alive_.back() = (uint64_t{1} << (batch.size() % kBlock)) - 1;
  uint64_t dropped = 0;
  for (const std::unique_ptr<BoundList>& list : lists_) {
    const std::vector<Rules::Rule>& rules = list->list->rules;
    for (size_t block = 0; block < alive_.size(); ++block) {
      const size_t first = block * kBlock;
      uint32_t from[kBlock] = {}, found[kBlock];
      // A round for all rows; further ones for those that `continue` and `goto` let go on.
      for (uint64_t rows = alive_[block]; rows != 0;) {
        list->state.Find(batch, first, rows, from, &numbers_, &list->checker, found);
        if (rules.size() > kPrefetchedRules) {
          for (uint32_t rule : found) {
            if (rule != MatchTable::kNoRule) __builtin_prefetch(&rules[rule]);
          }
        }
        uint64_t going_on = 0;
        for (uint64_t left = rows; left != 0; left &= left - 1) {
          const size_t i = static_cast<size_t>(__builtin_ctzll(left));
          if (found[i] == MatchTable::kNoRule) continue;
          const Rules::Rule& rule = rules[found[i]];
          ++matched_;
          if (!Act(rule, *list, batch, first + i)) {
            alive_[block] &= ~(uint64_t{1} << i);
            ++dropped;
          } else if (rule.next != Rules::Rule::kStop) {
            from[i] = rule.next;
            going_on |= uint64_t{1} << i;
          }
        }
        rows = going_on;
      }
    }
  }
  if (dropped == 0) return;
  dropped_ += dropped;
  kept_.clear();
  for (size_t block = 0; block < alive_.size(); ++block) {
    for (uint64_t left = alive_[block]; left != 0; left &= left - 1) {
      kept_.push_back(static_cast<uint32_t>(block * kBlock + static_cast<size_t>(__builtin_ctzll(left))));
    }
  }
  batch.Keep(kept_);
}

std::vector<EnricherCounter> RulesEnricher::counters() const {
  uint64_t checks = checks_;
  for (const auto& list : lists_) checks += list->checker.asked();
  return {{"records", records_}, {"rules_met", matched_}, {"records_dropped", dropped_}, {"conditions_tried", checks}};
}

}  // namespace flowacct::enrich
