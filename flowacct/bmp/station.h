// The monitoring station's side of one router's BMP stream: octets in, split anyhow, and peers, updates and statistics
// out.
//
//     Station station(options, &listener);
//     station.Receive(octets);              // as they come; false: the stream cannot be followed, close it
//     station.End();                        // it was closed: every peer is down
//
// Standards: RFC 7854, RFC 8671 (Adj-RIB-Out), RFC 9069 (Loc-RIB), RFC 9736, version 4 of draft-ietf-grow-bmp-tlv (an
// UPDATE for each message; Group TLVs are passed over). BMP is one-way: nothing is sent. There are no timers, so no
// time enters; events have the router's.
// Guaranteed: every OnUpdate, OnPeerDown and OnStatistics is of a peer of which OnPeerUp told before and no OnPeerDown
// since; each peer's OnPeerDown comes once, at the latest from End. An UPDATE is read with AS numbers as the A flag of
// its own header says and ADD-PATH as both OPENs agreed, in the direction of the RIB: Adj-RIB-Out is what the router
// sends.
// Where practice and standard differ: a peer of which a message comes before its Peer Up, as captures and restarted
// stations see it, is up from then on (PeerUp::told is false), without ADD-PATH; a Peer Up of a peer that is up
// replaces what it agreed on; an AS_PATH that is malformed with AS numbers of 4 octets is tried with 2, which FRR
// writes without the A flag; routes may lack NEXT_HOP (FRR's after policy) or AS_PATH (GoBGP's own), and come without.
// Ownership: borrows the listener; what events borrow is valid during the call. Threads: one at a time. The listener
// must not call the station.
// Errors: OnError and counters(); a message that is malformed is skipped by its length. What ends a stream: another
// version, a length below the header's or beyond the bound. Bounds: StationOptions; one partial message, some 120
// octets a peer. Cost: messages that lie whole in what is received are read where they lie; see the README.

#ifndef FLOWACCT_BMP_STATION_H_
#define FLOWACCT_BMP_STATION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/open.h"
#include "flowacct/bgp/session_context.h"
#include "flowacct/bgp/update.h"
#include "flowacct/bmp/message_view.h"

namespace flowacct::bmp {

struct StationOptions {
  // Route Monitoring has at most 65,535 octets of BGP; mirrored messages may be several.
  size_t max_message_octets = size_t{1} << 20;
  // Sessions of one router, those of VRFs too, and Loc-RIBs.
  size_t max_peers = 8192;
  // Of the router's name and description, which are kept.
  size_t max_name_octets = 255;
};

// What tells peers apart on the wire (RFC 7854, 4.2; RFC 9069, 4).
struct PeerKey {
  PeerType type = PeerType::kGlobalInstance;
  uint64_t distinguisher = 0;
  base::IpAddress address;

