// What a running collector tells of itself: plain values, consistent at one moment for each worker. Metrics, the API,
// `flowacct status` and `flowacct top` show nothing else.
//
// The accounting identity, which holds exactly at any time:
//     of an input      received = refused by reason + not sampled + aside + decoded by result, and those dropped by the
//     kernel beside of a pipeline    records in = dropped by rules + filtered + aggregated + late;  overflowed is part
//     of aggregated of a sink        batches handed over = written + waiting + dropped + failed

#ifndef FLOWACCT_COLLECTOR_SERVER_COLLECTOR_STATUS_H_
#define FLOWACCT_COLLECTOR_SERVER_COLLECTOR_STATUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/collector/validation/validation_status.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

struct InputStatus {
  std::string name;
  std::string kind;    // "udp", "stream", "interface", "nflog", "captures", "kafka"
  std::string listen;  // addresses, devices or paths, by commas
  bool up = true;
  std::string trouble;  // why not, or what is less than asked; empty: all is well
  // What came: datagrams of exports, messages of streams, or packets.
  uint64_t received = 0;
  uint64_t received_octets = 0;
  uint64_t kernel_dropped = 0;  // before we saw them
  // Of the received.
  uint64_t refused_not_allowed = 0;
  uint64_t refused_rate = 0;
  uint64_t refused_budget = 0;
  uint64_t truncated = 0;    // longer than the buffer
  uint64_t not_sampled = 0;  // packets that were left out, as was asked
  // Packets of captures of exports that carried no whole datagram; messages of Kafka that were not to be decoded.
  uint64_t aside = 0;
  base::DecodeCounters decoded;  // the rest by result; kOk: whole
  uint64_t records = 0;          // rows that went to pipelines
  // Connections of streams.
  uint64_t connections_open = 0;
  uint64_t connections_accepted = 0;
  uint64_t connections_refused = 0;
  uint64_t connections_failed = 0;  // closed for what they sent, or in their handshake
  // Of a meter: flows in the cache, and ended early for want of room.
  uint64_t meter_flows = 0;
  uint64_t meter_evicted = 0;
  // Of Kafka. Messages that are aside: parts of batches that had come already, datagrams of which nobody says whose
  // they are, and what is too large or empty.
  uint64_t kafka_repeated = 0;
  uint64_t kafka_without_exporter = 0;
  uint64_t kafka_unfit = 0;
  uint64_t kafka_errors = 0;
  uint64_t kafka_commits = 0;
  uint64_t kafka_commits_failed = 0;
  uint64_t kafka_partitions_taken = 0;
  uint64_t kafka_partitions_given = 0;
  uint64_t kafka_partitions_lost = 0;  // taken away: what was not committed of them is read by another, too
};

struct SinkStatus {
  std::string name;  // "print", "print 2"; one that answers questions begins with "memory"
  uint64_t batches = 0;
  uint64_t written = 0;
  uint64_t waiting = 0;
  uint64_t spooled = 0;  // of the waiting: on disk
  uint64_t spool_octets = 0;
  uint64_t dropped = 0;  // batches: the queue was full, or the spool
  uint64_t failed = 0;   // batches that the sink refused
  uint64_t rows_written = 0;
  uint64_t rows_lost = 0;  // of the dropped and failed, and of the written what did not get through
  std::string last_error;
};

struct EnrichmentCounter {
  std::string enricher;  // "rules"
  std::string counter;   // "dropped"
  uint64_t value = 0;
};

struct PipelineStatus {
  std::string name;
  uint64_t records_in = 0;
  uint64_t records_dropped = 0;  // by rules or as duplicates
  uint64_t records_held = 0;     // now, for what may still be told of them
  uint64_t records_filtered = 0;
  uint64_t records_aggregated = 0;
  uint64_t records_overflowed = 0;
  uint64_t records_late = 0;
  uint64_t open_groups = 0;
  uint64_t open_octets = 0;
  uint64_t bins_closed = 0;
  uint64_t corrections = 0;
  // What the aggregated records sum to; not scaled back.
  uint64_t packets = 0;
  uint64_t bytes = 0;
  std::vector<SinkStatus> sinks;
  // Of its enrichers, which pipelines with the same inputs, sampling and enrichment share.
  std::vector<EnrichmentCounter> enrichment;
};

struct ReplicaReceiverStatus {
  std::string to;
  uint64_t sent = 0;
  uint64_t dropped = 0;
  uint64_t errors = 0;
};

struct ReplicaStatus {
  std::string name;
  std::vector<ReplicaReceiverStatus> receivers;
};

