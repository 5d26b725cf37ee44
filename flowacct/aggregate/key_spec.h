// What a group is made of, as a person writes it.
//
//     src_as           any field, by its name or an alias
//     src_addr/24      the network of an address: IPv4 by 24 bits, IPv6 by 64
//     src_addr/24,48   the same with 48 bits for IPv6
//     src_addr/48      more than 32 bits: IPv6 by 48 bits, IPv4 addresses whole
//     src_net          the network as the exporter told it, else src_addr cut to src_mask if both were told
//
// A network of src_addr or dst_addr is told in the column src_net or dst_net (an address and a length); of another
// address in its own column, its host bits zero.
//
// Errors: InvalidArgument that names the item and what to do. Any thread.

#ifndef FLOWACCT_AGGREGATE_KEY_SPEC_H_
#define FLOWACCT_AGGREGATE_KEY_SPEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/record/field.h"

namespace flowacct::aggregate {

struct KeySpec {
  enum class Kind : uint8_t {
    kField,        // as it lies in the record
    kMasked,       // `source`, an address, cut to the lengths below
    kToldNetwork,  // `column` if it was told, else `source` cut to `mask`
  };
  Kind kind = Kind::kField;
  record::FieldId column;  // of Schema::key
  record::FieldId source;
  record::FieldId mask;  // for kToldNetwork
  uint8_t v4_length = 32;
  uint8_t v6_length = 128;
};

absl::StatusOr<KeySpec> ParseKey(absl::string_view item);
// All of --by. Refuses items that would share a column; a repeated item is kept once.
absl::StatusOr<std::vector<KeySpec>> ParseKeys(absl::Span<const std::string> items);
// "src_as, src_addr/24,64" as its two items: a bare number belongs to the mask before it.
std::vector<std::string> SplitKeys(absl::string_view text);

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_KEY_SPEC_H_
