#include "flowacct/enrich/igp/igp_enricher.h"

namespace flowacct::enrich {

struct IgpEnricher::State {};

IgpEnricher::IgpEnricher(const Igp&, const IgpOptions&, std::shared_ptr<const void>) {}
IgpEnricher::~IgpEnricher() = default;
EnricherFactory IgpEnricher::Factory(std::shared_ptr<const void> owner, const Igp& igp, const IgpOptions& options) {
  return [owner = std::move(owner), igp, options] { return std::make_unique<IgpEnricher>(igp, options, owner); };
}
std::vector<record::FieldId> IgpEnricher::RequiredFields(const record::FieldSet&) const { return {}; }
void IgpEnricher::Bind(const record::Layout&, const record::FieldSet&) {}
void IgpEnricher::Apply(record::FlowBatch&) {}
std::vector<EnricherCounter> IgpEnricher::counters() const { return {}; }

}  // namespace flowacct::enrich
