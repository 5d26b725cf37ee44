// Remembers what the first fragment of an IP datagram told, so that the later ones, which carry no transport header,
// are accounted with the same ports (what follows a fragment, not a reassembly).
//
// Standards: RFC 791, 3.2 (identified by source, destination, protocol, identification); RFC 8200, 4.5.
// Bounded by construction: a set-associative array of fixed size; a new datagram replaces the oldest of its set.
// Threads: one at a time. Cost: one set (four entries) a fragment; the array is allocated at the first one.

#ifndef FLOWACCT_PACKET_FRAGMENT_TABLE_H_
#define FLOWACCT_PACKET_FRAGMENT_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "flowacct/base/ip_address.h"

namespace flowacct::packet {

struct FragmentTableOptions {
  // Datagrams in flight at once; 64 octets each. Rounded up to a power of two. 0: fragments are not followed.
  size_t max_datagrams = 16384;
  // A first fragment older than this tells nothing of a later one: the identification may have come round again.
  // What RFC 8200, 4.5 gives a reassembly.
  int64_t timeout_nanos = int64_t{60} * 1000 * 1000 * 1000;
};

struct FragmentKey {
  base::IpAddress source;
  base::IpAddress destination;
  uint32_t id = 0;
  uint8_t protocol = 0;  // IPv4: the header's; IPv6: 0, for only the first fragment knows the upper layer

  friend bool operator==(const FragmentKey& a, const FragmentKey& b) {
    return a.id == b.id && a.protocol == b.protocol && a.source == b.source && a.destination == b.destination;
  }
};
// The same in every run, so that a replay gives the same answers.
uint64_t HashFragmentKey(const FragmentKey& key);

// What only the first fragment has.
struct FragmentTransport {
  uint8_t protocol = 0;
  bool has_ports = false;
  bool has_tcp_flags = false;
  bool has_icmp = false;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint16_t tcp_flags = 0;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
};

class FragmentTable {
 public:
  explicit FragmentTable(FragmentTableOptions options = {});

  void Remember(const FragmentKey& key, const FragmentTransport& transport, int64_t time_nanos);
  // Null if the first fragment was not seen, is too old, or was replaced. Valid until the next Remember.
  const FragmentTransport* Find(const FragmentKey& key, int64_t time_nanos) const;

  // Entries that a newer datagram pushed out before their time.
  uint64_t evictions() const { return evictions_; }

 private:
  struct Entry {
    FragmentKey key;
    FragmentTransport transport;
    int64_t time_nanos;
    bool used = false;
  };
  static constexpr size_t kWays = 4;

  bool Expired(const Entry& entry, int64_t time_nanos) const;

  FragmentTableOptions options_;
  size_t sets_ = 0;
  std::unique_ptr<Entry[]> entries_;
  uint64_t evictions_ = 0;
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_FRAGMENT_TABLE_H_
