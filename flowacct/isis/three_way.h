// The state of a point-to-point adjacency that both ends tell each other in their hellos: TLV 240.
//
// Standard: RFC 5303, 3. A value; any thread.

#ifndef FLOWACCT_ISIS_THREE_WAY_H_
#define FLOWACCT_ISIS_THREE_WAY_H_

#include <cstdint>
#include <optional>

#include "flowacct/isis/identifiers.h"

namespace flowacct::isis {

struct ThreeWayState {
  enum class State : uint8_t { kUp = 0, kInitializing = 1, kDown = 2 } state = State::kDown;
  std::optional<uint32_t> local_circuit;  // the sender's extended circuit identifier
  std::optional<SystemId> neighbor;       // whom the sender hears
  std::optional<uint32_t> neighbor_circuit;
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_THREE_WAY_H_
