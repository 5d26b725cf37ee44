// Octets of a batch:
//
//     octets = pieces; piece = octets of the rest, 4 | sealed octets (base/sealed_octets.h) whose body begins with
//     'H'   identity: collector, pipeline, run, number | start and end of the bin, 8 each | flags | custom names: how
//           many, 2, each name and field | key fields: how many, 2, each name and type | values: how many, 2, each
//           name, field, type and function, 1 | how many rows, 8                                              once,
//           first
//     'T'   values of interned fields, before who refers to them (kept_field.h)
//     'R'   rows: presence bits as in the layout | fields of the key (kept_field.h) | seen bits if there are min or max
//     |
//           values, varints; a text of top instead
//     'C'   what sums have beyond 64 bits: row, column, carry, varints
//     'E'   how many pieces came before it, 4                                                            once, last
//
// A text is its length, 2 octets, and its octets. Numbers but varints are big-endian.

#include "flowacct/aggregate/batch_octets.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/aggregate/kept_field.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/record/custom_fields.h"

namespace flowacct::aggregate {
namespace {

constexpr absl::string_view kKind = "accounted batch";
constexpr uint16_t kVersion = 1;
// Large enough that what is around it costs nothing, small enough to be written while the next is made.
constexpr size_t kPieceOctets = size_t{256} << 10;
// As Carries has it: 6 bits of column (value_spec.h).
constexpr size_t kColumnsAtMost = 64;
constexpr size_t kRowsPerChunk = 4096;

enum Flag : uint8_t { kIncomplete = 1, kCorrection = 2, kOverflow = 4 };

void AppendText(absl::string_view text, base::OctetWriter* writer) {
  text = text.substr(0, UINT16_MAX);
  writer->U16(static_cast<uint16_t>(text.size())).Text(text);
}

std::string ReadText(base::OctetReader* reader) { return std::string(base::AsText(reader->Bytes(reader->U16()))); }

bool HasExtremes(const Schema& schema) {
  return std::any_of(schema.values.begin(), schema.values.end(), [](const ValueColumn& value) {
    return value.function == Function::kMin || value.function == Function::kMax;
  });
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("an accounted batch is damaged: ", what));
}

class Writer {
 public:
  explicit Writer(absl::FunctionRef<absl::Status(base::Octets)> write) : write_(write) {}

  absl::Status Piece(char type, base::Octets rest) {
    base::OctetWriter body;
    body.U8(static_cast<uint8_t>(type)).Bytes(rest);
    const std::string sealed = base::Seal(kKind, kVersion, body.octets());
    base::OctetWriter piece;
    piece.U32(static_cast<uint32_t>(sealed.size())).Text(sealed);
    ++count_;
    return write_(piece.octets());
  }
  absl::Status End() {
    base::OctetWriter count;
    return Piece('E', count.U32(count_).octets());
  }

 private:
  absl::FunctionRef<absl::Status(base::Octets)> write_;
  uint32_t count_ = 0;
};

std::vector<uint8_t> Header(const AggregateBatch& batch) {
  const Schema& schema = batch.schema();
  base::OctetWriter header;
  AppendText(batch.identity().collector, &header);
  AppendText(batch.identity().pipeline, &header);
  header.U64(batch.identity().run).U64(batch.identity().number);
  header.U64(static_cast<uint64_t>(batch.bin().start_nanos)).U64(static_cast<uint64_t>(batch.bin().end_nanos));
  header.U8(static_cast<uint8_t>((batch.incomplete() ? kIncomplete : 0) | (batch.correction() ? kCorrection : 0) |
                                 (batch.has_overflow() ? kOverflow : 0)));
  const auto field_name = [](record::FieldId field) { return record::Info(field).name; };
  const record::CustomFields* custom = schema.key.custom_fields().get();
  header.U16(static_cast<uint16_t>(custom == nullptr ? 0 : custom->fields().size()));
  if (custom != nullptr) {
    for (const record::CustomField& field : custom->fields()) {
      AppendText(field.name, &header);
      AppendText(field_name(field.field), &header);
    }
  }
  header.U16(static_cast<uint16_t>(schema.key.size()));
  for (const record::FieldId field : schema.key.fields()) {
    AppendText(field_name(field), &header);
    AppendText(record::FieldTypeName(record::Info(field).type), &header);
  }
  header.U16(static_cast<uint16_t>(schema.values.size()));
  for (const ValueColumn& value : schema.values) {
    AppendText(value.name, &header);
    AppendText(field_name(value.field), &header);
    AppendText(record::FieldTypeName(record::Info(value.field).type), &header);
    header.U8(static_cast<uint8_t>(value.function));
  }
  header.U64(batch.size());
  const base::Octets octets = header.octets();
  return {octets.begin(), octets.end()};
}

}  // namespace

