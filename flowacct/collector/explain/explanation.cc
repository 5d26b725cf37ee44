#include "flowacct/collector/explain/explanation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/explain/element_trace.h"
#include "flowacct/collector/explain/rule_trace.h"
#include "flowacct/enrich/geoip/geo_enricher.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

using F = record::FieldId;

// Fields that no element of a record tells, and where the decoders have them from.
struct Elsewhere {
  F field;
  absl::string_view of_export, of_packet;
};
constexpr Elsewhere kElsewhere[] = {
    {F::kExporter, "the datagram's source address", ""},
    {F::kObservationDomain, "the export's header", ""},
    {F::kExportVersion, "the export's header", ""},
    {F::kExportSequence, "the export's header", ""},
    {F::kExportTime, "the export's header", ""},
    {F::kTemplateId, "the header of the record's set", ""},
    {F::kArrivalTime, "the capture's time of the datagram", "the capture's time of the packet"},
    {F::kStartTime, "", "the capture's time of the packet"},
    {F::kEndTime, "", "the capture's time of the packet"},
    {F::kPackets, "", "one packet"},
    {F::kFlows, "one record", "one packet"},
};

constexpr absl::string_view kWorkedOutOfExport =
    "worked out by the decoder of the record's elements, its header or what the exporter told in options";
constexpr absl::string_view kWorkedOutOfPacket = "worked out by the decoder of the packet's headers";

ExplainedValue ValueOf(const record::RowView& row, F field, const base::Interner& interner) {
  ExplainedValue value;
  if (!row.Has(field)) return value;
  std::string text;
  record::AppendText(row, field, interner, &text);
  record::AppendPrintable(text, &value.text);
  record::AppendJson(row, field, interner, &value.json);
  return value;
}

// Whether a field is absent from both or has the same octets in both.
bool Same(const record::RowView& a, const record::RowView& b, F field) {
  if (a.Has(field) != b.Has(field)) return false;
  const size_t offset = a.layout().offset(field);
  return std::memcmp(a.octets() + offset, b.octets() + offset, record::FieldTypeSize(record::Info(field).type)) == 0;
}

// Of which of the two addresses a field of a route or network tells.
bool IsOfSource(F field) {
  const absl::string_view name = record::Info(field).name;
  return absl::StartsWith(name, "src_") || field == F::kPeerSrcAs;
}

bool IsPacket(const ExplainedRecord& record) { return record.unit == "packet"; }

class Explainer : public InputObserver, public record::ElementListener {
 public:
  explicit Explainer(ExplainOptions options)
      : options_(std::move(options)), layout_(record::Layout::All()), all_(layout_.fields()) {}

  absl::Status Prepare();
  Explanation Run();

  void OnCapture(absl::string_view, const CaptureKindEvidence&) override {}
  void OnDatagram(const record::Datagram& datagram) override { Begin(datagram.octets); }
  void OnDatagramEnd(const record::Datagram& datagram, base::DecodeResult, absl::string_view protocol) override;
  void OnPacket(const CapturedPacket& packet) override { Begin(packet.octets); }
  void OnPacketEnd(const CapturedPacket& packet, base::DecodeResult) override;

  void OnRecord(record::RecordKind kind, uint16_t template_id) override;
  void OnElement(const record::Element& element) override {
    if (listening_) heard_[heard_count_ - 1].elements.Add(element);
  }
  void OnListBegin(absl::string_view name) override {
    if (listening_) heard_[heard_count_ - 1].elements.BeginList(name);
  }
  void OnListEnd() override {
    if (listening_) heard_[heard_count_ - 1].elements.EndList();
  }
  void OnRecordEnd(size_t rows) override;

 private:
  struct Heard {
    record::RecordKind kind{};
    uint16_t template_id = 0;
    size_t rows = 0;
    ElementTrace elements;
  };
  struct Stage {
    std::string by, name;
    std::unique_ptr<enrich::Enricher> enricher;
    const enrich::GeoDatabase* database = nullptr;
  };

