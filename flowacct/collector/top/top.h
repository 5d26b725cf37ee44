// `flowacct top`: samples a running collector, and shows rates until somebody has seen enough.
//
// On a terminal a live view that hears keys; elsewhere a plain frame each interval; with `once` one plain frame after
// two samples. Only what the view shows is asked for. A collector that goes away stays on the screen as it was, with
// the trouble in red, and is asked again.
// Threads: one at a time. Errors: RunTop's are of the first sample, and of an output that takes nothing.

#ifndef FLOWACCT_COLLECTOR_TOP_TOP_H_
#define FLOWACCT_COLLECTOR_TOP_TOP_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "flowacct/collector/client/collector_client.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/top/frame.h"
#include "flowacct/collector/top/screen.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

struct TopOptions {
  absl::Duration interval = absl::Seconds(2);
  // Of the views of groups; its pipeline is the one whose view comes first, if it is given.
  MemoryQuestion question;
  // 0: overview, 1: exporters, from 2 on groups.
  size_t view = 0;
  bool once = false;
  bool color = true;
  bool unicode = true;
};

// The state behind the view, without a terminal.
class Top {
 public:
  Top(CollectorClient* client, TopOptions options);

  // Asks the collector. An error is also in the model.
  absl::Status Sample();
  // False: it is over.
  bool OnKey(const KeyPress& press, size_t max_scroll, size_t page);
  const TopModel& model() const { return model_; }

 private:
  void Choose(size_t view);
  absl::Status SampleExporters(absl::Time now);
  absl::Status SampleGroups(absl::Time now);

  CollectorClient* const client_;
  const TopOptions options_;
  TopModel model_;
  CollectorStatus before_;
  ProcessStatus process_before_;
  // What the exporters and the groups were when the view was last sampled, and when.
  std::vector<record::ExporterReport> exporters_before_;
  absl::Time exporters_time_ = absl::InfinitePast();
  absl::Time groups_time_ = absl::InfinitePast();
  size_t groups_view_ = 0;
};

// Until `interrupted`, or a person says so. Input and output are file descriptors.
absl::Status RunTop(CollectorClient* client, const TopOptions& options, const std::function<bool()>& interrupted,
                    int input = 0, int output = 1);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_TOP_TOP_H_
