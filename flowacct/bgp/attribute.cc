#include "flowacct/bgp/attribute.h"

namespace flowacct::bgp {

absl::string_view ErrorActionName(ErrorAction action) {
  static constexpr absl::string_view kNames[] = {
#define X(name, text) text,
      FLOWACCT_BGP_ERROR_ACTIONS(X)
#undef X
  };
  return kNames[static_cast<size_t>(action)];
}

}  // namespace flowacct::bgp