  bool Done() const {
    return options_.record != 0 ? seen_ >= options_.record : explanation_.records.size() >= options_.limit;
  }
  void Begin(base::Octets whole);
  // The rows of the datagram or packet; `like` has what its records share.
  void End(const ExplainedRecord& like);
  bool Selected(size_t row);
  // All stages at once, as a pipeline has them. Empties the batch if the record is dropped.
  void ApplyAll(record::FlowBatch* batch);
  void CopyRow(size_t row, record::FlowBatch* to);
  void ExplainRow(size_t row, size_t of_record, const Heard& heard, const ExplainedRecord& like);
  void AddDecoded(const record::RowView& row, const Heard& heard, bool by_template, ExplainedRecord* out);
  std::string DecodedFrom(const record::RowView& row, F field, const Heard& heard, bool by_template,
                          const ExplainedRecord& out) const;
  // What is different between `before` and the row of `batch` becomes a step of its field.
  template <typename Detail>
  void AddChanges(const std::vector<uint8_t>& before, const record::RowView& row, absl::string_view by,
                  const Detail& detail, ExplainedRecord* out);
  void Trace(const record::RowView& row, ExplainedRecord* out) const;
  std::string DetailOf(const Stage& stage, F field, const record::RowView& row, const ExplainedRecord& out) const;

  ExplainOptions options_;
  const record::Layout layout_;
  const record::FieldSet all_;
  base::Interner interner_;
  record::FlowBatch flows_{&layout_, &interner_}, one_{&layout_, &interner_}, copy_{&layout_, &interner_};
  std::vector<Stage> stages_;
  std::shared_ptr<const enrich::Rules> rules_;
  std::unique_ptr<enrich::RulesEnricher> rules_enricher_;
  std::unique_ptr<RuleTrace> rule_trace_;
  std::unique_ptr<enrich::SamplingScaler> scaler_;
  filter::BoundFilter where_;
  std::unique_ptr<CaptureInput> input_;
  std::string file_;

  base::Octets whole_;
  std::vector<Heard> heard_;
  size_t heard_count_ = 0;
  bool listening_ = false;  // the record that is told may be explained
  size_t told_rows_ = 0;    // of the datagram, until now
  uint64_t seen_ = 0;
  Explanation explanation_;
};

absl::Status Explainer::Prepare() {
  auto where = filter::Filter::Parse(options_.where);
  if (!where.ok()) return where.status();
  where_ = where->Bind(layout_);
  if (options_.routes.has_value()) {
    stages_.push_back(
        {"routes", "",
         std::make_unique<enrich::RoutesEnricher>(*options_.routes, options_.routes_options, options_.routes_owner)});
  }
  if (options_.networks != nullptr) {
    stages_.push_back({"networks", options_.networks_name,
                       std::make_unique<enrich::NetworksEnricher>(options_.networks, options_.networks_policy)});
  }
  for (const auto& [name, database] : options_.geoip) {
    stages_.push_back({"geoip", name, std::make_unique<enrich::GeoEnricher>(database), database.get()});
  }
  if (options_.services != nullptr) {
    stages_.push_back(
        {"services", options_.services_name, std::make_unique<enrich::ServicesEnricher>(options_.services)});
  }
  for (Stage& stage : stages_) stage.enricher->Bind(layout_, all_);
  if (!options_.rules.empty()) {
    auto rules = enrich::Rules::Parse(options_.rules);
    if (!rules.ok()) return rules.status();
    rules_ = *std::move(rules);
    rules_enricher_ = std::make_unique<enrich::RulesEnricher>(rules_);
    rules_enricher_->Bind(layout_, all_);
    auto trace = RuleTrace::New(options_.rules, &layout_);
    if (!trace.ok()) return trace.status();
    rule_trace_ = *std::move(trace);
  }
  if (options_.scale_sampled) {
    scaler_ = std::make_unique<enrich::SamplingScaler>(options_.sampling);
    scaler_->Bind(layout_, all_);
  }
  return absl::OkStatus();
}

