#include "flowacct/sink/print/line_writer.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/record/value_text.h"
#include "flowacct/sink/print/column.h"

namespace flowacct::sink::print {
namespace {

using aggregate::AggregateBatch;

// Gathers lines; what cannot be written is dropped after the first error, which is kept.
class LineBuffer {
 public:
  // Large enough that a write costs nothing a row, small enough to stay in the second-level cache.
  static constexpr size_t kSize = size_t{256} << 10;

  explicit LineBuffer(OutputFile* file) : file_(file), octets_(new char[kSize]) {}

  // Room for `n` octets, at most kSize.
  char* Reserve(size_t n) {
    if (kSize - size_ < n) Write();
    return octets_.get() + size_;
  }
  void Commit(const char* end) { size_ = static_cast<size_t>(end - octets_.get()); }
  void Append(absl::string_view text) {
    if (text.empty()) return;  // which may have no octets to copy from, not even none
    if (text.size() > kSize) {
      Write();
      Keep(file_->Write(text));
    } else {
      char* out = Reserve(text.size());
      std::memcpy(out, text.data(), text.size());
      Commit(out + text.size());
    }
  }
  absl::Status Finish() {
    Write();
    Keep(file_->Flush());
    return status_;
  }

 private:
  void Keep(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }
  void Write() {
    if (status_.ok()) Keep(file_->Write(absl::string_view(octets_.get(), size_)));
    size_ = 0;
  }

