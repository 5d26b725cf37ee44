// What `flowacct status`, `exporters` and `templates` print: a collector's own values as text for people.
//
// Text from the wire is made harmless for a terminal. Threads: plain functions. Cost: linear in what is told.

#ifndef FLOWACCT_COLLECTOR_CLIENT_REPORT_TEXT_H_
#define FLOWACCT_COLLECTOR_CLIENT_REPORT_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/collector/admin/process_status.h"
#include "flowacct/collector/client/text_grid.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

// `color`: with losses and troubles in red.
std::string StatusAsText(const CollectorStatus& status, const ProcessStatus& process, bool color);
std::string ExportersAsText(const std::vector<record::ExporterReport>& exporters, bool color);
std::string TemplatesAsText(const std::vector<record::ExporterReport>& exporters);

// Pieces of these, for whoever shows the same in another way.
// "0.1.0, /etc/flowacct/collector.conf, up 3 d 04:12, ready, 2 workers"
Line Headline(const CollectorStatus& status);
// "12 s", "4:05 min", "04:12 h", "3 d 04:12"
std::string Uptime(absl::Duration duration);
// A share of what was seen: "100%", "99.93%", rounded down, so that only all is all.
std::string CoverageText(double coverage);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CLIENT_REPORT_TEXT_H_
