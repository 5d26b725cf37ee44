// Puts into records what a networks file knows of their addresses.
//
// Sets src_net, src_mask and src_as by src_addr and dst_net, dst_mask, dst_as and bgp_next_hop by dst_addr: those that
// are wanted and that the file tells. Fields of an address in no network stay as they are.
//
// Threads, ownership: as every enricher (enricher.h); the table is shared. Cost: a longest-prefix match an address,
// batch-wise, if one of its fields is wanted.

#ifndef FLOWACCT_ENRICH_NETWORKS_ENRICHER_H_
#define FLOWACCT_ENRICH_NETWORKS_ENRICHER_H_

#include <memory>
#include <vector>

#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/networks.h"

namespace flowacct::enrich {

// What is done with a field that the record already has.
enum class NetworksPolicy : uint8_t {
  kFill,     // keep what the exporter told
  kReplace,  // the file wins
};

class NetworksEnricher : public Enricher {
 public:
  explicit NetworksEnricher(std::shared_ptr<const Networks> networks, NetworksPolicy policy = NetworksPolicy::kFill)
      : networks_(std::move(networks)), policy_(policy) {}
  static EnricherFactory Factory(std::shared_ptr<const Networks> networks,
                                 NetworksPolicy policy = NetworksPolicy::kFill);

  absl::string_view name() const override { return "networks"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;
  std::vector<EnricherCounter> counters() const override;

 private:
  std::shared_ptr<const Networks> networks_;
  NetworksPolicy policy_;
  record::FieldSet wanted_;
  uint64_t addresses_ = 0;
  uint64_t addresses_unknown_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_NETWORKS_ENRICHER_H_
