// What a filter asks of values that come from routes: AS paths (RFC 4271, 4.3, with numbers of 4 octets; RFC 5065),
// communities (RFC 1997, 4360, 5668, 8092) and label stacks (RFC 3032).
//
// Any octets may come: what is not whole is not looked at. Any thread. Cost: a walk over the value; filter.h asks once
// a distinct value.

#ifndef FLOWACCT_FILTER_ROUTE_H_
#define FLOWACCT_FILTER_ROUTE_H_

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/filter/route_pattern.h"
#include "flowacct/record/field.h"

namespace flowacct::filter {

using NumberRange = std::pair<uint64_t, uint64_t>;  // first and last

// One alternative of `contains`: 64496:100, 64496:*, 64496:100-199, no-export; rt:64496:100, soo:192.0.2.1:*,
// 0x030b000000000064; 4200000000:1:*.
struct CommunityPattern {
  enum class Extended : uint8_t {
    kWhole,    // the 8 octets as one number, parts[0]
    kAny,      // administrator of any kind
    kNumber,   // an AS, of 2 or 4 octets: they read alike
    kAddress,  // an IPv4 address
  };
  Extended extended = Extended::kWhole;
  uint8_t subtype = 0;  // of extended ones, RFC 4360: 2 route target, 3 route origin
  std::array<NumberRange, 3> parts;
};
// An empty text if it was understood, else why not. `type` is one of the types of communities.
std::string ParseCommunity(record::FieldType type, absl::string_view text, CommunityPattern* pattern);

// The characters that the text of a value may have; none if it is no value of a route that has patterns.
absl::string_view PatternAlphabet(record::FieldType type);

enum class Answer : uint8_t { kNo, kYes, kNone };  // kNone: the value has nothing to ask about

// Whether a number is in sorted ranges that do not touch.
bool InRanges(uint64_t number, absl::Span<const NumberRange> ranges);

// Any AS number of the path, in sets and confederations, too.
Answer PathHas(base::Octets path, absl::Span<const NumberRange> ranges);
// The neighbour's: the first number of the first segment that is not of a confederation. A set has no first.
Answer PathBeginsWith(base::Octets path, absl::Span<const NumberRange> ranges);
// The origin's: the last number of the last segment that is not of a confederation. A set has no last (RFC 6811, 2).
Answer PathEndsWith(base::Octets path, absl::Span<const NumberRange> ranges);
// As BGP counts it: a set is one (RFC 4271, 9.1.2.2), confederations none (RFC 5065, 5.3).
Answer PathLengthIn(base::Octets path, absl::Span<const NumberRange> ranges);
Answer HasCommunity(record::FieldType type, base::Octets communities, absl::Span<const CommunityPattern> patterns);
Answer HasLabel(base::Octets stack, absl::Span<const NumberRange> ranges);

}  // namespace flowacct::filter

#endif  // FLOWACCT_FILTER_ROUTE_H_
