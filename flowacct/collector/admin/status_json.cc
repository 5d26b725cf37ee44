#include "flowacct/collector/admin/status_json.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/admin/status_members.def"
#include "flowacct/record/export_protocol.h"
#include "flowacct/record/exporter_counters.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

using record::ExporterReport;
using record::SamplingReport;
using record::SequenceCounters;
using record::TemplateFieldReport;
using record::TemplateReport;

// --- writing

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
using Interfaces = std::vector<std::pair<uint32_t, std::string>>;

// A name of ours, in plain ASCII.
void Key(absl::string_view name, Writer* out) {
  out->Key(name.data(), static_cast<rapidjson::SizeType>(name.size()), /*copy=*/true);
}
void Write(absl::string_view text, Writer* out) {
  std::string quoted;
  record::AppendJsonString(text, &quoted);
  out->RawValue(quoted.data(), quoted.size(), rapidjson::kStringType);
}
void Write(const std::string& text, Writer* out) { Write(absl::string_view(text), out); }
void Write(bool value, Writer* out) { out->Bool(value); }
void Write(uint16_t value, Writer* out) { out->Uint(value); }
void Write(uint32_t value, Writer* out) { out->Uint(value); }
void Write(uint64_t value, Writer* out) { out->Uint64(value); }
void Write(double value, Writer* out) { out->Double(value); }
void Write(absl::Time time, Writer* out) {
  // What was never told has no text.
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) {
    out->Null();
    return;
  }
  char text[record::kMaxFixedTextSize];
  Write(absl::string_view(text, static_cast<size_t>(record::WriteTime(absl::ToUnixNanos(time), text) - text)), out);
}
void Write(const base::IpAddress& address, Writer* out) { Write(address.ToString(), out); }
void Write(record::RecordKind kind, Writer* out) { Write(record::RecordKindName(kind), out); }
void Write(record::ExporterScope scope, Writer* out) { Write(record::ExporterScopeName(scope), out); }
void Write(record::SamplingSource source, Writer* out) { Write(record::SamplingSourceName(source), out); }
void Write(const base::DecodeCounters& counters, Writer* out) {
  out->StartObject();
  for (size_t i = 0; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    if (counters[code] == 0) continue;
    Key(base::DecodeCodeName(code), out);
    out->Uint64(counters[code]);
  }
  out->EndObject();
}
void Write(const Interfaces& interfaces, Writer* out) {
  out->StartObject();
  for (const auto& [index, name] : interfaces) {
    Key(absl::StrCat(index), out);
    Write(name, out);
  }
  out->EndObject();
}

