// The hash of a rule's key, and the tag that a group of slots has of it. The keys of a table are the operator's, and
// looking up adds none, so that nobody else can make it slow: no secret is needed.

#ifndef FLOWACCT_ENRICH_RULES_KEY_HASH_H_
#define FLOWACCT_ENRICH_RULES_KEY_HASH_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/octet_hash.h"

namespace flowacct::enrich {

// `stride`: from one word of the key to the next.
inline uint64_t HashKey(const uint64_t* key, size_t words, size_t stride = 1) {
  uint64_t hash = 0xd1342543de82ef95;
  for (size_t i = 0; i < words; ++i) hash = base::FoldedMultiply(hash ^ key[i * stride], 0x9e3779b97f4a7c15);
  return hash;
}

inline uint8_t TagOf(uint64_t hash) { return static_cast<uint8_t>(0x80 | hash >> 57); }

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_RULES_KEY_HASH_H_
