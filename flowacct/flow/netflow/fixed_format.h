// The fixed formats of NetFlow v1, v5, v7 and v8: which fields a record has, in order, as information elements.
//
// Standards: Cisco, "NetFlow Export Datagram Formats" (v1, v5, v7, v8's aggregation schemes 1 to 14).
// Constant; any thread.

#ifndef FLOWACCT_FLOW_NETFLOW_FIXED_FORMAT_H_
#define FLOWACCT_FLOW_NETFLOW_FIXED_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace flowacct::netflow {

struct FixedField {
  uint16_t element;  // 210: paddingOctets
  uint16_t octets;
};

struct FixedFormat {
  uint16_t version;
  uint8_t aggregation;  // v8's scheme; else 0
  uint16_t header_octets;
  uint16_t record_octets;
  absl::Span<const FixedField> fields;
};

absl::Span<const FixedFormat> FixedFormats();
// Null: no such format.
const FixedFormat* FindFixedFormat(uint16_t version, uint8_t aggregation);

}  // namespace flowacct::netflow

#endif  // FLOWACCT_FLOW_NETFLOW_FIXED_FORMAT_H_
