// For tests of the whole collector with a BGP neighbour that also exports flows.

#ifndef FLOWACCT_COLLECTOR_SERVER_ROUTES_FIXTURE_H_
#define FLOWACCT_COLLECTOR_SERVER_ROUTES_FIXTURE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/collector/generate/export_encoder.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/server.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/socket/endpoint.h"
#include "gtest/gtest.h"

namespace flowacct::collector {

inline constexpr uint32_t kRouter = 0x7f000002;  // 127.0.0.2, where it peers and exports from

class ServerRoutesTest : public ServerTest {
 protected:
  static std::string Text(absl::string_view pipelines) {
    return absl::StrCat("input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n",
                        "bgp { listen: \"127.0.0.1:0\" stale_for: \"1m\" }\n", pipelines);
  }
  void StartServer(const std::string& text) { server_ = ServerTest::StartServer(text); }

  std::unique_ptr<ScriptedPeer> Connect() {
    const std::vector<Endpoint> endpoints = server_->bgp_endpoints();
    EXPECT_EQ(endpoints.size(), 1u);
    auto peer = std::make_unique<ScriptedPeer>(endpoints[0], "127.0.0.2");
    EXPECT_TRUE(peer->Establish(ScriptedOpen(kRouter)));
    return peer;
  }
  std::string Lookup(absl::string_view address) {
    RoutesQuestion question;
    question.address = std::string(address);
    return *server_->Routes(question);
  }

  // A flow from and to these addresses, of the router; waits until it is accounted.
  void SendFlow(absl::string_view source, absl::string_view destination) {
    GeneratedFlow flow;
    std::copy_n(base::IpAddress::Parse(source)->data() + 12, 4, flow.key.src.begin());
    std::copy_n(base::IpAddress::Parse(destination)->data() + 12, 4, flow.key.dst.begin());
    flow.packets = 1;
    flow.bytes = 1000;
    ExportHeader header;
    header.boot_seconds = static_cast<uint32_t>(absl::ToUnixSeconds(absl::Now())) - 2;
    header.uptime_ms = 2000;
    header.sequence = sent_;
    base::OctetWriter out;
    EncodeNetFlow5(header, {flow}, &out);
    auto endpoint = ParseEndpoint(server_->Status().inputs[0].listen, {EndpointScheme::kUdp});
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    auto sender = UdpSender::New(*endpoint, "udp://127.0.0.2:0");
    ASSERT_TRUE(sender.ok()) << sender.status();
    ASSERT_TRUE((*sender)->Send({std::string(base::AsText(out.octets()))}).ok());
    ++sent_;
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (server_->Status().inputs[0].records < sent_ && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(5));
    }
    ASSERT_EQ(server_->Status().inputs[0].records, sent_);
  }
  std::string Rows() {
    MemoryQuestion question;
    question.pipeline = "p";
    question.since = absl::Hours(1);
    const auto answer = server_->Query(question);
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return "";
    const size_t rows = answer->find("\"rows\": [") + 9;
    return answer->substr(rows, answer->rfind("], \"incomplete\"") - rows);
  }

  std::unique_ptr<Server> server_;
  uint32_t sent_ = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_ROUTES_FIXTURE_H_