Explanation Explainer::Run() {
  CaptureInputOptions input_options = options_.input;
  input_options.reader.interrupted = options_.interrupted;
  input_ = std::make_unique<CaptureInput>(&layout_, &interner_, input_options);
  const record::DecodeOutput output{&flows_, /*counters=*/nullptr, this};
  const auto interrupted = [&] { return options_.interrupted && options_.interrupted(); };
  for (const std::string& file : options_.files) {
    if (Done() || explanation_.interrupted) break;
    if (const absl::Status status = input_->Open(file); !status.ok()) {
      explanation_.interrupted = interrupted();
      if (!explanation_.interrupted) explanation_.failures.push_back(status);
      continue;
    }
    file_ = file;
    while (!Done() && !explanation_.interrupted) {
      const absl::StatusOr<bool> more = input_->Decode(output, this);
      if (!more.ok()) {
        explanation_.interrupted = absl::IsCancelled(more.status());
        if (!explanation_.interrupted) explanation_.failures.push_back(more.status());
      }
      if (!more.ok() || !*more) break;
      if (options_.progress) options_.progress(*input_->reader());
      explanation_.interrupted = explanation_.interrupted || interrupted();
    }
  }
  explanation_.records_seen = seen_;
  explanation_.complete =
      options_.record != 0 ? !explanation_.records.empty() : explanation_.records.size() >= options_.limit;
  return std::move(explanation_);
}

void Explainer::Begin(base::Octets whole) {
  whole_ = whole;
  heard_count_ = 0;
  told_rows_ = 0;
}

void Explainer::OnRecord(record::RecordKind kind, uint16_t template_id) {
  if (heard_count_ == heard_.size()) heard_.emplace_back();
  Heard& heard = heard_[heard_count_++];
  heard.kind = kind;
  heard.template_id = template_id;
  heard.rows = 0;
  // A record makes at most two rows, so that the one that is asked for is of no other.
  const uint64_t next = seen_ + told_rows_ + 1;
  listening_ = kind == record::RecordKind::kFlow && !Done() &&
               (options_.record == 0 || options_.record == next || options_.record == next + 1);
  if (listening_) heard.elements.Begin(whole_);
}

void Explainer::OnRecordEnd(size_t rows) {
  Heard& heard = heard_[heard_count_ - 1];
  heard.rows = rows;
  if (heard.kind == record::RecordKind::kFlow) told_rows_ += rows;
}

void Explainer::OnDatagramEnd(const record::Datagram& datagram, base::DecodeResult, absl::string_view protocol) {
  ExplainedRecord like;
  like.unit = "datagram";
  like.unit_number = datagram.number;
  like.octets = datagram.octets.size();
  like.time_nanos = datagram.arrival_nanos;
  like.protocol = std::string(protocol);
  like.source = datagram.source;
  like.source_port = datagram.source_port;
  End(like);
}

void Explainer::OnPacketEnd(const CapturedPacket& packet, base::DecodeResult) {
  ExplainedRecord like;
  like.unit = "packet";
  like.unit_number = packet.number;
  like.octets = packet.octets.size();
  like.time_nanos = packet.time_nanos;
  End(like);
}

void Explainer::End(const ExplainedRecord& like) {
  size_t row = 0;
  for (size_t h = 0; h < heard_count_; ++h) {
    const Heard& heard = heard_[h];
    if (heard.kind != record::RecordKind::kFlow) continue;
    for (size_t i = 0; i < heard.rows && row < flows_.size(); ++i, ++row) {
      if (Done()) break;
      ++seen_;
      if (options_.record != 0 ? seen_ == options_.record : Selected(row)) ExplainRow(row, i, heard, like);
    }
  }
  flows_.Clear();
}

void Explainer::CopyRow(size_t row, record::FlowBatch* to) {
  to->Clear();
  to->AppendCopies(1, flows_.row(row).octets());
}

