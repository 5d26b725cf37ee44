#include "flowacct/query/answer.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "flowacct/record/display_width.h"
#include "flowacct/record/value_text.h"

namespace flowacct::query {
namespace {

using Kind = AnswerColumn::Kind;

std::string NumberText(absl::uint128 number) { return absl::StrFormat("%d", number); }

// As short as it reads back alike for whole numbers, two decimals else.
std::string RealText(double real) {
  if (!std::isfinite(real)) return "";
  if (real == std::floor(real) && std::fabs(real) < 1e15) return absl::StrFormat("%.0f", real);
  return absl::StrFormat("%.2f", real);
}

// 1234567 as 1.23M.
std::string ShortText(double real) {
  constexpr absl::string_view kSteps[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t step = 0;
  while (std::fabs(real) >= 999.5 && step + 1 < std::size(kSteps)) {
    real /= 1000;
    ++step;
  }
  return absl::StrCat(step == 0 ? RealText(real) : absl::StrFormat("%.3g", real), kSteps[step]);
}

std::string CellText(const Answer& answer, size_t column, const AnswerCell& cell) {
  if (!cell.present) return "";
  switch (answer.columns[column].kind) {
    case Kind::kTime:
      return TimeText(cell.time_seconds, answer.zone);
    case Kind::kField: {
      std::string text;
      record::AppendStoredText(answer.columns[column].type, cell.value.View(), &text);
      return text;
    }
    case Kind::kNumber:
      return NumberText(cell.number);
    case Kind::kReal:
      return RealText(cell.real);
  }
  return "";
}

absl::string_view RowName(AnswerRow::Kind kind) {
  return kind == AnswerRow::Kind::kOthers ? "others" : kind == AnswerRow::Kind::kTotal ? "total" : "";
}

bool IsValue(const AnswerColumn& column) { return column.kind == Kind::kNumber || column.kind == Kind::kReal; }

double CellNumber(const Answer& answer, const AnswerRow& row) {
  const AnswerCell& cell = row.cells[answer.chart_column];
  if (!cell.present) return 0;
  const double number =
      answer.columns[answer.chart_column].kind == Kind::kNumber ? static_cast<double>(cell.number) : cell.real;
  return std::isfinite(number) ? number : 0;
}

bool HasChart(const Answer& answer) {
  return answer.chart_column < answer.columns.size() && IsValue(answer.columns[answer.chart_column]);
}

std::string Label(const Answer& answer, const AnswerRow& row) {
  if (row.kind != AnswerRow::Kind::kGroup) return std::string(RowName(row.kind));
  std::string label;
  for (size_t i = 0; i < answer.columns.size(); ++i) {
    if (answer.columns[i].kind != Kind::kField) continue;
    const std::string text = CellText(answer, i, row.cells[i]);
    absl::StrAppend(&label, label.empty() ? "" : "  ");
    record::AppendPrintable(text.empty() ? "-" : text, &label);
  }
  return label.empty() ? "all" : label;
}

std::string Heading(const Answer& answer) {
  std::string heading;
  record::AppendPrintable(answer.table, &heading);
  if (answer.from_seconds != answer.to_seconds) {
    absl::StrAppend(&heading, ", ", TimeText(answer.from_seconds, answer.zone), " to ",
                    TimeText(answer.to_seconds, answer.zone));
  }
  return heading;
}

// The start of `text` that takes no more than `columns` of a terminal.
std::string Cut(const std::string& text, size_t columns) {
  if (record::DisplayWidth(text) <= columns) return text;
  std::string cut;
  for (size_t at = 0; at < text.size();) {
    size_t next = at + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80) ++next;
    if (record::DisplayWidth(cut) + record::DisplayWidth(text.substr(at, next - at)) + 1 > columns) break;
    cut += text.substr(at, next - at);
    at = next;
  }
  return cut + "\xe2\x80\xa6";  // …
}

std::string Padded(const std::string& text, size_t width, bool right) {
  const size_t has = record::DisplayWidth(text);
  const std::string blanks(has < width ? width - has : 0, ' ');
  return right ? blanks + text : text + blanks;
}

// A bar with a precision of an eighth of a column.
std::string Bar(double share, size_t width) {
  constexpr absl::string_view kEighths[] = {"",
                                            "\xe2\x96\x8f",
                                            "\xe2\x96\x8e",
                                            "\xe2\x96\x8d",
                                            "\xe2\x96\x8c",
                                            "\xe2\x96\x8b",
                                            "\xe2\x96\x8a",
                                            "\xe2\x96\x89"};
  const double clamped = std::min(std::max(share, 0.0), 1.0);
  const size_t eighths = static_cast<size_t>(std::lround(clamped * static_cast<double>(width) * 8));
  std::string bar;
  for (size_t i = 0; i < eighths / 8; ++i) bar += "\xe2\x96\x88";
  return bar + std::string(kEighths[eighths % 8]);
}

struct Series {
  std::string label;
  std::map<int64_t, double> points;
};

// By rank; of rows with time.
std::vector<Series> SeriesOf(const Answer& answer, size_t time_column) {
  std::map<size_t, Series> by_rank;
  for (const AnswerRow& row : answer.rows) {
    Series& series = by_rank[row.rank];
    if (series.label.empty()) series.label = Label(answer, row);
    series.points[row.cells[time_column].time_seconds] = CellNumber(answer, row);
  }
  std::vector<Series> all;
  for (auto& [rank, series] : by_rank) all.push_back(std::move(series));
  return all;
}

size_t TimeColumn(const Answer& answer) {
  for (size_t i = 0; i < answer.columns.size(); ++i) {
    if (answer.columns[i].kind == Kind::kTime) return i;
  }
  return answer.columns.size();
}

bool HasGroups(const Answer& answer) {
  return std::any_of(answer.columns.begin(), answer.columns.end(),
                     [](const AnswerColumn& column) { return column.kind == Kind::kField; });
}

std::string Escaped(absl::string_view text) {
  std::string clean, out;
  record::AppendPrintable(text, &clean);
  for (const char c : clean) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string CsvCell(const std::string& text) {
  std::string clean;
  record::AppendUtf8(text, &clean);
  if (clean.find_first_of(",\"\r\n") == std::string::npos) return clean;
  std::string out = "\"";
  for (const char c : clean) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

constexpr const char* kColors[] = {"#3366cc", "#dc3912", "#ff9900", "#109618", "#990099", "#0099c6", "#dd4477",
                                   "#66aa00", "#b82e2e", "#316395", "#994499", "#22aa99", "#aaaa11", "#6633cc"};

}  // namespace

std::string TimeText(int64_t seconds, absl::TimeZone zone) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", absl::FromUnixSeconds(seconds), zone);
}

std::string Answer::AsTable() const {
  // A row is named where its group would be, or before all else.
  size_t named = columns.size();
  bool name_column = false;
  for (size_t i = columns.size(); i-- > 0;) {
    if (columns[i].kind == Kind::kField) named = i;
  }
  for (const AnswerRow& row : rows) name_column |= row.kind != AnswerRow::Kind::kGroup && named == columns.size();

  std::vector<std::vector<std::string>> lines(1);
  if (name_column) lines[0].emplace_back();
  for (const AnswerColumn& column : columns) lines[0].push_back(column.name);
  for (const AnswerRow& row : rows) {
    std::vector<std::string> line;
    if (name_column) line.emplace_back(RowName(row.kind));
    for (size_t i = 0; i < columns.size(); ++i) {
      std::string text;
      if (i == named && row.kind != AnswerRow::Kind::kGroup) {
        text = std::string(RowName(row.kind));
      } else {
        record::AppendPrintable(CellText(*this, i, row.cells[i]), &text);
      }
      line.push_back(text.empty() ? "-" : text);
    }
    lines.push_back(std::move(line));
  }
  std::vector<size_t> widths(lines[0].size(), 0);
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], record::DisplayWidth(line[i]));
  }
  std::string out = Heading(*this) + "\n";
  for (const auto& line : lines) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) {
      const bool right = (!name_column || i > 0) && IsValue(columns[i - (name_column ? 1 : 0)]);
      absl::StrAppend(&text, i == 0 ? "" : "  ", Padded(line[i], widths[i], right));
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    absl::StrAppend(&out, text, "\n");
  }
  if (rows.empty()) out += "(no traffic)\n";
  for (const std::string& note : notes) absl::StrAppend(&out, "note: ", note, "\n");
  return out;
}

