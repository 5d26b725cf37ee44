// Holds records of another program against ours, value by value, with every difference accounted for in tables that
// cannot rot: a difference that is not in the table fails the test, and so does a row of a table that is none.

#ifndef FLOWACCT_COLLECTOR_REPLAY_TESTING_COMPARISON_H_
#define FLOWACCT_COLLECTOR_REPLAY_TESTING_COMPARISON_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/collector/replay/testing/values.h"

namespace flowacct::collector::testing {

// What a value is in both programs' eyes; null: the text as it is.
using Reading = std::string (*)(const std::string&);

// What the other program calls a value, and what we do. Of several rows for a name the first counts whose value we
// have. Names that are in no row are ours with `prefix` before them.
struct Member {
  const char* theirs;
  const char* ours;
  Reading read_theirs = nullptr;
  Reading read_ours = nullptr;
};

// What the other program tells and we do not compare: its own affairs, or facts that come from elsewhere.
struct NotCompared {
  const char* theirs;  // "x.*": all members of x
  const char* reason;
};

// Where we differ, and who is right.
struct Difference {
  const char* file;
  const char* member;  // as they call it
  int records;         // that differ in it
  const char* ours;    // as it is compared, in the first of them, escaped as in C; "absent"
  const char* reason;
};

struct Vocabulary {
  const char* prefix = "";
  absl::Span<const Member> members;
  absl::Span<const NotCompared> not_compared;
  absl::Span<const Difference> differences;
  // Records are of one thing only if they agree in this member; one of theirs that we lack differs in it alone. Null:
  // any record of ours may be the one.
  const char* key = nullptr;
};

class Comparison {
 public:
  explicit Comparison(Vocabulary vocabulary) : vocabulary_(vocabulary) {}

  // Each record of `theirs` against that one of `ours` that differs least; none of ours is taken twice. `whole`: none
  // of ours may be left over.
  void Compare(const std::string& file, const std::vector<Values>& theirs, const std::vector<Values>& ours, bool whole);
  // Call once all files are compared: fails for rows of the tables that were not needed.
  void ExpectAllNeeded() const;
  // Values that agree.
  size_t agreed() const { return agreed_; }

 private:
  struct Pair {
    std::string name, theirs, ours;
  };
  // The values of `theirs` with their names and readings; those not compared left out.
  std::vector<Pair> Differing(const Values& theirs, const Values& ours, size_t* agreed) const;

  Vocabulary vocabulary_;
  size_t agreed_ = 0;
  mutable std::set<std::string> met_;  // names in `not_compared` that occurred
  std::set<const Difference*> needed_;
};

// Readings.
std::string Milliseconds(const std::string& text);       // RFC 3339 times cut to milliseconds
std::string EpochMilliseconds(const std::string& text);  // 1444384070179 as the above
std::string EpochSeconds(const std::string& text);       // 1444384070[.25] as the above
std::string LowerCase(const std::string& text);
std::string OnlyHexDigits(const std::string& text);  // without the separators

}  // namespace flowacct::collector::testing

#endif  // FLOWACCT_COLLECTOR_REPLAY_TESTING_COMPARISON_H_
