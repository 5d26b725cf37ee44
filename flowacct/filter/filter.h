// The filter language: which records are accounted.
//
//     proto tcp and dst_port in (80, 443, 8000-8100) and src_addr in 192.0.2.0/24
//     not (src_as = 64496 or host 2001:db8::1) and bytes > 10k
//
//     condition  FIELD VALUE, FIELD = VALUE, also == != < <= > >=; FIELD in VALUE or (VALUE, ...), a value being also a
//                range 1000-2000, and a prefix for an address; FIELD not in ...; tcp_flags has syn (or syn,ack: all of
//                them); FIELD & NUMBER (any of the bits), FIELD & NUMBER = NUMBER; exists(FIELD);
//                FIELD = field(OTHER), also !=: both are there and alike (not alike);
//                host ADDRESS, net PREFIX, port NUMBER, as NUMBER: source or destination; src or dst before one of
//                these
//     routes     AS_PATH contains VALUE or (VALUE, ...): any AS of it; AS_PATH first and origin, the neighbour's and
//     the
//                last AS, and AS_PATH length: compared as a FIELD is; AS_PATH matches PATTERN: a regular expression as
//                routers have them (route_pattern.h), "^64496_(64500|64501)_"; COMMUNITIES contains 64496:100 or
//                64496:* or 64496:100-199 or no-export, rt:64496:100, 4200000000:1:*; COMMUNITIES matches PATTERN;
//                LABELS contains VALUE; not before contains and matches
//     logic      not (!), and (&&), or (||), parentheses; and binds closer than or
//     FIELD      any name of the registry or an alias; case does not matter
//     VALUE      a number (10, 0x1f, 10k, 1.5M, 2G: powers of 1000; Ki, Mi, Gi: of 1024), an address, a prefix, a MAC
//                address, a protocol (tcp), an EtherType (ipv4), a text bare or in quotes, a time ("2026-01-31
//                12:00:00", 2026-01-31T12:00:00Z, UTC unless told, or seconds since 1970)
//
// Absent is not zero: a condition on a field that a record lacks is false, whatever the comparison, so `not` of it is
// true. `src_as != 0` asks for records that told an AS; `not src_as = 0` keeps those that told none, too. The same
// holds for an empty AS path, which has no first and no origin, and for one that ends in a set, which has no origin.
//
// Errors: InvalidArgument, "filter, column 14: no field is called "dst_prt"; did you mean dst_port?".
// Threads: a Filter is immutable, so any; a BoundFilter, one at a time. Cost: a few cycles a record and condition; no
// allocation a batch once the selection has grown. What is asked of an interned value is asked once a value and kept:
// an octet an id and condition, so that the interner's bound bounds it.

#ifndef FLOWACCT_FILTER_FILTER_H_
#define FLOWACCT_FILTER_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::filter {

struct FilterOptions {
  // A list of some thousand prefixes fits; what is longer belongs into a networks file.
  size_t max_octets = 65536;
  // Deeper than anyone writes; the parser and the compiled filter recurse and stack no further.
  size_t max_depth = 32;
  // Names of fields beside the registry's; null: none. Borrowed while the text is parsed.
  const record::FieldNames* names = nullptr;
};

// Where an expression is wrong: for the caret under it.
struct FilterError {
  size_t column = 0;    // from 1, in octets
  std::string message;  // without "filter, column N: "
};

// Row numbers of a batch, ascending.
using Selection = std::vector<uint32_t>;

class BoundFilter;
struct Condition;
struct Step;
struct Program;

class Filter {
 public:
  // Every record passes.
  Filter();
  // An empty or blank text lets every record pass. If it fails and `error` is not null, tells where.
  static absl::StatusOr<Filter> Parse(absl::string_view text, const FilterOptions& options = {},
                                      FilterError* error = nullptr);
  // What it reads, each once: the layout needs them.
  absl::Span<const record::FieldId> fields() const { return fields_; }
  bool passes_all() const;
  // What it is made of (program.h), for those who compile it; as long as the filter or a copy of it lives.
  const Program& program() const { return *program_; }
  // Ready for batches of `layout`, which is not needed afterwards. Fields that the layout lacks are absent.
  BoundFilter Bind(const record::Layout& layout) const;

 private:
  std::shared_ptr<const Program> program_;
  std::vector<record::FieldId> fields_;
};

class BoundFilter {
 public:
  BoundFilter();
  ~BoundFilter();
  BoundFilter(BoundFilter&&) noexcept;
  BoundFilter& operator=(BoundFilter&&) noexcept;

  // Fills `selection` with the rows that pass. `batch` has the layout that the filter is bound to.
  void Apply(const record::FlowBatch& batch, Selection* selection);
  // Whether one row passes.
  bool Passes(const record::FlowBatch& batch, size_t row);
  // Of the rows [first, first + n), at most 64: a bit for each, set if it passes.
  uint64_t PassesOf(const record::FlowBatch& batch, size_t first, size_t n);

 private:
  friend class Filter;
  struct Memory;
  std::shared_ptr<const Program> program_;
  // Of each condition of the program.
  struct Place {
    uint16_t offset;
    uint16_t presence_octet;
    uint8_t presence_bit;
    bool absent;
  };
  void Meet(const base::Interner& interner);
  // A bit for each of the first `n` rows, at most 64.
  uint64_t Passed(const uint8_t* rows, size_t stride, size_t n, const base::Interner& interner);
  uint64_t Evaluate(size_t condition, const uint8_t* rows, size_t stride, size_t n, const base::Interner& interner);
  uint64_t EvaluateSame(size_t condition, const uint8_t* rows, size_t stride, size_t n) const;
  bool PassesInterned(size_t condition, base::InternId id, const base::Interner& interner);

  std::vector<Place> places_;
  std::vector<Place> other_places_;  // of the conditions' `other`
  std::unique_ptr<Memory> memory_;
};

}  // namespace flowacct::filter

#endif  // FLOWACCT_FILTER_FILTER_H_
