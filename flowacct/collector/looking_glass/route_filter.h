// Which routes a person asks for: by peer, prefix, AS and community.
//
// Errors: InvalidArgument that names the option and what can be. Threads: a plain value. Cost: a comparison for most
// routes; a walk over path or communities where these are asked for.

#ifndef FLOWACCT_COLLECTOR_LOOKING_GLASS_ROUTE_FILTER_H_
#define FLOWACCT_COLLECTOR_LOOKING_GLASS_ROUTE_FILTER_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/filter/route.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {

class RouteFilter {
 public:
  static absl::StatusOr<RouteFilter> Of(const RouteListQuestion& question);

  // `bgp_identifier` 0: not known.
  bool WantsPeer(const base::IpAddress& address, uint32_t bgp_identifier) const;
  bool WantsDistinguisher(uint64_t rd) const { return !rd_ || *rd_ == rd; }
  bool WantsPrefix(const base::IpPrefix& prefix) const;
  bool WantsFamily(bool v6) const { return !prefix_ || prefix_->address().IsV4() != v6; }
  // A walk in the order of prefixes needs to see what is behind `from` (nothing: all) as far as MayFollow.
  std::optional<base::IpPrefix> from() const;
  bool MayFollow(const base::IpPrefix& prefix) const;
  bool WantsAttributes(bgp::AttributeSetView set) const;

 private:
  std::optional<base::IpAddress> peer_;
  std::optional<base::IpPrefix> prefix_;
  bool longer_ = false;
  std::optional<uint32_t> origin_as_, as_;
  std::optional<uint64_t> rd_;
  std::optional<filter::CommunityPattern> community_;
  record::FieldType community_type_ = record::FieldType::kCommunities;
};

// "64500:1"; an error names the option `rd`.
absl::StatusOr<uint64_t> ParseRouteDistinguisher(const std::string& text);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LOOKING_GLASS_ROUTE_FILTER_H_
