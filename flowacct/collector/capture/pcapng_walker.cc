// draft-ietf-opsawg-pcapng: sections of blocks; each section has its own byte order and its own interfaces.

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/capture/packet_walker.h"

namespace flowacct::collector {
namespace {

enum BlockType : uint32_t {  // section 11.1
  kInterfaceDescription = 1,
  kObsoletePacket = 2,
  kSimplePacket = 3,
  kEnhancedPacket = 6,
  kSectionHeader = 0x0a0d0d0a,  // the same in both byte orders
};

enum InterfaceOption : uint16_t {  // section 4.2
  kEndOfOptions = 0,
  kName = 2,
  kTimestampResolution = 9,
  kTimestampOffset = 14,
};

constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;
// Type, total length, and total length again (section 3.1).
constexpr uint32_t kBlockOverheadOctets = 12;
constexpr size_t kMaxNameOctets = 256;  // a name is for people; longer ones are cut

// From an interface's ticks to nanoseconds since 1970: ticks * multiplier / divisor, or ticks * 10^9 / 2^shift.
struct Clock {
  uint64_t multiplier = 1000;  // the default resolution is a microsecond (if_tsresol)
  uint64_t divisor = 1;
  uint8_t shift = 0;
  int64_t offset_seconds = 0;

  int64_t Nanos(uint64_t ticks) const {
    constexpr __int128 kMost = kMaxTimeNanos;
    uint64_t product = 0;
    __int128 nanos = 0;
    if (shift == 0 && offset_seconds == 0 && !__builtin_mul_overflow(ticks, multiplier, &product)) {
      if (divisor != 1) product /= divisor;
      return product > static_cast<uint64_t>(kMost) ? static_cast<int64_t>(kMost) : static_cast<int64_t>(product);
    }
    if (shift != 0) {
      nanos = static_cast<__int128>(ticks) * 1000000000 >> shift;
    } else {
      nanos = static_cast<__int128>(ticks) * multiplier / divisor;
    }
    nanos += static_cast<__int128>(offset_seconds) * 1000000000;
    return static_cast<int64_t>(std::clamp<__int128>(nanos, -kMost, kMost));
  }

  // 4.2, if_tsresol: 10^-n, or 2^-n if the highest bit is set.
  void SetResolution(uint8_t octet) {
    const uint8_t exponent = octet & 0x7f;
    multiplier = divisor = 1;
    shift = 0;
    if ((octet & 0x80) != 0) {
      shift = exponent;
      if (shift == 0) multiplier = 1000000000;  // whole seconds
      return;
    }
    for (uint8_t i = exponent; i < 9; ++i) multiplier *= 10;
    // Beyond 10^-28 every 64-bit time is less than a nanosecond.
    for (uint8_t i = 9; i < std::min<uint8_t>(exponent, 28); ++i) divisor *= 10;
  }
};

class PcapngWalker : public PacketWalker {
 public:
  PcapngWalker(const CaptureReaderOptions* options, std::vector<CaptureInterface>* interfaces)
      : options_(*options), interfaces_(interfaces) {}

  WalkStep Walk(base::Octets window, absl::Span<CapturedPacket> packets) override {
    WalkStep step;
    while (step.packets < packets.size()) {
      if (!WalkBlock(window.subspan(step.consumed), packets, &step)) break;
    }
    return step;
  }

 private:
  uint16_t Load16(const uint8_t* p) const { return swapped_ ? base::LoadBe16(p) : base::LoadHost<uint16_t>(p); }
  uint32_t Load32(const uint8_t* p) const { return swapped_ ? base::LoadBe32(p) : base::LoadHost<uint32_t>(p); }
  uint64_t Load64(const uint8_t* p) const { return swapped_ ? base::LoadBe64(p) : base::LoadHost<uint64_t>(p); }

  static bool Need(uint64_t octets, absl::string_view what, WalkStep* step) {
    step->needed = octets;
    step->what = what;
    return false;
  }
  static bool Damaged(absl::string_view what, WalkStep* step) {
    step->status = absl::DataLossError(absl::StrCat(what, ": the file is damaged here, get it again"));
    return false;
  }

