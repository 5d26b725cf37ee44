#include "flowacct/collector/spool/spool.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "flowacct/aggregate/batch_octets.h"
#include "flowacct/base/octets.h"

namespace flowacct::collector {
namespace {

// "00000000000000000042.1500.1767225600": number, rows, when. What is to be known of a file whose octets are lost.
bool ParseName(absl::string_view name, uint64_t* number, uint64_t* rows, int64_t* seconds) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '.');
  return parts.size() == 3 && absl::SimpleAtoi(parts[0], number) && absl::SimpleAtoi(parts[1], rows) &&
         absl::SimpleAtoi(parts[2], seconds);
}

}  // namespace

std::string Spool::NameOf(uint64_t number, const File& file) {
  return absl::StrFormat("%020u.%u.%d", number, file.rows, file.seconds);
}

absl::StatusOr<std::shared_ptr<Spool>> Spool::Open(SpoolOptions options) {
  absl::StatusOr<std::unique_ptr<StateDirectory>> directory = StateDirectory::Open(options.folder);
  if (!directory.ok()) return directory.status();
  std::shared_ptr<Spool> spool(new Spool(std::move(options), *std::move(directory)));
  if (absl::Status status = spool->Find(); !status.ok()) return status;
  return spool;
}

absl::Status Spool::Find() {
  const absl::StatusOr<std::vector<StateDirectory::File>> found = directory_->List();
  if (!found.ok()) return found.status();
  base::MutexLock lock(&mutex_);
  for (const StateDirectory::File& entry : *found) {
    uint64_t number = 0;
    File file;
    file.octets = entry.octets;
    if (ParseName(entry.name, &number, &file.rows, &file.seconds)) {
      files_[number] = file;
      next_number_ = std::max(next_number_, number + 1);
    } else if (entry.set_aside) {
      aside_[entry.name] = entry.octets;
      // A number that was set aside is not given again.
      if (ParseName(entry.name.substr(0, entry.name.find('+')), &number, &file.rows, &file.seconds)) {
        next_number_ = std::max(next_number_, number + 1);
      }
    } else {
      continue;  // not ours
    }
    octets_ += entry.octets;
  }
  return absl::OkStatus();
}

void Spool::Drop(std::map<uint64_t, File>::iterator file, Losses* losses) {
  (void)directory_->Remove(NameOf(file->first, file->second));
  ++losses->dropped;
  losses->rows += file->second.rows;
  octets_ -= file->second.octets;
  files_.erase(file);
}

void Spool::DropExpired(absl::Time now, Losses* losses) {
  for (auto file = files_.begin(); file != files_.end();) {
    const auto at = file++;
    const absl::Duration age = now - absl::FromUnixSeconds(at->second.seconds);
    if (!at->second.taken && age > options_.max_age) Drop(at, losses);
  }
}

void Spool::SetBounds(const SpoolOptions& options) {
  base::MutexLock lock(&mutex_);
  options_ = options;
}

absl::StatusOr<std::shared_ptr<Spool>> Spools::Open(const SpoolOptions& options) {
  base::MutexLock lock(&mutex_);
  std::weak_ptr<Spool>& known = open_[options.folder];
  if (std::shared_ptr<Spool> spool = known.lock()) {
    spool->SetBounds(options);
    return spool;
  }
  absl::StatusOr<std::shared_ptr<Spool>> spool = Spool::Open(options);
  if (spool.ok()) {
    known = *spool;
  } else {
    open_.erase(options.folder);
  }
  return spool;
}

bool Spool::MakeRoom(uint64_t octets, Losses* losses) {
  if (octets > options_.max_octets) return false;
  while (!aside_.empty() && octets_ + octets > options_.max_octets) {
    (void)directory_->RemoveSetAside(aside_.begin()->first);
    octets_ -= aside_.begin()->second;
    aside_.erase(aside_.begin());
  }
  for (auto file = files_.begin();
       options_.drop_oldest && file != files_.end() && octets_ + octets > options_.max_octets;) {
    const auto at = file++;
    if (!at->second.taken) Drop(at, losses);
  }
  return octets_ + octets <= options_.max_octets;
}

