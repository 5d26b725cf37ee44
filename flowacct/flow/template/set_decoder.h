// The sets of a NetFlow v9 or IPFIX message: templates are learned, data is decoded with them, data that comes before
// its template is held.
//
// Standards: RFC 3954 (5, 6), RFC 7011 (3.3 sets, 3.4 templates, 8 their life). By transport:
//   UDP        a template is forgotten when it was not refreshed for template_lifetime_seconds; another definition of
//   its
//              id replaces it (8.4); withdrawals are not allowed and ignored.
//   TCP, SCTP, file  templates live until withdrawn (8.1); another definition without a withdrawal is an exporter's
//              error; it replaces as well, since the data that follows means it.
// Held data is decoded into the output of the datagram that brings the template.
// Ownership: borrows layout, options, table and sections. Threads: one at a time. Errors: the first of a message is
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
  // `version`: 9 or 10.
  SetDecoder(const record::Layout* layout, const TemplateOptions* options, DomainTable* domains, uint16_t version)
      : layout_(layout), options_(options), domains_(domains), version_(version) {}

  struct Decoded {
    base::DecodeResult result;  // the first error; all are counted in domain->errors
    uint64_t records = 0;       // data records, options data too
    bool uncounted = false;     // there was data whose records could not be counted
  };
  // The sets of a message. `context` has all but the domain's tables.
  Decoded Decode(const record::Datagram& datagram, SetReader sets, MessageContext* context,
                 const record::DecodeOutput& output, Domain* domain);

  // The device began anew: its templates are no longer those that we know (RFC 3954, 9).
  void ForgetTemplates(Domain* domain);

 private:
  struct Message;  // what one call of Decode passes on

  void DecodeTemplateSet(const SetView& set, Message* message);
  void Define(const TemplateView& view, size_t offset, Message* message);
  void Withdraw(uint16_t id, bool options, size_t offset, Message* message);
  void Remove(Domain* domain, uint16_t id);
  void DecodeDataSet(uint16_t id, base::Octets set, size_t offset, Message* message);
  void DecodeData(TemplateEntry* entry, base::Octets octets, size_t offset, MessageContext* context, bool held,
                  Message* message);
  void Hold(uint16_t id, base::Octets octets, size_t offset, Message* message);
  void DropOldest(Domain* domain);
  void DropStale(int64_t now_nanos, Domain* domain);
  void DecodeHeld(TemplateEntry* entry, Message* message);

  const record::Layout* layout_;
  const TemplateOptions* options_;
  DomainTable* domains_;
  uint16_t version_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_SET_DECODER_H_
