#include "flowacct/sink/file/file_sink.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/sink/file/file_name.h"
#include "flowacct/sink/file/part_file.h"

namespace flowacct::sink::file {
namespace {

using aggregate::AggregateBatch;
using message::RecordFormat;

constexpr absl::string_view kPartsFolder = ".parts";
// Of one name; more would mean that something finishes files all the time.
constexpr int kMaxNumber = 10000;
constexpr absl::Duration kRetainEvery = absl::Minutes(10);
// Folders within folders that retention looks into: no template is deeper.
constexpr int kMaxDepth = 64;

// The names in a folder; none if it cannot be read.
std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) return names;
  while (const dirent* const entry = readdir(directory)) names.emplace_back(entry->d_name);
  closedir(directory);
  return names;
}

class FileSinkImpl : public FileSink {
 public:
  FileSinkImpl(FileOptions options, NameTemplate name)
      : options_(std::move(options)),
        name_(std::move(name)),
        suffix_(FileSuffix(options_.format)),
        parts_folder_(absl::StrCat(options_.folder, "/", kPartsFolder)),
        writer_(options_.format, options_.compression_level) {}

  ~FileSinkImpl() override {
    if (lock_ >= 0) close(lock_);
  }

  absl::Status Open();
  absl::Status Write(const AggregateBatch& batch) override;
  absl::Status Close() override;
  absl::Status Retain() override;
  const FileCounters& counters() const override { return counters_; }
  std::string trouble() const override { return trouble_; }

 private:
  // A part, and what is known of the files that have its name.
  struct Part {
    std::string name;  // below the folder, without suffix
    std::string suffix;
    std::unique_ptr<PartFile> file;
    std::vector<aggregate::BatchIdentity> finished;  // batches of NAME, NAME.2 ...
    int64_t last_end = INT64_MIN;                    // of the latest bin in it
  };
  using Parts = std::map<std::string, Part>;  // by the file's name in the parts' folder

  std::string PartPath(const std::string& key) const { return absl::StrCat(parts_folder_, "/", key); }
  absl::StatusOr<Part*> PartOf(const AggregateBatch& batch);
  absl::StatusOr<Part> OpenPart(const std::string& key, std::string name, std::string suffix);
  void Recover(const std::string& key);
  bool Knows(const Part& part, const aggregate::BatchIdentity& identity) const;
  // Gives the part its name; an empty one is removed. Forgets it if that is done.
  absl::Status Finish(Parts::iterator part);
  void FinishWhatIsDue(const aggregate::TimeBin& bin);
  void Tell(const absl::Status& status) {
    if (!status.ok()) trouble_ = std::string(status.message());
  }

  struct Found {
    std::string path;
    int64_t changed;  // nanoseconds since 1970
    uint64_t octets;
  };
  void FindFiles(const std::string& folder, int depth, std::vector<Found>* files) const;

  const FileOptions options_;
  const NameTemplate name_;
  const std::string suffix_;
  const std::string parts_folder_;
  FrameWriter writer_;
  int lock_ = -1;
  Parts parts_;
  absl::Time next_retain_ = absl::InfinitePast();
  bool closed_ = false;
  FileCounters counters_;
  std::string trouble_;
};

absl::Status FileSinkImpl::Open() {
  if (absl::Status status = MakeFolders(parts_folder_); !status.ok()) return status;
  const std::string lock = absl::StrCat(parts_folder_, "/lock");
  lock_ = open(lock.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (lock_ < 0) return FileError("write", lock, errno);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the folder ", options_.folder, " is written by another sink; give each a folder of its own"));
  }
  for (const std::string& key : NamesIn(parts_folder_)) {
    if (absl::EndsWith(key, ".zst")) Recover(key);
  }
  if (absl::Status status = Retain(); !status.ok()) Tell(status);
  return absl::OkStatus();
}

