#include "flowacct/sink/clickhouse/row_binary.h"

namespace flowacct::sink::clickhouse {
namespace {

// No text of an answer is longer: keys have their bounds where they are made.
constexpr uint64_t kMaxText = uint64_t{64} << 20;

}  // namespace

size_t RowReader::ReadRow(absl::string_view octets) {
  size_t at = 0;
  for (size_t i = 0; i < types_.size(); ++i) {
    const CellType& type = types_[i];
    Cell& cell = cells_[i];
    cell = Cell();
    if (type.nullable) {
      if (at >= octets.size()) return 0;
      cell.is_null = octets[at++] != 0;
      if (cell.is_null) continue;
    }
    uint64_t length = type.width;
    if (type.kind == CellType::Kind::kText) {
      length = 0;
      for (unsigned shift = 0;; shift += 7) {
        if (at >= octets.size()) return 0;
        const uint8_t octet = static_cast<uint8_t>(octets[at++]);
        length |= uint64_t{octet & 0x7fu} << shift;
        if (octet < 0x80) break;
        if (shift >= 28) {
          wrong_ = true;
          return 0;
        }
      }
      if (length > kMaxText) {
        wrong_ = true;
        return 0;
      }
    }
    if (octets.size() - at < length) return 0;
    if (type.kind == CellType::Kind::kNumber) {
      for (uint64_t k = length; k-- > 0;) cell.number = cell.number << 8 | static_cast<uint8_t>(octets[at + k]);
    } else {
      cell.octets = octets.substr(at, length);
    }
    at += length;
  }
  return at;
}

bool RowReader::Take(absl::string_view octets, absl::FunctionRef<bool(absl::Span<const Cell>)> tell) {
  std::string joined;
  if (!rest_.empty()) {
    rest_.append(octets.data(), octets.size());
    joined.swap(rest_);
    octets = joined;
  }
  while (!octets.empty()) {
    const size_t size = ReadRow(octets);
    if (wrong_) return false;
    if (size == 0) break;
    octets.remove_prefix(size);
    if (!tell(cells_)) return false;
  }
  rest_.assign(octets.data(), octets.size());
  return true;
}

}  // namespace flowacct::sink::clickhouse
