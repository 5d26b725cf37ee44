// Bounds, times and knowledge of the own network that correlation works with.

#ifndef FLOWACCT_SESSION_SESSION_OPTIONS_H_
#define FLOWACCT_SESSION_SESSION_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/gtp/values.h"

namespace flowacct::session {

struct SessionOptions {
  // --- Bounds: each refuses what is beyond it, and counts it ---

  // Bearers and PDP contexts: the largest operators' subscribers a region; 8 GB. At most kMaxContexts.
  size_t max_contexts = 20'000'000;
  static constexpr size_t kMaxContexts = size_t{1} << 26;
  // Tunnel endpoints and those that are over but kept: four a context that is seen on two interfaces. At most 2^28.
  size_t max_tunnels = 100'000'000;
  // Addresses of nodes that make or have tunnels: base stations of a nation, three addresses each.
  size_t max_peers = 1'000'000;
  // Requests that wait for their answer: 100,000 a second whose answer takes 2 seconds; 0.8 KB each.
  size_t max_transactions = 200'000;
  // Transactions that are over, but whose messages are known when they come again, for transaction_nanos; beyond it the
  // oldest are forgotten: 16,000 a second for that long, 42 octets each.
  size_t max_answered = 1'000'000;
  // Sessions of which only the request was seen, in transaction_nanos: 1 % of 10,000 creations a second, and some.
  size_t max_assumed = 10'000;
  // Facts of a bearer, and tunnels of an endpoint, that are kept beside what is so now: 60 s of `linger` at a change
  // each few seconds, which no handover outruns.
  size_t max_history = 16;
  // Sessions that had the same address of a subscriber: each APN has a realm of its own, and few have more than that.
  size_t max_leases = 16;
  // Distinct combinations of cells and areas: cells of a nation, each in two or three forms; 150 octets each.
  size_t max_locations = 2'000'000;
  // Names of access points.
  base::InternerOptions texts = {size_t{16} << 20, 128};
  // That nobody has taken yet: some seconds of a busy hour. Records of intervals wait for room, ends are lost.
  size_t max_records = 1'000'000;

  // --- Times ---

  // So long a tunnel, facts and a session that are over are kept for packets that are looked up late: held ones, and
  // flows that an exporter tells about when they end (60 s is the usual active timeout).
  int64_t linger_nanos = 60'000'000'000;
  // So long before a tunnel's creation, or after its end, a packet is still its own: what lies between the two taps of
  // a message and of a packet, and between a node's decision and its message.
  int64_t slack_nanos = 500'000'000;
  // So long a request waits for its answer, and both are known when they come again: T3 times N3 of TS 29.274, 7.6, of
  // usual settings, and some.
  int64_t transaction_nanos = 60'000'000'000;
  // A request to end what is known, which for so long was neither answered nor sent again, was answered, and the answer
  // was not seen: T3 is 3 to 5 s, and who lacks an answer asks again. 0: it never was.
  int64_t assume_nanos = 6'000'000'000;
  // The same of a request that tells of tunnels, which its sender has whatever the answer: long enough for an answer to
  // come, and shorter than packets are held (enrich/sessions). 0: it never was.
  int64_t assume_made_nanos = 1'000'000'000;
  // A session of which one side is deleted waits so long for the other side.
  int64_t closing_nanos = 10'000'000'000;
  // A session that had neither packet nor message for so long was deleted without our seeing it.
  int64_t idle_nanos = int64_t{7} * 86'400'000'000'000;
  // Every session has a record so often; 0: only at its end. An hour is what charging systems use.
  int64_t record_interval_nanos = 3'600'000'000'000;

  // --- The network ---

  // Home networks that are ours: for roaming, and for the length of MNC of our own subscribers; that of others is by
  // gtp/mobile_networks.h.
  std::vector<gtp::Plmn> own_networks;
  // The visited network where messages do not say: by the longest prefix with the peer's address in it (IR.21).
  std::vector<std::pair<base::IpPrefix, gtp::Plmn>> visited_networks;

  // Of the hashes of tables: one that strangers do not know.
  uint64_t seed = 0;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_SESSION_OPTIONS_H_
