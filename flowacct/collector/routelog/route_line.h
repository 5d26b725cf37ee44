// What happens to routes as lines of JSON, in the shape in which pmacct's daemons log and dump them.
//
//     RouteLineWriter writer(absl::UTCTimeZone());
//     writer.Begin(source, RouteLineKind::kUpdate, time, router_time);
//     writer.SetFamily(1, 1);
//     writer.SetAttributes(bgp::AttributeSetView(octets));
//     writer.Append(seq, route, &out);                    // for each route: {"seq": 7, "log_type": "update", ...}\n
//
// Names, order and forms of values are pmacct 1.7.7's (README.md has where they differ); keys whose value is not known
// are left out. Guaranteed: each line is one object (RFC 8259) in ASCII or UTF-8, whatever came from outside; no key
// comes twice. Ownership: a source is borrowed from Begin to the next one. Threads: each writer is one thread's.
// Errors: none. Cost: some 300 ns a line; what lines have in common is written once for all of them.

#ifndef FLOWACCT_COLLECTOR_ROUTELOG_ROUTE_LINE_H_
#define FLOWACCT_COLLECTOR_ROUTELOG_ROUTE_LINE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/bmp/station.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {

// Who tells: a neighbour in a session, or a router of which of its tables and neighbours by BMP.
struct RouteSource {
  base::IpAddress peer;
  uint16_t port = 0;       // of the session
  base::IpAddress router;  // BMP's; :: of a session
  rib::RibView view = rib::RibView::kSession;
  uint64_t rd = 0;        // of the router's table
  bool filtered = false;  // not all of a Loc-RIB (RFC 9069, 4)

  bool monitored() const { return view != rib::RibView::kSession; }
  // Whose files its lines are in.
  const base::IpAddress& teller() const { return monitored() ? router : peer; }
};

// name, log_type, event_type, BMP's message type
#define FLOWACCT_ROUTE_LINE_KINDS(X)                                  \
  X(kUpdate, "update", "log", "route_monitor")                        \
  X(kWithdraw, "withdraw", "log", "route_monitor")                    \
  X(kDelete, "delete", "log", "internal") /* it went with its peer */ \
  X(kDump, "", "dump", "route_monitor")
enum class RouteLineKind : uint8_t {
#define X(name, log_type, event_type, message_type) name,
  FLOWACCT_ROUTE_LINE_KINDS(X)
#undef X
};

struct LoggedRoute {
  base::IpAddress address;
  uint8_t length = 0;
  bool v6 = false;
  bool has_path_id = false;
  uint32_t path_id = 0;
  uint64_t rd = 0;  // its own; 0: none
  bool has_label = false;
  uint32_t label = 0;
};

class RouteLineWriter {
 public:
  explicit RouteLineWriter(absl::TimeZone zone) : zone_(zone) {}

  // `time`: the collector's, or of the dump; `router_time`: what BMP says when it was.
  void Begin(const RouteSource& source, RouteLineKind kind, absl::Time time, absl::Time router_time);
  void SetFamily(uint16_t afi, uint8_t safi);
  void SetAttributes(bgp::AttributeSetView attributes);
  void ClearAttributes() { attributes_.clear(); }
  void Append(uint64_t seq, const LoggedRoute& route, std::string* out) const;

 private:
  const absl::TimeZone zone_;
  const RouteSource* source_ = nullptr;
  std::string head_, event_, family_, attributes_, tail_;
};

// {"seq": 0, "timestamp": ..., "peer_ip_src": ..., "event_type": "log_init"}\n and "log_close".
void AppendLogBoundary(const RouteSource& source, absl::string_view event_type, uint64_t seq, absl::Time time,
                       absl::TimeZone zone, std::string* out);
// "dump_init", with the seconds between dumps.
void AppendDumpInit(const RouteSource& source, uint64_t seq, absl::Time time, int64_t period_seconds,
                    absl::TimeZone zone, std::string* out);
// "dump_close"; of sessions with how many routes were told.
void AppendDumpClose(const RouteSource& source, uint64_t seq, absl::Time time, uint64_t entries, absl::TimeZone zone,
                     std::string* out);

// What a stranger says at length in a Peer Up is told in part: routers send a few TLVs, of names.
inline constexpr size_t kMaxToldTlvs = 64;
inline constexpr size_t kMaxToldTlvOctets = 255;

// What BMP says besides routes: lines without their beginning, `{"event_type": "log", "seq": N`, each with its end.
void AppendInitiation(const base::IpAddress& router, absl::string_view name, absl::string_view description,
                      absl::Time time, absl::TimeZone zone, std::string* out);
// Nothing of a peer of which no Peer Up told.
void AppendPeerUp(const base::IpAddress& router, const bmp::PeerUp& up, absl::Time time, absl::TimeZone zone,
                  std::string* out);
// Nothing of one that went with its router's connection.
void AppendPeerDown(const base::IpAddress& router, const bmp::PeerDown& down, absl::Time time, absl::TimeZone zone,
                    std::string* out);
// A line for each counter. `filtered`: as its Peer Up said.
void AppendStatistics(const base::IpAddress& router, const bmp::StatisticsReport& report, bool filtered,
                      absl::Time time, absl::TimeZone zone, std::string* out);

// "internet 64500:7 no-export", ascending, each once.
void AppendCommunities(bgp::Communities communities, std::string* out);
// "RT:64500:99 SoO:192.0.2.1:7 EC:0x4004fbf4461c4000", so.
void AppendExtendedCommunities(bgp::ExtendedCommunities communities, std::string* out);
// "4200000001:1:2", so.
void AppendLargeCommunities(bgp::LargeCommunities communities, std::string* out);
// "0:64500:7", "1:192.0.2.1:7", "2:4200000000:7", for other types "T:0x000000000000".
void AppendRouteDistinguisher(uint64_t rd, std::string* out);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTELOG_ROUTE_LINE_H_
