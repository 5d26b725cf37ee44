// RFC 5655: an IPFIX file is a stream of IPFIX messages (RFC 7011, 3.1), one after another.

#include "absl/strings/str_cat.h"
#include "flowacct/collector/capture/packet_walker.h"

namespace flowacct::collector {
namespace {

constexpr size_t kMessageHeaderOctets = 16;
constexpr uint16_t kIpfixVersion = 10;

class IpfixFileWalker : public PacketWalker {
 public:
  explicit IpfixFileWalker(std::vector<CaptureInterface>* interfaces) {
    CaptureInterface interface;
    interface.link_type = kLinkTypeIpfixMessage;
    interfaces->push_back(interface);
  }

  WalkStep Walk(base::Octets window, absl::Span<CapturedPacket> packets) override {
    WalkStep step;
    step.what = "an IPFIX message";
    while (step.packets < packets.size()) {
      const base::Octets rest = window.subspan(step.consumed);
      if (rest.size() < kMessageHeaderOctets) {
        step.needed = kMessageHeaderOctets;
        return step;
      }
      const uint16_t version = base::LoadBe16(rest.data());
      const uint16_t length = base::LoadBe16(rest.data() + 2);
      if (version != kIpfixVersion || length < kMessageHeaderOctets) {
        step.status = absl::DataLossError(absl::StrCat("no IPFIX message begins here (version ", version, ", length ",
                                                       length, "): the file is damaged here, get it again"));
        return step;
      }
      if (rest.size() < length) {
        step.needed = length;
        return step;
      }
      CapturedPacket& packet = packets[step.packets++];
      packet.octets = rest.first(length);
      packet.time_nanos = int64_t{base::LoadBe32(rest.data() + 4)} * 1000000000;  // export time
      packet.wire_length = length;
      packet.interface = 0;
      packet.link_type = kLinkTypeIpfixMessage;
      step.consumed += length;
    }
    return step;
  }
};

}  // namespace

std::unique_ptr<PacketWalker> NewIpfixFileWalker(std::vector<CaptureInterface>* interfaces) {
  return std::make_unique<IpfixFileWalker>(interfaces);
}

}  // namespace flowacct::collector
