// The first octet chooses the link type and the depth, the rest is the frame: parse, decode on both paths, reassemble.

#include <cstdlib>
#include <vector>

#include "flowacct/packet/packet_decoder.h"
#include "flowacct/packet/reassembler.h"

namespace flowacct::packet {
namespace {

const record::Layout& AllFields() {
  static const auto* const layout = new record::Layout(record::Layout::All());
  return *layout;
}

// Reads all that it is shown.
struct Reader : GtpTap {
  void OnGtp(const GtpDatagram& datagram) override {
    for (const uint8_t octet : datagram.octets) sum = sum * 31 + octet;
    ++sum;
  }
  uint64_t sum = 0;
};

struct Decoders {
  explicit Decoders(int depth)
      : fast(&AllFields(), &interner, Options(depth, true, &fast_gtp)),
        slow(&AllFields(), &interner, Options(depth, false, &slow_gtp)) {}
  static PacketDecoderOptions Options(int depth, bool fast_path, GtpTap* tap) {
    PacketDecoderOptions options;
    options.depth = depth;
    options.fast_path = fast_path;
    options.fragments.max_datagrams = 16;
    options.gtp_u_ports = {49152};
    options.gtp_tap = tap;
    options.gtp_fragments.max_octets = 100000;
    return options;
  }
  base::Interner interner;
  Reader fast_gtp, slow_gtp;
  PacketDecoder fast, slow;
};

// Kept over the inputs, as in a product: what one leaves behind (fragments, names) must not harm the next.
Decoders& DecodersOf(int which) {
  static Decoders* const decoders[3] = {new Decoders(-1), new Decoders(0), new Decoders(1)};
  return *decoders[which];
}

}  // namespace
}  // namespace flowacct::packet

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct;
  using namespace flowacct::packet;
  if (size == 0) return 0;
  const auto link_types = LinkTypes();
  const LinkType link_type = link_types[(data[0] & 0x1f) % link_types.size()].type;
  const base::Octets frame(data + 1, size - 1);
  const auto wire_length = static_cast<uint32_t>(frame.size() + (data[0] >> 7) * 1000);
  Decoders& decoders = DecodersOf((data[0] >> 5 & 3) % 3);
  const record::Layout& layout = AllFields();
  std::vector<uint8_t> a(layout.row_size()), b(layout.row_size());
  const auto x = decoders.fast.Decode(link_type, frame, wire_length, 0, record::MutableRow(&layout, a.data()));
  const auto y = decoders.slow.Decode(link_type, frame, wire_length, 0, record::MutableRow(&layout, b.data()));
  if (x.code != y.code || a != b || decoders.fast_gtp.sum != decoders.slow_gtp.sum)
    std::abort();  // the two paths tell the same, always

  PacketView view;
  (void)Parse(link_type, frame, wire_length, &view);
  for (const Layer& layer : view.layers()) {
    if (layer.offset + layer.length > frame.size()) std::abort();
  }
  UdpDatagram datagram;
  (void)FindUdp(view, &datagram);
  IpFragment fragment;
  if (FindFragment(view, &fragment)) {
    ReassemblerOptions bounds;
    bounds.max_octets = 100000;
    Reassembler reassembler(bounds);
    ReassembledPacket whole;
    for (const uint32_t offset : {fragment.offset, 0u, 8u, fragment.offset + 16u}) {
      fragment.offset = offset;
      fragment.truncated = false;
      if (reassembler.Add(fragment, 0, &whole)) (void)FindUdp(whole, &datagram);
    }
  }
  return 0;
}
