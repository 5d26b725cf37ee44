// Regular expressions as routers have them for AS paths and communities, over the text that record/value_text.h
// gives: "64496 64500 {64501,64502}", "64496:100 64496:200".
//
//     64500            these characters        .    any one character       [0-9]  [^ ]   one of, one but
//     ^  $             begin and end           *  +  ?   none or more, one or more, none or one of what is before
//     _                a boundary: begin, end, or one of " ,{}()[]"         ( | )   a group, alternatives
//
// A pattern fits if any part of the text does, as on a router: `_64500_` finds the AS anywhere, `^64496_` at the
// beginning. Braces and parentheses of sets and confederations are asked for as [{] and [(].
//
// Guaranteed: time is the product of both lengths at most, whatever the pattern (the automaton is stepped, there is no
// backtracking); its size is bounded by kMaxOctets. Threads: immutable; a Scratch is for one at a time.

#ifndef FLOWACCT_FILTER_ROUTE_PATTERN_H_
#define FLOWACCT_FILTER_ROUTE_PATTERN_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::filter {

class RoutePattern {
 public:
  // Ten times what routers take.
  static constexpr size_t kMaxOctets = 1024;
  static constexpr size_t kMaxDepth = 32;

  // `alphabet`: the characters that texts of this kind have; a pattern that asks for others is refused. An empty text
  // if it was understood, else why not, and `at` is the offset of the place.
  static std::string Parse(absl::string_view text, absl::string_view alphabet, RoutePattern* pattern, size_t* at);

  // Memory that is kept from one call to the next.
  struct Scratch {
    std::vector<uint16_t> now, next, pending;
    std::vector<uint32_t> seen;
  };
  bool Matches(absl::string_view text, Scratch* scratch) const;

 private:
  friend class RoutePatternParser;
  using Characters = std::bitset<128>;
  enum class Op : uint8_t {
    kOneOf,  // consumes a character of sets_[first]
    kBegin,  // these two consume nothing
    kEnd,
    kSplit,  // goes on at both, relative to itself
    kMatch,
  };
  struct Step {
    Op op;
    int16_t first = 0, second = 0;
  };

  std::vector<Step> steps_;
  std::vector<Characters> sets_;
};

}  // namespace flowacct::filter

#endif  // FLOWACCT_FILTER_ROUTE_PATTERN_H_
