#include "flowacct/collector/replay/testing/comparison.h"

#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace flowacct::collector::testing {
namespace {

std::string Read(Reading reading, const std::string& text) { return reading == nullptr ? text : reading(text); }

bool Covers(absl::string_view pattern, absl::string_view name) {
  return absl::ConsumeSuffix(&pattern, "*") ? absl::StartsWith(name, pattern) : name == pattern;
}

std::string ToMilliseconds(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E3S", time, absl::UTCTimeZone());
}

}  // namespace

std::vector<Comparison::Pair> Comparison::Differing(const Values& theirs, const Values& ours, size_t* agreed) const {
  std::vector<Pair> differing;
  for (const auto& [name, their_value] : theirs) {
    bool skip = false;
    for (const NotCompared& row : vocabulary_.not_compared) {
      if (!Covers(row.theirs, name)) continue;
      met_.insert(row.theirs);
      skip = true;
      break;
    }
    if (skip) continue;
    const std::string same_name = absl::StrCat(vocabulary_.prefix, name);
    Member member{name.c_str(), same_name.c_str()};
    auto found = ours.find(same_name);
    for (const Member& row : vocabulary_.members) {
      if (name != row.theirs) continue;
      member = row;
      found = ours.find(row.ours);
      if (found != ours.end()) break;
    }
    const std::string our_value = found == ours.end() ? "absent" : Read(member.read_ours, found->second);
    const std::string their_reading = Read(member.read_theirs, their_value);
    if (our_value == their_reading) {
      ++*agreed;
    } else {
      differing.push_back({name, their_reading, our_value});
    }
  }
  return differing;
}

void Comparison::Compare(const std::string& file, const std::vector<Values>& theirs, const std::vector<Values>& ours,
                         bool whole) {
  EXPECT_FALSE(theirs.empty()) << file << ": the expected output holds no record";
  if (whole) {
    EXPECT_EQ(ours.size(), theirs.size()) << file << ": records";
  }
  struct Seen {
    int records = 0;
    Pair first;
  };
  std::map<std::string, Seen> seen;
  std::vector<bool> taken(ours.size());
  for (const Values& record : theirs) {
    size_t best = ours.size(), best_agreed = 0;
    std::vector<Pair> best_differing;
    for (size_t i = 0; i < ours.size(); ++i) {
      if (taken[i]) continue;
      if (vocabulary_.key != nullptr && record.at(vocabulary_.key) != ours[i].at(vocabulary_.key)) continue;
      size_t agreed = 0;
      std::vector<Pair> differing = Differing(record, ours[i], &agreed);
      if (best < ours.size() && differing.size() >= best_differing.size()) continue;
      best = i, best_agreed = agreed, best_differing = std::move(differing);
      if (best_differing.empty()) break;
    }
    if (best == ours.size() && vocabulary_.key != nullptr) {
      Seen& all = seen[vocabulary_.key];
      if (++all.records == 1) all.first = {vocabulary_.key, record.at(vocabulary_.key), "absent"};
      continue;
    }
    if (best == ours.size()) {
      ADD_FAILURE() << file << ": no record of ours is left for one of theirs";
      continue;
    }
    taken[best] = true;
    agreed_ += best_agreed;
    for (const Pair& pair : best_differing) {
      Seen& all = seen[pair.name];
      if (++all.records == 1) all.first = pair;
    }
  }
  for (const auto& [name, all] : seen) {
    const Difference* row = nullptr;
    for (const Difference& d : vocabulary_.differences) {
      if (file == d.file && name == d.member) row = &d;
    }
    if (row == nullptr) {
      ADD_FAILURE() << file << ": " << name << " is " << absl::CEscape(all.first.ours) << " here and "
                    << absl::CEscape(all.first.theirs) << " there, in " << all.records << " of " << theirs.size()
                    << " records";
      continue;
    }
    needed_.insert(row);
    EXPECT_EQ(all.records, row->records) << file << ": records that differ in " << name << ": " << row->reason;
    EXPECT_EQ(absl::CEscape(all.first.ours), row->ours)
        << file << ": " << name << " (there " << all.first.theirs << "): " << row->reason;
  }
}

void Comparison::ExpectAllNeeded() const {
  for (const Difference& row : vocabulary_.differences) {
    EXPECT_EQ(needed_.count(&row), 1u) << row.file << ": " << row.member
                                       << " is no longer a difference; remove it from the table";
  }
  for (const NotCompared& row : vocabulary_.not_compared) {
    EXPECT_EQ(met_.count(row.theirs), 1u) << row.theirs << " is in no expected output; remove it from the table";
  }
}

std::string Milliseconds(const std::string& text) {
  absl::Time time;
  std::string error;
  return absl::ParseTime(absl::RFC3339_full, text, &time, &error) ? ToMilliseconds(time) : text;
}

std::string EpochMilliseconds(const std::string& text) {
  int64_t number;
  return absl::SimpleAtoi(text, &number) ? ToMilliseconds(absl::FromUnixMillis(number)) : text;
}

std::string EpochSeconds(const std::string& text) {
  double number;
  return absl::SimpleAtod(text, &number) ? ToMilliseconds(absl::UnixEpoch() + absl::Seconds(number)) : text;
}

std::string LowerCase(const std::string& text) { return absl::AsciiStrToLower(text); }

std::string OnlyHexDigits(const std::string& text) {
  std::string digits;
  for (char c : text) {
    if (absl::ascii_isxdigit(static_cast<unsigned char>(c))) digits.push_back(c);
  }
  return digits;
}

}  // namespace flowacct::collector::testing
