#include "flowacct/collector/sessions/record_rows.h"

#include "flowacct/record/field.h"
#include "flowacct/record/field_set.h"
#include "flowacct/session/facts.h"

namespace flowacct::collector {
namespace {

using record::FieldId;

enrich::SessionsOptions ValuesOnly() {
  enrich::SessionsOptions options;
  options.count_volumes = false;
  return options;
}

}  // namespace

RecordRows::RecordRows(SessionService* service, const record::Layout& layout)
    : service_(service), values_({service->epochs(), service->engine()}, ValuesOnly()) {
  values_.Bind(layout, record::FieldSet(layout.fields()));
}

void RecordRows::Append(const session::SessionRecord& record, record::FlowBatch* rows) {
  record::MutableRow row = rows->Append();
  session::Found found;
  found.facts = &record.facts;
  found.interface = record.path.interface;
  values_.TellOf(found, {record.path.up, record.path.down}, rows->data() + (rows->size() - 1) * rows->stride(),
                 rows->interner());
  if (record.cause != session::Cause::kNone) {
    row.Set<FieldId::kSessionCause>(rows->interner().Intern(session::CauseName(record.cause)));
  }
  row.Set<FieldId::kStartTime>(record.from_nanos);
  row.Set<FieldId::kEndTime>(record.until_nanos);
  row.Set<FieldId::kSessionMilliseconds>(static_cast<uint64_t>(record.until_nanos - record.from_nanos) / 1000000);
  row.Set<FieldId::kFlows>(1);
  row.Set<FieldId::kPacketsUp>(record.volume.packets_up);
  row.Set<FieldId::kPacketsDown>(record.volume.packets_down);
  row.Set<FieldId::kBytesUp>(record.volume.bytes_up);
  row.Set<FieldId::kBytesDown>(record.volume.bytes_down);
  row.Set<FieldId::kRatChanges>(record.rat_changes);
  row.Set<FieldId::kLocationChanges>(record.location_changes);
}

void RecordRows::AppendNew(record::FlowBatch* rows) {
  for (const session::SessionRecord& record : service_->TakeRecords()) Append(record, rows);
}

}  // namespace flowacct::collector