// What a sink before this one left. What cannot be read stays where it is, and is told.
void FileSinkImpl::Recover(const std::string& key) {
  const std::string path = PartPath(key);
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return;
  if (info.st_nlink > 1) {  // it has its name already (PartFile::Rename)
    unlink(path.c_str());
    return;
  }
  const std::optional<std::string> whole = UnescapedName(key);
  absl::string_view name = whole.has_value() ? absl::string_view(*whole) : absl::string_view();
  std::string suffix;
  for (const RecordFormat format : {RecordFormat::kJson, RecordFormat::kCsv, RecordFormat::kProtobuf}) {
    if (suffix.empty() && absl::ConsumeSuffix(&name, absl::StrCat(".", FileSuffix(format), ".zst"))) {
      suffix = std::string(FileSuffix(format));
    }
  }
  if (suffix.empty() || !CheckName(name).ok()) {
    trouble_ = absl::StrCat(path, " is no part that this sink can finish; remove it if nobody needs it");
    return;
  }
  absl::StatusOr<Part> part = OpenPart(key, std::string(name), suffix);
  if (!part.ok()) return Tell(part.status());
  counters_.batches_cut += part->file->batches_cut();
  counters_.octets_damaged += part->file->octets_damaged();
  if (part->file->octets_damaged() > 0) {
    trouble_ = absl::StrCat(path, " was damaged; its last ", part->file->octets_damaged(), " octets are in ", path,
                            ".damaged");
  }
  const bool same_format = suffix == suffix_;
  const Parts::iterator added = parts_.emplace(key, *std::move(part)).first;
  // Of another format, or more than may be open: nobody goes on with it.
  if (!same_format || parts_.size() > options_.max_open_files) Tell(Finish(added));
}

absl::StatusOr<FileSinkImpl::Part> FileSinkImpl::OpenPart(const std::string& key, std::string name,
                                                          std::string suffix) {
  Part part;
  part.name = std::move(name);
  part.suffix = std::move(suffix);
  for (int number = 1; number < kMaxNumber; ++number) {
    const std::string path = absl::StrCat(options_.folder, "/", NumberedName(part.name, part.suffix, number));
    const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
      if (errno == ENOENT || errno == ENOTDIR) break;
      return FileError("read", path, errno);
    }
    absl::StatusOr<ScannedFile> scanned = ScanFile(fd, path, /*check_last=*/false);
    close(fd);
    if (!scanned.ok()) return scanned.status();
    for (BatchHeader& batch : scanned->batches) part.finished.push_back(std::move(batch.identity));
  }
  absl::StatusOr<std::unique_ptr<PartFile>> file = PartFile::Open(PartPath(key));
  if (!file.ok()) return file.status();
  part.file = *std::move(file);
  for (const BatchHeader& batch : part.file->batches()) part.last_end = std::max(part.last_end, batch.bin.end_nanos);
  return part;
}

absl::StatusOr<FileSinkImpl::Part*> FileSinkImpl::PartOf(const AggregateBatch& batch) {
  absl::StatusOr<std::string> name = name_.Render(batch);
  if (!name.ok()) return name.status();
  const std::string key = EscapedName(NumberedName(*name, suffix_, 1));
  if (const auto found = parts_.find(key); found != parts_.end()) return &found->second;
  while (parts_.size() >= options_.max_open_files) {
    const auto oldest = std::min_element(parts_.begin(), parts_.end(), [](const auto& a, const auto& b) {
      return a.second.last_end < b.second.last_end;
    });
    if (absl::Status status = Finish(oldest); !status.ok()) return status;
  }
  absl::StatusOr<Part> part = OpenPart(key, *std::move(name), suffix_);
  if (!part.ok()) return part.status();
  return &parts_.emplace(key, *std::move(part)).first->second;
}

bool FileSinkImpl::Knows(const Part& part, const aggregate::BatchIdentity& identity) const {
  if (identity.number == 0) return false;
  return std::any_of(part.file->batches().begin(), part.file->batches().end(),
                     [&](const BatchHeader& batch) { return batch.identity == identity; }) ||
         std::find(part.finished.begin(), part.finished.end(), identity) != part.finished.end();
}

