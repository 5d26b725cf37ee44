// A configuration file: read, checked in what its schema (config.proto) can say, and the place of each value kept, so
// that whoever finds a value wrong can tell where it stands.
//
//     auto file = ConfigFile::Parse(text, "collector.conf");
//     if (bad) return file->ErrorAt(pipeline, "by", "no field is called ...");   // collector.conf:12:7: by: no field
//     ...
//
// Checked here: syntax, unknown words (with the nearest right one), required values, names that are unique and of plain
// letters, exactly one kind of input and sink, references to inputs, durations, sizes and addresses. Not checked: what
// needs other rooms (fields, filters, files, sockets).
// Ownership: owns its message; places are of that message alone. Threads: immutable once parsed.
// Errors: InvalidArgument "FILE:LINE:COLUMN: what; what to do", the first one.

#ifndef FLOWACCT_COLLECTOR_CONFIG_CONFIG_FILE_H_
#define FLOWACCT_COLLECTOR_CONFIG_CONFIG_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/collector/config/config.pb.h"

namespace flowacct::config {

class ConfigFile {
 public:
  // `name` stands for the file in errors.
  static absl::StatusOr<ConfigFile> Parse(absl::string_view text, absl::string_view name);
  // Of a message that was made otherwise (from flags): errors name the fields only. Checked as a file is.
  static absl::StatusOr<ConfigFile> FromMessage(Config message, absl::string_view name);

  const Config& message() const { return *message_; }
  const std::string& name() const { return name_; }

  // `message` is a part of message(); `field` one of its fields, `index` which of a repeated one.
  absl::Status ErrorAt(const google::protobuf::Message& message, absl::string_view field, absl::string_view text,
                       int index = 0) const;

  // The value of a field that is a duration or a size, which the check found right.
  static absl::Duration DurationOf(absl::string_view text);
  static uint64_t OctetsOf(absl::string_view text);

  // The message as text, with comments gone and nothing secret in it: keys are named by their files.
  std::string Print() const;

 private:
  friend class ConfigCheck;
  struct Place {
    int line = 0;
    int column = 0;
  };
  // A field of a message, by the message's address, the field's number and its index.
  using PlaceKey = std::pair<const google::protobuf::Message*, std::pair<int, int>>;

  ConfigFile() = default;

  std::string name_;
  std::unique_ptr<Config> message_;  // its parts do not move with this
  absl::flat_hash_map<PlaceKey, Place> places_;
};

// "30s", "5m", "1h30m", "1d"; nothing else, and more than zero.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);
// "65536", "64KiB", "8MiB", "1GiB".
absl::StatusOr<uint64_t> ParseOctets(absl::string_view text);

}  // namespace flowacct::config

#endif  // FLOWACCT_COLLECTOR_CONFIG_CONFIG_FILE_H_
