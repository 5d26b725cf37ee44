// Rows of session records, as pipelines take them: what charging calls a CDR.
//
// Fills the fields that sessions tell (enrich/sessions/sessions_enricher.h), session_cause, packets_up and so on, and
// start_time and end_time: what the record is about. packets and bytes stay absent, so that traffic and records of it
// are never summed together.
// Ownership: borrows the service and the layout. Threads: one at a time. Errors: none. Cost: some 200 ns a row.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_RECORD_ROWS_H_
#define FLOWACCT_COLLECTOR_SESSIONS_RECORD_ROWS_H_

#include "flowacct/collector/sessions/session_service.h"
#include "flowacct/enrich/sessions/sessions_enricher.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/session/session_record.h"

namespace flowacct::collector {

class RecordRows {
 public:
  RecordRows(SessionService* service, const record::Layout& layout);

  void Append(const session::SessionRecord& record, record::FlowBatch* rows);
  // Those of all records that were made since the last call of anybody.
  void AppendNew(record::FlowBatch* rows);

 private:
  SessionService* const service_;
  enrich::SessionsEnricher values_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_RECORD_ROWS_H_
