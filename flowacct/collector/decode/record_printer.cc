#include "flowacct/collector/decode/record_printer.h"

#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

using record::ElementType;

void AppendHex(base::Octets octets, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out->push_back('"');
  for (uint8_t octet : octets) {
    out->push_back(kDigits[octet >> 4]);
    out->push_back(kDigits[octet & 15]);
  }
  out->push_back('"');
}

void AppendTime(int64_t nanos, std::string* out) {
  char buffer[32];
  out->push_back('"');
  out->append(buffer, static_cast<size_t>(record::WriteTime(nanos, buffer) - buffer));
  out->push_back('"');
}

int64_t SignExtended(base::Octets octets) {
  const int shift = 64 - 8 * static_cast<int>(octets.size());
  return static_cast<int64_t>(base::LoadBe(octets.data(), octets.size()) << shift) >> shift;
}

void AppendFloat(double value, std::string* out) {
  if (!std::isfinite(value)) {
    out->append("null");  // JSON has no such numbers (RFC 8259, 6)
  } else {
    absl::StrAppendFormat(out, "%.17g", value);
  }
}

// The NTP 64-bit format counts from 1900 (RFC 7011, 6.1.9 and 6.1.10).
int64_t NtpNanos(uint64_t ntp) {
  constexpr int64_t kSecondsFrom1900To1970 = 2208988800;
  const int64_t seconds = static_cast<int64_t>(ntp >> 32) - kSecondsFrom1900To1970;
  const int64_t nanos = static_cast<int64_t>(((ntp & 0xffffffff) * 1000000000) >> 32);
  return seconds * 1000000000 + nanos;
}

// A time whose nanoseconds do not fit 64 bits is shown as the number it is.
void AppendScaledTime(uint64_t value, int64_t nanos_per_unit, std::string* out) {
  int64_t nanos;
  if (value > static_cast<uint64_t>(INT64_MAX) ||
      __builtin_mul_overflow(static_cast<int64_t>(value), nanos_per_unit, &nanos)) {
    absl::StrAppend(out, value);
  } else {
    AppendTime(nanos, out);
  }
}

}  // namespace

void AppendElementJson(const record::Element& element, std::string* out) {
  const base::Octets octets = element.octets;
  const bool number = !octets.empty() && octets.size() <= 8;
  switch (element.type) {
    case ElementType::kUnsigned:
      if (!number) break;
      absl::StrAppend(out, base::LoadBe(octets.data(), octets.size()));
      return;
    case ElementType::kSigned:
      if (!number) break;
      absl::StrAppend(out, SignExtended(octets));
      return;
    case ElementType::kFloat:
      if (octets.size() == 4) {
        const uint32_t bits = base::LoadBe32(octets.data());
        float value;
        std::memcpy(&value, &bits, sizeof(value));
        return AppendFloat(static_cast<double>(value), out);
      }
      if (octets.size() == 8) {
        const uint64_t bits = base::LoadBe64(octets.data());
        double value;
        std::memcpy(&value, &bits, sizeof(value));
        return AppendFloat(value, out);
      }
      break;
    case ElementType::kBoolean:  // RFC 7011, 6.1.5: 1 is true, 2 is false
      if (octets.size() != 1 || octets[0] < 1 || octets[0] > 2) break;
      out->append(octets[0] == 1 ? "true" : "false");
      return;
    case ElementType::kMac:
      if (octets.size() != 6) break;
      absl::StrAppend(out, "\"", base::MacAddress::From(octets.data()).ToString(), "\"");
      return;
    case ElementType::kString: {
      // Fixed-length strings are padded with NUL in NetFlow v9.
      absl::string_view text = base::AsText(octets);
      while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
      return record::AppendJsonString(text, out);
    }
    case ElementType::kIpv4:
      if (octets.size() != 4) break;
      absl::StrAppend(out, "\"", base::IpAddress::FromV4(octets.data()).ToString(), "\"");
      return;
    case ElementType::kIpv6:
      if (octets.size() != 16) break;
      absl::StrAppend(out, "\"", base::IpAddress::FromV6(octets.data()).ToString(), "\"");
      return;
    case ElementType::kSeconds:
      if (!number) break;
      return AppendScaledTime(base::LoadBe(octets.data(), octets.size()), 1000000000, out);
    case ElementType::kMilliseconds:
      if (!number) break;
      return AppendScaledTime(base::LoadBe(octets.data(), octets.size()), 1000000, out);
    case ElementType::kMicroseconds:
    case ElementType::kNanoseconds:
      if (octets.size() != 8) break;
      return AppendTime(NtpNanos(base::LoadBe64(octets.data())), out);
    case ElementType::kOctets:
      break;
  }
  AppendHex(octets, out);
}

