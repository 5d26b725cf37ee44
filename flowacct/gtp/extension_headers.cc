#include "flowacct/gtp/extension_headers.h"

namespace flowacct::gtp {

using base::Octets;

absl::string_view ExtensionTypeName(uint8_t type) {
  switch (type) {
#define X(number, name, text) \
  case number:                \
    return text;
    FLOWACCT_GTP_EXTENSION_HEADERS(X)
#undef X
    default:
      return {};
  }
}

std::optional<PduSessionContainer> ReadPduSessionContainer(Octets content) {
  if (content.size() < 2) return std::nullopt;
  PduSessionContainer container;
  container.pdu_type = content[0] >> 4;
  if (container.pdu_type > PduSessionContainer::kUplink) return container;
  container.qos_monitoring = (content[0] & 0x08) != 0;
  container.qfi = content[1] & 0x3f;
  if (container.pdu_type == PduSessionContainer::kDownlink) {
    container.reflective_qos = (content[1] & 0x40) != 0;
    if ((content[1] & 0x80) != 0) {
      if (content.size() < 3) return std::nullopt;
      container.paging_policy = content[2] >> 5;
    }
  }
  return container;
}

std::optional<uint32_t> ReadLongPdcpNumber(Octets content) {
  if (content.size() < 3) return std::nullopt;
  return base::LoadBe24(content.data()) & 0x3ffff;
}

std::optional<uint16_t> ReadPdcpNumber(Octets content) {
  if (content.size() < 2) return std::nullopt;
  return base::LoadBe16(content.data());
}

std::optional<uint16_t> ReadUdpPort(Octets content) { return ReadPdcpNumber(content); }

std::optional<uint8_t> ReadServiceClass(Octets content) {
  if (content.empty()) return std::nullopt;
  return content[0];
}

}  // namespace flowacct::gtp
