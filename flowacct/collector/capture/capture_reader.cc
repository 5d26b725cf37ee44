#include "flowacct/collector/capture/capture_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/capture/file_magic.h"
#include "flowacct/collector/capture/octet_source.h"
#include "flowacct/collector/capture/packet_walker.h"

namespace flowacct::collector {
namespace {

constexpr size_t kGrowOctets = 64 << 10;

}  // namespace

absl::string_view CaptureFormatName(CaptureFormat format) {
  switch (format) {
    case CaptureFormat::kPcap:
      return "pcap";
    case CaptureFormat::kPcapng:
      return "pcapng";
    case CaptureFormat::kIpfixFile:
      return "ipfix-file";
  }
  return "";
}

absl::string_view CaptureCompressionName(CaptureCompression compression) {
  switch (compression) {
    case CaptureCompression::kNone:
      return "none";
    case CaptureCompression::kGzip:
      return "gzip";
    case CaptureCompression::kZstd:
      return "zstd";
  }
  return "";
}

struct CaptureReader::State {
  State(std::string file_name, CaptureReaderOptions reader_options)
      : name(std::move(file_name)), options(std::move(reader_options)) {
    options.block_octets = std::max<size_t>(options.block_octets, 1);
    options.max_batch_packets = std::max<size_t>(options.max_batch_packets, 1);
    packets = std::make_unique<CapturedPacket[]>(options.max_batch_packets);
  }

  base::Octets window() const { return base::Octets(buffer.get() + begin, end - begin); }

  // Reads one block behind the window. What is left of the window moves to the front of the buffer, so that the same
  // few cache lines are used again and again. Packets that were handed out are no longer valid then.
  void Fill() {
    const size_t left = end - begin;
    if (capacity < left + options.block_octets) {
      // Rounded up, so that leftovers of slightly different size do not each take a new buffer.
      const size_t larger = std::max(left + options.block_octets, left * 2) / kGrowOctets * kGrowOctets + kGrowOctets;
      std::unique_ptr<uint8_t[]> moved(new uint8_t[larger]);  // not zeroed
      if (left > 0) std::memcpy(moved.get(), buffer.get() + begin, left);
      buffer = std::move(moved);
      capacity = larger;
    } else if (left > 0 && begin > 0) {
      std::memmove(buffer.get(), buffer.get() + begin, left);
    }
    begin = 0;
    end = left;
    const absl::StatusOr<size_t> n = source->Read(buffer.get() + end, options.block_octets);
    if (!n.ok()) {
      source_error = n.status();
      at_end = true;
    } else if (*n == 0) {
      at_end = true;
    } else {
      end += *n;
    }
  }

  void Drop(size_t n) {
    begin += n;
    offset += n;
  }

  std::string Place() const {
    return absl::StrCat("'", name, "', at octet ", offset, ", after ", packet_count, " whole packets: ");
  }

  // Why the file ended where it should not, or fine if it ended between two records.
  absl::Status EndStatus() const {
    if (!source_error.ok()) {
      return absl::Status(source_error.code(), absl::StrCat(Place(), source_error.message()));
    }
    if (begin == end && to_skip == 0) return absl::OkStatus();
    const uint64_t there = to_skip > 0 ? skipped : end - begin;
    const uint64_t needed = to_skip > 0 ? skipped + to_skip : step.needed;
    return absl::DataLossError(absl::StrCat(Place(), "the file ends inside ", step.what, " (", there, " octets of ",
                                            needed > there ? absl::StrCat("at least ", needed) : "more",
                                            " are there): it was cut short or is still being written; what came "
                                            "before is sound"));
  }

  const std::string name;
  CaptureReaderOptions options;
  std::unique_ptr<OctetSource> source;
  std::unique_ptr<PacketWalker> walker;
  CaptureFormat format = CaptureFormat::kPcap;
  CaptureCompression compression = CaptureCompression::kNone;
  std::vector<CaptureInterface> interfaces;

  // The window is [begin, end) of the buffer; `offset` is where it begins in the decompressed file.
  std::unique_ptr<uint8_t[]> buffer;
  size_t capacity = 0;
  size_t begin = 0;
  size_t end = 0;
  uint64_t offset = 0;
  WalkStep step;         // the last one
  uint64_t to_skip = 0;  // still to be dropped of a block that nobody reads
  uint64_t skipped = 0;  // of that block, so far
  bool at_end = false;
  absl::Status source_error;

