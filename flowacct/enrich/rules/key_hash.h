// The hash of a rule's key. The keys of a table are the operator's, and looking up adds none, so that nobody else can
// make it slow: no secret is needed.

#ifndef FLOWACCT_ENRICH_RULES_KEY_HASH_H_
#define FLOWACCT_ENRICH_RULES_KEY_HASH_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/octet_hash.h"

namespace flowacct::enrich {

inline uint64_t HashKey(const uint64_t* key, size_t words) {
  uint64_t hash = 0xd1342543de82ef95;
  for (size_t i = 0; i < words; ++i) hash = base::FoldedMultiply(hash ^ key[i], 0x9e3779b97f4a7c15);
  return hash;
}

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_RULES_KEY_HASH_H_