  // One block at the start of `rest`; false if the walk stops there.
  bool WalkBlock(base::Octets rest, absl::Span<CapturedPacket> packets, WalkStep* step) {
    if (skipped_length_ != 0) return CheckSkipped(rest, step);
    if (rest.size() < kBlockOverheadOctets) return Need(kBlockOverheadOctets, "a block", step);
    const bool section_header = base::LoadHost<uint32_t>(rest.data()) == kSectionHeader;
    if (section_header) {
      const uint32_t magic = base::LoadHost<uint32_t>(rest.data() + 8);
      if (magic != kByteOrderMagic && magic != __builtin_bswap32(kByteOrderMagic)) {
        return Damaged("a section header has no byte-order magic", step);
      }
      swapped_ = magic != kByteOrderMagic;
    }
    const uint32_t type = Load32(rest.data());
    const uint32_t length = Load32(rest.data() + 4);
    if (length < kBlockOverheadOctets || length % 4 != 0) {
      return Damaged(absl::StrCat("a block of type ", type, " claims a length of ", length, " octets"), step);
    }
    const bool description = section_header || type == kInterfaceDescription;
    const bool packet = type == kEnhancedPacket || type == kSimplePacket || type == kObsoletePacket;
    // What a packet block has beside its packet is options, which nobody reads: bounded like a description.
    const uint64_t bound =
        uint64_t{options_.max_description_octets} + (packet ? uint64_t{options_.max_packet_octets} : 0);
    if ((description || packet) && length > bound) {
      step->status = absl::ResourceExhaustedError(absl::StrCat(
          "a block of type ", type, " claims ", length, " octets, more than ",
          packet ? "max_packet_octets and max_description_octets allow (" : "max_description_octets allows (", bound,
          "): the file is damaged here, or the bound is to be raised"));
      return false;
    }
    if (rest.size() < length) {
      if (description || packet) return Need(length, packet ? "a packet block" : "a block", step);
      step->skip = true;
      skipped_length_ = length;
      return Need(length - 4, "a block", step);
    }
    if (!CheckLength(rest.data() + length - 4, length, step)) return false;
    const base::Octets body = rest.subspan(8, length - kBlockOverheadOctets);
    bool fine = true;
    if (packet) {
      fine = ReadPacket(static_cast<BlockType>(type), body, &packets[step->packets], step);
    } else if (section_header) {
      fine = ReadSectionHeader(body, step);
    } else if (type == kInterfaceDescription) {
      fine = ReadInterface(body, step);
    }
    if (!fine) return false;
    if (packet) ++step->packets;
    step->consumed += length;
    return true;
  }

  // 3.1: a block ends with its length, once more.
  bool CheckLength(const uint8_t* trailer, uint32_t length, WalkStep* step) const {
    if (Load32(trailer) == length) return true;
    return Damaged(absl::StrCat("a block has two different lengths, ", length, " and ", Load32(trailer)), step);
  }

  // The last octets of a block that was dropped because it was not whole in the window.
  bool CheckSkipped(base::Octets rest, WalkStep* step) {
    if (rest.size() < 4) return Need(4, "a block", step);
    if (!CheckLength(rest.data(), skipped_length_, step)) return false;
    skipped_length_ = 0;
    step->consumed += 4;
    return true;
  }

  bool ReadSectionHeader(base::Octets body, WalkStep* step) {
    // Byte-order magic, major, minor, section length.
    if (body.size() < 16) return Damaged("a section header is too short", step);
    const uint16_t major = Load16(body.data() + 4);
    if (major != 1) {
      step->status =
          absl::InvalidArgumentError(absl::StrCat("a section header has version ", major, ".", Load16(body.data() + 6),
                                                  ", and only 1.x is known: the file is damaged here"));
      return false;
    }
    ++sections_;
    first_interface_ = interfaces_->size();
    return true;
  }

