#include "flowacct/flow/template/testing/decode_run.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace flowacct::flow::testing {

Totals TotalsOf(const record::FlowBatch& rows, const std::vector<record::ExporterReport>& reports) {
  Totals totals;
  totals.rows = rows.size();
  for (size_t i = 0; i < rows.size(); ++i) {
    totals.packets += rows.row(i).Get<record::FieldId::kPackets>();
    totals.bytes += rows.row(i).Get<record::FieldId::kBytes>();
  }
  for (const record::ExporterReport& report : reports) {
    totals.flow_records += report.flow_records;
    totals.option_records += report.option_records;
    totals.pending_sets += report.pending_sets;
    totals.rejected_sets += report.rejected_sets;
    totals.errors += report.errors.errors();
  }
  return totals;
}

void Transcript::OnRecord(record::RecordKind kind, uint16_t template_id) {
  absl::StrAppend(&text_, record::RecordKindName(kind), " ", template_id, " {");
}

void Transcript::OnElement(const record::Element& element) {
  absl::StrAppend(&text_, " ", element.name, "=");
  if (element.type == record::ElementType::kString) {
    absl::StrAppend(&text_, "'", absl::CHexEscape(base::AsText(element.octets)), "'");
  } else {
    absl::StrAppend(&text_, absl::BytesToHexString(base::AsText(element.octets)));
  }
}

void Transcript::OnListBegin(absl::string_view name) { absl::StrAppend(&text_, " ", name, "["); }
void Transcript::OnListEnd() { absl::StrAppend(&text_, " ]"); }
void Transcript::OnRecordEnd(size_t rows) {
  absl::StrAppend(&text_, " } ", rows, "\n");
  rows_ += rows;
}

}  // namespace flowacct::flow::testing
