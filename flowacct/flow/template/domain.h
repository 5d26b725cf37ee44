// All that is known of one exporter's domain: an address and an observation domain, source id or engine, speaking one
// version of one protocol. And the table of all domains.
//
// Ownership: a domain owns its templates, names, rates and held data. Threads: one at a time. Errors: a domain too
// many is refused, unless one has been silent for domain_idle_seconds.
// Cost: one hash look-up a datagram, none if it is of the same domain as the one before; some 700 octets a domain.

#ifndef FLOWACCT_FLOW_TEMPLATE_DOMAIN_H_
#define FLOWACCT_FLOW_TEMPLATE_DOMAIN_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/flow/template/exporter_clock.h"
#include "flowacct/flow/template/name_table.h"
#include "flowacct/flow/template/record_teller.h"
#include "flowacct/flow/template/sampling_table.h"
#include "flowacct/flow/template/sequence_tracker.h"
#include "flowacct/flow/template/template_entry.h"
#include "flowacct/flow/template/template_options.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::flow {

// A data set that waits for its template, with the message that it came in.
struct PendingSet {
  uint16_t template_id = 0;
  std::string octets;
  MessageContext context;
};

struct DomainKey {
  base::IpAddress exporter;
  uint32_t domain = 0;
  uint16_t version = 0;

  friend bool operator==(const DomainKey& a, const DomainKey& b) {
    return a.exporter == b.exporter && a.domain == b.domain && a.version == b.version;
  }
  friend bool operator<(const DomainKey& a, const DomainKey& b) {
    if (!(a.exporter == b.exporter)) return a.exporter < b.exporter;
    return a.version != b.version ? a.version < b.version : a.domain < b.domain;
  }
  template <typename H>
  friend H AbslHashValue(H h, const DomainKey& k) {
    return H::combine(std::move(h), k.exporter, k.domain, k.version);
  }
};

struct Domain : TemplateSource {
  Domain(const DomainKey& domain_key, const TemplateOptions& options)
      : key(domain_key),
        sequence({options.max_sequence_gap, options.max_sequence_reorder}),
        sampling(options.max_rates_per_domain),
        names(options.max_names_per_domain) {}

  const Template* FindTemplate(uint16_t id) override;
  const LearnedElement* FindLearned(uint32_t pen, uint16_t id) override;

  // What Report() says of it; `unit` of the sequence numbers.
  record::ExporterReport Report(const char* protocol, const char* unit) const;

  DomainKey key;
  int64_t last_seen_nanos = 0;
  uint64_t datagrams = 0;
  uint64_t octets = 0;
  uint64_t flow_records = 0;
  uint64_t option_records = 0;
  uint64_t rejected_sets = 0;
  uint64_t clock_repairs = 0;
  uint64_t misfits = 0;
  uint64_t header_sampling_rate = 0;  // the last one
  base::DecodeCounters errors;
  SequenceTracker sequence;
  ExporterClock clock;
  SamplingTable sampling;
  NameTable names;
  absl::flat_hash_map<uint16_t, std::unique_ptr<TemplateEntry>> templates;
  // When the device was started, as options data told (160); 0: not told.
  int64_t system_init_nanos = 0;
  std::deque<PendingSet> pending;  // oldest first
  size_t pending_octets = 0;
  absl::flat_hash_map<std::pair<uint32_t, uint16_t>, LearnedElement> learned;
};

class DomainTable {
 public:
  explicit DomainTable(const TemplateOptions& options) : options_(options) {}

  // Null: there are max_domains, all of them alive.
  Domain* FindOrAdd(const DomainKey& key, int64_t now_nanos);
  // By exporter, version and domain.
  std::vector<const Domain*> Sorted() const;
  // What was refused, as a report of the unspecified exporter (::), in front of the others; nothing if nothing was.
  void ReportRefused(const char* protocol, std::vector<record::ExporterReport>* reports) const;

  // Of all domains, for the bounds.
  size_t template_octets = 0;
  size_t pending_octets = 0;
  // Datagrams of domains that were refused.
  uint64_t refused = 0;

 private:
  bool RemoveSilent(int64_t now_nanos);

  const TemplateOptions& options_;
  absl::flat_hash_map<DomainKey, std::unique_ptr<Domain>> domains_;
  Domain* last_ = nullptr;
  int64_t last_removal_nanos_ = 0;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_DOMAIN_H_
