// Reads MRT: octets of a file or stream in, split anyhow, and routes, messages and states out.
//
//     Reader reader(&listener);
//     while (...) reader.Read(block);   // or once, with the whole file
//     reader.End();
//
// Standards: RFC 6396 (TABLE_DUMP, TABLE_DUMP_V2, BGP4MP, BGP4MP_ET), RFC 8050 (ADD-PATH); which subtypes:
// subtypes.def.
// Guaranteed: what is told is whole: prefixes without host bits, attributes as bgp/canonicalize.h writes them, BGP
// messages whose header holds to the octets. A record that is damaged is skipped, by its header's length, and counted
// with code and offset; of a RIB record the entries before the damage are told, and one whose attributes RFC 7606
// treats as withdrawn is skipped alone. Not checked: order of sequence numbers and times, whether a route is told
// twice.
// Where practice and standard differ: MP_REACH_NLRI of TABLE_DUMP_V2 may be whole (RFC 6396, 4.3.4 wants the next hop
// alone); RIB_GENERIC_ADDPATH may have path identifiers in its entries as GoBGP and OpenBGPD write it, or in its NLRI
// (RFC 8050, 4), whichever fits the record's length; records that Zebra wrote for a session that was not established
// lack interface, family and addresses.
// Ownership: borrows the listener; what it is told is valid during the call. Threads: one at a time. The listener must
// not call the reader. Errors: OnError and counters(). Bounds: a partial record of at most
// ReaderOptions::max_record_octets, and 65,535 peers. Cost: records that lie whole in a block are read where they lie;
// 10 million RIB entries/s. No allocation a record once the buffers have grown.

#ifndef FLOWACCT_MRT_READER_H_
#define FLOWACCT_MRT_READER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/message_view.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/bgp/session_context.h"
#include "flowacct/bgp/update.h"
#include "flowacct/mrt/record.h"

namespace flowacct::mrt {

struct ReaderOptions {
  // The largest known are RIB records of some 100 KiB (thousand peers of one prefix); 65,535 entries of 255 octets
  // would be 16 MiB. Longer ones are skipped without being kept.
  size_t max_record_octets = size_t{16} << 20;
};

struct Peer {
  base::IpAddress address;
  uint32_t as = 0;
  uint32_t bgp_identifier = 0;  // 0: not told (TABLE_DUMP, BGP4MP)

  friend bool operator==(const Peer& a, const Peer& b) {
    return a.address == b.address && a.as == b.as && a.bgp_identifier == b.bgp_identifier;
  }
};

struct PeerIndexTable {  // RFC 6396, 4.3.1
  absl::Time time;
  uint32_t collector_bgp_identifier = 0;
  absl::string_view view_name;  // as it came
  absl::Span<const Peer> peers;
};

struct RibEntry {
  static constexpr uint32_t kNoIndex = 0xffffffff;

  absl::Time time;                 // of the record
  uint32_t sequence = 0;           // of the record; TABLE_DUMP: 16 bits
  uint32_t peer_index = kNoIndex;  // in the last PEER_INDEX_TABLE; kNoIndex: TABLE_DUMP has none
  Peer peer;
  bgp::Family family = bgp::Family::kOther;
  bgp::Nlri route;
  absl::Time originated;
  base::Octets attributes;  // of bgp/attribute_set.h
};

// The two ends of a session. Addresses are :: where the record has none.
struct Ends {
  absl::Time time;
  Peer peer;
  Peer local;
  uint16_t interface_index = 0;
};

struct BgpMessage {
  Ends ends;
  bool from_local = false;  // the collector sent it (_LOCAL)
  bgp::MessageType type = bgp::MessageType::kKeepalive;
  base::Octets message;         // whole, with its header
  bgp::SessionContext context;  // for bgp::DecodeUpdate
};

enum class FsmState : uint16_t {  // RFC 6396, 4.4.1
  kIdle = 1,
  kConnect = 2,
  kActive = 3,
  kOpenSent = 4,
  kOpenConfirm = 5,
  kEstablished = 6,
};

struct StateChange {
  Ends ends;
  FsmState old_state = FsmState::kIdle;  // others than the named ones as they came
  FsmState new_state = FsmState::kIdle;
};

struct RecordError {
  base::DecodeResult result;  // its offset is from the start of the record
  uint64_t record_offset = 0;
  RecordHeader header;
  Subtype subtype = Subtype::kUnknown;
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual void OnPeerIndexTable(const PeerIndexTable& table) {}
  virtual void OnRibEntry(const RibEntry& entry) {}
  virtual void OnMessage(const BgpMessage& message) {}
  virtual void OnStateChange(const StateChange& change) {}
  virtual void OnError(const RecordError& error) {}
};

struct ReaderCounters {
  uint64_t octets = 0;
  uint64_t records = 0;  // whole ones; each is in one of `subtypes`
  std::array<uint64_t, kSubtypeCount> subtypes{};
  uint64_t peers = 0;
  uint64_t rib_entries = 0;  // told
  uint64_t messages = 0;
  uint64_t state_changes = 0;
  base::DecodeCounters errors;  // kUnsupported: records and families that are only counted
  bgp::UpdateCounters entries;  // faults of the attributes of RIB entries
};

class Reader {
 public:
  explicit Reader(Listener* listener, const ReaderOptions& options = {});
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void Read(base::Octets block);
  // No more comes: what is left of a record is an error. The next Read begins a file of its own, without peers.
  void End();

  const ReaderCounters& counters() const { return counters_; }

 private:
  // Octets of the record at the start of `rest`, 0 if that is not known yet.
  static size_t RecordOctets(base::Octets rest);
  void ReadRecord(base::Octets record);
  void ReadTableDump(base::Octets record, const SubtypeRow& row);
  void ReadPeerIndexTable(base::Octets record);
  void ReadRib(base::Octets record, const SubtypeRow& row);
  void ReadRibGeneric(base::Octets record, const SubtypeRow& row);
  void ReadEntries(base::Octets record, size_t at, bool add_path, bgp::Family family, uint32_t sequence);
  void ReadBgp4mp(base::Octets record, const SubtypeRow& row, size_t at);
  void TellEntry(base::Octets attributes, size_t at, bool as4);
  void Error(base::DecodeCode code, size_t offset);

  Listener* const listener_;
  const ReaderOptions options_;
  ReaderCounters counters_;
  std::vector<uint8_t> partial_;  // the start of a record
  uint64_t skip_ = 0;             // octets of a record that is too long
  uint64_t offset_ = 0;           // of the record at hand
  RecordHeader header_;
  Subtype subtype_ = Subtype::kUnknown;
  bool has_peers_ = false;
  std::vector<Peer> peers_;
  RibEntry entry_;
  bgp::Update update_;
  std::vector<uint8_t> attributes_;
};

}  // namespace flowacct::mrt

#endif  // FLOWACCT_MRT_READER_H_
