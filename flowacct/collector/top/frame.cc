#include "flowacct/collector/top/frame.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "flowacct/collector/admin/identity.h"
#include "flowacct/collector/client/report_text.h"
#include "flowacct/collector/progress.h"

namespace flowacct::collector {
namespace {

constexpr size_t kSparkWidth = 24;
constexpr size_t kBarWidth = 20;

void Append(const TextGrid& grid, std::vector<Line>* lines) {
  for (Line& line : grid.Lines()) lines->push_back(std::move(line));
}

void AddHeader(std::initializer_list<absl::string_view> titles, TextGrid* grid) {
  for (absl::string_view title : titles) grid->Add(title, Style::kBold);
}

void AddRates(std::initializer_list<double> rates, TextGrid* grid) {
  for (const double rate : rates) grid->Add(RateText(rate));
}

// A rate that should be zero: red while it is not, yellow where there was a loss before.
void AddLoss(double rate, uint64_t total, TextGrid* grid) {
  grid->Add(RateText(rate), rate > 0 ? Style::kBad : total > 0 ? Style::kWarning : Style::kPlain);
}
void AddTotal(double rate, uint64_t total, TextGrid* grid) {
  grid->Add(GroupDigits(total), rate > 0 ? Style::kBad : total > 0 ? Style::kWarning : Style::kPlain);
}

// Octets as bits.
std::string Bits(double octets) { return RateText(8 * octets); }

void Trouble(absl::string_view of, absl::string_view text, std::vector<Line>* lines) {
  if (!text.empty()) lines->push_back(Line().Add(absl::StrCat(of, ": ", Printable(text)), Style::kBad));
}

void Summary(const TopModel& model, const FrameOptions& options, std::vector<Line>* lines) {
  const StatusRates& rates = model.rates;
  Line line;
  line.Add("records/s ").Add(RateText(rates.total.records), Style::kBold);
  const std::string spark = Sparkline(model.history, kSparkWidth, options.unicode);
  if (!spark.empty()) line.Add(" ").Add(spark, Style::kDim);
  line.Add(absl::StrCat("  exporters ", GroupDigits(model.status.exporters), "  CPU ",
                        absl::StrFormat("%.0f%%", 100 * rates.cpu_share), "  memory ",
                        ShortOctets(model.process.resident_octets)));
  lines->push_back(line);

  const std::vector<Equation> equations = Identity(model.status);
  const size_t broken = BrokenEquations(equations);
  Line identity;
  identity.Add("identity ").Add(broken == 0 ? "holds" : "BROKEN", broken == 0 ? Style::kGood : Style::kBad);
  if (rates.total.kernel_dropped > 0) {
    const double share = rates.total.kernel_dropped / (rates.total.received + rates.total.kernel_dropped);
    identity.Add("  ").Add(
        absl::StrCat("the kernel drops ", absl::StrFormat("%.2f%%", 100 * share), " before it is seen"), Style::kBad);
  }
  if (rates.total.rejected > 0) {
    const double share = rates.total.received > 0 ? rates.total.rejected / rates.total.received : 1;
    identity.Add("  ").Add(absl::StrCat(absl::StrFormat("%.2f%%", 100 * share), " rejected"), Style::kBad);
  }
  lines->push_back(identity);
  for (const Equation& equation : equations) {
    if (!equation.Holds()) Trouble(equation.of, equation.ToString(), lines);
  }
}

void Inputs(const TopModel& model, std::vector<Line>* lines) {
  TextGrid grid({false, false, true, true, true, true, true, true});
  AddHeader({"INPUT", "KIND", "datagr/s", "bit/s", "records/s", "dropped/s", "rejected/s", "lost in all"}, &grid);
  for (size_t i = 0; i < model.status.inputs.size(); ++i) {
    const InputStatus& input = model.status.inputs[i];
    const InputRates& rates = model.rates.inputs[i];
    const uint64_t rejected = RejectedBy(input);
    grid.Add(Printable(input.name), input.up ? Style::kPlain : Style::kBad);
    grid.Add(input.up ? Printable(input.kind) : "down", input.up ? Style::kPlain : Style::kBad);
    grid.Add(RateText(rates.received));
    grid.Add(Bits(rates.octets));
    grid.Add(RateText(rates.records));
    AddLoss(rates.kernel_dropped, input.kernel_dropped, &grid);
    AddLoss(rates.rejected, rejected, &grid);
    AddTotal(rates.kernel_dropped + rates.rejected, input.kernel_dropped + rejected, &grid);
  }
  Append(grid, lines);
}

void Pipelines(const TopModel& model, std::vector<Line>* lines) {
  if (model.status.pipelines.empty()) return;
  lines->emplace_back();
  TextGrid grid({false, true, true, true, true, true, true, true, true});
  AddHeader({"PIPELINE", "records/s", "filtered/s", "late/s", "overfl./s", "packets/s", "bit/s", "groups", "memory"},
            &grid);
  for (size_t i = 0; i < model.status.pipelines.size(); ++i) {
    const PipelineStatus& pipeline = model.status.pipelines[i];
    const PipelineRates& rates = model.rates.pipelines[i];
    grid.Add(Printable(pipeline.name));
    AddRates({rates.records, rates.filtered + rates.dropped}, &grid);
    AddLoss(rates.late, pipeline.records_late, &grid);
    AddLoss(rates.overflowed, pipeline.records_overflowed, &grid);
    grid.Add(RateText(rates.packets));
    grid.Add(Bits(rates.bytes));
    grid.Add(GroupDigits(pipeline.open_groups));
    grid.Add(ShortOctets(pipeline.open_octets));
  }
  Append(grid, lines);
}

void Sinks(const TopModel& model, std::vector<Line>* lines) {
  TextGrid grid({false, true, true, true, true, true});
  AddHeader({"SINK", "rows/s", "batches", "waiting", "lost rows/s", "lost rows"}, &grid);
  bool any = false;
  for (size_t i = 0; i < model.status.pipelines.size(); ++i) {
    const PipelineStatus& pipeline = model.status.pipelines[i];
    for (size_t j = 0; j < pipeline.sinks.size(); ++j) {
      const SinkStatus& sink = pipeline.sinks[j];
      const SinkRates& rates = model.rates.pipelines[i].sinks[j];
      any = true;
      grid.Add(Printable(absl::StrCat(pipeline.name, "/", sink.name)));
      grid.Add(RateText(rates.rows));
      grid.Add(GroupDigits(sink.batches));
      grid.Add(GroupDigits(sink.waiting));
      AddLoss(rates.rows_lost, sink.rows_lost, &grid);
      AddTotal(rates.rows_lost, sink.rows_lost, &grid);
    }
  }
  if (!any) return;
  lines->emplace_back();
  Append(grid, lines);
}

void Replicas(const TopModel& model, std::vector<Line>* lines) {
  if (model.status.replicas.empty()) return;
  lines->emplace_back();
  TextGrid grid({false, false, true, true, true});
  AddHeader({"REPLICA", "TO", "sent/s", "dropped/s", "errors/s"}, &grid);
  for (size_t i = 0; i < model.status.replicas.size(); ++i) {
    const ReplicaStatus& replica = model.status.replicas[i];
    for (size_t j = 0; j < replica.receivers.size(); ++j) {
      const ReplicaReceiverStatus& to = replica.receivers[j];
      const ReceiverRates& rates = model.rates.replicas[i][j];
      grid.Add(Printable(replica.name));
      grid.Add(Printable(to.to));
      grid.Add(RateText(rates.sent));
      AddLoss(rates.dropped, to.dropped, &grid);
      AddLoss(rates.errors, to.errors, &grid);
    }
  }
  Append(grid, lines);
}

void Overview(const TopModel& model, const FrameOptions& options, std::vector<Line>* lines) {
  Summary(model, options, lines);
  lines->emplace_back();
  Inputs(model, lines);
  Pipelines(model, lines);
  Sinks(model, lines);
  Replicas(model, lines);
  std::vector<Line> troubles;
  for (const InputStatus& input : model.status.inputs) {
    Trouble(absl::StrCat("input ", Printable(input.name)), input.trouble, &troubles);
  }
  for (const PipelineStatus& pipeline : model.status.pipelines) {
    for (const SinkStatus& sink : pipeline.sinks) {
      Trouble(absl::StrCat("sink ", Printable(pipeline.name), "/", Printable(sink.name)), sink.last_error, &troubles);
    }
  }
  Trouble("the last reload was refused", model.status.last_reload_error, &troubles);
  if (troubles.empty()) return;
  lines->emplace_back();
  for (Line& line : troubles) lines->push_back(std::move(line));
}

void Exporters(const TopModel& model, std::vector<Line>* lines) {
  if (model.exporters.empty()) {
    lines->push_back(Line().Add("no exporter was heard of"));
    return;
  }
  TextGrid grid({false, false, true, true, true, true, true, true, true});
  AddHeader({"EXPORTER", "PROTOCOL", "domain", "datagr/s", "bit/s", "records/s", "errors/s", "lost/s", "coverage"},
            &grid);
  for (const ExporterRates& e : model.exporters) {
    grid.Add(e.exporter);
    grid.Add(Printable(e.protocol));
    grid.Add(absl::StrCat(e.domain));
    grid.Add(RateText(e.datagrams));
    grid.Add(Bits(e.octets));
    grid.Add(RateText(e.records));
    AddLoss(e.errors, 0, &grid);
    if (e.unit.empty()) {
      grid.Add("-");
      grid.Add("-");
    } else {
      AddLoss(e.lost, e.lost_total, &grid);
      grid.Add(CoverageText(e.coverage), e.lost > 0 ? Style::kBad : e.coverage < 1 ? Style::kWarning : Style::kPlain);
    }
  }
  Append(grid, lines);
}

void Groups(const TopModel& model, const FrameOptions& options, std::vector<Line>* lines) {
  Trouble("query", model.group_trouble, lines);
  const QueryAnswer& groups = model.groups;
  if (groups.rows.empty()) {
    if (model.group_trouble.empty()) lines->push_back(Line().Add("no traffic in the open bin yet"));
    return;
  }
  // The share among what is shown, by the column that orders them.
  const size_t order = model.group_order;
  std::vector<double> values;
  double largest = 0, sum = 0;
  for (const std::vector<QueryAnswer::Cell>& row : groups.rows) {
    double value = 0;
    if (order >= row.size() || !absl::SimpleAtod(row[order].text, &value) || !(value > 0)) value = 0;
    values.push_back(value);
    largest = std::max(largest, value);
    sum += value;
  }
  std::vector<bool> right;
  for (size_t i = 0; i < groups.columns.size(); ++i) right.push_back(groups.IsCounter(i));
  const bool shares = sum > 0;
  if (shares) {
    right.push_back(true);
    right.push_back(false);
  }
  TextGrid grid(right);
  for (const std::string& column : groups.columns) grid.Add(Printable(column), Style::kBold);
  if (shares) {
    grid.Add(absl::StrCat(Printable(groups.columns[order]), "/s"), Style::kBold);
    grid.Add("");
  }
  for (size_t i = 0; i < groups.rows.size(); ++i) {
    const std::vector<QueryAnswer::Cell>& row = groups.rows[i];
    for (size_t j = 0; j < row.size(); ++j) {
      if (row[j].kind == QueryAnswer::Kind::kAbsent) {
        grid.Add("-");
      } else {
        grid.Add(right[j] ? GroupDigits(row[j].text) : Printable(row[j].text));
      }
    }
    if (!shares) continue;
    const double rate = i < model.group_rates.size() ? model.group_rates[i] : -1;
    grid.Add(rate < 0 ? "-" : RateText(rate));
    const auto length = static_cast<size_t>(std::lround(values[i] / largest * static_cast<double>(kBarWidth)));
    std::string bar;
    for (size_t b = 0; b < length; ++b) bar.append(options.unicode ? "▇" : "#");
    grid.Add(bar, Style::kDim);
  }
  Append(grid, lines);
  if (groups.groups > groups.rows.size()) {
    lines->push_back(
        Line().Add(absl::StrCat("and ", GroupDigits(groups.groups - groups.rows.size()), " more groups"), Style::kDim));
  }
}

Line Tabs(const TopModel& model, const FrameOptions& options) {
  Line line;
  for (size_t i = 0; i < model.views(); ++i) {
    const std::string name = i == 0   ? "overview"
                             : i == 1 ? "exporters"
                                      : absl::StrCat("groups of ", Printable(model.pipelines[i - 2]));
    const bool chosen = i == model.view;
    line.Add(absl::StrCat(chosen ? "[" : " ", i + 1, " ", name, chosen ? "]" : " "),
             chosen ? Style::kInverse : Style::kPlain);
    line.Add(" ");
  }
  if (options.interactive) line.Add(" q quit, tab view, p pause", Style::kDim);
  if (model.paused) line.Add("  ").Add("PAUSED", Style::kWarning);
  return line;
}

}  // namespace

std::string Sparkline(const std::vector<double>& values, size_t width, bool unicode) {
  static constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr const char* kPlain[] = {"_", "-", "=", "#"};
  const size_t first = values.size() > width ? values.size() - width : 0;
  double largest = 0;
  for (size_t i = first; i < values.size(); ++i) largest = std::max(largest, values[i]);
  std::string line;
  for (size_t i = first; i < values.size(); ++i) {
    const size_t steps = unicode ? std::size(kBars) : std::size(kPlain);
    const double share = largest > 0 ? std::max(0.0, values[i]) / largest : 0;
    const size_t step = std::min(steps - 1, static_cast<size_t>(share * static_cast<double>(steps)));
    line.append(unicode ? kBars[step] : kPlain[step]);
  }
  return line;
}

std::vector<Line> Frame(const TopModel& model, const FrameOptions& options, size_t* max_scroll) {
  if (max_scroll != nullptr) *max_scroll = 0;
  std::vector<Line> lines;
  if (model.sampled) {
    lines.push_back(Headline(model.status));
  } else {
    lines.push_back(Line().Add("flowacct top", Style::kBold).Add("  ").Add(Printable(model.address)));
  }
  if (!model.trouble.empty()) {
    lines.push_back(Line().Add(Printable(model.trouble), Style::kBad));
  }
  if (!model.sampled) return lines;
  lines.push_back(Tabs(model, options));
  lines.emplace_back();

  std::vector<Line> body;
  if (model.view == 0) {
    Overview(model, options, &body);
  } else if (model.view == 1) {
    Exporters(model, &body);
  } else {
    Groups(model, options, &body);
  }
  // A table's header stays where it is, and one line tells of what is left off.
  const size_t header = model.view == 0 ? 0 : 1;
  const size_t room = options.rows == 0 ? body.size() : options.rows - std::min(options.rows, lines.size());
  if (body.size() <= room || room < header + 2) {
    const size_t shown = std::min(body.size(), room);
    for (size_t i = 0; i < shown; ++i) lines.push_back(std::move(body[i]));
    return lines;
  }
  const size_t all = body.size() - header, shown = room - header - 1;
  if (max_scroll != nullptr) *max_scroll = all - shown;
  const size_t from = std::min(model.scroll, all - shown);
  if (header > 0) lines.push_back(std::move(body[0]));
  for (size_t i = from; i < from + shown; ++i) lines.push_back(std::move(body[header + i]));
  lines.push_back(Line().Add(absl::StrCat("lines ", from + 1, " to ", from + shown, " of ", all,
                                          options.interactive ? "; up and down move" : ""),
                             Style::kDim));
  return lines;
}

}  // namespace flowacct::collector
