#include "flowacct/sink/mongodb/row_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace flowacct::sink::mongodb {
void RowWriter::Begin(const std::string& collection, int64_t number, uint32_t first_row) {
  collection_ = collection;
  number_ = number;
  row_ = first_row;
  in_piece_ = 0;
}

absl::Status RowWriter::Add(int64_t bin_start, int64_t bin_end) {
  if (in_piece_ == rows_a_piece_) {
    if (absl::Status status = Flush(); !status.ok()) return status;
  }
  if (row_ == UINT32_MAX) return absl::InvalidArgumentError("mongodb: a batch of 2^32 rows and more");
  if (in_piece_ == piece_.size()) piece_.emplace_back();
  current_ = &piece_[in_piece_++];
  current_->Clear();
  current_->Id(kId, RowId(number_, row_++));
  current_->Seconds(kBinStart, bin_start);
  current_->Seconds(kBinEnd, bin_end);
  current_->Integer(kBatch, number_);
  return absl::OkStatus();
}

void RowWriter::Sum(const std::string& name, absl::uint128 value) {
  const absl::uint128 low = value & ((absl::uint128(1) << kLowBits) - 1), high = value >> kLowBits;
  current_->Integer(name, static_cast<int64_t>(absl::Uint128Low64(low)));
  if (high == 0) return;
  current_->Integer(absl::StrCat(name, kHighSuffix), static_cast<int64_t>(absl::Uint128Low64(high)));
  wide_.insert(name);
}

absl::Status RowWriter::Flush() {
  const absl::Status status =
      connection_.InsertMany(collection_, absl::MakeConstSpan(piece_.data(), std::exchange(in_piece_, 0)));
  return status.ok() ? pause_() : status;
}

absl::Status RowWriter::Finish() { return in_piece_ == 0 ? absl::OkStatus() : Flush(); }

}  // namespace flowacct::sink::mongodb
