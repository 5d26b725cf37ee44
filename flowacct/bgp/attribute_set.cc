#include "flowacct/bgp/attribute_set.h"

#include <optional>

namespace flowacct::bgp {

std::optional<uint64_t> AttributeSetView::aigp() const {
  const base::Octets v = Value(AttributeCode::kAigp);
  for (size_t at = 0; v.size() - at >= 3;) {
    const size_t length = base::LoadBe16(v.data() + at + 1);  // with type and length
    if (length < 3 || length > v.size() - at) break;
    if (v[at] == 1 && length == 11) return base::LoadBe64(v.data() + at + 3);
    at += length;
  }
  return std::nullopt;
}

}  // namespace flowacct::bgp
