// Writes flow_message.proto from the table to standard output:
//     bazel run //flowacct/message:write_flow_message_proto > flowacct/message/flow_message.proto

#include <cstdio>

#include "flowacct/message/message_fields.h"

int main() {
  std::fputs(flowacct::message::FlowMessageProto().c_str(), stdout);
  return 0;
}
