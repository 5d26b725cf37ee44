// Any octets as one sFlow datagram, twice: what is true of any decoding holds.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/record/testing/decoding_truths.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct;  // NOLINT
  sflow::SflowDecoderOptions options;
  options.packet.fragments.max_datagrams = 16;  // decoders are made for each input
  record::testing::DecodingTruths<sflow::SflowDecoder> truths(options);
  // A copy of its own, so that a sanitizer sees a read past the end.
  const std::vector<uint8_t> octets(data, data + size);
  record::Datagram datagram;
  datagram.octets = octets;
  truths.Decode(datagram);
  truths.Decode(datagram);
  truths.Check({datagram});
  return 0;
}
