// Learns from one record of options data: sampling rates, names, the device's start, type information.
//
// Standards: RFC 3954 6.1 (v9's scopes), RFC 7011 3.4.2.2, RFC 5477 (selectors), RFC 6759 (applications), RFC 5610
// (type information), RFC 5103's and 7012's elements. Errors: kLimitExceeded if a table is full. Cost: one pass over
// the record's fields.

#ifndef FLOWACCT_FLOW_TEMPLATE_OPTIONS_DATA_H_
#define FLOWACCT_FLOW_TEMPLATE_OPTIONS_DATA_H_

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/domain.h"
#include "flowacct/flow/template/template.h"

namespace flowacct::flow {

// `shape` is null for a template of fixed fields.
base::DecodeCode LearnFromOptions(const Template& format, base::Octets record, const RecordShape* shape,
                                  Domain* domain);

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_OPTIONS_DATA_H_
