// A networks file: which network, AS and next hop an address belongs to, as the operator says.
//
//     # comment                            (also !)
//     192.0.2.0/24                         a network
//     64496,192.0.2.0/24                   with its AS
//     198.51.100.1,64496,192.0.2.0/24      with next hop and AS
//
// This is pmacct's syntax (networks_file). IPv4 and IPv6 may be mixed; the longest prefix counts; a prefix that comes
// twice keeps its last line. Blanks around the parts are ignored.
//
// Ownership: owns its table. Threads: immutable once parsed. Errors: InvalidArgument "FILE:LINE: ...", the first one.
// Cost: a longest-prefix match an address (lpm/lpm_table.h).

#ifndef FLOWACCT_ENRICH_NETWORKS_H_
#define FLOWACCT_ENRICH_NETWORKS_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"

namespace flowacct::enrich {

struct Network {
  base::IpPrefix prefix;
  uint32_t as = 0;  // 0: not told
  base::IpAddress next_hop;
  bool has_next_hop = false;
};

struct NetworksOptions {
  // Twice the global routing tables of 2026, for both families.
  size_t max_networks = size_t{3} << 20;
};

class Networks {
 public:
  // `name` stands for the file in errors.
  static absl::StatusOr<Networks> Parse(absl::string_view text, absl::string_view name,
                                        const NetworksOptions& options = {});
  Networks(Networks&&) noexcept;
  Networks& operator=(Networks&&) noexcept;
  ~Networks();

  size_t size() const;
  size_t octets() const;
  // The network of the longest prefix that holds `address`; null: none. Valid as long as this is.
  const Network* Find(const base::IpAddress& address) const;
  // The same for each of `n` addresses (16 octets each, `stride` apart), to `found`.
  void FindBatch(const uint8_t* addresses, size_t stride, size_t n, const Network** found) const;

 private:
  struct State;
  explicit Networks(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_NETWORKS_H_
