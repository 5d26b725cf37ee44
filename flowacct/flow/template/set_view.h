// The sets of a NetFlow v9 or IPFIX message as they lie on the wire: borrowed views and the readers that walk them.
//
//     SetReader sets(Dialect::kIpfix, message, /*begin=*/16);
//     for (SetView set; sets.Next(&set);) {
//       TemplateReader templates(set);  // gives none of a data set
//       for (TemplateView format; templates.Next(&format);) Keep(format.id(), format.octets());
//     }
//     RecordReader records(format, set);
//     for (RecordView record; records.Next(&record);) {
//       ValueReader values(record);
//       for (FieldView field; values.Next(&field);) Use(field.specifier, field.octets);
//     }
//
// Standards: RFC 7011 (3.2 field specifiers, 3.3 sets, 3.4 records, 7 variable length, 8.1 withdrawals), RFC 3954 (5,
// FlowSets; 6.1 options templates). An IPFIX "Set" is a NetFlow v9 "FlowSet".
// Checked: every length and count against the octets, so that no reader leaves them and each ends: a step takes one
// octet at least. Not checked: whether templates make sense, agree with earlier ones or are too many; that is
// set_decoder.h, which reads with what is here.
// Ownership: views borrow the message's octets; a RecordView's fields borrow those of the template too. To keep a
// template, keep a copy of its octets() and Parse it again. Threads: plain values. Errors: a DecodeResult with the
// offset in the message. Cost: no allocation; a template is walked once when it is parsed. Reading all fields of all
// records costs fields x records, and a field may have no octets: bound field_count() where a stranger may choose it.

#ifndef FLOWACCT_FLOW_TEMPLATE_SET_VIEW_H_
#define FLOWACCT_FLOW_TEMPLATE_SET_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"

namespace flowacct::flow {

// What differs: the ids of template sets, enterprise numbers, how scopes are counted, withdrawals.
enum class Dialect : uint8_t { kNetflow9 = 9, kIpfix = 10 };

// A length that says "each record tells it" (RFC 7011, 7).
inline constexpr uint16_t kVariableLength = 65535;
inline constexpr uint16_t kFirstDataSet = 256;  // RFC 7011, 3.3.2; RFC 3954, 5.3
inline constexpr size_t kSetHeaderOctets = 4;   // RFC 7011, 3.3.2

bool IsZero(base::Octets octets);

class SetView {
 public:
  Dialect dialect() const { return dialect_; }
  uint16_t id() const { return id_; }
  // Of octets() in the message.
  size_t offset() const { return offset_; }
  // Without the set's header; padding included.
  base::Octets octets() const { return octets_; }
  // The message ends before the set does.
  bool cut() const { return cut_; }

  bool is_template() const { return id_ == (dialect_ == Dialect::kNetflow9 ? 0 : 2); }
  bool is_options_template() const { return id_ == (dialect_ == Dialect::kNetflow9 ? 1 : 3); }
  // Then id() is that of the template.
  bool is_data() const { return id_ >= kFirstDataSet; }

 private:
  friend class SetReader;
  Dialect dialect_ = Dialect::kIpfix;
  bool cut_ = false;
  uint16_t id_ = 0;
  size_t offset_ = 0;
  base::Octets octets_;
};

class SetReader {
 public:
  // `begin`: where the first set is, behind the message's header; not past the end.
  SetReader(Dialect dialect, base::Octets message, size_t begin) : dialect_(dialect), message_(message), at_(begin) {}

  // The next set; false at the end or where no further set can be found: result() tells which. A set that is cut is
  // given as far as it goes.
  bool Next(SetView* set);
  // kTruncated: the last set was cut. kBadLength: a set shorter than its header, so that no set after it can be found.
  // kTrailingOctets: fewer octets than a header. Zeros behind the last set are padding, not an error.
  const base::DecodeResult& result() const { return result_; }

 private:
  Dialect dialect_;
  base::Octets message_;
  size_t at_;
  base::DecodeResult result_;
};

struct FieldSpecifier {
  // 0: IANA's elements. NetFlow v9 has none.
  uint32_t enterprise_number = 0;
  // The Information Element or field type; of a scope of NetFlow v9 a scope field type (RFC 3954, 6.1).
  uint16_t id = 0;
  uint16_t length = 0;
  bool scope = false;

  bool variable() const { return length == kVariableLength; }
};

// Field specifiers, one after another.
class SpecifierReader {
 public:
  // The first `scopes` of `count` are scopes.
  SpecifierReader(Dialect dialect, base::Octets octets, size_t count, size_t scopes)
      : dialect_(dialect), octets_(octets), remaining_(count), scopes_(scopes) {}

  // False: all were read, or the octets end before (remaining() is not 0 then).
  bool Next(FieldSpecifier* field);
  size_t remaining() const { return remaining_; }
  // Octets read so far.
  size_t offset() const { return at_; }

