// Rows of session records, as pipelines take them: what charging calls a CDR.
//
// Fills the fields of the session (docs/fields.md), packets_up and so on, and as times start_time and end_time: what the
// record is of. packets and bytes stay absent, so that traffic and records of it are never summed together.
// Threads: any that may read the engine.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_RECORD_ROWS_H_
#define FLOWACCT_COLLECTOR_SESSIONS_RECORD_ROWS_H_

#include "flowacct/record/flow_batch.h"
#include "flowacct/session/session_engine.h"
#include "flowacct/session/session_record.h"

namespace flowacct::collector {

void AppendSessionRow(const session::SessionRecord& record, const session::SessionEngine& engine,
                      record::FlowBatch* rows);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_RECORD_ROWS_H_