std::string Answer::AsJsonLines() const {
  std::string out;
  for (const AnswerRow& row : rows) {
    std::string line;
    if (row.kind != AnswerRow::Kind::kGroup) absl::StrAppend(&line, "\"row\":\"", RowName(row.kind), "\"");
    for (size_t i = 0; i < columns.size(); ++i) {
      const AnswerCell& cell = row.cells[i];
      if (!cell.present) continue;
      if (columns[i].kind == Kind::kReal && !std::isfinite(cell.real)) continue;
      if (!line.empty()) line += ',';
      record::AppendJsonString(columns[i].name, &line);
      line += ':';
      if (columns[i].kind == Kind::kField) {
        record::AppendStoredJson(columns[i].type, cell.value.View(), &line);
      } else if (columns[i].kind == Kind::kTime) {
        record::AppendJsonString(CellText(*this, i, cell), &line);
      } else {
        line += CellText(*this, i, cell);
      }
    }
    absl::StrAppend(&out, "{", line, "}\n");
  }
  return out;
}

std::string Answer::AsCsv() const {
  const bool named =
      std::any_of(rows.begin(), rows.end(), [](const AnswerRow& row) { return row.kind != AnswerRow::Kind::kGroup; });
  std::string out = named ? "row" : "";
  for (size_t i = 0; i < columns.size(); ++i) {
    absl::StrAppend(&out, i > 0 || named ? "," : "", CsvCell(columns[i].name));
  }
  out += "\r\n";
  for (const AnswerRow& row : rows) {
    std::string line(named ? RowName(row.kind) : "");
    for (size_t i = 0; i < columns.size(); ++i) {
      absl::StrAppend(&line, i > 0 || named ? "," : "", CsvCell(CellText(*this, i, row.cells[i])));
    }
    absl::StrAppend(&out, line, "\r\n");
  }
  return out;
}

