// Reads the packets of a capture file, in order, in large blocks.
//
// Formats, told by their first octets and never by a name: pcap (draft-ietf-opsawg-pcap: both byte orders, micro- and
// nanoseconds, and Kuznetzov's 24-octet record headers), pcapng (draft-ietf-opsawg-pcapng: several sections with their
// own byte order, several interfaces with their own link type and time resolution, Enhanced, Simple and obsolete Packet
// Blocks; other blocks are skipped), and IPFIX files (RFC 5655: each message is a packet of kLinkTypeIpfixMessage whose
// time is its export time). Each may be compressed with gzip or zstd, in any number of members or frames.
//
//     auto reader = CaptureReader::Open("trace.pcap.gz");
//     for (;;) {
//       auto packets = (*reader)->NextBatch();
//       if (!packets.ok() || packets->empty()) break;   // an error, or the end
//       for (const CapturedPacket& packet : *packets) ...
//     }
//
// Not checked: what the packets hold, and pcapng options that are not named above.
// Ownership: packets are views into the reader's buffer, valid until the next call of NextBatch.
// Threads: one at a time.
// Errors: all whole packets come first, then a Status that says at which octet (of the decompressed file), after how
// many packets, why, and what to do; every later call repeats it. kDataLoss: the file is cut or damaged.
// kInvalidArgument: not a capture. kResourceExhausted: a bound of the options. kCancelled: interrupted. Others come
// from the system. Cost: no allocation and no copy a packet; about 10 ns a packet and one pass over the octets. Memory:
// the buffer (block_octets plus one largest packet) and, if compressed, the decompressor's window (gzip 32 KiB; zstd
// bounded by max_zstd_window_octets).

#ifndef FLOWACCT_COLLECTOR_CAPTURE_CAPTURE_READER_H_
#define FLOWACCT_COLLECTOR_CAPTURE_CAPTURE_READER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/capture/captured_packet.h"

namespace flowacct::collector {

enum class CaptureFormat : uint8_t { kPcap, kPcapng, kIpfixFile };
absl::string_view CaptureFormatName(CaptureFormat format);  // "pcap", "pcapng", "ipfix-file"

enum class CaptureCompression : uint8_t { kNone, kGzip, kZstd };
absl::string_view CaptureCompressionName(CaptureCompression compression);  // "none", "gzip", "zstd"

struct CaptureReaderOptions {
  // Of one captured packet. tcpdump's own bound; the largest packet of a usual link has 64 KiB, BIG TCP has more.
  size_t max_packet_octets = 256 << 10;
  // Over all sections of a pcapng file. A host has tens; `tcpdump -i any` and merged files hundreds.
  size_t max_interfaces = 65536;
  // Of a pcapng block that must be held whole because it is understood (section header, interface description).
  size_t max_description_octets = 1 << 20;
  // What one read() asks for: large enough that the call costs nothing, small enough that the octets are still in the
  // second-level cache when they are decoded.
  size_t block_octets = 256 << 10;
  // Packets of a batch at most; a batch also ends with its block.
  size_t max_batch_packets = 1024;
  // What a zstd frame may ask for; zstd's own bound for untrusted input (--long needs more).
  size_t max_zstd_window_octets = size_t{128} << 20;
  // Asked when a signal ends a wait for octets (a pipe): true gives up with kCancelled, false or none waits on.
  std::function<bool()> interrupted;
};

struct CaptureInterface {
  uint32_t link_type = 0;
  uint32_t snap_length = 0;  // 0: no bound told
  uint32_t section = 0;      // counts from 0
  std::string name;          // if_name; often empty
};

struct CaptureProgress {
  uint64_t octets_read = 0;   // of the file as it lies on disk, so of the compressed one
  uint64_t octets_total = 0;  // 0: not known (standard input, a pipe)
  uint64_t packets = 0;
};

class CaptureReader {
 public:
  // "-" is standard input. Reads the head of the file, so that the format is known on return.
  static absl::StatusOr<std::unique_ptr<CaptureReader>> Open(absl::string_view path, CaptureReaderOptions options = {});
  // A file that is already in memory; `name` stands for its path in messages.
  static absl::StatusOr<std::unique_ptr<CaptureReader>> OpenBuffer(std::string octets, absl::string_view name,
                                                                   CaptureReaderOptions options = {});
  ~CaptureReader();
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;

  // The next packets, at least one; none at the end.
  absl::StatusOr<absl::Span<const CapturedPacket>> NextBatch();

  const std::string& name() const;
  CaptureFormat format() const;
  CaptureCompression compression() const;
  // As far as they were met; grows while a pcapng file is read. A pcap file and an IPFIX file have one.
  absl::Span<const CaptureInterface> interfaces() const;
  CaptureProgress progress() const;

 private:
  struct State;
  explicit CaptureReader(std::unique_ptr<State> state);
  static absl::StatusOr<std::unique_ptr<CaptureReader>> Start(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CAPTURE_CAPTURE_READER_H_