void Explainer::ApplyAll(record::FlowBatch* batch) {
  for (Stage& stage : stages_) stage.enricher->Apply(*batch);
  if (rules_enricher_ != nullptr) rules_enricher_->Apply(*batch);
  if (scaler_ != nullptr && !batch->empty()) scaler_->Apply(*batch);
}

bool Explainer::Selected(size_t row) {
  CopyRow(row, &copy_);
  ApplyAll(&copy_);
  return !copy_.empty() && where_.Passes(copy_, 0);
}

std::string Explainer::DecodedFrom(const record::RowView& row, F field, const Heard& heard, bool by_template,
                                   const ExplainedRecord& out) const {
  const TracedElement* element = heard.elements.Find(row, field, by_template, out.reverse);
  if (element != nullptr) {
    std::string text = ElementTitle(*element, by_template);
    if (out.format.has_value()) {
      absl::StrAppend(&text, ", field ", element->position, " of ", out.format->fields.size());
    }
    const size_t size = element->octets.size();
    if (element->offset.has_value()) {
      absl::StrAppend(&text, ", offset ", *element->offset, ", ", size, size == 1 ? " octet" : " octets");
    }
    // What is longer is shown by `flowacct decode`.
    constexpr size_t kMaxShown = 16;
    absl::StrAppend(&text, ": ", absl::BytesToHexString(absl::string_view(element->octets).substr(0, kMaxShown)),
                    size > kMaxShown ? "..." : "");
    return text;
  }
  if (field == F::kSamplingRate || field == F::kSamplingSource) {
    const auto source = static_cast<record::SamplingSource>(row.Get<F::kSamplingSource>());
    if (source == record::SamplingSource::kOptions) return "what the exporter told in options";
    if (source == record::SamplingSource::kHeader) return "the export's header";
  }
  for (const Elsewhere& elsewhere : kElsewhere) {
    const absl::string_view where = IsPacket(out) ? elsewhere.of_packet : elsewhere.of_export;
    if (elsewhere.field == field && !where.empty()) return std::string(where);
  }
  if (out.reverse) return "the record's other direction, turned round";
  return std::string(IsPacket(out) ? kWorkedOutOfPacket : kWorkedOutOfExport);
}

void Explainer::AddDecoded(const record::RowView& row, const Heard& heard, bool by_template, ExplainedRecord* out) {
  for (F field : layout_.fields()) {
    if (!row.Has(field)) continue;
    ExplainedField& told = out->fields.emplace_back();
    told.field = field;
    told.steps.push_back(
        {"decoder", DecodedFrom(row, field, heard, by_template, *out), ValueOf(row, field, interner_)});
  }
}

template <typename Detail>
void Explainer::AddChanges(const std::vector<uint8_t>& before, const record::RowView& row, absl::string_view by,
                           const Detail& detail, ExplainedRecord* out) {
  const record::RowView old(&layout_, before.data());
  for (F field : layout_.fields()) {
    if (Same(old, row, field)) continue;
    auto place = std::find_if(out->fields.begin(), out->fields.end(),
                              [field](const ExplainedField& told) { return told.field >= field; });
    if (place == out->fields.end() || place->field != field) {
      place = out->fields.insert(place, ExplainedField{field, {}});
    }
    place->steps.push_back({std::string(by), detail(field), ValueOf(row, field, interner_)});
  }
}

void Explainer::Trace(const record::RowView& row, ExplainedRecord* out) const {
  const base::IpAddress exporter = row.Get<F::kExporter>();
  const uint64_t rd = row.Get<F::kMplsVpnRd>();
  if (row.Has(F::kDstAddr)) {
    out->destination_routes =
        TraceRoute(*options_.routes, exporter, rd, row.Get<F::kDstAddr>(), row.Get<F::kBgpNextHop>());
  }
  if (row.Has(F::kSrcAddr)) {
    out->source_routes = TraceRoute(*options_.routes, exporter, rd, row.Get<F::kSrcAddr>(), base::IpAddress());
  }
}