// A BGP neighbour that is up, or whose routes are kept as stale ones.
struct BgpPeerStatus {
  std::string peer;  // its address
  uint32_t as = 0;
  std::string router_id;
  bool up = false;
  uint64_t ipv4_paths = 0;
  uint64_t ipv6_paths = 0;
  uint64_t stale_paths = 0;
  uint64_t updates = 0;
  uint64_t withdrawals = 0;
  uint64_t erroneous_updates = 0;
  uint64_t refused_paths = 0;  // beyond a bound
};

// A router that is connected by BMP.
struct BmpRouterStatus {
  std::string router;   // its address
  std::string name;     // as it calls itself
  uint64_t tables = 0;  // of which it tells: neighbours and Loc-RIBs
  uint64_t messages = 0;
  uint64_t octets = 0;
  uint64_t errors = 0;
  uint64_t refused_updates = 0;  // of tables beyond a bound
};

// All zero without BMP.
struct BmpStatus {
  uint64_t connected = 0;
  uint64_t connections_accepted = 0;
  uint64_t connections_refused = 0;
  uint64_t connections_replaced = 0;  // by another one of the same router
  uint64_t tables = 0;
  uint64_t messages = 0;  // this and what follows of routers that are gone, too
  uint64_t octets = 0;
  uint64_t errors = 0;
  uint64_t refused_updates = 0;  // of tables beyond a bound
  std::vector<BmpRouterStatus> routers;
};

// A log of what is said of routes, and dumps of them.
struct RouteLogStatus {
  std::string name;      // "bgp"
  uint64_t lines = 0;    // in the message log
  uint64_t dropped = 0;  // lines: the disk was too slow
  uint64_t lost = 0;     // lines, for an error
  uint64_t errors = 0;
  uint64_t open_files = 0;
  uint64_t queued_octets = 0;
  uint64_t dumps = 0;
  uint64_t failed_dumps = 0;
  uint64_t dump_lines = 0;  // of the last dump
  double dump_seconds = 0;  // that it took
  absl::Time last_dump = absl::InfinitePast();
  std::string last_error;  // that lasts
};

struct GtpEvent {
  std::string event;  // "path_changes"
  uint64_t value = 0;
};

// All zero without `gtp`.
struct GtpStatus {
  uint64_t contexts = 0;  // bearers and PDP contexts, with those that linger
  uint64_t transactions = 0;
  uint64_t octets = 0;  // of all tables
  base::DecodeCounters decoded;
  uint64_t elements_unreadable = 0;
  std::vector<GtpEvent> events;  // session::SessionCounters
};

// A count by its name: "lsp_new", "gre_version".
struct IgpCount {
  std::string name;
  uint64_t value = 0;
};

struct IgpCircuitStatus {
  std::string circuit;
  uint64_t adjacencies_1 = 0;  // that are up, of level 1
  uint64_t adjacencies_2 = 0;
  uint64_t sent = 0;
  uint64_t not_sent = 0;         // the system would not
  std::vector<IgpCount> frames;  // received, by what was in them
  std::vector<IgpCount> pdus;    // of these, by what became of them
};

// All zero without `igp`.
struct IgpStatus {
  std::vector<IgpCircuitStatus> circuits;
  std::vector<IgpCount> events;  // of IS-IS
  uint64_t advertisements = 0;   // LSPs, and routers of BGP-LS and files
  uint64_t kept = 0;             // of these: from before a restart, and not told again yet
  uint64_t shadowed = 0;         // told by a source that counts less than another
  uint64_t refused = 0;          // beyond a bound
  uint64_t octets = 0;
  uint64_t history_octets = 0;
  uint64_t routers_1 = 0;  // nodes of the standard topology, with pseudonodes
  uint64_t routers_2 = 0;
  uint64_t links_1 = 0;  // directions
  uint64_t links_2 = 0;
  uint64_t prefixes = 0;
  uint64_t computations = 0;
  double computation_seconds = 0;  // of all
  double last_computation_seconds = 0;
  double snapshot_age_seconds = 0;
  uint64_t roots = 0;  // routers whose ways are ready
  uint64_t roots_refused = 0;
  uint64_t bgp_ls_objects = 0;
  uint64_t bgp_ls_announced = 0;
  uint64_t bgp_ls_withdrawn = 0;
  uint64_t bgp_ls_refused = 0;  // of other protocols or styles, without a router, beyond a bound
};

