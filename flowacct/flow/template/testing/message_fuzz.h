// How the corpora of the decoders' fuzz tests lie in a file: messages one after another, each behind two octets of
// its length (cut at the end of the file), so that templates and data of several messages meet.

#ifndef FLOWACCT_FLOW_TEMPLATE_TESTING_MESSAGE_FUZZ_H_
#define FLOWACCT_FLOW_TEMPLATE_TESTING_MESSAGE_FUZZ_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/testing/decode_run.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::flow::testing {

// Decodes the messages of a corpus file, by turns with a listener and without, over both kinds of transport.
template <typename Decoder>
void FuzzMessages(const uint8_t* data, size_t size) {
  static const record::Layout& layout = *new record::Layout(record::Layout::All());
  base::Interner interner;
  for (record::Transport transport : {record::Transport::kUdp, record::Transport::kTcp}) {
    record::FlowBatch rows(&layout, &interner);
    Decoder decoder(&layout);
    Transcript transcript;
    base::Octets rest(data, size);
    uint64_t number = 0;
    while (rest.size() >= 2) {
      const size_t length = std::min<size_t>(base::LoadBe16(rest.data()), rest.size() - 2);
      // A copy of its own, so that a sanitizer sees a read past the end.
      const std::vector<uint8_t> octets(rest.begin() + 2, rest.begin() + 2 + static_cast<ptrdiff_t>(length));
      rest.remove_prefix(2 + length);
      record::Datagram datagram;
      datagram.octets = octets;
      datagram.transport = transport;
      datagram.number = ++number;
      datagram.arrival_nanos = int64_t{1700000000} * 1000000000;
      record::DecodeOutput output;
      output.flows = &rows;
      if (number % 2 == 0) output.listener = &transcript;
      rows.Clear();
      static_cast<void>(decoder.Decode(datagram, output));
    }
    if (decoder.Report().size() > number) __builtin_trap();
  }
}

}  // namespace flowacct::flow::testing

#endif  // FLOWACCT_FLOW_TEMPLATE_TESTING_MESSAGE_FUZZ_H_
