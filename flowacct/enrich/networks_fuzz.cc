// Whatever the text: it is refused with a line, or it is a table that can be asked and applied.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/enrich/networks.h"
#include "flowacct/enrich/networks_enricher.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace base = flowacct::base;
  namespace enrich = flowacct::enrich;
  namespace record = flowacct::record;
  using F = record::FieldId;
  auto networks = enrich::Networks::Parse(base::AsText(base::Octets(data, size)), "n");
  if (!networks.ok()) {
    if (!absl::StartsWith(networks.status().message(), "n:")) std::abort();
    return 0;
  }
  (void)networks->Describe(base::IpAddress::V4(0x0a000001));
  static const auto* layout = new record::Layout(record::Layout::All());
  base::Interner interner;
  record::FlowBatch batch(layout, &interner);
  for (const base::IpAddress& address : {base::IpAddress::V4(0x0a000001), base::IpAddress()}) {
    auto row = batch.Append();
    row.Set<F::kSrcAddr>(address);
    row.Set<F::kDstAddr>(address);
    row.Set<F::kDstMask>(9);
  }
  enrich::NetworksEnricher enricher(std::make_shared<const enrich::Networks>(*std::move(networks)),
                                    enrich::NetworksPolicy::kLongest);
  enricher.Bind(*layout, record::FieldSet(layout->fields()));
  enricher.Apply(batch);
  return 0;
}