// All zero without BGP.
struct BgpStatus {
  uint64_t established = 0;
  uint64_t pending = 0;  // connections without a session yet
  uint64_t paths = 0;
  uint64_t attribute_sets = 0;
  uint64_t octets = 0;  // of routes and attributes
  uint64_t sessions_established = 0;
  uint64_t sessions_lost = 0;
  uint64_t connections_refused = 0;
  uint64_t congestions = 0;        // readers were too slow: nothing was read from peers meanwhile
  uint64_t evicted_peers = 0;      // whose stale routes made room
  uint64_t incomplete_tables = 0;  // asked after wait_for_table without an End-of-RIB
  uint64_t mappings_left_out = 0;  // exporters of `map` beyond a bound
  uint64_t dumps_written = 0;      // as MRT: of all routes, and to be kept over a restart
  uint64_t dumps_failed = 0;
  uint64_t dump_files_loaded = 0;  // times that MRT files were read
  uint64_t dump_files_failed = 0;
  std::vector<BgpPeerStatus> peers;
};

struct CollectorStatus {
  std::string version;
  std::string config;  // the file's name
  absl::Time started;
  absl::Time now;
  bool ready = false;     // all inputs are open and pipelines run
  std::string not_ready;  // why not; empty: ready
  // When the slowest of the collector's threads last went round its loop; the far future where nobody tells.
  absl::Time last_round = absl::InfiniteFuture();
  uint64_t reloads = 0;
  uint64_t reloads_failed = 0;
  std::string last_reload_error;
  uint32_t workers = 0;
  uint64_t exporters = 0;
  uint64_t domains = 0;
  std::vector<InputStatus> inputs;
  std::vector<PipelineStatus> pipelines;
  std::vector<ReplicaStatus> replicas;
  BgpStatus bgp;
  BmpStatus bmp;
  RpkiStatus rpki;
  GtpStatus gtp;
  IgpStatus igp;
  std::vector<RouteLogStatus> route_logs;
  // What the start found: state restored, records that a crash lost. A line each.
  std::vector<std::string> notes;
  // Lines of the log, and those that its rate limit kept back.
  uint64_t log_lines = 0;
  uint64_t log_suppressed = 0;
};

// A question to the current and the kept bins of a pipeline with a memory sink.
struct MemoryQuestion {
  std::string pipeline;
  std::string by;     // some of the pipeline's key fields; empty: all
  std::string where;  // a filter on key fields
  std::string order;
  size_t top = 0;                               // 0: all
  absl::Duration since = absl::ZeroDuration();  // bins that ended no longer ago; zero: the open one alone
  bool reset = false;                           // closed bins that were told are forgotten
};

// A question in the language of docs/reference/query.md.
struct WrittenQuestion {
  std::string question;
  std::string saved;  // instead: the name of one that the configuration has
  // Whom it is asked: "memory", or a sink that is a store, by its pipeline, its kind, PIPELINE/KIND or PIPELINE/NUMBER.
  // Empty: the memory sinks if there are any, else the only store.
  std::string store;
  std::string format = "json";  // of query::AnswerFormats
};

struct SavedQuestion {
  std::string name;
  std::string ask;
};

// A question to the routes of the BGP speaker.
struct RoutesQuestion {
  std::string address;   // what its longest prefixes say; empty: what peers there are
  std::string exporter;  // an address or router id: only of this one; empty: of all
  std::string rd;        // of the VRF, such as "64500:1"; empty: the global table
  bool routers = false;  // what BMP speakers tell of themselves and their neighbours, instead
};

// A question to the sessions of mobile subscribers.
struct SessionsQuestion {
  enum class Of : uint8_t { kSessions, kSubscriber, kPeers, kUnmatched };
  Of of = Of::kSessions;
  std::string imsi;    // of kSubscriber
  std::string apn;     // of kSessions: only with this name; empty: all
  bool ended = false;  // of kSessions: also those that are over and kept for late packets
  size_t limit = 100;  // of kSessions: rows at most; 0: all
};

// A question to the inside of the network. Routers are named as people know them; what is empty is not asked for.
struct IgpQuestion {
  enum class Of : uint8_t {
    kNeighbors,
    kDatabase,
    kRoutes,
    kPaths,
    kSpf,
    kAlternates,
    kTraffic,
    kWhatIf,
    kDiff,
    kDraw,
    kTopology
  };
  Of of = Of::kDatabase;
  std::string router;  // of kPaths: from where
  std::string to;      // of kPaths: a router or an address
  std::string prefix;  // of kRoutes
  uint32_t level = 0;  // 0: 2 if it has routers, else 1
  uint32_t topology = 0;
  std::string at, since;  // RFC 3339; `at` empty: now; since: of kDiff, with what it is compared
  // Of kTraffic, kWhatIf and kDraw: whose bins the traffic is of, and how long ago they may have ended.
  std::string pipeline;
  absl::Duration bins = absl::ZeroDuration();
  std::string label;                  // a column of the pipeline's, by which traffic is told apart
  std::vector<std::string> failures;  // links, routers, groups
  double threshold = 1;               // above this part of its capacity a link is too full
  size_t limit = 0;                   // rows; 0: all
  std::string demands;                // CSV of the pipeline's rows; who asks the collector leaves it empty
  double seconds = 300;               // in which they were counted
};

