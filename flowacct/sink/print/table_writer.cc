#include "flowacct/sink/print/table_writer.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "flowacct/aggregate/totals.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/display_width.h"
#include "flowacct/record/value_text.h"
#include "flowacct/sink/print/column.h"

namespace flowacct::sink::print {
namespace {

using aggregate::AggregateBatch;

constexpr size_t kBarWidth = 20;
constexpr absl::string_view kGap = "  ";

// 1234567 as "1,234,567".
std::string GroupedDigits(absl::uint128 number) {
  char digits[40];
  size_t size = 0;
  // 128-bit divisions are slow, and hardly ever needed.
  for (; absl::Uint128High64(number) != 0; number /= 10)
    digits[size++] = static_cast<char>('0' + static_cast<int>(number % 10));
  char low[20];
  const char* const end = record::WriteNumber(absl::Uint128Low64(number), low);
  std::string text;
  const size_t total = static_cast<size_t>(end - low) + size;
  for (size_t i = 0; i < total; ++i) {
    if (i > 0 && (total - i) % 3 == 0) text.push_back(',');
    text.push_back(i < total - size ? low[i] : digits[total - 1 - i]);
  }
  return text;
}

// 1234567 as "1.23M": three digits, rounded down, so that a sum is never shown as more than it is.
std::string HumanNumber(absl::uint128 number) {
  static constexpr char kUnits[] = "kMGTPEZY";
  if (number < 1000) return GroupedDigits(number);
  absl::uint128 unit = 1000;
  size_t index = 0;
  while (number / unit >= 1000 && index + 2 < sizeof(kUnits)) {
    unit *= 1000;
    ++index;
  }
  const uint64_t whole = static_cast<uint64_t>(number / unit);
  const uint64_t hundredths = static_cast<uint64_t>(number % unit * 100 / unit);
  const size_t decimals = whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
  std::string text = absl::StrCat(whole);
  if (decimals > 0) absl::StrAppend(&text, ".", hundredths / 10);
  if (decimals > 1) absl::StrAppend(&text, hundredths % 10);
  text.push_back(kUnits[index]);
  return text;
}

// A grid of text whose columns are as wide as their widest cell.
class Grid {
 public:
  explicit Grid(std::vector<bool> right) : right_(std::move(right)), widths_(right_.size(), 0) {}

  size_t columns() const { return right_.size(); }
  void Add(absl::string_view cell) {
    text_.append(cell.data(), cell.size());
    const size_t width = record::DisplayWidth(cell);
    size_t& widest = widths_[cells_.size() % columns()];
    widest = std::max(widest, width);
    cells_.push_back({text_.size(), width});
  }
  void AppendTo(std::string* out) const {
    size_t from = 0, row_start = out->size();
    for (size_t i = 0; i < cells_.size(); ++i) {
      const size_t column = i % columns();
      const size_t padding = widths_[column] - cells_[i].width;
      if (right_[column]) out->append(padding, ' ');
      out->append(text_, from, cells_[i].end - from);
      if (!right_[column]) out->append(padding, ' ');
      from = cells_[i].end;
      if (column + 1 < columns()) {
        out->append(kGap.data(), kGap.size());
      } else {
        while (out->size() > row_start && out->back() == ' ') out->pop_back();
        out->push_back('\n');
        row_start = out->size();
      }
    }
  }

 private:
  struct Cell {
    size_t end, width;
  };
  std::vector<bool> right_;
  std::vector<size_t> widths_;
  std::string text_;
  std::vector<Cell> cells_;
};

class Table {
 public:
  Table(const AggregateBatch& batch, size_t order, const PrintOptions& options)
      : batch_(batch), order_(order), options_(options), columns_(Columns(batch.schema(), options, false)) {
    totals_.Add(batch);
    shown_.assign(batch.schema().values.size(), 0);
    share_ = order != kNoColumn && batch.schema().values[order].function == aggregate::Function::kSum &&
             totals_.sums[order] != 0 && batch.size() > 1;
  }

  std::string Text(const std::vector<uint32_t>& rows) {
    std::vector<bool> right;
    for (const Column& column : columns_) right.push_back(column.right);
    if (share_) {
      right.push_back(true);   // percent
      right.push_back(false);  // bar
    }
    if (right.empty()) return "";
    Grid grid(std::move(right));
    if (options_.header) AddHeader(&grid);
    size_t groups = 0;
    for (const uint32_t row : rows) {
      if (!batch_.is_overflow(row)) {
        AddRow(row, &grid);
        ++groups;
      }
    }
    const size_t all = batch_.size() - (batch_.has_overflow() ? 1 : 0);
    if (groups < all) {
      // Sums of what was cut: all without what is shown and without the overflow group, which is shown below.
      std::vector<absl::uint128> rest = totals_.sums;
      for (size_t i = 0; i < rest.size(); ++i) rest[i] -= shown_[i];
      for (size_t i = 0; i < batch_.size(); ++i) {
        if (!batch_.is_overflow(i)) continue;
        for (size_t v = 0; v < rest.size(); ++v) {
          if (IsSum(v)) rest[v] -= batch_.wide_value(i, v);
        }
      }
      const size_t others = all - groups;
      AddSums(absl::StrCat("(", GroupedDigits(others), others == 1 ? " other)" : " others)"), rest, &grid);
    }
    for (const uint32_t row : rows) {
      if (batch_.is_overflow(row)) AddRow(row, &grid);
    }
    if (batch_.size() > 1) {
      AddSums(absl::StrCat("total of ", GroupedDigits(all), all == 1 ? " group" : " groups"), totals_.sums, &grid);
    }
    std::string text;
    grid.AppendTo(&text);
    return text;
  }

