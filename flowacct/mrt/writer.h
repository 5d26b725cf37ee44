// Writes MRT: tables as TABLE_DUMP_V2, messages as BGP4MP_MESSAGE_AS4.
//
//     base::OctetWriter file;
//     Writer writer(&file);
//     writer.WritePeerIndexTable(table);
//     writer.WriteRib(time, family, route, /*add_path=*/false, entries);   // a prefix with all its peers
//     writer.WriteMessage(ends, /*from_local=*/false, /*add_path=*/false, message);
//
// Standards: RFC 6396 (4.3, 4.4), RFC 8050. Attributes come as bgp/attribute_set.h has them and are written in wire
// form with MP_REACH_NLRI's next hop alone (RFC 6396, 4.3.4); IPv4 and IPv6 unicast and multicast have their own
// subtypes, other families are RIB_GENERIC, with path identifiers in the entries as GoBGP and OpenBGPD write them. Of
// several labels the first is written, for bgp::Nlri has no more. A time with a fraction of a second makes BGP4MP_ET.
// Ownership: borrows the octets, to which it appends; the caller takes them away when he likes. Threads: one at a time.
// Errors: what cannot be written is not, and the result tells it. Cost: a copy, some 80 ns an entry.

#ifndef FLOWACCT_MRT_WRITER_H_
#define FLOWACCT_MRT_WRITER_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/mrt/reader.h"

namespace flowacct::mrt {

// A route of one peer; its prefix is the record's.
struct RibRoute {
  uint16_t peer_index = 0;
  absl::Time originated;
  uint32_t path_id = 0;
  base::Octets attributes;  // of bgp/attribute_set.h
};

class Writer {
 public:
  explicit Writer(base::OctetWriter* out) : out_(out) {}

  // False, and nothing is written: more than 65,535 peers or octets of name. Sequence numbers begin anew.
  bool WritePeerIndexTable(const PeerIndexTable& table);
  // How many entries were written: not those whose attributes have more than 65,535 octets, none of a family that is
  // only counted (bgp::NlriShape). More than 65,535 are several records.
  size_t WriteRib(absl::Time time, bgp::Family family, const bgp::Nlri& route, bool add_path,
                  absl::Span<const RibRoute> entries);
  // `message`: whole, of a session with AS numbers of 4 octets.
  void WriteMessage(const Ends& ends, bool from_local, bool add_path, base::Octets message);

 private:
  // Where the length is to be put.
  size_t BeginRecord(absl::Time time, Subtype subtype);
  void EndRecord(size_t length_at);

  base::OctetWriter* const out_;
  base::OctetWriter attributes_;  // scratch
  uint32_t sequence_ = 0;
};

}  // namespace flowacct::mrt

#endif  // FLOWACCT_MRT_WRITER_H_
