#include "flowacct/collector/capture/file_magic.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {
namespace {

struct Foreign {
  size_t offset;
  absl::string_view magic;
  absl::string_view text;
};

// Literals with zero octets in them: their length is the array's.
template <size_t N>
constexpr absl::string_view Magic(const char (&octets)[N]) {
  return absl::string_view(octets, N - 1);
}

constexpr absl::string_view kTwiceCompressed = "is compressed twice; decompress it once first";

const Foreign kForeign[] = {
    {0, Magic("\x1f\x8b"), kTwiceCompressed},
    {0, Magic("\x28\xb5\x2f\xfd"), kTwiceCompressed},
    {0, Magic("\xfd\x37zXZ\0"), "is compressed with xz; decompress it first (xz -dc FILE)"},
    {0, Magic("BZh"), "is compressed with bzip2; decompress it first (bzip2 -dc FILE)"},
    {0, Magic("\x04\x22\x4d\x18"), "is compressed with lz4; decompress it first (lz4 -dc FILE)"},
    {0, Magic("PK\x03\x04"), "is a zip archive; unpack it first"},
    {257, Magic("ustar"), "is a tar archive; unpack it first"},
    {0, Magic("\x0c\xa5"),
     "is a file of nfdump, not a capture; replay what nfcapd was sent, or print it with nfdump -r"},
    {0, Magic("snoop\0\0\0"), "is a snoop capture; convert it first (editcap -F pcapng FILE NEW)"},
    {0, Magic("GMBU"), "is a Network Monitor capture; convert it first (editcap -F pcapng FILE NEW)"},
    {0, Magic("RTSS"), "is a Network Monitor capture; convert it first (editcap -F pcapng FILE NEW)"},
    {0,
     Magic("\x7f"
           "ELF"),
     "is a program, not a capture"},
    {0, Magic("%PDF"), "is a PDF document, not a capture"},
    {0, Magic("\x89PNG"), "is an image, not a capture"},
};

bool LooksLikeText(base::Octets head) {
  return std::all_of(head.begin(), head.end(), [](uint8_t c) {
    return (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || c == '\r' || c == '\f';
  });
}

// RFC 6396, 2 and 4: a time, then a type of a short list, a subtype, a length.
bool LooksLikeMrt(base::Octets head) {
  if (head.size() < 12) return false;
  const uint16_t type = base::LoadBe16(head.data() + 4);
  const uint16_t subtype = base::LoadBe16(head.data() + 6);
  const bool known = type == 11 || type == 12 || type == 13 || type == 16 || type == 17 || type == 32 || type == 33 ||
                     type == 48 || type == 49;
  return known && subtype <= 12 && base::LoadBe32(head.data() + 8) < (1u << 20);
}

}  // namespace

CaptureCompression DetectCompression(base::Octets head) {
  if (head.size() >= 2 && head[0] == 0x1f && head[1] == 0x8b) return CaptureCompression::kGzip;
  if (head.size() >= 4) {
    const uint32_t magic = base::LoadHost<uint32_t>(head.data());
    // A frame, or a skippable frame (RFC 8878, 3.1.1 and 3.1.2), little-endian on every machine.
    if (magic == 0xfd2fb528u || (magic & 0xfffffff0u) == 0x184d2a50u) return CaptureCompression::kZstd;
  }
  return CaptureCompression::kNone;
}

std::optional<CaptureFormat> DetectFormat(base::Octets head) {
  if (head.size() < 4) return std::nullopt;
  switch (base::LoadBe32(head.data())) {
    case 0xa1b2c3d4:  // microseconds
    case 0xd4c3b2a1:
    case 0xa1b23c4d:  // nanoseconds
    case 0x4d3cb2a1:
    case 0xa1b2cd34:  // Kuznetzov's
    case 0x34cdb2a1:
      return CaptureFormat::kPcap;
    case 0x0a0d0d0a:
      return CaptureFormat::kPcapng;
    default:
      break;
  }
  // RFC 7011, 3.1: version 10, then the message's length, header included.
  if (base::LoadBe16(head.data()) == 10 && base::LoadBe16(head.data() + 2) >= 16) return CaptureFormat::kIpfixFile;
  return std::nullopt;
}

std::string DescribeForeignFile(base::Octets head) {
  if (head.empty()) return "is empty";
  const absl::string_view text = base::AsText(head);
  for (const Foreign& foreign : kForeign) {
    if (text.size() >= foreign.offset + foreign.magic.size() &&
        text.substr(foreign.offset, foreign.magic.size()) == foreign.magic) {
      return std::string(foreign.text);
    }
  }
  if (LooksLikeText(head)) {
    const absl::string_view line = text.substr(0, std::min<size_t>(text.find_first_of("\r\n"), 24));
    return absl::StrCat("is a text file (it begins \"", absl::Utf8SafeCHexEscape(line),
                        "\"), not a capture: pcap, pcapng and IPFIX files are read, plain or compressed with gzip or "
                        "zstd");
  }
  if (LooksLikeMrt(head)) return "looks like an MRT file (routes), not a capture";
  return absl::StrCat("is of a kind that is not known here (it begins ", absl::BytesToHexString(text.substr(0, 8)),
                      "): pcap, pcapng and IPFIX files are read, plain or compressed with gzip or zstd");
}

}  // namespace flowacct::collector
