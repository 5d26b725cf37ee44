#include "flowacct/sink/file/part_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/message/wire_format.h"

namespace flowacct::sink::file {
namespace {

using aggregate::AggregateBatch;

constexpr uint32_t kSkippableMagic = 0x184D2A5A;
constexpr absl::string_view kKind = "file batch";
constexpr uint16_t kVersion = 1;
constexpr size_t kFrameHeadSize = 8;  // magic and length, little-endian
// Two names of 65535 octets, and the rest.
constexpr size_t kMaxHeaderSize = size_t{132} << 10;
// Rows are compressed in pieces of about so many octets.
constexpr size_t kPieceSize = size_t{256} << 10;

void StoreLe32(uint32_t number, char* out) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<char>(number >> (8 * i));
}
uint32_t LoadLe32(const uint8_t* p) {
  return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

std::string EncodeHeader(const BatchHeader& header) {
  base::OctetWriter body;
  body.U64(header.frame_octets).U64(header.rows);
  body.U64(static_cast<uint64_t>(header.bin.start_nanos)).U64(static_cast<uint64_t>(header.bin.end_nanos));
  body.U64(header.identity.run).U64(header.identity.number).U64(header.layout);
  for (const std::string& text : {header.identity.collector, header.identity.pipeline}) {
    body.U16(static_cast<uint16_t>(text.size())).Bytes(base::AsOctets(text));
  }
  const std::string sealed = base::Seal(kKind, kVersion, body.octets());
  std::string frame(kFrameHeadSize, '\0');
  StoreLe32(kSkippableMagic, frame.data());
  StoreLe32(static_cast<uint32_t>(sealed.size()), frame.data() + 4);
  return frame + sealed;
}

// Of the sealed octets; false: they are none.
bool DecodeHeader(base::Octets sealed, BatchHeader* header) {
  const absl::StatusOr<base::SealedOctets> body = base::Unseal(kKind, kVersion, sealed);
  if (!body.ok()) return false;
  base::OctetReader reader(body->body);
  header->frame_octets = reader.U64();
  header->rows = reader.U64();
  header->bin.start_nanos = static_cast<int64_t>(reader.U64());
  header->bin.end_nanos = static_cast<int64_t>(reader.U64());
  header->identity.run = reader.U64();
  header->identity.number = reader.U64();
  header->layout = reader.U64();
  for (std::string* text : {&header->identity.collector, &header->identity.pipeline}) {
    const size_t size = reader.U16();
    *text = std::string(base::AsText(reader.Bytes(size)));
  }
  return reader.ok();
}

// 0, or an errno.
int WriteAll(int fd, absl::string_view octets, uint64_t offset) {
  while (!octets.empty()) {
    const ssize_t n = pwrite(fd, octets.data(), octets.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return EIO;
    octets.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return 0;
}

// As many octets as there are, at most `size`. Negative: an errno.
ssize_t ReadAt(int fd, uint64_t offset, uint8_t* octets, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = pread(fd, octets + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

// Whether these octets of the file are one frame that is whole: it has a checksum. Negative: an errno.
int IsWholeFrame(int fd, uint64_t offset, uint64_t size) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  std::vector<uint8_t> in(ZSTD_DStreamInSize()), out(ZSTD_DStreamOutSize());
  size_t hint = 1;
  while (size > 0) {
    const ssize_t n = ReadAt(fd, offset, in.data(), static_cast<size_t>(std::min<uint64_t>(size, in.size())));
    if (n < 0) return static_cast<int>(n);
    if (n == 0) return 0;
    ZSTD_inBuffer input{in.data(), static_cast<size_t>(n), 0};
    while (input.pos < input.size) {
      if (hint == 0) return 0;  // the frame ended before
      ZSTD_outBuffer output{out.data(), out.size(), 0};
      hint = ZSTD_decompressStream(context.get(), &output, &input);
      if (ZSTD_isError(hint) != 0) return 0;
    }
    offset += static_cast<uint64_t>(n);
    size -= static_cast<uint64_t>(n);
  }
  while (hint != 0) {  // what is still to come out
    ZSTD_inBuffer input{in.data(), 0, 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    hint = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(hint) != 0 || (hint != 0 && output.pos == 0)) return 0;
  }
  return 1;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

absl::string_view Advice(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space, or set a retention or a bound of octets";
    case EFBIG:
      return "raise the limit of file sizes (ulimit -f), or set max_file_octets";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder that this user may write to";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n), or set max_open_files";
    case EXDEV:
      return "the folder and what is below it must be one file system";
    case ENOTDIR:
    case EEXIST:
      return "a file is where a folder should be";
    default:
      return "check the folder and what it lies on";
  }
}

}  // namespace

absl::Status FileError(absl::string_view what, absl::string_view path, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  return absl::Status(
      full ? absl::StatusCode::kResourceExhausted : absl::ErrnoToStatusCode(error_number),
      absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(error_number), "; ", Advice(error_number)));
}

absl::Status SyncFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError("open", path, errno);
  const int error_number = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return error_number == 0 ? absl::OkStatus() : FileError("sync", path, error_number);
}

absl::Status MakeFolders(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) == 0) {
    return S_ISDIR(info.st_mode) ? absl::OkStatus() : FileError("make the folder", path, ENOTDIR);
  }
  const std::string above = FolderOf(path);
  if (absl::Status status = MakeFolders(above); !status.ok()) return status;
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return FileError("make the folder", path, errno);
  return SyncFolder(above);
}

