// What the interface types of F-TEIDs are to correlation.
//
// Standard: TS 29.274, table 8.22-1, and those that stand for GTPv1's (gtp/values.h). Any thread. Errors: a type that
// has no row is of no path. Cost: two loads.

#ifndef FLOWACCT_SESSION_ENDPOINT_KIND_H_
#define FLOWACCT_SESSION_ENDPOINT_KIND_H_

#include <optional>

#include "flowacct/gtp/values.h"
#include "flowacct/session/facts.h"
#include "flowacct/session/session_store.h"

namespace flowacct::session {

// The path, whether it is the node towards the network, and of the user plane the interface; kUnknown: it is of the
// control plane.
struct EndpointKind {
  gtp::InterfaceType type;
  PathKind path;
  Side side;
  Interface interface;
};

const EndpointKind& KindOf(gtp::InterfaceType type);

// GTPv1's messages do not tell which node an endpoint is of: who sent it does. `sender`: none for other messages.
gtp::InterfaceType TypeBy(gtp::InterfaceType type, std::optional<Side> sender);

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_ENDPOINT_KIND_H_
