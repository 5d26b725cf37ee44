// The chain of extension headers of a GTPv1 message: a table of all types, a reader, and what the ones hold that tell
// of user packets.
//
// Standards: TS 29.281, 5.2, figure 5.2.1-3; TS 29.060, 6, for those of GTP-C; TS 38.415, 5.5.2, for the PDU session
// container. Guaranteed: the reader gives each header of the chain that MessageView::Parse walked, in its order.
// Ownership: headers borrow the octets. Threads: any. Errors: a Read function gives nothing if the octets are too few.
// Cost: some instructions; no allocation.

#ifndef FLOWACCT_GTP_EXTENSION_HEADERS_H_
#define FLOWACCT_GTP_EXTENSION_HEADERS_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"
#include "flowacct/gtp/message_view.h"

namespace flowacct::gtp {

// Number, name, text. The two most significant bits tell who must understand a header.
#define FLOWACCT_GTP_EXTENSION_HEADERS(X)                                        \
  X(0x01, kMbmsSupport, "MBMS support indication")                               \
  X(0x02, kMsInfoChangeReporting, "MS Info Change Reporting support indication") \
  X(0x03, kLongPdcpNumber, "Long PDCP PDU Number")                               \
  X(0x20, kServiceClass, "Service Class Indicator")                              \
  X(0x40, kUdpPort, "UDP Port")                                                  \
  X(0x81, kRanContainer, "RAN Container")                                        \
  X(0x82, kLongPdcpNumberRequired, "Long PDCP PDU Number")                       \
  X(0x83, kXwRanContainer, "Xw RAN Container")                                   \
  X(0x84, kNrRanContainer, "NR RAN Container")                                   \
  X(0x85, kPduSessionContainer, "PDU Session Container")                         \
  X(0xc0, kPdcpNumber, "PDCP PDU Number")                                        \
  X(0xc1, kSuspendRequest, "Suspend Request")                                    \
  X(0xc2, kSuspendResponse, "Suspend Response")

enum class ExtensionType : uint8_t {
#define X(number, name, text) name = number,
  FLOWACCT_GTP_EXTENSION_HEADERS(X)
#undef X
};

absl::string_view ExtensionTypeName(uint8_t type);  // empty if unknown

struct ExtensionHeader {
  uint8_t type = 0;
  base::Octets content;  // without its length and the type of the next one: 4n - 2 octets

  bool Is(ExtensionType other) const { return type == static_cast<uint8_t>(other); }
};

// while (reader.Next(&header)) ...
class ExtensionReader {
 public:
  explicit ExtensionReader(const MessageView& message)
      : rest_(message.extensions()), type_(message.first_extension_type()) {}

  bool Next(ExtensionHeader* header) {
    if (rest_.empty()) return false;
    const size_t size = size_t{rest_[0]} * 4;  // within the chain, and not 0: Parse walked it
    header->type = type_;
    header->content = rest_.subspan(1, size - 2);
    type_ = rest_[size - 1];
    rest_.remove_prefix(size);
    return true;
  }

 private:
  base::Octets rest_;
  uint8_t type_;
};

struct PduSessionContainer {                            // TS 38.415, 5.5.2
  static constexpr uint8_t kDownlink = 0, kUplink = 1;  // PDU types

  uint8_t pdu_type = 0;
  uint8_t qfi = 0;
  bool reflective_qos = false;           // RQI, of downlink
  std::optional<uint8_t> paging_policy;  // PPI, of downlink if PPP says so
  bool qos_monitoring = false;           // QMP: time stamps follow
};
// Of types that are not known, the type alone is told.
std::optional<PduSessionContainer> ReadPduSessionContainer(base::Octets content);

// The others that are numbers (TS 29.281, 5.2.2).
std::optional<uint32_t> ReadLongPdcpNumber(base::Octets content);  // 18 bits
std::optional<uint16_t> ReadPdcpNumber(base::Octets content);
std::optional<uint16_t> ReadUdpPort(base::Octets content);
std::optional<uint8_t> ReadServiceClass(base::Octets content);

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_EXTENSION_HEADERS_H_
