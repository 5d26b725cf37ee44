// The template of a fixed format, so that one engine decodes all versions of NetFlow.

#ifndef FLOWACCT_FLOW_NETFLOW_FIXED_TEMPLATE_H_
#define FLOWACCT_FLOW_NETFLOW_FIXED_TEMPLATE_H_

#include "flowacct/flow/netflow/fixed_format.h"
#include "flowacct/flow/template/template.h"

namespace flowacct::netflow {

flow::Template MakeFixedTemplate(const FixedFormat& format);

}  // namespace flowacct::netflow

#endif  // FLOWACCT_FLOW_NETFLOW_FIXED_TEMPLATE_H_
