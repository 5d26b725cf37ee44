// Builds MRT records for tests, right or wrong.
//
//     RecordBuilder file;
//     file.Record(13, 2, body);           // a header whose length fits
//
// Ownership: octets() is valid until the next call.

#ifndef FLOWACCT_MRT_TESTING_RECORD_BUILDER_H_
#define FLOWACCT_MRT_TESTING_RECORD_BUILDER_H_

#include <cstdint>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/mrt/reader.h"

namespace flowacct::mrt::testing {

inline constexpr uint32_t kTestSeconds = 1700000000;

class RecordBuilder {
 public:
  RecordBuilder& Record(uint16_t type, uint16_t subtype, base::Octets body) {
    out_.U32(kTestSeconds).U16(type).U16(subtype).U32(static_cast<uint32_t>(body.size())).Bytes(body);
    return *this;
  }
  base::Octets octets() const { return out_.octets(); }

 private:
  base::OctetWriter out_;
};

inline void PutAddress(const base::IpAddress& address, base::OctetWriter* out) {
  out->Bytes(address.IsV4() ? address.octets().subspan(12) : address.octets());
}

// The body of a PEER_INDEX_TABLE.
std::vector<uint8_t> PeerIndexBody(const std::vector<Peer>& peers);

struct BuiltEntry {
  uint16_t peer_index;
  uint32_t path_id;
  std::vector<uint8_t> attributes;
};
// What follows the prefix of a RIB record: a count and entries.
void PutEntries(const std::vector<BuiltEntry>& entries, bool add_path, base::OctetWriter* out);

// What comes before the message or states of a BGP4MP record.
void PutEnds(const Peer& peer, const Peer& local, bool as4, base::OctetWriter* out);

// One record of every subtype of subtypes.def, and some of other types: what a reader must be able to take.
std::vector<uint8_t> EverySubtype();

}  // namespace flowacct::mrt::testing

#endif  // FLOWACCT_MRT_TESTING_RECORD_BUILDER_H_