absl::Status WriteBatch(const AggregateBatch& batch, absl::FunctionRef<absl::Status(base::Octets)> write) {
  const Schema& schema = batch.schema();
  Writer writer(write);
  if (absl::Status status = writer.Piece('H', Header(batch)); !status.ok()) return status;

  std::vector<KeptField> key;
  for (const record::FieldId field : schema.key.fields()) key.push_back(KeptFieldOf(field, schema.key));
  const size_t presence = schema.key.presence_size();
  const bool has_extremes = HasExtremes(schema);
  TextNumbers texts(batch.interner());
  std::vector<uint8_t> rows, carries;
  for (size_t row = 0; row < batch.size();) {
    rows.clear();
    // The overflow row is the first of a piece of its own, so that it needs no mark in each row.
    const bool overflow = batch.is_overflow(row);
    rows.push_back(overflow ? 1 : 0);
    do {
      const uint8_t* const octets = batch.key(row).octets();
      rows.insert(rows.end(), octets, octets + presence);
      for (const KeptField& field : key) {
        if ((octets[field.index >> 3] >> (field.index & 7) & 1) == 0) continue;
        AppendKeptField(field, octets + field.offset, &texts, &rows);
      }
      if (has_extremes) {
        uint64_t seen = 0;
        for (size_t column = 0; column < schema.values.size(); ++column) {
          seen |= uint64_t{batch.has_value(row, column)} << column;
        }
        AppendVarint(seen, &rows);
      }
      for (size_t column = 0; column < schema.values.size(); ++column) {
        if (schema.values[column].function == Function::kTop) {
          const std::string text = batch.text(row, column);
          AppendVarint(text.size(), &rows);
          rows.insert(rows.end(), text.begin(), text.end());
          continue;
        }
        AppendVarint(base::LoadHost<uint64_t>(batch.values(row) + 8 * column), &rows);
        const uint64_t carry = absl::Uint128High64(batch.wide_value(row, column));
        if (carry == 0) continue;
        AppendVarint(row, &carries);
        AppendVarint(column, &carries);
        AppendVarint(carry, &carries);
      }
      ++row;
    } while (!overflow && row < batch.size() && !batch.is_overflow(row) && rows.size() < kPieceOctets);
    const std::vector<uint8_t> new_texts = texts.TakeNew();
    absl::Status status;
    if (!new_texts.empty()) status = writer.Piece('T', new_texts);
    if (status.ok()) status = writer.Piece('R', rows);
    if (!status.ok()) return status;
  }
  if (!carries.empty()) {
    if (absl::Status status = writer.Piece('C', carries); !status.ok()) return status;
  }
  return writer.End();
}

namespace {

class Reader {
 public:
  explicit Reader(size_t max_row_octets) : max_row_octets_(max_row_octets) {}

  absl::Status Read(base::Octets octets) {
    base::OctetReader reader(octets);
    for (uint32_t number = 0;; ++number) {
      const uint32_t size = reader.U32();
      const base::Octets sealed = reader.Bytes(size);
      if (!reader.ok()) return Damaged(absl::StrCat("it ends in piece ", number + 1));
      const absl::StatusOr<base::SealedOctets> piece = base::Unseal(kKind, kVersion, sealed);
      if (!piece.ok()) return piece.status();
      base::OctetReader body(piece->body);
      const char type = static_cast<char>(body.U8());
      if ((type == 'H') != (number == 0)) return Damaged("the first piece, and no other, tells what it is");
      if (type == 'E') {
        if (body.U32() != number || body.remaining() > 0 || reader.remaining() > 0 || rows_.size != told_rows_) {
          return Damaged("pieces are missing, or too many");
        }
        return absl::OkStatus();
      }
      if (absl::Status status = ReadPiece(type, &body); !status.ok()) return status;
      if (!body.ok() || body.remaining() > 0) return Damaged(absl::StrCat("piece ", number + 1, " is not whole"));
    }
  }

