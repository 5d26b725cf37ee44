// Whatever the text: it is refused with a column inside it, or it runs. What follows a NUL is a value of fields whose
// values are interned.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "flowacct/base/octets.h"
#include "flowacct/filter/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using flowacct::filter::Filter;
  const flowacct::base::Octets all(data, size);
  const size_t nul = flowacct::base::AsText(all).find('\0');
  const absl::string_view text = flowacct::base::AsText(all).substr(0, nul);
  size = text.size();
  flowacct::filter::FilterError error;
  const absl::StatusOr<Filter> filter = Filter::Parse(text, {}, &error);
  if (!filter.ok()) {
    if (error.column == 0 || error.column > size + 1 || error.message.empty()) std::abort();
    return 0;
  }
  const flowacct::record::Layout layout(filter->fields());
  flowacct::base::Interner interner;
  flowacct::record::FlowBatch batch(&layout, &interner);
  batch.Append();
  uint8_t* octets = batch.Append().layout().row_size() > 0 ? batch.data() + batch.stride() : nullptr;
  for (size_t i = 0; i < layout.presence_size(); ++i) octets[i] = 0xff;  // the second row has every field, as zero
  const auto id = nul < all.size() ? interner.Intern(all.subspan(nul + 1))
                                   : interner.Intern(absl::string_view("\2\1\0\0\xfb\xf0", 6));
  for (flowacct::record::FieldId field : layout.fields()) {
    if (!flowacct::record::IsInterned(flowacct::record::Info(field).type)) continue;
    flowacct::base::StoreHost(octets + layout.offset(field), id);
  }
  flowacct::filter::Selection selection;
  flowacct::filter::BoundFilter bound = filter->Bind(layout);
  bound.Apply(batch, &selection);
  if (selection.size() > 2) std::abort();
  return 0;
}