absl::Status FileSinkImpl::Write(const AggregateBatch& batch) {
  if (closed_) return absl::FailedPreconditionError("the files are closed; make a new sink");
  if (batch.identity().collector.size() > UINT16_MAX || batch.identity().pipeline.size() > UINT16_MAX) {
    return absl::InvalidArgumentError("names of collectors and pipelines have at most 65535 octets");
  }
  const std::unique_ptr<message::RecordEncoder> encoder = message::NewRecordEncoder(options_.format, &batch.schema());
  const std::string header = encoder->Header();
  const uint64_t layout = base::HashOctets(reinterpret_cast<const uint8_t*>(header.data()), header.size());
  absl::StatusOr<Part*> part = PartOf(batch);
  if (!part.ok()) return part.status();
  if (Knows(**part, batch.identity())) {
    ++counters_.batches_skipped;
    return absl::OkStatus();
  }
  const std::vector<BatchHeader>& written = (*part)->file->batches();
  if (!written.empty() && (written.back().layout != layout || (*part)->file->size() >= options_.max_file_octets)) {
    const std::string key = EscapedName(NumberedName((*part)->name, suffix_, 1));
    if (absl::Status status = Finish(parts_.find(key)); !status.ok()) return status;
    part = PartOf(batch);
    if (!part.ok()) return part.status();
  }
  const uint64_t before = (*part)->file->size();
  if (absl::Status status = (*part)->file->Append(batch, layout, encoder.get(), &writer_); !status.ok()) {
    if ((*part)->file->broken()) parts_.erase(EscapedName(NumberedName((*part)->name, suffix_, 1)));
    return status;
  }
  ++counters_.batches;
  counters_.rows += batch.size();
  counters_.octets += (*part)->file->size() - before;
  (*part)->last_end = std::max((*part)->last_end, batch.bin().end_nanos);
  // The batch is kept: what goes wrong from here on is no error of it.
  trouble_.clear();
  FinishWhatIsDue(batch.bin());
  if (options_.now() >= next_retain_) Tell(Retain());
  return absl::OkStatus();
}

// By the bin at hand, not by the latest ever: a bin of a wrong clock ends what is open once, not for good.
void FileSinkImpl::FinishWhatIsDue(const aggregate::TimeBin& bin) {
  for (Parts::iterator part = parts_.begin(); part != parts_.end();) {
    const Parts::iterator next = std::next(part);
    const int64_t end = part->second.last_end;
    if (end < bin.end_nanos && absl::FromUnixNanos(end) + options_.finish_after <= absl::FromUnixNanos(bin.end_nanos)) {
      Tell(Finish(part));
    }
    part = next;
  }
}

absl::Status FileSinkImpl::Finish(Parts::iterator iterator) {
  Part& part = iterator->second;
  if (part.file->batches().empty()) {
    if (absl::Status status = part.file->Remove(); !status.ok()) return status;
    parts_.erase(iterator);
    return absl::OkStatus();
  }
  const std::string path = absl::StrCat(options_.folder, "/", part.name);
  if (absl::Status status = MakeFolders(path.substr(0, path.rfind('/'))); !status.ok()) return status;
  absl::Status status = absl::ResourceExhaustedError(
      absl::StrCat("there are ", kMaxNumber, " files of the name ", path, "; choose a name with a shorter time"));
  for (int number = 1; number < kMaxNumber; ++number) {
    const std::string target = absl::StrCat(options_.folder, "/", NumberedName(part.name, part.suffix, number));
    status = part.file->Rename(target);
    if (!absl::IsAlreadyExists(status)) break;
  }
  if (!status.ok()) return status;
  ++counters_.files_finished;
  parts_.erase(iterator);
  next_retain_ = absl::InfinitePast();
  return absl::OkStatus();
}

