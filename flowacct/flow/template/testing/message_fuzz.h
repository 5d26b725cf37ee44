// How the corpora of the decoders' fuzz tests lie in a file: messages one after another, each behind two octets of
// its length (cut at the end of the file), so that templates and data of several messages meet.

#ifndef FLOWACCT_FLOW_TEMPLATE_TESTING_MESSAGE_FUZZ_H_
#define FLOWACCT_FLOW_TEMPLATE_TESTING_MESSAGE_FUZZ_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/octets.h"
#include "flowacct/record/datagram.h"
#include "flowacct/record/testing/decoding_truths.h"

namespace flowacct::flow::testing {

// Decodes the messages of a corpus file over both kinds of transport, and checks what is true of any decoding.
template <typename Decoder>
void FuzzMessages(const uint8_t* data, size_t size) {
  for (record::Transport transport : {record::Transport::kUdp, record::Transport::kTcp}) {
    record::testing::DecodingTruths<Decoder> truths;
    std::vector<std::vector<uint8_t>> messages;
    std::vector<record::Datagram> datagrams;
    base::Octets rest(data, size);
    while (rest.size() >= 2) {
      const size_t length = std::min<size_t>(base::LoadBe16(rest.data()), rest.size() - 2);
      // A copy of its own, so that a sanitizer sees a read past the end.
      const std::vector<uint8_t>& octets =
          messages.emplace_back(rest.begin() + 2, rest.begin() + 2 + static_cast<ptrdiff_t>(length));
      rest.remove_prefix(2 + length);
      record::Datagram datagram;
      datagram.octets = octets;
      datagram.transport = transport;
      datagram.arrival_nanos = int64_t{1700000000} * 1000000000;
      truths.Decode(datagram);
      datagrams.push_back(datagram);
    }
    truths.Check(datagrams);
  }
}

}  // namespace flowacct::flow::testing

#endif  // FLOWACCT_FLOW_TEMPLATE_TESTING_MESSAGE_FUZZ_H_
