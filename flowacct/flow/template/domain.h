// All that is known of one exporter's domain: an address and an observation domain, source id or engine, speaking one
// version of one protocol. And the table of all domains.
//
// Templates, options and sequence numbers that came over a stream are of that Transport Session (RFC 7011, 8 and 3.1):
// they are a domain of their own, which ends with the session and counts where the exporter's domain does. Ownership: a
// domain owns its templates, names, rates and held data. Threads: one at a time. Errors: a domain too many is refused,
// unless some have been silent for domain_idle_seconds: those are forgotten, but what they counted lives on in one sum.
// Cost: one hash look-up a datagram, none if it is of the same domain as the one before. Memory: a Domain, and
// for each template a TemplateEntry besides its fields and plans (compiled_template.h), which all domains share; what
// ten thousand exporters take is for flow/netflow's exporters_benchmark to measure.

#ifndef FLOWACCT_FLOW_TEMPLATE_DOMAIN_H_
#define FLOWACCT_FLOW_TEMPLATE_DOMAIN_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/flow/template/compiled_template.h"
#include "flowacct/flow/template/exporter_clock.h"
#include "flowacct/flow/template/memory_budget.h"
#include "flowacct/flow/template/name_table.h"
#include "flowacct/flow/template/number_table.h"
#include "flowacct/flow/template/record_teller.h"
#include "flowacct/flow/template/sampling_table.h"
#include "flowacct/flow/template/template_options.h"
#include "flowacct/record/datagram.h"
#include "flowacct/record/export_protocol.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/sequence_tracker.h"

namespace flowacct::flow {

// A data set that waits for its template, with the message that it came in.
struct PendingSet {
  uint16_t template_id = 0;
  std::string octets;
  MessageContext context;

  // Of the heap, for the bounds: a set of four octets costs as much as any.
  static constexpr size_t kOverheadOctets = 320;
  size_t memory_octets() const { return kOverheadOctets + octets.size(); }
};
// Its place in a list, its text's, and what the heap adds to both.
static_assert(sizeof(PendingSet) + 64 <= PendingSet::kOverheadOctets);

struct DomainKey {
  base::IpAddress exporter;
  uint32_t domain = 0;
  uint16_t version = 0;
  uint64_t session = 0;  // as Datagram has it

  friend bool operator==(const DomainKey& a, const DomainKey& b) {
    return a.exporter == b.exporter && a.domain == b.domain && a.version == b.version && a.session == b.session;
  }
  friend bool operator<(const DomainKey& a, const DomainKey& b) {
    if (!(a.exporter == b.exporter)) return a.exporter < b.exporter;
    if (a.version != b.version) return a.version < b.version;
    return a.domain != b.domain ? a.domain < b.domain : a.session < b.session;
  }
  template <typename H>
  friend H AbslHashValue(H h, const DomainKey& k) {
    return H::combine(std::move(h), k.exporter, k.domain, k.version, k.session);
  }
};

// A template of a domain.
struct TemplateEntry {
  CompiledTemplateRef compiled;
  uint64_t records = 0;
  uint64_t definitions = 0;
  uint64_t redefinitions = 0;
  int64_t alive_nanos = 0;  // defined or used

  record::TemplateReport Report(uint16_t id) const;
};

struct Domain : TemplateSource {
  // `learned_budget` of all domains for what options data tell; it outlives the domain. `exporter`: of a session's
  // domain the one where it counts, which outlives it; else null.
  Domain(const DomainKey& domain_key, const TemplateOptions& options, MemoryBudget* learned_budget, Domain* exporter);
  ~Domain() override;

  const Template* FindTemplate(uint16_t id) override;
  const LearnedElement* FindLearned(uint32_t pen, uint16_t id) override;
  // Type information (RFC 5610). False: no room for another element.
  bool Learn(uint32_t pen, uint16_t id, LearnedElement element);

  // Appends what is known to `report`, which has the counters.
  void AppendTo(record::ExporterReport* report) const;