  AggregateBatch Take() {
    AggregateBatch batch(schema_, interner_, bin_, std::move(rows_));
    batch.set_identity(std::move(identity_));
    batch.set_incomplete((flags_ & kIncomplete) != 0);
    batch.set_correction((flags_ & kCorrection) != 0);
    if (has_overflow_) batch.set_overflow_row(overflow_row_);
    if (!texts_.empty()) batch.set_texts(std::move(texts_));
    batch.set_carries(std::move(carries_));
    return batch;
  }

 private:
  absl::Status ReadPiece(char type, base::OctetReader* body) {
    switch (type) {
      case 'H':
        return ReadHeader(body);
      case 'T':
        return ReadNewTexts(body, interner_.get(), &names_) ? absl::OkStatus() : Damaged("a name is cut");
      case 'R': {
        const uint8_t overflow = body->U8();
        if (overflow > 1 || (overflow == 1 && ((flags_ & kOverflow) == 0 || has_overflow_))) {
          return Damaged("it has several overflow rows, or none");
        }
        if (overflow == 1) {
          has_overflow_ = true;
          overflow_row_ = rows_.size;
        }
        while (body->remaining() > 0) {
          if (rows_.size == told_rows_) return Damaged("it has more rows than it says");
          if (absl::Status status = ReadRow(body); !status.ok()) return status;
        }
        return absl::OkStatus();
      }
      case 'C':
        while (body->remaining() > 0) {
          const uint64_t row = ReadVarint(body), column = ReadVarint(body), carry = ReadVarint(body);
          if (!body->ok() || row >= rows_.size || column >= schema_->values.size() ||
              schema_->values[column].function != Function::kSum) {
            return Damaged("a carry is of no row");
          }
          carries_[row * kColumnsAtMost + column] = carry;
        }
        return absl::OkStatus();
      default:
        return Damaged("a piece is of no known kind");
    }
  }

  // A field by its name in the registry, of the type that it had.
  static absl::StatusOr<record::FieldId> ReadField(base::OctetReader* body, bool with_type = true) {
    const std::string name = ReadText(body);
    const std::string type = with_type ? ReadText(body) : "";
    if (!body->ok()) return Damaged("a field is cut");
    const std::optional<record::FieldId> field = record::FindField(name);
    if (!field.has_value() || (with_type && record::FieldTypeName(record::Info(*field).type) != type)) {
      return absl::InvalidArgumentError(absl::StrCat("an accounted batch has the field \"", name, "\" of type ", type,
                                                     ", which this program has not"));
    }
    return *field;
  }

  absl::Status ReadHeader(base::OctetReader* body) {
    identity_.collector = ReadText(body);
    identity_.pipeline = ReadText(body);
    identity_.run = body->U64();
    identity_.number = body->U64();
    bin_.start_nanos = static_cast<int64_t>(body->U64());
    bin_.end_nanos = static_cast<int64_t>(body->U64());
    flags_ = body->U8();
    std::vector<std::pair<std::string, record::FieldId>> custom;
    for (uint16_t left = body->U16(); left > 0; --left) {
      std::string name = ReadText(body);
      const absl::StatusOr<record::FieldId> field = ReadField(body, /*with_type=*/false);
      if (!field.ok()) return field.status();
      custom.emplace_back(std::move(name), *field);
    }
    std::vector<record::FieldId> fields;
    for (uint16_t left = body->U16(); left > 0; --left) {
      const absl::StatusOr<record::FieldId> field = ReadField(body);
      if (!field.ok()) return field.status();
      fields.push_back(*field);
    }
    std::vector<ValueColumn> values;
    for (uint16_t left = body->U16(); left > 0; --left) {
      std::string name = ReadText(body);
      const absl::StatusOr<record::FieldId> field = ReadField(body);
      if (!field.ok()) return field.status();
      const uint8_t function = body->U8();
      if (function > static_cast<uint8_t>(Function::kTop)) return Damaged("a value is of no known function");
      values.push_back({*field, static_cast<Function>(function), std::move(name)});
    }
    told_rows_ = body->U64();
    if (!body->ok() || values.size() > kColumnsAtMost) return Damaged("its first piece is cut");
    std::shared_ptr<const record::CustomFields> names;
    if (!custom.empty()) {
      absl::StatusOr<record::CustomFields> made = record::CustomFields::OfNames(custom);
      if (!made.ok()) return Damaged(made.status().message());
      names = std::make_shared<const record::CustomFields>(*std::move(made));
    }
    auto schema = std::make_shared<Schema>(Schema{record::Layout(fields, std::move(names)), std::move(values)});
    if (schema->key.size() != fields.size()) return Damaged("a field of its key is there twice");
    for (const record::FieldId field : fields) key_.push_back(KeptFieldOf(field, schema->key));
    for (size_t column = 0; column < schema->values.size(); ++column) {
      if (schema->values[column].function == Function::kTop) texts_.resize(schema->values.size());
    }
    has_extremes_ = HasExtremes(*schema);
    rows_.values_offset = schema->key.row_size();
    const size_t values_end = rows_.values_offset + 8 * schema->values.size();
    if (has_extremes_) rows_.seen_offset = values_end;
    rows_.stride = values_end + (has_extremes_ ? 8 : 0);
    rows_.rows_per_chunk = kRowsPerChunk;
    schema_ = std::move(schema);
    return absl::OkStatus();
  }

