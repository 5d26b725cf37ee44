#include <cstddef>
#include <cstdint>

#include "flowacct/flow/netflow/netflow_decoder.h"
#include "flowacct/record/testing/state_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  flowacct::record::testing::FuzzState<flowacct::netflow::NetflowDecoder>("netflow decoder", data, size);
  return 0;
}