  bool ReadInterface(base::Octets body, WalkStep* step) {
    // Link type, reserved, snap length.
    if (body.size() < 8) return Damaged("an interface description is too short", step);
    if (interfaces_->size() >= options_.max_interfaces) {
      step->status = absl::ResourceExhaustedError(
          absl::StrCat("more interfaces than max_interfaces (", options_.max_interfaces, ") allows: raise it"));
      return false;
    }
    CaptureInterface interface;
    interface.link_type = Load16(body.data());
    interface.snap_length = Load32(body.data() + 4);
    interface.section = sections_ - 1;
    Clock clock;
    // Options that run off the block end are dropped, as libpcap does: they say nothing about the packets' octets.
    for (base::Octets options = body.subspan(8); options.size() >= 4;) {
      const uint16_t code = Load16(options.data());
      const uint16_t length = Load16(options.data() + 2);
      if (code == kEndOfOptions || options.size() - 4 < length) break;
      const base::Octets value = options.subspan(4, length);
      if (code == kName) {
        interface.name = std::string(base::AsText(value.first(std::min(value.size(), kMaxNameOctets))));
      } else if (code == kTimestampResolution && length == 1) {
        clock.SetResolution(value[0]);
      } else if (code == kTimestampOffset && length == 8) {
        clock.offset_seconds = static_cast<int64_t>(Load64(value.data()));
      }
      options.remove_prefix(std::min<size_t>(options.size(), 4 + (size_t{length} + 3) / 4 * 4));
    }
    interfaces_->push_back(std::move(interface));
    clocks_.push_back(clock);
    return true;
  }

  bool ReadPacket(BlockType type, base::Octets body, CapturedPacket* packet, WalkStep* step) {
    const uint8_t* const p = body.data();
    const size_t header = type == kSimplePacket ? 4 : 20;
    if (body.size() < header) return Damaged("a packet block is too short", step);
    // An Enhanced Packet Block has a 32-bit interface, an obsolete one 16 bits and a drop count.
    const uint32_t id = type == kEnhancedPacket ? Load32(p) : type == kObsoletePacket ? Load16(p) : 0;
    const size_t count = interfaces_->size() - first_interface_;
    if (id >= count) {
      return Damaged(absl::StrCat("a packet block names interface ", id, ", but its section described ", count), step);
    }
    const size_t index = first_interface_ + id;
    const CaptureInterface& interface = (*interfaces_)[index];
    uint32_t captured = 0;
    uint32_t original = 0;
    if (type == kSimplePacket) {
      // 4.4: the captured length is not told; it is the least of what was there, the snap length and the room.
      original = Load32(p);
      captured = std::min<uint32_t>(original, static_cast<uint32_t>(body.size() - header));
      if (interface.snap_length != 0) captured = std::min(captured, interface.snap_length);
      packet->time_nanos = 0;
    } else {
      captured = Load32(p + 12);
      original = Load32(p + 16);
      if (captured > body.size() - header) {
        return Damaged(absl::StrCat("a packet block of ", body.size() + kBlockOverheadOctets, " octets claims ",
                                    captured, " captured ones"),
                       step);
      }
      packet->time_nanos = clocks_[index].Nanos(uint64_t{Load32(p + 4)} << 32 | Load32(p + 8));
    }
    if (captured > options_.max_packet_octets) {
      step->status = absl::ResourceExhaustedError(absl::StrCat("a packet block claims ", captured,
                                                               " captured octets, more than max_packet_octets (",
                                                               options_.max_packet_octets, ") allows: raise it"));
      return false;
    }
    packet->octets = body.subspan(header, captured);
    packet->wire_length = std::max(original, captured);
    packet->interface = static_cast<uint32_t>(index);
    packet->link_type = interface.link_type;
    return true;
  }

  const CaptureReaderOptions& options_;
  std::vector<CaptureInterface>* const interfaces_;
  std::vector<Clock> clocks_;   // beside interfaces_
  size_t first_interface_ = 0;  // of this section
  uint32_t sections_ = 0;
  uint32_t skipped_length_ = 0;  // of a block whose last 4 octets are yet to be read; 0: none
  bool swapped_ = false;
};

}  // namespace

std::unique_ptr<PacketWalker> NewPcapngWalker(const CaptureReaderOptions* options,
                                              std::vector<CaptureInterface>* interfaces) {
  return std::make_unique<PcapngWalker>(options, interfaces);
}

}  // namespace flowacct::collector
