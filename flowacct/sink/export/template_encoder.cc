#include "flowacct/sink/export/template_encoder.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/information_element.h"

namespace flowacct::sink {
namespace {

using record::FieldId;

constexpr size_t kV9HeaderOctets = 20;     // RFC 3954, 5.1
constexpr size_t kIpfixHeaderOctets = 16;  // RFC 7011, 3.1
constexpr size_t kSetHeaderOctets = 4;
constexpr size_t kMaxPadding = 3;
// RFC 791 lets hosts count on 576 octets; less holds no template worth the name.
constexpr size_t kLeastDatagramOctets = 512;
constexpr size_t kMostDatagramOctets = 65535;

constexpr uint16_t kSamplingTemplate = 256;
constexpr uint16_t kInterfaceTemplate = 257;
constexpr uint16_t kFirstTemplate = 258;
constexpr uint16_t kElementTemplate = 65535;  // behind the last
constexpr uint8_t kSelector = 1;
constexpr size_t kMaxInterfaceFixed = 4 + 3 + 3;           // the index, and the lengths of both texts
constexpr uint16_t kScopeSystem = 1, kScopeInterface = 2;  // RFC 3954, 6.1
constexpr uint32_t kNoTemplate = 0xffffffff;
constexpr int64_t kNanosPerSecond = 1000000000;
constexpr int64_t kNanosPerMilli = 1000000;
constexpr uint64_t kSamplingRandom = 2;                // samplingAlgorithm
constexpr uint64_t kSelectorSystematicCountBased = 1;  // selectorAlgorithm (RFC 5477, 8.2.2)

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

struct OptionField {
  uint16_t id, length;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TemplateEncoder>> TemplateEncoder::New(ExportOptions options,
                                                                      ExportTransport* transport) {
  const bool v9 = options.format == ExportFormat::kNetflow9;
  if (!v9 && options.format != ExportFormat::kIpfix) {
    return Wrong("format = ", ExportFormatName(options.format), ": has no templates");
  }
  if (options.max_datagram_octets < kLeastDatagramOctets || options.max_datagram_octets > kMostDatagramOctets) {
    return Wrong("max_datagram_octets = ", options.max_datagram_octets, ": is between ", kLeastDatagramOctets, " and ",
                 kMostDatagramOctets, "; 1452 fits Ethernet");
  }
  if (options.template_refresh <= absl::ZeroDuration()) {
    return Wrong("template_refresh = ", absl::FormatDuration(options.template_refresh),
                 ": is more than 0, such as 60s; inf: only once");
  }
  if (options.max_templates == 0 || options.max_templates > 10000) {
    return Wrong("max_templates = ", options.max_templates, ": is between 1 and 10000");
  }
  if (options.sampling_rate > UINT32_MAX) {
    return Wrong("sampling_rate = ", options.sampling_rate, ": is at most ", UINT32_MAX);
  }
  const ExportTimes times = options.times.value_or(v9 ? ExportTimes::kUptime : ExportTimes::kMilliseconds);
  const bool ntp = times == ExportTimes::kMicroseconds || times == ExportTimes::kNanoseconds;
  if (v9 ? ntp : times == ExportTimes::kUptime) {
    return Wrong("times = ", ExportTimesName(times), ": not in ", ExportFormatName(options.format), "; choose ",
                 v9 ? "uptime, s or ms" : "s, ms, us or ns");
  }
  std::vector<FieldId> fields;
  for (const std::string& name : options.fields) {
    const absl::StatusOr<FieldId> field = record::FieldFromName(name);
    if (!field.ok()) return Wrong("fields: ", field.status().message());
    if (!ElementsOf(*field, options.format, times, options.enterprise).has_value()) {
      return Wrong("fields: ", name, ": ", ExportFormatName(options.format),
                   " has no information element for it; leave it out",
                   ElementsOf(*field, options.format, times, 1).has_value() ? ", or give an enterprise number" : "");
    }
    if (std::find(fields.begin(), fields.end(), *field) == fields.end()) fields.push_back(*field);
  }
  // In IPFIX a record of an interface goes into one message.
  const size_t text_octets =
      v9 ? kFixedTextOctets
         : options.max_datagram_octets - kIpfixHeaderOctets - kSetHeaderOctets - kMaxPadding - kMaxInterfaceFixed;
  for (const ExportInterface& interface : options.interfaces) {
    const size_t octets = v9 ? std::max(interface.name.size(), interface.description.size())
                             : interface.name.size() + interface.description.size();
    if (octets > text_octets) {
      return Wrong("interfaces: the texts of interface ", interface.index, " are longer than ", text_octets, " octets");
    }
  }
  return absl::WrapUnique(new TemplateEncoder(std::move(options), transport, std::move(fields)));
}

TemplateEncoder::TemplateEncoder(ExportOptions options, ExportTransport* transport, std::vector<FieldId> fields)
    : ExportEncoder(transport),
      options_(std::move(options)),
      fields_(std::move(fields)),
      times_(options_.times.value_or(v9() ? ExportTimes::kUptime : ExportTimes::kMilliseconds)),
      selector_(options_.sampling_rate != 0 && !v9() ? kSelector : 0),
      full_{kNoTemplate, kNoTemplate},
      next_id_(kFirstTemplate),
      buffer_(options_.max_datagram_octets) {}

void TemplateEncoder::Bind(const record::Layout* layout) {
  std::vector<ExportColumn> columns;
  for (const FieldId field : fields_.empty() ? layout->fields() : absl::MakeConstSpan(fields_)) {
    if (!layout->Has(field) || (fields_.empty() && IsRelayed(field))) continue;
    const std::optional<ExportElements> elements = ElementsOf(field, options_.format, times_, options_.enterprise);
    if (!elements.has_value()) continue;
    const record::FieldType type = record::Info(field).type;
    columns.push_back({field, type, layout->offset(field), layout->index(field),
                       static_cast<uint8_t>(record::FieldTypeSize(type)), *elements});
  }
  own_elements_.clear();
  for (const ExportColumn& column : columns) {
    for (const ExportElement& element : {column.elements.v4, column.elements.v6}) {
      const bool known = std::find(own_elements_.begin(), own_elements_.end(), element.id) != own_elements_.end();
      if (options_.enterprise != 0 && element.pen == options_.enterprise && !known) own_elements_.push_back(element.id);
    }
  }
  columns_ = ExportColumns(*layout, std::move(columns));
  templates_.clear();
  by_pattern_.clear();
  full_[0] = full_[1] = kNoTemplate;
}

uint32_t TemplateEncoder::NewTemplate(const RowPattern& pattern, bool filled) {
  templates_.push_back(
      std::make_unique<Announced>(Announced{RecordTemplate(next_id_, columns_, pattern, selector_), 0, filled}));
  next_id_ = next_id_ + 1 == kElementTemplate ? kFirstTemplate : static_cast<uint16_t>(next_id_ + 1);
  ++templates_made_;
  return static_cast<uint32_t>(templates_.size() - 1);
}

uint32_t TemplateEncoder::TemplateFor(const RowPattern& pattern) {
  const auto known = by_pattern_.find(pattern);
  if (known != by_pattern_.end()) return known->second;
  if (ExportColumns::IsEmpty(pattern)) return kNoTemplate;
  if (by_pattern_.size() < options_.max_templates) {
    return by_pattern_[pattern] = NewTemplate(pattern, /*filled=*/false);
  }
  const bool v6 = ExportColumns::HasV6(pattern);
  uint32_t& full = full_[v6 ? 1 : 0];
  if (full == kNoTemplate) full = NewTemplate(columns_.FullPattern(v6), /*filled=*/true);
  return full;
}

void TemplateEncoder::Add(const record::FlowBatch& flows, absl::Time now) {
  now_nanos_ = absl::ToUnixNanos(now);
  if (boot_nanos_ == 0) {
    const absl::Time boot = options_.boot_time == absl::InfinitePast() ? now - absl::Hours(1) : options_.boot_time;
    boot_nanos_ = absl::ToUnixNanos(boot) / kNanosPerMilli * kNanosPerMilli;
  }
  counters_.rows_in += flows.size();
  row_templates_.resize(flows.size());
  for (const auto& announced : templates_) announced->rows = 0;
  RowPattern last;
  uint32_t last_template = kNoTemplate;
  for (size_t i = 0; i < flows.size(); ++i) {
    const RowPattern pattern = columns_.PatternOf(flows.data() + i * flows.stride());
    if (!(pattern == last) || last_template == kNoTemplate) {
      last = pattern;
      last_template = TemplateFor(pattern);
    }
    row_templates_[i] = last_template;
    if (last_template != kNoTemplate) {
      ++templates_[last_template]->rows;
    } else {
      Refuse(ExportRefusal::kNothing);
    }
  }
  // Rows of one template side by side.
  order_.resize(flows.size());
  uint32_t next = 0;
  for (const auto& announced : templates_) {
    const uint32_t rows = announced->rows;
    announced->rows = next;
    next += rows;
  }
  for (size_t i = 0; i < flows.size(); ++i) {
    if (row_templates_[i] != kNoTemplate) order_[templates_[row_templates_[i]]->rows++] = static_cast<uint32_t>(i);
  }
  for (uint32_t i = 0; i < next; ++i) {
    AddRow(*templates_[row_templates_[order_[i]]], flows.data() + order_[i] * flows.stride(), flows.interner());
  }
}

void TemplateEncoder::AddRow(Announced& announced, const uint8_t* row, const base::Interner& interner) {
  const RecordTemplate& format = announced.format;
  const size_t octets = format.Size(row, interner);
  const size_t header = v9() ? kV9HeaderOctets : kIpfixHeaderOctets;
  if (header + kSetHeaderOctets + std::max(octets, format.template_octets()) + kMaxPadding > buffer_.size()) {
    Refuse(ExportRefusal::kTooLong);
    return;
  }
  for (;;) {
    if (size_ == 0) Begin();
    if (announced.round != round_) {
      AppendTemplate(format);
      announced.round = round_;
    }
    if (HasRoom(format.id(), octets)) break;
    Finish();
  }
  format.Encode(row, interner, boot_nanos_, now_nanos_, Append(format.id(), octets), &counters_.values_unfit);
  set_record_octets_ = octets;
  ++data_records_;
  ++counters_.records;
  ++counters_.rows_waiting;
  if (announced.filled) ++counters_.rows_filled;
  round_has_data_ = true;
}

void TemplateEncoder::Flush(absl::Time now) {
  if (size_ == 0) return;
  now_nanos_ = absl::ToUnixNanos(now);
  Finish();
}

void TemplateEncoder::Restart() {
  counters_.rows_lost += counters_.rows_waiting;
  if (size_ != 0) ++counters_.datagrams_lost;
  counters_.rows_waiting = 0;
  size_ = set_start_ = 0;
  data_records_ = template_records_ = 0;
  sequence_ = 0;
  refresh_asked_ = true;
}

void TemplateEncoder::Begin() {
  size_ = v9() ? kV9HeaderOctets : kIpfixHeaderOctets;
  set_start_ = 0;
  data_records_ = template_records_ = 0;
  if (preamble_ != nullptr) return;
  const bool due =
      !transport().HasSessions() &&
      ((options_.template_refresh_datagrams != 0 && datagrams_since_refresh_ >= options_.template_refresh_datagrams) ||
       (options_.template_refresh != absl::InfiniteDuration() &&
        now_nanos_ - refresh_nanos_ >= absl::ToInt64Nanoseconds(options_.template_refresh)));
  if (!refresh_asked_ && !(due && round_has_data_)) return;
  ++round_;
  refresh_asked_ = false;
  round_has_data_ = false;
  datagrams_since_refresh_ = 0;
  refresh_nanos_ = now_nanos_;
  if (options_.sampling_rate != 0) AppendSampling();
  if (!options_.interfaces.empty()) AppendInterfaces();
  AppendElements();
}

void TemplateEncoder::Finish() {
  CloseSet();
  uint8_t* header = buffer_.data();
  // Rounded up: no flow ends after its export.
  const int64_t seconds = now_nanos_ / kNanosPerSecond + (now_nanos_ % kNanosPerSecond > 0 ? 1 : 0);
  if (v9()) {
    base::StoreBe16(header, 9);
    base::StoreBe16(header + 2, static_cast<uint16_t>(data_records_ + template_records_));
    base::StoreBe32(header + 4, static_cast<uint32_t>(seconds * 1000 - boot_nanos_ / kNanosPerMilli));
    base::StoreBe32(header + 8, static_cast<uint32_t>(seconds));
    base::StoreBe32(header + 12, sequence_++);
    base::StoreBe32(header + 16, options_.domain);
  } else {
    base::StoreBe16(header, 10);
    base::StoreBe16(header + 2, static_cast<uint16_t>(size_));
    base::StoreBe32(header + 4, static_cast<uint32_t>(seconds));
    base::StoreBe32(header + 8, sequence_);
    base::StoreBe32(header + 12, options_.domain);
    sequence_ += data_records_;
  }
  const base::Octets datagram(buffer_.data(), size_);
  size_ = 0;
  if (preamble_ != nullptr) {
    preamble_->insert(preamble_->end(), datagram.begin(), datagram.end());
    return;
  }
  if (transport().HasSessions() && templates_in_preamble_ != templates_made_) SetPreamble();
  Send(datagram);
  ++datagrams_since_refresh_;
}

void TemplateEncoder::SetPreamble() {
  templates_in_preamble_ = templates_made_;
  std::vector<uint8_t> messages, buffer(buffer_.size());
  preamble_ = &messages;
  buffer_.swap(buffer);
  const uint32_t sequence = std::exchange(sequence_, 0);
  Begin();
  if (options_.sampling_rate != 0) AppendSampling();
  if (!options_.interfaces.empty()) AppendInterfaces();
  AppendElements();
  for (const auto& announced : templates_) AppendTemplate(announced->format);
  Finish();
  transport().SetPreamble(messages, sequence_);
  sequence_ = sequence;
  buffer_.swap(buffer);
  preamble_ = nullptr;
}

bool TemplateEncoder::HasRoom(uint16_t set_id, size_t octets) const {
  const bool open = set_start_ != 0 && set_id_ == set_id;
  const size_t before = open ? 0 : kSetHeaderOctets + (set_start_ != 0 ? kMaxPadding : 0);
  return size_ + before + octets + kMaxPadding <= buffer_.size();
}

uint8_t* TemplateEncoder::Append(uint16_t set_id, size_t octets) {
  if (!HasRoom(set_id, octets)) {
    Finish();
    Begin();
  }
  if (set_start_ == 0 || set_id_ != set_id) {
    CloseSet();
    set_start_ = size_;
    set_id_ = set_id;
    base::StoreBe16(buffer_.data() + size_, set_id);
    size_ += kSetHeaderOctets;
  }
  uint8_t* at = buffer_.data() + size_;
  size_ += octets;
  return at;
}

void TemplateEncoder::CloseSet() {
  if (set_start_ == 0) return;
  // RFC 3954, 5.2 and 5.3: to a multiple of four octets, where the padding cannot be taken for a record.
  if (v9()) {
    const size_t padding = (4 - (size_ - set_start_) % 4) % 4;
    if (padding < set_record_octets_ || set_id_ < 256) {
      std::memset(buffer_.data() + size_, 0, padding);
      size_ += padding;
    }
  }
  base::StoreBe16(buffer_.data() + set_start_ + 2, static_cast<uint16_t>(size_ - set_start_));
  set_start_ = 0;
}

void TemplateEncoder::AppendTemplate(const RecordTemplate& format) {
  uint8_t* out = Append(v9() ? 0 : 2, format.template_octets());
  base::StoreBe16(out, format.id());
  base::StoreBe16(out + 2, static_cast<uint16_t>(format.elements().size()));
  out += 4;
  for (const ExportElement& element : format.elements()) {
    base::StoreBe16(out, static_cast<uint16_t>(element.id | (element.pen == 0 ? 0 : 0x8000)));
    base::StoreBe16(out + 2, element.length);
    out += 4;
    if (element.pen == 0) continue;
    base::StoreBe32(out, element.pen);
    out += 4;
  }
  ++template_records_;
}

void TemplateEncoder::AppendSampling() {
  const auto rate = static_cast<uint32_t>(options_.sampling_rate);
  if (v9()) {
    constexpr OptionField kFields[] = {{kScopeSystem, 4}, {34, 4}, {35, 1}};
    uint8_t* out = Append(1, 18);
    base::StoreBe16(out, kSamplingTemplate);
    base::StoreBe16(out + 2, 4);  // octets of the scope, and of the options
    base::StoreBe16(out + 4, 8);
    for (size_t i = 0; i < 3; ++i) {
      base::StoreBe16(out + 6 + 4 * i, kFields[i].id);
      base::StoreBe16(out + 8 + 4 * i, kFields[i].length);
    }
    ++template_records_;
    out = Append(kSamplingTemplate, 9);
    base::StoreBe32(out, options_.domain);
    base::StoreBe32(out + 4, rate);
    out[8] = kSamplingRandom;
    set_record_octets_ = 9;
  } else {
    // selectorId, selectorAlgorithm, samplingPacketInterval, samplingPacketSpace
    constexpr OptionField kFields[] = {{302, 1}, {304, 2}, {305, 4}, {306, 4}};
    uint8_t* out = Append(3, 22);
    base::StoreBe16(out, kSamplingTemplate);
    base::StoreBe16(out + 2, 4);  // fields, and of these scopes
    base::StoreBe16(out + 4, 1);
    for (size_t i = 0; i < 4; ++i) {
      base::StoreBe16(out + 6 + 4 * i, kFields[i].id);
      base::StoreBe16(out + 8 + 4 * i, kFields[i].length);
    }
    out = Append(kSamplingTemplate, 11);
    out[0] = kSelector;
    base::StoreBe16(out + 1, kSelectorSystematicCountBased);
    base::StoreBe32(out + 3, 1);
    base::StoreBe32(out + 7, rate - 1);
  }
  ++data_records_;
}

void TemplateEncoder::AppendInterfaces() {
  // ingressInterface, interfaceName, interfaceDescription
  const uint16_t text = v9() ? kFixedTextOctets : kVariableLength;
  const OptionField fields[] = {{v9() ? kScopeInterface : uint16_t{10}, 4}, {82, text}, {83, text}};
  uint8_t* out = Append(v9() ? 1 : 3, 18);
  base::StoreBe16(out, kInterfaceTemplate);
  base::StoreBe16(out + 2, v9() ? 4 : 3);
  base::StoreBe16(out + 4, v9() ? 8 : 1);
  for (size_t i = 0; i < 3; ++i) {
    base::StoreBe16(out + 6 + 4 * i, fields[i].id);
    base::StoreBe16(out + 8 + 4 * i, fields[i].length);
  }
  ++template_records_;
  for (const ExportInterface& interface : options_.interfaces) {
    const std::string* texts[] = {&interface.name, &interface.description};
    size_t octets = 4;
    for (const std::string* value : texts)
      octets += v9() ? kFixedTextOctets : value->size() + (value->size() < 255 ? 1 : 3);
    out = Append(kInterfaceTemplate, octets);
    base::StoreBe32(out, interface.index);
    out += 4;
    for (const std::string* value : texts) {
      const size_t n = value->size();
      if (v9()) {
        std::memset(out, 0, kFixedTextOctets);
        std::memcpy(out, value->data(), std::min<size_t>(n, kFixedTextOctets));
        out += kFixedTextOctets;
        continue;
      }
      *out++ = n < 255 ? static_cast<uint8_t>(n) : 255;
      if (n >= 255) {
        base::StoreBe16(out, static_cast<uint16_t>(n));
        out += 2;
      }
      std::memcpy(out, value->data(), n);
      out += n;
    }
    set_record_octets_ = octets;
    ++data_records_;
  }
}

// What the own elements are that templates tell (RFC 5610, 3.9).
void TemplateEncoder::AppendElements() {
  if (own_elements_.empty()) return;
  // privateEnterpriseNumber, informationElementId: the scope; informationElementDataType, informationElementSemantics,
  // informationElementName
  constexpr OptionField kFields[] = {{346, 4}, {303, 2}, {339, 1}, {344, 1}, {341, kVariableLength}};
  uint8_t* out = Append(3, 26);
  base::StoreBe16(out, kElementTemplate);
  base::StoreBe16(out + 2, 5);
  base::StoreBe16(out + 4, 2);
  for (size_t i = 0; i < 5; ++i) {
    base::StoreBe16(out + 6 + 4 * i, kFields[i].id);
    base::StoreBe16(out + 8 + 4 * i, kFields[i].length);
  }
  ++template_records_;
  for (const uint16_t id : own_elements_) {
    const flow::InformationElement& element = *flow::FindInformationElement(flow::kOwnPen, id);
    const size_t octets = 9 + element.name.size();
    out = Append(kElementTemplate, octets);
    base::StoreBe32(out, options_.enterprise);
    base::StoreBe16(out + 4, id);
    out[6] = static_cast<uint8_t>(element.type);
    out[7] = static_cast<uint8_t>(element.semantics);
    out[8] = static_cast<uint8_t>(element.name.size());
    std::memcpy(out + 9, element.name.data(), element.name.size());
    set_record_octets_ = octets;
    ++data_records_;
  }
}

}  // namespace flowacct::sink