FrameWriter::FrameWriter(message::RecordFormat format, int compression_level)
    : format_(format), context_(ZSTD_createCCtx()), compressed_(ZSTD_CStreamOutSize()) {
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, compression_level);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}

bool FrameWriter::Flush(ZSTD_EndDirective directive) {
  ZSTD_inBuffer input{rows_.data(), rows_.size(), 0};
  for (size_t left = 1; error_ == 0 && (input.pos < input.size || (directive == ZSTD_e_end && left != 0));) {
    ZSTD_outBuffer output{compressed_.data(), compressed_.size(), 0};
    left = ZSTD_compressStream2(context_.get(), &output, &input, directive);
    if (ZSTD_isError(left) != 0) {
      error_ = ENOMEM;  // all that can go wrong with parameters that were checked
    } else {
      error_ = WriteAll(fd_, absl::string_view(compressed_.data(), output.pos), offset_);
      offset_ += output.pos;
    }
  }
  rows_.clear();
  return error_ == 0;
}

int64_t FrameWriter::Write(const AggregateBatch& batch, message::RecordEncoder* encoder, bool header, int fd,
                           uint64_t offset) {
  ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only);
  rows_.clear();
  fd_ = fd;
  offset_ = offset;
  error_ = 0;
  if (header) {
    rows_ = encoder->Header();
    if (!rows_.empty()) rows_ += '\n';
  }
  const bool delimited = format_ == message::RecordFormat::kProtobuf;
  for (size_t row = 0; row < batch.size() && error_ == 0; ++row) {
    if (delimited) {
      message_.clear();
      encoder->Append(batch, row, &message_);
      char length[message::kMaxVarintSize];
      rows_.append(length, static_cast<size_t>(message::WriteVarint(message_.size(), length) - length));
      rows_ += message_;
    } else {
      encoder->Append(batch, row, &rows_);
      rows_ += '\n';
    }
    if (rows_.size() >= kPieceSize) Flush(ZSTD_e_continue);
  }
  Flush(ZSTD_e_end);
  return error_ == 0 ? static_cast<int64_t>(offset_ - offset) : -error_;
}

absl::StatusOr<ScannedFile> ScanFile(int fd, const std::string& path, bool check_last) {
  struct stat info = {};
  if (fstat(fd, &info) != 0) return FileError("read", path, errno);
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  ScannedFile scanned;
  std::vector<uint8_t> octets;
  uint64_t last = 0;
  while (scanned.end < size) {
    octets.resize(512);
    ssize_t n = ReadAt(fd, scanned.end, octets.data(), octets.size());
    if (n < 0) return FileError("read", path, static_cast<int>(-n));
    if (static_cast<size_t>(n) < kFrameHeadSize) break;  // a batch that was just begun
    const size_t length = LoadLe32(octets.data() + 4);
    if (LoadLe32(octets.data()) != kSkippableMagic || length > kMaxHeaderSize) {
      // A machine that lost its power may leave zeros.
      scanned.damaged = std::any_of(octets.begin(), octets.begin() + n, [](uint8_t octet) { return octet != 0; });
      break;
    }
    const size_t header_size = kFrameHeadSize + length;
    if (header_size > octets.size()) {
      octets.resize(header_size);
      n = ReadAt(fd, scanned.end, octets.data(), octets.size());
      if (n < 0) return FileError("read", path, static_cast<int>(-n));
    }
    if (static_cast<size_t>(n) < header_size) break;
    BatchHeader header;
    if (!DecodeHeader(base::Octets(octets.data() + kFrameHeadSize, length), &header)) {
      scanned.damaged = true;
      break;
    }
    if (header.frame_octets == 0 || header.frame_octets > size - scanned.end - header_size) break;
    last = scanned.end + header_size;
    scanned.end = last + header.frame_octets;
    scanned.batches.push_back(std::move(header));
  }
  if (check_last && !scanned.batches.empty() && scanned.end == size) {
    const int whole = IsWholeFrame(fd, last, scanned.batches.back().frame_octets);
    if (whole < 0) return FileError("read", path, -whole);
    if (whole == 0) {
      scanned.end = last - EncodeHeader(scanned.batches.back()).size();
      scanned.batches.pop_back();
    }
  }
  return scanned;
}

