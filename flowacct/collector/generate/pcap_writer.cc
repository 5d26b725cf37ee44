#include "flowacct/collector/generate/pcap_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace flowacct::collector {
namespace {

constexpr size_t kBlockOctets = 1 << 20;

absl::Status SystemError(absl::string_view what, absl::string_view path) {
  return absl::UnknownError(absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(errno)));
}

}  // namespace

PcapWriter::PcapWriter(std::string path, int fd, PcapWriterOptions options)
    : path_(std::move(path)), options_(options), fd_(fd) {
  block_.reserve(kBlockOctets + 64);
  const uint32_t magic = options.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const uint16_t version[2] = {2, 4};
  const uint32_t rest[4] = {0, 0, options.snap_length, options.link_type};
  Append(&magic, sizeof(magic));
  Append(version, sizeof(version));
  Append(rest, sizeof(rest));
}

absl::StatusOr<std::unique_ptr<PcapWriter>> PcapWriter::New(absl::string_view path, PcapWriterOptions options) {
  std::string name(path);
  const int fd = name == "-" ? STDOUT_FILENO : open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return SystemError("create", path);
  return absl::WrapUnique(new PcapWriter(std::move(name), fd, options));
}

PcapWriter::~PcapWriter() { Close().IgnoreError(); }

absl::Status PcapWriter::Write(const CapturedPacket& packet) {
  if (!status_.ok()) return status_;
  const auto captured = static_cast<uint32_t>(std::min<size_t>(packet.octets.size(), options_.snap_length));
  const int64_t fraction = packet.time_nanos % 1000000000;
  const uint32_t header[4] = {static_cast<uint32_t>(packet.time_nanos / 1000000000),
                              static_cast<uint32_t>(options_.nanoseconds ? fraction : fraction / 1000), captured,
                              packet.wire_length};
  if (block_.size() + sizeof(header) + captured > kBlockOctets) {
    if (absl::Status status = Flush(); !status.ok()) return status;
  }
  Append(header, sizeof(header));
  Append(packet.octets.data(), captured);
  return absl::OkStatus();
}

absl::Status PcapWriter::Flush() {
  absl::string_view rest = block_;
  while (!rest.empty()) {
    const ssize_t n = write(fd_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      status_ = SystemError("write", path_ == "-" ? "standard output" : path_);
      break;
    }
    rest.remove_prefix(static_cast<size_t>(n));
  }
  block_.clear();
  return status_;
}

absl::Status PcapWriter::Close() {
  if (fd_ < 0) return status_;
  if (status_.ok()) Flush().IgnoreError();
  if (fd_ != STDOUT_FILENO && close(fd_) != 0 && status_.ok()) status_ = SystemError("close", path_);
  fd_ = -1;
  return status_;
}

}  // namespace flowacct::collector
