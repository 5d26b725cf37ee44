// The JSON of the API's answers: what a collector tells of itself, written by the server and read by its clients.
//
// A member's name is that of the struct's (collector_status.h, exporter_report.h), so that one table says both
// directions (status_members.def). Times are RFC 3339 in UTC, durations seconds; numbers are whole and may need 64
// bits. Text from the wire is made valid UTF-8 and harmless on a terminal. Reading takes what an older or newer
// collector says: members that are missing keep their defaults, unknown ones are skipped; a member of a wrong type is
// an error. Threads: any. Errors: InvalidArgument that names the first member that is wrong.

#ifndef FLOWACCT_COLLECTOR_ADMIN_STATUS_JSON_H_
#define FLOWACCT_COLLECTOR_ADMIN_STATUS_JSON_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/admin/identity.h"
#include "flowacct/collector/admin/process_status.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

// The collector's status with "process" beside its own members.
std::string StatusAsJson(const CollectorStatus& status, const ProcessStatus& process);
absl::StatusOr<CollectorStatus> StatusFromJson(absl::string_view json);
absl::StatusOr<ProcessStatus> ProcessFromJson(absl::string_view json);  // of the same text

// {"exporters":[...],"more":0}: the first `limit`, and how many were left off. `coverage` is added to each.
// `templates`: whether templates, sampling and interfaces are told.
std::string ExportersAsJson(const std::vector<record::ExporterReport>& exporters, bool templates, size_t limit);
absl::StatusOr<std::vector<record::ExporterReport>> ExportersFromJson(absl::string_view json);

// {"templates":[{"exporter":...,"protocol":...,"domain":...,"id":...},...],"more":0}
std::string TemplatesAsJson(const std::vector<record::ExporterReport>& exporters, size_t limit);

// {"holds":true,"equations":[...],"losses":{...}}
std::string IdentityAsJson(const std::vector<Equation>& equations, const LossReport& losses);

// {"error":"..."}
std::string ErrorAsJson(absl::string_view text);
// The text of such; empty if it is none.
std::string ErrorFromJson(absl::string_view json);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_STATUS_JSON_H_