absl::Status FileSinkImpl::Close() {
  if (closed_) return absl::OkStatus();
  absl::Status first;
  while (options_.finish_at_close && first.ok() && !parts_.empty()) first = Finish(parts_.begin());
  if (!first.ok()) return first;
  closed_ = true;
  parts_.clear();
  return Retain();
}

void FileSinkImpl::FindFiles(const std::string& folder, int depth, std::vector<Found>* files) const {
  if (depth > kMaxDepth) return;
  for (const std::string& name : NamesIn(folder)) {
    if (name[0] == '.') continue;
    const std::string path = absl::StrCat(folder, "/", name);
    struct stat info = {};
    if (lstat(path.c_str(), &info) != 0) continue;
    if (S_ISDIR(info.st_mode)) {
      FindFiles(path, depth + 1, files);
    } else if (S_ISREG(info.st_mode) && absl::EndsWith(name, ".zst") && IsBatchFile(path)) {
      files->push_back({path, info.st_mtim.tv_sec * int64_t{1000000000} + info.st_mtim.tv_nsec,
                        static_cast<uint64_t>(info.st_size)});
    }
  }
}

absl::Status FileSinkImpl::Retain() {
  next_retain_ = options_.now() + kRetainEvery;
  if (options_.retention == absl::InfiniteDuration() && options_.max_total_octets == 0) return absl::OkStatus();
  std::vector<Found> files;
  FindFiles(options_.folder, 0, &files);
  std::sort(files.begin(), files.end(),
            [](const Found& a, const Found& b) { return std::tie(a.changed, a.path) < std::tie(b.changed, b.path); });
  uint64_t octets = 0;
  for (const Found& file : files) octets += file.octets;
  // What is not finished counts, but cannot be removed.
  for (const auto& [key, part] : parts_) octets += part.file->size();
  const absl::Time oldest = options_.now() - options_.retention;
  absl::Status status;
  for (const Found& file : files) {
    const bool old = absl::FromUnixNanos(file.changed) < oldest;
    if (!old && (options_.max_total_octets == 0 || octets <= options_.max_total_octets)) break;
    if (unlink(file.path.c_str()) != 0 && errno != ENOENT) {
      status = FileError("remove", file.path, errno);
      continue;
    }
    ++counters_.files_removed;
    octets -= file.octets;
    // Folders that this leaves empty; the first that is not ends it.
    for (std::string above = file.path; (above = above.substr(0, above.rfind('/'))) != options_.folder;) {
      if (rmdir(above.c_str()) != 0) break;
    }
  }
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileSink>> NewFileSink(FileOptions options) {
  while (options.folder.size() > 1 && options.folder.back() == '/') options.folder.pop_back();
  if (options.folder.empty() || options.folder == "/") {
    return absl::InvalidArgumentError("files: no folder is named; name one of their own, such as /var/lib/flows");
  }
  if (FileSuffix(options.format).empty()) {
    return absl::InvalidArgumentError("files: Avro has no files here; choose json, csv or protobuf");
  }
  if (options.compression_level < 1 || options.compression_level > 19) {
    return absl::InvalidArgumentError(absl::StrCat("files: compression_level ", options.compression_level,
                                                   " is not from 1 to 19; 3 is a good choice"));
  }
  if (options.max_open_files == 0)
    return absl::InvalidArgumentError("files: max_open_files is 0; at least 1 is needed");
  if (options.finish_after < absl::ZeroDuration() || options.retention < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("files: finish_after and retention are not below zero");
  }
  absl::StatusOr<NameTemplate> name = NameTemplate::Parse(options.name);
  if (!name.ok()) return name.status();
  auto sink = std::make_unique<FileSinkImpl>(std::move(options), *std::move(name));
  if (absl::Status status = sink->Open(); !status.ok()) return status;
  return sink;
}

}  // namespace flowacct::sink::file