  std::unique_ptr<CapturedPacket[]> packets;
  uint64_t packet_count = 0;
  bool done = false;
  absl::Status status;  // once done: what every call answers
};

CaptureReader::CaptureReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
CaptureReader::~CaptureReader() = default;

absl::StatusOr<std::unique_ptr<CaptureReader>> CaptureReader::Open(absl::string_view path,
                                                                   CaptureReaderOptions options) {
  auto state = std::make_unique<State>(path == "-" ? "standard input" : std::string(path), options);
  absl::StatusOr<std::unique_ptr<OctetSource>> source = OpenFileSource(path, options.interrupted);
  if (!source.ok()) {
    return absl::Status(source.status().code(), absl::StrCat("'", state->name, "' ", source.status().message()));
  }
  state->source = *std::move(source);
  return Start(std::move(state));
}

absl::StatusOr<std::unique_ptr<CaptureReader>> CaptureReader::OpenBuffer(std::string octets, absl::string_view name,
                                                                         CaptureReaderOptions options) {
  auto state = std::make_unique<State>(std::string(name), options);
  state->source = NewMemorySource(std::move(octets));
  return Start(std::move(state));
}

absl::StatusOr<std::unique_ptr<CaptureReader>> CaptureReader::Start(std::unique_ptr<State> state) {
  while (!state->at_end && state->end < kMagicOctets) {
    state->Fill();
    // A live pipe gives a header and then nothing for long: the first octets are enough.
    if (DetectFormat(state->window()).has_value() && state->end >= 16) break;
  }
  state->compression = DetectCompression(state->window());
  if (state->compression != CaptureCompression::kNone && state->source_error.ok()) {
    std::unique_ptr<OctetSource> compressed =
        NewHeadedSource(std::string(base::AsText(state->window())), std::move(state->source));
    state->source = state->compression == CaptureCompression::kGzip
                        ? NewGzipSource(std::move(compressed))
                        : NewZstdSource(std::move(compressed), state->options.max_zstd_window_octets);
    state->begin = state->end = 0;
    state->at_end = false;
    while (!state->at_end && state->end < kMagicOctets) state->Fill();
  }
  const std::optional<CaptureFormat> format = DetectFormat(state->window());
  if (!format.has_value()) {
    if (!state->source_error.ok()) {
      return absl::Status(state->source_error.code(),
                          absl::StrCat("'", state->name, "' ", state->source_error.message()));
    }
    return absl::InvalidArgumentError(absl::StrCat("'", state->name, "' ", DescribeForeignFile(state->window())));
  }
  state->format = *format;
  switch (*format) {
    case CaptureFormat::kPcap:
      state->walker = NewPcapWalker(&state->options, &state->interfaces);
      break;
    case CaptureFormat::kPcapng:
      state->walker = NewPcapngWalker(&state->options, &state->interfaces);
      break;
    case CaptureFormat::kIpfixFile:
      state->walker = NewIpfixFileWalker(&state->interfaces);
      break;
  }
  return std::unique_ptr<CaptureReader>(new CaptureReader(std::move(state)));
}

absl::StatusOr<absl::Span<const CapturedPacket>> CaptureReader::NextBatch() {
  State& s = *state_;
  WalkStep& step = s.step;
  while (!s.done) {
    if (s.to_skip > 0) {
      const size_t n = static_cast<size_t>(std::min<uint64_t>(s.to_skip, s.end - s.begin));
      s.Drop(n);
      s.to_skip -= n;
      s.skipped += n;
    }
    if (s.to_skip == 0) {
      s.skipped = 0;
      step = s.walker->Walk(s.window(), absl::MakeSpan(s.packets.get(), s.options.max_batch_packets));
      for (size_t i = 0; i < step.packets; ++i) s.packets[i].number = ++s.packet_count;
      s.Drop(step.consumed);
      if (!step.status.ok()) {
        s.done = true;
        s.status = absl::Status(step.status.code(), absl::StrCat(s.Place(), step.status.message()));
      }
      if (step.skip) s.to_skip = step.needed;
      if (step.packets > 0) return absl::MakeConstSpan(s.packets.get(), step.packets);
      if (s.done) break;
      if (step.skip) continue;
    }
    if (s.at_end) {
      s.done = true;
      s.status = s.EndStatus();
      break;
    }
    s.Fill();
  }
  if (!s.status.ok()) return s.status;
  return absl::Span<const CapturedPacket>();
}

const std::string& CaptureReader::name() const { return state_->name; }
CaptureFormat CaptureReader::format() const { return state_->format; }
CaptureCompression CaptureReader::compression() const { return state_->compression; }
absl::Span<const CaptureInterface> CaptureReader::interfaces() const { return state_->interfaces; }

CaptureProgress CaptureReader::progress() const {
  CaptureProgress progress;
  progress.octets_read = state_->source->octets_read();
  progress.octets_total = state_->source->octets_total();
  progress.packets = state_->packet_count;
  return progress;
}

}  // namespace flowacct::collector
