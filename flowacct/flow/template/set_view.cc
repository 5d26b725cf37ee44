#include "flowacct/flow/template/set_view.h"

#include <algorithm>

namespace flowacct::flow {

using base::DecodeCode;
using base::DecodeResult;
using base::LoadBe16;
using base::LoadBe32;
using base::Octets;

bool IsZero(Octets octets) {
  return std::all_of(octets.begin(), octets.end(), [](uint8_t octet) { return octet == 0; });
}

bool SetReader::Next(SetView* set) {
  const Octets rest = message_.subspan(at_);
  if (rest.size() < kSetHeaderOctets) {
    if (!IsZero(rest)) result_ = DecodeResult::Error(DecodeCode::kTrailingOctets, at_);
    at_ = message_.size();
    return false;
  }
  const size_t length = LoadBe16(rest.data() + 2);
  if (length < kSetHeaderOctets) {
    // Some exporters pad a message to four octets or more.
    if (!IsZero(rest)) result_ = DecodeResult::Error(DecodeCode::kBadLength, at_ + 2);
    at_ = message_.size();
    return false;
  }
  const size_t available = std::min(length, rest.size());
  set->dialect_ = dialect_;
  set->id_ = LoadBe16(rest.data());
  set->offset_ = at_ + kSetHeaderOctets;
  set->octets_ = rest.subspan(kSetHeaderOctets, available - kSetHeaderOctets);
  set->cut_ = available < length;
  if (set->cut_) result_ = DecodeResult::Error(DecodeCode::kTruncated, message_.size());
  at_ += available;
  return true;
}

bool SpecifierReader::Next(FieldSpecifier* field) {
  if (remaining_ == 0 || octets_.size() - at_ < 4) return false;
  const uint8_t* p = octets_.data() + at_;
  FieldSpecifier read;
  read.id = LoadBe16(p);
  read.length = LoadBe16(p + 2);
  read.scope = scopes_ > 0;
  size_t octets = 4;
  if (dialect_ == Dialect::kIpfix && (read.id & 0x8000) != 0) {  // the enterprise bit (RFC 7011, 3.2)
    if (octets_.size() - at_ < 8) return false;
    read.enterprise_number = LoadBe32(p + 4);
    read.id &= 0x7fff;
    octets = 8;
  }
  at_ += octets;
  --remaining_;
  if (scopes_ > 0) --scopes_;
  *field = read;
  return true;
}

DecodeResult TemplateView::Parse(Dialect dialect, bool options, Octets octets, TemplateView* view) {
  const auto bad = [](size_t offset) { return DecodeResult::Error(DecodeCode::kBadTemplate, offset); };
  if (octets.size() < 4) return bad(0);
  TemplateView read;
  read.dialect_ = dialect;
  read.options_ = options;
  read.id_ = LoadBe16(octets.data());
  read.field_count_ = LoadBe16(octets.data() + 2);
  read.header_octets_ = 4;
  if (dialect == Dialect::kIpfix && read.field_count_ == 0) {  // RFC 7011, 8.1
    read.octets_ = octets.first(4);
    *view = read;
    return DecodeResult::Ok();
  }
  if (options) {
    if (octets.size() < 6) return bad(0);
    const size_t second = LoadBe16(octets.data() + 4);
    read.header_octets_ = 6;
    if (dialect == Dialect::kNetflow9) {  // octets of scopes, octets of options (RFC 3954, 6.1)
      if (read.field_count_ % 4 != 0 || second % 4 != 0) return bad(2);
      read.scope_field_count_ = read.field_count_ / 4;
      read.field_count_ = read.scope_field_count_ + second / 4;
    } else {  // fields, of which so many are scopes (RFC 7011, 3.4.2.2)
      if (second == 0 || second > read.field_count_) return bad(4);
      read.scope_field_count_ = second;
    }
  }
  if (read.id_ < kFirstDataSet) return bad(0);
  SpecifierReader fields(dialect, octets.subspan(read.header_octets_), read.field_count_, read.scope_field_count_);
  for (FieldSpecifier field; fields.Next(&field);) {
    read.variable_ |= field.variable();
    read.record_octets_ += field.variable() ? 1 : field.length;  // one octet of length at least
  }
  if (fields.remaining() > 0) return bad(0);
  read.octets_ = octets.first(read.header_octets_ + fields.offset());
  *view = read;
  return DecodeResult::Ok();
}

TemplateReader::TemplateReader(const SetView& set) : set_(set), offset_(set.offset()) {
  if (set.is_template() || set.is_options_template()) rest_ = set.octets();
}

bool TemplateReader::Next(TemplateView* view) {
  if (rest_.size() < 4) return false;
  if (LoadBe16(rest_.data()) == 0 && IsZero(rest_)) return false;  // padding
  offset_ = set_.offset() + (set_.octets().size() - rest_.size());
  const DecodeResult result = TemplateView::Parse(set_.dialect(), set_.is_options_template(), rest_, view);
  if (!result.ok()) {
    result_ = DecodeResult::Error(result.code, offset_ + result.offset);
    rest_ = Octets();
    return false;
  }
  rest_.remove_prefix(view->octets().size());
  return true;
}

DecodeCode JudgeRest(size_t records, Octets rest) {
  if ((rest.size() < 4 && records > 0) || IsZero(rest)) return DecodeCode::kOk;
  return records == 0 ? DecodeCode::kBadLength : DecodeCode::kTrailingOctets;
}

bool RecordReader::Next(RecordView* record) {
  const Octets rest = octets_.subspan(at_);
  size_t length = format_.record_octets();
  if (length == 0 || rest.size() < length) return false;
  if (format_.variable()) {
    length = 0;
    SpecifierReader fields = format_.fields();
    Octets value;
    for (FieldSpecifier field; fields.Next(&field);) {
      if (!TakeField(rest, field.length, &length, &value)) return false;
    }
  }
  record->format_ = format_;
  record->offset_ = base_ + at_;
  record->octets_ = rest.first(length);
  at_ += length;
  ++records_;
  return true;
}

DecodeResult RecordReader::result() const {
  if (format_.record_octets() == 0) return DecodeResult::Error(DecodeCode::kBadTemplate, base_);
  const DecodeCode code = JudgeRest(records_, octets_.subspan(at_));
  return code == DecodeCode::kOk ? DecodeResult::Ok() : DecodeResult::Error(code, base_ + at_);
}

}  // namespace flowacct::flow
