// Puts IP fragments together again: for those who need the payload, such as export datagrams that were fragmented on
// their way. Accounting does not need it (fragment_table.h).
//
// Standards: RFC 791, 3.2 and RFC 8200, 4.5. Overlaps: IPv6 drops the datagram and what still comes of it (RFC 5722);
// IPv4 keeps the octets that came first. An exact duplicate of a fragment is ignored (RFC 8200, 4.5).
// Ownership: owns copies of what waits; a whole payload is lent until the next call.
// Threads: one at a time. Bounded in datagrams, octets and time; every bound that bites is counted.
// Cost: one hash look-up and one copy a fragment; buffers are kept and used again.

#ifndef FLOWACCT_PACKET_REASSEMBLER_H_
#define FLOWACCT_PACKET_REASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/packet/fragment_table.h"
#include "flowacct/packet/packet_view.h"

namespace flowacct::packet {

struct ReassemblerOptions {
  // Datagrams that wait at once. Exporters that fragment do so one datagram at a time; this is thousands of them.
  size_t max_datagrams = 4096;
  // Octets that wait at once, over all datagrams.
  size_t max_octets = size_t{16} << 20;
  // Fragments of one datagram: 65535 octets over the smallest IPv4 MTU (68) would be 1366; real ones have under 50.
  size_t max_fragments = 256;
  // RFC 791 suggests 15 s, RFC 8200 demands 60 s, hosts use 30 s.
  int64_t timeout_nanos = int64_t{30} * 1000 * 1000 * 1000;
};

struct ReassemblerCounters {
  uint64_t fragments = 0;            // handed in
  uint64_t reassembled = 0;          // datagrams that became whole
  uint64_t duplicates = 0;           // fragments that brought nothing new
  uint64_t overlaps = 0;             // fragments that overlapped others
  uint64_t dropped_overlapping = 0;  // IPv6 datagrams dropped for it (RFC 5722)
  uint64_t malformed = 0;  // fragments that cannot be: beyond 65535, not a multiple of 8, two ends, cut by the capture
  uint64_t timeouts = 0;   // datagrams that never became whole
  uint64_t limit_exceeded = 0;  // datagrams dropped because a bound was met
};

// One fragment of the outermost IP packet.
struct IpFragment {
  base::IpAddress source;
  base::IpAddress destination;
  uint32_t id = 0;
  uint8_t protocol = 0;  // of the payload's first octets (IPv6: the fragment header's next header)
  uint8_t version = 4;
  bool more = false;
  uint32_t offset = 0;     // in octets
  base::Octets payload;    // borrowed from the packet
  bool truncated = false;  // the capture lacks a part of it
};
// False if the outermost IP packet is whole, or its fragment header was cut.
bool FindFragment(const PacketView& view, IpFragment* fragment);

struct ReassembledPacket {
  base::IpAddress source;
  base::IpAddress destination;
  uint8_t protocol = 0;
  uint8_t version = 4;
  base::Octets payload;  // the whole IP payload; valid until the next call of the reassembler
};
// The UDP datagram in it (IPv6: after destination options too); false if there is none, or its length says more.
bool FindUdp(const ReassembledPacket& packet, UdpDatagram* datagram);

class Reassembler {
 public:
  explicit Reassembler(ReassemblerOptions options = {});
  Reassembler(const Reassembler&) = delete;
  Reassembler& operator=(const Reassembler&) = delete;

  // True if this fragment made its datagram whole; then `whole` has it. Time goes forward or stays, roughly; what is
  // overdue by `time_nanos` is dropped first.
  bool Add(const IpFragment& fragment, int64_t time_nanos, ReassembledPacket* whole);
  // Drops what is overdue; also done by Add.
  void Expire(int64_t time_nanos);

  const ReassemblerCounters& counters() const { return counters_; }
  size_t waiting_datagrams() const { return waiting_.size(); }
  size_t waiting_octets() const { return waiting_octets_; }

 private:
  struct Range {
    uint32_t begin, end;
  };
  struct Datagram {
    FragmentKey key;
    int64_t first_nanos = 0;
    uint8_t protocol = 0;
    bool poisoned = false;  // an IPv6 overlap: takes no more (RFC 5722)
    uint32_t total = 0;     // 0: the last fragment has not come
    std::vector<uint8_t> octets;
    std::vector<Range> ranges;  // received, sorted, not touching
    size_t fragments = 0;
  };
  struct KeyHash {
    size_t operator()(const FragmentKey& key) const { return HashFragmentKey(key); }
  };
  using Waiting = std::list<Datagram>;  // oldest first

  Datagram* FindOrStart(const FragmentKey& key, int64_t time_nanos);
  void Drop(Waiting::iterator datagram);
  void Poison(Datagram* datagram);

  ReassemblerOptions options_;
  ReassemblerCounters counters_;
  Waiting waiting_;
  Waiting spare_;  // emptied, their memory kept; also holds the one lent out
  absl::flat_hash_map<FragmentKey, Waiting::iterator, KeyHash> index_;
  size_t waiting_octets_ = 0;
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_REASSEMBLER_H_