void RecordPrinter::Begin(absl::string_view unit, uint64_t number) {
  unit_ = std::string(unit);
  number_ = number;
  heard_count_ = 0;
}

void RecordPrinter::OnRecord(record::RecordKind kind, uint16_t template_id) {
  if (heard_count_ == heard_.size()) heard_.emplace_back();
  Heard& heard = heard_[heard_count_++];
  heard.kind = kind;
  heard.template_id = template_id;
  heard.rows = 0;
  heard.elements.clear();
  scopes_.clear();
  scopes_.emplace_back();
}

void RecordPrinter::AppendName(absl::string_view name, std::string* out) {
  if (!out->empty() && out->back() != '{') out->push_back(',');
  const int occurrence = ++scopes_.back()[name];
  if (occurrence == 1) {
    record::AppendJsonString(name, out);
  } else {
    record::AppendJsonString(absl::StrCat(name, "#", occurrence), out);
  }
  out->push_back(':');
}

void RecordPrinter::OnElement(const record::Element& element) {
  std::string& out = heard_[heard_count_ - 1].elements;
  AppendName(element.name, &out);
  AppendElementJson(element, &out);
}

void RecordPrinter::OnListBegin(absl::string_view name) {
  std::string& out = heard_[heard_count_ - 1].elements;
  AppendName(name, &out);
  out.push_back('{');
  scopes_.emplace_back();
}

void RecordPrinter::OnListEnd() {
  heard_[heard_count_ - 1].elements.push_back('}');
  scopes_.pop_back();
}

void RecordPrinter::OnRecordEnd(size_t rows) { heard_[heard_count_ - 1].rows = rows; }

void RecordPrinter::AppendHead(absl::string_view kind, absl::string_view protocol, std::string* out) {
  absl::StrAppend(out, "{\"", unit_, "\":", number_, ",\"kind\":\"", kind, "\"");
  if (!protocol.empty()) absl::StrAppend(out, ",\"export\":\"", protocol, "\"");
}

void RecordPrinter::AppendRecord(const Heard& heard, record::FlowBatch& rows, size_t first, absl::string_view protocol,
                                 std::string* out) {
  for (size_t i = 0; i < std::max<size_t>(heard.rows, 1); ++i) {
    AppendHead(record::RecordKindName(heard.kind), protocol, out);
    if (heard.template_id != 0) absl::StrAppend(out, ",\"template\":", heard.template_id);
    if (i < heard.rows && first + i < rows.size()) {
      const record::RowView row = rows.row(first + i);
      for (record::FieldId field : row.layout().fields()) {
        if (!row.Has(field) || field == record::FieldId::kTemplateId) continue;
        absl::StrAppend(out, ",\"", record::Info(field).name, "\":");
        record::AppendJson(row, field, rows.interner(), out);
      }
    }
    if (i == 0) absl::StrAppend(out, ",\"elements\":{", heard.elements, "}");
    out->append("}\n");
  }
}

void RecordPrinter::End(base::DecodeResult result, absl::string_view protocol, std::string* out) {
  size_t flow = 0, counter = 0;
  for (size_t i = 0; i < heard_count_; ++i) {
    const Heard& heard = heard_[i];
    const bool is_counter = heard.kind == record::RecordKind::kCounter;
    record::FlowBatch& rows = is_counter ? *counters_ : *flows_;
    size_t& first = is_counter ? counter : flow;
    AppendRecord(heard, rows, first, protocol, out);
    first += heard.rows;
  }
  if (!result.ok()) {
    AppendHead("error", protocol, out);
    absl::StrAppend(out, ",\"reason\":\"", base::DecodeCodeName(result.code), "\",\"offset\":", result.offset,
                    ",\"help\":");
    record::AppendJsonString(base::DecodeCodeHelp(result.code), out);
    out->append("}\n");
  }
  heard_count_ = 0;
  flows_->Clear();
  counters_->Clear();
}

}  // namespace flowacct::collector
