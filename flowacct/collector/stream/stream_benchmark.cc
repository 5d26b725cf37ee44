// What it costs to take a message from a connection: bazel run --config=opt
// //flowacct/collector/stream:stream_benchmark
//
// Sent in the same thread, outside of the time that counts, as much as a socket holds. An item is a message.

#include <fcntl.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/connection/connection.h"
#include "flowacct/collector/connection/testing/certificates.h"
#include "flowacct/collector/connection/tls_context.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/stream/stream_client.h"
#include "flowacct/collector/stream/stream_listener.h"

namespace flowacct::collector {
namespace {

constexpr size_t kMessageOctets = 1400;
constexpr size_t kMessages = 100;

void Receive(benchmark::State& state, bool with_tls) {
  CertificateFolder folder;
  const CertificateFiles authority = folder.NewAuthority("authority");
  const CertificateFiles files = folder.NewCertificate("server", authority, {"", "127.0.0.1"});
  TlsOptions tls;
  tls.certificate_file = files.certificate_file;
  tls.key_file = files.key_file;
  tls.ca_file = authority.certificate_file;
  StreamListenerOptions options;
  options.address = with_tls ? "tls://127.0.0.1:0" : "tcp://127.0.0.1:0";
  if (with_tls) options.tls = *TlsContext::New(TlsRole::kServer, tls);
  auto group = StreamListener::NewGroup(options, 1);
  if (!group.ok()) return state.SkipWithError(group.status().ToString().c_str());
  StreamListener* listener = group->listeners[0].get();
  const Endpoint endpoint = listener->endpoint();

  Descriptor socket = ConnectTo(endpoint);
  const int buffer = 4 << 20;
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
  fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  std::unique_ptr<Connection> client =
      with_tls ? NewTlsConnection(std::move(socket), *TlsContext::New(TlsRole::kClient, tls), endpoint.address)
               : NewTcpConnection(std::move(socket));
  std::string stream;
  for (uint32_t i = 0; i < kMessages; ++i) stream += IpfixMessage(i, kMessageOctets);
  // Both take turns until hands are shaken.
  while (client->Handshake().code != IoCode::kOk || listener->counters().accepted == 0) listener->Receive();

  uint64_t messages = 0;
  for (auto _ : state) {
    state.PauseTiming();
    absl::string_view rest = stream;
    while (!rest.empty()) {
      const IoResult wrote = client->Write(base::AsOctets(rest));
      if (wrote.code == IoCode::kFailed) return state.SkipWithError("cannot be sent");
      rest.remove_prefix(wrote.octets);
    }
    state.ResumeTiming();
    for (size_t got = 0; got < kMessages;) {
      const StreamBatch batch = listener->Receive();
      got += batch.messages.size();
      messages += batch.messages.size();
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(messages));
  state.SetBytesProcessed(static_cast<int64_t>(messages * kMessageOctets));
}

void BM_ReceiveTcp(benchmark::State& state) { Receive(state, false); }
BENCHMARK(BM_ReceiveTcp);
void BM_ReceiveTls(benchmark::State& state) { Receive(state, true); }
BENCHMARK(BM_ReceiveTls);

}  // namespace
}  // namespace flowacct::collector

BENCHMARK_MAIN();
