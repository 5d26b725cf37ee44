#include "flowacct/testing/capture_file.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>

namespace flowacct::testing {
namespace {

using Octets = std::vector<uint8_t>;

// Numbers in the byte order of the file.
struct Numbers {
  const Octets& file;
  bool swapped = false;

  uint32_t U32(size_t at) const {
    uint32_t v;
    std::memcpy(&v, file.data() + at, sizeof(v));
    return swapped ? __builtin_bswap32(v) : v;
  }
  uint16_t U16(size_t at) const {
    uint16_t v;
    std::memcpy(&v, file.data() + at, sizeof(v));
    return swapped ? __builtin_bswap16(v) : v;
  }
};

CapturedFrame Frame(const Octets& file, uint32_t link_type, uint32_t wire_length, int64_t time_nanos, size_t at,
                    size_t length) {
  const auto begin = file.begin() + static_cast<std::ptrdiff_t>(at);
  return {link_type, wire_length, time_nanos, Octets(begin, begin + static_cast<std::ptrdiff_t>(length))};
}

std::vector<CapturedFrame> ReadPcap(const Octets& file) {
  std::vector<CapturedFrame> frames;
  if (file.size() < 24) return frames;
  Numbers numbers{file};
  numbers.swapped = numbers.U32(0) == 0xd4c3b2a1 || numbers.U32(0) == 0x4d3cb2a1;
  const int64_t unit = numbers.U32(0) == 0xa1b23c4d ? 1 : 1000;
  const uint32_t link_type = numbers.U32(20) & 0xffff;  // above: the length of a frame check sequence
  for (size_t at = 24; at + 16 <= file.size();) {
    const int64_t time = int64_t{numbers.U32(at)} * 1000000000 + int64_t{numbers.U32(at + 4)} * unit;
    const uint32_t captured = numbers.U32(at + 8), wire = numbers.U32(at + 12);
    at += 16;
    if (captured > file.size() - at) break;
    frames.push_back(Frame(file, link_type, wire, time, at, captured));
    at += captured;
  }
  return frames;
}

std::vector<CapturedFrame> ReadPcapng(const Octets& file) {
  std::vector<CapturedFrame> frames;
  std::vector<uint32_t> interfaces;
  Numbers numbers{file};
  for (size_t at = 0; at + 12 <= file.size();) {
    if (numbers.U32(at) == 0x0a0d0d0a) {  // a section: its own byte order and interfaces; its type reads alike in both
      numbers.swapped = false;
      numbers.swapped = numbers.U32(at + 8) != 0x1a2b3c4d;
      interfaces.clear();
    }
    const uint32_t type = numbers.U32(at), length = numbers.U32(at + 4);
    if (length < 12 || length > file.size() - at) break;
    const auto take = [&](uint32_t interface, uint32_t captured, uint32_t wire, size_t offset, uint64_t ticks) {
      if (interface >= interfaces.size() || captured > length - offset) return;
      const uint64_t nanos = ticks < (uint64_t{1} << 57) ? ticks * 1000 : ticks;
      frames.push_back(Frame(file, interfaces[interface], wire, static_cast<int64_t>(nanos), at + offset, captured));
    };
    const auto ticks = [&] { return uint64_t{numbers.U32(at + 12)} << 32 | numbers.U32(at + 16); };
    if (type == 1 && length >= 20) interfaces.push_back(numbers.U16(at + 8));
    if (type == 2 && length >= 32) take(numbers.U16(at + 8), numbers.U32(at + 20), numbers.U32(at + 24), 28, ticks());
    if (type == 3 && length >= 16) {
      take(0, std::min(numbers.U32(at + 8), length - 16), numbers.U32(at + 8), 12, 0);
    }
    if (type == 6 && length >= 32) take(numbers.U32(at + 8), numbers.U32(at + 20), numbers.U32(at + 24), 28, ticks());
    at += length;
  }
  return frames;
}

}  // namespace

std::vector<uint8_t> ReadFile(const std::string& path) {
  Octets octets;
  const gzFile file = gzopen(path.c_str(), "rb");  // also reads what is not compressed
  if (file == nullptr) return octets;
  uint8_t buffer[65536];
  for (int n; (n = gzread(file, buffer, sizeof(buffer))) > 0;) octets.insert(octets.end(), buffer, buffer + n);
  gzclose(file);
  return octets;
}

std::vector<CapturedFrame> ReadCaptureFile(const std::string& path) {
  const Octets file = ReadFile(path);
  if (file.size() < 4) return {};
  constexpr uint8_t kSection[] = {0x0a, 0x0d, 0x0d, 0x0a};
  return std::equal(std::begin(kSection), std::end(kSection), file.begin()) ? ReadPcapng(file) : ReadPcap(file);
}

}  // namespace flowacct::testing