 private:
  Dialect dialect_;
  base::Octets octets_;
  size_t at_ = 0;
  size_t remaining_;
  size_t scopes_;
};

class TemplateView {
 public:
  // Reads the template record that `octets` begins with; result offsets count from there. kBadTemplate: an id below
  // 256, more fields than octets, scopes that are none (IPFIX) or too many.
  static base::DecodeResult Parse(Dialect dialect, bool options, base::Octets octets, TemplateView* view);

  Dialect dialect() const { return dialect_; }
  // An Options Template Record.
  bool options() const { return options_; }
  uint16_t id() const { return id_; }
  // Scopes included.
  size_t field_count() const { return field_count_; }
  size_t scope_field_count() const { return scope_field_count_; }
  // A Template Withdrawal (RFC 7011, 8.1): no fields. Of id 2 or 3: all templates, all options templates.
  bool withdrawal() const { return dialect_ == Dialect::kIpfix && field_count_ == 0; }
  // The template record, its header included.
  base::Octets octets() const { return octets_; }
  SpecifierReader fields() const {
    return SpecifierReader(dialect_, octets_.subspan(header_octets_), field_count_, scope_field_count_);
  }

  // Of a data record; with fields of variable length the least it can be. 0: no data can be read with it.
  size_t record_octets() const { return record_octets_; }
  bool variable() const { return variable_; }

 private:
  Dialect dialect_ = Dialect::kIpfix;
  bool options_ = false;
  bool variable_ = false;
  uint16_t id_ = 0;
  size_t header_octets_ = 0;
  size_t field_count_ = 0;
  size_t scope_field_count_ = 0;
  size_t record_octets_ = 0;
  base::Octets octets_;
};

class TemplateReader {
 public:
  explicit TemplateReader(const SetView& set);

  // The next template or withdrawal; false at the end or at one that cannot be read: result() tells which.
  bool Next(TemplateView* view);
  const base::DecodeResult& result() const { return result_; }
  // Of the template that Next gave, in the message.
  size_t offset() const { return offset_; }

 private:
  SetView set_;
  base::Octets rest_;
  size_t offset_;
  base::DecodeResult result_;
};

// Takes the next field of a record, whose specifier says `length`, from `*at` on. False: not all of it is there.
inline bool TakeField(base::Octets record, uint16_t length, size_t* at, base::Octets* field) {
  size_t octets = length;
  if (length == kVariableLength) {
    if (*at >= record.size()) return false;
    octets = record[(*at)++];
    if (octets == 255) {
      if (record.size() - *at < 2) return false;
      octets = base::LoadBe16(record.data() + *at);
      *at += 2;
    }
  }
  if (record.size() - *at < octets) return false;
  *field = record.subspan(*at, octets);
  *at += octets;
  return true;
}

// What to say of the octets of a data set behind its last whole record. kOk: padding, which is at most three octets
// (they align the next set) or zero (RFC 7011, 3.3.1 allows what is shorter than a record; exporters give more).
base::DecodeCode JudgeRest(size_t records, base::Octets rest);

class RecordView {
 public:
  const TemplateView& format() const { return format_; }
  // Of the octets in the message.
  size_t offset() const { return offset_; }
  base::Octets octets() const { return octets_; }

 private:
  friend class RecordReader;
  TemplateView format_;
  size_t offset_ = 0;
  base::Octets octets_;
};

class RecordReader {
 public:
  // `set` must be of `format`: a data set of its id, in a message to which the template applies.
  RecordReader(const TemplateView& format, const SetView& set) : RecordReader(format, set.octets(), set.offset()) {}
  // Records that lie elsewhere: in a list (list_view.h), in a file. `offset`: what is added to those that are told.
  RecordReader(const TemplateView& format, base::Octets octets, size_t offset)
      : format_(format), octets_(octets), base_(offset) {}

  // The next whole record.
  bool Next(RecordView* record);
  // Ok, or what is wrong with the octets behind the last whole record (JudgeRest). kBadTemplate: a template whose
  // records have no octets.
  base::DecodeResult result() const;

 private:
  TemplateView format_;
  base::Octets octets_;
  size_t base_;
  size_t at_ = 0;
  size_t records_ = 0;
};

struct FieldView {
  FieldSpecifier specifier;
  // As long as the record says: without the length octets of a field of variable length.
  base::Octets octets;

  // A number of 1 to 8 octets (RFC 7011, 6.2); absent if there are none or more.
  std::optional<uint64_t> Unsigned() const {
    if (octets.empty() || octets.size() > 8) return std::nullopt;
    return base::LoadBe(octets.data(), octets.size());
  }
};

// The fields of a record, in order.
class ValueReader {
 public:
  explicit ValueReader(const RecordView& record) : specifiers_(record.format().fields()), record_(record.octets()) {}

  bool Next(FieldView* field) {
    return specifiers_.Next(&field->specifier) && TakeField(record_, field->specifier.length, &at_, &field->octets);
  }

 private:
  SpecifierReader specifiers_;
  base::Octets record_;
  size_t at_ = 0;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_SET_VIEW_H_
