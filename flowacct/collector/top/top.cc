#include "flowacct/collector/top/top.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace flowacct::collector {
namespace {

// Of the history of rates: as many as a sparkline shows, and some.
constexpr size_t kHistory = 120;
// Groups of a view, unless the question says otherwise.
constexpr size_t kGroups = 50;
// How soon a change of the terminal's size is seen, and an interrupt.
constexpr absl::Duration kLook = absl::Milliseconds(200);

// The column that orders groups: the one that was asked for, or bytes, or the first that counts.
size_t OrderColumn(const QueryAnswer& answer, absl::string_view order) {
  size_t found = answer.columns.size();
  for (size_t i = answer.columns.size(); i-- > 0;) {
    if (answer.columns[i] == order) return i;
    if (answer.IsCounter(i) &&
        (answer.columns[i] == "bytes" || found == answer.columns.size() || answer.columns[found] != "bytes")) {
      found = i;
    }
  }
  return found;
}

absl::Status WriteAll(int output, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(output, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return absl::UnavailableError("standard output cannot be written");
    text.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

// Sleeps unless it is interrupted.
void Sleep(absl::Duration duration, const std::function<bool()>& interrupted) {
  const absl::Time end = absl::Now() + duration;
  for (absl::Time now = absl::Now(); now < end && !interrupted(); now = absl::Now()) {
    absl::SleepFor(std::min(kLook, end - now));
  }
}

absl::Status PrintFrame(const Top& top, const TopOptions& options, int output) {
  FrameOptions frame;
  frame.unicode = options.unicode;
  std::string text;
  for (const Line& line : Frame(top.model(), frame)) absl::StrAppend(&text, line.Render(/*color=*/false), "\n");
  return WriteAll(output, text);
}

// Frames one below the other, for whoever is no terminal.
absl::Status RunPlain(Top* top, const TopOptions& options, const std::function<bool()>& interrupted, int output) {
  for (bool first = true;; first = false) {
    Sleep(options.interval, interrupted);
    if (interrupted()) return absl::OkStatus();
    const absl::Status sampled = top->Sample();
    if (options.once && !sampled.ok()) return sampled;
    if (!first) {
      if (absl::Status status = WriteAll(output, "\n"); !status.ok()) return status;
    }
    if (absl::Status status = PrintFrame(*top, options, output); !status.ok() || options.once) return status;
  }
}

void RunLive(Top* top, const TopOptions& options, const std::function<bool()>& interrupted, int input, int output) {
  Screen screen(input, output);
  absl::Time next = absl::Now() + std::min(options.interval, absl::Seconds(1));
  Screen::Size size{0, 0};
  bool redraw = true;
  size_t max_scroll = 0;
  while (!interrupted()) {
    if (const Screen::Size now = screen.size(); now != size) {
      size = now;
      redraw = true;
    }
    if (redraw) {
      FrameOptions frame;
      frame.rows = size.rows;
      frame.interactive = true;
      frame.unicode = options.unicode;
      screen.Draw(Frame(top->model(), frame, &max_scroll), options.color);
      redraw = false;
    }
    bool closed = false;
    const absl::Duration wait = top->model().paused ? kLook : std::min(kLook, next - absl::Now());
    const size_t view = top->model().view;
    for (const KeyPress& press : screen.Wait(wait, &closed)) {
      if (!top->OnKey(press, max_scroll, size.rows)) return;
      redraw = true;
    }
    if (closed) return;
    // What another view shows was not asked for yet.
    const bool other = top->model().view != view;
    if (other || (!top->model().paused && absl::Now() >= next)) {
      if (absl::IsCancelled(top->Sample())) return;
      next = absl::Now() + options.interval;
      redraw = true;
    }
  }
}

}  // namespace

Top::Top(CollectorClient* client, TopOptions options) : client_(client), options_(std::move(options)) {
  model_.address = client->address().text;
  model_.view = options_.view;
}

absl::Status Top::Sample() {
  absl::StatusOr<StatusAnswer> answer = client_->Status();
  if (!answer.ok()) {
    model_.trouble = std::string(answer.status().message());
    return answer.status();
  }
  model_.trouble.clear();
  const bool again = model_.sampled && answer->status.started == before_.started;
  // Of two samples at one moment the rates stay as they were.
  if (!again || answer->status.now > before_.now) {
    model_.rates = RatesOf(again ? &before_ : nullptr, answer->status);
    const double cpu = answer->process.cpu_seconds - (again ? process_before_.cpu_seconds : 0);
    const double seconds = absl::ToDoubleSeconds(model_.rates.elapsed);
    model_.rates.cpu_share = seconds > 0 && cpu > 0 ? cpu / seconds : 0;
    if (again) model_.history.push_back(model_.rates.total.records);
    if (model_.history.size() > kHistory) model_.history.erase(model_.history.begin());
    before_ = answer->status;
    process_before_ = answer->process;
    model_.status = std::move(answer->status);
    model_.process = answer->process;
  }
  model_.pipelines = PipelinesWithMemory(model_.status);
  const std::string& first = options_.question.pipeline;
  std::stable_partition(model_.pipelines.begin(), model_.pipelines.end(),
                        [&first](const std::string& name) { return name == first; });
  if (!model_.sampled && options_.view >= 2 &&
      (model_.pipelines.empty() || (!first.empty() && model_.pipelines[0] != first))) {
    return NoSuchPipeline(first, model_.pipelines);
  }
  model_.sampled = true;
  if (model_.view >= model_.views()) Choose(0);
  const absl::Status viewed = model_.view == 0   ? absl::OkStatus()
                              : model_.view == 1 ? SampleExporters(model_.status.now)
                                                 : SampleGroups(model_.status.now);
  return viewed;
}

absl::Status Top::SampleExporters(absl::Time now) {
  absl::StatusOr<ExportersAnswer> answer = client_->Exporters("", /*templates=*/false);
  if (!answer.ok()) {
    model_.trouble = std::string(answer.status().message());
    return answer.status();
  }
  const bool first = exporters_time_ == absl::InfinitePast();
  if (!first && now <= exporters_time_) return absl::OkStatus();
  model_.exporters = first ? RatesOf(answer->exporters, answer->exporters, absl::ZeroDuration())
                           : RatesOf(exporters_before_, answer->exporters, now - exporters_time_);
  exporters_before_ = std::move(answer->exporters);
  exporters_time_ = now;
  return absl::OkStatus();
}

absl::Status Top::SampleGroups(absl::Time now) {
  MemoryQuestion question = options_.question;
  question.pipeline = model_.pipelines[model_.view - 2];
  question.reset = false;
  if (question.top == 0) question.top = kGroups;
  absl::StatusOr<QueryAnswer> answer = client_->Query(question);
  model_.group_trouble.clear();
  if (!answer.ok()) {
    // A wrong word in the question is no trouble of the collector's.
    model_.group_trouble = std::string(answer.status().message());
    model_.groups = QueryAnswer();
    return answer.status();
  }
  const bool same = groups_view_ == model_.view && now > groups_time_;
  model_.group_order = OrderColumn(*answer, question.order);
  model_.group_rates = RatesOf(same ? model_.groups : QueryAnswer(), *answer, model_.group_order,
                               same ? now - groups_time_ : absl::ZeroDuration());
  model_.groups = *std::move(answer);
  groups_view_ = model_.view;
  groups_time_ = now;
  return absl::OkStatus();
}

void Top::Choose(size_t view) {
  if (view != model_.view) {
    model_.scroll = 0;
    // What was there last time is old: rates begin anew.
    exporters_time_ = groups_time_ = absl::InfinitePast();
    model_.exporters.clear();
    model_.groups = QueryAnswer();
    model_.group_rates.clear();
    model_.group_trouble.clear();
  }
  model_.view = view;
}

bool Top::OnKey(const KeyPress& press, size_t max_scroll, size_t page) {
  const size_t views = model_.views();
  size_t& scroll = model_.scroll;
  scroll = std::min(scroll, max_scroll);
  switch (press.key) {
    case Key::kQuit:
      return false;
    case Key::kPause:
      model_.paused = !model_.paused;
      break;
    case Key::kNextView:
      Choose((model_.view + 1) % views);
      break;
    case Key::kPreviousView:
      Choose((model_.view + views - 1) % views);
      break;
    case Key::kView:
      if (press.view < views) Choose(press.view);
      break;
    case Key::kUp:
      scroll -= std::min<size_t>(scroll, 1);
      break;
    case Key::kDown:
      scroll = std::min(scroll + 1, max_scroll);
      break;
    case Key::kPageUp:
      scroll -= std::min(scroll, page);
      break;
    case Key::kPageDown:
      scroll = std::min(scroll + page, max_scroll);
      break;
  }
  return true;
}

absl::Status RunTop(CollectorClient* client, const TopOptions& options, const std::function<bool()>& interrupted,
                    int input, int output) {
  Top top(client, options);
  if (absl::Status status = top.Sample(); !status.ok()) return status;
  if (options.once || !Screen::IsTerminal(input, output)) return RunPlain(&top, options, interrupted, output);
  RunLive(&top, options, interrupted, input, output);
  return absl::OkStatus();
}

}  // namespace flowacct::collector
