// Walks the records of one capture format through a window of octets that slides over the file.
//
// Internal to this folder: CaptureReader owns the window, a walker knows the format. A walker never reads outside the
// window and never waits; it says what it lacks.

#ifndef FLOWACCT_COLLECTOR_CAPTURE_PACKET_WALKER_H_
#define FLOWACCT_COLLECTOR_CAPTURE_PACKET_WALKER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/capture/captured_packet.h"

namespace flowacct::collector {

struct WalkStep {
  size_t packets = 0;   // written to the span
  size_t consumed = 0;  // octets of the window that are done with
  // What the record at `consumed` takes in all, as far as it is known, if the window ends inside it; 0: the walk
  // stopped because the span is full. If the window is empty this is what the next record takes at least.
  uint64_t needed = 0;
  bool skip = false;                    // `needed` octets are to be dropped unseen before the next walk
  absl::string_view what = "a record";  // stands at `consumed`, for the message about a cut file
  absl::Status status;                  // about the record at `consumed`; the walk is over
};

class PacketWalker {
 public:
  virtual ~PacketWalker() = default;
  // The window begins where the last walk's `consumed` ended. Packets are views into it; their numbers are the
  // reader's.
  virtual WalkStep Walk(base::Octets window, absl::Span<CapturedPacket> packets) = 0;
};

// Both borrow `options` and `interfaces`, to which they append what the file tells.
std::unique_ptr<PacketWalker> NewPcapWalker(const CaptureReaderOptions* options,
                                            std::vector<CaptureInterface>* interfaces);
std::unique_ptr<PacketWalker> NewPcapngWalker(const CaptureReaderOptions* options,
                                              std::vector<CaptureInterface>* interfaces);
std::unique_ptr<PacketWalker> NewIpfixFileWalker(std::vector<CaptureInterface>* interfaces);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CAPTURE_PACKET_WALKER_H_