  absl::Status ReadRow(base::OctetReader* body) {
    const size_t at = rows_.size % kRowsPerChunk;
    if (at == 0) {
      const size_t chunk = kRowsPerChunk * rows_.stride;
      if ((rows_.chunks.size() + 1) * chunk > max_row_octets_) {
        return absl::ResourceExhaustedError(
            absl::StrCat("an accounted batch has more rows than ", max_row_octets_, " octets of memory hold"));
      }
      rows_.chunks.push_back(NewChunk(chunk));
    }
    uint8_t* const row = rows_.chunks.back().get() + at * rows_.stride;
    std::fill(row, row + rows_.stride, uint8_t{0});
    const size_t presence = schema_->key.presence_size();
    const base::Octets bits = body->Bytes(presence);
    if (bits.size() != presence) return Damaged("a row is cut");
    std::copy(bits.begin(), bits.end(), row);
    if (key_.size() % 8 != 0 && row[presence - 1] >> (key_.size() % 8) != 0) return Damaged("a row has unknown fields");
    for (const KeptField& field : key_) {
      if ((row[field.index >> 3] >> (field.index & 7) & 1) == 0) continue;
      if (!ReadKeptField(field, body, names_, row + field.offset)) return Damaged("a field of a row is none");
    }
    if (has_extremes_) base::StoreHost<uint64_t>(row + rows_.seen_offset, ReadVarint(body));
    for (size_t column = 0; column < schema_->values.size(); ++column) {
      if (schema_->values[column].function == Function::kTop) {
        const base::Octets text = body->Bytes(static_cast<size_t>(ReadVarint(body)));
        texts_[column].resize(rows_.size);
        texts_[column].emplace_back(base::AsText(text));
        continue;
      }
      base::StoreHost<uint64_t>(row + rows_.values_offset + 8 * column, ReadVarint(body));
    }
    if (!body->ok()) return Damaged("a row is cut");
    ++rows_.size;
    return absl::OkStatus();
  }

  const size_t max_row_octets_;
  BatchIdentity identity_;
  TimeBin bin_;
  uint8_t flags_ = 0;
  uint64_t told_rows_ = 0;
  std::shared_ptr<const Schema> schema_;
  // Bounded by the octets that are read.
  std::shared_ptr<base::Interner> interner_ = std::make_shared<base::Interner>(base::InternerOptions{SIZE_MAX / 2});
  std::vector<base::InternId> names_ = {base::Interner::kNone, base::Interner::kOverflowId};
  std::vector<KeptField> key_;
  bool has_extremes_ = false;
  AggregateBatch::Rows rows_;
  AggregateBatch::Carries carries_;
  std::vector<std::vector<std::string>> texts_;
  bool has_overflow_ = false;
  size_t overflow_row_ = 0;
};

}  // namespace

absl::StatusOr<AggregateBatch> ReadBatch(base::Octets octets, size_t max_row_octets) {
  Reader reader(max_row_octets);
  if (absl::Status status = reader.Read(octets); !status.ok()) return status;
  return reader.Take();
}

}  // namespace flowacct::aggregate
