// An octet that says how the stream is split, then the stream of a neighbour, from its OPEN on.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/time/time.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/session.h"

namespace flowacct::bgp {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

class Checker : public SessionListener {
 public:
  void OnEstablished(const SessionContext&, const Open& peer) override {
    Require(!established && peer.as != 0 && peer.bgp_identifier != 0);
    established = true;
  }
  void OnUpdate(const Update& update, base::Octets) override {
    Require(established && closings == 0 && update.action() != ErrorAction::kSessionReset);
  }
  void OnEndOfRib(Family) override { Require(established && closings == 0); }
  void OnRouteRefresh(Family, RouteRefreshSubtype) override { Require(established && closings == 0); }
  void OnClosed(const SessionClosed& closed) override {
    Require(++closings == 1);
    Require(closed.was_established == established);
  }
  bool established = false;
  int closings = 0;
};

}  // namespace
}  // namespace flowacct::bgp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct::bgp;
  if (size == 0) return 0;
  const size_t piece = data[0] % 64 == 0 ? size : data[0] % 64;
  SessionOptions options;
  options.local_as = (data[0] & 64) != 0 ? 64500 : 0;
  options.family_disable = (data[0] & 128) != 0;
  Checker checker;
  Session session(options, &checker);
  absl::Time now = absl::FromUnixSeconds(1700000000);
  session.Start(now);
  for (size_t at = 1; at < size; at += piece) {
    session.Receive(flowacct::base::Octets(data + at, std::min(piece, size - at)), now);
    now += absl::Milliseconds(100);
    session.Tick(now);
    Require(session.output().size() <= 3 * kMaxMessageOctets);
    Require(session.closed() == (checker.closings == 1));
  }
  // What was sent is whole messages.
  flowacct::base::Octets rest = session.output();
  while (!rest.empty()) {
    const MessageBoundary next = NextMessage(rest, kMaxMessageOctets);
    Require(next.code == flowacct::base::DecodeCode::kOk);
    rest.remove_prefix(next.length);
  }
  session.ConnectionLost(now);
  Require(session.closed() && checker.closings == 1);
  return 0;
}