#define FLOWACCT_WRITE_MEMBER(member) \
  out->Key(#member);                  \
  Write(value.member, out);
#define FLOWACCT_WRITE_MEMBERS(Type, MEMBERS) \
  void WriteMembers(const Type& value, Writer* out) { MEMBERS(FLOWACCT_WRITE_MEMBER) }
#define FLOWACCT_WRITE(Type, MEMBERS)          \
  FLOWACCT_WRITE_MEMBERS(Type, MEMBERS)        \
  void Write(const Type& value, Writer* out) { \
    out->StartObject();                        \
    WriteMembers(value, out);                  \
    out->EndObject();                          \
  }

template <typename T>
void Write(const std::vector<T>& values, Writer* out);

FLOWACCT_WRITE(InputStatus, FLOWACCT_INPUT_STATUS)
FLOWACCT_WRITE(SinkStatus, FLOWACCT_SINK_STATUS)
FLOWACCT_WRITE(EnrichmentCounter, FLOWACCT_ENRICHMENT_COUNTER)
FLOWACCT_WRITE(PipelineStatus, FLOWACCT_PIPELINE_STATUS)
FLOWACCT_WRITE(ReplicaReceiverStatus, FLOWACCT_REPLICA_RECEIVER_STATUS)
FLOWACCT_WRITE(ReplicaStatus, FLOWACCT_REPLICA_STATUS)
FLOWACCT_WRITE(BgpPeerStatus, FLOWACCT_BGP_PEER_STATUS)
FLOWACCT_WRITE(BgpStatus, FLOWACCT_BGP_STATUS)
FLOWACCT_WRITE(BmpRouterStatus, FLOWACCT_BMP_ROUTER_STATUS)
FLOWACCT_WRITE(BmpStatus, FLOWACCT_BMP_STATUS)
FLOWACCT_WRITE(RpkiCacheStatus, FLOWACCT_RPKI_CACHE_STATUS)
FLOWACCT_WRITE(RpkiFileStatus, FLOWACCT_RPKI_FILE_STATUS)
FLOWACCT_WRITE(RpkiStatus, FLOWACCT_RPKI_STATUS)
FLOWACCT_WRITE(GtpEvent, FLOWACCT_GTP_EVENT)
FLOWACCT_WRITE(GtpStatus, FLOWACCT_GTP_STATUS)
FLOWACCT_WRITE(IgpCount, FLOWACCT_IGP_COUNT)
FLOWACCT_WRITE(IgpCircuitStatus, FLOWACCT_IGP_CIRCUIT_STATUS)
FLOWACCT_WRITE(IgpStatus, FLOWACCT_IGP_STATUS)
FLOWACCT_WRITE(RouteLogStatus, FLOWACCT_ROUTE_LOG_STATUS)
FLOWACCT_WRITE_MEMBERS(CollectorStatus, FLOWACCT_COLLECTOR_STATUS)
FLOWACCT_WRITE(ProcessStatus, FLOWACCT_PROCESS_STATUS)
FLOWACCT_WRITE(SequenceCounters, FLOWACCT_SEQUENCE_COUNTERS)
FLOWACCT_WRITE(TemplateFieldReport, FLOWACCT_TEMPLATE_FIELD_REPORT)
FLOWACCT_WRITE(TemplateReport, FLOWACCT_TEMPLATE_REPORT)
FLOWACCT_WRITE(SamplingReport, FLOWACCT_SAMPLING_REPORT)
FLOWACCT_WRITE_MEMBERS(ExporterReport, FLOWACCT_EXPORTER_REPORT)
FLOWACCT_WRITE(ExporterLoss, FLOWACCT_EXPORTER_LOSS)
FLOWACCT_WRITE(LossReport, FLOWACCT_LOSS_REPORT)

void WriteDetail(const ExporterReport& value, Writer* out) { FLOWACCT_EXPORTER_DETAIL(FLOWACCT_WRITE_MEMBER) }

template <typename T>
void Write(const std::vector<T>& values, Writer* out) {
  out->StartArray();
  for (const T& value : values) Write(value, out);
  out->EndArray();
}

// Terms as one object: {"received":120}.
void WriteTerms(const std::vector<Term>& terms, Writer* out) {
  out->StartObject();
  for (const Term& term : terms) {
    Key(term.name, out);
    out->Uint64(term.value);
  }
  out->EndObject();
}

std::string Text(const rapidjson::StringBuffer& buffer) {
  std::string text(buffer.GetString(), buffer.GetSize());
  text.push_back('\n');
  return text;
}

// --- reading

// Collects what is wrong, the first of it.
struct Reader {
  std::string path;   // of the member that is being read
  std::string error;  // "inputs.3.received is no whole number"; empty: nothing
};

bool Refuse(absl::string_view what, Reader* reader) {
  if (reader->error.empty()) reader->error = absl::StrCat(reader->path, " is no ", what);
  return false;
}

// Within `name` for the reading of one member.
class Inside {
 public:
  Inside(absl::string_view name, Reader* reader) : reader_(reader), size_(reader->path.size()) {
    absl::StrAppend(&reader->path, size_ == 0 ? "" : ".", name);
  }
  ~Inside() { reader_->path.resize(size_); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Reader* reader_;
  size_t size_;
};

absl::string_view View(const rapidjson::Value& json) { return {json.GetString(), json.GetStringLength()}; }

bool Read(const rapidjson::Value& json, std::string* value, Reader* reader) {
  if (!json.IsString()) return Refuse("text", reader);
  value->assign(json.GetString(), json.GetStringLength());
  return true;
}
bool Read(const rapidjson::Value& json, bool* value, Reader* reader) {
  if (!json.IsBool()) return Refuse("true or false", reader);
  *value = json.GetBool();
  return true;
}
bool Read(const rapidjson::Value& json, uint64_t* value, Reader* reader) {
  if (!json.IsUint64()) return Refuse("whole number", reader);
  *value = json.GetUint64();
  return true;
}
template <typename T>
bool ReadNarrow(const rapidjson::Value& json, T* value, Reader* reader) {
  uint64_t wide = 0;
  if (!Read(json, &wide, reader) || wide > std::numeric_limits<T>::max()) return Refuse("number that fits", reader);
  *value = static_cast<T>(wide);
  return true;
}
bool Read(const rapidjson::Value& json, uint32_t* value, Reader* reader) { return ReadNarrow(json, value, reader); }
bool Read(const rapidjson::Value& json, uint16_t* value, Reader* reader) { return ReadNarrow(json, value, reader); }
bool Read(const rapidjson::Value& json, double* value, Reader* reader) {
  if (!json.IsNumber()) return Refuse("number", reader);
  *value = json.GetDouble();
  return true;
}
bool Read(const rapidjson::Value& json, absl::Time* value, Reader* reader) {
  if (json.IsNull()) return true;
  std::string error;
  if (!json.IsString() || !absl::ParseTime(absl::RFC3339_full, View(json), value, &error))
    return Refuse("time", reader);
  return true;
}
bool Read(const rapidjson::Value& json, base::IpAddress* value, Reader* reader) {
  const std::optional<base::IpAddress> address =
      json.IsString() ? base::IpAddress::Parse(View(json)) : std::optional<base::IpAddress>();
  if (!address) return Refuse("address", reader);
  *value = *address;
  return true;
}
// The value of an enum whose values begin with zero, by the name that `name_of` gives it; it gives others none.
template <typename Enum>
bool ReadEnum(const rapidjson::Value& json, Enum last, absl::string_view (*name_of)(Enum), Enum* value,
              Reader* reader) {
  using Number = std::underlying_type_t<Enum>;
  for (Number i = 0; json.IsString() && i <= static_cast<Number>(last); ++i) {
    if (name_of(static_cast<Enum>(i)) != View(json)) continue;
    *value = static_cast<Enum>(i);
    return true;
  }
  return Refuse("word that is known", reader);
}
bool Read(const rapidjson::Value& json, record::RecordKind* value, Reader* reader) {
  return ReadEnum(json, record::RecordKind::kOption, record::RecordKindName, value, reader);
}
bool Read(const rapidjson::Value& json, record::ExporterScope* value, Reader* reader) {
  return ReadEnum(json, record::ExporterScope::kUnreadable, record::ExporterScopeName, value, reader);
}
// The words whose text lives as long as the program; a word of a later version is "unknown".
constexpr absl::string_view kWords[] = {
#define X(family, name) name,
    FLOWACCT_EXPORT_FAMILIES(X)
#undef X
#define X(protocol, name, family, version) name,
        FLOWACCT_EXPORT_PROTOCOLS(X)
#undef X
            "",
    "records",
    "datagrams",
    "samples",
    "records or datagrams",
};
bool Read(const rapidjson::Value& json, absl::string_view* value, Reader* reader) {
  if (!json.IsString()) return Refuse("text", reader);
  const auto* const word = std::find(std::begin(kWords), std::end(kWords), View(json));
  *value = word == std::end(kWords) ? "unknown" : *word;
  return true;
}
bool Read(const rapidjson::Value& json, record::SamplingSource* value, Reader* reader) {
  return ReadEnum(json, record::SamplingSource::kConfigured, record::SamplingSourceName, value, reader);
}
bool Read(const rapidjson::Value& json, base::DecodeCounters* value, Reader* reader) {
  if (!json.IsObject()) return Refuse("object", reader);
  for (size_t i = 0; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    const auto member = json.FindMember(std::string(base::DecodeCodeName(code)).c_str());
    if (member == json.MemberEnd()) continue;
    const Inside inside(base::DecodeCodeName(code), reader);
    uint64_t count = 0;
    if (!Read(member->value, &count, reader)) return false;
    value->Count(code, count);
  }
  return true;
}
bool Read(const rapidjson::Value& json, Interfaces* value, Reader* reader) {
  if (!json.IsObject()) return Refuse("object", reader);
  for (const auto& member : json.GetObject()) {
    const Inside inside(View(member.name), reader);
    std::pair<uint32_t, std::string> interface;
    if (!absl::SimpleAtoi(View(member.name), &interface.first)) return Refuse("index of an interface", reader);
    if (!Read(member.value, &interface.second, reader)) return false;
    value->push_back(std::move(interface));
  }
  return true;
}

template <typename T>
bool Read(const rapidjson::Value& json, std::vector<T>* values, Reader* reader);

template <typename T>
bool ReadMember(const rapidjson::Value& json, const char* name, T* value, Reader* reader) {
  const auto member = json.FindMember(name);
  if (member == json.MemberEnd()) return true;
  const Inside inside(name, reader);
  return Read(member->value, value, reader);
}

#define FLOWACCT_READ_MEMBER(member) \
  if (!ReadMember(json, #member, &value->member, reader)) return false;
#define FLOWACCT_READ(Type, MEMBERS)                                     \
  bool Read(const rapidjson::Value& json, Type* value, Reader* reader) { \
    if (!json.IsObject()) return Refuse("object", reader);               \
    MEMBERS(FLOWACCT_READ_MEMBER)                                        \
    return true;                                                         \
  }

FLOWACCT_READ(InputStatus, FLOWACCT_INPUT_STATUS)
FLOWACCT_READ(SinkStatus, FLOWACCT_SINK_STATUS)
FLOWACCT_READ(EnrichmentCounter, FLOWACCT_ENRICHMENT_COUNTER)
FLOWACCT_READ(PipelineStatus, FLOWACCT_PIPELINE_STATUS)
FLOWACCT_READ(ReplicaReceiverStatus, FLOWACCT_REPLICA_RECEIVER_STATUS)
FLOWACCT_READ(ReplicaStatus, FLOWACCT_REPLICA_STATUS)
FLOWACCT_READ(BgpPeerStatus, FLOWACCT_BGP_PEER_STATUS)
FLOWACCT_READ(BgpStatus, FLOWACCT_BGP_STATUS)
FLOWACCT_READ(BmpRouterStatus, FLOWACCT_BMP_ROUTER_STATUS)
FLOWACCT_READ(BmpStatus, FLOWACCT_BMP_STATUS)
FLOWACCT_READ(RpkiCacheStatus, FLOWACCT_RPKI_CACHE_STATUS)
FLOWACCT_READ(RpkiFileStatus, FLOWACCT_RPKI_FILE_STATUS)
FLOWACCT_READ(RpkiStatus, FLOWACCT_RPKI_STATUS)
FLOWACCT_READ(GtpEvent, FLOWACCT_GTP_EVENT)
FLOWACCT_READ(GtpStatus, FLOWACCT_GTP_STATUS)
FLOWACCT_READ(IgpCount, FLOWACCT_IGP_COUNT)
FLOWACCT_READ(IgpCircuitStatus, FLOWACCT_IGP_CIRCUIT_STATUS)
FLOWACCT_READ(IgpStatus, FLOWACCT_IGP_STATUS)
FLOWACCT_READ(RouteLogStatus, FLOWACCT_ROUTE_LOG_STATUS)
FLOWACCT_READ(CollectorStatus, FLOWACCT_COLLECTOR_STATUS)
FLOWACCT_READ(ProcessStatus, FLOWACCT_PROCESS_STATUS)
FLOWACCT_READ(SequenceCounters, FLOWACCT_SEQUENCE_COUNTERS)
FLOWACCT_READ(TemplateFieldReport, FLOWACCT_TEMPLATE_FIELD_REPORT)
FLOWACCT_READ(TemplateReport, FLOWACCT_TEMPLATE_REPORT)
FLOWACCT_READ(SamplingReport, FLOWACCT_SAMPLING_REPORT)
FLOWACCT_READ(ExporterReport, FLOWACCT_WHOLE_EXPORTER_REPORT)

template <typename T>
bool Read(const rapidjson::Value& json, std::vector<T>* values, Reader* reader) {
  if (!json.IsArray()) return Refuse("list", reader);
  values->reserve(json.Size());
  for (rapidjson::SizeType i = 0; i < json.Size(); ++i) {
    const Inside inside(absl::StrCat(i), reader);
    if (!Read(json[i], &values->emplace_back(), reader)) return false;
  }
  return true;
}

// Not by recursion: the text may come from anybody who answers at that address.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;

// The member `name` of the JSON object `json`, or the object itself if there is no name.
template <typename T>
absl::StatusOr<T> FromJson(absl::string_view json, const char* name) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(json.data(), json.size());
  if (document.HasParseError()) {
    return absl::InvalidArgumentError(absl::StrCat("no JSON, from octet ", document.GetErrorOffset(), " on"));
  }
  if (!document.IsObject()) return absl::InvalidArgumentError("the answer is no JSON object");
  T value;
  Reader reader;
  const bool read = name == nullptr ? Read(document, &value, &reader) : ReadMember(document, name, &value, &reader);
  if (!read) return absl::InvalidArgumentError(absl::StrCat("in the answer ", reader.error));
  return value;
}

}  // namespace

std::string StatusAsJson(const CollectorStatus& status, const ProcessStatus& process) {
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  WriteMembers(status, &out);
  out.Key("process");
  Write(process, &out);
  out.EndObject();
  return Text(buffer);
}

absl::StatusOr<CollectorStatus> StatusFromJson(absl::string_view json) {
  return FromJson<CollectorStatus>(json, nullptr);
}

absl::StatusOr<ProcessStatus> ProcessFromJson(absl::string_view json) {
  return FromJson<ProcessStatus>(json, "process");
}

std::string ExportersAsJson(const std::vector<ExporterReport>& exporters, bool templates, size_t limit) {
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  out.Key("exporters");
  out.StartArray();
  const size_t told = std::min(limit, exporters.size());
  for (size_t i = 0; i < told; ++i) {
    out.StartObject();
    WriteMembers(exporters[i], &out);
    out.Key("coverage");
    out.Double(Coverage(exporters[i]));
    if (templates) WriteDetail(exporters[i], &out);
    out.EndObject();
  }
  out.EndArray();
  out.Key("more");
  out.Uint64(exporters.size() - told);
  out.EndObject();
  return Text(buffer);
}

absl::StatusOr<std::vector<ExporterReport>> ExportersFromJson(absl::string_view json) {
  return FromJson<std::vector<ExporterReport>>(json, "exporters");
}

std::string TemplatesAsJson(const std::vector<ExporterReport>& exporters, size_t limit) {
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  out.Key("templates");
  out.StartArray();
  size_t told = 0, all = 0;
  for (const ExporterReport& exporter : exporters) {
    all += exporter.templates.size();
    for (const TemplateReport& value : exporter.templates) {
      if (told == limit) break;
      ++told;
      out.StartObject();
      out.Key("exporter");
      Write(exporter.exporter, &out);
      out.Key("protocol");
      Write(exporter.protocol, &out);
      out.Key("domain");
      out.Uint(exporter.domain);
      WriteMembers(value, &out);
      out.EndObject();
    }
  }
  out.EndArray();
  out.Key("more");
  out.Uint64(all - told);
  out.EndObject();
  return Text(buffer);
}

std::string IdentityAsJson(const std::vector<Equation>& equations, const LossReport& losses) {
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  out.Key("holds");
  out.Bool(BrokenEquations(equations) == 0);
  out.Key("equations");
  out.StartArray();
  for (const Equation& equation : equations) {
    out.StartObject();
    out.Key("of");
    Write(equation.of, &out);
    out.Key("unit");
    Write(equation.unit, &out);
    out.Key("left");
    WriteTerms(equation.left, &out);
    out.Key("right");
    WriteTerms(equation.right, &out);
    out.Key("left_sum");
    out.Uint64(equation.LeftSum());
    out.Key("right_sum");
    out.Uint64(equation.RightSum());
    out.Key("holds");
    out.Bool(equation.Holds());
    out.Key("by_definition");
    out.Bool(equation.by_definition);
    out.EndObject();
  }
  out.EndArray();
  out.Key("losses");
  Write(losses, &out);
  out.EndObject();
  return Text(buffer);
}

std::string ErrorAsJson(absl::string_view text) {
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  out.Key("error");
  Write(text, &out);
  out.EndObject();
  return Text(buffer);
}

std::string ErrorFromJson(absl::string_view json) {
  return FromJson<std::string>(json, "error").value_or(std::string());
}

}  // namespace flowacct::collector