  OutputFile* file_;
  std::unique_ptr<char[]> octets_;
  size_t size_ = 0;
  absl::Status status_;
};

// RFC 4180, 2.5-2.7: quotes where the text holds a separator, a quote or a line end.
void AppendCsv(absl::string_view text, char separator, LineBuffer* lines) {
  bool quote = false;
  for (const char c : text) quote |= c == separator || c == '"' || c == '\n' || c == '\r';
  if (!quote) return lines->Append(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  lines->Append(quoted);
}

std::string WideNumber(absl::uint128 number) {
  const uint64_t kTen19 = 10000000000000000000u;
  if (absl::Uint128High64(number) == 0) return absl::StrCat(absl::Uint128Low64(number));
  const std::string low = absl::StrCat(static_cast<uint64_t>(number % kTen19));
  return absl::StrCat(WideNumber(number / kTen19), std::string(19 - low.size(), '0'), low);
}

// What both formats share: where a row's values are, and which values are absent.
class Row {
 public:
  Row(const AggregateBatch& batch, uint32_t row)
      : batch_(batch),
        row_(row),
        key_(batch.key(row).octets()),
        values_(batch.values(row)),
        plain_(batch.values_are_plain()),
        overflow_(batch.is_overflow(row)) {}

  bool overflow() const { return overflow_; }
  bool Has(const Column& column) const {
    switch (column.source) {
      case Source::kKey:
        return IsPresent(column, key_);
      case Source::kValue:
        return plain_ || batch_.has_value(row_, column.offset);
      case Source::kConstant:
        return false;
      default:
        return true;
    }
  }
  bool IsWide(const Column& column) const {
    return !plain_ && column.source == Source::kValue && column.counts &&
           absl::Uint128High64(batch_.wide_value(row_, column.offset)) != 0;
  }
  absl::uint128 Wide(const Column& column) const { return batch_.wide_value(row_, column.offset); }
  const uint8_t* Octets(const Column& column, const uint8_t* bin) const {
    return column.source == Source::kKey     ? key_ + column.offset
           : column.source == Source::kValue ? values_ + 8 * column.offset
                                             : bin + 8 * column.offset;
  }
  std::string Text(const Column& column) const { return batch_.text(row_, column.offset); }

 private:
  const AggregateBatch& batch_;
  const uint32_t row_;
  const uint8_t* const key_;
  const uint8_t* const values_;
  const bool plain_;
  const bool overflow_;
};

struct BinOctets {
  explicit BinOctets(const aggregate::TimeBin& bin) {
    base::StoreHost<int64_t>(octets, bin.start_nanos);
    base::StoreHost<int64_t>(octets + 8, bin.end_nanos);
  }
  uint8_t octets[16];
};

bool HasBin(const aggregate::TimeBin& bin) { return bin.start_nanos != 0 || bin.end_nanos != 0; }

// pmacct's CSV has no columns for the bin, since each has a file of its own; so here, if it has.
bool WantsBinColumns(const AggregateBatch& batch, const PrintOptions& options) {
  if (!HasBin(batch.bin())) return false;
  return options.naming != Naming::kPmacct || options.format == PrintFormat::kJson ||
         options.path.find('%') == std::string::npos;
}

// A line whose columns all have a formatter for fixed types and values as they lie, which is what most lines are: it
// needs room once.
class FixedLine {
 public:
  FixedLine(const AggregateBatch& batch, const std::vector<Column>& columns, const BinOctets& bin, char separator)
      : bin_(bin.octets), separator_(separator) {
    is_fixed_ = batch.values_are_plain() && batch.size() > 0;
    for (const Column& column : columns) {
      is_fixed_ = is_fixed_ && column.fixed != nullptr && !column.quote_fixed &&
                  column.absent.size() <= record::kMaxFixedTextSize;
      Cell cell{column.fixed, column.absent, column.offset, 0, 0, 0};
      switch (column.source) {
        case Source::kKey:
          cell.presence_octet = column.presence >> 3;
          cell.presence_mask = static_cast<uint8_t>(1u << (column.presence & 7));
          break;
        case Source::kValue:
          cell.base = 1;
          cell.offset = 8 * column.offset;
          break;
        default:
          cell.base = 2;
          cell.offset = 8 * column.offset;
      }
      cells_.push_back(cell);
    }
    if (is_fixed_) values_offset_ = static_cast<size_t>(batch.values(0) - batch.key(0).octets());
  }

  bool is_fixed() const { return is_fixed_ && size() <= LineBuffer::kSize; }
  size_t size() const { return cells_.size() * (record::kMaxFixedTextSize + 1) + 1; }
  // Writes the line of the row whose key begins at `key`.
  char* Write(const uint8_t* key, char* out) const {
    const uint8_t* const bases[3] = {key, key + values_offset_, bin_};
    for (const Cell& cell : cells_) {
      if ((key[cell.presence_octet] & cell.presence_mask) == cell.presence_mask) {
        out = cell.write(bases[cell.base] + cell.offset, out);
      } else {
        out = std::copy(cell.absent.begin(), cell.absent.end(), out);
      }
      *out++ = separator_;
    }
    out[-1] = '\n';
    return out;
  }

 private:
  struct Cell {
    record::FixedFormatter write;
    absl::string_view absent;
    size_t offset;
    uint16_t presence_octet;
    uint8_t presence_mask;  // 0: always there
    uint8_t base;           // of the offset: key, values or bin
  };
  std::vector<Cell> cells_;
  const uint8_t* bin_;
  size_t values_offset_ = 0;
  char separator_;
  bool is_fixed_;
};

template <typename WriteRow>
void ForEachRow(const AggregateBatch& batch, const std::vector<uint32_t>* rows, WriteRow write_row) {
  const size_t count = rows != nullptr ? rows->size() : batch.size();
  for (size_t i = 0; i < count; ++i) write_row(rows != nullptr ? (*rows)[i] : static_cast<uint32_t>(i));
}

}  // namespace

absl::Status WriteCsv(const AggregateBatch& batch, const std::vector<uint32_t>* rows, const PrintOptions& options,
                      bool header, OutputFile* file) {
  const std::vector<Column> columns = Columns(batch.schema(), options, WantsBinColumns(batch, options));
  const BinOctets bin(batch.bin());
  const bool terminal = file->is_terminal();
  const char separator = options.separator;
  LineBuffer lines(file);
  if (header) {
    for (const Column& column : columns) {
      if (&column != columns.data()) lines.Append(absl::string_view(&separator, 1));
      AppendCsv(column.title, separator, &lines);
    }
    lines.Append("\n");
  }
  size_t first_key = 0;
  while (first_key < columns.size() && columns[first_key].source != Source::kKey) ++first_key;
  std::string scratch, printable;
  const auto append_scratch = [&] {
    if (terminal) {  // control characters from the wire must not reach it
      printable.clear();
      record::AppendPrintable(scratch, &printable);
      scratch.swap(printable);
    }
    AppendCsv(scratch, separator, &lines);
  };
  const auto write_row = [&](uint32_t index) {
    const Row row(batch, index);
    for (size_t i = 0; i < columns.size(); ++i) {
      const Column& column = columns[i];
      if (!row.Has(column)) {
        lines.Append(row.overflow() && i == first_key ? absl::string_view("(overflow)") : column.absent);
      } else if (row.IsWide(column)) {
        lines.Append(WideNumber(row.Wide(column)));
      } else if (column.fixed != nullptr && !column.quote_fixed) {
        char* out = lines.Reserve(record::kMaxFixedTextSize + 1);
        out = column.fixed(row.Octets(column, bin.octets), out);
        *out++ = i + 1 < columns.size() ? separator : '\n';
        lines.Commit(out);
        continue;
      } else {
        scratch.clear();
        if (column.fixed != nullptr) {
          char text[record::kMaxFixedTextSize];
          const char* end = column.fixed(row.Octets(column, bin.octets), text);
          scratch.assign(text, static_cast<size_t>(end - text));
        } else if (column.source == Source::kText) {
          record::AppendUtf8(row.Text(column), &scratch);
        } else {
          const auto id = base::LoadHost<base::InternId>(row.Octets(column, bin.octets));
          column.interned(column.type, id, batch.interner(), &scratch);
        }
        append_scratch();
      }
      lines.Append(i + 1 < columns.size() ? absl::string_view(&separator, 1) : absl::string_view("\n"));
    }
  };
  const FixedLine fixed_line(batch, columns, bin, separator);
  if (!fixed_line.is_fixed() || columns.empty()) {
    ForEachRow(batch, rows, write_row);
    return lines.Finish();
  }
  const auto write_fixed = [&](uint32_t index, const uint8_t* key) {
    if (batch.is_overflow(index)) return write_row(index);
    lines.Commit(fixed_line.Write(key, lines.Reserve(fixed_line.size())));
  };
  if (rows != nullptr) {
    for (const uint32_t index : *rows) write_fixed(index, batch.key(index).octets());
    return lines.Finish();
  }
  for (size_t index = 0; index < batch.size();) {
    const uint8_t* key = batch.key(index).octets();
    for (size_t n = batch.rows_side_by_side(index); n > 0; --n, key += batch.row_stride()) {
      write_fixed(static_cast<uint32_t>(index++), key);
    }
  }
  return lines.Finish();
}

absl::Status WriteJson(const AggregateBatch& batch, const std::vector<uint32_t>* rows, const PrintOptions& options,
                       OutputFile* file) {
  const std::vector<Column> columns = Columns(batch.schema(), options, WantsBinColumns(batch, options));
  const BinOctets bin(batch.bin());
  const bool pmacct = options.naming == Naming::kPmacct;
  // "name": with what comes before it; the first of a row has its comma cut off.
  const absl::string_view comma = pmacct ? ", " : ",", colon = pmacct ? ": " : ":";
  std::vector<std::string> names;
  size_t longest_name = 0;
  for (const Column& column : columns) {
    std::string name(comma);
    record::AppendJsonString(column.title, &name);
    absl::StrAppend(&name, colon);
    longest_name = std::max(longest_name, name.size());
    names.push_back(std::move(name));
  }
  LineBuffer lines(file);
  std::string scratch;
  ForEachRow(batch, rows, [&](uint32_t index) {
    const Row row(batch, index);
    char* out = lines.Reserve(1);
    *out++ = '{';
    lines.Commit(out);
    size_t skip = comma.size();
    if (batch.correction() && !pmacct) {
      lines.Append("\"correction\":true");
      skip = 0;
    }
    if (row.overflow()) {
      if (skip == 0) lines.Append(comma);
      lines.Append(pmacct ? "\"overflow\": true" : "\"overflow\":true");
      skip = 0;
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      const Column& column = columns[i];
      const bool has = row.Has(column);
      if (!has && (column.omit_absent || column.absent.empty() || (row.overflow() && column.source == Source::kKey))) {
        continue;
      }
      const absl::string_view name = absl::string_view(names[i]).substr(skip);
      skip = 0;
      if (has && column.fixed != nullptr && !row.IsWide(column)) {
        out = lines.Reserve(longest_name + record::kMaxFixedTextSize);
        std::memcpy(out, name.data(), name.size());
        lines.Commit(column.fixed(row.Octets(column, bin.octets), out + name.size()));
        continue;
      }
      lines.Append(name);
      if (!has) {
        lines.Append(column.absent);
      } else if (column.fixed != nullptr) {
        lines.Append(WideNumber(row.Wide(column)));
      } else {
        scratch.clear();
        if (column.source == Source::kText) {
          record::AppendJsonString(row.Text(column), &scratch);
        } else {
          const auto id = base::LoadHost<base::InternId>(row.Octets(column, bin.octets));
          column.interned(column.type, id, batch.interner(), &scratch);
        }
        lines.Append(scratch);
      }
    }
    lines.Append("}\n");
  });
  // pmacct has no such line, and what reads its output would not know it.
  if (batch.incomplete() && !pmacct) lines.Append("{\"incomplete\":true}\n");
  return lines.Finish();
}

}  // namespace flowacct::sink::print
