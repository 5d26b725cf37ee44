// Builds messages of GTPv2-C, right ones and, by Raw, wrong ones, for tests, corpora and benchmarks.

#ifndef FLOWACCT_GTP_TESTING_GTP2_BUILDER_H_
#define FLOWACCT_GTP_TESTING_GTP2_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"

namespace flowacct::gtp::testing {

// Digits two an octet, the low nibble first, with a filler behind an odd one.
std::vector<uint8_t> Tbcd(absl::string_view digits);
// MCC and MNC in three octets: "26201", "310410".
std::vector<uint8_t> PlmnOctets(absl::string_view digits);
// "a.b" as labels.
std::vector<uint8_t> Labels(absl::string_view name);
std::vector<uint8_t> FteidOctets(uint8_t interface_type, uint32_t teid, absl::string_view v4,
                                 absl::string_view v6 = {});
// An address in 4 or 16 octets.
std::vector<uint8_t> AddressOctets(absl::string_view text);
// ARP, QCI, and four rates of 40 bits in kbit/s.
std::vector<uint8_t> QosOctets(uint8_t arp, uint8_t qci, uint64_t max_up = 0, uint64_t max_down = 0, uint64_t up = 0,
                               uint64_t down = 0);

class Gtp2Builder {
 public:
  Gtp2Builder(uint8_t type, std::optional<uint32_t> teid, uint32_t sequence);

  Gtp2Builder& Element(uint8_t type, uint8_t instance, base::Octets value);
  Gtp2Builder& Text(uint8_t type, uint8_t instance, absl::string_view octets);
  Gtp2Builder& U8(uint8_t type, uint8_t instance, uint8_t value);
  Gtp2Builder& Begin(uint8_t type, uint8_t instance);  // a group, until End
  Gtp2Builder& End();
  Gtp2Builder& Raw(base::Octets octets);
  Gtp2Builder& Piggyback();  // says that another message follows

  // Whole, with lengths; the builder may go on afterwards.
  std::vector<uint8_t> Finish() const;

 private:
  base::OctetWriter octets_;
  std::vector<size_t> open_;
};

}  // namespace flowacct::gtp::testing

#endif  // FLOWACCT_GTP_TESTING_GTP2_BUILDER_H_