bool IsBatchFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat info = {};
  uint8_t head[kFrameHeadSize + 19] = {};
  const bool read = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && ReadAt(fd, 0, head, sizeof(head)) > 0;
  close(fd);
  // As sealed octets begin: with the program's name, and the kind behind its length.
  return read && LoadLe32(head) == kSkippableMagic &&
         base::AsText(base::Octets(head + kFrameHeadSize, 19)) == absl::StrCat("flowacct", "\x0a", kKind);
}

absl::StatusOr<std::unique_ptr<PartFile>> PartFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) return FileError("write", path, errno);
  std::unique_ptr<PartFile> part(new PartFile(path, fd));
  absl::StatusOr<ScannedFile> scanned = ScanFile(fd, path, /*check_last=*/true);
  if (!scanned.ok()) return scanned.status();
  struct stat info = {};
  if (fstat(fd, &info) != 0) return FileError("read", path, errno);
  part->size_ = scanned->end;
  part->batches_ = std::move(scanned->batches);
  if (static_cast<uint64_t>(info.st_size) > part->size_) {
    if (scanned->damaged) {
      part->octets_damaged_ = static_cast<uint64_t>(info.st_size) - part->size_;
      if (absl::Status status = part->SetDamagedAside(); !status.ok()) return status;
    } else {
      part->batches_cut_ = 1;
    }
    if (ftruncate(fd, static_cast<off_t>(part->size_)) != 0) return FileError("cut", path, errno);
  }
  // What is found here is told to be kept if it is written again.
  if (fsync(fd) != 0) return FileError("sync", path, errno);
  if (absl::Status status = SyncFolder(FolderOf(path)); !status.ok()) return status;
  return part;
}

PartFile::~PartFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status PartFile::SetDamagedAside() {
  const std::string aside = absl::StrCat(path_, ".damaged");
  const int to = open(aside.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (to < 0) return FileError("write", aside, errno);
  std::vector<uint8_t> octets(size_t{1} << 16);
  absl::Status status;
  for (uint64_t at = size_; status.ok();) {
    const ssize_t n = ReadAt(fd_, at, octets.data(), octets.size());
    if (n < 0) status = FileError("read", path_, static_cast<int>(-n));
    if (n <= 0) break;
    if (write(to, octets.data(), static_cast<size_t>(n)) != n) status = FileError("write", aside, errno);
    at += static_cast<uint64_t>(n);
  }
  if (status.ok() && fsync(to) != 0) status = FileError("sync", aside, errno);
  close(to);
  return status;
}

absl::Status PartFile::Append(const AggregateBatch& batch, uint64_t layout, message::RecordEncoder* encoder,
                              FrameWriter* writer) {
  BatchHeader header;
  header.rows = batch.size();
  header.bin = batch.bin();
  header.identity = batch.identity();
  header.layout = layout;
  const std::string open_header = EncodeHeader(header);
  int error_number = WriteAll(fd_, open_header, size_);
  if (error_number == 0) {
    const int64_t octets = writer->Write(batch, encoder, size_ == 0, fd_, size_ + open_header.size());
    if (octets < 0) {
      error_number = static_cast<int>(-octets);
    } else {
      header.frame_octets = static_cast<uint64_t>(octets);
      error_number = WriteAll(fd_, EncodeHeader(header), size_);
    }
  }
  if (error_number == 0 && fdatasync(fd_) != 0) error_number = errno;
  if (error_number != 0) {
    broken_ = ftruncate(fd_, static_cast<off_t>(size_)) != 0;
    return FileError("write", path_, error_number);
  }
  size_ += open_header.size() + header.frame_octets;
  batches_.push_back(std::move(header));
  return absl::OkStatus();
}

absl::Status PartFile::Rename(const std::string& path) {
  if (renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return absl::AlreadyExistsError(path);
    // File systems without that: a link is made, or is there.
    if (errno != EINVAL && errno != ENOSYS) return FileError("rename to", path, errno);
    if (link(path_.c_str(), path.c_str()) != 0) {
      if (errno == EEXIST) return absl::AlreadyExistsError(path);
      return FileError("rename to", path, errno);
    }
    if (unlink(path_.c_str()) != 0) return FileError("remove", path_, errno);
  }
  // If that fails and the machine too, the part is found again where it was.
  SyncFolder(FolderOf(path)).IgnoreError();
  SyncFolder(FolderOf(path_)).IgnoreError();
  return absl::OkStatus();
}

absl::Status PartFile::Remove() {
  if (unlink(path_.c_str()) != 0) return FileError("remove", path_, errno);
  return absl::OkStatus();
}

}  // namespace flowacct::sink::file
