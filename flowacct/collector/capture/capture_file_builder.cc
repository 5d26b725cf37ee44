#include "flowacct/collector/capture/capture_file_builder.h"

#include <zlib.h>
#include <zstd.h>

#include <cstring>

namespace flowacct::collector {

OrderedWriter& OrderedWriter::Pad() {
  octets_.resize((octets_.size() + 3) / 4 * 4, '\0');
  return *this;
}

OrderedWriter& OrderedWriter::Number(uint64_t v, int octets) {
  for (int i = 0; i < octets; ++i) {
    octets_.push_back(static_cast<char>(v >> 8 * (big_endian_ ? octets - 1 - i : i)));
  }
  return *this;
}

std::string BuildPcap(const PcapStyle& style, const std::vector<BuiltPacket>& packets) {
  OrderedWriter w(style.big_endian);
  w.U32(style.kuznetzov ? 0xa1b2cd34 : style.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
  w.U16(2).U16(style.version_minor).U32(0).U32(0).U32(262144).U32(style.link_type);
  for (const BuiltPacket& packet : packets) {
    const auto captured = static_cast<uint32_t>(packet.octets.size());
    const uint32_t original = packet.wire_length == 0 ? captured : packet.wire_length;
    const int64_t fraction = packet.time_nanos % 1000000000;
    w.U32(static_cast<uint32_t>(packet.time_nanos / 1000000000));
    w.U32(static_cast<uint32_t>(style.nanoseconds ? fraction : fraction / 1000));
    w.U32(style.version_minor < 3 ? original : captured).U32(style.version_minor < 3 ? captured : original);
    if (style.kuznetzov) w.U32(2).U16(0x0800).U8(0).U8(0);
    w.Text(packet.octets);
  }
  return w.octets();
}

PcapngBuilder& PcapngBuilder::Block(uint32_t type, absl::string_view body) {
  OrderedWriter padded(big_endian_);
  padded.Text(body).Pad();
  const auto length = static_cast<uint32_t>(padded.octets().size() + 12);
  OrderedWriter w(big_endian_);
  octets_ += w.U32(type).U32(length).Text(padded.octets()).U32(length).octets();
  return *this;
}

PcapngBuilder& PcapngBuilder::Section(bool big_endian) {
  big_endian_ = big_endian;
  OrderedWriter w(big_endian);
  return Block(0x0a0d0d0a, w.U32(0x1a2b3c4d).U16(1).U16(0).U64(~uint64_t{0}).octets());
}

PcapngBuilder& PcapngBuilder::Interface(uint16_t link_type, uint32_t snap_length,
                                        std::optional<uint8_t> timestamp_resolution,
                                        std::optional<int64_t> timestamp_offset, absl::string_view name) {
  OrderedWriter w(big_endian_);
  w.U16(link_type).U16(0).U32(snap_length);
  if (!name.empty()) w.U16(2).U16(static_cast<uint16_t>(name.size())).Text(name).Pad();
  if (timestamp_resolution.has_value()) w.U16(9).U16(1).U8(*timestamp_resolution).Pad();
  if (timestamp_offset.has_value()) w.U16(14).U16(8).U64(static_cast<uint64_t>(*timestamp_offset));
  return Block(1, w.U16(0).U16(0).octets());
}

PcapngBuilder& PcapngBuilder::Enhanced(uint32_t interface, uint64_t ticks, absl::string_view octets,
                                       uint32_t wire_length) {
  OrderedWriter w(big_endian_);
  w.U32(interface).U32(static_cast<uint32_t>(ticks >> 32)).U32(static_cast<uint32_t>(ticks));
  w.U32(static_cast<uint32_t>(octets.size()));
  w.U32(wire_length == 0 ? static_cast<uint32_t>(octets.size()) : wire_length).Text(octets).Pad();
  // An option of each packet (epb_flags), which the reader passes over.
  return Block(6, w.U16(2).U16(4).U32(1).U16(0).U16(0).octets());
}

PcapngBuilder& PcapngBuilder::Obsolete(uint16_t interface, uint64_t ticks, absl::string_view octets,
                                       uint32_t wire_length) {
  OrderedWriter w(big_endian_);
  w.U16(interface).U16(7).U32(static_cast<uint32_t>(ticks >> 32)).U32(static_cast<uint32_t>(ticks));
  w.U32(static_cast<uint32_t>(octets.size()));
  w.U32(wire_length == 0 ? static_cast<uint32_t>(octets.size()) : wire_length).Text(octets);
  return Block(2, w.octets());
}

PcapngBuilder& PcapngBuilder::Simple(absl::string_view captured, uint32_t wire_length) {
  OrderedWriter w(big_endian_);
  w.U32(wire_length == 0 ? static_cast<uint32_t>(captured.size()) : wire_length).Text(captured);
  return Block(3, w.octets());
}

std::string BuildIpfixMessage(uint32_t export_time, absl::string_view body) {
  OrderedWriter w(true);
  w.U16(10).U16(static_cast<uint16_t>(20 + body.size())).U32(export_time).U32(0).U32(1);
  return w.U16(256).U16(static_cast<uint16_t>(4 + body.size())).Text(body).octets();
}

std::string Gzip(absl::string_view octets) {
  z_stream stream;
  std::memset(&stream, 0, sizeof(stream));
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, octets.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(&out[0]);
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(absl::string_view octets) {
  std::string out(ZSTD_compressBound(octets.size()), '\0');
  out.resize(ZSTD_compress(&out[0], out.size(), octets.data(), octets.size(), 3));
  return out;
}

}  // namespace flowacct::collector
