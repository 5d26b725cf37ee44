// Which of a router's tables BMP tells of, as the routing table calls it.
//
// Standards: RFC 7854 (Adj-RIB-In), RFC 8671 (Adj-RIB-Out), RFC 9069 (Loc-RIB, which has no policy behind it).
// Guarantees: none of rib::RibView's that is no table of BMP. Ownership: values. Threads: any. Errors: none. Cost: a
// comparison or two.

#ifndef FLOWACCT_COLLECTOR_ROUTING_BMP_VIEW_H_
#define FLOWACCT_COLLECTOR_ROUTING_BMP_VIEW_H_

#include "flowacct/bmp/message_view.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {

inline rib::RibView RibViewOf(bmp::RibKind rib, bool post_policy) {
  switch (rib) {
    case bmp::RibKind::kLocRib:
      return rib::RibView::kLocRib;
    case bmp::RibKind::kAdjRibOut:
      return post_policy ? rib::RibView::kAdjRibOutPost : rib::RibView::kAdjRibOutPre;
    case bmp::RibKind::kAdjRibIn:
      break;
  }
  return post_policy ? rib::RibView::kAdjRibInPost : rib::RibView::kAdjRibInPre;
}

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_BMP_VIEW_H_
