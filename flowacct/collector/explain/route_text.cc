#include "flowacct/collector/explain/route_text.h"

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {

std::string RouteOriginText(rib::RouteOrigin origin) {
  // route_source has the same values behind "none".
  return std::string(record::EnumerationNames(record::FieldType::kRouteSource)[static_cast<size_t>(origin) + 1]);
}

std::string RouteText(const enrich::AskedTable& asked) {
  std::string text = RouteOriginText(asked.origin);
  if (asked.peer != base::IpAddress()) absl::StrAppend(&text, " of peer ", asked.peer.ToString());
  if (asked.followed) {
    absl::StrAppend(&text, ", followed to next hop ", asked.router.ToString());
  } else {
    absl::StrAppend(&text, asked.for_all ? ", who answers for all" : ", the exporter's own");
  }
  if (!asked.found) return absl::StrCat(text, ": no route");
  absl::StrAppend(&text, ": ", asked.prefix.ToString());
  if (asked.next_hop != base::IpAddress()) absl::StrAppend(&text, " by ", asked.next_hop.ToString());
  if (!asked.as_path.empty()) absl::StrAppend(&text, ", path ", asked.as_path);
  absl::StrAppend(&text, asked.next_hop_matched ? ", the flow's next hop" : ", best path");
  if (asked.path_id != 0) absl::StrAppend(&text, ", path id ", asked.path_id);
  if (asked.stale) absl::StrAppend(&text, ", stale");
  return text;
}

}  // namespace flowacct::collector
