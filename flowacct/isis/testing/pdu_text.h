// A PDU as one line of text, for tests: what it is, and what flooding cares for.
#ifndef FLOWACCT_ISIS_TESTING_PDU_TEXT_H_
#define FLOWACCT_ISIS_TESTING_PDU_TEXT_H_

#include <string>

#include "flowacct/base/octets.h"

namespace flowacct::isis::testing {

// "L2-LSP 0000.0000.0002.00-00 #7 1199s", "L1-PSNP 0000.0000.0002.00-00 #7", "P2P-IIH initializing", "L1-IIH 1 heard".
std::string PduText(base::Octets pdu);

}  // namespace flowacct::isis::testing

#endif  // FLOWACCT_ISIS_TESTING_PDU_TEXT_H_
