#include "flowacct/collector/explain/explanation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/collector/explain/element_trace.h"
#include "flowacct/collector/explain/route_text.h"
#include "flowacct/collector/explain/rule_trace.h"
#include "flowacct/enrich/geoip/geo_enricher.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/filter/filter.h"
#include "flowacct/flow/ipfix/message_view.h"
#include "flowacct/flow/netflow/v9_view.h"
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
    {F::kInIfName, "what the exporter told of its interfaces", ""},
    {F::kOutIfName, "what the exporter told of its interfaces", ""},
    {F::kArrivalTime, "the capture's time of the datagram", "the capture's time of the packet"},
    {F::kStartTime, "", "the capture's time of the packet"},
    {F::kEndTime, "", "the capture's time of the packet"},
    {F::kPackets, "", "one packet"},
    {F::kFlows, "one record", "one packet"},
};

constexpr absl::string_view kWorkedOutOfExport =
    "worked out by the decoder (of the record, the export's header or options)";
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

// The set of a message that has the octet at `offset`; none: the message is of no such protocol.
std::optional<ExplainedSet> SetAt(absl::string_view protocol, base::Octets message, size_t offset) {
  flow::SetReader sets(flow::Dialect::kIpfix, {}, 0);
  if (netflow::V9View packet; protocol == "netflow9" && netflow::V9View::Parse(message, &packet).ok()) {
    sets = packet.flow_sets();
  } else if (ipfix::MessageView view; protocol == "ipfix" && ipfix::MessageView::Parse(message, &view).ok()) {
    sets = view.sets();
  }
  size_t number = 0;
  for (flow::SetView set; sets.Next(&set);) {
    ++number;
    if (offset < set.offset() || offset >= set.offset() + set.octets().size()) continue;
    return ExplainedSet{number, set.offset() - flow::kSetHeaderOctets, set.octets().size() + flow::kSetHeaderOctets};
  }
  return std::nullopt;
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
  ExplainedStep DecodedFrom(const record::RowView& row, F field, const Heard& heard, bool by_template,
                            const ExplainedRecord& out) const;
  void AddAbsent(const Heard& heard, bool by_template, const std::vector<uint8_t>& decoded, ExplainedRecord* out);
  std::string WhyAbsent(F field, const Heard& heard, bool by_template, const record::RowView& decoded,
                        const ExplainedRecord& out) const;
  bool Asked(F field) const { return options_.fields.empty() || asked_.Has(field); }
  // What is different between `before` and the row of `batch` becomes a step of its field.
  template <typename Detail>
  void AddChanges(const std::vector<uint8_t>& before, const record::RowView& row, absl::string_view by,
                  const Detail& detail, ExplainedRecord* out);
  void AddNetworks(std::vector<uint8_t>& before, ExplainedRecord* out);
  std::string DetailOf(const Stage& stage, F field, const record::RowView& row, const ExplainedRecord& out) const;

  ExplainOptions options_;
  const record::Layout layout_;
  const record::FieldSet all_;
  record::FieldSet asked_;
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
  for (F field : options_.fields) asked_.Add(field);
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

ExplainedStep Explainer::DecodedFrom(const record::RowView& row, F field, const Heard& heard, bool by_template,
                                     const ExplainedRecord& out) const {
  ExplainedStep step;
  step.by = "decoder";
  step.value = ValueOf(row, field, interner_);
  const FoundElement found = heard.elements.Find(row, field, by_template, out.reverse);
  if (const TracedElement* element = found.element; element != nullptr) {
    step.detail = ElementTitle(*element, by_template);
    ExplainedElement& told = step.element.emplace();
    told.name = element->name;
    if (const auto number = by_template ? NumberOf(*element) : std::nullopt; number.has_value()) {
      told.pen = number->pen;
      told.id = number->id;
    }
    told.position = by_template ? element->position : 0;
    told.offset = element->offset;
    told.octets = element->octets;
    told.converted = found.converted;
    if (told.position != 0) {
      absl::StrAppend(&step.detail, ", field ", told.position, " of ", heard.elements.field_count());
    } else if (by_template) {
      step.detail += ", of the export's header";
    }
    const size_t size = element->octets.size();
    if (element->offset.has_value()) absl::StrAppend(&step.detail, ", at octet ", *element->offset);
    absl::StrAppend(&step.detail, ", ", size, size == 1 ? " octet" : " octets");
    // What is longer is shown by `flowacct decode`.
    constexpr size_t kMaxShown = 16;
    absl::StrAppend(&step.detail, ": ", absl::BytesToHexString(absl::string_view(element->octets).substr(0, kMaxShown)),
                    size > kMaxShown ? "..." : "");
    if (found.converted) {
      const bool of_uptime = absl::StrContains(element->name, "SysUpTime");
      step.detail += of_uptime ? ", made a time by the clocks of the export's header" : ", converted";
    }
    return step;
  }
  if (field == F::kSamplingRate || field == F::kSamplingSource) {
    const auto source = static_cast<record::SamplingSource>(row.Get<F::kSamplingSource>());
    if (source == record::SamplingSource::kOptions) {
      step.detail = "what the exporter told in options";
      const auto same = [&row](const record::SamplingReport& sampling) {
        return sampling.rate == row.Get<F::kSamplingRate>();
      };
      const auto told = std::find_if(out.sampling.begin(), out.sampling.end(), same);
      // Of several equal ones it is not known which.
      if (told != out.sampling.end() && std::find_if(told + 1, out.sampling.end(), same) == out.sampling.end()) {
        absl::StrAppend(&step.detail, " of ", told->what);
      }
      return step;
    }
    if (source == record::SamplingSource::kHeader) {
      step.detail = "the export's header";
      return step;
    }
  }
  for (const Elsewhere& elsewhere : kElsewhere) {
    const absl::string_view where = IsPacket(out) ? elsewhere.of_packet : elsewhere.of_export;
    if (elsewhere.field != field || where.empty()) continue;
    step.detail = std::string(where);
    return step;
  }
  step.detail = out.reverse     ? "the record's other direction, turned round"
                : IsPacket(out) ? std::string(kWorkedOutOfPacket)
                                : std::string(kWorkedOutOfExport);
  return step;
}

void Explainer::AddDecoded(const record::RowView& row, const Heard& heard, bool by_template, ExplainedRecord* out) {
  for (F field : layout_.fields()) {
    if (!row.Has(field) || !Asked(field)) continue;
    ExplainedField& told = out->fields.emplace_back();
    told.field = field;
    told.steps.push_back(DecodedFrom(row, field, heard, by_template, *out));
  }
}

std::string Explainer::WhyAbsent(F field, const Heard& heard, bool by_template, const record::RowView& decoded,
                                 const ExplainedRecord& out) const {
  std::vector<std::string> reasons;
  bool there = false;
  const std::string tellers = heard.elements.Tellers(field, by_template, &there);
  const std::string what = out.template_id != 0 ? absl::StrCat("template ", out.template_id)
                           : by_template        ? out.protocol
                           : IsPacket(out)      ? "the packet"
                                                : "the sample";
  if (there) {
    reasons.push_back(absl::StrCat(what, " has ", tellers, ", but no value there that can be taken"));
  } else if (!tellers.empty()) {
    reasons.push_back(absl::StrCat(what, " has none of ", tellers));
  }
  const bool of_source = IsOfSource(field);
  const F address_field = of_source ? F::kSrcAddr : F::kDstAddr;
  const std::string address = ValueOf(decoded, address_field, interner_).text;
  record::FieldSet wanted;
  wanted.Add(field);
  for (const Stage& stage : stages_) {
    if (stage.enricher->RequiredFields(wanted).empty()) continue;
    const std::string by = stage.name.empty() ? stage.by : absl::StrCat(stage.by, " ", stage.name);
    if (stage.by == "services") {
      reasons.push_back(absl::StrCat(by, ": has no name for the port"));
    } else if (address.empty()) {
      reasons.push_back(absl::StrCat(by, ": the record has no ", record::Info(address_field).name));
    } else if (stage.by == "routes") {
      const auto& asked = of_source ? out.source_routes : out.destination_routes;
      const auto answer = std::find_if(asked.rbegin(), asked.rend(), [](const auto& a) { return a.answered; });
      reasons.push_back(asked.empty() ? absl::StrCat("routes: there is no table for exporter ", out.exporter.ToString())
                        : answer == asked.rend()
                            ? absl::StrCat("routes: no route to ", address, " in ", asked.size(),
                                           asked.size() == 1 ? " table" : " tables")
                            : absl::StrCat("routes: the route to ", answer->prefix.ToString(), " tells none"));
    } else if (stage.by == "networks") {
      const std::string network =
          options_.networks->Describe(of_source ? decoded.Get<F::kSrcAddr>() : decoded.Get<F::kDstAddr>());
      reasons.push_back(network.empty() ? absl::StrCat(by, ": ", address, " is in no network")
                                        : absl::StrCat(by, ": tells none of ", network));
    } else {
      reasons.push_back(absl::StrCat(by, ": tells none of ", address));
    }
  }
  if (rule_trace_ != nullptr && rule_trace_->Sets(field)) {
    reasons.push_back("rules: none that was met gave it a value");
  }
  if (reasons.empty()) return "nothing that was read tells it";
  return absl::StrJoin(reasons, "; ");
}

void Explainer::AddAbsent(const Heard& heard, bool by_template, const std::vector<uint8_t>& decoded,
                          ExplainedRecord* out) {
  const record::RowView row(&layout_, decoded.data());
  for (F field : layout_.fields()) {
    if (options_.fields.empty() || !Asked(field)) continue;
    const auto place = std::find_if(out->fields.begin(), out->fields.end(),
                                    [field](const ExplainedField& told) { return told.field >= field; });
    if (place != out->fields.end() && place->field == field) continue;
    ExplainedField absent;
    absent.field = field;
    absent.absent = WhyAbsent(field, heard, by_template, row, *out);
    out->fields.insert(place, std::move(absent));
  }
}

template <typename Detail>
void Explainer::AddChanges(const std::vector<uint8_t>& before, const record::RowView& row, absl::string_view by,
                           const Detail& detail, ExplainedRecord* out) {
  const record::RowView old(&layout_, before.data());
  for (F field : layout_.fields()) {
    if (!Asked(field) || Same(old, row, field)) continue;
    auto place = std::find_if(out->fields.begin(), out->fields.end(),
                              [field](const ExplainedField& told) { return told.field >= field; });
    if (place == out->fields.end() || place->field != field) {
      place = out->fields.insert(place, ExplainedField{field, {}, ""});
    }
    place->steps.push_back({std::string(by), detail(field), ValueOf(row, field, interner_), std::nullopt});
  }
}

std::string Explainer::DetailOf(const Stage& stage, F field, const record::RowView& row,
                                const ExplainedRecord& out) const {
  const bool of_source = IsOfSource(field);
  const base::IpAddress address = of_source ? row.Get<F::kSrcAddr>() : row.Get<F::kDstAddr>();
  if (stage.by == "routes") {
    const std::vector<enrich::AskedTable>& asked = of_source ? out.source_routes : out.destination_routes;
    const auto answer = std::find_if(asked.rbegin(), asked.rend(), [](const auto& table) { return table.answered; });
    return answer == asked.rend() ? "" : RouteText(*answer);
  }
  if (stage.by == "networks") return absl::StrCat(stage.name, ": ", options_.networks->Describe(address));
  if (stage.database != nullptr) return absl::StrCat(stage.name, ": ", stage.database->Describe());
  return stage.name;
}

// What no stage tells, but an aggregation makes of what is there (aggregate/key_spec.h).
void Explainer::AddNetworks(std::vector<uint8_t>& before, ExplainedRecord* out) {
  std::memcpy(before.data(), one_.data(), before.size());
  const record::RowView now = std::as_const(one_).row(0);
  for (F net : {F::kSrcNet, F::kDstNet}) {
    const auto key = aggregate::ParseKey(record::Info(net).name);
    if (!key.ok() || key->kind != aggregate::KeySpec::Kind::kToldNetwork) continue;
    if (now.Has(net) || !now.Has(key->source) || !now.Has(key->mask)) continue;
    const base::IpAddress address = net == F::kSrcNet ? now.Get<F::kSrcAddr>() : now.Get<F::kDstAddr>();
    const base::IpPrefix network(address, static_cast<uint8_t>(now.GetNumber(key->mask)));
    record::MutableRow row = one_.row(0);
    net == F::kSrcNet ? row.Set<F::kSrcNet>(network) : row.Set<F::kDstNet>(network);
    const auto detail = [&](F) {
      return absl::StrCat(record::Info(key->source).name, " cut to ", record::Info(key->mask).name,
                          ", where it is asked for as a key");
    };
    AddChanges(before, now, "key", detail, out);
    std::memcpy(before.data(), one_.data(), before.size());
  }
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
  out.exporter = now.Get<F::kExporter>();
  out.domain = now.Get<F::kObservationDomain>();
  out.offset = heard.elements.offset();
  if (out.offset.has_value()) {
    out.set = SetAt(like.protocol, whole_, *out.offset);
  } else {
    out.held = out.template_id != 0 && heard.elements.field_count() > 0;
  }
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
  const std::vector<uint8_t> decoded(one_.data(), one_.data() + layout_.row_size());

  std::vector<uint8_t> before(layout_.row_size());
  const auto keep = [&] { std::memcpy(before.data(), one_.data(), before.size()); };
  for (Stage& stage : stages_) {
    keep();
    if (stage.by == "routes") {
      auto* const routes = static_cast<enrich::RoutesEnricher*>(stage.enricher.get());
      out.destination_routes = routes->Explain(now, /*destination=*/true);
      out.source_routes = routes->Explain(now, /*destination=*/false);
    }
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
  if (!one_.empty()) AddNetworks(before, &out);
  AddAbsent(heard, by_template, decoded, &out);
  explanation_.records.push_back(std::move(out));
}

}  // namespace

absl::StatusOr<Explanation> Explain(ExplainOptions options) {
  Explainer explainer(std::move(options));
  if (const absl::Status status = explainer.Prepare(); !status.ok()) return status;
  return explainer.Run();
}

}  // namespace flowacct::collector
