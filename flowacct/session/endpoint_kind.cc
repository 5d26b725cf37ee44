#include "flowacct/session/endpoint_kind.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace flowacct::session {
namespace {

constexpr EndpointKind kEndpointKinds[] = {
    {gtp::kS1UEnodebGtpU, PathKind::kAccess, kNear, Interface::kS1U},
    {gtp::kS1USgwGtpU, PathKind::kAccess, kFar, Interface::kS1U},
    {gtp::kS12RncGtpU, PathKind::kAccess, kNear, Interface::kS12},
    {gtp::kS12SgwGtpU, PathKind::kAccess, kFar, Interface::kS12},
    {gtp::kS5SgwGtpU, PathKind::kCore, kNear, Interface::kS5},
    {gtp::kS5PgwGtpU, PathKind::kCore, kFar, Interface::kS5},
    {gtp::kS5SgwGtpC, PathKind::kCore, kNear, Interface::kUnknown},
    {gtp::kS5PgwGtpC, PathKind::kCore, kFar, Interface::kUnknown},
    {gtp::kS11MmeGtpC, PathKind::kAccess, kNear, Interface::kUnknown},
    {gtp::kS11SgwGtpC, PathKind::kAccess, kFar, Interface::kUnknown},
    {gtp::kS4SgsnGtpU, PathKind::kAccess, kNear, Interface::kS4},
    {gtp::kS4SgwGtpU, PathKind::kAccess, kFar, Interface::kS4},
    {gtp::kS4SgsnGtpC, PathKind::kAccess, kNear, Interface::kUnknown},
    {gtp::kEnodebDlForwarding, PathKind::kForwarding, kNear, Interface::kX2},
    {gtp::kEnodebUlForwarding, PathKind::kForwarding, kFar, Interface::kX2},
    {gtp::kRncForwarding, PathKind::kForwarding, kNear, Interface::kForwarding},
    {gtp::kSgsnForwarding, PathKind::kForwarding, kNear, Interface::kForwarding},
    {gtp::kSgwDlForwarding, PathKind::kForwarding, kNear, Interface::kForwarding},
    {gtp::kSgwUlForwarding, PathKind::kForwarding, kFar, Interface::kForwarding},
    {gtp::kS2bEpdgGtpC, PathKind::kCore, kNear, Interface::kUnknown},
    {gtp::kS2bEpdgGtpU, PathKind::kCore, kNear, Interface::kS2b},
    {gtp::kS2bPgwGtpC, PathKind::kCore, kFar, Interface::kUnknown},
    {gtp::kS2bPgwGtpU, PathKind::kCore, kFar, Interface::kS2b},
    {gtp::kS2aTwanGtpU, PathKind::kCore, kNear, Interface::kS2a},
    {gtp::kS2aTwanGtpC, PathKind::kCore, kNear, Interface::kUnknown},
    {gtp::kS2aPgwGtpC, PathKind::kCore, kFar, Interface::kUnknown},
    {gtp::kS2aPgwGtpU, PathKind::kCore, kFar, Interface::kS2a},
    {gtp::kS11MmeGtpU, PathKind::kAccess, kNear, Interface::kS11U},
    {gtp::kS11SgwGtpU, PathKind::kAccess, kFar, Interface::kS11U},
    {gtp::kGnSgsnGtpU, PathKind::kCore, kNear, Interface::kGn},
    {gtp::kGnGgsnGtpU, PathKind::kCore, kFar, Interface::kGn},
    {gtp::kGnSgsnGtpC, PathKind::kCore, kNear, Interface::kUnknown},
    {gtp::kGnGgsnGtpC, PathKind::kCore, kFar, Interface::kUnknown},
    {gtp::kIuRncGtpU, PathKind::kCore, kNear, Interface::kIuPs},
};
constexpr size_t kEndpointTypes = 0x200;

constexpr std::array<uint8_t, kEndpointTypes> IndexOfKinds() {
  std::array<uint8_t, kEndpointTypes> index{};
  for (size_t i = 0; i < std::size(kEndpointKinds); ++i) index[kEndpointKinds[i].type] = static_cast<uint8_t>(i + 1);
  return index;
}
constexpr std::array<uint8_t, kEndpointTypes> kKindIndex = IndexOfKinds();
constexpr EndpointKind kNoEndpoint = {0, PathKind::kNone, kNear, Interface::kUnknown};

}  // namespace

const EndpointKind& KindOf(gtp::InterfaceType type) {
  return type >= kEndpointTypes || kKindIndex[type] == 0 ? kNoEndpoint : kEndpointKinds[kKindIndex[type] - 1];
}

gtp::InterfaceType TypeBy(gtp::InterfaceType type, std::optional<Side> sender) {
  if (!sender) return type;
  switch (type) {
    case gtp::kGnSgsnGtpC:
    case gtp::kGnGgsnGtpC:
      return *sender == kFar ? gtp::kGnGgsnGtpC : gtp::kGnSgsnGtpC;
    case gtp::kGnSgsnGtpU:
    case gtp::kGnGgsnGtpU:
      return *sender == kFar ? gtp::kGnGgsnGtpU : gtp::kGnSgsnGtpU;
    default:
      return type;
  }
}

}  // namespace flowacct::session