std::string Answer::AsChart(size_t width) const {
  std::string out = Heading(*this);
  if (!HasChart(*this) || rows.empty()) return out + "\n(no traffic)\n";
  absl::StrAppend(&out, ", ", columns[chart_column].name, "\n");
  width = std::max<size_t>(width, 40);
  const size_t time = TimeColumn(*this);
  if (time < columns.size() && HasGroups(*this)) {
    const std::vector<Series> all = SeriesOf(*this, time);
    double highest = 0;
    size_t label = 0;
    std::map<int64_t, size_t> steps;
    for (const Series& series : all) {
      label = std::max(label, std::min(record::DisplayWidth(series.label), width / 3));
      for (const auto& [at, value] : series.points) {
        highest = std::max(highest, value);
        steps[at];
      }
    }
    size_t next = 0;
    for (auto& [at, index] : steps) index = next++;
    const size_t room = std::max<size_t>(width - label - 12, 8), shown = std::min(room, steps.size());
    for (const Series& series : all) {
      std::vector<double> blocks(shown, 0);  // the highest of the steps that a block stands for
      double most = 0;
      for (const auto& [at, value] : series.points) {
        double& block = blocks[steps[at] * shown / steps.size()];
        block = std::max(block, value);
        most = std::max(most, value);
      }
      absl::StrAppend(&out, Padded(Cut(series.label, label), label, false), "  ");
      for (const double value : blocks) {
        const int eighths = highest > 0 ? static_cast<int>(std::ceil(value / highest * 8)) : 0;
        if (eighths <= 0) {
          out += ' ';
        } else {
          out += "\xe2\x96";
          out += static_cast<char>(0x80 + std::min(eighths, 8));  // U+2581 to U+2588
        }
      }
      absl::StrAppend(&out, "  ", ShortText(most), "\n");
    }
    return out;
  }
  double highest = 0;
  size_t label = 0;
  std::vector<std::string> labels;
  for (const AnswerRow& row : rows) {
    labels.push_back(time < columns.size() ? CellText(*this, time, row.cells[time]) : Label(*this, row));
    label = std::max(label, std::min(record::DisplayWidth(labels.back()), width / 2));
    if (row.kind != AnswerRow::Kind::kTotal) highest = std::max(highest, CellNumber(*this, row));
  }
  const size_t room = std::max<size_t>(width - label - 12, 8);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].kind == AnswerRow::Kind::kTotal && HasGroups(*this)) continue;  // would make the others tiny
    const double value = CellNumber(*this, rows[i]);
    const double scale = std::max(highest, rows[i].kind == AnswerRow::Kind::kTotal ? value : highest);
    absl::StrAppend(&out, Padded(Cut(labels[i], label), label, false), "  ", Bar(scale > 0 ? value / scale : 0, room),
                    " ", ShortText(value), "\n");
  }
  return out;
}