  const DomainKey key;
  MemoryBudget* const budget;
  Domain* const exporter;  // null, or where a session's domain counts
  size_t sessions = 0;     // domains that count here
  record::ExporterCounters own_counters;
  record::ExporterCounters& counters;
  int64_t last_seen_nanos = 0;
  uint64_t header_sampling_rate = 0;  // the last one
  record::SequenceTracker sequence;
  ExporterClock clock;
  SamplingTable sampling;
  NameTable names;
  NumberTable route_distinguishers;  // by VRF id
  absl::flat_hash_map<uint16_t, TemplateEntry> templates;
  // When the device was started, as options data told (160); 0: not told.
  int64_t system_init_nanos = 0;
  std::list<PendingSet> pending;  // oldest first
  size_t pending_octets = 0;
  absl::flat_hash_map<std::pair<uint32_t, uint16_t>, LearnedElement> learned;
  const size_t max_learned;
};

class DomainTable {
 public:
  // `version` of the protocol's templates; `family` is what is reported of domains whose version has no name.
  DomainTable(const record::Layout* layout, const TemplateOptions& options, record::ExportFamily family,
              uint16_t version);
  DomainTable(const DomainTable&) = delete;
  DomainTable& operator=(const DomainTable&) = delete;
  ~DomainTable();

  // The domain of a datagram (or message of a stream), which is counted in it. Null: there are max_domains, all of them
  // alive; the datagram is counted as beyond the bound.
  Domain* Receive(uint32_t domain, uint16_t version, const record::Datagram& datagram);
  // A datagram that ends before it tells its domain is one of the exporter's domain 0 of no version. Returns `result`.
  base::DecodeResult ReceiveBroken(const record::Datagram& datagram, base::DecodeResult result);
  // As FlowDecoder has them.
  void Rebind(const record::Layout* layout) {
    compiled_.Rebind(layout);
    interner_epochs.Forget();
  }
  void EndSession(uint64_t session);
  void Summarize(std::vector<record::ExporterCounters>* counters) const;
  std::vector<record::ExporterReport> Report() const;

  // Adds a template, of an id that the domain does not have. Null: all templates would take more than
  // max_template_octets. Valid until the domain's templates change.
  TemplateEntry* AddTemplate(Domain* domain, uint16_t id, Template format);
  void RemoveTemplate(Domain* domain, uint16_t id);
  void RemoveTemplates(Domain* domain);
  CompiledTemplates& compiled() { return compiled_; }
  // All templates of all domains, their plans and the tables of both.
  size_t template_octets() const { return compiled_.memory_octets() + entry_octets_; }

  // Holds a data set, and rejects the domain's oldest where its bound says so. False: no room.
  bool Hold(Domain* domain, PendingSet set);
  // Takes a set that was held out of the domain's.
  std::list<PendingSet>::iterator Release(Domain* domain, std::list<PendingSet>::iterator set);
  // Held data that is rejected: the domain's oldest.
  void RejectOldest(Domain* domain);

  InternerEpochs interner_epochs;

 private:
  friend class DomainState;  // domain_state.h

  // Null: no room.
  Domain* FindOrAdd(const DomainKey& key, int64_t now_nanos);
  bool RemoveSilent(int64_t now_nanos);
  // Forgets all of it but its counters.
  void Empty(Domain* domain);
  // Forgets all domains and what they counted.
  void Clear();
  std::vector<const Domain*> Sorted() const;

  const TemplateOptions& options_;
  const record::ExportFamily family_;
  CompiledTemplates compiled_;  // outlives the domains
  size_t entry_octets_ = 0;     // of the domains' tables of templates
  size_t pending_octets_ = 0;   // of all domains
  MemoryBudget learned_;        // of the domains' names, numbers and learned elements
  absl::flat_hash_map<DomainKey, std::unique_ptr<Domain>> domains_;
  absl::flat_hash_map<uint64_t, absl::flat_hash_set<DomainKey>> sessions_;
  record::ExporterCounters forgotten_;
  record::ExporterCounters beyond_;
  Domain* last_ = nullptr;
  int64_t last_removal_nanos_ = 0;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_DOMAIN_H_