// A question to origin validation.
struct RpkiQuestion {
  std::string prefix;  // of the route that is validated; empty: what caches and files there are
  std::string as;      // its origin: "64500" or "AS64500"
};

// Which routes are listed; what is empty is not asked for.
struct RouteListQuestion {
  std::string peer;       // an address or BGP identifier
  std::string prefix;     // such as 192.0.2.0/24
  bool longer = false;    // those within the prefix, too
  std::string origin_as;  // the last of the path: a number
  std::string as;         // anywhere in the path
  std::string community;  // 64496:100, 64496:*, no-export; rt:64496:100; 4200000000:1:*
  std::string rd;         // of a VRF, such as "64500:1"
  size_t limit = 1000;    // rows; 0: all
};

// A question to what BGP peers said lately.
struct HistoryQuestion {
  std::string prefix;   // this one, those within it and around it, or of an address; empty: all
  std::string peer;     // an address or router id: only of this one; empty: of all
  size_t limit = 1000;  // the newest
};

// What the administration asks of a collector. Calls may come from any thread, and answer in milliseconds, but for Ask.
class CollectorControl {
 public:
  virtual ~CollectorControl() = default;
  virtual CollectorStatus Status() = 0;
  // By exporter, protocol and domain; `templates`: with templates, sampling and names, which costs a copy.
  virtual std::vector<record::ExporterReport> Exporters(bool templates) = 0;
  // JSON: {"columns": [...], "rows": [[...], ...], "groups": 1234, "incomplete": true}; `groups`: how many there are,
  // if `top` shows less. NotFound: no such pipeline, or none with a memory sink; InvalidArgument: what is wrong.
  virtual absl::StatusOr<std::string> Query(const MemoryQuestion& question) = 0;
  // The answer as text of the format, the same as `flowacct query --store` gives. InvalidArgument: the question cannot
  // be; NotFound: no such store, table or saved question; ResourceExhausted: the answer would be too large;
  // DeadlineExceeded: it took too long; Unavailable: too many are being answered, or the store is away.
  virtual absl::StatusOr<std::string> Ask(const WrittenQuestion& question) = 0;
  // Those that the configuration has, in its order.
  virtual std::vector<SavedQuestion> Questions() = 0;
  // JSON, of peers or of routes. FailedPrecondition: the configuration has neither bgp nor bmp; InvalidArgument:
  // what is wrong.
  virtual absl::StatusOr<std::string> Routes(const RoutesQuestion& question) = 0;
  // JSON. FailedPrecondition: the configuration has no gtp; InvalidArgument: what is wrong.
  virtual absl::StatusOr<std::string> Sessions(const SessionsQuestion& question) = 0;
  // JSON; of kDraw SVG, of kTopology a topology file. FailedPrecondition: the configuration has no igp;
  // InvalidArgument, NotFound: what is wrong.
  virtual absl::StatusOr<std::string> Igp(const IgpQuestion& question) = 0;
  // JSON, of caches and files or of a route. FailedPrecondition: the configuration has no rpki; InvalidArgument: what
  // is wrong; Unavailable: there are no VRPs yet.
  virtual absl::StatusOr<std::string> Rpki(const RpkiQuestion& question) = 0;
  virtual absl::StatusOr<std::string> ListRoutes(const RouteListQuestion& question) = 0;
  // MRT (TABLE_DUMP_V2) of all peers, or of the one of that address or BGP identifier. ResourceExhausted: it is larger
  // than an answer may be.
  virtual absl::StatusOr<std::string> DumpRoutes(const std::string& peer) = 0;
  // JSON, of what peers said lately. FailedPrecondition: the configuration has no history; InvalidArgument: what is
  // wrong.
  virtual absl::StatusOr<std::string> History(const HistoryQuestion& question) = 0;
  // Reads the configuration again; an error changes nothing.
  virtual absl::Status Reload() = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_COLLECTOR_STATUS_H_
