#include "flowacct/collector/server/captures_source.h"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace flowacct::collector {
namespace {

constexpr int64_t kLookNanos = 1000000000;

bool IsFolder(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

CapturesSource::CapturesSource(CapturesSourceOptions options) : options_(std::move(options)) {
  for (const std::string& path : options_.paths) {
    if (IsFolder(path)) {
      folders_.push_back(path);
    } else {
      waiting_.push_back({path, false});
    }
  }
}

Reading CapturesSource::Read() {
  Reading reading;
  while (reading.packets.empty()) {
    if (reader_ == nullptr && !OpenNext()) return reading;
    auto packets = reader_->NextBatch();
    if (!packets.ok() || packets->empty()) {
      if (!packets.ok()) {
        ++failed_;
        trouble_ = std::string(packets.status().message());
        if (options_.log) options_.log(trouble_);
      }
      Finish();
      continue;
    }
    if (!kind_) kind_ = options_.kind ? *options_.kind : DecideCaptureKind(*packets).kind;
    reading.packets = *packets;
  }
  reading.packet_kind = *kind_;
  packets_ += reading.packets.size();
  for (const CapturedPacket& packet : reading.packets) octets_ += packet.octets.size();
  time_nanos_ = std::max(time_nanos_, reading.packets.back().time_nanos);
  return reading;
}

bool CapturesSource::OpenNext() {
  if (waiting_.empty() && !folders_.empty()) {
    const int64_t now = options_.clock ? options_.clock() : absl::GetCurrentTimeNanos();
    if (now - last_look_nanos_ < kLookNanos && now >= last_look_nanos_) return false;
    last_look_nanos_ = now;
    LookIntoFolders();
  }
  while (!waiting_.empty()) {
    file_ = std::move(waiting_.front());
    waiting_.pop_front();
    kind_.reset();
    auto reader = CaptureReader::Open(file_.path);
    if (reader.ok()) {
      reader_ = *std::move(reader);
      return true;
    }
    ++failed_;
    trouble_ = std::string(reader.status().message());
    if (options_.log) options_.log(trouble_);
  }
  return false;
}

void CapturesSource::Finish() {
  reader_.reset();
  if (file_.of_folder && options_.remove) unlink(file_.path.c_str());
}

void CapturesSource::LookIntoFolders() {
  for (auto& [path, seen] : seen_) seen.still_there = false;
  std::vector<std::string> ready;
  for (const std::string& folder : folders_) {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder.c_str()), closedir);
    if (dir == nullptr) {
      trouble_ = absl::StrCat(folder, ": cannot be read; is it there, and may the collector read it?");
      // What was read of it is remembered until it can be looked into again.
      for (auto& [path, seen] : seen_) seen.still_there |= absl::StartsWith(path, absl::StrCat(folder, "/"));
      continue;
    }
    while (const dirent* entry = readdir(dir.get())) {
      if (entry->d_name[0] == '.' || fnmatch(options_.pattern.c_str(), entry->d_name, 0) != 0) continue;
      std::string path = absl::StrCat(folder, "/", entry->d_name);
      struct stat info;
      if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      const int64_t changed = int64_t{info.st_mtim.tv_sec} * 1000000000 + info.st_mtim.tv_nsec;
      const uint64_t size = static_cast<uint64_t>(info.st_size);
      auto found = seen_.find(path);
      if (found == seen_.end()) {
        if (seen_.size() >= options_.max_remembered) {
          trouble_ = absl::StrCat(folder, ": holds more than ", options_.max_remembered,
                                  " files; clear it, or let the collector remove what it read");
          continue;
        }
        seen_[path] = {size, changed, false, true};
        continue;
      }
      Seen& seen = found->second;
      seen.still_there = true;
      if (seen.taken) continue;
      if (seen.size == size && seen.changed_nanos == changed) {
        seen.taken = true;
        ready.push_back(std::move(path));
      } else {
        seen.size = size;
        seen.changed_nanos = changed;
      }
    }
  }
  for (auto it = seen_.begin(); it != seen_.end();) {
    if (it->second.still_there) {
      ++it;
    } else {
      seen_.erase(it++);
    }
  }
  std::sort(ready.begin(), ready.end());
  for (std::string& path : ready) waiting_.push_back({std::move(path), true});
}

void CapturesSource::AddTo(InputStatus* status) const {
  status->received += packets_;
  status->received_octets += octets_;
  if (!trouble_.empty()) status->trouble = trouble_;
}

}  // namespace flowacct::collector
