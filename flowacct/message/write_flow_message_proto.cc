// Writes flow_message.proto from the table to standard output, or with --table that of docs/reference/message.md:
//     bazel run //flowacct/message:write_flow_message_proto > flowacct/message/flow_message.proto

#include <cstdio>
#include <cstring>

#include "flowacct/message/message_document.h"
#include "flowacct/message/message_fields.h"

int main(int argc, char** argv) {
  const bool table = argc > 1 && std::strcmp(argv[1], "--table") == 0;
  std::fputs((table ? flowacct::message::MessageFieldTable() : flowacct::message::FlowMessageProto()).c_str(), stdout);
  return 0;
}
