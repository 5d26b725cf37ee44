// Writes MaxMind databases for tests: https://maxmind.github.io/MaxMind-DB/, version 2.0.
//
//     DatabaseBuilder builder(28);
//     builder.Add("192.0.2.0/24", Map({{"country", Map({{"iso_code", Text("NL")}})}}));
//     std::string octets = builder.Build("Test-City");
//
// A tree of IPv6 addresses with IPv4 below ::/96. Longer prefixes after the shorter ones that hold them.

#ifndef FLOWACCT_ENRICH_GEOIP_TESTING_DATABASE_BUILDER_H_
#define FLOWACCT_ENRICH_GEOIP_TESTING_DATABASE_BUILDER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::enrich::testing {

// Values as they lie in the data section.
std::string Text(absl::string_view text);
std::string Uint16(uint16_t number);
std::string Uint32(uint32_t number);
std::string Uint64(uint64_t number);
std::string Double(double number);
std::string Map(const std::vector<std::pair<std::string, std::string>>& members);

class DatabaseBuilder {
 public:
  // 24, 28 or 32 bits a record.
  explicit DatabaseBuilder(unsigned record_bits) : record_bits_(record_bits) { nodes_.emplace_back(); }

  // `value`: octets of one value; equal ones are written once.
  void Add(absl::string_view prefix, const std::string& value);
  std::string Build(absl::string_view type) const;

 private:
  struct Record {
    enum class Kind : uint8_t { kEmpty, kNode, kData } kind = Kind::kEmpty;
    uint32_t number = 0;  // of the node, or the offset of the data
  };
  struct Node {
    Record records[2];
  };

  unsigned record_bits_;
  std::vector<Node> nodes_;
  std::string data_;
  std::vector<std::pair<std::string, uint32_t>> written_;
};

}  // namespace flowacct::enrich::testing

#endif  // FLOWACCT_ENRICH_GEOIP_TESTING_DATABASE_BUILDER_H_
