// Whom origin validation asks for VRPs, and what bounds it.
//
// A plain value. Errors: CheckValidationOptions, InvalidArgument that names the option, its value and what to do.

#ifndef FLOWACCT_COLLECTOR_VALIDATION_VALIDATION_OPTIONS_H_
#define FLOWACCT_COLLECTOR_VALIDATION_VALIDATION_OPTIONS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "flowacct/rpki/client.h"

namespace flowacct::collector {

struct ValidationOptions {
  std::vector<std::string> caches;  // tcp://ADDRESS:PORT (collector/socket/endpoint.h)
  std::vector<std::string> roa_files;

  // Version, most VRPs of one cache, and timers until it tells others. Most VRPs hold for a file, too.
  rpki::ClientOptions client;
  // rpki-client's file of 2026 has some 100 MiB. It is held in memory while it is read.
  size_t max_file_octets = size_t{1} << 30;

  absl::Duration connect_timeout = absl::Seconds(10);
  // Between two attempts: doubled after each, up to the cache's retry interval (RFC 8210, 6).
  absl::Duration first_retry = absl::Seconds(5);
  // How often files are looked at: their time, size and inode.
  absl::Duration look_at_files = absl::Seconds(1);
  // A file that does not change is read again, so that what has expired meanwhile goes.
  absl::Duration read_files_again = absl::Hours(1);
  // Tables are made no more often; where one takes long, it takes at most a tenth of the time.
  absl::Duration between_tables = absl::Seconds(1);
  // The first table waits so long for those that have neither told VRPs nor failed: what some know is not enough to
  // call a route invalid.
  absl::Duration first_table_waits = absl::Seconds(10);
};

absl::Status CheckValidationOptions(const ValidationOptions& options);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_VALIDATION_VALIDATION_OPTIONS_H_
