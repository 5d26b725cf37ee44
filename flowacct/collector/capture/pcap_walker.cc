// The classic format of tcpdump: draft-ietf-opsawg-pcap, and Kuznetzov's variant as libpcap reads it.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/capture/packet_walker.h"

namespace flowacct::collector {
namespace {

constexpr size_t kFileHeaderOctets = 24;
constexpr size_t kRecordHeaderOctets = 16;
// Kuznetzov's adds interface index (4), protocol (2), packet type (1), padding (1).
constexpr size_t kKuznetzovRecordHeaderOctets = 24;

template <bool swapped>
uint32_t Load32(const uint8_t* p) {
  return swapped ? base::LoadBe32(p) : base::LoadHost<uint32_t>(p);
}

class PcapWalker : public PacketWalker {
 public:
  PcapWalker(const CaptureReaderOptions* options, std::vector<CaptureInterface>* interfaces)
      : max_packet_octets_(static_cast<uint32_t>(std::min<size_t>(options->max_packet_octets, 1u << 30))),
        interfaces_(interfaces) {}

  WalkStep Walk(base::Octets window, absl::Span<CapturedPacket> packets) override {
    WalkStep step;
    if (!header_done_ && !ReadFileHeader(window, &step)) return step;
    return swapped_ ? WalkRecords<true>(window, packets, step) : WalkRecords<false>(window, packets, step);
  }

 private:
  bool ReadFileHeader(base::Octets window, WalkStep* step) {
    if (window.size() < kFileHeaderOctets) {
      step->needed = kFileHeaderOctets;
      step->what = "the file header";
      return false;
    }
    const uint8_t* p = window.data();
    switch (base::LoadHost<uint32_t>(p)) {
      case 0xa1b2c3d4:
        break;
      case 0xd4c3b2a1:
        swapped_ = true;
        break;
      case 0xa1b23c4d:
        fraction_nanos_ = 1;
        break;
      case 0x4d3cb2a1:
        fraction_nanos_ = 1;
        swapped_ = true;
        break;
      case 0xa1b2cd34:
        record_header_octets_ = kKuznetzovRecordHeaderOctets;
        break;
      case 0x34cdb2a1:
        record_header_octets_ = kKuznetzovRecordHeaderOctets;
        swapped_ = true;
        break;
      default:  // told apart before this walker was made
        step->status = absl::InternalError("not a pcap file header");
        return false;
    }
    const uint16_t major = swapped_ ? base::LoadBe16(p + 4) : base::LoadHost<uint16_t>(p + 4);
    const uint16_t minor = swapped_ ? base::LoadBe16(p + 6) : base::LoadHost<uint16_t>(p + 6);
    if (major != 2) {
      step->status = absl::InvalidArgumentError(
          absl::StrCat("its pcap header has version ", major, ".", minor,
                       ", and only 2.x is known: the header is damaged, or convert the file (editcap -F pcapng)"));
      return false;
    }
    // Before 2.3 the two lengths were in the other order, and 2.3 had both orders (libpcap, sf-pcap.c).
    lengths_reversed_ = minor < 3;
    lengths_in_doubt_ = minor == 3;
    const uint32_t network = swapped_ ? base::LoadBe32(p + 20) : base::LoadHost<uint32_t>(p + 20);
    // Above the link type's 16 bits lie the length of the frame check sequence and its flag (section 4).
    link_type_ = static_cast<uint16_t>(network);
    CaptureInterface interface;
    interface.link_type = link_type_;
    interface.snap_length = swapped_ ? base::LoadBe32(p + 16) : base::LoadHost<uint32_t>(p + 16);
    interfaces_->push_back(std::move(interface));
    header_done_ = true;
    step->consumed = kFileHeaderOctets;
    return true;
  }

  template <bool swapped>
  WalkStep WalkRecords(base::Octets window, absl::Span<CapturedPacket> packets, WalkStep step) {
    const uint8_t* const begin = window.data();
    size_t at = step.consumed;
    size_t count = 0;
    step.what = "a packet record";
    while (count < packets.size()) {
      const size_t left = window.size() - at;
      if (left < record_header_octets_) {
        step.needed = record_header_octets_;
        break;
      }
      const uint8_t* const header = begin + at;
      uint32_t captured = Load32<swapped>(header + 8);
      uint32_t original = Load32<swapped>(header + 12);
      if (lengths_reversed_ || (lengths_in_doubt_ && captured > original)) std::swap(captured, original);
      if (captured > max_packet_octets_) {
        step.status =
            captured > (1u << 24)
                ? absl::DataLossError(absl::StrCat("a packet record claims ", captured,
                                                   " captured octets: the file is damaged here, get it again"))
                : absl::ResourceExhaustedError(absl::StrCat("a packet record claims ", captured,
                                                            " captured octets, more than max_packet_octets (",
                                                            max_packet_octets_,
                                                            ") allows: the file is damaged here, "
                                                            "or the bound is to be raised"));
        break;
      }
      if (left - record_header_octets_ < captured) {
        step.needed = uint64_t{record_header_octets_} + captured;
        break;
      }
      CapturedPacket& packet = packets[count++];
      packet.octets = base::Octets(header + record_header_octets_, captured);
      packet.time_nanos =
          int64_t{Load32<swapped>(header)} * 1000000000 + int64_t{Load32<swapped>(header + 4)} * fraction_nanos_;
      packet.wire_length = std::max(original, captured);
      packet.interface = 0;
      packet.link_type = link_type_;
      at += record_header_octets_ + captured;
    }
    step.consumed = at;
    step.packets = count;
    return step;
  }

  const uint32_t max_packet_octets_;
  std::vector<CaptureInterface>* const interfaces_;
  bool header_done_ = false;
  bool swapped_ = false;
  bool lengths_reversed_ = false;
  bool lengths_in_doubt_ = false;
  uint16_t link_type_ = 0;
  int64_t fraction_nanos_ = 1000;
  size_t record_header_octets_ = kRecordHeaderOctets;
};

}  // namespace

std::unique_ptr<PacketWalker> NewPcapWalker(const CaptureReaderOptions* options,
                                            std::vector<CaptureInterface>* interfaces) {
  return std::make_unique<PcapWalker>(options, interfaces);
}

}  // namespace flowacct::collector
