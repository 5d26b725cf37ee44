// The plan's slow twin, for tests: decodes one record field by field, as the documents say it, with nothing shared with
// the plan but the registry. Simple templates: no biflows, no structured data, no packet sections.

#ifndef FLOWACCT_FLOW_TEMPLATE_PLAN_INTERPRETER_H_
#define FLOWACCT_FLOW_TEMPLATE_PLAN_INTERPRETER_H_

#include "flowacct/base/octets.h"
#include "flowacct/flow/template/decode_plan.h"
#include "flowacct/flow/template/template.h"
#include "flowacct/record/row.h"

namespace flowacct::flow::testing {

// Into `row`, all of whose fields are absent.
void InterpretRecord(const Template& format, base::Octets record, const MessageContext& context,
                     base::Interner* interner, record::MutableRow row);

}  // namespace flowacct::flow::testing

#endif  // FLOWACCT_FLOW_TEMPLATE_PLAN_INTERPRETER_H_
