// Writes the corpus of sflow_fuzz.cc: `bazel run //flowacct/flow/sflow:write_corpus -- FOLDER`.

#include <fstream>
#include <string>
#include <vector>

#include "flowacct/flow/sflow/flow_record_view.h"
#include "flowacct/flow/sflow/testing/sflow_builder.h"

namespace flowacct::sflow {
namespace {

void Write(const std::string& folder, const std::string& name, const SflowBuilder& builder) {
  std::ofstream file(folder + "/" + name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(builder.octets().data()),
             static_cast<std::streamsize>(builder.octets().size()));
}

void WriteAll(const std::string& folder) {
  PacketFields six;
  six.source = *base::IpAddress::Parse("2001:db8::1");
  six.destination = *base::IpAddress::Parse("2001:db8::2");
  six.protocol = 6;
  six.vlan = 9;
  for (uint32_t version : {2u, 4u, 5u}) {
    SflowBuilder builder(version);
    builder.AddFlowSample(FlowSampleFields(),
                          {HeaderRecord(EthernetPacket(PacketFields()), 64, version), SwitchRecord(1, 2, 3, 4),
                           RouterRecord(six.source, 64, 48), GatewayRecord(GatewayFields(), version),
                           UserRecord("alice", "bob", version), UrlRecord("/", "h", version)});
    builder.AddCountersSample(1, {0, 1}, {IfCountersRecord(1, 5), NumbersRecord(2, std::vector<uint32_t>(13, 1))});
    Write(folder, "v" + std::to_string(version), builder);
  }
  FlowSampleFields expanded;
  expanded.expanded = true;
  SflowBuilder flow(5, six.source);
  flow.AddFlowSample(expanded, {HeaderRecord(EthernetPacket(six), 90), IpRecord(six, 100), IpRecord(PacketFields(), 5),
                                MplsRecord(six.source, {0x10100, 0x20140}, {3}), NatRecord(six.source, six.source),
                                NumbersRecord(ExtendedNatPortView::kFormat, {1, 2}),
                                VlanStackRecord(ExtendedVlanStackView::kIn, {0x8100000a, 0x8100000b}),
                                NumbersRecord(NumberView::kVniIngress, {5})});
  Write(folder, "v5-expanded", flow);
  SflowBuilder application;
  application.AddFlowSample(FlowSampleFields(), {HttpRecord("/a", "h", "u"), SocketRecord(PacketFields())});
  application.AddDiscardedPacket(DiscardedPacketFields(), {HeaderRecord(EthernetPacket(PacketFields()), 60)});
  const std::vector<uint8_t> odd = {1, 2, 3};
  application.AddSample(DataFormat(4300, 1002), odd);
  Write(folder, "v5-application-drop-unknown", application);
  SflowBuilder host;
  host.AddCountersSample(1, {2, 1},
                         {NumbersRecord(2003, std::vector<uint32_t>(17, 0x3f000000)),
                          NumbersRecord(2001, {2, 1, 1, 0x02000000, 0x00010000, 2, 0}),
                          NumbersRecord(10, {1, 4, 3300, 40000, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})},
                         true);
  Write(folder, "v5-host-counters", host);
}

}  // namespace
}  // namespace flowacct::sflow

int main(int argc, char** argv) {
  if (argc == 2) flowacct::sflow::WriteAll(argv[1]);
  return argc == 2 ? 0 : 1;
}
