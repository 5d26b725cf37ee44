// Builds messages of GTPv0, GTPv1 (GTP-C and GTP-U) and GTP' for tests: header by parts, then elements.
//
//     const Bytes octets = Build(V1Header(16).Sequence(7), Join({Tv(14, {5}), Tlv(131, {3, 'a', 'p', 'n'})}));
//
// Lengths are those of what is given, unless `length` says another one.

#ifndef FLOWACCT_GTP_TESTING_GTP1_BUILDER_H_
#define FLOWACCT_GTP_TESTING_GTP1_BUILDER_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::gtp::testing {

using Bytes = std::vector<uint8_t>;

Bytes Hex(absl::string_view text);  // "32 01 0004"; spaces are left out
Bytes Join(std::initializer_list<Bytes> parts);

struct V0Header {
  explicit V0Header(uint8_t type) : type(type) {}
  V0Header& Sequence(uint16_t v) { return sequence = v, *this; }
  V0Header& FlowLabel(uint16_t v) { return flow_label = v, *this; }
  V0Header& Tid(uint64_t v) { return tid = v, *this; }
  V0Header& NpduNumber(uint8_t v) { return npdu_number = v, *this; }
  V0Header& Length(uint16_t v) { return length = v, *this; }

  uint8_t type;
  uint16_t sequence = 0, flow_label = 0;
  uint64_t tid = 0;
  std::optional<uint8_t> npdu_number;
  std::optional<uint16_t> length;
};
Bytes Build(const V0Header& header, const Bytes& body);

// An extension header: its type, and what is between its length and the type of the next one (4n - 2 octets).
struct Extension {
  uint8_t type = 0;
  Bytes content;
};

struct V1Header {
  explicit V1Header(uint8_t type, uint32_t teid = 0) : type(type), teid(teid) {}
  V1Header& Sequence(uint16_t v) { return sequence = v, *this; }
  V1Header& NpduNumber(uint8_t v) { return npdu_number = v, *this; }
  V1Header& Extend(uint8_t type, const Bytes& content) {
    extensions.push_back({type, content});
    return *this;
  }
  V1Header& Length(uint16_t v) { return length = v, *this; }

  uint8_t type;
  uint32_t teid;
  std::optional<uint16_t> sequence;
  std::optional<uint8_t> npdu_number;
  std::vector<Extension> extensions;
  std::optional<uint16_t> length;
};
Bytes Build(const V1Header& header, const Bytes& body);

struct PrimeHeader {
  uint8_t version = 0;
  bool short_header = true;  // of version 0 alone: the others have no long one
  uint8_t type = 0;
  uint16_t sequence = 0;
};
Bytes Build(const PrimeHeader& header, const Bytes& body);

Bytes Tv(uint8_t type, const Bytes& value);
Bytes Tlv(uint8_t type, const Bytes& value);

}  // namespace flowacct::gtp::testing

#endif  // FLOWACCT_GTP_TESTING_GTP1_BUILDER_H_
