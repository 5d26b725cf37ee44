// Puts into records what a networks file knows of their addresses.
//
// src_net, src_mask and the fields of the file's columns by src_addr; dst_net, dst_mask and theirs by dst_addr: those
// that are wanted and that the file tells. Fields of an address in no network stay as they are, and so does what the
// file does not tell.
//
// Threads, ownership: as every enricher (enricher.h); the table is shared. Cost: a longest-prefix match an address,
// batch-wise, if one of its fields is wanted.

#ifndef FLOWACCT_ENRICH_NETWORKS_ENRICHER_H_
#define FLOWACCT_ENRICH_NETWORKS_ENRICHER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/field_place.h"
#include "flowacct/enrich/networks.h"
#include "flowacct/enrich/text_table.h"

namespace flowacct::enrich {

// What is done with a field that the record already has.
enum class NetworksPolicy : uint8_t {
  kFill,     // keep what the exporter told
  kReplace,  // the file wins
  // The file wins where its prefix is longer than the one that the record tells of the address (src_mask, dst_mask;
  // none is shortest), else the exporter.
  kLongest,
};

class NetworksEnricher : public Enricher {
 public:
  explicit NetworksEnricher(std::shared_ptr<const Networks> networks, NetworksPolicy policy = NetworksPolicy::kFill);
  static EnricherFactory Factory(std::shared_ptr<const Networks> networks,
                                 NetworksPolicy policy = NetworksPolicy::kFill);

  absl::string_view name() const override { return "networks"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;
  std::vector<EnricherCounter> counters() const override;

 private:
  // A column that is wanted.
  struct Assignment {
    size_t column;
    uint8_t size;  // of the field; 0: an interned text
    FieldPlace place;
  };
  // What is done by the network of one of the two addresses.
  struct Side {
    record::FieldId address, net, mask;
    std::vector<record::FieldId> fields;  // of the columns
    bool wanted = false;
    FieldPlace address_place, net_place, mask_place;
    FieldPlace told_mask;  // of the record, for kLongest
    std::vector<Assignment> assignments;
  };

  void Apply(const Side& side, record::FlowBatch& batch);
  void Tell(const Side& side, const Network& network, uint8_t* row, base::Interner& interner);

  std::shared_ptr<const Networks> networks_;
  NetworksPolicy policy_;
  Side sides_[2];
  InternedTexts texts_;
  uint64_t addresses_ = 0;
  uint64_t addresses_unknown_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_NETWORKS_ENRICHER_H_
