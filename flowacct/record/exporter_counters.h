// What a decoder counts of one exporter's domain: plain numbers of a fixed size, for metrics and for sums.
//
// Guaranteed of all that one decoder gives at a time: every datagram that it was handed is counted in exactly one of
// them; the sum of each counter over all of them never shrinks, also when an exporter is forgotten; and the rows that
// it appended to DecodeOutput::flows are flow_records + reverse_records. Misfits and repaired times are those of the
// fields that the layout has. Loss (SequenceCounters) is an estimate, and what comes late takes from it.
// A value; its texts live as long as the program. Cost: some 400 octets.

#ifndef FLOWACCT_RECORD_EXPORTER_COUNTERS_H_
#define FLOWACCT_RECORD_EXPORTER_COUNTERS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::record {

// Sequence numbers followed over one exporter's domain. What is lost is an estimate: a gap that later fills counts as
// reordered, and a jump that is too large to be a loss counts as a restart.
struct SequenceCounters {
  absl::string_view unit;  // what the numbers count: "records", "datagrams", "samples"; empty: there are none
  uint64_t gaps = 0;
  uint64_t lost = 0;  // in `unit`
  uint64_t reordered = 0;
  uint64_t restarts = 0;
  uint64_t lost_over_restart = 0;  // while this collector was not running, in `unit`; not part of `lost`

  void Add(const SequenceCounters& other);
};

// Whose the counters are.
enum class ExporterScope : uint8_t {
  kDomain,      // of one exporter's domain
  kForgotten,   // the sum over domains that were forgotten, because they were silent and others needed their room
  kBeyond,      // of exporters beyond the bound on them, of which nothing is remembered
  kUnreadable,  // of datagrams that do not tell whose they are (an sFlow header that cannot be read)
};
absl::string_view ExporterScopeName(ExporterScope scope);  // "domain", "forgotten", "beyond", "unreadable"

// What came, or what befell it, so that people ask about it if it is not zero.
enum class ExporterCounterKind : uint8_t { kVolume, kIncident };

// X(counter, kind, what one is called, words behind that)
// rejected_sets: data records where their number is known, else sets or samples.
#define FLOWACCT_EXPORTER_COUNTERS(X)                                                                           \
  X(datagrams, kVolume, "datagram", "")                                                                         \
  X(octets, kVolume, "octet", " of datagrams")                                                                  \
  X(flow_records, kVolume, "flow record", "")                      /* or flow sample of sFlow; each is a row */ \
  X(reverse_records, kVolume, "flow record", " of two directions") /* each of these is a second row */          \
  X(counter_records, kVolume, "counter record", "")                                                             \
  X(option_records, kVolume, "option record", "")                                                               \
  X(rejected_sets, kIncident, "data set or sample", " rejected: not accounted")                                 \
  X(unknown_samples, kIncident, "sample", " of a kind that is not known: not accounted")                        \
  X(unknown_records, kIncident, "record", " of a format that is not known, in samples that are accounted")      \
  X(untracked_samples, kIncident, "sample", " of sources beyond the bound: accounted, sequence not known")      \
  X(unread_sections, kIncident, "packet section", " that could not be read: its octets are not accounted")      \
  X(clock_repairs, kIncident, "time", " repaired: the exporter's clock is wrong")                               \
  X(misfits, kIncident, "value", " that did not fit the field, which is absent then: not accounted")

struct ExporterCounters {
  base::IpAddress exporter;    // the unspecified address unless scope is kDomain
  uint32_t domain = 0;         // observation domain, source id, engine, sub-agent
  absl::string_view protocol;  // a name of export_protocol.h: "netflow5", "netflow9", "ipfix", "sflow5"; "netflow", ...
  ExporterScope scope = ExporterScope::kDomain;
  uint64_t domains = 1;         // so many are summed here; kBeyond and kUnreadable: 0, it is not known
  int64_t last_seen_nanos = 0;  // since 1970
  uint64_t pending_sets = 0;    // held now, waiting for their template
  uint64_t template_count = 0;  // known now
#define X(counter, kind, one, rest) uint64_t counter = 0;
  FLOWACCT_EXPORTER_COUNTERS(X)
#undef X
  SequenceCounters sequence;
  SequenceCounters sample_sequence;  // sFlow: the samples of all sources, each of which has numbers of its own
  base::DecodeCounters errors;       // by reason; kOk counts datagrams that were whole

  // Adds what `other` counts, and so many domains.
  void Add(const ExporterCounters& other);
};

// By exporter, protocol, domain and scope.
bool operator<(const ExporterCounters& a, const ExporterCounters& b);

// Those of FLOWACCT_EXPORTER_COUNTERS, for those who show them all.
struct ExporterCounter {
  absl::string_view name;  // "flow_records"
  ExporterCounterKind kind;
  uint64_t ExporterCounters::*value;
  absl::string_view one, rest;
};
absl::Span<const ExporterCounter> ExporterCounterTable();
// "3 flow records".
std::string ExporterCounterText(const ExporterCounter& counter, uint64_t n);

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_EXPORTER_COUNTERS_H_