std::string Explainer::DetailOf(const Stage& stage, F field, const record::RowView& row,
                                const ExplainedRecord& out) const {
  const bool of_source = IsOfSource(field);
  const base::IpAddress address = of_source ? row.Get<F::kSrcAddr>() : row.Get<F::kDstAddr>();
  if (stage.by == "routes") {
    for (const TracedRoute& route : of_source ? out.source_routes : out.destination_routes) {
      if (route.answered) return RouteText(route);
    }
    return "";
  }
  if (stage.by == "networks") return absl::StrCat(stage.name, ": ", options_.networks->Describe(address));
  if (stage.database != nullptr) return absl::StrCat(stage.name, ": ", stage.database->Describe());
  return stage.name;
}

void Explainer::ExplainRow(size_t row, size_t of_record, const Heard& heard, const ExplainedRecord& like) {
  ExplainedRecord out = like;
  out.number = seen_;
  out.file = file_;
  out.reverse = of_record > 0;
  CopyRow(row, &one_);
  CopyRow(row, &copy_);
  ApplyAll(&copy_);
  const record::RowView now = std::as_const(one_).row(0);
  const bool by_template = absl::StartsWith(like.protocol, "netflow") || like.protocol == "ipfix";
  out.template_id = heard.template_id;
  if (!IsPacket(like)) {
    for (record::ExporterReport& report : input_->Report()) {
      if (report.scope != record::ExporterScope::kDomain || report.protocol != like.protocol ||
          (report.exporter != now.Get<F::kExporter>() && report.exporter != like.source) ||
          report.domain != now.Get<F::kObservationDomain>()) {
        continue;
      }
      out.sampling = std::move(report.sampling);
      for (record::TemplateReport& format : report.templates) {
        if (heard.template_id != 0 && format.id == heard.template_id) out.format = std::move(format);
      }
      break;
    }
  }
  AddDecoded(now, heard, by_template, &out);

  std::vector<uint8_t> before(layout_.row_size());
  const auto keep = [&] { std::memcpy(before.data(), one_.data(), before.size()); };
  for (Stage& stage : stages_) {
    keep();
    if (stage.by == "routes") Trace(now, &out);
    stage.enricher->Apply(one_);
    AddChanges(
        before, now, stage.by, [&](F field) { return DetailOf(stage, field, now, out); }, &out);
  }
  if (rule_trace_ != nullptr) {
    keep();
    rule_trace_->Apply(&one_, [&](const std::string& place, const std::string& text) {
      const std::vector<std::string> lines = absl::StrSplit(text, '\n');
      const std::string shown = absl::StrCat(lines[0], lines.size() > 1 ? " ..." : "");
      out.rules.emplace_back(place, shown);
      if (one_.empty()) {
        out.dropped_by = absl::StrCat(place, ": ", shown);
        return;
      }
      AddChanges(
          before, now, "rules", [&](F) { return absl::StrCat(place, ": ", shown); }, &out);
      keep();
    });
  }
  if (!one_.empty() && scaler_ != nullptr) {
    keep();
    scaler_->Apply(one_);
    const bool configured =
        options_.sampling.default_rate != 0 && (options_.sampling.override_rate || !now.Has(F::kSamplingRate));
    const uint64_t rate = configured ? options_.sampling.default_rate : now.Get<F::kSamplingRate>();
    const auto detail = [&](F) { return absl::StrCat("times ", rate, configured ? ", as was asked for" : ""); };
    AddChanges(before, now, "sampling", detail, &out);
  }
  // Whatever happens, the last value is the pipeline's.
  if (!one_.empty() && !copy_.empty()) {
    keep();
    AddChanges(
        before, std::as_const(copy_).row(0), "pipeline",
        [](F) { return std::string("all steps together; they do not tell which"); }, &out);
  }
  explanation_.records.push_back(std::move(out));
}

}  // namespace

absl::StatusOr<Explanation> Explain(ExplainOptions options) {
  Explainer explainer(std::move(options));
  if (const absl::Status status = explainer.Prepare(); !status.ok()) return status;
  return explainer.Run();
}

}  // namespace flowacct::collector