 private:
  bool IsSum(size_t value) const { return batch_.schema().values[value].function == aggregate::Function::kSum; }

  std::string Number(absl::uint128 number) const {
    return options_.human_units ? HumanNumber(number) : GroupedDigits(number);
  }

  void AddHeader(Grid* grid) const {
    for (const Column& column : columns_) {
      std::string title;
      record::AppendPrintable(column.title, &title);
      grid->Add(title);
    }
    if (share_) {
      grid->Add("share");
      grid->Add("");
    }
  }

  void AddShare(absl::uint128 number, bool bar, Grid* grid) const {
    if (!share_) return;
    const absl::uint128 total = totals_.sums[order_];
    const uint64_t tenths = static_cast<uint64_t>((number * 1000 + total / 2) / total);
    grid->Add(absl::StrCat(tenths / 10, ".", tenths % 10, "%"));
    const size_t length = static_cast<size_t>((number * kBarWidth + total / 2) / total);
    grid->Add(bar ? std::string(length, '#') : std::string());
  }

  void AddRow(uint32_t row, Grid* grid) {
    const uint8_t* const key = batch_.key(row).octets();
    const uint8_t* const values = batch_.values(row);
    bool first_key = true;
    std::string raw, cell;
    for (const Column& column : columns_) {
      cell.clear();
      if (column.source == Source::kKey) {
        if (!IsPresent(column, key)) {
          cell.assign(batch_.is_overflow(row) && first_key ? "(overflow)" : "-");
        } else {
          raw.clear();
          AppendValue(column, key + column.offset, &raw);
          record::AppendPrintable(raw, &cell);
        }
        first_key = false;
      } else if (column.source == Source::kText) {
        record::AppendPrintable(batch_.text(row, column.offset), &cell);
      } else if (!batch_.has_value(row, column.offset)) {
        cell.assign("-");
      } else if (column.counts) {
        const absl::uint128 number = batch_.wide_value(row, column.offset);
        if (IsSum(column.offset)) shown_[column.offset] += batch_.is_overflow(row) ? 0 : number;
        cell = Number(number);
      } else {
        AppendValue(column, values + 8 * column.offset, &cell);
      }
      grid->Add(cell);
    }
    if (share_) AddShare(batch_.wide_value(row, order_), true, grid);
  }

  void AppendValue(const Column& column, const uint8_t* value, std::string* out) const {
    if (column.fixed == nullptr) {
      return column.interned(column.type, base::LoadHost<base::InternId>(value), batch_.interner(), out);
    }
    char text[record::kMaxFixedTextSize];
    out->append(text, static_cast<size_t>(column.fixed(value, text) - text));
  }

  // A row of sums with `label` in its first column, which is a key's unless there is no key.
  void AddSums(absl::string_view label, const std::vector<absl::uint128>& sums, Grid* grid) const {
    bool labelled = false;
    for (const Column& column : columns_) {
      if (column.source == Source::kKey) {
        grid->Add(labelled ? absl::string_view() : label);
        labelled = true;
      } else {
        grid->Add(column.summed ? Number(sums[column.offset]) : std::string());
      }
    }
    if (share_) AddShare(sums[order_], false, grid);
  }

  const AggregateBatch& batch_;
  const size_t order_;
  const PrintOptions& options_;
  const std::vector<Column> columns_;
  aggregate::Totals totals_;
  std::vector<absl::uint128> shown_;
  bool share_ = false;
};

}  // namespace

absl::Status WriteTable(const AggregateBatch& batch, const std::vector<uint32_t>& rows, size_t order,
                        const PrintOptions& options, bool first, OutputFile* file) {
  std::string text;
  if (!first) text.push_back('\n');
  const aggregate::TimeBin bin = batch.bin();
  if (bin.start_nanos != 0 || bin.end_nanos != 0) {
    char start[record::kMaxFixedTextSize], end[record::kMaxFixedTextSize];
    absl::StrAppend(&text, "from ",
                    absl::string_view(start, static_cast<size_t>(record::WriteTime(bin.start_nanos, start) - start)),
                    " to ", absl::string_view(end, static_cast<size_t>(record::WriteTime(bin.end_nanos, end) - end)),
                    "\n");
  }
  if (batch.size() == 0) {
    text.append("no traffic was accounted\n");
  } else {
    text.append(Table(batch, order, options).Text(rows));
  }
  if (batch.correction())
    text.append("correction: these came late, and are to be added to what was shown of this bin\n");
  if (batch.incomplete()) text.append("incomplete: the input ended early; what was counted until then is shown\n");
  if (absl::Status status = file->Write(text); !status.ok()) return status;
  return file->Flush();
}

}  // namespace flowacct::sink::print
