#include "flowacct/collector/looking_glass/route_filter.h"

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/enrich/field_value.h"

namespace flowacct::collector {
namespace {

using record::FieldType;

absl::Status Bad(absl::string_view option, absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(option, ": \"", text, "\" is no ", what));
}

absl::StatusOr<std::optional<uint32_t>> ParseAs(absl::string_view option, const std::string& text) {
  if (text.empty()) return std::optional<uint32_t>();
  uint32_t as = 0;
  if (!absl::SimpleAtoi(text, &as)) return Bad(option, text, "AS number, such as 64496");
  return std::make_optional(as);
}

// By the colons: 64496:100 is a standard one, rt:64496:100 and 0x... are extended, 4200000000:1:2 is a large one.
FieldType CommunityTypeOf(absl::string_view text) {
  const auto colons = std::count(text.begin(), text.end(), ':');
  const bool letter = !text.empty() && (text[0] < '0' || text[0] > '9');
  if ((letter && colons == 2) || absl::string_view(text).substr(0, 2) == "0x") return FieldType::kExtCommunities;
  return colons == 2 ? FieldType::kLargeCommunities : FieldType::kCommunities;
}

}  // namespace

absl::StatusOr<uint64_t> ParseRouteDistinguisher(const std::string& text) {
  enrich::FieldValue rd;
  if (const std::string why = enrich::ParseFieldValue(record::FieldId::kMplsVpnRd, text, &rd); !why.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("rd: ", why));
  }
  return rd.number();
}

absl::StatusOr<RouteFilter> RouteFilter::Of(const RouteListQuestion& question) {
  RouteFilter filter;
  if (!question.peer.empty()) {
    filter.peer_ = base::IpAddress::Parse(question.peer);
    if (!filter.peer_) return Bad("peer", question.peer, "address, such as 192.0.2.1");
  }
  if (!question.prefix.empty()) {
    filter.prefix_ = base::IpPrefix::Parse(question.prefix);
    if (!filter.prefix_) return Bad("prefix", question.prefix, "prefix, such as 192.0.2.0/24 or 2001:db8::/32");
  } else if (question.longer) {
    return absl::InvalidArgumentError("longer: give the prefix, too");
  }
  filter.longer_ = question.longer;
  const auto origin = ParseAs("origin_as", question.origin_as);
  if (!origin.ok()) return origin.status();
  filter.origin_as_ = *origin;
  const auto as = ParseAs("as", question.as);
  if (!as.ok()) return as.status();
  filter.as_ = *as;
  if (!question.rd.empty()) {
    const auto rd = ParseRouteDistinguisher(question.rd);
    if (!rd.ok()) return rd.status();
    filter.rd_ = *rd;
  }
  if (!question.community.empty()) {
    filter.community_type_ = CommunityTypeOf(question.community);
    const std::string why =
        filter::ParseCommunity(filter.community_type_, question.community, &filter.community_.emplace());
    if (!why.empty()) return absl::InvalidArgumentError(absl::StrCat("community: ", why));
  }
  return filter;
}

bool RouteFilter::WantsPeer(const base::IpAddress& address, uint32_t bgp_identifier) const {
  return !peer_ || *peer_ == address || (bgp_identifier != 0 && *peer_ == base::IpAddress::V4(bgp_identifier));
}

bool RouteFilter::WantsPrefix(const base::IpPrefix& prefix) const {
  if (!prefix_) return true;
  if (!longer_) return *prefix_ == prefix;
  return prefix.length() >= prefix_->length() && prefix_->Contains(prefix.address());
}

std::optional<base::IpPrefix> RouteFilter::from() const {
  if (!prefix_ || prefix_->length() == 0) return std::nullopt;
  // The last one before it in the order of address, then length.
  const size_t bits = prefix_->address().IsV4() ? 32 : 128;
  const size_t last_bit = 128 - bits + prefix_->length() - 1;
  base::IpAddress address = prefix_->address();
  if ((address.data()[last_bit / 8] & (0x80 >> last_bit % 8)) == 0) {
    return base::IpPrefix(address, static_cast<uint8_t>(prefix_->length() - 1));
  }
  for (size_t i = base::IpAddress::kSize; i-- > 0;) {
    if (address.data()[i]-- != 0) break;
  }
  return base::IpPrefix(address, static_cast<uint8_t>(bits));
}

bool RouteFilter::MayFollow(const base::IpPrefix& prefix) const {
  if (!prefix_) return true;
  return longer_ ? prefix_->Contains(prefix.address()) : *prefix_ == prefix;
}

bool RouteFilter::WantsAttributes(bgp::AttributeSetView set) const {
  if (origin_as_ && set.as_path().origin_as() != origin_as_) return false;
  if (as_) {
    const filter::NumberRange range = {*as_, *as_};
    if (filter::PathHas(set.as_path().octets(), {&range, 1}) != filter::Answer::kYes) return false;
  }
  if (!community_) return true;
  const base::Octets communities = community_type_ == FieldType::kCommunities      ? set.communities().octets()
                                   : community_type_ == FieldType::kExtCommunities ? set.extended_communities().octets()
                                                                                   : set.large_communities().octets();
  return filter::HasCommunity(community_type_, communities, {&*community_, 1}) == filter::Answer::kYes;
}

}  // namespace flowacct::collector
