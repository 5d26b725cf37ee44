// A BGP neighbour that does as a test says, and what a test sees of an engine's routes.

#ifndef FLOWACCT_COLLECTOR_ROUTING_TESTING_SCRIPTED_PEER_H_
#define FLOWACCT_COLLECTOR_ROUTING_TESTING_SCRIPTED_PEER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/message_view.h"
#include "flowacct/bgp/open.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {

// An OPEN of AS 64500 with unicast and VPN families, graceful restart and all the rest.
bgp::Open ScriptedOpen(uint32_t bgp_identifier);

class ScriptedPeer {
 public:
  using Prepare = std::function<void(int descriptor)>;
  // `from`: an address of this machine, or empty. `prepare` is called before it connects.
  explicit ScriptedPeer(const Endpoint& to, absl::string_view from = "", const Prepare& prepare = nullptr);

  bool connected() const { return connected_; }
  // OPEN, KEEPALIVE, and the engine's; false if that ends the connection or does not come.
  bool Establish(const bgp::Open& open);
  // False if the connection does not take it.
  bool Send(base::Octets octets);
  void SendOpen(const bgp::Open& open);
  void SendKeepalive();
  // End-of-RIB.
  void SendEndOfRib(bgp::Family family);
  // The next message, within `patience`; nothing if the engine has closed or says nothing.
  std::optional<std::vector<uint8_t>> Receive(absl::Duration patience = absl::Seconds(10));
  // Skips to a NOTIFICATION: "6/2", with its text behind it if it has one; "closed", "nothing".
  std::string ReceiveNotification(absl::Duration patience = absl::Seconds(10));
  void Close() { socket_.Reset(); }
  // The connection is reset, not ended.
  void Reset();
  int descriptor() const { return socket_.get(); }
  // What the engine's OPEN said; after Establish.
  const bgp::Open& engines_open() const { return engines_open_; }
  // How to write to the engine.
  const bgp::SessionContext& context() const { return context_; }

 private:
  Descriptor socket_;
  bool connected_ = false;
  bool closed_ = false;
  std::vector<uint8_t> input_;
  bgp::Open engines_open_;
  bgp::SessionContext context_;
};

// Waits up to 20 seconds.
bool Eventually(const std::function<bool()>& condition);

// "198.51.100.0/24" or with a path identifier "198.51.100.0/24 7": to "igp as_path 1 2 next_hop ... stale".
using RouteTexts = std::map<std::string, std::string>;
std::string RouteText(const rib::RouteView& route);
// As a reader beside the engine sees them, in the first table that answers for `exporter`.
RouteTexts RoutesOf(const RoutingEngine& engine, absl::string_view exporter, uint64_t rd = 0);
// Of the status: the first of that address; an empty one if there is none.
RoutingPeer PeerOf(RoutingEngine& engine, absl::string_view address);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_TESTING_SCRIPTED_PEER_H_
