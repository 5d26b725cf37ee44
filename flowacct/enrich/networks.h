// A networks file: what the operator says of prefixes: AS, next hop, names, and any other field.
//
//     # comment                                   (also !)
//     192.0.2.0/24                                a network
//     64496,192.0.2.0/24                          with its AS
//     64500_64496,192.0.2.0/24                    with the neighbour's AS and its own
//     198.51.100.1,64496,192.0.2.0/24             with next hop and AS
//     customer1,,64496,192.0.2.0/24               with a name; parts may be empty
//
// This is pmacct's syntax (networks_file). Or the first line names columns, one of which is `prefix`:
//
//     prefix,as,name,country,src:tag
//     192.0.2.0/24,64496,"Example, Ltd.",NL,100
//
// A column is a field that has a source's and a destination's form, without src_ or dst_ (as, country, net_name, ...:
// an address' network sets that of its own side), one of `name` (net_name), `peer_as`, `next_hop` (bgp_next_hop, of the
// destination's network), or any field after `src:` or `dst:` (set by that side's network). Parts may be in double
// quotes; an empty one tells nothing.
//
// IPv4 and IPv6 may be mixed; the longest prefix counts; a prefix that comes twice keeps its last line.
//
// Ownership: owns its tables. Threads: immutable once parsed, for any. Errors: InvalidArgument "FILE:LINE: ...", the
// first one. Cost: some half a microsecond a line to read; a longest-prefix match an address (lpm/lpm_table.h). Memory:
// a prefix 8 octets and its place in lpm's tables; what is told of it is kept once for all prefixes of which the same
// is told.

#ifndef FLOWACCT_ENRICH_NETWORKS_H_
#define FLOWACCT_ENRICH_NETWORKS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/enrich/text_table.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/field.h"

namespace flowacct::enrich {

// What an address is found in.
struct Network {
  uint32_t attributes = 0;  // a row of Networks::attributes; many networks may share it
  uint8_t length = 0;       // of the prefix, in the address' family
};

struct NetworksOptions {
  // Twice the global routing tables of 2026, for both families.
  size_t max_networks = size_t{3} << 20;
  // Names of fields beside the registry's; null: none. Borrowed while the file is parsed.
  const record::FieldNames* names = nullptr;
};

class Networks {
 public:
  // A column of the file: the field that it sets by the source's network and the one by the destination's; kNoField:
  // none. Of the same type.
  static constexpr record::FieldId kNoField = record::FieldId::kFieldCount;
  struct Column {
    std::string name;
    record::FieldId source = kNoField;
    record::FieldId destination = kNoField;
  };

  static constexpr size_t kMaxColumns = 32;  // beside `prefix`: a bit each

  // `name` stands for the file in errors.
  static absl::StatusOr<Networks> Parse(absl::string_view text, absl::string_view name,
                                        const NetworksOptions& options = {});
  Networks(Networks&&) noexcept;
  Networks& operator=(Networks&&) noexcept;
  ~Networks();

  size_t size() const;
  size_t octets() const;
  absl::Span<const Column> columns() const;
  // The network of the longest prefix that holds `address`; null: none. Valid as long as this is.
  const Network* Find(const base::IpAddress& address) const;
  // The same for each of `n` addresses (16 octets each, `stride` apart), to `found`.
  void FindBatch(const uint8_t* addresses, size_t stride, size_t n, const Network** found) const;
  // "198.51.100.0/24 as=64496 next_hop=..." of the network that holds `address`; empty: none. For people.
  std::string Describe(const base::IpAddress& address) const;

  // A bit for each column that the file tells of networks with these attributes.
  uint32_t told(uint32_t attributes) const { return static_cast<uint32_t>(AttributeRow(attributes)[0]); }
  // What it tells in a column, if it does: a number, the number of a text of texts(), or of a wide value.
  uint64_t value(uint32_t attributes, size_t column) const { return AttributeRow(attributes)[column + 1]; }
  const TextTable& texts() const;
  // Of a column whose field is longer than 8 octets: its octets in a row.
  const uint8_t* wide(uint64_t value) const;

 private:
  struct State;
  class Reader;
  explicit Networks(std::unique_ptr<State> state);
  const uint64_t* AttributeRow(uint32_t attributes) const { return rows_ + attributes * stride_; }

  std::unique_ptr<State> state_;
  const uint64_t* rows_ = nullptr;  // of state_, for quick access
  size_t stride_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_NETWORKS_H_
