// What of a rule's condition can be looked up, rather than tried: the condition as alternatives of conjunctions of
// masked equalities.
//
//     exporter = 192.0.2.1 and in_if in (5, 6)      two keys: (exporter/32, in_if) = (192.0.2.1, 5) and (192.0.2.1, 6)
//     host 198.51.100.1                             two keys: src_addr/32 and dst_addr/32
//     src_addr in 10.0.0.0/8 and bytes > 1000       one key, src_addr/8; the rest is checked when it is found
//     bytes > 1000                                  the key without parts: every record is checked
//
// Guaranteed: a record for which the condition holds fits at least one key; if the terms are exact, no other record
// does. Never exact: what is negated, ordered or asks for more values than the bounds allow.

#ifndef FLOWACCT_ENRICH_RULES_KEY_TERMS_H_
#define FLOWACCT_ENRICH_RULES_KEY_TERMS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/enrich/text_table.h"
#include "flowacct/filter/program.h"
#include "flowacct/record/field.h"

namespace flowacct::enrich {

// A field and which of its bits are compared.
struct KeyPart {
  enum class Kind : uint8_t {
    kNumber,  // the bits of `mask`
    kMac,
    kText,  // of strings and octets: the number in a TextTable, plus 1
    kV4,    // an IPv4 address' (or network's) first `length` bits
    kV6,
  };
  record::FieldId field{};
  Kind kind = Kind::kNumber;
  uint8_t length = 0;
  uint64_t mask = 0;

  // Octets that it takes in a key.
  size_t size() const;

  friend bool operator==(const KeyPart& a, const KeyPart& b) {
    return a.field == b.field && a.kind == b.kind && a.length == b.length && a.mask == b.mask;
  }
  friend bool operator<(const KeyPart& a, const KeyPart& b) {
    if (a.field != b.field) return a.field < b.field;
    if (a.kind != b.kind) return a.kind < b.kind;
    if (a.length != b.length) return a.length < b.length;
    return a.mask < b.mask;
  }
};

struct KeyValue {
  KeyPart part;
  base::IpAddress address;  // of kV4 and kV6, masked
  uint64_t number = 0;      // of the others, masked
};

// In the order of the parts, each field once.
using Key = std::vector<KeyValue>;

struct KeyOptions {
  // Alternatives of conjunctions that one condition may become before keys are made of them: more than people write.
  size_t max_terms = 64;
  // Keys of one rule: a list of some ten thousand prefixes in one rule is a table that went astray, but works.
  size_t max_keys = size_t{1} << 16;
  // Values of a range that are looked up one by one; a wider one is checked.
  size_t max_range = 1024;
  // Octets of a key; what does not fit is checked.
  size_t max_key_octets = 64;
};

struct KeyTerms {
  std::vector<Key> keys;
  bool exact = false;
};

// `texts` gets the texts that strings are compared with.
KeyTerms KeysOf(const filter::Program& program, const KeyOptions& options, TextTable* texts);

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_RULES_KEY_TERMS_H_
