// One frame of `flowacct top`: lines for a terminal of some height, from what was last sampled.
//
// The headline and the views' names are always there; what does not fit below is left off, with a line that says so.
// Losses are red while they happen, and yellow once they did. No text from the wire moves the terminal's cursor;
// whoever draws a line cuts it at the terminal's width. Threads: plain values. Cost: linear in what is shown.

#ifndef FLOWACCT_COLLECTOR_TOP_FRAME_H_
#define FLOWACCT_COLLECTOR_TOP_FRAME_H_

#include <cstddef>
#include <string>
#include <vector>

#include "flowacct/collector/admin/process_status.h"
#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/client/text_grid.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/top/rates.h"

namespace flowacct::collector {

// What is shown.
struct TopModel {
  std::string address;
  std::string trouble;  // why the last sample could not be had; empty: it could
  bool sampled = false;
  CollectorStatus status;
  ProcessStatus process;
  StatusRates rates;
  std::vector<double> history;  // records a second of the inputs, the newest last

  std::vector<ExporterRates> exporters;
  std::vector<std::string> pipelines;  // those that answer questions: a view each
  QueryAnswer groups;                  // of the view's pipeline
  std::vector<double> group_rates;     // see RatesOf
  size_t group_order = 0;              // the column that rates are of
  std::string group_trouble;

  size_t view = 0;  // 0: overview, 1: exporters, from 2 on the groups of pipelines[view - 2]
  size_t scroll = 0;
  bool paused = false;

  size_t views() const { return 2 + pipelines.size(); }
};

struct FrameOptions {
  size_t rows = 0;           // 0: as many as there are
  bool interactive = false;  // with the keys that it hears
  bool unicode = true;
};

// `max_scroll`, unless null: how far the view can be scrolled.
std::vector<Line> Frame(const TopModel& model, const FrameOptions& options, size_t* max_scroll = nullptr);

// The newest of `values` as bars, the largest being the highest: "▁▃▇". In ASCII "_-=#".
std::string Sparkline(const std::vector<double>& values, size_t width, bool unicode);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_TOP_FRAME_H_
