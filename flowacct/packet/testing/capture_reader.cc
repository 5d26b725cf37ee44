#include "flowacct/packet/testing/capture_reader.h"

#include <zlib.h>

#include <algorithm>

#include "flowacct/base/octets.h"

namespace flowacct::packet {

namespace {

std::vector<uint8_t> ReadWhole(const std::string& path) {
  std::vector<uint8_t> octets;
  const gzFile file = gzopen(path.c_str(), "rb");  // also reads what is not compressed
  if (file == nullptr) return octets;
  uint8_t buffer[65536];
  for (int n; (n = gzread(file, buffer, sizeof(buffer))) > 0;) octets.insert(octets.end(), buffer, buffer + n);
  gzclose(file);
  return octets;
}

// Numbers in the byte order of the file.
struct Numbers {
  bool swapped = false;
  uint32_t U32(const uint8_t* p) const { return swapped ? base::LoadBe32(p) : base::LoadHost<uint32_t>(p); }
  uint16_t U16(const uint8_t* p) const { return swapped ? base::LoadBe16(p) : base::LoadHost<uint16_t>(p); }
};

void Append(uint32_t link_type, uint32_t wire_length, const uint8_t* p, size_t n,
            std::vector<CapturedPacket>* packets) {
  packets->push_back({static_cast<LinkType>(link_type), wire_length, std::vector<uint8_t>(p, p + n)});
}

std::vector<CapturedPacket> ReadPcap(base::Octets file) {
  std::vector<CapturedPacket> packets;
  if (file.size() < 24) return packets;
  Numbers numbers;
  const uint32_t magic = base::LoadHost<uint32_t>(file.data());
  numbers.swapped = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
  const uint32_t link_type = numbers.U32(file.data() + 20) & 0xffff;  // above: the length of a frame check sequence
  for (size_t at = 24; at + 16 <= file.size();) {
    const uint32_t captured = numbers.U32(file.data() + at + 8);
    const uint32_t wire = numbers.U32(file.data() + at + 12);
    at += 16;
    if (captured > file.size() - at) break;
    Append(link_type, wire, file.data() + at, captured, &packets);
    at += captured;
  }
  return packets;
}

std::vector<CapturedPacket> ReadPcapng(base::Octets file) {
  std::vector<CapturedPacket> packets;
  std::vector<uint32_t> interfaces;
  Numbers numbers;
  for (size_t at = 0; at + 12 <= file.size();) {
    const uint8_t* const block = file.data() + at;
    const uint32_t type = numbers.U32(block);
    if (type == 0x0a0d0d0a) {  // a section: its own byte order and interfaces
      numbers.swapped = base::LoadHost<uint32_t>(block + 8) != 0x1a2b3c4d;
      interfaces.clear();
    }
    const uint32_t length = numbers.U32(block + 4);
    if (length < 12 || length > file.size() - at) break;
    const auto take = [&](uint32_t interface, uint32_t captured, uint32_t wire, size_t offset) {
      if (interface >= interfaces.size() || captured > length - offset) return;
      Append(interfaces[interface], wire, block + offset, captured, &packets);
    };
    if (type == 1 && length >= 20) interfaces.push_back(numbers.U16(block + 8));
    if (type == 2 && length >= 32) {
      take(numbers.U16(block + 8), numbers.U32(block + 20), numbers.U32(block + 24), 28);
    }
    if (type == 3 && length >= 16) take(0, std::min(numbers.U32(block + 8), length - 16), numbers.U32(block + 8), 12);
    if (type == 6 && length >= 32) take(numbers.U32(block + 8), numbers.U32(block + 20), numbers.U32(block + 24), 28);
    at += length;
  }
  return packets;
}

}  // namespace

std::vector<CapturedPacket> ReadCapture(const std::string& path) {
  const std::vector<uint8_t> file = ReadWhole(path);
  if (file.size() < 4) return {};
  return base::LoadBe32(file.data()) == 0x0a0d0d0a ? ReadPcapng(file) : ReadPcap(file);
}

}  // namespace flowacct::packet
