#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/capture/file_magic.h"
#include "flowacct/collector/capture/octet_source.h"

namespace flowacct::collector {
namespace {

// Compressed octets a read; what comes out is some three to ten times as much.
constexpr size_t kInputOctets = 64 << 10;

absl::Status Cut(absl::string_view format, uint64_t offset) {
  return absl::DataLossError(absl::StrCat("its ", format, " stream breaks off at octet ", offset,
                                          " of the compressed file: the file was cut short, get it again"));
}

absl::Status Damaged(absl::string_view format, uint64_t offset, absl::string_view reason) {
  return absl::DataLossError(absl::StrCat("its ", format, " stream is damaged near octet ", offset,
                                          " of the compressed file (", reason, "): get it again"));
}

// The compressed side of both decompressors.
class Input {
 public:
  explicit Input(std::unique_ptr<OctetSource> source)
      : source_(std::move(source)), octets_(std::make_unique<uint8_t[]>(kInputOctets)) {}

  // Makes at least one octet available; false at the end.
  absl::StatusOr<bool> Fill() {
    if (begin_ < end_) return true;
    const absl::StatusOr<size_t> n = source_->Read(octets_.get(), kInputOctets);
    if (!n.ok()) return n.status();
    begin_ = 0;
    end_ = *n;
    return *n > 0;
  }
  uint8_t* data() { return octets_.get() + begin_; }
  size_t size() const { return end_ - begin_; }
  void Drop(size_t n) {
    begin_ += n;
    dropped_ += n;
  }
  uint64_t offset() const { return dropped_; }
  const OctetSource& source() const { return *source_; }

 private:
  const std::unique_ptr<OctetSource> source_;
  const std::unique_ptr<uint8_t[]> octets_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t dropped_ = 0;
};

class GzipSource : public OctetSource {
 public:
  explicit GzipSource(std::unique_ptr<OctetSource> compressed) : input_(std::move(compressed)) {
    std::memset(&stream_, 0, sizeof(stream_));
    // 16: gzip headers only (zlib.h, inflateInit2).
    usable_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK;
  }
  ~GzipSource() override {
    if (usable_) inflateEnd(&stream_);
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  absl::StatusOr<size_t> Read(uint8_t* out, size_t size) override {
    if (!usable_) return absl::ResourceExhaustedError("no memory for the gzip decompressor");
    for (;;) {
      // Octets that it still holds come out without new input.
      if (!holds_output_) {
        const absl::StatusOr<bool> more = input_.Fill();
        if (!more.ok()) return more.status();
        if (!*more) {
          if (inside_member_) return Cut("gzip", input_.offset());
          return size_t{0};
        }
      }
      if (!inside_member_) {
        if (members_ > 0 && SkipPadding()) continue;
        inside_member_ = true;
      }
      stream_.next_in = input_.data();
      stream_.avail_in = static_cast<uInt>(input_.size());
      stream_.next_out = out;
      stream_.avail_out = static_cast<uInt>(std::min(size, size_t{1} << 30));
      const uInt room = stream_.avail_out;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      const size_t written = room - stream_.avail_out;
      input_.Drop(input_.size() - stream_.avail_in);
      holds_output_ = stream_.avail_out == 0 && result == Z_OK;
      if (result == Z_STREAM_END) {
        inside_member_ = false;
        ++members_;
        inflateReset(&stream_);
      } else if (result != Z_OK && result != Z_BUF_ERROR && written == 0) {
        // What was written before the trouble goes out first; inflate() repeats its error.
        return Damaged("gzip", input_.offset(), stream_.msg != nullptr ? stream_.msg : "inflate failed");
      }
      if (written > 0) return written;
    }
  }
  uint64_t octets_read() const override { return input_.source().octets_read(); }
  uint64_t octets_total() const override { return input_.source().octets_total(); }

 private:
  // Drops zero octets between or after members; true if there were any.
  bool SkipPadding() {
    size_t zeros = 0;
    while (zeros < input_.size() && input_.data()[zeros] == 0) ++zeros;
    input_.Drop(zeros);
    return zeros > 0;
  }

  Input input_;
  z_stream stream_;
  bool usable_ = false;
  bool inside_member_ = false;
  bool holds_output_ = false;
  uint64_t members_ = 0;
};

class ZstdSource : public OctetSource {
 public:
  ZstdSource(std::unique_ptr<OctetSource> compressed, size_t max_window_octets)
      : input_(std::move(compressed)), context_(ZSTD_createDCtx()) {
    int log = 10;  // the least that zstd takes
    while (log < 31 && (size_t{2} << log) <= max_window_octets) ++log;
    if (context_ != nullptr) ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, log);
  }
  ~ZstdSource() override { ZSTD_freeDCtx(context_); }
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;

  absl::StatusOr<size_t> Read(uint8_t* out, size_t size) override {
    if (context_ == nullptr) return absl::ResourceExhaustedError("no memory for the zstd decompressor");
    for (;;) {
      // Octets that it still holds come out without new input.
      ZSTD_inBuffer in = {nullptr, 0, 0};
      if (!holds_output_) {
        const absl::StatusOr<bool> more = input_.Fill();
        if (!more.ok()) return more.status();
        if (!*more) {
          if (inside_frame_) return Cut("zstd", input_.offset());
          return size_t{0};
        }
      }
      if (input_.size() > 0) in = {input_.data(), input_.size(), 0};
      ZSTD_outBuffer buffer = {out, size, 0};
      const size_t result = ZSTD_decompressStream(context_, &buffer, &in);
      input_.Drop(in.pos);
      if (ZSTD_isError(result)) {
        if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
          return absl::ResourceExhaustedError(
              "its zstd frame needs a larger window than max_zstd_window_octets allows; decompress it first "
              "(zstd -dc --long=31)");
        }
        return Damaged("zstd", input_.offset(), ZSTD_getErrorName(result));
      }
      inside_frame_ = result != 0;
      holds_output_ = buffer.pos == size && result != 0;
      if (buffer.pos > 0) return buffer.pos;
    }
  }
  uint64_t octets_read() const override { return input_.source().octets_read(); }
  uint64_t octets_total() const override { return input_.source().octets_total(); }

 private:
  Input input_;
  ZSTD_DCtx* const context_;
  bool inside_frame_ = false;
  bool holds_output_ = false;
};

}  // namespace

std::unique_ptr<OctetSource> NewGzipSource(std::unique_ptr<OctetSource> compressed) {
  return std::make_unique<GzipSource>(std::move(compressed));
}

std::unique_ptr<OctetSource> NewZstdSource(std::unique_ptr<OctetSource> compressed, size_t max_window_octets) {
  return std::make_unique<ZstdSource>(std::move(compressed), max_window_octets);
}

absl::StatusOr<std::unique_ptr<OctetSource>> Decompressed(std::unique_ptr<OctetSource> source,
                                                          size_t max_zstd_window_octets) {
  uint8_t head[4];
  size_t n = 0;
  while (n < sizeof(head)) {
    const absl::StatusOr<size_t> more = source->Read(head + n, sizeof(head) - n);
    if (!more.ok()) return more.status();
    if (*more == 0) break;
    n += *more;
  }
  const CaptureCompression compression = DetectCompression(base::Octets(head, n));
  source = NewHeadedSource(std::string(base::AsText(base::Octets(head, n))), std::move(source));
  if (compression == CaptureCompression::kGzip) return NewGzipSource(std::move(source));
  if (compression == CaptureCompression::kZstd) return NewZstdSource(std::move(source), max_zstd_window_octets);
  return source;
}

}  // namespace flowacct::collector