std::string Spool::Encode(const aggregate::AggregateBatch& batch) {
  std::string octets;
  (void)aggregate::WriteBatch(batch, [&octets](base::Octets piece) {
    octets += std::string(base::AsText(piece));
    return absl::OkStatus();
  });
  return octets;
}

uint64_t Spool::Reserve(uint64_t octets, uint64_t rows, absl::Time now, Losses* losses) {
  base::MutexLock lock(&mutex_);
  DropExpired(now, losses);
  if (!MakeRoom(octets, losses)) {
    ++losses->dropped;
    losses->rows += rows;
    return 0;
  }
  File file;
  file.rows = rows;
  file.seconds = absl::ToUnixSeconds(now);
  file.octets = octets;
  file.published = false;
  file.taken = true;
  octets_ += octets;
  files_[next_number_] = file;
  return next_number_++;
}

absl::Status Spool::Write(uint64_t number, absl::string_view octets) {
  const absl::Status status = directory_->Write(NameOf(number), octets);
  if (!status.ok()) (void)Remove(number);
  return status;
}

void Spool::Publish(uint64_t number) {
  base::MutexLock lock(&mutex_);
  files_[number].published = true;
  files_[number].taken = false;
}

uint64_t Spool::Take(absl::Time now, Losses* losses) {
  base::MutexLock lock(&mutex_);
  DropExpired(now, losses);
  for (auto& [number, file] : files_) {
    if (file.taken) continue;
    file.taken = true;
    return number;
  }
  return 0;
}

absl::StatusOr<aggregate::AggregateBatch> Spool::Read(uint64_t number) const {
  const absl::StatusOr<std::string> octets = directory_->Read(NameOf(number));
  if (absl::IsNotFound(octets.status())) return absl::DataLossError(octets.status().message());
  if (!octets.ok()) return octets.status();
  absl::StatusOr<aggregate::AggregateBatch> batch = aggregate::ReadBatch(base::AsOctets(*octets));
  if (batch.ok()) return batch;
  return absl::Status(batch.status().code(),
                      absl::StrCat(folder(), "/", NameOf(number), ": ", batch.status().message()));
}

uint64_t Spool::rows(uint64_t number) const {
  base::MutexLock lock(&mutex_);
  const auto file = files_.find(number);
  return file == files_.end() ? 0 : file->second.rows;
}

std::string Spool::NameOf(uint64_t number) const {
  base::MutexLock lock(&mutex_);
  const auto file = files_.find(number);
  return NameOf(number, file == files_.end() ? File() : file->second);
}

absl::Status Spool::Remove(uint64_t number) {
  base::MutexLock lock(&mutex_);
  const auto file = files_.find(number);
  if (file == files_.end()) return absl::OkStatus();
  absl::Status status = directory_->Remove(NameOf(number, file->second));
  octets_ -= file->second.octets;
  files_.erase(file);
  return status;
}

void Spool::GiveBack(uint64_t number) {
  base::MutexLock lock(&mutex_);
  const auto file = files_.find(number);
  if (file != files_.end()) file->second.taken = false;
}

void Spool::SetAside(uint64_t number) {
  base::MutexLock lock(&mutex_);
  const auto file = files_.find(number);
  if (file == files_.end()) return;
  const std::string name = NameOf(number, file->second);
  if (absl::StatusOr<std::string> path = directory_->SetAside(name); path.ok()) {
    aside_[path->substr(path->rfind('/') + 1)] = file->second.octets;
  } else {
    (void)directory_->Remove(name);
    octets_ -= file->second.octets;
  }
  files_.erase(file);
}

Spool::Contents Spool::contents() const {
  base::MutexLock lock(&mutex_);
  Contents contents;
  contents.octets = octets_;
  for (const auto& [number, file] : files_) contents.batches += file.published ? 1 : 0;
  return contents;
}

}  // namespace flowacct::collector
