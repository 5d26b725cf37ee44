// The inside of a network as files tell of it: captures with IS-IS, topology files, pmacct's igp_daemon_map, and MRT
// with BGP-LS. Each is known by its first octets, or lines.
//
//     auto igp = IgpFiles::Load({{"isis.pcap"}});
//     (*igp)->database().State();
//
// Of a capture counts every LSP whose checksum is right, the newest of each name, with all before it as history; hellos
// tell of neighbours. Authentication is not checked: who reads a capture knows whence it is.
// Ownership: owns all. Threads: one at a time. Errors: a file that cannot be read, that has a wrong line, or whose
// routers are named as another file's are not; Cancelled. Cost: that of reading.

#ifndef FLOWACCT_COLLECTOR_IGP_IGP_FILES_H_
#define FLOWACCT_COLLECTOR_IGP_IGP_FILES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/mrt/mrt_file.h"
#include "flowacct/isis/encapsulation.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/topology/link_state_database.h"
#include "flowacct/topology/topology_file.h"

namespace flowacct::collector {

struct IgpFilesOptions {
  std::vector<std::string> files;
  topology::LinkStateDatabaseOptions database;  // its style is the files'
  // Of senders of hellos, and of LSPs that are remembered to tell which is newer: as many as the database's bound.
  size_t max_speakers = 100'000;
  std::function<bool()> interrupted;                   // may be empty
  std::function<void(const CaptureReader&)> progress;  // may be empty
};

// Who says hello in a capture, by system and level (3: a point-to-point hello of both).
struct HelloSpeaker {
  uint8_t levels = 0;
  bool lan = false;
  isis::SystemId system;
  isis::NodeId lan_id;  // of a LAN: whom it takes for the designated system
  uint8_t priority = 0;
  uint16_t holding_seconds = 0;
  std::string where;  // its Ethernet address, or that of its end of a tunnel
  std::vector<isis::AreaAddress> areas;
  std::vector<base::IpAddress> addresses;
  std::vector<topology::TopologyNumber> topologies;
  std::vector<std::string> sees;  // whom it hears: MAC addresses on a LAN, systems in three-way handshakes
  bool authenticated = false;
  uint64_t hellos = 0;
  int64_t first_nanos = 0, last_nanos = 0;
};

struct IgpFileCounters {
  uint64_t packets = 0, pdus = 0, lsps = 0, malformed_pdus = 0, wrong_checksums = 0, malformed_lsps = 0, older_lsps = 0,
           purges = 0;
  uint64_t beyond_bound = 0;
  std::map<std::string, uint64_t> by_type;  // of PDU
  isis::EncapsulationCounters encapsulations{};
};

class IgpFiles {
 public:
  static absl::StatusOr<std::unique_ptr<IgpFiles>> Load(IgpFilesOptions options);

  const topology::LinkStateDatabase& database() const { return *database_; }
  const std::vector<topology::GroupMember>& groups() const { return groups_; }
  const std::vector<HelloSpeaker>& speakers() const { return speakers_list_; }
  const IgpFileCounters& counters() const { return counters_; }
  // What was read, a line each.
  const std::vector<std::string>& summary() const { return summary_; }

 private:
  struct LspMemory {
    uint32_t sequence = 0;
    bool purged = false;
  };
  using SpeakerKey = std::tuple<isis::SystemId, uint8_t, std::string>;

  explicit IgpFiles(IgpFilesOptions options) : options_(std::move(options)) {}
  absl::Status LoadFile(const std::string& file);
  absl::Status LoadCapture(CaptureReader& reader);
  absl::Status LoadText(const std::string& file, const std::string& text);
  absl::Status LoadMrt(MrtFile& file);
  absl::StatusOr<std::string> Slurp(const std::string& file) const;
  absl::StatusOr<std::string> Head(const std::string& file) const;
  CaptureReaderOptions Reading() const;
  absl::Status SetStyle(topology::NodeStyle style, const std::string& file);
  void TakePdu(const isis::CarriedPdu& carried, int64_t time_nanos);
  void TakeLsp(const isis::PduView& pdu, int64_t time_nanos);
  void TakeHello(const isis::PduView& pdu, const isis::CarriedPdu& carried, int64_t time_nanos);

  const IgpFilesOptions options_;
  std::unique_ptr<topology::LinkStateDatabase> database_;
  std::vector<topology::GroupMember> groups_;
  std::map<std::pair<uint8_t, isis::LspId>, LspMemory> lsps_;
  std::map<SpeakerKey, HelloSpeaker> speakers_;
  std::vector<HelloSpeaker> speakers_list_;
  IgpFileCounters counters_;
  std::vector<std::string> summary_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_IGP_FILES_H_