  friend bool operator==(const PeerKey& a, const PeerKey& b) {
    return a.type == b.type && a.distinguisher == b.distinguisher && a.address == b.address;
  }
  template <typename H>
  friend H AbslHashValue(H h, const PeerKey& k) {
    return H::combine(std::move(h), k.type, k.distinguisher, k.address);
  }
};

struct MonitoredPeer {
  uint32_t index = 0;  // below max_peers, its own while it is up
  PeerKey key;
  uint32_t as = 0;
  uint32_t bgp_identifier = 0;
};

struct PeerUp {
  const MonitoredPeer& peer;
  absl::Time time;
  bool told = true;       // by a Peer Up; else it is only known from another message, and the rest is empty
  bool repeated = false;  // it was up already
  base::IpAddress local_address;
  uint16_t local_port = 0, remote_port = 0;
  const bgp::Open* sent = nullptr;      // by the router; null: malformed
  const bgp::Open* received = nullptr;  // null: malformed
  bool filtered = false;                // a Loc-RIB of which not all is told (RFC 9069, 4)
  absl::string_view table_name;         // VRF/Table Name
  absl::string_view admin_label;
  base::Octets information;  // all TLVs
};

struct PeerDown {
  const MonitoredPeer& peer;
  absl::Time time;  // the epoch: kStreamEnded
  PeerDownReason reason = PeerDownReason::kStreamEnded;
  base::Octets notification;  // whole; bgp::ReadNotification
  uint16_t fsm_event = 0;
};

struct RouteUpdate {
  const MonitoredPeer& peer;
  absl::Time time;
  RibKind rib = RibKind::kAdjRibIn;
  bool post_policy = false;
  absl::string_view table_name;  // version 4
  const bgp::Update& update;     // End-of-RIB and errors too
  base::Octets message;          // what it was decoded from
};

struct StatisticsReport {
  const MonitoredPeer& peer;
  absl::Time time;
  RibKind rib = RibKind::kAdjRibIn;
  bool post_policy = false;
  absl::Span<const Statistic> statistics;
};

struct Mirrored {
  const MonitoredPeer& peer;
  absl::Time time;
  base::Octets message;      // a BGP message as the router got it; empty: only information
  bool errored_pdu = false;  // the router took it for malformed
  bool messages_lost = false;
};

struct StreamError {
  base::DecodeResult result;  // its offset is from the start of the message
  uint64_t message_offset = 0;
  MessageType type = MessageType::kInitiation;
};

class Listener {
 public:
  virtual ~Listener() = default;
  // After each Initiation; `name` is sysName.
  virtual void OnRouter(absl::string_view name, absl::string_view description) {}
  virtual void OnPeerUp(const PeerUp& up) {}
  virtual void OnPeerDown(const PeerDown& down) {}
  virtual void OnUpdate(const RouteUpdate& update) {}
  virtual void OnStatistics(const StatisticsReport& report) {}
  virtual void OnMirrored(const Mirrored& mirrored) {}
  // The router is about to close; `text` as it came.
  virtual void OnTermination(TerminationReason reason, absl::string_view text) {}
  virtual void OnError(const StreamError& error) {}
};

struct StationCounters {
  uint64_t octets = 0;
  std::array<uint64_t, kMessageTypeCount> messages{};
  uint64_t version4 = 0;          // of the messages
  uint64_t unknown_messages = 0;  // types without a row, skipped
  uint64_t peers_up = 0;
  uint64_t peers_down = 0;
  uint64_t peers_untold = 0;   // up without a Peer Up
  uint64_t peers_refused = 0;  // messages of peers beyond max_peers
  uint64_t unknown_peers_down = 0;
  uint64_t malformed_opens = 0;
  uint64_t as2_tried = 0;    // UPDATEs whose AS_PATH did not hold to the A flag, read once more
  uint64_t not_updates = 0;  // Route Monitoring with another BGP message
  base::DecodeCounters errors;
  bgp::UpdateCounters updates;
};

class Station {
 public:
  explicit Station(const StationOptions& options, Listener* listener);
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;

  // False once the stream cannot be followed: nothing more is read, and the caller closes it and calls End.
  bool Receive(base::Octets octets);
  // Tells that every peer is down. The next Receive begins a stream of its own.
  void End();

  bool closed() const { return closed_; }
  absl::string_view router_name() const { return name_; }
  size_t peers() const { return index_.size(); }
  const StationCounters& counters() const { return counters_; }

 private:
  struct Peer {
    MonitoredPeer shown;
    bgp::FamilySet add_path_in;   // of Adj-RIB-In and Loc-RIB
    bgp::FamilySet add_path_out;  // of Adj-RIB-Out
  };

  void ReadMessage(base::Octets message, MessageType type);
  void ReadInitiation(base::Octets message);
  void ReadTermination(base::Octets message);
  void TellPeerUp(base::Octets message, const PerPeerHeader& header);
  void TellPeerDown(base::Octets message, const PerPeerHeader& header);
  void TellUpdate(base::Octets message, const PerPeerHeader& header);
  void TellStatistics(base::Octets message, const PerPeerHeader& header);
  void TellMirrored(base::Octets message, const PerPeerHeader& header);
  // The peer of a header, made if it is not there; null: there are too many.
  Peer* PeerOf(const PerPeerHeader& header, bool* added);
  // The same for messages other than Peer Up: told of if it was not there.
  Peer* KnownPeer(const PerPeerHeader& header);
  void Remove(const PeerKey& key);
  void Error(base::DecodeResult result);

  const StationOptions options_;
  Listener* const listener_;
  StationCounters counters_;
  std::vector<uint8_t> partial_;  // the start of a message
  uint64_t offset_ = 0;           // of the message at hand
  MessageType type_ = MessageType::kInitiation;
  bool closed_ = false;
  std::string name_, description_;
  std::vector<Peer> peers_;
  std::vector<uint32_t> free_;
  absl::flat_hash_map<PeerKey, uint32_t> index_;
  bgp::Update update_;
  std::vector<Statistic> statistics_;
};

}  // namespace flowacct::bmp

#endif  // FLOWACCT_BMP_STATION_H_