std::string Answer::AsSvg() const {
  constexpr int kWidth = 900, kLeft = 220, kTop = 50, kRow = 22;
  const size_t time = TimeColumn(*this);
  std::string body;
  int height = kTop + kRow;
  const auto text = [&body](double x, double y, absl::string_view anchor, absl::string_view label) {
    absl::StrAppendFormat(&body, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
                          Escaped(label));
  };
  text(10, 20, "start", question.empty() ? Heading(*this) : question);
  text(10, 38, "start", absl::StrCat(Heading(*this), HasChart(*this) ? ", " + columns[chart_column].name : ""));
  if (!HasChart(*this) || rows.empty()) {
    text(10, kTop + 16, "start", "(no traffic)");
  } else if (time < columns.size()) {
    constexpr int kHeight = 300;
    const std::vector<Series> all = SeriesOf(*this, time);
    double highest = 0;
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (const Series& series : all) {
      for (const auto& [at, value] : series.points) {
        highest = std::max(highest, value);
        first = std::min(first, at);
        last = std::max(last, at);
      }
    }
    const double width = kWidth - kLeft - 20, span = last > first ? static_cast<double>(last - first) : 1;
    for (int i = 0; i <= 4; ++i) {
      const double y = kTop + kHeight - kHeight * i / 4.0;
      absl::StrAppendFormat(&body, "<line x1=\"%d\" y1=\"%.0f\" x2=\"%d\" y2=\"%.0f\" stroke=\"#ddd\"/>\n", kLeft, y,
                            kWidth - 20, y);
      text(kLeft - 6, y + 4, "end", ShortText(highest * i / 4));
    }
    text(kLeft, kTop + kHeight + 18, "start", TimeText(first, zone));
    text(kWidth - 20, kTop + kHeight + 18, "end", TimeText(last, zone));
    for (size_t i = 0; i < all.size(); ++i) {
      const char* const color = kColors[i % std::size(kColors)];
      std::string points;
      for (const auto& [at, value] : all[i].points) {
        absl::StrAppendFormat(&points, "%.1f,%.1f ", kLeft + width * static_cast<double>(at - first) / span,
                              kTop + kHeight - (highest > 0 ? kHeight * value / highest : 0));
      }
      absl::StrAppendFormat(&body, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"%s\"/>\n",
                            color, points);
      const int y = kTop + kHeight + 40 + static_cast<int>(i) * kRow;
      absl::StrAppendFormat(&body, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", kLeft, y - 10,
                            color);
      text(kLeft + 20, y, "start", all[i].label);
    }
    height = kTop + kHeight + 50 + static_cast<int>(all.size()) * kRow;
  } else {
    double highest = 0;
    for (const AnswerRow& row : rows) {
      if (row.kind != AnswerRow::Kind::kTotal) highest = std::max(highest, CellNumber(*this, row));
    }
    int y = kTop;
    for (const AnswerRow& row : rows) {
      if (row.kind == AnswerRow::Kind::kTotal) continue;
      const double value = CellNumber(*this, row);
      const double width = highest > 0 ? std::max(value / highest, 0.0) * (kWidth - kLeft - 100) : 0;
      text(kLeft - 6, y + 14, "end", Cut(Label(*this, row), 32));
      absl::StrAppendFormat(&body, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"16\" fill=\"%s\"/>\n", kLeft, y + 2,
                            width, row.kind == AnswerRow::Kind::kOthers ? "#999999" : kColors[0]);
      text(kLeft + width + 6, y + 14, "start", ShortText(value));
      y += kRow;
    }
    height = y + 20;
  }
  return absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
      "fill=\"#fff\"/>\n%s</svg>\n",
      kWidth, height, kWidth, height, body);
}

namespace {

constexpr AnswerFormat kFormats[] = {
    {"table", "text/plain; charset=utf-8", [](const Answer& answer) { return answer.AsTable(); }},
    {"json", "application/x-ndjson", [](const Answer& answer) { return answer.AsJsonLines(); }},
    {"csv", "text/csv; charset=utf-8", [](const Answer& answer) { return answer.AsCsv(); }},
    {"chart", "text/plain; charset=utf-8", [](const Answer& answer) { return answer.AsChart(); }},
    {"svg", "image/svg+xml", [](const Answer& answer) { return answer.AsSvg(); }},
};

}  // namespace

absl::Span<const AnswerFormat> AnswerFormats() { return kFormats; }

absl::StatusOr<const AnswerFormat*> FindAnswerFormat(absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const AnswerFormat& format : kFormats) {
    if (format.name == name) return &format;
    names.push_back(format.name);
  }
  std::string shown;
  record::AppendPrintable(name.substr(0, 40), &shown);
  return absl::InvalidArgumentError(
      absl::StrCat("format: \"", shown, "\" is none; there are ", absl::StrJoin(names, ", ")));
}

}  // namespace flowacct::query
