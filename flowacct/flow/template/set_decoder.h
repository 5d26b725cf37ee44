// The sets of a NetFlow v9 or IPFIX message: templates are learned, data is decoded with them, data that comes before
// its template is held.
//
// Standards: RFC 3954 (5, 6), RFC 7011 (3.3 sets, 3.4 templates, 8 their life). By transport:
//   UDP        a template is forgotten when it was not refreshed for template_lifetime_seconds; another definition of
//              its id replaces it (8.4); withdrawals are not allowed and ignored.
//   TCP, SCTP  templates are the session's (domain.h), and live until they are withdrawn (8.1) or it ends. Another
//              definition without a withdrawal is an error for which the session is to be closed (record::EndsSession);
//              a withdrawal of what is not there is ignored, and counted as kTemplateUnknown.
//   file       templates live until withdrawn; another definition replaces.
// Held data is decoded into the output of the datagram that brings the template.
// Ownership: borrows options, table and sections. Threads: one at a time. Errors: the first of a message is
// returned, all are counted in the domain. Cost: one hash look-up a set.

#ifndef FLOWACCT_FLOW_TEMPLATE_SET_DECODER_H_
#define FLOWACCT_FLOW_TEMPLATE_SET_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/domain.h"
#include "flowacct/flow/template/set_view.h"
#include "flowacct/record/datagram.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::flow {

class SetDecoder {
 public:
  SetDecoder(const TemplateOptions* options, DomainTable* domains) : options_(options), domains_(domains) {}

  struct Decoded {
    base::DecodeResult result;  // the first error; all are counted in domain->errors
    uint64_t records = 0;       // data records, options data too
    bool uncounted = false;     // there was data whose records could not be counted
  };
  // The sets of a message. `context` has all but the domain's tables.
  Decoded Decode(const record::Datagram& datagram, SetReader sets, MessageContext* context,
                 const record::DecodeOutput& output, Domain* domain);

 private:
  struct Message;  // what one call of Decode passes on

  void DecodeTemplateSet(const SetView& set, Message* message);
  void Define(const TemplateView& view, size_t offset, Message* message);
  void Withdraw(uint16_t id, bool options, size_t offset, Message* message);
  void DecodeDataSet(uint16_t id, base::Octets set, size_t offset, Message* message);
  void DecodeData(uint16_t id, TemplateEntry* entry, base::Octets octets, size_t offset, MessageContext* context,
                  bool held, Message* message);
  void Hold(uint16_t id, base::Octets octets, size_t offset, Message* message);
  void RejectStale(int64_t now_nanos, Domain* domain);
  void DecodeHeld(uint16_t id, TemplateEntry* entry, Message* message);

  const TemplateOptions* options_;
  DomainTable* domains_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_SET_DECODER_H_
