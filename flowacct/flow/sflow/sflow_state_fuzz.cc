#include <cstddef>
#include <cstdint>

#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/record/testing/state_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  flowacct::sflow::SflowDecoderOptions options;
  options.packet.fragments.max_datagrams = 16;  // decoders are made for each input
  flowacct::record::testing::FuzzState<flowacct::sflow::SflowDecoder>("sflow decoder", data, size, options);
  return 0;
}
