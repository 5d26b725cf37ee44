#include <cstddef>
#include <cstdint>

#include "flowacct/flow/netflow/netflow_decoder.h"
#include "flowacct/flow/template/testing/message_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  flowacct::flow::testing::FuzzMessages<flowacct::netflow::NetflowDecoder>(data, size);
  return 0;
}
